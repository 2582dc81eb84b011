"""How much memory this process has used at most."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from endmember.files import reading_peak


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
