"""The settings beside the compositions: columns, k-factors, and what must be known to read them."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QFormLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from endmember.session.recipe import Recipe
from endmember.ui.dialog import name
from endmember.ui.elided_label import ElidedLabel
from endmember.ui.inputs import ChoiceBox
from endmember.ui.page import heading, remark

COMPUTED = "computed"
STRONGEST = "strongest line"
COMPUTED_FROM = ("computed from cross sections, with detector", "computed, with detector")
DETECTION = (
    "Not detected: net counts below 1.645 σ of the blank (Currie's critical level). "
    "Detected: above it. Quantifiable: above 10 σ. LOD: 3 σ of the blank."
)


class CompositionSettings(QWidget):
    """What a table shows, and the k-factors."""

    columns_changed = pyqtSignal()
    file_asked = pyqtSignal()
    computed_asked = pyqtSignal()
    reference_chosen = pyqtSignal(object)
    """The symbol of an element, None for the strongest line."""

    def __init__(self) -> None:
        super().__init__()
        self.poisson = QCheckBox("Poisson-only error")
        name(
            self.poisson,
            "Show value / √N as well, as papers often give it; it leaves out the background",
            "show the Poisson-only error",
        )
        self.factors = QCheckBox("k-factor and absorption")
        name(self.factors, "Show the factors between counts and values", "show k-factors")
        self.instrument = QCheckBox("instrument lines (counts only)")
        name(
            self.instrument,
            "Show the counts of grid, pole piece and preparation, which are never quantified",
            "show instrument lines",
        )
        self.source = ElidedLabel()
        self.source.setAccessibleName("k-factors in use")
        self.computed = QPushButton("Computed")
        name(self.computed, "Compute the k-factors from ionisation cross sections")
        self.file = QPushButton("File…")
        name(self.file, "Read k-factors from a CSV file: element, line, k, basis")
        self.reference = ChoiceBox(
            "Element to which the k-factors in the table refer; no value depends on it",
            "reference element of the k-factors",
        )
        self.shown_title = heading("Shown as well")
        self.notes_title = heading("This composition")
        self.notes = remark()
        self._lay_out()
        for box in (self.poisson, self.factors, self.instrument):
            box.toggled.connect(lambda _: self.columns_changed.emit())
        self.computed.clicked.connect(self.computed_asked)
        self.file.clicked.connect(self.file_asked)
        self.reference.activated.connect(
            lambda index: self.reference_chosen.emit(self.reference.value_at(index))
        )

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.computed)
        buttons.addWidget(self.file)
        form = QFormLayout()
        form.addRow("k relative to", self.reference)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.shown_title)
        for box in (self.poisson, self.factors, self.instrument):
            layout.addWidget(box)
        layout.addWidget(heading("k-factors"))
        layout.addWidget(self.source)
        layout.addLayout(buttons)
        layout.addLayout(form)
        for part in (self.notes_title, self.notes, heading("States"), remark(DETECTION)):
            layout.addWidget(part)

    def show_kind(self, kind: str) -> None:
        """Offer what can be added to this kind of table."""
        for part in (self.shown_title, self.poisson, self.factors, self.instrument):
            part.setVisible(kind == "composition")

    @property
    def hidden_columns(self) -> frozenset[str]:
        """The keys of the columns that are not to be shown."""
        hidden = set() if self.poisson.isChecked() else {"poisson"}
        if not self.factors.isChecked():
            hidden |= {"k", "absorption"}
        return frozenset(hidden)

    def show_recipe(self, recipe: Recipe) -> None:
        """Show where the k-factors come from and what they refer to."""
        file = recipe.quantification.k_factors
        computed = file == COMPUTED
        self.source.set_texts(
            *(COMPUTED_FROM if computed else (f"file {Path(file).name}", Path(file).name))
        )
        self.source.setToolTip(
            "computed from ionisation cross sections, fluorescence yields and the detector"
            if computed
            else file
        )
        choices: list[tuple[str, object]] = [(STRONGEST, None)]
        choices += [(element, element) for element in recipe.sample.elements]
        self.reference.show_choices(choices, recipe.quantification.reference)

    def show_notes(self, notes: list[str]) -> None:
        """Say what must be known to read the table."""
        self.notes_title.setVisible(bool(notes))
        self.notes.setVisible(bool(notes))
        self.notes.setText("\n".join(f"• {note}" for note in notes))
