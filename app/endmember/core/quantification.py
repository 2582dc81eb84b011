"""From line areas to a composition: Cliff-Lorimer with three kinds of error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from endmember.core.detection import CRITICAL, LOD_SIGMA, QUANTIFIABLE
from endmember.core.detector import Detector
from endmember.core.k_factors import GivenFactor, Sensitivity, sensitivity
from endmember.core.line_shapes import Calibration
from endmember.core.lines import atomic_mass
from endmember.core.oxides import oxide_formula, oxide_mass
from endmember.core.spectrum import FloatArray, Spectrum
from endmember.core.spectrum_fit import Foil, SpectrumFit, fit_spectrum
from endmember.core.unexplained import peaks_sentence, unexplained_peaks

ABSORPTION_ROUNDS = 100
ABSORPTION_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True)
class ElementResult:
    """One row of a composition. Areas in counts, compositions in percent, errors one sigma.

    `line` is None for an element without a line in the range; a value that does not exist is None.
    `oxide_percent` is the weight percent of the usual `oxide` (see `oxides`; "Al2O3" for Al): the
    measured cations closed to 100 with the oxygen of their oxides, measured oxygen left aside.
    Limits of detection in ppm of atoms (`lod_ppm`) and of weight.
    """

    element: str
    line: str | None
    energy_keV: float | None = None
    net_counts: float | None = None
    net_sigma: float | None = None
    background_counts: float | None = None
    atomic_percent: float | None = None
    atomic_percent_poisson: float | None = None
    atomic_percent_sigma: float | None = None
    atomic_percent_systematic: float | None = None
    weight_percent: float | None = None
    weight_percent_sigma: float | None = None
    k_factor: float | None = None
    absorption: float | None = None
    snr: float | None = None
    lod_ppm: float | None = None
    detected: str | None = None
    weight_percent_systematic: float | None = None
    lod_weight_ppm: float | None = None
    oxide: str | None = None
    oxide_percent: float | None = None
    oxide_percent_sigma: float | None = None
    oxide_percent_systematic: float | None = None


@dataclass(frozen=True, slots=True)
class Composition:
    """A quantified spectrum: one row an element, the fit they came from, and what to be told."""

    rows: tuple[ElementResult, ...]
    fit: SpectrumFit
    reference: str
    warnings: tuple[str, ...]

    def __getitem__(self, element: str) -> ElementResult:
        return next(row for row in self.rows if row.element == element)


@dataclass(frozen=True, slots=True)
class Method:
    """How spectra are quantified; the same for all spectra of a run.

    `given` replaces the computed k-factors; `reference` is the element to which k-factors refer in
    the table (default: the one with the largest area).
    """

    elements: tuple[str, ...]
    system_elements: tuple[str, ...] = ()
    detector: Detector = Detector()  # noqa: RUF009 - frozen
    given: Mapping[str, GivenFactor] | None = None
    reference: str | None = None


def closure(areas: FloatArray, atoms_per_count: FloatArray) -> FloatArray:
    """Atomic fractions c = n / sum n, n = N a (Cliff & Lorimer 1975). All shapes (elements,)."""
    atoms = areas * atoms_per_count
    return np.asarray(atoms / atoms.sum())


def closure_jacobian(areas: FloatArray, atoms_per_count: FloatArray) -> FloatArray:
    """dc/dN = (I - c 1^T) diag(a) / sum n, shape (elements, elements)."""
    fractions = closure(areas, atoms_per_count)
    total = float(areas @ atoms_per_count)
    return np.asarray((np.eye(len(areas)) - fractions[:, None]) * atoms_per_count[None, :] / total)


def weight_fractions_of(elements: Sequence[str], fractions: FloatArray) -> dict[str, float]:
    """Weight fractions from atomic fractions; negative values (traces) count as zero."""
    masses = np.array([atomic_mass(e) for e in elements]) * np.maximum(fractions, 0.0)
    return dict(zip(elements, (masses / masses.sum()).tolist(), strict=True))


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
        as `fit_spectrum`; and if no quantified element has counts.
    """
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
        )

    fit = fitted(None)
    measured = _measured(fit, method, absent)
    if foil is not None:
        fit = fitted(_absorbing_composition(fit, measured, method, foil)[0])
    return composition_of(fit, method, foil, absent)


