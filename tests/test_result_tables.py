"""The tables of detection and of partition coefficients, written by a run and by quantify."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from endmember.cli import run_command
from endmember.core.quantification.partition import (
    Coefficient,
    PartitionCoefficient,
    partition_coefficients,
)
from endmember.demo import demo_recipe
from endmember.files.tables.partition_table import PartitionEntry, write_partition_csv
from endmember.session.decisions.recipe import PrecipitateRectangle, Recipe, Valences, changed
from endmember.session.decisions.recipe_file import dump_recipe
from endmember.session.results.results_folder import run_recipe, write_results
from endmember.session.state.session import Session

PARTITION_COLUMNS = (
    "precipitate,matrix,map,source,region,element,d_atomic,d_atomic_sigma,d_atomic_systematic,"
    "d_atomic_upper_limit,d_weight,d_weight_sigma,d_weight_systematic,d_weight_upper_limit,state"
)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def two_maps(folder: Path) -> Recipe:
    """The demo recipe on two small maps that show the same specimen."""
    recipe = demo_recipe(64)
    (entry,) = recipe.maps
    maps = (changed(entry, file="a.hspy", name="a"), changed(entry, file="b.hspy", name="b"))
    for number, each in enumerate(maps):
        size = ["--size", "64", "--counts-per-pixel", "640", "--seed", str(number)]
        assert run_command(["simulate", str(folder / each.file), *size]) == 0
    precipitates = tuple(
        changed(
            p,
            rectangles=tuple(
                PrecipitateRectangle(map=m.name, box=r.box) for m in maps for r in p.rectangles
            ),
        )
        for p in recipe.precipitates
    )
    return changed(recipe, maps=maps, precipitates=precipitates)


def run(folder: Path, recipe: Recipe, name: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(dump_recipe(recipe, folder, folder), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(folder / name)]) == 0
    return folder / name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("two_maps")


@pytest.fixture(scope="module")
def recipe(folder: Path) -> Recipe:
    return two_maps(folder)


@pytest.fixture(scope="module")
def results(folder: Path, recipe: Recipe) -> Path:
    return run(folder, recipe, "results")


def test_a_run_writes_the_coefficients_of_each_map_and_of_their_sum(
    results: Path, recipe: Recipe
) -> None:
    path = results / "partition.csv"
    assert path.read_bytes().startswith(PARTITION_COLUMNS.encode() + b"\n")
    rows = read(path)
    places = [(r["map"], r["precipitate"], r["element"]) for r in rows]
    assert places == [
        (where, p.name, element)
        for where in ("a", "b", "sum")
        for p in recipe.precipitates
        for element in recipe.sample.elements
    ]
    assert {r["matrix"] for r in rows} == {recipe.sample.matrix}
    assert {(r["source"], r["region"]) for r in rows} == {("mask", "")}
    cells = [cell.lower() for row in rows for cell in row.values()]
    assert not {"nan", "none", "inf"} & set(cells)


def test_each_coefficient_is_the_ratio_of_two_rows_of_the_composition(results: Path) -> None:
    percent = {
        (r["phase"], r["map"], r["element"]): r
        for r in read(results / "composition.csv")
        if r["source"] == "mask"
    }
    states = set()
    for row in read(results / "partition.csv"):
        states.add(row["state"])
        of_p = percent[row["precipitate"], row["map"], row["element"]]
        of_b = percent[row["matrix"], row["map"], row["element"]]
        if row["state"] == "assumed_absent":
            assert float(row["d_atomic"]) == 0.0
            assert row["d_atomic_sigma"] == ""
        elif row["state"] == "matrix_not_detected":
            assert of_b["detected"] == "no"
            assert row["d_atomic"] == row["d_weight"] == ""
        else:
            for basis in ("atomic", "weight"):
                ratio = float(of_p[f"{basis}_percent"]) / float(of_b[f"{basis}_percent"])
                assert float(row[f"d_{basis}"]) == pytest.approx(ratio, rel=1e-7)
                assert float(row[f"d_{basis}_sigma"]) > 0
                limited = row["state"] == "below_limit"
                assert limited == (of_p["detected"] == "no")
                assert limited == (row[f"d_{basis}_upper_limit"] != "")
    assert {"measured", "below_limit", "assumed_absent"} <= states


def test_the_sum_of_two_maps_agrees_with_each_and_is_better_known(results: Path) -> None:
    rows = {(r["map"], r["precipitate"], r["element"]): r for r in read(results / "partition.csv")}
    for (where, *what), row in rows.items():
        if where != "sum" or row["state"] != "measured":
            continue
        alone = [rows[name, what[0], what[1]] for name in ("a", "b")]
        if {r["state"] for r in alone} != {"measured"}:
            continue
        d, sigma = float(row["d_atomic"]), float(row["d_atomic_sigma"])
        each = np.array([float(r["d_atomic"]) for r in alone])
        errors = np.array([float(r["d_atomic_sigma"]) for r in alone])
        assert np.all(np.abs(each - d) < 4 * errors), what
        # two maps alike: the error falls to about one over root two
        assert sigma == pytest.approx(np.sqrt(np.mean(errors**2) / 2), rel=0.25), what


def test_a_run_writes_a_row_of_detection_for_each_of_the_composition(results: Path) -> None:
    made, detected = read(results / "composition.csv"), read(results / "detection.csv")
    for one, other in zip(made, detected, strict=True):
        for name in ("phase", "source", "map", "element", "net_counts", "lod_ppm", "detected"):
            assert one[name] == other[name]
        assert (other["detected"] == "no") == (other["upper_limit_ppm"] != "")


def test_the_spread_over_backgrounds_stands_beside_each_measured_area(results: Path) -> None:
    rows = read(results / "detection.csv")
    for row in rows:
        measured = row["detected"] not in ("", "assumed_absent")
        assert (row["background_spread_counts"] != "") == measured
        if measured:
            counts, sigmas = (float(row[f"background_spread_{u}"]) for u in ("counts", "sigma"))
            assert counts == pytest.approx(sigmas * float(row["net_sigma"]), rel=1e-6)
    assert any(float(row["background_spread_counts"] or 0) > 0 for row in rows)


@pytest.fixture(scope="module")
def stoichiometric(folder: Path, recipe: Recipe) -> tuple[Session, Path]:
    """A run of one of the maps with oxygen by stoichiometry, its session and its folder."""
    alone = changed(
        recipe,
        maps=recipe.maps[:1],
        precipitates=tuple(
            changed(p, rectangles=tuple(r for r in p.rectangles if r.map == "a"))
            for p in recipe.precipitates
        ),
        quantification=changed(
            recipe.quantification, oxygen="stoichiometry", valence=Valences({"Fe": 3})
        ),
    )
    path = folder / "stoichiometric.toml"
    path.write_text(dump_recipe(alone, folder, folder), encoding="utf-8")
    session, records = run_recipe(path)
    out = folder / "stoichiometric"
    out.mkdir()
    write_results(session, records, out, out)
    return session, out


def test_the_errors_of_a_run_carry_the_shared_matrix(
    stoichiometric: tuple[Session, Path], recipe: Recipe
) -> None:
    """Against -a H_p P_b V_b H_b^T written out with whole matrices."""
    session, _ = stoichiometric
    by_mask = {
        e.phase: e.composition
        for e in session.result("quantification").entries
        if e.source == "mask"
    }
    matrix = by_mask[recipe.sample.matrix]
    phases = session.result("subtraction", "a")
    found = {entry.precipitate: entry.coefficients for entry in session.result("partition")}
    for p in recipe.precipitates:
        h_p, h_b, v = by_mask[p.name].fit.estimator, matrix.fit.estimator, matrix.fit.variance
        x = matrix.fit.find(p.absent, matrix.fit.family_of(p.absent) or "")
        u = matrix.fit.fitted / matrix.fit.areas[x]
        p_b = np.eye(len(v)) - np.outer(u, h_b[x])
        cross = -phases.subtractions[p.name].factor * h_p @ p_b @ np.diag(v) @ h_b.T
        for made, by_hand in zip(
            found[p.name], partition_coefficients(by_mask[p.name], matrix, cross), strict=True
        ):
            if made.atomic is not None and made.atomic.sigma is not None:
                assert by_hand.atomic is not None
                assert made.atomic.sigma == pytest.approx(by_hand.atomic.sigma, rel=1e-9)


def test_a_recipe_with_oxygen_by_stoichiometry_runs(
    stoichiometric: tuple[Session, Path], recipe: Recipe
) -> None:
    _, out = stoichiometric
    rows = {
        r["element"]: r
        for r in read(out / "composition.csv")
        if (r["phase"], r["source"]) == (recipe.sample.matrix, "mask")
    }
    oxygen = rows["O"]
    assert (oxygen["line"], oxygen["net_counts"], oxygen["detected"]) == ("", "", "")
    charges = {"Mg": 2, "Al": 3, "Si": 4, "Ca": 2, "Fe": 3, "Nd": 3, "Sm": 3, "U": 4}
    positive = sum(v * float(rows[e]["atomic_percent"]) for e, v in charges.items())
    assert 2 * float(oxygen["atomic_percent"]) == pytest.approx(positive, rel=1e-7)
    assert oxygen["atomic_percent_sigma"] != ""
    partition = {r["element"]: r for r in read(out / "partition.csv") if r["precipitate"] == "Fp"}
    assert partition["O"]["state"] == "by_stoichiometry"
    saved = (out / "recipe.toml").read_text("utf-8")
    assert "[quantification.valence]\nFe = 3\n" in saved


def test_quantify_writes_the_table_of_detection_beside_its_own(
    results: Path, tmp_path: Path
) -> None:
    out = tmp_path / "brg.csv"
    spectrum = results / "spectra" / "sum_Brg.msa"
    command = ["quantify", str(spectrum), "--elements", "O,Mg,Al,Si,Fe", "--out", str(out)]
    assert run_command(command) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["brg.csv", "brg_detection.csv"]
    elements = [r["element"] for r in read(tmp_path / "brg_detection.csv")]
    assert elements == ["O", "Mg", "Al", "Si", "Fe"]


def test_a_coefficient_that_does_not_exist_is_an_empty_cell(tmp_path: Path) -> None:
    path = tmp_path / "partition.csv"
    made = Coefficient(0.25, 0.01, 0.002)
    coefficients = (
        PartitionCoefficient("Mg", "measured", made, made),
        PartitionCoefficient("Nd", "matrix_not_detected"),
    )
    write_partition_csv(path, [PartitionEntry("Fp", "Brg", "map1", "mask", "", coefficients)])
    assert path.read_text("utf-8").splitlines()[1:] == [
        "Fp,Brg,map1,mask,,Mg,0.25,0.01,0.002,,0.25,0.01,0.002,,measured",
        "Fp,Brg,map1,mask,,Nd,,,,,,,,,matrix_not_detected",
    ]
