"""The page of the phases, with real mouse and key events on a small simulated map."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from endmember.demo import prepare_demo
from endmember.session.decisions.edits import set_instrument
from endmember.session.decisions.phase_edits import (
    add_precipitate,
    remove_precipitate,
    set_precipitate,
)
from endmember.session.decisions.recipe import Recipe
from endmember.session.documents.document import Document
from endmember.session.state.session import run_all
from endmember.ui.document.runner import Runner
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.phases.difference_chart import DifferenceChart, on_scale
from endmember.ui.pages.phases.factor_slider import FactorSlider
from endmember.ui.pages.phases.mask_insets import NO_MASK
from endmember.ui.pages.phases.phase_page import PhasePage
from endmember.ui.widgets.messages import Message
from endmember.ui.widgets.theme import phase_colour
from held_requests import held, read_elsewhere
from page_stage import Prepared

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    path = prepare_demo(tmp_path_factory.mktemp("demo"), 64, lambda _: None)
    session = Document.open(path).session
    session.change(set_instrument(session.recipe, energy_range_keV=(0.3, 10.0)))  # for speed
    run_all(session)
    # with its component named, a precipitate keeps its mask whatever element is absent
    recipe = session.recipe
    for name, component in session.result("masks").components.items():
        recipe = set_precipitate(recipe, name, component=component)
    session.change(recipe)
    run_all(session)
    return Prepared(recipe, dict(session.results))


class Stage:
    """The page in a window, with a document whose results are there."""

    def __init__(self, qtbot: QtBot, prepared: Prepared) -> None:
        self.qtbot = qtbot
        self.runner = Runner()
        self.workspace = Workspace(self.runner)
        self.page = PhasePage(self.workspace)
        self.said: list[Message] = []
        self.workspace.said.connect(self.said.append)
        self.window = QWidget()
        row = QHBoxLayout(self.window)
        row.addWidget(self.page.view, 1)
        row.addWidget(self.page.settings)
        self.page.settings.setFixedWidth(290)
        qtbot.addWidget(self.window)
        self.window.resize(1300, 620)
        self.window.show()
        qtbot.waitExposed(self.window)
        for signal in (
            self.workspace.recipe_changed,
            self.workspace.results_changed,
            self.workspace.focus_changed,
        ):
            signal.connect(self.page.refresh)
        self.workspace.show(prepared.document())
        self.until(lambda: self.view_of("Fp") and self.page.insets.views[0].array is not None)

    def until(self, holds: Callable[[], Any]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=15_000)

    def view_of(self, name: str) -> bool:
        view = self.page._view
        return view is not None and view.name == name

    @property
    def idle(self) -> bool:
        session = self.workspace.session
        return self.runner.running is None and session is not None and not session.due()

    @property
    def precipitate(self) -> Any:
        assert self.workspace.recipe is not None
        return self.workspace.recipe.precipitate_named(self.workspace.focus.precipitate)

    def edit(self, function: Callable[..., Recipe], *arguments: Any, **named: Any) -> None:
        """Change the recipe as another page would, and wait for what follows."""
        assert self.workspace.edit(function, *arguments, **named)
        self.until(lambda: self.idle)

    def curves(self, plot: str = "subtracted") -> dict[str, Any]:
        shown = getattr(self.page.plots, plot).plot.shown_curves()
        return {curve.name.split(" (")[0]: curve.values for curve in shown}

    @property
    def slider(self) -> FactorSlider:
        return self.page.factor.slider

    def on_slider(self, factor: float) -> QPoint:
        return QPoint(round(self.slider.place_of(factor)), 8)

    def click_candidate(self, element: str) -> None:
        listed = self.page.absent
        for row in range(listed.topLevelItemCount()):
            item = listed.topLevelItem(row)
            assert item is not None
            if item.data(0, Qt.ItemDataRole.UserRole) == element:
                place = listed.visualItemRect(item).center()
                self.qtbot.mouseClick(listed.viewport(), LEFT, pos=place)
                return
        raise AssertionError(f"{element} is no candidate")

    def click_line(self, label: str) -> None:
        chart = self.page.chart
        labels = [difference.label for difference in chart.differences]
        place = chart.column(labels.index(label)).center().toPoint()
        self.qtbot.mouseClick(chart, LEFT, pos=place)


@pytest.fixture
def stage(qtbot: QtBot, prepared: Prepared) -> Iterator[Stage]:
    made = Stage(qtbot, prepared)
    yield made
    made.runner.close()


# --- what is shown -------------------------------------------------------------------------------


def test_the_plots_show_mixture_scaled_matrix_and_their_difference(stage: Stage) -> None:
    phases = stage.workspace.result("subtraction")
    mixture = phases.mixtures["Fp"].fit.spectrum.counts
    matrix = phases.matrix.fit.spectrum.counts
    factor = phases.subtractions["Fp"].factor
    measured, left = stage.curves("measured"), stage.curves()
    np.testing.assert_allclose(measured["Fp+Brg"], mixture)
    np.testing.assert_allclose(measured["Brg"], factor * matrix)
    np.testing.assert_allclose(left["Fp"], mixture - factor * matrix)
    (curve,) = stage.page.plots.subtracted.plot.shown_curves()
    np.testing.assert_allclose(
        curve.high - curve.low,
        2 * np.sqrt(phases.subtractions["Fp"].spectrum.covariance.variance),
    )


def test_a_tab_is_the_precipitate_worked_on_and_follows_it(stage: Stage) -> None:
    tabs = stage.page.tabs
    stage.qtbot.mouseClick(tabs, LEFT, pos=tabs.tabRect(1).center())
    assert stage.workspace.focus.precipitate == "CaPv"
    stage.until(lambda: stage.view_of("CaPv"))
    assert "CaPv" in stage.curves()
    stage.workspace.look(precipitate="Fp")
    assert tabs.currentIndex() == 0
    stage.until(lambda: stage.view_of("Fp"))


def test_the_insets_hold_the_masks_with_their_pixels(stage: Stage) -> None:
    part = stage.workspace.result("masks").partition
    matrix, mixture = stage.page.insets.views
    assert f"{part.matrix.sum():,} px" in matrix.detail
    assert f"{part.mixtures['Fp'].sum():,} px" in mixture.detail
    assert mixture._masks["mask"][0].mask is part.mixtures["Fp"]
    assert mixture.place == (0, 0, 64, 64)


def test_masks_of_another_place_are_not_laid_where_the_map_is_now(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = held(stage.workspace, monkeypatch)
    read_elsewhere(stage.workspace, (10, 20, 64, 64))
    thread.answer("phase insets")
    for view in stage.page.insets.views:
        assert view.array is None
        assert view.canvas.empty_text == NO_MASK


def test_a_late_view_of_another_precipitate_is_not_shown(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = held(stage.workspace, monkeypatch)
    stage.workspace.look(precipitate="CaPv")
    stage.workspace.look(precipitate="Fp")
    thread.answer(newest_first=True)
    assert stage.view_of("Fp")


def test_a_refresh_without_a_change_asks_for_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(stage.runner, "ask", lambda slot, *_: asked.append(slot))
    stage.page.refresh()
    assert asked == []
    stage.workspace.look(precipitate="CaPv")
    assert asked == ["phase view"]


def test_per_pixel_is_a_choice_of_scale(stage: Stage) -> None:
    scale = stage.page.plots.scale
    scale.setFocus()
    stage.qtbot.keyClick(scale, Qt.Key.Key_End)
    stage.qtbot.keyClick(scale, Qt.Key.Key_Up)
    assert scale.currentText() == "per pixel"
    part = stage.workspace.result("masks").partition
    phases = stage.workspace.result("subtraction")
    np.testing.assert_allclose(
        stage.curves("measured")["Brg"],
        phases.matrix.fit.spectrum.counts / part.matrix.sum(),
    )
    assert stage.page.plots.measured.plot.y_title() == "counts per pixel"


def test_the_fit_is_drawn_when_asked_for(stage: Stage) -> None:
    assert "fit" not in stage.curves()
    stage.qtbot.mouseClick(stage.page.plots.fit_shown, LEFT, pos=QPoint(6, 8))
    entries = stage.workspace.result("quantification").entries
    (fitted,) = [e.composition.fit.fitted for e in entries if (e.phase, e.source) == ("Fp", "mask")]
    np.testing.assert_allclose(stage.curves()["fit"], fitted)


# --- zoom ----------------------------------------------------------------------------------------


def test_a_line_that_is_clicked_fills_both_plots(stage: Stage) -> None:
    stage.click_line("Fe Kα")
    plots = stage.page.plots
    for plot in (plots.measured, plots.subtracted):
        low, high = plot.x_range()
        assert 5.0 < low < 6.40 < high < 8.0
    assert stage.workspace.focus.element == "Fe"


def test_arrows_and_enter_choose_a_line_too(stage: Stage) -> None:
    chart = stage.page.chart
    chart.setFocus()
    stage.qtbot.keyClick(chart, Qt.Key.Key_Home)
    stage.qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert "Mg Kα" in chart.accessibleName()
    assert stage.workspace.focus.element == ""
    stage.qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert stage.workspace.focus.element == "Mg"
    low, high = stage.page.plots.subtracted.x_range()
    assert low < 1.254 < high < 3.0


def test_log_scale_is_that_of_both_plots(stage: Stage) -> None:
    plots = stage.page.plots
    stage.qtbot.keyClick(plots.subtracted.plot.canvas, Qt.Key.Key_L)
    assert plots.measured.is_log()
    assert plots.subtracted.is_log()
    assert plots.log.isChecked()
    assert stage.page.key_tool("L")
    assert not plots.measured.is_log()
    assert not stage.page.key_tool("R")


# --- the absent element --------------------------------------------------------------------------


def test_a_click_chooses_the_absent_element_and_a_better_one_is_named(stage: Stage) -> None:
    assert "No element is significantly more absent than Si" in stage.page.hint.text()
    stage.click_candidate("Fe")
    assert stage.precipitate.absent == "Fe"
    stage.until(lambda: "Si is more absent than Fe" in stage.page.hint.text())
    stage.workspace.undo()
    assert stage.precipitate.absent == "Si"


def test_enter_chooses_the_absent_element(stage: Stage) -> None:
    listed = stage.page.absent
    listed.setFocus()
    stage.qtbot.keyClick(listed, Qt.Key.Key_Home)
    stage.qtbot.keyClick(listed, Qt.Key.Key_Down)
    stage.qtbot.keyClick(listed, Qt.Key.Key_Return)
    assert stage.precipitate.absent == listed.candidates[1].element != "Si"


def test_an_element_too_weak_in_the_matrix_is_refused_with_the_reason(stage: Stage) -> None:
    stage.click_candidate("U")
    assert stage.precipitate.absent == "Si"
    assert "at least 10 are needed" in stage.page.hint.text()


def test_without_an_absent_element_the_mixture_is_shown_and_the_choice_asked_for(
    stage: Stage,
) -> None:
    stage.edit(set_precipitate, "Fp", absent="")
    stage.until(lambda: stage.curves() == {})
    assert set(stage.curves("measured")) == {"Fp+Brg", "Brg"}
    assert "Choose the absent element" in stage.page.plots.subtracted.plot.text.text
    assert stage.page.banner.text.startswith("Choose the absent element of Fp")
    assert not stage.slider.isEnabled()
    assert "Si fits best" in stage.page.hint.text()
    stage.click_candidate("Si")
    stage.until(lambda: "Fp" in stage.curves())


# --- the factor ----------------------------------------------------------------------------------


def test_a_drag_previews_live_and_is_one_undo(stage: Stage) -> None:
    phases = stage.workspace.result("subtraction")
    mixture = phases.mixtures["Fp"].fit.spectrum.counts
    matrix = phases.matrix.fit.spectrum.counts
    fitted, slider = phases.subtractions["Fp"].factor, stage.slider
    stage.qtbot.mousePress(slider, LEFT, pos=stage.on_slider(fitted))
    for share in (1.05, 1.1, 1.2):
        stage.qtbot.mouseMove(slider, stage.on_slider(share * fitted))
        factor = round(slider.factor(), stage.page.factor.box.decimals())
        stage.until(
            lambda factor=factor: np.allclose(stage.curves()["Fp"], mixture - factor * matrix)
        )
        assert stage.page.factor.box.value() == pytest.approx(factor)
        assert stage.precipitate.factor is None
    assert any(
        low < 1.74 < high for low, high in stage.page.plots.subtracted.plot.stretches.stretches
    )
    stage.qtbot.mouseRelease(slider, LEFT, pos=stage.on_slider(1.2 * fitted))
    assert stage.precipitate.factor == pytest.approx(1.2 * fitted, rel=0.01)
    stage.until(lambda: stage.idle)
    assert stage.workspace.result("subtraction").subtractions["Fp"].factor == factor
    assert "Set by hand" in stage.page.factor.remark.text()
    stage.workspace.undo()
    assert stage.precipitate.factor is None
    assert stage.workspace.session is not None
    assert not stage.workspace.session.can_undo


def test_what_is_left_of_the_absent_element_is_told_during_a_drag(stage: Stage) -> None:
    phases = stage.workspace.result("subtraction")
    fit, of_matrix = phases.mixtures["Fp"].fit, phases.matrix.fit
    fitted, slider = phases.subtractions["Fp"].factor, stage.slider
    stage.qtbot.mousePress(slider, LEFT, pos=stage.on_slider(fitted))
    stage.qtbot.mouseMove(slider, stage.on_slider(0.9 * fitted))
    factor = round(slider.factor(), stage.page.factor.box.decimals())
    left = fit.areas[fit.find("Si", "K")] - factor * of_matrix.areas[of_matrix.find("Si", "K")]
    stage.until(lambda: f"Si Kα: {left:,.0f} ±" in stage.page.factor.remark.text())
    shown = {d.label: d for d in stage.page.chart.differences}
    assert shown["Si Kα"].area == pytest.approx(left)
    assert not shown["Si Kα"].zero


def test_escape_gives_a_drag_up(stage: Stage) -> None:
    fitted, slider = stage.slider.factor(), stage.slider
    before = stage.curves()["Fp"]
    stage.qtbot.mousePress(slider, LEFT, pos=stage.on_slider(fitted))
    stage.qtbot.mouseMove(slider, stage.on_slider(1.3 * fitted))
    stage.until(lambda: not np.allclose(stage.curves()["Fp"], before))
    stage.qtbot.keyClick(slider, Qt.Key.Key_Escape)
    np.testing.assert_allclose(stage.curves()["Fp"], before)
    stage.qtbot.mouseRelease(slider, LEFT, pos=stage.on_slider(1.3 * fitted))
    assert stage.precipitate.factor is None
    assert slider.factor() == fitted


def test_a_drag_ends_when_another_precipitate_is_looked_at(stage: Stage) -> None:
    fitted, slider = stage.slider.factor(), stage.slider
    stage.qtbot.mousePress(slider, LEFT, pos=stage.on_slider(fitted))
    stage.qtbot.mouseMove(slider, stage.on_slider(1.3 * fitted))
    stage.workspace.look(precipitate="CaPv")
    stage.until(lambda: stage.view_of("CaPv"))
    stage.qtbot.mouseRelease(slider, LEFT, pos=stage.on_slider(1.1 * fitted))
    assert stage.workspace.recipe is not None
    assert [p.factor for p in stage.workspace.recipe.precipitates] == [None, None]


def test_a_held_arrow_is_one_undo(stage: Stage) -> None:
    slider = stage.slider
    slider.setFocus()
    before = slider.factor()
    for _ in range(4):
        stage.qtbot.keyPress(slider, Qt.Key.Key_Right)
    assert stage.precipitate.factor is None
    stage.qtbot.keyRelease(slider, Qt.Key.Key_Right)
    assert stage.precipitate.factor == pytest.approx(before * 1.004, rel=1e-3)
    stage.workspace.undo()
    assert stage.precipitate.factor is None


def test_the_exact_factor_is_typed_and_the_fitted_one_comes_back(stage: Stage) -> None:
    box = stage.page.factor.box
    box.setFocus()
    box.selectAll()
    stage.qtbot.keyClicks(box, "0.0801")
    stage.qtbot.keyClick(box, Qt.Key.Key_Return)
    assert stage.precipitate.factor == 0.0801
    stage.until(lambda: stage.idle)
    stage.until(lambda: "Set by hand" in stage.page.factor.remark.text())
    stage.qtbot.mouseClick(stage.page.factor.fitted, LEFT)
    assert stage.precipitate.factor is None
    stage.until(lambda: stage.idle)
    stage.until(lambda: "left by construction" in stage.page.factor.remark.text())


def test_a_run_of_steps_in_the_box_is_one_undo(stage: Stage) -> None:
    box = stage.page.factor.box
    box.setFocus()
    before = box.value()
    for _ in range(5):
        stage.qtbot.keyClick(box, Qt.Key.Key_Up)
    assert stage.precipitate.factor == pytest.approx(before + 5 * box.singleStep())
    stage.workspace.undo()
    assert stage.precipitate.factor is None


def test_the_mark_on_the_slider_is_the_fitted_value_with_its_error(stage: Stage) -> None:
    done = stage.workspace.result("subtraction").subtractions["Fp"]
    assert stage.slider.fitted == pytest.approx((done.factor, done.factor_sigma))
    assert stage.slider.factor() == pytest.approx(done.factor, rel=1e-3)


# --- failures and empty states -------------------------------------------------------------------


def test_a_precipitate_that_cannot_be_subtracted_says_why_and_leaves_the_others(
    stage: Stage,
) -> None:
    stage.edit(set_precipitate, "Fp", absent="U")
    stage.until(lambda: "U is hardly present in the matrix" in stage.page.banner.text)
    assert stage.page.tabs.tabText(0).endswith("(failed)")
    assert stage.curves() == {}
    assert set(stage.curves("measured")) == {"Fp+Brg", "Brg"}
    stage.workspace.look(precipitate="CaPv")
    stage.until(lambda: stage.view_of("CaPv") and "CaPv" in stage.curves())
    assert stage.page.banner.text == ""


def test_a_precipitate_without_a_mask_says_where_to_draw_it(stage: Stage) -> None:
    stage.edit(add_precipitate, "Gt", "Si")
    stage.workspace.look(precipitate="Gt")
    stage.until(lambda: "Gt has no mask" in stage.page.plots.measured.plot.text.text)
    assert "Masks page" in stage.page.plots.measured.plot.text.text
    assert stage.page.absent.candidates[0].element == "O"  # the strongest in the matrix


def test_a_precipitate_that_cannot_be_cut_points_to_the_reason(stage: Stage) -> None:
    stage.edit(set_precipitate, "Fp", absent="", component=None)
    stage.until(lambda: "Choose the component that shows Fp" in stage.page.banner.text)
    stage.until(lambda: "see the message above" in stage.page.plots.measured.plot.text.text)
    assert stage.page.tabs.tabText(0).endswith("(choose)")
    stage.click_candidate("Si")  # not measured, but it can be chosen
    assert stage.precipitate.absent == "Si"


def test_without_a_precipitate_it_is_said_what_to_do_first(stage: Stage) -> None:
    stage.edit(remove_precipitate, "CaPv")
    stage.edit(remove_precipitate, "Fp")
    stage.until(lambda: stage.page.tabs.count() == 0)
    text = stage.page.plots.measured.plot.text.text
    assert text.startswith("Draw a precipitate on the Masks page")
    assert stage.curves("measured") == {}


def test_a_factor_too_large_is_warned_of_at_the_side(stage: Stage) -> None:
    assert stage.page.warnings.isHidden()
    right = stage.workspace.result("subtraction").subtractions["Fp"].factor
    factor = round(1.3 * right, 3)
    stage.edit(set_precipitate, "Fp", factor=factor)
    stage.until(lambda: not stage.page.warnings.isHidden())
    assert f"the factor {factor} is too large" in stage.page.warnings.text()
    assert stage.page.plots.subtracted.plot.stretches.at(1.74)


# --- settings ------------------------------------------------------------------------------------


def test_density_and_thickness_go_into_the_recipe(stage: Stage) -> None:
    row = stage.page.phases.rows[1]
    row.density.setFocus()
    row.density.selectAll()
    stage.qtbot.keyClicks(row.density, "0")
    stage.qtbot.keyClick(row.density, Qt.Key.Key_Return)
    assert stage.workspace.recipe is not None
    assert "Fp" not in stage.workspace.recipe.sample.density_g_cm3
    assert "not corrected in Fp" in stage.page.phases.remark.text()
    stage.qtbot.keyClick(row.density, Qt.Key.Key_Up)
    assert stage.workspace.recipe.sample.density_g_cm3["Fp"] == 0.1
    thickness = stage.page.phases.thickness
    thickness.setFocus()
    thickness.selectAll()
    stage.qtbot.keyClicks(thickness, "80")
    stage.qtbot.keyClick(thickness, Qt.Key.Key_Return)
    assert stage.workspace.recipe.maps[0].thickness_nm == 80


def test_phases_are_renamed_and_a_name_that_is_taken_is_refused(stage: Stage) -> None:
    matrix, first, _ = stage.page.phases.rows[:3]

    def rename(row: Any, name: str) -> None:
        row.name.setFocus()
        row.name.selectAll()
        stage.qtbot.keyClicks(row.name, name)
        stage.qtbot.keyClick(row.name, Qt.Key.Key_Return)

    rename(first, "Ferro")
    assert stage.workspace.focus.precipitate == "Ferro"
    rename(matrix, "Bridg")
    assert stage.workspace.recipe is not None
    assert stage.workspace.recipe.phases == ("Bridg", "Ferro", "CaPv")
    rename(first, "CaPv")
    assert stage.workspace.recipe.phases == ("Bridg", "Ferro", "CaPv")
    assert first.name.text() == "Ferro"
    assert any("already taken" in message.text for message in stage.said)
    stage.until(lambda: stage.idle and stage.view_of("Ferro"))
    assert stage.page.tabs.tabText(0) == "1  Ferro"


# --- the chart and the slider alone --------------------------------------------------------------


def test_the_chart_stands_bars_where_their_sigmas_are(qtbot: QtBot, stage: Stage) -> None:
    chart = DifferenceChart()
    qtbot.addWidget(chart)
    chart.resize(600, 100)
    chart.show_differences(stage.page.chart.differences, phase_colour(1))
    heights = [chart.height_of(sigmas) for sigmas in (-3.0, 0.0, 3.0, 30.0)]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2])
    assert on_scale(-300.0) == -on_scale(300.0)
    for index in range(len(chart.differences)):
        assert chart.line_at(chart.column(index).center().x()) == index
    assert chart.line_at(2.0) is None
    assert not chart.grab().toImage().isNull()


def test_a_click_beside_the_handle_takes_it_there(qtbot: QtBot) -> None:
    slider = FactorSlider()
    qtbot.addWidget(slider)
    slider.resize(414, 32)
    slider.show_factor(0.5, (0.0, 1.0), (0.4, 0.01))
    told: list[float] = []
    slider.released.connect(told.append)
    qtbot.mouseClick(slider, LEFT, pos=QPoint(107, 8))  # 100 of 400 pixels
    assert told == [pytest.approx(0.25, abs=0.002)]
    qtbot.mouseClick(slider, LEFT, pos=QPoint(107, 8))  # on the handle: nothing moves
    assert len(told) == 1


def test_escape_takes_a_held_key_back_to_where_it_began(qtbot: QtBot) -> None:
    slider = FactorSlider()
    qtbot.addWidget(slider)
    slider.show_factor(0.5, (0.0, 1.0), None)
    slider.show()
    slider.setFocus()
    told: list[float] = []
    slider.released.connect(told.append)
    for _ in range(3):
        qtbot.keyPress(slider, Qt.Key.Key_PageUp)
    assert slider.factor() == pytest.approx(0.53)
    qtbot.keyClick(slider, Qt.Key.Key_Escape)
    qtbot.keyRelease(slider, Qt.Key.Key_PageUp)
    assert slider.factor() == pytest.approx(0.5)
    assert told == []
