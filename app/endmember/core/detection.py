"""When a line is seen, and how little of an element could be seen."""

# Currie (1968), Anal. Chem. 40, 586, with 5 % false alarms and 5 % misses.
CRITICAL = 1.645
"""L_C in units of s0, the scatter of the net area when the element is absent."""
QUANTIFIABLE = 10.0
"""Net area over its sigma from which a value counts as quantifiable."""
LOD_SIGMA = 3.0
"""The limit of detection in units of s0 (Chen et al. 2024; IUPAC)."""


def detection_limit_counts(blank_sigma: float) -> float:
    """L_D = 2.71 + 3.29 s0 in counts: the area found in 95 of 100 cases (Currie 1968, eq. 12)."""
    return 2.71 + 2 * CRITICAL * blank_sigma
