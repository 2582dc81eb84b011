"""Decisions that were not saved, kept in the user's folder until they are saved or given up.

Each open document of each running program has a file of its own: a recipe with absolute files, and
in its first line, a comment, to which recipe file it belongs. Its name says which program it
belongs to (`files.disk.owners`), so that only what a program that ended has left is offered to
another.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endmember.files.disk import owners
from endmember.files.disk.faults import sentence
from endmember.files.disk.folders import complete_file
from endmember.session.decisions.recipe import Recipe
from endmember.session.decisions.recipe_file import dump_recipe, parse_recipe

FOLDER_VARIABLE = "ENDMEMBER_RECOVERY"  # names another folder for these files
SETTINGS_VARIABLE = "ENDMEMBER_CONFIG"  # they lie in the folder of settings, if that is named
OTHER_COMPUTER_s = 86_400.0  # after which a file of another computer is taken for left behind
_STEM, _SUFFIX, _HEAD = "recipe", ".toml", "# endmember-recovery "
_LOG = logging.getLogger("endmember")


def recovery_folder() -> Path:
    """Where the files lie; the variable ENDMEMBER_RECOVERY names another folder."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        return Path(folder)
    if folder := os.environ.get(SETTINGS_VARIABLE):
        return Path(folder) / "recovery"
    from platformdirs import user_state_path

    return user_state_path("endmember", appauthor=False) / "recovery"


@dataclass(frozen=True)
class Kept:
    """Decisions that a program left behind.

    `document` is the recipe file that they change, None where they were never saved, and `stamp`
    its time when they were kept; `changed_at` is that of the last decision, in seconds since 1970.
    """

    file: Path
    recipe: Recipe
    document: Path | None
    stamp: int | None
    changed_at: float

    @property
    def title(self) -> str:
        """The recipe file's name, or that of the first map's file."""
        return (self.document or Path(self.recipe.maps[0].file)).name

    @property
    def saved_since(self) -> bool:
        """Whether the recipe file was changed after these decisions were kept."""
        return self.document is not None and _stamp(self.document) not in (None, self.stamp)

    def belongs_to(self, file: Path) -> bool:
        """Whether they are about a recipe file, or, never saved, about a map."""
        ours = self.document or Path(self.recipe.maps[0].file)
        return os.path.normcase(ours) == os.path.normcase(file.absolute())


class RecoveryFile:
    """The file of one open document. `keep` and `remove` are called in one thread, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self, recipe: Recipe, document: Path | None) -> None:
        """Write the decisions, whole or not at all.

        Raises
        ------
        ValueError
            if the folder cannot be written to.
        """
        about = {
            "document": None if document is None else str(document),
            "stamp": None if document is None else _stamp(document),
            "changed_at": time.time(),
        }
        try:
            text = f"{_HEAD}{json.dumps(about)}\n{dump_recipe(recipe)}".encode()
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with complete_file(self.path) as part:
                part.write_bytes(text)
        except UnicodeEncodeError as error:
            raise ValueError(f"a name, {error.object[:80]!a}, cannot be written as text") from error
        except OSError as error:
            raise ValueError(sentence(error)) from error

    def remove(self) -> None:
        """The decisions are saved, or given up."""
        with contextlib.suppress(OSError):
            self.path.unlink()


class Recovery:
    """The folder of these files."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = recovery_folder() if folder is None else folder

    def new_file(self) -> RecoveryFile:
        """A file for another document of this program, not yet written."""
        name = f"{_STEM}.{owners.own_mark()}.{secrets.token_hex(4)}{_SUFFIX}"
        return RecoveryFile(self.folder / name)

    def found(self) -> list[Kept]:
        """What programs that ended have left, the latest first.

        A file that cannot be understood is left alone, with a word in the log.
        """
        try:
            files = [path for path in self.folder.iterdir() if _is_left(path)]
        except OSError:
            return []
        kept = []
        for file in files:
            try:
                kept.append(_read(file))
            except (OSError, ValueError, LookupError, TypeError) as error:
                _LOG.warning("%s cannot be recovered: %s", file, error)
        return sorted(kept, key=lambda one: one.changed_at, reverse=True)

    def take(self, kept: Kept) -> RecoveryFile:
        """Make the file of a program that ended one of this program.

        Raises
        ------
        ValueError
            if another program was faster.
        """
        file = self.new_file()
        try:
            kept.file.rename(file.path)
        except OSError as error:
            raise ValueError(
                f"{kept.title}: its unsaved changes are not there any more; another window may "
                "have recovered them"
            ) from error
        return file


def _is_left(path: Path) -> bool:
    """Whether it is a file of a program that does not run any more."""
    stem, mark, _, suffix = (*path.name.split("."), "", "", "", "")[:4]
    if stem != _STEM or f".{suffix}" != _SUFFIX:
        return False
    running = owners.runs(mark)
    if running is None:  # of another computer that uses this folder
        return time.time() - path.stat().st_mtime > OTHER_COMPUTER_s
    return not running


def _read(file: Path) -> Kept:
    text = file.read_bytes().decode()
    head, _, body = text.partition("\n")
    if not head.startswith(_HEAD):
        raise ValueError("its first line is missing")
    about: dict[str, Any] = json.loads(head.removeprefix(_HEAD))
    document, stamp = about["document"], about["stamp"]
    return Kept(
        file,
        parse_recipe(body, str(file), unfinished=True),
        None if document is None else Path(document),
        None if stamp is None else int(stamp),
        float(about["changed_at"]),
    )


def _stamp(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None
