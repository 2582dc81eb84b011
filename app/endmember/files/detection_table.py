"""Signal to noise and limits of detection as a table, beside the composition table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
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
    "background_spread_counts",
    "background_spread_sigma",
)

Spreads = Sequence[Mapping[str, tuple[float, float]]]
"""By composition, then by element: the spread over several backgrounds in counts and in sigma."""


def detection_csv_beside(path: Path) -> Path:
    """Where the table of detection goes beside a composition table: NAME_detection.csv."""
    return path.with_name(f"{path.stem}_detection{path.suffix or '.csv'}")


def write_detection_csv(path: Path, table: Table, spreads: Spreads) -> None:
    """Write one row for each composition and element, in the order of the composition table.

    `spreads` has an item for each composition; see `core.background_spread`. Limits in atomic ppm,
    see `core.detection`; numbers with 10 significant digits; a value that does not exist is an
    empty cell.
    """
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for (heading, composition), spread in zip(table, spreads, strict=True):
            for row in composition.rows:
                values = {**fields_of(row), **fields_of(heading)}
                counts, sigmas = spread.get(row.element, (None, None))
                values |= {"background_spread_counts": counts, "background_spread_sigma": sigmas}
                writer.writerow([cell_text(values[name]) for name in COLUMNS])
