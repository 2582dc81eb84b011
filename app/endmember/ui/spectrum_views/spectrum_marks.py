"""What a spectrum plot shows: curves, line markers and energy windows, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor

FloatArray = NDArray[np.float64]
Colour = QColor | str


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A spectrum, or anything else over energy; the name tells curves apart.

    `energy_keV`, `values` and the optional error band `low`, `high` have the shape (C,), energies
    rising. `fill` colours the area down to zero. A larger `z` is drawn further in front. Colours
    of the theme ("#rrggbb" as in `colours()`) follow it when it changes.
    """

    name: str
    energy_keV: FloatArray
    values: FloatArray
    colour: Colour
    width: float = 1.5
    dash: bool = False
    step: bool = True
    fill: Colour | None = None
    low: FloatArray | None = None
    high: FloatArray | None = None
    z: float = 0


@dataclass(frozen=True, slots=True)
class MarkerLine:
    """An X-ray line of an element; `strength` 0 to 1 is relative to the strongest line.

    Where there is no room for all names, those of the largest `rank` are written, and among equal
    ones those that are emphasised, or strong.
    """

    label: str
    energy_keV: float
    strength: float
    colour: Colour
    dash: Qt.PenStyle = Qt.PenStyle.SolidLine
    emphasised: bool = False
    rank: float = 0.0


@dataclass(frozen=True, slots=True)
class WindowMark:
    """An energy window; the key tells windows apart."""

    key: str
    low_keV: float
    high_keV: float
    colour: Colour
    label: str = ""
