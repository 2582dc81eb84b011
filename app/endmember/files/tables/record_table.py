"""Tables whose columns are the fields of a record."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from endmember.files.tables.csv_table import fields_of, write_csv

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def write_records(path: Path, kind: type[DataclassInstance], records: Sequence[object]) -> None:
    """Write one row for each record, a dataclass `kind` whose fields are the columns, in order.

    Numbers with 10 significant digits, an empty cell for None; the head alone without records.
    """
    columns = [field.name for field in dataclasses.fields(kind)]
    write_csv(path, columns, [list(fields_of(record).values()) for record in records])
