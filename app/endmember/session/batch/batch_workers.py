"""Where the maps of a batch are computed: processes of this machine, or the workers of Dask."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from endmember.session.batch.batch_runs import MapRun, Outcome, run_map

CONNECTING_s, STOPPING_s = 30, 30
_STOPPED = (KeyboardInterrupt, GeneratorExit)  # nobody wants the rest
KILLED = (
    "the process that computed it was killed each time, most likely for want of memory; give fewer "
    "--workers, or a crop"
)
Results = Callable[[Sequence[MapRun]], Iterator[Outcome]]


def has_dask_workers() -> bool:
    """Whether the optional library `distributed` is installed."""
    return importlib.util.find_spec("distributed") is not None


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def workers(number: int, scheduler: str | None) -> Iterator[Results]:
    """Give the function that runs maps and yields each outcome when it is there.

    On the cluster whose `scheduler` is named, otherwise on `number` processes of this machine:
    workers of Dask where `distributed` is installed, else a pool of processes. A map whose process
    dies is run again; when it dies with each, its outcome is a fault.

    Raises
    ------
    ValueError
        if a scheduler is named and does not answer, or `distributed` is not installed.
    """
    if scheduler is not None:
        with _cluster(scheduler) as client:
            yield lambda runs: _on_dask(runs, client)
    elif has_dask_workers():
        with _local_cluster(number) as client:
            yield lambda runs: _on_dask(runs, client)
    else:
        yield lambda runs: on_processes(runs, number)


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[Any]:
    if not has_dask_workers():
        raise ValueError(
            "--scheduler needs the library distributed; install it: "
            'pip install "endmember[cluster]"'
        )
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECTING_s)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{address}: no Dask scheduler answers there ({error}); start one with "
            "`dask scheduler`, and give its address as in tcp://host:8786"
        ) from error
    with client:
        yield client


@contextlib.contextmanager
def _local_cluster(number: int) -> Iterator[Any]:
    import logging

    import dask
    from distributed import Client, LocalCluster

    # a worker may start processes of its own, to read a file; what is killed is told by its map
    settings = {"distributed.worker.daemon": False, "distributed.worker.profile.enabled": False}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=number,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # for nobody outside
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.run(_leave_interrupts)  # Ctrl-C ends the batch from here
        yield client


def _on_dask(runs: Sequence[MapRun], client: Any) -> Iterator[Outcome]:
    from distributed import as_completed
    from distributed import wait as wait_for

    futures = {client.submit(run_map, run, pure=False): run for run in runs}
    try:
        for future in as_completed(futures):
            error = future.exception()
            yield future.result() if error is None else _lost(futures[future], error)
    except _STOPPED:
        _stop(runs)
        with contextlib.suppress(Exception):  # the cluster itself may be gone
            wait_for(list(futures), timeout=STOPPING_s)
        raise


def _lost(run: MapRun, error: BaseException) -> Outcome:
    """The outcome of a run that came to no end of its own."""
    from distributed import KilledWorker

    killed = isinstance(error, KilledWorker | BrokenProcessPool)
    return Outcome(run.name, "fault", failure=KILLED if killed else f"{run.where}: {error!r}")


def on_processes(runs: Sequence[MapRun], number: int) -> Iterator[Outcome]:
    """The same as on Dask workers, by the pool of processes of the standard library.

    When one process dies, the pool is lost with all that it computes. These maps are run again
    after the others, each with a process to itself, so that none is blamed for another.
    """
    waiting, under_way = deque(runs), dict[Future[Outcome], MapRun]()
    suspects: list[MapRun] = []
    while waiting:
        try:
            yield from _in_pool(waiting, under_way, number)
        except BrokenProcessPool:
            suspects += under_way.values()
            under_way.clear()
    for run in suspects:
        try:
            yield from _in_pool(deque([run]), {}, 1)
        except BrokenProcessPool:
            yield Outcome(run.name, "fault", failure=KILLED)


def _in_pool(
    waiting: deque[MapRun], under_way: dict[Future[Outcome], MapRun], number: int
) -> Iterator[Outcome]:
    from multiprocessing import get_context

    with ProcessPoolExecutor(number, get_context("spawn"), _leave_interrupts) as pool:
        while waiting or under_way:
            try:
                while waiting and len(under_way) < number:
                    run = waiting.popleft()
                    under_way[_submit(pool, run, waiting)] = run
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    outcome = future.result()
                    del under_way[future]
                    yield outcome
            except _STOPPED:
                _stop(list(under_way.values()))
                raise  # once the pool has come to its end


def _submit(pool: ProcessPoolExecutor, run: MapRun, waiting: deque[MapRun]) -> Future[Outcome]:
    try:
        return pool.submit(run_map, run)
    except BrokenProcessPool:
        waiting.appendleft(run)
        raise


def _stop(runs: Sequence[MapRun]) -> None:
    """Make the file appear on which every one of the runs ends."""
    for file in {run.stop for run in runs}:
        with contextlib.suppress(OSError):
            Path(file).touch()


def _leave_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one."""
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
