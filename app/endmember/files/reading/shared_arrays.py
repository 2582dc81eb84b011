"""Arrays that the reading process hands over without a copy: memory that both processes see.

On Linux and macOS it is a file without a name, passed on as an open file: in memory where the
system offers that (then the size of /dev/shm plays no part), otherwise in the folder for
temporary files. Nothing is left behind, however either process ends. On Windows it is a mapping of
the page file that is known by a random name and goes with its last user.
"""

from __future__ import annotations

import mmap
import os
import secrets
import sys
import tempfile
from math import prod
from typing import Any, cast

import msgspec
import numpy as np
import numpy.typing as npt

BY_NAME = sys.platform == "win32"
GRAIN = mmap.ALLOCATIONGRANULARITY
MOST_DIMENSIONS = 4


class Place(msgspec.Struct, frozen=True):
    """Where an array lies in the memory: its type as numpy writes it, its shape, its first byte."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    name: str = ""
    """Of the mapping on Windows; empty elsewhere."""

    @property
    def nbytes(self) -> int:
        """The bytes of the array."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize


class Shelf:
    """Where the reading process puts arrays that are to be handed over."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._end = 0
        self._maps: list[tuple[mmap.mmap, str, int]] = []

    def empty(self, size: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """A new array (size,) on the shelf, to be filled in place."""
        kind = np.dtype(dtype)
        if size == 0:
            return np.empty(0, kind)
        length = size * kind.itemsize
        if BY_NAME:
            name = f"endmember-{secrets.token_hex(16)}"
            mapped, offset = _named(name, length), 0
        else:
            name, offset = "", self._end
            self._end += -(-length // GRAIN) * GRAIN
            os.ftruncate(self.file, self._end)
            mapped = mmap.mmap(self.file, length, offset=offset)
        self._maps.append((mapped, name, offset))
        return np.frombuffer(mapped, dtype=kind)

    def put(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The array, copied to the shelf unless it is there already."""
        if array.size == 0 or self._index(array) is not None:
            return array
        there = self.empty(array.size, array.dtype).reshape(array.shape)
        there[...] = array
        return there

    def place(self, array: npt.NDArray[Any]) -> Place:
        """Where an array that was `put` lies.

        Raises
        ------
        ValueError
            if it is not on the shelf.
        """
        index = self._index(array)
        if index is None and array.size:
            raise ValueError("this array is not on the shelf: put it there")
        _, name, offset = self._maps[index] if index is not None else (None, "", 0)
        return Place(array.dtype.str, array.shape, offset, name)

    def _index(self, array: npt.NDArray[Any]) -> int | None:
        base: Any = array
        while isinstance(base, np.ndarray):
            base = base.base
        owner = base.obj if isinstance(base, memoryview) else base
        for index, (mapped, _, _) in enumerate(self._maps):
            if owner is mapped:
                return index
        return None

    @property
    def file(self) -> int:
        """The open file of the memory (not on Windows)."""
        if self._file is None:
            self._file = _nameless_file()
        return self._file

    @property
    def files(self) -> list[int]:
        """What must be passed on with the places."""
        return [] if self._file is None else [self._file]

    def clear(self) -> None:
        """Let go of everything; who has taken arrays keeps them."""
        self._maps.clear()
        if self._file is not None:
            os.close(self._file)
        self._file, self._end = None, 0


def _named(name: str, length: int, **options: Any) -> mmap.mmap:
    """The mapping of that name (Windows), made if nobody has it."""
    mapping: Any = mmap.mmap
    return cast(mmap.mmap, mapping(-1, length, tagname=name, **options))


def _nameless_file() -> int:
    if sys.platform == "linux":
        try:
            return os.memfd_create("endmember", os.MFD_CLOEXEC)
        except OSError:  # a kernel without it, or one that forbids it
            pass
    with tempfile.TemporaryFile(prefix="endmember-") as stream:
        return os.dup(stream.fileno())


def taken(places: list[Place], file: int | None) -> list[npt.NDArray[Any]]:
    """The arrays at those places, read-only; the memory goes when the last of them does.

    Raises
    ------
    ValueError
        if a place does not lie in the memory.
    """
    room = os.fstat(file).st_size if file is not None else 0
    whole = mmap.mmap(file, room, access=mmap.ACCESS_READ) if file is not None and room else None
    arrays = []
    for place in places:
        kind = np.dtype(place.dtype)
        if kind.kind not in "uif" or min(place.shape, default=0) < 0 or place.offset < 0:
            raise ValueError(f"the reading process hands over no numbers: {place}")
        if len(place.shape) > MOST_DIMENSIONS or (place.name and not BY_NAME):
            raise ValueError(f"the reading process hands over an odd array: {place}")
        if place.nbytes == 0:
            arrays.append(np.empty(place.shape, kind))
            continue
        source, offset = whole, place.offset
        if BY_NAME:
            source = _named(place.name, place.nbytes, access=mmap.ACCESS_READ)
        elif offset + place.nbytes > room:
            raise ValueError(f"the reading process hands over too little: {place}")
        assert source is not None
        flat = np.frombuffer(source, kind, place.nbytes // kind.itemsize, offset)
        arrays.append(flat.reshape(place.shape))
    return arrays
