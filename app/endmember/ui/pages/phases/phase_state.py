"""What the page of the phases shows: recipe, results and what is looked at, as one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from endmember.ui.document.workspace import Workspace

if TYPE_CHECKING:
    from endmember.core.masks.mask_algebra import Partition
    from endmember.session.decisions.recipe import Recipe
    from endmember.session.steps.compositions import Compositions
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks, MapPhases

NO_PRECIPITATE = "Draw a precipitate on the Masks page (Ctrl+3) first"
NO_MASKS = "The phases follow from the masks: see the Masks page (Ctrl+3)"
NOT_HERE = "{} has no mask on this map: draw a rectangle round it on the Masks page (Ctrl+3)"
UPDATED = "being updated"
SEE_ABOVE = "Nothing to show for {}: see the message above"


class PhaseState(NamedTuple):
    """One precipitate on one map, with the results that concern it.

    `compositions` is None unless current; `current` says it of `phases`.
    """

    recipe: Recipe
    map_name: str
    precipitate: str
    element: str
    phases: MapPhases | None
    current: bool
    failure: str | None
    masks: MapMasks | None
    masks_current: bool
    compositions: Compositions | None
    data: MapData | None

    @classmethod
    def of(cls, workspace: Workspace, recipe: Recipe) -> PhaseState:
        """What recipe and results say now."""
        focus = workspace.focus
        phases, masks = workspace.shown("subtraction"), workspace.shown("masks")
        return cls(
            recipe,
            focus.map_name,
            focus.precipitate,
            focus.element,
            phases.value,
            phases.current,
            phases.failure,
            masks.value,
            masks.current,
            workspace.result("quantification"),
            workspace.data,
        )

    def is_same(self, other: PhaseState | None) -> bool:
        """Whether nothing has changed; recipe and results are compared by identity."""
        return other is not None and all(
            mine is its or (isinstance(mine, str | bool) and mine == its)
            for mine, its in zip(self, other, strict=True)
        )

    @property
    def partition(self) -> Partition | None:
        """The masks of the map."""
        return None if self.masks is None else self.masks.partition

    def failures(self) -> dict[str, str]:
        """Why precipitates have no subtracted spectrum on this map."""
        found: dict[str, str] = {}
        if self.masks is not None and self.masks_current:
            found |= self.masks.failures
        if self.phases is not None and self.current:
            found |= self.phases.failures
        return found

    def empty_text(self) -> str:
        """What to say where there is no spectrum of the precipitate."""
        if not self.recipe.precipitates:
            return NO_PRECIPITATE
        if self.precipitate in self.failures():
            return SEE_ABOVE.format(self.precipitate)
        if self.failure is not None:
            return SEE_ABOVE.format(self.precipitate)
        if self.partition is None:
            return NO_MASKS
        if self.masks_current and self.precipitate not in self.partition.mixtures:
            return NOT_HERE.format(self.precipitate)
        return UPDATED
