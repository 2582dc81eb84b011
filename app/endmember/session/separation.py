"""From component maps to masks, and from masks to the spectrum of each phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from endmember.core.counts import BoolArray
from endmember.core.decomposition import Decomposition
from endmember.core.masks import Partition, partition
from endmember.core.progress import Report
from endmember.core.purity import empty_share, matrix_purity, missed_precipitates
from endmember.core.quantification import Composition, Method, quantify
from endmember.core.segmentation import Stroke, segment
from endmember.core.spectrum import FloatArray, Spectrum
from endmember.core.spectrum_fit import Foil, SpectrumFit, fit_spectrum, quantified_family
from endmember.core.subtraction import Subtraction, subtract
from endmember.session.map_data import MapData, excluded_mask
from endmember.session.recipe import Exclude, Precipitate, Sample, Segmentation
from endmember.session.shapes import points_on, rectangle_on

MOSTLY_EMPTY = 0.25  # share of a mask without precipitate from which it is doubted
SIGNIFICANT_AREA = 3.0  # sigma
LEAST_SHARE_OF_COUNTS = 0.02  # a smaller component shows noise or an artefact, not a precipitate


@dataclass(frozen=True, eq=False, slots=True)
class MapMasks:
    """The masks of one map. `components` says which component showed each precipitate."""

    partition: Partition
    components: dict[str, int]
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class MapPhases:
    """The spectra of the phases of one map, as compositions that hold their fits.

    `matrix` and `mixtures` are measured; `subtractions` holds what is left of each precipitate.
    `purity` is the share of each precipitate in the matrix mask with its sigma.
    """

    matrix: Composition
    mixtures: dict[str, Composition]
    subtractions: dict[str, Subtraction]
    purity: dict[str, tuple[float, float]]
    warnings: tuple[str, ...]


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


def choose_component(found: Decomposition, data: MapData, absent: str, method: Method) -> int:
    """The component with the smallest share of the absent element's fitted line area.

    Only components with at least 2 % of all counts are looked at; areas below 3 sigma count as
    none, and of components alike the one with most counts is taken.

    Raises
    ------
    ValueError
        if the absent element has no line in the energy range, or no component can be fitted.
    """
    beam = data.image.beam_energy_keV or 0.0
    family = quantified_family(absent, data.image.axis, beam)
    if family is None:
        raise ValueError(
            f"the absent element {absent} has no line in the energy range: choose another element "
            "that the matrix holds and the precipitate does not"
        )
    totals = np.sum([maps.sum(axis=(1, 2)) for maps in found.maps], axis=0)
    shares = {}
    for index in np.flatnonzero(totals >= LEAST_SHARE_OF_COUNTS * totals.sum()):
        spectrum = Spectrum(found.spectra[index] * totals[index], data.image.axis, beam)
        fit = fit_spectrum(
            spectrum,
            (*method.elements, *method.system_elements),
            detector=method.detector,
            refine_calibration=False,
        )
        column = fit.find(absent, family)
        if column is not None:
            shares[int(index)] = _significant_area(fit, column) / totals[index]
    if not shares:
        raise ValueError(
            f"no component shows whether {absent} is absent: name the component of the precipitate"
        )
    return min(shares, key=lambda index: shares[index])


def _significant_area(fit: SpectrumFit, column: int) -> float:
    # components fit badly in places, so areas scatter about zero: of several components without the
    # element the largest is taken, not the one that noise makes most negative
    area, sigma = float(fit.areas[column]), float(np.sqrt(fit.covariance[column, column]))
    return area if area > SIGNIFICANT_AREA * sigma else 0.0


def make_masks(
    report: Report,
    precipitates: Sequence[Precipitate],
    settings: Segmentation,
    method: Method,
    excludes: Sequence[Exclude],
    data: MapData,
    found: Decomposition,
    maps: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> MapMasks:
    """GrabCut for each precipitate with rectangles or strokes on this map, then the mask algebra.

    Raises
    ------
    ValueError
        if a mask is empty or no matrix is left.
    """
    masks: dict[str, BoolArray] = {}
    chosen: dict[str, int] = {}
    warnings: list[str] = []
    entry = data.entry
    drawn = [p for p in precipitates if _is_drawn_on(p, entry.name)]
    for number, precipitate in enumerate(drawn):
        where = f'{precipitate.name} on map "{entry.name}"'
        index = precipitate.component
        try:
            if index is None:
                index = choose_component(found, data, precipitate.absent, method)
            cut = segment(
                maps,
                index,
                [rectangle_on(entry, box) for box in precipitate.boxes_on(entry.name)],
                [
                    Stroke(s.label, s.radius / entry.rebin, points_on(entry, s.points))
                    for s in precipitate.strokes_on(entry.name)
                ],
                float(settings.smoothing_px) / entry.rebin,
                settings.seed,
                lambda fraction, number=number: report((number + fraction) / len(drawn)),  # type: ignore[misc]
                [str(list(box)) for box in precipitate.boxes_on(entry.name)],
            )
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        if not cut.mask.any():
            raise ValueError(
                f"the mask of {where}, from component {index}, is empty: move its rectangles onto "
                "the precipitates, or choose another component (run the recipe without this "
                "precipitate to see the component maps, in the folder components)"
            )
        masks[precipitate.name], chosen[precipitate.name] = cut.mask, index
        warnings.extend(f"{where}: {sentence}" for sentence in cut.warnings)
    excluded, clipped = excluded_mask(data, excludes)
    part = partition(masks, excluded)
    _check_partition(part, entry.name)
    return MapMasks(part, chosen, (*clipped, *warnings))


def _is_drawn_on(precipitate: Precipitate, map_name: str) -> bool:
    """Whether something says where the precipitate is; strokes that say where it is not do not."""
    inside = any(s.label == "inside" for s in precipitate.strokes_on(map_name))
    return inside or bool(precipitate.boxes_on(map_name))


def _check_partition(part: Partition, map_name: str) -> None:
    if not part.matrix.any():
        raise ValueError(
            f'no pure matrix is left on map "{map_name}": draw the rectangles closer round the '
            "precipitates"
        )
    for name, mixture in part.mixtures.items():
        if not mixture.any():
            raise ValueError(
                f'every pixel of {name} on map "{map_name}" overlaps another precipitate or is '
                "excluded: nothing is left to measure it by, so redraw the rectangles"
            )


def separate(
    report: Report,
    precipitates: Sequence[Precipitate],
    sample: Sample,
    thickness_nm: float | None,
    method: Method,
    data: MapData,
    masks: MapMasks,
) -> MapPhases:
    """Sum the spectra of the masks and take the matrix out of each mixture."""
    part = masks.partition
    foil = foil_of(data, sample.density_g_cm3, thickness_nm, sample.matrix)
    matrix = _measured(data, part.matrix, method, foil, f"matrix {sample.matrix}")
    steps = 1 + len(part.mixtures)
    report(1 / steps)
    mixtures: dict[str, Composition] = {}
    subtractions: dict[str, Subtraction] = {}
    warnings: list[str] = []
    by_name = {p.name: p for p in precipitates}
    for number, (name, mask) in enumerate(part.mixtures.items()):
        where = f'{name} on map "{data.entry.name}"'
        mixtures[name] = _measured(data, mask, method, foil, f"mixture of {name}")
        subtractions[name] = _subtracted(mixtures[name], matrix, by_name[name], where)
        warnings.extend(_negative(subtractions[name], where))
        report((2 + number) / steps)
    purity, told = _purity(data, part, subtractions)
    return MapPhases(matrix, mixtures, subtractions, purity, (*warnings, *told))


def _measured(
    data: MapData, mask: BoolArray, method: Method, foil: Foil | None, what: str
) -> Composition:
    try:
        return quantify(data.image.spectrum(mask), method, foil)
    except ValueError as error:
        raise ValueError(f'the {what} on map "{data.entry.name}": {error}') from error


def _subtracted(
    mixture: Composition, matrix: Composition, precipitate: Precipitate, where: str
) -> Subtraction:
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
        f"{done.factor:.4g} is too large, or the absent element is not absent"
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
        x, y = (0, 0) if data.entry.crop is None else data.entry.crop[:2]
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
