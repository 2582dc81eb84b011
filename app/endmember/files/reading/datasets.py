"""Arrays in files that do not say which of them is a map: HDF5, TIFF stacks, NumPy files.

Nothing in such a file is executed or followed: NumPy arrays of objects (pickles) are refused, and
HDF5 data that lie in other files are not listed.
"""

from __future__ import annotations

import logging
import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from endmember.files.reading.axis_letters import ASKS, FEWEST_AXES, MOST_AXES, why_no_axes
from endmember.files.reading.choice import Choice
from endmember.files.reading.signals import FileContent, Signal, guarded
from endmember.files.reading.tiff_lzw import offer_to_tifffile
from endmember.files.reading.unreadable import UnreadableFile

BLOCK_BYTES = 8_000_000
LARGEST_ROW_BYTES = 1_000_000_000
MOST_COMPRESSED, UNSUSPICIOUS_BYTES = 2000, 4_000_000_000  # no compression packs zeros closer
SHARE_OF_MEMORY = 0.5
LISTED = 6

_MAGIC = {
    b"\x93NUMPY": "NumPy",
    b"PK\x03\x04": "NumPy archive",
    b"\x89HDF\r\n\x1a\n": "HDF5",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}
_SUFFIXES = {
    "NumPy": (".npy",),
    "NumPy archive": (".npz",),
    "HDF5": (".h5", ".hdf5", ".hdf", ".he5"),
    "TIFF": (".tif", ".tiff"),
}


class Dataset(NamedTuple):
    """An array of a file; `why_not` is the end of a sentence where it can be no map."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    why_not: str = ""


def kind_of(path: Path) -> str | None:
    """ "NumPy", "NumPy archive", "HDF5" or "TIFF" by content and (but HDF5) name; or None."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        start = stream.read(8)
    for magic, kind in _MAGIC.items():
        if start.startswith(magic) and (kind == "HDF5" or path.suffix.lower() in _SUFFIXES[kind]):
            return kind
    return None


def is_named_so(path: Path) -> bool:
    """Whether the name, too, is that of a file of arrays, and not that of a reader's format."""
    return any(path.suffix.lower() in suffixes for suffixes in _SUFFIXES.values())


def ask_if_whole(path: Path) -> None:
    """Refuse HDF5 that no reader claims, asking for its map; a damaged file is left to others.

    Raises
    ------
    UnreadableFile
        if its arrays can be listed.
    """
    try:
        asks = needs_choice(path, list_datasets(path))
    except UnreadableFile:
        return
    raise asks


def may_be_meant(path: Path, reader: str, signals: tuple[Signal, ...]) -> bool:
    """Whether a reader found nothing in HDF5 but arrays of which one may be a map all the same.

    In a file of HyperSpy or NeXus with a name of its own: such as frames of maps, to be summed.
    """
    if not {signal.kind for signal in signals} <= {"other", "image"}:
        return False
    sized = any(s.kind == "other" and len(s.shape) >= FEWEST_AXES for s in signals)
    return is_named_so(path) or (reader in ("HSPY", "NeXus") and sized)


def list_datasets(path: str | Path) -> tuple[Dataset, ...]:
    """The arrays of a file, those that can be a map first, the largest first.

    Raises
    ------
    UnreadableFile
        if the file is none of these kinds, damaged, or holds no array.
    """
    path = Path(path)
    with ExitStack() as opened:
        found = [_described(name, array) for name, array in _arrays(path, opened)]
    if not found:
        raise UnreadableFile(f"{path}: there is no array in it; open a file that holds a map.")
    return tuple(sorted(found, key=lambda d: (bool(d.why_not), -math.prod(d.shape))))


def needs_choice(path: Path, found: Sequence[Dataset]) -> UnreadableFile:
    """What is told of a file whose map nobody has named yet; `found` are its arrays."""
    usable = [d for d in found if not d.why_not]
    if not usable:
        first = found[0]
        return UnreadableFile(
            f"{path}: no array in it can be a map ({first.name}, {_size(first.shape)}, "
            f"{first.why_not}); open a file with rows, columns and energies."
        )
    named = ", ".join(f"{d.name} ({_size(d.shape)})" for d in usable[:LISTED])
    more = f" and {len(usable) - LISTED} more" if len(usable) > LISTED else ""
    return UnreadableFile(
        f"{path}: the file does not say which array is the map and which axis is energy; {ASKS} "
        f"in the window, or write dataset, axes, energy_start_keV and energy_step_keV under "
        f"[[map]]. It holds {named}{more}."
    )


def listed_as_signals(found: Sequence[Dataset]) -> tuple[dict[str, Any], ...]:
    """Arrays as `endmember info --json` lists signals, of the kind "dataset"."""
    return tuple(
        {
            "index": index,
            "title": dataset.name,
            "kind": "dataset",
            "shape": list(dataset.shape),
            "dtype": dataset.dtype,
        }
        for index, dataset in enumerate(found)
    )


