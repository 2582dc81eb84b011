"""Lines that overlap in a spectrum: what each neighbour costs, and how well each line is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from endmember.core.fit_problem import estimator
from endmember.core.spectrum import FloatArray
from endmember.core.spectrum_fit import SpectrumFit

NOTICED = 0.1  # correlation of two areas from which an overlap is reported
# At a correlation of 0.9 the neighbour more than doubles sigma (1 / sqrt(1 - r^2) = 2.3): the two
# areas then say little more than their sum.
INSEPARABLE = 0.9
# At 0.5 it adds 15 %, and a line of the neighbour lies under one of the element's own.
DIFFICULT = 0.5
REACH_FWHM = 2.0


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


@dataclass(frozen=True, slots=True)
class LineResidual:
    """How well the fit describes the channels around one line.

    `chi_squared` per channel within 2 FWHM of the line on either side; 1 is expected, give or take
    `spread`, sqrt(2 / channels).
    """

    element: str
    line: str
    chi_squared: float
    spread: float


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
    """What overlaps mean for the lines of `elements` (all if None); None where all stand alone.

    Names the lines that cannot be separated (correlation of 0.9 and more) and those that a
    neighbour makes less certain (0.5 and more).
    """
    told = [o for o in found if elements is None or o.element in elements]
    impossible = [o for o in told if not o.separable]
    difficult = [o for o in told if o.separable and abs(o.correlation) >= DIFFICULT]
    parts = [
        f"{o.element} {o.line} cannot be separated from {o.neighbour} in this spectrum "
        f"(correlation {o.correlation:.2f}): use another line or leave one of the two elements out"
        for o in impossible
    ] + [
        f"{o.element} {o.line} overlaps with {o.neighbour}, which makes its error "
        f"{o.inflation:.2f} times as large (correlation {o.correlation:.2f})"
        for o in difficult
    ]
    return "; ".join(parts) or None


def line_residuals(fit: SpectrumFit) -> tuple[LineResidual, ...]:
    """The residual around each line of a fit, in the order of its columns.

    sum (y - f)^2 / variance over the channels within 2 FWHM of the alpha line (of the column's mean
    energy where it has none), divided by their number. A line with no such channel is left out.
    """
    pulls = (fit.spectrum.counts - fit.fitted) ** 2 / fit.variance
    found = []
    for column in fit.columns:
        part = pulls[fit.window(column.energy_keV, 2 * REACH_FWHM)]
        if len(part):
            found.append(
                LineResidual(
                    column.element,
                    column.line,
                    float(part.mean()),
                    float(np.sqrt(2 / len(part))),
                )
            )
    return tuple(found)
