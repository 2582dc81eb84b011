"""The spread over masks and the bootstrap beside the stated errors, made on request."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from endmember.session.views.robustness_view import relative_errors, robustness_table
from endmember.ui.document.page import heading, remark
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.composition.typed_table import StatisticsTable
from endmember.ui.pages.statistics.request_bar import RequestBar
from endmember.ui.pages.statistics.statistics_plots import ERROR_KINDS, ErrorPlot, legend_text
from endmember.ui.pages.statistics.statistics_tab import Ground, StatisticsTab, TableOrWord
from endmember.ui.widgets.inputs import WholeBox
from endmember.ui.widgets.theme import THEME

USUAL_REPLICATES, MOST_REPLICATES = 20, 1000


class RobustnessTab(StatisticsTab):
    """How far the compositions depend on masks and counts, by trying it."""

    title = "Errors"
    says = "What other masks, and counts drawn anew, change: beside the stated errors"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.replicates = WholeBox(
            "How many times the chain is repeated on counts drawn anew: 20 tell the scatter to "
            "16 %",
            "replicates of the bootstrap",
        )
        self.replicates.setRange(2, MOST_REPLICATES)
        self.replicates.setValue(USUAL_REPLICATES)
        self.masks = RequestBar(
            workspace,
            "mask_spread",
            "Try other masks",
            "Compositions under eroded and dilated masks, rectangles drawn anew and other seeds",
        )
        self.bootstrap = RequestBar(
            workspace,
            "bootstrap",
            "Bootstrap",
            "Repeat the whole chain on counts drawn anew, so many times as stands beside it",
            self.replicates,
        )
        self.plot = ErrorPlot()
        self.legend = QLabel(legend_text(ERROR_KINDS))
        self.legend.setWordWrap(True)
        self.table = StatisticsTable("errors of the composition")
        self.table.setMinimumHeight(64)
        self.shown = TableOrWord(self.table, workspace)
        self._drawn: tuple[Any, ...] = ()
        self._build()
        THEME.changed.connect(self._follow_theme)

    def _build(self) -> None:
        below = QWidget()
        column = QVBoxLayout(below)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.plot, 1)
        column.addWidget(self.legend)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.shown)
        self.splitter.addWidget(below)
        self.splitter.setChildrenCollapsible(False)
        self.whole.addWidget(self.splitter, 1)
        self.options.addWidget(heading("On request"))
        self.options.addWidget(self.masks)
        self.options.addWidget(self.bootstrap)
        self.options.addWidget(
            remark(
                "± masks is systematic: it stands beside ± k-factor, here and in the table of the "
                "composition. It is 0 where other masks change no more than counting does. "
                "The bootstrap should scatter as ± stat. says; a scatter well above "
                "it comes from masks that follow the noise."
            )
        )

    def _follow_theme(self) -> None:
        self.legend.setText(legend_text(ERROR_KINDS))

    def show_ground(self, ground: Ground) -> None:
        """Show every error that is known of the phase on the map looked at."""
        asked = self.workspace.on_request
        self.masks.show_state()
        boots = asked.answer("bootstrap")
        self.bootstrap.show_state(
            lambda: f"{max((b.replicates for b in boots), default=0)} replicates" if boots else ""
        )
        spreads, entry = asked.answer("mask_spread"), ground.entry
        element = self.workspace.focus.element
        state = (entry, spreads, boots, element)
        if len(self._drawn) == len(state) and all(
            a is b for a, b in zip(state, self._drawn, strict=True)
        ):
            return
        self._drawn = state
        if entry is None:
            subject = ground.subject
            self.shown.show_table(
                f"{subject.phase} has no composition by mask on {subject.map_name}."
            )
            self.plot.show_errors(())
            return
        self.shown.show_table(robustness_table(entry, spreads, boots), element)
        self.plot.show_errors(relative_errors(entry, spreads, boots))

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._drawn = ()
