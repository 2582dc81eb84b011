"""The tables over all maps of a batch: what became of each, and the compositions of all."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from endmember.files.disk.folders import complete_file
from endmember.files.tables.csv_table import fields_of, write_csv

COLUMNS = ("map", "state", "seconds", "warnings", "failure", "file", "drawings")


@dataclass(frozen=True, slots=True)
class BatchRow:
    """What became of one map: a row of the summary.

    `seconds` and `warnings` (their number) are None where there is no result; `drawings` is the
    recipe file whose drawings were taken.
    """

    map: str
    state: str
    seconds: float | None
    warnings: int | None
    failure: str
    file: str
    drawings: str


def write_batch_csv(path: Path, rows: Sequence[BatchRow]) -> None:
    """Write one row for each map, whole or not at all."""
    with complete_file(path) as part:
        write_csv(part, COLUMNS, ([fields_of(row)[name] for name in COLUMNS] for row in rows))


def join_csv(path: Path, tables: Sequence[Path]) -> None:
    """Write the rows of several CSV files with the same columns under one head, as they are.

    Without tables no file is written, and an earlier one is removed.

    Raises
    ------
    ValueError
        if the columns of two tables differ.
    """
    if not tables:
        path.unlink(missing_ok=True)
        return
    with complete_file(path) as part, part.open("wb") as joined:
        head = b""
        for table in tables:
            with table.open("rb") as rows:
                its_head = rows.readline()
                if not head:
                    head = its_head
                    joined.write(head)
                if its_head != head:
                    raise ValueError(
                        f"{table}: its columns are not those of the other maps; remove its folder "
                        "and run the batch again"
                    )
                shutil.copyfileobj(rows, joined)
