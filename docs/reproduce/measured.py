"""Each measured composition of a finished session beside the truth, in the paper's order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from true_contents import composition_of_areas, expected_areas, separated_areas

from endmember.core.counts.spectrum_image import BoolArray
from endmember.core.simulation.simulated_map import Truth
from endmember.session.state.session import Session
from endmember.session.steps.compositions import SUM, Compositions, Entry
from endmember.session.steps.map_data import roi_mask


@dataclass(frozen=True, slots=True)
class Measured:
    """An element of a phase in one spectrum; at.%, errors statistical (1 sigma).

    `column` is the paper's name of the spectrum: ROI_1, ROI_Sum, Mask_1, Mask_Sum. `in_mask`: what
    a measurement without noise would give on these very pixels, other phases in them included.
    `pull` is (atomic_percent - truth) / sigma, `pull_in_mask` the same against `in_mask`; both None
    where there is no error (the absent element). `unit` is the error of `snr`.
    """

    phase: str
    column: str
    map: str
    source: str
    pixels: int
    element: str
    atomic_percent: float | None
    sigma: float | None
    systematic: float | None
    truth: float
    in_mask: float
    pull: float | None
    pull_in_mask: float | None
    snr: float | None
    unit: float | None
    lod_ppm: float | None
    lod_paper_ppm: float | None
    detected: str | None


def columns_of(maps: int) -> list[str]:
    """The paper's order of spectra."""
    return [f"{kind}_{which}" for kind in ("ROI", "Mask") for which in (*range(1, maps + 1), "Sum")]


def measured(session: Session, truths: Sequence[Truth]) -> list[Measured]:
    """Every phase by hand and by mask, on each map and in their sum, each element a row."""
    found: Compositions = session.result("quantification")
    matrix = session.recipe.sample.matrix
    sums = [e for e in found.entries if e.map == SUM and e.source != "mask"]
    rows: list[Measured] = []
    for entry in (e for e in found.entries if e.source == "mask"):
        rows += _rows(session, truths, entry, "Mask")
    for entry in (*found.united, *sums):  # all regions of a phase on a map together
        if entry.source == ("roi" if entry.phase == matrix else "conventional"):
            rows += _rows(session, truths, entry, "ROI")
    order = columns_of(len(truths))
    phases = truths[0].phases
    return sorted(rows, key=lambda row: (phases.index(row.phase), order.index(row.column)))


def _rows(session: Session, truths: Sequence[Truth], entry: Entry, kind: str) -> Iterable[Measured]:
    names = session.recipe.map_names
    which = "Sum" if entry.map == SUM else str(names.index(entry.map) + 1)
    truth = truths[0]
    percents = truth.atomic_percent[truth.phases.index(entry.phase)]
    content = _content(session, truths, entry, kind)
    for row in entry.composition.rows:
        true = float(percents[truth.elements.index(row.element)])
        value, sigma = row.atomic_percent, row.atomic_percent_sigma
        has_pull = value is not None and bool(sigma) and row.detected != "assumed_absent"
        unit = row.net_sigma * row.snr / row.net_counts if row.snr and row.net_counts else None
        yield Measured(
            entry.phase,
            f"{kind}_{which}",
            entry.map,
            entry.source,
            entry.pixels,
            row.element,
            value,
            sigma,
            row.atomic_percent_systematic,
            true,
            content[row.element],
            (value - true) / sigma if has_pull else None,
            (value - content[row.element]) / sigma if has_pull else None,
            row.snr,
            unit,
            row.lod_ppm,
            row.lod_paper_ppm,
            row.detected,
        )


def _content(
    session: Session, truths: Sequence[Truth], entry: Entry, kind: str
) -> dict[str, float]:
    """The composition of a phase as its pixels truly give it, without noise."""
    names = session.recipe.map_names
    total = np.zeros(len(truths[0].elements))
    for name, truth in zip(names, truths, strict=True):
        if entry.map not in (SUM, name):
            continue
        by_phase = _pixels(session, name, kind)
        matrix = by_phase[truth.phases[0]]
        if entry.phase == truth.phases[0]:
            total += expected_areas(truth, matrix)
        else:
            absent = session.recipe.precipitate_named(entry.phase).absent
            total += separated_areas(truth, by_phase[entry.phase], matrix, absent)
    return composition_of_areas(truths[0], entry.phase, total)


def _pixels(session: Session, name: str, kind: str) -> dict[str, BoolArray]:
    """The pixels (rows, columns) of each phase on a map, by mask or by hand."""
    part = session.result("masks", name).partition
    if kind == "Mask":
        return {session.recipe.sample.matrix: part.matrix, **part.mixtures}
    data = session.result("read", name)
    by_phase: dict[str, BoolArray] = {}
    for roi in session.recipe.map_named(name).rois:
        mask, _ = roi_mask(data, roi, part.excluded)
        by_phase[roi.phase] = mask | by_phase.get(roi.phase, np.zeros_like(mask))
    return by_phase


@dataclass(frozen=True, slots=True)
class Share:
    """How many values of one kind lie within 1 and 2 of their sigma of the truth, as shares.

    `kind`: ROI and Mask of single maps, ROI_Sum and Mask_Sum. `against`: "truth" or "in_mask".
    """

    phase: str
    kind: str
    against: str
    values: int
    within_1: float
    within_2: float
    root_mean_square: float


def shares(rows: Sequence[Measured]) -> list[Share]:
    """The shares of each phase and of all together."""
    return [
        _share(phase, kind, against, rows)
        for phase in (*dict.fromkeys(row.phase for row in rows), "all")
        for kind in ("ROI", "ROI_Sum", "Mask", "Mask_Sum")
        for against in ("truth", "in_mask")
    ]


def _kind(row: Measured) -> str:
    return row.column if row.map == SUM else row.column.split("_")[0]


def _share(phase: str, kind: str, against: str, rows: Sequence[Measured]) -> Share:
    of_kind = [r for r in rows if phase in ("all", r.phase) and _kind(r) == kind]
    both = [r.pull if against == "truth" else r.pull_in_mask for r in of_kind]
    pulls = np.array([pull for pull in both if pull is not None], np.float64)
    inside = [float(np.mean(np.abs(pulls) <= sigmas)) for sigmas in (1, 2)]
    return Share(phase, kind, against, len(pulls), *inside, float(np.sqrt(np.mean(pulls**2))))
