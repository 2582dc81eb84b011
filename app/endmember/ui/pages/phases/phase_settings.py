"""Names and densities of the phases, and the thickness of the map."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPainter, QPixmap
from PyQt6.QtWidgets import QFormLayout, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from endmember.session.decisions import edits, phase_edits
from endmember.session.decisions.recipe import Recipe
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.page import heading, remark
from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.inputs import NumberBox
from endmember.ui.widgets.theme import THEME, colours, phase_colour

NOT_GIVEN = "not given"
LARGEST_DENSITY, LARGEST_THICKNESS = 25.0, 10_000.0


def phase_chip(index: int, side: int = 12) -> QPixmap:
    """A square in the colour of a phase."""
    chip = QPixmap(side, side)
    chip.fill(phase_colour(index))
    painter = QPainter(chip)
    painter.setPen(QColor(colours().text))
    painter.drawRect(0, 0, side - 1, side - 1)
    painter.end()
    return chip


class _PhaseRow:
    """Chip, name and density of one phase."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.phase = ""
        self.chip = QLabel()
        self.name = QLineEdit()
        self.density = NumberBox("", "", "")
        self.density.setRange(0.0, LARGEST_DENSITY)
        self.density.setDecimals(2)
        self.density.setSingleStep(0.1)
        self.density.setSpecialValueText(NOT_GIVEN)
        self.draw_chip()

    @property
    def widgets(self) -> tuple[QWidget, ...]:
        """Its widgets from left to right."""
        return self.chip, self.name, self.density

    def draw_chip(self) -> None:
        """In the colours of the theme."""
        self.chip.setPixmap(phase_chip(self.index))

    def show_phase(self, phase: str, density: float | None) -> None:
        """Show a phase, but leave alone what is being typed."""
        typing = self.name.hasFocus() and self.name.isModified()
        if phase != self.phase or not typing:
            self.phase = phase
            if self.name.text() != phase:
                self.name.setText(phase)
                self.name.setCursorPosition(0)  # a long name shows its beginning
        kind = "matrix" if self.index == 0 else "precipitate"
        name(
            self.name,
            f"Name of the {kind} {phase}; results are named after it. Enter renames",
            f"name of the {kind} {phase}",
        )
        name(
            self.density,
            f"Density of {phase} in g/cm³, for the absorption correction; 0 for not given",
            f"density of {phase} in g/cm³",
        )
        self.density.show_value(density or 0.0)


class PhaseSettings(QWidget):
    """Every change goes into the recipe at once."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.edits = GestureEdits(workspace)
        self.rows: list[_PhaseRow] = []
        self.thickness = NumberBox(
            "Thickness of the foil on this map in nm, for the absorption correction; 0 for not "
            "given",
            "thickness of the map in nm",
            "nm",
        )
        self.thickness.setRange(0.0, LARGEST_THICKNESS)
        self.thickness.setDecimals(1)
        self.thickness.setSingleStep(5.0)
        self.thickness.setSpecialValueText(NOT_GIVEN)
        self.thickness.valueChanged.connect(self._set_thickness)
        self.remark = remark()
        self._lay_out()
        THEME.changed.connect(self._draw_chips)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(heading("Phases"))
        self.grid = QGridLayout()
        self.grid.setSpacing(4)
        self.grid.setColumnStretch(1, 1)
        for column, text in ((1, "name"), (2, "density (g/cm³)")):
            self.grid.addWidget(remark(text), 0, column)
        layout.addLayout(self.grid)
        form = QFormLayout()
        form.setContentsMargins(0, 4, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Foil thickness", self.thickness)
        layout.addLayout(form)
        layout.addWidget(self.remark)

    def _draw_chips(self) -> None:
        for row in self.rows:
            row.draw_chip()

    # --- showing -----------------------------------------------------------------------------

    def show_recipe(self, recipe: Recipe, map_name: str) -> None:
        """Show what the recipe says of its phases and of this map."""
        while len(self.rows) < len(recipe.phases):
            self._add_row()
        for row in self.rows:
            shown = row.index < len(recipe.phases)
            if shown:
                phase = recipe.phases[row.index]
                row.show_phase(phase, recipe.sample.density_g_cm3.get(phase))
            for widget in row.widgets:
                widget.setVisible(shown)
        thickness = recipe.map_named(map_name).thickness_nm
        self.thickness.show_value(thickness or 0.0)
        missing = [p for p in recipe.phases if p not in recipe.sample.density_g_cm3]
        if thickness is None:
            text = "Absorption is not corrected: the thickness is not given."
        elif missing:
            text = f"Absorption is not corrected in {', '.join(missing)}: no density is given."
        else:
            text = "Absorption is corrected in every phase."
        self.remark.setText(text)

    def _add_row(self) -> None:
        row = _PhaseRow(len(self.rows))
        self.rows.append(row)
        for column, widget in enumerate(row.widgets):
            align = Qt.AlignmentFlag.AlignVCenter if column == 0 else Qt.AlignmentFlag(0)
            self.grid.addWidget(widget, row.index + 1, column, align)
        row.name.editingFinished.connect(partial(self._rename, row))
        row.density.valueChanged.connect(partial(self._set_density, row))

    # --- edits -------------------------------------------------------------------------------

    def _rename(self, row: _PhaseRow) -> None:
        recipe, new = self.workspace.recipe, row.name.text().strip()
        if recipe is None or new == row.phase:
            return
        old = row.phase
        if row.index == 0:
            done = self.workspace.edit(phase_edits.rename_matrix, new)
        else:
            worked_on = self.workspace.focus.precipitate == old
            done = self.workspace.edit(phase_edits.rename_precipitate, old, new)
            if done and worked_on:
                self.workspace.look(precipitate=new)
        if not done:
            row.name.setText(old)
        row.name.setModified(False)

    def _set_density(self, row: _PhaseRow, value: float) -> None:
        gesture = ("density", row.phase)
        self.edits.edit(gesture, phase_edits.set_density, row.phase, value or None)

    def _set_thickness(self, value: float) -> None:
        name = self.workspace.focus.map_name
        self.edits.edit(("thickness", name), edits.set_map, name, thickness_nm=value or None)
