"""Masks of precipitates by GrabCut, from loose rectangles drawn on the component maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import BoolArray
from endmember.core.masks.grab_cut import grab_cut
from endmember.core.masks.patches import Box, spread_evenly
from endmember.core.masks.regions import Rectangle, pixel_box
from endmember.core.progress import Report, silent

FEWEST_PIXELS = 5  # GrabCut makes five clusters of the foreground and five of the background
ENOUGH_PIXELS = 20_000  # of the background: its median is then known to a hundredth of its spread
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
    painted = np.zeros(shape, dtype=np.int8)
    for stroke in strokes:
        radius = max(stroke.radius, 0.5)
        points = np.asarray(stroke.points, dtype=np.float64) + 0.5  # a point names a pixel
        for start, end in zip(points, [*points[1:], points[-1]], strict=True):
            rows, columns, near = _near(shape, start, end, radius)
            painted[rows, columns][near] = 1 if stroke.label == "inside" else -1
    return painted


def _near(
    shape: tuple[int, int], start: FloatArray, end: FloatArray, radius: float
) -> tuple[slice, slice, BoolArray]:
    """The pixels with centres within `radius` of a line, in the part of the map round it."""
    low = np.maximum(np.floor(np.minimum(start, end) - radius), 0).astype(int)
    high = np.maximum(np.ceil(np.maximum(start, end) + radius), 0).astype(int)
    rows = slice(low[1], max(low[1], min(high[1], shape[0])))
    columns = slice(low[0], max(low[0], min(high[0], shape[1])))
    y, x = np.ogrid[rows, columns]
    y, x = y + 0.5, x + 0.5
    along = end - start
    length = float(along @ along)
    part = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (length or 1.0)
    part = np.clip(part, 0.0, 1.0)
    distance = np.hypot(x - start[0] - part * along[0], y - start[1] - part * along[1])
    return rows, columns, np.asarray(distance <= radius)


def _eight_bit(channel: FloatArray) -> npt.NDArray[np.uint8]:
    """0 to 255 between the 0.5 % and 99.5 % quantiles, so that single hot pixels do not matter."""
    low, high = np.percentile(channel, [0.5, 99.5])
    if high <= low:
        low, high = channel.min(), channel.max()
    scaled = (channel - low) / ((high - low) or 1.0) * 255.0
    return np.asarray(np.clip(np.round(scaled), 0, 255).astype(np.uint8))


class SmoothedMaps:
    """Component maps (K, rows, columns) as the cut sees them, each made once, when asked for.

    `smoothing_px` is the sigma of the Gaussian.
    """

    def __init__(self, component_maps: FloatArray, smoothing_px: float) -> None:
        self.component_maps, self.smoothing_px = component_maps, smoothing_px
        self.shape: tuple[int, int] = component_maps.shape[1:]
        self._channels: dict[int, tuple[npt.NDArray[np.uint8], bool]] = {}
        self._shares: dict[int, tuple[FloatArray, FloatArray]] = {}
        self._total: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.component_maps)

    def image(self, component: int, report: Report = silent) -> npt.NDArray[np.uint8]:
        """Three 8-bit channels (rows, columns, 3): the component and the two largest others.

        With fewer components the sum of all, then the chosen one again, fills the third channel.

        Raises
        ------
        ValueError
            if the map of the component is the same everywhere.
        """
        chosen, flat = self._channel(component)
        if flat:
            raise ValueError(
                f"the map of component {component} is the same everywhere, so nothing can be found "
                "on it: choose another component"
            )
        others = [number for number in range(len(self)) if number != component][:2]
        channels = [chosen]
        for number in [*others, *[-1, component][: 2 - len(others)]]:
            report(0.0)
            channels.append(self._channel(number)[0])
        return np.dstack(channels)

    def _channel(self, number: int) -> tuple[npt.NDArray[np.uint8], bool]:
        """A component smoothed, in 8 bits, and whether it is flat; -1 is the sum of all."""
        if number not in self._channels:
            part = self.component_maps.sum(axis=0) if number < 0 else self.component_maps[number]
            smooth = _smooth(part, self.smoothing_px)
            flat = bool(np.ptp(smooth) <= 1e-9 * max(float(np.abs(smooth).max()), 1e-300))
            self._channels[number] = _eight_bit(smooth), flat
        return self._channels[number]

    def share(self, component: int) -> tuple[FloatArray, FloatArray]:
        """The component's share of all counts, and the square root of these, largest 1.

        Both (rows, columns) and smoothed a little less; the root is 0 where there are no counts.
        """
        sigma = FINER * self.smoothing_px
        if self._total is None:
            self._total = _smooth(self.component_maps.sum(axis=0), sigma)
        if component not in self._shares:
            total = self._total
            counted = total > 1e-6 * total.max()
            chosen = _smooth(self.component_maps[component], sigma)
            share = np.divide(chosen, total, out=np.zeros_like(total), where=counted)
            weight = np.where(counted, np.sqrt(total / total.max()), 0.0)
            self._shares[component] = share, weight
        return self._shares[component]


def _smooth(part: FloatArray, sigma: float) -> FloatArray:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(part, sigma, mode="nearest"))


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
    maps: SmoothedMaps, component: int, inside: BoolArray, background: BoolArray
) -> BoolArray:
    """Pixels `inside` whose share of the chosen component is clearly above that of `background`.

    Shares do not follow the thickness; their noise goes with 1 / sqrt(counts). Median and median
    deviation of the background are not moved by other precipitates in it, and hold its real
    unevenness as well as its noise.
    """
    if not inside.any():  # there are strokes only
        return inside
    share, weight = maps.share(component)
    around = spread_evenly(background, ENOUGH_PIXELS)
    there = share.ravel()[around]
    level = float(np.median(there))
    spread = 1.4826 * float(np.median(np.abs(there - level) * weight.ravel()[around]))
    contrast = float(np.percentile(share[inside], 99.5)) - level
    above = share - level
    enough = (above * weight > SIGNIFICANT * spread) & (above > LEAST_CONTRAST * contrast)
    return np.asarray(enough & (weight > 0) & inside & (contrast > 0))


def _named(rectangle: Rectangle) -> str:
    sides = (rectangle.x, rectangle.y, rectangle.width, rectangle.height)
    return "[" + ", ".join(f"{side:g}" for side in sides) + "]"


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


def _painted_boxes(painted: npt.NDArray[np.int8]) -> list[Box]:
    """A box round each patch that is painted as inside."""
    from scipy.ndimage import find_objects, label

    patches, _ = label(painted == 1)
    return [
        (c.start, r.start, c.stop - c.start, r.stop - r.start) for r, c in find_objects(patches)
    ]


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
        from `report`, between rounds.
    """
    maps = SmoothedMaps(component_maps, smoothing_px)
    return cut_out(maps, component, rectangles, strokes, seed, report, names)


