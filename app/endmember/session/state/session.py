"""The session: a recipe, the results that follow from it, and the way back."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from endmember.core.progress import Cancelled, Report, silent
from endmember.files.disk import faults
from endmember.session.decisions.recipe import Recipe
from endmember.session.state.memory import NO_MEMORY, peak_memory_MB
from endmember.session.state.steptable import (
    GroupStep,
    Key,
    KeyRing,
    Maps,
    Settings,
    Step,
    StepTable,
    maps_before,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step has no other result: one sentence, and whether the input is to blame.

    `expected` is True for input that cannot be used and False for a fault of the program; the
    traceback is for the log.
    """

    message: str
    expected: bool
    traceback: str = field(default="", compare=False, repr=False)


class Job(NamedTuple):
    """A result that is due: its key and the work that makes it."""

    key: Key
    step: str
    maps: Maps
    run: Callable[[Report], Any]


class Session:
    """A recipe, results by key, and lists of recipes to undo and redo. For one thread only.

    The recipe's files should be absolute; see `recipe_file.anchored`.
    """

    def __init__(self, table: StepTable, recipe: Recipe) -> None:
        self.table = table
        self.results: dict[Key, Any] = {}
        self._past: list[Recipe] = []
        self._undone: list[Recipe] = []
        self._gesture_open = False
        self._keys = KeyRing(table, recipe)

    @property
    def recipe(self) -> Recipe:
        """Today's recipe."""
        return self._keys.recipe

    @property
    def can_undo(self) -> bool:
        """Whether there is a recipe to go back to."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a recipe that was undone."""
        return bool(self._undone)

    def change(self, recipe: Recipe, *, same_gesture: bool = False) -> None:
        """Make `recipe` today's; with `same_gesture` one undo takes back the whole gesture."""
        going_on = same_gesture and self._gesture_open
        if not same_gesture:
            self._gesture_open = False
        if recipe == self.recipe:
            return
        if not going_on:
            self._past.append(self.recipe)
        self._undone.clear()
        self._show(recipe)
        self._gesture_open = True

    def adopt(self, recipe: Recipe) -> None:
        """Make `recipe` today's without an entry for undo: for what no person decided."""
        going_on = self._gesture_open
        self._show(recipe)
        self._gesture_open = going_on

    def undo(self) -> None:
        """Go back to the recipe before the last gesture, if there is one."""
        if self._past:
            self._undone.append(self.recipe)
            self._show(self._past.pop())

    def redo(self) -> None:
        """Take back the last undo, if there is one."""
        if self._undone:
            self._past.append(self.recipe)
            self._show(self._undone.pop())

    def key(self, name: str, map_name: str | None = None) -> Key:
        """The key of a step's result for a map; without a map where there is only one group."""
        return self._keys.key(name, map_name)

    def result(self, name: str, map_name: str | None = None) -> Any:
        """A step's current result: its value, a Failure, or None where there is none yet."""
        return self.results.get(self.key(name, map_name))

    def failures(self) -> list[tuple[str, Maps, Failure]]:
        """The steps whose current result is a failure, with their maps."""
        found = []
        for step, maps, key in self._keys.all():
            if isinstance(failure := self.results.get(key), Failure):
                found.append((step.name, maps, failure))
        return found

    def snapshot(self) -> Session:
        """The same recipe with the results as they are now, for use in another thread."""
        twin = Session(self.table, self.recipe)
        twin.results = dict(self.results)
        return twin

    def wanted_keys(self) -> list[Key]:
        """The keys that today's recipe asks for, each once, in the order of the steps."""
        return list(dict.fromkeys(key for _, _, key in self._keys.all()))

    def wanted(self) -> set[Key]:
        """The keys of all results that today's recipe asks for."""
        return {key for _, _, key in self._keys.all()}

    def due(self) -> list[Job]:
        """What is wanted, not there, and has all it needs; each key once."""
        jobs: dict[Key, Job] = {}
        for step, maps, key in self._keys.all():
            if key in self.results or key in jobs:
                continue
            if all(_is_value(self.results.get(needed)) for needed in key.inputs):
                jobs[key] = Job(key, step.name, maps, self._work(step, maps, key.settings))
        return list(jobs.values())

    def accept(self, key: Key, value: Any) -> bool:
        """Keep a result if it is still wanted, and say whether it was.

        Raises
        ------
        ValueError
            if the value is None, which stands for a result that is not there.
        """
        if value is None:
            raise ValueError(f'the step "{key.step}" returned nothing; it must return its result')
        if key not in self.wanted():
            return False
        self.results[key] = value
        self._forget()
        return True

    def renew(self, name: str) -> None:
        """Forget today's results of a step and of all that need it, so that they are due again."""
        stale: set[Key] = set()
        for step, _, key in self._keys.all():  # each follows what it needs
            if step.name == name or not stale.isdisjoint(key.inputs):
                stale.add(key)
                self.results.pop(key, None)

    def retry(self) -> None:
        """Forget the failures of today's steps, so that they are due again."""
        for key in self.wanted():
            if isinstance(self.results.get(key), Failure):
                del self.results[key]

    def _show(self, recipe: Recipe) -> None:
        # What was wanted until now is the last to be forgotten.
        for key in self.wanted():
            if key in self.results:
                self.results[key] = self.results.pop(key)
        self._gesture_open = False
        self._keys = KeyRing(self.table, recipe)

    def _forget(self) -> None:
        """Drop the oldest results that nobody wants, beyond those a step keeps."""
        wanted = self.wanted()
        kept: Counter[str] = Counter()
        for key in reversed(list(self.results)):
            if key in wanted:
                continue
            kept[key.step] += 1
            allowed = self.table[key.step].kept * len(self.recipe.maps)
            if kept[key.step] > allowed:
                del self.results[key]

    def _work(self, step: Step, maps: Maps, settings: Settings) -> Callable[[Report], Any]:
        # The inputs are fetched now: the work runs elsewhere, while the recipe may change.
        inputs = [self._input(step, need, maps) for need in step.needs]
        before = maps_before(step, self.recipe, maps)
        if before is not None:
            inputs.append({name: self.result(step.name, name) for name in before})
        return lambda report: step.run(report, *settings, *inputs)

    def _input(self, step: Step, need: str, maps: Maps) -> Any:
        if isinstance(step, GroupStep):
            return {name: self.result(need, name) for name in maps}
        return self.result(need, maps[0])


