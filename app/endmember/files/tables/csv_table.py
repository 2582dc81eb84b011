"""Tables as CSV: numbers with 10 significant digits, an empty cell where there is no value."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV: numbers with 10 significant digits, an empty cell where there is no value."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([cell_text(value) for value in row])


def fields_of(item: object) -> dict[str, object]:
    """The fields of a slotted dataclass by name, not copied deeply."""
    return {name: getattr(item, name) for name in getattr(item, "__dataclass_fields__", {})}


def cell_text(value: object) -> str:
    """A value as it stands in a CSV."""
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)
