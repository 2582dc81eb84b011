"""A spectrum with its energy axis and its variance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EnergyAxis:
    """A linear energy axis. `start_keV`: centre of channel 0; `step_keV`: channel width."""

    start_keV: float
    step_keV: float
    channels: int

    @property
    def centres(self) -> FloatArray:
        """Energy of the middle of each channel in keV, shape (channels,)."""
        return np.asarray(self.start_keV + self.step_keV * np.arange(self.channels), np.float64)

    @property
    def edges(self) -> FloatArray:
        """Energies of the channel borders in keV, shape (channels + 1,)."""
        borders = np.arange(self.channels + 1) - 0.5
        return np.asarray(self.start_keV + self.step_keV * borders, np.float64)

    @property
    def stop_keV(self) -> float:
        """Centre of the last channel in keV."""
        return self.start_keV + self.step_keV * (self.channels - 1)

    def recalibrated(self, offset_keV: float, gain: float) -> EnergyAxis:
        """The axis whose energies are offset + gain * these."""
        if (offset_keV, gain) == (0.0, 1.0):
            return self
        start, step = offset_keV + gain * self.start_keV, gain * self.step_keV
        return EnergyAxis(start, step, self.channels)

    def span(self, low_keV: float, high_keV: float) -> slice:
        """The channels whose centres lie in [low_keV, high_keV), cut to the axis."""
        first, last = (
            int(
                np.clip(
                    np.ceil(np.round((e - self.start_keV) / self.step_keV, 6)), 0, self.channels
                )
            )
            for e in (low_keV, high_keV)
        )
        return slice(first, max(first, last))

    def part(self, channels: slice) -> EnergyAxis:
        """The axis of a run of channels."""
        first, last, _ = channels.indices(self.channels)
        return EnergyAxis(
            self.start_keV + first * self.step_keV, self.step_keV, max(0, last - first)
        )


@dataclass(frozen=True, slots=True)
class LowRankCovariance:
    """A covariance of channel counts: diag(diagonal) + factors @ core @ factors.T.

    Shapes: `diagonal` (channels,), `factors` (channels, r), `core` (r, r) symmetric; in
    counts squared.
    """

    diagonal: FloatArray
    factors: FloatArray
    core: FloatArray

    @classmethod
    def of_counts(cls, variance: FloatArray) -> LowRankCovariance:
        """Independent channels with the given variance (for counts: their expected value)."""
        return cls(variance, np.zeros((len(variance), 0)), np.zeros((0, 0)))

    @property
    def variance(self) -> FloatArray:
        """The variance of each channel, shape (channels,)."""
        inner = np.einsum("ij,jk,ik->i", self.factors, self.core, self.factors)
        return np.asarray(np.maximum(self.diagonal + inner, 0.0))

    def project(self, rows: FloatArray) -> FloatArray:
        """R Cov R^T for `rows` R of shape (n, channels). Returns (n, n)."""
        half = rows @ self.factors
        return np.asarray((rows * self.diagonal) @ rows.T + half @ self.core @ half.T)

    def part(self, channels: slice) -> LowRankCovariance:
        """The covariance of a run of channels."""
        return LowRankCovariance(self.diagonal[channels], self.factors[channels], self.core)

    def __add__(self, other: LowRankCovariance) -> LowRankCovariance:
        """The covariance of the sum of two independent spectra."""
        ranks = self.core.shape[0], other.core.shape[0]
        core = np.zeros((sum(ranks), sum(ranks)))
        core[: ranks[0], : ranks[0]] = self.core
        core[ranks[0] :, ranks[0] :] = other.core
        return LowRankCovariance(
            self.diagonal + other.diagonal, np.hstack([self.factors, other.factors]), core
        )


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Counts per channel, shape (channels,), on an energy axis.

    `covariance` is None for measured counts (Poisson: the variance is the expected count) and is
    carried by a spectrum that was computed, such as a subtracted one.
    """

    counts: FloatArray
    axis: EnergyAxis
    beam_energy_keV: float | None = None
    take_off_angle_deg: float | None = None
    live_time_s: float | None = None
    covariance: LowRankCovariance | None = None

    def __post_init__(self) -> None:
        if self.counts.shape != (self.axis.channels,):
            raise ValueError(
                f"a spectrum of shape {self.counts.shape} does not fit an axis of "
                f"{self.axis.channels} channels"
            )
        self.counts.flags.writeable = False

    def between(self, low_keV: float, high_keV: float) -> Spectrum:
        """The part of the spectrum with channel centres in [low_keV, high_keV)."""
        span = self.axis.span(low_keV, high_keV)
        covariance = None if self.covariance is None else self.covariance.part(span)
        return replace(
            self, counts=self.counts[span], axis=self.axis.part(span), covariance=covariance
        )
