"""Which of the candidates for the absent element to choose, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from endmember.core.fitting.absence import AbsentCandidate, rank_absent
from endmember.session.views.phase_views import SIGNIFICANT, PhaseView

if TYPE_CHECKING:  # slow libraries are imported where they are needed, not when a window starts
    from endmember.core.fitting.spectrum_fit import SpectrumFit


def unmeasured_candidates(
    matrix: SpectrumFit, elements: Sequence[str]
) -> tuple[AbsentCandidate, ...]:
    """The elements by how strong they are in the matrix, while there is no mixture to compare."""
    found = rank_absent(matrix, matrix, elements)
    ordered = sorted(found, key=lambda c: (not c.usable, -c.matrix_sigma))
    return tuple(replace(c, ratio=math.nan, sigma=math.nan) for c in ordered)


def _larger(first: AbsentCandidate, second: AbsentCandidate) -> float:
    """By how many sigma the ratio of the first exceeds that of the second."""
    sigma = float(np.hypot(first.sigma, second.sigma))
    return (first.ratio - second.ratio) / sigma if sigma > 0 else 0.0


def suggested(candidates: Sequence[AbsentCandidate]) -> AbsentCandidate | None:
    """The usable candidate to choose: the best known of those that may be the most absent.

    The smallest ratio belongs to the most absent element, but a weak line scatters below it. So
    all count as most absent whose ratio is not larger than another by 3 sigma, and of these the
    one with the smallest error scales the subtraction best. None where none is usable.
    """
    usable = [c for c in candidates if c.usable]
    most_absent = [c for c in usable if all(_larger(c, o) <= SIGNIFICANT for o in usable)]
    return min(most_absent, key=lambda c: c.sigma, default=None)


def better_than_chosen(view: PhaseView) -> AbsentCandidate | None:
    """The suggested candidate, if its ratio is smaller than that of the chosen one by 3 sigma."""
    best, chosen = suggested(view.candidates), view.chosen
    if best is None or chosen is None or not chosen.usable:
        return None
    return best if _larger(chosen, best) > SIGNIFICANT else None


def hint_about_absent(view: PhaseView) -> tuple[str, bool]:
    """What to say about the choice of the absent element, and whether it is a warning."""
    best, chosen, better = suggested(view.candidates), view.chosen, better_than_chosen(view)
    if not view.candidates:
        said = (
            "No element of the list has a measured line in both spectra: list the elements of the "
            "sample on the Map page."
        )
    elif not view.absent:
        proposal = f" {best.element} fits best." if best is not None else ""
        said = f"Choose the element that {view.name} does not contain.{proposal}"
    elif chosen is None:
        said = f"{view.absent} has no measured line in both spectra: choose another element."
    elif not chosen.usable:
        said = f"{chosen.why[0].upper()}{chosen.why[1:]}."
    elif better is not None:
        said = (
            f"{better.element} is more absent than {view.absent}: its ratio is smaller by "
            f"{_larger(chosen, better):.0f} sigma."
        )
        if not view.by_hand:
            said += f" Scaled on {view.absent}, too much is subtracted."
    else:
        return f"No element is significantly more absent than {view.absent}.", False
    return said, True
