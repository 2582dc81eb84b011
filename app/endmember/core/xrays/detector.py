"""The detector: the share of X-rays that it counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.xrays.absorption import element_attenuation

SILICON_g_cm3 = 2.33
ALUMINIUM_g_cm3 = 2.70

# A line just outside the fitted range reaches into it: so far the end value of a curve is held.
HELD_BEYOND_keV = 0.1


@dataclass(frozen=True, slots=True)
class DetectorCurve:
    """A measured efficiency: `efficiency` (above 0, up to 1) at rising `energies_keV`.

    Both of equal length; `name` stands for it in messages. Between the points the efficiency runs
    straight. Up to 0.1 keV beyond the ends the end value is held, since a line close by reaches
    into the range; further out nothing is known, and a value held there would pass for a measured
    one.
    """

    name: str
    energies_keV: tuple[float, ...]
    efficiency: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise ValueError if this cannot be an efficiency curve."""
        if len(self.energies_keV) != len(self.efficiency) or len(self.energies_keV) < 2:
            raise ValueError(f"{self.name}: a detector curve needs two points or more: add them")
        if not all(math.isfinite(v) for v in (*self.energies_keV, *self.efficiency)):
            raise ValueError(f"{self.name}: the detector curve holds a value that is no number")
        for first, second in pairwise(self.energies_keV):
            if not 0 <= first < second:
                raise ValueError(
                    f"{self.name}: the energies of the detector curve do not rise from 0 or more "
                    f"({first:g} is followed by {second:g} keV): sort its lines, each energy once"
                )
        for value in self.efficiency:
            if not 0 < value <= 1:
                raise ValueError(
                    f"{self.name}: the efficiency {value:g} does not lie above 0 and up to 1: give "
                    "shares, not percent, and leave out energies at which nothing is counted"
                )

    def at(self, energies_keV: FloatArray) -> FloatArray:
        """The efficiency, interpolated linearly. Shape of `energies_keV`.

        Raises
        ------
        ValueError
            if an energy lies more than 0.1 keV outside the curve.
        """
        low, high = self.energies_keV[0], self.energies_keV[-1]
        for wanted in (float(np.min(energies_keV)), float(np.max(energies_keV))):
            if not low - HELD_BEYOND_keV <= wanted <= high + HELD_BEYOND_keV:
                raise ValueError(
                    f"{self.name}: the detector curve covers {low:g} to {high:g} keV, but "
                    f"{wanted:.3g} keV is needed: extend the curve, or narrow the energy range"
                )
        return np.asarray(np.interp(energies_keV, self.energies_keV, self.efficiency))


@dataclass(frozen=True, slots=True)
class Detector:
    """A windowless silicon drift detector, or one with a measured curve.

    Thickness of the silicon in um, of its dead layer (silicon too) and of the aluminium contact
    in nm. A `curve` is the whole efficiency: it stands in the place of the three layers.
    """

    silicon_um: float = 450.0
    dead_layer_nm: float = 50.0
    aluminium_nm: float = 30.0
    curve: DetectorCurve | None = None

    def __post_init__(self) -> None:
        if self.silicon_um <= 0 or self.dead_layer_nm < 0 or self.aluminium_nm < 0:
            raise ValueError(
                f"a detector of {self.silicon_um:g} um silicon, {self.dead_layer_nm:g} nm dead "
                f"layer and {self.aluminium_nm:g} nm aluminium does not exist: thicknesses must "
                "be positive"
            )

    def efficiency(self, energies_keV: FloatArray) -> FloatArray:
        """exp(-sum mu rho t of the layers in front) (1 - exp(-mu rho t of the silicon)), 0 to 1.

        Attenuation from xraylib's CS_Total; or the curve, where there is one. Shape of
        `energies_keV`.

        Raises
        ------
        ValueError
            if an energy lies outside the curve; see `DetectorCurve`.
        """
        if self.curve is not None:
            return self.curve.at(energies_keV)
        silicon = element_attenuation("Si", energies_keV) * SILICON_g_cm3
        aluminium = element_attenuation("Al", energies_keV) * ALUMINIUM_g_cm3
        in_front = silicon * self.dead_layer_nm * 1e-7 + aluminium * self.aluminium_nm * 1e-7
        return np.asarray(np.exp(-in_front) * -np.expm1(-silicon * self.silicon_um * 1e-4))
