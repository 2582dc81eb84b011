"""The recipe: what a file says, what is wrong with it, and the way back into a file."""

import string
import tomllib
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endmember.session.decisions.recipe import (
    ComponentLabel,
    Contents,
    Decomposition,
    Densities,
    DetectorSettings,
    EnergyWindow,
    Exclude,
    FactorsByHand,
    FormulaBases,
    Goal,
    Instrument,
    Limits,
    MapInput,
    Precipitate,
    PrecipitateRectangle,
    Quantification,
    Recipe,
    Roi,
    Sample,
    Segmentation,
    Stroke,
    Valences,
    changed,
)
from endmember.session.decisions.recipe_file import (
    RecipeError,
    anchored,
    check_recipe,
    dump_recipe,
    load_recipe,
    parse_recipe,
)

FULL = """\
format = "endmember-recipe-1"

[[map]]
file = "map1.bcf"
name = "map1"
signal = 3
crop = [0, 0, 512, 512]
rebin = 2
thickness_nm = 117
[[map.roi]]
name = "ROI_Brg"
phase = "Brg"
polygon = [[10, 10], [60, 10], [60, 50], [10, 50]]
[[map.exclude]]
rectangle = [0, 0, 20, 20]

[instrument]
beam_energy_keV = 200
take_off_angle_deg = 22
energy_range_keV = [0.5, 18]

[detector]
silicon_um = 500
dead_layer_nm = 40
aluminium_nm = 25.5
curve = "curve.csv"

[decomposition]
components = 3
method = "frobenius"
joint = false
seed = 4

[segmentation]
smoothing_px = 1.5
seed = 5

[sample]
matrix = "Brg"
elements = ["O", "Mg", "Si", "Fe"]
system_elements = ["Cu"]
density_g_cm3 = { Brg = 4.1, Fp = 3.6, CaPv = 4.0 }
formula_unit = { Brg = "3 O", Fp = "1 cations" }
bulk = { Mg = 17.8, Si = 20.1 }
bulk_sigma = { Mg = 0.2 }

[goal]
lod_ppm = { Fe = 50 }
relative_error_percent = { Si = 1.5 }

[[precipitate]]
name = "Fp"
absent = "Si"
component = 1
factor = 0.4
[[precipitate.rectangle]]
map = "map1"
box = [100, 120, 60, 50]
[[precipitate.stroke]]
map = "map1"
label = "inside"
radius = 2
points = [[110, 130], [115, 133]]

[[component]]
number = 1
name = "dark rims"
role = "precipitate"

[[window]]
name = "Fe K"
range_keV = [6.2, 6.6]
background = true

[quantification]
k_factors = "k.csv"
k_factor_basis = "atomic"
k_factor_definition = "family"
reference = "Mg"
oxygen = "stoichiometry"
escape_peaks = true
silicon_fluorescence = true
sum_peaks = 6
[quantification.k_factor]
Fe = 1.62
Mg = 1
[quantification.valence]
Fe = 3
"""

SHORT = """\
format = "endmember-recipe-1"
[[map]]
file = "map1.bcf"
name = "map1"
[decomposition]
components = 3
[sample]
matrix = "Brg"
elements = ["O", "Mg"]
"""


def with_change(old: str, new: str) -> str:
    assert FULL.count(old) >= 1
    return FULL.replace(old, new, 1)


def message(text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, "my.toml")
    sentence = str(caught.value)
    assert sentence.startswith("my.toml: ")
    assert "\n" not in sentence
    return sentence.removeprefix("my.toml: ")


