"""Beside the abundance maps: phase fractions, what is shown and how, and what was missed."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from endmember.ui.document.page import Veil, remark
from endmember.ui.pages.abundance.fraction_table import FractionRow, FractionTable
from endmember.ui.pages.abundance.missed_list import MissedList
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.inputs import ChoiceBox, SmoothingBox
from endmember.ui.widgets.messages import breakable
from endmember.ui.widgets.section import Section

MIXED, RESIDUAL = "all phases", "residual"
WHOLE, AUTOMATIC = "whole", "automatic"
FRACTIONS = (
    "From a fit of the summed spectrum, ± counting error. Means of the maps are not shown: at few "
    "counts a pixel the bound at 0 biases them. Fractions of counts, not of volume or mass."
)
RESIDUAL_MEANS = (
    "Residual: the misfit of each pixel in units of its counting noise. About 1 where only "
    "counting noise is left; well above 1, the pixel holds what no phase here explains."
)
LARGEST_SMOOTHING_PX = 20.0
LONGEST_NAME = 200  # pixels of a name beside its box


class AbundanceSettings(QWidget):
    """What is chosen here is for the eye and no part of the recipe."""

    shown_changed = pyqtSignal()
    smoothing_changed = pyqtSignal()
    levels_changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.fractions = FractionTable()
        self.fractions_veil = Veil(self.fractions)
        self.boxes: dict[str, QCheckBox] = {}
        self.maps = QVBoxLayout()
        self.maps.setSpacing(2)
        self.levels = ChoiceBox(
            "Ends of the colours of the abundance maps: 0 and 1 for all, or what each map holds",
            "ends of the colours of the abundance maps",
        )
        self.levels.show_choices([("0 to 1", WHOLE), ("automatic", AUTOMATIC)], WHOLE)
        self.smoothing = SmoothingBox(
            "σ of a Gaussian, in pixels of the map, that smooths the maps for the eye; nothing "
            "is computed from smoothed maps",
            "smoothing for display in pixels",
            LARGEST_SMOOTHING_PX,
        )
        self.residual = remark(RESIDUAL_MEANS)
        self.median = QLabel()
        self.median.setWordWrap(True)
        self.missed = MissedList()
        self.warnings = QLabel()
        self.warnings.setWordWrap(True)
        self.warnings.setProperty("role", "warning")
        self.sections = {
            "fractions": Section("Phase fractions"),
            "missed": Section("Missed precipitates"),
            "warnings": Section("Warnings", opened=False),
            "maps": Section("Maps shown"),
            "residual": Section("Residual"),
        }
        self._lay_out()
        self.levels.activated.connect(lambda _: self.levels_changed.emit())
        self.smoothing.valueChanged.connect(lambda _: self.smoothing_changed.emit())

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Levels", self.levels)
        form.addRow("Smoothing σ", self.smoothing)
        for key, parts in (
            ("fractions", (self.fractions, remark(FRACTIONS))),
            ("missed", (self.missed,)),
            ("warnings", (self.warnings,)),
            ("maps", (self.maps, form)),
            ("residual", (self.median, self.residual)),
        ):
            for part in parts:
                self.sections[key].add(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        for section in self.sections.values():
            layout.addWidget(section)
        layout.addStretch(1)
        for key in ("fractions", "missed", "warnings", "residual"):
            self.sections[key].setVisible(False)

    # --- which maps --------------------------------------------------------------------------

    def set_phases(self, phases: Sequence[str]) -> None:
        """Offer a map for each phase, that of all mixed, and the residual."""
        wanted = [MIXED, *phases, RESIDUAL]
        if wanted == list(self.boxes):
            return
        unticked = {key for key, box in self.boxes.items() if not box.isChecked()}
        for box in self.boxes.values():
            box.deleteLater()
        self.boxes = {}
        for key in wanted:
            cut = self.fontMetrics().elidedText(key, Qt.TextElideMode.ElideRight, LONGEST_NAME)
            box = QCheckBox(cut)
            name(box, f"Show the map: {key}", f"show map {key}")
            box.setChecked(key not in unticked)
            box.toggled.connect(lambda _: self.shown_changed.emit())
            self.boxes[key] = box
            self.maps.addWidget(box)

    def shown_maps(self) -> list[str]:
        """The keys of the maps that are ticked."""
        return [key for key, box in self.boxes.items() if box.isChecked()]

    # --- numbers -----------------------------------------------------------------------------

    def show_fractions(self, rows: Sequence[FractionRow], current: bool = True) -> None:
        """Show the phase fractions, greyed where they are out of date; none hides them."""
        self.sections["fractions"].setVisible(bool(rows))
        self.fractions_veil.cover(None if current else "out of date")
        self.fractions.show_rows(rows)

    def show_warnings(self, told: Sequence[str]) -> None:
        """Show what the step warns of; nothing hides it."""
        self.sections["warnings"].setVisible(bool(told))
        self.sections["warnings"].set_title(f"Warnings ({len(told)})")
        self.warnings.setText(breakable("\n\n".join(told)))

    def show_median(self, median: float | None) -> None:
        """Show the median of the residual as it was measured."""
        self.sections["residual"].setVisible(median is not None)
        if median is not None:
            self.median.setText(f"Median of the residual: {median:.2f}")
