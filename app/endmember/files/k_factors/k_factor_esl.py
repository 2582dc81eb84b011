"""k-factors from a Bruker Esprit library of standards (.esl).

The format is not published. Known from the reader of pyTEMlib and the numbers it took from such a
file: XML whose root is TRTStandardLibrary; in it, in ClassInstance, an element CliffLorimerFactors
with K_Factors, L_Factors and M_Factors, each a list of numbers between commas. What is assumed:

- the place in a list is the atomic number, counted from 0, so that the first number is of nothing
  and Si is the 15th (in that file it is 1: the reference);
- 0 means that there is no factor;
- Header/PrimaryEnergy is the beam energy in keV;
- upper and lower case, "_" and "-" in names do not matter, and a list may be an attribute; between
  semicolons, a decimal comma is taken as such;
- neither basis nor line definition is stated, so both are asked.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from endmember.core.xrays.k_factors import GivenFactor, GivenFactors
from endmember.files.k_factors.factor_checks import Stated, element_of_number, positive_factor


def parse_esl(path: str | Path, content: bytes, stated: Stated) -> GivenFactors:
    """Read the Cliff-Lorimer factors of the K, L and M shells.

    Raises
    ------
    UnstatedError
        if basis or definition is not stated.
    ValueError
        if the file is no such library or cannot be used.
    """
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ValueError(
            f"{path}: the k-factors cannot be read, this is no valid XML ({error}): export the "
            "file again"
        ) from error
    holder = next((e for e in root.iter() if _plain(e.tag) == "clifflorimerfactors"), None)
    lists = {} if holder is None else _lists(holder)
    if not lists:
        raise ValueError(
            f"{path}: this XML holds no CliffLorimerFactors with K_Factors, L_Factors or "
            "M_Factors: give a library of Bruker Esprit with Cliff-Lorimer factors"
        )
    basis = stated.basis_of(str(path), None)
    definition = stated.definition_of(str(path), None)
    found = {
        (element, family): GivenFactor(family, value, basis, definition)
        for family, text in lists.items()
        for element, value in _factors(f"{path}, {family}_Factors", text).items()
    }
    return GivenFactors(found, Path(path).name, _beam_energy_keV(root))


def _plain(name: object) -> str:
    return re.sub(r"[^a-z]", "", str(name).rpartition("}")[2].lower())


def _lists(holder: ElementTree.Element) -> dict[str, str]:
    """The text of each shell's list by its letter."""
    named = [(_plain(name), text) for name, text in holder.attrib.items()]
    named += [(_plain(child.tag), child.text or "") for child in holder]
    return {
        name[0].upper(): text
        for name, text in named
        if name in ("kfactors", "lfactors", "mfactors") and text.strip()
    }


def _factors(where: str, text: str) -> dict[str, float]:
    decimal_comma = ";" in text
    cells = [cell.strip() for cell in text.strip().strip(",;").split(";" if decimal_comma else ",")]
    if decimal_comma:
        cells = [cell.replace(",", ".") for cell in cells]
    found = {}
    for number, cell in enumerate(cells):
        if _is_zero(cell):
            continue
        element = element_of_number(number) if number else None
        if element is None:
            raise ValueError(
                f"{where}: number {number + 1} of the list is {cell}, but entries are counted by "
                "atomic number from 0, and there is no such element: this list is of another kind, "
                "write the factors into a CSV (element,line,k,basis)"
            )
        found[element] = positive_factor(f"{where}, {element}", cell)
    return found


def _is_zero(cell: str) -> bool:
    try:
        return float(cell) == 0
    except ValueError:
        return False


def _beam_energy_keV(root: ElementTree.Element) -> float | None:
    for item in root.iter():
        if _plain(item.tag) == "primaryenergy":
            try:
                value = float((item.text or "").replace(",", "."))
            except ValueError:
                continue
            if math.isfinite(value) and value > 0:
                return value
    return None
