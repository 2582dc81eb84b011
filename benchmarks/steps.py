"""How long each step takes and how much memory, how both grow, and other programs beside it.

    python benchmarks/steps.py [--sizes 128,256,512] [--json FILE] [--no-peers] [--window]
    python benchmarks/steps.py --likelihood [--json FILE]

Every map, and every other program, has a process of its own. The maps are those of the demo: 160
counts per pixel, 2048 channels. The other programs are installed into an environment of their own
from `peers.txt`; at 512 pixels they need about half an hour and up to 20 GB. Times depend on the
machine and on what else it does: compare figures of one run only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import goals
import growth
import peers
from fresh_process import HERE, run_fresh, run_part

LIKELIHOOD_SIZE = 128


def measure_size(size: int, repeats: int) -> dict[str, Any]:
    """Every step, and the command `endmember run` from its start to its end, at one size."""
    recipe = Path(run_part("chain.py", "map", str(size))["recipe"])
    found = run_part("chain.py", "measure", recipe, str(repeats))
    reading = run_part("reading.py", recipe.with_suffix(".hspy"))
    return {**found, "reading": reading, "run": measure_run(recipe, repeats)}


def measure_run(recipe: Path, repeats: int) -> dict[str, Any]:
    """`endmember run`: the shortest time from its start to its end, and its largest memory."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "endmember", "run", recipe, "--out", f"{folder}/results"]
        outcomes = [run_fresh([*command, "--force"]) for _ in range(repeats)]
    for outcome in outcomes:
        if outcome["failure"]:
            raise RuntimeError(f"endmember run {recipe}: {outcome['failure']}")
    seconds = [outcome["wall_s"] for outcome in outcomes]
    memory = [outcome["peak_memory_MB"] or 0.0 for outcome in outcomes]
    return {
        "seconds": min(seconds),
        "all_seconds": seconds,
        "processor_s": [outcome["processor_s"] for outcome in outcomes],
        "peak_memory_MB": max(memory),
    }


def measure_window(size: int) -> dict[str, Any]:
    """First paint and the waits at the window, as `window.py` has them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "window.json"
        outcome = run_fresh(
            [sys.executable, HERE / "window.py", "--size", str(size), "--json", file]
        )
        if outcome["failure"]:
            return {"failure": outcome["failure"]}
        return dict(json.loads(file.read_text(encoding="utf-8")))


def measure_likelihood(size: int, seeds: int) -> dict[str, Any]:
    """The likelihood of our components and of scikit-learn's, see `likelihood.py`."""
    recipe = run_part("chain.py", "map", str(size))["recipe"]
    return {"size": size, **run_part("likelihood.py", recipe, str(seeds))}


def sizes_table(sizes: dict[str, Any]) -> str:
    """Seconds and megabytes of each step, a pair of columns for each size."""
    heads = "".join(f"{size + ' px':>12s}{'':8s}" for size in sizes)
    lines = ["Endmember, shortest time and largest memory", f"{'':18s}{heads}"]
    lines.append(f"{'':18s}" + f"{'s':>12s}{'MB':>8s}" * len(sizes))
    for name in next(iter(sizes.values()))["steps"]:
        steps = [found["steps"][name] for found in sizes.values()]
        lines.append(_row(name, [(min(s["seconds"]), s["peak_memory_MB"]) for s in steps]))
    lines.append(_row("all steps", [_whole(found["steps"]) for found in sizes.values()]))
    runs = [found["run"] for found in sizes.values()]
    lines.append(_row("endmember run", [(r["seconds"], r["peak_memory_MB"]) for r in runs]))
    facts = [(found["nmf_passes"], found["counts"] / 1e6) for found in sizes.values()]
    alone = [found["reading"]["peak_memory_MB"] for found in sizes.values()]
    lines.append(f"{'reading alone':18s}" + "".join(f"{'':12s}{peak:8.0f}" for peak in alone))
    lines.append(f"{'NMF passes':18s}" + "".join(f"{n:12d}{'':8s}" for n, _ in facts))
    lines.append(f"{'counts, millions':18s}" + "".join(f"{m:12.2f}{'':8s}" for _, m in facts))
    return "\n".join(lines)


def _whole(steps: dict[str, Any]) -> tuple[float, float]:
    seconds = sum(min(step["seconds"]) for step in steps.values())
    return seconds, max(step["peak_memory_MB"] for step in steps.values())


