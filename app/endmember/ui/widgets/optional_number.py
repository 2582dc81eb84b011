"""A line for a number that may be left out."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QLineEdit

from endmember.ui.widgets.dialog import name, set_look


class OptionalNumber(QLineEdit):
    """A number, or nothing; what holds while it is empty stands in it faintly."""

    given = pyqtSignal(object)
    """The number that a person gave, None where the line was emptied."""
    refused = pyqtSignal(str)
    """A sentence on what is no number."""

    def __init__(self, says: str, accessible: str, such_as: str = "200") -> None:
        super().__init__()
        name(self, says, accessible)
        self.such_as = such_as
        self.setClearButtonEnabled(True)
        self._value: float | None = None
        self.editingFinished.connect(self._finish)

    def show_value(self, value: float | None, otherwise: str, *, needed: bool = False) -> None:
        """Show the number given, or faintly what holds without one; leaves alone what is typed."""
        self.setPlaceholderText(otherwise)
        set_look(self, "needed", needed)
        changed, self._value = value != self._value, value
        if changed or not (self.hasFocus() and self.isModified()):
            self._show()

    def _show(self) -> None:
        text = "" if self._value is None else f"{self._value:g}"
        if text != self.text():
            self.setText(text)
        self.setModified(False)

    def _finish(self) -> None:
        if not self.isModified():
            return
        self.setModified(False)
        text = self.text().strip().replace(",", ".")
        try:
            value = float(text) if text else None
        except ValueError:
            self.refused.emit(
                f'"{self.text()}" is no number: type one such as {self.such_as}, or nothing'
            )
            self._show()
            return
        if value != self._value:
            self.given.emit(value)
        self._show()
