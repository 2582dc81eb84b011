"""The page of the phases: the matrix is taken out of the mixture of each precipitate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QTabBar, QVBoxLayout

from endmember.session.decisions import phase_edits
from endmember.session.views.absent_choice import (
    hint_about_absent,
    suggested,
    unmeasured_candidates,
)
from endmember.session.views.phase_remarks import purity_sentence, remarks_about
from endmember.session.views.phase_views import (
    LineDifference,
    PhaseView,
    phase_view,
    quantified_phase,
    with_factor,
)
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.page import Page, heading, remark
from endmember.ui.document.requests import Requests
from endmember.ui.document.workspace import Shown, Workspace
from endmember.ui.pages.phases.absent_list import AbsentList
from endmember.ui.pages.phases.difference_chart import DifferenceChart
from endmember.ui.pages.phases.factor_bar import FactorBar
from endmember.ui.pages.phases.mask_insets import MaskInsets
from endmember.ui.pages.phases.phase_settings import PhaseSettings, phase_chip
from endmember.ui.pages.phases.phase_state import SEE_ABOVE, PhaseState
from endmember.ui.pages.phases.subtraction_view import SubtractionView
from endmember.ui.widgets.dialog import set_look
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.theme import THEME, phase_colour

if TYPE_CHECKING:
    from endmember.core.fitting.absence import AbsentCandidate
    from endmember.core.fitting.line_markers import Marker
    from endmember.session.decisions.recipe import Recipe

NO_ABSENT = "Choose the absent element in the list at the side: it scales the subtraction"
LEAST_INSET, LARGEST_INSET = 130, 260
WIDEST_TAB = 170


class _Tabs(QTabBar):
    """Tabs of which a long name leaves room for the others."""

    def tabSizeHint(self, index: int) -> QSize:
        """As wide as its text, up to a limit."""
        hint = super().tabSizeHint(index)
        return QSize(min(hint.width(), WIDEST_TAB), hint.height())


class PhasePage(Page):
    """Plots, factor and differences in the middle; candidates, phases and warnings at the side."""

    name = "phases"
    step = "subtraction"
    own_spectrum = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.tabs = _Tabs()
        self.plots = SubtractionView()
        self.factor = FactorBar()
        self.chart = DifferenceChart()
        self.insets = MaskInsets(workspace.runner)
        self.absent_title = ElidedLabel("Absent element")
        self.absent_title.setProperty("role", "heading")
        self.absent = AbsentList()
        self.hint = remark()
        self.purity = remark()
        self.phases = PhaseSettings(workspace)
        self.warnings_title = heading("Warnings")
        self.warnings = remark()
        self.edits = GestureEdits(workspace)
        self._state: PhaseState | None = None
        self._view: PhaseView | None = None
        self._requests = Requests(workspace.runner, self._fail)
        self._candidates: tuple[AbsentCandidate, ...] = ()
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.tabs.setAccessibleName("precipitate")
        self.tabs.setElideMode(Qt.TextElideMode.ElideRight)
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(True)
        self.insets.setMinimumWidth(LEAST_INSET)
        self.insets.setMaximumWidth(LARGEST_INSET)
        middle = QHBoxLayout()
        middle.setSpacing(4)
        middle.addWidget(self.plots, 6)
        middle.addWidget(self.insets, 1)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.tabs)
        top.addLayout(self.plots.bar, 1)
        layout.addLayout(top)
        layout.addLayout(middle, 1)
        layout.addWidget(self.factor)
        layout.addWidget(self.chart)
        side = QVBoxLayout(self.settings)
        side.setContentsMargins(8, 6, 8, 6)
        side.setSpacing(6)
        self.purity_title = heading("Purity of the matrix")
        for widget in (
            self.absent_title,
            self.absent,
            self.hint,
            self.warnings_title,
            self.warnings,
            self.purity_title,
            self.purity,
            self.phases,
        ):
            side.addWidget(widget)
        side.addStretch(1)
        self.purity.setToolTip(
            "Share of the counts in the matrix mask that come from the precipitate, from the "
            "spectra near its masks; a precipitate far from every mask is not seen by it"
        )

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self._choose_tab)
        self.absent.chosen.connect(self._choose_absent)
        self.factor.moved.connect(self._preview)
        self.factor.chosen.connect(self._set_factor)
        self.factor.dropped.connect(self._end_preview)
        self.chart.chosen.connect(self._zoom_to)
        self.plots.energy_hovered.connect(self.workspace.energy_moved)
        self.insets.hovered.connect(self.workspace.cursor_moved)
        THEME.changed.connect(self._draw_tabs)

    # --- showing -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the precipitate looked at."""
        recipe = self.workspace.recipe
        if recipe is None:
            return
        state = PhaseState.of(self.workspace, recipe)
        if state.is_same(self._state):
            return
        self._state = state
        self._show_tabs(recipe, state)
        self._show_banner(state)
        self.phases.show_recipe(recipe, state.map_name)
        self.insets.show_state(state)
        self._show_remarks(state)
        self._ask(state)

    def _show_tabs(self, recipe: Recipe, state: PhaseState) -> None:
        names = [p.name for p in recipe.precipitates]
        self.tabs.blockSignals(True)
        while self.tabs.count() > len(names):
            self.tabs.removeTab(self.tabs.count() - 1)
        while self.tabs.count() < len(names):
            self.tabs.addTab("")
        failures = state.failures()
        for index, name in enumerate(names):
            said = ""
            if name in failures:
                said = " (failed)" if recipe.precipitates[index].absent else " (choose)"
            self.tabs.setTabText(index, f"{index + 1}  {name}{said}")
            tip = f"{name}, subtracted from its mixture with {recipe.sample.matrix} ({index + 1})"
            self.tabs.setTabToolTip(index, failures.get(name, tip))
        if state.precipitate in names:
            self.tabs.setCurrentIndex(names.index(state.precipitate))
        self.tabs.blockSignals(False)
        self._draw_tabs()

    def _draw_tabs(self) -> None:
        for index in range(self.tabs.count()):
            self.tabs.setTabIcon(index, QIcon(phase_chip(index + 1)))

    def _show_banner(self, state: PhaseState) -> None:
        self.show_state(Shown(state.phases, state.current, state.failure))
        sentence = state.failures().get(state.precipitate, "")
        if state.failure is None and sentence:
            chosen = state.recipe.precipitate_named(state.precipitate).absent
            self.banner.set("error" if chosen else "warning", _as_sentence(sentence))

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._state = self._view = None
        self._requests.forget()
        self.insets.forget()

    def _show_remarks(self, state: PhaseState) -> None:
        """Purity and warnings, in words."""
        name, phases = state.precipitate, state.phases
        known = bool(name) and phases is not None
        for widget in (self.purity_title, self.purity):
            widget.setVisible(known)
        told: tuple[str, ...] = ()
        if known and phases is not None:
            sentence, doubtful = purity_sentence(phases, name, state.recipe.sample.matrix)
            _say(self.purity, sentence, doubtful)
            told = remarks_about(phases, name, [p.name for p in state.recipe.precipitates])
        self.warnings_title.setVisible(bool(told))
        self.warnings.setVisible(bool(told))
        _say(self.warnings, "\n".join(map(_as_sentence, told)), True)

    # --- the view of a precipitate -------------------------------------------------------------

    def _ask(self, state: PhaseState) -> None:
        """Ask for the view of the precipitate; it comes to `_take`."""
        if state.precipitate and state.phases is not None and state.partition is not None:
            self._requests.ask("phase view", state, lambda: _made(state), self._take)
        else:
            self._requests.forget("phase view")
            self._take(_Made(None))

    def _fail(self, text: str) -> None:
        self.banner.set("error", text)
        self._take(_Made(None))

    def _take(self, made: _Made) -> None:
        state = self._state
        assert state is not None
        before, self._view, self._candidates = self._view, made.view, made.candidates
        if self.factor.slider.moving and (made.view is None or made.view.name != _name(before)):
            self.factor.slider.give_up()
        self._show_candidates(state, made)
        if made.view is None:
            self.plots.show_markers((), "")
            self.plots.show_empty(state.empty_text())
            self.factor.show_view(None)
            self.chart.show_differences((), phase_colour(0))
        elif not self.factor.slider.moving:
            with self.plots.at_once():
                self._show(made.view)
                self.plots.show_markers(made.markers, state.element)

    def _show_candidates(self, state: PhaseState, made: _Made) -> None:
        name, best = state.precipitate, None
        absent = state.recipe.precipitate_named(name).absent if name else ""
        if made.view is not None:
            best = suggested(made.candidates)
            _say(self.hint, *hint_about_absent(made.view))
        self.hint.setVisible(made.view is not None)
        self.absent_title.setText(f"Absent element of {name}" if name else "Absent element")
        self.absent_title.setToolTip(self.absent_title.text())
        self.absent.show_candidates(made.candidates, absent, best.element if best else "")

    def _show(self, view: PhaseView) -> None:
        """Show plots, factor and differences of a view."""
        state = self._state
        assert state is not None
        index = state.recipe.phases.index(view.name)
        below = SEE_ABOVE.format(view.name) if view.absent else NO_ABSENT
        self.plots.show_view(view, state.recipe.sample.matrix, index, below)
        self.factor.show_view(view)
        self.chart.show_differences(view.differences, phase_colour(index))

    # --- hands -------------------------------------------------------------------------------

    def _choose_tab(self, index: int) -> None:
        recipe = self.workspace.recipe
        if recipe is not None and 0 <= index < len(recipe.precipitates):
            self.workspace.look(precipitate=recipe.precipitates[index].name)

    def _choose_absent(self, element: str) -> None:
        candidate = next((c for c in self._candidates if c.element == element), None)
        if candidate is not None and not candidate.usable:
            self.hint.setVisible(True)
            _say(self.hint, _as_sentence(candidate.why), True)
        elif self._state is not None and self._state.precipitate:
            name = self._state.precipitate
            self.workspace.edit(phase_edits.set_precipitate, name, absent=element)

    def _preview(self, factor: float) -> None:
        """Show the subtraction with another factor, while the slider is moved."""
        view = self._view
        if view is not None:
            self.plots.hold(True)
            self.veil.cover(None)
            self.workspace.runner.ask(
                "phase factor", lambda: with_factor(view, factor), self._take_preview
            )

    def _take_preview(self, value: Any) -> None:
        view = self._view
        if view is None or not self.factor.slider.moving or not isinstance(value, PhaseView):
            return
        if value.name == view.name:
            self._show(value)

    def _end_preview(self) -> None:
        self.plots.hold(False)
        if self._view is not None:
            self._show(self._view)
        if self._state is not None:
            self._show_banner(self._state)

    def _set_factor(self, factor: float | None, stepping: bool) -> None:
        view, before = self._view, self.workspace.recipe
        self.plots.hold(False)
        if view is None:
            return
        gesture = ("factor", view.name) if stepping else None
        self.edits.edit(gesture, phase_edits.set_precipitate, view.name, factor=factor)
        if self.workspace.recipe is before:
            self._end_preview()

    def _zoom_to(self, line: LineDifference) -> None:
        self.plots.zoom_to_line(line.energy_keV)
        self.workspace.look(element=line.element)

    def fit(self) -> None:
        """Show all energies, values and pixels."""
        self.plots.fit()
        self.insets.fit()

    def one_to_one(self) -> None:
        """Show a pixel of the map on a pixel of the screen in the insets."""
        self.insets.one_to_one()

    def key_tool(self, letter: str) -> bool:
        """L for log scale, wherever the focus is."""
        if letter == "L":
            self.plots.toggle_log()
        return letter == "L"


