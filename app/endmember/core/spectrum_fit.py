"""The fit of a spectrum: every line and the background together, by maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from endmember.core.absorption import absorption_factor
from endmember.core.detector import Detector
from endmember.core.line_shapes import Calibration, Derivatives, LineSet, fwhm_keV
from endmember.core.lines import FAMILIES, Line, default_family, emission_lines
from endmember.core.spectrum import EnergyAxis, FloatArray, LowRankCovariance, Spectrum

NEGLIGIBLE = 1e-5  # share of a family below which a line is left out
MAX_ROUNDS = 40
MAX_HALVINGS = 8
STEP_LIMITS = np.array([0.02, 0.003, 20.0])  # offset keV, gain, FWHM eV
# The calibration's own scatter (offset keV, gain, FWHM eV), a weak prior: it decides only where a
# spectrum has too few counts in its peaks to say better itself.
NOMINAL = np.array([0.0, 1.0, 130.0])
PRIOR_SIGMA = np.array([0.02, 0.003, 15.0])
# Powers of E in the background; the first three always, the others while they are significant.
BACKGROUND_POWERS = (-1, 0, 1)
EXTRA_POWERS = (-2, -3, -4, 2)
SIGNIFICANT_DEVIANCE = 9.0  # three sigma for one more term
# A term is fitted only where the first round promises half as much: near the optimum the deviance
# is a parabola, on which the first round finds all there is to gain.
PROMISING_DEVIANCE = SIGNIFICANT_DEVIANCE / 2


@dataclass(frozen=True, slots=True)
class Foil:
    """What absorbs: thickness in nm, density in g/cm3, take-off angle in degrees."""

    thickness_nm: float
    density_g_cm3: float
    take_off_angle_deg: float

    def factor(self, weight_fractions: Mapping[str, float], energies_keV: FloatArray) -> FloatArray:
        """The share of X-rays of each energy that leave the foil (0 to 1)."""
        return absorption_factor(
            weight_fractions,
            energies_keV,
            self.thickness_nm,
            self.density_g_cm3,
            self.take_off_angle_deg,
        )


@dataclass(frozen=True, slots=True)
class Column:
    """One element and line family in the fit. `alpha_share`: alpha lines' share of its counts.

    The fitted area of a column is that of its alpha line where `alpha_share` is not zero, and of
    the whole family otherwise.
    """

    element: str
    family: str
    lines: tuple[Line, ...]
    alpha_share: float

    @property
    def name(self) -> str:
        """Element, family and line, as in "Fe Ka"."""
        return f"{self.element} {self.family}{'a' if self.alpha_share else ''}"

    @property
    def energy_keV(self) -> float:
        """Mean energy of the alpha line in keV, of the family where it has no alpha line."""
        lines = [line for line in self.lines if line.alpha] or list(self.lines)
        weights = [line.cross_section_cm2 for line in lines]
        return float(np.average([line.energy_keV for line in lines], weights=weights))


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
    background_powers: tuple[int, ...]
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

    def find(self, element: str, family: str) -> int | None:
        """The index of a column, or None where the fit has no such line."""
        for index, column in enumerate(self.columns):
            if (column.element, column.family) == (element, family):
                return index
        return None

    def family_of(self, element: str) -> str | None:
        """The line family by which an element is measured in this spectrum, None if by none."""
        return quantified_family(element, self.spectrum.axis, self.spectrum.beam_energy_keV or 0.0)

    def window(self, energy_keV: float) -> slice:
        """The channels within half a FWHM of a line on either side (1.0 FWHM in all)."""
        half = float(fwhm_keV(energy_keV, self.calibration.fwhm_mn_eV)) / 2
        low, high = (
            (e - self.calibration.offset_keV) / self.calibration.gain
            for e in (energy_keV - half, energy_keV + half)
        )
        return self.spectrum.axis.span(low, high)

    def covariance_of_counts(self) -> LowRankCovariance:
        """The covariance of the fitted counts: the spectrum's own, or Poisson from the model."""
        return self.spectrum.covariance or LowRankCovariance.of_counts(self.variance)

    def sigma_without(self, index: int) -> float:
        """Standard deviation the area of column `index` would have were its element absent.

        The counts under the line are those of the model without it (Currie 1968: the paired
        blank); the covariance of a subtracted spectrum is kept.
        """
        blank = np.maximum(
            self.variance - np.maximum(self.areas[index] * self.shapes[:, index], 0.0),
            self.variance * 1e-6,
        )
        estimator = _estimator(self.jacobian, blank)[index : index + 1]
        covariance = replace(self.covariance_of_counts(), diagonal=blank)
        return float(np.sqrt(max(covariance.project(estimator)[0, 0], 0.0)))


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
) -> SpectrumFit:
    """Fit all lines of `elements` and a background to a spectrum.

    Poisson maximum likelihood by Fisher scoring (iteratively reweighted least squares with the
    model's variance, whose fixed point is the maximum of the Poisson likelihood); a spectrum that
    carries a covariance is fitted with its own variance, and the errors follow from that
    covariance. One column an element and line family, lines in it weighted by emission cross
    section x detector efficiency x absorption. Background: detector efficiency x absorption x
    powers of the energy, more of them while they lower the deviance by more than 9. Gain, offset
    and width are refined (starting from `calibration`) unless `refine_calibration` is false.

    Parameters
    ----------
    spectrum
        already cut to the range to be fitted; its beam energy must be known.
    elements
        all that may have lines in it, those of the instrument too.
    foil, weight_fractions
        for the absorption of the lines and the background; both or neither.

    Raises
    ------
    ValueError
        if the beam energy is unknown, the spectrum holds too few channels or no counts, or values
        that are not finite, or negative counts without a covariance, or no element has a line.
    """
    _check(spectrum)
    columns = _columns(elements, spectrum)
    if not columns:
        raise ValueError(
            f"none of {', '.join(elements)} has a line between {spectrum.axis.start_keV:.3g} and "
            f"{spectrum.axis.stop_keV:.3g} keV: check the energy axis and the list of elements"
        )
    least = len(columns) + len(BACKGROUND_POWERS) + len(EXTRA_POWERS) + len(NOMINAL)
    if least >= len(spectrum.counts):
        raise ValueError(
            f"{len(spectrum.counts)} channels cannot be fitted with {len(columns)} groups of "
            "lines: widen the energy range or list fewer elements"
        )
    problem = _Problem(
        spectrum, columns, detector, foil, weight_fractions or {}, refine_calibration
    )
    state = problem.start(calibration or Calibration())
    state = problem.converge(state)
    for power in EXTRA_POWERS:
        if not problem.promises(state, power):
            continue
        richer = problem.converge(problem.with_power(state, power))
        if richer.deviance < state.deviance - SIGNIFICANT_DEVIANCE:
            state = richer
    return problem.result(state)


