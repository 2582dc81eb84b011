"""The layers over and under the curves: line markers, stretches, legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PyQt6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from endmember.ui.spectrum_views.spectrum_marks import Curve, MarkerLine
from endmember.ui.widgets.plot_colours import faint, legible, themed
from endmember.ui.widgets.theme import LIGHT, Colours

LABEL_GAP = 4.0
EDGE_REACH = 5.0  # pixels from an edge within which the mouse takes it


@dataclass(slots=True)
class PlotFrame:
    """What all layers share: the visible energies, the size in pixels, colours and font."""

    low_keV: float = 0.0
    high_keV: float = 20.0
    width: float = 1.0
    height: float = 1.0
    colours: Colours = LIGHT
    font: QFont = field(default_factory=QFont)

    def x(self, energy_keV: float) -> float:
        """Pixels from the left of the plot."""
        return (energy_keV - self.low_keV) / (self.high_keV - self.low_keV) * self.width

    def energy(self, x: float) -> float:
        """keV at so many pixels from the left of the plot."""
        return self.low_keV + x / max(self.width, 1.0) * (self.high_keV - self.low_keV)

    def line_height(self) -> float:
        """Pixels from one row of labels to the next."""
        return QFontMetricsF(self.font).height()


def place_labels(
    centres: Sequence[float], widths: Sequence[float], width: float, rows: int
) -> list[tuple[int, float] | None]:
    """The row and the left edge of each label, or None where there is no room.

    Earlier labels have the first choice; none overlaps another, none leaves the width.
    """
    taken: list[list[tuple[float, float]]] = [[] for _ in range(rows)]
    places: list[tuple[int, float] | None] = []
    for centre, own in zip(centres, widths, strict=True):
        left = min(max(centre - own / 2, 0.0), max(width - own, 0.0))
        found = None
        for row, spans in enumerate(taken):
            right = left + own
            if all(left - end >= LABEL_GAP or start - right >= LABEL_GAP for start, end in spans):
                spans.append((left, right))
                found = (row, left)
                break
        places.append(found)
    return places


class Layer(QGraphicsItem):
    """A part of the plot that is drawn in pixels."""

    def __init__(self, frame: PlotFrame, z: float) -> None:
        super().__init__()
        self.frame = frame
        self.setZValue(z)

    def boundingRect(self) -> QRectF:
        """The whole plot."""
        return QRectF(0, 0, self.frame.width, self.frame.height)

    def paint(
        self,
        painter: QPainter | None,
        option: QStyleOptionGraphicsItem | None,
        widget: QWidget | None = None,
    ) -> None:
        """Draw with the plain pens of this layer."""
        if painter is not None:
            painter.setFont(self.frame.font)
            self.draw(painter)

    def draw(self, painter: QPainter) -> None:
        """What the layer shows."""
        raise NotImplementedError

    def draw_label(self, painter: QPainter, box: QRectF, text: str, colour: QColor) -> None:
        """A text on a ground that lets little of the curves through."""
        painter.fillRect(box, faint(QColor(self.frame.colours.plot), 205))
        painter.setPen(legible(colour, self.frame.colours))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


class MarkerLayer(Layer):
    """X-ray lines as thin vertical lines, their labels in rows at the top."""

    def __init__(self, frame: PlotFrame) -> None:
        super().__init__(frame, 5)
        self.markers: tuple[MarkerLine, ...] = ()
        self.labels: list[tuple[MarkerLine, QRectF | None]] = []
        self.rows = 0

    def arrange(self) -> None:
        """Give the labels in the visible range their places, the strongest lines first."""
        frame = self.frame
        seen = [m for m in self.markers if frame.low_keV <= m.energy_keV <= frame.high_keV]
        seen.sort(key=lambda m: (-m.rank, not m.emphasised, -m.strength))
        height = frame.line_height()
        widths = [self._metrics(marker).horizontalAdvance(marker.label) + 2 for marker in seen]
        rows = max(1, min(3, int(frame.height / height / 4)))
        centres = [frame.x(marker.energy_keV) for marker in seen]
        places = place_labels(centres, widths, frame.width, rows)
        self.labels = [
            (m, QRectF(place[1], place[0] * height, wide, height) if place else None)
            for m, place, wide in zip(seen, places, widths, strict=True)
        ]
        self.rows = max((place[0] + 1 for place in places if place), default=0)
        self.update()

    def depth(self) -> float:
        """Pixels from the top that the labels take up."""
        return self.rows * self.frame.line_height() + (3 if self.rows else 0)

    def draw(self, painter: QPainter) -> None:
        """Lines as high as they are strong, on leaders up to their labels."""
        frame = self.frame
        for marker, box in self.labels:
            colour = themed(marker.colour, frame.colours)
            x = round(frame.x(marker.energy_keV)) + 0.5
            top = box.bottom() if box is not None else self.depth()
            pen = QPen(faint(colour, 210 if marker.emphasised else 90), 1.0)
            painter.setPen(pen)
            if box is not None:
                painter.drawLine(QPointF(x, top), QPointF(x, frame.height))
            strong = QPen(colour, 2.0 if marker.emphasised else 1.0, marker.dash)
            strong.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(strong)
            rise = (frame.height - self.depth()) * 0.35 * min(max(marker.strength, 0.04), 1.0)
            painter.drawLine(QPointF(x, frame.height), QPointF(x, frame.height - rise))
        for marker, box in self.labels:
            if box is not None:
                painter.setFont(self._font(marker))
                self.draw_label(painter, box, marker.label, themed(marker.colour, frame.colours))

    def near(self, x: float) -> list[MarkerLine]:
        """The lines at so many pixels from the left, the strongest first."""
        return [m for m, _ in self.labels if abs(self.frame.x(m.energy_keV) - x) <= EDGE_REACH]

    def _font(self, marker: MarkerLine) -> QFont:
        font = QFont(self.frame.font)
        font.setBold(marker.emphasised)
        return font

    def _metrics(self, marker: MarkerLine) -> QFontMetricsF:
        return QFontMetricsF(self._font(marker))


class StretchLayer(Layer):
    """Shaded stretches of energy behind the curves."""

    def __init__(self, frame: PlotFrame) -> None:
        super().__init__(frame, -5)
        self.stretches: tuple[tuple[float, float], ...] = ()
        self.colour = QColor()
        self.tooltip = ""

    def draw(self, painter: QPainter) -> None:
        """At least two pixels of each, so that a single channel is seen."""
        colour = faint(themed(self.colour, self.frame.colours), 60)
        for low, high in self.stretches:
            left, right = self.frame.x(low), self.frame.x(high)
            if right >= 0 and left <= self.frame.width:
                painter.fillRect(QRectF(left, 0, max(right - left, 2.0), self.frame.height), colour)

    def at(self, energy_keV: float) -> bool:
        """Whether this energy lies in a stretch."""
        return any(low <= energy_keV <= high for low, high in self.stretches)


class TextLayer(Layer):
    """A quiet sentence in the middle."""

    def __init__(self, frame: PlotFrame) -> None:
        super().__init__(frame, 8)
        self.text = ""

    def draw(self, painter: QPainter) -> None:
        """The sentence, on several lines if need be."""
        painter.setPen(QColor(self.frame.colours.muted))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.boundingRect().adjusted(12, 4, -12, -4), flags, self.text)


class LegendLayer(Layer):
    """The names of the curves in a box that can be moved."""

    SAMPLE = 20.0
    MARGIN = 5.0

    def __init__(self, frame: PlotFrame) -> None:
        super().__init__(frame, 9)
        self.curves: tuple[Curve, ...] = ()
        self.moved_to: tuple[float, float] | None = None  # fractions of the free width and height
        self.top = 0.0

    def box(self) -> QRectF:
        """Where it is, in pixels of the plot; at the top right unless moved. Empty: no room."""
        metrics = QFontMetricsF(self.frame.font)
        if not self.curves:
            return QRectF()
        text = max(metrics.horizontalAdvance(curve.name) for curve in self.curves)
        width = min(text + self.SAMPLE + 3 * self.MARGIN, self.frame.width)
        height = metrics.height() * len(self.curves) + 2
        if height > self.frame.height:  # it would hide what it explains
            return QRectF()
        free = max(self.frame.width - width, 0.0), max(self.frame.height - height, 0.0)
        if self.moved_to is None:
            return QRectF(max(free[0] - 4, 0.0), min(self.top + 4, free[1]), width, height)
        return QRectF(self.moved_to[0] * free[0], self.moved_to[1] * free[1], width, height)

    def move_to(self, left: float, top: float) -> None:
        """Put its corner there, in pixels, as far as it stays inside."""
        box = self.box()
        free = max(self.frame.width - box.width(), 1.0), max(self.frame.height - box.height(), 1.0)
        self.moved_to = min(max(left / free[0], 0.0), 1.0), min(max(top / free[1], 0.0), 1.0)
        self.update()

    def draw(self, painter: QPainter) -> None:
        """A sample of each line and its name."""
        box, colours = self.box(), self.frame.colours
        if box.isEmpty():
            return
        painter.setPen(QPen(QColor(colours.border), 1.0))
        painter.setBrush(faint(QColor(colours.plot), 220))
        painter.drawRect(box.translated(0.5, 0.5))
        row = (box.height() - 2) / len(self.curves)
        metrics = QFontMetricsF(self.frame.font)
        for number, curve in enumerate(self.curves):
            top = box.top() + 1 + number * row
            left = box.left() + self.MARGIN
            if curve.fill is not None:
                area = QRectF(left, top + row / 2, self.SAMPLE, row / 2 - 2)
                painter.fillRect(area, themed(curve.fill, colours))
            dash = Qt.PenStyle.DashLine if curve.dash else Qt.PenStyle.SolidLine
            painter.setPen(QPen(themed(curve.colour, colours), max(curve.width, 1.5), dash))
            painter.drawLine(
                QPointF(left, top + row / 2), QPointF(left + self.SAMPLE, top + row / 2)
            )
            painter.setPen(QColor(colours.text))
            wide = box.width() - self.SAMPLE - 3 * self.MARGIN
            name = metrics.elidedText(curve.name, Qt.TextElideMode.ElideRight, wide + 1)
            place = QRectF(left + self.SAMPLE + self.MARGIN, top, wide + 2, row)
            painter.drawText(
                place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name
            )
