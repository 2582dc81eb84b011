"""Whether strong lines lie where the energy axis says, and the straight line that puts them there.

All lines and the background are fitted together (`spectrum_fit`), from several starting points, so
that an axis some ten eV away is found. Then each strong line may lie beside its place by itself:
one further step of the same likelihood, in which overlaps widen the errors of those they concern.
The true energies are offset + gain * axis. A line that contradicts the others (an element that is
not there, a line that is another's) is left out, the one first without which they agree best.

What the lines disagree by beyond counting is a variance of its own between them (Paule & Mandel,
J. Res. Natl. Bur. Stand. 87 (1982) 377).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from endmember.core.counts.spectrum import FloatArray, Spectrum
from endmember.core.fitting.fit_problem import estimator
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.progress import Report, silent
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.fit_columns import Column, line_weights
from endmember.core.xrays.line_shapes import Calibration, LineSet

IntArray = npt.NDArray[np.integer]

EXPLAINED = 2.0  # reduced chi-squared
FURTHER_STARTS_keV = (-0.04, 0.04)
BEYOND_DOUBT = 20.0  # sigma of its area
LARGEST_SIGMA_keV = 0.004  # of a position that says anything
# K lines are known to a fraction of an eV, but real peaks have tails, and below 1 keV detectors
# lose charge; how L and M lines share their counts is known less well.
LOWEST_K_keV, LOWEST_LM_keV, LOW_keV = 0.45, 1.5, 1.0
K_PLACE_keV, LM_PLACE_keV, LOW_PLACE_keV = 0.0015, 0.0025, 0.004
LARGEST_GAIN_SIGMA = 0.0008  # 8 eV at 10 keV; lines that say less of the gain say the offset only
LARGEST_OFFSET_keV, LARGEST_GAIN = 0.08, 0.01  # beyond it lines were taken for others
DISAGREEING = 1e-3  # chance by which lines that agree would scatter so
HALF_CHANNEL = 0.5
MISFIT_FWHMS = 3.0
SIGNIFICANT, CLEARLY = 3.0, 1.5  # sigma from nothing, and from half a channel


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A strong line: where it should be, and where it lies on the axis, with its sigma (keV).

    `used` unless it contradicts the others.
    """

    name: str
    energy_keV: float
    position_keV: float
    sigma_keV: float
    used: bool = True


@dataclass(frozen=True, slots=True)
class EnergyCheck:
    """What strong lines say of an energy axis: true energies are offset + gain * axis.

    `covariance` (2, 2) of offset (keV) and gain: counting, and what the lines disagree by beyond
    it; None where there are too few lines, or they contradict each other: then offset is 0 and gain
    1. `doubt` (2, 2) is that covariance with the error of the lines' true places. `channel_keV` is
    the width of a channel.
    """

    lines: tuple[PlacedLine, ...]
    channel_keV: float
    offset_keV: float = 0.0
    gain: float = 1.0
    covariance: FloatArray | None = None
    doubt: FloatArray | None = None

    @property
    def sigma_offset_keV(self) -> float:
        """Standard deviation of the offset in keV, NaN where nothing was found."""
        return float("nan") if self.covariance is None else float(np.sqrt(self.covariance[0, 0]))

    @property
    def sigma_gain(self) -> float:
        """Standard deviation of the gain, 0 where the lines say nothing of it, NaN as above."""
        return float("nan") if self.covariance is None else float(np.sqrt(self.covariance[1, 1]))

    @property
    def used(self) -> tuple[PlacedLine, ...]:
        """The lines that agree."""
        return tuple(line for line in self.lines if line.used)

    def shift_keV(self, position_keV: float) -> float:
        """True energy less that of the axis."""
        return self.offset_keV + (self.gain - 1.0) * position_keV

    @property
    def worst(self) -> PlacedLine | None:
        """The line that agrees with the others and lies farthest from its place."""
        found = self.used if self.covariance is not None else ()
        return max(found, key=lambda line: abs(self.shift_keV(line.position_keV)), default=None)

    @property
    def is_off(self) -> bool:
        """Whether the axis is off by more than half a channel at a strong line, beyond doubt."""
        return any(self._is_off_at(line.position_keV) for line in self.used)

    def _is_off_at(self, position_keV: float) -> bool:
        if self.doubt is None:
            return False
        shift, at = abs(self.shift_keV(position_keV)), np.array([1.0, position_keV])
        sigma = float(np.sqrt(at @ self.doubt @ at))
        beyond = HALF_CHANNEL * self.channel_keV + CLEARLY * sigma
        return bool(shift > beyond and shift > SIGNIFICANT * sigma)


