"""Maps decomposed each alone: component 1 shows the same phase on each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.simulation.simulated_map import expected_truth
from endmember.core.unmixing.component_matching import affinities, matched_order, reordered
from endmember.core.unmixing.decomposition import Decomposition, decompose
from endmember.session.decisions.recipe import Recipe, changed
from endmember.session.state.session import Session, run_all
from endmember.session.state.steptable import StepTable, key
from endmember.session.steps.chain import STEPS, Decomposed
from several_maps import SIZE, several_maps, simulated, write_map

UP_TO_COMPONENTS = StepTable([STEPS["read"], STEPS["scree"], STEPS["decomposition"]])
AXIS = EnergyAxis(1.0, 0.01, 100)
# of map b: there CaPv has the second most counts, on the whole specimen Fp
CROP = (40, 46, 24, 14)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("matching")


def alone(folder: Path, recipe: Recipe) -> Recipe:
    from endmember.session.decisions.recipe_file import anchored

    settings = changed(recipe.decomposition, joint=False)
    return anchored(changed(recipe, decomposition=settings), folder)


@pytest.fixture(scope="module")
def recipe(folder: Path) -> Recipe:
    recipe = several_maps(folder, ("a", "b", "c"))
    write_map(folder / "b.hspy", simulated(1).crop(*CROP))
    return alone(folder, recipe)


@pytest.fixture(scope="module")
def session(recipe: Recipe) -> Session:
    session = Session(UP_TO_COMPONENTS, recipe)
    run_all(session)
    return session


def test_a_component_shows_the_same_phase_on_each_map(session: Session) -> None:
    """By the truth: its map follows the abundance of one phase, the same one on each map."""
    truth = expected_truth(SIZE)
    x, y, width, height = CROP
    shown = {}
    for name in "abc":
        maps = session.result("decomposition", name).maps_of(name)
        true = truth.abundance * truth.specimen_counts
        if name == "b":
            true = true[:, y : y + height, x : x + width]
        alike = np.corrcoef(maps.reshape(3, -1), true.reshape(3, -1))[:3, 3:]
        shown[name] = alike.argmax(axis=1).tolist()
        assert sorted(shown[name]) == [0, 1, 2]
    assert shown["a"] == shown["b"] == shown["c"]
    alone = decompose([session.result("read", "b").image], 3)
    matched = session.result("decomposition", "b").found
    assert not np.array_equal(alone.spectra, matched.spectra)  # by counts they did not match
    assert np.array_equal(alone.spectra, matched.spectra[[0, 2, 1]])


def test_alike_components_raise_no_doubt(session: Session) -> None:
    assert [session.result("decomposition", name).warnings for name in "abc"] == [(), (), ()]


def test_a_phase_that_the_other_map_lacks_is_told(recipe: Recipe, session: Session) -> None:
    """As if the first map held a component of two lines that nothing else has."""
    from endmember.core.progress import silent
    from endmember.session.steps.decompositions import decompose_maps

    first: Decomposed = session.result("decomposition", "a")
    spectra = first.found.spectra.copy()
    spectra[2] = 0.0
    spectra[2, [1500, 1700]] = 0.5
    strange = Decomposition(first.found.maps, spectra, first.found.losses, True, first.found.axis)
    before = {"a": Decomposed(("a",), first.readings, strange)}
    data = {"b": session.result("read", "b")}
    done = decompose_maps(silent, recipe.decomposition, data, before)
    assert len(done.warnings) == 1
    assert 'component 2 of map "b" is unlike that of map "a"' in done.warnings[0]


def test_the_order_is_the_best_of_all_orders(rng: np.random.Generator) -> None:
    from itertools import permutations

    for _ in range(20):
        alike = rng.random((4, 4))
        best = max(permutations(range(4)), key=lambda p: sum(alike[i, p[i]] for i in range(4)))
        assert matched_order(alike) == best


def test_spectra_are_compared_by_energy_not_by_channel() -> None:
    """The same two peaks on axes that differ in start and step."""
    other = EnergyAxis(0.95, 0.02, 60)

    def peaks(axis: EnergyAxis) -> np.ndarray:
        rows = np.exp(-0.5 * ((axis.centres - np.array([[1.3], [1.7]])) / 0.05) ** 2)
        return np.asarray(rows / rows.sum(axis=1, keepdims=True))

    alike = affinities(peaks(AXIS), peaks(other)[::-1], (AXIS, other))
    assert alike[[0, 1], [1, 0]].min() > 0.99
    assert alike[[0, 1], [0, 1]].max() < 0.05


def test_reordering_moves_maps_and_spectra_together(rng: np.random.Generator) -> None:
    maps, spectra = rng.random((3, 4, 5)), rng.random((3, 100))
    found = reordered(Decomposition((maps,), spectra, np.zeros(1), True, AXIS), (2, 0, 1))
    assert np.array_equal(found.maps[0][0], maps[2])
    assert np.array_equal(found.spectra, spectra[[2, 0, 1]])


def test_only_maps_decomposed_alone_wait_for_the_first(recipe: Recipe) -> None:
    joint = changed(recipe, decomposition=changed(recipe.decomposition, joint=True))
    first = key(STEPS, "decomposition", recipe, "a")
    assert first in key(STEPS, "decomposition", recipe, "b").inputs
    assert first not in first.inputs
    assert len(key(STEPS, "decomposition", joint, "b").inputs) == 3  # what was read of each map
