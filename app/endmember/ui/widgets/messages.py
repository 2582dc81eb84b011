"""What the steps have to say, as a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PyQt6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    pyqtSignal,
)
from PyQt6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeySequence,
    QPainter,
    QPen,
    QPolygonF,
    QShortcut,
)
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from endmember.ui.widgets.dialog import name, to_clipboard
from endmember.ui.widgets.theme import THEME, colours

Kind = Literal["info", "warning", "error"]

WORDS: dict[Kind, str] = {"info": "Note", "warning": "Warning", "error": "Error"}
_PADDING = 6
_WRAPPED = int(Qt.TextFlag.TextWordWrap.value)


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence, how grave it is, and the step and the map that it is about, if any."""

    kind: Kind
    text: str
    step: str = ""
    map: str = ""

    @property
    def title(self) -> str:
        """The word for its kind, and what it is about."""
        about = ", ".join(part for part in (self.step, self.map) if part)
        return f"{WORDS[self.kind]} - {about}" if about else WORDS[self.kind]

    def __str__(self) -> str:
        return f"{self.title}: {self.text}"


class Notices(QObject):
    """What widgets tell that know no document, such as a picture that could not be saved."""

    said = pyqtSignal(object)
    """A Message; the window shows it."""

    def say(self, kind: Kind, text: str) -> None:
        """Tell a sentence."""
        self.said.emit(Message(kind, text))


NOTICES = Notices()


def kind_colour(kind: Kind) -> QColor:
    """The colour of a kind in the theme of the day; its mark and word stand beside it."""
    of = colours()
    return QColor({"info": of.accent, "warning": of.warning, "error": of.error}[kind])


