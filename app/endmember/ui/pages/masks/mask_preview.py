"""The preview of a mask over a map: lighter and dashed, so that nobody takes it for the mask."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainterPath, QPen, QPolygonF
from PyQt6.QtWidgets import QGraphicsPathItem

from endmember.session.views.mask_preview import Corner, MaskPreview
from endmember.ui.map_views.map_canvas import MapCanvas

FILL_ALPHA = 45
LIGHTER = 130  # per cent


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
