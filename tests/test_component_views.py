"""What is computed for the page of the components, against slow plain versions."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.unmixing.decomposition import Decomposition
from endmember.session.decisions import edits
from endmember.session.views.component_views import (
    component_views,
    convergence_sentence,
    energy_map,
    loss_curve,
    proposed_role,
    users,
    whole_spectrum,
)
from page_stage import NAME, SIZE, Prepared, prepared_demo


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared_demo(tmp_path_factory.mktemp("demo"))


def test_shares_and_normalised_spectra_follow_from_maps_and_spectra(prepared: Prepared) -> None:
    decomposed, data = prepared.result("decomposition"), prepared.result("read")
    views = component_views(decomposed, data, 0.0)
    maps = decomposed.maps_of(NAME)
    np.testing.assert_allclose([v.share for v in views], maps.sum(axis=(1, 2)) / maps.sum())
    for view in views:
        assert view.spectrum.max() == 1.0
        np.testing.assert_array_equal(view.shown, maps[view.number])


def test_a_component_without_calcium_has_a_ditch_at_its_line(prepared: Prepared) -> None:
    decomposed, data = prepared.result("decomposition"), prepared.result("read")
    views = component_views(decomposed, data, 0.0)
    calcium = prepared.result("masks").components["CaPv"]
    assert views[calcium].ditches == ()
    # of so few counts, noise decides whether the other component falls to a quarter as well
    found = [ditch for view in views if view.number != calcium for ditch in view.ditches]
    assert any(low < 3.69 < high for low, high in found)


def test_a_smoothed_map_is_only_for_the_eye(prepared: Prepared) -> None:
    decomposed, data = prepared.result("decomposition"), prepared.result("read")
    view = component_views(decomposed, data, 2.0)[0]
    np.testing.assert_array_equal(view.counts, decomposed.maps_of(NAME)[0])
    assert view.shown.std() < 0.5 * view.counts.std()


def test_the_map_of_an_energy_holds_the_counts_of_its_window(prepared: Prepared) -> None:
    data = prepared.result("read")
    found = energy_map(data, 1.74, 0.0)
    image, slow = data.image, np.zeros((SIZE, SIZE))
    energies = image.axis.centres[image.channels]
    inside = (energies >= found.window.low_keV) & (energies < found.window.high_keV)
    pixels = np.repeat(np.arange(SIZE * SIZE), np.diff(image.starts))
    np.add.at(slow.ravel(), pixels[inside], image.counts[inside])
    np.testing.assert_array_equal(found.counts, slow)
    assert found.window.low_keV < 1.74 < found.window.high_keV


def test_the_spectrum_of_the_whole_map_is_normalised_to_its_peak(prepared: Prepared) -> None:
    data = prepared.result("read")
    counts = np.bincount(data.image.channels, data.image.counts, data.image.axis.channels)
    np.testing.assert_allclose(whole_spectrum(data), counts / counts.max())


def test_the_loss_curve_is_told_in_per_cent_above_the_last_value() -> None:
    found = Decomposition((), np.empty((0, 0)), np.array([300.0, 220.0, 200.0, 202.0, 200.0]), True)
    iterations, above = loss_curve(found)
    assert iterations.tolist() == [1, 2, 4]
    np.testing.assert_allclose(above, [50.0, 10.0, 1.0])


def test_what_did_not_converge_is_told_with_the_iterations() -> None:
    found = Decomposition((), np.empty((0, 0)), np.ones(300), False)
    assert "not converge within 300 iterations" in convergence_sentence(found)


def test_a_component_is_used_by_the_precipitates_whose_masks_it_gave(prepared: Prepared) -> None:
    masks = prepared.result("masks")
    taken = masks.components
    assert users(prepared.recipe, masks) == {taken["Fp"]: ("Fp",), taken["CaPv"]: ("CaPv",)}
    assert users(prepared.recipe, None) == {}
    by_hand = edits.set_precipitate(prepared.recipe, "Fp", component=0)
    assert users(by_hand, None) == {0: ("Fp",)}


def test_the_largest_component_is_proposed_as_matrix_unless_a_precipitate_uses_it() -> None:
    assert proposed_role(0, ()) == "matrix"
    assert proposed_role(0, ("Fp",)) == "precipitate"
    assert proposed_role(1, ()) is None
