"""What the working map of the masks can show, and which component that is."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from endmember.session.decisions.recipe import Recipe
from endmember.ui.pages.masks.precipitate_panel import component_title

if TYPE_CHECKING:
    from endmember.session.steps.chain import Decomposed
    from endmember.session.steps.map_data import MapData

FOLLOW, TOTAL = "follow", "total"


@dataclass(frozen=True, eq=False, slots=True)
class MaskLayer:
    """A map to draw on; `component` is None where it shows something else.

    The same `source` and component mean the same map.
    """

    source: object
    array: npt.NDArray[np.generic]
    title: str
    unit: str
    colour_map: str
    component: int | None = None


def layer_choices(
    recipe: Recipe, data: MapData | None, active: str, component: int
) -> list[tuple[str, Hashable]]:
    """Every layer as (text, key); the first follows the precipitate being worked on."""
    follow = f"component #{component}, of {active}" if active else f"component #{component}"
    numbers = range(recipe.decomposition.components)
    images = [] if data is None else list(data.image.images)
    return [
        (follow, FOLLOW),
        *((component_title(recipe, number), number) for number in numbers),
        ("total counts", TOTAL),
        *((name, ("image", name)) for name in images),
    ]


def shown_component(key: Hashable, follow: int) -> int | None:
    """The component that a layer shows, None where it shows something else."""
    if key == FOLLOW:
        return follow
    return key if isinstance(key, int) else None


def layer_of(
    key: Hashable,
    recipe: Recipe,
    data: MapData,
    decomposed: Decomposed | None,
    follow: int,
    total: npt.NDArray[np.floating] | None,
) -> MaskLayer | None:
    """The layer of a key; None while it is not there yet."""
    component = shown_component(key, follow)
    if component is not None:
        if decomposed is None:
            return None
        maps = decomposed.maps_of(data.entry.name)
        if component >= len(maps):
            return None
        title = component_title(recipe, component)
        return MaskLayer(decomposed, maps[component], title, "counts", "viridis", component)
    if key == TOTAL:
        if total is None:
            return None
        return MaskLayer(total, total, "total counts", "counts", "viridis")
    name = key[1] if isinstance(key, tuple) else ""
    image = data.image.images.get(name)
    return None if image is None else MaskLayer(image, image, str(name), "", "grey")
