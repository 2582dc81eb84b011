"""Mean counts of K lines over a smooth continuum, as a detector would have them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from endmember.core.counts.spectrum import EnergyAxis, FloatArray
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import family_lines


def expected_counts(axis: EnergyAxis, areas: Mapping[str, float], continuum: float) -> FloatArray:
    """Counts (n,) of alpha-line `areas` by element, over `continuum` / E through the detector."""
    columns = []
    for element in areas:
        lines = family_lines(element, "K", 200.0)
        energies = np.array([line.energy_keV for line in lines])
        weights = np.array([line.cross_section_cm2 for line in lines])
        weights = weights * Detector().efficiency(energies)
        columns.append((energies, weights / weights[[line.alpha for line in lines]].sum()))
    shapes, _ = LineSet.of_columns(columns).shapes(axis, Calibration())
    mean = continuum * Detector().efficiency(axis.centres) / axis.centres
    return np.asarray(mean + shapes @ np.array(list(areas.values())))
