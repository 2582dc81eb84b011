"""Whether the maps of a recipe agree on each phase, within what counting allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from endmember.core.quantification.consistency import ALARM, adjusted, agreement

if TYPE_CHECKING:
    from endmember.core.quantification.consistency import Agreement
    from endmember.session.steps.compositions import Compositions, Entry


@dataclass(frozen=True, slots=True)
class ElementConsistency:
    """One row of consistency.csv: an element of a phase over the maps that measured it.

    `p_value_of_all` is `p_value` for all tests of the table together, see
    `core.quantification.consistency`. Percentages are atomic, errors statistical. `farthest_map`
    lies `farthest_sigma` from the mean of the others.
    """

    phase: str
    source: str
    element: str
    maps: int
    mean_atomic_percent: float
    mean_sigma: float
    chi_squared: float
    degrees_of_freedom: int
    p_value: float
    p_value_of_all: float
    farthest_map: str
    farthest_sigma: float


def map_consistency(found: Compositions, matrix: str) -> tuple[ElementConsistency, ...]:
    """Each element of each phase over the maps: by masks, and by regions where they are drawn.

    Tested are masks (source "mask"), regions of precipitates after the conventional subtraction
    ("conventional") and regions of the matrix ("roi"); mixtures hold other shares of the matrix on
    each map. Only statistical errors count: those of the k-factors are the same on all maps. What
    differs in thickness and is not corrected for shows as a disagreement, and should.
    """
    by_spectrum: dict[tuple[str, str], list[Entry]] = {}
    single = [e for e in found.entries if e.source == "mask" and e.map != "sum"]
    regions = [e for e in found.united if (e.source == "roi") == (e.phase == matrix)]
    for entry in (*single, *regions):
        by_spectrum.setdefault((entry.phase, entry.source), []).append(entry)
    tests = [
        (phase, source, element, maps, test)
        for (phase, source), entries in by_spectrum.items()
        for element, maps, test in _tests(entries)
    ]
    of_all = adjusted([test.p_value for *_, test in tests])
    return tuple(
        ElementConsistency(
            phase,
            source,
            element,
            len(maps),
            test.mean,
            test.mean_sigma,
            test.chi_squared,
            test.degrees_of_freedom,
            test.p_value,
            p_of_all,
            maps[test.farthest],
            test.farthest_sigma,
        )
        for (phase, source, element, maps, test), p_of_all in zip(tests, of_all, strict=True)
    )


def _tests(entries: Sequence[Entry]) -> list[tuple[str, list[str], Agreement]]:
    """The elements of one kind of spectrum with the maps that measured them."""
    done = []
    for row in entries[0].composition.rows:
        rows = [(entry.map, entry.composition[row.element]) for entry in entries]
        measured = [
            (name, one.atomic_percent, one.atomic_percent_sigma)
            for name, one in rows
            if one.atomic_percent is not None and one.atomic_percent_sigma
        ]
        test = agreement([x for _, x, _ in measured], [s for *_, s in measured])
        if test is not None:
            done.append((row.element, [name for name, *_ in measured], test))
    return done


def consistency_sentences(rows: Sequence[ElementConsistency]) -> list[str]:
    """One warning for each phase and source on which the maps do not agree."""
    by_spectrum: dict[tuple[str, str], list[ElementConsistency]] = {}
    for row in rows:
        if row.p_value_of_all < ALARM:
            by_spectrum.setdefault((row.phase, row.source), []).append(row)
    told = []
    for (phase, source), failed in by_spectrum.items():
        worst = min(failed, key=lambda row: row.p_value)
        elements = ", ".join(row.element for row in failed)
        told.append(
            f"the maps do not agree on {elements} in {phase} ({source}) within their counting "
            f'errors (p = {worst.p_value_of_all:.1g} for all {len(rows)} tests together): "'
            f'{worst.farthest_map}" lies {abs(worst.farthest_sigma):.1f} sigma from the others in '
            f"{worst.element}; look at its masks and its thickness before you use the sum"
        )
    return told
