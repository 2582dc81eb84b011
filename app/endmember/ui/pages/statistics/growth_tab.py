"""Signal to noise and errors against the number of pixels, made on request."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from endmember.session.views.growth_view import growth_of, growth_table
from endmember.ui.document.page import heading, remark
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.composition.typed_table import StatisticsTable
from endmember.ui.pages.statistics.request_bar import RequestBar
from endmember.ui.pages.statistics.statistics_plots import (
    ErrorGrowthPlot,
    ResidualPlot,
    SnrPlot,
    legend_text,
)
from endmember.ui.pages.statistics.statistics_tab import Ground, StatisticsTab, TableOrWord
from endmember.ui.widgets.theme import THEME

if TYPE_CHECKING:
    from endmember.session.views.growth_view import Growth

NOT_YET = "Press Compute: parts of 1/64 to all pixels of each phase are measured."


class GrowthTab(StatisticsTab):
    """The law of the square root, element by element."""

    title = "Pixels"
    says = "Signal to noise and errors against the number of pixels, with the law of the root"
    choices = (True, True, True)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.request = RequestBar(
            workspace,
            "snr_growth",
            "Compute",
            "Measure parts of 1/64 to all pixels of each phase, each holding the smaller ones",
        )
        self.snr, self.residual, self.error = SnrPlot(), ResidualPlot(), ErrorGrowthPlot()
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.table = StatisticsTable("growth of signal to noise")
        self.table.setMinimumHeight(64)
        self.shown = TableOrWord(self.table, workspace)
        self.sentence = remark()
        self._drawn: tuple[object, ...] = ()
        self._titles: list[str] = []
        self._build()
        THEME.changed.connect(self._draw_legend)

    def _build(self) -> None:
        for plot, says in (
            (self.snr, "SNR against pixels; the line is k √pixels"),
            (self.residual, "SNR less the line, in σ; 95 % should lie between the dashed lines"),
            (self.error, "Statistical error in % of the value; the line is 1 / √pixels"),
        ):
            plot.setToolTip(says)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.snr, 3)
        left.addWidget(self.residual, 2)
        plots = QHBoxLayout()
        plots.setSpacing(4)
        plots.addLayout(left, 1)
        plots.addWidget(self.error, 1)
        above = QWidget()
        column = QVBoxLayout(above)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(plots, 1)
        column.addWidget(self.legend)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(above)
        self.splitter.addWidget(self.shown)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.whole.addWidget(self.request)
        self.whole.addWidget(self.splitter, 1)
        self.options.addWidget(heading("Growth with pixels"))
        self.options.addWidget(self.sentence)
        self.options.addWidget(
            remark(
                "From a precipitate's part the whole matrix of its map is subtracted, as it is. "
                "Where that matrix is noisy, SNR falls below the root of the pixels."
            )
        )

    def show_ground(self, ground: Ground) -> None:
        """Show the curves of the phase and element looked at, and the table of the map."""
        self.request.show_state()
        points = self.workspace.on_request.answer("snr_growth")
        subject = ground.subject
        state = (points, subject)
        if state == self._drawn and points is self._drawn[0]:
            return
        self._drawn = state
        if points is None:
            self._show(())
            self.shown.show_table(NOT_YET)
            return
        growths = growth_of(points, subject.phase, subject.element)
        self._show(growths)
        # of strong lines the scatter is not known: no residual
        self.residual.setVisible(any(bool(np.isfinite(g.residual).any()) for g in growths))
        self.shown.show_table(
            growth_table(points, subject.phase, subject.map_name, subject.element)
        )

    def _show(self, growths: Sequence[Growth]) -> None:
        # each in a turn of its own, so that none holds the window up
        for plot in (self.snr, self.residual, self.error):
            QTimer.singleShot(0, partial(plot.show_growths, growths))
        self._titles = [growth.title for growth in growths]
        self._draw_legend()
        self.sentence.setText("\n".join(f"• {growth.says}" for growth in growths))

    def _draw_legend(self) -> None:
        self.legend.setText(legend_text(self._titles))

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._drawn = ()
