"""How many more counts an asked-for limit of detection or error needs: from today's spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Way = Literal["everything", "own pixels"]


@dataclass(frozen=True, slots=True)
class Noise:
    """What a figure is made of that falls with counts: `own` from the phase's own pixels, `fixed`
    from the matrix that was subtracted, as shares of the variance; they sum to 1.
    """

    own: float = 1.0
    fixed: float = 0.0


def times_needed(present: float, asked: float, noise: Noise, way: Way) -> float | None:
    """How many times the counts of today bring a figure from `present` to `asked`; None: never.

    A limit of detection 3 s0 a / sum n and a relative error s / N both have the variance of an area
    above and the counts of the phase, squared, below. With t times the counts the variance of the
    own pixels is t times as large and the square t^2 times, so that the figure's square is

        f(t)^2 = present^2 (own / t + fixed)          more pixels of this phase alone
        f(t)^2 = present^2 / t                        more of everything: maps, or minutes

    since N_p = N_m - a N_b, and a grows with the mixture while the spectrum b of the matrix stays
    as it is (`subtraction.subtract_areas`). Solved for t; below 1 if the figure is already better.

    Raises
    ------
    ValueError
        if a figure is not above 0.
    """
    if not (present > 0 and asked > 0):
        raise ValueError("a figure that is to be reached must be above 0, today and then")
    squared = (asked / present) ** 2
    if way == "everything":
        return 1.0 / squared
    left = squared - noise.fixed
    return noise.own / left if left > 0 else None
