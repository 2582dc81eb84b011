"""The tables of results as files, the same from `endmember run` and from the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from endmember.session.decisions.recipe import Goal
from endmember.session.results.result_workbook import write_workbook_of
from endmember.session.steps.formula_units import formula_units
from endmember.session.views.composition_tables import TableKind

if TYPE_CHECKING:
    from endmember.core.quantification.cliff_lorimer import Composition
    from endmember.core.quantification.formula_units import FormulaUnit
    from endmember.files.tables.composition_table import Heading
    from endmember.session.state.session import Session
    from endmember.session.steps.compositions import Entry

WORKBOOK = "composition.xlsx"
FILES: dict[TableKind, str] = {
    "composition": "composition.csv",
    "detection": "detection.csv",
    "partition": "partition.csv",
    "formula": "formula_units.csv",
}


def composition_table(session: Session) -> list[tuple[Heading, Composition]]:
    """All compositions of a finished session with their headings."""
    entries = session.result("quantification").entries
    return [(heading_of(entry), entry.composition) for entry in entries]


def heading_of(entry: Entry) -> Heading:
    """What a composition belongs to, as the tables head it."""
    from endmember.files.tables.composition_table import Heading

    return Heading(entry.phase, entry.source, entry.map, entry.pixels, entry.label)


def write_statistics(session: Session, folder: Path) -> tuple[str, ...]:
    """Write the tables on several maps, on the mass balance, and on goals, where there are any.

    Returns what has to be told.
    """
    from endmember.files.tables.record_table import write_records
    from endmember.session.statistics.map_consistency import ElementConsistency, map_consistency
    from endmember.session.statistics.mass_balances import ElementBalance, mass_balances
    from endmember.session.statistics.outlooks import Outlook, outlooks

    found, recipe = session.result("quantification"), session.recipe
    if len(recipe.maps) > 1:
        rows = map_consistency(found, recipe.sample.matrix)
        write_records(folder / "consistency.csv", ElementConsistency, rows)
    balances = mass_balances(session)
    write_records(folder / "mass_balance.csv", ElementBalance, balances.rows)
    if recipe.goal != Goal():
        write_records(folder / "outlook.csv", Outlook, outlooks(session))
    return balances.warnings


def write_tables(session: Session, folder: Path) -> None:
    """Write every table of a finished session into `folder`, and a workbook that holds them all.

    That of the formula units is there only where there is one.
    """
    for kind, file in FILES.items():
        if kind != "formula" or _formula_units(session):
            write_table(session, kind, folder / file)
    write_workbook_of(
        folder / WORKBOOK,
        session,
        composition_table(session),
        [(heading_of(entry), unit) for entry, unit in _formula_units(session)],
    )


def write_table(session: Session, kind: TableKind, path: Path) -> None:
    """Write one of the tables, `kind` being a key of `FILES`."""
    writers: dict[TableKind, Callable[[Session, Path], None]] = {
        "composition": _composition,
        "detection": _detection,
        "partition": _partition,
        "formula": _formula,
    }
    writers[kind](session, path)


def _composition(session: Session, path: Path) -> None:
    from endmember.files.tables.composition_table import write_composition_csv

    write_composition_csv(path, composition_table(session))


def _detection(session: Session, path: Path) -> None:
    from endmember.files.tables.detection_table import write_detection_csv

    spreads = session.result("background_spread").spreads
    write_detection_csv(path, composition_table(session), spreads)


def _partition(session: Session, path: Path) -> None:
    from endmember.files.tables.partition_table import write_partition_csv

    write_partition_csv(path, session.result("partition"))


def _formula(session: Session, path: Path) -> None:
    from endmember.files.tables.formula_table import write_formula_csv

    units = _formula_units(session)
    write_formula_csv(path, [(heading_of(entry), unit) for entry, unit in units])


def _formula_units(session: Session) -> list[tuple[Entry, FormulaUnit]]:
    bases = session.recipe.sample.formula_unit
    return formula_units(session.result("quantification"), bases)[0]
