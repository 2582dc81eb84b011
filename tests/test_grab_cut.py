"""GrabCut of several boxes, against cv2's own of the whole map and against known discs."""

import cv2
import numpy as np
import pytest

from endmember.core.counts import sparse_sums
from endmember.core.masks.grab_cut import ByteArray, grab_cut
from endmember.core.masks.patches import Box
from endmember.core.progress import Cancelled, silent

SHAPE = (120, 150)
DISCS = ((30, 30, 14), (100, 35, 11), (35, 85, 12), (110, 88, 16))  # x, y, radius
BOXES: list[Box] = [(x - 20, y - 19, 41, 39) for x, y, _ in DISCS]


def discs() -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.any([np.hypot(x - cx, y - cy) < r for cx, cy, r in DISCS], axis=0)


def image(contrast: float = 60.0) -> ByteArray:
    noise = np.random.default_rng(0).normal(0.0, 12.0, (*SHAPE, 3))
    colour = np.array([contrast, -0.5 * contrast, 0.2 * contrast])
    return np.clip(110.0 + noise + colour * discs()[..., np.newaxis], 0, 255).astype(np.uint8)


def labels() -> ByteArray:
    kinds = np.full(SHAPE, cv2.GC_BGD, dtype=np.uint8)
    for x, y, width, height in BOXES:
        kinds[y : y + height, x : x + width] = cv2.GC_PR_FGD
    return kinds


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.count_nonzero(a & b) / np.count_nonzero(a | b))


def test_the_mask_is_that_of_a_plain_grab_cut_of_the_whole_map() -> None:
    kinds = labels()
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image(), kinds, None, *models, 5, cv2.GC_INIT_WITH_MASK)
    plain = (kinds == cv2.GC_FGD) | (kinds == cv2.GC_PR_FGD)
    cut = grab_cut(image(), labels(), BOXES, 0, silent)
    assert overlap(cut, plain) > 0.97
    assert overlap(cut, discs()) > 0.97


def test_neither_the_order_of_the_boxes_nor_the_number_of_threads_changes_the_mask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut = grab_cut(image(30.0), labels(), BOXES, 3, silent)
    for number in ("1", "2", "5"):
        monkeypatch.setenv(sparse_sums.THREADS_VARIABLE, number)
        again = grab_cut(image(30.0), labels(), BOXES[::-1], 3, silent)
        np.testing.assert_array_equal(again, cut)


def test_what_is_certain_stays_as_it_was_labelled() -> None:
    kinds = labels()
    kinds[30, 22:40], kinds[85, 28:44] = cv2.GC_BGD, cv2.GC_BGD  # through two discs
    kinds[12, 12:16] = cv2.GC_FGD  # in a corner of the first box
    cut = grab_cut(image(), kinds, BOXES, 0, silent)
    assert not cut[kinds == cv2.GC_BGD].any()
    assert cut[kinds == cv2.GC_FGD].all()
    assert overlap(cut, discs()) > 0.9


@pytest.mark.parametrize("side", [3, 4, 9])
def test_a_box_of_few_pixels_is_cut_as_well(side: int) -> None:
    picture = np.full((40, 40, 3), 50, dtype=np.uint8)
    kinds = np.full((40, 40), cv2.GC_BGD, dtype=np.uint8)
    kinds[10 : 10 + side, 10 : 10 + side] = cv2.GC_PR_FGD
    picture[10 : 10 + side, 10 : 10 + side] = 200
    cut = grab_cut(picture, kinds, [(10, 10, side, side)], 0, silent)
    np.testing.assert_array_equal(cut, kinds == cv2.GC_PR_FGD)


def test_an_image_of_one_colour_is_cut_without_a_fault() -> None:
    flat = np.full((*SHAPE, 3), 77, dtype=np.uint8)
    cut = grab_cut(flat, labels(), BOXES, 0, silent)
    assert not cut[labels() == cv2.GC_BGD].any()


def test_it_can_be_cancelled_between_rounds() -> None:
    seen = []

    def report(fraction: float) -> None:
        seen.append(fraction)
        if len(seen) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        grab_cut(image(), labels(), BOXES, 0, report)
    assert len(seen) == 2