def _check(spectrum: Spectrum) -> None:
    counts = spectrum.counts
    if spectrum.beam_energy_keV is None:
        raise ValueError("the beam energy is unknown: give it (beam_energy_keV)")
    if len(counts) < 50:
        raise ValueError(
            f"only {len(counts)} channels lie in the energy range: widen the range or check that "
            "the energy axis is in keV"
        )
    if not np.isfinite(counts).all():
        raise ValueError("the spectrum holds values that are not numbers: open it as recorded")
    if spectrum.covariance is None and counts.min() < 0:
        raise ValueError("the spectrum holds negative counts: open it as recorded")
    if counts.sum() <= 0:
        raise ValueError("the spectrum holds no counts in the energy range: nothing can be fitted")


def _columns(elements: Sequence[str], spectrum: Spectrum) -> tuple[Column, ...]:
    """The element families with lines in the spectrum, or so close below that they reach in."""
    axis = spectrum.axis
    margin = 0.06  # keV, about one FWHM at the low end of the axis
    found = []
    for element in elements:
        lines = emission_lines(element, spectrum.beam_energy_keV or 0.0)
        for family in FAMILIES:
            every = [line for line in lines if line.family == family]
            total = sum(line.cross_section_cm2 for line in every)
            kept = [
                line
                for line in every
                if line.cross_section_cm2 > NEGLIGIBLE * total
                and axis.start_keV - margin < line.energy_keV < axis.stop_keV + margin
            ]
            # a family of which only a far corner is in range would stand for nothing measured
            if sum(line.cross_section_cm2 for line in kept) < 0.05 * total or not kept:
                continue
            alpha = sum(line.cross_section_cm2 for line in kept if line.alpha)
            share = alpha / total if alpha > 0.01 * total else 0.0
            found.append(Column(element, family, tuple(kept), share))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _State:
    calibration: Calibration
    powers: tuple[int, ...]
    linear: FloatArray  # areas, then background coefficients
    deviance: float = np.inf
    converged: bool = False


