"""Elements that nobody listed, with a line under a quantified one: what listing them would change.

Such a line is fitted by the columns that are there. The trace beside it takes the counts, and the
residual that is left is too small to look like a peak. A score test says what it would be, without
another fit (Rao, Proc. Camb. Phil. Soc. 44 (1948) 50).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import xraylib

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.fit_problem import estimator
from endmember.core.fitting.spectrum_fit import SpectrumFit
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.fit_columns import Column, choose_columns, line_weights
from endmember.core.xrays.foil import Foil
from endmember.core.xrays.line_shapes import LineSet, fwhm_keV

SIGNIFICANT = 4.0  # sigma of the area that the unlisted line would have
HARMFUL = 2.0  # sigma by which a quantified area would move
# Counts of the unlisted alpha line over those that the fit puts into lines there. Line shapes that
# are nearly right leave a few percent of a strong line, a tail of incomplete charge up to 14 %.
SUBSTANTIAL = 0.2
NEAR_FWHM = 1.2
STRONG = 0.1  # of the strongest line of its column
MOST = 3  # sentences
MOST_EXPLAINING = 12  # elements
IMITATED = 1e-4  # share of a column's information below which others can stand for it
OTHERS = 2  # further elements that may be meant, for each sentence
# Half of what is significant: families of one element hardly overlap, so that a family which is
# significant beside the others is not far from it alone.
PROMISING = SIGNIFICANT / 2
LIGHTEST, HEAVIEST = 4, 92
# Without a stable isotope or one that lives as long as the Earth, and gases that no sample holds;
# argon stays, which ion milling leaves behind.
# fmt: off
IMPOSSIBLE = frozenset((
    "He", "Ne", "Kr", "Xe", "Rn", "Tc", "Pm", "Po", "At", "Fr", "Ra", "Ac", "Pa",
))
# fmt: on


@dataclass(frozen=True, slots=True)
class Step:
    """What a fit would give to p further columns, to first order.

    `areas` and `sigma` (p,) in counts; `change` (columns,), by which the areas of the fit's own
    columns would move.
    """

    areas: FloatArray
    sigma: FloatArray
    change: FloatArray


@dataclass(frozen=True, slots=True)
class HiddenOverlap:
    """An element that is not in a fit, and the quantified element that it would change.

    `line` as in "K Ka" at `energy_keV`, `significance` its area over its sigma; `change` of the
    area of `victim` in units of its sigma.
    """

    element: str
    line: str
    energy_keV: float
    significance: float
    victim: str
    change: float


class Residual:
    """What a fit leaves over, ready for the question what further columns (n, p) would take of it.

    With V the variance of the fit, J its derivatives, H its estimator and r the residual, further
    columns S have the part S' = S - J H S that the fit cannot imitate; they get the areas
    a = (S'^T V^-1 S')^-1 S'^T V^-1 r, and the parameters of the fit change by -H S a: the block
    inverse of the normal equations of both together.
    """

    def __init__(self, fit: SpectrumFit, shapes: FloatArray) -> None:
        self._fit = fit
        self._imitated = estimator(fit.jacobian, fit.variance) @ shapes
        own = shapes - fit.jacobian @ self._imitated
        self._weighted = own / fit.variance[:, None]
        self._normal = own.T @ self._weighted
        self._right = self._weighted.T @ (fit.spectrum.counts - fit.fitted)

    def significance(self, beside: Sequence[int] = ()) -> FloatArray:
        """The area over its sigma that each column (p,) would have as the only one more.

        `beside` are columns that are added already; they, and those they can imitate, have none.
        """
        first = list(beside)
        known, right = np.diag(self._normal).copy(), self._right
        across = self._normal[:, first]
        solved = across @ np.linalg.pinv(self._normal[np.ix_(first, first)], hermitian=True)
        left = known - np.einsum("ij,ij->i", solved, across)
        own = left > IMITATED * known
        return np.where(
            own, (right - solved @ right[first]) / np.sqrt(np.where(own, left, 1.0)), 0.0
        )

    def step(self, added: Sequence[int]) -> Step:
        """The step that adds some of the columns, together."""
        chosen = list(added)
        inverse = np.linalg.pinv(self._normal[np.ix_(chosen, chosen)], hermitian=True)
        areas = inverse @ self._right[chosen]
        rows = inverse @ self._weighted[:, chosen].T
        variance = np.diag(self._fit.covariance_of_counts().project(rows))
        change = -self._imitated[: len(self._fit.columns), chosen] @ areas
        return Step(areas, np.sqrt(np.maximum(variance, 1e-300)), np.asarray(change))


def hidden_overlaps(
    fit: SpectrumFit,
    quantified: Sequence[int],
    detector: Detector,
    foil: Foil | None = None,
    weight_fractions: Mapping[str, float] | None = None,
    left_out: Collection[str] = (),
) -> tuple[HiddenOverlap, ...]:
    """What unlisted elements would change in the `quantified` columns, the likeliest first.

    An element is tried if one of its strong lines lies within 1.2 FWHM of a strong line of a
    quantified column. All its families are added to the fit at once, with lines weighted by
    detector and foil as those of the fit (without escape peaks). It is told if the family that
    overlaps and the one by which the element would be measured have areas above 4 sigma, the
    alpha line that overlaps holds a fifth of what the fit puts into lines there, and the quantified
    area would move by more than 2 of its own sigma. Elements of the fit and those `left_out` are
    not tried.

    What one element leaves over, others seem to explain as well. So a victim is told of only if one
    of its intruders is among the elements that explain the whole residual, chosen one after another
    by significance; that one comes first. Argon, which harms nothing, is not taken for silver.
    """
    possible = _unlisted(fit, left_out)
    columns, near = _overlapping(fit, quantified, possible)
    if not columns:
        return ()
    leaving = _leaving(fit.spectrum.axis, detector, foil, weight_fractions)
    tried = _Tried(columns, near, _shapes(fit, columns, leaving))
    residual = Residual(fit, tried.shapes)
    promising = near.any(axis=1) & (residual.significance() > PROMISING)
    elements = dict.fromkeys(columns[i].element for i in np.flatnonzero(promising))
    found = [o for e in elements for o in _of_element(fit, quantified, e, tried, residual)]
    if not found:
        return ()
    likely = _explaining(fit, possible.columns, leaving)
    found.sort(key=lambda overlap: (overlap.element not in likely, -overlap.significance))
    explained = {overlap.victim for overlap in found if overlap.element in likely}
    return tuple(overlap for overlap in found if overlap.victim in explained)


@dataclass(frozen=True, eq=False, slots=True)
class _Tried:
    """Columns that may be under quantified ones, `near` which (columns, quantified), their shapes.

    `shapes` (channels, columns).
    """

    columns: Sequence[Column]
    near: npt.NDArray[np.bool_]
    shapes: FloatArray


def _of_element(
    fit: SpectrumFit, quantified: Sequence[int], element: str, tried: _Tried, residual: Residual
) -> list[HiddenOverlap]:
    """What one element would change, as far as it is there and matters."""
    own = [i for i, column in enumerate(tried.columns) if column.element == element]
    step = residual.step(own)
    significance = dict(zip(own, (step.areas / step.sigma).tolist(), strict=True))
    seen = [i for i in own if significance[i] > SIGNIFICANT]
    if fit.family_of(element) not in {tried.columns[i].family for i in seen}:
        return []
    counts = dict(zip(own, (tried.shapes[:, own] * step.areas).T, strict=True))
    seen = [i for i in seen if _substantial(fit, tried.columns[i], counts[i])]
    found = []
    for place, victim in enumerate(quantified):
        change = float(step.change[victim] / np.sqrt(max(fit.covariance[victim, victim], 1e-300)))
        over = [i for i in seen if tried.near[i, place]]
        if over and abs(change) > HARMFUL:
            most = max(over, key=lambda i: significance[i])
            line, energy = tried.columns[most].name, tried.columns[most].energy_keV
            name = fit.columns[victim].element
            found.append(HiddenOverlap(element, line, energy, significance[most], name, change))
    return found


def _substantial(fit: SpectrumFit, column: Column, counts: FloatArray) -> bool:
    """Whether a column's `counts` are no small part of the fitted lines at its alpha line."""
    window = fit.window(column.energy_keV)
    lines = fit.shapes[window] @ np.maximum(fit.areas, 0.0)
    return bool(counts[window].sum() > SUBSTANTIAL * lines.sum())


