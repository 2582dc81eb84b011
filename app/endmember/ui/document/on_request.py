"""Results that a person asks for: made in the worker thread, dropped when nobody wants them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from endmember.core.progress import Cancelled, Report
from endmember.session.state.session import Failure, Session
from endmember.session.statistics.requested_results import (
    LAST_STEP,
    TITLES,
    Question,
    RequestedResults,
    RequestName,
    is_finished,
    question_of,
    work_of,
)
from endmember.ui.document.runner import Runner

if TYPE_CHECKING:
    from endmember.session.steps.compositions import Compositions
    from endmember.session.views.robustness_view import KnownErrors


@dataclass(eq=False, slots=True)
class _Asked:
    """A question under way: how far it is, and the flag that ends it."""

    question: Question
    fraction: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)


class OnRequest(QObject):
    """One question of a kind at a time; a recipe that changes its subject ends it."""

    changed = pyqtSignal()
    """Something was asked, answered, refused or ended."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self.runner = runner
        self._session: Session | None = None
        self._results = RequestedResults()
        self._under_way: dict[RequestName, _Asked] = {}
        self._failures: dict[RequestName, tuple[Question, str]] = {}

    def follow(self, session: Session | None) -> None:
        """Today's document and recipe: what was asked about another one is ended."""
        if session is not self._session:
            self._session = session
            self._results.clear()
            self._failures.clear()
        for name, asked in list(self._under_way.items()):
            if session is None or asked.question.key != question_of(session, name).key:
                self.stop(name)

    @property
    def is_possible(self) -> bool:
        """Whether all is there that answers are made from."""
        return self._session is not None and is_finished(self._session)

    def ask(self, name: RequestName, replicates: int = 0) -> None:
        """Begin, before the next step; in place of what is under way."""
        if self._session is None or not self.is_possible:
            return
        self.stop(name)
        self._failures.pop(name, None)
        question = question_of(self._session, name, replicates)
        asked = self._under_way[name] = _Asked(question)
        work = partial(_answered, asked, work_of(self._session, question))
        self.runner.run_task(TITLES[name], work, partial(self._take, name, asked))
        self.changed.emit()

    def stop(self, name: RequestName) -> None:
        """End what is under way; nothing is kept of it."""
        asked = self._under_way.pop(name, None)
        if asked is not None:
            asked.stop.set()
            self.changed.emit()

    def fraction(self, name: RequestName) -> float | None:
        """How far it is, None if nothing is under way."""
        asked = self._under_way.get(name)
        return None if asked is None else asked.fraction

    def answer(self, name: RequestName) -> Any:
        """The answer about today's compositions, None if there is none."""
        return None if self._session is None else self._results.find(self._session, name)

    def known_errors(self, found: Compositions) -> KnownErrors:
        """What other masks and the bootstrap gave for these compositions, if they are today's."""
        session = self._session
        if session is None or session.result(LAST_STEP, session.recipe.map_names[0]) is not found:
            return None, None
        return self.answer("mask_spread"), self.answer("bootstrap")

    def failure(self, name: RequestName) -> str:
        """Why today's question has no answer; empty if it has, or nobody asked."""
        if self._session is None or name not in self._failures:
            return ""
        question, sentence = self._failures[name]
        return sentence if question.key == question_of(self._session, name).key else ""

    def _take(self, name: RequestName, asked: _Asked, value: Any) -> None:
        if self._under_way.get(name) is not asked:
            return  # ended, or asked anew
        del self._under_way[name]
        if isinstance(value, Failure):
            self._failures[name] = asked.question, value.message
        elif value is not None:
            self._results.keep(asked.question, value)
        self.changed.emit()


def _answered(asked: _Asked, work: Callable[[Report], Any], report: Report) -> Any:
    """Run in the worker thread: ends when its own flag, or that of the runner, is set."""

    def told(fraction: float) -> None:
        asked.fraction = fraction
        if asked.stop.is_set():
            raise Cancelled
        report(fraction)

    told(0.0)
    return work(told)
