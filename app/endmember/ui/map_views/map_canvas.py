"""The drawing surface of a map: zoom, pan, tools, scale bar. Coordinates are uncropped pixels."""

from __future__ import annotations

from typing import Protocol

import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
)
from PyQt6.QtWidgets import QWidget

from endmember.files.pictures.map_picture import length_text, nice_length
from endmember.ui.map_views.shape_gestures import Point
from endmember.ui.widgets.theme import THEME, colours

SCALE_BAR_SHARE = 0.22  # of the width of the view, at most
SMALL, SMALL_FONT = 120, 0.8  # a smaller view has a scale bar in a smaller font
PIXELS = "px"
Modifiers = Qt.KeyboardModifier


class Tool(Protocol):
    """What the left mouse button and the keys do on a canvas."""

    @property
    def draws_by_press(self) -> bool:
        """Whether every press draws, so that two quick ones are no double click."""

    def press(self, canvas: MapCanvas, point: Point, modifiers: Modifiers) -> bool:
        """The button goes down; False leaves the drag to the canvas, which pans."""

    def move(self, canvas: MapCanvas, point: Point, modifiers: Modifiers) -> None:
        """The pointer moves with the button down."""

    def release(self, canvas: MapCanvas, point: Point, modifiers: Modifiers) -> None:
        """The button goes up."""

    def hover(self, canvas: MapCanvas, point: Point) -> Qt.CursorShape:
        """The pointer to show over a point."""

    def key(self, canvas: MapCanvas, event: QKeyEvent) -> bool:
        """A key goes down; whether it was for the tool."""

    def double_click(self, canvas: MapCanvas, point: Point) -> bool:
        """Whether a double click was for the tool; otherwise the view is fitted."""


