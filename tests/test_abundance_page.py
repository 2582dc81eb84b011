"""The page of the abundances, on a small simulated map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from endmember.demo import prepare_demo
from endmember.session.document import Document
from endmember.session.drawings import remove_rectangle
from endmember.session.recipe import Recipe
from endmember.session.session import run_all
from endmember.ui.abundance_page import AbundancePage
from endmember.ui.runner import Runner
from endmember.ui.workspace import Workspace


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, dict[Any, Any]]:
    path = prepare_demo(tmp_path_factory.mktemp("demo"), 64, lambda _: None)
    session = Document.open(path).session
    run_all(session)
    return session.recipe, dict(session.results)


class Stage:
    """The page beside its settings."""

    def __init__(self, qtbot: QtBot, runner: Runner, prepared: tuple[Recipe, dict[Any, Any]]):
        self.qtbot, self.runner = qtbot, runner
        self.workspace = Workspace(runner)
        self.page = AbundancePage(self.workspace)
        self.window = QWidget()
        row = QHBoxLayout(self.window)
        row.addWidget(self.page.view, 1)
        row.addWidget(self.page.settings)
        qtbot.addWidget(self.window)
        self.window.resize(1200, 640)
        self.document = Document(prepared[0])
        self.document.session.results.update(prepared[1])
        self.workspace.results_changed.connect(self.page.refresh)
        self.workspace.show(self.document)
        self.window.show()
        qtbot.waitExposed(self.window)
        qtbot.waitUntil(lambda: len(self.page.grid.shown_views()) == 5)

    @property
    def found(self) -> Any:
        return self.workspace.shown("abundance").value


@pytest.fixture
def stage(qtbot: QtBot, prepared: tuple[Recipe, dict[Any, Any]]) -> Iterator[Stage]:
    runner = Runner()
    yield Stage(qtbot, runner, prepared)
    runner.close()


def test_each_phase_has_its_map_and_there_are_phases_and_residual(stage: Stage) -> None:
    titles = [view.title for view in stage.page.grid.shown_views()]
    assert titles == ["Brg", "Fp", "CaPv", "phases", "residual"]
    for view, array in zip(stage.page.grid.views, stage.found.abundance.maps, strict=False):
        np.testing.assert_array_equal(view.array, array)
        assert view.shown_levels() == (0.0, 1.0)


def test_the_fractions_are_those_of_the_summed_spectrum_with_their_errors(stage: Stage) -> None:
    table = stage.page.fractions
    for row, (phase, (value, sigma)) in enumerate(stage.found.fractions.items()):
        title, cell = table.item(row, 0), table.item(row, 1)
        assert title is not None
        assert cell is not None
        assert title.text() == phase
        told, error = (float(part) for part in cell.text().split(" ± "))
        assert told == pytest.approx(100 * value, abs=sigma * 10)
        assert error == pytest.approx(100 * sigma, rel=0.06)


def test_spectra_of_equal_peak_reach_one_and_those_of_equal_area_sum_to_one(stage: Stage) -> None:
    page = stage.page
    stage.qtbot.waitUntil(lambda: page._drawn_spectra is not None)
    _, spectra = page._drawn_spectra or (None, ())
    assert [of.values.max() for of in spectra] == pytest.approx([1.0] * 3)
    page.unit.setFocus()
    stage.qtbot.keyClick(page.unit, Qt.Key.Key_Up)
    stage.qtbot.waitUntil(
        lambda: (
            page._drawn_spectra is not None
            and abs(page._drawn_spectra[1][0].values.sum() - 1.0) < 1e-9
        )
    )


def test_the_status_bar_tells_the_abundances_under_the_pointer(stage: Stage) -> None:
    told = stage.page.describe((10.5, 20.5))
    for number, phase in enumerate(("Brg", "Fp", "CaPv")):
        assert f"{phase} {stage.found.abundance.maps[number][20, 10]:.2f}" in told


def test_smoothing_changes_the_picture_and_not_the_fractions(stage: Stage) -> None:
    page = stage.page
    before = page.fractions.item(1, 1)
    assert before is not None
    text = before.text()
    page.smoothing.setFocus()
    stage.qtbot.keyClick(page.smoothing, Qt.Key.Key_Up)
    stage.qtbot.keyClick(page.smoothing, Qt.Key.Key_Up)
    stage.qtbot.waitUntil(
        lambda: (
            page.grid.views[1].array is not None
            and float(np.std(page.grid.views[1].array))
            < 0.9 * float(np.std(stage.found.abundance.maps[1]))
        )
    )
    after = page.fractions.item(1, 1)
    assert after is not None
    assert after.text() == text


def test_a_missed_precipitate_is_pointed_at_and_gets_its_rectangle_by_a_click(
    qtbot: QtBot, prepared: tuple[Recipe, dict[Any, Any]]
) -> None:
    runner = Runner()
    recipe = prepared[0]
    number = len(recipe.precipitates[1].rectangles)
    for _ in range(2):  # two of the grains of CaPv are left to the matrix
        recipe = remove_rectangle(recipe, "CaPv", "demo", 2)
    stage = Stage(qtbot, runner, (recipe, prepared[1]))
    page = stage.page
    qtbot.waitUntil(lambda: stage.workspace.result("abundance") is not None, timeout=20000)
    qtbot.waitUntil(lambda: bool(page._missed), timeout=5000)
    buttons = page.settings.findChildren(QPushButton)
    assert len(buttons) == len(page._missed)
    qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)
    assert stage.workspace.recipe is not None
    drawn = stage.workspace.recipe.precipitate_named(page._missed[0].phase)
    assert len(drawn.rectangles) == number - 1
    assert stage.workspace.focus.page == "masks"
    stage.workspace.undo()
    assert stage.workspace.recipe == recipe
    runner.close()


def test_what_is_out_of_date_is_greyed(stage: Stage) -> None:
    recipe = stage.document.session.recipe
    assert not stage.page.veil.isVisible()
    stage.workspace.session_change(remove_rectangle(recipe, "CaPv", "demo", 0))
    assert stage.page.veil.isVisible()
    stage.qtbot.waitUntil(lambda: not stage.page.veil.isVisible(), timeout=20000)


def test_without_a_result_the_page_says_what_is_needed(qtbot: QtBot) -> None:
    page = AbundancePage(Workspace(Runner()))
    qtbot.addWidget(page.view)
    page.refresh()
    assert page.stack.currentWidget() is page.empty
    assert "subtracted" in page.empty.text()
