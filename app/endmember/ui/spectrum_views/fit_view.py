"""The fit of a composition drawn over its spectrum, with residuals and the chosen element."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtGui import QColor

from endmember.core.fitting.line_markers import Marker, markers, nearest_line
from endmember.session.views.composition_view import (
    added_counts,
    entry_title,
    measured_at_keV,
    window_width_keV,
)
from endmember.ui.spectrum_views.spectrum_view import Curve, MarkerLine, SpectrumView
from endmember.ui.widgets.plot_colours import faint
from endmember.ui.widgets.theme import FAMILY_DASHES, colours

if TYPE_CHECKING:  # slow libraries are imported where they are needed, not with a window
    from endmember.core.fitting.spectrum_fit import SpectrumFit
    from endmember.session.steps.compositions import Entry

MARGIN_FWHM = 5.0  # shown on either side of a line
SCALE_FWHM = 1.25  # on either side of a line, the values that the y axis is scaled to
LEAST_SHARE = 0.3  # of the plot's height that remains under many labels
LEAST_PART = 1e-3  # of the highest channel of an element: less is not drawn
FAR_FROM_ZERO = 0.5  # of the highest value: the y axis need not begin at zero


class FitView(SpectrumView):
    """Spectrum, fit, background, and what one element adds; residuals in sigma below."""

    def __init__(self) -> None:
        super().__init__("spectrum with its fit")
        self.entry: Entry | None = None
        self.element = ""
        self._zoomed = False
        self._markers: tuple[Marker, ...] = ()
        self.set_unit("counts")
        self.set_empty("choose a composition to see its fit")
        self.x_range_changed.connect(self._let_go)
        self.log_changed.connect(lambda _: self._scale_to_line())

    def show_entry(self, entry: Entry, element: str) -> None:
        """Show the fit of an entry, with the part of one element filled; zoom and place stay."""
        self.entry, self.element = entry, element
        fit = entry.composition.fit
        energy = fit.spectrum.axis.centres
        counts = fit.spectrum.counts
        of = colours()
        curves = [
            Curve("spectrum", energy, counts, of.line, z=1),
            Curve("background", energy, fit.background, of.muted, dash=True, z=2, step=False),
            Curve("fit", energy, fit.fitted, of.accent, width=1.8, z=3, step=False),
        ]
        part = added_counts(fit, element)
        if part is not None:
            # the band from the background up is what the element adds
            part[np.abs(part) < LEAST_PART * np.abs(part).max()] = np.nan
            top = fit.background + part
            curves.append(
                Curve(
                    f"{element} on background",
                    energy,
                    top,
                    of.second_line,
                    step=False,
                    low=np.minimum(fit.background, top),
                    high=np.maximum(fit.background, top),
                    z=2.5,
                )
            )
        zoomed = self._zoomed
        with self.plot.at_once():
            self.set_empty("")
            self.set_curves(curves)
            self.set_residuals(energy, (counts - fit.fitted) / np.sqrt(fit.variance))
            self._mark(fit, element)
        self._zoomed = zoomed  # another range of energies is no choice of the person
        self._scale_to_line()

    def _mark(self, fit: SpectrumFit, element: str) -> None:
        """The lines of all elements of the fit, and the window of the chosen one."""
        elements = tuple(dict.fromkeys(column.element for column in fit.columns))
        beam = fit.spectrum.beam_energy_keV
        self._markers = () if beam is None else markers(elements, fit.spectrum.axis, beam)
        of = colours()
        self.set_markers(
            [
                MarkerLine(
                    marker.label,
                    marker.energy_keV,
                    marker.strength,
                    of.second_line if marker.element == element else of.muted,
                    FAMILY_DASHES[marker.family],
                    marker.element == element,
                    self._rank(marker, fit),
                )
                for marker in self._markers
            ]
        )
        energy = measured_at_keV(fit, element)
        windows = []
        if energy is not None:
            edges = fit.spectrum.axis.edges[fit.window(energy).start : fit.window(energy).stop + 1]
            windows = [(float(edges[0]), float(edges[-1]))] if len(edges) else []
        tip = f"1.0 FWHM about the line of {element}: background and SNR are those of this window"
        self.set_stretches(windows, faint(QColor(of.second_line), 90), tip)

    def _rank(self, marker: Marker, fit: SpectrumFit) -> float:
        """The alpha line of the chosen element first, then whatever has most counts."""
        if marker.element == self.element and marker.alpha:
            return float("inf")
        index = fit.find(marker.element, marker.family)
        return 0.0 if index is None else max(float(fit.areas[index]), 0.0) * marker.strength

    def zoom_to_element(self, element: str) -> None:
        """Show the line by which an element is measured, scaled so that a trace is seen."""
        if self.entry is None:
            return
        fit = self.entry.composition.fit
        energy = measured_at_keV(fit, element)
        if energy is None:
            return
        half = MARGIN_FWHM * window_width_keV(fit, energy)
        self.zoom_to(max(energy - half, 0.0), energy + half)
        self._zoomed = True
        self._scale_to_line()

    def show_range_about(self, low_keV: float, high_keV: float) -> None:
        """Show these energies; the y axis stays scaled to the chosen line while that is in view."""
        if self.entry is None:
            return
        energy = measured_at_keV(self.entry.composition.fit, self.element)
        self.zoom_to(low_keV, high_keV)
        self._zoomed = energy is not None and low_keV < energy < high_keV
        self._scale_to_line()

    def _scale_to_line(self) -> None:
        """Scale the y axis to the values at the chosen line, though its neighbours be cut off."""
        if self.entry is None or not self._zoomed or self.is_log():
            return
        fit = self.entry.composition.fit
        energy = measured_at_keV(fit, self.element)
        if energy is None:
            return
        half = SCALE_FWHM * window_width_keV(fit, energy)
        near = fit.spectrum.axis.span(energy - half, energy + half)
        values = np.concatenate([fit.spectrum.counts[near], fit.fitted[near], fit.background[near]])
        if not len(values):
            return
        low, high = float(values.min()), max(float(values.max()), 1.0)
        if low < FAR_FROM_ZERO * high:
            low = min(low, 0.0)
        room = 0.08 * (high - low)
        free = 0.95 - self.plot.top() / max(self.plot.frame.height, 1.0)  # below the labels
        self.show_values(low - room, low + (high + room - low) / max(free, LEAST_SHARE))

    def _let_go(self) -> None:
        self._zoomed = False

    def fit(self) -> None:
        """Show the whole spectrum."""
        self._zoomed = False
        super().fit()

    def describe(self, energy_keV: float | None) -> str:
        """For the status bar: the nearest line, and counts and fit at an energy."""
        if self.entry is None or energy_keV is None:
            return ""
        fit = self.entry.composition.fit
        text = f"{energy_keV:.3f} keV"
        line = nearest_line(energy_keV, self._markers)
        if line is not None:
            text += f"   {line.label} ({line.energy_keV:.3f} keV)"
        axis = fit.spectrum.axis
        channel = round((energy_keV - axis.start_keV) / axis.step_keV)
        if 0 <= channel < axis.channels:
            text += f"   {fit.spectrum.counts[channel]:,.0f} counts, fit {fit.fitted[channel]:,.0f}"
        return text

    @contextmanager
    def _titled(self) -> Iterator[None]:
        """What leaves the program says what it is of."""
        self.set_title("" if self.entry is None else entry_title(self.entry))
        try:
            yield
        finally:
            self.set_title("")

    def figure_svg(self, path: Path | str) -> None:
        """Write the plot as SVG on white, with a title; OSError if that fails."""
        with self._titled():
            super().figure_svg(path)

    def figure_png(self, path: Path | str, width_px: int = 2000) -> None:
        """Write the plot as PNG on white, with a title; OSError if that fails."""
        with self._titled():
            super().figure_png(path, width_px)
