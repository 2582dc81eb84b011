"""The precipitates and what was decided about the one being worked on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Recipe
from endmember.ui.document.page import heading, remark
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.masks.precipitate_list import PrecipitateList, PrecipitateRow
from endmember.ui.widgets.dialog import name, set_look
from endmember.ui.widgets.inputs import ChoiceBox

NO_PRECIPITATE = "Add a precipitate, then draw a loose rectangle round each of its grains"
NOT_CHOSEN = "choose…"


@dataclass(frozen=True, slots=True)
class Found:
    """What the results say about the precipitates: rows of the list, and the components in use.

    `automatic` is the component that the absent element leads to, None while it is not known.
    """

    rows: Sequence[PrecipitateRow]
    automatic: int | None = None


def component_title(recipe: Recipe, number: int) -> str:
    """How a component is called."""
    called = recipe.label_of(number).name
    return f"component #{number}{f' {called}' if called else ''}"


class PrecipitatePanel(QWidget):
    """List, buttons and a form; every change goes into the recipe at once."""

    named = pyqtSignal()
    """Enter was pressed in the line of the name; the recipe holds it."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.list = PrecipitateList()
        self.empty = remark(NO_PRECIPITATE)
        self.add = QPushButton("Add precipitate")
        name(self.add, "Add a precipitate; then name it and choose its absent element", "add")
        self.remove = QPushButton("Remove")
        name(self.remove, "Remove the precipitate with its rectangles and strokes (Del)")
        self.name = QLineEdit()
        name(self.name, "Name of the precipitate; results are named after it", "name")
        self.absent = ChoiceBox(
            "An element that the matrix holds and the precipitate does not: it scales the "
            "subtraction, and finds the component of the precipitate",
            "absent element",
        )
        self.component = ChoiceBox(
            "The component whose map shows the precipitate; automatic: the one with the least of "
            "the absent element",
            "component of the precipitate",
        )
        self.form = QWidget()
        self._named = ""
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.add, 1)
        buttons.addWidget(self.remove)
        form = QFormLayout(self.form)
        form.setContentsMargins(0, 2, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Name", self.name)
        form.addRow("Absent element", self.absent)
        form.addRow("Component", self.component)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(heading("Precipitates"))
        for widget in (self.empty, self.list):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        layout.addWidget(self.form)

    def _connect(self) -> None:
        self.list.chosen.connect(lambda chosen: self.workspace.look(precipitate=chosen))
        self.list.removed.connect(self._remove)
        self.list.accepted.connect(lambda: self.name.setFocus(Qt.FocusReason.OtherFocusReason))
        self.add.clicked.connect(self._add)
        self.remove.clicked.connect(self._remove)
        self.name.editingFinished.connect(self._rename)
        self.name.returnPressed.connect(self.named)
        self.absent.activated.connect(lambda index: self._set(absent=self.absent.value_at(index)))
        self.component.activated.connect(
            lambda index: self._set(component=self.component.value_at(index))
        )

    @property
    def current(self) -> str:
        """The precipitate being worked on."""
        return self.workspace.focus.precipitate

    def _add(self) -> None:
        if self.workspace.edit(edits.add_precipitate):
            recipe = self.workspace.recipe
            assert recipe is not None
            self.workspace.look(precipitate=recipe.precipitates[-1].name)
            self._show_name(recipe.precipitates[-1].name)
            self.form.setVisible(True)
            self.name.setFocus(Qt.FocusReason.OtherFocusReason)
            self.name.selectAll()

    def _remove(self) -> None:
        if self.current:
            self.workspace.edit(edits.remove_precipitate, self.current)

    def _rename(self) -> None:
        new, old = self.name.text().strip(), self.current
        if not old or new == old:
            return
        if self.workspace.edit(edits.rename_precipitate, old, new):
            self.workspace.look(precipitate=new)
        else:
            self.name.setText(old)

    def _set(self, **settings: Any) -> None:
        if self.current:
            self.workspace.edit(edits.set_precipitate, self.current, **settings)

    # --- showing -----------------------------------------------------------------------------

    def refresh(self, recipe: Recipe, found: Found) -> None:
        """Show what recipe and results say."""
        self.list.show_rows(found.rows, self.current)
        self.list.setVisible(bool(found.rows))
        self.empty.setVisible(not found.rows)
        chosen = next((p for p in recipe.precipitates if p.name == self.current), None)
        self.form.setVisible(chosen is not None)
        self.remove.setEnabled(chosen is not None)
        if chosen is None:
            return
        self._show_name(chosen.name)
        elements = recipe.sample.elements
        self.absent.show_choices(
            [(NOT_CHOSEN, ""), *((symbol, symbol) for symbol in elements)], chosen.absent
        )
        set_look(self.absent, "needed", not chosen.absent)
        numbers = range(recipe.decomposition.components)
        automatic = "automatic" if found.automatic is None else f"automatic: #{found.automatic}"
        self.component.show_choices(
            [(automatic, None), *((component_title(recipe, n), n) for n in numbers)],
            chosen.component,
        )

    def _show_name(self, text: str) -> None:
        typing = self.name.hasFocus() and self.name.isModified()
        if text != self._named or not typing:
            self._named = text
            if self.name.text() != text:
                self.name.setText(text)
            if not self.name.hasFocus():
                self.name.setCursorPosition(0)
