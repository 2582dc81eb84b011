"""Non-negative factors of a map of counts by least squares, after scaling for Poisson noise.

Counts x_pc are divided by sqrt(r_p c_c), r and c the means of their pixel and channel (Keenan &
Kotula, Surf. Interface Anal. 36, 2004, 203). scikit-learn's NMF lowers the sum of squares of
X - W H^T by coordinate descent, from the start of Boutsidis & Gallopoulos (Pattern Recognit. 41,
2008, 1350; zeros filled with the mean). The start is made here, because scikit-learn's takes
seconds on a large map, in which nothing can be stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from endmember.core.counts.sparse_sums import for_each_block
from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.progress import Report, part_of, parts_of
from endmember.core.unmixing.poisson_nmf import Factors

OVERSAMPLES = 10  # directions beyond those asked for (Halko et al., SIAM Rev. 53, 2011, 217)
POWER_ROUNDS = 5
DONE_BY_THE_START = 0.3  # of the whole work, for the report


@dataclass(frozen=True, slots=True)
class _Scaled:
    """X as products. `row` (P,) and `column` (C,) are 1 / sqrt of the means, 0 where these are."""

    images: Sequence[SpectrumImage]
    row: FloatArray
    column: FloatArray

    @classmethod
    def of(cls, images: Sequence[SpectrumImage]) -> _Scaled:
        totals = np.concatenate([image.count_map().ravel() for image in images])
        spectrum = np.sum([image.spectrum().counts for image in images], axis=0)
        row, column = totals / len(spectrum), spectrum / len(totals)
        return cls(images, _inverse_root(row), _inverse_root(column))

    def times(self, columns: FloatArray, report: Report) -> FloatArray:
        """X B for `columns` B (C, K). Returns (P, K)."""
        scaled = columns * self.column[:, None]
        within = parts_of(report, len(self.images))
        parts = [i.project(scaled, w) for i, w in zip(self.images, within, strict=True)]
        return np.asarray(np.concatenate(parts) * self.row[:, None])

    def transposed_times(self, rows: FloatArray, report: Report) -> FloatArray:
        """X^T A for `rows` A (P, K). Returns (C, K)."""
        scaled = rows * self.row[:, None]
        within = parts_of(report, len(self.images))
        out = np.zeros((len(self.column), rows.shape[1]))
        first = 0
        for image, here in zip(self.images, within, strict=True):
            last = first + image.rows * image.columns
            out += image.accumulate(scaled[first:last], here)
            first = last
        return np.asarray(out * self.column[:, None])

    def matrix(self, report: Report) -> Any:
        """X as a sparse matrix (P, C) of floats."""
        import scipy.sparse as sp

        first, parts = 0, []
        for image, here in zip(self.images, parts_of(report, len(self.images)), strict=True):
            last = first + image.rows * image.columns
            data = np.empty(len(image.counts))
            row = self.row[first:last]

            def work(_: int, low: int, high: int, image=image, row=row, data=data) -> None:  # type: ignore[no-untyped-def]
                arrays = image.starts, image.channels, image.counts
                _scale(*arrays, row, self.column, low, high, data)

            for_each_block(len(row), work, here)
            channels = image.channels.astype(np.int32)
            parts.append(
                sp.csr_matrix((data, channels, image.starts), (len(row), len(self.column)))
            )
            first = last
        return parts[0] if len(parts) == 1 else sp.vstack(parts, format="csr")


def _inverse_root(means: FloatArray) -> FloatArray:
    return np.divide(1.0, np.sqrt(means), out=np.zeros_like(means), where=means > 0)


@numba.njit(cache=True, nogil=True)
def _scale(starts, channels, counts, row, column, first, last, out):  # type: ignore[no-untyped-def]
    for pixel in range(first, last):
        for entry in range(starts[pixel], starts[pixel + 1]):
            out[entry] = counts[entry] * row[pixel] * column[channels[entry]]


def _singular_vectors(
    scaled: _Scaled, number: int, seed: int, report: Report
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The largest singular values (K,) of X with left (P, K) and right (C, K) vectors."""
    rng = np.random.default_rng(seed)
    size = min(number + OVERSAMPLES, len(scaled.row), len(scaled.column))
    right = rng.normal(size=(len(scaled.column), size))
    within = parts_of(report, 2 * POWER_ROUNDS + 1)
    for turn in range(POWER_ROUNDS):
        seen = scaled.times(right, within[2 * turn])
        right, _ = np.linalg.qr(scaled.transposed_times(seen, within[2 * turn + 1]))
    # in the space of `right`, X is `seen`: its singular vectors from its small Gram matrix
    seen = scaled.times(right, within[-1])
    squares, turned = np.linalg.eigh(seen.T @ seen)
    values = np.sqrt(np.maximum(squares[::-1][:number], 0.0))
    vectors = turned[:, ::-1][:, :number]
    return values, seen @ vectors / np.maximum(values, 1e-300), right @ vectors


