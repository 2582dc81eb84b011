"""A tab of the Statistics page: what it shows of a finished recipe, and its remarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from endmember.session.views.element_table import ElementTable
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.composition.composition_model import NOTHING
from endmember.ui.pages.statistics.subject_row import Subject

if TYPE_CHECKING:
    from endmember.session.decisions.recipe import Recipe
    from endmember.session.state.session import Session
    from endmember.session.steps.compositions import Compositions, Entry
    from endmember.ui.pages.composition.typed_table import StatisticsTable


@dataclass(frozen=True, eq=False, slots=True)
class Ground:
    """What the tabs show: compositions, the recipe, and what is looked at.

    `session` holds them; with `finished` it has all that further tables are made from.
    """

    session: Session
    recipe: Recipe
    found: Compositions
    finished: bool
    subject: Subject

    @property
    def entry(self) -> Entry | None:
        """The composition by mask of the phase on the map looked at, None if there is none."""
        wanted = (self.subject.phase, "mask", self.subject.map_name)
        entries = self.found.entries
        return next((e for e in entries if (e.phase, e.source, e.map) == wanted), None)


class StatisticsTab(QWidget):
    """Shows nothing of its own: `show_ground` is called whenever something may have changed."""

    title = ""
    says = ""
    """The tooltip of its tab."""
    choices: tuple[bool, bool, bool] = (True, True, False)
    """Whether phase, map and element are chosen for it."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.settings = QWidget()
        self.options = QVBoxLayout(self.settings)
        self.options.setContentsMargins(0, 0, 0, 0)
        self.options.setSpacing(6)
        self.whole = QVBoxLayout(self)
        self.whole.setContentsMargins(0, 0, 0, 0)
        self.whole.setSpacing(4)

    def show_ground(self, ground: Ground) -> None:
        """Show what belongs to this tab."""
        raise NotImplementedError

    def forget(self) -> None:
        """Keep nothing of the last document."""

    def fit(self) -> None:
        """Ctrl+F: show everything in the plots."""

    def describe_energy(self, energy_keV: float | None) -> str | None:
        """For the status bar: what a plot has under the pointer; None if it has none."""
        return None

    def key_tool(self, letter: str) -> bool:
        """A one-key tool; whether the tab has it."""
        return False


class TableOrWord(QStackedWidget):
    """A table, or a sentence on why there is none."""

    def __init__(self, table: StatisticsTable, workspace: Workspace) -> None:
        super().__init__()
        self.table = table
        self.word = QLabel()
        self.word.setWordWrap(True)
        self.word.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.word.setProperty("role", "muted")
        self.addWidget(table)
        self.addWidget(self.word)
        table.chosen.connect(lambda row, _: workspace.look(element=table.cells.table.elements[row]))

    def show_table(self, table: ElementTable | str, chosen: str = "") -> None:
        """Show one or the other; the element looked at is marked."""
        said = isinstance(table, str)
        self.setCurrentIndex(int(said))
        if isinstance(table, str):
            self.word.setText(table)
            self.table.show_table(NOTHING, "")
        else:
            self.table.show_table(table, chosen)
