"""Maps on different energy axes: brought to one, decomposed together and summed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from endmember.core.counts.energy_axes import common_axis, on_axis, on_common_axis, shared_out
from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.simulation.simulated_map import expected_truth
from endmember.core.unmixing.decomposition import Decomposition
from endmember.session.decisions.recipe import Recipe, changed
from endmember.session.state.session import Session
from endmember.session.steps.compositions import Compositions
from several_maps import (
    COUNTS_PER_PIXEL,
    SIZE,
    finished,
    several_maps,
    simulated,
    write_map,
)

FINE = EnergyAxis(1.003, 0.0093, 80)
COARSE = EnergyAxis(0.98, 0.01, 70)
OTHER = EnergyAxis(0.0043, 0.0107, 1900)  # of map b


def dense(image: SpectrumImage) -> np.ndarray:
    return image.project(np.eye(image.axis.channels)).reshape(image.shape)


def overlap(old: EnergyAxis, new: EnergyAxis) -> np.ndarray:
    """The share of each old channel (rows) in each new one (columns), one pair at a time."""
    shares = np.zeros((old.channels, new.channels))
    for i in range(old.channels):
        for j in range(new.channels):
            low = max(old.edges[i], new.edges[j])
            high = min(old.edges[i + 1], new.edges[j + 1])
            shares[i, j] = max(high - low, 0.0) / old.step_keV
    return shares


def test_the_mean_of_counts_dealt_out_is_that_of_sharing_by_width(
    rng: np.random.Generator,
) -> None:
    """40,000 counts a channel: each new channel within 5 of its binomial standard deviations."""
    image = SpectrumImage.from_array(rng.poisson(100, (20, 20, FINE.channels)), FINE)
    shares = overlap(FINE, COARSE)
    old = image.spectrum().counts
    wanted = old @ shares
    moved = on_axis(image, COARSE)
    spread = np.sqrt(old @ (shares * (1 - shares)) + 1e-9)
    assert np.abs((moved.spectrum().counts - wanted) / (spread + 1e-3)).max() < 5
    shared = shared_out(old[None], FINE, COARSE)[0]
    assert shared == pytest.approx(wanted, rel=1e-9, abs=1e-6)


def test_counts_dealt_out_are_independent_poisson_counts(rng: np.random.Generator) -> None:
    """Variance over mean is 1 and neighbours do not move together, over 10,000 pixels."""
    image = SpectrumImage.from_array(rng.poisson(2.0, (100, 100, FINE.channels)), FINE)
    inner = on_axis(image, common_axis([FINE, COARSE]))
    counts = dense(inner).reshape(-1, inner.axis.channels)
    pixels, channels = counts.shape
    index = (pixels - 1) * counts.var(axis=0, ddof=1) / counts.mean(axis=0)
    assert chi2.sf(index, pixels - 1).min() > 1e-3 / channels
    assert chi2.cdf(index, pixels - 1).min() > 1e-3 / channels
    correlation = np.corrcoef(counts.T)[np.triu_indices(channels, 1)]
    assert np.abs(correlation).max() < 5 / np.sqrt(pixels)
    shared = dense(image).reshape(pixels, -1) @ overlap(FINE, inner.axis)
    neighbours = np.diag(np.corrcoef(shared.T), 1)
    assert neighbours.max() > 0.2  # counts shared out by width would have moved together


def test_no_count_is_lost_inside_the_new_axis(rng: np.random.Generator) -> None:
    image = SpectrumImage.from_array(rng.poisson(1.0, (6, 7, FINE.channels)), FINE)
    wide = EnergyAxis(0.9, 0.0125, 100)
    moved = on_axis(image, wide)
    assert moved.count_map() == pytest.approx(image.count_map())
    assert (moved.counts > 0).all()
    for p in range(42):
        own = moved.channels[moved.starts[p] : moved.starts[p + 1]]
        assert (np.diff(own.astype(int)) > 0).all()


def test_the_same_seed_deals_alike_and_another_does_not(rng: np.random.Generator) -> None:
    image = SpectrumImage.from_array(rng.poisson(3.0, (6, 7, FINE.channels)), FINE)
    first, again, other = (dense(on_axis(image, COARSE, seed)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_channels_that_only_begin_elsewhere_are_moved_without_chance(
    rng: np.random.Generator,
) -> None:
    axis = EnergyAxis(1.0, 0.01, 90)
    image = SpectrumImage.from_array(rng.poisson(1.0, (5, 5, 90)), axis)
    shifted = EnergyAxis(1.07, 0.01, 60)
    assert np.array_equal(dense(on_axis(image, shifted)), dense(image)[:, :, 7:67])
    nearly = replace(axis, start_keV=1.0 + 1e-12)
    assert np.array_equal(dense(on_axis(image, nearly)), dense(image))


def test_the_common_axis_is_what_all_hold_of_the_coarsest() -> None:
    axis = common_axis([FINE, COARSE])
    assert axis.step_keV == COARSE.step_keV
    assert FINE.edges[0] <= axis.edges[0] < FINE.edges[0] + axis.step_keV
    assert COARSE.edges[-1] == pytest.approx(axis.edges[-1])


def test_maps_on_one_axis_stay_the_very_same() -> None:
    image = simulated(0, 16)
    assert on_common_axis([image, image]) == [image, image]


def test_maps_without_a_common_range_are_refused_with_their_ranges() -> None:
    with pytest.raises(ValueError, match=r"no energy range in common.*0.998 to 1.74.*5 to 6"):
        common_axis([FINE, EnergyAxis(5.005, 0.01, 100)])


def test_wider_channels_cannot_be_dealt_out_to_narrower_ones() -> None:
    image = SpectrumImage.from_array(np.ones((1, 1, 70), int), COARSE)
    with pytest.raises(ValueError, match="take the axis with the wider channels"):
        on_axis(image, FINE)


# --- maps of a recipe -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("energies")


@pytest.fixture(scope="module")
def recipe(folder: Path) -> Recipe:
    """Map b was recorded on wider channels, at other energies."""
    recipe = several_maps(folder)
    write_map(folder / "b.hspy", on_axis(simulated(1), OTHER, seed=7))
    return recipe


@pytest.fixture(scope="module")
def session(folder: Path, recipe: Recipe) -> Session:
    return finished(folder, recipe)


def test_maps_on_different_axes_are_decomposed_together_and_it_is_told(session: Session) -> None:
    decomposed = session.result("decomposition", "a")
    assert decomposed is session.result("decomposition", "b")
    found: Decomposition = decomposed.found
    assert found.axis is not None
    assert found.axis.step_keV == pytest.approx(OTHER.step_keV)
    assert found.spectra.shape[1] == found.axis.channels
    assert len(decomposed.warnings) == 1
    assert "different energy axes" in decomposed.warnings[0]
    for name in "ab":
        counts = session.result("read", name).image.total
        assert decomposed.maps_of(name).sum() == pytest.approx(counts, rel=0.01)


def test_the_sum_over_axes_is_as_right_as_each_map(session: Session) -> None:
    """In statistical sigma of the truth, and with smaller errors than either map."""
    truth = expected_truth(SIZE, COUNTS_PER_PIXEL)
    found: Compositions = session.result("quantification")
    pulls = []
    for number, phase in enumerate(truth.phases):
        by_map = {
            e.map: e.composition for e in found.entries if (e.phase, e.source) == (phase, "mask")
        }
        for element, true in zip(truth.elements, truth.atomic_percent[number], strict=True):
            row = by_map["sum"][element]
            if row.atomic_percent_sigma is None or row.atomic_percent is None:
                continue
            alone = [by_map[m][element].atomic_percent_sigma or np.inf for m in "ab"]
            expected = sum(1 / s**2 for s in alone) ** -0.5
            assert row.atomic_percent_sigma == pytest.approx(expected, rel=0.25)
            pulls.append((row.atomic_percent - true) / row.atomic_percent_sigma)
    assert len(pulls) == 25
    assert np.sqrt(np.mean(np.square(pulls))) < 1.6


def test_regions_are_summed_over_axes_too(session: Session) -> None:
    found: Compositions = session.result("quantification")
    places = {(e.phase, e.source) for e in found.entries if e.map == "sum"}
    assert {(p, s) for p in ("Fp", "CaPv") for s in ("roi", "conventional", "mask")} <= places


def test_maps_without_a_common_range_fail_with_a_sentence(folder: Path, recipe: Recipe) -> None:
    from endmember.session.results.results_folder import RunError

    write_map(folder / "low.hspy", simulated(1, 32).between(0.3, 3.0))
    write_map(folder / "high.hspy", simulated(1, 32).between(4.0, 12.0))
    maps = tuple(
        changed(recipe.maps[0], file=f"{n}.hspy", name=m, rois=())
        for n, m in (("low", "a"), ("high", "b"))
    )
    with pytest.raises(RunError, match=r"no energy range in common.*joint = false"):
        finished(folder, changed(recipe, maps=maps), "apart")
