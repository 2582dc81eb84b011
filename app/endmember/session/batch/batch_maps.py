"""Which maps of a folder a batch runs, and the recipe that each of them gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from endmember.session.decisions.recipe import MapInput, Precipitate, Recipe, changed
from endmember.session.decisions.recipe_file import RecipeError, anchored, check_recipe, load_recipe

# files that hold maps; of JEOL and TIA the file with the counts, of RPL the one that describes them
_MAP_KINDS = "bcf dm3 dm4 elid emd emi h5 hdf5 hspy nxs prz pts rpl spd zspy"
SUFFIXES = frozenset(f".{kind}" for kind in _MAP_KINDS.split(" "))
EVERY_MAP = "*"
TAKEN = ("batch.csv", "batch.json", "composition.csv")  # what lies beside the folders of the maps


@dataclass(frozen=True, slots=True)
class BatchMap:
    """A map of a batch: its name, its file, whose drawings it takes, and its recipe.

    `drawings` is the recipe file whose rectangles, strokes, regions and exclusions it takes;
    `borrowed` whether they were drawn on another map. `recipe` is None where none can be made, and
    `failure` then says why.
    """

    name: str
    file: Path
    drawings: Path
    borrowed: bool
    recipe: Recipe | None
    failure: str = ""

    @property
    def where(self) -> str:
        """What messages on its recipe begin with."""
        return f"{self.drawings} on {self.file.name}" if self.borrowed else str(self.drawings)


def batch_maps(
    folder: Path, template: Path, pattern: str = EVERY_MAP, apart_from: Path | None = None
) -> list[BatchMap]:
    """The maps of `folder` that `pattern` names, each with a recipe of its own.

    All settings are those of the recipe file `template`. What is decided for each map alone (its
    drawings, crop, thickness, signal, component and factor) is taken from the recipe NAME.toml
    beside the map if there is one; otherwise from `template` if that names this map; otherwise from
    the first map of `template`. The pattern `*` stands for every file of a kind that holds maps.
    Nothing below `apart_from` is a map.

    Raises
    ------
    RecipeError
        if `template` cannot be used.
    ValueError
        if the folder or the pattern cannot be used, or no file is found.
    """
    settings = anchored(load_recipe(template), template.parent)
    files = _files(folder, pattern, apart_from)
    names = _names(folder, files)
    return [_map(settings, template, file, name) for file, name in zip(files, names, strict=True)]


def _files(folder: Path, pattern: str, apart_from: Path | None) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"{folder}: is no folder; give the folder that holds the maps")
    try:
        found = sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError) as error:
        raise ValueError(f'--pattern "{pattern}": {error}; give one such as "*.emd"') from error
    if apart_from is not None:
        found = [path for path in found if not path.is_relative_to(apart_from)]
    if pattern == EVERY_MAP:
        found = [path for path in found if path.suffix.lower() in SUFFIXES]
    else:
        found = [path for path in found if path.is_file() or path.suffix.lower() == ".zspy"]
        found = [path for path in found if path.suffix.lower() != ".toml"]
    if not found:
        raise ValueError(
            f'{folder}: no file there fits the pattern "{pattern}"; give the folder of the maps, '
            'or a --pattern such as "*.emd" or "**/*.hspy"'
        )
    return found


def _names(folder: Path, files: Sequence[Path]) -> list[str]:
    """Each file's name without its suffix, with that of its folders; the suffix where two meet."""
    short = ["_".join(file.relative_to(folder).with_suffix("").parts) for file in files]
    times = Counter(name.lower() for name in short)
    return [
        name if times[name.lower()] == 1 else f"{name}_{file.suffix[1:]}"
        for name, file in zip(short, files, strict=True)
    ]


def _map(settings: Recipe, template: Path, file: Path, name: str) -> BatchMap:
    own = file.with_suffix(".toml")
    has_own = own.is_file()
    named = _entry_of(settings, file)
    drawings = own if has_own else template
    borrowed = not has_own and named is None
    plain = BatchMap(name, file, drawings, borrowed, None)
    try:
        source, entry = settings, named or settings.maps[0]
        if has_own:
            source, entry = _own_recipe(own, file)
        recipe = _recipe_for(settings, source, entry, file, name, follow=has_own)
        check_recipe(recipe, plain.where)
        if name.lower() in TAKEN:
            raise RecipeError(f"{file}: a file of the results is called {name}; rename the map")
    except RecipeError as error:
        return _without_recipe(plain, str(error))
    return BatchMap(name, file, drawings, borrowed, recipe)


def _without_recipe(of: BatchMap, failure: str) -> BatchMap:
    """The map without a recipe, and why."""
    return BatchMap(of.name, of.file, of.drawings, of.borrowed, None, failure)


def _entry_of(recipe: Recipe, file: Path) -> MapInput | None:
    there = file.resolve()
    return next((entry for entry in recipe.maps if Path(entry.file).resolve() == there), None)


def _own_recipe(own: Path, file: Path) -> tuple[Recipe, MapInput]:
    source = anchored(load_recipe(own, unfinished=True), own.parent)
    entry = _entry_of(source, file)
    if entry is None:
        raise RecipeError(
            f"{own}: lies beside {file.name} but names no [[map]] with this file; correct file, or "
            "rename the recipe"
        )
    return source, entry


def _recipe_for(
    settings: Recipe, source: Recipe, entry: MapInput, file: Path, name: str, follow: bool
) -> Recipe:
    """The settings on one map, with the drawings that `source` holds for `entry`.

    With `follow`, the precipitates are those of `source` that are drawn on this map, as far as
    `settings` knows them, with their component and factor; otherwise all of `settings`.
    """
    if follow:
        _check_known(settings, source, entry, name)
    drawn = {p.name: p for p in source.precipitates}
    precipitates = []
    for precipitate in settings.precipitates:
        of_source = drawn.get(precipitate.name)
        if follow and (of_source is None or not of_source.is_drawn_on(entry.name)):
            continue
        precipitates.append(_moved(precipitate, of_source or precipitate, entry.name, name))
    mine = changed(entry, file=str(file.absolute()), name=name, rebin=settings.maps[0].rebin)
    if Path(entry.file).resolve() != file.resolve():
        mine = changed(mine, sha256=None)  # that of the file on which it was drawn
    return changed(settings, maps=(mine,), precipitates=tuple(precipitates))


def _check_known(settings: Recipe, source: Recipe, entry: MapInput, name: str) -> None:
    known = settings.phases[1:]
    for precipitate in source.precipitates:
        if precipitate.is_drawn_on(entry.name) and precipitate.name not in known:
            raise RecipeError(
                f'{Path(entry.file).with_suffix(".toml")}: "{precipitate.name}" is drawn on map '
                f'"{name}", but the recipe of the batch has no such precipitate '
                f"({', '.join(known) or 'none'}); add it there, or rename it here"
            )


def _moved(settings: Precipitate, drawn: Precipitate, old: str, new: str) -> Precipitate:
    """A precipitate with what was drawn on the map `old`, now on the map `new`."""
    return changed(
        settings,
        component=drawn.component,
        factor=drawn.factor,
        rectangles=tuple(changed(r, map=new) for r in drawn.rectangles if r.map == old),
        strokes=tuple(changed(s, map=new) for s in drawn.strokes_on(old)),
    )
