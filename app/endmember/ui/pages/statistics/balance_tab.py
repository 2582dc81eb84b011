"""The whole map beside its phases and beside the bulk that a person types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from endmember.session.decisions.sample_goals import set_bulk, set_bulk_sigma
from endmember.session.views.balance_view import BULK, BULK_SIGMA, balance_table
from endmember.ui.document.page import heading, remark
from endmember.ui.document.requests import Requests
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.composition.typed_table import StatisticsTable
from endmember.ui.pages.statistics.statistics_tab import Ground, StatisticsTab, TableOrWord

if TYPE_CHECKING:
    from endmember.session.statistics.mass_balances import MassBalances

BEING_MADE = "The whole maps are being quantified."
WAITS = "The mass balance is there as soon as all maps are."


class BalanceTab(StatisticsTab):
    """Mass balance of a map, or of all maps together."""

    title = "Mass balance"
    says = "The whole map beside the phases that make it up, and beside a bulk that you type"
    choices = (False, True, False)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.table = StatisticsTable("mass balance", (BULK, BULK_SIGMA))
        self.shown = TableOrWord(self.table, workspace)
        self.warnings = remark()
        self._requests = Requests(workspace.runner, self.shown.show_table)
        self._found: MassBalances | None = None
        self._of: object = None  # the compositions it was made from
        self.whole.addWidget(self.shown, 1)
        self.options.addWidget(heading("Mass balance"))
        self.options.addWidget(
            remark(
                "Phases: each with its part of the counts of the whole map. A difference beyond "
                "3 σ that also matters in at.% says that a phase is missing: σ is small, since "
                "both hold the same counts, and the whole map has but one background and one "
                "absorption. Type what is known of the whole sample, in "
                "at.%, into the shaded columns: Ctrl+Z takes each number back."
            )
        )
        self.options.addWidget(self.warnings)
        self.table.model_.typed.connect(self._type)
        self.table.model_.refused.connect(lambda text: workspace.say("error", text))

    def show_ground(self, ground: Ground) -> None:
        """Quantify the whole maps in the thread for live requests, and show their balance."""
        if not ground.finished:
            self.shown.show_table(WAITS)
            return
        recipe = ground.recipe
        twin = ground.session.snapshot()
        bulk = (tuple(recipe.sample.bulk.items()), tuple(recipe.sample.bulk_sigma.items()))

        def made() -> Any:
            from endmember.session.statistics.mass_balances import mass_balances

            return mass_balances(twin)

        of = ground.found
        self._requests.ask("balance", (of, *bulk), made, lambda value: self._take(value, of))
        if self._of is not of:
            self._found = None
        self._draw(ground)

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._requests.forget()
        self._found = self._of = None

    def _take(self, value: MassBalances, of: object) -> None:
        self._found, self._of = value, of
        self.warnings.setText("\n\n".join(value.warnings))
        self.workspace.results_changed.emit()

    def _draw(self, ground: Ground) -> None:
        if self._found is None:
            self.shown.show_table(BEING_MADE)
            return
        sample = ground.recipe.sample
        self.shown.show_table(
            balance_table(self._found, ground.subject.map_name, sample.bulk, sample.bulk_sigma),
            self.workspace.focus.element,
        )

    def _type(self, element: str, key: str, number: float | None) -> None:
        self.workspace.edit(set_bulk if key == BULK else set_bulk_sigma, element, number)
