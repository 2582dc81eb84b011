"""The pauses of the main thread: how long, what for, and in which line of the program."""

from __future__ import annotations

import faulthandler
import re
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer

BEAT_ms = 2
LONG_s = 0.04  # from here on a pause is looked into
LOOK_s = 0.004
DEEPEST = 9  # lines of the program told of a stack
_THREAD = re.compile(r"(?:Current thread|Thread) (0x[0-9a-f]+)")
_PLACE = re.compile(r'  File "(.+)", line (\d+) in (.+)')
SCHEDULE = Path("/proc/thread-self/schedstat")  # Linux: ns on a core, ns waiting for one


@dataclass(slots=True)
class Pause:
    """Seconds between two beats: in all, computing, and waiting for one of the cores.

    What is left over was waited for the interpreter (another thread held it) or for a lock.
    `stacks` counts what the main thread was at each time somebody looked, `others` what the other
    threads were at then.
    """

    doing: str
    seconds: float
    computing: float
    for_core: float
    stacks: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    @property
    def for_interpreter(self) -> float:
        """Seconds in which the thread could have run, but for the other threads."""
        return max(self.seconds - self.computing - self.for_core, 0.0)


class Heart:
    """Beats in the main thread; a watchdog looks at the stacks when it has not beaten for long."""

    def __init__(self) -> None:
        self.pauses: list[Pause] = []
        self.doing = ""
        self._schedule = SCHEDULE.open("rb", buffering=0) if SCHEDULE.exists() else None
        self._stacks: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._main = threading.get_ident()
        self._last = time.perf_counter()
        self._computed, self._waited = time.thread_time(), self._wait_for_core()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_ms)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _wait_for_core(self) -> float:
        if self._schedule is None:
            return 0.0
        self._schedule.seek(0)
        return int(self._schedule.read().split()[1]) / 1e9

    def _beat(self) -> None:
        now, computed, waited = time.perf_counter(), time.thread_time(), self._wait_for_core()
        pause = Pause(
            self.doing, now - self._last, computed - self._computed, waited - self._waited
        )
        self._last, self._computed, self._waited = now, computed, waited
        if self._stacks:
            pause.stacks, pause.others = self._stacks, self._others
            self._stacks, self._others = Counter(), Counter()
        self.pauses.append(pause)

    def _watch(self) -> None:
        me = threading.get_ident()
        with tempfile.TemporaryFile("w+") as file:
            while True:
                time.sleep(LOOK_s)
                if time.perf_counter() - self._last < LONG_s / 2:
                    continue
                # not by sys._current_frames: a frame held here keeps its QPainter alive too long
                file.seek(0)
                file.truncate()
                faulthandler.dump_traceback(file)
                file.seek(0)
                for thread, stack in _told(file.read()).items():
                    if thread == self._main:
                        self._stacks[stack] += 1
                    elif thread != me:
                        self._others[stack] += 1

    def start(self, doing: str) -> None:
        """Name what follows."""
        self._beat()
        self.doing = doing

    def longest(self) -> dict[str, Pause]:
        """The longest pause of each thing done."""
        found: dict[str, Pause] = {}
        for pause in self.pauses:
            known = found.get(pause.doing)
            if pause.doing and (known is None or pause.seconds > known.seconds):
                found[pause.doing] = pause
        return found

    def long_ones(self) -> list[Pause]:
        """Every pause of more than LONG_s, in the order in which they came."""
        return [p for p in self.pauses if p.seconds > LONG_s and p.doing]


def _told(dump: str) -> dict[int, str]:
    """The innermost lines of the stack of each thread, the deepest first."""
    found: dict[int, list[str]] = {}
    lines: list[str] = []
    for line in dump.splitlines():
        if (head := _THREAD.match(line)) is not None:
            lines = found.setdefault(int(head[1], 16), [])
        elif (place := _PLACE.match(line)) is not None and len(lines) < DEEPEST:
            lines.append(f"{Path(place[1]).stem}.{place[3]}:{place[2]}")
    return {thread: " < ".join(stack) for thread, stack in found.items()}
