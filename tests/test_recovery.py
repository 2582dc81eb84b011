"""Decisions that were not saved: kept at once, offered after a crash, never another program's."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QPoint, Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from endmember.files.disk import owners
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Recipe
from endmember.session.decisions.recipe_file import load_recipe
from endmember.session.documents.document import Document
from endmember.session.documents.recovery import Kept, Recovery, recovery_folder
from endmember.ui.program.preferences import Preferences
from endmember.ui.window import opening
from endmember.ui.window.application import make_window
from endmember.ui.window.recovering import RecoverDialog, offer
from endmember.ui.window.window import MainWindow

KEEPER = """
import sys
from pathlib import Path
from endmember.session.decisions import edits
from endmember.session.documents.recovery import Recovery
folder, map_file, document, seed = sys.argv[1:5]
recipe = edits.set_decomposition(edits.new_recipe(Path(map_file)), seed=int(seed))
Recovery(Path(folder)).new_file().keep(recipe, Path(document) if document else None)
print("kept", flush=True)
sys.stdin.read()
"""


@cache
def ended_mark() -> str:
    """The mark of a program that has ended."""
    code = "from endmember.files.disk import owners; print(owners.own_mark())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def keep_elsewhere(store: Recovery, map_file: Path, document: Path | None, seed: int) -> None:
    """What a program has kept that ended without saving it."""
    file = store.new_file()
    file.keep(edits.set_decomposition(edits.new_recipe(map_file), seed=seed), document)
    name = file.path.name.replace(owners.own_mark(), ended_mark())
    file.path.rename(file.path.with_name(name))


@pytest.fixture
def store(tmp_path: Path) -> Recovery:
    return Recovery(tmp_path / "kept")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A saved recipe of a map that is not there."""
    document = Document.of_map(tmp_path / "map1.hspy")
    document.save(tmp_path / "sample.toml")
    return tmp_path / "sample.toml"


@pytest.fixture
def window(
    qtbot: QtBot, tmp_path: Path, store: Recovery, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    monkeypatch.setattr(opening, "ask_for_moved", lambda *_: None)
    window = make_window(Preferences(tmp_path / "settings.ini"), recovery=store)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.show_document(None)
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()
    del window
    gc.collect()  # here, not in a worker's thread, while the next window styles all widgets


def until(qtbot: QtBot, holds: Callable[[], object]) -> None:
    qtbot.waitUntil(lambda: bool(holds()), timeout=20_000)


def kept_recipes(store: Recovery) -> list[Recipe]:
    """What lies in the folder, whoever it belongs to."""
    files = sorted(store.folder.glob("recipe.*.toml")) if store.folder.is_dir() else []
    return [load_recipe(file, unfinished=True) for file in files]


def answer(act: Callable[[Any], None], kind: type[QDialog] = RecoverDialog) -> None:
    """What a person does in the next dialog of a kind."""

    def look(tries: int = 400) -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, kind):
            act(dialog)
        elif tries:
            QTimer.singleShot(10, lambda: look(tries - 1))

    QTimer.singleShot(10, look)


def press(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))


def button_of(box: QMessageBox, text: str) -> QPushButton:
    (found,) = [b for b in box.buttons() if b.text().replace("&", "") == text]
    assert isinstance(found, QPushButton)
    return found


# --- the folder ----------------------------------------------------------------------------------


def test_what_an_ended_program_left_is_found_with_name_and_time(
    store: Recovery, tmp_path: Path
) -> None:
    before = time.time()
    keep_elsewhere(store, tmp_path / "a.hspy", None, 1)
    keep_elsewhere(store, tmp_path / "b.hspy", tmp_path / "b.toml", 2)
    newest, oldest = store.found()
    assert (newest.title, newest.document) == ("b.toml", tmp_path / "b.toml")
    assert (oldest.title, oldest.document) == ("a.hspy", None)
    assert [one.recipe.decomposition.seed for one in (newest, oldest)] == [2, 1]
    assert before <= oldest.changed_at <= newest.changed_at <= time.time()
    assert newest.belongs_to(tmp_path / "b.toml")
    assert oldest.belongs_to(tmp_path / "a.hspy")
    assert not oldest.belongs_to(tmp_path / "b.hspy")


