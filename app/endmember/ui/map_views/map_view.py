"""One map with its title, colour bar, masks and scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PyQt6.QtCore import QPoint, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QGuiApplication, QImage
from PyQt6.QtWidgets import (
    QFileDialog,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from endmember.ui.map_views.colour_bar import ColourBar as ColourBar
from endmember.ui.map_views.colour_bar import colour_table as colour_table
from endmember.ui.map_views.map_canvas import MapCanvas
from endmember.ui.map_views.map_head import MapHead
from endmember.ui.map_views.shape_gestures import Point
from endmember.ui.widgets.messages import NOTICES

Array = npt.NDArray[np.generic]
Place = tuple[float, float, float, float]
COLOUR_MAPS = ("viridis", "cividis", "inferno", "grey")
LOW_PERCENT, HIGH_PERCENT = 0.5, 99.7
ENOUGH_VALUES = 50_000  # for percentiles
FILL_ALPHA = 70


@dataclass(frozen=True, eq=False, slots=True)
class MaskOverlay:
    """A mask (rows, columns) to be drawn over a map, filled and outlined in one colour."""

    mask: npt.NDArray[np.bool_]
    colour: QColor
    fill: bool = True

    def looks_like(self, other: MaskOverlay) -> bool:
        """Whether both are the same mask, drawn in the same way."""
        alike = self.colour == other.colour and self.fill == other.fill
        return self.mask is other.mask and alike


def automatic_levels(array: Array) -> tuple[float, float]:
    """Low and high percentiles of the finite values, never equal."""
    values = np.asarray(array, dtype=np.float64).ravel()
    finite = np.isfinite(values)
    if not finite.all():
        values = values[finite]
    if values.size == 0:
        return 0.0, 1.0
    some = values
    if values.size > 2 * ENOUGH_VALUES:
        # an odd step, since it would fall on a few columns only if it divided the width of a map
        some = values[:: values.size // ENOUGH_VALUES | 1]
    low, high = (float(v) for v in np.percentile(some, (LOW_PERCENT, HIGH_PERCENT)))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1.0)


def outline_points(mask: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """x and y of the pixel edges between inside and outside, two points each, in mask pixels."""
    padded = np.pad(mask, 1)
    rows, columns = _places(padded[1:, :] != padded[:-1, :])  # edges between rows
    x_flat = np.stack([columns - 1, columns], axis=1).ravel()
    y_flat = np.repeat(rows, 2)
    rows, columns = _places(padded[:, 1:] != padded[:, :-1])
    x_tall = np.repeat(columns, 2)
    y_tall = np.stack([rows - 1, rows], axis=1).ravel()
    return np.concatenate([x_flat, x_tall]), np.concatenate([y_flat, y_tall])


def _places(where: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Rows and columns, as `np.nonzero` has them, which takes twenty times as long."""
    return np.divmod(np.flatnonzero(where), where.shape[1])


