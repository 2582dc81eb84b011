"""The page of the components, with real mouse and key events on a small simulated map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from endmember.core.unmixing.decomposition import Decomposition
from endmember.session.decisions import edits
from endmember.session.state.session import Failure
from endmember.session.steps.chain import Decomposed
from endmember.session.views.component_views import (
    energy_map,
)
from endmember.ui.pages.components.component_page import EXPLANATION, WAITING, ComponentPage
from endmember.ui.pages.components.component_rows import MOST_ROWS
from endmember.ui.spectrum_views.spectrum_link import SpectrumLink
from endmember.ui.spectrum_views.spectrum_view import Curve, SpectrumView
from endmember.ui.widgets.theme import THEME, phase_colour
from held_requests import held, read_elsewhere
from page_stage import LEFT, NAME, SIZE, Prepared, Stage, prepared_demo


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared_demo(tmp_path_factory.mktemp("demo"))


class Components(Stage[ComponentPage]):
    """The page of the components with its rows."""

    @property
    def rows(self) -> list[Any]:
        return self.page.rows.shown_rows()

    @property
    def components(self) -> int:
        return self.recipe.decomposition.components

    def show(self, document: Any) -> Components:
        self.open(document)
        self.until(lambda: self.rows and self.page.rows.is_complete)
        return self


@pytest.fixture
def bare(qtbot: QtBot) -> Iterator[Components]:
    made = Components(qtbot, ComponentPage)
    yield made
    made.runner.close()
    THEME.choose("light")


@pytest.fixture
def stage(bare: Components, prepared: Prepared) -> Components:
    return bare.show(prepared.document())


def of_components(prepared: Prepared, number: int, converged: bool = True) -> Decomposed:
    """The first component split into so many equal ones."""
    found = prepared.result("decomposition").found
    maps = tuple(np.repeat(of[:1], number, axis=0) / number for of in found.maps)
    spectra = np.repeat(found.spectra[:1], number, axis=0)
    split = Decomposition(maps, spectra, found.losses, converged)
    return Decomposed((NAME,), (prepared.result("read").reading,), split)


# --- the scree plot ------------------------------------------------------------------------------


def on_scree(stage: Components, number: int) -> QPoint:
    scree = stage.page.panel.scree
    box = scree.box
    rect = box.sceneBoundingRect()
    (low, high), _ = box.viewRange()
    x = rect.left() + (number - low) / (high - low) * rect.width()
    return QPoint(round(x), round(rect.center().y()))


def test_a_click_on_the_scree_plot_sets_the_number_of_components(stage: Components) -> None:
    viewport = stage.page.panel.scree.viewport()
    stage.qtbot.mouseClick(viewport, LEFT, pos=on_scree(stage, 5))
    assert stage.components == 5
    assert stage.page.panel.components.value() == 5
    stage.until(lambda: len(stage.rows) == 5 and stage.page.rows.is_complete)
    stage.workspace.undo()
    assert stage.components == 3
    stage.until(lambda: len(stage.rows) == 3)


def test_a_click_beside_the_axes_sets_nothing(stage: Components) -> None:
    scree = stage.page.panel.scree
    stage.qtbot.mouseClick(scree.viewport(), LEFT, pos=QPoint(3, scree.height() - 3))
    assert stage.components == 3


def test_a_run_of_keys_in_the_box_is_one_undo(stage: Components) -> None:
    box = stage.page.panel.components
    for _ in range(3):
        stage.press(box, Qt.Key.Key_Up)
    assert stage.components == 6
    stage.workspace.undo()
    assert stage.components == 3


def test_the_scree_plot_says_what_noise_alone_would_give(stage: Components) -> None:
    scree = stage.workspace.result("scree")
    panel = stage.page.panel
    assert panel.scree.scree is scree
    assert f"{scree.noise_level:.3g}" in panel.scree_told.text()
    assert "above" in panel.scree.told(1)
    assert "not above" in panel.scree.told(len(scree.eigenvalues))


def test_more_components_than_suggested_are_doubted(bare: Components, prepared: Prepared) -> None:
    recipe = edits.set_decomposition(prepared.recipe, components=8)
    bare.show(prepared.document(recipe, decomposition=of_components(prepared, 8)))
    assert bare.page.panel.scree_told.property("role") == "warning"
    assert "may show noise" in bare.page.panel.scree_told.text()


def test_the_scree_plot_is_there_before_the_components(
    bare: Components, prepared: Prepared
) -> None:
    document = prepared.document(decomposition=None)
    bare.runner.close()  # nothing is computed
    bare.open(document)
    assert bare.page.panel.scree.isVisible()
    assert bare.page.panel.scree.scree is prepared.result("scree")
    assert bare.page.rows.empty.isVisible()
    assert bare.page.rows.empty.text() == WAITING


def test_a_failed_decomposition_says_why_and_offers_to_run_again(
    bare: Components, prepared: Prepared
) -> None:
    sentence = "9000 components are more than the 1970 channels with counts: ask for fewer"
    bare.open(prepared.document(decomposition=Failure(sentence, True)))
    assert sentence in bare.page.banner.text
    assert bare.page.banner.action.isVisible()
    assert "message above" in bare.page.rows.empty.text()


# --- rows ----------------------------------------------------------------------------------------


def test_every_component_has_its_map_and_its_spectrum(stage: Components) -> None:
    decomposed = stage.workspace.result("decomposition")
    assert len(stage.rows) == 3
    for number, row in enumerate(stage.rows):
        np.testing.assert_array_equal(row.map.array, decomposed.maps_of(NAME)[number])
        curve = row.plot.plot.shown_curves()[0]
        np.testing.assert_allclose(
            curve.values, decomposed.found.spectra[number] / decomposed.found.spectra[number].max()
        )
        assert "% of counts" in row.share.text()


def test_zooming_one_spectrum_zooms_all(stage: Components) -> None:
    stage.rows[1].plot.setFocus()
    stage.press(stage.rows[1].plot.plot.canvas, Qt.Key.Key_Plus)
    low, high = stage.rows[1].plot.x_range()
    assert high - low < 9.0
    for row in stage.rows:
        assert row.plot.x_range() == pytest.approx((low, high))


def test_linked_spectra_begin_where_the_longest_numbers_end(qtbot: QtBot) -> None:
    link, views = SpectrumLink(), [SpectrumView(), SpectrumView()]
    column = QWidget()
    layout = QVBoxLayout(column)
    qtbot.addWidget(column)
    energy = np.arange(1.0, 9.0)
    for view, highest in zip(views, (1.0, 4_000_000.0), strict=True):
        layout.addWidget(view)
        view.set_curves([Curve("a", energy, energy / 8.0 * highest, "black")])
        link.add(view)
    column.resize(500, 400)
    column.show()
    lefts = [view.plot.own_left for view in views]
    assert lefts[0] < lefts[1]
    qtbot.waitUntil(lambda: len({view.plot.box.geometry().left() for view in views}) == 1)
    assert views[0].plot.box.geometry().left() >= lefts[1]


def test_a_component_out_of_sight_follows_when_it_is_scrolled_to(
    bare: Components, prepared: Prepared
) -> None:
    recipe = edits.set_decomposition(prepared.recipe, components=12)
    bare.show(prepared.document(recipe, decomposition=of_components(prepared, 12)))
    bare.rows[0].plot.zoom_to(1.0, 4.0)
    assert bare.rows[11].plot.x_range() != (1.0, 4.0)
    bar = bare.page.rows.area.verticalScrollBar()
    assert bar is not None
    bar.setValue(bar.maximum())
    assert bare.rows[11].plot.x_range() == pytest.approx(bare.rows[0].plot.x_range())


def test_of_many_components_twenty_are_shown_and_that_is_said(
    bare: Components, prepared: Prepared
) -> None:
    recipe = edits.set_decomposition(prepared.recipe, components=23)
    bare.show(prepared.document(recipe, decomposition=of_components(prepared, 23)))
    assert len(bare.rows) == MOST_ROWS
    assert "first 20 of 23" in bare.page.caption.text()


def test_pointing_at_a_map_marks_the_place_in_all_maps(stage: Components) -> None:
    places: list[Any] = []
    stage.workspace.cursor_moved.connect(places.append)
    stage.point_at_map(stage.rows[0].map, (20.5, 30.5))
    assert places[-1] == pytest.approx((20.5, 30.5), abs=0.5)
    for row in stage.rows[1:]:
        cross = row.map.canvas._cross
        assert cross.isVisible()
        assert (cross.pos().x(), cross.pos().y()) == pytest.approx((20.5, 30.5), abs=0.5)


def test_the_status_bar_tells_the_counts_of_the_component_under_the_pointer(
    stage: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    under = stage.rows[1].map.canvas
    monkeypatch.setattr(QWidget, "underMouse", lambda self: self is under)
    counts = stage.workspace.result("decomposition").maps_of(NAME)[1][30, 20]
    assert f"component #1: {counts:.4g} counts" in stage.page.describe((20.5, 30.5))


def test_pointing_at_a_spectrum_marks_the_energy_in_all(stage: Components) -> None:
    energies: list[Any] = []
    stage.workspace.energy_moved.connect(energies.append)
    stage.point_at_spectrum(stage.rows[0].plot, 3.69)
    assert energies[-1] == pytest.approx(3.69, abs=0.05)
    for row in stage.rows[1:]:
        assert row.plot.plot.cursor_keV == energies[-1]


def test_the_map_at_the_pointers_energy_is_shown_on_demand(stage: Components) -> None:
    row = stage.page.energy
    assert not row.isVisible()
    stage.qtbot.mouseClick(stage.page.at_energy, LEFT, pos=QPoint(8, 8))
    stage.point_at_spectrum(stage.rows[0].plot, 3.69)
    stage.until(lambda: row.shown is not None)
    assert row.shown is not None
    data = stage.workspace.data
    assert data is not None
    expected = energy_map(data, row.shown.energy_keV, 0.0)
    np.testing.assert_array_equal(row.map.array, expected.counts)
    assert row.energy.value() == pytest.approx(row.shown.energy_keV, abs=1e-3)
    # the calcium silicate lights up, as in its component
    calcium = stage.workspace.result("masks").components["CaPv"]
    component = stage.workspace.result("decomposition").maps_of(NAME)[calcium]
    assert np.corrcoef(row.map.array.ravel(), component.ravel())[0, 1] > 0.8


def test_the_energy_of_the_map_can_be_typed(stage: Components) -> None:
    stage.press(stage.page.at_energy, Qt.Key.Key_Space)
    box = stage.page.energy.energy
    box.setFocus()
    box.selectAll()
    stage.qtbot.keyClicks(box, "6.4")
    stage.press(box, Qt.Key.Key_Return)
    stage.until(lambda: stage.page.energy.shown is not None)
    assert stage.page.energy.shown is not None
    assert stage.page.energy.shown.energy_keV == pytest.approx(6.4)


# --- ditches -------------------------------------------------------------------------------------


def test_ditches_are_shaded_and_counted(stage: Components) -> None:
    views = [row.shown.view for row in stage.rows]
    for row, view in zip(stage.rows, views, strict=True):
        assert row.plot.plot.stretches.stretches == view.ditches
    assert [bool(view.ditches) for view in views].count(True) in (1, 2)  # of three components
    for row, view in zip(stage.rows, views, strict=True):
        number = len(view.ditches)
        assert (f"{number} ditch" if number else "no ditch") in row.ditches.text()


def test_showing_ditches_zooms_to_the_lowest_values_and_explains_them(stage: Components) -> None:
    assert not stage.page.explanation.isVisible()
    stage.qtbot.mouseClick(stage.page.ditches, LEFT, pos=QPoint(8, 8))
    assert stage.page.explanation.text() == EXPLANATION
    assert stage.page.explanation.isVisible()
    for row in stage.rows:
        low, high = row.plot.plot.y_range()
        assert low == 0.0
        assert high == pytest.approx(row.shown.view.ditch_range[1])
        assert high < 0.1
        assert len(row.plot.plot.shown_curves()) == 2  # the continuum expected beside it
    stage.qtbot.mouseClick(stage.page.ditches, LEFT, pos=QPoint(8, 8))
    for row in stage.rows:
        assert row.plot.plot.y_range()[1] > 1.0
        assert len(row.plot.plot.shown_curves()) == 1


def test_l_makes_all_spectra_logarithmic(stage: Components) -> None:
    stage.rows[0].plot.setFocus()
    stage.press(stage.rows[0].plot.plot.canvas, Qt.Key.Key_L)
    assert stage.page.log.isChecked()
    assert all(row.plot.is_log() for row in stage.rows)
    assert stage.page.key_tool("L")
    assert not any(row.plot.is_log() for row in stage.rows)


def test_one_key_shows_ditches_and_another_the_map_of_an_energy(stage: Components) -> None:
    assert stage.page.key_tool("D")
    assert stage.page.ditches.isChecked()
    assert stage.page.key_tool("M")
    assert stage.page.energy.isVisible()
    assert not stage.page.key_tool("R")


# --- name and role -------------------------------------------------------------------------------


def test_a_name_that_is_typed_is_kept_in_the_recipe(stage: Components) -> None:
    name = stage.rows[2].name
    name.setFocus()
    stage.qtbot.keyClicks(name, "CaSiO3")
    stage.press(name, Qt.Key.Key_Return)
    assert stage.recipe.label_of(2).name == "CaSiO3"
    assert stage.rows[2].map.title == "#2 CaSiO3"
    stage.workspace.undo()
    assert stage.recipe.label_of(2).name == ""
    assert name.text() == ""


def test_a_name_that_is_being_typed_is_left_alone(stage: Components) -> None:
    name = stage.rows[2].name
    name.setFocus()
    stage.qtbot.keyClicks(name, "CaSi")
    stage.workspace.edit(edits.label_component, 0, name="Brg")
    assert name.text() == "CaSi"
    assert stage.rows[0].name.text() == "Brg"


def test_a_role_is_chosen_and_the_proposal_can_be_taken_again(stage: Components) -> None:
    role = stage.rows[0].role
    assert role.currentText() == "proposed: matrix"
    role.setFocus()
    stage.press(role, Qt.Key.Key_Down)
    stage.press(role, Qt.Key.Key_Down)
    stage.press(role, Qt.Key.Key_Down)
    assert stage.recipe.label_of(0).role == "unused"
    stage.press(role, Qt.Key.Key_Home)
    assert stage.recipe.label_of(0).role is None


def test_a_label_runs_no_step_again(stage: Components) -> None:
    before = stage.workspace.result("decomposition")
    stage.workspace.edit(edits.label_component, 1, name="periclase", role="precipitate")
    assert stage.workspace.session is not None
    assert not stage.workspace.session.due()
    assert stage.workspace.result("decomposition") is before
    assert stage.rows[1].name.text() == "periclase"
    assert stage.rows[1].role.currentText() == "precipitate"


def test_the_component_of_a_precipitate_has_its_name_and_colour(stage: Components) -> None:
    taken = stage.workspace.result("masks").components
    for index, phase in enumerate(("Fp", "CaPv"), start=1):
        row = stage.rows[taken[phase]]
        assert row.used.text() == f"shows {phase}"
        assert row.stripe.colour == QColor(phase_colour(index).name())
    others = [row for row in stage.rows if row.number not in taken.values()]
    assert all(row.stripe.colour is None and not row.used.isVisible() for row in others)


# --- settings and states -------------------------------------------------------------------------


def test_the_method_is_chosen_and_explained(stage: Components) -> None:
    method = stage.page.panel.method
    before = stage.page.panel.method_told.text()
    method.setFocus()
    stage.press(method, Qt.Key.Key_Down)
    assert stage.recipe.decomposition.method == "frobenius"
    assert stage.page.panel.method_told.text() != before
    assert stage.page.veil.isVisible()  # out of date until it is decomposed again
    stage.until(lambda: stage.workspace.result("decomposition") is not None)
    assert not stage.page.veil.isVisible()


def test_a_seed_that_no_box_holds_is_shown_and_kept(bare: Components, prepared: Prepared) -> None:
    seed = 2**32 - 1  # the largest that a recipe may have
    bare.open(prepared.document(edits.set_decomposition(prepared.recipe, seed=seed)))
    assert bare.page.panel.seed.value() == 2**31 - 1
    assert bare.recipe.decomposition.seed == seed


def test_all_maps_together_makes_no_difference_with_one_map(stage: Components) -> None:
    assert not stage.page.panel.joint.isEnabled()
    assert stage.page.panel.joint.isChecked()


def test_what_did_not_converge_is_said_aloud(bare: Components, prepared: Prepared) -> None:
    found = prepared.result("decomposition")
    bare.show(prepared.document(decomposition=of_components(prepared, 3, converged=False)))
    assert "Did not converge" in bare.page.banner.text
    assert bare.page.banner.kind == "warning"
    assert bare.page.panel.converged.property("role") == "warning"
    bare.open(prepared.document(decomposition=replace(found, names=(NAME,))))
    assert not bare.page.banner.isVisible()
    assert "Converged after" in bare.page.panel.converged.text()


def test_smoothing_is_for_display_and_no_decision(stage: Components) -> None:
    before = stage.recipe
    stage.page.panel.smoothing.setValue(2.0)
    measured = stage.workspace.result("decomposition").maps_of(NAME)[0]
    stage.until(lambda: stage.rows[0].map.array.std() < 0.6 * measured.std())
    assert stage.recipe is before


def test_a_map_with_another_energy_range_is_not_mixed_with_old_components(
    stage: Components,
) -> None:
    stage.workspace.edit(edits.set_instrument, energy_range_keV=(0.3, 8.0))
    stage.until(lambda: stage.workspace.result("read") is not None)
    stage.page.refresh()
    stage.until(lambda: stage.workspace.result("decomposition") is not None)
    stage.until(lambda: stage.page.rows.is_complete and stage.rows[0].plot.plot.limits()[1] < 8.1)
    assert not stage.said


def test_components_of_another_place_are_not_shown_where_the_map_is_now(
    stage: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = held(stage.workspace, monkeypatch)
    stage.page.forget()  # as after a look at another map
    read_elsewhere(stage.workspace, (10, 20, SIZE, SIZE))
    assert stage.page.rows.empty.isVisible()
    assert stage.page.rows.empty.text() == WAITING
    assert thread.of("components") == 0


def test_nothing_is_asked_where_nothing_changed(
    stage: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.page.refresh()
    asked: list[str] = []
    monkeypatch.setattr(stage.runner, "ask", lambda slot, *_: asked.append(slot))
    stage.page.refresh()
    assert asked == []


def test_the_spectra_follow_the_theme(stage: Components) -> None:
    THEME.choose("dark")
    curve = stage.rows[0].plot.plot.shown_curves()[0]
    assert QColor(curve.colour) == QColor("#e6e8ea")


def test_every_control_says_what_it_is(stage: Components, workspace_widgets: Any) -> None:
    for widget in workspace_widgets(stage.page):
        assert widget.accessibleName(), widget
        assert widget.toolTip(), widget


@pytest.fixture
def workspace_widgets() -> Any:
    from PyQt6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit

    def controls(page: ComponentPage) -> list[QWidget]:
        kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit)
        found = [*page.body.findChildren(kinds[0]), *page.settings.findChildren(kinds[0])]
        for kind in kinds[1:]:
            found += [*page.body.findChildren(kind), *page.settings.findChildren(kind)]
        inner = (QAbstractSpinBox, QComboBox)
        return [w for w in found if not isinstance(w.parentWidget(), inner)]

    return controls


def test_a_workspace_without_a_document_shows_nothing(qtbot: QtBot) -> None:
    stage = Components(qtbot, ComponentPage)
    stage.page.refresh()
    assert stage.rows == []
    stage.runner.close()
