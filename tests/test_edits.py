"""Edits of a recipe: what each gesture changes, what follows it, and what is refused."""

import string
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endmember.session.decisions import edits
from endmember.session.decisions.edits import LEAVE
from endmember.session.decisions.recipe import (
    ComponentLabel,
    EnergyWindow,
    FactorsByHand,
    Recipe,
    Roi,
    Valences,
)
from endmember.session.decisions.recipe_changes import allowed
from endmember.session.decisions.recipe_file import check_recipe, dump_recipe, parse_recipe
from endmember.session.decisions.recipe_rules import fit_map_name
from endmember.session.state.session import Session
from endmember.session.steps.chain import STEPS

BOX = (10, 20, 30, 40)
TRIANGLE = ((0, 0), (9, 0), (0, 9))


def started() -> Recipe:
    """Two maps, a matrix and a precipitate with a little of everything."""
    recipe = edits.new_recipe(Path("/data/a.bcf"), "Brg")
    recipe = edits.add_map(recipe, Path("/data/b.bcf"))
    recipe = edits.set_elements(recipe, ["Si", "O", "Fe", "Mg"], ["Cu"])
    recipe = edits.add_precipitate(recipe, "Fp", "Si", 2)
    for name in ("a", "b", "a"):
        recipe = edits.add_rectangle(recipe, "Fp", name, BOX)
    recipe = edits.add_stroke(recipe, "Fp", "b", "inside", 2, [(1, 2)])
    recipe = edits.add_roi(recipe, "a", "ellipse", BOX, "Fp")
    recipe = edits.add_roi(recipe, "a", "rectangle", BOX, "Brg")
    recipe = edits.add_exclude(recipe, "b", "polygon", TRIANGLE)
    recipe = edits.set_density(recipe, "Fp", 3.6)
    recipe = edits.set_density(recipe, "Brg", 4.1)
    recipe = edits.label_component(recipe, 2, name="dark rims", role="precipitate")
    recipe = edits.add_window(recipe, 6.2, 6.6)
    return edits.set_quantification(recipe, reference="Si")


def test_a_new_recipe_has_no_decision_but_the_name_of_its_map() -> None:
    recipe = edits.new_recipe(Path("/data/map 1.bcf"))
    assert (recipe.maps[0].file, recipe.maps[0].name) == ("/data/map 1.bcf", "map 1")
    assert recipe.sample.matrix == "Matrix"
    assert recipe.sample.elements == ()
    assert recipe.decomposition.components == 3
    assert parse_recipe(dump_recipe(recipe), "r", unfinished=True) == recipe


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a:b.emd", "a_b"),
        ("Sum.emd", "map_Sum"),
        ("con.emd", "map_con"),
        (".. .emd", "map"),
        ("x..emd", "x"),
        ("ä β.emd", "ä β"),
        ("bad\udcff.emd", "bad_"),
        ("€" * 60 + ".emd", "€" * 29),
    ],
)
def test_a_map_is_named_after_its_file_as_far_as_the_rules_allow(file: str, name: str) -> None:
    assert edits.new_recipe(Path(file)).maps[0].name == name


@given(st.text(max_size=200))
def test_every_file_name_gives_a_map_a_name_that_the_rules_allow(text: str) -> None:
    recipe = edits.new_recipe(Path("a"))
    assert edits.rename_map(recipe, "a", fit_map_name(text)).map_names == (fit_map_name(text),)


def test_maps_of_one_file_name_get_names_of_their_own() -> None:
    recipe = edits.new_recipe(Path("x/Map.bcf"))
    for folder in ("y", "z"):
        recipe = edits.add_map(recipe, Path(folder) / "map.bcf")
    assert recipe.map_names == ("Map", "map_2", "map_3")


def test_a_new_map_avoids_a_name_whose_results_another_map_has() -> None:
    recipe = edits.add_precipitate(edits.new_recipe(Path("a.bcf"), "M"), "b_M")
    assert edits.add_map(recipe, Path("a_b.bcf")).map_names == ("a", "a_b_2")


