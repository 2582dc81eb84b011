"""A table of which one row is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from endmember.ui.widgets.dialog import name


class Row(NamedTuple):
    """The texts of a row, what they say when pointed at (themselves if nothing), and whether it
    can be chosen: otherwise it is pale."""

    texts: Sequence[str]
    tip: str | None
    usable: bool


class RowTable(QTableWidget):
    """A table under the titles of `columns`, of which whole rows are chosen, one at a time."""

    def __init__(self, columns: Sequence[str], says: str, accessible: str) -> None:
        super().__init__(0, len(columns))
        self.setHorizontalHeaderLabels(list(columns))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        name(self, says, accessible)
        if (sides := self.verticalHeader()) is not None:
            sides.hide()


class ChoiceTable(RowTable):
    """Rows under the titles of `columns`, of which column `wide` takes the space that is left."""

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Row], wide: int, says: str, accessible: str
    ) -> None:
        super().__init__(columns, says, accessible)
        self.setAlternatingRowColors(True)
        self.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, text in enumerate(row.texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text if row.tip is None else row.tip)
                if not row.usable:
                    item.setForeground(self.palette().placeholderText())
                self.setItem(number, column, item)
        if (header := self.horizontalHeader()) is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(wide, QHeaderView.ResizeMode.Stretch)
            header.setHighlightSections(False)
            header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
