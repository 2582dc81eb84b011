"""The colours of maps: their tables, and a short bar with the values at its ends."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from endmember.ui.widgets.theme import colours

LENGTH, LEAST_LENGTH, GAP = 40, 18, 4  # of the bar and beside it, in pixels of the screen


def colour_table(name: str) -> npt.NDArray[np.uint8]:
    """256 colours (256, 4) of a colour map; "grey" is linear."""
    if name == "grey":
        ramp = np.arange(256, dtype=np.uint8)
        return np.stack([ramp, ramp, ramp, np.full(256, 255, np.uint8)], axis=1)
    return np.asarray(
        pg.colormap.get(name).getLookupTable(0.0, 1.0, 256, alpha=True), dtype=np.uint8
    )


def number_text(value: float, digits: int = 3) -> str:
    """A value to some digits, with powers of ten only where they are shorter."""
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:.0f}" if 100 <= abs(rounded) < 100_000 else f"{rounded:g}"


class ColourBar(QWidget):
    """A short gradient with the values at its ends; leaves out the unit, then digits."""

    def __init__(self) -> None:
        super().__init__()
        self._levels, self.unit = (0.0, 1.0), ""
        self._with_unit = True
        self._table = colour_table("viridis")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("colour bar")

    def show_scale(
        self, levels: tuple[float, float], unit: str, table: npt.NDArray[np.generic]
    ) -> None:
        """Show the values at the ends of the colours, with their unit."""
        self._levels, self.unit = levels, unit
        self._table = np.asarray(table, dtype=np.uint8)
        low, high = self._texts(3, unit)
        self.setToolTip(f"colours run from {low} to {high}")
        self.setAccessibleName(f"colours run from {low} to {high}")
        self.updateGeometry()
        self.update()

    def _texts(self, digits: int, unit: str) -> tuple[str, str]:
        low, high = (number_text(level, digits) for level in self._levels)
        return low, f"{high} {unit}".rstrip()

    def _room(self, texts: tuple[str, str]) -> int:
        metrics = self.fontMetrics()
        return sum(metrics.horizontalAdvance(text) for text in texts) + 2 * GAP

    def show_unit(self, shown: bool) -> None:
        """Whether to say the unit where there is room; the tooltip always says it."""
        if shown != self._with_unit:
            self._with_unit = shown
            self.updateGeometry()
            self.update()

    def least_width(self) -> int:
        """Pixels below which nothing is drawn."""
        return self._room(self._texts(2, "")) + LEAST_LENGTH

    def width_with_unit(self) -> int:
        """Pixels from which on the unit is said."""
        return self._room(self._texts(3, self.unit)) + LEAST_LENGTH

    def sizeHint(self) -> QSize:
        """With the unit, where there is room."""
        unit = self.unit if self._with_unit else ""
        return QSize(self._room(self._texts(3, unit)) + LENGTH, self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """It never makes a map wider."""
        return QSize(0, self.fontMetrics().height())

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """As much of it as there is room for."""
        first = self.unit if self._with_unit else ""
        for digits, unit in ((3, first), (3, ""), (2, "")):
            texts = self._texts(digits, unit)
            spare = self.width() - self._room(texts)
            if spare >= LEAST_LENGTH:
                self._draw(*texts, min(spare, LENGTH))
                return

    def _draw(self, low: str, high: str, length: int) -> None:
        painter = QPainter(self)
        painter.setPen(QColor(colours().muted))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(self.rect(), right, high)
        end = self.width() - self.fontMetrics().horizontalAdvance(high) - GAP
        bar = QRectF(end - length, self.height() / 2 - 4, length, 8)
        painter.drawText(QRectF(0, 0, end - length - GAP, self.height()), right, low)
        gradient = QLinearGradient(bar.left(), 0, bar.right(), 0)
        for stop in range(0, 256, 15):
            gradient.setColorAt(stop / 255, QColor(*(int(v) for v in self._table[stop][:3])))
        painter.fillRect(bar, gradient)
