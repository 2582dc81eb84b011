"""Edits that belong together: a run of nudges or of steps in a number box is one undo."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from endmember.session.decisions.recipe import Recipe
from endmember.ui.document.workspace import Workspace


class GestureEdits:
    """Edits the recipe, and goes on with the last gesture where nothing came between."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._gesture: Hashable = None
        self._left: Recipe | None = None

    def edit(
        self, gesture: Hashable, function: Callable[..., Recipe], *arguments: Any, **named: Any
    ) -> bool:
        """Change the recipe; with the same `gesture` as just before, in the same undo.

        A gesture of None stands for itself alone. Something came between if today's recipe is not
        the one that the last gesture left; an edit that is refused, or changes nothing, ends it.
        """
        recipe = self.workspace.recipe
        same = gesture is not None and gesture == self._gesture and recipe is self._left
        done = self.workspace.edit(function, *arguments, same_gesture=same, **named)
        if self.workspace.recipe is recipe:
            self.end()
        else:
            self._gesture, self._left = gesture, self.workspace.recipe
        return done

    def end(self) -> None:
        """The next edit is a gesture of its own."""
        self._gesture = None
