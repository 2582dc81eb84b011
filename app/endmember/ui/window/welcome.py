"""What the window shows while nothing is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt6.QtWidgets import QCommandLinkButton, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from endmember.ui.widgets.theme import THEME, colours

SHOWN_RECENT = 5


def _arrow() -> QIcon:
    """The mark of a way to begin, in the colour of the theme: the style's own is black."""
    picture = QPixmap(32, 32)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colours().accent))
    painter.drawPolygon(QPointF(9, 5), QPointF(24, 16), QPointF(9, 27))
    painter.end()
    return QIcon(picture)


class Welcome(QWidget):
    """Three ways to begin, and the files opened last."""

    open_asked = pyqtSignal()
    demo_asked = pyqtSignal()
    recent_asked = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout()
        self._column.setSpacing(8)
        title = QLabel("Endmember")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 2.0)
        title.setFont(font)
        text = QLabel(
            "Tells apart phases that overlap in a STEM-EDXS map, and measures the trace elements "
            "in each, with errors and detection limits."
        )
        text.setWordWrap(True)
        text.setProperty("role", "muted")
        self._column.addWidget(title)
        self._column.addWidget(text)
        self._button(
            "Open a map or a recipe…",
            "hspy, emd, bcf, pts, spd, rpl, dm3 and others, or a recipe (.toml). "
            "You can also drop files on this window. (Ctrl+O)",
            self.open_asked.emit,
        )
        self._button(
            "Look at the demo",
            "A simulated map of a lower-mantle sample whose truth is known, with its recipe.",
            self.demo_asked.emit,
        )
        self._recent = QVBoxLayout()
        self._column.addLayout(self._recent)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        inner = QWidget()
        inner.setLayout(self._column)
        inner.setMinimumWidth(360)
        inner.setMaximumWidth(540)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(inner, 1000)
        row.addStretch(1)
        outer.addLayout(row)
        outer.addStretch(3)
        THEME.changed.connect(self._colour)
        self._colour()

    def _colour(self) -> None:
        for button in self.findChildren(QCommandLinkButton):
            button.setIcon(_arrow())

    def _button(self, text: str, more: str, action: Callable[[], object]) -> None:
        button = QCommandLinkButton(text, more)
        button.setAccessibleName(text)
        button.setMinimumHeight(4 * button.fontMetrics().height() + 8)
        button.setToolTip(more)
        button.clicked.connect(lambda _=False: action())
        self._column.addWidget(button)

    def show_recent(self, files: tuple[Path, ...]) -> None:
        """Offer the files opened last that still exist."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        there = [file for file in files if file.exists()][:SHOWN_RECENT]
        if there:
            label = QLabel("Opened last")
            label.setProperty("role", "heading")
            self._recent.addWidget(label)
        for file in there:
            link = QCommandLinkButton(file.name, str(file.parent))
            link.setAccessibleName(f"open {file.name}")
            link.setToolTip(str(file))
            link.setIcon(_arrow())
            link.clicked.connect(lambda _=False, file=file: self.recent_asked.emit(file))
            self._recent.addWidget(link)
