"""One precipitate that cannot be used leaves the others as they are."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.masks.regions import Rectangle
from endmember.core.masks.segmentation import segment
from endmember.core.unmixing.decomposition import Decomposition
from endmember.demo import demo_recipe, simulate_to
from endmember.session.decisions.recipe import (
    Exclude,
    Precipitate,
    PrecipitateRectangle,
    Recipe,
    Stroke,
    changed,
)
from endmember.session.results.results_folder import all_warnings, run_steps
from endmember.session.state.session import Failure, Session, run_all
from endmember.session.steps.chain import STEPS
from endmember.session.steps.cuts import mask_of

FP, CAPV = (changed(p, component=k) for k, p in enumerate(demo_recipe(64).precipitates, start=1))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """The demo of 64 x 64 pixels."""
    path = tmp_path_factory.mktemp("demo") / "demo.hspy"
    simulate_to(path, None, lambda _: None, size=64, counts_per_pixel=160.0, seed=0, layout=0)
    recipe = demo_recipe(64)
    return changed(recipe, maps=(changed(recipe.maps[0], file=str(path)),))


@pytest.fixture(scope="module")
def done(base: Recipe) -> Session:
    """The demo with all its results."""
    session = Session(STEPS, with_precipitates(base, FP, CAPV))
    run_all(session)
    assert not session.failures()
    return session


def with_precipitates(recipe: Recipe, *precipitates: Precipitate) -> Recipe:
    return changed(recipe, precipitates=precipitates)


def run(done: Session, recipe: Recipe) -> Session:
    """The results of a recipe, made from the map and components that are there already."""
    session = done.snapshot()
    session.change(recipe)
    run_all(session, go_on=True)
    return session


def phases_of(session: Session) -> set[str]:
    return {e.phase for e in session.result("quantification").entries if e.source == "mask"}


def test_a_check_of_the_energy_axis_that_fails_is_told_and_stops_no_run(
    base: Recipe, done: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("endmember.core.fitting.energy_calibration.check_energies", fails)
    session, records = run_steps(with_precipitates(base, FP, CAPV), "recipe")
    assert [step for step, _, _ in session.failures()] == ["energy_check"]
    assert [r.name for r in records] == [step.name for step in STEPS]
    assert phases_of(session) == phases_of(done)
    told = [s for s in all_warnings(session) if "energy axis could not be checked" in s]
    assert len(told) == 1
    assert "(on purpose)" in told[0]
    assert all_warnings(session)[1:] == all_warnings(done)


def test_a_precipitate_off_the_map_fails_and_the_other_is_quantified(done: Session) -> None:
    off = PrecipitateRectangle(map="demo", box=(500, 500, 20, 20))
    lost = changed(FP, rectangles=(off,))
    session = run(done, with_precipitates(done.recipe, lost, CAPV))
    masks = session.result("masks", "demo")
    assert list(masks.failures) == ["Fp"]
    assert masks.failures["Fp"].startswith('Fp on map "demo": the rectangle [500, 500, 20, 20]')
    assert session.result("abundance", "demo").phases == ("Brg", "CaPv")
    assert phases_of(session) == {"Brg", "CaPv"}
    whole = done.result("masks", "demo").partition.components["CaPv"]
    np.testing.assert_array_equal(masks.partition.components["CaPv"], whole)


def test_precipitates_that_cover_each_other_fail_and_the_other_is_quantified(
    done: Session,
) -> None:
    twin = changed(FP, name="Twin")
    session = run(done, with_precipitates(done.recipe, FP, twin, CAPV))
    masks = session.result("masks", "demo")
    assert set(masks.failures) == {"Fp", "Twin"}
    assert "every pixel of Twin" in masks.failures["Twin"]
    assert phases_of(session) == {"Brg", "CaPv"}


def test_a_precipitate_without_absent_element_keeps_its_mixture(done: Session) -> None:
    unsaid = changed(FP, absent="")
    session = run(done, with_precipitates(done.recipe, unsaid, CAPV))
    phases = session.result("subtraction", "demo")
    assert phases.failures == {
        "Fp": "choose the absent element of Fp: one that the matrix holds and Fp does not"
    }
    expected = done.result("subtraction", "demo").mixtures["Fp"]
    np.testing.assert_array_equal(phases.mixtures["Fp"].fit.areas, expected.fit.areas)
    assert set(phases.subtractions) == {"CaPv"}
    assert phases_of(session) == {"Brg", "CaPv"}


def test_a_precipitate_with_neither_component_nor_absent_element_asks_for_one(
    done: Session,
) -> None:
    unsaid = changed(FP, absent="", component=None)
    session = run(done, with_precipitates(done.recipe, unsaid, CAPV))
    assert session.result("masks", "demo").failures == {
        "Fp": "choose the component that shows Fp, or its absent element"
    }
    assert phases_of(session) == {"Brg", "CaPv"}


def test_a_precipitate_that_the_matrix_cannot_scale_fails_alone(done: Session) -> None:
    recipe = done.recipe
    elements = (*recipe.sample.elements, "Zr")
    recipe = changed(recipe, sample=changed(recipe.sample, elements=elements))
    session = run(done, with_precipitates(recipe, changed(FP, absent="Zr"), CAPV))
    failures = session.result("subtraction", "demo").failures
    assert list(failures) == ["Fp"]
    assert "Zr is hardly present in the matrix" in failures["Fp"]
    assert phases_of(session) == {"Brg", "CaPv"}


def test_without_elements_masks_are_made_where_the_component_is_named(done: Session) -> None:
    recipe = changed(done.recipe, sample=changed(done.recipe.sample, elements=()))
    automatic = changed(CAPV, component=None)
    session = run(done, with_precipitates(recipe, FP, automatic))
    masks = session.result("masks", "demo")
    assert list(masks.partition.components) == ["Fp"]
    sentence = "no elements are chosen: list the elements of the sample"
    assert masks.failures == {"CaPv": f'CaPv on map "demo": {sentence}'}
    failure = session.result("subtraction", "demo")
    assert isinstance(failure, Failure)
    assert (failure.message, failure.expected) == (sentence, True)


def test_no_matrix_left_is_still_a_failure_of_the_step(done: Session) -> None:
    everywhere = Stroke(map="demo", label="inside", radius=90, points=((0, 0), (31, 31)))
    corner = Stroke(map="demo", label="outside", radius=2, points=((63, 63),))
    entry = done.recipe.maps[0]
    hole = changed(entry, excludes=(Exclude(rectangle=(58, 58, 6, 6)),))
    recipe = changed(done.recipe, maps=(hole,))
    all_of_it = changed(FP, strokes=(everywhere, corner))
    session = run(done, with_precipitates(recipe, all_of_it))
    failure = session.result("masks", "demo")
    assert isinstance(failure, Failure)
    assert "no pure matrix is left" in failure.message


def mask_now(done: Session, precipitate: Precipitate) -> object:
    found: Decomposition = done.result("decomposition", "demo").found
    entry, settings = done.recipe.maps[0], done.recipe.segmentation
    return mask_of(found, 0, entry, precipitate, 1, settings, lambda _: None)


def test_a_precipitate_whose_drawing_did_not_change_is_not_cut_again(done: Session) -> None:
    moved = changed(FP, rectangles=FP.rectangles[1:])
    first = mask_now(done, FP)
    other = mask_now(done, moved)
    assert mask_now(done, FP) is first
    assert other is not first


def test_a_mask_does_not_depend_on_what_was_cut_before(done: Session) -> None:
    found = done.result("decomposition", "demo").found
    mask_now(done, changed(FP, rectangles=FP.rectangles[2:]))
    kept = done.result("masks", "demo").partition.components["Fp"]
    boxes = [Rectangle(*r.box) for r in FP.rectangles]
    fresh = segment(found.maps[0].copy(), 1, boxes, smoothing_px=2.0).mask
    np.testing.assert_array_equal(kept, fresh)
