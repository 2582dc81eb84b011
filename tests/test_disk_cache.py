"""Results kept on disk: found again when all that decides them is the same, and never otherwise."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import logging
import os
import pickle
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.progress import Cancelled, Report
from endmember.demo import prepare_demo
from endmember.session.cache import disk_cache, program_digest
from endmember.session.cache.disk_cache import CacheSize, DiskCache, Kept
from endmember.session.cache.kept_values import Refused, read_value, write_value
from endmember.session.cache.key_names import KeyNames
from endmember.session.decisions.recipe import (
    Decomposition,
    DetectorSettings,
    Exclude,
    FactorsByHand,
    MapInput,
    Named,
    Numbers,
    Precipitate,
    PrecipitateRectangle,
    Quantification,
    Recipe,
    Roi,
    Sample,
    Stroke,
    changed,
)
from endmember.session.documents.document import Document
from endmember.session.state.session import Failure, Session, run_all
from endmember.session.state.steptable import GroupStep, Key, MapStep, StepTable, all_maps
from endmember.session.state.steptable import key as key_of
from endmember.ui.document.runner import Runner
from endmember.ui.program.preferences import Preferences
from endmember.ui.window.application import make_window

LARGE = 10**9


class Work:
    """Steps that count their calls: the text of a map, its length, and a step that fails."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails = False
        how = (lambda r, _: (r.quantification, r.detector), ("read",), self._whole)
        self.table = StepTable(
            [
                MapStep("read", lambda _, entry: (entry,), (), self._read),
                MapStep("length", lambda r, _: (r.decomposition,), ("read",), self._length),
                GroupStep("whole", *how, all_maps),
            ]
        )

    def _read(self, _: Report, entry: MapInput) -> tuple[str, str]:
        self.calls.append("read")
        return entry.name, Path(entry.file).read_text()

    def _length(self, _: Report, settings: Decomposition, read: tuple[str, str]) -> int:
        self.calls.append("length")
        if self.fails:
            raise ValueError("the ruler is broken: mend it")
        return len(read[1]) * settings.components

    def _whole(self, _: Report, *settings: Any) -> dict[str, Any]:
        self.calls.append("whole")
        found: dict[str, Any] = settings[-1]
        return dict(found)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    file = tmp_path / "map.rpl"
    file.write_text("a map")
    return Recipe(
        format="endmember-recipe-1",
        maps=(MapInput(file=str(file), name="a"),),
        decomposition=Decomposition(components=1),
        sample=Sample(matrix="M", elements=()),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def started(folder: Path, most_bytes: int = LARGE, program: str = "this one") -> DiskCache:
    """The cache as a program that was just started has it."""
    return DiskCache(folder, most_bytes, KeyNames(lambda: program))


def name_of(recipe: Recipe, step: str = "read", program: str = "this one") -> str:
    """The name that a program just started gives to a step's result."""
    table, names = Work().table, KeyNames(lambda: program)
    found = {s.name: names.name(key_of(table, s.name, recipe, "a")) for s in table}
    return found[step]


def stored(cache: DiskCache, name: str, value: Any, used: float | None = None) -> Path:
    assert cache.store(name, Kept(value, 1.0, None))
    path = cache.folder / f"{name}.result"
    if used is not None:
        os.utime(path, (used, used))
    return path


# --- what a result is found by ----------------------------------------------------------------


def test_a_result_is_found_again_by_another_start(recipe: Recipe, folder: Path) -> None:
    first, second = started(folder), started(folder)
    key = key_of(Work().table, "read", recipe)
    name = first.name(key)
    assert name is not None
    assert first.find(name) is None
    assert first.store(name, Kept(("a", "a map"), 2.5, 70.0))
    again = second.name(key)
    assert again == name
    assert second.find(again) == Kept(("a", "a map"), 2.5, 70.0)


def test_another_process_gives_the_same_names(recipe: Recipe, tmp_path: Path) -> None:
    code = (
        "import sys, pickle\nfrom pathlib import Path\n"
        "from endmember.session.cache.key_names import KeyNames\n"
        "from endmember.session.steps.chain import STEPS\n"
        "from endmember.session.state.steptable import KeyRing\n"
        "from endmember.session.documents.document import Document\n"
        "names = KeyNames()\n"
        "ring = KeyRing(STEPS, Document.open(Path(sys.argv[1])).session.recipe)\n"
        "print([names.name(key) for _, _, key in ring.all()])\n"
    )
    by_hand = changed(recipe.sample, density_g_cm3=Numbers({"M": 4.1, "P": 3.6}))
    Document(changed(recipe, sample=by_hand)).save(tmp_path / "sample.toml")
    said = [
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "sample.toml")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0].count("'") == 2 * 10
    assert said[0] == said[1]


