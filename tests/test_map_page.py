"""The map page: maps at their place, regions drawn by hand, all with real mouse and key events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.files.pictures.exporting import write_map_hspy
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Recipe, Roi, changed
from endmember.session.documents.document import Document
from endmember.session.state.session import Session
from endmember.session.state.steptable import StepTable
from endmember.session.steps.chain import STEPS
from endmember.ui.document.runner import Runner
from endmember.ui.document.workspace import Workspace
from endmember.ui.map_views.map_layers import Picture
from endmember.ui.map_views.map_view import MapView
from endmember.ui.pages.map.map_page import MapPage
from endmember.ui.pages.map.map_settings import NOT_COUNTED
from held_requests import held

LEFT, NO, SHIFT = (
    Qt.MouseButton.LeftButton,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
ROWS, COLUMNS = 48, 64  # not square, so that nothing may be turned
AXIS = EnergyAxis(0.0, 0.01, 2000)
LINES_keV = {"Mg": 1.254, "Si": 1.740, "Fe": 6.404}  # K alpha, Bearden (1967)
PATIENCE_MS = 20_000
READ_ONLY = StepTable([STEPS["read"]])


class Sample:
    """Counts with a continuum everywhere and lines in known places, in two files."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(12)
        cube = rng.poisson(0.01, (ROWS, COLUMNS, AXIS.channels)).astype(np.uint16)
        places = {"Mg": np.s_[5:20, 8:30], "Si": np.s_[:, 30:], "Fe": np.s_[30:40, 10:60]}
        for element, energy in LINES_keV.items():
            rows, columns = places[element]
            peak = np.exp(-0.5 * ((AXIS.centres - energy) / 0.04) ** 2)
            cube[rows, columns] += rng.poisson(
                20 * peak / peak.sum(), (*cube[rows, columns].shape[:2], AXIS.channels)
            ).astype(np.uint16)
        self.cube = cube
        images = {
            "BF": rng.normal(100, 5, (ROWS, COLUMNS)).astype(np.float32),
            "HAADF": rng.normal(500, 50, (ROWS, COLUMNS)).astype(np.float32),
        }
        image = replace(
            SpectrumImage.from_array(cube, AXIS),
            pixel_size_nm=10.0,
            beam_energy_keV=200.0,
            take_off_angle_deg=22.0,
            live_time_s=600.0,
            elements=("Mg", "Si", "Fe", "Cu"),
            images=images,
        )
        self.images = images
        self.file = folder / "area 1.hspy"
        write_map_hspy(self.file, image, "area 1")
        self.silent = folder / "silent.hspy"
        bare = replace(
            image, beam_energy_keV=None, take_off_angle_deg=None, pixel_size_nm=None, images={}
        )
        write_map_hspy(self.silent, replace(bare, live_time_s=None, elements=()), "silent")

    def counts(self, low_keV: float, high_keV: float) -> np.ndarray:
        inside = (AXIS.centres >= low_keV - 1e-9) & (AXIS.centres < high_keV - 1e-9)
        found: np.ndarray = self.cube[:, :, inside].sum(axis=2)
        return found


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("maps"))


