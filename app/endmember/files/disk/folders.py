"""Results that are complete or absent: files and folders appear under their name only when done."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from endmember.files.disk import owners
from endmember.files.disk.faults import reason

RESULT_MARK = "run.json"  # a folder that holds it is known to be a result
_PART, _OLD = "part", "old"  # being written; put aside while its successor takes its place
_LONGEST_STEM = 100  # bytes of a name that its temporary neighbour repeats: names end at 255
_TRIES = 20  # to take the place of a result that others are replacing too


def _create_parents(folder: Path) -> list[Path]:
    """Create `folder` and what is missing above it; returns what was created, deepest first."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{folder}: the folder cannot be created: {reason(error)}") from error
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _stem(target: Path) -> str:
    return target.name.encode()[:_LONGEST_STEM].decode(errors="ignore")


def _neighbour(target: Path, kind: str = _PART) -> Path:
    """A hidden name beside `target` that says which program it belongs to."""
    mark = f"{owners.own_mark()}.{secrets.token_hex(4)}"
    return target.with_name(f".{_stem(target)}.{mark}.{kind}")


def sweep(target: Path) -> None:
    """Remove what programs that were killed have left beside `target` on their way to it.

    Where one was killed between putting an earlier result aside and taking its place, the earlier
    one gets its name back.
    """
    left = re.compile(
        re.escape(f".{_stem(target)}.") + rf"([0-9a-f-]+)\.[0-9a-f]{{8}}\.({_PART}|{_OLD})"
    )
    with contextlib.suppress(OSError):
        for path in list(target.parent.iterdir()):
            found = left.fullmatch(path.name)
            if found is None or owners.runs(found.group(1)) is not False:
                continue
            if found.group(2) == _OLD and not target.exists():
                path.rename(target)
            elif path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk itself."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folder
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_names(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some network drives know no such thing for folders
        _flush(folder)


def _flush_all(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            _flush_names(path)
        else:
            _flush(path)
    _flush_names(folder)


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
    with contextlib.suppress(FileNotFoundError):  # another program has just taken it away
        _check_replaceable(path, target)


def _check_replaceable(path: str | Path, found: Path) -> None:
    """Raise ValueError unless what was `found` at `path` is an earlier result, or empty."""
    if not found.is_dir() and (found.exists() or found.is_symlink()):
        raise ValueError(f"{path}: is a file, not a folder; choose another name")
    if any(found.iterdir()) and not (found / RESULT_MARK).is_file() and found.exists():
        raise ValueError(
            f"{path}: holds files that no run wrote (there is no {RESULT_MARK}), so it is not "
            "replaced; choose another folder or empty it"
        )


def _put_in_place(part: Path, path: str | Path, target: Path, force: bool, or_else: str) -> None:
    """Give `part` the name `target`; others may be doing the same, and only one may win."""
    aside: list[Path] = []
    try:
        for left in reversed(range(_TRIES)):
            try:
                part.rename(target)
                break
            except OSError:
                if not left:
                    raise
            check_target(path, force, or_else)  # it may have appeared since the work began
            old = _neighbour(target, _OLD)
            with contextlib.suppress(FileNotFoundError):  # another one was faster
                target.rename(old)
                aside.append(old)
    except BaseException:
        if aside and not target.exists():
            aside.pop().rename(target)
        raise
    finally:
        for old in aside:
            shutil.rmtree(old, ignore_errors=True)
    _flush_names(target.parent)


@contextlib.contextmanager
def complete_folder(path: str | Path, force: bool = False, or_else: str = "") -> Iterator[Path]:
    """Give a temporary folder beside `path` that takes its name when the block ends well.

    If the block fails, also by Ctrl-C, the temporary folder is removed and `path` and everything
    around it stay as they were. With `force` an earlier result under that name is replaced. What
    programs that were killed have left there is removed.

    Raises
    ------
    ValueError
        as `check_target`, also if the folder appears while the block runs; or if it cannot be
        created.
    """
    target = Path(path).resolve()
    sweep(target)
    check_target(path, force, or_else)
    created = _create_parents(target.parent)
    part = _neighbour(target)
    try:
        try:
            part.mkdir()
        except OSError as error:
            raise ValueError(f"{target}: cannot be made: {reason(error)}") from error
        yield part
        _flush_all(part)
        _put_in_place(part, path, target, force, or_else)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        _remove_empty(created)
        raise


@contextlib.contextmanager
def complete_file(path: str | Path, *, lasting: bool = True) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; the file takes its place when all is well.

    A `lasting` file is on the disk itself before it takes its place, and survives a power cut.

    Raises
    ------
    ValueError
        if `path` is a folder or a file that is write-protected, or the folder it is to lie in does
        not exist (a mistyped one is not made) or cannot be written to.
    """
    target = Path(path).resolve()
    if target.is_dir():
        raise ValueError(f"{path}: is a folder; give the name of a file")
    if not target.parent.is_dir():
        raise ValueError(f"{path}: its folder does not exist: make it first")
    if target.exists() and not os.access(target, os.W_OK):
        raise ValueError(f"{path}: is write-protected; choose another name")
    if lasting:
        sweep(target)
    part = _neighbour(target)
    try:
        if not os.access(target.parent, os.W_OK):
            raise ValueError(
                f"{target.parent}: nothing can be written there; choose another folder"
            )
        yield part
        if lasting:
            _flush(part)
        with contextlib.suppress(OSError):  # who may read and write it stays as it was
            shutil.copymode(target, part)
        part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):  # the drive may be gone: what went wrong is told
            part.unlink(missing_ok=True)
        raise
    if lasting:
        _flush_names(target.parent)


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
