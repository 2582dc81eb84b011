"""The table of a composition as Qt reads it: headers, cells, the row of the chosen element."""

from __future__ import annotations

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt6.QtGui import QBrush, QColor, QFont

from endmember.session.views.composition_view import INSTRUMENT, NOT_MEASURED, STATES
from endmember.session.views.element_table import NO_VALUE, Cell, ElementTable, Header
from endmember.ui.widgets.theme import colours

NOTHING = ElementTable((), (), (), ())
_NOWHERE = QModelIndex()
_QUIET = ("< LOD", NOT_MEASURED, STATES["no"], STATES["assumed_absent"], INSTRUMENT, NO_VALUE)
_CHOSEN_ALPHA = 55
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
LONGEST_LINE = 24  # of a title, in letters; the tooltip holds it all
Role = Qt.ItemDataRole


class CompositionModel(QAbstractTableModel):
    """An `ElementTable`, whose first column stands as the headers of the rows."""

    def __init__(self) -> None:
        super().__init__()
        self.table = NOTHING
        self.chosen = ""
        self._decimals: list[int] = []

    def show(self, table: ElementTable) -> None:
        """Show another table; where rows and columns are the same, only their cells change."""
        old = self.table
        same = table.elements == old.elements and len(table.heads) == len(old.heads)
        if not same:
            self.beginResetModel()
        self.table = table
        self._decimals = [
            max((row[column].decimals or 0 for row in table.cells), default=0)
            for column in range(len(table.heads))
        ]
        if not same:
            self.endResetModel()
        else:
            self._tell()

    def mark(self, element: str) -> None:
        """Make the row of this element the chosen one."""
        if element != self.chosen:
            self.chosen = element
            self._tell()

    def _tell(self) -> None:
        rows, columns = self.rowCount() - 1, self.columnCount() - 1
        if rows < 0 or columns < 0:
            return
        self.dataChanged.emit(self.index(0, 0), self.index(rows, columns))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, columns)
        self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, rows)

    def head(self, column: int) -> Header:
        """The header of a column of the view."""
        return self.table.heads[column + 1]

    def title(self, column: int) -> str:
        """The title of a column of the view, its lines not too long."""
        return "\n".join(map(_shortened, self.head(column).label.split("\n")))

    def cell(self, row: int, column: int) -> Cell:
        """The cell in a row and a column of the view."""
        return self.table.cells[row][column + 1]

    def missing_digits(self, row: int, column: int) -> str:
        """What a number lacks behind its last digit to stand under the others of its column."""
        own, most = self.cell(row, column).decimals, self._decimals[column + 1]
        if own is None or own == most:
            return ""
        return "0" * (most - own) if own else "." + "0" * most

    def widest_texts(self, column: int) -> list[str]:
        """The texts of a column with what they lack: as wide as they are drawn."""
        return [
            self.cell(row, column).text + self.missing_digits(row, column)
            for row in range(self.rowCount())
        ]

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """One row an element."""
        return 0 if parent.isValid() else len(self.table.cells)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """One column a header, without the first."""
        return 0 if parent.isValid() else max(len(self.table.heads) - 1, 0)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> object:
        """Titles with units, their meaning as a tooltip; elements at the left."""
        if orientation == Qt.Orientation.Vertical:
            return self._label(section, role)
        if section >= self.columnCount():
            return None
        head = self.head(section)
        if role == Role.DisplayRole:
            return self.title(section)
        if role == Role.ToolTipRole:
            return f"{head.text}: {head.meaning}"
        if role == Role.AccessibleTextRole:
            return head.text
        if role == Role.AccessibleDescriptionRole:
            return head.meaning
        if role == Role.TextAlignmentRole:
            return _side(head) | Qt.AlignmentFlag.AlignBottom
        return None

    def _label(self, row: int, role: int) -> object:
        if row >= self.rowCount():
            return None
        if role == Role.DisplayRole:
            return self.table.cells[row][0].text.translate(_SUBSCRIPTS)
        if role == Role.ToolTipRole:
            return f"Show the line of {self.table.elements[row]} in the spectrum"
        if role == Role.FontRole:
            font = QFont()
            font.setBold(True)
            return font
        if role == Role.BackgroundRole and self.table.elements[row] == self.chosen:
            return QBrush(QColor(colours().accent))
        if role == Role.ForegroundRole and self.table.elements[row] == self.chosen:
            return QBrush(QColor(colours().accent_text))
        return None

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> object:
        """Text, alignment, tooltip; the accessible text says element and column too."""
        if not index.isValid():
            return None
        cell, head = self.cell(index.row(), index.column()), self.head(index.column())
        if role == Role.DisplayRole:
            return cell.text
        if role == Role.ToolTipRole:
            return cell.more or None
        if role == Role.TextAlignmentRole:
            return _side(head) | Qt.AlignmentFlag.AlignVCenter
        if role == Role.AccessibleTextRole:
            return f"{self.table.elements[index.row()]}, {head.text}: {cell.text or 'empty'}"
        if role == Role.ForegroundRole:
            return _colour(cell)
        if role == Role.BackgroundRole and self.table.elements[index.row()] == self.chosen:
            tint = QColor(colours().accent)
            tint.setAlpha(_CHOSEN_ALPHA)
            return QBrush(tint)
        return None


def _side(head: Header) -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignRight if head.numeric else Qt.AlignmentFlag.AlignLeft


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1].rstrip() + "…"


def _colour(cell: Cell) -> QBrush | None:
    if cell.text.startswith(_QUIET):
        return QBrush(QColor(colours().muted))
    if cell.text.startswith("negative"):
        return QBrush(QColor(colours().error))
    return None
