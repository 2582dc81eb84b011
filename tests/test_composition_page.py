"""The page of the compositions, with real mouse and key events on a small simulated map."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication, QImage
from PyQt6.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from endmember.demo import prepare_demo
from endmember.files.tables.composition_table import Heading, write_composition_csv
from endmember.session.decisions.edits import (
    add_roi,
    rename_precipitate,
    set_density,
    set_elements,
    set_instrument,
    set_quantification,
)
from endmember.session.decisions.recipe import Recipe
from endmember.session.documents.document import Document
from endmember.session.state.session import run_all
from endmember.session.steps.compositions import Compositions, Entry
from endmember.session.views.composition_view import UNITS, entry_title
from endmember.ui.document.runner import Runner
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.composition.composition_entries import COMPARE
from endmember.ui.pages.composition.composition_page import CompositionPage
from endmember.ui.program.preferences import Preferences
from endmember.ui.widgets.messages import Message
from endmember.ui.widgets.theme import DARK, LIGHT, THEME, colours
from page_stage import Prepared

LEFT = Qt.MouseButton.LeftButton
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
Key = Qt.Key


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A map with a region of a precipitate, and its sum as if there were another map."""
    path = prepare_demo(tmp_path_factory.mktemp("demo"), 64, lambda _: None)
    session = Document.open(path).session
    recipe = set_instrument(session.recipe, energy_range_keV=(0.3, 10.0))  # for speed
    box = recipe.precipitate_named("Fp").boxes_on("demo")[0]
    session.change(add_roi(recipe, "demo", "rectangle", box, "Fp", "by hand"))
    run_all(session)
    assert session.failures() == []
    found = session.result("quantification")
    sums = tuple(replace(e, map="sum") for e in found.entries if e.source in ("mask", "mixture"))
    with_sums = replace(found, entries=(*found.entries, *sums))
    results = {key: with_sums if of is found else of for key, of in session.results.items()}
    return Prepared(session.recipe, results)


