"""Reading maps and spectra, and saying what a file holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from endmember.core.counts import SpectrumImage
from endmember.core.progress import Cancelled, Report, part_of, silent
from endmember.core.spectrum import Spectrum
from endmember.files.axis_letters import asks_for_dataset
from endmember.files.choice import NO_CHOICE, Choice
from endmember.files.datasets import hint, listed_as_signals
from endmember.files.metadata import Facts, read_facts
from endmember.files.signals import (
    FileContent,
    Signal,
    UnreadableFile,
    close,
    guarded,
    open_signals,
    quiet_readers,
)

__all__ = [
    "FileDescription",
    "MapReading",
    "SpectrumReading",
    "UnreadableFile",
    "describe",
    "open_map",
    "open_spectrum",
    "read_map",
    "read_spectrum",
]

BLOCK_BYTES = 8_000_000  # small enough to stop between two blocks when cancelled
LARGEST_BLOCK_BYTES = 64_000_000
ZERO_PEAK_ENDS_KEV = 0.15
LARGE_ZERO_PEAK = 0.2
LISTED_SIGNALS = 6
USUAL_RANGE_keV = (0.3, 20.0)  # the default of recipes and of `endmember quantify`
USUAL_BEAM_keV, LOWEST_BEAM_keV, HIGHEST_BEAM_keV = 200.0, 30.0, 400.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MapReading:
    """A map, which signal it was, and what the user should know (sentences)."""

    image: SpectrumImage
    signal: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpectrumReading:
    """A spectrum, which signal it was, the elements listed, and what the user should know."""

    spectrum: Spectrum
    signal: int
    elements: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileDescription:
    """What a file holds, and what would be taken from it. `map` and `spectrum` as in `to_json`."""

    file: str
    format: str
    signals: tuple[dict[str, Any], ...]
    map: dict[str, Any] | None = None
    spectrum: dict[str, Any] | None = None
    warnings: tuple[str, ...] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        """The content of `endmember info --json`: plain dicts, lists, strings and numbers."""
        return {
            "file": self.file,
            "format": self.format,
            "signals": [dict(signal) for signal in self.signals],
            "map": self.map,
            "spectrum": self.spectrum,
            "warnings": list(self.warnings),
        }

    def to_text(self) -> str:
        """The same for people, one fact a line."""
        lines = [f"{self.file} ({self.format})"]
        for signal in self.signals:
            size = " x ".join(map(str, signal["shape"]))
            title = signal["title"] or "untitled"
            lines.append(f"  signal {signal['index']}: {title}, {signal['kind']}, {size}")
        for name, taken in (("map", self.map), ("spectrum", self.spectrum)):
            if taken is not None:
                lines.append(f"taken as the {name}: signal {taken['index']}")
                lines += [_fact_line(*fact) for fact in taken.items() if fact[0] not in _UNTOLD]
                lines += [f"  warning: {sentence}" for sentence in taken["warnings"]]
        lines += [f"warning: {sentence}" for sentence in self.warnings]
        return "\n".join(lines)


_UNTOLD = ("index", "warnings")


def _fact_line(name: str, value: Any) -> str:
    if value is None:
        shown = "unknown"
    elif name == "shape" and len(value) == 3:
        shown = f"{value[1]} pixels wide, {value[0]} high, {value[2]} channels"
    elif isinstance(value, list):
        shown = (" x " if name == "shape" else ", ").join(map(str, value)) or "none"
    else:
        shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"  {name}: {shown}"


def _listed(signals: Sequence[Signal]) -> str:
    shown = [str(signal) for signal in signals[:LISTED_SIGNALS]]
    more = len(signals) - len(shown)
    return "; ".join(shown) + (f" and {more} more" if more else "")


def _rows_at_once(data: Any) -> int:
    """Rows (first axis) of a block: whole chunks of the file, since each is decoded anew."""
    row_bytes = max(1, int(data.shape[1]) * int(data.shape[2]) * int(data.dtype.itemsize))
    rows = BLOCK_BYTES // row_bytes
    if hasattr(data, "chunks"):
        chunk = int(data.chunks[0][0])
        rows = max(chunk, rows // chunk * chunk)
    return max(1, min(rows, LARGEST_BLOCK_BYTES // row_bytes))


def _row_blocks(signal: Signal, report: Report = silent) -> Iterator[npt.NDArray[np.generic]]:
    """Dense blocks of some rows (rows, columns, channels), energy last."""
    order = (signal.rows_axis, signal.columns_axis, signal.energy_axis)
    data = signal.data.transpose(order)
    rows = _rows_at_once(data)
    for first in range(0, data.shape[0], rows):
        report(first / data.shape[0])
        block = data[first : first + rows]
        if hasattr(block, "compute"):
            block = block.compute(scheduler="synchronous")
        if hasattr(block, "todense"):
            block = block.todense()
        yield np.asarray(block)


def _total(signal: Signal, report: Report) -> float:
    if signal.kind != "map":
        return float(np.asarray(signal.data, dtype=np.float64).sum())
    return float(sum(block.sum(dtype=np.float64) for block in _row_blocks(signal, report)))


def _why_none(content: FileContent, wanted: str) -> UnreadableFile:
    """Say what is in the file instead of the map or spectrum that was wanted."""
    kinds = {signal.kind for signal in content.signals}
    remarks = "".join(f" {remark}" for remark in content.remarks)
    listed = _listed(content.signals)
    if "EELS" in kinds:
        return UnreadableFile(
            f"{content.path}: this is EELS, energy loss and not X-rays ({listed}); "
            "open an EDXS file."
        )
    if "line scan" in kinds and wanted == "map":
        return UnreadableFile(
            f"{content.path}: there is a line scan but no map in it ({listed}); "
            "open a file with a spectrum image."
        )
    single = ""
    if "spectrum" in kinds and wanted == "map":
        single = "; a single spectrum is quantified by 'endmember quantify'"
    return UnreadableFile(
        f"{content.path}: there is no EDXS {wanted} in it, only {listed}; "
        f"open a file that holds one{single}.{remarks}"
    )


def _chosen(
    content: FileContent, kind: str, index: int | None, report: Report = silent
) -> tuple[Signal, tuple[str, ...]]:
    """The signal the user named, or the one with most counts (the last of equals)."""
    candidates = [s for s in content.signals if s.kind == kind]
    if index is not None:
        for signal in candidates:
            if signal.index == index:
                return signal, ()
        raise UnreadableFile(
            f"{content.path}: signal {index} is not an EDXS {kind}; "
            f"the file holds {_listed(content.signals)}."
        )
    if not candidates:
        raise _why_none(content, kind)
    if len(candidates) == 1:
        return candidates[0], ()
    best = max(candidates, key=lambda s: (_total(s, report), s.index))
    return best, (
        (
            f"The file holds {len(candidates)} signals that could be the {kind} "
            f"({_listed(candidates)}): signal {best.index} with the most counts is taken; "
            "choose another with 'signal'."
        ),
    )


def _companions(content: FileContent, chosen: Signal) -> dict[str, npt.NDArray[np.generic]]:
    """Images of the map's size by title, numbered where a title comes twice."""
    images: dict[str, npt.NDArray[np.generic]] = {}
    size = (chosen.shape[chosen.rows_axis or 0], chosen.shape[chosen.columns_axis or 0])
    for signal in content.signals:
        if signal.kind != "image" or signal.shape != size or signal.data.dtype.kind not in "uif":
            continue
        name = title = signal.title or f"image {signal.index}"
        number = 1
        while name in images:
            number += 1
            name = f"{title} {number}"
        images[name] = np.asarray(signal.data)
    return images


