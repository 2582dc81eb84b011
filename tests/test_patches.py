"""Boxes united and laid on a sheet, against the pixels they hold."""

import numpy as np
import pytest

from endmember.core.masks.patches import Box, Mosaic, grown, merged

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


def test_patches_lie_apart_on_the_sheet_and_come_back_whole(rng: np.random.Generator) -> None:
    for _ in range(20):
        boxes = merged(some_boxes(rng, 12, 8))
        mosaic = Mosaic.of_boxes(boxes)
        sheet = np.zeros(mosaic.shape, dtype=int)
        image = 1 + np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE)
        mosaic.lay(image, sheet)
        held = sheet[sheet > 0]
        assert len(held) == sum(width * height for _, _, width, height in boxes)
        assert len(np.unique(held)) == len(held)
        back = np.zeros(SHAPE, dtype=int)
        mosaic.put_back(sheet, back)
        np.testing.assert_array_equal(back, np.where(times_covered(boxes) > 0, image, 0))


def test_a_sheet_is_not_much_larger_than_its_patches() -> None:
    boxes: list[Box] = [(0, 0, 10 + n % 3, 10 + n % 4) for n in range(30)]
    rows, columns = Mosaic.of_boxes(boxes).shape
    assert rows * columns < 1.4 * sum(width * height for _, _, width, height in boxes)