def _row(name: str, pairs: list[tuple[float, float]]) -> str:
    return f"{name:18s}" + "".join(f"{seconds:12.3f}{memory:8.0f}" for seconds, memory in pairs)


def likelihood_table(found: dict[str, Any]) -> str:
    """Both deviances as text."""
    own, other = found["endmember"], found["scikit_learn"]
    more = (own["deviance"] - other["deviance"]) / other["deviance"]
    lines = [f"Poisson deviance, {found['size']} pixels square: the smaller, the likelier"]
    for name, one in (("Endmember", own), ("scikit-learn, best of seeds", other)):
        told = f"{one['deviance']:18.2f}{one['passes']:8d} passes{one['seconds']:10.2f} s"
        lines.append(f"{name:28s}{told}")
    end = "settled" if other["settled"] else "not settled"
    lines.append(f"Endmember's is {more:+.2e} of it larger; scikit-learn's has {end}")
    return "\n".join(lines)


def window_table(found: dict[str, Any]) -> str:
    """The figures of `window.py`."""
    figures = {name: value for name, value in found.items() if isinstance(value, float)}
    lines = [f"{name:40s}{value:10.3f}" for name, value in figures.items()]
    return "\n".join(["The window (window.py)", *lines, found.get("failure", "")]).rstrip()


def measure_all(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is asked for; each table is printed as soon as it is known."""
    result: dict[str, Any] = {"machine": machine()}
    if options.likelihood:
        result["likelihood"] = measure_likelihood(LIKELIHOOD_SIZE, options.seeds)
        _show(likelihood_table(result["likelihood"]))
        return result
    result["sizes"] = {}
    for size in options.sizes:
        print(f"  {size} pixels square ...", file=sys.stderr, flush=True)
        result["sizes"][str(size)] = measure_size(size, options.repeats)
    if result["sizes"]:
        _show(sizes_table(result["sizes"]))
    if options.growth_size:
        result["growth"] = growth.measure_growth(options.growth_size, options.repeats)
        _show(growth.table(result["growth"]))
    if options.window:
        result["window"] = measure_window(options.peers_size)
        _show(window_table(result["window"]))
    if options.peers:

        def keep(found: dict[str, Any]) -> None:
            _keep(result | {"peers": found}, options.json)

        how = options.peers_size, options.time_limit, options.tasks, options.repeats
        result["peers"] = peers.compare(*how, keep)
        _show(peers.table(result["peers"]))
    return result


def machine() -> dict[str, Any]:
    """On what it was measured."""
    return {
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _show(table: str) -> None:
    print(table + "\n", flush=True)


def _keep(result: dict[str, Any], file: Path | None) -> None:
    if file is None:
        return
    names = ("what", "asked", "found", "reached")
    judged = [dict(zip(names, goal, strict=True)) for goal in goals.judged(result)]
    file.write_text(json.dumps(result | {"goals": judged}, indent=1), encoding="utf-8")


def _sizes(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def _tasks(text: str) -> list[str]:
    tasks = text.split(",")
    if unknown := set(tasks) - set(peers.TASKS):
        raise argparse.ArgumentTypeError(f"not known: {', '.join(sorted(unknown))}")
    return tasks


def parsed() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--sizes", type=_sizes, default=[128, 256, 512], help="pixels, from 64 (128,256,512)")
    add("--repeats", type=int, default=3, help="of each map; the shortest time counts (3)")
    add("--growth-size", type=int, default=256, help="pixels of the middle map, 0 for none (256)")
    add("--no-peers", dest="peers", action="store_false", help="without other programs")
    add("--peers-size", type=int, default=512, help="pixels of their map, and the window's (512)")
    add("--tasks", type=_tasks, default=list(peers.TASKS), help=f"of {','.join(peers.TASKS)}")
    add("--time-limit", type=float, default=1800.0, help="seconds for another program (1800)")
    add("--window", action="store_true", help="run window.py too")
    add("--likelihood", action="store_true", help="only compare likelihoods, at 128 pixels")
    add("--seeds", type=int, default=10, help="of scikit-learn's starts for that (10)")
    add("--json", type=Path, help="keep every figure in this file")
    return parser.parse_args()


def main() -> int:
    """Measure, print tables, and keep the figures as JSON where asked."""
    options = parsed()
    result = measure_all(options)
    _show(goals.table(result))
    _keep(result, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