def _checked_size(content: FileContent, signal: Signal) -> None:
    if 0 in signal.shape:
        size = " x ".join(map(str, signal.shape))
        raise UnreadableFile(
            f"{content.path}: signal {signal.index} has a size of {size}, that is no channels or "
            "no pixels; export it anew."
        )


def _facts_of(content: FileContent, signal: Signal) -> Facts:
    _checked_size(content, signal)
    try:
        return read_facts(signal, content.format)
    except ValueError as error:
        raise UnreadableFile(f"{content.path}: {error}.") from error


def _zero_peak_warning(share: float) -> tuple[str, ...]:
    if share < LARGE_ZERO_PEAK:
        return ()
    return (
        (
            f"{share:.1%} of all counts lie below {ZERO_PEAK_ENDS_KEV} keV "
            "(the detector's zero peak): keep energy_range_keV above it."
        ),
    )


def _zero_peak_share(counts: npt.NDArray[np.float64], facts: Facts) -> float:
    total = counts.sum()
    return float(counts[facts.axis.centres < ZERO_PEAK_ENDS_KEV].sum() / total) if total else 0.0


def _empty(path: Path, kind: str) -> UnreadableFile:
    return UnreadableFile(
        f"{path}: every count of its {kind} is zero (an empty, cut-off or line-scan file); "
        "open another file."
    )


