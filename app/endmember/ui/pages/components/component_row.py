"""One component: its map at the left, its spectrum and what a person says of it at the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from endmember.session.decisions.recipe import ComponentLabel, Role
from endmember.ui.map_views.map_view import MapView, Place
from endmember.ui.spectrum_views.spectrum_view import Curve, SpectrumView
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.inputs import ChoiceBox
from endmember.ui.widgets.theme import colours

if TYPE_CHECKING:
    from endmember.core.counts.spectrum import EnergyAxis
    from endmember.session.views.component_views import ComponentView

ROLES: tuple[Role, ...] = ("matrix", "precipitate", "unused")
ROLE_OPEN = "role not said"
PROPOSED = "proposed: "
TO_PEAK = "normalised to peak"
EXPECTED = "continuum expected"
STRIPE_WIDTH = 5
LONGEST_USER = 180  # pixels for the names of the precipitates that a component shows
LEAST_HEIGHT_FOR_BAR = 110
DITCH = (
    "ditch: less than a quarter of the continuum expected over one FWHM, missing by more than 5 "
    "σ; no material does that"
)


class Stripe(QWidget):
    """A coloured edge; without a colour it is not seen."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(STRIPE_WIDTH)
        self.colour: QColor | None = None

    def set_colour(self, colour: QColor | None) -> None:
        """Another colour, None for none."""
        if colour != self.colour:
            self.colour = colour
            self.update()

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """Fill it."""
        if self.colour is not None:
            QPainter(self).fillRect(self.rect(), self.colour)


@dataclass(frozen=True, eq=False, slots=True)
class ComponentPicture:
    """A component ready to be drawn: `levels` are the automatic ends of the colours of its map."""

    view: ComponentView
    levels: tuple[float, float]
    axis: EnergyAxis
    place: Place
    pixel_size_nm: float | None


@dataclass(frozen=True, slots=True)
class Said:
    """What recipe and masks say of a component: `used_by` precipitates, in the colour of the first.

    `proposed` is the role it has as long as a person has not said another.
    """

    label: ComponentLabel
    proposed: Role | None
    used_by: tuple[str, ...] = ()
    colour: str = ""


