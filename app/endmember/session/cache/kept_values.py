"""Results as bytes: written with pickle, read by something that can only build values.

A pickle may call whatever it names. Here it can name three functions, which make arrays, numbers of
numpy and values of this program's own frozen types. Everything else is refused, in both directions.
"""

from __future__ import annotations

import dataclasses
import importlib
import pickle
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from endmember.session.decisions.recipe import Named

OURS = ("endmember.core.", "endmember.files.", "endmember.session.")
PROTOCOL = 5


class Refused(pickle.UnpicklingError):
    """The bytes ask for something that no result holds."""


class Reader(Protocol):
    """What is read from: a file opened for reading."""

    def read(self, length: int = ..., /) -> bytes:
        """The next bytes."""

    def readline(self) -> bytes:
        """The next line."""


class Writer(Protocol):
    """What is written to."""

    def write(self, part: Any, /) -> Any:
        """Take some bytes."""


def write_value(value: Any, stream: Writer) -> None:
    """Write a result.

    Raises
    ------
    pickle.PicklingError
        if it holds something that could not be read again.
    """
    try:
        _Pickler(stream, PROTOCOL).dump(value)
    except RecursionError as error:
        raise pickle.PicklingError("the value holds itself") from error


def read_value(stream: Reader) -> Any:
    """Read what `write_value` wrote.

    Arrays are read straight into the memory they stay in. What is not such a value raises one of
    many kinds of exceptions.
    """
    return _Unpickler(stream).load()


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        """How all is written that is no plain container, text or number."""
        kind = type(obj)
        if any(obj is maker for maker in _MAKERS.values()):
            return NotImplemented  # by its name
        if kind is np.ndarray and _is_plain(obj.dtype):
            return _array, _parts(obj)
        if isinstance(obj, np.generic) and _is_plain(obj.dtype):
            return _scalar, (obj.dtype.str, obj.tobytes())
        if isinstance(obj, type) or not _is_ours(kind):
            raise pickle.PicklingError(f"a value of the kind {kind.__module__}.{kind.__qualname__}")
        return _instance, (kind.__module__, kind.__name__, _content(obj))


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The three functions that make what results hold."""
        made = _MAKERS.get(name) if module == __name__ else None
        if made is None:
            raise Refused(f"{module}.{name} is not for results")
        return made


def _is_ours(kind: type) -> bool:
    if not kind.__module__.startswith(OURS) or "." in kind.__qualname__:
        return False
    is_tuple = issubclass(kind, tuple) and hasattr(kind, "_make")
    return is_tuple or dataclasses.is_dataclass(kind) or issubclass(kind, msgspec.Struct | Named)


def _content(of: Any) -> tuple[Any, ...]:
    if isinstance(of, tuple):
        return tuple(of)
    if isinstance(of, Named):
        return tuple(of.items())
    return tuple(getattr(of, name) for name in _field_names(type(of)))


def _field_names(kind: type) -> tuple[str, ...]:
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    return tuple(f.name for f in dataclasses.fields(kind))  # type: ignore[arg-type]


def _instance(module: str, name: str, content: tuple[Any, ...]) -> Any:
    """A value of one of our types, as it was: what its type checks was checked when it was made."""
    if not f"{module}.".startswith(OURS):
        raise Refused(f"{module} holds no results")
    kind = getattr(importlib.import_module(module), name, None)
    if not isinstance(kind, type) or kind.__module__ != module or not _is_ours(kind):
        raise Refused(f"{module}.{name} is no kind of result")
    if issubclass(kind, Named):
        return kind(dict(content))
    if issubclass(kind, tuple):
        return kind._make(content)  # type: ignore[attr-defined]
    fields = dict(zip(_field_names(kind), content, strict=True))
    if issubclass(kind, msgspec.Struct):
        return kind(**fields)
    made = object.__new__(kind)
    for field, value in fields.items():
        object.__setattr__(made, field, value)
    return made


def _parts(of: npt.NDArray[np.generic]) -> tuple[Any, ...]:
    """An array as its bytes in the order in which they lie in memory; see `_array`."""
    axes = tuple(sorted(range(of.ndim), key=lambda axis: -abs(of.strides[axis])))
    ordered = np.ascontiguousarray(of.transpose(axes)).reshape(-1).view(np.uint8)
    ordered.flags.writeable = of.flags.writeable
    shape = tuple(of.shape[axis] for axis in axes)
    return of.dtype.str, shape, axes, pickle.PickleBuffer(ordered.data)


def _array(
    dtype: str, shape: tuple[int, ...], axes: tuple[int, ...], content: bytes | bytearray
) -> npt.NDArray[Any]:
    """An array with the layout that it had; one that was read-only is so again.

    `shape` belongs to the order in memory, and axis `axes[n]` of the array is the n-th of it.
    """
    made: npt.NDArray[Any] = np.ndarray(shape, _plain(dtype), content)
    return made.transpose(tuple(int(axis) for axis in np.argsort(axes)))


def _scalar(dtype: str, content: bytes) -> Any:
    return np.frombuffer(content, _plain(dtype))[0]


def _plain(dtype: str) -> np.dtype[Any]:
    found = np.dtype(str(dtype))
    if not _is_plain(found):
        raise Refused("an array of objects")
    return found


def _is_plain(dtype: np.dtype[Any]) -> bool:
    return not dtype.hasobject and dtype.names is None and dtype.subdtype is None


_MAKERS: Mapping[str, Callable[..., Any]] = {
    made.__name__: made for made in (_array, _scalar, _instance)
}
