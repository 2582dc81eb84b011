"""Boxes for numbers: what is typed stays, and what the recipe holds is never changed by showing."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from endmember.ui.map_views.frame_boxes import FrameBoxes, frame_of, points_in
from endmember.ui.widgets.inputs import LARGEST_SEED, NumberBox, SeedBox, WholeBox

LARGEST_OF_A_RECIPE = 2**32 - 1


def shown(qtbot: QtBot, box: WholeBox | NumberBox) -> WholeBox | NumberBox:
    qtbot.addWidget(box)
    box.show()
    box.activateWindow()
    box.setFocus()
    box.selectAll()
    qtbot.waitUntil(box.hasFocus)
    return box


@pytest.mark.parametrize("kind", [WholeBox, NumberBox])
def test_what_is_being_typed_is_left_alone_until_it_is_taken(
    qtbot: QtBot, kind: type[WholeBox | NumberBox]
) -> None:
    box = shown(qtbot, kind("a number", "number"))
    qtbot.keyClicks(box, "42")
    box.show_value(7)
    line = box.lineEdit()
    assert line is not None
    assert line.text().startswith("42")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == 42
    box.show_value(7)  # as an undo does
    assert box.value() == 7


def test_a_value_that_is_refused_is_put_back_though_the_box_has_the_focus(qtbot: QtBot) -> None:
    box = shown(qtbot, NumberBox("a number", "number"))
    box.valueChanged.connect(lambda _: box.show_value(7))
    qtbot.keyClicks(box, "42")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == 7


def test_a_seed_larger_than_a_box_holds_is_shown_as_its_largest_and_not_changed(
    qtbot: QtBot,
) -> None:
    box = SeedBox("seed of a test")
    qtbot.addWidget(box)
    with qtbot.assertNotEmitted(box.valueChanged):
        box.show_value(LARGEST_OF_A_RECIPE)
    assert box.value() == LARGEST_SEED


def test_a_side_that_is_changed_leaves_the_fractions_of_the_others(qtbot: QtBot) -> None:
    boxes = FrameBoxes("a test")
    qtbot.addWidget(boxes)
    told: list[object] = []
    boxes.changed.connect(told.append)
    boxes.set_frame((10.25, 3.125, 20.0625, 8.75))
    boxes.boxes[2].setValue(30.0)
    assert told == [(10.25, 3.125, 30.0, 8.75)]


def test_a_polygon_with_fractions_is_moved_and_stretched_without_being_rounded() -> None:
    corners = ((10.25, 3.1234), (30.125, 3.1234), (10.25, 7.0625))
    x, y, width, height = frame_of(corners)
    assert points_in(corners, (x + 1, y, width, height)) == (
        (11.25, 3.1234),
        (31.125, 3.1234),
        (11.25, 7.0625),
    )
    assert points_in(corners, (x, y, 2 * width, height)) == (
        (10.25, 3.1234),
        (50.0, 3.1234),
        (10.25, 7.0625),
    )
