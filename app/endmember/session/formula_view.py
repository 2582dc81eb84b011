"""Atoms per formula unit, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from endmember.session.composition_view import (
    compared_heads,
    decimals_for,
    number_text,
    state_text,
)
from endmember.session.element_table import Cell, Column, ElementTable, Header, side_by_side

if TYPE_CHECKING:
    from endmember.core.formula_units import FormulaUnit
    from endmember.session.compositions import Entry


ATOMS_OF = Header("element", "element", "", "the element", numeric=False)


def formula_table(entry: Entry, unit: FormulaUnit) -> ElementTable:
    """Elements with their atoms per formula unit, and the sums over cations and oxygen."""
    of = f"atoms per {unit.basis}"
    heads = (
        ATOMS_OF,
        Header("atoms", of, "", f"{of}, signed also where the element is not detected"),
        Header("sigma", "± stat.", "", "one sigma from counting, correlations included"),
        Header("systematic", "± k-factor", "", "one sigma of what the k-factors may be wrong by"),
        Header("valence", "charge", "", "positive charges of one atom, as the valences say"),
        Header("state", "state", "", "as in the table of the composition", numeric=False),
    )
    composition = entry.composition
    rows = []
    for index, element in enumerate(unit.elements):
        value, sigma = float(unit.atoms[index]), float(unit.sigma[index])
        decimals = decimals_for(sigma, value)
        systematic = float(unit.systematic[index])
        most = min(decimals_for(systematic), decimals + 1)
        valence = float(composition.atoms.valences[index])
        charge = -2.0 if element == "O" else valence
        rows.append(
            (
                Cell(element),
                Cell(number_text(value, decimals), value),
                Cell(number_text(sigma, decimals), sigma),
                Cell(number_text(systematic, most), systematic),
                Cell(f"{charge:+g}".replace("-", "−") if charge else "", charge or None),
                Cell(state_text(composition[element])),
            )
        )
    return ElementTable(heads, tuple(rows), unit.elements, (entry,) * len(heads))


def formula_comparison(units: Sequence[tuple[Entry, FormulaUnit]]) -> ElementTable:
    """Elements as rows, and of each entry a column of atoms and one of their errors."""
    columns = []
    for entry, unit in units:
        heads = compared_heads(entry, "atoms", f"atoms per {unit.basis}", f"per {unit.basis}")
        cells = {}
        for element, value, sigma in zip(
            unit.elements, unit.atoms.tolist(), unit.sigma.tolist(), strict=True
        ):
            decimals = decimals_for(sigma, value)
            cells[element] = (
                Cell(number_text(value, decimals), value),
                Cell(number_text(sigma, decimals), sigma),
            )
        columns.append(Column(entry, heads, cells))
    return side_by_side(ATOMS_OF, columns)