def _image(content: FileContent, signal: Signal, facts: Facts, report: Report) -> SpectrumImage:
    columns = signal.shape[signal.columns_axis or 0]
    try:
        image = SpectrumImage.from_blocks(_row_blocks(signal, report), columns, facts.axis)
    except ValueError as error:
        raise UnreadableFile(
            f"{content.path}: signal {signal.index} is not a map of counts ({error}); "
            "export the raw counts."
        ) from error
    if image.total == 0:
        raise _empty(content.path, "map")
    return replace(
        image,
        pixel_size_nm=facts.pixel_size_nm,
        beam_energy_keV=facts.beam_energy_keV,
        take_off_angle_deg=facts.take_off_angle_deg,
        live_time_s=facts.live_time_s,
        elements=facts.elements,
        images=_companions(content, signal),
    )


def _map_of(content: FileContent, index: int | None, report: Report = silent) -> MapReading:
    signal, said = _chosen(content, "map", index, part_of(report, 0.0, 0.2))
    facts = _facts_of(content, signal)
    image = _image(content, signal, facts, part_of(report, 0.2, 1.0))
    report(1.0)
    share = _zero_peak_share(image.spectrum().counts, facts)
    warnings = (*said, *content.remarks, *facts.warnings, *_zero_peak_warning(share))
    return MapReading(image, signal.index, warnings)


def _spectrum_of(content: FileContent, index: int | None) -> SpectrumReading:
    signal, said = _chosen(content, "spectrum", index)
    facts = _facts_of(content, signal)
    counts = np.array(signal.data, dtype=np.float64)
    if not np.all(np.isfinite(counts)):
        raise UnreadableFile(
            f"{content.path}: its spectrum holds values that are no numbers; export it anew."
        )
    if not counts.any():
        raise _empty(content.path, "spectrum")
    if counts.min() < 0:
        said = (*said, "Some channels are negative: this is a processed spectrum, not raw counts.")
    spectrum = Spectrum(
        counts, facts.axis, facts.beam_energy_keV, facts.take_off_angle_deg, facts.live_time_s
    )
    share = _zero_peak_share(counts, facts)
    warnings = (*said, *content.remarks, *facts.warnings, *_zero_peak_warning(share))
    return SpectrumReading(spectrum, signal.index, facts.elements, warnings)


def _with_file(path: str | Path, work: Callable[[FileContent], T], choice: Choice = NO_CHOICE) -> T:
    """Open, work, close; whatever a reader raises, at once or lazily, becomes a sentence."""
    content = open_signals(path, choice)
    try:
        with quiet_readers():
            return work(content)
    except Cancelled:
        raise
    except Exception as error:
        raise guarded(content.path, error) from error
    finally:
        close(content)


def open_map(
    path: str | Path,
    signal: int | None = None,
    report: Report = silent,
    choice: Choice = NO_CHOICE,
) -> MapReading:
    """Read the map of a file together with what is to be known about it; see `read_map`.

    `choice` names an array that is the map, or frames and detectors. `report` is called before
    each block of rows; the `Cancelled` it raises closes the file.
    """
    return _with_file(path, lambda content: _map_of(content, signal, report), choice)


def open_spectrum(path: str | Path, signal: int | None = None) -> SpectrumReading:
    """Read the spectrum of a file with what is to be known about it; see `read_spectrum`."""
    return _with_file(path, lambda content: _spectrum_of(content, signal))


def read_map(path: str | Path, signal: int | None = None) -> SpectrumImage:
    """Read the EDXS map of a file, over its whole energy axis.

    Parameters
    ----------
    signal
        index of the signal, where a file holds several; by default the map with most counts.

    Raises
    ------
    UnreadableFile
        if there is no such file, or no usable EDXS map in it.
    """
    return open_map(path, signal).image


