"""A strip at the top of a panel for one sentence."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.messages import WORDS, Kind, breakable, kind_colour, paint_mark
from endmember.ui.widgets.theme import THEME

PADDING = 6


class _Mark(QWidget):
    """The mark of a kind as a small widget."""

    def __init__(self) -> None:
        super().__init__()
        self.kind: Kind = "info"
        side = self.fontMetrics().height()
        self.setFixedSize(side, side)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the mark."""
        painter = QPainter(self)
        paint_mark(painter, QRectF(self.rect()).adjusted(1, 1, -1, -1), self.kind)


class Banner(QFrame):
    """A strip at the top of a panel for a failure or a hint, with an action; hidden when empty."""

    acted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind: Kind = "info"
        self.text = ""
        self._mark = _Mark()
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._label.setMinimumWidth(60)
        self.action = QPushButton()
        name(self.action, "What can be done about it")
        self.action.setAutoDefault(False)
        self.action.clicked.connect(self.acted)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 6, 5)
        row.setSpacing(PADDING)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._label, 1)
        row.addWidget(self.action, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        THEME.changed.connect(self.update)
        self.hide()

    def set(self, kind: Kind, text: str, action_text: str | None = None) -> None:
        """Show a sentence, with a button if it is named; an empty text hides the strip."""
        self.kind, self.text = kind, text
        self._mark.kind = kind
        self._mark.update()
        said = text if kind == "info" else f"{WORDS[kind]}: {text}"
        self._label.setText(breakable(said))
        self.setAccessibleName(said)
        self.setToolTip(said)
        self.action.setText(action_text or "")
        name(self.action, action_text or "What can be done about it")
        self.action.setVisible(bool(action_text))
        self.setVisible(bool(text))
        self.update()

    def clear(self) -> None:
        """Hide the strip."""
        self.set("info", "")

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """A faint ground and a bar at the left in the colour of the kind."""
        painter = QPainter(self)
        colour = kind_colour(self.kind)
        painter.fillRect(0, 0, 4, self.height(), colour)
        colour.setAlpha(38)
        painter.fillRect(self.rect(), colour)
