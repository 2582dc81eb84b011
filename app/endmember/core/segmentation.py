"""Masks of precipitates by GrabCut, from loose rectangles drawn on the component maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from endmember.core.counts import BoolArray
from endmember.core.progress import Report, silent
from endmember.core.regions import Rectangle, pixel_box
from endmember.core.spectrum import FloatArray

Box = tuple[int, int, int, int]

ITERATIONS = 5
MARGIN_PX = 40  # background seen round the rectangles: enough for the colour models, and faster
FEWEST_PIXELS = 5  # GrabCut makes five clusters of the foreground and five of the background
SIGNIFICANT = 4.0  # standard deviations of the background
LEAST_CONTRAST = 0.01  # of the precipitate's own: finer structure is not taken for precipitate
FINER = 0.75  # smoothing of the test for significance: less blur leaves more matrix
SCARCE = 0.02  # a rectangle in which less than this part was found is reported


@dataclass(frozen=True, slots=True)
class Stroke:
    """A correction painted along `points` (x, y), pixel coordinates, `radius` in pixels."""

    label: Literal["inside", "outside"]
    radius: float
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Segmentation:
    """`mask` (rows, columns), the pixels found in each rectangle, and warnings as sentences."""

    mask: BoolArray
    pixels_per_rectangle: tuple[int, ...]
    warnings: tuple[str, ...]


def _painted(shape: tuple[int, int], strokes: Sequence[Stroke]) -> npt.NDArray[np.int8]:
    """+1 painted inside, -1 outside, 0 not painted; a later stroke covers an earlier one."""
    y, x = np.indices(shape) + 0.5
    painted = np.zeros(shape, dtype=np.int8)
    for stroke in strokes:
        near = np.zeros(shape, dtype=bool)
        points = np.asarray(stroke.points, dtype=np.float64) + 0.5  # a point names a pixel
        for start, end in zip(points, [*points[1:], points[-1]], strict=True):
            along = end - start
            length = float(along @ along)
            part = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (length or 1.0)
            part = np.clip(part, 0.0, 1.0)
            near |= np.hypot(x - start[0] - part * along[0], y - start[1] - part * along[1]) <= (
                max(stroke.radius, 0.5)
            )
        painted[near] = 1 if stroke.label == "inside" else -1
    return painted


def _eight_bit(channel: FloatArray) -> npt.NDArray[np.uint8]:
    """0 to 255 between the 0.5 % and 99.5 % quantiles, so that single hot pixels do not matter."""
    low, high = np.percentile(channel, [0.5, 99.5])
    if high <= low:
        low, high = channel.min(), channel.max()
    scaled = (channel - low) / ((high - low) or 1.0) * 255.0
    return np.asarray(np.clip(np.round(scaled), 0, 255).astype(np.uint8))


def _channels(
    component_maps: FloatArray, component: int, smoothing_px: float
) -> npt.NDArray[np.uint8]:
    """Three 8-bit channels (rows, columns, 3): the chosen component and the two largest others.

    With fewer components the sum of all, then the chosen one again, fills the third channel.
    """
    from scipy.ndimage import gaussian_filter

    smooth = [gaussian_filter(part, smoothing_px, mode="nearest") for part in component_maps]
    others = [part for number, part in enumerate(smooth) if number != component]
    chosen = smooth[component]
    flat = np.ptp(chosen) <= 1e-9 * max(float(np.abs(chosen).max()), 1e-300)
    if flat:
        raise ValueError(
            f"the map of component {component} is the same everywhere, so nothing can be found on "
            "it: choose another component"
        )
    others += [np.sum(smooth, axis=0), chosen][: max(0, 2 - len(others))]
    return np.dstack([_eight_bit(part) for part in (chosen, *others[:2])])


def _boxes(
    shape: tuple[int, int], rectangles: Sequence[Rectangle], names: Sequence[str]
) -> tuple[list[Box], tuple[str, ...]]:
    boxes: list[Box] = []
    warnings: list[str] = []
    for rectangle, name in zip(rectangles, names, strict=True):
        box, clipped = pixel_box(shape, rectangle, f"the rectangle {name}")
        boxes.append(box)
        warnings += clipped
    return boxes, tuple(warnings)


def _significant(
    component_maps: FloatArray,
    component: int,
    inside: BoolArray,
    background: BoolArray,
    smoothing_px: float,
) -> BoolArray:
    """Pixels `inside` whose share of the chosen component is clearly above that of `background`.

    Shares do not follow the thickness; their noise goes with 1 / sqrt(counts). Median and median
    deviation of the background are not moved by other precipitates in it, and hold its real
    unevenness as well as its noise.
    """
    from scipy.ndimage import gaussian_filter

    chosen, total = (
        gaussian_filter(part, FINER * smoothing_px, mode="nearest")
        for part in (component_maps[component], component_maps.sum(axis=0))
    )
    counted = total > 1e-6 * total.max()
    share = np.divide(chosen, total, out=np.zeros_like(total), where=counted)
    level = float(np.median(share[background]))
    weight = np.sqrt(total / total.max())
    spread = 1.4826 * float(np.median(np.abs(share - level)[background] * weight[background]))
    contrast = float(np.percentile(share[inside], 99.5)) - level
    above = share - level
    enough = (above * weight > SIGNIFICANT * spread) & (above > LEAST_CONTRAST * contrast)
    return np.asarray(enough & counted & inside & (contrast > 0))


def _named(rectangle: Rectangle) -> str:
    sides = (rectangle.x, rectangle.y, rectangle.width, rectangle.height)
    return "[" + ", ".join(f"{side:g}" for side in sides) + "]"


def _region(shape: tuple[int, int], seen: BoolArray) -> tuple[slice, slice]:
    """The rows and columns of `seen` with a margin."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return (
        slice(max(int(rows[0]) - MARGIN_PX, 0), min(int(rows[-1]) + 1 + MARGIN_PX, shape[0])),
        slice(max(int(columns[0]) - MARGIN_PX, 0), min(int(columns[-1]) + 1 + MARGIN_PX, shape[1])),
    )


