"""Results that are complete or absent: files and folders appear under their name only when done."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULT_MARK = "run.json"  # a folder that holds it is known to be a result


def _create_parents(folder: Path) -> list[Path]:
    """Create `folder` and what is missing above it; returns what was created, deepest first."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"{folder}: the folder cannot be created ({error.strerror}); choose another place"
        ) from error
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _neighbour(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")


def check_target(path: str | Path, force: bool, or_else: str = "") -> None:
    """See that results may be written to the folder `path`, before any work is done.

    `or_else` is what its caller offers beside another folder, where there is one already.

    Raises
    ------
    ValueError
        if it exists and `force` is not set, or if it is something else than a folder of results.
    """
    target = Path(path)
    if not (target.exists() or target.is_symlink()):
        return
    if not force:
        raise ValueError(f"{path}: exists already; choose another folder{or_else}")
    if not target.is_dir():
        raise ValueError(f"{path}: is a file, not a folder; choose another name")
    if any(target.iterdir()) and not (target / RESULT_MARK).is_file():
        raise ValueError(
            f"{path}: holds files that no run wrote (there is no {RESULT_MARK}), so it is not "
            "replaced; choose another folder or empty it"
        )


def _put_in_place(part: Path, target: Path) -> None:
    if not target.exists():
        part.rename(target)
        return
    old = _neighbour(target)
    target.rename(old)
    try:
        part.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def complete_folder(path: str | Path, force: bool = False, or_else: str = "") -> Iterator[Path]:
    """Give a temporary folder beside `path` that takes its name when the block ends well.

    If the block fails, also by Ctrl-C, the temporary folder is removed and `path` and everything
    around it stay as they were. With `force` an earlier result under that name is replaced.

    Raises
    ------
    ValueError
        as `check_target`, or if the folder cannot be created.
    """
    check_target(path, force, or_else)
    target = Path(path).resolve()
    created = _create_parents(target.parent)
    part = _neighbour(target)
    try:
        try:
            part.mkdir()
        except OSError as error:
            raise ValueError(
                f"{target.parent}: nothing can be written there ({error.strerror}); "
                "choose another folder"
            ) from error
        yield part
        _put_in_place(part, target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        _remove_empty(created)
        raise


@contextlib.contextmanager
def complete_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; the file takes its place when all is well.

    Raises
    ------
    ValueError
        if `path` is a folder, or the folder it is to lie in does not exist (a mistyped one is not
        made) or cannot be written to.
    """
    target = Path(path).resolve()
    if target.is_dir():
        raise ValueError(f"{path}: is a folder; give the name of a file")
    if not target.parent.is_dir():
        raise ValueError(f"{path}: its folder does not exist: make it first")
    part = _neighbour(target)
    try:
        if not os.access(target.parent, os.W_OK):
            raise ValueError(
                f"{target.parent}: nothing can be written there; choose another folder"
            )
        yield part
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as JSON, whole or not at all.

    Raises
    ------
    ValueError
        if a number is not finite, or the file cannot be written.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with complete_file(path) as part:
        part.write_text(text, encoding="utf-8")
