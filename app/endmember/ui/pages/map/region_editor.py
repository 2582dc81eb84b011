"""Regions of interest, exclusions and the crop: what is drawn on the maps becomes the recipe."""

from __future__ import annotations

from collections.abc import Hashable
from typing import cast

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QColor

from endmember.core.masks.regions import Rectangle, pixel_box
from endmember.session.decisions import edits
from endmember.session.decisions.drawings import ShapeKind, cut_to_map
from endmember.session.decisions.recipe import Exclude, MapInput, Recipe, Roi
from endmember.session.views.shown_spectra import ROI, WHOLE
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.workspace import Workspace
from endmember.ui.map_views.frame_boxes import frame_of, points_in
from endmember.ui.map_views.map_tools import Purpose
from endmember.ui.map_views.shape_editor import Geometry, Mode, ShapeEditor
from endmember.ui.map_views.shape_gestures import Frame, Points
from endmember.ui.map_views.shape_items import DrawnShape
from endmember.ui.widgets.theme import phase_colour

Key = tuple[str, str | int]
CROP: Key = ("crop", 0)
EXCLUDED_COLOUR, CROP_COLOUR = "#d9d9d9", "#ffffff"


def shape_of(drawn: Roi | Exclude) -> tuple[ShapeKind, Geometry]:
    """Kind and geometry of what the recipe holds."""
    if drawn.polygon is not None:
        return "polygon", drawn.polygon
    if drawn.rectangle is not None:
        return "rectangle", drawn.rectangle
    assert drawn.ellipse is not None
    return "ellipse", drawn.ellipse


def frame_round(kind: str, geometry: Geometry) -> Frame:
    """The upright frame round a shape."""
    return frame_of(cast(Points, geometry)) if kind == "polygon" else cast(Frame, geometry)