def test_what_is_drawn_on_a_map_goes_with_it() -> None:
    recipe = edits.remove_map(started(), "b")
    assert recipe.map_names == ("a",)
    assert recipe.precipitates[0].boxes_on("a") == (BOX, BOX)
    assert recipe.precipitates[0].boxes_on("b") == ()
    assert recipe.precipitates[0].strokes == ()


def test_what_is_drawn_on_a_map_follows_its_name() -> None:
    recipe = edits.rename_map(started(), "b", "  grain 2 ")
    assert recipe.map_names == ("a", "grain 2")
    assert recipe.precipitates[0].boxes_on("grain 2") == (BOX,)
    assert recipe.precipitates[0].boxes_on("a") == (BOX, BOX)
    assert len(recipe.precipitates[0].strokes_on("grain 2")) == 1


def test_a_setting_that_is_not_named_stays_and_none_unsets() -> None:
    recipe = edits.set_map(started(), "a", crop=(0.4, 1.6, 100, 90), thickness_nm=100, rebin=2)
    assert recipe.maps[0].crop == (0, 2, 100, 90)
    recipe = edits.set_map(recipe, "a", crop=None, signal=3)
    entry = recipe.maps[0]
    assert (entry.crop, entry.rebin, entry.thickness_nm, entry.signal) == (None, 2, 100, 3)
    recipe = edits.set_instrument(recipe, beam_energy_keV=200, energy_range_keV=(0.5, 18))
    recipe = edits.set_instrument(recipe, beam_energy_keV=None, take_off_angle_deg=22)
    assert recipe.instrument.beam_energy_keV is None
    assert recipe.instrument.take_off_angle_deg == 22
    assert recipe.instrument.energy_range_keV == (0.5, 18)
    recipe = edits.set_segmentation(recipe, seed=7)
    assert (recipe.segmentation.smoothing_px, recipe.segmentation.seed) == (2.0, 7)


def test_fewer_components_drop_what_names_those_that_are_gone() -> None:
    recipe = edits.label_component(started(), 0, role="matrix")
    recipe = edits.set_decomposition(recipe, components=2)
    assert recipe.components == (ComponentLabel(number=0, role="matrix"),)
    assert recipe.precipitates[0].component is None
    assert edits.set_decomposition(started(), seed=4).precipitates[0].component == 2


def test_elements_stand_by_atomic_number() -> None:
    recipe = edits.set_elements(started(), ["U", "O", "Si", "Fe", "O"], ["Ga", "C", "Cu"])
    assert recipe.sample.elements == ("O", "Si", "Fe", "U")
    assert recipe.sample.system_elements == ("C", "Cu", "Ga")
    assert recipe.precipitates[0].absent == "Si"
    assert recipe.quantification.reference == "Si"


@pytest.mark.parametrize("system", [[], ["Si"]])
def test_an_absent_element_that_is_no_longer_quantified_is_open_again(system: list[str]) -> None:
    recipe = edits.set_elements(started(), ["O", "Fe"], system)
    assert recipe.precipitates[0].absent == ""
    assert recipe.quantification.reference is None


def test_elements_of_a_file_are_adopted_once_and_system_elements_told_apart() -> None:
    empty = edits.new_recipe(Path("a.emd"))
    recipe = edits.adopted(empty, ["Si", "Cu", "O", "Au", "Mo", "Ga", "Xx"])
    assert recipe.sample.elements == ("O", "Si")
    assert recipe.sample.system_elements == ("Cu", "Ga", "Mo", "Au")
    assert edits.adopted(recipe, ["Fe"]) == recipe
    assert edits.adopted(empty, []) == empty
    only_fitted = edits.set_elements(empty, [], ["Fe"])
    assert edits.adopted(only_fitted, ["O", "Fe", "Cu"]).sample.system_elements == ("Fe", "Cu")