def later(path: Path) -> None:
    """Let a file of the same size be a millisecond younger."""
    ns = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(ns, ns))


def test_a_map_that_was_written_again_is_another_one(recipe: Recipe) -> None:
    before = name_of(recipe), name_of(recipe, "length"), name_of(recipe, "whole")
    later(Path(recipe.maps[0].file))
    after = name_of(recipe), name_of(recipe, "length"), name_of(recipe, "whole")
    assert all(a != b for a, b in zip(before, after, strict=True))


def test_the_file_beside_a_map_that_holds_its_counts_decides_too(recipe: Recipe) -> None:
    raw = Path(recipe.maps[0].file).with_suffix(".raw")
    without = name_of(recipe)
    raw.write_text("counts")
    first = name_of(recipe)
    later(raw)
    assert len({without, first, name_of(recipe)}) == 3


def test_a_recipe_saved_beside_a_map_and_other_maps_decide_nothing(recipe: Recipe) -> None:
    before = name_of(recipe)
    file = Path(recipe.maps[0].file)
    file.with_suffix(".toml").write_text("a recipe")
    file.with_name("map2.rpl").write_text("another map")
    assert name_of(recipe) == before


def test_the_numbered_files_of_an_emi_belong_to_it(recipe: Recipe, tmp_path: Path) -> None:
    file = tmp_path / "scan.emi"
    file.write_text("head")
    scan = changed(recipe, maps=(MapInput(file=str(file), name="a"),))
    before = name_of(scan)
    (tmp_path / "scan_1.ser").write_text("counts")
    assert name_of(scan) != before


def test_a_file_that_lists_others_anywhere_is_not_kept(recipe: Recipe, tmp_path: Path) -> None:
    file = tmp_path / "list.asw"
    file.write_text("see elsewhere")
    of = changed(recipe, maps=(MapInput(file=str(file), name="a"),))
    assert started(tmp_path / "cache").name(key_of(Work().table, "read", of)) is None


def test_the_files_of_k_factors_and_of_the_detector_decide_what_reads_them(
    recipe: Recipe, tmp_path: Path
) -> None:
    files = tmp_path / "k.csv", tmp_path / "curve.csv"
    for file in files:
        file.write_text("1")
    of = changed(
        recipe,
        quantification=Quantification(k_factors=str(files[0])),
        detector=DetectorSettings(curve=str(files[1])),
    )
    seen = {name_of(of, "whole")}
    for file in files:
        later(file)
        seen.add(name_of(of, "whole"))
    assert len(seen) == 3
    length = name_of(of, "length")
    later(files[0])
    assert name_of(of, "length") == length


@pytest.mark.parametrize(
    "settings",
    [
        {"decomposition": Decomposition(components=2)},
        {"decomposition": Decomposition(components=1, method="frobenius")},
    ],
)
def test_another_setting_is_another_result_and_leaves_what_does_not_read_it(
    recipe: Recipe, settings: dict[str, Any]
) -> None:
    other = changed(recipe, **settings)
    assert name_of(other, "length") != name_of(recipe, "length")
    assert name_of(other, "read") == name_of(recipe, "read")


def test_values_by_name_count_in_any_order_and_with_their_type(recipe: Recipe) -> None:
    def named(by_hand: Any) -> str:
        of = changed(recipe, quantification=Quantification(k_factor=by_hand))
        return name_of(of, "whole")

    assert named(FactorsByHand({"Fe": 1.6, "O": 2.0})) == named(
        FactorsByHand({"O": 2.0, "Fe": 1.6})
    )
    assert named(FactorsByHand({"Fe": 1.6})) != named(Numbers({"Fe": 1.6}))


