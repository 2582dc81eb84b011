"""What the mouse and the keys do on a spectrum plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PyQt6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QToolTip

from endmember.ui.spectrum_views.spectrum_marks import WindowMark
from endmember.ui.spectrum_views.spectrum_plot import SpectrumPlot
from endmember.ui.spectrum_views.spectrum_traces import channel_width
from endmember.ui.spectrum_views.spectrum_windows import Part, kept_within, moved

Kind = Literal["click", "pan", "legend", "draw", "window"]
STILL = 3.0  # pixels that a click may move
ZOOM_PER_STEP = 1.25
_KEYS = frozenset(
    {
        Qt.Key.Key_L,
        Qt.Key.Key_W,
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Delete,
        Qt.Key.Key_Escape,
        Qt.Key.Key_Home,
        Qt.Key.Key_Plus,
        Qt.Key.Key_Minus,
        Qt.Key.Key_Equal,
        Qt.Key.Key_Space,
    }
)
_SHAPES = {
    "low": Qt.CursorShape.SizeHorCursor,
    "high": Qt.CursorShape.SizeHorCursor,
    "body": Qt.CursorShape.SizeAllCursor,
}


@dataclass(slots=True)
class _Drag:
    kind: Kind
    start: QPointF
    energy_keV: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    legend: QRectF
    window: WindowMark | None = None
    part: Part | None = None
    moved: bool = False


class SpectrumGestures(QObject):
    """Watches the canvas: zooming, panning, clicking, and drawing and moving energy windows."""

    energy_hovered = pyqtSignal(object)
    energy_clicked = pyqtSignal(float)
    window_changing = pyqtSignal(str, float, float)
    window_changed = pyqtSignal(str, float, float, bool)
    """Key, ends in keV, and whether it goes on from the last nudge."""
    window_drawn = pyqtSignal(float, float)
    window_removed = pyqtSignal(str)
    window_selected = pyqtSignal(object)
    drawing_changed = pyqtSignal(bool)
    log_wanted = pyqtSignal(bool)
    menu_wanted = pyqtSignal(object)

    def __init__(self, plot: SpectrumPlot) -> None:
        super().__init__(plot)
        self.plot = plot
        self.drawing = False
        self._drag: _Drag | None = None
        self._space = False
        self._nudged: str | None = None  # the window that the last gesture nudged
        plot.canvas.setMouseTracking(True)
        plot.canvas.viewport().setMouseTracking(True)
        plot.canvas.installEventFilter(self)
        plot.canvas.viewport().installEventFilter(self)

    # Events

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Take the events of the hands; all others go on to the canvas."""
        if event is None:
            return False
        if watched is self.plot.canvas:
            return self._keys(event)
        if isinstance(event, QMouseEvent):
            self._mouse(event)
            return True
        if isinstance(event, QWheelEvent):
            self._wheel(event)
            return True
        if isinstance(event, QContextMenuEvent):
            self.menu_wanted.emit(event.globalPos())
            return True
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            return self._show_tooltip(event)
        if event.type() == QEvent.Type.Leave:
            self.energy_hovered.emit(None)
        return False

    def _mouse(self, event: QMouseEvent) -> None:
        place = self._inside(event.position())
        kind = event.type()
        if kind == QEvent.Type.MouseButtonDblClick:
            if event.button() == Qt.MouseButton.LeftButton and self._drag is None:
                self.plot.fit()
        elif kind == QEvent.Type.MouseButtonPress:
            self.plot.canvas.setFocus(Qt.FocusReason.MouseFocusReason)
            if self._drag is None:
                self._press(event.button(), place)
        elif kind == QEvent.Type.MouseMove:
            self._move(place)
            self._hover(place)
        elif kind == QEvent.Type.MouseButtonRelease and self._drag is not None:
            self._move(place)
            drag, self._drag = self._drag, None
            self._release(drag, place)
            self._shape(place)
        event.accept()

    def _keys(self, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._space = False
            self.plot.show_focus(kind == QEvent.Type.FocusIn)
        if not isinstance(event, QKeyEvent):
            return False
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = kind != QEvent.Type.KeyRelease
            self._shape(None)
        if not self._is_ours(event):
            return False
        # An override keeps the window's own shortcuts from taking the key.
        event.accept()
        if kind == QEvent.Type.KeyPress:
            self._key(event)
        return True

    @staticmethod
    def _is_ours(event: QKeyEvent) -> bool:
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if held == Qt.KeyboardModifier.ControlModifier:
            return event.key() == Qt.Key.Key_F
        return event.key() in _KEYS and held in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.ShiftModifier,
        )

    # Mouse

    def _inside(self, position: QPointF) -> QPointF:
        """A position on the canvas in pixels of the plot."""
        scene = self.plot.canvas.mapToScene(position.toPoint())
        corner = self.plot.box.geometry().topLeft()
        return QPointF(scene.x() - corner.x(), scene.y() - corner.y())

    def _within(self, place: QPointF) -> bool:
        """Whether a place lies in the plot or in the residuals below it."""
        frame = self.plot.frame
        bottom = self.plot.bottom.geometry().top() - self.plot.box.geometry().top()
        return 0 <= place.x() <= frame.width and 0 <= place.y() <= bottom

    def _press(self, button: Qt.MouseButton, place: QPointF) -> None:
        plot, self._nudged = self.plot, None
        energy = plot.frame.energy(place.x())
        legend = plot.legend.box() if plot.legend.isVisible() else QRectF()
        drag = _Drag("click", place, energy, plot.x_range(), plot.y_range(), legend)
        left = button == Qt.MouseButton.LeftButton
        if button == Qt.MouseButton.MiddleButton or (left and self._space):
            drag.kind = "pan"
        elif not left or not self._within(place):
            return
        elif self.drawing:
            drag.kind = "draw"
        elif legend.contains(place):
            drag.kind = "legend"
        elif found := plot.windows.hit(place.x()):
            key, drag.part = found
            drag.kind = "window"
            drag.window = plot.windows.windows[key]
            self.select(key)
        else:
            self.select(None)
        self._drag = drag
        self._shape(place)

    def _move(self, place: QPointF) -> None:
        drag = self._drag
        if drag is None:
            return
        drag.moved = drag.moved or (place - drag.start).manhattanLength() > STILL
        if not drag.moved:
            return
        if drag.kind == "pan":
            self._pan(drag, place)
        elif drag.kind == "legend":
            corner = drag.legend.topLeft() + place - drag.start
            self.plot.legend.move_to(corner.x(), corner.y())
        elif drag.kind == "draw":
            start, end = drag.energy_keV, self.plot.frame.energy(place.x())
            self.plot.windows.draft = kept_within(min(start, end), max(start, end), *self._bounds())
            self.plot.windows.update()
        elif drag.window is not None and drag.part is not None:
            by = self.plot.frame.energy(place.x()) - drag.energy_keV
            self.plot.windows.change(
                drag.window.key, *moved(drag.window, drag.part, by, *self._bounds())
            )
            self._tell_changing(drag.window.key)

    def _pan(self, drag: _Drag, place: QPointF) -> None:
        plot = self.plot
        shift = (place.x() - drag.start.x()) / max(plot.frame.width, 1)
        low, high = drag.x_range
        keep = high - low
        first, last = plot.limits()
        low = min(max(low - shift * keep, first), max(last - keep, first))
        plot.set_x_range(low, low + keep)
        if not plot.auto_y:
            rise = (place.y() - drag.start.y()) / max(plot.frame.height, 1)
            bottom, top = drag.y_range
            move = rise * (top - bottom)
            plot.set_y_range(bottom + move, top + move)

    def _release(self, drag: _Drag, place: QPointF) -> None:
        windows = self.plot.windows
        if drag.kind == "draw":
            drawn, windows.draft = windows.draft, None
            windows.update()
            if drawn is not None and drag.moved:
                self.set_drawing(False)
                self.window_drawn.emit(*drawn)
        elif drag.window is not None and drag.moved:
            mark = windows.windows.get(drag.window.key)
            if mark is not None:
                self.window_changed.emit(mark.key, mark.low_keV, mark.high_keV, False)
        elif not drag.moved and drag.kind not in ("pan", "legend"):
            self.energy_clicked.emit(self.plot.frame.energy(place.x()))

    def _hover(self, place: QPointF) -> None:
        within = self._within(place)
        self.energy_hovered.emit(self.plot.frame.energy(place.x()) if within else None)
        if self._drag is None:
            self._shape(place)

    def _shape(self, place: QPointF | None) -> None:
        """Let the mouse pointer say what a press would do."""
        shape = Qt.CursorShape.ArrowCursor
        if self._drag is not None and self._drag.kind == "pan":
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space:
            shape = Qt.CursorShape.OpenHandCursor
        elif self.drawing:
            shape = Qt.CursorShape.CrossCursor
        elif self._drag is not None:
            shape = _SHAPES[self._drag.part] if self._drag.part else shape
        elif place is not None and self._within(place):
            legend = self.plot.legend
            found = self.plot.windows.hit(place.x())
            if legend.isVisible() and legend.box().contains(place):
                shape = Qt.CursorShape.SizeAllCursor
            elif found is not None:
                shape = _SHAPES[found[1]]
        self.plot.canvas.viewport().setCursor(shape)

    def _wheel(self, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        # Some systems turn a wheel with a modifier into a horizontal one.
        factor = ZOOM_PER_STEP ** (-(turn.y() or turn.x()) / 120)
        place = self._inside(event.position())
        over_numbers = place.x() < 0
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier or over_numbers:
            self._zoom_y(factor)
        else:
            self._zoom_x(factor, self.plot.frame.energy(max(place.x(), 0.0)))
        self._hover(place)
        event.accept()

    def _zoom_x(self, factor: float, around_keV: float) -> None:
        low, high = self.plot.x_range()
        first, last = self.plot.limits()
        low = max(around_keV + (low - around_keV) * factor, first)
        high = min(around_keV + (high - around_keV) * factor, last)
        self.plot.set_x_range(low, high)

    def _zoom_y(self, factor: float) -> None:
        """Zoom around zero, so that spectra keep standing on their axis."""
        low, high = self.plot.y_range()
        around = low if self.plot.log or low > 0 else min(0.0, high)
        self.plot.set_y_range(around + (low - around) * factor, around + (high - around) * factor)

    def _show_tooltip(self, event: QHelpEvent) -> bool:
        """Name the lines under the mouse, also those without room for a label, and the stretch."""
        place = self._inside(QPointF(event.pos()))
        if not self._within(place):
            return False
        stretches = self.plot.stretches
        near = self.plot.markers.near(place.x())
        told = [f"{marker.label} {marker.energy_keV:.3f} keV" for marker in near]
        if stretches.tooltip and stretches.at(self.plot.frame.energy(place.x())):
            told.append(stretches.tooltip)
        if told:
            QToolTip.showText(event.globalPos(), "\n".join(told), self.plot.canvas.viewport())
        return bool(told)

    # Keys

    def _key(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_L:
            self.log_wanted.emit(not self.plot.log)
        elif key in (Qt.Key.Key_F, Qt.Key.Key_Home):
            self.plot.fit()
        elif key == Qt.Key.Key_W:
            self.select(self.plot.windows.after_selected())
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            channels = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._nudge(channels if key == Qt.Key.Key_Right else -channels)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            factor = ZOOM_PER_STEP if key == Qt.Key.Key_Minus else 1 / ZOOM_PER_STEP
            self._zoom_x(factor, sum(self.plot.x_range()) / 2)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._zoom_y(ZOOM_PER_STEP if key == Qt.Key.Key_Down else 1 / ZOOM_PER_STEP)
        elif key == Qt.Key.Key_Delete and self.plot.windows.selected is not None:
            self.window_removed.emit(self.plot.windows.selected)
        elif key == Qt.Key.Key_Escape:
            self.cancel()

    def _nudge(self, channels: int) -> None:
        """Move the selected window, or else the visible range, by so many channels."""
        mark = self.plot.windows.windows.get(self.plot.windows.selected or "")
        move = channels * self._bounds()[1]
        if mark is None:
            low, high = self.plot.x_range()
            first, last = self.plot.limits()
            move = min(max((high - low) * channels / 50, first - low), last - high)
            self.plot.set_x_range(low + move, high + move)
            return
        low, high = moved(mark, "body", move, *self._bounds())
        if low != mark.low_keV:
            self.plot.windows.change(mark.key, low, high)
            going_on, self._nudged = self._nudged == mark.key, mark.key
            self.window_changed.emit(mark.key, low, high, going_on)

    # Energy windows

    def set_windows(self, marks: dict[str, WindowMark]) -> None:
        """Show these windows; one that is being dragged stays under the mouse."""
        windows = self.plot.windows
        dragged = self._drag.window.key if self._drag and self._drag.window else None
        if dragged in marks and dragged in windows.windows:
            now, told = windows.windows[dragged], marks[dragged]
            marks[dragged] = WindowMark(
                told.key, now.low_keV, now.high_keV, told.colour, told.label
            )
        windows.windows = marks
        if windows.selected not in marks:
            windows.selected = None

    def select(self, key: str | None) -> None:
        """Make this window the one that the keys move."""
        windows = self.plot.windows
        key = key if key in windows.windows else None
        if key != windows.selected:
            windows.selected = key
            self._nudged = None
            windows.update()
            self.window_selected.emit(key)

    def set_drawing(self, drawing: bool) -> None:
        """Let the next left drag draw a window."""
        if drawing != self.drawing:
            self.drawing = drawing
            self._shape(None)
            self.drawing_changed.emit(drawing)

    def cancel(self) -> None:
        """Put a dragged window back where it was, or stop drawing."""
        drag, self._drag = self._drag, None
        self.plot.windows.draft = None
        self.plot.windows.update()
        if drag is None or drag.kind == "draw":
            self.set_drawing(False)
        elif drag.window is not None and drag.window.key in self.plot.windows.windows:
            self.plot.windows.change(drag.window.key, drag.window.low_keV, drag.window.high_keV)
            self._tell_changing(drag.window.key)

    def _bounds(self) -> tuple[tuple[float, float], float]:
        """The energies that a window may cover, and the width of a channel."""
        return self.plot.limits(), channel_width(self.plot.shown_curves())

    def _tell_changing(self, key: str) -> None:
        mark = self.plot.windows.windows[key]
        self.window_changing.emit(key, mark.low_keV, mark.high_keV)