def test_every_key_of_a_file_arrives_under_its_name() -> None:
    recipe = parse_recipe(FULL, "my.toml")
    assert recipe == Recipe(
        format="endmember-recipe-1",
        maps=(
            MapInput(
                file="map1.bcf",
                name="map1",
                signal=3,
                crop=(0, 0, 512, 512),
                rebin=2,
                thickness_nm=117,
                rois=(
                    Roi(
                        name="ROI_Brg",
                        phase="Brg",
                        polygon=((10, 10), (60, 10), (60, 50), (10, 50)),
                    ),
                ),
                excludes=(Exclude(rectangle=(0, 0, 20, 20)),),
            ),
        ),
        instrument=Instrument(
            beam_energy_keV=200, take_off_angle_deg=22, energy_range_keV=(0.5, 18)
        ),
        decomposition=Decomposition(components=3, method="frobenius", joint=False, seed=4),
        segmentation=Segmentation(smoothing_px=1.5, seed=5),
        sample=Sample(
            matrix="Brg",
            elements=("O", "Mg", "Si", "Fe"),
            system_elements=("Cu",),
            density_g_cm3=Densities({"Brg": 4.1, "Fp": 3.6, "CaPv": 4.0}),
            formula_unit=FormulaBases({"Brg": "3 O", "Fp": "1 cations"}),
            bulk=Contents({"Mg": 17.8, "Si": 20.1}),
            bulk_sigma=Contents({"Mg": 0.2}),
        ),
        goal=Goal(lod_ppm=Limits({"Fe": 50}), relative_error_percent=Limits({"Si": 1.5})),
        precipitates=(
            Precipitate(
                name="Fp",
                absent="Si",
                component=1,
                factor=0.4,
                rectangles=(PrecipitateRectangle(map="map1", box=(100, 120, 60, 50)),),
                strokes=(
                    Stroke(map="map1", label="inside", radius=2, points=((110, 130), (115, 133))),
                ),
            ),
        ),
        components=(ComponentLabel(number=1, name="dark rims", role="precipitate"),),
        windows=(EnergyWindow(name="Fe K", range_keV=(6.2, 6.6), background=True),),
        detector=DetectorSettings(
            silicon_um=500, dead_layer_nm=40, aluminium_nm=25.5, curve="curve.csv"
        ),
        quantification=Quantification(
            k_factors="k.csv",
            k_factor_basis="atomic",
            k_factor_definition="family",
            reference="Mg",
            k_factor=FactorsByHand({"Fe": 1.62, "Mg": 1}),
            oxygen="stoichiometry",
            valence=Valences({"Fe": 3}),
            escape_peaks=True,
            silicon_fluorescence=True,
            sum_peaks=6,
        ),
    )


def test_a_short_recipe_takes_the_documented_defaults() -> None:
    recipe = parse_recipe(SHORT, "my.toml")
    assert recipe.decomposition == Decomposition(components=3, method="poisson", joint=True, seed=0)
    assert recipe.segmentation == Segmentation(smoothing_px=2.0, seed=0)
    assert recipe.instrument.energy_range_keV == (0.3, 20.0)
    assert recipe.quantification == Quantification(
        k_factors="computed",
        reference=None,
        escape_peaks=False,
        silicon_fluorescence=False,
        sum_peaks=0,
    )
    layers = DetectorSettings(silicon_um=450, dead_layer_nm=50, aluminium_nm=30, curve=None)
    assert recipe.detector == layers
    assert recipe.precipitates == ()
    assert (recipe.components, recipe.windows) == ((), ())
    assert recipe.maps[0].rebin == 1
    added = "[[component]]\nnumber = 2\n[[window]]\nname = 'W1'\nrange_keV = [1, 2]\n"
    recipe = parse_recipe(SHORT + added, "my.toml")
    assert recipe.components == (ComponentLabel(number=2, name="", role=None),)
    assert recipe.windows == (EnergyWindow(name="W1", range_keV=(1, 2), background=False),)


def test_a_dumped_recipe_writes_out_every_default() -> None:
    document = tomllib.loads(dump_recipe(parse_recipe(SHORT, "my.toml")))
    assert document["decomposition"] == {
        "components": 3,
        "method": "poisson",
        "joint": True,
        "seed": 0,
    }
    assert document["instrument"] == {"energy_range_keV": [0.3, 20.0]}
    assert document["segmentation"] == {"smoothing_px": 2.0, "seed": 0}
    assert document["quantification"] == {
        "k_factors": "computed",
        "oxygen": "measured",
        "escape_peaks": False,
        "silicon_fluorescence": False,
        "sum_peaks": 0,
    }
    assert document["map"] == [{"file": "map1.bcf", "name": "map1", "rebin": 1}]


