"""Peaks of the detector's own making, against photons followed one by one and spectra with them."""

from __future__ import annotations

import numpy as np
import pytest
import xraylib

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.xrays.artefact_peaks import (
    Artefacts,
    escape_fraction,
    fluorescence_fraction,
    sum_peaks,
)
from endmember.core.xrays.detector import Detector, SILICON_g_cm3
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import emission_lines

AXIS = EnergyAxis(0.0, 0.01, 2048)
BEAM_keV = 200.0


def attenuation_per_cm(energy_keV: float) -> float:
    return float(xraylib.CS_Total(14, energy_keV)) * SILICON_g_cm3


def silicon_photons_per_absorption() -> float:
    """By hand: K fluorescence yield times the K shell's share of what is absorbed."""
    jump = float(xraylib.JumpFactor(14, xraylib.K_SHELL))
    return float(xraylib.FluorYield(14, xraylib.K_SHELL)) * (1 - 1 / jump)


@pytest.mark.parametrize("energy_keV", [2.0, 3.69, 6.4])
def test_the_escape_fraction_is_that_of_photons_followed_one_by_one(
    energy_keV: float, rng: np.random.Generator
) -> None:
    """Each photon: a depth of absorption, a direction of the Si K photon, a way to the front."""
    photons = 400_000
    depth = rng.exponential(1 / attenuation_per_cm(energy_keV), photons)
    cosine = rng.uniform(-1, 1, photons)  # towards the front where positive
    way = rng.exponential(1 / attenuation_per_cm(1.740), photons)
    escaped = np.mean((cosine > 0) & (way * cosine > depth))
    expected = escaped * silicon_photons_per_absorption()
    error = np.sqrt(escaped / photons) * silicon_photons_per_absorption()
    assert float(escape_fraction(np.array([energy_keV]))[0]) == pytest.approx(
        expected, abs=4 * error
    )


def test_nothing_escapes_below_the_edge_of_silicon() -> None:
    assert escape_fraction(np.array([0.525, 1.74, 1.83])).tolist() == [0.0, 0.0, 0.0]
    assert fluorescence_fraction(np.array([0.525, 1.83]), Detector()).tolist() == [0.0, 0.0]


def test_the_dead_layer_fluoresces_as_much_as_photons_followed_one_by_one(
    rng: np.random.Generator,
) -> None:
    photons, energy = 2_000_000, 2.0
    detector = Detector(dead_layer_nm=500.0)
    depth = rng.exponential(1 / attenuation_per_cm(energy), photons)
    in_layer = depth < 500e-7
    forward = rng.uniform(-1, 1, photons) > 0
    made = np.mean(in_layer & forward)
    counted = np.mean(~in_layer)
    expected = made / counted * silicon_photons_per_absorption()
    error = expected / np.sqrt(made * photons)
    found = float(fluorescence_fraction(np.array([energy]), detector)[0])
    assert found == pytest.approx(expected, abs=4 * error)


def test_a_detector_without_dead_layer_does_not_fluoresce() -> None:
    assert fluorescence_fraction(np.array([3.0]), Detector(dead_layer_nm=0.0))[0] == 0.0


# The escape peak of Ca Ka (3.691 - 1.740 keV) lies beside the line of the trace, P Ka at 2.013 keV.
CONTENT = {"Mg": 3e5, "Ca": 3e6, "Fe": 2e6}
TRACE = "P"
TRACE_AREA = 3e3


def lines_of(element: str) -> tuple[FloatArray, FloatArray]:
    """Energies of the K and L lines and their counts for each count of the K alpha line."""
    lines = emission_lines(element, BEAM_keV)
    energies = np.array([line.energy_keV for line in lines])
    strength = np.array([line.cross_section_cm2 for line in lines])
    strength = strength * Detector().efficiency(energies)
    alpha = np.array([line.alpha and line.family == "K" for line in lines])
    return energies, strength / strength[alpha].sum()


def peaks(energies: FloatArray, areas: FloatArray) -> FloatArray:
    shapes, _ = LineSet.of_columns([(energies, areas)]).shapes(AXIS, Calibration())
    return shapes[:, 0]


