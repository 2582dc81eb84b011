"""A cell of the periodic table: the look, the name and the keys of one element."""

from __future__ import annotations

from functools import cache
from typing import Literal, Protocol

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PyQt6.QtWidgets import QAbstractButton, QToolTip, QWidget

from endmember.ui.widgets.theme import colours

State = Literal["off", "fitted", "quantified"]

LAST = 98  # californium
FOCUS_INSET = 2.0  # pixels from the border of a cell to that of one with the focus
_NAMES = {"Al": "aluminium", "Cs": "caesium"}  # as IUPAC spells them


@cache
def elements() -> dict[str, tuple[int, str]]:
    """Atomic number and name of each element of the table by its symbol, hydrogen first."""
    import periodictable

    known = (periodictable.elements[number] for number in range(1, LAST + 1))
    return {e.symbol: (e.number, _NAMES.get(e.symbol, e.name)) for e in known}


class Table(Protocol):
    """What a cell asks of its table."""

    def set_state(self, symbol: str, state: State) -> None:
        """Set an element as a person does."""

    def take_key(self, cell: ElementCell, event: QKeyEvent) -> bool:
        """Whether a key was for the table."""

    def focus_is_on(self, cell: ElementCell) -> None:
        """A cell has the focus."""

    def tip(self, symbol: str) -> str:
        """What is said of an element under the pointer."""


class ElementCell(QAbstractButton):
    """One element of the table: its symbol, its number, and a look that says its state."""

    def __init__(self, symbol: str, number: int, name: str, table: Table, parent: QWidget) -> None:
        super().__init__(parent)
        self.symbol, self.number, self.name, self.table = symbol, number, name, table
        self.state: State = "off"
        self.absent = False
        self.faint = False
        self.setText(symbol)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.say()

    def say(self) -> None:
        """Name the cell for those who hear the window."""
        parts = [self.symbol, self.name, self.state]
        if self.absent:
            parts.append("absent element of a precipitate")
        if self.faint:
            parts.append("no line in the energy range")
        self.setAccessibleName(", ".join(parts))
        self.update()

    def sizeHint(self) -> QSize:
        """The size at which the table reads well."""
        return QSize(31, 33)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """A right click or Shift and a click sets fitted."""
        assert event is not None
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() == Qt.MouseButton.RightButton or shift:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.table.set_state(self.symbol, "fitted")
            event.accept()
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """The table takes what moves between cells."""
        assert event is not None
        if not self.table.take_key(self, event):
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """The table keeps where the focus was."""
        self.table.focus_is_on(self)
        super().focusInEvent(event)

    def event(self, event: QEvent | None) -> bool:
        """Make the tooltip when it is wanted: its lines are looked up late."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self.setToolTip(self.table.tip(self.symbol))
            QToolTip.showText(event.globalPos(), self.toolTip(), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Filled and bold is quantified; outlined with a folded corner is fitted."""
        painter = QPainter(self)
        paint_cell(
            painter,
            QRectF(self.rect()),
            self.state,
            self.absent,
            self.faint,
            self.symbol,
            str(self.number),
            self.underMouse(),
            self.hasFocus(),
        )


def paint_cell(
    painter: QPainter,
    rectangle: QRectF,
    state: State,
    absent: bool,
    faint: bool,
    symbol: str,
    number: str = "",
    hover: bool = False,
    focus: bool = False,
) -> None:
    """Draw a cell; without a number the symbol takes all of it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    area, height = rectangle.adjusted(1, 1, -1, -1), rectangle.height()
    inset = FOCUS_INSET if focus else 0.0  # the frame of the focus is outside, and hides no state
    text = _ground(painter, area.adjusted(inset, inset, -inset, -inset), state, hover)
    if focus:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours().text), 1.6, Qt.PenStyle.DotLine))
        painter.drawRoundedRect(rectangle.adjusted(0.8, 0.8, -0.8, -0.8), 3, 3)
    if faint and state != "quantified":
        text = QColor(colours().muted)
        text.setAlpha(180)
    painter.setPen(text)
    font = QFont(painter.font())
    if number:
        font.setPixelSize(max(round(height * 0.25), 8))
        painter.setFont(font)
        painter.drawText(area.adjusted(3, 1, 0, 0), 0, number)
    font.setPixelSize(max(round(height * (0.42 if number else 0.5)), 11))
    font.setBold(state == "quantified")
    painter.setFont(font)
    below = area.adjusted(0, height * 0.26 if number else 0, 0, 0)
    painter.drawText(below, Qt.AlignmentFlag.AlignCenter, symbol)
    if absent:  # a minus sign in the corner
        painter.setPen(QPen(text, 1.6))
        right, top = area.right() - 3, area.top() + height * 0.16
        painter.drawLine(QPointF(right - height * 0.16, top), QPointF(right, top))


def _ground(painter: QPainter, area: QRectF, state: State, hover: bool) -> QColor:
    """Paint the ground of a cell in its state; returns the colour of its text."""
    of = colours()
    filled = state == "quantified"
    painter.setBrush(QColor(of.accent if filled else of.base))
    painter.setPen(QPen(QColor(of.text if hover else of.accent if filled else of.border), 1))
    if state == "fitted":
        painter.setPen(QPen(QColor(of.second_line), 2))
    painter.drawRoundedRect(area, 3, 3)
    if state == "fitted":  # a folded corner
        corner, side = area.bottomRight(), area.height() * 0.26
        painter.setBrush(QColor(of.second_line))
        painter.setPen(Qt.PenStyle.NoPen)
        up, left = corner - QPointF(0, side), corner - QPointF(side, 0)
        painter.drawPolygon(QPolygonF([corner, up, left]))
    return QColor(of.accent_text if filled else of.text)