def test_a_dumped_file_says_what_was_read() -> None:
    assert tomllib.loads(dump_recipe(parse_recipe(FULL, "my.toml"))) == tomllib.loads(FULL)


def test_each_table_of_a_dumped_file_stands_under_its_heading() -> None:
    lines = dump_recipe(parse_recipe(FULL, "my.toml")).splitlines()
    assert {line for line in lines if line.startswith("[")} == {
        line for line in FULL.splitlines() if line.startswith("[")
    }


def test_equal_recipes_have_equal_hashes_whatever_the_order_of_densities() -> None:
    other = with_change("Brg = 4.1, Fp = 3.6, CaPv = 4.0", "CaPv = 4.0, Fp = 3.6, Brg = 4.1")
    first, second = parse_recipe(FULL, "a"), parse_recipe(other, "b")
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize(
    ("old", "new", "key", "nearest"),
    [
        ("components = 3", "componets = 3", "decomposition.componets", '"components"'),
        ("[segmentation]", "[segmentatoin]", "segmentatoin", '"segmentation"'),
        ("beam_energy_keV", "beam_energy_kev", "instrument.beam_energy_kev", '"beam_energy_keV"'),
        ("polygon", "poligon", 'map[0].roi[0].poligon ("map1", "ROI_Brg")', '"polygon"'),
        ("box", "bocks", 'precipitate[0].rectangle[0].bocks ("Fp")', '"box"'),
        ("[[window]]", "[[windows]]", "windows", '"window"'),
        ("dead_layer_nm", "dead_layer", "detector.dead_layer", '"dead_layer_nm"'),
        ("k_factor_basis", "k_basis", "quantification.k_basis", '"k_factor_basis"'),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(
    old: str, new: str, key: str, nearest: str
) -> None:
    sentence = message(with_change(old, new))
    assert sentence.startswith(f"{key} is no known key")
    assert sentence.endswith(nearest)


@pytest.mark.parametrize(
    ("old", "key"),
    [
        ('format = "endmember-recipe-1"', "format"),
        ("components = 3", "decomposition.components"),
        ('matrix = "Brg"', "sample.matrix"),
        ('elements = ["O", "Mg", "Si", "Fe"]', "sample.elements"),
        ('absent = "Si"', 'precipitate[0].absent ("Fp")'),
        ('file = "map1.bcf"', 'map[0].file ("map1")'),
        ("number = 1", 'component[0].number ("dark rims")'),
        ("range_keV = [6.2, 6.6]", 'window[0].range_keV ("Fe K")'),
    ],
)
def test_a_missing_key_is_named_with_what_to_write(old: str, key: str) -> None:
    assert message(with_change(old, "")).startswith(f"{key} is missing; ")


def test_an_empty_file_asks_for_the_format() -> None:
    assert message("") == 'format is missing; write format = "endmember-recipe-1"'


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ("components = 3", 'components = "3"', "decomposition.components", "a whole number"),
        ("components = 3", "components = 3.5", "decomposition.components", "a whole number"),
        ("joint = false", "joint = 0", "decomposition.joint", "true or false"),
        ("seed = 4", "seed = true", "decomposition.seed", "a whole number"),
        ('"frobenius"', '"poison"', "decomposition.method", '"poisson" or "frobenius"'),
        ('"inside"', '"in"', 'precipitate[0].stroke[0].label ("Fp")', '"inside" or "outside"'),
        ("= 1.5", "= nan", "segmentation.smoothing_px", "a number"),
        ("= 117", "= inf", 'map[0].thickness_nm ("map1")', "a number"),
        ("[0, 0, 512, 512]", "[0, 0, 9]", 'map[0].crop ("map1")', "four whole numbers"),
        ("[[10, 10],", "[[10],", 'map[0].roi[0].polygon ("map1", "ROI_Brg")', "a list of points"),
        ("Brg = 4.1", "Brg = '4'", "sample.density_g_cm3", "a table of one number per phase"),
        ('Brg = "3 O"', "Brg = 3", "sample.formula_unit", "a table of one text per phase"),
        ('["Cu"]', '"Cu"', "sample.system_elements", "a list of texts"),
        ("Fe = 1.62", "Fe = '1'", "quantification.k_factor", "a table of one number per element"),
        ('"atomic"', '"mass"', "quantification.k_factor_basis", '"weight" or "atomic"'),
        ('"family"', '"line"', "quantification.k_factor_definition", '"alpha" or "family"'),
        ("= 25.5", "= '25'", "detector.aluminium_nm", "a number"),
        ("escape_peaks = true", "escape_peaks = 1", "quantification.escape", "true or false"),
        ("sum_peaks = 6", "sum_peaks = true", "quantification.sum_peaks", "a whole number"),
        ("[[precipitate.stroke]]", "[precipitate.stroke]", "precipitate[0].stroke", "a list of"),
        ("= [6.2, 6.6]", "= 6.4", 'window[0].range_keV ("Fe K")', "two numbers [low, high]"),
        (
            'role = "precipitate"',
            'role = "grain"',
            "component[0].role",
            '"matrix" or "precipitate"',
        ),
    ],
)
def test_a_wrong_type_is_told_with_what_was_expected(
    old: str, new: str, key: str, expected: str
) -> None:
    sentence = message(with_change(old, new))
    assert sentence.startswith(key)
    assert f"must be {expected}" in sentence


