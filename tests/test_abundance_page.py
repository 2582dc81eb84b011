"""The page of the abundances, with real mouse and key events on a small simulated map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox
from pytestqt.qtbot import QtBot

from endmember.core.display.map_display import mixed_colours, smoothed
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Recipe
from endmember.session.state.session import Failure
from endmember.session.steps.map_reading import fitting
from endmember.session.views.abundance_views import (
    MissedPlace,
    abundance_view,
    endmember_spectra,
    missed_places,
)
from endmember.ui.pages.abundance.abundance_page import (
    NO_MAP,
    NO_PRECIPITATE,
    WAITING,
    AbundancePage,
)
from endmember.ui.pages.abundance.abundance_settings import MIXED, RESIDUAL
from endmember.ui.pages.abundance.endmember_view import UNITS
from endmember.ui.widgets.theme import THEME, phase_colour
from held_requests import held, read_elsewhere
from page_stage import LEFT, NAME, SIZE, Prepared, Stage, prepared_demo

PHASES = ("Brg", "Fp", "CaPv")
MISSED = 1  # the rectangle of Fp that is left out, round a grain that then is missed


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def missing(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The same without the rectangle of one grain."""

    def without(recipe: Recipe) -> Recipe:
        return edits.remove_rectangle(recipe, "Fp", NAME, MISSED)

    return prepared_demo(tmp_path_factory.mktemp("missing"), without)


class Abundances(Stage[AbundancePage]):
    """The page of the abundances with its maps."""

    @property
    def maps(self) -> dict[str, Any]:
        """The maps shown, by their titles."""
        return {view.title: view for view in self.page.maps.shown_views()}

    def show(self, document: Any) -> Abundances:
        self.open(document)
        self.until(lambda: RESIDUAL in self.maps and self.page.spectra.plot.plot.shown_curves())
        return self

    def tick(self, key: str) -> None:
        self.qtbot.mouseClick(self.page.panel.boxes[key], LEFT, pos=QPoint(8, 8))


@pytest.fixture
def bare(qtbot: QtBot) -> Iterator[Abundances]:
    made = Abundances(qtbot, AbundancePage)
    yield made
    made.runner.close()
    THEME.choose("light")


@pytest.fixture
def stage(bare: Abundances, prepared: Prepared) -> Abundances:
    return bare.show(prepared.document())


@pytest.fixture
def doubtful(bare: Abundances, missing: Prepared) -> Abundances:
    made = bare.show(missing.document())
    made.until(lambda: made.page.panel.missed.isVisible())
    return made


# --- what is computed ----------------------------------------------------------------------------


def test_a_pixel_of_one_phase_has_its_colour_and_a_mixture_lies_between() -> None:
    fractions = np.array([[[1.0, 0.0, 0.25, np.nan]], [[0.0, 1.0, 0.75, np.nan]]])
    mixed = mixed_colours(fractions, [(0, 100, 200), (80, 20, 0)])
    assert mixed.tolist() == [[[0, 100, 200], [80, 20, 0], [60, 40, 50], [0, 0, 0]]]
    with pytest.raises(ValueError, match="one for each"):
        mixed_colours(fractions, [(0, 0, 0)])


def test_pixels_without_counts_stay_empty_and_weigh_nothing_when_smoothed() -> None:
    values = np.full((15, 15), 0.4)
    values[7, 7] = np.nan
    found = smoothed(values, 2.0)
    assert np.isnan(found[7, 7])
    np.testing.assert_allclose(found[np.isfinite(found)], 0.4)


def test_smoothed_abundances_still_sum_to_one(prepared: Prepared) -> None:
    view = abundance_view(prepared.result("abundance"), [(0, 0, 0)] * 3, 1.5)
    np.testing.assert_allclose(view.maps.sum(axis=0), 1.0)


def test_the_scale_of_the_residual_does_not_blow_up_noise(prepared: Prepared) -> None:
    found = prepared.result("abundance")
    level = replace(found.abundance, residual=np.full((SIZE, SIZE), 1.0))
    low, high = abundance_view(replace(found, abundance=level), [(0, 0, 0)] * 3, 0).residual_levels
    assert low < 0.8
    assert high > 1.2
    view = abundance_view(found, [(0, 0, 0)] * 3, 0)
    assert view.median_residual == pytest.approx(1.0, abs=0.1)


