"""The fit of a spectrum: every line and the background together, by maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, LowRankCovariance, Spectrum
from endmember.core.fitting.fit_background import Background
from endmember.core.fitting.fit_problem import (
    CALIBRATION_PARAMETERS,
    SIGNIFICANT_DEVIANCE,
    Problem,
    State,
    estimator,
)
from endmember.core.xrays.artefact_peaks import Artefacts, sum_peaks
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.fit_columns import Column, choose_columns
from endmember.core.xrays.foil import Foil
from endmember.core.xrays.line_shapes import Calibration, fwhm_keV
from endmember.core.xrays.lines import default_family

__all__ = ["Column", "Foil", "SpectrumFit", "fit_shapes", "fit_spectrum", "quantified_family"]

LEAST_CHANNELS = 50
# An axis in eV has steps of 5 to 20 and ends at 10,000 and more.
WIDEST_CHANNEL_keV = 0.5
HIGHEST_ENERGY_keV = 1000.0


@dataclass(frozen=True, slots=True)
class SpectrumFit:
    """What a fit found. n channels in the fitted range, c columns, q parameters in all.

    `areas` (c,) in counts, signed; `covariance` (c, c); `estimator` (c, n): to first order
    areas = estimator @ counts; `shapes` (n, c); `jacobian` (n, q), columns first; `fitted`,
    `background`, `variance` (n,).
    """

    spectrum: Spectrum
    columns: tuple[Column, ...]
    areas: FloatArray
    covariance: FloatArray
    estimator: FloatArray
    shapes: FloatArray
    jacobian: FloatArray
    fitted: FloatArray
    background: FloatArray
    variance: FloatArray
    calibration: Calibration
    background_model: Background
    deviance: float
    converged: bool

    @property
    def degrees_of_freedom(self) -> int:
        """Channels less parameters."""
        channels, parameters = self.jacobian.shape
        return int(channels) - int(parameters)

    @property
    def reduced_chi_squared(self) -> float:
        """sum (y - f)^2 / variance over the degrees of freedom; expected 1 +- sqrt(2 / dof)."""
        residual = self.spectrum.counts - self.fitted
        return float(np.sum(residual**2 / self.variance) / self.degrees_of_freedom)

    @property
    def deviation(self) -> FloatArray:
        """Standard deviation of the counts of each channel, (n,)."""
        covariance = self.spectrum.covariance
        return np.asarray(np.sqrt(self.variance if covariance is None else covariance.variance))

    def find(self, element: str, family: str) -> int | None:
        """The index of a column, or None where the fit has no such line."""
        for index, column in enumerate(self.columns):
            if (column.element, column.family) == (element, family):
                return index
        return None

    def family_of(self, element: str) -> str | None:
        """The line family by which an element is measured in this spectrum, None if by none."""
        return quantified_family(element, self.spectrum.axis, self.spectrum.beam_energy_keV or 0.0)

    def window(self, energy_keV: float, fwhms: float = 1.0) -> slice:
        """The channels about a line, so many FWHM in all, half of them on either side."""
        half = fwhms * float(fwhm_keV(energy_keV, self.calibration.fwhm_mn_eV)) / 2
        low, high = (
            (e - self.calibration.offset_keV) / self.calibration.gain
            for e in (energy_keV - half, energy_keV + half)
        )
        return self.spectrum.axis.span(low, high)

    def covariance_of_counts(self) -> LowRankCovariance:
        """The covariance of the fitted counts: the spectrum's own, or Poisson from the model."""
        return self.spectrum.covariance or LowRankCovariance.of_counts(self.variance)

    def common_variance(self, other: SpectrumFit, common: FloatArray | None) -> FloatArray:
        """Cov(y, y') channel by channel of two fitted spectra that hold the same counts, (n,).

        `common` (n,) are the counts summed into both, None for none. Their covariance is their
        expected value, as for every Poisson variance here: their linear fit with the lines and the
        background of this spectrum, which lies between zero and the variance of either.

        Raises
        ------
        ValueError
            if the fits or the common counts do not have the same channels.
        """
        if common is None:
            return np.zeros_like(self.variance)
        variances = [fit.covariance_of_counts().diagonal for fit in (self, other)]
        if not len(common) == len(variances[0]) == len(variances[1]):
            raise ValueError(
                "the counts that two spectra have in common lie on other channels than their fits: "
                "take all over the same energy range"
            )
        smooth = self.jacobian @ (estimator(self.jacobian, self.variance) @ common)
        return np.asarray(np.clip(smooth, 0.0, np.minimum(*variances)))

    def sigma_without(self, index: int) -> float:
        """Standard deviation the area of column `index` would have were its element absent.

        The counts under the line are those of the model without it (Currie 1968: the paired
        blank); the covariance of a subtracted spectrum is kept.
        """
        blank = np.maximum(
            self.variance - np.maximum(self.areas[index] * self.shapes[:, index], 0.0),
            self.variance * 1e-6,
        )
        weights = estimator(self.jacobian, blank)[index : index + 1]
        covariance = replace(self.covariance_of_counts(), diagonal=blank)
        return float(np.sqrt(max(covariance.project(weights)[0, 0], 0.0)))