def composition_of(
    fit: SpectrumFit, method: Method, foil: Foil | None = None, absent: str | None = None
) -> Composition:
    """The composition that follows from the areas of a fit; see `quantify`."""
    measured = _measured(fit, method, absent)
    _, sensitivities = _absorbing_composition(fit, measured, method, foil)
    rows = _rows(fit, measured, sensitivities, method, absent)
    return Composition(
        rows, fit, _reference(fit, measured, method), _warnings(fit, rows, absent, method)
    )


def _measured(fit: SpectrumFit, method: Method, absent: str | None) -> dict[str, int]:
    """The column of each element that takes part in the closure."""
    found = {}
    for element in method.elements:
        index = _quantified_column(fit, element)
        if index is not None and element != absent:
            found[element] = index
    if not found:
        raise ValueError("no element of the list has a line in the energy range: check both")
    return found


def _absorbing_composition(
    fit: SpectrumFit, measured: Mapping[str, int], method: Method, foil: Foil | None
) -> tuple[dict[str, float], list[Sensitivity]]:
    """Composition and sensitivities consistent with each other, by fixed-point iteration."""
    elements = list(measured)
    areas = fit.areas[list(measured.values())]

    def sensitivities(weights: Mapping[str, float]) -> list[Sensitivity]:
        return [
            sensitivity(fit.columns[i], method.detector, foil, weights, method.given)
            for i in measured.values()
        ]

    current = sensitivities({})
    weights: dict[str, float] = {}
    previous = np.zeros(len(elements))
    for _ in range(ABSORPTION_ROUNDS):
        factors = _atoms_per_count(current)
        if areas @ factors <= 0:
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


def _atoms_per_count(sensitivities: Sequence[Sensitivity]) -> FloatArray:
    return np.array([s.atoms_per_count / (s.absorption or 1.0) for s in sensitivities])


def _reference(fit: SpectrumFit, measured: Mapping[str, int], method: Method) -> str:
    """The element k-factors refer to; it needs a line in the range, but no counts."""
    if method.reference is not None and _quantified_column(fit, method.reference) is not None:
        return method.reference
    return max(measured, key=lambda element: float(fit.areas[measured[element]]))


def _reference_k(fit: SpectrumFit, reference: str, method: Method) -> float:
    index = _quantified_column(fit, reference)
    assert index is not None  # `_reference` chose it for that
    return sensitivity(fit.columns[index], method.detector, None, {}, method.given).weight_k


def _quantified_column(fit: SpectrumFit, element: str) -> int | None:
    """The column by which an element is quantified, None if it has no alpha line in the range."""
    family = fit.family_of(element)
    index = None if family is None else fit.find(element, family)
    return index if index is not None and fit.columns[index].alpha_share else None


@dataclass(frozen=True, slots=True)
class _Shares:
    """A closure in percent with its one-sigma errors; all of shape (elements,)."""

    percent: FloatArray
    sigma: FloatArray
    systematic: FloatArray


def _shares(
    areas: FloatArray, covariance: FloatArray, relative: FloatArray, per_count: FloatArray
) -> _Shares:
    """Shares of N a, in sum 100, for areas N and `per_count` a: atoms, weight or oxide weight.

    Statistical errors from the `covariance` of the areas, systematic ones from the `relative` error
    of each k, which acts as one of its area; both through the Jacobian of the closure.
    """
    jacobian = closure_jacobian(areas, per_count)
    statistical = jacobian @ covariance @ jacobian.T
    systematic = jacobian @ np.diag((relative * areas) ** 2) @ jacobian.T
    sigma, by_k = (np.sqrt(np.maximum(np.diag(c), 0.0)) for c in (statistical, systematic))
    return _Shares(100 * closure(areas, per_count), 100 * sigma, 100 * by_k)


