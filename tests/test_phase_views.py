"""What is shown of a precipitate, against spectra built from known areas."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.absence import AbsentCandidate
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.quantification.cliff_lorimer import Method, composition_of
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import family_lines
from endmember.session.decisions.recipe import (
    FORMAT,
    Decomposition,
    MapInput,
    Precipitate,
    Recipe,
    Sample,
)
from endmember.session.views.absent_choice import (
    better_than_chosen,
    hint_about_absent,
    suggested,
    unmeasured_candidates,
)
from endmember.session.views.phase_remarks import (
    left_sentence,
    purity_sentence,
    remarks_about,
    with_error,
)
from endmember.session.views.phase_views import (
    AS_SUBTRACTED,
    COUNTS,
    LINE,
    PER_PIXEL,
    PhaseView,
    factor_range,
    normalisations,
    phase_view,
    scales,
    with_factor,
)

AXIS = EnergyAxis(0.3, 0.01, 1000)
ELEMENTS = ("O", "Mg", "Al", "Si", "Fe")
MATRIX = {"O": 6e5, "Mg": 3.5e5, "Al": 5e4, "Si": 4.5e5, "Fe": 4e4}
PRECIPITATE = {"O": 8e4, "Mg": 9e4, "Al": 1e3, "Si": 0.0, "Fe": 3e4}
SHARE = 0.35  # of the matrix spectrum in the mixture


def expected(areas: dict[str, float], continuum: float) -> FloatArray:
    """K lines of the given alpha areas over a continuum that the fit can follow."""
    total = continuum * Detector().efficiency(AXIS.centres) / AXIS.centres
    for element, area in areas.items():
        lines = family_lines(element, "K", 200.0)
        energies = np.array([line.energy_keV for line in lines])
        weights = np.array([line.cross_section_cm2 for line in lines])
        weights = weights * Detector().efficiency(energies)
        weights /= weights[[line.alpha for line in lines]].sum()
        shapes, _ = LineSet.of_columns([(energies, weights)]).shapes(AXIS, Calibration())
        total = total + area * shapes[:, 0]
    return np.asarray(total)


def fit(counts: FloatArray) -> SpectrumFit:
    return fit_spectrum(Spectrum(counts, AXIS, 200.0, 22.0), ELEMENTS, detector=Detector())


def recipe(absent: str = "Si", factor: float | None = None) -> Recipe:
    return Recipe(
        format=FORMAT,
        maps=(MapInput(file="a.hspy", name="a"),),
        decomposition=Decomposition(components=2),
        sample=Sample(matrix="M", elements=ELEMENTS),
        precipitates=(Precipitate(name="P", absent=absent, factor=factor),),
    )


@pytest.fixture(scope="module")
def phases() -> Any:
    """Matrix and mixture without noise, as the step hands them on."""
    mean = expected(MATRIX, 2000.0)
    method = Method(ELEMENTS)
    matrix = composition_of(fit(mean), method)
    mixture = composition_of(fit(SHARE * mean + expected(PRECIPITATE, 300.0)), method)
    return SimpleNamespace(matrix=matrix, mixtures={"P": mixture}, subtractions={}, warnings=())


@pytest.fixture(scope="module")
def view(phases: Any) -> PhaseView:
    made = phase_view(recipe(), "P", phases, (100, 5000))
    assert made is not None
    return made


def areas(view: PhaseView) -> dict[str, float]:
    return {difference.element: difference.area for difference in view.differences}


def test_the_differences_are_what_the_precipitate_was_built_of(view: PhaseView) -> None:
    found = areas(view)
    for difference in view.differences:
        off = found[difference.element] - PRECIPITATE[difference.element]
        assert abs(off) < 0.5 * difference.sigma + 1e-6, difference.label
    assert [d.label for d in view.differences] == ["O Kα", "Mg Kα", "Al Kα", "Si Kα", "Fe Kα"]


def test_only_the_absent_element_is_zero_by_construction(view: PhaseView) -> None:
    assert [d.element for d in view.differences if d.zero] == ["Si"]
    assert view.left is not None
    assert view.left.in_sigma == 0.0
    assert left_sentence(view) == ""


def test_the_differences_are_those_of_a_fit_of_the_subtracted_spectrum(view: PhaseView) -> None:
    assert view.subtraction is not None
    second = fit_spectrum(
        view.subtraction.spectrum,
        ELEMENTS,
        detector=Detector(),
        calibration=view.mixture.calibration,
        refine_calibration=False,
    )
    for difference in view.differences:
        index = second.find(difference.element, "K")
        assert index is not None
        sigma = float(np.sqrt(second.covariance[index, index]))
        if not difference.zero:
            assert difference.area == pytest.approx(second.areas[index], abs=0.3 * sigma)
            assert difference.sigma == pytest.approx(sigma, rel=0.05)


def test_a_factor_by_hand_leaves_what_arithmetic_says(view: PhaseView) -> None:
    by_hand = with_factor(view, 0.30)
    assert by_hand.by_hand
    left = by_hand.left
    assert left is not None
    assert not left.zero
    assert left.area == pytest.approx((SHARE - 0.30) * MATRIX["Si"], abs=0.5 * left.sigma)
    i, j = view.mixture.find("Si", "K"), view.matrix.find("Si", "K")
    variance = view.mixture.covariance[i, i] + 0.30**2 * view.matrix.covariance[j, j]
    assert left.sigma == pytest.approx(float(np.sqrt(variance)))
    assert "counts left" in left_sentence(by_hand)
    assert by_hand.subtraction is not None
    np.testing.assert_allclose(
        by_hand.subtraction.spectrum.counts,
        view.mixture.spectrum.counts - 0.30 * view.matrix.spectrum.counts,
    )


def test_the_fitted_factor_comes_back_after_one_by_hand(view: PhaseView) -> None:
    again = with_factor(with_factor(view, 0.9), None)
    assert again.subtraction is not None
    assert again.subtraction.factor == pytest.approx(SHARE, rel=1e-3)
    assert areas(again) == areas(view)


def test_the_error_band_is_the_root_of_the_variance(view: PhaseView) -> None:
    by_hand = with_factor(view, 0.5)
    assert by_hand.sigma is not None
    variance = view.mixture.variance + 0.25 * view.matrix.variance
    np.testing.assert_allclose(by_hand.sigma, np.sqrt(variance))


def test_the_results_of_the_recipe_are_shown_where_they_are_given(
    view: PhaseView, phases: Any
) -> None:
    marked = replace(view.subtraction, negative_keV=((1.0, 2.0),))  # type: ignore[type-var]
    shown = phase_view(recipe(), "P", phases, (1, 1), marked, phases.mixtures["P"])
    assert shown is not None
    assert shown.subtraction is marked
    assert shown.fitted is phases.mixtures["P"].fit.fitted
    assert areas(shown)["Fe"] == pytest.approx(
        view.mixture.areas[view.mixture.find("Fe", "K")]  # those of the fit that was given
    )


def test_without_an_absent_element_there_is_mixture_and_candidates_only(phases: Any) -> None:
    open_view = phase_view(recipe(absent=""), "P", phases, (100, 5000))
    assert open_view is not None
    assert open_view.subtraction is None
    assert open_view.differences == ()
    assert [c.element for c in open_view.candidates][:2] == ["Si", "Al"]
    assert normalisations(open_view)[0][0] == PER_PIXEL
    said, warns = hint_about_absent(open_view)
    assert warns
    assert "Si fits best" in said


def test_a_precipitate_without_a_mixture_has_no_view() -> None:
    assert phase_view(recipe(), "P", SimpleNamespace(mixtures={}), (0, 1)) is None  # type: ignore[arg-type]


# --- scales ------------------------------------------------------------------------------------


def test_on_a_line_both_spectra_have_the_same_area(view: PhaseView) -> None:
    for key, _ in normalisations(view):
        if key.startswith(LINE):
            element = key.removeprefix(LINE)
            of_mixture, of_matrix = scales(view, key)
            i, j = view.mixture.find(element, "K"), view.matrix.find(element, "K")
            assert of_mixture * view.mixture.areas[i] == pytest.approx(
                of_matrix * view.matrix.areas[j]
            )


def test_the_usual_scale_is_what_is_subtracted(view: PhaseView) -> None:
    key, text = normalisations(view)[0]
    assert (key, text) == (AS_SUBTRACTED, "on Si Kα (absent element)")
    assert scales(view, key)[1] == pytest.approx(SHARE, rel=1e-3)
    by_hand = with_factor(view, 0.5)
    key, text = normalisations(by_hand)[0]
    assert text == "by the factor set by hand"
    assert scales(by_hand, key) == (1.0, 0.5)
    assert (LINE + "Si", "on Si Kα (absent element)") in normalisations(by_hand)


def test_per_pixel_and_counts_need_no_line(view: PhaseView) -> None:
    assert scales(view, PER_PIXEL) == (1 / 100, 1 / 5000)
    assert scales(view, COUNTS) == (1.0, 1.0)
    nowhere = replace(view, pixels=(0, 5000))
    assert PER_PIXEL not in dict(normalisations(nowhere))


def test_the_range_of_the_slider_holds_the_fitted_factor_and_the_one_by_hand(
    view: PhaseView,
) -> None:
    low, high = factor_range(view)
    assert (low, high) == pytest.approx((SHARE / 2, 1.5 * SHARE), rel=2e-3)
    low, high = factor_range(with_factor(view, 2.0))
    assert low < SHARE < 2.0 < high
    assert factor_range(with_factor(view, 0.0))[0] == 0.0


# --- which element to choose ---------------------------------------------------------------------


def candidate(element: str, ratio: float, sigma: float, usable: bool = True) -> AbsentCandidate:
    return AbsentCandidate(
        element, ratio, sigma, 100.0 if usable else 5.0, usable, "" if usable else "x"
    )


def test_a_weak_line_that_scatters_low_is_not_suggested() -> None:
    ranked = (
        candidate("U", 0.06, 0.03),
        candidate("Si", 0.077, 0.0004),
        candidate("Ca", 0.079, 0.002),
        candidate("O", 0.10, 0.0003),
        candidate("Nd", 0.01, 0.0001, usable=False),
    )
    best = suggested(ranked)
    assert best is not None
    assert best.element == "Si"
    assert suggested(ranked[-1:]) is None
    assert suggested(()) is None


@pytest.mark.parametrize(("sigmas", "better"), [(2.9, None), (3.1, "Si")])
def test_an_element_is_better_from_three_sigma_on(
    view: PhaseView, sigmas: float, better: str | None
) -> None:
    ratio = 0.1 + sigmas * np.hypot(0.003, 0.004)
    candidates = (candidate("Si", 0.1, 0.003), candidate("Fe", ratio, 0.004))
    chosen = replace(view, candidates=candidates, precipitate=Precipitate(name="P", absent="Fe"))
    found = better_than_chosen(chosen)
    assert (found.element if found else None) == better
    said, warns = hint_about_absent(chosen)
    assert warns == (better is not None)
    assert ("Si is more absent than Fe" in said) == warns


def test_a_weak_choice_is_said(view: PhaseView) -> None:
    weak = replace(candidate("Fe", 0.2, 0.1, usable=False), why="Fe is weak")
    chosen = replace(
        view,
        candidates=(candidate("Si", 0.1, 0.01), weak),
        precipitate=Precipitate(name="P", absent="Fe"),
    )
    assert hint_about_absent(chosen) == ("Fe is weak.", True)


def test_without_a_mixture_elements_stand_by_their_strength_in_the_matrix(view: PhaseView) -> None:
    found = unmeasured_candidates(view.matrix, ELEMENTS)
    strengths = [c.matrix_sigma for c in found]
    assert strengths == sorted(strengths, reverse=True)
    assert {c.element for c in found} == set(ELEMENTS)
    assert with_error(found[0].ratio, found[0].sigma) == "not measured"


# --- sentences -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "sigma", "text"),
    [
        (0.078849, 0.000409, "0.07885 ± 0.00041"),
        (-8278.4, 212.2, "−8,278 ± 212"),
        (1.0, 0.0, "1"),
        (12.345, 1.0, "12.3 ± 1.0"),
    ],
)
def test_values_are_written_to_two_digits_of_their_error(
    value: float, sigma: float, text: str
) -> None:
    assert with_error(value, sigma) == text


def test_purity_is_said_in_words() -> None:
    measured = SimpleNamespace(purity={"P": (0.02, 0.001), "Q": (0.0001, 0.0002)})
    said, warns = purity_sentence(measured, "P", "M")  # type: ignore[arg-type]
    assert warns
    assert said.startswith("2.00 ± 0.10 % of the counts in the mask of M come from P")
    assert "Add a rectangle" in said
    said, warns = purity_sentence(measured, "Q", "M")  # type: ignore[arg-type]
    assert not warns
    assert "at most 0.07 %" in said  # 0.01 % and three times 0.02 %
    assert not purity_sentence(measured, "R", "M")[1]  # type: ignore[arg-type]


def test_warnings_are_those_of_the_precipitate_and_of_none() -> None:
    told = (
        'P on map "a": negative',
        'Q on map "a": negative',
        'map "a": the pure matrix holds 2.00 +- 0.10 % of P: part lies outside',
        'map "a": the purity cannot be measured',
    )
    found = remarks_about(SimpleNamespace(warnings=told), "P", ("P", "Q"))  # type: ignore[arg-type]
    assert found == (told[0], told[2], told[3])