def content(escape: bool = False, pile_up: float = 0.0, trace: float = TRACE_AREA) -> FloatArray:
    """The expected spectrum; `pile_up` is the share of counts of two lines that coincide."""
    energy = np.maximum(AXIS.centres, 0.05)
    expected = 2000.0 / energy * Detector().efficiency(energy)
    every: list[tuple[float, float]] = []
    for element, area in {**CONTENT, TRACE: trace}.items():
        energies, counts = lines_of(element)
        counts = counts * area
        lost = escape_fraction(energies) * counts if escape else np.zeros(len(energies))
        expected = expected + peaks(energies, counts - lost)
        expected = expected + peaks(energies[lost > 0] - 1.740, lost[lost > 0])
        if area > 1e5:
            every += [
                (e, n) for e, n in zip(energies.tolist(), counts.tolist(), strict=True) if e > 0.5
            ]
    for first, (e1, n1) in enumerate(every):
        for e2, n2 in every[: first + 1] if pile_up else ():
            if min(n1, n2) > 1e4:
                count = pile_up * n1 * n2 * (0.5 if (e1, n1) == (e2, n2) else 1.0)
                expected = expected + peaks(np.array([e1 + e2]), np.array([count]))
    return expected


def fitted(counts: FloatArray, artefacts: Artefacts | None = None, *more: str) -> SpectrumFit:
    spectrum = Spectrum(counts.astype(float), AXIS, BEAM_keV, 22.0).between(0.4, 18.0)
    elements = (*CONTENT, TRACE, *more)
    return fit_spectrum(spectrum, elements, detector=Detector(), artefacts=artefacts)


def area(fit: SpectrumFit, element: str, family: str = "K") -> tuple[float, float]:
    index = fit.find(element, family)
    assert index is not None
    return float(fit.areas[index]), float(np.sqrt(fit.covariance[index, index]))


def expected_chi(fit: SpectrumFit) -> float:
    return 4 * float(np.sqrt(2 / fit.degrees_of_freedom))


def test_with_escape_peaks_in_the_model_the_fit_is_good_and_a_trace_beside_them_unbiased(
    rng: np.random.Generator,
) -> None:
    counts = rng.poisson(content(escape=True))
    with_peaks, without = fitted(counts, Artefacts(escape=True)), fitted(counts)
    assert with_peaks.reduced_chi_squared == pytest.approx(1.0, abs=expected_chi(with_peaks))
    assert without.reduced_chi_squared > 1.0 + 3 * expected_chi(without)
    found, sigma = area(with_peaks, TRACE)
    assert abs(found - TRACE_AREA) < 4 * sigma
    assert abs(area(without, TRACE)[0] - TRACE_AREA) > 4 * area(without, TRACE)[1]
    for element, true in CONTENT.items():
        found, sigma = area(with_peaks, element)
        assert abs(found - true) < 4 * sigma, element


def test_the_area_counts_photons_wherever_they_were_registered() -> None:
    """Without escape in the model the area of iron is low by the share that escaped."""
    counts = content(escape=True)
    share = float(escape_fraction(np.array([6.4]))[0])
    assert area(fitted(counts, Artefacts(escape=True)), "Fe")[0] == pytest.approx(2e6, rel=1e-4)
    assert area(fitted(counts), "Fe")[0] == pytest.approx(2e6 * (1 - share), rel=1e-3)


def test_without_escape_in_the_spectrum_a_model_with_it_does_not_fit(
    rng: np.random.Generator,
) -> None:
    fit = fitted(rng.poisson(content()), Artefacts(escape=True))
    assert fit.reduced_chi_squared > 1.0 + 3 * expected_chi(fit)


