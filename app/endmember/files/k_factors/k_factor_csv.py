"""k-factors as a plain CSV, the format of this program."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from endmember.core.xrays.k_factors import Basis, GivenFactor, GivenFactors, KFactorTable
from endmember.core.xrays.lines import Definition, emission_lines
from endmember.files.k_factors.factor_checks import (
    Stated,
    UnstatedError,
    known_element,
    positive_factor,
)
from endmember.files.tables.csv_table import write_csv

REQUIRED = ("element", "line", "k")
HEADER = "element,line,k,basis"
LINES: dict[str, tuple[str, Definition]] = {
    **{f"{family}a": (family, "alpha") for family in "KLM"},
    **{family: (family, "family") for family in "KLM"},
}
_BASES: dict[str, Basis] = {"weight": "weight", "atomic": "atomic"}
_DETECTOR = {"inside": True, "none": False}
_ANY_BEAM_keV = 200.0  # whether an element has a line at all does not depend on it


def parse_plain_csv(path: str | Path, text: str, stated: Stated) -> GivenFactors:
    """Read the columns element, line, k, basis; the factors must share one reference.

    `line` is Ka, La or Ma for the alpha line, K, L or M for the whole family; `basis` weight or
    atomic, and may be missing where it is stated. Understood where they are there: `detector`
    (inside or none; inside without the column), `reference`, `beam_energy_keV`.

    Raises
    ------
    UnstatedError
        if nothing says the basis.
    ValueError
        if a column is missing or a row cannot be used.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    for name in REQUIRED:
        if name not in reader.fieldnames:
            raise ValueError(
                f"{path}: the k-factors lack the column {name}: the first line must read {HEADER}"
            )
    if "basis" not in reader.fieldnames and stated.basis is None:
        raise UnstatedError(
            "basis",
            f"{path}: the k-factors lack the column basis: add it with weight or atomic, or state "
            'k_factor_basis = "weight" or "atomic" under [quantification] '
            "(--k-factor-basis on the command line)",
        )
    found: dict[tuple[str, str], GivenFactor] = {}
    same: dict[str, str] = {}
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        element, factor = _factor(where, _cell_of(row), stated, "basis" in reader.fieldnames)
        if (element, factor.family) in found:
            raise ValueError(f"{where}: {element} {factor.family}a comes twice: keep one row")
        found[element, factor.family] = factor
        for name in ("reference", "beam_energy_keV"):
            _check_same(where, name, _cell_of(row)(name), same)
    beam = same.get("beam_energy_keV", "")
    return GivenFactors(
        found, Path(path).name, positive_factor(f"{path}: beam_energy_keV", beam) if beam else None
    )


def _cell_of(row: dict[str, str]) -> Callable[[str], str]:
    return lambda name: (row.get(name) or "").strip()


def _check_same(where: str, name: str, value: str, same: dict[str, str]) -> None:
    """What must stand in every row alike, since factors are meaningful only together."""
    if value != (first := same.setdefault(name, value)):
        raise ValueError(
            f'{where}: the {name} "{value}" differs from "{first}" above: give all k-factors of a '
            "file for one reference and one beam energy"
        )


def _factor(
    where: str, cell: Callable[[str], str], stated: Stated, has_basis: bool
) -> tuple[str, GivenFactor]:
    line = cell("line")
    if line not in LINES:
        raise ValueError(
            f'{where}: the line "{line}" is not one of Ka, La, Ma (alpha line) or K, L, M (whole '
            "family): write one"
        )
    family, definition = LINES[line]
    basis = None
    if has_basis:
        basis = _BASES.get(cell("basis"))
        if basis is None:
            raise ValueError(
                f'{where}: the basis "{cell("basis")}" is neither weight nor atomic: say which, '
                "since the two differ by the ratio of the atomic masses"
            )
    detector = cell("detector") or "inside"
    if detector not in _DETECTOR:
        raise ValueError(
            f'{where}: the detector "{detector}" is neither inside nor none: say whether the '
            "k-factor holds the detector efficiency"
        )
    value = positive_factor(where, cell("k"))
    element = known_element(where, cell("element"))
    if not any(x.family == family and x.alpha for x in emission_lines(element, _ANY_BEAM_keV)):
        raise ValueError(
            f"{where}: {element} has no {family}a line: give the factor of a line that it has"
        )
    return element, GivenFactor(
        family,
        value,
        stated.basis_of(where, basis),
        stated.definition_of(where, definition),
        _DETECTOR[detector],
    )


def write_plain_csv(path: Path, table: KFactorTable) -> None:
    """Write computed k-factors so that `read_k_factors` takes them back, to 10 digits."""
    alpha = "a" if table.definition == "alpha" else ""
    columns = (
        *HEADER.split(","),
        "reference",
        "detector",
        "beam_energy_keV",
        "energy_keV",
        "cross_section_cm2",
        "detector_efficiency",
        "systematic_percent",
    )
    rows = (
        (
            row.element,
            f"{row.family}{alpha}",
            row.k,
            table.basis,
            f"{table.reference} {table.reference_family}{alpha}",
            "none" if table.detector is None else "inside",
            table.beam_energy_keV,
            row.energy_keV,
            row.cross_section_cm2,
            row.efficiency,
            100 * row.systematic,
        )
        for row in table.rows
    )
    write_csv(path, columns, rows)
