"""Edits of what no composition depends on: the bulk of the sample, and what is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from endmember.session.decisions.recipe import Contents, Limits, Recipe, changed
from endmember.session.decisions.recipe_changes import allowed, plain, with_value

Figure = Literal["lod_ppm", "relative_error_percent"]


def set_bulk(recipe: Recipe, element: str, atomic_percent: float | None) -> Recipe:
    """What is known of an element in the whole sample, in at.%; None takes it out, error and all.

    Raises
    ------
    ValueError
        if the bulk then breaks a rule, such as a sum above 100 at.%.
    """
    sample = recipe.sample
    sigma = dict(sample.bulk_sigma)
    if atomic_percent is None:
        sigma.pop(element, None)
    bulk = Contents(with_value(sample.bulk, element, plain(atomic_percent)))
    return allowed(changed(recipe, sample=changed(sample, bulk=bulk, bulk_sigma=Contents(sigma))))


def set_bulk_sigma(recipe: Recipe, element: str, atomic_percent: float | None) -> Recipe:
    """The error of an element of the bulk, one sigma in at.%; None: without error.

    Raises
    ------
    ValueError
        if the element is not in the bulk, or the error is not above 0.
    """
    sigma = Contents(with_value(recipe.sample.bulk_sigma, element, plain(atomic_percent)))
    return allowed(changed(recipe, sample=changed(recipe.sample, bulk_sigma=sigma)))


def set_goal(recipe: Recipe, figure: Figure, element: str, asked: float | None) -> Recipe:
    """A limit of detection in atomic ppm, or a relative error in %, asked for; None: no more.

    Raises
    ------
    ValueError
        if the figure is not above 0.
    """
    goals = Limits(with_value(getattr(recipe.goal, figure), element, plain(asked)))
    return allowed(changed(recipe, goal=changed(recipe.goal, **{figure: goals})))


def goals_kept_for(recipe: Recipe, elements: Collection[str]) -> Recipe:
    """The recipe without bulk and goals of elements that are not quantified any more."""

    def kept(values: Mapping[str, float]) -> dict[str, float]:
        return {element: value for element, value in values.items() if element in elements}

    sample, goal = recipe.sample, recipe.goal
    return changed(
        recipe,
        sample=changed(
            sample,
            bulk=Contents(kept(sample.bulk)),
            bulk_sigma=Contents(kept(sample.bulk_sigma)),
        ),
        goal=changed(
            goal,
            lod_ppm=Limits(kept(goal.lod_ppm)),
            relative_error_percent=Limits(kept(goal.relative_error_percent)),
        ),
    )