class Stage:
    """The page in a window, with a document whose results are there."""

    def __init__(self, qtbot: QtBot, prepared: Prepared, preferences: Preferences) -> None:
        self.qtbot = qtbot
        self.runner = Runner()
        self.workspace = Workspace(self.runner)
        self.workspace.preferences = preferences
        self.page = CompositionPage(self.workspace)
        self.said: list[Message] = []
        self.workspace.said.connect(self.said.append)
        self.window = QWidget()
        row = QHBoxLayout(self.window)
        row.addWidget(self.page.view, 1)
        side = QScrollArea()
        side.setWidgetResizable(True)
        side.setWidget(self.page.settings)
        side.setFixedWidth(290)
        row.addWidget(side)
        qtbot.addWidget(self.window)
        self.window.resize(1240, 690)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)
        for signal in (
            self.workspace.recipe_changed,
            self.workspace.results_changed,
            self.workspace.focus_changed,
        ):
            signal.connect(self.page.refresh)
        self.workspace.show(prepared.document())
        self.table = self.page.table
        self.until(lambda: self.table.cells.rowCount() > 0)

    def until(self, holds: Callable[[], Any]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=20_000)

    def edit(self, function: Callable[..., Recipe], *arguments: Any, **named: Any) -> None:
        """Change the recipe as another page would, and wait for what follows."""
        assert self.workspace.edit(function, *arguments, **named)
        self.until(lambda: self.idle)

    @property
    def idle(self) -> bool:
        session = self.workspace.session
        return self.runner.running is None and session is not None and not session.due()

    @property
    def found(self) -> Compositions:
        found: Compositions = self.workspace.result("quantification")
        return found

    @property
    def entry(self) -> Entry:
        assert self.page.entry is not None
        return self.page.entry

    def choose(self, box: Any, text: str) -> None:
        """In a list, by its keys."""
        texts = [box.itemText(i) for i in range(box.count())]
        box.setFocus()
        self.qtbot.keyClick(box, Key.Key_Home)
        for _ in range(texts.index(text)):
            self.qtbot.keyClick(box, Key.Key_Down)
        assert box.currentText() == text

    def titles(self) -> list[str]:
        """The headers as they are seen, those of hidden columns left out."""
        across = Qt.Orientation.Horizontal
        return [
            str(self.table.cells.headerData(c, across)).replace("\n", " ")
            for c in range(self.table.cells.columnCount())
            if not self.table.isColumnHidden(c)
        ]

    def index(self, element: str, title: str = "value") -> Any:
        model = self.table.cells
        column = next(c for c in range(model.columnCount()) if model.head(c).key == title)
        return model.index(model.table.elements.index(element), column)

    def text(self, element: str, title: str = "value") -> str:
        return str(self.index(element, title).data())

    def click(self, element: str, title: str = "value", modifier: Any = None) -> None:
        place = self.table.visualRect(self.index(element, title)).center()
        port = self.table.viewport()
        self.qtbot.mouseClick(port, LEFT, modifier or Qt.KeyboardModifier.NoModifier, place)

    def press(self, key: Any, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
        self.table.setFocus()
        self.qtbot.keyClick(self.table, key, modifier)

    def shows_line(self, element: str) -> bool:
        """Whether the line of an element is in the middle of the fit, and the view is narrow."""
        energy = self.entry.composition[element].energy_keV
        assert energy is not None
        low, high = self.page.fit_view.x_range()
        return abs((low + high) / 2 - energy) < 0.1 and high - low < 2.0

    def paste(self) -> tuple[list[str], list[list[str]]]:
        clipboard = QGuiApplication.clipboard()
        assert clipboard is not None
        rows = list(csv.reader(io.StringIO(clipboard.text()), delimiter="\t"))
        return rows[0], rows[1:]


@pytest.fixture
def stage(qtbot: QtBot, prepared: Prepared, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(qtbot, prepared, Preferences(tmp_path / "settings.ini"))
    yield made
    made.runner.close()


# The table


def test_every_kind_of_composition_is_listed(stage: Stage) -> None:
    box = stage.page.entry_box
    texts = [box.itemText(i) for i in range(box.count())]
    assert texts == [*map(entry_title, stage.found.entries), COMPARE]
    for part in ("by hand (Fp), ROI, as measured", "ROI, matrix subtracted", "sum of the maps"):
        assert any(part in text for text in texts), part


@pytest.mark.parametrize("entry", ["Brg, mask, demo", "by hand (Fp), ROI, matrix subtracted, demo"])
def test_an_entry_chosen_by_keys_is_what_the_table_shows(stage: Stage, entry: str) -> None:
    stage.choose(stage.page.entry_box, entry)
    assert entry_title(stage.entry) == entry
    for row in stage.entry.composition.rows:
        shown = stage.table.cells.cell(stage.index(row.element).row(), 1)
        if shown.number is not None:
            assert shown.number == row.atomic_percent
    assert f"{stage.entry.pixels:,} pixels" in stage.page.fit_line.text()
    curve = stage.page.fit_view.plot.shown_curves()[0]
    assert curve.values is stage.entry.composition.fit.spectrum.counts


def test_a_switch_of_unit_leaves_no_stale_header_or_value(stage: Stage) -> None:
    stage.page.options.poisson.setChecked(True)
    stage.click("Mg")
    for name, unit in UNITS.items():
        stage.choose(stage.page.unit_box, name)
        with_unit = [title for title in stage.titles() if title.endswith(f" ({name})")]
        assert len(with_unit) == 6, name
        for other in set(UNITS) - {name}:
            assert not any(f"({other})" in title for title in stage.titles())
        value = getattr(stage.entry.composition["Mg"], unit.value) * unit.factor
        shown = float(stage.text("Mg").replace(",", ""))
        assert shown == pytest.approx(value, rel=0.02)
        assert stage.index("Mg") == stage.table.currentIndex(), "the cell stays where it was"


def test_the_unit_is_remembered(stage: Stage, qtbot: QtBot, prepared: Prepared) -> None:
    preferences = stage.workspace.preferences
    assert preferences is not None
    stage.choose(stage.page.unit_box, "oxide wt.%")
    assert preferences.save()
    again = Stage(qtbot, prepared, Preferences(preferences.path))
    assert again.page.unit_box.currentText() == "oxide wt.%"
    assert again.titles()[1] == "value (oxide wt.%)"
    down = Qt.Orientation.Vertical
    labels = [again.table.cells.headerData(row, down) for row in range(4)]
    assert labels == ["O", "MgO", "Al₂O₃", "SiO₂"]
    again.runner.close()


def test_columns_of_numbers_have_their_headers_and_points_under_each_other(stage: Stage) -> None:
    model = stage.table.cells
    right = Qt.AlignmentFlag.AlignRight
    for column in range(model.columnCount()):
        numeric = model.head(column).numeric
        aligned = model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole(7))
        assert isinstance(aligned, Qt.AlignmentFlag)
        assert bool(aligned & right) == numeric
        digits = set()
        for row in range(model.rowCount()):
            side = model.data(model.index(row, column), Qt.ItemDataRole.TextAlignmentRole)
            assert isinstance(side, Qt.AlignmentFlag)
            assert bool(side & right) == numeric
            if model.cell(row, column).decimals is not None:
                shown = model.cell(row, column).text + model.missing_digits(row, column)
                digits.add(len(shown.partition(".")[2]))
        assert len(digits) <= 1, model.head(column).title


def test_the_main_columns_fit_beside_each_other_on_a_small_screen(stage: Stage) -> None:
    # of 1366 pixels, steps and settings leave 930
    stage.window.resize(930 + 290 + 18, 620)
    for name in UNITS:
        stage.choose(stage.page.unit_box, name)
        bar = stage.table.horizontalScrollBar()
        assert bar is not None
        stage.until(lambda bar=bar: bar.maximum() == 0)


def test_no_title_and_no_number_is_cut(stage: Stage) -> None:
    for box in (stage.page.options.poisson, stage.page.options.factors):
        box.setChecked(True)
    for name in UNITS:
        stage.choose(stage.page.unit_box, name)
        metrics = stage.table.fontMetrics()
        for column in range(stage.table.cells.columnCount()):
            texts = stage.table.cells.widest_texts(column)
            texts += stage.table.cells.title(column).split("\n")
            widest = max(map(metrics.horizontalAdvance, texts))
            assert widest + 6 <= stage.table.columnWidth(column)


def test_more_columns_and_the_lines_of_the_instrument_are_a_tick_away(stage: Stage) -> None:
    options = stage.page.options
    assert not any(title.startswith(("k to", "± Poisson")) for title in stage.titles())
    for box in (options.poisson, options.factors, options.instrument):
        box.setFocus()
        stage.qtbot.keyClick(box, Key.Key_Space)
    assert any(title.startswith("k to") for title in stage.titles())
    assert "± Poisson (at.%)" in stage.titles()
    assert stage.text("Cu", "state") == "instrument line"
    fit = stage.entry.composition.fit
    index = fit.find("Cu", "K")
    assert index is not None
    assert stage.text("Cu", "net") == f"{fit.areas[index]:,.0f}".replace("-", "−")
    stage.click("Cu")
    assert stage.workspace.focus.element == "Cu"
    options.instrument.setChecked(False)
    assert "Cu" not in stage.table.cells.table.elements


# The line of an element


def test_a_click_on_a_row_shows_its_line_scaled_so_that_a_trace_is_seen(stage: Stage) -> None:
    for element in ("Al", "Fe"):
        stage.click(element)
        assert stage.workspace.focus.element == element
        assert stage.shows_line(element)
        fit = stage.entry.composition.fit
        view = stage.page.fit_view
        energy = stage.entry.composition[element].energy_keV
        assert energy is not None
        peak = float(fit.fitted[fit.window(energy)].max())
        low, high = view.plot.y_range()
        assert 0.25 < (peak - low) / (high - low) < 0.95
        assert f"{element} on background" in [c.name for c in view.plot.shown_curves()]
        marked = {m.label for m in view.plot.markers.markers if m.emphasised}
        assert marked
        assert all(label.startswith(f"{element} ") for label in marked)


def test_over_the_whole_spectrum_the_tallest_peaks_and_the_chosen_line_are_named(
    stage: Stage,
) -> None:
    stage.workspace.look(element="Sm")
    stage.page.fit()
    named = {m.label for m, place in stage.page.fit_view.plot.markers.labels if place is not None}
    assert {"O Kα", "Mg Kα", "Si Kα", "Sm Lα"} <= named


def test_what_an_element_adds_is_drawn_from_the_background_to_the_fit(stage: Stage) -> None:
    stage.click("Fe")
    fit = stage.entry.composition.fit
    shown = {c.name: c for c in stage.page.fit_view.plot.shown_curves()}["Fe on background"]
    drawn = np.isfinite(shown.values)
    columns = [i for i, column in enumerate(fit.columns) if column.element == "Fe"]
    part = sum(fit.areas[i] * fit.shapes[:, i] for i in columns)
    np.testing.assert_allclose(shown.values[drawn], (fit.background + part)[drawn])
    assert np.abs(part[~drawn]).max() < 0.01 * np.abs(part).max()
    residual = stage.page.fit_view.plot.residuals
    assert residual is not None
    expected = (fit.spectrum.counts - fit.fitted) / np.sqrt(fit.variance)
    np.testing.assert_allclose(residual.curve.values, expected)


def test_the_arrow_keys_go_from_line_to_line(stage: Stage) -> None:
    stage.click("Mg")
    stage.press(Key.Key_Down)
    assert stage.shows_line("Al")
    stage.press(Key.Key_Up)
    stage.press(Key.Key_Up)
    assert stage.shows_line("O")
    # along the row the place in the spectrum stays as the person put it
    stage.page.fit()
    stage.press(Key.Key_Right)
    assert not stage.shows_line("O")
    stage.press(Key.Key_Return)
    assert stage.shows_line("O")


def test_a_click_on_an_element_at_the_left_shows_its_line(stage: Stage) -> None:
    header = stage.table.verticalHeader()
    assert header is not None
    row = stage.index("Ca").row()
    place = QPoint(8, header.sectionViewportPosition(row) + 8)
    stage.qtbot.mouseClick(header.viewport(), LEFT, pos=place)
    assert stage.shows_line("Ca")
    assert len(stage.table.selectedIndexes()) > 5


def test_the_row_of_the_chosen_element_is_marked_whoever_chose_it(stage: Stage) -> None:
    stage.workspace.look(element="Si")
    tinted = Qt.ItemDataRole.BackgroundRole
    model = stage.table.cells
    marked = [
        model.table.elements[row]
        for row in range(model.rowCount())
        if model.data(model.index(row, 3), tinted) is not None
    ]
    assert marked == ["Si"]
    assert stage.page.fit_view.element == "Si"


def test_double_click_and_the_button_show_the_whole_spectrum_again(stage: Stage) -> None:
    view = stage.page.fit_view
    whole = view.x_range()
    place = stage.table.visualRect(stage.index("Fe")).center()
    stage.click("Fe")
    stage.qtbot.mouseDClick(stage.table.viewport(), LEFT, pos=place)
    assert view.x_range() == whole
    stage.click("Fe")
    assert view.x_range() != whole
    stage.qtbot.mouseClick(stage.page.whole, LEFT)
    assert view.x_range() == whole


def test_another_entry_keeps_the_line_in_view_and_scales_to_it(stage: Stage) -> None:
    stage.choose(stage.page.entry_box, "Fp, mask, demo")
    stage.click("Al")
    small = stage.page.fit_view.plot.y_range()[1]
    stage.choose(stage.page.entry_box, "Brg, mask, demo")
    assert stage.shows_line("Al")
    assert stage.page.fit_view.plot.y_range()[1] > 3 * small


def test_the_key_l_switches_the_log_scale_also_over_the_table(stage: Stage) -> None:
    assert stage.page.key_tool("L")
    assert stage.page.fit_view.is_log()
    assert stage.page.log.isChecked()
    stage.qtbot.mouseClick(stage.page.log, LEFT)
    assert not stage.page.fit_view.is_log()
    # the table leaves letters to the window, where Qt would search its cells for them
    heard: list[int] = []
    stage.window.keyPressEvent = lambda event: heard.append(event.key())  # type: ignore[method-assign, union-attr]
    stage.press(Key.Key_L)
    assert heard == [Key.Key_L]


def test_the_status_bar_is_told_what_the_fit_has_under_the_pointer(stage: Stage) -> None:
    fit = stage.entry.composition.fit
    axis = fit.spectrum.axis
    channel = 120
    energy = axis.start_keV + channel * axis.step_keV
    text = stage.page.fit_view.describe(energy)
    assert f"{fit.spectrum.counts[channel]:,.0f} counts" in text
    assert text.startswith(f"{energy:.3f} keV")
    assert stage.page.fit_view.describe(None) == ""


# Side by side


def test_all_phases_side_by_side_and_the_fit_of_the_column_looked_at(stage: Stage) -> None:
    stage.choose(stage.page.entry_box, COMPARE)
    compared = [e for e in stage.found.entries if e.source != "mixture"]
    assert stage.table.cells.columnCount() == 2 * len(compared)
    assert len(compared) >= 8
    for number, entry in enumerate(compared):
        shown = stage.table.cells.cell(stage.index("Fe").row(), 2 * number)
        assert shown.number == entry.composition["Fe"].atomic_percent
    stage.press(Key.Key_Home)
    stage.press(Key.Key_Right)
    stage.press(Key.Key_Right)
    assert stage.entry is compared[1]
    assert stage.page.fit_line.text().startswith(entry_title(compared[1]))
    assert stage.page.fit_view.entry is compared[1]


# Copying


def test_ctrl_c_in_the_table_pastes_as_numbers(stage: Stage) -> None:
    stage.click("Mg")
    stage.press(Key.Key_C, CONTROL)
    titles, rows = stage.paste()
    assert titles[0] == "element"
    assert "value (at.%)" in titles
    assert "± Poisson (at.%)" not in titles, "what is hidden is not copied"
    assert [row[0] for row in rows] == list(stage.table.cells.table.elements)
    values = {row[0]: row[titles.index("value (at.%)")] for row in rows}
    for row in stage.entry.composition.rows:
        if row.detected in ("yes", "quantifiable"):
            assert float(values[row.element]) == pytest.approx(row.atomic_percent, rel=1e-6)
        else:
            assert values[row.element] in ("< LOD", "assumed absent")
    nets = [float(row[titles.index("net (counts)")]) for row in rows]
    expected = [row.net_counts for row in stage.entry.composition.rows]
    np.testing.assert_allclose(nets, np.array(expected, dtype=float), rtol=1e-6)


def test_a_selected_block_is_copied_with_its_elements_and_headers(stage: Stage) -> None:
    stage.click("Mg", "value")
    stage.click("Si", "sigma", SHIFT)
    stage.press(Key.Key_C, CONTROL)
    titles, rows = stage.paste()
    assert titles == ["element", "value (at.%)", "± stat. (at.%)"]
    assert [row[0] for row in rows] == ["Mg", "Al", "Si"]
    stage.qtbot.mouseClick(stage.page.copy_button, LEFT)
    titles, rows = stage.paste()
    assert len(rows) == stage.table.cells.rowCount()
    assert len(titles) > 10


# Export


def answer(monkeypatch: pytest.MonkeyPatch, file: Path, kind: str = "") -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), kind))


