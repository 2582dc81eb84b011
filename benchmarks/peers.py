"""Other programs beside Endmember, on the same map and in the same run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fresh_process import HERE, run_fresh, run_part

LIST = HERE / "peers.txt"

# task of peer_work.py -> what it is, and the step of Endmember that does the same
TASKS = {
    "hyperspy_pca": ("HyperSpy PCA, all components", "scree"),
    "hyperspy_short_pca": ("HyperSpy PCA, 20 components", "scree"),
    "hyperspy_nmf": ("HyperSpy NMF, 3 components", "decomposition"),
    "sklearn_kl": ("scikit-learn KL NMF, sparse", "decomposition"),
    "pysptools_fcls": ("pysptools FCLS", "abundance"),
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


def compare(size: int, at_most_s: float, tasks: list[str], repeats: int) -> dict[str, Any]:
    """Each task in a process of its own, between two runs of Endmember on the same map."""
    recipe = Path(run_part("chain.py", "map", str(size))["recipe"])
    found: dict[str, Any] = {"size": size, "tasks": {}}
    own = [_own(recipe, repeats)]
    try:
        python = environment_of_peers()
    except (RuntimeError, OSError) as error:
        found["tasks"] = {task: _failed(task, str(error)) for task in tasks}
    else:
        with tempfile.TemporaryDirectory() as folder:
            run_part("chain.py", "export", recipe, folder)
            for task in tasks:
                print(f"  {TASKS[task][0]} ...", file=sys.stderr, flush=True)
                found["tasks"][task] = _measured(python, task, recipe, folder, at_most_s)
        own.append(_own(recipe, repeats))
    found["own"] = _best(own)
    return found


def _own(recipe: Path, repeats: int) -> dict[str, Any]:
    steps = run_part("chain.py", "measure", recipe, str(repeats))["steps"]
    seconds = {name: min(step["seconds"]) for name, step in steps.items()}
    seconds["spectrum"] = min(run_part("chain.py", "spectrum", recipe, "5")["seconds"])
    memory = {name: step["peak_memory_MB"] for name, step in steps.items()}
    return {"seconds": seconds, "peak_memory_MB": memory}


def _best(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The shortest time and the largest memory of each step."""
    return {
        key: {name: pick(run[key][name] for run in runs) for name in runs[0][key]}
        for key, pick in (("seconds", min), ("peak_memory_MB", max))
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
    own = found["own"]
    head = f"{'':32s}{'s':>10s}{'MB':>8s}   {'Endmember':16s}{'s':>9s}{'MB':>7s}"
    lines = [f"Other programs, {found['size']} pixels square", f"{head}{'faster':>10s}{'less':>7s}"]
    for task in found["tasks"].values():
        like, memory = task["like"], task.get("peak_memory_MB")
        own_s, own_MB = own["seconds"][like], own["peak_memory_MB"].get(like)
        if task["failure"]:
            lines.append(f"{task['title']:32s}  {task['failure']}")
            continue
        row = f"{task['title']:32s}{task['seconds']:10.3f}{memory or 0:8.0f}   {like:16s}"
        row += f"{own_s:9.3f}{own_MB or 0:7.0f}{task['seconds'] / own_s:9.1f}x"
        lines.append(row + (f"{memory / own_MB:6.1f}x" if memory and own_MB else ""))
    return "\n".join(lines)
