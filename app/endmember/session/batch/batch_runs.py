"""One map of a batch, run in another process: what it is sent, does and gives back."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from endmember.core.progress import Cancelled

State = Literal["done", "kept", "failed", "fault", "stopped"]
LONGEST_UNAWARE_s = 0.5  # between two looks whether the batch was stopped
_ONE_AT_A_TIME = threading.Lock()  # a worker of several threads computes one map with all of them


@dataclass(frozen=True, slots=True)
class MapRun:
    """What is to be computed: plain values that go to another process or machine.

    `recipe` is TOML with absolute files, `where` names it in messages, `out` is the folder for the
    results. `program` is the digest of the program that sent it. The run ends when the file `stop`
    appears. `threads` is how many it may use, None for as many as the worker has.
    """

    name: str
    recipe: str
    where: str
    out: str
    program: str
    stop: str
    threads: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a map: its state, seconds, number of warnings, and why it failed.

    `failed` is due to its input, `fault` to the program or the machine, with `details` for the log.
    """

    name: str
    state: State
    seconds: float | None = None
    warnings: int | None = None
    failure: str = ""
    details: str = ""


def run_map(run: MapRun) -> Outcome:
    """Do all that `endmember run` does with one map; failures come back as outcomes."""
    with _ONE_AT_A_TIME:
        begun = time.perf_counter()
        try:
            warnings = _run(run)
        except Cancelled:
            return Outcome(run.name, "stopped")
        except Exception as error:
            return _failed(run, error, time.perf_counter() - begun)
        return Outcome(run.name, "done", time.perf_counter() - begun, warnings)


def _run(run: MapRun) -> int:
    look = _stop_check(Path(run.stop))
    look()
    threads = run.threads or _threads_of_worker()
    _prepare(threads)
    _check_program(run)
    import cv2
    import dask
    from threadpoolctl import threadpool_limits

    from endmember.files.disk.folders import complete_folder
    from endmember.session.decisions.recipe_file import parse_recipe
    from endmember.session.results import results_folder as batch

    cv2.setNumThreads(threads)
    out = Path(run.out)
    # a reader's lazy arrays are computed here: other workers are busy with maps of their own
    here = dask.config.set(scheduler="synchronous")
    with here, threadpool_limits(1), complete_folder(out, force=True) as folder:
        recipe = parse_recipe(run.recipe, run.where)
        session, records = batch.run_steps(recipe, run.where, lambda *_: look())
        told = batch.write_results(session, records, folder, out, lambda _: look())
    return len(told)


def _prepare(threads: int) -> None:
    """Settings of the process, before the numerical libraries are loaded."""
    from endmember.compiled_code import choose_folder
    from endmember.core.counts.sparse_sums import THREADS_VARIABLE

    choose_folder()
    os.environ[THREADS_VARIABLE] = str(threads)


def _threads_of_worker() -> int:
    """The threads of the Dask worker this runs on; of no worker one."""
    from distributed import get_worker

    try:
        return int(get_worker().state.nthreads)
    except ValueError:
        return 1


def _check_program(run: MapRun) -> None:
    """See that a worker on another machine computes what the sender would."""
    import platform

    from endmember.session.cache.program_digest import program_digest

    if program_digest() != run.program:
        raise ValueError(
            f"{platform.node()}: the worker there has another version of Endmember, of its "
            "libraries or of the processor; install the same on all machines"
        )


def _stop_check(stop: Path) -> Callable[[], None]:
    """A call that raises `Cancelled` once the file is there; it looks there now and then."""
    last = float("-inf")

    def look() -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > LONGEST_UNAWARE_s:
            last = now
            if stop.exists():
                raise Cancelled

    return look


def _failed(run: MapRun, error: Exception, seconds: float) -> Outcome:
    from numpy.linalg import LinAlgError

    sentence = " ".join((str(error.args[0]) if error.args else repr(error)).split())
    expected = isinstance(error, ValueError | OSError)
    if expected and not isinstance(error, LinAlgError | UnicodeError):
        return Outcome(run.name, "failed", seconds, failure=sentence)
    details = "".join(traceback.format_exception(error))
    if isinstance(error, RuntimeError) and len(error.args) > 1:
        details += f"\n{error.args[1]}"
    return Outcome(run.name, "fault", seconds, failure=sentence, details=details)
