"""Subtracting the matrix: the same in counts and in compositions, and with the right errors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, LowRankCovariance, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.fitting.subtraction import (
    matrix_variance_share,
    negative_stretches,
    subtract,
    subtract_areas,
)
from endmember.core.quantification.cliff_lorimer import Method, composition_of
from endmember.core.quantification.closure import closure
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.line_shapes import Calibration, fwhm_keV
from endmember.core.xrays.lines import emission_lines

AXIS = EnergyAxis(0.3, 0.01, 1000)
ELEMENTS = ("O", "Mg", "Al", "Si", "Fe")
MATRIX = {"O": 6.0e5, "Mg": 3.5e5, "Al": 5.0e4, "Si": 4.5e5, "Fe": 4.0e4}
PRECIPITATE = {"O": 8.0e4, "Mg": 9.0e4, "Al": 0.0, "Si": 0.0, "Fe": 3.0e4}
SHARE = 0.35  # of the matrix spectrum in the mixture


def expected(areas: dict[str, float], continuum: float) -> FloatArray:
    """Gaussians of the K lines, sampled finely, over a falling continuum."""
    total = continuum * AXIS.centres**-1.0 * np.exp(-0.4 / AXIS.centres)
    total = total * Detector().efficiency(AXIS.centres)
    for element, area in areas.items():
        lines = [line for line in emission_lines(element, 200.0) if line.family == "K"]
        energies = np.array([line.energy_keV for line in lines])
        weights = np.array([line.cross_section_cm2 for line in lines])
        weights = weights * Detector().efficiency(energies)
        alpha = np.array([line.alpha for line in lines])
        for energy, weight in zip(energies, weights / weights[alpha].sum(), strict=True):
            sigma = float(fwhm_keV(energy, 130.0)) / 2.3548200450309493
            offsets = (np.arange(20) - 9.5) / 20 * AXIS.step_keV
            points = AXIS.centres[:, None] + offsets - energy
            density = np.exp(-0.5 * (points / sigma) ** 2).mean(axis=1)
            total = total + area * weight * density * AXIS.step_keV / (sigma * np.sqrt(2 * np.pi))
    return np.asarray(total)


MEAN_B = expected(MATRIX, 2000.0)
MEAN_P = expected(PRECIPITATE, 300.0)
MEAN_M = SHARE * MEAN_B + MEAN_P


def fit(counts: npt.ArrayLike) -> SpectrumFit:
    return fit_spectrum(
        Spectrum(np.array(counts, dtype=float), AXIS, 200.0, 22.0), ELEMENTS, detector=Detector()
    )


@dataclass(frozen=True)
class Pair:
    """A mixture and a matrix, drawn once and fitted."""

    mixture: SpectrumFit
    matrix: SpectrumFit


@pytest.fixture(scope="module")
def pair() -> Pair:
    rng = np.random.default_rng(5)
    return Pair(fit(rng.poisson(MEAN_M)), fit(rng.poisson(MEAN_B)))


def column(fitted: SpectrumFit, element: str) -> int:
    index = fitted.find(element, "K")
    assert index is not None
    return index


def test_counts_and_compositions_give_the_same_precipitate(pair: Pair) -> None:
    """The petrologists' three steps on closed compositions, absent element included."""
    per_count = np.linspace(0.7, 2.1, len(ELEMENTS))
    where = [column(pair.matrix, e) for e in ELEMENTS]
    n_m, n_b = pair.mixture.areas[where], pair.matrix.areas[where]
    c_m, c_b = closure(n_m, per_count), closure(n_b, per_count)
    silicon = ELEMENTS.index("Si")
    x = c_m[silicon] / c_b[silicon]
    three_steps = (c_m - x * c_b) / (1 - x)
    in_counts = closure(n_m - n_m[silicon] / n_b[silicon] * n_b, per_count)
    np.testing.assert_allclose(in_counts, three_steps, atol=1e-10)
    left = subtract_areas(pair.mixture, pair.matrix, "Si", "K")
    np.testing.assert_allclose(closure(left.areas[where], per_count), three_steps, atol=1e-10)


