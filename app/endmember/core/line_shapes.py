"""Characteristic lines as columns of counts per channel: Gaussians integrated over each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from endmember.core.spectrum import EnergyAxis, FloatArray

MN_K_ALPHA_keV = 5.8987
FANO_SLOPE_eV2_PER_keV = 2500.0
SIGMA_PER_FWHM = 1.0 / np.sqrt(8.0 * np.log(2.0))
REACH_SIGMA = 6.0  # beyond it a Gaussian holds less than 2e-9 of its area


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the spectrometer departs from its nominal axis: E = offset + gain * nominal energy.

    `offset_keV`, `gain` (1 when the axis is right) and the width of Mn K alpha `fwhm_mn_eV`.
    """

    offset_keV: float = 0.0
    gain: float = 1.0
    fwhm_mn_eV: float = 130.0


def fwhm_keV(energies_keV: npt.ArrayLike, fwhm_mn_eV: float) -> FloatArray:
    """Full width at half maximum in keV of lines at `energies_keV`.

    FWHM^2 = FWHM_Mn^2 + 2500 eV^2/keV (E - 5.8987 keV): the Fano statistics of silicon
    (Fiori & Newbury 1978). Not below 20 eV.
    """
    squared = fwhm_mn_eV**2 + FANO_SLOPE_eV2_PER_keV * (np.asarray(energies_keV) - MN_K_ALPHA_keV)
    return np.asarray(np.sqrt(np.maximum(squared, 20.0**2)) / 1000.0)


@dataclass(frozen=True, slots=True)
class LineSet:
    """All lines of a fit, flat: line i belongs to column `column[i]` with weight `weight[i]`.

    `energies_keV`, `weight` and `column` have shape (lines,); there are `columns` columns.
    """

    energies_keV: FloatArray
    weight: FloatArray
    column: npt.NDArray[np.intp]
    columns: int

    @classmethod
    def of_columns(cls, columns: Sequence[tuple[FloatArray, FloatArray]]) -> LineSet:
        """From a pair (energies, weights) for each column."""
        return cls(
            np.concatenate([e for e, _ in columns]) if columns else np.zeros(0),
            np.concatenate([w for _, w in columns]) if columns else np.zeros(0),
            np.repeat(np.arange(len(columns)), [len(e) for e, _ in columns]),
            len(columns),
        )

    def shapes(self, axis: EnergyAxis, calibration: Calibration) -> tuple[FloatArray, _Derivatives]:
        """The columns, shape (channels, columns), and what their derivatives are made of."""
        nominal = axis.edges
        true = calibration.offset_keV + calibration.gain * nominal
        width = fwhm_keV(self.energies_keV, calibration.fwhm_mn_eV)
        sigma = (width * SIGMA_PER_FWHM)[:, None]
        step = axis.step_keV * calibration.gain
        reach = int(np.ceil(REACH_SIGMA * sigma.max(initial=step) / step)) + 1
        centre = np.round((self.energies_keV - true[0]) / step).astype(np.intp)
        edge = np.clip(centre[:, None] + np.arange(-reach, reach + 1), 0, axis.channels)
        z = (true[edge] - self.energies_keV[:, None]) / sigma
        share = np.diff(ndtr(z), axis=1) * self.weight[:, None]
        # clipped edges repeat: their differences are zero, so nothing is counted twice
        channel = np.minimum(edge[:, :-1], axis.channels - 1)
        flat = (self.column[:, None] * axis.channels + channel).ravel()
        columns = np.asarray(
            np.bincount(flat, share.ravel(), self.columns * axis.channels), np.float64
        )
        derivatives = _Derivatives(self, z, sigma, width, nominal[edge], channel, axis.channels)
        return columns.reshape(self.columns, axis.channels).T, derivatives


@dataclass(frozen=True, slots=True)
class _Derivatives:
    lines: LineSet
    z: FloatArray
    sigma: FloatArray
    width_keV: FloatArray
    nominal: FloatArray
    channel: npt.NDArray[np.intp]
    channels: int

    def of_model(self, areas: FloatArray, calibration: Calibration) -> FloatArray:
        """d(columns @ areas) by offset (keV), gain, FWHM_Mn (eV). Shape (channels, 3)."""
        density = np.exp(-0.5 * self.z**2) / np.sqrt(2.0 * np.pi)
        height = (self.lines.weight * areas[self.lines.column])[:, None]
        by_fwhm = calibration.fwhm_mn_eV / (self.width_keV * 1e6 * self.width_keV)
        terms = (
            density / self.sigma,
            density * self.nominal / self.sigma,
            -density * self.z * by_fwhm[:, None],
        )
        flat = self.channel.ravel()
        return np.stack(
            [
                np.bincount(flat, (np.diff(t, axis=1) * height).ravel(), self.channels)
                for t in terms
            ],
            axis=1,
        )
