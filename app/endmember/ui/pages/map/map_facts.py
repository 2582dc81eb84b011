"""What the file says of a map, and fields for what it does not say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QGridLayout, QLabel, QWidget

from endmember.files.pictures.map_picture import length_text
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import MapInput, Recipe
from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.optional_number import OptionalNumber

if TYPE_CHECKING:
    from endmember.session.steps.map_data import MapData

UNKNOWN = "unknown"


def facts_of(data: MapData, total: float | None) -> tuple[tuple[str, str], ...]:
    """Names and values of what is known of a map; `total` its counts, None if not summed yet."""
    image, (rows, columns) = data.image, data.full_shape
    size = f"{columns} x {rows} px"
    analysed = f"{image.columns} x {image.rows} px"
    if data.entry.rebin > 1:
        analysed += f" of {data.entry.rebin} x {data.entry.rebin}"
    pixel = data.full_pixel_size_nm
    axis, pixels = image.axis, image.rows * image.columns
    counts = "…"
    if total is not None:
        counts = f"{total:,.0f}".replace(",", " ") + f" ({total / pixels:.3g} per px)"
    live = image.live_time_s
    return (
        ("File", Path(data.entry.file).name),
        ("Size", size),
        ("Analysed", analysed),
        ("Pixel size", UNKNOWN if pixel is None else length_text(float(f"{pixel:.4g}"))),
        ("Energy axis", f"{axis.start_keV:.3f} to {axis.stop_keV:.3f} keV"),
        ("Channels", f"{axis.channels} of {1000 * axis.step_keV:.4g} eV"),
        ("Counts", counts),
        ("Live time", UNKNOWN if live is None else f"{live:.5g} s"),
    )


class MapFacts(QWidget):
    """Facts of the file, and beam energy, take-off angle and thickness to be given."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.values: dict[str, QLabel] = {}
        self._titles: dict[str, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self.beam = OptionalNumber(
            "Beam energy in keV; left empty, the file decides", "beam energy in keV"
        )
        self.take_off = OptionalNumber(
            "Take-off angle in degrees, from the foil to the way to the detector; left empty, the "
            "file decides. Only the correction of absorption needs it",
            "take-off angle in degrees",
        )
        self.pixel = OptionalNumber(
            "Size of a pixel in nm; left empty, the file decides. Maps are scaled with it",
            "pixel size in nm",
        )
        self.thickness = OptionalNumber(
            "Thickness of the foil in nm, for the correction of absorption; left empty, nothing is "
            "corrected",
            "thickness of the foil in nm",
        )
        fields = (
            ("&Beam energy, keV", self.beam),
            ("Take-&off angle, deg", self.take_off),
            ("Pixel si&ze, nm", self.pixel),
            ("&Thickness, nm", self.thickness),
        )
        for row, (text, field) in enumerate(fields):
            label = QLabel(text)
            label.setBuddy(field)
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(field, row, 1)
            field.refused.connect(lambda text: workspace.say("warning", text))
        self.beam.given.connect(lambda v: workspace.edit(edits.set_instrument, beam_energy_keV=v))
        self.take_off.given.connect(
            lambda v: workspace.edit(edits.set_instrument, take_off_angle_deg=v)
        )
        self.pixel.given.connect(
            lambda v: workspace.edit(edits.set_map, workspace.focus.map_name, pixel_size_nm=v)
        )
        self.thickness.given.connect(
            lambda v: workspace.edit(edits.set_map, workspace.focus.map_name, thickness_nm=v)
        )

    def refresh(self, data: MapData | None, total: float | None, failure: str | None) -> None:
        """Show what is known of the map looked at; `failure` is why it was not read."""
        recipe = self.workspace.recipe
        if recipe is None:
            return
        self._show_fields(recipe, recipe.map_named(self.workspace.focus.map_name), data, failure)
        for name, value in () if data is None else facts_of(data, total):
            self._show(name, value)
        for name, label in self.values.items():
            label.setVisible(data is not None)
            self._titles[name].setVisible(data is not None)

    @property
    def needs_something(self) -> bool:
        """Whether a fact is asked for that the map cannot be read without."""
        return bool(self.beam.property("needed"))

    def _show_fields(
        self, recipe: Recipe, entry: MapInput, data: MapData | None, failure: str | None
    ) -> None:
        instrument = recipe.instrument
        no_beam = lacks_beam_energy(failure)
        beam = None if data is None or no_beam else data.image.beam_energy_keV
        angle = None if data is None else data.image.take_off_angle_deg
        self.beam.show_value(instrument.beam_energy_keV, _said(beam), needed=no_beam)
        self.take_off.show_value(instrument.take_off_angle_deg, _said(angle))
        pixel = None if data is None else data.full_pixel_size_nm
        self.pixel.show_value(entry.pixel_size_nm, _said(pixel))
        self.thickness.show_value(entry.thickness_nm, UNKNOWN)

    def _show(self, name: str, value: str) -> None:
        if name not in self.values:
            row = self._grid.rowCount()
            title, label = QLabel(name), QLabel()
            title.setProperty("role", "muted")
            label.setWordWrap(True)
            label.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            self._grid.addWidget(title, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(label, row, 1)
            self.values[name], self._titles[name] = label, title
        label = self.values[name]
        if label.text() != value:
            label.setText(value)
            label.setToolTip(f"{name}: {value}")
            label.setAccessibleName(f"{name}: {value}")


def lacks_beam_energy(failure: str | None) -> bool:
    """Whether a map was not read for want of a beam energy that can be used; see `load_map`."""
    return failure is not None and "beam energy" in failure


def _said(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:g}, says the file"
