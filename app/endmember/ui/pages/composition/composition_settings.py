"""The settings beside the compositions: columns, how they come about, and how to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from endmember.session.decisions.recipe import Recipe
from endmember.session.views.k_factor_choice import factors_in_use
from endmember.ui.document.page import heading, remark
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.composition.quantification_settings import QuantificationSettings
from endmember.ui.widgets.dialog import name

if TYPE_CHECKING:
    from endmember.session.steps.compositions import Compositions

DETECTION = (
    "Not detected: net counts below 1.645 σ of the blank (Currie's critical level). "
    "Detected: above it. Quantifiable: above 10 σ. LOD: 3 σ of the blank."
)


class CompositionSettings(QWidget):
    """What a table shows, and how its numbers come about."""

    columns_changed = pyqtSignal()

    def __init__(self, workspace: Workspace) -> None:
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
        self.quantification = QuantificationSettings(workspace)
        self.shown_title = heading("Shown as well")
        self.notes_title = heading("This composition")
        self.notes = remark()
        self._lay_out()
        for box in (self.poisson, self.factors, self.instrument):
            box.toggled.connect(lambda _: self.columns_changed.emit())

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.shown_title)
        for box in (self.poisson, self.factors, self.instrument):
            layout.addWidget(box)
        layout.addWidget(self.quantification)
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

    def show_recipe(self, recipe: Recipe, found: Compositions | None) -> None:
        """Show how the numbers come about; `found` are compositions of just this recipe, if any."""
        self.quantification.show_recipe(recipe, {} if found is None else factors_in_use(found))

    def show_notes(self, notes: list[str]) -> None:
        """Say what must be known to read the table."""
        self.notes_title.setVisible(bool(notes))
        self.notes.setVisible(bool(notes))
        self.notes.setText("\n".join(f"• {note}" for note in notes))
