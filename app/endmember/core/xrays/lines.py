"""X-ray lines and how strongly the beam excites them.

Emission cross section of a line = vacancies of its shell x fluorescence yield x radiative rate.
Yields, rates, energies and transition probabilities are those of xraylib (T. Schoonjans et al.,
Spectrochim. Acta B 66 (2011) 776), atomic masses those of periodictable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import xraylib

from endmember.core.xrays.cross_sections import (
    SHELLS,
    atomic_number,
    has_shell,
    ionisation_cross_section,
)
from endmember.core.xrays.detector import Detector

Family = Literal["K", "L", "M"]
Definition = Literal["alpha", "family"]

FAMILIES: tuple[Family, ...] = ("K", "L", "M")
ALPHA_LINES = {"K": ("KL2", "KL3"), "L": ("L3M4", "L3M5"), "M": ("M5N6", "M5N7")}
LOWEST_LINE_keV = 0.05
HIGHEST_PREFERRED_keV = 10.0

# Lines between two subshells only: xraylib repeats some of them in sums such as L3O45 or KL.
_OUTER = tuple(
    f"{s}{i}" for s, n in zip("LMNOP", (3, 5, 7, 7, 5), strict=True) for i in range(1, n + 1)
)


@dataclass(frozen=True, slots=True)
class Line:
    """One X-ray line of an atom.

    `name` in IUPAC notation without hyphen ("KL3"), `family` the shell that is filled, the emission
    cross section in cm2 per atom at the beam energy asked for, `alpha` whether it belongs to the
    alpha line of its family (K-L2,3, L3-M4,5 or M5-N6,7).
    """

    name: str
    family: Family
    energy_keV: float
    cross_section_cm2: float
    alpha: bool


def _value(function: Callable[[int, int], float], number: int, name: str) -> float:
    """What xraylib knows, or 0 where it holds no such shell, line or transition."""
    code = getattr(xraylib, name, None)
    if code is None:
        return 0.0
    try:
        return float(function(number, code))
    except ValueError:
        return 0.0


@cache
def _radiative(number: int, shell: str) -> dict[str, float]:
    """Probability per vacancy in `shell` of each line that fills it, by the outer subshell."""
    fluorescence = _value(xraylib.FluorYield, number, f"{shell}_SHELL")
    rates = {o: _value(xraylib.RadRate, number, f"{shell}{o}_LINE") for o in _OUTER}
    return {outer: fluorescence * rate for outer, rate in rates.items() if rate > 0}


@cache
def _transfer(number: int, shell: str) -> dict[str, float]:
    """Vacancies that one vacancy in `shell` makes in each outer shell of `SHELLS`.

    Each Auger transition (K-L2M1 ...) is counted for the first of its two final vacancies, as in
    the reference k-factors this program is compared with. Counting both, as xraylib's own cascade
    does, raises the L lines by 0.1 % and U M by 2 % at 200 kV.
    """
    auger = _value(xraylib.AugerYield, number, f"{shell}_SHELL")
    made = {}
    for outer in SHELLS[SHELLS.index(shell) + 1 :]:
        if outer[0] == shell[0]:
            transition = f"F{shell}{outer[1]}_TRANS"  # FL13 is L1 to L3
            made[outer] = _value(xraylib.CosKronTransProb, number, transition)
        else:
            rates = (
                _value(xraylib.AugerRate, number, f"{shell}_{outer}{other}_AUGER")
                for other in _OUTER
            )
            made[outer] = _radiative(number, shell).get(outer, 0.0) + auger * sum(rates)
    return made


@cache
def _vacancies(element: str, beam_energy_keV: float) -> dict[str, float]:
    """Vacancies per atom and unit fluence, in cm2, made by the beam and by inner vacancies."""
    number = atomic_number(element)
    total = {
        shell: ionisation_cross_section(element, shell, beam_energy_keV)
        for shell in SHELLS
        if has_shell(element, shell)
    }
    for shell in total:  # from the inside outwards, so that each shell passes on all it got
        for outer, share in _transfer(number, shell).items():
            if outer in total:
                total[outer] += share * total[shell]
    return total


@cache
def emission_lines(element: str, beam_energy_keV: float) -> tuple[Line, ...]:
    """All lines of an element above 0.05 keV, with emission cross sections, by rising energy.

    Vacancies come from the beam (Bote et al. 2009), from Coster-Kronig transfer and from the full
    radiative and Auger cascade of inner shells. Shells that the beam cannot ionise have no lines.

    Raises
    ------
    ValueError
        if the element is unknown or the beam energy is outside 30 to 400 keV.
    """
    number = atomic_number(element)
    lines = []
    for shell, vacancies in _vacancies(element, beam_energy_keV).items():
        if vacancies == 0:
            continue
        for outer, probability in _radiative(number, shell).items():
            name = f"{shell}{outer}"
            energy = _value(xraylib.LineEnergy, number, f"{name}_LINE")
            if energy > LOWEST_LINE_keV:
                family = FAMILIES["KLM".index(shell[0])]
                alpha = name in ALPHA_LINES[family]
                lines.append(Line(name, family, energy, vacancies * probability, alpha))
    return tuple(sorted(lines, key=lambda line: line.energy_keV))


def family_lines(
    element: str, family: Family, beam_energy_keV: float, definition: Definition = "family"
) -> tuple[Line, ...]:
    """The lines of one family, or its alpha lines only.

    Raises
    ------
    ValueError
        if the element has no such lines.
    """
    lines = tuple(
        line
        for line in emission_lines(element, beam_energy_keV)
        if line.family == family and (line.alpha or definition == "family")
    )
    if not lines:
        raise ValueError(f"{element} has no {family} lines: choose another line family")
    return lines


def alpha_energy_keV(element: str, family: Family, beam_energy_keV: float) -> float:
    """Mean energy in keV of the alpha line, its two parts weighted with their strength.

    Raises
    ------
    ValueError
        if the element has no such line.
    """
    lines = family_lines(element, family, beam_energy_keV, "alpha")
    weights = [line.cross_section_cm2 for line in lines]
    return float(np.average([line.energy_keV for line in lines], weights=weights))


def default_family(
    element: str, beam_energy_keV: float, low_keV: float, high_keV: float
) -> Family | None:
    """The line family by which an element is measured between `low_keV` and `high_keV`.

    The innermost family with its alpha line in the range and at most 10 keV; failing that, the
    innermost with its alpha line in the range; None if there is none.

    Raises
    ------
    ValueError
        if the element is unknown or the beam energy is outside 30 to 400 keV.
    """
    inside: list[tuple[Family, float]] = []
    present = {line.family for line in emission_lines(element, beam_energy_keV) if line.alpha}
    for family in FAMILIES:
        if family in present:
            energy = alpha_energy_keV(element, family, beam_energy_keV)
            if low_keV <= energy <= high_keV:
                inside.append((family, energy))
    preferred = [family for family, energy in inside if energy <= HIGHEST_PREFERRED_keV]
    return next(iter(preferred + [family for family, _ in inside]), None)


@cache
def atomic_mass(element: str) -> float:
    """Standard atomic mass in g/mol (periodictable).

    Raises
    ------
    ValueError
        if there is no such element.
    """
    import periodictable

    return float(periodictable.elements[atomic_number(element)].mass)


def detected_cross_section_cm2(
    element: str,
    family: Family,
    beam_energy_keV: float,
    detector: Detector | None = None,
    definition: Definition = "alpha",
) -> float:
    """Emission cross section of a family or its alpha line, times detector efficiency if given.

    Raises
    ------
    ValueError
        if the element has no such lines.
    """
    lines = family_lines(element, family, beam_energy_keV, definition)
    strength = np.array([line.cross_section_cm2 for line in lines])
    if detector is not None:
        strength = strength * detector.efficiency(np.array([line.energy_keV for line in lines]))
    return float(strength.sum())
