"""The axes of a spectrum plot: their numbers, titles and places."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import PyQt6.QtCore  # noqa: F401 - before pyqtgraph, which takes the first Qt it finds
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PyQt6.QtWidgets import QGraphicsWidget

from endmember.ui.spectrum_views.spectrum_layers import Layer, PlotFrame
from endmember.ui.widgets.theme import Colours

THIN_SPACE = "\u2009"
MINUS = "\u2212"
TICK_ROOM = 8.0  # pixels between the numbers and the axis, and beside them
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, spacing: float) -> str:
    """A number beside a tick, as exact as the spacing of the ticks asks for."""
    if value == 0:
        return "0"
    largest = math.floor(math.log10(abs(value)) + 1e-9)
    if largest >= 7 or (spacing < 1e-3 and largest < 0):
        return _power(value, largest, spacing)
    places = max(0, math.ceil(-math.log10(spacing) - 1e-9))
    text = f"{value:,.{places}f}".replace(",", THIN_SPACE)
    return text.replace("-", MINUS)


def power_of_ten(exponent: float) -> str:
    """The number of a tick on a log axis; only whole decades, 2 and 5 are named."""
    whole = math.floor(exponent + 1e-6)
    lead = round(10 ** (exponent - whole))
    if lead not in (1, 2, 5):
        return ""
    if -3 < whole < 4:
        return number(lead * 10.0**whole, 10.0 ** min(whole, 0))
    raised = "10" + str(whole).translate(_RAISED)
    return raised if lead == 1 else f"{lead}·{raised}"


def _power(value: float, exponent: int, spacing: float) -> str:
    places = max(0, exponent - math.floor(math.log10(spacing) + 1e-9))
    return f"{value / 10.0**exponent:.{places}f}·10".replace("-", MINUS) + str(exponent).translate(
        _RAISED
    )


def make_axis(side: str, box: Any, parent: QGraphicsWidget) -> Any:
    """An axis of pyqtgraph for a view box: with our numbers, without SI prefixes and title."""
    axis: Any = pg.AxisItem(side, parent=parent, maxTickLength=-4)
    axis.enableAutoSIPrefix(False)
    axis.showLabel(False)
    axis.setZValue(1)
    axis.setStyle(tickTextOffset=3, autoExpandTextSpace=False, tickTextHeight=10)
    axis.linkToView(box)
    axis.tickStrings = _strings(axis)
    return axis


def _strings(axis: Any) -> Callable[[list[float], float, float], list[str]]:
    def strings(values: list[float], _scale: float, spacing: float) -> list[str]:
        if axis.logMode:
            return [power_of_ten(value) for value in values]
        # The sum of spacings rarely ends in an exact zero.
        return [number(0.0 if abs(v) < spacing * 1e-6 else v, spacing) for v in values]

    return strings


def style_axis(axis: Any, colours: Colours, font: QFont) -> None:
    """Give an axis the colours of the theme and the font of the widget."""
    axis.setPen(pg.mkPen(colours.muted))
    axis.setTextPen(pg.mkPen(colours.text))
    axis.setTickFont(font)


def tick_width(axis: Any, font: QFont, length: float) -> float:
    """Pixels that the numbers of a vertical axis need, in steps so that it seldom moves."""
    low, high = sorted(axis.range)
    metrics = QFontMetricsF(font)
    step = metrics.horizontalAdvance("0")
    widest = step
    for spacing, values in axis.tickValues(low, high, max(length, 1.0))[:2]:
        for text in axis.tickStrings(list(values), 1.0, spacing):
            widest = max(widest, metrics.horizontalAdvance(text))
    return float(math.ceil(widest / step) * step)


class TitleLayer(Layer):
    """The title of the plot and of its axes, around the plot."""

    def __init__(self, frame: PlotFrame) -> None:
        super().__init__(frame, 2)
        self.area = QRectF()
        self.flat: list[tuple[QRectF, str, bool]] = []
        self.upright: list[tuple[QRectF, str]] = []

    def boundingRect(self) -> QRectF:
        """The whole canvas."""
        return self.area

    def lines(self, text: str, length: float) -> int:
        """Lines that a title takes along an axis of this length: one, or two."""
        wide = QFontMetricsF(self.frame.font).horizontalAdvance(text)
        return 1 if wide <= length else 2

    def draw(self, painter: QPainter) -> None:
        """Flat titles as they are, those of vertical axes read from below."""
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.setPen(QColor(self.frame.colours.text))
        for box, text, bold in self.flat:
            font = QFont(self.frame.font)
            font.setBold(bold)
            painter.setFont(font)
            side = Qt.AlignmentFlag.AlignLeft if bold else Qt.AlignmentFlag.AlignHCenter
            shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setFont(self.frame.font)
        for box, text in self.upright:
            painter.save()
            painter.translate(QPointF(box.left(), box.bottom()))
            painter.rotate(-90)
            painter.drawText(QRectF(0, 0, box.height(), box.width()), int(flags), text)
            painter.restore()
