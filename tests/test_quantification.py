"""From areas to a composition: hand calculations, finite differences, and published answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.spectrum_fit import Column, Foil
from endmember.core.quantification.cliff_lorimer import (
    Composition,
    Method,
    composition_of,
    quantify,
)
from endmember.core.quantification.closure import closure, closure_jacobian, weight_fractions_of
from endmember.core.quantification.formula_units import charge_balance
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import GivenFactor, sensitivity
from endmember.core.xrays.lines import atomic_mass, emission_lines

ELEMENTS = ("O", "Mg", "Al", "Si", "Ca", "Fe", "Nd", "Sm", "U")
FOIL = Foil(117.0, 4.1, 18.0)


@pytest.fixture(scope="module")
def truth(shared: Path) -> dict[str, dict[str, float]]:
    path = shared / "data" / "reference" / "case_A_truth.json"
    loaded: dict[str, dict[str, float]] = json.loads(path.read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def spectrum(shared: Path) -> Spectrum:
    with np.load(shared / "data" / "reference" / "case_A.npz") as arrays:
        counts = arrays["counts"].astype(float)
    return Spectrum(counts, EnergyAxis(0.0, 0.01, 2048), 200.0, 18.0).between(0.3, 20.0)


@pytest.fixture(scope="module")
def result(spectrum: Spectrum) -> Composition:
    return quantify(spectrum, Method(ELEMENTS, ("Cu",)))


def column(result: Composition, element: str) -> int:
    family = {"Nd": "L", "Sm": "L", "U": "M"}.get(element, "K")
    index = result.fit.find(element, family)
    assert index is not None
    return index


def percent(result: Composition) -> FloatArray:
    return np.array([result[e].atomic_percent for e in ELEMENTS], dtype=float)


def test_two_elements_close_as_by_hand() -> None:
    # 100 counts x 2 and 300 counts x 1 are 200 and 300 atoms
    np.testing.assert_allclose(closure(np.array([100.0, 300.0]), np.array([2.0, 1.0])), [0.4, 0.6])


def test_negative_traces_stay_in_the_closure() -> None:
    found = closure(np.array([1000.0, -10.0]), np.array([1.0, 1.0]))
    np.testing.assert_allclose(found, [1000 / 990, -10 / 990])


def test_the_jacobian_of_the_closure_agrees_with_finite_differences() -> None:
    areas, factors = np.array([500.0, 80.0, -3.0]), np.array([1.0, 2.5, 7.0])
    numeric = np.empty((3, 3))
    for j in range(3):
        step = np.zeros(3)
        step[j] = 1e-4
        numeric[:, j] = (closure(areas + step, factors) - closure(areas - step, factors)) / 2e-4
    np.testing.assert_allclose(closure_jacobian(areas, factors), numeric, rtol=1e-6, atol=1e-12)


def test_weight_fractions_of_magnesia() -> None:
    found = weight_fractions_of(("Mg", "O"), np.array([0.5, 0.5]))
    assert found["Mg"] == pytest.approx(24.305 / (24.305 + 15.999), rel=1e-4)


@pytest.mark.parametrize("element", ELEMENTS)
def test_case_a_comes_out_as_it_was_made(
    result: Composition, truth: dict[str, dict[str, float]], element: str
) -> None:
    """Within three sigma; 2e-3 more for the older atomic masses and tables of the truth."""
    made = truth["atomic_percent"][element] / truth["closure_sum"] * 100  # type: ignore[operator]
    row = result[element]
    assert row.atomic_percent is not None
    assert row.atomic_percent_sigma is not None
    assert abs(row.atomic_percent - made) < 3 * row.atomic_percent_sigma + 2e-3 * made
    assert row.detected == "quantifiable"


def test_atomic_percent_follows_from_areas_and_k_by_hand(result: Composition) -> None:
    atoms = np.array([_hand_atoms(result, e) for e in ELEMENTS])
    np.testing.assert_allclose(percent(result), 100 * atoms / atoms.sum(), rtol=1e-10)
    masses = atoms * [atomic_mass(e) for e in ELEMENTS]
    found = np.array([result[e].weight_percent for e in ELEMENTS], dtype=float)
    np.testing.assert_allclose(found, 100 * masses / masses.sum(), rtol=1e-10)


def _hand_atoms(result: Composition, element: str) -> float:
    row = result[element]
    assert row.net_counts is not None
    assert row.k_factor is not None
    return row.net_counts * row.k_factor / atomic_mass(element) / (row.absorption or 1.0)


def test_k_factors_are_relative_to_the_reference(spectrum: Spectrum, result: Composition) -> None:
    on_silicon = quantify(spectrum, Method(ELEMENTS, ("Cu",), reference="Si"))
    assert on_silicon.reference == "Si"
    assert on_silicon["Si"].k_factor == 1.0
    np.testing.assert_allclose(percent(on_silicon), percent(result), rtol=1e-12)
    # published without detector, 200 kV, alpha lines, relative to Si K
    published = {"O": 0.9366, "Mg": 0.9518, "Al": 1.0048, "Ca": 1.2412, "Fe": 1.7107}
    published |= {"Nd": 4.613, "Sm": 4.804, "U": 3.319}
    detector = Detector()
    silicon = detector.efficiency(np.array([1.74]))[0]
    for element, k in published.items():
        row = on_silicon[element]
        assert row.energy_keV is not None
        efficiency = detector.efficiency(np.array([row.energy_keV]))[0]
        assert row.k_factor == pytest.approx(k * silicon / efficiency, rel=2e-3), element


def test_the_order_of_the_elements_does_not_matter(spectrum: Spectrum, result: Composition) -> None:
    backwards = quantify(spectrum, Method(ELEMENTS[::-1], ("Cu",)))
    np.testing.assert_allclose(percent(backwards), percent(result), rtol=1e-6)
    assert [row.element for row in backwards.rows] == list(ELEMENTS[::-1])


def test_percents_close_to_a_hundred_on_every_basis(spectrum: Spectrum) -> None:
    for foil in (None, FOIL):
        found = quantify(spectrum, Method(ELEMENTS, ("Cu",)), foil)
        for field in ("atomic_percent", "weight_percent"):
            closed = sum(getattr(row, field) for row in found.rows)
            assert closed == pytest.approx(100.0, abs=1e-10)
        oxides = sum(row.oxide_percent or 0.0 for row in found.rows)
        assert oxides == pytest.approx(100.0, abs=1e-10)


def test_channels_added_in_pairs_give_the_same_composition_within_its_errors(
    spectrum: Spectrum, result: Composition
) -> None:
    axis = spectrum.axis
    pairs = axis.channels // 2
    counts = spectrum.counts[: 2 * pairs].reshape(pairs, 2).sum(axis=1)
    coarse = EnergyAxis(axis.start_keV + axis.step_keV / 2, 2 * axis.step_keV, pairs)
    found = quantify(replace(spectrum, counts=counts, axis=coarse), Method(ELEMENTS, ("Cu",)))
    for element in ELEMENTS:
        before, after = result[element], found[element]
        assert before.atomic_percent is not None
        assert before.atomic_percent_sigma is not None
        # the counts are the same: only what a finer axis adds to the fit may differ
        assert after.atomic_percent == pytest.approx(
            before.atomic_percent, abs=before.atomic_percent_sigma
        ), element
        assert after.atomic_percent_sigma == pytest.approx(before.atomic_percent_sigma, rel=0.1)


@pytest.mark.parametrize(
    ("foil", "says"),
    [
        (Foil(0.0, 4.1, 18.0), "thickness of the foil is 0 nm, but must be above 0"),
        (Foil(-5.0, 4.1, 18.0), "thickness of the foil is -5 nm"),
        (Foil(float("nan"), 4.1, 18.0), "thickness of the foil is nan nm"),
        (Foil(117.0, 0.0, 18.0), "density of the foil is 0 g/cm3, but must be above 0"),
        (Foil(117.0, -4.1, 18.0), "density of the foil is -4.1 g/cm3"),
        (Foil(117.0, float("inf"), 18.0), "density of the foil is inf g/cm3"),
        (Foil(117.0, 4.1, 0.0), "take-off angle is 0 degrees"),
        (Foil(117.0, 4.1, float("nan")), "take-off angle is nan degrees"),
    ],
)
def test_a_foil_that_cannot_be_one_is_refused(
    spectrum: Spectrum, result: Composition, foil: Foil, says: str
) -> None:
    for quantified in (
        lambda: quantify(spectrum, Method(ELEMENTS, ("Cu",)), foil),
        lambda: composition_of(result.fit, Method(ELEMENTS, ("Cu",)), foil),
    ):
        with pytest.raises(ValueError, match=says) as refusal:
            quantified()
        assert "\n" not in str(refusal.value)


def test_areas_that_are_not_numbers_are_refused(result: Composition) -> None:
    areas = result.fit.areas.copy()
    areas[column(result, "Mg")] = np.nan
    with pytest.raises(ValueError, match="areas are not numbers"):
        composition_of(replace(result.fit, areas=areas), Method(ELEMENTS, ("Cu",)))


def test_elements_without_counts_together_are_refused(result: Composition) -> None:
    areas = -np.abs(result.fit.areas)
    with pytest.raises(ValueError, match="no net counts together"):
        composition_of(replace(result.fit, areas=areas), Method(ELEMENTS, ("Cu",)))


def test_the_charges_of_bridgmanite_balance_once_absorption_is_corrected(
    spectrum: Spectrum,
) -> None:
    found = charge_balance(quantify(spectrum, Method(ELEMENTS, ("Cu",)), FOIL).atoms)
    assert found is not None
    assert found.positive == pytest.approx(found.negative, rel=0.01)
    assert abs(found.distance) < 1


def test_the_statistical_error_is_the_scatter_of_redrawn_areas(
    result: Composition, rng: np.random.Generator
) -> None:
    where = [column(result, e) for e in ELEMENTS]
    areas, covariance = result.fit.areas[where], result.fit.covariance[np.ix_(where, where)]
    per_count = np.array([_hand_atoms(result, e) for e in ELEMENTS]) / areas
    drawn = rng.multivariate_normal(areas, covariance, 4000)
    fractions = np.array([100 * closure(a, per_count) for a in drawn])
    stated = np.array([result[e].atomic_percent_sigma for e in ELEMENTS], dtype=float)
    np.testing.assert_allclose(fractions.std(axis=0), stated, rtol=0.06)
    masses = fractions * [atomic_mass(e) for e in ELEMENTS]
    weights = 100 * masses / masses.sum(axis=1, keepdims=True)
    stated = np.array([result[e].weight_percent_sigma for e in ELEMENTS], dtype=float)
    np.testing.assert_allclose(weights.std(axis=0), stated, rtol=0.06)


def test_the_systematic_error_is_the_scatter_of_redrawn_k_factors(
    result: Composition, rng: np.random.Generator
) -> None:
    relative = np.array([0.1, 0.05, 0.05, 0.05, 0.05, 0.05, 0.1, 0.1, 0.2])
    atoms = np.array([_hand_atoms(result, e) for e in ELEMENTS])
    drawn = atoms * (1 + relative * rng.normal(size=(20000, len(ELEMENTS))))
    scatter = (100 * drawn / drawn.sum(axis=1, keepdims=True)).std(axis=0)
    stated = np.array([result[e].atomic_percent_systematic for e in ELEMENTS], dtype=float)
    np.testing.assert_allclose(scatter, stated, rtol=0.06)


def test_the_error_of_the_paper_is_smaller_than_the_full_one_for_traces(
    result: Composition,
) -> None:
    for element in ("Nd", "Sm", "U"):
        row = result[element]
        assert row.net_counts is not None
        assert row.atomic_percent is not None
        assert row.atomic_percent_sigma is not None
        paper = row.atomic_percent / np.sqrt(row.net_counts)
        assert row.atomic_percent_poisson == pytest.approx(paper, rel=1e-10)
        assert 2.0 < row.atomic_percent_sigma / paper < 4.0


def test_signal_to_noise_is_the_area_over_the_root_of_the_background(result: Composition) -> None:
    for row in result.rows:
        assert row.net_counts is not None
        assert row.background_counts is not None
        assert row.snr == pytest.approx(row.net_counts / np.sqrt(row.background_counts))


def test_the_limit_of_detection_is_three_blank_sigmas(result: Composition) -> None:
    total = sum(_hand_atoms(result, e) for e in ELEMENTS)
    for element in ("Al", "Nd", "U"):
        row = result[element]
        assert row.net_counts is not None
        per_count = _hand_atoms(result, element) / row.net_counts
        blank = result.fit.sigma_without(column(result, element))
        assert row.lod_ppm == pytest.approx(3e6 * blank * per_count / total, rel=1e-10)


def test_the_limit_of_detection_is_the_papers_formula_with_any_reference(
    result: Composition,
) -> None:
    """LOD = 3 s0 / N_X c_X for the same area and composition, whatever the reference."""
    row = result["Sm"]
    assert row.net_counts is not None
    assert row.atomic_percent is not None
    blank = result.fit.sigma_without(column(result, "Sm"))
    assert row.lod_ppm == pytest.approx(3 * blank / row.net_counts * 1e4 * row.atomic_percent)


def scaled(result: Composition, element: str, area: float) -> Composition:
    areas = result.fit.areas.copy()
    areas[column(result, element)] = area
    return composition_of(replace(result.fit, areas=areas), Method(ELEMENTS, ("Cu",)))


@pytest.mark.parametrize(
    ("sigmas", "state"),
    [(-2.0, "no"), (1.0, "no"), (3.0, "yes"), (9.0, "yes"), (11.0, "quantifiable")],
)
def test_a_trace_has_three_states(result: Composition, sigmas: float, state: str) -> None:
    index = column(result, "Nd")
    sigma = float(np.sqrt(result.fit.covariance[index, index]))
    row = scaled(result, "Nd", sigmas * sigma)["Nd"]
    assert row.detected == state
    assert row.net_counts == pytest.approx(sigmas * sigma)
    assert np.sign(row.atomic_percent or 0.0) == np.sign(sigmas)
    assert (row.atomic_percent_poisson is None) == (sigmas < 0)


def test_the_absent_element_stays_out_of_the_closure(
    spectrum: Spectrum, result: Composition
) -> None:
    without = quantify(spectrum, Method(ELEMENTS, ("Cu",)), absent="Si")
    row = without["Si"]
    assert row.detected == "assumed_absent"
    assert row.atomic_percent == 0.0
    assert (row.atomic_percent_sigma, row.snr, row.lod_ppm) == (None, None, None)
    others = [e for e in ELEMENTS if e != "Si"]
    kept = np.array([result[e].atomic_percent for e in others], dtype=float)
    found = np.array([without[e].atomic_percent for e in others], dtype=float)
    np.testing.assert_allclose(found, 100 * kept / kept.sum(), rtol=1e-9)


def test_absorption_and_composition_agree_with_each_other(spectrum: Spectrum) -> None:
    result = quantify(spectrum, Method(ELEMENTS, ("Cu",)), FOIL)
    weights = {e: float(result[e].weight_percent or 0.0) for e in ELEMENTS}
    for element in ELEMENTS:
        row = result[element]
        assert row.energy_keV is not None
        by_hand = FOIL.factor(weights, np.array([row.energy_keV]))[0]
        assert row.absorption == pytest.approx(by_hand, rel=2e-4), element
    atoms = np.array([_hand_atoms(result, e) for e in ELEMENTS])
    np.testing.assert_allclose(percent(result), 100 * atoms / atoms.sum(), rtol=1e-7)


def test_absorption_in_bridgmanite_is_as_published(truth: dict[str, dict[str, float]]) -> None:
    """4.1 g/cm3, 117 nm, 18 degrees."""
    published = {0.525: 0.731, 1.254: 0.877, 1.487: 0.867, 1.740: 0.903, 3.691: 0.976, 5.23: 0.990}
    published |= {3.17: 0.964}
    made = truth["atomic_percent"]
    weights = weight_fractions_of(tuple(made), np.array(list(made.values())))
    found = FOIL.factor(weights, np.array(list(published)))
    np.testing.assert_allclose(found, list(published.values()), atol=2e-3)


def test_correcting_absorption_raises_oxygen_by_several_percent(
    spectrum: Spectrum, result: Composition
) -> None:
    corrected = quantify(spectrum, Method(ELEMENTS, ("Cu",)), FOIL)
    assert 59.0 < float(corrected["O"].atomic_percent or 0.0) < 60.5
    assert float(result["O"].atomic_percent or 0.0) < 56.0


def given(basis: str) -> dict[str, GivenFactor]:
    families = {"Nd": "L", "Sm": "L", "U": "M"}
    return {
        e: GivenFactor(
            families.get(e, "K"),
            (1.0 + 0.1 * i) / (atomic_mass(e) if basis == "atomic" else 1.0),
            basis,
        )
        for i, e in enumerate(ELEMENTS)
    }


def test_the_two_bases_of_a_k_factor_differ_by_the_atomic_mass(result: Composition) -> None:
    by_weight, by_atoms = (
        composition_of(result.fit, Method(ELEMENTS, ("Cu",), given=given(basis)))
        for basis in ("weight", "atomic")
    )
    np.testing.assert_allclose(percent(by_weight), percent(by_atoms), rtol=1e-12)
    ratio = np.array([result.fit.areas[column(result, e)] for e in ELEMENTS])
    weights = ratio * (1.0 + 0.1 * np.arange(len(ELEMENTS)))
    found = np.array([by_weight[e].weight_percent for e in ELEMENTS], dtype=float)
    np.testing.assert_allclose(found, 100 * weights / weights.sum(), rtol=1e-10)


def test_a_missing_k_factor_is_named(result: Composition) -> None:
    incomplete = {e: f for e, f in given("weight").items() if e != "Ca"}
    with pytest.raises(ValueError, match="no value for Ca Ka"):
        composition_of(result.fit, Method(ELEMENTS, ("Cu",), given=incomplete))


def test_an_element_without_a_line_in_range_is_not_measured_and_said(spectrum: Spectrum) -> None:
    result = quantify(spectrum.between(0.9, 20.0), Method(ELEMENTS, ("Cu",)))
    row = result["O"]
    values = (row.line, row.net_counts, row.atomic_percent, row.lod_ppm, row.detected)
    assert values == (None,) * 5
    assert sum(r.atomic_percent or 0.0 for r in result.rows) == pytest.approx(100.0)
    assert any(sentence.startswith("O not measured") for sentence in result.warnings)


def test_a_peak_nobody_listed_is_named(spectrum: Spectrum) -> None:
    result = quantify(spectrum, Method(tuple(e for e in ELEMENTS if e != "Fe"), ("Cu",)))
    assert any("6.4" in sentence and "Fe Ka" in sentence for sentence in result.warnings)


def test_a_good_fit_warns_of_nothing(result: Composition) -> None:
    assert result.warnings == ()


def test_given_areas_and_k_factors_make_the_composition_of_another_program(
    shared: Path, truth: dict[str, dict[str, float]], result: Composition
) -> None:
    """exSpy's Cliff-Lorimer on the true alpha counts, with the k-factors of the truth."""
    path = shared / "data" / "reference" / "case_A_exspy.json"
    other = json.loads(path.read_text("utf-8"))["1_CL_from_true_alpha_counts_at%"]
    areas = result.fit.areas.copy()
    for element in ELEMENTS:
        areas[column(result, element)] = truth["expected_alpha_counts"][element]
    families = {line.split("_")[0]: line.split("_")[1][0] for line in other}
    factors = truth["k_alpha_weight_incl_detector_rel_Si"]
    given = {e: GivenFactor(families[e], factors[e], "weight") for e in ELEMENTS}
    method = Method(ELEMENTS, ("Cu",), given=given)
    found = composition_of(replace(result.fit, areas=areas), method)
    for line, atomic_percent in other.items():
        row = found[line.split("_")[0]]
        assert row.atomic_percent == pytest.approx(atomic_percent, rel=5e-4), line


