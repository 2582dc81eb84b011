"""The plot of spectra used everywhere: curves, residuals, line markers, energy windows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QEvent, QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QColor, QKeySequence
from PyQt6.QtWidgets import QFileDialog, QMenu, QVBoxLayout, QWidget

from endmember.ui.spectrum_views.spectrum_figure import table_text, write_png, write_svg
from endmember.ui.spectrum_views.spectrum_gestures import SpectrumGestures
from endmember.ui.spectrum_views.spectrum_marks import (
    Colour,
    Curve,
    FloatArray,
    MarkerLine,
    WindowMark,
)
from endmember.ui.spectrum_views.spectrum_plot import SpectrumPlot
from endmember.ui.widgets.dialog import to_clipboard
from endmember.ui.widgets.messages import NOTICES
from endmember.ui.widgets.theme import THEME, colours

__all__ = ["Curve", "MarkerLine", "SpectrumView", "WindowMark"]

_TOOLTIP = (
    "Wheel: zoom energy; Ctrl + wheel: zoom values; middle button or Space + drag: pan; "
    "double-click or Ctrl+F: show all; L: log scale; right click: menu"
)


class SpectrumView(QWidget):
    """A plot of spectra over energy in keV.

    Signals: `energy_hovered` (keV under the mouse, or None), `energy_clicked` (keV),
    `log_changed`, `x_range_changed` (low, high), `window_changing` (key, low, high; on every
    move), `window_changed` (the same, after the last, and whether it goes on from the last nudge),
    `window_drawn` (low, high), `window_removed` (key), `window_selected` (key or None) and
    `drawing_changed`.
    """

    energy_hovered = pyqtSignal(object)
    energy_clicked = pyqtSignal(float)
    log_changed = pyqtSignal(bool)
    x_range_changed = pyqtSignal(float, float)
    window_changing = pyqtSignal(str, float, float)
    window_changed = pyqtSignal(str, float, float, bool)
    window_drawn = pyqtSignal(float, float)
    window_removed = pyqtSignal(str)
    window_selected = pyqtSignal(object)
    drawing_changed = pyqtSignal(bool)

    folder = ""  # where the last figure went

    def __init__(self, name: str = "Spectrum", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setAccessibleDescription(_TOOLTIP)
        self.setToolTip(_TOOLTIP)
        self.plot = SpectrumPlot(self.font())
        self.gestures = SpectrumGestures(self.plot)
        canvas: QWidget = self.plot.canvas
        canvas.setAccessibleName(name)
        canvas.setAccessibleDescription(_TOOLTIP)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(canvas)
        self.setFocusProxy(canvas)
        self.setMinimumSize(180, 110)
        self._connect()

    def _connect(self) -> None:
        hands = self.gestures
        for signal, own in (
            (hands.energy_hovered, self.energy_hovered),
            (hands.energy_clicked, self.energy_clicked),
            (hands.window_changing, self.window_changing),
            (hands.window_changed, self.window_changed),
            (hands.window_drawn, self.window_drawn),
            (hands.window_removed, self.window_removed),
            (hands.window_selected, self.window_selected),
            (hands.drawing_changed, self.drawing_changed),
            (self.plot.x_range_changed, self.x_range_changed),
        ):
            signal.connect(own)
        hands.log_wanted.connect(self.set_log)
        hands.menu_wanted.connect(self._show_menu)
        THEME.changed.connect(self._follow_theme)

    def sizeHint(self) -> QSize:
        """Wide and low, as a spectrum is."""
        return QSize(640, 240)

    # Curves

    def set_curves(self, curves: Sequence[Curve]) -> None:
        """Show these curves; those with a known name change in place, those not given go.

        ValueError if a curve's arrays differ in length.
        """
        for curve in curves:
            for values in (curve.values, curve.low, curve.high):
                if values is not None and len(values) != len(curve.energy_keV):
                    raise ValueError(
                        f"the curve {curve.name} has {len(values)} values for "
                        f"{len(curve.energy_keV)} energies; give one value per energy"
                    )
        self.plot.set_curves(curves)

    def set_unit(self, unit: str) -> None:
        """The title of the y axis: "counts", "counts per pixel", "normalised to peak"."""
        if unit != self.plot.unit:
            self.plot.unit = unit
            self.plot.arrange()

    def set_title(self, text: str) -> None:
        """A title above the plot; none if empty."""
        if text != self.plot.title:
            self.plot.title = text
            self.plot.arrange()

    def set_residuals(self, energy_keV: FloatArray, values_in_sigma: FloatArray | None) -> None:
        """Show residuals (C,) in units of sigma below the plot, or take them away with None."""
        if values_in_sigma is None:
            self.plot.set_residuals(None)
        else:
            line = QColor(colours().line)
            self.plot.set_residuals(Curve("residual", energy_keV, values_in_sigma, line, width=1.0))

    def set_empty(self, text: str) -> None:
        """A quiet sentence in the middle, shown while there are no curves."""
        self.plot.text.text = text
        self.plot.text.update()

    # Marks

    def set_markers(self, markers: Sequence[MarkerLine]) -> None:
        """Show these X-ray lines, with labels as far as there is room for them."""
        if self.plot.markers.markers != tuple(markers):
            self.plot.markers.markers = tuple(markers)
            self.plot.draw()

    def set_windows(self, windows: Sequence[WindowMark]) -> None:
        """Show these energy windows; one that is being dragged stays under the mouse."""
        before = self.plot.windows.windows
        self.gestures.set_windows({mark.key: mark for mark in windows})
        if self.plot.windows.windows != before:
            self.plot.draw()

    def select_window(self, key: str | None) -> None:
        """Make this window the one that arrow keys and Del work on."""
        self.gestures.select(key)

    def set_drawing(self, drawing: bool) -> None:
        """Let the next left drag draw a window (`window_drawn`); Esc stops it."""
        self.gestures.set_drawing(drawing)

    def set_stretches(
        self, stretches: Sequence[tuple[float, float]], colour: Colour, tooltip: str = ""
    ) -> None:
        """Shade these stretches (low, high) in keV; the tooltip says what they are."""
        layer = self.plot.stretches
        layer.stretches = tuple(stretches)
        layer.colour = QColor(colour)
        layer.tooltip = tooltip
        layer.update()

    def show_cursor(self, energy_keV: float | None) -> None:
        """A faint vertical line at this energy, as for the mouse in a linked view."""
        self.plot.show_cursor(energy_keV)

    # Ranges

    @property
    def auto_range_y(self) -> bool:
        """Whether the y axis follows the values: until the user zooms it."""
        return self.plot.auto_y

    @auto_range_y.setter
    def auto_range_y(self, follow: bool) -> None:
        self.plot.auto_y = follow
        self.plot.draw()

    def hold_range(self, hold: bool) -> None:
        """Keep the y axis still, as during a drag in a map, or let it follow again."""
        if hold != self.plot.held:
            self.plot.held = hold
            self.plot.draw()

    def show_values(self, low: float, high: float) -> None:
        """Show these values on a linear y axis, until the next fit; see `auto_range_y`."""
        self.set_log(False)
        self.plot.set_y_range(low, high)

    def set_log(self, log: bool) -> None:
        """A logarithmic y axis, or a linear one."""
        if log != self.plot.log:
            self.plot.set_log(log)
            self.log_changed.emit(log)

    def is_log(self) -> bool:
        """Whether the y axis is logarithmic."""
        return self.plot.log

    def zoom_to(self, low: float, high: float) -> None:
        """Show these energies; the y axis follows the values again."""
        self.plot.auto_y = True
        self.plot.set_x_range(low, high)

    def fit(self) -> None:
        """Show everything."""
        self.plot.fit()

    def x_range(self) -> tuple[float, float]:
        """The energies in view, in keV."""
        return self.plot.x_range()

    def link_x(self, other: SpectrumView) -> None:
        """Show the same energies in both views from now on."""
        self.x_range_changed.connect(other.follow_x)
        other.x_range_changed.connect(self.follow_x)
        other.follow_x(*self.x_range())

    def align_left(self, other: SpectrumView) -> None:
        """Begin as far from the left as `other`, which stands above or below, from now on."""
        for one, its in ((self.plot, other.plot), (other.plot, self.plot)):
            one.left_changed.connect(its.set_least_left)
            its.set_least_left(one.own_left)

    def follow_x(self, low: float, high: float) -> None:
        """Take the range of a linked view."""
        if not np.allclose((low, high), self.x_range(), rtol=0, atol=1e-9):
            self.plot.set_x_range(low, high)

    def set_legend(self, shown: bool) -> None:
        """Show the names of the curves, or not."""
        self.plot.legend.setVisible(shown)

    # Figures

    def figure_svg(self, path: Path | str) -> None:
        """Write the plot as SVG on white; OSError if that fails."""
        write_svg(self.plot, Path(path), self.plot.title or self.accessibleName())

    def figure_png(self, path: Path | str, width_px: int = 2000) -> None:
        """Write the plot as PNG on white, so many pixels wide; OSError if that fails."""
        write_png(self.plot, Path(path), width_px)

    def figure_csv(self, path: Path | str) -> None:
        """Write all channels of all curves as CSV; OSError if that fails."""
        Path(path).write_text(self._table(","), encoding="utf-8")

    def copy_data(self) -> None:
        """Put all channels of all curves on the clipboard, as spreadsheets paste them."""
        to_clipboard(self._table("\t"))

    def _table(self, separator: str) -> str:
        residuals = self.plot.residuals.curve if self.plot.residuals else None
        return table_text(self.plot.shown_curves(), residuals, self.plot.unit, separator)

    # Menu

    def menu(self) -> QMenu:
        """The menu of the right mouse button."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)

        def add(text: str, tooltip: str, key: str = "") -> QAction:
            action = QAction(text, menu)
            action.setToolTip(tooltip)
            if key:
                action.setShortcut(QKeySequence(key))
            menu.addAction(action)
            return action

        add("Fit", "Show all energies and values", "Ctrl+F").triggered.connect(self.fit)
        log = add("Log scale", "Logarithmic y axis", "L")
        log.setCheckable(True)
        log.setChecked(self.is_log())
        log.toggled.connect(self.set_log)
        legend = add("Legend", "The names of the curves; it can be dragged")
        legend.setCheckable(True)
        legend.setChecked(self.plot.legend.isVisible())
        legend.toggled.connect(self.set_legend)
        menu.addSeparator()
        copy = add("Copy data", "All channels of all curves, as a spreadsheet pastes them")
        copy.triggered.connect(self.copy_data)
        for kind in ("PNG", "SVG", "CSV"):
            action = add(f"Export as {kind}…", f"Write this plot to a {kind} file")
            action.triggered.connect(lambda _=False, kind=kind: self._export(kind))
        return menu

    def _show_menu(self, place: QPoint) -> None:
        self.menu().popup(place)

    def _export(self, kind: str) -> None:
        suggestion = str(
            Path(SpectrumView.folder) / f"{self.plot.title or 'spectrum'}.{kind.lower()}"
        )
        chosen, _ = QFileDialog.getSaveFileName(
            self, f"Export as {kind}", suggestion, f"{kind} (*.{kind.lower()})"
        )
        if not chosen:
            return
        path = Path(chosen)
        if not path.suffix:
            path = path.with_suffix(f".{kind.lower()}")
        SpectrumView.folder = str(path.parent)
        write = {"PNG": self.figure_png, "SVG": self.figure_svg, "CSV": self.figure_csv}[kind]
        try:
            write(path)
        except OSError as error:
            why = error.strerror or error
            NOTICES.say("error", f"{path} was not written: {why}; choose another folder")
        else:
            NOTICES.say("info", f"the spectrum was written to {path}")

    # Looks

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the font of the widget."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.FontChange and hasattr(self, "plot"):
            self.plot.set_font(self.font())

    def _follow_theme(self) -> None:
        self.plot.apply_colours(colours())
