"""One map with its title, colour bar, masks and scale; and maps that move together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PyQt6.QtCore import QObject, QPoint, QRectF, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QColor, QGuiApplication, QImage
from PyQt6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from endmember.ui.colour_bar import ColourBar as ColourBar
from endmember.ui.colour_bar import colour_table as colour_table
from endmember.ui.elided_label import ElidedLabel
from endmember.ui.map_canvas import MapCanvas
from endmember.ui.messages import NOTICES
from endmember.ui.shape_gestures import Point
from endmember.ui.theme import THEME

Array = npt.NDArray[np.generic]
Place = tuple[float, float, float, float]
COLOUR_MAPS = ("viridis", "cividis", "inferno", "grey")
LOW_PERCENT, HIGH_PERCENT = 0.5, 99.7
ENOUGH_VALUES = 50_000  # for percentiles
FILL_ALPHA = 70
LEAST_HEIGHT_FOR_BAR = 110  # of a map beside others that has one
LEAST_TITLE = 84  # pixels of the screen that a title gets before its colour bar


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
        self._title = ElidedLabel(title, least=LEAST_TITLE)
        self._title.setProperty("role", "heading")
        self._detail = ElidedLabel(greedy=True)
        self._detail.setProperty("role", "muted")
        self._bar = ColourBar()
        self._lay_out()
        self.canvas.hovered.connect(self.hovered)
        self.canvas.menu_asked.connect(self._open_menu)
        self.set_title(title)
        self.set_empty("nothing to show yet")
        THEME.changed.connect(self._bar.update)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(2, 0, 2, 0)
        head.addWidget(self._title)
        head.addWidget(self._detail, 1)
        head.addWidget(self._bar)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.canvas, 1)

    # --- content -----------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The title over the map."""
        return self._title.text()

    def set_title(self, title: str, tooltip: str = "", detail: str = "") -> None:
        """The title over the map, also its accessible name; `detail` is shown where it fits."""
        self._title.setText(title)
        self._detail.setText(detail)
        self._detail.setToolTip(tooltip or detail)
        self._title.setToolTip(tooltip or title)
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
        from endmember.ui.contrast import ContrastDialog

        ContrastDialog(self).show()

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


class MapLink(QObject):
    """Lets maps zoom and point together, wherever they stand."""

    hovered = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.views: list[MapView] = []
        self._moving = False

    def add(self, view: MapView) -> None:
        """Link a further view to those there are."""
        view.hovered.connect(lambda point, view=view: self._on_hovered(view, point))
        view.canvas.fitted_changed.connect(partial(self._on_fitted, view))
        view.canvas.range_changed.connect(partial(self._on_range, view))
        self.views.append(view)
        if not self.views[0].canvas.fitted:
            self._on_range(self.views[0])

    def _on_hovered(self, source: MapView, point: Point | None) -> None:
        for view in self.views:
            view.canvas.show_cross(point if view is not source else None)
        self.hovered.emit(point)

    # Linked by pyqtgraph, every view would tell every other one: too slow for a dozen maps.

    def _on_fitted(self, source: MapView, fitted: bool) -> None:
        if self._moving:
            return
        self._moving = True
        for view in self.views:
            if view is not source:
                view.canvas.fitted = fitted
                if fitted:
                    view.canvas.fit()
        self._moving = False
        self._on_range(source)

    def _on_range(self, source: MapView) -> None:
        """Show the same part of the map in all views; fitted ones see to that themselves."""
        if self._moving or source.canvas.fitted:
            return
        self._moving = True
        for view in self.views:
            if view is not source:
                view.canvas.box.setRange(source.canvas.box.viewRect(), padding=0)
        self._moving = False

    def show_cross(self, point: Point | None) -> None:
        """Mark a point that is looked at elsewhere in every view."""
        for view in self.views:
            view.canvas.show_cross(point)


class MapGrid(QWidget):
    """Maps side by side whose zoom and cursor move together."""

    hovered = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.link = MapLink(self)
        self.link.hovered.connect(self.hovered)
        self.views = self.link.views
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)
        self._columns: int | None = None

    def set_number(self, number: int, columns: int | None = None) -> None:
        """Have so many views; with `columns` in so many columns, otherwise as fits the shape."""
        self._columns = columns
        while len(self.views) < number:
            self._add()
        for index, view in enumerate(self.views):
            view.setVisible(index < number)
        self._arrange(number)

    def expect(self, number: int) -> None:
        """Make so many views one by one, while nothing else is to be done."""
        making = QTimer(self)

        def make() -> None:
            if len(self.views) < number:
                self.make_ahead()
            else:
                making.stop()

        making.timeout.connect(make)
        making.start()

    def make_ahead(self) -> None:
        """Make a further view, hidden until it is wanted."""
        self._add()
        self.views[-1].hide()

    def shown_views(self) -> Sequence[MapView]:
        """The views that are not hidden."""
        return [view for view in self.views if not view.isHidden()]

    def _add(self) -> None:
        view = MapView(parent=self)
        if self.views:  # small maps of one scale need one bar
            view.canvas.least_height_for_bar = LEAST_HEIGHT_FOR_BAR
        self.link.add(view)

    def show_cross(self, point: Point | None) -> None:
        """Mark a point that is looked at elsewhere in every view."""
        self.link.show_cross(point)

    def _arrange(self, number: int) -> None:
        if number == 0:
            return
        columns = self._columns or self._best_columns(number)
        for index, view in enumerate(self.views):
            self._grid.removeWidget(view)
            if index < number:
                self._grid.addWidget(view, index // columns, index % columns)
        for column in range(self._grid.columnCount()):  # all maps of the same size
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 1 if row < -(-number // columns) else 0)

    def _best_columns(self, number: int) -> int:
        """As many columns as make the square maps largest."""
        width, height = max(self.width(), 1), max(self.height(), 1)

        def side(columns: int) -> float:
            rows = -(-number // columns)
            return min(width / columns, height / rows - 22)

        return max(range(1, number + 1), key=side)

    def resizeEvent(self, event: object) -> None:
        """Arrange the maps anew."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        if self._columns is None:
            self._arrange(len(self.shown_views()))

    def fit(self) -> None:
        """Show all of every map."""
        for view in self.shown_views():
            view.canvas.fit()

    def one_to_one(self) -> None:
        """Show a pixel of the map on a pixel of the screen."""
        if self.views:
            self.views[0].canvas.one_to_one()
