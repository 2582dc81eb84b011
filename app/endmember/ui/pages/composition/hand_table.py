"""A number for each element that a person may give by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QLabel, QWidget

from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.optional_number import OptionalNumber


@dataclass(frozen=True, slots=True)
class HandRow:
    """One element: the number given, what holds without one, and why none can be given."""

    element: str
    value: float | None
    otherwise: str
    locked: str = ""


class HandTable(QWidget):
    """A line for each element; what holds while it is empty stands in it faintly."""

    given = pyqtSignal(str, object)
    """An element, and the number that a person gave it, None where the line was emptied."""
    refused = pyqtSignal(str)
    """A sentence on what is no number."""

    def __init__(self, quantity: str, says: str, such_as: str, after: QWidget) -> None:
        """The lines are of a `quantity` of an element; Tab comes to the first `after` a control."""
        super().__init__()
        self.quantity, self.says, self.such_as = quantity, says, such_as
        self.lines: dict[str, OptionalNumber] = {}
        self._labels: dict[str, QLabel] = {}
        self._after = after
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)

    def show_rows(self, rows: Sequence[HandRow]) -> None:
        """Show these elements in this order; leaves alone what is being typed."""
        elements = [row.element for row in rows]
        if elements != list(self.lines):
            self._rebuild(elements)
        for row in rows:
            line = self.lines[row.element]
            line.show_value(row.value, row.otherwise)
            line.setEnabled(not row.locked)
            name(line, row.locked or self.says, f"{self.quantity} of {row.element}")

    def _rebuild(self, elements: Sequence[str]) -> None:
        for element in set(self.lines) - set(elements):
            self.lines.pop(element).deleteLater()
            self._labels.pop(element).deleteLater()
        for element in elements:
            if element not in self.lines:
                self._add(element)
        self.lines = {element: self.lines[element] for element in elements}
        before = self._after
        for place, (element, line) in enumerate(self.lines.items()):
            self._grid.addWidget(self._labels[element], place, 0)
            self._grid.addWidget(line, place, 1)
            self.setTabOrder(before, line)
            before = line

    def _add(self, element: str) -> None:
        line = OptionalNumber(self.says, f"{self.quantity} of {element}", self.such_as)
        line.given.connect(partial(self.given.emit, element))
        line.refused.connect(self.refused)
        label = QLabel(element)
        label.setBuddy(line)
        self.lines[element], self._labels[element] = line, label
