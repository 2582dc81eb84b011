"""Data files that have moved, have changed, or are wanted by other programs meanwhile."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PyQt6.QtCore import QCoreApplication, Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from endmember.demo import prepare_demo
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Instrument, MapInput, Recipe
from endmember.session.decisions.recipe_file import (
    RecipeError,
    dump_recipe,
    load_recipe,
    parse_recipe,
)
from endmember.session.documents.document import Document
from endmember.session.documents.map_files import missing_files, relinked
from endmember.session.state.session import Session
from endmember.session.steps.chain import STEPS
from endmember.session.steps.map_data import load_map
from endmember.session.views.remarks import remarks
from endmember.ui.program.preferences import Preferences
from endmember.ui.window.application import make_window
from endmember.ui.window.window import MainWindow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe of a small map beside it."""
    return prepare_demo(tmp_path_factory.mktemp("demo"), 64, lambda _: None)


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    window = make_window(Preferences(tmp_path / "settings.ini"))
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.show_document(None)
    window.close()
    window.deleteLater()
    QCoreApplication.processEvents()


def project(folder: Path, names: tuple[str, ...] = ("a.hspy", "sub/b.hspy")) -> Path:
    """A recipe of maps and a table of k-factors in `folder`/data; the files hold their names."""
    data = folder / "data"
    for name in (*names, "k.csv"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    recipe = edits.new_recipe(data / names[0])
    for name in names[1:]:
        recipe = edits.add_map(recipe, data / name)
    recipe = edits.set_quantification(recipe, k_factors=str(data / "k.csv"))
    Document(recipe).save(folder / "sample.toml")
    return folder / "sample.toml"


def files_of(recipe: Recipe) -> list[Path]:
    return [Path(entry.file) for entry in recipe.maps] + [Path(recipe.quantification.k_factors)]


class Questions:
    """Answers the questions for moved files: by keys in the box, and the file chosen then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *files: Path) -> None:
        self.files, self.asked, self.boxes = list(files), [], []
        monkeypatch.setattr(QFileDialog, "getOpenFileName", self._file)

    def _file(self, _parent: Any, title: str, start: str, *_: Any) -> tuple[str, str]:
        self.asked.append((title, start))
        return (str(self.files.pop(0)) if self.files else ""), ""

    def press(self, *keys: Qt.Key) -> None:
        """In one box after the other."""
        left = list(keys)

        def look(tries: int = 500) -> None:
            box = QApplication.activeModalWidget()
            if isinstance(box, QMessageBox) and left:
                self.boxes.append(f"{box.text()} {box.informativeText()}")
                key = left.pop(0)
                QTimer.singleShot(0, lambda: QTest.keyClick(box, key))
            if left and tries:
                QTimer.singleShot(20, lambda: look(tries - 1))

        QTimer.singleShot(20, look)


ENTER, ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Escape


def test_one_answer_finds_all_that_moved_along(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = project(tmp_path)
    moved = tmp_path / "elsewhere" / "new data"
    moved.parent.mkdir()
    (tmp_path / "data").rename(moved)
    questions = Questions(monkeypatch, moved / "a.hspy")
    questions.press(ENTER)
    window.actions_.open_files([recipe])
    assert len(questions.asked) == 1
    assert questions.asked[0] == ("Where is a.hspy?", str(tmp_path))
    assert "a.hspy" in questions.boxes[0]
    assert "2 more" in questions.boxes[0]
    document = window.workspace.document
    assert document is not None
    there = files_of(document.session.recipe)
    assert [path.read_text() for path in there] == ["a.hspy", "sub/b.hspy", "k.csv"]
    assert document.modified  # to be saved, so that nobody is asked again
    assert not document.session.can_undo
    assert window.actions_.save_recipe()
    assert missing_files(Document.open(recipe).session.recipe) == []


def test_files_that_moved_apart_are_asked_for_one_by_one_and_may_stay_missing(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = project(tmp_path, ("a.hspy", "b.hspy"))
    new = tmp_path / "new"
    new.mkdir()
    for name in ("a.hspy", "b.hspy", "k.csv"):
        (tmp_path / "data" / name).unlink()
    (new / "renamed.hspy").write_text("a.hspy")
    questions = Questions(monkeypatch, new / "renamed.hspy")
    questions.press(ENTER, ESCAPE)
    window.actions_.open_files([recipe])
    assert [title for title, _ in questions.asked] == ["Where is a.hspy?"]
    assert "b.hspy" in questions.boxes[1]
    document = window.workspace.document
    assert document is not None
    assert files_of(document.session.recipe)[0] == new / "renamed.hspy"
    assert [gone.name for gone in missing_files(document.session.recipe)] == ["b.hspy", "k.csv"]


def test_a_file_of_the_same_name_that_is_not_missing_is_never_replaced(tmp_path: Path) -> None:
    recipe = Document.open(project(tmp_path)).session.recipe
    old, new = tmp_path / "data" / "a.hspy", tmp_path / "new" / "a.hspy"
    new.parent.mkdir()
    for name in ("a.hspy", "k.csv", "b.hspy"):
        (new.parent / name).write_text("other")
    old.unlink()
    changed_files = files_of(relinked(recipe, old, new))
    assert changed_files == [new, *files_of(recipe)[1:]]


# --- the content ---------------------------------------------------------------------------------


def read_only(recipe: Recipe) -> Session:
    """A session in which the map was read and nothing else was done."""
    session = Session(STEPS, recipe)
    (job,) = session.due()
    assert session.accept(job.key, job.run(lambda _: None))
    return session


def test_saving_notes_the_content_and_another_content_is_told_until_it_is_accepted(
    demo: Path, tmp_path: Path
) -> None:
    document = Document.open(demo)
    document.session.results = read_only(document.session.recipe).results
    keys = document.session.wanted_keys()
    path = tmp_path / "mine.toml"
    document.save(path)
    true = hashlib.sha256(demo.with_name("demo.hspy").read_bytes()).hexdigest()
    assert load_recipe(path).maps[0].sha256 == true
    assert document.session.wanted_keys() == keys  # nothing is computed again
    assert not document.modified
    assert not [r for r in remarks(document.session) if "SHA-256" in r.sentence]
    text = path.read_text("utf-8").replace(true, "0" * 64)
    path.write_text(text, "utf-8")
    opened = Document.open(path)
    opened.session.results = dict(document.session.results)
    (told,) = [r for r in remarks(opened.session) if "SHA-256" in r.sentence]
    assert (told.step, told.map) == ("read", "demo")
    assert "demo.hspy is not the file" in told.sentence
    opened.save()
    assert load_recipe(path).maps[0].sha256 == true
    assert not [r for r in remarks(opened.session) if "SHA-256" in r.sentence]


def test_a_recipe_without_digests_stays_as_it_is_and_a_wrong_one_is_named(demo: Path) -> None:
    text = demo.read_text("utf-8")
    assert "sha256" not in text
    assert "sha256" not in dump_recipe(parse_recipe(text, "x"))
    wrong = text.replace('name = "demo"', 'name = "demo"\nsha256 = "12"', 1)
    with pytest.raises(RecipeError, match=r'map\[0\]\.sha256 \("demo"\) is no SHA-256'):
        parse_recipe(wrong, "x")


# --- other programs ------------------------------------------------------------------------------

TOUCH = """
import os, sys, h5py
path = sys.argv[1]
with h5py.File(path, "r+") as file:
    file.attrs["touched"] = 1
os.rename(path, path + ".moved")
os.rename(path + ".moved", path)
"""


def touched(path: Path) -> bool:
    """Whether another program can write, rename and rename back a file now."""
    environment = {"PATH": "", "SYSTEMROOT": ""}  # it locks files as HDF5 does by itself
    done = subprocess.run([sys.executable, "-c", TOUCH, path], env=environment, capture_output=True)
    return done.returncode == 0


def handles(path: Path) -> list[str]:
    """Open files and memory maps of this process that show a file."""
    own = psutil.Process()
    shown = [of.path for of in own.open_files()] + [of.path for of in own.memory_maps()]
    return [one for one in shown if Path(one).name == path.name]


def test_another_program_may_write_rename_and_delete_a_map_that_is_open(
    demo: Path, tmp_path: Path
) -> None:
    path = tmp_path / "map.hspy"
    path.write_bytes(demo.with_name("demo.hspy").read_bytes())
    during: list[bool] = []

    def report(fraction: float) -> None:
        if 0.3 < fraction < 0.8 and not during:
            during.append(touched(path))

    data = load_map(report, MapInput(file=str(path), name="m"), Instrument())
    assert during == [True]
    assert handles(path) == []
    path.unlink()
    assert data.image.spectrum().counts.sum() == data.image.total > 0  # all of it is in memory


def test_a_lock_would_be_seen_by_this_test(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "map.hspy"
    path.write_bytes(demo.with_name("demo.hspy").read_bytes())
    fcntl = pytest.importorskip("fcntl")
    with path.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)  # as the HDF5 library does where it may
        assert not touched(path)
        assert handles(path)
    assert touched(path)


def test_reading_changes_neither_content_nor_time_of_a_map(demo: Path) -> None:
    path = demo.with_name("demo.hspy")
    state: Callable[[], tuple[bytes, int]] = lambda: (path.read_bytes(), path.stat().st_mtime_ns)  # noqa: E731
    before = state()
    load_map(lambda _: None, MapInput(file=str(path), name="m"), Instrument())
    assert state() == before