class Stage:
    """The page in a window of its own, and hands that know the pixels of the map."""

    def __init__(self, qtbot: QtBot, sample: Sample, runner: Runner) -> None:
        self.qtbot, self.sample = qtbot, sample
        self.workspace = Workspace(runner)
        self.page = MapPage(self.workspace)
        self.window = QWidget()
        layout = QHBoxLayout(self.window)
        layout.addWidget(self.page.view, 1)
        self.page.settings.setFixedWidth(290)
        layout.addWidget(self.page.settings)
        qtbot.addWidget(self.window)
        self.window.resize(1200, 900)
        for signal in (
            self.workspace.recipe_changed,
            self.workspace.results_changed,
            self.workspace.focus_changed,
        ):
            signal.connect(self.page.refresh)
        self.said: list[str] = []
        self.workspace.said.connect(lambda message: self.said.append(message.text))
        self.told: list[Any] = []
        self.workspace.region_moved.connect(self.told.append)

    def open(self, recipe: Recipe | None = None, table: StepTable = READ_ONLY) -> Stage:
        """Show the map, of three elements unless a recipe says otherwise."""
        if recipe is None:
            recipe = edits.set_elements(edits.new_recipe(self.sample.file), LINES_keV, ())
            recipe = edits.add_precipitate(recipe, "Fp", "Si")
        document = Document(recipe)
        document.session = Session(table, recipe)
        self.window.show()
        self.qtbot.waitExposed(self.window)
        self.workspace.show(document)
        self.settle()
        return self

    def until(self, happened: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(happened()), timeout=PATIENCE_MS)

    def settle(self) -> None:
        """Wait until the map is read, and everything that was asked for is drawn."""
        shown = self.workspace.shown
        self.until(lambda: shown("read").current or shown("read").failure)
        if shown("read").value is not None:
            self.until(lambda: self.page.is_current)

    # --- what there is -----------------------------------------------------------------------

    @property
    def recipe(self) -> Recipe:
        assert self.workspace.recipe is not None
        return self.workspace.recipe

    @property
    def rois(self) -> tuple[Roi, ...]:
        return self.recipe.maps[0].rois

    @property
    def titles(self) -> list[str]:
        return [view.title for view in self.page.gallery.grid.shown_views()]

    def picture(self, key: str) -> Picture:
        return next(p for p in self.page.gallery.pictures if p.layer.key == key)

    def view(self, title: str) -> MapView:
        return next(v for v in self.page.gallery.grid.shown_views() if v.title == title)

    @property
    def undos(self) -> int:
        session = self.workspace.session
        assert session is not None
        steps = 0
        while session.can_undo:
            session.undo()
            steps += 1
        for _ in range(steps):
            session.redo()
        return steps

    # --- hands -------------------------------------------------------------------------------

    @property
    def canvas(self) -> Any:
        return self.page.gallery.grid.views[0].canvas

    def at(self, x: float, y: float) -> QPoint:
        place: QPoint = self.canvas.position_of((x, y)).toPoint()
        return place

    def drag(self, *points: tuple[float, float], release: bool = True) -> None:
        places = [self.at(*point) for point in points]
        port = self.canvas.viewport()
        self.qtbot.mousePress(port, LEFT, NO, places[0])
        for place in places[1:]:
            self.qtbot.mouseMove(port, place)
        if release:
            self.qtbot.mouseRelease(port, LEFT, NO, places[-1])

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = NO, on: Any = None) -> None:
        self.qtbot.keyClick(on or self.canvas, key, modifier)

    def draw(self, tool: str, *points: tuple[float, float]) -> None:
        assert self.page.key_tool(tool)
        self.drag(*points)
        self.settle()


@pytest.fixture
def stage(qtbot: QtBot, sample: Sample) -> Iterator[Stage]:
    runner = Runner()
    yield Stage(qtbot, sample, runner)
    runner.close()


# --- maps ------------------------------------------------------------------------------------


def test_the_usual_maps_are_haadf_all_counts_and_the_elements(stage: Stage) -> None:
    stage.open()
    assert stage.titles == ["HAADF", "All counts", "Mg Kα", "Si Kα", "Fe Kα"]
    assert stage.view("HAADF").colour_map == "grey"
    np.testing.assert_allclose(stage.picture("image HAADF").counts, stage.sample.images["HAADF"])


def test_all_counts_are_those_of_the_energy_range(stage: Stage) -> None:
    stage.open()
    np.testing.assert_array_equal(
        stage.picture("total All counts").counts, stage.sample.counts(0.3, 20.0)
    )


def test_the_map_of_an_element_holds_the_counts_round_its_line(stage: Stage) -> None:
    stage.open()
    for element, energy in LINES_keV.items():
        width = np.sqrt(0.130**2 + 2.5e-3 * (energy - 5.8987))  # FWHM in keV; see physics of SDDs
        expected = stage.sample.counts(energy - 0.6 * width, energy + 0.6 * width)
        found = stage.picture(f"element {element}").counts
        assert found is not None
        difference = found - expected  # a channel more or less, for a line energy a little off
        assert np.abs(difference).mean() < 0.06 * expected.max()
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99


def test_without_background_places_without_the_element_hold_nothing(stage: Stage) -> None:
    stage.open()
    with_background = stage.picture("element Si").counts
    stage.page.panel.layers.background.click()
    stage.settle()
    net = stage.picture("element Si").counts
    assert with_background is not None
    assert net is not None
    without_silicon = np.s_[22:, :28]
    pixels = net[without_silicon].size
    assert with_background[without_silicon].mean() > 0.05
    assert abs(net[without_silicon].mean()) < 4 * net[without_silicon].std() / pixels**0.5
    assert "net" in stage.picture("element Si").detail


