"""Atoms per formula unit, and whether the charges of an oxide balance.

A formula unit is a composition scaled to a number of oxygens or of cations (Deer, Howie & Zussman
2013, An Introduction to the Rock-Forming Minerals, appendix 1). With n = K N the atoms from the
areas N (see `closure`),

    f = s n / (t^T n),   df/dN = s (K - f/s t^T K) / (t^T n),   Cov(f) = F Cov(N) F^T, F = df/dN

where t is 1 for what is counted (oxygen, or each cation) and 0 otherwise, and s how many of them
the unit holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.quantification.closure import LineAtoms, closure, closure_jacobian

if TYPE_CHECKING:
    from endmember.core.quantification.composition import Composition

IMBALANCE_SIGMA = 3.0
"""Sigmas, statistical and systematic together, from which charges do not balance."""
LEAST_OXYGEN = 1 / 3
"""Atomic fraction of oxygen below which a phase is no oxide: that of the poorest, such as Na2O."""


@dataclass(frozen=True, slots=True)
class FormulaBasis:
    """What a formula unit is scaled to: a number of oxygens or of cations."""

    size: float
    of: Literal["O", "cations"]

    def __str__(self) -> str:
        return f"{self.size:g} {self.of}"


def basis_of(text: str) -> FormulaBasis:
    """The basis written as "3 O" or "2 cations".

    Raises
    ------
    ValueError
        if it is written otherwise, or the number is not positive.
    """
    number, _, counted = text.strip().partition(" ")
    of: Literal["O", "cations"] | None = _COUNTED.get(counted.strip())
    try:
        size = float(number)
    except ValueError:
        size = math.nan
    if of is None or not (math.isfinite(size) and size > 0):
        raise ValueError(
            f'is "{text}"; write a number above 0 of what is counted, as in "3 O" or "2 cations"'
        )
    return FormulaBasis(size, of)


_COUNTED: dict[str, Literal["O", "cations"]] = {"O": "O", "cations": "cations", "cation": "cations"}


@dataclass(frozen=True, eq=False, slots=True)
class FormulaUnit:
    """Atoms per formula unit, in the order of `elements` (e,).

    `basis` says to what they are scaled, such as "3 O" or "2 cations". `atoms` (e,), statistical
    `covariance` (e, e) and the `systematic` standard deviation (e,) from the k-factors.
    """

    basis: str
    elements: tuple[str, ...]
    atoms: FloatArray
    covariance: FloatArray
    systematic: FloatArray

    @property
    def sigma(self) -> FloatArray:
        """Statistical standard deviation of each, shape (e,)."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

    def __getitem__(self, element: str) -> float:
        return float(self.atoms[self.elements.index(element)])


def formula_unit(composition: Composition, basis: FormulaBasis) -> FormulaUnit:
    """Atoms per formula unit on a basis; see `per_oxygens` and `per_cations`, also for errors."""
    scaled = per_oxygens if basis.of == "O" else per_cations
    return scaled(composition, basis.size)


def per_oxygens(composition: Composition, oxygens: float) -> FormulaUnit:
    """Atoms per formula unit of so many oxygens: 3 for a perovskite.

    Oxygen is the measured one, or that of the cations where the composition was made with oxygen by
    stoichiometry, which is the convention of mineral analyses.

    Raises
    ------
    ValueError
        if `oxygens` is not a positive number, or the composition holds no oxygen.
    """
    if "O" not in composition.atoms.elements:
        raise ValueError(
            "the composition holds no oxygen to count formula units by: measure O, take oxygen by "
            "stoichiometry, or count by cations"
        )
    counted = np.array([element == "O" for element in composition.atoms.elements], float)
    return _scaled(composition.atoms, counted, oxygens, "O", f"{oxygens:g} O")


def per_cations(composition: Composition, cations: float) -> FormulaUnit:
    """Atoms per formula unit of so many cations: 2 for a perovskite, 3 for an olivine.

    Cations are the elements with a valence (see `oxides`); oxygen may be measured or not.

    Raises
    ------
    ValueError
        if `cations` is not a positive number, or the composition holds no cation.
    """
    counted = (composition.atoms.valences > 0).astype(float)
    if not counted.any():
        raise ValueError(
            "the composition holds no cation to count formula units by: give a valence, or count "
            "by oxygens"
        )
    return _scaled(composition.atoms, counted, cations, "cation", f"{cations:g} cations")


def _scaled(
    atoms: LineAtoms, counted: FloatArray, size: float, what: str, basis: str
) -> FormulaUnit:
    if not (math.isfinite(size) and size > 0):
        raise ValueError(
            f"a formula unit of {size:g} {what} cannot be made: give a number above 0, such as 3"
        )
    k = atoms.atoms_per_count
    total = float(counted @ k @ atoms.areas)
    if total <= 0:
        raise ValueError(
            f"the {what} of the composition has no net counts, so that no formula unit can be "
            "scaled to it: sum over more pixels"
        )
    values = size * (k @ atoms.areas) / total
    jacobian = (size * k - np.outer(values, counted @ k)) / total
    by_k = jacobian * (atoms.systematic * atoms.areas)
    return FormulaUnit(
        basis,
        atoms.elements,
        values,
        jacobian @ atoms.covariance @ jacobian.T,
        np.sqrt((by_k**2).sum(axis=1)),
    )


@dataclass(frozen=True, slots=True)
class ChargeBalance:
    """Positive charges of the cations and negative of oxygen (2 each), per 100 atoms.

    `sigma` and `systematic` are those of their difference, errors of both from the same areas.
    """

    positive: float
    negative: float
    sigma: float
    systematic: float

    @property
    def distance(self) -> float:
        """Positive less negative charges over all errors of the difference, in sigma."""
        error = math.hypot(self.sigma, self.systematic)
        return (self.positive - self.negative) / error if error > 0 else 0.0

    @property
    def sentence(self) -> str:
        """What the check says, with the errors."""
        return (
            f"charge balance per 100 atoms: cations +{self.positive:.1f}, oxygen "
            f"-{self.negative:.1f}, difference {self.positive - self.negative:+.1f} +- "
            f"{self.sigma:.1f} (statistical) +- {self.systematic:.1f} (k-factors), "
            f"{self.distance:+.1f} sigma"
        )


def charge_balance(atoms: LineAtoms) -> ChargeBalance | None:
    """Whether the charges of an oxide balance: the cations' charges against 2 for each oxygen.

    With fractions c and valences v (v = -2 for oxygen) the difference is d = v^T c, and its
    variance v^T J Cov(N) J^T v with J the Jacobian of the closure. None where oxygen is not
    measured, the phase holds less oxygen than any oxide, or more than one in a hundred of its
    atoms has no valence.
    """
    if not atoms.oxygen_is_measured:
        return None
    oxygen = np.array([element == "O" for element in atoms.elements])
    c = closure(atoms.areas, atoms.atoms_per_count)
    uncharged = ~oxygen & (atoms.valences == 0)
    if c[oxygen].sum() < LEAST_OXYGEN or np.abs(c[uncharged]).sum() > 0.01:
        return None
    jacobian = closure_jacobian(atoms.areas, atoms.atoms_per_count)
    slope = (atoms.valences - 2.0 * oxygen) @ jacobian
    return ChargeBalance(
        100 * float(atoms.valences @ c),
        200 * float(c[oxygen].sum()),
        100 * float(np.sqrt(max(float(slope @ atoms.covariance @ slope), 0.0))),
        100 * float(np.sqrt(np.sum((slope * atoms.systematic * atoms.areas) ** 2))),
    )
