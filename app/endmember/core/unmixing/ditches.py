"""Ditches: stretches of energy from which a component holds next to no bremsstrahlung.

Non-negative matrix factorisation gives the continuum of a channel to whichever component has a peak
there, so that other components fall to zero, which no material does. Such spectra are for making
maps, never to be quantified.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from endmember.core.counts.spectrum import EnergyAxis, FloatArray
from endmember.core.xrays.line_shapes import fwhm_keV

FAR_BELOW = 0.25  # of the continuum expected
SIGNIFICANT = 5.0  # sigma of the counts expected
CLIPPING_FWHM = 2.5  # half width, in FWHM, of what is taken for a peak
AVERAGED_FWHM = 0.25  # half width, in FWHM, of the average that keeps noise from being clipped
FWHM_MN_eV = 130.0

IntArray = npt.NDArray[np.int64]
Stretches = tuple[tuple[float, float], ...]


def continuum(counts: FloatArray, axis: EnergyAxis) -> FloatArray:
    """The continuum (C,) under the peaks of a spectrum (C,), in counts per channel.

    Statistics-sensitive clipping (Ryan et al., Nucl. Instrum. Methods B 34, 1988, 396) of the
    counts averaged over half a FWHM, with windows of five FWHM that shrink. Where lines overlap
    down to their feet it is too high.
    """
    half = _half_widths(axis, AVERAGED_FWHM)
    means = _sums_around(counts, half) / _sums_around(np.ones_like(counts), half)
    level = np.log(np.log(np.sqrt(np.maximum(means, 0.0) + 1.0) + 1.0) + 1.0)
    reach = _half_widths(axis, CLIPPING_FWHM)
    for step in range(int(reach.max()), 0, -1):
        padded = np.pad(level, step, mode="edge")
        beside = (padded[: -2 * step] + padded[2 * step :]) / 2
        level = np.where(step <= reach, np.minimum(level, beside), level)
    return np.asarray((np.exp(np.exp(level) - 1.0) - 1.0) ** 2 - 1.0)


def expected_continua(spectra: FloatArray, counts: FloatArray, axis: EnergyAxis) -> FloatArray:
    """The continuum (K, C) that each component would have if all had the same share of it.

    `spectra` (K, C) have unit area, `counts` (K,) are those of the components. The continuum of
    their sum is dealt out in proportion to the counts; it is per count of the component.
    """
    summed = counts @ spectra
    total = max(float(counts.sum()), 1.0)
    return np.tile(continuum(summed, axis) / total, (len(spectra), 1))


def ditches(
    spectra: FloatArray, counts: FloatArray, axis: EnergyAxis, expected: FloatArray
) -> tuple[Stretches, ...]:
    """The ditches (low, high) in keV of each component, by rising energy.

    A channel lies in one where, over one FWHM around it, the component holds less than a quarter of
    the counts `expected` (K, C) of its continuum, and they are missing by more than 5 sigma. Those
    less than half a FWHM apart are one; those narrower than that are left out, as noise has them.
    Shapes as in `expected_continua`.
    """
    half = _half_widths(axis, 0.5)
    edges = axis.edges
    found = []
    for spectrum, own, level in zip(spectra, counts, expected, strict=True):
        held = _sums_around(spectrum, half) * own
        wanted = _sums_around(np.maximum(level, 0.0), half) * own
        empty = (held < FAR_BELOW * wanted) & (wanted - held > SIGNIFICANT * np.sqrt(wanted))
        found.append(tuple((float(edges[a]), float(edges[b])) for a, b in _wide_runs(empty, half)))
    return tuple(found)


def _wide_runs(empty: npt.NDArray[np.bool_], least: IntArray) -> list[tuple[int, int]]:
    """Runs (first, last + 1) of channels, joined over short gaps, at least `least` (C,) long."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], empty, [False]]))).tolist()
    runs: list[tuple[int, int]] = []
    for first, last in zip(changes[::2], changes[1::2], strict=True):
        if runs and first - runs[-1][1] < least[first]:
            runs[-1] = runs[-1][0], last
        else:
            runs.append((first, last))
    return [(first, last) for first, last in runs if last - first >= least[first]]


def _half_widths(axis: EnergyAxis, fwhm: float) -> IntArray:
    """So many FWHM in channels, at each channel; at least one."""
    widths = fwhm * fwhm_keV(axis.centres, FWHM_MN_eV) / axis.step_keV
    return np.maximum(np.rint(widths), 1).astype(np.int64)


def _sums_around(values: FloatArray, half: IntArray) -> FloatArray:
    """Sums (C,) from `half` channels below to `half` above, cut to the axis."""
    before = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    last = np.minimum(place + half + 1, len(values))
    return np.asarray(before[last] - before[np.maximum(place - half, 0)])
