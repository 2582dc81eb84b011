"""What is known here of the figures of the paper: Chen et al., Ultramicroscopy (2024) 113981.

The paper itself is not part of this project. These figures were taken down from it when the project
was planned. Whatever is not in this module is not known here, and its cells stay empty.
"""

from __future__ import annotations

ROI_PIXELS = (3922, 5980, 24360)
MASK_PIXELS = (170081, 142030, 132096)
"""Pixels of bridgmanite on the three maps, by hand and by mask; the sums are 34,262 and 444,207."""

SNR: dict[str, tuple[float | None, ...]] = {
    "Nd": (3.9, 9.8, 14.6, 16.4, 40.0, 36.0, 33.8, 53.5),
    "Sm": (7.1, 12.9, 27.0, 33.1, 59.0, 51.0, 48.9, 83.9),
    "U": (None, None, 2.2, 2.3, 9.7, 6.1, 4.5, 12.2),
}
"""Table 3, in bridgmanite: ROI_1 to 3, ROI_Sum, Mask_1 to 3, Mask_Sum. None: not detected."""

BRG_MASK_1 = {"O": 55.32, "Mg": 18.30, "Al": 2.21, "Si": 21.12, "Ca": 0.83, "Fe": 2.05}
BRG_MASK_1_PPM = {"Nd": 252.0, "Sm": 314.0, "U": 101.0}
"""Table 2, bridgmanite by Mask_1, in at.% and ppm of atoms: what the simulation is made of."""

LOD_SM_IN_FP_PPM = {"ROI": 176.0, "one map": 106.0, "all maps": 65.0}
"""Fig. 11: limit of detection of Sm in ferropericlase, ppm of atoms."""


def brg_mask_1(element: str) -> float | None:
    """At.% of an element in bridgmanite by Mask_1; None if it is not known here."""
    if element in BRG_MASK_1_PPM:
        return BRG_MASK_1_PPM[element] / 1e4
    return BRG_MASK_1.get(element)
