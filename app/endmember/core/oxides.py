"""Usual oxides of the elements, for compositions in weight percent of oxides.

The convention of mineral and rock analyses (Deer, Howie & Zussman 2013, An Introduction to the
Rock-Forming Minerals): one oxide for each cation, whatever its valence in the sample; all iron as
FeO and all manganese as MnO. Oxygen follows from the cations and is not measured.
"""

from __future__ import annotations

from endmember.core.lines import atomic_mass

# Cations and oxygens in the formula.
# fmt: off
_BY_FORMULA = {
    (2, 1): ("Li", "Na", "K", "Rb", "Cs", "Tl"),
    (1, 1): ("Be", "Mg", "Ca", "Sr", "Ba", "Ra", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Cd", "Pb"),
    (2, 3): (
        "B", "Al", "Sc", "V", "Cr", "Ga", "Y", "In", "Sb", "Bi", "La", "Ce", "Pr", "Nd", "Pm",
        "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu",
    ),
    (1, 2): ("C", "Si", "Ti", "Ge", "Se", "Zr", "Sn", "Te", "Hf", "Th", "U", "Np", "Pu"),
    (2, 5): ("P", "As", "Nb", "Ta", "Pa"),
    (1, 3): ("S", "Mo", "W"),
}
# fmt: on
_OXIDES = {element: numbers for numbers, elements in _BY_FORMULA.items() for element in elements}


def oxide_formula(element: str) -> str | None:
    """The usual oxide of an element, such as "Al2O3"; None for O and elements without one."""
    if element not in _OXIDES:
        return None
    cations, oxygens = _OXIDES[element]
    return f"{element}{cations if cations > 1 else ''}O{oxygens if oxygens > 1 else ''}"


def oxide_mass(element: str) -> float:
    """Mass of the usual oxide in g per mol of the element: half that of Al2O3 for Al.

    Raises
    ------
    ValueError
        if the element has no usual oxide.
    """
    if element not in _OXIDES:
        raise ValueError(f"{element} has no usual oxide: give its weight percent as an element")
    cations, oxygens = _OXIDES[element]
    return atomic_mass(element) + atomic_mass("O") * oxygens / cations
