"""Sparse counts against the same sums made with dense arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage

AXIS = EnergyAxis(0.2, 0.01, 300)
ROWS, COLUMNS = 13, 17


@pytest.fixture
def cube(rng: np.random.Generator) -> npt.NDArray[np.int64]:
    return rng.poisson(0.1, (ROWS, COLUMNS, AXIS.channels))


@pytest.fixture
def image(cube: npt.NDArray[np.int64]) -> SpectrumImage:
    return SpectrumImage.from_array(cube, AXIS)


def dense(image: SpectrumImage) -> npt.NDArray[np.int64]:
    rows, columns, channels = image.shape
    out = np.zeros((rows * columns, channels), dtype=np.int64)
    for pixel in range(rows * columns):
        part = slice(int(image.starts[pixel]), int(image.starts[pixel + 1]))
        out[pixel, image.channels[part]] = image.counts[part]
    return out.reshape(image.shape)


def test_an_image_holds_every_count(cube: npt.NDArray[np.int64], image: SpectrumImage) -> None:
    np.testing.assert_array_equal(dense(image), cube)
    assert image.total == cube.sum()
    np.testing.assert_array_equal(image.count_map(), cube.sum(axis=2))


def test_blocks_of_rows_make_the_same_image(
    cube: npt.NDArray[np.int64], image: SpectrumImage
) -> None:
    blocks = [cube[:5], cube[5:6], cube[6:]]
    np.testing.assert_array_equal(
        dense(SpectrumImage.from_blocks(blocks, COLUMNS, AXIS)), dense(image)
    )


def test_the_spectrum_of_a_mask_is_the_sum_of_its_pixels(
    cube: npt.NDArray[np.int64], image: SpectrumImage, rng: np.random.Generator
) -> None:
    mask = rng.random((ROWS, COLUMNS)) < 0.4
    np.testing.assert_array_equal(image.spectrum(mask).counts, cube[mask].sum(axis=0))
    np.testing.assert_array_equal(image.spectrum().counts, cube.sum(axis=(0, 1)))


def test_projecting_and_accumulating_are_matrix_products(
    cube: npt.NDArray[np.int64], image: SpectrumImage, rng: np.random.Generator
) -> None:
    matrix = cube.reshape(-1, AXIS.channels)
    basis = rng.normal(size=(AXIS.channels, 3))
    weights = rng.normal(size=(ROWS * COLUMNS, 4))
    np.testing.assert_allclose(image.project(basis), matrix @ basis, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        image.accumulate(weights), matrix.T @ weights, rtol=1e-12, atol=1e-12
    )


def test_a_window_holds_the_channels_whose_centres_lie_in_it(
    cube: npt.NDArray[np.int64], image: SpectrumImage
) -> None:
    inside = (AXIS.centres > 0.4999) & (AXIS.centres < 1.4999)  # the upper limit is not inside
    np.testing.assert_array_equal(image.window_map(0.5, 1.5), cube[:, :, inside].sum(axis=2))


def test_a_window_off_the_axis_is_empty(image: SpectrumImage) -> None:
    assert not image.window_map(50.0, 60.0).any()


def test_cropping_cuts_the_rectangle(cube: npt.NDArray[np.int64], image: SpectrumImage) -> None:
    np.testing.assert_array_equal(dense(image.crop(3, 2, 7, 9)), cube[2:11, 3:10])


@pytest.mark.parametrize("box", [(0, 0, 0, 3), (-1, 0, 4, 4), (12, 0, 6, 4), (0, 10, 3, 4)])
def test_a_crop_outside_the_map_is_refused(
    image: SpectrumImage, box: tuple[int, int, int, int]
) -> None:
    with pytest.raises(ValueError, match=r"does not lie within the map of 17 x 13 pixels"):
        image.crop(*box)


def test_cutting_the_range_keeps_channels_and_their_energies(
    cube: npt.NDArray[np.int64], image: SpectrumImage
) -> None:
    part = image.between(0.5, 2.0)
    np.testing.assert_array_equal(dense(part), cube[:, :, 30:180])
    np.testing.assert_allclose(part.axis.centres, AXIS.centres[30:180], atol=1e-12)


@pytest.mark.parametrize(("pixels", "channels"), [(1, 1), (2, 1), (1, 3), (3, 7), (13, 300)])
def test_rebinning_sums_blocks_and_drops_what_fills_none(
    cube: npt.NDArray[np.int64], image: SpectrumImage, pixels: int, channels: int
) -> None:
    rows, columns, length = ROWS // pixels, COLUMNS // pixels, AXIS.channels // channels
    whole = cube[: rows * pixels, : columns * pixels, : length * channels]
    expected = whole.reshape(rows, pixels, columns, pixels, length, channels).sum(axis=(1, 3, 5))
    binned = image.rebin(pixels, channels)
    np.testing.assert_array_equal(dense(binned), expected)
    centres = AXIS.centres[: length * channels].reshape(length, channels).mean(axis=1)
    np.testing.assert_allclose(binned.axis.centres, centres, atol=1e-12)


@pytest.mark.parametrize(("pixels", "channels"), [(0, 1), (14, 1), (1, 0), (1, 301), (-1, 1)])
def test_rebinning_to_nothing_is_refused(image: SpectrumImage, pixels: int, channels: int) -> None:
    with pytest.raises(ValueError, match="leaves nothing of a map"):
        image.rebin(pixels, channels)


def test_rebinned_companion_images_are_averages(cube: npt.NDArray[np.int64]) -> None:
    haadf = np.arange(ROWS * COLUMNS, dtype=float).reshape(ROWS, COLUMNS)
    plain = SpectrumImage.from_array(cube, AXIS)
    image = SpectrumImage(
        plain.starts,
        plain.channels,
        plain.counts,
        ROWS,
        COLUMNS,
        AXIS,
        2.0,
        images={"HAADF": haadf},
    )
    binned = image.rebin(2)
    assert binned.images["HAADF"][1, 2] == pytest.approx(haadf[2:4, 4:6].mean())
    assert binned.pixel_size_nm == 4.0


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (-1.0, "negative"),
        (0.5, "not whole numbers"),
        (np.nan, "not numbers"),
        (np.inf, "not numbers"),
    ],
)
def test_what_is_no_count_is_refused(bad: float, told: str) -> None:
    cube = np.ones((2, 2, AXIS.channels))
    cube[1, 0, 7] = bad
    with pytest.raises(ValueError, match=told):
        SpectrumImage.from_array(cube, AXIS)


def test_complex_values_are_refused() -> None:
    with pytest.raises(ValueError, match="complex"):
        SpectrumImage.from_array(np.ones((2, 2, AXIS.channels), dtype=complex), AXIS)


def test_negative_integers_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        SpectrumImage.from_array(-np.ones((2, 2, AXIS.channels), dtype=np.int32), AXIS)


@pytest.mark.parametrize(
    ("largest", "dtype"),
    [(255, np.uint8), (256, np.uint16), (65536, np.uint32), (2**32, np.uint64)],
)
def test_counts_are_kept_in_the_smallest_type_that_holds_them(
    largest: int, dtype: npt.DTypeLike
) -> None:
    cube = np.ones((2, 2, AXIS.channels), dtype=np.int64)
    cube[1, 1, 4] = largest
    image = SpectrumImage.from_array(cube, AXIS)
    assert image.counts.dtype == dtype
    assert image.channels.dtype == np.uint16
    assert image.total == cube.sum()


def test_rebinned_counts_do_not_wrap() -> None:
    cube = np.full((2, 2, AXIS.channels), 250, dtype=np.uint8)
    binned = SpectrumImage.from_array(cube, AXIS).rebin(2, 300)
    assert binned.counts.tolist() == [4 * 300 * 250]


def test_rebinned_counts_beyond_32_bits_do_not_wrap() -> None:
    cube = np.full((2, 2, AXIS.channels), 2**31, dtype=np.uint32)
    binned = SpectrumImage.from_array(cube, AXIS).rebin(2)
    assert binned.total == 4 * 300 * 2**31


def test_an_image_cannot_be_written_to(image: SpectrumImage) -> None:
    for array in (image.starts, image.channels, image.counts, image.spectrum().counts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_an_empty_map_has_empty_sums() -> None:
    image = SpectrumImage.from_array(np.zeros((3, 4, AXIS.channels), dtype=np.uint8), AXIS)
    assert image.total == 0
    assert not image.spectrum().counts.any()
    assert image.rebin(2).total == 0
    assert image.between(0.5, 1.0).crop(0, 0, 2, 2).total == 0


def test_a_mask_of_another_shape_is_refused(image: SpectrumImage) -> None:
    with pytest.raises(ValueError, match="does not fit a map"):
        image.spectrum(np.ones((COLUMNS, ROWS), dtype=bool))