def test_a_heading_where_a_value_stands_is_told() -> None:
    assert message("instrument = 3\n" + SHORT).startswith("instrument must be a table")


def test_bad_toml_is_told_with_its_line() -> None:
    assert "line 6" in message(SHORT.replace("components = 3", "components ="))


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("recipe-1", "recipe-9", "format", '"endmember-recipe-1"'),
        ('name = "map1"', 'name = "a/b"', "map[0].name", "contains /"),
        ('file = "map1.bcf"', 'file = "a\\u0000"', "map[0].file", "no file name"),
        ('"Fe"]', '"F\\ne"]', "sample.elements", "which is no element"),
        ('name = "map1"', 'name = "sum"', "map[0].name", "the sum of all maps"),
        ('name = "map1"', 'name = "Con"', "map[0].name", "Windows"),
        ('name = "map1"', 'name = " "', "map[0].name", "is empty"),
        ('name = "map1"', 'name = "map1."', "map[0].name", "full stop"),
        ('name = "Fp"', 'name = "Brg"', "precipitate[0].name", "already taken"),
        ('name = "Fp"', 'name = "brg"', "precipitate[0].name", "already taken"),
        ('name = "Fp"', 'name = "Fp+Brg"', "precipitate[0].name", "mixtures"),
        ('phase = "Brg"', 'phase = "Bg"', "map[0].roi[0].phase", "one of Brg, Fp"),
        ('map = "map1"', 'map = "map2"', "precipitate[0].rectangle[0].map", "one of map1"),
        ("60, 50]\n", "60, 0]\n", "precipitate[0].rectangle[0].box", "of no size"),
        ("[0, 0, 512, 512]", "[-1, 0, 9, 9]", "map[0].crop", "begins left of"),
        ("[0, 0, 20, 20]", "[0, 0, -20, 20]", "map[0].exclude[0].rectangle", "of no size"),
        ("rectangle = [0,", "#", "map[0].exclude[0]", "exactly one"),
        (", [60, 50], [10, 50]]", "]", "map[0].roi[0].polygon", "three"),
        ('"Fe"]', '"Fx"]', "sample.elements", '"Fx", which is no element'),
        ('"Fe"]', '"fe"]', "sample.elements", '"fe", which is no element'),
        ('"Fe"]', '"O"]', "sample.elements", '"O" more than once'),
        ('["Cu"]', '["Fe"]', "sample.system_elements", "also in sample.elements"),
        ('absent = "Si"', 'absent = "Zr"', "precipitate[0].absent", "one of O, Mg, Si, Fe"),
        ("components = 3", "components = 0", "decomposition.components", "at least 1"),
        ("component = 1", "component = 3", "precipitate[0].component", "0 to 2"),
        ("factor = 0.4", "factor = -0.4", "precipitate[0].factor", "at least 0"),
        ("[0.5, 18]", "[18, 0.5]", "instrument.energy_range_keV", "must rise"),
        ("[0.5, 18]", "[-1, 18]", "instrument.energy_range_keV", "from 0"),
        ("_keV = 200", "_keV = 0", "instrument.beam_energy_keV", "above 0"),
        ("_deg = 22", "_deg = 120", "instrument.take_off_angle_deg", "at most at 90"),
        ("= 117", "= 0", "map[0].thickness_nm", "above 0"),
        ("rebin = 2", "rebin = 0", "map[0].rebin", "at least 1"),
        ("signal = 3", "signal = -1", "map[0].signal", "at least 0"),
        ("Brg = 4.1", "Brg = -4.1", "sample.density_g_cm3.Brg", "above 0"),
        ('"3 O"', '"3 oxygens"', "sample.formula_unit.Brg", '"3 O" or "2 cations"'),
        ('"3 O"', '"-3 O"', "sample.formula_unit.Brg", "a number above 0"),
        ('"3 O"', '"inf O"', "sample.formula_unit.Brg", "a number above 0"),
        ('"3 O"', '""', "sample.formula_unit.Brg", '"3 O" or "2 cations"'),
        ("= 1.5", "= -1.5", "segmentation.smoothing_px", "at least 0"),
        ("radius = 2", "radius = -2", "precipitate[0].stroke[0].radius", "at least 0"),
        ("seed = 4", "seed = -4", "decomposition.seed", "a seed"),
        ("seed = 5", "seed = 4294967296", "segmentation.seed", "a seed"),
        ('"Mg"\n', '"Nd"\n', "quantification.reference", "one of O, Mg, Si, Fe"),
        ("Fe = 1.62", "Fe = 0", "quantification.k_factor.Fe", "above 0"),
        ("Fe = 1.62", "Fe = nan", "quantification.k_factor.Fe", "above 0"),
        ("Fe = 1.62", "Fx = 1.62", "quantification.k_factor.Fx", "no element"),
        ("Fe = 1.62", "Si = 1.62", "quantification.k_factor.Si", "k-factors by hand refer"),
        ("Fe = 1.62", "Nd = 4.6", "quantification.k_factor.Nd", "sample.elements lacks Nd"),
        ("Fe = 1.62", "Cu = 4.6", "quantification.k_factor.Cu", "sample.elements lacks Cu"),
        ("sum_peaks = 6", "sum_peaks = -1", "quantification.sum_peaks", "at least 0"),
        ("silicon_um = 500", "silicon_um = 0", "detector.silicon_um", "above 0"),
        ("layer_nm = 40", "layer_nm = -1", "detector.dead_layer_nm", "at least 0"),
        ("= 25.5", "= -1", "detector.aluminium_nm", "at least 0"),
        ('curve = "curve.csv"', 'curve = ""', "detector.curve", "no file name"),
        ('"O", "Mg"', '"Mg"', "quantification.oxygen", "lacks O"),
        ("Fe = 3", "Fe = 0", "quantification.valence.Fe", "must lie above 0"),
        ("Fe = 3", "O = 2", "quantification.valence.O", "no cation"),
        ("Fe = 3", "Ferrum = 2", "quantification.valence.Ferrum", "no cation"),
        ("[6.2, 6.6]", "[6.6, 6.6]", "window[0].range_keV", "must rise"),
        ('name = "Fe K"', 'name = " "', "window[0].name", "is empty"),
        ("number = 1", "number = 3", "component[0].number", "0 to 2"),
        ("number = 1", "number = -1", "component[0].number", "0 to 2"),
        ('elements = ["O", "Mg", "Si", "Fe"]', "elements = []", "sample.elements", "is empty"),
        ('absent = "Si"', 'absent = ""', "precipitate[0].absent", "name an element"),
    ],
)
def test_what_cannot_be_is_told_with_its_key(old: str, new: str, key: str, says: str) -> None:
    sentence = message(with_change(old, new))
    assert sentence.startswith(f"{key} ")
    assert says in sentence


