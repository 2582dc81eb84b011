"""What a formula unit is scaled to: a number, and whether of oxygens or of cations."""

from __future__ import annotations

from typing import Literal, cast

from PyQt6.QtWidgets import QHBoxLayout, QLabel, QWidget

from endmember.session.decisions import phase_edits
from endmember.session.decisions.recipe import Recipe
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.inputs import ChoiceBox, NumberBox

LARGEST = 1000.0
COUNTED = (("O", "O"), ("cations", "cations"))


class FormulaBasisBox(QWidget):
    """The basis of one phase; every change goes into the recipe at once."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.edits = GestureEdits(workspace)
        self.phase = ""
        self._size: float | None = None
        self.size_box = NumberBox(
            "How many of them a formula unit holds, such as 3 O for a perovskite; 0 for not given",
            "size of the formula unit",
        )
        self.size_box.setRange(0.0, LARGEST)
        self.size_box.setDecimals(3)
        self.size_box.setSpecialValueText("not given")
        self.counted = ChoiceBox(
            "What is counted: oxygen, or all cations (elements with a valence)",
            "what a formula unit counts",
        )
        self.counted.setMinimumContentsLength(6)
        self.counted.show_choices(COUNTED, "O")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("per"))
        row.addWidget(self.size_box)
        row.addWidget(self.counted)
        self.size_box.valueChanged.connect(lambda size: self._set(size or None))
        self.counted.activated.connect(lambda _: self._set(self._size))

    def show_phase(self, phase: str | None, recipe: Recipe) -> None:
        """Show the basis of a phase; None for what has none, such as a mixture."""
        # late: it loads numerical libraries
        from endmember.core.quantification.formula_units import basis_of

        if phase != self.phase:
            self.size_box.interpretText()  # what is typed belongs to the phase it was typed for
        self.setEnabled(phase is not None)
        text = recipe.sample.formula_unit.get(phase or "")
        basis = None if text is None else basis_of(text)
        counted = "O" if basis is None else basis.of
        if basis is None and phase == self.phase:  # chosen, but without a number yet
            counted = cast(Literal["O", "cations"], self.counted.value)
        self.phase = phase or ""
        self._size = None if basis is None else basis.size
        self.size_box.show_value(self._size or 0.0)
        self.counted.show_choices(COUNTED, counted)

    def _set(self, size: float | None) -> None:
        """Take a size; the recipe's own may have more digits than the box shows."""
        text = f"{size:.10g} {self.counted.value}" if size else None
        self.edits.edit(("formula", self.phase), phase_edits.set_formula_unit, self.phase, text)
