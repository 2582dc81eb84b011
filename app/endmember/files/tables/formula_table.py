"""Atoms per formula unit as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from endmember.core.quantification.formula_units import FormulaUnit
from endmember.files.tables.composition_table import Heading
from endmember.files.tables.csv_table import write_csv

COLUMNS = (
    "phase",
    "source",
    "map",
    "region",
    "basis",
    "element",
    "atoms",
    "atoms_sigma",
    "atoms_systematic",
)


def write_formula_csv(path: Path, table: Sequence[tuple[Heading, FormulaUnit]]) -> None:
    """Write one row for each formula unit and element; see `core.quantification.formula_units`.

    Numbers with 10 significant digits; errors one sigma, from counting and from the k-factors.
    """
    write_csv(path, COLUMNS, formula_rows(table))


def formula_rows(table: Sequence[tuple[Heading, FormulaUnit]]) -> list[tuple[object, ...]]:
    """The cells of `COLUMNS`, one row for each formula unit and element."""
    return [
        (of.phase, of.source, of.map, of.label, unit.basis, element, float(n), float(s), float(k))
        for of, unit in table
        for element, n, s, k in zip(
            unit.elements, unit.atoms, unit.sigma, unit.systematic, strict=True
        )
    ]
