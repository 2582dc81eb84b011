"""Undo and redo by key while the focus is in a line or a number box."""

from __future__ import annotations

import contextlib

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QWidget

KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class UndoKeys(QObject):
    """Leaves Ctrl+Z to a line only while something is typed in it that is no decision yet.

    Qt's lines take these keys for ever, so that a number that was typed and entered could not be
    taken back before the focus is elsewhere.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._box: QWidget | None = None
        self._line: QLineEdit | None = None
        self._typing = False
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._follow)

    def _follow(self, _: QWidget | None, now: QWidget | None) -> None:
        """Watch the line that has the focus now."""
        with contextlib.suppress(RuntimeError, TypeError):  # it may be gone
            if self._box is not None and self._line is not None:
                self._box.removeEventFilter(self)
                self._line.textEdited.disconnect(self._on_typed)
                _ender(self._box, self._line).editingFinished.disconnect(self._on_finished)
        self._box, self._line, self._typing = now, _line_of(now), False
        if now is not None and self._line is not None:
            now.installEventFilter(self)
            self._line.textEdited.connect(self._on_typed)
            _ender(now, self._line).editingFinished.connect(self._on_finished)

    def _on_typed(self, _: str) -> None:
        self._typing = True

    def _on_finished(self) -> None:
        self._typing = False

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep the line from taking the key before the window sees it."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and not self._typing
            and any(event.matches(key) for key in KEYS)
        ):
            event.ignore()
            return True
        return False


def _line_of(widget: QWidget | None) -> QLineEdit | None:
    """The line in which keys are typed, None where it is none."""
    if isinstance(widget, QLineEdit):
        return widget
    if isinstance(widget, QAbstractSpinBox | QComboBox):
        return widget.lineEdit()
    return None


def _ender(box: QWidget, line: QLineEdit) -> QAbstractSpinBox | QLineEdit:
    """Who says that Enter was pressed."""
    return box if isinstance(box, QAbstractSpinBox) else line
