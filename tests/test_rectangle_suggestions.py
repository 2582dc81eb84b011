"""Suggested rectangles, against simulated maps whose grains are known."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.counts.spectrum import FloatArray
from endmember.core.masks.rectangle_suggestions import Box, suggest_rectangles
from endmember.core.simulation.simulated_map import simulate_map
from endmember.core.simulation.specimens import grains_of
from endmember.core.unmixing.decomposition import decompose

SIZE = 128


def discs(places: list[tuple[float, float]], radius: float, counts: float, seed: int) -> FloatArray:
    """Matrix, discs of a precipitate and a component of noise, counted, on a wedge."""
    rng = np.random.default_rng(seed)
    share = depth(places, radius)
    parts = np.array([0.9 * (1 - share), share + 0.05 * (1 - share), 0.05 * (1 - share)])
    return rng.poisson(parts * counts * np.linspace(0.6, 1.4, SIZE)).astype(np.float64)


def depth(places: list[tuple[float, float]], radius: float) -> FloatArray:
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    far = np.array([np.hypot(x - cx, y - cy) for cx, cy in places]).min(axis=0)
    return np.asarray(0.7 * np.clip((radius - far) / 3, 0, 1))


FEW = [(30.0, 30.0), (90.0, 40.0), (50.0, 95.0)]
MANY = [(14.0 + 25 * i, 14.0 + 33 * j) for i in range(5) for j in range(4)]


def holds(box: Box, inside: np.ndarray) -> bool:
    """Whether all of a mask lies in a box."""
    x, y, width, height = box
    return bool(inside[y : y + height, x : x + width].sum() == inside.sum())


@pytest.mark.parametrize(("layout", "phase", "lacking"), [(0, "Fp", 1.74), (2, "Fp", 1.74)])
def test_every_grain_of_the_specimen_lies_in_a_box_and_no_box_is_empty(
    layout: int, phase: str, lacking: float
) -> None:
    image, truth = simulate_map(SIZE, 160.0, seed=1, layout=layout)
    image = image.between(0.3, 20.0)
    found = decompose([image], 3, max_iterations=80)
    window = image.axis.span(lacking - 0.07, lacking + 0.07)
    component = int(np.argmin(found.spectra[:, window].sum(axis=1)))
    boxes = suggest_rectangles(found.maps[0], component)
    number = truth.phases.index(phase)
    others = np.delete(truth.abundance, [0, number], axis=0).sum(axis=0)
    alone = [
        grain.depth(SIZE) > 0.5 * grain.core
        for grain in grains_of(layout)
        if grain.phase == phase and not (others[grain.depth(SIZE) > 0] > 0.05).any()
    ]
    assert len(alone) >= 7
    boxed = [any(holds(box, grain) for box in boxes) for grain in alone]
    assert sum(boxed) >= len(alone) - 1
    empty = [truth.abundance[number, y : y + h, x : x + w].max() < 0.1 for x, y, w, h in boxes]
    assert sum(empty) <= 1
    assert sum(w * h for _, _, w, h in boxes) < 0.5 * SIZE**2


@pytest.mark.parametrize("counts", [30.0, 160.0])
@pytest.mark.parametrize(("radius", "covered"), [(8.0, 0.24), (11.0, 0.47)])
def test_precipitates_over_much_of_the_map_are_still_found_one_by_one(
    radius: float, covered: float, counts: float
) -> None:
    assert np.mean(depth(MANY, radius) > 0) == pytest.approx(covered, abs=0.02)
    boxes = suggest_rectangles(discs(MANY, radius, counts, seed=4), 1)
    assert len(boxes) == len(MANY)
    for place in MANY:
        assert sum(holds(box, depth([place], radius) > 0.1) for box in boxes) == 1


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_suggests_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = rng.poisson([[[100.0]], [[5.0]], [[5.0]]], (3, SIZE, SIZE)).astype(np.float64)
    assert suggest_rectangles(maps, 1) == ()
    assert suggest_rectangles(maps, 0) == ()


def test_a_thicker_place_is_not_a_precipitate() -> None:
    y, x = np.mgrid[:SIZE, :SIZE]
    thick = 1 + 2.0 * (np.hypot(x - 60, y - 60) < 12)
    maps = np.random.default_rng(7).poisson([thick * 90, thick * 10]).astype(np.float64)
    assert suggest_rectangles(maps, 1) == ()


def test_a_box_is_loose_and_cut_to_the_map() -> None:
    maps = np.zeros((2, 40, 50))
    maps[0] = 100.0
    maps[1, 0:8, 20:30] = 80.0
    (box,) = suggest_rectangles(maps, 1, smoothing_px=0.0, margin_px=5)
    assert box == (15, 0, 20, 13)
    assert suggest_rectangles(maps, 1, smoothing_px=0.0, margin_px=40) == ()  # all of the map
    (tight,) = suggest_rectangles(maps, 1, smoothing_px=0.0, margin_px=0)
    assert tight == (20, 0, 10, 8)


def test_precipitates_already_in_a_rectangle_are_not_suggested_again() -> None:
    maps = discs(FEW, 9.0, 160.0, seed=2)
    boxes = suggest_rectangles(maps, 1)
    assert len(boxes) == 3
    assert suggest_rectangles(maps, 1, taken=boxes) == ()
    rest = suggest_rectangles(maps, 1, taken=[(20, 20, 22, 22), (-10, -10, 12, 12)])
    assert len(rest) == 2
    assert not any(holds(box, depth(FEW[:1], 9.0) > 0.3) for box in rest)
    barely = (30, 20, 5, 5)  # touches a precipitate, but most of it lies outside
    assert len(suggest_rectangles(maps, 1, taken=[barely])) == 3


def test_excluded_pixels_are_neither_found_nor_compared_with() -> None:
    maps = discs(FEW, 9.0, 160.0, seed=2)
    excluded = depth(FEW[:1], 14.0) > 0
    boxes = suggest_rectangles(maps, 1, excluded=excluded)
    assert len(boxes) == 2
    hole = np.zeros((SIZE, SIZE), dtype=bool)
    hole[:, 70:] = True
    maps[1, :, 70:] += 500.0  # were it compared with, nothing else would stand out
    assert len(suggest_rectangles(maps, 1, excluded=hole)) == 2
    assert suggest_rectangles(maps, 1, excluded=np.ones((SIZE, SIZE), dtype=bool)) == ()


def test_the_largest_come_first_and_no_more_than_asked_for() -> None:
    maps = np.zeros((2, 80, 80))
    maps[0] = 100.0
    sides = (8, 14, 10)
    for number, side in enumerate(sides):
        maps[1, 10 : 10 + side, 5 + 25 * number : 5 + 25 * number + side] = 80.0
    boxes = suggest_rectangles(maps, 1, smoothing_px=0.0, margin_px=2)
    assert [width for _, _, width, _ in boxes] == [18, 14, 12]
    assert suggest_rectangles(maps, 1, smoothing_px=0.0, margin_px=2, most=1) == boxes[:1]


def test_a_patch_smaller_than_a_noise_peak_is_left_out() -> None:
    rng = np.random.default_rng(3)
    maps = rng.poisson([[[100.0]], [[5.0]]], (2, SIZE, SIZE)).astype(np.float64)
    hot = maps.copy()
    hot[1, 60, 70] += 50.0
    assert suggest_rectangles(hot, 1) == ()
    hot[1, 58:63, 68:73] += 50.0
    assert len(suggest_rectangles(hot, 1)) == 1


def test_flat_and_empty_maps_suggest_nothing_and_a_missing_component_is_named() -> None:
    assert suggest_rectangles(np.zeros((2, 8, 8)), 0) == ()
    assert suggest_rectangles(np.ones((2, 8, 8)), 1) == ()
    with pytest.raises(ValueError, match="component 2 does not exist"):
        suggest_rectangles(np.ones((2, 8, 8)), 2)
