"""What the shape of the background alone can move, and the shapes themselves."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.counts.spectrum import FloatArray, Spectrum
from endmember.core.fitting.fit_background import Background
from endmember.core.fitting.spectrum_fit import Foil, SpectrumFit, fit_spectrum
from endmember.core.quantification.background_spread import BACKGROUNDS, background_spread
from endmember.core.simulation.simulated_map import expected_truth, weight_fractions
from endmember.core.simulation.specimens import PHASES
from endmember.core.xrays.detector import Detector

SYSTEM = ("Cu", "Co", "Ga", "C")
COUNTS = 2e6


def matrix(counts: float = COUNTS) -> tuple[Spectrum, dict[str, float]]:
    """The expected spectrum of the demo's matrix, and the alpha areas in it."""
    truth = expected_truth(8)
    whole = counts * (0.96 * truth.spectra[0] + 0.04 * truth.system_spectrum)
    areas = 0.96 * counts * truth.alpha_share[0]
    spectrum = Spectrum(whole, truth.axis, 200.0, 22.0).between(0.3, 20.0)
    return spectrum, dict(zip(truth.elements, areas.tolist(), strict=True))


def fitted(spectrum: Spectrum, background: Background) -> SpectrumFit:
    phase = PHASES[0]
    return fit_spectrum(
        spectrum,
        (*phase.atomic_percent, *SYSTEM),
        detector=Detector(),
        foil=Foil(117.0, phase.density_g_cm3, 22.0),
        weight_fractions=weight_fractions(phase.atomic_percent),
        background=background,
    )


def worst_bias(background: Background, counts: float = COUNTS) -> float:
    """The largest departure of an area from the truth in sigma, without any noise."""
    spectrum, areas = matrix(counts)
    fit = fitted(spectrum, background)
    off = []
    for element, true in areas.items():
        index = fit.find(element, fit.family_of(element) or "")
        assert index is not None
        off.append((fit.areas[index] - true) / np.sqrt(fit.covariance[index, index]))
    return float(np.max(np.abs(off)))


@pytest.mark.parametrize("name", list(BACKGROUNDS))
def test_each_background_describes_a_continuum_of_a_fractional_power(name: str) -> None:
    assert worst_bias(BACKGROUNDS[name]) < 0.12


def test_three_powers_alone_do_not() -> None:
    assert worst_bias(Background(0, 0, (-1, 0, 1), (), unabsorbed=False)) > 0.5


def test_a_stiff_background_shows_in_the_spread() -> None:
    spectrum, _ = matrix()
    phase = PHASES[0]
    stiff = Background(0, 0, (-1, 0, 1), (), unabsorbed=False)

    def spread(backgrounds: dict[str, Background]) -> FloatArray:
        return background_spread(
            spectrum,
            (*phase.atomic_percent, *SYSTEM),
            detector=Detector(),
            foil=Foil(117.0, phase.density_g_cm3, 22.0),
            weight_fractions=weight_fractions(phase.atomic_percent),
            backgrounds=backgrounds,
        ).relative_spread

    assert spread(dict(BACKGROUNDS)).max() < 0.5
    assert spread({**BACKGROUNDS, "stiff": stiff}).max() > 0.5


def test_the_spread_is_the_largest_area_less_the_smallest(rng: np.random.Generator) -> None:
    expected, areas = matrix()
    counts = rng.poisson(expected.counts).astype(float)
    spectrum = Spectrum(counts, expected.axis, 200.0, 22.0)
    found = background_spread(spectrum, (*areas, *SYSTEM), detector=Detector())
    assert found.backgrounds == tuple(BACKGROUNDS)
    for name, fit in zip(found.backgrounds, found.fits, strict=True):
        again = fit_spectrum(
            spectrum, (*areas, *SYSTEM), detector=Detector(), background=BACKGROUNDS[name]
        )
        np.testing.assert_array_equal(fit.areas, again.areas)
    index = found.fits[0].find("U", "M")
    assert index is not None
    three = [float(fit.areas[index]) for fit in found.fits]
    sigma = float(np.sqrt(found.fits[0].covariance[index, index]))
    told = found.of("U", "M")
    assert told == pytest.approx((max(three) - min(three), (max(three) - min(three)) / sigma))
    assert found.of("Zn", "K") is None


def test_one_background_has_no_spread() -> None:
    spectrum, _ = matrix()
    with pytest.raises(ValueError, match="two backgrounds or more"):
        background_spread(spectrum, ("Si",), detector=Detector(), backgrounds={"one": Background()})


def test_the_orders_are_legendre_polynomials_in_the_logarithm_over_the_energy() -> None:
    energies = np.geomspace(0.3, 20.0, 41)
    ones = np.ones(41)
    terms = Background(3, 0, (), ()).terms(energies, ones, None)
    x = np.linspace(-1, 1, 41)
    scaled = energies / np.sqrt(0.3 * 20.0)
    expected = np.stack([1 / scaled, x / scaled, (1.5 * x**2 - 0.5) / scaled], axis=1)
    np.testing.assert_allclose(terms, expected, atol=1e-12)


def test_terms_carry_efficiency_and_absorption_but_for_the_unabsorbed_one() -> None:
    energies = np.linspace(0.3, 20.0, 100)
    efficiency, escaping = np.linspace(0.5, 1.0, 100), np.linspace(0.2, 0.9, 100)
    background = Background(2, 0, (-3, 1), (0.2,))
    bare = background.terms(energies, np.ones(100), None)
    terms = background.terms(energies, efficiency, escaping)
    assert terms.shape == (100, 1 + bare.shape[1])
    np.testing.assert_allclose(terms[:, 1:], bare * (efficiency * escaping)[:, None])
    np.testing.assert_allclose(terms[:, 0] / efficiency * energies, terms[0, 0] / 0.5 * 0.3)


def test_one_order_more_is_one_more_column_at_the_end() -> None:
    energies, ones = np.linspace(0.3, 20.0, 100), np.ones(100)
    background = Background()
    fewer = background.terms(energies, ones, ones)
    more = background.with_one_order_more().terms(energies, ones, ones)
    np.testing.assert_allclose(more[:, :-1], fewer)
    assert more.shape[1] == fewer.shape[1] + 1
    assert background.most_terms == fewer.shape[1] + background.further


def test_a_continuum_from_elsewhere_costs_no_bias() -> None:
    """Half as much continuum again that did not pass through the foil, and its oxygen edge."""
    spectrum, areas = matrix(27e6)
    energies = spectrum.axis.centres
    second = 1 / energies**1.1 * Detector().efficiency(energies)
    second *= 0.075 * 27e6 / second.sum()
    both = Spectrum(spectrum.counts + second, spectrum.axis, 200.0, 22.0)
    with_term = fitted(both, Background())
    without = fitted(both, Background(unabsorbed=False))
    index = with_term.find("Al", "K")
    assert index is not None
    sigma = float(np.sqrt(with_term.covariance[index, index]))
    assert abs(with_term.areas[index] - areas["Al"]) < 0.3 * sigma
    assert abs(without.areas[index] - areas["Al"]) > 0.3 * sigma
