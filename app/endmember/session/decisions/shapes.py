"""From the shapes of a recipe to regions on the map as it is analysed, cropped and rebinned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from endmember.core.masks.regions import Ellipse, Polygon, Rectangle, Region
from endmember.core.masks.segmentation import Stroke
from endmember.session.decisions.recipe import Box, Exclude, MapInput, Roi

if TYPE_CHECKING:
    from endmember.session.decisions.recipe import Stroke as DrawnStroke


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
    return drawn_region(shape).moved(*entry.origin, 1 / entry.rebin)


def rectangle_on(entry: MapInput, box: Box) -> Rectangle:
    """A precipitate's `box` in pixels of the map as `entry` crops and rebins it."""
    return Rectangle(*box).moved(*entry.origin, 1 / entry.rebin)


def stroke_on(entry: MapInput, stroke: DrawnStroke) -> Stroke:
    """A stroke in pixels of the map as `entry` crops and rebins it.

    Its points name pixels, so their centres move: the middle of pixel 42 is at 42.5.
    """
    (left, top), fold = entry.origin, entry.rebin
    points = tuple(
        ((x + 0.5 - left) / fold - 0.5, (y + 0.5 - top) / fold - 0.5) for x, y in stroke.points
    )
    return Stroke(stroke.label, stroke.radius / fold, points)
