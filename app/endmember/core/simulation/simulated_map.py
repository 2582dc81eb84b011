"""Maps with known truth: a thin foil with grains in it, its X-rays, and the noise of counting.

Emission and absorption follow the same physics as the quantification (`lines`, `absorption`,
`detector`). What a fit has to find out is different on purpose: the continuum is a modified
Kramers law with a fractional power, not a sum of whole powers, and the energy axis is slightly off.

Simplification: a phase has one spectrum, absorbed in that phase's own composition at the mean
thickness of the foil. Thickness changes the number of counts of a pixel, not their energies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from endmember.core.counts.spectrum import EnergyAxis, FloatArray
from endmember.core.counts.spectrum_image import BoolArray, SpectrumImage, smallest_unsigned
from endmember.core.progress import Report, silent
from endmember.core.simulation.electron_images import draw_images
from endmember.core.simulation.specimens import (
    DEMO_LAYOUT,
    PHASES,
    Phase,
    depth_shares,
    relative_thickness,
)
from endmember.core.xrays.absorption import absorption_factor
from endmember.core.xrays.cross_sections import atomic_number
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.line_shapes import SIGMA_PER_FWHM, Calibration, fwhm_keV
from endmember.core.xrays.lines import Family, atomic_mass, default_family, emission_lines

AXIS = EnergyAxis(0.0, 0.01, 2048)
TRUE_CALIBRATION = Calibration(offset_keV=0.002, gain=1.0003, fwhm_mn_eV=130.0)
BEAM_keV = 200.0
TAKE_OFF_deg = 22.0
THICKNESS_nm = 117.0
FIELD_OF_VIEW_nm = 2560.0
MEASURED_RANGE_keV = (0.3, 20.0)

MATRIX_CONTINUUM = 0.15  # share of the matrix's counts
SYSTEM_SHARE = 0.04  # of all counts of the map, the same number in every pixel
SYSTEM_PARTS = {"Cu": 0.55, "C": 0.20, "Co": 0.10, "Ga": 0.15}

ATOMIC_NUMBER_POWER = 1.7  # of electron scattering and of the continuum; an unscreened nucleus: 2
EVENTS_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False, slots=True)
class Truth:
    """What a simulated map is made of. K phases, the matrix first; arrays are read-only.

    phases, elements, system_elements
        names.
    abundance (K, rows, columns)
        share of a pixel's expected counts from the specimen that comes from each phase; sum 1.
        System peaks are left out.
    spectra (K, channels), system_spectrum (channels,)
        expected spectra as detected, each of unit area; `spectra` without system peaks.
    specimen_counts (rows, columns), system_counts
        expected counts of a pixel from the specimen and, everywhere the same, from system peaks.
    atomic_percent (K, elements)
        composition, rows sum to 100.
    alpha_share, family_share (K, elements)
        expected counts in the alpha line, or the whole family, of each element per count of the
        phase's spectrum; the families are `families`.
    depth_share (K, rows, columns), thickness (rows, columns)
        share of the foil's depth that each phase takes, and thickness over its mean `thickness_nm`.
    """

    phases: tuple[str, ...]
    elements: tuple[str, ...]
    system_elements: tuple[str, ...]
    families: tuple[Family, ...]
    axis: EnergyAxis
    abundance: FloatArray
    spectra: FloatArray
    system_spectrum: FloatArray
    specimen_counts: FloatArray
    system_counts: float
    atomic_percent: FloatArray
    alpha_share: FloatArray
    family_share: FloatArray
    depth_share: FloatArray
    thickness: FloatArray
    thickness_nm: float
    densities_g_cm3: tuple[float, ...]
    beam_energy_keV: float
    take_off_angle_deg: float

    def expected_counts(self, mask: BoolArray) -> FloatArray:
        """Counts expected of each phase (K,) within `mask` (rows, columns), no system peaks."""
        return np.asarray((self.abundance * self.specimen_counts)[:, mask].sum(axis=1))

    def expected_spectrum(self, mask: BoolArray) -> FloatArray:
        """The expected spectrum summed over `mask` (rows, columns), system peaks included."""
        system = self.system_counts * np.count_nonzero(mask) * self.system_spectrum
        return np.asarray(self.expected_counts(mask) @ self.spectra + system)


def truth_arrays(truth: Truth) -> dict[str, npt.NDArray[np.generic]]:
    """All of a truth as named arrays, fit for a NumPy archive; the axis as `energy_keV`."""
    names = [name for name in Truth.__slots__ if name != "axis"]
    arrays = {name: np.asarray(getattr(truth, name)) for name in names}
    return {"energy_keV": truth.axis.centres, **arrays}


@dataclass(frozen=True, slots=True)
class _PhaseSignal:
    """Detected X-rays of a phase per unit of depth: spectrum (channels,), lines (elements,)."""

    total: FloatArray
    alpha: FloatArray
    family: FloatArray


def _true_energies() -> FloatArray:
    """True energies of the channel edges in keV, shape (channels + 1,)."""
    return TRUE_CALIBRATION.offset_keV + TRUE_CALIBRATION.gain * AXIS.edges


def _peaks(energies_keV: FloatArray, areas: FloatArray) -> FloatArray:
    """Sum of Gaussians of the given areas, each integrated over the channels. (channels,)."""
    sigma = fwhm_keV(energies_keV, TRUE_CALIBRATION.fwhm_mn_eV) * SIGMA_PER_FWHM
    z = (_true_energies()[:, None] - energies_keV) / sigma
    return np.asarray(np.diff(ndtr(z), axis=0) @ areas)


def weight_fractions(atomic_percent: Mapping[str, float]) -> dict[str, float]:
    """Weight fractions (sum 1) of a composition in atomic percent."""
    grams = {e: percent * atomic_mass(e) for e, percent in atomic_percent.items()}
    return {e: mass / sum(grams.values()) for e, mass in grams.items()}


def _escape(phase: Phase, energies_keV: FloatArray) -> FloatArray:
    """The share of X-rays that leave the foil and are counted."""
    absorbed = absorption_factor(
        weight_fractions(phase.atomic_percent),
        energies_keV,
        THICKNESS_nm,
        phase.density_g_cm3,
        TAKE_OFF_deg,
    )
    return absorbed * Detector().efficiency(energies_keV)


def _atoms_per_volume(phase: Phase) -> dict[str, float]:
    """Atoms of each element in mol/cm3."""
    fractions = {e: percent / 100 for e, percent in phase.atomic_percent.items()}
    molar_mass = sum(fraction * atomic_mass(e) for e, fraction in fractions.items())
    return {e: phase.density_g_cm3 / molar_mass * fraction for e, fraction in fractions.items()}


def _scattering_strength(phase: Phase) -> float:
    """Sum of n Z^1.7 over the atoms in a volume, in arbitrary units."""
    atoms = _atoms_per_volume(phase)
    return float(sum(n * atomic_number(e) ** ATOMIC_NUMBER_POWER for e, n in atoms.items()))


def relative_scattering(truth: Truth) -> FloatArray:
    """How strongly each pixel scatters electrons, (rows, columns), against the mean foil of matrix.

    Mass-thickness contrast: the depth that each phase takes, times the thickness, times the phase's
    sum of n Z^1.7.
    """
    strengths = np.array([_scattering_strength(phase) for phase in PHASES])
    by_depth = np.tensordot(strengths / strengths[0], truth.depth_share, 1)
    return np.asarray(by_depth * truth.thickness)


def _continuum(phase: Phase) -> FloatArray:
    """Detected bremsstrahlung of a phase in arbitrary units, shape (channels,).

    Kramers' law with other powers than his: sum n Z^1.7 (E0/E - 1)^p, p falling slowly with the
    mean atomic number.
    """
    atoms = {atomic_number(e): n for e, n in _atoms_per_volume(phase).items()}
    mean_number = sum(z * n for z, n in atoms.items()) / sum(atoms.values())
    energies = np.maximum((_true_energies()[1:] + _true_energies()[:-1]) / 2, 1e-3)
    power = 0.95 - 0.006 * mean_number
    strength = _scattering_strength(phase)
    return np.asarray(strength * (BEAM_keV / energies - 1) ** power * _escape(phase, energies))


def _line_areas(phase: Phase, element: str) -> tuple[FloatArray, FloatArray]:
    """Energies in keV and detected strengths of all lines of an element in a phase."""
    lines = emission_lines(element, BEAM_keV)
    energies = np.array([line.energy_keV for line in lines])
    sigmas = np.array([line.cross_section_cm2 for line in lines])
    return energies, sigmas * _atoms_per_volume(phase)[element] * _escape(phase, energies)


def family_measured(element: str) -> Family:
    """The line family by which the truth states an element's share of the counts.

    Raises
    ------
    ValueError
        if no line of the element lies in the range of the simulated spectrum.
    """
    family = default_family(element, BEAM_keV, *MEASURED_RANGE_keV)
    if family is None:
        raise ValueError(f"no line of {element} lies between 0.3 and 20 keV: leave it out")
    return family


def _signal(phase: Phase, elements: tuple[str, ...], continuum_scale: float) -> _PhaseSignal:
    total = continuum_scale * _continuum(phase)
    alpha, family = np.zeros((2, len(elements)))
    for i, element in enumerate(elements):
        if element not in phase.atomic_percent:
            continue
        energies, areas = _line_areas(phase, element)
        total = total + _peaks(energies, areas)
        lines = emission_lines(element, BEAM_keV)
        own = np.array([line.family == family_measured(element) for line in lines])
        family[i] = areas[own].sum()
        alpha[i] = areas[own & np.array([line.alpha for line in lines])].sum()
    return _PhaseSignal(total, alpha, family)


@cache
def _signals() -> tuple[_PhaseSignal, ...]:
    """The signals of `PHASES`, the continuum scaled to its share of the matrix's counts."""
    elements = tuple(PHASES[0].atomic_percent)
    lines_only = _signal(PHASES[0], elements, 0.0).total.sum()
    scale = MATRIX_CONTINUUM / (1 - MATRIX_CONTINUUM) * lines_only / _continuum(PHASES[0]).sum()
    return tuple(_signal(phase, elements, scale) for phase in PHASES)


