"""What the mask of one rectangle will look like, at once, while it is drawn or dragged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from endmember.core.counts import BoolArray
from endmember.core.regions import Rectangle, pixel_box
from endmember.core.segmentation import Stroke, segment
from endmember.core.spectrum import FloatArray
from endmember.session.precipitate_rectangles import uncropped
from endmember.session.recipe import Box, MapInput, Segmentation
from endmember.session.recipe import Stroke as DrawnStroke
from endmember.session.shapes import rectangle_on, stroke_on

SURROUNDINGS_PX = 40  # enough background for the colour models, and for the smoothing


@dataclass(frozen=True, eq=False, slots=True)
class MaskPreview:
    """`mask` (rows, columns) of one rectangle, the `box` of the uncropped map that it fills, and
    the pixels found."""

    mask: BoolArray
    box: Box
    pixels: int


def preview_mask(
    component_maps: FloatArray,
    component: int,
    entry: MapInput,
    box: Box,
    others: Sequence[Box],
    strokes: Sequence[DrawnStroke],
    settings: Segmentation,
) -> MaskPreview:
    """GrabCut of one rectangle alone, on the component maps round it.

    `component_maps` (K, rows, columns) are those of the map as `entry` crops and rebins it; `box`,
    `others` (the precipitate's other rectangles) and `strokes` are in pixels of the uncropped map.
    Only the rectangle and `SURROUNDINGS_PX` round it are smoothed and cut, so the edge may differ
    by some pixels from that of the mask, whose colour models all rectangles share.

    Raises
    ------
    ValueError
        as `segment`, with the rectangle alone: outside the map, too small, or on a flat map.
    """
    shape: tuple[int, int] = component_maps.shape[1:]
    (x, y, width, height), _ = pixel_box(shape, rectangle_on(entry, box), _named(box))
    left, top = max(x - SURROUNDINGS_PX, 0), max(y - SURROUNDINGS_PX, 0)
    right = min(x + width + SURROUNDINGS_PX, shape[1])
    bottom = min(y + height + SURROUNDINGS_PX, shape[0])
    around = Rectangle(left, top, right - left, bottom - top)
    rectangles = [Rectangle(x - left, y - top, width, height)]
    for other in others:
        part = _common(rectangle_on(entry, other), around)
        if part is not None:
            rectangles.append(part.moved(left, top))
    cut = segment(
        np.ascontiguousarray(component_maps[:, top:bottom, left:right]),
        component,
        rectangles,
        [_stroke_in_part(entry, stroke, left, top) for stroke in strokes],
        float(settings.smoothing_px) / entry.rebin,
        settings.seed,
    )
    mask = cut.mask[y - top : y - top + height, x - left : x - left + width]
    return MaskPreview(mask, uncropped(entry, (x, y, width, height)), int(np.count_nonzero(mask)))


def _named(box: Box) -> str:
    return f"the rectangle {list(box)}"


def _common(rectangle: Rectangle, around: Rectangle) -> Rectangle | None:
    """What two rectangles share, None where they do not meet."""
    left, top, right, bottom = rectangle.bounds()
    x0, y0, x1, y1 = around.bounds()
    x, y = max(left, x0), max(top, y0)
    width, height = min(right, x1) - x, min(bottom, y1) - y
    return Rectangle(x, y, width, height) if width > 0 and height > 0 else None


def _stroke_in_part(entry: MapInput, stroke: DrawnStroke, left: int, top: int) -> Stroke:
    """A stroke in pixels of the part of the analysed map that begins at `left`, `top`."""
    here = stroke_on(entry, stroke)
    return replace(here, points=tuple((x - left, y - top) for x, y in here.points))
