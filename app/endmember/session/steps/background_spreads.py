"""How much the shape chosen for the background moves each composition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from endmember.core.progress import Report, parts_of
from endmember.core.quantification.background_spread import (
    Spread,
    composition_spread,
    spread_sentence,
)
from endmember.core.xrays.artefact_peaks import Artefacts
from endmember.core.xrays.detector import Detector
from endmember.session.steps.compositions import Compositions


@dataclass(frozen=True, eq=False, slots=True)
class BackgroundSpreads:
    """The spread of each entry of the compositions, in their order, and what has to be told."""

    spreads: tuple[Spread, ...]
    warnings: tuple[str, ...]


def background_spreads(
    report: Report,
    found: Compositions,
    system_elements: Iterable[str],
    detector: Detector,
    artefacts: Artefacts,
) -> BackgroundSpreads:
    """Fit the spectrum of each composition with other backgrounds; `report` is called before each.

    The conventional subtraction works on areas, not on a spectrum that could be fitted again: it
    has no spread. Where another background cannot be fitted, that is told.
    """
    system = tuple(system_elements)
    spreads: list[Spread] = []
    told: list[str] = []
    for entry, within in zip(found.entries, parts_of(report, len(found.entries)), strict=True):
        within(0.0)
        spread: Spread = {}
        if entry.source != "conventional":
            try:
                spread = composition_spread(entry.composition, system, detector, artefacts, within)
            except np.linalg.LinAlgError:  # a ValueError, but a fault of the program
                raise
            except ValueError as error:
                told.append(f"{entry.place}: no other background could be fitted: {error}")
        spreads.append(spread)
        if (sentence := spread_sentence(spread)) is not None:
            told.append(f"{entry.place}: {sentence}")
    report(1.0)
    return BackgroundSpreads(tuple(spreads), tuple(told))
