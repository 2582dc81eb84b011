"""Which component shows a precipitate: chosen by hand, or found once for each decomposition."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import TYPE_CHECKING

from endmember.session.decisions.recipe import Precipitate, Recipe, Sample
from endmember.session.steps.map_data import MapData

if TYPE_CHECKING:
    from endmember.session.steps.chain import Decomposed


class ComponentChoice:
    """Remembers the automatic choices, each of which takes a fit of all components.

    `find` may be called in another thread than `known` and `learn`.
    """

    def __init__(self) -> None:
        # changed as one, so that no thread sees the choices of one decomposition with another
        self._kept: tuple[Decomposed | None, dict[Hashable, int]] = (None, {})

    def known(self, precipitate: Precipitate, sample: Sample, decomposed: Decomposed) -> int | None:
        """The component of a precipitate, if it is known without computing."""
        if precipitate.component is not None:
            return precipitate.component
        of, found = self._kept
        return found.get(_question(precipitate, sample)) if decomposed is of else None

    def learn(
        self, precipitate: Precipitate, sample: Sample, decomposed: Decomposed, component: int
    ) -> None:
        """Remember the component that the masks took, which need not be found again."""
        of, found = self._kept
        if decomposed is not of:
            self._kept = of, found = decomposed, {}
        if precipitate.component is None and precipitate.absent:
            found[_question(precipitate, sample)] = component

    def find(
        self, precipitate: Precipitate, sample: Sample, data: MapData, decomposed: Decomposed
    ) -> int:
        """The component of a precipitate, as the masks take it.

        Raises
        ------
        ValueError
            if no component was chosen and no absent element, or none can be found by it.
        """
        from endmember.core.quantification.cliff_lorimer import Method
        from endmember.session.steps.separation import choose_component

        known = self.known(precipitate, sample, decomposed)
        if known is not None:
            return known
        if not precipitate.absent:
            raise ValueError(
                f"choose the absent element of {precipitate.name}, or its component: without "
                "either, no mask can be made"
            )
        method = Method(sample.elements, sample.system_elements)
        index = choose_component(decomposed.found, data, precipitate.absent, method)
        self.learn(precipitate, sample, decomposed, index)
        return index


def _question(precipitate: Precipitate, sample: Sample) -> Hashable:
    return precipitate.absent, sample.elements, sample.system_elements


def component_to_draw_on(recipe: Recipe, taken: Collection[int]) -> int:
    """A component to show where nothing says which one shows the precipitate.

    The first that a person took for a precipitate and no other precipitate uses, or else the first
    unused one after the largest, which usually shows the matrix.
    """
    numbers = range(recipe.decomposition.components)
    free = [number for number in numbers if number not in taken]
    roles = [number for number in free if recipe.label_of(number).role == "precipitate"]
    plain = [n for n in free if n > 0 and recipe.label_of(n).role not in ("matrix", "unused")]
    return [*roles, *plain, *free, 0][0]
