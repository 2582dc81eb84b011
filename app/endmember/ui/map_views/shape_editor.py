"""The tool that draws and edits shapes on maps: rectangle, ellipse, polygon, brush."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, cast

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent

from endmember.ui.map_views.map_canvas import MapCanvas
from endmember.ui.map_views.shape_gestures import (
    BODY,
    Frame,
    Point,
    Points,
    dragged_frame,
    dragged_polygon,
    frame_between,
    part_of_frame,
    part_of_polygon,
    rounded_points,
    whole_frame,
)
from endmember.ui.map_views.shape_items import DrawnShape, Kind, ShapeItem

Mode = Literal["select", "rectangle", "ellipse", "polygon", "brush"]
CLICK_PIXELS = 4.0  # a shorter drag is a click
ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_CURSORS = {
    "nw": Qt.CursorShape.SizeFDiagCursor,
    "se": Qt.CursorShape.SizeFDiagCursor,
    "ne": Qt.CursorShape.SizeBDiagCursor,
    "sw": Qt.CursorShape.SizeBDiagCursor,
    "n": Qt.CursorShape.SizeVerCursor,
    "s": Qt.CursorShape.SizeVerCursor,
    "e": Qt.CursorShape.SizeHorCursor,
    "w": Qt.CursorShape.SizeHorCursor,
    BODY: Qt.CursorShape.SizeAllCursor,
}
Modifiers = Qt.KeyboardModifier
Geometry = Frame | Points


class ShapeEditor(QObject):
    """Draws, selects, moves and removes shapes on one or several canvases at once.

    It holds no decisions: it tells what was done, and is given the shapes anew by `set_shapes`.
    """

    drawn = pyqtSignal(str, object, object)
    """A new shape is finished: kind, geometry, keyboard modifiers."""
    drawing = pyqtSignal(str, object)
    """A new shape while it is drawn: kind, geometry."""
    changing = pyqtSignal(object, object)
    """A shape while it is dragged: key, geometry."""
    changed = pyqtSignal(object, object, bool)
    """A shape has another geometry: key, geometry, and whether it goes on from the last nudge."""
    ended = pyqtSignal()
    """A drag, or a shape half drawn, is over, whatever came of it; before `drawn` and `changed`."""
    removed = pyqtSignal(object)
    accepted = pyqtSignal(object)
    """Enter was pressed on the selected shape."""
    selected = pyqtSignal(object)
    """Key of the shape selected, None for none."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.mode: Mode = "select"
        self.colour = QColor("white")
        self.radius = 3.0
        self.whole = True
        self.key_selected: Hashable | None = None
        self._canvases: list[MapCanvas] = []
        self._shapes: dict[Hashable, DrawnShape] = {}
        self._items: dict[tuple[int, Hashable], ShapeItem] = {}
        self._draft: Geometry | None = None
        self._draft_items: list[ShapeItem] = []
        self._start: Point | None = None
        self._part: str | None = None
        self._live: Geometry | None = None
        self._nudging = False

    # --- what is shown -----------------------------------------------------------------------

    def attach(self, canvas: MapCanvas) -> None:
        """Work on a further canvas."""
        canvas.tool = self
        self._canvases.append(canvas)
        self._redraw()

    def set_mode(self, mode: Mode) -> None:
        """What a left drag does; ends a shape half drawn."""
        self._drop_draft()
        self.mode = mode

    def set_shapes(self, shapes: Sequence[DrawnShape]) -> None:
        """Show these shapes; the selection is kept where its key still exists."""
        self._shapes = {shape.key: shape for shape in shapes}
        if self.key_selected not in self._shapes:
            self.key_selected = None
        if self._start is None:
            self._live = None
        self._redraw()

    def select(self, key: Hashable | None) -> None:
        """Select a shape by its key."""
        if key != self.key_selected:
            self.key_selected = key
            self._nudging = False
            self._redraw()
            self.selected.emit(key)

    def _redraw(self) -> None:
        wanted = {(number, key) for number in range(len(self._canvases)) for key in self._shapes}
        for place in [p for p in self._items if p not in wanted]:
            self._items.pop(place).take_away()
        for number, canvas in enumerate(self._canvases):
            for key, shape in self._shapes.items():
                item = self._items.get((number, key))
                if item is None:
                    item = self._items[number, key] = ShapeItem(canvas.box)
                item.show_shape(shape, self._geometry(shape), key == self.key_selected)

    def _geometry(self, shape: DrawnShape) -> Geometry:
        moving = shape.key == self.key_selected and self._live is not None
        return cast(Geometry, self._live) if moving else shape.geometry

    def _draw_draft(self, geometry: Geometry) -> None:
        self._draft = geometry
        kind: Kind = "stroke" if self.mode == "brush" else cast(Kind, self.mode)
        shape = DrawnShape("draft", kind, geometry, self.colour, dashed=True, radius=self.radius)
        while len(self._draft_items) < len(self._canvases):
            self._draft_items.append(ShapeItem(self._canvases[len(self._draft_items)].box))
        for item in self._draft_items:
            item.show_shape(shape, geometry, False)
        self.drawing.emit(kind, self._told(kind, geometry, self.whole))

    def _drop_draft(self) -> None:
        was_drawn, self._draft = self._draft is not None, None
        for item in self._draft_items:
            item.take_away()
        self._draft_items.clear()
        if was_drawn:
            self.ended.emit()

    @staticmethod
    def _told(kind: Kind, geometry: Geometry, whole: bool) -> Geometry:
        if kind in ("polygon", "stroke"):
            return rounded_points(cast(Points, geometry))
        frame = cast(Frame, geometry)
        if whole:
            return whole_frame(frame)
        return cast(Frame, tuple(round(side, 1) for side in frame))

    # --- what lies under the pointer -----------------------------------------------------------

    def _part_at(self, shape: DrawnShape, point: Point, reach: float) -> str | None:
        if not shape.editable or shape.kind == "stroke":
            return None
        if shape.kind == "polygon":
            return part_of_polygon(cast(Points, shape.geometry), point, reach)
        return part_of_frame(cast(Frame, shape.geometry), point, reach)

    def _under(self, canvas: MapCanvas, point: Point) -> tuple[DrawnShape, str] | None:
        """The shape under a point and its part: the selected one first, the receding ones last."""
        reach = canvas.reach()
        chosen = self._shapes.get(self.key_selected)
        if chosen is not None and (part := self._part_at(chosen, point, reach)) is not None:
            return chosen, part
        if self.mode != "select":
            return None
        hits = [
            (shape, part)
            for shape in self._shapes.values()
            if (part := self._part_at(shape, point, reach)) is not None
        ]
        return min(hits, key=lambda hit: (hit[0].recedes, _area(hit[0])), default=None)

    # --- Tool ----------------------------------------------------------------------------------

    @property
    def draws_by_press(self) -> bool:
        """A brush leaves a dab wherever it is pressed."""
        return self.mode == "brush"

    def press(self, canvas: MapCanvas, point: Point, modifiers: Modifiers) -> bool:
        """Begin a drag of what lies under the point, or a new shape."""
        self._nudging = False
        if self.mode == "polygon" and self._draft is not None:
            return self._add_corner(canvas, point, modifiers)
        under = None if self.mode == "brush" else self._under(canvas, point)
        if under is not None:
            shape, self._part = under
            self.select(shape.key)
            self._start = point
            return True
        if self.mode == "select":
            self.select(None)
            return False
        self._start = point
        if self.mode in ("brush", "polygon"):
            self._draw_draft((point,))
        return True

    def _add_corner(self, canvas: MapCanvas, point: Point, modifiers: Modifiers) -> bool:
        points = cast(Points, self._draft)
        first = points[0]
        close = abs(first[0] - point[0]) + abs(first[1] - point[1]) <= canvas.reach(10)
        if close and len(points) >= 3:
            self._finish("polygon", points, modifiers)
        else:
            self._draw_draft((*points, point))
        return True

    def move(self, canvas: MapCanvas, point: Point, modifiers: Modifiers) -> None:
        """Go on with a drag."""
        if self._start is None:
            return
        shape = self._shapes.get(self.key_selected)
        if self._part is not None:
            if shape is None:  # taken away in the middle of the drag, as by an undo
                return
            self._live = self._dragged(shape, point)
            self._redraw()
            self.changing.emit(shape.key, self._told(shape.kind, self._live, shape.whole))
        elif self.mode == "brush":
            self._draw_draft((*cast(Points, self._draft or ()), point))
        elif self.mode in ("rectangle", "ellipse"):
            self._draw_draft(frame_between(self._start, point))

    def _dragged(self, shape: DrawnShape, point: Point) -> Geometry:
        assert self._start is not None
        assert self._part is not None
        by = point[0] - self._start[0], point[1] - self._start[1]
        if shape.kind == "polygon":
            return dragged_polygon(cast(Points, shape.geometry), self._part, by)
        return dragged_frame(cast(Frame, shape.geometry), self._part, by)

    def release(self, canvas: MapCanvas, point: Point, modifiers: Modifiers) -> None:
        """End a drag: tell what it did."""
        start, self._start = self._start, None
        part, self._part = self._part, None
        if start is None:
            return
        shape = self._shapes.get(self.key_selected)
        if part is not None:
            live, self._live = self._live, None
            if live is not None:
                self.ended.emit()
                if shape is not None:
                    told = self._told(shape.kind, live, shape.whole)
                    self.changed.emit(shape.key, told, False)
                self._redraw()
            return
        if self.mode == "brush" and self._draft is not None:
            self._finish("stroke", self._draft, modifiers)
        elif self.mode in ("rectangle", "ellipse"):
            frame = frame_between(start, point)
            if max(frame[2], frame[3]) >= canvas.reach(CLICK_PIXELS):
                self._finish(cast(Kind, self.mode), frame, modifiers)
            else:
                self._drop_draft()
                self._select_under(canvas, point)

    def _select_under(self, canvas: MapCanvas, point: Point) -> None:
        """A click with a drawing tool selects what is there."""
        mode, self.mode = self.mode, "select"
        under = self._under(canvas, point)
        self.mode = mode
        self.select(None if under is None else under[0].key)

    def _finish(self, kind: Kind, geometry: Geometry, modifiers: Modifiers) -> None:
        self._drop_draft()
        self._start = None
        self.drawn.emit(kind, self._told(kind, geometry, self.whole), modifiers)

    def double_click(self, canvas: MapCanvas, point: Point) -> bool:
        """Close a polygon."""
        if self.mode == "polygon" and self._draft is not None:
            points = cast(Points, self._draft)
            if len(points) >= 3:
                self._finish("polygon", points, Modifiers.NoModifier)
            return True
        return self._under(canvas, point) is not None

    def hover(self, canvas: MapCanvas, point: Point) -> Qt.CursorShape:
        """The pointer that says what a drag would do here."""
        if self.mode == "brush":
            return Qt.CursorShape.CrossCursor
        under = self._under(canvas, point)
        if under is not None:
            part = under[1]
            return _CURSORS.get(part, Qt.CursorShape.PointingHandCursor)
        return Qt.CursorShape.ArrowCursor if self.mode == "select" else Qt.CursorShape.CrossCursor

    def key(self, canvas: MapCanvas, event: QKeyEvent) -> bool:
        """Arrows nudge, Delete removes, Enter accepts or closes a polygon, Escape cancels."""
        key = event.key()
        if key == Qt.Key.Key_Escape:
            return self._escape()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return self._enter()
        shape = self._shapes.get(self.key_selected)
        if shape is None or not shape.editable:
            return False
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(shape.key)
            return True
        if key in ARROWS and shape.kind != "stroke":
            step = 10 if event.modifiers() & Modifiers.ShiftModifier else 1
            by = ARROWS[Qt.Key(key)][0] * step, ARROWS[Qt.Key(key)][1] * step
            self._nudge(shape, by)
            return True
        return False

    def _nudge(self, shape: DrawnShape, by: Point) -> None:
        if shape.kind == "polygon":
            moved: Geometry = dragged_polygon(cast(Points, shape.geometry), BODY, by)
        else:
            moved = dragged_frame(cast(Frame, shape.geometry), BODY, by)
        going_on, self._nudging = self._nudging, True
        self.changed.emit(shape.key, self._told(shape.kind, moved, shape.whole), going_on)

    def _escape(self) -> bool:
        busy = self._draft is not None or self._live is not None or self.key_selected is not None
        self._drop_draft()
        self._start, self._part = None, None
        if self._live is not None:
            self._live = None
            self._redraw()
            self.ended.emit()
        else:
            self.select(None)
        return busy

    def _enter(self) -> bool:
        if self.mode == "polygon" and self._draft is not None:
            points = cast(Points, self._draft)
            if len(points) >= 3:
                self._finish("polygon", points, Modifiers.NoModifier)
            return True
        if self.key_selected is None:
            return False
        self.accepted.emit(self.key_selected)
        return True


def _area(shape: DrawnShape) -> float:
    if shape.kind == "polygon":
        points = cast(Points, shape.geometry)
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        return (max(xs) - min(xs)) * (max(ys) - min(ys))
    _, _, width, height = cast(Frame, shape.geometry)
    return width * height