def test_two_maps_of_one_name_are_told() -> None:
    second = '[[map]]\nfile = "map2.bcf"\nname = "Map1"\n'
    assert message(SHORT + second).startswith('map[1].name is "Map1", a name already taken')


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ("[[component]]\nnumber = 1\n", "component[1].number is 1, which was given before"),
        (
            '[[window]]\nname = "fe k"\nrange_keV = [1, 2]\n',
            'window[1].name is "fe k", a name already taken',
        ),
    ],
)
def test_a_component_or_a_window_given_twice_is_told(added: str, says: str) -> None:
    assert message(FULL + added).startswith(says)


UNFINISHED = SHORT.replace('["O", "Mg"]', "[]") + '[[precipitate]]\nname = "Fp"\nabsent = ""\n'


def test_an_unfinished_recipe_is_taken_where_that_is_allowed(tmp_path: Path) -> None:
    assert message(UNFINISHED).startswith("sample.elements is empty; list")
    recipe = parse_recipe(UNFINISHED, "my.toml", unfinished=True)
    assert recipe.sample.elements == ()
    assert recipe.precipitates[0].absent == ""
    (tmp_path / "my.toml").write_text(UNFINISHED, encoding="utf-8")
    assert load_recipe(tmp_path / "my.toml", unfinished=True) == recipe
    with pytest.raises(RecipeError, match=r"my\.toml: sample\.elements is empty"):
        load_recipe(tmp_path / "my.toml")
    with pytest.raises(RecipeError, match=r"the window: sample\.elements is empty"):
        check_recipe(recipe, "the window")
    check_recipe(recipe, "the window", unfinished=True)
    assert parse_recipe(dump_recipe(recipe), "dumped", unfinished=True) == recipe


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('absent = ""', 'absent = "Si"', r"absent .* there is none to choose from yet"),
        ("components = 3", "components = 0", r"decomposition\.components is 0"),
        ("elements = []", "", r"sample\.elements is missing"),
    ],
)
def test_an_unfinished_recipe_must_not_be_wrong(old: str, new: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        parse_recipe(UNFINISHED.replace(old, new), "my.toml", unfinished=True)


def test_maps_and_phases_whose_results_would_share_a_file_are_told() -> None:
    second = '[[map]]\nfile = "b.bcf"\nname = "map1_Brg"\n'
    phase = '[[precipitate]]\nname = "Brg_Brg"\nabsent = "O"\n'
    sentence = message(SHORT + second + phase)
    assert "map1_Brg_Brg" in sentence
    assert sentence.startswith("map[1].name")


def test_a_recipe_without_maps_is_told() -> None:
    text = SHORT.replace('[[map]]\nfile = "map1.bcf"\nname = "map1"\n', "map = []\n")
    assert message(text).startswith("map holds no map")


def test_a_recipe_made_in_the_window_is_checked_like_a_file() -> None:
    recipe = parse_recipe(FULL, "my.toml")
    bad = changed(recipe, decomposition=changed(recipe.decomposition, components=1))
    with pytest.raises(RecipeError, match=r"precipitate\[0\]\.component \(\"Fp\"\) is 1"):
        check_recipe(bad, "the window")


def test_a_missing_recipe_is_one_sentence_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(RecipeError, match="no such recipe file") as caught:
        load_recipe(path)
    assert str(path) in str(caught.value)


def test_a_recipe_that_is_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path)