def _oxide_values(
    elements: Sequence[str],
    areas: FloatArray,
    covariance: FloatArray,
    relative: FloatArray,
    atoms_per_count: FloatArray,
) -> dict[str, dict[str, Any]]:
    """The fields of the oxides by element, for those that have one."""
    cations = [i for i, element in enumerate(elements) if oxide_formula(element)]
    per_count = atoms_per_count[cations] * [oxide_mass(elements[i]) for i in cations]
    if not float(areas[cations] @ per_count) > 0:  # traces only, below zero together
        return {}
    shares = _shares(
        areas[cations], covariance[np.ix_(cations, cations)], relative[cations], per_count
    )
    return {
        elements[i]: {
            "oxide_percent": float(shares.percent[j]),
            "oxide_percent_sigma": float(shares.sigma[j]),
            "oxide_percent_systematic": float(shares.systematic[j]),
        }
        for j, i in enumerate(cations)
    }


def _rows(
    fit: SpectrumFit,
    measured: Mapping[str, int],
    sensitivities: Sequence[Sensitivity],
    method: Method,
    absent: str | None,
) -> tuple[ElementResult, ...]:
    elements, indices = list(measured), list(measured.values())
    areas, covariance = fit.areas[indices], fit.covariance[np.ix_(indices, indices)]
    factors = _atoms_per_count(sensitivities)
    relative = np.array([s.systematic for s in sensitivities])
    by_weight = factors * [atomic_mass(e) for e in elements]
    atoms = _shares(areas, covariance, relative, factors)
    weight = _shares(areas, covariance, relative, by_weight)
    oxides = _oxide_values(elements, areas, covariance, relative, factors)
    reference_k = _reference_k(fit, _reference(fit, measured, method), method)
    rows = []
    for element in method.elements:
        if element not in measured:
            rows.append(_unmeasured(fit, element, absent))
            continue
        i = elements.index(element)
        blank = fit.sigma_without(indices[i])
        rows.append(
            ElementResult(
                **_line_values(fit, indices[i]),
                atomic_percent=atoms.percent[i],
                # the paper's at.% / sqrt(N) has no meaning without a positive N
                atomic_percent_poisson=(
                    atoms.percent[i] / np.sqrt(areas[i]) if areas[i] > 0 else None
                ),
                atomic_percent_sigma=float(atoms.sigma[i]),
                atomic_percent_systematic=float(atoms.systematic[i]),
                weight_percent=weight.percent[i],
                weight_percent_sigma=float(weight.sigma[i]),
                weight_percent_systematic=float(weight.systematic[i]),
                k_factor=sensitivities[i].weight_k / reference_k,
                absorption=sensitivities[i].absorption,
                snr=_signal_to_noise(fit, indices[i]),
                lod_ppm=1e6 * LOD_SIGMA * blank * factors[i] / float(areas @ factors),
                lod_weight_ppm=1e6 * LOD_SIGMA * blank * by_weight[i] / float(areas @ by_weight),
                detected=_state(areas[i], _root(covariance[i, i]), blank),
                oxide=oxide_formula(element),
                **oxides.get(element, {}),
            )
        )
    return tuple(rows)


def _root(variance: float) -> float:
    return float(np.sqrt(max(variance, 0.0)))


def _state(area: float, sigma: float, blank_sigma: float) -> str:
    if area < CRITICAL * blank_sigma:
        return "no"
    return "quantifiable" if area > QUANTIFIABLE * sigma else "yes"


def _line_values(fit: SpectrumFit, index: int) -> dict[str, Any]:
    column = fit.columns[index]
    return {
        "element": column.element,
        "line": f"{column.family}a",
        "energy_keV": column.energy_keV,
        "net_counts": float(fit.areas[index]),
        "net_sigma": _root(fit.covariance[index, index]),
        "background_counts": float(fit.background[fit.window(column.energy_keV)].sum()),
    }