def test_the_conventional_subtraction_quantifies_to_the_three_steps(pair: Pair) -> None:
    method = Method(ELEMENTS)
    percent = {
        name: np.array([composition_of(f, method)[e].atomic_percent for e in ELEMENTS])
        for name, f in (("m", pair.mixture), ("b", pair.matrix))
    }
    x = percent["m"][3] / percent["b"][3]
    three_steps = (percent["m"] - x * percent["b"]) / (1 - x)
    left = composition_of(subtract_areas(pair.mixture, pair.matrix, "Si", "K"), method, absent="Si")
    found = np.array([left[e].atomic_percent for e in ELEMENTS])
    np.testing.assert_allclose(found, three_steps, atol=1e-8)
    assert left["Si"].detected == "assumed_absent"


def test_the_factor_is_the_ratio_of_the_net_areas(pair: Pair) -> None:
    done = subtract(pair.mixture, pair.matrix, "Si", "K")
    ratio = pair.mixture.areas[column(pair.mixture, "Si")]
    ratio /= pair.matrix.areas[column(pair.matrix, "Si")]
    assert done.factor == pytest.approx(ratio, rel=1e-12)
    assert abs(done.factor - SHARE) < 4 * done.factor_sigma
    np.testing.assert_allclose(
        done.spectrum.counts,
        pair.mixture.spectrum.counts - done.factor * pair.matrix.spectrum.counts,
    )


def test_without_noise_the_precipitate_comes_back(pair: Pair) -> None:
    done = subtract(fit(MEAN_M), fit(MEAN_B), "Si", "K")
    assert done.factor == pytest.approx(SHARE, rel=1e-3)
    sigma = np.sqrt(done.spectrum.covariance.variance)  # type: ignore[union-attr]
    assert np.abs((done.spectrum.counts - MEAN_P) / np.maximum(sigma, 1.0)).max() < 0.5
    assert pair.mixture.spectrum.axis == done.spectrum.axis


def test_no_net_area_of_the_absent_element_is_left(pair: Pair) -> None:
    done = subtract(pair.mixture, pair.matrix, "Si", "K")
    left = fit_spectrum(
        done.spectrum,
        ELEMENTS,
        detector=Detector(),
        calibration=pair.mixture.calibration,
        refine_calibration=False,
    )
    index = column(left, "Si")
    uncorrelated = np.sqrt(left.estimator[index] ** 2 @ left.variance)
    assert abs(left.areas[index]) < 0.2 * uncorrelated
    # the carried covariance knows that this area was made to vanish
    assert np.sqrt(left.covariance[index, index]) < 0.2 * uncorrelated


def test_the_other_areas_have_the_areas_of_the_precipitate(pair: Pair) -> None:
    done = subtract(pair.mixture, pair.matrix, "Si", "K")
    left = fit_spectrum(
        done.spectrum,
        ELEMENTS,
        detector=Detector(),
        calibration=pair.mixture.calibration,
        refine_calibration=False,
    )
    for element in ("O", "Mg", "Al", "Fe"):
        i = column(left, element)
        off = left.areas[i] - PRECIPITATE[element]
        assert abs(off) < 4 * np.sqrt(left.covariance[i, i]), element
    assert left.reduced_chi_squared == pytest.approx(1.0, abs=0.2)


def windows() -> FloatArray:
    """Indicator rows of the Si, Mg, Fe lines, one of background, and the whole spectrum."""
    spans = [(1.65, 1.85), (1.15, 1.35), (6.3, 6.5), (3.0, 5.0), (0.0, 99.0)]
    inside = [(AXIS.centres >= low) & (AXIS.centres < high) for low, high in spans]
    return np.array(inside, dtype=float)


def test_the_covariance_is_the_scatter_of_repeated_measurements(
    pair: Pair, rng: np.random.Generator
) -> None:
    """400 draws with the weights of the fits; the linear estimator of a keeps it fast."""
    w_m = pair.mixture.estimator[column(pair.mixture, "Si")]
    w_b = pair.matrix.estimator[column(pair.matrix, "Si")]
    m, b = rng.poisson(MEAN_M, (400, AXIS.channels)), rng.poisson(MEAN_B, (400, AXIS.channels))
    a = (m @ w_m) / (b @ w_b)
    sums = (m - a[:, None] * b) @ windows().T
    scatter = np.cov(sums.T)
    covariance = subtract(pair.mixture, pair.matrix, "Si", "K").spectrum.covariance
    assert covariance is not None
    stated = covariance.project(windows())
    # a variance of 400 draws has an error of sqrt(2 / 400) = 7 %
    np.testing.assert_allclose(np.diag(stated), np.diag(scatter), rtol=0.25)
    scale = np.sqrt(np.outer(np.diag(scatter), np.diag(scatter)))
    np.testing.assert_allclose(stated / scale, scatter / scale, atol=0.2)
    # and it is not the naive one: silicon is known far better, the sum far worse
    naive = windows() @ (MEAN_M + SHARE**2 * MEAN_B)
    assert stated[0, 0] < 0.5 * naive[0]
    assert stated[4, 4] > 1.5 * naive[4]


