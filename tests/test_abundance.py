import numpy as np
import pytest
from scipy.optimize import minimize

from endmember.core.counts.spectrum import EnergyAxis, FloatArray
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.masks.mask_algebra import partition
from endmember.core.masks.purity import core_of_matrix, matrix_purity
from endmember.core.unmixing.abundance import abundances, phase_fractions

CHANNELS = 60
AXIS = EnergyAxis(0.3, 0.1, CHANNELS)


def endmembers(size: int, seed: int = 0) -> FloatArray:
    """Unit-area spectra of peaks on a flat ground; the second has a negative stretch."""
    rng = np.random.default_rng(seed)
    channel = np.arange(CHANNELS)
    spectra = np.full((size, CHANNELS), 0.1)
    for spectrum in spectra:
        for centre, height in zip(rng.uniform(0, CHANNELS, 4), rng.uniform(0.2, 2, 4), strict=True):
            spectrum += height * np.exp(-0.5 * ((channel - centre) / 2.0) ** 2)
    if size > 1:
        spectra[1, 5:9] -= 0.3
    return spectra / spectra.sum(axis=1, keepdims=True)


def counts_image(seed: int, shape: tuple[int, int] = (6, 7), counts: float = 40.0) -> SpectrumImage:
    rng = np.random.default_rng(seed)
    mean = counts * rng.dirichlet(np.ones(CHANNELS), shape)
    return SpectrumImage.from_array(rng.poisson(mean).astype(np.uint8), AXIS)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6])
def test_abundances_are_the_optimum_a_general_solver_finds(size: int) -> None:
    image, spectra = counts_image(size), endmembers(size)
    found = abundances(image, 7.0 * spectra)
    cube = image.project(np.eye(CHANNELS))
    for pixel, row in enumerate(cube):
        y = row / row.sum()

        def misfit(a: FloatArray, y: FloatArray = y) -> float:
            return float(1e3 * ((y - a @ spectra) ** 2).sum())

        best = minimize(
            misfit,
            np.full(size, 1 / size),
            method="SLSQP",
            bounds=[(0, 1)] * size,
            constraints={"type": "eq", "fun": lambda a: a.sum() - 1},
            options={"ftol": 1e-13, "maxiter": 300},
        )
        a = found.maps[:, pixel // 7, pixel % 7]
        assert a.sum() == pytest.approx(1.0, abs=1e-10)
        assert (a >= 0).all()
        assert misfit(a) <= best.fun + 1e-9
        np.testing.assert_allclose(a, best.x, atol=2e-3)
        expected = np.sqrt(row.sum()) * np.linalg.norm(y - a @ spectra)
        assert found.residual[pixel // 7, pixel % 7] == pytest.approx(expected, rel=1e-9)


def test_exact_mixtures_are_unmixed_exactly_whatever_their_thickness() -> None:
    spectra = np.round(1e4 * np.abs(endmembers(3)))
    spectra[:, 0] += 20_000 - spectra.sum(axis=1)  # equal areas, whole numbers
    truth = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 2], [3, 0, 1], [0, 5, 5]])
    cube = (truth @ spectra).astype(np.uint32)[None]
    found = abundances(SpectrumImage.from_array(cube, AXIS), spectra)
    expected = truth / truth.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.maps[:, 0].T, expected, atol=1e-9)
    np.testing.assert_allclose(found.residual, 0.0, atol=1e-3)


def test_the_residual_is_one_where_only_counting_noise_is_left() -> None:
    spectra = np.abs(endmembers(2))
    spectra /= spectra.sum(axis=1, keepdims=True)
    rng = np.random.default_rng(2)
    cube = rng.poisson(300 * (0.6 * spectra[0] + 0.4 * spectra[1]), (60, 60, CHANNELS))
    found = abundances(SpectrumImage.from_array(cube.astype(np.uint16), AXIS), spectra)
    assert 0.9 < np.sqrt(np.mean(found.residual**2)) < 1.0  # below one: sum of squared means


def test_empty_pixels_have_no_abundance() -> None:
    cube = np.ones((2, 2, CHANNELS), np.uint8)
    cube[0, 1] = 0
    found = abundances(SpectrumImage.from_array(cube, AXIS), endmembers(2))
    assert np.isnan(found.maps[:, 0, 1]).all()
    assert np.isnan(found.residual[0, 1])
    assert np.isfinite(found.maps).sum() == 6


def test_identical_endmembers_still_sum_to_one() -> None:
    spectra = endmembers(2)[[0, 0]]
    found = abundances(counts_image(1), spectra)
    np.testing.assert_allclose(found.maps.sum(axis=0), 1.0)