class RegionEditor(QObject):
    """Between the shapes on the canvases and the recipe.

    Keys of shapes are ("roi", its name), ("exclude", its number on the map) and `CROP`.
    """

    selected = pyqtSignal(object)
    """The key of the region selected, None for none."""
    frame_moved = pyqtSignal(object, object)
    """Key and frame of a region while it is dragged."""
    crop_moved = pyqtSignal(object)
    """The frame of the crop while it is drawn or dragged."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.shapes = ShapeEditor(self)
        self.purpose: Purpose = "select"
        self._phase = ""
        self.edits = GestureEdits(workspace)
        self._shown: tuple[object, ...] = ()
        self.shapes.drawing.connect(self._on_drawing)
        self.shapes.drawn.connect(self._on_drawn)
        self.shapes.changing.connect(self._on_changing)
        self.shapes.changed.connect(self._on_changed)
        self.shapes.ended.connect(lambda: workspace.region_moved.emit(None))
        self.shapes.removed.connect(self.remove)
        self.shapes.selected.connect(self._on_selected)

    # --- what is shown -----------------------------------------------------------------------

    @property
    def map_name(self) -> str:
        """The map that is drawn on."""
        return self.workspace.focus.map_name

    @property
    def entry(self) -> MapInput | None:
        """What the recipe says of that map."""
        recipe = self.workspace.recipe
        return None if recipe is None else recipe.map_named(self.map_name)

    def set_tool(self, purpose: Purpose, mode: Mode) -> None:
        """What a drag draws from now on."""
        chosen = self.shapes.key_selected
        self.purpose = purpose
        self.shapes.set_mode(mode)
        self.shapes.colour = QColor({"exclude": EXCLUDED_COLOUR}.get(purpose, CROP_COLOUR))
        if purpose != "select" and isinstance(chosen, tuple) and chosen[0] != purpose:
            self.shapes.select(None)
        self.refresh()
        if purpose == "crop" and self.entry is not None and self.entry.crop is not None:
            self.shapes.select(CROP)

    def refresh(self) -> None:
        """Draw the regions that today's recipe has on the map looked at."""
        recipe, entry = self.workspace.recipe, self.entry
        state = (entry, None if recipe is None else recipe.phases, self.purpose == "crop")
        if state == self._shown:
            return
        self._shown = state
        if recipe is None or entry is None:
            self.shapes.set_shapes([])
            return
        shapes = [self._of_roi(recipe, roi) for roi in entry.rois]
        shapes += [self._of_exclude(number, e) for number, e in enumerate(entry.excludes)]
        if self.purpose == "crop" and entry.crop is not None:
            frame = cast(Frame, entry.crop)
            shapes.append(
                DrawnShape(CROP, "rectangle", frame, QColor(CROP_COLOUR), "crop", whole=True)
            )
        self.shapes.set_shapes(shapes)

    def _of_roi(self, recipe: Recipe, roi: Roi) -> DrawnShape:
        kind, geometry = shape_of(roi)
        colour = phase_colour(recipe.phases.index(roi.phase) if roi.phase in recipe.phases else 0)
        tooltip = f"{roi.name}: region of interest for {roi.phase}"
        whole = kind != "polygon"
        return DrawnShape(
            ("roi", roi.name), kind, geometry, colour, roi.name, whole=whole, tooltip=tooltip
        )

    def _of_exclude(self, number: int, exclude: Exclude) -> DrawnShape:
        kind, geometry = shape_of(exclude)
        return DrawnShape(
            ("exclude", number),
            kind,
            geometry,
            QColor(EXCLUDED_COLOUR),
            f"excluded {number + 1}",
            whole=kind != "polygon",
            tooltip="excluded: in no phase's mask",
        )

    def select(self, key: Hashable | None) -> None:
        """Select a region, as a click on it does."""
        self.shapes.select(key)

    # --- while something is drawn or dragged ---------------------------------------------------

    def _on_drawing(self, kind: str, geometry: Geometry) -> None:
        if self.purpose == "crop":
            self.crop_moved.emit(geometry)
        elif self.purpose == "roi":
            self._tell(kind, geometry)

    def _on_changing(self, key: Key, geometry: Geometry) -> None:
        kind = self._kind(key)
        self.frame_moved.emit(key, frame_round(kind, geometry))
        if key == CROP:
            self.crop_moved.emit(geometry)
        elif key[0] == "roi":
            self._tell(kind, geometry)

    def _tell(self, kind: str, geometry: Geometry) -> None:
        if kind != "polygon" or len(geometry) >= 3:
            self.workspace.region_moved.emit((kind, geometry))

    def _on_selected(self, key: Key | None) -> None:
        if key is not None and key[0] == "roi":
            self.workspace.look(roi=str(key[1]), spectrum=f"{ROI}{key[1]}")
        self.selected.emit(key)

    # --- what becomes of it ----------------------------------------------------------------------

    def _on_map(self, kind: ShapeKind, geometry: Geometry) -> Geometry | None:
        """The geometry, a rectangle cut to the map; None, with a word, if it lies off the map."""
        data = self.workspace.data
        if data is None:
            return geometry
        try:
            return cast(Geometry, cut_to_map(data.full_shape, kind, geometry))
        except ValueError as error:
            self.workspace.say("warning", str(error))
            return None

    def _on_drawn(self, kind: ShapeKind, drawn: Geometry, _: object) -> None:
        if self.purpose == "crop":
            self.set_crop(cast(Frame, drawn))
            self._select_new(CROP)
        elif (geometry := self._on_map(kind, drawn)) is None:
            return
        elif self.purpose == "exclude":
            if self.edits.edit(None, edits.add_exclude, self.map_name, kind, geometry):
                assert self.entry is not None
                self._select_new(("exclude", len(self.entry.excludes) - 1))
        elif self.edits.edit(None, edits.add_roi, self.map_name, kind, geometry, self._new_phase()):
            assert self.entry is not None
            self._select_new(("roi", self.entry.rois[-1].name))

    def _select_new(self, key: Key) -> None:
        self.refresh()
        self.shapes.select(key)

    def _new_phase(self) -> str:
        """The phase for a new region: that of the last one, or else the matrix."""
        recipe = self.workspace.recipe
        assert recipe is not None
        return self._phase if self._phase in recipe.phases else recipe.sample.matrix

    def _on_changed(self, key: Key, geometry: Geometry, going_on: bool) -> None:
        if not going_on:
            self.edits.end()
        self.set_geometry(key, geometry, ("moved", key))
        self.refresh()  # now: the next nudge goes on from here

    def set_geometry(self, key: Key, geometry: Geometry, gesture: Hashable = None) -> None:
        """Another place or shape for what is drawn."""
        change, kind = self.edits.edit, self._kind(key)
        if key == CROP:
            self.set_crop(cast(Frame, geometry), gesture)
        elif (kept := self._on_map(kind, geometry)) is None:
            self._shown = ()
            self.refresh()
        elif key[0] == "roi":
            change(gesture, edits.change_roi, self.map_name, key[1], **{kind: kept})
        else:
            change(gesture, edits.change_exclude, self.map_name, key[1], kind, kept)

    def set_frame(self, key: Key, frame: Frame) -> None:
        """The same shape in another frame, from the exact boxes."""
        drawn, geometry = self._drawn(key), cast(Geometry, frame)
        if drawn is not None and drawn.polygon is not None:
            geometry = points_in(cast(Points, drawn.polygon), frame)
        self.set_geometry(key, geometry, ("boxes", key))

    def set_crop(self, frame: Frame | None, gesture: Hashable = None) -> None:
        """Analyse only a rectangle, cut to the map, or the whole map again."""
        data, box = self.workspace.data, frame
        if data is not None and frame is not None:
            rows, columns = data.full_shape
            try:
                box, _ = pixel_box(data.full_shape, Rectangle(*frame), "the crop")
            except ValueError as error:
                self.workspace.say("warning", str(error))
                self.crop_moved.emit(None)
                return
            if box == (0, 0, columns, rows):
                box = None
        self.edits.edit(gesture, edits.set_map, self.map_name, crop=box)
        self.crop_moved.emit(None)

    def rename(self, key: Key, text: str) -> None:
        """Another name for a region of interest."""
        if self.edits.edit(None, edits.change_roi, self.map_name, key[1], new_name=text):
            self._select_new(("roi", text.strip()))

    def set_phase(self, key: Key, phase: str) -> None:
        """The phase that a region of interest is meant to show."""
        self._phase = phase
        self.edits.edit(None, edits.change_roi, self.map_name, key[1], phase=phase)

    def remove(self, key: Key) -> None:
        """Take a region, an exclusion or the crop away."""
        if key == CROP:
            self.set_crop(None)
        elif key[0] == "roi":
            self.edits.edit(None, edits.remove_roi, self.map_name, key[1])
            if self.workspace.focus.roi == key[1]:
                self.workspace.look(roi="", spectrum=WHOLE)
        else:
            self.edits.edit(None, edits.remove_exclude, self.map_name, key[1])

    def _drawn(self, key: Key) -> Roi | Exclude | None:
        if self.entry is None or key == CROP:
            return None
        if key[0] == "roi":
            return next((roi for roi in self.entry.rois if roi.name == key[1]), None)
        return self.entry.excludes[int(key[1])]

    def _kind(self, key: Key) -> ShapeKind:
        drawn = self._drawn(key)
        return "rectangle" if drawn is None else shape_of(drawn)[0]
