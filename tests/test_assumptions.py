"""What the method takes for granted is checked, and said with its remedy where it does not hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from endmember.core.counts.spectrum import Spectrum
from endmember.core.fitting.spectrum_fit import Foil
from endmember.core.fitting.subtraction import matrix_variance_share, subtract
from endmember.core.progress import silent
from endmember.core.quantification.background_spread import (
    background_spread,
    composition_spread,
    spread_sentence,
)
from endmember.core.quantification.cliff_lorimer import Composition, Method, quantify
from endmember.core.simulation.simulated_map import expected_truth
from endmember.core.xrays.artefact_peaks import Artefacts
from endmember.core.xrays.detector import Detector
from endmember.demo import demo_recipe, simulate_to
from endmember.session.decisions.recipe import Densities, FormulaBases, changed
from endmember.session.state.session import Session, run_all
from endmember.session.steps.background_spreads import background_spreads
from endmember.session.steps.chain import STEPS, method_of
from endmember.session.steps.separation import MapPhases, separate
from endmember.session.views.remarks import remarks

SYSTEM = ("Cu", "Co", "Ga", "C")
TRUTH = expected_truth(8)
METHOD = Method(TRUTH.elements, SYSTEM)


def brg(counts: float, beam_energy_keV: float = 200.0) -> Spectrum:
    """The expected spectrum of the demo's matrix, without noise."""
    whole = counts * (0.96 * TRUTH.spectra[0] + 0.04 * TRUTH.system_spectrum)
    return Spectrum(whole, TRUTH.axis, beam_energy_keV, 22.0).between(0.3, 20.0)


def told(found: Composition, words: str) -> list[str]:
    return [sentence for sentence in found.warnings if words in sentence]


# lines that cannot be separated


def test_uranium_cannot_be_separated_from_cadmium_where_only_m_and_l_lines_are_seen() -> None:
    """U M alpha 3.17 and beta 3.34 keV lie on Cd L alpha 3.13 and beta 3.32 keV."""
    cut = brg(2e6).between(2.5, 3.55)
    (sentence,) = told(quantify(cut, Method(("U",), ("Cd",))), "cannot be separated")
    assert sentence.startswith("U Ma cannot be separated from Cd La in this spectrum")
    assert "leave one of the two elements out" in sentence
    assert "Cd La cannot" not in sentence  # it is not quantified


def test_uranium_is_separated_from_cadmium_over_the_whole_range_and_from_nothing_alone() -> None:
    assert not told(quantify(brg(2e6), Method(TRUTH.elements, (*SYSTEM, "Cd"))), "separated")
    assert not told(quantify(brg(2e6).between(2.5, 3.55), Method(("U",))), "separated")


# the foil


@pytest.mark.parametrize(("thickness_nm", "named"), [(117.0, []), (400.0, ["O"])])
def test_a_foil_that_keeps_half_of_the_x_rays_is_told(
    thickness_nm: float, named: list[str]
) -> None:
    found = quantify(brg(2e6), METHOD, Foil(thickness_nm, 4.1, 22.0))
    low = [row.element for row in found.rows if (row.absorption or 1.0) < 0.5]
    assert low == named
    sentences = told(found, "strong absorption")
    assert len(sentences) == len(named)
    for sentence in sentences:
        assert f"(factor A) of O ({found['O'].absorption:.2f}), so" in sentence
        assert "measure a thinner place" in sentence


@pytest.mark.parametrize(("beam_energy_keV", "doubted"), [(35.0, True), (40.0, False)])
def test_a_beam_of_an_sem_is_told(beam_energy_keV: float, doubted: bool) -> None:
    sentences = told(quantify(brg(2e6, beam_energy_keV), METHOD), "that of an SEM")
    assert bool(sentences) == doubted
    assert all("correct the beam energy" in sentence for sentence in sentences)


def test_a_beam_too_slow_for_any_thin_foil_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match=r"15 keV: it must lie between 30 and 400 keV; .* bulk"):
        quantify(brg(2e6, 15.0), METHOD)
    with pytest.raises(ValueError, match=r"500 keV: it must lie between 30 and 400 keV$"):
        quantify(brg(2e6, 500.0), METHOD)


# the matrix


