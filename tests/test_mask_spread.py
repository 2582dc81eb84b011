"""Errors that no formula gave: other masks, and the chain on counts drawn anew."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from endmember.cli import run_command
from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.unmixing.decomposition import decompose, refined
from endmember.session.decisions.recipe import changed
from endmember.session.state.session import Session
from endmember.session.statistics import mask_spread as spreads
from endmember.session.statistics.bootstrap import BootstrapError, bootstrap, resampled
from endmember.session.statistics.mask_spread import MaskSpread, mask_spread
from endmember.session.statistics.recomposition import by_mask, data_of, masks_of, recomposed
from endmember.session.steps.separation import MapMasks
from several_maps import SIZE, file_of, finished, simulated, two_finished_maps

AXIS = EnergyAxis(1.0, 0.01, 60)


def test_resampled_counts_have_the_mean_and_the_variance_of_poisson(
    rng: np.random.Generator,
) -> None:
    image = SpectrumImage.from_array(rng.poisson(0.7, (8, 9, 60)), AXIS)
    dense = image.project(np.eye(60))
    draws = np.array([resampled(image, rng).project(np.eye(60)) for _ in range(400)])
    assert not draws[:, dense == 0].any()
    filled = dense > 0
    mean = draws.mean(axis=0)[filled]
    assert np.abs((mean - dense[filled]) / np.sqrt(dense[filled] / 400)).max() < 5
    ratio = draws.var(axis=0, ddof=1)[filled] / dense[filled]
    assert ratio.mean() == pytest.approx(1, abs=0.02)
    again = resampled(image, rng)
    assert (again.counts > 0).all()
    assert again.total == again.spectrum().counts.sum()


def test_a_refined_decomposition_keeps_the_order_and_fits_the_new_counts() -> None:
    image, other = (simulated(seed).between(0.3, 20.0) for seed in (0, 1))
    found = decompose([image], 3)
    again = refined([other], found)
    fresh = decompose([other], 3)
    alike = np.corrcoef(again.maps[0].reshape(3, -1), found.maps[0].reshape(3, -1))[:3, 3:]
    assert alike.argmax(axis=1).tolist() == [0, 1, 2]
    assert again.losses[-1] < 1.002 * fresh.losses[-1]
    assert again.spectra.sum(axis=1) == pytest.approx(1)
    kept = refined([other], found, "frobenius")
    assert kept.spectra == pytest.approx(found.spectra, abs=1e-9)


@pytest.fixture(scope="module")
def session() -> Session:
    return two_finished_maps()[1]


@pytest.fixture(scope="module")
def rows(session: Session) -> tuple[MaskSpread, ...]:
    return mask_spread(session)


def test_the_same_maps_and_masks_give_the_same_compositions(session: Session) -> None:
    again = recomposed(session, data_of(session), masks_of(session))
    present = by_mask(session.result("quantification"))
    assert list(again) == list(present)
    for place, composition in present.items():
        found = [r.atomic_percent for r in again[place].rows]
        assert found == [r.atomic_percent for r in composition.rows]


def test_a_rim_more_or_less_is_that_of_its_definition(session: Session) -> None:
    masks: MapMasks = session.result("masks", "a")
    wider = spreads._grown(session, "a", 1).partition
    own = masks.partition.components["Fp"]
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=bool)
    assert np.array_equal(wider.components["Fp"], binary_dilation(own, cross))
    narrower = spreads._grown(session, "a", -1).partition
    outside = binary_dilation(~own, cross)
    assert np.array_equal(~narrower.components["Fp"][1:-1, 1:-1], outside[1:-1, 1:-1])
    for part in (wider, narrower):
        covered = part.matrix.astype(int) + part.overlap + part.excluded
        assert (covered + sum(part.mixtures.values()) == 1).all()


def test_redrawn_rectangles_stay_near_and_on_the_map(session: Session) -> None:
    data = session.result("read", "a")
    rng = np.random.default_rng(1)
    boxes = [r.box for p in session.recipe.precipitates for r in p.rectangles]
    moved = set()
    for box in boxes * 5:
        x, y, width, height = spreads._jittered(box, data, rng)
        assert min(x, y) >= 0
        assert max(x + width, y + height) <= SIZE
        assert abs(x - box[0]) <= spreads.JITTER_PX
        assert abs(x + width - box[0] - box[2]) <= spreads.JITTER_PX + spreads.LEAST_SIDE
        moved.add(x - box[0])
    assert moved == {-2, -1, 0, 1, 2}


def test_each_phase_and_element_has_its_spread(
    session: Session, rows: tuple[MaskSpread, ...]
) -> None:
    present = by_mask(session.result("quantification"))
    wanted = [
        (*place, r.element)
        for place, c in present.items()
        for r in c.rows
        if r.atomic_percent_sigma
    ]
    assert [(r.phase, r.map, r.element) for r in rows] == wanted
    for row in rows:
        eroded = (row.eroded or 0.0) ** 2
        edges = (eroded + (row.dilated or 0.0) ** 2) / 2
        total = edges + (row.rectangles or 0.0) ** 2 + (row.seeds or 0.0) ** 2
        left = max(total - (row.noise or 0.0) ** 2, 0.0)
        assert row.systematic == pytest.approx(left**0.5, rel=1e-6, abs=1e-12)


def test_rectangles_that_cut_grains_show_in_what_they_leave_in_the_matrix(
    rows: tuple[MaskSpread, ...],
) -> None:
    """At 64 pixels the rectangles lie a pixel outside the grains: two less leave CaPv outside."""
    matrix = {r.element: r for r in rows if (r.phase, r.map) == ("Brg", "sum")}
    calcium, uranium = matrix["Ca"], matrix["U"]
    assert (calcium.rectangles or 0.0) > 2 * calcium.atomic_percent_sigma
    assert (calcium.systematic or 0.0) > 2 * calcium.atomic_percent_sigma
    assert (uranium.systematic or 0.0) < uranium.atomic_percent_sigma


def test_the_same_recipe_gives_the_same_spread_and_another_seed_another(
    session: Session, rows: tuple[MaskSpread, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreads, "REDRAWN", 1)
    monkeypatch.setattr(spreads, "OTHER_SEEDS", 0)
    first, again = mask_spread(session), mask_spread(session)
    assert first == again
    assert first[0].eroded == rows[0].eroded
    assert first[0].seeds is None


def test_a_run_writes_both_tables_when_asked(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreads, "REDRAWN", 1)
    monkeypatch.setattr(spreads, "OTHER_SEEDS", 1)
    path, out = file_of(session), tmp_path / "results"
    options = ["--mask-spread", "--bootstrap", "2"]
    assert run_command(["run", str(path), "--out", str(out), *options]) == 0
    for name, kind in (("mask_spread", MaskSpread), ("bootstrap", BootstrapError)):
        with (out / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            found = list(csv.DictReader(stream))
        assert list(found[0]) == list(kind.__dataclass_fields__)
        assert len(found) == 3 * (9 + 8 + 8)
    again = [f"{row.bootstrap_sigma:.10g}" for row in bootstrap(session, 2)]
    assert [row["bootstrap_sigma"] for row in found] == again  # drawn by the seed alone


def test_the_scatter_of_the_bootstrap_is_the_stated_error(session: Session) -> None:
    """Of the matrix, whose masks hardly matter: the mean ratio over 9 elements and 3 places."""
    found = bootstrap(session, 4)
    assert {r.replicates for r in found} == {4}
    ratios = [r.ratio for r in found if r.phase == "Brg"]
    assert len(ratios) == 27
    assert 0.7 < np.mean(ratios) < 1.4


def test_a_bootstrap_of_one_is_refused(tmp_path: Path, session: Session) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        bootstrap(session, 1)
    path = file_of(session)
    with pytest.raises(SystemExit):
        run_command(["run", str(path), "--out", str(tmp_path / "x"), "--bootstrap", "1"])


def test_a_bootstrap_of_which_no_replicate_can_be_separated_is_refused(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("no matrix is left")

    monkeypatch.setattr("endmember.session.statistics.bootstrap.recomposed", fails)
    with pytest.raises(ValueError, match="no resampled copy"):
        bootstrap(session, 2)


def test_maps_decomposed_alone_are_bootstrapped_too(session: Session) -> None:
    settings = changed(session.recipe.decomposition, joint=False)
    alone = changed(session.recipe, decomposition=settings)
    done = finished(two_finished_maps()[0], alone, "alone")
    found = bootstrap(done, 2)
    assert {(r.phase, r.map) for r in found} == set(by_mask(done.result("quantification")))
