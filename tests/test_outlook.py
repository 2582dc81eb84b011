"""How many more counts a goal needs: promised from one spectrum, kept by a longer one."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.fitting.subtraction import matrix_variance_share, subtract, subtract_areas
from endmember.core.quantification.cliff_lorimer import Composition, Method, composition_of
from endmember.core.quantification.outlook import Noise, times_needed
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import GivenFactor
from endmember.core.xrays.line_shapes import Calibration
from endmember.session.decisions.recipe import Goal, Limits
from endmember.session.decisions.recipe_file import RecipeError, dump_recipe, parse_recipe
from endmember.session.results.result_tables import write_statistics
from endmember.session.state.session import Session
from endmember.session.statistics.outlooks import Outlook, outlooks
from line_spectra import expected_counts
from several_maps import two_finished_maps, with_recipe

AXIS = EnergyAxis(0.9, 0.02, 350)
ELEMENTS = ("Mg", "Al", "Si", "Fe")
MATRIX = {"Mg": 5.0e4, "Al": 1.6e4, "Si": 6.0e4, "Fe": 800.0}
PRECIPITATE = {"Mg": 2.0e4, "Al": 5.0e3, "Si": 0.0, "Fe": 300.0}
METHOD = Method(ELEMENTS, given={e: GivenFactor("K", 1.0, "atomic") for e in ELEMENTS})
expected = partial(expected_counts, AXIS)
PURE = expected(MATRIX, 3000.0)
MIXED = 0.5 * PURE + expected(PRECIPITATE, 500.0)


def fit(counts: FloatArray) -> SpectrumFit:
    return fit_spectrum(
        Spectrum(np.array(counts, dtype=float), AXIS, 200.0, 22.0),
        ELEMENTS,
        detector=Detector(),
        calibration=Calibration(),
        refine_calibration=False,
    )


def composition(counts: FloatArray) -> Composition:
    return composition_of(fit(counts), METHOD)


def test_a_goal_of_half_the_limit_needs_four_times_the_counts(rng: np.random.Generator) -> None:
    """The promise of one noisy spectrum, kept by another with as many more counts."""
    today = composition(rng.poisson(PURE))["Fe"].lod_ppm or 0.0
    times = times_needed(today, today / 2, Noise(), "everything")
    assert times == pytest.approx(4)
    then = composition(rng.poisson(4 * PURE))["Fe"].lod_ppm
    assert then == pytest.approx(today / 2, rel=0.03)


def test_a_goal_of_a_relative_error_is_kept(rng: np.random.Generator) -> None:
    def relative(counts: FloatArray) -> float:
        row = composition(counts)["Al"]
        return (row.atomic_percent_sigma or 0.0) / (row.atomic_percent or 1.0)

    today = relative(rng.poisson(PURE))
    times = times_needed(today, today / 3, Noise(), "everything")
    assert times is not None
    assert relative(rng.poisson(times * PURE)) == pytest.approx(today / 3, rel=0.03)


def left(mixture: FloatArray, matrix: FloatArray) -> SpectrumFit:
    return subtract_areas(fit(mixture), fit(matrix), "Si", "K")


def relative_area(found: SpectrumFit, element: str) -> float:
    index = found.find(element, "K")
    assert index is not None
    return float(np.sqrt(found.covariance[index, index]) / found.areas[index])


@pytest.mark.parametrize("element", ["Mg", "Al", "Fe"])
def test_pixels_of_the_phase_alone_help_as_far_as_the_matrix_lets_them(element: str) -> None:
    """A matrix of as many counts as the mixture: what it adds to the noise stays."""
    mixture, matrix = fit(MIXED), fit(PURE)
    shares = matrix_variance_share(mixture, matrix, "Si", subtract(mixture, matrix, "Si", "K"))
    index = mixture.find(element, "K")
    assert index is not None
    fixed = shares[mixture.columns[index].name]
    assert 0.1 < fixed < 0.9
    today = relative_area(left(MIXED, PURE), element)
    asked = today * np.sqrt(fixed + 0.25 * (1 - fixed))
    times = times_needed(today, asked, Noise(1 - fixed, fixed), "own pixels")
    assert times == pytest.approx(4)
    assert relative_area(left(4 * MIXED, PURE), element) == pytest.approx(asked, rel=0.01)
    beyond = today * np.sqrt(0.9 * fixed)
    assert times_needed(today, beyond, Noise(1 - fixed, fixed), "own pixels") is None
    assert relative_area(left(1e4 * MIXED, PURE), element) > beyond


def test_a_figure_of_zero_is_no_goal() -> None:
    with pytest.raises(ValueError, match="above 0"):
        times_needed(100.0, 0.0, Noise(), "everything")


# --- the table of a recipe --------------------------------------------------------------------


@pytest.fixture(scope="module")
def session() -> Session:
    goal = Goal(
        lod_ppm=Limits({"Sm": 30}), relative_error_percent=Limits({"Fe": 0.5, "U": 5, "Si": 50})
    )
    return with_recipe(two_finished_maps()[1], goal=goal)


def by_place(rows: tuple[Outlook, ...], element: str) -> dict[tuple[str, str], Outlook]:
    return {(r.phase, r.map): r for r in rows if r.element == element}


def test_the_sum_needs_as_many_maps_as_one_map_says(session: Session) -> None:
    """Two maps alike: twice the counts of one are there already."""
    found = by_place(outlooks(session), "Sm")
    for phase in ("Brg", "Fp", "CaPv"):
        one, both = found[phase, "a"], found[phase, "sum"]
        states = {one.state, both.state}
        assert states == {"needs more"} if phase == "Brg" else "reached" not in states
        assert one.times_counts is not None
        assert both.times_counts == pytest.approx(one.times_counts / 2, rel=0.15)
        assert one.maps_needed is not None
        assert one.maps_needed == int(np.ceil(one.times_counts))
        assert both.maps_now == 2
        assert (
            one.pixels_needed is None
            or one.pixels_needed > one.times_counts * one.pixels_now * 0.99
        )  # type: ignore[operator]


def test_states_say_what_no_counts_can_give(session: Session) -> None:
    uranium, silicon = (by_place(outlooks(session), e) for e in ("U", "Si"))
    assert uranium["Fp", "sum"].state == "not detected"
    assert uranium["Fp", "sum"].times_counts is None
    assert silicon["Fp", "sum"].state == "not measured"  # assumed absent
    assert silicon["Brg", "sum"].state == "reached"
    assert (silicon["Brg", "sum"].times_counts or 1) < 1


def test_minutes_follow_from_the_live_time(session: Session) -> None:
    data = session.result("read", "a")
    timed = replace(data, image=replace(data.image, live_time_s=600.0))
    twin = session.snapshot()
    twin.results[twin.key("read", "a")] = timed
    row = by_place(outlooks(twin), "Sm")["Brg", "a"]
    assert row.minutes_now == pytest.approx(10)
    assert row.minutes_needed == pytest.approx(10 * (row.times_counts or 0))
    assert by_place(outlooks(session), "Sm")["Brg", "a"].minutes_needed is None


def test_the_outlook_is_written_only_with_a_goal(session: Session, tmp_path: Path) -> None:
    write_statistics(with_recipe(session, goal=Goal()), tmp_path)
    assert not (tmp_path / "outlook.csv").exists()
    write_statistics(session, tmp_path)
    with (tmp_path / "outlook.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == list(Outlook.__dataclass_fields__)
    assert len(rows) == 3 * 3 * 4


def test_goals_come_back_from_the_file_and_wrong_ones_are_refused(session: Session) -> None:
    text = dump_recipe(session.recipe)
    assert parse_recipe(text, "r.toml").goal == session.recipe.goal
    wrong = text.replace("Sm = 30", "Sm = -30")
    assert wrong != text
    with pytest.raises(RecipeError, match=r"goal.lod_ppm.Sm is -30"):
        parse_recipe(wrong, "r.toml")