def test_what_a_running_program_keeps_is_not_offered_to_another(
    store: Recovery, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", KEEPER, str(store.folder), str(tmp_path / "a.hspy"), "", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"kept"
        assert store.found() == []
        other.kill()
        time.sleep(0.05)  # not waited for yet: a zombie is no running program
        assert len(store.found()) == 1
    assert len(store.found()) == 1


def test_a_process_that_got_the_same_id_later_owns_nothing(store: Recovery, tmp_path: Path) -> None:
    file = store.new_file()
    file.keep(edits.new_recipe(tmp_path / "a.hspy"), None)
    assert store.found() == []  # of this very process
    host, pid, started, since_boot = owners.own_mark().split("-")
    hour = 3600 * 100
    earlier = f"{host}-{pid}-{int(started, 16) - hour:x}-{max(int(since_boot, 16) - hour, 0):x}"
    assert owners.runs(earlier) is False
    file.path.rename(file.path.with_name(file.path.name.replace(owners.own_mark(), earlier)))
    assert len(store.found()) == 1


def test_a_clock_that_was_set_does_not_make_a_program_look_ended() -> None:
    host, pid, started, since_boot = owners.own_mark().split("-")
    day = 24 * 3600 * 100
    assert owners.runs(f"{host}-{pid}-{int(started, 16) + day:x}-{since_boot}") is True
    assert owners.runs(f"{host}-{pid}-{started}-{int(since_boot, 16) + day:x}") is True
    assert owners.runs("nonsense") is None


def test_files_of_another_computer_are_left_alone_for_a_day(
    store: Recovery, tmp_path: Path
) -> None:
    import os

    file = store.new_file()
    file.keep(edits.new_recipe(tmp_path / "a.hspy"), None)
    host = owners.own_mark().split("-")[0]
    other = f"{int(host, 16) ^ 1:08x}"
    foreign = file.path.rename(file.path.with_name(file.path.name.replace(host, other)))
    assert store.found() == []
    old = time.time() - 25 * 3600
    os.utime(foreign, (old, old))
    assert len(store.found()) == 1


def test_of_two_programs_only_one_takes_what_was_left(store: Recovery, tmp_path: Path) -> None:
    keep_elsewhere(store, tmp_path / "a.hspy", None, 1)
    (kept,) = store.found()
    taken = store.take(kept)
    assert taken.path.is_file()
    with pytest.raises(ValueError, match=r"a\.hspy: .*another window may have recovered"):
        store.take(kept)
    assert store.found() == []


def test_a_damaged_file_is_left_alone(store: Recovery, tmp_path: Path) -> None:
    keep_elsewhere(store, tmp_path / "a.hspy", None, 1)
    (kept,) = store.found()
    for content in (b"", b"\xff\xfe", kept.file.read_bytes()[:120], b"# endmember-recovery []\n"):
        kept.file.write_bytes(content)
        assert store.found() == []
        assert kept.file.read_bytes() == content


def test_the_folder_follows_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ENDMEMBER_CONFIG", str(tmp_path))
    assert recovery_folder() == tmp_path / "recovery"
    monkeypatch.setenv("ENDMEMBER_RECOVERY", str(tmp_path / "x"))
    assert recovery_folder() == tmp_path / "x"


# --- the window ----------------------------------------------------------------------------------


def test_every_change_is_kept_until_it_is_saved_or_taken_back(
    qtbot: QtBot, window: MainWindow, store: Recovery, saved: Path
) -> None:
    window.actions_.open_files([saved])
    assert kept_recipes(store) == []
    for seed in (1, 2, 3):
        window.workspace.edit(edits.set_decomposition, seed=seed)
        until(qtbot, lambda: kept_recipes(store) == [window.workspace.recipe])
    window.workspace.undo()
    until(qtbot, lambda: kept_recipes(store)[0].decomposition.seed == 2)
    assert window.actions_.save_recipe()
    until(qtbot, lambda: kept_recipes(store) == [])
    window.workspace.undo()
    until(qtbot, lambda: len(kept_recipes(store)) == 1)
    window.workspace.redo()  # as it was saved
    until(qtbot, lambda: kept_recipes(store) == [])
    window.workspace.edit(edits.set_decomposition, seed=9)
    until(qtbot, lambda: len(kept_recipes(store)) == 1)
    window.show_document(None)  # given up: whoever closes was asked
    until(qtbot, lambda: kept_recipes(store) == [])


def test_closing_the_window_leaves_nothing(
    qtbot: QtBot, window: MainWindow, store: Recovery, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("endmember.ui.program.dialogs.ask_save", lambda *_: "discard")
    window.actions_.open_files([saved])
    window.workspace.edit(edits.set_decomposition, seed=9)
    window.close()
    until(qtbot, lambda: kept_recipes(store) == [])


def test_a_folder_that_cannot_be_written_is_told_once(
    qtbot: QtBot, window: MainWindow, store: Recovery, saved: Path
) -> None:
    store.folder.write_text("a file where the folder should be")
    window.actions_.open_files([saved])
    told: list[str] = []
    window.workspace.said.connect(lambda message: told.append(message.text))
    for seed in (1, 2, 3):
        window.workspace.edit(edits.set_decomposition, seed=seed)
        qtbot.wait(50)
    until(qtbot, lambda: told)
    assert len([text for text in told if "save the recipe often" in text]) == 1


def test_unsaved_changes_are_offered_and_recovered_as_they_were(
    qtbot: QtBot, window: MainWindow, store: Recovery, saved: Path
) -> None:
    keep_elsewhere(store, saved.with_name("map1.hspy"), saved, 7)
    texts: list[str] = []

    def recover(dialog: RecoverDialog) -> None:
        cells = [dialog.table.item(0, column) for column in range(3)]
        texts.extend("" if cell is None else cell.text() for cell in cells)
        QTest.keyClick(dialog, Qt.Key.Key_Return)

    answer(recover)
    assert offer(window)
    assert texts[0] == "sample.toml"
    assert texts[1].startswith(time.strftime("%Y-"))
    document = window.workspace.document
    assert document is not None
    assert (document.path, document.modified) == (saved, True)
    assert document.session.recipe.decomposition.seed == 7
    assert load_recipe(saved, unfinished=True).decomposition.seed == 0
    assert store.found() == []  # it is this program's now
    assert len(kept_recipes(store)) == 1
    assert window.actions_.save_recipe()
    until(qtbot, lambda: kept_recipes(store) == [])
    assert load_recipe(saved, unfinished=True).decomposition.seed == 7


def test_a_map_that_was_never_saved_is_recovered_without_a_recipe_file(
    qtbot: QtBot, window: MainWindow, store: Recovery, tmp_path: Path
) -> None:
    keep_elsewhere(store, tmp_path / "map1.hspy", None, 7)
    answer(lambda dialog: press(dialog.recover))
    assert offer(window)
    document = window.workspace.document
    assert document is not None
    assert (document.path, document.modified, document.title) == (None, True, "map1.hspy")
    window.workspace.edit(edits.set_decomposition, seed=8)
    until(qtbot, lambda: [r.decomposition.seed for r in kept_recipes(store)] == [8])


def test_later_keeps_all_and_a_file_that_is_opened_is_asked_for_alone(
    window: MainWindow, store: Recovery, saved: Path, tmp_path: Path
) -> None:
    keep_elsewhere(store, tmp_path / "map1.hspy", saved, 7)
    keep_elsewhere(store, tmp_path / "other.hspy", None, 8)
    shown: list[int] = []

    def later(dialog: RecoverDialog) -> None:
        shown.append(dialog.table.rowCount())
        QTest.keyClick(dialog, Qt.Key.Key_Escape)

    answer(later)
    assert not offer(window)
    answer(later)
    window.actions_.open_files([saved])
    assert shown == [2, 1]
    assert len(store.found()) == 2
    assert window.workspace.document is not None
    assert not window.workspace.document.modified  # as it was saved


def test_discarding_asks_once_more_and_removes_only_the_chosen_one(
    window: MainWindow, store: Recovery, tmp_path: Path
) -> None:
    keep_elsewhere(store, tmp_path / "a.hspy", None, 1)
    keep_elsewhere(store, tmp_path / "b.hspy", None, 2)
    left: list[int] = []

    def discard(dialog: RecoverDialog) -> None:
        for text, count in (("Keep", 2), ("Discard", 1)):
            answer(lambda box, text=text: press(button_of(box, text)), QMessageBox)
            press(dialog.discard)
            left.append(len(store.found()) - count)
        press(dialog.later)

    answer(discard)
    assert not offer(window)
    assert left == [0, 0]
    assert [kept.title for kept in store.found()] == ["a.hspy"]  # the latest was chosen


def test_a_recipe_changed_since_is_told(
    window: MainWindow, store: Recovery, saved: Path, tmp_path: Path
) -> None:
    keep_elsewhere(store, tmp_path / "map1.hspy", saved, 7)
    time.sleep(0.02)
    saved.write_text(saved.read_text("utf-8").replace("components = 3", "components = 4"), "utf-8")
    (kept,) = store.found()
    assert kept.saved_since
    answer(lambda dialog: press(dialog.recover))
    assert offer(window)
    assert any("keep both" in message.text for message in window.messages.messages)
    assert isinstance(kept, Kept)


def test_nobody_is_asked_where_nothing_was_left(window: MainWindow) -> None:
    assert not offer(window)
