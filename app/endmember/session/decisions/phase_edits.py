"""Edits of phases: the matrix, precipitates, their names, densities and formula units.

Each returns a new recipe, or raises ValueError with a sentence where the result would break a rule.
"""

from __future__ import annotations

from endmember.session.decisions.recipe import (
    Densities,
    FormulaBases,
    Named,
    Precipitate,
    Recipe,
    Value,
    changed,
)
from endmember.session.decisions.recipe_changes import (
    LEAVE,
    Leave,
    allowed,
    free_names,
    given,
    plain,
    with_free_name,
    with_item,
    with_precipitate,
    with_value,
)


def set_density(recipe: Recipe, phase: str, density_g_cm3: float | None) -> Recipe:
    """The density of a phase, or none."""
    density = None if density_g_cm3 is None else plain(density_g_cm3)
    densities = with_value(recipe.sample.density_g_cm3, phase, density)
    sample = changed(recipe.sample, density_g_cm3=Densities(densities))
    return allowed(changed(recipe, sample=sample))


def set_formula_unit(recipe: Recipe, phase: str, basis: str | None) -> Recipe:
    """What the formula unit of a phase is scaled to, such as "3 O" or "2 cations", or nothing."""
    bases = with_value(recipe.sample.formula_unit, phase, basis)
    return allowed(changed(recipe, sample=changed(recipe.sample, formula_unit=FormulaBases(bases))))


def rename_matrix(recipe: Recipe, new_name: str) -> Recipe:
    """Another name for the matrix; what belongs to it and the regions meant to show it follow."""
    old, name = recipe.sample.matrix, new_name.strip()
    renamed = changed(recipe, sample=changed(recipe.sample, matrix=name))
    return allowed(_with_phase(renamed, old, name))


def add_precipitate(
    recipe: Recipe, name: str | None = None, absent: str = "", component: int | None = None
) -> Recipe:
    """A further precipitate, the last; without a name it is called P1, P2 ..."""

    def with_name(chosen: str) -> Recipe:
        precipitate = Precipitate(name=chosen, absent=absent, component=component)
        return changed(recipe, precipitates=(*recipe.precipitates, precipitate))

    if name is not None:
        return allowed(with_name(name.strip()))
    return with_free_name(free_names("P", recipe.phases), with_name)


def remove_precipitate(recipe: Recipe, name: str) -> Recipe:
    """The recipe without a precipitate and the regions meant to show it; its density stays."""
    index = recipe.precipitates.index(recipe.precipitate_named(name))
    maps = tuple(
        changed(entry, rois=tuple(roi for roi in entry.rois if roi.phase != name))
        for entry in recipe.maps
    )
    precipitates = with_item(recipe.precipitates, index, None)
    return allowed(changed(recipe, maps=maps, precipitates=precipitates))


def rename_precipitate(recipe: Recipe, old: str, new_name: str) -> Recipe:
    """Another name for a precipitate; what belongs to it and the regions of it follow."""
    name = new_name.strip()
    renamed = with_precipitate(recipe, old, name=name)
    return allowed(_with_phase(renamed, old, name))


def set_precipitate(
    recipe: Recipe,
    name: str,
    *,
    absent: str | Leave = LEAVE,
    component: int | Leave | None = LEAVE,
    factor: float | Leave | None = LEAVE,
) -> Recipe:
    """Settings of one precipitate; None lets the program choose, absent "" leaves it open."""
    settings = given(absent=absent, component=component, factor=factor)
    return allowed(with_precipitate(recipe, name, **settings))


def _with_phase(recipe: Recipe, old: str, new: str) -> Recipe:
    """The recipe with all that belongs to phase `old` given to `new`."""

    def phase(name: str) -> str:
        return new if name == old else name

    def renamed(values: Named[Value]) -> dict[str, Value]:
        # The value that follows wins over one listed for a phase that the recipe did not have.
        kept = {p: v for p, v in values.items() if p != new or old not in values or new == old}
        return {phase(p): v for p, v in kept.items()}

    maps = tuple(
        changed(entry, rois=tuple(changed(roi, phase=phase(roi.phase)) for roi in entry.rois))
        for entry in recipe.maps
    )
    sample = changed(
        recipe.sample,
        density_g_cm3=Densities(renamed(recipe.sample.density_g_cm3)),
        formula_unit=FormulaBases(renamed(recipe.sample.formula_unit)),
    )
    return changed(recipe, maps=maps, sample=sample)
