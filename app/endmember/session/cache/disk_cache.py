"""Results kept on disk between two starts of the program; safe to delete at any time."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import os
import pickle
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from endmember.core.progress import Cancelled
from endmember.session.cache.key_names import KeyNames, UnnamedError
from endmember.session.state.steptable import Key

FOLDER_VARIABLE = "ENDMEMBER_CACHE"  # names another folder for the cache
SIZE_VARIABLE = "ENDMEMBER_CACHE_MB"  # its largest size in 10^6 bytes; 0 switches it off
LARGEST_MB = 2000.0
SUFFIX = ".result"
MAGIC = b"Endmember result 1\n"
_HEAD = struct.Struct(f"<{len(MAGIC)}s32sQ")  # magic text, digest of the body, its length
PART_BYTES = 4_000_000  # written and digested at once
LEFT_BEHIND_s = 3600.0  # after which a part-written file is one of a program that crashed
_LOG = logging.getLogger("endmember")


class Kept(NamedTuple):
    """A result, and what it cost when it was computed."""

    value: Any
    seconds: float
    peak_memory_MB: float | None


class CacheSize(NamedTuple):
    """How many results are kept, and their bytes."""

    entries: int
    bytes: int


class _TooLarge(Exception):  # noqa: N818 - no error
    """The result is not worth so much of the room."""


class DiskCache:
    """Results in a folder, by names that hold between two starts.

    `find` and `store` never raise for what a disk does: where nothing can be read or written, the
    program works without. Several threads and several programs may use one folder.
    """

    def __init__(
        self,
        folder: Path | None = None,
        most_bytes: int | None = None,
        names: KeyNames | None = None,
    ) -> None:
        self.folder = cache_folder() if folder is None else folder
        self.most_bytes = most_bytes_allowed() if most_bytes is None else most_bytes
        self._names = names or KeyNames()
        self._told: set[str] = set()
        self._writable = True

    # --- one result --------------------------------------------------------------------------

    def name(self, key: Key) -> str | None:
        """The name of a result that is about to be made; None where it cannot be kept.

        To be asked for before a step runs, and in the order of the steps: see `KeyNames`.
        """
        if self.most_bytes <= 0:
            return None
        try:
            return self._names.name(key)
        except UnnamedError as error:
            _LOG.debug("%s is not kept: %s", key.step, error)
        except Exception as error:  # such as a program whose own files cannot be found
            self._tell_once("naming", f"no result is kept on disk: {error}")
        return None

    def find(self, name: str) -> Kept | None:
        """A result that was stored, None where there is none; a damaged one is removed."""
        path = self._path(name)
        try:
            with path.open("rb") as stream:
                kept = _read(stream)
            os.utime(path)  # used last now: see `_make_room`
        except FileNotFoundError:
            return None
        except (OSError, MemoryError) as error:
            self._tell_once("reading", f"{path}: the kept result cannot be read: {error}")
            return None
        except Exception as error:
            _LOG.warning("%s: the kept result is damaged (%s) and is removed", path, error)
            _remove(path)
            return None
        return kept

    def store(self, name: str, kept: Kept, is_stopped: Callable[[], bool] = lambda: False) -> bool:
        """Keep a result, and say whether it is there; `is_stopped` ends the writing."""
        from endmember.files.disk.folders import complete_file

        path = self._path(name)
        if self.most_bytes <= 0 or not self._writable:
            return False
        try:
            if path.exists():
                return True
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with complete_file(path, lasting=False) as part, part.open("wb") as stream:
                _write(stream, kept, self.most_bytes // 4, is_stopped)
            self._make_room()
        except (Cancelled, _TooLarge):
            return False
        except pickle.PicklingError as error:
            self._tell_once(f"kind {error}", f"a result is not kept on disk: {error}")
            return False
        except Exception as error:  # a full disk, a folder that cannot be written to
            self._writable = False
            self._tell_once("writing", f"{self.folder}: no more results are kept: {error}")
            return False
        return True

    # --- all of them -------------------------------------------------------------------------

    def size(self) -> CacheSize:
        """How much lies in the folder now."""
        sizes = [of.st_size for _, of in self._entries()]
        return CacheSize(len(sizes), sum(sizes))

    def clear(self) -> None:
        """Remove all results; other files in the folder stay."""
        for path, _ in [*self._entries(), *self._part_written()]:
            _remove(path)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"

    def _entries(self) -> Iterator[tuple[Path, os.stat_result]]:
        return self._files(lambda name: name.endswith(SUFFIX) and not name.startswith("."))

    def _part_written(self) -> Iterator[tuple[Path, os.stat_result]]:
        return self._files(lambda name: name.startswith(".") and f"{SUFFIX}." in name)

    def _files(self, is_wanted: Callable[[str], bool]) -> Iterator[tuple[Path, os.stat_result]]:
        try:
            found = [path for path in self.folder.iterdir() if is_wanted(path.name)]
        except OSError:
            return
        for path in found:
            with contextlib.suppress(OSError):  # another program may just have removed it
                yield path, path.stat()

    def _make_room(self) -> None:
        """Remove what was not used for longest, beyond what the folder may hold."""
        for path, of in self._part_written():
            if time.time() - of.st_mtime > LEFT_BEHIND_s:
                _remove(path)
        entries = sorted(self._entries(), key=lambda entry: entry[1].st_mtime_ns, reverse=True)
        room = self.most_bytes
        for path, of in entries:
            room -= of.st_size
            if room < 0:
                _remove(path)

    def _tell_once(self, what: str, sentence: str) -> None:
        if what not in self._told:
            self._told.add(what)
            _LOG.warning("%s", sentence)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # another program may have been faster
        path.unlink()


def cache_folder() -> Path:
    """The folder for results; the variable ENDMEMBER_CACHE names another."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        return Path(folder)
    from platformdirs import user_cache_path

    return user_cache_path("endmember", appauthor=False) / "results"


