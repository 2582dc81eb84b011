"""What the window works on: a document, its results, and what the person is looking at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PyQt6.QtCore import QObject, pyqtSignal

from endmember.session.decisions.open_decisions import open_decisions
from endmember.session.decisions.recipe import Recipe
from endmember.session.documents.document import Document
from endmember.session.state.session import Failure, Session
from endmember.session.statistics.requested_results import LAST_STEP
from endmember.session.steps.chain import FROM_COMPOSITIONS, STEPS
from endmember.ui.document.on_request import OnRequest
from endmember.ui.document.runner import Runner
from endmember.ui.widgets.messages import Message

if TYPE_CHECKING:
    from endmember.session.steps.map_data import MapData
    from endmember.ui.program.preferences import Preferences

PAGES = ("map", "components", "masks", "phases", "abundance", "composition", "statistics")
PAGE_TITLES = {
    "map": "Map",
    "components": "Components",
    "masks": "Masks",
    "phases": "Phases",
    "abundance": "Abundance",
    "composition": "Composition",
    "statistics": "Statistics",
}
STEPS_OF_PAGE = {
    "map": ("read",),
    "components": ("scree", "decomposition"),
    "masks": ("masks",),
    "phases": ("subtraction",),
    "abundance": ("abundance",),
    "composition": ("quantification",),
    "statistics": (LAST_STEP,),
}
State = Literal["none", "due", "running", "undecided", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A step's result for the eyes: the last good value, and whether it is still current.

    `failure` is the sentence of a failed step; `value` then is what was there before, if anything.
    """

    value: Any
    current: bool
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Focus:
    """What the person is looking at; no part of the recipe."""

    page: str = "map"
    map_name: str = ""
    precipitate: str = ""
    component: int = 0
    element: str = ""
    roi: str = ""
    phase: str = ""
    spectrum: str = "whole map"
    """Which spectrum the spectrum panel shows; see `spectrum_panel`."""