def test_densities_and_regions_follow_the_names_of_their_phases() -> None:
    recipe = edits.set_formula_unit(started(), "Brg", "3 O")
    recipe = edits.rename_matrix(recipe, "Mtx")
    recipe = edits.rename_precipitate(recipe, "Fp", "MgO")
    assert recipe.phases == ("Mtx", "MgO")
    assert dict(recipe.sample.density_g_cm3) == {"MgO": 3.6, "Mtx": 4.1}
    assert dict(recipe.sample.formula_unit) == {"Mtx": "3 O"}
    assert dict(edits.set_formula_unit(recipe, "Mtx", None).sample.formula_unit) == {}
    assert [roi.phase for roi in recipe.maps[0].rois] == ["MgO", "Mtx"]


def test_the_density_of_a_renamed_phase_wins_over_one_listed_for_another_recipe() -> None:
    recipe = edits.set_density(started(), "MgO", 9.9)
    renamed = edits.rename_precipitate(recipe, "Fp", "MgO")
    assert dict(renamed.sample.density_g_cm3) == {"MgO": 3.6, "Brg": 4.1}
    without = edits.rename_precipitate(edits.set_density(recipe, "Fp", None), "Fp", "MgO")
    assert without.sample.density_g_cm3["MgO"] == 9.9
    assert edits.rename_precipitate(recipe, "Fp", "Fp") == recipe


def test_a_precipitate_goes_with_its_regions_and_leaves_its_density() -> None:
    recipe = edits.remove_precipitate(started(), "Fp")
    assert recipe.phases == ("Brg",)
    assert [roi.phase for roi in recipe.maps[0].rois] == ["Brg"]
    assert recipe.sample.density_g_cm3["Fp"] == 3.6


def test_precipitates_without_a_name_get_a_free_one() -> None:
    recipe = edits.add_precipitate(edits.new_recipe(Path("a"), "p1"))
    recipe = edits.add_precipitate(edits.add_precipitate(recipe))
    assert recipe.phases == ("p1", "P2", "P3", "P4")
    recipe = edits.remove_precipitate(recipe, "P3")
    assert edits.add_precipitate(recipe).phases == ("p1", "P2", "P4", "P3")


def test_settings_of_a_precipitate_are_set_and_unset() -> None:
    recipe = edits.set_precipitate(started(), "Fp", absent="Fe", factor=np.float64(0.5))
    found = recipe.precipitates[0]
    assert (found.absent, found.component, found.factor) == ("Fe", 2, 0.5)
    assert type(found.factor) is float
    recipe = edits.set_precipitate(recipe, "Fp", absent="", component=None, factor=None)
    found = recipe.precipitates[0]
    assert (found.absent, found.component, found.factor) == ("", None, None)


def test_rectangles_are_numbered_on_their_map() -> None:
    recipe = edits.move_rectangle(started(), "Fp", "a", 1, (1.2, 2.7, 3, 4))
    assert recipe.precipitates[0].boxes_on("a") == (BOX, (1, 3, 3, 4))
    assert recipe.precipitates[0].boxes_on("b") == (BOX,)
    assert recipe.precipitates[0].rectangles[1].map == "b"
    recipe = edits.remove_rectangle(recipe, "Fp", "a", 0)
    assert recipe.precipitates[0].boxes_on("a") == ((1, 3, 3, 4),)
    assert recipe.precipitates[0].boxes_on("b") == (BOX,)


