"""What is drawn on the working map of the masks, and what becomes of it in the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QColor

from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Box, Precipitate, Recipe, changed
from endmember.session.views.component_choice import ComponentChoice
from endmember.session.views.precipitate_rectangles import (
    add_rectangles,
    analysed_box,
    is_on_map,
    kept_on_map,
    moved_onto_map,
    thinned,
)
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.workspace import Workspace
from endmember.ui.map_views.map_canvas import MapCanvas
from endmember.ui.map_views.shape_gestures import Frame, Points
from endmember.ui.map_views.shape_items import DrawnShape
from endmember.ui.pages.masks.live_preview import LivePreview, PreviewQuestion
from endmember.ui.pages.masks.mask_texts import Results, found_text
from endmember.ui.pages.masks.mask_tool import OUTSIDE_COLOUR, MaskTool
from endmember.ui.pages.masks.suggestions import Suggestions
from endmember.ui.widgets.theme import phase_colour

if TYPE_CHECKING:
    from endmember.session.steps.chain import Decomposed

HALF_PIXEL = 0.5  # strokes name pixels, whose centres lie half a pixel further on the map
FIRST = "P1"
LIGHTER = 140  # per cent


def map_colour(phase: int) -> QColor:
    """The colour of a phase over a map: lighter, or it would drown in those of the map."""
    return phase_colour(phase).lighter(LIGHTER)


class Key(NamedTuple):
    """Names a shape on the map; `precipitate` is "" for a suggestion."""

    kind: Literal["rectangle", "suggestion", "stroke"]
    precipitate: str
    number: int


@dataclass(frozen=True, eq=False, slots=True)
class Ground:
    """What is drawn on: the map, its components, and the component that is shown, if any."""

    recipe: Recipe
    results: Results
    decomposed: Decomposed | None
    component: int | None


class MaskDrawing(QObject):
    """Turns gestures on the map into edits, one gesture one undo, and shows what is drawn."""

    hinted = pyqtSignal(str, bool)
    """A sentence about what is being done, and whether it is a doubt."""
    selection_changed = pyqtSignal()
    suggestions_changed = pyqtSignal()
    dragging = pyqtSignal(bool)
    """A rectangle of the recipe is dragged, or no longer."""

    def __init__(self, workspace: Workspace, canvas: MapCanvas) -> None:
        super().__init__()
        self.workspace = workspace
        self.choice = ComponentChoice()
        self.gestures = GestureEdits(workspace)
        self.tool = MaskTool(self)
        self.tool.attach(canvas)
        self.preview = LivePreview(workspace.runner, canvas)
        self.suggestions = Suggestions(workspace, self.choice)
        self.ground: Ground | None = None
        self.marked_stroke: int | None = None
        self._live = False  # a rectangle is being drawn or dragged
        self.is_ahead = False  # it shows an edit that the page may never see: undone at once
        self.preview.told.connect(self.hinted)
        self.suggestions.told.connect(self.hinted)
        self.suggestions.changed.connect(self._on_suggestions)
        tool = self.tool
        tool.drawing.connect(self._drawing)
        tool.drawn.connect(self._drawn)
        tool.changing.connect(self._changing)
        tool.changed.connect(self._changed)
        tool.removed.connect(self.remove)
        tool.accepted.connect(self.accept)
        tool.selected.connect(self._selected)
        tool.let_go.connect(self._let_go)
        tool.dismissed.connect(self._dismissed)

    # --- what is known -----------------------------------------------------------------------

    @property
    def active(self) -> Precipitate | None:
        """The precipitate being worked on."""
        recipe, name = self.workspace.recipe, self.workspace.focus.precipitate
        found = () if recipe is None else recipe.precipitates
        return next((p for p in found if p.name == name), None)

    @property
    def selected(self) -> Key | None:
        """The shape that is selected."""
        return cast("Key | None", self.tool.key_selected)

    @property
    def map_name(self) -> str:
        """The map that is drawn on."""
        return self.workspace.focus.map_name

    def box_of(self, key: Key) -> Box | None:
        """The rectangle of a key, None where it is no more."""
        if key.kind == "suggestion":
            boxes: Sequence[Box] = self.suggestions.boxes
        else:
            recipe = self.workspace.recipe
            found = () if recipe is None else recipe.precipitates
            boxes = next(
                (p.boxes_on(self.map_name) for p in found if p.name == key.precipitate), ()
            )
        return boxes[key.number] if key.number < len(boxes) else None

    # --- showing -----------------------------------------------------------------------------

    def refresh(self, ground: Ground) -> None:
        """Show what is drawn on today's map."""
        before, self.ground = self.ground, ground
        self.is_ahead = False
        if before is not None and before.results.data is not ground.results.data:
            self.preview.clear()
        active = self._active_in(ground)
        name = "" if active is None else active.name
        index = ground.recipe.phases.index(name) if name else 1
        self.tool.set_phase_colour(map_colour(index))
        self.suggestions.keep(self.map_name, name, ground.decomposed)
        self.tool.set_shapes(self._shapes(ground))

    def _active_in(self, ground: Ground) -> Precipitate | None:
        """The precipitate being worked on, as it is shown: an edit may not be shown yet."""
        name = self.workspace.focus.precipitate
        return next((p for p in ground.recipe.precipitates if p.name == name), None)

    def show_nothing(self) -> None:
        """The map is not there: nothing is drawn on it, nor any answer about the last one."""
        self.ground = None
        self.is_ahead = False
        self.preview.clear()
        self.suggestions.clear()
        self.tool.set_shapes([])

    def forget(self) -> None:
        """Another document: its map is not drawn on any more."""
        self.show_nothing()
        self.choice = self.suggestions.choice = ComponentChoice()

    def _shapes(self, ground: Ground) -> list[DrawnShape]:
        shapes: list[DrawnShape] = []
        for number, precipitate in enumerate(ground.recipe.precipitates, start=1):
            colour = map_colour(number)
            here = precipitate == self._active_in(ground)
            shapes += self._rectangles(precipitate, colour, ground.results, here)
            if here:
                shapes += self._strokes(precipitate, colour)
        for number, box in enumerate(self.suggestions.boxes):
            shapes.append(
                DrawnShape(
                    Key("suggestion", "", number),
                    "rectangle",
                    box,
                    QColor("white"),
                    label=f"{number + 1}?",
                    dashed=True,
                    whole=True,
                    tooltip=f"suggestion {number + 1}: Enter accepts it, moving accepts it there",
                )
            )
        return shapes

    def plain_rectangles(self) -> list[DrawnShape]:
        """The rectangles of the precipitate being worked on, only to be looked at."""
        ground = self.ground
        active = None if ground is None else self._active_in(ground)
        if active is None or ground is None:
            return []
        colour = map_colour(ground.recipe.phases.index(active.name))
        return [
            DrawnShape(number, "rectangle", box, colour, editable=False, recedes=True)
            for number, box in enumerate(ground.results.boxes_of(active))
        ]

    def _rectangles(
        self, precipitate: Precipitate, colour: QColor, results: Results, here: bool
    ) -> list[DrawnShape]:
        poor, pixels = results.poor_rectangles(precipitate), results.pixels_of(precipitate)
        shapes = []
        for number, box in enumerate(results.boxes_of(precipitate)):
            doubt = found_text(pixels[number], True) if number in poor else ""
            name = f"{number + 1}" if here else f"{precipitate.name} {number + 1}"
            label = f"{name}: {doubt}" if doubt else name if here else ""
            shapes.append(
                DrawnShape(
                    Key("rectangle", precipitate.name, number),
                    "rectangle",
                    box,
                    colour,
                    label=label,
                    whole=True,
                    recedes=not here,
                    tooltip=f"rectangle {number + 1} of {precipitate.name}",
                )
            )
        return shapes

    def _strokes(self, precipitate: Precipitate, colour: QColor) -> list[DrawnShape]:
        shapes = []
        for number, stroke in enumerate(precipitate.strokes_on(self.map_name)):
            inside = stroke.label == "inside"
            points = tuple((x + HALF_PIXEL, y + HALF_PIXEL) for x, y in stroke.points)
            marked = f"stroke {number + 1}" if number == self.marked_stroke else ""
            shapes.append(
                DrawnShape(
                    Key("stroke", precipitate.name, number),
                    "stroke",
                    points,
                    colour if inside else OUTSIDE_COLOUR,
                    label=marked or ("+" if inside else "−"),
                    editable=False,
                    radius=float(stroke.radius),
                    tooltip=f"stroke {number + 1} of {precipitate.name}: {stroke.label}",
                )
            )
        return shapes

    def mark_stroke(self, number: int | None) -> None:
        """Name one stroke on the map, which is chosen in a list."""
        if number != self.marked_stroke:
            self.marked_stroke = number
            if self.ground is not None:
                self.tool.set_shapes(self._shapes(self.ground))

    # --- live --------------------------------------------------------------------------------

    def _drawing(self, kind: str, geometry: Any) -> None:
        if kind == "rectangle":
            self._live = True
            self._ask_preview(self.active, cast(Box, geometry), None)

    def _changing(self, key: Key, geometry: Any) -> None:
        self._live = True
        self.dragging.emit(True)
        self._ask_preview(self._owner(key), cast(Box, geometry), key)

    def _let_go(self) -> None:
        """A drag that decided nothing leaves no preview."""
        if self._live:
            self._live = False
            self.dragging.emit(False)
            self.preview.clear()
            self.hinted.emit("", False)

    def _owner(self, key: Key) -> Precipitate | None:
        if key.kind == "suggestion" or self.ground is None:
            return self.active
        return self.ground.recipe.precipitate_named(key.precipitate)

    def _ask_preview(
        self, of: Precipitate | None, box: Box, key: Key | None, let_go: bool = False
    ) -> None:
        ground = self.ground
        if ground is None or ground.decomposed is None:
            return
        kept = kept_on_map(box, analysed_box(ground.results.data))
        if kept is None:
            self.preview.clear()
            self.hinted.emit("", False)
            return
        asked = of or Precipitate(name=FIRST, absent="")
        if asked.component is None and not asked.absent:
            asked = changed(asked, component=ground.component)
        others = [
            other
            for number, other in enumerate(asked.boxes_on(self.map_name))
            if key is None or key.kind == "suggestion" or number != key.number
        ]
        names = ["", *(p.name for p in ground.recipe.precipitates)]
        colour = map_colour(names.index(asked.name) if asked.name in names else 1)
        ask = self.preview.ask_late if let_go else self.preview.ask
        ask(
            PreviewQuestion(
                ground.recipe,
                ground.results.data,
                ground.decomposed,
                self.choice,
                asked,
                kept,
                others,
            ),
            colour,
        )

    def end_preview(self) -> None:
        """The masks themselves are there, or there will be none."""
        if self._live:  # of another drag, which goes on
            return
        was_shown = self.preview.shown is not None
        self.preview.clear()
        if was_shown:
            self.hinted.emit("", False)

    # --- what was done -----------------------------------------------------------------------

    def _drawn(self, kind: str, geometry: Any, modifiers: Qt.KeyboardModifier) -> None:
        self._live = False
        if kind == "rectangle":
            self.add(cast(Box, geometry))
        elif kind == "stroke":
            self._paint(cast(Points, geometry), modifiers)

    def add(self, box: Box) -> bool:
        """Add a rectangle for the precipitate being worked on; P1 first, where there is none."""
        kept = self._on_map(box)
        if kept is None:
            return False
        if not self._add_boxes([kept]):
            self.preview.clear()
            return False
        self._follow(kept)
        return True

    def _add_boxes(self, boxes: Sequence[Box]) -> bool:
        name = self.workspace.focus.precipitate
        component = None if self.ground is None else self.ground.component
        return self.gestures.edit(None, add_rectangles, name, self.map_name, boxes, component)

    def _follow(self, box: Box) -> None:
        """Select the rectangle that was just added, and show its preview."""
        active = self.active
        if active is None:
            return
        number = len(active.boxes_on(self.map_name)) - 1
        key = Key("rectangle", active.name, number)
        self._refresh_now()
        self.tool.select(key)
        self._ask_preview(active, box, key, let_go=True)

    def _refresh_now(self) -> None:
        """Show today's rectangles at once: what follows refers to them."""
        recipe = self.workspace.recipe
        if self.ground is not None and recipe is not None:
            old = self.ground.results
            results = Results(old.data, old.masks, False, old.phases, False)
            ground = Ground(recipe, results, self.ground.decomposed, self.ground.component)
            self.refresh(ground)
            self.is_ahead = True

    def _on_map(self, box: Box) -> Box | None:
        if self.ground is None:
            return None
        kept = kept_on_map(box, analysed_box(self.ground.results.data))
        if kept is None:
            self.preview.clear()
            self.hinted.emit("the rectangle lies outside the map: draw it on the map", True)
        return kept

    def _paint(self, points: Points, modifiers: Qt.KeyboardModifier) -> None:
        active = self.active
        if active is None:
            self.hinted.emit("add a precipitate first, or draw a rectangle round one", True)
            return
        if self.ground is None or not is_on_map(points, analysed_box(self.ground.results.data)):
            self.hinted.emit("the stroke lies outside the map: paint on the map", True)
            return
        named = thinned([(x - HALF_PIXEL, y - HALF_PIXEL) for x, y in points])
        label = self.tool.label_for(modifiers)
        radius = self.tool.radius
        self.gestures.edit(None, edits.add_stroke, active.name, self.map_name, label, radius, named)

    def _changed(self, key: Key, geometry: Any, going_on: bool) -> None:
        self._live = False
        self.dragging.emit(False)
        if not going_on:
            self.gestures.end()
        self.move(key, cast(Box, tuple(round(side) for side in cast(Frame, geometry))))

    def move(self, key: Key, box: Box) -> bool:
        """Another place or size for a rectangle; a suggestion is accepted there."""
        before, ground = self.box_of(key), self.ground
        if before is None or ground is None:
            return False
        bounds = analysed_box(ground.results.data)
        moved = box[2:] == before[2:]
        kept = moved_onto_map(box, bounds) if moved else self._on_map(box)
        if kept is None:
            return False
        if key.kind == "suggestion":
            self.suggestions.drop(key.number)
            return self.add(kept)
        done = self.gestures.edit(
            ("move", key), edits.move_rectangle, key.precipitate, self.map_name, key.number, kept
        )
        if done and kept != before:
            self._refresh_now()
            self._ask_preview(self._owner(key), kept, key, let_go=True)
        else:
            self.preview.clear()
        return done

    def remove(self, key: Key) -> None:
        """Remove a rectangle, or drop a suggestion."""
        self.preview.clear()
        if key.kind == "suggestion":
            self.suggestions.drop(key.number)
            return
        self.gestures.edit(None, edits.remove_rectangle, key.precipitate, self.map_name, key.number)

    def accept(self, key: Key) -> None:
        """Enter: accept a suggestion and go to the next one, or be done with a rectangle."""
        if key.kind != "suggestion":
            self.tool.select(None)
            return
        box = self.box_of(key)
        if box is not None and self.add(box):
            self.suggestions.drop(key.number)
            left = len(self.suggestions.boxes)
            if left:
                self.tool.select(Key("suggestion", "", min(key.number, left - 1)))

    def suggest(self) -> None:
        """Look for rectangles to suggest."""
        if self.ground is not None:
            self.suggestions.ask(self.ground, self.active)

    def accept_all(self) -> None:
        """Accept every suggestion, in one undo."""
        if self.suggestions.boxes and self._add_boxes(self.suggestions.boxes):
            self.suggestions.clear()

    def _selected(self, key: Key | None) -> None:
        if key is not None and key.kind == "rectangle":
            self.workspace.look(precipitate=key.precipitate)
        self.selection_changed.emit()

    def _dismissed(self) -> None:
        if self.suggestions.boxes:
            self.suggestions.clear()
        else:
            self.tool.choose("select")

    def _on_suggestions(self) -> None:
        if self.ground is not None:
            self.tool.set_shapes(self._shapes(self.ground))
        self.suggestions_changed.emit()
