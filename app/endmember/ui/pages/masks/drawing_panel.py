"""What is drawn for a precipitate on a map, for the keyboard: rectangles, suggestions, strokes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from endmember.session.decisions.recipe import Stroke
from endmember.ui.document.page import heading
from endmember.ui.map_views.frame_boxes import FrameBoxes
from endmember.ui.pages.masks.precipitate_list import KeyList
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.theme import THEME, colours

MOST_ROWS = 6


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """One line of a list: its key, what it says, and whether that is a doubt."""

    key: Hashable
    text: str
    doubted: bool = False


class DrawnList(KeyList):
    """A list of what is drawn, with the selection of the map."""

    chosen = pyqtSignal(object)
    """The key of the row that a person went to."""

    def __init__(self, says: str, accessible: str) -> None:
        super().__init__()
        name(self, says, accessible)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._rows: list[DrawnRow] = []
        self.currentRowChanged.connect(self._on_row)
        THEME.changed.connect(self._colour)

    @property
    def key(self) -> Hashable | None:
        """The key of the current row, None for none."""
        row = self.currentRow()
        return self._rows[row].key if 0 <= row < len(self._rows) else None

    def texts(self) -> list[str]:
        """What the list says, from top to bottom."""
        return [row.text for row in self._rows]

    def show_rows(self, rows: Sequence[DrawnRow], current: Hashable | None) -> None:
        """Show these rows, one of them as the current one; tells nobody."""
        self.blockSignals(True)
        while self.count() > len(rows):
            self.takeItem(self.count() - 1)
        while self.count() < len(rows):
            self.addItem(QListWidgetItem())
        self._rows = list(rows)
        for number, row in enumerate(rows):
            item = self.item(number)
            if item is not None and item.text() != row.text:
                item.setText(row.text)
                item.setToolTip(row.text)
        keys = [row.key for row in rows]
        self.setCurrentRow(keys.index(current) if current in keys else -1)
        self.blockSignals(False)
        self._colour()
        shown = min(max(len(rows), 1), MOST_ROWS)
        line = self.sizeHintForRow(0) if rows else self.fontMetrics().height() + 4
        self.setFixedHeight(shown * line + 2 * self.frameWidth() + 2)

    def _colour(self) -> None:
        of = colours()
        for number, row in enumerate(self._rows):
            if (item := self.item(number)) is not None:
                item.setForeground(QColor(of.warning if row.doubted else of.text))

    def _on_row(self, _: int) -> None:
        if self.key is not None:
            self.chosen.emit(self.key)


class RectanglePanel(QWidget):
    """The rectangles of a precipitate and those suggested, with exact numbers and buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.title = heading("Rectangles")
        self.title.setWordWrap(True)
        self.list = DrawnList(
            "Rectangles of the precipitate on this map; arrows choose, Del removes, Enter accepts "
            "a suggestion",
            "rectangles",
        )
        self.inputs = FrameBoxes("the rectangle", decimals=0)
        self.add = _button("Add", "Add a rectangle with these numbers")
        self.remove = _button("Remove", "Remove the rectangle, or dismiss the suggestion (Del)")
        self.suggest = _button(
            "Suggest", "Suggest rectangles round what stands out on the component map"
        )
        self.accept = _button("Accept", "Accept the suggestion that is selected (Enter)")
        self.accept_all = _button("Accept all", "Accept all suggestions, in one undo step")
        self.dismiss = _button("Dismiss", "Take the suggestions away (Esc)")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.title, self.list, self.inputs):
            layout.addWidget(widget)
        for row in (
            (self.add, self.remove, self.suggest),
            (self.accept, self.accept_all, self.dismiss),
        ):
            line = QHBoxLayout()
            for button in row:
                line.addWidget(button)
            layout.addLayout(line)


class StrokePanel(QWidget):
    """The strokes of a precipitate on a map."""

    def __init__(self) -> None:
        super().__init__()
        self.title = heading("Strokes")
        self.title.setWordWrap(True)
        self.list = DrawnList(
            "Strokes painted on this map; arrows choose one, which is marked on the map, Del "
            "removes it",
            "strokes",
        )
        self.remove = _button("Remove", "Remove the stroke that is selected (Del)")
        self.clear = _button("Remove all", "Remove all strokes of the precipitate on this map")
        line = QHBoxLayout()
        line.addWidget(self.remove)
        line.addWidget(self.clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addWidget(self.list)
        layout.addLayout(line)

    def show_strokes(self, precipitate: str, strokes: Sequence[Stroke]) -> None:
        """List the strokes; hidden where there is none."""
        self.setVisible(bool(strokes))
        self.title.setText(f"Strokes of {precipitate}")
        rows = [
            DrawnRow(number, f"{number + 1}: {stroke.label}, radius {stroke.radius:g} px")
            for number, stroke in enumerate(strokes)
        ]
        key = self.list.key
        self.list.show_rows(rows, key if isinstance(key, int) and key < len(rows) else None)
        self.remove.setEnabled(self.list.key is not None)


def _button(text: str, says: str) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    name(button, says, says.partition(" (")[0])
    return button
