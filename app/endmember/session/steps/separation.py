"""From component maps to masks, and from masks to the spectrum of each phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.counts.spectrum_image import BoolArray
from endmember.core.fitting.spectrum_fit import Foil, fit_spectrum, quantified_family
from endmember.core.fitting.subtraction import Subtraction, matrix_variance_share, subtract
from endmember.core.masks.mask_algebra import Partition, partition
from endmember.core.masks.purity import empty_share, matrix_purity, missed_precipitates
from endmember.core.progress import Report, parts_of, silent
from endmember.core.quantification.cliff_lorimer import Composition, Method, quantify
from endmember.core.unmixing.decomposition import Decomposition
from endmember.core.xrays.detector import Detector
from endmember.session.decisions.recipe import Exclude, Precipitate, Sample, Segmentation
from endmember.session.steps.cuts import mask_of
from endmember.session.steps.map_data import MapData, excluded_mask
from endmember.session.steps.map_reading import MadeOfMap, Reading

MOSTLY_EMPTY = 0.25  # share of a mask without precipitate from which it is doubted
SIGNIFICANT_AREA = 3.0  # sigma
MATRIX_DOMINATES = 0.5  # of the variance of an area
LEAST_SHARE_OF_COUNTS = 0.02  # a smaller component shows noise or an artefact, not a precipitate


@dataclass(frozen=True, eq=False, slots=True)
class MapMasks(MadeOfMap):
    """The masks of one map. `components` says which component showed each precipitate.

    `pixels_per_rectangle` says, by precipitate, how many pixels each of its rectangles yielded;
    `failures` says of each precipitate without a usable mask why it has none.
    """

    partition: Partition
    components: dict[str, int]
    warnings: tuple[str, ...]
    reading: Reading
    pixels_per_rectangle: dict[str, tuple[int, ...]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class MapPhases(MadeOfMap):
    """The spectra of the phases of one map, as compositions that hold their fits.

    `matrix` and `mixtures` are measured; `subtractions` holds what is left of each precipitate.
    `purity` is the share of each precipitate in the matrix mask with its sigma. `failures` says of
    each precipitate that could not be subtracted why; its mixture may still be there.
    """

    matrix: Composition
    mixtures: dict[str, Composition]
    subtractions: dict[str, Subtraction]
    purity: dict[str, tuple[float, float]]
    warnings: tuple[str, ...]
    reading: Reading
    failures: dict[str, str] = field(default_factory=dict)


def foil_of(
    data: MapData, densities: Mapping[str, float], thickness_nm: float | None, phase: str
) -> Foil | None:
    """What absorbs in a phase of a map: None unless thickness and density are both given.

    Raises
    ------
    ValueError
        if they are given and the take-off angle is not known.
    """
    density, angle = densities.get(phase), data.image.take_off_angle_deg
    if thickness_nm is None or density is None:
        return None
    if angle is None:
        raise ValueError(
            f"{data.entry.file}: the file does not say the take-off angle, which the absorption "
            "correction needs: give take_off_angle_deg under [instrument], or leave out "
            "thickness_nm"
        )
    return Foil(float(thickness_nm), float(density), angle)


def check_elements(elements: Sequence[str]) -> None:
    """Raise ValueError if the sample has no elements: nothing can be fitted without."""
    if not elements:
        raise ValueError("no elements are chosen: list the elements of the sample")


def choose_component(
    found: Decomposition, data: MapData, absent: str, method: Method, report: Report = silent
) -> int:
    """The component with the smallest share of the absent element's fitted line area.

    Only components with at least 2 % of all counts are looked at; areas below 3 sigma count as
    none, and of components alike the one with most counts is taken.

    Raises
    ------
    ValueError
        if no elements are given, the absent element has no line in the energy range, or no
        component can be fitted.
    """
    check_elements(method.elements)
    beam = data.image.beam_energy_keV or 0.0
    axis = found.axis or data.image.axis
    family = quantified_family(absent, axis, beam)
    if family is None:
        raise ValueError(
            f"the absent element {absent} has no line in the energy range: choose another element "
            "that the matrix holds and the precipitate does not"
        )
    totals = np.sum([maps.sum(axis=(1, 2)) for maps in found.maps], axis=0)
    everything = (*method.elements, *method.system_elements)
    shares = {}
    for index in np.flatnonzero(totals >= LEAST_SHARE_OF_COUNTS * totals.sum()):
        report(0.0)
        counts = (found.spectra[index] * totals[index]).tobytes()
        areas = _component_areas(counts, axis, beam, everything, method.detector)
        if (absent, family) in areas:
            area, sigma = areas[absent, family]
            # components fit badly in places, so areas scatter about zero: of several without the
            # element the largest is taken, not the one that noise makes most negative
            shares[int(index)] = area / totals[index] if area > SIGNIFICANT_AREA * sigma else 0.0
    if not shares:
        raise ValueError(
            f"no component shows whether {absent} is absent: name the component of the precipitate"
        )
    return min(shares, key=lambda index: shares[index])


@lru_cache(maxsize=64)
def _component_areas(
    counts: bytes, axis: EnergyAxis, beam: float, elements: tuple[str, ...], detector: Detector
) -> dict[tuple[str, str], tuple[float, float]]:
    """Fitted area and its sigma by element and line family: the same for any drawing."""
    spectrum = Spectrum(np.frombuffer(counts), axis, beam)
    fit = fit_spectrum(spectrum, elements, detector=detector, refine_calibration=False)
    sigmas = np.sqrt(np.diag(fit.covariance)).tolist()
    pairs = zip(fit.areas.tolist(), sigmas, strict=True)
    return {(c.element, c.family): pair for c, pair in zip(fit.columns, pairs, strict=True)}


def make_masks(
    report: Report,
    precipitates: Sequence[Precipitate],
    settings: Segmentation,
    method: Method,
    excludes: Sequence[Exclude],
    data: MapData,
    found: Decomposition,
    number: int,
) -> MapMasks:
    """GrabCut for each precipitate with rectangles or strokes on this map, then the mask algebra.

    The map is `number` in the decomposition. A precipitate that cannot be cut is left out, with its
    sentence in `failures`.

    Raises
    ------
    ValueError
        if no matrix is left, or the exclusions cannot be used.
    """
    masks: dict[str, BoolArray] = {}
    chosen: dict[str, int] = {}
    pixels: dict[str, tuple[int, ...]] = {}
    failures: dict[str, str] = {}
    warnings: list[str] = []
    entry = data.entry
    drawn = [p for p in precipitates if p.is_drawn_on(entry.name)]
    for precipitate, within in zip(drawn, parts_of(report, max(len(drawn), 1)), strict=False):
        where = f'{precipitate.name} on map "{entry.name}"'
        if precipitate.component is None and not precipitate.absent:
            failures[precipitate.name] = (
                f"choose the component that shows {precipitate.name}, or its absent element"
            )
            continue
        try:
            index = precipitate.component
            if index is None:
                index = choose_component(found, data, precipitate.absent, method, within)
            cut = mask_of(found, number, entry, precipitate, index, settings, within)
        except np.linalg.LinAlgError:  # a ValueError, but a fault of the program
            raise
        except ValueError as error:
            failures[precipitate.name] = f"{where}: {error}"
            continue
        if not cut.mask.any():
            failures[precipitate.name] = (
                f"the mask of {where}, from component {index}, is empty: move its rectangles onto "
                "the precipitates, or choose another component (run the recipe without this "
                "precipitate to see the component maps, in the folder components)"
            )
            continue
        masks[precipitate.name], chosen[precipitate.name] = cut.mask, index
        pixels[precipitate.name] = cut.pixels_per_rectangle
        warnings.extend(f"{where}: {sentence}" for sentence in cut.warnings)
    excluded, clipped = excluded_mask(data, excludes)
    part = partition(masks, excluded)
    failures |= _unusable(part, entry.name)
    return MapMasks(part, chosen, (*clipped, *warnings), data.reading, pixels, failures)


def _unusable(part: Partition, map_name: str) -> dict[str, str]:
    """The precipitates of which no pixel is left to measure, each with its sentence."""
    if not part.matrix.any():
        raise ValueError(
            f'no pure matrix is left on map "{map_name}": draw the rectangles closer round the '
            "precipitates"
        )
    return {
        name: f'every pixel of {name} on map "{map_name}" overlaps another precipitate or is '
        "excluded: nothing is left to measure it by, so redraw the rectangles"
        for name, mixture in part.mixtures.items()
        if not mixture.any()
    }


def separate(
    report: Report,
    precipitates: Sequence[Precipitate],
    sample: Sample,
    thickness_nm: float | None,
    method: Method,
    data: MapData,
    masks: MapMasks,
) -> MapPhases:
    """Sum the spectra of the masks and take the matrix out of each mixture.

    A precipitate that cannot be subtracted is left out, with its sentence in `failures`.

    Raises
    ------
    ValueError
        if no elements are given, or the matrix cannot be measured.
    """
    check_elements(sample.elements)
    part = masks.partition
    foil = foil_of(data, sample.density_g_cm3, thickness_nm, sample.matrix)
    usable = {name: mask for name, mask in part.mixtures.items() if name not in masks.failures}
    within = parts_of(report, 2 + len(usable))
    matrix = _measured(data, part.matrix, method, foil, f"matrix {sample.matrix}", within[0])
    mixtures: dict[str, Composition] = {}
    subtractions: dict[str, Subtraction] = {}
    failures: dict[str, str] = {}
    warnings: list[str] = []
    by_name = {p.name: p for p in precipitates}
    for (name, mask), here in zip(usable.items(), within[1:-1], strict=True):
        where = f'{name} on map "{data.entry.name}"'
        try:
            mixtures[name] = _measured(data, mask, method, foil, f"mixture of {name}", here)
            subtractions[name] = _subtracted(mixtures[name], matrix, by_name[name], where)
        except np.linalg.LinAlgError:  # a ValueError, but a fault of the program
            raise
        except ValueError as error:
            failures[name] = str(error)
            continue
        warnings.extend(_negative(subtractions[name], where))
        warnings.extend(
            _small_matrix(mixtures[name], matrix, by_name[name].absent, subtractions[name], where)
        )
    within[-1](0.0)
    purity, told = _purity(data, part, subtractions)
    report(1.0)
    told = [*warnings, *told]
    return MapPhases(matrix, mixtures, subtractions, purity, tuple(told), data.reading, failures)


def _measured(
    data: MapData, mask: BoolArray, method: Method, foil: Foil | None, what: str, report: Report
) -> Composition:
    spectrum = data.image.spectrum(mask, report)
    try:
        return quantify(spectrum, method, foil)
    except np.linalg.LinAlgError:
        raise
    except ValueError as error:
        raise ValueError(f'the {what} on map "{data.entry.name}": {error}') from error


def _subtracted(
    mixture: Composition, matrix: Composition, precipitate: Precipitate, where: str
) -> Subtraction:
    if not precipitate.absent:
        raise ValueError(
            f"choose the absent element of {precipitate.name}: one that the matrix holds and "
            f"{precipitate.name} does not"
        )
    family = mixture.fit.family_of(precipitate.absent)
    factor = None if precipitate.factor is None else float(precipitate.factor)
    try:
        done = subtract(mixture.fit, matrix.fit, precipitate.absent, family or "", factor)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    left = float(done.spectrum.counts.sum())
    if left <= 0:
        raise ValueError(
            f"{where}: nothing is left after the subtraction of the matrix (factor "
            f"{done.factor:.3g}): {precipitate.absent} is not absent there, or the mask shows no "
            "precipitate"
        )
    return done


def _negative(done: Subtraction, where: str) -> list[str]:
    if not done.negative_keV:
        return []
    stretches = ", ".join(f"{low:.2f}-{high:.2f} keV" for low, high in done.negative_keV)
    sentence = (
        f"{where}: the subtracted spectrum is negative beyond 3 sigma at {stretches}: the factor "
        f"{done.factor:.4g} is too large, or the absent element is not absent: choose another "
        "absent element, or set a smaller factor by hand"
    )
    return [sentence]


def _small_matrix(
    mixture: Composition, matrix: Composition, absent: str, done: Subtraction, where: str
) -> list[str]:
    """A matrix mask of few counts spoils the precipitate more than the precipitate's own counts."""
    shares = matrix_variance_share(mixture.fit, matrix.fit, absent, done)
    measured = {
        mixture.atoms.measured[i]: mixture.fit.columns[c].name
        for i, c in enumerate(mixture.atoms.columns)
    }
    dominated = [e for e, name in measured.items() if shares.get(name, 0.0) > MATRIX_DOMINATES]
    if not dominated:
        return []
    sentence = (
        f"{where}: more than half of the variance of {', '.join(dominated)} comes from the matrix "
        f"that was subtracted, {matrix.fit.spectrum.counts.sum():,.0f} counts in all: map more of "
        "the pure matrix, or exclude less of it"
    )
    return [sentence]