def test_the_place_of_a_missed_precipitate_lies_in_the_rectangle_left_out(
    prepared: Prepared, missing: Prepared
) -> None:
    steps = [missing.result(step) for step in ("read", "masks", "abundance")]
    places = missed_places(*steps)
    assert len(places) == 1
    x, y, width, height = prepared.recipe.precipitate_named("Fp").boxes_on(NAME)[MISSED]
    (px, py), box = places[0].point, places[0].box
    assert places[0].phase == "Fp"
    assert x < px < x + width
    assert y < py < y + height
    assert box[0] <= x and box[1] <= y  # noqa: PT018 - one corner
    assert box[0] + box[2] >= x + width
    assert box[1] + box[3] >= y + height
    complete = [prepared.result(step) for step in ("read", "masks", "abundance")]
    assert missed_places(*complete) == ()


def test_places_are_told_in_pixels_of_the_uncropped_map(missing: Prepared) -> None:
    data, masks, found = (missing.result(step) for step in ("read", "masks", "abundance"))
    (plain,) = missed_places(data, masks, found)
    entry = edits.changed(data.entry, crop=(10, 20, 2 * SIZE, 2 * SIZE), rebin=2)
    (moved,) = missed_places(replace(data, entry=entry), masks, found)
    assert moved.point == (2 * (plain.point[0] - 0.5) + 11, 2 * (plain.point[1] - 0.5) + 21)
    assert moved.box == (
        10 + 2 * plain.box[0],
        20 + 2 * plain.box[1],
        *(2 * v for v in plain.box[2:]),
    )


def test_spectra_are_brought_to_unit_area_or_to_their_peak(prepared: Prepared) -> None:
    phases = prepared.result("subtraction")
    axis, by_area = endmember_spectra(phases, "Brg", "area")
    _, by_peak = endmember_spectra(phases, "Brg", "peak")
    assert tuple(of.phase for of in by_area) == PHASES
    for area, peak in zip(by_area, by_peak, strict=True):
        assert area.values.shape == (axis.channels,)
        assert area.values.sum() == pytest.approx(1.0)
        assert peak.values.max() == pytest.approx(1.0)
        np.testing.assert_allclose(peak.sigma / peak.values.max(), area.sigma / area.values.max())
    counts = phases.matrix.fit.spectrum.counts
    np.testing.assert_allclose(by_area[0].sigma, np.sqrt(counts) / counts.sum())


# --- maps ----------------------------------------------------------------------------------------


def test_every_phase_has_its_map_from_0_to_1(stage: Abundances) -> None:
    found = stage.workspace.result("abundance")
    assert tuple(stage.maps) == (MIXED, *PHASES, RESIDUAL)
    for phase, values in zip(PHASES, found.abundance.maps, strict=True):
        view = stage.maps[phase]
        np.testing.assert_array_equal(view.array, values)
        assert view.shown_levels() == (0.0, 1.0)
        assert view.unit == "fraction of counts"


def test_the_mixed_map_has_the_colours_of_the_phases_and_a_legend(stage: Abundances) -> None:
    found = stage.workspace.result("abundance").abundance.maps
    colours = [phase_colour(index) for index in range(3)]
    expected = np.zeros((SIZE, SIZE, 3))
    for values, colour in zip(found, colours, strict=True):
        expected += values[:, :, None] * [colour.red(), colour.green(), colour.blue()]
    np.testing.assert_allclose(stage.maps[MIXED].array, expected, atol=0.51)
    assert stage.page.legend is not None
    assert [name for name, _ in stage.page.legend.entries] == list(PHASES)
    assert not stage.page.legend.isVisible()  # it would hide much of so small a map
    chips = [stage.maps[phase].head.chip.colour for phase in PHASES]
    assert chips == colours
    for key in (*PHASES, RESIDUAL):
        stage.tick(key)
    assert stage.page.legend.isVisible()


def test_the_residual_has_a_scale_of_its_own_round_1(stage: Abundances) -> None:
    view = stage.maps[RESIDUAL]
    np.testing.assert_array_equal(
        view.array, stage.workspace.result("abundance").abundance.residual
    )
    low, high = view.shown_levels()
    assert low < 1.0 < high
    assert "Median of the residual: 0.9" in stage.page.panel.median.text()


def test_a_map_that_is_not_ticked_is_not_shown(stage: Abundances) -> None:
    stage.tick(MIXED)
    assert tuple(stage.maps) == (*PHASES, RESIDUAL)
    assert stage.page.legend is not None
    assert not stage.page.legend.isVisible()
    for key in (*PHASES, RESIDUAL):
        stage.tick(key)
    assert stage.page.maps.views[0].canvas.empty_text == NO_MAP
    stage.tick("Fp")
    assert tuple(stage.maps) == ("Fp",)


