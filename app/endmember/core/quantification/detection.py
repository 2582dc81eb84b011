"""When a line is seen, and how little of an element could be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from endmember.core.xrays.line_shapes import fwhm_keV

if TYPE_CHECKING:
    from endmember.core.counts.spectrum import FloatArray
    from endmember.core.counts.spectrum_image import BoolArray
    from endmember.core.fitting.spectrum_fit import SpectrumFit
    from endmember.core.quantification.closure import LineAtoms

# Currie (1968), Anal. Chem. 40, 586, with 5 % false alarms and 5 % misses.
CRITICAL = 1.645
"""L_C in units of s0, the scatter of the net area when the element is absent (Currie's eq. 6)."""
DETECTION_OFFSET, DETECTION_SLOPE = 2.71, 3.29
"""L_D = 2.71 + 3.29 s0 in counts (Currie's eq. 11b): such a net area is missed once in 20."""
QUANTIFIABLE = 10.0
"""Net area over its sigma from which a value counts as quantifiable."""
LOD_SIGMA = 3.0
"""The limit of detection in units of s0 (Chen et al. 2024; IUPAC)."""
ONE_SIDED_95 = 1.645
"""Sigmas above a value below which a Gaussian lies 95 times in 100."""

SIDE_BAND_FWHM = 12.0
"""How far to both sides of a line the side-bands reach, in FWHM of that line."""
OWN_GAP_FWHM = 1.0
"""A window of the side-bands keeps this distance from the line, centre to centre."""
FITTED_GAP_FWHM = 0.75
"""And this from every other fitted alpha line, whose column pulls the residual to zero there."""
LARGEST_LINE_SHARE = 0.25
"""Share of the phase's own lines in the variance up to which a window counts as background."""
LEAST_WINDOWS = 6.0
"""Windows' worth of side-band below which no scatter is given."""


class Limits(TypedDict):
    """The figures of detection of one element; fields of `ElementResult`."""

    snr: float | None
    snr_empirical: float | None
    lod_ppm: float
    lod_weight_ppm: float
    lod_paper_ppm: float | None
    critical_counts: float
    detection_counts: float
    critical_ppm: float
    detection_ppm: float
    upper_limit_ppm: float | None
    upper_limit_weight_ppm: float | None
    detected: str


def detection_limits(
    fit: SpectrumFit, atoms: LineAtoms, element: str, reference: str | None
) -> Limits:
    """State, signal to noise and limits of a measured element.

    s0 is the fit's sigma of the area with the element absent (`SpectrumFit.sigma_without`). An area
    x becomes a fraction as x a / sum n, with a the atoms (or the mass) per count and n the atoms of
    the phase; for a `reference` R of the phase this is Cliff-Lorimer's x a c_R / (N_R a_R).

    - `lod_ppm`: 3 s0. `lod_paper_ppm`: 3 sqrt(B) by the reference element (Chen et al. 2024), B as
      in `snr`; None where the phase does not hold the reference, of which the value is otherwise
      independent.
    - `critical_counts`, `detection_counts`: Currie's L_C = 1.645 s0 and L_D = 2.71 + 3.29 s0.
    - `upper_limit_ppm`: of an element that is not detected, one-sided, 95 %: max(N, 0) + 1.645
      sigma counts of it, closed with the other elements as they are. A net area below zero is taken
      as zero, so that a downward fluctuation gives no better limit than a blank does; the limit
      then covers more often than it says (the convention is described by Feldman & Cousins 1998,
      Phys. Rev. D 57, 3873, section IV A).
    """
    at, row = atoms.measured.index(element), atoms.elements.index(element)
    index, area = atoms.columns[at], float(atoms.areas[at])
    sigma = float(np.sqrt(max(float(atoms.covariance[at, at]), 0.0)))
    blank = fit.sigma_without(index)
    per_count = [atoms.per_count(by_weight) for by_weight in (False, True)]
    ppm, weight_ppm = (1e6 * float(k[row, at]) / float((k @ atoms.areas).sum()) for k in per_count)
    state = detection_state(area, sigma, blank)
    upper: list[float | None] = [None, None]
    if state == "no":
        limit = upper_limit(area, sigma)
        upper = [1e6 * atoms.fraction_with(element, limit, w) for w in (False, True)]
    detection = DETECTION_OFFSET + DETECTION_SLOPE * blank
    noise = background_sigma(fit, index)
    return Limits(
        snr=area / noise if noise > 0 else None,
        snr_empirical=empirical_snr(fit, index),
        lod_ppm=LOD_SIGMA * blank * ppm,
        lod_weight_ppm=LOD_SIGMA * blank * weight_ppm,
        lod_paper_ppm=LOD_SIGMA * noise * ppm if noise > 0 and _holds(atoms, reference) else None,
        critical_counts=CRITICAL * blank,
        detection_counts=detection,
        critical_ppm=CRITICAL * blank * ppm,
        detection_ppm=detection * ppm,
        upper_limit_ppm=upper[0],
        upper_limit_weight_ppm=upper[1],
        detected=state,
    )


def detection_state(area: float, sigma: float, blank_sigma: float) -> str:
    """ "no" below Currie's L_C, "quantifiable" above 10 sigma, "yes" between. Counts."""
    if area < CRITICAL * blank_sigma:
        return "no"
    return "quantifiable" if area > QUANTIFIABLE * sigma else "yes"


def upper_limit(value: float, sigma: float) -> float:
    """The one-sided 95 % upper limit max(x, 0) + 1.645 sigma, in the unit of `value` x."""
    return max(value, 0.0) + ONE_SIDED_95 * sigma


def _holds(atoms: LineAtoms, element: str | None) -> bool:
    """Whether a measured element has net counts in the phase."""
    return element in atoms.measured and bool(atoms.areas[atoms.measured.index(element)] > 0)


def background_sigma(fit: SpectrumFit, index: int) -> float:
    """Scatter in counts of the background in 1.0 FWHM at the alpha line of a column.

    For measured counts sqrt(B) (Chen et al. 2024). For a subtracted spectrum it is the scatter of
    the window without the phase's own lines: the background of the mixture and all that was
    subtracted there, lines included.
    """
    window = fit.window(fit.columns[index].energy_keV)
    if fit.spectrum.covariance is None:
        noise = float(fit.background[window].sum())
    else:
        own = np.maximum(fit.shapes @ np.maximum(fit.areas, 0.0), 0.0)
        noise = float(np.maximum(fit.variance - own, 0.0)[window].sum())
    return float(np.sqrt(max(noise, 0.0)))


def empirical_snr(fit: SpectrumFit, index: int) -> float | None:
    """S over the noise at the line as the residual of the fit shows it; see `side_band_excess`.

    S is the fitted alpha area; the noise is `background_sigma` times the excess. The scatter beside
    the line alone would not do: on a subtracted spectrum it lacks the noise of a line of the matrix
    that was subtracted under this one. None where the side-bands are too short.
    """
    excess = side_band_excess(fit, fit.columns[index].energy_keV)
    noise = None if excess is None else excess * background_sigma(fit, index)
    return float(fit.areas[index]) / noise if noise else None


def side_band_excess(fit: SpectrumFit, energy_keV: float) -> float | None:
    """Scatter of the residual in side-bands of a line over what the fit expects: 1 if all is well.

    Sums of the residual y - f over windows as wide as that at the line, 1.0 FWHM, at every place
    within 12 FWHM on both sides, over the root of the summed variance there. A window counts as
    side-band if its centre is at least 1 FWHM from the line and 0.75 FWHM from every other fitted
    alpha line, and if the phase's own lines make up at most a quarter of the variance in it. The
    root mean square: the residual has mean zero by the fit, so a local misfit counts as noise. None
    for less than six windows' worth.
    """
    window = fit.window(energy_keV)
    width = window.stop - window.start
    channels = len(fit.fitted)
    if not 0 < width < channels:
        return None
    ones = np.ones(width)
    variance = np.convolve(fit.variance, ones, "valid")
    pulls = np.convolve(fit.spectrum.counts - fit.fitted, ones, "valid") / np.sqrt(variance)
    own = np.maximum(fit.shapes @ np.maximum(fit.areas, 0.0), 0.0)
    line_share = np.convolve(own, ones, "valid") / variance
    centres = np.arange(len(pulls)) + (width - 1) / 2
    distance = np.abs(centres - (window.start + window.stop - 1) / 2) / width
    usable = (distance >= OWN_GAP_FWHM) & (distance <= SIDE_BAND_FWHM)
    usable &= line_share <= LARGEST_LINE_SHARE
    usable &= ~_beside_fitted_lines(fit, centres)
    if np.count_nonzero(usable) < LEAST_WINDOWS * width:
        return None
    return float(np.sqrt(np.mean(pulls[usable] ** 2)))


def _beside_fitted_lines(fit: SpectrumFit, channels: FloatArray) -> BoolArray:
    """Which (fractional) channels lie within 0.75 FWHM of the alpha line of a column."""
    axis, calibration = fit.spectrum.axis, fit.calibration
    energies = np.array([column.energy_keV for column in fit.columns if column.alpha_share])
    places = (energies - calibration.offset_keV) / calibration.gain - axis.start_keV
    reach = FITTED_GAP_FWHM * fwhm_keV(energies, calibration.fwhm_mn_eV) / calibration.gain
    away = np.abs(channels[:, None] * axis.step_keV - places)
    return np.asarray((away < reach).any(axis=1))
