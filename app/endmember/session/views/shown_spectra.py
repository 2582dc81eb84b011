"""The spectra that a person can look at, each by a name: whole map, regions, phases, components."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from endmember.session.decisions.recipe import Recipe, Roi

if TYPE_CHECKING:
    from collections.abc import Callable

    from endmember.core.counts.spectrum import EnergyAxis, FloatArray
    from endmember.session.steps.map_data import MapData

WHOLE, MATRIX = "whole map", "matrix"
ROI, MIXTURE, ENDMEMBER, COMPONENT = "roi ", "mixture ", "endmember ", "component "


@dataclass(frozen=True, eq=False, slots=True)
class ShownSpectrum:
    """Counts (C,) summed over `pixels`; `sigma` (C,) where it carries errors of its own."""

    name: str
    axis: EnergyAxis
    counts: FloatArray
    pixels: int | None
    sigma: FloatArray | None = None


def spectrum_names(recipe: Recipe, map_name: str) -> Iterator[str]:
    """The names of all spectra that today's recipe has for a map."""
    yield WHOLE
    for roi in recipe.map_named(map_name).rois:
        yield ROI + roi.name
    if recipe.precipitates:
        yield MATRIX
    for precipitate in recipe.precipitates:
        yield MIXTURE + precipitate.name
        yield ENDMEMBER + precipitate.name
    for number in range(recipe.decomposition.components):
        yield COMPONENT + str(number)


def title_of(name: str, recipe: Recipe) -> str:
    """How a spectrum is called in the window."""
    matrix = recipe.sample.matrix
    if name == MATRIX:
        return f"{matrix} (matrix mask)"
    if name.startswith(ROI):
        return f"ROI {name.removeprefix(ROI)}"
    if name.startswith(MIXTURE):
        return f"{name.removeprefix(MIXTURE)}+{matrix} (mixture)"
    if name.startswith(ENDMEMBER):
        return f"{name.removeprefix(ENDMEMBER)} (matrix subtracted)"
    if name.startswith(COMPONENT):
        return f"component #{name.removeprefix(COMPONENT)}"
    return name


def region_spectrum(data: MapData, region: Roi) -> ShownSpectrum:
    """The spectrum of a region of interest, excluded pixels included.

    Raises
    ------
    ValueError
        if the region covers no pixel of the map.
    """
    from endmember.session.steps.map_data import roi_mask

    nothing = np.zeros((data.image.rows, data.image.columns), dtype=bool)
    mask, _ = roi_mask(data, region, nothing)
    counts = data.image.spectrum(mask).counts
    return ShownSpectrum(ROI + region.name, data.image.axis, counts, int(mask.sum()))


def shown_spectrum(
    name: str, recipe: Recipe, data: MapData, result: Callable[[str], Any]
) -> ShownSpectrum | None:
    """A spectrum by its name; None where the step it comes from has no result.

    `result` gives the value of a step for this map, or None; it may be older than `data` and have
    another energy range. Raises ValueError as `region_spectrum`.
    """
    axis = data.image.axis
    if name == WHOLE:
        return ShownSpectrum(
            name, axis, data.image.spectrum().counts, data.image.rows * data.image.columns
        )
    if name.startswith(ROI):
        wanted = name.removeprefix(ROI)
        rois = [r for r in recipe.map_named(data.entry.name).rois if r.name == wanted]
        return region_spectrum(data, rois[0]) if rois else None
    if name.startswith(COMPONENT):
        return _component(name, data, result("decomposition"))
    return _of_phase(name, result("masks"), result("subtraction"))


def _component(name: str, data: MapData, decomposed: Any) -> ShownSpectrum | None:
    number = int(name.removeprefix(COMPONENT))
    if decomposed is None or number >= len(decomposed.found.spectra):
        return None
    if not decomposed.fits(data):
        return None  # a new one is on its way
    from endmember.core.counts.energy_axes import shared_out

    found, axis = decomposed.found, data.image.axis
    (unit,) = shared_out(found.spectra[number : number + 1], found.axis or axis, axis)
    counts = unit * float(decomposed.maps_of(data.entry.name)[number].sum())
    return ShownSpectrum(name, data.image.axis, counts, None)


def _of_phase(name: str, masks: Any, phases: Any) -> ShownSpectrum | None:
    if masks is None or phases is None:
        return None
    part = masks.partition
    if name == MATRIX:
        found = phases.matrix.fit.spectrum
        return ShownSpectrum(name, found.axis, found.counts, int(part.matrix.sum()))
    precipitate = name.removeprefix(MIXTURE).removeprefix(ENDMEMBER)
    if precipitate not in part.mixtures:
        return None
    pixels = int(part.mixtures[precipitate].sum())
    if name.startswith(MIXTURE) and precipitate in phases.mixtures:
        found = phases.mixtures[precipitate].fit.spectrum
        return ShownSpectrum(name, found.axis, found.counts, pixels)
    if name.startswith(ENDMEMBER) and precipitate in phases.subtractions:
        spectrum = phases.subtractions[precipitate].spectrum
        sigma = np.sqrt(spectrum.covariance.variance)
        return ShownSpectrum(name, spectrum.axis, spectrum.counts, pixels, sigma)
    return None