def test_another_program_finds_nothing(recipe: Recipe) -> None:
    assert name_of(recipe, program="this one") != name_of(recipe, program="the next one")


def test_the_program_is_another_one_when_a_line_of_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "endmember_of_the_test"
    (package / "core").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "core" / "fit.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(program_digest, "PACKAGES", (package.name,))
    first = program_digest.program_digest()
    assert program_digest.program_digest() == first
    (package / "core" / "fit.py").write_text("x = 2\n")
    second = program_digest.program_digest()
    (package / "core" / "table.csv").write_text("1")
    third = program_digest.program_digest()
    monkeypatch.setattr("endmember.versions.versions", lambda: {"numpy": "99"})
    assert len({first, second, third, program_digest.program_digest()}) == 4


def test_the_program_counts_with_all_its_modules_and_tables(repository: Path) -> None:
    counted = {name for _, name in program_digest._files()}
    for top in ("app/endmember", "resources/endmember_resources"):
        for path in (repository / top).rglob("*"):
            if path.suffix in (".py", ".csv", ".toml"):
                assert (
                    f"{Path(top).name}/{path.relative_to(repository / top).as_posix()}" in counted
                )


def test_a_map_written_again_while_the_program_runs_lends_nothing_to_results_of_the_old_one(
    recipe: Recipe, folder: Path
) -> None:
    table, cache = Work().table, started(folder)
    assert cache.name(key_of(table, "read", recipe)) == name_of(recipe)
    old = name_of(recipe, "length")
    later(Path(recipe.maps[0].file))  # the old map is still in memory, and its length is measured
    assert cache.name(key_of(table, "length", recipe, "a")) == old
    assert name_of(recipe, "length") != old


def test_a_result_of_inputs_from_elsewhere_has_no_name(recipe: Recipe, folder: Path) -> None:
    assert started(folder).name(key_of(Work().table, "length", recipe, "a")) is None


# --- what is in a file ------------------------------------------------------------------------


def file_of(body: bytes) -> bytes:
    """An entry with everything right about it but its body."""
    digest = hashlib.blake2b(body, digest_size=32).digest()
    return disk_cache.MAGIC + digest + struct.pack("<Q", len(body)) + body


def test_the_layout_of_a_file_is_the_one_that_these_tests_forge(folder: Path) -> None:
    cache = started(folder)
    path = stored(cache, "n", ("a", 1))
    content = path.read_bytes()
    body = content[len(disk_cache.MAGIC) + 40 :]
    path.write_bytes(file_of(body))
    assert cache.find("n") == Kept(("a", 1), 1.0, None)


def test_a_cut_file_counts_as_missing_and_is_removed(folder: Path) -> None:
    cache = started(folder)
    whole = stored(cache, "n", np.arange(1000)).read_bytes()
    for length in (0, 1, 30, 58, 59, 60, 400, len(whole) - 1):
        (folder / "n.result").write_bytes(whole[:length])
        assert cache.find("n") is None
        assert not (folder / "n.result").exists()


