"""The table of compositions: choosing an element, numbers under their points, copying."""

from __future__ import annotations

from collections.abc import Collection

from PyQt6.QtCore import QMimeData, QModelIndex, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPainter, QShowEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from endmember.session.views.element_table import ElementTable, clipboard_html, clipboard_text
from endmember.ui.pages.composition.composition_model import CompositionModel
from endmember.ui.widgets.theme import THEME

CELL_ROOM = 10  # pixels beside a text
TITLE_ROOM = 12  # pixels beside a title
ROW_ROOM = 7
_TIP = (
    "Click a row, or go to it with the arrow keys, to see its line in the spectrum; double-click "
    "shows the whole spectrum. Ctrl+C copies the selected cells, or all where only one is"
)


class _Aligned(QStyledItemDelegate):
    """Numbers of a column stand with their points under each other."""

    def __init__(self, model: CompositionModel) -> None:
        super().__init__()
        self.model = model

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Draw the cell, its text moved left by the digits that it lacks."""
        assert painter is not None
        self.initStyleOption(option, index)
        text, option.text = option.text, ""
        widget = option.widget
        style = widget.style() if widget is not None else QApplication.style()
        assert style is not None
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        margin = 1 + style.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, option, widget)
        shift = self._shift(option, index)
        place = option.rect.adjusted(margin, 0, -margin - shift, 0)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        palette = option.palette
        role = palette.ColorRole.HighlightedText if selected else palette.ColorRole.Text
        painter.setFont(option.font)
        shown = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        style.drawItemText(painter, place, int(option.displayAlignment), palette, True, shown, role)

    def _shift(self, option: QStyleOptionViewItem, index: QModelIndex) -> int:
        return option.fontMetrics.horizontalAdvance(
            self.model.missing_digits(index.row(), index.column())
        )


class CompositionTableView(QTableView):
    """Copies what a spreadsheet pastes; tells which element is looked at."""

    chosen = pyqtSignal(int, int)
    """Row and column of the cell whose line is to be shown."""
    reset_asked = pyqtSignal()
    copy_refused = pyqtSignal()
    """The table is out of date, so that nothing was copied."""

    def __init__(self, cells: CompositionModel | None = None) -> None:
        super().__init__()
        self.cells = CompositionModel() if cells is None else cells
        self.current = True  # false while the numbers are out of date
        self._hidden: frozenset[str] = frozenset()
        self._delegate = _Aligned(self.cells)
        self.setModel(self.cells)
        self.setItemDelegate(self._delegate)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)  # Tab goes on to the next control
        self.setAccessibleName("composition table")
        self.setAccessibleDescription(_TIP)
        self.setToolTip(_TIP)
        self._style_headers()
        self.clicked.connect(self._choose)
        self.doubleClicked.connect(lambda _: self.reset_asked.emit())
        THEME.changed.connect(self._redraw)

    def _style_headers(self) -> None:
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None
        assert columns is not None
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().height() + ROW_ROOM)
        rows.setHighlightSections(False)
        rows.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        rows.setAccessibleName("elements")
        rows.sectionClicked.connect(lambda _: self._choose(self.currentIndex()))
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        columns.setHighlightSections(False)
        columns.setMinimumSectionSize(36)
        columns.setAccessibleName("columns")
        # Qt measures a title of two lines as if it were one, and would shorten it, unit first
        columns.setTextElideMode(Qt.TextElideMode.ElideNone)
        corner = self.findChild(QAbstractButton)
        if corner is not None:
            corner.setToolTip("Select the whole table")

    # --- showing -----------------------------------------------------------------------------

    def show_table(self, table: ElementTable, chosen: str) -> None:
        """Show another table; the cell, the selection and the place stay where they can."""
        before = self.cells.table
        place = self.currentIndex().column()
        element = self._element(self.currentIndex())
        bar = self.verticalScrollBar()
        scrolled = 0 if bar is None else bar.value()
        self.cells.mark(chosen)
        self.cells.show(table)
        self.hide_columns(self._hidden)
        if element in table.elements and not self.currentIndex().isValid():
            column = min(max(place, 0), self.cells.columnCount() - 1)
            self._go_to(table.elements.index(element), column)
        if bar is not None:
            bar.setValue(scrolled)
        titles = [head.text for head in table.heads]
        self._fit_columns(shrink=titles != [head.text for head in before.heads])

    def _go_to(self, row: int, column: int) -> None:
        model = self.selectionModel()
        assert model is not None
        model.blockSignals(True)  # the same element as before: nothing to tell
        model.setCurrentIndex(self.cells.index(row, column), model.SelectionFlag.ClearAndSelect)
        model.blockSignals(False)

    def _fit_columns(self, *, shrink: bool) -> None:
        for column in range(self.cells.columnCount()):
            if self.isColumnHidden(column):
                continue
            # Qt asks every cell for a dozen things, and takes a title of two lines for one
            title = max(map(self._width, self.cells.title(column).split("\n")))
            content = max(map(self._width, self.cells.widest_texts(column)), default=0)
            wide = max(CELL_ROOM + content, TITLE_ROOM + title)
            if shrink or wide > self.columnWidth(column):
                self.setColumnWidth(column, wide)

    def _width(self, text: str) -> int:
        return self.fontMetrics().horizontalAdvance(text)

    def hide_columns(self, keys: Collection[str]) -> None:
        """Hide the columns with these keys, show all others."""
        self._hidden = frozenset(keys)
        came = False
        for column in range(self.cells.columnCount()):
            hidden = self.cells.head(column).key in self._hidden
            came = came or (self.isColumnHidden(column) and not hidden)
            self.setColumnHidden(column, hidden)
        if came:
            self._fit_columns(shrink=True)

    def mark(self, element: str) -> None:
        """Make the row of this element the chosen one."""
        self.cells.mark(element)

    def height_of_all(self) -> int:
        """Pixels that all rows ask for."""
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        bar = self.horizontalScrollBar()
        assert rows is not None
        assert columns is not None
        below = 0 if bar is None else bar.sizeHint().height()
        return rows.length() + columns.sizeHint().height() + below + 2 * self.frameWidth()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Give the headers their colours, which they have only once they are shown."""
        super().showEvent(event)
        self._redraw()

    def _redraw(self) -> None:
        for header in (self.horizontalHeader(), self.verticalHeader()):
            if header is not None:  # the style gives the empty part of a header a colour of its own
                header.setPalette(QApplication.palette())
        if (viewport := self.viewport()) is not None:
            viewport.update()

    # --- hands -------------------------------------------------------------------------------

    def _element(self, index: QModelIndex) -> str:
        known = index.isValid() and index.row() < len(self.cells.table.elements)
        element = self.cells.table.elements[index.row()] if known else ""
        return element if element.isalpha() else ""  # a sum is of no element

    def _choose(self, index: QModelIndex) -> None:
        if self._element(index):
            self.chosen.emit(index.row(), index.column())

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:
        """Tell of another element, or of another entry where several stand side by side."""
        super().currentChanged(current, previous)
        same = current.row() == previous.row() and self._entry(current) is self._entry(previous)
        if current.isValid() and not same:
            self._choose(current)

    def _entry(self, index: QModelIndex) -> object:
        entries = self.cells.table.entries
        return entries[index.column() + 1] if 0 <= index.column() < len(entries) - 1 else None

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Ctrl+C copies the selection, or all where one cell or none is selected."""
        assert event is not None
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.currentIndex())
        elif event.text().strip() and event.text().isprintable():
            event.ignore()  # the one-key tools of the window; Qt would search the cells for it
        else:
            super().keyPressEvent(event)

    def copy(self, everything: bool = False) -> None:
        """Put the selected block, or all shown columns, on the clipboard."""
        if not self.current:
            self.copy_refused.emit()
            return
        table = self.cells.table
        rows, columns = self._block(everything)
        heads = [table.heads[c] for c in columns]
        cells = [[table.cells[r][c] for c in columns] for r in rows]
        data = QMimeData()
        data.setText(clipboard_text(heads, cells))
        data.setHtml(clipboard_html(heads, cells))
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setMimeData(data)

    def _block(self, everything: bool) -> tuple[list[int], list[int]]:
        """Rows and columns of the table; the element stands first, so that numbers say of what."""
        shown = [c for c in range(self.cells.columnCount()) if not self.isColumnHidden(c)]
        indexes = [] if everything else self.selectedIndexes()
        rows = list(range(self.cells.rowCount()))
        if len(indexes) > 1:
            rows = sorted({index.row() for index in indexes})
            wanted = {index.column() for index in indexes}
            shown = [c for c in shown if c in wanted]
        return rows, [0, *(c + 1 for c in shown)]
