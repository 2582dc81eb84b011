"""Three maps as red, green and blue: which ones, and the legend that names them."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QObject, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QGridLayout, QLabel, QWidget

from endmember.ui.map_views.map_layers import Layer
from endmember.ui.widgets.inputs import ChoiceBox

COLOURS = ("red", "green", "blue")
_SWATCHES = ("#ff3b30", "#30d158", "#4f8cff")  # brighter than pure ones, to be told apart as names
NONE = "none"
MARGIN = 6
ROOM = 240  # pixels of the screen: on a smaller map the legend would hide too much


class OverlayChoice(QWidget):
    """Which map is shown in which colour."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        self.boxes: list[ChoiceBox] = []
        self._layers: tuple[Layer, ...] = ()
        for row, colour in enumerate(COLOURS):
            box = ChoiceBox(f"Map shown in {colour}", f"map shown in {colour}")
            label = QLabel(colour.capitalize())
            label.setBuddy(box)
            grid.addWidget(label, row, 0)
            grid.addWidget(box, row, 1)
            box.activated.connect(lambda _: self.changed.emit())
            self.boxes.append(box)

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Offer these maps; a choice whose map is still there is kept, others begin anew."""
        if tuple(layers) == self._layers:
            return
        before, first = self.keys(), not self._layers
        self._layers = tuple(layers)
        known = {layer.key for layer in layers}
        keys = _first_choice(layers) if first else before
        choices = [(NONE, ""), *((layer.name, layer.key) for layer in layers)]
        for box, key in zip(self.boxes, keys, strict=True):
            box.show_choices(choices, key if key in known else "")

    def forget(self) -> None:
        """Choose anew with the next maps: another document is looked at."""
        self._layers = ()

    def keys(self) -> tuple[str, ...]:
        """The keys of the maps in red, green and blue, "" for none."""
        return tuple(str(box.value or "") for box in self.boxes)

    def layers(self) -> tuple[Layer | None, ...]:
        """The maps in red, green and blue."""
        by_key = {layer.key: layer for layer in self._layers}
        return tuple(by_key.get(key) for key in self.keys())


def _first_choice(layers: Sequence[Layer]) -> tuple[str, ...]:
    """The first three elements, but for oxygen, which is everywhere in an oxide."""
    elements = [layer.key for layer in layers if layer.kind == "element" and layer.standard]
    chosen = [key for key in elements if key != "element O"] or elements
    return (*chosen[:3], "", "", "")[:3]


class OverlayLegend(QWidget):
    """The names of the maps in their colours, in a corner of a large overlay and of its picture.

    The title of the overlay names them too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._names: tuple[str, ...] = ()
        self.hide()

    def show_on(self, canvas: QWidget | None, names: Sequence[str]) -> None:
        """Name the maps in red, green and blue ("" for none) over a canvas; None hides it."""
        self._names = tuple(names)
        self.setAccessibleName(self.text())
        if canvas is None:
            self.hide()
            return
        if self.parent() is not canvas:
            if (before := self.parent()) is not None:
                before.removeEventFilter(self)
            self.setParent(canvas)
            canvas.installEventFilter(self)
        self._fit()
        self.raise_()
        self.update()

    def text(self) -> str:
        """What it says, in words."""
        named = zip(self._names, COLOURS, strict=True) if self._names else ()
        return ", ".join(f"{layer} {colour}" for layer, colour in named if layer)

    def eventFilter(self, _: QObject | None, event: QEvent | None) -> bool:
        """Stay in the corner."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._fit()
        return False

    def _fit(self) -> None:
        metrics, parent = self.fontMetrics(), self.parentWidget()
        room = parent.width() - 2 * MARGIN if parent is not None else 200
        shown = [f"{n} ({c})" for n, c in zip(self._names, COLOURS, strict=False) if n]
        line = metrics.height() + 2
        width = line + 10 + max((metrics.horizontalAdvance(text) for text in shown), default=0)
        self.setGeometry(MARGIN, MARGIN, min(width, room), line * len(shown) + 6)
        self.setVisible(parent is not None and min(parent.width(), parent.height()) >= ROOM)

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """A dark ground, and for each map a square and its name."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 150))
        metrics = self.fontMetrics()
        line, top = metrics.height() + 2, 3
        for layer, colour, swatch in zip(self._names, COLOURS, _SWATCHES, strict=False):
            if not layer:
                continue
            side = line - 6
            painter.fillRect(QRectF(5, top + 3, side, side), QColor(swatch))
            painter.setPen(QColor("white"))
            text = metrics.elidedText(
                f"{layer} ({colour})", Qt.TextElideMode.ElideRight, self.width() - line - 8
            )
            area = QRectF(line + 4, top, self.width() - line - 4, line)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)
            top += line
