"""Usual valences and oxides of the elements: oxygen by stoichiometry, weight percent of oxides.

The convention of mineral and rock analyses (Deer, Howie & Zussman 2013, An Introduction to the
Rock-Forming Minerals): one oxide for each cation, whatever its valence in the sample; all iron as
FeO and all manganese as MnO. A valence given by hand replaces the usual one; it may be a mean, such
as 2.6 for iron of which 60 % is trivalent.

A cation of valence v takes v / 2 oxygens, so that the charges balance: oxygen "by stoichiometry"
(Van Grieken & Markowicz 2002, Handbook of X-Ray Spectrometry; Goldstein et al. 2018, ch. 19).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from endmember.core.xrays.lines import atomic_mass

LARGEST_VALENCE = 8
# fmt: off
_BY_VALENCE = {
    1: ("Li", "Na", "K", "Rb", "Cs", "Tl"),
    2: ("Be", "Mg", "Ca", "Sr", "Ba", "Ra", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Cd", "Pb"),
    3: (
        "B", "Al", "Sc", "V", "Cr", "Ga", "Y", "In", "Sb", "Bi", "La", "Ce", "Pr", "Nd", "Pm",
        "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu",
    ),
    4: ("C", "Si", "Ti", "Ge", "Se", "Zr", "Sn", "Te", "Hf", "Th", "U", "Np", "Pu"),
    5: ("P", "As", "Nb", "Ta", "Pa"),
    6: ("S", "Mo", "W"),
}
# fmt: on
_USUAL = {element: valence for valence, elements in _BY_VALENCE.items() for element in elements}


def check_valences(valences: Mapping[str, float]) -> None:
    """Raise ValueError if a valence given by hand cannot be one."""
    for element, valence in valences.items():
        if not (math.isfinite(valence) and 0 < valence <= LARGEST_VALENCE):
            raise ValueError(
                f"the valence of {element} is {valence:g}, but must lie above 0 and at most at "
                f"{LARGEST_VALENCE}: correct it or leave it out"
            )
        if element == "O":
            raise ValueError(
                "the valence of O cannot be set: oxygen balances the cations; give theirs"
            )


def valence_of(element: str, by_hand: Mapping[str, float] | None = None) -> float | None:
    """Positive charges of a cation: `by_hand` or the usual; None for O and where none is usual."""
    if by_hand and element in by_hand:
        return float(by_hand[element])
    usual = _USUAL.get(element)
    return None if usual is None else float(usual)


def oxide_formula(element: str, by_hand: Mapping[str, float] | None = None) -> str | None:
    """The oxide of an element, such as "Al2O3"; None for O and elements without one.

    A valence by hand that is no whole number is written as oxygens per cation: "FeO1.3".
    """
    valence = valence_of(element, by_hand)
    if valence is None:
        return None
    if valence % 2 == 1:
        return f"{element}2O{valence:g}" if valence > 1 else f"{element}2O"
    oxygens = valence / 2
    return f"{element}O" if oxygens == 1 else f"{element}O{oxygens:g}"


def oxide_mass(element: str, by_hand: Mapping[str, float] | None = None) -> float:
    """Mass of the oxide in g per mol of the element: half that of Al2O3 for Al.

    Raises
    ------
    ValueError
        if the element has no usual oxide and no valence by hand.
    """
    valence = valence_of(element, by_hand)
    if valence is None:
        raise ValueError(f"{element} has no usual oxide: give its weight percent as an element")
    return atomic_mass(element) + atomic_mass("O") * valence / 2