def test_strokes_are_numbered_on_their_map_and_cleared_there_or_everywhere() -> None:
    recipe = edits.add_stroke(started(), "Fp", "a", "outside", 1, [(5, 5), (6, 6)])
    recipe = edits.add_stroke(recipe, "Fp", "b", "outside", 3, [(7, 7)])
    assert edits.clear_strokes(recipe, "Fp").precipitates[0].strokes == ()
    cleared = edits.clear_strokes(recipe, "Fp", "b").precipitates[0]
    assert [stroke.map for stroke in cleared.strokes] == ["a"]
    removed = edits.remove_stroke(recipe, "Fp", "b", 1).precipitates[0]
    assert [stroke.map for stroke in removed.strokes] == ["b", "a"]
    assert removed.strokes[0].label == "inside"


def test_a_region_changes_its_name_phase_and_shape() -> None:
    recipe = edits.change_roi(started(), "a", "ROI_1", new_name="by hand", phase="Brg")
    recipe = edits.change_roi(recipe, "a", "by hand", polygon=np.array(TRIANGLE))
    assert recipe.maps[0].rois[0] == Roi(name="by hand", phase="Brg", polygon=TRIANGLE)
    assert edits.remove_roi(recipe, "a", "by hand").maps[0].rois == started().maps[0].rois[1:]


def test_elements_that_go_take_their_k_factors_by_hand_and_oxygen_by_stoichiometry_along() -> None:
    recipe = edits.set_quantification(started(), oxygen="stoichiometry")
    for element, k in (("Fe", 1.6), ("Mg", 1.1)):
        recipe = edits.set_k_factor(recipe, element, k)
    recipe = edits.set_valence(recipe, "Fe", 3)
    recipe = edits.set_elements(recipe, ["O", "Mg", "Si"], [])
    assert recipe.quantification.k_factor == FactorsByHand({"Mg": 1.1})
    assert recipe.quantification.oxygen == "stoichiometry"
    recipe = edits.set_elements(recipe, ["Si"], [])
    assert recipe.quantification.k_factor is None
    assert recipe.quantification.oxygen == "measured"
    assert recipe.quantification.valence == Valences({"Fe": 3}), "one for no element breaks no rule"
    check_recipe(edits.set_precipitate(recipe, "Fp", absent="Si"), "r")


def test_what_was_stated_about_a_file_does_not_hold_for_another() -> None:
    stated = {"k_factor_basis": "atomic", "k_factor_definition": "family"}
    recipe = edits.set_quantification(started(), k_factors="a.esl", **stated)  # type: ignore[arg-type]
    assert recipe.quantification.k_factor_basis == "atomic"
    recipe = edits.set_quantification(recipe, reference="Mg")
    assert recipe.quantification.k_factor_definition == "family"
    recipe = edits.set_quantification(recipe, k_factors="b.csv")
    assert recipe.quantification.k_factor_basis is None
    assert recipe.quantification.k_factor_definition is None


def test_a_number_by_hand_is_taken_back() -> None:
    recipe = started()
    for change in (edits.set_k_factor, edits.set_valence):
        assert change(change(recipe, "Fe", 2.6), "Fe", None) == recipe
        assert change(recipe, "Fe", None) == recipe


def test_regions_without_a_name_get_one_that_no_map_has() -> None:
    recipe = edits.add_roi(started(), "b", "rectangle", BOX, "Fp")
    assert [roi.name for entry in recipe.maps for roi in entry.rois] == ["ROI_1", "ROI_2", "ROI_3"]


def test_an_exclusion_changes_its_shape_and_goes() -> None:
    recipe = edits.change_exclude(started(), "b", 0, "rectangle", (0.5, 1, 2, 3))
    assert recipe.maps[1].excludes[0].rectangle == (0.5, 1, 2, 3)
    assert recipe.maps[1].excludes[0].polygon is None
    assert edits.remove_exclude(recipe, "b", 0).maps[1].excludes == ()