def _explaining(
    fit: SpectrumFit, possible: Sequence[Column], leaving: Callable[[FloatArray], FloatArray]
) -> set[str]:
    """The elements that together explain the residual, added by their significance."""
    residual = Residual(fit, _shapes(fit, possible, leaving))
    chosen: list[int] = []
    found: set[str] = set()
    for _ in range(MOST_EXPLAINING):
        significance = residual.significance(chosen)
        best = int(np.argmax(significance))
        if significance[best] < SIGNIFICANT:
            break
        found.add(possible[best].element)
        chosen = [i for i, column in enumerate(possible) if column.element in found]
    return found


def hidden_sentences(found: Sequence[HiddenOverlap]) -> tuple[str, ...]:
    """One sentence for each element that is the likeliest intruder somewhere, at most three.

    `found` as `hidden_overlaps` gives them. Others that might be meant instead stand in brackets.
    """
    best: dict[str, list[HiddenOverlap]] = {}
    for victim in dict.fromkeys(overlap.victim for overlap in found):
        first = next(overlap for overlap in found if overlap.victim == victim)
        best.setdefault(first.element, []).append(first)
    told = []
    for element, overlaps in list(best.items())[:MOST]:
        victims = {overlap.victim for overlap in overlaps}
        others = [o.element for o in found if o.victim in victims and o.element not in best]
        instead = f"; or {' or '.join(list(dict.fromkeys(others))[:OTHERS])}" if others else ""
        changes = " and ".join(
            f"{'lower' if o.change < 0 else 'raise'} {o.victim} by {abs(o.change):.1f} sigma"
            for o in overlaps
        )
        line = max(overlaps, key=lambda overlap: overlap.significance)
        told.append(
            f"{element} ({line.line} at {line.energy_keV:.2f} keV, {line.significance:.1f} sigma"
            f"{instead}) is not listed, but would {changes}: add {element} to elements, or to "
            "system_elements, and compare"
        )
    return tuple(told)


