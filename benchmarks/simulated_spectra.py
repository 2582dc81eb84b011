"""Expected spectra whose truth is not the fit's own model: what the calibration study measures.

A second simulator beside `endmember.core.simulation.simulated_map`, free in what that one holds
fixed: shape of the continuum, calibration, line shapes and ratios, stray peaks. `Source()` is the
demo's matrix: the two are compared before the study begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import erfc, ndtr

from endmember.core.counts.spectrum import FloatArray
from endmember.core.simulation.simulated_map import (
    AXIS,
    MATRIX_CONTINUUM,
    SYSTEM_PARTS,
    SYSTEM_SHARE,
    TRUE_CALIBRATION,
    BEAM_keV,
    TAKE_OFF_deg,
    THICKNESS_nm,
    family_measured,
    weight_fractions,
)
from endmember.core.simulation.specimens import PHASES
from endmember.core.xrays.absorption import absorption_factor, element_attenuation
from endmember.core.xrays.artefact_peaks import escape_fraction
from endmember.core.xrays.cross_sections import atomic_number
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.line_shapes import SIGMA_PER_FWHM, Calibration, MN_K_ALPHA_keV
from endmember.core.xrays.lines import atomic_mass, emission_lines

MATRIX = PHASES[0]
TAIL_keV = 0.05
TAILED_BELOW_keV = 4.0
Continuum = Callable[[FloatArray], FloatArray]


def leaving(energies_keV: FloatArray, thickness_nm: float = THICKNESS_nm) -> FloatArray:
    """The share of X-rays that leave the foil of matrix and are detected, (n,)."""
    weights = weight_fractions(MATRIX.atomic_percent)
    left = absorption_factor(
        weights, energies_keV, thickness_nm, MATRIX.density_g_cm3, TAKE_OFF_deg
    )
    return left * Detector().efficiency(energies_keV)


def _kramers(energies_keV: FloatArray) -> FloatArray:
    """(E0/E - 1)^p with the demo's p: a Kramers law with a fractional power."""
    atoms = MATRIX.atomic_percent
    mean = sum(atomic_number(e) * n for e, n in atoms.items()) / sum(atoms.values())
    return np.asarray((BEAM_keV / energies_keV - 1) ** (0.95 - 0.006 * mean))


def demo_continuum(energies_keV: FloatArray) -> FloatArray:
    """The continuum of the demo's matrix, in arbitrary units."""
    return _kramers(energies_keV) * leaving(energies_keV)


def rolled_off(energies_keV: FloatArray) -> FloatArray:
    """Falling off towards low energies: half of it is gone at 0.35 keV."""
    return demo_continuum(energies_keV) / (1.0 + (0.35 / energies_keV) ** 3)


def deeply_absorbed(energies_keV: FloatArray) -> FloatArray:
    """As if it came through three times the thickness that the lines come through."""
    return _kramers(energies_keV) * leaving(energies_keV, 3 * THICKNESS_nm)


def _with(second: FloatArray, share: float, energies_keV: FloatArray) -> FloatArray:
    """The demo's continuum and a second one with `share` of its counts above 0.3 keV."""
    own = demo_continuum(energies_keV)
    measured = energies_keV > 0.3
    return own + share * second * own[measured].sum() / second[measured].sum()


def with_unabsorbed(energies_keV: FloatArray) -> FloatArray:
    """Half as much again from elsewhere, steeper, without absorption in the foil."""
    second = _kramers(energies_keV) ** 1.1 * Detector().efficiency(energies_keV)
    return _with(second, 0.5, energies_keV)


def with_thick_copper(energies_keV: FloatArray) -> FloatArray:
    """A tenth as much again from thick copper (a grid), with the steps of copper's edges in it."""
    absorbed = 1.0 + element_attenuation("Cu", energies_keV) / 300.0
    second = _kramers(energies_keV) ** 0.8 / absorbed * Detector().efficiency(energies_keV)
    return _with(second, 0.1, energies_keV)


