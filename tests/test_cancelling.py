"""Every step can be stopped between two reports, and leaves nothing behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from endmember.core.counts.sparse_sums import BLOCKS, FEW_PIXELS, for_each_block
from endmember.core.progress import Cancelled, part_of, parts_of
from endmember.demo import demo_recipe, prepare_demo, simulate_to
from endmember.files.reading import reader as reading
from endmember.session.decisions.recipe import Recipe, changed
from endmember.session.state.session import Job, Session, attempt, run_all
from endmember.session.steps.chain import STEPS

# reports at least: the smallest number of places at which each step of the small map can stop
LEAST_REPORTS = {
    "read": 6,
    "energy_check": 3,
    "scree": 3 * BLOCKS,
    "decomposition": 20 * BLOCKS,
    "masks": 8,
    "subtraction": 2 * BLOCKS,
    "abundance": 3 * BLOCKS,
    "quantification": 3,
    "partition": 2,
    "background_spread": 10,
}


class StopAt:
    """Raises `Cancelled` at the report of this number; counts them otherwise."""

    def __init__(self, number: int) -> None:
        self.number, self.fractions = number, list[float]()

    def __call__(self, fraction: float) -> None:
        self.fractions.append(fraction)
        if len(self.fractions) == self.number:
            raise Cancelled


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """The demo of 64 x 64 pixels."""
    path = tmp_path_factory.mktemp("demo") / "demo.hspy"
    simulate_to(path, None, lambda _: None, size=64, counts_per_pixel=160.0, seed=0, layout=0)
    shipped = demo_recipe(64)
    return changed(shipped, maps=(changed(shipped.maps[0], file=str(path)),))


@pytest.fixture(scope="module")
def done(recipe: Recipe) -> Session:
    session = Session(STEPS, recipe)
    run_all(session)
    assert not session.failures()
    return session


def job_of(done: Session, step: str) -> Job:
    """The job of one step, its inputs being there."""
    session = done.snapshot()
    del session.results[session.key(step, "demo")]
    return next(job for job in session.due() if job.step == step)


def forget() -> None:
    """What was cut and summed before is not done again, and would report less."""
    from endmember.core.counts import mask_sums
    from endmember.session.steps import cuts

    cuts._cuts.clear()
    mask_sums._sums.clear()


def numbers_of(step: str, value: object) -> list[np.ndarray]:
    """The arrays by which two results of a step are compared."""
    kinds: dict[str, Callable[[object], list[np.ndarray]]] = {
        "read": lambda v: [v.image.starts, v.image.channels, v.image.counts],  # type: ignore[attr-defined]
        "energy_check": lambda v: [np.array([line.position_keV for line in v.lines])],  # type: ignore[attr-defined]
        "scree": lambda v: [v.eigenvalues, np.array(v.noise_level)],  # type: ignore[attr-defined]
        "decomposition": lambda v: [*v.found.maps, v.found.spectra],  # type: ignore[attr-defined]
        "masks": lambda v: [v.partition.matrix, *v.partition.mixtures.values()],  # type: ignore[attr-defined]
        "subtraction": lambda v: [s.spectrum.counts for s in v.subtractions.values()],  # type: ignore[attr-defined]
        "abundance": lambda v: [v.abundance.maps, v.abundance.residual],  # type: ignore[attr-defined]
        "quantification": lambda v: [e.composition.fit.areas for e in v.entries],  # type: ignore[attr-defined]
        "partition": lambda v: [
            np.array([c.atomic.value for c in e.coefficients if c.atomic]) for e in v
        ],
        "background_spread": lambda v: [np.array(list(s.values())) for s in v.spreads],  # type: ignore[attr-defined]
    }
    return kinds[step](value)


@pytest.mark.parametrize("step", list(LEAST_REPORTS))
def test_each_step_reports_often_and_stops_where_it_is_told(done: Session, step: str) -> None:
    forget()
    counted = StopAt(-1)
    whole = attempt(job_of(done, step), counted)
    number = len(counted.fractions)
    assert number >= LEAST_REPORTS[step]
    assert all(0.0 <= fraction <= 1.0 for fraction in counted.fractions)
    for place in (1, number // 2):
        forget()
        with pytest.raises(Cancelled):
            attempt(job_of(done, step), StopAt(place))
    again = attempt(job_of(done, step), StopAt(-1))
    for first, second in zip(numbers_of(step, whole), numbers_of(step, again), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_least_squares_decomposition_stops_during_its_start(done: Session) -> None:
    settings = changed(done.recipe.decomposition, method="frobenius")
    session = done.snapshot()
    session.change(changed(done.recipe, decomposition=settings))
    job = next(job for job in session.due() if job.step == "decomposition")
    stop = StopAt(3)
    with pytest.raises(Cancelled):
        attempt(job, stop)
    assert max(stop.fractions) < 0.1


ROWS_AT_ONCE = 2


@pytest.fixture
def chunked(done: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The map in chunks of few rows, to be read by few rows at once."""
    row_bytes = 64 * 2048  # of one byte each
    monkeypatch.setattr(reading, "LARGEST_BLOCK_BYTES", ROWS_AT_ONCE * row_bytes)
    path = tmp_path / "chunked.hspy"
    shutil.copyfile(done.recipe.maps[0].file, path)
    with h5py.File(path, "r+") as file:
        signal = next(iter(file["Experiments"].values()))
        counts, facts = signal["data"][()], dict(signal["data"].attrs)
        del signal["data"]
        chunks = (ROWS_AT_ONCE, *counts.shape[1:])
        signal.create_dataset("data", data=counts, chunks=chunks).attrs.update(facts)
    return path


