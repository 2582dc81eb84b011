"""Which running program a file belongs to: a mark in its name, and whether that program lives.

A file that a program leaves when it is killed is told from one that is being written just now.
The mark holds the computer, the process id and the time at which the process started: ids are
given again to later processes, which started at another time.
"""

from __future__ import annotations

import os
import platform
import re
import zlib
from functools import lru_cache

_MARK = re.compile(r"([0-9a-f]{8})-([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)")
_TICKS = 100  # per second
_TOLERANCE = 1 * _TICKS  # clocks are adjusted while a program runs


def own_mark() -> str:
    """The mark of this process: lower-case letters, digits and hyphens, under 50 characters."""
    return _mark_of(os.getpid())


def runs(mark: str) -> bool | None:
    """Whether the program of a mark is running; None where that cannot be known.

    It cannot for a mark of another computer, as in a folder on a network drive, and for a text
    that is no mark.
    """
    import psutil

    if (found := _MARK.fullmatch(mark)) is None or found.group(1) != _computer():
        return None
    pid, started, since_boot = (int(text, 16) for text in found.groups()[1:])
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        now_started, now_since_boot = _times(process.create_time())
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # it is there, and somebody else's
        return None
    # Either may move when the clock is set: on Linux the first, on Windows the second.
    same = (now_started - started, now_since_boot - since_boot)
    return min(map(abs, same)) <= _TOLERANCE


@lru_cache(maxsize=2)
def _mark_of(pid: int) -> str:
    import psutil

    started, since_boot = _times(psutil.Process(pid).create_time())
    return f"{_computer()}-{pid:x}-{started:x}-{since_boot:x}"


def _times(created_s: float) -> tuple[int, int]:
    """When a process started: since 1970 and since the computer did, in hundredths of a second."""
    import psutil

    since_boot_s = max(created_s - psutil.boot_time(), 0.0)
    return round(created_s * _TICKS), round(since_boot_s * _TICKS)


def _computer() -> str:
    return f"{zlib.crc32(platform.node().encode('utf-8', 'replace')):08x}"
