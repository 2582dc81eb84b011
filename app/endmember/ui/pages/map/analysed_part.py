"""Which part of a map is analysed: crop, rebinning, energy range."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from endmember.session.decisions import edits
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.workspace import Workspace
from endmember.ui.map_views.frame_boxes import FrameBoxes
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.inputs import NumberBox, WholeBox

if TYPE_CHECKING:
    from endmember.session.steps.map_data import MapData

LARGEST_BLOCK = 64
HIGHEST_keV = 100.0  # of any detector's axis


class AnalysedPart(QWidget):
    """Exact boxes for the crop, the rebinning and the energy range."""

    crop_set = pyqtSignal(object)
    """The frame of the crop that a person has set, None for the whole map."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.edits = GestureEdits(workspace)
        self.crop = FrameBoxes("the crop", decimals=0)
        self.whole = QPushButton("Whole map")
        name(self.whole, "Take the crop away: analyse the whole map", "reset the crop")
        self.rebin = WholeBox(
            "Sum blocks of so many pixels in x and y: fewer pixels with more counts each",
            "rebinning in pixels",
            "px",
        )
        self.rebin.setRange(1, LARGEST_BLOCK)
        self.low = self._energy_box("lowest", "Below it lies the zero peak of many detectors")
        self.high = self._energy_box("highest", "Above it there are no lines that matter")
        self._lay_out()
        self.crop.changed.connect(self.crop_set)
        self.whole.clicked.connect(lambda: self.crop_set.emit(None))
        self.rebin.valueChanged.connect(self._on_rebin)
        for end, box in enumerate((self.low, self.high)):
            box.valueChanged.connect(partial(self._on_range, end))

    def _energy_box(self, which: str, why: str) -> NumberBox:
        says = f"The {which} energy that is decomposed and fitted. {why}"
        box = NumberBox(says, f"{which} energy in keV", "keV")
        box.setRange(0.0, HIGHEST_keV)
        box.setDecimals(3)
        box.setSingleStep(0.1)
        box.setMinimumWidth(76)
        return box

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(QLabel("Crop"))
        top.addStretch(1)
        top.addWidget(self.whole)
        energies = QHBoxLayout()
        energies.addWidget(self.low, 1)
        energies.addWidget(QLabel("to"))
        energies.addWidget(self.high, 1)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Rebin by", self.rebin)
        form.addRow("Energies", energies)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addLayout(top)
        whole.addWidget(self.crop)
        whole.addLayout(form)

    def refresh(self, data: MapData | None) -> None:
        """Show what today's recipe says of the map looked at."""
        recipe = self.workspace.recipe
        if recipe is None:
            return
        entry = recipe.map_named(self.workspace.focus.map_name)
        rows, columns = (0, 0) if data is None else data.full_shape
        whole = None if data is None else (0, 0, columns, rows)
        self.crop.set_frame(entry.crop or whole)
        self.whole.setEnabled(entry.crop is not None)
        self.rebin.show_value(entry.rebin)
        low, high = recipe.instrument.energy_range_keV
        self.low.show_value(float(low))
        self.high.show_value(float(high))

    def _on_rebin(self, value: int) -> None:
        map_name = self.workspace.focus.map_name
        self.edits.edit(("rebin", map_name), edits.set_map, map_name, rebin=value)

    def _on_range(self, end: int, energy: float) -> None:
        recipe = self.workspace.recipe
        if recipe is None:
            return
        before = recipe.instrument.energy_range_keV
        energies = list(before)  # the other end may have more decimals than its box
        energies[end] = round(energy, 3)
        if not self.edits.edit("range", edits.set_instrument, energy_range_keV=tuple(energies)):
            (self.low, self.high)[end].show_value(float(before[end]))
