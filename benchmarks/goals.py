"""What Endmember wants to reach, and whether a run of `steps.py` reached it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FASTER_THAN_HYPERSPY, SMALLER_THAN_HYPERSPY, FASTER_THAN_PYSPTOOLS = 50.0, 10.0, 1000.0
WHOLE_RUN = {"512": (20.0, 1500.0), "1024": (80.0, 4000.0)}  # seconds, 10^6 bytes
READING_MB = 1000.0  # beyond the size of the file
LAST_GAIN = 1e-6  # of the deviance, in a pass of NMF

Judgement = tuple[str, str, str, bool]  # what, asked for, found, reached


def judged(result: dict[str, Any]) -> list[Judgement]:
    """Each goal about which the run says something."""
    return [*_against_peers(result), *_of_runs(result), *_of_steps(result), *_likelihood(result)]


def _against_peers(result: dict[str, Any]) -> Iterator[Judgement]:
    peers = result.get("peers")
    if not peers:
        return
    own, tasks, size = peers["own"], peers["tasks"], peers["size"]
    done = {name: task for name, task in tasks.items() if not task["failure"]}
    own_s = own["seconds"]["scree"] + own["seconds"]["decomposition"]
    own_MB = max(own["peak_memory_MB"][step] for step in ("scree", "decomposition"))
    for pca, name in (("hyperspy_pca", "PCA"), ("hyperspy_short_pca", "short PCA")):
        if not {pca, "hyperspy_nmf"} <= done.keys():
            continue
        both = done[pca], done["hyperspy_nmf"]
        ratio = sum(task["seconds"] for task in both) / own_s
        what = f"{name} and NMF at {size}: faster than HyperSpy"
        yield _at_least(what, ratio, FASTER_THAN_HYPERSPY)
        memory = [task["peak_memory_MB"] for task in both]
        if all(memory):
            what = f"{name} and NMF at {size}: less memory than HyperSpy"
            yield _at_least(what, max(memory) / own_MB, SMALLER_THAN_HYPERSPY)
    if "pysptools_fcls" in done:
        ratio = done["pysptools_fcls"]["seconds"] / own["seconds"]["fcls"]
        yield _at_least(f"FCLS at {size}: faster than pysptools", ratio, FASTER_THAN_PYSPTOOLS)


def _of_runs(result: dict[str, Any]) -> Iterator[Judgement]:
    for size, (seconds, memory) in WHOLE_RUN.items():
        run = result.get("sizes", {}).get(size, {}).get("run")
        if run:
            yield _at_most(f"file to table at {size}: seconds", run["seconds"], seconds)
            if run["peak_memory_MB"]:
                yield _at_most(f"file to table at {size}: MB", run["peak_memory_MB"], memory)


def _of_steps(result: dict[str, Any]) -> Iterator[Judgement]:
    for size, found in result.get("sizes", {}).items():
        peak = found["reading"]["peak_memory_MB"]
        yield _at_most(f"reading at {size}: MB", peak, found["file_MB"] + READING_MB)
        gain = found["nmf_last_gain"]
        reached = found["nmf_converged"] and gain < LAST_GAIN
        yield f"NMF at {size}: gain of the last pass", f"< {LAST_GAIN:g}", f"{gain:.1e}", reached


def _likelihood(result: dict[str, Any]) -> Iterator[Judgement]:
    found = result.get("likelihood")
    if found:
        own, other = found["endmember"]["deviance"], found["scikit_learn"]["deviance"]
        yield _at_most(f"Poisson deviance of NMF at {found['size']}", own, other)


def _at_least(what: str, found: float, least: float) -> Judgement:
    return what, f">= {least:.6g}x", f"{found:.1f}x", found >= least


def _at_most(what: str, found: float, most: float) -> Judgement:
    return what, f"<= {most:.9g}", f"{found:.9g}" if found > 1e6 else f"{found:.1f}", found <= most


def table(result: dict[str, Any]) -> str:
    """The goals as text."""
    lines = ["Goals"]
    for what, asked, found, reached in judged(result):
        lines.append(f"{what:52s}{asked:>24s}{found:>16s}  {'reached' if reached else 'MISSED'}")
    return "\n".join(lines)
