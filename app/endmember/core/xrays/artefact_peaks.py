"""Peaks that the detector makes itself: silicon escape, silicon fluorescence, and sums of lines.

Escape and fluorescence are fixed shares of the photons that cause them, worked out from the
detector, so they cost the fit no freedom. Sum peaks depend on the count rate and the pulse
processor: they are one more column, whose lines have the ratios that chance coincidence gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from endmember.core.counts.spectrum import EnergyAxis, FloatArray
from endmember.core.xrays.absorption import element_attenuation
from endmember.core.xrays.detector import Detector, SILICON_g_cm3
from endmember.core.xrays.fit_columns import Column
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import Line

SILICON = 14
SILICON_K_ALPHA_keV = 1.740
SUM_ELEMENT = "sum"
WEAK_LINE = 0.01  # of its column's alpha line: sums with weaker lines are left out
WEAK_SUM = 1e-4  # of the strongest sum
MARGIN_keV = 0.06


@cache
def _silicon_k() -> tuple[float, float, float]:
    """Silicon's K edge in keV, K fluorescence yield, and share of the K shell in absorption.

    From xraylib; the share is 1 - 1/r, r the jump ratio of the edge.
    """
    import xraylib

    return (
        float(xraylib.EdgeEnergy(SILICON, xraylib.K_SHELL)),
        float(xraylib.FluorYield(SILICON, xraylib.K_SHELL)),
        1.0 - 1.0 / float(xraylib.JumpFactor(SILICON, xraylib.K_SHELL)),
    )


def _fluorescing(energies_keV: FloatArray) -> FloatArray:
    """Silicon K photons for each photon that silicon absorbs, in the shape of `energies_keV`."""
    edge, fluorescence_yield, share = _silicon_k()
    return np.where(energies_keV > edge, fluorescence_yield * share, 0.0)


def escape_fraction(energies_keV: FloatArray) -> FloatArray:
    """The share of detected photons whose Si K photon leaves the detector through its front.

    w/2 (1 - 1/r) (1 - x ln(1 + 1/x)), x = mu(Si K alpha) / mu(E), for photons that come straight
    into a thick detector (Reed & Ware 1972, J. Phys. E 5, 582): w is silicon's K fluorescence
    yield and r the jump ratio of its K edge, both from xraylib; zero below the edge. About 1 % at
    2 keV, 0.2 % at 6 keV. The detector's back and sides are far away. Shape of `energies_keV`.
    """
    energies = np.asarray(energies_keV, float)
    own = float(element_attenuation("Si", np.array([SILICON_K_ALPHA_keV]))[0])
    ratio = own / element_attenuation("Si", energies)
    return np.asarray(_fluorescing(energies) / 2 * (1.0 - ratio * np.log1p(1.0 / ratio)))


def fluorescence_fraction(energies_keV: FloatArray, detector: Detector) -> FloatArray:
    """Si K photons from the dead layer that are counted, for each detected photon.

    w/2 (1 - 1/r) (1 - exp(-mu t)) over the detector's efficiency behind its contact: of the photons
    that the dead layer of thickness t absorbs, those that fluoresce do so into the detector half of
    the time. Symbols as in `escape_fraction`; the layer is too thin to absorb its own line. About
    0.05 % at 2 keV for 50 nm. Shape of `energies_keV`.
    """
    energies = np.asarray(energies_keV, float)
    silicon = element_attenuation("Si", energies) * SILICON_g_cm3
    passed = np.exp(-silicon * detector.dead_layer_nm * 1e-7)
    caught = -np.expm1(-silicon * detector.silicon_um * 1e-4)
    made = _fluorescing(energies) / 2 * (1.0 - passed)
    return np.asarray(np.divide(made, passed * caught, out=np.zeros_like(made), where=made > 0))


@dataclass(frozen=True, slots=True)
class Artefacts:
    """Which peaks of the detector's own making are in the model of a fit.

    escape
        each line above silicon's K edge has a peak 1.740 keV below it. The area of a column then
        counts its photons wherever they were registered, as the detector's efficiency does.
    silicon_fluorescence
        every photon above the edge, background too, adds to a Si K alpha peak of the dead layer.
    sums
        pairs of lines of so many strongest columns make sum peaks; 0 for none.
    """

    escape: bool = False
    silicon_fluorescence: bool = False
    sums: int = 0

    def __post_init__(self) -> None:
        if self.sums < 0:
            raise ValueError(f"sum peaks of {self.sums} lines: give 0 or a positive number")

    def with_lines(
        self, energies_keV: FloatArray, weights: FloatArray, detected: bool, detector: Detector
    ) -> tuple[FloatArray, FloatArray]:
        """Energies in keV and weights of the lines of a column and of the peaks they cause.

        A column of sum peaks (`detected`) stays as it is.
        """
        if detected or not (self.escape or self.silicon_fluorescence):
            return energies_keV, weights
        energies, parts = [energies_keV], [weights]
        if self.escape:
            escaped = weights * escape_fraction(energies_keV)
            above = escaped > 0
            parts = [weights - escaped, escaped[above]]
            energies.append(energies_keV[above] - SILICON_K_ALPHA_keV)
        if self.silicon_fluorescence:
            made = float(weights @ fluorescence_fraction(energies_keV, detector))
            energies.append(np.array([SILICON_K_ALPHA_keV]))
            parts.append(np.array([made]))
        return np.concatenate(energies), np.concatenate(parts)

    def fluorescence_of_continuum(
        self, axis: EnergyAxis, detector: Detector
    ) -> tuple[FloatArray, FloatArray] | None:
        """The Si K alpha peak of unit area, and the photons in it for each count of background.

        Both (channels,); None where there is no such peak. Background outside the axis is left out,
        and the peak lies where the nominal calibration puts it: it holds a few counts.
        """
        if not self.silicon_fluorescence:
            return None
        line = np.array([SILICON_K_ALPHA_keV]), np.ones(1)
        shapes, _ = LineSet.of_columns([line]).shapes(axis, Calibration())
        energies = np.maximum(axis.centres, axis.step_keV)
        return shapes[:, 0], fluorescence_fraction(energies, detector)


def sum_peaks(
    columns: Sequence[Column], areas: FloatArray, axis: EnergyAxis, strongest: int
) -> Column | None:
    """The sum peaks of the lines of the `strongest` columns by `areas` (columns,), in counts.

    Two photons within the time that the processor needs to tell them apart are counted as one with
    the sum of their energies. By chance alone the counts of such a peak are proportional to
    N1 N2 for two lines and to N^2 / 2 for a line with itself (Statham 1977, X-Ray Spectrom. 6, 94).
    Returns None where no such peak lies on the axis.
    """
    lines: list[tuple[str, float, float]] = []
    for index in np.argsort(-areas)[:strongest].tolist():
        column, area = columns[index], float(areas[index])
        largest = max(line.cross_section_cm2 for line in column.lines)
        whole = sum(line.cross_section_cm2 for line in column.lines if line.alpha) or largest
        lines += [
            (f"{column.element} {line.name}", line.energy_keV, area * strength)
            for line in column.lines
            if area > 0 and (strength := line.cross_section_cm2 / whole) > WEAK_LINE
        ]
    pairs = [
        (f"{a} + {b}", e1 + e2, n1 * n2 * (0.5 if first == second else 1.0))
        for first, (a, e1, n1) in enumerate(lines)
        for second, (b, e2, n2) in enumerate(lines[: first + 1])
        if axis.start_keV - MARGIN_keV < e1 + e2 < axis.stop_keV + MARGIN_keV
    ]
    if not pairs:
        return None
    most = max(count for *_, count in pairs)
    kept = tuple(
        Line(name, "K", energy, count / most, alpha=False)
        for name, energy, count in sorted(pairs, key=lambda pair: pair[1])
        if count > WEAK_SUM * most
    )
    return Column(SUM_ELEMENT, SUM_ELEMENT, kept, 0.0, detected=True)
