"""What runs again after a decision was changed, from the keys of the steps alone."""

import pytest

from endmember.core.xrays.artefact_peaks import Artefacts
from endmember.demo import demo_recipe
from endmember.session.decisions.recipe import (
    Densities,
    Exclude,
    FactorsByHand,
    FormulaBases,
    Recipe,
    Roi,
    changed,
)
from endmember.session.state.steptable import key
from endmember.session.steps.chain import FROM_COMPOSITIONS, STEPS, method_of

NAMES = tuple(step.name for step in STEPS)
BASE = demo_recipe(256)


def with_map(**settings: object) -> Recipe:
    return changed(BASE, maps=(changed(BASE.maps[0], **settings),))


def with_precipitate(**settings: object) -> Recipe:
    first, *others = BASE.precipitates
    return changed(BASE, precipitates=(changed(first, **settings), *others))


def runs_again(recipe: Recipe) -> tuple[str, ...]:
    return tuple(n for n in NAMES if key(STEPS, n, recipe, "demo") != key(STEPS, n, BASE, "demo"))


@pytest.mark.parametrize(
    ("recipe", "first"),
    [
        (with_map(crop=(0, 0, 100, 100)), "read"),
        (changed(BASE, instrument=changed(BASE.instrument, take_off_angle_deg=18)), "read"),
        (with_map(excludes=(Exclude(rectangle=(0, 0, 9, 9)),)), "masks"),
        (with_precipitate(rectangles=BASE.precipitates[0].rectangles[1:]), "masks"),
        (changed(BASE, segmentation=changed(BASE.segmentation, smoothing_px=1.5)), "masks"),
        (with_map(thickness_nm=80), "subtraction"),
        (changed(BASE, detector=changed(BASE.detector, dead_layer_nm=80)), "subtraction"),
        (
            changed(
                BASE,
                quantification=changed(BASE.quantification, k_factor=FactorsByHand({"Fe": 1.6})),
            ),
            "subtraction",
        ),
        (
            changed(BASE, quantification=changed(BASE.quantification, sum_peaks=6)),
            "subtraction",
        ),
        (with_precipitate(factor=0.05), "subtraction"),
        (
            changed(BASE, sample=changed(BASE.sample, density_g_cm3=Densities({"Brg": 4.2}))),
            "subtraction",
        ),
    ],
)
def test_a_changed_decision_runs_the_steps_that_follow_from_it(recipe: Recipe, first: str) -> None:
    assert runs_again(recipe) == NAMES[NAMES.index(first) :]


def test_a_region_runs_all_that_follows_from_compositions_and_no_abundance_map_again() -> None:
    region = with_map(rois=(Roi(name="R", phase="Brg", rectangle=(0, 0, 9, 9)),))
    assert runs_again(region) == ("quantification", *FROM_COMPOSITIONS)


def test_more_components_keep_the_map_and_the_scree() -> None:
    more = changed(BASE, decomposition=changed(BASE.decomposition, components=4))
    assert runs_again(more) == NAMES[NAMES.index("decomposition") :]


def test_another_name_of_a_phase_in_the_densities_runs_no_mask_again() -> None:
    other = changed(BASE, sample=changed(BASE.sample, density_g_cm3=Densities({})))
    assert "masks" not in runs_again(other)


def test_a_formula_unit_runs_nothing_again() -> None:
    bases = FormulaBases({"Brg": "3 O"})
    assert runs_again(changed(BASE, sample=changed(BASE.sample, formula_unit=bases))) == ()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, Artefacts(escape=False, silicon_fluorescence=False, sums=0)),
        ({"escape_peaks": True}, Artefacts(escape=True)),
        ({"silicon_fluorescence": True}, Artefacts(silicon_fluorescence=True)),
        ({"sum_peaks": 6}, Artefacts(sums=6)),
    ],
)
def test_peaks_of_the_detector_are_fitted_as_the_recipe_says(
    settings: dict[str, object], expected: Artefacts
) -> None:
    how = changed(BASE.quantification, **settings)
    assert method_of(BASE.sample, how, BASE.detector).artefacts == expected
