"""How much of each phase: in every pixel (for looking), and in a summed spectrum (for numbers)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from endmember.core.counts import SpectrumImage
from endmember.core.progress import Report, silent
from endmember.core.spectrum import FloatArray

PIXELS_AT_ONCE = 65536
REFITS = 4


@dataclass(frozen=True, eq=False, slots=True)
class Abundance:
    """`maps` (K, rows, columns): fractions of a pixel's counts, 0 to 1, NaN in empty pixels.

    `residual` (rows, columns) is sqrt(n) |y - sum_k a_k e_k| for a pixel of n counts and unit area
    spectrum y: without unit, about 1 where only counting noise is left, NaN in empty pixels.
    """

    maps: FloatArray
    residual: FloatArray


def unit_area(spectra: FloatArray) -> FloatArray:
    """Spectra (K, C) each divided by its sum; ValueError if a sum is not positive."""
    area = spectra.sum(axis=1, keepdims=True)
    if not np.all(area > 0):
        number = int(np.argmin(area))
        raise ValueError(
            f"endmember {number} (counted from 0) has no counts: give its mask more pixels"
        )
    return np.asarray(spectra / area)


def _active_sets(size: int) -> Iterator[list[int]]:
    for length in range(1, size + 1):
        for chosen in combinations(range(size), length):
            yield list(chosen)


def _constrained(gram: FloatArray, cross: FloatArray) -> FloatArray:
    """Minimise a^T G a - 2 a^T f over a >= 0, sum a = 1, for each row f of `cross` (P, K).

    The optimum is the best of the points at which the gradient is level on a set of endmembers
    and the others are zero; there are 2^K - 1 such sets, each with a closed form.
    """
    best = np.full(len(cross), np.inf)
    result = np.zeros_like(cross)
    for chosen in _active_sets(len(gram)):
        # bordered system of the Lagrange multiplier; pinv because endmembers may be alike
        size = len(chosen)
        bordered = np.ones((size + 1, size + 1))
        bordered[:size, :size] = gram[np.ix_(chosen, chosen)] / gram.max()
        bordered[size, size] = 0.0
        inverse = np.linalg.pinv(bordered)
        a = cross[:, chosen] / gram.max() @ inverse[:size, :size].T + inverse[:size, size]
        value = ((a @ gram[np.ix_(chosen, chosen)] - 2.0 * cross[:, chosen]) * a).sum(axis=1)
        better = (a >= 0.0).all(axis=1) & (value < best)
        best[better] = value[better]
        result[better] = 0.0
        result[np.ix_(better, chosen)] = a[better]
    return result


def _sums_of_squares(image: SpectrumImage) -> FloatArray:
    before = np.concatenate([[0], np.cumsum(np.square(image.counts, dtype=np.uint64))])
    return np.asarray(before[image.starts[1:]] - before[image.starts[:-1]], dtype=np.float64)


def abundances(image: SpectrumImage, endmembers: FloatArray, report: Report = silent) -> Abundance:
    """Fully constrained least squares (Heinz & Chang, IEEE TGRS 39, 2001, 529), solved exactly.

    `endmembers` (K, C) are spectra of the pure phases, K up to 6; negative stretches are allowed.
    Pixels and endmembers are taken to unit area, so thickness does not matter and the maps are
    fractions of counts, not of volume. With few counts per pixel the bound at zero biases the mean
    of a map: use `phase_fractions` for numbers.

    Raises
    ------
    ValueError
        if the endmembers do not fit the energy axis, are more than 6, or one has no counts.
    """
    if endmembers.ndim != 2 or endmembers.shape[1] != image.axis.channels:
        raise ValueError(
            f"endmembers of shape {endmembers.shape} do not fit an energy axis of "
            f"{image.axis.channels} channels"
        )
    if not 1 <= len(endmembers) <= 6:
        raise ValueError(f"{len(endmembers)} endmembers cannot be unmixed: give 1 to 6")
    spectra = unit_area(endmembers)
    gram = spectra @ spectra.T
    totals = image.count_map().ravel()
    with np.errstate(invalid="ignore", divide="ignore"):
        cross = image.project(spectra.T) / totals[:, None]
        squares = _sums_of_squares(image) / totals**2
    maps = np.full(cross.shape, np.nan)
    filled = np.flatnonzero(totals > 0)
    for first in range(0, len(filled), PIXELS_AT_ONCE):
        report(first / len(filled))
        pixels = filled[first : first + PIXELS_AT_ONCE]
        maps[pixels] = _constrained(gram, cross[pixels])
    report(1.0)
    misfit = squares + ((maps @ gram - 2.0 * cross) * maps).sum(axis=1)
    residual = np.sqrt(np.maximum(misfit, 0.0) * np.where(totals > 0, totals, np.nan))
    shape = image.rows, image.columns
    return Abundance(
        np.ascontiguousarray(maps.T.reshape(-1, *shape)), np.asarray(residual.reshape(shape))
    )


def phase_fractions(
    spectrum: FloatArray, endmembers: FloatArray, variance: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Fractions of the counts of a summed spectrum (C,) that the endmembers (K, C) make up.

    Weighted least squares without bounds, so the fractions are unbiased and may fall below zero.
    Without `variance` (C,) the weights are those of Poisson counts, taken from the fitted model.
    Returns the fractions, which sum to one, and their standard deviations from the noise of
    `spectrum`, both (K,).

    Raises
    ------
    ValueError
        if the shapes do not fit, an endmember has no counts, or two endmembers are the same.
    """
    if endmembers.ndim != 2 or endmembers.shape[1:] != spectrum.shape:
        raise ValueError(
            f"endmembers of shape {endmembers.shape} do not fit a spectrum of {spectrum.shape}"
        )
    design = unit_area(endmembers)
    if np.linalg.matrix_rank(design, tol=1e-9 * float(np.abs(design).max())) < len(design):
        raise ValueError("two endmembers have the same spectrum: merge these phases")
    model = np.full(spectrum.shape, max(float(spectrum.mean()), 1.0))
    for _ in range(1 if variance is not None else REFITS):
        spread = np.maximum(model, 1.0) if variance is None else variance
        weighted = design / spread
        covariance = np.linalg.inv(weighted @ design.T)
        areas = covariance @ (weighted @ spectrum)
        model = areas @ design
    total = float(areas.sum())
    if total <= 0:
        raise ValueError("the spectrum holds no counts of any phase: choose a region with counts")
    fractions = areas / total
    jacobian = (np.eye(len(areas)) - fractions[:, None]) / total
    return fractions, np.sqrt(np.diag(jacobian @ covariance @ jacobian.T))
