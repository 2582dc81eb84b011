"""Many maps with one recipe's settings: the same as one by one, whatever dies on the way."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from threadpoolctl import threadpool_limits

from endmember.cli import run_command
from endmember.demo import demo_recipe, simulate_to
from endmember.files.disk import owners
from endmember.session.batch import batch_workers
from endmember.session.batch.batch_folder import LEDGER, Batch, prepare_batch, run_batch
from endmember.session.batch.batch_maps import batch_maps
from endmember.session.batch.batch_runs import MapRun, Outcome, run_map
from endmember.session.decisions.recipe import PrecipitateRectangle, Recipe, changed
from endmember.session.decisions.recipe_file import dump_recipe

SIZE = 48
NAMES = ("a", "b", "c", "d")


def save(recipe: Recipe, path: Path) -> Path:
    path.write_text(dump_recipe(recipe, path.parent, path.parent), encoding="utf-8")
    return path


def on_map(name: str) -> Recipe:
    recipe = demo_recipe(SIZE)
    precipitates = tuple(
        changed(p, rectangles=tuple(changed(r, map=name) for r in p.rectangles))
        for p in recipe.precipitates
    )
    entry = changed(recipe.maps[0], file=f"{name}.hspy", name=name)
    return changed(recipe, maps=(entry,), precipitates=precipitates)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four maps, and the recipe of the first."""
    folder = tmp_path_factory.mktemp("maps")
    for seed, name in enumerate(NAMES):
        simulate_to(
            folder / f"{name}.hspy",
            None,
            lambda _: None,
            size=SIZE,
            counts_per_pixel=640.0,
            seed=seed,
            layout=0,
        )
    save(on_map("a"), folder / "settings.toml")
    return folder


