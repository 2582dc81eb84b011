"""The steps of the method: what each reads from the recipe, what it needs, what it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from endmember.core.progress import Report, part_of
from endmember.session.decisions.recipe import (
    Contents,
    Decomposition,
    DetectorSettings,
    Exclude,
    FormulaBases,
    Instrument,
    MapInput,
    Precipitate,
    Quantification,
    Recipe,
    Roi,
    Sample,
    Segmentation,
    changed,
)
from endmember.session.state.steptable import (
    GroupStep,
    MapStep,
    Settings,
    StepTable,
    after_first_map,
    all_maps,
    joint_maps,
)
from endmember.session.steps.map_reading import MadeOfMap, Reading

if TYPE_CHECKING:  # numerical libraries are imported when a step runs, not when the program starts
    from endmember.core.fitting.energy_calibration import EnergyCheck
    from endmember.core.quantification.cliff_lorimer import Method
    from endmember.core.unmixing.abundance import Abundance
    from endmember.core.unmixing.decomposition import Decomposition as Components
    from endmember.core.unmixing.scree import Scree
    from endmember.core.xrays.artefact_peaks import Artefacts
    from endmember.core.xrays.detector import Detector
    from endmember.core.xrays.k_factors import GivenFactors
    from endmember.files.tables.partition_table import PartitionEntry
    from endmember.session.steps.background_spreads import BackgroundSpreads
    from endmember.session.steps.compositions import Compositions
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks, MapPhases


@dataclass(frozen=True, eq=False, slots=True)
class Decomposed:
    """The decomposition of a group of maps, with their names and readings in its order."""

    names: tuple[str, ...]
    readings: tuple[Reading, ...]
    found: Components
    warnings: tuple[str, ...] = ()

    def fits(self, data: MapData) -> bool:
        """Whether it was made from the map as `data` has it."""
        return (data.entry.name, data.reading) in zip(self.names, self.readings, strict=True)

    def maps_of(self, name: str) -> Any:
        """The component maps (K, rows, columns) of one map."""
        return self.found.maps[self.names.index(name)]


@dataclass(frozen=True, eq=False, slots=True)
class MapAbundance(MadeOfMap):
    """Abundance maps of one map and the fractions of its counts by phase with their sigmas."""

    abundance: Abundance
    phases: tuple[str, ...]
    fractions: dict[str, tuple[float, float]]
    warnings: tuple[str, ...]
    reading: Reading


def detector_of(settings: DetectorSettings) -> Detector:
    """The detector of a recipe.

    Raises
    ------
    ValueError
        if the file of its curve cannot be used.
    """
    from endmember.core.xrays.detector import Detector
    from endmember.files.k_factors.detector_curve import read_detector_curve

    return Detector(
        float(settings.silicon_um),
        float(settings.dead_layer_nm),
        float(settings.aluminium_nm),
        None if settings.curve is None else read_detector_curve(settings.curve),
    )


def given_factors(quantification: Quantification) -> GivenFactors | None:
    """The k-factors from the recipe's file and by hand, None where all are computed.

    Raises
    ------
    ValueError
        if the file cannot be used, or is silent about what the recipe does not say either.
    """
    from endmember.core.xrays.k_factors import GivenFactors
    from endmember.files.k_factors.factor_checks import Stated
    from endmember.files.k_factors.k_factor_file import read_k_factors

    by_hand = {e: float(k) for e, k in (quantification.k_factor or {}).items()}
    if quantification.k_factors == "computed":
        return GivenFactors(by_hand=by_hand) if by_hand else None
    stated = Stated(quantification.k_factor_basis, quantification.k_factor_definition)
    return replace(read_k_factors(quantification.k_factors, stated), by_hand=by_hand)


def artefacts_of(quantification: Quantification) -> Artefacts:
    """The peaks of the detector's own making that a recipe asks for."""
    from endmember.core.xrays.artefact_peaks import Artefacts

    return Artefacts(
        quantification.escape_peaks,
        quantification.silicon_fluorescence,
        quantification.sum_peaks,
    )


def method_of(sample: Sample, quantification: Quantification, detector: DetectorSettings) -> Method:
    """How spectra are quantified, from the recipe.

    Raises
    ------
    ValueError
        if the file of k-factors or of the detector's curve cannot be used.
    """
    from endmember.core.quantification.cliff_lorimer import Method

    return Method(
        sample.elements,
        sample.system_elements,
        detector=detector_of(detector),
        given=given_factors(quantification),
        reference=quantification.reference,
        oxygen=quantification.oxygen,
        valences=quantification.valence,
        artefacts=artefacts_of(quantification),
    )


