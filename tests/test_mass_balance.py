"""Whole map, phases and bulk: groups of pixels drawn anew, and the demo specimen."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.fitting.subtraction import subtract
from endmember.core.quantification.cliff_lorimer import Composition, Method, composition_of
from endmember.core.quantification.mass_balance import (
    Balance,
    SeparatedPhase,
    balance,
    from_bulk,
    inventory,
)
from endmember.core.quantification.partition import SharedMatrix
from endmember.core.simulation.simulated_map import expected_truth
from endmember.core.simulation.specimens import PHASES
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import GivenFactor
from endmember.core.xrays.line_shapes import Calibration
from endmember.session.decisions.recipe import Contents, changed
from endmember.session.decisions.recipe_file import RecipeError, parse_recipe
from endmember.session.results.result_tables import write_statistics
from endmember.session.state.session import Session
from endmember.session.statistics.mass_balances import ElementBalance, mass_balances
from line_spectra import expected_counts
from several_maps import COUNTS_PER_PIXEL, SIZE, two_finished_maps, with_recipe

AXIS = EnergyAxis(0.9, 0.02, 350)
ELEMENTS = ("Mg", "Al", "Si", "Fe")
MATRIX = {"Mg": 5.0e5, "Al": 1.6e5, "Si": 6.0e5, "Fe": 8.0e4}
PRECIPITATE = {"Mg": 2.0e5, "Al": 5.0e4, "Si": 0.0, "Fe": 5.0e4}
K = dict(zip(ELEMENTS, (1.0, 1.1, 1.0, 1.4), strict=True))
METHOD = Method(ELEMENTS, given={e: GivenFactor("K", k, "atomic") for e, k in K.items()})
DRAWS = 200
CHANCE = 1e-3  # that a comparison misses its bounds though all is right

expected = partial(expected_counts, AXIS)
# pixels of the matrix, of the mixture, and of an overlap that is in no phase's mask
GROUPS = (
    expected(MATRIX, 3000.0),
    0.4 * expected(MATRIX, 3000.0) + expected(PRECIPITATE, 500.0),
    0.1 * expected(MATRIX, 3000.0) + 0.2 * expected(PRECIPITATE, 500.0),
)


def fit(counts: FloatArray) -> SpectrumFit:
    return fit_spectrum(
        Spectrum(np.array(counts, dtype=float), AXIS, 200.0, 22.0),
        ELEMENTS,
        detector=Detector(),
        calibration=Calibration(),
        refine_calibration=False,
    )


def balanced(groups: tuple[FloatArray, ...]) -> Balance:
    matrix, mixture, rest = groups
    of_matrix, of_mixture = fit(matrix), fit(mixture)
    done = subtract(of_mixture, of_matrix, "Si", "K")
    left = fit_spectrum(
        done.spectrum,
        ELEMENTS,
        detector=Detector(),
        calibration=Calibration(),
        refine_calibration=False,
    )
    precipitate = SeparatedPhase(
        composition_of(left, METHOD, absent="Si"),
        of_mixture,
        SharedMatrix(done.factor, of_matrix, of_matrix.find("Si", "K")),
        of_mixture.find("Si", "K"),
    )
    whole = composition_of(fit(matrix + mixture + rest), METHOD)
    return balance([inventory(whole, composition_of(of_matrix, METHOD), [precipitate])])


@pytest.fixture(scope="module")
def draws() -> list[Balance]:
    rng = np.random.default_rng(20260301)
    return [balanced(tuple(rng.poisson(group) for group in GROUPS)) for _ in range(DRAWS)]


@pytest.fixture(scope="module")
def ideal() -> Balance:
    return balanced(GROUPS)


def test_without_noise_phases_and_whole_are_the_true_atoms(ideal: Balance) -> None:
    """1.5 of the matrix and 1.2 of the precipitate, which is known of no group alone."""
    atoms = np.array([K[e] * (1.5 * MATRIX[e] + 1.2 * PRECIPITATE[e]) for e in ELEMENTS])
    truth = 100 * atoms / atoms.sum()
    assert ideal.elements == ELEMENTS
    assert ideal.whole == pytest.approx(truth, rel=2e-3)
    assert ideal.phases == pytest.approx(truth, rel=2e-3)


@pytest.mark.parametrize("name", ["whole", "phases", "difference"])
def test_the_stated_error_is_the_scatter(draws: list[Balance], ideal: Balance, name: str) -> None:
    found = np.array([getattr(one, name) for one in draws]).std(axis=0, ddof=1)
    ratio = found / getattr(ideal, f"{name}_sigma")
    tail = CHANCE / (2 * len(ELEMENTS))
    low, high = np.sqrt(chi2.ppf([tail, 1 - tail], DRAWS - 1) / (DRAWS - 1))
    assert low < ratio.min()
    assert ratio.max() < high


def test_the_difference_is_surer_than_that_of_two_independent_values(ideal: Balance) -> None:
    apart = np.hypot(ideal.whole_sigma, ideal.phases_sigma)
    assert (ideal.difference_sigma < 0.7 * apart).all()
    of_k = np.hypot(ideal.whole_systematic, ideal.phases_systematic)
    assert (ideal.difference_systematic < 0.1 * of_k).all()


def test_the_error_of_the_whole_is_that_of_its_composition() -> None:
    rng = np.random.default_rng(5)
    groups = tuple(rng.poisson(group).astype(float) for group in GROUPS)
    whole: Composition = composition_of(fit(np.sum(groups, axis=0)), METHOD)
    stated = [row.atomic_percent_sigma for row in whole.rows]
    assert balanced(groups).whole_sigma == pytest.approx(stated, rel=0.02)
    by_k = [row.atomic_percent_systematic for row in whole.rows]
    assert balanced(groups).whole_systematic == pytest.approx(by_k, rel=1e-9)


def test_maps_together_have_errors_smaller_by_the_root_of_their_number() -> None:
    of_matrix = composition_of(fit(GROUPS[0]), METHOD)
    one = inventory(of_matrix, of_matrix, [])
    alone, four = balance([one]), balance([one] * 4)
    assert four.whole == pytest.approx(alone.whole)
    assert four.whole_sigma == pytest.approx(alone.whole_sigma / 2)
    assert four.whole_systematic == pytest.approx(alone.whole_systematic)


def test_a_bulk_adds_its_own_error(ideal: Balance) -> None:
    found = from_bulk(ideal, {"Mg": 40.0, "Ni": 1.0}, {"Mg": 0.5})
    assert list(found) == ["Mg"]
    difference, sigma = found["Mg"]
    assert difference == pytest.approx(ideal.whole[0] - 40.0)
    assert sigma == pytest.approx(np.hypot(ideal.whole_sigma[0], 0.5))


# --- maps of a recipe -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session() -> Session:
    done = two_finished_maps()[1]
    sample = changed(
        done.recipe.sample,
        bulk=Contents({"Mg": 18.5, "Si": 20.0}),
        bulk_sigma=Contents({"Mg": 0.2}),
    )
    return with_recipe(done, sample=sample)


def true_whole() -> dict[str, float]:
    """at.% of all atoms under the beam: depths, densities and compositions, no X-rays."""
    truth = expected_truth(SIZE, COUNTS_PER_PIXEL)
    total = dict.fromkeys(truth.elements, 0.0)
    for phase, depth in zip(PHASES, truth.depth_share, strict=True):
        from endmember.core.xrays.lines import atomic_mass

        molar = sum(p / 100 * atomic_mass(e) for e, p in phase.atomic_percent.items())
        moles = phase.density_g_cm3 / molar * float((depth * truth.thickness).sum())
        for element, percent in phase.atomic_percent.items():
            total[element] += moles * percent / 100
    everything = sum(total.values())
    return {e: 100 * n / everything for e, n in total.items()}


def test_the_phases_add_up_to_the_atoms_under_the_beam(session: Session) -> None:
    """Within 4 sigma, and something for masks and for one absorption in the whole map."""
    truth = true_whole()
    rows = [row for row in mass_balances(session).rows if row.map == "sum"]
    assert [row.element for row in rows] == list(session.recipe.sample.elements)
    for row in rows:
        room = 0.01 * truth[row.element]
        assert abs(row.phases_atomic_percent - truth[row.element]) < 4 * row.phases_sigma + room
        assert abs(row.whole_atomic_percent - truth[row.element]) < 4 * row.whole_sigma + room


def test_the_balance_is_written_with_the_bulk_of_the_recipe(
    session: Session, tmp_path: Path
) -> None:
    write_statistics(session, tmp_path)
    with (tmp_path / "mass_balance.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == list(ElementBalance.__dataclass_fields__)
    assert [r["map"] for r in rows] == ["a"] * 9 + ["b"] * 9 + ["sum"] * 9
    by_element = {r["element"]: r for r in rows if r["map"] == "sum"}
    assert by_element["Mg"]["bulk_sigma"] == "0.2"
    assert by_element["Si"]["bulk_sigma"] == ""
    assert by_element["Fe"]["bulk_atomic_percent"] == ""
    mg = by_element["Mg"]
    assert float(mg["bulk_difference"]) == pytest.approx(float(mg["whole_atomic_percent"]) - 18.5)


RECIPE = """
format = "endmember-recipe-1"
[[map]]
file = "a.hspy"
name = "a"
[decomposition]
components = 3
[sample]
matrix = "Brg"
elements = ["O", "Mg"]
"""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("bulk = { Xx = 1 }", "no element"),
        ("bulk = { Fe = 1 }", "sample.elements lacks Fe"),
        ("bulk = { Mg = 120 }", "from 0 to 100"),
        ("bulk = { Mg = 60, O = 60 }", "adds up to 120"),
        ("bulk_sigma = { Mg = 1 }", "sample.bulk lacks Mg"),
        ("bulk = 3", "Mg = 17.8"),
    ],
)
def test_a_bulk_that_cannot_be_is_refused_with_a_sentence(line: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        parse_recipe(RECIPE + line, "r.toml")