def test_automatic_levels_follow_each_map(stage: Abundances) -> None:
    levels = stage.page.panel.levels
    levels.setFocus()
    stage.press(levels, Qt.Key.Key_Down)
    ends = {phase: stage.maps[phase].shown_levels() for phase in PHASES}
    assert len(set(ends.values())) == 3
    stage.press(levels, Qt.Key.Key_Up)
    assert stage.maps["Fp"].shown_levels() == (0.0, 1.0)


def test_contrast_chosen_by_hand_stays_with_its_phase(stage: Abundances) -> None:
    stage.maps["Fp"].set_levels((0.1, 0.6))
    stage.tick(MIXED)  # all maps move by one place
    assert stage.maps["Fp"].shown_levels() == (0.1, 0.6)
    assert stage.maps["Brg"].shown_levels() == (0.0, 1.0)
    assert stage.maps["CaPv"].shown_levels() == (0.0, 1.0)


def test_other_colours_keep_the_ends_from_0_to_1(stage: Abundances) -> None:
    stage.maps["Fp"].set_levels((0.1, 0.6))
    stage.tick(MIXED)
    stage.maps["CaPv"].set_colour_map("cividis")
    assert stage.maps["CaPv"].shown_levels() == (0.0, 1.0)
    stage.tick(MIXED)
    assert stage.maps["CaPv"].colour_map == "cividis"
    stage.maps["Fp"].set_colour_map("grey")
    assert stage.maps["Fp"].shown_levels() == (0.1, 0.6)
    assert stage.maps["Brg"].colour_map == "viridis"


def test_smoothing_is_for_display_and_no_decision(stage: Abundances) -> None:
    before, sharp = stage.recipe, stage.maps["Brg"].array.std()
    stage.page.panel.smoothing.setValue(2.0)
    stage.until(lambda: stage.maps["Brg"].array.std() < 0.8 * sharp)
    assert stage.recipe is before
    assert "smoothed" in stage.maps["Brg"].canvas.toolTip()


def test_maps_zoom_and_point_together(stage: Abundances) -> None:
    places: list[Any] = []
    stage.workspace.cursor_moved.connect(places.append)
    stage.point_at_map(stage.maps["Brg"], (40.5, 12.5))
    assert places[-1] == pytest.approx((40.5, 12.5), abs=0.5)
    assert stage.maps[RESIDUAL].canvas._cross.isVisible()
    canvas = stage.maps["Brg"].canvas
    canvas.setFocus()
    stage.press(canvas, Qt.Key.Key_Plus)
    widths = {round(view.canvas.box.viewRect().width(), 3) for view in stage.maps.values()}
    assert len(widths) == 1
    assert widths.pop() < SIZE


def test_the_status_bar_tells_all_fractions_of_a_pixel(stage: Abundances) -> None:
    abundance = stage.workspace.result("abundance").abundance
    told = stage.page.describe((40.5, 12.5))
    for phase, values in zip(PHASES, abundance.maps, strict=True):
        assert f"{phase} {values[12, 40]:.2f}" in told
    assert f"residual {abundance.residual[12, 40]:.2f}" in told
    assert "Brg" not in stage.page.describe((-5.0, 3.0))


def test_the_status_bar_tells_the_map_that_is_shown_until_a_smaller_crop_is_drawn(
    stage: Abundances, monkeypatch: pytest.MonkeyPatch
) -> None:
    abundance = stage.workspace.result("abundance").abundance
    thread = held(stage.workspace, monkeypatch)
    old = [stage.workspace.result(step) for step in ("masks", "subtraction", "abundance")]
    data = read_elsewhere(stage.workspace, (0, 0, 40, 30), (0, 0, 40, 30))
    session = stage.workspace.session
    assert session is not None
    session.accept(session.key("scree", NAME), "not looked at")
    session.accept(session.key("decomposition", NAME), "not looked at")
    cut = replace(
        abundance, maps=abundance.maps[:, :30, :40], residual=abundance.residual[:30, :40]
    )
    masks, phases, found = (replace(before, reading=data.reading) for before in old)
    session.accept(session.key("masks", NAME), masks)
    session.accept(session.key("subtraction", NAME), phases)
    session.accept(session.key("abundance", NAME), replace(found, abundance=cut))
    stage.workspace.results_changed.emit()
    assert thread.of("abundance view") == 1
    told = stage.page.describe((50.5, 45.5))  # still shown, though not in the crop
    assert f"residual {abundance.residual[45, 50]:.2f}" in told
    thread.answer("abundance view")
    assert stage.maps["Brg"].array.shape == (30, 40)
    assert "residual" not in stage.page.describe((50.5, 45.5))
    assert f"residual {abundance.residual[20, 30]:.2f}" in stage.page.describe((30.5, 20.5))


