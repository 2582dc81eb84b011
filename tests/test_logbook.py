"""Faults are logged and told, and never end the program."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt, qWarning
from PyQt6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from endmember.ui.program import logbook
from endmember.ui.program.system_facts import without_home


class Window:
    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.threads: list[threading.Thread] = []

    def told(self, sentence: str) -> None:
        self.sentences.append(sentence)
        self.threads.append(threading.current_thread())


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Iterator[Window]:
    monkeypatch.setenv(logbook.FOLDER_VARIABLE, str(tmp_path / "log"))
    assert qapp is not None
    made = Window()
    logbook.install(lambda: made)
    yield made
    logbook.uninstall()


@pytest.fixture
def clock(window: Window) -> Clock:
    assert window.sentences == []
    made = Clock()
    assert logbook._book is not None
    logbook._book.clock = made
    return made


def button_that(qtbot: QtBot, error: Exception) -> QPushButton:
    def fail() -> None:
        raise error

    button = QPushButton("fail")
    button.clicked.connect(fail)
    qtbot.addWidget(button)
    button.show()
    return button


def test_a_fault_in_a_slot_is_logged_with_its_traceback_and_told(
    window: Window, qtbot: QtBot
) -> None:
    button = button_that(qtbot, ZeroDivisionError("no counts"))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(window.sentences))
    assert "ZeroDivisionError: no counts" in window.sentences[0]
    log = logbook.log_path().read_text("utf-8")
    assert "Traceback (most recent call last)" in log
    assert "in fail" in log


def test_the_same_fault_is_told_once_in_five_seconds(
    window: Window, clock: Clock, qtbot: QtBot
) -> None:
    button = button_that(qtbot, ValueError("again"))
    for _ in range(20):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    clock.now += 4.9
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(window.sentences))
    assert len(window.sentences) == 1
    clock.now += 0.2
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.sentences) == 2)
    assert "20 more times" in logbook.log_path().read_text("utf-8")


def test_faults_of_two_places_are_both_told(window: Window, qtbot: QtBot) -> None:
    first, second = ValueError("one"), TypeError("two")
    for error in (first, second):
        qtbot.mouseClick(button_that(qtbot, error), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.sentences) == 2)


def test_a_fault_in_a_thread_is_told_in_the_main_thread(window: Window, qtbot: QtBot) -> None:
    def fail() -> None:
        raise RuntimeError("in the worker")

    worker = threading.Thread(target=fail, name="the worker")
    worker.start()
    worker.join()
    assert window.sentences == []
    qtbot.waitUntil(lambda: bool(window.sentences))
    assert window.threads == [threading.main_thread()]
    assert "in thread the worker" in logbook.log_path().read_text("utf-8")


def test_a_window_that_cannot_tell_makes_no_second_fault(
    window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(sentence: str) -> None:
        raise RuntimeError(f"cannot show {sentence}")

    monkeypatch.setattr(window, "told", broken)
    qtbot.mouseClick(button_that(qtbot, ValueError("x")), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "a fault could not be told" in logbook.tail(50))


@pytest.mark.usefixtures("window")
def test_messages_of_qt_and_of_libraries_go_to_the_log() -> None:
    qWarning("a warning of Qt")
    logging.getLogger("rsciio.anything").warning("a warning of a reader")
    assert "a warning of Qt" in logbook.tail(2)
    assert "a warning of a reader" in logbook.tail(1)


@pytest.mark.usefixtures("window")
def test_a_message_that_repeats_is_written_once() -> None:
    for _ in range(100):
        qWarning("QPainter::begin: it repeats")
    assert logbook.tail(1000).count("it repeats") == 1


@pytest.mark.usefixtures("window")
def test_without_a_window_the_traceback_goes_to_standard_error(
    qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    logbook.install(lambda: None)
    qtbot.mouseClick(button_that(qtbot, ValueError("early")), Qt.MouseButton.LeftButton)
    assert "ValueError: early" in capsys.readouterr().err


@pytest.mark.usefixtures("window")
def test_uninstalling_gives_the_hooks_back() -> None:
    assert sys.excepthook is logbook._from_main
    logbook.uninstall()
    assert sys.excepthook is not logbook._from_main
    assert threading.excepthook is not logbook._from_thread


PROGRAM = """
import sys
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QPushButton
from endmember.ui.program import logbook

