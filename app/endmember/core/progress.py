"""How long work tells where it is, and is told to stop."""

from collections.abc import Callable
from itertools import pairwise

Report = Callable[[float], None]
"""Called with the fraction done, 0 to 1; raises `Cancelled` when the work is no longer wanted."""


class Cancelled(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The work was stopped because nobody wants its result any more."""


def silent(fraction: float) -> None:
    """Report to nobody."""


def part_of(report: Report, low: float, high: float) -> Report:
    """What a part of the work, from `low` to `high` of the whole, is to report to."""
    return lambda fraction: report(low + (high - low) * fraction)


def parts_of(report: Report, number: int) -> list[Report]:
    """The same for `number` equal parts of the whole work."""
    edges = [part / number for part in range(number + 1)]
    return [part_of(report, low, high) for low, high in pairwise(edges)]
