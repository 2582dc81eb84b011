"""Maps as they are shown: smoothed, scaled from 0 to 1, and several of them as colours.

For the eyes only: nothing that is measured comes from here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
ByteArray = npt.NDArray[np.uint8]


def smoothed(values: npt.NDArray[np.generic], sigma_px: float) -> npt.NDArray[np.float64]:
    """A map (rows, columns) smoothed by a Gaussian of `sigma_px` pixels; 0 leaves it as it is.

    At the edges the outermost pixels are taken to go on. Pixels without a value (NaN) stay so and
    weigh nothing in their neighbours.
    """
    array = np.asarray(values, dtype=np.float64)
    if sigma_px <= 0:
        return array
    from scipy.ndimage import gaussian_filter

    known = np.isfinite(array)
    if known.all():
        return np.asarray(gaussian_filter(array, sigma_px, mode="nearest"))
    sums = gaussian_filter(np.where(known, array, 0.0), sigma_px, mode="nearest")
    weights = gaussian_filter(known.astype(np.float64), sigma_px, mode="nearest")
    return np.where(known, sums / np.where(known, weights, 1.0), np.nan)


def scaled(values: FloatArray, ends: tuple[float, float]) -> FloatArray:
    """The values so that the two `ends` become 0 and 1; what lies beyond them goes beyond.

    Raises
    ------
    ValueError
        if the ends do not rise.
    """
    low, high = ends
    if not low < high:
        raise ValueError(f"the ends {low:g} and {high:g} do not rise; give the lower one first")
    return (values - low) / (high - low)


def colour_overlay(
    maps: Sequence[FloatArray | None], ends: Sequence[tuple[float, float]]
) -> ByteArray:
    """Three maps (rows, columns) as red, green and blue, each from dark at its low end to bright.

    A map that is None leaves its colour dark. Returns (rows, columns, 3).

    Raises
    ------
    ValueError
        if there is no map at all, or the maps differ in shape.
    """
    shapes = {array.shape for array in maps if array is not None}
    if len(shapes) != 1:
        raise ValueError(
            f"an overlay needs maps of one shape, but has {len(shapes)}; choose maps of one file"
        )
    colours = np.zeros((*shapes.pop(), 3), dtype=np.uint8)
    for place, (array, limits) in enumerate(zip(maps, ends, strict=True)):
        if array is not None:
            part = np.clip(scaled(array, limits), 0.0, 1.0)
            colours[..., place] = np.rint(255 * part).astype(np.uint8)
    return colours


def mixed_colours(fractions: FloatArray, colours: Sequence[tuple[int, int, int]]) -> ByteArray:
    """Maps of fractions (K, rows, columns) as one image of K 8-bit colours mixed by them.

    A pixel of one phase alone has its colour; fractions below 0 and above 1 are cut, and pixels
    without a value are black. Returns (rows, columns, 3).

    Raises
    ------
    ValueError
        if there is not one colour for each map.
    """
    if len(fractions) != len(colours):
        raise ValueError(
            f"{len(fractions)} maps cannot be mixed with {len(colours)} colours; give one for each"
        )
    shares = np.clip(np.nan_to_num(fractions, nan=0.0), 0.0, 1.0)
    mixed = np.tensordot(shares, np.asarray(colours, dtype=np.float64), axes=(0, 0))
    return np.asarray(np.rint(np.minimum(mixed, 255.0)), dtype=np.uint8)
