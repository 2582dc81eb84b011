"""The two passes over the non-zero counts from which every sum of a map is made.

A map of P pixels and C channels is stored by pixel: pixel p owns the entries
`starts[p]:starts[p + 1]` of `channels` and `counts`. Everything the program asks of a map is
X B (a row per pixel) or X^T A (a row per channel), X being the map as a P x C matrix.

The loops are compiled by numba and release the interpreter lock; the pixels are cut into a
fixed number of blocks, so the result does not depend on how many processors there are.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]

BLOCKS = 16  # fixed: the order of floating-point additions must not follow the machine


@numba.njit(cache=True, nogil=True)
def _project(starts, channels, counts, basis, first, last, out):  # type: ignore[no-untyped-def]
    for pixel in range(first, last):
        for entry in range(starts[pixel], starts[pixel + 1]):
            channel = channels[entry]
            count = counts[entry]
            for k in range(basis.shape[1]):
                out[pixel, k] += count * basis[channel, k]


@numba.njit(cache=True, nogil=True)
def _accumulate(starts, channels, counts, weights, first, last, out):  # type: ignore[no-untyped-def]
    for pixel in range(first, last):
        if not np.any(weights[pixel]):
            continue
        for entry in range(starts[pixel], starts[pixel + 1]):
            channel = channels[entry]
            count = counts[entry]
            for k in range(weights.shape[1]):
                out[channel, k] += count * weights[pixel, k]


def for_each_block(pixels: int, work: Callable[[int, int, int], None]) -> None:
    """Call `work(block, first, last)` for each of the fixed blocks of pixels, on all processors."""
    edges = np.linspace(0, pixels, BLOCKS + 1).astype(np.int64)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(lambda b: work(b, int(edges[b]), int(edges[b + 1])), range(BLOCKS)))


def project(
    starts: IntArray, channels: IntArray, counts: IntArray, basis: FloatArray
) -> FloatArray:
    """X B: for each pixel the sum of `basis` (C, K) over its counts. Returns (P, K)."""
    out = np.zeros((len(starts) - 1, basis.shape[1]))
    columns = np.ascontiguousarray(basis, dtype=np.float64)
    for_each_block(
        len(out),
        lambda _, first, last: _project(starts, channels, counts, columns, first, last, out),
    )
    return out


def accumulate(
    starts: IntArray,
    channels: IntArray,
    counts: IntArray,
    weights: FloatArray,
    number_of_channels: int,
) -> FloatArray:
    """X^T A: for each channel the sum of the counts weighted by `weights` (P, K). Returns (C, K).

    Sums of whole counts (weights 0 and 1) are exact.
    """
    rows = np.ascontiguousarray(weights, dtype=np.float64)
    partial = np.zeros((BLOCKS, number_of_channels, rows.shape[1]))
    for_each_block(
        len(rows),
        lambda b, first, last: _accumulate(starts, channels, counts, rows, first, last, partial[b]),
    )
    return np.asarray(partial.sum(axis=0))
