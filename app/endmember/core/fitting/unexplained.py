"""Peaks that the fit leaves over, and which elements have a line there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from endmember.core.fitting.spectrum_fit import SpectrumFit
from endmember.core.xrays.line_shapes import fwhm_keV
from endmember.core.xrays.lines import Line, emission_lines

SIGNIFICANT = 8.0  # sigma over one FWHM: well above what shapes that fit nearly right leave
SUBSTANTIAL = 0.3
# What instruments, grids, preparation and air leave in a spectrum, and common elements, by the
# likelihood of meeting them; K lines are tried before L and M.
# fmt: off
CANDIDATES = (
    "C", "O", "N", "F", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "K", "Ca", "Ti", "V", "Cr",
    "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Zr", "Nb", "Mo", "Pd", "Ag",
    "Sn", "Ba", "La", "Ce", "Nd", "Sm", "Hf", "Ta", "W", "Pt", "Au", "Pb", "Bi", "Th", "U", "Ar",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Peak:
    """A peak at `energy_keV` left by a fit: `sigma` over one FWHM, and elements it may be."""

    energy_keV: float
    sigma: float
    elements: tuple[str, ...]


def unexplained_peaks(fit: SpectrumFit, most: int = 5) -> tuple[Peak, ...]:
    """The largest positive residuals over one FWHM that lie away from every fitted strong line.

    Residuals on and beside fitted lines come from imperfect shapes and line ratios: a peak keeps a
    distance of one FWHM from every alpha line and holds more than `SUBSTANTIAL` of what the fit
    puts into the lines there.
    """
    axis = fit.spectrum.axis
    residual, variance = fit.spectrum.counts - fit.fitted, fit.variance
    energies = fit.calibration.offset_keV + fit.calibration.gain * axis.centres
    width = max(
        1, round(float(fwhm_keV(axis.stop_keV / 3, fit.calibration.fwhm_mn_eV)) / axis.step_keV)
    )
    window = np.ones(width)
    score = np.convolve(residual, window, "same") / np.sqrt(np.convolve(variance, window, "same"))
    lines = np.convolve(fit.shapes @ np.maximum(fit.areas, 0.0), window, "same")
    score[np.convolve(residual, window, "same") < SUBSTANTIAL * lines] = 0.0
    strong = [column.energy_keV for column in fit.columns]
    found: list[Peak] = []
    for index in np.argsort(-score):
        if score[index] < SIGNIFICANT or len(found) == most:
            break
        energy = float(energies[index])
        near = float(fwhm_keV(max(energy, 0.1), fit.calibration.fwhm_mn_eV))
        taken = [*strong, *(peak.energy_keV for peak in found)]
        if all(abs(energy - other) > near for other in taken):
            found.append(Peak(energy, float(score[index]), _candidates(fit, energy, near / 3)))
    return tuple(found)


def _candidates(fit: SpectrumFit, energy_keV: float, tolerance_keV: float) -> tuple[str, ...]:
    """Elements not in the fit whose alpha line lies at the energy, K lines first, at most three."""
    beam = fit.spectrum.beam_energy_keV or 0.0
    fitted = {column.element for column in fit.columns}
    ranked: list[tuple[str, float, str]] = []
    for element in CANDIDATES:
        if element in fitted:
            continue
        for family in "KLM":
            alpha = [
                line
                for line in emission_lines(element, beam)
                if line.family == family and line.alpha
            ]
            if alpha and abs(_mean(alpha) - energy_keV) < tolerance_keV:
                ranked.append((family, abs(_mean(alpha) - energy_keV), element))
    return tuple(f"{element} {family}a" for family, _, element in sorted(ranked)[:3])


def _mean(lines: list[Line]) -> float:
    weights = [line.cross_section_cm2 for line in lines]
    return float(np.average([line.energy_keV for line in lines], weights=weights))


def peaks_sentence(peaks: tuple[Peak, ...]) -> str:
    """The peaks in words: "9.25 keV (Ga Ka?), 17.45 keV (Mo Ka?)"."""
    return ", ".join(
        f"{peak.energy_keV:.2f} keV"
        + (f" ({' or '.join(peak.elements)}?)" if peak.elements else "")
        for peak in peaks
    )
