"""A live request is asked once, and only the newest answer of a kind is taken."""

from __future__ import annotations

from typing import Any

import pytest

from endmember.session.state.session import Failure
from endmember.ui.document.requests import Requests, quietly
from held_requests import Held


class View:
    """Takes answers, and is told of failures."""

    def __init__(self) -> None:
        self.thread = Held()
        self.requests = Requests(self.thread.runner, lambda text: self.told.append(text))
        self.told: list[str] = []
        self.taken: list[Any] = []

    def ask(self, slot: str, *of: object) -> bool:
        return self.requests.ask(slot, of, lambda: of, self.taken.append)


@pytest.fixture
def view() -> View:
    return View()


def test_the_same_question_is_asked_once_also_when_it_is_answered(view: View) -> None:
    one = [1]  # lists are the same only if they are the same object
    assert view.ask("map", one, "text", 2, (3, 4))
    assert not view.ask("map", one, "te" + "xt", 2, (3, 4))
    view.thread.answer()
    assert not view.ask("map", one, "text", 2, (3, 4))
    assert view.taken == [(one, "text", 2, (3, 4))]
    assert view.ask("map", [1], "text", 2, (3, 4))


@pytest.mark.parametrize("newest_first", [False, True])
def test_only_the_newest_answer_of_a_slot_is_taken(view: View, newest_first: bool) -> None:
    view.ask("map", "A")
    view.ask("spectrum", "A")
    view.ask("map", "B")
    view.thread.answer(newest_first=newest_first)
    assert sorted(view.taken) == [("A",), ("B",)]
    assert not view.requests.is_waiting("map")


def test_a_question_asked_again_after_another_is_answered_by_its_own_answer(view: View) -> None:
    view.ask("map", "A")
    view.ask("map", "B")
    view.ask("map", "A")
    view.thread.answer()
    assert view.taken == [("A",)]


def test_what_is_forgotten_is_not_taken_and_may_be_asked_anew(view: View) -> None:
    view.ask("map", "A")
    view.ask("spectrum", "A")
    assert view.requests.is_waiting("map")
    view.requests.forget("map")
    assert not view.requests.is_waiting("map")
    assert view.ask("map", "A")
    view.requests.forget()
    view.thread.answer()
    assert view.taken == []


def test_a_failure_is_told_once_and_not_tried_again(view: View) -> None:
    def fails() -> None:
        raise ValueError("no channel lies there")

    aside: list[str] = []
    view.requests.ask("map", (1,), fails, view.taken.append)
    view.requests.ask("lines", (1,), fails, view.taken.append, failed=aside.append)
    view.requests.ask("help", (1,), fails, view.taken.append, failed=quietly)
    view.thread.answer()
    assert view.told == aside == ["no channel lies there"]
    assert view.taken == []
    assert not view.requests.ask("map", (1,), fails, view.taken.append)


def test_the_failure_of_an_overtaken_question_is_not_told(view: View) -> None:
    view.requests.ask("map", (1,), lambda: Failure("late", True), view.taken.append)
    view.ask("map", 2)
    view.thread.answer()
    assert view.told == []
