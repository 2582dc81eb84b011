"""What the tables of compositions say: units, decimals, limits, states, and what is copied."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.quantification.cliff_lorimer import (
    Composition,
    ElementResult,
    Method,
    composition_of,
)
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import GivenFactor
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import family_lines
from endmember.session.steps.compositions import Entry
from endmember.session.views.composition_view import (
    UNITS,
    UnitName,
    comparison_table,
    decimals_for,
    entry_key,
    entry_table,
    entry_title,
    fit_sentence,
    headers,
    instrument_rows,
    notes,
    number_text,
    quantity,
    state_text,
    value_cell,
)
from endmember.session.views.element_table import (
    Cell,
    ElementTable,
    clipboard_html,
    clipboard_text,
    plain_cell,
)

AXIS = EnergyAxis(0.3, 0.01, 900)
SAMPLE = ("C", "O", "Mg", "Al", "Si", "Fe")  # carbon has no line above 0.3 keV
SYSTEM = ("Cu",)
AREAS = {"O": 3.0e5, "Mg": 1.0e5, "Al": 1.5e4, "Si": 1.1e5, "Fe": 2.2e4, "Cu": 4.0e3}
# a count of an alpha line is an atom, so that areas are atoms
ATOMS = {element: GivenFactor("K", 1.0, "atomic") for element in SAMPLE}
# IUPAC 2021, g/mol
MASS = {"O": 15.999, "Mg": 24.305, "Al": 26.982, "Si": 28.085, "Fe": 55.845}
OXIDE_MASS = {"Mg": 40.304, "Al": 101.961 / 2, "Si": 60.083, "Fe": 71.844}


@pytest.fixture(scope="module")
def fit() -> SpectrumFit:
    columns = []
    for element in AREAS:
        lines = family_lines(element, "K", 200.0)
        weights = np.array([line.cross_section_cm2 for line in lines])
        weights /= weights[[line.alpha for line in lines]].sum()
        columns.append((np.array([line.energy_keV for line in lines]), weights))
    shapes, _ = LineSet.of_columns(columns).shapes(AXIS, Calibration())
    mean = 800 * Detector().efficiency(AXIS.centres) / AXIS.centres
    mean = mean + shapes @ np.array(list(AREAS.values()))
    counts = np.random.default_rng(5).poisson(mean).astype(float)
    spectrum = Spectrum(counts, AXIS, 200.0, 22.0)
    return fit_spectrum(spectrum, (*SAMPLE, *SYSTEM), detector=Detector())


def composed(fit: SpectrumFit, absent: str | None = None, **areas: float) -> Composition:
    """The composition of these alpha counts, which are atoms."""
    changed = fit.areas.copy()
    for element, area in {**AREAS, **areas}.items():
        changed[fit.find(element, "K")] = area
    method = Method(SAMPLE, SYSTEM, given=ATOMS)
    return composition_of(replace(fit, areas=changed), method, absent=absent)


def entry(composition: Composition, phase: str = "Fp", source: str = "mask", **of: Any) -> Entry:
    return Entry(phase, source, of.get("map", "A"), 1234, composition, of.get("label", ""))


def column(table: ElementTable, key: str) -> list[Cell]:
    place = [head.key for head in table.heads].index(key)
    return [row[place] for row in table.cells]


def cell(table: ElementTable, element: str, key: str) -> Cell:
    return column(table, key)[table.elements.index(element)]


def pasted(text: str) -> tuple[list[str], list[list[str]]]:
    rows = list(csv.reader(io.StringIO(text), delimiter="\t"))
    return rows[0], rows[1:]


# Units


def expected(unit: UnitName, element: str, **areas: float) -> float:
    """From the atoms and the masses of the elements and of their oxides."""
    atoms = {e: {**AREAS, **areas}[e] for e in MASS}
    if unit in ("at.%", "at. ppm"):
        share = atoms[element] / sum(atoms.values())
    elif unit in ("wt.%", "wt. ppm"):
        share = atoms[element] * MASS[element] / sum(atoms[e] * MASS[e] for e in MASS)
    else:
        oxides = {e: atoms[e] * OXIDE_MASS[e] for e in OXIDE_MASS}
        share = oxides[element] / sum(oxides.values())
    return share * (1e6 if unit.endswith("ppm") else 100.0)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("element", OXIDE_MASS)
def test_every_unit_follows_from_the_atoms_and_their_masses(
    fit: SpectrumFit, unit: UnitName, element: str
) -> None:
    found = quantity(composed(fit)[element], UNITS[unit])
    assert found.value == pytest.approx(expected(unit, element), rel=2e-4)


@pytest.mark.parametrize("unit", UNITS)
def test_value_error_and_limit_keep_their_proportions_in_every_unit(
    fit: SpectrumFit, unit: UnitName
) -> None:
    """A trace hardly moves the closure, so that its numbers all change by one constant."""
    row = composed(fit, Al=40.0)["Al"]
    assert row.net_sigma is not None
    assert row.atomic_percent is not None
    per_count = row.atomic_percent / 40.0
    at = quantity(row, UNITS["at.%"])
    found = quantity(row, UNITS[unit])
    assert found.value
    assert at.value
    scale = found.value / at.value
    for name in ("sigma", "poisson", "lod"):
        theirs, own = getattr(at, name), getattr(found, name)
        assert own == pytest.approx(theirs * scale, rel=2e-3), name
    assert at.sigma == pytest.approx(row.net_sigma * per_count, rel=2e-3)
    assert at.poisson == pytest.approx(at.value / math.sqrt(40.0))


def test_ppm_are_ten_thousand_to_the_percent_also_for_the_limits(fit: SpectrumFit) -> None:
    pairs: tuple[tuple[UnitName, UnitName], ...] = (("at.%", "at. ppm"), ("wt.%", "wt. ppm"))
    for row in composed(fit).rows[1:]:
        for percent, ppm in pairs:
            small, large = quantity(row, UNITS[percent]), quantity(row, UNITS[ppm])
            assert small.value
            assert small.lod
            assert large.value == pytest.approx(1e4 * small.value)
            assert large.lod == pytest.approx(1e4 * small.lod)
        assert quantity(row, UNITS["at. ppm"]).lod == pytest.approx(row.lod_ppm)
        assert quantity(row, UNITS["wt. ppm"]).lod == pytest.approx(row.lod_weight_ppm)


def test_there_is_no_poisson_error_without_positive_counts(fit: SpectrumFit) -> None:
    assert quantity(composed(fit, Al=-3.0)["Al"], UNITS["at.%"]).poisson is None


# Numbers


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (49.3861, 0.5476, "49.39"),
        (0.0098765, 0.00092, "0.00988"),
        (8.3, 0.0996, "8.30"),  # the error is shown as 0.10
        (8.3, 0.994, "8.30"),
        (8.3, 0.996, "8.3"),  # and this as 1.0
        (493861.2, 5476.0, "493,900"),
        (-0.00012, 0.034, "0.000"),
        (-0.0512, 0.034, "−0.051"),
        (12.5, None, "12.5"),
        (0.0, None, "0.00"),
        (1e-12, 1e-13, "0.00000000"),
    ],
)
def test_a_value_is_as_exact_as_two_digits_of_its_error(
    value: float, error: float | None, shown: str
) -> None:
    assert number_text(value, decimals_for(error, value)) == shown


def test_the_error_itself_has_two_digits(fit: SpectrumFit) -> None:
    """In any column of errors and limits, and in any unit."""
    for unit in UNITS.values():
        table = entry_table(entry(composed(fit, Al=40.0)), unit)
        for key in ("sigma", "lod"):
            for shown in (c for c in column(table, key) if c.number):
                digits = shown.text.replace(",", "").replace(".", "").lstrip("0")
                assert len(digits.rstrip("0")) <= 2, (unit.name, key, shown)
                assert float(shown.text.replace(",", "")) == pytest.approx(shown.number, rel=0.051)


def test_an_error_far_below_the_statistical_one_has_one_digit_more_at_most(
    fit: SpectrumFit,
) -> None:
    row = replace(
        composed(fit)["Al"], atomic_percent_sigma=0.024, atomic_percent_systematic=0.000078
    )
    composition = replace(composed(fit), rows=(row,))
    table = entry_table(entry(composition), UNITS["at.%"])
    assert cell(table, "Al", "systematic").text == "0.0001"
    assert cell(table, "Al", "systematic").number == 0.000078


def test_a_number_that_does_not_exist_is_no_number() -> None:
    assert number_text(None, 2) == ""
    assert decimals_for(math.nan, 1.0) == 2


# Headers


@pytest.mark.parametrize("unit", UNITS)
def test_every_header_of_a_value_carries_the_unit_chosen_and_no_other(unit: UnitName) -> None:
    heads = {head.key: head for head in headers(UNITS[unit], "Si")}
    for key in ("value", "sigma", "systematic", "poisson", "lod", "change"):
        assert heads[key].text.endswith(f" ({unit})")
        assert heads[key].label.endswith(f"\n({unit})")
    for head in heads.values():
        for other in set(UNITS) - {unit}:
            assert f"({other})" not in head.text
    assert heads["k"].text == "k to Si (weight)"


def test_every_column_has_a_header_of_its_own(fit: SpectrumFit) -> None:
    for unit in UNITS.values():
        table = entry_table(entry(composed(fit)), unit, instrument=True)
        assert {len(row) for row in table.cells} == {len(table.heads)} == {len(table.entries)}
        assert len({head.key for head in table.heads}) == len(table.heads)
        assert len(table.cells) == len(table.elements) == len(SAMPLE) + len(SYSTEM)


# Cells


def test_what_is_below_the_critical_level_reads_below_the_limit(fit: SpectrumFit) -> None:
    row = composed(fit, Al=1.0)["Al"]
    assert state_text(row) == "not detected"
    shown = value_cell(row, UNITS["at.%"])
    assert shown.text == "< LOD"
    assert shown.more.startswith("fitted value ")
    assert row.lod_ppm is not None
    with_limit = value_cell(row, UNITS["at. ppm"], with_lod=True).text
    found = re.fullmatch(r"< LOD \(([\d,.]+)\)", with_limit)
    assert found is not None
    assert float(found[1].replace(",", "")) == pytest.approx(row.lod_ppm, rel=0.05)


def test_detected_and_quantifiable_are_told_apart(fit: SpectrumFit) -> None:
    composition = composed(fit)
    sigma = composition["Al"].net_sigma
    assert sigma is not None
    assert state_text(composition["Al"]) == "quantifiable"
    weak = composed(fit, Al=6 * sigma)["Al"]
    assert state_text(weak) == "detected"
    assert value_cell(weak, UNITS["at.%"]).decimals is not None


def test_the_absent_element_is_assumed_absent_in_every_unit(fit: SpectrumFit) -> None:
    row = composed(fit, absent="Si")["Si"]
    for unit in UNITS.values():
        shown = value_cell(row, unit)
        assert (shown.text, shown.number) == ("assumed absent", None)
    assert state_text(row) == "assumed absent"
    told = notes(entry(composed(fit, absent="Si")))
    assert "Si is assumed absent: the subtraction is scaled on it" in told


def test_an_element_without_a_line_is_not_measured(fit: SpectrumFit) -> None:
    composition = composed(fit)
    assert value_cell(composition["C"], UNITS["at.%"]).text == "not measured"
    assert state_text(composition["C"]) == "not measured"
    assert "C not measured: the others add up to 100 % without" in notes(entry(composition))


def test_clearly_negative_is_shown_signed_and_said(fit: SpectrumFit) -> None:
    sigma = composed(fit)["Al"].net_sigma
    assert sigma is not None
    row = composed(fit, Al=-5 * sigma)["Al"]
    assert state_text(row) == "negative, see messages"
    shown = value_cell(row, UNITS["at.%"])
    assert shown.text.startswith("−")
    assert "negative beyond 3 sigma" in shown.more
    faint = composed(fit, Al=-2 * sigma)["Al"]  # within chance
    assert value_cell(faint, UNITS["at.%"]).text == "< LOD"


def test_oxides_carry_their_formulas_and_oxygen_has_no_value(fit: SpectrumFit) -> None:
    table = entry_table(entry(composed(fit)), UNITS["oxide wt.%"])
    assert [c.text for c in column(table, "element")] == ["CO2", "O", "MgO", "Al2O3", "SiO2", "FeO"]
    assert table.elements == SAMPLE
    oxygen = cell(table, "O", "value")
    assert oxygen.text == "–"
    assert "not measured" in oxygen.more
    cations = [c.number for c in column(table, "value") if c.number is not None]
    assert sum(cations) == pytest.approx(100.0)


def test_instrument_lines_have_counts_but_no_composition(fit: SpectrumFit) -> None:
    shown = entry(composed(fit))
    copper = fit.find("Cu", "K")
    assert copper is not None
    assert [row.element for row in instrument_rows(shown)] == ["Cu"]
    table = entry_table(shown, UNITS["wt.%"], instrument=True)
    assert cell(table, "Cu", "net").number == AREAS["Cu"]
    assert cell(table, "Cu", "net sigma").number == pytest.approx(
        math.sqrt(fit.covariance[copper, copper])
    )
    assert cell(table, "Cu", "line").text == "Kα"
    assert cell(table, "Cu", "state").text == "instrument line"
    for key in ("value", "sigma", "systematic", "lod", "change", "k"):
        assert cell(table, "Cu", key).number is None
    assert "Cu" not in entry_table(shown, UNITS["wt.%"]).elements


def test_a_change_is_the_difference_to_the_entry_before_in_the_unit_shown(fit: SpectrumFit) -> None:
    now, before = entry(composed(fit)), entry(composed(fit, Fe=2.0e4))
    for name, unit in UNITS.items():
        changed = cell(entry_table(now, unit, before), "Fe", "change")
        was = expected(name, "Fe", Fe=2.0e4)
        assert changed.number == pytest.approx(expected(name, "Fe") - was, rel=1e-3)
        assert changed.text.startswith("+")
        assert changed.more.endswith(name)
    assert cell(entry_table(now, UNITS["at.%"], now), "Fe", "change").text == "0"
    first = cell(entry_table(now, UNITS["at.%"]), "Fe", "change")
    assert (first.text, first.number) == ("–", None)


# Entries and their comparison


def test_entries_are_called_by_phase_source_and_map(fit: SpectrumFit) -> None:
    composition = composed(fit)
    assert entry_title(entry(composition)) == "Fp, mask, A"
    assert entry_title(entry(composition, map="sum")) == "Fp, mask, sum of the maps"
    region = entry(composition, source="roi", label="edge")
    assert entry_title(region) == "edge (Fp), ROI, as measured, A"
    after = entry(composition, source="conventional", label="edge")
    assert entry_title(after) == "edge (Fp), ROI, matrix subtracted, A"
    assert len({entry_key(e) for e in (region, after, entry(composition))}) == 3


def test_the_comparison_puts_value_and_error_of_every_entry_side_by_side(fit: SpectrumFit) -> None:
    matrix = entry(composed(fit), "Brg")
    left = entry(composed(fit, Al=1.0, absent="Si"), "Fp")
    table = comparison_table([matrix, left], UNITS["at. ppm"])
    assert [head.text for head in table.heads] == [
        "element",
        "Brg, mask, A (at. ppm)",
        "± stat. of Brg, mask, A (at. ppm)",
        "Fp, mask, A (at. ppm)",
        "± stat. of Fp, mask, A (at. ppm)",
    ]
    assert [e.phase for e in table.entries[1:]] == ["Brg", "Brg", "Fp", "Fp"]
    row = dict(zip(table.elements, table.cells, strict=True))
    assert row["Fe"][1].number == pytest.approx(expected("at. ppm", "Fe"))
    assert row["Al"][3].text.startswith("< LOD (")
    assert row["Si"][3].text == "assumed absent"
    assert row["Si"][1].number is not None


def test_an_element_that_only_one_entry_has_leaves_the_other_cell_empty(fit: SpectrumFit) -> None:
    whole = composed(fit)
    fewer = replace(whole, rows=whole.rows[:3])
    table = comparison_table([entry(fewer), entry(whole)], UNITS["at.%"])
    assert table.elements == SAMPLE
    assert [c.text for c in table.cells[-1][1:3]] == ["", ""]
    assert comparison_table([], UNITS["at.%"]).cells == ()


# Copying


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_copied_comes_back_as_the_numbers(fit: SpectrumFit, unit: UnitName) -> None:
    table = entry_table(entry(composed(fit, Al=1.0, absent="Si")), UNITS[unit], instrument=True)
    titles, rows = pasted(clipboard_text(table.heads, table.cells))
    assert titles == [head.text for head in table.heads]
    numbers = 0
    for cells, texts in zip(table.cells, rows, strict=True):
        for shown, text in zip(cells, texts, strict=True):
            if shown.decimals is None:
                assert text == ("" if shown.text == "–" else shown.text)
            else:
                numbers += 1
                assert float(text) == pytest.approx(shown.number, rel=1e-6)
    assert numbers > 20


def test_copied_numbers_have_plain_minus_signs_and_no_thousands() -> None:
    assert plain_cell(Cell("−1,234", -1234.4)) == "-1234.4"
    assert plain_cell(Cell("< LOD", 0.2)) == "< LOD"
    assert plain_cell(Cell("–")) == ""


def test_the_copied_table_is_also_a_table_for_word_processors(fit: SpectrumFit) -> None:
    table = entry_table(entry(composed(fit, Al=1.0)), UNITS["at.%"])
    text = clipboard_html(table.heads, table.cells)
    assert text.count("<tr>") == len(SAMPLE) + 1
    assert text.count("<th>") == len(table.heads)
    assert "<td>&lt; LOD</td>" in text


# The fit


def test_the_sentence_of_the_fit_gives_chi_squared_and_what_is_expected(fit: SpectrumFit) -> None:
    said = fit_sentence(entry(composed(fit)))
    left = fit.degrees_of_freedom
    residual = (fit.spectrum.counts - fit.fitted) / np.sqrt(fit.variance)
    assert f"reduced chi-squared {residual @ residual / left:.2f}" in said
    assert f"1.00 ± {math.sqrt(2 / left):.2f}" in said
    assert f"n − p = {left}" in said
    assert "0.30 to 9.29 keV" in said


def test_a_table_says_whether_absorption_is_corrected(fit: SpectrumFit) -> None:
    composition = composed(fit)
    assert notes(entry(composition))[0].startswith("not corrected for absorption")
    rows = tuple(replace(row, absorption=0.98) for row in composition.rows)
    assert notes(entry(replace(composition, rows=rows)))[0] == "corrected for absorption"


def test_a_row_without_anything_can_be_shown() -> None:
    row = ElementResult("Ar", None)
    for unit in UNITS.values():
        assert value_cell(row, unit).text == "not measured"
        assert quantity(row, unit).value is None
