"""Recipes from anywhere: what is wrong is refused by name, and nothing outside is written."""

from __future__ import annotations

import copy
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endmember.files.k_factors.detector_curve import read_detector_curve
from endmember.files.k_factors.k_factor_file import read_k_factors
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Recipe, changed
from endmember.session.decisions.recipe_file import (
    RecipeError,
    anchored,
    dump_recipe,
    load_recipe,
    parse_recipe,
)
from endmember.session.documents.document import Document
from endmember.session.state.session import Session
from endmember.session.steps.chain import STEPS
from test_recipe import FULL, recipes

DOCUMENT = tomllib.loads(
    FULL.replace('name = "map1"\n', f'name = "map1"\nsha256 = "{"0a" * 32}"\n', 1)
)
Place = tuple[str | int, ...]


def places(value: Any, here: Place = ()) -> list[Place]:
    """Every key and every entry of a list, at any depth."""
    found: list[Place] = []
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        found += [(*here, key), *places(item, (*here, key))]
    return found


PLACES = places(DOCUMENT)
KEYS = {part for place in PLACES for part in place if isinstance(part, str)}
EXTREMES: list[Any] = [
    *(0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 10**40, -(10**40)),
    *(0.0, -0.0, 1e-320, 1e308, -1e308, float("inf"), float("-inf"), float("nan")),
    *("", " ", "\n", "..", "../x", "/etc/passwd", "C:\\x", "nul", "a" * 5000, "\u202e", "\x1b[2J"),
    *(True, [], [[]], [{}], {}, {"": {}}, {"name": "map1"}, [0, 0, 0, 0], [1e308] * 4, ["Si"] * 3),
    *([[0, 0]] * 3, [[1e308, -1e308], [0, 1], [1, 0]], "Si", "map1", "Brg", "sum", "residual"),
]


def parent_of(document: Any, place: Place) -> Any:
    for part in place[:-1]:
        document = document[part]
    return document


@st.composite
def mutations(draw: st.DrawFn) -> tuple[dict[str, Any], str, Place]:
    """The document with one thing changed, what was done, and where."""
    document = copy.deepcopy(DOCUMENT)
    place = draw(st.sampled_from(PLACES))
    parent, key = parent_of(document, place), place[-1]
    what = draw(st.sampled_from(["delete", "rename", "replace", "duplicate", "add"]))
    if what == "delete":
        del parent[key]
    elif what == "rename" and isinstance(parent, dict):
        new = draw(st.sampled_from(sorted(KEYS)) | st.text(max_size=6))
        parent[new] = parent.pop(key)
    elif what == "duplicate" and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))  # type: ignore[index]
    elif what == "add" and isinstance(parent, dict):
        parent[draw(st.text(max_size=6))] = draw(st.sampled_from(EXTREMES))
    else:
        what = "replace"
        other = st.sampled_from(EXTREMES) | st.sampled_from(PLACES).map(
            lambda at: copy.deepcopy(parent_of(DOCUMENT, at)[at[-1]])
        )
        parent[key] = draw(other)
    return document, what, place


def refusal(text: str) -> str | None:
    """The sentence with which a recipe is refused, None where it is taken."""
    try:
        recipe = parse_recipe(text, "here.toml")
    except RecipeError as error:
        return str(error)
    assert parse_recipe(dump_recipe(recipe), "again") == recipe
    return None


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutations())
def test_a_changed_recipe_is_taken_or_refused_by_the_name_of_a_key(
    changed_one: tuple[dict[str, Any], str, Place],
) -> None:
    document, what, place = changed_one
    told = refusal(tomli_w.dumps(document))
    if told is None:
        return
    assert told.isprintable()
    assert len(told) < 500
    named = told.removeprefix("here.toml: ").partition(" ")[0]
    assert KEYS & set(re.split(r"[.\[\]]+", named)) or what in ("add", "rename"), told
    if what == "delete" and isinstance(place[-1], str) and "missing" in told:
        assert place[-1] in named, told


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda b: b.decode("latin-1")))
def test_any_text_is_a_recipe_or_refused(text: str) -> None:
    assert refusal(text) is not None


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FULL) - 1), st.text(max_size=3))
def test_a_recipe_with_a_typing_error_is_taken_or_refused(at: int, typed: str) -> None:
    refusal(FULL[:at] + typed + FULL[at + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "{a=" * 100_000,
        "a" + ".a" * 10_000 + " = 1",
        "a = " + "9" * 9999,
    ],
)
def test_a_recipe_nested_without_end_is_refused(text: str) -> None:
    told = refusal(text)
    assert told is not None
    assert "TOML" in told or "no known key" in told