def paint_mark(painter: QPainter, square: QRectF, kind: Kind) -> None:
    """Draw the mark of a kind: a circle with i, a triangle with !, an octagon with a cross."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = kind_colour(kind)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    side, middle = square.width(), square.center()
    pen = QPen(QColor(colours().base), side / 8, cap=Qt.PenCapStyle.RoundCap)

    def at(x: float, y: float) -> QPointF:
        return QPointF(middle.x() + x * side, middle.y() + y * side)

    if kind == "info":
        painter.drawEllipse(square)
        strokes = [(at(0, -0.03), at(0, 0.24)), (at(0, -0.23), at(0, -0.225))]
    elif kind == "warning":
        painter.drawPolygon(QPolygonF([at(0, -0.48), at(0.52, 0.46), at(-0.52, 0.46)]))
        strokes = [(at(0, -0.17), at(0, 0.14)), (at(0, 0.31), at(0, 0.315))]
    else:
        corners = [(0.2, -0.5), (0.5, -0.2), (0.5, 0.2), (0.2, 0.5)]
        corners += [(-x, -y) for x, y in corners]
        painter.drawPolygon(QPolygonF([at(x, y) for x, y in corners]))
        strokes = [(at(-0.2, -0.2), at(0.2, 0.2)), (at(-0.2, 0.2), at(0.2, -0.2))]
    painter.setPen(pen)
    for start, end in strokes:
        painter.drawLine(start, end)
    painter.restore()


class _Model(QAbstractListModel):
    """Messages, and the names of steps as headings between them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Message | str] = []

    def replace(self, rows: list[Message | str]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - as Qt has it
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.AccessibleTextRole,
            Qt.ItemDataRole.ToolTipRole,
        ):
            return str(row)
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        if isinstance(self.rows[index.row()], str):
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class _Delegate(QStyledItemDelegate):
    """Draws mark and title in one line and the sentence, wrapped, below."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        viewport = self._view.viewport()
        width = viewport.width() if viewport else 200
        row = index.data(Qt.ItemDataRole.UserRole)
        line = QFontMetrics(_bold(self._view.font())).height()
        if isinstance(row, str):
            return QSize(width, line + 2 * _PADDING)
        room = QRect(0, 0, _text_width(width, line), 100_000)
        text = QFontMetrics(self._view.font()).boundingRect(room, _WRAPPED, breakable(row.text))
        return QSize(width, line + 2 + text.height() + 2 * _PADDING)

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        assert painter is not None
        row = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        area = option.rect.adjusted(_PADDING, _PADDING, -_PADDING, -_PADDING)
        of = colours()
        bold = _bold(self._view.font())
        line = QFontMetrics(bold).height()
        if isinstance(row, str):
            painter.fillRect(option.rect, QColor(of.button))
            painter.setFont(bold)
            painter.setPen(QColor(of.text))
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, row)
        else:
            self._paint_message(painter, option, area, row, bold, line)
        painter.restore()

    def _paint_message(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        area: QRect,
        message: Message,
        bold: QFont,
        line: int,
    ) -> None:
        of = colours()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:  # a tint and a bar, so that the colour of the kind stays readable
            tint = QColor(of.accent)
            tint.setAlpha(45)
            painter.fillRect(option.rect, tint)
            bar = QRect(option.rect.left(), option.rect.top(), 3, option.rect.height())
            painter.fillRect(bar, QColor(of.accent))
        side = line - 2
        paint_mark(painter, QRectF(area.left() + 1, area.top() + 1, side, side), message.kind)
        left = area.left() + line + _PADDING
        title = QRect(left, area.top(), area.right() - left + 1, line)
        painter.setFont(bold)
        painter.setPen(kind_colour(message.kind))
        fitting = QFontMetrics(bold).elidedText(
            message.title, Qt.TextElideMode.ElideRight, title.width()
        )
        painter.drawText(title, Qt.AlignmentFlag.AlignVCenter, fitting)
        painter.setFont(self._view.font())
        painter.setPen(QColor(of.text))
        below = QRect(left, title.bottom() + 3, title.width(), area.bottom() - title.bottom() - 2)
        painter.drawText(below, _WRAPPED, breakable(message.text))
        painter.setPen(QColor(of.border))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(of.accent), 1, Qt.PenStyle.DashLine))
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setBold(True)
    return bold


def _text_width(width: int, line: int) -> int:
    """The room for the sentence beside the mark."""
    return max(width - 3 * _PADDING - line, 40)


def breakable(text: str) -> str:
    """The text with invisible places in long names where a line may break."""
    return re.sub(r"(?<=[_.\\-])(?=\S{8})", "\u200b", text)


class MessagePanel(QWidget):
    """A list of messages, the newest first or by step, with a filter and a way to copy them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._messages: tuple[Message, ...] = ()
        self._model = _Model()
        self.view = self._list()
        self.grave_only = _switch("Warnings", "Show warnings and errors only")
        self.by_step = _switch("By step", "Group by step; otherwise the newest is first")
        self.copy_button = QToolButton()
        self.copy_button.setText("Copy")
        name(self.copy_button, "Copy the chosen messages, or all that are shown (Ctrl+C)")
        self.copy_button.clicked.connect(self.copy)
        self.empty = QLabel()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setProperty("role", "muted")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.view)
        self._lay_out()
        for switch in (self.grave_only, self.by_step):
            switch.toggled.connect(self._show)
        copying = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self)
        copying.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        copying.activated.connect(self.copy)
        THEME.changed.connect(self._redraw)
        self.setAccessibleName("Messages")
        self._show()

    def _list(self) -> QListView:
        view = QListView()
        view.setModel(self._model)
        view.setItemDelegate(_Delegate(view))
        view.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setAccessibleName("List of messages")
        view.setToolTip("What the steps say; Ctrl+C copies")
        return view

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(4, 4, 4, 4)
        top.setSpacing(4)
        for button in (self.grave_only, self.by_step):
            top.addWidget(button)
        top.addStretch()
        top.addWidget(self.copy_button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(self._pages, 1)
        self.setMinimumSize(180, 90)

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages, the oldest first, also those that are not shown."""
        return self._messages

    def set_messages(self, messages: Sequence[Message]) -> None:
        """Replace all messages, given with the oldest first; what is chosen and seen stays so."""
        if tuple(messages) != self._messages:
            self._messages = tuple(messages)
            self._show()

    def shown(self) -> tuple[Message, ...]:
        """The messages in the list, from top to bottom."""
        return tuple(row for row in self._model.rows if isinstance(row, Message))

    def copy(self) -> None:
        """Put the chosen messages, or all that are shown, on the clipboard, one a line."""
        chosen = sorted(index.row() for index in self.view.selectedIndexes())
        rows = [self._model.rows[row] for row in chosen] or list(self.shown())
        if rows:
            to_clipboard("\n".join(map(str, rows)))

    def _show(self) -> None:
        only = self.grave_only.isChecked()
        wanted = [m for m in self._messages if not only or m.kind != "info"]
        rows: list[Message | str] = list(reversed(wanted))
        if self.by_step.isChecked():
            rows = _by_step(wanted)
        if rows != self._model.rows:
            self._replace(rows)
        hidden = len(self._messages) - len(wanted)
        others = f" {hidden} other{'s' if hidden > 1 else ''} hidden." if hidden else ""
        self.empty.setText(f"No warnings.{others}" if only else "No messages.")
        self._pages.setCurrentWidget(self.view if rows else self.empty)
        self.copy_button.setEnabled(bool(rows))

    def _replace(self, rows: list[Message | str]) -> None:
        bar, selection = self.view.verticalScrollBar(), self.view.selectionModel()
        position = bar.value() if bar else 0
        chosen = {self._model.rows[index.row()] for index in self.view.selectedIndexes()}
        current = self.view.currentIndex()
        last = self._model.rows[current.row()] if current.isValid() else None
        self.view.setUpdatesEnabled(False)
        self._model.replace(rows)
        if selection is not None:
            for number, row in enumerate(rows):
                index = self._model.index(number)
                if row in chosen:
                    selection.select(index, selection.SelectionFlag.Select)
                if row == last:
                    selection.setCurrentIndex(index, selection.SelectionFlag.NoUpdate)
        self.view.scheduleDelayedItemsLayout()
        self.view.executeDelayedItemsLayout()
        if bar is not None:
            bar.setValue(position)
        self.view.setUpdatesEnabled(True)

    def _redraw(self) -> None:
        viewport = self.view.viewport()
        if viewport is not None:
            viewport.update()


def _by_step(messages: Sequence[Message]) -> list[Message | str]:
    """The messages under a heading for each step, steps in the order in which they first spoke."""
    steps = dict.fromkeys(message.step for message in messages)
    rows: list[Message | str] = []
    for step in steps:
        rows.append(step.capitalize() if step else "General")
        rows.extend(m for m in reversed(messages) if m.step == step)
    return rows


def _switch(text: str, says: str) -> QToolButton:
    switch = QToolButton()
    switch.setText(text)
    switch.setCheckable(True)
    name(switch, says)
    return switch
