"""Elements that nobody listed: what is told of them is what a fit that lists them finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from endmember.core.counts.spectrum import FloatArray, Spectrum
from endmember.core.fitting.hidden_overlaps import (
    HARMFUL,
    SIGNIFICANT,
    HiddenOverlap,
    Residual,
    hidden_overlaps,
    hidden_sentences,
)
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.fitting.subtraction import subtract
from endmember.core.quantification.cliff_lorimer import Composition, Method, quantify
from endmember.core.simulation.simulated_map import expected_truth, weight_fractions
from endmember.core.simulation.specimens import PHASES
from endmember.core.xrays.absorption import absorption_factor
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.foil import Foil
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import emission_lines

SYSTEM = ("Cu", "Co", "Ga", "C")
TRUTH = expected_truth(8)
BRG = PHASES[0]
FOIL = Foil(TRUTH.thickness_nm, BRG.density_g_cm3, TRUTH.take_off_angle_deg)
METHOD = Method(TRUTH.elements, SYSTEM)
COUNTS = 2e6
TRACE = 0.0105  # at.% of potassium: half as much as doubles U
Atoms = Mapping[str, float]


@cache
def lines_of(element: str) -> FloatArray:
    """All lines of an element in bridgmanite, in counts per atomic percent and count of Brg.

    Made without the fit: the strength relative to Si K alpha by cross sections, detector and foil.
    """
    weights = weight_fractions(BRG.atomic_percent)

    def seen(name: str) -> tuple[FloatArray, FloatArray, FloatArray]:
        lines = emission_lines(name, 200.0)
        energies = np.array([line.energy_keV for line in lines])
        leaving = absorption_factor(
            weights, energies, FOIL.thickness_nm, FOIL.density_g_cm3, FOIL.take_off_angle_deg
        )
        strength = np.array([line.cross_section_cm2 for line in lines])
        alpha = np.array([line.alpha and line.family == "K" for line in lines])
        return energies, strength * leaving * Detector().efficiency(energies), alpha

    _, silicon, alpha = seen("Si")
    place = TRUTH.elements.index("Si")
    percent = BRG.atomic_percent["Si"]
    per_strength = TRUTH.alpha_share[0, place] / percent / silicon[alpha].sum()
    energies, strength, _ = seen(element)
    pair = energies, strength * per_strength
    shape = LineSet.of_columns([pair]).shapes(TRUTH.axis, Calibration(0.002, 1.0003, 130.0))[0]
    return np.asarray(shape[:, 0])


def expected(counts: float, more: Atoms) -> FloatArray:
    """Bridgmanite with system peaks and some at.% of further elements (or less, if negative)."""
    spectrum = 0.96 * TRUTH.spectra[0] + 0.04 * TRUTH.system_spectrum
    return np.asarray(counts * (spectrum + sum(0.96 * n * lines_of(e) for e, n in more.items())))


def measured(counts: FloatArray) -> Spectrum:
    return Spectrum(np.array(counts, float), TRUTH.axis, 200.0, 22.0).between(0.3, 20.0)


def fitted(spectrum: Spectrum, *more: str, without: str = "") -> SpectrumFit:
    elements = [e for e in TRUTH.elements if e != without]
    return fit_spectrum(
        spectrum,
        (*elements, *SYSTEM, *more),
        detector=Detector(),
        foil=FOIL,
        weight_fractions=weight_fractions(BRG.atomic_percent),
        calibration=Calibration(0.002, 1.0003, 130.0) if spectrum.covariance else None,
        refine_calibration=spectrum.covariance is None,
    )


def column(fit: SpectrumFit, element: str) -> int:
    index = fit.find(element, fit.family_of(element) or "")
    assert index is not None
    return index


def sigma(fit: SpectrumFit, element: str) -> float:
    index = column(fit, element)
    return float(np.sqrt(fit.covariance[index, index]))


def asked(fit: SpectrumFit) -> tuple[HiddenOverlap, ...]:
    listed = {c.element for c in fit.columns}
    quantified = [column(fit, e) for e in TRUTH.elements if e in listed]
    weights = weight_fractions(BRG.atomic_percent)
    return hidden_overlaps(fit, quantified, Detector(), FOIL, weights)


def of(found: tuple[HiddenOverlap, ...], element: str, victim: str) -> HiddenOverlap:
    (one,) = (o for o in found if (o.element, o.victim) == (element, victim))
    return one


def told(found: Composition) -> list[str]:
    return [sentence for sentence in found.warnings if "is not listed, but would" in sentence]


def subtracted(rng: np.random.Generator, more: Atoms) -> Spectrum:
    """Bridgmanite of twice the counts less one of its own, each with noise: it holds `more`."""
    matrix = fitted(measured(rng.poisson(expected(COUNTS, {}))))
    mixed = fitted(measured(rng.poisson(expected(2 * COUNTS, more))))
    return subtract(mixed, matrix, "Al", "K", factor=0.7).spectrum


# the step


@pytest.mark.parametrize(
    ("hidden", "percent", "victim"),
    [("K", 0.01, "U"), ("K", 0.03, "U"), ("Ce", 0.03, "Nd"), ("Pr", 0.04, "Sm"), ("Cd", 0.02, "U")],
)
def test_the_step_is_what_a_fit_that_lists_the_element_finds(
    hidden: str, percent: float, victim: str, rng: np.random.Generator
) -> None:
    spectrum = measured(rng.poisson(expected(COUNTS, {hidden: percent})))
    without, listed = fitted(spectrum), fitted(spectrum, hidden)
    own = [i for i, c in enumerate(listed.columns) if c.element == hidden]
    step = Residual(without, listed.shapes[:, own]).step(range(len(own)))
    # its counts are not yet in the variance, which makes its sigma a little too small
    np.testing.assert_allclose(step.sigma, np.sqrt(np.diag(listed.covariance)[own]), rtol=0.2)
    assert np.all(np.abs(step.areas - listed.areas[own]) < 0.5 * step.sigma)
    for element in TRUTH.elements:
        change = listed.areas[column(listed, element)] - without.areas[column(without, element)]
        off = abs(step.change[column(without, element)] - change)
        assert off < max(0.5 * sigma(without, element), 0.2 * abs(change)), element
    assert step.change[column(without, victim)] < -sigma(without, victim)


def test_the_step_of_a_subtracted_spectrum_is_that_of_its_fit(rng: np.random.Generator) -> None:
    spectrum = subtracted(rng, {"K": 0.03})
    without, listed = fitted(spectrum), fitted(spectrum, "K")
    own = [i for i, c in enumerate(listed.columns) if c.element == "K"]
    step = Residual(without, listed.shapes[:, own]).step(range(len(own)))
    # the calibration and the variance are kept, so the step is the whole way
    np.testing.assert_allclose(step.areas, listed.areas[own], rtol=1e-6)
    np.testing.assert_allclose(step.sigma, np.sqrt(np.diag(listed.covariance)[own]), rtol=1e-6)
    change = listed.areas[column(listed, "U")] - without.areas[column(without, "U")]
    assert step.change[column(without, "U")] == pytest.approx(change, rel=1e-6)


def test_the_sigma_of_an_area_that_is_not_there_is_the_scatter_of_the_step() -> None:
    noise = np.random.default_rng(11)
    mean = expected(COUNTS, {})
    shape = fitted(measured(mean), "K")
    potassium = shape.shapes[:, [column(shape, "K")]]
    steps = [
        Residual(fitted(measured(noise.poisson(mean))), potassium).step([0]) for _ in range(60)
    ]
    seen = np.array([float(step.areas[0] / step.sigma[0]) for step in steps])
    assert abs(seen.mean()) < 4 / np.sqrt(60)
    assert abs(np.log(seen.std())) < 4 / np.sqrt(120)


# who is told


def test_what_imperfect_line_shapes_leave_is_not_told_as_an_element() -> None:
    """2 % of Si K alpha in a tail 50 eV below it: Rb L alpha at 1.69 keV is not meant."""
    energies = TRUTH.axis.centres
    shape = np.exp(-0.5 * ((energies - 1.69) / 0.045) ** 2)
    silicon = COUNTS * 0.96 * TRUTH.alpha_share[0, TRUTH.elements.index("Si")]
    mean = expected(COUNTS, {}) + 0.02 * silicon * shape / shape.sum()
    fit, listed = fitted(measured(mean)), fitted(measured(mean), "Rb")
    assert listed.areas[column(listed, "Rb")] > 2 * SIGNIFICANT * sigma(listed, "Rb")
    assert asked(fit) == ()


def test_potassium_under_uranium_is_told_with_what_it_does(rng: np.random.Generator) -> None:
    """210 ppm of potassium: no peak is left over, and U reads 4 sigma too much."""
    spectrum = measured(rng.poisson(expected(COUNTS, {"K": 0.021})))
    found = quantify(spectrum, METHOD, FOIL)
    assert not [w for w in found.warnings if "peaks that no element" in w]
    (sentence,) = told(found)
    assert sentence.startswith("K (K Ka at 3.31 keV, ")
    assert "is not listed, but would lower U by " in sentence
    assert sentence.endswith("add K to elements, or to system_elements, and compare")
    remedied = quantify(spectrum, replace(METHOD, system_elements=(*SYSTEM, "K")), FOIL)
    assert told(remedied) == []
    lowered = (found["U"].net_counts or 0.0) - (remedied["U"].net_counts or 0.0)
    by = float(sentence.split("lower U by ")[1].split(" ")[0])
    assert lowered / (found["U"].net_sigma or 1.0) == pytest.approx(by, rel=0.2)


def test_nothing_is_told_of_spectra_without_hidden_elements() -> None:
    noise = np.random.default_rng(5)
    for counts in (2e5, 2e6, 2.7e7):
        for _ in range(8):
            assert asked(fitted(measured(noise.poisson(expected(counts, {}))))) == ()


def test_nothing_is_told_where_the_overlapping_element_is_listed(rng: np.random.Generator) -> None:
    spectrum = measured(rng.poisson(expected(COUNTS, {"K": 0.1})))
    assert of(asked(fitted(spectrum)), "K", "U").significance > 20
    assert asked(fitted(spectrum, "K")) == ()


def test_an_element_that_takes_counts_away_is_not_told(rng: np.random.Generator) -> None:
    """Negative areas: a subtraction that took too much is none of an unlisted element."""
    spectrum = subtracted(rng, {"K": -0.06})
    fit = fitted(spectrum)
    listed = fitted(spectrum, "K")
    assert listed.areas[column(listed, "K")] < -SIGNIFICANT * sigma(listed, "K")
    assert "K" not in {o.element for o in asked(fit)}


@pytest.mark.parametrize(
    ("hidden", "percent", "victim", "line"),
    [("Ce", 0.05, "Nd", "Ce La"), ("Eu", 0.06, "Fe", "Eu La")],
)
def test_a_rare_earth_beside_another_line_is_told(
    hidden: str, percent: float, victim: str, line: str, rng: np.random.Generator
) -> None:
    spectrum = measured(rng.poisson(expected(COUNTS, {hidden: percent})))
    fit, listed = fitted(spectrum), fitted(spectrum, hidden)
    one = of(asked(fit), hidden, victim)
    assert one.line == line
    change = listed.areas[column(listed, victim)] - fit.areas[column(fit, victim)]
    assert one.change < -HARMFUL
    assert one.change == pytest.approx(change / sigma(fit, victim), rel=0.2, abs=0.5)
    sentences = hidden_sentences(asked(fit))
    assert sentences[0].startswith(f"{hidden} ({line} at")


def test_titanium_is_told_where_barium_stands_in_its_place(rng: np.random.Generator) -> None:
    """Ti K alpha 4.51 keV and Ba L alpha 4.47 keV: the barium listed is titanium in truth."""
    spectrum = measured(rng.poisson(expected(COUNTS, {"Ti": 0.1, "Ba": 0.05})))
    fit = fitted(spectrum, "Ba")
    found = hidden_overlaps(fit, [column(fit, "Ba")], Detector(), FOIL, {"O": 0.5, "Si": 0.5})
    one = of(found, "Ti", "Ba")
    listed = fitted(spectrum, "Ba", "Ti")
    change = listed.areas[column(listed, "Ba")] - fit.areas[column(fit, "Ba")]
    assert one.change == pytest.approx(change / sigma(fit, "Ba"), rel=0.2)
    assert found[0].element == "Ti"


def test_a_subtracted_spectrum_is_asked_too(rng: np.random.Generator) -> None:
    assert asked(fitted(subtracted(rng, {}))) == ()
    one = of(asked(fitted(subtracted(rng, {"K": 0.04}))), "K", "U")
    assert one.change < -HARMFUL


def test_elements_left_out_are_not_told(rng: np.random.Generator) -> None:
    fit = fitted(measured(rng.poisson(expected(COUNTS, {"K": 0.05}))))
    found = hidden_overlaps(fit, [column(fit, "U")], Detector(), left_out=["K"])
    assert "K" not in {o.element for o in found}


def test_gases_and_short_lived_elements_are_never_told(rng: np.random.Generator) -> None:
    """Xenon and cesium L alpha at 4.11 and 4.29 keV, by the beta line of calcium."""
    more = {"Xe": 0.1, "Kr": 0.05, "Pm": 0.05}
    found = asked(fitted(measured(rng.poisson(expected(COUNTS, more)))))
    assert found
    assert {o.element for o in found} & set(more) == set()


def test_argon_is_not_taken_for_silver_that_would_harm_uranium(rng: np.random.Generator) -> None:
    """Ar K alpha 2.96 keV is that of Ag L alpha 2.98 keV, but U is as it was with argon listed."""
    spectrum = measured(rng.poisson(expected(COUNTS, {"Ar": 0.05})))
    without = fitted(spectrum)
    for element, harmed in (("Ar", False), ("Ag", True)):
        listed = fitted(spectrum, element)
        change = listed.areas[column(listed, "U")] - without.areas[column(without, "U")]
        assert (abs(change) > HARMFUL * sigma(without, "U")) == harmed, element
    assert {o.element for o in asked(without)} & {"Ar", "Ag", "Th"} == set()


# the sentence


def overlap(element: str, significance: float, victim: str, change: float) -> HiddenOverlap:
    return HiddenOverlap(element, f"{element} Ka", 3.3123, significance, victim, change)


def test_the_sentence_names_intruder_line_victim_size_and_remedy() -> None:
    (sentence,) = hidden_sentences([overlap("K", 4.63, "U", -3.91)])
    assert sentence == (
        "K (K Ka at 3.31 keV, 4.6 sigma) is not listed, but would lower U by 3.9 sigma: "
        "add K to elements, or to system_elements, and compare"
    )
    assert hidden_sentences([]) == ()


def test_the_most_significant_is_told_and_two_others_in_brackets() -> None:
    found = [
        overlap(e, s, "U", -3.0) for e, s in zip(("K", "In", "Cd", "Ag"), (9, 8, 7, 6), strict=True)
    ]
    (sentence,) = hidden_sentences(found)
    assert sentence.startswith("K (K Ka at 3.31 keV, 9.0 sigma; or In or Cd) is not listed")
    assert "Ag" not in sentence


def test_one_element_that_changes_two_is_one_sentence() -> None:
    (sentence,) = hidden_sentences([overlap("K", 9.0, "U", -5.0), overlap("K", 9.0, "Ca", 2.2)])
    assert "would lower U by 5.0 sigma and raise Ca by 2.2 sigma: add K" in sentence


def test_at_most_three_sentences_are_told() -> None:
    found = [
        overlap(e, 9.0 - i, v, -3.0) for i, (e, v) in enumerate(zip("BCFNP", "UVWYI", strict=True))
    ]
    assert [s[0] for s in hidden_sentences(found)] == ["B", "C", "F"]
