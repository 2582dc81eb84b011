"""Sums over short runs of channels: what a window on the spectrum counts in each pixel.

A pixel's counts are stored with rising channels, so a run of them is found by bisection and the
rest is never looked at. For a few narrow windows that is ten times faster than a pass over all
counts, as `sparse_sums.project` makes it, and gives the same sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from endmember.core.counts.sparse_sums import FloatArray, for_each_block

if TYPE_CHECKING:
    from endmember.core.counts.spectrum_image import SpectrumImage


def project_spans(image: SpectrumImage, basis: FloatArray) -> FloatArray:
    """X B for a `basis` (C, K) whose columns are zero but for a run of channels. Returns (P, K).

    Right for every basis; fast where the runs are short.
    """
    columns = np.ascontiguousarray(basis, dtype=np.float64)
    spans = np.zeros((columns.shape[1], 2), dtype=np.int64)
    for number, column in enumerate(columns.T):
        filled = np.flatnonzero(column)
        if len(filled):
            spans[number] = filled[0], filled[-1] + 1
    out = np.zeros((image.rows * image.columns, columns.shape[1]))

    def work(_: int, first: int, last: int) -> None:
        _sum_spans(image.starts, image.channels, image.counts, columns, spans, first, last, out)

    for_each_block(len(out), work)
    return out


@numba.njit(cache=True, nogil=True)
def _sum_spans(starts, channels, counts, basis, spans, first, last, out):  # type: ignore[no-untyped-def]
    for pixel in range(first, last):
        for k in range(len(spans)):
            start, stop = spans[k]
            low, high = starts[pixel], starts[pixel + 1]
            end = high
            while low < high:  # the first entry in the run
                middle = (low + high) // 2
                if channels[middle] < start:
                    low = middle + 1
                else:
                    high = middle
            while low < end and channels[low] < stop:
                out[pixel, k] += counts[low] * basis[channels[low], k]
                low += 1
