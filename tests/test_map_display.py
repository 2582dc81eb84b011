"""Maps made ready for the eyes, and sums over windows, against slow plain versions."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.counts.span_sums import project_spans
from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.display.map_display import colour_overlay, scaled, smoothed


def test_smoothing_is_a_gaussian_mean_of_the_neighbours() -> None:
    point = np.zeros((41, 41))
    point[20, 20] = 100.0
    found = smoothed(point, 2.0)
    y, x = np.mgrid[-20:21, -20:21]
    gauss = np.exp(-(x**2 + y**2) / (2 * 2.0**2))
    np.testing.assert_allclose(found, 100 * gauss / gauss.sum(), atol=2e-3)
    assert found.sum() == pytest.approx(100.0)


def test_smoothing_leaves_a_level_map_level_up_to_its_edges() -> None:
    np.testing.assert_allclose(smoothed(np.full((9, 12), 7), 3.0), 7.0)


def test_no_smoothing_changes_nothing(rng: np.random.Generator) -> None:
    counts = rng.poisson(3.0, (5, 6))
    np.testing.assert_array_equal(smoothed(counts, 0.0), counts)


def test_the_ends_become_0_and_1_and_what_lies_beyond_goes_beyond() -> None:
    np.testing.assert_allclose(
        scaled(np.array([-1.0, 2.0, 5.0, 8.0, 11.0]), (2, 8)), [-0.5, 0, 0.5, 1, 1.5]
    )
    with pytest.raises(ValueError, match="do not rise"):
        scaled(np.zeros(3), (4.0, 4.0))


def test_each_map_of_an_overlay_has_a_colour_and_ends_of_its_own() -> None:
    red = np.array([[0.0, 10.0], [5.0, 20.0]])
    blue = np.array([[100.0, 200.0], [300.0, 0.0]])
    colours = colour_overlay([red, None, blue], [(0, 10), (0, 1), (100, 300)])
    assert colours.dtype == np.uint8
    assert colours[..., 0].tolist() == [[0, 255], [128, 255]]
    assert not colours[..., 1].any()
    assert colours[..., 2].tolist() == [[0, 128], [255, 0]]


@pytest.mark.parametrize("maps", [[None, None, None], [np.zeros((2, 2)), np.zeros((2, 3)), None]])
def test_an_overlay_of_nothing_or_of_unlike_maps_is_refused(maps: list[np.ndarray | None]) -> None:
    with pytest.raises(ValueError, match="maps of one shape"):
        colour_overlay(maps, [(0, 1)] * 3)


def test_sums_over_runs_of_channels_are_the_plain_matrix_product(rng: np.random.Generator) -> None:
    cube = rng.poisson(0.2, (6, 5, 80))
    cube[2, 3] = 0  # a pixel without a count
    image = SpectrumImage.from_array(cube, EnergyAxis(0.0, 0.01, 80))
    basis = np.zeros((80, 5))
    basis[0:1, 0], basis[79:, 1] = 1.0, 2.0  # at the ends of the axis
    basis[10:25, 2] = rng.normal(size=15)
    basis[20:40:3, 3] = 1.0  # zeros within the run; the last column stays empty
    found = project_spans(image, basis)
    np.testing.assert_allclose(found, cube.reshape(30, 80) @ basis, atol=1e-12)
