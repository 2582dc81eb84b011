"""The process that vendors' readers run in: what they can do to it, and what is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.core.progress import Cancelled
from endmember.core.simulation.simulated_map import simulate_map
from endmember.files.pictures.exporting import write_map_hspy, write_spectrum_msa
from endmember.files.reading import peak as reading_peak
from endmember.files.reading import watch as reading_watch
from endmember.files.reading.reader import UnreadableFile, open_map, open_spectrum
from endmember.files.reading.shared_arrays import Place, Shelf, taken
from endmember.files.reading.watch import checked_counts
from endmember.session.state.memory import check_room

# what a reader may do to its process, by the first word of the file
BAD_READER = """
import ctypes, os, sys, time
sys.path[:] = {path!r}
from endmember.files.reading import child as reading_child
from endmember.files.reading import signals
real = signals._call
def call(plugin, path, choice):
    word = path.read_text(encoding="latin-1").split()[0]
    if word == "segfault": ctypes.string_at(0)
    if word == "abort": os.abort()
    if word == "exit": os._exit(3)
    if word == "print": os.write(1, b"printed"); os.write(2, b"printed"); print("printed")
    if word == "hang": time.sleep(1000)
    if word == "hold": kept = [bytearray(50_000_000) for _ in range(1000)]
    if word == "grow":
        import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        kept = []
        while True: kept.append(bytearray(b"x") * 20_000_000); time.sleep(0.02)
    if word == "recurse":
        sys.setrecursionlimit(10**9)
        def deep(_): sorted([1], key=deep)
        deep(0)
    return real(plugin, path, choice)
