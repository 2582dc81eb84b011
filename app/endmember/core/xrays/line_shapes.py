"""Characteristic lines as columns of counts per channel: Gaussians integrated over each channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from endmember.core.counts.spectrum import EnergyAxis, FloatArray

MN_K_ALPHA_keV = 5.8987
FANO_SLOPE_eV2_PER_keV = 2500.0
SIGMA_PER_FWHM = 1.0 / math.sqrt(8.0 * math.log(2.0))
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
            np.repeat(np.arange(len(columns)), np.array([len(e) for e, _ in columns], np.intp)),
            len(columns),
        )

    def shapes(self, axis: EnergyAxis, calibration: Calibration) -> tuple[FloatArray, Derivatives]:
        """The columns, shape (channels, columns), and what their derivatives are made of."""
        width = fwhm_keV(self.energies_keV, calibration.fwhm_mn_eV)
        placed = Derivatives(self, axis, width)
        columns = np.zeros((self.columns, axis.channels))
        _add_lines(*placed.position(calibration), self.weight, self.column, columns)
        return columns.T, placed


@dataclass(frozen=True, slots=True)
class Derivatives:
    """How the columns of a line set change with the calibration at which they were made."""

    lines: LineSet
    axis: EnergyAxis
    width_keV: FloatArray

    def position(self, calibration: Calibration) -> tuple[float, float, FloatArray, FloatArray]:
        """Energy of the first border, channel width, energies of the lines and their sigma."""
        start = calibration.offset_keV + calibration.gain * float(self.axis.edges[0])
        step = self.axis.step_keV * calibration.gain
        return start, step, self.lines.energies_keV, self.width_keV * SIGMA_PER_FWHM

    def of_model(self, areas: FloatArray, calibration: Calibration) -> FloatArray:
        """d(columns @ areas) by offset (keV), gain, FWHM_Mn (eV). Shape (channels, 3)."""
        height = self.lines.weight * areas[self.lines.column]
        by_fwhm = calibration.fwhm_mn_eV / (self.width_keV * 1e6 * self.width_keV)
        out = np.zeros((self.axis.channels, 3))
        nominal = float(self.axis.edges[0]), self.axis.step_keV
        _add_derivatives(*self.position(calibration), height, by_fwhm, *nominal, out)
        return out


@numba.njit(cache=True, nogil=True)
def _reached(start, step, energy, sigma, channels):  # type: ignore[no-untyped-def]
    """The first and last channel border within `REACH_SIGMA` of a line."""
    centre = int(np.rint((energy - start) / step))
    reach = int(np.ceil(REACH_SIGMA * sigma / step)) + 1
    return min(max(centre - reach, 0), channels), min(max(centre + reach, 0), channels)


@numba.njit(cache=True, nogil=True)
def _add_lines(start, step, energies, sigma, weight, column, out):  # type: ignore[no-untyped-def]
    """Add the share of each line in each channel to its column of `out` (columns, channels)."""
    for line in range(len(energies)):
        first, last = _reached(start, step, energies[line], sigma[line], out.shape[1])
        scale = 1.0 / (sigma[line] * math.sqrt(2.0))
        half = 0.5 * weight[line]
        below = math.erfc((energies[line] - start - step * first) * scale)
        for channel in range(first, last):
            here = math.erfc((energies[line] - start - step * (channel + 1)) * scale)
            out[column[line], channel] += half * (here - below)
            below = here


@numba.njit(cache=True, nogil=True)
def _add_derivatives(  # type: ignore[no-untyped-def]
    start, step, energies, sigma, height, by_fwhm, nominal_start, nominal_step, out
):
    """Add the derivatives of each line of `height` by offset, gain and width: see `of_model`."""
    for line in range(len(energies)):
        if height[line] == 0.0:
            continue
        first, last = _reached(start, step, energies[line], sigma[line], out.shape[0])
        below = (0.0, 0.0, 0.0)
        for edge in range(first, last + 1):
            z = (start + step * edge - energies[line]) / sigma[line]
            density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) * height[line]
            by_offset = density / sigma[line]
            here = (
                by_offset,
                by_offset * (nominal_start + nominal_step * edge),
                -density * z * by_fwhm[line],
            )
            if edge > first:
                for term in range(3):
                    out[edge - 1, term] += here[term] - below[term]
            below = here
