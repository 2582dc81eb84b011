"""Components of one decomposition put into the order of another, by their spectra."""

from __future__ import annotations

import numpy as np

from endmember.core.counts.energy_axes import shared_out
from endmember.core.counts.spectrum import EnergyAxis, FloatArray
from endmember.core.unmixing.decomposition import Decomposition


def affinities(
    first: FloatArray, second: FloatArray, axes: tuple[EnergyAxis, EnergyAxis]
) -> FloatArray:
    """How alike the spectra of two decompositions are, (K, K'): sum over channels of sqrt(p q).

    1 for equal spectra, 0 for spectra without a common channel (Bhattacharyya 1943, Bull. Calcutta
    Math. Soc. 35, 99); square roots make counting noise even. `first` (K, C) and `second` (K', C')
    have unit area and lie on `axes`; the second are shared out by width over the first axis.
    """
    second = shared_out(second, axes[1], axes[0])
    roots = [np.sqrt(np.maximum(spectra, 0.0)) for spectra in (first, second)]
    norms = [np.linalg.norm(r, axis=1, keepdims=True) for r in roots]
    first_unit, second_unit = (r / np.where(n > 0, n, 1) for r, n in zip(roots, norms, strict=True))
    return np.asarray(first_unit @ second_unit.T)


def matched_order(alike: FloatArray) -> tuple[int, ...]:
    """Which column belongs to each row of a square table, so that their sum is largest.

    Kuhn 1955, Naval Res. Logist. Quart. 2, 83, as SciPy solves it.
    """
    from scipy.optimize import linear_sum_assignment

    _, columns = linear_sum_assignment(alike, maximize=True)
    return tuple(int(column) for column in columns)


def reordered(found: Decomposition, order: tuple[int, ...]) -> Decomposition:
    """The same decomposition with its components in another order."""
    maps = tuple(np.ascontiguousarray(of_map[list(order)]) for of_map in found.maps)
    spectra = np.ascontiguousarray(found.spectra[list(order)])
    for array in (*maps, spectra):
        array.flags.writeable = False
    return Decomposition(maps, spectra, found.losses, found.converged, found.axis)
