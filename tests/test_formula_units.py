"""Oxygen by stoichiometry, atoms per formula unit and the balance of charges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.spectrum_fit import Foil, SpectrumFit, fit_spectrum
from endmember.core.quantification.cliff_lorimer import (
    Composition,
    Method,
    composition_of,
    quantify,
)
from endmember.core.quantification.formula_units import charge_balance, per_cations, per_oxygens
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import GivenFactor
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import atomic_mass, family_lines
from endmember.core.xrays.oxides import oxide_formula, oxide_mass, valence_of
from endmember.files.tables.composition_table import Heading, composition_text
from endmember.session.views.composition_view import UNITS, state_text, value_cell

AXIS = EnergyAxis(0.3, 0.01, 900)
ELEMENTS = ("O", "Mg", "Al", "Si", "Fe")
CATIONS = ELEMENTS[1:]
# a perovskite, Mg 0.8 Fe 0.1 Al 0.2 Si 0.9 O 3
ATOMS = {"O": 3e5, "Mg": 0.8e5, "Al": 0.2e5, "Si": 0.9e5, "Fe": 0.1e5}
# each count of an alpha line is one atom, so that areas are atoms
FACTORS = {element: GivenFactor("K", 1.0, "atomic") for element in ELEMENTS}
VALENCES = np.array([2.0, 3.0, 4.0, 2.0])


@pytest.fixture(scope="module")
def fit() -> SpectrumFit:
    columns = []
    for element in ELEMENTS:
        lines = family_lines(element, "K", 200.0)
        weights = np.array([line.cross_section_cm2 for line in lines])
        weights /= weights[[line.alpha for line in lines]].sum()
        columns.append((np.array([line.energy_keV for line in lines]), weights))
    shapes, _ = LineSet.of_columns(columns).shapes(AXIS, Calibration())
    mean = 800 * Detector().efficiency(AXIS.centres) / AXIS.centres
    mean = mean + shapes @ np.array(list(ATOMS.values()))
    counts = np.random.default_rng(4).poisson(mean).astype(float)
    found = fit_spectrum(Spectrum(counts, AXIS, 200.0, 22.0), ELEMENTS, detector=Detector())
    areas = found.areas.copy()
    areas[columns_of(found)] = list(ATOMS.values())
    return replace(found, areas=areas)


def columns_of(fit: SpectrumFit, elements: tuple[str, ...] = ELEMENTS) -> list[int]:
    found = [fit.find(element, "K") for element in elements]
    return [index for index in found if index is not None]


def composed(fit: SpectrumFit, oxygen: str = "measured", **settings: object) -> Composition:
    return composition_of(fit, Method(ELEMENTS, given=FACTORS, oxygen=oxygen, **settings))  # type: ignore[arg-type]


def drawn(fit: SpectrumFit, rng: np.random.Generator, elements: tuple[str, ...]) -> FloatArray:
    where = columns_of(fit, elements)
    covariance = fit.covariance[np.ix_(where, where)]
    return np.asarray(rng.multivariate_normal(fit.areas[where], covariance, 6000))


def with_oxygen(cations: FloatArray, valences: FloatArray = VALENCES) -> FloatArray:
    """Oxygen from the cations first, then the cations; atoms (..., 5)."""
    return np.concatenate([(cations @ valences / 2)[..., None], cations], axis=-1)


def values(composition: Composition, field: str) -> FloatArray:
    return np.array([getattr(composition[e], field) for e in ELEMENTS], dtype=float)


def test_oxygen_by_stoichiometry_balances_the_charges_of_the_cations(fit: SpectrumFit) -> None:
    found = composed(fit, "stoichiometry")
    atoms = with_oxygen(np.array([ATOMS[e] for e in CATIONS]))
    np.testing.assert_allclose(values(found, "atomic_percent"), 100 * atoms / atoms.sum())
    grams = atoms * [atomic_mass(e) for e in ELEMENTS]
    np.testing.assert_allclose(values(found, "weight_percent"), 100 * grams / grams.sum())


def test_enstatite_is_three_fifths_oxygen(fit: SpectrumFit) -> None:
    areas = fit.areas.copy()
    areas[columns_of(fit)] = [0.0, 1e5, 0.0, 1e5, 0.0]
    found = composed(replace(fit, areas=areas), "stoichiometry")
    assert found["O"].atomic_percent == pytest.approx(60.0)
    assert found["Mg"].oxide_percent == pytest.approx(40.15, abs=0.005)


def test_a_row_by_stoichiometry_has_no_line_and_no_state(fit: SpectrumFit) -> None:
    row = composed(fit, "stoichiometry")["O"]
    measured = (row.line, row.net_counts, row.k_factor, row.snr, row.lod_ppm, row.detected)
    assert measured == (None,) * 6
    assert row.by_stoichiometry
    assert not composed(fit)["O"].by_stoichiometry


def test_tables_say_that_oxygen_follows_from_the_cations(fit: SpectrumFit) -> None:
    found = composed(fit, "stoichiometry")
    printed = composition_text([(Heading("Brg", "spectrum", "", None), found)])
    oxygen = next(line for line in printed.splitlines() if line.startswith("O "))
    assert "by stoichiometry" in oxygen
    assert f"{found['O'].atomic_percent:.2f}" in oxygen
    assert "charge balance" not in printed
    assert state_text(found["O"]) == "by stoichiometry"
    shown = value_cell(found["O"], UNITS["at.%"])
    assert shown.number == pytest.approx(found["O"].atomic_percent)
    measured = composition_text([(Heading("Brg", "spectrum", "", None), composed(fit))])
    assert "charge balance per 100 atoms" in measured


def test_the_errors_of_oxygen_are_those_of_its_cations(
    fit: SpectrumFit, rng: np.random.Generator
) -> None:
    found = composed(fit, "stoichiometry")
    atoms = with_oxygen(drawn(fit, rng, CATIONS))
    shares = 100 * atoms / atoms.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares.std(axis=0), values(found, "atomic_percent_sigma"), rtol=0.05)
    grams = atoms * [atomic_mass(e) for e in ELEMENTS]
    shares = 100 * grams / grams.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares.std(axis=0), values(found, "weight_percent_sigma"), rtol=0.05)
    cations = np.array([ATOMS[e] for e in CATIONS])
    atoms = with_oxygen(cations * (1 + 0.05 * rng.normal(size=(20000, 4))))
    shares = 100 * atoms / atoms.sum(axis=1, keepdims=True)
    stated = values(found, "atomic_percent_systematic")
    np.testing.assert_allclose(shares.std(axis=0), stated, rtol=0.05)


def test_a_valence_by_hand_takes_more_oxygen_and_changes_the_oxide(fit: SpectrumFit) -> None:
    found = composed(fit, "stoichiometry", valences={"Fe": 3})
    cations = np.array([ATOMS[e] for e in CATIONS])
    atoms = with_oxygen(cations, np.array([2.0, 3.0, 4.0, 3.0]))
    np.testing.assert_allclose(values(found, "atomic_percent"), 100 * atoms / atoms.sum())
    assert found["Fe"].oxide == "Fe2O3"
    grams = cations * [40.304, 101.961 / 2, 60.084, 159.687 / 2]
    oxides = [found[e].oxide_percent for e in CATIONS]
    np.testing.assert_allclose(oxides, 100 * grams / grams.sum(), rtol=1e-4)


def test_a_mean_valence_is_written_as_oxygens_per_cation() -> None:
    assert oxide_formula("Fe", {"Fe": 2.6}) == "FeO1.3"
    assert oxide_mass("Fe", {"Fe": 2.6}) == pytest.approx(55.845 + 1.3 * 15.999, rel=1e-4)
    assert (valence_of("Fe"), valence_of("O"), valence_of("Au")) == (2.0, None, None)


def test_absorption_is_corrected_with_the_oxygen_of_the_cations(fit: SpectrumFit) -> None:
    method = Method(ELEMENTS, given=FACTORS, oxygen="stoichiometry")
    foil = Foil(200.0, 4.1, 20.0)
    found = quantify(fit.spectrum, method, foil)
    weights = {e: float(found[e].weight_percent or 0.0) for e in ELEMENTS}
    for element in CATIONS:
        row = found[element]
        assert row.energy_keV is not None
        by_hand = foil.factor(weights, np.array([row.energy_keV]))[0]
        assert row.absorption == pytest.approx(by_hand, rel=2e-4), element
    assert not any("held no O" in sentence for sentence in found.warnings)


def test_a_spectrum_that_starts_above_oxygen_still_closes_with_it(fit: SpectrumFit) -> None:
    method = Method(ELEMENTS, given=FACTORS, oxygen="stoichiometry")
    found = quantify(fit.spectrum.between(0.9, 9.0), method)
    expected = with_oxygen(np.array([ATOMS[e] for e in CATIONS]))
    assert found["O"].atomic_percent == pytest.approx(100 * expected[0] / expected.sum(), rel=0.01)
    assert not any("not measured" in sentence for sentence in found.warnings)


def test_a_precipitate_without_oxygen_gets_none_by_stoichiometry(fit: SpectrumFit) -> None:
    method = Method(ELEMENTS, given=FACTORS, oxygen="stoichiometry")
    found = composition_of(fit, method, absent="O")
    assert (found["O"].detected, found["O"].atomic_percent) == ("assumed_absent", 0.0)
    assert sum(found[e].atomic_percent or 0.0 for e in CATIONS) == pytest.approx(100.0)


def test_oxygen_as_reference_is_not_used_where_it_is_not_measured(fit: SpectrumFit) -> None:
    found = composed(fit, "stoichiometry", reference="O")
    assert found.reference == "Si"
    assert any("reference element O is not measured" in told for told in found.warnings)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"oxygen": "guessed"}, 'must be "measured" or "stoichiometry"'),
        ({"valences": {"Fe": 0.0}}, "valence of Fe is 0, but must lie above 0"),
        ({"valences": {"Fe": float("nan")}}, "valence of Fe is nan"),
        ({"valences": {"Fe": 9}}, "at most at 8"),
        ({"valences": {"O": 2}}, "valence of O cannot be set"),
    ],
)
def test_a_method_that_cannot_be_used_is_refused(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Method(ELEMENTS, **settings)  # type: ignore[arg-type]


def test_oxygen_by_stoichiometry_needs_oxygen_listed_and_a_cation(fit: SpectrumFit) -> None:
    without = Method(CATIONS, given=FACTORS, oxygen="stoichiometry")
    with pytest.raises(ValueError, match="O is not among the elements: add O"):
        composition_of(fit, without)
    chlorine = fit_spectrum(fit.spectrum, ("O", "Mg", "Cl"), detector=Detector())
    factors = {"O": FACTORS["O"], "Cl": FACTORS["O"]}
    method = Method(("O", "Cl"), given=factors, oxygen="stoichiometry")
    with pytest.raises(ValueError, match="cannot be had from Cl"):
        composition_of(chlorine, method)


def test_a_perovskite_has_three_oxygens_and_its_cations_follow(fit: SpectrumFit) -> None:
    found = per_oxygens(composed(fit), 3)
    assert found.basis == "3 O"
    expected = [ATOMS[e] / 1e5 for e in ELEMENTS]
    np.testing.assert_allclose(found.atoms, expected)
    assert found["O"] == pytest.approx(3.0)
    assert found.sigma[0] == pytest.approx(0.0, abs=1e-9)


def test_by_cations_the_oxygen_is_what_was_measured(fit: SpectrumFit) -> None:
    found = per_cations(composed(fit), 2)
    assert found.basis == "2 cations"
    assert found["O"] == pytest.approx(3.0)
    assert sum(found[e] for e in CATIONS) == pytest.approx(2.0)
    cations = [found.elements.index(e) for e in CATIONS]
    assert found.covariance[np.ix_(cations, cations)].sum() == pytest.approx(0.0, abs=1e-12)


def test_formula_units_scatter_as_stated_when_areas_are_redrawn(
    fit: SpectrumFit, rng: np.random.Generator
) -> None:
    atoms = drawn(fit, rng, ELEMENTS)
    by_oxygen = per_oxygens(composed(fit), 3)
    scatter = (3 * atoms / atoms[:, :1]).std(axis=0)
    np.testing.assert_allclose(scatter[1:], by_oxygen.sigma[1:], rtol=0.05)
    by_cation = per_cations(composed(fit), 2)
    scatter = np.cov((2 * atoms / atoms[:, 1:].sum(axis=1, keepdims=True)).T)
    size = np.sqrt(np.outer(np.diag(scatter), np.diag(scatter)))
    np.testing.assert_allclose(by_cation.covariance / size, scatter / size, atol=0.08)
    relative = np.array([0.10, 0.05, 0.05, 0.05, 0.05])
    atoms = np.array(list(ATOMS.values())) * (1 + relative * rng.normal(size=(20000, 5)))
    scatter = (2 * atoms / atoms[:, 1:].sum(axis=1, keepdims=True)).std(axis=0)
    np.testing.assert_allclose(scatter, by_cation.systematic, rtol=0.05)


def test_formula_units_by_stoichiometry_carry_the_errors_of_the_cations(
    fit: SpectrumFit, rng: np.random.Generator
) -> None:
    found = per_oxygens(composed(fit, "stoichiometry"), 3)
    atoms = with_oxygen(drawn(fit, rng, CATIONS))
    order = [ELEMENTS.index(e) for e in found.elements]
    units = (3 * atoms / atoms[:, :1])[:, order]
    np.testing.assert_allclose(found.atoms, units.mean(axis=0), rtol=1e-3)
    np.testing.assert_allclose(found.sigma[:-1], units.std(axis=0)[:-1], rtol=0.05)


@pytest.mark.parametrize("size", [0.0, -3.0, float("nan"), float("inf")])
def test_a_formula_unit_of_no_size_is_refused(fit: SpectrumFit, size: float) -> None:
    with pytest.raises(ValueError, match="give a number above 0"):
        per_oxygens(composed(fit), size)
    with pytest.raises(ValueError, match="give a number above 0"):
        per_cations(composed(fit), size)


def test_a_formula_unit_needs_what_it_is_scaled_to(fit: SpectrumFit) -> None:
    no_oxygen = composition_of(fit, Method(CATIONS, given=FACTORS))
    with pytest.raises(ValueError, match="holds no oxygen"):
        per_oxygens(no_oxygen, 3)
    only_oxygen = composition_of(fit, Method(("O",), given=FACTORS))
    with pytest.raises(ValueError, match="holds no cation"):
        per_cations(only_oxygen, 2)
    areas = fit.areas.copy()
    areas[columns_of(fit, ("O",))] = -10.0
    with pytest.raises(ValueError, match="no net counts"):
        per_oxygens(composed(replace(fit, areas=areas)), 3)


def test_charges_balance_as_counted_by_hand(fit: SpectrumFit) -> None:
    balance = charge_balance(composed(fit).atoms)
    assert balance is not None
    total = sum(ATOMS.values())
    positive = 1.6e5 + 0.6e5 + 3.6e5 + 0.2e5
    assert balance.positive == pytest.approx(100 * positive / total)
    assert balance.negative == pytest.approx(100 * 6e5 / total)
    assert balance.distance == pytest.approx(0.0, abs=0.1)
    assert "cations +120.0, oxygen -120.0" in balance.sentence


def test_the_error_of_the_charge_balance_is_the_scatter_of_redrawn_areas(
    fit: SpectrumFit, rng: np.random.Generator
) -> None:
    balance = charge_balance(composed(fit).atoms)
    assert balance is not None
    charges = np.array([-2.0, *VALENCES])

    def scatter(atoms: FloatArray) -> float:
        return float((100 * atoms @ charges / atoms.sum(axis=1)).std())

    assert scatter(drawn(fit, rng, ELEMENTS)) == pytest.approx(balance.sigma, rel=0.05)
    relative = np.array([0.10, 0.05, 0.05, 0.05, 0.05])
    atoms = np.array(list(ATOMS.values())) * (1 + relative * rng.normal(size=(20000, 5)))
    assert scatter(atoms) == pytest.approx(balance.systematic, rel=0.05)


def test_an_oxide_whose_charges_do_not_balance_is_told(fit: SpectrumFit) -> None:
    areas = fit.areas.copy()
    areas[columns_of(fit, ("O",))] *= 1.6
    told = composed(replace(fit, areas=areas)).warnings
    assert any(sentence.startswith("charge balance") for sentence in told)
    assert not any(sentence.startswith("charge balance") for sentence in composed(fit).warnings)


def test_charges_are_not_counted_where_oxygen_is_not_measured_or_the_phase_no_oxide(
    fit: SpectrumFit,
) -> None:
    assert charge_balance(composed(fit, "stoichiometry").atoms) is None
    areas = fit.areas.copy()
    areas[columns_of(fit, ("O",))] *= 0.1
    assert charge_balance(composed(replace(fit, areas=areas)).atoms) is None
