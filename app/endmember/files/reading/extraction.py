"""What is taken from a file, in the process that touches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from endmember.core.counts.spectrum import Spectrum
from endmember.core.counts.spectrum_image import Room, SpectrumImage, in_memory
from endmember.core.progress import Cancelled, Report, part_of, parts_of, silent
from endmember.files.reading.choice import NO_CHOICE, Choice
from endmember.files.reading.completeness import doubts, lone_entries
from endmember.files.reading.descriptions import map_json, number_of, signal_json, spectrum_json
from endmember.files.reading.metadata import Facts, read_facts
from endmember.files.reading.reader import (
    ZERO_PEAK_ENDS_KEV,
    FileDescription,
    MapReading,
    SpectrumReading,
)
from endmember.files.reading.signal_choice import chosen_signal, row_blocks, total_of
from endmember.files.reading.signals import (
    FileContent,
    Signal,
    close,
    guarded,
    is_turned,
    open_signals,
    quiet_readers,
)
from endmember.files.reading.unreadable import UnreadableFile

LARGE_ZERO_PEAK = 0.2

T = TypeVar("T")


def _companions(content: FileContent, chosen: Signal) -> dict[str, npt.NDArray[np.generic]]:
    """Images of the map's size by title, numbered where a title comes twice."""
    images: dict[str, npt.NDArray[np.generic]] = {}
    size = (chosen.shape[chosen.rows_axis or 0], chosen.shape[chosen.columns_axis or 0])
    for signal in content.signals:
        if signal.kind != "image" or signal.data.dtype.kind not in "uif":
            continue
        turned = len(signal.axes) == 2 and is_turned(*signal.axes)
        picture = signal.data.T if turned else signal.data
        if tuple(picture.shape) != size:
            continue
        name = title = signal.title or f"image {signal.index}"
        number = 1
        while name in images:
            number += 1
            name = f"{title} {number}"
        images[name] = np.asarray(picture)
    return images


def _checked_size(content: FileContent, signal: Signal) -> None:
    if 0 in signal.shape:
        size = " x ".join(map(str, signal.shape))
        raise UnreadableFile(
            f"{content.path}: signal {signal.index} has a size of {size}, that is no channels or "
            "no pixels; export it anew."
        )


def _doubts(
    content: FileContent, signal: Signal, counts: npt.NDArray[np.float64], facts: Facts
) -> list[str]:
    same_kind = [s.index for s in content.signals if s.kind == signal.kind]
    number = same_kind.index(signal.index)
    return doubts(content.path, content.format, signal.original, number, counts, facts.axis)


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


def _image(
    content: FileContent, signal: Signal, facts: Facts, report: Report, room: Room
) -> SpectrumImage:
    columns = signal.shape[signal.columns_axis or 0]
    try:
        image = SpectrumImage.from_blocks(row_blocks(signal, report), columns, facts.axis, room)
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


def _map_of(
    content: FileContent, index: int | None, report: Report = silent, room: Room = in_memory
) -> MapReading:
    signal, said = chosen_signal(content, "map", index, part_of(report, 0.0, 0.2))
    facts = _facts_of(content, signal)
    image = _image(content, signal, facts, part_of(report, 0.2, 1.0), room)
    report(1.0)
    counts = image.spectrum().counts
    share = _zero_peak_share(counts, facts)
    warnings = (
        *said,
        *content.remarks,
        *_doubts(content, signal, counts, facts),
        *lone_entries(image),
        *facts.warnings,
        *_zero_peak_warning(share),
    )
    return MapReading(image, signal.index, warnings)


def _spectrum_of(content: FileContent, index: int | None) -> SpectrumReading:
    signal, said = chosen_signal(content, "spectrum", index)
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
    warnings = (
        *said,
        *content.remarks,
        *_doubts(content, signal, counts, facts),
        *facts.warnings,
        *_zero_peak_warning(share),
    )
    return SpectrumReading(spectrum, signal.index, facts.elements, warnings)


def _with_file(path: str | Path, work: Callable[[FileContent], T], choice: Choice = NO_CHOICE) -> T:
    """Open, work, close; whatever a reader raises, at once or lazily, becomes a sentence."""
    content: FileContent | None = None
    try:
        content = open_signals(path, choice)
        with quiet_readers():
            return work(content)
    except Cancelled:
        raise
    except Exception as error:
        raise guarded(Path(path), error) from error
    finally:
        if content is not None:
            close(content)


def _description(content: FileContent, report: Report) -> FileDescription:
    kinds = {signal.kind for signal in content.signals}
    description = FileDescription(
        str(content.path), content.format, tuple(map(signal_json, content.signals))
    )
    try:
        if "map" in kinds or "spectrum" not in kinds:
            return replace(description, map=map_json(_map_of(content, None, report)))
        reading = _spectrum_of(content, None)
        return replace(
            description,
            spectrum=spectrum_json(reading),
            warnings=("There is no map in this file, only single spectra.",),
        )
    except UnreadableFile as error:
        return replace(description, warnings=(str(error),))


def map_in(path: Path, index: int | None, report: Report, room: Room, choice: Choice) -> MapReading:
    """The map of a file; its arrays are made by `room`. See `reader.open_map`."""
    return _with_file(path, lambda content: _map_of(content, index, report, room), choice)


def spectrum_in(path: Path, index: int | None) -> SpectrumReading:
    """The spectrum of a file. See `reader.open_spectrum`."""
    return _with_file(path, lambda content: _spectrum_of(content, index))


def description_in(path: Path, report: Report) -> FileDescription:
    """What a file holds. See `reader.describe`."""
    return _with_file(path, lambda content: _description(content, report))


def signals_in(path: Path, report: Report) -> tuple[dict[str, Any], ...]:
    """The signals of a file. See `reader.map_choices`."""
    return _with_file(path, lambda content: _counted(content, report))


def _counted(content: FileContent, report: Report) -> tuple[dict[str, Any], ...]:
    within = parts_of(report, max(len(content.signals), 1))
    return tuple(
        signal_json(signal)
        | ({"counts": number_of(total_of(signal, part))} if signal.kind == "map" else {})
        for signal, part in zip(content.signals, within, strict=False)
    )
