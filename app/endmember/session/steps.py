"""The steps of the method: what each reads from the recipe, what it needs, what it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from endmember.core.progress import Report
from endmember.session.recipe import (
    Decomposition,
    Instrument,
    MapInput,
    Precipitate,
    Quantification,
    Recipe,
    Roi,
    Sample,
    Segmentation,
)
from endmember.session.steptable import (
    GroupStep,
    MapStep,
    Settings,
    StepTable,
    all_maps,
    joint_maps,
)

if TYPE_CHECKING:  # numerical libraries are imported when a step runs, not when the program starts
    from endmember.core.abundance import Abundance
    from endmember.core.decomposition import Decomposition as Components
    from endmember.core.quantification import Method
    from endmember.core.scree import Scree
    from endmember.session.compositions import Compositions
    from endmember.session.map_data import MapData
    from endmember.session.separation import MapMasks, MapPhases


@dataclass(frozen=True, eq=False, slots=True)
class Decomposed:
    """The decomposition of a group of maps, with the names of the maps in its order."""

    names: tuple[str, ...]
    found: Components

    def maps_of(self, name: str) -> Any:
        """The component maps (K, rows, columns) of one map."""
        return self.found.maps[self.names.index(name)]


@dataclass(frozen=True, eq=False, slots=True)
class MapAbundance:
    """Abundance maps of one map and the fractions of its counts by phase with their sigmas."""

    abundance: Abundance
    phases: tuple[str, ...]
    fractions: dict[str, tuple[float, float]]


def method_of(sample: Sample, quantification: Quantification) -> Method:
    """How spectra are quantified, from the recipe.

    Raises
    ------
    ValueError
        if the file of k-factors cannot be used.
    """
    from endmember.core.quantification import Method
    from endmember.files.k_factor_file import read_k_factors

    given = None
    if quantification.k_factors != "computed":
        given = read_k_factors(quantification.k_factors)
    return Method(
        sample.elements,
        sample.system_elements,
        given=given,
        reference=quantification.reference,
    )


def _read(report: Report, entry: MapInput, instrument: Instrument) -> MapData:
    from endmember.session.map_data import load_map

    return load_map(report, entry, instrument)


def _scree(report: Report, seed: int, data: Mapping[str, MapData]) -> Scree:
    from endmember.core.scree import scree

    return scree([d.image for d in data.values()], seed=seed, report=report)


def _decompose(report: Report, settings: Decomposition, data: Mapping[str, MapData]) -> Decomposed:
    from endmember.core.decomposition import decompose

    images = [d.image for d in data.values()]
    found = decompose(images, settings.components, settings.method, settings.seed, report)
    return Decomposed(tuple(data), found)


def _masks(
    report: Report,
    precipitates: Sequence[Precipitate],
    segmentation: Segmentation,
    sample: Sample,
    data: MapData,
    decomposed: Decomposed,
) -> MapMasks:
    from endmember.session.separation import make_masks

    return make_masks(
        report,
        precipitates,
        segmentation,
        method_of(sample, Quantification()),
        data,
        decomposed.found,
        decomposed.maps_of(data.entry.name),
    )


def _subtract(
    report: Report,
    precipitates: Sequence[Precipitate],
    sample: Sample,
    quantification: Quantification,
    data: MapData,
    masks: MapMasks,
) -> MapPhases:
    from endmember.session.separation import separate

    return separate(report, precipitates, sample, method_of(sample, quantification), data, masks)


def _abundance(report: Report, matrix: str, data: MapData, phases: MapPhases) -> MapAbundance:
    import numpy as np

    from endmember.core.abundance import abundances, phase_fractions

    names = (matrix, *phases.subtractions)
    endmembers = np.array(
        [
            phases.matrix.fit.spectrum.counts,
            *(done.spectrum.counts for done in phases.subtractions.values()),
        ]
    )
    found = abundances(data.image, endmembers, report)
    shares, sigmas = phase_fractions(data.image.spectrum().counts, endmembers)
    fractions = {
        name: (float(share), float(sigma))
        for name, share, sigma in zip(names, shares, sigmas, strict=True)
    }
    return MapAbundance(found, names, fractions)


def _quantify(
    report: Report,
    sample: Sample,
    precipitates: Sequence[Precipitate],
    rois: tuple[tuple[str, tuple[Roi, ...]], ...],
    quantification: Quantification,
    data: Mapping[str, MapData],
    masks: Mapping[str, MapMasks],
    phases: Mapping[str, MapPhases],
) -> Compositions:
    from endmember.session.compositions import quantify_all

    method = method_of(sample, quantification)
    return quantify_all(report, sample, precipitates, dict(rois), method, data, masks, phases)


def _without_rois(entry: MapInput) -> MapInput:
    # regions of interest do not change what is read: moving one must not read the file again
    import msgspec

    return msgspec.structs.replace(entry, rois=())


def _read_settings(recipe: Recipe, entry: MapInput) -> Settings:
    return (_without_rois(entry), recipe.instrument)


def _mask_settings(recipe: Recipe, entry: MapInput) -> Settings:
    import msgspec

    here = tuple(
        msgspec.structs.replace(
            p,
            factor=None,
            rectangles=tuple(r for r in p.rectangles if r.map == entry.name),
            strokes=p.strokes_on(entry.name),
        )
        for p in recipe.precipitates
    )
    return (here, recipe.segmentation, recipe.sample)


def _subtraction_settings(recipe: Recipe, _entry: MapInput) -> Settings:
    import msgspec

    bare = tuple(msgspec.structs.replace(p, rectangles=(), strokes=()) for p in recipe.precipitates)
    return (bare, recipe.sample, recipe.quantification)


def _quantification_settings(recipe: Recipe, maps: tuple[MapInput, ...]) -> Settings:
    import msgspec

    bare = tuple(msgspec.structs.replace(p, rectangles=(), strokes=()) for p in recipe.precipitates)
    rois = tuple((entry.name, entry.rois) for entry in maps)
    return (recipe.sample, bare, rois, recipe.quantification)


STEPS = StepTable(
    [
        MapStep("read", _read_settings, (), _read, kept=1),
        GroupStep("scree", lambda r, _: (r.decomposition.seed,), ("read",), _scree, joint_maps),
        GroupStep(
            "decomposition", lambda r, _: (r.decomposition,), ("read",), _decompose, joint_maps
        ),
        MapStep("masks", _mask_settings, ("read", "decomposition"), _masks),
        MapStep("subtraction", _subtraction_settings, ("read", "masks"), _subtract),
        MapStep("abundance", lambda r, _: (r.sample.matrix,), ("read", "subtraction"), _abundance),
        GroupStep(
            "quantification",
            _quantification_settings,
            ("read", "masks", "subtraction"),
            _quantify,
            all_maps,
        ),
    ]
)
