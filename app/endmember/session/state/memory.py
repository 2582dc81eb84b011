"""How much memory this process has used at most, and whether there is room for more."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from endmember.files.reading import peak as reading_peak

NO_MEMORY = (
    "there was not enough memory for this step: close other programs, or crop or rebin the map, "
    "then run the step again"
)


def peak_memory_MB() -> float | None:
    """The largest resident size so far of this process or a finished child, in 10^6 bytes.

    While a file was read, it is that of this process and its reading process together. It never
    falls. None where the system does not tell (Windows).
    """
    try:
        import resource  # absent on Windows
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    own = _own_peak() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return max(own, children, reading_peak.largest_bytes()) / 1e6


def _own_peak() -> int | None:
    """Bytes, from Linux: there getrusage begins with the size of whoever started the process."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else None


def check_room(needed_bytes: float, what: str, remedy: str) -> None:
    """Refuse a step that asks for more memory than the system can give now.

    Linux grants memory that it does not have, and kills whoever comes to use it: what can be
    estimated is asked for beforehand.

    Raises
    ------
    ValueError
        if there is less; `what` begins the sentence, `remedy` ends it.
    """
    free = _free_bytes()
    if needed_bytes > free:
        raise ValueError(
            f"{what} needs about {needed_bytes / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB "
            f"are free: {remedy}"
        )


def decomposition_bytes(
    pixels: int, channels: int, counts: int, components: int, method: str
) -> float:
    """About how many bytes a decomposition needs at most beside the maps.

    `counts` is the number of entries that are not zero. In the Poisson one each of 16 blocks of
    pixels has sums of its own for every channel and pair of components.
    """
    pairs = components * (components + 1) / 2
    if method == "poisson":
        sums = 17 * channels * (components + pairs) + 4 * channels * components**2
        return 8.0 * (sums + 6 * pixels * components)
    return 8.0 * 4 * (pixels + channels) * components + 12.0 * counts


def _free_bytes() -> float:
    """What this process may still take: of the system, its container, and its own limit."""
    import psutil

    from endmember.files.reading.watch import left_to_container_bytes

    free = float(psutil.virtual_memory().available + psutil.swap_memory().free)
    free = min(free, float(left_to_container_bytes()))
    try:
        import resource  # absent on Windows
    except ImportError:
        return free
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return free
    return min(free, max(float(limit - psutil.Process().memory_info().vms), 0.0))