def test_iron_platinum_comes_out_as_published(shared: Path) -> None:
    """Fe 15.41, Pt 84.59 at.% with the same k by window sums of another program."""
    from endmember.files.reading.reader import read_spectrum

    path = shared / "data" / "real" / "hspy" / "EDS_TEM_FePt_nanoparticles.hspy"
    spectrum = read_spectrum(path)
    factors = {
        "Fe": GivenFactor("K", 1.450226, "weight"),
        "Pt": GivenFactor("L", 5.075602, "weight"),
    }
    method = Method(("Fe", "Pt"), ("Cu", "C", "O", "Si", "Cr", "Co", "Ni"), given=factors)
    spectrum = replace(spectrum, beam_energy_keV=spectrum.beam_energy_keV or 200.0)
    result = quantify(spectrum.between(0.3, 20.0), method)
    assert result["Fe"].atomic_percent == pytest.approx(15.41, abs=1.5)
    assert result["Pt"].atomic_percent == pytest.approx(84.59, abs=1.5)


class _Perfect(Detector):
    """A detector that counts everything, as the published table assumes."""

    def efficiency(self, energies_keV: FloatArray) -> FloatArray:
        return np.ones_like(np.asarray(energies_keV, dtype=np.float64))


@pytest.mark.parametrize(
    ("element", "family", "k"),
    [
        ("O", "K", 0.9366),
        ("Mg", "K", 0.9518),
        ("Al", "K", 1.0048),
        ("Ca", "K", 1.2412),
        ("Fe", "K", 1.7107),
        ("Nd", "L", 4.613),
        ("Sm", "L", 4.804),
        ("U", "M", 3.319),
    ],
)
def test_the_factors_that_quantify_are_those_of_the_table(
    element: str, family: str, k: float
) -> None:
    def weight_k(element: str, family: str) -> float:
        lines = tuple(line for line in emission_lines(element, 200.0) if line.family == family)
        column = Column(element, family, lines, alpha_share=0.5)
        return sensitivity(column, _Perfect(), None, {}, None).weight_k

    assert weight_k(element, family) / weight_k("Si", "K") == pytest.approx(k, rel=2e-3)
