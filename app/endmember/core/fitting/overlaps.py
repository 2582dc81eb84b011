"""Lines that overlap in a spectrum, and what each neighbour costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.fitting.fit_problem import estimator
from endmember.core.fitting.spectrum_fit import SpectrumFit

NOTICED = 0.1  # correlation of two areas from which an overlap is reported
# At a correlation of 0.9 the neighbour more than doubles sigma (1 / sqrt(1 - r^2) = 2.3): the two
# areas then say little more than their sum.
INSEPARABLE = 0.9


@dataclass(frozen=True, slots=True)
class Overlap:
    """One neighbour of a line in a fit.

    `element` and `line` as in "U" and "Ma", `neighbour` as in "K Ka"; `correlation` of the two
    fitted areas (-1 to 1); `inflation`, the sigma of the element's area over what it would be were
    the neighbour known exactly.
    """

    element: str
    line: str
    neighbour: str
    correlation: float
    inflation: float

    @property
    def separable(self) -> bool:
        """Whether the two areas can be told apart: |correlation| below 0.9."""
        return abs(self.correlation) < INSEPARABLE


def _sigma(fit: SpectrumFit) -> FloatArray:
    return np.asarray(np.sqrt(np.maximum(np.diag(fit.covariance), 1e-300)))


def correlations(fit: SpectrumFit) -> FloatArray:
    """How the fitted areas are correlated with each other (columns, columns); 0 with themselves."""
    sigma = _sigma(fit)
    found = fit.covariance / sigma[:, None] / sigma
    np.fill_diagonal(found, 0.0)
    return np.asarray(found)


def overlaps(fit: SpectrumFit) -> tuple[Overlap, ...]:
    """All pairs of lines whose areas are correlated by more than 0.1, the worst first.

    The correlation is that of the fit's covariance. The inflation compares with a fit of the same
    variance that has the neighbour's column left out. Each pair comes twice, once from either side.
    """
    sigma, correlation = _sigma(fit), correlations(fit)
    near = np.abs(correlation) > NOTICED
    found = []
    for neighbour in np.flatnonzero(near.any(axis=0)).tolist():
        alone = _sigma_without_column(fit, neighbour)
        for index in np.flatnonzero(near[:, neighbour]).tolist():
            column, other = fit.columns[index], fit.columns[neighbour]
            found.append(
                Overlap(
                    column.element,
                    column.line,
                    other.name,
                    float(correlation[index, neighbour]),
                    float(sigma[index] / alone[index]),
                )
            )
    return tuple(sorted(found, key=lambda overlap: -abs(overlap.correlation)))


def _sigma_without_column(fit: SpectrumFit, neighbour: int) -> FloatArray:
    """Sigma of each area (columns,) were the area of `neighbour` known; its own is infinite."""
    kept = np.arange(fit.jacobian.shape[1]) != neighbour
    areas = kept[: len(fit.columns)]
    rows = estimator(fit.jacobian[:, kept], fit.variance)[: int(areas.sum())]
    sigma = np.full(len(fit.columns), np.inf)
    variance = np.diag(fit.covariance_of_counts().project(rows))
    sigma[areas] = np.sqrt(np.maximum(variance, 1e-300))
    return sigma


def overlap_sentence(found: Sequence[Overlap], elements: Sequence[str] | None = None) -> str | None:
    """Which lines of `elements` (all if None) cannot be separated; None where all can be."""
    told = [o for o in found if not o.separable and (elements is None or o.element in elements)]
    parts = [
        f"{o.element} {o.line} cannot be separated from {o.neighbour} in this spectrum "
        f"(correlation {o.correlation:.2f}, which makes its error {o.inflation:.1f} times as large)"
        ": use another line or leave one of the two elements out"
        for o in told
    ]
    return "; ".join(parts) or None
