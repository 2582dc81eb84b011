"""What the page of the masks says of precipitates, rectangles and their masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from endmember.session.decisions.recipe import Box, Precipitate, Recipe
from endmember.session.views.phase_remarks import with_error
from endmember.session.views.precipitate_rectangles import found_too_little
from endmember.ui.pages.masks.mask_panels import percent
from endmember.ui.pages.masks.precipitate_list import PrecipitateRow
from endmember.ui.widgets.theme import phase_colour

if TYPE_CHECKING:
    from endmember.session.steps.chain import Decomposed
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks, MapPhases

EXPLANATION = (
    "Matrix: every pixel in no mask. Mixture: the mask of a precipitate without overlap; matrix "
    "still lies above and below the precipitate there. Overlap: in two masks or more, measured for "
    "no phase. Excluded: taken out by hand on the Map page."
)
NOTHING_DRAWN = "no rectangle on this map yet"


@dataclass(frozen=True, eq=False, slots=True)
class Results:
    """What is known of the masks of one map; `current` where it belongs to today's recipe."""

    data: MapData
    masks: MapMasks | None
    current: bool
    phases: MapPhases | None
    phases_current: bool

    def pixels_of(self, precipitate: Precipitate) -> tuple[int, ...]:
        """Pixels that each rectangle on the map yielded, nothing where that is not known."""
        if self.masks is None or not self.current:
            return ()
        pixels = self.masks.pixels_per_rectangle.get(precipitate.name, ())
        return pixels if len(pixels) == len(self.boxes_of(precipitate)) else ()

    def boxes_of(self, precipitate: Precipitate) -> tuple[Box, ...]:
        """The rectangles of a precipitate on the map."""
        return precipitate.boxes_on(self.data.entry.name)

    def poor_rectangles(self, precipitate: Precipitate) -> list[int]:
        """The numbers, from 0, of the rectangles that found nothing or next to nothing."""
        boxes, pixels = self.boxes_of(precipitate), self.pixels_of(precipitate)
        rebin = self.data.entry.rebin
        return [
            number
            for number, (box, found) in enumerate(zip(boxes, pixels, strict=False))
            if found_too_little(box, rebin, found)
        ]

    def failure_of(self, precipitate: Precipitate) -> str:
        """Why the precipitate has no mask or no spectrum, "" where it has."""
        for found, current in ((self.masks, self.current), (self.phases, self.phases_current)):
            if found is not None and current and precipitate.name in found.failures:
                return found.failures[precipitate.name]
        return ""


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """What the page shows. `components` says which component shows each precipitate, as far as
    that is known; `follow` is the one shown for the precipitate being worked on."""

    recipe: Recipe
    results: Results
    decomposed: Decomposed | None
    components: dict[str, int]
    follow: int


def rectangle_text(number: int, box: Box, pixels: int | None, poor: bool) -> str:
    """One rectangle in a list."""
    x, y, width, height = box
    where = f"{number + 1}: {width} × {height} px at {x}, {y}"
    if pixels is None:
        return where
    return f"{where}: {found_text(pixels, poor)}"


def found_text(pixels: int, poor: bool) -> str:
    """What a rectangle yielded."""
    if not pixels:
        return "found nothing"
    return f"found only {pixels} px" if poor else f"{pixels} px"


def precipitate_rows(
    recipe: Recipe, results: Results, components: Mapping[str, int]
) -> list[PrecipitateRow]:
    """A row for each precipitate; `components` says which component shows it."""
    return [
        PrecipitateRow(
            number=number,
            name=precipitate.name,
            colour=phase_colour(number).name(),
            rectangles=_rectangles(results.boxes_of(precipitate)),
            found=_found(precipitate, results),
            component=_component(precipitate, components.get(precipitate.name)),
            purity=_purity(precipitate, results),
            doubt=_doubt(precipitate, results),
            stale=not results.current,
        )
        for number, precipitate in enumerate(recipe.precipitates, start=1)
    ]


def _rectangles(boxes: tuple[Box, ...]) -> str:
    return f"{len(boxes)} rectangle{'' if len(boxes) == 1 else 's'}"


def _found(precipitate: Precipitate, results: Results) -> str:
    masks = results.masks
    mask = None if masks is None else masks.partition.components.get(precipitate.name)
    if mask is None:
        return ""
    pixels = int(np.count_nonzero(mask))
    return f"{pixels:,} px, {percent(pixels / mask.size)}"


def _component(precipitate: Precipitate, component: int | None) -> str:
    if component is None:
        return ""
    return f"#{component} {'automatic' if precipitate.component is None else 'chosen'}"


def _purity(precipitate: Precipitate, results: Results) -> str:
    purity = None if results.phases is None else results.phases.purity.get(precipitate.name)
    if purity is None:
        return "" if results.boxes_of(precipitate) else NOTHING_DRAWN
    share, sigma = purity
    return f"left in matrix: {with_error(100 * share, 100 * sigma)} %"


def _doubt(precipitate: Precipitate, results: Results) -> str:
    if not precipitate.absent and precipitate.component is None:
        return "choose the absent element, or the component"
    poor = results.poor_rectangles(precipitate)
    if poor:
        pixels = results.pixels_of(precipitate)
        numbers = ", ".join(str(number + 1) for number in poor)
        most = max(pixels[number] for number in poor)
        found = "nothing" if most == 0 else "next to nothing"
        return f"rectangle{'s' if len(poor) > 1 else ''} {numbers} found {found}"
    if not precipitate.absent:
        return "choose the absent element"
    return results.failure_of(precipitate)
