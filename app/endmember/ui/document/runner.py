"""Work in threads: the steps of the session, single tasks, and live requests of the views.

The only place that knows threads. Results come back to the main thread by signals; nothing else
crosses. One worker runs steps and tasks one after the other (each uses all cores itself), a second
one answers live requests, of which only the newest of a kind is worked on. A third one writes
results to disk while there is nothing else to do, and a fourth one small files at once.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from endmember.core.progress import Cancelled, Report
from endmember.session.cache.disk_cache import DiskCache, Kept
from endmember.session.state.memory import peak_memory_MB
from endmember.session.state.session import Failure, Job, Session, StepRecord, attempt, failure_of
from endmember.session.state.steptable import Key

STOPPED = "stopped before it was done: press Run again to go on"
WRITING_s = 3.0  # how long the end of the program waits for a slow disk
Work = Callable[[Report], Any]
Then = Callable[[Any], None]


@dataclass(eq=False)
class Running:
    """What a worker is doing: `title` for people, the fraction done, and the flag that stops it."""

    title: str
    work: Work
    then: Then
    key: Key | None = None
    step: str = ""
    maps: tuple[str, ...] = ()
    fraction: float = 0.0
    started: float = field(default_factory=time.monotonic)
    stop: threading.Event = field(default_factory=threading.Event)
    by_hand: bool = False
    name: str | None = None
    """Under which its result is kept on disk, None where it is not."""
    kept: Kept | None = None
    """Its result as it was found on disk."""

    def report(self, fraction: float) -> None:
        """Called by the work: remembers where it is, and ends it when it is no longer wanted."""
        self.fraction = fraction
        if self.stop.is_set():
            raise Cancelled

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.started


class _Worker(threading.Thread):
    """A daemon thread that calls what it is given; the program never waits for it for ever."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.start()

    def call(self, function: Callable[[], None]) -> None:
        self._calls.put(function)

    def finish(self) -> None:
        self._calls.put(None)

    def run(self) -> None:
        going_on = True
        while going_on:
            try:
                going_on = self._call_one()
            except BaseException:  # without this thread no step would ever run again
                logging.getLogger("endmember").exception("a call in thread %s failed", self.name)

    def _call_one(self) -> bool:
        # in a function of its own, so that nothing of the last call is kept while it waits
        function = self._calls.get()
        if function is not None:
            function()
        return function is not None


