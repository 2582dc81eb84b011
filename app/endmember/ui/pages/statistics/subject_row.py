"""Of which phase, map and element the statistics are: one row of choices for all tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QWidget

from endmember.session.steps.compositions import SUM
from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.inputs import ChoiceBox

if TYPE_CHECKING:
    from endmember.session.decisions.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at; `map_name` may be "sum"."""

    phase: str
    map_name: str
    element: str


class SubjectRow(QWidget):
    """Follows the element, map and precipitate looked at elsewhere, and leads them."""

    changed = pyqtSignal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.phase_box = ChoiceBox("Phase that the statistics are of", "phase")
        self.map_box = ChoiceBox("Map that the statistics are of, or the sum of the maps", "map")
        self.element_box = ChoiceBox("Element whose line is looked at", "element")
        self.element_box.setMinimumContentsLength(3)
        self._followed = ("", "")  # precipitate and map looked at when last asked
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for box in (self.phase_box, self.map_box, self.element_box):
            box.setMinimumContentsLength(5)
            row.addWidget(box)
            box.activated.connect(lambda _: self._choose())
        row.addStretch(1)

    def show_recipe(self, recipe: Recipe) -> None:
        """Offer what this recipe has; what was chosen stays while nobody looks at another one."""
        focus = self.workspace.focus
        before, self._followed = self._followed, (focus.precipitate, focus.map_name)
        phases = [name for name in recipe.phases if name]
        phase = self.phase_box.value
        if phase not in phases or before[0] != focus.precipitate:
            wanted = focus.precipitate or phases[0]
            phase = wanted if wanted in phases else phases[0]
        self.phase_box.show_choices([(name, name) for name in phases], phase)
        maps = [(name, name) for name in recipe.map_names]
        if len(maps) > 1:
            maps.append(("sum of the maps", SUM))
        chosen = self.map_box.value
        if chosen not in [value for _, value in maps] or before[1] != focus.map_name:
            chosen = focus.map_name
        self.map_box.show_choices(maps, chosen)
        elements = recipe.sample.elements
        element = focus.element if focus.element in elements else self.element_box.value
        if element not in elements:
            element = next(iter(elements), "")
        self.element_box.show_choices([(name, name) for name in elements], element)

    @property
    def subject(self) -> Subject:
        """What is chosen."""
        boxes = (self.phase_box, self.map_box, self.element_box)
        return Subject(*(str(box.value or "") for box in boxes))

    def offer(self, *, phase: bool, map_name: bool, element: bool) -> None:
        """Show the choices that a tab knows."""
        self.phase_box.setVisible(phase)
        self.map_box.setVisible(map_name)
        self.element_box.setVisible(element)

    def _choose(self) -> None:
        """Look at it elsewhere too, as far as there is such a place."""
        recipe, subject = self.workspace.recipe, self.subject
        if recipe is None:
            return
        looked: dict[str, str] = {"element": subject.element}
        if subject.map_name in recipe.map_names:
            looked["map_name"] = subject.map_name
        if subject.phase in [p.name for p in recipe.precipitates]:
            looked["precipitate"] = subject.phase
        focus = self.workspace.focus
        self._followed = (
            looked.get("precipitate", focus.precipitate),
            looked.get("map_name", focus.map_name),
        )
        self.workspace.look(**looked)
        self.changed.emit()
