"""The preview of a mask over a map: lighter and dashed, so that nobody takes it for the mask."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainterPath, QPen, QPolygonF
from PyQt6.QtWidgets import QGraphicsPathItem

from endmember.core.counts import BoolArray
from endmember.session.mask_preview import MaskPreview
from endmember.ui.map_canvas import MapCanvas

Corner = tuple[int, int]
FILL_ALPHA = 45
LIGHTER = 130  # per cent


def closed_outlines(mask: BoolArray) -> list[list[Corner]]:
    """The outlines of a mask as closed lines of corners (x, y), in pixels of the mask.

    Only where a line turns does it have a corner. Holes have outlines of their own.
    """
    padded = np.pad(mask, 1).astype(np.int8)
    onward: dict[Corner, list[Corner]] = defaultdict(list)
    # every edge runs with the inside on its right, so at each corner as many leave as arrive
    down = padded[1:, 1:-1] - padded[:-1, 1:-1]
    for y, x in np.argwhere(down != 0).tolist():
        start, end = ((x, y), (x + 1, y)) if down[y, x] > 0 else ((x + 1, y), (x, y))
        onward[start].append(end)
    across = padded[1:-1, 1:] - padded[1:-1, :-1]
    for y, x in np.argwhere(across != 0).tolist():
        start, end = ((x, y + 1), (x, y)) if across[y, x] > 0 else ((x, y), (x, y + 1))
        onward[start].append(end)
    outlines = []
    while onward:
        first = next(iter(onward))
        outlines.append(_without_straight(_followed(onward, first)))
    return outlines


def _followed(onward: dict[Corner, list[Corner]], first: Corner) -> list[Corner]:
    """One closed line from `first`; its edges are taken out of `onward`."""
    line, place = [first], first
    while place in onward:
        ends = onward[place]
        place = ends.pop()
        if not ends:
            del onward[line[-1]]
        line.append(place)
        if place == first:
            break
    return line[:-1]


def _without_straight(line: list[Corner]) -> list[Corner]:
    turns = []
    for index, (x, y) in enumerate(line):
        before, after = line[index - 1], line[(index + 1) % len(line)]
        if (x - before[0]) * (after[1] - y) != (y - before[1]) * (after[0] - x):
            turns.append((x, y))
    return turns


class PreviewItem:
    """What a rectangle will yield, drawn over one canvas."""

    def __init__(self, canvas: MapCanvas) -> None:
        self.shown: MaskPreview | None = None
        self._fill = pg.ImageItem(axisOrder="row-major")
        self._halo, self._line = QGraphicsPathItem(), QGraphicsPathItem()
        for level, item in enumerate((self._fill, self._halo, self._line)):
            item.setZValue(10 + level)
            item.setVisible(False)
            canvas.box.addItem(item, ignoreBounds=True)

    def show(self, preview: MaskPreview, outlines: list[list[Corner]], colour: QColor) -> None:
        """Draw a preview, whose outlines were followed before."""
        self.shown = preview
        lighter = colour.lighter(LIGHTER)
        x, y, width, height = preview.box
        rgb = lighter.red(), lighter.green(), lighter.blue()
        table = np.array([[0, 0, 0, 0], [*rgb, FILL_ALPHA]], np.uint8)
        self._fill.setImage(preview.mask.astype(np.uint8), levels=(0, 1), lut=table)
        self._fill.setRect(QRectF(x, y, width, height))
        path = QPainterPath()
        for line in outlines:
            path.addPolygon(QPolygonF([QPointF(*corner) for corner in line]))
            path.closeSubpath()
        pens = QPen(QColor(0, 0, 0, 150), 3.5), QPen(lighter, 2, Qt.PenStyle.DashLine)
        for item, pen in zip((self._halo, self._line), pens, strict=True):
            pen.setCosmetic(True)
            item.setPen(pen)
            item.setPath(path)
            item.setPos(x, y)
            item.setScale(width / preview.mask.shape[1])
        for shown in (self._fill, self._halo, self._line):
            shown.setVisible(True)

    def clear(self) -> None:
        """Take the preview away."""
        if self.shown is not None:
            self.shown = None
            for item in (self._fill, self._halo, self._line):
                item.setVisible(False)