def check_energies(
    spectrum: Spectrum,
    elements: Sequence[str],
    detector: Detector | None = None,
    report: Report = silent,
) -> EnergyCheck:
    """Compare the places of the strong lines of `elements` with those that they should have.

    A line counts if its area stands 20 sigma above zero and its place is known to 4 eV: K lines
    from O K on, L and M lines above 1.5 keV. Two lines give an offset, three that lie far enough
    apart a gain as well (two that disagree too, if far apart). Shifts up to 60 eV are found.

    Raises
    ------
    ValueError
        if the spectrum cannot be fitted; see `fit_spectrum`.
    """
    channel = spectrum.axis.step_keV
    detector = detector or Detector()
    report(0.0)
    best = fit_spectrum(spectrum, elements, detector=detector)
    if best.reduced_chi_squared > EXPLAINED:  # the axis may be far off, or an element not listed
        for number, offset in enumerate(FURTHER_STARTS_keV, start=1):
            report(number / (len(FURTHER_STARTS_keV) + 1))
            start = Calibration(offset)
            other = fit_spectrum(spectrum, elements, detector=detector, calibration=start)
            best = min(best, other, key=lambda fit: fit.deviance)
    report(1.0)
    strong = _strong(best)
    if len(strong) < 2:
        return EnergyCheck((), channel)
    places = _places(best, strong, detector)
    kept, line = places.agreeing()
    lines = places.lines(kept)
    if line is None:
        return EnergyCheck(lines, channel)
    return EnergyCheck(lines, channel, line.offset_keV, line.gain, line.covariance, line.doubt)


def _strong(fit: SpectrumFit) -> list[int]:
    """The columns whose line is there beyond doubt, and known well."""
    sigma = np.sqrt(np.maximum(np.diag(fit.covariance), 1e-300))
    axis = fit.spectrum.axis
    return [
        i
        for i, column in enumerate(fit.columns)
        if fit.areas[i] > BEYOND_DOUBT * sigma[i]
        and column.alpha_share
        and column.energy_keV > (LOWEST_K_keV if column.family == "K" else LOWEST_LM_keV)
        and axis.start_keV < column.energy_keV < axis.stop_keV
    ]


def _places(fit: SpectrumFit, strong: Sequence[int], detector: Detector) -> _Places:
    """Where each of the strong columns lies, the others and the background fitted beside them."""
    axis, calibration = fit.spectrum.axis, fit.calibration
    lines = LineSet.of_columns(
        [line_weights(column, detector.efficiency) for column in fit.columns]
    )
    _, derivatives = lines.shapes(axis, calibration)
    moved = []
    for i in strong:
        alone = np.zeros(len(fit.columns))
        alone[i] = fit.areas[i]
        moved.append(derivatives.of_model(alone, calibration)[:, 0])
    # in the place of offset and gain, which move all lines together; the width stays free
    jacobian = np.column_stack([fit.jacobian[:, :-3], fit.jacobian[:, -1], *moved])
    rows = estimator(jacobian, fit.variance)[-len(strong) :]
    shift = rows @ (fit.spectrum.counts - fit.fitted)
    columns = [fit.columns[i] for i in strong]
    widened = np.sqrt([_misfit(fit, column) for column in columns])
    covariance = fit.covariance_of_counts().project(rows) * np.outer(widened, widened)
    true = np.array([column.energy_keV for column in columns])
    position = (true - calibration.offset_keV - shift) / calibration.gain
    sigma = np.sqrt(np.diag(covariance))
    known = np.flatnonzero(sigma < LARGEST_SIGMA_keV)
    return _Places(
        tuple(columns[i].name for i in known),
        true[known],
        position[known],
        covariance[np.ix_(known, known)],
        np.array([_place_error_keV(columns[i]) for i in known]),
    )


def _misfit(fit: SpectrumFit, column: Column) -> float:
    """Chi-squared per channel about a line, at least 1: what is not explained moves it as well."""
    near = fit.window(column.energy_keV, MISFIT_FWHMS)
    left = fit.spectrum.counts[near] - fit.fitted[near]
    return max(1.0, float(np.mean(left**2 / fit.variance[near])))


def _place_error_keV(column: Column) -> float:
    """By how much the true place of a peak may differ from that of its lines."""
    if column.energy_keV < LOW_keV:
        return LOW_PLACE_keV
    return K_PLACE_keV if column.family == "K" else LM_PLACE_keV


@dataclass(frozen=True, slots=True)
class _StraightLine:
    """Offset and gain through some lines, and whether these agree."""

    offset_keV: float
    gain: float
    covariance: FloatArray
    doubt: FloatArray
    agrees: bool


