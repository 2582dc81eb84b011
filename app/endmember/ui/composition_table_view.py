"""The table of compositions: a model over cells, and the view that copies."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QAbstractTableModel, QMimeData, QModelIndex, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QFont, QGuiApplication, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from endmember.session.composition_view import Cell, Header, clipboard_html, clipboard_text
from endmember.ui.theme import THEME, colours

_NOWHERE = QModelIndex()
_QUIET = ("< LOD", "not measured", "not detected", "assumed absent", "–")


class CompositionModel(QAbstractTableModel):
    """Headers and cells; replaced as a whole, without losing the selection of the view."""

    def __init__(self) -> None:
        super().__init__()
        self.heads: list[Header] = []
        self.cells: list[list[Cell]] = []
        self.elements: list[str] = []

    def show(self, heads: list[Header], cells: list[list[Cell]], elements: Sequence[str]) -> None:
        """Show other cells; rows and columns stay where their number stays."""
        same = len(heads) == len(self.heads) and list(elements) == self.elements
        if not same:
            self.beginResetModel()
        self.heads, self.cells, self.elements = heads, cells, list(elements)
        if not same:
            self.endResetModel()
        elif cells:
            last = self.index(len(cells) - 1, len(heads) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(heads) - 1)

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """One row an element."""
        return 0 if parent.isValid() else len(self.cells)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """One column a header."""
        return 0 if parent.isValid() else len(self.heads)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles with units, and their meaning as a tooltip."""
        if orientation != Qt.Orientation.Horizontal or section >= len(self.heads):
            return None
        head = self.heads[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return head.title
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            return head.meaning
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Text, alignment, tooltip; the accessible text says element and column too."""
        if not index.isValid():
            return None
        cell = self.cells[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell.more or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft
            if cell.number is not None or cell.text == "–":
                side = Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.AccessibleTextRole:
            element, title = self.elements[index.row()], self.heads[index.column()].title
            return f"{element}, {title}: {cell.text or 'empty'}"
        return self._look(cell, index.column(), role)

    def _look(self, cell: Cell, column: int, role: int) -> object:
        if role == Qt.ItemDataRole.ForegroundRole:
            if cell.text.startswith(_QUIET):
                return QBrush(QColor(colours().muted))
            if cell.text.startswith("negative"):
                return QBrush(QColor(colours().error))
        if role == Qt.ItemDataRole.FontRole and column == 0:
            font = QFont()
            font.setBold(True)
            return font
        return None


class CompositionTableView(QTableView):
    """Copies what a spreadsheet pastes; tells which element is looked at."""

    element_chosen = pyqtSignal(str)
    reset_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.cells = CompositionModel()
        self.setModel(self.cells)
        self.setAlternatingRowColors(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("composition table")
        self.setToolTip("Click a row to see its line in the spectrum; Ctrl+C copies")
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None
        assert columns is not None
        rows.hide()
        rows.setDefaultSectionSize(self.fontMetrics().height() + 7)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        columns.setHighlightSections(False)
        columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        selection = self.selectionModel()
        assert selection is not None
        selection.currentRowChanged.connect(lambda now, _: self._choose(now))
        self.clicked.connect(self._choose)
        self.doubleClicked.connect(lambda _: self.reset_asked.emit())
        THEME.changed.connect(self._redraw)

    def show_table(
        self, heads: list[Header], cells: list[list[Cell]], elements: Sequence[str]
    ) -> None:
        """Show other cells; column widths follow them where the titles changed."""
        titles = [head.title for head in self.cells.heads]
        self.cells.show(heads, cells, elements)
        if titles != [head.title for head in heads]:
            self.resizeColumnsToContents()

    def _choose(self, index: QModelIndex) -> None:
        if index.isValid() and index.row() < len(self.cells.elements):
            self.element_chosen.emit(self.cells.elements[index.row()])

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Ctrl+C copies the selection, or all where one cell or none is selected."""
        assert event is not None
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def copy(self, everything: bool = False) -> None:
        """Put the selected block, or all shown columns, on the clipboard."""
        rows, columns = self._block(everything)
        heads = [self.cells.heads[c] for c in columns]
        cells = [[self.cells.cells[r][c] for c in columns] for r in rows]
        data = QMimeData()
        data.setText(clipboard_text(heads, cells))
        data.setHtml(clipboard_html(heads, cells))
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setMimeData(data)

    def _block(self, everything: bool) -> tuple[list[int], list[int]]:
        shown = [c for c in range(len(self.cells.heads)) if not self.isColumnHidden(c)]
        indexes = [] if everything else self.selectedIndexes()
        if len(indexes) <= 1:
            return list(range(len(self.cells.cells))), shown
        rows = sorted({index.row() for index in indexes})
        columns = {index.column() for index in indexes}
        # the element stands first, so that pasted numbers still say what they are of
        return rows, [c for c in shown if c in columns or c == 0]

    def _redraw(self) -> None:
        if (viewport := self.viewport()) is not None:
            viewport.update()
