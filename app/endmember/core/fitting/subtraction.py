"""Taking the matrix out of a mixture, scaled on an element the precipitate does not contain."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from endmember.core.counts.spectrum import FloatArray, LowRankCovariance, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit
from endmember.core.xrays.line_shapes import fwhm_keV

STRONG_ENOUGH = 10.0  # sigma: below, the scale would carry more error than the spectra
NEGATIVE_SIGMA = -3.0


@dataclass(frozen=True, slots=True)
class Subtraction:
    """p = m - a b. `factor` a with `factor_sigma` (0 where set by hand); `spectrum` carries its
    covariance; `negative_keV` lists the stretches (low, high) below -3 sigma over one FWHM."""

    factor: float
    factor_sigma: float
    spectrum: Spectrum
    negative_keV: tuple[tuple[float, float], ...]


def subtract(
    mixture: SpectrumFit,
    matrix: SpectrumFit,
    absent: str,
    family: str,
    factor: float | None = None,
    common: FloatArray | None = None,
) -> Subtraction:
    """Subtract the matrix from a mixture so that no net area of the `absent` element is left.

    a = N_m(X) / N_b(X) with fitted net areas N. To first order N = w^T counts, w being the fit's
    estimator of the X area, so p = m - a b has

        Cov(p) = P_m diag(m) P_m^T + a^2 P_b diag(b) P_b^T,  P = I - b w^T / N_b

    with the w of each fit (Chen et al. 2024, section 3.2, for the subtraction; the covariance is
    ours, checked against a Poisson bootstrap). With a `factor` set by hand a has no error.
    `common` (channels,) are the counts of pixels that are in both spectra: with s their expected
    value, a (P_m diag(s) P_b^T + P_b diag(s) P_m^T) goes off Cov(p).

    Raises
    ------
    ValueError
        if the absent element has no line in the fits or is not significant in the matrix.
    """
    index = matrix.find(absent, family)
    in_mixture = mixture.find(absent, family)
    if index is None or in_mixture is None:
        raise ValueError(
            f"the absent element {absent} has no line in the energy range: choose another element "
            "that the matrix holds and the precipitate does not"
        )
    area, sigma = matrix.areas[index], np.sqrt(matrix.covariance[index, index])
    if area < STRONG_ENOUGH * sigma:
        raise ValueError(
            f"the absent element {absent} is hardly present in the matrix ({area:.0f} +- "
            f"{sigma:.0f} counts), so it cannot scale the subtraction: choose an element that the "
            "matrix holds and the precipitate does not"
        )
    m, b = mixture.spectrum.counts, matrix.spectrum.counts
    variances = (
        mixture.covariance_of_counts().diagonal,
        matrix.covariance_of_counts().diagonal,
        mixture.common_variance(matrix, common),
    )
    if factor is not None:
        diagonal = variances[0] + factor**2 * variances[1] - 2 * factor * variances[2]
        return _finished(
            mixture, m - factor * b, factor, 0.0, LowRankCovariance.of_counts(diagonal)
        )
    a = mixture.areas[in_mixture] / area
    weights = mixture.estimator[in_mixture], matrix.estimator[index]
    covariance = _covariance(a, matrix.fitted / area, weights, variances)
    of_areas = mixture.covariance[in_mixture, in_mixture], matrix.covariance[index, index]
    crossed = float((weights[0] * variances[2]) @ weights[1])
    a_sigma = np.sqrt(max(of_areas[0] + a**2 * of_areas[1] - 2 * a * crossed, 0.0)) / area
    return _finished(mixture, m - a * b, float(a), float(a_sigma), covariance)


def subtract_areas(
    mixture: SpectrumFit,
    matrix: SpectrumFit,
    absent: str,
    family: str,
    common: FloatArray | None = None,
) -> SpectrumFit:
    """The conventional subtraction, in areas: N_p = N_m - a N_b with a = N_m(X) / N_b(X).

    The petrologists' three steps C_p = (C_m - x C_b) / (1 - x) (Chen et al. 2024, section 3.1) are
    the same in atomic fractions. Both fits must have the same columns. With u = N_b / N_b(X) and
    e_X the unit vector of X, dN_p = Q (dN_m - a dN_b), Q = I - u e_X^T, so that

        Cov(N_p) = Q (Cov_m + a^2 Cov_b - a C - a C^T) Q^T,   C = Cov(N_m, N_b) = H_m S H_b^T

    with the estimators H of the fits and S = diag(s), s the expected value of the counts `common`
    (channels,) of the pixels that are in both spectra; C = 0 where there are none.

    Raises
    ------
    ValueError
        as `subtract`, or if the fits have different columns.
    """
    if [c.name for c in mixture.columns] != [c.name for c in matrix.columns]:
        raise ValueError("the two spectra were fitted with different lines: fit both alike")
    done = subtract(mixture, matrix, absent, family, common=common)
    index = matrix.find(absent, family)
    assert index is not None  # `subtract` found it
    a, q = done.factor, _without(matrix.areas, index)
    s = mixture.common_variance(matrix, common)
    crossed = (mixture.estimator * s) @ matrix.estimator.T
    return replace(
        mixture,
        spectrum=done.spectrum,
        areas=mixture.areas - a * matrix.areas,
        covariance=q
        @ (mixture.covariance + a**2 * matrix.covariance - a * (crossed + crossed.T))
        @ q.T,
        fitted=mixture.fitted - a * matrix.fitted,
        background=mixture.background - a * matrix.background,
        variance=mixture.variance + a**2 * matrix.variance - 2 * a * s,
    )


def matrix_variance_share(
    mixture: SpectrumFit, matrix: SpectrumFit, absent: str, done: Subtraction
) -> dict[str, float]:
    """The share of the variance of each area left that comes from the matrix spectrum, by column.

    With N_p = N_m - a N_b as in `subtract_areas`, (Q a^2 Cov_b Q^T)_ii / Cov(N_p)_ii; Q is the
    identity for a factor set by hand. Near 0 where the matrix is summed over many more counts than
    the mixture holds of it; above 1/2, more matrix would help more than more precipitate. Columns
    of the absent element, whose area is zero by construction, and of one fit only are left out.
    """
    names = {column.name: i for i, column in enumerate(matrix.columns)}
    used = [i for i, column in enumerate(mixture.columns) if column.name in names]
    of_matrix = [names[mixture.columns[i].name] for i in used]
    from_mixture = mixture.covariance[np.ix_(used, used)]
    from_matrix = done.factor**2 * matrix.covariance[np.ix_(of_matrix, of_matrix)]
    q = np.eye(len(used))
    index = matrix.find(absent, matrix.family_of(absent) or "")
    if done.factor_sigma > 0 and index in of_matrix:
        q = _without(matrix.areas[of_matrix], of_matrix.index(index))
    share = np.diag(q @ from_matrix @ q.T)
    total = share + np.diag(q @ from_mixture @ q.T)
    return {
        mixture.columns[i].name: float(part / whole)
        for i, part, whole in zip(used, share, total, strict=True)
        if mixture.columns[i].element != absent and whole > 0
    }


def _without(areas: FloatArray, absent: int) -> FloatArray:
    """Q = I - u e_X^T (n, n), u the `areas` (n,) of the matrix over that of the absent element."""
    q = np.eye(len(areas))
    q[:, absent] -= areas / areas[absent]
    return q


def _covariance(
    a: float,
    unit_matrix: FloatArray,
    weights: tuple[FloatArray, FloatArray],
    variances: tuple[FloatArray, FloatArray, FloatArray],
) -> LowRankCovariance:
    """Cov(p) of `subtract` written as a diagonal and two vectors; `variances` V_m, V_b and S."""
    (w_m, w_b), (v_m, v_b, s) = weights, variances
    crossed = v_m * w_m + a**2 * v_b * w_b - a * s * (w_m + w_b)
    both = float(w_m**2 @ v_m + a**2 * (w_b**2 @ v_b) - 2 * a * ((w_m * s) @ w_b))
    return LowRankCovariance(
        v_m + a**2 * v_b - 2 * a * s,
        np.stack([unit_matrix, crossed], axis=1),
        np.array([[both, -1.0], [-1.0, 0.0]]),
    )


def _finished(
    mixture: SpectrumFit, counts: FloatArray, a: float, sigma: float, covariance: LowRankCovariance
) -> Subtraction:
    source = mixture.spectrum
    spectrum = Spectrum(
        counts,
        source.axis,
        source.beam_energy_keV,
        source.take_off_angle_deg,
        source.live_time_s,
        covariance,
    )
    return Subtraction(
        a, sigma, spectrum, negative_stretches(spectrum, mixture.calibration.fwhm_mn_eV)
    )


def negative_stretches(spectrum: Spectrum, fwhm_mn_eV: float) -> tuple[tuple[float, float], ...]:
    """Where the integral over one FWHM lies below -3 sigma: pairs (low, high) in keV, merged.

    The spectrum must carry a covariance; neighbouring windows that both fall below are one stretch.
    """
    assert spectrum.covariance is not None
    axis = spectrum.axis
    windows, spans = [], []
    low = axis.edges[0]
    while low < axis.edges[-1]:
        width = float(fwhm_keV(max(low, 0.05), fwhm_mn_eV))
        span = axis.span(low, low + width)
        if span.stop > span.start:
            row = np.zeros(axis.channels)
            row[span] = 1.0
            windows.append(row)
            spans.append((low, low + width))
        low += width
    rows = np.array(windows)
    sums = rows @ spectrum.counts
    half = rows @ spectrum.covariance.factors
    variance = rows @ spectrum.covariance.diagonal + np.einsum(
        "ij,jk,ik->i", half, spectrum.covariance.core, half
    )
    found: list[tuple[float, float]] = []
    for (start, stop), total, var in zip(spans, sums, variance, strict=True):
        if total >= NEGATIVE_SIGMA * np.sqrt(max(var, 1.0)):
            continue
        if found and abs(found[-1][1] - start) < 1e-9:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return tuple(found)
