"""The Statistics page by hand: choices, numbers typed, results on request, plots and lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PyQt6.QtCore import QModelIndex, QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from endmember.session.decisions import edits
from endmember.session.documents.document import Document
from endmember.session.views.composition_view import entry_key
from endmember.session.views.element_table import NO_VALUE
from endmember.session.views.outlook_view import LOD
from endmember.ui.pages.composition.composition_entries import OVER_MAPS
from endmember.ui.pages.composition.composition_page import CompositionPage
from endmember.ui.pages.composition.typed_table import StatisticsTable
from endmember.ui.pages.statistics.agreement_tab import AgreementTab
from endmember.ui.pages.statistics.balance_tab import BalanceTab
from endmember.ui.pages.statistics.growth_tab import GrowthTab
from endmember.ui.pages.statistics.line_tab import LineTab
from endmember.ui.pages.statistics.outlook_tab import OutlookTab
from endmember.ui.pages.statistics.robustness_tab import RobustnessTab
from endmember.ui.pages.statistics.statistics_page import StatisticsPage
from endmember.ui.window.map_switch import StepsPanel, look_at_next
from endmember.ui.window.step_list import StepList
from page_stage import LEFT, Stage
from several_maps import two_finished_maps

NO_SELECTION = Qt.KeyboardModifier.NoModifier


def finished_document() -> Document:
    """Maps a and b with all their results."""
    _, session = two_finished_maps()
    document = Document(session.recipe)
    document.session.results = dict(session.results)
    return document


class Hands(Stage[StatisticsPage]):
    """A person at the Statistics page."""

    def __init__(self, qtbot: QtBot) -> None:
        super().__init__(qtbot, StatisticsPage)
        self.window.activateWindow()
        self.open(finished_document())

    def tab(self, title: str) -> Any:
        """Click a tab and give what it shows."""
        bar = self.page.tabs
        index = [bar.tabText(i) for i in range(bar.count())].index(title)
        QTest.mouseClick(bar, LEFT, NO_SELECTION, bar.tabRect(index).center())
        return self.page.part

    def choose(self, box: QComboBox, text: str) -> None:
        """Go to a choice by keys, and take it."""
        box.setFocus()
        QTest.keyClick(box, Qt.Key.Key_Home)
        for _ in range(box.findText(text)):
            QTest.keyClick(box, Qt.Key.Key_Down)
        assert box.currentText() == text

    def cell(self, table: StatisticsTable, element: str, key: str) -> QModelIndex:
        shown = table.cells.table
        heads = [head.key for head in shown.heads]
        return table.cells.index(shown.elements.index(element), heads.index(key) - 1)

    def text(self, table: StatisticsTable, element: str, key: str) -> str:
        return str(self.cell(table, element, key).data())

    def go_to(self, table: StatisticsTable, element: str, key: str) -> None:
        """Click a cell."""
        index = self.cell(table, element, key)
        table.scrollTo(index)
        place = table.visualRect(index).center()
        QTest.mouseClick(table.viewport(), LEFT, NO_SELECTION, place)
        assert table.currentIndex() == index

    def type(self, table: StatisticsTable, element: str, key: str, text: str) -> None:
        """Click a cell, type a number, and press Enter."""
        self.go_to(table, element, key)
        QTest.keyClick(table, text[0])
        line = table.findChild(QLineEdit)
        assert line is not None
        QTest.keyClicks(line, text[1:])
        QTest.keyClick(line, Qt.Key.Key_Return)
        self.until(lambda: table.findChild(QLineEdit) is None)


@pytest.fixture
def hands(qtbot: QtBot) -> Iterator[Hands]:
    stage = Hands(qtbot)
    yield stage
    stage.runner.close()


def test_the_maps_are_compared_side_by_side_and_one_phase_with_its_values(hands: Hands) -> None:
    tab: AgreementTab = hands.tab("Maps agree?")
    hands.until(lambda: tab.table.cells.rowCount() > 0)
    titles = [head.title for head in tab.table.cells.table.heads]
    assert "chi-squared of Fp, mask" in titles
    assert tab.verdict.text()
    hands.choose(tab.spectra_box, "Fp, mask")
    titles = [head.title for head in tab.table.cells.table.heads]
    assert titles[1:5] == ["a", "± stat. of a", "b", "± stat. of b"]
    hands.go_to(tab.table, "Fe", "chi")
    assert hands.workspace.focus.element == "Fe"


def test_what_is_being_typed_survives_results_that_come_meanwhile(hands: Hands) -> None:
    tab: BalanceTab = hands.tab("Mass balance")
    hands.until(lambda: tab.table.cells.rowCount() > 0)
    hands.type(tab.table, "Fe", "bulk", "3.5")
    hands.go_to(tab.table, "Mg", "bulk")
    QTest.keyClick(tab.table, "1")
    line = tab.table.findChild(QLineEdit)
    assert line is not None
    hands.workspace.results_changed.emit()  # as when the balance of the number before is there
    QTest.keyClicks(line, "8.25")
    QTest.keyClick(line, Qt.Key.Key_Return)
    hands.until(lambda: tab.table.findChild(QLineEdit) is None)
    assert dict(hands.recipe.sample.bulk) == {"Fe": 3.5, "Mg": 18.25}
    hands.until(lambda: hands.text(tab.table, "Mg", "bulk") != "")
    hands.until(lambda: hands.text(tab.table, "Mg", "bulk_difference") != "")


def test_each_number_typed_into_the_bulk_is_one_undo(hands: Hands) -> None:
    tab: BalanceTab = hands.tab("Mass balance")
    hands.until(lambda: tab.table.cells.rowCount() > 0)
    hands.type(tab.table, "Fe", "bulk", "3.5")
    hands.type(tab.table, "Fe", "bulk_sigma", ".2")
    hands.type(tab.table, "Mg", "bulk", "18,25")  # a decimal comma
    assert dict(hands.recipe.sample.bulk) == {"Fe": 3.5, "Mg": 18.25}
    assert dict(hands.recipe.sample.bulk_sigma) == {"Fe": 0.2}
    hands.until(lambda: hands.text(tab.table, "Fe", "bulk_difference"))
    whole = float(hands.text(tab.table, "Fe", "whole"))
    shown = float(hands.text(tab.table, "Fe", "bulk_difference").replace("−", "-"))
    assert shown == pytest.approx(whole - 3.5, abs=0.05)
    hands.workspace.undo()
    assert dict(hands.recipe.sample.bulk) == {"Fe": 3.5}
    hands.workspace.undo()
    assert not hands.recipe.sample.bulk_sigma
    hands.workspace.undo()
    assert not hands.recipe.sample.bulk
    assert hands.workspace.session is not None
    assert not hands.workspace.session.can_undo
    assert not hands.workspace.session.due()  # no composition depends on it


def test_a_cell_is_emptied_by_delete_left_by_escape_and_refuses_what_is_no_number(
    hands: Hands,
) -> None:
    tab: BalanceTab = hands.tab("Mass balance")
    hands.until(lambda: tab.table.cells.rowCount() > 0)
    hands.type(tab.table, "Fe", "bulk", "8")
    hands.go_to(tab.table, "Fe", "bulk")
    QTest.keyClick(tab.table, Qt.Key.Key_F2)
    line = tab.table.findChild(QLineEdit)
    assert line is not None
    assert line.text() == "8"
    QTest.keyClicks(line, "99")
    QTest.keyClick(line, Qt.Key.Key_Escape)
    hands.until(lambda: tab.table.findChild(QLineEdit) is None)
    assert dict(hands.recipe.sample.bulk) == {"Fe": 8.0}
    hands.type(tab.table, "Fe", "bulk", "1.2.3")
    assert "is no number" in hands.said[-1].text
    hands.type(tab.table, "Mg", "bulk", "99")
    assert "adds up to 107" in hands.said[-1].text
    assert dict(hands.recipe.sample.bulk) == {"Fe": 8.0}
    hands.go_to(tab.table, "Fe", "bulk")
    QTest.keyClick(tab.table, Qt.Key.Key_Delete)
    assert not hands.recipe.sample.bulk
    hands.go_to(tab.table, "Fe", "whole")
    QTest.keyClick(tab.table, Qt.Key.Key_Delete)
    QTest.keyClick(tab.table, "5")
    assert not hands.recipe.sample.bulk  # measured values are not typed


def test_a_goal_is_typed_and_says_what_it_needs_on_each_map_and_on_their_sum(
    hands: Hands,
) -> None:
    tab: OutlookTab = hands.tab("Outlook")
    row = hands.page.subject_row
    hands.choose(row.phase_box, "Brg")
    now = float(hands.text(tab.table, "Fe", f"{LOD} now").replace(",", ""))
    hands.type(tab.table, "Fe", LOD, f"{now / 2:.0f}")
    assert hands.recipe.goal.lod_ppm["Fe"] == pytest.approx(now / 2, abs=0.5)
    hands.until(lambda: hands.text(tab.table, "Fe", f"{LOD} maps"))
    one = int(hands.text(tab.table, "Fe", f"{LOD} maps"))
    assert one in (4, 5)  # twice the limit from four times the counts, the limit rounded
    hands.choose(row.map_box, "sum of the maps")
    # two maps have nearly half of what is needed, to within what the maps differ by
    assert int(hands.text(tab.table, "Fe", f"{LOD} maps")) in (one - 1, one, one + 1)
    hands.choose(row.phase_box, "Fp")
    assert hands.workspace.focus.precipitate == "Fp"


def test_growth_is_computed_on_request_can_be_cancelled_and_is_found_again_after_undo(
    hands: Hands,
) -> None:
    tab: GrowthTab = hands.tab("Pixels")
    request = tab.request
    assert "Press Compute" in tab.shown.word.text()
    QTest.mouseClick(request.button, LEFT)
    assert request.cancel.isVisible()
    assert request.bar.isVisible()
    QTest.mouseClick(request.cancel, LEFT)
    assert request.button.isVisible()
    hands.until(lambda: hands.runner.running is None)
    assert hands.workspace.on_request.answer("snr_growth") is None

    request.button.setFocus()
    QTest.keyClick(request.button, Qt.Key.Key_Space)
    hands.until(lambda: hands.workspace.on_request.answer("snr_growth") is not None)
    points = hands.workspace.on_request.answer("snr_growth")
    found = hands.workspace.result("quantification")
    whole = next(e for e in found.entries if (e.phase, e.source, e.map) == ("Brg", "mask", "a"))
    last = [p for p in points if (p.phase, p.map, p.element) == ("Brg", "a", "Fe")][-1]
    assert (last.pixels, last.snr) == (whole.pixels, pytest.approx(whole.composition["Fe"].snr))
    hands.choose(hands.page.subject_row.element_box, "Fe")
    hands.choose(hands.page.subject_row.phase_box, "Fp")
    assert "sum of the maps" in tab.legend.text()
    hands.until(lambda: "a strong line" in tab.snr.accessibleDescription())
    hands.choose(hands.page.subject_row.element_box, "Nd")
    hands.until(lambda: "σ at" in tab.snr.accessibleDescription())
    hands.choose(hands.page.subject_row.element_box, "Fe")
    assert tab.table.cells.rowCount() == sum(
        (p.phase, p.map, p.element) == ("Fp", "a", "Fe") for p in points
    )

    assert hands.workspace.edit(edits.set_density, "Fp", 4.4)
    assert hands.workspace.on_request.answer("snr_growth") is None
    hands.workspace.undo()
    assert hands.workspace.on_request.answer("snr_growth") is points
    hands.runner.cancel()


def test_a_decision_ends_what_was_asked_about_the_recipe_before(hands: Hands) -> None:
    tab: RobustnessTab = hands.tab("Errors")
    QTest.mouseClick(tab.bootstrap.button, LEFT)
    assert hands.workspace.on_request.fraction("bootstrap") is not None
    assert hands.workspace.edit(edits.set_density, "Fp", 4.4)
    assert hands.workspace.on_request.fraction("bootstrap") is None
    hands.until(lambda: hands.runner.running is None or hands.runner.running.step)
    hands.workspace.undo()
    hands.until(lambda: hands.runner.running is None)
    assert hands.workspace.on_request.answer("bootstrap") is None


def test_other_masks_and_the_bootstrap_stand_beside_the_systematic_error_on_both_pages(
    hands: Hands, qtbot: QtBot
) -> None:
    tab: RobustnessTab = hands.tab("Errors")
    hands.choose(hands.page.subject_row.phase_box, "Fp")
    assert hands.text(tab.table, "Fe", "bootstrap") == ""
    box: QAbstractSpinBox = tab.replicates
    box.selectAll()
    QTest.keyClicks(box, "2")
    QTest.keyClick(box, Qt.Key.Key_Return)
    asked = hands.workspace.on_request
    QTest.mouseClick(tab.bootstrap.button, LEFT)
    QTest.mouseClick(tab.masks.button, LEFT)  # waits for the other
    hands.until(lambda: asked.answer("bootstrap") is not None)
    assert "2 replicates" in tab.bootstrap.said.text()
    assert hands.text(tab.table, "Fe", "bootstrap") not in ("", NO_VALUE)
    hands.qtbot.waitUntil(lambda: asked.answer("mask_spread") is not None, timeout=60_000)
    spread = next(
        one
        for one in asked.answer("mask_spread")
        if (one.phase, one.map, one.element) == ("Fp", "a", "Fe")
    )
    shown = float(hands.text(tab.table, "Fe", "mask_spread"))
    assert shown == pytest.approx(spread.systematic, rel=0.06, abs=1e-9)
    assert tab.plot.accessibleDescription().endswith("elements shown")

    page = CompositionPage(hands.workspace)
    qtbot.addWidget(page.view)
    page.view.resize(900, 500)
    page.view.show()
    page.refresh()
    hands.choose(page.entry_box, "Fp, mask, a")
    heads = page.table.cells.table.heads
    keys = [head.key for head in heads]
    place = keys.index("systematic")
    assert keys[place + 1 : place + 3] == ["mask_spread", "bootstrap"]
    hands.choose(page.unit_box, "wt.%")
    assert "mask_spread" not in [head.key for head in page.table.cells.table.heads]
    hands.choose(page.entry_box, f"{OVER_MAPS}Fp")
    entries = [entry_key(e)[1:3] for e in page.table.cells.table.entries[1::2]]
    assert entries[:3] == [("mask", "a"), ("mask", "b"), ("mask", "sum")]
    page.settings.deleteLater()


def test_lines_are_overlaid_between_energies_that_are_typed_and_normalised(hands: Hands) -> None:
    hands.workspace.look(precipitate="CaPv", element="Sm")
    tab: LineTab = hands.tab("Lines")
    low, high = tab.energies
    assert low < 5.636 < high
    for box, text in ((tab.low, "4.8"), (tab.high, "6")):
        box.selectAll()
        QTest.keyClicks(box, text)
        QTest.keyClick(box, Qt.Key.Key_Return)
    QTest.mouseClick(tab.normalised, LEFT, NO_SELECTION, QPoint(8, tab.normalised.height() // 2))
    curves = tab.view.plot.legend.curves
    assert [c.name.partition(":")[0] for c in curves][-2:] == ["mask, sum", "ROI, sum"]
    assert tab.view.x_range() == pytest.approx((4.8, 6.0))
    for curve in curves:
        within = (curve.energy_keV >= 4.8) & (curve.energy_keV <= 6.0)
        assert curve.values[within].max() == pytest.approx(1.0)
    before = len(curves)
    tab.list.setFocus()
    tab.list.setCurrentRow(0)
    QTest.keyClick(tab.list, Qt.Key.Key_Space)
    assert len(tab.view.plot.legend.curves) == before - 1
    QTest.mouseClick(tab.about, LEFT)
    assert tab.energies == (low, high)
    hands.choose(hands.page.subject_row.element_box, "Fe")
    assert tab.energies[0] < 6.404 < tab.energies[1]


def test_the_fits_of_a_line_stand_side_by_side_with_their_chi_squared(hands: Hands) -> None:
    hands.workspace.look(precipitate="Fp", element="Fe")
    tab: LineTab = hands.tab("Lines")
    hands.choose(tab.kind_box, "fits")
    views = tab.panels.views
    hands.until(lambda: all(view.entry is not None for view in views))
    assert [(v.entry.source, v.entry.map) for v in views if v.entry] == [
        ("roi", "a"),
        ("mask", "a"),
        ("mask", "sum"),
    ]
    for view, title in zip(views, tab.panels.titles, strict=True):
        assert view.x_range() == pytest.approx(tab.energies, abs=0.02)
        assert "χ²" in title.text()
    assert hands.page.key_tool("L")
    assert all(view.is_log() for view in views)
    hands.page.forget()
    assert not tab.panels.isVisible() or tab.view.plot.legend.curves == ()


def test_the_map_looked_at_is_changed_from_any_page_by_mouse_and_by_key(
    hands: Hands, qtbot: QtBot
) -> None:
    panel = StepsPanel(hands.workspace, StepList(hands.workspace))
    qtbot.addWidget(panel)
    panel.show()
    assert panel.box.isVisible()
    hands.choose(panel.box, "b")
    assert hands.workspace.focus.map_name == "b"
    assert hands.page.subject_row.map_box.currentText() == "b"
    look_at_next(hands.workspace, 1)
    assert panel.box.currentText() == "a"
    look_at_next(hands.workspace, -1)
    assert panel.box.currentText() == "b"
    hands.workspace.edit(edits.rename_map, "b", "second")
    assert [panel.box.itemText(i) for i in range(panel.box.count())] == ["a", "second"]
    hands.workspace.edit(edits.remove_map, "second")
    assert not panel.box.isVisible()
    assert hands.workspace.focus.map_name == "a"
    hands.workspace.undo()
    assert panel.box.isVisible()
    hands.runner.cancel()


def test_every_tab_fits_into_a_small_window(hands: Hands) -> None:
    """The window at 911 x 512 pixels leaves about 478 x 395 to a page."""
    for index in range(hands.page.tabs.count()):
        hands.page.tabs.setCurrentIndex(index)
        QApplication.processEvents()
        asked = hands.page.view.minimumSizeHint()
        assert asked.width() <= 478, hands.page.part.title
        assert asked.height() <= 395, hands.page.part.title


def test_what_is_out_of_date_is_greyed(hands: Hands) -> None:
    tab: BalanceTab = hands.tab("Mass balance")
    hands.until(lambda: tab.table.cells.rowCount() > 0)
    assert not hands.page.veil.isVisible()
    assert hands.workspace.edit(edits.set_density, "Fp", 4.4)
    assert hands.page.veil.isVisible()
    hands.workspace.undo()
    assert not hands.page.veil.isVisible()
    hands.runner.cancel()
