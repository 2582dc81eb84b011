"""How the time of each step grows: with the counts of a map, or with its pixels."""

from __future__ import annotations

import math
import statistics
import sys
from typing import Any

from fresh_process import run_part

FACTOR = 4.0  # between one map and the next
DEMO_COUNTS = 160.0


def measure_growth(size: int, repeats: int) -> dict[str, Any]:
    """Three maps of `size` with ever more counts, and three with ever more pixels for them."""
    by_counts = [(size, DEMO_COUNTS / FACTOR), (size, DEMO_COUNTS), (size, DEMO_COUNTS * FACTOR)]
    by_pixels = [(size // 2, DEMO_COUNTS * FACTOR), (size, DEMO_COUNTS)]
    by_pixels.append((size * 2, DEMO_COUNTS / FACTOR))
    maps = {}
    for side, counts in dict.fromkeys(by_counts + by_pixels):
        print(f"  {side} pixels square, {counts:g} counts each ...", file=sys.stderr, flush=True)
        recipe = run_part("chain.py", "map", str(side), str(counts))["recipe"]
        maps[side, counts] = run_part("chain.py", "measure", recipe, str(repeats))
    return {
        "maps": list(maps.values()),
        "with_counts": _exponents([maps[key] for key in by_counts], "counts"),
        "with_pixels": _exponents([maps[key] for key in by_pixels], "pixels"),
    }


def _exponents(maps: list[dict[str, Any]], against: str) -> dict[str, float]:
    """Slope of ln seconds against ln counts (or pixels), of each step and of their sum.

    Seconds of all processors together: what else the machine does disturbs them least.
    """
    x = [math.log(one[against]) for one in maps]
    times = [
        {name: min(step["processor_s"]) for name, step in one["steps"].items()} for one in maps
    ]
    times = [{**steps, "whole chain": sum(steps.values())} for steps in times]
    return {
        name: statistics.linear_regression(x, [math.log(steps[name]) for steps in times]).slope
        for name in times[0]
    }


def table(found: dict[str, Any]) -> str:
    """The exponents as text."""
    lines = ["Exponent of processor time: 1 is proportional, 0 does not depend on it"]
    lines.append(f"{'':18s}{'counts, same pixels':>22s}{'pixels, same counts':>22s}")
    for name, slope in found["with_counts"].items():
        lines.append(f"{name:18s}{slope:22.2f}{found['with_pixels'][name]:22.2f}")
    return "\n".join(lines)
