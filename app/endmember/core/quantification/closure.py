"""Closing line areas to fractions, and what the errors of the areas and of k do on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.xrays.lines import atomic_mass


def closure(areas: FloatArray, atoms_per_count: FloatArray) -> FloatArray:
    """Atomic fractions c = n / sum n with n = N a (Cliff & Lorimer 1975, J. Microsc. 103, 203).

    `areas` N has the shape (areas,). `atoms_per_count` is a vector of that shape, or a matrix K of
    shape (elements, areas) where elements follow from several areas: then n = K N.
    """
    atoms = _matrix(atoms_per_count) @ areas
    return np.asarray(atoms / atoms.sum())


def closure_jacobian(areas: FloatArray, atoms_per_count: FloatArray) -> FloatArray:
    """dc/dN = (I - c 1^T) K / sum n, shape (elements, areas); K = diag(a) for a vector a.

    The derivative of c = n / sum n, n = K N (see `closure`).
    """
    matrix = _matrix(atoms_per_count)
    total = float((matrix @ areas).sum())
    fractions = closure(areas, atoms_per_count)
    return np.asarray((matrix - np.outer(fractions, matrix.sum(axis=0))) / total)


def _matrix(per_count: FloatArray) -> FloatArray:
    return np.diag(per_count) if per_count.ndim == 1 else per_count


def weight_fractions_of(elements: Sequence[str], fractions: FloatArray) -> dict[str, float]:
    """Weight fractions from atomic fractions; negative values (traces) count as zero."""
    masses = np.array([atomic_mass(e) for e in elements]) * np.maximum(fractions, 0.0)
    return dict(zip(elements, (masses / masses.sum()).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Shares:
    """A closure in percent with its one-sigma errors; all of shape (elements,)."""

    percent: FloatArray
    sigma: FloatArray
    systematic: FloatArray


def shares(
    areas: FloatArray, covariance: FloatArray, relative: FloatArray, per_count: FloatArray
) -> Shares:
    """Shares of n = K N, in sum 100, for areas N and `per_count` K: atoms, weight, oxide weight.

    Statistical errors from the `covariance` of the areas, systematic ones from the `relative` error
    of each k, which acts as one of its area; both through the Jacobian J of the closure:
    Cov(c) = J Cov(N) J^T.
    """
    jacobian = closure_jacobian(areas, per_count)
    statistical = jacobian @ covariance @ jacobian.T
    systematic = jacobian @ np.diag((relative * areas) ** 2) @ jacobian.T
    sigma, by_k = (np.sqrt(np.maximum(np.diag(c), 0.0)) for c in (statistical, systematic))
    return Shares(100 * closure(areas, per_count), 100 * sigma, 100 * by_k)


@dataclass(frozen=True, eq=False, slots=True)
class LineAtoms:
    """What a composition is closed from: the atoms n = K N of e elements, from m alpha areas N.

    `elements` (e,); `measured` (m,): the elements the areas belong to, and `columns` (m,) those of
    the fit. `areas` (m,) in counts with their `covariance` (m, m). `atoms_per_count` K (e, m):
    diagonal, but for oxygen by stoichiometry, whose row holds oxygens per count of each cation.
    `systematic` (m,): relative error of each k. `valences` (e,): positive charges of the cations,
    0 for oxygen and for elements without a usual oxide.
    """

    elements: tuple[str, ...]
    measured: tuple[str, ...]
    columns: tuple[int, ...]
    areas: FloatArray
    covariance: FloatArray
    atoms_per_count: FloatArray
    systematic: FloatArray
    valences: FloatArray

    @property
    def weight_per_count(self) -> FloatArray:
        """As `atoms_per_count`, by mass instead of by number, shape (e, m)."""
        masses = np.array([atomic_mass(element) for element in self.elements])
        return np.asarray(masses[:, None] * self.atoms_per_count)

    @property
    def oxygen_is_measured(self) -> bool:
        """Whether oxygen is in the composition by its own line."""
        return "O" in self.measured

    def per_count(self, by_weight: bool) -> FloatArray:
        """K by number or by mass, shape (e, m)."""
        return self.weight_per_count if by_weight else self.atoms_per_count

    def fraction_with(self, element: str, area: float, by_weight: bool = False) -> float:
        """The fraction of a measured element had its line this `area` and all others theirs."""
        areas = self.areas.copy()
        areas[self.measured.index(element)] = area
        fractions = closure(areas, self.per_count(by_weight))
        return float(fractions[self.elements.index(element)])
