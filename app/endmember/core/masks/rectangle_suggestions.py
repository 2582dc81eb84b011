"""Rectangles suggested round the patches of a component map, for a hand to accept or move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.masks.regions import BoolArray

Box = tuple[int, int, int, int]

STANDING_OUT = 5.0  # robust standard deviations of the background
LEAST_CONTRAST = 0.1  # of the component's own: fainter unevenness is not a precipitate
CLIPPED = 3.0  # standard deviations beyond which a pixel is no background
CLIPPING_ROUNDS = 20
FINER = 0.75  # as in the segmentation: the same patches stand out in both
MOSTLY = 0.5


def suggest_rectangles(
    component_maps: FloatArray,
    component: int,
    taken: Sequence[Box] = (),
    excluded: BoolArray | None = None,
    smoothing_px: float = 2.0,
    margin_px: int = 5,
    most: int = 40,
) -> tuple[Box, ...]:
    """Loose boxes x, y, width, height round patches where a component stands out, largest first.

    `component_maps` (K, rows, columns) in counts. The share of the chosen `component`, smoothed by
    a Gaussian, is compared with the median and the median deviation of the whole map without the
    `excluded` pixels and without what stands out, found by clipping in rounds, so that precipitates
    may cover much of the map. Left out are patches smaller than a smoothed noise peak and those
    that lie mostly in the boxes `taken`. A box is its patch with `margin_px` on each side, cut to
    the map; one that lies within another, or that covers the whole map, is left out.

    Raises
    ------
    ValueError
        if the component does not exist.
    """
    from scipy.ndimage import find_objects, label

    if not 0 <= component < len(component_maps):
        raise ValueError(
            f"component {component} does not exist: there are {len(component_maps)}, counted from 0"
        )
    shape: tuple[int, int] = component_maps.shape[1:]
    usable = np.ones(shape, dtype=bool) if excluded is None else ~excluded.astype(bool)
    outstanding = _standing_out(component_maps, component, usable, smoothing_px)
    covered = np.zeros(shape, dtype=bool)
    for x, y, width, height in taken:
        covered[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = True
    patches, number = label(outstanding)
    sizes = np.bincount(patches.ravel(), minlength=number + 1)
    inside_taken = np.bincount(patches[covered], minlength=number + 1)
    least = max(2 * np.pi * (FINER * smoothing_px) ** 2, 1.0)
    places = find_objects(patches)
    boxes: list[Box] = []
    for index in np.argsort(-sizes[1:], kind="stable") + 1:
        if sizes[index] < least or len(boxes) == most:
            break
        if inside_taken[index] > MOSTLY * sizes[index]:
            continue
        box = _loose(places[index - 1], margin_px, shape)
        whole = box == (0, 0, shape[1], shape[0])  # leaves no matrix to cut the precipitate from
        if not whole and not any(_within(box, other) for other in boxes):
            boxes.append(box)
    return tuple(boxes)


def _standing_out(
    component_maps: FloatArray, component: int, usable: BoolArray, smoothing_px: float
) -> BoolArray:
    """Usable pixels whose share of the component is clearly above that of the background.

    The noise of a share goes with 1 / sqrt(counts), so it is weighted with their root.
    """
    from scipy.ndimage import gaussian_filter

    # without the excluded pixels in either sum, a share beside them is that of its own side
    chosen, total = (
        gaussian_filter(np.where(usable, part, 0.0), FINER * smoothing_px, mode="nearest")
        for part in (component_maps[component], component_maps.sum(axis=0))
    )
    counted = usable & (total > 1e-6 * total.max(initial=0.0))
    if not counted.any():
        return np.zeros_like(counted)
    share = np.divide(chosen, total, out=np.zeros_like(total), where=counted)
    weight = np.sqrt(total / total.max())
    level, spread = _background(share, weight, counted)
    above = share - level
    contrast = float(np.percentile(above[counted], 99.5))
    enough = (above * weight > STANDING_OUT * spread) & (above > LEAST_CONTRAST * contrast)
    return np.asarray(enough & counted & (contrast > 0))


def _background(share: FloatArray, weight: FloatArray, counted: BoolArray) -> tuple[float, float]:
    """Median of the shares and weighted robust spread, of the pixels that clipping leaves."""
    values, weights = share[counted], weight[counted]
    kept = np.ones(len(values), dtype=bool)
    level = spread = 0.0
    for _ in range(CLIPPING_ROUNDS):
        level = float(np.median(values[kept]))
        spread = 1.4826 * float(np.median(np.abs(values - level)[kept] * weights[kept]))
        now = (values - level) * weights <= CLIPPED * spread
        if np.array_equal(now, kept):
            break
        kept = now
    return level, spread


def _loose(place: tuple[slice, slice], margin_px: int, shape: tuple[int, int]) -> Box:
    rows, columns = place
    left, top = max(columns.start - margin_px, 0), max(rows.start - margin_px, 0)
    right = min(columns.stop + margin_px, shape[1])
    bottom = min(rows.stop + margin_px, shape[0])
    return left, top, right - left, bottom - top


def _within(box: Box, other: Box) -> bool:
    x, y, width, height = box
    left, top, across, down = other
    return left <= x and top <= y and x + width <= left + across and y + height <= top + down
