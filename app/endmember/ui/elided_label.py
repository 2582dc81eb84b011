"""A line of text that is shortened with an ellipsis where it does not fit."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QStyleOption


class ElidedLabel(QLabel):
    """A label of one line that may be narrower than its text; its tooltip should hold it all.

    It gives way down to `least` pixels of the screen, or its text where that is shorter. A `greedy`
    one asks for no more, and takes what room is left.
    """

    def __init__(self, text: str = "", least: int = 0, *, greedy: bool = False) -> None:
        super().__init__(text)
        self.least = least
        self.greedy = greedy
        wish = QSizePolicy.Policy.Expanding if greedy else QSizePolicy.Policy.Preferred
        self.setSizePolicy(wish, QSizePolicy.Policy.Preferred)

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
        right = Qt.TextElideMode.ElideRight
        shown = self.fontMetrics().elidedText(self.text(), right, self.width())
        style = self.style()
        if style is not None:
            style.drawItemText(
                painter,
                self.contentsRect(),
                int(self.alignment()),
                option.palette,
                self.isEnabled(),
                shown,
                self.foregroundRole(),
            )
