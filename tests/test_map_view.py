"""A map as it is seen: crisp pixels, heads that make way, texts that are shortened."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from PyQt6.QtCore import QRect
from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from endmember.ui.map_views.colour_bar import colour_table
from endmember.ui.map_views.map_grid import MapGrid
from endmember.ui.map_views.map_view import MapView
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.inputs import ChoiceBox
from endmember.ui.widgets.theme import THEME

SIZE = 24


@pytest.fixture
def view(qtbot: QtBot) -> MapView:
    made = MapView("noise")
    qtbot.addWidget(made)
    made.resize(330, 350)
    made.show()
    qtbot.waitExposed(made)
    values = np.random.default_rng(3).random((SIZE, SIZE))
    made.set_image(values, (0, 0, SIZE, SIZE), levels=(0.0, 1.0))
    return made


def blurred(view: MapView) -> int:
    """How many pixels of the screen have a colour between those of the map."""
    start, end = view.canvas.position_of((0, 0)), view.canvas.position_of((SIZE, SIZE))
    of_map = QRect(start.toPoint(), end.toPoint()).adjusted(2, 2, -3, -60)  # no scale bar
    area = of_map & view.canvas.viewport().rect().adjusted(4, 4, -4, -60)  # no frame of the focus
    assert not area.isEmpty()
    picture = view.canvas.viewport().grab(area).toImage()
    picture = picture.convertToFormat(picture.Format.Format_RGB32)
    bits = picture.constBits()
    bits.setsize(picture.sizeInBytes())
    seen = np.frombuffer(bits, np.uint32).reshape(-1, picture.bytesPerLine() // 4)
    red, green, blue = colour_table(view.colour_map)[:, :3].astype(np.uint32).T
    known = 0xFF000000 | red << 16 | green << 8 | blue
    return int((~np.isin(seen[:, : picture.width()], known)).sum())


def wrong_pixels(view: MapView) -> int:
    """How many seen pixels of the map have another colour in their middle than they should."""
    assert view.array is not None
    viewport = view.canvas.viewport()
    picture = viewport.grab().toImage()
    scale = picture.devicePixelRatio()
    low, high = view.shown_levels()
    table = colour_table(view.colour_map)
    wrong, seen = 0, 0
    for row, column in np.ndindex(view.array.shape):
        place = view.canvas.position_of((column + 0.5, row + 0.5))
        if not viewport.rect().adjusted(2, 2, -2, -60).contains(place.toPoint()):
            continue  # out of sight, or perhaps under the scale bar
        share = np.clip((view.array[row, column] - low) / (high - low), 0, 1)
        expected = table[min(int(share * 256), 255)][:3]
        shown = QColor(picture.pixel(int(place.x() * scale), int(place.y() * scale)))
        found = np.array([shown.red(), shown.green(), shown.blue()])
        wrong += bool(np.abs(found - expected.astype(int)).max() > 8)  # between two colours
        seen += 1
    assert seen > 4
    return wrong


def test_pixels_are_crisp_and_right_after_whatever_changes_them(
    qtbot: QtBot, view: MapView
) -> None:
    box = view.canvas.box
    assert (wrong_pixels(view), blurred(view)) == (0, 0)
    for change in (
        lambda: box.scaleBy((0.37, 0.37)),
        lambda: box.translateBy(x=1.37, y=-2.11),
        lambda: box.translateBy(x=0.013, y=0.021),
        lambda: view.set_colour_map("inferno"),
        lambda: view.set_levels((0.2, 0.7)),
        lambda: view.resize(281, 305),
        view.canvas.fit,
        lambda: THEME.choose("dark"),
        lambda: view.set_image(1 - view.array, view.place, levels=(0.0, 1.0)),
        lambda: THEME.choose("light"),
    ):
        change()
        qtbot.wait(1)
        assert (wrong_pixels(view), blurred(view)) == (0, 0)


def test_pixels_are_crisp_at_150_percent() -> None:
    test = f"{__file__}::{test_pixels_are_crisp_and_right_after_whatever_changes_them.__name__}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        env={**os.environ, "QT_SCALE_FACTOR": "1.5"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture
def grid(qtbot: QtBot) -> MapGrid:
    made = MapGrid()
    qtbot.addWidget(made)
    made.set_number(3, 3)
    for view, title, unit in zip(
        made.views, ("HAADF", "all counts", "Fe"), ("", "counts", "counts"), strict=True
    ):
        view.set_title(title)
        view.set_image(np.eye(4), (0, 0, 4, 4), unit, levels=(0.0, 1.0))
    made.show()
    return made


def test_a_colour_bar_without_room_moves_below_the_title_in_all_maps(
    qtbot: QtBot, grid: MapGrid
) -> None:
    grid.resize(900, 300)
    qtbot.wait(20)
    low = {view.head.height() for view in grid.views}
    assert not any(view.head.is_tight for view in grid.views)
    grid.resize(260, 300)
    qtbot.wait(20)
    high = {view.head.height() for view in grid.views}
    assert (len(low), len(high)) == (1, 1)
    assert min(high) > max(low)
    for view in grid.views:
        assert view.head.bar.width() >= view.head.bar.least_width()
        assert view.head.bar.y() > view.head.title.y()
    grid.resize(900, 300)
    qtbot.wait(20)
    assert {view.head.height() for view in grid.views} == low


def test_maps_beside_each_other_tell_their_unit_all_or_none(qtbot: QtBot, grid: MapGrid) -> None:
    bars = [view.head.bar for view in grid.views[1:]]
    wide = [bar.width_with_unit() for bar in bars]
    for width in range(330, 900, 30):
        grid.resize(width, 300)
        qtbot.wait(5)
        told = {bar.sizeHint().width() > needed for bar, needed in zip(bars, wide, strict=True)}
        assert len(told) == 1, width


def test_a_short_text_stands_for_one_that_does_not_fit(qtbot: QtBot) -> None:
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.set_texts("5,307 px, 8.1 %", "8.1 %")
    shown = []
    for room in (300, label.fontMetrics().horizontalAdvance("8.1 %") + 2, 4):
        label.resize(room, 20)
        shown.append(label.shown_text())
    assert shown == ["5,307 px, 8.1 %", "8.1 %", ""]


def test_a_choice_that_does_not_fit_is_shortened_and_stays_what_it_is(qtbot: QtBot) -> None:
    box = ChoiceBox("says", "choice")
    qtbot.addWidget(box)
    box.shortened = lambda text: text.removeprefix("component ")
    box.show_choices([("component #1, of Fp", 1)], 1)
    wide = box.fontMetrics().horizontalAdvance("#1, of Fp")
    shown = []
    for width in (300, wide + 40, wide):
        box.resize(width, 24)
        shown.append(box.shown_text())
    assert shown[:2] == ["component #1, of Fp", "#1, of Fp"]
    assert shown[2].endswith("…")
    assert (box.currentText(), box.value) == ("component #1, of Fp", 1)
