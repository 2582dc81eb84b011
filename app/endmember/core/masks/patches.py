"""Parts of a map cut out and laid beside each other, so that work is done only where it matters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Patches of a map on one sheet: `boxes` on the map, `corners` (x, y) of each on the sheet.

    `shape` is (rows, columns) of the sheet.
    """

    boxes: tuple[Box, ...]
    corners: tuple[tuple[int, int], ...]
    shape: tuple[int, int]

    @classmethod
    def of_boxes(cls, boxes: Sequence[Box]) -> Mosaic:
        """Lay boxes on shelves, the tallest first, on a sheet about as wide as it is high."""
        area = sum(width * height for _, _, width, height in boxes)
        limit = max(math.isqrt(area), max(box[2] for box in boxes))
        corners: dict[int, tuple[int, int]] = {}
        x = y = shelf = used = 0
        for number in sorted(range(len(boxes)), key=lambda n: -boxes[n][3]):
            _, _, width, height = boxes[number]
            if x and x + width > limit:
                x, y, shelf = 0, y + shelf, 0
            corners[number] = (x, y)
            x, shelf = x + width, max(shelf, height)
            used = max(used, x)
        return cls(tuple(boxes), tuple(corners[n] for n in range(len(boxes))), (y + shelf, used))

    def lay(self, image: npt.NDArray[np.generic], sheet: npt.NDArray[np.generic]) -> None:
        """Copy the patches of `image` (rows, columns, ...) of the map onto `sheet`."""
        for (x, y, width, height), (left, top) in zip(self.boxes, self.corners, strict=True):
            sheet[top : top + height, left : left + width] = image[y : y + height, x : x + width]

    def put_back(self, sheet: npt.NDArray[np.generic], image: npt.NDArray[np.generic]) -> None:
        """Copy the patches from `sheet` to where they were on `image` of the map."""
        for (x, y, width, height), (left, top) in zip(self.boxes, self.corners, strict=True):
            image[y : y + height, x : x + width] = sheet[top : top + height, left : left + width]
