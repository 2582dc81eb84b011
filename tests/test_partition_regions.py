"""Partition coefficients of regions of interest, from a run over maps to their table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from endmember.cli import run_command
from endmember.core.partition import partition_coefficients
from endmember.demo import demo_recipe
from endmember.files.partition_table import write_partition_csv
from endmember.session.batch import run_recipe
from endmember.session.compositions import Compositions, Entry
from endmember.session.recipe import PrecipitateRectangle, Recipe, Roi, changed
from endmember.session.recipe_file import dump_recipe
from endmember.session.session import Session

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


def test_the_errors_of_a_region_carry_the_matrix_that_was_subtracted(
    rows: list[dict[str, str]], session: Session, recipe: Recipe
) -> None:
    """Against -a Q Cov_b written out with whole matrices, a from the region as measured."""
    absent = {p.name: p.absent for p in recipe.precipitates}
    stated = {(r["map"], r["region"], r["element"]): r["d_atomic_sigma"] for r in rows}
    larger = []
    for where in ("a", "b"):
        measured = entries(session, "roi", where)
        for name, e in entries(session, "conventional", where).items():
            assert e.matrix is not None
            matrix = e.matrix.composition
            areas, x = matrix.fit.areas, matrix.fit.find(absent[e.phase], "K")
            q = np.eye(len(areas))
            q[:, x] -= areas / areas[x]
            a = measured[name].composition.fit.areas[x] / areas[x]
            cross = -a * q @ matrix.fit.covariance
            with_it, without = (
                {d.element: d.atomic for d in partition_coefficients(e.composition, matrix, shared)}
                for shared in (cross, None)
            )
            for element, made in with_it.items():
                if made is None or made.sigma is None:
                    continue
                assert float(stated[where, name, element]) == pytest.approx(made.sigma, rel=1e-9)
                larger.append(made.sigma / without[element].sigma)
    assert max(larger) > 1.01


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
