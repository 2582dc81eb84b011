"""Which map is looked at, below the list of steps: on every page, where there are several."""

from __future__ import annotations

from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.inputs import ChoiceBox
from endmember.ui.window.step_list import StepList


class StepsPanel(QWidget):
    """The list of steps, and below it the map whose steps they are."""

    def __init__(self, workspace: Workspace, steps: StepList) -> None:
        super().__init__()
        self.workspace = workspace
        self.label = QLabel("Map")
        self.box = ChoiceBox(
            "Map that every page shows (Ctrl+Page down: the next, Ctrl+Page up: the one before)",
            "map shown on every page",
        )
        self.box.setMinimumContentsLength(6)
        self.label.setBuddy(self.box)
        self.label.setContentsMargins(6, 4, 6, 0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 4)
        whole.setSpacing(2)
        whole.addWidget(steps, 1)
        whole.addWidget(self.label)
        whole.addWidget(self.box)
        self.setFocusProxy(steps)
        self.box.activated.connect(lambda i: workspace.look(map_name=self.box.value_at(i)))
        for signal in (workspace.recipe_changed, workspace.focus_changed):
            signal.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the maps of today's recipe."""
        recipe = self.workspace.recipe
        names = () if recipe is None else recipe.map_names
        for widget in (self.label, self.box):
            widget.setVisible(len(names) > 1)
        self.box.show_choices([(name, name) for name in names], self.workspace.focus.map_name)


def look_at_next(workspace: Workspace, step: int) -> None:
    """Look at the map so many places further, round and round."""
    recipe = workspace.recipe
    if recipe is not None:
        names = recipe.map_names
        place = (names.index(workspace.focus.map_name) + step) % len(names)
        workspace.look(map_name=names[place])
