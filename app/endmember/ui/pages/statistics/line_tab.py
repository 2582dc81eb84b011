"""One line in regions, masks and sums: spectra laid over each other, or fits side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QToolButton,
)

from endmember.core.fitting.line_markers import Marker, markers
from endmember.session.views.line_overlays import (
    line_fit_sentence,
    overlaid,
    panels_of,
    range_about,
    short_title,
    shown_at_first,
    spectra_of,
)
from endmember.ui.document.page import heading, remark
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.statistics.line_panels import LinePanels
from endmember.ui.pages.statistics.statistics_plots import curve_colours
from endmember.ui.pages.statistics.statistics_tab import Ground, StatisticsTab
from endmember.ui.spectrum_views.spectrum_view import Curve, MarkerLine, SpectrumView
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.inputs import ChoiceBox, NumberBox
from endmember.ui.widgets.theme import FAMILY_DASHES, THEME, colours

if TYPE_CHECKING:
    from endmember.session.steps.compositions import Entry

OVERLAY, FITS = "overlay", "fits"
COUNTS, NORMALISED = "counts", "counts / highest"
WHOLE_keV = (0.0, 10.0)
ENTRY = Qt.ItemDataRole.UserRole


class LineTab(StatisticsTab):
    """The line of the element looked at, in the spectra of a phase."""

    title = "Lines"
    says = "One line in regions, masks and sums: overlaid with their LOD, or the fits side by side"
    choices = (True, True, True)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.kind_box = ChoiceBox("Spectra over each other, or fits side by side", "lines shown")
        self.kind_box.setMinimumContentsLength(6)
        self.kind_box.show_choices([("overlaid", OVERLAY), ("fits", FITS)], OVERLAY)
        self.low, self.high = self._energy_box("lower"), self._energy_box("upper")
        self.about = QToolButton()
        self.about.setText("line")
        name(self.about, "Show the energies about the line", "energies about the line")
        self.normalised = QCheckBox("max = 1")
        name(
            self.normalised,
            "Divide each spectrum by its highest count between these energies",
            "normalise to the maximum",
        )
        self.view = SpectrumView("overlaid spectra")
        self.view.setMinimumHeight(80)
        self.view.set_empty("this phase has no spectrum here")
        self.panels = LinePanels()
        self.list = QListWidget()
        self.list.setAccessibleName("spectra laid over each other")
        self.list.setToolTip("Which spectra are laid over each other (Space ticks one)")
        self.fits = remark()
        self._ground: Ground | None = None
        self._subject: object = None
        self._listed: tuple[Entry, ...] = ()
        self._drawn: tuple[object, ...] = ()
        self._build()
        self._connect()

    def _energy_box(self, which: str) -> NumberBox:
        box = NumberBox(f"The {which} end of the energies shown", f"{which} end shown", "keV")
        box.setRange(0.0, 400.0)
        box.setDecimals(2)
        box.setSingleStep(0.1)
        box.setMinimumWidth(box.fontMetrics().horizontalAdvance("00.00 keV") + 26)
        return box

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.kind_box)
        for widget in (self.low, QLabel("–"), self.high, self.about, self.normalised):
            row.addWidget(widget)
        row.addStretch(1)
        self.middle = QStackedWidget()
        self.middle.addWidget(self.view)
        self.middle.addWidget(self.panels)
        self.whole.addLayout(row)
        self.whole.addWidget(self.middle, 1)
        self.list_title = heading("Spectra")
        self.fits_title = heading("Fits of the line")
        self.list.setMinimumHeight(80)
        self.options.addWidget(self.list_title)
        self.options.addWidget(self.list)
        self.options.addWidget(self.fits_title)
        self.options.addWidget(self.fits)
        self.curves = remark(
            "Line: spectrum; coloured line: fit; dashed: background; filled: the element."
        )
        self.options.addWidget(self.curves)
        self.options.addWidget(
            remark(
                "LOD: 3 σ of the blank, in atomic ppm; of a region after the conventional "
                "subtraction. χ² about the line: within 1.5 FWHM of it."
            )
        )

    def _connect(self) -> None:
        self.kind_box.activated.connect(lambda _: self._draw())
        for box in (self.low, self.high):
            box.valueChanged.connect(lambda _: self._draw())
        self.about.clicked.connect(self._go_about_line)
        self.normalised.toggled.connect(lambda _: self._draw())
        self.list.itemChanged.connect(lambda _: self._draw())
        self.view.energy_hovered.connect(self.workspace.energy_moved)
        self.panels.energy_hovered.connect(self.workspace.energy_moved)
        THEME.changed.connect(self._draw_again)

    # --- showing -----------------------------------------------------------------------------

    def show_ground(self, ground: Ground) -> None:
        """Show the spectra of the phase about the line of the element."""
        self._ground = ground
        spectra = tuple(spectra_of(ground.found.entries, ground.subject.phase))
        if spectra != self._listed:
            self._list(spectra, ground.subject.map_name)
        subject = (ground.subject.phase, ground.subject.element)
        if subject != self._subject:
            self._subject = subject
            self._show_range(range_about(spectra, ground.subject.element) or WHOLE_keV)
        self._draw()

    def _list(self, spectra: tuple[Entry, ...], map_name: str) -> None:
        """Offer these spectra; what was ticked of the same names stays so."""
        before = {
            item.text(): item.checkState()
            for i in range(self.list.count())
            if (item := self.list.item(i)) is not None
        }
        same_phase = [e.phase for e in spectra[:1]] == [e.phase for e in self._listed[:1]]
        self._listed = spectra
        at_first = shown_at_first(spectra, map_name)
        self.list.blockSignals(True)
        self.list.clear()
        for number, entry in enumerate(spectra):
            item = QListWidgetItem(short_title(entry))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = Qt.CheckState.Checked if entry in at_first else Qt.CheckState.Unchecked
            item.setCheckState(before.get(item.text(), ticked) if same_phase else ticked)
            item.setData(ENTRY, number)
            self.list.addItem(item)
        self.list.blockSignals(False)

    @property
    def ticked(self) -> list[Entry]:
        """The spectra that are laid over each other."""
        items = [self.list.item(i) for i in range(self.list.count())]
        return [
            entry
            for item, entry in zip(items, self._listed, strict=True)
            if item is not None and item.checkState() == Qt.CheckState.Checked
        ]

    @property
    def energies(self) -> tuple[float, float]:
        """The energies shown, in keV; a reversed or empty range is the whole."""
        low, high = self.low.value(), self.high.value()
        return (low, high) if low < high else WHOLE_keV

    def _show_range(self, energies: tuple[float, float]) -> None:
        for box, value in zip((self.low, self.high), energies, strict=True):
            box.show_value(round(value, 2))

    def _go_about_line(self) -> None:
        if self._ground is not None:
            element = self._ground.subject.element
            self._show_range(range_about(self._listed, element) or WHOLE_keV)
            self._drawn = ()
            self._draw()

    def _draw_again(self) -> None:
        self._drawn = ()
        self._draw()

    def _draw(self) -> None:
        ground = self._ground
        if ground is None:
            return
        kind = cast(str, self.kind_box.value)
        is_overlay = kind == OVERLAY
        self.middle.setCurrentIndex(0 if is_overlay else 1)
        for widget in (self.list_title, self.list, self.normalised):
            widget.setVisible(is_overlay)
        for widget in (self.fits_title, self.fits, self.curves):
            widget.setVisible(not is_overlay)
        state = (ground.found, ground.subject, kind, self.energies, self.normalised.isChecked())
        if (*state, *self.ticked) == self._drawn:
            return
        self._drawn = (*state, *self.ticked)
        if is_overlay:
            self._draw_overlay(ground)
        else:
            panels = panels_of(self._listed, ground.subject.map_name)
            element = ground.subject.element
            self.panels.show_fits(panels, element, self.energies)
            self.fits.setText("\n".join(f"• {line_fit_sentence(e, element)}" for e in panels))

    def _draw_overlay(self, ground: Ground) -> None:
        normalised, element = self.normalised.isChecked(), ground.subject.element
        spectra = overlaid(
            self.ticked, ground.found.entries, element, *self.energies, normalised=normalised
        )
        shades = curve_colours()
        with self.view.plot.at_once():
            self.view.set_unit(NORMALISED if normalised else COUNTS)
            self.view.set_curves(
                [
                    Curve(
                        one.legend,
                        one.energy_keV,
                        one.values,
                        shades[number % len(shades)],
                        dash=number >= len(shades),
                        z=number,
                    )
                    for number, one in enumerate(spectra)
                ]
            )
            self._mark(element)
            self.view.zoom_to(*self.energies)

    def _mark(self, element: str) -> None:
        """The lines of the element."""
        spectrum = self._listed[0].composition.fit.spectrum if self._listed else None
        found: tuple[Marker, ...] = ()
        if spectrum is not None and spectrum.beam_energy_keV is not None and element:
            found = markers((element,), spectrum.axis, spectrum.beam_energy_keV)
        self.view.set_markers(
            [
                MarkerLine(
                    marker.label,
                    marker.energy_keV,
                    marker.strength,
                    QColor(colours().second_line),
                    FAMILY_DASHES[marker.family],
                    marker.alpha,
                )
                for marker in found
            ]
        )

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._ground = self._subject = None
        self._listed, self._drawn = (), ()
        self.list.clear()
        self.view.set_curves([])
        self.panels.forget()

    # --- hands -------------------------------------------------------------------------------

    def fit(self) -> None:
        """Show all energies."""
        self.view.fit()
        self.panels.fit()

    def describe_energy(self, energy_keV: float | None) -> str | None:
        """Energy under the pointer, and counts where it is over a fit."""
        if self.view.isVisible() and self.view.underMouse():
            return "" if energy_keV is None else f"{energy_keV:.3f} keV"
        return self.panels.describe(energy_keV)

    def key_tool(self, letter: str) -> bool:
        """L: log scale."""
        if letter == "L":
            log = not self.view.is_log()
            self.view.set_log(log)
            self.panels.set_log(log)
        return letter == "L"