def test_scaled_maps_run_from_0_to_1_and_counts_are_kept(stage: Stage) -> None:
    stage.open()
    scaled = stage.picture("element Fe")
    assert scaled.values is not None
    low, high = np.percentile(scaled.counts, (0.5, 99.7))
    np.testing.assert_allclose(scaled.values, (scaled.counts - low) / (high - low), rtol=1e-5)
    assert stage.view("Fe Kα").shown_levels() == (0.0, 1.0)
    stage.page.panel.layers.scale.setFocus()
    stage.key(Qt.Key.Key_Down, on=stage.page.panel.layers.scale)
    stage.settle()
    counts = stage.picture("element Fe")
    np.testing.assert_array_equal(counts.values, counts.counts)
    assert counts.unit == "counts"


def test_smoothing_is_said_in_the_title_and_leaves_counts_and_images_alone(stage: Stage) -> None:
    stage.open()
    before = stage.picture("element Si")
    stage.page.panel.layers.smoothing.setValue(2.0)
    stage.settle()
    after = stage.picture("element Si")
    np.testing.assert_array_equal(after.counts, before.counts)
    assert after.values is not None
    assert before.values is not None
    level = np.s_[5:25, 45:]  # silicon everywhere: what varies here is noise
    assert after.values[level].std() < before.values[level].std() / 2
    assert after.detail == "σ 2 px"
    assert stage.picture("image HAADF").detail == ""


def test_a_map_is_hidden_and_shown_by_its_tick_with_the_keyboard(stage: Stage) -> None:
    stage.open()
    ticks = stage.page.panel.layers.ticks
    ticks.setFocus()
    ticks.setCurrentRow(1)  # BF, behind HAADF
    stage.key(Qt.Key.Key_Space, on=ticks)
    stage.settle()
    assert stage.titles[:3] == ["HAADF", "BF", "All counts"]
    stage.key(Qt.Key.Key_Space, on=ticks)
    stage.settle()
    assert "BF" not in stage.titles


def test_one_map_can_be_shown_alone_and_all_again(stage: Stage) -> None:
    stage.open()
    stage.page.gallery.alone_asked.emit("element Fe")
    stage.settle()
    assert stage.titles == ["Fe Kα"]
    stage.page.gallery.alone_asked.emit("")
    stage.settle()
    assert len(stage.titles) == 5


def test_contrast_and_colours_belong_to_the_layer(stage: Stage) -> None:
    stage.open()
    stage.key(Qt.Key.Key_Down, on=stage.page.panel.layers.scale)  # in counts
    stage.settle()
    stage.view("Fe Kα").set_levels((2.0, 12.0))
    stage.view("Fe Kα").set_colour_map("inferno")
    stage.page.panel.layers.tick("element Mg", False)  # Fe moves to another view
    stage.settle()
    assert stage.view("Fe Kα").shown_levels() == (2.0, 12.0)
    assert stage.view("Fe Kα").colour_map == "inferno"
    assert stage.view("Si Kα").colour_map == "viridis"
    stage.key(Qt.Key.Key_Up, on=stage.page.panel.layers.scale)  # from 0 to 1
    stage.settle()
    picture = stage.picture("element Fe")
    assert picture.ends is not None
    low, high = picture.ends
    found = stage.view("Fe Kα").shown_levels()
    assert found == pytest.approx(((2 - low) / (high - low), (12 - low) / (high - low)))
    stage.view("Fe Kα").set_levels((0.0, 0.5))
    stage.key(Qt.Key.Key_Down, on=stage.page.panel.layers.scale)
    stage.settle()
    assert stage.view("Fe Kα").shown_levels() == pytest.approx((low, (low + high) / 2))


def test_the_overlay_shows_three_maps_in_colours_that_it_names(stage: Stage) -> None:
    stage.open()
    stage.page.panel.layers.with_overlay.click()
    stage.settle()
    view = stage.view("Mg red, Si green, Fe blue")
    assert view.array is not None
    assert view.array.shape == (ROWS, COLUMNS, 3)
    red, green, blue = np.moveaxis(view.array.astype(float), -1, 0)
    assert red[5:20, 8:30].mean() > 5 * red[21:29, 8:29].mean()
    assert green[:, 31:].mean() > 5 * green[21:29, 8:29].mean()
    assert blue[30:40, 10:60].mean() > 5 * blue[21:29, 8:29].mean()
    assert stage.page.gallery.legend.text() == "Mg red, Si green, Fe blue"