def test_the_covariance_is_the_formula_written_out(pair: Pair) -> None:
    done = subtract(pair.mixture, pair.matrix, "Si", "K")
    i, j = column(pair.mixture, "Si"), column(pair.matrix, "Si")
    identity, area = np.eye(AXIS.channels), pair.matrix.areas[j]
    p_m = identity - np.outer(pair.matrix.fitted, pair.mixture.estimator[i]) / area
    p_b = identity - np.outer(pair.matrix.fitted, pair.matrix.estimator[j]) / area
    dense = p_m @ (pair.mixture.variance[:, None] * p_m.T)
    dense += done.factor**2 * p_b @ (pair.matrix.variance[:, None] * p_b.T)
    rows = windows()
    assert done.spectrum.covariance is not None
    stated = done.spectrum.covariance.project(rows)
    written_out = rows @ dense @ rows.T
    np.testing.assert_allclose(stated, written_out, atol=1e-8 * np.abs(written_out).max())
    np.testing.assert_allclose(
        done.spectrum.covariance.variance, np.diag(dense), rtol=1e-6, atol=1e-6
    )


def test_the_factor_scatters_as_stated_when_everything_is_fitted_anew(
    pair: Pair, rng: np.random.Generator
) -> None:
    found = [
        subtract(fit(rng.poisson(MEAN_M)), fit(rng.poisson(MEAN_B)), "Si", "K") for _ in range(40)
    ]
    factors = np.array([done.factor for done in found])
    stated = subtract(pair.mixture, pair.matrix, "Si", "K").factor_sigma
    # a standard deviation of 40 draws has an error of 11 %
    assert factors.std(ddof=1) == pytest.approx(stated, rel=0.4)
    assert abs(factors.mean() - SHARE) < 4 * stated / np.sqrt(40) + 1e-4


def test_a_factor_set_too_large_leaves_a_negative_stretch_at_the_absent_line(pair: Pair) -> None:
    done = subtract(pair.mixture, pair.matrix, "Si", "K", factor=1.1 * SHARE)
    assert done.factor == 1.1 * SHARE
    assert done.factor_sigma == 0.0
    assert any(low < 1.74 < high for low, high in done.negative_keV)
    assert subtract(pair.mixture, pair.matrix, "Si", "K").negative_keV == ()


def test_an_element_that_is_not_absent_leaves_negative_stretches(pair: Pair) -> None:
    """Scaled on Mg, of which the precipitate holds plenty, too much is taken away."""
    done = subtract(pair.mixture, pair.matrix, "Mg", "K")
    assert any(low < 1.74 < high for low, high in done.negative_keV)


def test_negative_neighbours_are_one_stretch() -> None:
    counts = np.zeros(AXIS.channels)
    counts[AXIS.span(2.0, 2.6)] = -50.0
    spectrum = Spectrum(
        counts, AXIS, 200.0, covariance=LowRankCovariance.of_counts(np.full(AXIS.channels, 25.0))
    )
    ((low, high),) = negative_stretches(spectrum, 130.0)
    assert low == pytest.approx(2.0, abs=0.1)
    assert high == pytest.approx(2.6, abs=0.1)


def test_an_element_absent_from_the_matrix_cannot_scale_the_subtraction(
    rng: np.random.Generator,
) -> None:
    bare = fit(rng.poisson(MEAN_P))
    with pytest.raises(ValueError, match="Si is hardly present in the matrix"):
        subtract(bare, bare, "Si", "K")


