"""From the shapes of a recipe to regions on the map as it is analysed, cropped and rebinned."""

from __future__ import annotations

from endmember.core.regions import Ellipse, Polygon, Rectangle, Region
from endmember.session.recipe import Box, Exclude, MapInput, Points, Roi


def drawn_region(shape: Roi | Exclude) -> Region:
    """The region of a recipe's shape, in pixels of the uncropped map.

    Raises
    ------
    ValueError
        if the shape has none of polygon, rectangle and ellipse.
    """
    if shape.polygon is not None:
        return Polygon(shape.polygon)
    if shape.rectangle is not None:
        return Rectangle(*shape.rectangle)
    if shape.ellipse is not None:
        return Ellipse(*shape.ellipse)
    raise ValueError("a shape needs a polygon, a rectangle or an ellipse; draw one")


def region_on(entry: MapInput, shape: Roi | Exclude) -> Region:
    """The region of `shape` in pixels of the map as `entry` crops and rebins it."""
    return drawn_region(shape).moved(*_origin(entry), 1 / entry.rebin)


def rectangle_on(entry: MapInput, box: Box) -> Rectangle:
    """A precipitate's `box` in pixels of the map as `entry` crops and rebins it."""
    return Rectangle(*box).moved(*_origin(entry), 1 / entry.rebin)


def points_on(entry: MapInput, points: Points) -> Points:
    """A stroke's points in pixels of the map as `entry` crops and rebins it.

    The radius of the stroke shrinks by the same factor, `entry.rebin`.
    """
    return Polygon(points).moved(*_origin(entry), 1 / entry.rebin).points


def _origin(entry: MapInput) -> tuple[int, int]:
    return (0, 0) if entry.crop is None else entry.crop[:2]
