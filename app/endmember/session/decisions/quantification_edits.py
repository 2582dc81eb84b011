"""Edits of how areas become concentrations: k-factors, oxygen, the detector and its peaks."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeVar

from endmember.session.decisions.recipe import (
    FactorsByHand,
    Numbers,
    Quantification,
    Recipe,
    Valences,
    changed,
)
from endmember.session.decisions.recipe_changes import (
    LEAVE,
    Leave,
    allowed,
    given,
    plain,
    with_value,
)

SomeNumbers = TypeVar("SomeNumbers", bound=Numbers)


def set_quantification(
    recipe: Recipe,
    *,
    k_factors: str | Leave = LEAVE,
    k_factor_basis: Literal["weight", "atomic"] | Leave | None = LEAVE,
    k_factor_definition: Literal["alpha", "family"] | Leave | None = LEAVE,
    reference: str | Leave | None = LEAVE,
    oxygen: Literal["measured", "stoichiometry"] | Leave = LEAVE,
    escape_peaks: bool | Leave = LEAVE,
    silicon_fluorescence: bool | Leave = LEAVE,
    sum_peaks: int | Leave = LEAVE,
) -> Recipe:
    """Where k-factors come from ("computed" or a file) with what the file leaves open, and so on.

    What was stated about the last file does not hold for another: it is unset with new `k_factors`.
    """
    settings = given(
        k_factors=k_factors,
        k_factor_basis=k_factor_basis,
        k_factor_definition=k_factor_definition,
        reference=reference,
        oxygen=oxygen,
        escape_peaks=escape_peaks,
        silicon_fluorescence=silicon_fluorescence,
        sum_peaks=sum_peaks,
    )
    if k_factors is not LEAVE:
        settings = {"k_factor_basis": None, "k_factor_definition": None, **settings}
    return _with(recipe, **settings)


def set_k_factor(recipe: Recipe, element: str, k_factor: float | None) -> Recipe:
    """The k-factor of an element by hand, relative to Si; None leaves it to file or computation."""
    factors = recipe.quantification.k_factor
    return _with(recipe, k_factor=_with_number(FactorsByHand, factors, element, k_factor))


def set_valence(recipe: Recipe, element: str, valence: float | None) -> Recipe:
    """The valence of a cation; None is the usual one."""
    valences = recipe.quantification.valence
    return _with(recipe, valence=_with_number(Valences, valences, element, valence))


def set_detector(
    recipe: Recipe,
    *,
    silicon_um: float | Leave = LEAVE,
    dead_layer_nm: float | Leave = LEAVE,
    aluminium_nm: float | Leave = LEAVE,
    curve: str | Leave | None = LEAVE,
) -> Recipe:
    """The layers of the detector, or the file of its efficiency curve; None for the layers."""
    settings = given(
        silicon_um=silicon_um,
        dead_layer_nm=dead_layer_nm,
        aluminium_nm=aluminium_nm,
        curve=curve,
    )
    return allowed(changed(recipe, detector=changed(recipe.detector, **settings)))


def kept_for(quantification: Quantification, elements: Collection[str]) -> Quantification:
    """Without what only holds for elements that are not quantified any more.

    Valences stay: the rules allow them for every cation.
    """
    factors = {e: k for e, k in (quantification.k_factor or {}).items() if e in elements}
    return changed(
        quantification,
        reference=quantification.reference if quantification.reference in elements else None,
        k_factor=FactorsByHand(factors) if factors else None,
        oxygen=quantification.oxygen if "O" in elements else "measured",
    )


def why_not_by_stoichiometry(recipe: Recipe) -> str:
    """Why oxygen cannot follow from the cations, with the remedy; empty where it can."""
    elements = recipe.sample.elements
    if "O" not in elements:
        return "O is not among the elements: add it on the Map page"
    from endmember.core.xrays.oxides import valence_of  # late: it loads the tables of the lines

    cations = [element for element in elements if element != "O"]
    if not any(valence_of(element, recipe.quantification.valence) for element in cations):
        of = (
            f"none of {', '.join(cations)} has a usual valence" if cations else "there is no cation"
        )
        return f"{of}: give a valence, or add a cation on the Map page"
    return ""


def _with(recipe: Recipe, **settings: object) -> Recipe:
    return allowed(changed(recipe, quantification=changed(recipe.quantification, **settings)))


def _with_number(
    kind: type[SomeNumbers], numbers: SomeNumbers | None, name: str, value: float | None
) -> SomeNumbers | None:
    values = with_value(numbers, name, plain(value))
    return kind(values) if values else None
