"""How absent from a precipitate each element is: candidates for scaling the subtraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # slow libraries are imported where they are needed, not when a window starts
    from endmember.core.fitting.spectrum_fit import SpectrumFit


@dataclass(frozen=True, slots=True)
class AbsentCandidate:
    """An element as a candidate for the absent one.

    `ratio` = N_mixture(X) / N_matrix(X) of its alpha areas, the factor at which no X is left, and
    `sigma` its standard deviation. `matrix_sigma` is the area in the matrix over its own standard
    deviation. `why` is empty, or the sentence that says why X is not `usable`.
    """

    element: str
    ratio: float
    sigma: float
    matrix_sigma: float
    usable: bool
    why: str


def rank_absent(
    mixture: SpectrumFit, matrix: SpectrumFit, elements: Sequence[str]
) -> tuple[AbsentCandidate, ...]:
    """`elements` by how absent from the precipitate they are, the most absent first.

    With m = a b + p and no negative areas in p, every ratio r_X = N_m(X) / N_b(X) is a + N_p(X) /
    N_b(X) >= a: the largest factor that leaves no element negative is the smallest ratio, and it
    belongs to the element of which the precipitate holds least. Elements that are too weak in the
    matrix to scale a subtraction stand last; those without a measured line in both spectra are left
    out. sigma^2 = (sigma_m^2 + r^2 sigma_b^2) / N_b^2, as that of the factor in `subtract`.
    """
    found = [_candidate(mixture, matrix, element) for element in elements]
    return tuple(
        sorted(
            (candidate for candidate in found if candidate is not None),
            key=lambda candidate: (not candidate.usable, candidate.ratio),
        )
    )


def _candidate(mixture: SpectrumFit, matrix: SpectrumFit, element: str) -> AbsentCandidate | None:
    from endmember.core.fitting.subtraction import STRONG_ENOUGH

    family = mixture.family_of(element)
    if family is None:
        return None
    m, b = mixture.find(element, family), matrix.find(element, family)
    if m is None or b is None:
        return None
    area, variance = float(matrix.areas[b]), float(matrix.covariance[b, b])
    significance = area / float(np.sqrt(variance)) if variance > 0 else 0.0
    usable = significance >= STRONG_ENOUGH
    if area == 0.0:
        ratio = sigma = float("inf")
    else:
        ratio = float(mixture.areas[m]) / area
        sigma = float(np.sqrt(mixture.covariance[m, m] + ratio**2 * variance)) / abs(area)
    return AbsentCandidate(
        element,
        ratio,
        sigma,
        significance,
        usable,
        "" if usable else _why(element, significance, STRONG_ENOUGH),
    )


def _why(element: str, significance: float, least: float) -> str:
    return (
        f"{element} stands at {significance:.1f} sigma in the matrix, and at least "
        f"{least:g} are needed to scale the subtraction: choose an element that the matrix "
        "holds and the precipitate does not"
    )