def quantified_family(
    element: str, spectrum_axis: EnergyAxis, beam_energy_keV: float
) -> str | None:
    """The line family by which an element is measured on this axis, None if it has none there."""
    return default_family(
        element, beam_energy_keV, max(spectrum_axis.start_keV, 0.1), spectrum_axis.stop_keV
    )


def fit_spectrum(
    spectrum: Spectrum,
    elements: Sequence[str],
    *,
    detector: Detector,
    foil: Foil | None = None,
    weight_fractions: Mapping[str, float] | None = None,
    calibration: Calibration | None = None,
    refine_calibration: bool = True,
    background: Background | None = None,
    artefacts: Artefacts | None = None,
) -> SpectrumFit:
    """Fit all lines of `elements` and a background to a spectrum.

    Poisson maximum likelihood by Fisher scoring (iteratively reweighted least squares with the
    model's variance, whose fixed point is the maximum of the Poisson likelihood); a spectrum that
    carries a covariance is fitted with its own variance, and the errors follow from that
    covariance. One column an element and line family, lines in it weighted by emission cross
    section x detector efficiency x absorption. Background: detector efficiency x absorption x 1/E x
    a polynomial in ln E, and 1/E^3 (see `Background`). Gain, offset
    and width are refined (starting from `calibration`) unless `refine_calibration` is false.

    Parameters
    ----------
    spectrum
        already cut to the range to be fitted; its beam energy must be known.
    elements
        all that may have lines in it, those of the instrument too.
    foil, weight_fractions
        for the absorption of the lines and the background; both or neither.
    background
        the terms of the background, where they are not the usual ones.
    artefacts
        peaks that the detector itself makes, left out by default. Sum peaks come last, as a column
        of the element "sum".

    Raises
    ------
    ValueError
        if the beam energy is unknown, the spectrum holds too few channels or no counts, or values
        that are not finite, or negative counts without a covariance, or no element has a line.
    """
    background, artefacts = background or Background(), artefacts or Artefacts()
    check_spectrum(spectrum)
    columns = choose_columns(elements, spectrum)
    _check_columns(spectrum, elements, columns, background)
    weights = weight_fractions or {}

    def found(columns: tuple[Column, ...], calibration: Calibration) -> SpectrumFit:
        problem = Problem(spectrum, columns, detector, foil, weights, refine_calibration, artefacts)
        return _result(problem, _solved(problem, problem.start(calibration, background)))

    fit = found(columns, calibration or Calibration())
    sums = sum_peaks(fit.columns, fit.areas, spectrum.axis, artefacts.sums)
    return fit if sums is None else found((*columns, sums), fit.calibration)


