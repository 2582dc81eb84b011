"""The letters that say which axis of an array is which, and what is asked where nobody did."""

from __future__ import annotations

AXIS_LETTERS = {"y": "rows", "x": "columns", "E": "energy", "s": "summed over"}
ASKS = "choose the dataset"  # by which a sentence is known that asks for one
FEWEST_AXES, MOST_AXES = 3, 6


def why_no_axes(axes: str) -> str:
    """The end of a sentence where letters are no axes of a map, else empty."""
    if not FEWEST_AXES <= len(axes) <= MOST_AXES or set(axes) - set(AXIS_LETTERS):
        return "must have a letter for each axis: y rows, x columns, E energy, s summed over"
    if any(axes.count(letter) != 1 for letter in "yxE"):
        return 'must have y, x and E once each, as in "yxE"'
    return ""


def asks_for_dataset(sentence: str | None) -> bool:
    """Whether a sentence says that a dataset has to be chosen."""
    return sentence is not None and ASKS in sentence
