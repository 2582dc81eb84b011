"""What the cells and curves of the statistics show, against the numbers they come from."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from endmember.session.decisions.edits import new_recipe, set_elements
from endmember.session.decisions.recipe import Contents, Goal, Limits, Recipe, changed
from endmember.session.decisions.sample_goals import set_bulk, set_bulk_sigma, set_goal
from endmember.session.state.session import Session
from endmember.session.statistics.bootstrap import BootstrapError
from endmember.session.statistics.map_consistency import map_consistency
from endmember.session.statistics.mask_spread import MaskSpread
from endmember.session.statistics.mass_balances import mass_balances
from endmember.session.statistics.outlooks import outlooks
from endmember.session.statistics.requested_results import (
    KEPT,
    RequestedResults,
    is_finished,
    question_of,
)
from endmember.session.statistics.snr_growth import GrowthPoint
from endmember.session.steps.compositions import Compositions, Entry
from endmember.session.views.balance_view import BULK, BULK_SIGMA, balance_table
from endmember.session.views.composition_view import UNITS, entry_table
from endmember.session.views.consistency_view import ONE_MAP, consistency_table, spectra_tested
from endmember.session.views.element_table import ElementTable
from endmember.session.views.growth_view import growth_of, growth_table
from endmember.session.views.line_overlays import (
    line_fit,
    overlaid,
    panels_of,
    range_about,
    spectra_of,
)
from endmember.session.views.outlook_view import ERROR, LOD, outlook_table, relative_error
from endmember.session.views.robustness_view import (
    relative_errors,
    robustness_table,
    with_known_errors,
)
from several_maps import two_finished_maps, with_recipe


@pytest.fixture(scope="module")
def session() -> Session:
    return two_finished_maps()[1]


@pytest.fixture(scope="module")
def found(session: Session) -> Compositions:
    result: Compositions = session.result("quantification")
    return result


def entry_of(found: Compositions, phase: str, map_name: str, source: str = "mask") -> Entry:
    return next(e for e in found.entries if (e.phase, e.source, e.map) == (phase, source, map_name))


def numbers(table: ElementTable | str, element: str) -> dict[str, Any]:
    """The numbers of a row by the keys of the columns; the last of equal keys counts."""
    assert isinstance(table, ElementTable)
    row = table.cells[table.elements.index(element)]
    return {head.key: cell.number for head, cell in zip(table.heads, row, strict=True)}


def texts(table: ElementTable | str, element: str) -> dict[str, str]:
    assert isinstance(table, ElementTable)
    row = table.cells[table.elements.index(element)]
    return {head.key: cell.text for head, cell in zip(table.heads, row, strict=True)}


# --- do the maps agree -------------------------------------------------------------------------


def test_the_table_of_a_phase_shows_each_map_and_chi_squared_about_their_mean(
    session: Session, found: Compositions
) -> None:
    rows = map_consistency(found, session.recipe.sample.matrix)
    assert ("Fp", "mask") in spectra_tested(rows)
    table = consistency_table(rows, found, ("Fp", "mask"))
    assert isinstance(table, ElementTable)
    titles = [head.title for head in table.heads]
    assert titles[1:5] == ["a", "± stat. of a", "b", "± stat. of b"]
    x = np.array([entry_of(found, "Fp", m).composition["Fe"].atomic_percent for m in "ab"], float)
    s = np.array(
        [entry_of(found, "Fp", m).composition["Fe"].atomic_percent_sigma for m in "ab"], float
    )
    mean = (x / s**2).sum() / (1 / s**2).sum()
    shown = numbers(table, "Fe")
    assert [cell.number for cell in table.cells[table.elements.index("Fe")][1:5]] == pytest.approx(
        [x[0], s[0], x[1], s[1]]
    )
    assert shown["mean"] == pytest.approx(mean)
    assert shown["chi"] == pytest.approx((((x - mean) / s) ** 2).sum())
    assert shown["dof"] == 1
    # of one degree of freedom, p is what a normal number leaves outside
    assert shown["p"] == pytest.approx(math.erfc(math.sqrt(shown["chi"] / 2)))


def test_a_map_that_disagrees_is_named_beside_the_element(
    session: Session, found: Compositions
) -> None:
    rows = [
        replace(row, p_value=1e-9, p_value_of_all=2e-8, farthest_map="b", farthest_sigma=6.1)
        if (row.phase, row.source, row.element) == ("Fp", "mask", "Fe")
        else replace(row, p_value=0.5, p_value_of_all=1.0)
        for row in map_consistency(found, session.recipe.sample.matrix)
    ]
    one = texts(consistency_table(rows, found, ("Fp", "mask")), "Fe")
    assert one["agree"] == "no: b"
    assert one["p"] == "1e−09"
    assert texts(consistency_table(rows, found, ("Fp", "mask")), "Mg")["agree"] == "agree"
    side_by_side = consistency_table(rows, found, None)
    assert isinstance(side_by_side, ElementTable)
    fe = side_by_side.cells[side_by_side.elements.index("Fe")]
    named = [
        head.title
        for head, cell in zip(side_by_side.heads, fe, strict=True)
        if cell.text == "no: b"
    ]
    assert named == ["agree in Fp, mask"]


def test_one_map_has_nothing_to_agree_with(found: Compositions) -> None:
    single = replace(found, entries=tuple(e for e in found.entries if e.map == "a"), united=())
    assert consistency_table((), single, None) == ONE_MAP


# --- mass balance --------------------------------------------------------------------------------


def test_the_mass_balance_shows_a_bulk_and_its_distance_in_its_own_errors(
    session: Session,
) -> None:
    bulk, sigma = Contents({"Fe": 3.0, "Si": 20.0}), Contents({"Fe": 0.5})
    sample = changed(session.recipe.sample, bulk=bulk, bulk_sigma=sigma)
    made = mass_balances(with_recipe(session, sample=sample))
    assert list(dict.fromkeys(r.map for r in made.rows)) == ["a", "b", "sum"]
    row = next(r for r in made.rows if (r.map, r.element) == ("a", "Fe"))
    shown = numbers(balance_table(made, "a", bulk, sigma), "Fe")
    assert (shown[BULK], shown[BULK_SIGMA]) == (3.0, 0.5)
    assert shown["whole"] - shown["phases"] == pytest.approx(shown["difference"], abs=1e-9)
    assert shown["bulk_difference"] == pytest.approx(row.whole_atomic_percent - 3.0)
    error = math.hypot(row.whole_sigma, 0.5)
    assert shown["bulk_in_sigma"] == pytest.approx((row.whole_atomic_percent - 3.0) / error)
    newer = Contents({"Fe": 4.0, "Si": 20.0})
    waiting = numbers(balance_table(made, "a", newer, sigma), "Fe")
    assert (waiting[BULK], waiting["bulk_difference"]) == (4.0, None)


# --- outlook -------------------------------------------------------------------------------------


def test_the_outlook_says_what_each_goal_needs_and_nothing_of_an_earlier_goal(
    session: Session, found: Compositions
) -> None:
    brg = entry_of(found, session.recipe.sample.matrix, "a")
    now = brg.composition["Fe"]
    percent = relative_error(now)
    assert percent is not None
    assert now.lod_ppm is not None
    goal = Goal(
        lod_ppm=Limits({"Fe": now.lod_ppm / 2, "Ca": 1e6}),
        relative_error_percent=Limits({"Fe": percent / 3}),
    )
    rows = outlooks(with_recipe(session, goal=goal))
    table = outlook_table(brg, rows, goal)
    shown = numbers(table, "Fe")
    assert shown[f"{LOD} now"] == pytest.approx(now.lod_ppm)
    assert shown[f"{ERROR} now"] == pytest.approx(percent)
    # of a matrix nothing is subtracted: counts grow as the square of what is asked
    assert shown[f"{LOD} maps"] == 4
    assert shown[f"{ERROR} maps"] == 9
    assert shown[f"{ERROR} pixels"] == pytest.approx(9 * brg.pixels, abs=1)
    assert texts(table, "Ca")[f"{LOD} pixels"] == "reached"
    newer = changed(goal, lod_ppm=Limits({"Fe": now.lod_ppm / 5}))
    assert numbers(outlook_table(brg, rows, newer), "Fe")[f"{LOD} maps"] is None


# --- edits ---------------------------------------------------------------------------------------


def started() -> Recipe:
    return set_elements(new_recipe(Path("/data/a.bcf")), ["Fe", "Mg", "O"], [])


def test_a_bulk_is_set_with_its_error_and_goes_with_it() -> None:
    recipe = set_bulk_sigma(set_bulk(started(), "Fe", 8.0), "Fe", 0.4)
    assert (dict(recipe.sample.bulk), dict(recipe.sample.bulk_sigma)) == ({"Fe": 8.0}, {"Fe": 0.4})
    emptied = set_bulk(recipe, "Fe", None)
    assert (dict(emptied.sample.bulk), dict(emptied.sample.bulk_sigma)) == ({}, {})


@pytest.mark.parametrize(
    ("edit", "arguments", "says"),
    [
        (set_bulk, ("Fe", -1.0), "the bulk of Fe is -1"),
        (set_bulk_sigma, ("Mg", 0.2), "lacks Mg"),
        (set_goal, ("relative_error_percent", "Fe", 0.0), "error asked for of Fe"),
    ],
)
def test_a_bulk_or_goal_that_cannot_be_is_refused(edit: Any, arguments: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        edit(set_bulk(started(), "Fe", 8.0), *arguments)


def test_a_goal_is_set_and_taken_back() -> None:
    recipe = set_goal(set_goal(started(), "lod_ppm", "Fe", 50.0), "lod_ppm", "Mg", 70.0)
    assert dict(recipe.goal.lod_ppm) == {"Fe": 50.0, "Mg": 70.0}
    assert dict(set_goal(recipe, "lod_ppm", "Fe", None).goal.lod_ppm) == {"Mg": 70.0}


def test_an_element_that_is_taken_out_takes_its_bulk_and_goal_with_it() -> None:
    recipe = set_goal(set_bulk(started(), "Fe", 8.0), "lod_ppm", "Fe", 50.0)
    recipe = set_bulk(set_bulk_sigma(recipe, "Fe", 0.1), "Mg", 40.0)
    without = set_elements(recipe, ["Mg", "O"], [])
    assert dict(without.sample.bulk) == {"Mg": 40.0}
    assert not without.sample.bulk_sigma
    assert not without.goal.lod_ppm


# --- growth --------------------------------------------------------------------------------------


def points() -> list[GrowthPoint]:
    """SNR of 3 root(pixels), once 6 above it with an error of 2; the value is 10 at.%."""
    made = []
    for map_name in ("a", "sum"):
        for pixels, above in ((100, 0.0), (400, 6.0), (1600, 0.0)):
            law = 3.0 * math.sqrt(pixels)
            sigma = 40.0 / math.sqrt(pixels)
            made.append(
                GrowthPoint("Fp", map_name, "Fe", pixels, law + above, law, above, 2.0, 3.0, 0.1,
                            10.0, sigma, 50.0)
            )  # fmt: skip
    return made


def test_growth_is_a_curve_for_each_map_with_residuals_in_sigma_and_the_law_of_errors() -> None:
    of_a, of_sum = growth_of(points(), "Fp", "Fe")
    assert (of_a.title, of_sum.title) == ("a", "sum of the maps")
    assert of_a.root == pytest.approx([30.0, 60.0, 120.0])
    assert of_a.residual == pytest.approx([0.0, 3.0, 0.0])
    assert of_a.error_percent == pytest.approx([40.0, 20.0, 10.0])
    assert of_a.root_error_percent == pytest.approx(of_a.error_percent)
    assert "(3.00 ± 0.10)" in of_a.says
    assert "3.0 σ at 400 pixels" in of_a.says
    table = growth_table(points(), "Fp", "a", "Fe")
    assert numbers(table, "400 pixels")["residual"] == pytest.approx(3.0)
    assert growth_table(points(), "Fp", "a", "Zr") == "Zr was not measured in every part of Fp."


# --- other errors --------------------------------------------------------------------------------


def spreads() -> list[MaskSpread]:
    return [MaskSpread("Fp", "a", "Fe", 8.0, 0.2, -0.3, 0.4, 0.1, 0.0, 0.05, 0.37)]


def boots() -> list[BootstrapError]:
    return [BootstrapError("Fp", "a", "Fe", 8.0, 0.2, 0.22, 0.05, 1.1, 0.01, 12)]


def test_errors_asked_for_stand_after_the_systematic_error_in_the_unit_of_the_table(
    found: Compositions,
) -> None:
    entry = entry_of(found, "Fp", "a")
    ppm = UNITS["at. ppm"]
    plain = entry_table(entry, ppm)
    table = with_known_errors(plain, entry, ppm.factor, spreads(), boots())
    keys = [head.key for head in table.heads]
    place = keys.index("systematic")
    assert keys[place + 1 : place + 3] == ["mask_spread", "bootstrap"]
    assert [head.unit for head in table.heads[place + 1 : place + 3]] == ["at. ppm"] * 2
    shown = numbers(table, "Fe")
    assert (shown["mask_spread"], shown["bootstrap"]) == pytest.approx((3700.0, 2200.0))
    assert numbers(table, "Mg")["mask_spread"] is None
    assert len(table.entries) == len(table.heads) == len(table.cells[0])
    assert with_known_errors(plain, entry, 1.0, None, None) is plain
    other = entry_of(found, "Fp", "a", "roi")
    of_other = entry_table(other, ppm)
    assert with_known_errors(of_other, other, 1.0, spreads(), None) is of_other


def test_the_errors_of_an_element_are_shown_in_per_cent_of_its_value(found: Compositions) -> None:
    entry = entry_of(found, "Fp", "a")
    value = entry.composition["Fe"].atomic_percent
    fe = next(e for e in relative_errors(entry, spreads(), None) if e.element == "Fe")
    assert fe.masks == pytest.approx(100 * 0.37 / value)
    assert fe.bootstrap is None
    table = robustness_table(entry, spreads(), None)
    assert numbers(table, "Fe")["eroded"] == -0.3
    cells = dict(zip([h.key for h in table.heads], table.cells[0], strict=True))
    assert "press the button" in cells["bootstrap"].more


# --- lines ---------------------------------------------------------------------------------------


def test_a_legend_says_the_limit_of_the_mask_itself_and_of_a_region_after_its_subtraction(
    found: Compositions,
) -> None:
    spectra = spectra_of(found.entries, "Fp")
    assert {e.source for e in spectra} == {"roi", "mask"}
    assert [e.map for e in spectra[-2:]] == ["sum", "sum"]
    shown = overlaid(spectra, found.entries, "Fe", 6.0, 7.0, normalised=False)
    for one in shown:
        source = "conventional" if one.entry.source == "roi" else "mask"
        entry = next(
            e
            for e in found.entries
            if (e.phase, e.source, e.map, e.label) == ("Fp", source, one.entry.map, one.entry.label)
        )
        told = float(one.legend.partition("LOD ")[2].removesuffix(" ppm").replace(",", ""))
        assert told == pytest.approx(entry.composition["Fe"].lod_ppm, rel=0.06)  # two digits


def test_spectra_are_normalised_to_their_maximum_between_the_energies_shown(
    found: Compositions,
) -> None:
    spectra = spectra_of(found.entries, "Fp")
    about = range_about(spectra, "Fe")
    assert about is not None
    assert about[0] < 6.404 < about[1]
    for one in overlaid(spectra, found.entries, "Fe", *about, normalised=True):
        within = (one.energy_keV >= about[0]) & (one.energy_keV <= about[1])
        assert one.values[within].max() == pytest.approx(1.0)
        assert one.values.max() > 1.0  # O and Mg have more counts than Fe


def test_chi_squared_about_a_line_sees_a_misfit_there_and_only_there(found: Compositions) -> None:
    entry = entry_of(found, "Fp", "a")
    fit = entry.composition.fit
    good = line_fit(entry, "Fe")
    assert good is not None
    assert good.energy_keV == pytest.approx(6.404, abs=0.02)
    assert abs(good.chi_squared - 1.0) < 5 * good.spread

    def raised(at_keV: float) -> Entry:
        spectrum = fit.spectrum
        near = np.abs(spectrum.axis.centres - at_keV) < 0.03
        counts = spectrum.counts + 8.0 * np.sqrt(fit.variance) * near
        worse = replace(fit, spectrum=replace(spectrum, counts=counts))
        return replace(entry, composition=replace(entry.composition, fit=worse))

    at_line, elsewhere = line_fit(raised(6.404), "Fe"), line_fit(raised(9.0), "Fe")
    assert at_line is not None
    assert elsewhere is not None
    assert at_line.chi_squared > 1.0 + 5 * good.spread
    assert elsewhere.chi_squared == pytest.approx(good.chi_squared)
    assert line_fit(entry, "Zr") is None


def test_region_mask_and_sum_stand_side_by_side(found: Compositions) -> None:
    spectra = spectra_of(found.entries, "Fp")
    assert [(e.source, e.map) for e in panels_of(spectra, "b")] == [
        ("roi", "b"),
        ("mask", "b"),
        ("mask", "sum"),
    ]


# --- results on request --------------------------------------------------------------------------


def test_results_on_request_belong_to_their_recipe_and_the_oldest_are_dropped(
    session: Session,
) -> None:
    assert is_finished(session)
    kept = RequestedResults()
    twin = session.snapshot()
    kept.keep(question_of(twin, "bootstrap", 5), "five")
    first = twin.recipe
    for number in range(KEPT):
        maps = tuple(changed(m, thickness_nm=50.0 + number) for m in first.maps)
        twin.change(changed(first, maps=maps))
        assert kept.find(twin, "bootstrap") is None
        assert not is_finished(twin)
        kept.keep(question_of(twin, "bootstrap"), number)
        assert kept.find(twin, "bootstrap") == number
    assert kept.find(session, "bootstrap") is None  # the oldest
    kept.clear()
    assert kept.find(twin, "bootstrap") is None
