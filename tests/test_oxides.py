"""Weight and oxide percent with their errors: stoichiometry, finite differences, redrawn areas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.quantification.cliff_lorimer import Composition, Method, composition_of
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import GivenFactor
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.core.xrays.lines import atomic_mass, family_lines
from endmember.core.xrays.oxides import oxide_formula, oxide_mass

AXIS = EnergyAxis(0.3, 0.01, 900)
ELEMENTS = ("O", "Mg", "Al", "Si", "Cl", "Fe")
AREAS = {"O": 3.1e5, "Mg": 1.2e5, "Al": 1.5e4, "Si": 1.1e5, "Cl": 3e3, "Fe": 2.2e4}
# each count of an alpha line is one atom, so that areas are atoms
ATOMS = {element: GivenFactor("K", 1.0, "atomic") for element in ELEMENTS}
RELATIVE = {"O": 0.10, "Mg": 0.05, "Al": 0.05, "Si": 0.05, "Cl": 0.05, "Fe": 0.05}
CATIONS = ("Mg", "Al", "Si", "Fe")


@pytest.fixture(scope="module")
def fit() -> SpectrumFit:
    columns = []
    for element in ELEMENTS:
        lines = family_lines(element, "K", 200.0)
        weights = np.array([line.cross_section_cm2 for line in lines])
        weights /= weights[[line.alpha for line in lines]].sum()
        columns.append((np.array([line.energy_keV for line in lines]), weights))
    shapes, _ = LineSet.of_columns(columns).shapes(AXIS, Calibration())
    mean = 800 * Detector().efficiency(AXIS.centres) / AXIS.centres
    mean = mean + shapes @ np.array([AREAS[element] for element in ELEMENTS])
    counts = np.random.default_rng(11).poisson(mean).astype(float)
    return fit_spectrum(Spectrum(counts, AXIS, 200.0, 22.0), ELEMENTS, detector=Detector())


def where(fit: SpectrumFit, elements: tuple[str, ...] = ELEMENTS) -> list[int]:
    found = [fit.find(element, "K") for element in elements]
    assert None not in found
    return [index for index in found if index is not None]


def composed(
    fit: SpectrumFit, atoms: dict[str, float], elements: tuple[str, ...] = ELEMENTS
) -> Composition:
    """The composition with areas that are these numbers of atoms."""
    areas = fit.areas.copy()
    areas[where(fit, tuple(atoms))] = list(atoms.values())
    return composition_of(replace(fit, areas=areas), Method(elements, given=ATOMS))


def values(composition: Composition, field: str, elements: tuple[str, ...]) -> FloatArray:
    return np.array([getattr(composition[e], field) for e in elements], dtype=float)


def oxide_percent(atoms: FloatArray) -> FloatArray:
    """Of MgO, Al2O3, SiO2 and FeO by the masses of their formulas (..., 4)."""
    masses = np.array([40.304, 101.961 / 2, 60.084, 71.844])
    grams = atoms * masses
    return np.asarray(100 * grams / grams.sum(axis=-1, keepdims=True))


def weight_percent(atoms: FloatArray) -> FloatArray:
    grams = atoms * [atomic_mass(element) for element in ELEMENTS]
    return np.asarray(100 * grams / grams.sum(axis=-1, keepdims=True))


def test_enstatite_is_forty_percent_magnesia_and_sixty_percent_silica(fit: SpectrumFit) -> None:
    found = composed(fit, {"O": 3e5, "Mg": 1e5, "Si": 1e5}, ("O", "Mg", "Si"))
    assert found["Mg"].oxide == "MgO"
    assert found["Mg"].oxide_percent == pytest.approx(40.15, abs=0.005)
    assert found["Si"].oxide == "SiO2"
    assert found["Si"].oxide_percent == pytest.approx(59.85, abs=0.005)
    assert (found["O"].oxide, found["O"].oxide_percent) == (None, None)


def test_oxides_do_not_depend_on_the_oxygen_that_was_measured(fit: SpectrumFit) -> None:
    plain, doubled = composed(fit, AREAS), composed(fit, {**AREAS, "O": 2 * AREAS["O"]})
    for field in ("oxide_percent", "oxide_percent_sigma", "oxide_percent_systematic"):
        np.testing.assert_allclose(
            values(plain, field, CATIONS), values(doubled, field, CATIONS), rtol=1e-12
        )


def test_oxides_of_several_cations_follow_from_their_formulas(fit: SpectrumFit) -> None:
    found = composed(fit, AREAS)
    expected = oxide_percent(np.array([AREAS[element] for element in CATIONS]))
    np.testing.assert_allclose(values(found, "oxide_percent", CATIONS), expected, rtol=1e-4)
    assert found["Cl"].oxide is None  # chlorine is a measured element, but no cation
    assert found["Cl"].oxide_percent is None


@pytest.mark.parametrize(
    ("element", "formula"),
    [
        ("Na", "Na2O"), ("Mg", "MgO"), ("Al", "Al2O3"), ("Si", "SiO2"), ("P", "P2O5"),
        ("K", "K2O"), ("Ca", "CaO"), ("Ti", "TiO2"), ("Cr", "Cr2O3"), ("Mn", "MnO"), ("Fe", "FeO"),
        ("Nd", "Nd2O3"), ("U", "UO2"), ("S", "SO3"), ("Nb", "Nb2O5"),
        ("O", None), ("F", None), ("Cl", None), ("Ar", None), ("Au", None), ("N", None),
    ],
)  # fmt: skip
def test_usual_oxides_are_those_of_mineral_analyses(element: str, formula: str | None) -> None:
    assert oxide_formula(element) == formula


def test_oxide_masses_are_per_atom_of_the_element() -> None:
    assert oxide_mass("Al") == pytest.approx(101.961 / 2, rel=1e-4)
    assert oxide_mass("P") == pytest.approx(141.943 / 2, rel=1e-4)
    assert oxide_mass("U") == pytest.approx(270.03, rel=1e-4)
    with pytest.raises(ValueError, match="Cl has no usual oxide"):
        oxide_mass("Cl")


def test_statistical_errors_follow_from_finite_differences(fit: SpectrumFit) -> None:
    found = composed(fit, AREAS)
    atoms = np.array([AREAS[element] for element in ELEMENTS])
    cations = [ELEMENTS.index(element) for element in CATIONS]
    covariance = fit.covariance[np.ix_(where(fit), where(fit))]
    slopes = [
        (oxide_percent((atoms + step)[cations]) - oxide_percent((atoms - step)[cations])) / 2
        for step in np.eye(len(ELEMENTS))
    ]
    jacobian = np.array(slopes).T
    expected = np.sqrt(np.diag(jacobian @ covariance @ jacobian.T))
    np.testing.assert_allclose(values(found, "oxide_percent_sigma", CATIONS), expected, rtol=1e-3)


def test_statistical_errors_are_the_scatter_of_redrawn_areas(
    fit: SpectrumFit, rng: np.random.Generator
) -> None:
    found = composed(fit, AREAS)
    atoms = np.array([AREAS[element] for element in ELEMENTS])
    drawn = rng.multivariate_normal(atoms, fit.covariance[np.ix_(where(fit), where(fit))], 6000)
    cations = [ELEMENTS.index(element) for element in CATIONS]
    scatter = oxide_percent(drawn[:, cations]).std(axis=0)
    np.testing.assert_allclose(scatter, values(found, "oxide_percent_sigma", CATIONS), rtol=0.05)
    scatter = weight_percent(drawn).std(axis=0)
    np.testing.assert_allclose(scatter, values(found, "weight_percent_sigma", ELEMENTS), rtol=0.05)


def test_systematic_errors_are_the_scatter_of_redrawn_k_factors(
    fit: SpectrumFit, rng: np.random.Generator
) -> None:
    found = composed(fit, AREAS)
    atoms = np.array([AREAS[element] for element in ELEMENTS])
    relative = np.array([RELATIVE[element] for element in ELEMENTS])
    drawn = atoms * (1 + relative * rng.normal(size=(20000, len(ELEMENTS))))
    stated = values(found, "weight_percent_systematic", ELEMENTS)
    np.testing.assert_allclose(weight_percent(drawn).std(axis=0), stated, rtol=0.06)
    cations = [ELEMENTS.index(element) for element in CATIONS]
    stated = values(found, "oxide_percent_systematic", CATIONS)
    np.testing.assert_allclose(oxide_percent(drawn[:, cations]).std(axis=0), stated, rtol=0.06)


def test_the_limit_of_detection_by_weight_is_three_blank_sigmas_of_weight(
    fit: SpectrumFit,
) -> None:
    found = composed(fit, AREAS)
    grams = sum(AREAS[element] * atomic_mass(element) for element in ELEMENTS)
    for element in ("Al", "Cl", "Fe"):
        (index,) = where(fit, (element,))
        blank = found.fit.sigma_without(index)
        by_hand = 3e6 * blank * atomic_mass(element) / grams
        assert found[element].lod_weight_ppm == pytest.approx(by_hand, rel=1e-10)


def test_a_negative_trace_stays_in_the_sum_of_the_oxides(fit: SpectrumFit) -> None:
    found = composed(fit, {**AREAS, "Al": -200.0})
    assert (found["Al"].oxide_percent or 0.0) < 0
    assert values(found, "oxide_percent", CATIONS).sum() == pytest.approx(100.0)


def test_without_cations_there_are_no_oxide_percents(fit: SpectrumFit) -> None:
    for found in (
        composed(fit, {"O": 3e5, "Cl": 1e5}, ("O", "Cl")),
        composed(fit, {"O": 3e5, "Fe": -50.0}, ("O", "Fe")),
    ):
        assert {row.oxide_percent for row in found.rows} == {None}


def test_the_absent_element_is_no_oxide_and_the_others_close_without_it(fit: SpectrumFit) -> None:
    found = composition_of(fit, Method(ELEMENTS, given=ATOMS), absent="Si")
    assert (found["Si"].oxide, found["Si"].oxide_percent) == ("SiO2", 0.0)
    assert found["Si"].oxide_percent_sigma is None
    assert values(found, "oxide_percent", ("Mg", "Al", "Fe")).sum() == pytest.approx(100.0)
