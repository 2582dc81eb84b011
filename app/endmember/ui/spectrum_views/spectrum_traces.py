"""What is drawn of a curve: its steps, thinned to the pixels of the plot, with a floor for logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endmember.ui.spectrum_views.spectrum_marks import Curve, FloatArray

# Below this energy lies the detector's zero peak, often higher than every line.
ZERO_PEAK_keV = 0.15
LOG_DECADES = 6
MOST_DASHES = 1500

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Extent:
    """What is in view: energies, values as the y axis has them, and the size in pixels.

    `columns` are the pixels of the screen side by side. A line goes on a little beyond the frame,
    which hides it, unless it is to be `cut` off there for a figure.
    """

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    width: float
    height: float
    columns: int
    cut: bool = False

    def clip(self, values: FloatArray) -> FloatArray:
        """Values far outside moved near: Qt draws what is far outside very slowly."""
        low, high = self.y_range
        beyond = 0.0 if self.cut else 0.05 * (high - low)
        return np.clip(values, low - beyond, high + beyond)

    def clip_x(self, energy_keV: FloatArray) -> FloatArray:
        """Energies no further out than the frame, where lines are cut off."""
        return np.clip(energy_keV, *self.x_range) if self.cut else energy_keV

    def to_pixels(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Energies and values as pixels from the left and from the top."""
        (left, right), (bottom, top) = self.x_range, self.y_range
        return (x - left) * (self.width / (right - left)), (top - y) * (
            self.height / (top - bottom)
        )


def channel_edges(energy_keV: FloatArray) -> FloatArray:
    """The edges (C+1,) of channels with these centres (C,): half way, and as far outside."""
    if len(energy_keV) < 2:
        return np.array([energy_keV[0] - 0.005, energy_keV[0] + 0.005])
    middle = (energy_keV[1:] + energy_keV[:-1]) / 2
    first = 2 * energy_keV[0] - middle[0]
    last = 2 * energy_keV[-1] - middle[-1]
    return np.concatenate(([first], middle, [last]))


def channel_width(curves: Sequence[Curve]) -> float:
    """The channel width in keV of the curve with most channels; 0.01 without curves."""
    longest = max(curves, key=lambda curve: len(curve.energy_keV), default=None)
    if longest is None or len(longest.energy_keV) < 2:
        return 0.01
    return float(np.ptp(longest.energy_keV)) / (len(longest.energy_keV) - 1)


def energy_limits(curves: Sequence[Curve]) -> tuple[float, float] | None:
    """The lowest and highest channel edge of all curves in keV; None without channels."""
    edges = [channel_edges(curve.energy_keV)[[0, -1]] for curve in curves if len(curve.energy_keV)]
    if not edges:
        return None
    return float(min(low for low, _ in edges)), float(max(high for _, high in edges))


def value_limits(
    curves: Sequence[Curve], low_keV: float, high_keV: float
) -> tuple[float, float] | None:
    """The smallest and largest value between two energies, error bands included; None without any.

    The detector's zero peak does not count, unless nothing else is visible.
    """
    start = max(low_keV, ZERO_PEAK_keV) if high_keV > 2 * ZERO_PEAK_keV else low_keV
    found: list[float] = []
    for curve in curves:
        first, last = np.searchsorted(curve.energy_keV, (start, high_keV))
        for values in (curve.values, curve.low, curve.high):
            if values is None:
                continue
            part = values[first:last]
            part = part[np.isfinite(part)]
            if len(part):
                found += [float(part.min()), float(part.max())]
    return (min(found), max(found)) if found else None


def log_floor(curves: Sequence[Curve], counts: bool) -> float:
    """What zeros and negative values are drawn as on a log scale.

    Half a count for `counts`, else half the smallest positive value, but never more than
    `LOG_DECADES` below the largest: components hold values that are zero but for rounding.
    """
    if counts:
        return 0.5
    positive = [curve.values[curve.values > 0] for curve in curves]
    positive = [values for values in positive if len(values)]
    if not positive:
        return 0.5
    smallest = min(float(values.min()) for values in positive)
    largest = max(float(values.max()) for values in positive)
    return max(smallest / 2, largest * 10.0**-LOG_DECADES)


def on_log_scale(values: FloatArray, floor: float) -> FloatArray:
    """The decimal logarithm of values, those below the floor drawn at the floor."""
    return np.asarray(np.log10(np.maximum(values, floor)))


def line_points(curve: Curve, values: FloatArray, extent: Extent) -> tuple[FloatArray, FloatArray]:
    """The corners of the line that is drawn of `values` (C,).

    Where there are two channels or more per pixel, each pixel gets its smallest and largest value,
    so that no narrow peak is lost.
    """
    first, last, per_pixel = _visible(curve, extent)
    energy, part = curve.energy_keV[first:last], extent.clip(values[first:last])
    if per_pixel > 1:
        starts = np.arange(0, last - first, per_pixel)
        both = (np.fmin.reduceat(part, starts), np.fmax.reduceat(part, starts))
        x, y = np.repeat(_middles(energy, starts), 2), np.stack(both, axis=1).ravel()
    else:
        x, y = _corners(energy, part, curve.step)
    return extent.clip_x(x), y


