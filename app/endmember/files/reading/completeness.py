"""Whether a file is whole: what it says of its own length and totals, held against what was read.

What a format cannot tell is listed in `docs/formats.md`.
"""

from __future__ import annotations

import bz2
import contextlib
import re
import struct
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.files.reading.unreadable import UnreadableFile

Counts = npt.NDArray[np.float64]

RIPPLE_KEYS = (
    *("width", "height", "depth", "offset"),
    *("data-length", "data-type", "byte-order", "record-by"),
)
JEOL_LENGTH = struct.Struct("<I")
JEOL_LENGTH_AT = 32
COMPARED_FROM_keV = 0.6  # below, makers leave out the zero peak in different ways
WIDEST_CHANNEL_keV = 0.03  # narrower than a peak of any detector: then a lone channel is no peak
LONE_FACTOR, LONE_SIGMA, LONE_COUNTS = 4.0, 12.0, 30.0
FEWEST_CHANNELS, HIGHEST_AXIS_keV = 500, 300.0  # of an axis without a unit
EDGE_CHANNELS = 2  # at the end, where makers gather what lies beyond
MOST_ENTRIES = 5_000_000
PIECE_BYTES = 1 << 20
HEADER_CHARACTERS = 20_000
MOST_PACKED = 5000  # no map of counts is packed better than 1 : 5000
SMALLEST_BOMB_BYTES = 4_000_000_000


def check_length(path: Path, reader: str) -> None:
    """Refuse a file that is shorter than it says itself, before its reader touches it.

    Raises
    ------
    UnreadableFile
        if the file was cut short, or unpacks to more than there is room for.
    """
    if reader == "JEOL" and path.suffix.lower() == ".pts":
        with path.open("rb") as stream:
            head = stream.read(JEOL_LENGTH_AT + JEOL_LENGTH.size)
        if len(head) == JEOL_LENGTH_AT + JEOL_LENGTH.size:
            _hold(path, JEOL_LENGTH.unpack_from(head, JEOL_LENGTH_AT)[0], path.stat().st_size)
    elif reader == "Ripple":
        _check_ripple(path)
        raw, announced = _ripple_raw(path)
        if raw is not None and raw.stat().st_size < announced:
            _hold(path, announced, raw.stat().st_size, f"its {raw.name}")
    elif reader == "Phenom":
        _check_bz2(path)
    elif reader in ("PantaRhei", "ZSPY") and path.is_file():
        _check_zip(path)


def _hold(path: Path, announced: int, found: int, holder: str = "the file") -> None:
    if found < announced:
        raise UnreadableFile(
            f"{path}: the header announces {announced} bytes and {holder} holds {found}: it was "
            "cut short or is damaged; copy it again."
        )


def _check_bz2(path: Path) -> None:
    """Unpack once to the end: the reader would wait for ever for what is missing."""
    try:
        with bz2.open(path) as stream:
            while stream.read(PIECE_BYTES):
                continue
    except EOFError as error:
        raise UnreadableFile(f"{path}: the file was cut short; copy it again.") from error


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnreadableFile(
            f"{path}: the file was cut short or is damaged ({error}); copy it again."
        ) from error
    check_packing(path, unpacked, path.stat().st_size)


def check_packing(path: Path, announced_bytes: int, held_bytes: int) -> None:
    """Refuse a header that asks for absurdly more than the file can hold.

    Raises
    ------
    UnreadableFile
        if it does.
    """
    if announced_bytes > max(SMALLEST_BOMB_BYTES, MOST_PACKED * held_bytes):
        raise UnreadableFile(
            f"{path}: the file announces {announced_bytes / 1e9:.3g} GB of data and is "
            f"{held_bytes / 1e6:.3g} MB long, which no packing achieves: it is damaged or no map; "
            "export it anew."
        )


def size_with_companions(path: Path) -> int:
    """Bytes of a file and of its neighbours whose names begin alike (.rpl and .raw, .emi and .ser).

    Of a folder, the bytes of everything in it.
    """
    total = 0
    with contextlib.suppress(OSError):
        near = path.rglob("*") if path.is_dir() else path.parent.glob(_literal(path.stem) + "*")
        for neighbour in near:
            with contextlib.suppress(OSError):
                total += neighbour.stat().st_size if neighbour.is_file() else 0
    return total


