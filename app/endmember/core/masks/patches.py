"""Parts of a map, so that work is done only where it matters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from endmember.core.counts.spectrum_image import BoolArray

Box = tuple[int, int, int, int]  # x, y, width, height in pixels


def merged(boxes: Sequence[Box]) -> list[Box]:
    """Boxes that share no pixel and hold all pixels of `boxes`: those that overlap are united."""
    apart: list[Box] = []
    for new in boxes:
        box = new
        while touching := [other for other in apart if _overlap(box, other)]:
            apart = [other for other in apart if other not in touching]
            for other in touching:
                box = _united(box, other)
        apart.append(box)
    return apart


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def _united(a: Box, b: Box) -> Box:
    x, y = min(a[0], b[0]), min(a[1], b[1])
    right, bottom = max(a[0] + a[2], b[0] + b[2]), max(a[1] + a[3], b[1] + b[3])
    return x, y, right - x, bottom - y


def grown(box: Box, margin: int, shape: tuple[int, int]) -> Box:
    """A box with a margin all round, cut at the border of a map of `shape` (rows, columns)."""
    x, y = max(box[0] - margin, 0), max(box[1] - margin, 0)
    right = min(box[0] + box[2] + margin, shape[1])
    bottom = min(box[1] + box[3] + margin, shape[0])
    return x, y, right - x, bottom - y


def spread_evenly(mask: BoolArray, most: int) -> npt.NDArray[np.intp]:
    """Flat indices of at most `most` pixels of a mask (rows, columns), spread over all of it."""
    pixels = np.flatnonzero(mask)
    number = min(len(pixels), most)
    return np.asarray(pixels[np.arange(number) * len(pixels) // max(number, 1)])