def test_a_window_dragged_on_the_spectrum_changes_its_map_at_once(stage: Stage) -> None:
    stage.open()
    stage.workspace.edit(edits.add_window, 6.0, 6.2, name="W")
    stage.settle()
    stage.workspace.window_moved.emit(("W", 6.2, 6.6))
    expected = stage.sample.counts(6.2, 6.6)
    stage.until(lambda: np.array_equal(stage.picture("window W").counts, expected))
    assert stage.recipe.windows[0].range_keV == (6.0, 6.2)  # nothing is decided yet
    stage.workspace.window_moved.emit(None)
    stage.workspace.edit(edits.change_window, "W", range_keV=(6.2, 6.6))
    stage.settle()
    np.testing.assert_array_equal(stage.picture("window W").counts, expected)


def test_a_window_without_a_name_has_a_view_while_it_is_drawn(stage: Stage) -> None:
    stage.open()
    stage.workspace.window_moved.emit(("", 1.0, 1.5))
    stage.until(lambda: "Window" in stage.titles)
    stage.workspace.window_moved.emit(None)
    stage.until(lambda: "Window" not in stage.titles)


def test_a_window_off_the_axis_says_so_in_its_view(stage: Stage) -> None:
    stage.open()
    stage.workspace.edit(edits.add_window, 30.0, 31.0, name="far")
    stage.settle()
    assert "holds no channel" in stage.view("far").canvas.empty_text


def test_what_has_not_changed_is_not_made_again(stage: Stage, monkeypatch: Any) -> None:
    stage.open()
    asked: list[str] = []
    monkeypatch.setattr(stage.workspace.runner, "ask", lambda slot, *_: asked.append(slot))
    stage.page.refresh()
    stage.workspace.edit(edits.set_segmentation, smoothing_px=3.0)  # nothing of this page
    assert asked == []


# --- regions of interest -------------------------------------------------------------------------


def test_a_dragged_rectangle_becomes_a_region_for_the_matrix(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 12), (20, 20), (34, 30))
    (roi,) = stage.rois
    assert (roi.rectangle, roi.phase) == ((10, 12, 24, 18), stage.recipe.sample.matrix)
    assert stage.workspace.focus.roi == roi.name
    assert stage.workspace.focus.spectrum == f"roi {roi.name}"
    table = stage.page.panel.rois.table
    stage.until(lambda: table.item(0, 2).text() == str(24 * 18))  # type: ignore[union-attr]
    assert stage.page.panel.rois.key() == ("roi", roi.name)


def test_while_a_region_is_drawn_its_shape_is_told_and_then_its_end(stage: Stage) -> None:
    stage.open()
    stage.page.key_tool("O")
    stage.drag((10, 10), (20, 20), (30, 24), release=False)
    assert stage.told[-1] == ("ellipse", (10, 10, 20, 14))
    assert stage.rois == ()
    stage.qtbot.mouseRelease(stage.canvas.viewport(), LEFT, NO, stage.at(30, 24))
    assert stage.told[-1] is None
    assert stage.rois[0].ellipse == (10, 10, 20, 14)


def test_escape_while_drawing_decides_nothing_and_tells_the_end(stage: Stage) -> None:
    stage.open()
    stage.page.key_tool("R")
    stage.drag((10, 10), (30, 24), release=False)
    stage.key(Qt.Key.Key_Escape)
    stage.qtbot.mouseRelease(stage.canvas.viewport(), LEFT, NO, stage.at(30, 24))
    assert stage.told[-1] is None
    assert stage.rois == ()


def test_a_polygon_is_clicked_and_closed_with_enter(stage: Stage) -> None:
    stage.open()
    stage.page.key_tool("P")
    for corner in ((10, 10), (40, 10), (40, 30), (10, 30)):
        stage.qtbot.mouseClick(stage.canvas.viewport(), LEFT, NO, stage.at(*corner))
    stage.key(Qt.Key.Key_Return)
    (roi,) = stage.rois
    assert roi.polygon is not None
    np.testing.assert_allclose(roi.polygon, [(10, 10), (40, 10), (40, 30), (10, 30)], atol=0.2)


def test_one_drag_of_a_region_is_one_undo(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 12), (34, 30))
    before = stage.undos
    stage.draw("V", (20, 20), (22, 21), (25, 24), (26, 25))
    assert stage.rois[0].rectangle == (16, 17, 24, 18)
    assert stage.undos == before + 1
    stage.workspace.undo()
    assert stage.rois[0].rectangle == (10, 12, 24, 18)


def test_a_run_of_nudges_is_one_undo_and_another_decision_ends_it(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 12), (34, 30))
    before = stage.undos
    stage.key(Qt.Key.Key_Right)
    stage.key(Qt.Key.Key_Down, SHIFT)
    assert stage.rois[0].rectangle == (11, 22, 24, 18)
    assert stage.undos == before + 1
    stage.workspace.edit(edits.set_segmentation, smoothing_px=3.0)
    stage.key(Qt.Key.Key_Left)
    assert stage.undos == before + 3


