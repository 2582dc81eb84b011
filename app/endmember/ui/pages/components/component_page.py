"""The page of the components: their maps and spectra, the scree plot, and what shows what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QToolButton, QVBoxLayout

from endmember.session.decisions import edits
from endmember.session.state.session import Failure
from endmember.session.steps.map_reading import fitting
from endmember.session.views.component_views import (
    EnergyMap,
    component_views,
    convergence_sentence,
    energy_map,
    proposed_role,
    users,
    whole_spectrum,
)
from endmember.ui.document.page import Page, is_same_state, remark
from endmember.ui.document.requests import Requests, quietly
from endmember.ui.document.workspace import Shown, Workspace
from endmember.ui.map_views.map_grid import MapLink
from endmember.ui.map_views.map_view import automatic_levels
from endmember.ui.map_views.shape_gestures import Point
from endmember.ui.pages.components.component_row import ComponentPicture, Said, role_of
from endmember.ui.pages.components.component_rows import LEAST_HEIGHT, MOST_ROWS, ComponentRows
from endmember.ui.pages.components.component_settings import ComponentSettings
from endmember.ui.pages.components.energy_row import EnergyRow
from endmember.ui.spectrum_views.element_marks import element_markers, marker_lines
from endmember.ui.spectrum_views.spectrum_link import SpectrumLink
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.theme import THEME, phase_colour

if TYPE_CHECKING:
    from endmember.core.counts.spectrum import FloatArray
    from endmember.core.fitting.line_markers import Marker
    from endmember.session.decisions.recipe import Recipe
    from endmember.session.steps.chain import Decomposed
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks

NOTHING = 0.01  # of the highest counts of a component
WAITING = "The map is being decomposed: its components will be here"
NOT_READ = "The components are there once the map is read: see the Map page"
FAILED = "No components: see the message above"
EXPLANATION = (
    "Where a component has no line of its own, the decomposition may leave it no bremsstrahlung at "
    "all: its spectrum falls into a ditch (shaded), far below the dashed line, its share of the "
    "continuum of all components. No material does that: components are for maps and masks, and "
    "are never quantified."
)


@dataclass(frozen=True, eq=False, slots=True)
class _Source:
    """A decomposition and the map, as it was when it was decomposed."""

    decomposed: Decomposed
    data: MapData


class ComponentPage(Page):
    """Rows of components in the middle; scree plot and settings at the side."""

    name = "components"
    step = "decomposition"
    own_spectrum = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.maps = MapLink(self.body)
        self.spectra = SpectrumLink(self.body)
        self.rows = ComponentRows(self.maps, self.spectra)
        self.energy = EnergyRow()
        self.maps.add(self.energy.map)
        self.spectra.add(self.energy.plot)
        self.settings = self.panel = ComponentSettings(workspace)
        self.ditches = QCheckBox("Show ditches")
        name(
            self.ditches,
            "Zoom all spectra to their lowest few per cent, where the ditches are seen (D)",
            "show ditches",
        )
        self.log = QToolButton()
        self.log.setText("log")
        self.log.setCheckable(True)
        name(self.log, "Logarithmic values in all spectra (L)", "logarithmic values")
        self.at_energy = QCheckBox("Map at the pointer's energy")
        name(
            self.at_energy,
            "Show the map of the energy under the pointer, and the spectrum of the whole map (M)",
            "map at the pointer's energy",
        )
        self.caption = ElidedLabel(least=60, greedy=True)
        self.caption.setProperty("role", "muted")
        self.explanation = remark(EXPLANATION)
        self.explanation.hide()
        self.energy.hide()
        self._state: tuple[object, ...] = ()
        self._source: _Source | None = None
        self._cut: tuple[Decomposed | None, MapMasks | None] = (None, None)
        self._requests = Requests(
            workspace.runner,
            lambda text: workspace.say("error", f"the components cannot be shown: {text}"),
        )
        self._markers: tuple[Marker, ...] = ()
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(12)
        for widget in (self.ditches, self.log, self.at_energy):
            bar.addWidget(widget)
        bar.addWidget(self.caption, 1)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(bar)
        layout.addWidget(self.explanation)
        layout.addWidget(self.rows, 1)
        layout.addWidget(self.energy)

    def _connect(self) -> None:
        workspace = self.workspace
        self.maps.hovered.connect(workspace.cursor_moved)
        self.spectra.energy_hovered.connect(self._on_energy)
        self.spectra.log_changed.connect(self.log.setChecked)
        self.ditches.toggled.connect(lambda _: self._show_scale())
        self.log.toggled.connect(lambda _: self._show_scale())
        self.at_energy.toggled.connect(self._show_energy_row)
        self.energy.energy_set.connect(self._ask_energy)
        self.rows.map_width_changed.connect(self._size_energy_row)
        # never that of the rows, which share the room that it leaves: each would follow the other
        self.energy.setFixedHeight(LEAST_HEIGHT)
        self.rows.renamed.connect(self._rename)
        self.rows.role_chosen.connect(self._choose_role)
        self.panel.smoothing_changed.connect(lambda _: self._show_smoothed())
        THEME.changed.connect(self._follow_theme)

    # --- refresh -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what today's recipe and results say."""
        workspace = self.workspace
        recipe = workspace.recipe
        if recipe is None:
            return
        shown, scree = workspace.shown("decomposition"), workspace.shown("scree")
        masks, data = self._masks_of(shown), workspace.data
        state = (
            *(workspace.document, recipe, workspace.focus.map_name, workspace.focus.element),
            *(shown.value, shown.current, shown.failure),
            *(scree.value, scree.current, scree.failure, masks, data),
        )
        if is_same_state(state, self._state):
            return
        if self._state and self._state[0] is not workspace.document:
            self._source = None
            self._requests.forget()
        self._state = state
        self._tell(shown)
        self.panel.show_recipe(recipe)
        self.panel.show_scree(scree, recipe.decomposition.components)
        found = None if shown.value is None else shown.value.found
        self.panel.show_convergence(found, shown.current)
        self._show_components(shown, data)
        self._show_said(recipe, masks)
        self._ask_markers(recipe, data)
        self._ask_whole(data)

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._source, self._cut, self._state = None, (None, None), ()
        self._requests.forget()

    def _tell(self, shown: Shown) -> None:
        self.show_state(shown, "out of date: being decomposed again")
        if shown.current and shown.failure is None and not shown.value.found.converged:
            self.banner.set("warning", convergence_sentence(shown.value.found))

    def _show_components(self, shown: Shown, data: MapData | None) -> None:
        source = self._pair(shown, data)
        self._source = source
        if source is None:
            self._requests.forget("components")
            waiting = WAITING if data is not None else NOT_READ
            self.rows.set_empty(FAILED if shown.failure is not None else waiting)
            self.caption.setText("")
            return
        count, names = len(source.decomposed.found.spectra), source.decomposed.names
        told = f"{count} component{'s' if count > 1 else ''}"
        if count > MOST_ROWS:
            told = f"the first {MOST_ROWS} of {told}"
        if len(names) > 1:
            told += f", common to {len(names)} maps"
        self.caption.set_texts(f"{told}; maps in counts, spectra normalised to their peak", told)
        self.caption.setToolTip(self.caption.text())
        self._ask_components()

    def _pair(self, shown: Shown, data: MapData | None) -> _Source | None:
        """The decomposition with the map that it was made of, as long as it is known."""
        decomposed, known = shown.value, self._source
        if decomposed is None:
            return None
        if known is not None and known.decomposed is decomposed:
            map_name = known.data.entry.name
            if map_name == self.workspace.focus.map_name or data is None:
                return known
        if data is None or fitting(decomposed, data) is None:
            return None
        return _Source(decomposed, data)

    def _ask_components(self) -> None:
        """Make the components ready to be drawn, away from the main thread."""
        source = self._source
        if source is None:
            return
        smoothing = self.panel.smoothing.value()
        self._requests.ask(
            "components",
            (source.decomposed, source.data, smoothing),
            lambda: _made(source, smoothing),
            self._take,
        )

    def _take(self, value: list[ComponentPicture]) -> None:
        self.rows.set_components(value)
        self._show_scale()
        if self.workspace.recipe is not None:
            masks = self._masks_of(self.workspace.shown("decomposition"))
            self._show_said(self.workspace.recipe, masks)

    def _masks_of(self, shown: Shown) -> MapMasks | None:
        """The last masks that were cut from the components shown."""
        masks = self.workspace.result("masks")
        if masks is not None and shown.current:
            self._cut = shown.value, masks
        return self._cut[1] if shown.value is self._cut[0] else None

    def _show_said(self, recipe: Recipe, masks: MapMasks | None) -> None:
        used = users(recipe, masks)
        said = {}
        for number in range(recipe.decomposition.components):
            names = used.get(number, ())
            colour = phase_colour(recipe.phases.index(names[0])).name() if names else ""
            label = recipe.label_of(number)
            said[number] = Said(label, proposed_role(number, names), names, colour)
        self.rows.set_said(said)

    # --- lines and scales --------------------------------------------------------------------

    def _ask_markers(self, recipe: Recipe, data: MapData | None) -> None:
        element = self.workspace.focus.element
        if data is not None:
            self._requests.ask(
                "component lines",
                (recipe.sample, data, element),
                lambda: element_markers(recipe, data, element),
                self._take_markers,
                failed=quietly,
            )

    def _take_markers(self, value: tuple[Marker, ...]) -> None:
        self._markers = value
        self._draw_markers()

    def _draw_markers(self) -> None:
        recipe = self.workspace.recipe
        if recipe is not None:
            alphas = [marker for marker in self._markers if marker.alpha]  # rows are low
            lines = marker_lines(alphas, recipe.sample, self.workspace.focus.element)
            self.rows.set_markers(lines)
            self.energy.plot.set_markers(lines)

    def _show_scale(self) -> None:
        """Show ditches, a log scale, or all values in every spectrum."""
        ditches, log = self.ditches.isChecked(), self.log.isChecked()
        self.explanation.setVisible(ditches)
        self.rows.set_scale(ditches, log)
        highest = [
            row.shown.view.ditch_range[1] for row in self.rows.shown_rows() if row.shown is not None
        ]
        self.energy.set_scale(max(highest) if ditches and highest else None, log)

    def _show_smoothed(self) -> None:
        self._ask_components()
        if self.energy.shown is not None:
            self._ask_energy(self.energy.shown.energy_keV)

    def _follow_theme(self) -> None:
        self._draw_markers()
        self.energy.draw_spectrum()

    # --- the map at an energy ----------------------------------------------------------------

    def _show_energy_row(self, shown: bool) -> None:
        self.energy.setVisible(shown)

    def _size_energy_row(self, width: int) -> None:
        self.energy.map.setFixedWidth(width)

    def _ask_whole(self, data: MapData | None) -> None:
        if data is not None and self._requests.ask(
            "whole spectrum",
            (data,),
            lambda: whole_spectrum(data),
            partial(self._take_whole, data),
            failed=quietly,
        ):
            self.energy.forget()

    def _take_whole(self, data: MapData, value: FloatArray) -> None:
        self.energy.show_spectrum(data.image.axis, value)
        self._show_scale()

    def _on_energy(self, energy_keV: float | None) -> None:
        self.workspace.energy_moved.emit(energy_keV)
        if energy_keV is not None and self.at_energy.isChecked():
            self._ask_energy(energy_keV)

    def _ask_energy(self, energy_keV: float) -> None:
        data, smoothing = self.workspace.data, self.panel.smoothing.value()
        if data is None:
            return

        def made() -> tuple[EnergyMap, tuple[float, float]]:
            found = energy_map(data, energy_keV, smoothing)
            return found, _levels(found.shown)

        self.workspace.runner.ask("energy map", made, partial(self._take_energy, data))

    def _take_energy(self, data: MapData, value: Any) -> None:
        if data is not self.workspace.data or isinstance(value, Failure):
            return
        found, levels = value
        self.energy.show_map(found, levels, data.place, data.full_pixel_size_nm)

    # --- hands -------------------------------------------------------------------------------

    def _rename(self, number: int, text: str) -> None:
        recipe = self.workspace.recipe
        if recipe is not None and text.strip() != recipe.label_of(number).name:
            self.workspace.edit(edits.label_component, number, name=text)

    def _choose_role(self, number: int, role: object) -> None:
        self.workspace.edit(edits.label_component, number, role=role_of(role))

    def fit(self) -> None:
        """Show all of every map and all energies."""
        if self.maps.views:
            for view in self.maps.views:
                view.canvas.fit()
        for plot in self.spectra.views:
            plot.fit()
        self._show_scale()

    def one_to_one(self) -> None:
        """Show a pixel of the map on a pixel of the screen."""
        self.energy.map.canvas.one_to_one()

    def describe(self, point: Point) -> str:
        """Place, and the counts of the component under the pointer."""
        value = self.rows.value_text(point) or self.energy.value_text(point)
        return "   ".join(part for part in (super().describe(point), value) if part)

    def key_tool(self, letter: str) -> bool:
        """D shows ditches, L is log scale, M the map at the pointer's energy."""
        tools = {"D": self.ditches, "L": self.log, "M": self.at_energy}
        if letter in tools:
            tools[letter].toggle()
        return letter in tools


def _made(source: _Source, smoothing_px: float) -> list[ComponentPicture]:
    """The components with the ends of their colours, which take a while for large maps."""
    data = source.data
    place, size = data.place, data.full_pixel_size_nm
    return [
        ComponentPicture(view, _levels(view.shown), data.image.axis, place, size)
        for view in component_views(source.decomposed, data, smoothing_px)
    ]


def _levels(values: FloatArray) -> tuple[float, float]:
    """Automatic ends of the colours, from zero where next to nothing is the lowest."""
    low, high = automatic_levels(values)
    return (0.0 if low < NOTHING * high else low), high