def test_unusable_endmembers_are_refused() -> None:
    image = counts_image(0)
    with pytest.raises(ValueError, match="do not fit an energy axis"):
        abundances(image, np.ones((2, 5)))
    with pytest.raises(ValueError, match="7 endmembers"):
        abundances(image, endmembers(7))
    with pytest.raises(ValueError, match=r"endmember 1 .counted from 0. has no counts"):
        abundances(image, np.array([np.ones(CHANNELS), np.zeros(CHANNELS)]))
    with pytest.raises(ValueError, match="same spectrum"):
        phase_fractions(np.ones(CHANNELS), np.ones((2, CHANNELS)))


def test_phase_fractions_and_their_errors_agree_with_many_simulated_spectra() -> None:
    spectra = np.abs(endmembers(3, seed=4))
    spectra /= spectra.sum(axis=1, keepdims=True)
    truth = np.array([0.97, 0.03, 0.0])
    rng = np.random.default_rng(3)
    fits = [
        phase_fractions(rng.poisson(2e5 * truth @ spectra).astype(float), spectra)
        for _ in range(600)
    ]
    values = np.array([fractions for fractions, _ in fits])
    sigmas = np.array([sigma for _, sigma in fits])
    np.testing.assert_allclose(values.sum(axis=1), 1.0)
    spread = values.std(axis=0)
    assert (np.abs(values.mean(axis=0) - truth) < 4 * spread / np.sqrt(600)).all()
    np.testing.assert_allclose(sigmas.mean(axis=0), spread, rtol=0.12)


def test_a_given_variance_replaces_the_poisson_one() -> None:
    spectra = np.abs(endmembers(2))
    spectra /= spectra.sum(axis=1, keepdims=True)
    variance = np.linspace(1.0, 9.0, CHANNELS)
    spectrum = 1e4 * (0.3 * spectra[0] + 0.7 * spectra[1])
    fractions, sigma = phase_fractions(spectrum, spectra, variance)
    np.testing.assert_allclose(fractions, [0.3, 0.7], atol=1e-12)
    inverse = np.linalg.inv(spectra / variance @ spectra.T)
    gradient = np.array([0.7, -0.3]) / 1e4
    np.testing.assert_allclose(sigma, np.sqrt(gradient @ inverse @ gradient), rtol=1e-9)


def ringed_map(seed: int, leak: float) -> tuple[SpectrumImage, np.ndarray, FloatArray, float]:
    """A disc of precipitate whose mask misses a rim in which the share `leak` is precipitate."""
    spectra = np.abs(endmembers(2, seed=9))
    spectra /= spectra.sum(axis=1, keepdims=True)
    y, x = np.mgrid[:64, :64] - 31.5
    radius = np.hypot(x, y)
    share = np.where(radius < 14, 0.8, np.where(radius < 16, leak, 0.0))
    rng = np.random.default_rng(seed)
    mean = 200 * ((1 - share)[..., None] * spectra[0] + share[..., None] * spectra[1])
    image = SpectrumImage.from_array(rng.poisson(mean).astype(np.uint16), AXIS)
    mask = radius < 14
    return image, mask, spectra[1], float(share[~mask].mean())


@pytest.mark.parametrize("leak", [0.0, 0.3])
def test_purity_is_the_true_share_within_its_error(leak: float) -> None:
    pulls = []
    for seed in range(80):
        image, mask, precipitate, truth = ringed_map(seed, leak)
        part = partition({"Fp": mask}, np.zeros_like(mask))
        value, sigma = matrix_purity(image, part, {"Fp": precipitate})["Fp"]
        pulls.append((value - truth) / sigma)
    assert abs(np.mean(pulls)) < 4 / np.sqrt(80)
    assert 0.75 < np.std(pulls) < 1.3


def test_the_core_keeps_its_distance_from_every_mask() -> None:
    mask = np.zeros((20, 20), bool)
    mask[5, 5] = True
    part = partition({"Fp": mask}, np.zeros_like(mask))
    y, x = np.mgrid[:20, :20] - 5
    np.testing.assert_array_equal(core_of_matrix(part, 3.0), np.hypot(x, y) > 3.0)


def test_purity_without_a_core_says_what_to_do() -> None:
    image, mask, precipitate, _ = ringed_map(0, 0.0)
    grown = np.ones_like(mask)
    grown[0, 0] = False
    part = partition({"Fp": grown}, np.zeros_like(mask))
    with pytest.raises(ValueError, match="make the masks smaller"):
        matrix_purity(image, part, {"Fp": precipitate})


def test_no_precipitate_has_no_purity_to_measure() -> None:
    image, mask, _, _ = ringed_map(0, 0.0)
    assert matrix_purity(image, partition({}, np.zeros_like(mask)), {}) == {}
