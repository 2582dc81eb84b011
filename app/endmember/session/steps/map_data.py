"""A map as the recipe asks for it: read, cropped, rebinned, cut to its energy range."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from endmember.core.counts.spectrum_image import BoolArray, SpectrumImage
from endmember.core.masks.regions import Rectangle, pixel_box, region_mask
from endmember.core.progress import Report, part_of, silent
from endmember.session.decisions.recipe import Exclude, Instrument, MapInput, Roi, changed
from endmember.session.decisions.shapes import region_on
from endmember.session.steps.map_reading import Reading

LEAST_BEAM_ENERGY_keV = 40.0
DIGESTED_BYTES = 4_000_000  # read and digested at once

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, eq=False, slots=True)
class MapData:
    """One map ready for the method.

    `image` is cropped, rebinned and cut to the energy range; `full_shape` is (rows, columns) of the
    file; `sha256` that of the file. `entry` holds what decides these; see `steps`.
    """

    entry: MapInput
    image: SpectrumImage
    full_shape: tuple[int, int]
    sha256: str
    warnings: tuple[str, ...]

    @property
    def reading(self) -> Reading:
        """How the map was read, by which the results made of it know it."""
        entry = self.entry
        return Reading(
            self.sha256, entry.signal, entry.choice, entry.crop, entry.rebin, self.image.axis
        )

    @property
    def place(self) -> tuple[float, float, float, float]:
        """Where the analysed map lies on the uncropped one, in its pixels: x, y, width, height."""
        (x, y), rebin = self.entry.origin, self.entry.rebin
        width, height = self.image.columns * rebin, self.image.rows * rebin
        return float(x), float(y), float(width), float(height)

    @property
    def full_pixel_size_nm(self) -> float | None:
        """The size of a pixel of the uncropped map in nm, None where it is not known."""
        size = self.image.pixel_size_nm
        return None if size is None else size / self.entry.rebin

    def pixel_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Row and column of the analysed map at a point of the uncropped one, None outside."""
        left, top = self.entry.origin
        row = int((y - top) // self.entry.rebin)
        column = int((x - left) // self.entry.rebin)
        inside = 0 <= row < self.image.rows and 0 <= column < self.image.columns
        return (row, column) if inside else None

    def on_full_map(self, array: npt.NDArray[Scalar], outside: float | bool) -> npt.NDArray[Scalar]:
        """An array (rows, columns) of the analysed map on the pixels of the whole file."""
        rebin = self.entry.rebin
        grown = np.repeat(np.repeat(array, rebin, axis=0), rebin, axis=1)
        full = np.full(self.full_shape, outside, dtype=array.dtype)
        x, y = self.entry.origin
        full[y : y + grown.shape[0], x : x + grown.shape[1]] = grown
        return full


def load_map(report: Report, entry: MapInput, instrument: Instrument) -> MapData:
    """Read a map and do with it what the recipe says.

    Raises
    ------
    ValueError
        if the file cannot be used, a fact it lacks is not in the recipe, or a shape misses the map.
    """
    from endmember.files.reading.reader import open_map

    report(0.0)
    reading = open_map(Path(entry.file), entry.signal, part_of(report, 0.0, 0.8), entry.choice)
    axis = reading.image.axis.recalibrated(*entry.recalibration)
    whole, told = replace(reading.image, axis=axis), reading.warnings
    image = replace(
        whole,
        pixel_size_nm=_chosen(entry.pixel_size_nm, whole.pixel_size_nm),
        beam_energy_keV=_chosen(instrument.beam_energy_keV, whole.beam_energy_keV),
        take_off_angle_deg=_chosen(instrument.take_off_angle_deg, whole.take_off_angle_deg),
    )
    _check_facts(image, entry)
    clipped: tuple[str, ...] = ()
    if entry.crop is not None:
        box, clipped = pixel_box(
            (image.rows, image.columns), Rectangle(*entry.crop), f"crop {list(entry.crop)}"
        )
        image = image.crop(*box)
        entry = changed(entry, crop=box)
    low, high = instrument.energy_range_keV
    report(0.83)
    image = image.between(low, high)
    report(0.86)
    if image.total == 0:
        raise ValueError(
            f"{entry.file}: no counts lie between {low:g} and {high:g} keV "
            f"(the axis runs from {whole.axis.start_keV:.3g} to {whole.axis.stop_keV:.3g} keV): "
            "correct energy_range_keV"
        )
    kept = image.total  # before rebinning, which cuts the pixels that fill no block
    if entry.rebin > 1:
        image = image.rebin(entry.rebin)
    report(0.9)
    warnings = [*_still_open(told, image), *clipped]
    if whole.axis.start_keV < low:
        cut = 1.0 - kept / max(whole.total, 1) if entry.crop is None else None
        share = "" if cut is None else f" ({100 * cut:.1f} % of all counts lie outside the range)"
        warnings.append(f"everything below {low:g} keV is cut, the zero peak included{share}")
    named = tuple(f'map "{entry.name}": {sentence}' for sentence in warnings)
    digest = file_digest(entry.file, part_of(report, 0.9, 1.0))
    return MapData(entry, image, (whole.rows, whole.columns), digest, named)


def roi_mask(data: MapData, roi: Roi, excluded: BoolArray) -> tuple[BoolArray, tuple[str, ...]]:
    """The pixels of a region of interest that are not excluded, and warnings."""
    shape = data.image.rows, data.image.columns
    name = f'the region "{roi.name}" on map "{data.entry.name}"'
    mask, warnings = region_mask(shape, region_on(data.entry, roi), name)
    mask = mask & ~excluded
    if not mask.any():
        raise ValueError(f"{name} lies wholly in excluded pixels: move it or the exclusion")
    return mask, warnings


def _chosen(asked: float | None, given: float | None) -> float | None:
    return given if asked is None else float(asked)


def _check_facts(image: SpectrumImage, entry: MapInput) -> None:
    beam = image.beam_energy_keV
    if beam is None:
        raise ValueError(
            f"{entry.file}: the file does not say the beam energy: type it at the side of the "
            "Map page, or give beam_energy_keV under [instrument]"
        )
    if not LEAST_BEAM_ENERGY_keV <= beam <= 400.0:
        raise ValueError(
            f"{entry.file}: the beam energy of {beam:g} keV is outside 40 to 400 keV, for which "
            "thin-film quantification holds: use a STEM map, or correct beam_energy_keV under "
            "[instrument]"
        )


def _still_open(told: tuple[str, ...], image: SpectrumImage) -> list[str]:
    """The reader's warnings, without those on facts that the recipe has supplied."""
    settled = []
    if image.beam_energy_keV is not None:
        settled.append("beam energy is unknown")
    if image.pixel_size_nm is not None:
        settled.append("pixel size is unknown")
    if image.take_off_angle_deg is not None:
        settled.append("take-off angle is unknown")
    return [sentence for sentence in told if not any(fact in sentence for fact in settled)]


def excluded_mask(data: MapData, shapes: Sequence[Exclude]) -> tuple[BoolArray, tuple[str, ...]]:
    """The pixels (rows, columns) of all exclusions together, and warnings.

    Raises
    ------
    ValueError
        if an exclusion misses the map, or together they cover all of it.
    """
    entry, shape = data.entry, (data.image.rows, data.image.columns)
    excluded = np.zeros(shape, dtype=bool)
    warnings: list[str] = []
    for number, drawn in enumerate(shapes, start=1):
        name = f'exclusion {number} on map "{entry.name}"'
        mask, clipped = region_mask(shape, region_on(entry, drawn), name)
        excluded |= mask
        warnings.extend(clipped)
    if excluded.all():
        raise ValueError(f'map "{entry.name}": everything is excluded: remove a [[map.exclude]]')
    excluded.flags.writeable = False
    return excluded, tuple(warnings)


def file_digest(file: str, report: Report = silent) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    path = Path(file)
    size, done, digest = max(path.stat().st_size, 1), 0, hashlib.sha256()
    with path.open("rb") as stream:
        while part := stream.read(DIGESTED_BYTES):
            digest.update(part)
            done += len(part)
            report(min(done / size, 1.0))
    return digest.hexdigest()