def test_every_result_of_a_map_fits_it(prepared: Prepared) -> None:
    data = prepared.result("read")
    for step in ("decomposition", "masks", "subtraction", "abundance"):
        assert fitting(prepared.result(step), data) is not None


def test_abundances_of_another_place_are_not_shown_where_the_map_is_now(
    bare: Abundances, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare.show(prepared.document())
    held(bare.workspace, monkeypatch)
    bare.page.forget()  # as after a look at another map
    read_elsewhere(bare.workspace, (10, 20, SIZE, SIZE))
    assert bare.page.maps.views[0].canvas.empty_text == WAITING


# --- spectra -------------------------------------------------------------------------------------


def test_spectra_have_the_colours_of_the_phases_and_their_errors(stage: Abundances) -> None:
    curves = stage.page.spectra.plot.plot.shown_curves()
    assert [curve.name.split(" (")[0] for curve in curves] == list(PHASES)
    for index, curve in enumerate(curves):
        assert curve.colour == phase_colour(index)
        assert curve.values.sum() == pytest.approx(1.0)
        assert curve.low is not None
        assert np.all(curve.low <= curve.values)


def test_the_scale_of_the_spectra_is_chosen_by_keys(stage: Abundances) -> None:
    scale, plot = stage.page.spectra.scale, stage.page.spectra.plot.plot
    assert plot.unit == UNITS["area"]
    scale.setFocus()
    stage.press(scale, Qt.Key.Key_Down)
    stage.until(lambda: plot.unit == UNITS["peak"])
    assert all(curve.values.max() == pytest.approx(1.0) for curve in plot.shown_curves())


def test_l_makes_the_spectra_logarithmic(stage: Abundances) -> None:
    assert stage.page.key_tool("L")
    assert stage.page.spectra.plot.is_log()
    canvas = stage.page.spectra.plot.plot.canvas
    canvas.setFocus()
    stage.press(canvas, Qt.Key.Key_L)
    assert not stage.page.spectra.log.isChecked()


# --- fractions -----------------------------------------------------------------------------------


def test_the_fractions_are_those_of_the_summed_spectrum_with_errors(stage: Abundances) -> None:
    fractions = stage.workspace.result("abundance").fractions
    table = stage.page.panel.fractions
    assert table.rowCount() == 3
    for row, phase in enumerate(PHASES):
        value, sigma = fractions[phase]
        name, told = table.item(row, 0), table.item(row, 1)
        assert name is not None
        assert told is not None
        assert name.text() == phase
        shown, error = (float(part) for part in told.text().replace("−", "-").split(" ± "))
        assert shown == pytest.approx(100 * value, abs=sigma * 100)
        assert error == pytest.approx(100 * sigma, rel=0.06)


def test_the_fractions_are_copied_as_a_spreadsheet_pastes_them(stage: Abundances) -> None:
    table = stage.page.panel.fractions
    table.setFocus()
    stage.qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    lines = clipboard.text().splitlines()
    assert lines[0].split("\t") == ["Phase", "% of counts", "sigma"]
    fractions = stage.workspace.result("abundance").fractions
    for line, phase in zip(lines[1:], PHASES, strict=True):
        name, value, sigma = line.split("\t")
        assert name == phase
        assert float(value) == pytest.approx(100 * fractions[phase][0], rel=1e-4)
        assert float(sigma) == pytest.approx(100 * fractions[phase][1], rel=1e-2)


# --- missed precipitates -------------------------------------------------------------------------


def place(stage: Abundances) -> MissedPlace:
    return stage.page.panel.missed.places[0]


def test_choosing_a_missed_precipitate_shows_it_in_the_middle(doubtful: Abundances) -> None:
    listed = doubtful.page.panel.missed.list
    assert "Missed precipitates (1)" in doubtful.page.panel.sections["missed"].heading.text()
    item = listed.item(0)
    assert item is not None
    doubtful.qtbot.mouseClick(listed.viewport(), LEFT, pos=listed.visualItemRect(item).center())
    point = place(doubtful).point
    for view in doubtful.maps.values():
        centre = view.canvas.box.viewRect().center()
        assert (centre.x(), centre.y()) == pytest.approx(point, abs=0.5)
        assert view.canvas._cross.pos() == QPointF(*point)


def test_a_rectangle_is_drawn_round_it_where_it_can_be_moved(doubtful: Abundances) -> None:
    missed, before = doubtful.page.panel.missed, doubtful.recipe
    assert not missed.draw.isEnabled()
    missed.list.setFocus()
    doubtful.press(missed.list, Qt.Key.Key_Down)
    asked = place(doubtful)
    doubtful.qtbot.mouseClick(missed.draw, LEFT)
    assert doubtful.workspace.focus.page == "masks"
    assert doubtful.workspace.focus.precipitate == "Fp"
    boxes = doubtful.recipe.precipitate_named("Fp").boxes_on(NAME)
    assert boxes == (*before.precipitate_named("Fp").boxes_on(NAME), asked.box)
    doubtful.workspace.undo()
    assert doubtful.recipe == before


def test_the_rectangle_finds_what_was_missed(doubtful: Abundances) -> None:
    missed = doubtful.page.panel.missed
    missed.list.setFocus()
    doubtful.press(missed.list, Qt.Key.Key_Down)
    doubtful.press(missed.list, Qt.Key.Key_Return)
    doubtful.until(lambda: doubtful.workspace.result("abundance") is not None)
    doubtful.until(lambda: not missed.isVisible())
    assert doubtful.workspace.result("abundance").warnings == ()


# --- states --------------------------------------------------------------------------------------


def test_without_a_precipitate_the_page_says_what_to_do_next(
    bare: Abundances, prepared: Prepared
) -> None:
    recipe = prepared.recipe
    for name in PHASES[1:]:
        recipe = edits.remove_precipitate(recipe, name)
    bare.open(prepared.document(recipe))
    assert bare.page.maps.views[0].canvas.empty_text == NO_PRECIPITATE
    assert not bare.page.spectra.isVisible()
    assert not bare.page.panel.sections["fractions"].isVisible()


def test_the_page_waits_for_masks_and_phases(bare: Abundances, prepared: Prepared) -> None:
    bare.runner.close()  # nothing is computed
    bare.open(prepared.document(abundance=None))
    assert bare.page.maps.views[0].canvas.empty_text == WAITING


def test_a_failure_is_told_above(bare: Abundances, prepared: Prepared) -> None:
    sentence = "7 endmembers cannot be unmixed: give 1 to 6"
    bare.open(prepared.document(abundance=Failure(sentence, True)))
    assert sentence in bare.page.banner.text
    assert "message above" in bare.page.maps.views[0].canvas.empty_text


def test_what_is_out_of_date_is_greyed_until_it_is_current(stage: Abundances) -> None:
    stage.workspace.edit(edits.remove_rectangle, "Fp", NAME, 0)
    assert stage.page.veil.isVisible()
    assert stage.page.panel.fractions_veil.isVisible()
    stage.until(lambda: stage.workspace.result("abundance") is not None)
    assert not stage.page.veil.isVisible()
    assert not stage.page.panel.fractions_veil.isVisible()


def test_a_precipitate_that_could_not_be_subtracted_is_named(
    bare: Abundances, prepared: Prepared
) -> None:
    recipe = edits.add_precipitate(prepared.recipe, "Sulfide", "Si")
    document = prepared.document(recipe)
    session = document.session
    for step in ("read", "scree", "decomposition", "masks", "subtraction", "abundance"):
        session.results[session.key(step, NAME)] = prepared.result(step)
    bare.show(document)
    assert "Sulfide: not part of the unmixing" in bare.page.panel.warnings.text()


def test_another_document_begins_with_its_own_maps(stage: Abundances, missing: Prepared) -> None:
    stage.maps["Fp"].set_levels((0.1, 0.6))
    stage.show(missing.document())
    found = missing.result("abundance").abundance.maps[1]
    stage.until(lambda: np.array_equal(stage.maps["Fp"].array, found))
    assert stage.maps["Fp"].shown_levels() == (0.0, 1.0)


def test_nothing_is_asked_where_nothing_changed(
    stage: Abundances, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.page.refresh()
    asked: list[str] = []
    monkeypatch.setattr(stage.runner, "ask", lambda slot, *_: asked.append(slot))
    stage.page.refresh()
    assert asked == []


def test_every_control_says_what_it_is(doubtful: Abundances) -> None:
    page = doubtful.page
    controls = [
        widget
        for root in (page.body, page.settings)
        for kind in (QAbstractButton, QAbstractSpinBox, QComboBox)
        for widget in root.findChildren(kind)
    ]
    assert len(controls) > 10
    for widget in controls:
        parent = widget.parentWidget()
        if type(parent).__name__ == "FractionTable":  # its corner
            continue
        assert widget.accessibleName(), widget
        assert widget.toolTip(), widget