class Workspace(QObject):
    """One document and its results, shared by all views. Lives in the main thread."""

    document_changed = pyqtSignal()
    """Another document, path or modified mark."""
    recipe_changed = pyqtSignal()
    """Today's recipe is another one, by an edit, undo, redo or opening."""
    results_changed = pyqtSignal()
    """A result has arrived, or is no longer current."""
    focus_changed = pyqtSignal()
    said = pyqtSignal(object)
    """A Message to the person that belongs to no result."""
    cursor_moved = pyqtSignal(object)
    """(x, y) in pixels of the uncropped map under the pointer, or None."""
    energy_moved = pyqtSignal(object)
    """keV under the pointer on a spectrum, or None."""
    region_moved = pyqtSignal(object)
    """(kind, geometry) of a region of interest while it is drawn or dragged, None when it ends."""
    window_moved = pyqtSignal(object)
    """(name, low_keV, high_keV) of an energy window while it is dragged, None when it ends."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self.runner = runner
        self.preferences: Preferences | None = None  # given by the window
        self.document: Document | None = None
        self.focus = Focus()
        self._last: dict[tuple[str, str], Any] = {}
        self._number, self._place = 0, 0  # how many precipitates, and which is looked at
        self.on_request = OnRequest(runner)
        self.on_request.changed.connect(self.results_changed)
        runner.step_done.connect(self._on_step_done)

    # --- the document ------------------------------------------------------------------------

    @property
    def session(self) -> Session | None:
        """The session of the document, None while nothing is open."""
        return None if self.document is None else self.document.session

    @property
    def recipe(self) -> Recipe | None:
        """Today's recipe, None while nothing is open."""
        return None if self.document is None else self.document.session.recipe

    def show(self, document: Document | None) -> None:
        """Work on another document."""
        self.document = document
        self._last.clear()
        name = "" if document is None else document.session.recipe.map_names[0]
        first = (
            ""
            if self.recipe is None or not self.recipe.precipitates
            else (self.recipe.precipitates[0].name)
        )
        self.focus = Focus(page=self.focus.page, map_name=name, precipitate=first)
        self.runner.show(self.session)
        self._announce()

    def _announce(self) -> None:
        self._keep_focus()  # first: whoever hears of anything asks for the map looked at
        self.on_request.follow(self.session)
        self.runner.refresh()
        self.document_changed.emit()
        self.recipe_changed.emit()
        self.results_changed.emit()
        self.focus_changed.emit()

    # --- what a person decides ---------------------------------------------------------------

    def edit(
        self,
        function: Callable[..., Recipe],
        *arguments: Any,
        same_gesture: bool = False,
        **named: Any,
    ) -> bool:
        """Change the recipe by one of `decisions.edits`; says why not, where that is refused."""
        if self.document is None or self.recipe is None:
            return False
        try:
            recipe = function(self.recipe, *arguments, **named)
        except ValueError as error:
            self.say("warning", str(error))
            return False
        self.session_change(recipe, same_gesture=same_gesture)
        return True

    def session_change(self, recipe: Recipe, *, same_gesture: bool = False) -> None:
        """Make `recipe` today's, as one entry for undo."""
        if self.session is not None and recipe != self.recipe:
            self.session.change(recipe, same_gesture=same_gesture)
            self._announce()

    def undo(self) -> None:
        """Take back the last decision."""
        if self.session is not None and self.session.can_undo:
            self.session.undo()
            self._announce()

    def redo(self) -> None:
        """Take back the last undo."""
        if self.session is not None and self.session.can_redo:
            self.session.redo()
            self._announce()

    def retry(self) -> None:
        """Run again what failed or was stopped."""
        if self.session is not None:
            self.session.retry()
            self.runner.refresh()
            self.results_changed.emit()

    def renew(self, step: str) -> None:
        """Run a step and what follows from it again: a file that it reads was chosen once more."""
        if self.session is not None:
            self.session.renew(step)
            self.runner.refresh()
            self.results_changed.emit()

    def save(self, path: Path | None = None) -> None:
        """Save the recipe; raises OSError or ValueError where that fails."""
        assert self.document is not None
        self.document.save(path)
        self.document_changed.emit()

    def say(self, kind: Literal["info", "warning", "error"], text: str) -> None:
        """Tell the person something that belongs to no result."""
        self.said.emit(Message(kind, text))

    # --- what the person looks at ------------------------------------------------------------

    def look(self, **settings: Any) -> None:
        """Change what is looked at: page, map_name, precipitate, component, element."""
        focus = replace(self.focus, **settings)
        if focus != self.focus:
            self.focus = focus
            self._keep_focus()
            self.focus_changed.emit()

    def _keep_focus(self) -> None:
        """Look at a map and a precipitate that today's recipe has."""
        recipe = self.recipe
        if recipe is None:
            return
        focus = self.focus
        if focus.map_name not in recipe.map_names:
            focus = replace(focus, map_name=recipe.map_names[0])
        names = [p.name for p in recipe.precipitates]
        if focus.precipitate not in names:
            # renamed, or its rename undone: the one at the same place; added: the last
            place = min(self._place, len(names) - 1) if len(names) == self._number else -1
            focus = replace(focus, precipitate=names[place] if names else "")
        self._number = len(names)
        self._place = names.index(focus.precipitate) if names else 0
        if focus.component >= recipe.decomposition.components:
            focus = replace(focus, component=0)
        self.focus = focus

    # --- results -----------------------------------------------------------------------------

    def shown(self, step: str, map_name: str | None = None) -> Shown:
        """A step's result for a map (default: the one looked at), current or from before."""
        if self.session is None:
            return Shown(None, False)
        name = self.focus.map_name if map_name is None else map_name
        result = self.session.result(step, name)
        place = (step, name)
        if isinstance(result, Failure):
            return Shown(self._last.get(place), False, result.message)
        if result is not None and self._is_founded(step, name):
            self._last[place] = result
            return Shown(result, True)
        return Shown(self._last.get(place), False, self._failure_before(step, name))

    def _is_founded(self, step: str, name: str) -> bool:
        """Whether all that a step's result was made from is there as well.

        After an undo, masks may be found again while their map has to be read again. Views draw
        both together, so the masks wait for the map.
        """
        assert self.session is not None
        for need in STEPS[step].needs:
            result = self.session.result(need, name)
            if result is None or isinstance(result, Failure) or not self._is_founded(need, name):
                return False
        return True

    @property
    def is_complete(self) -> bool:
        """Whether every map has all results that are exported."""
        names = () if self.recipe is None else self.recipe.map_names
        last = ("scree", "abundance", *FROM_COMPOSITIONS)
        return bool(names) and all(self.result(s, n) is not None for n in names for s in last)

    def _failure_before(self, step: str, name: str) -> str | None:
        """The sentence of the failed step that this one waits for."""
        assert self.session is not None
        for need in STEPS[step].needs:
            result = self.session.result(need, name)
            if isinstance(result, Failure):
                return f"waits for {PAGE_OF_STEP[need]}: {result.message}"
            if result is None and (before := self._failure_before(need, name)) is not None:
                return before
        return None

    def result(self, step: str, map_name: str | None = None) -> Any:
        """A step's current value for a map, None where it is not there or failed."""
        found = self.shown(step, map_name)
        return found.value if found.current else None

    @property
    def data(self) -> MapData | None:
        """The map looked at, as last read; None before that."""
        value: MapData | None = self.shown("read").value
        return value

    def place_text(self, point: tuple[float, float]) -> str:
        """A point of the map in pixels and, where the pixel size is known, in nm."""
        x, y = int(point[0] // 1), int(point[1] // 1)
        text = f"x {x}, y {y} px"
        size = None if self.data is None else self.data.full_pixel_size_nm
        if size is not None:
            text += f"   {point[0] * size:.1f}, {point[1] * size:.1f} nm"
        return text

    def state(self, page: str) -> State:
        """How far a page of the step list is, for the map looked at."""
        if self.session is None:
            return "none"
        running = self.runner.running
        states = []
        for step in STEPS_OF_PAGE[page]:
            result = self.session.result(step, self.focus.map_name)
            if isinstance(result, Failure):
                return "failed"
            if running is not None and running.step == step:
                return "running"
            states.append(result is not None)
        if not all(states):
            return "due"
        assert self.recipe is not None
        waiting = open_decisions(self.recipe, self.focus.map_name)
        return "undecided" if any(s in waiting for s in STEPS_OF_PAGE[page]) else "done"

    def _on_step_done(self, step: str, maps: tuple[str, ...]) -> None:
        if step == "read":
            self._adopt(maps)
        self.results_changed.emit()

    def _adopt(self, maps: tuple[str, ...]) -> None:
        """Take the elements that the file lists, where the person has chosen none yet."""
        from endmember.session.decisions.edits import adopted

        if self.document is None or self.recipe is None or self.recipe.sample.elements:
            return
        if maps[0] not in self.recipe.map_names:  # of another document, or renamed since
            return
        data = self.result("read", maps[0])
        if data is not None and data.image.elements:
            self.document.adopt(adopted(self.recipe, data.image.elements))
            self._announce()


PAGE_OF_STEP = {  # the first page that shows it
    **{s: PAGE_TITLES[page] for page in reversed(PAGES) for s in STEPS_OF_PAGE[page]},
    "energy_check": PAGE_TITLES["map"],
    **dict.fromkeys(FROM_COMPOSITIONS, PAGE_TITLES["composition"]),
}