def columns_between(
    curve: Curve, low: FloatArray, high: FloatArray, extent: Extent
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The area between two arrays (C,) as upright bars: edges (n+1,), lower and upper ends (n,)."""
    first, last, per_pixel = _visible(curve, extent)
    edges = channel_edges(curve.energy_keV[first:last])
    below, above = extent.clip(low[first:last]), extent.clip(high[first:last])
    if per_pixel > 1:
        starts = np.arange(0, last - first, per_pixel)
        edges = np.append(edges[starts], edges[-1])
        below, above = np.fmin.reduceat(below, starts), np.fmax.reduceat(above, starts)
    return extent.clip_x(edges), below, above


def area_mask(edges: FloatArray, below: FloatArray, above: FloatArray, extent: Extent) -> BoolArray:
    """The pixels (rows, columns) of the screen that upright bars cover."""
    columns = max(extent.columns, 1)
    rows = max(round(extent.height * columns / extent.width), 1)
    low, high = extent.x_range
    energy = low + (np.arange(columns) + 0.5) / columns * (high - low)
    bar = np.searchsorted(edges, energy) - 1
    covered = (bar >= 0) & (bar < len(below))
    bar = bar.clip(0, len(below) - 1)
    first = np.where(covered, extent.to_pixels(energy, above[bar])[1], np.inf)
    last = extent.to_pixels(energy, below[bar])[1]
    down = (np.arange(rows)[:, None] + 0.5) * (extent.height / rows)
    return np.asarray((down > first) & (down < last))


def outline_between(
    curve: Curve, low: FloatArray, high: FloatArray, extent: Extent
) -> tuple[FloatArray, FloatArray]:
    """The outline of the area between two arrays (C,), there and back again."""
    first, last, per_pixel = _visible(curve, extent)
    if per_pixel > 1 or curve.step:
        edges, below, above = columns_between(curve, low, high, extent)
        x, below, above = np.repeat(edges, 2)[1:-1], np.repeat(below, 2), np.repeat(above, 2)
    else:
        x = extent.clip_x(curve.energy_keV[first:last])
        below, above = extent.clip(low[first:last]), extent.clip(high[first:last])
    good = np.isfinite(below) & np.isfinite(above)
    x, below, above = x[good], below[good], above[good]
    return np.concatenate((x, x[::-1])), np.concatenate((above, below[::-1]))


def dashed(
    x: FloatArray, y: FloatArray, extent: Extent, dash: float, gap: float
) -> tuple[FloatArray, FloatArray]:
    """A line cut into dashes of so many pixels, with NaN in between.

    Qt needs a third of a second to dash a noisy spectrum. Dashes grow where the line is long.
    """
    good = np.isfinite(y)
    x, y = x[good], y[good]
    if len(x) < 2:
        return x, y
    across, down = extent.to_pixels(x, y)
    steps = np.hypot(np.diff(across), np.diff(down))
    along = np.concatenate(([0.0], np.cumsum(steps)))
    period = max(dash + gap, along[-1] / MOST_DASHES)
    on = period * dash / (dash + gap)
    starts = np.arange(0.0, along[-1], period)
    # Each gap holds one point at least, or the dashes would be joined across it.
    cuts = np.concatenate((starts, starts + on, starts + (on + period) / 2))
    cuts = cuts[cuts < along[-1]]
    every = np.sort(np.concatenate((along, cuts)))
    new_x, new_y = np.interp(every, along, x), np.interp(every, along, y)
    new_y[np.mod(every, period) > on + 1e-6 * period] = np.nan
    return new_x, new_y


def _visible(curve: Curve, extent: Extent) -> tuple[int, int, int]:
    # One channel more on either side, so that the line reaches the frame.
    energy, (low_keV, high_keV) = curve.energy_keV, extent.x_range
    first = max(int(np.searchsorted(energy, low_keV)) - 2, 0)
    last = min(int(np.searchsorted(energy, high_keV)) + 2, len(energy))
    per_pixel = max((last - first) // max(extent.columns, 1), 1)
    # Groups start at the same channels wherever one pans, so the picture does not flicker.
    return first - first % per_pixel, last, per_pixel


def _middles(energy_keV: FloatArray, starts: NDArray[np.intp]) -> FloatArray:
    ends = np.append(starts[1:], len(energy_keV)) - 1
    return np.asarray((energy_keV[starts] + energy_keV[ends]) / 2)


def _corners(
    energy_keV: FloatArray, values: FloatArray, step: bool
) -> tuple[FloatArray, FloatArray]:
    if not step or not len(energy_keV):
        return energy_keV, values
    return np.repeat(channel_edges(energy_keV), 2)[1:-1], np.repeat(values, 2)
