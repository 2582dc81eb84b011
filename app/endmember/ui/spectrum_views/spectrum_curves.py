"""Curves on the canvas: a line, and the areas of its error band and its fill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import PyQt6.QtCore  # noqa: F401 - before pyqtgraph, which takes the first Qt it finds
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen
from PyQt6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from endmember.ui.spectrum_views.spectrum_marks import Curve, FloatArray
from endmember.ui.spectrum_views.spectrum_traces import (
    BoolArray,
    Extent,
    area_mask,
    columns_between,
    dashed,
    line_points,
    outline_between,
)
from endmember.ui.widgets.plot_colours import faint, themed
from endmember.ui.widgets.theme import Colours

Display = Callable[[FloatArray], FloatArray]


DASH, DASH_GAP = 6.0, 4.0  # pixels
AREA_Z, AREA_Z_STEP = -2.0, 1e-3  # all areas lie behind all lines
SMOOTH_POINTS = 400  # up to so many, an area is drawn as one path


class Area(QGraphicsItem):
    """An area between two curves, in pixels of the plot: an image, or a path if it is simple.

    Qt takes 30 ms and more to fill the path, or the bars, of a noisy spectrum; an image takes 2 ms.
    """

    def __init__(self) -> None:
        super().__init__()
        self.colour = QColor()
        self._bounds = QRectF()
        self._path: QPainterPath | None = None
        self._image: QImage | None = None

    def boundingRect(self) -> QRectF:
        """The whole plot."""
        return self._bounds

    def show_area(
        self, curve: Curve, low: FloatArray, high: FloatArray, extent: Extent, figure: bool
    ) -> None:
        """Cover what lies between two arrays (C,) in view; as a path for a `figure`."""
        self.prepareGeometryChange()
        self._bounds = QRectF(0, 0, extent.width, extent.height)
        self._path = self._image = None
        x, y = outline_between(curve, low, high, extent)
        if figure or len(x) <= SMOOTH_POINTS:
            x, y = extent.to_pixels(x, y)
            self._path = pg.arrayToQPath(x, y, connect="all", finiteCheck=False)
        else:
            inside = area_mask(*columns_between(curve, low, high, extent), extent)
            self._image = _one_colour(inside, self.colour)
            self._image.setDevicePixelRatio(inside.shape[1] / extent.width)
        self.update()

    def paint(
        self,
        painter: QPainter | None,
        option: QStyleOptionGraphicsItem | None,
        widget: QWidget | None = None,
    ) -> None:
        """Fill without an outline."""
        if painter is None:
            return
        if self._path is not None:
            painter.fillPath(self._path, self.colour)
        elif self._image is not None:
            painter.drawImage(QPointF(0, 0), self._image)


def _one_colour(inside: BoolArray, colour: QColor) -> QImage:
    share = colour.alpha() / 255
    red, green, blue = (
        round(part * share) for part in (colour.red(), colour.green(), colour.blue())
    )
    pixel = np.uint32((colour.alpha() << 24) | (red << 16) | (green << 8) | blue)
    pixels = np.where(inside, pixel, np.uint32(0))
    rows, columns = inside.shape
    image = QImage(
        pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied
    )
    return image.copy()  # the image does not own the bytes that it is made of


class DrawnCurve:
    """A curve and the items that draw it, thinned to what is visible.

    pyqtgraph's own thinning and clipping are not used: they cut the edges and the values of a
    step curve apart.
    """

    def __init__(self, curve: Curve, box: Any, colours: Colours) -> None:
        self.curve = curve
        self.thicker = 1.0
        self.line: Any = pg.PlotCurveItem(antialias=False)
        self.band = Area()
        self.fill = Area()
        self.figure = False
        self.line.setParentItem(box.childGroup)
        for area in (self.band, self.fill):
            area.setParentItem(box)
        self.update(curve, colours)

    def update(self, curve: Curve, colours: Colours) -> None:
        """Take other values and the colours of the theme; `draw` shows them."""
        self.curve = curve
        colour = themed(curve.colour, colours)
        pen = QPen(colour, curve.width * self.thicker)
        pen.setCosmetic(True)
        pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)
        self.line.setPen(pen)
        self.line.setZValue(curve.z)
        self.band.colour = faint(colour, 60)
        self.band.setZValue(AREA_Z + AREA_Z_STEP * (curve.z + 0.5))
        if curve.fill is not None:
            self.fill.colour = themed(curve.fill, colours)
        self.fill.setZValue(AREA_Z + AREA_Z_STEP * curve.z)

    def draw(self, extent: Extent, display: Display) -> None:
        """Draw what is in view; `display` maps values to the y axis."""
        curve = self.curve
        if not len(curve.energy_keV):
            for item in (self.line, self.band, self.fill):
                item.setVisible(False)
            return
        self.line.setVisible(True)
        values = display(curve.values)
        x, y = line_points(curve, values, extent)
        if curve.dash:
            x, y = dashed(x, y, extent, DASH, DASH_GAP)
        whole = bool(np.isfinite(y).all())
        self.line.setData(x, y, connect="all" if whole else "finite", skipFiniteCheck=whole)
        self.band.setVisible(curve.low is not None and curve.high is not None)
        if curve.low is not None and curve.high is not None:
            low, high = display(curve.low), display(curve.high)
            self.band.show_area(curve, low, high, extent, self.figure)
        self.fill.setVisible(curve.fill is not None)
        if curve.fill is not None:
            ground = display(np.zeros_like(curve.values))
            self.fill.show_area(curve, ground, values, extent, self.figure)

    def for_figure(self, thicker: float | None) -> None:
        """Draw line and areas as paths, so many times thicker, as in a figure; None: fast again."""
        self.line.setSegmentedLineMode("auto" if thicker is None else "off")
        self.figure = thicker is not None
        self.thicker = thicker or 1.0

    def remove(self) -> None:
        """Take all items off the canvas."""
        for item in (self.line, self.band, self.fill):
            item.setParentItem(None)
            if (scene := item.scene()) is not None:
                scene.removeItem(item)
