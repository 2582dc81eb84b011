"""Signal to noise and limits of detection as a table, beside the composition table."""

from __future__ import annotations

import csv
from pathlib import Path

from endmember.files.composition_table import Table, cell_text, fields_of

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
)


def detection_csv_beside(path: Path) -> Path:
    """Where the table of detection goes beside a composition table: NAME_detection.csv."""
    return path.with_name(f"{path.stem}_detection{path.suffix or '.csv'}")


def write_detection_csv(path: Path, table: Table) -> None:
    """Write one row for each composition and element, in the order of the composition table.

    Limits in atomic ppm, see `core.detection`; numbers with 10 significant digits; a value that
    does not exist is an empty cell.
    """
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for heading, composition in table:
            for row in composition.rows:
                values = {**fields_of(row), **fields_of(heading)}
                writer.writerow([cell_text(values[name]) for name in COLUMNS])