def test_three_nudges_before_the_page_is_drawn_anew_move_by_three_pixels(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 12), (34, 30))
    stage.workspace.recipe_changed.disconnect(stage.page.refresh)  # the window refreshes later
    stage.workspace.results_changed.disconnect(stage.page.refresh)
    stage.workspace.focus_changed.disconnect(stage.page.refresh)
    for _ in range(3):
        stage.key(Qt.Key.Key_Right)
    assert stage.rois[0].rectangle == (13, 12, 24, 18)


def test_exact_boxes_move_a_rectangle_and_stretch_a_polygon(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 12), (34, 30))
    boxes = stage.page.panel.rois.boxes.boxes
    assert [box.value() for box in boxes] == [10, 12, 24, 18]
    boxes[0].setFocus()
    boxes[0].selectAll()
    stage.qtbot.keyClicks(boxes[0], "15")
    stage.key(Qt.Key.Key_Return, on=boxes[0])
    assert stage.rois[0].rectangle == (15, 12, 24, 18)
    corners = ((0, 0), (20, 0), (0, 10))
    stage.workspace.edit(edits.change_roi, "area 1", "ROI_1", polygon=corners)
    stage.settle()
    boxes[2].setValue(40)
    assert stage.rois[0].polygon == ((0, 0), (40, 0), (0, 10))


def test_boxes_follow_a_region_while_it_is_dragged(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 12), (34, 30))
    stage.page.key_tool("V")
    stage.drag((20, 20), (25, 25), release=False)
    assert [box.value() for box in stage.page.panel.rois.boxes.boxes] == [15, 17, 24, 18]
    assert stage.told[-1] == ("rectangle", (15, 17, 24, 18))
    stage.qtbot.mouseRelease(stage.canvas.viewport(), LEFT, NO, stage.at(25, 25))


def test_a_region_gets_name_and_phase_and_the_next_one_the_same_phase(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 12), (34, 30))
    regions = stage.page.panel.rois
    regions.name_line.selectAll()
    stage.qtbot.keyClicks(regions.name_line, "grain 3")
    stage.key(Qt.Key.Key_Return, on=regions.name_line)
    regions.phase_box.setFocus()
    stage.key(Qt.Key.Key_Down, on=regions.phase_box)
    assert (stage.rois[0].name, stage.rois[0].phase) == ("grain 3", "Fp")
    assert stage.workspace.focus.spectrum == "roi grain 3"
    stage.key(Qt.Key.Key_Escape)
    stage.draw("O", (40, 5), (60, 25))
    assert stage.rois[1].phase == "Fp"


def test_del_in_the_list_removes_the_region_and_undo_brings_it_back(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 12), (34, 30))
    table = stage.page.panel.rois.table
    table.setFocus()
    stage.key(Qt.Key.Key_Delete, on=table)
    assert stage.rois == ()
    assert stage.workspace.focus.spectrum == "whole map"
    stage.workspace.undo()
    assert len(stage.rois) == 1


def test_a_region_selected_in_the_list_is_selected_on_the_maps(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (2, 2), (12, 12))
    stage.draw("R", (30, 2), (42, 12))
    table = stage.page.panel.rois.table
    table.setFocus()
    stage.key(Qt.Key.Key_Up, on=table)
    assert stage.page.regions.shapes.key_selected == ("roi", "ROI_1")
    assert stage.workspace.focus.roi == "ROI_1"


def test_a_region_chosen_for_the_spectrum_is_selected_on_the_maps(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (2, 2), (12, 12))
    stage.draw("R", (30, 2), (42, 12))
    stage.workspace.look(spectrum="roi ROI_1")
    assert stage.page.regions.shapes.key_selected == ("roi", "ROI_1")
    stage.key(Qt.Key.Key_Escape)
    stage.page.refresh()
    assert stage.page.regions.shapes.key_selected is None


def test_a_region_reaching_beyond_the_map_is_cut_to_it(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (50, 30), (COLUMNS + 0.9, ROWS + 0.9))
    assert stage.rois[0].rectangle == (50, 30, COLUMNS - 50, ROWS - 30)


def test_a_region_off_the_map_is_refused_and_one_dragged_off_it_comes_back(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 12), (34, 30))
    for _ in range(7):
        stage.key(Qt.Key.Key_Right, SHIFT)
    left = stage.rois[0].rectangle
    assert left is not None
    assert 0 < left[0] < COLUMNS
    assert "covers no pixel" in stage.said[-1]