class Window(QPushButton):
    def told(self, sentence):
        print("told:", sentence)
        QTimer.singleShot(0, app.quit)
    def paintEvent(self, event):
        raise ValueError("in painting")

app = QApplication([])
window = Window("x")
logbook.install(lambda: window)
window.show()
window.clicked.connect(lambda: 1 / 0)
QTimer.singleShot(0, lambda: QTest.mouseClick(window, Qt.MouseButton.LeftButton))
app.exec()
print("alive")
"""


def test_a_fault_in_a_slot_does_not_end_the_process(tmp_path: Path) -> None:
    environment = {**os.environ, logbook.FOLDER_VARIABLE: str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "told:" in done.stdout
    assert done.stdout.endswith("alive\n")
    log = (tmp_path / logbook.FILE_NAME).read_text("utf-8")
    assert "ZeroDivisionError" in log
    assert "in painting" in log


def test_a_log_folder_that_cannot_be_made_does_not_stop_the_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(logbook.FOLDER_VARIABLE, str(tmp_path / "file" / "log"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    logbook.install(lambda: None)
    try:
        assert logbook.log_path() == tmp_path / logbook.FILE_NAME
        assert "starts" in logbook.tail(1)
    finally:
        logbook.uninstall()


@pytest.mark.usefixtures("window")
def test_a_bug_report_holds_everything_but_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / "jürgen"
    home.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setenv("ENDMEMBER_CONFIG", str(tmp_path / "config"))
    settings = tmp_path / "config" / "endmember.ini"
    settings.parent.mkdir()
    settings.write_text(f"[files]\nrecent={home}/a.hspy\n", "utf-8")
    logging.getLogger("endmember").warning("cannot read %s", home / "a.hspy")
    logbook.save_bug_report(
        tmp_path / "report.zip", f'file = "{home}/a.hspy"\n', {"steps": {"read": str(home)}}
    )
    with zipfile.ZipFile(tmp_path / "report.zip") as report:
        texts = {entry: report.read(entry).decode("utf-8") for entry in report.namelist()}
    assert set(texts) == {"about.json", "log/endmember.log", "settings.ini", "recipe.toml"}
    assert texts["recipe.toml"] == 'file = "~/a.hspy"\n'
    assert "cannot read ~/a.hspy" in texts["log/endmember.log"]
    assert "recent=~/a.hspy" in texts["settings.ini"]
    about = json.loads(texts["about.json"])
    assert about["steps"] == {"read": "~"}
    assert {"endmember", "numpy", "Qt", "PyQt6", "system"} <= set(about["versions"])
    assert about["screens"][0]["scale"] >= 1.0
    assert not any("jürgen" in text for text in texts.values())


@pytest.mark.usefixtures("window")
def test_a_bug_report_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a folder; give the name of a file"):
        logbook.save_bug_report(tmp_path, None, {})
    assert [path.name for path in tmp_path.iterdir() if path.name != "log"] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/ann/a.hspy", "~/a.hspy"),
        ("/home/anna/a.hspy", "/home/anna/a.hspy"),
        ('File "/home/ann/x.py", line 3', 'File "~/x.py", line 3'),
        ("'\\n/home/ann'", "'\\n~'"),
        ("file:///home/ann/b", "file://~/b"),
        ("/HOME/Ann/b", "~/b"),
    ],
)
def test_the_home_folder_is_hidden_wherever_it_stands(text: str, expected: str) -> None:
    assert without_home(text, Path("/home/ann")) == expected


def test_a_home_at_the_root_hides_nothing() -> None:
    assert without_home("/a/b", Path("/")) == "/a/b"
