"""What every file of k-factors is checked for, and what is asked where a file is silent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

from endmember.core.xrays.cross_sections import atomic_number
from endmember.core.xrays.k_factors import Basis
from endmember.core.xrays.lines import Definition

Statement = Literal["basis", "definition"]


class UnstatedError(ValueError):
    """A file of k-factors is silent about something, and nobody states it: what is `missing`."""

    def __init__(self, missing: Statement, sentence: str) -> None:
        super().__init__(sentence)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Stated:
    """What a person states about a file of k-factors; None where nothing is stated.

    A file that says the same itself is believed, one that says otherwise refused.
    """

    basis: Basis | None = None
    definition: Definition | None = None

    def basis_of(self, where: str, found: Basis | None) -> Basis:
        """The basis of the factors.

        Raises
        ------
        UnstatedError
            if neither the file nor the person says it.
        ValueError
            if both do and differ.
        """
        return _settled(
            found,
            self.basis,
            "basis",
            f"{where}: the file does not say whether its k-factors are by weight or by atoms, "
            "which differ by the ratio of the atomic masses: state "
            'k_factor_basis = "weight" or "atomic" under [quantification] '
            "(--k-factor-basis on the command line)",
            f'{where}: the k-factors are on the basis "{found}", but k_factor_basis says '
            f'"{self.basis}": leave k_factor_basis out',
        )

    def definition_of(self, where: str, found: Definition | None) -> Definition:
        """Whether the factors belong to alpha lines or to whole families.

        Raises
        ------
        UnstatedError
            if neither the file nor the person says it.
        ValueError
            if both do and differ.
        """
        return _settled(
            found,
            self.definition,
            "definition",
            f"{where}: the file does not say whether its k-factors belong to the counts of the "
            "alpha line or of the whole family, which differ by up to nearly a factor of 2: state "
            'k_factor_definition = "alpha" or "family" under [quantification] '
            "(--k-factor-definition on the command line)",
            f'{where}: the k-factors are those of "{found}", but k_factor_definition says '
            f'"{self.definition}": leave k_factor_definition out',
        )


Said = TypeVar("Said", bound=str)


def _settled(
    found: Said | None, stated: Said | None, what: Statement, unsaid: str, differing: str
) -> Said:
    """What a file says or, where it is silent, a person; ValueError with one of the sentences."""
    settled = found or stated
    if settled is None:
        raise UnstatedError(what, unsaid)
    if stated not in (None, settled):
        raise ValueError(differing)
    return settled


def positive_factor(where: str, text: object) -> float:
    """A k-factor or cross section from a cell.

    Raises
    ------
    ValueError
        if it is not a positive number.
    """
    value = math.nan
    if isinstance(text, str | int | float) and not isinstance(text, bool):
        try:
            value = float(text)
        except (ValueError, OverflowError):
            value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f'{where}: the k-factor "{text}" is not a positive number: correct it')
    return value


def known_element(where: str, symbol: str) -> str:
    """The symbol itself; ValueError if there is no such element."""
    try:
        atomic_number(symbol)
    except ValueError:
        raise ValueError(
            f'{where}: "{symbol}" is not an element: give a chemical symbol such as Mg'
        ) from None
    return symbol


def element_of_number(number: int) -> str | None:
    """The symbol of the element with this atomic number, None if there is none."""
    import xraylib

    try:
        return str(xraylib.AtomicNumberToSymbol(number))
    except ValueError:
        return None