def attempt(job: Job, report: Report) -> Any:
    """Run a job; what it raises, except `Cancelled`, becomes a Failure."""
    try:
        return job.run(report)
    except Cancelled:
        raise
    except Exception as error:
        return failure_of(error)


def failure_of(error: BaseException) -> Failure:
    """What was just raised, as a sentence, with the traceback for the log."""
    # LinAlgError is a ValueError, but no input sentence was written for it.
    expected = isinstance(error, ValueError | OSError | MemoryError) and not isinstance(
        error, np.linalg.LinAlgError
    )
    if isinstance(error, MemoryError):
        says = NO_MEMORY
    elif isinstance(error, OSError):
        says = faults.sentence(error)
    else:
        says = str(error) or type(error).__name__
    return Failure(says, expected, traceback.format_exc())


class StepRecord(NamedTuple):
    """What a step cost: wall clock time, and the highest memory of the process so far."""

    name: str
    maps: Maps
    seconds: float
    peak_memory_MB: float | None


def run_all(
    session: Session,
    report: Callable[[Job, float], None] | None = None,
    *,
    go_on: bool = False,
) -> list[StepRecord]:
    """Run every step of today's recipe in this thread and store the results.

    `report` is called with the job and the fraction of it that is done; it may raise `Cancelled`,
    which ends the run. The run stops at the first failure but that of an advice, unless `go_on`:
    then steps that do not need what failed are run too. Look at `session.failures()` afterwards.
    """
    records: list[StepRecord] = []
    while jobs := session.due():
        for job in jobs:
            started = time.perf_counter()
            value = attempt(job, partial(report, job) if report else silent)
            seconds = time.perf_counter() - started
            session.accept(job.key, value)
            records.append(StepRecord(job.step, job.maps, seconds, peak_memory_MB()))
            if isinstance(value, Failure) and not (go_on or session.table.is_advice(job.step)):
                return records
    return records


def _is_value(result: Any) -> bool:
    return result is not None and not isinstance(result, Failure)