class MapView(QWidget):
    """A map with title, colour bar and masks. Everything is placed in uncropped pixels."""

    hovered = pyqtSignal(object)
    """(x, y) under the pointer, None when it leaves."""
    menu_opening = pyqtSignal(object, object)
    """The QMenu about to open and the point (x, y), for others to add to."""
    levels_changed = pyqtSignal()

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = MapCanvas(self)
        self.image_item = pg.ImageItem(axisOrder="row-major")
        # drawn once for each zoom, however often shapes over it are drawn anew
        self.image_item.setCacheMode(pg.ImageItem.CacheMode.DeviceCoordinateCache)
        self.canvas.box.addItem(self.image_item)
        self.array: Array | None = None
        self.place: Place = (0.0, 0.0, 1.0, 1.0)
        self.extent: Place | None = None  # what "fit" shows, None: where the image lies
        self.with_bar = True  # False where several maps share one colour bar
        self.unit = ""
        self.levels: tuple[float, float] | None = None  # None: automatic
        self.colour_map = "viridis"
        self._masks: dict[str, tuple[MaskOverlay, pg.ImageItem, pg.PlotCurveItem]] = {}
        self.head = MapHead(title)
        self._bar = self.head.bar
        self._lay_out()
        self.canvas.hovered.connect(self.hovered)
        self.canvas.menu_asked.connect(self._open_menu)
        self.set_title(title)
        self.set_empty("nothing to show yet")

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.head)
        layout.addWidget(self.canvas, 1)

    # --- content -----------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The title over the map."""
        return self.head.title.text()

    @property
    def detail(self) -> str:
        """What is said beside the title."""
        return self.head.detail.text()

    def set_title(
        self, title: str, tooltip: str = "", detail: str = "", short_detail: str = ""
    ) -> None:
        """The title over the map, also its accessible name; `detail` is shown where it fits."""
        self.head.title.setText(title)
        self.head.set_detail(detail, short_detail)
        self.head.detail.setToolTip(tooltip or detail)
        self.head.title.setToolTip(tooltip or title)
        self.canvas.setAccessibleName(f"map of {title}" if title else "map")
        self.canvas.setToolTip(tooltip)

    def set_empty(self, text: str) -> None:
        """Show a sentence instead of a map."""
        self.array = None
        self.image_item.clear()
        self.set_masks({})
        self._bar.hide()
        self.canvas.box.hide()  # with what is drawn on it, so that the sentence can be read
        self.canvas.empty_text = text
        self.canvas.viewport_update()

    def set_image(
        self,
        array: Array,
        place: Place,
        unit: str = "",
        *,
        pixel_size_nm: float | None = None,
        colour_map: str | None = None,
        levels: tuple[float, float] | None = None,
    ) -> None:
        """Show an array (rows, columns) on `place` (x, y, width, height) in uncropped pixels.

        `levels` fixes the ends of the colours; otherwise they are automatic unless the person has
        set them. `pixel_size_nm` is that of an uncropped, unbinned pixel.
        """
        self.array, self.unit = array, unit
        if colour_map is not None:
            self.colour_map = colour_map
        self._show_place(place, pixel_size_nm)
        chosen = levels or self.levels or automatic_levels(array)
        table = colour_table(self.colour_map)
        self.image_item.setImage(np.asarray(array, np.float32), levels=chosen, lut=table)
        self._put(place)
        self._bar.show_scale(chosen, unit, table)
        self._bar.setVisible(self.with_bar)

    def set_rgb(self, array: Array, place: Place, pixel_size_nm: float | None = None) -> None:
        """Show colours (rows, columns, 3), 8-bit."""
        self.array, self.unit = array, ""
        self._show_place(place, pixel_size_nm)
        self.image_item.setImage(array, levels=(0, 255), lut=None)
        self._put(place)
        self._bar.hide()

    def _show_place(self, place: Place, pixel_size_nm: float | None) -> None:
        self.place = place
        self.canvas.empty_text = ""
        self.canvas.box.show()
        self.canvas.pixel_size_nm = pixel_size_nm

    def _put(self, place: Place) -> None:
        self.image_item.setRect(QRectF(*place))
        self.canvas.set_extent(*(self.extent or place))
        for _, fill, outline in self._masks.values():
            self._put_overlay(fill, outline)
        self.canvas.viewport_update()

    def set_levels(self, levels: tuple[float, float] | None) -> None:
        """The ends of the colours, None for automatic."""
        self.levels = levels
        if self.array is not None and self.array.ndim == 2:
            self.set_image(
                self.array, self.place, self.unit, pixel_size_nm=self.canvas.pixel_size_nm
            )
        self.levels_changed.emit()

    def shown_levels(self) -> tuple[float, float]:
        """The ends of the colours as shown."""
        levels = self.image_item.levels
        return (0.0, 1.0) if levels is None else (float(levels[0]), float(levels[1]))

    def set_colour_map(self, name: str) -> None:
        """Choose one of COLOUR_MAPS."""
        self.colour_map = name
        self.set_levels(self.levels)

    def pixel_at(self, point: Point) -> tuple[int, int] | None:
        """Row and column of the array under a point, None outside or where there is no array."""
        if self.array is None:
            return None
        x, y, width, height = self.place
        rows, columns = self.array.shape[:2]
        column = int(np.floor((point[0] - x) / width * columns))
        row = int(np.floor((point[1] - y) / height * rows))
        return (row, column) if 0 <= row < rows and 0 <= column < columns else None

    def value_at(self, point: Point) -> float | None:
        """The value under a point, None outside or where there is no single value."""
        pixel = self.pixel_at(point)
        if pixel is None or self.array is None or self.array.ndim != 2:
            return None
        return float(self.array[pixel])

    # --- masks over the map ------------------------------------------------------------------

    def set_masks(self, masks: Mapping[str, MaskOverlay]) -> None:
        """Draw masks over the map; those no longer named are taken away."""
        for name in [n for n in self._masks if n not in masks]:
            _, fill, outline = self._masks.pop(name)
            self.canvas.box.removeItem(fill)
            self.canvas.box.removeItem(outline)
        for name, overlay in masks.items():
            known = self._masks.get(name)
            if known is not None and known[0].looks_like(overlay):
                continue
            self._draw_mask(name, overlay)

    def _draw_mask(self, name: str, overlay: MaskOverlay) -> None:
        if name in self._masks:
            _, fill, outline = self._masks[name]
        else:
            fill = pg.ImageItem(axisOrder="row-major")
            outline = pg.PlotCurveItem(connect="pairs")
            fill.setZValue(5)
            outline.setZValue(6)
            self.canvas.box.addItem(fill, ignoreBounds=True)
            self.canvas.box.addItem(outline, ignoreBounds=True)
        colour = overlay.colour
        table = np.array(
            [[0, 0, 0, 0], [colour.red(), colour.green(), colour.blue(), FILL_ALPHA]], np.uint8
        )
        fill.setImage(overlay.mask.astype(np.uint8), levels=(0, 1), lut=table)
        fill.setVisible(overlay.fill)
        x, y = outline_points(overlay.mask)
        outline.setData(x.astype(np.float64), y.astype(np.float64), connect="pairs")
        outline.setPen(pg.mkPen(colour, width=2, cosmetic=True))
        outline.setShadowPen(pg.mkPen((0, 0, 0, 150), width=3.4, cosmetic=True))
        self._masks[name] = (overlay, fill, outline)
        self._put_overlay(fill, outline)

    def _put_overlay(self, fill: pg.ImageItem, outline: pg.PlotCurveItem) -> None:
        x, y, width, _ = self.place
        if fill.image is None:
            return
        columns = fill.image.shape[1]
        fill.setRect(QRectF(*self.place))
        outline.setPos(x, y)
        outline.setScale(width / columns)

    # --- menu --------------------------------------------------------------------------------

    def _open_menu(self, point: Point, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Fit to view (Ctrl+F)", self.canvas.fit)
        menu.addAction("Pixels 1:1 (Ctrl+0)", self.canvas.one_to_one)
        if self.array is not None and self.array.ndim == 2:
            self._add_colour_menu(menu)
        menu.addSeparator()
        menu.addAction("Copy picture", lambda: self._copy())
        menu.addAction("Save picture as PNG…", self._ask_save)
        if self.array is not None:
            menu.addAction("Export image…", self._ask_export)
        self.menu_opening.emit(menu, point)
        menu.popup(position)

    def _add_colour_menu(self, menu: QMenu) -> None:
        sub = menu.addMenu("Colours")
        assert sub is not None
        for name in COLOUR_MAPS:
            action = sub.addAction(name, lambda name=name: self.set_colour_map(name))
            if action is not None:
                action.setCheckable(True)
                action.setChecked(name == self.colour_map)
        menu.addAction("Contrast…", self._ask_contrast)

    def _ask_contrast(self) -> None:
        from endmember.ui.map_views.contrast import ContrastDialog

        ContrastDialog(self).show()

    def _ask_export(self) -> None:
        from endmember.ui.map_views.map_export import ask_export

        ask_export(self)

    def picture(self) -> QImage:
        """The map as shown, with its scale bar."""
        picture: QImage = self.canvas.grab().toImage()
        return picture

    def _copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setImage(self.picture())

    def _ask_save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, "Save picture", f"{self.title or 'map'}.png", "PNG (*.png)"
        )
        if not name:
            return
        path = Path(name) if name.lower().endswith(".png") else Path(f"{name}.png")
        if self.picture().save(str(path)):
            NOTICES.say("info", f"the picture was written to {path}")
        else:
            NOTICES.say("error", f"{path}: the picture cannot be written; choose another folder")