class ComponentRow(QWidget):
    """A row for the component of one number."""

    renamed = pyqtSignal(int, str)
    role_chosen = pyqtSignal(int, object)

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.stripe = Stripe()
        self.map = MapView(f"#{number}")
        self.map.canvas.least_height_for_bar = LEAST_HEIGHT_FOR_BAR
        self.name = QLineEdit()
        self.name.setPlaceholderText("name")
        self.name.setMaximumWidth(130)
        self.name.setMinimumWidth(36)
        name(
            self.name,
            f"What you call component #{number}; no result depends on it",
            f"name of component #{number}",
        )
        self.role = ChoiceBox(
            f"What component #{number} shows: the matrix, a precipitate, or nothing of use. The "
            "proposal holds until you say otherwise; no result depends on it",
            f"role of component #{number}",
        )
        self.role.setMinimumContentsLength(14)
        self.role.setMinimumWidth(122)
        self.role.shortened = _short_role
        self.share = ElidedLabel(least=52)
        self.used = ElidedLabel(least=40)
        self.used.setMaximumWidth(LONGEST_USER)
        self.ditches = ElidedLabel(least=14, greedy=True)
        self.ditches.setProperty("role", "muted")
        self.plot = SpectrumView(f"spectrum of component #{number}")
        self.plot.set_unit(TO_PEAK)
        self.plot.set_legend(False)
        self.shown: ComponentPicture | None = None
        self._drawn: ComponentPicture | None = None
        self._scale = (False, False)
        self._drawn_scale = (False, False)
        self._lay_out()
        self.name.editingFinished.connect(self._rename)
        self.role.activated.connect(
            lambda index: self.role_chosen.emit(number, self.role.value_at(index))
        )

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.name)
        head.addWidget(self.role)
        head.addWidget(self.share)
        head.addWidget(self.used)
        head.addWidget(self.ditches, 1)
        right = QVBoxLayout()
        right.setSpacing(2)
        right.addLayout(head)
        right.addWidget(self.plot, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addWidget(self.stripe)
        whole.addWidget(self.map)
        whole.addLayout(right, 1)

    # --- what is shown -----------------------------------------------------------------------

    def set_shown(self, shown: ComponentPicture) -> None:
        """Take another component; `draw` shows it."""
        self.shown = shown
        share = 100 * shown.view.share
        number = f"{share:.1f} %" if share >= 0.1 else f"{share:.2g} %"
        self.share.set_texts(f"{number} of counts", number)
        self.share.setToolTip(
            f"{share:.3g} % of all counts of this map, "
            f"{100 * shown.view.share_of_all:.3g} % of all maps decomposed together"
        )
        self._tell_ditches(shown)

    def _tell_ditches(self, shown: ComponentPicture) -> None:
        stretches = shown.view.ditches
        told = ", ".join(f"{low:.2f}–{high:.2f}" for low, high in stretches)
        count = f"{len(stretches)} ditch{'es' if len(stretches) > 1 else ''}: {told} keV"
        short = count.partition(":")[0]
        self.ditches.set_texts(*((count, short) if stretches else ("no ditch found", "0 ditches")))
        self.ditches.setToolTip(f"{count}. {DITCH}" if stretches else "")

    @property
    def is_due(self) -> bool:
        """Whether `draw` has something to do."""
        return self.shown is not self._drawn or self._scale != self._drawn_scale

    def draw(self) -> None:
        """Show map and spectrum."""
        shown = self.shown
        if shown is None or not self.is_due:
            return
        if shown is not self._drawn:
            self._draw_map(shown)
        self._drawn, self._drawn_scale = shown, self._scale
        self.draw_spectrum()

    def _draw_map(self, shown: ComponentPicture) -> None:
        self.map.set_image(
            shown.view.shown,
            shown.place,
            "counts",
            pixel_size_nm=shown.pixel_size_nm,
            levels=self.map.levels or shown.levels,
        )

    def draw_spectrum(self) -> None:
        """Show the spectrum in the colours of the theme, and its ditches."""
        shown = self._drawn
        if shown is None:
            return
        of, energy = colours(), shown.axis.centres
        low_values, log = self._drawn_scale
        curves = [
            Curve(f"component #{self.number}", energy, shown.view.spectrum, of.line, width=1.2),
            Curve(
                EXPECTED, energy, shown.view.expected, of.second_line, dash=True, step=False, z=1
            ),
        ]
        self.plot.set_curves(curves if low_values or log else curves[:1])
        self.plot.set_stretches(shown.view.ditches, of.error, DITCH)
        self.plot.set_log(log)
        if low_values and not log:
            self.plot.show_values(*shown.view.ditch_range)
        elif not self.plot.auto_range_y:
            self.plot.auto_range_y = True

    def set_scale(self, ditches: bool, log: bool) -> None:
        """The lowest few per cent, in which ditches are seen, a log scale, or all values.

        `draw` shows it.
        """
        self._scale = (ditches, log)

    def set_said(self, said: Said) -> None:
        """Show name, role and the precipitates that this component shows."""
        label = said.label
        typing = self.name.hasFocus() and self.name.isModified()
        if not typing and self.name.text() != label.name:
            self.name.setText(label.name)
            self.name.setCursorPosition(0)  # a long name shows its beginning
        called = f" {label.name}" if label.name else ""
        full = f"component #{self.number}{called}"
        self.map.set_title(f"#{self.number}{called}", f"{full}: its counts in each pixel")
        self.map.canvas.setAccessibleName(f"map of {full}")
        proposed = ROLE_OPEN if said.proposed is None else f"{PROPOSED}{said.proposed}"
        self.role.show_choices([(proposed, None), *((role, role) for role in ROLES)], label.role)
        names = ", ".join(said.used_by)
        self.used.set_texts(f"shows {names}" if names else "", names)
        self.used.setToolTip(f"The masks of {names} are cut from this component" if names else "")
        self.used.setVisible(bool(names))
        self.stripe.set_colour(QColor(said.colour) if said.colour else None)
        self.stripe.setToolTip(self.used.toolTip())

    # --- hands -------------------------------------------------------------------------------

    def _rename(self) -> None:
        self.name.setModified(False)
        self.renamed.emit(self.number, self.name.text())

    def set_size(self, height: int, map_width: int) -> None:
        """So many pixels of the screen for the row, and for the width of its map."""
        if height != self.minimumHeight():
            self.setFixedHeight(height)
        if map_width != self.map.minimumWidth():
            self.map.setFixedWidth(map_width)


def _short_role(text: str) -> str:
    role = text.removeprefix(PROPOSED)
    return role if role == text else f"{role}?"


def role_of(value: object) -> Role | None:
    """The role that a choice stands for, None for the proposal."""
    return next((role for role in ROLES if role == value), None)
