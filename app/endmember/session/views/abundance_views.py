"""The abundances of a map as they are looked at: maps, phases mixed as colours, missed places.

For the eyes only, except the phase fractions, which come from the step as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from endmember.core.counts.spectrum import EnergyAxis, FloatArray
from endmember.core.display.map_display import mixed_colours, smoothed
from endmember.session.decisions.recipe import Box

if TYPE_CHECKING:  # slow libraries are imported where they are needed, not when a window starts
    from endmember.session.steps.chain import MapAbundance
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks, MapPhases

Rgb = tuple[int, int, int]
Normalisation = Literal["area", "peak"]
AROUND_PX = 6  # matrix on every side of a missed precipitate, in analysed pixels
RESIDUAL_LEVELS = (0.7, 1.3)  # always within the scale, so that noise is not made to look like more


@dataclass(frozen=True, eq=False, slots=True)
class AbundanceView:
    """Abundances ready to be shown. `maps` (K, rows, columns) and `residual` are smoothed.

    `mixed` (rows, columns, 3) holds the colours of the phases mixed by abundance;
    `median_residual` is that of the residual as it was measured.
    """

    phases: tuple[str, ...]
    maps: FloatArray
    mixed: npt.NDArray[np.uint8]
    residual: FloatArray
    residual_levels: tuple[float, float]
    median_residual: float


def abundance_view(
    found: MapAbundance, colours: Sequence[Rgb], smoothing_px: float
) -> AbundanceView:
    """The abundance maps smoothed for display, with one colour for each phase."""
    maps = np.array([smoothed(values, smoothing_px) for values in found.abundance.maps])
    residual = smoothed(found.abundance.residual, smoothing_px)
    known = found.abundance.residual[np.isfinite(found.abundance.residual)]
    return AbundanceView(
        found.phases,
        maps,
        mixed_colours(maps, colours),
        residual,
        _residual_levels(residual),
        float(np.median(known)) if known.size else math.nan,
    )


def _residual_levels(residual: FloatArray) -> tuple[float, float]:
    values = residual[np.isfinite(residual)]
    if not values.size:
        return RESIDUAL_LEVELS
    low, high = (float(v) for v in np.percentile(values, (0.5, 99.7)))
    return min(low, RESIDUAL_LEVELS[0]), max(high, RESIDUAL_LEVELS[1])


@dataclass(frozen=True, slots=True)
class MissedPlace:
    """A patch of the pure matrix that looks like a precipitate, in uncropped pixels.

    `point` is its centre and `box` a loose rectangle round it; `pixels` are analysed ones.
    """

    phase: str
    point: tuple[float, float]
    box: Box
    pixels: int


def missed_places(data: MapData, masks: MapMasks, found: MapAbundance) -> tuple[MissedPlace, ...]:
    """The places that the step warns of, phase by phase, the largest first."""
    from endmember.core.masks.purity import missed_precipitates
    from endmember.session.views.precipitate_rectangles import analysed_box, kept_on_map, uncropped

    bounds, entry = analysed_box(data), data.entry
    places = []
    for phase, values in zip(found.phases[1:], found.abundance.maps[1:], strict=True):
        if phase not in masks.partition.mixtures:
            continue
        for patch in missed_precipitates(values, masks.partition):
            half = math.ceil(math.sqrt(patch.pixels / math.pi)) + AROUND_PX
            left, top = patch.x - half, patch.y - half
            around = uncropped(entry, (left, top, 2 * half + 1, 2 * half + 1))
            box = kept_on_map(around, bounds)
            pixel = uncropped(entry, (patch.x, patch.y, 1, 1))
            if box is not None:
                centre = pixel[0] + entry.rebin / 2, pixel[1] + entry.rebin / 2
                places.append(MissedPlace(phase, centre, box, patch.pixels))
    return tuple(places)


@dataclass(frozen=True, eq=False, slots=True)
class EndmemberSpectrum:
    """The normalised spectrum (C,) of a pure phase, with the error (C,) of each channel."""

    phase: str
    values: FloatArray
    sigma: FloatArray


def endmember_spectra(
    phases: MapPhases, matrix: str, normalisation: Normalisation
) -> tuple[EnergyAxis, tuple[EndmemberSpectrum, ...]]:
    """The spectra that the abundances were made with, on one scale, and their energy axis.

    By "area" each sums to 1; by "peak" the highest channel of each is 1.
    """
    measured = phases.matrix.fit.spectrum
    spectra = [(matrix, measured.counts, np.sqrt(np.maximum(measured.counts, 0.0)))]
    for name, done in phases.subtractions.items():
        covariance = done.spectrum.covariance
        variance = np.zeros_like(measured.counts) if covariance is None else covariance.variance
        spectra.append((name, done.spectrum.counts, np.sqrt(variance)))
    found = []
    for name, counts, sigma in spectra:
        whole = counts.sum() if normalisation == "area" else counts.max(initial=0.0)
        scale = 1.0 / float(whole) if whole > 0 else 1.0
        found.append(EndmemberSpectrum(name, counts * scale, sigma * scale))
    return measured.axis, tuple(found)