@cache
def _system_spectrum() -> FloatArray:
    """Unit-area spectrum of the system peaks; no absorption in the specimen."""
    spectrum = np.zeros(AXIS.channels)
    for element, part in SYSTEM_PARTS.items():
        lines = emission_lines(element, BEAM_keV)
        energies = np.array([line.energy_keV for line in lines])
        areas = np.array([line.cross_section_cm2 for line in lines])
        peaks = _peaks(energies, areas * Detector().efficiency(energies))
        spectrum += part * peaks / peaks.sum()
    return spectrum


def expected_truth(
    size: int = 256, counts_per_pixel: float = 160.0, layout: int = DEMO_LAYOUT
) -> Truth:
    """The truth of a map of `size` x `size` pixels, without any noise.

    `counts_per_pixel` is the mean over the map, system peaks included. Layout 0 is the demo
    specimen, any other number a random one (see `specimens`).

    Raises
    ------
    ValueError
        if a number is not positive, or the layout negative.
    """
    if size < 1 or not counts_per_pixel > 0:
        raise ValueError(
            f"no map can be simulated with a side of {size} pixels and {counts_per_pixel:g} counts "
            "per pixel: both must be positive"
        )
    signals = _signals()
    depth, thickness = depth_shares(layout, size), relative_thickness(size)
    brightness = np.array([signal.total.sum() for signal in signals])
    by_phase = depth * thickness * brightness[:, None, None]
    by_pixel = by_phase.sum(axis=0)
    per_count = brightness[:, None]
    return Truth(
        phases=tuple(phase.name for phase in PHASES),
        elements=tuple(PHASES[0].atomic_percent),
        system_elements=tuple(SYSTEM_PARTS),
        families=tuple(family_measured(e) for e in PHASES[0].atomic_percent),
        axis=AXIS,
        abundance=by_phase / by_pixel,
        spectra=np.array([signal.total for signal in signals]) / per_count,
        system_spectrum=_system_spectrum(),
        specimen_counts=by_pixel * (counts_per_pixel * (1 - SYSTEM_SHARE) / by_pixel.mean()),
        system_counts=counts_per_pixel * SYSTEM_SHARE,
        atomic_percent=np.array(
            [[p.atomic_percent.get(e, 0.0) for e in PHASES[0].atomic_percent] for p in PHASES]
        ),
        alpha_share=np.array([signal.alpha for signal in signals]) / per_count,
        family_share=np.array([signal.family for signal in signals]) / per_count,
        depth_share=depth,
        thickness=thickness,
        thickness_nm=THICKNESS_nm,
        densities_g_cm3=tuple(phase.density_g_cm3 for phase in PHASES),
        beam_energy_keV=BEAM_keV,
        take_off_angle_deg=TAKE_OFF_deg,
    )


