"""How far each line of a subtracted spectrum is from zero, in sigma, as a row of bars."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from endmember.session.views.phase_remarks import with_error
from endmember.session.views.phase_views import SIGNIFICANT, LineDifference
from endmember.ui.widgets.theme import THEME, colours

TITLE = ("difference", "from zero (σ)", "log beyond ±3 σ")
TICKS = (3.0, 30.0, 300.0, 3000.0)
GAP = 6.0
LEAST_SHOWN = 10.0  # sigma to either side that the axis always covers
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_ENDS = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: -1}
_ACCEPT = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


def on_scale(sigmas: float) -> float:
    """Where so many sigma stand on an axis that is linear below 3 and logarithmic far above."""
    return math.copysign(math.log10(1.0 + abs(sigmas) / SIGNIFICANT), sigmas)


def sigma_text(difference: LineDifference) -> str:
    """The difference as a number, or that it is zero because the subtraction made it so."""
    if difference.zero:
        return "0"
    value = difference.in_sigma
    text = f"{value:+.1f}" if abs(value) < 10 else f"{value:+,.0f}"
    return text.replace("-", "−")


def told(difference: LineDifference) -> str:
    """The difference as a sentence."""
    area = with_error(difference.area, difference.sigma)
    if difference.zero:
        return f"{difference.label}: zero by construction, the factor was scaled on it"
    kind = ", fitted but not quantified" if difference.system else ""
    return f"{difference.label}: {area} counts, {sigma_text(difference)} σ{kind}"


class DifferenceChart(QWidget):
    """One bar a line, from low to high energy, with the band of +-3 sigma.

    Lines are clicked, or chosen with the arrows and Enter.
    """

    chosen = pyqtSignal(object)
    """The LineDifference that was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.differences: tuple[LineDifference, ...] = ()
        self.current = 0
        self.colour = QColor("black")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self._describe()
        THEME.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """As high as its rows of text and a plot of three rows."""
        return QSize(320, round(6.2 * self.fontMetrics().height()))

    def minimumSizeHint(self) -> QSize:
        """As high as it is."""
        return QSize(200, self.sizeHint().height())

    def show_differences(self, differences: Sequence[LineDifference], colour: QColor) -> None:
        """Show these lines, positive ones in this colour."""
        before = self._element()
        self.differences, self.colour = tuple(differences), colour
        elements = [difference.element for difference in self.differences]
        self.current = elements.index(before) if before in elements else 0
        self._describe()
        self.update()

    def _element(self) -> str:
        inside = self.current < len(self.differences)
        return self.differences[self.current].element if inside else ""

    def _describe(self) -> None:
        name = "difference from zero of each line in σ"
        if self.differences:
            name = f"{told(self.differences[self.current])}; {name}"
        self.setAccessibleName(name)

    # --- geometry ----------------------------------------------------------------------------

    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(self.font())

    def _left(self) -> float:
        metrics = self._metrics()
        title = max(metrics.horizontalAdvance(line) for line in TITLE)
        return title + metrics.horizontalAdvance("−3000") + 3 * GAP

    def column(self, index: int) -> QRectF:
        """The place of a line, from top to bottom."""
        width = (self.width() - self._left() - GAP) / max(len(self.differences), 1)
        return QRectF(self._left() + index * width, 0.0, width, float(self.height()))

    def _plot(self) -> tuple[float, float]:
        """Top and bottom of the bars: a row for numbers above, two for names below."""
        line = self._metrics().height()
        return line + 3, self.height() - 2 * line - 2

    def _limits(self) -> tuple[float, float]:
        values = [difference.in_sigma for difference in self.differences]
        return (
            on_scale(min([*values, -SIGNIFICANT])),
            on_scale(max([*values, LEAST_SHOWN])),
        )

    def height_of(self, sigmas: float) -> float:
        """Pixels from the top at which so many sigma stand."""
        (top, bottom), (low, high) = self._plot(), self._limits()
        return bottom - (on_scale(sigmas) - low) / (high - low) * (bottom - top)

    def line_at(self, x: float) -> int | None:
        """The line at so many pixels from the left."""
        for index in range(len(self.differences)):
            column = self.column(index)
            if column.left() <= x < column.right():
                return index
        return None

    # --- hands -------------------------------------------------------------------------------

    def _choose(self, index: int, *, tell: bool) -> None:
        self.current = index
        self._describe()
        self.update()
        if tell:
            self.chosen.emit(self.differences[index])

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose a line."""
        assert event is not None
        index = self.line_at(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self._choose(index, tell=True)
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Show that lines can be clicked."""
        assert event is not None
        over = self.line_at(event.position().x()) is not None
        hand, arrow = Qt.CursorShape.PointingHandCursor, Qt.CursorShape.ArrowCursor
        self.setCursor(hand if over else arrow)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move to another line, or choose the one that is marked."""
        assert event is not None
        last, key = len(self.differences) - 1, Qt.Key(event.key())
        if last < 0:
            event.ignore()
        elif key in _STEPS:
            self._choose(min(max(self.current + _STEPS[key], 0), last), tell=False)
        elif key in _ENDS:
            self._choose(_ENDS[key] % (last + 1), tell=False)
        elif key in _ACCEPT:
            self._choose(self.current, tell=True)
        else:
            event.ignore()

    def event(self, event: QEvent | None) -> bool:
        """Say more about the line under the mouse."""
        if isinstance(event, QHelpEvent):
            index = self.line_at(event.pos().x())
            text = "Net area of each line in the subtracted spectrum over its σ"
            if index is not None:
                text = f"{told(self.differences[index])}\nClick, or Enter, to zoom to it"
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Mark the current line."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Unmark it."""
        super().focusOutEvent(event)
        self.update()

    # --- drawing -----------------------------------------------------------------------------

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """Band, zero, ticks, and a bar for each line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_axis(painter)
        for index, difference in enumerate(self.differences):
            self._draw_line(painter, index, difference)

    def _draw_axis(self, painter: QPainter) -> None:
        of, line = colours(), self._metrics().height()
        painter.setPen(QColor(of.muted))
        top = (self.height() - len(TITLE) * line) / 2
        for row, text in enumerate(TITLE):
            painter.drawText(QPointF(2, top + (row + 0.8) * line), text)
        if not self.differences:
            room = QRectF(self.rect()).adjusted(self._left(), 0, 0, 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, "no subtracted spectrum yet")
            return
        left, right = self._left(), self.width() - GAP
        band = QColor(of.accent)
        band.setAlpha(40)
        upper, lower = self.height_of(SIGNIFICANT), self.height_of(-SIGNIFICANT)
        painter.fillRect(QRectF(left, upper, right - left, lower - upper), band)
        zero = round(self.height_of(0)) + 0.5
        painter.drawLine(QPointF(left, zero), QPointF(right, zero))
        self._draw_ticks(painter, left - GAP / 2, line)

    def _draw_ticks(self, painter: QPainter, right: float, line: float) -> None:
        top, bottom = self._plot()
        taken: list[float] = []
        for value in (0.0, *(sign * tick for tick in TICKS for sign in (1, -1))):
            y = self.height_of(value)
            if not top - 1 <= y <= bottom + 1 or any(abs(y - t) < 0.8 * line for t in taken):
                continue
            taken.append(y)
            box = QRectF(right - 100, y - line / 2, 100, line)
            text = f"{value:.0f}".replace("-", "−")
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, flags, text)

    def _bar_colour(self, difference: LineDifference) -> QColor:
        if difference.in_sigma < -SIGNIFICANT:
            return QColor(colours().error)
        if difference.in_sigma > SIGNIFICANT and not difference.system:
            return self.colour
        return QColor(colours().muted)

    def _draw_line(self, painter: QPainter, index: int, difference: LineDifference) -> None:
        of, column, metrics = colours(), self.column(index), self._metrics()
        line = metrics.height()
        if index == self.current and self.hasFocus():
            painter.setPen(QPen(QColor(of.accent), 1, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(column.adjusted(1, 1, -1, -1))
        zero, end = self.height_of(0), self.height_of(difference.in_sigma)
        colour, middle = self._bar_colour(difference), column.center().x()
        half = min(column.width() / 4, 8.0)
        if difference.zero:
            painter.setPen(QPen(QColor(of.accent), 1.5))
            painter.setBrush(QColor(of.window))
            painter.drawEllipse(QPointF(middle, zero), 4, 4)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            top, bottom = sorted((zero, end))
            painter.drawRect(QRectF(middle - half, top, 2 * half, max(bottom - top, 1.0)))
        self._write(
            painter, column, difference, min(zero, end) - line - (4 if difference.zero else 1)
        )
        element, _, family = difference.label.partition(" ")
        names = QRectF(column.left(), self.height() - 2 * line, column.width(), line)
        painter.setPen(QColor(of.muted if difference.system else of.text))
        painter.drawText(names, Qt.AlignmentFlag.AlignCenter, element)
        painter.setPen(QColor(of.muted))
        below = "absent" if difference.zero else family
        if metrics.horizontalAdvance(below) > column.width():
            below = family
        painter.drawText(names.translated(0, line), Qt.AlignmentFlag.AlignCenter, below)

    def _write(
        self, painter: QPainter, column: QRectF, difference: LineDifference, top: float
    ) -> None:
        """The number over the bar, where there is room for it."""
        text = sigma_text(difference)
        metrics = self._metrics()
        if metrics.horizontalAdvance(text) > column.width() + 2:
            return
        negative = difference.in_sigma < -SIGNIFICANT
        painter.setPen(QColor(colours().error if negative else colours().text))
        box = QRectF(column.left() - 3, max(top, 0.0), column.width() + 6, metrics.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
