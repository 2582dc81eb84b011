"""How much memory reading has taken at most. Costs no import, unlike the reading itself."""

from __future__ import annotations

_largest = 0


def note(resident_bytes: int) -> None:
    """Remember the resident size of this process and its reading process together."""
    global _largest
    _largest = max(_largest, resident_bytes)


def largest_bytes() -> int:
    """The largest size noted so far, in bytes; 0 before anything was read."""
    return _largest
