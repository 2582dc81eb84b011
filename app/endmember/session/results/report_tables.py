"""The tables of a run as they stand in a report: rounded by their errors, with their units.

Every number keeps the one of the CSV behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from endmember.files.pictures.html_page import Cell, Column, Group, Number, Table
from endmember.files.tables.csv_table import fields_of
from endmember.session.views.composition_view import (
    STATES,
    decimals_for,
    entry_title,
    fit_sentence,
    notes,
    number_text,
)

if TYPE_CHECKING:
    from endmember.session.state.session import Session
    from endmember.session.steps.compositions import Entry

Row = Mapping[str, Any]


class Field(NamedTuple):
    """A column of a report: its head, the column of the CSV, and that of the error beside it."""

    title: str
    unit: str
    value: str
    error: str = ""
    numeric: bool = True


ELEMENT = Field("Element", "", "element", numeric=False)
LINE = Field("Line", "", "line", numeric=False)
STATE = Field("State", "", "detected", numeric=False)
COMPOSITION = (
    ELEMENT,
    LINE,
    Field("Net counts", "", "net_counts"),
    Field("Background", "counts", "background_counts"),
    Field("Content ± stat.", "at.%", "atomic_percent", "atomic_percent_sigma"),
    Field("± Poisson", "at.%", "atomic_percent_poisson"),
    Field("± k-factors", "at.%", "atomic_percent_systematic"),
    Field("Content ± stat.", "wt.%", "weight_percent", "weight_percent_sigma"),
    Field("k", "by weight", "k_factor"),
    Field("Absorption", "A", "absorption"),
    Field("SNR", "", "snr"),
    Field("LOD", "at. ppm", "lod_ppm"),
    STATE,
)
DETECTION = (
    ELEMENT,
    LINE,
    Field("Net ± stat.", "counts", "net_counts", "net_sigma"),
    Field("Background", "counts", "background_counts"),
    Field("SNR", "background", "snr"),
    Field("SNR", "residual", "snr_empirical"),
    Field("Critical level", "counts", "critical_counts"),
    Field("Detection limit", "counts", "detection_counts"),
    Field("LOD", "at. ppm", "lod_ppm"),
    Field("LOD as in the paper", "at. ppm", "lod_paper_ppm"),
    Field("Upper limit 95 %", "at. ppm", "upper_limit_ppm"),
    Field("Other backgrounds", "counts", "background_spread_counts"),
    Field("the same", "sigma", "background_spread_sigma"),
    STATE,
)
PARTITION = (
    ELEMENT,
    Field("D ± stat.", "by atoms", "d_atomic", "d_atomic_sigma"),
    Field("± k-factors", "by atoms", "d_atomic_systematic"),
    Field("Upper limit", "by atoms", "d_atomic_upper_limit"),
    Field("D ± stat.", "by weight", "d_weight", "d_weight_sigma"),
    Field("± k-factors", "by weight", "d_weight_systematic"),
    Field("Upper limit", "by weight", "d_weight_upper_limit"),
    Field("State", "", "state", numeric=False),
)
FORMULA = (
    ELEMENT,
    Field("Atoms ± stat.", "per formula unit", "atoms", "atoms_sigma"),
    Field("± k-factors", "per formula unit", "atoms_systematic"),
)
BALANCE = (
    ELEMENT,
    Field("Whole map ± stat.", "at.%", "whole_atomic_percent", "whole_sigma"),
    Field("± k-factors", "at.%", "whole_systematic"),
    Field("Sum of phases ± stat.", "at.%", "phases_atomic_percent", "phases_sigma"),
    Field("± k-factors", "at.%", "phases_systematic"),
    Field("Whole less phases ± stat.", "at.%", "difference", "difference_sigma"),
    Field("± k-factors", "at.%", "difference_systematic"),
    Field("Bulk ± 1 sigma", "at.%", "bulk_atomic_percent", "bulk_sigma"),
    Field("Whole less bulk", "at.%", "bulk_difference", "bulk_difference_sigma"),
)
CONSISTENCY = (
    ELEMENT,
    Field("Maps", "", "maps"),
    Field("Mean ± stat.", "at.%", "mean_atomic_percent", "mean_sigma"),
    Field("Chi-squared", "", "chi_squared"),
    Field("Degrees of freedom", "", "degrees_of_freedom"),
    Field("p", "", "p_value"),
    Field("p of all tests", "", "p_value_of_all"),
    Field("Farthest map", "", "farthest_map", numeric=False),
    Field("its distance", "sigma", "farthest_sigma"),
)
OUTLOOK = (
    ELEMENT,
    Field("Figure", "", "figure", numeric=False),
    Field("Present", "", "present"),
    Field("Asked for", "", "asked"),
    Field("State", "", "state", numeric=False),
    Field("Times the counts", "", "times_counts"),
    Field("Pixels now", "", "pixels_now"),
    Field("Pixels needed", "of this phase", "pixels_needed"),
    Field("Maps now", "", "maps_now"),
    Field("Maps needed", "", "maps_needed"),
    Field("Live time now", "minutes", "minutes_now"),
    Field("Live time needed", "minutes", "minutes_needed"),
)
GROWTH = (
    ELEMENT,
    Field("Pixels", "", "pixels"),
    Field("SNR", "", "snr"),
    Field("Root fitted", "SNR", "root_fit"),
    Field("SNR less root ± 1 sigma", "SNR", "residual", "residual_sigma"),
    Field("Coefficient k ± 1 sigma", "SNR per √pixel", "coefficient", "coefficient_sigma"),
    Field("Content ± stat.", "at.%", "atomic_percent", "atomic_percent_sigma"),
    Field("LOD", "at. ppm", "lod_ppm"),
)
SPREAD = (
    ELEMENT,
    Field("Content ± stat.", "at.%", "atomic_percent", "atomic_percent_sigma"),
    Field("Masks eroded", "at.%", "eroded"),
    Field("Masks dilated", "at.%", "dilated"),
    Field("Other rectangles", "at.%", "rectangles"),
    Field("Other seeds", "at.%", "seeds"),
    Field("Counting noise in these", "at.%", "noise"),
    Field("Masks' own error", "at.%", "systematic"),
)
BOOTSTRAP = (
    ELEMENT,
    Field("Content ± stat.", "at.%", "atomic_percent", "atomic_percent_sigma"),
    Field("Scatter ± 1 sigma", "at.%", "bootstrap_sigma", "bootstrap_sigma_error"),
    Field("Scatter over stated", "", "ratio"),
    Field("Shift of the mean", "at.%", "bootstrap_shift"),
    Field("Replicates", "", "replicates"),
)


def table_of(
    name: str,
    caption: str,
    fields: Sequence[Field],
    groups: Sequence[tuple[Cell, Sequence[Row], str]],
    *,
    wide: bool = False,
) -> Table:
    """A table from rows by column of the CSV; `groups` are heading, rows and note.

    Columns without any value are left out.
    """
    present = [
        f for f in fields if any(row.get(f.value) is not None for _, of, _ in groups for row in of)
    ]
    fields = present or fields
    columns = [Column(f.title, f.unit, f.numeric) for f in fields]
    made = [Group(head, [_cells(row, fields) for row in rows], note) for head, rows, note in groups]
    return Table(name, caption, columns, made, wide)


def _cells(row: Row, fields: Sequence[Field]) -> list[Cell]:
    return [cell_of(row, field) for field in fields]


def cell_of(row: Row, field: Field) -> Cell:
    """A value as it is shown, with its error where there is one; empty where it does not exist."""
    value = row.get(field.value)
    if value is None:
        return ""
    if isinstance(value, str):
        known = STATES.get(value) or FIGURES.get(value)
        return known or (value.replace("_", " ") if field.value == "state" else value)
    error = row.get(field.error) if field.error else None
    if error is None or not error > 0:
        return [rounded(value, None, field.value)]
    return [rounded(value, error, field.value), " ± ", rounded(error, error, field.error)]


def rounded(value: float, error: float | None, column: str) -> Number:
    """A number with the digits that its error leaves it; whole numbers as they are."""
    if isinstance(value, int):
        return Number(value, f"{value:,}", column)
    if error is None and value and abs(value) < SMALL:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        power = str(int(exponent)).translate(RAISED)
        return Number(value, f"{mantissa} × 10{power}".replace("-", "−"), column)
    digits = decimals_for(error, value)
    return Number(value, number_text(value, digits), column)


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FIGURES = {"lod_ppm": "LOD (at. ppm)", "relative_error_percent": "relative error (%)"}
SMALL = 1e-5  # without an error, numbers below are written as powers of ten


def _by(rows: Sequence[Row], *names: str) -> Iterator[tuple[str, list[Row]]]:
    """Rows one after the other that agree in these columns, with these as their heading."""
    for key, of in groupby(rows, key=lambda row: tuple(str(row[name]) for name in names)):
        yield ", ".join("all maps" if part == "sum" else part for part in key if part), list(of)


def _records(records: Sequence[object]) -> list[Row]:
    return [fields_of(record) for record in records]


def record_table(
    name: str, caption: str, fields: Sequence[Field], records: Sequence[object], *heads: str
) -> Table:
    """A table of records (see `files.tables.record_table`), grouped by the columns `heads`."""
    groups = [(head, rows, "") for head, rows in _by(_records(records), *heads)]
    return table_of(name, caption, fields, groups, wide=len(fields) > 8)


@dataclass(frozen=True, slots=True)
class EntryRows:
    """The rows of composition.csv and detection.csv of one entry."""

    entry: Entry
    composition: list[Row]
    detection: list[Row]


def entry_rows(session: Session) -> list[EntryRows]:
    """What the two CSVs hold, entry by entry."""
    from endmember.files.tables import composition_table, detection_table
    from endmember.session.results.result_tables import heading_of
    from endmember.session.state.session import Failure

    entries = session.result("quantification").entries
    spreads = session.result("background_spread")
    known = None if spreads is None or isinstance(spreads, Failure) else spreads.spreads
    found = []
    for number, entry in enumerate(entries):
        table = [(heading_of(entry), entry.composition)]
        spread = {} if known is None else known[number]
        compositions = composition_table.composition_rows(table)
        detections = detection_table.detection_rows(table, [spread])
        found.append(
            EntryRows(
                entry,
                [dict(zip(composition_table.COLUMNS, row, strict=True)) for row in compositions],
                [dict(zip(detection_table.COLUMNS, row, strict=True)) for row in detections],
            )
        )
    return found


def composition_report(found: Sequence[EntryRows]) -> Table:
    """All compositions in full, a group for each spectrum."""
    groups = [(_heading(one.entry), one.composition, _note(one.entry)) for one in found]
    caption = (
        "Compositions (composition.csv). Errors are one sigma: stat. from counting with "
        "background, overlapping lines and subtraction; Poisson is the content over the root of "
        "the net counts; k-factors is what the k-factors may be wrong by. What is not detected "
        "keeps its signed value."
    )
    return table_of("composition", caption, COMPOSITION, groups, wide=True)


def detection_report(found: Sequence[EntryRows]) -> Table:
    """Signal to noise and limits in full, a group for each spectrum."""
    groups = [(_heading(one.entry), one.detection, "") for one in found]
    caption = (
        "Detection (detection.csv). LOD: 3 sigma of the blank. Critical level and detection limit "
        "after Currie. Other backgrounds: by how much two other shapes of the background move the "
        "net counts."
    )
    return table_of("detection", caption, DETECTION, groups, wide=True)


def _note(entry: Entry) -> str:
    return f"{fit_sentence(entry)}; {'; '.join(notes(entry))}."


def _heading(entry: Entry) -> Cell:
    return [f"{entry_title(entry)}, ", rounded(entry.pixels, None, "pixels"), " pixels"]


def partition_report(session: Session) -> Table:
    """Partition coefficients, a group for each precipitate and place."""
    from endmember.files.tables.partition_table import COLUMNS, partition_rows

    found = partition_rows(session.result("partition"))
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in found]
    places = ("precipitate", "matrix", "map", "source", "region")
    groups = [(head, of, "") for head, of in _by(rows, *places)]
    caption = (
        "Partition coefficients D, precipitate over matrix (partition.csv). Errors carry the "
        "shared matrix spectrum."
    )
    return table_of("partition", caption, PARTITION, groups)


def formula_report(session: Session) -> Table | None:
    """Atoms per formula unit; None where no phase has one."""
    from endmember.files.tables.formula_table import COLUMNS, formula_rows
    from endmember.session.results.result_tables import heading_of
    from endmember.session.steps.formula_units import formula_units

    bases = session.recipe.sample.formula_unit
    units = formula_units(session.result("quantification"), bases)[0]
    found = formula_rows([(heading_of(entry), unit) for entry, unit in units])
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in found]
    if not rows:
        return None
    groups = [(head, of, "") for head, of in _by(rows, "phase", "source", "map", "region", "basis")]
    return table_of("formula_units", "Formula units (formula_units.csv).", FORMULA, groups)