def test_an_energy_window_is_named_changed_and_removed() -> None:
    recipe = edits.add_window(started(), 1, 2, True, " Mg K ")
    assert recipe.windows == (
        EnergyWindow(name="W1", range_keV=(6.2, 6.6)),
        EnergyWindow(name="Mg K", range_keV=(1, 2), background=True),
    )
    recipe = edits.change_window(recipe, "W1", new_name="Fe K", range_keV=(6.1, 6.7))
    recipe = edits.remove_window(recipe, "Mg K")
    assert recipe.windows == (EnergyWindow(name="Fe K", range_keV=(6.1, 6.7)),)


def test_labels_stand_in_the_order_of_components_and_an_empty_one_is_dropped() -> None:
    recipe = edits.label_component(started(), 0, name="rest")
    assert [label.number for label in recipe.components] == [0, 2]
    recipe = edits.label_component(recipe, 2, name="")
    assert recipe.label_of(2) == ComponentLabel(number=2, role="precipitate")
    recipe = edits.label_component(recipe, 2, role=None)
    assert [label.number for label in recipe.components] == [0]
    assert recipe.label_of(1) == ComponentLabel(number=1)


def test_names_of_components_and_energy_windows_run_no_step_again() -> None:
    recipe = started()
    labelled = edits.label_component(recipe, 0, name="rest", role="unused")
    labelled = edits.add_window(labelled, 1, 2)
    assert Session(STEPS, labelled).wanted() == Session(STEPS, recipe).wanted()


