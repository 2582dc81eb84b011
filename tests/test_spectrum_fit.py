"""The spectrum fit against a spectrum of known truth, closed forms and resampling."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, LowRankCovariance, Spectrum
from endmember.core.fitting import fit_problem
from endmember.core.fitting.spectrum_fit import Foil, SpectrumFit, fit_shapes, fit_spectrum
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.line_shapes import Calibration, LineSet, fwhm_keV

ELEMENTS = ("O", "Mg", "Al", "Si", "Ca", "Fe", "Nd", "Sm", "U")
MAJORS = ("O", "Mg", "Al", "Si", "Ca", "Fe")
TRACES = {"Nd": ("L", 0.029), "Sm": ("L", 0.024), "U": ("M", 0.034)}
MANY_LINES = tuple(
    symbol
    for row in (
        "Ti Fe Cu La Ce Pr Nd Sm Eu Gd Tb Dy Er Yb",
        "Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Th U",
    )
    for symbol in row.split()
)
AXIS = EnergyAxis(0.0, 0.01, 2048)


@dataclass(frozen=True)
class CaseA:
    """A bridgmanite spectrum: counts, their expectation, and the expected alpha areas."""

    counts: FloatArray
    mean: FloatArray
    alpha: dict[str, float]


@pytest.fixture(scope="session")
def case_a(shared: Path) -> CaseA:
    folder = shared / "data" / "reference"
    truth = json.loads((folder / "case_A_truth.json").read_text("utf-8"))
    with np.load(folder / "case_A.npz") as arrays:
        return CaseA(arrays["counts"].astype(float), arrays["mean"], truth["expected_alpha_counts"])


def spectrum_of(counts: FloatArray, axis: EnergyAxis = AXIS) -> Spectrum:
    return Spectrum(np.array(counts, dtype=float), axis, 200.0, 22.0)


def fitted(spectrum: Spectrum, elements: Sequence[str] = (*ELEMENTS, "Cu")) -> SpectrumFit:
    return fit_spectrum(spectrum.between(0.3, 20.0), elements, detector=Detector())


@pytest.fixture(scope="module")
def fit(case_a: CaseA) -> SpectrumFit:
    return fitted(spectrum_of(case_a.counts))


def area(fit: SpectrumFit, element: str, family: str = "K") -> tuple[float, float]:
    index = fit.find(element, family)
    assert index is not None
    return float(fit.areas[index]), float(np.sqrt(fit.covariance[index, index]))


@pytest.mark.parametrize("element", MAJORS)
def test_majors_come_out_within_three_per_mille(
    fit: SpectrumFit, case_a: CaseA, element: str
) -> None:
    assert area(fit, element)[0] == pytest.approx(case_a.alpha[element], rel=0.003)


@pytest.mark.parametrize("element", TRACES)
def test_traces_come_out_within_three_sigma(fit: SpectrumFit, case_a: CaseA, element: str) -> None:
    family, relative = TRACES[element]
    found, sigma = area(fit, element, family)
    assert abs(found - case_a.alpha[element]) < 3 * sigma
    assert sigma / case_a.alpha[element] == pytest.approx(relative, rel=0.1)


def test_the_fit_of_case_a_is_good_and_converged(fit: SpectrumFit) -> None:
    assert fit.converged
    assert 0.94 < fit.reduced_chi_squared < 1.06
    assert fit.calibration.offset_keV == pytest.approx(0.0, abs=2e-4)
    assert fit.calibration.gain == pytest.approx(1.0, abs=1e-4)
    assert fit.calibration.fwhm_mn_eV == pytest.approx(130.0, abs=0.2)


def test_the_expected_spectrum_gives_the_expected_areas(case_a: CaseA) -> None:
    fit = fitted(spectrum_of(case_a.mean))
    for element in MAJORS:
        assert area(fit, element)[0] == pytest.approx(case_a.alpha[element], rel=0.002)
    for element, (family, _) in TRACES.items():
        found, sigma = area(fit, element, family)
        assert abs(found - case_a.alpha[element]) < 1.5 * sigma


def test_an_axis_that_is_off_is_found_and_costs_no_accuracy(
    case_a: CaseA, fit: SpectrumFit
) -> None:
    nominal = EnergyAxis(-0.01 / 1.001, 0.01 / 1.001, 2048)  # true = 0.01 + 1.001 nominal
    off = fitted(spectrum_of(case_a.counts, nominal))
    assert off.calibration.offset_keV == pytest.approx(0.01, abs=5e-4)
    assert off.calibration.gain == pytest.approx(1.001, abs=2e-4)
    for element in MAJORS:
        assert area(off, element)[0] == pytest.approx(area(fit, element)[0], rel=1e-3)


def test_channels_twice_as_wide_give_the_same_areas(case_a: CaseA, fit: SpectrumFit) -> None:
    """Channels 31 to 2046 in pairs; wide channels resolve a little less."""
    span = slice(31, 2047)
    counts = case_a.counts[span].reshape(-1, 2).sum(axis=1)
    halved = fitted(spectrum_of(counts, EnergyAxis(0.315, 0.02, len(counts))))
    for column, value, variance in zip(
        fit.columns, fit.areas, np.diag(fit.covariance), strict=True
    ):
        again, sigma = area(halved, column.element, column.family)
        assert again == pytest.approx(value, abs=max(sigma, float(np.sqrt(variance)))), column.name


def test_the_order_of_the_elements_does_not_matter(case_a: CaseA, fit: SpectrumFit) -> None:
    turned = fitted(spectrum_of(case_a.counts), ("Cu", *reversed(ELEMENTS)))
    for column in fit.columns:
        value, sigma = area(fit, column.element, column.family)
        assert area(turned, column.element, column.family)[0] == pytest.approx(
            value, abs=1e-3 * sigma
        )


def test_the_edges_of_the_background_move_with_the_axis(case_a: CaseA) -> None:
    """Oxygen's edge lies 7 eV above its line: an axis that is off must not cost it anything."""
    nominal = EnergyAxis(-0.01, 0.01, 2048)  # each channel is 10 eV higher than it says
    foil = Foil(117.0, 4.1, 22.0)
    weights = {"O": 0.44, "Mg": 0.22, "Si": 0.29, "Fe": 0.05}

    def oxygen(axis: EnergyAxis) -> tuple[float, float]:
        spectrum = spectrum_of(case_a.mean, axis)
        first = axis.start_keV + 0.3  # the same channels
        part = spectrum.between(first, first + 19.7)
        fit = fit_spectrum(
            part, (*ELEMENTS, "Cu"), detector=Detector(), foil=foil, weight_fractions=weights
        )
        return area(fit, "O")

    (true, sigma), (off, _) = oxygen(AXIS), oxygen(nominal)
    assert off == pytest.approx(true, abs=0.05 * sigma)