def hint(path: str | Path, found: Sequence[Dataset]) -> str:
    """What to write in a recipe for the likeliest array of a file; `found` are its arrays."""
    best = next((d for d in found if not d.why_not), None)
    if best is None:
        return str(needs_choice(Path(path), found))
    return (
        "The file does not say which array is the map: write under [[map]], for instance, "
        f'dataset = "{best.name}", axes = "{likely_axes(best.shape)}" (a letter for each axis: y '
        "rows, x columns, E energy, s summed over), energy_start_keV = 0.0 (of channel 0), "
        "energy_step_keV = 0.01 and, if known, pixel_size_nm."
    )


def likely_axes(shape: tuple[int, ...]) -> str:
    """Energy is the longest axis (the last of equals); rows and columns the next two in order."""
    order = sorted(range(len(shape)), key=lambda i: (shape[i], i), reverse=True)
    energy, first, second = order[0], *sorted(order[1:3])
    letters = dict.fromkeys(range(len(shape)), "s") | {energy: "E", first: "y", second: "x"}
    return "".join(letters[i] for i in range(len(shape)))


def open_dataset(path: str | Path, choice: Choice) -> FileContent:
    """The chosen array of a file as its only signal, a map whose counts are not read yet.

    Raises
    ------
    UnreadableFile
        if there is no such array, it does not have the axes, or it can be no map.
    """
    path = Path(path)
    axes, start, step = choice.axes, choice.energy_start_keV, choice.energy_step_keV
    if axes is None or start is None or step is None:
        raise UnreadableFile(
            f"{path}: dataset, axes, energy_start_keV and energy_step_keV go together; write what "
            "is missing under [[map]]."
        )
    opened = ExitStack()
    try:
        name, array = _named(path, _arrays(path, opened), choice.dataset)
        found = _described(name, array)
        if found.why_not:
            raise UnreadableFile(f"{path}: {name} {found.why_not}; choose another dataset.")
        if why := why_no_axes(axes) or _why_unfit(found, axes):
            raise UnreadableFile(f'{path}: axes = "{axes}" {why}; correct it.')
        signal = _signal(found, _loaded(path, array, found), axes, start, step)
    except UnreadableFile:
        opened.close()
        raise
    except Exception as error:  # the libraries raise anything on damaged files
        opened.close()
        raise guarded(path, error) from error
    return FileContent(path, kind_of(path) or "array", (signal,), ())


def _why_unfit(dataset: Dataset, axes: str) -> str:
    if len(axes) != len(dataset.shape):
        return (
            f"names {len(axes)} axes, but {dataset.name} has {len(dataset.shape)} "
            f"({_size(dataset.shape)}): write a letter for each, s for one to sum over"
        )
    row = math.prod(n for n, letter in zip(dataset.shape, axes, strict=True) if letter != "y")
    if row * np.dtype(dataset.dtype).itemsize > LARGEST_ROW_BYTES:
        return f"leaves rows of {row:.3g} values of {dataset.name}: y is another axis, or too large"
    return ""


def _described(name: str, array: Any) -> Dataset:
    shape, dtype = tuple(int(n) for n in array.shape), np.dtype(array.dtype)
    why = ""
    if dtype.hasobject or dtype.kind not in "uif":
        why = "holds no plain numbers"
    elif not FEWEST_AXES <= len(shape) <= MOST_AXES:
        why = f"has {len(shape)} axes, where a map has rows, columns and energies"
    elif 0 in shape:
        why = "is empty"
    return Dataset(name, shape, str(dtype), why)


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single value"


def _named(path: Path, arrays: Iterator[tuple[str, Any]], wanted: str | None) -> tuple[str, Any]:
    """The array with a name; without one, the only array that can be a map."""
    every = list(arrays)
    if wanted is None:
        fit = [(name, array) for name, array in every if not _described(name, array).why_not]
        if len(fit) == 1:
            return fit[0]
        raise UnreadableFile(
            f"{path}: there are {len(fit)} arrays in it that could be the map; name one by "
            "dataset under [[map]]."
        )
    for name, array in every:
        if name.strip("/") == wanted.strip("/"):
            return name, array
    known = ", ".join(name for name, _ in every[:LISTED])
    raise UnreadableFile(
        f'{path}: there is no dataset "{wanted}" in it; it holds {known}; correct dataset.'
    )


# --- what is in the files ------------------------------------------------------------------------


class _Member(NamedTuple):
    """An array of a NumPy archive or a TIFF file, not read yet."""

    shape: tuple[int, ...]
    dtype: npt.DTypeLike
    read: Any


