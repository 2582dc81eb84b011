"""How much memory this process has used at most."""

from __future__ import annotations

import sys


def peak_memory_MB() -> float | None:
    """The largest resident size so far of this process or a finished child, in 10^6 bytes.

    It never falls. None where the system does not tell (Windows).
    """
    try:
        import resource  # absent on Windows
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    largest: int = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return largest * unit / 1e6
