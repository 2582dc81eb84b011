"""What the mask of one rectangle will look like, at once, while it is drawn or dragged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import BoolArray
from endmember.core.masks.regions import Rectangle, pixel_box
from endmember.core.masks.segmentation import Stroke, segment
from endmember.core.progress import Report, silent
from endmember.session.decisions.recipe import Box, MapInput, Segmentation
from endmember.session.decisions.recipe import Stroke as DrawnStroke
from endmember.session.decisions.shapes import rectangle_on, stroke_on
from endmember.session.views.precipitate_rectangles import uncropped

Corner = tuple[int, int]
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
    report: Report = silent,
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
    Cancelled
        from `report`.
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
        report,
    )
    mask = cut.mask[y - top : y - top + height, x - left : x - left + width]
    return MaskPreview(mask, uncropped(entry, (x, y, width, height)), int(np.count_nonzero(mask)))


def closed_outlines(mask: BoolArray) -> list[list[Corner]]:
    """The outlines of a mask as closed lines of corners (x, y), in pixels of the mask.

    Only where a line turns does it have a corner. Holes have outlines of their own.
    """
    padded = np.pad(mask, 1).astype(np.int8)
    onward: dict[Corner, list[Corner]] = defaultdict(list)
    # every edge runs with the inside on its right, so at each corner as many leave as arrive
    down = padded[1:, 1:-1] - padded[:-1, 1:-1]
    for y, x in np.argwhere(down != 0).tolist():
        start, end = ((x, y), (x + 1, y)) if down[y, x] > 0 else ((x + 1, y), (x, y))
        onward[start].append(end)
    across = padded[1:-1, 1:] - padded[1:-1, :-1]
    for y, x in np.argwhere(across != 0).tolist():
        start, end = ((x, y + 1), (x, y)) if across[y, x] > 0 else ((x, y), (x, y + 1))
        onward[start].append(end)
    outlines = []
    while onward:
        first = next(iter(onward))
        outlines.append(_without_straight(_followed(onward, first)))
    return outlines


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


def _followed(onward: dict[Corner, list[Corner]], first: Corner) -> list[Corner]:
    """One closed line from `first`; its edges are taken out of `onward`."""
    line, place = [first], first
    while place in onward:
        ends = onward[place]
        place = ends.pop()
        if not ends:
            del onward[line[-1]]
        line.append(place)
        if place == first:
            break
    return line[:-1]


def _without_straight(line: list[Corner]) -> list[Corner]:
    turns = []
    for index, (x, y) in enumerate(line):
        before, after = line[index - 1], line[(index + 1) % len(line)]
        if (x - before[0]) * (after[1] - y) != (y - before[1]) * (after[0] - x):
            turns.append((x, y))
    return turns
