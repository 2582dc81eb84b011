"""Spectra of one phase laid over each other about a line: regions, masks and their sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from endmember.session.views.composition_view import (
    decimals_for,
    measured_at_keV,
    number_text,
    window_width_keV,
)

if TYPE_CHECKING:
    from endmember.core.counts.spectrum import FloatArray
    from endmember.core.fitting.spectrum_fit import SpectrumFit
    from endmember.session.steps.compositions import Entry

MARGIN_FWHM = 4.0  # shown on either side of a line, unless another range is chosen
ABOUT_FWHM = 1.5  # on either side of a line, where chi-squared about it is taken
SHOWN = ("roi", "mask")


@dataclass(frozen=True, eq=False, slots=True)
class OverlaidSpectrum:
    """A spectrum for an overlay: counts (n,) at energies (n,), and what its legend says."""

    entry: Entry
    legend: str
    energy_keV: FloatArray
    values: FloatArray


@dataclass(frozen=True, slots=True)
class LineFit:
    """How well the fit explains a line: reduced chi-squared about it, of `channels`, and of all.

    `spread` is what chi-squared about the line scatters by if the fit is right.
    """

    energy_keV: float
    chi_squared: float
    spread: float
    channels: int
    whole: float


def spectra_of(entries: Sequence[Entry], phase: str) -> list[Entry]:
    """The spectra of a phase that are compared: regions, masks, then their sums."""
    own = [e for e in entries if e.phase == phase and e.source in SHOWN]
    return sorted(own, key=lambda e: e.map == "sum")


def overlaid(
    chosen: Sequence[Entry],
    entries: Sequence[Entry],
    element: str,
    low_keV: float,
    high_keV: float,
    *,
    normalised: bool,
) -> list[OverlaidSpectrum]:
    """The spectra chosen of `entries`, with the limit of detection of an element in the legend.

    `normalised` divides by the highest count between `low_keV` and `high_keV`. A region of a
    precipitate has the limit of the conventional route, after its subtraction.
    """
    found = []
    for entry in chosen:
        spectrum = entry.composition.fit.spectrum
        energies = spectrum.axis.centres
        counts = np.asarray(spectrum.counts, np.float64)
        if normalised:
            within = (energies >= low_keV) & (energies <= high_keV)
            highest = float(counts[within].max()) if within.any() else 0.0
            if highest <= 0:
                continue
            counts = counts / highest
        lod = _lod_ppm(_subtracted(entry, entries), element)
        told = "" if lod is None else f": LOD {number_text(lod, decimals_for(lod))} ppm"
        found.append(OverlaidSpectrum(entry, f"{short_title(entry)}{told}", energies, counts))
    return found


def short_title(entry: Entry) -> str:
    """How a spectrum of a known phase is called: "Fp 1, ROI, map1" or "mask, sum"."""
    kind = "ROI" if entry.source == "roi" else entry.source
    return ", ".join(part for part in (entry.label, kind, entry.map) if part)


def _subtracted(entry: Entry, entries: Sequence[Entry]) -> Entry:
    """A region after the conventional subtraction, where there is one; a mask as it is."""
    if entry.source != "roi":
        return entry
    wanted = (entry.phase, "conventional", entry.map, entry.label)
    return next((e for e in entries if (e.phase, e.source, e.map, e.label) == wanted), entry)


def _lod_ppm(entry: Entry, element: str) -> float | None:
    return next((r.lod_ppm for r in entry.composition.rows if r.element == element), None)


def range_about(entries: Sequence[Entry], element: str) -> tuple[float, float] | None:
    """The energies about the line of an element in keV, None where no spectrum measures it."""
    for entry in entries:
        fit = entry.composition.fit
        energy = measured_at_keV(fit, element)
        if energy is not None:
            half = MARGIN_FWHM * window_width_keV(fit, energy)
            return max(energy - half, 0.0), energy + half
    return None


def line_fit(entry: Entry, element: str) -> LineFit | None:
    """How well the fit of a spectrum explains the line of an element; None if it has none."""
    fit: SpectrumFit = entry.composition.fit
    energy = measured_at_keV(fit, element)
    if energy is None:
        return None
    half = ABOUT_FWHM * window_width_keV(fit, energy)
    near = fit.spectrum.axis.span(energy - half, energy + half)
    pull = (fit.spectrum.counts[near] - fit.fitted[near]) / np.sqrt(fit.variance[near])
    channels = len(pull)
    if not channels:
        return None
    return LineFit(
        energy,
        float(np.mean(pull**2)),
        float(np.sqrt(2.0 / channels)),
        channels,
        float(fit.reduced_chi_squared),
    )


def line_fit_sentence(entry: Entry, element: str) -> str:
    """The same for people."""
    found = line_fit(entry, element)
    if found is None:
        return f"{short_title(entry)}: no line of {element or 'an element'} in the range"
    return (
        f"{short_title(entry)}: χ² {found.chi_squared:.2f} about the line (expected 1.00 "
        f"± {found.spread:.2f}), {found.whole:.2f} of all"
    )


def shown_at_first(spectra: Sequence[Entry], map_name: str) -> list[Entry]:
    """The spectra that are compared at first: those of a map, and the sums."""
    return [e for e in spectra if e.map in (map_name, "sum")]


def panels_of(spectra: Sequence[Entry], map_name: str) -> list[Entry]:
    """Which fits stand side by side: a region and the mask of this map, and the sum of the masks.

    With the sum as the map, those of the sum and the mask of the first map.
    """
    here = [e for e in spectra if e.map == map_name]
    masks = [e for e in spectra if e.source == "mask" and e not in here]
    wanted = [
        *[e for e in here if e.source == "roi"][:1],
        *(e for e in here if e.source == "mask"),
        *(e for e in masks if e.map == "sum" or map_name == "sum"),
    ]
    return wanted[:3]