@dataclass(frozen=True, eq=False, slots=True)
class _Possible:
    """The columns of all elements that a sample may hold, with their strong lines.

    `energies_keV` (lines,) of the strong lines, which belong to the columns `of` (lines,).
    """

    columns: tuple[Column, ...]
    energies_keV: FloatArray
    of: npt.NDArray[np.intp]


@lru_cache(maxsize=8)
def _possible(axis: EnergyAxis, beam_energy_keV: float) -> _Possible:
    numbers = range(LIGHTEST, HEAVIEST + 1)
    symbols = [xraylib.AtomicNumberToSymbol(number) for number in numbers]
    blank = Spectrum(np.zeros(axis.channels), axis, beam_energy_keV)
    columns = choose_columns([s for s in symbols if s not in IMPOSSIBLE], blank)
    strong = [_strong_lines(column) for column in columns]
    of = np.repeat(np.arange(len(columns)), [len(lines) for lines in strong])
    return _Possible(columns, np.concatenate(strong), of)


def _strong_lines(column: Column) -> FloatArray:
    """Energies in keV of the lines of a column that are not far weaker than its strongest."""
    strength = np.array([line.cross_section_cm2 for line in column.lines])
    energies = np.array([line.energy_keV for line in column.lines])
    return np.asarray(energies[strength > STRONG * strength.max()])


def _unlisted(fit: SpectrumFit, left_out: Collection[str]) -> _Possible:
    """What a sample may hold beside the elements of a fit and those `left_out`."""
    every = _possible(fit.spectrum.axis, fit.spectrum.beam_energy_keV or 0.0)
    listed = {column.element for column in fit.columns} | set(left_out)
    kept = np.array([column.element not in listed for column in every.columns], bool)
    place = np.cumsum(kept) - 1
    lines = kept[every.of]
    columns = tuple(column for column, k in zip(every.columns, kept, strict=True) if k)
    return _Possible(columns, every.energies_keV[lines], place[every.of[lines]])


def _overlapping(
    fit: SpectrumFit, quantified: Sequence[int], possible: _Possible
) -> tuple[list[Column], npt.NDArray[np.bool_]]:
    """Columns of elements that would overlap, and which of the quantified ones each overlaps.

    All columns of an element come together; shape of the second (columns, quantified).
    """
    every = np.zeros((len(possible.columns), len(quantified)), bool)
    for place, index in enumerate(quantified):
        lines = _strong_lines(fit.columns[index])
        reach = NEAR_FWHM * fwhm_keV(lines, fit.calibration.fwhm_mn_eV)
        close = (np.abs(possible.energies_keV[:, None] - lines) < reach).any(axis=1)
        every[possible.of[close], place] = True
    over = {possible.columns[i].element for i in np.flatnonzero(every.any(axis=1))}
    chosen = [i for i, column in enumerate(possible.columns) if column.element in over]
    return [possible.columns[i] for i in chosen], every[chosen]


def _leaving(
    axis: EnergyAxis,
    detector: Detector,
    foil: Foil | None,
    weight_fractions: Mapping[str, float] | None,
) -> Callable[[FloatArray], FloatArray]:
    """The share of X-rays of each energy that leave the foil and are detected.

    Interpolated between the nominal energies of the channels, where it is known from the fit: to
    look it up for each of a thousand lines takes longer.
    """
    channels = np.maximum(np.maximum(axis.centres, axis.step_keV), 0.1)
    share = detector.efficiency(channels)
    if foil is not None and weight_fractions:
        share = share * foil.factor(weight_fractions, channels)
    return lambda energies_keV: np.asarray(np.interp(energies_keV, channels, share))


def _shapes(
    fit: SpectrumFit, columns: Sequence[Column], leaving: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """The columns (channels, columns) as the fit would have them."""
    lines = [line_weights(column, leaving) for column in columns]
    return LineSet.of_columns(lines).shapes(fit.spectrum.axis, fit.calibration)[0]
