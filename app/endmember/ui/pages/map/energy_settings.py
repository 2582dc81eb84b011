"""The energy axis of a map: what strong lines say of it, and its recalibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from endmember.session.decisions import edits
from endmember.session.decisions.recipe import MapInput
from endmember.session.steps.energy_checks import lines_off, recalibration
from endmember.ui.document.page import remark
from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.optional_number import OptionalNumber

if TYPE_CHECKING:
    from endmember.core.fitting.energy_calibration import EnergyCheck


class EnergySettings(QWidget):
    """Offset and gain, to be typed or taken from the lines."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.check: EnergyCheck | None = None
        self.says = remark()
        self.lines = remark()
        self.offset = OptionalNumber(
            "Added to every energy of the file, in keV: true energies are offset + gain x file",
            "energy offset in keV",
            "-0.03",
        )
        self.gain = OptionalNumber(
            "Every energy of the file is multiplied by it; 1 where the file is right",
            "energy gain",
            "1.002",
        )
        self.take = QPushButton("Recalibrate")
        name(self.take, "Take the offset and the gain that put the lines right (one undo)")
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        for row, (text, field) in enumerate((("Offset, keV", self.offset), ("Gain", self.gain))):
            label = QLabel(text)
            label.setBuddy(field)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
            field.refused.connect(lambda text: workspace.say("warning", text))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        for widget in (self.says, self.lines, self.take):
            whole.addWidget(widget)
        whole.addLayout(grid)
        self.offset.given.connect(lambda v: self._set(energy_offset_keV=v))
        self.gain.given.connect(lambda v: self._set(energy_gain=v))
        self.take.clicked.connect(self.recalibrate)

    @property
    def _entry(self) -> MapInput | None:
        recipe = self.workspace.recipe
        return None if recipe is None else recipe.map_named(self.workspace.focus.map_name)

    def refresh(self, check: EnergyCheck | None) -> None:
        """Show what the recipe says of the map looked at, and what its lines say; None: not yet."""
        entry = self._entry
        if entry is None:
            return
        self.check = check
        self.offset.show_value(entry.energy_offset_keV, "0, as in the file")
        self.gain.show_value(entry.energy_gain, "1, as in the file")
        self.says.setText(verdict(check, entry))
        self.lines.setText("" if check is None else lines_text(check))
        self.lines.setVisible(bool(self.lines.text()))
        self.take.setVisible(check is not None and check.covariance is not None)
        self.take.setEnabled(
            check is not None and recalibration(check, entry) != entry.recalibration
        )

    def recalibrate(self) -> None:
        """Take what the lines say."""
        entry, check = self._entry, self.check
        if entry is None or check is None or check.covariance is None:
            return
        offset, gain = recalibration(check, entry)
        self._set(energy_offset_keV=offset, energy_gain=gain)

    def _set(self, **settings: Any) -> None:
        self.workspace.edit(edits.set_map, self.workspace.focus.map_name, **settings)


def verdict(check: EnergyCheck | None, entry: MapInput) -> str:
    """One sentence on the axis."""
    if check is None:
        return "Not checked yet."
    if check.covariance is None:
        if check.lines:
            return "Not checked: the strong lines contradict each other. Are the elements right?"
        return "Not checked: fewer than two strong lines of the chosen elements."
    if check.is_off:
        offset, gain = recalibration(check, entry)
        asked = f"an offset of {offset:+.4f} keV and a gain of {gain:.5f}"
        return f"Off: {lines_off(check)}. The lines ask for {asked}."
    worst = check.worst
    shift = 0.0 if worst is None else check.shift_keV(worst.position_keV)
    return f"Right to {1000 * abs(shift):.1f} eV at {len(check.used)} strong lines."


def lines_text(check: EnergyCheck) -> str:
    """Each line with what it lies beside its place, those left out said so."""
    return "; ".join(
        f"{line.name} {1000 * (line.position_keV - line.energy_keV):+.1f} "
        f"\N{PLUS-MINUS SIGN} {1000 * line.sigma_keV:.1f} eV" + ("" if line.used else " (left out)")
        for line in check.lines
    )


def banner_text(check: EnergyCheck | None) -> str:
    """What the page tells at its top, nothing where the axis is right."""
    if check is None or not check.is_off:
        return ""
    return f"The energy axis is off: {lines_off(check)}"
