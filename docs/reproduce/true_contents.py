"""What is truly in simulated maps and in any part of them, in atoms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import BoolArray
from endmember.core.simulation.simulated_map import Truth
from endmember.core.xrays.lines import atomic_mass


def true_bulk(truths: Sequence[Truth]) -> dict[str, float]:
    """At.% of all maps together: volumes of the phases times their atoms per volume.

    Maps count as bright as they are: each is simulated to the same mean number of counts.
    """
    atoms = np.zeros(len(truths[0].elements))
    for truth in truths:
        masses = np.array([atomic_mass(element) for element in truth.elements])
        fractions = truth.atomic_percent / 100
        per_volume = np.array(truth.densities_g_cm3)[:, None] * fractions
        per_volume /= (fractions @ masses)[:, None]
        volumes = (truth.depth_share * truth.thickness).sum(axis=(1, 2))
        everywhere = np.ones(truth.thickness.shape, dtype=bool)
        brightness = truth.expected_counts(everywhere)[0] / volumes[0]
        atoms += brightness * volumes @ per_volume
    return dict(zip(truths[0].elements, (100 * atoms / atoms.sum()).tolist(), strict=True))


def expected_areas(truth: Truth, mask: BoolArray) -> FloatArray:
    """Counts expected in the alpha line of each element (elements,) within `mask`."""
    return np.asarray(truth.expected_counts(mask) @ truth.alpha_share)


def separated_areas(truth: Truth, mixture: BoolArray, matrix: BoolArray, absent: str) -> FloatArray:
    """Areas (elements,) of a mixture less the matrix scaled on the absent element; no noise."""
    mixed, pure = expected_areas(truth, mixture), expected_areas(truth, matrix)
    at = truth.elements.index(absent)
    left = mixed - mixed[at] / pure[at] * pure
    left[at] = 0.0
    return np.asarray(left)


def composition_of_areas(truth: Truth, phase: str, areas: FloatArray) -> dict[str, float]:
    """At.% of noise-free areas, each element emitting as in `phase`, as Cliff-Lorimer takes it.

    An element that the phase does not hold emits, beside oxygen, as in the matrix.
    """
    own = truth.phases.index(phase)
    share, percent = truth.alpha_share, truth.atomic_percent
    held = share[own] > 0
    oxygen = truth.elements.index("O")
    per_count = percent[0] / share[0]  # the matrix holds every element
    per_count *= percent[own, oxygen] / share[own, oxygen] / per_count[oxygen]
    per_count[held] = percent[own, held] / share[own, held]
    atoms = areas * per_count
    return dict(zip(truth.elements, (100 * atoms / atoms.sum()).tolist(), strict=True))