def test_the_area_of_an_absent_element_is_nothing_but_noise(case_a: CaseA) -> None:
    fit = fitted(spectrum_of(case_a.counts), (*ELEMENTS, "Cu", "Zn"))
    found, sigma = area(fit, "Zn")
    assert abs(found) < 4 * sigma


def test_the_alpha_lines_of_each_column_have_unit_area(fit: SpectrumFit) -> None:
    """By hand: a column sums to all its lines over its alpha lines, weighted with efficiency."""
    detector = Detector()
    for index, column in enumerate(fit.columns):
        energies = np.array([line.energy_keV for line in column.lines])
        if energies.min() < 0.6 or energies.max() > 19.0 or not column.alpha_share:
            continue
        strength = np.array([line.cross_section_cm2 for line in column.lines])
        strength *= detector.efficiency(energies)
        alpha = np.array([line.alpha for line in column.lines])
        assert fit.shapes[:, index].sum() == pytest.approx(
            strength.sum() / strength[alpha].sum(), rel=1e-6
        ), column.name


def test_a_line_is_a_gaussian_integrated_over_the_channels() -> None:
    energies, weights = np.array([1.74, 6.4]), np.array([1.0, 1.0])
    lines = LineSet.of_columns([(energies[:1], weights[:1]), (energies[1:], weights[1:])])
    shapes, _ = lines.shapes(AXIS, Calibration())
    for column, energy in enumerate(energies):
        sigma = float(fwhm_keV(energy, 130.0)) / np.sqrt(8 * np.log(2))
        fine = np.linspace(AXIS.edges[0], AXIS.edges[-1], 2048 * 50 + 1)
        density = np.exp(-0.5 * ((fine - energy) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
        pieces = (density[1:] + density[:-1]) / 2 * np.diff(fine)
        np.testing.assert_allclose(
            shapes[:, column], pieces.reshape(2048, 50).sum(axis=1), atol=1e-5
        )
        assert shapes[:, column].sum() == pytest.approx(1.0, abs=1e-8)


def test_the_width_at_manganese_is_the_width_of_manganese() -> None:
    assert float(fwhm_keV(5.8987, 127.0)) == pytest.approx(0.127)


@pytest.mark.parametrize("parameter", [0, 1, 2])
def test_derivatives_by_the_calibration_agree_with_finite_differences(parameter: int) -> None:
    lines = LineSet.of_columns(
        [(np.array([0.525]), np.ones(1)), (np.array([6.4, 7.06]), np.array([1.0, 0.13]))]
    )
    areas = np.array([1e4, 3e3])
    at = np.array([0.003, 1.0004, 128.0])
    step = np.zeros(3)
    step[parameter] = (1e-5, 1e-6, 1e-2)[parameter]
    ahead, behind = (
        lines.shapes(AXIS, Calibration(*(at + sign * step)))[0] @ areas for sign in (1, -1)
    )
    numeric = (ahead - behind) / (2 * step[parameter])
    _, derivatives = lines.shapes(AXIS, Calibration(*at))
    analytic = derivatives.of_model(areas, Calibration(*at))[:, parameter]
    np.testing.assert_allclose(analytic, numeric, atol=1e-5 * np.abs(numeric).max())


def test_areas_are_linear_in_the_counts_with_the_fits_estimator(fit: SpectrumFit) -> None:
    np.testing.assert_allclose(
        fit.estimator @ fit.fitted, fit.areas, rtol=1e-6, atol=1e-4 * np.abs(fit.areas).min()
    )
    dense = fit.estimator @ np.diag(fit.variance) @ fit.estimator.T
    np.testing.assert_allclose(fit.covariance, dense, rtol=1e-9, atol=1e-9 * np.abs(dense).max())


def test_the_errors_are_the_scatter_of_repeated_measurements(
    case_a: CaseA, rng: np.random.Generator
) -> None:
    mean = case_a.mean * 1e6 / case_a.mean.sum()
    fits = [fitted(spectrum_of(rng.poisson(mean).astype(float))) for _ in range(60)]
    areas = np.array([f.areas for f in fits])
    sigmas = np.sqrt(np.mean([np.diag(f.covariance) for f in fits], axis=0))
    scale = 1e6 / case_a.mean.sum()
    ratios = []
    for element, family in [(e, "K") for e in MAJORS] + [(e, f) for e, (f, _) in TRACES.items()]:
        index = fits[0].find(element, family)
        assert index is not None
        ratios.append(areas[:, index].std(ddof=1) / sigmas[index])
        # unbiased: the mean of 60 lies within 4 of its own standard errors
        off = areas[:, index].mean() - case_a.alpha[element] * scale
        assert abs(off) < 4 * sigmas[index] / np.sqrt(60), element
    # the standard deviation of 60 values has itself an error of 9 %
    assert all(0.65 < ratio < 1.35 for ratio in ratios)
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.12)


def test_a_weak_spectrum_comes_to_rest_and_its_errors_hold(
    case_a: CaseA, rng: np.random.Generator
) -> None:
    mean = case_a.mean * 1000 / case_a.mean.sum()
    fits = [fitted(spectrum_of(rng.poisson(mean).astype(float))) for _ in range(12)]
    assert all(f.converged for f in fits)
    pulls = [
        (area(f, e)[0] - case_a.alpha[e] * 1000 / case_a.mean.sum()) / area(f, e)[1]
        for f in fits
        for e in ("O", "Mg", "Si")
    ]
    assert 0.5 < np.std(pulls) < 1.5
    assert abs(np.mean(pulls)) < 0.7


def test_a_spectrum_with_a_covariance_is_fitted_with_its_own_variance(case_a: CaseA) -> None:
    counted = spectrum_of(case_a.mean)
    tripled = LowRankCovariance.of_counts(9.0 * np.maximum(case_a.mean, 1e-3))
    carried = replace(counted, counts=3.0 * case_a.mean, covariance=tripled)
    plain, scaled = fitted(counted), fitted(carried)
    for element in MAJORS:
        value, sigma = area(plain, element)
        assert area(scaled, element)[0] == pytest.approx(3 * value, rel=1e-3)
        assert area(scaled, element)[1] == pytest.approx(3 * sigma, rel=0.02)


def test_the_area_of_an_absent_element_scatters_as_much_as_its_blank_sigma(
    fit: SpectrumFit,
) -> None:
    """Truth by another road: the model without Nd, fitted again, gives Nd's sigma at zero."""
    index = fit.find("Nd", "L")
    assert index is not None
    blank = fit.fitted - fit.areas[index] * fit.shapes[:, index]
    again = fit_spectrum(
        Spectrum(blank, fit.spectrum.axis, 200.0, 22.0), (*ELEMENTS, "Cu"), detector=Detector()
    )
    found, sigma = area(again, "Nd", "L")
    assert abs(found) < 0.2 * sigma
    assert fit.sigma_without(index) == pytest.approx(sigma, rel=0.02)
    assert fit.sigma_without(index) < area(fit, "Nd", "L")[1]


def test_the_window_of_a_line_is_one_full_width(fit: SpectrumFit) -> None:
    window = fit.window(6.4)
    width = (window.stop - window.start) * 0.01
    assert width == pytest.approx(float(fwhm_keV(6.4, 130.0)), abs=0.01)
    centre = fit.spectrum.axis.centres[window].mean()
    assert centre == pytest.approx(6.4, abs=0.01)


def flat(counts: float = 5.0, axis: EnergyAxis = AXIS) -> Spectrum:
    return spectrum_of(np.full(axis.channels, counts), axis)


def with_value(value: float) -> Spectrum:
    counts = np.full(2048, 5.0)
    counts[500] = value
    return spectrum_of(counts)


@pytest.mark.parametrize(
    ("spectrum", "elements", "told"),
    [
        (flat(axis=EnergyAxis(0.0, 10.0, 2048)), ("Si",), "energy axis looks like eV"),
        (with_value(np.nan), ("Si",), "not numbers"),
        (with_value(np.inf), ("Si",), "not numbers"),
        (with_value(-3.0), ("Si",), "negative counts"),
        (flat(axis=EnergyAxis(0.0, 0.6, 60)), ("Si",), "energy axis looks like eV"),
        (flat(axis=EnergyAxis(0.0, 0.49, 2048)), ("Si",), "only 40 channels"),
        (flat(axis=EnergyAxis(1.0, 0.01, 1)), ("Si",), "only 1 channel lies"),
        (flat(0.0), ("Si",), "no counts"),
        (replace(flat(), beam_energy_keV=None), ("Si",), "beam energy is unknown"),
        (flat(), ("H",), "none of H has a line"),
        (flat(), ("Xx",), "Xx"),
        (flat(axis=EnergyAxis(12.0, 0.01, 300)), ("O", "Mg"), "none of O, Mg has a line"),
        (
            flat(axis=EnergyAxis(1.0, 0.2, 60)),
            MANY_LINES,
            "cannot be fitted with",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_sentence(
    spectrum: Spectrum, elements: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ValueError, match=told) as refusal:
        fitted(spectrum, elements)
    assert "\n" not in str(refusal.value)


def test_an_axis_that_ends_beyond_1000_keV_looks_like_eV() -> None:
    axis = EnergyAxis(0.0, 0.4, 3000)
    with pytest.raises(ValueError, match=r"looks like eV .*up to 1199.6"):
        fit_spectrum(flat(axis=axis), ("Si",), detector=Detector())


@pytest.mark.parametrize("share", [1.0, 0.01])
def test_background_orders_that_promise_little_would_not_have_been_kept(
    case_a: CaseA, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = np.random.default_rng(4).poisson(share * case_a.mean)
    quick = fitted(spectrum_of(counts))
    monkeypatch.setattr(fit_problem, "PROMISING_DEVIANCE", -np.inf)  # every term is fitted
    slow = fitted(spectrum_of(counts))
    assert quick.background_model == slow.background_model
    np.testing.assert_allclose(quick.areas, slow.areas, rtol=1e-9, atol=1e-6)


def test_ready_made_shapes_are_fitted_as_the_lines_they_were_made_of(case_a: CaseA) -> None:
    part = spectrum_of(case_a.counts).between(0.3, 20.0)
    lines = fit_spectrum(part, ELEMENTS, detector=Detector(), refine_calibration=False)
    shapes = {c.name: lines.shapes[:, i] for i, c in enumerate(lines.columns)}
    ready = fit_shapes(part, shapes, detector=Detector())
    np.testing.assert_allclose(ready.areas, lines.areas, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(ready.covariance, lines.covariance, rtol=1e-9, atol=1e-6)
    assert [column.element for column in ready.columns] == list(shapes)
    assert ready.find("Fe Ka", "all") is not None


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        ({"Fe": np.ones(7)}, "the shape of Fe has 7 channels, but the spectrum 2048"),
        ({"Fe": np.zeros(2048)}, "the shape of Fe is empty"),
        ({"Fe": np.full(2048, np.nan)}, "values that are no numbers"),
        ({}, "no shapes"),
    ],
)
def test_shapes_that_cannot_be_fitted_are_refused(shapes: dict[str, FloatArray], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        fit_shapes(flat(), shapes, detector=Detector())
