"""Whether the maps agree on each phase within their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtWidgets import QHBoxLayout

from endmember.ui.document.page import heading, remark
from endmember.ui.document.requests import Requests
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.composition.typed_table import StatisticsTable
from endmember.ui.pages.statistics.statistics_tab import Ground, StatisticsTab, TableOrWord
from endmember.ui.widgets.inputs import ChoiceBox

if TYPE_CHECKING:
    from endmember.session.statistics.map_consistency import ElementConsistency
    from endmember.session.views.consistency_view import Spectra

ALL = "all phases side by side"
NO_WARNING = "The maps agree on every element of every phase within their counting errors."


class AgreementTab(StatisticsTab):
    """Chi-squared of each element of each phase over the maps."""

    title = "Maps agree?"
    says = "Whether the maps agree on each element of each phase within their counting errors"
    choices = (False, False, False)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.spectra_box = ChoiceBox(
            "Whose maps are compared: all phases, or one with the value of each map",
            "phase compared between the maps",
        )
        self.spectra_box.setMinimumContentsLength(26)
        self.table = StatisticsTable("agreement of the maps")
        self.shown = TableOrWord(self.table, workspace)
        self.verdict = remark()
        self._requests = Requests(workspace.runner, self.shown.show_table)
        self._rows: tuple[ElementConsistency, ...] | None = None
        self._ground: Ground | None = None
        row = QHBoxLayout()
        row.addWidget(self.spectra_box)
        row.addStretch(1)
        self.whole.addLayout(row)
        self.whole.addWidget(self.shown, 1)
        self.options.addWidget(heading("Do the maps agree?"))
        self.options.addWidget(self.verdict)
        self.options.addWidget(
            remark(
                "Only counting errors count here: those of the k-factors are the same on all maps. "
                "Maps that differ in thickness disagree where absorption is not corrected for."
            )
        )
        self.spectra_box.activated.connect(lambda _: self._draw())

    def show_ground(self, ground: Ground) -> None:
        """Test the maps in the thread for live requests, and show what was found."""
        self._ground = ground
        found, matrix = ground.found, ground.recipe.sample.matrix

        def tested() -> Any:
            from endmember.session.statistics.map_consistency import (
                consistency_sentences,
                map_consistency,
            )

            rows = map_consistency(found, matrix)
            return rows, consistency_sentences(rows)

        if self._requests.ask("agreement", (found, matrix), tested, self._take):
            self._rows = None
        self._draw()

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._requests.forget()
        self._rows = self._ground = None

    def _take(self, value: Any) -> None:
        self._rows, sentences = value
        told = [f"{text[:1].upper()}{text[1:]}." for text in sentences]
        self.verdict.setText("\n\n".join(told) or (NO_WARNING if self._rows else ""))
        self._draw()

    def _draw(self) -> None:
        ground, rows = self._ground, self._rows
        if ground is None:
            return
        if rows is None:
            self.verdict.setText("")
            self.shown.show_table("The maps are being compared.")
            return
        from endmember.session.views.consistency_view import (
            consistency_table,
            spectra_tested,
            spectra_title,
        )

        tested = spectra_tested(rows)
        chosen = self.spectra_box.value if self.spectra_box.value in tested else None
        choices: list[tuple[str, object]] = [(ALL, None)]
        choices += [(spectra_title(spectra), spectra) for spectra in tested]
        self.spectra_box.show_choices(choices, chosen)
        self.spectra_box.setEnabled(bool(tested))
        spectra: Spectra | None = chosen
        self.shown.show_table(
            consistency_table(rows, ground.found, spectra), self.workspace.focus.element
        )