Edit = Callable[[Recipe], Recipe]
REFUSED: list[tuple[Edit, str, str]] = [
    (partial(edits.remove_map, map_name="c"), 'no map "c"', "a, b"),
    (partial(edits.rename_map, map_name="a", new_name="B"), "name of the map", "already taken"),
    (partial(edits.rename_map, map_name="a", new_name=""), "name of the map", "is empty"),
    (partial(edits.set_map, map_name="a", crop=(-1, 0, 5, 5)), 'crop of map "a"', "begin at 0"),
    (partial(edits.set_map, map_name="a", rebin=0), 'rebin of map "a" is 0', "at least 1"),
    (partial(edits.set_map, map_name="b", thickness_nm=0), "thickness (nm)", "above 0"),
    (partial(edits.set_instrument, energy_range_keV=(2, 1)), "the energy range (keV)", "rise"),
    (partial(edits.set_instrument, beam_energy_keV=float("nan")), "nan", "finite"),
    (partial(edits.set_decomposition, components=0), "number of components is 0", "at least 1"),
    (partial(edits.set_segmentation, smoothing_px=-1), "smoothing (px) is -1", "at least 0"),
    (partial(edits.set_quantification, reference="U"), "reference element", "O, Mg, Si, Fe"),
    (partial(edits.set_quantification, k_factors=" "), "file of k-factors", "is empty"),
    (partial(edits.set_quantification, sum_peaks=-1), "lines that make sum peaks", "at least 0"),
    (partial(edits.set_k_factor, element="Fe", k_factor=0), "k-factor of Fe is 0", "above 0"),
    (partial(edits.set_k_factor, element="Si", k_factor=1), "k-factor of Si", "leave it out"),
    (partial(edits.set_valence, element="Fe", valence=9), "valence of Fe is 9", "at most at 8"),
    (partial(edits.set_valence, element="O", valence=2), "valence of O", "no cation"),
    (partial(edits.set_detector, silicon_um=0), "silicon (um) is 0", "above 0"),
    (partial(edits.set_detector, dead_layer_nm=-1), "dead layer (nm) is -1", "at least 0"),
    (partial(edits.set_detector, curve=""), "detector curve", "is empty"),
    (
        partial(edits.set_elements, elements=["Xx"], system_elements=[]),
        'the list of elements names "Xx"',
        "no element",
    ),
    (
        partial(edits.set_elements, elements=["O"], system_elements=["O"]),
        'the list of system elements names "O"',
        "keep it in one",
    ),
    (partial(edits.set_density, phase="Fp", density_g_cm3=0), 'of "Fp" is 0', "above 0"),
    (partial(edits.set_formula_unit, phase="Fp", basis="3 Mg"), 'unit of "Fp" is "3 Mg"', "3 O"),
    (partial(edits.rename_matrix, new_name="Fp"), "name of the precipitate", "already taken"),
    (partial(edits.rename_precipitate, old="Fp", new_name="a/b"), "contains /", "choose"),
    (partial(edits.rename_precipitate, old="X", new_name="Y"), 'no precipitate "X"', "has Fp"),
    (partial(edits.label_component, number=3, name="x"), 'number of component "x"', "0 to 2"),
    (partial(edits.label_component, number=3, name=""), "number of the component", "0 to 2"),
    (partial(edits.add_precipitate, absent="U"), 'absent element of precipitate "P1"', "one of"),
    (partial(edits.set_precipitate, name="Fp", component=3), 'component of precipitate "Fp"', "2"),
    (partial(edits.set_precipitate, name="Fp", factor=-1), 'factor of precipitate "Fp"', "least 0"),
    (
        partial(edits.add_rectangle, precipitate="Fp", map_name="c", box=BOX),
        'map of one rectangle of precipitate "Fp" is "c"',
        "a, b",
    ),
    (
        partial(edits.move_rectangle, precipitate="Fp", map_name="a", number=0, box=(1, 1, 0.4, 9)),
        'box of one rectangle of precipitate "Fp" is [1, 1, 0, 9]',
        "above 0",
    ),
    (
        partial(edits.remove_rectangle, precipitate="Fp", map_name="a", number=2),
        'no rectangle 3 of "Fp" on map "a", which has 2',
        "choose another",
    ),
    (
        partial(edits.remove_stroke, precipitate="Fp", map_name="a", number=0),
        'no stroke 1 of "Fp" on map "a", which has 0',
        "choose another",
    ),
    (
        partial(
            edits.add_stroke, precipitate="Fp", map_name="a", label="inside", radius=1, points=[]
        ),
        'points of one stroke of precipitate "Fp"',
        "give the stroke a point",
    ),
    (partial(edits.clear_strokes, precipitate="Fp", map_name="c"), 'no map "c"', "a, b"),
    (
        partial(edits.add_roi, map_name="a", shape_kind="ellipse", shape=BOX, phase="X"),
        'phase of region "ROI_3" is "X"',
        "Brg, Fp",
    ),
    (
        partial(edits.add_roi, map_name="a", shape_kind="polygon", shape=TRIANGLE[:2], phase="Fp"),
        'polygon of region "ROI_3"',
        "needs three",
    ),
    (partial(edits.change_roi, map_name="a", name="ROI_1", new_name="roi_2"), "region", "taken"),
    (
        partial(edits.change_roi, map_name="a", name="ROI_1", rectangle=BOX, ellipse=BOX),
        'region "ROI_1" needs exactly one',
        "keep one",
    ),
    (partial(edits.remove_roi, map_name="b", name="ROI_1"), 'no region "ROI_1"', "none yet"),
    (
        partial(edits.change_exclude, map_name="b", number=0, shape_kind="ellipse", shape=(0,) * 4),
        'ellipse of one excluded region of map "b"',
        "above 0",
    ),
    (partial(edits.remove_exclude, map_name="b", number=-1), "no excluded region 0", "has 1"),
    (partial(edits.add_window, low=3, high=3), 'range (keV) of energy window "W2"', "must rise"),
    (partial(edits.add_window, low=1, high=3, name="w1"), "name of the energy window", "taken"),
    (partial(edits.change_window, name="W9", background=True), 'no energy window "W9"', "has W1"),
]


