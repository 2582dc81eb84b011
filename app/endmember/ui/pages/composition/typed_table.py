"""A table in which a person types numbers into some columns."""

from __future__ import annotations

from collections.abc import Collection

from PyQt6.QtCore import QModelIndex, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QKeyEvent
from PyQt6.QtWidgets import QAbstractItemDelegate, QTableView, QWidget

from endmember.session.views.element_table import ElementTable, Header
from endmember.ui.pages.composition.composition_model import CompositionModel
from endmember.ui.pages.composition.composition_table_view import CompositionTableView
from endmember.ui.widgets.theme import colours

Role = Qt.ItemDataRole
_TIP = "Ctrl+C copies the selected cells, or all where only one is"
_TYPED_TIP = (
    "Type a number into a shaded cell and press Enter; Delete empties it. Esc while typing leaves "
    "it as it was. " + _TIP
)
_STARTS = "0123456789.,-+"


class StatisticsModel(CompositionModel):
    """Cells of statistics; those under the keys of `typed_keys` are typed in."""

    typed = pyqtSignal(str, str, object)
    """The element, the key of the column, and the number, None where the cell was emptied."""
    refused = pyqtSignal(str)

    def __init__(self, typed_keys: Collection[str] = ()) -> None:
        super().__init__()
        self.typed_keys = frozenset(typed_keys)

    def is_typed(self, index: QModelIndex) -> bool:
        """Whether a person may type into this cell."""
        return index.isValid() and self.head(index.column()).key in self.typed_keys

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Cells that are typed in can be edited."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if self.is_typed(index) else flags

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> object:
        """As of compositions, but a row leads to no spectrum, and may be called by a number."""
        if orientation == Qt.Orientation.Vertical and section < self.rowCount():
            if role == Role.ToolTipRole:
                return self.table.elements[section]
            if role == Role.DisplayRole:
                return self.table.cells[section][0].text
        return super().headerData(section, orientation, role)

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> object:
        """The number alone while it is edited; cells that are typed in are shaded."""
        if role == Role.EditRole and self.is_typed(index):
            number = self.cell(index.row(), index.column()).number
            return "" if number is None else f"{number:g}"
        if role == Role.BackgroundRole and self.is_typed(index):
            return QBrush(QColor(colours().button))
        return super().data(index, role)

    def setData(self, index: QModelIndex, value: object, role: int = Role.EditRole) -> bool:
        """Tell what was typed; the cell shows it when the recipe holds it."""
        if role != Role.EditRole or not self.is_typed(index):
            return False
        text = str(value).strip().replace(",", ".")
        head: Header = self.head(index.column())
        try:
            number = float(text) if text else None
        except ValueError:
            self.refused.emit(f'"{value}" is no number: type one such as 12.5, or nothing')
            return False
        if number != self.cell(index.row(), index.column()).number:
            self.typed.emit(self.table.elements[index.row()], head.key, number)
        return True


class StatisticsTable(CompositionTableView):
    """A table of statistics, read or typed into."""

    def __init__(self, accessible: str, typed_keys: Collection[str] = ()) -> None:
        self.model_ = StatisticsModel(typed_keys)
        self._waiting: tuple[ElementTable, str] | None = None  # shown once nobody types
        super().__init__(self.model_)
        tip = _TYPED_TIP if typed_keys else _TIP
        self.setAccessibleName(accessible)
        self.setAccessibleDescription(tip)
        self.setToolTip(tip)

    def show_table(self, table: ElementTable, chosen: str) -> None:
        """Show a table, at once or when the person who types into a cell is done."""
        if self.state() == QTableView.State.EditingState:
            self._waiting = table, chosen
        else:
            self._waiting = None
            super().show_table(table, chosen)

    def closeEditor(self, editor: QWidget | None, hint: QAbstractItemDelegate.EndEditHint) -> None:
        """Show what has come while somebody typed."""
        super().closeEditor(editor, hint)
        if self._waiting is not None:
            self.show_table(*self._waiting)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """In a cell that is typed in: a digit, Enter or F2 begins, Delete empties."""
        assert event is not None
        index = self.currentIndex()
        if self.state() == QTableView.State.EditingState:
            event.accept()  # the Enter that ended typing, or a key that the line did not want
        elif not self.model_.is_typed(index):
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2):
            self.edit(index)
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.model_.setData(index, "")
        elif event.text() and event.text() in _STARTS:
            QTableView.keyPressEvent(self, event)  # begins to edit with this character
        else:
            super().keyPressEvent(event)