def _arrays(path: Path, opened: ExitStack) -> Iterator[tuple[str, Any]]:
    """Names and arrays, or what has their shape and type; files are closed with `opened`."""
    kind = kind_of(path)
    try:
        if kind == "NumPy":
            yield "array", np.load(path, mmap_mode="r", allow_pickle=False)
        elif kind == "NumPy archive":
            yield from _of_archive(path)
        elif kind == "HDF5":
            yield from _of_hdf5(path, opened)
        elif kind == "TIFF":
            yield from _of_tiff(path)
        else:
            raise UnreadableFile(
                f"{path}: datasets are chosen in HDF5, TIFF and NumPy files only; leave dataset "
                "and axes out."
            )
    except UnreadableFile:
        raise
    except Exception as error:  # the libraries raise anything on damaged files
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise UnreadableFile(
            f"{path}: the file is damaged or holds no plain arrays ({said}); save it anew."
        ) from error


def _of_archive(path: Path) -> Iterator[tuple[str, _Member]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.filename.endswith(".npy"):
                continue
            with archive.open(info) as stream:
                shape, dtype = _header(stream)
            name = info.filename.removesuffix(".npy")
            size = math.prod(shape) * dtype.itemsize
            if not dtype.hasobject and size > info.file_size:
                raise ValueError(f"{name} announces {size} bytes and holds {info.file_size}")

            def read(filename: str = info.filename) -> npt.NDArray[np.generic]:
                with zipfile.ZipFile(path) as again, again.open(filename) as member:
                    found = np.lib.format.read_array(member, allow_pickle=False)
                return np.asarray(found)

            yield name, _Member(shape, dtype, read)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    return tuple(int(n) for n in shape), dtype


def _of_hdf5(path: Path, opened: ExitStack) -> Iterator[tuple[str, Any]]:
    import h5py

    file = opened.enter_context(h5py.File(path, "r"))
    found: list[tuple[str, Any]] = []

    def visit(name: str, item: Any) -> None:  # links to other files are not visited
        if isinstance(item, h5py.Dataset) and not (item.external or item.is_virtual):
            found.append((f"/{name}", item))

    file.visititems(visit)
    yield from found


@contextmanager
def _errors_of(logger: str) -> Iterator[list[str]]:
    """What a library logs as an error instead of raising it."""
    kept: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: kept.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger(logger)
    before, log.propagate = log.propagate, False
    log.addHandler(handler)
    try:
        yield kept
    finally:
        log.removeHandler(handler)
        log.propagate = before


def _of_tiff(path: Path) -> Iterator[tuple[str, _Member]]:
    import tifffile

    offer_to_tifffile()
    with _errors_of("tifffile") as errors, tifffile.TiffFile(path) as file:
        file.series  # noqa: B018 - what is cut off is only logged, while the pages are counted
        if errors:
            raise ValueError(errors[0])
        for number, series in enumerate(file.series):

            def read(number: int = number) -> npt.NDArray[np.generic]:
                return np.asarray(tifffile.imread(path, series=number))

            dtype = np.dtype(object) if series.dtype is None else series.dtype
            yield f"series {number}", _Member(tuple(map(int, series.shape)), dtype, read)


# --- as a signal ---------------------------------------------------------------------------------


def _loaded(path: Path, array: Any, dataset: Dataset) -> Any:
    """An array that can be sliced; archives and TIFF files are read whole, if there is memory."""
    size = math.prod(dataset.shape) * np.dtype(dataset.dtype).itemsize
    if not isinstance(array, _Member):
        if size > max(MOST_COMPRESSED * path.stat().st_size, UNSUSPICIOUS_BYTES):
            raise UnreadableFile(
                f"{path}: {dataset.name} announces {size / 1e9:.3g} GB in a file of "
                f"{path.stat().st_size / 1e9:.3g} GB; save it anew."
            )
        return array
    import psutil

    free = SHARE_OF_MEMORY * psutil.virtual_memory().available
    if size > free:
        raise UnreadableFile(
            f"{path}: {dataset.name} takes {size / 1e9:.3g} GB of memory, more than the "
            f"{free / 1e9:.3g} GB that can be spared; save it as HDF5, which is read in parts."
        )
    return array.read()


def _signal(dataset: Dataset, array: Any, axes: str, start: float, step: float) -> Signal:
    import dask.array as da

    rows = axes.index("y")
    row_bytes = math.prod(dataset.shape) // dataset.shape[rows] * np.dtype(dataset.dtype).itemsize
    chunks = list(dataset.shape)
    chunks[rows] = max(1, min(dataset.shape[rows], BLOCK_BYTES // max(row_bytes, 1)))
    data = da.from_array(array, chunks=tuple(chunks))
    summed = tuple(i for i, letter in enumerate(axes) if letter == "s")
    if summed:  # sums of whole numbers stay whole
        wide = {"u": np.uint64, "i": np.int64}.get(np.dtype(dataset.dtype).kind, np.float64)
        data = data.sum(axis=summed, dtype=wide)
    left = axes.replace("s", "")
    facts = {"E": {"name": "energy", "units": "keV", "offset": start, "scale": step}}
    named = tuple(facts.get(letter, {"name": letter}) for letter in left)
    places = (left.index(letter) for letter in "Eyx")
    return Signal(0, dataset.name, "map", data, named, {}, {}, "", *places)
