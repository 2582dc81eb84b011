"""The tools of the mask page: select, rectangle, and brushes for inside and outside."""

from __future__ import annotations

from typing import Literal

from PyQt6.QtCore import QObject, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent, QPen
from PyQt6.QtWidgets import (
    QButtonGroup,
    QDoubleSpinBox,
    QGraphicsEllipseItem,
    QHBoxLayout,
    QToolButton,
    QWidget,
)

from endmember.ui.map_views.map_canvas import MapCanvas
from endmember.ui.map_views.shape_editor import ARROWS, ShapeEditor
from endmember.ui.map_views.shape_gestures import Point
from endmember.ui.widgets.dialog import name

ToolName = Literal["select", "rectangle", "inside", "outside"]
Label = Literal["inside", "outside"]
Modifiers = Qt.KeyboardModifier

BY_KEYBOARD = "By keyboard: arrows move the brush, Enter paints"
TOOLS: dict[str, tuple[ToolName, str, str]] = {
    "V": ("select", "Select", "Select, move and resize rectangles (V)"),
    "R": ("rectangle", "Rectangle", "Draw a loose rectangle round a precipitate (R)"),
    "B": (
        "inside",
        "+ Inside",
        f"Paint what belongs to the precipitate (B); Ctrl paints outside. {BY_KEYBOARD}",
    ),
    "E": (
        "outside",
        "− Outside",
        f"Paint what does not belong to the precipitate (E); Shift paints inside. {BY_KEYBOARD}",
    ),
}
OUTSIDE_COLOUR = QColor("#b3261e")
BRUSHES = ("inside", "outside")
LEAST_RADIUS, LARGEST_RADIUS = 0.5, 100.0


