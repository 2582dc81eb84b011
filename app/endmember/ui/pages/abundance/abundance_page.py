"""The page of the abundances: maps of the fraction of each phase, and their spectra."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QSplitter, QVBoxLayout

from endmember.session.decisions import edits
from endmember.session.steps.map_reading import fitting
from endmember.session.views.abundance_views import (
    AbundanceView,
    MissedPlace,
    abundance_view,
    endmember_spectra,
    missed_places,
)
from endmember.ui.document.page import Page, is_same_state
from endmember.ui.document.requests import Requests
from endmember.ui.document.workspace import Shown, Workspace
from endmember.ui.map_views.map_grid import MapGrid
from endmember.ui.map_views.map_view import MapView, automatic_levels
from endmember.ui.map_views.shape_gestures import Point
from endmember.ui.pages.abundance.abundance_settings import (
    MIXED,
    RESIDUAL,
    WHOLE,
    AbundanceSettings,
)
from endmember.ui.pages.abundance.endmember_view import EndmemberView
from endmember.ui.pages.abundance.fraction_table import FractionRow
from endmember.ui.pages.abundance.phase_legend import PhaseLegend
from endmember.ui.spectrum_views.element_marks import element_markers, marker_lines
from endmember.ui.widgets.theme import THEME, phase_colour

if TYPE_CHECKING:
    from endmember.core.fitting.line_markers import Marker
    from endmember.session.decisions.recipe import Recipe
    from endmember.session.steps.chain import MapAbundance
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks, MapPhases

NO_PRECIPITATE = (
    "Draw a precipitate on the Masks page first: there is nothing to tell from the matrix"
)
WAITING = "The abundances follow from masks and phases: they are there once those are done"
FAILED = "No abundances: see the message above"
NO_MAP = "No map is ticked: choose some under Maps shown"
FRACTION = "fraction of counts"
LEAST_SHARE, MOST_SHARE = 0.3, 0.6  # of the height, for the maps
MAPS_EXPECTED = 5
HEAD_HEIGHT = 30  # of the title over a map
AROUND = 5.0  # times the width of a missed precipitate's rectangle is shown round it


@dataclass(frozen=True, eq=False, slots=True)
class _Source:
    """Abundances and the results that they were made of."""

    data: MapData
    found: MapAbundance
    masks: MapMasks
    phases: MapPhases


@dataclass(frozen=True, eq=False, slots=True)
class _Made:
    """A view with the automatic ends of the colours of each phase, and what it shows."""

    source: _Source
    view: AbundanceView
    levels: tuple[tuple[float, float], ...]


class AbundancePage(Page):
    """Maps above, spectra below; phase fractions, choices and warnings at the side."""

    name = "abundance"
    step = "abundance"
    own_spectrum = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.maps = MapGrid()
        self.maps.expect(MAPS_EXPECTED)
        self._watched = 0  # maps whose contrast is remembered
        self.legend: PhaseLegend | None = None
        self.spectra = EndmemberView()
        self.settings = self.panel = AbundanceSettings()
        self._state: tuple[object, ...] = ()
        self._source: _Source | None = None
        self._made: _Made | None = None
        self._requests = Requests(
            workspace.runner,
            lambda text: workspace.say("error", f"the abundances cannot be shown: {text}"),
        )
        self._markers: tuple[Marker, ...] = ()
        self._looks: dict[str, tuple[tuple[float, float] | None, str]] = {}
        self._keys: list[str] = []
        self._filling = False
        self._split_by_hand = False
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.maps)
        self.splitter.addWidget(self.spectra)
        self.splitter.setChildrenCollapsible(False)
        self.spectra.hide()
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)
        self.body.installEventFilter(self)

    def _connect(self) -> None:
        workspace, panel = self.workspace, self.panel
        self.maps.hovered.connect(workspace.cursor_moved)
        self.splitter.splitterMoved.connect(lambda *_: self._on_split())
        self.spectra.plot.energy_hovered.connect(workspace.energy_moved)
        self.spectra.normalisation_changed.connect(self._ask_spectra)
        panel.shown_changed.connect(self._show_maps)
        panel.levels_changed.connect(self._reset_levels)
        panel.smoothing_changed.connect(self._ask_view)
        panel.missed.chosen.connect(self._look_at)
        panel.missed.rectangle_asked.connect(self._draw_rectangle)
        THEME.changed.connect(self._draw_markers)

    # --- refresh -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what today's recipe and results say."""
        workspace = self.workspace
        recipe = workspace.recipe
        if recipe is None:
            return
        shown, data = workspace.shown("abundance"), workspace.data
        focus = workspace.focus
        state = (
            *(workspace.document, recipe, focus.map_name, focus.element, data),
            *(shown.value, shown.current, shown.failure),
        )
        if is_same_state(state, self._state):
            return
        if self._state and self._state[0] is not workspace.document:
            self._forget()
        self._state = state
        self.show_state(shown)
        self._source = self._pair(shown)
        if not recipe.precipitates or self._source is None:
            self._show_nothing(recipe, shown)
            return
        self.spectra.show()
        self._show_numbers(recipe, self._source, shown.current)
        self.panel.set_phases(self._source.found.phases)
        self._ask_view()
        self._ask_spectra()
        self._ask_missed(recipe, shown.current)
        self._ask_markers(recipe)

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._forget()
        self._state = ()

    def _forget(self) -> None:
        self._source, self._made = None, None
        self._requests.forget()
        self._looks.clear()

    def _pair(self, shown: Shown) -> _Source | None:
        """The abundances with what they were made of, as long as that is known."""
        found, known = shown.value, self._source
        if known is not None and known.found is found:
            return known
        workspace = self.workspace
        data = workspace.data
        made = [workspace.shown(step).value for step in ("masks", "subtraction")]
        needed: list[Any] = [fitting(value, data) for value in (found, *made)]
        if data is None or any(value is None for value in needed):
            return None
        return _Source(data, *needed)

    def _show_nothing(self, recipe: Recipe, shown: Shown) -> None:
        text = WAITING if shown.failure is None else FAILED
        if not recipe.precipitates:
            text = NO_PRECIPITATE
            self.veil.cover(None)
        self._made = None
        self._requests.forget()
        self._show_sentence(text)
        self.spectra.hide()
        self.panel.show_fractions(())
        self.panel.show_warnings(())
        self.panel.show_median(None)
        self.panel.sections["missed"].setVisible(False)
        self.panel.sections["maps"].setVisible(False)

    def _show_sentence(self, text: str) -> None:
        self._keys = []
        self.maps.set_number(1)
        view = self.maps.views[0]
        view.set_title("")
        view.set_empty(text)
        self._show_legend(())

    def _show_numbers(self, recipe: Recipe, source: _Source, current: bool) -> None:
        found = source.found
        self.panel.sections["maps"].setVisible(True)
        self.panel.show_fractions(
            [
                FractionRow(phase, _index(recipe, found, phase), *found.fractions[phase])
                for phase in found.phases
            ],
            current,
        )
        told = list(found.warnings) if current else []
        missing = [phase for phase in recipe.phases if phase not in found.phases]
        if missing and current:
            told.append(
                f"{', '.join(missing)}: not part of the unmixing, since there is no subtracted "
                "spectrum; see the Phases page."
            )
        self.panel.show_warnings(told)

    # --- made away from the main thread ------------------------------------------------------

    def _ask_view(self) -> None:
        source, recipe = self._source, self.workspace.recipe
        if source is None or recipe is None:
            return
        smoothing = self.panel.smoothing.value()
        colours = tuple(_rgb(self._colour(source.found, phase)) for phase in source.found.phases)
        self._requests.ask(
            "abundance view",
            (source, colours, smoothing),
            lambda: _made(source, colours, smoothing),
            self._take_view,
        )

    def _take_view(self, made: _Made) -> None:
        self._made = made
        self.panel.show_median(made.view.median_residual)
        self._show_maps()

    def _ask_spectra(self) -> None:
        source, recipe = self._source, self.workspace.recipe
        if source is None or recipe is None:
            return
        phases, matrix = source.phases, source.found.phases[0]
        scale = self.spectra.normalisation
        colours = {phase: self._colour(source.found, phase) for phase in source.found.phases}
        shown = tuple((phase, colour.name()) for phase, colour in colours.items())
        self._requests.ask(
            "endmember spectra",
            (phases, matrix, scale, shown),
            lambda: endmember_spectra(phases, matrix, scale),
            lambda value: self.spectra.show_spectra(value[0], value[1], colours),
        )

    def _ask_missed(self, recipe: Recipe, current: bool) -> None:
        source, missed = self._source, self.panel.sections["missed"]
        if source is None or not current:
            missed.setVisible(False)
            self._requests.forget("missed precipitates")
            return
        self._requests.ask(
            "missed precipitates",
            (source, recipe.phases),
            lambda: missed_places(source.data, source.masks, source.found),
            partial(self._take_missed, recipe.phases),
        )

    def _take_missed(self, phases: Sequence[str], places: tuple[MissedPlace, ...]) -> None:
        self.panel.missed.show_places(places, phases)
        section = self.panel.sections["missed"]
        section.set_title(f"Missed precipitates ({len(places)})")
        section.setVisible(bool(places))

    def _ask_markers(self, recipe: Recipe) -> None:
        data, element = self.workspace.data, self.workspace.focus.element
        if data is not None:
            self._requests.ask(
                "abundance lines",
                (recipe.sample, data, element),
                lambda: element_markers(recipe, data, element),
                self._take_markers,
            )

    def _take_markers(self, markers: tuple[Marker, ...]) -> None:
        self._markers = markers
        self._draw_markers()

    def _draw_markers(self) -> None:
        recipe = self.workspace.recipe
        if recipe is not None:
            element = self.workspace.focus.element
            alphas = [marker for marker in self._markers if marker.alpha]
            self.spectra.plot.set_markers(marker_lines(alphas, recipe.sample, element))

    # --- the maps ----------------------------------------------------------------------------

    def _show_maps(self) -> None:
        """Show the maps that are ticked."""
        made = self._made
        if made is None:
            return
        known = self.panel.shown_maps()
        self._keys = [key for key in (MIXED, *made.view.phases, RESIDUAL) if key in known]
        if not self._keys:
            self._show_sentence(NO_MAP)
            return
        self.maps.set_number(len(self._keys))
        for number in range(self._watched, len(self.maps.views)):
            self.maps.views[number].levels_changed.connect(partial(self._remember, number))
        self._watched = len(self.maps.views)
        self._filling = True
        for view, key in zip(self.maps.views, self._keys, strict=False):
            self._show_map(view, key, made)
        self._filling = False
        mixed = self._keys[0] == MIXED
        found = made.source.found
        self._show_legend([(p, self._colour(found, p)) for p in found.phases] if mixed else ())
        self._share_room()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Share the room anew where it has changed."""
        if event is not None and event.type() == QEvent.Type.Resize:
            QTimer.singleShot(0, self._share_room)
        return False

    def _on_split(self) -> None:
        self._split_by_hand = True

    def _share_room(self) -> None:
        """Give the maps the height that they can use in one row, until a person has shared it."""
        if self._split_by_hand or not self._keys:
            return
        whole = self.body.height()
        wanted = self.body.width() // len(self._keys) + HEAD_HEIGHT
        above = min(max(wanted, round(LEAST_SHARE * whole)), round(MOST_SHARE * whole))
        self.splitter.setSizes([above, whole - above])

    def _show_map(self, view: MapView, key: str, made: _Made) -> None:
        data = made.source.data
        place, size = data.place, data.full_pixel_size_nm
        shown = made.view
        of_phase = key not in (MIXED, RESIDUAL)
        # the titles are the legend of all phases where those are too small for one
        view.head.chip.set_colour(self._colour(made.source.found, key) if of_phase else None)
        smoothed = ", smoothed for display" if self.panel.smoothing.value() > 0 else ""
        if key == MIXED:
            told = f"the colours of the phases, mixed by their fraction of the counts{smoothed}"
            view.set_title(key, told)
            view.set_rgb(shown.mixed, place, size)
            return
        chosen, colour_map = self._looks.get(key, (None, ""))
        view.levels = chosen
        if key == RESIDUAL:
            usual, levels, array = "inferno", shown.residual_levels, shown.residual
            unit, told = "× noise", f"misfit in units of counting noise{smoothed}"
        else:
            index = shown.phases.index(key)
            usual, array, unit = "viridis", shown.maps[index], FRACTION
            levels = (0.0, 1.0) if self.panel.levels.value == WHOLE else made.levels[index]
            told = f"fraction of the counts of each pixel that {key} makes up{smoothed}"
        view.set_title(key, f"{key}: {told}")
        view.set_image(
            array,
            place,
            unit,
            pixel_size_nm=size,
            colour_map=colour_map or usual,
            levels=chosen or levels,
        )

    def _show_legend(self, phases: Sequence[tuple[str, QColor]]) -> None:
        if self.legend is None and phases:
            self.legend = PhaseLegend(self.maps.views[0].canvas)
        if self.legend is not None:
            self.legend.show_phases(phases)

    def _remember(self, number: int) -> None:
        """Keep what a person chose in the menu of a map, by what it shows."""
        made = self._made
        if self._filling or number >= len(self._keys) or made is None:
            return
        view, key = self.maps.views[number], self._keys[number]
        self._looks[key] = (view.levels, view.colour_map)
        if view.levels is None:  # whose automatic ends are not those of this page
            self._show_map(view, key, made)

    def _reset_levels(self) -> None:
        self._looks = {key: (None, look) for key, (_, look) in self._looks.items()}
        self._show_maps()

    def _colour(self, found: MapAbundance, phase: str) -> QColor:
        assert self.workspace.recipe is not None
        return phase_colour(_index(self.workspace.recipe, found, phase))

    # --- hands -------------------------------------------------------------------------------

    def _look_at(self, place: MissedPlace) -> None:
        """Show a missed precipitate in the middle of every map."""
        if self._keys:
            self.maps.views[0].canvas.centre_on(place.point, AROUND * place.box[2])
            self.maps.show_cross(place.point)

    def _draw_rectangle(self, place: MissedPlace) -> None:
        """Draw a rectangle round it, and go where it can be moved."""
        map_name = self.workspace.focus.map_name
        self.workspace.edit(edits.add_rectangle, place.phase, map_name, place.box)
        self.workspace.look(page="masks", precipitate=place.phase)

    def fit(self) -> None:
        """Show all pixels and energies."""
        self.maps.fit()
        self.spectra.plot.fit()

    def one_to_one(self) -> None:
        """Show a pixel of the map on a pixel of the screen."""
        self.maps.one_to_one()

    def describe(self, point: Point) -> str:
        """Place, and the fractions and the residual of the pixel as they were computed."""
        text, made = super().describe(point), self._made
        pixel = None if made is None else made.source.data.pixel_at(*point)
        if made is None or pixel is None or not self._keys:
            return text
        found = made.source.found
        abundance = found.abundance
        values = [float(of[pixel]) for of in abundance.maps]
        if not all(math.isfinite(value) for value in values):
            return f"{text}   no counts"
        told = [f"{phase} {value:.2f}" for phase, value in zip(found.phases, values, strict=True)]
        return f"{text}   {', '.join(told)}   residual {float(abundance.residual[pixel]):.2f}"

    def key_tool(self, letter: str) -> bool:
        """L for log scale, wherever the focus is."""
        if letter == "L":
            self.spectra.log.toggle()
        return letter == "L"


def _made(source: _Source, colours: Sequence[tuple[int, int, int]], smoothing_px: float) -> _Made:
    view = abundance_view(source.found, colours, smoothing_px)
    return _Made(source, view, tuple(automatic_levels(values) for values in view.maps))


def _index(recipe: Recipe, found: MapAbundance, phase: str) -> int:
    """The number of a phase in the recipe, or where it was when the abundances were made."""
    return (recipe.phases if phase in recipe.phases else found.phases).index(phase)


def _rgb(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()
