"""The spectrum of another program, espm 1.1.3, fitted with that program's own columns.

`G` holds in its first nine columns what one atom of each element emits, as that program has it, all
on one scale; two laws of bremsstrahlung follow. Its lines are Gaussians of another width, sampled
and not integrated, and each element is absorbed by itself alone, so that no table of lines and no
foil of this program makes the same columns. Its spectrum is those columns times the atomic
fractions, plus

    (b0 (E0 - E) / (E0 E) (1 - (E0 - E) / E0) + b1 (E0 - E)^2 / (E0^2 E)) x detector x absorption

with the absorption of the true composition, whose atomic fractions it takes for weight fractions.
The two laws in `G` stand for a composition of equal parts instead: hence that program's own errors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.fit_background import Background
from endmember.core.fitting.spectrum_fit import Foil, SpectrumFit, fit_shapes
from endmember.core.quantification.cliff_lorimer import Method, quantify
from endmember.core.quantification.closure import Shares, shares
from endmember.core.xrays.absorption import absorption_factor
from endmember.core.xrays.detector import Detector, DetectorCurve

BEAM_keV = 200.0
FOIL = Foil(117.0, 4.1, 18.0)
LOWEST_keV = 0.3  # where fits begin by default
# both laws are sums of 1/E, 1 and E
ITS_LAWS = Background(orders=0, further=0, powers=(-1, 0, 1), unabsorbed=False)
# by so much (%) that program's own answer to its noisy spectrum is too low
FAULTS = {"Fe": 4.0, "Nd": 11.0, "U": 34.0}
TRACES = ("Nd", "Sm", "U")


@dataclass(frozen=True)
class CaseB:
    """The reference: spectra (channels,), columns by element, truth and answers in at.%."""

    axis: EnergyAxis
    clean: FloatArray
    lines_only: FloatArray
    noisy: FloatArray
    columns: dict[str, FloatArray]
    continuum: FloatArray
    b: tuple[float, float]
    truth: FloatArray
    answers: dict[str, FloatArray]

    @property
    def elements(self) -> tuple[str, ...]:
        return tuple(self.columns)

    @property
    def counts(self) -> float:
        """Counts in the noisy spectrum for each unit of the clean one."""
        return float(self.noisy.sum() / self.clean.sum())

    def off(self, percent: FloatArray) -> dict[str, float]:
        """Relative deviations from the truth by element."""
        return dict(zip(self.elements, (percent / self.truth - 1).tolist(), strict=True))


@pytest.fixture(scope="module")
def case_b(shared: Path) -> CaseB:
    folder = shared / "data" / "reference"
    stated = json.loads((folder / "case_B_espm.json").read_text("utf-8"))
    with np.load(folder / "case_B_espm.npz") as arrays:
        energies, table = arrays["energy_keV"], arrays["G"] * arrays["norm"]
        elements = tuple(arrays["elements"].tolist())
        step = float(energies[1] - energies[0])
        return CaseB(
            axis=EnergyAxis(float(energies[0]), step, len(energies)),
            clean=arrays["spectrum"],
            lines_only=arrays["spectrum_no_bkg"],
            noisy=arrays["noisy"],
            columns={e: table[:, i] / arrays["norm"][0] for i, e in enumerate(elements)},
            continuum=table[:, -2:],
            b=(stated["b0"], stated["b1"]),
            truth=np.array([stated["truth_atomic"][e] for e in elements]),
            answers={
                name: np.array([found[e] for e in elements])
                for name, found in stated.items()
                if name.startswith("espm_nnls")
            },
        )


def laws(axis: EnergyAxis) -> FloatArray:
    """The two laws of bremsstrahlung, before detector and absorption, shape (channels, 2)."""
    e, left = axis.centres, BEAM_keV - axis.centres
    first = left / (BEAM_keV * e) * (1 - left / BEAM_keV)
    return np.column_stack([first, left**2 / (BEAM_keV**2 * e)])


def detector_of(case_b: CaseB, response: FloatArray) -> Detector:
    """A detector with the response (channels,) as its curve; its scale has no meaning here."""
    scaled = response / response.max()
    energies = case_b.axis.centres
    return Detector(curve=DetectorCurve("espm", tuple(energies.tolist()), tuple(scaled.tolist())))


@pytest.fixture(scope="module")
def whole(case_b: CaseB) -> Detector:
    """Detector and absorption of the spectrum's continuum in one curve, as that program has it."""
    return detector_of(
        case_b, (case_b.clean - case_b.lines_only) / (laws(case_b.axis) @ np.array(case_b.b))
    )


