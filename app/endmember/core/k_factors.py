"""Cliff-Lorimer k-factors: computed from cross sections, or given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from endmember.core.detector import Detector
from endmember.core.lines import atomic_mass
from endmember.core.spectrum_fit import Column, Foil

# Relative systematic errors by default: K lines, O K, L, M (physics of the cross sections:
# Williams & Carter 2009, ch. 35, give 5 to 20 % for computed factors).
SYSTEMATIC = {"K": 0.05, "L": 0.10, "M": 0.20}
SYSTEMATIC_OXYGEN = 0.10


@dataclass(frozen=True, slots=True)
class GivenFactor:
    """A k-factor from a file: for the alpha line of `family`, on the "weight" or "atomic" basis."""

    family: str
    value: float
    basis: str


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What turns an alpha area into atoms: atoms ~ area * `atoms_per_count` / `absorption`.

    `weight_k` is the same on the weight basis, not yet relative to a reference; `absorption` the
    factor A <= 1, None where it is not corrected; `systematic` the relative error of k.
    """

    atoms_per_count: float
    weight_k: float
    absorption: float | None
    systematic: float


def sensitivity(
    column: Column,
    detector: Detector,
    foil: Foil | None,
    weight_fractions: Mapping[str, float],
    given: Mapping[str, GivenFactor] | None,
) -> Sensitivity:
    """How strongly an element shows in its alpha line.

    Computed: 1 / sum over alpha lines of emission cross section x detector efficiency, so that
    k_A / k_B on the weight basis is (M_A / Q_A eps_A) / (M_B / Q_B eps_B) (Williams & Carter 2009,
    eq. 35.2 ff.). A is the intensity-weighted mean of (1 - exp(-chi)) / chi over the alpha lines.

    Raises
    ------
    ValueError
        if factors are given and lack the element, or give it for another line family.
    """
    alpha = [line for line in column.lines if line.alpha]
    energies = np.array([line.energy_keV for line in alpha])
    strength = np.array([line.cross_section_cm2 for line in alpha]) * detector.efficiency(energies)
    absorption = None
    if foil is not None and weight_fractions:
        absorption = float(np.average(foil.factor(weight_fractions, energies), weights=strength))
    mass = atomic_mass(column.element)
    systematic = SYSTEMATIC_OXYGEN if column.element == "O" else SYSTEMATIC[column.family]
    if given is None:
        per_count = 1e-24 / float(strength.sum())  # per barn: numbers near one
        return Sensitivity(per_count, per_count * mass, absorption, systematic)
    factor = given.get(column.element)
    if factor is None or factor.family != column.family:
        raise ValueError(
            f"the k-factors have no value for {column.element} {column.family}a: add a row "
            f'"{column.element}, {column.family}a, ..." or leave the element out'
        )
    weight_k = factor.value * (mass if factor.basis == "atomic" else 1.0)
    return Sensitivity(weight_k / mass, weight_k, absorption, systematic)
