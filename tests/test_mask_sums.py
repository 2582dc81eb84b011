"""Sums over masks from the nearest mask summed before: the same numbers as over all pixels."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from endmember.core.counts import mask_sums
from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage

AXIS = EnergyAxis(0.0, 0.01, 60)


@pytest.fixture
def cube(rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(0.3, (20, 30, 60)).astype(np.uint8)


def test_a_mask_that_is_moved_about_always_sums_what_a_dense_sum_does(
    cube: np.ndarray, rng: np.random.Generator
) -> None:
    image = SpectrumImage.from_array(cube, AXIS)
    mask = rng.random((20, 30)) < 0.5
    for _ in range(40):
        at = rng.integers(0, 20), rng.integers(0, 30)
        mask[at[0] : at[0] + 3, at[1] : at[1] + 3] ^= True
        np.testing.assert_array_equal(image.spectrum(mask).counts, cube[mask].sum(axis=0))
    none, whole = np.zeros((20, 30), dtype=bool), np.ones((20, 30), dtype=bool)
    assert not image.spectrum(none).counts.any()
    np.testing.assert_array_equal(image.spectrum(whole).counts, cube.sum(axis=(0, 1)))


def test_a_mask_changed_in_a_few_pixels_sums_those_alone(
    cube: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = SpectrumImage.from_array(cube, AXIS)
    mask = np.ones((20, 30), dtype=bool)
    image.spectrum(mask)
    summed = []
    plain = mask_sums.sum_masked
    monkeypatch.setattr(
        mask_sums,
        "sum_masked",
        lambda *arrays: (summed.append(np.count_nonzero(arrays[3])), plain(*arrays))[1],
    )
    mask[3, 4:9] = False  # the caller's own array: what was kept must not follow it
    np.testing.assert_array_equal(image.spectrum(mask).counts, cube[mask].sum(axis=0))
    mask[3, 4:7] = True
    image.spectrum(mask)
    assert summed == [5, 2]


def test_a_map_that_is_gone_leaves_no_sums_behind(cube: np.ndarray) -> None:
    image = SpectrumImage.from_array(cube, AXIS)
    image.spectrum()
    gone = weakref.ref(image)
    gc.collect()
    before = len(mask_sums._sums)
    del image
    gc.collect()
    assert gone() is None
    assert len(mask_sums._sums) == before - 1
