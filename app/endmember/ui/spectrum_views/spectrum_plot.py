"""The canvas of a spectrum plot: axes, curves, residuals and layers, and the ranges they show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import PyQt6.QtCore  # noqa: F401 - before pyqtgraph, which takes the first Qt it finds
import pyqtgraph as pg
from PyQt6.QtCore import QLineF, QObject, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPen
from PyQt6.QtWidgets import QGraphicsLineItem, QGraphicsRectItem

from endmember.ui.spectrum_views.spectrum_axes import (
    TICK_ROOM,
    TitleLayer,
    make_axis,
    style_axis,
    tick_width,
)
from endmember.ui.spectrum_views.spectrum_curves import DrawnCurve
from endmember.ui.spectrum_views.spectrum_layers import (
    LegendLayer,
    MarkerLayer,
    PlotFrame,
    StretchLayer,
    TextLayer,
)
from endmember.ui.spectrum_views.spectrum_marks import Curve, FloatArray
from endmember.ui.spectrum_views.spectrum_traces import (
    Extent,
    channel_width,
    energy_limits,
    log_floor,
    on_log_scale,
    value_limits,
)
from endmember.ui.spectrum_views.spectrum_windows import WindowLayer
from endmember.ui.widgets.plot_colours import faint
from endmember.ui.widgets.theme import Colours, colours

WHOLE_RANGE_keV = (0.0, 20.0)
FEWEST_CHANNELS = 5
RESIDUAL_LIMIT = 3.0
GAP = 9.0
RESIDUAL_TITLE, RESIDUAL_UNIT = "residual (σ)", "σ"


@dataclass(frozen=True, slots=True)
class Pane:
    """A view box with its axis, and where they lie."""

    axis: Any
    box: Any
    title: str
    top: float
    bottom: float

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return max(self.bottom - self.top, 10.0)


class SpectrumPlot(QObject):
    """Draws; what the hands do is in `spectrum_gestures`."""

    x_range_changed = pyqtSignal(float, float)
    left_changed = pyqtSignal(float)
    """Pixels that its own numbers and titles need at the left."""

    def __init__(self, font: QFont) -> None:
        super().__init__()
        self.canvas: Any = pg.GraphicsView(background=None)
        self.canvas.setAntialiasing(False)
        root = self.canvas.centralWidget
        self.frame = PlotFrame(font=QFont(font), colours=colours())
        self.box: Any = pg.ViewBox(enableMouse=False, enableMenu=False)
        self.lower: Any = pg.ViewBox(enableMouse=False, enableMenu=False)
        for box in (self.box, self.lower):
            # A parent given to the constructor would keep it from hearing of its scene.
            box.setParentItem(root)
            box.disableAutoRange()
        self.left = make_axis("left", self.box, root)
        self.lower_left = make_axis("left", self.lower, root)
        self.bottom = make_axis("bottom", self.box, root)
        self._add_layers()
        self.titles = TitleLayer(self.frame)
        self.titles.setParentItem(root)
        self.curves: dict[str, DrawnCurve] = {}
        self.residuals: DrawnCurve | None = None
        self.unit = "counts"
        self.title = ""
        self.log = False
        # Room for the numbers of each vertical axis. Zooming never makes it smaller, or the energy
        # under the mouse would move.
        self._room: dict[str, float] = {}
        self._waiting = False
        self.own_left = 0.0  # pixels that its own numbers and titles need
        self.least_left = 0.0  # pixels that those of a plot above or below need
        self.auto_y = True
        self.held = False
        self.fitted = True
        self.clipped = False  # for figures that cannot hide what is outside the frame
        self.focused = False
        self.canvas.sigDeviceRangeChanged.connect(self.arrange)
        self.apply_colours(colours())
        self.set_x_range(*WHOLE_RANGE_keV)
        self.fitted = True

    def _add_layers(self) -> None:
        self.markers = MarkerLayer(self.frame)
        self.windows = WindowLayer(self.frame)
        self.stretches = StretchLayer(self.frame)
        self.legend = LegendLayer(self.frame)
        self.text = TextLayer(self.frame)
        self.layers = (self.stretches, self.markers, self.windows, self.text, self.legend)
        for layer in self.layers:
            layer.setParentItem(self.box)
        self.cursor_keV: float | None = None
        self.cursors = QGraphicsLineItem(self.box), QGraphicsLineItem(self.lower)
        for line in self.cursors:
            line.setZValue(7)
            line.hide()
        inside = self.lower.childGroup
        self.band = QGraphicsRectItem(inside)
        self.band.setPen(QPen(Qt.PenStyle.NoPen))
        self.band.setZValue(-10)
        self.zero = QGraphicsLineItem(inside)
        self.zero.setZValue(-9)

    # What is shown

    def set_curves(self, curves: Sequence[Curve]) -> None:
        """Show these curves; those with a known name change in place."""
        names = {curve.name for curve in curves}
        for name in [name for name in self.curves if name not in names]:
            self.curves.pop(name).remove()
        limits = self.limits()
        for curve in curves:
            if curve.name in self.curves:
                self.curves[curve.name].update(curve, self.frame.colours)
            else:
                self.curves[curve.name] = DrawnCurve(curve, self.box, self.frame.colours)
        self.legend.curves = tuple(curves)
        self.text.setVisible(not self.curves)
        if limits == self.limits():
            self.draw()
        elif self.fitted:
            self.fit()
        else:
            self.set_x_range(*self.x_range())

    def set_residuals(self, residuals: Curve | None) -> None:
        """Show these residuals in sigma below, or nothing."""
        if residuals is None:
            if self.residuals is not None:
                self.residuals.remove()
            self.residuals = None
        elif self.residuals is None:
            self.residuals = DrawnCurve(residuals, self.lower, self.frame.colours)
        else:
            self.residuals.update(residuals, self.frame.colours)
        self.arrange()

    def shown_curves(self) -> list[Curve]:
        """The curves in the order in which they were given."""
        return list(self.legend.curves)

    # Ranges

    def limits(self) -> tuple[float, float]:
        """All the energies there are, in keV."""
        return energy_limits(self.shown_curves() if self.curves else []) or WHOLE_RANGE_keV

    def x_range(self) -> tuple[float, float]:
        """The energies in view, in keV."""
        return self.frame.low_keV, self.frame.high_keV

    def y_range(self) -> tuple[float, float]:
        """The lower and upper end of the y axis; exponents of ten on a log axis."""
        low, high = self.box.viewRange()[1]
        return float(low), float(high)

    def set_x_range(self, low_keV: float, high_keV: float) -> None:
        """Show these energies, as far as there are any; at least a few channels."""
        first, last = self.limits()
        least = FEWEST_CHANNELS * channel_width(self.shown_curves())
        span = min(max(high_keV - low_keV, least), last - first)
        low = min(max((low_keV + high_keV - span) / 2, first), last - span)
        before = self.x_range()
        self.fitted = False
        self.frame.low_keV, self.frame.high_keV = low, low + span
        for box in (self.box, self.lower):
            box.setXRange(low, low + span, padding=0)
        self.draw()
        if before != self.x_range():
            self.x_range_changed.emit(*self.x_range())

    def set_y_range(self, low: float, high: float) -> None:
        """Show these values from now on, until the next fit."""
        self.auto_y = False
        self._show_y(low, high)
        self.draw()

    def fit(self) -> None:
        """Show everything."""
        self.auto_y = True
        with self.at_once():
            self.set_x_range(*self.limits())
            self.markers.arrange()
            self._follow_values()  # first, since the axes take the room that their numbers need
            self.arrange()
        self.fitted = True

    def _show_y(self, low: float, high: float) -> None:
        if (low, high) != self.y_range():
            self.box.setYRange(low, high, padding=0)
            self._place_axes()

    def _follow_values(self) -> None:
        """Let the y axis cover the visible values, below the labels at the top."""
        if not self.auto_y or self.held:
            return
        curves = self.shown_curves()
        found = value_limits(curves, *self.x_range())
        free = max(0.95 - self.top() / max(self.frame.height, 1.0), 0.3)
        if self.log:
            floor = log_floor(curves, self.unit == "counts")
            low, high = on_log_scale(np.array(found or (1.0, 10.0)), floor).tolist()
            high = max(high, low + 0.5)
            low -= 0.03 * (high - low)
        else:
            low, high = found or (0.0, 1.0)
            low = low - 0.05 * (high - low) if low < 0 else 0.0
            high = high if high > low else low + 1.0
        self._show_y(low, low + (high - low) / free)

    def display(self, values: FloatArray) -> FloatArray:
        """Values as the y axis has them."""
        if not self.log:
            return values
        return on_log_scale(values, log_floor(self.shown_curves(), self.unit == "counts"))

    def set_log(self, log: bool) -> None:
        """A logarithmic y axis, or a linear one; it follows the values again."""
        self.log = log
        self.auto_y = True
        self._room.clear()
        self.left.setLogMode(False, log)
        held, self.held = self.held, False
        self.draw()
        self.held = held
        self._place_axes()

    def set_least_left(self, pixels: float) -> None:
        """Begin at least so far from the left, as a plot above or below does."""
        if pixels != self.least_left:
            self.least_left = pixels
            self._place_axes()
            self.draw()

    # Drawing

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Draw once, at the end, whatever is changed meanwhile."""
        before, self._waiting = self._waiting, True
        try:
            yield
        finally:
            self._waiting = before
            self.draw()

    def draw(self) -> None:
        """Draw all anew: labels, values, curves."""
        if self._waiting:
            return
        self.markers.arrange()
        self.windows.top = self.markers.depth()
        self.legend.top = self.top()
        width = self.frame.width
        self._follow_values()
        if width != self.frame.width:  # longer numbers beside the axis
            self.markers.arrange()
        for drawn in self.curves.values():
            drawn.draw(self._extent(self.box), self.display)
        if self.residuals is not None:
            self._draw_residuals(self.residuals)
        self.show_cursor(self.cursor_keV)
        for layer in self.layers:
            layer.update()

    def top(self) -> float:
        """Pixels at the top that labels take up."""
        return self.markers.depth() + self.windows.depth()

    def _extent(self, box: Any) -> Extent:
        bottom, top = box.viewRange()[1]
        columns = int(box.width() * self.canvas.devicePixelRatioF())
        size = float(box.width()), float(box.height())
        return Extent(self.x_range(), (bottom, top), *size, columns, self.clipped)

    def _draw_residuals(self, residuals: DrawnCurve) -> None:
        low, high = self.x_range()
        found = value_limits([residuals.curve], low, high) or (0.0, 0.0)
        reach = 1.15 * max(abs(found[0]), abs(found[1]), RESIDUAL_LIMIT + 1)
        self.lower.setYRange(-reach, reach, padding=0)
        if reach < 4 * RESIDUAL_LIMIT:
            self.lower_left.setTickSpacing(levels=[(RESIDUAL_LIMIT, 0), (1.0, 0)])
        else:
            self.lower_left.setTickSpacing()
        self.band.setRect(QRectF(low, -RESIDUAL_LIMIT, high - low, 2 * RESIDUAL_LIMIT))
        self.zero.setLine(QLineF(low, 0, high, 0))
        residuals.draw(self._extent(self.lower), lambda values: values)

    def show_cursor(self, energy_keV: float | None) -> None:
        """A faint vertical line at this energy."""
        self.cursor_keV = energy_keV
        low, high = self.x_range()
        for line, box in zip(self.cursors, (self.box, self.lower), strict=True):
            line.setVisible(energy_keV is not None and low <= energy_keV <= high)
            if energy_keV is not None:
                line.setLine(QLineF(0, 0, 0, box.height()))
                line.setPos(QPointF(round(self.frame.x(energy_keV)), 0))

    def show_focus(self, focused: bool) -> None:
        """Frame the plot that listens to the keys."""
        self.focused = focused
        accent = pg.mkPen(faint(QColor(self.frame.colours.accent), 150))
        self.box.setBorder(accent if focused else None)

    def apply_colours(self, of: Colours) -> None:
        """Draw all in these colours."""
        self.frame.colours = of
        self.canvas.setBackground(of.plot)
        for axis in (self.left, self.lower_left, self.bottom):
            style_axis(axis, of, self.frame.font)
        drawn = list(self.curves.values())
        for one in drawn + ([self.residuals] if self.residuals else []):
            one.update(one.curve, of)
        self.show_focus(self.focused)
        self.band.setBrush(faint(QColor(of.accent), 40))
        cosmetic = QPen(QColor(of.muted), 1.0)
        cosmetic.setCosmetic(True)
        self.zero.setPen(cosmetic)
        for line in self.cursors:
            line.setPen(QPen(faint(QColor(of.text), 130), 1.0))
        self.arrange()

    def set_font(self, font: QFont) -> None:
        """Write in this font."""
        self.frame.font = QFont(font)
        self.apply_colours(self.frame.colours)

    # Places

    def y_title(self) -> str:
        """The unit, and whether the axis is logarithmic."""
        return f"{self.unit} (log)" if self.log else self.unit

    def arrange(self) -> None:
        """Give everything its place in the canvas and draw it."""
        self._room.clear()
        self._place_axes()
        self.draw()

    def _place_axes(self) -> None:
        left_before = self.own_left
        area = QRectF(self.canvas.range)
        line = self.frame.line_height()
        self.titles.prepareGeometryChange()
        for layer in self.layers:
            layer.prepareGeometryChange()
        top = math.ceil(area.top() + (line + 4 if self.title else 4))
        bottom = max(math.floor(area.bottom() - 2 * line - 5), top + 10)
        shown = self.residuals is not None
        depth = min(max(0.28 * (bottom - top), 3 * line), 150.0) if shown else 0.0
        split = math.floor(bottom - depth)
        panes = [Pane(self.left, self.box, self.y_title(), top, split - (GAP if shown else 0))]
        if shown:
            # in two rows at the most; the longer word must have room
            wide = QFontMetricsF(self.frame.font).horizontalAdvance(RESIDUAL_TITLE.split()[0])
            title = RESIDUAL_TITLE if wide < bottom - split else RESIDUAL_UNIT
            panes.append(Pane(self.lower_left, self.lower, title, split, bottom))
        for item in (self.lower, self.lower_left):
            item.setVisible(shown)
        left, right = self._place_panes(panes, area.right() - 10)
        self.bottom.setHeight(line + 4)
        self.bottom.setGeometry(QRectF(left, bottom, right - left, line + 4))
        below = QRectF(left, bottom + line + 3, right - left, line)
        above = QRectF(left, area.top() + 2, right - left, line)
        self.titles.area = area
        self.titles.flat = [(below, "energy (keV)", False), (above, self.title, True)]
        self.titles.update()
        self.frame.width, self.frame.height = self.box.width(), self.box.height()
        if self.own_left != left_before:
            self.left_changed.emit(self.own_left)

    def _place_panes(self, panes: Sequence[Pane], right: float) -> tuple[float, float]:
        """Put the panes one below the other with a common left and right, which it returns."""
        line = self.frame.line_height()
        for pane in panes:
            wide = tick_width(pane.axis, self.frame.font, pane.height) + TICK_ROOM
            self._room[pane.title] = max(wide, self._room.get(pane.title, 0.0))
        numbers = [self._room[pane.title] for pane in panes]
        titles = [self.titles.lines(pane.title, pane.height) * line for pane in panes]
        # Whole pixels keep the areas, which are images, sharp.
        self.own_left = math.ceil(max(map(sum, zip(numbers, titles, strict=True))))
        left = max(self.own_left, self.least_left)
        right = max(math.floor(right), left + 10)
        self.titles.upright = []
        for pane, room, title in zip(panes, numbers, titles, strict=True):
            pane.axis.setWidth(room)
            pane.axis.setGeometry(QRectF(left - room, pane.top, room, pane.height))
            pane.box.setGeometry(QRectF(left, pane.top, right - left, pane.height))
            beside = QRectF(left - room - title, pane.top, title, pane.height)
            self.titles.upright.append((beside, pane.title))
        return left, right
