"""What every edit of a recipe needs: settings left as they are, plain numbers, rules kept."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, islice, pairwise
from numbers import Integral, Real
from typing import Any, Final, TypeVar

from endmember.session.decisions.recipe import Box, MapInput, Precipitate, Recipe, changed
from endmember.session.decisions.recipe_rules import Problem, problems


class Leave(enum.Enum):
    """The type of `LEAVE`."""

    LEAVE = "leave"


LEAVE: Final = Leave.LEAVE  # stands for a setting that an edit does not touch; None unsets it

Item = TypeVar("Item")
Value = TypeVar("Value")

_LISTS = {
    "map": "map",
    "roi": "region",
    "exclude": "excluded region",
    "precipitate": "precipitate",
    "rectangle": "rectangle",
    "stroke": "stroke",
    "component": "component",
    "window": "energy window",
}
_WORDS = {
    "elements": "list of elements",
    "system_elements": "list of system elements",
    "matrix": "name of the matrix",
    "components": "number of components",
    "reference": "reference element",
    "absent": "absent element",
    "beam_energy_keV": "beam energy (keV)",
    "take_off_angle_deg": "take-off angle (degrees)",
    "energy_range_keV": "energy range (keV)",
    "range_keV": "range (keV)",
    "smoothing_px": "smoothing (px)",
    "thickness_nm": "thickness (nm)",
    "k_factors": "file of k-factors",
    "sum_peaks": "number of lines that make sum peaks",
    "silicon_um": "silicon (um)",
    "dead_layer_nm": "dead layer (nm)",
    "aluminium_nm": "aluminium (nm)",
    "curve": "file of the detector curve",
}


def allowed(recipe: Recipe) -> Recipe:
    """The recipe itself, if it breaks no rule; decisions may be missing.

    Raises
    ------
    ValueError
        with a sentence for the first thing that is wrong.
    """
    for problem in problems(recipe):
        if not problem.unfinished:
            raise ValueError(_sentence(problem, recipe))
    return recipe


def given(**settings: object) -> dict[str, Any]:
    """The settings that are not `LEAVE`, their numbers plain."""
    return {key: plain(value) for key, value in settings.items() if value is not LEAVE}


def plain(value: Any) -> Any:
    """Numbers as int or float whatever library they come from, sequences as tuples.

    Raises
    ------
    ValueError
        if a number is not finite.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a finite number; correct it")
        return float(value)
    return tuple(plain(item) for item in value)


def whole_box(box: Sequence[float]) -> Box:
    """A box x, y, width, height in whole pixels.

    Raises
    ------
    ValueError
        if a number is not finite.
    """
    x, y, width, height = (round(value) for value in plain(box))
    return x, y, width, height


def free_names(stem: str, taken: Sequence[str]) -> Iterator[str]:
    """`stem` followed by 1, 2, 3 ..., as far as the names are not taken (capitals ignored)."""
    lower = {name.lower() for name in taken}
    return (name for n in count(1) if (name := f"{stem}{n}").lower() not in lower)


def with_free_name(names: Iterator[str], build: Callable[[str], Recipe]) -> Recipe:
    """The recipe that `build` makes with the first of the names that breaks no rule.

    Raises
    ------
    ValueError
        if something else than the name is wrong.
    """
    recipe = build(next(names))
    for name in islice(names, 999):
        if not any(problem.path[-1] == "name" for problem in problems(recipe)):
            break
        recipe = build(name)
    return allowed(recipe)


def with_item(items: tuple[Item, ...], index: int, item: Item | None) -> tuple[Item, ...]:
    """The items with one replaced, or taken out if `item` is None."""
    return (*items[:index], *(() if item is None else (item,)), *items[index + 1 :])


def with_value(
    values: Mapping[str, Value] | None, name: str, value: Value | None
) -> dict[str, Value]:
    """The values by name with one replaced in its place, added at the end, or taken out if None."""
    changed_values = dict(values or {})
    if value is None:
        changed_values.pop(name, None)
    else:
        changed_values[name] = value
    return changed_values


def with_map(recipe: Recipe, of: str, /, **settings: object) -> Recipe:
    """The recipe with settings of the map `of` replaced; ValueError if there is no such map."""
    index = recipe.maps.index(recipe.map_named(of))
    entry: MapInput = changed(recipe.maps[index], **settings)
    return changed(recipe, maps=with_item(recipe.maps, index, entry))


def with_precipitate(recipe: Recipe, of: str, /, **settings: object) -> Recipe:
    """The recipe with settings of the precipitate `of` replaced; ValueError if there is none."""
    index = recipe.precipitates.index(recipe.precipitate_named(of))
    precipitate: Precipitate = changed(recipe.precipitates[index], **settings)
    return changed(recipe, precipitates=with_item(recipe.precipitates, index, precipitate))


def _sentence(problem: Problem, recipe: Recipe) -> str:
    """The problem as a person at the window names it, without the keys of the file."""
    text = f"{_subject(problem.path, recipe)} {problem.says}"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


_BY_ELEMENT: dict[str | int, str] = {
    "k_factor": "k-factor",
    "valence": "valence",
    "bulk": "bulk",
    "bulk_sigma": "error of the bulk",
    "lod_ppm": "limit of detection asked for",
    "relative_error_percent": "relative error asked for",
}


def _subject(path: tuple[str | int, ...], recipe: Recipe) -> str:
    key, owner = path[-1], _owner(path, recipe)
    if isinstance(key, int):
        return owner
    if len(path) == 1:
        return f"the list of {_LISTS.get(key, key)}s"
    if path[-2] == "density_g_cm3":
        return f'the density (g/cm3) of "{key}"'
    if path[-2] == "formula_unit":
        return f'the formula unit of "{key}"'
    if path[-2] in _BY_ELEMENT:
        return f"the {_BY_ELEMENT[path[-2]]} of {key}"
    if key == "name":
        return f"the name of the {_LISTS[str(path[-3])]}"
    words = _WORDS.get(key, key)
    return f"the {words} of {owner}" if owner else f"the {words}"


def _owner(path: tuple[str | int, ...], recipe: Recipe) -> str:
    """What the key belongs to: the last thing with a name, or a nameless one in it."""
    owner, item = "", recipe
    for part, index in pairwise(path):
        if isinstance(index, int):
            item = getattr(item, f"{part}s")[index]
            kind, name = _LISTS[str(part)], getattr(item, "name", "")
            if name:
                owner = f'{kind} "{name}"'
            else:
                owner = f"one {kind} of {owner}" if owner else f"the {kind}"
    return owner