class _Made(NamedTuple):
    """What is made of a state away from the main thread."""

    view: PhaseView | None
    candidates: tuple[AbsentCandidate, ...] = ()
    markers: tuple[Marker, ...] = ()


def _made(state: PhaseState) -> _Made:
    """The view of a precipitate, its candidates, and the lines of all listed elements."""
    from endmember.core.fitting.line_markers import markers

    phases, part, name = state.phases, state.partition, state.precipitate
    assert phases is not None
    assert part is not None
    mask = part.mixtures.get(name)
    pixels = (0 if mask is None else int(mask.sum()), int(part.matrix.sum()))
    done = phases.subtractions.get(name) if state.current else None
    quantified = None
    if done is not None:
        quantified = quantified_phase(state.compositions, name, state.map_name)
    view = phase_view(state.recipe, name, phases, pixels, done, quantified)
    sample = state.recipe.sample
    if view is None:
        return _Made(None, unmeasured_candidates(phases.matrix.fit, sample.elements))
    spectrum = view.mixture.spectrum
    elements = dict.fromkeys((*sample.elements, *sample.system_elements, state.element))
    listed = [symbol for symbol in elements if symbol]
    beam = spectrum.beam_energy_keV
    marked = () if beam is None else markers(listed, spectrum.axis, beam)
    return _Made(view, view.candidates, marked)


def _name(view: PhaseView | None) -> str:
    return "" if view is None else view.name


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _say(label: QLabel, text: str, doubtful: bool) -> None:
    """Show a sentence, a doubtful one in the colour of warnings."""
    label.setText(text)
    set_look(label, "role", "warning" if doubtful else "muted")