def _strength(pair: Sequence[FloatArray]) -> float:
    return float(np.linalg.norm(pair[0]) * np.linalg.norm(pair[1]))


def _first_factors(
    scaled: _Scaled, components: int, seed: int, report: Report
) -> tuple[FloatArray, FloatArray]:
    """Weights (P, K) and profiles (C, K) from the parts of one sign of the singular vectors."""
    size = min(components, len(scaled.row), len(scaled.column))
    values, left, right = _singular_vectors(scaled, size, seed, report)
    weights = np.zeros((len(scaled.row), components))
    profiles = np.zeros((len(scaled.column), components))
    for k in range(size):
        sides = left[:, k], right[:, k]
        pairs = [[np.maximum(sign * side, 0.0) for side in sides] for sign in (1.0, -1.0)]
        if k == 0:  # all of the first vectors have one sign, but for rounding
            pairs = [[np.abs(side) for side in sides]]
        weight, profile = max(pairs, key=_strength)
        norms = float(np.linalg.norm(weight)), float(np.linalg.norm(profile))
        if norms[0] * norms[1] > 0:
            scale = np.sqrt(values[k] * norms[0] * norms[1])
            weights[:, k], profiles[:, k] = scale * weight / norms[0], scale * profile / norms[1]
    ones = np.ones((len(scaled.column), 1))
    mean = float(scaled.times(ones, lambda _: None).mean()) / len(scaled.column)
    for factor in (weights, profiles):
        factor[factor == 0.0] = mean
    weights[scaled.row == 0] = 0.0
    profiles[scaled.column == 0] = 0.0
    return weights, profiles


def least_squares_factors(
    images: Sequence[SpectrumImage],
    components: int,
    seed: int,
    report: Report,
    max_iterations: int,
    tolerance: float,
) -> Factors:
    """Factors of one or several maps, scaled back to counts; see the module's first lines.

    `Factors.losses` holds half the squared error of the scaled counts after each iteration.
    """
    from sklearn.decomposition import non_negative_factorization

    scaled = _Scaled.of(images)
    begin = part_of(report, 0.0, DONE_BY_THE_START)
    weights, profiles = _first_factors(scaled, components, seed, part_of(begin, 0.0, 0.9))
    matrix = scaled.matrix(part_of(begin, 0.9, 1.0))
    half_square = 0.5 * float(matrix.data @ matrix.data)
    going_on = parts_of(part_of(report, DONE_BY_THE_START, 1.0), max_iterations)
    # one iteration at a time, so that it can be stopped; tol=0 keeps scikit-learn from warning
    options: dict[str, Any] = {
        "n_components": components, "init": "custom", "max_iter": 1, "tol": 0.0
    }  # fmt: skip
    losses: list[float] = []
    converged = False
    while not converged and len(losses) < max_iterations:
        going_on[len(losses)](0.0)
        weights, rows, _ = non_negative_factorization(
            matrix, W=weights, H=np.ascontiguousarray(profiles.T), **options
        )
        profiles = rows.T
        cross = float((weights * (matrix @ profiles)).sum())
        square = float(((weights.T @ weights) * (profiles.T @ profiles)).sum())
        losses.append(half_square - cross + 0.5 * square)
        converged = len(losses) > 1 and losses[-2] - losses[-1] < tolerance * losses[-1]
    row, column = (_inverse_root(inverse**2) for inverse in (scaled.row, scaled.column))
    return Factors(weights * row[:, None], profiles * column[:, None], np.array(losses), converged)
