"""Cliff-Lorimer k-factors: computed from cross sections, from a file, or by hand.

A k-factor means nothing without its line definition (alpha line or whole family), its basis (weight
or atomic), its reference, the beam energy, and whether the detector is inside. Everything here is
brought to one kind before it meets an area of the fit: by weight, of the alpha line, detector
inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from endmember.core.xrays.detector import Detector
from endmember.core.xrays.fit_columns import Column
from endmember.core.xrays.foil import Foil
from endmember.core.xrays.lines import (
    FAMILIES,
    Definition,
    Family,
    atomic_mass,
    detected_cross_section_cm2,
    family_lines,
)

Basis = Literal["weight", "atomic"]

# Relative systematic errors by default: K lines, O K, L, M (physics of the cross sections:
# Williams & Carter 2009, ch. 35, give 5 to 20 % for computed factors).
SYSTEMATIC = {"K": 0.05, "L": 0.10, "M": 0.20}
SYSTEMATIC_OXYGEN = 0.10

COMPUTED, BY_HAND = "computed", "by hand"
HAND_REFERENCE = "Si"  # k-factors by hand are relative to its K alpha line
SAME_BEAM = 0.01  # beam energies further apart than this share are told


def systematic_error(element: str, family: str) -> float:
    """The relative systematic error of a k-factor by default; see `SYSTEMATIC`."""
    return SYSTEMATIC_OXYGEN if element == "O" else SYSTEMATIC[family]


@dataclass(frozen=True, slots=True)
class GivenFactor:
    """A k-factor that was not computed here.

    `basis` is "weight" or "atomic"; `definition` says whether it belongs to the counts of the alpha
    line of `family` or of the whole family; `detector_inside` whether it holds the detector
    efficiency.
    """

    family: str
    value: float
    basis: str
    definition: Definition = "alpha"
    detector_inside: bool = True


@dataclass(frozen=True)
class GivenFactors:
    """The k-factors that are not computed for one spectrum after the other.

    `of_file` holds those of the file called `name`, by element and line family, all relative to one
    reference; None where there is no file and they are computed. `by_hand` comes before both: by
    weight, for the alpha line by which the element is quantified, detector inside, relative to Si
    Ka of the file or of the computation. `beam_energy_keV` is that of the file where it says it;
    `warnings` what must be known about the file.
    """

    of_file: Mapping[tuple[str, str], GivenFactor] | None = None
    name: str = ""
    beam_energy_keV: float | None = None
    warnings: tuple[str, ...] = ()
    by_hand: Mapping[str, float] = field(default_factory=dict)

    def told(self, beam_energy_keV: float | None) -> tuple[str, ...]:
        """What must be known where these factors are used at a beam energy in keV."""
        own = self.beam_energy_keV
        if own is None or beam_energy_keV is None:
            return self.warnings
        if abs(own - beam_energy_keV) <= SAME_BEAM * beam_energy_keV:
            return self.warnings
        sentence = (
            f"the k-factors of {self.name} are those of {own:g} keV, but the beam has "
            f"{beam_energy_keV:g} keV: use a file made for this beam energy"
        )
        return (*self.warnings, sentence)


Given = Mapping[str, GivenFactor] | GivenFactors


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What turns an alpha area into atoms: atoms ~ area * `atoms_per_count` / `absorption`.

    `weight_k` is the same on the weight basis, not yet relative to a reference; `absorption` the
    factor A <= 1, None where it is not corrected; `systematic` the relative error of k; `source`
    says where k is from: "computed", "file NAME" or "by hand".
    """

    atoms_per_count: float
    weight_k: float
    absorption: float | None
    systematic: float
    source: str = COMPUTED


def sensitivity(
    column: Column,
    detector: Detector,
    foil: Foil | None,
    weight_fractions: Mapping[str, float],
    given: Given | None,
    beam_energy_keV: float | None = None,
) -> Sensitivity:
    """How strongly an element shows in its alpha line.

    Computed: 1 / sum over alpha lines of emission cross section x detector efficiency, so that
    k_A / k_B on the weight basis is (M_A / Q_A eps_A) / (M_B / Q_B eps_B) (Williams & Carter 2009,
    eq. 35.2 ff.). A is the intensity-weighted mean of (1 - exp(-chi)) / chi over the alpha lines.
    `beam_energy_keV` is needed for what is given by hand, for a whole family or without detector.

    Raises
    ------
    ValueError
        if factors are given and lack the element, or give it for another line family.
    """
    alpha = [line for line in column.lines if line.alpha]
    energies = np.array([line.energy_keV for line in alpha])
    strength = np.array([line.cross_section_cm2 for line in alpha]) * detector.efficiency(energies)
    absorption = None
    if foil is not None and weight_fractions and strength.any():
        absorption = float(np.average(foil.factor(weight_fractions, energies), weights=strength))
    mass = atomic_mass(column.element)
    systematic = systematic_error(column.element, column.family)
    known = given if isinstance(given, GivenFactors) else _of_mapping(given)
    base = _Base(known, detector, beam_energy_keV)
    if (by_hand := known.by_hand.get(column.element)) is not None:
        weight_k, source = by_hand * base.of_hand_reference(column.element), BY_HAND
    elif known.of_file is None:
        per_count = _computed(column.element, float(strength.sum()))
        return Sensitivity(per_count, per_count * mass, absorption, systematic)
    else:
        weight_k, source = base.of_file(column.element, column.family), f"file {known.name}"
    return Sensitivity(weight_k / mass, weight_k, absorption, systematic, source)


