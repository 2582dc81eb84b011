"""The names of phases in their colours, in a corner of a map."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QObject, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

MARGIN, CHIP = 5, 10
ROOM = 240  # pixels of a map below which a legend would hide much of it
WIDEST = 0.6  # of the map


class PhaseLegend(QWidget):
    """Lies over the top right of a widget and lets the mouse through."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.entries: tuple[tuple[str, str], ...] = ()
        over.installEventFilter(self)
        self.hide()

    def show_phases(self, entries: Sequence[tuple[str, QColor]]) -> None:
        """Show these names with their colours; none hides it."""
        self.entries = tuple((name, colour.name()) for name, colour in entries)
        self.setAccessibleName("legend: " + ", ".join(name for name, _ in self.entries))
        self.hide()
        self._fit()
        self.update()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Stay in the corner."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._fit()
        return False

    def _fit(self) -> None:
        over = self.parentWidget()
        if over is None or not self.entries:
            return
        self.setVisible(min(over.width(), over.height()) >= ROOM)
        metrics = self.fontMetrics()
        text = max(metrics.horizontalAdvance(name) for name, _ in self.entries)
        width = min(text + CHIP + 3 * MARGIN, round(WIDEST * over.width()))
        height = metrics.height() * len(self.entries) + MARGIN
        self.setGeometry(over.width() - width - MARGIN, MARGIN, width, height)

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """White on dark, as the scale bar, whatever the theme."""
        painter, metrics = QPainter(self), self.fontMetrics()
        painter.fillRect(self.rect(), QColor(0, 0, 0, 170))
        for number, (name, colour) in enumerate(self.entries):
            top = MARGIN / 2 + number * metrics.height()
            chip = QRectF(MARGIN, top + (metrics.height() - CHIP) / 2, CHIP, CHIP)
            painter.fillRect(chip, QColor(colour))
            painter.setPen(QColor("white"))
            painter.drawRect(chip)
            left = CHIP + 2 * MARGIN
            room = self.width() - left - MARGIN + 1
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
            place = QRectF(left, top, room + 2, metrics.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
