"""A composition: what one spectrum says of each element, with its errors and limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from endmember.core.fitting.spectrum_fit import SpectrumFit
    from endmember.core.quantification.closure import LineAtoms
    from endmember.core.xrays.foil import Foil


NEGATIVE_SIGMA = -3.0


@dataclass(frozen=True, slots=True)
class ElementResult:
    """One row of a composition. Areas in counts, compositions in percent, errors one sigma.

    `line` is None for an element that is not measured by a line: one without a line in the range,
    or oxygen by stoichiometry, which has a composition but no state. A value that does not exist
    is None. `oxide_percent` is the weight percent of the `oxide` (see `oxides`; "Al2O3" for Al):
    the measured cations closed to 100 with the oxygen of their oxides, measured oxygen left aside.
    Limits of detection in ppm of atoms (`lod_ppm`) and of weight; what the further limits mean is
    said in `detection`. `upper_limit_ppm` exists for elements that are not detected. `k_source`
    says where the k-factor is from.
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
    snr_empirical: float | None = None
    critical_counts: float | None = None
    detection_counts: float | None = None
    critical_ppm: float | None = None
    detection_ppm: float | None = None
    lod_paper_ppm: float | None = None
    upper_limit_ppm: float | None = None
    upper_limit_weight_ppm: float | None = None
    k_source: str | None = None

    @property
    def is_negative(self) -> bool:
        """Whether the area lies below zero by more than chance: none of the three states."""
        return bool(
            self.detected != "assumed_absent"  # its area and its error are zero by construction
            and self.net_counts is not None
            and self.net_sigma
            and self.net_counts < NEGATIVE_SIGMA * self.net_sigma
        )

    @property
    def by_stoichiometry(self) -> bool:
        """Whether the value follows from other elements: oxygen from the cations."""
        return self.line is None and self.atomic_percent is not None


@dataclass(frozen=True, slots=True)
class Composition:
    """A quantified spectrum: one row an element, the fit they came from, and what to be told.

    `atoms` holds the areas with their full covariance and the atoms per count: what any further
    quantity needs to carry the same errors (formula units, partition coefficients). `foil` is what
    absorption was corrected for, None where it was not.
    """

    rows: tuple[ElementResult, ...]
    fit: SpectrumFit
    reference: str
    warnings: tuple[str, ...]
    atoms: LineAtoms
    foil: Foil | None = None

    def __getitem__(self, element: str) -> ElementResult:
        return next(row for row in self.rows if row.element == element)
