"""Signal to noise and errors against the number of pixels, on nested subsets of each phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from endmember.core.fitting.subtraction import subtract
from endmember.core.progress import Report, parts_of, silent
from endmember.core.quantification.cliff_lorimer import Composition, Method, quantify
from endmember.core.quantification.snr_growth import nested_subsets, root_law
from endmember.session.steps.chain import method_of
from endmember.session.steps.compositions import SUM, add_spectra
from endmember.session.steps.separation import foil_of

if TYPE_CHECKING:
    from endmember.core.counts.spectrum import Spectrum
    from endmember.core.xrays.foil import Foil
    from endmember.session.state.session import Session
    from endmember.session.steps.compositions import Compositions, Entry
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks, MapPhases

SHARES = np.array([1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1])  # of the pixels of a phase
LEAST_PIXELS = 20
STRONG = 10.0  # net counts over the background in 1.0 FWHM


@dataclass(frozen=True, slots=True)
class GrowthPoint:
    """One row of snr_growth.csv: an element in a random part of the pixels of a phase.

    `root_fit` = `coefficient` sqrt(pixels), fitted to all parts of this phase and map; `residual`
    is `snr` less that, `residual_sigma` what it should scatter by if the law holds: None for lines
    of more than ten times their background, of which the thickness of the pixels drawn and the
    small background scatter more than the counts.
    """

    phase: str
    map: str
    element: str
    pixels: int
    snr: float
    root_fit: float
    residual: float
    residual_sigma: float | None
    coefficient: float
    coefficient_sigma: float
    atomic_percent: float
    atomic_percent_sigma: float
    lod_ppm: float | None


class _Part(NamedTuple):
    """A part of the pixels of a phase on one map: its pure spectrum, quantified."""

    pixels: int
    composition: Composition


def snr_growth(session: Session, report: Report = silent) -> tuple[GrowthPoint, ...]:
    """Parts of 1/64 to all pixels of each phase's mask, each holding the smaller ones.

    From a precipitate's part the whole matrix of its map is subtracted. The sum of the maps takes
    the same part of each. The fits keep the calibration of the whole phase. By the seed of the
    segmentation.
    """
    recipe = session.recipe
    found: Compositions = session.result("quantification")
    by_place = {(e.phase, e.map): e for e in found.entries if e.source == "mask"}
    method = method_of(recipe.sample, recipe.quantification, recipe.detector)
    points: list[GrowthPoint] = []
    of_maps = [place for place in by_place if place[1] != SUM]
    parts: dict[tuple[str, str], dict[int, _Part]] = {}
    for (phase, name), within in zip(of_maps, parts_of(report, len(of_maps)), strict=True):
        within(0.0)
        parts[phase, name] = _of_map(session, by_place[phase, name], method)
        points += _points(phase, name, list(parts[phase, name].values()))
    for phase, where in by_place:
        if where == SUM:
            own = [of for (other, _), of in parts.items() if other == phase]
            axes = {p.composition.fit.spectrum.axis for of in own for p in of.values()}
            if len(axes) == 1:
                points += _points(phase, SUM, _summed(by_place[phase, SUM], own, method))
    report(1.0)
    return tuple(points)


def _of_map(session: Session, entry: Entry, method: Method) -> dict[int, _Part]:
    """The parts of a phase on a map by the number of their share; too small ones are left out."""
    recipe, name = session.recipe, entry.map
    data: MapData = session.result("read", name)
    masks: MapMasks = session.result("masks", name)
    phases: MapPhases = session.result("subtraction", name)
    foil = foil_of(
        data, recipe.sample.density_g_cm3, recipe.map_named(name).thickness_nm, entry.phase
    )
    is_matrix = entry.phase == recipe.sample.matrix
    mask = masks.partition.matrix if is_matrix else masks.partition.mixtures[entry.phase]
    found = {}
    subsets = nested_subsets(mask, SHARES, recipe.segmentation.seed)
    for number, part in enumerate(subsets):
        pixels = int(part.sum())
        if pixels < LEAST_PIXELS:
            continue
        spectrum = data.image.spectrum(part)
        try:
            composition = (
                quantify(spectrum, method, foil, None, entry.composition.fit.calibration)
                if is_matrix
                else _separated(session, entry, spectrum, phases, method, foil)
            )
        except np.linalg.LinAlgError:  # a ValueError, but a fault of the program
            raise
        except ValueError:
            continue  # too few counts to separate or to close
        found[number] = _Part(pixels, composition)
    return found


def _separated(
    session: Session,
    entry: Entry,
    spectrum: Spectrum,
    phases: MapPhases,
    method: Method,
    foil: Foil | None,
) -> Composition:
    """A part of a mixture, less the matrix, quantified as the whole was."""
    precipitate = session.recipe.precipitate_named(entry.phase)
    whole = phases.mixtures[entry.phase]
    mixture = quantify(spectrum, method, whole.foil, None, whole.fit.calibration).fit
    factor = None
    if precipitate.factor is not None:
        share = float(spectrum.counts.sum() / whole.fit.spectrum.counts.sum())
        factor = float(precipitate.factor) * share
    family = mixture.family_of(precipitate.absent) or ""
    left = subtract(mixture, phases.matrix.fit, precipitate.absent, family, factor)
    absent = precipitate.absent if factor is None else None
    return quantify(left.spectrum, method, foil, absent, mixture.calibration)


def _summed(entry: Entry, of_maps: Sequence[Mapping[int, _Part]], method: Method) -> list[_Part]:
    """The same share of all maps together, as far as each map has it."""
    numbers = [n for n in range(len(SHARES)) if all(n in of for of in of_maps)]
    fit = entry.composition.fit
    absent = [r.element for r in entry.composition.rows if r.detected == "assumed_absent"]
    found = []
    for number in numbers:
        spectra = [of[number].composition.fit.spectrum for of in of_maps]
        try:
            composition = quantify(
                add_spectra(spectra),
                method,
                entry.composition.foil,
                absent[0] if absent else None,
                fit.calibration,
            )
        except np.linalg.LinAlgError:  # a ValueError, but a fault of the program
            raise
        except ValueError:
            continue  # too few counts to close
        found.append(_Part(sum(of[number].pixels for of in of_maps), composition))
    return found


def _points(phase: str, name: str, parts: Sequence[_Part]) -> list[GrowthPoint]:
    """The rows of a phase on a map; an element needs a signal to noise in every part."""
    if len(parts) < 2:
        return []
    points = []
    pixels = np.array([p.pixels for p in parts])
    for last in parts[-1].composition.rows:
        rows = [p.composition[last.element] for p in parts]
        if any(r.snr is None or r.atomic_percent is None for r in rows):
            continue
        snr = np.array([r.snr for r in rows], np.float64)
        if not (last.net_sigma and last.net_counts and last.snr):
            continue
        law = root_law(pixels, snr, last.net_sigma * last.snr / last.net_counts)
        fitted = law.coefficient * np.sqrt(pixels)
        strong = last.net_counts > STRONG * (last.background_counts or 0.0)
        for i, row in enumerate(rows):
            points.append(
                GrowthPoint(
                    phase,
                    name,
                    last.element,
                    int(pixels[i]),
                    float(snr[i]),
                    float(fitted[i]),
                    float(law.residual[i]),
                    None if strong else float(law.residual_sigma[i]),
                    law.coefficient,
                    law.coefficient_sigma,
                    row.atomic_percent or 0.0,
                    row.atomic_percent_sigma or 0.0,
                    row.lod_ppm,
                )
            )
    return points
