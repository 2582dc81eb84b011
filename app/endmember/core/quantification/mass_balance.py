"""What a whole map is made of, beside its phases added up by how much of each it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.fitting.spectrum_fit import SpectrumFit
from endmember.core.quantification.closure import LineAtoms
from endmember.core.quantification.composition import Composition
from endmember.core.quantification.partition import SharedMatrix


@dataclass(frozen=True, eq=False, slots=True)
class SeparatedPhase:
    """A precipitate p = m - a b: its composition, the fit of its mixture m, and what b was.

    `in_mixture` is the column in the mixture's fit of the element the subtraction was scaled on,
    None for a factor set by hand.
    """

    composition: Composition
    mixture: SpectrumFit
    matrix: SharedMatrix
    in_mixture: int | None


@dataclass(frozen=True, eq=False, slots=True)
class Inventory:
    """Atoms (in arbitrary units, the same for all) of e elements in one or several maps.

    `whole` (e,) from the spectrum of all pixels, `phases` (e,) from the phases; `covariance`
    (2 e, 2 e) of both, `whole` first. `by_k` (2 e, m): what each changes by when the k-factor of a
    measured element is wrong by its whole value, and `relative` (m,) by how much it may be.
    """

    elements: tuple[str, ...]
    whole: FloatArray
    phases: FloatArray
    covariance: FloatArray
    by_k: FloatArray
    relative: FloatArray

    def __add__(self, other: Inventory) -> Inventory:
        """Two maps together, whose counts are independent.

        Raises
        ------
        ValueError
            if they do not measure the same elements.
        """
        if self.elements != other.elements:
            raise ValueError("the maps do not measure the same elements: give all one energy range")
        return Inventory(
            self.elements,
            self.whole + other.whole,
            self.phases + other.phases,
            self.covariance + other.covariance,
            self.by_k + other.by_k,
            self.relative,
        )


@dataclass(frozen=True, eq=False, slots=True)
class Balance:
    """An inventory closed to 100 at.%: each (e,), with statistical and k-factor errors.

    `difference` is whole less phases. Both come from the same counts and the same k-factors, which
    its errors take into account: they are smaller than those of two independent values.
    """

    elements: tuple[str, ...]
    whole: FloatArray
    whole_sigma: FloatArray
    whole_systematic: FloatArray
    phases: FloatArray
    phases_sigma: FloatArray
    phases_systematic: FloatArray
    difference: FloatArray
    difference_sigma: FloatArray
    difference_systematic: FloatArray


def inventory(
    whole: Composition, matrix: Composition, precipitates: Sequence[SeparatedPhase]
) -> Inventory:
    """The atoms of one map by its whole spectrum y, and by its phases.

    The endmembers e_k (matrix b, precipitates p_k) are fitted to y by weighted least squares, as
    for the phase fractions: beta = B y. With the atoms n_k of each endmember, n = sum beta_k n_k.
    The pixels of the matrix, of each mixture and the rest (overlaps) are independent, and
    everything follows from their counts: with the P of `subtraction.subtract`

        dp_k = P_m dm_k - a_k P_b db,   dn_k = K_k H_k de_k,   dbeta = B (dy - sum beta_k de_k)

    to first order, H the estimators of the fits and K the atoms per count. From this come the
    errors of both, and of their difference, without double counting. What is beyond first order
    counts for the difference of the absent element, whose error is by far the smallest: with some
    30,000 counts of lines in a precipitate it scatters by 1.3 times what is stated, with ten times
    as many as stated (tests).
    """
    atoms = whole.atoms
    elements = atoms.elements
    of_phases = [matrix, *(p.composition for p in precipitates)]
    endmembers = np.array([c.fit.spectrum.counts for c in of_phases])
    weighted = endmembers / whole.fit.variance
    b_rows = np.linalg.solve(weighted @ endmembers.T, weighted)
    beta = b_rows @ whole.fit.spectrum.counts
    n = np.column_stack([_atoms(c.atoms, elements) @ c.atoms.areas for c in of_phases])
    flows = _flows(elements, matrix, precipitates, b_rows, beta, n)
    absorbed = _as_absorbed(atoms, beta, [c.atoms for c in of_phases])
    of_whole = absorbed @ whole.fit.estimator[list(atoms.columns)]
    covariance = np.zeros((2 * len(elements), 2 * len(elements)))
    rest = whole.fit.variance.copy()
    for flow, variance in flows:
        both = np.vstack([of_whole, flow])
        covariance += (both * variance) @ both.T
        rest = rest - variance
    both = np.vstack([of_whole, n @ b_rows])
    covariance += (both * np.maximum(rest, 0.0)) @ both.T
    by_k = sum(
        share * _by_k(c.atoms, elements, atoms.measured)
        for share, c in zip(beta, of_phases, strict=True)
    )
    return Inventory(
        elements,
        absorbed @ atoms.areas,
        n @ beta,
        covariance,
        np.vstack([absorbed * atoms.areas, by_k]),
        atoms.systematic,
    )


def _as_absorbed(atoms: LineAtoms, beta: FloatArray, of_phases: Sequence[LineAtoms]) -> FloatArray:
    """K of the whole map (e, m), absorbed as its phases are: each in itself, not in their mean.

    The atoms per count of an element are the mean of those of the phases, weighted by the counts
    that each of them has in the whole map.
    """
    scale = np.ones(len(atoms.measured))
    for j, element in enumerate(atoms.measured):
        own = atoms.atoms_per_count[atoms.elements.index(element), j]
        total, counts = 0.0, 0.0
        for share, of in zip(beta.tolist(), of_phases, strict=True):
            if element in of.measured:
                i = of.measured.index(element)
                here = max(share * float(of.areas[i]), 0.0)
                total += here * float(of.atoms_per_count[of.elements.index(element), i])
                counts += here
        if counts > 0:
            scale[j] = total / (counts * own)
    return np.asarray(atoms.atoms_per_count * scale)


def _flows(
    elements: tuple[str, ...],
    matrix: Composition,
    precipitates: Sequence[SeparatedPhase],
    b_rows: FloatArray,
    beta: FloatArray,
    n: FloatArray,
) -> list[tuple[FloatArray, FloatArray]]:
    """For the matrix and each mixture: dn of the phases by its counts (e, C), and their variance.

    n B dy is in all of them, since each is a part of the whole map.
    """
    spread = n @ b_rows  # dn by beta, per count of an endmember's misfit
    of_matrix = spread + beta[0] * (_areas_to_atoms(matrix, elements) - spread)
    flows = []
    for share, p in zip(beta[1:], precipitates, strict=True):
        through = share * (_areas_to_atoms(p.composition, elements) - spread)
        fit, a = p.matrix.fit, p.matrix.factor
        in_mixture, in_matrix = through, through
        if p.in_mixture is not None and p.matrix.scaled_on is not None:
            u = fit.fitted / fit.areas[p.matrix.scaled_on]
            along = through @ u
            in_mixture = through - np.outer(along, p.mixture.estimator[p.in_mixture])
            in_matrix = through - np.outer(along, fit.estimator[p.matrix.scaled_on])
        flows.append((spread + in_mixture, p.mixture.covariance_of_counts().diagonal))
        of_matrix = of_matrix - a * in_matrix
    return [(of_matrix, matrix.fit.covariance_of_counts().diagonal), *flows]


def _atoms(atoms: LineAtoms, elements: Sequence[str]) -> FloatArray:
    """Atoms per count (e, areas) in the order of `elements`; a row of zeros for one it lacks."""
    rows = np.zeros((len(elements), len(atoms.areas)))
    for i, element in enumerate(elements):
        if element in atoms.elements:
            rows[i] = atoms.atoms_per_count[atoms.elements.index(element)]
    return rows


def _areas_to_atoms(composition: Composition, elements: Sequence[str]) -> FloatArray:
    """dn by the counts of a phase's own spectrum, (e, C)."""
    atoms = composition.atoms
    return _atoms(atoms, elements) @ composition.fit.estimator[list(atoms.columns)]


