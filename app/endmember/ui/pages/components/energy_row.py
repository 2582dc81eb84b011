"""The map at the energy under the pointer, beside the summed spectrum of the whole map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QStyle, QVBoxLayout, QWidget

from endmember.ui.map_views.map_view import MapView, Place
from endmember.ui.map_views.shape_gestures import Point
from endmember.ui.pages.components.component_row import LEAST_HEIGHT_FOR_BAR, STRIPE_WIDTH, TO_PEAK
from endmember.ui.spectrum_views.spectrum_view import Curve, SpectrumView, WindowMark
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.inputs import NumberBox
from endmember.ui.widgets.theme import colours

if TYPE_CHECKING:
    from endmember.core.counts.spectrum import EnergyAxis, FloatArray
    from endmember.session.views.component_views import EnergyMap

WAITING = "Point at a spectrum to see the map of that energy"


def _scroll_bar_width(widget: QWidget) -> int:
    style = widget.style()
    return 0 if style is None else style.pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)


class EnergyRow(QWidget):
    """As a row of a component, for the whole map."""

    energy_set = pyqtSignal(float)

    def __init__(self) -> None:
        super().__init__()
        self.map = MapView("map at the pointer's energy")
        self.map.canvas.least_height_for_bar = LEAST_HEIGHT_FOR_BAR
        self.map.set_empty(WAITING)
        self.plot = SpectrumView("spectrum of the whole map")
        self.plot.set_unit(TO_PEAK)
        self.plot.set_legend(False)
        self.energy = NumberBox(
            "The energy whose map is shown; point at any spectrum, or type it here",
            "energy of the map in keV",
            "keV",
        )
        self.energy.setDecimals(3)
        self.energy.setSingleStep(0.01)
        self.energy.setRange(0.0, 100.0)
        self.told = ElidedLabel(least=40, greedy=True)
        self.told.setProperty("role", "muted")
        self.shown: EnergyMap | None = None
        self._spectrum: tuple[EnergyAxis, FloatArray] | None = None
        self._lay_out()
        self.energy.valueChanged.connect(self.energy_set)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.energy)
        head.addWidget(self.told, 1)
        right = QVBoxLayout()
        right.setSpacing(2)
        right.addLayout(head)
        right.addWidget(self.plot, 1)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Sunken)
        row = QHBoxLayout()
        row.setContentsMargins(STRIPE_WIDTH + 4, 0, _scroll_bar_width(self), 0)
        row.setSpacing(4)
        row.addWidget(self.map)
        row.addLayout(right, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(2)
        whole.addWidget(line)
        whole.addLayout(row, 1)

    def show_spectrum(self, axis: EnergyAxis, values: FloatArray) -> None:
        """The summed spectrum of the whole map, normalised to its peak."""
        self._spectrum = axis, values
        self.energy.blockSignals(True)  # a value that is moved into the range was not chosen
        self.energy.setRange(round(axis.start_keV, 3), round(axis.stop_keV, 3))
        self.energy.blockSignals(False)
        self.draw_spectrum()

    def draw_spectrum(self) -> None:
        """Show the spectrum in the colours of the theme."""
        if self._spectrum is None:
            return
        axis, values = self._spectrum
        curve = Curve("whole map", axis.centres, np.asarray(values), colours().line, width=1.2)
        self.plot.set_curves([curve])
        self._draw_window()

    def _draw_window(self) -> None:
        marks = []
        if self.shown is not None:
            window = self.shown.window
            marks = [WindowMark("", window.low_keV, window.high_keV, colours().accent)]
        self.plot.set_windows(marks)

    def set_scale(self, high: float | None, log: bool) -> None:
        """Values up to `high`, all (None), or a log scale."""
        self.plot.set_log(log)
        if high is not None and not log:
            self.plot.show_values(0.0, high)
        else:
            self.plot.auto_range_y = True

    def show_map(
        self,
        found: EnergyMap,
        levels: tuple[float, float],
        place: Place,
        pixel_size_nm: float | None,
    ) -> None:
        """Show the map of an energy."""
        self.shown = found
        window = found.window
        self.energy.show_value(found.energy_keV)
        title = f"{found.energy_keV:.2f} keV"
        told = f"counts from {window.low_keV:.3f} to {window.high_keV:.3f} keV"
        self.map.set_title(title, f"{told}: 1.2 times the width of a line, background included")
        self.told.setText(f"{told}, and the spectrum of the whole map")
        self.told.setToolTip(self.told.text())
        self.map.set_image(
            found.shown,
            place,
            "counts",
            pixel_size_nm=pixel_size_nm,
            levels=self.map.levels or levels,
        )
        self._draw_window()

    def forget(self) -> None:
        """Another map: nothing is shown of the one before."""
        self.shown = None
        self.map.set_title("map at the pointer's energy")
        self.map.set_empty(WAITING)
        self.told.setText("")
        self._draw_window()

    def value_text(self, point: Point) -> str:
        """What the map holds at a point, if the pointer is over it."""
        pixel = self.map.pixel_at(point) if self.map.canvas.underMouse() else None
        if pixel is None or self.shown is None:
            return ""
        return f"{self.shown.energy_keV:.3f} keV: {self.shown.counts[pixel]:.4g} counts"
