"""Random clicks, drags, wheels, keys and menus on the window, for as long as you like.

    python benchmarks/wander.py --minutes 60 [--size 128] [--seed 0] [--folder FOLDER]

Once a minute the demo is opened afresh and computed, and one line tells the memory of the process
and the objects that live. At the end come the faults that were logged, the places where the window
stood still for more than five seconds, and what the objects have grown by. File dialogs are
answered with files of a temporary folder. The exit code is 1 if there was any fault.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import gc
import logging
import os
import random
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt, QTimer
from PyQt6.QtGui import QAction, QContextMenuEvent, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QGraphicsView,
    QLineEdit,
    QMainWindow,
    QMenu,
    QWidget,
)

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
KEYS = [
    *(Qt.Key(ord(letter)) for letter in "VRBEPOXCLMF123"),
    *(Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight, Qt.Key.Key_Plus, Qt.Key.Key_Minus),
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down),
    *(Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown),
    *(Qt.Key.Key_Delete, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Space),
]
CONTROLLED = [Qt.Key(ord(letter)) for letter in "ZYFACVL0."]
TEXTS = ("Fe", "6.4", "", "-1", "1e9", "nan", "Fp 2", "x" * 300, "ä/\\:", '"', "0", "  ", "Mg K")
EVERY_ms = 12
STILL_s, STUCK_s = 5.0, 30.0
LONGEST_DIALOG = 15  # events, then it is closed
LONGEST_DRAG = 100
FORBIDDEN = ("Quit", "Close document", "Open", "demo", "folder")  # would end or leave the walk


def resident_MB() -> float:
    """The memory of this process now, in 10^6 bytes (Linux), without what is free inside it."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Wanderer:
    """Does one random thing after the other, also inside menus and dialogs.

    `told` is called with what it is about to do: the last deed before a fault.
    """

    def __init__(
        self, window: QMainWindow, seed: int, told: Callable[[str], None] = lambda _: None
    ) -> None:
        self.window, self.random, self.told = window, random.Random(seed), told
        self.done = 0
        self.busy = False
        self.dialog_age = self.waited = 0
        bar = window.menuBar()
        menus = [] if bar is None else [menu for a in bar.actions() if (menu := a.menu())]
        self.menus: list[QMenu] = menus

    def step(self) -> None:
        """One random event; never two at once, since an event may open a loop of its own."""
        popup = QApplication.activePopupWidget()
        modal = QApplication.activeModalWidget()
        if self.busy and popup is None and modal is None:
            self._wait_for_drag()
            return
        self.waited = 0
        self.busy = True
        try:
            self.done += 1
            if popup is not None:
                self._in_popup(popup)
            elif modal is not None:
                self._in_dialog(modal)
            else:
                self.dialog_age = 0
                self._in_window()
        finally:
            self.busy = False

    def _wait_for_drag(self) -> None:
        """A text that is dragged away waits for a release from the screen itself: give it up."""
        self.waited += 1
        if self.waited % LONGEST_DRAG == 0:
            QTest.keyClick(self.window, Qt.Key.Key_Escape)

    def _in_popup(self, popup: QWidget) -> None:
        if isinstance(popup, QMenu) and self.random.random() < 0.5:
            action = self._allowed(popup)
            if action is not None and action.menu() is None:
                self.told(f"menu: {action.text()}")
                popup.close()
                action.trigger()
                return
        self.told(f"closes the popup {_name_of(popup)}")
        QTest.keyClick(popup, Qt.Key.Key_Escape)
        popup.close()

    def _allowed(self, menu: QMenu) -> QAction | None:
        """One of the actions of a menu, or of its submenus, that does not end the walk."""
        actions = [a for a in menu.actions() if a.isEnabled() and not _is_forbidden(a.text())]
        if not actions:
            return None
        action = self.random.choice(actions)
        below = action.menu()
        return action if below is None else self._allowed(below)

    def _in_dialog(self, dialog: QWidget) -> None:
        self.dialog_age += 1
        if self.dialog_age > LONGEST_DIALOG and isinstance(dialog, QDialog):
            self.told(f"closes the dialog {_name_of(dialog)}")
            dialog.reject()
            return
        self._poke(dialog)

    def _in_window(self) -> None:
        chance = self.random.random()
        for other in QApplication.topLevelWidgets():
            if isinstance(other, QDialog) and other.isVisible():
                if self.random.random() < 0.04:
                    self.told(f"closes {_name_of(other)}")
                    other.close()
                    return
                if self.random.random() < 0.3:
                    self._poke(other)
                    return
        if chance < 0.04:
            page = Qt.Key(Qt.Key.Key_1.value + self.random.randrange(6))
            self.told(f"page {page.name}")
            QTest.keyClick(self.window, page, Qt.KeyboardModifier.ControlModifier)
        elif chance < 0.07 and self.menus:
            action = self._allowed(self.random.choice(self.menus))
            if action is not None:
                self.told(f"menu: {action.text()}")
                action.trigger()
        elif chance < 0.072:
            size = self.random.choice([(1366, 740), (1000, 600), (1920, 1050), (700, 400)])
            self.told(f"resizes the window to {size}")
            self.window.resize(*size)
        else:
            self._poke(self.window)

    def _poke(self, top: QWidget) -> None:
        widgets = [
            w
            for w in top.findChildren(QWidget)
            if w.isVisible() and w.isEnabled() and w.width() > 3 and w.height() > 3
        ]
        drawn = [w for w in widgets if isinstance(w, QGraphicsView)]
        if drawn and self.random.random() < 0.25:  # where most is done by hand
            widgets = [self.random.choice(drawn)]
        if widgets:
            self._act(self.random.choice(widgets))

    def _act(self, widget: QWidget) -> None:
        chance = self.random.random()
        point = self._point(widget)
        if _is_forbidden(widget.accessibleName()) or _is_forbidden(widget.toolTip()):
            return
        self.told(f"{chance:.3f} at {point.x()}, {point.y()} of {_name_of(widget)}")
        if chance < 0.36:
            QTest.mouseClick(widget, LEFT, self._modifier(), point)
        elif chance < 0.60:
            self._drag(widget, point)
        elif chance < 0.70:
            self._wheel(widget, point)
        elif chance < 0.74:
            QTest.mouseDClick(widget, LEFT, pos=point)
        elif chance < 0.78:
            event = QContextMenuEvent(
                QContextMenuEvent.Reason.Mouse, point, widget.mapToGlobal(point)
            )
            QApplication.sendEvent(widget, event)
        elif chance < 0.92:
            QTest.keyClick(widget, self.random.choice(KEYS), self._modifier())
        elif chance < 0.95 and isinstance(widget, QLineEdit):
            text = self.random.choice(TEXTS)
            widget.selectAll()
            if text.isascii():
                QTest.keyClicks(widget, text)
            else:  # QTest has no such keys
                widget.insert(text)
            QTest.keyClick(widget, Qt.Key.Key_Return)
        else:
            key = self.random.choice(CONTROLLED)
            QTest.keyClick(widget, key, Qt.KeyboardModifier.ControlModifier)

    def _point(self, widget: QWidget) -> QPoint:
        return QPoint(self.random.randrange(widget.width()), self.random.randrange(widget.height()))

    def _modifier(self) -> Qt.KeyboardModifier:
        kinds = Qt.KeyboardModifier
        return self.random.choices(
            [kinds.NoModifier, kinds.ShiftModifier, kinds.ControlModifier], [8, 1, 1]
        )[0]

    def _drag(self, widget: QWidget, point: QPoint) -> None:
        button = self.random.choices([LEFT, MIDDLE], [5, 1])[0]
        QTest.mousePress(widget, button, self._modifier(), point)
        for _ in range(self.random.randrange(1, 8)):
            QTest.mouseMove(widget, self._point(widget))
        QTest.mouseRelease(widget, button, pos=self._point(widget))

    def _wheel(self, widget: QWidget, point: QPoint) -> None:
        event = QWheelEvent(
            QPointF(point),
            QPointF(widget.mapToGlobal(point)),
            QPoint(0, 0),
            QPoint(0, self.random.choice([-120, 120])),
            Qt.MouseButton.NoButton,
            self._modifier(),
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)


