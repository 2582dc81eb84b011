"""Lines as they are marked on a spectrum, and which lines lie near an energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from endmember.core.counts.spectrum import EnergyAxis, FloatArray

if TYPE_CHECKING:  # slow libraries are imported where they are needed, not when a window starts
    from endmember.core.xrays.lines import Family, Line

FAINT = 0.03  # of the strongest line of the family: below, a line is not marked
LOWEST_keV = 0.1
FWHM_MN_eV = 130.0
# Siegbahn names (Jenkins et al. 1991, X-Ray Spectrom. 20, 149): the group under which lines that
# cannot be resolved are read, and the line's own name.
# fmt: off
SIEGBAHN = {
    "KL3": ("α", "α1"), "KL2": ("α", "α2"), "KM3": ("β", "β1"), "KM2": ("β", "β3"),
    "KN3": ("β2", "β2"), "KN2": ("β2", "β2"),
    "L3M5": ("α", "α1"), "L3M4": ("α", "α2"), "L2M4": ("β1", "β1"),
    "L3N5": ("β2", "β2"), "L3N4": ("β2", "β15"), "L1M3": ("β3,4", "β3"), "L1M2": ("β3,4", "β4"),
    "L3N1": ("β6", "β6"), "L3O4": ("β5", "β5"), "L3O5": ("β5", "β5"), "L2N4": ("γ1", "γ1"),
    "L1N2": ("γ2,3", "γ2"), "L1N3": ("γ2,3", "γ3"), "L2N1": ("γ5", "γ5"), "L2O4": ("γ6", "γ6"),
    "L2M1": ("ℓ,η", "η"), "L3M1": ("ℓ,η", "ℓ"),
    "M5N7": ("α", "α1"), "M5N6": ("α", "α2"), "M4N6": ("β", "β"), "M3N5": ("γ", "γ"),
    "M4N2": ("ζ", "ζ2"), "M4N3": ("ζ", "4-N3"), "M5N3": ("ζ", "ζ1"),
}
# fmt: on

FIRST_NUMBER, LAST_NUMBER = 4, 98
LIKELY_FAMILY = {"K": 1.0, "L": 0.8, "M": 0.6}  # K lines are tried before L and M
UNCOMMON = 0.2
LISTED = 4.0
WITHOUT_ALPHA = 0.5


@dataclass(frozen=True, slots=True)
class Marker:
    """A line of an element as it is read on a spectrum, such as "Fe Kα" or "Nd Lβ1".

    Lines of one group that the detector cannot resolve are one marker at their weighted energy.
    `strength` is the emission cross section over that of the family's strongest marker, 0 to 1.
    """

    element: str
    label: str
    family: Family
    energy_keV: float
    strength: float
    alpha: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line near an energy, its distance (positive: the line lies above) and how likely it is."""

    marker: Marker
    distance_keV: float
    score: float


def markers(
    elements: Sequence[str], axis: EnergyAxis, beam_energy_keV: float
) -> tuple[Marker, ...]:
    """The lines of `elements` on the axis above 0.1 keV, element by element, by rising energy.

    Lines below 3 % of their family's strongest are left out; so are sum peaks, which belong to no
    element.

    Raises
    ------
    ValueError
        if an element is unknown or the beam energy is outside 30 to 400 keV.
    """
    from endmember.core.xrays.artefact_peaks import SUM_ELEMENT

    lowest = max(axis.edges[0], LOWEST_keV)
    return tuple(
        marker
        for element in elements
        if element != SUM_ELEMENT
        for marker in _markers_of(element, beam_energy_keV)
        if lowest <= marker.energy_keV <= axis.edges[-1]
    )


@cache
def _markers_of(element: str, beam_energy_keV: float) -> tuple[Marker, ...]:
    from endmember.core.xrays.lines import FAMILIES, emission_lines

    lines = emission_lines(element, beam_energy_keV)
    found: list[Marker] = []
    for family in FAMILIES:
        found += _family_markers(element, [line for line in lines if line.family == family])
    return tuple(sorted(found, key=lambda marker: marker.energy_keV))


def _family_markers(element: str, lines: Sequence[Line]) -> list[Marker]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(_names(line)[0], []).append(line)
    together = [part for name, group in groups.items() for part in _resolved(name, group)]
    strongest = max((_strength(group) for _, group in together), default=0.0)
    return [
        Marker(
            element,
            f"{element} {group[0].family}{name}",
            group[0].family,
            _energy(group),
            _strength(group) / strongest,
            group[0].alpha,
        )
        for name, group in together
        if _strength(group) >= FAINT * strongest > 0
    ]