def _purity(
    data: MapData, part: Partition, subtractions: Mapping[str, Subtraction]
) -> tuple[dict[str, tuple[float, float]], list[str]]:
    spectra = {name: done.spectrum.counts for name, done in subtractions.items()}
    where = f'map "{data.entry.name}"'
    try:
        purity = matrix_purity(data.image, part, spectra)
    except ValueError as error:
        return {}, [f"{where}: {error}"]
    return purity, [
        f"{where}: the pure matrix holds {100 * share:.2f} +- {100 * sigma:.2f} % of {name}: part "
        "of a precipitate lies outside its mask; add a rectangle or paint it inside"
        for name, (share, sigma) in purity.items()
        if share > 3 * sigma and share > 1e-3
    ]


def doubts_about_masks(
    data: MapData, masks: MapMasks, abundances: Mapping[str, FloatArray]
) -> tuple[str, ...]:
    """What the abundance maps, by precipitate, say against the masks: too large, or one missing."""
    told = []
    for name, abundance in abundances.items():
        share = empty_share(abundance, masks.partition.mixtures[name], masks.partition)
        if share > MOSTLY_EMPTY:
            told.append(
                f'map "{data.entry.name}": {100 * share:.0f} % of the mask of {name} shows no '
                f"{name}, so matrix of another kind or noise may pass for it: look at the mask, "
                "draw the rectangles closer, or change the number of components"
            )
        missed = missed_precipitates(abundance, masks.partition)
        if not missed:
            continue
        x, y = data.entry.origin
        places = ", ".join(
            f"({patch.x * data.entry.rebin + x}, {patch.y * data.entry.rebin + y})"
            for patch in missed[:3]
        )
        more = f" and {len(missed) - 3} more" if len(missed) > 3 else ""
        told.append(
            f'map "{data.entry.name}": the pure matrix seems to hold {name} at x, y = {places}'
            f"{more}: draw a rectangle round each, or exclude it"
        )
    return tuple(told)