# --- exclusions and crop -------------------------------------------------------------------------


def test_an_excluded_region_takes_its_pixels_from_the_regions_of_interest(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 10), (30, 30))
    stage.draw("X", (10, 10), (20, 30))
    assert stage.recipe.maps[0].excludes[0].rectangle == (10, 10, 10, 20)
    roi_cell = stage.page.panel.rois.table.item(0, 2)
    exclude_cell = stage.page.panel.excludes.table.item(0, 1)
    assert roi_cell is not None
    assert exclude_cell is not None
    stage.until(lambda: (roi_cell.text(), exclude_cell.text()) == ("200", "200"))


def test_excluded_shapes_can_be_ellipses_and_polygons(stage: Stage) -> None:
    stage.open()
    stage.page.tools.exclude_shapes["ellipse"].trigger()
    stage.drag((10, 10), (30, 26))
    stage.page.tools.exclude_shapes["polygon"].trigger()
    for corner in ((40, 5), (60, 5), (60, 20)):
        stage.qtbot.mouseClick(stage.canvas.viewport(), LEFT, NO, stage.at(*corner))
    stage.qtbot.mouseDClick(stage.canvas.viewport(), LEFT, NO, stage.at(60, 20))
    ellipse, polygon = stage.recipe.maps[0].excludes
    assert ellipse.ellipse == (10, 10, 20, 16)
    assert polygon.polygon is not None
    assert stage.rois == ()


def test_a_crop_is_read_anew_while_the_old_maps_stay_greyed(stage: Stage) -> None:
    stage.open()
    old = stage.page.gallery.pictures
    stage.page.key_tool("C")
    stage.settle()
    stage.drag((8, 6), (30, 20), (40, 36))
    assert stage.recipe.maps[0].crop == (8, 6, 32, 30)
    assert stage.page.veil.isVisible()
    assert stage.page.gallery.pictures[0].layer == old[0].layer
    stage.settle()
    assert not stage.page.veil.isVisible()
    found = stage.picture("total All counts").counts
    np.testing.assert_array_equal(found, stage.sample.counts(0.3, 20.0)[6:36, 8:40])
    assert stage.page.gallery.grid.views[0].place == (8, 6, 32, 30)


def test_the_crop_is_taken_away_by_its_button_and_undo_brings_it_back(stage: Stage) -> None:
    stage.open()
    stage.draw("C", (8, 6), (40, 36))
    stage.qtbot.mouseClick(stage.page.tools.reset, LEFT)
    assert stage.recipe.maps[0].crop is None
    stage.settle()
    stage.workspace.undo()
    assert stage.recipe.maps[0].crop == (8, 6, 32, 30)


def test_a_crop_beyond_the_map_is_cut_and_one_of_the_whole_map_is_none(stage: Stage) -> None:
    stage.open()
    stage.draw("C", (20, 10), (COLUMNS + 1, ROWS + 1))
    assert stage.recipe.maps[0].crop == (20, 10, COLUMNS - 20, ROWS - 10)
    stage.page.regions.set_crop((-5, -5, COLUMNS + 10, ROWS + 10))
    assert stage.recipe.maps[0].crop is None


def two_files(sample: Sample) -> Recipe:
    """Two files, the second cropped, both with a region of the same name."""
    recipe = edits.add_map(edits.new_recipe(sample.file), sample.silent)
    recipe = edits.set_instrument(recipe, beam_energy_keV=200.0, take_off_angle_deg=22.0)
    first, second = recipe.maps
    here = Roi(name="R", phase="Matrix", rectangle=(8, 8, 10, 10))
    there = Roi(name="R", phase="Matrix", rectangle=(8, 8, 6, 5))
    second = changed(second, crop=(5, 5, 30, 30), rois=(there,))
    return changed(recipe, maps=(changed(first, rois=(here,)), second))


def backdrops(stage: Stage) -> list[bool]:
    shown = len(stage.page.gallery.grid.shown_views())
    return [item.isVisible() for item in stage.page.gallery._backdrops[:shown]]


def test_round_the_crop_of_another_file_nothing_of_the_last_one_is_shown(stage: Stage) -> None:
    stage.open(two_files(stage.sample))
    stage.page.key_tool("C")
    stage.settle()
    stage.drag((8, 6), (30, 20), (40, 36))
    stage.settle()
    assert all(backdrops(stage))
    stage.workspace.look(map_name="silent")
    stage.settle()
    assert stage.page.regions.purpose == "crop"
    assert not any(backdrops(stage))


