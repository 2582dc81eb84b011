"""How much memory reading a map takes, of this process and of the one that reads for it.

    python benchmarks/reading.py MAP

The largest sum of both in 10^6 bytes, looked at every 20 ms; what they share counts once.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import psutil

from endmember.files.reading.reader import open_map

PAUSE_S = 0.02


def held_MB() -> float:
    """What this process and those it has started hold now."""
    own = psutil.Process()
    held = 0.0
    for process in (own, *own.children(recursive=True)):
        try:
            found = process.memory_full_info()
        except psutil.Error:  # it has just ended
            continue
        held += getattr(found, "pss", found.uss) / 1e6
    return held


def peak_of_reading_MB(path: Path) -> float:
    """The most that is held while a map is read."""
    peaks = [held_MB()]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(PAUSE_S):
            peaks.append(held_MB())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        open_map(path)
    finally:
        done.set()
        watcher.join()
    return max(peaks)


if __name__ == "__main__":
    print(json.dumps({"peak_memory_MB": peak_of_reading_MB(Path(sys.argv[1]))}))
