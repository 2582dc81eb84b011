"""Faults of disks, memory, drives and threads, brought about: a sentence, and nothing lost."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from endmember.core.simulation.simulated_map import simulate_map
from endmember.core.unmixing.decomposition import decompose
from endmember.demo import prepare_demo
from endmember.files.disk.faults import reason, sentence
from endmember.files.disk.folders import complete_file, complete_folder
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Instrument, changed
from endmember.session.decisions.recipe_file import anchored, dump_recipe, load_recipe
from endmember.session.documents.document import Document
from endmember.session.state.memory import decomposition_bytes
from endmember.session.state.session import Failure, Session, attempt, run_all
from endmember.session.steps.chain import STEPS
from endmember.ui.document.runner import Runner

FULL = "the disk is full: make room, or choose another place"


def mounted(folder: Path, *options: str) -> bool:
    """Whether a file system of its own could be put on a folder."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    command = ["mount", "-t", "tmpfs", *options, "tmpfs", folder]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mounted(disk, "-o", "size=64k"):
        pytest.skip("no small disk can be made here: that needs Linux and root")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe of a small map up to 10 keV beside it."""
    path = prepare_demo(tmp_path_factory.mktemp("demo"), 64, lambda _: None)
    recipe = changed(load_recipe(path), instrument=Instrument(energy_range_keV=(0.3, 10.0)))
    path.write_text(dump_recipe(recipe, path.parent, path.parent), "utf-8")
    return path


@pytest.fixture(scope="module")
def done(demo: Path) -> Session:
    """All of its results."""
    session = Session(STEPS, anchored(load_recipe(demo), demo.parent))
    run_all(session)
    assert not session.failures()
    return session


def fill(path: Path) -> None:
    """Write until the disk is full."""
    try:
        with path.open("wb", buffering=0) as stream:
            while True:
                stream.write(bytes(4096))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def read_job(recipe: Path) -> tuple[Session, Any]:
    session = Session(STEPS, anchored(load_recipe(recipe), recipe.parent))
    return session, session.due()[0]


# --- disks ---------------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_saved_recipe_and_says_what_to_do(small_disk: Path) -> None:
    document = Document.of_map(small_disk / "map1.hspy")
    path = small_disk / "mine.toml"
    document.save(path)
    before = path.read_bytes()
    filler = small_disk / "filler"
    fill(filler)
    document.session.change(edits.rename_matrix(document.session.recipe, "Brg"))
    with pytest.raises(ValueError, match=f"mine.toml: the recipe cannot be saved: {FULL}"):
        document.save()
    assert document.modified
    assert path.read_bytes() == before
    assert sorted(p.name for p in small_disk.iterdir()) == ["filler", "mine.toml"]
    filler.unlink()
    document.save()
    assert load_recipe(path, unfinished=True).sample.matrix == "Brg"


def test_results_that_fill_the_disk_are_told_and_leave_nothing(
    small_disk: Path, done: Session, qtbot: QtBot
) -> None:
    from endmember.ui.window.results_export import export_task

    runner, told = Runner(), []
    runner.session = done
    runner.run_task("exporting", export_task(runner, small_disk / "results"), told.append)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    (failure,) = told
    assert isinstance(failure, Failure)
    assert failure.expected, failure.traceback
    assert "full" in failure.message
    assert list(small_disk.iterdir()) == []
    runner.close()


def test_a_quota_on_the_size_of_files_leaves_the_saved_recipe(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "mine.toml"
    document = Document.of_map(tmp_path / "map1.hspy")
    document.save(path)
    before = path.read_bytes()
    code = (
        "import sys; from endmember.session.documents.document import Document\n"
        "from endmember.session.decisions import edits\n"
        "document = Document.open(sys.argv[1])\n"
        "recipe = edits.rename_matrix(document.session.recipe, 'B' * 80)\n"
        "document.session.change(recipe)\n"
        "try: document.save()\n"
        "except ValueError as error: sys.exit(f'{document.modified} {error}')\n"
    )
    limit = len(before) // 2
    done = subprocess.run(
        [sys.executable, "-c", code, path],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
    )
    assert "True" in done.stderr
    assert "mine.toml: the recipe cannot be saved: the system allows no file" in done.stderr
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["mine.toml"]


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    is_mounted = mounted(folder, "-o", "size=64k,ro")
    if not is_mounted:
        if not hasattr(os, "geteuid") or os.geteuid() == 0:
            pytest.skip("no folder can be locked here")
        folder.chmod(0o500)
    try:
        document = Document.of_map(tmp_path / "map1.hspy")
        with pytest.raises(ValueError, match=r"locked.*another (place|folder)"):
            document.save(folder / "mine.toml")
        with (
            pytest.raises(ValueError, match=r"results: cannot be made: .*choose another place"),
            complete_folder(folder / "results"),
        ):
            pass
        assert list(folder.iterdir()) == []
    finally:
        if is_mounted:
            subprocess.run(["umount", "-l", folder], check=True)
        else:
            folder.chmod(0o700)


def test_a_write_protected_recipe_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("kept")
    path.chmod(0o400)
    access = os.access  # root may write everywhere
    monkeypatch.setattr(os, "access", lambda p, mode: p != path and access(p, mode))
    with pytest.raises(ValueError, match=r"mine\.toml: is write-protected; choose another name"):
        Document.of_map(tmp_path / "m.hspy").save(path)
    assert path.read_text() == "kept"


def test_who_may_read_a_file_stays_so_when_it_is_saved_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("old")
    path.chmod(0o660)
    with complete_file(path) as part:
        part.write_text("new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o660 or os.name == "nt"


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "nothing can be written"),
        (errno.EIO, "connect it again"),
        (errno.ENOENT, "drive is connected"),
        (errno.ENAMETOOLONG, "shorter"),
        (errno.EXDEV, "choose another place"),
    ],
)
def test_each_fault_of_a_disk_has_its_remedy(number: int, says: str) -> None:
    error = OSError(number, os.strerror(number), "/data/map.hspy")
    assert says in reason(error)
    assert sentence(error) == f"/data/map.hspy: {reason(error)}"
    assert sentence(OSError("a library's own words")) == "a library's own words"


# --- memory --------------------------------------------------------------------------------------


def test_more_components_than_memory_holds_are_refused_before_they_are_begun(
    done: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(STEPS, edits.set_decomposition(done.recipe, components=400))
    session.results = dict(done.results)
    monkeypatch.setattr("endmember.core.unmixing.decomposition.decompose", None)  # it is not called
    monkeypatch.setattr("endmember.session.state.memory._free_bytes", lambda: 4e9)
    (job,) = [job for job in session.due() if job.step == "decomposition"]
    failure = attempt(job, lambda _: None)
    assert isinstance(failure, Failure)
    assert failure.expected
    assert "a decomposition into 400 components needs about" in failure.message
    assert "4.0 GB are free: ask for fewer components" in failure.message


@pytest.mark.parametrize("method", ["poisson", "frobenius"])
def test_the_estimate_of_memory_is_that_of_the_decomposition(method: Any) -> None:
    image = simulate_map(size=64, counts_per_pixel=160.0, seed=0)[0].between(0.3, 6.0)
    components = 10
    decompose([image], 2, method, max_iterations=2)  # compiled
    tracemalloc.start()
    decompose([image], components, method, max_iterations=3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    pixels, channels = image.rows * image.columns, image.axis.channels
    needed = decomposition_bytes(pixels, channels, len(image.counts), components, method)
    assert 0.5 < peak / needed < 1.3


def test_a_step_without_memory_is_one_sentence_and_the_next_one_runs(qtbot: QtBot) -> None:
    runner, told = Runner(), []
    runner.run_task("large", lambda _: np.ones(2**50), told.append)
    runner.run_task("next", lambda _: "done", told.append)
    qtbot.waitUntil(lambda: len(told) == 2, timeout=20_000)
    failure = told[0]
    assert isinstance(failure, Failure)
    assert failure.expected
    assert failure.message.startswith("there was not enough memory for this step: close other")
    assert told[1] == "done"
    runner.close()


# --- threads -------------------------------------------------------------------------------------


def test_work_that_ends_its_thread_is_told_and_the_next_one_runs(qtbot: QtBot) -> None:
    def leave(_: object) -> None:
        raise SystemExit(3)

    runner, told = Runner(), []
    runner.run_task("leaving", leave, told.append)
    runner.ask("leaving", lambda: leave(None), told.append)
    qtbot.waitUntil(lambda: len(told) == 2, timeout=20_000)
    assert all("a fault of the program (SystemExit" in failure.message for failure in told)
    written: list[int] = []
    runner.write(lambda: leave(None))
    runner.write(lambda: written.append(1))
    runner.run_task("next", lambda _: "done", told.append)
    runner.ask("next", lambda: "answer", told.append)
    qtbot.waitUntil(lambda: len(told) == 4 and bool(written), timeout=20_000)
    assert {told[2], told[3]} == {"done", "answer"}
    runner.close()


# --- drives --------------------------------------------------------------------------------------


def test_a_drive_that_goes_while_a_map_is_read_is_told_and_tried_again(
    demo: Path, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    shutil.copytree(demo.parent, drive)
    session, job = read_job(drive / demo.name)
    gone = tmp_path / "gone"

    def report(fraction: float) -> None:
        if fraction > 0.2 and drive.exists():
            drive.rename(gone)

    failure = attempt(job, report)
    assert isinstance(failure, Failure)
    assert failure.expected, failure.traceback
    assert "demo.hspy" in failure.message
    assert "drive" in failure.message
    session.accept(job.key, failure)
    gone.rename(drive)
    session.retry()
    (again,) = session.due()
    assert not isinstance(attempt(again, lambda _: None), Failure)


# --- names ---------------------------------------------------------------------------------------


def test_long_names_of_other_alphabets_open_save_run_and_export(demo: Path, tmp_path: Path) -> None:
    from endmember.cli import run_command

    folder = tmp_path
    while len(str(folder)) < 280:
        folder = folder / "Fürstentümer 鉱物の地図 Ελλάς с картой"
    folder.mkdir(parents=True)
    map_file = folder / "地図 ä.hspy"
    shutil.copy(demo.with_name("demo.hspy"), map_file)
    recipe = load_recipe(demo)
    entry = changed(recipe.maps[0], file=str(map_file), sha256="AB" * 32)
    path, out = folder / f"{'名' * 80}.toml", folder / f"{'果' * 80}"  # names end at 255 bytes
    Document(changed(recipe, maps=(entry,))).save(path)
    assert Document.open(path).session.recipe.maps[0].file == str(map_file)
    assert run_command(["run", str(path), "--out", str(out)]) == 0
    assert sorted(p.name for p in folder.iterdir()) == sorted([map_file.name, path.name, out.name])
    assert (out / "composition.csv").read_text("utf-8").count("\n") > 10
    assert (out / "masks" / "demo_matrix.tif").is_file()
    # and the digest in the recipe was another file's: told, and noted anew
    account = json.loads((out / "run.json").read_text("utf-8"))
    assert len([text for text in account["warnings"] if "SHA-256" in text]) == 1
    noted = load_recipe(out / "recipe.toml").maps[0].sha256
    assert noted == hashlib.sha256(map_file.read_bytes()).hexdigest()


# --- two at once ---------------------------------------------------------------------------------


def export(target: Path, who: str, force: bool, together: threading.Barrier) -> str:
    try:
        with complete_folder(target, force) as part:
            together.wait(20)
            for number in range(8):
                (part / f"{number}.txt").write_text(who)
            (part / "run.json").write_text(who)
    except ValueError as error:
        return str(error)
    return "done"


@pytest.mark.parametrize("force", [False, True])
def test_two_exports_into_one_folder_at_once_give_one_whole_result(
    tmp_path: Path, force: bool
) -> None:
    for turn in range(40):
        target = tmp_path / str(turn) / "results"
        together, ends = threading.Barrier(3), {}

        def work(who: str, target: Path = target, ends: Any = ends, at: Any = together) -> None:
            ends[who] = export(target, who, force, at)

        threads = [threading.Thread(target=work, args=(who,)) for who in ("a", "b", "c")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        texts = {path.read_text() for path in target.iterdir()}
        assert len(texts) == 1
        assert len(list(target.iterdir())) == 9
        assert [path.name for path in target.parent.iterdir()] == ["results"]
        won = [who for who, end in ends.items() if end == "done"]
        if force:
            assert len(won) == 3
        else:
            assert won == [*texts]
            assert all("exists already" in end for who, end in ends.items() if who not in won)


def test_what_a_killed_program_left_is_tidied_up_and_an_old_result_comes_back(
    tmp_path: Path,
) -> None:
    target = tmp_path / "results"
    code = (
        "import os, sys; from pathlib import Path; from endmember.files.disk import folders\n"
        "rename = Path.rename\n"
        "def once(self, to):\n"
        "    rename(self, to)\n"
        "    if '.old' in str(to): os._exit(9)\n"  # between the old result and the new one
        "Path.rename = once\n"
        "with folders.complete_folder(sys.argv[1], True) as part:\n"
        "    (part / 'run.json').write_text('new')\n"
    )
    with complete_folder(target) as part:
        (part / "run.json").write_text("old")
    assert subprocess.run([sys.executable, "-c", code, target]).returncode == 9
    assert not target.exists()
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(ValueError, match="exists already"), complete_folder(target):
        pass
    assert (target / "run.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
