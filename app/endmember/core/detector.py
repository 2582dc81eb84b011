"""The detector: the share of X-rays that it counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from endmember.core.absorption import element_attenuation
from endmember.core.spectrum import FloatArray

SILICON_g_cm3 = 2.33
ALUMINIUM_g_cm3 = 2.70


@dataclass(frozen=True, slots=True)
class Detector:
    """A windowless silicon drift detector.

    Thickness of the silicon in um, of its dead layer (silicon too) and of the aluminium contact
    in nm.
    """

    silicon_um: float = 450.0
    dead_layer_nm: float = 50.0
    aluminium_nm: float = 30.0

    def __post_init__(self) -> None:
        if self.silicon_um <= 0 or self.dead_layer_nm < 0 or self.aluminium_nm < 0:
            raise ValueError(
                f"a detector of {self.silicon_um:g} um silicon, {self.dead_layer_nm:g} nm dead "
                f"layer and {self.aluminium_nm:g} nm aluminium does not exist: thicknesses must "
                "be positive"
            )

    def efficiency(self, energies_keV: FloatArray) -> FloatArray:
        """exp(-sum mu rho t of the layers in front) (1 - exp(-mu rho t of the silicon)), 0 to 1.

        Attenuation from xraylib's CS_Total. Shape of `energies_keV`.
        """
        silicon = element_attenuation("Si", energies_keV) * SILICON_g_cm3
        aluminium = element_attenuation("Al", energies_keV) * ALUMINIUM_g_cm3
        in_front = silicon * self.dead_layer_nm * 1e-7 + aluminium * self.aluminium_nm * 1e-7
        return np.asarray(np.exp(-in_front) * -np.expm1(-silicon * self.silicon_um * 1e-4))
