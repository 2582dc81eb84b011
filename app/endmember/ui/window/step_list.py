"""The list of steps with their marks: done, to decide, due, running, failed."""

from __future__ import annotations

from PyQt6.QtCore import QModelIndex, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QPainter, QPen
from PyQt6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from endmember.ui.document.workspace import PAGE_TITLES, PAGES, State, Workspace
from endmember.ui.widgets.theme import THEME, colours

_WORDS: dict[State, str] = {
    "none": "nothing open",
    "due": "due",
    "running": "running…",
    "undecided": "to decide",
    "done": "done",
    "failed": "failed",
}
STATE_ROLE = Qt.ItemDataRole.UserRole + 1
_MARK = 14.0


def draw_mark(painter: QPainter, state: State, centre: QPointF) -> None:
    """A tick, a ring, an arc, an exclamation mark or a cross: told apart without colour."""
    colour = QColor(
        {
            "done": colours().good,
            "failed": colours().error,
            "running": colours().accent,
            "undecided": colours().warning,
        }.get(state, colours().muted)
    )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 2.2))
    half = _MARK / 2
    box = QRectF(centre.x() - half, centre.y() - half, _MARK, _MARK)
    if state == "done":
        corner = box.topLeft() + QPointF(5, 12)
        painter.drawLine(box.topLeft() + QPointF(1, 8), corner)
        painter.drawLine(corner, box.topRight())
    elif state == "failed":
        painter.drawLine(box.topLeft(), box.bottomRight())
        painter.drawLine(box.topRight(), box.bottomLeft())
    elif state == "running":
        painter.drawArc(box, 0, 270 * 16)
        painter.setBrush(colour)
        painter.drawEllipse(centre, 2, 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    elif state == "undecided":
        painter.drawLine(QPointF(centre.x(), box.top()), QPointF(centre.x(), centre.y() + 2))
        painter.drawPoint(QPointF(centre.x(), box.bottom() - 1))
    else:
        painter.drawEllipse(box.adjusted(1, 1, -1, -1))


class _Delegate(QStyledItemDelegate):
    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        assert painter is not None
        painter.save()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(option.rect, QColor(colours().button))
            edge = QRectF(option.rect)
            edge.setWidth(3)
            painter.fillRect(edge, QColor(colours().accent))
        state: State = index.data(STATE_ROLE) or "none"
        rect = QRectF(option.rect)
        draw_mark(painter, state, QPointF(rect.left() + 20, rect.center().y()))
        font = QFont(option.font)  # the option's own is shared by all rows
        font.setBold(chosen)
        painter.setFont(font)
        painter.setPen(QColor(colours().text))
        upper = rect.adjusted(38, 4, -4, -rect.height() / 2)
        painter.drawText(upper, Qt.AlignmentFlag.AlignVCenter, str(index.data()))
        font.setBold(False)
        if font.pointSizeF() > 0:
            font.setPointSizeF(font.pointSizeF() * 0.88)
        painter.setFont(font)
        painter.setPen(QColor(colours().error if state == "failed" else colours().muted))
        lower = rect.adjusted(38, rect.height() / 2, -4, -4)
        painter.drawText(lower, Qt.AlignmentFlag.AlignVCenter, _WORDS[state])
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        widest = max(option.fontMetrics.horizontalAdvance(title) for title in PAGE_TITLES.values())
        return QSize(round(1.12 * widest) + 46, option.fontMetrics.height() * 2 + 10)


class StepList(QListWidget):
    """The pages in the order of the method; one glance tells how far each is."""

    chosen = pyqtSignal(str)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName("steps")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(self.Shape.NoFrame)
        for number, name in enumerate(PAGES, start=1):
            item = QListWidgetItem(PAGE_TITLES[name])
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setToolTip(f"Go to {PAGE_TITLES[name]} (Ctrl+{number})")
            self.addItem(item)
        self.currentRowChanged.connect(lambda row: self.chosen.emit(PAGES[row]))
        for signal in (workspace.results_changed, workspace.focus_changed):
            signal.connect(self.refresh)
        workspace.runner.started.connect(self.refresh)
        THEME.changed.connect(self._redraw)
        self.setMinimumWidth(self.sizeHintForColumn(0) + 4)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show the marks of today, and which page is open."""
        for row, name in enumerate(PAGES):
            item = self.item(row)
            state = self.workspace.state(name)
            if item is not None and item.data(STATE_ROLE) != state:
                item.setData(STATE_ROLE, state)
                item.setData(
                    Qt.ItemDataRole.AccessibleTextRole, f"{PAGE_TITLES[name]}, {_WORDS[state]}"
                )
        row = PAGES.index(self.workspace.focus.page)
        if row != self.currentRow():
            self.blockSignals(True)
            self.setCurrentRow(row)
            self.blockSignals(False)

    def _redraw(self) -> None:
        if (viewport := self.viewport()) is not None:
            viewport.update()