@dataclass(frozen=True, slots=True)
class _Places:
    """True energies, positions on the axis, covariance of the latter, errors of the former."""

    names: tuple[str, ...]
    true_keV: FloatArray
    position_keV: FloatArray
    covariance: FloatArray
    error_keV: FloatArray

    def lines(self, kept: Sequence[int]) -> tuple[PlacedLine, ...]:
        """All lines, those that are kept marked."""
        sigma = np.sqrt(np.diag(self.covariance))
        return tuple(
            PlacedLine(name, float(true), float(position), float(s), i in kept)
            for i, (name, true, position, s) in enumerate(
                zip(self.names, self.true_keV, self.position_keV, sigma, strict=True)
            )
        )

    def agreeing(self) -> tuple[list[int], _StraightLine | None]:
        """The lines that agree, and the straight line through them; None where none do."""
        kept = list(range(len(self.names)))
        while len(kept) >= 2:
            line = self._through(kept)
            if line.agrees:
                fit = abs(line.offset_keV) < LARGEST_OFFSET_keV
                return kept, line if fit and abs(line.gain - 1) < LARGEST_GAIN else None
            if len(kept) == 2:
                break
            kept = min(
                ([k for k in kept if k != i] for i in kept),
                key=lambda rest: self._contradiction(rest),
            )
        return list(range(len(self.names))), None

    def _through(self, kept: Sequence[int]) -> _StraightLine:
        """The simplest line through some places that does not contradict them."""
        with_gain = self._solved(kept, True)
        says_gain = np.sqrt(with_gain.doubt[1, 1]) < LARGEST_GAIN_SIGMA
        if says_gain and len(kept) > 2:
            return with_gain
        offset = self._solved(kept, False)
        return with_gain if says_gain and not offset.agrees else offset

    def _contradiction(self, kept: Sequence[int]) -> float:
        return self._chi_squared(kept, len(kept) > 2, 1.0)[0]

    def _terms(self, kept: IntArray, gain: bool) -> FloatArray:
        ones = np.ones(len(kept))
        return np.column_stack([ones, self.position_keV[kept]] if gain else [ones])

    def _chi_squared(
        self, kept: Sequence[int], gain: bool, scatter: float
    ) -> tuple[float, FloatArray, FloatArray]:
        """Chi-squared, the coefficients, and the rows that make them of true - position."""
        index: IntArray = np.array(kept)
        terms = self._terms(index, gain)
        errors = self.covariance[np.ix_(index, index)] + scatter * np.diag(
            self.error_keV[index] ** 2
        )
        weights = np.linalg.inv(errors)
        rows = np.linalg.solve(terms.T @ weights @ terms, terms.T @ weights)
        beside = self.true_keV[index] - self.position_keV[index]
        found = rows @ beside
        left = beside - terms @ found
        return float(left @ weights @ left), np.asarray(found), np.asarray(rows)

    def _solved(self, kept: Sequence[int], gain: bool) -> _StraightLine:
        index = np.array(kept)
        freedom = len(kept) - (2 if gain else 1)
        scatter = self._scatter(kept, gain, freedom)
        _, found, rows = self._chi_squared(kept, gain, max(scatter, 1.0))
        covariance, doubt = np.zeros((2, 2)), np.zeros((2, 2))
        size, of_counts = len(found), self.covariance[np.ix_(index, index)]
        between = np.diag(self.error_keV[index] ** 2)
        covariance[:size, :size] = rows @ (of_counts + scatter * between) @ rows.T
        doubt[:size, :size] = rows @ (of_counts + max(scatter, 1.0) * between) @ rows.T
        agrees = freedom == 0 or self._chi_squared(kept, gain, 1.0)[0] < chdtri(
            freedom, DISAGREEING
        )
        slope = float(found[1]) if gain else 0.0
        return _StraightLine(float(found[0]), 1.0 + slope, covariance, doubt, bool(agrees))

    def _scatter(self, kept: Sequence[int], gain: bool, freedom: int) -> float:
        """The variance between lines in units of their `error_keV` squared: 0 where they agree."""
        low, high = 0.0, 1.0
        if freedom < 1 or self._chi_squared(kept, gain, 0.0)[0] <= freedom:
            return 0.0
        while self._chi_squared(kept, gain, high)[0] > freedom:
            low, high = high, 4 * high
        for _ in range(40):
            middle = (low + high) / 2
            if self._chi_squared(kept, gain, middle)[0] > freedom:
                low = middle
            else:
                high = middle
        return high
