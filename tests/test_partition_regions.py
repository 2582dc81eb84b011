"""Partition coefficients of regions of interest, from a run over maps to their table."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from endmember.cli import run_command
from endmember.core.counts.spectrum import FloatArray
from endmember.core.fitting.subtraction import subtract_areas
from endmember.core.progress import silent
from endmember.core.quantification.cliff_lorimer import Composition
from endmember.core.quantification.partition import conventional_covariance, partition_coefficients
from endmember.demo import demo_recipe
from endmember.files.tables.partition_table import write_partition_csv
from endmember.session.decisions.recipe import PrecipitateRectangle, Recipe, Roi, changed
from endmember.session.decisions.recipe_file import dump_recipe
from endmember.session.results.results_folder import run_recipe
from endmember.session.state.session import Session
from endmember.session.steps.chain import method_of
from endmember.session.steps.compositions import Compositions, Entry, quantify_all
from endmember.session.steps.map_data import roi_mask

SIZE = 64
MATRIX_FRAMES = ((0, 0, 10, 8), (5, 0, 10, 8))  # x, y, width, height; half of each in both
UNION = (slice(0, 8), slice(0, 15))
# a: the matrix by mask; b: by two regions; c: by one pixel, too faint to scale a subtraction
MAPS = ("a", "b", "c")


def with_regions(folder: Path) -> Recipe:
    """The demo recipe on a small map three times, each with its own regions."""
    recipe = demo_recipe(SIZE)
    assert run_command(["simulate", str(folder / "demo.hspy"), "--size", str(SIZE)]) == 0
    fp, capv = (p.rectangles[1].box for p in recipe.precipitates)
    of_precipitates = (
        Roi(name="upper", phase="CaPv", rectangle=tuple(capv)),
        Roi(name="lower", phase="Fp", rectangle=tuple(fp)),
    )
    of_matrix = {
        "a": (),
        "b": tuple(
            Roi(name=f"matrix {i}", phase="Brg", rectangle=frame)
            for i, frame in enumerate(MATRIX_FRAMES)
        ),
        "c": (Roi(name="matrix", phase="Brg", rectangle=(0, 0, 1, 1)),),
    }
    maps = tuple(
        changed(recipe.maps[0], file="demo.hspy", name=m, rois=of_matrix[m] + of_precipitates)
        for m in MAPS
    )
    precipitates = tuple(
        changed(
            p,
            rectangles=tuple(
                PrecipitateRectangle(map=m, box=r.box) for m in MAPS for r in p.rectangles
            ),
        )
        for p in recipe.precipitates
    )
    return changed(recipe, maps=maps, precipitates=precipitates)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("regions")


@pytest.fixture(scope="module")
def recipe(folder: Path) -> Recipe:
    return with_regions(folder)


@pytest.fixture(scope="module")
def session(folder: Path, recipe: Recipe) -> Session:
    path = folder / "regions.toml"
    path.write_text(dump_recipe(recipe, folder, folder), encoding="utf-8")
    return run_recipe(path)[0]


@pytest.fixture(scope="module")
def rows(folder: Path, session: Session) -> list[dict[str, str]]:
    path = folder / "partition.csv"
    write_partition_csv(path, session.result("partition"))
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def entries(session: Session, source: str, where: str) -> dict[str, Entry]:
    """The entries of one source on one map by the name of the region, or of the phase."""
    found: Compositions = session.result("quantification")
    return {e.label or e.phase: e for e in found.entries if (e.source, e.map) == (source, where)}


def test_regions_follow_the_masks_of_their_map_and_the_sum_comes_last(
    rows: list[dict[str, str]], recipe: Recipe
) -> None:
    blocks = [
        (r["map"], r["source"], r["region"], r["precipitate"])
        for r in rows
        if r["element"] == recipe.sample.elements[0]
    ]
    regions = [("conventional", "upper", "CaPv"), ("conventional", "lower", "Fp")]
    masks = [("mask", "", "Fp"), ("mask", "", "CaPv")]
    wanted = [(m, *block) for m in ("a", "b") for block in masks + regions]
    wanted += [(m, *block) for m in ("c", "sum") for block in masks]
    assert blocks == wanted
    assert len(rows) == len(wanted) * len(recipe.sample.elements)


def test_a_region_whose_subtraction_failed_has_no_rows_and_is_told(
    rows: list[dict[str, str]], session: Session
) -> None:
    assert not [r for r in rows if (r["map"], r["source"]) == ("c", "conventional")]
    told = session.result("quantification").warnings
    for name in ("upper", "lower"):
        assert any(f'the region "{name}" failed' in sentence for sentence in told)


def test_a_region_is_divided_by_the_matrix_that_was_subtracted_from_it(
    rows: list[dict[str, str]], session: Session
) -> None:
    """Map a: the mask of the matrix. Map b: the union of two regions, their overlap once."""
    by_mask = entries(session, "mask", "a")["Brg"].composition
    subtracted = entries(session, "conventional", "b")["lower"].matrix
    assert subtracted is not None
    union = subtracted.composition
    cut = session.result("read", "b").image
    pixels = np.zeros((cut.rows, cut.columns), dtype=bool)
    pixels[UNION] = True
    np.testing.assert_array_equal(union.fit.spectrum.counts, cut.spectrum(pixels).counts)
    divided = 0
    for row in rows:
        if row["source"] != "conventional" or row["d_atomic_sigma"] == "":
            continue
        matrix = by_mask if row["map"] == "a" else union
        left = entries(session, "conventional", row["map"])[row["region"]].composition
        for basis in ("atomic", "weight"):
            c_p, c_b = (getattr(c[row["element"]], f"{basis}_percent") for c in (left, matrix))
            assert float(row[f"d_{basis}"]) == pytest.approx(c_p / c_b, rel=1e-9)
        divided += 1
    assert divided > 12


def test_the_absent_element_of_a_region_is_zero_by_construction(
    rows: list[dict[str, str]], recipe: Recipe
) -> None:
    absent = {p.name: p.absent for p in recipe.precipitates}
    for row in rows:
        if row["source"] == "conventional":
            zero = row["element"] == absent[row["precipitate"]]
            assert (row["state"] == "assumed_absent") == zero
            assert (row["d_atomic"] == "0") == zero


@dataclass(frozen=True)
class Left:
    """A conventional entry beside the region as measured, written out with whole matrices."""

    entry: Entry
    measured: Composition
    matrix: Composition
    absent: str

    @property
    def a(self) -> float:
        x = self.matrix.fit.find(self.absent, "K")
        return float(self.measured.fit.areas[x] / self.matrix.fit.areas[x])

    @property
    def q(self) -> FloatArray:
        areas, x = self.matrix.fit.areas, self.matrix.fit.find(self.absent, "K")
        q = np.eye(len(areas))
        q[:, x] -= areas / areas[x]
        return q

    def common(self, counts: FloatArray) -> FloatArray:
        """C = H_m diag(s) H_b^T with the counts as they are."""
        return (self.measured.fit.estimator * counts) @ self.matrix.fit.estimator.T

    def of_areas(self, common: FloatArray | float) -> FloatArray:
        whole = self.measured.fit.covariance + self.a**2 * self.matrix.fit.covariance
        return self.q @ (whole - self.a * (common + np.transpose(common))) @ self.q.T

    def with_matrix(self, common: FloatArray | float) -> FloatArray:
        return self.q @ (common - self.a * self.matrix.fit.covariance)

    def sigmas(self, shared: FloatArray | None) -> dict[str, float]:
        found = partition_coefficients(self.entry.composition, self.matrix, shared)
        return {d.element: d.atomic.sigma for d in found if d.atomic and d.atomic.sigma}


def lefts(found: Compositions, recipe: Recipe, where: str) -> dict[str, Left]:
    """By the name of the region."""
    of_map = [e for e in found.entries if e.map == where]
    measured = {e.label: e.composition for e in of_map if e.source == "roi"}
    absent = {p.name: p.absent for p in recipe.precipitates}
    return {
        e.label: Left(e, measured[e.label], e.matrix.composition, absent[e.phase])
        for e in of_map
        if e.matrix is not None
    }


def test_the_errors_of_a_region_carry_the_matrix_that_was_subtracted(
    rows: list[dict[str, str]], session: Session, recipe: Recipe
) -> None:
    """Against Q C - a Q Cov_b written out, with the counts of the pixels that are in both."""
    stated = {(r["map"], r["region"], r["element"]): r["d_atomic_sigma"] for r in rows}
    larger, shared = [], 0
    for where in ("a", "b"):
        data, masks = session.result("read", where), session.result("masks", where)
        of_matrix = masks.partition.matrix.copy()
        if where == "b":
            of_matrix[:] = False
            of_matrix[UNION] = True
        for name, left in lefts(session.result("quantification"), recipe, where).items():
            roi = next(r for m in recipe.maps if m.name == where for r in m.rois if r.name == name)
            in_both = roi_mask(data, roi, masks.partition.excluded)[0] & of_matrix
            shared = max(shared, int(in_both.sum()))
            cross = left.with_matrix(left.common(data.image.spectrum(in_both).counts))
            with_it, without = left.sigmas(cross), left.sigmas(None)
            # counts as they are in the place of the expected ones differ by their noise
            close = 5e-3 if in_both.any() else 1e-9
            for element, sigma in with_it.items():
                assert float(stated[where, name, element]) == pytest.approx(sigma, rel=close)
                larger.append(sigma / without[element])
    assert max(larger) > 1.01
    assert shared > 10


def test_regions_beside_the_matrix_have_the_errors_of_independent_spectra(
    session: Session, recipe: Recipe
) -> None:
    """Map b, where the matrix is drawn in a corner: exactly as with no word of common pixels."""
    found = lefts(session.result("quantification"), recipe, "b")
    assert set(found) == {"upper", "lower"}
    for left in found.values():
        fits = left.measured.fit, left.matrix.fit
        alone = subtract_areas(*fits, left.absent, "K")
        fit = left.entry.composition.fit
        for name in ("areas", "covariance", "variance", "fitted"):
            np.testing.assert_array_equal(getattr(fit, name), getattr(alone, name))
        kept = [of.spectrum.covariance for of in (fit, alone)]
        for name in ("diagonal", "factors", "core"):
            np.testing.assert_array_equal(*(getattr(covariance, name) for covariance in kept))
        assert left.entry.matrix is not None
        np.testing.assert_array_equal(
            left.entry.matrix.shared, conventional_covariance(*fits, left.absent, "K")
        )
        np.testing.assert_allclose(fit.covariance, left.of_areas(0.0), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("drawn", [1, 2], ids=["one region", "two regions"])
def test_the_errors_of_a_region_across_the_drawn_matrix_carry_the_common_pixels(
    session: Session, recipe: Recipe, drawn: int
) -> None:
    """The matrix in one frame or in two that overlap, of which the region holds a part."""
    frames = [(4, 0, 8, 8), (8, 0, 8, 8)][:drawn]
    rois = [
        *(Roi(name=f"m{i}", phase="Brg", rectangle=frame) for i, frame in enumerate(frames)),
        Roi(name="across", phase="Fp", rectangle=(8, 0, 25, 20)),
    ]
    (name, *_) = MAPS
    data = session.result("read", name)
    found = quantify_all(
        silent,
        recipe.sample,
        recipe.precipitates,
        {name: tuple(rois)},
        {name: None},
        method_of(recipe.sample, recipe.quantification, recipe.detector),
        *({name: session.result(step, name)} for step in ("read", "masks", "subtraction")),
    )
    left = lefts(found, recipe, name)["across"]
    in_both = np.zeros((SIZE, SIZE), dtype=bool)
    in_both[:8, 8 : 12 if drawn == 1 else 16] = True
    common = left.common(data.image.spectrum(in_both).counts)
    aware, unaware = left.of_areas(common), left.of_areas(0.0)
    fit = left.entry.composition.fit
    kept = [i for i, column in enumerate(fit.columns) if column.element != left.absent]
    sigma, of_matrix = (np.sqrt(np.diag(v)) for v in (unaware, left.matrix.fit.covariance))
    # as correlations; the stated ones have the expected counts, smoother than those that came
    off = ((fit.covariance - aware)[kept] / sigma[kept, None])[:, kept] / sigma[kept]
    assert np.abs(off).max() < 0.05
    assert left.entry.matrix is not None
    off = (left.entry.matrix.shared - left.with_matrix(common))[kept] / sigma[kept, None]
    assert np.abs(off / of_matrix).max() < 0.05
    assert (np.sqrt(np.diag(fit.covariance)[kept]) / sigma[kept]).max() < 0.97


def test_a_coefficient_by_region_agrees_with_that_by_mask(rows: list[dict[str, str]]) -> None:
    """Different pixels and two ways to subtract, of one specimen: within their errors."""
    by_mask = {(r["map"], r["precipitate"], r["element"]): r for r in rows if r["source"] == "mask"}
    compared = 0
    for row in rows:
        other = by_mask[row["map"], row["precipitate"], row["element"]]
        if row["source"] == "mask" or {row["state"], other["state"]} != {"measured"}:
            continue
        d, sigma = (
            np.array([float(r[key]) for r in (row, other)])
            for key in ("d_atomic", "d_atomic_sigma")
        )
        assert abs(d[0] - d[1]) < 4 * np.hypot(*sigma), row
        compared += 1
    assert compared > 8