def _read(report: Report, entry: MapInput, instrument: Instrument) -> MapData:
    from endmember.session.steps.map_data import load_map

    return load_map(report, entry, instrument)


def _check_energies(
    report: Report, elements: tuple[str, ...], system_elements: tuple[str, ...], data: MapData
) -> EnergyCheck:
    from endmember.session.steps.energy_checks import check_map

    return check_map(report, elements, system_elements, data)


def _scree(report: Report, seed: int, data: Mapping[str, MapData]) -> Scree:
    from endmember.core.unmixing.scree import scree
    from endmember.session.steps.common_energies import on_one_axis

    moved, _ = on_one_axis(data)
    return scree([d.image for d in moved.values()], seed=seed, report=report)


def _decompose(
    report: Report,
    settings: Decomposition,
    data: Mapping[str, MapData],
    before: Mapping[str, Decomposed],
) -> Decomposed:
    from endmember.session.steps.decompositions import decompose_maps

    return decompose_maps(report, settings, data, before)


def _masks(
    report: Report,
    precipitates: Sequence[Precipitate],
    segmentation: Segmentation,
    elements: tuple[str, ...],
    system_elements: tuple[str, ...],
    excludes: tuple[Exclude, ...],
    data: MapData,
    decomposed: Decomposed,
) -> MapMasks:
    from endmember.core.quantification.cliff_lorimer import Method
    from endmember.session.steps.separation import make_masks

    number = decomposed.names.index(data.entry.name)
    # the built-in detector: components are compared with each other, as `component_choice` does
    return make_masks(
        report,
        precipitates,
        segmentation,
        Method(elements, system_elements),
        excludes,
        data,
        decomposed.found,
        number,
    )


def _subtract(
    report: Report,
    precipitates: Sequence[Precipitate],
    sample: Sample,
    thickness_nm: float | None,
    quantification: Quantification,
    detector: DetectorSettings,
    data: MapData,
    masks: MapMasks,
) -> MapPhases:
    from endmember.session.steps.separation import separate

    method = method_of(sample, quantification, detector)
    return separate(report, precipitates, sample, thickness_nm, method, data, masks)


def _abundance(
    report: Report, matrix: str, data: MapData, masks: MapMasks, phases: MapPhases
) -> MapAbundance:
    import numpy as np

    from endmember.core.unmixing.abundance import abundances, phase_fractions
    from endmember.session.steps.separation import doubts_about_masks

    names = (matrix, *phases.subtractions)
    endmembers = np.array(
        [
            phases.matrix.fit.spectrum.counts,
            *(done.spectrum.counts for done in phases.subtractions.values()),
        ]
    )
    found = abundances(data.image, endmembers, part_of(report, 0.0, 0.7))
    whole = data.image.spectrum(~masks.partition.excluded, part_of(report, 0.7, 1.0)).counts
    shares, sigmas = phase_fractions(whole, endmembers)
    fractions = {
        name: (float(share), float(sigma))
        for name, share, sigma in zip(names, shares, sigmas, strict=True)
    }
    doubts = doubts_about_masks(data, masks, dict(zip(names[1:], found.maps[1:], strict=True)))
    return MapAbundance(found, names, fractions, doubts, data.reading)


def _quantify(
    report: Report,
    sample: Sample,
    precipitates: Sequence[Precipitate],
    rois: tuple[tuple[str, tuple[Roi, ...]], ...],
    thickness_nm: tuple[tuple[str, float | None], ...],
    quantification: Quantification,
    detector: DetectorSettings,
    data: Mapping[str, MapData],
    masks: Mapping[str, MapMasks],
    phases: Mapping[str, MapPhases],
) -> Compositions:
    from endmember.session.steps.compositions import quantify_all

    method = method_of(sample, quantification, detector)
    return quantify_all(
        report, sample, precipitates, dict(rois), dict(thickness_nm), method, data, masks, phases
    )