@pytest.mark.parametrize("place", [1, 3, 30])
def test_cancelled_reading_leaves_no_file_open(chunked: Path, place: int) -> None:
    with pytest.raises(Cancelled):
        reading.open_map(chunked, None, StopAt(place))
    with h5py.File(chunked, "r+"):  # refused while the file is open for reading
        pass


def test_reading_reports_before_each_block_of_rows(done: Session, chunked: Path) -> None:
    counted = StopAt(-1)
    image = reading.open_map(chunked, None, counted).image
    assert len(counted.fractions) >= image.rows / ROWS_AT_ONCE
    assert counted.fractions == sorted(counted.fractions)
    whole = reading.read_map(done.recipe.maps[0].file)
    np.testing.assert_array_equal(image.channels, whole.channels)
    np.testing.assert_array_equal(image.starts, whole.starts)


@pytest.mark.parametrize("pixels", [100, FEW_PIXELS, 10 * FEW_PIXELS])
def test_blocks_cover_all_pixels_and_are_reported(pixels: int) -> None:
    met = np.zeros(pixels, dtype=int)

    def work(_: int, first: int, last: int) -> None:
        met[first:last] += 1

    counted = StopAt(-1)
    for_each_block(pixels, work, counted)
    assert (met == 1).all()
    assert counted.fractions[-1] == 1.0
    assert len(counted.fractions) >= (1 if pixels < FEW_PIXELS else BLOCKS)


def test_what_a_block_raises_is_raised() -> None:
    def work(block: int, _first: int, _last: int) -> None:
        if block == 3:
            raise ValueError("the block cannot be used")

    with pytest.raises(ValueError, match="cannot be used"):
        for_each_block(FEW_PIXELS, work)
    with pytest.raises(Cancelled):
        for_each_block(FEW_PIXELS, lambda *_: None, StopAt(1))


def test_parts_of_the_work_report_their_share_of_the_whole() -> None:
    told: list[float] = []
    for part in parts_of(part_of(told.append, 0.5, 1.0), 2):
        part(0.0)
        part(0.5)
    assert told == [0.5, 0.625, 0.75, 0.875]


def test_making_the_demo_can_be_stopped_while_drawing_and_while_writing(tmp_path: Path) -> None:
    def make(report: StopAt) -> None:
        prepare_demo(tmp_path / "demo", 64, report)

    whole = StopAt(0)
    make(whole)
    shutil.rmtree(tmp_path / "demo")
    writing = [number for number, done in enumerate(whole.fractions, 1) if 0.6 < done < 0.95]
    assert len(writing) >= 2  # 64 rows of 64 pixels are written in a few chunks
    for number in range(1, len(whole.fractions)):
        with pytest.raises(Cancelled):
            make(StopAt(number))
        assert list((tmp_path / "demo").iterdir()) == []
    make(StopAt(0))
    assert {f.name for f in (tmp_path / "demo").iterdir()} == {
        "demo.hspy",
        "demo.toml",
        "truth.npz",
    }