def _names(line: Line) -> tuple[str, str]:
    """Group and name after the letter of the family; IUPAC where Siegbahn named no such line."""
    inner = line.name[: 1 if line.family == "K" else 2]
    iupac = f"{inner[1:]}-{line.name[len(inner) :]}"
    return SIEGBAHN.get(line.name, (iupac, iupac))


def _resolved(name: str, group: list[Line]) -> list[tuple[str, list[Line]]]:
    """The group cut where its lines stand a FWHM or more apart, each part with what it is called.

    A part of several lines is called as the group, a line that stands alone has its own name; but
    a group that is one line altogether, such as the K beta of light elements, keeps the group's.
    """
    parts: list[list[Line]] = []
    for line in sorted(group, key=lambda line: line.energy_keV):
        width = _width_keV(line.energy_keV)
        if parts and line.energy_keV - parts[-1][0].energy_keV < width:
            parts[-1].append(line)
        else:
            parts.append([line])
    named = []
    for part in parts:
        own = {_names(line)[1] for line in part}
        alone = len(own) == 1 and (len(parts) > 1 or "," in name)
        named.append((own.pop() if alone else name, part))
    return named


def _width_keV(energy_keV: float) -> float:
    from endmember.core.xrays.line_shapes import fwhm_keV

    return float(fwhm_keV(energy_keV, FWHM_MN_eV))


def _strength(group: Sequence[Line]) -> float:
    return sum(line.cross_section_cm2 for line in group)


def _energy(group: Sequence[Line]) -> float:
    weights = [line.cross_section_cm2 for line in group]
    if not any(weights):
        return group[0].energy_keV
    return float(np.average([line.energy_keV for line in group], weights=weights))


@cache
def _every_marker(beam_energy_keV: float) -> tuple[tuple[Marker, ...], FloatArray]:
    """The markers of all elements from Be to Cf by rising energy, and these energies."""
    import xraylib

    symbols = [xraylib.AtomicNumberToSymbol(z) for z in range(FIRST_NUMBER, LAST_NUMBER + 1)]
    found = [
        marker
        for symbol in symbols
        for marker in _markers_of(symbol, beam_energy_keV)
        if marker.energy_keV >= LOWEST_keV
    ]
    found.sort(key=lambda marker: marker.energy_keV)
    return tuple(found), np.array([marker.energy_keV for marker in found])


def lines_near(
    energy_keV: float,
    beam_energy_keV: float,
    known: Sequence[str] = (),
    tolerance_keV: float | None = None,
) -> tuple[Candidate, ...]:
    """The lines of all elements from Be to Cf within `tolerance_keV` of an energy, likeliest first.

    Default tolerance: half a FWHM. The score is a product: closeness (1 at the energy, 1/2 at half
    a FWHM), root of the line's strength in its family, family (K before L before M), how common the
    element is (`CANDIDATES`), and whether it is already listed in `known`. A line that is not the
    alpha line of its family counts half unless its element is known: its alpha line would stand
    elsewhere and be seen first. The first call for a beam energy computes all lines and takes about
    a second; the following ones take a millisecond.

    Raises
    ------
    ValueError
        if the beam energy is outside 30 to 400 keV.
    """
    every, energies = _every_marker(beam_energy_keV)
    half = _width_keV(max(energy_keV, LOWEST_keV)) / 2
    tolerance = half if tolerance_keV is None else tolerance_keV
    first = int(np.searchsorted(energies, energy_keV - tolerance, "left"))
    last = int(np.searchsorted(energies, energy_keV + tolerance, "right"))
    found = [
        Candidate(
            marker, marker.energy_keV - energy_keV, _score(marker, energy_keV, half, set(known))
        )
        for marker in every[first:last]
    ]
    return tuple(sorted(found, key=lambda candidate: -candidate.score))


def _score(marker: Marker, energy_keV: float, half_keV: float, known: set[str]) -> float:
    from endmember.core.fitting.unexplained import CANDIDATES

    closeness = 0.5 ** (((marker.energy_keV - energy_keV) / half_keV) ** 2)
    listed = marker.element in known
    common = UNCOMMON
    if marker.element in CANDIDATES:
        common = 1.0 - 0.5 * CANDIDATES.index(marker.element) / len(CANDIDATES)
    score = closeness * np.sqrt(marker.strength) * LIKELY_FAMILY[marker.family]
    score *= LISTED if listed else common
    return float(score if marker.alpha or listed else WITHOUT_ALPHA * score)


def nearest_line(energy_keV: float, markers: Sequence[Marker]) -> Marker | None:
    """The marker nearest to an energy, None where none lies within a FWHM of it."""
    nearest = min(markers, key=lambda marker: abs(marker.energy_keV - energy_keV), default=None)
    if nearest is None:
        return None
    near = abs(nearest.energy_keV - energy_keV) <= _width_keV(nearest.energy_keV)
    return nearest if near else None
