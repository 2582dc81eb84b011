"""The files of the maps: whether they are where the recipe says, and still hold what they held."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endmember.session.decisions.recipe import Recipe, changed
from endmember.session.decisions.recipe_file import with_files
from endmember.session.state.session import Failure, Session

if TYPE_CHECKING:
    from endmember.session.steps.map_data import MapData


def with_digests(session: Session) -> Recipe:
    """Today's recipe with the SHA-256 of each map that was read, for the file it is saved in."""
    maps = tuple(
        entry
        if (data := _read(session, entry.name)) is None
        else changed(entry, sha256=data.sha256)
        for entry in session.recipe.maps
    )
    return session.recipe if maps == session.recipe.maps else changed(session.recipe, maps=maps)


def change_of_content(session: Session, map_name: str) -> str | None:
    """A sentence where a map's file holds something else than when the recipe was saved."""
    entry, data = session.recipe.map_named(map_name), _read(session, map_name)
    if data is None or entry.sha256 is None or entry.sha256.lower() == data.sha256:
        return None
    return (
        f'map "{map_name}": {Path(entry.file).name} is not the file with which the recipe was '
        "saved, its content differs (SHA-256): see that crop, rectangles and regions still fit, "
        "then save the recipe to go on with this file"
    )


def missing_files(recipe: Recipe) -> list[Path]:
    """The files that a recipe names, absolute, and that are not there: maps first."""
    return [Path(file) for file in _files(recipe) if not os.path.exists(file)]  # noqa: PTH110 - says no where Path raises, as for a long name


def relinked(recipe: Recipe, old: Path, new: Path) -> Recipe:
    """The recipe with `new` in place of the file `old`.

    Other files that are missing and lie at `new` as they lay at `old`, in the same folder or in one
    below or beside it, have moved along: they are found too.
    """
    places = {str(old): str(new)}
    for gone in missing_files(recipe):
        for found in _where_it_may_be(gone, old, new):
            if os.path.isfile(found):  # noqa: PTH113 - as above
                places.setdefault(str(gone), str(found))
    return with_files(recipe, lambda file: places.get(file, file))


def _where_it_may_be(gone: Path, old: Path, new: Path) -> Iterator[Path]:
    with contextlib.suppress(ValueError):  # another drive
        yield Path(os.path.normpath(new.parent / os.path.relpath(gone, old.parent)))
    yield new.parent / gone.name


def _files(recipe: Recipe) -> Iterator[str]:
    found: list[str] = []

    def note(file: str) -> str:
        found.append(file)
        return file

    with_files(recipe, note)
    return iter(dict.fromkeys(found))


def _read(session: Session, map_name: str) -> MapData | None:
    value: Any = session.result("read", map_name)
    return None if value is None or isinstance(value, Failure) else value