def _of_mapping(given: Mapping[str, GivenFactor] | None) -> GivenFactors:
    if given is None:
        return GivenFactors()
    return GivenFactors({(e, factor.family): factor for e, factor in given.items()}, "given")


def _computed(element: str, strength_cm2: float) -> float:
    if not strength_cm2 > 0:
        raise ValueError(
            f"the detector counts nothing of the alpha line of {element}: correct its efficiency, "
            "or leave the element out"
        )
    return 1e-24 / strength_cm2  # per barn: numbers near one


@dataclass(frozen=True, slots=True)
class _Base:
    """The factors below those by hand: of the file, or computed; by weight, alpha, detector."""

    known: GivenFactors
    detector: Detector
    beam_energy_keV: float | None

    def of_hand_reference(self, element: str) -> float:
        """The factor of Si Ka, which a factor of `element` by hand is a multiple of."""
        if self.known.of_file is None:
            strength = self._strength(HAND_REFERENCE, "K", "alpha", detected=True)
            return _computed(HAND_REFERENCE, strength) * atomic_mass(HAND_REFERENCE)
        if (HAND_REFERENCE, "K") not in self.known.of_file:
            raise ValueError(
                f"the k-factor of {element} by hand is relative to {HAND_REFERENCE}, but "
                f"{self.known.name} has no value for {HAND_REFERENCE} Ka: add a row for it, or put "
                f"the value for {element} into the file"
            )
        return self.of_file(HAND_REFERENCE, "K")

    def of_file(self, element: str, family: str) -> float:
        """k times counts is an amount, whatever counts are meant: k_alpha = k S / S_alpha.

        S is the strength of what the factor was given for, S_alpha that of the alpha line with the
        detector; k of a family is thus divided by the share of its alpha line.
        """
        assert self.known.of_file is not None
        factor = self.known.of_file.get((element, family))
        if factor is None:
            raise ValueError(
                f"{self.known.name} has no value for {element} {family}a: add a row "
                f'"{element}, {family}a, ..." or leave the element out'
            )
        weight_k = factor.value * (atomic_mass(element) if factor.basis == "atomic" else 1.0)
        if factor.definition == "alpha" and factor.detector_inside:
            return weight_k
        strength = self._strength(element, family, factor.definition, factor.detector_inside)
        return weight_k * strength / self._strength(element, family, "alpha", detected=True)

    def _strength(self, element: str, family: str, definition: Definition, detected: bool) -> float:
        if self.beam_energy_keV is None:
            raise ValueError(
                f"the k-factor of {element} cannot be brought to the alpha line, since the beam "
                "energy is unknown: give it (beam_energy_keV)"
            )
        return detected_cross_section_cm2(
            element,
            next(known for known in FAMILIES if known == family),
            self.beam_energy_keV,
            self.detector if detected else None,
            definition,
        )


@dataclass(frozen=True, slots=True)
class KFactorRow:
    """One computed k-factor with what it was made of.

    `energy_keV` and `efficiency` (None without detector) are means over the lines meant, weighted
    with their strength; `cross_section_cm2` is the emission cross section per atom, without
    detector; `systematic` the relative error of k.
    """

    element: str
    family: Family
    energy_keV: float
    cross_section_cm2: float
    efficiency: float | None
    k: float
    systematic: float


@dataclass(frozen=True, slots=True)
class KFactorTable:
    """Computed k-factors with all that they mean nothing without."""

    rows: tuple[KFactorRow, ...]
    reference: str
    reference_family: Family
    definition: Definition
    basis: Basis
    beam_energy_keV: float
    detector: Detector | None


def k_factor_table(
    families: Mapping[str, Family],
    reference: tuple[str, Family],
    beam_energy_keV: float,
    *,
    definition: Definition = "alpha",
    basis: Basis = "weight",
    detector: Detector | None = None,
) -> KFactorTable:
    """The k-factors of elements by the line `families`, relative to an element and family.

    By weight k = (M / Q eps)_X / (M / Q eps)_ref, on the atomic basis without M (Cliff & Lorimer
    1975; Williams & Carter 2009, eq. 35.2 ff.); Q the emission cross section of the alpha line or
    of the family, eps the efficiency of the `detector`, 1 without.

    Raises
    ------
    ValueError
        if an element is unknown or has no such lines, or the beam energy is outside the table.
    """

    def amount_per_count(element: str, family: Family) -> float:
        signal = detected_cross_section_cm2(element, family, beam_energy_keV, detector, definition)
        if not signal > 0:
            raise ValueError(
                f"{element} {family} gives no counts at {beam_energy_keV:g} keV with this "
                "detector: leave the element out"
            )
        return (atomic_mass(element) if basis == "weight" else 1.0) / signal

    def row(element: str, family: Family) -> KFactorRow:
        lines = family_lines(element, family, beam_energy_keV, definition)
        strength = np.array([line.cross_section_cm2 for line in lines])
        energies = np.array([line.energy_keV for line in lines])
        efficiency = None
        if detector is not None:
            efficiency = float(np.average(detector.efficiency(energies), weights=strength))
        return KFactorRow(
            element,
            family,
            float(np.average(energies, weights=strength)),
            float(strength.sum()),
            efficiency,
            amount_per_count(element, family) / amount_per_count(*reference),
            systematic_error(element, family),
        )

    amount_per_count(*reference)  # a reference that cannot be used is told before any row
    return KFactorTable(
        tuple(row(element, family) for element, family in families.items()),
        *reference,
        definition,
        basis,
        beam_energy_keV,
        detector,
    )
