"""Line cross sections as JSON, as espm, emtables and pyTEMlib use them.

The shape: {"table": {"26": {"KL3": {"energy": 6.4039, "cs": 6.6e-23}, ...}}, "metadata":
{"beam_energy": 200}}; the outer "table" may be missing, an element be named by its symbol, a line
by Siegbahn's name, and a cross section be a bare number. They are emission cross sections per atom
without detector, so basis and definition are certain: only their ratios count, and atomic masses
are those of this program, not the older ones of espm.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from endmember.core.xrays.k_factors import GivenFactor, GivenFactors
from endmember.core.xrays.lines import ALPHA_LINES, detected_cross_section_cm2
from endmember.files.k_factors.factor_checks import (
    Stated,
    element_of_number,
    known_element,
    positive_factor,
)

_SIEGBAHN = {
    "Ka1": "KL3",
    "Ka2": "KL2",
    "La1": "L3M5",
    "La2": "L3M4",
    "Ma1": "M5N7",
    "Ma2": "M5N6",
}
_WHOLE = {"Ka": "K", "La": "L", "Ma": "M"}
_SCALE = 1e-24  # per barn: numbers near one
_DIFFERENT = 0.01


def parse_espm(path: str | Path, content: bytes, stated: Stated) -> GivenFactors:
    """Sum the cross sections of each alpha line: amounts are counts over cross section.

    Raises
    ------
    ValueError
        if this is no such table, or a cross section is not a positive number.
    """
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: the k-factors cannot be read, this is no valid JSON ({error}): export the "
            "file again"
        ) from error
    table = document.get("table", document) if isinstance(document, dict) else None
    found = {}
    for key, lines in table.items() if isinstance(table, dict) else ():
        if isinstance(lines, dict) and key != "metadata":
            element = _element(str(path), key)
            for family, sigma in _alpha(f"{path}, {element}", lines).items():
                found[element, family] = sigma
    if not found:
        raise ValueError(
            f'{path}: this JSON holds no cross sections of alpha lines, as in {{"table": {{"26": '
            '{"KL3": {"cs": 6.6e-23}}}}: give a table of line cross sections'
        )
    basis = stated.basis_of(str(path), "atomic")
    definition = stated.definition_of(str(path), "alpha")
    factors = {
        place: GivenFactor(place[1], _SCALE / sigma, basis, definition, detector_inside=False)
        for place, sigma in found.items()
    }
    beam = _beam_energy_keV(document)
    return GivenFactors(factors, Path(path).name, beam, (_warning(path, found, beam),))


def _element(path: str, key: str) -> str:
    if key.isdigit():
        element = element_of_number(int(key))
        if element is None:
            raise ValueError(f"{path}: there is no element with the atomic number {key}")
        return element
    return known_element(path, key)


def _alpha(where: str, lines: Mapping[str, Any]) -> dict[str, float]:
    """The cross section of the alpha line by family: its two parts, or the line as a whole."""
    found: dict[str, float] = {}
    for name, entry in lines.items():
        line = _SIEGBAHN.get(name, name.replace("-", ""))
        family = _WHOLE.get(name) or next((f for f, of in ALPHA_LINES.items() if line in of), None)
        if family is not None:
            value = entry.get("cs") if isinstance(entry, dict) else entry
            found[family] = found.get(family, 0.0) + positive_factor(f"{where} {name}", value)
    return found


def _beam_energy_keV(document: Mapping[str, Any]) -> float | None:
    metadata = document.get("metadata")
    value = metadata.get("beam_energy") if isinstance(metadata, dict) else None
    known = isinstance(value, int | float) and math.isfinite(value) and value > 0
    return float(value) if known and value is not None else None


def _warning(
    path: str | Path, found: Mapping[tuple[str, str], float], beam_energy_keV: float | None
) -> str:
    """What such tables deserve: most of them carry a wrong sign in Bote's formula."""
    told = (
        f"{Path(path).name}: tables of this kind, as in espm, evaluate the formula of Bote et al. "
        "(2009) at high overvoltage with the wrong sign of the relativistic exponent, which makes "
        "k of Fe about 4 % too high at 200 kV"
    )
    if beam_energy_keV and {("Fe", "K"), ("Si", "K")} <= set(found):
        try:
            own = detected_cross_section_cm2("Si", "K", beam_energy_keV)
            own /= detected_cross_section_cm2("Fe", "K", beam_energy_keV)
        except ValueError:  # a beam energy that the table here does not hold
            return f'{told}: prefer k_factors = "computed"'
        ratio = found["Si", "K"] / found["Fe", "K"] / own
        told += f"; here k of Fe relative to Si is {100 * (ratio - 1):+.1f} % off the computed one"
        if abs(ratio - 1) < _DIFFERENT:
            return f"{told}, so this table does not have that fault"
    return f'{told}: prefer k_factors = "computed"'
