"""A region that holds pixels of the matrix subtracted from it: groups of pixels drawn anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from scipy.stats import chi2

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.fitting.subtraction import subtract, subtract_areas
from endmember.core.quantification.cliff_lorimer import Method, composition_of
from endmember.core.quantification.partition import conventional_covariance, partition_coefficients
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import GivenFactor
from endmember.core.xrays.line_shapes import Calibration
from line_spectra import expected_counts

AXIS = EnergyAxis(0.9, 0.02, 350)
ELEMENTS = ("Mg", "Al", "Si", "Fe")
OTHERS = ("Mg", "Al", "Fe")
KEPT = [ELEMENTS.index(e) for e in OTHERS]
MATRIX = {"Mg": 5.0e4, "Al": 1.6e4, "Si": 6.0e4, "Fe": 8.0e3}
PRECIPITATE = {"Mg": 2.0e4, "Al": 5.0e3, "Si": 0.0, "Fe": 5.0e3}
IN_BOTH = 0.7  # of the matrix's counts: those of pixels that the region holds too
UNDER = 0.5  # matrix in the pixels that the region alone holds
METHOD = Method(
    ELEMENTS,
    given={
        e: GivenFactor("K", k, "atomic") for e, k in zip(ELEMENTS, (1, 1.1, 1, 1.4), strict=True)
    },
)
DRAWS = 200
CHANCE = 1e-3  # that a comparison misses its bounds though all is right


expected = partial(expected_counts, AXIS)
OF_MATRIX = expected(MATRIX, 300.0)
# the three groups of pixels: of the matrix alone, of both, of the region alone
GROUPS = (
    (1 - IN_BOTH) * OF_MATRIX,
    IN_BOTH * OF_MATRIX,
    UNDER * OF_MATRIX + expected(PRECIPITATE, 50.0),
)


@dataclass(frozen=True)
class Overlap:
    """Region and matrix as fitted, and the counts of the pixels that are in both."""

    mixture: SpectrumFit
    matrix: SpectrumFit
    common: FloatArray | None

    def areas(self) -> SpectrumFit:
        return subtract_areas(self.mixture, self.matrix, "Si", "K", self.common)

    def covariance(self) -> FloatArray:
        return conventional_covariance(self.mixture, self.matrix, "Si", "K", self.common)

    def sigmas(self) -> FloatArray:
        return np.sqrt(np.diag(self.areas().covariance)[KEPT])

    def coefficients(self, field: str) -> FloatArray:
        """Of Mg, Al, Fe, by atoms and then by weight."""
        p = composition_of(self.areas(), METHOD, absent="Si")
        b = composition_of(self.matrix, METHOD)
        found = {d.element: d for d in partition_coefficients(p, b, self.covariance())}
        both = [(getattr(found[e].atomic, field), getattr(found[e].weight, field)) for e in OTHERS]
        return np.array(both, dtype=float).T.ravel()


def fit(counts: FloatArray) -> SpectrumFit:
    return fit_spectrum(
        Spectrum(np.array(counts, dtype=float), AXIS, 200.0, 22.0),
        ELEMENTS,
        detector=Detector(),
        calibration=Calibration(),
        refine_calibration=False,
    )


def overlap(matrix_alone: FloatArray, both: FloatArray, region_alone: FloatArray) -> Overlap:
    common = np.asarray(both, dtype=float)
    return Overlap(fit(both + region_alone), fit(matrix_alone + both), common)


@pytest.fixture(scope="module")
def draws() -> list[Overlap]:
    """The groups of pixels drawn 200 times, spectra summed and fitted anew."""
    rng = np.random.default_rng(20250702)
    return [overlap(*(rng.poisson(group) for group in GROUPS)) for _ in range(DRAWS)]


@pytest.fixture(scope="module")
def ideal() -> Overlap:
    """Without noise: the error that is stated of the truth."""
    return overlap(*GROUPS)


@pytest.fixture(scope="module")
def unaware(ideal: Overlap) -> Overlap:
    """As if region and matrix had no pixel in common."""
    return replace(ideal, common=None)


def bounds(comparisons: int) -> tuple[float, float]:
    """The lowest and highest scatter over a sigma that is right, for draws of a normal value."""
    tail = CHANCE / (2 * comparisons)
    low, high = np.sqrt(chi2.ppf([tail, 1 - tail], DRAWS - 1) / (DRAWS - 1))
    return float(low), float(high)


def scatter(values: list[FloatArray]) -> FloatArray:
    return np.asarray(np.std(values, axis=0, ddof=1))


def test_the_stated_error_of_the_areas_is_their_scatter(
    draws: list[Overlap], ideal: Overlap, unaware: Overlap
) -> None:
    """And without the common counts it is not, for any element."""
    low, high = bounds(len(OTHERS))
    found = scatter([one.areas().areas[KEPT] for one in draws])
    ratio, wrong = found / ideal.sigmas(), found / unaware.sigmas()
    assert low < ratio.min()
    assert ratio.max() < high
    assert wrong.max() < low


def test_the_stated_error_of_a_partition_coefficient_is_its_scatter(
    draws: list[Overlap], ideal: Overlap, unaware: Overlap
) -> None:
    """And without the common counts it is not, for any element on either basis."""
    low, high = bounds(2 * len(OTHERS))
    found = scatter([one.coefficients("value") for one in draws])
    ratio, wrong = (found / one.coefficients("sigma") for one in (ideal, unaware))
    assert low < ratio.min()
    assert ratio.max() < high
    assert wrong.max() < low


def test_the_factor_scatters_as_stated(
    draws: list[Overlap], ideal: Overlap, unaware: Overlap
) -> None:
    low, high = bounds(1)
    factors = [subtract(one.mixture, one.matrix, "Si", "K").factor for one in draws]
    stated, wrong = (
        subtract(one.mixture, one.matrix, "Si", "K", common=one.common).factor_sigma
        for one in (ideal, unaware)
    )
    assert low < np.std(factors, ddof=1) / stated < high
    assert np.std(factors, ddof=1) / wrong < low


def test_the_counts_left_scatter_as_stated(
    draws: list[Overlap], ideal: Overlap, unaware: Overlap
) -> None:
    """Summed over the lines of Mg, Al and Fe, over a background, and over the whole spectrum."""
    spans = [(1.15, 1.35), (1.4, 1.58), (6.2, 6.6), (3.0, 5.0), (0.0, 99.0)]
    rows = np.array([(AXIS.centres >= a) & (AXIS.centres < b) for a, b in spans], dtype=float)
    found = scatter(
        [rows @ subtract(d.mixture, d.matrix, "Si", "K").spectrum.counts for d in draws]
    )
    ratios = []
    for one in (ideal, unaware):
        left = subtract(one.mixture, one.matrix, "Si", "K", common=one.common).spectrum
        assert left.covariance is not None
        ratios.append(found / np.sqrt(np.diag(left.covariance.project(rows))))
    low, high = bounds(len(spans))
    assert low < ratios[0].min()
    assert ratios[0].max() < high
    assert ratios[1].max() < low


def test_the_areas_left_move_with_those_of_the_matrix_as_stated(
    draws: list[Overlap], ideal: Overlap, unaware: Overlap
) -> None:
    n = len(OTHERS)
    moved = [np.hstack([one.areas().areas[KEPT], one.matrix.areas]) for one in draws]
    both = np.cov(np.array(moved).T)
    scale = np.sqrt(np.outer(np.diag(both)[:n], np.diag(both)[n:]))
    off, wrong = ((one.covariance()[KEPT] - both[:n, n:]) / scale for one in (ideal, unaware))
    # a correlation of n draws has an error of at most 1 / sqrt(n): 7 %
    assert np.abs(off).max() < 4 / np.sqrt(DRAWS)
    assert np.abs(wrong).max() > 4 / np.sqrt(DRAWS)
    silicon = ELEMENTS.index("Si")
    assert np.abs(ideal.covariance()[silicon]).max() < 1e-9 * np.abs(ideal.covariance()).max()


def test_drawn_counts_state_the_error_of_the_expected_ones(
    draws: list[Overlap], ideal: Overlap
) -> None:
    stated = np.array([one.sigmas() for one in draws[:50]])
    np.testing.assert_allclose(stated / ideal.sigmas(), 1.0, atol=0.03)


def test_a_region_that_holds_the_whole_matrix_is_left_with_its_own_counts() -> None:
    """m = b + r and a = 1: p is r, whose variance is its own."""
    region_alone = GROUPS[2]
    one = overlap(np.zeros_like(OF_MATRIX), OF_MATRIX, region_alone)
    done = subtract(one.mixture, one.matrix, "Si", "K", 1.0, one.common)
    np.testing.assert_allclose(done.spectrum.counts, region_alone, rtol=1e-9)
    assert done.spectrum.covariance is not None
    np.testing.assert_allclose(done.spectrum.covariance.variance, region_alone, rtol=0.01)


def test_the_covariance_of_the_areas_is_that_of_independent_groups(ideal: Overlap) -> None:
    """dN_p = Q (H_m (ds + dr) - a H_b (ds + do)), each group once, written out."""
    mixture, matrix = ideal.mixture, ideal.matrix
    x = ELEMENTS.index("Si")
    a, q = mixture.areas[x] / matrix.areas[x], np.eye(len(ELEMENTS))
    q[:, x] -= matrix.areas / matrix.areas[x]
    of_left = (
        -a * q @ matrix.estimator,
        q @ (mixture.estimator - a * matrix.estimator),
        q @ mixture.estimator,
    )
    of_matrix = (matrix.estimator, matrix.estimator, np.zeros_like(matrix.estimator))
    left = sum((h * group) @ h.T for h, group in zip(of_left, GROUPS, strict=True))
    crossed = sum((h * group) @ g.T for h, g, group in zip(of_left, of_matrix, GROUPS, strict=True))
    for stated, truth in ((ideal.areas().covariance, left), (ideal.covariance(), crossed)):
        np.testing.assert_allclose(stated, truth, atol=0.003 * np.abs(truth).max())


@pytest.mark.parametrize("counts", [0.3, 0.003])
def test_few_counts_never_give_a_negative_variance(rng: np.random.Generator, counts: float) -> None:
    """Common counts are drawn, and may lie above what the fits expect in a channel."""
    one = overlap(*(rng.poisson(counts * group) for group in (0.01 * GROUPS[0], *GROUPS[1:])))
    for fitted in (one.areas(), subtract(one.mixture, one.matrix, "Si", "K", 1.0, one.common)):
        assert fitted.spectrum.covariance is not None
        assert fitted.spectrum.covariance.diagonal.min() >= 0
    covariance = one.areas().covariance
    scale = np.abs(covariance).max()
    assert np.linalg.eigvalsh(covariance).min() > -1e-9 * scale
    assert one.areas().variance.min() >= 0


def test_no_common_counts_change_nothing(draws: list[Overlap]) -> None:
    none, zeros = (replace(draws[0], common=c) for c in (None, np.zeros(AXIS.channels)))
    np.testing.assert_array_equal(none.covariance(), zeros.covariance())
    for name in ("areas", "covariance", "variance", "fitted"):
        np.testing.assert_array_equal(getattr(none.areas(), name), getattr(zeros.areas(), name))
    kept = [one.areas().spectrum.covariance for one in (none, zeros)]
    assert kept[0] is not None
    assert kept[1] is not None
    np.testing.assert_array_equal(kept[0].project(np.eye(350)), kept[1].project(np.eye(350)))


def test_the_values_do_not_depend_on_the_common_counts(ideal: Overlap, unaware: Overlap) -> None:
    np.testing.assert_array_equal(ideal.areas().areas, unaware.areas().areas)
    np.testing.assert_array_equal(ideal.coefficients("value"), unaware.coefficients("value"))


def test_common_counts_on_other_channels_are_refused(ideal: Overlap) -> None:
    with pytest.raises(ValueError, match="other channels"):
        replace(ideal, common=np.zeros(AXIS.channels - 1)).areas()
