"""The spectrum plot, with the mouse and the keys of a person."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QContextMenuEvent, QGuiApplication, QImage, QMouseEvent, QWheelEvent
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QApplication, QLineEdit, QMenu, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from endmember.ui.spectrum_views.spectrum_axes import number, power_of_ten
from endmember.ui.spectrum_views.spectrum_layers import place_labels
from endmember.ui.spectrum_views.spectrum_traces import (
    Extent,
    area_mask,
    columns_between,
    dashed,
    line_points,
)
from endmember.ui.spectrum_views.spectrum_view import Curve, MarkerLine, SpectrumView, WindowMark
from endmember.ui.widgets.messages import NOTICES, Message
from endmember.ui.widgets.plot_colours import contrast, legible, themed
from endmember.ui.widgets.theme import DARK, LIGHT, PHASE_COLOURS, THEME

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NO_BUTTON = Qt.MouseButton.NoButton
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NO_KEY = Qt.KeyboardModifier.NoModifier
ENERGY = np.arange(2048) * 0.01  # channels of 10 eV


def spectrum(height: float = 1000.0) -> np.ndarray:
    """A flat background and three peaks."""
    peaks = [(0.525, 1.0), (1.74, 0.6), (6.4, 0.1)]
    shape = sum(a * np.exp(-0.5 * ((ENERGY - e) / 0.05) ** 2) for e, a in peaks)
    return np.asarray(height * (shape + 0.01))


def curve(name: str = "Brg", values: np.ndarray | None = None) -> Curve:
    return Curve(name, ENERGY, spectrum() if values is None else values, PHASE_COLOURS[0])


@pytest.fixture(autouse=True)
def light_theme() -> Iterator[None]:
    THEME.choose("light")
    yield
    THEME.choose("light")


@pytest.fixture
def view(qtbot: QtBot) -> SpectrumView:
    made = SpectrumView()
    qtbot.addWidget(made)
    made.resize(700, 250)
    made.set_curves([curve()])
    with qtbot.waitExposed(made):
        made.show()
    return made


def at(view: SpectrumView, energy_keV: float, down: float = 0.5) -> QPoint:
    """The place of an energy on the canvas, so far down the plot."""
    box = view.plot.box.geometry()
    x = box.left() + view.plot.frame.x(energy_keV)
    return QPoint(round(x), round(box.top() + down * box.height()))


def pixel_keV(view: SpectrumView) -> float:
    low, high = view.x_range()
    return (high - low) / float(view.plot.frame.width)


def move(view: SpectrumView, place: QPoint, button: Qt.MouseButton = NO_BUTTON) -> None:
    """Move the mouse with a button held, which QTest cannot say."""
    target = view.plot.canvas.viewport()
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        QPointF(target.mapToGlobal(place)),
        NO_BUTTON,
        button,
        NO_KEY,
    )
    QApplication.sendEvent(target, event)


def drag(
    qtbot: QtBot,
    view: SpectrumView,
    start: QPoint,
    end: QPoint,
    button: Qt.MouseButton = LEFT,
    release: bool = True,
) -> None:
    target = view.plot.canvas.viewport()
    qtbot.mousePress(target, button, pos=start)
    for part in (0.3, 0.7, 1.0):
        move(view, start + (end - start) * part, button)
    if release:
        qtbot.mouseRelease(target, button, pos=end)


def wheel(
    view: SpectrumView, place: QPoint, steps: int, keys: Qt.KeyboardModifier = NO_KEY
) -> None:
    target = view.plot.canvas.viewport()
    event = QWheelEvent(
        QPointF(place),
        QPointF(target.mapToGlobal(place)),
        QPoint(),
        QPoint(0, 120 * steps),
        NO_BUTTON,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(target, event)


def drawn(view: SpectrumView, name: str = "Brg") -> tuple[np.ndarray, np.ndarray]:
    """The corners of a drawn line, in the coordinates of the axes."""
    x, y = view.plot.curves[name].line.getData()
    return np.asarray(x), np.asarray(y)


# Curves


def test_a_step_curve_has_the_corners_of_its_channels() -> None:
    three = Curve("a", np.array([1.0, 2.0, 3.0]), np.array([5.0, 7.0, 6.0]), "black")
    x, y = line_points(three, three.values, Extent((0.0, 4.0), (0.0, 9.0), 100, 50, 100))
    assert x.tolist() == [0.5, 1.5, 1.5, 2.5, 2.5, 3.5]
    assert y.tolist() == [5, 5, 7, 7, 6, 6]


def test_no_narrow_peak_is_lost_between_pixels(rng: np.random.Generator) -> None:
    values = rng.poisson(3, ENERGY.size).astype(float)
    values[1357] = 4000.0
    extent = Extent((0.0, 20.48), (0.0, 5000.0), 300, 200, 300)
    x, y = line_points(curve(values=values), values, extent)
    assert len(x) <= 2 * 400
    groups = ENERGY.size // 300  # channels that share a pixel
    for start in range(0, ENERGY.size, groups):
        part = values[start : start + groups]
        inside = (x >= ENERGY[start] - 1e-9) & (x <= ENERGY[start] + 0.01 * groups)
        assert part.max() in y[inside]
        assert part.min() in y[inside]


def test_curves_change_in_place_and_leave_when_they_are_gone(view: SpectrumView) -> None:
    before = view.plot.curves["Brg"].line
    view.set_curves([curve(values=2 * spectrum()), curve("Fp")])
    assert view.plot.curves["Brg"].line is before
    assert drawn(view)[1].max() == pytest.approx(2 * spectrum().max())
    gone = view.plot.curves["Fp"].line
    view.set_curves([curve()])
    assert gone.scene() is None
    assert list(view.plot.curves) == ["Brg"]


def test_arrays_of_different_lengths_are_refused_by_name(view: SpectrumView) -> None:
    with pytest.raises(ValueError, match="Fp has 5 values for 2048 energies"):
        view.set_curves([curve("Fp", np.ones(5))])


def test_zeros_and_negative_counts_stand_on_the_floor_of_a_log_axis(view: SpectrumView) -> None:
    values = spectrum()
    values[100:200] = 0.0
    values[300:400] = -7.0
    band = Curve("Brg", ENERGY, values, "black", low=values - 5, high=values + 5, fill="red")
    view.set_curves([band])
    view.set_log(True)
    _, y = drawn(view)
    assert np.isfinite(y).all()
    assert y.min() == pytest.approx(np.log10(0.5))
    assert y.max() == pytest.approx(np.log10(values.max()))
    for area in (view.plot.curves["Brg"].band, view.plot.curves["Brg"].fill):
        assert area.isVisible()
    low, high = view.plot.y_range()
    assert low < np.log10(0.5) < np.log10(values.max()) < high
    assert "(log)" in view.plot.y_title()


def test_normalised_data_have_a_floor_below_their_smallest_value(view: SpectrumView) -> None:
    values = spectrum() / spectrum().max()
    values[500:] = 0.0
    values[700] = 2e-4
    view.set_unit("normalised to peak")
    view.set_curves([curve(values=values)])
    view.set_log(True)
    assert drawn(view)[1].min() == pytest.approx(np.log10(1e-4))


def test_dashes_are_as_long_as_they_should_be() -> None:
    extent = Extent((0.0, 10.0), (0.0, 10.0), 200, 100, 200)
    x, y = dashed(np.array([1.0, 5.0, 5.0]), np.array([3.0, 3.0, 9.0]), extent, 6.0, 4.0)
    on = np.isfinite(y[1:]) & np.isfinite(y[:-1])
    lengths = np.hypot(np.diff(x) * 20, np.diff(y) * 10)
    # the line is 4 * 20 + 6 * 10 pixels long
    assert lengths[on].sum() == pytest.approx(140 * 0.6)
    assert np.count_nonzero(np.diff(on.astype(int)) == -1) + on[-1] == 14
    corner = np.flatnonzero(np.isclose(x, 5.0) & np.isclose(y, 3.0))
    assert len(corner)


def test_an_area_covers_all_between_its_limits(rng: np.random.Generator) -> None:
    low, high = rng.uniform(0, 3, ENERGY.size), rng.uniform(4, 9, ENERGY.size)
    extent = Extent((0.0, 20.48), (0.0, 10.0), 300, 200, 300)
    edges, below, above = columns_between(curve(), low, high, extent)
    for i, (left, right) in enumerate(itertools.pairwise(edges)):
        inside = (left < ENERGY) & (right > ENERGY)
        assert below[i] == low[inside].min()
        assert above[i] == high[inside].max()
    assert (edges[0], edges[-1]) == pytest.approx((-0.005, 20.475))


def test_an_area_has_the_pixels_between_its_limits() -> None:
    edges = np.array([1.0, 2.0, 4.0])
    below, above = np.array([0.0, 2.0]), np.array([1.0, np.nan])
    extent = Extent((0.0, 4.0), (-1.0, 3.0), 8, 8, 8)
    expected = np.zeros((8, 8), dtype=bool)
    expected[4:6, 2:4] = True  # energies 1 to 2, values 0 to 1; the other bar has no upper end
    assert np.array_equal(area_mask(edges, below, above, extent), expected)


@pytest.mark.parametrize("log", [False, True])
def test_a_fill_is_seen_between_its_curve_and_zero(view: SpectrumView, log: bool) -> None:
    values = np.full(ENERGY.size, 100.0)
    values[::2] = 90.0  # so many steps that the area becomes an image
    values[500:1000] = 0.0
    view.set_curves([Curve("Brg", ENERGY, values, "black", width=1, fill="#ff0000")])
    view.set_legend(False)
    view.set_log(log)
    image = view.grab().toImage()
    box = view.plot.box.geometry()
    red = [
        image.pixelColor(at(view, e, 0.0).x(), round(box.bottom()) - 8).name() == "#ff0000"
        for e in (2.0, 7.5, 15.0)
    ]
    assert red == [True, False, True]


def test_gaps_in_the_values_stay_gaps(view: SpectrumView) -> None:
    values = spectrum()
    values[100:900] = np.nan
    view.set_curves([Curve("Brg", ENERGY, values, "black", low=values, high=values)])
    view.set_log(True)
    assert np.isnan(drawn(view)[1]).any()
    assert np.isfinite(view.plot.y_range()).all()


def test_colours_of_the_theme_follow_it(view: SpectrumView) -> None:
    view.set_curves([Curve("fit", ENERGY, spectrum(), LIGHT.line), curve()])
    THEME.choose("dark")
    line = view.plot.curves["fit"].line
    assert line.opts["pen"].color().name() == DARK.line
    assert view.plot.curves["Brg"].line.opts["pen"].color().name() == PHASE_COLOURS[0].lower()
    assert view.plot.canvas.backgroundBrush().color().name() == DARK.plot


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_labels_can_be_read_in_both_themes(theme: object) -> None:
    assert theme in (LIGHT, DARK)
    of = LIGHT if theme is LIGHT else DARK
    for colour in (*PHASE_COLOURS, "#ffff00", "#000080", "#808080"):
        assert contrast(legible(QColor(colour), of), QColor(of.plot)) >= 4.5
    assert contrast(QColor("white"), QColor("black")) == pytest.approx(21)


def test_a_colour_of_its_own_is_left_alone() -> None:
    assert themed("#123456", DARK).name() == "#123456"
    assert themed(DARK.second_line, LIGHT).name() == LIGHT.second_line


# Ranges


def test_the_wheel_zooms_energy_at_the_mouse(view: SpectrumView) -> None:
    place = at(view, 6.4)
    before = view.plot.frame.energy(place.x() - view.plot.box.geometry().left())
    y_before = view.plot.y_range()
    low, high = view.x_range()
    with_signal: list[tuple[float, float]] = []
    view.x_range_changed.connect(lambda a, b: with_signal.append((a, b)))
    wheel(view, place, 4)
    now = view.x_range()
    assert now[1] - now[0] == pytest.approx((high - low) / 1.25**4)
    after = view.plot.frame.energy(place.x() - view.plot.box.geometry().left())
    assert after == pytest.approx(before, abs=2 * pixel_keV(view))
    assert with_signal[-1] == now
    assert y_before[1] != view.plot.y_range()[1]  # it follows the visible values


def test_control_and_wheel_zoom_the_values_only(view: SpectrumView) -> None:
    x_before, top = view.x_range(), view.plot.y_range()[1]
    wheel(view, at(view, 6.4), 2, CONTROL)
    assert view.x_range() == x_before
    assert view.plot.y_range() == (0.0, pytest.approx(top / 1.25**2))
    assert not view.auto_range_y
    view.set_curves([curve(values=50 * spectrum())])
    assert view.plot.y_range()[1] == pytest.approx(top / 1.25**2)
    view.zoom_to(5.0, 8.0)
    assert view.auto_range_y
    assert view.plot.y_range()[1] > 50 * spectrum()[500:800].max()


@pytest.mark.parametrize("with_space", [False, True])
def test_middle_button_or_space_pans(qtbot: QtBot, view: SpectrumView, with_space: bool) -> None:
    view.zoom_to(4.0, 8.0)
    canvas = view.plot.canvas
    start, end = at(view, 6.0), at(view, 5.0)
    if with_space:
        view.setFocus()
        qtbot.keyPress(canvas, Qt.Key.Key_Space)
    drag(qtbot, view, start, end, LEFT if with_space else MIDDLE)
    if with_space:
        qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    assert view.x_range() == pytest.approx((5.0, 9.0), abs=0.02)


def test_panning_stops_at_the_ends_without_zooming(qtbot: QtBot, view: SpectrumView) -> None:
    view.zoom_to(1.0, 5.0)
    drag(qtbot, view, at(view, 1.5), at(view, 4.5), MIDDLE)
    assert view.x_range() == pytest.approx((-0.005, 3.995))


def test_a_left_drag_on_the_plot_moves_nothing(qtbot: QtBot, view: SpectrumView) -> None:
    view.zoom_to(4.0, 8.0)
    before = view.x_range(), view.plot.y_range()
    clicked: list[float] = []
    view.energy_clicked.connect(clicked.append)
    drag(qtbot, view, at(view, 5.0), at(view, 7.0))
    assert (view.x_range(), view.plot.y_range()) == before
    assert clicked == []


def test_a_double_click_shows_everything(qtbot: QtBot, view: SpectrumView) -> None:
    top = view.plot.y_range()
    view.zoom_to(4.0, 5.0)
    wheel(view, at(view, 4.5), 3, CONTROL)
    qtbot.mouseDClick(view.plot.canvas.viewport(), LEFT, pos=at(view, 4.5))
    assert view.x_range() == pytest.approx((-0.005, 20.475))
    assert view.auto_range_y
    assert view.plot.y_range() == pytest.approx(top)


def test_the_value_axis_follows_the_visible_values_but_not_the_zero_peak(
    view: SpectrumView,
) -> None:
    values = spectrum()
    values[3:12] = 1e7
    view.set_curves([curve(values=values)])
    assert values[20:].max() < view.plot.y_range()[1] < 2 * values[20:].max()
    view.zoom_to(5.0, 8.0)
    assert 110 < view.plot.y_range()[1] < 220


def test_a_held_range_stays_until_it_is_let_go(view: SpectrumView) -> None:
    view.hold_range(True)
    before = view.plot.y_range()
    view.set_curves([curve(values=9 * spectrum())])
    assert view.plot.y_range() == before
    view.hold_range(False)
    assert view.plot.y_range()[1] == pytest.approx(9 * before[1])


def test_a_new_energy_axis_is_shown_whole_unless_one_has_zoomed(view: SpectrumView) -> None:
    wide = Curve("Brg", 2 * ENERGY, spectrum(), "black")
    view.set_curves([wide])
    assert view.x_range() == pytest.approx((-0.01, 40.95))
    view.zoom_to(3.0, 4.0)
    view.set_curves([curve()])
    assert view.x_range() == pytest.approx((3.0, 4.0))


def test_linked_views_show_the_same_energies(qtbot: QtBot, view: SpectrumView) -> None:
    other = SpectrumView()
    qtbot.addWidget(other)
    other.set_curves([curve()])
    view.zoom_to(1.0, 3.0)
    view.link_x(other)
    assert other.x_range() == pytest.approx((1.0, 3.0))
    other.zoom_to(6.0, 7.0)
    assert view.x_range() == pytest.approx((6.0, 7.0))
    wheel(view, at(view, 6.5), -2)
    assert other.x_range() == view.x_range()


def test_plots_one_above_the_other_begin_at_the_same_place(
    qtbot: QtBot, view: SpectrumView
) -> None:
    other = SpectrumView()
    qtbot.addWidget(other)
    other.resize(700, 250)
    other.set_curves([curve(values=1e-3 * spectrum())])
    view.align_left(other)

    def lefts() -> tuple[float, float]:
        return view.plot.box.geometry().left(), other.plot.box.geometry().left()

    assert lefts()[0] == lefts()[1]
    before = lefts()
    other.set_curves([curve(values=1e4 * spectrum())])
    assert lefts()[0] == lefts()[1] > before[0]
    other.set_curves([curve()])
    other.fit()
    assert lefts() == before


def test_residuals_stand_below_over_the_same_energies(view: SpectrumView) -> None:
    height = view.plot.frame.height
    view.set_residuals(ENERGY, np.sin(ENERGY))
    assert view.plot.frame.height < height
    view.zoom_to(2.0, 3.0)
    assert view.plot.lower.viewRange()[0] == pytest.approx([2.0, 3.0])
    assert view.plot.lower.geometry().left() == view.plot.box.geometry().left()
    assert view.plot.lower.geometry().width() == view.plot.box.geometry().width()
    assert view.plot.band.rect().top() == -3
    assert view.plot.band.rect().bottom() == 3
    assert "residual (σ)" in [text for _, text in view.plot.titles.upright]
    view.set_residuals(ENERGY, None)
    assert view.plot.frame.height == height


def test_numbers_of_the_axes_carry_no_prefixes() -> None:
    assert number(200000.0, 50000.0) == "200\u2009000"
    assert number(0.25, 0.05) == "0.25"
    assert number(-3.0, 1.0) == "\u22123"
    assert number(2.5e8, 5e7) == "2.5·10⁸"
    assert number(2e-5, 1e-5) == "2·10⁻⁵"
    assert power_of_ten(5.0) == "10⁵"
    assert power_of_ten(2.0) == "100"
    assert power_of_ten(-1.0) == "0.1"
    assert power_of_ten(np.log10(3.0)) == ""


# Mouse and keys on the plot


def test_a_click_says_its_energy(qtbot: QtBot, view: SpectrumView) -> None:
    told: list[float] = []
    view.energy_clicked.connect(told.append)
    qtbot.mouseClick(view.plot.canvas.viewport(), MIDDLE, pos=at(view, 3.0))
    assert told == []
    qtbot.mouseClick(view.plot.canvas.viewport(), LEFT, pos=at(view, 6.4))
    assert told == [pytest.approx(6.4, abs=pixel_keV(view))]


def test_the_energy_under_the_mouse_is_told_until_it_leaves(
    qtbot: QtBot, view: SpectrumView
) -> None:
    told: list[float | None] = []
    view.energy_hovered.connect(told.append)
    move(view, at(view, 3.0))
    assert told[-1] == pytest.approx(3.0, abs=pixel_keV(view))
    move(view, QPoint(2, 2))  # on the title of the axis
    assert told[-1] is None
    move(view, at(view, 4.0))
    QApplication.sendEvent(view.plot.canvas.viewport(), QEvent(QEvent.Type.Leave))
    assert told[-1] is None
    qtbot.wait(1)


def test_keys_switch_the_log_scale_and_fit(qtbot: QtBot, view: SpectrumView) -> None:
    told: list[bool] = []
    view.log_changed.connect(told.append)
    view.setFocus()
    assert view.plot.canvas.hasFocus()
    qtbot.keyClick(view.plot.canvas, Qt.Key.Key_L)
    qtbot.keyClick(view.plot.canvas, Qt.Key.Key_L)
    assert told == [True, False]
    view.zoom_to(3.0, 4.0)
    qtbot.keyClick(view.plot.canvas, Qt.Key.Key_F, CONTROL)
    assert view.x_range() == pytest.approx((-0.005, 20.475))


def test_tab_reaches_the_plot_and_leaves_it(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    layout = QVBoxLayout(parent)
    first, plot, last = QLineEdit(), SpectrumView("Fp"), QLineEdit()
    for one in (first, plot, last):
        layout.addWidget(one)
    with qtbot.waitActive(parent):
        parent.show()
        parent.activateWindow()
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    assert plot.plot.canvas.hasFocus()
    assert plot.plot.canvas.accessibleName() == "Fp"
    assert plot.toolTip()
    qtbot.keyClick(plot.plot.canvas, Qt.Key.Key_Tab)
    assert last.hasFocus()


def test_the_menu_is_ours(view: SpectrumView) -> None:
    menu = view.menu()
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == [
        "Fit",
        "Log scale",
        "Legend",
        "Copy data",
        "Export as PNG…",
        "Export as SVG…",
        "Export as CSV…",
    ]
    menu.actions()[1].trigger()
    assert view.is_log()
    menu.actions()[2].trigger()
    assert not view.plot.legend.isVisible()


def test_the_right_button_opens_it(qtbot: QtBot, view: SpectrumView) -> None:
    target, place = view.plot.canvas.viewport(), at(view, 6.0)
    before = view.x_range()
    reason = QContextMenuEvent.Reason.Mouse
    drag(qtbot, view, place, place + QPoint(50, 20), Qt.MouseButton.RightButton)
    QApplication.sendEvent(target, QContextMenuEvent(reason, place, target.mapToGlobal(place)))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert menu.actions()[0].text() == "Fit"
    menu.close()
    assert view.x_range() == before  # no zoom by the right button


def test_the_legend_can_be_moved_and_stays_inside(qtbot: QtBot, view: SpectrumView) -> None:
    before = view.plot.legend.box()
    corner = view.plot.box.geometry().topLeft().toPoint()
    start = before.center().toPoint() + corner
    drag(qtbot, view, start, start + QPoint(-200, 30))
    moved = view.plot.legend.box().topLeft() - before.topLeft()
    assert (moved.x(), moved.y()) == pytest.approx((-200, 30), abs=1)
    drag(qtbot, view, view.plot.legend.box().center().toPoint() + corner, QPoint(5000, 5000))
    assert view.plot.legend.boundingRect().contains(view.plot.legend.box())


def test_an_empty_plot_says_what_to_do(view: SpectrumView) -> None:
    view.set_empty("Draw a region of interest.")
    assert not view.plot.text.isVisible()
    view.set_curves([])
    assert view.plot.text.isVisible()


def test_the_cursor_of_a_linked_view_is_shown(view: SpectrumView) -> None:
    view.show_cursor(5.0)
    line = view.plot.cursors[0]
    assert line.isVisible()
    assert line.pos().x() == pytest.approx(view.plot.frame.x(5.0), abs=1)
    view.zoom_to(6.0, 7.0)
    assert not line.isVisible()
    view.show_cursor(None)
    view.fit()
    assert not line.isVisible()


# Line markers

MARKERS = [
    MarkerLine(f"X{i} Kα", energy, strength, PHASE_COLOURS[i % 6])
    for i, (energy, strength) in enumerate(
        (e, s) for e in np.arange(0.3, 8.0, 0.23) for s in (1.0, 0.2)
    )
]


def label_boxes(view: SpectrumView) -> list[QRectF]:
    return [box for _, box in view.plot.markers.labels if box is not None]


@pytest.mark.parametrize("size", [(700, 250), (1400, 500), (250, 150)])
def test_labels_of_lines_never_overlap(view: SpectrumView, size: tuple[int, int]) -> None:
    view.resize(*size)
    view.set_markers(MARKERS)
    for low, high in ((0.0, 20.0), (0.0, 5.0), (1.0, 1.6)):
        view.zoom_to(low, high)
        boxes = label_boxes(view)
        assert boxes
        assert not [1 for a, b in itertools.combinations(boxes, 2) if a.intersects(b)]
        whole = view.plot.markers.boundingRect()
        assert all(whole.contains(box) for box in boxes)


def test_zooming_in_makes_room_for_more_labels(view: SpectrumView) -> None:
    view.set_markers(MARKERS)
    seen = len([m for m in MARKERS if m.energy_keV < 2.0])
    view.fit()
    before = len([1 for m, box in view.plot.markers.labels if box and m.energy_keV < 2.0])
    view.zoom_to(0.0, 2.0)
    assert before < len(label_boxes(view)) <= seen
    assert all(m.energy_keV <= view.x_range()[1] for m, _ in view.plot.markers.labels)


def test_the_strong_and_the_emphasised_lines_keep_their_labels(view: SpectrumView) -> None:
    weak = MarkerLine("weak", 1.74, 0.01, "red", emphasised=True)
    crowd = [MarkerLine(f"crowd {i}", 1.74, i / 10, "blue") for i in range(1, 9)]
    view.set_markers([*crowd, weak])
    named = [m.label for m, box in view.plot.markers.labels if box is not None]
    assert named[:2] == ["weak", "crowd 8"]
    assert "crowd 1" not in named


def test_the_curves_stay_below_the_labels(view: SpectrumView) -> None:
    view.set_markers(MARKERS)
    view.set_windows([WindowMark("a", 6.2, 6.6, "red", "Fe Kα")])
    low, high = view.plot.y_range()
    share = (high - spectrum().max()) / (high - low)
    assert share * view.plot.frame.height >= max(box.bottom() for box in label_boxes(view))


def test_labels_are_placed_first_come_first_served() -> None:
    places = place_labels([10.0, 12.0, 14.0, 95.0], [20.0] * 4, 100.0, 2)
    assert places == [(0, 0.0), (1, 2.0), None, (0, 80.0)]


# Energy windows


@pytest.fixture
def with_windows(view: SpectrumView) -> SpectrumView:
    view.set_windows(
        [
            WindowMark("Fe", 6.0, 7.0, PHASE_COLOURS[3], "Fe Kα"),
            WindowMark("Si", 1.5, 2.0, PHASE_COLOURS[0], "Si Kα"),
        ]
    )
    return view


class Heard:
    """What the signals about windows said, in order."""

    def __init__(self, view: SpectrumView) -> None:
        self.all: list[tuple[object, ...]] = []
        self.went_on: list[object] = []
        view.window_changing.connect(lambda *a: self.all.append(("changing", *a)))
        view.window_changed.connect(self._has_changed)
        view.window_drawn.connect(lambda *a: self.all.append(("drawn", *a)))
        view.window_removed.connect(lambda *a: self.all.append(("removed", *a)))

    def _has_changed(self, *told: object) -> None:
        *window, going_on = told
        self.all.append(("changed", *window))
        self.went_on.append(going_on)

    def names(self) -> list[object]:
        return [one[0] for one in self.all]


def test_a_dragged_window_changes_and_has_changed(qtbot: QtBot, with_windows: SpectrumView) -> None:
    heard, near = Heard(with_windows), pixel_keV(with_windows)
    drag(qtbot, with_windows, at(with_windows, 6.5), at(with_windows, 8.5))
    assert heard.names()[:2] == ["changing", "changing"]
    assert heard.names()[-1] == "changed"
    assert heard.names().count("changed") == 1
    assert heard.all[-1][1] == "Fe"
    assert heard.all[-1][2:] == pytest.approx((8.0, 9.0), abs=2 * near)
    assert heard.all[-1][3] - heard.all[-1][2] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(6.0, 5.0, (5.0, 7.0)), (7.0, 9.0, (6.0, 9.0)), (6.0, 9.0, (7.0, 9.0))],
)
def test_an_edge_is_dragged_even_past_the_other(
    qtbot: QtBot,
    with_windows: SpectrumView,
    start: float,
    end: float,
    expected: tuple[float, float],
) -> None:
    heard = Heard(with_windows)
    drag(qtbot, with_windows, at(with_windows, start), at(with_windows, end))
    assert heard.all[-1][:2] == ("changed", "Fe")
    assert heard.all[-1][2:] == pytest.approx(expected, abs=2 * pixel_keV(with_windows))


def test_the_pointer_says_what_can_be_taken(with_windows: SpectrumView) -> None:
    shapes = []
    for energy in (6.0, 6.5, 7.0, 12.0):
        move(with_windows, at(with_windows, energy, 0.8))
        shapes.append(with_windows.plot.canvas.viewport().cursor().shape())
    assert shapes == [
        Qt.CursorShape.SizeHorCursor,
        Qt.CursorShape.SizeAllCursor,
        Qt.CursorShape.SizeHorCursor,
        Qt.CursorShape.ArrowCursor,
    ]


def test_a_window_stays_within_the_energies_there_are(
    qtbot: QtBot, with_windows: SpectrumView
) -> None:
    heard = Heard(with_windows)
    drag(qtbot, with_windows, at(with_windows, 1.75), at(with_windows, 1.75) - QPoint(400, 0))
    assert heard.all[-1][2:] == pytest.approx((-0.005, 0.495))


def test_windows_set_anew_during_a_drag_stay_under_the_mouse(
    qtbot: QtBot, with_windows: SpectrumView
) -> None:
    stale = WindowMark("Fe", 6.0, 7.0, "red", "Fe")
    with_windows.window_changing.connect(lambda *_: with_windows.set_windows([stale]))
    heard = Heard(with_windows)
    drag(qtbot, with_windows, at(with_windows, 6.5), at(with_windows, 9.5))
    assert heard.all[-1][0] == "changed"
    assert heard.all[-1][2:] == pytest.approx((9.0, 10.0), abs=2 * pixel_keV(with_windows))


def test_escape_puts_a_dragged_window_back(qtbot: QtBot, with_windows: SpectrumView) -> None:
    heard = Heard(with_windows)
    start, end = at(with_windows, 6.5), at(with_windows, 9.5)
    drag(qtbot, with_windows, start, end, release=False)
    qtbot.keyClick(with_windows.plot.canvas, Qt.Key.Key_Escape)
    qtbot.mouseRelease(with_windows.plot.canvas.viewport(), LEFT, pos=end)
    assert heard.all[-1] == ("changing", "Fe", 6.0, 7.0)
    assert "changed" not in heard.names()


def test_the_next_drag_draws_a_window(qtbot: QtBot, with_windows: SpectrumView) -> None:
    heard, modes = Heard(with_windows), list[bool]()
    with_windows.drawing_changed.connect(modes.append)
    with_windows.set_drawing(True)
    start, end = at(with_windows, 6.5), at(with_windows, 3.5)
    drag(qtbot, with_windows, start, end)
    assert heard.names() == ["drawn"]
    assert heard.all[0][1:] == pytest.approx((3.5, 6.5), abs=2 * pixel_keV(with_windows))
    assert modes == [True, False]
    drag(qtbot, with_windows, at(with_windows, 12.0), at(with_windows, 14.0))
    assert heard.names() == ["drawn"]


def test_arrows_move_the_selected_window_by_channels(
    qtbot: QtBot, with_windows: SpectrumView
) -> None:
    heard, canvas = Heard(with_windows), with_windows.plot.canvas
    qtbot.mouseClick(canvas.viewport(), LEFT, pos=at(with_windows, 1.75))
    assert with_windows.plot.windows.selected == "Si"
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert heard.all[-1] == ("changed", "Si", pytest.approx(1.51), pytest.approx(2.01))
    qtbot.keyClick(canvas, Qt.Key.Key_Left, SHIFT)
    assert heard.all[-1] == ("changed", "Si", pytest.approx(1.41), pytest.approx(1.91))
    qtbot.keyClick(canvas, Qt.Key.Key_Delete)
    assert heard.all[-1] == ("removed", "Si")


def test_a_nudge_goes_on_from_the_last_one_of_the_same_window_only(
    qtbot: QtBot, with_windows: SpectrumView
) -> None:
    heard, canvas = Heard(with_windows), with_windows.plot.canvas
    qtbot.mouseClick(canvas.viewport(), LEFT, pos=at(with_windows, 1.75))
    for _ in range(3):
        qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert heard.went_on == [False, True, True]
    drag(qtbot, with_windows, at(with_windows, 1.8), at(with_windows, 2.2))
    assert heard.went_on[3:] == [False]
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert heard.went_on[4:] == [False]
    for key in (Qt.Key.Key_W, Qt.Key.Key_Right, Qt.Key.Key_W, Qt.Key.Key_Right):
        qtbot.keyClick(canvas, key)
    assert heard.went_on[5:] == [False, False]


def test_windows_are_selected_with_the_keyboard_too(
    qtbot: QtBot, with_windows: SpectrumView
) -> None:
    with_windows.setFocus()
    chosen = []
    for _ in range(3):
        qtbot.keyClick(with_windows.plot.canvas, Qt.Key.Key_W)
        chosen.append(with_windows.plot.windows.selected)
    assert chosen == ["Fe", "Si", "Fe"]
    with_windows.set_windows([])
    assert with_windows.plot.windows.selected is None
    low = with_windows.x_range()[0]
    with_windows.zoom_to(3.0, 5.0)
    qtbot.keyClick(with_windows.plot.canvas, Qt.Key.Key_Right)
    assert with_windows.x_range()[0] > 3.0 > low


def test_a_narrow_window_can_still_be_held_by_its_middle(view: SpectrumView) -> None:
    view.set_windows([WindowMark("a", 6.0, 6.0 + 9 * pixel_keV(view), "red")])
    left = view.plot.frame.x(6.0)
    layer = view.plot.windows
    assert [layer.hit(left + x) for x in (-3.0, 4.5, 12.0)] == [
        ("a", "low"),
        ("a", "body"),
        ("a", "high"),
    ]


def test_stretches_are_known_by_their_energies(view: SpectrumView) -> None:
    view.set_stretches([(1.0, 1.2), (5.0, 5.5)], LIGHT.warning, "negative")
    inside = [view.plot.stretches.at(energy) for energy in (0.9, 1.1, 3.0, 5.2)]
    assert inside == [False, True, False, True]


# Figures


def test_figures_are_white_and_leave_the_window_dark(view: SpectrumView, tmp_path: Path) -> None:
    THEME.choose("dark")
    view.set_curves([Curve("fit", ENERGY, spectrum(), DARK.line)])
    view.show_cursor(3.0)
    view.figure_png(tmp_path / "a.png", 1000)
    image = QImage(str(tmp_path / "a.png"))
    assert (image.width(), image.height()) == (1000, round(1000 * 250 / 700))
    assert image.pixelColor(1, 1).name() == "#ffffff"
    seen = {image.pixelColor(x, y).name() for x in range(1000) for y in range(0, 350, 3)}
    assert LIGHT.line in seen
    assert not seen & {DARK.line, DARK.plot, DARK.border}
    assert view.plot.canvas.backgroundBrush().color().name() == DARK.plot
    assert view.plot.curves["fit"].line.opts["pen"].color().name() == DARK.line
    assert view.plot.cursors[0].isVisible()


def test_an_svg_figure_keeps_the_curves_inside_its_frame(
    view: SpectrumView, tmp_path: Path
) -> None:
    view.set_unit("counts per pixel")
    view.zoom_to(1.0, 3.0)
    view.plot.set_y_range(0.0, 50.0)  # the peak of 600 stands far out
    view.figure_svg(tmp_path / "a.svg")
    assert QSvgRenderer(str(tmp_path / "a.svg")).isValid()
    text = (tmp_path / "a.svg").read_text("utf-8")
    assert ">counts per pixel<" in text
    assert ">energy (keV)<" in text
    assert drawn(view)[1].max() > 50.0  # on the screen the frame hides what goes on outside
    view.plot.clipped = True
    view.plot.draw()
    x, y = drawn(view)
    assert y.max() == pytest.approx(50.0)
    assert (x.min(), x.max()) == pytest.approx(view.x_range())


def test_a_table_holds_every_channel(view: SpectrumView, tmp_path: Path) -> None:
    low = spectrum() - 1
    band = Curve("Fp, sum", ENERGY, spectrum(), "red", low=low, high=spectrum() + 1)
    short = Curve("reference", np.array([1.0, 2.0]), np.array([3.0, np.nan]), "blue")
    view.set_curves([curve(), band, short])
    view.set_residuals(ENERGY, np.cos(ENERGY))
    view.figure_csv(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == [
        "energy (keV)",
        "Brg (counts)",
        "Fp, sum (counts)",
        "Fp, sum low (counts)",
        "Fp, sum high (counts)",
        "energy (keV)",
        "reference (counts)",
        "energy (keV)",
        "residual (sigma)",
    ]
    assert len(rows) == 2049
    assert [float(row[3]) for row in rows[1:]] == pytest.approx(low)
    assert [row[5:7] for row in rows[1:4]] == [["1", "3"], ["2", ""], ["", ""]]
    view.copy_data()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text().splitlines()[0].split("\t")[2] == "Fp, sum (counts)"


def test_a_figure_that_cannot_be_written_says_so(
    view: SpectrumView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PyQt6.QtWidgets import QFileDialog

    told: list[Message] = []
    NOTICES.said.connect(told.append)
    answers = [(str(tmp_path / "none" / "a.png"), ""), (str(tmp_path / "b"), ""), ("", "")]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answers.pop(0))
    for action in view.menu().actions()[-3:]:
        action.trigger()
    NOTICES.said.disconnect(told.append)
    assert "a.png was not written: No such file or directory" in told[0].text
    assert (tmp_path / "b.svg").is_file()
    assert [message.kind for message in told] == ["error", "info"]
