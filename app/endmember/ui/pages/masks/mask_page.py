"""The page of the masks: rectangles and strokes on the component maps, and what they yield."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from endmember.session.decisions.recipe import Recipe
from endmember.session.steps.map_reading import fitting
from endmember.session.views.component_choice import component_to_draw_on
from endmember.session.views.mask_areas import mask_areas
from endmember.ui.document.page import Page, Veil, is_same_state
from endmember.ui.document.requests import Requests, quietly
from endmember.ui.document.workspace import Shown, Workspace
from endmember.ui.map_views.shape_gestures import Point
from endmember.ui.pages.masks.mask_drawing import Ground, MaskDrawing
from endmember.ui.pages.masks.mask_layers import (
    TOTAL,
    shown_component,
)
from endmember.ui.pages.masks.mask_map import WorkingMap
from endmember.ui.pages.masks.mask_panels import Areas, MaskPanels, Scene
from endmember.ui.pages.masks.mask_settings import MaskSettings
from endmember.ui.pages.masks.mask_texts import Results, Seen, precipitate_rows
from endmember.ui.pages.masks.mask_tool import TOOLS, BrushRadius, ToolButtons
from endmember.ui.pages.masks.precipitate_panel import NO_PRECIPITATE, component_title
from endmember.ui.widgets.dialog import set_look
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.theme import phase_colour

if TYPE_CHECKING:
    from endmember.session.steps.chain import Decomposed
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks

HINTS = {
    "select": "Click a rectangle to select it, drag it or its handles; drag an empty place to pan",
    "rectangle": "Drag a loose rectangle round a precipitate, with some matrix on every side",
    "inside": "Paint what belongs to the precipitate but was left out; Ctrl paints outside",
    "outside": "Paint what was taken for the precipitate but is not; Shift paints inside",
}
BEING_READ = "the map is being read"
NO_MASKS = "the masks are not there yet"


FloatArray = npt.NDArray[np.float64]


@dataclass(slots=True)
class _Made:
    """What was made of a map away from the main thread, the areas with the masks they are of."""

    data: MapData | None = None
    total: FloatArray | None = None
    areas: tuple[MapMasks | None, Areas | None] = (None, None)


class MaskPage(Page):
    """Where precipitates are marked, and the masks that follow from that."""

    name = "masks"
    step = "masks"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.working = WorkingMap()
        self.map = self.working.view
        self.panels = MaskPanels()
        self.drawing = MaskDrawing(workspace, self.map.canvas)
        self.tools = ToolButtons(self.drawing.tool)
        self.radius = BrushRadius(self.drawing.tool)
        self.hint = ElidedLabel(HINTS["select"])
        self.side = MaskSettings(workspace, self.drawing)
        self.seen: Seen | None = None
        self._state: tuple[object, ...] = ()
        self._made = _Made()
        self._requests = Requests(workspace.runner, lambda text: self._say(text, True))
        self._dragging = False
        self._linking = False
        self._lay_out()
        self._connect()

    # --- building ----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(6)
        bar.addWidget(self.tools)
        bar.addStretch(1)
        bar.addWidget(self.working.layer, 2)
        bar.addWidget(self.working.overlay)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.map, 1)
        below = QHBoxLayout()
        below.addWidget(self.hint, 1)
        below.addWidget(self.radius)
        column.addLayout(below)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.panels)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([480, 320])
        self.splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(bar)
        layout.addWidget(self.splitter, 1)
        inner = QVBoxLayout(self.settings)
        inner.setContentsMargins(6, 6, 6, 6)
        inner.addWidget(self.side)
        # the working map is of the components: it is current while the masks are not
        self.veil.deleteLater()
        self.veil = Veil(self.panels.stack)
        self.map_veil = Veil(self.map)

    def _connect(self) -> None:
        self.working.chosen.connect(self._show)
        self.working.overlay.toggled.connect(lambda _: self._show_overlays())
        self.drawing.hinted.connect(self._say)
        self.drawing.tool.tool_changed.connect(lambda tool: self._say(HINTS[tool], False))
        self.drawing.dragging.connect(self._on_dragging)
        self.side.precipitates.named.connect(self._begin_drawing)
        self.map.hovered.connect(self._on_hovered)
        self.panels.hovered.connect(self._on_panel_hovered)
        self.map.canvas.range_changed.connect(self._zoom_panels)
        self.panels.range_changed.connect(self._zoom_map)

    def _begin_drawing(self) -> None:
        """A precipitate without any drawing was named: what comes next is its first rectangle."""
        recipe, name = self.workspace.recipe, self.workspace.focus.precipitate
        drawn = [p for p in recipe.precipitates if p.name == name] if recipe is not None else []
        if drawn and not drawn[0].rectangles and not drawn[0].strokes:
            self.key_tool("R")
            self.map.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- refresh -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what today's recipe and results say."""
        workspace = self.workspace
        recipe, data, focus = workspace.recipe, workspace.data, workspace.focus
        if recipe is None:
            return
        steps = [workspace.shown(step) for step in ("decomposition", "masks", "subtraction")]
        decomposed, masks, phases = (replace(s, value=fitting(s.value, data)) for s in steps)
        shown = [_parts(of) for of in (decomposed, masks, phases)]
        state = (recipe, data, focus.map_name, focus.precipitate, *sum(shown, ()))
        if is_same_state(state, self._state) and not self.drawing.is_ahead:
            return
        self._state = state
        self.show_state(masks)
        self.map_veil.cover(_waiting(decomposed))
        if data is not self._made.data:  # what was asked about another map is not taken any more
            self._made = _Made(data)
            self._requests.forget()
            self.panels.set_empty(NO_MASKS)
        if data is None or data.entry.name != focus.map_name:
            self.seen = None
            self.working.show_nothing(BEING_READ)
            self.panels.set_empty(BEING_READ)
            self.drawing.show_nothing()
            self.side.setVisible(False)
            return
        results = Results(data, masks.value, masks.current, phases.value, phases.current)
        self.seen = self._see(recipe, results, decomposed.value)
        if masks.current or masks.failure is not None:
            self.drawing.end_preview()
        self._tell_failures(results)
        self._show()

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self.seen, self._made, self._state = None, _Made(), ()
        self._requests.forget()
        self.working.show_nothing(BEING_READ)
        self.drawing.forget()

    def _see(self, recipe: Recipe, results: Results, decomposed: Decomposed | None) -> Seen:
        components: dict[str, int] = {}
        choice = self.drawing.choice
        for precipitate in recipe.precipitates:
            known = None
            if decomposed is not None:
                known = choice.known(precipitate, recipe.sample, decomposed)
            if known is None and results.masks is not None and results.current:
                known = results.masks.components.get(precipitate.name)
                if known is not None and decomposed is not None:
                    choice.learn(precipitate, recipe.sample, decomposed, known)
            if known is not None:
                components[precipitate.name] = known
        active = self.workspace.focus.precipitate
        follow = components.get(active)
        if follow is None:
            self._find_component(recipe, results, decomposed)
            follow = component_to_draw_on(recipe, set(components.values()))
        return Seen(recipe, results, decomposed, components, follow)

    def _find_component(
        self, recipe: Recipe, results: Results, decomposed: Decomposed | None
    ) -> None:
        """Ask which component shows the precipitate being worked on, where that can be known."""
        active, data = self.drawing.active, results.data
        if active is None or not active.absent or decomposed is None:
            return
        choice = self.drawing.choice
        self._requests.ask(
            "component choice",
            (decomposed, active.absent, recipe.sample),
            lambda: choice.find(active, recipe.sample, data, decomposed),
            lambda _: self._refresh_again(),
            failed=quietly,
        )

    def _refresh_again(self) -> None:
        self._state = ()
        self.refresh()

    def _show(self) -> None:
        seen = self.seen
        if seen is None:
            return
        self._show_map(seen)
        shown = shown_component(self.working.key, seen.follow)
        self.drawing.refresh(Ground(seen.recipe, seen.results, seen.decomposed, shown))
        self._show_overlays()
        self._show_panels(seen)
        rows = precipitate_rows(seen.recipe, seen.results, seen.components)
        self.side.refresh(seen.recipe, seen.results, rows, seen.components)

    def _tell_failures(self, results: Results) -> None:
        masks = results.masks
        if masks is not None and results.current and masks.failures:
            self.banner.set("warning", "\n".join(masks.failures.values()))

    # --- the working map ---------------------------------------------------------------------

    def _show_map(self, seen: Seen) -> None:
        data = seen.results.data
        wanted = self.working.offer(seen, self.workspace.focus.precipitate)
        if wanted == TOTAL and self._made.total is None:
            self._requests.ask("count map", (data,), data.image.count_map, self._take_total)
        self.working.show(seen, self._made.total)

    def _take_total(self, total: FloatArray) -> None:
        self._made.total = total
        self._show()

    def _show_overlays(self) -> None:
        moving = self.workspace.focus.precipitate if self._dragging else ""
        self.working.show_masks(self.seen, moving)

    def _on_dragging(self, dragging: bool) -> None:
        if dragging != self._dragging:
            self._dragging = dragging
            self._show_overlays()

    # --- the small maps ----------------------------------------------------------------------

    def _show_panels(self, seen: Seen) -> None:
        masks, recipe, data = seen.results.masks, seen.recipe, seen.results.data
        if not recipe.precipitates:
            self.panels.set_empty(NO_PRECIPITATE)
            return
        if masks is None:
            self.panels.set_empty(NO_MASKS)
            return
        matrix, total = recipe.sample.matrix, self._made.total
        self._requests.ask(
            "mask areas",
            (data, masks),
            lambda: _areas(data, masks, total),
            partial(self._take_areas, masks),
        )
        owner, areas = self._made.areas
        if areas is None or owner is not masks:
            return  # the last ones are shown until these are there
        component = None
        if seen.decomposed is not None:
            maps = seen.decomposed.maps_of(data.entry.name)
            component = maps[seen.follow] if seen.follow < len(maps) else None
        names, active = recipe.phases, self.workspace.focus.precipitate
        self.panels.set_scene(
            Scene(
                areas,
                active if active in names else "",
                matrix,
                {name: phase_colour(number) for number, name in enumerate(names)},
                component,
                (seen.decomposed, seen.follow),
                component_title(recipe, seen.follow),
                data.place,
                data.full_pixel_size_nm,
            )
        )
        self.panels.set_rectangles(self.drawing.plain_rectangles())

    def _take_areas(self, masks: MapMasks, made: tuple[FloatArray, Areas]) -> None:
        self._made.total, areas = made
        self._made.areas = masks, areas
        if self.seen is not None:
            self._show_panels(self.seen)

    # --- pointer and zoom --------------------------------------------------------------------

    def _on_hovered(self, point: Point | None) -> None:
        self.panels.grid.show_cross(point)
        self.workspace.cursor_moved.emit(point)

    def _on_panel_hovered(self, point: Point | None) -> None:
        self.map.canvas.show_cross(point)
        self.workspace.cursor_moved.emit(point)

    def _zoom_panels(self) -> None:
        """Show in the small maps what the working map shows of the map."""
        views = self.panels.grid.views
        if self._linking or not views:
            return
        self._linking = True
        if self.map.canvas.fitted:
            self.panels.fit()
        else:
            part = self.map.canvas.box.viewRect().intersected(QRectF(*self.map.place))
            for view in views:
                view.canvas.fitted = False
            if not part.isEmpty():
                views[0].canvas.box.setRange(part, padding=0.02)
        self._linking = False

    def _zoom_map(self, seen: QRectF) -> None:
        """Show in the working map what a small map shows."""
        part = seen.intersected(QRectF(*self.map.place))
        if not self._linking and not part.isEmpty():
            self._linking = True
            self.map.canvas.fitted = False
            self.map.canvas.box.setRange(part, padding=0.02)
            self._linking = False

    def fit(self) -> None:
        """Show the whole map."""
        self.map.canvas.fit()

    def one_to_one(self) -> None:
        """Show a pixel of the map on a pixel of the screen."""
        self.map.canvas.one_to_one()

    def describe(self, point: Point) -> str:
        """Place, value and masks under the pointer."""
        text = super().describe(point)
        value, seen = self.map.value_at(point), self.seen
        if value is not None:
            text += f"   {self.map.title}: {value:.4g} {self.map.unit}".rstrip()
        pixel = None if seen is None else seen.results.data.pixel_at(*point)
        if seen is not None and pixel is not None and seen.results.masks is not None:
            part = seen.results.masks.partition
            inside = [name for name, mask in part.components.items() if mask[pixel]]
            where = " and ".join(inside) or (
                "excluded" if part.excluded[pixel] else seen.recipe.sample.matrix
            )
            text += f"   in {where}"
        return text

    # --- keys and hints ----------------------------------------------------------------------

    def key_tool(self, letter: str) -> bool:
        """V, R, B, E choose a tool, [ and ] the radius of the brush, M shows the masks."""
        if letter in TOOLS:
            self.drawing.tool.choose(TOOLS[letter][0])
        elif letter in ("[", "]"):
            self.drawing.tool.change_radius(-1 if letter == "[" else 1)
        elif letter == "M":
            self.working.overlay.toggle()
        else:
            return False
        return True

    def _say(self, text: str, doubt: bool) -> None:
        """Show a sentence under the map; without one, what the tool does."""
        text = text or HINTS[self.drawing.tool.tool]
        self.hint.setText(text)
        self.hint.setToolTip(text)
        set_look(self.hint, "role", "warning" if doubt else "")


def _areas(data: MapData, masks: MapMasks, total: FloatArray | None) -> tuple[FloatArray, Areas]:
    """All counts of the map, added up unless they are known, and the areas of its masks."""
    counted = data.image.count_map() if total is None else total
    return counted, Areas.of(mask_areas(data, masks, counted))


def _parts(shown: Shown) -> tuple[object, ...]:
    return shown.value, shown.current, shown.failure


def _waiting(decomposed: Shown) -> str | None:
    stale = decomposed.value is not None and not decomposed.current
    return "out of date: the components are being found anew" if stale else None