@pytest.mark.parametrize(("edit", "names", "remedy"), REFUSED)
def test_what_breaks_a_rule_is_refused_in_one_sentence(edit: Edit, names: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        edit(started())
    sentence = str(caught.value)
    assert names in sentence
    assert remedy in sentence
    assert "\n" not in sentence
    assert "[0]" not in sentence


def test_the_last_map_stays() -> None:
    with pytest.raises(ValueError, match='"a" is the only map; add another'):
        edits.remove_map(edits.new_recipe(Path("a")), "a")


def test_more_precipitates_than_can_be_told_apart_are_refused() -> None:
    recipe = started()
    for _ in range(4):
        recipe = edits.add_precipitate(recipe)
    with pytest.raises(ValueError, match="the list of precipitates has 6 entries, but at most 5"):
        edits.add_precipitate(recipe)


# --- random sequences ---------------------------------------------------------------------------

number = st.one_of(st.integers(-2, 300), st.floats(-2, 300))
boxes = st.tuples(*[st.integers(-5, 99)] * 2, *[st.integers(0, 99)] * 2)
polygons = st.lists(st.tuples(number, number), min_size=2, max_size=5)
symbols = st.lists(st.sampled_from(["O", "Mg", "Si", "Cu", "U"]), max_size=4)
words = st.text(string.ascii_letters + '_ +ä\n"', max_size=4)
seeds = st.integers(-1, 2**32)
kinds = st.sampled_from(["polygon", "rectangle", "ellipse"])


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(LEAVE), st.none(), values)


def kept(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(LEAVE), values)


def one_of(names: Sequence[str]) -> st.SearchStrategy[str]:
    return st.sampled_from([*names, "none such"])


