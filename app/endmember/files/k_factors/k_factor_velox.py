"""k-factors as Velox exports them.

Known from an export of a Spectra 300 in the public data of pyTEMlib (k-factors-Spectra300UTK200keV
.csv): a heading with the columns "Line identifier" and "K-factor", a row of units ("-,eV,counts,-,
-"), then one row a line such as Fe-Ka1 or Fe-Kb1. There, lines of one shell share one factor, and
B Ka1 has 1. Neither basis nor line definition is stated, so both are asked.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from endmember.core.xrays.k_factors import GivenFactor, GivenFactors
from endmember.files.k_factors.factor_checks import Stated, known_element, positive_factor

_ALPHA = re.compile(r"([KLM])(?:a1?)?$")  # K, Ka, Ka1; the other lines say nothing new
_LINE = re.compile(r"[KLMN][a-z]?\d*$")


def is_velox(text: str) -> bool:
    """Whether the first line of a table names a column K-factor."""
    return _column(_cells(text.partition("\n")[0], _delimiter(text))) is not None


def parse_velox_csv(path: str | Path, text: str, stated: Stated) -> GivenFactors:
    """Read the rows of alpha lines (Fe-Ka1, Fe-Ka or Fe-K); all other lines are passed over.

    Raises
    ------
    UnstatedError
        if basis or definition is not stated.
    ValueError
        if a row cannot be used.
    """
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    place = _column([cell.strip() for cell in next(reader)])
    assert place is not None  # `is_velox` saw it
    basis = stated.basis_of(str(path), None)
    definition = stated.definition_of(str(path), None)
    found: dict[tuple[str, str], GivenFactor] = {}
    for cells in reader:
        row = [cell.strip() for cell in cells]
        name = row[0] if row else ""
        number = row[place] if place < len(row) else ""
        if name in ("", "-"):  # an empty line, or that of the units
            continue
        where = f"{path}, line {reader.line_num}"
        symbol, _, line = name.partition("-")
        if not _LINE.match(line):
            raise ValueError(
                f'{where}: "{name}" is not an element and a line such as Fe-Ka1: correct it'
            )
        value = positive_factor(where, number)
        element = known_element(where, symbol)
        if not (alpha := _ALPHA.match(line)):
            continue
        factor = GivenFactor(alpha[1], value, basis, definition)
        if found.setdefault((element, alpha[1]), factor) != factor:
            raise ValueError(f"{where}: {element} {alpha[1]}a comes twice: keep one row")
    if not found:
        raise ValueError(f"{path}: no row is of an alpha line such as Fe-Ka1: export them all")
    return GivenFactors(found, Path(path).name)


def _delimiter(text: str) -> str:
    heading = text.partition("\n")[0]
    return max(",;\t", key=heading.count)


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _column(heading: list[str]) -> int | None:
    for place, name in enumerate(heading):
        if place and re.sub(r"[^a-z]", "", name.lower()) in ("kfactor", "kfactors"):
            return place
    return None
