"""The compositions of all phases: per map, per region of interest, and of the sum of the maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from endmember.core.counts.spectrum import FloatArray, LowRankCovariance, Spectrum
from endmember.core.counts.spectrum_image import BoolArray
from endmember.core.fitting.spectrum_fit import Foil
from endmember.core.fitting.subtraction import subtract_areas
from endmember.core.progress import Report, parts_of, silent
from endmember.core.quantification.cliff_lorimer import (
    Composition,
    Method,
    composition_of,
    quantify,
)
from endmember.core.quantification.partition import conventional_covariance
from endmember.core.xrays.line_shapes import Calibration
from endmember.session.decisions.recipe import Precipitate, Roi, Sample
from endmember.session.steps.common_energies import on_one_axis
from endmember.session.steps.map_data import MapData, roi_mask
from endmember.session.steps.separation import (
    MapMasks,
    MapPhases,
    check_elements,
    foil_of,
    separate,
)

SUM = "sum"


@dataclass(frozen=True, eq=False, slots=True)
class SubtractedMatrix:
    """The matrix that the conventional subtraction took out of a region of interest.

    `composition` is that of the matrix's regions on the map, or of its mask where none is drawn.
    `shared` (columns, columns) is Cov(N_p, N_b) in counts squared, how the areas left move with
    those of the matrix.
    """

    composition: Composition
    shared: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """One quantified spectrum: what it shows, where it comes from, and over how many pixels.

    `source` is mask, mixture, roi, conventional or spectrum; `map` a map's name or "sum"; `label`
    names a region of interest. `matrix` is what was subtracted, of conventional entries only.
    """

    phase: str
    source: str
    map: str
    pixels: int
    composition: Composition
    label: str = ""
    matrix: SubtractedMatrix | None = None

    @property
    def place(self) -> str:
        """Which spectrum it is, at the front or the end of a sentence: "Fp mask map1"."""
        return f"{self.label or self.phase} {self.source} {self.map}"


@dataclass(frozen=True, eq=False, slots=True)
class Compositions:
    """All entries, in the order of the recipe: maps, then their sum.

    `failures` says of each precipitate that could not be quantified why. `united` holds, of
    several maps, the regions of each phase on a map together, as they were summed over the maps;
    `summed_phases` the phases of each map on the common energy axis, where the maps have not one.
    """

    entries: tuple[Entry, ...]
    warnings: tuple[str, ...]
    failures: dict[str, str] = field(default_factory=dict)
    united: tuple[Entry, ...] = ()
    summed_phases: dict[str, MapPhases] = field(default_factory=dict)


def quantify_all(
    report: Report,
    sample: Sample,
    precipitates: Sequence[Precipitate],
    rois: Mapping[str, tuple[Roi, ...]],
    thickness_nm: Mapping[str, float | None],
    method: Method,
    data: Mapping[str, MapData],
    masks: Mapping[str, MapMasks],
    phases: Mapping[str, MapPhases],
) -> Compositions:
    """Quantify every phase of every map, the regions of interest, and the sums over the maps.

    Raises
    ------
    ValueError
        if no elements are given, or a region cannot be used.
    """
    check_elements(sample.elements)
    chain = _Chain(sample, precipitates, thickness_nm, method)
    chain.sums_wanted = len(data) > 1
    entries: list[Entry] = []
    within = parts_of(report, 2 * len(data) + 1)
    for number, name in enumerate(data):
        chain.report = within[2 * number]
        entries += chain.of_map(data[name], masks[name], phases[name])
        chain.report = within[2 * number + 1]
        entries += chain.of_regions(data[name], masks[name], phases[name], rois.get(name, ()))
    chain.report = within[-1]
    if len(data) > 1:
        entries += chain.of_sum(*_together(chain, precipitates, rois, data, masks, entries))
    report(1.0)
    told = _grouped(entries)
    united = tuple(chain.united) if len(data) > 1 else ()
    warnings = (*told, *chain.warnings)
    return Compositions(tuple(entries), warnings, chain.failures, united, chain.summed_phases)


def _together(
    chain: _Chain,
    precipitates: Sequence[Precipitate],
    rois: Mapping[str, tuple[Roi, ...]],
    data: Mapping[str, MapData],
    masks: Mapping[str, MapMasks],
    entries: list[Entry],
) -> tuple[Mapping[str, MapData], list[Entry], list[Entry]]:
    """Maps, entries and united regions to be summed, all on one energy axis.

    Maps on different axes are brought to a common one, count by count, and separated anew there: a
    subtracted spectrum could not be moved without correlating its channels.
    """
    united = chain.united
    if len({d.image.axis for d in data.values()}) == 1:
        return data, entries, united
    try:
        moved, told = on_one_axis(data)
    except ValueError as error:
        chain.warnings.append(f"the spectra of the maps were not summed: {error}")
        return data, [], []
    chain.warnings += told
    again = _Chain(chain.sample, precipitates, chain.thickness_nm, chain.method)
    again.report, again.sums_wanted = chain.report, True
    found: list[Entry] = []
    for name, of_map in moved.items():
        thickness = chain.thickness_nm[name]
        phases = separate(
            silent, precipitates, chain.sample, thickness, chain.method, of_map, masks[name]
        )
        chain.summed_phases[name] = phases
        found += again.of_map(of_map, masks[name], phases)
        again.of_regions(of_map, masks[name], phases, rois.get(name, ()))
    return moved, found, again.united


def _grouped(entries: Sequence[Entry]) -> list[str]:
    """The warnings of all compositions, each sentence once with the spectra it holds for."""
    places: dict[str, list[str]] = {}
    for e in entries:
        for sentence in e.composition.warnings:
            places.setdefault(sentence, []).append(e.place)
    return [f"{sentence} ({', '.join(where)})" for sentence, where in places.items()]


class _Chain:
    def __init__(
        self,
        sample: Sample,
        precipitates: Sequence[Precipitate],
        thickness_nm: Mapping[str, float | None],
        method: Method,
    ) -> None:
        self.sample, self.method = sample, method
        self.absent = {p.name: p.absent for p in precipitates}
        self.by_hand = {p.name for p in precipitates if p.factor is not None}
        self.thickness_nm = thickness_nm
        self.warnings: list[str] = []
        self.failures: dict[str, str] = {}
        self.report: Report = silent  # called before each fit
        self.united: list[Entry] = []  # the regions of each phase on each map, together
        self.sums_wanted = False  # over several maps
        self.summed_phases: dict[str, MapPhases] = {}  # on a common energy axis

    def assumed_absent(self, precipitate: str) -> str | None:
        """The absent element, unless a factor set by hand may leave some of it."""
        return None if precipitate in self.by_hand else self.absent[precipitate]

    def foil(self, data: MapData, phase: str) -> Foil | None:
        thickness = self.thickness_nm[data.entry.name]
        return foil_of(data, self.sample.density_g_cm3, thickness, phase)

    def of_map(self, data: MapData, masks: MapMasks, phases: MapPhases) -> list[Entry]:
        part, name = masks.partition, data.entry.name
        matrix = self.sample.matrix
        entries = [Entry(matrix, "mask", name, int(part.matrix.sum()), phases.matrix)]
        for precipitate, subtraction in phases.subtractions.items():
            pixels = int(part.mixtures[precipitate].sum())
            mixture = phases.mixtures[precipitate]
            self.report(0.0)
            try:
                composition = quantify(
                    subtraction.spectrum,
                    self.method,
                    self.foil(data, precipitate),
                    self.assumed_absent(precipitate),
                    mixture.fit.calibration,
                )
            except np.linalg.LinAlgError:  # a ValueError, but a fault of the program
                raise
            except ValueError as error:
                self.failures.setdefault(precipitate, f'{precipitate} on map "{name}": {error}')
                continue
            entries.append(Entry(precipitate, "mask", name, pixels, composition))
            mixed = f"{precipitate}+{matrix}"
            entries.append(Entry(mixed, "mixture", name, pixels, mixture))
        return entries

    def of_regions(
        self, data: MapData, masks: MapMasks, phases: MapPhases, rois: Sequence[Roi]
    ) -> list[Entry]:
        """Regions as measured; those of precipitates also after the conventional subtraction.

        A precipitate's region may hold pixels of the matrix that is subtracted from it: their
        counts are in both spectra, and the errors carry that.
        """
        measured = []
        by_phase: dict[str, list[tuple[BoolArray, Entry]]] = {}
        for roi in rois:
            mask, warnings = roi_mask(data, roi, masks.partition.excluded)
            self.warnings.extend(warnings)
            measured.append((mask, self._region(data, roi.phase, mask, roi.name)))
            by_phase.setdefault(roi.phase, []).append(measured[-1])
        united = {phase: self._united(data, of) for phase, of in by_phase.items()}
        self.united.extend(entry for _, entry in united.values())
        matrix_mask, matrix = masks.partition.matrix, phases.matrix
        if self.sample.matrix in united:
            matrix_mask, of_matrix = united[self.sample.matrix]
            matrix = of_matrix.composition
        left = {
            entry.place: self._conventional(data, entry, matrix, mask & matrix_mask)
            for mask, entry in measured
            if entry.phase != self.sample.matrix
        }
        conventional = [entry for entry in left.values() if entry is not None]
        for mask, entry in united.values() if self.sums_wanted else ():
            if entry.phase == self.sample.matrix:
                continue
            if entry.place not in left:
                left[entry.place] = self._conventional(data, entry, matrix, mask & matrix_mask)
            if (of_all := left[entry.place]) is not None:
                self.united.append(of_all)
        return [entry for _, entry in measured] + conventional

    def _region(self, data: MapData, phase: str, mask: BoolArray, label: str) -> Entry:
        spectrum = data.image.spectrum(mask, self.report)
        composition = quantify(spectrum, self.method, self.foil(data, phase))
        return Entry(phase, "roi", data.entry.name, int(mask.sum()), composition, label)

    def _united(
        self, data: MapData, regions: Sequence[tuple[BoolArray, Entry]]
    ) -> tuple[BoolArray, Entry]:
        """All regions of one phase on one map together: pixels they share count once."""
        first = regions[0][1]
        if len(regions) == 1:
            return regions[0]
        names = ", ".join(entry.label for _, entry in regions)
        self.warnings.append(
            f'map "{data.entry.name}" has several regions of {first.phase}: their rows stand in '
            f"the order {names}"
        )
        union = np.logical_or.reduce([mask for mask, _ in regions])
        return union, self._region(data, first.phase, union, names)

    def _conventional(
        self, data: MapData, measured: Entry, matrix: Composition, in_both: BoolArray
    ) -> Entry | None:
        """What is left of a region; `in_both`: its pixels that the matrix spectrum holds too."""
        fit = measured.composition.fit
        absent, foil = self.absent[measured.phase], self.foil(data, measured.phase)
        common = data.image.spectrum(in_both, self.report).counts if in_both.any() else None
        try:
            if not absent:
                raise ValueError(f"choose the absent element of {measured.phase}")
            family = fit.family_of(absent) or ""
            left = subtract_areas(fit, matrix.fit, absent, family, common)
            composition = composition_of(left, self.method, foil, absent)
            shared = conventional_covariance(fit, matrix.fit, absent, family, common)
        except ValueError as error:
            self.warnings.append(
                f'the conventional subtraction of the region "{measured.label}" failed: {error}'
            )
            return None
        return Entry(
            measured.phase,
            "conventional",
            measured.map,
            measured.pixels,
            composition,
            measured.label,
            SubtractedMatrix(matrix, shared),
        )

    def of_sum(
        self, data: Mapping[str, MapData], entries: Sequence[Entry], united: Sequence[Entry]
    ) -> list[Entry]:
        """Spectra and covariances added over the maps; each precipitate was subtracted per map."""
        if len({d.image.beam_energy_keV for d in data.values()}) > 1:
            self.warnings.append("the maps differ in beam energy, so their spectra were not summed")
            return []
        groups: dict[tuple[str, str], list[Entry]] = {}
        for entry in entries:
            if entry.source in ("mask", "mixture"):
                groups.setdefault((entry.phase, entry.source), []).append(entry)
        regions = sorted(united, key=lambda entry: entry.source == "conventional")
        for entry in regions:  # as measured first, as on each map
            groups.setdefault((entry.phase, entry.source), []).append(entry)
        for (phase, source), of in groups.items():
            self._tell_missing(data, united, phase, source, of)
        return [self._sum(data, phase, source, of) for (phase, source), of in groups.items()]

    def _tell_missing(
        self,
        data: Mapping[str, MapData],
        united: Sequence[Entry],
        phase: str,
        source: str,
        of: Sequence[Entry],
    ) -> None:
        """A sum of regions that lacks a map on which the phase has one."""
        drawn = {e.map for e in united if (e.phase, e.source) == (phase, "roi")}
        missing = [name for name in data if name in drawn and name not in {e.map for e in of}]
        if source == "conventional" and missing:
            names = ", ".join(f'"{name}"' for name in missing)
            self.warnings.append(
                f"the sum of the regions of {phase} after the conventional subtraction lacks the "
                f"map {names}, where the subtraction failed"
            )

    def _sum(
        self, data: Mapping[str, MapData], phase: str, source: str, entries: Sequence[Entry]
    ) -> Entry:
        self.report(0.0)
        spectra = [entry.composition.fit.spectrum for entry in entries]
        subtracted = source in ("mask", "conventional") and phase != self.sample.matrix
        by_areas = source == "conventional"  # it always scales on the absent element
        of_foil = self.sample.matrix if source == "mixture" else phase
        composition = quantify(
            add_spectra(spectra),
            self.method,
            self._mean_foil([data[e.map] for e in entries], spectra, of_foil),
            (self.absent[phase] if by_areas else self.assumed_absent(phase))
            if subtracted
            else None,
            _mean_calibration(entries) if subtracted else None,
        )
        return Entry(phase, source, SUM, sum(e.pixels for e in entries), composition)

    def _mean_foil(
        self, data: Sequence[MapData], spectra: Sequence[Spectrum], phase: str
    ) -> Foil | None:
        """The foils of the maps with their thickness averaged over the counts."""
        foils = [self.foil(d, phase) for d in data]
        known = [foil for foil in foils if foil is not None]
        if len(known) < len(foils):
            return None
        weights = [float(s.counts.sum()) for s in spectra]
        return Foil(
            float(np.average([f.thickness_nm for f in known], weights=weights)),
            known[0].density_g_cm3,
            float(np.average([f.take_off_angle_deg for f in known], weights=weights)),
        )


def _mean_calibration(entries: Sequence[Entry]) -> Calibration:
    """The calibrations of several fits averaged over their counts, for the sum of their spectra."""
    found = [entry.composition.fit.calibration for entry in entries]
    weights = [float(entry.composition.fit.fitted.sum()) for entry in entries]
    return Calibration(
        float(np.average([c.offset_keV for c in found], weights=weights)),
        float(np.average([c.gain for c in found], weights=weights)),
        float(np.average([c.fwhm_mn_eV for c in found], weights=weights)),
    )


def add_spectra(spectra: Sequence[Spectrum]) -> Spectrum:
    """The sum of independent spectra on one axis; covariances are added where they are carried."""
    first = spectra[0]
    covariances = [s.covariance for s in spectra if s.covariance is not None]
    return Spectrum(
        np.sum([s.counts for s in spectra], axis=0),
        first.axis,
        first.beam_energy_keV,
        first.take_off_angle_deg,
        covariance=reduce(LowRankCovariance.__add__, covariances) if covariances else None,
    )
