"""Rectangles round precipitates: kept on the map, suggested, and added several at once.

Boxes are x, y, width, height in pixels of the uncropped map, unless they are said to be analysed:
then they are in pixels of the map as it is cropped and rebinned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import BoolArray
from endmember.core.masks.rectangle_suggestions import suggest_rectangles
from endmember.core.masks.segmentation import FEWEST_PIXELS, SCARCE
from endmember.session.decisions.drawings import add_rectangle
from endmember.session.decisions.phase_edits import add_precipitate, set_precipitate
from endmember.session.decisions.recipe import Box, MapInput, Recipe, Segmentation
from endmember.session.decisions.shapes import rectangle_on
from endmember.session.steps.map_data import MapData

LARGEST_GAP = 1.0  # pixels: a stroke keeps only as many points as its line needs


def analysed_box(data: MapData) -> Box:
    """Where the map as it is analysed lies on the uncropped map."""
    return uncropped(data.entry, (0, 0, data.image.columns, data.image.rows))


def uncropped(entry: MapInput, box: Box) -> Box:
    """An analysed box on the uncropped map."""
    left, top = entry.origin
    x, y, width, height = (side * entry.rebin for side in box)
    return left + x, top + y, width, height


def kept_on_map(box: Box, bounds: Box) -> Box | None:
    """The part of a box that lies within `bounds`; None where there is none."""
    x, y = max(box[0], bounds[0]), max(box[1], bounds[1])
    right = min(box[0] + box[2], bounds[0] + bounds[2])
    bottom = min(box[1] + box[3], bounds[1] + bounds[3])
    return (x, y, right - x, bottom - y) if right > x and bottom > y else None


def moved_onto_map(box: Box, bounds: Box) -> Box:
    """A box of the same size, as far as it fits, at the nearest place within `bounds`."""
    width, height = min(box[2], bounds[2]), min(box[3], bounds[3])
    x = min(max(box[0], bounds[0]), bounds[0] + bounds[2] - width)
    y = min(max(box[1], bounds[1]), bounds[1] + bounds[3] - height)
    return x, y, width, height


def is_on_map(points: Sequence[tuple[float, float]], bounds: Box) -> bool:
    """Whether one of the points lies within `bounds`."""
    left, top, width, height = bounds
    return any(left <= x < left + width and top <= y < top + height for x, y in points)


def found_too_little(box: Box, rebin: int, pixels: int) -> bool:
    """Whether a rectangle yielded so few pixels that its precipitate was missed."""
    return pixels < max(FEWEST_PIXELS, SCARCE * (box[2] // rebin) * (box[3] // rebin))


def suggested_boxes(
    data: MapData,
    component_maps: FloatArray,
    component: int,
    taken: Sequence[Box],
    excluded: BoolArray | None,
    settings: Segmentation,
) -> tuple[Box, ...]:
    """Boxes for a hand to accept, round what stands out on a component map and is not `taken`.

    `component_maps` (K, rows, columns) and `excluded` (rows, columns) are analysed.

    Raises
    ------
    ValueError
        if the component does not exist.
    """
    smoothing_px = float(settings.smoothing_px) / data.entry.rebin
    found = suggest_rectangles(
        component_maps,
        component,
        [_analysed(data.entry, box) for box in taken],
        excluded,
        smoothing_px,
    )
    return tuple(uncropped(data.entry, box) for box in found)


def _analysed(entry: MapInput, box: Box) -> Box:
    left, top, right, bottom = rectangle_on(entry, box).bounds()
    x, y = math.floor(left), math.floor(top)
    return x, y, math.ceil(right) - x, math.ceil(bottom) - y


def add_rectangles(
    recipe: Recipe,
    precipitate: str,
    map_name: str,
    boxes: Sequence[Sequence[float]],
    component: int | None = None,
) -> Recipe:
    """Further rectangles of a precipitate, in one edit; without any precipitate P1 is added first.

    A precipitate with neither absent element nor component takes `component`, that of the map on
    which the rectangles are drawn: without either, no mask could be made.
    """
    if not recipe.precipitates:
        recipe = add_precipitate(recipe)
        precipitate = recipe.precipitates[-1].name
    found = recipe.precipitate_named(precipitate)
    if component is not None and found.component is None and not found.absent:
        recipe = set_precipitate(recipe, precipitate, component=component)
    for box in boxes:
        recipe = add_rectangle(recipe, precipitate, map_name, box)
    return recipe


def thinned(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The points of a stroke without those nearer than `LARGEST_GAP` to the one before."""
    kept: list[tuple[float, float]] = []
    for point in points:
        if not kept or math.dist(point, kept[-1]) >= LARGEST_GAP:
            kept.append(point)
    if len(points) > 1 and kept[-1] != points[-1]:
        kept.append(points[-1])
    return tuple(kept)
