"""k-factors from a file."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from endmember.core.k_factors import GivenFactor

COLUMNS = ("element", "line", "k", "basis")
FAMILIES = {"Ka": "K", "La": "L", "Ma": "M"}
BASES = ("weight", "atomic")


def read_k_factors(path: str | Path) -> dict[str, GivenFactor]:
    """Read a CSV with the columns element, line (Ka, La or Ma), k, basis (weight or atomic).

    The factors must share one reference; which one does not matter, since only their ratios count.

    Raises
    ------
    ValueError
        if the file cannot be read, lacks a column, or a row cannot be used.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, skipinitialspace=True)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ValueError(
                    f"{path}: the k-factors lack the column {missing[0]}: the first line must "
                    f"read {','.join(COLUMNS)}"
                )
            found = {}
            for row in reader:
                element, factor = _factor(path, reader.line_num, row)
                if element in found:
                    raise ValueError(
                        f"{path}, line {reader.line_num}: {element} comes twice: keep one row"
                    )
                found[element] = factor
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path}: the k-factors cannot be read ({error}): check the file"
        ) from error
    return found


def _factor(path: str | Path, line: int, row: dict[str, str]) -> tuple[str, GivenFactor]:
    element, family, number, basis = ((row.get(name) or "").strip() for name in COLUMNS)
    where = f"{path}, line {line}"
    if family not in FAMILIES:
        raise ValueError(f'{where}: the line "{family}" is not one of Ka, La, Ma: write one')
    if basis not in BASES:
        raise ValueError(
            f'{where}: the basis "{basis}" is neither weight nor atomic: say which, since the two '
            "differ by the ratio of the atomic masses"
        )
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f'{where}: the k-factor "{number}" is not a positive number: correct it')
    return element, GivenFactor(FAMILIES[family], value, basis)
