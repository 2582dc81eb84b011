"""Reading maps and spectra, and saying what a file holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.progress import Report, silent
from endmember.files.reading.axis_letters import asks_for_dataset
from endmember.files.reading.choice import NO_CHOICE, Choice
from endmember.files.reading.unreadable import UnreadableFile

if TYPE_CHECKING:
    from endmember.files.reading import messages as messages
    from endmember.files.reading.datasets import Dataset
    from endmember.files.reading.watch import Outcome

__all__ = [
    "FileDescription",
    "MapReading",
    "SpectrumReading",
    "UnreadableFile",
    "dataset_choices",
    "describe",
    "map_choices",
    "open_map",
    "open_spectrum",
    "read_map",
    "read_spectrum",
]

LARGEST_BLOCK_BYTES = 64_000_000
ZERO_PEAK_ENDS_KEV = 0.15


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


def _asked(
    wanted: messages.Wanted,
    path: str | Path,
    signal: int | None = None,
    report: Report = silent,
    choice: Choice = NO_CHOICE,
) -> Outcome:
    from endmember.files.reading.watch import read

    return read(wanted, Path(path), signal, report, LARGEST_BLOCK_BYTES, choice)


def _axis(facts: messages.Facts) -> EnergyAxis:
    return EnergyAxis(facts.axis.start_keV, facts.axis.step_keV, facts.axis.channels)


def open_map(
    path: str | Path,
    signal: int | None = None,
    report: Report = silent,
    choice: Choice = NO_CHOICE,
) -> MapReading:
    """Read the map of a file together with what is to be known about it; see `read_map`.

    `choice` names an array that is the map, or frames and detectors.

    The file is read in another process, whose counts this one shares. `report` is called before
    each block of rows, and several times a second; the `Cancelled` it raises ends the reading.
    """
    from endmember.files.reading import messages as messages
    from endmember.files.reading.watch import checked_counts

    reply, arrays = _asked("map", path, signal, report, choice)
    assert isinstance(reply, messages.MapAnswer)
    facts = reply.facts
    starts, channels, counts, *images = arrays
    checked_counts(starts, channels, counts, facts.axis.channels)
    image = SpectrumImage(
        starts,
        channels,
        counts,
        reply.rows,
        reply.columns,
        _axis(facts),
        reply.pixel_size_nm,
        facts.beam_energy_keV,
        facts.take_off_angle_deg,
        facts.live_time_s,
        facts.elements,
        dict(zip(reply.images, images, strict=True)),
    )
    return MapReading(image, facts.signal, facts.warnings)


def open_spectrum(path: str | Path, signal: int | None = None) -> SpectrumReading:
    """Read the spectrum of a file with what is to be known about it; see `read_spectrum`."""
    from endmember.files.reading import messages as messages

    reply, (counts,) = _asked("spectrum", path, signal)
    assert isinstance(reply, messages.SpectrumAnswer)
    facts = reply.facts
    spectrum = Spectrum(
        counts, _axis(facts), facts.beam_energy_keV, facts.take_off_angle_deg, facts.live_time_s
    )
    return SpectrumReading(spectrum, facts.signal, facts.elements, facts.warnings)


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


def describe(path: str | Path) -> FileDescription:
    """Say what is in a file, and which signal would be taken as the map (or the spectrum).

    A file that opens but holds nothing usable is described, with the reason among the warnings.

    Raises
    ------
    UnreadableFile
        if the file is missing, of unknown type, damaged, or holds no signal.
    """
    try:
        data = _asked("description", path).reply.data  # type: ignore[union-attr]
    except UnreadableFile as error:
        if not asks_for_dataset(str(error)):
            raise
        from endmember.files.reading.datasets import hint, listed_as_signals

        found = dataset_choices(path)
        return FileDescription(
            str(path), "arrays", listed_as_signals(found), None, None, (hint(path, found),)
        )
    return FileDescription(
        data["file"],
        data["format"],
        tuple(data["signals"]),
        data["map"],
        data["spectrum"],
        tuple(data["warnings"]),
    )


def map_choices(path: str | Path) -> tuple[dict[str, Any], ...]:
    """The signals of a file as in `endmember info --json`, the maps with all their `counts`.

    Raises
    ------
    UnreadableFile
        if the file is missing, of unknown type, damaged, or holds no signal.
    """
    return tuple(_asked("signals", path).reply.data)  # type: ignore[union-attr]


def dataset_choices(path: str | Path) -> tuple[Dataset, ...]:
    """The arrays of a file that does not say which is the map; see `datasets.list_datasets`.

    Raises
    ------
    UnreadableFile
        if the file is missing, of another kind, damaged, or holds no array.
    """
    from endmember.files.reading.datasets import Dataset

    listed = _asked("datasets", path).reply.data  # type: ignore[union-attr]
    return tuple(Dataset(name, tuple(shape), dtype, why) for name, shape, dtype, why in listed)
