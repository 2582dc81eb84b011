"""The spectrum that is always there: of a region, a mask, a phase or a component."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QCursor
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from endmember.core.fitting.line_markers import Candidate, Marker, lines_near, markers, nearest_line
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Roi
from endmember.session.state.session import Failure
from endmember.session.views.shown_spectra import (
    COMPONENT,
    ENDMEMBER,
    MATRIX,
    MIXTURE,
    ROI,
    WHOLE,
    ShownSpectrum,
    region_spectrum,
    shown_spectrum,
    spectrum_names,
    title_of,
)
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.page import Veil
from endmember.ui.document.requests import Requests, quietly
from endmember.ui.document.workspace import Workspace
from endmember.ui.spectrum_views.element_marks import element_markers
from endmember.ui.spectrum_views.spectrum_view import Curve, MarkerLine, SpectrumView, WindowMark
from endmember.ui.spectrum_views.window_bar import WindowBar
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.theme import FAMILY_DASHES, PHASE_COLOURS, THEME, colours

COUNTS, PER_PIXEL, TO_PEAK = "counts", "counts per pixel", "normalised to peak"
SHOWN_CANDIDATES = 8
HALF_VIEW_keV = 0.6
NO_MAP = "open a map to see its spectrum"
BEING_READ, NOT_READ = "the map is being read", "the map could not be read"
NOT_YET = "this spectrum is there once its step is done"


def scaled(shown: ShownSpectrum, unit: str) -> tuple[np.ndarray[Any, Any], str]:
    """The counts in the unit asked for, and the unit they really have."""
    if unit == PER_PIXEL and shown.pixels:
        return shown.counts / shown.pixels, PER_PIXEL
    if unit == TO_PEAK and shown.counts.max() > 0:
        return shown.counts / shown.counts.max(), TO_PEAK
    return shown.counts, COUNTS


class SpectrumPanel(QWidget):
    """A spectrum with its line markers and energy windows; clicking a peak names its lines."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self._nudges = GestureEdits(workspace)
        self.view = SpectrumView("spectrum")
        self.source = QComboBox()
        self.source.setToolTip("Which spectrum is shown")
        self.source.setAccessibleName("spectrum shown")
        self.source.setMinimumContentsLength(12)
        self.unit = QComboBox()
        self.unit.addItems([COUNTS, PER_PIXEL, TO_PEAK])
        self.unit.setToolTip("Unit of the spectrum")
        self.unit.setAccessibleName("unit of the spectrum")
        self.log = QToolButton()
        self.log.setText("log")
        self.log.setCheckable(True)
        self.log.setToolTip("Logarithmic counts (L)")
        self.log.setAccessibleName("logarithmic counts")
        self.windows = WindowBar(workspace)
        self.remark = ElidedLabel("")
        self.remark.setProperty("role", "muted")
        self.veil = Veil(self.view)
        self._shown: ShownSpectrum | None = None
        self._requests = Requests(workspace.runner, self._show_nothing)
        self._live = False
        self._markers: tuple[Marker, ...] = ()
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(4, 2, 4, 0)
        for widget in (self.source, self.unit, self.log, self.windows):
            row.addWidget(widget)
        row.addWidget(self.remark, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.view, 1)
        self.view.set_empty(NO_MAP)

    def _connect(self) -> None:
        self.source.activated.connect(
            lambda i: self.workspace.look(spectrum=self.source.itemData(i))
        )
        self.unit.currentTextChanged.connect(lambda _: self._draw())
        self.log.toggled.connect(self.view.set_log)
        self.view.log_changed.connect(self.log.setChecked)
        self.windows.draw_asked.connect(self.view.set_drawing)
        self.windows.selected.connect(self.view.select_window)
        self.view.window_drawn.connect(self._window_drawn)
        self.view.window_changing.connect(self._window_changing)
        self.view.window_changed.connect(self._window_changed)
        self.view.window_removed.connect(
            lambda name: self.workspace.edit(edits.remove_window, name)
        )
        self.view.energy_hovered.connect(self.workspace.energy_moved)
        self.view.energy_clicked.connect(self._ask_lines)
        self.workspace.region_moved.connect(self._region_moved)
        THEME.changed.connect(self._draw_again)

    # --- what is shown -----------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the spectrum looked at, as far as it is known."""
        self.windows.refresh()
        recipe, data = self.workspace.recipe, self.workspace.data
        if recipe is None:
            self.forget()
            self.source.clear()
            self._show_nothing(NO_MAP)
            return
        self._list_sources()
        self._show_markers()
        self._show_windows()
        if data is None:
            self._requests.forget("spectrum")
            failed = self.workspace.shown("read").failure is not None
            self._show_nothing(NOT_READ if failed else BEING_READ)
            return
        name = self.workspace.focus.spectrum
        known = {step: self.workspace.shown(step).value for step in _NEEDED}
        if not self._live:
            self._requests.ask(
                "spectrum",
                (name, data, recipe.map_named(data.entry.name).rois, *known.values()),
                lambda: shown_spectrum(name, recipe, data, known.get),
                self._take,
            )
        self._cover()

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._shown = None
        self._requests.forget()

    def _show_nothing(self, text: str) -> None:
        """Show a sentence, and nothing of the last spectrum."""
        self._shown = None
        self.view.set_curves([])
        self.view.set_empty(text)
        self.remark.clear()
        self._cover()

    def _cover(self) -> None:
        """Grey out a spectrum that is older than the recipe."""
        found = None if self._shown is None else self.workspace.shown(_step_of(self._shown.name))
        if found is None or found.current:
            self.veil.cover(None)
        else:
            waiting = found.failure is None
            self.veil.cover("out of date: being updated" if waiting else "out of date")

    def _list_sources(self) -> None:
        recipe = self.workspace.recipe
        assert recipe is not None
        names = list(spectrum_names(recipe, self.workspace.focus.map_name))
        titles = [title_of(name, recipe) for name in names]
        if titles != [self.source.itemText(i) for i in range(self.source.count())]:
            self.source.clear()
            for name, title in zip(names, titles, strict=True):
                self.source.addItem(title, name)
        if self.workspace.focus.spectrum not in names:
            self.workspace.look(spectrum=names[0])
        self.source.setCurrentIndex(names.index(self.workspace.focus.spectrum))

    def _take(self, value: ShownSpectrum | None) -> None:
        if value is None:
            self._show_nothing(NOT_YET)
            return
        self._shown = value
        self._draw()
        self._cover()

    def _draw_again(self) -> None:
        self._requests.forget("line markers")
        if self.workspace.recipe is not None:
            self._show_markers()
            self._show_windows()
        self._draw()

    def _draw(self) -> None:
        shown, recipe = self._shown, self.workspace.recipe
        if shown is None or recipe is None:
            return
        values, unit = scaled(shown, self.unit.currentText())
        factor = values.sum() / shown.counts.sum() if shown.counts.sum() else 1.0
        low = high = None
        if shown.sigma is not None:
            low, high = values - factor * shown.sigma, values + factor * shown.sigma
        name = title_of(shown.name, recipe)
        curve = Curve(
            name, shown.axis.centres, values, self._colour(shown.name), low=low, high=high
        )
        self.view.set_empty("")
        self.view.set_unit(unit)
        self.view.set_curves([curve])
        pixels = "" if shown.pixels is None else f"{shown.pixels:,} pixels, "
        text = f"{pixels}{shown.counts.sum():,.0f} counts"
        if shown.name.startswith(COMPONENT):
            text += "; for maps only, never quantified"
        self.remark.set_texts(text, pixels.rstrip(", "))

    def _colour(self, name: str) -> str:
        recipe = self.workspace.recipe
        if recipe is None:
            return colours().line
        if name == MATRIX:
            return PHASE_COLOURS[0]
        for start in (MIXTURE, ENDMEMBER):
            phase = name.removeprefix(start)
            if name.startswith(start) and phase in recipe.phases:
                return PHASE_COLOURS[recipe.phases.index(phase) % len(PHASE_COLOURS)]
        return colours().line

    # --- a region while it is dragged ----------------------------------------------------------

    def _region_moved(self, region: Any) -> None:
        data = self.workspace.data
        self._live = region is not None
        self.view.hold_range(self._live)
        self._requests.forget("spectrum")
        if region is None or data is None:
            self.refresh()
            return
        kind, geometry = region
        roi = Roi(name="region", phase="", **{kind: geometry})
        self.workspace.runner.ask("region", lambda: region_spectrum(data, roi), self._take_live)

    def _take_live(self, value: Any) -> None:
        if self._live and isinstance(value, ShownSpectrum):
            self._take(value)

    # --- line markers --------------------------------------------------------------------------

    def _show_markers(self) -> None:
        recipe, data = self.workspace.recipe, self.workspace.data
        assert recipe is not None
        focus = self.workspace.focus.element
        if data is None or data.image.beam_energy_keV is None:
            return
        self._requests.ask(  # the first time, the tables of the lines are loaded
            "line markers",
            (recipe.sample, focus, data),
            lambda: element_markers(recipe, data, focus),
            partial(self._take_markers, recipe.sample.elements),
            failed=quietly,
        )

    def _take_markers(self, quantified: tuple[str, ...], found: tuple[Marker, ...]) -> None:
        self._markers = found
        self.view.set_markers([self._marker_line(m, m.element in quantified) for m in found])

    def _marker_line(self, marker: Marker, quantified: bool) -> MarkerLine:
        emphasised = marker.element == self.workspace.focus.element
        colour = colours().muted
        if quantified:
            colour = colours().second_line
        if emphasised:
            colour = colours().accent
        return MarkerLine(
            marker.label,
            marker.energy_keV,
            marker.strength,
            colour,
            FAMILY_DASHES[marker.family],
            emphasised,
        )

    def describe(self, energy_keV: float | None) -> str:
        """For the status bar: an energy, the nearest line, and the counts there."""
        if energy_keV is None or self._shown is None:
            return ""
        text = f"{energy_keV:.3f} keV"
        line = nearest_line(energy_keV, self._markers)
        if line is not None:
            text += f"   {line.label} ({line.energy_keV:.3f} keV)"
        axis = self._shown.axis
        channel = round((energy_keV - axis.start_keV) / axis.step_keV)
        if 0 <= channel < axis.channels:
            text += f"   {self._shown.counts[channel]:,.0f} counts"
        return text

    def find_line(self, text: str) -> None:
        """Show the line of an element, or an energy in keV."""
        text = text.strip().removesuffix("keV").strip().replace(",", ".")
        try:
            energy = float(text)
        except ValueError:
            energy = math.nan
        if not math.isfinite(energy):  # Python takes "nan" and "inf" for numbers
            self._find_element(text.capitalize())
            return
        self.view.zoom_to(max(energy - HALF_VIEW_keV, 0.0), energy + HALF_VIEW_keV)

    def _find_element(self, element: str) -> None:
        data = self.workspace.data
        if data is None or data.image.beam_energy_keV is None:
            return
        try:
            lines = markers([element], data.image.axis, data.image.beam_energy_keV)
        except ValueError as error:
            self.workspace.say("warning", str(error))
            return
        if not lines:
            self.workspace.say("warning", f"{element} has no line on this energy axis")
            return
        self.workspace.look(element=element)
        self.show_element(element)

    def show_element(self, element: str) -> None:
        """Zoom to the alpha line by which an element is measured, else to its strongest line."""
        data = self.workspace.data
        if data is None or data.image.beam_energy_keV is None:
            return
        lines = markers([element], data.image.axis, data.image.beam_energy_keV)
        alphas = [line for line in lines if line.alpha] or list(lines)
        if alphas:
            best = max(alphas, key=lambda line: line.strength)
            width = HALF_VIEW_keV * (1 + best.energy_keV / 10)
            self.view.zoom_to(max(best.energy_keV - width, 0.0), best.energy_keV + width)

    # --- which lines a peak could be -------------------------------------------------------------

    def _ask_lines(self, energy_keV: float) -> None:
        recipe, data = self.workspace.recipe, self.workspace.data
        if recipe is None or data is None or data.image.beam_energy_keV is None:
            return
        beam = data.image.beam_energy_keV
        known = (*recipe.sample.elements, *recipe.sample.system_elements)
        place = QCursor.pos()
        self.workspace.runner.ask(
            "lines",
            lambda: lines_near(energy_keV, beam, known),
            lambda found: self._offer(found, energy_keV, place),
        )

    def _offer(self, found: Any, energy_keV: float, place: Any) -> None:
        if isinstance(found, Failure):
            self.workspace.say("warning", found.message)
            return
        menu = self.line_menu(found, energy_keV)
        menu.popup(place)

    def line_menu(self, found: tuple[Candidate, ...], energy_keV: float) -> QMenu:
        """The lines near a clicked energy, each with what can be done about its element."""
        recipe = self.workspace.recipe
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = menu.addAction(f"{energy_keV:.3f} keV could be")
        assert title is not None
        title.setEnabled(False)
        for candidate in found[:SHOWN_CANDIDATES]:
            marker = candidate.marker
            away = f"{1000 * candidate.distance_keV:+.0f} eV"
            text = f"{marker.label}   {marker.energy_keV:.3f} keV   {away}"
            sample = None if recipe is None else recipe.sample
            state = ""
            if sample is not None and marker.element in sample.elements:
                state = "   (quantified)"
            elif sample is not None and marker.element in sample.system_elements:
                state = "   (fitted)"
            sub = menu.addMenu(text + state)
            if sub is not None:
                self._fill(sub, marker.element)
        if not found:
            none = menu.addAction("no line of any element lies here")
            assert none is not None
            none.setEnabled(False)
        return menu

    def _fill(self, menu: QMenu, element: str) -> None:
        recipe = self.workspace.recipe
        assert recipe is not None
        quantified, fitted = recipe.sample.elements, recipe.sample.system_elements

        def without(symbols: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(symbol for symbol in symbols if symbol != element)

        menu.addAction(f"Show the lines of {element}", lambda: self.workspace.look(element=element))
        if element not in quantified:
            menu.addAction(
                f"Quantify {element}",
                lambda: self.workspace.edit(
                    edits.set_elements, (*quantified, element), without(fitted)
                ),
            )
        if element not in fitted:
            menu.addAction(
                f"Fit {element}, but do not quantify it (instrument, grid)",
                lambda: self.workspace.edit(
                    edits.set_elements, without(quantified), (*fitted, element)
                ),
            )
        if element in (*quantified, *fitted):
            menu.addAction(
                f"Take {element} out of the fit",
                lambda: self.workspace.edit(
                    edits.set_elements, without(quantified), without(fitted)
                ),
            )

    # --- energy windows --------------------------------------------------------------------------

    def _show_windows(self) -> None:
        recipe = self.workspace.recipe
        assert recipe is not None
        self.view.set_windows(
            [
                WindowMark(window.name, *window.range_keV, colours().accent, window.name)
                for window in recipe.windows
            ]
        )

    def _window_drawn(self, low: float, high: float) -> None:
        self.windows.draw.setChecked(False)
        self.workspace.edit(edits.add_window, round(low, 3), round(high, 3))

    def _window_changing(self, name: str, low: float, high: float) -> None:
        self.windows.select(name)
        self.windows.show_range(low, high)
        self.workspace.window_moved.emit((name, low, high))

    def _window_changed(self, name: str, low: float, high: float, going_on: bool) -> None:
        self.workspace.window_moved.emit(None)
        self.windows.select(name)
        if not going_on:
            self._nudges.end()
        within = (round(low, 3), round(high, 3))
        self._nudges.edit(("nudge", name), edits.change_window, name, range_keV=within)


_NEEDED = ("decomposition", "masks", "subtraction")


def _step_of(name: str) -> str:
    """The step that a spectrum comes from."""
    if name.startswith(COMPONENT):
        return "decomposition"
    return "read" if name == WHOLE or name.startswith(ROI) else "subtraction"


__all__ = ["ROI", "SpectrumPanel"]
