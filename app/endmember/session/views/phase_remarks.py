"""What is said of a precipitate: values with errors, purity, what is left, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from endmember.session.views.phase_views import SIGNIFICANT, PhaseView

if TYPE_CHECKING:  # slow libraries are imported where they are needed, not when a window starts
    from endmember.session.steps.separation import MapPhases

LEAST_IMPURITY = 1e-3  # of the counts: below, no remark is made of it


def with_error(value: float, sigma: float) -> str:
    """A value and its standard deviation, both to two digits of the latter."""
    if not np.isfinite(value) or not np.isfinite(sigma):
        return "not measured"
    if sigma <= 0:
        return f"{value:.4g}"
    decimals = min(max(1 - int(np.floor(np.log10(sigma))), 0), 9)
    return f"{value:,.{decimals}f} ± {sigma:,.{decimals}f}".replace("-", "−")


def left_sentence(view: PhaseView) -> str:
    """What remains of the absent element under a factor set by hand; empty where it is fitted."""
    left = view.left
    if left is None or not view.by_hand:
        return ""
    return (
        f"{left.label}: {with_error(left.area, left.sigma)} counts left "
        f"({left.in_sigma:+.1f} σ)".replace("-", "−")
    )


def purity_sentence(phases: MapPhases, name: str, matrix: str) -> tuple[str, bool]:
    """How pure the matrix is of a precipitate, in words, and whether that is a warning."""
    if name not in phases.purity:
        return f"Not measured: there is no subtracted spectrum of {name}.", False
    share, sigma = phases.purity[name]
    said = f"{with_error(100 * share, 100 * sigma)} % of the counts in the mask of {matrix} come "
    said += f"from {name}"
    if share > SIGNIFICANT * sigma and share > LEAST_IMPURITY:
        remedy = "Add a rectangle or paint it inside on the Masks page."
        return f"{said}: part of a precipitate lies outside its mask. {remedy}", True
    limit = 100 * (max(share, 0.0) + SIGNIFICANT * sigma)
    return (
        f"{said}, at most {limit:.2g} % (3 σ). This compares the matrix near the masks with that "
        "far from them; a precipitate far from every mask does not show in it."
    ), False


def remarks_about(phases: MapPhases, name: str, precipitates: Sequence[str]) -> tuple[str, ...]:
    """The warnings of the step that concern a precipitate, or none of them by name."""

    def names(precipitate: str, sentence: str) -> bool:
        return sentence.startswith(f'{precipitate} on map "') or f"% of {precipitate}:" in sentence

    others = [p for p in precipitates if p != name]
    return tuple(
        sentence
        for sentence in phases.warnings
        if names(name, sentence) or not any(names(other, sentence) for other in others)
    )
