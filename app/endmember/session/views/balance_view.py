"""The mass balance of a map beside the bulk of the sample, as people read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from endmember.session.views.composition_view import ELEMENT, decimals_for, number_text
from endmember.session.views.element_table import NO_VALUE, Cell, ElementTable, Header

if TYPE_CHECKING:
    from endmember.session.statistics.mass_balances import ElementBalance, MassBalances

BULK, BULK_SIGMA = "bulk", "bulk_sigma"
"""The keys of the columns in which a person types."""
_TYPE = "type a number, or empty the cell"
HEADS = (
    ELEMENT,
    Header("whole", "whole map", "at.%", "the spectrum of all pixels that are not excluded"),
    Header("whole_sigma", "± stat.", "at.%", "one sigma from counting, of the whole map"),
    Header("phases", "phases", "at.%", "the phases, each with its part of the counts"),
    Header("phases_sigma", "± stat.", "at.%", "one sigma from counting, of the phases together"),
    Header(BULK, "bulk", "at.%", f"what is known of the whole sample: {_TYPE}"),
    Header(BULK_SIGMA, "± bulk", "at.%", f"one sigma of it: {_TYPE}"),
    Header("difference", "whole − phases", "at.%", "what the phases do not account for",
           lines="whole −\nphases"),
    Header("difference_sigma", "in σ", "", "the difference over its error: counting and k-factors. "
           "Above 3 a phase is missing, a mask holds another one, or absorption differs"),
    Header("bulk_difference", "whole − bulk", "at.%", "the whole map less the bulk",
           lines="whole −\nbulk"),
    Header("bulk_in_sigma", "in σ", "", "that difference over the errors of counting and of the "
           "bulk. Above 3 this map is not like the whole sample, or k-factors are off"),
)  # fmt: skip


def balance_table(
    found: MassBalances,
    map_name: str,
    bulk: Mapping[str, float],
    bulk_sigma: Mapping[str, float],
) -> ElementTable | str:
    """The balance of a map with the bulk as the recipe has it, which may be newer than `found`.

    A difference from the bulk is shown only where it was made from this bulk.
    """
    rows = [row for row in found.rows if row.map == map_name]
    if not rows:
        return "\n".join(found.warnings) or "There is no mass balance of this map."
    current = all(
        (row.bulk_atomic_percent, row.bulk_sigma)
        == (bulk.get(row.element), bulk_sigma.get(row.element))
        for row in rows
    )
    cells = tuple(_cells(row, bulk, bulk_sigma, current) for row in rows)
    return ElementTable(HEADS, cells, tuple(row.element for row in rows), ())


def _cells(
    row: ElementBalance, bulk: Mapping[str, float], bulk_sigma: Mapping[str, float], current: bool
) -> tuple[Cell, ...]:
    error = math.hypot(row.difference_sigma, row.difference_systematic)
    return (
        Cell(row.element),
        *_value(row.whole_atomic_percent, row.whole_sigma, row.whole_systematic),
        *_value(row.phases_atomic_percent, row.phases_sigma, row.phases_systematic),
        _typed(bulk.get(row.element)),
        _typed(bulk_sigma.get(row.element)),
        *_difference(row.difference, error, "counting and k-factors"),
        *_difference(
            row.bulk_difference if current else None,
            row.bulk_difference_sigma if current else None,
            "counting and bulk",
        ),
    )


def _value(value: float, sigma: float, systematic: float) -> tuple[Cell, Cell]:
    decimals = decimals_for(sigma, value)
    text = number_text(value, decimals)
    more = (
        f"{text} ± {number_text(sigma, decimals)} (counting) "
        f"± {number_text(systematic, decimals_for(systematic))} (k-factors) at.%"
    )
    return Cell(text, value, more), Cell(number_text(sigma, decimals), sigma, more)


def _difference(value: float | None, sigma: float | None, of: str) -> tuple[Cell, Cell]:
    if value is None:
        return Cell(""), Cell("")
    if not sigma:
        return Cell(number_text(value, 2), value), Cell(NO_VALUE)
    more = f"± {number_text(sigma, decimals_for(sigma))} at.%, {of}"
    return (
        Cell(number_text(value, decimals_for(sigma, value)), value, more),
        Cell(number_text(value / sigma, 1), value / sigma),
    )


def _typed(value: float | None) -> Cell:
    return Cell("" if value is None else f"{value:g}", value, _TYPE)
