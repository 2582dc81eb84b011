"""The components of a map as they are looked at: maps, spectra, ditches, convergence, roles.

For the eyes only: nothing that is measured comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.display.map_display import smoothed
from endmember.core.fitting.energy_windows import EnergyWindow, line_window, window_maps
from endmember.session.decisions.recipe import Recipe, Role

if TYPE_CHECKING:  # slow libraries are imported where they are needed, not when a window starts
    from endmember.core.unmixing.decomposition import Decomposition
    from endmember.core.unmixing.ditches import Stretches
    from endmember.session.steps.chain import Decomposed
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks


@dataclass(frozen=True, eq=False, slots=True)
class ComponentView:
    """One component. `counts` and `shown` (rows, columns): its map, measured and smoothed.

    `spectrum` (C,) is normalised to its peak and `expected` (C,) is, on the same scale, the
    continuum it would have as its share of that of the summed spectrum; `ditches` (low, high) in
    keV are where it falls far below. `share` is that of all counts of the map, `share_of_all` of
    all maps that were decomposed together.
    """

    number: int
    counts: FloatArray
    shown: FloatArray
    spectrum: FloatArray
    expected: FloatArray
    ditches: Stretches
    share: float
    share_of_all: float

    @property
    def ditch_range(self) -> tuple[float, float]:
        """The values (low, high) between which the ditches are seen."""
        highest = float(self.expected.max(initial=0.0))
        return (0.0, min(2.5 * highest, 1.0)) if highest > 0 else (0.0, 0.05)


def component_views(
    decomposed: Decomposed, data: MapData, smoothing_px: float
) -> tuple[ComponentView, ...]:
    """Every component as it is shown for one map, by its number."""
    from endmember.core.counts.energy_axes import shared_out
    from endmember.core.unmixing.ditches import ditches, expected_continua

    found, axis = decomposed.found, data.image.axis
    spectra = shared_out(found.spectra, found.axis or axis, axis)
    maps = decomposed.maps_of(data.entry.name)
    here = maps.sum(axis=(1, 2))
    everywhere = np.sum([of.sum(axis=(1, 2)) for of in found.maps], axis=0)
    expected = expected_continua(spectra, everywhere, axis)
    empty = ditches(spectra, everywhere, axis, expected)
    peaks = spectra.max(axis=1)
    peaks = np.where(peaks > 0, peaks, 1.0)
    return tuple(
        ComponentView(
            number,
            maps[number],
            smoothed(maps[number], smoothing_px),
            spectra[number] / peaks[number],
            expected[number] / peaks[number],
            empty[number],
            float(here[number] / max(here.sum(), 1.0)),
            float(everywhere[number] / max(everywhere.sum(), 1.0)),
        )
        for number in range(len(spectra))
    )


def loss_curve(found: Decomposition) -> tuple[FloatArray, FloatArray]:
    """Iterations, counted from 1, and how far the loss then lay above its last value, in %.

    Without the iterations that were as good as the last, which a log scale cannot show.
    """
    losses = np.asarray(found.losses, dtype=np.float64)
    if len(losses) == 0:
        return losses, losses
    last = losses[-1]
    above = 100.0 * (losses - last) / abs(last) if last else np.zeros_like(losses)
    better = above > 0
    return np.asarray(np.flatnonzero(better) + 1.0), np.asarray(above[better])


def convergence_sentence(found: Decomposition) -> str:
    """Whether the decomposition came to an end by itself, in words."""
    if found.converged:
        return f"Converged after {found.iterations} iterations."
    return (
        f"Did not converge within {found.iterations} iterations: the component maps may still "
        "change. Try fewer components, or another seed to see whether the maps depend on it."
    )


# --- which component shows what ----------------------------------------------------------------


def users(recipe: Recipe, masks: MapMasks | None) -> dict[int, tuple[str, ...]]:
    """The precipitates that each component shows, as chosen by hand or taken for current masks."""
    found: dict[int, tuple[str, ...]] = {}
    taken: Mapping[str, int] = {} if masks is None else masks.components
    for precipitate in recipe.precipitates:
        number = taken.get(precipitate.name, precipitate.component)
        if number is not None:
            found[number] = (*found.get(number, ()), precipitate.name)
    return found


def proposed_role(number: int, used_by: tuple[str, ...]) -> Role | None:
    """What a component is taken for as long as a person has not said: None for nothing yet."""
    if used_by:
        return "precipitate"
    return "matrix" if number == 0 else None


# --- the map at an energy ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class EnergyMap:
    """The counts (rows, columns) round an energy, in a window as wide as a line there."""

    energy_keV: float
    window: EnergyWindow
    counts: FloatArray
    shown: FloatArray


def energy_map(data: MapData, energy_keV: float, smoothing_px: float) -> EnergyMap:
    """The map of the counts round an energy.

    Raises
    ------
    ValueError
        if no channel lies there.
    """
    window = line_window(energy_keV)
    counts = window_maps(data.image, [window])[0]
    return EnergyMap(energy_keV, window, counts, smoothed(counts, smoothing_px))


def whole_spectrum(data: MapData) -> FloatArray:
    """The summed spectrum (C,) of a map, normalised to its peak."""
    counts = data.image.spectrum().counts
    return np.asarray(counts / max(float(counts.max(initial=0.0)), 1.0))
