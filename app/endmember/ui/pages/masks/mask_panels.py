"""Small maps beside the working map: component, masks, and what was counted in each mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from endmember.core.counts.spectrum_image import BoolArray
from endmember.session.views.mask_areas import MaskArea
from endmember.ui.document.page import is_same_state
from endmember.ui.map_views.colour_bar import ColourBar, colour_table
from endmember.ui.map_views.map_grid import MapGrid
from endmember.ui.map_views.map_view import MapView, Place, automatic_levels
from endmember.ui.map_views.shape_editor import ShapeEditor
from endmember.ui.map_views.shape_items import DrawnShape

Levels = tuple[float, float]
Rgb = tuple[int, int, int]
MASKS, COUNTS = 0, 1
GROUND, EXCLUDED, OVERLAP = (48, 48, 48), (128, 128, 128), (255, 255, 255)


@dataclass(frozen=True, eq=False, slots=True)
class Areas:
    """The masks of a map, ready to be shown; `levels` are the ends of all their count maps."""

    areas: tuple[MaskArea, ...]
    levels: Levels

    @classmethod
    def of(cls, areas: Sequence[MaskArea]) -> Areas:
        """With ends of the colours that all count maps share."""
        counted = [a.counts[a.mask] for a in areas if a.kind in ("matrix", "mixture", "overlap")]
        return cls(tuple(areas), automatic_levels(np.concatenate(counted)))

    def find(self, kind: str, phase: str = "") -> MaskArea | None:
        """One mask, None where there is none."""
        for area in self.areas:
            if area.kind == kind and area.phase == phase:
                return area
        return None


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """What the panels show. `component` is a map (rows, columns) or None; the same objects in
    `component_source` mean the same map."""

    areas: Areas
    active: str
    matrix: str
    colours: Mapping[str, QColor]
    component: npt.NDArray[np.floating] | None
    component_source: tuple[object, ...]
    component_title: str
    place: Place
    pixel_size_nm: float | None


@dataclass(frozen=True, eq=False, slots=True)
class _Panel:
    title: str
    detail: str
    tooltip: str
    array: npt.NDArray[Any] | None
    source: tuple[object, ...]  # the same objects mean the same picture
    masks: tuple[tuple[BoolArray, Rgb], ...] = ()


MAPS_EXPECTED = 5
COLUMNS = 2  # the titles need the width
LEAST_HEIGHT_FOR_BAR = 140
LONGEST_NAME = 8  # characters of a phase in a title; the tooltip has them all


def percent(share: float) -> str:
    """A share in per cent, to two digits or three where there is room."""
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.3g} %"


def short(name: str) -> str:
    """A name that leaves room for the numbers after it."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def mask_picture(
    shape: tuple[int, ...], masks: Sequence[tuple[BoolArray, Rgb]]
) -> npt.NDArray[np.uint8]:
    """Masks painted over each other on a dark ground, (rows, columns, 3)."""
    which = np.zeros(shape, dtype=np.uint8)
    for number, (mask, _) in enumerate(masks, start=1):
        which[mask] = number
    table = np.array([GROUND, *(colour for _, colour in masks)], dtype=np.uint8)
    return np.take(table, which, axis=0)


