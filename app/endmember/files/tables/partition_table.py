"""Partition coefficients as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from endmember.core.quantification.partition import Coefficient, PartitionCoefficient
from endmember.files.tables.csv_table import write_csv

COLUMNS = (
    "precipitate",
    "matrix",
    "map",
    "source",
    "region",
    "element",
    "d_atomic",
    "d_atomic_sigma",
    "d_atomic_systematic",
    "d_atomic_upper_limit",
    "d_weight",
    "d_weight_sigma",
    "d_weight_systematic",
    "d_weight_upper_limit",
    "state",
)


@dataclass(frozen=True, eq=False, slots=True)
class PartitionEntry:
    """The coefficients of one precipitate on one map, or on "sum".

    `source` is mask, or conventional for a `region` of interest, whose name is empty for masks.
    """

    precipitate: str
    matrix: str
    map: str
    source: str
    region: str
    coefficients: tuple[PartitionCoefficient, ...]


def write_partition_csv(path: Path, entries: Sequence[PartitionEntry]) -> None:
    """Write one row for each precipitate, map, source and element.

    D = C_precipitate / C_matrix; numbers with 10 significant digits; a value that does not exist is
    an empty cell. The states: `core.quantification.partition`.
    """
    write_csv(path, COLUMNS, partition_rows(entries))


def partition_rows(entries: Sequence[PartitionEntry]) -> list[tuple[object, ...]]:
    """The cells of `COLUMNS`, one row for each precipitate, map, source and element."""
    return [
        (
            entry.precipitate,
            entry.matrix,
            entry.map,
            entry.source,
            entry.region,
            found.element,
            *_values(found.atomic),
            *_values(found.weight),
            found.state,
        )
        for entry in entries
        for found in entry.coefficients
    ]


def _values(d: Coefficient | None) -> tuple[float | None, ...]:
    return (None,) * 4 if d is None else (d.value, d.sigma, d.systematic, d.upper_limit)
