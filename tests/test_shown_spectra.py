"""The spectra that are shown belong to the energies that they were measured at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from endmember.demo import prepare_demo
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import changed
from endmember.session.documents.document import Document
from endmember.session.state.session import Session, run_all
from endmember.session.steps.map_data import load_map
from endmember.session.views.shown_spectra import shown_spectrum, spectrum_names

SIZE = 48


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The demo up to 10 keV with every step run."""
    folder = tmp_path_factory.mktemp("demo")
    session = Document.open(prepare_demo(folder, SIZE, lambda _: None)).session
    session.change(edits.set_instrument(session.recipe, energy_range_keV=(0.3, 10.0)))
    run_all(session)
    return session


def test_every_spectrum_has_its_counts_at_the_energies_of_the_map(done: Session) -> None:
    data = done.result("read")
    shown = {
        name: shown_spectrum(name, done.recipe, data, done.result)
        for name in spectrum_names(done.recipe, "demo")
    }
    assert all(found is not None and found.axis == data.image.axis for found in shown.values())
    whole, matrix, mixture, pure = (
        shown[name] for name in ("whole map", "matrix", "mixture Fp", "endmember Fp")
    )
    assert whole is not None
    assert matrix is not None
    assert mixture is not None
    assert pure is not None
    assert whole.counts.sum() == data.image.count_map().sum()
    mask = done.result("masks").partition.matrix
    assert np.array_equal(matrix.counts, data.image.spectrum(mask).counts)
    factor = done.result("subtraction").subtractions["Fp"].factor
    np.testing.assert_allclose(pure.counts, mixture.counts - factor * matrix.counts, atol=1e-9)


def test_a_spectrum_older_than_the_map_keeps_its_own_energies(done: Session) -> None:
    old = done.result("read")
    new = load_map(
        lambda _: None,
        done.recipe.maps[0],
        changed(done.recipe.instrument, energy_range_keV=(0.5, 12.0)),
    )

    def shown(name: str) -> Any:
        return shown_spectrum(name, done.recipe, new, done.result)

    for name in ("matrix", "mixture Fp", "endmember Fp"):
        assert shown(name).axis == old.image.axis
        assert shown(name).counts.shape == (old.image.axis.channels,)
    assert shown("whole map").axis == new.image.axis
    assert shown("component 0") is None  # it does not say at which energies it was found


def test_what_the_recipe_no_longer_has_is_not_shown(done: Session, tmp_path: Path) -> None:
    data = done.result("read")
    for name in ("roi gone", "mixture gone", "endmember gone", "component 17"):
        assert shown_spectrum(name, done.recipe, data, done.result) is None
    other = changed(data.entry, name="another", file=str(tmp_path / "another.hspy"))
    renamed = changed(done.recipe, maps=(other,))
    elsewhere = type(data)(**{f: getattr(data, f) for f in data.__slots__} | {"entry": other})
    assert shown_spectrum("component 0", renamed, elsewhere, done.result) is None
