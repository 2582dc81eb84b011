"""Starts the reading process, watches it, and ends it: what a damaged file can do stops there.

One process is kept warm for the next file, because its libraries take a second to import. Its
memory is held below what is free, and it may not be silent for long.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import signal as signals
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from endmember.core.progress import Report
from endmember.files.reading import messages as messages
from endmember.files.reading import peak as reading_peak
from endmember.files.reading.child import too_large
from endmember.files.reading.choice import NO_CHOICE, Choice
from endmember.files.reading.completeness import size_with_companions
from endmember.files.reading.process_channel import Channel, PipeChannel, SocketChannel
from endmember.files.reading.shared_arrays import taken
from endmember.files.reading.unreadable import UnreadableFile

MEMORY_VARIABLE, SILENCE_VARIABLE = "ENDMEMBER_READING_MB", "ENDMEMBER_READING_SILENCE_S"
COMMAND = "--read-files"  # of the frozen program, see `endmember.__main__`
USABLE_SHARE = 0.8  # of the memory that is free
LEAST_MEMORY_BYTES = 500_000_000
LEAST_SILENCE_S = 20.0
SLOWEST_READER = 2_000_000  # bytes per second, allowed for on top of that
START_S = 120.0
WATCH_S = 0.05
KEPT_WARM = 1
CGROUP = Path("/sys/fs/cgroup")

_idle: list[_Child] = []
_guard = threading.Lock()


class Outcome(NamedTuple):
    """A reply and the arrays that came with it."""

    reply: messages.Reply
    arrays: list[npt.NDArray[Any]]


class _DiedAsleep(Exception):  # noqa: N818 - not an error: another process takes the request
    """The process ended before it took the request."""


class _Child:
    """A running process, and what it has said that nobody has looked at yet."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.process, self.channel = _started()
        self.replies: queue.SimpleQueue[tuple[bytes, int | None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="endmember reading", daemon=True).start()

    def _listen(self) -> None:
        while (received := self.channel.receive()) is not None:
            self.replies.put(received)
        self.replies.put(None)

    def resident_bytes(self) -> int:
        """Its memory now; 0 where it cannot be measured."""
        import psutil

        try:
            return int(psutil.Process(self.process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def end(self) -> int:
        """End it at once; its exit code."""
        if self.owner != os.getpid():
            return 0  # a copy of somebody else's
        with contextlib.suppress(OSError):
            self.process.kill()
        code = self.process.wait()
        self.channel.close()
        return code


def _command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, COMMAND]
    code = (
        f"import sys, json; sys.path[:] = json.loads({json.dumps(sys.path)!r}); "
        "from endmember.files.reading.child import serve; sys.exit(serve())"
    )
    return [sys.executable, "-c", code]


def _started() -> tuple[subprocess.Popen[bytes], Channel]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        process = subprocess.Popen(
            _command(),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            creationflags=flags,
        )
        source, sink = cast(BinaryIO, process.stdout), cast(BinaryIO, process.stdin)
        return process, PipeChannel(source, sink)
    ours, theirs = socket.socketpair()
    with theirs:
        # a session of its own: Ctrl-C is for this process, which then ends that one
        process = subprocess.Popen(
            _command(),
            env=environment,
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    return process, SocketChannel(ours)


def _taken_child() -> _Child:
    with _guard:
        while _idle:
            child = _idle.pop()
            if child.owner != os.getpid():
                continue  # inherited by a fork
            if child.process.poll() is None:
                return child
            child.end()
    return _Child()


def _give_back(child: _Child) -> None:
    with _guard:
        if len(_idle) < KEPT_WARM:
            _idle.append(child)
            return
    child.end()


def warm_up() -> None:
    """Start a process for the first file, and let it import what it needs meanwhile."""
    _give_back(_taken_child())


@atexit.register
def end_all() -> None:
    """End the processes that wait for files."""
    with _guard:
        while _idle:
            _idle.pop().end()


def memory_limit_bytes() -> int:
    """How much memory reading may take now: most of what is free, or ENDMEMBER_READING_MB."""
    given = os.environ.get(MEMORY_VARIABLE, "")
    if given.strip().isdigit():
        return int(given) * 1_000_000
    import psutil

    free = min(int(psutil.virtual_memory().available), left_to_container_bytes())
    return max(LEAST_MEMORY_BYTES, int(USABLE_SHARE * free))


def left_to_container_bytes() -> int:
    """What the group of a container has left (Linux, cgroup v2); no end where there is no limit.

    Files that were read stay in the memory of the group until it is wanted: they do not count.
    """
    with contextlib.suppress(OSError, ValueError):
        most, used = (
            int((CGROUP / name).read_text(encoding="ascii"))
            for name in ("memory.max", "memory.current")
        )
        kept = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        return max(most - used + int(kept.get("inactive_file", 0)), 0)
    return sys.maxsize


def silence_limit_s(path: Path) -> float:
    """How long a reader may say nothing: 20 s, more for large files; or the environment's."""
    given = os.environ.get(SILENCE_VARIABLE, "")
    with contextlib.suppress(ValueError):
        return float(given)
    return LEAST_SILENCE_S + size_with_companions(path) / SLOWEST_READER


def read(
    wanted: messages.Wanted,
    path: Path,
    signal: int | None,
    report: Report,
    block_bytes: int,
    choice: Choice = NO_CHOICE,
) -> Outcome:
    """What is wanted of a file, read in another process.

    Raises
    ------
    UnreadableFile
        if the file cannot be used, or if its reader crashes, wants too much memory or hangs.
    RuntimeError
        after a fault of the program.
    """
    limits = memory_limit_bytes(), silence_limit_s(path)
    request = messages.Request(
        wanted, str(Path.cwd()), str(path), signal, *limits, block_bytes, choice
    )
    while True:
        child = _taken_child()
        try:
            outcome = _asked(child, request, report)
        except _DiedAsleep:
            child.end()
            continue
        except BaseException:  # cancelled, interrupted, refused: what it does now is of no use
            child.end()
            raise
        break
    if isinstance(outcome.reply, messages.Refusal) and outcome.reply.spent:
        child.end()
    else:
        _give_back(child)
    if isinstance(outcome.reply, messages.Refusal):
        raise UnreadableFile(outcome.reply.sentence)
    if not isinstance(outcome.reply, messages.Fault):
        return outcome
    raise RuntimeError(f"reading {path} failed", outcome.reply.text)


def _asked(child: _Child, request: messages.Request, report: Report) -> Outcome:
    try:
        child.channel.send(messages.packed(request), [])
    except OSError as error:
        raise _DiedAsleep from error
    watch = _Watch(child, request, report)
    outcome: Outcome | None = None
    while True:
        received = watch.next_message()
        reply = messages.reply_of(received[0])
        if isinstance(reply, messages.Peak):
            watch.note(reply.resident_bytes or 0)
            break
        if isinstance(reply, messages.Progress) and reply.fraction is not None:
            watch.fraction = reply.fraction
            report(reply.fraction)
        elif not isinstance(reply, messages.Begun | messages.Progress):
            outcome = _outcome(reply, received[1])
    if outcome is None:
        raise UnreadableFile(too_large(request.path, request.memory_bytes))
    return outcome


def _outcome(reply: messages.Reply, file: int | None) -> Outcome:
    places = getattr(reply, "places", ())
    try:
        return Outcome(reply, taken(list(places), file))
    finally:
        if file is not None:
            os.close(file)


class _Watch:
    """Looks at a working process until it has something to say, and ends it beyond its limits."""

    def __init__(self, child: _Child, request: messages.Request, report: Report) -> None:
        self.child, self.request, self.report = child, request, report
        self.fraction = 0.0
        self._begun = False
        self._heard = self._looked = time.monotonic()

    def next_message(self) -> tuple[bytes, int | None]:
        """Wait for the next message.

        Raises
        ------
        UnreadableFile
            if the process dies, is silent for too long, or takes too much memory.
        _DiedAsleep
            if it died before it took the request.
        """
        while True:
            try:
                received = self.child.replies.get(timeout=WATCH_S)
            except queue.Empty:
                self._look()
                self.report(self.fraction)  # so that it can be cancelled while a reader is silent
                continue
            if received is None:
                raise self._death()
            self._begun = True
            self._heard = time.monotonic()
            if self._heard - self._looked > WATCH_S:
                self._look()
            return received

    def note(self, resident_bytes: int) -> None:
        """Remember how much memory both processes have together."""
        import psutil

        reading_peak.note(int(psutil.Process().memory_info().rss) + resident_bytes)

    def _look(self) -> None:
        self._looked = time.monotonic()
        limit_s = self.request.silence_s if self._begun else START_S
        if self._looked - self._heard > limit_s:
            raise UnreadableFile(
                f"{self.request.path}: its reader gave no sign of life for {limit_s:.0f} s: the "
                "file may be damaged, copy it again; if it is whole and its drive slow, copy it "
                f"to a faster one or allow more seconds in {SILENCE_VARIABLE}."
            )
        resident = self.child.resident_bytes()
        self.note(resident)
        if resident > self.request.memory_bytes:
            raise UnreadableFile(too_large(self.request.path, self.request.memory_bytes))

    def _death(self) -> Exception:
        code = self.child.end()
        if not self._begun:
            if code == 0 or self._was_signalled(code):
                return _DiedAsleep()
            return RuntimeError(f"the process that reads files does not start (exit code {code})")
        if code == -getattr(signals, "SIGKILL", 9):
            return UnreadableFile(
                f"{self.request.path}: the system ended its reader, most likely for want of "
                "memory: close other programs, or copy the file again if it may be damaged."
            )
        name = signals.Signals(-code).name if self._was_signalled(code) else f"exit code {code}"
        return UnreadableFile(
            f"{self.request.path}: its reader crashed on it ({name}): the file is damaged; copy it "
            "again from the microscope or export it anew."
        )

    @staticmethod
    def _was_signalled(code: int) -> bool:
        return code < 0 and -code in {int(number) for number in signals.Signals}


def checked_counts(
    starts: npt.NDArray[Any], channels: npt.NDArray[Any], counts: npt.NDArray[Any], number: int
) -> None:
    """Hold what came from the other process to the rules of a `SpectrumImage`.

    Raises
    ------
    ValueError
        if they are broken; compiled loops would then reach beyond the arrays.
    """
    ordered = starts.ndim == 1 and len(starts) > 0 and starts[0] == 0 and starts.dtype == np.int64
    if not (ordered and bool((np.diff(starts) >= 0).all())):
        raise ValueError("the reading process hands over pixels out of order")
    if not (channels.ndim == counts.ndim == 1 and starts[-1] == len(channels) == len(counts)):
        raise ValueError("the reading process hands over too few or too many counts")
    if channels.dtype.kind != "u" or counts.dtype.kind != "u":
        raise ValueError("the reading process hands over counts that are no whole numbers")
    if len(channels) and int(channels.max()) >= number:
        raise ValueError("the reading process hands over counts of channels that do not exist")
