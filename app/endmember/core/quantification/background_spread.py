"""How much the fitted areas depend on the shape chosen for the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from endmember.core.counts.spectrum import FloatArray, Spectrum
from endmember.core.fitting.fit_background import Background
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.progress import Report, parts_of, silent
from endmember.core.quantification.composition import Composition
from endmember.core.xrays.artefact_peaks import Artefacts
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.foil import Foil
from endmember.core.xrays.line_shapes import Calibration

USUAL = "logarithmic"
BACKGROUNDS: Mapping[str, Background] = {
    USUAL: Background(),
    "powers": Background(0, 0, (-4, -3, -2, -1, 0, 1, 2)),
    "roll-off": Background(4, 0, (), (0.15, 0.5)),
}
"""The usual background; powers of E from 1/E^4 to E^2; and a law that falls off exponentially below
0.15 and 0.5 keV."""


Spread = Mapping[str, tuple[float, float]]
"""By element: the spread of its net counts in counts and in sigma."""


@dataclass(frozen=True, slots=True)
class BackgroundSpread:
    """The areas of one spectrum under several backgrounds. c columns, b backgrounds.

    `fits` (b,), the usual background first; `areas` (b, c) in counts; `sigma` (c,) of the usual
    fit.
    """

    backgrounds: tuple[str, ...]
    fits: tuple[SpectrumFit, ...]
    areas: FloatArray
    sigma: FloatArray

    @property
    def spread(self) -> FloatArray:
        """Largest less smallest area of each column in counts, (c,)."""
        return np.asarray(np.ptp(self.areas, axis=0))

    @property
    def relative_spread(self) -> FloatArray:
        """The spread in units of the statistical sigma, (c,): well above 1, the shape matters."""
        return np.asarray(self.spread / self.sigma)

    def of(self, element: str, family: str) -> tuple[float, float] | None:
        """The spread of an element's line in counts and in sigma; None where it has none."""
        index = self.fits[0].find(element, family)
        if index is None:
            return None
        return float(self.spread[index]), float(self.relative_spread[index])


def background_spread(
    spectrum: Spectrum,
    elements: Sequence[str],
    *,
    detector: Detector,
    foil: Foil | None = None,
    weight_fractions: Mapping[str, float] | None = None,
    calibration: Calibration | None = None,
    refine_calibration: bool = True,
    artefacts: Artefacts | None = None,
    backgrounds: Mapping[str, Background] = BACKGROUNDS,
) -> BackgroundSpread:
    """Fit a spectrum with each of `backgrounds` and compare the areas.

    Arguments as `fit_spectrum`. The spread is no standard deviation: all fits share the counts, so
    it shows what the choice of a shape alone can move.

    Raises
    ------
    ValueError
        as `fit_spectrum`, or if fewer than two backgrounds are given.
    """
    if len(backgrounds) < 2:
        raise ValueError("a spread needs two backgrounds or more: name another one")
    fits = tuple(
        fit_spectrum(
            spectrum,
            elements,
            detector=detector,
            foil=foil,
            weight_fractions=weight_fractions,
            calibration=calibration,
            refine_calibration=refine_calibration,
            background=background,
            artefacts=artefacts,
        )
        for background in backgrounds.values()
    )
    return BackgroundSpread(
        tuple(backgrounds),
        fits,
        np.array([fit.areas for fit in fits]),
        np.sqrt(np.maximum(np.diag(fits[0].covariance), 1e-300)),
    )


def composition_spread(
    composition: Composition,
    system_elements: Sequence[str],
    detector: Detector,
    artefacts: Artefacts | None = None,
    report: Report = silent,
) -> Spread:
    """The spread of each element measured in a composition, in counts and in its sigma.

    The composition's own fit is that of the usual background; the others are fitted as it was: with
    the absorption of its foil and weight fractions, and, for a subtracted spectrum, with its
    calibration kept. `report` is called before each fit. Oxygen by stoichiometry, elements without
    a line, and the absent element have no spread.

    Raises
    ------
    ValueError
        as `fit_spectrum`.
    """
    fit, atoms = composition.fit, composition.atoms
    weights = {row.element: (row.weight_percent or 0.0) / 100 for row in composition.rows}
    others = [BACKGROUNDS[name] for name in BACKGROUNDS if name != USUAL]
    areas = [atoms.areas]
    for background, within in zip(others, parts_of(report, len(others)), strict=True):
        within(0.0)
        again = fit_spectrum(
            fit.spectrum,
            (*weights, *system_elements),
            detector=detector,
            foil=composition.foil,
            weight_fractions=weights if composition.foil else None,
            calibration=fit.calibration,
            refine_calibration=fit.spectrum.covariance is None,
            background=background,
            artefacts=artefacts,
        )
        areas.append(again.areas[list(atoms.columns)])
    spread = np.ptp(areas, axis=0)
    sigma = np.sqrt(np.maximum(np.diag(atoms.covariance), 1e-300))
    return {
        element: (float(counts), float(counts / s))
        for element, counts, s in zip(atoms.measured, spread, sigma, strict=True)
    }


def spread_sentence(spread: Spread) -> str | None:
    """What to tell of the elements whose spread exceeds their sigma; None where none does."""
    told = [
        f"{element} ({sigmas:.1f} sigma)" for element, (_, sigmas) in spread.items() if sigmas > 1
    ]
    if not told:
        return None
    return (
        f"the shape of the background moves the net counts of {', '.join(told)} by more than their "
        "statistical error: add background_spread_counts of detection.csv to it, or fit another "
        "energy range (energy_range_keV)"
    )
