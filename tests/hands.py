"""A person at the window, for the walks: mouse and keys as the hands would move them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from endmember.ui.application import make_window
from endmember.ui.periodic_table import PeriodicTableDialog
from endmember.ui.preferences import Preferences
from endmember.ui.window import MainWindow

LEFT = Qt.MouseButton.LeftButton
PATIENCE_MS = 60_000


class Person:
    """Looks at one window and works on it."""

    def __init__(self, qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.qtbot, self.folder, self.patch = qtbot, folder, monkeypatch
        self.window: MainWindow = make_window(Preferences(folder / "settings.ini"))
        self.window.resize(1366, 740)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.activateWindow()
        self.until(self.window.isActiveWindow, timeout=5000)

    # --- looking -----------------------------------------------------------------------------

    @property
    def workspace(self) -> Any:
        return self.window.workspace

    def until(self, holds: Callable[[], Any], timeout: int = PATIENCE_MS) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=timeout)

    def result(self, step: str) -> Any:
        self.until(lambda: self.workspace.result(step) is not None)
        return self.workspace.result(step)

    def rest(self) -> None:
        """Until nothing is computed any more."""
        session = self.workspace.session
        self.until(lambda: self.window.runner.running is None and not session.due())
        self.qtbot.wait(30)

    def cell(self, element: str, title: str) -> str:
        """What the composition table shows for an element in the first column titled so."""
        model = self.window.page("composition").table.model()
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        titles = [str(model.headerData(c, across)) for c in range(model.columnCount())]
        rows = [str(model.headerData(r, down)) for r in range(model.rowCount())]
        return str(model.data(model.index(rows.index(element), titles.index(title))))

    # --- hands -------------------------------------------------------------------------------

    def keys(self, widget: QWidget, *keys: Any) -> None:
        for key in keys:
            if isinstance(key, tuple):
                self.qtbot.keyClick(widget, key[0], key[1])
            else:
                self.qtbot.keyClick(widget, key)

    def press(self, key: Qt.Key, *modifier: Qt.KeyboardModifier) -> None:
        """A key that no widget in particular is meant for."""
        self.qtbot.keyClick(self.window, key, *modifier)

    def go_to(self, page: str) -> Any:
        """By the keys Ctrl+1 to Ctrl+6."""
        number = ("map", "components", "masks", "phases", "abundance", "composition").index(page)
        self.press(Qt.Key(Qt.Key.Key_1.value + number), Qt.KeyboardModifier.ControlModifier)
        self.until(lambda: self.workspace.focus.page == page)
        self.qtbot.wait(50)
        return self.window.page(page)

    def click(self, widget: QWidget) -> None:
        self.qtbot.mouseClick(widget, LEFT)

    def drag(self, canvas: Any, *points: tuple[float, float]) -> None:
        """Over a map, in pixels of the uncropped map."""
        port: Any = canvas.viewport()
        places: list[QPoint] = [canvas.position_of(point).toPoint() for point in points]
        self.qtbot.mousePress(port, LEFT, pos=places[0])
        for place in places[1:]:
            self.qtbot.mouseMove(port, place)
        self.qtbot.mouseRelease(port, LEFT, pos=places[-1])

    def menu(self, text: str) -> None:
        """Choose a command of the menus."""
        for _, action in self.window.actions_.listed:
            if action.text().replace("&", "") == text:
                assert isinstance(action, QAction)
                assert action.isEnabled(), f"{text} is greyed"
                action.trigger()
                return
        raise AssertionError(f"there is no command {text}")

    def answer(self, file: Path) -> None:
        """What the next file dialogs give."""
        self.patch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
        self.patch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(file)], ""))

    def open(self, file: Path) -> None:
        """By the menu."""
        self.answer(file)
        self.menu("Open…")
        self.until(lambda: self.workspace.document is not None)

    def choose_elements(self, typed: str, fitted: tuple[str, ...] = ()) -> None:
        """In the periodic table: those to quantify typed, those only to fit by Shift and click."""
        self.click(self.go_to("map").panel.chooser.choose_elements)
        dialogs = lambda: self.window.findChildren(PeriodicTableDialog)  # noqa: E731
        self.until(dialogs)
        dialog = dialogs()[-1]
        dialog.line.selectAll()
        self.qtbot.keyClicks(dialog.line, typed)
        for symbol in fitted:
            cell = dialog.table._cells[symbol]
            self.qtbot.mouseClick(cell, LEFT, Qt.KeyboardModifier.ShiftModifier)
        self.click(dialog.ok)
        self.until(lambda: not dialogs() or not dialogs()[-1].isVisible())
        self.window.activateWindow()  # a window manager would do it
        self.until(self.window.isActiveWindow)

    def set_number(self, box: Any, value: str) -> None:
        """Type a number into a box."""
        box.setFocus()
        box.selectAll()
        self.qtbot.keyClicks(box, value)
        self.qtbot.keyClick(box, Qt.Key.Key_Return)

    def choose(self, box: Any, value: object) -> None:
        """By the arrow keys in a list of choices."""
        box.setFocus()
        self.qtbot.keyClick(box, Qt.Key.Key_Home)
        for _ in range(box.count()):
            if box.value == value:
                return
            self.qtbot.keyClick(box, Qt.Key.Key_Down)
        raise AssertionError(f"{value} is not among the choices")

    def leave(self) -> None:
        """Close the window, whatever is unsaved."""
        self.patch.setattr("endmember.ui.dialogs.ask_save", lambda *_: "discard")
        self.window.close()
        self.window.deleteLater()


@pytest.fixture
def person(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    one = Person(qtbot, tmp_path, monkeypatch)
    yield one
    one.leave()
