"""The partition coefficients of a finished session: each precipitate against the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from endmember.core.partition import SharedMatrix
    from endmember.files.partition_table import PartitionEntry
    from endmember.session.compositions import Compositions
    from endmember.session.recipe import Precipitate
    from endmember.session.separation import MapPhases
    from endmember.session.session import Session


def partition_entries(session: Session) -> list[PartitionEntry]:
    """Precipitate over matrix, by the mask route: for each map, then for the sum of the maps."""
    from endmember.core.partition import partition_coefficients, shared_covariance
    from endmember.files.partition_table import PartitionEntry
    from endmember.session.compositions import SUM

    recipe, matrix = session.recipe, session.recipe.sample.matrix
    quantified: Compositions = session.result("quantification")
    by_mask = {(e.phase, e.map): e.composition for e in quantified.entries if e.source == "mask"}
    parts = {
        (p.name, name): _shared_matrix(session.result("subtraction", name), p)
        for p in recipe.precipitates
        for name in recipe.map_names
        if (p.name, name) in by_mask
    }
    entries = []
    for where in (*recipe.map_names, SUM):
        for p in recipe.precipitates:
            if (p.name, where) not in by_mask:
                continue
            precipitate, of_matrix = by_mask[p.name, where], by_mask[matrix, where]
            used = [
                part
                for (phase, name), part in parts.items()
                if phase == p.name and where in (name, SUM)
            ]
            shared = shared_covariance(precipitate.fit, of_matrix.fit, used)
            found = partition_coefficients(precipitate, of_matrix, shared)
            entries.append(PartitionEntry(p.name, matrix, where, found))
    return entries


def _shared_matrix(phases: MapPhases, precipitate: Precipitate) -> SharedMatrix:
    from endmember.core.partition import SharedMatrix

    fit = phases.matrix.fit
    column = None
    if precipitate.factor is None:
        column = fit.find(precipitate.absent, fit.family_of(precipitate.absent) or "")
    return SharedMatrix(phases.subtractions[precipitate.name].factor, fit, column)
