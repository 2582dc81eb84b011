"""The small dialogs, by mouse and keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QDialog, QMainWindow, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from endmember import __version__
from endmember.session.cache.disk_cache import CacheSize
from endmember.ui.program import dialogs, logbook
from endmember.ui.program.dialogs import (
    AboutBox,
    ChooseSignalDialog,
    LogDialog,
    ShortcutSheet,
    about_box,
    ask_clear,
    ask_save,
)

LEFT = Qt.MouseButton.LeftButton
NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
Key = Qt.Key
SIGNALS = (
    {"index": 0, "title": "HAADF", "kind": "image", "shape": [64, 64]},
    {"index": 3, "title": "EDS", "kind": "map", "shape": [64, 64, 4096]},
    {"index": 4, "title": "", "kind": "map", "shape": [32, 32, 2048]},
)
ACTIONS = (
    ("File", "Open a map", "Ctrl+O"),
    ("Tools", "Rectangle", "R"),
    ("Tools", "Inside brush", "B"),
    ("View", "Fit <whole> map", "Ctrl+F"),
)
GESTURES = (("Maps", "Zoom at the cursor", "Wheel"), ("Tools", "Nudge a rectangle", "Arrows"))


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(logbook.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path / logbook.FILE_NAME


D = TypeVar("D", bound=QDialog)


def shown(qtbot: QtBot, dialog: D) -> D:
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
    return dialog


def press(key: Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    focus = QApplication.focusWidget()
    assert focus is not None
    QTest.keyClick(focus, key, modifiers)


def write(text: str) -> None:
    focus = QApplication.focusWidget()
    assert focus is not None
    QTest.keyClicks(focus, text)


def clipboard() -> str:
    held = QApplication.clipboard()
    assert held is not None
    return held.text()


def when_asked(reply: Callable[[QMessageBox], None]) -> None:
    """Reply to the question as soon as it is there and has the keyboard."""

    def look() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox) and box.isActiveWindow():
            reply(box)
        else:
            QTimer.singleShot(5, look)

    QTimer.singleShot(0, look)


MAKERS: list[Callable[[], QDialog]] = [
    lambda: AboutBox(None),
    lambda: LogDialog(None),
    lambda: ShortcutSheet(None, ACTIONS, GESTURES),
    lambda: ChooseSignalDialog(None, "a.emd", SIGNALS),
]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("key", "modifiers"), [(Key.Key_Escape, NONE), (Key.Key_W, CTRL)])
def test_escape_and_ctrl_w_close_the_front_dialog_only(
    qtbot: QtBot, make: Callable[[], QDialog], key: Key, modifiers: Qt.KeyboardModifier
) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    dialog = shown(qtbot, make())
    press(key, modifiers)
    assert not dialog.isVisible()
    assert dialog.result() == QDialog.DialogCode.Rejected
    assert window.isVisible()


@pytest.mark.parametrize("make", MAKERS)
def test_every_control_has_a_tooltip_and_a_name_and_all_fit_a_small_screen(
    qtbot: QtBot, make: Callable[[], QDialog]
) -> None:
    dialog = shown(qtbot, make())
    buttons = [b for b in dialog.findChildren(QPushButton) if b.isVisible()]
    assert buttons
    for button in buttons:
        assert button.toolTip(), button.text()
        assert button.accessibleName(), button.text()
    assert dialog.accessibleName()
    assert dialog.width() <= 1366 / 1.5
    assert dialog.height() <= 768 / 1.5 - 70


def test_the_about_box_copies_version_citation_and_licence(qtbot: QtBot) -> None:
    box = about_box(None)
    qtbot.addWidget(box)
    qtbot.mouseClick(box.copy_button, LEFT)
    text = clipboard()
    assert f"Endmember {__version__}" in text
    assert "Chen et al., Ultramicroscopy 2024, 113981" in text
    assert "GPL-3.0-or-later" in text
    for library in ("numpy", "xraylib", "Qt", "PyQt6", "python"):
        assert f"\n{library} " in text


def test_the_sheet_shows_all_and_finds_words_in_any_order(qtbot: QtBot) -> None:
    sheet = shown(qtbot, ShortcutSheet(None, ACTIONS, GESTURES))
    assert sheet.search.hasFocus()
    text = sheet.view.toPlainText()
    for row in (*ACTIONS, *GESTURES):
        assert all(part in text for part in row), row
    write("rectangle arrows")
    assert sheet.shown() == [("Tools", "Nudge a rectangle", "Arrows")]
    assert "Ctrl+O" not in sheet.view.toPlainText()
    write("x")
    assert "Nothing holds all these words" in sheet.view.toPlainText()


def test_a_question_mark_closes_the_sheet(qtbot: QtBot) -> None:
    sheet = shown(qtbot, ShortcutSheet(None, ACTIONS, GESTURES))
    write("?")
    assert not sheet.isVisible()
    sheet = shown(qtbot, ShortcutSheet(None, ACTIONS, GESTURES))
    sheet.view.setFocus()
    write("?")
    assert not sheet.isVisible()


def test_the_sheet_does_not_stop_the_window(qtbot: QtBot) -> None:
    assert not shown(qtbot, ShortcutSheet(None, ACTIONS, GESTURES)).isModal()


def test_arrows_in_the_search_line_scroll_the_sheet(qtbot: QtBot) -> None:
    rows = [("Tools", f"Tool {n}", f"F{n}") for n in range(200)]
    sheet = shown(qtbot, ShortcutSheet(None, rows, ()))
    press(Key.Key_PageDown)
    bar = sheet.view.verticalScrollBar()
    assert bar is not None
    assert bar.value() > 0
    assert sheet.search.hasFocus()


def test_the_log_shows_its_end_and_copies_it(
    qtbot: QtBot, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_text("".join(f"line {n}\n" for n in range(2000)), "utf-8")
    dialog = shown(qtbot, LogDialog(None))
    assert dialog.view.toPlainText().splitlines()[-1] == "line 1999"
    assert len(dialog.view.toPlainText().splitlines()) == dialogs.LOG_LINES
    bar = dialog.view.verticalScrollBar()
    assert bar is not None
    assert bar.value() == bar.maximum() > 0
    qtbot.mouseClick(dialog.copy_button, LEFT)
    assert clipboard().endswith("line 1999")
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    qtbot.mouseClick(dialog.folder_button, LEFT)
    assert opened == [str(log.parent)]


@pytest.mark.parametrize(
    ("key", "modifiers", "answer"),
    [
        (Key.Key_Return, NONE, "save"),
        (Key.Key_Escape, NONE, "cancel"),
        (Key.Key_W, CTRL, "cancel"),
        (Key.Key_D, Qt.KeyboardModifier.AltModifier, "discard"),
    ],
)
@pytest.mark.usefixtures("qapp")
def test_closing_asks_by_keys(key: Key, modifiers: Qt.KeyboardModifier, answer: str) -> None:
    asked: list[str] = []

    def reply(box: QMessageBox) -> None:
        asked.append(box.text())
        QTest.keyClick(box, key, modifiers)

    when_asked(reply)
    assert ask_save(None, "mine.toml") == answer
    assert "mine.toml" in asked[0]


@pytest.mark.usefixtures("qapp")
def test_closing_asks_by_mouse() -> None:
    def reply(box: QMessageBox) -> None:
        button = next(b for b in box.buttons() if b.accessibleName() == "Don't save")
        QTest.mouseClick(button, LEFT)

    when_asked(reply)
    assert ask_save(None, "mine.toml") == "discard"


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize(
    ("key", "answer"), [(Key.Key_Return, False), (Key.Key_Escape, False), (Key.Key_L, True)]
)
def test_clearing_the_cache_says_how_large_it_is_and_asks(key: Key, answer: bool) -> None:
    def reply(box: QMessageBox) -> None:
        asked.append(box.text() + box.informativeText())
        QTest.keyClick(box, key, Qt.KeyboardModifier.AltModifier if key == Key.Key_L else NONE)

    asked: list[str] = []
    when_asked(reply)
    assert ask_clear(None, Path("/home/me/.cache/x"), CacheSize(9, 89_400_000)) == answer
    assert "9 results (89 MB)" in asked[0]
    assert str(Path("/home/me/.cache/x")) in asked[0]


def test_the_first_map_is_chosen_and_enter_takes_it(qtbot: QtBot) -> None:
    dialog = shown(qtbot, ChooseSignalDialog(None, "/data/a.emd", SIGNALS))
    assert dialog.table.hasFocus()
    assert dialog.chosen() == 3
    press(Key.Key_Down)
    press(Key.Key_Return)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.chosen() == 4


def test_what_is_no_map_cannot_be_taken(qtbot: QtBot) -> None:
    dialog = shown(qtbot, ChooseSignalDialog(None, "/data/a.emd", SIGNALS))
    item = dialog.table.item(0, 1)
    assert item is not None
    where = dialog.table.visualItemRect(item).center()
    viewport = dialog.table.viewport()
    assert viewport is not None
    qtbot.mouseClick(viewport, LEFT, pos=where)
    qtbot.mouseDClick(viewport, LEFT, pos=where)
    press(Key.Key_Return)
    assert dialog.isVisible()
    assert dialog.chosen() is None
    assert "kind image" in dialog.says.text()


def test_a_double_click_takes_a_map(qtbot: QtBot) -> None:
    dialog = shown(qtbot, ChooseSignalDialog(None, "/data/a.emd", SIGNALS))
    item = dialog.table.item(2, 1)
    assert item is not None
    where = dialog.table.visualItemRect(item).center()
    viewport = dialog.table.viewport()
    qtbot.mouseClick(viewport, LEFT, pos=where)
    qtbot.mouseDClick(viewport, LEFT, pos=where)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.chosen() == 4


def test_a_file_without_a_map_can_only_be_cancelled(qtbot: QtBot) -> None:
    dialog = shown(qtbot, ChooseSignalDialog(None, "/data/a.emd", SIGNALS[:1]))
    assert dialog.chosen() is None
    press(Key.Key_Return)
    assert dialog.isVisible()


def test_the_log_can_be_opened_before_anything_was_written(qtbot: QtBot) -> None:
    assert shown(qtbot, LogDialog(None)).view.toPlainText() == ""