def _labels(inside: BoolArray, painted: npt.NDArray[np.int8], cv2: Any) -> npt.NDArray[np.uint8]:
    labels = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    labels[painted == 1] = cv2.GC_FGD
    labels[painted == -1] = cv2.GC_BGD
    foreground = (labels == cv2.GC_PR_FGD) | (labels == cv2.GC_FGD)
    if np.count_nonzero(foreground) < FEWEST_PIXELS:
        raise ValueError(
            f"the rectangles cover fewer than {FEWEST_PIXELS} pixels: draw them larger, loosely "
            "round each precipitate"
        )
    if np.count_nonzero(~foreground) < FEWEST_PIXELS:
        raise ValueError(
            "the rectangles cover the whole map, so there is no background to tell the precipitate "
            "from: draw them round each precipitate, or paint some pixels as outside"
        )
    return np.asarray(labels)


def _grab_cut(
    image: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    seed: int,
    report: Report,
    cv2: Any,
) -> BoolArray:
    """One GrabCut with colour models shared by all rectangles, one iteration at a time."""
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    labels = np.ascontiguousarray(labels)
    mode = cv2.GC_INIT_WITH_MASK
    for iteration in range(ITERATIONS):
        report(iteration / ITERATIONS)
        cv2.setRNGSeed(seed)  # the generator belongs to the thread: seed it here, each time
        cv2.grabCut(image, labels, None, background, foreground, 1, mode)
        mode = cv2.GC_EVAL
    report(1.0)
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _scarce(name: str, box: Box, found: int) -> tuple[str, ...]:
    if found >= max(FEWEST_PIXELS, SCARCE * box[2] * box[3]):
        return ()
    sentence = (
        f"the rectangle {name} yielded only {found} of {box[2] * box[3]} pixels: "
        "paint the precipitate there as inside if it was missed, or remove the rectangle"
    )
    return (sentence,)


def segment(
    component_maps: FloatArray,
    component: int,
    rectangles: Sequence[Rectangle],
    strokes: Sequence[Stroke] = (),
    smoothing_px: float = 2.0,
    seed: int = 0,
    report: Report = silent,
    names: Sequence[str] | None = None,
) -> Segmentation:
    """The mask of one precipitate from all its rectangles together (Rother et al. 2004, GrabCut).

    `component_maps` (K, rows, columns) in counts, smoothed by a Gaussian of `smoothing_px`; the
    chosen `component` and two others are the three colour channels. Pixels in the rectangles are
    probably foreground, all others background; strokes are certain. One GrabCut for all rectangles
    shares the colour models, which finds faint precipitates that a GrabCut for each would lose.
    Pixels in the rectangles whose share of the component exceeds that of the background by
    `SIGNIFICANT` standard deviations are certain foreground: thin edges and faint precipitates,
    which a cut along the strongest contrast leaves out, would otherwise stay in the matrix. `names`
    are those of the rectangles in sentences (default: their coordinates).

    Raises
    ------
    ValueError
        if there is no rectangle and no inside stroke, a rectangle covers no pixel of the map, the
        rectangles cover all of it, the map is flat, or the component does not exist.
    Cancelled
        from `report`, between iterations.
    """
    import cv2

    if not 0 <= component < len(component_maps):
        raise ValueError(
            f"component {component} does not exist: there are {len(component_maps)}, counted from 0"
        )
    shape: tuple[int, int] = component_maps.shape[1:]
    names = [_named(rectangle) for rectangle in rectangles] if names is None else names
    boxes, clipped = _boxes(shape, rectangles, names)
    inside = np.zeros(shape, dtype=bool)
    for x, y, width, height in boxes:
        inside[y : y + height, x : x + width] = True
    painted = _painted(shape, strokes)
    if not (inside | (painted == 1)).any():
        raise ValueError("there is no rectangle: draw one loosely round each precipitate")
    region = _region(shape, inside | (painted == 1))
    image = _channels(component_maps, component, smoothing_px)
    labels = _labels(inside, painted, cv2)
    sure = _significant(component_maps, component, inside, labels == cv2.GC_BGD, smoothing_px)
    labels[sure & (labels == cv2.GC_PR_FGD)] = cv2.GC_FGD
    cut = np.zeros(shape, dtype=bool)
    cut[region] = _grab_cut(np.ascontiguousarray(image[region]), labels[region], seed, report, cv2)
    found = tuple(int(np.count_nonzero(cut[y : y + h, x : x + w])) for x, y, w, h in boxes)
    scarce = [
        sentence
        for name, box, pixels in zip(names, boxes, found, strict=True)
        for sentence in _scarce(name, box, pixels)
    ]
    cut.flags.writeable = False
    return Segmentation(cut, found, (*clipped, *scarce))
