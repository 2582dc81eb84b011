"""Rectangles that are suggested, until a person accepts or dismisses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from endmember.session.decisions.recipe import Box, Precipitate
from endmember.session.steps.map_data import excluded_mask
from endmember.session.views.component_choice import ComponentChoice
from endmember.session.views.precipitate_rectangles import suggested_boxes
from endmember.ui.document.requests import Requests
from endmember.ui.document.workspace import Workspace

if TYPE_CHECKING:
    from endmember.session.steps.chain import Decomposed
    from endmember.ui.pages.masks.mask_drawing import Ground

SLOT = "rectangle suggestions"
Belongs = tuple[str, str, "Decomposed | None"]  # map, precipitate, and whose component maps


class Suggestions(QObject):
    """The suggestions for one precipitate on one map. They are no part of the recipe."""

    changed = pyqtSignal()
    told = pyqtSignal(str, bool)

    def __init__(self, workspace: Workspace, choice: ComponentChoice) -> None:
        super().__init__()
        self.workspace = workspace
        self.choice = choice
        self.boxes: tuple[Box, ...] = ()
        self._belongs: Belongs = ("", "", None)  # the suggestions, or those that are looked for
        self._requests = Requests(
            workspace.runner, lambda text: self.told.emit(f"no suggestions: {text}", True)
        )

    def ask(self, ground: Ground, active: Precipitate | None) -> None:
        """Look for what stands out on the component of the precipitate, or on the one shown."""
        decomposed, data, recipe = ground.decomposed, ground.results.data, ground.recipe
        if decomposed is None:
            self.told.emit("there are no component maps yet: suggestions come from them", True)
            return
        name = data.entry.name
        taken = [box for p in recipe.precipitates for box in p.boxes_on(name)]
        excludes = recipe.map_named(name).excludes
        shown = ground.component
        self._belongs = (name, "" if active is None else active.name, decomposed)

        def work() -> tuple[int, tuple[Box, ...]]:
            open_yet = active is None or (active.component is None and not active.absent)
            if open_yet and shown is not None:
                component = shown
            elif active is None:
                raise ValueError("choose a component to be shown: suggestions come from its map")
            else:
                component = self.choice.find(active, recipe.sample, data, decomposed)
            excluded, _ = excluded_mask(data, excludes)
            maps = decomposed.maps_of(name)
            return component, suggested_boxes(
                data, maps, component, taken, excluded, recipe.segmentation
            )

        self.told.emit("looking for what stands out on the component map …", False)
        self._requests.forget()  # it may be asked again, with the last ones accepted or dismissed
        self._requests.ask(SLOT, self._belongs, work, self._take)

    def keep(self, map_name: str, precipitate: str, decomposed: Decomposed | None) -> None:
        """Forget the suggestions where they belong to something else."""
        before, whose, components = self._belongs
        if before == map_name and components is decomposed and whose in ("", precipitate):
            # accepting one may have added the first precipitate
            self._belongs = (map_name, precipitate, decomposed)
        else:
            self.clear()

    def _take(self, found: tuple[int, tuple[Box, ...]]) -> None:
        component, self.boxes = found
        number = len(self.boxes)
        plural = "" if number == 1 else "s"
        self.told.emit(
            f"{number} suggestion{plural} on component #{component}: Enter or moving accepts, Esc "
            "dismisses"
            if number
            else f"nothing more stands out on component #{component}",
            False,
        )
        self.changed.emit()

    def drop(self, number: int) -> None:
        """One suggestion less."""
        self.boxes = (*self.boxes[:number], *self.boxes[number + 1 :])
        self.changed.emit()

    def clear(self) -> None:
        """None any more, nor what is still looked for."""
        if self._requests.is_waiting(SLOT):
            self.told.emit("", False)
        self._requests.forget()
        if self.boxes:
            self.boxes = ()
            self.changed.emit()
