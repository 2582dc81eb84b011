"""k-factors: the published table, and one kind of factor brought to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import xraylib

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.core.quantification.cliff_lorimer import (
    Composition,
    Method,
    composition_of,
    quantify,
)
from endmember.core.xrays.detector import Detector, DetectorCurve
from endmember.core.xrays.fit_columns import Column
from endmember.core.xrays.k_factors import (
    Basis,
    Given,
    GivenFactor,
    GivenFactors,
    KFactorTable,
    k_factor_table,
    sensitivity,
)
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import Definition, Family, atomic_mass, family_lines

BEAM_keV = 200.0
DETECTOR = Detector()

# weight k relative to Si at 200 kV without detector: alpha lines, whole families (physics notes)
PUBLISHED: dict[str, tuple[Family, float, float]] = {
    "O": ("K", 0.9366, 0.9626),
    "Mg": ("K", 0.9518, 0.9782),
    "Al": ("K", 1.0048, 1.0193),
    "Ca": ("K", 1.2412, 1.1333),
    "Fe": ("K", 1.7107, 1.5499),
    "Nd": ("L", 4.613, 2.473),
    "Sm": ("L", 4.804, 2.563),
    "U": ("M", 3.319, 1.793),
}
FAMILIES: dict[str, Family] = {e: family for e, (family, *_) in PUBLISHED.items()} | {"Si": "K"}


def table(
    reference: str = "Si",
    definition: Definition = "alpha",
    basis: Basis = "weight",
    detector: Detector | None = None,
) -> KFactorTable:
    return k_factor_table(
        FAMILIES,
        (reference, FAMILIES[reference]),
        BEAM_keV,
        definition=definition,
        basis=basis,
        detector=detector,
    )


def by_element(found: KFactorTable) -> dict[str, float]:
    return {row.element: row.k for row in found.rows}


@pytest.mark.parametrize("element", PUBLISHED)
def test_printed_k_factors_are_those_of_the_published_table(element: str) -> None:
    _, alpha, whole = PUBLISHED[element]
    assert by_element(table())[element] == pytest.approx(alpha, rel=2e-3)
    assert by_element(table(definition="family"))[element] == pytest.approx(whole, rel=2e-3)


def test_on_the_atomic_basis_the_ratio_of_the_masses_drops_out() -> None:
    by_weight, by_atoms = by_element(table("Mg")), by_element(table("Mg", basis="atomic"))
    for element, k in by_weight.items():
        ratio = atomic_mass("Mg") / atomic_mass(element)
        assert by_atoms[element] == pytest.approx(k * ratio, rel=1e-12), element


def test_another_reference_divides_all_by_its_own() -> None:
    on_silicon, on_iron = by_element(table()), by_element(table("Fe"))
    assert on_iron["Fe"] == on_silicon["Si"] == 1.0
    for element, k in on_silicon.items():
        assert on_iron[element] == pytest.approx(k / on_silicon["Fe"], rel=1e-12)


def test_the_detector_divides_k_by_its_efficiency_at_the_line() -> None:
    inside, bare = by_element(table("O", detector=DETECTOR)), by_element(table("O"))
    (oxygen,) = {line.energy_keV for line in family_lines("O", "K", BEAM_keV, "alpha")}

    def efficiency(energy: float) -> float:
        silicon = xraylib.CS_Total(14, energy) * 2.33
        front = silicon * 50e-7 + xraylib.CS_Total(13, energy) * 2.70 * 30e-7
        return float(np.exp(-front) * (1 - np.exp(-silicon * 450e-4)))

    for row in table("O", detector=DETECTOR).rows:
        lines = family_lines(row.element, row.family, BEAM_keV, "alpha")
        counted = sum(line.cross_section_cm2 * efficiency(line.energy_keV) for line in lines)
        made = sum(line.cross_section_cm2 for line in lines)
        assert row.efficiency == pytest.approx(counted / made, rel=1e-12)
        assert row.cross_section_cm2 == pytest.approx(made, rel=1e-12)
        expected = bare[row.element] * efficiency(oxygen) / (counted / made)
        assert inside[row.element] == pytest.approx(expected, rel=1e-12)


def test_each_row_states_the_systematic_error_of_its_line() -> None:
    stated = {row.element: row.systematic for row in table().rows}
    assert stated == dict.fromkeys(("Mg", "Al", "Ca", "Fe", "Si"), 0.05) | {
        "O": 0.10,
        "Nd": 0.10,
        "Sm": 0.10,
        "U": 0.20,
    }


@pytest.mark.parametrize("beam_keV", [40.0, 400.0])
def test_k_factors_exist_over_the_whole_range_of_beam_energies(beam_keV: float) -> None:
    found = k_factor_table(FAMILIES, ("Si", "K"), beam_keV)
    assert all(0.5 < row.k < 8 for row in found.rows)


def test_a_beam_energy_outside_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="between 30 and 400 keV"):
        k_factor_table(FAMILIES, ("Si", "K"), 500.0)


# factors that are given


def column(element: str) -> Column:
    return Column(element, FAMILIES[element], family_lines(element, FAMILIES[element], BEAM_keV), 1)


def weight_k(
    element: str, given: Given | None, beam_keV: float | None = BEAM_keV
) -> tuple[float, str]:
    found = sensitivity(column(element), DETECTOR, None, {}, given, beam_keV)
    assert found.atoms_per_count * atomic_mass(element) == pytest.approx(found.weight_k, rel=1e-12)
    return found.weight_k, found.source


def relative(given: Given | None) -> dict[str, float]:
    """k by weight relative to Si of the alpha lines with detector, as the composition uses it."""
    return {e: weight_k(e, given)[0] / weight_k("Si", given)[0] for e in FAMILIES}


def of_file(found: KFactorTable, inside: bool) -> GivenFactors:
    factors = {
        (row.element, str(row.family)): GivenFactor(
            row.family, row.k, found.basis, found.definition, inside
        )
        for row in found.rows
    }
    return GivenFactors(factors, "k.csv")


@pytest.mark.parametrize("definition", ["alpha", "family"])
@pytest.mark.parametrize("basis", ["weight", "atomic"])
@pytest.mark.parametrize("detector", [DETECTOR, None], ids=["detector", "bare"])
def test_every_kind_of_factor_gives_the_same_composition(
    definition: Definition, basis: Basis, detector: Detector | None
) -> None:
    given = of_file(table("Mg", definition, basis, detector), detector is not None)
    assert relative(given) == pytest.approx(relative(None), rel=1e-10)


def test_a_family_taken_for_an_alpha_line_would_not_go_unseen() -> None:
    family = of_file(table("Si", "family", detector=DETECTOR), True)
    assert family.of_file is not None
    wrong = {place: replace(f, definition="alpha") for place, f in family.of_file.items()}
    error = relative(GivenFactors(wrong))["Nd"] / relative(family)["Nd"]
    assert error == pytest.approx(PUBLISHED["Nd"][2] / PUBLISHED["Nd"][1], rel=0.01)


def test_a_factor_by_hand_replaces_the_computed_one_and_no_other() -> None:
    computed, by_hand = relative(None), relative(GivenFactors(by_hand={"Fe": 1.62}))
    assert by_hand == pytest.approx(computed | {"Fe": 1.62}, rel=1e-12)


@pytest.mark.parametrize("definition", ["alpha", "family"])
def test_a_factor_by_hand_replaces_that_of_a_file(definition: Definition) -> None:
    file = of_file(table("Mg", definition, "atomic"), False)
    found = relative(replace(file, by_hand={"Fe": 1.62}))
    assert found == pytest.approx(relative(file) | {"Fe": 1.62}, rel=1e-12)


def test_a_factor_by_hand_needs_silicon_in_the_file() -> None:
    given = GivenFactors({("Mg", "K"): GivenFactor("K", 1.0, "weight")}, "k.csv", by_hand={"Fe": 2})
    with pytest.raises(ValueError, match=r"Fe by hand is relative to Si, but k\.csv has no value"):
        weight_k("Fe", given)


def test_a_factor_says_where_it_is_from() -> None:
    file = replace(of_file(table(), False), by_hand={"Fe": 1.62})
    assert weight_k("Fe", file)[1] == "by hand"
    assert weight_k("Mg", file)[1] == "file k.csv"
    assert weight_k("Mg", None)[1] == "computed"
    assert weight_k("Mg", GivenFactors(by_hand={"Fe": 1.62}))[1] == "computed"


@pytest.mark.parametrize("given", [{("Fe", "L"): 1.0}, {("Mg", "K"): 1.0}])
def test_an_element_or_line_that_the_file_lacks_is_named(
    given: Mapping[tuple[str, str], float],
) -> None:
    factors = {place: GivenFactor(place[1], k, "weight") for place, k in given.items()}
    with pytest.raises(ValueError, match=r'no value for Fe Ka: add a row "Fe, Ka, \.\.\."'):
        weight_k("Fe", GivenFactors(factors, "k.csv"))


def test_of_two_line_families_of_an_element_the_one_measured_is_taken() -> None:
    factors = {
        ("Fe", "L"): GivenFactor("L", 9.0, "weight"),
        ("Fe", "K"): GivenFactor("K", 2.0, "weight"),
    }
    assert weight_k("Fe", GivenFactors(factors, "k.csv"))[0] == 2.0


def test_a_family_factor_without_beam_energy_is_refused() -> None:
    with pytest.raises(ValueError, match="the beam energy is unknown: give it"):
        weight_k("Fe", of_file(table(definition="family"), True), None)


def test_a_file_for_another_beam_energy_is_told() -> None:
    given = GivenFactors({}, "k.csv", 15.0, ("a warning",))
    assert given.told(15.1) == ("a warning",)
    warning, beam = given.told(200.0)
    assert warning == "a warning"
    assert "k.csv are those of 15 keV, but the beam has 200 keV" in beam


# in a composition

AXIS = EnergyAxis(0.9, 0.01, 800)
CURVE = Detector(curve=DetectorCurve("c.csv", (0.5, 2.0, 20.0), (0.1, 0.8, 0.9)))


def spectrum_of_equal_atoms(detector: Detector) -> Spectrum:
    """As many atoms of Mg, Si and Fe, as the detector counts them, over a background; no noise."""
    columns, areas = [], []
    for element in ("Mg", "Si", "Fe"):
        lines = family_lines(element, "K", BEAM_keV)
        energies = np.array([line.energy_keV for line in lines])
        strength = np.array([line.cross_section_cm2 for line in lines])
        strength = strength * detector.efficiency(energies)
        columns.append((energies, strength / strength.sum()))
        areas.append(1e28 * strength.sum())
    shapes, _ = LineSet.of_columns(columns).shapes(AXIS, Calibration())
    counts = 800 * detector.efficiency(AXIS.centres) / AXIS.centres + shapes @ np.array(areas)
    return Spectrum(counts, AXIS, BEAM_keV)


def atomic_percent(composition: Composition) -> list[float]:
    return [row.atomic_percent or 0.0 for row in composition.rows]


def test_the_curve_of_the_detector_decides_fit_and_composition_together() -> None:
    spectrum = spectrum_of_equal_atoms(CURVE)
    right, wrong = (
        quantify(spectrum, Method(("Mg", "Si", "Fe"), detector=detector))
        for detector in (CURVE, DETECTOR)
    )
    assert atomic_percent(right) == pytest.approx([100 / 3] * 3, rel=2e-3)
    assert right.fit.reduced_chi_squared < 0.1
    # by the layers alone too little Mg is seen: the curve counts a half less of it than of Si
    assert atomic_percent(wrong)[0] < 25


def test_rows_of_a_composition_say_where_their_factors_are_from() -> None:
    spectrum = spectrum_of_equal_atoms(DETECTOR)
    elements = ("Mg", "Si", "Fe")
    plain = quantify(spectrum, Method(elements, reference="Si"))
    assert plain["Fe"].k_factor is not None
    doubled = GivenFactors(by_hand={"Fe": 2 * plain["Fe"].k_factor})
    by_hand = composition_of(plain.fit, Method(elements, given=doubled, reference="Si"))
    assert [row.k_source for row in plain.rows] == ["computed"] * 3
    assert [row.k_source for row in by_hand.rows] == ["computed", "computed", "by hand"]
    assert by_hand["Fe"].k_factor == pytest.approx(2 * plain["Fe"].k_factor, rel=1e-12)
    # the same counts stand for twice the iron beside one magnesium and one silicon
    assert atomic_percent(by_hand) == pytest.approx([25, 25, 50], rel=3e-3)


def test_what_must_be_known_of_a_file_stands_beside_the_composition() -> None:
    fit = quantify(spectrum_of_equal_atoms(DETECTOR), Method(("Mg", "Si", "Fe"))).fit
    given = replace(of_file(table(), False), beam_energy_keV=15.0, warnings=("beware",))
    told = composition_of(fit, Method(("Mg", "Si", "Fe"), given=given)).warnings
    assert "beware" in told
    assert any("those of 15 keV" in sentence for sentence in told)
