"""Spectra summed over masks, each made from the nearest one that was summed before.

When a rectangle or a region is moved, its mask and that of the matrix change in few pixels. The
sums are of whole counts, so adding the new pixels and taking the old ones away gives the same
numbers as a sum over all of them.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from endmember.core.counts.sparse_sums import BoolArray, FloatArray, sum_masked
from endmember.core.progress import Report, parts_of, silent

if TYPE_CHECKING:
    from endmember.core.counts.spectrum_image import SpectrumImage

KEPT_SUMS = 12  # of one map: a mask takes a byte per pixel

_Sums = deque[tuple[BoolArray, FloatArray]]

# Kept as long as the map itself, whose counts nobody changes.
_sums: WeakKeyDictionary[SpectrumImage, _Sums] = WeakKeyDictionary()
_lock = threading.Lock()  # held while looking and keeping, not while summing


def mask_sum(image: SpectrumImage, mask: BoolArray, report: Report = silent) -> FloatArray:
    """The counts (C,) summed over the pixels of `mask` (P,)."""
    with _lock:
        kept = list(_sums.setdefault(image, deque(maxlen=KEPT_SUMS)))
    start, base = np.zeros_like(mask), np.zeros(image.axis.channels)
    fewest = np.count_nonzero(mask)
    for known, counts in kept:
        different = np.count_nonzero(known != mask)
        if different < fewest:
            start, base, fewest = known, counts, different
    adding, taking = parts_of(report, 2)
    total = base + _summed(image, mask & ~start, adding) - _summed(image, start & ~mask, taking)
    total.flags.writeable = False
    with _lock:
        _sums[image].append((mask.copy(), total))
    return total


def _summed(image: SpectrumImage, mask: BoolArray, report: Report) -> FloatArray:
    if not mask.any():
        report(1.0)
        return np.zeros(image.axis.channels)
    return sum_masked(image.starts, image.channels, image.counts, mask, image.axis.channels, report)
