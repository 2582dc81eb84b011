"""The document: a session, the recipe file that belongs to it, and what is not saved."""

from __future__ import annotations

import contextlib
from pathlib import Path

from endmember.files.disk.faults import reason
from endmember.files.disk.folders import complete_file
from endmember.session.decisions.edits import new_recipe
from endmember.session.decisions.recipe import Recipe
from endmember.session.decisions.recipe_file import RecipeError, anchored, dump_recipe, load_recipe
from endmember.session.documents.map_files import with_digests
from endmember.session.state.session import Session
from endmember.session.steps.chain import STEPS

RECIPE_SUFFIX = ".toml"


def is_recipe(path: str | Path) -> bool:
    """Whether a file is a recipe, by its name; otherwise it is a map or a spectrum."""
    return Path(path).suffix.lower() == RECIPE_SUFFIX


class Document:
    """What one window works on.

    Files are absolute in the session's recipe, and relative to the recipe's folder where it is
    saved. For one thread only, as the session.
    """

    def __init__(self, recipe: Recipe, path: Path | None = None) -> None:
        """A document of a recipe with absolute files; `path` is the recipe file it came from."""
        self.session = Session(STEPS, recipe)
        self.path = path
        self._saved: Recipe | None = recipe

    @classmethod
    def of_map(cls, file: str | Path) -> Document:
        """A document of a map about which nothing was decided yet."""
        return cls(new_recipe(Path(file).absolute()))

    @classmethod
    def open(cls, path: str | Path) -> Document:
        """A document of a recipe file, which may be unfinished.

        Raises
        ------
        RecipeError
            if the file cannot be read or used.
        """
        path = Path(path).absolute()
        return cls(anchored(load_recipe(path, unfinished=True), path.parent), path)

    @classmethod
    def recovered(cls, recipe: Recipe, path: Path | None) -> Document:
        """A document whose decisions were not saved; `path` is the recipe file that they change."""
        document = cls(recipe, path)
        document._saved = None
        if path is not None:
            with contextlib.suppress(RecipeError):  # it may be gone, or spoilt since
                document._saved = cls.open(path).session.recipe
        return document

    @property
    def title(self) -> str:
        """The name of the recipe file, or of the first map's file while there is none."""
        return (self.path or Path(self.session.recipe.maps[0].file)).name

    @property
    def modified(self) -> bool:
        """Whether today's recipe differs from the saved one, or from the one it began with."""
        return self.session.recipe != self._saved

    def adopt(self, recipe: Recipe) -> None:
        """Make `recipe` today's without an entry for undo: for defaults taken from a file.

        A document that was not modified is still not modified.
        """
        modified = self.modified
        self.session.adopt(recipe)
        if not modified:
            self._saved = recipe

    def save(self, path: str | Path | None = None) -> None:
        """Write today's recipe to `path`, or where it was opened or last saved.

        The file is written whole or not at all. If saving fails, path and modified mark stay. The
        SHA-256 of each map that was read is written beside its name.

        Raises
        ------
        ValueError
            if there is no path, it does not end in .toml, or nothing can be written there.
        """
        target = self.path if path is None else Path(path).absolute()
        if target is None:
            raise ValueError("the recipe was not saved yet; give the name of a file for it")
        if not is_recipe(target):
            raise ValueError(f"{target}: a recipe's name ends in {RECIPE_SUFFIX}; add that")
        recipe = with_digests(self.session)
        try:
            text = dump_recipe(recipe, target.parent).encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{target}: a name in the recipe, {error.object[:80]!a}, cannot be written as "
                "text; rename what it names"
            ) from error
        try:
            with complete_file(target) as part:
                part.write_bytes(text)
        except OSError as error:
            raise ValueError(f"{target}: the recipe cannot be saved: {reason(error)}") from error
        self.session.adopt(recipe)
        self.path, self._saved = target, recipe