@dataclass(frozen=True)
class Source:
    """What a spectrum is made of; the defaults are those of the demo's matrix.

    `broadened` folds the continuum, with the edges in it, with the detector's resolution, which
    neither the demo nor the fit does; `without` takes out the lines of elements; `other_lines`
    multiplies all lines of K and L families that are not alpha; `low_tail` is the share of each
    line below 4 keV that goes into an exponential tail of 50 eV (incomplete charge collection);
    `stray` gives the elements of stray peaks and their shares of all counts; `fano_slope` is in
    eV2/keV.
    """

    without: tuple[str, ...] = ()
    calibration: Calibration = TRUE_CALIBRATION
    continuum: Continuum = demo_continuum
    broadened: bool = False
    fano_slope: float = 2500.0
    other_lines: float = 1.0
    low_tail: float = 0.0
    escape: bool = False
    stray: Mapping[str, float] = field(default_factory=dict)

    def true_energies(self) -> FloatArray:
        """True energies of the channel edges in keV."""
        return self.calibration.offset_keV + self.calibration.gain * AXIS.edges

    def _peaks(self, energies_keV: FloatArray, areas: FloatArray) -> FloatArray:
        mn = self.calibration.fwhm_mn_eV
        width = np.sqrt(mn**2 + self.fano_slope * (energies_keV - MN_K_ALPHA_keV)) / 1000
        sigma = width * SIGMA_PER_FWHM
        edges = self.true_energies()
        tailed = np.where(energies_keV < TAILED_BELOW_keV, self.low_tail, 0.0)
        z = (edges[:, None] - energies_keV) / sigma
        counts = np.diff(ndtr(z), axis=0) @ (areas * (1 - tailed))
        if not self.low_tail:
            return np.asarray(counts)
        # a Gaussian folded with a tail towards low energies: density in the middle of the channels
        from_line = ((edges[1:] + edges[:-1]) / 2)[:, None] - energies_keV
        near = np.clip(from_line, -30 * TAIL_keV, 8 * sigma)
        density = np.exp(near / TAIL_keV + sigma**2 / (2 * TAIL_keV**2)) / (2 * TAIL_keV)
        density *= erfc(near / (sigma * np.sqrt(2)) + sigma / (TAIL_keV * np.sqrt(2)))
        density[np.abs(from_line - near) > 0] = 0.0
        return np.asarray(counts + density @ (areas * tailed) * (edges[1] - edges[0]))

    def _lines(self, element: str, absorbed: bool) -> tuple[FloatArray, FloatArray, float]:
        """Energies and detected strengths of an element's lines, and that of its alpha line."""
        lines = emission_lines(element, BEAM_keV)
        energies = np.array([line.energy_keV for line in lines])
        alpha = np.array([line.alpha for line in lines])
        seen = leaving(energies) if absorbed else Detector().efficiency(energies)
        strength = np.array([line.cross_section_cm2 for line in lines]) * seen
        changed = ~alpha & np.array([line.family in "KL" for line in lines])
        strength = np.where(changed, strength * self.other_lines, strength)
        family = family_measured(element) if element in MATRIX.atomic_percent else None
        measured = alpha & np.array([line.family == family for line in lines])
        return energies, strength, float(strength[measured].sum())

    def _split(self, energies: FloatArray, areas: FloatArray) -> FloatArray:
        """The peaks of lines, with escape peaks where there are any."""
        if not self.escape:
            return self._peaks(energies, areas)
        escaped = areas * escape_fraction(energies)
        kept = self._peaks(energies, areas - escaped)
        above = escaped > 0
        return kept + self._peaks(energies[above] - 1.740, escaped[above])

    def expected(self) -> tuple[FloatArray, dict[str, float]]:
        """The spectrum of unit area, system and stray peaks in it, and the alpha areas in it."""
        lines, alpha = np.zeros(AXIS.channels), {}
        mass = sum(n * atomic_mass(e) for e, n in MATRIX.atomic_percent.items())
        for element, percent in MATRIX.atomic_percent.items():
            energies, areas, of_alpha = self._lines(element, absorbed=True)
            share = 0.0 if element in self.without else percent / mass
            lines += share * self._split(energies, areas)
            alpha[element] = share * of_alpha
        edges = self.true_energies()
        continuum = self.continuum(np.maximum((edges[1:] + edges[:-1]) / 2, 1e-3))
        if self.broadened:
            continuum = self._peaks((edges[1:] + edges[:-1])[30:] / 2, continuum[30:])
        scale = MATRIX_CONTINUUM / (1 - MATRIX_CONTINUUM) * lines.sum() / continuum.sum()
        specimen = lines + scale * continuum
        others = {e: SYSTEM_SHARE * part for e, part in SYSTEM_PARTS.items()} | dict(self.stray)
        rest = (1 - sum(others.values())) / specimen.sum()
        spectrum = rest * specimen
        for element, part in others.items():
            energies, areas, _ = self._lines(element, absorbed=False)
            peaks = self._split(energies, areas)
            spectrum += part * peaks / peaks.sum()
        return spectrum, {element: rest * area for element, area in alpha.items()}
