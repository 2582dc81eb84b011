"""Shapes as they are drawn over a map: outline, name, and handles where one is selected."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QPainterPath, QPen
from PyQt6.QtWidgets import QGraphicsItem, QGraphicsPathItem, QGraphicsRectItem

from endmember.ui.map_views.shape_gestures import Frame, Points, handle_points

Kind = Literal["rectangle", "ellipse", "polygon", "stroke"]
HANDLE_PIXELS = 8.0
ROOM_FOR_NAMES = 230  # pixels of the screen


@dataclass(frozen=True, slots=True)
class DrawnShape:
    """A shape over a map, in uncropped pixels.

    `geometry` is a frame (x, y, width, height) for rectangles and ellipses, points for polygons
    and strokes. `radius` is that of a stroke. A `dashed` shape is only a suggestion. `whole` keeps
    a rectangle on whole pixels. A shape that is not `editable` is only looked at. One that
    `recedes` is drawn thin, and picked only where no other lies.
    """

    key: Hashable
    kind: Kind
    geometry: Frame | Points
    colour: QColor
    label: str = ""
    dashed: bool = False
    whole: bool = False
    editable: bool = True
    radius: float = 0.0
    tooltip: str = ""
    recedes: bool = False


def shape_path(kind: Kind, geometry: Frame | Points) -> QPainterPath:
    """The outline of a shape."""
    path = QPainterPath()
    if kind == "rectangle":
        path.addRect(QRectF(*geometry))
    elif kind == "ellipse":
        path.addEllipse(QRectF(*geometry))
    elif geometry:
        points = [QPointF(*point) for point in geometry]  # type: ignore[misc]
        path.moveTo(points[0])
        for point in points[1:] or points:
            path.lineTo(point)
        if kind == "polygon":
            path.closeSubpath()
    return path


class ShapeItem(QGraphicsPathItem):
    """One shape in one view box: a dark and a bright outline, a name, and handles."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__()
        self.box = box
        self.setZValue(20)
        self._halo = QGraphicsPathItem(self)
        self._halo.setFlag(QGraphicsItem.GraphicsItemFlag.ItemStacksBehindParent)
        self._label = pg.TextItem(anchor=(0, 1))
        self._label.setParentItem(self)
        self._selected = False
        box.sigResized.connect(self._show_label)
        self._handles: list[QGraphicsRectItem] = []
        self.shape_shown: DrawnShape | None = None
        box.addItem(self, ignoreBounds=True)

    def show_shape(self, shape: DrawnShape, geometry: Frame | Points, selected: bool) -> None:
        """Draw a shape with the geometry it has at the moment."""
        self.shape_shown, self._selected = shape, selected
        path = shape_path(shape.kind, geometry)
        self.setPath(path)
        self._halo.setPath(path)
        if shape.kind == "stroke":
            self._draw_stroke(shape)
        else:
            self._draw_outline(shape, selected)
        self._draw_label(shape, path)
        self._draw_handles(_handles_of(shape.kind, geometry) if selected else [], shape.colour)
        self.setToolTip(shape.tooltip)

    def _draw_outline(self, shape: DrawnShape, selected: bool) -> None:
        style = Qt.PenStyle.DashLine if shape.dashed else Qt.PenStyle.SolidLine
        width = 2.5 if selected else 1.0 if shape.recedes else 1.5
        pen = QPen(shape.colour, width, style)
        halo = QPen(QColor(0, 0, 0, 160), width + (2.0 if selected else 1.5))
        for one in (pen, halo):
            one.setCosmetic(True)
        self.setPen(pen)
        self._halo.setPen(halo)

    def _draw_stroke(self, shape: DrawnShape) -> None:
        colour = QColor(shape.colour)
        colour.setAlpha(150)
        pen = QPen(colour, max(2 * shape.radius, 1.0))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        self.setPen(pen)
        self._halo.setPen(QPen(Qt.PenStyle.NoPen))

    def _draw_label(self, shape: DrawnShape, path: QPainterPath) -> None:
        self._show_label()
        if shape.label:
            self._label.setText(shape.label, color="white")
            self._label.fill = QBrush(QColor(0, 0, 0, 150))
            self._label.setPos(path.boundingRect().topLeft())

    def _show_label(self, *_: object) -> None:
        """In a small map only the selected shape is named: names would hide what is under them."""
        shape = self.shape_shown
        roomy = self._selected or min(self.box.width(), self.box.height()) >= ROOM_FOR_NAMES
        self._label.setVisible(shape is not None and bool(shape.label) and roomy)

    def _draw_handles(self, places: list[tuple[float, float]], colour: QColor) -> None:
        half = HANDLE_PIXELS / 2
        while len(self._handles) < len(places):
            handle = QGraphicsRectItem(-half, -half, HANDLE_PIXELS, HANDLE_PIXELS, self)
            handle.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
            handle.setPen(QPen(QColor("black"), 1))
            self._handles.append(handle)
        for index, handle in enumerate(self._handles):
            handle.setVisible(index < len(places))
            if index < len(places):
                handle.setPos(*places[index])
                handle.setBrush(
                    QColor("white") if colour.lightness() < 128 else colour.lighter(150)
                )

    def take_away(self) -> None:
        """Remove it from its view box."""
        self.box.sigResized.disconnect(self._show_label)
        self.box.removeItem(self)


def _handles_of(kind: Kind, geometry: Frame | Points) -> list[tuple[float, float]]:
    if kind in ("rectangle", "ellipse"):
        return list(handle_points(geometry).values())  # type: ignore[arg-type]
    return list(geometry) if kind == "polygon" else []  # type: ignore[arg-type]