def _is_forbidden(text: str) -> bool:
    return any(word in text.replace("&", "") for word in FORBIDDEN)


def _name_of(widget: QWidget) -> str:
    names = (widget.accessibleName(), widget.windowTitle(), widget.objectName())
    return f"{type(widget).__name__} {next(filter(None, names), '')!r}"


def answers(folder: Path) -> dict[str, Callable[..., Any]]:
    """What file dialogs give, by the method of QFileDialog: files of a temporary folder."""
    numbers = iter(range(10**9))

    def name(*_: object, **__: object) -> tuple[str, str]:
        return str(folder / f"file-{next(numbers) % 5}"), ""

    return {
        "getSaveFileName": name,
        "getOpenFileName": lambda *_, **__: ("", ""),
        "getOpenFileNames": lambda *_, **__: ([], ""),
        "getExistingDirectory": lambda *_, **__: "",
    }


class Faults(logging.Handler):
    """Everything that is logged as a warning or worse, each place once, with its number."""

    HARMLESS = "This plugin does not support"  # offscreen

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: Counter[str] = Counter()
        self.last: Callable[[], str] = lambda: ""
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Count it; tell it at once where it is new."""
        text = self.format(record)
        if record.levelno < logging.ERROR and not record.name.startswith("qt"):
            return  # of libraries
        if self.HARMLESS in text:
            return
        self.seen[text] += 1
        if self.seen[text] == 1:
            print(f"{text}\n  after: {self.last()}", flush=True)


class Watchdog(threading.Thread):
    """Writes the stacks of all threads where nothing goes on: no beat of the main thread for five
    seconds, or no deed of the walk for thirty, as in a loop of its own that nothing ends.
    """

    def __init__(self) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.beaten = time.monotonic()
        self.hangs = 0
        self.longest_s = 0.0
        self.deeds: Callable[[], int | None] = lambda: None

    def beat(self) -> None:
        """Called by the main thread while it is well."""
        now = time.monotonic()
        self.longest_s = max(self.longest_s, now - self.beaten)
        self.beaten = now

    def run(self) -> None:
        """Look ten times a second."""
        told, deeds, since = 0.0, self.deeds(), time.monotonic()
        while True:
            time.sleep(0.1)
            now, beaten = time.monotonic(), self.beaten
            if now - beaten > STILL_s and beaten != told:
                told = beaten
                self._bark(f"no event for {STILL_s:.0f} s")
            if (done := self.deeds()) is None or done != deeds:
                deeds, since = done, now
            elif now - since > STUCK_s:
                since = now
                self._bark(f"no deed for {STUCK_s:.0f} s")

    def _bark(self, text: str) -> None:
        self.hangs += 1
        print(f"hang: {text}", flush=True)
        if self.hangs > 3:  # the rest is alike
            return
        faulthandler.dump_traceback(sys.stdout, all_threads=True)
        sys.stdout.flush()


def census() -> Counter[str]:
    """How many objects live, by class: Python objects of ours, Qt's objects, items of scenes."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    found: Counter[str] = Counter()
    for thing in gc.get_objects():
        kind = type(thing)
        if str(kind.__module__).startswith(("endmember", "PyQt6", "pyqtgraph", "numpy")):
            found[f"{kind.__module__}.{kind.__qualname__}"] += 1
    for top in QApplication.topLevelWidgets():
        found["widgets and other children"] += 1 + len(top.findChildren(QWidget))
        found["actions"] += len(top.findChildren(QAction))
        for view in top.findChildren(QGraphicsView):
            if (scene := view.scene()) is not None:
                found["items of scenes"] += len(scene.items())
    found["top level widgets"] = len(QApplication.topLevelWidgets())
    found["threads"] = threading.active_count()
    return found


