"""Small maps of the matrix mask and of the mask of a precipitate, over the counts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from endmember.session.steps.map_reading import fitting
from endmember.session.views.phase_views import grey_map
from endmember.ui.document.requests import Requests
from endmember.ui.document.runner import Runner
from endmember.ui.map_views.map_grid import MapGrid
from endmember.ui.map_views.map_view import MapView, MaskOverlay
from endmember.ui.pages.phases.phase_state import PhaseState
from endmember.ui.widgets.theme import phase_colour

if TYPE_CHECKING:
    from endmember.core.counts.spectrum_image import BoolArray
    from endmember.session.steps.map_data import MapData

NO_MASK = "no mask yet"


class MaskInsets(MapGrid):
    """The matrix above, the mixture below, with the number of pixels of each."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._requests = Requests(runner)
        self.set_number(2, columns=1)
        self._ground: tuple[MapData, Any] | None = None
        self._laid: tuple[MapData | None, ...] = (None, None)
        self._state: PhaseState | None = None

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._ground, self._laid, self._state = None, (None, None), None
        self._requests.forget()

    def show_state(self, state: PhaseState) -> None:
        """Show the masks of the precipitate looked at."""
        self._state = state
        data, name = state.data, state.precipitate
        if data is not None and self._requests.ask(
            "phase insets", (data,), lambda: grey_map(data), partial(self._take, data)
        ):
            self._ground = None
        masks = fitting(state.masks, data)
        matrix = state.recipe.sample.matrix
        matrix_mask = None if masks is None else masks.partition.matrix
        mixture_mask = None if masks is None else masks.partition.mixtures.get(name)
        index = state.recipe.phases.index(name) if name else 1
        mixture = f"{name}+{matrix}" if name else "mixture"
        self._laid = (
            self._show_mask(self.views[0], matrix_mask, matrix, 0, self._laid[0]),
            self._show_mask(self.views[1], mixture_mask, mixture, index, self._laid[1]),
        )

    def _show_mask(
        self, view: MapView, mask: BoolArray | None, title: str, phase: int, laid: MapData | None
    ) -> MapData | None:
        """Show a mask where it and its ground are known; the data of the ground that is laid."""
        if mask is None or self._ground is None:
            view.set_empty(NO_MASK if mask is None else "")
            view.set_title(title)
            return None
        data, grey = self._ground
        if data is not laid:
            view.set_rgb(grey, data.place, data.full_pixel_size_nm)
        pixels = f"{int(mask.sum()):,} px"
        view.set_title(title, f"Mask of {title}: {pixels}, over the total counts", pixels)
        view.set_masks({"mask": MaskOverlay(mask, phase_colour(phase))})
        return data

    def _take(self, data: MapData, grey: Any) -> None:
        self._ground = data, grey
        if self._state is not None:
            self.show_state(self._state)
