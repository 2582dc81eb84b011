"""Lines that overlap: closed forms, fits without the neighbour, measurements repeated."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.fit_problem import estimator
from endmember.core.fitting.overlaps import Overlap, overlap_sentence, overlaps
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import emission_lines

AXIS = EnergyAxis(0.0, 0.01, 2048)
BEAM_keV = 200.0
Areas = dict[tuple[str, str], float]


def expected(areas: Areas) -> FloatArray:
    """Lines of families with the given areas of their alpha lines, on a smooth background."""
    energy = np.maximum(AXIS.centres, 0.05)
    counts = 1000.0 / energy * Detector().efficiency(energy)
    for (element, family), area in areas.items():
        lines = [line for line in emission_lines(element, BEAM_keV) if line.family == family]
        energies = np.array([line.energy_keV for line in lines])
        strength = np.array([line.cross_section_cm2 for line in lines])
        strength *= Detector().efficiency(energies)
        alpha = np.array([line.alpha for line in lines])
        pair = energies, area * strength / strength[alpha].sum()
        counts = counts + LineSet.of_columns([pair]).shapes(AXIS, Calibration())[0][:, 0]
    return np.asarray(counts)


def fitted(counts: FloatArray, *elements: str, low: float = 0.5) -> SpectrumFit:
    spectrum = Spectrum(np.array(counts, float), AXIS, BEAM_keV, 22.0).between(low, 18.0)
    return fit_spectrum(spectrum, elements, detector=Detector())


def of(found: tuple[Overlap, ...], element: str, neighbour: str) -> Overlap:
    (one,) = (o for o in found if o.element == element and o.neighbour == neighbour)
    return one


URANIUM: Areas = {("Si", "K"): 1e5, ("U", "M"): 5e3, ("K", "K"): 5e3}
SULPHUR: Areas = {("Si", "K"): 1e5, ("S", "K"): 2e4, ("Mo", "L"): 2e4}


def test_lines_far_apart_do_not_overlap() -> None:
    assert overlaps(fitted(expected({("Al", "K"): 1e4, ("Ca", "K"): 1e4}), "Al", "Ca")) == ()
    assert overlap_sentence(()) is None


def test_potassium_under_the_beta_line_of_uranium_is_named_from_both_sides() -> None:
    found = overlaps(fitted(expected(URANIUM), "Si", "U", "K"))
    uranium, potassium = of(found, "U", "K Ka"), of(found, "K", "U Ma")
    assert uranium.line == "Ma"
    assert potassium.line == "Ka"
    assert uranium.correlation == potassium.correlation < -0.3
    assert uranium.inflation > 1.05


def test_the_correlation_is_that_of_repeated_measurements(rng: np.random.Generator) -> None:
    mean = expected(SULPHUR)
    fits = [fitted(rng.poisson(mean), "Si", "S", "Mo") for _ in range(150)]
    first, second = fits[0].find("S", "K"), fits[0].find("Mo", "L")
    assert first is not None
    assert second is not None
    areas = np.array([fit.areas for fit in fits])
    seen = float(np.corrcoef(areas[:, first], areas[:, second])[0, 1])
    told = of(overlaps(fits[0]), "S", "Mo La").correlation
    assert told < -0.5
    assert abs(np.arctanh(seen) - np.arctanh(told)) < 4 / np.sqrt(147)  # Fisher's z


def test_the_inflation_is_what_a_second_fit_without_the_neighbour_gives() -> None:
    fit = fitted(expected(SULPHUR), "Si", "S", "Mo")
    own, other = fit.find("S", "K"), fit.find("Mo", "L")
    assert own is not None
    assert other is not None
    kept = np.delete(fit.jacobian, other, axis=1)
    information = kept.T @ np.diag(1 / fit.variance) @ kept  # the dense, slow way
    scale = np.sqrt(np.diag(information))
    inverse = np.linalg.inv(information / np.outer(scale, scale)) / np.outer(scale, scale)
    place = own - (other < own)
    alone = np.sqrt(inverse[place, place])
    told = of(overlaps(fit), "S", "Mo La")
    assert told.inflation == pytest.approx(np.sqrt(fit.covariance[own, own]) / alone, rel=1e-6)


def test_of_two_lines_alone_the_inflation_follows_from_the_correlation() -> None:
    """1 / sqrt(1 - r^2), exact for errors of maximum likelihood."""
    for one in overlaps(fitted(expected(SULPHUR), "Si", "S", "Mo")):
        assert one.inflation == pytest.approx(1 / np.sqrt(1 - one.correlation**2), rel=1e-4)


VANADIUM: Areas = {("O", "K"): 5e4, ("V", "L"): 5e3, ("V", "K"): 5e3}


def test_lines_that_coincide_cannot_be_separated_and_the_sentence_says_so() -> None:
    """V L alpha at 0.511 keV under O K alpha at 0.525 keV: 14 eV apart, 60 eV wide."""
    found = overlaps(fitted(expected(VANADIUM), "O", "V", low=0.3))
    worst = found[0]
    assert not worst.separable
    told = overlap_sentence(found)
    assert told is not None
    assert f"{worst.element} {worst.line} cannot be separated from {worst.neighbour}" in told
    assert f"makes its error {worst.inflation:.1f} times as large" in told
    assert "\n" not in told


def test_the_sentence_speaks_of_the_elements_asked_for_only() -> None:
    found = overlaps(fitted(expected(VANADIUM), "O", "V", low=0.3))
    told = overlap_sentence(found, ["O"])
    assert told is not None
    assert "O Ka cannot be separated from V La" in told
    assert "V La cannot" not in told
    assert overlap_sentence(found, ["Si"]) is None


def test_lines_that_can_be_separated_are_not_told() -> None:
    found = overlaps(fitted(expected(SULPHUR), "Si", "S", "Mo"))
    assert of(found, "S", "Mo La").separable
    assert overlap_sentence(found) is None


def test_the_estimator_is_the_pseudo_inverse_of_weighted_least_squares(
    rng: np.random.Generator,
) -> None:
    jacobian, variance = rng.normal(size=(80, 4)), rng.uniform(1, 9, 80)
    weighted = jacobian / np.sqrt(variance)[:, None]
    expected_rows = np.linalg.pinv(weighted) / np.sqrt(variance)
    np.testing.assert_allclose(estimator(jacobian, variance), expected_rows, atol=1e-12)
