"""Boxes for numbers and choices that leave the wheel to the panel they scroll in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from endmember.ui.widgets.dialog import name

LARGEST_SEED = 2**31 - 1  # what a box of Qt holds
ICON_ROOM, TEXT_ROOM = 4, 2  # pixels that the style leaves beside icon and text of a choice


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


def _settle_typing(box: QSpinBox | QDoubleSpinBox) -> None:
    """Let `_is_typed_in` know when what was typed is taken, before anyone else hears of it."""
    line = box.lineEdit()
    assert line is not None

    def settle(*_: object) -> None:
        line.setModified(False)

    box.valueChanged.connect(settle)
    box.editingFinished.connect(settle)


def _is_typed_in(box: QSpinBox | QDoubleSpinBox) -> bool:
    """Whether a person is in the middle of typing a number."""
    line = box.lineEdit()
    return box.hasFocus() and line is not None and line.isModified()


class ChoiceBox(QComboBox):
    """A list of choices, each with a value; one that does not fit ends with an ellipsis."""

    def __init__(self, says: str, accessible: str) -> None:
        super().__init__()
        _quiet(self, says, accessible)
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self._choices: list[tuple[str, object]] = []
        self.shortened: Callable[[str], str] = str
        """The text of a choice where it does not fit; shortened further only by an ellipsis."""

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

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """Draw it; Qt would cut a long text anywhere."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self._fitting(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def shown_text(self) -> str:
        """The text of the choice as there is room for it."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        return self._fitting(option)

    def _fitting(self, option: QStyleOptionComboBox) -> str:
        style = self.style()
        assert style is not None
        field = QStyle.SubControl.SC_ComboBoxEditField
        place = style.subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self)
        icon = 0 if option.currentIcon.isNull() else option.iconSize.width() + ICON_ROOM
        room = place.width() - icon - TEXT_ROOM
        text = option.currentText or ""
        if option.fontMetrics.horizontalAdvance(text) > room:
            text = self.shortened(text)
        return option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, room)

    @property
    def value(self) -> object:
        """The value that is chosen, None for none."""
        return self.value_at(self.currentIndex())

    def value_at(self, index: int) -> object:
        """The value of a choice by its place."""
        return self._choices[index][1] if 0 <= index < len(self._choices) else None


def _show(box: QSpinBox | QDoubleSpinBox, value: int | float) -> None:
    """Show a value; tells nobody, and leaves alone what is being typed."""
    if value != box.value() and not _is_typed_in(box):
        box.blockSignals(True)
        box.setValue(value)  # type: ignore[arg-type]
        box.blockSignals(False)


class WholeBox(QSpinBox):
    """A box for a whole number, told when it is finished."""

    def __init__(self, says: str, accessible: str, unit: str = "") -> None:
        super().__init__()
        _quiet(self, says, accessible)
        self.setKeyboardTracking(False)
        self.setSuffix(f" {unit}" if unit else "")
        _settle_typing(self)

    def show_value(self, value: int) -> None:
        """Show a value; tells nobody, and leaves alone what is being typed."""
        _show(self, value)


class SeedBox(WholeBox):
    """A box for a seed; of one that is too large for it, it shows the largest it can."""

    def __init__(self, says: str) -> None:
        super().__init__(says, "seed")
        self.setRange(0, LARGEST_SEED)

    def show_value(self, value: int) -> None:
        """Show a seed; tells nobody, so that the recipe keeps one that is too large."""
        super().show_value(min(value, LARGEST_SEED))


class NumberBox(QDoubleSpinBox):
    """A box for a number with decimals, told when it is finished."""

    def __init__(self, says: str, accessible: str, unit: str = "") -> None:
        super().__init__()
        _quiet(self, says, accessible)
        self.setKeyboardTracking(False)
        self.setSuffix(f" {unit}" if unit else "")
        _settle_typing(self)

    def show_value(self, value: float) -> None:
        """Show a value; tells nobody, and leaves alone what is being typed."""
        _show(self, value)


class SmoothingBox(NumberBox):
    """The sigma of a Gaussian that smooths maps, in pixels; 0 is none."""

    def __init__(self, says: str, accessible: str, largest_px: float) -> None:
        super().__init__(says, accessible, "px")
        self.setRange(0.0, largest_px)
        self.setDecimals(1)
        self.setSingleStep(0.5)
        self.setSpecialValueText("none")
