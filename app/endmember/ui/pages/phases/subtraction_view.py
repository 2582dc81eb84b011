"""Mixture and matrix on one scale, and below them what is left when the matrix is subtracted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from endmember.session.views.phase_views import (
    COUNTS,
    PER_PIXEL,
    PhaseView,
    normalisations,
    scales,
)
from endmember.ui.spectrum_views.spectrum_view import Curve, MarkerLine, SpectrumView
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.inputs import ChoiceBox
from endmember.ui.widgets.plot_colours import faint
from endmember.ui.widgets.theme import FAMILY_DASHES, THEME, colours, phase_colour

if TYPE_CHECKING:
    from endmember.core.fitting.line_markers import Marker

HALF_VIEW_keV = 0.5
NEGATIVE = (
    "negative beyond 3 σ over one FWHM: the factor is too large, or the absent element is not "
    "absent"
)


class SubtractionView(QWidget):
    """Two plots whose zoom, cursor and scale go together."""

    energy_hovered = pyqtSignal(object)
    """keV under the mouse, None when it leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.measured = SpectrumView("matrix and mixture")
        self.subtracted = SpectrumView("subtracted spectrum")
        self.scale = ChoiceBox(
            "How the matrix is brought to the scale of the mixture: on a line, whose areas then "
            "are equal, per pixel, or not at all",
            "scale of matrix and mixture",
        )
        self.bar = QHBoxLayout()  # for the page to place
        self.scale_label = QLabel("Scaled")
        self.scale_label.setBuddy(self.scale)
        self.factor = ElidedLabel()
        self.fit_shown = QCheckBox("fit")
        name(
            self.fit_shown,
            "Draw the fit by which the subtracted spectrum is quantified",
            "show the fit of the subtracted spectrum",
        )
        self.log = QToolButton()
        self.log.setText("log")
        self.log.setCheckable(True)
        name(self.log, "Logarithmic counts in both plots (L)", "logarithmic counts")
        self.view: PhaseView | None = None
        self._asked: object = None
        self._matrix = ""
        self._colour = QColor()
        self._markers: tuple[tuple[Marker, ...], str] = ((), "")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.scale.setMinimumContentsLength(12)
        self.scale.setMaximumWidth(260)
        self.scale.shortened = lambda text: text.partition(" (")[0]
        self.bar.setSpacing(6)
        self.bar.addStretch(1)
        self.bar.addWidget(self.scale_label)
        self.bar.addWidget(self.scale, 100)
        self.bar.addWidget(self.factor)
        self.bar.addWidget(self.fit_shown)
        self.bar.addWidget(self.log)
        layout.addWidget(self.measured, 1)
        layout.addWidget(self.subtracted, 1)

    def _connect(self) -> None:
        self.measured.link_x(self.subtracted)
        self.measured.align_left(self.subtracted)
        for plot, other in ((self.measured, self.subtracted), (self.subtracted, self.measured)):
            plot.log_changed.connect(other.set_log)
            plot.log_changed.connect(self.log.setChecked)
            plot.energy_hovered.connect(other.show_cursor)
            plot.energy_hovered.connect(self.energy_hovered)
        self.log.toggled.connect(self.measured.set_log)
        self.scale.activated.connect(self._choose_scale)
        self.fit_shown.toggled.connect(lambda _: self._draw())
        THEME.changed.connect(self._draw_markers)

    # --- what is shown -----------------------------------------------------------------------

    def show_empty(self, sentence: str, below: str = "") -> None:
        """Show sentences instead of spectra."""
        self.view = None
        self.measured.set_curves([])
        self.measured.set_empty(sentence)
        self.factor.setText("")
        self.scale.show_choices([], None)
        self.scale.setEnabled(False)
        self.fit_shown.setEnabled(False)
        self._show_nothing_left(below)

    def _show_nothing_left(self, sentence: str) -> None:
        self.subtracted.set_curves([])
        self.subtracted.set_empty(sentence)
        self.subtracted.set_stretches([], colours().error)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Draw both plots once, at the end, whatever is changed meanwhile."""
        with self.measured.plot.at_once(), self.subtracted.plot.at_once():
            yield

    def show_view(self, view: PhaseView, matrix: str, index: int, below: str = "") -> None:
        """Show a precipitate, the one of this number; `below` is said where nothing is left."""
        self.view, self._matrix, self._colour = view, matrix, phase_colour(index)
        known = normalisations(view)
        usual = known[0][0]
        chosen = self._asked if self._asked in [key for key, _ in known] else usual
        self.scale.show_choices([(text, key) for key, text in known], chosen)
        self.scale.setEnabled(True)
        self.fit_shown.setEnabled(view.fitted is not None)
        self._draw(below)

    def _draw(self, below: str = "") -> None:
        view = self.view
        if view is None:
            return
        mixture_scale, matrix_scale = scales(view, str(self.scale.value))
        energy = view.mixture.spectrum.axis.centres
        ground = phase_colour(0)
        per_pixel = self.scale.value == PER_PIXEL
        scaled = not per_pixel and self.scale.value != COUNTS
        told = f"× {matrix_scale:.4g}" if scaled else ""
        self.factor.set_texts(f"matrix {told}".strip() if scaled else "", told)
        self.measured.set_empty("")
        self.measured.set_unit(PER_PIXEL if per_pixel else COUNTS)
        self.measured.set_curves(
            [
                Curve(
                    f"{self._matrix} (matrix{', scaled' if scaled else ''})",
                    energy,
                    view.matrix.spectrum.counts * matrix_scale,
                    ground,
                    fill=faint(ground, 70),
                ),
                Curve(
                    f"{view.name}+{self._matrix} (mixture)",
                    energy,
                    view.mixture.spectrum.counts * mixture_scale,
                    self._colour,
                    z=1,
                ),
            ]
        )
        self._draw_left(view, below)

    def _draw_left(self, view: PhaseView, below: str) -> None:
        done = view.subtraction
        if done is None or view.sigma is None:
            self._show_nothing_left(below)
            return
        counts, axis = done.spectrum.counts, done.spectrum.axis.centres
        curves = [
            Curve(
                f"{view.name} (matrix subtracted, ± σ)",
                axis,
                counts,
                self._colour,
                low=counts - view.sigma,
                high=counts + view.sigma,
            )
        ]
        if self.fit_shown.isChecked() and view.fitted is not None:
            curves.append(
                Curve("fit", axis, view.fitted, colours().line, width=1.0, step=False, z=1)
            )
        self.subtracted.set_empty("")
        self.subtracted.set_curves(curves)
        self.subtracted.set_stretches(done.negative_keV, colours().error, NEGATIVE)

    def _choose_scale(self, index: int) -> None:
        # the first is what is usual: it is followed, whatever that is for the next precipitate
        self._asked = self.scale.value if index > 0 else None
        self._draw()

    # --- lines -------------------------------------------------------------------------------

    def show_markers(self, markers: Sequence[Marker], focus: str) -> None:
        """Mark these lines; those of the absent element and of `focus` are emphasised."""
        self._markers = tuple(markers), focus
        self._draw_markers()

    def _draw_markers(self) -> None:
        absent = "" if self.view is None else self.view.absent
        markers, focus = self._markers
        drawn = [self._marker_line(marker, absent, focus) for marker in markers]
        for plot in (self.measured, self.subtracted):
            plot.set_markers(drawn)

    def _marker_line(self, marker: Marker, absent: str, focus: str) -> MarkerLine:
        of = colours()
        colour = of.second_line
        if marker.element == absent:
            colour = of.accent
        elif self.view is not None and marker.element in self.view.system_elements:
            colour = of.muted
        label = f"{marker.label} absent" if marker.element == absent and marker.alpha else None
        return MarkerLine(
            label or marker.label,
            marker.energy_keV,
            marker.strength,
            colour,
            FAMILY_DASHES[marker.family],
            marker.element in (absent, focus),
        )

    # --- hands -------------------------------------------------------------------------------

    def hold(self, hold: bool) -> None:
        """Keep the axes still while the factor is moved."""
        self.measured.hold_range(hold)
        self.subtracted.hold_range(hold)

    def zoom_to_line(self, energy_keV: float) -> None:
        """Show a line and what is around it in both plots."""
        width = HALF_VIEW_keV * (1 + energy_keV / 10)
        self.subtracted.auto_range_y = True
        self.measured.zoom_to(max(energy_keV - width, 0.0), energy_keV + width)

    def toggle_log(self) -> None:
        """A logarithmic scale in both plots, or a linear one."""
        self.log.setChecked(not self.log.isChecked())

    def fit(self) -> None:
        """Show everything."""
        self.measured.fit()
        self.subtracted.fit()
