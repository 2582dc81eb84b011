"""Contrast of a map: its histogram and the two ends of the colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QDoubleSpinBox, QFormLayout, QVBoxLayout

from endmember.ui.widgets.theme import colours

if TYPE_CHECKING:
    from endmember.ui.map_views.map_view import MapView


class ContrastDialog(QDialog):
    """Drag the two lines on the histogram, or type the values; Automatic goes back."""

    def __init__(self, view: MapView) -> None:
        super().__init__(view)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Contrast of {view.title}")
        self.view = view
        low, high = view.shown_levels()
        self.plot = pg.PlotWidget()
        self.plot.setMinimumSize(320, 140)
        self.plot.setMouseEnabled(False, False)
        self.plot.hideButtons()
        self.plot.setLabel("bottom", view.unit or "value")
        self.plot.setLabel("left", "pixels (log)")
        self.plot.getAxis("bottom").enableAutoSIPrefix(False)
        self._draw_histogram()
        self.region = pg.LinearRegionItem((low, high), brush=pg.mkBrush(120, 160, 220, 60))
        self.plot.addItem(self.region)
        self.low, self.high = self._box("low", low), self._box("high", high)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        automatic = buttons.addButton("Automatic", QDialogButtonBox.ButtonRole.ResetRole)
        form = QFormLayout()
        form.addRow("Darkest at", self.low)
        form.addRow("Brightest at", self.high)
        layout = QVBoxLayout(self)
        layout.addWidget(self.plot)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self.region.sigRegionChanged.connect(self._on_region)
        self.low.valueChanged.connect(self._on_boxes)
        self.high.valueChanged.connect(self._on_boxes)
        buttons.rejected.connect(self.close)
        if automatic is not None:
            automatic.setToolTip("Ends at low and high percentiles of the map")
            automatic.clicked.connect(self._automatic)

    def _box(self, name: str, value: float) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setRange(-1e12, 1e12)
        box.setDecimals(3)
        box.setValue(value)
        box.setAccessibleName(f"{name} end of the colours")
        box.setToolTip(f"Value shown as the {'darkest' if name == 'low' else 'brightest'} colour")
        return box

    def _draw_histogram(self) -> None:
        array = self.view.array
        assert array is not None
        values = np.asarray(array, dtype=np.float64)
        counts, edges = np.histogram(values[np.isfinite(values)], bins=120)
        self.plot.plot(
            edges,
            np.log10(counts + 1.0),
            stepMode="center",
            fillLevel=0,
            brush=pg.mkBrush(colours().muted),
            pen=pg.mkPen(colours().line),
        )

    def _apply(self, low: float, high: float) -> None:
        if high > low:
            self.view.set_levels((low, high))

    def _on_region(self) -> None:
        low, high = (float(v) for v in self.region.getRegion())
        self._set_boxes(low, high)
        self._apply(low, high)

    def _set_boxes(self, low: float, high: float) -> None:
        for box, value in ((self.low, low), (self.high, high)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)

    def _on_boxes(self) -> None:
        low, high = self.low.value(), self.high.value()
        self.region.blockSignals(True)
        self.region.setRegion((low, high))
        self.region.blockSignals(False)
        self._apply(low, high)

    def _automatic(self) -> None:
        self.view.set_levels(None)
        low, high = self.view.shown_levels()
        self.region.blockSignals(True)
        self.region.setRegion((low, high))
        self.region.blockSignals(False)
        self._set_boxes(low, high)
