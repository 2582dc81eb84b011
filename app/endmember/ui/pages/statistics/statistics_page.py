"""Statistics: do maps agree, mass balance, outlook, growth of signal, lines, other errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QLabel,
    QStackedLayout,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from endmember.session.statistics.requested_results import LAST_STEP, is_finished
from endmember.ui.document.page import Page
from endmember.ui.document.workspace import Shown, Workspace
from endmember.ui.pages.statistics.agreement_tab import AgreementTab
from endmember.ui.pages.statistics.balance_tab import BalanceTab
from endmember.ui.pages.statistics.growth_tab import GrowthTab
from endmember.ui.pages.statistics.line_tab import LineTab
from endmember.ui.pages.statistics.outlook_tab import OutlookTab
from endmember.ui.pages.statistics.robustness_tab import RobustnessTab
from endmember.ui.pages.statistics.statistics_tab import Ground, StatisticsTab
from endmember.ui.pages.statistics.subject_row import SubjectRow
from endmember.ui.widgets.theme import THEME

if TYPE_CHECKING:
    from endmember.session.documents.document import Document
    from endmember.session.steps.compositions import Compositions


class StatisticsPage(Page):
    """Tabs over one row of choices; only the tab in sight is kept up to date."""

    name = "statistics"
    step = LAST_STEP
    own_spectrum = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.tabs = QTabBar()
        self.subject_row = SubjectRow(workspace)
        self.parts: list[StatisticsTab] = [
            AgreementTab(workspace),
            BalanceTab(workspace),
            OutlookTab(workspace),
            GrowthTab(workspace),
            LineTab(workspace),
            RobustnessTab(workspace),
        ]
        self._document: Document | None = None
        self._build_view()
        self._build_settings()
        self.tabs.currentChanged.connect(lambda _: self.refresh())
        self.subject_row.changed.connect(self.refresh)
        THEME.changed.connect(self.refresh)

    def _build_view(self) -> None:
        self.tabs.setAccessibleName("statistics shown")
        self.tabs.setToolTip("Which statistics are shown (arrow keys)")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.middle = QStackedWidget()
        for index, part in enumerate(self.parts):
            self.tabs.addTab(part.title)
            self.tabs.setTabToolTip(index, part.says)
            self.middle.addWidget(part)
        full = QWidget()
        layout = QVBoxLayout(full)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.tabs)
        layout.addWidget(self.subject_row)
        layout.addWidget(self.middle, 1)
        self.empty = QLabel()
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("role", "muted")
        self.stack = QStackedLayout(self.body)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(full)

    def _build_settings(self) -> None:
        layout = QVBoxLayout(self.settings)
        layout.setContentsMargins(8, 6, 8, 6)
        for part in self.parts:
            layout.addWidget(part.settings)
        layout.addStretch(1)

    @property
    def part(self) -> StatisticsTab:
        """The tab in sight."""
        return self.parts[max(self.tabs.currentIndex(), 0)]

    def refresh(self) -> None:
        """Show the newest results in the tab in sight; grey while they are made anew."""
        recipe, session = self.workspace.recipe, self.workspace.session
        if recipe is None or session is None:
            return
        if self.workspace.document is not self._document:
            self.forget()
            self._document = self.workspace.document
        # one result for all maps: asked for by the first, so that it is the same for any map
        shown = self.workspace.shown(LAST_STEP, recipe.map_names[0])
        self.show_state(shown)
        for part in self.parts:
            part.settings.setVisible(part is self.part)
        if shown.value is None:
            self.empty.setText(self._why_empty(shown))
            self.stack.setCurrentIndex(0)
            return
        self.stack.setCurrentIndex(1)
        self.middle.setCurrentWidget(self.part)
        phase, map_name, element = self.part.choices
        self.subject_row.offer(phase=phase, map_name=map_name, element=element)
        self.subject_row.setVisible(any(self.part.choices))
        self.subject_row.show_recipe(recipe)
        found: Compositions = shown.value
        finished = shown.current and is_finished(session)
        ground = Ground(session, recipe, found, finished, self.subject_row.subject)
        if shown.current:  # else what is greyed stays as it is
            self.part.show_ground(ground)

    def _why_empty(self, shown: Shown) -> str:
        if shown.failure is not None:
            return "There is no composition yet: see the message above."
        return "The statistics are there as soon as the steps before them are done."

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._document = None
        for part in self.parts:
            part.forget()

    def fit(self) -> None:
        """Show everything in the plots of the tab."""
        self.part.fit()

    def describe_energy(self, energy_keV: float | None) -> str | None:
        """What the plots of the tab have under the pointer."""
        return self.part.describe_energy(energy_keV)

    def key_tool(self, letter: str) -> bool:
        """The one-key tools of the tab."""
        return self.part.key_tool(letter)
