"""The regions drawn on a map as a list, with name, phase and exact place of the selected one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPixmap
from PyQt6.QtWidgets import (
    QFormLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from endmember.ui.document.page import remark
from endmember.ui.map_views.frame_boxes import FrameBoxes
from endmember.ui.map_views.shape_gestures import Frame
from endmember.ui.widgets.choice_table import RowTable
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.inputs import ChoiceBox

MOST_ROWS = 6  # shown without scrolling
SWATCH = 12


@dataclass(frozen=True, slots=True)
class Row:
    """A region: what the columns say, its frame, and the phase it is meant to show."""

    key: Hashable
    cells: tuple[str, ...]
    frame: Frame
    colour: str
    phase: str = ""
    tooltip: str = ""


class RegionList(QWidget):
    """A table of regions and the settings of the selected one. Del removes it."""

    selected = pyqtSignal(object)
    """The key of the region selected, None for none."""
    removed = pyqtSignal(object)
    renamed = pyqtSignal(object, str)
    phase_chosen = pyqtSignal(object, str)
    framed = pyqtSignal(object, object)
    """Key and frame."""

    def __init__(self, of: str, columns: Sequence[str], empty: str, *, named: bool) -> None:
        super().__init__()
        self._of = of
        self._rows: tuple[Row, ...] = ()
        self._empty = remark(empty)
        self.table = self._table(columns)
        self.name_line = QLineEdit()
        self.phase_box = ChoiceBox(
            f"Phase that the selected {of} is meant to show", f"phase of the selected {of}"
        )
        self.boxes = FrameBoxes(f"the selected {of}")
        self.remove_button = QPushButton("Remove")
        name(self.name_line, f"Name of the selected {of}", f"name of the selected {of}")
        name(self.remove_button, f"Remove the selected {of} (Del)", f"remove the selected {of}")
        self._details = QWidget()
        self._lay_out(named)
        self.table.itemSelectionChanged.connect(self._on_selected)
        self.name_line.editingFinished.connect(self._on_named)
        self.phase_box.activated.connect(self._on_phase)
        self.boxes.changed.connect(self._on_framed)
        self.remove_button.clicked.connect(self._remove)
        self._show()

    def _table(self, columns: Sequence[str]) -> QTableWidget:
        says = f"Arrows select, Del removes the selected {self._of}"
        table = RowTable(columns, says, f"list of {self._of}s")
        table.setAlternatingRowColors(True)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        if (rows := table.verticalHeader()) is not None:
            rows.setDefaultSectionSize(table.fontMetrics().height() + 6)
        if (header := table.horizontalHeader()) is not None:
            header.setHighlightSections(False)
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            header.setMaximumSectionSize(110)
        table.installEventFilter(self)
        return table

    def _lay_out(self, named: bool) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        if named:
            form.addRow("Name", self.name_line)
            form.addRow("Phase", self.phase_box)
        details = QVBoxLayout(self._details)
        details.setContentsMargins(0, 0, 0, 0)
        details.addLayout(form)
        details.addWidget(self.boxes)
        details.addWidget(self.remove_button, 0, Qt.AlignmentFlag.AlignRight)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        for widget in (self._empty, self.table, self._details):
            whole.addWidget(widget)

    # --- what is shown -----------------------------------------------------------------------

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these regions; the selection is kept where its key still exists."""
        if tuple(rows) == self._rows:
            return
        key = self.key()
        self._rows = tuple(rows)
        self.table.blockSignals(True)
        self.table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, text in enumerate(row.cells):
                self._set_cell(number, column, text, row)
        self.table.blockSignals(False)
        self.select(key)
        self._show()

    def _set_cell(self, number: int, column: int, text: str, row: Row) -> None:
        item = self.table.item(number, column)
        if item is None:
            item = QTableWidgetItem()
            self.table.setItem(number, column, item)
        item.setText(text)
        item.setToolTip(row.tooltip or text)
        if column == 0:
            item.setIcon(_swatch(row.colour))
        elif text.replace(" ", "").isdigit():
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            item.setTextAlignment(right)

    def set_phases(self, phases: Sequence[tuple[str, str]]) -> None:
        """Offer these phases, each a name and a colour."""
        row = self._row()
        self.phase_box.show_choices(
            [(phase, phase) for phase, _ in phases], None if row is None else row.phase
        )
        for index, (_, colour) in enumerate(phases):
            self.phase_box.setItemIcon(index, _swatch(colour))

    def select(self, key: Hashable | None) -> None:
        """Select a region by its key, without saying so."""
        keys = [row.key for row in self._rows]
        self.table.blockSignals(True)
        if key in keys:
            self.table.setCurrentCell(keys.index(key), 0)
            self.table.selectRow(keys.index(key))
        else:
            self.table.clearSelection()
            self.table.setCurrentItem(None)
        self.table.blockSignals(False)
        self._show_details()

    def key(self) -> Hashable | None:
        """The key of the region selected."""
        row = self._row()
        return None if row is None else row.key

    def show_frame(self, frame: Frame) -> None:
        """Where the selected region is at the moment, while it is dragged."""
        self.boxes.set_frame(frame)

    def _row(self) -> Row | None:
        model = self.table.selectionModel()
        rows = [] if model is None else model.selectedRows()
        number = rows[0].row() if rows else -1
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def _show(self) -> None:
        self._empty.setVisible(not self._rows)
        self.table.setVisible(bool(self._rows))
        header = self.table.horizontalHeader()
        row = self.table.rowHeight(0) if self._rows else 0
        top = 0 if header is None else header.sizeHint().height()
        self.table.setFixedHeight(top + row * min(len(self._rows), MOST_ROWS) + 4)
        self._show_details()

    def _show_details(self) -> None:
        row = self._row()
        self._details.setVisible(row is not None)
        if row is None:
            return
        self.boxes.set_frame(row.frame)
        if not self.name_line.hasFocus() or not self.name_line.isModified():
            self.name_line.setText(row.cells[0])
        self.phase_box.setCurrentIndex(self.phase_box.findText(row.phase))

    # --- what a person does --------------------------------------------------------------------

    def _on_selected(self) -> None:
        self.name_line.setModified(False)
        self._show_details()
        self.selected.emit(self.key())

    def _on_named(self) -> None:
        row = self._row()
        if row is not None and self.name_line.isModified():
            self.name_line.setModified(False)
            text = self.name_line.text().strip()
            if text != row.cells[0]:
                self.renamed.emit(row.key, text)
            self._show_details()

    def _on_phase(self, _: int) -> None:
        row = self._row()
        if row is not None and self.phase_box.currentText() != row.phase:
            self.phase_chosen.emit(row.key, self.phase_box.currentText())

    def _on_framed(self, frame: Frame) -> None:
        if (key := self.key()) is not None:
            self.framed.emit(key, frame)

    def _remove(self) -> None:
        if (key := self.key()) is not None:
            self.removed.emit(key)

    def eventFilter(self, _: QObject | None, event: QEvent | None) -> bool:
        """Del in the table."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
            and self.key() is not None
        ):
            self._remove()
            return True
        return False


def _swatch(colour: str) -> QIcon:
    pixels = QPixmap(SWATCH, SWATCH)
    pixels.fill(QColor("white"))  # a rim, to be told from the row that is selected
    painter = QPainter(pixels)
    painter.fillRect(pixels.rect().adjusted(1, 1, -1, -1), QColor(colour))
    painter.end()
    icon = QIcon(pixels)
    icon.addPixmap(pixels, QIcon.Mode.Selected)  # not tinted
    return icon