def most_bytes_allowed() -> int:
    """How much the folder may hold; the variable ENDMEMBER_CACHE_MB says another size."""
    text = os.environ.get(SIZE_VARIABLE, "")
    with contextlib.suppress(ValueError):
        if math.isfinite(size_MB := float(text)):
            return max(round(size_MB * 1e6), 0)
    return round(LARGEST_MB * 1e6)


class _Body:
    """Takes the bytes of a body: writes and digests them, up to a largest length."""

    def __init__(self, stream: BinaryIO, most_bytes: int, is_stopped: Callable[[], bool]) -> None:
        self._stream, self._most_bytes, self._is_stopped = stream, most_bytes, is_stopped
        self.digest = hashlib.blake2b(digest_size=32)
        self.length = 0

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        self.length += len(view)
        if self.length > self._most_bytes:
            raise _TooLarge
        for start in range(0, len(view), PART_BYTES):
            if self._is_stopped():
                raise Cancelled
            part = view[start : start + PART_BYTES]
            self.digest.update(part)
            self._stream.write(part)
        return len(view)


def _write(stream: BinaryIO, kept: Kept, most_bytes: int, is_stopped: Callable[[], bool]) -> None:
    from endmember.session.cache.kept_values import write_value

    stream.write(bytes(_HEAD.size))
    body = _Body(stream, most_bytes, is_stopped)
    write_value(kept, body)
    stream.seek(0)
    stream.write(_HEAD.pack(MAGIC, body.digest.digest(), body.length))


def _read(stream: BinaryIO) -> Kept:
    """What stands in a file.

    The body is read twice, to know that it is whole before anything is made of it, so that it is
    in memory only once: as the result itself.
    """
    from endmember.session.cache.kept_values import read_value

    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise ValueError("it is cut")
    magic, expected, length = _HEAD.unpack(head)
    if magic != MAGIC:
        raise ValueError("it is no result")
    digest = hashlib.blake2b(digest_size=32)
    while part := stream.read(PART_BYTES):
        digest.update(part)
        length -= len(part)
    if length or digest.digest() != expected:
        raise ValueError("it is cut or changed")
    stream.seek(_HEAD.size)
    kept = read_value(stream)
    if not isinstance(kept, Kept) or kept.value is None:
        raise ValueError("it holds something else")
    return kept