def test_a_damaged_file_counts_as_missing_and_is_removed(
    folder: Path, rng: np.random.Generator
) -> None:
    cache = started(folder)
    whole = stored(cache, "n", np.arange(1000)).read_bytes()
    for place in (0, 20, 52, *rng.integers(59, len(whole), 20)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        (folder / "n.result").write_bytes(damaged)
        assert cache.find("n") is None
        assert not (folder / "n.result").exists()
    (folder / "n.result").write_bytes(whole + b"more")
    assert cache.find("n") is None


def test_a_foreign_file_counts_as_missing(folder: Path) -> None:
    cache = started(folder)
    folder.mkdir()
    for foreign in (b"%PDF-1.7 and so on" * 100, pickle.dumps(Kept(1, 1.0, None))):
        (folder / "n.result").write_bytes(foreign)
        assert cache.find("n") is None
    (folder / "n.result").mkdir()
    assert cache.find("n") is None


class Runs:
    """What a hostile file holds: something to be called when it is read."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.called = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.called


def global_call(module: str, name: str, *arguments: Any) -> bytes:
    """A pickle that calls a function by its name."""
    inside = pickle.dumps(arguments, 4)[2:-1]
    return b"\x80\x04c" + f"{module}\n{name}\n".encode() + inside + b"R."


@pytest.mark.parametrize("kind", ["system", "eval", "file", "ours", "method", "class", "document"])
def test_a_hostile_file_runs_nothing_and_is_removed(
    folder: Path, tmp_path: Path, kind: str
) -> None:
    mark, maker = str(tmp_path / "was here"), "endmember.session.cache.kept_values"
    hostile = {
        "system": pickle.dumps(Runs(os.system, f'echo > "{mark}"')),
        "eval": pickle.dumps(Kept(Runs(eval, f"open({mark!r}, 'w')"), 1.0, None)),
        "file": global_call("io", "open", mark, "w"),
        "ours": global_call("endmember.files.disk.folders", "write_json", mark, 1),
        "method": global_call(maker, "_instance.__globals__.get", "pickle"),
        "class": global_call("endmember.core.counts.spectrum", "EnergyAxis", 0.0, 0.1, 9),
        "document": global_call(
            maker, "_instance", "endmember.session.documents.document", "Document", ((mark, 1),)
        ),
    }[kind]
    folder.mkdir()
    (folder / "n.result").write_bytes(file_of(hostile))
    with pytest.raises(Refused):
        read_value(io.BytesIO(hostile))
    assert started(folder).find("n") is None
    assert not Path(mark).exists()
    assert not (folder / "n.result").exists()


def test_the_hostile_files_would_do_harm_to_a_plain_reader(tmp_path: Path) -> None:
    mark = tmp_path / "was here"
    pickle.loads(global_call("io", "open", str(mark), "w")).close()
    assert mark.exists()
    assert pickle.loads(
        global_call("endmember.core.counts.spectrum", "EnergyAxis", 0.0, 0.1, 9)
    ) == (EnergyAxis(0.0, 0.1, 9))


def back(value: Any) -> Any:
    """A value written and read again."""
    stream = io.BytesIO()
    write_value(value, stream)
    stream.seek(0)
    return read_value(stream)


def check_same(a: Any, b: Any, where: str = "") -> None:
    """That two values are alike to the last bit, with types, flags and order in memory."""
    assert type(a) is type(b), where
    if isinstance(a, np.ndarray):
        assert (a.dtype, a.shape, a.flags.writeable) == (b.dtype, b.shape, b.flags.writeable), where
        assert np.argsort(a.strides).tolist() == np.argsort(b.strides).tolist(), where
        assert a.tobytes() == b.tobytes(), where
    elif dataclasses.is_dataclass(a):
        for f in dataclasses.fields(a):
            check_same(getattr(a, f.name), getattr(b, f.name), f"{where}.{f.name}")
    elif isinstance(a, dict | Named):
        assert list(a) == list(b), where
        for name in a:
            check_same(a[name], b[name], f"{where}[{name}]")
    elif isinstance(a, tuple | list):
        assert len(a) == len(b), where
        for number, (one, other) in enumerate(zip(a, b, strict=True)):
            check_same(one, other, f"{where}[{number}]")
    elif isinstance(a, msgspec.Struct):
        assert a == b, where
    else:
        assert repr(a) == repr(b), where


def test_arrays_come_back_with_their_bits_order_and_flags(rng: np.random.Generator) -> None:
    block = rng.random((5, 6, 7))
    fixed = block.copy()
    fixed.flags.writeable = False
    for array in (
        block,
        fixed,
        fixed[1:, ::2],
        np.asfortranarray(block),
        block.transpose(1, 2, 0),
        block[:, :, 2],
        block[:0],
        np.array(3.5),
        np.array([np.nan, -0.0, np.inf]),
        np.arange(300_000, dtype=">u2").reshape(3, -1),
        np.array([True, False]),
        np.array(["Fe", "O"]),
    ):
        check_same(array, back(array))


def test_what_two_parts_share_is_shared_again(rng: np.random.Generator) -> None:
    shared = rng.random(9)
    one, other = back((shared, {"again": shared}))
    assert one is other["again"]


def test_numbers_of_numpy_and_named_values_come_back(recipe: Recipe) -> None:
    value = (np.float64(0.1), np.uint16(7), Numbers({"Fe": 2.6}), recipe, EnergyAxis(0.0, 0.01, 9))
    check_same(value, back(value))


@pytest.mark.parametrize(
    "value",
    [
        lambda: 1,
        threading.Lock(),
        Path("a"),
        np.array([object()]),
        Failure,
        Work(),
        ValueError("a"),
    ],
)
def test_what_could_not_be_read_again_is_not_stored(
    folder: Path, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    cache = started(folder)
    for name in ("one", "two"):
        assert not cache.store(name, Kept((1, value), 1.0, None))
    assert list(folder.iterdir()) == []
    assert len(caplog.records) == 1
    assert cache.store("three", Kept(3, 1.0, None))


def test_a_value_that_holds_itself_is_not_stored(folder: Path) -> None:
    ring: list[Any] = [Numbers()]
    ring[0]._values["itself"] = ring[0]
    assert not started(folder).store("n", Kept(ring, 1.0, None))


# --- the steps of the method ------------------------------------------------------------------

SIZE = 48
ELEMENTS = ("O", "Mg", "Al", "Si", "Ca", "Fe")  # few, for speed


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """The demo as two maps, the second a part of the first, with all that a recipe can hold."""
    file = prepare_demo(tmp_path_factory.mktemp("demo"), SIZE, lambda _: None)
    recipe = Document.open(file).session.recipe
    (whole,) = recipe.maps
    rois = (
        Roi(name="matrix", phase=recipe.sample.matrix, rectangle=(1, 1, 6, 6)),
        Roi(name="grain", phase=recipe.precipitates[0].name, ellipse=(17, 9, 7, 7)),
    )
    part = changed(whole, name="part", crop=(0, 0, 40, 44))
    entries = (
        changed(whole, rois=rois, excludes=(Exclude(rectangle=(0, 40, 4, 4)),)),
        changed(part, thickness_nm=90),
    )

    def on_both(of: Precipitate) -> Precipitate:
        here = tuple(r for r in of.rectangles if r.box[0] + r.box[2] < 40 and r.box[1] < 30)
        twins = tuple(PrecipitateRectangle(map="part", box=r.box) for r in here)
        x, y, width, height = of.rectangles[0].box
        centre = ((x + width / 2, y + height / 2),)
        stroke = Stroke(map=whole.name, label="inside", radius=1, points=centre)
        return changed(of, rectangles=(*of.rectangles, *twins), strokes=(stroke,))

    return changed(
        recipe,
        maps=entries,
        instrument=changed(recipe.instrument, energy_range_keV=(0.3, 8.0)),
        sample=changed(recipe.sample, elements=ELEMENTS, system_elements=("Cu",)),
        decomposition=changed(recipe.decomposition, method="frobenius"),
        quantification=Quantification(
            k_factor=FactorsByHand({"Fe": 1.6}), escape_peaks=True, oxygen="stoichiometry"
        ),
        precipitates=tuple(on_both(p) for p in recipe.precipitates),
    )


def test_every_step_is_found_as_it_was_computed_and_what_follows_from_it_is_the_same(
    demo: Recipe, folder: Path
) -> None:
    computed, loaded = Document(demo).session, Document(demo).session
    cache = DiskCache(folder, LARGE)
    run_all(computed)
    assert computed.failures() == []
    while jobs := loaded.due():
        job = jobs[0]
        name = cache.name(job.key)
        assert name is not None
        value = job.run(lambda _: None)
        check_same(computed.results[job.key], value, job.step)
        assert cache.store(name, Kept(value, 1.0, None)), job.step
        kept = started(folder).find(name)
        assert kept is not None, job.step
        check_same(value, kept.value, job.step)
        loaded.accept(job.key, kept.value)
    assert {key.step for key in loaded.results} == {step.name for step in loaded.table}
    assert cache.size().entries == len(loaded.results) == 2 * 5 + 5


# --- the folder -------------------------------------------------------------------------------


def test_what_was_not_used_for_longest_goes_first(folder: Path) -> None:
    entry = np.zeros(10_000, np.uint8)
    cache = started(folder, most_bytes=45_000)
    for used, name in enumerate("abcd"):
        stored(cache, name, entry, used=1000.0 + used)
    assert cache.find("a") is not None  # used now
    stored(cache, "e", entry)
    assert [name for name in "abcde" if cache.find(name) is not None] == ["a", "c", "d", "e"]
    assert cache.size().bytes <= 45_000


def test_what_takes_more_than_a_quarter_of_the_room_is_not_stored(folder: Path) -> None:
    cache = started(folder, most_bytes=40_000)
    assert not cache.store("n", Kept(np.zeros(10_001, np.uint8), 1.0, None))
    assert cache.size() == CacheSize(0, 0)
    assert list(folder.iterdir()) == []
    assert cache.store("n", Kept(np.zeros(9_000, np.uint8), 1.0, None))


def test_clearing_leaves_what_is_not_of_the_cache(folder: Path) -> None:
    cache = started(folder)
    stored(cache, "n", 1)
    (folder / "letter.txt").write_text("mine")
    (folder / ".m.result.12345678.part").write_text("of a program that crashed")
    assert cache.size().entries == 1
    cache.clear()
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]
    assert cache.find("n") is None
    stored(cache, "n", 1)


def test_what_a_crash_left_half_written_is_removed_after_an_hour(folder: Path) -> None:
    cache = started(folder)
    folder.mkdir()
    old, new = (folder / f".{name}.result.12345678.part" for name in ("old", "new"))
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (time.time() - 4000, time.time() - 4000))
    stored(cache, "n", 1)
    assert not old.exists()
    assert new.exists()  # another program may be writing it


def test_a_folder_that_cannot_be_made_is_told_once_and_the_program_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = started(tmp_path / "file" / "cache")
    for name in "ab":
        assert not cache.store(name, Kept(1, 1.0, None))
        assert cache.find(name) is None
    cache.clear()
    assert cache.size().entries == 0
    assert sum("no more results are kept" in r.getMessage() for r in caplog.records) == 1


def test_a_full_disk_leaves_no_half_file_and_is_told_once(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def fill(stream: Any, *_: Any) -> None:
        tried.append(1)
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk_cache, "_write", fill)
    cache = started(folder)
    for name in "ab":
        assert not cache.store(name, Kept(1, 1.0, None))
    assert list(folder.iterdir()) == []
    assert len(caplog.records) == len(tried) == 1


def test_writing_stops_when_it_is_told_to(folder: Path) -> None:
    asked: list[int] = []

    def is_stopped() -> bool:
        asked.append(1)
        return len(asked) > 2

    cache = started(folder)
    assert not cache.store("n", Kept(np.zeros(20_000_000, np.uint8), 1.0, None), is_stopped)
    assert len(asked) == 3
    assert list(folder.iterdir()) == []


def test_two_programs_at_once_do_not_disturb_each_other(folder: Path) -> None:
    entry, most = np.arange(5_000), 250_000  # room for six of them
    wrong: list[Any] = []

    def work() -> None:
        cache = started(folder, most)
        for turn in range(40):
            name = f"n{turn % 9}"
            kept = cache.find(name)
            if kept is not None and not np.array_equal(kept.value, entry):
                wrong.append(kept)
            if kept is None and not cache.store(name, Kept(entry, 1.0, None)):
                wrong.append(name)

    programs = [threading.Thread(target=work) for _ in range(2)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert wrong == []
    assert 0 < started(folder).size().bytes <= most


def test_the_cache_is_where_and_as_large_as_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recipe: Recipe
) -> None:
    monkeypatch.setenv("ENDMEMBER_CACHE", str(tmp_path / "here"))
    sizes = {"12": 12_000_000, "0": 0, "-3": 0, "": 2_000_000_000, "much": 2_000_000_000}
    for text, size in {**sizes, "inf": 2_000_000_000}.items():
        monkeypatch.setenv("ENDMEMBER_CACHE_MB", text)
        cache = DiskCache()
        assert (cache.folder, cache.most_bytes) == (tmp_path / "here", size)
    monkeypatch.setenv("ENDMEMBER_CACHE_MB", "0")
    cache = DiskCache()
    assert cache.name(key_of(Work().table, "read", recipe)) is None
    assert not cache.store("n", Kept(1, 1.0, None))
    assert not (tmp_path / "here").exists()


# --- the window's work ------------------------------------------------------------------------


class Program:
    """A runner with its cache, as one start of the program has them."""

    def __init__(self, qtbot: QtBot, folder: Path, recipe: Recipe, **settings: Any) -> None:
        self.qtbot, self.work = qtbot, Work()
        vars(self.work).update(settings)
        self.runner = Runner(started(folder))
        self.session = Session(self.work.table, recipe)

    def run(self) -> None:
        self.runner.show(self.session)
        self.finish()

    def finish(self) -> None:
        self.qtbot.waitUntil(
            lambda: (
                self.runner.running is None
                and not self.session.due()
                and not self.runner.is_storing
            )
        )


Starter = Callable[..., Program]


@pytest.fixture
def start(qtbot: QtBot, folder: Path, recipe: Recipe) -> Iterator[Starter]:
    made: list[Program] = []

    def begin(**settings: Any) -> Program:
        made.append(Program(qtbot, folder, recipe, **settings))
        return made[-1]

    yield begin
    for program in made:
        program.runner.close()


def test_what_one_start_computed_the_next_one_does_not(
    start: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "endmember")
    first, second = start(), start()
    first.run()
    assert first.work.calls == ["read", "length", "whole"]
    assert "found on disk" not in caplog.text
    second.run()
    assert second.work.calls == []
    assert second.session.results == first.session.results
    assert caplog.text.count("found on disk") == 3
    # what a result cost is what it cost when it was computed
    assert second.runner.records_of(second.session) == first.runner.records_of(first.session)


def test_what_was_found_is_not_stored_again(
    start: Starter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start().run()
    asked: list[str] = []
    monkeypatch.setattr(DiskCache, "store", lambda _, name, *__: asked.append(name))
    start().run()
    assert asked == []
    assert len(list(folder.iterdir())) == 3


def test_only_what_a_change_decides_is_computed_by_the_next_start(
    start: Starter, recipe: Recipe
) -> None:
    start().run()
    later(Path(recipe.maps[0].file))
    second = start()
    second.run()
    assert second.work.calls == ["read", "length", "whole"]
    third = start()
    third.session.change(changed(recipe, decomposition=Decomposition(components=4)))
    third.run()
    assert third.work.calls == ["length"]


def test_a_failure_is_not_kept(start: Starter, folder: Path) -> None:
    first = start(fails=True)
    first.run()
    assert isinstance(first.session.result("length", "a"), Failure)
    assert len(list(folder.iterdir())) == 2
    second = start()
    second.run()
    assert second.work.calls == ["length"]


def test_a_step_that_was_stopped_is_not_kept(
    start: Starter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any) -> Any:
        raise Cancelled

    program = start()
    monkeypatch.setattr(DiskCache, "find", stop)
    program.runner.started.connect(lambda running: setattr(running, "by_hand", True))
    program.run()
    assert isinstance(program.session.result("read", "a"), Failure)
    assert not folder.exists()


def test_results_are_written_when_all_steps_are_done(
    start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start()
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr(
        DiskCache,
        "store",
        lambda *_: seen.append((*program.work.calls, str(program.runner.running))),
    )
    program.run()
    assert seen == 3 * [("read", "length", "whole", "None")]


def test_results_that_are_no_longer_wanted_are_not_written(
    start: Starter, recipe: Recipe, folder: Path
) -> None:
    program = start()

    def change(step: str, _: object) -> None:
        if step == "length" and program.session.recipe == recipe:
            other = changed(recipe, decomposition=Decomposition(components=3))
            program.session.change(other)

    program.runner.step_done.connect(change)
    program.run()
    assert program.work.calls.count("length") == 2
    assert len(list(folder.iterdir())) == 3
    again = start()
    again.run()
    assert again.work.calls == ["length"]  # the one with a single component


def test_closing_while_a_result_is_written_leaves_nothing_half(
    start: Starter, folder: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    inside, stopped = threading.Event(), threading.Event()
    write = disk_cache._write

    def slowly(stream: Any, kept: Kept, most: int, is_stopped: Callable[[], bool]) -> None:
        stream.write(b"half")
        inside.set()
        while not is_stopped():
            time.sleep(0.001)
        stopped.set()
        write(stream, kept, most, is_stopped)

    monkeypatch.setattr(disk_cache, "_write", slowly)
    program = start()
    program.runner.show(program.session)
    qtbot.waitUntil(inside.is_set)
    assert program.runner.running is None
    program.runner.close()
    assert stopped.is_set()
    assert list(folder.iterdir()) == []


def test_what_waits_to_be_written_is_forgotten_with_its_document(
    start: Starter, folder: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    inside, go = threading.Event(), threading.Event()
    write = disk_cache._write

    def wait(*arguments: Any) -> None:
        inside.set()
        go.wait()
        write(*arguments)

    monkeypatch.setattr(disk_cache, "_write", wait)
    program = start()
    program.runner.show(program.session)
    qtbot.waitUntil(inside.is_set)
    program.runner.show(Session(program.work.table, program.session.recipe))
    program.runner.show(None)
    go.set()
    qtbot.waitUntil(lambda: not program.runner.is_storing)
    assert len(list(folder.iterdir())) == 1


def test_a_result_that_takes_the_place_of_one_not_yet_written_is_not_written_under_its_name(
    start: Starter, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, Any]] = []
    monkeypatch.setattr(DiskCache, "store", lambda _, name, kept, __: written.append((name, kept)))
    program = start()
    file = Path(recipe.maps[0].file)
    old = name_of(recipe)
    seen: list[str] = []

    def overwrite(step: str, _: object) -> None:
        if step == "read" and not seen:
            seen.append(step)
            file.write_text("another map")
            found = Kept(("a", "another map"), 1.0, None)
            monkeypatch.setattr(DiskCache, "find", lambda *_: found)
            del program.session.results[program.session.key("read")]

    program.runner.step_done.connect(overwrite)
    program.run()
    assert program.session.result("read") == ("a", "another map")
    assert old not in [name for name, _ in written]


def test_a_runner_without_a_cache_computes_everything(
    qtbot: QtBot, recipe: Recipe, folder: Path
) -> None:
    runner, work = Runner(), Work()
    session = Session(work.table, recipe)
    runner.show(session)
    qtbot.waitUntil(lambda: runner.running is None and not session.due())
    runner.close()
    assert work.calls == ["read", "length", "whole"]
    assert not folder.exists()


def test_the_menu_empties_the_cache_and_only_where_there_is_one(
    qtbot: QtBot, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[CacheSize] = []
    answers = [False, True]

    def answer(_: Any, __: Path, size: CacheSize) -> bool:
        asked.append(size)
        return answers[len(asked) - 1]

    monkeypatch.setattr("endmember.ui.program.dialogs.ask_clear", answer)
    stored(started(folder), "n", np.zeros(5000, np.uint8))
    window = make_window(Preferences(tmp_path / "settings.ini"), started(folder))
    qtbot.addWidget(window)
    clear = window.actions_.clear_cache
    assert clear.isEnabled()
    clear.trigger()
    assert started(folder).size() == asked[0]
    assert asked[0].entries == 1
    assert asked[0].bytes > 5000
    clear.trigger()
    assert started(folder).size() == CacheSize(0, 0)
    window.runner.close()
    without = make_window(Preferences(tmp_path / "settings.ini"))
    qtbot.addWidget(without)
    assert not without.actions_.clear_cache.isEnabled()
    without.runner.close()


def test_keys_of_one_cache_are_bounded(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("endmember.session.cache.key_names.MOST_NAMES", 3)
    names = KeyNames(lambda: "this one")
    table = Work().table
    read = key_of(table, "read", recipe)
    names.name(read)
    for components in range(1, 9):
        of = changed(recipe, decomposition=Decomposition(components=components))
        key: Key = key_of(table, "length", of, "a")
        names.name(key)  # uses the name of the map, which so is never the oldest
    assert len(names._names) == 3
