"""Boxes for numbers and choices that leave the wheel to the panel they scroll in."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from endmember.ui.dialog import name


class _WheelFilter(QObject):
    """Passes the wheel on while the box under it has no focus."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if (
            event is not None
            and event.type() == QEvent.Type.Wheel
            and isinstance(watched, QWidget)
            and not watched.hasFocus()
        ):
            event.ignore()
            return True
        return False


def _quiet(box: QWidget, says: str, accessible: str) -> None:
    name(box, says, accessible)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.installEventFilter(_WheelFilter(box))


class ChoiceBox(QComboBox):
    """A list of choices, each with a value."""

    def __init__(self, says: str, accessible: str) -> None:
        super().__init__()
        _quiet(self, says, accessible)
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self._choices: list[tuple[str, object]] = []

    def show_choices(self, choices: Sequence[tuple[str, object]], value: object) -> None:
        """Offer these texts with their values, one of them as chosen; tells nobody."""
        self.blockSignals(True)
        if list(choices) != self._choices:
            self._choices = list(choices)
            self.clear()
            self.addItems([text for text, _ in choices])
        values = [of for _, of in choices]
        self.setCurrentIndex(values.index(value) if value in values else -1)
        self.blockSignals(False)

    @property
    def value(self) -> object:
        """The value that is chosen, None for none."""
        return self.value_at(self.currentIndex())

    def value_at(self, index: int) -> object:
        """The value of a choice by its place."""
        return self._choices[index][1] if 0 <= index < len(self._choices) else None


class WholeBox(QSpinBox):
    """A box for a whole number, told when it is finished."""

    def __init__(self, says: str, accessible: str, unit: str = "") -> None:
        super().__init__()
        _quiet(self, says, accessible)
        self.setKeyboardTracking(False)
        self.setSuffix(f" {unit}" if unit else "")

    def show_value(self, value: int) -> None:
        """Show a value; tells nobody, and leaves alone what is being typed."""
        if value != self.value():
            self.blockSignals(True)
            self.setValue(value)
            self.blockSignals(False)


class NumberBox(QDoubleSpinBox):
    """A box for a number with decimals, told when it is finished."""

    def __init__(self, says: str, accessible: str, unit: str = "") -> None:
        super().__init__()
        _quiet(self, says, accessible)
        self.setKeyboardTracking(False)
        self.setSuffix(f" {unit}" if unit else "")

    def show_value(self, value: float) -> None:
        """Show a value; tells nobody, and leaves alone what is being typed."""
        if value != self.value():
            self.blockSignals(True)
            self.setValue(value)
            self.blockSignals(False)