def fitted(
    case_b: CaseB,
    counts: FloatArray,
    detector: Detector,
    absorber: Mapping[str, float] | None = None,
    background: Background | None = None,
) -> SpectrumFit:
    spectrum = Spectrum(np.array(counts, float), case_b.axis, BEAM_keV, 18.0)
    inside = case_b.axis.span(LOWEST_keV, 20.0)
    return fit_shapes(
        spectrum.between(LOWEST_keV, 20.0),
        {element: column[inside] for element, column in case_b.columns.items()},
        detector=detector,
        foil=FOIL if absorber else None,
        weight_fractions=absorber,
        background=background,
    )


def composition(fit: SpectrumFit) -> Shares:
    """In at.%: areas are atoms, since the columns are what one atom emits."""
    none = np.zeros(len(fit.areas))
    return shares(fit.areas, fit.covariance, none, np.ones(len(fit.areas)))


def pulls(case_b: CaseB, found: Shares) -> dict[str, float]:
    """Deviations from the truth in units of their sigma, by element."""
    off = (found.percent - case_b.truth) / found.sigma
    return dict(zip(case_b.elements, off.tolist(), strict=True))


def by_its_continuum(case_b: CaseB, counts: FloatArray) -> Shares:
    """As a user of that program may: its detector from its columns, our absorption, iterated.

    The two laws in the table, less what our coefficients say of equal parts, leave the detector.
    The absorber is the composition found, its atomic fractions taken for weights as there.
    """
    absorber = dict.fromkeys(case_b.elements, 1.0 / len(case_b.elements))
    equal = absorption_factor(
        absorber, case_b.axis.centres, FOIL.thickness_nm, FOIL.density_g_cm3, 18.0
    )
    detector = detector_of(case_b, case_b.continuum[:, 1] / laws(case_b.axis)[:, 1] / equal)
    for _ in range(4):
        found = composition(fitted(case_b, counts, detector, absorber))
        absorber = dict(zip(case_b.elements, (found.percent / 100).tolist(), strict=True))
    return found


def test_its_columns_are_atoms_and_its_laws_are_those_of_lifshin(case_b: CaseB) -> None:
    """What the module says of `G`, from the numbers."""
    emitted = np.column_stack(list(case_b.columns.values())) @ case_b.truth
    np.testing.assert_allclose(
        emitted / emitted.sum(), case_b.lines_only, atol=1e-12 * case_b.lines_only.max()
    )
    both = case_b.continuum / laws(case_b.axis)
    np.testing.assert_allclose(both[:, 0], both[:, 1], rtol=1e-9)


def test_lines_without_background_give_the_truth(case_b: CaseB, whole: Detector) -> None:
    """With all terms of the background in the model: there is none, and none is found."""
    for detector in (Detector(), whole):
        fit = fitted(case_b, case_b.lines_only * case_b.counts, detector)
        np.testing.assert_allclose(composition(fit).percent, case_b.truth, rtol=1e-5)
        assert np.abs(fit.background).max() < 1e-5 * fit.fitted.max()


def test_the_noise_free_spectrum_gives_the_truth(case_b: CaseB, whole: Detector) -> None:
    """Every element, U with its 0.01 at.% too, where the continuum is what that program says."""
    fit = fitted(case_b, case_b.clean * case_b.counts, whole, background=ITS_LAWS)
    assert fit.converged
    np.testing.assert_allclose(composition(fit).percent, case_b.truth, rtol=1e-5)


