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


class ChoiceTable(QTableWidget):
    """Rows under the titles of `columns`, of which column `wide` takes the space that is left."""

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Row], wide: int, says: str, accessible: str
    ) -> None:
        super().__init__(len(rows), len(columns))
        self.setHorizontalHeaderLabels(list(columns))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setAlternatingRowColors(True)
        name(self, says, accessible)
        for number, row in enumerate(rows):
            for column, text in enumerate(row.texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text if row.tip is None else row.tip)
                if not row.usable:
                    item.setForeground(self.palette().placeholderText())
                self.setItem(number, column, item)
        if (sides := self.verticalHeader()) is not None:
            sides.hide()
        if (header := self.horizontalHeader()) is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(wide, QHeaderView.ResizeMode.Stretch)
            header.setHighlightSections(False)
            header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
