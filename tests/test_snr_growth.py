"""Signal to noise against pixels: the law, and the parts of a map that follow it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from endmember.core.quantification.snr_growth import nested_subsets, root_law
from endmember.session.state.session import Session
from endmember.session.statistics.snr_growth import GrowthPoint, snr_growth
from endmember.session.steps.compositions import Compositions
from several_maps import two_finished_maps

PIXELS = np.array([25, 50, 100, 200, 400])


def test_subsets_hold_each_other_and_the_last_is_all(rng: np.random.Generator) -> None:
    mask = rng.random((30, 40)) < 0.4
    parts = nested_subsets(mask, np.array([0.1, 0.5, 1.0]), seed=3)
    sizes = [round(share * mask.sum()) for share in (0.1, 0.5, 1.0)]
    assert [int(p.sum()) for p in parts] == sizes
    assert not (parts[0] & ~parts[1]).any()
    assert np.array_equal(parts[2], mask)
    again = nested_subsets(mask, np.array([0.1, 0.5, 1.0]), seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
    assert not np.array_equal(parts[0], nested_subsets(mask, np.array([0.1]), seed=4)[0])


def test_subsets_are_spread_evenly() -> None:
    """200 halves of a full map: each pixel is drawn about 100 times."""
    mask = np.ones((12, 12), dtype=bool)
    times = np.sum([nested_subsets(mask, np.array([0.5]), s)[0] for s in range(200)], axis=0)
    assert chi2.sf(float(((times - 100) ** 2).sum() / 50), 143) > 1e-4


def test_the_law_finds_its_coefficient_and_its_errors(rng: np.random.Generator) -> None:
    """2000 draws of pixels with a Poisson signal on a Poisson background, sums nested."""
    signal, background, draws = 2.0, 8.0, 2000
    peak = rng.poisson(signal + background, (draws, PIXELS[-1]))
    net = np.cumsum(peak, axis=1)[:, PIXELS - 1] - background * PIXELS
    snr = net / np.sqrt(background * PIXELS)
    unit = np.sqrt(signal + background) / np.sqrt(background)
    laws = [root_law(PIXELS, row, unit) for row in snr]
    coefficients = np.array([law.coefficient for law in laws])
    true = signal / np.sqrt(background)
    assert coefficients.mean() == pytest.approx(true, rel=0.01)
    low, high = np.sqrt(chi2.ppf([1e-4, 1 - 1e-4], draws - 1) / (draws - 1))
    assert low < coefficients.std(ddof=1) / laws[0].coefficient_sigma < high
    residuals = np.array([law.residual for law in laws])
    ratio = residuals.std(axis=0, ddof=1) / laws[0].residual_sigma
    assert low < ratio.min()
    assert ratio.max() < high
    assert residuals[0] == pytest.approx(snr[0] - coefficients[0] * np.sqrt(PIXELS))


@pytest.fixture(scope="module")
def session() -> Session:
    return two_finished_maps()[1]


@pytest.fixture(scope="module")
def points(session: Session) -> tuple[GrowthPoint, ...]:
    return snr_growth(session)


def test_all_pixels_give_the_signal_to_noise_of_the_table(
    session: Session, points: tuple[GrowthPoint, ...]
) -> None:
    found: Compositions = session.result("quantification")
    wanted = {
        (e.phase, e.map, r.element): (e.pixels, r.snr)
        for e in found.entries
        if e.source == "mask"
        for r in e.composition.rows
        if r.snr is not None
    }
    largest = {(p.phase, p.map, p.element): p for p in points}  # the last of each is the largest
    assert set(largest) == set(wanted)
    for key, point in largest.items():
        pixels, snr = wanted[key]
        assert point.pixels == pixels
        assert point.snr == pytest.approx(snr, rel=0.03, abs=0.3)


def test_signal_to_noise_grows_with_the_root_of_pixels_within_errors(
    points: tuple[GrowthPoint, ...],
) -> None:
    """Residuals over their errors where the background tells: all phases, maps and their sum."""
    pulls = np.array([p.residual / p.residual_sigma for p in points if p.residual_sigma])
    assert {p.element for p in points if p.residual_sigma} >= {"Nd", "Sm", "U", "Ca", "Al"}
    assert len(pulls) > 150
    assert 0.6 < np.sqrt(np.mean(pulls**2)) < 1.4
    assert not [p for p in points if p.element == "O" and p.residual_sigma]
    oxygen = [p for p in points if (p.phase, p.map, p.element) == ("Brg", "sum", "O")]
    slope = np.polyfit(np.log([p.pixels for p in oxygen]), np.log([p.snr for p in oxygen]), 1)[0]
    assert slope == pytest.approx(0.5, abs=0.05)


def test_the_error_falls_with_the_root_of_pixels(points: tuple[GrowthPoint, ...]) -> None:
    """For the matrix: a quarter of the pixels has twice the error."""
    of_al = [p for p in points if (p.phase, p.map, p.element) == ("Brg", "sum", "Al")]
    for part, whole in zip(of_al[:-2], of_al[2:], strict=True):
        assert part.atomic_percent_sigma / whole.atomic_percent_sigma == pytest.approx(2, rel=0.1)
