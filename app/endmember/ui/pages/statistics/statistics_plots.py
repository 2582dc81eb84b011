"""Small plots of the statistics: growth with the number of pixels, and errors side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import PyQt6.QtCore  # noqa: F401 - before pyqtgraph, which takes the first Qt it finds
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget

from endmember.ui.spectrum_views.small_plot import SmallPlot
from endmember.ui.spectrum_views.spectrum_axes import number, power_of_ten
from endmember.ui.widgets.theme import colours

if TYPE_CHECKING:
    from endmember.core.counts.spectrum import FloatArray
    from endmember.session.views.growth_view import Growth
    from endmember.session.views.robustness_view import RelativeErrors

SYMBOLS = ("o", "s", "t", "d", "p", "+")
NAMED = {"o": "●", "s": "■", "t": "▼", "d": "◆", "p": "⬟", "+": "+"}
SIZE = 7
BAND = 2.0  # sigma on either side of the law, within which 95 % of the residuals lie
ERROR_KINDS = ("± stat.", "± k-factor", "± masks", "± bootstrap")


def curve_colours() -> tuple[str, ...]:
    """Colours of curves, told apart by their symbols too."""
    of = colours()
    return (of.line, of.accent, of.second_line, of.good, of.error, of.muted)


def legend_text(titles: Sequence[str]) -> str:
    """Rich text: a coloured symbol before each title."""
    marks = [
        f'<span style="color:{curve_colours()[i % 6]}">{NAMED[SYMBOLS[i % 6]]}</span> {title}'
        for i, title in enumerate(titles)
    ]
    return "&nbsp;&nbsp; ".join(marks)


class PlotOfPixels(SmallPlot):
    """Something against the number of pixels on a log axis; its own axis log, or in sigma."""

    def __init__(self, name: str, beside: str, *, log: bool = True, below: str = "pixels") -> None:
        self._log = log
        self._growths: Sequence[Growth] = ()
        super().__init__(name, below, beside)
        (left, _), (bottom, _) = self._axes
        bottom.setLogMode(True, False)
        bottom.tickStrings = lambda values, *_: [power_of_ten(value) for value in values]
        if not log:
            left.setLogMode(False, False)
            left.tickStrings = lambda values, _scale, spacing: [number(v, spacing) for v in values]
        left.setWidth(52)  # so that plots below each other line up
        self.setMinimumSize(150, 60)

    def show_growths(self, growths: Sequence[Growth]) -> None:
        """Show these curves, each in its colour and with its symbol."""
        self._growths = growths
        self.setAccessibleDescription("; ".join(g.says for g in growths) or "not there yet")
        self.draw_again()

    def parts_of(self, growth: Growth) -> tuple[FloatArray, FloatArray | None]:
        """The values of the points (n,), and of the law (n,) where there is one."""
        raise NotImplementedError

    def draw_again(self) -> None:
        """Draw all in the colours of the theme."""
        if not hasattr(self, "box"):
            return
        self.box.clear()
        for number_, growth in enumerate(getattr(self, "_growths", ())):
            self._draw_one(growth, number_)
        if not self._log:
            self._draw_band()
        self.box.autoRange(padding=0.06)

    def _draw_band(self) -> None:
        of = colours()
        for level in (-BAND, 0.0, BAND):
            style = Qt.PenStyle.SolidLine if level == 0 else Qt.PenStyle.DashLine
            self.box.addItem(
                pg.InfiniteLine(level, angle=0, pen=pg.mkPen(of.muted, width=1, style=style)),
                ignoreBounds=True,
            )

    def _draw_one(self, growth: Growth, number_: int) -> None:
        colour = curve_colours()[number_ % len(SYMBOLS)]
        values, law = self.parts_of(growth)
        pixels = np.log10(growth.pixels)
        shown = np.isfinite(values) & ((values > 0) | (not self._log))
        y = np.log10(values[shown]) if self._log else values[shown]
        self.box.addItem(
            pg.ScatterPlotItem(
                pixels[shown],
                y,
                size=SIZE,
                symbol=SYMBOLS[number_ % len(SYMBOLS)],
                pen=pg.mkPen(colour),
                brush=pg.mkBrush(colour),
            )
        )
        if law is not None and bool((law > 0).all()):
            self.box.addItem(pg.PlotCurveItem(pixels, np.log10(law), pen=pg.mkPen(colour, width=1)))


class SnrPlot(PlotOfPixels):
    """Signal to noise, with the law of the square root as a line."""

    def __init__(self) -> None:
        super().__init__("signal to noise against pixels", "SNR")

    def parts_of(self, growth: Growth) -> tuple[FloatArray, FloatArray | None]:
        """SNR and its law."""
        return growth.snr, growth.root


class ResidualPlot(PlotOfPixels):
    """Signal to noise less its law, in sigma."""

    def __init__(self) -> None:
        super().__init__("residual of signal to noise against pixels", "residual (σ)", log=False)

    def parts_of(self, growth: Growth) -> tuple[FloatArray, FloatArray | None]:
        """Residuals; their law is zero."""
        return growth.residual, None


class ErrorGrowthPlot(PlotOfPixels):
    """Statistical error in % of the value, with 1 / sqrt(pixels) as a line."""

    def __init__(self) -> None:
        super().__init__("statistical error against pixels", "error (% of the value)")

    def parts_of(self, growth: Growth) -> tuple[FloatArray, FloatArray | None]:
        """Errors and their law."""
        return growth.error_percent, growth.root_error_percent


class ErrorPlot(SmallPlot):
    """The errors of each element in % of its value, by kind."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._errors: Sequence[RelativeErrors] = ()
        super().__init__("errors of each element", "", "error in % of the value", parent)
        (bottom, _) = self._axes[1]
        bottom.tickStrings = self._elements
        bottom.setTickSpacing(1, 1)
        self._axes[0][0].setWidth(52)
        self.setMinimumSize(150, 90)
        self.setToolTip(
            "Errors of each element in % of its value: from counting, from the k-factors, and, "
            "where they were asked for, from the masks and from the bootstrap"
        )

    def show_errors(self, errors: Sequence[RelativeErrors]) -> None:
        """Show these elements in their order."""
        self._errors = errors
        self.setAccessibleDescription(f"{len(errors)} elements shown" if errors else "empty")
        self.draw_again()

    def _elements(self, values: Sequence[float], *_: Any) -> list[str]:
        names = [one.element for one in self._errors]
        whole = [round(v) for v in values]
        return [
            names[w] if abs(v - w) < 1e-6 and 0 <= w < len(names) else ""
            for v, w in zip(values, whole, strict=True)
        ]

    def draw_again(self) -> None:
        """Draw a symbol for each error that is known."""
        if not hasattr(self, "box"):
            return
        self.box.clear()
        for kind, attribute in enumerate(("statistical", "systematic", "masks", "bootstrap")):
            values = [getattr(one, attribute) for one in self._errors]
            at = [i for i, value in enumerate(values) if value]
            if not at:
                continue
            colour = curve_colours()[kind]
            self.box.addItem(
                pg.ScatterPlotItem(
                    np.array(at) + 0.12 * (kind - 1.5),
                    np.log10([values[i] for i in at]),
                    size=SIZE + 1,
                    symbol=SYMBOLS[kind],
                    pen=pg.mkPen(colour),
                    brush=pg.mkBrush(colour),
                )
            )
        self.box.autoRange(padding=0.06)
        if self._errors:
            self.box.setXRange(-0.6, len(self._errors) - 0.4, padding=0)
