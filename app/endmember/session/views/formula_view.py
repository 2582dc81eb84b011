"""Atoms per formula unit, as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from endmember.session.views.composition_view import (
    UNITS,
    compared_head,
    decimals_for,
    error_head,
    number_text,
    state_text,
    value_cell,
)
from endmember.session.views.element_table import Cell, ElementTable, Header, Pair, side_by_side

if TYPE_CHECKING:
    from endmember.core.quantification.composition import Composition
    from endmember.core.quantification.formula_units import FormulaUnit
    from endmember.session.steps.compositions import Entry


CATIONS = "Σ cations"
FIXED = "what the formula unit is scaled to: without an error by definition"
BY_DEFINITION = 1e-9  # of a number: rounding leaves no smaller error
ATOMS_OF = Header("element", "element", "", "the element", numeric=False)


def formula_table(entry: Entry, unit: FormulaUnit) -> ElementTable:
    """Elements with their atoms per formula unit, and the sum of the cations."""
    of = f"atoms per {unit.basis}"
    heads = (
        ATOMS_OF,
        Header("atoms", of, "", f"{of}, signed also where the element is not detected"),
        Header("sigma", "± stat.", "", "one sigma from counting, correlations included"),
        Header("systematic", "± k-factor", "", "one sigma of what the k-factors may be wrong by"),
        Header("valence", "charge", "", "of one atom, as the valences say; -2 of oxygen"),
        Header("state", "state", "", "as in the table of the composition", numeric=False),
    )
    elements = [row.element for row in entry.composition.rows]
    rows = [_row(entry.composition, unit, element) for element in elements]
    return ElementTable(
        heads,
        (*rows, _cations(entry.composition, unit)),
        (*elements, CATIONS),
        (entry,) * len(heads),
    )


def _row(composition: Composition, unit: FormulaUnit, element: str) -> tuple[Cell, ...]:
    row = composition[element]
    if element not in unit.elements:
        empty = Cell("")
        return Cell(element), value_cell(row, UNITS["at.%"]), *(empty,) * 3, Cell(state_text(row))
    index = unit.elements.index(element)
    valence = float(composition.atoms.valences[index])
    charge = -2.0 if element == "O" else valence
    return (
        Cell(element),
        *_number_cells(float(unit.atoms[index]), float(unit.sigma[index])),
        _systematic_cell(float(unit.systematic[index]), float(unit.sigma[index])),
        Cell(f"{charge:+g}".replace("-", "−") if charge else "", charge or None),
        Cell(state_text(row)),
    )


def _cations(composition: Composition, unit: FormulaUnit) -> tuple[Cell, ...]:
    """The row of the sum over all cations, with its statistical error."""
    cations = (composition.atoms.valences > 0).astype(float)
    sigma = math.sqrt(max(float(cations @ unit.covariance @ cations), 0.0))
    cells = _number_cells(float(cations @ unit.atoms), sigma)
    return (Cell(CATIONS), *cells, Cell(""), Cell(""), Cell(""))


def _number_cells(value: float, sigma: float) -> tuple[Cell, Cell]:
    """Value and error; what the unit is scaled to has none."""
    if sigma < BY_DEFINITION * abs(value):
        return Cell(f"{value:g}", value, FIXED), Cell("", None, FIXED)
    decimals = decimals_for(sigma, value)
    return Cell(number_text(value, decimals), value), Cell(number_text(sigma, decimals), sigma)


def _systematic_cell(systematic: float, sigma: float) -> Cell:
    if systematic < BY_DEFINITION:
        return Cell("")
    most = decimals_for(sigma) + 1
    return Cell(number_text(systematic, min(decimals_for(systematic), most)), systematic)


def formula_comparison(units: Sequence[tuple[Entry, FormulaUnit]]) -> ElementTable:
    """Elements as rows, and of each entry a column of atoms and one of their errors."""
    pairs = []
    for entry, unit in units:
        per = f"per {unit.basis}"
        heads = compared_head(entry, "atoms", "atoms", per), error_head(entry, per)
        numbers = zip(unit.elements, unit.atoms.tolist(), unit.sigma.tolist(), strict=True)
        cells = {element: _number_cells(value, sigma) for element, value, sigma in numbers}
        pairs.append(Pair(entry, heads, cells))
    return side_by_side(ATOMS_OF, pairs)