def cut_out(
    maps: SmoothedMaps,
    component: int,
    rectangles: Sequence[Rectangle],
    strokes: Sequence[Stroke] = (),
    seed: int = 0,
    report: Report = silent,
    names: Sequence[str] | None = None,
) -> Segmentation:
    """`segment` on maps that are smoothed already: for cutting the same maps again and again."""
    import cv2

    if not 0 <= component < len(maps):
        raise ValueError(
            f"component {component} does not exist: there are {len(maps)}, counted from 0"
        )
    names = [_named(rectangle) for rectangle in rectangles] if names is None else names
    boxes, clipped = _boxes(maps.shape, rectangles, names)
    inside = np.zeros(maps.shape, dtype=bool)
    for x, y, width, height in boxes:
        inside[y : y + height, x : x + width] = True
    painted = _painted(maps.shape, strokes)
    if not (inside | (painted == 1)).any():
        raise ValueError("there is no rectangle: draw one loosely round each precipitate")
    image = maps.image(component, report)
    labels = _labels(inside, painted, cv2)
    report(0.0)
    sure = _significant(maps, component, inside, labels == cv2.GC_BGD)
    labels[sure & (labels == cv2.GC_PR_FGD)] = cv2.GC_FGD
    cut = grab_cut(image, labels, [*boxes, *_painted_boxes(painted)], seed, report)
    found = tuple(int(np.count_nonzero(cut[y : y + h, x : x + w])) for x, y, w, h in boxes)
    scarce = [
        sentence
        for name, box, pixels in zip(names, boxes, found, strict=True)
        for sentence in _scarce(name, box, pixels)
    ]
    cut.flags.writeable = False
    return Segmentation(cut, found, (*clipped, *scarce))