class _Problem:
    """The data and everything that does not change while the fit moves."""

    def __init__(
        self,
        spectrum: Spectrum,
        columns: tuple[Column, ...],
        detector: Detector,
        foil: Foil | None,
        weight_fractions: Mapping[str, float],
        refine: bool,
    ) -> None:
        self.spectrum, self.columns, self.refine = spectrum, columns, refine
        self.y = spectrum.counts
        self._latest: tuple[Calibration, tuple[FloatArray, Derivatives]] | None = None
        self.floor = 0.1 * _smoothed(self.y)

        def escape(energies: FloatArray) -> FloatArray:
            efficiency = detector.efficiency(energies)
            if foil is None or not weight_fractions:
                return efficiency
            return np.asarray(efficiency * foil.factor(weight_fractions, energies))

        self.lines = LineSet.of_columns([_normalised(column, escape) for column in columns])
        centres = np.maximum(spectrum.axis.centres, spectrum.axis.step_keV)
        self.response = escape(np.maximum(centres, 0.1))
        self.scaled_energy = centres / np.sqrt(centres[0] * centres[-1])

    def start(self, calibration: Calibration) -> _State:
        powers = BACKGROUND_POWERS
        return _State(calibration, powers, np.zeros(len(self.columns) + len(powers)))

    def with_power(self, state: _State, power: int) -> _State:
        return replace(state, powers=(*state.powers, power), linear=np.append(state.linear, 0.0))

    def background_terms(self, powers: tuple[int, ...]) -> FloatArray:
        terms = self.scaled_energy[:, None] ** np.array(powers, float)
        return np.asarray(self.response[:, None] * terms)

    def variance(self, fitted: FloatArray) -> FloatArray:
        if self.spectrum.covariance is not None:
            diagonal = self.spectrum.covariance.diagonal
            return np.asarray(np.maximum(diagonal, 1e-6 * diagonal.max()))
        return self.positive(fitted)

    def positive(self, fitted: FloatArray) -> FloatArray:
        """The model where it can stand for a Poisson mean: early rounds may dip below zero, and a
        channel expecting nearly nothing must not weigh without bound."""
        return np.asarray(np.maximum(np.maximum(fitted, self.floor), 0.02))

    def converge(self, state: _State) -> _State:
        terms = self.background_terms(state.powers)
        first = not state.linear.any()
        weight_from = _smoothed(self.y) + 1.0 if first else None
        for _ in range(MAX_ROUNDS):
            before = state
            state, step = self.step(state, terms, weight_from)
            weight_from = None
            gained = abs(before.deviance - state.deviance)
            # a weak spectrum may go to and fro by a hundredth of a sigma at no gain
            if gained < 1e-5 or (step < 1e-3 and gained < 1e-3):
                return replace(state, converged=True)
        return state

    def promises(self, state: _State, power: int) -> bool:
        """Whether one more background term may lower the deviance significantly (score test)."""
        if not state.converged:
            return True
        richer = self.with_power(state, power)
        normal, right = self.equations(richer, self.background_terms(richer.powers), None)
        return float(right @ _inverse(normal) @ right) > PROMISING_DEVIANCE

    def equations(
        self, state: _State, terms: FloatArray, weight_from: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """The normal equations of one round of Fisher scoring: matrix and right side."""
        jacobian, fitted = self.jacobian(state, terms)
        variance = self.variance(fitted if weight_from is None else weight_from)
        prior = np.zeros(jacobian.shape[1])
        pull = np.zeros(jacobian.shape[1])
        calibrated = self.refine and weight_from is None
        if self.refine:
            prior[-3:] = PRIOR_SIGMA**-2.0 if calibrated else 1e30
            pull[-3:] = prior[-3:] * (NOMINAL - _as_array(state.calibration)) * calibrated
        weighted = jacobian / variance[:, None]
        normal = jacobian.T @ weighted + np.diag(prior)
        return normal, weighted.T @ (self.y - fitted) + pull

    def step(
        self, state: _State, terms: FloatArray, weight_from: FloatArray | None
    ) -> tuple[_State, float]:
        """One round of Fisher scoring; also the largest move in units of its sigma."""
        calibrated = self.refine and weight_from is None
        move, sigma = _solve(*self.equations(state, terms, weight_from))
        if calibrated:
            # at most a quarter of a peak's width in one round, all parameters in proportion
            move *= min(1.0, *(STEP_LIMITS / np.maximum(np.abs(move[-3:]), 1e-300)))
        relative = float(np.max(np.abs(move) / sigma))
        for _ in range(MAX_HALVINGS):
            moved = self.moved(state, move, calibrated, terms)
            if moved.deviance < state.deviance + 1e-6:
                break
            move = move / 2
        return moved, relative

    def moved(self, state: _State, move: FloatArray, calibrated: bool, terms: FloatArray) -> _State:
        calibration = state.calibration
        if calibrated:
            calibration = Calibration(*(_as_array(calibration) + move[-3:]).tolist())
        ahead = replace(
            state, linear=state.linear + move[: len(state.linear)], calibration=calibration
        )
        deviance = self.deviance(self.model(ahead, terms)) + self.penalty(calibration)
        return replace(ahead, deviance=deviance)

    def penalty(self, calibration: Calibration) -> float:
        """What the prior adds to the deviance, so that each round descends on what it minimises."""
        if not self.refine:
            return 0.0
        return float(np.sum(((_as_array(calibration) - NOMINAL) / PRIOR_SIGMA) ** 2))

    def shapes(self, calibration: Calibration) -> tuple[FloatArray, Derivatives]:
        """The line columns; those of the latest calibration are kept, which comes twice or more."""
        if self._latest is None or self._latest[0] != calibration:
            self._latest = calibration, self.lines.shapes(self.spectrum.axis, calibration)
        return self._latest[1]

    def jacobian(self, state: _State, terms: FloatArray) -> tuple[FloatArray, FloatArray]:
        shapes, derivatives = self.shapes(state.calibration)
        linear = np.hstack([shapes, terms])
        fitted = linear @ state.linear
        if not self.refine:
            return linear, fitted
        areas = state.linear[: len(self.columns)]
        return np.hstack([linear, derivatives.of_model(areas, state.calibration)]), fitted

    def model(self, state: _State, terms: FloatArray) -> FloatArray:
        shapes, _ = self.shapes(state.calibration)
        return np.asarray(np.hstack([shapes, terms]) @ state.linear)

    def deviance(self, fitted: FloatArray) -> float:
        if self.spectrum.covariance is not None:
            return float(np.sum((self.y - fitted) ** 2 / self.variance(fitted)))
        mu = self.positive(fitted)
        log_ratio = np.log(np.where(self.y > 0, self.y, 1.0) / mu)
        poisson = 2 * np.sum(np.where(self.y > 0, self.y * log_ratio, 0.0) - self.y + mu)
        # below the floor it goes on as chi-squared, smoothly, as the weights of a round do:
        # otherwise a weak spectrum never comes to rest
        return float(poisson + np.sum(((self.y - fitted) ** 2 - (self.y - mu) ** 2) / mu))

    def result(self, state: _State) -> SpectrumFit:
        terms = self.background_terms(state.powers)
        jacobian, fitted = self.jacobian(state, terms)
        variance = self.variance(fitted)
        estimator = _estimator(jacobian, variance)[: len(self.columns)]
        covariance = self.spectrum.covariance or LowRankCovariance.of_counts(variance)
        count = len(self.columns)
        return SpectrumFit(
            spectrum=self.spectrum,
            columns=self.columns,
            areas=state.linear[:count],
            covariance=covariance.project(estimator),
            estimator=estimator,
            shapes=jacobian[:, :count],
            jacobian=jacobian,
            fitted=fitted,
            background=terms @ state.linear[count:],
            variance=variance,
            calibration=state.calibration,
            background_powers=state.powers,
            deviance=self.deviance(fitted),
            converged=state.converged,
        )


def _normalised(column: Column, escape):  # type: ignore[no-untyped-def]
    energies = np.array([line.energy_keV for line in column.lines])
    weights = np.array([line.cross_section_cm2 for line in column.lines]) * escape(energies)
    alpha = np.array([line.alpha for line in column.lines])
    return energies, weights / (weights[alpha].sum() if column.alpha_share else weights.sum())


def _as_array(calibration: Calibration) -> FloatArray:
    return np.array([calibration.offset_keV, calibration.gain, calibration.fwhm_mn_eV])


def _smoothed(counts: FloatArray) -> FloatArray:
    return np.asarray(np.convolve(np.maximum(counts, 0.0), np.ones(7) / 7, mode="same"))


def _solve(normal: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Solve the normal equations, scaled; also each parameter's standard deviation."""
    inverse = _inverse(normal)
    return inverse @ right, np.sqrt(np.maximum(np.diag(inverse), 1e-300))


def _inverse(normal: FloatArray) -> FloatArray:
    scale = 1.0 / np.sqrt(np.maximum(np.diag(normal), 1e-300))
    scaled = normal * scale[:, None] * scale
    # hermitian: two columns that cannot be told apart share their counts instead of diverging
    return np.asarray(np.linalg.pinv(scaled, rcond=1e-11, hermitian=True) * scale[:, None] * scale)


def _estimator(jacobian: FloatArray, variance: FloatArray) -> FloatArray:
    """H = (J^T W J)^-1 J^T W, shape (parameters, channels), W the inverse variance."""
    weighted = jacobian / variance[:, None]
    return np.asarray(_inverse(jacobian.T @ weighted) @ weighted.T)
