"""The candidates for the absent element, the most absent first."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent
from PyQt6.QtWidgets import QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem

from endmember.core.fitting.absence import AbsentCandidate
from endmember.session.views.phase_remarks import with_error
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.theme import THEME, colours

MOST_ROWS = 10
CHOSEN, SUGGESTED, USABLE, WEAK = "✓", "★", "  ", "×"
_TITLES = ("element", "mixture / matrix", "in matrix")
_TIPS = (
    "✓ chosen, ★ suggested, × too weak in the matrix to scale the subtraction",
    """Net area in the mixture over that in the matrix: the factor at which nothing of the element
would be left. The smallest belongs to the element of which the precipitate holds least""",
    "Net area in the matrix over its σ; at least 10 are needed",
)


class AbsentList(QTreeWidget):
    """A row a candidate; a click or Enter chooses it. Every other key is left to the window."""

    chosen = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.candidates: tuple[AbsentCandidate, ...] = ()
        self._marks = ("", "")
        self.setColumnCount(len(_TITLES))
        self.setHeaderLabels(_TITLES)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(True)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        name(
            self,
            "An element that the matrix holds and the precipitate does not: click, or arrows and "
            "Enter, to choose it",
            "candidates for the absent element",
        )
        head, titles = self.header(), self.headerItem()
        if head is not None and titles is not None:
            head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            head.setStretchLastSection(False)
            head.setMinimumSectionSize(20)
            head.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
            head.setSectionsMovable(False)
            head.setSectionsClickable(False)
            for column, tip in enumerate(_TIPS):
                titles.setToolTip(column, tip)
                if column:
                    titles.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
        self.itemClicked.connect(self._choose)
        THEME.changed.connect(self._colour)
        self._fit()

    def show_candidates(
        self, candidates: Sequence[AbsentCandidate], absent: str, suggestion: str
    ) -> None:
        """Show these, the chosen one and the suggested one marked."""
        if (tuple(candidates), (absent, suggestion)) == (self.candidates, self._marks):
            return
        current = self._element(self.currentItem())
        self.candidates, self._marks = tuple(candidates), (absent, suggestion)
        self.blockSignals(True)
        while self.topLevelItemCount() > len(candidates):
            self.takeTopLevelItem(self.topLevelItemCount() - 1)
        while self.topLevelItemCount() < len(candidates):
            self.addTopLevelItem(QTreeWidgetItem())
        for row, candidate in enumerate(candidates):
            item = self.topLevelItem(row)
            assert item is not None
            self._fill(item, candidate)
            if candidate.element == current:
                self.setCurrentItem(item)
        self.blockSignals(False)
        self._colour()
        self._fit()

    def _fill(self, item: QTreeWidgetItem, candidate: AbsentCandidate) -> None:
        absent, suggestion = self._marks
        mark, state = USABLE, ""
        if candidate.element == absent:
            mark, state = CHOSEN, "chosen"
        elif candidate.element == suggestion:
            mark, state = SUGGESTED, "suggested"
        elif not candidate.usable:
            mark, state = WEAK, "too weak in the matrix"
        ratio = with_error(candidate.ratio, candidate.sigma)
        strength = f"{candidate.matrix_sigma:,.0f} σ".replace("-", "−")
        texts = (f"{mark} {candidate.element}", ratio, strength)
        said = f"{candidate.element}: mixture over matrix {ratio}, {strength} in the matrix"
        for column, text in enumerate(texts):
            item.setText(column, text)
            item.setToolTip(column, candidate.why or said)
            if column:
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
        item.setData(0, Qt.ItemDataRole.UserRole, candidate.element)
        spoken = f"{said}{', ' if state else ''}{state}"
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, spoken)
        font = item.font(0)
        font.setBold(candidate.element == absent)
        item.setFont(0, font)  # a bold number needs more room than its column has

    def _colour(self) -> None:
        for row, candidate in enumerate(self.candidates):
            item = self.topLevelItem(row)
            colour = QColor(colours().text if candidate.usable else colours().muted)
            for column in range(len(_TITLES)):
                if item is not None:
                    item.setForeground(column, colour)

    def _fit(self) -> None:
        """As high as its rows, up to ten of them."""
        rows = min(max(len(self.candidates), 2), MOST_ROWS)
        row = self.sizeHintForRow(0) if self.candidates else self.fontMetrics().height() + 4
        head = self.header()
        above = head.sizeHint().height() if head is not None else 0
        self.setFixedHeight(rows * row + above + 2 * self.frameWidth() + 2)

    @staticmethod
    def _element(item: QTreeWidgetItem | None) -> str:
        return "" if item is None else str(item.data(0, Qt.ItemDataRole.UserRole))

    def _choose(self, item: QTreeWidgetItem | None) -> None:
        if element := self._element(item):
            self.chosen.emit(element)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move, or choose with Enter."""
        assert event is not None
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.currentItem())
        elif event.text() and event.key() != Qt.Key.Key_Space:
            event.ignore()
        else:
            super().keyPressEvent(event)
