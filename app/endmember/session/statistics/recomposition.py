"""The compositions of a finished session once more, from other masks or other counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from endmember.core.progress import Report, parts_of, silent
from endmember.session.steps.chain import method_of
from endmember.session.steps.compositions import Compositions, quantify_all
from endmember.session.steps.separation import separate

if TYPE_CHECKING:
    from endmember.core.quantification.composition import Composition
    from endmember.session.state.session import Session
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks

Place = tuple[str, str]
"""A phase and a map's name, or "sum"."""


def data_of(session: Session) -> dict[str, MapData]:
    """The maps of a finished session by name."""
    return {name: session.result("read", name) for name in session.recipe.map_names}


def masks_of(session: Session) -> dict[str, MapMasks]:
    """The masks of a finished session by map."""
    return {name: session.result("masks", name) for name in session.recipe.map_names}


def by_mask(found: Compositions) -> dict[Place, Composition]:
    """The pure phases: per map, and of the sum of the maps."""
    return {(e.phase, e.map): e.composition for e in found.entries if e.source == "mask"}


def recomposed(
    session: Session,
    data: Mapping[str, MapData],
    masks: Mapping[str, MapMasks],
    report: Report = silent,
) -> dict[Place, Composition]:
    """The pure phases as the session would have them, had it these maps and masks.

    What cannot be separated or quantified is left out.

    Raises
    ------
    ValueError
        if the matrix of a map cannot be measured.
    """
    recipe = session.recipe
    method = method_of(recipe.sample, recipe.quantification, recipe.detector)
    thickness = {name: recipe.map_named(name).thickness_nm for name in data}
    *within, last = parts_of(report, len(data) + 1)
    phases = {
        name: separate(
            here, recipe.precipitates, recipe.sample, thickness[name], method, d, masks[name]
        )
        for (name, d), here in zip(data.items(), within, strict=True)
    }
    return by_mask(
        quantify_all(
            last, recipe.sample, recipe.precipitates, {}, thickness, method, data, masks, phases
        )
    )
