"""Partition coefficients: an element in a precipitate over the same element in the matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.quantification.closure import closure, closure_jacobian
from endmember.core.quantification.detection import upper_limit

if TYPE_CHECKING:
    from endmember.core.fitting.spectrum_fit import SpectrumFit
    from endmember.core.quantification.closure import LineAtoms
    from endmember.core.quantification.composition import Composition

State = Literal[
    "measured",
    "matrix_uncertain",
    "by_stoichiometry",
    "below_limit",
    "assumed_absent",
    "matrix_not_detected",
    "not_measured",
]
CERTAIN = 5.0
"""Sigmas of an element in the matrix from which a ratio to it has nearly symmetric errors."""


@dataclass(frozen=True, eq=False, slots=True)
class SharedMatrix:
    """How the matrix spectrum b of one map went into a precipitate's spectrum p = m - a b.

    `factor` a; `fit` that of b; `scaled_on` the column in it of the absent element, whose areas
    gave a, or None for a factor set by hand.
    """

    factor: float
    fit: SpectrumFit
    scaled_on: int | None


@dataclass(frozen=True, slots=True)
class Coefficient:
    """D = C_precipitate / C_matrix on one basis, signed, with its one-sigma errors.

    `sigma` is statistical, `systematic` from the k-factors, `upper_limit` the one-sided 95 % limit
    where the element is not detected in the precipitate.
    """

    value: float
    sigma: float | None = None
    systematic: float | None = None
    upper_limit: float | None = None


@dataclass(frozen=True, slots=True)
class PartitionCoefficient:
    """D of one element, by atoms and by weight; None where the state is that there is no D.

    `state`: "measured"; "matrix_uncertain" (measured, but the matrix holds the element with less
    than 5 sigma: the true error is not symmetric, upwards larger);
    "by_stoichiometry" (oxygen of the cations of both); "below_limit" (not detected in the
    precipitate: signed value and upper limit); "assumed_absent" (the element the subtraction
    was scaled on: 0 by construction); "matrix_not_detected" (nothing to divide by);
    "not_measured" (no line in the range).
    """

    element: str
    state: State
    atomic: Coefficient | None = None
    weight: Coefficient | None = None


def shared_covariance(
    precipitate: SpectrumFit, matrix: SpectrumFit, parts: Sequence[SharedMatrix]
) -> FloatArray:
    """Cov(N_p, N_b): how the areas of a precipitate and of the matrix move together.

    To first order N_p = H_p p and N_b = H_b b with the estimators H of the fits. With p = m - a b
    and a = N_m(X) / N_b(X),

        dp = P_m dm - a P_b db,   P = I - u w^T,   u = b / N_b(X)

    so that only db is in both, and Cov(N_p, N_b) = -a H_p P_b V_b H_b^T, V_b the variance of the
    matrix counts (`subtraction.subtract` has the same P; with a factor set by hand P_b = I). Over
    several maps, whose spectra are added, the `parts` of the maps add up.

    Returns the covariance in counts squared, shape (columns of precipitate, columns of matrix).

    Raises
    ------
    ValueError
        if the fits do not have the same channels.
    """
    h_p, h_b = precipitate.estimator, matrix.estimator
    total = np.zeros((len(h_p), len(h_b)))
    for part in parts:
        variance = part.fit.covariance_of_counts().diagonal
        if not h_p.shape[1] == h_b.shape[1] == len(variance):
            raise ValueError(
                "precipitate and matrix were fitted over different channels: fit both over the "
                "same energy range"
            )
        moved = (h_p * variance) @ h_b.T
        if part.scaled_on is not None:
            u = part.fit.fitted / part.fit.areas[part.scaled_on]
            w = part.fit.estimator[part.scaled_on]
            moved -= np.outer(h_p @ u, (h_b * variance) @ w)
        total -= part.factor * moved
    return total


def conventional_covariance(
    mixture: SpectrumFit,
    matrix: SpectrumFit,
    absent: str,
    family: str,
    common: FloatArray | None = None,
) -> FloatArray:
    """Cov(N_p, N_b) of the areas N_p that `subtraction.subtract_areas` leaves of a mixture.

    With N_p = N_m - a N_b, a = N_m(X) / N_b(X), to first order

        dN_p = Q dN_m - a Q dN_b,   Q = I - u e_X^T,   u = N_b / N_b(X)

    so that Cov(N_p, N_b) = Q C - a Q Cov_b with C = Cov(N_m, N_b) = H_m diag(s) H_b^T, s the
    expected value of the counts `common` (channels,) of the pixels that are in both spectra. Where
    they have none in common, -a Q Cov_b is left: `shared_covariance` with the areas in the place
    of the counts. The row of X is zero, as its area in N_p is.

    Returns the covariance in counts squared, shape (columns, columns): of the areas left, and of
    the matrix.

    Raises
    ------
    ValueError
        if the fits have different columns, or none of the absent element, or other channels than
        the common counts.
    """
    index = matrix.find(absent, family)
    if index is None or [c.name for c in mixture.columns] != [c.name for c in matrix.columns]:
        raise ValueError(
            f"mixture and matrix were not fitted with the same lines, one of {absent} among them: "
            "fit both alike"
        )
    a, u = mixture.areas[index] / matrix.areas[index], matrix.areas / matrix.areas[index]
    s = mixture.common_variance(matrix, common)
    crossed = (mixture.estimator * s) @ matrix.estimator.T
    alone = -a * (matrix.covariance - np.outer(u, matrix.covariance[index]))
    return np.asarray(alone + crossed - np.outer(u, crossed[index]))


def partition_coefficients(
    precipitate: Composition, matrix: Composition, shared: FloatArray | None = None
) -> tuple[PartitionCoefficient, ...]:
    """D of each element of the precipitate's table, with errors that carry the shared matrix.

    With c = K N / sum of both phases, D = c_p / c_b and

        var D = g_p Cov_p g_p + g_b Cov_b g_b + 2 g_p Cov(N_p, N_b) g_b,
        g_p = J_p / c_b,   g_b = -D J_b / c_b

    J the Jacobians of the closures. `shared` is Cov(N_p, N_b) from `shared_covariance`, or from
    `conventional_covariance` for a region of interest; None for spectra that have nothing in
    common. The k-factor of an element is the same in both phases:
    with relative errors e its error is dD = sum_i (g_p,i N_p,i + g_b,i N_b,i) e_i, which is
    D sum_i (c_b,i - c_p,i) e_i: k of the element itself cancels, and what is left comes from the
    closure alone. First order throughout: the matrix must hold clearly more of the element than its
    error. The upper limit is max(D, 0) + 1.645 sigma, as in `detection`.
    """
    found = []
    for row in precipitate.rows:
        state = _state(row.element, precipitate, matrix)
        if state in ("matrix_not_detected", "not_measured"):
            found.append(PartitionCoefficient(row.element, state))
        elif state == "assumed_absent":
            zero = Coefficient(0.0)
            found.append(PartitionCoefficient(row.element, state, zero, zero))
        else:
            limited = state == "below_limit"
            found.append(
                PartitionCoefficient(
                    row.element,
                    state,
                    _coefficient(row.element, precipitate, matrix, shared, False, limited),
                    _coefficient(row.element, precipitate, matrix, shared, True, limited),
                )
            )
    return tuple(found)


def _state(element: str, precipitate: Composition, matrix: Composition) -> State:
    in_matrix = element in matrix.atoms.elements
    if in_matrix and matrix[element].detected == "no":
        return "matrix_not_detected"
    if in_matrix and precipitate[element].detected == "assumed_absent":
        return "assumed_absent"
    if not in_matrix or element not in precipitate.atoms.elements:
        return "not_measured"
    if precipitate[element].detected == "no":
        return "below_limit"
    row = matrix[element]
    if row.by_stoichiometry:
        return "by_stoichiometry"
    assert row.net_counts is not None
    assert row.net_sigma is not None
    return "measured" if row.net_counts >= CERTAIN * row.net_sigma else "matrix_uncertain"


def _coefficient(
    element: str,
    precipitate: Composition,
    matrix: Composition,
    shared: FloatArray | None,
    by_weight: bool,
    limited: bool,
) -> Coefficient:
    p, b = precipitate.atoms, matrix.atoms
    c_p, j_p = _fraction(p, element, by_weight)
    c_b, j_b = _fraction(b, element, by_weight)
    d = c_p / c_b
    g_p, g_b = j_p / c_b, -d * j_b / c_b
    variance = float(g_p @ p.covariance @ g_p + g_b @ b.covariance @ g_b)
    if shared is not None:
        variance += 2 * float(g_p @ shared[np.ix_(p.columns, b.columns)] @ g_b)
    by_k = dict.fromkeys((*p.measured, *b.measured), 0.0)
    for atoms, slope in ((p, g_p), (b, g_b)):
        effect = slope * atoms.areas * atoms.systematic
        for name, value in zip(atoms.measured, effect.tolist(), strict=True):
            by_k[name] += value
    sigma = float(np.sqrt(max(variance, 0.0)))
    return Coefficient(
        d,
        sigma,
        float(np.sqrt(sum(value**2 for value in by_k.values()))),
        upper_limit(d, sigma) if limited else None,
    )


def _fraction(atoms: LineAtoms, element: str, by_weight: bool) -> tuple[float, FloatArray]:
    """The fraction of an element and its slope with each area, shape (areas,)."""
    row, k = atoms.elements.index(element), atoms.per_count(by_weight)
    jacobian = closure_jacobian(atoms.areas, k)
    return float(closure(atoms.areas, k)[row]), jacobian[row]
