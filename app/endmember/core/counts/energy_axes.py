"""Maps on different energy axes brought to one, count by count, so that they stay counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numba
import numpy as np

from endmember.core.counts.spectrum import EnergyAxis, FloatArray
from endmember.core.counts.spectrum_image import SpectrumImage, smallest_unsigned

LEAST_CHANNELS = 50  # in common, below which there is nothing to decompose or to fit
NEGLIGIBLE = 1e-6  # of a channel: axes that differ by less are the same to the last digit of a file
STREAM = 2021  # keeps these random numbers apart from those of other steps


def common_axis(axes: Sequence[EnergyAxis]) -> EnergyAxis:
    """The channels of the coarsest axis (the first of such) that lie on all axes.

    No channel of another axis is wider, so that none is spread over more than two.

    Raises
    ------
    ValueError
        if fewer than 50 channels are in common.
    """
    coarsest = max(axes, key=lambda axis: axis.step_keV)
    low = max(float(axis.edges[0]) for axis in axes)
    high = min(float(axis.edges[-1]) for axis in axes)
    tolerance = NEGLIGIBLE * coarsest.step_keV
    inside = (coarsest.edges[:-1] >= low - tolerance) & (coarsest.edges[1:] <= high + tolerance)
    channels = np.flatnonzero(inside)
    if len(channels) < LEAST_CHANNELS:
        ranges = ", ".join(f"{a.edges[0]:.3g} to {a.edges[-1]:.3g} keV" for a in axes)
        raise ValueError(
            f"the maps have no energy range in common that could be analysed (they run from "
            f"{ranges}): set energy_range_keV to what all of them hold, decompose each on its own "
            "(joint = false), or leave a map out"
        )
    return coarsest.part(slice(int(channels[0]), int(channels[-1]) + 1))


def on_axis(image: SpectrumImage, axis: EnergyAxis, seed: int = 0) -> SpectrumImage:
    """The map on another `axis`, whose channels must not be narrower than its own.

    A channel that lies across an edge of the new axis has its counts dealt out one by one, each to
    one of the two new channels with the probability of its share of the width. Independent Poisson
    counts dealt out so are independent Poisson counts again (Kingman, Poisson Processes, 1993,
    section 5.1), with the mean that sharing out by width would give, and the sum of the counts is
    kept but for those outside the new axis. A count is misplaced by less than a channel: lines get
    as wide as
    sqrt(FWHM^2 + 5.55 step^2 / 12), step that of the old axis. The same seed gives the same map.

    Raises
    ------
    ValueError
        if the channels of `axis` are narrower.
    """
    if axis == image.axis:
        return image
    first, stays = _shares(image.axis, axis)
    channels = image.channels
    counts = image.counts.astype(np.int64)
    kept = counts.copy()
    dealt = np.flatnonzero((stays[channels] < 1.0) & (counts > 0))
    rng = np.random.default_rng([seed, STREAM])
    kept[dealt] = rng.binomial(counts[dealt], stays[channels[dealt]])
    starts, new_channels, new_counts = _poured(
        image.starts, channels, counts, kept, first, axis.channels
    )
    return replace(
        image,
        starts=starts,
        channels=new_channels.astype(smallest_unsigned(max(axis.channels - 1, 0))),
        counts=new_counts.astype(smallest_unsigned(new_counts.max(initial=0))),
        axis=axis,
    )


def shared_out(spectra: FloatArray, old: EnergyAxis, new: EnergyAxis) -> FloatArray:
    """Smooth spectra (K, C) on another axis, each channel shared out by width; 0 outside `old`.

    For profiles, not for counts: neighbours come out correlated.
    """
    if old == new:
        return spectra
    sums = np.concatenate([np.zeros((len(spectra), 1)), np.cumsum(spectra, axis=1)], axis=1)
    at_edges = np.array([np.interp(new.edges, old.edges, row) for row in sums])
    return np.asarray(np.diff(at_edges, axis=1))


def on_common_axis(images: Sequence[SpectrumImage], seed: int = 0) -> list[SpectrumImage]:
    """The maps as they are where all have one energy axis, or else on their `common_axis`.

    Raises
    ------
    ValueError
        as `common_axis`.
    """
    axes = [image.axis for image in images]
    if len(set(axes)) <= 1:
        return list(images)
    axis = common_axis(axes)
    return [on_axis(image, axis, seed + number) for number, image in enumerate(images)]


def _shares(old: EnergyAxis, new: EnergyAxis) -> tuple[np.ndarray, FloatArray]:
    """Of each old channel the first new one that it meets, and the share that falls into that.

    What is left goes to the next one. Numbers outside the new axis stand for "lost".
    """
    if old.step_keV > new.step_keV * (1 + NEGLIGIBLE):
        raise ValueError(
            f"channels of {1e3 * old.step_keV:.4g} eV cannot be dealt out to narrower ones of "
            f"{1e3 * new.step_keV:.4g} eV: take the axis with the wider channels"
        )
    low = (old.edges[:-1] - new.edges[0]) / new.step_keV
    width = old.step_keV / new.step_keV
    first = np.floor(low + NEGLIGIBLE)
    stays = np.minimum((first + 1 - low) / width, 1.0)
    stays[stays > 1 - NEGLIGIBLE] = 1.0
    return first.astype(np.int64), stays


@numba.njit(cache=True, nogil=True)
def _poured(starts, channels, counts, kept, first, length):  # type: ignore[no-untyped-def]
    """Write down the counts of each pixel by new channel."""
    pixels = len(starts) - 1
    new_starts = np.zeros(pixels + 1, dtype=np.int64)
    new_channels = np.empty(2 * len(channels), dtype=np.uint32)
    new_counts = np.empty(2 * len(channels), dtype=np.int64)
    buffer = np.zeros(length, dtype=np.int64)
    filled = 0
    for pixel in range(pixels):
        low, high = length, -1
        for entry in range(starts[pixel], starts[pixel + 1]):
            here = first[channels[entry]]
            for place, number in ((here, kept[entry]), (here + 1, counts[entry] - kept[entry])):
                if number > 0 and 0 <= place < length:
                    buffer[place] += number
                    low = min(low, place)
                    high = max(high, place)
        for channel in range(low, high + 1):
            if buffer[channel] > 0:
                new_channels[filled] = channel
                new_counts[filled] = buffer[channel]
                filled += 1
                buffer[channel] = 0
        new_starts[pixel + 1] = filled
    return new_starts, new_channels[:filled].copy(), new_counts[:filled].copy()
