"""Pictures of a map side by side, with an overlay of three, a crop, and remembered contrast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QPainterPath, QPen
from PyQt6.QtWidgets import QGraphicsPathItem, QMenu, QVBoxLayout, QWidget

from endmember.ui.map_views.colour_bar import colour_table
from endmember.ui.map_views.map_canvas import MapCanvas
from endmember.ui.map_views.map_grid import MapGrid
from endmember.ui.map_views.map_layers import Levels, Picture
from endmember.ui.map_views.map_view import MapView, Place, automatic_levels
from endmember.ui.map_views.rgb_overlay import COLOURS, OverlayLegend
from endmember.ui.map_views.shape_gestures import Point

OVERLAY = "overlay"  # the key of the view that holds it
AT_A_TIME = 3  # pictures drawn between two events
MADE_AHEAD = 12  # views


@dataclass(frozen=True, eq=False, slots=True)
class Overlay:
    """Red, green and blue (rows, columns, 3) and what is shown in each, "" for nothing."""

    values: npt.NDArray[np.uint8]
    names: tuple[str, ...]


@dataclass(slots=True)
class _Look:
    """What a person chose for one layer: ends of the colours in counts, and the colour map."""

    levels: Levels | None = None
    colour_map: str = ""


class MapGallery(QWidget):
    """A grid of maps that remembers contrast and colours by layer, wherever it is shown."""

    hovered = pyqtSignal(object)
    canvas_added = pyqtSignal(object)
    alone_asked = pyqtSignal(str)
    """The key of a layer that is to be shown alone, "" for all again."""
    hiding_asked = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.grid = MapGrid()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.grid)
        self.legend = OverlayLegend()
        self.pictures: tuple[Picture, ...] = ()
        self.place: Place = (0.0, 0.0, 1.0, 1.0)
        self.alone = False
        self._overlay: Overlay | None = None
        self._pixel_size_nm: float | None = None
        self._looks: dict[str, _Look] = {}
        self._drawn: dict[int, object] = {}
        self._to_draw: list[int] = []
        self._drawing = QTimer(self)
        self._drawing.setSingleShot(True)
        self._drawing.setInterval(0)
        self._drawing.timeout.connect(self._draw_some)
        self._making = QTimer(self)
        self._making.timeout.connect(self._make_ahead)
        self._making.start()
        self._extent: Place | None = None
        self._crop: Place | None = None
        self._shades: list[QGraphicsPathItem] = []
        self._backdrops: list[pg.ImageItem] = []
        self._backdrop: object = None
        self._under_pointer = 0
        self._filling = False

    # --- what is shown -----------------------------------------------------------------------

    def show_empty(self, text: str) -> None:
        """Show a sentence instead of maps."""
        self.pictures, self._overlay = (), None
        self._drawn.clear()
        self._to_draw = []
        self.legend.show_on(None, ())
        self._set_number(1)
        self.grid.views[0].set_title("")
        self.grid.views[0].set_empty(text)

    def show_pictures(
        self,
        pictures: Sequence[Picture],
        overlay: Overlay | None,
        place: Place,
        pixel_size_nm: float | None,
        extent: Place | None = None,
    ) -> None:
        """Show pictures and, as a further view, an overlay, on `place` in uncropped pixels.

        `extent` is what "fit" shows, where that is more than the place of the maps.
        """
        if (place, pixel_size_nm, extent) != (self.place, self._pixel_size_nm, self._extent):
            self._drawn.clear()
        self.pictures, self._overlay = tuple(pictures), overlay
        self.place, self._pixel_size_nm, self._extent = place, pixel_size_nm, extent
        number = len(pictures) + (overlay is not None)
        if number == 0:
            self.show_empty("No map is ticked: choose some under Maps shown")
            return
        self._set_number(number)
        self._to_draw = [
            index for index, picture in enumerate(pictures) if self._drawn.get(index) is not picture
        ]
        self._draw_some()

    @property
    def is_drawing(self) -> bool:
        """Whether pictures are still to be drawn."""
        return bool(self._to_draw)

    def _draw_some(self) -> None:
        """Draw a few pictures, the rest between later events, so that the window never waits."""
        now, self._to_draw = self._to_draw[:AT_A_TIME], self._to_draw[AT_A_TIME:]
        self._filling = True
        for index in now:
            self._show(index, self.pictures[index])
        self._filling = False
        if self._to_draw:
            self._drawing.start()
        elif self.pictures or self._overlay is not None:
            self._show_overlay(len(self.pictures))

    def show_one(self, picture: Picture) -> bool:
        """Replace the picture of a layer that is shown; whether it is shown at all."""
        for index, known in enumerate(self.pictures):
            if known.layer.key == picture.layer.key:
                self.pictures = (*self.pictures[:index], picture, *self.pictures[index + 1 :])
                self._filling = True
                self._show(index, picture)
                self._filling = False
                return True
        return False

    def _make_ahead(self) -> None:
        """Make the views one by one while the map is still being read."""
        known = len(self.grid.views)
        if known >= MADE_AHEAD:
            self._making.stop()
            return
        self.grid.make_ahead()
        self._prepare(known)

    def _set_number(self, number: int) -> None:
        known = len(self.grid.views)
        self.grid.set_number(number)
        self._prepare(known)
        self._darken()
        for index in [i for i in self._drawn if i >= number]:
            del self._drawn[index]

    def _prepare(self, known: int) -> None:
        """Connect the views from number `known` on."""
        for index, view in enumerate(self.grid.views[known:], start=known):
            view.hovered.connect(partial(self._on_hovered, index))
            view.levels_changed.connect(partial(self._remember, index))
            view.menu_opening.connect(partial(self._add_to_menu, index))
            view.extent = self._extent
            self._shades.append(_shade(view))
            self._backdrops.append(_backdrop(view))
            self._backdrop = None
            self.canvas_added.emit(view.canvas)

    def _show(self, index: int, picture: Picture) -> None:
        if self._drawn.get(index) is picture:
            return
        self._drawn[index] = picture
        view, look = self.grid.views[index], self._looks.get(picture.layer.key, _Look())
        view.extent = self._extent
        view.set_title(picture.title, picture.tooltip, picture.detail)
        if picture.values is None:
            view.set_empty(picture.empty)
            return
        view.levels = None if look.levels is None else picture.from_counts(look.levels)
        usual = "grey" if picture.layer.kind == "image" else "viridis"
        view.set_image(
            picture.values,
            self.place,
            picture.unit,
            pixel_size_nm=self._pixel_size_nm,
            colour_map=look.colour_map or usual,
            levels=view.levels or picture.levels,
        )

    def _show_overlay(self, index: int) -> None:
        overlay = self._overlay
        if overlay is None:
            self.legend.show_on(None, ())
            return
        view = self.grid.views[index]
        if self._drawn.get(index) is not overlay:
            self._drawn[index] = overlay
            view.extent = self._extent
            view.set_rgb(overlay.values, self.place, self._pixel_size_nm)
        named = [
            f"{layer} {colour}"
            for layer, colour in zip(overlay.names, COLOURS, strict=True)
            if layer
        ]
        told = ", ".join(named)
        view.set_title(told, f"Overlay: {told}; each scaled by its own percentiles")
        self.legend.show_on(view.canvas, overlay.names)

    def _remember(self, index: int) -> None:
        """Keep what a person chose in the menu of a view."""
        if self._filling or index >= len(self.pictures):
            return
        picture, view = self.pictures[index], self.grid.views[index]
        levels = None if view.levels is None else picture.to_counts(view.levels)
        self._looks[picture.layer.key] = _Look(levels, view.colour_map)

    def forget(self) -> None:
        """Another document: contrast and colours begin anew."""
        self._looks.clear()

    # --- the crop ------------------------------------------------------------------------------

    def set_crop(self, crop: Place | None) -> None:
        """Darken what lies outside a rectangle; None for nothing."""
        if crop != self._crop:
            self._crop = crop
            self._darken()

    def _darken(self) -> None:
        path = QPainterPath()
        if self._crop is not None:
            whole, kept = QPainterPath(), QPainterPath()
            whole.addRect(QRectF(*(self._extent or self.place)))
            kept.addRect(QRectF(*self._crop))
            path = whole.subtracted(kept)
        for shade in self._shades:
            shade.setPath(path)

    def set_backdrop(self, values: npt.NDArray[np.generic] | None, place: Place) -> None:
        """Show in grey, under the maps, what lies round them; None for nothing."""
        for item in self._backdrops:
            item.setVisible(values is not None)
        if values is None or values is self._backdrop:
            return
        self._backdrop = values
        levels, table = automatic_levels(values), colour_table("grey")
        for item in self._backdrops:
            item.setImage(np.asarray(values, np.float32), levels=levels, lut=table)
            item.setRect(QRectF(*place))

    # --- the pointer ---------------------------------------------------------------------------

    def _on_hovered(self, index: int, point: Point | None) -> None:
        self._under_pointer = index
        self.hovered.emit(point)

    def value_text(self, pixel: tuple[int, int]) -> str:
        """What the map under the pointer holds in a pixel: its name and the value measured."""
        index = self._under_pointer
        if index >= len(self.pictures):
            return ""
        picture = self.pictures[index]
        if picture.counts is None:
            return ""
        if picture.layer.kind == "total":  # which is told for every map
            return ""
        return f"{picture.layer.name} {picture.counts[pixel]:.5g}"

    def _add_to_menu(self, index: int, menu: QMenu, _: Point) -> None:
        key = self.pictures[index].layer.key if index < len(self.pictures) else OVERLAY
        menu.addSeparator()
        if self.alone:
            menu.addAction("Show all maps again", lambda: self.alone_asked.emit(""))
        elif len(self.grid.shown_views()) > 1:
            menu.addAction("Show this map alone", lambda: self.alone_asked.emit(key))
        menu.addAction("Hide this map", lambda: self.hiding_asked.emit(key))


def _shade(view: MapView) -> QGraphicsPathItem:
    shade = QGraphicsPathItem()
    shade.setPen(QPen(Qt.PenStyle.NoPen))
    shade.setBrush(QBrush(QColor(0, 0, 0, 150)))
    shade.setZValue(15)  # over the map, under the shapes
    canvas: MapCanvas = view.canvas
    canvas.box.addItem(shade, ignoreBounds=True)
    return shade


def _backdrop(view: MapView) -> pg.ImageItem:
    item = pg.ImageItem(axisOrder="row-major")
    item.setZValue(-5)  # under the map
    item.hide()
    view.canvas.box.addItem(item, ignoreBounds=True)
    return item
