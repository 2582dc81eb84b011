"""The phase fractions of a map as a table that can be copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QIcon, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from endmember.session.views.phase_remarks import with_error
from endmember.ui.pages.phases.phase_settings import phase_chip
from endmember.ui.widgets.dialog import to_clipboard
from endmember.ui.widgets.theme import THEME

HEADS = ("Phase", "% of counts")


@dataclass(frozen=True, slots=True)
class FractionRow:
    """A phase, its number among the phases of the recipe, and its fraction with its sigma."""

    phase: str
    index: int
    fraction: float
    sigma: float

    @property
    def text(self) -> str:
        """The fraction in %, with its error."""
        return with_error(100 * self.fraction, 100 * self.sigma)


class FractionTable(QTableWidget):
    """One row a phase; Ctrl+C copies all of it."""

    def __init__(self) -> None:
        super().__init__(0, len(HEADS))
        self.rows: tuple[FractionRow, ...] = ()
        self.setHorizontalHeaderLabels(HEADS)
        self.setAccessibleName("phase fractions")
        self.setToolTip(
            "Fractions of the counts in the summed spectrum, with their standard deviation from "
            "counting; Ctrl+C copies"
        )
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None
        assert columns is not None
        rows.hide()
        rows.setDefaultSectionSize(self.fontMetrics().height() + 7)
        columns.setHighlightSections(False)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        columns.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        THEME.changed.connect(self._draw_chips)

    def show_rows(self, rows: Sequence[FractionRow]) -> None:
        """Show these phases."""
        if tuple(rows) == self.rows:
            return
        self.rows = tuple(rows)
        self.setRowCount(len(self.rows))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for number, row in enumerate(self.rows):
            name, value = QTableWidgetItem(row.phase), QTableWidgetItem(row.text)
            name.setToolTip(row.phase)
            value.setTextAlignment(right)
            value.setToolTip(f"{row.phase}: {row.text} % of all counts, excluded pixels left out")
            self.setItem(number, 0, name)
            self.setItem(number, 1, value)
        self._draw_chips()
        self.updateGeometry()

    def _draw_chips(self) -> None:
        for number, row in enumerate(self.rows):
            if (item := self.item(number, 0)) is not None:
                item.setIcon(QIcon(phase_chip(row.index)))

    def sizeHint(self) -> QSize:
        """As high as its rows."""
        heads = self.horizontalHeader()
        assert heads is not None
        height = heads.sizeHint().height() + 2 * self.frameWidth()
        return QSize(200, height + sum(self.rowHeight(n) for n in range(self.rowCount())))

    def minimumSizeHint(self) -> QSize:
        """No lower than its rows."""
        return QSize(120, self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Ctrl+C copies the table, as spreadsheets paste it."""
        if event is not None and event.matches(QKeySequence.StandardKey.Copy):
            to_clipboard(self.copied())
        else:
            super().keyPressEvent(event)

    def copied(self) -> str:
        """The table as text: phase, value and standard deviation in % of counts."""
        lines = ["Phase\t% of counts\tsigma"]
        lines += [f"{r.phase}\t{100 * r.fraction:.6g}\t{100 * r.sigma:.3g}" for r in self.rows]
        return "\n".join(lines) + "\n"
