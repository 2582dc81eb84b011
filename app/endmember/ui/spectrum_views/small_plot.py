"""A small plot beside the settings of a page, in the colours of the theme; the wheel goes past."""

from __future__ import annotations

from typing import Any

import PyQt6.QtCore  # noqa: F401 - before pyqtgraph, which takes the first Qt it finds
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QWidget

from endmember.ui.spectrum_views.spectrum_axes import number, power_of_ten
from endmember.ui.widgets.theme import THEME, colours


class SmallPlot(pg.GraphicsView):  # type: ignore[misc]
    """Two axes with titles, values upwards on a log scale; nothing to zoom or to pan.

    pyqtgraph's own plot widget takes 15 ms to make, for menus that are not wanted here.
    """

    def __init__(self, name: str, below: str, beside: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=colours().plot)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.box: Any = pg.ViewBox(enableMouse=False, enableMenu=False)
        left, bottom = pg.AxisItem("left"), pg.AxisItem("bottom")
        left.setLogMode(False, True)
        left.tickStrings = lambda values, *_: [power_of_ten(value) for value in values]
        bottom.tickStrings = _whole_numbers
        layout = pg.GraphicsLayout()
        layout.setContentsMargins(0, 6, 8, 0)
        layout.setSpacing(0)
        layout.addItem(left, 0, 0)
        layout.addItem(self.box, 0, 1)
        layout.addItem(bottom, 1, 1)
        self.setCentralItem(layout)
        self._axes = ((left, beside), (bottom, below))
        for axis, _ in self._axes:
            axis.linkToView(self.box)
            axis.enableAutoSIPrefix(False)
        self.follow_theme()
        THEME.changed.connect(self.follow_theme)

    def follow_theme(self) -> None:
        """Draw all in the colours of the theme and the font of the widget."""
        of = colours()
        self.setBackground(of.plot)
        size = f"{self.font().pointSizeF():g}pt"
        for axis, title in self._axes:
            axis.setPen(pg.mkPen(of.muted))
            axis.setTextPen(pg.mkPen(of.text))
            axis.setTickFont(self.font())
            axis.setLabel(title, color=of.text, **{"font-size": size})
        self.draw_again()

    def draw_again(self) -> None:
        """Draw what is shown, in the colours of the theme."""

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the font of the widget."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.FontChange and hasattr(self, "_axes"):
            self.follow_theme()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the panel that scrolls."""
        if event is not None:
            event.ignore()


def _whole_numbers(values: list[float], _scale: Any, spacing: float) -> list[str]:
    return [number(value, spacing) if value == round(value) else "" for value in values]