def test_a_recipe_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(RecipeError, match="UTF-8"):
        load_recipe(path)


def test_a_recipe_saved_by_windows_notepad_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SHORT.replace("\n", "\r\n").encode())
    assert load_recipe(path) == parse_recipe(SHORT, "a")


def test_a_map_is_found_beside_its_recipe(tmp_path: Path) -> None:
    recipe = parse_recipe(SHORT, "a")
    assert anchored(recipe, tmp_path).maps[0].file == str(tmp_path.resolve() / "map1.bcf")


def test_files_are_named_from_where_the_recipe_is_saved(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "results" / "first"
    recipe = parse_recipe(FULL, "my.toml")
    moved = tomllib.loads(dump_recipe(recipe, out, base=data))
    assert moved["map"][0]["file"] == "../../data/map1.bcf"
    assert moved["quantification"]["k_factors"] == "../../data/k.csv"
    assert moved["detector"]["curve"] == "../../data/curve.csv"


def test_an_anchored_recipe_saved_beside_its_data_names_the_plain_file(tmp_path: Path) -> None:
    recipe = parse_recipe(FULL, "my.toml")
    there = anchored(recipe, tmp_path)
    assert there.maps[0].file == str(tmp_path.resolve() / "map1.bcf")
    assert there.detector.curve == str(tmp_path.resolve() / "curve.csv")
    assert parse_recipe(dump_recipe(there, tmp_path), "my.toml") == recipe


def test_files_behind_a_linked_folder_are_still_found(tmp_path: Path) -> None:
    real = tmp_path / "deep" / "er" / "data"
    real.mkdir(parents=True)
    (real / "map1.bcf").write_bytes(b"here")
    link, out = tmp_path / "link", tmp_path / "out"
    out.mkdir()
    link.symlink_to(real)
    text = dump_recipe(parse_recipe(SHORT, "a"), out, base=link)
    assert (out / tomllib.loads(text)["map"][0]["file"]).read_bytes() == b"here"


number = st.one_of(st.integers(0, 10**6), st.floats(0, 1e6))
positive = st.one_of(st.integers(1, 10**6), st.floats(1e-3, 1e6))
bases = st.builds("{} {}".format, positive, st.sampled_from(["O", "cations", "cation"]))
box = st.tuples(*[st.integers(0, 999)] * 2, *[st.integers(1, 999)] * 2)
frame = st.tuples(number, number, positive, positive)
points = st.lists(st.tuples(number, number), min_size=3, max_size=9, unique=True).map(tuple)
seed = st.integers(0, 2**32 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
file = text.filter(lambda name: name.strip() and "\0" not in name)
word = st.text(string.ascii_letters + string.digits + "- ä\u03b2'", min_size=1, max_size=6).map(
    lambda tail: f"n{tail}n"
)
shape = st.one_of(
    st.fixed_dictionaries({"polygon": points}),
    st.fixed_dictionaries({"rectangle": frame}),
    st.fixed_dictionaries({"ellipse": frame}),
)


Item = TypeVar("Item")


def tuples(of: st.SearchStrategy[Item]) -> st.SearchStrategy[tuple[Item, ...]]:
    return st.lists(of, max_size=2).map(tuple)


def by_hand(elements: tuple[str, ...]) -> st.SearchStrategy[FactorsByHand]:
    allowed = [element for element in elements if element != "Si"]
    chosen = st.sampled_from(allowed) if allowed else st.nothing()
    return st.dictionaries(chosen, positive).map(FactorsByHand)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    names = draw(st.lists(word, min_size=4, max_size=4, unique_by=str.lower))
    map_names, (matrix, phase) = names[:2], names[2:]
    elements = tuple(
        draw(st.lists(st.sampled_from(["O", "Mg", "Si", "Fe", "U"]), min_size=1, unique=True))
    )
    components = draw(st.integers(1, 9))
    on_map = st.sampled_from(map_names)
    roi = st.builds(
        lambda form: (Roi(name="r", phase=matrix, **form),),
        shape,
    )
    maps = tuple(
        MapInput(
            file=draw(file),
            name=name,
            sha256=draw(st.none() | st.text("0123456789abcdef", min_size=64, max_size=64)),
            signal=draw(st.none() | st.integers(0, 9)),
            crop=draw(st.none() | box),
            rebin=draw(st.integers(1, 8)),
            thickness_nm=draw(st.none() | positive),
            rois=draw(st.just(()) | roi),
            excludes=draw(tuples(shape.map(lambda form: Exclude(**form)))),
        )
        for name in map_names
    )
    precipitate = Precipitate(
        name=phase,
        absent=elements[0],
        component=draw(st.none() | st.integers(0, components - 1)),
        factor=draw(st.none() | number),
        rectangles=draw(tuples(st.builds(PrecipitateRectangle, map=on_map, box=box))),
        strokes=draw(
            tuples(
                st.builds(
                    Stroke,
                    map=on_map,
                    label=st.sampled_from(["inside", "outside"]),
                    radius=number,
                    points=points,
                )
            )
        ),
    )
    low, width = draw(number), draw(positive)
    labels = st.builds(
        ComponentLabel,
        number=st.integers(0, components - 1),
        name=st.just("") | text,
        role=st.sampled_from([None, "matrix", "precipitate", "unused"]),
    )
    windows = st.builds(
        lambda name, start, extent, background: EnergyWindow(
            name=name, range_keV=(start, start + extent), background=background
        ),
        *(word, number, positive, st.booleans()),
    )
    return Recipe(
        format="endmember-recipe-1",
        maps=maps,
        decomposition=Decomposition(
            components=components,
            method=draw(st.sampled_from(["poisson", "frobenius"])),
            joint=draw(st.booleans()),
            seed=draw(seed),
        ),
        sample=Sample(
            matrix=matrix,
            elements=elements,
            system_elements=draw(st.sampled_from([(), ("Cu",), ("Cu", "C")])),
            density_g_cm3=Densities(draw(st.dictionaries(text, positive, max_size=3))),
            formula_unit=FormulaBases(draw(st.dictionaries(text, bases, max_size=3))),
            bulk=Contents(draw(st.dictionaries(st.sampled_from(elements), st.floats(0, 9)))),
        ),
        goal=Goal(
            lod_ppm=Limits(draw(st.dictionaries(st.sampled_from(elements), positive))),
            relative_error_percent=Limits(draw(st.dictionaries(st.just(elements[0]), positive))),
        ),
        instrument=Instrument(
            beam_energy_keV=draw(st.none() | positive),
            take_off_angle_deg=draw(st.none() | st.floats(1, 90)),
            energy_range_keV=(low, low + width),
        ),
        segmentation=Segmentation(smoothing_px=draw(number), seed=draw(seed)),
        detector=DetectorSettings(
            silicon_um=draw(positive),
            dead_layer_nm=draw(number),
            aluminium_nm=draw(number),
            curve=draw(st.none() | file),
        ),
        quantification=Quantification(
            k_factors=draw(file),
            k_factor_basis=draw(st.sampled_from([None, "weight", "atomic"])),
            k_factor_definition=draw(st.sampled_from([None, "alpha", "family"])),
            reference=draw(st.none() | st.sampled_from(elements)),
            k_factor=draw(st.none() | by_hand(elements)),
            escape_peaks=draw(st.booleans()),
            silicon_fluorescence=draw(st.booleans()),
            sum_peaks=draw(st.integers(0, 9)),
        ),
        precipitates=draw(st.sampled_from([(), (precipitate,)])),
        components=tuple(draw(st.lists(labels, max_size=3, unique_by=lambda c: c.number))),
        windows=tuple(draw(st.lists(windows, max_size=3, unique_by=lambda w: w.name.lower()))),
    )


@settings(max_examples=150, deadline=None)
@given(recipes())
def test_a_recipe_comes_back_from_its_file_as_it_was(recipe: Recipe) -> None:
    assert parse_recipe(dump_recipe(recipe), "dumped") == recipe
