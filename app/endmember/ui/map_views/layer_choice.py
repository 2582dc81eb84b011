"""Which maps are shown, and how: scale, background, smoothing, overlay."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from endmember.ui.map_views.map_layers import Display, Layer
from endmember.ui.map_views.rgb_overlay import OverlayChoice
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.inputs import ChoiceBox, SmoothingBox

KEY = Qt.ItemDataRole.UserRole
MOST_SHOWN = 12  # by default: more would be too small to see anything in
SCALES = (("each from 0 to 1", True), ("counts", False))


class LayerTicks(QListWidget):
    """Check boxes that flow over as many lines as they need; arrows move, Space ticks."""

    ticked = pyqtSignal(str, bool)

    def __init__(self) -> None:
        super().__init__()
        self.setFlow(QListWidget.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSpacing(1)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        if (viewport := self.viewport()) is not None:
            viewport.setAutoFillBackground(False)
        name(self, "Tick the maps to show: arrows move, Space ticks", "maps shown")
        self.itemChanged.connect(self._on_changed)

    def show_layers(self, layers: Sequence[Layer], shown: Sequence[str]) -> None:
        """Offer these maps, those whose keys are in `shown` ticked."""
        self.blockSignals(True)
        keys = [self.item(i).data(KEY) for i in range(self.count())]  # type: ignore[union-attr]
        if keys != [layer.key for layer in layers]:
            self.clear()
            for layer in layers:
                item = QListWidgetItem(layer.name)
                item.setData(KEY, layer.key)
                item.setToolTip(_tip(layer))
                item.setCheckState(Qt.CheckState.Unchecked)  # or there is no box
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
                self.addItem(item)
        for index, layer in enumerate(layers):
            wanted = Qt.CheckState.Checked if layer.key in shown else Qt.CheckState.Unchecked
            if (known := self.item(index)) is not None and known.checkState() != wanted:
                known.setCheckState(wanted)
        self.blockSignals(False)
        self._fit()

    def _on_changed(self, item: QListWidgetItem) -> None:
        self.ticked.emit(str(item.data(KEY)), item.checkState() == Qt.CheckState.Checked)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """As high as its lines."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        last = self.item(self.count() - 1)
        if last is None:
            return
        height = self.visualItemRect(last).bottom() + self.verticalOffset() + 4
        if height != self.height():
            self.setFixedHeight(height)

    def sizeHint(self) -> QSize:
        """As narrow as the settings."""
        return QSize(200, self.height())


def _tip(layer: Layer) -> str:
    what = {
        "image": "Image recorded with the map",
        "total": "All counts of the energy range",
        "element": f"Counts of the alpha line of {layer.name}",
        "window": f"Counts in the energy window {layer.name}, which is changed on the spectrum",
    }[layer.kind]
    return what if layer.standard else f"{what}; not shown unless ticked"


class LayerChoice(QWidget):
    """Maps to show and the way they are shown. None of this is part of the recipe."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.ticks = LayerTicks()
        self.usual = QPushButton("Usual maps")
        self.scale = ChoiceBox(
            "Each map from 0 to 1, between low and high percentiles of its own, or all in counts",
            "scale of the maps",
        )
        self.scale.show_choices(SCALES, True)
        self.background = QCheckBox("Background subtracted")
        self.smoothing = SmoothingBox(
            "Smooth the maps for display only, by a Gaussian of this σ; images stay as they "
            "are, and nothing that is measured changes",
            "smoothing for display in pixels",
            20.0,
        )
        self.with_overlay = QCheckBox("Overlay of three maps")
        self.overlay = OverlayChoice()
        self._chosen: dict[str, bool] = {}
        self._layers: tuple[Layer, ...] = ()
        self._alone = ""
        self._name_all()
        self._lay_out()
        self._connect()
        self.overlay.setVisible(False)

    def _name_all(self) -> None:
        name(self.usual, "Show HAADF, total counts, the elements and the energy windows")
        name(
            self.background,
            "Take the background off element maps, estimated on both sides of each line; "
            "energy windows have a switch of their own beside the spectrum",
        )
        name(self.with_overlay, "Show three maps as red, green and blue in one")

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Scale", self.scale)
        form.addRow("Smoothing σ", self.smoothing)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.usual)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addWidget(self.ticks)
        whole.addLayout(row)
        whole.addLayout(form)
        for widget in (self.background, self.with_overlay, self.overlay):
            whole.addWidget(widget)

    def _connect(self) -> None:
        self.ticks.ticked.connect(self.tick)
        self.usual.clicked.connect(self._choose_usual)
        self.scale.activated.connect(lambda _: self.changed.emit())
        self.background.toggled.connect(lambda _: self.changed.emit())
        self.smoothing.valueChanged.connect(lambda _: self.changed.emit())
        self.overlay.changed.connect(self.changed)
        self.with_overlay.toggled.connect(self._on_overlay)

    # --- what is chosen ------------------------------------------------------------------------

    @property
    def display(self) -> Display:
        """How maps are shown."""
        return Display(bool(self.scale.value), self.background.isChecked(), self.smoothing.value())

    @property
    def alone(self) -> str:
        """The key of the one map that is shown alone, "" for all."""
        return self._alone

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Offer these maps."""
        self._layers = tuple(layers)
        self.ticks.show_layers(layers, [layer.key for layer in self._ticked()])
        self.overlay.set_layers(layers)

    def shown(self) -> tuple[Layer, ...]:
        """The maps to show, in their order."""
        alone = [layer for layer in self._layers if layer.key == self._alone]
        return tuple(alone) if alone else self._ticked()

    def _ticked(self) -> tuple[Layer, ...]:
        usual = [layer.key for layer in self._layers if layer.standard][:MOST_SHOWN]
        return tuple(
            layer for layer in self._layers if self._chosen.get(layer.key, layer.key in usual)
        )

    def overlay_layers(self) -> tuple[Layer | None, ...]:
        """The maps in red, green and blue; empty where no overlay is wanted."""
        return self.overlay.layers() if self.with_overlay.isChecked() else ()

    def forget(self) -> None:
        """Another document: begin with the usual choice."""
        self._chosen.clear()
        self._alone = ""
        self.overlay.forget()

    # --- what a person does --------------------------------------------------------------------

    def tick(self, key: str, shown: bool) -> None:
        """Show or hide a map."""
        self._chosen[key] = shown
        self._alone = ""
        self.set_layers(self._layers)
        self.changed.emit()

    def show_alone(self, key: str) -> None:
        """Show one map alone, or with "" all that are ticked."""
        self._alone = key
        self.changed.emit()

    def _choose_usual(self) -> None:
        self._chosen.clear()
        self._alone = ""
        self.set_layers(self._layers)
        self.changed.emit()

    def _on_overlay(self, shown: bool) -> None:
        self.overlay.setVisible(shown)
        self.changed.emit()
