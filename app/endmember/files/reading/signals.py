"""The signals of a file as rosettasciio gives them, with the axes told apart."""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
import re
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from endmember.files.reading.choice import NO_CHOICE, Choice
from endmember.files.reading.completeness import check_length, check_packing, size_with_companions
from endmember.files.reading.sniffing import Sniffed, main_file, named, picture_kind, sniffed
from endmember.files.reading.tiff_lzw import offer_to_tifffile
from endmember.files.reading.unreadable import UnreadableFile

LARGE_FILE_BYTES = 32_000_000
GOING_BY_SUFFIX = ("Bruker", "EDAX", "JEOL", "TIA")  # within one reader
READING_FOLDERS = ("ZSPY",)
PACKED = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar")
NO_MAPS = {
    ".toml": "a recipe, not a map; run it by `endmember run`, or open it in the window.",
    ".csv": "a table, not a map; open the file of the map.",
}
FEWEST_CHANNELS = 100  # of an uncalibrated axis that may still be an EDXS spectrum


@dataclass(frozen=True, eq=False, slots=True)
class Signal:
    """One data set of a file.

    `kind` is `map` (rows, columns, energy), `spectrum`, `image`, `line scan`, `EELS` or `other`.
    `data` is a numpy or dask array in the order of the file; `rows_axis`, `columns_axis` and
    `energy_axis` say which of its dimensions is which (None where there is none).
    `facts` is the reader's metadata tree, `original` the tree as the vendor wrote it.
    """

    index: int
    title: str
    kind: str
    data: Any
    axes: tuple[Mapping[str, Any], ...]
    facts: Mapping[str, Any]
    original: Mapping[str, Any]
    signal_type: str
    energy_axis: int | None = None
    rows_axis: int | None = None
    columns_axis: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in the order of the file."""
        return tuple(int(size) for size in self.data.shape)

    def __str__(self) -> str:
        size = " x ".join(map(str, self.shape))
        return f"{self.index}: {self.title or 'untitled'} ({self.kind}, {size})"


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a reader found: its `format`, the signals, and what it had to say (sentences)."""

    path: Path
    format: str
    signals: tuple[Signal, ...]
    remarks: tuple[str, ...]


class _Remarks(logging.Handler):
    """Keeps what the readers log, which otherwise goes to the terminal."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep each message once."""
        sentence = f"The reader says: {' '.join(record.getMessage().split()).rstrip('.')}."
        if sentence not in self.sentences:
            self.sentences.append(sentence)


def _reader_loggers() -> list[logging.Logger]:
    names = [n for n in logging.root.manager.loggerDict if n.split(".")[0] == "rsciio"]
    return [logging.getLogger(name) for name in {"rsciio", *names}]


@contextlib.contextmanager
def quiet_readers() -> Iterator[list[str]]:
    """Keep readers from printing and from warning; gives the list their messages go to."""
    import rsciio  # noqa: F401 - its loggers must exist before they are silenced

    kept = _Remarks()
    before = [(log, log.handlers[:], log.propagate) for log in _reader_loggers()]
    try:
        for log, _, _ in before:
            log.handlers, log.propagate = [kept], False
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield kept.sentences
    finally:
        for log, handlers, propagate in before:
            log.handlers, log.propagate = handlers, propagate


def _plugins(path: Path, known: Sniffed | None) -> list[dict[str, Any]]:
    """The readers to try: that of the content, otherwise those of the suffix."""
    from rsciio import IO_PLUGINS

    if known is not None:
        return [plugin for plugin in IO_PLUGINS if plugin["name"] == known.reader]
    found = [plugin for plugin in IO_PLUGINS if path.suffix.lower() in _suffixes(plugin)]
    if path.is_dir() and not any(plugin["name"] in READING_FOLDERS for plugin in found):
        raise UnreadableFile(f"{path}: this is a folder; open the file of a map in it.")
    if path.is_file() and path.suffix.lower() in PACKED:
        raise UnreadableFile(f"{path}: this is a packed file; unpack it and open the map in it.")
    if path.is_file() and path.suffix.lower() in NO_MAPS:
        raise UnreadableFile(f"{path}: this is {NO_MAPS[path.suffix.lower()]}")
    picture = picture_kind(path) if path.is_file() else None
    if picture not in (None, "TIFF") or (found and all(p["name"] == "Image" for p in found)):
        raise UnreadableFile(
            f"{path}: this is a picture without spectra; open the file of the map."
        )
    if not found:
        main = main_file(path)
        if main is not None:
            raise UnreadableFile(f"{path}: this file belongs to {main.name}: open that one.")
        raise UnreadableFile(
            f"{path}: no reader knows the file type '{path.suffix}'; "
            "convert the map to .hspy, .emd, .bcf or another format of rosettasciio."
        )
    return found