def test_the_pixels_of_a_region_of_another_map_are_not_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.open(two_files(stage.sample))

    def told() -> str:
        return stage.page.panel.rois._rows[0].cells[-1]

    stage.until(lambda: told() == "100")
    stage.until(lambda: stage.workspace.runner.running is None)
    thread = held(stage.workspace, monkeypatch)
    stage.workspace.look(map_name="silent")
    assert told() == NOT_COUNTED
    stage.workspace.look(map_name="area 1")
    thread.answer(newest_first=True)
    assert told() == "100"
    stage.workspace.look(map_name="silent")
    thread.answer()
    assert told() == "30"


def test_crop_rebin_and_energies_can_be_typed(stage: Stage) -> None:
    stage.open()
    part = stage.page.panel.part
    stage.page.panel.sections["part"].open()
    assert [box.value() for box in part.crop.boxes] == [0, 0, COLUMNS, ROWS]
    for box, text in ((part.crop.boxes[2], "40"), (part.rebin, "2"), (part.low, "1.0")):
        box.setFocus()
        box.selectAll()
        stage.qtbot.keyClicks(box, text)
        stage.key(Qt.Key.Key_Return, on=box)
    stage.settle()
    assert stage.recipe.maps[0].crop == (0, 0, 40, ROWS)
    counts = stage.sample.counts(1.0, 20.0)[:, :40].reshape(ROWS // 2, 2, 20, 2).sum(axis=(1, 3))
    np.testing.assert_array_equal(stage.picture("total All counts").counts, counts)


def test_an_energy_range_that_does_not_rise_is_refused_and_put_back(stage: Stage) -> None:
    stage.open()
    stage.page.panel.part.low.setValue(30.0)
    assert stage.recipe.instrument.energy_range_keV == (0.3, 20.0)
    assert "must rise" in stage.said[-1]
    assert stage.page.panel.part.low.value() == 0.3


def test_one_end_of_the_energy_range_leaves_the_decimals_of_the_other(stage: Stage) -> None:
    stage.open()
    stage.workspace.edit(edits.set_instrument, energy_range_keV=(0.30125, 19.99875))
    stage.settle()
    part = stage.page.panel.part
    part.low.setValue(0.4125)
    part.low.setValue(0.412)
    assert stage.recipe.instrument.energy_range_keV == (0.412, 19.99875)
    part.high.setValue(18.005)
    assert stage.recipe.instrument.energy_range_keV == (0.412, 18.005)


# --- facts, files, status ------------------------------------------------------------------------


def test_a_beam_energy_that_the_file_lacks_can_be_given_at_once(stage: Stage) -> None:
    stage.open(edits.new_recipe(stage.sample.silent))
    page, facts = stage.page, stage.page.panel.facts
    assert "beam energy" in page.banner.text
    assert page.panel.sections["facts"].opened
    assert facts.beam.property("needed")
    stage.qtbot.keyClicks(facts.beam, "200")
    stage.key(Qt.Key.Key_Return, on=facts.beam)
    stage.settle()
    assert stage.titles == ["All counts"]
    assert not facts.beam.property("needed")
    assert facts.values["Pixel size"].text() == "unknown"
    assert facts.values["Live time"].text() == "unknown"
    assert facts.take_off.placeholderText() == "unknown"


def test_what_is_no_number_is_refused(stage: Stage) -> None:
    stage.open()
    thickness = stage.page.panel.facts.thickness
    stage.qtbot.keyClicks(thickness, "thin")
    stage.key(Qt.Key.Key_Return, on=thickness)
    assert "is no number" in stage.said[-1]
    assert thickness.text() == ""
    stage.qtbot.keyClicks(thickness, "80,5")
    stage.key(Qt.Key.Key_Return, on=thickness)
    assert stage.recipe.maps[0].thickness_nm == 80.5


def test_facts_say_what_the_file_says(stage: Stage) -> None:
    stage.open()
    facts = {name: label.text() for name, label in stage.page.panel.facts.values.items()}
    total = int(stage.sample.counts(0.3, 20.0).sum())
    assert facts["Size"] == f"{COLUMNS} x {ROWS} px"
    assert facts["Pixel size"] == "10 nm"
    assert facts["Live time"] == "600 s"
    assert facts["Counts"].replace(" ", "").startswith(f"{total}(")
    assert stage.page.panel.facts.beam.placeholderText() == "200, says the file"


def test_the_status_bar_tells_place_all_counts_and_the_map_under_the_pointer(stage: Stage) -> None:
    stage.open()
    view = stage.view("Fe Kα")
    port = view.canvas.viewport()
    assert port is not None
    points: list[Any] = []
    stage.workspace.cursor_moved.connect(points.append)
    stage.qtbot.mouseMove(port, view.canvas.position_of((20.5, 33.5)).toPoint())
    text = stage.page.describe(points[-1])
    total = int(stage.sample.counts(0.3, 20.0)[33, 20])
    iron = stage.picture("element Fe").counts
    assert iron is not None
    assert "x 20, y 33 px" in text
    assert "nm" in text
    assert f"{total} counts" in text
    assert text.endswith(f"Fe {iron[33, 20]:g}")


def test_elements_chosen_in_the_periodic_table_get_their_maps(stage: Stage) -> None:
    from endmember.ui.pages.map.periodic_table import PeriodicTableDialog

    stage.open()
    stage.qtbot.mouseClick(stage.page.panel.chooser.choose_elements, LEFT)
    dialog = stage.window.findChild(PeriodicTableDialog)
    assert dialog is not None
    dialog.line.setText("")
    stage.qtbot.keyClicks(dialog.line, "Si, Ti")
    stage.key(Qt.Key.Key_Return, on=dialog.line)
    assert stage.recipe.sample.elements == ("Si", "Ti")
    stage.settle()
    assert stage.titles == ["HAADF", "All counts", "Si Kα", "Ti Kα"]


def test_a_map_is_added_renamed_and_removed(stage: Stage) -> None:
    stage.open()
    chooser = stage.page.panel.chooser
    chooser.add_map(stage.sample.silent)
    assert stage.workspace.focus.map_name == "silent"
    chooser.rename("second")
    assert stage.recipe.map_names == ("area 1", "second")
    assert stage.workspace.focus.map_name == "second"
    assert chooser.box.currentText() == "second"
    chooser.remove()
    assert stage.recipe.map_names == ("area 1",)
    stage.settle()
    assert len(stage.titles) == 5


def test_choosing_the_signal_of_a_file_with_one_map_says_that_there_is_no_choice(
    stage: Stage,
) -> None:
    stage.open()
    stage.page.panel.chooser.source.ask()
    stage.until(lambda: stage.said)
    assert "holds one map only" in stage.said[-1]


def test_keys_choose_tools_and_other_keys_are_left_alone(stage: Stage) -> None:
    stage.open()
    chosen = []
    for letter in "VROPXC":
        assert stage.page.key_tool(letter)
        chosen.append((stage.page.tools.purpose, stage.page.tools.shape))
        assert stage.page.tools.buttons[letter].isChecked()
    assert chosen == [
        ("select", "select"),
        ("roi", "rectangle"),
        ("roi", "ellipse"),
        ("roi", "polygon"),
        ("exclude", "rectangle"),
        ("crop", "rectangle"),
    ]
    assert not stage.page.key_tool("B")


def test_zoom_in_one_map_is_followed_by_all_and_fit_ends_it(stage: Stage) -> None:
    stage.open()
    canvases = [view.canvas for view in stage.page.gallery.grid.shown_views()]
    stage.key(Qt.Key.Key_Plus, on=canvases[3])
    ranges = [canvas.box.viewRect() for canvas in canvases]
    assert ranges[3].width() < COLUMNS
    for seen in ranges:  # views may differ by a pixel of the screen
        assert seen.width() == pytest.approx(ranges[3].width(), rel=0.01)
        assert seen.center().x() == pytest.approx(ranges[3].center().x(), rel=0.01)
    stage.page.fit()
    assert all(canvas.box.viewRect().width() >= COLUMNS for canvas in canvases)


def test_every_control_has_a_tooltip_and_an_accessible_name(stage: Stage) -> None:
    stage.open()
    stage.draw("R", (10, 12), (34, 30))
    for section in stage.page.panel.sections.values():
        section.open()
    stage.page.panel.layers.with_overlay.click()
    nameless = []
    for root in (stage.page.view, stage.page.settings):
        for widget in root.findChildren(QWidget):
            reachable = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            inner = widget.objectName().startswith("qt_") or widget.focusProxy() is not None
            if not reachable or inner or not widget.isVisible():
                continue
            says = widget.accessibleName() or (
                widget.text() if isinstance(widget, QCheckBox) else ""
            )
            if not says or not (widget.toolTip() or widget.accessibleName()):
                nameless.append(f"{type(widget).__name__} {widget.objectName()}")
    assert nameless == []