def test_a_factor_set_by_hand_leaves_the_matrix_the_share_of_its_own_areas() -> None:
    fp = Spectrum(TRUTH.spectra[1], TRUTH.axis, 200.0, 22.0).between(0.3, 20.0).counts
    matrix = quantify(brg(2e5), METHOD).fit
    mixed = Spectrum(brg(3e5).counts + 6e5 * fp, matrix.spectrum.axis, 200.0, 22.0)
    mixture = quantify(mixed, METHOD).fit
    done = subtract(mixture, matrix, "Si", "K", factor=1.2)
    shares = matrix_variance_share(mixture, matrix, "Si", done)
    index = mixture.find("Mg", "K")
    assert index is not None
    of_matrix = 1.2**2 * matrix.covariance[index, index]
    by_hand = of_matrix / (of_matrix + mixture.covariance[index, index])
    assert shares["Mg Ka"] == pytest.approx(by_hand, rel=1e-12)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The demo of 64 x 64 pixels with all its results."""
    path = tmp_path_factory.mktemp("demo") / "demo.hspy"
    simulate_to(path, None, lambda _: None, size=64, counts_per_pixel=160.0, seed=0, layout=0)
    recipe = demo_recipe(64)
    entry = changed(recipe.maps[0], file=str(path))
    session = Session(STEPS, changed(recipe, maps=(entry,)))
    run_all(session)
    assert not session.failures()
    return session


def separated(done: Session, matrix_pixels: int | None) -> MapPhases:
    """The demo separated with `matrix_pixels` of its matrix, the others excluded."""
    recipe, data = done.recipe, done.result("read", "demo")
    masks = done.result("masks", "demo")
    part = masks.partition
    kept = part.matrix.copy()
    if matrix_pixels is not None:
        kept.ravel()[np.flatnonzero(part.matrix)[matrix_pixels:]] = False
    part = replace(part, matrix=kept, excluded=part.excluded | (part.matrix & ~kept))
    method = method_of(recipe.sample, recipe.quantification, recipe.detector)
    return separate(
        lambda _: None,
        recipe.precipitates,
        recipe.sample,
        None,
        method,
        data,
        replace(masks, partition=part),
    )


def test_a_matrix_of_few_pixels_is_told_with_its_counts(done: Session) -> None:
    def told_of_matrix(phases: MapPhases) -> list[str]:
        return [w for w in phases.warnings if "more than half of the variance" in w]

    assert told_of_matrix(separated(done, None)) == []
    few = separated(done, 80)
    sentences = told_of_matrix(few)
    assert [s.split(" on map")[0] for s in sentences] == ["Fp", "CaPv"]
    counts = few.matrix.fit.spectrum.counts.sum()
    for sentence in sentences:
        assert f"that was subtracted, {counts:,.0f} counts in all" in sentence
        assert "map more of the pure matrix, or exclude less of it" in sentence


def test_a_negative_stretch_is_told_with_its_remedy(done: Session) -> None:
    right = done.result("subtraction", "demo").subtractions["Fp"].factor
    fp, capv = done.recipe.precipitates
    session = done.snapshot()
    session.change(changed(done.recipe, precipitates=(changed(fp, factor=1.2 * right), capv)))
    run_all(session, go_on=True)
    warnings = session.result("subtraction", "demo").warnings
    (sentence,) = [w for w in warnings if "negative beyond 3 sigma" in w]
    assert sentence.startswith("Fp on map")
    assert "choose another absent element, or set a smaller factor" in sentence


# the shape of the background


@pytest.mark.parametrize("foil", [None, Foil(117.0, 4.1, 22.0)])
def test_the_spread_of_a_composition_is_that_of_fits_made_anew(
    foil: Foil | None, rng: np.random.Generator
) -> None:
    mean = brg(2e6)
    spectrum = replace(mean, counts=rng.poisson(mean.counts).astype(float))
    found = quantify(spectrum, METHOD, foil)
    told_spread = composition_spread(found, SYSTEM, Detector())
    weights = {row.element: (row.weight_percent or 0.0) / 100 for row in found.rows}
    anew = background_spread(
        spectrum,
        (*TRUTH.elements, *SYSTEM),
        detector=Detector(),
        foil=foil,
        weight_fractions=weights if foil else None,
    )
    assert list(told_spread) == list(TRUTH.elements)
    for element, (counts, sigmas) in told_spread.items():
        expected = anew.of(element, found.fit.family_of(element) or "")
        assert expected is not None
        assert sigmas == pytest.approx(expected[1], abs=0.02)
        assert counts / sigmas == pytest.approx(found[element].net_sigma)


def test_a_subtracted_spectrum_keeps_its_calibration_and_its_absent_element_has_no_spread(
    done: Session,
) -> None:
    entries = done.result("quantification").entries
    for entry, spread in zip(entries, done.result("background_spread").spreads, strict=True):
        subtracted = entry.composition.fit.spectrum.covariance is not None
        assert ("Si" in spread) == (not subtracted or entry.phase != "Fp")
        assert all(0 <= counts < 1e6 and sigmas < 1 for counts, sigmas in spread.values())


def test_a_background_that_moves_an_area_by_more_than_its_sigma_is_told() -> None:
    sentence = spread_sentence({"O": (10.0, 0.2), "Nd": (30.0, 1.4), "U": (9.0, 1.04)})
    assert sentence is not None
    assert "moves the net counts of Nd (1.4 sigma), U (1.0 sigma) by more than" in sentence
    assert "energy_range_keV" in sentence
    assert spread_sentence({"O": (10.0, 0.2)}) is None


def test_the_warning_is_raised_by_a_continuum_that_no_shape_describes() -> None:
    """A broad hump, 1 keV wide, under the M lines of uranium: each shape makes something else."""
    mean = brg(2.7e7)
    hump = 6e4 * np.exp(-0.5 * ((mean.axis.centres - 3.3) / 0.5) ** 2)
    found = quantify(replace(mean, counts=mean.counts + hump), METHOD)
    sentence = spread_sentence(composition_spread(found, SYSTEM, Detector()))
    assert sentence is not None
    assert "sigma)" in sentence


def test_a_spectrum_that_no_other_background_fits_is_told_and_ends_nothing(
    done: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("too few counts")

    monkeypatch.setattr("endmember.session.steps.background_spreads.composition_spread", refuse)
    found = done.result("quantification")
    spreads = background_spreads(silent, found, SYSTEM, Detector(), Artefacts())
    assert spreads.spreads == ({},) * len(found.entries)
    assert spreads.warnings[0] == (
        "Brg mask demo: no other background could be fitted: too few counts"
    )


# values that are no counts


@pytest.mark.parametrize("factor", [0.1, 1e-3])
def test_a_scaled_spectrum_is_said_to_be_no_counts(factor: float) -> None:
    counts = brg(2e6)
    found = quantify(replace(counts, counts=factor * counts.counts), METHOD)
    (sentence,) = [w for w in found.warnings if "scatters less than counts do" in w]
    assert "scaled, smoothed or averaged" in sentence
    drawn = np.random.default_rng(4).poisson(counts.counts).astype(float)
    as_counted = quantify(replace(counts, counts=drawn), METHOD)
    assert not any("scatters less" in w for w in as_counted.warnings)


def test_a_smoothed_spectrum_is_said_to_be_no_counts() -> None:
    counts = brg(2e6)
    drawn = np.random.default_rng(5).poisson(counts.counts).astype(float)
    smooth = np.convolve(drawn, np.full(5, 0.2), "same")
    found = quantify(replace(counts, counts=smooth), METHOD)
    assert any("scatters less than counts do" in w for w in found.warnings)


def test_a_phase_name_that_is_nearly_right_is_pointed_at(done: Session) -> None:
    sample = changed(
        done.recipe.sample,
        density_g_cm3=Densities({"Bgr": 4.1, "Fp": 3.6, "CaPv": 4.0, "Olivine": 3.2}),
        formula_unit=FormulaBases({"brg": "3 O"}),
    )
    session = done.snapshot()
    session.change(changed(done.recipe, sample=sample))
    said = [r.sentence for r in remarks(session) if "which is no phase" in r.sentence]
    assert said == [
        'density_g_cm3 names "Bgr", which is no phase: is Brg meant?',
        'formula_unit names "brg", which is no phase: is Brg meant?',
    ]
