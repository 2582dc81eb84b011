"""Spectra one below the other that zoom in energy and point together."""

from __future__ import annotations

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from endmember.ui.spectrum_views.spectrum_view import SpectrumView


class SpectrumLink(QObject):
    """Links any number of spectra; those out of sight follow when they come into sight.

    All begin as far from the left as the one that needs most room there.
    """

    energy_hovered = pyqtSignal(object)
    """keV under the mouse, None when it leaves."""
    energy_clicked = pyqtSignal(float)
    log_changed = pyqtSignal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.views: list[SpectrumView] = []
        self._range: tuple[float, float] | None = None
        self._energy: float | None = None
        self._left = 0.0
        self._following = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._align)

    def add(self, view: SpectrumView) -> None:
        """Link a further spectrum to those there are."""
        self.views.append(view)
        view.x_range_changed.connect(self._on_range)
        view.energy_hovered.connect(self._on_hovered)
        view.energy_clicked.connect(self.energy_clicked)
        view.log_changed.connect(self.log_changed)
        view.plot.left_changed.connect(lambda _: self._soon.start())
        self._soon.start()
        self.follow(view)

    def follow(self, view: SpectrumView) -> None:
        """Show the same energies and the same cursor as the others."""
        if self._range is not None:
            self._following = True
            view.follow_x(*self._range)
            self._following = False
        view.show_cursor(self._energy)

    def follow_in_sight(self) -> None:
        """Let the spectra follow that have come into sight."""
        for view in self.views:
            if _in_sight(view):
                self.follow(view)
        self._soon.start()

    def show_cursor(self, energy_keV: float | None) -> None:
        """Mark an energy that is looked at elsewhere."""
        self._energy = energy_keV
        for view in self.views:
            if _in_sight(view):
                view.show_cursor(energy_keV)

    def show_range(self, low: float, high: float) -> None:
        """Show these energies in all spectra."""
        self._range = low, high
        self.follow_in_sight()

    def _on_range(self, low: float, high: float) -> None:
        if not self._following:
            self.show_range(low, high)

    def _on_hovered(self, energy_keV: float | None) -> None:
        self._energy = energy_keV
        for view in self.views:
            if view is not self.sender() and _in_sight(view):
                view.show_cursor(energy_keV)
        self.energy_hovered.emit(energy_keV)

    def _align(self) -> None:
        """Begin all at the same place, so that an energy stands above itself."""
        seen = [view for view in self.views if _in_sight(view)]
        self._left = max((view.plot.own_left for view in seen), default=self._left)
        for view in seen:
            view.plot.set_least_left(self._left)


def _in_sight(view: SpectrumView) -> bool:
    # of the viewport, which covers all that is around it
    return not view.plot.canvas.viewport().visibleRegion().isEmpty()
