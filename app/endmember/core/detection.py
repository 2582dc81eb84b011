"""When a line is seen, and how little of an element could be seen."""

# Currie (1968), Anal. Chem. 40, 586, with 5 % false alarms and 5 % misses.
CRITICAL = 1.645
"""L_C in units of s0, the scatter of the net area when the element is absent."""
QUANTIFIABLE = 10.0
"""Net area over its sigma from which a value counts as quantifiable."""
LOD_SIGMA = 3.0
"""The limit of detection in units of s0 (Chen et al. 2024; IUPAC)."""
