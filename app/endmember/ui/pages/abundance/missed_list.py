"""The places where the pure matrix seems to hold a precipitate, as a list to go through."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QIcon, QKeyEvent
from PyQt6.QtWidgets import QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from endmember.session.views.abundance_views import MissedPlace
from endmember.ui.document.page import remark
from endmember.ui.pages.phases.phase_settings import phase_chip
from endmember.ui.widgets.dialog import name

MOST_ROWS_SEEN = 6
EXPLANATION = (
    "The abundance maps stand out here although no mask does. Choose one to see it; draw a "
    "rectangle round it, or exclude it on the Map page, since it spoils the matrix."
)


class _List(QListWidget):
    """As high as its rows, up to a few."""

    accepted = pyqtSignal()

    def sizeHint(self) -> QSize:
        rows = min(max(self.count(), 1), MOST_ROWS_SEEN)
        height = max(self.sizeHintForRow(0), self.fontMetrics().height() + 4)
        return QSize(200, rows * height + 2 * self.frameWidth())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accepted.emit()
        else:
            super().keyPressEvent(event)


class MissedList(QWidget):
    """Choosing a place shows it; the button draws a rectangle there."""

    chosen = pyqtSignal(object)
    """The MissedPlace."""
    rectangle_asked = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.places: tuple[MissedPlace, ...] = ()
        self.list = _List()
        self.list.setSizeAdjustPolicy(QListWidget.SizeAdjustPolicy.AdjustToContents)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        name(
            self.list,
            "Places in the pure matrix that look like a precipitate; choose one to see it, Enter "
            "draws a rectangle there",
            "missed precipitates",
        )
        self.draw = QPushButton("Draw a rectangle here")
        self.draw.setAutoDefault(False)
        name(
            self.draw,
            "Draw a loose rectangle round the chosen place and go to the Masks page, to move it "
            "there (Enter)",
            "draw a rectangle at the chosen place",
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.list)
        layout.addWidget(self.draw)
        layout.addWidget(remark(EXPLANATION))
        self.list.currentRowChanged.connect(self._choose)
        self.list.itemClicked.connect(lambda item: self._choose(self.list.row(item)))
        self.list.accepted.connect(self._ask)
        self.draw.clicked.connect(self._ask)

    def show_places(self, places: Sequence[MissedPlace], phases: Sequence[str]) -> None:
        """List these places; `phases` are those of the recipe, the matrix first."""
        if tuple(places) == self.places and self.list.count() == len(places):
            return
        self.places = tuple(places)
        self.list.blockSignals(True)
        self.list.clear()
        for place in self.places:
            x, y = (int(value) for value in place.point)
            item = QListWidgetItem(f"{place.phase} at x {x}, y {y} ({place.pixels} px)")
            item.setIcon(QIcon(phase_chip(phases.index(place.phase))))
            item.setToolTip(
                f"{place.pixels} pixels of the pure matrix look like {place.phase}, round x {x}, "
                f"y {y} px"
            )
            self.list.addItem(item)
        self.list.blockSignals(False)
        self.draw.setEnabled(False)
        self.list.updateGeometry()

    def _choose(self, row: int) -> None:
        self.draw.setEnabled(0 <= row < len(self.places))
        if 0 <= row < len(self.places):
            self.chosen.emit(self.places[row])

    def _ask(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self.places):
            self.rectangle_asked.emit(self.places[row])