class Runner(QObject):
    """Starts what is due, stops what nobody wants any more, and brings results back."""

    step_done = pyqtSignal(str, object)
    """A step and its maps: the session has accepted its result, or it was stopped."""
    started = pyqtSignal(object)
    idle = pyqtSignal()
    _ended = pyqtSignal(object, object)
    _answered = pyqtSignal(object, object)
    _stored = pyqtSignal()

    def __init__(self, cache: DiskCache | None = None) -> None:
        """With a `cache`, results are looked for there before they are computed, and kept there."""
        super().__init__()
        self.cache = cache
        self.session: Session | None = None
        self.running: Running | None = None
        self.dropped = 0
        self._records: dict[Key, StepRecord] = {}
        self._tasks: list[Running] = []
        self._steps = _Worker("endmember steps")
        self._live = _Worker("endmember live")
        self._writing = _Worker("endmember writing")
        self._asked: dict[str, tuple[Callable[[], Any], Then]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._keeping = None if cache is None else _Worker("endmember keeping")
        self._to_keep: dict[Key, str] = {}
        self._is_storing = False
        self._ended.connect(self._on_ended)
        self._answered.connect(self._on_answered)
        self._stored.connect(self._on_stored)

    # --- steps -------------------------------------------------------------------------------

    def show(self, session: Session | None) -> None:
        """Work for another session from now on."""
        if session is not self.session:
            self._records.clear()
            self._to_keep.clear()
        self.session = session
        self.refresh()

    def refresh(self) -> None:
        """Stop the step that is no longer wanted and start the next thing that is due."""
        if self._closed:
            return
        now = self.running
        if now is not None:
            if now.key is not None and (
                self.session is None or now.key not in self.session.wanted()
            ):
                now.stop.set()
            return
        if self._tasks:
            self._begin(self._tasks.pop(0))
        elif self.session is not None and (jobs := self.session.due()):
            self._begin(self._of_job(jobs[0]))
        else:
            self.idle.emit()
            self._keep_next()

    def _of_job(self, job: Job) -> Running:
        return Running(
            job.step,
            lambda report: attempt(job, report),
            _nothing,
            job.key,
            job.step,
            job.maps,
        )

    def records_of(self, session: Session) -> list[StepRecord]:
        """What the results of a session cost, those of its current recipe, in their order."""
        return [self._records[key] for key in session.wanted_keys() if key in self._records]

    def cancel(self) -> None:
        """Stop what runs, because the person asks for it."""
        if self.running is not None:
            self.running.by_hand = True
            self.running.stop.set()

    def run_task(self, title: str, work: Work, then: Then) -> None:
        """Do something that is no step (simulating, exporting) before the next step.

        `then` is called in the main thread with its value, or a Failure; with None when stopped.
        """
        self._tasks.append(Running(title, work, then))
        self.refresh()

    def _begin(self, running: Running) -> None:
        running.started = time.monotonic()
        self.running = running
        self.started.emit(running)
        self._steps.call(lambda: self._carry_out(running))

    def _carry_out(self, running: Running) -> None:
        value: Any
        try:
            running.report(0.0)
            value = self._found(running)
            if value is None:
                value = running.work(running.report)
        except Cancelled:
            value = None
        except BaseException as error:  # also a library that wants to end the program
            value = failure_of(error)
        if not self._closed:
            self._ended.emit(running, _noted(running.title, value))

    def _on_ended(self, running: Running, value: Any) -> None:
        self.running = None
        try:
            self._deliver(running, value)
        finally:  # a fault of a view must not end all work
            self.refresh()

    def _deliver(self, running: Running, value: Any) -> None:
        if running.key is None:
            running.then(value)
        elif self.session is not None:
            if value is None and running.by_hand:
                value = Failure(STOPPED, True)
            if value is None or not self.session.accept(running.key, value):
                self.dropped += 1
            else:
                self._record(running, self.session)
        if running.key is not None:
            self.step_done.emit(running.step, running.maps)

    def _record(self, running: Running, session: Session) -> None:
        assert running.key is not None
        self._to_keep.pop(running.key, None)  # the name of what was there before
        if running.kept is None:
            cost = StepRecord(running.step, running.maps, running.seconds, peak_memory_MB())
            if running.name is not None and not isinstance(session.results[running.key], Failure):
                self._to_keep[running.key] = running.name
        else:  # what it cost when it was computed
            _, seconds, memory_MB = running.kept
            cost = StepRecord(running.step, running.maps, seconds, memory_MB)
        kept = {key: record for key, record in self._records.items() if key in session.results}
        self._records = {**kept, running.key: cost}

    # --- results on disk ---------------------------------------------------------------------

    @property
    def is_storing(self) -> bool:
        """Whether results are being written to disk, or wait for it."""
        return self._is_storing or bool(self._to_keep)

    def _found(self, running: Running) -> Any:
        """The result as an earlier start of the program left it; None where it must be computed."""
        if self.cache is None or running.key is None:
            return None
        running.name = self.cache.name(running.key)
        running.kept = None if running.name is None else self.cache.find(running.name)
        if running.kept is None:
            return None
        logging.getLogger("endmember").info(
            "%s (%s): found on disk in %.2f s, computed in %.2f s",
            running.step,
            ", ".join(running.maps),
            running.seconds,
            running.kept.seconds,
        )
        return running.kept.value

    def _keep_next(self) -> None:
        """Write one of the results that are still wanted to disk, if none is being written."""
        if self._is_storing or self._closed or self.session is None or not self._to_keep:
            return
        assert self._keeping is not None
        wanted = self.session.wanted()
        while self._to_keep:
            key = next(iter(self._to_keep))
            name = self._to_keep.pop(key)
            if key in wanted and key in self.session.results and key in self._records:
                kept = Kept(self.session.results[key], *self._records[key][2:])
                self._is_storing = True
                self._keeping.call(partial(self._store, name, kept))
                return

    def _store(self, name: str, kept: Kept) -> None:
        assert self.cache is not None
        self.cache.store(name, kept, lambda: self._closed)
        if not self._closed:
            self._stored.emit()

    def _on_stored(self) -> None:
        self._is_storing = False
        if self.running is None:
            self._keep_next()

    # --- live requests -----------------------------------------------------------------------

    def ask(self, slot: str, function: Callable[[], Any], then: Then) -> None:
        """Answer a live request; a newer one for the same slot replaces one not yet begun.

        `then` is called in the main thread with the value, or a Failure.
        """
        if self._closed:
            return
        with self._lock:
            waiting = slot in self._asked
            self._asked[slot] = (function, then)
        if not waiting:
            self._live.call(lambda: self._answer(slot))

    def _answer(self, slot: str) -> None:
        with self._lock:
            function, then = self._asked.pop(slot)
        value: Any
        try:
            value = function()
        except BaseException as error:
            value = failure_of(error)
        if not self._closed:
            self._answered.emit(then, _noted(slot, value))

    def _on_answered(self, then: Then, value: Any) -> None:
        then(value)

    def write(self, function: Callable[[], None]) -> None:
        """Call a function that writes a small file, in order, in a thread that nothing holds up."""
        self._writing.call(function)

    # --- the end -----------------------------------------------------------------------------

    def close(self) -> None:
        """Stop everything; threads that do not listen end with the process."""
        self._closed = True
        self._tasks.clear()
        if self.running is not None:
            self.running.stop.set()
        self._steps.finish()
        self._live.finish()
        self._to_keep.clear()
        if self._keeping is not None:
            self._keeping.finish()
            self._keeping.join(0.5)
        self._writing.finish()
        self._writing.join(WRITING_s)
        self._steps.join(0.5)
        self._live.join(0.5)


def _nothing(_: Any) -> None:
    """What a step does with its value beyond the session: nothing."""


def _noted(what: str, value: Any) -> Any:
    """The value; a fault of the program is written into the log, and said to be one."""
    if not isinstance(value, Failure) or value.expected:
        return value
    logging.getLogger("endmember").error("%s failed\n%s", what, value.traceback)
    says = value.traceback.strip().rpartition("\n")[2] or value.message
    return replace(
        value,
        message=f"a fault of the program ({says}): save the recipe, then send a bug report from "
        "the Help menu",
    )
