"""Axes that are off by a known amount: found within the stated error, and no false alarm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.energy_calibration import EnergyCheck, check_energies
from endmember.core.simulation.simulated_map import expected_truth
from endmember.files.reading.reader import read_map, read_spectrum
from line_spectra import expected_counts

ELEMENTS = ("O", "Mg", "Al", "Si", "Ca", "Fe", "Cu")
AREAS = {"O": 4e4, "Mg": 3e4, "Al": 3e3, "Si": 3e4, "Ca": 5e3, "Fe": 8e3, "Cu": 6e3}
TRUE_AXIS = EnergyAxis(0.3, 0.01, 1300)
SEEDS = 40


def labelled(axis: EnergyAxis, offset_keV: float, gain: float) -> EnergyAxis:
    """The axis of a file whose true energies, offset + gain * file, are `axis`."""
    return EnergyAxis((axis.start_keV - offset_keV) / gain, axis.step_keV / gain, axis.channels)


def measured(
    rng: np.random.Generator, mean: FloatArray, axis: EnergyAxis, offset_keV: float, gain: float
) -> Spectrum:
    counts = rng.poisson(mean).astype(np.float64)
    return Spectrum(counts, labelled(axis, offset_keV, gain), 200.0, 22.0)


def test_a_shifted_axis_is_found_within_the_stated_error(rng: np.random.Generator) -> None:
    mean = expected_counts(TRUE_AXIS, AREAS, 60.0)
    pulls = []
    for _ in range(SEEDS):
        offset, gain = rng.uniform(-0.03, 0.03), rng.uniform(0.998, 1.002)
        found = check_energies(measured(rng, mean, TRUE_AXIS, offset, gain), ELEMENTS)
        assert found.covariance is not None
        left = np.array([found.offset_keV - offset, found.gain - gain])
        pulls.append(left / np.sqrt(np.diag(found.covariance)))
        # and together, at the energies of the lines
        for energy in (0.525, 6.4):
            at = np.array([1.0, energy])
            assert abs(at @ left) < 5 * np.sqrt(at @ found.covariance @ at)
        worst = max(abs(offset + (gain - 1) * e) for e in (0.525, 8.04))
        if worst > 0.009:
            assert found.is_off
        if worst < 0.005:
            assert not found.is_off
    rms = np.sqrt(np.mean(np.square(pulls), axis=0))
    # 40 draws: the rms of honest pulls scatters by a tenth; the error is stated a little too wide
    # where lines happen to disagree
    assert np.all((rms > 0.6) & (rms < 1.3)), rms


def test_a_right_axis_raises_no_alarm(rng: np.random.Generator) -> None:
    mean = expected_counts(TRUE_AXIS, AREAS, 60.0)
    for share in (1.0, 0.1, 0.01):
        for _ in range(SEEDS // 2):
            found = check_energies(measured(rng, share * mean, TRUE_AXIS, 0.0, 1.0), ELEMENTS)
            assert not found.is_off


@pytest.mark.parametrize("layout", range(3))
def test_simulated_rocks_less_than_half_a_channel_off_raise_no_alarm(
    rng: np.random.Generator, layout: int
) -> None:
    # the simulation's own axis is 2 eV and 0.03 % off, 4.8 of 5 eV at its farthest line (Ga)
    truth = expected_truth(64, 160.0, layout)
    mean = truth.expected_spectrum(np.ones(truth.abundance.shape[1:], dtype=bool))
    listed = (*truth.elements, *truth.system_elements)
    for _ in range(8):
        counts = rng.poisson(mean).astype(np.float64)
        spectrum = Spectrum(counts, truth.axis, 200.0, 22.0).between(0.3, 20.0)
        found = check_energies(spectrum, listed)
        assert len(found.used) > 4
        assert not found.is_off


def test_a_single_gaussian_of_another_program_is_placed_right(rng: np.random.Generator) -> None:
    # K alpha of Si and Ca (Bearden 1967) and nothing else: no lines of this program's own
    axis = EnergyAxis(0.3, 0.01, 1000)
    mean = np.full(axis.channels, 5.0)
    for energy, share in ((1.7398, 5e4), (1.836, 800.0), (3.6905, 5e4), (4.013, 6.6e3)):
        sigma = np.sqrt(0.130**2 + 0.0025 * (energy - 5.895)) / 2.35482
        mean += share * np.diff(norm.cdf(axis.edges, energy, sigma))
    found = check_energies(measured(rng, mean, axis, -0.03, 1.0), ("Si", "Ca"))
    assert [line.name for line in found.lines] == ["Si Ka", "Ca Ka"]
    for line in found.lines:
        assert line.position_keV - line.energy_keV == pytest.approx(0.03, abs=0.0015)
    assert found.is_off
    assert found.offset_keV == pytest.approx(-0.03, abs=0.0015)


def test_a_listed_element_that_is_another_does_not_mislead(rng: np.random.Generator) -> None:
    # Mn is listed for a line 25 eV beside its place; the others say that the axis is right
    mean = expected_counts(TRUE_AXIS, AREAS | {"Fe": 0.0}, 60.0)
    sigma = 0.130 / 2.35482
    for energy, share in ((5.92, 8e3), (6.515, 1e3)):
        mean += share * np.diff(norm.cdf(TRUE_AXIS.edges, energy, sigma))
    listed = ("O", "Mg", "Al", "Si", "Ca", "Mn", "Cu")
    found = check_energies(measured(rng, mean, TRUE_AXIS, 0.0, 1.0), listed)
    assert [line.name for line in found.lines if not line.used] == ["Mn Ka"]
    assert not found.is_off
    assert abs(found.offset_keV) < 4 * found.sigma_offset_keV


def test_one_line_or_none_says_nothing(rng: np.random.Generator) -> None:
    mean = expected_counts(TRUE_AXIS, {"Si": 3e4}, 60.0)
    found = check_energies(measured(rng, mean, TRUE_AXIS, 0.02, 1.0), ("Si",))
    assert found == EnergyCheck((), found.channel_keV)
    assert not found.is_off
    assert found.worst is None
    assert np.isnan(found.sigma_gain)


def test_two_lines_that_contradict_each_other_nearby_say_nothing(rng: np.random.Generator) -> None:
    mean = expected_counts(TRUE_AXIS, {"Si": 3e4}, 60.0)
    mean += 3e4 * np.diff(norm.cdf(TRUE_AXIS.edges, 1.46, 0.033))  # 27 eV beside Al
    found = check_energies(measured(rng, mean, TRUE_AXIS, 0.0, 1.0), ("Al", "Si"))
    assert len(found.lines) == 2
    assert found.covariance is None
    assert not found.is_off


# --- real files ----------------------------------------------------------------------------------

REAL = [
    # file, elements, a line, and its place as read off the spectrum's centroid by eye (keV)
    ("emd_velox/EDS-STO.emd", "O,Sr,Ti,Cu,C,Si", "Sr Ka", 14.113),
    ("tia/more_ser_then_emi_metadata_1.ser", "C,O,Si,Fe,Cu,Cr", "Cu Ka", 8.011),
]


@pytest.mark.parametrize(("file", "elements", "line", "place"), REAL)
def test_a_real_file_that_is_30_eV_off_is_found_and_put_right(
    shared: Path, file: str, elements: str, line: str, place: float
) -> None:
    spectrum = replace(read_spectrum(shared / "data/real" / file), beam_energy_keV=200.0)
    before = check_energies(spectrum.between(0.3, 20.0), elements.split(","))
    assert before.is_off
    assert before.worst is not None
    assert before.worst.name == line
    assert before.worst.position_keV == pytest.approx(place, abs=0.003)
    assert abs(before.worst.position_keV - before.worst.energy_keV) > 0.025
    axis = spectrum.axis
    corrected = EnergyAxis(
        before.offset_keV + before.gain * axis.start_keV,
        before.gain * axis.step_keV,
        axis.channels,
    )
    after = check_energies(
        replace(spectrum, axis=corrected).between(0.3, 20.0), elements.split(",")
    )
    assert not after.is_off
    left = {one.name: abs(one.position_keV - one.energy_keV) for one in after.used}
    assert left[line] < 0.003
    assert max(left.values()) < 0.009  # O K, where detectors lose charge


@pytest.mark.parametrize(
    ("file", "elements"),
    [
        ("hspy/88_ES-LP_G8_selection2_cropped2.hspy", "O,Mg,Al,Si,Ca,Fe,Cu,Nd,Sm,U,Hf"),
        ("bcf/test_TEM.bcf", "O,Ti,Cu,Pd,Si"),
    ],
)
def test_a_real_map_that_is_right_raises_no_alarm(shared: Path, file: str, elements: str) -> None:
    image = read_map(shared / "data/real" / file)
    found = check_energies(image.between(0.3, 20.0).spectrum(), elements.split(","))
    assert found.lines
    assert not found.is_off