class MaskPanels(QWidget):
    """Two sets of small maps, of masks and of counts, that zoom and point together."""

    hovered = pyqtSignal(object)
    range_changed = pyqtSignal(object)
    """What the panel under the pointer shows, after its zoom has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.tabs = QTabBar()
        self.tabs.addTab("Masks")
        self.tabs.addTab("Counts in masks")
        self.tabs.setTabToolTip(MASKS, "Which pixels belong to which mask")
        self.tabs.setTabToolTip(COUNTS, "All X-ray counts in the pixels of each mask")
        self.tabs.setAccessibleName("what the small maps show")
        self.tabs.setDrawBase(False)
        self.bar = ColourBar()
        self.bar.hide()
        self.grid = MapGrid()
        self.grid.expect(MAPS_EXPECTED)
        self.empty = QLabel()
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("role", "muted")
        self.empty.setContentsMargins(12, 12, 12, 12)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.grid)
        self.shapes = ShapeEditor(self)
        self._attached = False
        self._rectangles: Sequence[DrawnShape] = ()
        self._scene: Scene | None = None
        self._shown: dict[MapView, tuple[object, ...]] = {}
        head = QHBoxLayout()
        head.addWidget(self.tabs)
        head.addStretch(1)
        head.addWidget(self.bar)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.stack, 1)
        self.tabs.currentChanged.connect(lambda _: self._show())
        self.grid.hovered.connect(self.hovered)

    # --- what is shown -----------------------------------------------------------------------

    def set_empty(self, text: str) -> None:
        """Show a sentence instead of the maps."""
        self._scene = None
        self.empty.setText(text)
        self.stack.setCurrentWidget(self.empty)
        self.bar.hide()

    def set_scene(self, scene: Scene) -> None:
        """Show the masks of a map."""
        self._scene = scene
        self.stack.setCurrentWidget(self.grid)
        self._show()

    def titles(self) -> list[str]:
        """The titles of the maps shown."""
        shown = self.grid.shown_views() if self._scene else []
        return [f"{view.title}: {view.detail}" if view.detail else view.title for view in shown]

    def set_rectangles(self, shapes: Sequence[DrawnShape]) -> None:
        """The rectangles of the precipitate, over the map of its component."""
        self._rectangles = shapes
        self.shapes.set_shapes(shapes if self.tabs.currentIndex() == MASKS else ())

    def _show(self) -> None:
        scene = self._scene
        if scene is None:
            return
        counts = self.tabs.currentIndex() == COUNTS
        panels = _count_panels(scene) if counts else _mask_panels(scene)
        if len(panels) != len(self.grid.shown_views()):
            self.grid.set_number(len(panels), COLUMNS)
            self._watch()
        for view, panel in zip(self.grid.views, panels, strict=False):
            self._show_panel(view, panel, scene)
        self.set_rectangles(self._rectangles)
        self.bar.setVisible(counts)
        if counts:
            self.bar.show_scale(scene.areas.levels, "counts", colour_table("viridis"))

    def _watch(self) -> None:
        for view in self.grid.views:
            if view not in self._shown:
                self._shown[view] = ()
                view.with_bar = False
                view.canvas.setMinimumSize(70, 40)
                view.canvas.least_height_for_bar = LEAST_HEIGHT_FOR_BAR
                view.canvas.range_changed.connect(lambda view=view: self._on_range(view))
        if not self._attached:
            self._attached = True
            self.shapes.attach(self.grid.views[0].canvas)
            self.grid.views[0].canvas.tool = None  # looked at here, drawn on the working map

    def _on_range(self, view: MapView) -> None:
        if view.canvas.underMouse() or view.canvas.hasFocus():
            self.range_changed.emit(view.canvas.box.viewRect())

    def _show_panel(self, view: MapView, panel: _Panel, scene: Scene) -> None:
        view.set_title(panel.title, panel.tooltip, panel.detail, panel.detail.rpartition(", ")[2])
        view.head.title.short = panel.title.removeprefix("component ")
        source = (*panel.source, scene.place)
        if is_same_state(source, self._shown[view]):
            return
        self._shown[view] = source
        if panel.array is None:
            shape = panel.masks[0][0].shape
            view.set_rgb(mask_picture(shape, panel.masks), scene.place, scene.pixel_size_nm)
            return
        levels = scene.areas.levels if self.tabs.currentIndex() == COUNTS else None
        view.set_image(
            panel.array,
            scene.place,
            "counts",
            pixel_size_nm=scene.pixel_size_nm,
            levels=levels,
        )

    def fit(self) -> None:
        """Show all of every map."""
        self.grid.fit()


def _rgb(colour: QColor) -> Rgb:
    return colour.red(), colour.green(), colour.blue()


def _mask_panels(scene: Scene) -> list[_Panel]:
    panels: list[_Panel] = []
    if scene.component is not None:
        panels.append(
            _Panel(
                scene.component_title,
                "",
                f"{scene.component_title}, in counts, with the rectangles of {scene.active}",
                scene.component,
                scene.component_source,
            )
        )
    excluded = scene.areas.find("excluded")
    overlap = scene.areas.find("overlap")
    assert excluded is not None
    assert overlap is not None
    active, matrix = scene.active, scene.matrix
    for kind, phase, title, called in (
        ("component", active, f"{short(active)} mask", f"the mask of {active}"),
        ("matrix", "", short(matrix), f"the matrix {matrix}"),
        ("mixture", active, f"{short(active)}+{short(matrix)}", f"the mixture of {active}"),
    ):
        area = scene.areas.find(kind, phase)
        if area is not None:
            colour = _rgb(scene.colours[phase or matrix])
            panels.append(_mask_panel(area, title, called, colour, excluded))
    masks = ((overlap.mask, OVERLAP), (excluded.mask, EXCLUDED))
    panels.append(
        _Panel(
            "overlap",
            f"{overlap.pixels:,} px, excluded {excluded.pixels:,} px"
            if excluded.pixels
            else f"{overlap.pixels:,} px, {percent(overlap.share)}",
            f"white: in two masks or more, {overlap.pixels:,} px, {percent(overlap.share)}; grey: "
            f"excluded by hand, {excluded.pixels:,} px, {percent(excluded.share)}",
            None,
            (overlap.mask, excluded.mask),
            masks,
        )
    )
    return panels


def _mask_panel(area: MaskArea, title: str, called: str, colour: Rgb, excluded: MaskArea) -> _Panel:
    return _Panel(
        title,
        f"{area.pixels:,} px, {percent(area.share)}",
        f"{called}: {area.pixels:,} pixels, {percent(area.share)} of the map; "
        "grey: excluded by hand",
        None,
        (area.mask, excluded.mask, colour),
        ((area.mask, colour), (excluded.mask, EXCLUDED)),
    )


def _count_panels(scene: Scene) -> list[_Panel]:
    panels = []
    for area in scene.areas.areas:
        called = {
            "matrix": short(scene.matrix),
            "mixture": f"{short(area.phase)}+{short(scene.matrix)}",
            "overlap": "overlap",
        }.get(area.kind)
        if called is None or (area.kind == "overlap" and not area.pixels):
            continue
        panels.append(
            _Panel(
                called,
                f"{area.pixels:,} px, {percent(area.share)}",
                f"{called}: {area.total:,} counts in {area.pixels:,} pixels, "
                f"{percent(area.count_share)} of all counts",
                area.counts,
                (area.counts,),
            )
        )
    return panels