def test_the_exported_table_is_the_one_of_the_command(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = tmp_path / "expected.csv"
    write_composition_csv(
        wanted,
        [
            (Heading(e.phase, e.source, e.map, e.pixels, e.label), e.composition)
            for e in stage.found.entries
        ],
    )
    answer(monkeypatch, tmp_path / "Fp 1.5")  # the ending is added, the name kept
    stage.qtbot.mouseClick(stage.page.table_button, LEFT)
    written = tmp_path / "Fp 1.5.csv"
    assert written.read_bytes() == wanted.read_bytes()
    assert stage.said[-1].kind == "info"
    assert str(written) in stage.said[-1].text
    preferences = stage.workspace.preferences
    assert preferences is not None
    assert preferences.last_folder == tmp_path
    stage.qtbot.mouseClick(stage.page.table_button, LEFT)
    assert stage.said[-1].kind == "error"
    assert "exists already" in stage.said[-1].text, "nobody was asked about that name"


@pytest.mark.parametrize("ending", [".svg", ".png", ".csv", ".msa"])
def test_the_fit_is_exported_as_figure_table_and_spectrum(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    stage.choose(stage.page.entry_box, "Fp, mask, demo")
    file = tmp_path / f"fit{ending}"
    answer(monkeypatch, file)
    stage.qtbot.mouseClick(stage.page.fit_button, LEFT)
    fit = stage.entry.composition.fit
    if ending == ".svg":
        assert "Fp, mask, demo" in file.read_text("utf-8")
    elif ending == ".png":
        assert QImage(str(file)).width() == 2000
    elif ending == ".csv":
        lines = file.read_text("utf-8").splitlines()
        rows = [r for r in csv.reader(lines) if not r[0].startswith("#")]
        table = np.array([[float(x) for x in row] for row in rows[1:]])
        np.testing.assert_allclose(table[:, 1], fit.spectrum.counts, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(table[:, -2], fit.fitted, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(table[:, -1], fit.background, rtol=1e-6, atol=1e-6)
    else:
        text = file.read_text("utf-8")
        assert "#TITLE" in text
        assert "Fp, mask, demo" in text
    assert stage.page.fit_view.plot.title == "", "the title is for the figure alone"


def test_a_figure_without_an_ending_gets_that_of_its_kind(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, tmp_path / "fit", "Spectrum (*.msa)")
    stage.qtbot.mouseClick(stage.page.fit_button, LEFT)
    assert (tmp_path / "fit.msa").is_file()


def test_a_place_where_nothing_can_be_written_is_said(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    answer(monkeypatch, tmp_path / "file" / "composition.csv")
    stage.qtbot.mouseClick(stage.page.table_button, LEFT)
    assert stage.said[-1].kind == "error"
    assert str(tmp_path / "file") in stage.said[-1].text


# Changes


def test_the_change_column_tells_the_difference_to_the_result_before(stage: Stage) -> None:
    stage.choose(stage.page.entry_box, "Fp, mask, demo")
    assert stage.text("O", "change") == "–"
    before = stage.entry.composition["O"].atomic_percent
    stage.edit(set_density, "Fp", 6.0)
    now = stage.entry.composition["O"].atomic_percent
    assert before is not None
    assert now is not None
    assert now - before > 0.5, "more absorption is corrected"
    shown = stage.table.cells.cell(stage.index("O").row(), stage.index("O", "change").column())
    assert shown.number == pytest.approx(now - before)
    assert shown.text.startswith("+")
    assert stage.page.entry_box.currentText() == "Fp, mask, demo"
    stage.workspace.undo()
    stage.until(lambda: stage.idle)
    assert stage.text("O", "change").startswith("−")


def test_another_document_is_not_compared_with_this_one(stage: Stage, prepared: Prepared) -> None:
    found = stage.found
    entries = tuple(replace(e, pixels=7) for e in found.entries)
    document = Document(prepared.recipe)
    document.session.results = {
        key: replace(found, entries=entries) if value is found else value
        for key, value in prepared.results.items()
    }
    stage.workspace.show(document)
    assert "7 pixels" in stage.page.fit_line.text()
    assert {stage.text(e, "change") for e in stage.table.cells.table.elements} == {"–"}


def test_selection_and_scroll_stay_when_new_numbers_arrive(stage: Stage) -> None:
    stage.window.resize(1000, 420)
    stage.page.splitter.setSizes([90, 300])
    bar = stage.table.verticalScrollBar()
    assert bar is not None
    stage.until(lambda: bar.maximum() > 2)
    stage.click("O", "state")
    stage.press(Key.Key_Down)
    bar.setValue(2)
    chosen = stage.table.currentIndex()
    stage.edit(set_density, "Fp", 5.0)
    assert stage.table.currentIndex() == chosen
    assert stage.table.selectedIndexes() == [chosen]
    assert bar.value() == 2
    # an element more: the cell is found again in its new row
    assert stage.workspace.recipe is not None
    sample = stage.workspace.recipe.sample
    stage.edit(set_elements, ("C", *sample.elements), ("Cu",))
    assert stage.table.currentIndex() == stage.index("Mg", "state")
    assert stage.workspace.focus.element == "Mg"


def test_a_refresh_without_news_draws_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(stage.table, "show_table", lambda *_: drawn.append("table"))
    monkeypatch.setattr(stage.page.fit_view, "show_entry", lambda *_: drawn.append("fit"))
    for _ in range(3):
        stage.page.refresh()
    assert drawn == []


def test_the_table_is_greyed_until_it_is_current_and_nothing_leaves_it_meanwhile(
    stage: Stage,
) -> None:
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    clipboard.setText("untouched")
    assert stage.workspace.edit(set_density, "Fp", 5.5)
    page = stage.page
    assert page.veil.isVisible()
    assert "out of date" in page.veil.text
    buttons = (page.copy_button, page.table_button, page.fit_button)
    assert not any(button.isEnabled() for button in buttons)
    stage.press(Key.Key_C, CONTROL)
    assert clipboard.text() == "untouched"
    assert "out of date" in stage.said[-1].text
    stage.until(lambda: stage.idle)
    assert not page.veil.isVisible()
    assert all(button.isEnabled() for button in buttons)


def test_the_precipitate_looked_at_elsewhere_is_shown_and_the_other_way_round(stage: Stage) -> None:
    stage.workspace.look(precipitate="CaPv")
    assert stage.entry.phase == "CaPv"
    stage.choose(stage.page.entry_box, "Brg, mask, demo")
    stage.page.refresh()
    assert stage.entry.phase == "Brg", "what is chosen here stays"
    stage.choose(stage.page.entry_box, "Fp, mask, sum of the maps")
    assert stage.workspace.focus.precipitate == "Fp"
    assert stage.entry.map == "sum"
    stage.choose(stage.page.entry_box, COMPARE)
    stage.workspace.look(precipitate="CaPv")
    assert stage.page.entry_box.value == COMPARE


def test_a_renamed_precipitate_is_followed(stage: Stage) -> None:
    stage.choose(stage.page.entry_box, "by hand (Fp), ROI, as measured, demo")
    before = {step: stage.workspace.result(step) for step in ("masks", "subtraction")}
    assert stage.workspace.edit(rename_precipitate, "Fp", "Periclase")
    # what the steps give is the same under another name
    old: Compositions = stage.workspace.shown("quantification").value
    renamed = tuple(replace(e, phase=e.phase.replace("Fp", "Periclase")) for e in old.entries)
    session = stage.workspace.session
    assert session is not None
    for step, value in before.items():
        assert session.accept(session.key(step, "demo"), value)
    assert session.accept(session.key("quantification"), replace(old, entries=renamed))
    stage.page.refresh()
    assert entry_title(stage.entry) == "by hand (Periclase), ROI, as measured, demo"


# What fails


def test_a_k_factor_file_with_a_fault_is_said_over_the_greyed_table(
    stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "k.csv"  # spoiled after it was chosen, or named in the recipe by hand
    file.write_text("element,line,k,basis\nMg,Ka,much,weight\n", encoding="utf-8")
    stage.edit(set_quantification, k_factors=str(file))
    page = stage.page
    factors = page.options.quantification.factors
    assert factors.source.text() == "file k.csv"
    assert factors.source.toolTip().splitlines()[0] == str(file)
    assert page.banner.kind == "error"
    assert 'the k-factor "much" is not a positive number' in page.banner.text
    assert page.veil.isVisible()
    assert "message above" in page.veil.text
    assert stage.table.cells.rowCount() > 0, "the old numbers stay, greyed"
    # mended in the file, and run again by the button of the banner
    lines = ["O,Ka", "Mg,Ka", "Al,Ka", "Si,Ka", "Ca,Ka", "Fe,Ka", "Nd,La", "Sm,La", "U,Ma"]
    table = "".join(f"{line},{2.0 if line == 'Mg,Ka' else 1.0},weight\n" for line in lines)
    file.write_text(f"element,line,k,basis\n{table}", encoding="utf-8")
    stage.qtbot.mouseClick(page.banner.action, LEFT)
    stage.until(lambda: stage.idle and not page.veil.isVisible())
    assert page.banner.text == ""
    rows = stage.entry.composition
    assert rows["Mg"].k_factor is not None
    assert rows["Fe"].k_factor is not None
    assert rows["Mg"].k_factor == pytest.approx(2 * rows["Fe"].k_factor)
    stage.qtbot.mouseClick(factors.computed, LEFT)
    stage.until(lambda: stage.idle)
    assert stage.workspace.recipe is not None
    assert stage.workspace.recipe.quantification.k_factors == "computed"


def test_a_precipitate_that_could_not_be_quantified_is_said(
    stage: Stage, prepared: Prepared
) -> None:
    found = stage.found
    failing = replace(found, failures={"Fp": 'Fp on map "demo": it holds no counts'})
    document = Document(prepared.recipe)
    document.session.results = {
        key: failing if value is found else value for key, value in prepared.results.items()
    }
    stage.workspace.show(document)
    assert stage.page.banner.kind == "warning"
    assert stage.page.banner.text == 'Fp on map "demo": it holds no counts'
    assert not stage.page.veil.isVisible()


def test_without_elements_the_page_says_where_they_are_chosen(stage: Stage) -> None:
    assert stage.workspace.recipe is not None
    recipe = set_elements(stage.workspace.recipe, (), ())
    stage.workspace.show(Document(recipe))
    assert "Map page" in stage.page.empty.text()
    assert stage.page.empty.isVisible()


# Settings


def test_the_reference_of_the_k_factors_is_chosen_and_said_in_the_header(stage: Stage) -> None:
    stage.page.options.factors.setChecked(True)
    reference = stage.page.options.quantification.factors.reference
    stage.choose(reference, "Mg")
    stage.until(lambda: stage.idle)
    assert "k to Mg (weight)" in stage.titles()
    assert stage.text("Mg", "k") == "1.0000"
    stage.edit(set_quantification, reference=None)
    assert reference.currentText() == "strongest line"


def test_the_colours_follow_the_theme(stage: Stage) -> None:
    stage.click("Fe")
    try:
        THEME.choose("dark")
        assert colours() is DARK
        model = stage.table.cells
        header = model.headerData(
            stage.index("Fe").row(), Qt.Orientation.Vertical, Qt.ItemDataRole.BackgroundRole
        )
        assert header.color().name() == DARK.accent  # type: ignore[attr-defined]
        emphasised = [m for m in stage.page.fit_view.plot.markers.markers if m.emphasised]
        assert {m.colour for m in emphasised} == {DARK.second_line}
    finally:
        THEME.choose("light")
    assert colours() is LIGHT


def test_tab_goes_from_control_to_control_in_the_order_of_reading(stage: Stage) -> None:
    page = stage.page
    page.entry_box.setFocus()
    passed = []
    for _ in range(9):
        focused = QApplication.focusWidget()
        passed.append(focused)
        assert focused is not None
        stage.qtbot.keyClick(focused, Key.Key_Tab)
    assert passed[:6] == [
        page.entry_box,
        page.unit_box,
        page.copy_button,
        page.table_button,
        page.fit_button,
        page.table,
    ]
    assert page.log in passed[6:]
    assert page.whole in passed[6:]
    assert page.fit_view.plot.canvas in passed[6:]


def test_every_control_has_a_name_and_says_what_it_does(stage: Stage) -> None:
    page = stage.page
    options = page.options
    for control in (
        page.entry_box,
        page.unit_box,
        page.copy_button,
        page.table_button,
        page.fit_button,
        page.log,
        page.whole,
        page.table,
        page.fit_view,
        options.poisson,
        options.factors,
        options.instrument,
    ):
        assert control.accessibleName()
        assert control.toolTip()
    model = stage.table.cells
    spoken = model.data(stage.index("Fe", "sigma"), Qt.ItemDataRole.AccessibleTextRole)
    assert str(spoken).startswith("Fe, ± stat. (at.%): ")