def _partition(
    report: Report,
    matrix: str,
    precipitates: Sequence[Precipitate],
    phases: Mapping[str, MapPhases],
    compositions: Mapping[str, Compositions],
) -> tuple[PartitionEntry, ...]:
    from endmember.session.steps.partitions import partition_entries

    return partition_entries(report, matrix, precipitates, phases, _one(compositions))


def _background_spread(
    report: Report,
    system_elements: tuple[str, ...],
    quantification: Quantification,
    detector: DetectorSettings,
    compositions: Mapping[str, Compositions],
) -> BackgroundSpreads:
    from endmember.session.steps.background_spreads import background_spreads

    artefacts = artefacts_of(quantification)
    return background_spreads(
        report, _one(compositions), system_elements, detector_of(detector), artefacts
    )


def _one(compositions: Mapping[str, Compositions]) -> Compositions:
    """The compositions, which are one result for all maps."""
    return next(iter(compositions.values()))


# Each step reads only what its result depends on: moving a region of interest or an exclusion must
# not read the file again, nor a density cut the masks anew.


def _read_settings(recipe: Recipe, entry: MapInput) -> Settings:
    return (changed(entry, sha256=None, rois=(), excludes=(), thickness_nm=None), recipe.instrument)


def _mask_settings(recipe: Recipe, entry: MapInput) -> Settings:
    here = tuple(
        changed(
            p,
            factor=None,
            rectangles=tuple(r for r in p.rectangles if r.map == entry.name),
            strokes=p.strokes_on(entry.name),
        )
        for p in recipe.precipitates
    )
    sample = recipe.sample
    return (here, recipe.segmentation, sample.elements, sample.system_elements, entry.excludes)


def _measured(sample: Sample) -> Sample:
    return changed(sample, formula_unit=FormulaBases(), bulk=Contents(), bulk_sigma=Contents())


def _undrawn(recipe: Recipe) -> tuple[Precipitate, ...]:
    return tuple(changed(p, rectangles=(), strokes=()) for p in recipe.precipitates)


def _subtraction_settings(recipe: Recipe, entry: MapInput) -> Settings:
    how = (recipe.quantification, recipe.detector)
    return (_undrawn(recipe), _measured(recipe.sample), entry.thickness_nm, *how)


def _quantification_settings(recipe: Recipe, maps: tuple[MapInput, ...]) -> Settings:
    rois = tuple((entry.name, entry.rois) for entry in maps)
    thickness_nm = tuple((entry.name, entry.thickness_nm) for entry in maps)
    how = (recipe.quantification, recipe.detector)
    return (_measured(recipe.sample), _undrawn(recipe), rois, thickness_nm, *how)


FROM_COMPOSITIONS = ("partition", "background_spread")
"""Steps that are made from the compositions, which do not wait for them."""

ACCOUNTED = (
    "read",
    "scree",
    "decomposition",
    "masks",
    "subtraction",
    "abundance",
    "quantification",
)
"""Steps that `run.json` lists, in its order: others rely on these names."""

# in the order in which they run: a person waits for the composition sooner than for the abundance
STEPS = StepTable(
    [
        MapStep("read", _read_settings, (), _read, kept=1),
        MapStep(
            "energy_check",
            lambda r, _: (r.sample.elements, r.sample.system_elements),
            ("read",),
            _check_energies,
            advice=True,
        ),
        GroupStep("scree", lambda r, _: (r.decomposition.seed,), ("read",), _scree, joint_maps),
        GroupStep(
            "decomposition",
            lambda r, _: (r.decomposition,),
            ("read",),
            _decompose,
            joint_maps,
            after=after_first_map,
        ),
        MapStep("masks", _mask_settings, ("read", "decomposition"), _masks),
        MapStep("subtraction", _subtraction_settings, ("read", "masks"), _subtract),
        GroupStep(
            "quantification",
            _quantification_settings,
            ("read", "masks", "subtraction"),
            _quantify,
            all_maps,
        ),
        MapStep(
            "abundance",
            lambda r, _: (r.sample.matrix,),
            ("read", "masks", "subtraction"),
            _abundance,
        ),
        GroupStep(
            "partition",
            lambda r, _: (r.sample.matrix, _undrawn(r)),
            ("subtraction", "quantification"),
            _partition,
            all_maps,
        ),
        GroupStep(
            "background_spread",
            lambda r, _: (r.sample.system_elements, r.quantification, r.detector),
            ("quantification",),
            _background_spread,
            all_maps,
        ),
    ]
)