def _suffixes(plugin: Mapping[str, Any]) -> set[str]:
    return {f".{extension.lower()}" for extension in plugin["file_extensions"]}


def _suffix_for(plugin: Mapping[str, Any], path: Path, known: Sniffed | None) -> str:
    """The suffix under which the reader must see the file."""
    own = path.suffix.lower()
    if known is None or (own in _suffixes(plugin) and plugin["name"] not in GOING_BY_SUFFIX):
        return own
    return known.suffix


def reader_arguments(format_name: str, path: Path, choice: Choice) -> dict[str, Any]:
    """What a reader is told besides the name of the file."""
    from endmember.files.reading.frames import reader_options

    chosen = reader_options(format_name, choice)
    if format_name in ("HSPY", "EMD"):
        return {"lazy": True, **chosen}
    if format_name == "JEOL" and path.suffix.lower() == ".asw":
        return {"SI_dtype": np.uint16, **chosen}  # of the maps that it names
    if format_name == "JEOL" and path.suffix.lower() == ".pts":
        # the default of 8 bits wraps; lazy reading saves memory but compiles for seconds
        return {"SI_dtype": np.uint16, "lazy": path.stat().st_size > LARGE_FILE_BYTES, **chosen}
    return {}


def _read_msa_without_section_text(path: Path) -> list[dict[str, Any]]:
    """Read an EMSA/MAS file whose `#SPECTRUM :` line ends there, which the reader overlooks."""
    from rsciio.msa import parse_msa_string

    text = path.read_text(encoding="latin-1")
    section = "#SPECTRUM    : Spectral Data Starts Here"
    return list(parse_msa_string(re.sub(r"(?m)^#SPECTRUM\s*:[ \t]*$", section, text), str(path)))


def _call(plugin: dict[str, Any], path: Path, choice: Choice) -> list[dict[str, Any]]:
    reader = importlib.import_module(plugin["api"])
    if plugin["name"] == "Phenom":
        offer_to_tifffile()
    told = reader_arguments(plugin["name"], path, choice)
    try:
        found = list(reader.file_reader(str(path), **told))
    except ValueError as error:
        if plugin["name"] != "HSPY" or "chunks=" not in str(error):
            raise
        # counts that lie in one piece are not read in parts by this reader
        found = list(reader.file_reader(str(path), **(told | {"lazy": False})))
    if plugin["name"] == "MSA" and found and found[0]["data"].size == 0:
        found = _read_msa_without_section_text(path)
    if plugin["name"] == "MSA":
        _check_points(path, found)
    if plugin["name"] == "Ripple":
        _name_unit_of_channels(found)
    return found


def _name_unit_of_channels(found: list[dict[str, Any]]) -> None:
    """Say eV where a Ripple file gives `ev-per-chan`, whose number the reader takes without it."""
    for one in found:
        said = one["original_metadata"]
        if "ev-per-chan" not in said or {"depth-scale", "depth-units"} & set(said):
            continue
        for axis in one["axes"]:
            if axis["name"] == said.get("depth-name", "depth"):
                axis["units"] = "eV"


def _check_points(path: Path, found: list[dict[str, Any]]) -> None:
    """Refuse a spectrum that holds fewer points than its header announces: the file was cut."""
    for one in found:
        said = str((one.get("original_metadata") or {}).get("NPOINTS", ""))
        announced = re.match(r"\s*(\d+)", said)
        if announced is not None and one["data"].size < int(announced[1]):
            raise UnreadableFile(
                f"{path}: the file announces {announced[1]} points and holds {one['data'].size}; "
                "copy it again."
            )


def _failure(path: Path, error: BaseException | None) -> UnreadableFile:
    if isinstance(error, FileNotFoundError):
        missing = error.filename or error
        return UnreadableFile(f"{path}: the file {missing} that belongs to it is missing; copy it.")
    if isinstance(error, PermissionError):
        return UnreadableFile(f"{path}: reading it is not permitted; change its permissions.")
    if isinstance(error, ImportError) or "requires the 'imagecodecs'" in str(error):
        found = re.search(r"'(\w+)'", str(error))
        name = found.group(1) if found else str(error)
        return UnreadableFile(f"{path}: reading it needs the Python library {name}; install it.")
    said = (
        " ".join(str(error).split())[:200].rstrip(".")
        if error is not None
        else "it holds no signal"
    )
    return UnreadableFile(
        f"{path}: the file is damaged or not what its name says ({said or type(error).__name__}); "
        "copy it again from the microscope or export it anew."
    )


