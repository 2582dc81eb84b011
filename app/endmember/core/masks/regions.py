"""Regions drawn on a map, and the pixels they cover.

Coordinates are x, y in pixels with the origin at the top left corner of the map, so the pixel in
row r and column c is the unit square from (c, r) to (c + 1, r + 1). A pixel belongs to a region if
its centre, (c + 0.5, r + 0.5), does; of the centres on a straight edge, those on the left and the
upper edge belong, so that regions with a common edge share no pixel and leave none out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.floating]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Boxed:
    """What fills an upright box with its top left corner at (x, y)."""

    x: float
    y: float
    width: float
    height: float

    def bounds(self) -> Bounds:
        """Left, top, right and bottom."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def moved(self, x: float, y: float, scale: float = 1.0) -> Self:
        """The same shape seen from (x, y), then scaled."""
        return type(self)(
            (self.x - x) * scale, (self.y - y) * scale, self.width * scale, self.height * scale
        )


@dataclass(frozen=True, slots=True)
class Rectangle(_Boxed):
    """The upright rectangle with its top left corner at (x, y)."""

    def mask(self, rows: int, columns: int) -> BoolArray:
        """Which pixels lie inside, shape (rows, columns)."""
        left, top, right, bottom = self.bounds()
        x, y = _centres(rows, columns)
        return (x >= left) & (x < right) & (y >= top) & (y < bottom)


@dataclass(frozen=True, slots=True)
class Ellipse(_Boxed):
    """The upright ellipse that fills the box with its top left corner at (x, y)."""

    def mask(self, rows: int, columns: int) -> BoolArray:
        """Which pixels lie inside, shape (rows, columns)."""
        x, y = _centres(rows, columns)
        across = (x - self.x) / self.width * 2 - 1
        down = (y - self.y) / self.height * 2 - 1
        return across**2 + down**2 <= 1


@dataclass(frozen=True, slots=True)
class Polygon:
    """The polygon through `points` (x, y), closed by itself; crossing lines cut holes."""

    points: tuple[tuple[float, float], ...]

    def bounds(self) -> Bounds:
        """Left, top, right and bottom."""
        x, y = zip(*self.points, strict=True)
        return min(x), min(y), max(x), max(y)

    def moved(self, x: float, y: float, scale: float = 1.0) -> Polygon:
        """The same polygon seen from (x, y), then scaled."""
        return Polygon(tuple(((px - x) * scale, (py - y) * scale) for px, py in self.points))

    def mask(self, rows: int, columns: int) -> BoolArray:
        """Which pixels lie inside by the even-odd rule, shape (rows, columns)."""
        inside = np.zeros((rows, columns), dtype=bool)
        x, y = _centres(rows, columns)
        for start, end in zip(self.points, self.points[1:] + self.points[:1], strict=True):
            # Both neighbours of an edge must find the same crossing, so the order is fixed.
            (x0, y0), (x1, y1) = sorted((start, end), key=lambda point: (point[1], point[0]))
            crossed = np.flatnonzero((y[:, 0] >= y0) & (y[:, 0] < y1))
            if len(crossed):
                crossing = x0 + (y[crossed] - y0) * ((x1 - x0) / (y1 - y0))
                inside[crossed] ^= x >= crossing
        return inside


Region = Rectangle | Ellipse | Polygon


def region_mask(
    shape: tuple[int, int], region: Region, name: str
) -> tuple[BoolArray, tuple[str, ...]]:
    """The pixels of a map of `shape` (rows, columns) whose centres lie in `region`.

    Returns the mask (rows, columns) and warnings: one if part of the region lies off the map.

    Raises
    ------
    ValueError
        if the region, called `name` in the sentence, covers no pixel of the map.
    """
    mask = region.mask(*shape)
    if not mask.any():
        raise _covers_nothing(name, shape)
    return mask, _clipped(region.bounds(), shape, name)


def pixel_box(
    shape: tuple[int, int], rectangle: Rectangle, name: str
) -> tuple[tuple[int, int, int, int], tuple[str, ...]]:
    """The box of whole pixels that `rectangle` touches, clipped to a map of `shape`.

    Returns x, y, width, height, and warnings: one if part of the rectangle lies off the map.

    Raises
    ------
    ValueError
        if the rectangle, called `name` in the sentence, covers no pixel of the map.
    """
    rows, columns = shape
    left, top, right, bottom = rectangle.bounds()
    x, y = max(math.floor(left), 0), max(math.floor(top), 0)
    width, height = min(math.ceil(right), columns) - x, min(math.ceil(bottom), rows) - y
    if width <= 0 or height <= 0:
        raise _covers_nothing(name, shape)
    return (x, y, width, height), _clipped(rectangle.bounds(), shape, name)


def _centres(rows: int, columns: int) -> tuple[FloatArray, FloatArray]:
    """x of shape (1, columns) and y of shape (rows, 1)."""
    x, y = np.arange(0.5, columns), np.arange(0.5, rows)
    return x[np.newaxis, :], y[:, np.newaxis]


def _clipped(bounds: Bounds, shape: tuple[int, int], name: str) -> tuple[str, ...]:
    left, top, right, bottom = bounds
    rows, columns = shape
    if left >= 0 and top >= 0 and right <= columns and bottom <= rows:
        return ()
    return (f"{name} reaches beyond the map of {columns} x {rows} pixels and was clipped to it",)


def _covers_nothing(name: str, shape: tuple[int, int]) -> ValueError:
    return ValueError(
        f"{name} covers no pixel of the map of {shape[1]} x {shape[0]} pixels; "
        "move it onto the map, make it larger, or remove it"
    )
