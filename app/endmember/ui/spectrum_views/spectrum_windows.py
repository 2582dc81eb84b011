"""Energy windows on the plot: how they look, where the mouse takes them, how they move."""

from __future__ import annotations

from typing import Literal

from PyQt6.QtCore import QPointF, QRectF
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from endmember.ui.spectrum_views.spectrum_layers import EDGE_REACH, Layer, PlotFrame, place_labels
from endmember.ui.spectrum_views.spectrum_marks import WindowMark
from endmember.ui.widgets.plot_colours import faint, themed

Part = Literal["low", "high", "body"]


def kept_within(
    low_keV: float, high_keV: float, limits_keV: tuple[float, float], least_keV: float
) -> tuple[float, float]:
    """A window cut to the energies there are, and at least so wide."""
    first, last = limits_keV
    low = min(max(low_keV, first), last - least_keV)
    return low, max(min(high_keV, last), low + least_keV)


def moved(
    mark: WindowMark, part: Part, by_keV: float, limits_keV: tuple[float, float], least_keV: float
) -> tuple[float, float]:
    """The ends of a window of which an edge or the whole is moved; edges may pass each other."""
    low, high = mark.low_keV, mark.high_keV
    if part == "body":
        by_keV = min(max(by_keV, limits_keV[0] - low), limits_keV[1] - high)
        return low + by_keV, high + by_keV
    ends = (low + by_keV, high) if part == "low" else (low, high + by_keV)
    return kept_within(min(ends), max(ends), limits_keV, least_keV)


class WindowLayer(Layer):
    """Energy windows: shaded, with edges that the mouse can take."""

    def __init__(self, frame: PlotFrame) -> None:
        super().__init__(frame, 6)
        self.windows: dict[str, WindowMark] = {}
        self.selected: str | None = None
        self.draft: tuple[float, float] | None = None
        self.top = 0.0
        self.plain = False  # for figures: nothing selected

    def depth(self) -> float:
        """Pixels from `top` that the labels take up."""
        named = any(mark.label for mark in self.windows.values())
        return self.frame.line_height() + 2 if named else 0.0

    def hit(self, x: float) -> tuple[str, Part] | None:
        """The key of the window under the mouse, and "low", "high" or "body"."""
        edges: list[tuple[float, str, Part]] = []
        for key, mark in self.windows.items():
            edges.append((abs(self.frame.x(mark.low_keV) - x), key, "low"))
            edges.append((abs(self.frame.x(mark.high_keV) - x), key, "high"))
        if edges and min(edges)[0] <= EDGE_REACH:
            _, key, part = min(edges)
            return key, self._reachable(key, part, x)
        energy = self.frame.energy(x)
        bodies = [
            (mark.high_keV - mark.low_keV, key)
            for key, mark in self.windows.items()
            if mark.low_keV < energy < mark.high_keV
        ]
        return (min(bodies)[1], "body") if bodies else None

    def _reachable(self, key: str, part: Part, x: float) -> Part:
        # A narrow window still has a middle to hold it by.
        mark = self.windows[key]
        left, right = self.frame.x(mark.low_keV), self.frame.x(mark.high_keV)
        third = (right - left) / 3
        narrow = third < EDGE_REACH
        return "body" if narrow and left + third < x < right - third else part

    def change(self, key: str, low_keV: float, high_keV: float) -> None:
        """Give a window other ends."""
        mark = self.windows[key]
        self.windows[key] = WindowMark(key, low_keV, high_keV, mark.colour, mark.label)
        self.update()

    def after_selected(self) -> str | None:
        """The key of the window after the selected one, the first after the last."""
        keys = list(self.windows)
        if not keys:
            return None
        if self.selected not in keys:
            return keys[0]
        return keys[(keys.index(self.selected) + 1) % len(keys)]

    def draw(self, painter: QPainter) -> None:
        """Shade, edges and name of each window, and the one that is being drawn."""
        frame = self.frame
        for key, mark in self.windows.items():
            colour = themed(mark.colour, frame.colours)
            chosen = key == self.selected and not self.plain
            self._draw_span(painter, mark.low_keV, mark.high_keV, colour, chosen)
        self._draw_names(painter)
        if self.draft is not None:
            self._draw_span(painter, *self.draft, QColor(frame.colours.accent), True)

    def _draw_span(
        self, painter: QPainter, low: float, high: float, colour: QColor, chosen: bool
    ) -> None:
        left, right = self.frame.x(low), self.frame.x(high)
        if right < 0 or left > self.frame.width:
            return
        shade = QRectF(QPointF(left, self.top), QPointF(right, self.frame.height))
        painter.fillRect(shade, faint(colour, 70 if chosen else 40))
        painter.setPen(QPen(colour, 2.0 if chosen else 1.0))
        for x in (left, right):
            x = round(x) + (0.0 if chosen else 0.5)
            painter.drawLine(QPointF(x, self.top), QPointF(x, self.frame.height))

    def _draw_names(self, painter: QPainter) -> None:
        frame = self.frame
        seen = [
            mark
            for mark in self.windows.values()
            if mark.label and mark.low_keV < frame.high_keV and mark.high_keV > frame.low_keV
        ]
        # The selected window's name has the first choice of a place.
        seen.sort(key=lambda mark: mark.key != self.selected)
        metrics = QFontMetricsF(frame.font)
        widths = [metrics.horizontalAdvance(mark.label) + 4 for mark in seen]
        middles = [frame.x((mark.low_keV + mark.high_keV) / 2) for mark in seen]
        for mark, wide, place in zip(
            seen, widths, place_labels(middles, widths, frame.width, 1), strict=True
        ):
            if place is not None:
                box = QRectF(place[1], self.top + 1, wide, metrics.height())
                self.draw_label(painter, box, mark.label, themed(mark.colour, frame.colours))
