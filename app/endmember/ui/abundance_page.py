"""Where each phase is, how much of the counts it makes up, and what no phase explains."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from endmember.session import edits
from endmember.session.abundance_views import (
    AbundanceView,
    EndmemberSpectrum,
    MissedPlace,
    abundance_view,
    endmember_spectra,
    missed_places,
)
from endmember.session.phase_remarks import with_error
from endmember.session.session import Failure
from endmember.ui.dialog import name
from endmember.ui.inputs import ChoiceBox, NumberBox
from endmember.ui.map_view import MapGrid
from endmember.ui.mask_layers import place_of
from endmember.ui.page import Page, heading, remark
from endmember.ui.phase_settings import phase_chip
from endmember.ui.shape_gestures import Point
from endmember.ui.spectrum_view import Curve, SpectrumView
from endmember.ui.theme import PHASE_COLOURS, THEME, phase_colour
from endmember.ui.workspace import Workspace

if TYPE_CHECKING:
    from endmember.core.spectrum import EnergyAxis
    from endmember.session.steps import MapAbundance

FRACTION = "fraction of counts"
MIXED, RESIDUAL = "phases", "residual"
FRACTIONS_SAY = (
    "Fitted to the summed spectrum of the map, so they are unbiased. They are fractions of the "
    "counts, not of volume or mass. Means of the abundance maps are not shown: with few counts a "
    "pixel they are biased, since no pixel may fall below zero."
)
RESIDUAL_SAYS = (
    "Residual: what no phase explains, in units of the counting noise. About 1 where only noise is "
    "left; a patch that stands out shows something that is not among the phases."
)
EMPTY = "The abundance maps are there once the matrix has been subtracted (Phases page)."
SHOWN_MISSED = 6


class AbundancePage(Page):
    """The maps of fully constrained least squares, and the phase fractions."""

    name = "abundance"
    step = "abundance"
    own_spectrum = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.grid = MapGrid()
        self.spectra = SpectrumView("spectra of the pure phases")
        self.fractions = QTableWidget(0, 2)
        self.smoothing = NumberBox("Smoothing of the maps, for the eyes only", "smoothing", " px")
        self.scale = ChoiceBox("How the abundance maps are coloured", "scale of the maps")
        self.unit = ChoiceBox("How the spectra are brought to one scale", "scale of the spectra")
        self.with_error = QCheckBox("errors of the spectra")
        self._found: MapAbundance | None = None
        self._view: AbundanceView | None = None
        self._asked: tuple[Any, ...] = ()
        self._asked_spectra: tuple[Any, ...] = ()
        self._drawn_spectra: tuple[EnergyAxis, tuple[EndmemberSpectrum, ...]] | None = None
        self._missed: tuple[MissedPlace, ...] = ()
        self._lay_out()
        self._build_settings()
        self._connect()

    # --- building ----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.grid)
        self.splitter.addWidget(self.spectra)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([360, 240])
        self.splitter.setChildrenCollapsible(False)
        self.empty = QLabel(EMPTY)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setProperty("role", "muted")
        self.stack = QStackedLayout(self.body)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.splitter)

    def _build_settings(self) -> None:
        self.fractions.setHorizontalHeaderLabels(["phase", "% of counts"])
        self.fractions.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.fractions.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        name(self.fractions, "How much of all counts each phase makes up", "phase fractions")
        rows, columns = self.fractions.verticalHeader(), self.fractions.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            columns.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.smoothing.setRange(0.0, 20.0)
        self.smoothing.setSingleStep(0.5)
        self.smoothing.setDecimals(1)
        self.smoothing.setSpecialValueText("none")
        self.scale.show_choices([("0 to 1", True), ("automatic", False)], True)
        self.unit.show_choices([("equal area", "area"), ("equal peak", "peak")], "peak")
        name(self.with_error, "Show the error band of each spectrum", "errors of the spectra")
        self.with_error.setChecked(True)
        form = QFormLayout()
        form.addRow("Smoothing σ", self.smoothing)
        form.addRow("Scale of maps", self.scale)
        form.addRow("Spectra", self.unit)
        self.missed_title = heading("Missed precipitates")
        self.missed_list = QVBoxLayout()
        self.residual_remark = remark(RESIDUAL_SAYS)
        layout = QVBoxLayout(self.settings)
        layout.addWidget(heading("Phase fractions"))
        layout.addWidget(self.fractions)
        layout.addWidget(remark(FRACTIONS_SAY))
        layout.addWidget(self.missed_title)
        layout.addLayout(self.missed_list)
        layout.addWidget(heading("Display"))
        layout.addLayout(form)
        layout.addWidget(self.with_error)
        layout.addWidget(self.residual_remark)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.grid.hovered.connect(self.workspace.cursor_moved)
        self.smoothing.valueChanged.connect(lambda _: self._ask_view())
        self.scale.activated.connect(lambda _: self._draw_maps())
        self.unit.activated.connect(lambda _: self._ask_spectra())
        self.with_error.toggled.connect(lambda _: self._draw_spectra())
        self.spectra.energy_hovered.connect(self.workspace.energy_moved)
        THEME.changed.connect(self._draw_spectra)

    # --- showing -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the newest abundances, grey while they are out of date."""
        shown = self.workspace.shown("abundance")
        self.show_state(shown)
        self.stack.setCurrentIndex(0 if shown.value is None else 1)
        if shown.value is None:
            self._found, self._view, self._asked, self._asked_spectra = None, None, (), ()
            self.fractions.setRowCount(0)
            self._show_missed(())
            return
        if shown.value is not self._found:
            self._found = shown.value
            self._show_fractions(shown.value)
        self._ask_view()
        self._ask_spectra()

    def _ask_view(self) -> None:
        found, data = self._found, self.workspace.data
        if found is None or data is None:
            return
        masks, smoothing = self.workspace.result("masks"), self.smoothing.value()
        asked = (found, data, masks, smoothing)
        if _alike(asked, self._asked):
            return
        self._asked = asked
        colours = [_rgb(index) for index in range(len(found.phases))]

        def make() -> tuple[AbundanceView, tuple[MissedPlace, ...]]:
            missed = () if masks is None else missed_places(data, masks, found)
            return abundance_view(found, colours, smoothing), missed

        self.workspace.runner.ask("abundances", make, partial(self._take, asked))

    def _take(self, asked: tuple[Any, ...], made: Any) -> None:
        if asked is not self._asked:
            return
        if isinstance(made, Failure):
            self.workspace.say("error", made.message)
            return
        self._view = made[0]
        self._draw_maps()
        self._show_missed(made[1])

    def _draw_maps(self) -> None:
        view, data = self._view, self.workspace.data
        if view is None or data is None:
            return
        place, size = place_of(data), data.image.pixel_size_nm
        nm = None if size is None else size / data.entry.rebin
        levels = (0.0, 1.0) if self.scale.value else None
        self.grid.set_number(len(view.phases) + 2)
        views = self.grid.shown_views()
        for shown, phase, array in zip(views, view.phases, view.maps, strict=False):
            shown.set_title(phase, f"{phase}: {FRACTION} in each pixel")
            shown.levels = None
            shown.set_image(array, place, FRACTION, pixel_size_nm=nm, levels=levels)
        mixed, residual = views[len(view.phases)], views[len(view.phases) + 1]
        mixed.set_title(MIXED, "each pixel in the colours of its phases, mixed by abundance")
        mixed.set_rgb(view.mixed, place, nm)
        residual.set_title(RESIDUAL, RESIDUAL_SAYS)
        residual.set_image(
            view.residual,
            place,
            "× noise",
            pixel_size_nm=nm,
            colour_map="cividis",
            levels=view.residual_levels,
        )
        self.residual_remark.setText(f"{RESIDUAL_SAYS} Median here: {view.median_residual:.2f}.")

    def _ask_spectra(self) -> None:
        phases, recipe = self.workspace.shown("subtraction").value, self.workspace.recipe
        if phases is None or recipe is None:
            return
        matrix, unit = recipe.sample.matrix, self.unit.value
        asked = (phases, matrix, unit)
        if _alike(asked, self._asked_spectra):
            return
        self._asked_spectra = asked

        def take(made: Any) -> None:
            if asked is self._asked_spectra and not isinstance(made, Failure):
                self._drawn_spectra = made
                self._draw_spectra()

        self.workspace.runner.ask(
            "endmembers",
            lambda: endmember_spectra(phases, matrix, "area" if unit == "area" else "peak"),
            take,
        )

    def _draw_spectra(self) -> None:
        if self._drawn_spectra is None:
            return
        axis, spectra = self._drawn_spectra
        names = [] if self._found is None else list(self._found.phases)
        curves = []
        for place, of in enumerate(spectra):
            index = names.index(of.phase) if of.phase in names else place
            band = self.with_error.isChecked() and place > 0
            curves.append(
                Curve(
                    of.phase,
                    axis.centres,
                    of.values,
                    phase_colour(index),
                    low=of.values - of.sigma if band else None,
                    high=of.values + of.sigma if band else None,
                    z=len(spectra) - place,
                )
            )
        unit = "counts" if self.unit.value == "area" else "normalised to peak"
        self.spectra.set_unit("normalised to area" if unit == "counts" else unit)
        self.spectra.set_empty("")
        self.spectra.set_curves(curves)

    def _show_fractions(self, found: MapAbundance) -> None:
        self.fractions.setRowCount(len(found.phases))
        for row, phase in enumerate(found.phases):
            value, sigma = found.fractions[phase]
            title = QTableWidgetItem(phase)
            title.setData(Qt.ItemDataRole.DecorationRole, phase_chip(row))
            cell = QTableWidgetItem(with_error(100 * value, 100 * sigma))
            cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            cell.setToolTip(f"{phase}: {with_error(100 * value, 100 * sigma)} % of the counts")
            self.fractions.setItem(row, 0, title)
            self.fractions.setItem(row, 1, cell)
        high = self.fractions.rowHeight(0) * len(found.phases) + 34
        self.fractions.setFixedHeight(min(high, 220))

    def _show_missed(self, places: tuple[MissedPlace, ...]) -> None:
        """A button for each place in the matrix that looks like a precipitate."""
        if places == self._missed:
            self.missed_title.setVisible(bool(places))
            return
        self._missed = places
        while (item := self.missed_list.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self.missed_title.setVisible(bool(places))
        for place in places[:SHOWN_MISSED]:
            x, y = (round(side) for side in place.point)
            button = QPushButton(f"{place.phase} at {x}, {y}: {place.pixels} px")
            name(
                button,
                "The pure matrix looks like this precipitate there. Shows the place and adds a "
                "rectangle on the Masks page; undo takes it back",
                f"missed {place.phase} at {x}, {y}",
            )
            button.clicked.connect(partial(self._draw_there, place))
            self.missed_list.addWidget(button)

    def _draw_there(self, place: MissedPlace, _: bool = False) -> None:
        map_name = self.workspace.focus.map_name
        if self.workspace.edit(edits.add_rectangle, place.phase, map_name, place.box):
            self.workspace.look(page="masks", precipitate=place.phase)

    # --- for the window ----------------------------------------------------------------------

    def centre_on(self, point: Point) -> None:
        """Show the surroundings of a place, in uncropped pixels."""
        for view in self.grid.shown_views()[:1]:
            seen = view.canvas.box.viewRect()
            half = min(seen.width(), seen.height()) / 4
            view.canvas.box.setRange(
                QRectF(point[0] - half, point[1] - half, 2 * half, 2 * half), padding=0
            )

    def describe(self, point: Point) -> str:
        """The place and the abundances there."""
        text = super().describe(point)
        if self._view is None:
            return text
        values = []
        for view in self.grid.shown_views():
            value = view.value_at(point)
            if value is not None:
                values.append(f"{view.title} {value:.2f}")
        return "   ".join([text, *values])

    def fit(self) -> None:
        """Show all of every map and spectrum."""
        self.grid.fit()
        self.spectra.fit()

    def one_to_one(self) -> None:
        """A pixel of the map on a pixel of the screen."""
        self.grid.one_to_one()

    def key_tool(self, letter: str) -> bool:
        """L: log scale of the spectra."""
        if letter == "L":
            self.spectra.set_log(not self.spectra.is_log())
        return letter == "L"


def _rgb(index: int) -> tuple[int, int, int]:
    colour = PHASE_COLOURS[index % len(PHASE_COLOURS)]
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _alike(left: tuple[Hashable, ...], right: tuple[Hashable, ...]) -> bool:
    return len(left) == len(right) and all(
        a is b or (isinstance(a, float | str) and a == b) for a, b in zip(left, right, strict=True)
    )
