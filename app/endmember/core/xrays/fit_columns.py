"""The columns of a fit: which line families a spectrum may hold, and the lines in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from endmember.core.counts.spectrum import FloatArray, Spectrum
from endmember.core.xrays.lines import FAMILIES, Line, emission_lines

NEGLIGIBLE = 1e-5  # share of a family below which a line is left out


@dataclass(frozen=True, slots=True)
class Column:
    """One element and line family in the fit. `alpha_share`: alpha lines' share of its counts.

    The fitted area of a column is that of its alpha line where `alpha_share` is not zero, and of
    the whole family otherwise. `detected`: the strengths of the lines are counts as they were
    detected (sum peaks), to which efficiency and absorption no longer apply.
    """

    element: str
    family: str
    lines: tuple[Line, ...]
    alpha_share: float
    detected: bool = False

    @property
    def name(self) -> str:
        """Element and line, as in "Fe Ka"; "sum peaks" where that is what they are."""
        return f"{self.element} {self.line}"

    @property
    def line(self) -> str:
        """Family and line, as in "Ka"; "peaks" of sums."""
        if self.detected:
            return "peaks"
        return f"{self.family}{'a' if self.alpha_share else ''}"

    @property
    def energy_keV(self) -> float:
        """Mean energy of the alpha line in keV, of the family where it has no alpha line."""
        lines = [line for line in self.lines if line.alpha] or list(self.lines)
        weights = [line.cross_section_cm2 for line in lines]
        return float(np.average([line.energy_keV for line in lines], weights=weights))


def choose_columns(elements: Sequence[str], spectrum: Spectrum) -> tuple[Column, ...]:
    """The element families with lines in the spectrum, or so close below that they reach in."""
    axis = spectrum.axis
    margin = 0.06  # keV, about one FWHM at the low end of the axis
    found = []
    for element in elements:
        lines = emission_lines(element, spectrum.beam_energy_keV or 0.0)
        for family in FAMILIES:
            every = [line for line in lines if line.family == family]
            total = sum(line.cross_section_cm2 for line in every)
            kept = [
                line
                for line in every
                if line.cross_section_cm2 > NEGLIGIBLE * total
                and axis.start_keV - margin < line.energy_keV < axis.stop_keV + margin
            ]
            # a family of which only a far corner is in range would stand for nothing measured
            if sum(line.cross_section_cm2 for line in kept) < 0.05 * total or not kept:
                continue
            alpha = sum(line.cross_section_cm2 for line in kept if line.alpha)
            share = alpha / total if alpha > 0.01 * total else 0.0
            found.append(Column(element, family, tuple(kept), share))
    return tuple(found)


def line_weights(
    column: Column, escape: Callable[[FloatArray], FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Energies in keV of the lines of a column and their share of its area, each (lines,).

    `escape` gives the share of X-rays of each energy that leave the foil and are detected. The
    alpha lines together weigh 1, or the whole column where it has no alpha line.
    """
    energies = np.array([line.energy_keV for line in column.lines])
    weights = np.array([line.cross_section_cm2 for line in column.lines])
    if not column.detected:
        weights = weights * escape(energies)
    alpha = np.array([line.alpha for line in column.lines])
    return energies, weights / (weights[alpha].sum() if column.alpha_share else weights.sum())
