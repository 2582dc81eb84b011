"""Results that are made on request and belong to a state of the recipe: found again after undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from endmember.session.state.session import Failure, Session

if TYPE_CHECKING:
    from endmember.core.progress import Report
    from endmember.session.state.steptable import Key

RequestName = Literal["snr_growth", "mask_spread", "bootstrap"]
TITLES: dict[RequestName, str] = {
    "snr_growth": "measuring parts of each phase",
    "mask_spread": "trying other masks",
    "bootstrap": "drawing counts anew",
}
assert tuple(TITLES) == get_args(RequestName)
NEEDED = ("read", "decomposition", "masks", "subtraction", "quantification")
KEPT = 6  # results of a kind, for undo
LAST_STEP = "quantification"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for, with how many replicates (bootstrap only), and of which compositions."""

    name: RequestName
    replicates: int
    key: Key


def is_finished(session: Session) -> bool:
    """Whether every map of today's recipe has all that requests are made from."""
    for step in NEEDED:
        for name in session.recipe.map_names:
            result = session.result(step, name)
            if result is None or isinstance(result, Failure):
                return False
    return True


def question_of(session: Session, name: RequestName, replicates: int = 0) -> Question:
    """The question about today's compositions: its key holds all that an answer depends on."""
    return Question(name, replicates, session.key(LAST_STEP, session.recipe.map_names[0]))


def work_of(session: Session, question: Question) -> Callable[[Report], Any]:
    """What answers a question from a session's results as they are now, in another thread.

    Raises
    ------
    ValueError
        when it is run, if nothing could be made.
    """
    twin = session.snapshot()

    def work(report: Report) -> Any:
        if question.name == "snr_growth":
            from endmember.session.statistics.snr_growth import snr_growth

            return snr_growth(twin, report)
        if question.name == "mask_spread":
            from endmember.session.statistics.mask_spread import mask_spread

            return mask_spread(twin, report)
        from endmember.session.statistics.bootstrap import bootstrap

        return bootstrap(twin, question.replicates, report)

    return work


class RequestedResults:
    """The newest answer of each kind for each state of the recipe; the oldest are dropped."""

    def __init__(self) -> None:
        self._kept: dict[RequestName, dict[Key, Any]] = {name: {} for name in TITLES}

    def keep(self, question: Question, answer: Any) -> None:
        """Keep an answer, in place of one with other replicates."""
        kept = self._kept[question.name]
        kept.pop(question.key, None)
        kept[question.key] = answer
        while len(kept) > KEPT:
            kept.pop(next(iter(kept)))

    def find(self, session: Session, name: RequestName) -> Any:
        """The answer about today's compositions, None if nobody asked."""
        return self._kept[name].get(question_of(session, name).key)

    def clear(self) -> None:
        """Keep nothing."""
        for kept in self._kept.values():
            kept.clear()
