"""The precipitates as a list: name, colour, what was found, and how pure the matrix is of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QModelIndex, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPen
from PyQt6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from endmember.ui.widgets.theme import THEME, colours

ROW = Qt.ItemDataRole.UserRole
LINES = 3
PADDING = 4
CHIP = 12
MOST_ROWS = 5
NAVIGATION = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Space,
)


@dataclass(frozen=True, slots=True)
class PrecipitateRow:
    """What the list says about a precipitate. `doubt` is what is wrong, and goes first.

    `stale` rows show what was found before the last change.
    """

    number: int
    name: str
    colour: str
    rectangles: str
    found: str
    component: str
    purity: str
    doubt: str = ""
    stale: bool = False

    def __str__(self) -> str:
        parts = (self.name, self.rectangles, self.found, self.component, self.doubt or self.purity)
        return ", ".join(part for part in parts if part)


class KeyList(QListWidget):
    """A list with arrows, Del and Enter; every other key is left to the window's tools."""

    removed = pyqtSignal()
    accepted = pyqtSignal()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move, remove or accept."""
        assert event is not None
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.currentItem():
            self.removed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem():
            self.accepted.emit()
        elif event.key() in NAVIGATION:
            super().keyPressEvent(event)
        else:
            event.ignore()


class _Delegate(QStyledItemDelegate):
    """Three lines: chip, name and rectangles; what was found; purity or doubt."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(120, LINES * option.fontMetrics.height() + 2 * PADDING + 2)

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        assert painter is not None
        row: PrecipitateRow = index.data(ROW)
        of = colours()
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            tint = QColor(of.accent)
            tint.setAlpha(45)
            painter.fillRect(option.rect, tint)
        area = QRectF(option.rect).adjusted(PADDING, PADDING, -PADDING, -PADDING)
        line = option.fontMetrics.height()
        chip = QRectF(area.left() + 2, area.top() + (line - CHIP) / 2, CHIP, CHIP)
        painter.setPen(QPen(QColor(of.text), 1))
        painter.setBrush(QColor(row.colour))
        painter.drawRect(chip)
        text = area.adjusted(CHIP + 8, 0, 0, 0)
        self._first_line(painter, option, QRectF(text.left(), text.top(), text.width(), line), row)
        painter.setPen(QColor(of.muted if row.stale else of.text))
        second = QRectF(text.left(), text.top() + line + 1, text.width(), line)
        room = option.fontMetrics.horizontalAdvance(row.component) + 8
        _draw(painter, option.fontMetrics, second.adjusted(0, 0, -room, 0), row.found)
        painter.setPen(QColor(of.muted))
        painter.drawText(second, Qt.AlignmentFlag.AlignRight, row.component)
        painter.setPen(QColor(of.muted if row.stale else of.text))
        if row.doubt:
            painter.setPen(QColor(of.warning))
        third = second.translated(0, line + 1)
        _draw(painter, option.fontMetrics, third, row.doubt or row.purity)
        painter.setPen(QColor(of.border))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(of.accent), 1, Qt.PenStyle.DashLine))
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))
        painter.restore()

    def _first_line(
        self, painter: QPainter, option: QStyleOptionViewItem, rect: QRectF, row: PrecipitateRow
    ) -> None:
        painter.setPen(QColor(colours().muted))
        metrics = option.fontMetrics
        painter.drawText(rect, Qt.AlignmentFlag.AlignRight, row.rectangles)
        room = rect.adjusted(0, 0, -metrics.horizontalAdvance(row.rectangles) - 8, 0)
        font = option.font
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(colours().text))
        _draw(painter, QFontMetrics(font), room, f"{row.number}  {row.name}")
        font.setBold(False)
        painter.setFont(font)


def _draw(painter: QPainter, metrics: QFontMetrics, rect: QRectF, text: str) -> None:
    fitting = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(rect.width()))
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, fitting)


class PrecipitateList(KeyList):
    """The precipitates; the current one is the one being worked on."""

    chosen = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(_Delegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(self.ScrollMode.ScrollPerPixel)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("precipitates")
        self.setToolTip(
            "The precipitate being worked on (1 to 9); arrows choose, Del removes. Purity is the "
            "share of a precipitate that is still in the matrix mask; 0 is pure"
        )
        self._rows: tuple[PrecipitateRow, ...] = ()
        self.currentRowChanged.connect(self._on_row)
        THEME.changed.connect(self._draw_again)
        self._fit()

    @property
    def rows(self) -> tuple[PrecipitateRow, ...]:
        """What the list shows."""
        return self._rows

    def show_rows(self, rows: Sequence[PrecipitateRow], current: str) -> None:
        """Show these precipitates, one of them as the current one."""
        names = [row.name for row in rows]
        self.blockSignals(True)
        while self.count() > len(rows):
            self.takeItem(self.count() - 1)
        while self.count() < len(rows):
            self.addItem(QListWidgetItem())
        for item_number, row in enumerate(rows):
            item = self.item(item_number)
            if item is not None and item.data(ROW) != row:
                item.setData(ROW, row)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, str(row))
                item.setToolTip(row.doubt)
        self.setCurrentRow(names.index(current) if current in names else -1)
        self.blockSignals(False)
        if len(rows) != len(self._rows):
            self._rows = tuple(rows)
            self._fit()
        self._rows = tuple(rows)

    def _fit(self) -> None:
        shown = min(max(len(self._rows), 1), MOST_ROWS)
        line = LINES * self.fontMetrics().height() + 2 * PADDING + 2
        self.setFixedHeight(shown * line + 2 * self.frameWidth())

    def _on_row(self, row: int) -> None:
        if 0 <= row < len(self._rows):
            self.chosen.emit(self._rows[row].name)

    def _draw_again(self) -> None:
        viewport = self.viewport()
        if viewport is not None:
            viewport.update()
