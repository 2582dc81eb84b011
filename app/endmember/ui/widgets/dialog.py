"""What dialogs and controls share: how they are closed, their buttons, names and looks."""

from __future__ import annotations

from PyQt6.QtGui import QGuiApplication, QKeySequence, QShortcut, QShowEvent
from PyQt6.QtWidgets import QApplication, QDialog, QDialogButtonBox, QPushButton, QWidget

_WHOLE_SCREEN_SHARE = 0.95

Standard = QDialogButtonBox.StandardButton


def name(control: QWidget, says: str, accessible: str = "") -> None:
    """Give a control its tooltip and its accessible name, the tooltip's text if none is given."""
    control.setToolTip(says)
    control.setAccessibleName(accessible or says)


def set_look(widget: QWidget, key: str, value: object) -> None:
    """Set a property that the style sheet reads, such as the role of a text, and look like it."""
    if widget.property(key) != value:
        widget.setProperty(key, value)
        if (style := widget.style()) is not None:
            style.unpolish(widget)
            style.polish(widget)


class Dialog(QDialog):
    """A dialog that Esc and Ctrl+W close, never larger than the screen."""

    def __init__(self, parent: QWidget | None, title: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        closing = QShortcut(QKeySequence("Ctrl+W"), self)
        closing.activated.connect(self.reject)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Keep within the screen."""
        super().showEvent(event)
        screen = self.screen() or QGuiApplication.primaryScreen()
        if screen is not None:
            room = screen.availableSize() * _WHOLE_SCREEN_SHARE
            self.resize(self.size().boundedTo(room))

    def box(self, *standard: Standard) -> QDialogButtonBox:
        """The row of buttons; accepting and rejecting are connected."""
        box = QDialogButtonBox()
        for one in standard:
            box.addButton(one)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        tips = {
            Standard.Ok: "Accept (Enter)",
            Standard.Cancel: "Change nothing (Esc)",
            Standard.Close: "Close (Esc)",
            Standard.Apply: "Apply and keep this window open",
        }
        for one in standard:
            button = box.button(one)
            if button is not None:
                name(button, tips.get(one, button.text()), button.text().replace("&", ""))
        return box


def copy_button(box: QDialogButtonBox, what: str) -> QPushButton:
    """Add a Copy button to a row of buttons."""
    button = QPushButton("&Copy")
    button.setAutoDefault(False)
    name(button, f"Copy {what} to the clipboard", "Copy")
    box.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
    return button


def to_clipboard(text: str) -> None:
    """Put a text on the clipboard."""
    if (clipboard := QApplication.clipboard()) is not None:
        clipboard.setText(text)
