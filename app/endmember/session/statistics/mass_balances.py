"""The mass balance of each map, and of all maps together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from endmember.core.quantification.cliff_lorimer import quantify
from endmember.core.quantification.mass_balance import (
    Inventory,
    SeparatedPhase,
    balance,
    from_bulk,
    inventory,
)
from endmember.session.steps.chain import method_of
from endmember.session.steps.compositions import SUM, Compositions
from endmember.session.steps.partitions import shared_matrix
from endmember.session.steps.separation import foil_of

if TYPE_CHECKING:
    from endmember.core.quantification.composition import Composition
    from endmember.core.quantification.mass_balance import Balance
    from endmember.session.decisions.recipe import Recipe
    from endmember.session.state.session import Session
    from endmember.session.steps.separation import MapMasks, MapPhases


@dataclass(frozen=True, slots=True)
class ElementBalance:
    """One row of mass_balance.csv, in at.%; what does not exist is None.

    `whole`: the spectrum of all pixels that are not excluded. `phases`: the phases, each with its
    part of that spectrum. `bulk`: what the recipe says of the sample. `difference` is whole less
    phases, `bulk_difference` whole less bulk. Errors as in `core.quantification.mass_balance`.
    """

    map: str
    element: str
    whole_atomic_percent: float
    whole_sigma: float
    whole_systematic: float
    phases_atomic_percent: float
    phases_sigma: float
    phases_systematic: float
    difference: float
    difference_sigma: float
    difference_systematic: float
    bulk_atomic_percent: float | None
    bulk_sigma: float | None
    bulk_difference: float | None
    bulk_difference_sigma: float | None


@dataclass(frozen=True, slots=True)
class MassBalances:
    """The rows by map, the sum of the maps last, and what has to be told."""

    rows: tuple[ElementBalance, ...]
    warnings: tuple[str, ...]


def mass_balances(session: Session) -> MassBalances:
    """The mass balance of every map of a finished session; quantifies the whole maps.

    A map of which a precipitate could not be separated has none, which is told. The whole map is
    fitted as a foil of the matrix's density, as the mixtures are.
    """
    recipe = session.recipe
    found: Compositions = session.result("quantification")
    inventories: dict[str, Inventory] = {}
    told: list[str] = []
    for name in recipe.map_names:
        try:
            inventories[name] = _of_map(session, found, name)
        except np.linalg.LinAlgError:  # a ValueError, but a fault of the program
            raise
        except ValueError as error:
            told.append(f'the mass balance of map "{name}" cannot be made: {error}')
    groups: dict[str, Sequence[Inventory]] = {name: (of,) for name, of in inventories.items()}
    if len(inventories) == len(recipe.maps) > 1:
        groups[SUM] = tuple(inventories.values())
    rows: list[ElementBalance] = []
    for name, of in groups.items():
        try:
            rows += _rows(name, balance(of), recipe)
        except ValueError as error:
            told.append(f"the mass balance of {name} cannot be made: {error}")
    return MassBalances(tuple(rows), tuple(told))


def _of_map(session: Session, found: Compositions, name: str) -> Inventory:
    recipe, data = session.recipe, session.result("read", name)
    masks: MapMasks = session.result("masks", name)
    phases: MapPhases = session.result("subtraction", name)
    by_phase = {
        e.phase: e.composition for e in found.entries if (e.source, e.map) == ("mask", name)
    }
    drawn = [p for p in recipe.precipitates if p.is_drawn_on(name)]
    missing = [p.name for p in drawn if p.name not in by_phase]
    if missing:
        raise ValueError(f"{', '.join(missing)} could not be separated there")
    entry = recipe.map_named(name)
    foil = foil_of(data, recipe.sample.density_g_cm3, entry.thickness_nm, recipe.sample.matrix)
    method = method_of(recipe.sample, recipe.quantification, recipe.detector)
    whole = quantify(data.image.spectrum(~masks.partition.excluded), method, foil)
    parts = [_separated(recipe, p.name, by_phase[p.name], phases) for p in drawn]
    return inventory(whole, phases.matrix, parts)


def _separated(
    recipe: Recipe, name: str, composition: Composition, phases: MapPhases
) -> SeparatedPhase:
    precipitate = recipe.precipitate_named(name)
    mixture = phases.mixtures[name].fit
    shared = shared_matrix(phases, precipitate)
    column = None
    if shared.scaled_on is not None:
        column = mixture.find(precipitate.absent, mixture.family_of(precipitate.absent) or "")
    return SeparatedPhase(composition, mixture, shared, column)


def _rows(name: str, found: Balance, recipe: Recipe) -> list[ElementBalance]:
    bulk: Mapping[str, float] = recipe.sample.bulk
    sigmas: Mapping[str, float] = recipe.sample.bulk_sigma
    differences = from_bulk(found, bulk, sigmas)
    of_balance = (
        found.whole,
        found.whole_sigma,
        found.whole_systematic,
        found.phases,
        found.phases_sigma,
        found.phases_systematic,
        found.difference,
        found.difference_sigma,
        found.difference_systematic,
    )
    values = np.column_stack(of_balance).tolist()
    rows = []
    for element, numbers in zip(found.elements, values, strict=True):
        known = (_or_none(bulk.get(element)), _or_none(sigmas.get(element)))
        columns = (*numbers, *known, *differences.get(element, (None, None)))
        rows.append(ElementBalance(name, element, *columns))
    return rows


def _or_none(value: float | None) -> float | None:
    return None if value is None else float(value)
