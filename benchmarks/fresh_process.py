"""A piece of work in a process of its own: its answer, its time, its peak memory, or why it failed.

The process that starts others must stay small: Linux counts its size into that of what it starts.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SHOWN = 300  # characters of the last line of an error


def run_fresh(
    command: Sequence[str | Path],
    at_most_s: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run a command to its end, or kill it after `at_most_s`; the outcome as plain numbers.

    `answer` is the last line of its output where that is JSON, `wall_s` the time from start to end,
    `processor_s` that of all processors together, `peak_memory_MB` its largest size (both None on
    Windows), `failure` None or one sentence.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=errors,
            env=None if environment is None else dict(environment),
            start_new_session=True,
        )
        overdue = threading.Event()
        timer = threading.Timer(at_most_s or 1e6, lambda: (overdue.set(), _kill(process)))
        timer.daemon = True
        timer.start()
        try:
            code, processor_s, peak = _ended(process)
        except BaseException:
            _kill(process)
            raise
        finally:
            timer.cancel()
        seconds = time.perf_counter() - begun
        failure = _failure(code, overdue.is_set(), at_most_s, _text(errors))
        answer = None if failure else _answer(_text(out))
    return {
        "answer": answer,
        "wall_s": seconds,
        "processor_s": processor_s,
        "peak_memory_MB": peak,
        "failure": failure,
    }


def run_part(script: str, *arguments: str | Path) -> dict[str, Any]:
    """The answer of a script of this folder, run by this Python with this environment.

    Raises
    ------
    RuntimeError
        if it fails, with its last words.
    """
    outcome = run_fresh([sys.executable, HERE / script, *arguments])
    if outcome["failure"]:
        raise RuntimeError(f"{script} {' '.join(map(str, arguments))}: {outcome['failure']}")
    return dict(outcome["answer"])


def _ended(process: subprocess.Popen[bytes]) -> tuple[int, float | None, float | None]:
    if not hasattr(os, "wait4"):
        return process.wait(), None, None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    processor_s = usage.ru_utime + usage.ru_stime
    return process.returncode, processor_s, usage.ru_maxrss * unit / 1e6


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is not None:
        return
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _text(stream: Any) -> str:
    stream.seek(0)
    return str(stream.read().decode("utf-8", "replace")).strip()


def _failure(code: int, overdue: bool, at_most_s: float | None, errors: str) -> str | None:
    if overdue:
        return f"killed after {at_most_s:g} s"
    if code < 0:
        return f"killed by {signal.Signals(-code).name}, most likely for want of memory"
    if code:
        lines = errors.splitlines() or [f"exit code {code}"]
        return f"failed: {lines[-1][:SHOWN]}"
    return None


def _answer(output: str) -> dict[str, Any] | None:
    last = output.rsplit("\n", 1)[-1]
    return json.loads(last) if last.startswith("{") else None
