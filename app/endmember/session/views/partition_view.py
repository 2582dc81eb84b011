"""Partition coefficients, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from endmember.session.views.composition_view import (
    ELEMENT,
    decimals_for,
    entry_name,
    error_head,
    number_text,
)
from endmember.session.views.element_table import (
    NO_VALUE,
    Cell,
    ElementTable,
    Header,
    Pair,
    side_by_side,
)

if TYPE_CHECKING:
    from endmember.core.quantification.partition import Coefficient, PartitionCoefficient
    from endmember.files.tables.partition_table import PartitionEntry
    from endmember.session.steps.compositions import Entry

STATES = {
    "measured": ("measured", ""),
    "matrix_uncertain": (
        "matrix uncertain",
        "the matrix holds it with less than 5 sigma: the true error upwards is larger",
    ),
    "by_stoichiometry": ("by stoichiometry", "from the cations of both phases, not measured"),
    "below_limit": ("not detected", "not detected in the precipitate: an upper limit"),
    "assumed_absent": (
        "assumed absent",
        "the subtraction was scaled on it: zero by construction, proves nothing",
    ),
    "matrix_not_detected": (
        "not in the matrix",
        "not detected in the matrix, so that there is nothing to divide by",
    ),
    "not_measured": ("not measured", "no line in the energy range"),
}
OfPrecipitate = tuple["Entry", "PartitionEntry"]
"""The composition of a precipitate and its coefficients."""


def partition_table(pair: OfPrecipitate, *, by_weight: bool) -> ElementTable:
    """D of each element of one precipitate with its errors."""
    entry, found = pair
    basis = "by weight" if by_weight else "by atoms"
    of = f"{found.precipitate} / {found.matrix}"
    heads = (
        ELEMENT,
        Header("value", f"D {of}", basis, f"concentration in {found.precipitate} over that in "
               f"{found.matrix}, signed; below the limit: < the 95 % upper limit"),
        Header("sigma", "± stat.", basis, "one sigma from counting; the matrix spectrum, which "
               "stands in both, is carried"),
        Header("systematic", "± k-factor", basis, "one sigma from the k-factors: that of the "
               "element itself cancels, what is left comes from the others"),
        Header("limit", "95 % limit", basis, "upper limit where the element is not detected in "
               "the precipitate"),
        Header("state", "state", "", "whether the coefficient is a measured value", numeric=False),
    )  # fmt: skip
    rows = [_row(one, _of(one, by_weight)) for one in found.coefficients]
    elements = tuple(one.element for one in found.coefficients)
    return ElementTable(heads, tuple(rows), elements, (entry,) * len(heads))


def _of(one: PartitionCoefficient, by_weight: bool) -> Coefficient | None:
    return one.weight if by_weight else one.atomic


def _row(one: PartitionCoefficient, d: Coefficient | None) -> tuple[Cell, ...]:
    text, more = STATES[one.state]
    if d is None or d.sigma is None:
        empty = Cell("")
        return Cell(one.element), _value(one, d), empty, empty, empty, Cell(text, None, more)
    decimals = decimals_for(d.sigma, d.value)
    most = min(decimals_for(d.systematic), decimals + 1)
    limit = number_text(d.upper_limit, decimals_for(d.upper_limit))
    return (
        Cell(one.element),
        _value(one, d),
        Cell(number_text(d.sigma, decimals), d.sigma),
        Cell(number_text(d.systematic, most), d.systematic),
        Cell(limit, d.upper_limit),
        Cell(text, None, more),
    )


def _value(one: PartitionCoefficient, d: Coefficient | None) -> Cell:
    text, more = STATES[one.state]
    if d is None:
        return Cell(NO_VALUE, None, more)
    if d.sigma is None:
        return Cell(text, None, more)
    decimals = decimals_for(d.sigma, d.value)
    value = number_text(d.value, decimals)
    if d.upper_limit is None:
        return Cell(value, d.value, more)
    shown = f"< {number_text(d.upper_limit, decimals_for(d.upper_limit))}"
    return Cell(shown, d.value, f"{value} ± {number_text(d.sigma, decimals)}: {more}")


def partition_comparison(pairs: Sequence[OfPrecipitate], *, by_weight: bool) -> ElementTable:
    """Elements as rows, and for each precipitate a column of D and one of its error."""
    basis = "by weight" if by_weight else "by atoms"
    columns = []
    for entry, found in pairs:
        what = f"D {found.precipitate} / {found.matrix}"
        heads = _compared_head(entry, what, basis), error_head(entry, basis)
        cells = {one.element: _compared(one, by_weight) for one in found.coefficients}
        columns.append(Pair(entry, heads, cells))
    return side_by_side(ELEMENT, columns)


def _compared_head(entry: Entry, what: str, basis: str) -> Header:
    where = ", ".join((*((entry.label,) if entry.label else ()), entry_name(entry)[1]))
    title = f"{what}, {where}"
    return Header("value", title, basis, f"partition coefficient {title}", lines=f"{what}\n{where}")


def _compared(one: PartitionCoefficient, by_weight: bool) -> tuple[Cell, Cell]:
    d = _of(one, by_weight)
    if d is None or d.sigma is None or d.upper_limit is not None:
        return _value(one, d), Cell("")
    return _value(one, d), Cell(number_text(d.sigma, decimals_for(d.sigma, d.value)), d.sigma)
