"""A line of text that is shortened with an ellipsis where it does not fit."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QStyleOption


class ElidedLabel(QLabel):
    """A label of one line that may be narrower than its text; its tooltip should hold it all.

    It gives way down to `least` pixels of the screen, or its text where that is shorter. A `greedy`
    one asks for no more, and takes what room is left. Where a short text was given, it stands for
    one that does not fit.
    """

    def __init__(self, text: str = "", least: int = 0, *, greedy: bool = False) -> None:
        super().__init__(text)
        self.least = least
        self.greedy = greedy
        self.short = ""
        wish = QSizePolicy.Policy.Expanding if greedy else QSizePolicy.Policy.Preferred
        self.setSizePolicy(wish, QSizePolicy.Policy.Preferred)

    def set_texts(self, text: str, short: str) -> None:
        """A text, and the one that stands for it where it does not fit."""
        self.short = short
        self.setText(text)

    def shown_text(self) -> str:
        """What there is room for; no rest of a text that has a short one."""
        metrics, room = self.fontMetrics(), self.width()
        if self.short and metrics.horizontalAdvance(self.text()) > room:
            return self.short if metrics.horizontalAdvance(self.short) <= room else ""
        return metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, room)

    def _size(self, most: int | None) -> QSize:
        width = self.fontMetrics().horizontalAdvance(self.text()) + 2
        height = self.fontMetrics().height()
        return QSize(width if most is None else min(width, most), height)

    def minimumSizeHint(self) -> QSize:
        """As narrow as it may become."""
        return self._size(self.least)

    def sizeHint(self) -> QSize:
        """The whole text, or the least of it."""
        return self._size(self.least if self.greedy else None)

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """Draw as much of the text as there is room for."""
        painter = QPainter(self)
        option = QStyleOption()
        option.initFrom(self)
        style = self.style()
        if style is not None:
            style.drawItemText(
                painter,
                self.contentsRect(),
                int(self.alignment()),
                option.palette,
                self.isEnabled(),
                self.shown_text(),
                self.foregroundRole(),
            )