def growth(first: Counter[str], last: Counter[str]) -> list[tuple[str, int, int]]:
    """The classes that have become more, with both numbers; the most first."""
    more = [(name, first[name], number) for name, number in last.items() if number > first[name]]
    return sorted(more, key=lambda row: row[1] - row[2])


def doubts(window: Any) -> Iterator[str]:
    """What is not as it must be: the undo list, the recipe, the rooms of results."""
    from endmember.session.decisions.recipe_file import dump_recipe, parse_recipe

    session = window.workspace.session
    if session is None:
        yield "the document is gone"
        return
    recipe = session.recipe
    undone = 0
    while session.can_undo:
        session.undo()
        undone += 1
    for _ in range(undone):
        session.redo()
    if session.recipe != recipe:
        yield "undoing all and redoing all does not lead back"
    try:
        if parse_recipe(dump_recipe(recipe), "recipe", unfinished=True) != recipe:
            yield "the recipe is another one when it is saved and opened"
    except ValueError as error:
        yield f"the recipe cannot be saved and opened again: {error}"
    focus = window.workspace.focus
    if focus.map_name not in recipe.map_names:
        yield f"the map looked at, {focus.map_name}, is not in the recipe"
    if focus.precipitate and focus.precipitate not in [p.name for p in recipe.precipitates]:
        yield f"the precipitate looked at, {focus.precipitate}, is not in the recipe"
    if not window.isVisible():
        yield "the window is hidden"


def close_all() -> None:
    """Close every menu and every dialog."""
    while (popup := QApplication.activePopupWidget()) is not None:
        popup.close()
    for other in QApplication.topLevelWidgets():
        if isinstance(other, QDialog) and other.isVisible():
            other.close()
    QTest.qWait(50)


