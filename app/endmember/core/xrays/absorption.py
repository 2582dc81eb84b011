"""Absorption of X-rays: in matter in general, and on their way out of a thin specimen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import xraylib

from endmember.core.counts.spectrum import FloatArray
from endmember.core.xrays.cross_sections import atomic_number

# xraylib's tables reach from 0.1 keV up; below, mu follows the power law of photoabsorption.
LOWEST_keV = 0.1
POWER_BELOW = -3.0


@lru_cache(maxsize=512)
def _on_grid(element: str, energies: bytes) -> FloatArray:
    number = atomic_number(element)
    grid = np.frombuffer(energies)
    table = np.array([xraylib.CS_Total(number, max(e, LOWEST_keV)) for e in grid.tolist()])
    with np.errstate(divide="ignore"):
        below = np.where(grid < LOWEST_keV, (grid.clip(0.0) / LOWEST_keV) ** POWER_BELOW, 1.0)
    values = np.asarray(table * below)
    values.flags.writeable = False
    return values


def element_attenuation(element: str, energies_keV: FloatArray) -> FloatArray:
    """Mass attenuation coefficient of an element in cm2/g, in the shape of `energies_keV`.

    xraylib's CS_Total; below 0.1 keV, where it ends, continued as 1/E^3 (infinite at and below 0).
    The same array of energies is looked up once and remembered. Read-only.

    Raises
    ------
    ValueError
        if there is no such element.
    """
    grid = np.ascontiguousarray(energies_keV, dtype=np.float64)
    return _on_grid(element, grid.tobytes()).reshape(grid.shape)


def mass_attenuation(weight_fractions: Mapping[str, float], energies_keV: FloatArray) -> FloatArray:
    """Mass attenuation coefficient of a mixture in cm2/g: sum of w_i (mu/rho)_i.

    Weight fractions are normalised to 1. Shape of `energies_keV`.

    Raises
    ------
    ValueError
        if the fractions do not add up to more than zero, or an element is unknown.
    """
    total = sum(weight_fractions.values())
    if not total > 0:
        raise ValueError("the weight fractions add up to nothing: give at least one element")
    mixture = np.zeros(np.shape(energies_keV))
    for element, fraction in weight_fractions.items():
        if fraction:  # no 0 x infinity at energy zero
            mixture += fraction / total * element_attenuation(element, energies_keV)
    return mixture


def absorption_factor(
    weight_fractions: Mapping[str, float],
    energies_keV: FloatArray,
    thickness_nm: float,
    density_g_cm3: float,
    take_off_angle_deg: float,
) -> FloatArray:
    """The share of X-rays that leave a foil towards the detector, between 0 and 1.

    A = (1 - exp(-chi)) / chi, chi = (mu/rho) rho t / sin(take-off angle): generation even over the
    depth of a flat foil, exit through its upper face (Goldstein et al. 1977). Shape of
    `energies_keV`.

    Raises
    ------
    ValueError
        if thickness, density or angle is out of range, or an element is unknown.
    """
    if thickness_nm < 0 or density_g_cm3 <= 0 or not 0 < take_off_angle_deg <= 90:
        raise ValueError(
            f"no absorption can be computed for {thickness_nm:g} nm, {density_g_cm3:g} g/cm3 and a "
            f"take-off angle of {take_off_angle_deg:g} degrees: thickness and density must be "
            "positive and the angle between 0 and 90 degrees"
        )
    path_g_cm2 = thickness_nm * 1e-7 * density_g_cm3 / np.sin(np.radians(take_off_angle_deg))
    chi = mass_attenuation(weight_fractions, energies_keV) * path_g_cm2
    safe = np.where(chi > 0, chi, 1.0)
    return np.where(chi > 0, -np.expm1(-safe) / safe, 1.0)


def thickness_slope(absorption: FloatArray) -> FloatArray:
    """d ln A / d ln t of absorption factors A, between -1 and 0, shape of `absorption`.

    From A = (1 - exp(-chi)) / chi, chi proportional to the thickness t (and to the density):
    chi / (exp(chi) - 1) - 1. chi follows from A by bisection.
    """
    a = np.asarray(absorption, dtype=np.float64)
    low, high = np.zeros_like(a), np.full_like(a, 1e3)
    for _ in range(60):
        chi = (low + high) / 2
        too_thick = -np.expm1(-chi) < a * chi
        low, high = np.where(too_thick, low, chi), np.where(too_thick, chi, high)
    chi = np.minimum((low + high) / 2, 700.0)
    safe = np.where(chi > 1e-9, chi, 1.0)
    return np.where(chi > 1e-9, safe / np.expm1(safe) - 1.0, 0.0)