def read_spectrum(path: str | Path, signal: int | None = None) -> Spectrum:
    """Read the EDXS spectrum of a file, over its whole energy axis.

    Raises
    ------
    UnreadableFile
        if there is no such file, or no usable EDXS spectrum in it.
    """
    return open_spectrum(path, signal).spectrum


def _number(total: float) -> int | float:
    return int(total) if float(total).is_integer() else float(total)


def _common(spectrum: Spectrum, index: int) -> dict[str, Any]:
    total = float(spectrum.counts.sum())
    below = spectrum.axis.centres < ZERO_PEAK_ENDS_KEV
    return {
        "index": index,
        "shape": [spectrum.axis.channels],
        "energy_start_keV": float(spectrum.axis.start_keV),
        "energy_step_keV": float(spectrum.axis.step_keV),
        "beam_energy_keV": spectrum.beam_energy_keV,
        "take_off_angle_deg": spectrum.take_off_angle_deg,
        "live_time_s": spectrum.live_time_s,
        "total_counts": _number(total),
        "zero_peak_fraction": float(spectrum.counts[below].sum() / total) if total else 0.0,
    }


def _lineless(spectrum: Spectrum, elements: Sequence[str]) -> list[str]:
    """A sentence for the listed elements that have no line where spectra are fitted by default."""
    from endmember.core.cross_sections import atomic_number
    from endmember.core.lines import default_family

    axis = spectrum.axis
    low, high = max(USUAL_RANGE_keV[0], axis.start_keV), min(USUAL_RANGE_keV[1], axis.stop_keV)
    # which shells a slower beam does not reach is told where the spectrum is fitted
    beam = spectrum.beam_energy_keV or USUAL_BEAM_keV
    beam = beam if LOWEST_BEAM_keV <= beam <= HIGHEST_BEAM_keV else USUAL_BEAM_keV
    lineless = []
    for element in elements:
        try:
            atomic_number(element)
        except ValueError:  # files list what people typed
            continue
        if default_family(element, beam, low, high) is None:
            lineless.append(element)
    if not lineless:
        return []
    have = "has" if len(lineless) == 1 else "have"
    sentence = (
        f"{', '.join(lineless)} {have} no line between {low:.2f} and {high:.2f} keV and cannot be "
        "quantified there: widen the energy range if the spectrum holds one, or leave it out."
    )
    return [sentence]


def _map_json(reading: MapReading) -> dict[str, Any]:
    image = reading.image
    return _common(image.spectrum(), reading.signal) | {
        "shape": list(image.shape),
        "pixel_size_nm": image.pixel_size_nm,
        "total_counts": image.total,
        "elements": list(image.elements),
        "images": list(image.images),
        "warnings": [*reading.warnings, *_lineless(image.spectrum(), image.elements)],
    }


def _spectrum_json(reading: SpectrumReading) -> dict[str, Any]:
    return _common(reading.spectrum, reading.signal) | {
        "elements": list(reading.elements),
        "warnings": [*reading.warnings, *_lineless(reading.spectrum, reading.elements)],
    }


def _signal_json(signal: Signal) -> dict[str, Any]:
    return {
        "index": signal.index,
        "title": signal.title,
        "kind": signal.kind,
        "shape": list(signal.shape),
        "dtype": str(signal.data.dtype),
    }


def _description(content: FileContent) -> FileDescription:
    kinds = {signal.kind for signal in content.signals}
    description = FileDescription(
        str(content.path), content.format, tuple(map(_signal_json, content.signals))
    )
    try:
        if "map" in kinds or "spectrum" not in kinds:
            return replace(description, map=_map_json(_map_of(content, None)))
        reading = _spectrum_of(content, None)
        return replace(
            description,
            spectrum=_spectrum_json(reading),
            warnings=("There is no map in this file, only single spectra.",),
        )
    except UnreadableFile as error:
        return replace(description, warnings=(str(error),))


def describe(path: str | Path) -> FileDescription:
    """Say what is in a file, and which signal would be taken as the map (or the spectrum).

    A file that opens but holds nothing usable is described, with the reason among the warnings.

    Raises
    ------
    UnreadableFile
        if the file is missing, of unknown type, damaged, or holds no signal.
    """
    try:
        return _with_file(path, _description)
    except UnreadableFile as error:
        if not asks_for_dataset(str(error)):
            raise
        return FileDescription(
            str(path), "arrays", listed_as_signals(path), None, None, (hint(path),)
        )
