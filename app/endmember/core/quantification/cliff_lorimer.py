"""From line areas to a composition: Cliff-Lorimer with three kinds of error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from endmember.core.counts.spectrum import FloatArray, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.quantification.closure import LineAtoms, closure, shares, weight_fractions_of
from endmember.core.quantification.composition import Composition, ElementResult
from endmember.core.quantification.composition_warnings import composition_warnings
from endmember.core.quantification.detection import detection_limits
from endmember.core.xrays.artefact_peaks import Artefacts
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.foil import Foil
from endmember.core.xrays.k_factors import Given, GivenFactors, Sensitivity, sensitivity
from endmember.core.xrays.line_shapes import Calibration
from endmember.core.xrays.oxides import check_valences, oxide_formula, oxide_mass, valence_of

__all__ = ["Composition", "ElementResult", "Method", "composition_of", "quantify"]

ABSORPTION_ROUNDS = 100
ABSORPTION_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True)
class Method:
    """How spectra are quantified; the same for all spectra of a run.

    `given` replaces the computed k-factors; `reference` is the element to which k-factors refer in
    the table (default: the one with the largest area). `oxygen` is "measured" by its line or
    follows from the cations by "stoichiometry". `valences` replaces the usual valence of elements
    (see `oxides`), such as 3 for Fe: of their oxides, of the charge balance, and of oxygen by
    stoichiometry. `artefacts` are peaks of the detector, fitted with the lines.

    Raises
    ------
    ValueError
        if `oxygen` is none of the two, or a valence cannot be one.
    """

    elements: tuple[str, ...]
    system_elements: tuple[str, ...] = ()
    detector: Detector = Detector()  # noqa: RUF009 - frozen
    given: Given | None = None
    reference: str | None = None
    oxygen: Literal["measured", "stoichiometry"] = "measured"
    valences: Mapping[str, float] | None = None
    artefacts: Artefacts | None = None

    def __post_init__(self) -> None:
        if self.oxygen not in ("measured", "stoichiometry"):
            raise ValueError(
                f'oxygen is "{self.oxygen}", but must be "measured" or "stoichiometry": correct it'
            )
        check_valences(self.valences or {})

    @property
    def oxygen_by_stoichiometry(self) -> bool:
        """Whether oxygen follows from the cations."""
        return self.oxygen == "stoichiometry"


def quantify(
    spectrum: Spectrum,
    method: Method,
    foil: Foil | None = None,
    absent: str | None = None,
    calibration: Calibration | None = None,
) -> Composition:
    """Fit a spectrum and turn its areas into a composition with errors and detection limits.

    With a `foil` the absorption correction is iterated on the composition to 1e-8 and enters the
    fit (weights of the lines of a family, background) as well. `absent` is the element on which a
    subtracted spectrum was scaled: it stays out of the closure. `calibration` is
    kept if it is given: a subtracted spectrum is fitted with that of the spectrum it came from.

    Raises
    ------
    ValueError
        as `fit_spectrum`; if the foil is not one; if no quantified element has counts; and if
        oxygen by stoichiometry is asked for and nothing tells how much.
    """
    check_foil(foil)
    everything = (*method.elements, *method.system_elements)

    def fitted(weights: Mapping[str, float] | None) -> SpectrumFit:
        return fit_spectrum(
            spectrum,
            everything,
            detector=method.detector,
            foil=foil if weights else None,
            weight_fractions=weights,
            calibration=calibration,
            refine_calibration=calibration is None,
            artefacts=method.artefacts,
        )

    fit = fitted(None)
    measured = _measured(fit, method, absent)
    if foil is not None:
        fit = fitted(_absorbing_composition(fit, measured, method, foil, absent)[0])
    return composition_of(fit, method, foil, absent)


def composition_of(
    fit: SpectrumFit, method: Method, foil: Foil | None = None, absent: str | None = None
) -> Composition:
    """The composition that follows from the areas of a fit; see `quantify`."""
    check_foil(foil)
    measured = _measured(fit, method, absent)
    _, sensitivities = _absorbing_composition(fit, measured, method, foil, absent)
    atoms = _line_atoms(fit, measured, sensitivities, method, absent)
    reference = _reference(fit, measured, method)
    rows = _rows(fit, atoms, sensitivities, reference, method, absent)
    told = composition_warnings(fit, rows, atoms, method, foil, absent)
    if isinstance(method.given, GivenFactors):
        told += method.given.told(fit.spectrum.beam_energy_keV)
    return Composition(rows, fit, reference, told, atoms, foil)


def check_foil(foil: Foil | None) -> None:
    """Raise ValueError if thickness, density or angle of a foil cannot be used: one sentence."""
    if foil is None:
        return
    for name, value, unit in (
        ("thickness", foil.thickness_nm, "nm"),
        ("density", foil.density_g_cm3, "g/cm3"),
    ):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(
                f"the {name} of the foil is {value:g} {unit}, but must be above 0: correct it, or "
                "leave out thickness and density to go without the absorption correction"
            )
    if not 0 < foil.take_off_angle_deg <= 90:
        raise ValueError(
            f"the take-off angle is {foil.take_off_angle_deg:g} degrees, but must lie above 0 and "
            "at most at 90: correct it"
        )


def _measured(fit: SpectrumFit, method: Method, absent: str | None) -> dict[str, int]:
    """The column of each element that takes part in the closure by its own line."""
    found = {}
    for element in method.elements:
        index = _quantified_column(fit, element)
        by_others = element == "O" and method.oxygen_by_stoichiometry
        if index is not None and element != absent and not by_others:
            found[element] = index
    if not found:
        raise ValueError("no element of the list has a line in the energy range: check both")
    areas = fit.areas[list(found.values())]
    if not np.isfinite(areas).all():
        raise ValueError("the fitted areas are not numbers: fit the spectrum again")
    if method.oxygen_by_stoichiometry:
        if "O" not in method.elements:
            raise ValueError(
                "oxygen by stoichiometry is asked for, but O is not among the elements: add O"
            )
        if absent != "O" and not any(valence_of(e, method.valences) for e in found):
            raise ValueError(
                f"oxygen by stoichiometry cannot be had from {', '.join(found)}, which have no "
                "usual oxide: give their valence, or measure oxygen"
            )
    return found


def _closed_elements(
    measured: Mapping[str, int], method: Method, absent: str | None
) -> tuple[str, ...]:
    """The elements of the closure: those measured, and oxygen where it follows from them."""
    by_others = method.oxygen_by_stoichiometry and absent != "O"
    return (*measured, "O") if by_others else tuple(measured)


def _atoms_per_count(
    measured: Mapping[str, int],
    sensitivities: Sequence[Sensitivity],
    method: Method,
    absent: str | None,
) -> FloatArray:
    """K of n = K N, shape (elements, areas): a = k / (M A), and v/2 a in the row of oxygen."""
    a = np.array([s.atoms_per_count / (s.absorption or 1.0) for s in sensitivities])
    if len(_closed_elements(measured, method, absent)) == len(measured):
        return np.diag(a)
    oxygens = np.array([(valence_of(e, method.valences) or 0.0) / 2 for e in measured])
    return np.vstack([np.diag(a), oxygens * a])


def _absorbing_composition(
    fit: SpectrumFit,
    measured: Mapping[str, int],
    method: Method,
    foil: Foil | None,
    absent: str | None,
) -> tuple[dict[str, float], list[Sensitivity]]:
    """Composition and sensitivities consistent with each other, by fixed-point iteration."""
    elements = _closed_elements(measured, method, absent)
    areas = fit.areas[list(measured.values())]

    def sensitivities(weights: Mapping[str, float]) -> list[Sensitivity]:
        return [_sensitivity(fit, i, method, foil, weights) for i in measured.values()]

    current = sensitivities({})
    weights: dict[str, float] = {}
    previous = np.zeros(len(elements))
    for _ in range(ABSORPTION_ROUNDS):
        factors = _atoms_per_count(measured, current, method, absent)
        if (factors @ areas).sum() <= 0:
            raise ValueError(
                "the elements have no net counts together: the spectrum is too weak to quantify, "
                "sum over more pixels"
            )
        fractions = closure(areas, factors)
        weights = weight_fractions_of(elements, fractions)
        if foil is None or np.abs(fractions - previous).max() < ABSORPTION_TOLERANCE:
            break
        previous, current = fractions, sensitivities(weights)
    return weights, current


def _sensitivity(
    fit: SpectrumFit, index: int, method: Method, foil: Foil | None, weights: Mapping[str, float]
) -> Sensitivity:
    beam = fit.spectrum.beam_energy_keV
    return sensitivity(fit.columns[index], method.detector, foil, weights, method.given, beam)


def _reference(fit: SpectrumFit, measured: Mapping[str, int], method: Method) -> str:
    """The element k-factors refer to; it needs a line in the range, but no counts."""
    asked = method.reference
    if asked == "O" and method.oxygen_by_stoichiometry:
        asked = None
    if asked is not None and _quantified_column(fit, asked) is not None:
        return asked
    return max(measured, key=lambda element: float(fit.areas[measured[element]]))


def _quantified_column(fit: SpectrumFit, element: str) -> int | None:
    """The column by which an element is quantified, None if it has no alpha line in the range."""
    family = fit.family_of(element)
    index = None if family is None else fit.find(element, family)
    return index if index is not None and fit.columns[index].alpha_share else None


def _line_atoms(
    fit: SpectrumFit,
    measured: Mapping[str, int],
    sensitivities: Sequence[Sensitivity],
    method: Method,
    absent: str | None,
) -> LineAtoms:
    indices = list(measured.values())
    elements = _closed_elements(measured, method, absent)
    return LineAtoms(
        elements=elements,
        measured=tuple(measured),
        columns=tuple(indices),
        areas=fit.areas[indices],
        covariance=fit.covariance[np.ix_(indices, indices)],
        atoms_per_count=_atoms_per_count(measured, sensitivities, method, absent),
        systematic=np.array([s.systematic for s in sensitivities]),
        valences=np.array([valence_of(e, method.valences) or 0.0 for e in elements]),
    )


def _oxide_values(atoms: LineAtoms, method: Method) -> dict[str, dict[str, Any]]:
    """The fields of the oxides by element, for those that have one."""
    cations = [i for i, e in enumerate(atoms.measured) if valence_of(e, method.valences)]
    masses = [oxide_mass(atoms.measured[i], method.valences) for i in cations]
    per_count = np.diag(atoms.atoms_per_count)[cations] * masses
    areas = atoms.areas[cations]
    if not float(areas @ per_count) > 0:  # traces only, below zero together
        return {}
    covariance = atoms.covariance[np.ix_(cations, cations)]
    closed = shares(areas, covariance, atoms.systematic[cations], per_count)
    return {
        atoms.measured[i]: {
            "oxide_percent": float(closed.percent[j]),
            "oxide_percent_sigma": float(closed.sigma[j]),
            "oxide_percent_systematic": float(closed.systematic[j]),
        }
        for j, i in enumerate(cations)
    }


def _rows(
    fit: SpectrumFit,
    atoms: LineAtoms,
    sensitivities: Sequence[Sensitivity],
    reference: str,
    method: Method,
    absent: str | None,
) -> tuple[ElementResult, ...]:
    shared = _shared_values(atoms)
    oxides = _oxide_values(atoms, method)
    of_reference = _quantified_column(fit, reference)
    assert of_reference is not None  # `_reference` chose it for that
    reference_k = _sensitivity(fit, of_reference, method, None, {}).weight_k
    rows = []
    for element in method.elements:
        if element not in atoms.measured:
            made = element in atoms.elements
            rows.append(
                ElementResult(element, None, **shared[element])
                if made
                else _unmeasured(fit, element, absent, method)
            )
            continue
        i = atoms.measured.index(element)
        area, percent = float(atoms.areas[i]), shared[element]["atomic_percent"]
        rows.append(
            ElementResult(
                **_line_values(fit, atoms.columns[i]),
                **shared[element],
                # the paper's at.% / sqrt(N) has no meaning without a positive N
                atomic_percent_poisson=percent / math.sqrt(area) if area > 0 else None,
                k_factor=sensitivities[i].weight_k / reference_k,
                k_source=sensitivities[i].source,
                absorption=sensitivities[i].absorption,
                oxide=oxide_formula(element, method.valences),
                **oxides.get(element, {}),
                **detection_limits(fit, atoms, element, reference),
            )
        )
    return tuple(rows)


def _shared_values(atoms: LineAtoms) -> dict[str, dict[str, Any]]:
    """Atomic and weight percent with their errors by element, as fields of a row."""
    values: dict[str, dict[str, Any]] = {element: {} for element in atoms.elements}
    for name, by_weight in (("atomic", False), ("weight", True)):
        closed = shares(atoms.areas, atoms.covariance, atoms.systematic, atoms.per_count(by_weight))
        for i, element in enumerate(atoms.elements):
            values[element] |= {
                f"{name}_percent": float(closed.percent[i]),
                f"{name}_percent_sigma": float(closed.sigma[i]),
                f"{name}_percent_systematic": float(closed.systematic[i]),
            }
    return values


def _line_values(fit: SpectrumFit, index: int) -> dict[str, Any]:
    column = fit.columns[index]
    return {
        "element": column.element,
        "line": f"{column.family}a",
        "energy_keV": column.energy_keV,
        "net_counts": float(fit.areas[index]),
        "net_sigma": math.sqrt(max(float(fit.covariance[index, index]), 0.0)),
        "background_counts": float(fit.background[fit.window(column.energy_keV)].sum()),
    }


def _unmeasured(
    fit: SpectrumFit, element: str, absent: str | None, method: Method
) -> ElementResult:
    """A row without composition: the absent element, or one without a line in the range."""
    index = _quantified_column(fit, element)
    oxide = oxide_formula(element, method.valences)
    if element != absent or index is None:
        return ElementResult(element, None, oxide=oxide)
    return ElementResult(
        **_line_values(fit, index),
        atomic_percent=0.0,
        weight_percent=0.0,
        detected="assumed_absent",
        oxide=oxide,
        oxide_percent=None if oxide is None else 0.0,
    )
