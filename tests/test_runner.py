"""Work in threads: what is wanted is done, what is not wanted stops."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from endmember.core.progress import Report
from endmember.session.decisions.recipe import Decomposition, MapInput, Recipe, Sample, changed
from endmember.session.state.session import Failure, Session
from endmember.session.state.steptable import MapStep, StepTable
from endmember.ui.document.runner import STOPPED, Runner


def recipe(components: int = 1) -> Recipe:
    return Recipe(
        format="endmember-recipe-1",
        maps=(MapInput(file="a.hspy", name="a"),),
        decomposition=Decomposition(components=components),
        sample=Sample(matrix="M", elements=()),
    )


class Gate:
    """A step that waits inside, reporting, until it is let through."""

    def __init__(self) -> None:
        self.inside, self.open = threading.Event(), threading.Event()
        self.calls: list[int] = []

    def run(self, report: Report, components: int) -> tuple[str, int]:
        self.calls.append(components)
        self.inside.set()
        while not self.open.wait(0.002):
            report(0.5)
        return ("waited", components)


@pytest.fixture
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.close()


def session_of(gate: Gate) -> Session:
    def fail(*_: Any) -> Any:
        raise ValueError("the ring is broken: mend it")

    return Session(
        StepTable(
            [
                MapStep("wait", lambda r, _: (r.decomposition.components,), (), gate.run),
                MapStep("after", lambda *_: (), ("wait",), lambda *made: ("after", made[-1])),
                MapStep("fail", lambda *_: (), ("wait",), fail),
            ]
        ),
        recipe(),
    )


def test_steps_that_are_due_run_one_after_the_other(qtbot: QtBot, runner: Runner) -> None:
    gate = Gate()
    gate.open.set()
    session = session_of(gate)
    runner.show(session)
    qtbot.waitUntil(lambda: session.result("fail", "a") is not None)
    assert session.result("after", "a") == ("after", ("waited", 1))
    assert session.result("fail", "a") == Failure("the ring is broken: mend it", True)
    assert gate.calls == [1]


def test_results_arrive_in_the_main_thread(qtbot: QtBot, runner: Runner) -> None:
    gate = Gate()
    gate.open.set()
    seen: list[bool] = []
    runner.step_done.connect(
        lambda *_: seen.append(threading.current_thread() is threading.main_thread())
    )
    runner.show(session_of(gate))
    qtbot.waitUntil(lambda: len(seen) == 3)
    assert all(seen)


def test_a_step_that_nobody_wants_any_more_is_stopped(qtbot: QtBot, runner: Runner) -> None:
    gate = Gate()
    session = session_of(gate)
    runner.show(session)
    qtbot.waitUntil(gate.inside.is_set)
    session.change(recipe(components=2))
    runner.refresh()
    qtbot.waitUntil(lambda: gate.calls == [1, 2])
    gate.open.set()
    qtbot.waitUntil(lambda: session.result("after", "a") is not None)
    assert session.result("wait", "a") == ("waited", 2)
    assert runner.dropped == 1


def test_what_a_person_stops_says_so_and_is_not_begun_again(qtbot: QtBot, runner: Runner) -> None:
    gate = Gate()
    session = session_of(gate)
    runner.show(session)
    qtbot.waitUntil(gate.inside.is_set)
    runner.cancel()
    qtbot.waitUntil(lambda: runner.running is None)
    assert session.result("wait", "a") == Failure(STOPPED, True)
    runner.refresh()
    assert runner.running is None
    assert gate.calls == [1]


def test_run_again_begins_what_was_stopped(qtbot: QtBot, runner: Runner) -> None:
    gate = Gate()
    session = session_of(gate)
    runner.show(session)
    qtbot.waitUntil(gate.inside.is_set)
    runner.cancel()
    qtbot.waitUntil(lambda: runner.running is None)
    gate.open.set()
    session.retry()
    runner.refresh()
    qtbot.waitUntil(lambda: session.result("wait", "a") == ("waited", 1))


def test_undo_costs_no_work(qtbot: QtBot, runner: Runner) -> None:
    gate = Gate()
    gate.open.set()
    session = session_of(gate)
    runner.show(session)
    qtbot.waitUntil(lambda: session.result("fail", "a") is not None)
    session.change(changed(session.recipe, decomposition=Decomposition(components=5)))
    runner.refresh()
    qtbot.waitUntil(lambda: session.result("fail", "a") is not None and runner.running is None)
    session.undo()
    runner.refresh()
    assert session.result("wait", "a") == ("waited", 1)
    assert gate.calls == [1, 5]


def test_a_task_runs_before_the_next_step_and_gives_its_value(qtbot: QtBot, runner: Runner) -> None:
    got: list[Any] = []
    runner.run_task("adding", lambda _: 1 + 1, got.append)
    qtbot.waitUntil(lambda: got == [2])


def test_a_task_that_fails_gives_its_sentence(qtbot: QtBot, runner: Runner) -> None:
    got: list[Any] = []

    def work(_: Report) -> None:
        Path("no such folder/file").read_text()

    runner.run_task("reading", work, got.append)
    qtbot.waitUntil(lambda: bool(got))
    assert isinstance(got[0], Failure)
    assert got[0].expected
    assert "no such folder" in got[0].message


def test_of_live_requests_only_the_newest_waits(qtbot: QtBot, runner: Runner) -> None:
    first, go = threading.Event(), threading.Event()
    got: list[int] = []
    worked: list[int] = []

    def slow() -> int:
        first.set()
        go.wait()
        return 0

    runner.ask("drag", slow, got.append)
    qtbot.waitUntil(first.is_set)
    for number in range(1, 6):
        runner.ask("drag", lambda number=number: worked.append(number) or number, got.append)
    go.set()
    qtbot.waitUntil(lambda: got == [0, 5])
    assert worked == [5]


def test_closing_during_work_does_not_wait_for_it(qtbot: QtBot) -> None:
    gate = Gate()
    runner = Runner()
    runner.show(session_of(gate))
    qtbot.waitUntil(gate.inside.is_set)
    runner.close()
    assert runner.running is not None
    assert runner.running.stop.is_set()
    runner.ask("late", lambda: 1, lambda _: pytest.fail("nobody listens any more"))
    qtbot.wait(20)


def test_a_fault_of_the_program_is_logged_and_said_to_be_one(
    qtbot: QtBot, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    got: list[Any] = []
    runner.run_task("counting", lambda _: [][1], got.append)
    runner.ask("looking", lambda: {}["nothing"], got.append)
    qtbot.waitUntil(lambda: len(got) == 2)
    assert all(not failure.expected for failure in got)
    assert all(failure.message.startswith("a fault of the program (") for failure in got)
    assert "counting failed" in caplog.text
    assert "IndexError: list index out of range" in caplog.text
    assert "KeyError: 'nothing'" in caplog.text


def test_work_goes_on_after_a_view_has_failed_to_take_a_value(qtbot: QtBot, runner: Runner) -> None:
    got: list[Any] = []

    def fail(_: Any) -> None:
        raise RuntimeError("the view is broken")

    with capture_exceptions() as raised:
        runner.run_task("first", lambda _: 1, fail)
        runner.run_task("second", lambda _: 2, got.append)
        qtbot.waitUntil(lambda: got == [2])
    assert [str(error) for _, error, _ in raised] == ["the view is broken"]


def test_what_steps_cost_is_forgotten_with_their_results(qtbot: QtBot, runner: Runner) -> None:
    gate = Gate()
    gate.open.set()
    session = session_of(gate)
    runner.show(session)
    for components in range(1, 40):
        session.change(recipe(components=components))
        runner.refresh()
        qtbot.waitUntil(lambda: not session.due() and runner.running is None)
    assert len(session.results) < 39 * 3
    assert len(runner._records) == len(session.results)
    assert len(runner.records_of(session)) == 3