def arguments(recipe: Recipe, kind: str) -> dict[str, dict[str, st.SearchStrategy[Any]]]:
    """For each edit, what its arguments may be: mostly what this recipe has, sometimes not."""
    on_map = {"map_name": one_of(recipe.map_names)}
    of = {"precipitate": one_of(recipe.phases[1:]), **on_map}
    phase = one_of(recipe.phases)
    precipitate = {"name": one_of(recipe.phases[1:])}
    roi = {**on_map, "name": one_of([r.name for m in recipe.maps for r in m.rois])}
    window = {"name": one_of([w.name for w in recipe.windows])}
    drawn = {"shape_kind": st.just(kind), "shape": polygons if kind == "polygon" else boxes}
    which = st.integers(-1, 3)
    element = st.sampled_from(["", "Si", *recipe.sample.elements])
    stroke = {"label": st.sampled_from(["inside", "outside"]), "radius": number, "points": polygons}
    file = words.filter(lambda text: "\n" not in text).map(Path)
    ends = st.tuples(number, number)
    return {
        "add_map": {"file": file},
        "remove_map": on_map,
        "choose_dataset": {
            **on_map,
            "dataset": words,
            "axes": st.sampled_from(["yxE", "Eyx", "ysxE", "yx"]),
            "energy_start_keV": number,
            "energy_step_keV": number,
            "pixel_size_nm": st.none() | number,
        },
        "rename_map": {**on_map, "new_name": words},
        "set_map": {
            **on_map,
            "crop": maybe(boxes),
            "rebin": kept(st.integers(0, 4)),
            "thickness_nm": maybe(number),
            "signal": maybe(st.integers(-1, 3)),
        },
        "set_instrument": {
            "beam_energy_keV": maybe(number),
            "take_off_angle_deg": maybe(number),
            "energy_range_keV": kept(ends),
        },
        "set_decomposition": {
            "components": kept(st.integers(0, 5)),
            "method": kept(st.sampled_from(["poisson", "frobenius"])),
            "joint": kept(st.booleans()),
            "seed": kept(seeds),
        },
        "set_segmentation": {"smoothing_px": kept(number), "seed": kept(seeds)},
        "set_quantification": {
            "k_factors": kept(words),
            "k_factor_basis": maybe(st.sampled_from(["weight", "atomic"])),
            "k_factor_definition": maybe(st.sampled_from(["alpha", "family"])),
            "reference": maybe(element),
            "oxygen": kept(st.sampled_from(["measured", "stoichiometry"])),
            "escape_peaks": kept(st.booleans()),
            "silicon_fluorescence": kept(st.booleans()),
            "sum_peaks": kept(st.integers(-1, 3)),
        },
        "set_k_factor": {"element": element, "k_factor": st.none() | number},
        "set_valence": {"element": element, "valence": st.none() | number},
        "set_bulk": {"element": element, "atomic_percent": st.none() | number},
        "set_bulk_sigma": {"element": element, "atomic_percent": st.none() | number},
        "set_goal": {
            "figure": st.sampled_from(["lod_ppm", "relative_error_percent"]),
            "element": element,
            "asked": st.none() | number,
        },
        "set_detector": {
            "silicon_um": kept(number),
            "dead_layer_nm": kept(number),
            "aluminium_nm": kept(number),
            "curve": maybe(words),
        },
        "set_elements": {"elements": symbols, "system_elements": symbols},
        "adopted": {"elements": symbols},
        "set_density": {"phase": phase, "density_g_cm3": st.none() | number},
        "set_formula_unit": {
            "phase": phase,
            "basis": st.none() | words | st.sampled_from(["3 O", "2 cations"]),
        },
        "rename_matrix": {"new_name": words},
        "rename_precipitate": {"old": one_of(recipe.phases[1:]), "new_name": words},
        "label_component": {
            "number": st.integers(-1, 5),
            "name": kept(words),
            "role": maybe(st.sampled_from(["matrix", "precipitate", "unused"])),
        },
        "add_precipitate": {
            "name": st.none() | words,
            "absent": element,
            "component": st.none() | which,
        },
        "remove_precipitate": precipitate,
        "set_precipitate": {
            **precipitate,
            "absent": kept(element),
            "component": maybe(which),
            "factor": maybe(number),
        },
        "add_rectangle": {**of, "box": boxes},
        "move_rectangle": {**of, "number": which, "box": boxes},
        "remove_rectangle": {**of, "number": which},
        "add_stroke": {**of, **stroke},
        "remove_stroke": {**of, "number": which},
        "clear_strokes": of,
        "add_roi": {**on_map, **drawn, "phase": phase, "name": st.none() | words},
        "change_roi": {**roi, "new_name": kept(words), "phase": kept(phase), kind: drawn["shape"]},
        "remove_roi": roi,
        "add_exclude": {**on_map, **drawn},
        "change_exclude": {**on_map, "number": which, **drawn},
        "remove_exclude": {**on_map, "number": which},
        "add_window": {"low": number, "high": number, "name": st.none() | words},
        "change_window": {
            **window,
            "new_name": kept(words),
            "range_keV": kept(ends),
            "background": kept(st.booleans()),
        },
        "remove_window": window,
    }


def test_the_random_sequences_use_every_edit() -> None:
    used = set(arguments(started(), "ellipse"))
    assert used | {"LEAVE", "USUAL_SYSTEM_ELEMENTS", "new_recipe"} == set(edits.__all__)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_edits_leave_keeps_the_rules_and_survives_its_file(data: st.DataObject) -> None:
    recipe = data.draw(st.sampled_from([started(), edits.new_recipe(Path("first.bcf"))]))
    for _ in range(data.draw(st.integers(1, 25))):
        possible = arguments(recipe, data.draw(kinds))
        name = data.draw(st.sampled_from(sorted(possible)))
        named = {key: data.draw(values) for key, values in possible[name].items()}
        refusal: Exception | None = None
        before = dump_recipe(recipe)
        try:
            recipe = getattr(edits, name)(recipe, **named)
        except ValueError as error:
            refusal = error
        if refusal is not None:
            assert type(refusal) is ValueError
            assert str(refusal).isprintable()
            assert dump_recipe(recipe) == before
        check_recipe(recipe, "the window", unfinished=True)
        assert allowed(recipe) is recipe
        assert parse_recipe(dump_recipe(recipe), "saved", unfinished=True) == recipe
