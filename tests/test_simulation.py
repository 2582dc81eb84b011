"""The simulator: its truth is consistent, and its counts are Poisson counts of that truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.progress import Cancelled
from endmember.core.simulation.electron_images import draw_images, expected_electrons
from endmember.core.simulation.simulated_map import (
    Truth,
    draw_counts,
    expected_truth,
    relative_scattering,
    simulate_map,
    truth_arrays,
)
from endmember.core.simulation.specimens import PHASES, depth_shares, grains_of, loose_rectangles
from endmember.core.xrays.lines import alpha_energy_keV, atomic_mass, emission_lines

SIZE = 96


@pytest.fixture(scope="module")
def simulated() -> tuple[SpectrumImage, Truth]:
    return simulate_map(SIZE, counts_per_pixel=160.0, seed=3)


@pytest.fixture(scope="module")
def truth(simulated: tuple[SpectrumImage, Truth]) -> Truth:
    return simulated[1]


def everywhere() -> np.ndarray:
    return np.ones((SIZE, SIZE), dtype=bool)


def test_every_spectrum_has_unit_area_and_no_negative_channel(truth: Truth) -> None:
    spectra = np.vstack([truth.spectra, truth.system_spectrum])
    np.testing.assert_allclose(spectra.sum(axis=1), 1, rtol=1e-12)
    assert spectra.min() >= 0


def test_abundances_and_depths_add_up_to_one(truth: Truth) -> None:
    for shares in (truth.abundance, truth.depth_share):
        np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-12)
        assert shares.min() >= 0


def test_compositions_are_those_of_the_phases(truth: Truth) -> None:
    np.testing.assert_allclose(truth.atomic_percent.sum(axis=1), 100)
    percent = dict(zip(truth.elements, truth.atomic_percent[0], strict=True))
    assert percent["Mg"] / percent["O"] == pytest.approx(18.30 / 55.32)
    absent = [truth.elements.index(e) for e in ("Si", "Ca", "Nd", "Sm", "U")]
    assert np.all(truth.atomic_percent[1][absent] == 0)
    assert truth.atomic_percent[2][truth.elements.index("Mg")] == 0


def test_line_shares_give_the_composition_back(truth: Truth) -> None:
    # Cliff-Lorimer by hand with absorption from chi, for Mg over Si in the matrix
    import xraylib

    grams = {e: n * atomic_mass(e) for e, n in PHASES[0].atomic_percent.items()}
    path = 117e-7 * 4.1 / np.sin(np.radians(22))

    def atoms(element: str) -> float:
        signal = 0.0
        for line in emission_lines(element, 200.0):
            if line.family == "K" and line.alpha:
                energy = line.energy_keV
                mu = sum(
                    g * xraylib.CS_Total(xraylib.SymbolToAtomicNumber(e), energy)
                    for e, g in grams.items()
                )
                chi = mu / sum(grams.values()) * path
                front = 2.33 * 50e-7 * xraylib.CS_Total(14, energy)
                front += 2.70 * 30e-7 * xraylib.CS_Total(13, energy)
                depth = -np.expm1(-2.33 * 450e-4 * xraylib.CS_Total(14, energy))
                efficiency = np.exp(-front) * depth
                signal += line.cross_section_cm2 * -np.expm1(-chi) / chi * efficiency
        return float(truth.alpha_share[0][truth.elements.index(element)] / signal)

    assert atoms("Mg") / atoms("Si") == pytest.approx(18.30 / 21.12, rel=1e-9)


def test_an_isolated_line_lies_where_the_true_axis_puts_it(truth: Truth) -> None:
    # Fe K alpha of Fp, which has no other line near; channels read (E - 2 eV) / 1.0003
    expected = (alpha_energy_keV("Fe", "K", 200.0) - 0.002) / 1.0003
    near = np.abs(truth.axis.centres - expected) < 0.2
    spectrum = truth.spectra[1][near]
    net = spectrum - np.linspace(spectrum[0], spectrum[-1], len(spectrum))
    centre = np.average(truth.axis.centres[near], weights=net)
    assert centre == pytest.approx(expected, abs=2e-4)


def test_lines_and_continuum_make_up_the_phase(truth: Truth) -> None:
    family = truth.family_share.sum(axis=1)
    # other families of the same elements (Ca L, Fe L ...) take a few percent more
    assert np.all((family > 0.7) & (family < 0.9))
    assert np.all(truth.alpha_share <= truth.family_share)


def test_the_mean_number_of_counts_is_the_one_asked_for(truth: Truth) -> None:
    mean = truth.specimen_counts.mean() + truth.system_counts
    assert mean == pytest.approx(160.0, rel=1e-12)
    assert truth.system_counts == pytest.approx(0.04 * 160.0)


def test_total_counts_agree_with_expectation(simulated: tuple[SpectrumImage, Truth]) -> None:
    image, truth = simulated
    expected = 160.0 * SIZE**2
    assert abs(image.total - expected) < 4 * np.sqrt(expected)
    spectrum = truth.expected_spectrum(everywhere())
    assert spectrum.sum() == pytest.approx(expected)
    large = spectrum > 25
    z = (image.spectrum().counts - spectrum)[large] / np.sqrt(spectrum[large])
    degrees = len(z)
    assert abs((z**2).sum() - degrees) < 4 * np.sqrt(2 * degrees + (1 / spectrum[large]).sum())


def test_counts_of_pixels_vary_as_poisson(simulated: tuple[SpectrumImage, Truth]) -> None:
    image, truth = simulated
    for low, high in ((0.4, 0.65), (1.6, 1.9), (3.5, 20.0)):
        window = truth.axis.span(low, high)
        shares = truth.spectra[:, window].sum(axis=1)
        expected = np.tensordot(shares, truth.abundance, 1) * truth.specimen_counts
        expected += truth.system_counts * truth.system_spectrum[window].sum()
        z = (image.window_map(low, high) - expected) / np.sqrt(expected)
        pixels = z.size
        assert abs(z.mean()) < 4 / np.sqrt(pixels)
        spread = np.sqrt((2 + (1 / expected).mean()) / pixels)
        assert abs((z**2).mean() - 1) < 4 * spread


def test_channels_of_a_pixel_are_drawn_independently(truth: Truth) -> None:
    # the two halves of an energy window: no covariance between Poisson channels
    image = draw_counts(truth, seed=11)
    a, b = image.window_map(1.6, 1.74), image.window_map(1.74, 1.9)
    deviations = []
    for found, (low, high) in ((a, (1.6, 1.74)), (b, (1.74, 1.9))):
        window = truth.axis.span(low, high)
        shares = truth.spectra[:, window].sum(axis=1)
        expected = np.tensordot(shares, truth.abundance, 1) * truth.specimen_counts
        expected += truth.system_counts * truth.system_spectrum[window].sum()
        deviations.append((found - expected) / np.sqrt(expected))
    assert abs((deviations[0] * deviations[1]).mean()) < 4 / SIZE


def test_the_same_seed_gives_the_same_map() -> None:
    first, second = (simulate_map(32, 60.0, seed=5)[0] for _ in range(2))
    for name in ("starts", "channels", "counts"):
        assert np.array_equal(getattr(first, name), getattr(second, name))


def test_images_leave_the_random_numbers_of_the_counts_alone(
    truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_images = draw_counts(truth, seed=3)
    monkeypatch.setattr("endmember.core.simulation.simulated_map.draw_images", lambda *_: {})
    without = draw_counts(truth, seed=3)
    for name in ("starts", "channels", "counts"):
        assert getattr(with_images, name).tobytes() == getattr(without, name).tobytes()


def test_the_scattering_of_the_foil_is_the_sum_over_its_atoms(truth: Truth) -> None:
    import xraylib

    def strength(k: int) -> float:
        atoms = PHASES[k].atomic_percent
        grams = sum(
            n * xraylib.AtomicWeight(xraylib.SymbolToAtomicNumber(e)) for e, n in atoms.items()
        )
        z17 = sum(n * xraylib.SymbolToAtomicNumber(e) ** 1.7 for e, n in atoms.items())
        return float(PHASES[k].density_g_cm3 * z17 / grams)

    scattering = relative_scattering(truth)
    assert strength(1) < strength(0) < strength(2)
    for pixel in ((0, 0), (25, 41), (17, 23), (79, 81)):
        depths = truth.depth_share[:, *pixel]
        expected = sum(depths[k] * strength(k) for k in range(3)) / strength(0)
        assert scattering[pixel] == pytest.approx(expected * truth.thickness[pixel], rel=1e-3)


def test_haadf_is_bright_and_bf_dark_where_the_foil_is_heavy(
    simulated: tuple[SpectrumImage, Truth],
) -> None:
    image, truth = simulated
    level = truth.thickness / truth.thickness.mean()
    core = truth.depth_share > 0.5
    assert set(image.images) == {"HAADF", "BF"}
    for name, sign in (("HAADF", 1), ("BF", -1)):
        pixels = image.images[name]
        assert pixels.shape == (SIZE, SIZE)
        assert pixels.dtype == np.uint16
        assert not pixels.flags.writeable
        flat = pixels / expected_electrons(level)[name]
        brg, fp, capv = (flat[phase].mean() for phase in core)
        assert sign * (fp - brg) < 0 < sign * (capv - brg)
        assert sign * np.corrcoef(pixels.ravel(), truth.thickness.ravel())[0, 1] > 0.5


def test_electrons_are_poisson_under_the_noise_of_the_amplifier() -> None:
    images = draw_images(np.full((300, 300), 1.1), seed=4)
    # HAADF 3000 electrons a unit, BF 6000 exp(-0.9 x): 5 levels each over 800, sigma 60
    for name, mean in (("HAADF", 3300.0), ("BF", 6000 * np.exp(-0.99))):
        levels = images[name].astype(float)
        variance = 25 * mean + 60**2 + 1 / 12
        assert abs(levels.mean() - (800 + 5 * mean)) < 4 * np.sqrt(variance / levels.size)
        assert levels.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / levels.size))
    assert abs(np.corrcoef(images["HAADF"].ravel(), images["BF"].ravel())[0, 1]) < 4 / 300


def test_images_never_wrap_around() -> None:
    images = draw_images(np.full((16, 16), 1e3))
    assert images["HAADF"].min() == 65535
    assert images["BF"].max() < 1100


def test_the_same_seed_gives_the_same_images_and_another_others() -> None:
    first, again, other = (simulate_map(32, 60.0, seed=seed)[0].images for seed in (5, 5, 6))
    for name in ("HAADF", "BF"):
        assert np.array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])


def test_the_seed_changes_only_the_noise() -> None:
    (first, truth), (second, other) = (simulate_map(32, 60.0, seed=seed) for seed in (1, 2))
    for name, array in truth_arrays(truth).items():
        assert np.array_equal(array, truth_arrays(other)[name]), name
    assert not np.array_equal(first.count_map(), second.count_map())


def test_counts_are_stored_as_a_valid_sparse_map(simulated: tuple[SpectrumImage, Truth]) -> None:
    image, _ = simulated
    assert image.shape == (SIZE, SIZE, 2048)
    assert image.counts.min() >= 1
    for pixel in range(0, SIZE * SIZE, 997):
        own = image.channels[image.starts[pixel] : image.starts[pixel + 1]].astype(int)
        assert np.all(np.diff(own) > 0)


def test_blocks_of_any_number_of_pixels_hold_their_own_counts(truth: Truth) -> None:
    # a million expected counts in one pixel row, almost none elsewhere: pixels stay apart
    bright = np.full((SIZE, SIZE), 1e-9)
    bright[40] = 20000.0
    image = draw_counts(replace(truth, specimen_counts=bright, system_counts=1e-9))
    counts = image.count_map()
    assert counts[np.arange(SIZE) != 40].sum() == 0
    assert np.all(np.abs(counts[40] - 20000) < 6 * np.sqrt(20000))


def test_most_of_the_demo_map_is_pure_matrix_and_its_grains_end() -> None:
    depth = depth_shares(0, 256)
    touched = (depth[1:] > 0).any(axis=0)
    assert 0.14 < touched.mean() < 0.21
    assert np.all(depth[0][~touched] == 1)
    assert ((depth[1] > 0) & (depth[2] > 0)).sum() > 100  # grains of the two phases overlap


@pytest.mark.parametrize("layout", [0, 1, 2, 3, 7])
def test_every_layout_has_thirteen_and_nine_grains_within_the_map(layout: int) -> None:
    grains = grains_of(layout)
    assert [sum(g.phase == name for g in grains) for name in ("Fp", "CaPv")] == [13, 9]
    assert sorted(g.core for g in grains)[0] == pytest.approx(0.15)
    for grain in grains:
        depth = grain.depth(128)
        assert depth.max() <= grain.core
        assert depth.max() > 0.9 * grain.core
        assert (
            max(depth[0].max(), depth[-1].max(), depth[:, 0].max(), depth[:, -1].max())
            < depth.max()
        )


def test_a_specimen_looks_the_same_at_every_size() -> None:
    large, small = depth_shares(0, 256), depth_shares(0, 128)
    binned = large.reshape(3, 128, 2, 128, 2).mean(axis=(2, 4))
    assert np.abs(binned - small).mean() < 2e-3


@pytest.mark.parametrize("layout", [0, 4])
def test_each_loose_rectangle_holds_its_grain_with_room_to_spare(layout: int) -> None:
    boxes = loose_rectangles(256, layout, seed=1)
    grains = {name: [g for g in grains_of(layout) if g.phase == name] for name in boxes}
    assert sum(len(found) for found in boxes.values()) == 22
    for name, found in boxes.items():
        for (x, y, width, height), grain in zip(found, grains[name], strict=True):
            inside = np.zeros((256, 256), dtype=bool)
            inside[y : y + height, x : x + width] = True
            depth = grain.depth(256)
            assert not depth[~inside].any()
            assert 0.2 < (depth > 0).sum() / inside.sum() < 0.75


def test_a_stopped_simulation_raises_what_its_report_raises(truth: Truth) -> None:
    def stop(_: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        draw_counts(truth, report=stop)


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"counts_per_pixel": 0.0}, {"layout": -1}, {"seed": -1}]
)
def test_impossible_maps_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"0|-1"):
        simulate_map(**{"size": 16, **wrong})


def test_the_truth_can_be_stored(truth: Truth) -> None:
    arrays = truth_arrays(truth)
    assert arrays["spectra"].shape == (3, 2048)
    assert arrays["phases"].tolist() == ["Brg", "Fp", "CaPv"]
    assert all(array.dtype != object for array in arrays.values())
    expected = expected_truth(SIZE, 160.0)
    assert np.array_equal(arrays["abundance"], expected.abundance)
