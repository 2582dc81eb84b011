"""The spectra of the phases, one over the other on one scale, in the colours of the phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from endmember.session.views.abundance_views import EndmemberSpectrum, Normalisation
from endmember.ui.spectrum_views.spectrum_view import Curve, SpectrumView
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.inputs import ChoiceBox

if TYPE_CHECKING:
    from endmember.core.counts.spectrum import EnergyAxis

UNITS: dict[Normalisation, str] = {
    "area": "share of counts per channel",
    "peak": "normalised to peak",
}


class EndmemberView(QWidget):
    """Matrix and subtracted precipitates with their error bands."""

    normalisation_changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.plot = SpectrumView("spectra of the phases")
        self.scale = ChoiceBox(
            "How the spectra are brought to one scale: to unit area, as they are unmixed, or to "
            "their highest peak",
            "scale of the spectra",
        )
        self.scale.show_choices([("to unit area", "area"), ("to the peak", "peak")], "area")
        self.log = QToolButton()
        self.log.setText("log")
        self.log.setCheckable(True)
        name(self.log, "Logarithmic values (L)", "logarithmic values")
        label = QLabel("Spectra of the phases, normalised")
        label.setBuddy(self.scale)
        bar = QHBoxLayout()
        bar.setSpacing(6)
        for widget in (label, self.scale, self.log):
            bar.addWidget(widget)
        bar.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(bar)
        layout.addWidget(self.plot, 1)
        self.log.toggled.connect(self.plot.set_log)
        self.plot.log_changed.connect(self.log.setChecked)
        self.scale.activated.connect(lambda _: self.normalisation_changed.emit())

    @property
    def normalisation(self) -> Normalisation:
        """How the spectra are normalised."""
        return cast(Normalisation, self.scale.value)

    def show_spectra(
        self,
        axis: EnergyAxis,
        spectra: Sequence[EndmemberSpectrum],
        colours: Mapping[str, QColor],
    ) -> None:
        """Show these spectra, the matrix first and in front, as it has the least noise."""
        energy = axis.centres
        self.plot.set_unit(UNITS[self.normalisation])
        self.plot.set_curves(
            [
                Curve(
                    f"{of.phase} ({'matrix subtracted' if number else 'matrix'}, ± σ)",
                    energy,
                    of.values,
                    colours[of.phase],
                    low=of.values - of.sigma,
                    high=of.values + of.sigma,
                    z=-number,
                )
                for number, of in enumerate(spectra)
                if of.phase in colours
            ]
        )