@pytest.fixture
def maps(simulated: Path, tmp_path: Path) -> Path:
    """A folder of its own with the same maps and recipe."""
    return Path(shutil.copytree(simulated, tmp_path / "maps"))


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let batches compute here, without other processes; gives the names of what they compute."""
    computed: list[str] = []

    def workers(*_: object) -> object:
        import contextlib

        def results(runs: list[MapRun]) -> object:
            for run in runs:
                computed.append(run.name)
                yield run_map(run)

        return contextlib.nullcontext(results)

    monkeypatch.setattr("endmember.session.batch.batch_folder.workers", workers)
    monkeypatch.setenv("ENDMEMBER_THREADS", os.environ.get("ENDMEMBER_THREADS", ""))
    return computed


def silent(*_: object) -> None:
    """Tell nobody."""


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def content(path: Path) -> object:
    """The bytes of a file; of run.json all but seconds and memory."""
    if path.name != "run.json":
        return path.read_bytes()
    account = json.loads(path.read_text("utf-8"))
    for step in account["steps"]:
        del step["seconds"], step["peak_memory_MB"]
    return account


def files_of(folder: Path) -> dict[str, object]:
    return {str(p.relative_to(folder)): content(p) for p in folder.rglob("*") if p.is_file()}


def kill_a_worker() -> None:
    """Kill a process that computes maps, as want of memory would."""
    workers = [
        child
        for child in psutil.Process().children(recursive=True)
        if any("spawn_main" in part for part in child.cmdline())
    ]
    max(workers, key=lambda worker: sum(worker.cpu_times()[:2])).kill()


def test_a_batch_of_which_a_worker_is_killed_is_what_single_runs_are(
    maps: Path, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    out, killed = tmp_path / "out", []

    def kill_once(*_: object) -> None:
        if not killed:
            killed.append(kill_a_worker())

    batch = prepare_batch(maps, maps / "settings.toml", out, "[abc].hspy")
    outcomes = run_batch(batch, kill_once, 2)
    assert killed
    assert [(o.name, o.state) for o in outcomes] == [(name, "done") for name in NAMES[:3]]
    assert sorted(p.name for p in out.iterdir()) == sorted(
        [*NAMES[:3], "batch.csv", LEDGER, "composition.csv"]
    )
    single = tmp_path / "single" / "c"
    with threadpool_limits(1):  # as in the program, but tests may load numpy first
        assert run_command(["run", str(out / "c" / "recipe.toml"), "--out", str(single)]) == 0
    assert files_of(single) == files_of(out / "c")
    compositions = (out / "composition.csv").read_bytes()
    each = [(out / name / "composition.csv").read_bytes() for name in NAMES[:3]]
    head = each[0].splitlines(keepends=True)[0]
    assert compositions == head + b"".join(table.removeprefix(head) for table in each)


def test_a_batch_goes_on_where_it_stopped_and_repeats_what_changed(
    maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    (maps / "d.hspy").unlink()
    computed = in_this_process(monkeypatch)

    def interrupt(outcome: Outcome, _: int) -> None:
        if outcome.name == "b" and outcome.state == "done":
            raise KeyboardInterrupt

    def batch() -> Batch:
        return prepare_batch(maps, maps / "settings.toml", out)

    with pytest.raises(KeyboardInterrupt):
        run_batch(batch(), interrupt)
    states = [(row["map"], row["state"]) for row in rows_of(out / "batch.csv")]
    assert states == [("a", "done"), ("b", "done"), ("c", "stopped")]
    assert {row["map"] for row in rows_of(out / "composition.csv")} == {"a", "b"}

    (maps / "c.hspy").write_text("no map")
    computer = owners.own_mark().partition("-")[0]
    left = out / f".b.{computer}-7fffffff-1-1.0123abcd.part"  # of a process that was killed
    (left / "masks").mkdir(parents=True)
    first, second, third = run_batch(batch(), silent)
    assert (first.state, second.state, third.state) == ("kept", "kept", "failed")
    assert "c.hspy" in third.failure
    assert not left.exists()
    os.utime(maps / "a.hspy", ns=(1, 1))  # another time stamp: it may hold other counts
    assert [o.state for o in run_batch(batch(), silent)] == ["done", "kept", "failed"]
    assert computed == ["a", "b", "c", "a", "c"]


def test_one_map_that_fails_stops_no_other_and_is_named(
    simulated: Path,
    maps: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    in_this_process(monkeypatch)
    (maps / "a.hspy").write_bytes((maps / "a.hspy").read_bytes()[:5000])
    (maps / "b.toml").write_text("format = 3")
    (maps / "d.hspy").unlink()
    out = tmp_path / "out"
    command = ["batch", str(maps), "--recipe", str(simulated / "settings.toml")]
    assert run_command([*command, "--out", str(out)]) == 2
    told = capsys.readouterr().out
    assert "a: failed: " in told
    assert "c: done" in told
    a, b, c = rows_of(out / "batch.csv")
    assert ("a.hspy" in a["failure"], "b.toml" in b["failure"], c["failure"]) == (True, True, "")
    assert [row["state"] for row in (a, b, c)] == ["failed", "failed", "done"]
    assert (float(c["seconds"]) > 0, c["warnings"].isdigit()) == (True, True)
    assert {row["map"] for row in rows_of(out / "composition.csv")} == {"c"}
    assert not (out / "a").exists()


def test_a_fault_of_the_program_leaves_a_log_and_code_1(
    maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_this_process(monkeypatch)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("endmember.session.results.results_folder.run_steps", fail)
    out = tmp_path / "out"
    command = ["batch", str(maps), "--recipe", str(maps / "settings.toml"), "--pattern", "a.*"]
    assert run_command([*command, "--out", str(out)]) == 1
    (row,) = rows_of(out / "batch.csv")
    assert (row["state"], "a.log" in row["failure"]) == ("fault", True)
    assert "ZeroDivisionError: on purpose" in (out / "a.log").read_text("utf-8")


def test_a_run_that_is_to_stop_leaves_nothing(maps: Path, tmp_path: Path) -> None:
    batch = prepare_batch(maps, maps / "settings.toml", tmp_path / "out")
    stop = tmp_path / "stop"
    stop.touch()
    recipe = dump_recipe(batch.maps[0].recipe)
    run = MapRun("a", recipe, "r", str(tmp_path / "out" / "a"), batch.program, str(stop), 1)
    assert run_map(run).state == "stopped"
    assert not (tmp_path / "out").exists()


def test_a_worker_with_another_program_refuses(maps: Path, tmp_path: Path) -> None:
    batch = prepare_batch(maps, maps / "settings.toml", tmp_path / "out")
    recipe = dump_recipe(batch.maps[0].recipe)
    run = MapRun("a", recipe, "r", str(tmp_path / "a"), "0" * 64, str(tmp_path / "stop"), 1)
    outcome = run_map(run)
    assert outcome.state == "failed"
    assert "another version of Endmember" in outcome.failure


# --- which recipe a map gets -----------------------------------------------------------------


@pytest.fixture
def empty(tmp_path: Path) -> Callable[..., Path]:
    """Makes files without content: which recipe they get does not ask for more."""

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / "folder" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "folder"

    return make


def boxes(recipe: Recipe | None, precipitate: str) -> tuple[object, ...]:
    assert recipe is not None
    (name,) = recipe.map_names
    return recipe.precipitate_named(precipitate).boxes_on(name)


def test_a_map_takes_the_drawings_of_the_recipe_beside_it_and_the_settings_of_the_batch(
    empty: Callable[..., Path],
) -> None:
    folder = empty("a.hspy", "b.hspy", "c.hspy")
    settings = on_map("a")
    settings = changed(settings, decomposition=changed(settings.decomposition, components=4))
    seen = changed(settings.maps[0], sha256="a" * 64)  # as the window saves a recipe
    settings = changed(settings, maps=(seen,))
    template = save(settings, folder / "settings.toml")
    own = on_map("b")
    fp, capv = own.precipitates
    box = (1, 2, 30, 31)
    fp = changed(fp, rectangles=(PrecipitateRectangle(map="b", box=box),), factor=0.5)
    entry = changed(own.maps[0], thickness_nm=33, sha256="b" * 64)
    own = changed(own, maps=(entry,), precipitates=(fp, changed(capv, rectangles=())))
    save(own, folder / "b.toml")

    a, b, c = batch_maps(folder, template)
    assert [of.name for of in (a, b, c)] == ["a", "b", "c"]
    assert [of.borrowed for of in (a, b, c)] == [False, False, True]
    assert [of.drawings.name for of in (a, b, c)] == ["settings.toml", "b.toml", "settings.toml"]
    digests = ["a" * 64, "b" * 64, None]  # that of another map would be told as a change
    for of, digest in zip((a, b, c), digests, strict=True):
        assert of.recipe is not None
        assert of.recipe.maps[0].sha256 == digest
        assert of.recipe.decomposition.components == 4
        assert [(m.name, m.file) for m in of.recipe.maps] == [(of.name, str(of.file.absolute()))]
    assert boxes(c.recipe, "Fp") == boxes(a.recipe, "Fp") == settings.precipitates[0].boxes_on("a")
    assert boxes(b.recipe, "Fp") == (box,)
    assert b.recipe is not None
    assert (b.recipe.phases, b.recipe.maps[0].thickness_nm) == (("Brg", "Fp"), 33)
    assert b.recipe.precipitates[0].factor == 0.5


def test_a_recipe_beside_a_map_that_cannot_be_followed_is_said(empty: Callable[..., Path]) -> None:
    folder = empty("a.hspy", "b.hspy", "c.hspy")
    template = save(on_map("a"), folder / "settings.toml")
    save(on_map("a"), folder / "b.toml")  # of another map
    own = on_map("c")
    fp = changed(own.precipitates[0], name="Stishovite")
    save(changed(own, precipitates=(fp,)), folder / "c.toml")
    _, b, c = batch_maps(folder, template)
    assert (b.recipe, c.recipe) == (None, None)
    assert "names no [[map]]" in b.failure
    assert "Stishovite" in c.failure


def test_names_that_would_meet_are_told_apart(empty: Callable[..., Path]) -> None:
    folder = empty("a.hspy", "A.emd", "sub/a.hspy", "sum.bcf", "notes.txt")
    template = save(on_map("a"), folder / "settings.toml")
    found = batch_maps(folder, template)
    assert {of.name for of in found} == {"A_emd", "a_hspy", "sum"}
    assert next(of for of in found if of.name == "sum").recipe is None
    assert [of.name for of in batch_maps(folder, template, "**/*.hspy")] == ["a", "sub_a"]


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run_command(["batch", *map(str, arguments)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("endmember: ")
    assert told.count("\n") == 1
    return told


def test_what_cannot_be_a_batch_is_refused_before_any_work(
    empty: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = empty("a.hspy")
    recipe, out = ("--recipe", save(on_map("a"), folder / "settings.toml")), tmp_path / "out"
    assert "is no folder" in refused(capsys, tmp_path / "none", *recipe, "--out", out)
    told = refused(capsys, folder, *recipe, "--out", out, "--pattern", "*.bcf")
    assert "no file there fits" in told
    assert "no batch wrote" in refused(capsys, folder, *recipe, "--out", folder)
    missing = ("--recipe", folder / "none.toml")
    assert "none.toml" in refused(capsys, folder, *missing, "--out", out)
    assert not out.exists()


def test_a_scheduler_without_its_library_is_refused(
    empty: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_workers, "has_dask_workers", lambda: False)
    folder = empty("a.hspy")
    recipe = ("--recipe", save(on_map("a"), folder / "settings.toml"))
    more = ("--out", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:1")
    assert "endmember[cluster]" in refused(capsys, folder, *recipe, *more)
