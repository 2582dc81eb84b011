"""The tables that the compositions of a session give, one chosen at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from endmember.session.decisions.recipe import FormulaBases
from endmember.session.steps.formula_units import formula_unit_of, formula_units
from endmember.session.views.composition_view import Unit, comparison_table, entry_key, entry_table
from endmember.session.views.detection_view import detection_comparison, detection_table
from endmember.session.views.formula_view import formula_comparison, formula_table
from endmember.session.views.partition_view import (
    OfPrecipitate,
    partition_comparison,
    partition_table,
)
from endmember.session.views.robustness_view import KnownErrors, with_known_errors

if TYPE_CHECKING:
    from endmember.core.quantification.background_spread import Spread
    from endmember.files.tables.partition_table import PartitionEntry
    from endmember.session.steps.background_spreads import BackgroundSpreads
    from endmember.session.steps.compositions import Compositions, Entry
    from endmember.session.views.element_table import ElementTable

TableKind = Literal["composition", "detection", "partition", "formula"]
TITLES: dict[TableKind, str] = {
    "composition": "Composition",
    "detection": "Detection",
    "partition": "Partition",
    "formula": "Formula unit",
}
assert tuple(TITLES) == get_args(TableKind)
NO_FORMULA = (
    "Say what the formula unit of {phase} is scaled to: a number of oxygens, such as 3 for a "
    "perovskite, or of cations."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which table is wanted, and the results it is made from.

    `entry` is the composition chosen, None for several side by side: all, or those of `phase`;
    `before` the results shown before; `spreads` and `partitions`, made from `found`, are None until
    they are known and a sentence where they could not be made; `instrument` adds instrument lines,
    `errors` what was asked for of other masks and of the bootstrap.
    """

    kind: TableKind
    entry: Entry | None
    found: Compositions
    before: Compositions | None
    unit: Unit
    instrument: bool
    spreads: BackgroundSpreads | str | None
    partitions: tuple[PartitionEntry, ...] | str | None
    bases: FormulaBases
    phase: str = ""
    errors: KnownErrors = (None, None)


def table_of(asked: Asked) -> ElementTable | str:
    """The table that is wanted, or a sentence on why there is none."""
    makers = {
        "composition": _composition,
        "detection": _detection,
        "partition": _partition,
        "formula": _formula,
    }
    return makers[asked.kind](asked)


def is_written(asked: Asked) -> bool:
    """Whether there is anything to write into the file of this kind of table."""
    if asked.kind == "detection":
        return asked.spreads is not None and not isinstance(asked.spreads, str)
    if asked.kind == "partition":
        return asked.partitions is not None and not isinstance(asked.partitions, str)
    return asked.kind != "formula" or bool(formula_units(asked.found, asked.bases)[0])


def _compared(asked: Asked) -> list[Entry]:
    shown = [entry for entry in asked.found.entries if entry.source != "mixture"]
    own = [entry for entry in shown if asked.phase in ("", entry.phase)]
    # of one phase its maps and their sum stand beside each other, regions after them
    return sorted(own, key=lambda e: e.source != "mask") if asked.phase else own


def _composition(asked: Asked) -> ElementTable:
    if asked.entry is None:
        return comparison_table(_compared(asked), asked.unit)
    key = entry_key(asked.entry)
    before = None if asked.before is None else with_key(asked.before, key)
    table = entry_table(asked.entry, asked.unit, before, instrument=asked.instrument)
    if asked.unit.value != "atomic_percent":  # the errors asked for are known in atoms only
        return table
    return with_known_errors(table, asked.entry, asked.unit.factor, *asked.errors)


def with_key(found: Compositions, key: object) -> Entry | None:
    """The entry with this key, None if there is none."""
    return next((entry for entry in found.entries if entry_key(entry) == key), None)


def _detection(asked: Asked) -> ElementTable:
    if asked.entry is None:
        return detection_comparison(_compared(asked), asked.unit)
    return detection_table(asked.entry, asked.unit, _spread(asked, asked.entry))


def _spread(asked: Asked, entry: Entry) -> Spread | str | None:
    if asked.spreads is None or isinstance(asked.spreads, str):
        return asked.spreads
    return asked.spreads.spreads[asked.found.entries.index(entry)]


def _partition(asked: Asked) -> ElementTable | str:
    if asked.partitions is None:
        return "The partition coefficients are being computed."
    if isinstance(asked.partitions, str):
        return asked.partitions
    entries = {entry_key(entry): entry for entry in asked.found.entries}
    pairs: list[OfPrecipitate] = [
        (entries[key], one)
        for one in asked.partitions
        if (key := (one.precipitate, one.source, one.map, one.region)) in entries
    ]
    if not pairs:
        return "There is no precipitate yet whose elements could be compared with the matrix."
    by_weight = asked.unit.value != "atomic_percent"
    for pair in pairs:
        if pair[0] is asked.entry:
            return partition_table(pair, by_weight=by_weight)
    return partition_comparison(pairs, by_weight=by_weight)


def _formula(asked: Asked) -> ElementTable | str:
    if asked.entry is None:
        units, told = formula_units(asked.found, asked.bases)
        if not units:
            return "\n".join(told) or NO_FORMULA.format(phase="each phase")
        return formula_comparison(units)
    if asked.entry.source == "mixture":
        return "A mixture of two phases has no formula unit: choose one of the phases."
    try:
        unit = formula_unit_of(asked.entry, asked.bases)
    except ValueError as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    if unit is None:
        return NO_FORMULA.format(phase=asked.entry.phase)
    return formula_table(asked.entry, unit)