def test_an_element_without_a_line_cannot_scale_the_subtraction(pair: Pair) -> None:
    with pytest.raises(ValueError, match="Ca has no line in the energy range"):
        subtract(pair.mixture, pair.matrix, "Ca", "K")


def test_fits_with_different_lines_are_not_subtracted(pair: Pair) -> None:
    other = fit_spectrum(pair.matrix.spectrum, ("O", "Mg", "Si"), detector=Detector())
    with pytest.raises(ValueError, match="different lines"):
        subtract_areas(pair.mixture, other, "Si", "K")


def test_the_conventional_covariance_is_the_scatter_of_redrawn_areas(
    pair: Pair, rng: np.random.Generator
) -> None:
    left = subtract_areas(pair.mixture, pair.matrix, "Si", "K")
    i = column(pair.mixture, "Si")
    m = rng.multivariate_normal(pair.mixture.areas, pair.mixture.covariance, 3000)
    b = rng.multivariate_normal(pair.matrix.areas, pair.matrix.covariance, 3000)
    areas = m - (m[:, i] / b[:, i])[:, None] * b
    stated = np.sqrt(np.maximum(np.diag(left.covariance), 0.0))
    others = [k for k in range(len(stated)) if k != i]
    np.testing.assert_allclose(areas.std(axis=0)[others], stated[others], rtol=0.1)
    assert stated[i] < 1e-3 * np.sqrt(pair.mixture.covariance[i, i])


def test_the_fit_found_the_calibration_of_the_test_spectra(pair: Pair) -> None:
    """Guards the test itself: the spectra made here are what the fit takes them for."""
    assert pair.matrix.calibration.gain == pytest.approx(Calibration().gain, abs=2e-4)
    assert pair.matrix.reduced_chi_squared == pytest.approx(1.0, abs=0.25)


def test_the_sum_of_two_covariances_is_the_covariance_of_the_sum(pair: Pair) -> None:
    one = subtract(pair.mixture, pair.matrix, "Si", "K").spectrum.covariance
    other = subtract(pair.mixture, pair.matrix, "O", "K").spectrum.covariance
    assert one is not None
    assert other is not None
    rows = windows()
    np.testing.assert_allclose(
        (one + other).project(rows), one.project(rows) + other.project(rows), rtol=1e-9
    )


def test_the_share_of_the_matrix_is_that_of_repeated_measurements(
    rng: np.random.Generator,
) -> None:
    """A small matrix redrawn alone, against matrix and mixture redrawn, each fitted anew."""
    small = 0.2 * MEAN_B
    mixture, matrix = fit(MEAN_M), fit(small)
    shares = matrix_variance_share(mixture, matrix, "Si", subtract(mixture, matrix, "Si", "K"))
    assert "Si Ka" not in shares
    x, areas = column(matrix, "Si"), mixture.areas
    only_matrix, both = [], []
    for _ in range(150):
        b, m = fit(rng.poisson(small)).areas, fit(rng.poisson(MEAN_M)).areas
        only_matrix.append(areas - areas[x] / b[x] * b)
        both.append(m - m[x] / b[x] * b)
    alone, whole = np.var(only_matrix, axis=0), np.var(both, axis=0)
    for element in ("O", "Mg", "Fe"):
        index = column(mixture, element)
        # the ratio of two variances of 150 draws scatters by at most sqrt(4 / 150) = 0.16
        assert alone[index] / whole[index] == pytest.approx(shares[f"{element} Ka"], rel=0.5)
    assert 0.3 < shares["Mg Ka"] < 0.9


def test_the_share_of_the_matrix_is_that_of_the_conventional_covariance(pair: Pair) -> None:
    """`subtract_areas` with a mixture of no error leaves what the matrix alone contributes."""
    mixture, matrix = pair.mixture, pair.matrix
    exact = replace(mixture, covariance=np.zeros_like(mixture.covariance))
    alone = np.diag(subtract_areas(exact, matrix, "Si", "K").covariance)
    whole = np.diag(subtract_areas(mixture, matrix, "Si", "K").covariance)
    shares = matrix_variance_share(mixture, matrix, "Si", subtract(mixture, matrix, "Si", "K"))
    for element in ("O", "Mg", "Al", "Fe"):
        index = column(mixture, element)
        assert shares[f"{element} Ka"] == pytest.approx(alone[index] / whole[index], rel=1e-10)
