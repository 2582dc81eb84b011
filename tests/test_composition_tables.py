"""The tables of the compositions: detection, partition coefficients, formula units."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from endmember.core.fitting.spectrum_fit import fit_spectrum
from endmember.core.quantification.background_spread import BACKGROUNDS
from endmember.core.quantification.cliff_lorimer import composition_of
from endmember.core.xrays.detector import Detector
from endmember.session.decisions.edits import add_roi, remove_roi, set_density, set_formula_unit
from endmember.session.decisions.recipe import FormulaBases, Recipe
from endmember.session.results.result_tables import FILES, write_tables
from endmember.session.state.session import Failure
from endmember.session.steps.chain import method_of
from endmember.session.steps.compositions import Entry
from endmember.session.views.composition_tables import Asked, TableKind, table_of, with_key
from endmember.session.views.composition_view import UNITS, UnitName, entry_key, notes
from endmember.session.views.element_table import Cell, ElementTable
from endmember.ui.pages.composition.composition_entries import COMPARE
from endmember.ui.pages.composition.composition_page import CompositionPage
from endmember.ui.program.preferences import Preferences
from endmember.ui.widgets.theme import THEME
from page_stage import LEFT, NAME, Prepared, Stage, prepared_demo

Key = Qt.Key
BASES = FormulaBases({"Brg": "3 O", "Fp": "2 cations"})
# charges of the usual oxides of the demo's elements
CHARGES = {"Mg": 2, "Al": 3, "Si": 4, "Ca": 2, "Fe": 2, "Nd": 3, "Sm": 3, "U": 4}


def with_region(recipe: Recipe) -> Recipe:
    box = recipe.precipitate_named("Fp").boxes_on(NAME)[0]
    return add_roi(recipe, NAME, "rectangle", box, "Fp", "by hand")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared_demo(tmp_path_factory.mktemp("demo"), with_region)


def entry_of(prepared: Prepared, phase: str, source: str = "mask") -> Entry:
    entries = prepared.result("quantification").entries
    return next(e for e in entries if (e.phase, e.source) == (phase, source))


def asked(
    prepared: Prepared,
    kind: TableKind,
    entry: Entry | None,
    unit: UnitName = "at.%",
    **changed: Any,
) -> ElementTable | str:
    wanted = Asked(
        kind,
        entry,
        prepared.result("quantification"),
        None,
        UNITS[unit],
        False,
        prepared.result("background_spread"),
        prepared.result("partition"),
        BASES,
    )
    return table_of(replace(wanted, **changed))


def table(prepared: Prepared, *which: Any, **changed: Any) -> ElementTable:
    found = asked(prepared, *which, **changed)
    assert not isinstance(found, str), found
    return found


def column(table: ElementTable, key: str, number: int = 0) -> dict[str, Cell]:
    places = [i for i, head in enumerate(table.heads) if head.key == key]
    cells = [row[places[number]] for row in table.cells]
    return dict(zip(table.elements, cells, strict=True))


# Detection


@pytest.mark.parametrize("unit", list(UNITS))
def test_a_limit_is_what_so_many_counts_would_amount_to_in_the_unit_shown(
    prepared: Prepared, unit: UnitName
) -> None:
    """In the matrix, a value over its net counts is what one count amounts to."""
    entry = entry_of(prepared, "Brg")
    limits = column(table(prepared, "detection", entry, unit), "lod")
    values = column(table(prepared, "composition", entry, unit), "value")
    for element in ("Mg", "Al", "Si", "Ca", "Fe"):
        row = entry.composition[element]
        assert row.critical_counts is not None
        value, limit = values[element].number, limits[element].number
        assert value is not None
        assert limit is not None
        assert row.net_counts is not None
        blank = row.critical_counts / 1.645
        assert limit == pytest.approx(3 * blank * value / row.net_counts, rel=1e-9)


def test_the_papers_limit_and_the_upper_limit_stand_in_the_unit_shown(prepared: Prepared) -> None:
    entry = entry_of(prepared, "Fp")
    absent = [row for row in entry.composition.rows if row.detected == "no"]
    assert absent, "the demo has traces that Fp does not hold"
    atoms = table(prepared, "detection", entry, "at. ppm")
    weight = table(prepared, "detection", entry, "wt. ppm")
    for row in absent:
        assert column(atoms, "limit")[row.element].number == pytest.approx(row.upper_limit_ppm)
        shown = column(weight, "limit")[row.element].number
        assert shown == pytest.approx(row.upper_limit_weight_ppm)
    for row in entry.composition.rows:
        if row.lod_paper_ppm is not None:
            shown = column(atoms, "lod_paper")[row.element].number
            assert shown == pytest.approx(row.lod_paper_ppm)
    detected = [row.element for row in entry.composition.rows if row.detected != "no"]
    assert all(column(atoms, "limit")[element].text == "" for element in detected)


def test_the_spread_is_that_of_fits_with_other_backgrounds(prepared: Prepared) -> None:
    entry = entry_of(prepared, "Brg")
    fit = entry.composition.fit
    weights = {row.element: (row.weight_percent or 0) / 100 for row in entry.composition.rows}
    nets = [
        fit_spectrum(
            fit.spectrum,
            (*weights, *prepared.recipe.sample.system_elements),
            detector=Detector(),
            foil=entry.composition.foil,
            weight_fractions=weights,
            background=background,
        )
        for background in BACKGROUNDS.values()
    ]
    shown = column(table(prepared, "detection", entry), "spread")
    for element in ("Mg", "Si", "Ca", "Fe"):
        areas = [of.areas[of.find(element, "K")] for of in nets]
        sigma = entry.composition[element].net_sigma
        assert sigma is not None
        assert shown[element].number == pytest.approx(np.ptp(areas), abs=0.05 * sigma)


def test_what_is_not_known_yet_is_not_shown_as_nothing(prepared: Prepared) -> None:
    entry = entry_of(prepared, "Brg")
    waiting = table(prepared, "detection", entry, spreads=None)
    assert {cell.text for cell in column(waiting, "spread").values()} == {"…"}
    assert isinstance(asked(prepared, "partition", entry, partitions=None), str)
    conventional = entry_of(prepared, "Fp", "conventional")
    cells = column(table(prepared, "detection", conventional), "spread").values()
    assert {cell.text for cell in cells} == {""}, "there is no spectrum to fit again"


def test_limits_of_all_phases_stand_side_by_side(prepared: Prepared) -> None:
    compared = table(prepared, "detection", None, "wt. ppm")
    owners = list(dict.fromkeys(map(entry_key, compared.entries)))
    assert len(owners) == 5  # three phases by mask, a region as measured and subtracted
    for number, entry in enumerate(compared.entries[1::2]):
        limit = column(compared, "lod", number)["Al"].number
        assert limit == pytest.approx(entry.composition["Al"].lod_weight_ppm)


# Partition coefficients


@pytest.mark.parametrize("source", ["mask", "conventional"])
@pytest.mark.parametrize("unit", ["at.%", "wt.%", "wt. ppm"])
def test_a_partition_coefficient_is_the_ratio_of_the_two_compositions(
    prepared: Prepared, unit: UnitName, source: str
) -> None:
    entry = entry_of(prepared, "Fp", source)
    shown = column(table(prepared, "partition", entry, unit), "value")
    above = column(table(prepared, "composition", entry, unit), "value")
    below = column(table(prepared, "composition", entry_of(prepared, "Brg"), unit), "value")
    for element in ("O", "Mg", "Fe"):
        top, bottom = above[element].number, below[element].number
        assert top is not None
        assert bottom is not None
        assert shown[element].number == pytest.approx(top / bottom, rel=1e-9)
    assert shown["Si"].text == "assumed absent"


def test_what_the_precipitate_does_not_show_is_a_limit_and_says_the_fitted_value(
    prepared: Prepared,
) -> None:
    entry = entry_of(prepared, "Fp")
    of = table(prepared, "partition", entry)
    absent = [
        row.element
        for row in entry.composition.rows
        if row.detected == "no"
        and entry_of(prepared, "Brg").composition[row.element].detected != "no"
    ]
    assert absent
    for element in absent:
        cell, limit = column(of, "value")[element], column(of, "limit")[element]
        assert cell.text == f"< {limit.text}"
        assert "±" in cell.more
        assert column(of, "state")[element].text == "not detected"


def test_the_matrix_and_all_phases_show_every_precipitate_side_by_side(prepared: Prepared) -> None:
    for entry in (entry_of(prepared, "Brg"), None):
        compared = table(prepared, "partition", entry)
        titles = [head.title for head in compared.heads if head.key == "value"]
        assert [title.partition(",")[0] for title in titles] == [
            "D Fp / Brg",
            "D CaPv / Brg",
            "D Fp / Brg",
        ]
        one = column(table(prepared, "partition", entry_of(prepared, "CaPv")), "value")
        for element, cell in column(compared, "value", 1).items():
            assert cell == one[element]


# Formula units


def test_atoms_are_scaled_to_what_is_counted(prepared: Prepared) -> None:
    for phase in ("Brg", "Fp"):
        entry = entry_of(prepared, phase)
        atoms = column(table(prepared, "formula", entry), "atoms")
        percents = {row.element: row.atomic_percent for row in entry.composition.rows}
        if phase == "Brg":
            counted, size = percents["O"], 3.0
        else:
            counted, size = sum(percents[e] for e in CHARGES if e != "Si"), 2.0
        cations = sum(percents[e] or 0.0 for e in CHARGES)
        assert atoms.pop("Σ cations").number == pytest.approx(size * cations / counted)
        for element, cell in atoms.items():
            if percents[element]:
                assert cell.number == pytest.approx(size * percents[element] / counted, rel=1e-9)
        charges = column(table(prepared, "formula", entry), "valence")
        absent = {"Brg": None, "Fp": "Si"}[phase]
        for element, charge in CHARGES.items():
            expected = None if element == absent else charge
            assert charges[element].number == expected
        assert charges["O"].text == "−2"


def test_the_formula_units_of_all_phases_have_their_own_scale(prepared: Prepared) -> None:
    compared = table(prepared, "formula", None)
    units = [head.unit for head in compared.heads if head.key == "atoms"]
    assert units == ["per 3 O", "per 2 cations", "per 2 cations", "per 2 cations"]
    assert column(compared, "atoms", 0)["O"].text == "3"


def test_why_there_is_no_formula_unit_is_said(prepared: Prepared) -> None:
    says = asked(prepared, "formula", entry_of(prepared, "CaPv"))
    assert str(says).startswith("Say what the formula unit of CaPv is scaled to")
    mixture = asked(prepared, "formula", entry_of(prepared, "Fp+Brg", "mixture"))
    assert "mixture" in str(mixture)
    bases = FormulaBases({"CaPv": "3 O"})
    entry = entry_of(prepared, "CaPv")
    atoms = entry.composition.atoms
    no_oxygen = replace(
        entry.composition, atoms=replace(atoms, elements=("X", *atoms.elements[1:]))
    )
    without = replace(entry, composition=no_oxygen)
    says = asked(prepared, "formula", without, bases=bases)
    assert str(says).startswith("The composition holds no oxygen")


# In the window


@pytest.fixture
def stage(qtbot: QtBot, prepared: Prepared) -> Iterator[Stage[CompositionPage]]:
    made = Stage(qtbot, CompositionPage)
    made.open(prepared.document())
    made.window.activateWindow()
    qtbot.waitUntil(made.window.isActiveWindow)
    yield made
    made.runner.close()


def click_tab(stage: Stage[CompositionPage], kind: TableKind) -> None:
    tabs = stage.page.tabs
    place = tabs.tabRect(list(FILES).index(kind)).center()
    stage.qtbot.mouseClick(tabs, LEFT, pos=place)
    assert stage.page.kind == kind


def choose(stage: Stage[CompositionPage], box: Any, text: str) -> None:
    texts = [box.itemText(i) for i in range(box.count())]
    box.setFocus()
    stage.qtbot.keyClick(box, Key.Key_Home)
    for _ in range(texts.index(text)):
        stage.qtbot.keyClick(box, Key.Key_Down)


def shown_keys(stage: Stage[CompositionPage]) -> list[str]:
    cells = stage.page.table.cells
    return [cells.head(column).key for column in range(cells.columnCount())]


def test_a_click_and_the_arrow_keys_go_from_table_to_table(stage: Stage[CompositionPage]) -> None:
    assert "change" in shown_keys(stage)
    click_tab(stage, "detection")
    assert "critical" in shown_keys(stage)
    assert not stage.page.options.poisson.isVisible(), "nothing of it is in this table"
    stage.page.tabs.setFocus()
    stage.qtbot.keyClick(stage.page.tabs, Key.Key_Right)
    assert stage.page.kind == "partition"
    stage.qtbot.keyClick(stage.page.tabs, Key.Key_Right)
    assert stage.page.kind == "formula"
    assert stage.page.unit_box.isHidden()
    click_tab(stage, "composition")
    assert stage.page.options.poisson.isVisible()
    assert not stage.page.unit_box.isHidden()


def test_a_row_of_any_table_shows_its_line(stage: Stage[CompositionPage]) -> None:
    for kind in ("detection", "partition"):
        click_tab(stage, kind)
        choose(stage, stage.page.entry_box, "Fp, mask, demo")
        view = stage.page.table
        row = view.cells.table.elements.index("Fe")
        place = view.visualRect(view.cells.index(row, 0)).center()
        stage.qtbot.mouseClick(view.viewport(), LEFT, pos=place)
        assert stage.workspace.focus.element == "Fe"
        low, high = stage.page.fit_view.x_range()
        assert low < 6.4 < high < low + 2


def test_a_formula_unit_is_typed_beside_its_table_and_undone_by_one_undo(
    stage: Stage[CompositionPage],
) -> None:
    click_tab(stage, "formula")
    choose(stage, stage.page.entry_box, "CaPv, mask, demo")
    page = stage.page
    assert page.no_table.isVisible()
    assert "CaPv" in page.no_table.text()
    assert not page.table_button.isEnabled()
    choose(stage, page.basis_box.counted, "cations")
    assert stage.recipe.sample.formula_unit == FormulaBases(), "no number yet"
    size = page.basis_box.size_box
    size.setFocus()
    size.selectAll()
    stage.qtbot.keyClicks(size, "2")
    stage.qtbot.keyClick(size, Key.Key_Return)
    assert stage.recipe.sample.formula_unit == FormulaBases({"CaPv": "2 cations"})
    assert not page.no_table.isVisible()
    assert page.table.cells.head(0).text == "atoms per 2 cations"
    assert page.table_button.isEnabled()
    choose(stage, page.entry_box, "Brg, mask, demo")
    assert size.value() == 0.0
    choose(stage, page.entry_box, "Fp+Brg, mixture, as measured, demo")
    assert not page.basis_box.isEnabled()
    stage.workspace.undo()
    assert stage.recipe.sample.formula_unit == FormulaBases()


@pytest.mark.parametrize("kind", list(FILES))
def test_each_table_is_exported_as_the_command_writes_it(
    stage: Stage[CompositionPage],
    kind: TableKind,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert stage.workspace.edit(set_formula_unit, "Brg", "3 O")
    session = stage.workspace.session
    assert session is not None
    (tmp_path / "run").mkdir()
    write_tables(session, tmp_path / "run")
    click_tab(stage, kind)
    offered: list[str] = []

    def answer(_: object, __: str, start: str, ___: str) -> tuple[str, str]:
        offered.append(Path(start).name)
        return str(tmp_path / "mine.csv"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    stage.qtbot.mouseClick(stage.page.table_button, LEFT)
    assert offered == [FILES[kind]]
    assert (tmp_path / "mine.csv").read_bytes() == (tmp_path / "run" / FILES[kind]).read_bytes()


def test_the_file_of_formula_units_holds_those_of_the_recipe_alone(
    prepared: Prepared, tmp_path: Path
) -> None:
    write_tables(prepared.document().session, tmp_path)
    assert not (tmp_path / FILES["formula"]).exists()
    recipe = set_formula_unit(prepared.recipe, "Fp", "1 O")
    write_tables(prepared.document(recipe).session, tmp_path)
    with (tmp_path / FILES["formula"]).open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {(r["phase"], r["source"], r["region"], r["basis"]) for r in rows} == {
        ("Fp", "mask", "", "1 O"),
        ("Fp", "roi", "by hand", "1 O"),
        ("Fp", "conventional", "by hand", "1 O"),
    }
    entry = entry_of(prepared, "Fp")
    percent = {row.element: row.atomic_percent or 0.0 for row in entry.composition.rows}
    atoms = {r["element"]: float(r["atoms"]) for r in rows if r["source"] == "mask"}
    assert atoms["O"] == 1.0
    assert atoms["Mg"] == pytest.approx(percent["Mg"] / percent["O"])


def test_the_table_shown_last_is_shown_again(
    qtbot: QtBot, prepared: Prepared, tmp_path: Path
) -> None:
    def page(workspace: Any) -> CompositionPage:
        workspace.preferences = Preferences(tmp_path / "settings.ini")
        return CompositionPage(workspace)

    first = Stage(qtbot, page)
    first.open(prepared.document())
    click_tab(first, "partition")
    assert first.workspace.preferences is not None
    assert first.workspace.preferences.save()
    first.runner.close()
    again = Stage(qtbot, page)
    again.open(prepared.document())
    assert again.page.kind == "partition"
    assert again.page.tabs.currentIndex() == 2
    again.runner.close()


def test_the_detection_table_fills_itself_when_the_spread_is_there(
    stage: Stage[CompositionPage], prepared: Prepared
) -> None:
    stage.open(prepared.document(background_spread=None))
    click_tab(stage, "detection")
    choose(stage, stage.page.entry_box, "Brg, mask, demo")
    assert not stage.page.table_button.isEnabled()
    stage.until(lambda: stage.workspace.result("background_spread"))
    assert stage.page.table_button.isEnabled()
    cells = column(stage.page.table.cells.table, "spread")
    assert cells["Mg"].number is not None


def test_comparing_all_keeps_the_kind_of_table(stage: Stage[CompositionPage]) -> None:
    click_tab(stage, "partition")
    choose(stage, stage.page.entry_box, COMPARE)
    assert stage.page.kind == "partition"
    assert stage.page.entry is not None
    assert stage.page.entry.phase == "Fp"
    assert with_key(stage.workspace.result("quantification"), entry_key(stage.page.entry))


# What is not there, or not current


def test_nothing_is_exported_while_the_compositions_are_out_of_date(
    stage: Stage[CompositionPage], prepared: Prepared
) -> None:
    stage.open(prepared.document(background_spread=None, partition=None))
    stage.runner.cancel()
    assert stage.workspace.edit(set_density, "Fp", 6.0)
    for kind in FILES:
        click_tab(stage, kind)
        assert not stage.page.table_button.isEnabled(), kind
    stage.until(lambda: stage.workspace.result("quantification"))
    click_tab(stage, "composition")
    assert stage.page.table_button.isEnabled()


def test_why_something_made_from_the_compositions_is_missing_is_said_with_a_way_on(
    stage: Stage[CompositionPage], prepared: Prepared
) -> None:
    failed = Failure("stopped before it was done", True)
    stage.open(prepared.document(background_spread=failed, partition=failed))
    assert stage.page.banner.text == "stopped before it was done"
    click_tab(stage, "partition")
    assert stage.page.no_table.text() == "stopped before it was done"
    click_tab(stage, "detection")
    choose(stage, stage.page.entry_box, "Brg, mask, demo")
    cell = column(stage.page.table.cells.table, "spread")["Mg"]
    assert (cell.text, cell.more) == ("–", "stopped before it was done")
    assert not stage.page.table_button.isEnabled()
    stage.qtbot.mouseClick(stage.page.banner.action, LEFT)
    stage.until(lambda: stage.workspace.result("background_spread"))
    assert stage.page.banner.text == ""
    assert stage.page.table_button.isEnabled()


def test_a_page_out_of_sight_does_not_mix_two_results(
    stage: Stage[CompositionPage], prepared: Prepared
) -> None:
    click_tab(stage, "detection")
    choose(stage, stage.page.entry_box, "by hand (Fp), ROI, matrix subtracted, demo")
    stage.workspace.recipe_changed.disconnect(stage.page.refresh)
    stage.workspace.results_changed.disconnect(stage.page.refresh)
    assert stage.workspace.edit(remove_roi, NAME, "by hand")
    stage.until(lambda: stage.workspace.result("background_spread"))
    THEME.choose("dark")
    try:
        cells = column(stage.page.table.cells.table, "net")
        assert (
            cells["Mg"].number
            == entry_of(prepared, "Fp", "conventional").composition["Mg"].net_counts
        )
    finally:
        THEME.choose("light")


def test_limits_side_by_side_say_that_they_are_limits(prepared: Prepared) -> None:
    compared = table(prepared, "detection", None, "oxide wt.%")
    titles = [head.text for head in compared.heads]
    assert titles[1:3] == ["LOD of Brg, mask, demo (oxide wt.%)", "SNR of Brg, mask, demo"]
    assert [row[0].text for row in compared.cells][1:3] == ["MgO", "Al2O3"]


def test_no_error_stands_beside_a_limit(prepared: Prepared) -> None:
    absent = [r.element for r in entry_of(prepared, "Fp").composition.rows if r.detected == "no"]
    number = [e.phase for e in prepared.result("quantification").entries if e.source != "mixture"]
    place = number.index("Fp")
    compared = table(prepared, "composition", None)
    for element in absent:
        assert column(compared, "value", place)[element].text.startswith("< LOD")
        assert column(compared, "sigma", place)[element].text == ""


def test_the_size_of_a_formula_unit_keeps_its_digits_when_something_else_is_chosen(
    stage: Stage[CompositionPage],
) -> None:
    for text in ("1.23456 O", "100 O", "2.5 O"):
        assert stage.workspace.edit(set_formula_unit, "Brg", text)
        click_tab(stage, "formula")
        choose(stage, stage.page.entry_box, "Brg, mask, demo")
        choose(stage, stage.page.basis_box.counted, "cations")
        expected = text.replace("O", "cations")
        assert stage.recipe.sample.formula_unit["Brg"] == expected


def test_what_is_typed_belongs_to_the_phase_it_was_typed_for(
    stage: Stage[CompositionPage],
) -> None:
    click_tab(stage, "formula")
    choose(stage, stage.page.entry_box, "Fp, mask, demo")
    size = stage.page.basis_box.size_box
    size.setFocus()
    size.selectAll()
    stage.qtbot.keyClicks(size, "7")
    stage.page.basis_box.show_phase("Brg", stage.recipe)
    assert dict(stage.recipe.sample.formula_unit) == {"Fp": "7 O"}
    assert size.value() == 0.0


def test_formula_units_that_cannot_be_made_are_said_one_by_one(prepared: Prepared) -> None:
    found = prepared.result("quantification")
    entries = []
    for entry in found.entries:
        atoms = entry.composition.atoms
        renamed = replace(atoms, elements=("X", *atoms.elements[1:]))
        entries.append(replace(entry, composition=replace(entry.composition, atoms=renamed)))
    says = asked(
        prepared,
        "formula",
        None,
        found=replace(found, entries=tuple(entries)),
        bases=FormulaBases({"Brg": "3 O", "CaPv": "3 O"}),
    )
    assert isinstance(says, str)
    lines = says.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["Brg mask demo", "CaPv mask demo"]
    assert all("holds no oxygen" in line for line in lines)


def test_a_column_of_a_comparison_shows_the_fit_of_its_phase(
    stage: Stage[CompositionPage],
) -> None:
    click_tab(stage, "partition")
    choose(stage, stage.page.entry_box, "Brg, mask, demo")
    view = stage.page.table
    row = view.cells.table.elements.index("Fe")
    place = view.visualRect(view.cells.index(row, 2)).center()
    stage.qtbot.mouseClick(view.viewport(), LEFT, pos=place)
    assert stage.page.fit_view.entry is not None
    assert stage.page.fit_view.entry.phase == "CaPv"
    assert stage.page.fit_line.text().startswith("CaPv, mask, demo: ")


def test_a_ratio_of_phases_is_one_of_atoms_or_of_weights(stage: Stage[CompositionPage]) -> None:
    choose(stage, stage.page.unit_box, "wt. ppm")
    click_tab(stage, "partition")
    box = stage.page.unit_box
    assert [box.itemText(i) for i in range(box.count())] == ["by atoms", "by weight"]
    assert box.currentText() == "by weight"
    assert stage.page.table.cells.head(0).unit == "by weight"
    choose(stage, box, "by atoms")
    assert stage.page.table.cells.head(0).unit == "by atoms"
    click_tab(stage, "composition")
    assert box.currentText() == "at.%"


def test_the_sum_of_the_cations_has_no_line_to_show(stage: Stage[CompositionPage]) -> None:
    assert stage.workspace.edit(set_formula_unit, "Brg", "3 O")
    click_tab(stage, "formula")
    choose(stage, stage.page.entry_box, "Brg, mask, demo")
    stage.workspace.look(element="Fe")
    view = stage.page.table
    last = view.cells.rowCount() - 1
    assert view.cells.table.elements[last] == "Σ cations"
    place = view.visualRect(view.cells.index(last, 0)).center()
    stage.qtbot.mouseClick(view.viewport(), LEFT, pos=place)
    assert stage.workspace.focus.element == "Fe"


def test_what_the_thickness_would_change_is_that_of_a_thicker_foil(prepared: Prepared) -> None:
    """Against a correction with 10 % more thickness, of the same areas."""
    entry = entry_of(prepared, "Brg")
    foil = entry.composition.foil
    assert foil is not None
    recipe = prepared.recipe
    method = method_of(recipe.sample, recipe.quantification, recipe.detector)
    thicker = replace(foil, thickness_nm=1.1 * foil.thickness_nm)
    other = composition_of(entry.composition.fit, method, thicker)
    moved = {
        row.element: (other[row.element].atomic_percent or 0) - (row.atomic_percent or 0)
        for row in entry.composition.rows
    }
    most = max(moved, key=lambda element: abs(moved[element]))
    (said,) = [note for note in notes(entry) if note.startswith("10 % more thickness")]
    assert f"move {most} by " in said
    number = float(said.partition(f"{most} by ")[2].partition(" ")[0].replace("−", "-"))
    assert number == pytest.approx(moved[most], rel=0.1)
