"""What the page of the masks asks the session for: previews, boxes, components, areas."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.masks.mask_algebra import partition
from endmember.core.masks.regions import Rectangle
from endmember.core.masks.segmentation import segment
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import (
    Decomposition,
    MapInput,
    Precipitate,
    Recipe,
    Sample,
    Segmentation,
    Stroke,
    changed,
)
from endmember.session.steps.map_data import MapData
from endmember.session.steps.separation import MapMasks
from endmember.session.views.component_choice import ComponentChoice, component_to_draw_on
from endmember.session.views.mask_areas import mask_areas
from endmember.session.views.mask_preview import closed_outlines, preview_mask
from endmember.session.views.precipitate_rectangles import (
    add_rectangles,
    analysed_box,
    found_too_little,
    kept_on_map,
    moved_onto_map,
    suggested_boxes,
    thinned,
)
from endmember.ui.map_views.map_view import outline_points

Maps = npt.NDArray[np.float64]
WHOLE = MapInput(file="a.hspy", name="a")
SHARP = Segmentation(smoothing_px=0.5)
Box = tuple[int, int, int, int]


def maps_with(shape: tuple[int, int], grains: list[Box], rng: np.random.Generator) -> Maps:
    """Component maps of a matrix and a precipitate that fills boxes, in Poisson counts."""
    inside = mask_of(shape, grains)
    precipitate = rng.poisson(np.where(inside, 80.0, 20.0))
    matrix = rng.poisson(np.where(inside, 60.0, 120.0))
    return np.stack([matrix, precipitate]).astype(np.float64)


def mask_of(shape: tuple[int, int], boxes: list[Box]) -> npt.NDArray[np.bool_]:
    inside = np.zeros(shape, dtype=bool)
    for x, y, width, height in boxes:
        inside[y : y + height, x : x + width] = True
    return inside


def data_of(entry: MapInput, rows: int, columns: int) -> MapData:
    axis = EnergyAxis(0.0, 0.01, 4)
    cube = np.ones((rows, columns, 4), dtype=np.uint8)
    image = SpectrumImage.from_array(cube, axis)
    return MapData(entry, image, (400, 400), "0" * 64, ())


def recipe_with(*precipitates: Precipitate, components: int = 4) -> Recipe:
    return Recipe(
        format="endmember-recipe-1",
        maps=(WHOLE,),
        decomposition=Decomposition(components=components),
        sample=Sample(matrix="Brg", elements=("Si", "Mg")),
        precipitates=precipitates,
    )


# --- previews --------------------------------------------------------------------------------


def test_the_preview_is_what_the_whole_map_would_give(rng: np.random.Generator) -> None:
    shape, grain = (220, 260), (120, 90, 22, 30)
    maps = maps_with(shape, [grain, (20, 20, 25, 25)], rng)
    box = (112, 82, 38, 46)
    found = preview_mask(maps, 1, WHOLE, box, (), (), SHARP)
    whole = segment(maps, 1, [Rectangle(*box)], smoothing_px=0.5).mask[82:128, 112:150]
    assert found.box == box
    assert found.pixels == found.mask.sum()
    assert np.mean(found.mask == whole) > 0.98
    assert np.mean(found.mask == mask_of(shape, [grain])[82:128, 112:150]) > 0.98


def test_a_cropped_and_rebinned_map_is_previewed_where_the_rectangle_was_drawn(
    rng: np.random.Generator,
) -> None:
    entry = changed(WHOLE, crop=(40, 20, 160, 120), rebin=2)
    grain = (30, 12, 12, 10)  # in pixels of the analysed map
    maps = maps_with((60, 80), [grain], rng)
    drawn = (40 + 2 * 26, 20 + 2 * 8, 2 * 20, 2 * 18)
    found = preview_mask(maps, 1, entry, drawn, (), (), SHARP)
    assert found.box == drawn
    assert found.mask.shape == (18, 20)
    assert np.mean(found.mask == mask_of((60, 80), [grain])[8:26, 26:46]) > 0.97


def test_strokes_are_certain_in_the_preview(rng: np.random.Generator) -> None:
    maps = maps_with((100, 100), [(40, 40, 16, 16)], rng)
    box = (30, 30, 36, 36)
    strokes = (
        Stroke(map="a", label="inside", radius=1, points=((33, 33), (36, 33))),
        Stroke(map="a", label="outside", radius=2, points=((48, 48),)),
    )
    plain = preview_mask(maps, 1, WHOLE, box, (), (), SHARP).mask
    painted = preview_mask(maps, 1, WHOLE, box, (), strokes, SHARP).mask
    assert painted[3, 3:7].all()
    assert not plain[3, 3:7].any()
    assert plain[18, 18]
    assert not painted[16:21, 18].any()


def test_what_lies_in_another_rectangle_is_not_taken_for_background(
    rng: np.random.Generator,
) -> None:
    grain = (16, 0, 84, 120)  # in two rectangles, most of it in the other one
    maps = maps_with((120, 100), [grain], rng)
    box, other = (10, 34, 12, 72), (22, 0, 78, 120)
    truth = mask_of((120, 100), [grain])[34:106, 10:22]
    found = preview_mask(maps, 1, WHOLE, box, [other], (), SHARP)
    alone = preview_mask(maps, 1, WHOLE, box, (), (), SHARP)
    assert np.mean(found.mask == truth) > 0.97
    assert np.mean(alone.mask == truth) < 0.9


def test_a_rectangle_off_the_map_has_no_preview(rng: np.random.Generator) -> None:
    maps = maps_with((60, 60), [(20, 20, 10, 10)], rng)
    with pytest.raises(ValueError, match=r"\[70, 5, 8, 8\] covers no pixel"):
        preview_mask(maps, 1, WHOLE, (70, 5, 8, 8), (), (), SHARP)


def test_outlines_enclose_every_pixel_of_a_mask_and_nothing_else(
    rng: np.random.Generator,
) -> None:
    for share in (0.1, 0.5, 0.9):
        mask = rng.random((13, 17)) < share
        lines = closed_outlines(mask)
        area, length = 0.0, 0.0
        for line in lines:
            points = np.array(line, dtype=float)
            onward = np.roll(points, -1, axis=0)
            area += float(np.sum(points[:, 0] * onward[:, 1] - points[:, 1] * onward[:, 0])) / 2
            length += float(np.abs(onward - points).sum())
        assert area == mask.sum()  # holes run the other way round and count against
        assert length == len(outline_points(mask)[0]) / 2


def test_a_rectangular_mask_has_one_outline_of_four_corners() -> None:
    lines = closed_outlines(mask_of((10, 12), [(3, 2, 5, 4)]))
    assert len(lines) == 1
    assert set(lines[0]) == {(3, 2), (8, 2), (8, 6), (3, 6)}
    assert closed_outlines(np.zeros((4, 4), dtype=bool)) == []


# --- rectangles ------------------------------------------------------------------------------


def pixels_of(box: Box) -> set[tuple[int, int]]:
    x, y, width, height = box
    return {(i, j) for i in range(x, x + width) for j in range(y, y + height)}


def test_what_is_kept_of_a_rectangle_are_its_pixels_on_the_map(rng: np.random.Generator) -> None:
    bounds = (4, 3, 12, 9)
    for _ in range(60):
        x, y = (int(v) for v in rng.integers(-8, 20, 2))
        width, height = (int(v) for v in rng.integers(1, 14, 2))
        common = pixels_of((x, y, width, height)) & pixels_of(bounds)
        kept = kept_on_map((x, y, width, height), bounds)
        assert common == (set() if kept is None else pixels_of(kept))


def test_a_rectangle_moved_off_the_map_stays_at_its_edge(rng: np.random.Generator) -> None:
    bounds = (4, 3, 12, 9)
    places = [(x, y) for x in range(4, 4 + 12) for y in range(3, 3 + 9)]
    for _ in range(40):
        x, y = (int(v) for v in rng.integers(-8, 20, 2))
        width, height = (int(v) for v in rng.integers(1, 9, 2))
        moved = moved_onto_map((x, y, width, height), bounds)
        fitting = [p for p in places if pixels_of((*p, width, height)) <= pixels_of(bounds)]
        nearest = min(fitting, key=lambda p: (p[0] - x) ** 2 + (p[1] - y) ** 2)
        assert moved == (*nearest, width, height)


def test_a_rectangle_that_segmentation_warns_about_found_too_little(
    rng: np.random.Generator,
) -> None:
    shape = (90, 120)
    maps = maps_with(shape, [(20, 20, 16, 16)], rng)
    boxes = [(14, 14, 28, 28), (80, 40, 30, 30)]
    cut = segment(maps, 1, [Rectangle(*box) for box in boxes], smoothing_px=0.5)
    poor = [
        found_too_little(box, 1, pixels)
        for box, pixels in zip(boxes, cut.pixels_per_rectangle, strict=True)
    ]
    assert poor == [False, True]
    assert len(cut.warnings) == 1
    assert "80, 40, 30, 30" in cut.warnings[0]


def test_suggestions_are_in_pixels_of_the_uncropped_map(rng: np.random.Generator) -> None:
    entry = changed(WHOLE, crop=(40, 20, 160, 120), rebin=2)
    grains: list[Box] = [(30, 12, 12, 10), (10, 40, 8, 9)]
    maps = maps_with((60, 80), grains, rng)
    data = data_of(entry, 60, 80)
    assert analysed_box(data) == (40, 20, 160, 120)
    boxes = suggested_boxes(data, maps, 1, (), None, Segmentation())
    assert len(boxes) == 2
    for (x, y, width, height), box in zip(grains, boxes, strict=True):
        grain = (40 + 2 * x, 20 + 2 * y, 2 * width, 2 * height)
        assert pixels_of(grain) <= pixels_of(box)
    taken = [boxes[0]]
    assert suggested_boxes(data, maps, 1, taken, None, Segmentation()) == boxes[1:]


def test_several_rectangles_are_added_in_one_edit_with_p1_where_there_is_none() -> None:
    boxes = [(1, 2, 10, 10), (30, 30, 8, 9)]
    recipe = add_rectangles(recipe_with(), "", "a", boxes, component=2)
    assert recipe.precipitates[0].name == "P1"
    assert recipe.precipitates[0].component == 2
    assert recipe.precipitates[0].boxes_on("a") == tuple(boxes)


def test_a_precipitate_with_an_absent_element_keeps_its_automatic_component() -> None:
    recipe = recipe_with(Precipitate(name="Fp", absent="Si"))
    added = add_rectangles(recipe, "Fp", "a", [(1, 2, 10, 10)], component=2)
    assert added.precipitates[0].component is None


def test_a_thinned_stroke_keeps_its_ends_and_no_points_closer_than_a_pixel() -> None:
    points = [(0.3 * step, 2.0) for step in range(40)]
    kept = thinned(points)
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    gaps = np.diff([x for x, _ in kept])
    assert (gaps[:-1] >= 1.0).all()
    assert gaps.max() < 1.5
    assert thinned([(3.0, 4.0)]) == ((3.0, 4.0),)


# --- components ------------------------------------------------------------------------------


def test_the_component_is_found_once_for_a_decomposition(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def choose(_found: Any, _data: Any, absent: str, _method: Any) -> int:
        asked.append(absent)
        return 2

    monkeypatch.setattr("endmember.session.steps.separation.choose_component", choose)
    sample = recipe_with().sample
    data = data_of(WHOLE, 8, 8)
    first, second = (cast(Any, SimpleNamespace(found=None)) for _ in range(2))
    choice, fp = ComponentChoice(), Precipitate(name="Fp", absent="Si")
    assert choice.known(fp, sample, first) is None
    assert [choice.find(fp, sample, data, first) for _ in range(2)] == [2, 2]
    assert choice.known(fp, sample, first) == 2
    assert choice.known(fp, sample, second) is None
    assert choice.find(fp, sample, data, second) == 2
    assert asked == ["Si", "Si"]


def test_a_chosen_component_wins_and_nothing_decided_is_said() -> None:
    sample, data = recipe_with().sample, data_of(WHOLE, 8, 8)
    decomposed = cast(Any, SimpleNamespace(found=None))
    chosen = Precipitate(name="Fp", absent="Si", component=3)
    assert ComponentChoice().find(chosen, sample, data, decomposed) == 3
    with pytest.raises(ValueError, match="absent element of Fp, or its component"):
        ComponentChoice().find(Precipitate(name="Fp", absent=""), sample, data, decomposed)


def test_the_component_to_draw_on_is_one_taken_for_a_precipitate_or_not_the_largest() -> None:
    recipe = recipe_with()
    assert component_to_draw_on(recipe, ()) == 1
    assert component_to_draw_on(recipe, {1, 2}) == 3
    labelled = edits.label_component(recipe, 2, role="precipitate")
    assert component_to_draw_on(labelled, ()) == 2
    unused = edits.label_component(recipe, 1, role="unused")
    assert component_to_draw_on(unused, ()) == 2
    assert component_to_draw_on(recipe_with(components=1), {0}) == 0


# --- areas -----------------------------------------------------------------------------------


def test_areas_add_up_to_the_map_and_its_counts(rng: np.random.Generator) -> None:
    cube = rng.poisson(3.0, (20, 30, 4)).astype(np.uint8)
    image = SpectrumImage.from_array(cube, EnergyAxis(0.0, 0.01, 4))
    data = MapData(WHOLE, image, (20, 30), "0" * 64, ())
    masks = {
        "Fp": mask_of((20, 30), [(2, 2, 10, 8)]),
        "CaPv": mask_of((20, 30), [(8, 6, 12, 9)]),
    }
    part = partition(masks, mask_of((20, 30), [(25, 0, 5, 20)]))
    areas = mask_areas(data, MapMasks(part, {}, (), data.reading))
    assert [(a.kind, a.phase) for a in areas] == [
        ("matrix", ""),
        ("component", "Fp"),
        ("component", "CaPv"),
        ("mixture", "Fp"),
        ("mixture", "CaPv"),
        ("overlap", ""),
        ("excluded", ""),
    ]
    split = [a for a in areas if a.kind != "component"]
    assert sum(a.pixels for a in split) == 600
    assert sum(a.total for a in split) == cube.sum()
    assert sum(a.count_share for a in split) == pytest.approx(1.0)
    fp = areas[1]
    assert fp.pixels == 80
    assert fp.share == pytest.approx(80 / 600)
    assert fp.total == cube[2:10, 2:12].sum()
    assert np.nansum(fp.counts) == fp.total
    assert np.isnan(fp.counts).sum() == 520