class MaskTool(ShapeEditor):
    """A shape editor whose brush paints inside or outside; its circle follows the pointer."""

    tool_changed = pyqtSignal(str)
    radius_changed = pyqtSignal(float)
    let_go = pyqtSignal()
    """A drag has ended, by release or Esc; what it did, if anything, was told before."""
    dismissed = pyqtSignal()
    """Esc was pressed and there was nothing to cancel."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tool: ToolName = "select"
        self.phase_colour = QColor("white")
        self.brush_point: Point | None = None
        self._circles: dict[MapCanvas, QGraphicsEllipseItem] = {}

    def attach(self, canvas: MapCanvas) -> None:
        """Work on a further canvas."""
        super().attach(canvas)
        circle = QGraphicsEllipseItem()
        circle.setZValue(30)
        circle.setVisible(False)
        canvas.box.addItem(circle, ignoreBounds=True)
        self._circles[canvas] = circle
        canvas.hovered.connect(lambda point: None if point else self._hide_circles())

    # --- which tool --------------------------------------------------------------------------

    def choose(self, tool: ToolName) -> None:
        """Take another tool."""
        brush = tool in BRUSHES
        self.set_mode("brush" if brush else "rectangle" if tool == "rectangle" else "select")
        if brush:
            self.select(None)
        else:
            self._hide_circles()
        if tool != self.tool:
            self.tool = tool
            self._take_colour(Modifiers.NoModifier)
            self.tool_changed.emit(tool)

    def set_phase_colour(self, colour: QColor) -> None:
        """The colour of the precipitate that is worked on."""
        self.phase_colour = colour
        self._take_colour(Modifiers.NoModifier)

    def set_radius(self, radius: float) -> None:
        """The radius of the brush in pixels of the map."""
        radius = min(max(radius, LEAST_RADIUS), LARGEST_RADIUS)
        if radius != self.radius:
            self.radius = radius
            self._redraw_circles()
            self.radius_changed.emit(radius)

    def change_radius(self, step: int) -> None:
        """A larger or a smaller brush: by 1 px, by a tenth where that is more."""
        self.set_radius(round(self.radius + step * max(1.0, self.radius // 10)))

    def label_for(self, modifiers: Modifiers) -> Label:
        """What a stroke with these modifiers means."""
        if modifiers & Modifiers.ShiftModifier:
            return "inside"
        if modifiers & Modifiers.ControlModifier:
            return "outside"
        return "outside" if self.tool == "outside" else "inside"

    def _take_colour(self, modifiers: Modifiers) -> None:
        outside = self.mode == "brush" and self.label_for(modifiers) == "outside"
        self.colour = OUTSIDE_COLOUR if outside else self.phase_colour

    # --- Tool --------------------------------------------------------------------------------

    def press(self, canvas: MapCanvas, point: Point, modifiers: Modifiers) -> bool:
        """Begin a drag; a brush has the colour of what it paints."""
        self._take_colour(modifiers)
        return super().press(canvas, point, modifiers)

    def move(self, canvas: MapCanvas, point: Point, modifiers: Modifiers) -> None:
        """Go on with a drag."""
        super().move(canvas, point, modifiers)
        self._show_circle(canvas, point)

    def release(self, canvas: MapCanvas, point: Point, modifiers: Modifiers) -> None:
        """End a drag."""
        super().release(canvas, point, modifiers)
        self.let_go.emit()

    def hover(self, canvas: MapCanvas, point: Point) -> Qt.CursorShape:
        """The pointer that says what a drag would do here."""
        self._show_circle(canvas, point)
        return super().hover(canvas, point)

    def key(self, canvas: MapCanvas, event: QKeyEvent) -> bool:
        """The brush by keyboard, then what every shape editor does."""
        if self.mode == "brush" and self._brush_key(canvas, event):
            return True
        taken = super().key(canvas, event)
        if event.key() == Qt.Key.Key_Escape:
            self.let_go.emit()
            if not taken:
                self.dismissed.emit()
            return True
        return taken

    def _brush_key(self, canvas: MapCanvas, event: QKeyEvent) -> bool:
        key = event.key()
        centre = canvas.box.viewRect().center()
        x, y = self.brush_point or (round(centre.x()) + 0.5, round(centre.y()) + 0.5)
        if key in ARROWS:
            step = 10 if event.modifiers() & Modifiers.ShiftModifier else 1
            across, down = ARROWS[Qt.Key(key)]
            self._show_circle(canvas, (x + across * step, y + down * step))
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.drawn.emit("stroke", ((x, y),), event.modifiers())
            return True
        return False

    # --- the circle --------------------------------------------------------------------------

    def _show_circle(self, canvas: MapCanvas, point: Point) -> None:
        if self.mode != "brush":
            return
        self.brush_point = point
        for other, circle in self._circles.items():
            circle.setVisible(other is canvas)
        self._redraw_circles()

    def _redraw_circles(self) -> None:
        if self.brush_point is None:
            return
        x, y = self.brush_point
        frame = QRectF(x - self.radius, y - self.radius, 2 * self.radius, 2 * self.radius)
        style = Qt.PenStyle.DashLine if self.tool == "outside" else Qt.PenStyle.SolidLine
        pen = QPen(QColor("white"), 1.5, style)
        pen.setCosmetic(True)
        for circle in self._circles.values():
            circle.setRect(frame)
            circle.setPen(pen)

    def _hide_circles(self) -> None:
        for circle in self._circles.values():
            circle.setVisible(False)


class ToolButtons(QWidget):
    """The tools as buttons."""

    def __init__(self, tool: MaskTool) -> None:
        super().__init__()
        self.tool = tool
        self.buttons: dict[str, QToolButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        group = QButtonGroup(self)
        for chosen, text, says in TOOLS.values():
            button = QToolButton()
            button.setText(text)
            button.setCheckable(True)
            button.setChecked(chosen == tool.tool)
            name(button, says, f"tool: {chosen}")
            button.clicked.connect(lambda _, chosen=chosen: tool.choose(chosen))
            group.addButton(button)
            layout.addWidget(button)
            self.buttons[chosen] = button
        tool.tool_changed.connect(lambda chosen: self.buttons[chosen].setChecked(True))


class BrushRadius(QDoubleSpinBox):
    """The radius of the brush."""

    def __init__(self, tool: MaskTool) -> None:
        super().__init__()
        self.setRange(LEAST_RADIUS, LARGEST_RADIUS)
        self.setDecimals(1)
        self.setPrefix("brush radius ")
        self.setSuffix(" px")
        self.setValue(tool.radius)
        name(self, "Radius of the brush in pixels of the map ([ and ])", "radius of the brush")
        self.setVisible(False)  # only a brush has a radius
        self.valueChanged.connect(tool.set_radius)
        tool.radius_changed.connect(self.setValue)
        tool.tool_changed.connect(lambda chosen: self.setVisible(chosen in BRUSHES))