def _by_k(atoms: LineAtoms, elements: Sequence[str], measured: Sequence[str]) -> FloatArray:
    """dn by the relative error of the k-factor of each of the `measured` elements, (e, m)."""
    changes = _atoms(atoms, elements) * atoms.areas
    columns = np.zeros((len(elements), len(measured)))
    for j, element in enumerate(measured):
        if element in atoms.measured:
            columns[:, j] = changes[:, atoms.measured.index(element)]
    return columns


def balance(inventories: Sequence[Inventory]) -> Balance:
    """One map, or several together, closed to 100 at.%.

    Raises
    ------
    ValueError
        if there is none, they do not measure the same elements, or one holds no atoms in all.
    """
    if not inventories:
        raise ValueError("there is no map to balance: give at least one")
    total = reduce(Inventory.__add__, inventories)
    if total.whole.sum() <= 0 or total.phases.sum() <= 0:
        raise ValueError("no atoms were found in the map: sum over more pixels")
    size = len(total.elements)
    fractions = [n / n.sum() for n in (total.whole, total.phases)]
    jacobian = np.zeros((3 * size, 2 * size))
    for i, (c, n) in enumerate(zip(fractions, (total.whole, total.phases), strict=True)):
        part = slice(i * size, (i + 1) * size)
        jacobian[part, part] = (np.eye(size) - c[:, None]) / n.sum()
    jacobian[2 * size :] = jacobian[:size] - jacobian[size : 2 * size]
    of_k = jacobian @ (total.by_k * total.relative)
    sigma = 100 * np.sqrt(
        np.maximum(np.einsum("ij,jk,ik->i", jacobian, total.covariance, jacobian), 0.0)
    )
    systematic = 100 * np.linalg.norm(of_k, axis=1)
    whole, phases = (100 * c for c in fractions)
    parts = [slice(i * size, (i + 1) * size) for i in range(3)]
    return Balance(
        total.elements,
        *(whole, sigma[parts[0]], systematic[parts[0]]),
        *(phases, sigma[parts[1]], systematic[parts[1]]),
        *(whole - phases, sigma[parts[2]], systematic[parts[2]]),
    )


def from_bulk(
    found: Balance, bulk: Mapping[str, float], sigmas: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Whole map less a known composition in at.%, by element, with the error of that difference.

    The error is statistical and that of the known value (`sigmas`, none where it is not named).
    """
    at = found.elements.index
    return {
        element: (
            float(found.whole[at(element)]) - value,
            float(np.hypot(found.whole_sigma[at(element)], sigmas.get(element, 0.0))),
        )
        for element, value in bulk.items()
        if element in found.elements
    }
