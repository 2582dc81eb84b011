"""What has to be told beside a composition, each as one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from endmember.core.fitting.hidden_overlaps import hidden_overlaps, hidden_sentences
from endmember.core.fitting.overlaps import INSEPARABLE, correlations, overlap_sentence, overlaps
from endmember.core.fitting.unexplained import peaks_sentence, unexplained_peaks
from endmember.core.quantification.formula_units import IMBALANCE_SIGMA, charge_balance

if TYPE_CHECKING:
    from endmember.core.fitting.spectrum_fit import SpectrumFit
    from endmember.core.quantification.cliff_lorimer import Method
    from endmember.core.quantification.closure import LineAtoms
    from endmember.core.quantification.composition import ElementResult
    from endmember.core.xrays.foil import Foil

UNSURE_ATOMIC_PERCENT = 10.0
# Where more than half of the X-rays stay in the foil (chi above 1.6), A comes close to 1 / chi: an
# error of thickness, density or tilt goes into the composition in full, and even generation in a
# flat foil is no small print any more. In thin foils such errors go in with the small 1 - A.
STRONG_ABSORPTION = 0.5
THIN_FOIL_keV = 40.0  # below, the microscope is an SEM and the sample bulk as a rule

TOO_QUIET = 0.8
"""Reduced chi-squared below which values are no counts, were it even far below its scatter."""


def composition_warnings(
    fit: SpectrumFit,
    rows: Sequence[ElementResult],
    atoms: LineAtoms,
    method: Method,
    foil: Foil | None,
    absent: str | None,
) -> tuple[str, ...]:
    """The sentences for a composition of `rows`: what is missing, doubtful or wrong in it.

    `absent` is the element a subtraction was scaled on.
    """
    told = _missing(fit, rows, absent, method.reference)
    if not fit.converged:
        told.append("the fit of the spectrum did not converge: look at its residuals")
    told += _doubtful(rows)
    told += _inseparable(fit, atoms)
    if fit.converged:  # only then does the residual tell what is missing
        told += _hidden(fit, rows, atoms, method, foil)
    told += _not_thin(fit, rows)
    balance = charge_balance(atoms)
    if balance is not None and abs(balance.distance) > IMBALANCE_SIGMA:
        told.append(
            f"{balance.sentence}: in an oxide they are equal; check the valences, the absorption "
            "correction and the k-factor of O"
        )
    return tuple(told + _misfit(fit))


def _missing(
    fit: SpectrumFit, rows: Sequence[ElementResult], absent: str | None, reference: str | None
) -> list[str]:
    told = []
    missing = [
        row.element
        for row in rows
        if row.line is None and row.element != absent and not row.by_stoichiometry
    ]
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
    made = [row.element for row in rows if row.by_stoichiometry]
    if reference and reference in (*missing, *made):
        told.append(f"the reference element {reference} is not measured here")
    return told


def _doubtful(rows: Sequence[ElementResult]) -> list[str]:
    told = []
    negative = [
        f"{row.element} ({row.net_counts / row.net_sigma:.0f} sigma)"
        for row in rows
        if row.is_negative and row.net_counts and row.net_sigma
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
        if row.atomic_percent_sigma > UNSURE_ATOMIC_PERCENT
    ]
    if unsure:
        told.append(
            f"the errors of {', '.join(unsure)} exceed 10 at.%: too little of the phase is left to "
            "give a composition; sum over more pixels, or draw the mask closer round it"
        )
    return told


def _inseparable(fit: SpectrumFit, atoms: LineAtoms) -> list[str]:
    """Quantified lines whose area can hardly be told from that of a neighbour."""
    rows = list(atoms.columns)
    if np.abs(correlations(fit)[rows]).max() < INSEPARABLE:  # saves what the overlaps cost
        return []
    lines = {fit.columns[i].name for i in rows}
    found = [o for o in overlaps(fit) if not o.separable and f"{o.element} {o.line}" in lines]
    sentence = overlap_sentence(found, atoms.measured)
    return [] if sentence is None else [sentence]


def _hidden(
    fit: SpectrumFit,
    rows: Sequence[ElementResult],
    atoms: LineAtoms,
    method: Method,
    foil: Foil | None,
) -> tuple[str, ...]:
    """Elements that are not listed, but would change quantified ones."""
    weights = {row.element: max(row.weight_percent or 0.0, 0.0) / 100 for row in rows}
    listed = (*method.elements, *method.system_elements)
    return hidden_sentences(
        hidden_overlaps(fit, atoms.columns, method.detector, foil, weights, listed)
    )


def _not_thin(fit: SpectrumFit, rows: Sequence[ElementResult]) -> list[str]:
    """Where the thin-foil relation of Cliff and Lorimer, or its correction, is stretched."""
    told = []
    absorbed = [
        f"{row.element} ({row.absorption:.2f})"
        for row in rows
        if row.absorption is not None and row.absorption < STRONG_ABSORPTION
    ]
    if absorbed:
        told.append(
            f"strong absorption: less than half of the X-rays leave the foil (factor A) of "
            f"{', '.join(absorbed)}, so thickness, density and a foil that is not flat decide the "
            "result; measure a thinner place, or check thickness and density"
        )
    beam = fit.spectrum.beam_energy_keV
    if beam is not None and beam < THIN_FOIL_keV:
        told.append(
            f"a beam energy of {beam:g} keV is that of an SEM: in a bulk sample the thin-foil "
            "relation of Cliff and Lorimer does not hold; trust the composition only if the beam "
            f"went through the sample, and correct the beam energy if it was above "
            f"{THIN_FOIL_keV:g} keV"
        )
    return told


def _misfit(fit: SpectrumFit) -> list[str]:
    told = []
    spread = np.sqrt(2.0 / fit.degrees_of_freedom)
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
    counted = fit.spectrum.covariance is None
    if counted and fit.reduced_chi_squared < min(1 - 5 * spread, TOO_QUIET):
        told.append(
            f"reduced chi-squared {fit.reduced_chi_squared:.2f} (expected 1.00 +- {spread:.2f}): "
            "the spectrum scatters less than counts do, so it was scaled, smoothed or averaged, "
            "and its errors and limits are wrong; open the counts as recorded"
        )
    return told
