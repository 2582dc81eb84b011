"""Windows on the spectrum and their maps, against plain sums and straight lines."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.fitting.energy_windows import (
    EnergyWindow,
    element_windows,
    line_window,
    window_maps,
    window_weights,
)

AXIS = EnergyAxis(0.0, 0.01, 1000)


def test_without_background_a_window_counts_its_channels_once() -> None:
    weights = window_weights(AXIS, EnergyWindow(1.70, 1.78))
    assert np.flatnonzero(weights).tolist() == list(range(170, 178))
    assert set(weights[170:178]) == {1.0}


@pytest.mark.parametrize(
    ("low", "high"),
    [(1.70, 1.78), (1.70, 1.77), (1.70, 1.71), (0.02, 0.50), (9.5, 9.98), (0.3, 9.0), (0.01, 9.99)],
)
def test_a_straight_continuum_leaves_nothing_in_a_window(low: float, high: float) -> None:
    weights = window_weights(AXIS, EnergyWindow(low, high, background=True))
    inside = weights > 0
    assert weights @ np.ones(AXIS.channels) == pytest.approx(0.0, abs=1e-9)
    assert weights @ AXIS.centres == pytest.approx(0.0, abs=1e-8)
    assert np.count_nonzero(inside) == round((high - low) / AXIS.step_keV)


def test_the_bands_are_half_as_wide_as_the_window_and_beside_it() -> None:
    weights = window_weights(AXIS, EnergyWindow(1.70, 1.78, background=True))
    assert np.flatnonzero(weights < 0).tolist() == [166, 167, 168, 169, 178, 179, 180, 181]
    np.testing.assert_allclose(weights[weights < 0], -1.0)


def test_a_line_on_a_sloping_continuum_is_measured_by_its_window() -> None:
    counts = 500.0 - 30.0 * AXIS.centres
    counts[171:177] += [10, 50, 90, 90, 50, 10]
    weights = window_weights(AXIS, EnergyWindow(1.70, 1.78, background=True))
    assert weights @ counts == pytest.approx(300.0)


def test_at_the_end_of_the_axis_a_level_continuum_leaves_nothing() -> None:
    weights = window_weights(AXIS, EnergyWindow(0.0, 0.1, background=True))
    assert weights.sum() == pytest.approx(0.0, abs=1e-12)
    assert np.flatnonzero(weights < 0).tolist() == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(
    ("window", "told"),
    [
        (EnergyWindow(11.0, 12.0), "from 11 to 12 keV holds no channel"),
        (EnergyWindow(2.0, 1.0), "holds no channel"),
        (EnergyWindow(1.001, 1.002), "make it wider"),
        (EnergyWindow(float("nan"), 2.0), "holds no channel"),
        (EnergyWindow(-1.0, 20.0, background=True), "covers the whole axis"),
    ],
)
def test_a_window_that_cannot_be_used_is_refused(window: EnergyWindow, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        window_weights(AXIS, window)


def test_maps_of_windows_are_plain_sums_over_the_channels(rng: np.random.Generator) -> None:
    axis = EnergyAxis(0.1, 0.01, 60)
    cube = rng.poisson(0.4, (5, 7, 60))
    image = SpectrumImage.from_array(cube, axis)
    windows = [EnergyWindow(0.2, 0.28), EnergyWindow(0.4, 0.5, background=True)]
    maps = window_maps(image, windows)
    assert maps.shape == (2, 5, 7)
    np.testing.assert_allclose(maps[0], cube[:, :, 10:18].sum(axis=2))
    beside = cube[:, :, 25:30].sum(axis=2) + cube[:, :, 40:45].sum(axis=2)
    np.testing.assert_allclose(maps[1], cube[:, :, 30:40].sum(axis=2) - beside, atol=1e-12)
    np.testing.assert_allclose(maps[0], image.window_map(0.2, 0.28))
    assert window_maps(image, []).shape == (0, 5, 7)


def test_the_window_of_a_line_is_a_little_wider_than_the_line() -> None:
    window = line_window(5.8987, 130.0)  # at Mn K alpha the width is 130 eV by definition
    assert window.high_keV - window.low_keV == pytest.approx(1.2 * 0.130)
    assert (window.high_keV + window.low_keV) / 2 == pytest.approx(5.8987)


def test_elements_get_the_window_of_the_line_they_are_measured_by() -> None:
    windows = element_windows(("Si", "Nd", "U", "H"), EnergyAxis(0.3, 0.01, 1970), 200.0)
    assert list(windows) == ["Si", "Nd", "U"]
    for element, energy in {"Si": 1.740, "Nd": 5.228, "U": 3.170}.items():
        middle = (windows[element].low_keV + windows[element].high_keV) / 2
        assert middle == pytest.approx(energy, abs=0.003)


def test_an_element_without_a_line_on_the_axis_has_no_window() -> None:
    assert list(element_windows(("O", "Fe"), EnergyAxis(1.0, 0.01, 900), 200.0)) == ["Fe"]
