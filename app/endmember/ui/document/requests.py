"""Live requests of one view: each asked once, and only the newest answer of a kind is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from endmember.session.state.session import Failure
from endmember.ui.document.page import is_same_state
from endmember.ui.document.runner import Runner, Then

Tell = Callable[[str], None]


def quietly(_: str) -> None:
    """Tell no failure: for what is only a help."""


@dataclass(eq=False, slots=True)
class _Question:
    """What was asked, compared by identity."""

    of: tuple[object, ...]
    answered: bool = False


class Requests:
    """Asks the thread for live requests; `tell` is given the sentence of what failed.

    Not for what follows the mouse: there an answer is wanted that a newer question has overtaken.
    """

    def __init__(self, runner: Runner, tell: Tell = quietly) -> None:
        self._runner, self._tell = runner, tell
        self._newest: dict[str, _Question] = {}

    def ask(
        self,
        slot: str,
        of: tuple[object, ...],
        work: Callable[[], Any],
        then: Then,
        failed: Tell | None = None,
    ) -> bool:
        """Give `then` what `work` returns, unless something else is asked in the slot until then.

        `of` are the objects that the question is about: the same question is asked once, and what
        is returned says whether it was new. `failed` is told of a failure instead of what this was
        made with. `work` runs in another thread and must only return its value.
        """
        known = self._newest.get(slot)
        if known is not None and is_same_state(of, known.of):
            return False
        question = self._newest[slot] = _Question(of)

        def take(value: Any) -> None:
            if self._newest.get(slot) is not question:
                return
            question.answered = True
            if isinstance(value, Failure):
                (failed or self._tell)(value.message)
            else:
                then(value)

        self._runner.ask(slot, work, take)
        return True

    def is_waiting(self, slot: str) -> bool:
        """Whether an answer is still to come."""
        question = self._newest.get(slot)
        return question is not None and not question.answered

    def forget(self, *slots: str) -> None:
        """Drop what is under way, in these slots or in all: it may be asked anew."""
        for slot in slots or tuple(self._newest):
            self._newest.pop(slot, None)
