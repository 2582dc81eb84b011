"""Do several measurements of one quantity agree within their errors?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ALARM = 1e-3
"""The chance that any of all tests of a table is called a disagreement though there is none."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Measurements x_m +- s_m against their mean, weighted by 1 / s^2.

    `chi_squared` = sum ((x_m - mean) / s_m)^2 with `degrees_of_freedom` = measurements - 1;
    `p_value` the chance of at least as much were all the same. `farthest` is the number of the
    measurement that lies farthest from the others, `farthest_sigma` its distance from their mean in
    units of the error of that difference.
    """

    mean: float
    mean_sigma: float
    chi_squared: float
    degrees_of_freedom: int
    p_value: float
    farthest: int
    farthest_sigma: float


def agreement(values: Sequence[float], sigmas: Sequence[float]) -> Agreement | None:
    """The chi-squared test of homogeneity of independent values with known errors (Cochran 1954,
    Biometrics 10, 101); None for fewer than two.

    Raises
    ------
    ValueError
        if an error is not above 0.
    """
    from scipy.special import gammaincc

    x, s = np.asarray(values, np.float64), np.asarray(sigmas, np.float64)
    if len(x) < 2:
        return None
    if not (s > 0).all():
        raise ValueError("an error is not above 0: test only values that were measured")
    weights = 1.0 / s**2
    total = float(weights.sum())
    mean = float(weights @ x) / total
    pulls = (x - mean) / s
    statistic = float(pulls @ pulls)
    # x_m less the mean of the others is (x_m - mean) / r, of variance s^2 / r, r = 1 - w_m / W
    alone = pulls / np.sqrt(1.0 - weights / total)
    farthest = int(np.argmax(np.abs(alone)))
    freedom = len(x) - 1
    return Agreement(
        mean,
        total**-0.5,
        statistic,
        freedom,
        float(gammaincc(freedom / 2, statistic / 2)),
        farthest,
        float(alone[farthest]),
    )


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Each p-value for so many tests together: p n, at most 1.

    Bonferroni's inequality: the chance that any of them falls below a level is at most that level,
    however the tests depend on each other (elements of one phase do, by the closure).
    """
    return [min(p * len(p_values), 1.0) for p in p_values]
