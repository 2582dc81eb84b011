"""Partition coefficients: mixture and matrix drawn and fitted anew, closed forms, the states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from scipy.stats import binom, chi2

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.fitting.subtraction import Subtraction, subtract, subtract_areas
from endmember.core.quantification.cliff_lorimer import Composition, Method, composition_of
from endmember.core.quantification.partition import (
    PartitionCoefficient,
    SharedMatrix,
    conventional_covariance,
    partition_coefficients,
    shared_covariance,
)
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import GivenFactor
from endmember.core.xrays.line_shapes import Calibration
from line_spectra import expected_counts

AXIS = EnergyAxis(0.9, 0.02, 350)
ELEMENTS = ("Mg", "Al", "Si", "Fe")
OTHERS = ("Mg", "Al", "Fe")
MATRIX = {"Mg": 5.0e4, "Al": 1.6e4, "Si": 6.0e4, "Fe": 8.0e3}
PRECIPITATE = {"Mg": 1.2e5, "Al": 1.5e4, "Si": 0.0, "Fe": 2.5e4}
SHARE = 4.0  # little matrix was measured: its noise, four times, is most of that of the precipitate
FACTORS = {
    e: GivenFactor("K", k, "atomic") for e, k in zip(ELEMENTS, (1, 1.1, 1, 1.4), strict=True)
}
METHOD = Method(ELEMENTS, given=FACTORS)


expected = partial(expected_counts, AXIS)
MEAN_B = expected(MATRIX, 300.0)
MEAN_P = expected(PRECIPITATE, 80.0)
MEAN_M = SHARE * MEAN_B + MEAN_P


def fit(spectrum: Spectrum, elements: tuple[str, ...] = ELEMENTS) -> SpectrumFit:
    return fit_spectrum(
        spectrum,
        elements,
        detector=Detector(),
        calibration=Calibration(),
        refine_calibration=False,
    )


@dataclass(frozen=True)
class Measured:
    """One measurement of mixture and matrix, all the way to the two compositions."""

    matrix: Composition
    precipitate: Composition
    done: Subtraction
    by_hand: bool

    def coefficients(self, *, shared: bool = True) -> dict[str, PartitionCoefficient]:
        found = partition_coefficients(
            self.precipitate, self.matrix, self.covariance() if shared else None
        )
        return {d.element: d for d in found}

    def covariance(self) -> FloatArray:
        index = None if self.by_hand else self.matrix.fit.find("Si", "K")
        part = SharedMatrix(self.done.factor, self.matrix.fit, index)
        return shared_covariance(self.precipitate.fit, self.matrix.fit, [part])


def measured(m: FloatArray, b: FloatArray, factor: float | None = None) -> Measured:
    mixture, matrix = (fit(Spectrum(y.astype(float), AXIS, 200.0, 22.0)) for y in (m, b))
    done = subtract(mixture, matrix, "Si", "K", factor)
    return Measured(
        composition_of(matrix, METHOD),
        composition_of(fit(done.spectrum), METHOD, absent=None if factor else "Si"),
        done,
        factor is not None,
    )


def values(found: dict[str, PartitionCoefficient], basis: str, field: str) -> FloatArray:
    return np.array([getattr(getattr(found[e], basis), field) for e in OTHERS], dtype=float)


DRAWS = 200


@pytest.mark.parametrize("factor", [None, SHARE], ids=["scaled", "by hand"])
def test_the_stated_error_is_the_scatter_of_repeated_measurements(
    rng: np.random.Generator, factor: float | None
) -> None:
    """Mixture and matrix drawn 200 times, each fitted, subtracted and quantified anew."""
    drawn = [measured(rng.poisson(MEAN_M), rng.poisson(MEAN_B), factor) for _ in range(DRAWS)]
    stated = measured(MEAN_M, MEAN_B, factor)
    of_draws = [draw.coefficients() for draw in drawn]
    for basis in ("atomic", "weight"):
        scatter = np.array([values(found, basis, "value") for found in of_draws])
        sigma = values(stated.coefficients(), basis, "sigma")
        # a standard deviation of n draws has a relative error of 1 / sqrt(2 n): 5 %
        error = 1 / np.sqrt(2 * DRAWS)
        assert np.abs(scatter.std(axis=0, ddof=1) / sigma - 1).max() < 3 * error
        mean = values(stated.coefficients(), basis, "value")
        assert np.abs(scatter.mean(axis=0) - mean).max() < 0.3 * sigma.max()
    areas = np.array([[c.fit.areas for c in (d.precipitate, d.matrix)] for d in drawn])
    covariance = stated.covariance()
    n = covariance.shape[0]
    both = np.cov(np.hstack([areas[:, 0], areas[:, 1]]).T)
    scale = np.sqrt(np.outer(np.diag(both)[:n], np.diag(both)[n:]))
    keep = [i for i in range(n) if factor is not None or ELEMENTS[i] != "Si"]
    # a correlation of n draws has an error of at most 1 / sqrt(n): 7.1 %
    off = (covariance / scale - both[:n, n:] / scale)[keep]
    assert np.abs(off).max() < 4 / np.sqrt(DRAWS)


def test_without_the_shared_matrix_the_error_would_be_wrong() -> None:
    """Guards the comparison above: what it could miss is larger than what it allows."""
    stated = measured(MEAN_M, MEAN_B)
    full = values(stated.coefficients(), "atomic", "sigma")
    naive = values(stated.coefficients(shared=False), "atomic", "sigma")
    assert np.abs(full / naive - 1).max() > 0.25


@pytest.fixture(scope="module")
def one() -> Measured:
    rng = np.random.default_rng(8)
    return measured(rng.poisson(MEAN_M), rng.poisson(MEAN_B))


def with_areas(composition: Composition, areas: dict[str, float]) -> Composition:
    changed = composition.fit.areas.copy()
    for element, area in areas.items():
        changed[ELEMENTS.index(element)] = area
    absent = "Si" if composition["Si"].detected == "assumed_absent" else None
    return composition_of(replace(composition.fit, areas=changed), METHOD, absent=absent)


def test_a_coefficient_is_the_ratio_of_the_two_compositions(one: Measured) -> None:
    for element, found in one.coefficients().items():
        if element in OTHERS:
            for basis in ("atomic", "weight"):
                c_p, c_b = (
                    getattr(c[element], f"{basis}_percent") for c in (one.precipitate, one.matrix)
                )
                assert getattr(found, basis).value == pytest.approx(c_p / c_b, rel=1e-12)


def test_the_k_factor_of_the_element_itself_cancels(
    one: Measured, rng: np.random.Generator
) -> None:
    """The same k-factors, drawn anew, quantify both phases: only the closure feels them."""
    p, b = one.precipitate.atoms, one.matrix.atoms
    k = np.diag(b.atoms_per_count) * (1 + 0.05 * rng.normal(size=(20000, len(ELEMENTS))))
    at = [ELEMENTS.index(e) for e in p.measured]
    n_p, n_b = k[:, at] * p.areas, k * b.areas
    c_p, c_b = (n / n.sum(axis=1, keepdims=True) for n in (n_p, n_b))
    stated = values(one.coefficients(), "atomic", "systematic")
    np.testing.assert_allclose((c_p / c_b[:, at]).std(axis=0), stated, rtol=0.06)
    d = values(one.coefficients(), "atomic", "value")
    assert (stated / d < 0.05).all()


def test_a_phase_against_itself_has_one_without_systematic_error(one: Measured) -> None:
    found = partition_coefficients(one.matrix, one.matrix, one.matrix.fit.covariance)
    for d in found:
        for basis in (d.atomic, d.weight):
            assert basis is not None
            assert basis.value == pytest.approx(1.0)
            assert basis.sigma == pytest.approx(0.0, abs=1e-6)
            assert basis.systematic == pytest.approx(0.0, abs=1e-9)


def test_an_element_that_the_precipitate_does_not_show_gets_an_upper_limit(one: Measured) -> None:
    for area in (-300.0, 100.0):
        faint = replace(one, precipitate=with_areas(one.precipitate, {"Al": area}))
        found = faint.coefficients()["Al"]
        assert found.state == "below_limit"
        assert found.atomic is not None
        assert found.atomic.sigma is not None
        assert np.sign(found.atomic.value) == np.sign(area)
        by_hand = max(found.atomic.value, 0.0) + 1.645 * found.atomic.sigma
        assert found.atomic.upper_limit == pytest.approx(by_hand)
    seen = one.coefficients()["Mg"].atomic
    assert seen is not None
    assert seen.upper_limit is None


def test_nothing_is_divided_by_an_element_that_the_matrix_does_not_show(one: Measured) -> None:
    found = replace(one, matrix=with_areas(one.matrix, {"Al": 5.0})).coefficients()["Al"]
    assert (found.state, found.atomic, found.weight) == ("matrix_not_detected", None, None)


def test_the_absent_element_is_zero_by_construction(one: Measured) -> None:
    found = one.coefficients()["Si"]
    assert found.state == "assumed_absent"
    assert found.atomic is not None
    assert (found.atomic.value, found.atomic.sigma, found.atomic.upper_limit) == (0.0, None, None)


def test_over_several_maps_the_shared_parts_add_up(one: Measured) -> None:
    index = one.matrix.fit.find("Si", "K")
    part = SharedMatrix(one.done.factor, one.matrix.fit, index)
    twice = shared_covariance(one.precipitate.fit, one.matrix.fit, [part, part])
    np.testing.assert_allclose(twice, 2 * one.covariance())
    none = shared_covariance(one.precipitate.fit, one.matrix.fit, [])
    assert not none.any()


def test_fits_over_different_channels_are_refused(one: Measured) -> None:
    other = fit(Spectrum(MEAN_B[:300].copy(), replace(AXIS, channels=300), 200.0, 22.0))
    part = SharedMatrix(one.done.factor, one.matrix.fit, None)
    with pytest.raises(ValueError, match="different channels"):
        shared_covariance(one.precipitate.fit, other, [part])


@dataclass(frozen=True)
class Region:
    """One region of interest and the matrix, quantified after the conventional subtraction."""

    mixture: SpectrumFit
    matrix: SpectrumFit
    elements: tuple[str, ...] = ELEMENTS

    def coefficients(self, *, shared: bool = True) -> dict[str, PartitionCoefficient]:
        method = Method(self.elements, given=FACTORS)
        left = subtract_areas(self.mixture, self.matrix, "Si", "K")
        found = partition_coefficients(
            composition_of(left, method, absent="Si"),
            composition_of(self.matrix, method),
            self.covariance() if shared else None,
        )
        return {d.element: d for d in found}

    def covariance(self) -> FloatArray:
        return conventional_covariance(self.mixture, self.matrix, "Si", "K")


def region(
    m: FloatArray,
    b: FloatArray,
    elements: tuple[str, ...] = ELEMENTS,
) -> Region:
    mixture, matrix = (fit(Spectrum(y.astype(float), AXIS, 200.0, 22.0), elements) for y in (m, b))
    return Region(mixture, matrix, elements)


REGIONS = 300
CHANCE = 1e-3  # that one of the bounds below is missed though all is right, on either side


@pytest.fixture(scope="module")
def regions() -> list[Region]:
    """Region and matrix drawn 300 times, each fitted anew."""
    rng = np.random.default_rng(20250611)
    return [region(rng.poisson(MEAN_M), rng.poisson(MEAN_B)) for _ in range(REGIONS)]


@pytest.fixture(scope="module")
def of_regions(regions: list[Region]) -> list[dict[str, PartitionCoefficient]]:
    return [one.coefficients() for one in regions]


@pytest.fixture(scope="module")
def ideal() -> Region:
    """Region and matrix without noise: the truth, and the error that is stated of it."""
    return region(MEAN_M, MEAN_B)


def scatter_of(of_regions: list[dict[str, PartitionCoefficient]], basis: str) -> FloatArray:
    drawn = [values(found, basis, "value") for found in of_regions]
    return np.asarray(np.std(drawn, axis=0, ddof=1))


def allowed() -> FloatArray:
    """The lowest and highest scatter over a sigma that is right, for draws of a normal value."""
    tests = CHANCE / (2 * len(OTHERS))
    return np.asarray(np.sqrt(chi2.ppf([tests, 1 - tests], REGIONS - 1) / (REGIONS - 1)))


def test_the_stated_error_of_a_region_is_the_scatter_of_repeated_measurements(
    of_regions: list[dict[str, PartitionCoefficient]], ideal: Region
) -> None:
    low, high = allowed()
    for basis in ("atomic", "weight"):
        sigma = values(ideal.coefficients(), basis, "sigma")
        ratio = scatter_of(of_regions, basis) / sigma
        assert low < ratio.min(), basis
        assert ratio.max() < high, basis


def test_without_the_shared_matrix_the_error_of_a_region_would_be_wrong(
    of_regions: list[dict[str, PartitionCoefficient]], ideal: Region
) -> None:
    """Beyond the same bounds, for every element."""
    low, high = allowed()
    for basis in ("atomic", "weight"):
        naive = values(ideal.coefficients(shared=False), basis, "sigma")
        ratio = scatter_of(of_regions, basis) / naive
        assert ((ratio < low) | (ratio > high)).all(), basis


def test_two_of_three_regions_lie_within_their_own_error_of_the_truth(
    of_regions: list[dict[str, PartitionCoefficient]],
) -> None:
    """The truth from the areas that the spectra were made with, not from a fit."""
    k = np.array([1, 1.1, 1, 1.4])
    p, b = (k * np.array(list(areas.values())) for areas in (PRECIPITATE, MATRIX))
    truth = np.delete((p / p.sum()) / (b / b.sum()), ELEMENTS.index("Si"))
    hits = np.zeros(len(OTHERS))
    for found in of_regions:
        off = values(found, "atomic", "value") - truth
        hits += np.abs(off) < values(found, "atomic", "sigma")
    tests = CHANCE / (2 * len(OTHERS))
    low, high = binom.ppf([tests, 1 - tests], REGIONS, 0.6827)
    assert low <= hits.min()
    assert hits.max() <= high


def test_the_areas_left_move_with_those_of_the_matrix_as_stated(
    regions: list[Region], ideal: Region
) -> None:
    left = [subtract_areas(one.mixture, one.matrix, "Si", "K").areas for one in regions]
    both = np.cov(np.hstack([left, [one.matrix.areas for one in regions]]).T)
    n = len(ELEMENTS)
    scale = np.sqrt(np.outer(np.diag(both)[:n], np.diag(both)[n:]))
    keep = [i for i in range(n) if ELEMENTS[i] != "Si"]
    stated = ideal.covariance()
    # a correlation of n draws has an error of at most 1 / sqrt(n): 5 %
    assert np.abs((stated - both[:n, n:]) / scale)[keep].max() < 4 / np.sqrt(REGIONS)
    assert np.abs(stated / scale)[keep].max() > 0.5
    # the area of the absent element is zero in every draw, and moves with nothing
    assert np.abs(stated[ELEMENTS.index("Si")]).max() < 1e-9 * np.abs(stated).max()


def test_the_order_of_the_elements_does_not_matter() -> None:
    rng = np.random.default_rng(8)
    m, b = rng.poisson(MEAN_M), rng.poisson(MEAN_B)
    one = region(m, b).coefficients()
    for order in (ELEMENTS[::-1], ("Si", "Fe", "Mg", "Al")):
        other = region(m, b, order).coefficients()
        assert tuple(other) == order
        for basis in ("atomic", "weight"):
            for field in ("value", "sigma", "systematic"):
                expected = values(one, basis, field)
                np.testing.assert_allclose(values(other, basis, field), expected, rtol=1e-6)


def test_a_region_without_the_lines_of_the_matrix_is_refused(ideal: Region) -> None:
    fewer = fit(Spectrum(MEAN_M, AXIS, 200.0, 22.0), ("Mg", "Al", "Si"))
    for mixture, absent in ((fewer, "Si"), (ideal.mixture, "Ca")):
        with pytest.raises(ValueError, match=f"one of {absent} among them"):
            conventional_covariance(mixture, ideal.matrix, absent, "K")
