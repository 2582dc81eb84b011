"""Which map is looked at, and what can be done with the list of maps."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from endmember.session.decisions import edits
from endmember.ui.document.page import remark
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.map.map_source import MapSource
from endmember.ui.widgets.dialog import name, set_look
from endmember.ui.widgets.inputs import ChoiceBox


class MapChooser(QWidget):
    """The maps of the recipe, and the elements to look for in all of them."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.source = MapSource(workspace, self)
        self.box = ChoiceBox("Map that is looked at", "map that is looked at")
        self.more = QPushButton("Maps")  # a tool button draws its arrow into the text
        name(self.more, "Add, rename or remove a map; choose the signal of its file")
        self.more.setMenu(self._menu())
        self.elements = remark()
        self.choose_elements = QPushButton("Elements…")
        name(
            self.choose_elements,
            "Choose in the periodic table which elements are quantified, and which only fitted",
            "choose elements",
        )
        top, below = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.box, 1)
        top.addWidget(self.more)
        below.addWidget(self.elements, 1)
        below.addWidget(self.choose_elements, 0, Qt.AlignmentFlag.AlignTop)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(top)
        whole.addLayout(below)
        self.box.activated.connect(lambda i: workspace.look(map_name=self.box.value_at(i)))
        self.choose_elements.clicked.connect(self.ask_elements)

    def _menu(self) -> QMenu:
        menu = QMenu(self.more)
        menu.setToolTipsVisible(True)
        for text, does, tip in (
            ("Add a map…", self.ask_map, "Analyse a further file together with these"),
            ("Rename…", self.ask_name, "Results are named after it"),
            ("Choose the map of the file…", self.source.ask, "Where the file holds several arrays"),
            (
                "Frames and detectors…",
                self.source.ask_frames,
                "Which are summed, where the file keeps them apart",
            ),
            ("Remove", self.remove, "Take this map out of the recipe; its file stays"),
        ):
            action = menu.addAction(text, does)
            if action is not None:
                action.setToolTip(tip)
        self.remove_action = menu.actions()[-1]
        return menu

    def refresh(self) -> None:
        """Show the maps and elements of today's recipe."""
        recipe = self.workspace.recipe
        if recipe is None:
            return
        names = recipe.map_names
        self.box.show_choices([(n, n) for n in names], self.workspace.focus.map_name)
        self.box.setToolTip(f"Map that is looked at: {self._entry_file()}")
        self.remove_action.setEnabled(len(names) > 1)
        sample = recipe.sample
        text = ", ".join(sample.elements) or "No element is chosen yet"
        if sample.system_elements:
            text += f"; fitted only: {', '.join(sample.system_elements)}"
        self.elements.setText(text)
        set_look(self.choose_elements, "needed", not sample.elements)

    def _entry_file(self) -> str:
        recipe = self.workspace.recipe
        return "" if recipe is None else recipe.map_named(self.workspace.focus.map_name).file

    # --- what a person does --------------------------------------------------------------------

    def ask_elements(self) -> None:
        """Open the periodic table."""
        from endmember.ui.pages.map.periodic_table import PeriodicTableDialog

        recipe, data = self.workspace.recipe, self.workspace.data
        if recipe is None:
            return
        absent = [p.absent for p in recipe.precipitates if p.absent]
        sample = recipe.sample
        dialog = PeriodicTableDialog(
            self.window(), sample.elements, sample.system_elements, list(dict.fromkeys(absent))
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        beam = recipe.instrument.beam_energy_keV if data is None else data.image.beam_energy_keV
        dialog.table.set_beam_energy(beam)
        dialog.table.set_energy_range(*recipe.instrument.energy_range_keV)
        dialog.applied.connect(
            lambda quantified, fitted: self.workspace.edit(edits.set_elements, quantified, fitted)
        )
        dialog.open()

    def ask_map(self) -> None:
        """Ask for a file and add it."""
        file, _ = QFileDialog.getOpenFileName(
            self.window(), "Add a map", str(Path(self._entry_file()).parent)
        )
        if file:
            self.add_map(Path(file))

    def add_map(self, file: Path) -> None:
        """Add a map and look at it."""
        if self.workspace.edit(edits.add_map, file.absolute()):
            recipe = self.workspace.recipe
            assert recipe is not None
            self.workspace.look(map_name=recipe.map_names[-1])

    def ask_name(self) -> None:
        """Ask for another name for the map looked at."""
        before = self.workspace.focus.map_name
        text, given = QInputDialog.getText(
            self.window(), "Rename the map", "Name, after which results are named:", text=before
        )
        if given and text.strip() != before:
            self.rename(text)

    def rename(self, text: str) -> None:
        """Give the map looked at another name."""
        before = self.workspace.focus.map_name
        if self.workspace.edit(edits.rename_map, before, text):
            self.workspace.look(map_name=text.strip())

    def remove(self) -> None:
        """Take the map looked at out of the recipe."""
        self.workspace.edit(edits.remove_map, self.workspace.focus.map_name)
