"""A section of the settings whose controls change the recipe at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from endmember.session.decisions.recipe import Recipe
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.section import Section


class RecipeSection(Section):
    """What is refused is told, and the controls then show again what holds."""

    def __init__(
        self, workspace: Workspace, edits: GestureEdits, title: str, *, opened: bool = True
    ) -> None:
        super().__init__(title, opened=opened)
        self.workspace = workspace
        self.edits = edits
        self.title = title

    def show_recipe(self, recipe: Recipe) -> None:
        """Show what the recipe says, leaving alone what is being typed."""
        raise NotImplementedError

    def change(
        self, gesture: Hashable, function: Callable[..., Recipe], *arguments: Any, **named: Any
    ) -> None:
        """Change the recipe by an edit; see `GestureEdits` for what a gesture is."""
        if self.workspace.recipe is None:
            return
        try:  # tried first: a wrong number is an error of the person's, not a mere warning
            function(self.workspace.recipe, *arguments, **named)
        except ValueError as error:
            self.edits.end()
            self.workspace.say("error", str(error))
        else:
            self.edits.edit(gesture, function, *arguments, **named)
        self.show_recipe(self.workspace.recipe)

    def folder_of(self, file: str | None) -> str:
        """Where a file is looked for: beside the one in use, or where files were last."""
        preferences = self.workspace.preferences
        last = Path() if preferences is None else preferences.last_folder
        return str(last if file is None else Path(file).parent)