def _literal(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


def doubts(
    path: Path,
    format_name: str,
    original: Mapping[str, Any],
    index: int,
    counts: Counts,
    axis: EnergyAxis,
) -> list[str]:
    """Sentences on what does not fit together in a file; none where all is well.

    `counts` is the spectrum, or the sum spectrum of the map, (channels,) on `axis`; `index` counts
    the maps of the file.
    """
    said = []
    if format_name == "Bruker" and path.suffix.lower() == ".bcf":
        said += _against_sum(counts, _bruker_sum(path, index), axis, 0)
    elif format_name == "JEOL" and path.suffix.lower() == ".pts":
        said += _against_sum(counts, *_jeol_sum(original, axis))
    elif format_name == "Ripple":
        said += _longer_raw(path)
    elif format_name == "MSA":
        said += _end_of_text(path)
    elif format_name == "Bruker" and path.suffix.lower() == ".spx" and _is_fluorescence(path):
        said.append(
            "This spectrum was excited by X-rays (XRF), not by electrons: quantification with "
            "k-factors does not hold for it."
        )
    return said + lone_channels(counts, axis)


def _against_sum(counts: Counts, stored: Counts | None, axis: EnergyAxis, first: int) -> list[str]:
    """Compare the map with the sum spectrum of the file, from its channel `first` on."""
    if stored is None:
        return []
    size = min(len(counts), len(stored))
    differs = counts[first:size] != stored[first:size]
    if len(stored) > size and np.any(stored[size:]):
        differs = np.append(differs, True)
    if not differs.any():
        return []
    mine, theirs = counts[first:size].sum(), stored[first:].sum()
    start = f" from {axis.centres[first]:.2f} keV on" if first else ""
    sentence = (
        f"The map holds {mine:.0f} counts{start} and the sum spectrum kept in the same file "
        f"{theirs:.0f} (they differ in {np.count_nonzero(differs)} channels): the file may be "
        "incomplete or damaged; compare it with the original."
    )
    return [sentence]


def _bruker_sum(path: Path, index: int) -> Counts | None:
    from rsciio.bruker._api import BCF_reader

    spectra = list(BCF_reader(str(path)).header.spectra_data.values())
    return np.asarray(spectra[index].data, float) if index < len(spectra) else None


def _jeol_sum(
    original: Mapping[str, Any], axis: EnergyAxis
) -> tuple[Counts | None, EnergyAxis, int]:
    """The sum spectrum of a .pts on the channels of the map, which begin before its own."""
    from endmember.files.reading.signals import lookup

    area = "EDS Data.AnalyzableMap MeasData"
    stored = lookup(original, f"{area}.Data.EDXRF")
    start, step = lookup(original, f"{area}.Doc.CoefB"), lookup(original, f"{area}.Doc.CoefA")
    if stored is None or not isinstance(start, float) or not isinstance(step, float):
        return None, axis, 0
    stored = np.asarray(stored, float).ravel()
    shift = round((start - axis.start_keV) / axis.step_keV)
    if not 0 <= shift < axis.channels or abs(step - axis.step_keV) > 1e-6:
        return None, axis, 0
    whole = np.zeros(max(axis.channels, shift + len(stored)))
    whole[shift : shift + len(stored)] = stored
    # the last channels of the map gather nothing: its stream ends before the spectrum does
    first = axis.span(COMPARED_FROM_keV, np.inf).start
    return whole[: axis.channels], axis, first


def _ripple_raw(path: Path) -> tuple[Path | None, int]:
    """The .raw of a .rpl, and the bytes that it must have; None where the header does not say."""
    with path.open(encoding="latin-1") as stream:
        text = stream.read(HEADER_CHARACTERS)
    facts = dict(re.findall(r"(?m)^([\w-]+)[ \t]+(\d+)[ \t]*$", text.lower()))
    raw = next((r for r in map(path.with_suffix, (".raw", ".RAW")) if r.exists()), None)
    if raw is None or not {"width", "height", "depth", "data-length"} <= set(facts):
        return None, 0
    sizes = [int(facts[name]) for name in ("width", "height", "depth", "data-length")]
    return raw, prod(sizes) + int(facts.get("offset", 0))


def _check_ripple(path: Path) -> None:
    """Refuse a .rpl that lacks its .raw, or a line that the reader needs."""
    if not any(path.with_suffix(suffix).exists() for suffix in (".raw", ".RAW")):
        raise UnreadableFile(
            f"{path}: the .raw of the same name, which holds its counts, is missing; copy it "
            "beside the .rpl."
        )
    with path.open(encoding="latin-1") as stream:
        named = set(re.findall(r"(?m)^([\w-]+)\s", stream.read(HEADER_CHARACTERS).lower()))
    lacking = [name for name in RIPPLE_KEYS if name not in named]
    if lacking:
        raise UnreadableFile(
            f"{path}: the header lacks {' and '.join(lacking)}; add what is missing, or export "
            "the map anew."
        )


def _longer_raw(path: Path) -> list[str]:
    raw, announced = _ripple_raw(path)
    if raw is None or raw.stat().st_size == announced:
        return []
    found = raw.stat().st_size
    sentence = (
        f"The .rpl announces {announced} bytes and the .raw holds {found}: they may not belong "
        "together; compare width, height and depth."
    )
    return [sentence]


def _end_of_text(path: Path) -> list[str]:
    text = path.read_text(encoding="latin-1")
    if re.search(r"(?im)^#ENDOFDATA", text):
        return []
    return ["The line #ENDOFDATA is missing: the file may have been cut short; compare its total."]


def _is_fluorescence(path: Path) -> bool:
    return b"TRTXrfHeader" in path.read_bytes()


def _is_comparable(axis: EnergyAxis) -> bool:
    """Whether peaks are wider than a channel; an axis without a unit must have many channels."""
    if axis.stop_keV > HIGHEST_AXIS_keV:
        return axis.channels >= FEWEST_CHANNELS
    return axis.step_keV <= WIDEST_CHANNEL_keV


def _apart(value: Counts, beside: Counts) -> npt.NDArray[np.bool_]:
    """Whether counts are more than any peak could be above those beside them."""
    return value > LONE_FACTOR * beside + LONE_SIGMA * np.sqrt(beside) + LONE_COUNTS


def lone_channels(counts: Counts, axis: EnergyAxis) -> list[str]:
    """A sentence for single channels far above or below those on both sides.

    Every peak is wider than a channel, so such a channel is a damaged number (or a fault of the
    electronics). No real file at hand has one.
    """
    if not _is_comparable(axis) or len(counts) < 5:
        return []
    padded = np.maximum(np.pad(counts, 2, mode="edge"), 0)
    near = np.array([padded[:-4], padded[1:-3], padded[3:-1], padded[4:]])
    odd = _apart(counts, near.max(axis=0)) | _apart(near.min(axis=0), np.maximum(counts, 0))
    odd[-EDGE_CHANNELS:] = False
    found = np.flatnonzero(odd)
    if len(found) == 0:
        return []
    one = int(found[0])
    which = "A single channel stands" if len(found) == 1 else f"{len(found)} single channels stand"
    sentence = (
        f"{which} apart from those beside, the first (number {one}) with {counts[one]:.0f} counts "
        f"between {near[1, one]:.0f} and {near[2, one]:.0f}: the file may be damaged; compare it "
        "with the original."
    )
    return [sentence]


def lone_entries(image: SpectrumImage) -> list[str]:
    """The same for single channels of single pixels; see `lone_channels`."""
    if not _is_comparable(image.axis):
        return []
    large = np.flatnonzero(image.counts > LONE_COUNTS)
    if not 0 < len(large) < MOST_ENTRIES:
        return []
    pixels = np.searchsorted(image.starts, large, side="right") - 1
    channels, counts = image.channels[large].astype(np.int64), image.counts[large].astype(float)
    beside = np.zeros(len(large))
    for step in (-1, 1):
        other = np.clip(large + step, 0, len(image.counts) - 1)
        same = (other >= image.starts[pixels]) & (other < image.starts[pixels + 1])
        same &= image.channels[other].astype(np.int64) == channels + step
        beside = np.maximum(beside, np.where(same, image.counts[other], 0))
    odd = _apart(counts, beside) & (channels < image.axis.channels - EDGE_CHANNELS)
    found = np.flatnonzero(odd)
    if len(found) == 0:
        return []
    one = int(found[0])
    row, column = divmod(int(pixels[one]), image.columns)
    sentence = (
        f"{len(found)} single channel{'s' if len(found) > 1 else ''} of single pixels stand apart "
        f"from those beside, the first in column {column}, row {row}, channel {channels[one]} with "
        f"{counts[one]:.0f} counts: the file may be damaged; compare it with the original."
    )
    return [sentence]
