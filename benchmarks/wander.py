"""Random clicks, drags, wheels and keys on the window, for as long as you like.

    python benchmarks/wander.py --minutes 60 [--size 128] [--seed 0]

Prints the memory of the process once a minute, and at the end the faults. The window has to be
alive at the end, and the memory flat. File dialogs are answered with files of a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QPoint, QPointF, Qt, QTimer
from PyQt6.QtGui import QContextMenuEvent, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QWidget

KEYS = [
    *(Qt.Key(ord(letter)) for letter in "VRBEPL123"),
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down),
    *(Qt.Key.Key_Delete, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Space),
]
CONTROLLED = [Qt.Key.Key_Z, Qt.Key.Key_Y, Qt.Key.Key_F, Qt.Key.Key_0, Qt.Key.Key_Period]
EVERY_ms = 12
FORBIDDEN = ("Quit", "Close document", "Open", "demo", "folder")  # would end or leave the walk


def resident_MB() -> float:
    """The memory of this process now, in 10^6 bytes (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Wanderer:
    """Does one random thing after the other, also inside menus and dialogs."""

    def __init__(self, window: QWidget, seed: int) -> None:
        self.window, self.random = window, random.Random(seed)
        self.done = 0
        self.busy = False
        self.dialog_age = 0

    def step(self) -> None:
        """One random event; never two at once, since an event may open a loop of its own."""
        popup = QApplication.activePopupWidget()
        modal = QApplication.activeModalWidget()
        if self.busy and popup is None and modal is None:
            return
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

    def _in_popup(self, popup: QWidget) -> None:
        if isinstance(popup, QMenu) and self.random.random() < 0.5:
            actions = [
                a
                for a in popup.actions()
                if a.isEnabled() and not any(word in a.text() for word in FORBIDDEN)
            ]
            if actions:
                action = self.random.choice(actions)
                if action.menu() is None:
                    popup.close()
                    action.trigger()
                    return
        QTest.keyClick(popup, Qt.Key.Key_Escape)
        popup.close()

    def _in_dialog(self, dialog: QWidget) -> None:
        self.dialog_age += 1
        if self.dialog_age > 15 and isinstance(dialog, QDialog):
            dialog.reject()
            return
        self._poke(dialog)

    def _in_window(self) -> None:
        for other in QApplication.topLevelWidgets():
            if isinstance(other, QDialog) and other.isVisible() and self.random.random() < 0.05:
                other.close()
        if self.random.random() < 0.04:
            QTest.keyClick(
                self.window,
                self.random.choice([Qt.Key(Qt.Key.Key_1.value + n) for n in range(6)]),
                Qt.KeyboardModifier.ControlModifier,
            )
        else:
            self._poke(self.window)

    def _poke(self, top: QWidget) -> None:
        widgets = [
            w
            for w in top.findChildren(QWidget)
            if w.isVisible() and w.isEnabled() and w.width() > 3 and w.height() > 3
        ]
        if not widgets:
            return
        self._act(self.random.choice(widgets))

    def _act(self, widget: QWidget) -> None:
        chance = self.random.random()
        point = self._point(widget)
        if any(word in widget.accessibleName() for word in FORBIDDEN):
            return
        if chance < 0.4:
            QTest.mouseClick(widget, Qt.MouseButton.LeftButton, self._modifier(), point)
        elif chance < 0.62:
            self._drag(widget, point)
        elif chance < 0.72:
            self._wheel(widget, point)
        elif chance < 0.76:
            QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, pos=point)
        elif chance < 0.8:
            event = QContextMenuEvent(
                QContextMenuEvent.Reason.Mouse, point, widget.mapToGlobal(point)
            )
            QApplication.sendEvent(widget, event)
        elif chance < 0.95:
            QTest.keyClick(widget, self.random.choice(KEYS), self._modifier())
        else:
            QTest.keyClick(
                widget, self.random.choice(CONTROLLED), Qt.KeyboardModifier.ControlModifier
            )

    def _point(self, widget: QWidget) -> QPoint:
        return QPoint(self.random.randrange(widget.width()), self.random.randrange(widget.height()))

    def _modifier(self) -> Qt.KeyboardModifier:
        kinds = Qt.KeyboardModifier
        return self.random.choices(
            [kinds.NoModifier, kinds.ShiftModifier, kinds.ControlModifier], [8, 1, 1]
        )[0]

    def _drag(self, widget: QWidget, point: QPoint) -> None:
        button = self.random.choices(
            [Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton], [5, 1]
        )[0]
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


def answer_file_dialogs(folder: Path) -> None:
    """Files of a temporary folder instead of a dialog."""
    numbers = iter(range(10**9))

    def name(*_: object, **__: object) -> tuple[str, str]:
        return str(folder / f"file-{next(numbers) % 5}"), ""

    QFileDialog.getSaveFileName = name  # type: ignore[method-assign, assignment]
    QFileDialog.getOpenFileName = lambda *_, **__: ("", "")  # type: ignore[method-assign, assignment]
    QFileDialog.getOpenFileNames = lambda *_, **__: ([], "")  # type: ignore[method-assign, assignment]
    QFileDialog.getExistingDirectory = lambda *_, **__: ""  # type: ignore[method-assign, assignment]


def main() -> int:
    """Wander, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="endmember-wander-"))
    os.environ["ENDMEMBER_CONFIG"] = str(folder / "settings.ini")
    from endmember.demo import prepare_demo
    from endmember.session.document import Document
    from endmember.ui import logbook
    from endmember.ui.application import application, make_window

    recipe = prepare_demo(folder / "demo", options.size, lambda _: None)
    app = application()
    window = make_window()
    told: list[str] = []
    logbook.install(lambda: window)
    window.workspace.said.connect(
        lambda message: told.append(message.text) if message.kind == "error" else None
    )
    faults: list[str] = []
    tell = window.told
    window.told = lambda sentence: (faults.append(sentence), tell(sentence))  # type: ignore[method-assign]
    answer_file_dialogs(folder)
    window.show()
    window.show_document(Document.open(recipe))
    wanderer = Wanderer(window, options.seed)
    timer = QTimer()
    timer.timeout.connect(wanderer.step)
    timer.start(EVERY_ms)
    started = time.monotonic()
    memory: list[float] = []

    def look() -> None:
        minute = (time.monotonic() - started) / 60
        memory.append(resident_MB())
        print(
            f"{minute:6.1f} min {wanderer.done:8d} events {memory[-1]:8.0f} MB "
            f"{len(faults)} faults, page {window.workspace.focus.page}",
            flush=True,
        )
        if wanderer.done % 7 == 0:  # now and then a fresh start: everything may have been deleted
            window.workspace.show(Document.open(recipe))
        if minute >= options.minutes:
            timer.stop()
            window.runner.close()
            app.exit(0)

    minutes = QTimer()
    minutes.timeout.connect(look)
    minutes.start(round(60_000 * min(1.0, options.minutes / 10)))
    app.exec()
    print(f"alive after {wanderer.done} events; memory from {memory[0]:.0f} to {memory[-1]:.0f} MB")
    for sentence in dict.fromkeys(faults):
        print("fault:", sentence)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
