"""The fits of one line side by side: a region, a mask, and the sum, each with its chi-squared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from endmember.session.views.line_overlays import line_fit_sentence
from endmember.ui.spectrum_views.fit_view import FitView
from endmember.ui.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from endmember.session.steps.compositions import Entry

Spacing = tuple[float, float]
Usual = Callable[[float, float, float], list[Spacing]]
MOST = 3
LEGEND_ROOM = 260  # pixels of a panel
PLACES = ("first", "second", "third")


class LinePanels(QWidget):
    """Up to three fits; each is drawn in a turn of its own, so that none holds the window up."""

    energy_hovered = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.views = [FitView() for _ in range(MOST)]
        self.titles = [ElidedLabel(greedy=True) for _ in range(MOST)]
        self._panels: list[QWidget] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for place, view, title in zip(PLACES, self.views, self.titles, strict=True):
            panel = QWidget()
            column = QVBoxLayout(panel)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(2)
            column.addWidget(title)
            column.addWidget(view, 1)
            row.addWidget(panel, 1)
            self._panels.append(panel)
            view.setAccessibleName(f"{place} fit of the line")
            view.plot.canvas.setAccessibleName(f"{place} fit of the line")
            view.setMinimumWidth(120)
            usual = view.plot.bottom.tickSpacing
            view.plot.bottom.tickSpacing = partial(self._tick_spacing, usual)
            view.energy_hovered.connect(self.energy_hovered)
        self._shown: tuple[object, ...] = ()
        self._turn = 0

    def show_fits(self, entries: Sequence[Entry], element: str, about: tuple[float, float]) -> None:
        """Show these fits between two energies in keV."""
        state = (*entries[:MOST], element, about)
        if state == self._shown:
            return
        self._shown = state
        self._turn += 1
        for number, panel in enumerate(self._panels):
            if number >= len(entries):
                panel.hide()
            else:
                sentence = line_fit_sentence(entries[number], element)
                self.titles[number].set_texts(sentence, sentence.partition(" about")[0])
                self.titles[number].setToolTip(sentence)
                draw = partial(self._draw, self._turn, number, entries[number], element, about)
                QTimer.singleShot(0, draw)

    def _draw(
        self, turn: int, number: int, entry: Entry, element: str, about: tuple[float, float]
    ) -> None:
        if turn == self._turn:
            self._panels[number].show()
            self.views[number].show_entry(entry, element)
            self.views[number].show_range_about(*about)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Narrow plots have no room for a legend."""
        super().resizeEvent(event)
        for view in self.views:
            view.plot.legend.setVisible(not self._is_narrow)

    @property
    def _is_narrow(self) -> bool:
        return self.width() < MOST * LEGEND_ROOM

    def _tick_spacing(self, usual: Usual, low: float, high: float, size: float) -> list[Spacing]:
        """Spacings of the ticks and their offsets: in a narrow plot two or three numbers."""
        if not self._is_narrow or high <= low:
            return usual(low, high, size)
        tens = 10.0 ** math.floor(math.log10(high - low))
        major = max(
            tens * s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if tens * s <= (high - low) / 2
        )
        return [(major, 0.0), (major / 5, 0.0)]

    def set_log(self, log: bool) -> None:
        """Logarithmic counts in all."""
        for view in self.views:
            view.set_log(log)

    def fit(self) -> None:
        """Show all energies in all."""
        for view in self.views:
            view.fit()

    def describe(self, energy_keV: float | None) -> str | None:
        """Counts and fit under the pointer; None where it is over no fit."""
        over = [view for view in self.views if view.isVisible() and view.underMouse()]
        return over[0].describe(energy_keV) if over else None

    def forget(self) -> None:
        """Keep no entry."""
        self._shown = ()
        self._turn += 1
