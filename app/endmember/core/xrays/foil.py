"""The foil: what absorbs X-rays on their way to the detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from endmember.core.counts.spectrum import FloatArray
from endmember.core.xrays.absorption import absorption_factor


@dataclass(frozen=True, slots=True)
class Foil:
    """What absorbs: thickness in nm, density in g/cm3, take-off angle in degrees."""

    thickness_nm: float
    density_g_cm3: float
    take_off_angle_deg: float

    def factor(self, weight_fractions: Mapping[str, float], energies_keV: FloatArray) -> FloatArray:
        """The share of X-rays of each energy that leave the foil (0 to 1)."""
        return absorption_factor(
            weight_fractions,
            energies_keV,
            self.thickness_nm,
            self.density_g_cm3,
            self.take_off_angle_deg,
        )