def test_with_sum_peaks_in_the_model_the_fit_is_good(rng: np.random.Generator) -> None:
    rate = 2e-9  # of Ca Ka with Ca Ka: 9000 counts
    counts = rng.poisson(content(pile_up=rate))
    with_peaks, without = fitted(counts, Artefacts(sums=4)), fitted(counts)
    assert with_peaks.reduced_chi_squared == pytest.approx(1.0, abs=expected_chi(with_peaks))
    assert without.reduced_chi_squared > 1.0 + 3 * expected_chi(without)
    # all sums of lines: half the square of all counts above 0.4 keV that coincide
    total = 0.0
    for element, n in CONTENT.items():
        energies, strength = lines_of(element)
        total += n * strength[(energies > 0.5) & (strength * n > 1e4)].sum()
    found, sigma = area(with_peaks, "sum", "sum")
    assert found == pytest.approx(rate * total**2 / 2, abs=4 * sigma + 0.02 * found)


def test_sum_peaks_have_the_ratios_of_chance() -> None:
    """Two lines of areas a and b: a a / 2, a b and b b / 2 at the sums of their energies."""
    fit = fitted(content())
    column = sum_peaks(fit.columns, fit.areas, AXIS, 2)
    assert column is not None
    strongest = {"Ca": 3e6, "Fe": 2e6}
    by_name = {line.name: line for line in column.lines}
    ti, fe = by_name["Ca KL3 + Ca KL3"], by_name["Fe KL3 + Fe KL3"]
    both = by_name.get("Fe KL3 + Ca KL3") or by_name["Ca KL3 + Fe KL3"]
    assert ti.energy_keV == pytest.approx(2 * 3.692, abs=0.01)
    assert both.energy_keV == pytest.approx((ti.energy_keV + fe.energy_keV) / 2)
    ratio = strongest["Ca"] / strongest["Fe"]
    assert ti.cross_section_cm2 / fe.cross_section_cm2 == pytest.approx(ratio**2, rel=0.01)
    assert both.cross_section_cm2 / fe.cross_section_cm2 == pytest.approx(2 * ratio, rel=0.01)


def test_sum_peaks_beyond_the_axis_are_no_column() -> None:
    fit = fitted(content())
    assert sum_peaks(fit.columns, fit.areas, EnergyAxis(0.0, 0.01, 60), 2) is None
    assert sum_peaks(fit.columns, fit.areas, AXIS, 0) is None


def test_silicon_fluorescence_is_in_the_model_as_a_share_of_all_above_the_edge(
    rng: np.random.Generator,
) -> None:
    """The peak of a thick dead layer, and no silicon in the specimen: none is then found."""
    thick = Detector(dead_layer_nm=2000.0)
    energy = np.maximum(AXIS.centres, 0.05)
    expected = 2000.0 / energy * thick.efficiency(energy)
    made = float(fluorescence_fraction(energy, thick) @ expected)
    lines = [(element, *lines_of(element)) for element in CONTENT]
    for element, energies, counts in lines:
        seen = counts * CONTENT[element] * thick.efficiency(energies)
        seen = seen / Detector().efficiency(energies)
        expected = expected + peaks(energies, seen)
        made += float(fluorescence_fraction(energies, thick) @ seen)
    expected = expected + peaks(np.array([1.740]), np.array([made]))
    counts = rng.poisson(expected).astype(float)
    spectrum = Spectrum(counts, AXIS, BEAM_keV, 22.0).between(0.4, 18.0)

    def silicon(artefacts: Artefacts | None) -> tuple[float, float]:
        elements = (*CONTENT, "Si")
        return area(fit_spectrum(spectrum, elements, detector=thick, artefacts=artefacts), "Si")

    found, sigma = silicon(Artefacts(silicon_fluorescence=True))
    assert abs(found) < 4 * sigma
    found, sigma = silicon(None)
    assert found == pytest.approx(made, abs=4 * sigma)
    assert found > 10 * sigma


def test_by_default_no_artefact_is_in_the_model() -> None:
    counts = content(escape=True)
    plain, off = fitted(counts), fitted(counts, Artefacts())
    np.testing.assert_array_equal(plain.areas, off.areas)
    assert [c.element for c in plain.columns].count("sum") == 0


def test_a_negative_number_of_lines_for_sums_is_refused() -> None:
    with pytest.raises(ValueError, match="sum peaks of -1 lines"):
        Artefacts(sums=-1)
