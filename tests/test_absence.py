"""Candidates for the absent element, against spectra built from known areas."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.absence import rank_absent
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.fitting.subtraction import subtract
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import family_lines

AXIS = EnergyAxis(0.3, 0.01, 1000)
ELEMENTS = ("O", "Mg", "Al", "Si", "Cr", "Fe")
MATRIX = {"O": 6e5, "Mg": 3.5e5, "Al": 5e4, "Si": 4.5e5, "Cr": 0.0, "Fe": 4e4}
PRECIPITATE = {"O": 8e4, "Mg": 9e4, "Al": 1e3, "Si": 0.0, "Cr": 2e4, "Fe": 3e4}
FACTOR = 0.35


def expected(areas: dict[str, float], continuum: float) -> FloatArray:
    """K lines of the given alpha areas over a continuum that the fit can follow."""
    total = continuum * Detector().efficiency(AXIS.centres) / AXIS.centres
    for element, area in areas.items():
        lines = family_lines(element, "K", 200.0)
        energies = np.array([line.energy_keV for line in lines])
        weights = np.array([line.cross_section_cm2 for line in lines])
        weights = weights * Detector().efficiency(energies)
        weights /= weights[[line.alpha for line in lines]].sum()
        shapes, _ = LineSet.of_columns([(energies, weights)]).shapes(AXIS, Calibration())
        total = total + area * shapes[:, 0]
    return np.asarray(total)


MEAN_MATRIX = expected(MATRIX, 2000.0)
MEAN_MIXTURE = FACTOR * MEAN_MATRIX + expected(PRECIPITATE, 300.0)


def fit(counts: FloatArray) -> SpectrumFit:
    return fit_spectrum(Spectrum(counts, AXIS, 200.0, 22.0), ELEMENTS, detector=Detector())


@pytest.fixture(scope="module")
def mixture() -> SpectrumFit:
    return fit(MEAN_MIXTURE.copy())


@pytest.fixture(scope="module")
def matrix() -> SpectrumFit:
    return fit(MEAN_MATRIX.copy())


def test_the_ratio_is_the_factor_plus_what_the_precipitate_holds(
    mixture: SpectrumFit, matrix: SpectrumFit
) -> None:
    """r = a + N_precipitate / N_matrix, from the areas the spectra were built of."""
    found = {c.element: c for c in rank_absent(mixture, matrix, ELEMENTS)}
    for element in ("O", "Mg", "Al", "Si", "Fe"):
        closed_form = FACTOR + PRECIPITATE[element] / MATRIX[element]
        candidate = found[element]
        assert candidate.ratio == pytest.approx(closed_form, abs=0.3 * candidate.sigma), element
        assert candidate.usable
        assert candidate.why == ""


def test_the_most_absent_element_comes_first_and_the_unusable_last(
    mixture: SpectrumFit, matrix: SpectrumFit
) -> None:
    ranked = rank_absent(mixture, matrix, ELEMENTS)
    by_hand = sorted(["O", "Mg", "Al", "Si", "Fe"], key=lambda e: PRECIPITATE[e] / MATRIX[e])
    assert [candidate.element for candidate in ranked] == [*by_hand, "Cr"]
    assert not ranked[-1].usable
    assert ranked[-1].matrix_sigma < 10.0
    assert "Cr" in ranked[-1].why
    assert "choose an element" in ranked[-1].why


def test_the_first_ratio_is_the_largest_factor_that_leaves_no_element_negative(
    mixture: SpectrumFit, matrix: SpectrumFit
) -> None:
    usable = [c for c in rank_absent(mixture, matrix, ELEMENTS) if c.usable]
    where = [mixture.find(c.element, "K") for c in usable]
    for factor, lowest in ((0.999, 1), (1.001, -1)):
        left = mixture.areas[where] - factor * usable[0].ratio * matrix.areas[where]
        assert np.sign(left.min()) == lowest


def test_ratio_and_error_are_those_of_the_subtraction(
    mixture: SpectrumFit, matrix: SpectrumFit
) -> None:
    for candidate in rank_absent(mixture, matrix, ("Si", "Al")):
        done = subtract(mixture, matrix, candidate.element, "K")
        assert candidate.ratio == pytest.approx(done.factor, rel=1e-12)
        assert candidate.sigma == pytest.approx(done.factor_sigma, rel=1e-12)


def test_the_error_is_the_scatter_of_repeated_measurements(rng: np.random.Generator) -> None:
    ratios, stated = [], []
    for _ in range(60):
        fits = [fit(rng.poisson(mean).astype(float)) for mean in (MEAN_MIXTURE, MEAN_MATRIX)]
        (candidate,) = rank_absent(*fits, ("Al",))
        ratios.append(candidate.ratio)
        stated.append(candidate.sigma)
    assert np.std(ratios) == pytest.approx(np.mean(stated), rel=0.3)  # 60 draws: 9 %
    expected_ratio = FACTOR + PRECIPITATE["Al"] / MATRIX["Al"]
    assert abs(np.mean(ratios) - expected_ratio) < 4 * np.mean(stated) / np.sqrt(60)


def test_an_element_without_a_measured_line_is_left_out(
    mixture: SpectrumFit, matrix: SpectrumFit
) -> None:
    found = rank_absent(mixture, matrix, ("Si", "Ca", "H"))
    assert [candidate.element for candidate in found] == ["Si"]
