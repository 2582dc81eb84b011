"""The passes over the non-zero counts from which every sum of a map is made.

A map of P pixels and C channels is stored by pixel: pixel p owns the entries
`starts[p]:starts[p + 1]` of `channels` and `counts`. Everything the program asks of a map is
X B (a row per pixel) or X^T A (a row per channel), X being the map as a P x C matrix.

The loops are compiled by numba and release the interpreter lock; the pixels are cut into a
fixed number of blocks, so the result does not depend on how many processors there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import numba
import numpy as np
import numpy.typing as npt

from endmember.core.progress import Report, silent

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]

LONGEST_SILENCE_S = 0.1  # between two reports, however long a block takes
FEW_PIXELS = 2048  # fewer are done before other threads have begun
BLOCKS = 16  # fixed: the order of floating-point additions must not follow the machine
THREADS_VARIABLE = "ENDMEMBER_THREADS"  # fewer than there are processors, where work is shared out


def threads() -> int:
    """How many threads one pass may use: one for each processor, or what the variable says."""
    said = os.environ.get(THREADS_VARIABLE, "")
    return int(said) if said.isdigit() and int(said) > 0 else os.cpu_count() or 1


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


@numba.njit(cache=True, nogil=True)
def _sum_masked(starts, channels, counts, mask, first, last, out):  # type: ignore[no-untyped-def]
    for pixel in range(first, last):
        if mask[pixel]:
            for entry in range(starts[pixel], starts[pixel + 1]):
                out[channels[entry]] += np.int64(counts[entry])


@numba.njit(cache=True, nogil=True)
def _add_up(starts, counts, first, last, sums, squares):  # type: ignore[no-untyped-def]
    for pixel in range(first, last):
        total = np.int64(0)
        square = 0.0
        for entry in range(starts[pixel], starts[pixel + 1]):
            count = np.int64(counts[entry])
            total += count
            square += float(count) * float(count)
        sums[pixel] = total
        squares[pixel] = square


def for_each_block(
    pixels: int,
    work: Callable[[int, int, int], None],
    report: Report = silent,
    few: int = FEW_PIXELS,
) -> None:
    """Call `work(block, first, last)` for each of the fixed blocks of pixels, on all processors.

    `report` is called after each block and at least every 0.1 s, or once where the pixels are
    fewer than `few`.

    Raises
    ------
    Cancelled
        from `report`; blocks that have not begun are left undone.
    """
    edges = np.linspace(0, pixels, BLOCKS + 1).astype(np.int64)
    if pixels < few:
        for block in range(BLOCKS):
            work(block, int(edges[block]), int(edges[block + 1]))
        report(1.0)
        return
    pool = ThreadPoolExecutor(threads())
    try:
        under_way = [
            pool.submit(work, block, int(edges[block]), int(edges[block + 1]))
            for block in range(BLOCKS)
        ]
        for number, future in enumerate(under_way):
            while wait([future], timeout=LONGEST_SILENCE_S).not_done:
                report(number / BLOCKS)
            future.result()
            report((number + 1) / BLOCKS)
    except BaseException:
        # blocks that run go on to their end, for a moment, in arrays that nobody sees any more
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def project(
    starts: IntArray,
    channels: IntArray,
    counts: IntArray,
    basis: FloatArray,
    report: Report = silent,
) -> FloatArray:
    """X B: for each pixel the sum of `basis` (C, K) over its counts. Returns (P, K)."""
    out = np.zeros((len(starts) - 1, basis.shape[1]))
    columns = np.ascontiguousarray(basis, dtype=np.float64)
    for_each_block(
        len(out),
        lambda _, first, last: _project(starts, channels, counts, columns, first, last, out),
        report,
    )
    return out


def accumulate(
    starts: IntArray,
    channels: IntArray,
    counts: IntArray,
    weights: FloatArray,
    number_of_channels: int,
    report: Report = silent,
) -> FloatArray:
    """X^T A: for each channel the sum of the counts weighted by `weights` (P, K). Returns (C, K).

    Sums of whole counts (weights 0 and 1) are exact.
    """
    rows = np.ascontiguousarray(weights, dtype=np.float64)
    partial = np.zeros((BLOCKS, number_of_channels, rows.shape[1]))
    for_each_block(
        len(rows),
        lambda b, first, last: _accumulate(starts, channels, counts, rows, first, last, partial[b]),
        report,
    )
    return np.asarray(partial.sum(axis=0))


def sum_masked(
    starts: IntArray,
    channels: IntArray,
    counts: IntArray,
    mask: BoolArray,
    number_of_channels: int,
    report: Report = silent,
) -> FloatArray:
    """The spectrum (C,) summed over the pixels of `mask` (P,): `accumulate`, only faster."""
    partial = np.zeros((BLOCKS, number_of_channels), dtype=np.int64)
    for_each_block(
        len(mask),
        lambda b, first, last: _sum_masked(starts, channels, counts, mask, first, last, partial[b]),
        report,
    )
    return np.asarray(partial.sum(axis=0), dtype=np.float64)


def sums_and_squares(
    starts: IntArray, counts: IntArray, report: Report = silent
) -> tuple[FloatArray, FloatArray]:
    """For each pixel the sum of its counts and the sum of their squares, both (P,)."""
    sums, squares = np.zeros((2, len(starts) - 1))
    for_each_block(
        len(sums),
        lambda _, first, last: _add_up(starts, counts, first, last, sums, squares),
        report,
    )
    return sums, squares