signals._call = call
sys.exit(reading_child.serve())
"""


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    reading_watch.end_all()


@pytest.fixture
def bad_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    code = BAD_READER.format(path=sys.path)
    monkeypatch.setattr(reading_watch, "_command", lambda: [sys.executable, "-c", code])


def file_that(tmp_path: Path, word: str) -> Path:
    path = tmp_path / f"{word}.emsa"
    path.write_text(f"{word} and so on\n" * 3, encoding="ascii")
    return path


@pytest.fixture
def small_map(tmp_path: Path) -> Path:
    path = tmp_path / "map.hspy"
    write_map_hspy(path, simulate_map(size=16)[0], "a test")
    return path


@pytest.fixture
def spectrum(tmp_path: Path) -> Path:
    path = tmp_path / "good.msa"
    whole = Spectrum(np.arange(600.0), EnergyAxis(0.3, 0.01, 600), 200.0, 22.0)
    write_spectrum_msa(path, whole, "Brg")
    return path


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.mark.usefixtures("bad_reader")
@pytest.mark.parametrize("word", ["segfault", "abort", "exit", "recurse"])
def test_a_reader_that_dies_is_survived_and_the_next_file_is_read(
    tmp_path: Path, spectrum: Path, word: str
) -> None:
    path = file_that(tmp_path, word)
    with pytest.raises(UnreadableFile, match=r"its reader crashed on it .*copy it") as refused:
        open_spectrum(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert open_spectrum(spectrum).spectrum.counts.sum() == np.arange(600.0).sum()


@pytest.mark.usefixtures("bad_reader")
def test_a_silent_reader_is_ended_after_the_time_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(reading_watch.SILENCE_VARIABLE, "1")
    with pytest.raises(UnreadableFile, match="no sign of life for 1 s"):
        open_spectrum(file_that(tmp_path, "hang"))
    assert not children()


@pytest.mark.usefixtures("bad_reader")
@pytest.mark.parametrize("word", ["hold", "grow"])
def test_a_reader_that_wants_too_much_memory_is_refused_with_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    if word == "grow" and sys.platform == "win32":
        pytest.skip("takes back a limit that Windows does not have")
    monkeypatch.setenv(reading_watch.MEMORY_VARIABLE, "600")
    with pytest.raises(UnreadableFile, match=r"more than the 0\.6 GB of memory"):
        open_spectrum(file_that(tmp_path, word))


def test_the_memory_limit_follows_from_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(reading_watch.MEMORY_VARIABLE, raising=False)
    limit = reading_watch.memory_limit_bytes()
    assert reading_watch.LEAST_MEMORY_BYTES <= limit <= psutil.virtual_memory().total


def test_files_kept_in_memory_do_not_count_against_the_limit_of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(reading_watch.MEMORY_VARIABLE, raising=False)
    monkeypatch.setattr(reading_watch, "CGROUP", tmp_path)
    monkeypatch.setattr(
        psutil, "virtual_memory", lambda: SimpleNamespace(available=64 * 10**9, total=64 * 10**9)
    )
    assert reading_watch.memory_limit_bytes() == pytest.approx(0.8 * 64e9)  # no group
    (tmp_path / "memory.max").write_text("4000000000\n")
    (tmp_path / "memory.current").write_text("3900000000\n")
    (tmp_path / "memory.stat").write_text("anon 900000000\ninactive_file 2900000000\n")
    assert reading_watch.memory_limit_bytes() == pytest.approx(0.8 * 3e9)
    with pytest.raises(ValueError, match=r"needs about 9\.0 GB of memory, and 3\.0 GB are free"):
        check_room(9e9, "a step", "crop the map")
    check_room(2.9e9, "a step", "crop the map")


@pytest.mark.usefixtures("bad_reader")
def test_what_a_reader_prints_does_not_reach_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnreadableFile):
        open_spectrum(file_that(tmp_path, "print"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("bad_reader")
def test_a_reading_that_nobody_wants_any_more_ends_while_its_reader_is_silent(
    tmp_path: Path,
) -> None:
    stop = threading.Event()

    def report(_: float) -> None:
        if stop.is_set():
            raise Cancelled

    threading.Timer(2.0, stop.set).start()
    with pytest.raises(Cancelled):
        open_map(file_that(tmp_path, "hang"), None, report)
    assert not children()


def test_the_process_is_kept_for_the_next_file(small_map: Path, spectrum: Path) -> None:
    open_map(small_map)
    first = children()
    open_spectrum(spectrum)
    assert len(first) == 1
    assert children() == first


def test_a_process_that_was_ended_from_outside_is_replaced(small_map: Path) -> None:
    total = open_map(small_map).image.total
    (child,) = psutil.Process().children()
    child.kill()
    child.wait()
    assert open_map(small_map).image.total == total


def test_the_frozen_program_reads_by_starting_itself(
    spectrum: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert reading_watch._command() == [sys.executable, reading_watch.COMMAND]
    itself = [sys.executable, "-m", "endmember", reading_watch.COMMAND]
    monkeypatch.setattr(reading_watch, "_command", lambda: itself)
    assert open_spectrum(spectrum).spectrum.counts.sum() == np.arange(600.0).sum()


def test_two_threads_read_at_once(small_map: Path, spectrum: Path) -> None:
    totals: list[float] = []
    readers = [
        threading.Thread(target=lambda: totals.append(open_map(small_map).image.total)),
        threading.Thread(target=lambda: totals.append(open_spectrum(spectrum).spectrum.counts[5])),
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert sorted(totals) == sorted([5.0, float(simulate_map(size=16)[0].total)])
    assert len(children()) == 1


def test_a_map_outlives_the_process_that_read_it(small_map: Path) -> None:
    image = open_map(small_map).image
    reading_watch.end_all()
    expected = simulate_map(size=16)[0]
    np.testing.assert_array_equal(image.counts, expected.counts)
    np.testing.assert_array_equal(image.channels, expected.channels)
    np.testing.assert_array_equal(image.starts, expected.starts)
    assert not image.counts.flags.writeable


def running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("ends", ["killed", "by itself", "busy"])
def test_the_process_ends_with_the_program(tmp_path: Path, spectrum: Path, ends: str) -> None:
    """Also without a guard for __main__ in the script, and while a reader hangs."""
    script = tmp_path / "script.py"
    code = f"""
        import os, sys, threading, time
        import psutil
        from endmember.files.reading import watch as reading_watch
        from endmember.files.reading.reader import open_spectrum
        open_spectrum({str(spectrum)!r})
        print(psutil.Process().children()[0].pid, flush=True)
        if {ends!r} == "busy":
            reading_watch.end_all()
            reading_watch._command = lambda: [sys.executable, "-c", {BAD_READER!r}.format(path=sys.path)]
            threading.Thread(target=open_spectrum, args=({str(file_that(tmp_path, "hang"))!r},), daemon=True).start()
            while not psutil.Process().children(): time.sleep(0.05)
            time.sleep(2)
            print(psutil.Process().children()[0].pid, flush=True)
        if {ends!r} != "by itself":
            os.kill(os.getpid(), 9)
    """  # noqa: E501
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, check=False)
    pid = int(done.stdout.split()[-1])
    until = time.monotonic() + 20
    while running(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not running(pid)


def test_the_peak_memory_counts_both_processes(small_map: Path) -> None:
    open_map(small_map)
    (child,) = psutil.Process().children()
    own = psutil.Process().memory_info().rss
    assert reading_peak.largest_bytes() > 0.9 * (own + child.memory_info().rss)


def test_no_library_of_a_reader_is_loaded_into_the_program(small_map: Path) -> None:
    code = (
        "import sys; from endmember.files.reading.reader import describe; describe(sys.argv[1]);"
        "print([m for m in ('rsciio', 'dask', 'sparse', 'h5py') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(small_map)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]"]


def test_arrays_on_the_shelf_come_back_as_they_were(rng: np.random.Generator) -> None:
    shelf = Shelf()
    arrays = [
        rng.integers(0, 255, (5, 7)).astype(np.uint8),
        np.empty(0, np.uint16),
        rng.random(100_000),
    ]
    places = [shelf.place(shelf.put(array)) for array in arrays]
    back = taken(places, os.dup(shelf.file) if sys.platform != "win32" else None)
    shelf.clear()
    for one, other in zip(arrays, back, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


@pytest.mark.skipif(sys.platform == "win32", reason="places are names there")
@pytest.mark.parametrize(
    "place",
    [
        Place("<f8", (10**9,), 0),
        Place("|O", (1,), 0),
        Place("<f8", (-1,), 0),
        Place("<f8", (1,), 1 << 40),
    ],
)
def test_a_place_outside_the_memory_is_refused(place: Place) -> None:
    shelf = Shelf()
    shelf.put(np.arange(4.0))
    with pytest.raises(ValueError, match="hands over"):
        taken([place], shelf.file)


def test_counts_that_would_lead_compiled_loops_astray_are_refused() -> None:
    starts = np.array([0, 2, 3])
    channels, counts = np.array([0, 4, 2], np.uint16), np.array([1, 1, 9], np.uint8)
    checked_counts(starts, channels, counts, 5)
    for bad in (
        (starts[::-1], channels, counts, 5),
        (starts + 1, channels, counts, 5),
        (np.array([0, 2, 9]), channels, counts, 5),
        (starts, channels, counts, 4),
        (starts, channels, counts.astype(float), 5),
    ):
        with pytest.raises(ValueError, match="hands over"):
            checked_counts(*bad)
