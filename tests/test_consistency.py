"""Do the maps agree? The test itself on drawn numbers, then on fits, then on maps."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, chi2, kstest, norm

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.core.fitting.spectrum_fit import fit_spectrum
from endmember.core.quantification.cliff_lorimer import Composition, Method, composition_of
from endmember.core.quantification.consistency import ALARM, adjusted, agreement
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import GivenFactor
from endmember.core.xrays.line_shapes import Calibration
from endmember.session.results.result_tables import write_statistics
from endmember.session.state.session import Session
from endmember.session.statistics.map_consistency import consistency_sentences, map_consistency
from endmember.session.steps.compositions import Compositions
from line_spectra import expected_counts
from several_maps import two_finished_maps

AXIS = EnergyAxis(0.9, 0.02, 250)
AREAS = {"Mg": 5.0e3, "Al": 1.6e3, "Si": 6.0e3}
METHOD = Method(
    tuple(AREAS), given={e: GivenFactor("K", 1.0 + 0.1 * i, "atomic") for i, e in enumerate(AREAS)}
)
MAPS = 3
expected = partial(expected_counts, AXIS)


def measured(areas: dict[str, float], rng: np.random.Generator) -> Composition:
    spectrum = Spectrum(rng.poisson(expected(areas, 100.0)).astype(float), AXIS, 200.0, 22.0)
    fit = fit_spectrum(
        spectrum,
        METHOD.elements,
        detector=Detector(),
        calibration=Calibration(),
        refine_calibration=False,
    )
    return composition_of(fit, METHOD)


def p_value(maps: list[Composition], element: str) -> float:
    rows = [one[element] for one in maps]
    found = agreement(
        [r.atomic_percent or 0.0 for r in rows], [r.atomic_percent_sigma or 0.0 for r in rows]
    )
    assert found is not None
    return found.p_value


def test_two_values_give_the_square_of_their_distance_in_sigma() -> None:
    found = agreement([10.0, 13.0], [3.0, 4.0])
    assert found is not None
    assert found.chi_squared == pytest.approx(9 / 25)
    assert found.p_value == pytest.approx(2 * norm.sf(0.6))
    assert found.mean == pytest.approx((10 / 9 + 13 / 16) / (1 / 9 + 1 / 16))
    assert found.mean_sigma == pytest.approx((1 / 9 + 1 / 16) ** -0.5)
    assert abs(found.farthest_sigma) == pytest.approx(0.6)


def test_the_farthest_is_measured_against_the_mean_of_the_others() -> None:
    values, sigmas = [1.0, 1.2, 3.0, 0.9], [0.1, 0.2, 0.3, 0.15]
    found = agreement(values, sigmas)
    assert found is not None
    assert found.farthest == 2
    weights = np.array([1 / s**2 for s in (0.1, 0.2, 0.15)])
    mean = float(weights @ np.array([1.0, 1.2, 0.9]) / weights.sum())
    error = np.hypot(0.3, weights.sum() ** -0.5)
    assert found.farthest_sigma == pytest.approx((3.0 - mean) / error)
    assert found.degrees_of_freedom == 3
    assert found.p_value == pytest.approx(chi2.sf(found.chi_squared, 3))


def test_one_value_agrees_with_nothing_and_no_error_is_refused() -> None:
    assert agreement([1.0], [0.1]) is None
    with pytest.raises(ValueError, match="not above 0"):
        agreement([1.0, 2.0], [0.1, 0.0])


def test_many_tests_raise_no_more_false_alarms_than_one(rng: np.random.Generator) -> None:
    """Families of 20 dependent tests, 20,000 times: at most 5 % have any below 0.05."""
    common = rng.standard_normal((20_000, 1))
    p = 2 * norm.sf(np.abs(np.sqrt(0.5) * (common + rng.standard_normal((20_000, 20)))))
    alarms = sum(min(adjusted(family)) < 0.05 for family in p.tolist())
    assert alarms <= binom.ppf(1 - 1e-4, 20_000, 0.05)
    assert alarms > 200  # it does not fall asleep either


def test_maps_of_one_composition_are_called_different_as_often_as_stated(
    rng: np.random.Generator,
) -> None:
    """400 times three fitted spectra: p is uniform for each element."""
    draws = [[measured(AREAS, rng) for _ in range(MAPS)] for _ in range(400)]
    for element in AREAS:
        found = [p_value(maps, element) for maps in draws]
        assert kstest(found, "uniform").pvalue > 1e-4
        low, high = binom.ppf([1e-4, 1 - 1e-4], len(found), 0.05)
        assert low <= sum(p < 0.05 for p in found) <= high


def test_a_map_with_another_composition_is_found_as_often_as_theory_says(
    rng: np.random.Generator,
) -> None:
    """Al 12 % higher on one of three maps: the power of the non-central chi-squared at 5 %."""
    from scipy.stats import ncx2

    other = {**AREAS, "Al": 1.12 * AREAS["Al"]}
    draws = [[measured(AREAS, rng), measured(AREAS, rng), measured(other, rng)] for _ in range(150)]
    sigmas = [maps[0]["Al"].atomic_percent_sigma or 0.0 for maps in draws]
    means = [np.mean([maps[i]["Al"].atomic_percent or 0.0 for maps in draws]) for i in range(3)]
    shift = (means[2] - (means[0] + means[1]) / 2) / np.mean(sigmas)
    power = ncx2.sf(chi2.ppf(0.95, 2), 2, shift**2 * 2 / 3)
    assert 0.4 < power < 0.99
    found = sum(p_value(maps, "Al") < 0.05 for maps in draws)
    low, high = binom.ppf([1e-4, 1 - 1e-4], len(draws), power)
    assert low <= found <= high


# --- the table of a recipe --------------------------------------------------------------------


@pytest.fixture(scope="module")
def session() -> Session:
    return two_finished_maps()[1]


def test_maps_are_compared_in_a_row_for_each_phase_and_element(
    session: Session, tmp_path: Path
) -> None:
    write_statistics(session, tmp_path)
    with (tmp_path / "consistency.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    kinds = list(dict.fromkeys((r["phase"], r["source"]) for r in rows))
    assert kinds == [
        ("Brg", "mask"), ("Fp", "mask"), ("CaPv", "mask"),
        ("Brg", "roi"), ("Fp", "conventional"), ("CaPv", "conventional"),
    ]  # fmt: skip
    assert len(rows) == 2 * (9 + 8 + 8)
    for row in rows:
        assert row["maps"] == "2"
        p, of_all = float(row["p_value"]), float(row["p_value_of_all"])
        assert of_all == pytest.approx(min(1.0, p * len(rows)), rel=1e-6)


def test_maps_of_one_specimen_agree(session: Session) -> None:
    """By masks; p-values of elements that the noise alone moves are not all small or large."""
    rows = map_consistency(session.result("quantification"), "Brg")
    assert consistency_sentences(rows) == []
    found = [r.p_value for r in rows if r.source == "mask"]
    assert kstest(found, "uniform").pvalue > 1e-3


def test_a_map_of_another_composition_is_named_with_its_elements(session: Session) -> None:
    """Iron in the matrix of map b as if it had been a tenth higher."""
    found: Compositions = session.result("quantification")
    entries = tuple(
        replace(e, composition=with_iron(e.composition, 1.1))
        if (e.phase, e.source, e.map) == ("Brg", "mask", "b")
        else e
        for e in found.entries
    )
    rows = map_consistency(replace(found, entries=entries), "Brg")
    (iron,) = [r for r in rows if (r.phase, r.source, r.element) == ("Brg", "mask", "Fe")]
    assert iron.p_value_of_all < ALARM
    (sentence,) = consistency_sentences(rows)
    assert "do not agree on Fe in Brg (mask)" in sentence
    assert '"b" lies' in sentence or '"a" lies' in sentence


def with_iron(composition: Composition, times: float) -> Composition:
    rows = tuple(
        replace(row, atomic_percent=row.atomic_percent * times)
        if row.element == "Fe" and row.atomic_percent
        else row
        for row in composition.rows
    )
    return replace(composition, rows=rows)
