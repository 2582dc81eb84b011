"""From opening a recipe to its compositions: without results on disk, and with those of before.

    python benchmarks/reopen.py [--size 512] [--json FILE]

Three starts of the real window, each in a process of its own, offscreen: with the cache switched
off, with an empty one, and with what that one left. Imports and compiled loops are warm in each
before the recipe is opened. Times depend on the machine; the ratios are from one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def start(recipe: Path) -> dict[str, Any]:
    """One start: seconds to the compositions, to everything, until all is stored; memory."""
    from PyQt6.QtWidgets import QApplication

    from endmember.session import warming
    from endmember.session.cache.disk_cache import DiskCache
    from endmember.session.state.memory import peak_memory_MB
    from endmember.ui.window.application import make_window

    cache = DiskCache()
    window = make_window(cache=cache)
    window.show()
    warming.warm_up()
    begun = time.perf_counter()
    window.actions_.open_files([recipe])
    session, runner = window.workspace.session, window.runner
    assert session is not None

    def wait(done: Any) -> float:
        while not done():
            QApplication.processEvents()
            time.sleep(0.001)
        return round(time.perf_counter() - begun, 3)

    seconds = {
        "map": wait(lambda: session.result("read", session.recipe.map_names[0])),
        "compositions": wait(lambda: session.result("quantification")),
        "everything": wait(lambda: runner.running is None and not session.due()),
        "stored": wait(lambda: not runner.is_storing),
    }
    assert not session.failures(), session.failures()
    size, memory_MB = cache.size(), peak_memory_MB()
    runner.close()
    return {
        "seconds": seconds,
        "entries": size.entries,
        "folder_MB": round(size.bytes / 1e6, 1),
        "peak_memory_MB": memory_MB,
    }


def main() -> None:
    """Run the three starts one after the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--start", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.start is not None:
        print(json.dumps(start(asked.start)))
        return
    from endmember.demo import prepare_demo

    found = {}
    with tempfile.TemporaryDirectory(prefix="endmember-benchmark-") as name:
        recipe = prepare_demo(Path(name), asked.size, lambda _: None)
        folders = {"ENDMEMBER_CONFIG": name, "ENDMEMBER_CACHE": str(Path(name) / "cache")}
        for kind, size_MB in (("without", "0"), ("empty", "2000"), ("again", "2000")):
            done = subprocess.run(
                [sys.executable, __file__, "--start", str(recipe)],
                env={**os.environ, **folders, "ENDMEMBER_CACHE_MB": size_MB},
                stdout=subprocess.PIPE,
                encoding="utf-8",
                check=True,
            )
            found[kind] = json.loads(done.stdout)
            print(kind, json.dumps(found[kind]), flush=True)
    without, again = (found[kind]["seconds"]["compositions"] for kind in ("without", "again"))
    print(f"compositions {without / again:.1f} times sooner")
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
