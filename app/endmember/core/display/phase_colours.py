"""Colours by which phases are told apart, in the window and in figures."""

PHASE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Okabe & Ito's colours, told apart by colour-blind eyes; the matrix has the first."""


def colour_of(number: int) -> str:
    """The colour of a phase: 0 is the matrix, then the precipitates in the recipe's order."""
    return PHASE_COLOURS[number % len(PHASE_COLOURS)]
