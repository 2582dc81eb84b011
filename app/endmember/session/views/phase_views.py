"""One precipitate of a map as it is looked at: its spectra, factor and differences from zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.fitting.absence import AbsentCandidate, rank_absent

if TYPE_CHECKING:  # slow libraries are imported where they are needed, not when a window starts
    import numpy.typing as npt

    from endmember.core.fitting.spectrum_fit import Column, SpectrumFit
    from endmember.core.fitting.subtraction import Subtraction
    from endmember.core.quantification.cliff_lorimer import Composition
    from endmember.session.decisions.recipe import Precipitate, Recipe
    from endmember.session.steps.compositions import Compositions
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapPhases

SIGNIFICANT = 3.0  # sigma
AS_SUBTRACTED, COUNTS, PER_PIXEL, LINE = "factor", "counts", "counts per pixel", "line "


@dataclass(frozen=True, slots=True)
class LineDifference:
    """The net area of a line in a subtracted spectrum, in counts, and its standard deviation.

    `zero` where the subtraction was scaled so that nothing is left; `system` for an element that
    is fitted but never quantified.
    """

    label: str
    element: str
    energy_keV: float
    area: float
    sigma: float
    zero: bool = False
    system: bool = False

    @property
    def in_sigma(self) -> float:
        """How many standard deviations the area differs from zero; 0 where it was made zero."""
        return 0.0 if self.zero or self.sigma <= 0 else self.area / self.sigma


@dataclass(frozen=True, eq=False, slots=True)
class PhaseView:
    """A precipitate of one map. The fits are those of mixture and matrix, measured.

    `subtraction` is None while there is none; `sigma` (C,) then is the error of its channels,
    `fitted` (C,) the fit by which it is quantified, None while that is not known. `differences` are
    the lines by rising energy. `pixels` are those of mixture and matrix.
    """

    precipitate: Precipitate
    mixture: SpectrumFit
    matrix: SpectrumFit
    elements: tuple[str, ...]
    system_elements: tuple[str, ...]
    candidates: tuple[AbsentCandidate, ...]
    pixels: tuple[int, int]
    subtraction: Subtraction | None = None
    sigma: FloatArray | None = None
    fitted: FloatArray | None = None
    differences: tuple[LineDifference, ...] = ()

    @property
    def name(self) -> str:
        """The name of the precipitate."""
        return self.precipitate.name

    @property
    def absent(self) -> str:
        """The absent element, empty while none is chosen."""
        return self.precipitate.absent

    @property
    def by_hand(self) -> bool:
        """Whether the factor was set by hand."""
        return self.precipitate.factor is not None

    @property
    def chosen(self) -> AbsentCandidate | None:
        """The absent element among the candidates; its ratio is the fitted factor."""
        return next((c for c in self.candidates if c.element == self.absent), None)

    @property
    def left(self) -> LineDifference | None:
        """What is left of the absent element."""
        return next((d for d in self.differences if d.element == self.absent), None)


def phase_view(
    recipe: Recipe,
    name: str,
    phases: MapPhases,
    pixels: tuple[int, int],
    subtracted: Subtraction | None = None,
    quantified: Composition | None = None,
) -> PhaseView | None:
    """What is known of a precipitate; None where its mixture could not be measured.

    `subtracted` and `quantified` are the results of the recipe where they are current; without
    them the subtraction is made here, by the same function, from the spectra there are.
    """
    mixture = phases.mixtures.get(name)
    if mixture is None:
        return None
    precipitate = recipe.precipitate_named(name)
    sample = recipe.sample
    view = PhaseView(
        precipitate,
        mixture.fit,
        phases.matrix.fit,
        sample.elements,
        sample.system_elements,
        rank_absent(mixture.fit, phases.matrix.fit, sample.elements),
        pixels,
    )
    return with_factor(view, precipitate.factor, subtracted, quantified)


def with_factor(
    view: PhaseView,
    factor: float | None,
    subtracted: Subtraction | None = None,
    quantified: Composition | None = None,
) -> PhaseView:
    """The view with another factor, None for the fitted one, as while a slider is moved.

    Without `subtracted` the subtraction is made here. The areas of the lines are those of
    `quantified`, otherwise those of the mixture less the factor times those of the matrix; both
    are the same but for what the second fit changes. Where nothing can be subtracted, the view
    holds no subtraction.
    """
    from endmember.core.fitting.subtraction import subtract
    from endmember.session.decisions.recipe import changed

    precipitate = changed(view.precipitate, factor=factor)
    bare = replace(
        view, precipitate=precipitate, subtraction=None, sigma=None, fitted=None, differences=()
    )
    if not view.absent:
        return bare
    family = view.mixture.family_of(view.absent) or ""
    try:
        done = subtracted or subtract(view.mixture, view.matrix, view.absent, family, factor)
        fit = _areas_left(bare, family) if quantified is None else quantified.fit
    except ValueError:  # the step says why
        return bare
    assert done.spectrum.covariance is not None
    return replace(
        bare,
        subtraction=done,
        sigma=np.sqrt(done.spectrum.covariance.variance),
        fitted=None if quantified is None else quantified.fit.fitted,
        differences=tuple(sorted(_differences(bare, fit), key=lambda d: d.energy_keV)),
    )


def _areas_left(view: PhaseView, family: str) -> SpectrumFit:
    """Net areas N_m - a N_b. A factor set by hand has no error: their covariances just add."""
    from endmember.core.fitting.subtraction import subtract_areas

    a = view.precipitate.factor
    if a is None:
        return subtract_areas(view.mixture, view.matrix, view.absent, family)
    return replace(
        view.mixture,
        areas=view.mixture.areas - a * view.matrix.areas,
        covariance=view.mixture.covariance + a**2 * view.matrix.covariance,
    )


def _differences(view: PhaseView, fit: SpectrumFit) -> Iterator[LineDifference]:
    """The line by which each element is measured, as far as it has one."""
    for element in (*view.elements, *view.system_elements):
        family = view.mixture.family_of(element)
        index = None if family is None else fit.find(element, family)
        if index is None:
            continue
        column = fit.columns[index]
        yield LineDifference(
            line_label(column),
            element,
            column.energy_keV,
            float(fit.areas[index]),
            float(np.sqrt(max(fit.covariance[index, index], 0.0))),
            element == view.absent and not view.by_hand,
            element in view.system_elements,
        )


def line_label(column: Column) -> str:
    """Element and line as people write them, such as "Si Kα"."""
    return f"{column.element} {column.family}{'α' if column.alpha_share else ''}"


def quantified_phase(
    compositions: Compositions | None, name: str, map_name: str
) -> Composition | None:
    """The composition of a precipitate after subtraction on one map, None where there is none."""
    for entry in () if compositions is None else compositions.entries:
        if (entry.phase, entry.source, entry.map) == (name, "mask", map_name):
            return entry.composition
    return None


# --- how spectra are put on one scale ----------------------------------------------------------


def normalisations(view: PhaseView) -> list[tuple[str, str]]:
    """The ways to put matrix and mixture on one scale, as (key, text); the first is the usual."""
    lines = {d.element: d.label for d in _differences(view, view.mixture)}
    absent = f"on {lines.get(view.absent, view.absent)} (absent element)"
    found = []
    if view.subtraction is not None:
        found.append((AS_SUBTRACTED, "by the factor set by hand" if view.by_hand else absent))
    for candidate in view.candidates:
        measured = candidate.usable and candidate.ratio > SIGNIFICANT * candidate.sigma
        is_absent = candidate.element == view.absent
        if measured and (view.by_hand or not is_absent):
            text = absent if is_absent else f"on {lines[candidate.element]}"
            found.append((LINE + candidate.element, text))
    per_pixel = [(PER_PIXEL, "per pixel")] if all(view.pixels) else []
    counts = [*per_pixel, (COUNTS, "not at all (counts)")]
    return [*found, *counts] if view.subtraction is not None else [*counts, *found]


def scales(view: PhaseView, normalisation: str) -> tuple[float, float]:
    """What the counts of mixture and matrix are multiplied with.

    On a line, or as subtracted, the matrix is brought to the counts of the mixture.
    """
    if normalisation == AS_SUBTRACTED and view.subtraction is not None:
        return 1.0, view.subtraction.factor
    if normalisation.startswith(LINE):
        element = normalisation.removeprefix(LINE)
        for candidate in view.candidates:
            if candidate.element == element:
                return 1.0, candidate.ratio
    if normalisation == PER_PIXEL and all(view.pixels):
        return 1.0 / view.pixels[0], 1.0 / view.pixels[1]
    return 1.0, 1.0


def factor_range(view: PhaseView) -> tuple[float, float]:
    """The factors worth trying: half to one and a half of the fitted one, and 5 sigma around it."""
    chosen, factor = view.chosen, view.precipitate.factor
    centre = chosen.ratio if chosen is not None and chosen.usable else factor or 0.0
    sigma = chosen.sigma if chosen is not None and chosen.usable else 0.0
    reach = max(0.5 * abs(centre), 5 * sigma) or 1.0
    low, high = centre - reach, centre + reach
    if factor is not None:
        low, high = min(low, 0.9 * factor), max(high, 1.1 * factor)
    return max(low, 0.0), max(high, 1e-6)


def grey_map(data: MapData) -> npt.NDArray[Any]:
    """The counts of each pixel as grey (rows, columns, 3), 8-bit, as a ground for masks."""
    from endmember.core.display.map_display import colour_overlay

    counts = data.image.count_map()
    low, high = (float(v) for v in np.percentile(counts, (0.5, 99.7)))
    ends = (low, high if high > low else low + 1.0)
    return colour_overlay([counts] * 3, [ends] * 3)
