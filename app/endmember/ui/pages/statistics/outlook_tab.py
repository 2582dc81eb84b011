"""How many more pixels, maps or minutes an asked-for limit or error needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from endmember.session.decisions.sample_goals import set_goal
from endmember.session.views.outlook_view import outlook_table
from endmember.ui.document.page import heading, remark
from endmember.ui.document.requests import Requests
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.composition.typed_table import StatisticsTable
from endmember.ui.pages.statistics.statistics_tab import Ground, StatisticsTab, TableOrWord

if TYPE_CHECKING:
    from endmember.session.statistics.outlooks import Outlook

LOD, ERROR = "lod_ppm", "relative_error_percent"


class OutlookTab(StatisticsTab):
    """Goals by element, and what they need of the phase and map looked at."""

    title = "Outlook"
    says = "How many more pixels, maps or minutes a limit of detection or an error needs"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.table = StatisticsTable("outlook", (LOD, ERROR))
        self.shown = TableOrWord(self.table, workspace)
        self._requests = Requests(workspace.runner, lambda text: workspace.say("error", text))
        self._rows: tuple[Outlook, ...] = ()
        self._of: object = None  # the compositions it was made from
        self.whole.addWidget(self.shown, 1)
        self.options.addWidget(heading("What is asked for"))
        self.options.addWidget(
            remark(
                "Type a limit of detection in atomic ppm, or an error in % of the value, into the "
                "shaded columns. It holds for the element in every phase. Pixels: of this phase "
                "alone. Maps and minutes: more of everything, such as these maps are."
            )
        )
        self.table.model_.typed.connect(
            lambda element, key, number: workspace.edit(set_goal, key, element, number)
        )
        self.table.model_.refused.connect(lambda text: workspace.say("error", text))

    def show_ground(self, ground: Ground) -> None:
        """Ask in the thread for live requests what the goals need."""
        goal, found = ground.recipe.goal, ground.found
        goals = (tuple(goal.lod_ppm.items()), tuple(goal.relative_error_percent.items()))
        if ground.finished and any(goals):
            twin = ground.session.snapshot()

            def made() -> Any:
                from endmember.session.statistics.outlooks import outlooks

                return outlooks(twin)

            self._requests.ask("outlook", (found, *goals), made, lambda v: self._take(v, found))
        entry = ground.entry
        if entry is None:
            subject = ground.subject
            self.shown.show_table(
                f"{subject.phase} has no composition by mask on {subject.map_name}."
            )
            return
        rows = self._rows if self._of is found else ()
        self.shown.show_table(outlook_table(entry, rows, goal), self.workspace.focus.element)

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._requests.forget()
        self._rows, self._of = (), None

    def _take(self, rows: tuple[Outlook, ...], of: object) -> None:
        self._rows, self._of = rows, of
        self.workspace.results_changed.emit()
