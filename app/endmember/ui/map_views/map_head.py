"""What stands over a map: its colour in other views, its title, more about it, the colour bar."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QBoxLayout, QHBoxLayout, QWidget

from endmember.ui.map_views.colour_bar import ColourBar
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.theme import THEME, colours

LEAST_TITLE = 84  # pixels of the screen that a title gets before its colour bar
MARGIN, SPACING = 2, 4
CHIP = 10


class Chip(QWidget):
    """A small square in the colour that something has in other views."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(CHIP, CHIP)
        self.setAccessibleName("colour")
        self.colour: QColor | None = None
        self.hide()

    def set_colour(self, colour: QColor | None) -> None:
        """Another colour, None for no chip."""
        self.colour = colour
        self.setVisible(colour is not None)
        self.update()

    def minimumSizeHint(self) -> QSize:
        """Its size."""
        return QSize(CHIP, CHIP)

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """Fill it, with an outline."""
        if self.colour is not None:
            painter = QPainter(self)
            painter.fillRect(self.rect(), self.colour)
            painter.setPen(QColor(colours().text))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


class MapHead(QWidget):
    """One row, or two where the colour bar has no room beside the title."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.chip = Chip()
        self.title = ElidedLabel(title, least=LEAST_TITLE)
        self.title.setProperty("role", "heading")
        self.detail = ElidedLabel(greedy=True)
        self.detail.setProperty("role", "muted")
        self.bar = ColourBar()
        first = QHBoxLayout()
        for widget in (self.chip, self.title):
            first.addWidget(widget)
        first.addWidget(self.detail, 1)
        first.setSpacing(SPACING)
        self._rows = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._rows.setContentsMargins(MARGIN, 0, MARGIN, 0)
        self._rows.setSpacing(SPACING)
        self.detail.hide()
        self._rows.addLayout(first, 1)
        self._rows.setAlignment(first, Qt.AlignmentFlag.AlignTop)
        self._rows.addWidget(self.bar)
        THEME.changed.connect(self.bar.update)

    @property
    def has_bar(self) -> bool:
        """Whether a colour bar belongs to what is shown."""
        return not self.bar.isHidden()

    @property
    def is_tight(self) -> bool:
        """Whether the shortest colour bar has no room beside the title."""
        return self.has_bar and self._room(stacked=False) < self.bar.least_width()

    def has_room_for_unit(self, stacked: bool) -> bool:
        """Whether the colour bar can say its unit, below the title or beside it."""
        return self._room(stacked) >= self.bar.width_with_unit()

    def set_detail(self, text: str, short: str) -> None:
        """More about the map, where it fits; `short` stands for it where it does not."""
        self.detail.set_texts(text, short)
        self.detail.setVisible(bool(text))

    def _room(self, stacked: bool) -> int:
        """Pixels for the colour bar."""
        room = self.width() - 2 * MARGIN
        if stacked:
            return room
        beside = [part for part in (self.chip, self.title, self.detail) if not part.isHidden()]
        return room - sum(part.minimumSizeHint().width() + SPACING for part in beside)

    def stack(self, stacked: bool) -> None:
        """The colour bar in a row of its own, or beside the title; without one its room is kept."""
        self.setMinimumHeight(2 * self.title.sizeHint().height() if stacked else 0)
        way = QBoxLayout.Direction
        wanted = way.TopToBottom if stacked else way.LeftToRight
        if wanted != self._rows.direction():
            self._rows.setDirection(wanted)
            self._rows.setSpacing(0 if stacked else SPACING)


def align_heads(heads: Sequence[MapHead]) -> None:
    """Let maps beside each other have heads of one height, and tell a unit in all or in none."""
    stacked = any(head.is_tight for head in heads)
    barred = [head for head in heads if head.has_bar]
    for head in heads:
        head.stack(stacked)
    for unit in {head.bar.unit for head in barred}:
        alike = [head for head in barred if head.bar.unit == unit]
        shown = all(head.has_room_for_unit(stacked) for head in alike)
        for head in alike:
            head.bar.show_unit(shown)
