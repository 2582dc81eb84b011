"""The map that precipitates are marked on: its layer, and the masks over it."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QCheckBox

from endmember.ui.document.page import is_same_state
from endmember.ui.map_views.map_view import MapView, MaskOverlay
from endmember.ui.pages.masks.mask_drawing import map_colour
from endmember.ui.pages.masks.mask_layers import (
    FOLLOW,
    TOTAL,
    layer_choices,
    layer_of,
)
from endmember.ui.pages.masks.mask_panels import EXCLUDED
from endmember.ui.pages.masks.mask_texts import Seen
from endmember.ui.widgets.inputs import ChoiceBox


class WorkingMap(QObject):
    """A map view, the box that says what it shows, and the switch of the masks over it."""

    chosen = pyqtSignal()
    """Another layer was chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.view = MapView("component")
        self.layer = ChoiceBox("What is shown under the rectangles", "map shown")
        self.layer.setMinimumContentsLength(9)
        self.layer.setMaximumWidth(300)
        self.layer.shortened = lambda text: text.removeprefix("component ")
        self.overlay = QCheckBox("Masks")
        self.overlay.setToolTip("Show the masks over the map (M)")
        self.overlay.setAccessibleName("show the masks over the map")
        self.overlay.setChecked(True)
        self.key: Hashable = FOLLOW
        self._image: tuple[object, ...] = ()
        self.layer.activated.connect(self._choose)

    def _choose(self, index: int) -> None:
        self.key = self.layer.value_at(index)
        self.view.levels = None
        self.chosen.emit()

    def offer(self, seen: Seen, active: str) -> Hashable:
        """Offer the layers of today, and return the key of the one that is wanted."""
        choices = layer_choices(seen.recipe, seen.results.data, active, seen.follow)
        if self.key not in [key for _, key in choices]:
            self.key = FOLLOW
        self.layer.show_choices(choices, self.key)
        return self.key

    def show(self, seen: Seen, total: npt.NDArray[np.floating] | None) -> None:
        """Show the layer, or say why it is not there; `total` are all counts, once known."""
        data = seen.results.data
        layer = layer_of(self.key, seen.recipe, data, seen.decomposed, seen.follow, total)
        if layer is None:
            self._image = ()
            self.view.set_title("component")
            self.view.set_empty(
                "the counts are being added up"
                if self.key == TOTAL
                else "the component maps are not there yet: the rectangles are drawn on them"
            )
            return
        self.view.set_title(layer.title, f"{layer.title}, in {layer.unit or 'detector levels'}")
        image = (layer.source, layer.component, data)
        if not is_same_state(image, self._image):
            self._image = image
            self.view.set_image(
                layer.array,
                data.place,
                layer.unit,
                pixel_size_nm=data.full_pixel_size_nm,
                colour_map=layer.colour_map,
            )

    def show_nothing(self, text: str) -> None:
        """Show a sentence instead."""
        self._image = ()
        self.view.set_empty(text)

    def show_masks(self, seen: Seen | None, moving: str) -> None:
        """Draw the masks, filled where they are current and their rectangle is not `moving`."""
        overlays: dict[str, MaskOverlay] = {}
        masks = None if seen is None else seen.results.masks
        wanted = self.overlay.isChecked() and self.view.array is not None
        if seen is not None and masks is not None and wanted:
            for number, name in enumerate(seen.recipe.phases[1:], start=1):
                mask = masks.partition.components.get(name)
                if mask is not None:
                    fill = seen.results.current and name != moving
                    overlays[name] = MaskOverlay(mask, map_colour(number), fill)
            excluded = masks.partition.excluded
            if excluded.any():
                overlays["excluded pixels"] = MaskOverlay(excluded, QColor(*EXCLUDED))
        self.view.set_masks(overlays)
