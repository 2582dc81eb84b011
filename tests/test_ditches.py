"""Ditches of component spectra, against spectra that are made with and without them."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.unmixing.ditches import continuum, ditches, expected_continua
from endmember.core.xrays.line_shapes import fwhm_keV

AXIS = EnergyAxis(0.3, 0.01, 1000)
ENERGY = AXIS.centres
SMOOTH = 3000.0 / ENERGY


def peak(energy_keV: float, area: float) -> np.ndarray:
    sigma = float(fwhm_keV(energy_keV, 130.0)) / 2.3548
    gauss = np.exp(-0.5 * ((ENERGY - energy_keV) / sigma) ** 2)
    return np.asarray(area * gauss / gauss.sum())


def found(components: np.ndarray) -> tuple[tuple[tuple[float, float], ...], ...]:
    counts = components.sum(axis=1)
    spectra = components / counts[:, None]
    return ditches(spectra, counts, AXIS, expected_continua(spectra, counts, AXIS))


def test_the_continuum_under_separate_peaks_is_found() -> None:
    summed = SMOOTH + peak(1.74, 400_000) + peak(3.69, 200_000) + peak(6.4, 100_000)
    inner = (ENERGY > 1.0) & (ENERGY < 9.5)
    np.testing.assert_allclose(continuum(summed, AXIS)[inner], SMOOTH[inner], rtol=0.06)


def test_counting_noise_does_not_pull_the_continuum_down(rng: np.random.Generator) -> None:
    level = rng.poisson(np.full(AXIS.channels, 40.0)).astype(float)
    assert continuum(level, AXIS)[50:-50].mean() == pytest.approx(40.0, rel=0.12)


def test_a_component_without_bremsstrahlung_where_another_has_a_line_has_a_ditch_there() -> None:
    line = peak(3.69, 200_000)
    near = np.abs(ENERGY - 3.69) < 0.12
    with_line = 0.5 * SMOOTH + line + np.where(near, 0.5 * SMOOTH, 0.0)
    without = np.where(near, 0.0, 0.5 * SMOOTH) + peak(1.74, 400_000)
    none, one = found(np.array([with_line, without]))
    assert none == ()
    assert len(one) == 1
    low, high = one[0]
    # a window of one FWHM about its ends holds a quarter of the continuum
    assert (low + high) / 2 == pytest.approx(3.69, abs=0.011)
    assert 0.1 < high - low < 0.24


def test_components_with_their_share_of_the_continuum_have_no_ditch(
    rng: np.random.Generator,
) -> None:
    expected = np.array([0.6 * SMOOTH + peak(1.74, 400_000), 0.4 * SMOOTH + peak(6.4, 200_000)])
    assert found(rng.poisson(expected).astype(float)) == ((), ())


def test_a_lack_of_counts_that_noise_can_explain_is_no_ditch() -> None:
    near = np.abs(ENERGY - 3.69) < 0.12
    few = np.array([SMOOTH, np.where(near, 0.0, SMOOTH)]) / 3000.0  # 3 counts expected there
    assert found(few) == ((), ())
    assert found(1000.0 * few)[1] != ()


def test_a_component_that_is_one_line_lies_in_a_ditch_nearly_everywhere() -> None:
    _, line = found(np.array([SMOOTH, peak(8.05, 300_000)]))
    assert sum(high - low for low, high in line) > 9.0


def test_a_dip_narrower_than_a_line_is_no_ditch() -> None:
    middle = AXIS.span(3.69, 3.70).start
    for half, seen in ((4, False), (12, True)):
        dip = SMOOTH.copy()
        dip[middle - half : middle + half + 1] = 0.0
        assert bool(found(np.array([2 * SMOOTH - dip, dip]))[1]) is seen


def test_single_channels_without_counts_are_no_ditches() -> None:
    holes = SMOOTH.copy()
    holes[::7] = 0.0
    assert found(np.array([SMOOTH, holes]))[1] == ()
