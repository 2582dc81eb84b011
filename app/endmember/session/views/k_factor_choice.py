"""Choosing where k-factors come from: what a file leaves open, and what is in use without hands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from endmember.files.k_factors.factor_checks import Statement
    from endmember.session.steps.compositions import Compositions


@dataclass(frozen=True, slots=True)
class FactorFile:
    """What a person must be asked about a file of k-factors, and what must be told of it."""

    silent_on: tuple[Statement, ...]
    warnings: tuple[str, ...]


def look_into(path: Path) -> FactorFile:
    """Read a file of k-factors as if nothing were stated about it.

    Raises
    ------
    ValueError
        if the file cannot be read or used, whatever is stated.
    """
    from endmember.files.k_factors.factor_checks import Stated, UnstatedError
    from endmember.files.k_factors.k_factor_file import read_k_factors

    silent_on: list[Statement] = []
    stated = Stated()
    while True:
        try:
            return FactorFile(tuple(silent_on), read_k_factors(path, stated).warnings)
        except UnstatedError as error:
            silent_on.append(error.missing)
            # any answer will do: the next reading finds what else is missing, or a fault
            if error.missing == "basis":
                stated = replace(stated, basis="weight")
            else:
                stated = replace(stated, definition="alpha")


def factors_in_use(found: Compositions) -> dict[str, float]:
    """The k-factors relative to Si of the elements without one by hand, as far as Si is measured.

    Of the first composition that has them: they differ only with the beam energy of the map.
    """
    from endmember.core.xrays.k_factors import BY_HAND, HAND_REFERENCE  # late: it loads tables

    factors: dict[str, float] = {}
    for entry in found.entries:
        rows = entry.composition.rows
        known = {row.element: row.k_factor for row in rows if row.k_factor}
        if HAND_REFERENCE not in known:
            continue
        for row in rows:
            if row.element in known and row.k_source != BY_HAND:
                factors.setdefault(row.element, known[row.element] / known[HAND_REFERENCE])
    return factors
