"""The partition coefficients: each precipitate against the matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from endmember.core.progress import Report, parts_of
from endmember.core.quantification.partition import (
    SharedMatrix,
    partition_coefficients,
    shared_covariance,
)
from endmember.files.tables.partition_table import PartitionEntry
from endmember.session.decisions.recipe import Precipitate
from endmember.session.steps.compositions import SUM, Compositions
from endmember.session.steps.separation import MapPhases


def partition_entries(
    report: Report,
    matrix: str,
    precipitates: Sequence[Precipitate],
    phases: Mapping[str, MapPhases],
    found: Compositions,
) -> tuple[PartitionEntry, ...]:
    """Precipitate over matrix: for each map by mask, then by region; then for the sum of the maps.

    A region is compared with the matrix that was subtracted from it; regions are not summed over
    the maps. What could not be quantified has no entry. `phases` by map, in the order of the maps.
    """
    *of_maps, of_sum = parts_of(report, len(phases) + 1)
    entries: list[PartitionEntry] = []
    for name, within in zip(phases, of_maps, strict=True):
        within(0.0)
        entries += _by_mask(matrix, precipitates, {name: phases[name]}, found, name)
        entries += _by_region(matrix, found, name)
    of_sum(0.0)
    return (*entries, *_by_mask(matrix, precipitates, found.summed_phases or phases, found, SUM))


def _by_mask(
    matrix: str,
    precipitates: Sequence[Precipitate],
    phases: Mapping[str, MapPhases],
    found: Compositions,
    where: str,
) -> Iterator[PartitionEntry]:
    """The precipitates by their masks on one map, or on the sum of all maps of `phases`."""
    by_mask = {(e.phase, e.map): e.composition for e in found.entries if e.source == "mask"}
    for p in precipitates:
        if (p.name, where) not in by_mask:
            continue
        precipitate, of_matrix = by_mask[p.name, where], by_mask[matrix, where]
        parts = [
            shared_matrix(of_map, p) for name, of_map in phases.items() if (p.name, name) in by_mask
        ]
        shared = shared_covariance(precipitate.fit, of_matrix.fit, parts)
        coefficients = partition_coefficients(precipitate, of_matrix, shared)
        yield PartitionEntry(p.name, matrix, where, "mask", "", coefficients)


def _by_region(matrix: str, found: Compositions, where: str) -> Iterator[PartitionEntry]:
    """The regions of interest of one map, in the order in which they were drawn."""
    for e in found.entries:
        if e.map == where and e.matrix is not None:
            of_matrix = e.matrix
            coefficients = partition_coefficients(
                e.composition, of_matrix.composition, of_matrix.shared
            )
            yield PartitionEntry(e.phase, matrix, where, e.source, e.label, coefficients)


def shared_matrix(phases: MapPhases, precipitate: Precipitate) -> SharedMatrix:
    """How the matrix of one map went into a precipitate that was separated there."""
    fit = phases.matrix.fit
    column = None
    if precipitate.factor is None:
        column = fit.find(precipitate.absent, fit.family_of(precipitate.absent) or "")
    return SharedMatrix(phases.subtractions[precipitate.name].factor, fit, column)
