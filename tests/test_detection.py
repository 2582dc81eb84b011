"""Limits of detection and signal to noise: closed forms, repeated draws, and the table."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.fitting.subtraction import subtract
from endmember.core.quantification.cliff_lorimer import Composition, Method, composition_of
from endmember.core.quantification.detection import (
    background_sigma,
    empirical_snr,
    side_band_excess,
    upper_limit,
)
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import GivenFactor
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.files.tables.composition_table import Heading
from endmember.files.tables.detection_table import detection_csv_beside, write_detection_csv
from line_spectra import expected_counts

AXIS = EnergyAxis(0.9, 0.02, 400)
ELEMENTS = ("Mg", "Si", "Cr", "Fe")
MATRIX = {"Mg": 5.0e5, "Si": 6.0e5, "Cr": 0.0, "Fe": 1.0e5}
CHROMIUM_keV = 5.41
FACTORS = {
    e: GivenFactor("K", k, "atomic") for e, k in zip(ELEMENTS, (1.0, 1.1, 1.3, 1.4), strict=True)
}
METHOD = Method(ELEMENTS, given=FACTORS)
COLUMNS = (
    "phase,source,map,element,line,net_counts,net_sigma,background_counts,snr,snr_empirical,"
    "critical_counts,detection_counts,lod_ppm,lod_paper_ppm,upper_limit_ppm,detected,"
    "background_spread_counts,background_spread_sigma"
)


expected = partial(expected_counts, AXIS)
MEAN = expected(MATRIX, 2000.0)


def fit(counts: FloatArray) -> SpectrumFit:
    return fit_again(Spectrum(np.array(counts, float), AXIS, 200.0, 22.0))


def fit_again(spectrum: Spectrum) -> SpectrumFit:
    return fit_spectrum(
        spectrum,
        ELEMENTS,
        detector=Detector(),
        calibration=Calibration(),
        refine_calibration=False,
    )


@pytest.fixture(scope="module")
def fits() -> list[SpectrumFit]:
    """200 measurements of a matrix without chromium."""
    rng = np.random.default_rng(7)
    return [fit(rng.poisson(MEAN)) for _ in range(200)]


CHROMIUM = ELEMENTS.index("Cr")


def with_chromium(fitted: SpectrumFit, area: float) -> Composition:
    areas = fitted.areas.copy()
    areas[CHROMIUM] = area
    return composition_of(replace(fitted, areas=areas), METHOD)


def atoms_of(composition: Composition) -> FloatArray:
    areas = np.array([composition[e].net_counts for e in ELEMENTS], dtype=float)
    return areas * [FACTORS[e].value for e in ELEMENTS]


def test_an_absent_element_is_detected_five_times_in_a_hundred(fits: list[SpectrumFit]) -> None:
    seen = sum(composition_of(f, METHOD)["Cr"].detected != "no" for f in fits)
    # 10 of 200 expected, with a binomial sigma of 3.1
    assert abs(seen - 0.05 * len(fits)) < 3 * np.sqrt(len(fits) * 0.05 * 0.95)


def test_a_true_area_at_the_detection_limit_is_missed_five_times_in_a_hundred(
    rng: np.random.Generator, fits: list[SpectrumFit]
) -> None:
    true = composition_of(fits[0], METHOD)["Cr"].detection_counts
    assert true is not None
    mean = expected({**MATRIX, "Cr": true}, 2000.0)
    rows = [composition_of(fit(rng.poisson(mean)), METHOD)["Cr"] for _ in range(200)]
    missed = sum(row.detected == "no" for row in rows)
    assert abs(missed - 10) < 3 * np.sqrt(200 * 0.05 * 0.95)


@pytest.mark.parametrize("sigmas", [0.0, 1.0, 2.0])
def test_the_upper_limit_covers_the_true_area_at_least_95_times_in_a_hundred(
    fits: list[SpectrumFit], sigmas: float
) -> None:
    """Chromium added to the fitted areas, which scatter as measured ones do."""
    sigma = np.sqrt(fits[0].covariance[CHROMIUM, CHROMIUM])
    areas = np.array([f.areas[CHROMIUM] for f in fits]) + sigmas * sigma
    covered = sum(upper_limit(area, float(sigma)) >= sigmas * sigma for area in areas)
    assert covered >= 0.95 * len(fits) - 3 * np.sqrt(len(fits) * 0.05 * 0.95)


def test_currie_s_limits_follow_from_the_scatter_of_the_blank(fits: list[SpectrumFit]) -> None:
    scatter = np.std([f.areas[CHROMIUM] for f in fits], ddof=1)
    row = composition_of(fits[0], METHOD)["Cr"]
    assert row.critical_counts == pytest.approx(1.645 * scatter, rel=0.15)
    assert row.detection_counts == pytest.approx(2.71 + 3.29 * scatter, rel=0.15)
    assert row.critical_counts is not None
    assert row.detection_counts == pytest.approx(2.71 + 2 * row.critical_counts)


def test_limits_in_ppm_are_those_in_counts_closed(fits: list[SpectrumFit]) -> None:
    found = composition_of(fits[0], METHOD)
    row = found["Cr"]
    assert row.critical_counts is not None
    assert row.detection_counts is not None
    ppm = 1e6 * FACTORS["Cr"].value / atoms_of(found).sum()
    assert row.critical_ppm == pytest.approx(row.critical_counts * ppm)
    assert row.detection_ppm == pytest.approx(row.detection_counts * ppm)
    assert row.lod_ppm == pytest.approx(3 / 1.645 * row.critical_counts * ppm)


@pytest.mark.parametrize("reference", [None, "Mg", "Fe"])
def test_the_limit_of_the_paper_is_that_of_the_reference_element(
    fits: list[SpectrumFit], reference: str | None
) -> None:
    """C = k N_X / N_R C_R with 3 sqrt(B) for N_X, in atoms."""
    found = composition_of(fits[0], replace(METHOD, reference=reference))
    row, of = found["Cr"], found[reference or "Si"]
    assert row.background_counts is not None
    assert of.net_counts is not None
    assert of.atomic_percent is not None
    k = FACTORS["Cr"].value / FACTORS[reference or "Si"].value
    counts = 3 * np.sqrt(row.background_counts)
    assert row.lod_paper_ppm == pytest.approx(1e4 * k * counts / of.net_counts * of.atomic_percent)


def test_without_the_reference_in_the_phase_the_paper_has_no_limit(fits: list[SpectrumFit]) -> None:
    found = composition_of(fits[0], replace(METHOD, reference="Si"), absent="Si")
    assert found["Cr"].lod_paper_ppm is None
    assert found["Cr"].lod_ppm is not None


@pytest.mark.parametrize("area", [-250.0, 0.0, 40.0])
def test_an_element_that_is_not_detected_gets_an_upper_limit(
    fits: list[SpectrumFit], area: float
) -> None:
    found = with_chromium(fits[0], area)
    row = found["Cr"]
    assert row.detected == "no"
    assert row.net_sigma is not None
    assert row.upper_limit_ppm is not None
    atoms = atoms_of(found)
    atoms[CHROMIUM] = (max(area, 0.0) + 1.645 * row.net_sigma) * FACTORS["Cr"].value
    assert row.upper_limit_ppm == pytest.approx(1e6 * atoms[CHROMIUM] / atoms.sum())
    grams = atoms * [24.305, 28.085, 51.996, 55.845]
    by_weight = 1e6 * grams[CHROMIUM] / grams.sum()
    assert row.upper_limit_weight_ppm == pytest.approx(by_weight, rel=1e-4)
    assert found["Mg"].upper_limit_ppm is None


def test_the_side_bands_of_a_measured_spectrum_scatter_as_the_root_of_the_background(
    fits: list[SpectrumFit],
) -> None:
    """Strong iron stands 1 keV away, and its noise must not count as background."""
    found = np.array([side_band_excess(f, CHROMIUM_keV) for f in fits], dtype=float)
    root = np.sqrt(fits[0].background[fits[0].window(CHROMIUM_keV)].sum())
    assert np.sqrt(np.mean(found**2)) == pytest.approx(1.0, rel=0.05)
    assert found.std() < 0.3
    assert background_sigma(fits[0], CHROMIUM) == pytest.approx(root)


@pytest.mark.parametrize("element", ["Cr", "Fe"])
def test_the_empirical_ratio_of_a_subtracted_spectrum_has_the_scatter_at_the_line(
    rng: np.random.Generator, element: str
) -> None:
    """The background left is far smaller than the noise that the subtraction brought.

    Under Fe, which the matrix holds, that is also the noise of the matrix's own line.
    """
    own = {"Mg": 3.0e5, "Si": 0.0, "Cr": 3.0e3, "Fe": 3.0e3}
    energy = {"Cr": CHROMIUM_keV, "Fe": 6.40}[element]
    mean = 2.0 * MEAN + expected(own, 150.0)
    sums, snr, root, area = [], [], 0.0, []
    for _ in range(120):
        mixture, matrix = fit(rng.poisson(mean)), fit(rng.poisson(MEAN))
        left = fit_again(subtract(mixture, matrix, "Si", "K").spectrum)
        window = left.window(energy)
        sums.append(left.spectrum.counts[window].sum())
        index = left.find(element, "K")
        assert index is not None
        snr.append(empirical_snr(left, index))
        area.append(left.areas[index])
        root = np.sqrt(left.background[window].sum())
    true = np.std(sums, ddof=1)
    # the scatter of 120 draws has an error of 6.5 %
    assert np.mean(np.array(snr, dtype=float)) == pytest.approx(np.mean(area) / true, rel=0.2)
    assert root < 0.5 * true


def test_where_the_side_bands_are_too_short_there_is_no_empirical_ratio(
    rng: np.random.Generator,
) -> None:
    axis = EnergyAxis(1.0, 0.01, 60)
    shapes, _ = LineSet.of_columns([(np.array([1.2536]), np.array([1.0]))]).shapes(
        axis, Calibration()
    )
    counts = rng.poisson(2000 + 1e5 * shapes[:, 0]).astype(float)
    found = fit_spectrum(Spectrum(counts, axis, 200.0, 22.0), ("Mg",), detector=Detector())
    assert side_band_excess(found, 1.25) is None
    assert empirical_snr(found, 0) is None


def test_the_absent_element_has_no_limits(fits: list[SpectrumFit]) -> None:
    row = composition_of(fits[0], METHOD, absent="Si")["Si"]
    limits = (row.snr_empirical, row.critical_counts, row.lod_paper_ppm, row.upper_limit_ppm)
    assert limits == (None,) * 4


def test_the_table_of_detection_holds_what_the_rows_hold(
    fits: list[SpectrumFit], tmp_path: Path
) -> None:
    found = composition_of(fits[0], Method((*ELEMENTS, "O"), given=FACTORS), absent="Si")
    path = tmp_path / "detection.csv"
    spread = {"Cr": (12.5, 0.25)}
    write_detection_csv(path, [(Heading("Brg", "mask", "map1", 12), found)], [spread])
    assert path.read_bytes().startswith(COLUMNS.encode() + b"\n")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = {row["element"]: row for row in csv.DictReader(stream)}
    assert list(rows) == [*ELEMENTS, "O"]
    assert {rows["Cr"][name] for name in ("phase", "source", "map")} == {"Brg", "mask", "map1"}
    for name in COLUMNS.split(",")[5:15]:
        value = getattr(found["Cr"], name)
        assert (rows["Cr"][name] == "") == (value is None)
        if value is not None:
            assert float(rows["Cr"][name]) == pytest.approx(value, rel=1e-7)
    assert rows["Cr"]["detected"] == "no"
    assert rows["Cr"]["background_spread_counts"] == "12.5"
    assert rows["Cr"]["background_spread_sigma"] == "0.25"
    assert rows["Si"]["detected"] == "assumed_absent"
    assert rows["Si"]["background_spread_counts"] == ""
    assert {name for name, cell in rows["O"].items() if cell} == {
        "phase", "source", "map", "element",
    }  # fmt: skip


def test_the_table_stands_beside_that_of_the_composition() -> None:
    assert detection_csv_beside(Path("a/brg.csv")) == Path("a/brg_detection.csv")
    assert detection_csv_beside(Path("brg")) == Path("brg_detection.csv")
