"""The problem that a fit solves: its model, its likelihood, and one round of Fisher scoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from endmember.core.counts.spectrum import FloatArray, Spectrum
from endmember.core.fitting.fit_background import Background
from endmember.core.xrays.artefact_peaks import Artefacts
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.fit_columns import Column, line_weights
from endmember.core.xrays.foil import Foil
from endmember.core.xrays.line_shapes import Calibration, Derivatives, LineSet

MAX_ROUNDS = 40
MAX_HALVINGS = 8
STEP_LIMITS = np.array([0.02, 0.003, 20.0])  # offset keV, gain, FWHM eV
# The calibration's own scatter (offset keV, gain, FWHM eV), a weak prior: it decides only where a
# spectrum has too few counts in its peaks to say better itself.
NOMINAL = np.array([0.0, 1.0, 130.0])
PRIOR_SIGMA = np.array([0.02, 0.003, 15.0])
CALIBRATION_PARAMETERS = 3
MISPLACED = 0.1  # channels by which the background may lie beside its place
SIGNIFICANT_DEVIANCE = 25.0  # five sigma for one more term of the background
# A term is fitted only where the first round promises half as much: near the optimum the deviance
# is a parabola, on which the first round finds all there is to gain.
PROMISING_DEVIANCE = SIGNIFICANT_DEVIANCE / 2


@dataclass(frozen=True, slots=True)
class State:
    """Where a fit stands. `linear`: areas (columns,), then the coefficients of the background."""

    calibration: Calibration
    background: Background
    linear: FloatArray
    deviance: float = np.inf
    converged: bool = False


class Problem:
    """The data and everything that does not change while the fit moves.

    `given`, where there is one, holds the columns ready-made, shape (channels, columns): their own
    lines then have no part in the fit, and no calibration moves them.
    """

    def __init__(
        self,
        spectrum: Spectrum,
        columns: tuple[Column, ...],
        detector: Detector,
        foil: Foil | None,
        weight_fractions: Mapping[str, float],
        refine: bool,
        artefacts: Artefacts,
        given: FloatArray | None = None,
    ) -> None:
        self.spectrum, self.columns, self.refine = spectrum, columns, refine
        self.y = spectrum.counts
        self._latest: tuple[Calibration, tuple[FloatArray, Derivatives]] | None = None
        self.floor = 0.1 * _smoothed(self.y)
        self._efficiency = detector.efficiency
        self._leaving = (
            partial(foil.factor, weight_fractions) if foil and weight_fractions else None
        )
        self.given = given
        self.lines = LineSet.of_columns(
            [
                artefacts.with_lines(*line_weights(column, self._escape), column.detected, detector)
                for column in (columns if given is None else ())
            ]
        )
        self.energies = np.zeros(0)  # until the background is placed
        self.fluorescence = artefacts.fluorescence_of_continuum(spectrum.axis, detector)

    def _escape(self, energies_keV: FloatArray) -> FloatArray:
        """The share of X-rays that leave the foil and are detected."""
        efficiency = self._efficiency(energies_keV)
        if self._leaving is None:
            return efficiency
        return np.asarray(efficiency * self._leaving(energies_keV))

    def start(self, calibration: Calibration, background: Background) -> State:
        """Before the first round: no areas, no background."""
        self.place(calibration)
        terms = self.background_terms(background).shape[1]
        return State(calibration, background, np.zeros(len(self.columns) + terms))

    def with_one_order_more(self, state: State) -> State:
        """The same with one more order in the background, its coefficient zero."""
        return replace(
            state,
            background=state.background.with_one_order_more(),
            linear=np.append(state.linear, 0.0),
        )

    def background_terms(self, background: Background) -> FloatArray:
        """The terms of the background, shape (channels, terms)."""
        terms = background.terms(self.energies, self.efficiency, self.leaving)
        if self.fluorescence is None:
            return terms
        peak, share = self.fluorescence
        return np.asarray(terms + np.outer(peak, share @ terms))

    def place(self, calibration: Calibration) -> bool:
        """Put the background at the true energies of a calibration; whether it was not there.

        Absorption edges in it lie beside lines: that of oxygen 7 eV above O K. The calibration is
        rounded to 0.2 eV, so that fits of one instrument look attenuation up at the same energies.
        """
        axis = self.spectrum.axis
        offset, gain = round(calibration.offset_keV, 4), round(calibration.gain, 5)
        energies = np.maximum(offset + gain * axis.centres, axis.step_keV)
        if len(self.energies):
            moved = float(np.abs(energies - self.energies).max())
            if moved < MISPLACED * axis.step_keV:
                return False
        self.energies, above = energies, np.maximum(energies, 0.1)
        self.efficiency = self._efficiency(above)
        self.leaving = None if self._leaving is None else self._leaving(above)
        return True

    def variance(self, fitted: FloatArray) -> FloatArray:
        """The variance of each channel (channels,): the spectrum's own, or that of the model."""
        if self.spectrum.covariance is not None:
            diagonal = self.spectrum.covariance.diagonal
            return np.asarray(np.maximum(diagonal, 1e-6 * diagonal.max()))
        return self.positive(fitted)

    def positive(self, fitted: FloatArray) -> FloatArray:
        """The model where it can stand for a Poisson mean: early rounds may dip below zero, and a
        channel expecting nearly nothing must not weigh without bound."""
        return np.asarray(np.maximum(np.maximum(fitted, self.floor), 0.02))

    def converge(self, state: State) -> State:
        """Rounds of Fisher scoring until nothing is gained, `MAX_ROUNDS` at most."""
        terms = self.background_terms(state.background)
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

    def promises(self, state: State) -> bool:
        """Whether one more background order may lower the deviance significantly (score test)."""
        if not state.converged:
            return True
        richer = self.with_one_order_more(state)
        normal, right = self.equations(richer, self.background_terms(richer.background), None)
        return float(right @ _inverse(normal) @ right) > PROMISING_DEVIANCE

    def equations(
        self, state: State, terms: FloatArray, weight_from: FloatArray | None
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
        self, state: State, terms: FloatArray, weight_from: FloatArray | None
    ) -> tuple[State, float]:
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

    def moved(self, state: State, move: FloatArray, calibrated: bool, terms: FloatArray) -> State:
        """The state after a move, with the deviance that its round descends on."""
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
            shapes, derivatives = self.lines.shapes(self.spectrum.axis, calibration)
            self._latest = calibration, (shapes if self.given is None else self.given, derivatives)
        return self._latest[1]

    def jacobian(self, state: State, terms: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Derivatives of the model by areas, background and calibration; and the model."""
        shapes, derivatives = self.shapes(state.calibration)
        linear = np.hstack([shapes, terms])
        fitted = linear @ state.linear
        if not self.refine:
            return linear, fitted
        areas = state.linear[: len(self.columns)]
        return np.hstack([linear, derivatives.of_model(areas, state.calibration)]), fitted

    def model(self, state: State, terms: FloatArray) -> FloatArray:
        """The expected counts (channels,)."""
        shapes, _ = self.shapes(state.calibration)
        return np.asarray(np.hstack([shapes, terms]) @ state.linear)

    def deviance(self, fitted: FloatArray) -> float:
        """Twice the log-likelihood ratio; chi-squared where the spectrum carries a variance."""
        if self.spectrum.covariance is not None:
            return float(np.sum((self.y - fitted) ** 2 / self.variance(fitted)))
        mu = self.positive(fitted)
        log_ratio = np.log(np.where(self.y > 0, self.y, 1.0) / mu)
        poisson = 2 * np.sum(np.where(self.y > 0, self.y * log_ratio, 0.0) - self.y + mu)
        # below the floor it goes on as chi-squared, smoothly, as the weights of a round do:
        # otherwise a weak spectrum never comes to rest
        return float(poisson + np.sum(((self.y - fitted) ** 2 - (self.y - mu) ** 2) / mu))


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


def estimator(jacobian: FloatArray, variance: FloatArray) -> FloatArray:
    """H = (J^T W J)^-1 J^T W, shape (parameters, channels), W the inverse variance."""
    weighted = jacobian / variance[:, None]
    return np.asarray(_inverse(jacobian.T @ weighted) @ weighted.T)
