"""Regions of interest summed over maps, after a conventional subtraction on each of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from endmember.core.counts.spectrum import FloatArray
from endmember.core.progress import silent
from endmember.core.simulation.simulated_map import expected_truth
from endmember.files.tables.composition_table import write_composition_csv
from endmember.session.decisions.recipe import Roi, changed
from endmember.session.results.result_tables import composition_table
from endmember.session.state.session import Session
from endmember.session.steps.chain import method_of
from endmember.session.steps.compositions import Compositions, Entry, quantify_all
from several_maps import COUNTS_PER_PIXEL, SIZE, two_finished_maps

PRECIPITATES = ("Fp", "CaPv")
ABSENT = {"Fp": "Si", "CaPv": "Mg"}


@pytest.fixture(scope="module")
def session() -> Session:
    return two_finished_maps()[1]


def entries(session: Session, source: str, where: str) -> dict[str, list[Entry]]:
    found: Compositions = session.result("quantification")
    by_phase: dict[str, list[Entry]] = {}
    for e in found.entries:
        if (e.source, e.map) == (source, where):
            by_phase.setdefault(e.phase, []).append(e)
    return by_phase


def test_each_phase_has_one_row_of_regions_for_the_sum(session: Session, tmp_path: Path) -> None:
    assert list(entries(session, "roi", "sum")) == ["Brg", *PRECIPITATES]
    found = entries(session, "conventional", "sum")
    assert list(found) == list(PRECIPITATES)
    assert all(len(of) == 1 for of in found.values())
    path = tmp_path / "composition.csv"
    write_composition_csv(path, composition_table(session))
    rows = [line.split(",") for line in path.read_text("utf-8").splitlines()]
    elements = len(session.recipe.sample.elements)
    for phase in PRECIPITATES:
        assert sum(r[:3] == [phase, "conventional", "sum"] for r in rows) == elements


def test_the_sum_holds_the_pixels_of_the_united_regions_of_both_maps(session: Session) -> None:
    for phase in PRECIPITATES:
        (found,) = entries(session, "conventional", "sum")[phase]
        (measured,) = entries(session, "roi", "sum")[phase]
        assert found.pixels == measured.pixels
        alone = [e.pixels for m in "ab" for e in entries(session, "roi", m)[phase]]
        assert found.pixels <= sum(alone)


def test_the_sum_is_that_of_the_areas_left_on_each_map(session: Session) -> None:
    """Spectra were added and fitted; areas that each map left by itself add up to the same."""
    found: Compositions = session.result("quantification")
    for phase in PRECIPITATES:
        maps = [e for e in found.united if (e.phase, e.source) == (phase, "conventional")]
        assert [e.map for e in maps] == ["a", "b"]
        (of_sum,) = entries(session, "conventional", "sum")[phase]
        atoms = of_sum.composition.atoms
        alone = [e.composition.atoms for e in maps]
        added = np.sum([a.areas for a in alone], axis=0)
        sigma = np.sqrt(np.sum([np.diag(a.covariance) for a in alone], axis=0))
        assert atoms.measured == alone[0].measured
        assert ABSENT[phase] not in atoms.measured
        assert np.abs((atoms.areas - added) / sigma).max() < 0.5
        ratio = np.sqrt(np.diag(atoms.covariance)) / sigma
        assert ratio.min() > 0.9
        assert ratio.max() < 1.1


def test_the_error_of_the_sum_is_smaller_by_the_root_of_the_counts(session: Session) -> None:
    found: Compositions = session.result("quantification")
    for phase in PRECIPITATES:
        (of_sum,) = entries(session, "conventional", "sum")[phase]
        maps = [e for e in found.united if (e.phase, e.source) == (phase, "conventional")]
        for element in ("O", "Fe", "Al"):
            alone = [e.composition[element].atomic_percent_sigma for e in maps]
            precision = sum(1 / s**2 for s in alone if s)
            sigma = of_sum.composition[element].atomic_percent_sigma
            assert sigma == pytest.approx(precision**-0.5, rel=0.1)


def pulls(session: Session, source: str) -> FloatArray:
    """Of the sums, in statistical sigma: the simulation has the same k-factors.

    Without Ca of Fp: into its rectangles reaches a grain that is made of it.
    """
    truth = expected_truth(SIZE, COUNTS_PER_PIXEL)
    out = []
    for phase in PRECIPITATES:
        (found,) = entries(session, source, "sum")[phase]
        percent = truth.atomic_percent[truth.phases.index(phase)]
        for element, true in zip(truth.elements, percent, strict=True):
            if element == ABSENT[phase] or (phase, element) == ("Fp", "Ca"):
                continue
            row = found.composition[element]
            assert row.atomic_percent is not None
            assert row.atomic_percent_sigma
            out.append((row.atomic_percent - true) / row.atomic_percent_sigma)
    return np.array(out)


def test_regions_by_hand_come_to_the_truth(session: Session) -> None:
    """Within what counting allows, and something for the grains that a rectangle touches."""
    found = pulls(session, "conventional")
    assert len(found) == 15
    assert np.sqrt(np.mean(found**2)) < 1.8


def quantified(session: Session, maps: dict[str, tuple[Roi, ...]]) -> Compositions:
    """The last step alone, with other regions on the maps named."""
    recipe = session.recipe
    method = method_of(recipe.sample, recipe.quantification, recipe.detector)
    of_maps = [
        {name: session.result(step, name) for name in maps}
        for step in ("read", "masks", "subtraction")
    ]
    thickness = {name: recipe.map_named(name).thickness_nm for name in maps}
    return quantify_all(
        silent, recipe.sample, recipe.precipitates, maps, thickness, method, *of_maps
    )


def test_a_map_whose_subtraction_fails_is_missing_and_told(session: Session) -> None:
    """On map b the matrix is a pixel in the middle of a grain: hardly any Si to scale with."""
    rois = session.recipe.maps[0].rois
    faint = changed(rois[0], rectangle=(43, 54, 1, 1))
    done = quantified(session, {"a": rois, "b": (faint, *rois[1:])})
    by_place = {(e.phase, e.source, e.map): e for e in done.entries}
    of_sum = by_place["Fp", "conventional", "sum"]
    assert of_sum.pixels == by_place["Fp", "roi", "sum"].pixels / 2
    assert ("Fp", "conventional", "b") not in by_place
    told = [t for t in done.warnings if "sum of the regions of Fp" in t]
    assert len(told) == 1
    assert 'lacks the map "b"' in told[0]


def test_one_map_has_no_sum(session: Session) -> None:
    found = quantified(session, {"a": session.recipe.maps[0].rois})
    assert {e.map for e in found.entries} == {"a"}
    assert found.united == ()
