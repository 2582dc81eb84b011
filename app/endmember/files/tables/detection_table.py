"""Signal to noise and limits of detection as a table, beside the composition table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from endmember.core.quantification.background_spread import Spread
from endmember.core.quantification.composition import ElementResult
from endmember.files.tables.composition_table import Heading, Table
from endmember.files.tables.csv_table import fields_of, write_csv

COLUMNS = (
    "phase",
    "source",
    "map",
    "element",
    "line",
    "net_counts",
    "net_sigma",
    "background_counts",
    "snr",
    "snr_empirical",
    "critical_counts",
    "detection_counts",
    "lod_ppm",
    "lod_paper_ppm",
    "upper_limit_ppm",
    "detected",
    "background_spread_counts",
    "background_spread_sigma",
)


def detection_csv_beside(path: Path) -> Path:
    """Where the table of detection goes beside a composition table: NAME_detection.csv."""
    return path.with_name(f"{path.stem}_detection{path.suffix or '.csv'}")


def write_detection_csv(path: Path, table: Table, spreads: Sequence[Spread]) -> None:
    """Write one row for each composition and element, in the order of the composition table.

    `spreads` has an item for each composition; see `core.quantification.background_spread`. Limits
    in atomic ppm, see `core.quantification.detection`; numbers with 10 significant digits; a value
    that does not exist is an empty cell.
    """
    write_csv(path, COLUMNS, detection_rows(table, spreads))


def detection_rows(table: Table, spreads: Sequence[Spread]) -> list[list[object]]:
    """The cells of `COLUMNS`, one row for each composition and element."""
    return [
        _cells(heading, row, spread)
        for (heading, composition), spread in zip(table, spreads, strict=True)
        for row in composition.rows
    ]


def _cells(heading: Heading, row: ElementResult, spread: Spread) -> list[object]:
    counts, sigmas = spread.get(row.element, (None, None))
    values = {
        **fields_of(row),
        **fields_of(heading),
        "background_spread_counts": counts,
        "background_spread_sigma": sigmas,
    }
    return [values[name] for name in COLUMNS]