class MapCanvas(pg.GraphicsView):  # type: ignore[misc]
    """A view box with one image. The left button belongs to the tool; middle and Space pan."""

    hovered = pyqtSignal(object)
    """(x, y) under the pointer, None when it leaves."""
    menu_asked = pyqtSignal(object, object)
    """(x, y) and the global position."""
    range_changed = pyqtSignal()
    fitted_changed = pyqtSignal(bool)
    """Whether the whole map is shown, and stays so when the view is resized."""
    fitted = False
    _fitting = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=colours().plot)
        self.box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False)
        self.box.setDefaultPadding(0.0)
        self.setCentralItem(self.box)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(60, 48)  # six beside each other, three below, on a small screen
        self.tool: Tool | None = None
        self.pixel_size_nm: float | None = None
        self.empty_text = ""
        self.least_height_for_bar = 0  # a lower map has no scale bar, which would hide much of it
        self._panning: QPointF | None = None
        self._tool_drags = False
        self._space = False
        self._extent = QRectF(0, 0, 1, 1)
        self.fitted = True
        self._cross = _Cross()
        self.box.addItem(self._cross, ignoreBounds=True)
        self.box.disableAutoRange()
        self.box.sigRangeChanged.connect(self._on_range)
        THEME.changed.connect(self._follow_theme)

    def _follow_theme(self) -> None:
        self.setBackground(colours().plot)

    # --- geometry ----------------------------------------------------------------------------

    def set_extent(self, x: float, y: float, width: float, height: float) -> None:
        """What "fit" shows, in uncropped pixels; fits when it changes."""
        extent = QRectF(x, y, width, height)
        if extent != self._extent:
            self._extent = extent
            self.fit()

    def fit(self) -> None:
        """Show the whole image."""
        self._fitting = True
        self.box.setRange(self._extent, padding=0.02)
        self._fitting = False
        self._note_fitted(True)

    def _on_range(self, *_: object) -> None:
        if not self._fitting:
            self._note_fitted(False)
        self.range_changed.emit()

    def _note_fitted(self, fitted: bool) -> None:
        if fitted != self.fitted:
            self.fitted = fitted
            self.fitted_changed.emit(fitted)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Go on showing the whole image, if that is what is shown."""
        fitted, self._fitting = self.fitted, True
        super().resizeEvent(event)
        self._fitting = False
        if fitted:
            self.fit()

    def one_to_one(self) -> None:
        """Show one pixel of the map on one pixel of the screen, about the same centre."""
        centre = self.box.viewRect().center()
        width, height = self.box.width(), self.box.height()
        self.box.setRange(
            QRectF(centre.x() - width / 2, centre.y() - height / 2, width, height), padding=0
        )

    def centre_on(self, point: Point, width: float) -> None:
        """Show a point of the map in the middle, and at most so many pixels of the map across."""
        self._note_fitted(False)
        across = min(width, self.box.viewRect().width())
        high = across * self.box.height() / max(self.box.width(), 1.0)
        left, top = point[0] - across / 2, point[1] - high / 2
        self.box.setRange(QRectF(left, top, across, high), padding=0)

    def point_at(self, position: QPointF) -> Point:
        """Uncropped pixels at a position of the widget."""
        place = self.box.mapSceneToView(self.mapToScene(position.toPoint()))
        return place.x(), place.y()

    def position_of(self, point: Point) -> QPointF:
        """The position in the widget of a point of the map."""
        return QPointF(self.mapFromScene(self.box.mapViewToScene(QPointF(*point))))

    def reach(self, pixels: float = 7.0) -> float:
        """So many pixels of the screen, in pixels of the map."""
        return pixels * float(self.box.viewPixelSize()[0])

    # --- mouse and keys ----------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Begin a pan, or hand the drag to the tool."""
        assert event is not None
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._space):
            self._panning = event.position()
        elif left:
            taken = self.tool is not None and self.tool.press(
                self, self.point_at(event.position()), event.modifiers()
            )
            self._tool_drags = bool(taken)
            if not taken:
                self._panning = event.position()
        self._point_with(event.position())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Go on with a pan or a drag, and tell where the pointer is."""
        assert event is not None
        point = self.point_at(event.position())
        if self._panning is not None:
            before = self.point_at(self._panning)
            self.box.translateBy(x=before[0] - point[0], y=before[1] - point[1])
            self._panning = event.position()
        elif self._tool_drags and self.tool is not None:
            self.tool.move(self, point, event.modifiers())
        else:
            self._point_with(event.position())
        self.hovered.emit(point)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """End a pan or a drag."""
        assert event is not None
        if self._tool_drags and event.button() == Qt.MouseButton.LeftButton:
            self._tool_drags = False
            if self.tool is not None:
                self.tool.release(self, self.point_at(event.position()), event.modifiers())
        self._panning = None
        self._point_with(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Fit, unless the tool wants the double click, or takes it for a second press."""
        assert event is not None
        if self.tool is not None and self.tool.draws_by_press:
            self.mousePressEvent(event)
            return
        point = self.point_at(event.position())
        if self.tool is None or not self.tool.double_click(self, point):
            self.fit()

    def leaveEvent(self, event: object) -> None:
        """Tell that the pointer is gone."""
        self.hovered.emit(None)
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        """Ask for the menu."""
        assert event is not None
        self.menu_asked.emit(self.point_at(QPointF(event.pos())), event.globalPos())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Tool first, then Space to pan, plus and minus to zoom."""
        assert event is not None
        if self.tool is not None and self.tool.key(self, event):
            event.accept()
        elif event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = True
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self._zoom_by_key(event)

    def _zoom_by_key(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            scale = 0.8
        elif event.key() == Qt.Key.Key_Minus:
            scale = 1.25
        else:
            event.ignore()
            return
        self.box.scaleBy((scale, scale))

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:
        """End panning by Space."""
        assert event is not None
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self.unsetCursor()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Show that keys come here."""
        super().focusInEvent(event)
        self.viewport_update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Show that keys no longer come here."""
        self._space = False
        super().focusOutEvent(event)
        self.viewport_update()

    def _point_with(self, position: QPointF) -> None:
        if self._space or self._panning is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self.tool is not None:
            self.setCursor(self.tool.hover(self, self.point_at(position)))
        else:
            self.unsetCursor()

    # --- what is drawn over the image --------------------------------------------------------

    def show_cross(self, point: Point | None) -> None:
        """Mark the point that is looked at in another view; None takes the mark away."""
        self._cross.setVisible(point is not None)
        if point is not None:
            self._cross.setPos(*point)

    def viewport_update(self) -> None:
        """Draw everything anew."""
        if (viewport := self.viewport()) is not None:
            viewport.update()

    def drawForeground(self, painter: QPainter | None, rect: QRectF) -> None:
        """The sentence of an empty map, or the scale bar; the frame of the focus."""
        assert painter is not None
        painter.save()
        painter.resetTransform()
        if self.empty_text:
            painter.setPen(QColor(colours().muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(12, 12, -12, -12), flags, self.empty_text)
        elif min(self.height(), self.width()) >= self.least_height_for_bar:
            self._draw_scale_bar(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours().accent), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -2, -2))
        painter.restore()

    def _scale_bar(self) -> tuple[float, str]:
        """Length on the screen and text of the scale bar."""
        pixel = float(self.box.viewPixelSize()[0])
        size = self.pixel_size_nm or 1.0
        length = nice_length(SCALE_BAR_SHARE * self.width() * pixel * size)
        if not length:
            return 0.0, ""
        text = length_text(length) if self.pixel_size_nm else f"{length:g} {PIXELS}"
        return length / size / pixel, text

    def _corner(self) -> tuple[float, float]:
        """The lower left corner of what is seen of the map, so that the bar lies on it."""
        corner = self.position_of((self._extent.left(), self._extent.bottom()))
        right = self.position_of((self._extent.right(), self._extent.bottom())).x()
        low = min(corner.y(), float(self.height()))
        seen = corner.x() < 0.5 * self.width() < right and low > 0.5 * self.height()
        return (max(corner.x(), 0.0), low) if seen else (0.0, float(self.height()))

    def _draw_scale_bar(self, painter: QPainter) -> None:
        width, text = self._scale_bar()
        if width < 8:
            return
        small = min(self.width(), self.height()) < SMALL
        if small:
            font = painter.font()
            font.setPointSizeF(SMALL_FONT * font.pointSizeF())
            painter.setFont(font)
        metrics = painter.fontMetrics()
        away = 2 if small else 6
        box_width = max(width, metrics.horizontalAdvance(text)) + 2 * away
        box_height = metrics.height() + 11
        left, low = self._corner()
        box = QRectF(left + away, low - box_height - away, box_width, box_height)
        painter.fillRect(box, QColor(0, 0, 0, 150))
        bar = QRectF(box.center().x() - width / 2, box.bottom() - 7, width, 3)
        painter.fillRect(bar, QColor("white"))
        painter.setPen(QColor("white"))
        painter.drawText(box.adjusted(0, 1, 0, -8), Qt.AlignmentFlag.AlignCenter, text)


class _Cross(pg.GraphicsObject):  # type: ignore[misc]
    """A small cross of constant size on the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(self.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(50)
        self.setVisible(False)

    def boundingRect(self) -> QRectF:
        """Its size on the screen."""
        return QRectF(-10, -10, 20, 20)

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw it."""
        for colour, width in ((QColor(0, 0, 0, 180), 3), (QColor("white"), 1)):
            painter.setPen(QPen(colour, width))
            for sign in (-1, 1):
                painter.drawLine(QPointF(sign * 3, 0), QPointF(sign * 9, 0))
                painter.drawLine(QPointF(0, sign * 3), QPointF(0, sign * 9))
