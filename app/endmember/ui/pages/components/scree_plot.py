"""The scree plot, on which the number of components is chosen, and the curve of the loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import PyQt6.QtCore  # noqa: F401 - before pyqtgraph, which takes the first Qt it finds
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QHelpEvent, QMouseEvent
from PyQt6.QtWidgets import QToolTip

from endmember.ui.spectrum_views.small_plot import SmallPlot
from endmember.ui.spectrum_views.spectrum_axes import number
from endmember.ui.widgets.plot_colours import faint
from endmember.ui.widgets.theme import colours

if TYPE_CHECKING:
    from endmember.core.unmixing.scree import Scree

FloatArray = npt.NDArray[np.float64]
NOISE = "noise level"


class ScreePlot(SmallPlot):
    """Eigenvalues over the number of the component, from 1; a click chooses how many."""

    chosen = pyqtSignal(int)

    def __init__(self) -> None:
        self.scree: Scree | None = None
        self.components = 0
        super().__init__(
            "scree plot",
            "component (counted from 1)",
            "eigenvalue<br>(1 = counting noise alone)",
        )
        self._items: list[Any] = []
        self.box.disableAutoRange()
        self.setFixedHeight(220)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Click a point to decompose into so many components")

    def show_scree(self, scree: Scree | None, components: int) -> None:
        """Show eigenvalues and noise level, and mark how many components are asked for."""
        if scree is self.scree and components == self.components:
            return
        self.scree, self.components = scree, components
        self.draw_again()

    def draw_again(self) -> None:
        """Draw points, the noise level, the suggested number and the chosen one."""
        for item in getattr(self, "_items", []):
            self.box.removeItem(item)
        self._items = []
        scree = self.scree
        if scree is None:
            self.setAccessibleDescription("not there yet")
            return
        values = np.log10(np.maximum(scree.eigenvalues, 1e-3))
        level = math.log10(max(scree.noise_level, 1e-3))
        self._items = [*self._marks(scree, level), *self._points(values, values > level)]
        for item in self._items:
            self.box.addItem(item, ignoreBounds=True)
        self._show_range(values, level)
        self.setAccessibleDescription(
            f"{scree.suggested} eigenvalues lie above the noise level of {scree.noise_level:.3g}; "
            f"{self.components} components are asked for"
        )

    def _points(self, values: FloatArray, above: npt.NDArray[np.bool_]) -> list[Any]:
        of = colours()
        x = np.arange(1, len(values) + 1)
        line = pg.PlotCurveItem(x, values, pen=pg.mkPen(of.muted, width=1))
        brushes = [pg.mkBrush(of.line if bright else of.plot) for bright in above]
        points = pg.ScatterPlotItem(x, values, size=7, pen=pg.mkPen(of.line), brush=brushes)
        return [line, points]

    def _marks(self, scree: Scree, level: float) -> list[Any]:
        of = colours()
        dash = Qt.PenStyle.DashLine
        noise = _line(0, level, of.error, dash, f"{NOISE} {scree.noise_level:.3g}", 0.98, (1, 1))
        found = [noise]
        suggested, asked = scree.suggested, self.components
        if suggested != asked and suggested <= len(scree.eigenvalues):
            text = f"{suggested} suggested"
            side = _label_side(suggested, len(scree.eigenvalues))
            found.append(_line(90, suggested, of.good, dash, text, 0.80, side))
        text = f"{asked} chosen" + (", as suggested" if suggested == asked else "")
        if asked <= len(scree.eigenvalues):
            solid, side = Qt.PenStyle.SolidLine, _label_side(asked, len(scree.eigenvalues))
            found.append(_line(90, asked, of.accent, solid, text, 0.98, side))
        return found

    def _show_range(self, values: FloatArray, level: float) -> None:
        low, high = min(float(values.min()), level, 0.0), max(float(values.max()), level)
        room = 0.08 * max(high - low, 0.5)
        self.box.setRange(
            xRange=(0.4, len(values) + 0.6), yRange=(low - room, high + 2.5 * room), padding=0
        )

    # --- hands -------------------------------------------------------------------------------

    def number_at(self, position: QPointF) -> int | None:
        """The number of components that a click there asks for, None outside."""
        box = self.box
        scene = self.mapToScene(position.toPoint())
        if self.scree is None or not box.sceneBoundingRect().contains(scene):
            return None
        asked = round(box.mapSceneToView(scene).x())
        return asked if 1 <= asked <= len(self.scree.eigenvalues) else None

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Choose the number of the nearest point."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            asked = self.number_at(event.position())
            if asked is not None:
                self.chosen.emit(asked)
        super().mouseReleaseEvent(event)

    def viewportEvent(self, event: QEvent | None) -> bool:
        """Tell what the point under the mouse is."""
        if isinstance(event, QHelpEvent) and self.scree is not None:
            asked = self.number_at(QPointF(event.pos()))
            if asked is not None:
                QToolTip.showText(event.globalPos(), self.told(asked), self)
                return True
        return bool(super().viewportEvent(event))

    def told(self, asked: int) -> str:
        """What the eigenvalue of this number says."""
        assert self.scree is not None
        value = float(self.scree.eigenvalues[asked - 1])
        side = "above" if value > self.scree.noise_level else "not above"
        return (
            f"Eigenvalue {asked}: {value:.4g}, {side} the noise level of "
            f"{self.scree.noise_level:.4g}. Click to decompose into {asked} components"
        )


class LossPlot(SmallPlot):
    """How far the loss lay above its last value, over the iterations."""

    def __init__(self) -> None:
        self._curve: tuple[FloatArray, FloatArray] = (np.empty(0), np.empty(0))
        super().__init__("loss over iterations", "iteration", "loss above<br>its last value (%)")
        self.setFixedHeight(150)
        self.setToolTip(
            "How far the loss lay above its last value after each iteration: a curve that still "
            "falls steeply at its end has not converged"
        )

    def show_losses(self, iterations: FloatArray, above: FloatArray) -> None:
        """Show so many per cent above the last value for each iteration."""
        self._curve = iterations, above
        self.draw_again()

    def draw_again(self) -> None:
        """Draw the curve in the colours of the theme."""
        self.box.clear()
        iterations, above = self._curve
        if not len(iterations):
            return
        self.box.addItem(
            pg.PlotCurveItem(iterations, np.log10(above), pen=pg.mkPen(colours().line, width=1.5))
        )
        told = number(float(iterations[-1]), 1.0)
        self.setAccessibleDescription(f"{told} iterations shown")


def _label_side(place: int, last: int) -> tuple[int, int]:
    """To the right of a line, or to its left where there is no room."""
    return (0, 0) if place <= 0.6 * last else (1, 0)


def _line(
    angle: int,
    place: float,
    colour: str,
    style: Qt.PenStyle,
    text: str,
    along: float,
    anchor: tuple[int, int],
) -> Any:
    """A line across the plot with its label."""
    of = colours()
    pen = pg.mkPen(colour, width=1.5, style=style)
    ground = faint(pg.mkColor(of.plot), 215)
    label = {
        "position": along,
        "color": colour,
        "fill": ground,
        "anchors": [anchor, anchor],
    }
    return pg.InfiniteLine(place, angle=angle, pen=pen, label=text, labelOpts=label)