@pytest.mark.parametrize(
    "text",
    [
        'x = {y = """\n\' """, KEY = 1 # \'}',
        "[KEY]",
        "'a'KEY = 1 # \"",
        '"KEY" = 1\n[KEY]',
        '# "\nKEY = 1',
    ],
)
def test_a_deep_key_hides_behind_no_text_or_comment(text: str) -> None:
    told = refusal(text.replace("KEY", "a" + ".a" * 10_000))
    assert told is not None
    assert "nested too deeply" in told


def test_full_stops_in_texts_are_no_depth() -> None:
    many = ".".join("abcdefghijklmnopqrstuvwxyz" * 2)
    for old in ("map1.bcf", "dark rims"):
        assert refusal(FULL.replace(old, many)) is None
    assert refusal(FULL + f"# {many}\n") is None


def test_a_device_is_no_recipe_and_no_table(tmp_path: Path) -> None:
    endless = Path("/dev/zero")
    if not endless.exists():
        pytest.skip("there is no /dev/zero here")
    link = tmp_path / "link.toml"
    link.symlink_to(endless)
    with pytest.raises(RecipeError, match="no file but a device"):
        load_recipe(link)
    for read in (read_k_factors, read_detector_curve):
        with pytest.raises(ValueError, match="no file but a device"):
            read(endless)


def test_a_file_far_too_large_is_no_recipe(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    with path.open("wb") as stream:
        stream.truncate(10**12)  # a hole: it takes no room
    with pytest.raises(RecipeError, match="larger than 20 MB"):
        load_recipe(path)


def test_one_heading_given_twice_is_refused_as_toml() -> None:
    for heading in ("[sample]", "[decomposition]", "[quantification]"):
        told = refusal(f"{FULL}\n{heading}\n")
        assert told is not None
        assert "TOML" in told


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(recipe=recipes(), down=st.integers(0, 3))
def test_a_recipe_saved_in_another_folder_names_the_same_files(
    tmp_path: Path, recipe: Recipe, down: int
) -> None:
    home = tmp_path / "home"
    whole = anchored(recipe, home)
    folder = tmp_path.joinpath(*["deep"] * down)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "saved.toml"
    document = Document(whole)
    document.save(path)
    back = anchored(load_recipe(path), path.parent)
    assert [os.path.normpath(m.file) for m in back.maps] == [
        os.path.normpath(m.file) for m in whole.maps
    ]
    plain = [changed(m, file="") for m in back.maps], [changed(m, file="") for m in whole.maps]
    assert plain[0] == plain[1]
    assert changed(back, maps=(), quantification=whole.quantification, detector=whole.detector) == (
        changed(whole, maps=())
    )


HOSTILE = (
    *(
        "../x",
        "..",
        "/tmp/x",
        "a/b",
        "a\\b",
        "C:x",
        "con",
        "NUL.txt",
        "lpt1",
        "a" * 300,
        "\x00",
        "a\nb",
    ),
    *("x.", " x", "a:b", "a*", "a?", '"', "<", "|", "\x7f", "\u0000", "", ".", "sum", "COM1.x.y"),
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("old", ['name = "map1"', 'matrix = "Brg"', 'name = "Fp"'])
def test_a_name_that_is_no_file_name_is_refused_where_results_are_named_after_it(
    old: str, name: str
) -> None:
    if (name, old) in (("sum", 'matrix = "Brg"'), ("sum", 'name = "Fp"')):
        return  # a phase may be called so
    key, _, before = old.partition(" = ")
    document = tomli_w.dumps({"k": name}).removeprefix("k = ").strip()
    text = FULL.replace(old, f"{key} = {document}", 1).replace(
        "map = " + before, f"map = {document}"
    )
    told = refusal(text)
    assert told is not None
    assert key in told


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120), st.text(max_size=120))
def test_results_of_any_recipe_that_is_taken_lie_in_their_folder(name: str, phase: str) -> None:
    recipe = edits.new_recipe(Path("/data/m.hspy"))
    recipe = changed(
        recipe,
        maps=(changed(recipe.maps[0], name=name),),
        sample=changed(recipe.sample, matrix=phase, elements=("O",)),
    )
    try:
        taken = parse_recipe(dump_recipe(recipe), "x")
    except (RecipeError, UnicodeEncodeError):
        return
    folder = Path("/results/masks")
    result = Path(
        os.path.normpath(folder / f"{taken.map_names[0]}_component_{taken.sample.matrix}.tif")
    )
    assert result.parent == folder
    assert len(result.name.encode()) <= 255
    assert result.name.isprintable() or not any(ord(c) < 32 for c in result.name)


def test_keys_of_a_recipe_with_the_largest_numbers_are_made() -> None:
    text = FULL.replace("[0, 0, 512, 512]", "[0, 0, 9007199254740992, 9007199254740992]")
    session = Session(STEPS, parse_recipe(text, "x"))
    assert session.due()[0].step == "read"