def fit_shapes(
    spectrum: Spectrum,
    shapes: Mapping[str, FloatArray],
    *,
    detector: Detector,
    foil: Foil | None = None,
    weight_fractions: Mapping[str, float] | None = None,
    background: Background | None = None,
) -> SpectrumFit:
    """Fit ready-made shapes and a background to a spectrum.

    For the emission table of another program, or measured reference spectra: each shape is one
    column of the fit, and no line of this program's own takes part. Otherwise as `fit_spectrum`;
    nothing of the calibration is refined, since shapes cannot be moved.

    Parameters
    ----------
    shapes
        counts per channel (channels,) of each element, on the axis of `spectrum` and with detector
        and absorption inside. The areas of the fit are multiples of them: atoms, where each shape
        is what one atom of its element emits.
    detector, foil, weight_fractions
        for the background alone.

    Raises
    ------
    ValueError
        as `fit_spectrum`; if there is no shape, or one has another length than the spectrum, or is
        nothing, or holds values that are not finite.
    """
    background = background or Background()
    check_spectrum(spectrum)
    if not shapes:
        raise ValueError("there are no shapes to fit: give at least one")
    for element, shape in shapes.items():
        if np.shape(shape) != spectrum.counts.shape:
            raise ValueError(
                f"the shape of {element} has {np.size(shape)} channels, but the spectrum "
                f"{spectrum.axis.channels}: cut both to the same range"
            )
        if not (np.isfinite(shape).all() and np.any(shape)):
            raise ValueError(f"the shape of {element} is empty or holds values that are no numbers")
    columns = tuple(Column(element, "all", (), 0.0, detected=True) for element in shapes)
    _check_columns(spectrum, tuple(shapes), columns, background)
    given = np.column_stack([np.asarray(shape, np.float64) for shape in shapes.values()])
    artefacts, weights = Artefacts(), weight_fractions or {}
    problem = Problem(spectrum, columns, detector, foil, weights, False, artefacts, given)
    return _result(problem, _solved(problem, problem.start(Calibration(), background)))


def _solved(problem: Problem, state: State) -> State:
    """The end of a fit, with the further orders of the background that are significant."""
    state = problem.converge(state)
    if problem.place(state.calibration):
        state = problem.converge(state)
    for _ in range(state.background.further):
        if not problem.promises(state):
            break
        richer = problem.converge(problem.with_one_order_more(state))
        if richer.deviance > state.deviance - SIGNIFICANT_DEVIANCE:
            break
        state = richer
    return state


def _result(problem: Problem, state: State) -> SpectrumFit:
    terms = problem.background_terms(state.background)
    jacobian, fitted = problem.jacobian(state, terms)
    variance = problem.variance(fitted)
    count = len(problem.columns)
    weights = estimator(jacobian, variance)[:count]
    covariance = problem.spectrum.covariance or LowRankCovariance.of_counts(variance)
    return SpectrumFit(
        spectrum=problem.spectrum,
        columns=problem.columns,
        areas=state.linear[:count],
        covariance=covariance.project(weights),
        estimator=weights,
        shapes=jacobian[:, :count],
        jacobian=jacobian,
        fitted=fitted,
        background=terms @ state.linear[count:],
        variance=variance,
        calibration=state.calibration,
        background_model=state.background,
        deviance=problem.deviance(fitted),
        converged=state.converged,
    )


def check_spectrum(spectrum: Spectrum) -> None:
    """Refuse what cannot be fitted.

    Raises
    ------
    ValueError
        as `fit_spectrum`.
    """
    counts, axis = spectrum.counts, spectrum.axis
    if spectrum.beam_energy_keV is None:
        raise ValueError("the beam energy is unknown: give it (beam_energy_keV)")
    if axis.step_keV > WIDEST_CHANNEL_keV or axis.stop_keV > HIGHEST_ENERGY_keV:
        raise ValueError(
            f"the energy axis looks like eV (channels of {axis.step_keV:g}, up to "
            f"{axis.stop_keV:g}): give its energies in keV"
        )
    if len(counts) < LEAST_CHANNELS:
        lie = "channel lies" if len(counts) == 1 else "channels lie"
        raise ValueError(
            f"only {len(counts)} {lie} in the energy range: widen the range or check that the "
            "energy axis is in keV"
        )
    if not np.isfinite(counts).all():
        raise ValueError("the spectrum holds values that are not numbers: open it as recorded")
    if spectrum.covariance is None and counts.min() < 0:
        raise ValueError(
            "the spectrum holds negative counts, as a subtracted one does: open it as recorded"
        )
    if counts.sum() <= 0:
        raise ValueError("the spectrum holds no counts in the energy range: nothing can be fitted")


def _check_columns(
    spectrum: Spectrum,
    elements: Sequence[str],
    columns: tuple[Column, ...],
    background: Background,
) -> None:
    axis = spectrum.axis
    if not columns:
        raise ValueError(
            f"none of {', '.join(elements)} has a line between {axis.start_keV:.3g} and "
            f"{axis.stop_keV:.3g} keV: check the energy axis and the list of elements"
        )
    if len(columns) + background.most_terms + CALIBRATION_PARAMETERS >= axis.channels:
        raise ValueError(
            f"{axis.channels} channels cannot be fitted with {len(columns)} groups of lines: widen "
            "the energy range or list fewer elements"
        )
