"""Ionisation of atomic shells by the electron beam, from the table shipped with the program.

Source: D. Bote, F. Salvat, A. Jablonski, C. J. Powell, At. Data Nucl. Data Tables 95 (2009) 871.
"""

from __future__ import annotations

import csv
import importlib.resources
from dataclasses import dataclass
from functools import cache

import numpy as np
import xraylib

from endmember.core.counts.spectrum import FloatArray

TABLE = "ionisation_cross_sections.csv"
SHELLS = ("K", "L1", "L2", "L3", "M1", "M2", "M3", "M4", "M5")


@cache
def atomic_number(element: str) -> int:
    """The number of protons of an element given by its symbol.

    Raises
    ------
    ValueError
        if there is no such element.
    """
    try:
        return int(xraylib.SymbolToAtomicNumber(element))
    except ValueError:
        raise ValueError(
            f"'{element}' is not an element: give a chemical symbol such as Mg"
        ) from None


@dataclass(frozen=True, slots=True)
class _Shell:
    edge_keV: float
    sigmas_cm2: FloatArray


@cache
def _table() -> tuple[FloatArray, dict[tuple[int, str], _Shell]]:
    """The beam energies in keV, and the shells by atomic number and name."""
    text = importlib.resources.files("endmember_resources").joinpath(TABLE).read_text("utf-8")
    header, *rows = csv.reader(line for line in text.splitlines() if not line.startswith("#"))
    columns = [name.removeprefix("sigma_cm2_").removesuffix("keV") for name in header[3:]]
    shells = {
        (int(number), shell): _Shell(float(edge_eV) * 1e-3, np.array(sigmas, dtype=np.float64))
        for number, shell, edge_eV, *sigmas in rows
    }
    return np.array(columns, dtype=np.float64), shells


def has_shell(element: str, shell: str) -> bool:
    """Whether the table holds this shell of this element."""
    return (atomic_number(element), shell) in _table()[1]


def _interpolate(energies: FloatArray, shell: _Shell, beam_energy_keV: float) -> float:
    from scipy.interpolate import PchipInterpolator

    above = shell.sigmas_cm2 > 0
    known, sigmas = energies[above], shell.sigmas_cm2[above]
    if not len(known) or beam_energy_keV <= shell.edge_keV:
        return 0.0
    if beam_energy_keV < known[0]:  # between the edge and the first energy above it
        return float(sigmas[0] * (beam_energy_keV - shell.edge_keV) / (known[0] - shell.edge_keV))
    return float(np.exp(PchipInterpolator(np.log(known), np.log(sigmas))(np.log(beam_energy_keV))))


@cache
def ionisation_cross_section(element: str, shell: str, beam_energy_keV: float) -> float:
    """The cross section in cm2 for knocking an electron out of `shell` ("K", "L1" ... "M5").

    Between the energies of the table ln sigma follows a monotone cubic in ln E, which is within
    0.12 % of the full calculation of Bote et al. (2009). Zero below the edge.

    Raises
    ------
    ValueError
        if the element or the shell is not in the table, or the beam energy is outside it.
    """
    energies, table = _table()
    if not energies[0] <= beam_energy_keV <= energies[-1]:
        bulk = (
            "; at less the sample is bulk (SEM), to which thin-foil quantification does not apply"
        )
        raise ValueError(
            f"no cross sections for a beam energy of {beam_energy_keV:g} keV: "
            f"it must lie between {energies[0]:g} and {energies[-1]:g} keV"
            f"{bulk if beam_energy_keV < energies[0] else ''}"
        )
    number = atomic_number(element)
    if (number, shell) not in table:
        raise ValueError(
            f"no cross section for shell {shell} of {element}: "
            "the table holds K, L1 to L3 and M1 to M5, as far as the element has them"
        )
    return _interpolate(energies, table[number, shell], beam_energy_keV)
