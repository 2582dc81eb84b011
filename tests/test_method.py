"""The whole method on simulated maps, against the truth they were made from."""

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile

from endmember.cli import run_command
from endmember.core.simulation.simulated_map import Truth, expected_truth
from endmember.demo import demo_recipe
from endmember.session.decisions.recipe import PrecipitateRectangle, Recipe, Roi, Stroke, changed
from endmember.session.decisions.recipe_file import dump_recipe

MAJORS = ("O", "Mg", "Al", "Si", "Ca", "Fe")


@dataclass(frozen=True)
class Run:
    folder: Path
    recipe: Path
    truth: Truth

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def rows(self, source: str, phase: str) -> dict[str, dict[str, str]]:
        with (self.results / "composition.csv").open(encoding="utf-8") as stream:
            return {
                row["element"]: row
                for row in csv.DictReader(stream)
                if (row["source"], row["phase"]) == (source, phase)
            }

    def mask(self, name: str) -> np.ndarray:
        return tifffile.imread(self.results / "masks" / f"demo_{name}.tif") == 255

    def account(self) -> dict:
        return json.loads((self.results / "run.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("demo")
    assert run_command(["demo", "--no-window", "--out", str(folder)]) == 0
    return Run(folder, folder / "demo.toml", expected_truth(256, 160.0, 0))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small demo map, for runs that are to fail."""
    folder = tmp_path_factory.mktemp("small")
    map_file = folder / "demo.hspy"
    assert run_command(["simulate", str(map_file), "--size", "64"]) == 0
    return folder


def fails(folder: Path, recipe: Recipe, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a recipe that cannot go on; returns the sentence, and sees that nothing was written."""
    path = folder / "bad.toml"
    path.write_text(dump_recipe(recipe, folder, folder), encoding="utf-8")
    before = sorted(folder.iterdir())
    capsys.readouterr()
    assert run_command(["run", str(path), "--out", str(folder / "out")]) == 2
    assert sorted(folder.iterdir()) == before
    told = capsys.readouterr().err.strip()
    assert "Traceback" not in told
    assert "bad.toml" in told
    assert "\n" not in told
    return told


def with_rectangles(recipe: Recipe, *boxes: tuple[int, int, int, int]) -> Recipe:
    """The recipe with only its first precipitate, and these rectangles."""
    rectangles = tuple(PrecipitateRectangle(map="demo", box=box) for box in boxes)
    return changed(recipe, precipitates=(changed(recipe.precipitates[0], rectangles=rectangles),))


def test_the_matrix_mask_holds_less_than_a_thousandth_of_each_precipitate(demo: Run) -> None:
    matrix = demo.mask("matrix")
    for abundance in demo.truth.abundance[1:]:
        assert abundance[matrix].mean() < 0.001


def test_nearly_all_truly_pure_pixels_stay_in_the_matrix(demo: Run) -> None:
    pure = demo.truth.abundance[0] == 1.0
    assert (demo.mask("matrix") & pure).sum() >= 0.95 * pure.sum()


def test_the_measured_purity_is_the_true_one_within_its_error(demo: Run) -> None:
    matrix = demo.mask("matrix")
    counts = demo.truth.expected_counts(matrix)
    for index, name in enumerate(demo.truth.phases[1:], start=1):
        measured = demo.account()["purity"]["demo"][name]
        assert abs(measured["value"] - counts[index] / counts.sum()) < 3 * measured["sigma"]


def test_the_masks_partition_the_map(demo: Run) -> None:
    names = ("matrix", "overlap", "excluded", "mixture_Fp", "mixture_CaPv")
    assert np.array_equal(sum(demo.mask(name).astype(int) for name in names), np.ones((256, 256)))


@pytest.mark.parametrize("phase", ["Brg", "Fp", "CaPv"])
def test_compositions_are_the_true_ones_within_their_errors(demo: Run, phase: str) -> None:
    index = demo.truth.phases.index(phase)
    for element, row in demo.rows("mask", phase).items():
        if row["detected"] == "assumed_absent":
            continue
        true = float(demo.truth.atomic_percent[index][demo.truth.elements.index(element)])
        error = abs(float(row["atomic_percent"]) - true)
        allowed = 3 * float(row["atomic_percent_sigma"])
        if phase == "Brg" and element in MAJORS:
            allowed = max(allowed, 0.01 * true)
        assert error < allowed, element


def test_elements_that_ferropericlase_lacks_are_consistent_with_zero(demo: Run) -> None:
    rows = demo.rows("mask", "Fp")
    for element in ("Ca", "Nd", "Sm", "U"):
        value, sigma = (
            float(rows[element][name]) for name in ("atomic_percent", "atomic_percent_sigma")
        )
        assert abs(value) < 3 * sigma
        assert rows[element]["detected"] != "quantifiable"
    assert rows["Si"]["detected"] == "assumed_absent"
    assert rows["Si"]["lod_ppm"] == rows["Si"]["snr"] == ""


def test_line_areas_of_the_matrix_are_the_true_ones(demo: Run) -> None:
    counts = demo.truth.expected_counts(demo.mask("matrix"))[0]
    shares = demo.truth.alpha_share[0]
    for element, row in demo.rows("mask", "Brg").items():
        true = counts * float(shares[demo.truth.elements.index(element)])
        relative_sigma = float(row["atomic_percent_sigma"]) / float(row["atomic_percent"])
        assert float(row["net_counts"]) == pytest.approx(true, rel=max(0.01, 3 * relative_sigma))


def test_phase_fractions_are_the_shares_of_all_counts(demo: Run) -> None:
    counts = demo.truth.expected_counts(np.ones((256, 256), dtype=bool))
    for index, name in enumerate(demo.truth.phases):
        found = demo.account()["phase_fractions"]["demo"][name]
        # the energy range cuts a little more of one phase than of another
        assert found["value"] == pytest.approx(
            counts[index] / counts.sum(), abs=3 * found["sigma"] + 2e-4
        )


def test_three_components_are_suggested(demo: Run) -> None:
    assert demo.account()["suggested_components"] == {"demo": 3}


def test_every_step_is_accounted_for(demo: Run) -> None:
    names = [step["name"] for step in demo.account()["steps"]]
    assert names == [
        "read",
        "scree",
        "decomposition",
        "masks",
        "subtraction",
        "abundance",
        "quantification",
    ]


def test_the_recipe_as_run_gives_the_same_bytes_again(demo: Run, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert run_command(["run", str(demo.results / "recipe.toml"), "--out", str(again)]) == 0
    files = [
        path.relative_to(demo.results)
        for path in sorted(demo.results.rglob("*"))
        if path.suffix in (".csv", ".tif", ".msa")
    ]
    assert len(files) > 15
    for file in files:
        assert (again / file).read_bytes() == (demo.results / file).read_bytes(), file


@pytest.mark.parametrize("seed", [1, 2])
def test_masks_of_other_specimens_are_as_pure(seed: int, tmp_path: Path) -> None:
    from endmember.core.simulation.specimens import loose_rectangles

    assert (
        run_command(
            ["simulate", str(tmp_path / "demo.hspy"), "--seed", str(seed), "--layout", str(seed)]
        )
        == 0
    )
    recipe = demo_recipe(256)
    boxes = loose_rectangles(256, seed)
    recipe = changed(
        recipe,
        precipitates=tuple(
            changed(
                p,
                rectangles=tuple(PrecipitateRectangle(map="demo", box=b) for b in boxes[p.name]),
            )
            for p in recipe.precipitates
        ),
    )
    path = tmp_path / "recipe.toml"
    path.write_text(dump_recipe(recipe, tmp_path, tmp_path), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    run = Run(tmp_path, path, expected_truth(256, 160.0, seed))
    matrix = run.mask("matrix")
    pure = run.truth.abundance[0] == 1.0
    assert all(abundance[matrix].mean() < 0.001 for abundance in run.truth.abundance[1:])
    assert (matrix & pure).sum() >= 0.95 * pure.sum()


def test_two_maps_with_regions_run_to_a_sum(small: Path, tmp_path: Path) -> None:
    base = demo_recipe(64)
    first = changed(
        base.maps[0],
        file=str(small / "demo.hspy"),
        rois=(
            Roi(name="R1", phase="Brg", rectangle=(0, 0, 10, 8)),
            Roi(name="R2", phase="Fp", rectangle=tuple(base.precipitates[0].rectangles[1].box)),
        ),
    )
    second = changed(first, name="second", rois=())
    recipe = changed(
        base,
        maps=(first, second),
        precipitates=tuple(
            changed(
                p, rectangles=p.rectangles + tuple(changed(r, map="second") for r in p.rectangles)
            )
            for p in base.precipitates
        ),
    )
    path = tmp_path / "two.toml"
    path.write_text(dump_recipe(recipe, tmp_path, tmp_path), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    with (tmp_path / "results" / "composition.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    kinds = {(row["phase"], row["source"], row["map"]) for row in rows}
    assert {("Brg", "roi", "demo"), ("Fp", "conventional", "demo"), ("Fp", "mask", "sum")} <= kinds

    def oxygen(map_name: str) -> dict[str, str]:
        return next(
            r
            for r in rows
            if (r["phase"], r["source"], r["map"], r["element"]) == ("Brg", "mask", map_name, "O")
        )

    # the second map is the first once more: twice the counts, the same composition
    parts = [float(oxygen(name)["net_counts"]) for name in ("demo", "second")]
    assert float(oxygen("sum")["net_counts"]) == pytest.approx(sum(parts), rel=1e-3)
    assert float(oxygen("sum")["atomic_percent_sigma"]) == pytest.approx(
        float(oxygen("demo")["atomic_percent_sigma"]) / np.sqrt(2), rel=0.02
    )


def test_excluded_pixels_are_in_no_mask(small: Path, tmp_path: Path) -> None:
    from endmember.session.decisions.recipe import Exclude

    base = demo_recipe(64)
    hole = Exclude(ellipse=(40, 1, 12, 10))
    entry = changed(base.maps[0], file=str(small / "demo.hspy"), excludes=(hole,))
    path = tmp_path / "hole.toml"
    recipe = changed(base, maps=(entry,))
    path.write_text(dump_recipe(recipe, tmp_path, tmp_path), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    run = Run(tmp_path, path, expected_truth(64, 160.0, 0))
    excluded = run.mask("excluded")
    assert 60 < excluded.sum() < 120
    assert not (excluded & (run.mask("matrix") | run.mask("mixture_Fp"))).any()


def test_a_rectangle_wholly_outside_is_refused(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = fails(small, with_rectangles(demo_recipe(64), (500, 500, 20, 20)), capsys)
    assert "500" in told


def test_an_absent_element_that_the_matrix_lacks_is_refused(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = demo_recipe(64)
    elements = (*recipe.sample.elements, "Zr")
    fp = changed(recipe.precipitates[0], absent="Zr", component=1)
    recipe = changed(recipe, sample=changed(recipe.sample, elements=elements), precipitates=(fp,))
    assert "Zr is hardly present in the matrix" in fails(small, recipe, capsys)


def test_more_components_than_channels_are_refused(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = demo_recipe(64)
    recipe = changed(recipe, decomposition=changed(recipe.decomposition, components=3000))
    assert "3000 components" in fails(small, recipe, capsys)


def test_a_mask_wholly_in_an_excluded_region_is_refused(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from endmember.session.decisions.recipe import Exclude

    recipe = with_rectangles(demo_recipe(64), (23, 11, 10, 10))
    entry = changed(recipe.maps[0], excludes=(Exclude(rectangle=(20, 8, 18, 18)),))
    told = fails(small, changed(recipe, maps=(entry,)), capsys)
    assert "excluded" in told
    assert "Fp" in told


def test_a_missing_map_file_is_named(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = demo_recipe(64)
    recipe = changed(recipe, maps=(changed(recipe.maps[0], file="nowhere.hspy"),))
    assert "nowhere.hspy" in fails(small, recipe, capsys)


def test_a_rectangle_in_which_nothing_is_found_is_a_warning(small: Path, tmp_path: Path) -> None:
    recipe = demo_recipe(64)
    truth = expected_truth(64, 160.0, 0)
    pure = truth.abundance[0] == 1.0
    empty = next(
        (x, y, 8, 8)
        for y in range(3, 52)
        for x in range(3, 52)
        if pure[y - 2 : y + 10, x - 2 : x + 10].all()
    )
    first = recipe.precipitates[0]
    more = (*first.rectangles, PrecipitateRectangle(map="demo", box=empty))
    recipe = changed(
        recipe, precipitates=(changed(first, rectangles=more), *recipe.precipitates[1:])
    )
    path = small / "scarce.toml"
    path.write_text(dump_recipe(recipe, small, small), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    run = Run(tmp_path, path, truth)
    assert any(str(list(empty)) in sentence for sentence in run.account()["warnings"])


def test_precipitates_without_a_rectangle_are_pointed_at(demo: Run, tmp_path: Path) -> None:
    recipe = demo_recipe(256)
    entry = changed(recipe.maps[0], file=str(demo.folder / "demo.hspy"))
    fp = recipe.precipitates[0]
    left_out, drawn = fp.rectangles[0].box, fp.rectangles[1:]
    recipe = changed(
        recipe,
        maps=(entry,),
        precipitates=(changed(fp, rectangles=drawn), *recipe.precipitates[1:]),
    )
    path = tmp_path / "less.toml"
    path.write_text(dump_recipe(recipe, tmp_path, tmp_path), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    told = Run(tmp_path, path, demo.truth).account()["warnings"]
    places = [re.search(r"hold Fp at x, y = \((\d+), (\d+)\)", sentence) for sentence in told]
    ((x, y),) = [tuple(map(int, place.groups())) for place in places if place]
    assert 0 < x - left_out[0] < left_out[2]
    assert 0 < y - left_out[1] < left_out[3]
    whole = demo.account()["warnings"]
    assert not any("seems to hold" in sentence for sentence in whole)


def test_a_demo_of_another_size_is_simulated_anew(tmp_path: Path) -> None:
    for size in (96, 64):
        assert (
            run_command(["demo", "--no-window", "--size", str(size), "--out", str(tmp_path)]) == 0
        )
        run = Run(tmp_path, tmp_path / "demo.toml", expected_truth(size, 160.0, 0))
        assert run.mask("matrix").shape == (size, size)


def test_a_factor_by_hand_keeps_the_absent_element_in_the_composition(
    demo: Run, tmp_path: Path
) -> None:
    recipe = demo_recipe(256)
    fitted = demo.account()["subtraction"]["demo"]["Fp"]["factor"]
    fp = changed(recipe.precipitates[0], factor=0.9 * fitted)
    recipe = changed(
        recipe,
        maps=(changed(recipe.maps[0], file=str(demo.folder / "demo.hspy")),),
        precipitates=(fp, *recipe.precipitates[1:]),
    )
    path = tmp_path / "hand.toml"
    path.write_text(dump_recipe(recipe, tmp_path, tmp_path), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    silicon = Run(tmp_path, path, demo.truth).rows("mask", "Fp")["Si"]
    # a tenth of what the matrix put into the mixture is left: factor x Si of the matrix / 10
    matrix = float(demo.rows("mask", "Brg")["Si"]["net_counts"])
    assert float(silicon["net_counts"]) == pytest.approx(0.1 * fitted * matrix, rel=0.01)
    assert silicon["detected"] == "quantifiable"
    assert float(silicon["atomic_percent"]) > 1


def test_an_outside_stroke_alone_draws_nothing_on_a_second_map(small: Path, tmp_path: Path) -> None:
    base = demo_recipe(64)
    first = changed(base.maps[0], file=str(small / "demo.hspy"))
    stroke = Stroke(map="second", label="outside", radius=2, points=((5, 5), (9, 9)))
    recipe = changed(
        base,
        maps=(first, changed(first, name="second")),
        precipitates=tuple(changed(p, strokes=(stroke,)) for p in base.precipitates),
    )
    path = tmp_path / "stroke.toml"
    path.write_text(dump_recipe(recipe, tmp_path, tmp_path), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    masks = {file.name for file in (tmp_path / "results" / "masks").iterdir()}
    assert "demo_component_Fp.tif" in masks
    assert "second_component_Fp.tif" not in masks


def test_regions_that_share_pixels_count_them_once_in_the_sum(small: Path, tmp_path: Path) -> None:
    base = demo_recipe(64)
    rois = tuple(
        Roi(name=name, phase="Brg", rectangle=(x, 0, 10, 8)) for name, x in (("A", 0), ("B", 5))
    )
    first = changed(base.maps[0], file=str(small / "demo.hspy"), rois=rois)
    recipe = changed(base, maps=(first, changed(first, name="second", rois=())))
    path = tmp_path / "rois.toml"
    path.write_text(dump_recipe(recipe, tmp_path, tmp_path), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    with (tmp_path / "results" / "composition.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["source"] == "roi"]
    assert {row["pixels"] for row in rows if row["map"] == "demo"} == {"80"}
    assert {row["pixels"] for row in rows if row["map"] == "sum"} == {"120"}


def test_a_crop_beyond_the_map_is_clipped_with_a_warning(small: Path, tmp_path: Path) -> None:
    base = demo_recipe(64)
    entry = changed(base.maps[0], file=str(small / "demo.hspy"), crop=(1, 1, 80, 80))
    path = tmp_path / "crop.toml"
    path.write_text(dump_recipe(changed(base, maps=(entry,)), tmp_path, tmp_path), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    run = Run(tmp_path, path, expected_truth(64, 160.0, 0))
    assert any("crop [1, 1, 80, 80] reaches beyond" in w for w in run.account()["warnings"])
    assert run.mask("matrix").shape == (64, 64)
    assert not run.mask("matrix")[0].any()


def test_the_reference_may_be_the_absent_element(small: Path, tmp_path: Path) -> None:
    base = demo_recipe(64)
    recipe = changed(
        base,
        maps=(changed(base.maps[0], file=str(small / "demo.hspy")),),
        quantification=changed(base.quantification, reference="Mg"),
    )
    path = tmp_path / "reference.toml"
    path.write_text(dump_recipe(recipe, tmp_path, tmp_path), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    run = Run(tmp_path, path, expected_truth(64, 160.0, 0))
    factors = {p: float(run.rows("mask", p)["Fe"]["k_factor"]) for p in ("Brg", "Fp", "CaPv")}
    assert factors["Fp"] == factors["CaPv"] == factors["Brg"]


def test_a_mask_that_is_mostly_matrix_is_doubted(demo: Run, tmp_path: Path) -> None:
    everywhere = Stroke(map="demo", label="inside", radius=45, points=((200, 200), (201, 201)))
    recipe = demo_recipe(256)
    fp = recipe.precipitates[0]
    recipe = changed(
        recipe,
        maps=(changed(recipe.maps[0], file=str(demo.folder / "demo.hspy")),),
        precipitates=(changed(fp, strokes=(everywhere,)), *recipe.precipitates[1:]),
    )
    path = tmp_path / "wide.toml"
    path.write_text(dump_recipe(recipe, tmp_path, tmp_path), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "results")]) == 0
    run = Run(tmp_path, path, demo.truth)
    told = [
        re.search(r"(\d+) % of the mask of Fp shows no Fp", w) for w in run.account()["warnings"]
    ]
    (share,) = [int(found[1]) for found in told if found]
    holds_none = demo.truth.abundance[1][run.mask("mixture_Fp")] == 0
    assert share == pytest.approx(100 * holds_none.mean(), abs=10)
    assert not any("shows no" in sentence for sentence in demo.account()["warnings"])