class Walk:
    """Minutes of wandering, with a look at memory, objects and state after each."""

    def __init__(self, window: Any, recipe: Path, options: argparse.Namespace) -> None:
        self.window, self.recipe, self.options = window, recipe, options
        self.text = recipe.read_text("utf-8")  # the walk may save over it
        self.last: list[str] = []
        self.wanderer = Wanderer(window, options.seed, self._note)
        self.faults = Faults()
        self.faults.last = lambda: " | ".join(self.last[-3:])
        self.watchdog = Watchdog()
        self.watchdog.deeds = lambda: self.wanderer.done if self.walking else None
        self.rows: list[tuple[float, Counter[str]]] = []
        self.doubts: Counter[str] = Counter()
        self.started = time.monotonic()
        self.walking = False
        self.beats = QTimer()
        self.beats.timeout.connect(self.watchdog.beat)

    def _note(self, deed: str) -> None:
        self.last = [*self.last[-5:], deed]

    def _step(self) -> None:
        if not self.walking:
            return
        # a new timer each time: one that is being answered does not fire in menus and dialogs
        QTimer.singleShot(EVERY_ms, self._step)
        try:
            self.wanderer.step()
        except Exception:  # a fault in the walk itself, not in the window
            if "benchmarks" in traceback.format_exc().splitlines()[-2]:
                raise
            logging.getLogger("walk").exception("raised through Qt")

    def go(self) -> int:
        """Wander minute by minute; the exit code."""
        logging.getLogger().addHandler(self.faults)
        self.watchdog.start()
        self.beats.start(100)
        self._open()
        minutes = 0.0
        while minutes < self.options.minutes:
            self.walking = True
            self._step()
            QTest.qWait(60_000)
            self.walking = False
            minutes = (time.monotonic() - self.started) / 60
            close_all()
            self.doubts.update(doubts(self.window))
            self._open()
            self._look(minutes)
        self._tell()
        self.window.runner.close()
        return 1 if self.faults.seen or self.watchdog.hangs or self.doubts else 0

    def _open(self) -> None:
        """Open the demo afresh, compute it, and look at every page."""
        from endmember.session.documents.document import Document
        from endmember.ui.document.workspace import PAGES

        self.recipe.write_text(self.text, "utf-8")
        self.window.show_document(Document.open(self.recipe))
        end = time.monotonic() + 120
        while time.monotonic() < end:
            QTest.qWait(50)
            session = self.window.workspace.session
            if self.window.runner.running is None and not session.due():
                break
        else:
            self.doubts["the demo was not computed within two minutes"] += 1
        for page in (*PAGES, PAGES[0]):
            self.window.workspace.look(page=page)
            QTest.qWait(400)

    def _look(self, minutes: float) -> None:
        self.rows.append((resident_MB(), found := census()))
        print(
            f"{minutes:6.1f} min {self.wanderer.done:8d} events {self.rows[-1][0]:7.0f} MB "
            f"{sum(found.values()):7d} objects, {found['widgets and other children']} widgets, "
            f"{found['items of scenes']} items; {len(self.faults.seen)} faults, "
            f"{self.watchdog.hangs} hangs, longest pause {self.watchdog.longest_s:.2f} s",
            flush=True,
        )

    def _tell(self) -> None:
        first, last = self.rows[0], self.rows[-1]
        print(
            f"alive after {self.wanderer.done} events; "
            f"memory from {first[0]:.0f} to {last[0]:.0f} MB"
        )
        for name, before, after in growth(first[1], last[1])[:25]:
            print(f"  {name}: {before} -> {after}")
        for sentence, number in self.doubts.items():
            print(f"doubt ({number} times): {sentence}")
        for sentence, number in self.faults.seen.items():
            print(f"fault ({number} times): {sentence}")


def main() -> int:
    """Wander, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="for log and files, default a temporary one")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="endmember-wander-"))
    folder.mkdir(parents=True, exist_ok=True)
    for variable, name in (("ENDMEMBER_CONFIG", "settings"), ("ENDMEMBER_LOG", "log")):
        os.environ[variable] = str(folder / name)
    from endmember.demo import prepare_demo
    from endmember.ui.program import logbook
    from endmember.ui.window.application import application, make_window

    recipe = prepare_demo(folder / "demo", options.size, lambda _: None)
    application()
    window = make_window()
    logbook.install(lambda: window)
    for method, answer in answers(folder).items():
        setattr(QFileDialog, method, staticmethod(answer))
    window.show()
    print(f"wandering in {folder}", flush=True)
    code = Walk(window, recipe, options).go()
    sys.stdout.flush()
    os._exit(code)  # threads that do not listen end with the process


if __name__ == "__main__":
    sys.exit(main())