def test_our_background_costs_the_noise_free_spectrum_a_tenth_of_a_sigma(
    case_b: CaseB, whole: Detector
) -> None:
    """The continuum is not told its law: five orders of ln E and 1/E^3 have to find it."""
    found = composition(fitted(case_b, case_b.clean * case_b.counts, whole))
    for element, off in case_b.off(found.percent).items():
        assert abs(off) < (4e-3 if element in TRACES else 1e-4), element
        assert abs(pulls(case_b, found)[element]) < 0.1, element


def test_without_knowing_its_absorption_the_noise_free_traces_beat_its_own(case_b: CaseB) -> None:
    """Its own answers are off by Fe -5.8, Nd -66, Sm -54, U -88 %."""
    found = case_b.off(by_its_continuum(case_b, case_b.clean * case_b.counts).percent)
    its_own = case_b.off(case_b.answers["espm_nnls_noisefree"])
    for element in ("Fe", *TRACES):
        assert abs(found[element]) < 0.2 * abs(its_own[element]), element
    assert all(abs(off) < 0.005 for e, off in found.items() if e not in TRACES)


def test_its_own_answers_are_off_as_stated(case_b: CaseB) -> None:
    its_own = case_b.off(case_b.answers["espm_nnls_noisy"])
    for element, fault in FAULTS.items():
        assert 100 * its_own[element] == pytest.approx(-fault, abs=0.5)


@pytest.mark.parametrize("knowing", ["its response", "its continuum columns"])
def test_with_noise_iron_neodymium_and_uranium_are_nearer_the_truth(
    case_b: CaseB, whole: Detector, knowing: str
) -> None:
    if knowing == "its response":
        found = composition(fitted(case_b, case_b.noisy, whole))
    else:
        found = by_its_continuum(case_b, case_b.noisy)
    off = case_b.off(found.percent)
    for element, fault in FAULTS.items():
        assert 100 * abs(off[element]) < fault, element
        assert abs(pulls(case_b, found)[element]) < 3.0, element


@pytest.mark.parametrize("background", [None, ITS_LAWS])
def test_with_noise_every_element_is_within_three_sigma(
    case_b: CaseB, whole: Detector, background: Background | None
) -> None:
    fit = fitted(case_b, case_b.noisy, whole, background=background)
    assert fit.converged
    assert 0.9 < fit.reduced_chi_squared < 1.1
    found = composition(fit)
    assert max(map(abs, pulls(case_b, found).values())) < 3.0
    assert all(abs(o) < 0.003 for e, o in case_b.off(found.percent).items() if e not in TRACES)


def test_other_draws_of_the_noise_scatter_about_the_truth_by_the_sigma_of_the_fit(
    case_b: CaseB, whole: Detector, rng: np.random.Generator
) -> None:
    """The one draw in the reference makes Nd 10 % too high, 2.1 sigma: that is no bias of the fit.

    With the very law of the continuum it is 11.5 %, 2.5 sigma: no fit can be blamed for it.
    """
    mean = case_b.clean * case_b.counts
    draws = [composition(fitted(case_b, rng.poisson(mean).astype(float), whole)) for _ in range(30)]
    off = np.array([list(pulls(case_b, found).values()) for found in draws])
    # the mean of 30 has an error of 0.18 sigma, their standard deviation one of 13 %
    assert np.abs(off.mean(axis=0)).max() < 4 / np.sqrt(30)
    assert off.std(axis=0, ddof=1).min() > 0.6
    assert off.std(axis=0, ddof=1).max() < 1.5


def test_with_our_own_lines_the_program_says_that_they_do_not_explain_it(case_b: CaseB) -> None:
    """Other widths, other cross sections, each element absorbed by itself: chi-squared is 18."""
    spectrum = Spectrum(case_b.noisy.copy(), case_b.axis, BEAM_keV, 18.0).between(LOWEST_keV, 20.0)
    result = quantify(spectrum, Method(case_b.elements), FOIL)
    assert any(sentence.startswith("reduced chi-squared 1") for sentence in result.warnings)
