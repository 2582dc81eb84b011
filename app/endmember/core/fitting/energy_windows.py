"""Energy windows on a spectrum, and the maps of the counts in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from endmember.core.counts.spectrum import EnergyAxis, FloatArray

if TYPE_CHECKING:  # slow libraries are imported where they are needed, not when a window starts
    from endmember.core.counts.spectrum_image import SpectrumImage
    from endmember.core.xrays.lines import Family

WIDTH_FWHM = 1.2  # holds 84 % of a line and little of its neighbours


@dataclass(frozen=True, slots=True)
class EnergyWindow:
    """The channels with centres in [low_keV, high_keV).

    With `background` the counts expected from the continuum beside the window are taken off.
    """

    low_keV: float
    high_keV: float
    background: bool = False


def window_weights(axis: EnergyAxis, window: EnergyWindow) -> FloatArray:
    """What each channel counts for in a window, shape (channels,).

    1 inside the window. With `background`, less the two bands beside it, each half as wide as the
    window and cut to the axis: their means are weighted so that a continuum that follows a straight
    line gives zero. Where the axis ends at the window, the one band left stands for a level
    continuum.

    Raises
    ------
    ValueError
        if the window holds no channel, or leaves none beside it for the background.
    """
    named = f"the window from {window.low_keV:g} to {window.high_keV:g} keV"
    inside = axis.span(window.low_keV, window.high_keV) if _is_range(window) else slice(0, 0)
    if inside.stop == inside.start:
        raise ValueError(
            f"{named} holds no channel of the axis from {axis.start_keV:.3g} to "
            f"{axis.stop_keV:.3g} keV: move it onto the axis or make it wider"
        )
    weights = np.zeros(axis.channels)
    weights[inside] = 1.0
    if not window.background:
        return weights
    width = inside.stop - inside.start
    half = (width + 1) // 2
    below = slice(max(inside.start - half, 0), inside.start)
    above = slice(inside.stop, min(inside.stop + half, axis.channels))
    bands = [band for band in (below, above) if band.stop > band.start]
    if not bands:
        raise ValueError(
            f"{named} covers the whole axis, so no background can be taken from beside it: make "
            "it narrower, or leave the background in"
        )
    for band, share in zip(bands, _shares(inside, bands), strict=True):
        weights[band] = -share * width / (band.stop - band.start)
    return weights


def _is_range(window: EnergyWindow) -> bool:
    return bool(window.low_keV < window.high_keV)  # not so for values that are not numbers


def _shares(inside: slice, bands: Sequence[slice]) -> tuple[float, ...]:
    """The weight of each band's mean: the straight line through both, at the window's middle."""
    if len(bands) == 1:
        return (1.0,)
    low, middle, high = (part.start + part.stop for part in (bands[0], inside, bands[1]))
    below = (high - middle) / (high - low)
    return below, 1.0 - below


def window_maps(image: SpectrumImage, windows: Sequence[EnergyWindow]) -> FloatArray:
    """Counts per pixel in each window, shape (windows, rows, columns), in one pass over the map.

    Negative where a window with `background` holds fewer counts than expected from beside it.

    Raises
    ------
    ValueError
        as `window_weights`.
    """
    from endmember.core.counts.span_sums import project_spans

    if not windows:
        return np.zeros((0, image.rows, image.columns))
    basis = np.stack([window_weights(image.axis, window) for window in windows], axis=1)
    maps = project_spans(image, basis).T.reshape(len(windows), image.rows, image.columns)
    return np.ascontiguousarray(maps)


def line_window(energy_keV: float, fwhm_mn_eV: float = 130.0) -> EnergyWindow:
    """The window round a line, 1.2 FWHM wide in all, for a width of Mn K alpha in eV."""
    from endmember.core.xrays.line_shapes import fwhm_keV

    half = WIDTH_FWHM / 2 * float(fwhm_keV(energy_keV, fwhm_mn_eV))
    return EnergyWindow(energy_keV - half, energy_keV + half)


def element_windows(
    elements: Sequence[str], axis: EnergyAxis, beam_energy_keV: float
) -> dict[str, EnergyWindow]:
    """The window round the alpha line by which each element is measured on this axis.

    Elements without a line there are left out.

    Raises
    ------
    ValueError
        if an element is unknown or the beam energy is outside 30 to 400 keV.
    """
    from endmember.core.xrays.lines import alpha_energy_keV

    found = {}
    for element in elements:
        family = measured_family(element, axis, beam_energy_keV)
        if family is not None:
            found[element] = line_window(alpha_energy_keV(element, family, beam_energy_keV))
    return found


def measured_family(element: str, axis: EnergyAxis, beam_energy_keV: float) -> Family | None:
    """The line family by which an element is measured on this axis, None if by none.

    Raises
    ------
    ValueError
        as `element_windows`.
    """
    from endmember.core.fitting.spectrum_fit import quantified_family

    return quantified_family(element, axis, beam_energy_keV)  # type: ignore[return-value]
