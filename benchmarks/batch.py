"""Many maps in a batch on two workers, one of them killed on the way, beside a serial run.

    python benchmarks/batch.py [--maps 40] [--size 128] [--workers 2] [--json FILE]

The maps are the demo specimen with other counting noise in each. The batch runs on local Dask
workers (on a pool of processes where `distributed` is missing); when some maps are done, one worker
that computes is killed. Afterwards `endmember run` computes each map alone, and all files are
compared byte for byte, apart from seconds and memory in `run.json`. Exit code 1 if any differ.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from endmember.demo import demo_recipe, simulate_to
from endmember.session.decisions.recipe import changed
from endmember.session.decisions.recipe_file import dump_recipe

KILLED_AFTER = 3  # maps that are done, so that the workers are in the middle of others


def simulate(folder: Path, number: int, size: int) -> Path:
    """The maps, and the recipe with the settings."""
    for seed in range(number):
        simulate_to(
            folder / f"map{seed:02}.hspy",
            None,
            lambda _: None,
            size=size,
            counts_per_pixel=160.0,
            seed=seed,
            layout=0,
        )
    recipe = demo_recipe(size)
    first = changed(recipe.maps[0], file="map00.hspy")
    path = folder / "settings.toml"
    path.write_text(dump_recipe(changed(recipe, maps=(first,)), folder, folder), encoding="utf-8")
    return path


def kill_a_worker() -> int:
    """Kill one of the processes that compute maps; returns its number."""
    import psutil

    workers = [
        child
        for child in psutil.Process().children(recursive=True)
        if any("spawn_main" in part for part in child.cmdline())
    ]
    busiest = max(workers, key=lambda worker: sum(worker.cpu_times()[:2]))
    busiest.kill()
    return int(busiest.pid)


def run_in_batch(folder: Path, recipe: Path, out: Path, workers: int) -> dict[str, Any]:
    """The batch, one worker killed after `KILLED_AFTER` maps."""
    from endmember.session.batch.batch_folder import prepare_batch, run_batch

    batch = prepare_batch(folder, recipe, out)
    done: list[str] = []
    killed: list[int] = []

    def tell(outcome: Any, _: int) -> None:
        done.append(outcome.name)
        if len(done) == KILLED_AFTER:
            time.sleep(0.5)  # for the next map to begin
            killed.append(kill_a_worker())

    begun = time.perf_counter()
    outcomes = run_batch(batch, tell, workers)
    seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    again = run_batch(batch, lambda *_: None, workers)
    return {
        "seconds": round(seconds, 1),
        "states": [outcome.state for outcome in outcomes],
        "killed": len(killed),
        "again_seconds": round(time.perf_counter() - begun, 2),
        "again_states": [outcome.state for outcome in again],
    }


def run_serially(out: Path, serial: Path) -> float:
    """`endmember run` on the recipe of each map, one after the other in this process; seconds."""
    from endmember.files.disk.folders import complete_folder
    from endmember.session.results.results_folder import run_recipe, write_results

    serial.mkdir()
    begun = time.perf_counter()
    for recipe in sorted(out.glob("*/recipe.toml")):
        final = serial / recipe.parent.name
        with complete_folder(final) as folder:
            session, records = run_recipe(recipe)
            write_results(session, records, folder, final)
    return round(time.perf_counter() - begun, 1)


def content(path: Path) -> bytes:
    """The bytes of a result; of run.json without what another run takes in time and memory."""
    if path.name != "run.json":
        return path.read_bytes()
    account = json.loads(path.read_text("utf-8"))
    for step in account["steps"]:
        del step["seconds"], step["peak_memory_MB"]
    return json.dumps(account).encode()


def differences(one: Path, other: Path) -> tuple[int, list[str]]:
    """How many files were compared, and the names of those that differ or are missing."""
    names = {
        str(path.relative_to(folder))
        for folder in (one, other)
        for path in folder.glob("*/**/*")
        if path.is_file()
    }

    def same(name: str) -> bool:
        both = one / name, other / name
        return all(path.is_file() for path in both) and content(both[0]) == content(both[1])

    return len(names), sorted(name for name in names if not same(name))


def main() -> int:
    """Simulate, run both ways, compare, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--maps", type=int, default=40)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="endmember-benchmark-") as name:
        folder = Path(name)
        (folder / "maps").mkdir()
        recipe = simulate(folder / "maps", asked.maps, asked.size)
        found = run_in_batch(folder / "maps", recipe, folder / "batch", asked.workers)
        found["serial_seconds"] = run_serially(folder / "batch", folder / "serial")
        found["files"], found["different"] = differences(folder / "batch", folder / "serial")
    print(json.dumps(found, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    whole = found["states"] == ["done"] * asked.maps and not found["different"]
    return 0 if whole and found["killed"] and "done" not in found["again_states"] else 1


if __name__ == "__main__":
    sys.exit(main())
