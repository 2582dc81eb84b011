"""The settings of the map page: which map, what of it is shown, what is drawn on it, its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QVBoxLayout, QWidget

from endmember.session.decisions.recipe import MapInput, Recipe
from endmember.session.steps.region_pixels import RegionPixels
from endmember.ui.document.page import remark
from endmember.ui.document.workspace import Shown, Workspace
from endmember.ui.map_views.layer_choice import LayerChoice
from endmember.ui.pages.map.analysed_part import AnalysedPart
from endmember.ui.pages.map.energy_settings import EnergySettings
from endmember.ui.pages.map.map_chooser import MapChooser
from endmember.ui.pages.map.map_facts import MapFacts
from endmember.ui.pages.map.region_editor import EXCLUDED_COLOUR, frame_round, shape_of
from endmember.ui.pages.map.region_list import RegionList, Row
from endmember.ui.widgets.section import Section
from endmember.ui.widgets.theme import phase_colour

if TYPE_CHECKING:
    from endmember.session.steps.map_data import MapData

NOT_COUNTED = "…"


class MapSettings(QWidget):
    """Everything beside the maps; see `MapPage` for what it does."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.chooser = MapChooser(workspace)
        self.layers = LayerChoice()
        self.rois = RegionList(
            "region of interest",
            ("Region", "Phase", "Pixels"),
            "None yet. Choose Rectangle (R), Ellipse (O) or Polygon (P) and draw over one phase: "
            "its spectrum shows below, and its composition is quantified as drawn.",
            named=True,
        )
        self.excludes = RegionList(
            "excluded region",
            ("Excluded", "Pixels"),
            "None. Choose Exclude (X) and drag over holes, cracks or contamination: they are then "
            "in no mask.",
            named=False,
        )
        self.part = AnalysedPart(workspace)
        self.facts = MapFacts(workspace)
        self.energy = EnergySettings(workspace)
        self.warnings = remark()
        self.warnings.setProperty("role", "warning")
        self.sections = {
            "layers": Section("Maps shown"),
            "rois": Section("Regions of interest"),
            "excludes": Section("Excluded regions", opened=False),
            "part": Section("Part analysed", opened=False),
            "facts": Section("Facts and instrument", opened=False),
            "energy": Section("Energy axis", opened=False),
            "warnings": Section("Warnings of the file", opened=False),
        }
        self._lay_out()

    def _lay_out(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(6, 6, 6, 6)
        whole.setSpacing(4)
        whole.addWidget(self.chooser)
        contents = (
            self.layers,
            self.rois,
            self.excludes,
            self.part,
            self.facts,
            self.energy,
            self.warnings,
        )
        for section, content in zip(self.sections.values(), contents, strict=True):
            section.add(content)
            whole.addWidget(section)
        whole.addStretch(1)

    def refresh(self, shown: Shown, pixels: RegionPixels | None, total: float | None) -> None:
        """Show what recipe and map say; `pixels` and `total` are None until they are counted."""
        recipe = self.workspace.recipe
        if recipe is None:
            return
        data: MapData | None = shown.value
        entry = recipe.map_named(self.workspace.focus.map_name)
        self.chooser.refresh()
        self.part.refresh(data)
        self.facts.refresh(data, total, shown.failure)
        if self.facts.needs_something:
            self.sections["facts"].open()
        self.sections["layers"].setVisible(data is not None)
        self._show_warnings(data)
        self.rois.set_phases(
            [(phase, phase_colour(i).name()) for i, phase in enumerate(recipe.phases)]
        )
        self.rois.set_rows(_roi_rows(recipe, entry, pixels))
        self.excludes.set_rows(_exclude_rows(entry, pixels))
        for key, title, number in (
            ("rois", "Regions of interest", len(entry.rois)),
            ("excludes", "Excluded regions", len(entry.excludes)),
        ):
            self.sections[key].set_title(f"{title} ({number})" if number else title)

    def _show_warnings(self, data: MapData | None) -> None:
        told = () if data is None else data.warnings
        self.warnings.setText("\n".join(f"• {sentence}" for sentence in told))
        self.sections["warnings"].setVisible(bool(told))
        self.sections["warnings"].set_title(f"Warnings of the file ({len(told)})")


def _cell(count: int | str | None) -> str:
    return NOT_COUNTED if count is None else "none" if isinstance(count, str) else f"{count}"


def _roi_rows(recipe: Recipe, entry: MapInput, pixels: RegionPixels | None) -> list[Row]:
    rows = []
    for roi in entry.rois:
        kind, geometry = shape_of(roi)
        count = None if pixels is None else pixels.rois.get(roi.name)
        colour = phase_colour(recipe.phases.index(roi.phase)).name()
        tooltip = (
            count if isinstance(count, str) else f"{roi.name}, a {kind}, meant for {roi.phase}"
        )
        cells = (roi.name, roi.phase, _cell(count))
        frame = frame_round(kind, geometry)
        rows.append(Row(("roi", roi.name), cells, frame, colour, roi.phase, tooltip))
    return rows


def _exclude_rows(entry: MapInput, pixels: RegionPixels | None) -> list[Row]:
    rows = []
    for number, exclude in enumerate(entry.excludes):
        kind, geometry = shape_of(exclude)
        known = () if pixels is None else pixels.excludes
        count = known[number] if number < len(known) else None
        cells = (f"{number + 1}: {kind}", _cell(count))
        tooltip = count if isinstance(count, str) else f"Excluded {kind}"
        frame = frame_round(kind, geometry)
        rows.append(Row(("exclude", number), cells, frame, EXCLUDED_COLOUR, tooltip=tooltip))
    return rows
