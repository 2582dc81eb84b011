"""How much of each phase: in every pixel (for looking), and in a summed spectrum (for numbers)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numba
import numpy as np

from endmember.core.counts.sparse_sums import for_each_block
from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import IntArray, SpectrumImage
from endmember.core.progress import Report, part_of, silent

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


def _candidates(gram: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """For each set of endmembers the point at which the gradient is level: a = M f + c.

    Returns which endmembers are in it (sets, K), M (sets, K, K) and c (sets, K), zero outside it.
    """
    size = len(gram)
    chosen_of = list(_active_sets(size))
    members = np.zeros((len(chosen_of), size), dtype=np.int64)
    slopes = np.zeros((len(chosen_of), size, size))
    offsets = np.zeros((len(chosen_of), size))
    for number, chosen in enumerate(chosen_of):
        # bordered system of the Lagrange multiplier; pinv because endmembers may be alike
        length = len(chosen)
        bordered = np.ones((length + 1, length + 1))
        bordered[:length, :length] = gram[np.ix_(chosen, chosen)] / gram.max()
        bordered[length, length] = 0.0
        inverse = np.linalg.pinv(bordered)
        members[number, chosen] = 1
        slopes[number][np.ix_(chosen, chosen)] = inverse[:length, :length] / gram.max()
        offsets[number, chosen] = inverse[:length, length]
    return members, slopes, offsets


@numba.njit(cache=True, nogil=True)
def _constrained(gram, cross, members, slopes, offsets, first, last, out):  # type: ignore[no-untyped-def]
    """Minimise a^T G a - 2 a^T f over a >= 0, sum a = 1, for the rows f first:last of `cross`.

    The optimum is the best of the candidates that are not negative; those of the single endmembers
    never are. Rows that are not numbers give rows that are not.
    """
    size = len(gram)
    point = np.zeros(size)
    for pixel in range(first, last):
        best = np.inf
        out[pixel, :] = np.nan
        for number in range(len(members)):
            lowest, value = 0.0, 0.0
            for i in range(size):
                point[i] = offsets[number, i]
                if members[number, i]:
                    for j in range(size):
                        point[i] += slopes[number, i, j] * cross[pixel, j]
                    lowest = min(lowest, point[i])
            if lowest < 0.0:
                continue
            for i in range(size):
                bent = -2.0 * cross[pixel, i]
                for j in range(size):
                    bent += gram[i, j] * point[j]
                value += bent * point[i]
            if value < best:
                best = value
                out[pixel, :] = point


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
    totals, squares = image.sums_and_squares(part_of(report, 0.0, 0.3))
    with np.errstate(invalid="ignore", divide="ignore"):
        cross = image.project(spectra.T, part_of(report, 0.3, 0.7)) / totals[:, None]
        squares = squares / totals**2
    maps = np.empty(cross.shape)
    candidates = _candidates(gram)

    def unmix(_: int, first: int, last: int) -> None:
        _constrained(gram, cross, *candidates, first, last, maps)

    for_each_block(len(maps), unmix, part_of(report, 0.7, 1.0))
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