@dataclass(frozen=True, slots=True)
class _Block:
    """The counts of a run of pixels in the form of `SpectrumImage`."""

    lengths: npt.NDArray[np.int64]
    channels: npt.NDArray[np.integer]
    counts: npt.NDArray[np.integer]


def _draw(rng: np.random.Generator, expected: FloatArray, cumulative: FloatArray) -> _Block:
    """Draw the counts of pixels with `expected` (sources, pixels) counts from each source.

    A Poisson number of photons from each source, each with a channel drawn from the source's
    spectrum: then every channel of every pixel is Poisson on its own.
    """
    channels = cumulative.shape[1]
    keys = []
    for mean, steps in zip(expected, cumulative, strict=True):
        pixel = np.repeat(np.arange(len(mean)), rng.poisson(mean))
        drawn = np.searchsorted(steps, rng.random(len(pixel)), side="right")
        keys.append(pixel * channels + drawn)
    places, counts = np.unique(np.concatenate(keys), return_counts=True)
    return _Block(
        np.bincount(places // channels, minlength=expected.shape[1]),
        (places % channels).astype(smallest_unsigned(channels - 1)),
        counts.astype(smallest_unsigned(counts.max(initial=0))),
    )


def draw_counts(truth: Truth, seed: int = 0, report: Report = silent) -> SpectrumImage:
    """One measurement of `truth`: Poisson counts and the images HAADF and BF, by the seed alone.

    The images have random numbers of their own. Photons are drawn in blocks of about a million, so
    memory stays small whatever the size.

    Raises
    ------
    Cancelled
        by `report`.
    """
    rng = np.random.default_rng(seed)
    rows, columns = truth.specimen_counts.shape
    specimen = (truth.abundance * truth.specimen_counts).reshape(len(truth.phases), -1)
    expected = np.vstack([specimen, np.full((1, rows * columns), truth.system_counts)])
    cumulative = np.cumsum(np.vstack([truth.spectra, truth.system_spectrum]), axis=1)
    cumulative /= cumulative[:, -1:]
    at_once = max(1, int(EVENTS_AT_ONCE / expected.sum(axis=0).mean()))
    blocks = []
    for first in range(0, rows * columns, at_once):
        report(first / (rows * columns))
        blocks.append(_draw(rng, expected[:, first : first + at_once], cumulative))
    lengths = np.concatenate([block.lengths for block in blocks])
    image = SpectrumImage(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.concatenate([block.channels for block in blocks]),
        np.concatenate([block.counts for block in blocks]),
        rows,
        columns,
        truth.axis,
        pixel_size_nm=FIELD_OF_VIEW_nm / columns,
        beam_energy_keV=truth.beam_energy_keV,
        take_off_angle_deg=truth.take_off_angle_deg,
        elements=truth.elements,
        images=draw_images(relative_scattering(truth), seed),
    )
    report(1.0)
    return image


def simulate_map(
    size: int = 256,
    counts_per_pixel: float = 160.0,
    seed: int = 0,
    layout: int = DEMO_LAYOUT,
    report: Report = silent,
) -> tuple[SpectrumImage, Truth]:
    """A simulated map of `size` x `size` pixels and the truth behind it.

    The truth follows from size, counts and layout alone; `seed` drives the noise only.

    Raises
    ------
    ValueError
        if a number is not positive, or the layout or seed negative.
    Cancelled
        by `report`.
    """
    if seed < 0:
        raise ValueError(f"the seed {seed} cannot be used: give 0 or a positive whole number")
    truth = expected_truth(size, counts_per_pixel, layout)
    return draw_counts(truth, seed, report), truth
