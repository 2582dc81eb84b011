"""What a person chose of a file: which array is the map, which frames and detectors are summed."""

from __future__ import annotations

from typing import NamedTuple


class Choice(NamedTuple):
    """Plain values, so that it can go to another process; None leaves it to the reader.

    `dataset` is the name of an array, `axes` a letter for each of its axes (y rows, x columns,
    E energy, s summed over), energies in keV of channel 0 and between channels. `frames` are the
    first and the last one, counted from 0, both included; `detectors` are counted from 0.
    """

    dataset: str | None = None
    axes: str | None = None
    energy_start_keV: float | None = None
    energy_step_keV: float | None = None
    frames: tuple[int, int] | None = None
    detectors: tuple[int, ...] | None = None


NO_CHOICE = Choice()
