"""Other programs beside Endmember, on the same map and in the same run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fresh_process import HERE, run_fresh, run_part

Keep = Callable[[dict[str, Any]], None]

LIST = HERE / "peers.txt"

# task of peer_work.py -> what it is, and what of Endmember does the same
TASKS = {
    "hyperspy_pca": ("HyperSpy PCA, all components", "scree"),
    "hyperspy_short_pca": ("HyperSpy PCA, 20 components", "scree"),
    "hyperspy_nmf": ("HyperSpy NMF, 3 components", "decomposition"),
    "sklearn_kl": ("scikit-learn KL NMF, sparse", "decomposition"),
    "pysptools_fcls": ("pysptools FCLS", "fcls"),
    "exspy_fit": ("exSpy fit of one spectrum", "spectrum"),
}


def environment_of_peers(folder: Path | None = None) -> Path:
    """The Python of the peers' environment, which is made from the list if it is not there.

    Raises
    ------
    RuntimeError
        if it cannot be made, with pip's last words.
    """
    digest = hashlib.sha256(LIST.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = folder or Path(tempfile.gettempdir()) / f"endmember-benchmark-peers-{digest}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    whole = folder / "complete"
    if whole.exists():
        return python
    for command in (
        [sys.executable, "-m", "venv", "--clear", folder],
        [python, "-m", "pip", "install", "--quiet", "-r", LIST],
    ):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=_clean())
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no word why"])[-1]
            raise RuntimeError(f"the environment of the peers cannot be made: {last}")
    whole.touch()
    return python


def _clean() -> dict[str, str]:
    """The environment without this program's paths, so that each library is the peers' own."""
    return {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "PYTHONHOME")}


def compare(
    size: int, at_most_s: float, tasks: list[str], repeats: int, keep: Keep
) -> dict[str, Any]:
    """Each task in a process of its own, between two runs of Endmember on the same map.

    `keep` is given what is known so far after each task: all of them together take long.
    """
    recipe = Path(run_part("chain.py", "map", str(size))["recipe"])
    found: dict[str, Any] = {"size": size, "own": _own(recipe, repeats), "tasks": {}}
    try:
        python = environment_of_peers()
    except (RuntimeError, OSError) as error:
        found["tasks"] = {task: _failed(task, str(error)) for task in tasks}
        return found
    with tempfile.TemporaryDirectory() as folder:
        run_part("chain.py", "export", recipe, folder)
        for task in tasks:
            print(f"  {TASKS[task][0]} ...", file=sys.stderr, flush=True)
            found["tasks"][task] = _measured(python, task, recipe, folder, at_most_s)
            keep(found)
    found["own"] = _best([found["own"], _own(recipe, repeats)])
    return found


def _own(recipe: Path, repeats: int) -> dict[str, Any]:
    steps = run_part("chain.py", "measure", recipe, str(repeats))["steps"]
    for part in ("spectrum", "fcls"):
        steps[part] = run_part("chain.py", part, recipe, "5")
    return {
        "seconds": {name: min(step["seconds"]) for name, step in steps.items()},
        "processor_s": {name: min(step["processor_s"]) for name, step in steps.items()},
        "peak_memory_MB": {name: step["peak_memory_MB"] for name, step in steps.items()},
    }


def _best(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The shortest time and the largest memory of each step."""
    return {
        key: {name: pick(run[key][name] for run in runs) for name in runs[0][key]}
        for key, pick in (("seconds", min), ("processor_s", min), ("peak_memory_MB", max))
    }


def _failed(task: str, why: str) -> dict[str, Any]:
    return {"title": TASKS[task][0], "like": TASKS[task][1], "failure": why}


def _measured(
    python: Path, task: str, recipe: Path, folder: str, at_most_s: float
) -> dict[str, Any]:
    command = [python, HERE / "peer_work.py", task, recipe.with_name("demo.hspy"), folder]
    outcome = run_fresh(command, at_most_s, _clean())
    kept = {"wall_s": outcome["wall_s"], "peak_memory_MB": outcome["peak_memory_MB"]}
    if outcome["failure"]:
        return _failed(task, outcome["failure"]) | kept
    took = {name: min(values) for name, values in outcome["answer"].items()}
    return {"title": TASKS[task][0], "like": TASKS[task][1], "failure": None, **took, **kept}


def table(found: dict[str, Any]) -> str:
    """The comparison as text; a ratio above 1 says that Endmember is faster, or smaller."""
    heads = f"{'s':>9s}{'cpu s':>9s}{'MB':>8s}"
    lines = [
        f"Other programs, {found['size']} pixels square; cpu: of all processors together",
        f"{'':32s}{heads}   Endmember     {heads}{'faster':>9s}{'by cpu':>9s}{'less MB':>9s}",
    ]
    for task in found["tasks"].values():
        if task["failure"]:
            lines.append(f"{task['title']:32s}  {task['failure']}")
            continue
        own = {key: values[task["like"]] for key, values in found["own"].items()}
        ratios = [f"{task[key] / own[key]:8.1f}x" if task[key] and own[key] else "" for key in own]
        cells = [_cells(task), f"   {task['like']:14s}", _cells(own), *ratios]
        lines.append(f"{task['title']:32s}" + "".join(cells))
    return "\n".join(lines)


def _cells(one: dict[str, Any]) -> str:
    return f"{one['seconds']:9.3f}{one['processor_s']:9.3f}{one['peak_memory_MB'] or 0:8.0f}"
