"""A person at the window: hands that click, drag, type and choose, and eyes that wait.

Hands give real mouse and key events; only the file dialogs of the system are answered for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt, QTimer
from PyQt6.QtGui import QAction, QMouseEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QListWidget,
    QMenu,
    QMessageBox,
    QScrollArea,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from endmember.session.decisions.recipe import Recipe
from endmember.ui.document.workspace import PAGES
from endmember.ui.program.preferences import Preferences
from endmember.ui.window.application import make_window
from endmember.ui.window.window import MainWindow

PATIENCE_MS = 30_000
LEFT = Qt.MouseButton.LeftButton
NO, SHIFT, CONTROL, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
Place = tuple[float, float]


@dataclass
class FileAnswers:
    """What the person answers to the file dialogs of the system, one after the other."""

    waiting: list[Path] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def take(self, title: str) -> str:
        self.asked.append(title)
        return str(self.waiting.pop(0)) if self.waiting else ""

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def one(_parent: Any, title: str = "", *_: Any) -> tuple[str, str]:
            return self.take(title), ""

        def several(_parent: Any, title: str = "", *_: Any) -> tuple[list[str], str]:
            name = self.take(title)
            return ([name] if name else []), ""

        monkeypatch.setattr(QFileDialog, "getOpenFileName", one)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", one)
        monkeypatch.setattr(QFileDialog, "getOpenFileNames", several)


class Person:
    """Works at one window of the program, whose settings lie in `folder`."""

    def __init__(self, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        self.files = FileAnswers()
        self.wake(qtbot, monkeypatch)
        self.window = self._new_window()

    def wake(self, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
        """Go on in another test."""
        self.qtbot = qtbot
        self.files.patch(monkeypatch)

    def _new_window(self) -> MainWindow:
        window = make_window(Preferences(self.folder / "settings.ini"))
        window.resize(1366, 740)
        window.show()
        self.qtbot.waitExposed(window)
        window.activateWindow()
        self.qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE_MS)
        return window

    def start_anew(self) -> None:
        """Another day: a new window with the settings that the last one left."""
        self.leave()
        self.window = self._new_window()

    def leave(self) -> None:
        """Close the window without saving anything."""
        self.window.show_document(None)
        self.window.close()
        self.window.deleteLater()
        QCoreApplication.processEvents()

    # --- eyes --------------------------------------------------------------------------------

    def until(self, happened: Callable[[], object], patience_ms: int = PATIENCE_MS) -> None:
        """Wait, with the window alive, until something is seen."""
        self.qtbot.waitUntil(lambda: bool(happened()), timeout=patience_ms)

    @property
    def workspace(self) -> Any:
        return self.window.workspace

    @property
    def recipe(self) -> Recipe:
        assert self.workspace.recipe is not None
        return cast(Recipe, self.workspace.recipe)

    @property
    def map_name(self) -> str:
        return cast(str, self.workspace.focus.map_name)

    def result(self, step: str) -> Any:
        """The current result of a step for the map looked at, once it is there."""
        self.until(lambda: self.workspace.shown(step).failure or self.workspace.result(step))
        shown = self.workspace.shown(step)
        assert shown.failure is None, shown.failure
        QCoreApplication.processEvents()  # views are told of a change in the next turn
        return shown.value

    def told(self, kind: str = "") -> str:
        """All that the messages panel says, of one kind where it is named."""
        return "\n".join(
            m.text for m in self.window.messages.messages if not kind or m.kind == kind
        )

    def rest(self) -> None:
        """Wait until nothing is computed any more."""
        session = self.workspace.session
        self.until(lambda: self.window.runner.running is None and not session.due())
        self.qtbot.wait(30)  # views follow in the next turns

    def page(self, name: str) -> Any:
        """Go to a page as Ctrl+1 to Ctrl+6 do."""
        number = PAGES.index(name)
        self.key(Qt.Key(Qt.Key.Key_1.value + number), CONTROL)
        self.until(lambda: self.window.middle.currentWidget() is self.window.page(name).view)
        return self.window.page(name)

    def decided(self) -> int:
        """How many decisions could be taken back."""
        session = self.workspace.session
        count = 0
        while session.can_undo:
            session.undo()
            count += 1
        for _ in range(count):
            session.redo()
        return count

    # --- keys --------------------------------------------------------------------------------

    @property
    def focused(self) -> QWidget:
        """Where keys go."""
        found = QApplication.focusWidget()
        return self.window if found is None else found  # an empty list of choices is falsy

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = NO) -> None:
        """Press a key, wherever the focus is."""
        QCoreApplication.processEvents()  # hands are slower than the window
        QTest.keyClick(self.focused, key, modifier)

    def type(self, text: str) -> None:
        """Type, wherever the focus is."""
        QTest.keyClicks(self.focused, text)

    def fill(self, field_: QWidget, text: str) -> None:
        """Click a field, replace what stands in it, and press Enter."""
        self.click(field_)
        if isinstance(field_, QLineEdit | QAbstractSpinBox):
            field_.selectAll()
        QTest.keyClicks(field_, text)
        QTest.keyClick(field_, Qt.Key.Key_Return)

    def type_line(self, text: str) -> None:
        """Search for a line, by Ctrl+L."""
        self.key(Qt.Key.Key_L, CONTROL)
        self.type(text)
        self.key(Qt.Key.Key_Return)

    def tab_to(self, wanted: Callable[[QWidget], bool], most: int = 120) -> QWidget:
        """Press Tab until the focus is where it is wanted."""
        for _ in range(most):
            if wanted(self.focused):
                return self.focused
            self.key(Qt.Key.Key_Tab)
        raise AssertionError(f"Tab does not lead there, but to {says(self.focused)}")

    # --- mouse on widgets ----------------------------------------------------------------------

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click a control, scrolled into sight where it lies in a panel."""
        self.bring_into_sight(widget)
        assert widget.isVisible(), f"{says(widget)} cannot be seen"
        assert widget.isEnabled(), f"{says(widget)} cannot be used now"
        place = at
        if place is None and isinstance(widget, QAbstractButton) and widget.isCheckable():
            place = QPoint(min(10, widget.width() // 2), widget.height() // 2)
        QTest.mouseClick(widget, LEFT, NO, place or widget.rect().center())

    @staticmethod
    def bring_into_sight(widget: QWidget) -> None:
        over = widget.parentWidget()
        while over is not None:
            if isinstance(over, QScrollArea):
                over.ensureWidgetVisible(widget)
                QCoreApplication.processEvents()
            over = over.parentWidget()

    def button(self, text: str, within: QWidget | None = None) -> QAbstractButton:
        """The visible button with this text."""
        found = [
            b
            for b in (within or self.window).findChildren(QAbstractButton)
            if b.isVisible() and b.text().replace("&", "") == text
        ]
        assert found, f"no button says {text!r}"
        return found[0]

    def choose(self, combo: QComboBox, text: str) -> None:
        """Open a list of choices and click the one that begins with `text`."""
        self.bring_into_sight(combo)
        rows = [i for i in range(combo.count()) if combo.itemText(i).startswith(text)]
        assert rows, f"{says(combo)} does not offer {text!r}"
        combo.setFocus()
        QTest.keyClick(combo, Qt.Key.Key_F4)
        view = combo.view()
        assert view is not None
        self.until(view.isVisible)
        QTest.keyClick(view, Qt.Key.Key_Home)
        for _ in range(rows[0]):
            QTest.keyClick(view, Qt.Key.Key_Down)
        QTest.keyClick(view, Qt.Key.Key_Return)
        self.until(lambda: not view.isVisible())
        self.come_back()

    def menu(self, *path: str) -> None:
        """Open a menu of the menu bar and click through to an entry, by beginnings of texts."""
        bar = self.window.menuBar()
        assert bar is not None
        top = _action(bar.actions(), path[0])
        # a menu chooses only where the pointer was seen to move over it since it came up
        QTest.mouseMove(bar, bar.actionGeometry(top).center())
        QTest.mouseClick(bar, LEFT, NO, bar.actionGeometry(top).center())
        menu = top.menu()
        for text in path[1:]:
            assert isinstance(menu, QMenu)
            self.until(menu.isVisible)
            action = _action(menu.actions(), text)
            assert action.isEnabled(), f"{action.text()} cannot be chosen now"
            self.point_at(menu, action)
            QTest.mouseClick(menu, LEFT, NO, menu.actionGeometry(action).center())
            menu = action.menu()

    def point_at(self, menu: QMenu, action: QAction) -> None:
        """Move over an entry until it is lit: a menu that has just come up may not feel it yet."""

        def lit() -> bool:
            place = menu.actionGeometry(action).center()
            QTest.mouseMove(menu, place - QPoint(3, 0))
            QTest.mouseMove(menu, place)
            return menu.activeAction() is action

        self.until(lit)

    def click_row(self, view: QAbstractItemView, row: int, column: int = 0) -> None:
        """Click a row of a list or table."""
        self.bring_into_sight(view)
        model, port = view.model(), view.viewport()
        assert model is not None
        assert port is not None
        index = model.index(row, column)
        view.scrollTo(index)
        QTest.mouseClick(port, LEFT, NO, view.visualRect(index).center())

    def tick(self, ticks: QListWidget, text: str) -> None:
        """Click the check box of a row that begins with `text`."""
        self.bring_into_sight(ticks)
        item = next(
            ticks.item(i)
            for i in range(ticks.count())
            if cast(Any, ticks.item(i)).text().startswith(text)
        )
        port = ticks.viewport()
        assert port is not None
        ticks.scrollToItem(item)
        box = ticks.visualItemRect(item)
        QTest.mouseClick(port, LEFT, NO, box.topLeft() + QPoint(9, box.height() // 2))

    # --- dialogs -------------------------------------------------------------------------------

    @contextmanager
    def answering(
        self, button: str, look: Callable[[QMessageBox], object] = str
    ) -> Iterator[list[str]]:
        """Look at the question that comes up, then click this button; gives the questions seen."""
        seen: list[str] = []
        timer = QTimer()

        def answer() -> None:
            box = QApplication.activeModalWidget()
            if isinstance(box, QMessageBox) and box.isVisible():
                seen.append(box.text())
                timer.stop()
                look(box)
                self.click(self.button(button, box))

        timer.timeout.connect(answer)
        timer.start(20)
        yield seen
        timer.stop()
        assert seen, "nothing was asked"

    def dialog(self, kind: type[Any]) -> Any:
        """The dialog of this kind that is open."""
        found: list[QWidget] = []

        def look() -> bool:
            found[:] = [
                w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()
            ]
            return bool(found)

        self.until(look)
        return found[0]

    def choose_elements(self, quantified: str, clicks: dict[str, int]) -> None:
        """Type the quantified elements, then click cells of the periodic table so many times."""
        from endmember.ui.pages.map.periodic_table import PeriodicTableDialog

        self.click(self.button("Elements…"))
        dialog = self.dialog(PeriodicTableDialog)
        self.until(lambda: dialog.line.hasFocus())
        dialog.line.selectAll()
        QTest.keyClicks(dialog.line, quantified)
        for symbol, times in clicks.items():
            for _ in range(times):
                self.click(dialog.table._cells[symbol])
        self.click(dialog.ok)
        self.until(lambda: not _visible(dialog))
        self.come_back()

    def come_back(self) -> None:
        """Make the window the active one again, as the desktop does where a dialog closes."""
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)

    # --- files ---------------------------------------------------------------------------------

    def open(self, file: Path) -> None:
        """File, Open."""
        self.files.waiting.append(file)
        self.menu("File", "Open…")
        self.until(lambda: self.workspace.document is not None)

    def save_as(self, file: Path) -> None:
        """Save a recipe that has no file yet, with Ctrl+S."""
        self.files.waiting.append(file)
        self.key(Qt.Key.Key_S, CONTROL)
        assert file.exists(), self.told()

    # --- mouse on maps and spectra -------------------------------------------------------------

    def press(self, canvas: Any, place: Place, modifier: Qt.KeyboardModifier = NO) -> None:
        QTest.mousePress(canvas.viewport(), LEFT, modifier, _on(canvas, place))

    def move(self, canvas: Any, place: Place) -> None:
        """Move on a map with the button held."""
        _move_held(canvas.viewport(), _on(canvas, place))

    def release(self, canvas: Any, place: Place, modifier: Qt.KeyboardModifier = NO) -> None:
        QTest.mouseRelease(canvas.viewport(), LEFT, modifier, _on(canvas, place))

    def click_map(self, canvas: Any, place: Place) -> None:
        QTest.mouseClick(canvas.viewport(), LEFT, NO, _on(canvas, place))

    def drag(self, canvas: Any, *places: Place) -> None:
        """Drag on a map, in pixels of the uncropped map."""
        self.press(canvas, places[0])
        for place in places[1:]:
            self.move(canvas, place)
        self.release(canvas, places[-1])

    def draw_box(self, canvas: Any, box: tuple[float, float, float, float]) -> None:
        """Drag a rectangle from its upper left to its lower right corner."""
        x, y, width, height = box
        self.drag(canvas, (x, y), (x + width / 2, y + height / 2), (x + width, y + height))

    def drag_energies(self, view: Any, low_keV: float, high_keV: float) -> None:
        """Drag from one energy to another in the middle of a spectrum."""
        box, port = view.plot.box.geometry(), view.plot.canvas.viewport()

        def at(energy_keV: float) -> QPoint:
            x = box.left() + view.plot.frame.x(energy_keV)
            return QPoint(round(x), round(box.center().y()))

        QTest.mousePress(port, LEFT, NO, at(low_keV))
        for share in (0.3, 0.7, 1.0):
            _move_held(port, at(low_keV + share * (high_keV - low_keV)))
        QTest.mouseRelease(port, LEFT, NO, at(high_keV))


def _move_held(port: QWidget, place: QPoint) -> None:
    """Move with the left button held, which QTest cannot say."""
    where = QPointF(port.mapToGlobal(place))
    kind, none = QEvent.Type.MouseMove, Qt.MouseButton.NoButton
    QApplication.sendEvent(port, QMouseEvent(kind, QPointF(place), where, none, LEFT, NO))
    QCoreApplication.processEvents()


Table = dict[str, dict[str, str]]


def table_of(view: QTableView) -> Table:
    """What a table of compositions shows: for each element the title and text of each column."""
    model = view.model()
    assert model is not None
    across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
    titles = [str(model.headerData(c, across)) for c in range(model.columnCount())]
    return {
        str(model.headerData(row, down)): {
            title: str(model.index(row, column).data()) for column, title in enumerate(titles)
        }
        for row in range(model.rowCount())
    }


@pytest.fixture
def person(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Person]:
    """Somebody in front of a new window without a document."""
    someone = Person(qtbot, monkeypatch, tmp_path)
    yield someone
    someone.leave()


def says(widget: QWidget) -> str:
    """A widget in words."""
    name = widget.accessibleName() or getattr(widget, "text", str)() or widget.objectName()
    return f"{type(widget).__name__} {name!r}"


def _visible(dialog: QDialog) -> bool:
    try:
        return dialog.isVisible()
    except RuntimeError:  # it is deleted when it is closed
        return False


def _on(canvas: Any, place: Place) -> QPoint:
    return cast(QPoint, canvas.position_of(place).toPoint())


def _action(actions: list[QAction], text: str) -> QAction:
    found = [a for a in actions if a.text().replace("&", "").startswith(text)]
    assert found, f"no entry {text!r} among {[a.text() for a in actions]}"
    return found[0]