def _unmeasured(fit: SpectrumFit, element: str, absent: str | None) -> ElementResult:
    """A row without composition: the absent element, or one without a line in the range."""
    index = _quantified_column(fit, element)
    if element != absent or index is None:
        return ElementResult(element, None, oxide=oxide_formula(element))
    oxide = oxide_formula(element)
    return ElementResult(
        **_line_values(fit, index),
        atomic_percent=0.0,
        weight_percent=0.0,
        detected="assumed_absent",
        oxide=oxide,
        oxide_percent=None if oxide is None else 0.0,
    )


def _signal_to_noise(fit: SpectrumFit, index: int) -> float | None:
    """S / sigma_B: the alpha area over the scatter of the background in 1.0 FWHM at the line.

    For measured counts sigma_B = sqrt(B) (Chen et al. 2024). For a subtracted spectrum it is the
    scatter of the window without the phase's own lines: the background of the mixture and all that
    was subtracted there, lines included.
    """
    window = fit.window(fit.columns[index].energy_keV)
    if fit.spectrum.covariance is None:
        noise = float(fit.background[window].sum())
    else:
        lines = fit.shapes @ np.maximum(fit.areas, 0.0)
        noise = float(np.maximum(fit.variance - np.maximum(lines, 0.0), 0.0)[window].sum())
    return float(fit.areas[index] / np.sqrt(noise)) if noise > 0 else None


def _warnings(
    fit: SpectrumFit, rows: Sequence[ElementResult], absent: str | None, method: Method
) -> tuple[str, ...]:
    told = []
    missing = [row.element for row in rows if row.line is None and row.element != absent]
    if missing:
        told.append(
            f"{', '.join(missing)} not measured: no line between {fit.spectrum.axis.start_keV:.2f} "
            f"and {fit.spectrum.axis.stop_keV:.2f} keV; the other elements close to 100 % without"
        )
    if missing and any(row.absorption is not None for row in rows):
        told.append(
            f"absorption is corrected as if the foil held no {', '.join(missing)}: the correction "
            "is too small"
        )
    if not fit.converged:
        told.append("the fit of the spectrum did not converge: look at its residuals")
    if method.reference and method.reference in missing:
        told.append(f"the reference element {method.reference} is not measured here")
    spread = np.sqrt(2.0 / fit.degrees_of_freedom)
    negative = [
        f"{row.element} ({row.net_counts / row.net_sigma:.0f} sigma)"
        for row in rows
        if row.element != absent and row.net_counts and row.net_sigma
        if row.net_counts < -3 * row.net_sigma
    ]
    if negative:
        told.append(
            f"negative beyond 3 sigma: {', '.join(negative)}; in a subtracted spectrum too much "
            "was taken away: a precipitate may lie in the matrix mask, or the factor is too large; "
            "in a measured one a line is missing from the list of elements"
        )
    unsure = [
        row.element
        for row in rows
        if row.atomic_percent and row.atomic_percent_sigma
        if row.atomic_percent_sigma > 10.0
    ]
    if unsure:
        told.append(
            f"the errors of {', '.join(unsure)} exceed 10 at.%: too little of the phase is left to "
            "give a composition; sum over more pixels, or draw the mask closer round it"
        )
    peaks = unexplained_peaks(fit)
    if peaks:
        told.append(
            f"peaks that no element of the list explains: {peaks_sentence(peaks)}; add what "
            "belongs to the sample to elements, the rest to system_elements"
        )
    if fit.reduced_chi_squared > 1 + (10 if peaks else 5) * spread:
        told.append(
            f"reduced chi-squared {fit.reduced_chi_squared:.2f} over {fit.degrees_of_freedom} "
            f"degrees of freedom (expected 1.00 +- {spread:.2f}): the errors hold for a model that "
            "explains the spectrum, and this one does not wholly; look at the residuals"
        )
    return tuple(told)
