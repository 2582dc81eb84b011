"""How long work tells where it is, and is told to stop."""

from collections.abc import Callable

Report = Callable[[float], None]
"""Called with the fraction done, 0 to 1; raises `Cancelled` when the work is no longer wanted."""


class Cancelled(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The work was stopped because nobody wants its result any more."""


def silent(fraction: float) -> None:
    """Report to nobody."""