def guarded(path: Path, error: BaseException) -> UnreadableFile:
    """The sentence for whatever a reader raised, also when it computes lazily."""
    if isinstance(error, MemoryError | RecursionError):
        raise error  # told by the process that reads
    return error if isinstance(error, UnreadableFile) else _failure(path, error)


def _merge(into: dict[str, Any], dotted: str, value: Any) -> None:
    *groups, name = dotted.split(".")
    for group in groups:
        child = into.get(group)
        if not isinstance(child, dict):
            child = into[group] = {}
        into = child
    into.setdefault(name, value)


def lookup(tree: Any, dotted: str) -> Any:
    """The value under a dotted path of nested mappings, or None."""
    for name in dotted.split("."):
        if not isinstance(tree, Mapping) or name not in tree:
            return None
        tree = tree[name]
    return tree


def _copy_tree(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {str(key): _copy_tree(value) for key, value in tree.items()}
    return tree


def _facts(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata, with what the reader only knows how to find in the original metadata."""
    facts: dict[str, Any] = _copy_tree(raw.get("metadata", {}))
    original = raw.get("original_metadata", {})
    for source, (target, convert) in (raw.get("mapping") or {}).items():
        value = lookup(original, source)
        if value is None:
            continue
        with contextlib.suppress(Exception):  # a fact that cannot be converted is not known
            _merge(facts, target, value if convert is None else convert(value))
    return facts


def _is_energy(axis: Mapping[str, Any]) -> bool:
    return str(axis.get("units")).strip().lower() in ("ev", "kev")


def _find_energy_axis(axes: tuple[Mapping[str, Any], ...]) -> int | None:
    by_unit = [i for i, axis in enumerate(axes) if _is_energy(axis)]
    if by_unit:
        return by_unit[-1]
    named = [i for i, a in enumerate(axes) if "energy" in str(a.get("name", "")).lower()]
    if named:
        return named[-1]
    # old HyperSpy files say nothing of navigation: then every axis looks like signal
    signal = [i for i, axis in enumerate(axes) if axis.get("navigate") is False]
    return signal[0] if len(signal) == 1 else None


def _kind(
    raw: Mapping[str, Any], axes: tuple[Mapping[str, Any], ...], energy: int | None, kind: str
) -> str:
    data = raw["data"]
    loss = energy is not None and "loss" in str(axes[energy].get("name", "")).lower()
    if kind == "EELS" or loss:
        return "EELS"
    if data.dtype.kind not in "uif" or len(axes) != data.ndim:
        return "image" if data.ndim == 2 else "other"
    if energy is None:
        return "image" if data.ndim == 2 else "other"
    named = kind.startswith("EDS") or _is_energy(axes[energy])
    weak = not named and kind == "" and data.shape[energy] >= FEWEST_CHANNELS
    if data.ndim == 1:
        return "spectrum" if named or "FORMAT" in raw.get("original_metadata", {}) else "other"
    if not (named or (weak and data.ndim == 3)):
        return "other"
    return {2: "line scan", 3: "map"}.get(data.ndim, "other")


def _without_single_steps(data: Any, axes: tuple[Mapping[str, Any], ...]) -> tuple[Any, Any]:
    """Data and axes without those of length 1 that keep a map or a spectrum from being one."""
    energy = _find_energy_axis(axes) if len(axes) == data.ndim else None
    if energy is None:
        return data, axes
    single = [i for i in range(data.ndim) if i != energy and data.shape[i] == 1]
    many = len(single) if data.ndim == 2 else data.ndim - 3
    dropped = set(single[:many]) if many > 0 else set()
    if not dropped:
        return data, axes
    data = data[tuple(0 if i in dropped else slice(None) for i in range(data.ndim))]
    return data, tuple(axis for i, axis in enumerate(axes) if i not in dropped)


def is_turned(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether axes in the order of the file are called x and y, that is columns before rows."""
    return [str(axis.get("name")).strip().lower() for axis in (first, second)] == ["x", "y"]


def _signal(index: int, raw: Mapping[str, Any]) -> Signal:
    facts = _facts(raw)
    data, axes = _without_single_steps(raw["data"], tuple(raw["axes"]))
    raw = {**raw, "data": data}
    signal_type = str(lookup(facts, "Signal.signal_type") or "")
    energy = _find_energy_axis(axes) if len(axes) == raw["data"].ndim else None
    kind = _kind(raw, axes, energy, signal_type)
    others = [i for i in range(len(axes)) if i != energy] if kind == "map" else [None] * 2
    if kind == "map" and is_turned(*(axes[i] for i in others if i is not None)):
        others.reverse()
    title = str(lookup(facts, "General.title") or "")
    original = raw.get("original_metadata") or {}
    rows, columns = others
    return Signal(
        index, title, kind, raw["data"], axes, facts, original, signal_type, energy, rows, columns
    )


def open_signals(path: str | Path, choice: Choice = NO_CHOICE) -> FileContent:
    """All signals of a file, counts not yet looked at (lazily read where the format allows).

    `choice` names an array that is the map, or frames and detectors.

    Raises
    ------
    UnreadableFile
        if the file is missing, of unknown type, damaged, or holds no signal.
    """
    path = Path(path)
    if not path.exists():
        raise UnreadableFile(f"{path}: there is no such file; check the name and the folder.")
    from endmember.files.reading import datasets, frames

    last: Exception | None = None
    asks = False
    known = sniffed(path)
    _import_dask()
    if choice.dataset is not None or choice.axes is not None:
        return datasets.open_dataset(path, choice)
    arrays = datasets.kind_of(path)
    if arrays is not None and arrays != "HDF5":
        raise datasets.needs_choice(path, datasets.list_datasets(path))
    if arrays is not None and known is None and not datasets.is_named_so(path):
        frames.refuse_unless_kept(path, [], choice)
        datasets.ask_if_whole(path)
    plugins = _plugins(path, known)
    frames.refuse_unless_kept(path, [p["name"] for p in plugins], choice)
    for plugin in plugins:
        check_length(path, str(plugin["name"]))
        suffix = _suffix_for(plugin, path, known)
        with quiet_readers() as remarks, named(path, suffix) as place:
            try:
                found = [
                    raw for raw in _call(plugin, place, choice) if "data" in raw and "axes" in raw
                ]
                signals = tuple(_signal(i, raw) for i, raw in enumerate(found))
            except (MemoryError, RecursionError):
                raise
            except Exception as error:  # readers raise anything on damaged files
                last = error
                continue
        signals = frames.chosen(path, signals, choice, remarks)
        asks = arrays is not None and datasets.may_be_meant(path, plugin["name"], signals)
        if signals and not asks:
            _check_signals(path, signals)
            return FileContent(
                path, str(plugin["name"]), signals, _told(path, place, plugin, known, remarks)
            )
    if arrays is not None and (asks or datasets.is_named_so(path)):
        raise datasets.needs_choice(path, datasets.list_datasets(path))
    raise frames.frame_failure(path, last, choice) or _failure(path, last)


def _check_signals(path: Path, signals: tuple[Signal, ...]) -> None:
    held = size_with_companions(path)
    for signal in signals:
        check_packing(path, math.prod(signal.shape) * int(signal.data.dtype.itemsize), held)


def _told(
    path: Path, place: Path, plugin: dict[str, Any], known: Sniffed | None, remarks: list[str]
) -> tuple[str, ...]:
    """What the reader had to say, and that the name is of another kind than the content."""
    said = [sentence.replace(str(place), str(path)) for sentence in remarks]
    if known is not None and path.is_file() and path.suffix.lower() not in _suffixes(plugin):
        said.append(
            f"The name ends in '{path.suffix}' but the content is that of a {known.suffix} file: "
            "it is read as such."
        )
    return tuple(said)


def _import_dask() -> None:
    """Import what the readers will, where nothing is kept alive by it.

    Dask keeps an exception of its import for ever (jinja2 is missing), and with it the frames of
    all callers: the first map that was read would stay in memory. A thread has no callers.
    """
    if "dask" not in sys.modules:
        importing = threading.Thread(target=importlib.import_module, args=("dask.array",))
        importing.start()
        importing.join()


def close(content: FileContent) -> None:
    """Close the file behind lazily read signals."""
    with contextlib.suppress(Exception):
        from rsciio.utils.file import get_file_handle

        for signal in content.signals:
            if hasattr(signal.data, "dask"):
                handle = get_file_handle(signal.data, warn=False)
                if handle is not None:
                    handle.close()


def finite(value: Any) -> float | None:
    """The value as a float, None if it is absent, not a number, or not finite."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
