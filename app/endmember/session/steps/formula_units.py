"""The formula units of a session's compositions, as the recipe scales them phase by phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from endmember.session.decisions.recipe import FormulaBases

if TYPE_CHECKING:
    from endmember.core.quantification.formula_units import FormulaUnit
    from endmember.session.steps.compositions import Compositions, Entry


def formula_unit_of(entry: Entry, bases: FormulaBases) -> FormulaUnit | None:
    """The formula unit of a composition, None where the recipe names no basis for its phase.

    Raises
    ------
    ValueError
        if the composition holds nothing that could be counted so.
    """
    from endmember.core.quantification.formula_units import basis_of, formula_unit

    text = bases.get(entry.phase)
    return None if text is None else formula_unit(entry.composition, basis_of(text))


def formula_units(
    found: Compositions, bases: FormulaBases
) -> tuple[list[tuple[Entry, FormulaUnit]], list[str]]:
    """All formula units of the compositions, and a sentence for each that cannot be made."""
    units, told = [], []
    for entry in found.entries:
        try:
            unit = formula_unit_of(entry, bases)
        except ValueError as error:
            told.append(f"{entry.place}: {error}")
            continue
        if unit is not None:
            units.append((entry, unit))
    return units, told
