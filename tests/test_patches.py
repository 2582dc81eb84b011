"""Boxes united, against the pixels they hold."""

import numpy as np
import pytest

from endmember.core.masks.patches import Box, grown, merged, spread_evenly

SHAPE = (60, 80)


def some_boxes(rng: np.random.Generator, number: int, side: int) -> list[Box]:
    corners = rng.integers(0, 50, (number, 2))
    sides = rng.integers(1, side, (number, 2))
    return [(int(x), int(y), int(w), int(h)) for (x, y), (w, h) in zip(corners, sides, strict=True)]


def times_covered(boxes: list[Box]) -> np.ndarray:
    covered = np.zeros(SHAPE, dtype=int)
    for x, y, width, height in boxes:
        covered[y : y + height, x : x + width] += 1
    return covered


@pytest.mark.parametrize(("number", "side"), [(1, 9), (8, 9), (20, 5), (30, 9)])
def test_merged_boxes_share_no_pixel_and_leave_none_out(
    rng: np.random.Generator, number: int, side: int
) -> None:
    for _ in range(20):
        boxes = some_boxes(rng, number, side)
        after = times_covered(merged(boxes))
        assert after.max() == 1
        assert (after[times_covered(boxes) > 0] == 1).all()


def test_boxes_that_do_not_touch_stay_as_they_are() -> None:
    boxes = [(0, 0, 4, 4), (4, 0, 4, 4), (20, 20, 5, 6)]  # neighbours share no pixel
    assert merged(boxes) == boxes


def test_a_box_grows_to_the_border_of_the_map() -> None:
    assert grown((2, 30, 10, 25), 8, SHAPE) == (0, 22, 20, 38)


def test_pixels_spread_evenly_are_all_there_are_or_lie_at_equal_steps() -> None:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[10:40, 5:65] = True
    held = np.flatnonzero(mask)
    np.testing.assert_array_equal(spread_evenly(mask, 5000), held)
    np.testing.assert_array_equal(spread_evenly(mask, 450), held[::4])
    assert len(spread_evenly(~np.ones(SHAPE, dtype=bool), 9)) == 0
