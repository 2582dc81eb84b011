"""Drawing and moving shapes with real mouse and key events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from endmember.ui.map_views.map_grid import MapGrid
from endmember.ui.map_views.map_view import MapView, automatic_levels, outline_points
from endmember.ui.map_views.shape_editor import ShapeEditor
from endmember.ui.map_views.shape_gestures import (
    dragged_frame,
    frame_between,
    is_inside,
    part_of_frame,
    whole_frame,
)
from endmember.ui.map_views.shape_items import DrawnShape

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
BOX = DrawnShape("box", "rectangle", (20, 20, 30, 20), QColor("red"), "box", whole=True)


class Stage:
    """A map view with an editor, and the mouse in pixels of the map."""

    def __init__(self, qtbot: QtBot, view: MapView) -> None:
        self.qtbot, self.view = qtbot, view
        self.editor = ShapeEditor()
        self.editor.attach(view.canvas)
        self.heard: dict[str, list[tuple[Any, ...]]] = {}
        for name in ("drawn", "changing", "changed", "removed", "accepted", "selected"):
            getattr(self.editor, name).connect(self._listener(name))

    def _listener(self, name: str) -> Callable[..., None]:
        self.heard[name] = []
        return lambda *told: self.heard[name].append(told)

    @property
    def port(self) -> QWidget:
        port = self.view.canvas.viewport()
        assert port is not None
        return port

    def at(self, x: float, y: float) -> QPoint:
        return self.view.canvas.position_of((x, y)).toPoint()

    def drag(self, *points: tuple[float, float], button: Qt.MouseButton = LEFT) -> None:
        places = [self.at(*point) for point in points]  # now: a pan moves the map
        self.qtbot.mousePress(self.port, button, pos=places[0])
        for place in places[1:]:
            self.qtbot.mouseMove(self.port, place)
        self.qtbot.mouseRelease(self.port, button, pos=places[-1])

    def click(self, x: float, y: float) -> None:
        self.qtbot.mouseClick(self.port, LEFT, pos=self.at(x, y))

    def key(self, key: Qt.Key, *modifier: Qt.KeyboardModifier) -> None:
        self.qtbot.keyClick(self.view.canvas, key, *modifier)


@pytest.fixture
def stage(qtbot: QtBot) -> Stage:
    view = MapView("test")
    qtbot.addWidget(view)
    view.resize(500, 520)
    view.show()
    qtbot.waitExposed(view)
    view.set_image(np.arange(10_000.0).reshape(100, 100), (0, 0, 100, 100), "counts")
    qtbot.wait(20)
    return Stage(qtbot, view)


def close(geometry: Any, wanted: tuple[float, ...]) -> bool:
    return bool(np.allclose(geometry, wanted, atol=1.0))


def test_a_drag_with_the_rectangle_tool_draws_whole_pixels(stage: Stage) -> None:
    stage.editor.set_mode("rectangle")
    stage.drag((10, 15), (30, 30), (50, 40))
    [(kind, geometry, _)] = stage.heard["drawn"]
    assert kind == "rectangle"
    assert all(isinstance(side, int) for side in geometry)
    assert close(geometry, (10, 15, 40, 25))


def test_a_drag_up_and_to_the_left_draws_the_same(stage: Stage) -> None:
    stage.editor.set_mode("rectangle")
    stage.drag((50, 40), (20, 20), (10, 15))
    assert close(stage.heard["drawn"][0][1], (10, 15, 40, 25))


def test_a_click_with_the_rectangle_tool_draws_nothing(stage: Stage) -> None:
    stage.editor.set_mode("rectangle")
    stage.click(40, 40)
    assert stage.heard["drawn"] == []


def test_a_shape_taken_away_in_the_middle_of_its_drag_leaves_nothing_behind(stage: Stage) -> None:
    stage.editor.set_mode("rectangle")  # it also moves what is selected
    stage.editor.set_shapes([BOX])
    stage.editor.select("box")
    stage.qtbot.mousePress(stage.port, LEFT, pos=stage.at(35, 30))
    stage.qtbot.mouseMove(stage.port, stage.at(40, 35))
    stage.editor.set_shapes([])  # as an undo does
    stage.qtbot.mouseMove(stage.port, stage.at(60, 60))
    stage.qtbot.mouseRelease(stage.port, LEFT, pos=stage.at(60, 60))
    assert len(stage.heard["changing"]) == 1
    assert stage.heard["drawn"] == stage.heard["changed"] == []
    assert stage.editor._draft is None
    assert stage.editor._live is None


def test_select_moves_a_shape_and_tells_it_once_at_the_end(stage: Stage) -> None:
    stage.editor.set_shapes([BOX])
    stage.drag((35, 30), (40, 35), (45, 40))
    assert len(stage.heard["changing"]) == 2
    [(key, geometry, going_on)] = stage.heard["changed"]
    assert key == "box"
    assert not going_on
    assert close(geometry, (30, 30, 30, 20))


def test_a_handle_makes_it_larger(stage: Stage) -> None:
    stage.editor.set_shapes([BOX])
    stage.click(35, 30)
    stage.drag((50, 40), (55, 45), (60, 50))
    assert close(stage.heard["changed"][0][1], (20, 20, 40, 30))


def test_arrows_nudge_by_one_and_with_shift_by_ten(stage: Stage) -> None:
    stage.editor.set_shapes([BOX])
    stage.click(35, 30)
    stage.key(Qt.Key.Key_Right)
    stage.key(Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    (_, first, began), (_, second, went_on) = stage.heard["changed"]
    assert first == (21, 20, 30, 20)
    assert second == (20, 30, 30, 20)  # the shape was not given anew in between
    assert (began, went_on) == (False, True)


def test_delete_removes_enter_accepts_and_escape_lets_go(stage: Stage) -> None:
    stage.editor.set_shapes([BOX])
    stage.click(35, 30)
    stage.key(Qt.Key.Key_Return)
    stage.key(Qt.Key.Key_Delete)
    assert stage.heard["accepted"] == [("box",)]
    assert stage.heard["removed"] == [("box",)]
    stage.key(Qt.Key.Key_Escape)
    assert stage.editor.key_selected is None


def test_a_polygon_is_drawn_by_clicks_and_closed_by_enter(stage: Stage) -> None:
    stage.editor.set_mode("polygon")
    for x, y in ((10, 10), (60, 15), (40, 70)):
        stage.click(x, y)
    stage.key(Qt.Key.Key_Return)
    [(kind, points, _)] = stage.heard["drawn"]
    assert kind == "polygon"
    assert np.allclose(points, [(10, 10), (60, 15), (40, 70)], atol=0.5)


def test_escape_drops_a_polygon_half_drawn(stage: Stage) -> None:
    stage.editor.set_mode("polygon")
    for x, y in ((10, 10), (60, 15), (40, 70)):
        stage.click(x, y)
    stage.key(Qt.Key.Key_Escape)
    stage.key(Qt.Key.Key_Return)
    assert stage.heard["drawn"] == []


def test_the_brush_tells_its_path_and_the_modifiers(stage: Stage) -> None:
    stage.editor.set_mode("brush")
    stage.drag((10, 10), (20, 10), (30, 20))
    [(kind, points, modifiers)] = stage.heard["drawn"]
    assert kind == "stroke"
    assert np.allclose(points[0], (10, 10), atol=0.5)
    assert np.allclose(points[-1], (30, 20), atol=0.5)
    assert modifiers == Qt.KeyboardModifier.NoModifier


def test_a_shape_that_is_only_looked_at_stays(stage: Stage) -> None:
    fixed = DrawnShape("box", "rectangle", (20, 20, 30, 20), QColor("red"), editable=False)
    stage.editor.set_shapes([fixed])
    stage.drag((35, 30), (60, 60))
    assert stage.heard["changed"] == []


def test_an_empty_place_dragged_with_select_pans(stage: Stage) -> None:
    before = stage.view.canvas.box.viewRect().center()
    stage.drag((80, 80), (70, 75), (60, 70))
    after = stage.view.canvas.box.viewRect().center()
    assert after.x() - before.x() == pytest.approx(20, abs=1.5)
    assert after.y() - before.y() == pytest.approx(10, abs=1.5)


def test_a_double_click_fits(stage: Stage) -> None:
    stage.view.canvas.box.scaleBy((0.2, 0.2))
    stage.qtbot.mouseDClick(stage.port, LEFT, pos=stage.at(50, 50))
    seen = stage.view.canvas.box.viewRect()
    assert seen.left() <= 0 < 100 <= seen.right()


def test_two_quick_dabs_of_the_brush_are_two_and_leave_the_view(stage: Stage) -> None:
    stage.editor.set_mode("brush")
    stage.view.canvas.box.scaleBy((0.5, 0.5))
    before = stage.view.canvas.box.viewRect()
    place = stage.at(50, 50)
    for press in (stage.qtbot.mousePress, stage.qtbot.mouseDClick):  # as Qt gives quick presses
        press(stage.port, LEFT, pos=place)
        stage.qtbot.mouseRelease(stage.port, LEFT, pos=place)
    assert [told[0] for told in stage.heard["drawn"]] == ["stroke", "stroke"]
    assert stage.view.canvas.box.viewRect() == before


def test_maps_of_a_grid_share_zoom_and_cursor(qtbot: QtBot) -> None:
    grid = MapGrid()
    qtbot.addWidget(grid)
    grid.resize(700, 350)
    grid.set_number(2)
    grid.show()
    qtbot.waitExposed(grid)
    for view in grid.views:
        view.set_image(np.eye(50), (0, 0, 50, 50), "counts")
    qtbot.wait(20)
    first, second = grid.views
    first.canvas.box.setRange(xRange=(10, 20), yRange=(10, 20), padding=0)
    assert second.canvas.box.viewRect().center().x() == pytest.approx(15, abs=0.5)
    port = first.canvas.viewport()
    assert port is not None
    points: list[Any] = []
    grid.hovered.connect(points.append)
    qtbot.mouseMove(port, first.canvas.position_of((15, 15)).toPoint())
    assert np.allclose(points[-1], (15, 15), atol=0.5)


def test_a_map_tells_the_value_under_the_pointer(stage: Stage) -> None:
    view = stage.view
    view.set_image(np.arange(12.0).reshape(3, 4), (10, 20, 8, 6), "counts")
    assert view.value_at((10.5, 20.5)) == 0.0
    assert view.value_at((17.9, 25.9)) == 11.0
    assert view.value_at((12.1, 22.1)) == 5.0
    assert view.value_at((9.9, 20.5)) is None


def test_the_outline_of_a_mask_has_the_length_of_its_border() -> None:
    mask = np.zeros((6, 8), bool)
    mask[1:4, 2:7] = True
    mask[2, 4] = False
    x, y = outline_points(mask)
    lengths = np.abs(np.diff(x.reshape(-1, 2))) + np.abs(np.diff(y.reshape(-1, 2)))
    assert set(lengths.ravel()) == {1}
    assert lengths.sum() == 2 * (3 + 5) + 4
    assert (x.min(), x.max(), y.min(), y.max()) == (2, 7, 1, 4)


def test_automatic_levels_never_coincide() -> None:
    low, high = automatic_levels(np.full((5, 5), 3.0))
    assert low < high
    assert automatic_levels(np.full((2, 2), np.nan)) == (0.0, 1.0)


def test_frames_are_dragged_by_handles_and_cross_over() -> None:
    assert dragged_frame((10, 10, 20, 20), "e", (5, 99)) == (10, 10, 25, 20)
    assert dragged_frame((10, 10, 20, 20), "nw", (30, 0)) == (30, 10, 10, 20)
    assert dragged_frame((10, 10, 20, 20), "body", (-3, 4)) == (7, 14, 20, 20)
    assert frame_between((5, 1), (2, 4)) == (2, 1, 3, 3)
    assert whole_frame((1.4, 2.6, 0.1, 3.0)) == (1, 3, 1, 3)


def test_what_lies_under_a_point_is_the_nearest_handle_first() -> None:
    frame = (0.0, 0.0, 10.0, 10.0)
    assert part_of_frame(frame, (0.5, 0.4), 1.0) == "nw"
    assert part_of_frame(frame, (4.9, 9.8), 1.0) == "s"
    assert part_of_frame(frame, (3.0, 3.0), 1.0) == "body"
    assert part_of_frame(frame, (13.0, 3.0), 1.0) is None


def test_a_point_in_the_notch_of_a_polygon_is_outside() -> None:
    notched = ((0, 0), (10, 0), (10, 10), (5, 2), (0, 10))
    assert is_inside(notched, (5, 1))
    assert not is_inside(notched, (5, 8))
    assert is_inside(notched, (1, 5))
