"""Starting the window."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QIcon, QPixmapCache
from PyQt6.QtWidgets import QApplication

if TYPE_CHECKING:
    from endmember.session.cache.disk_cache import DiskCache
    from endmember.session.documents.recovery import Recovery
    from endmember.ui.program.preferences import Preferences
    from endmember.ui.window.window import MainWindow

CLOSE_WHEN_DONE = "ENDMEMBER_CLOSE_WHEN_DONE"
"""Environment variable: close by itself once everything is computed; the exit code says whether
all went well. For trying a build without hands."""
PREPARED_AFTER_ms = 100  # the window is painted by then
REST_ms = 40  # between two things that are prepared
PICTURES_KB = 100_000  # the maps of all pages as drawn, on a large screen
TURN_s = 0.001  # how long a thread that computes in Python keeps the others waiting


_made: list[QApplication] = []  # kept: Qt does not hold it


def application() -> QApplication:
    """The one QApplication, made if need be."""
    found = QApplication.instance()
    if isinstance(found, QApplication):
        return found
    sys.setswitchinterval(TURN_s)
    app = QApplication([sys.argv[0] or "endmember"])
    _made.append(app)
    app.setApplicationName("endmember")
    app.setApplicationDisplayName("Endmember")
    app.setDesktopFileName("endmember")
    app.setStyle("Fusion")
    QPixmapCache.setCacheLimit(PICTURES_KB)
    app.setWindowIcon(_icon())
    return app


def _icon() -> QIcon:
    import importlib.resources

    icons = importlib.resources.files("endmember_resources").joinpath("icons")
    icon = QIcon()
    for size in (16, 32, 48, 64, 128, 256):
        file = icons.joinpath(f"endmember-{size}.png")
        if file.is_file():
            icon.addFile(str(file))
    return icon


def make_window(
    preferences: Preferences | None = None,
    cache: DiskCache | None = None,
    recovery: Recovery | None = None,
) -> MainWindow:
    """The main window, not yet shown; for the program and for tests, which keep nothing."""
    application()
    from endmember.ui.window.window import MainWindow

    return MainWindow(preferences, cache, recovery)


def open_window(
    files: Sequence[Path] = (), demo_size: int | None = None, demo_folder: Path | None = None
) -> int:
    """Show the window with files or the demo, and return the exit code when it is closed."""
    app = application()
    from endmember.session.cache.disk_cache import DiskCache
    from endmember.session.documents.recovery import Recovery

    window = make_window(cache=DiskCache(), recovery=Recovery())
    from endmember.ui.program import logbook

    logbook.install(lambda: window)
    window.show()

    def open_what_was_named() -> None:
        from endmember.ui.window.recovering import offer

        if offer(window):
            return
        if demo_size is not None:
            window.actions_.open_demo(demo_size, demo_folder)
        elif files:
            window.actions_.open_files(list(files), offered=True)

    QTimer.singleShot(PREPARED_AFTER_ms, lambda: prepare(window, open_what_was_named))
    if os.environ.get(CLOSE_WHEN_DONE):
        _close_when_done(app, window)
    return app.exec()


def prepare(window: MainWindow, then_open: Callable[[], None] = lambda: None) -> None:
    """Import and make what will be wanted, in small pieces, while nobody waits for it.

    `then_open` is called when all pages are made: reading a map meanwhile would make both slower,
    and hold the window up.
    """
    from endmember.session import warming
    from endmember.ui.window.window import PAGE_CLASSES

    def load_page(name: str) -> None:
        warming.load(PAGE_CLASSES[name].partition(":")[0])

    def make_page(name: str, loaded: object) -> None:
        if loaded is None:  # else its fault is told when the page is shown
            window.page(name)

    work: list[tuple[Callable[[], None], Callable[[Any], None]]] = [
        (partial(load_page, name), partial(make_page, name)) for name in PAGE_CLASSES
    ]
    later = warming.pieces()
    work += [(piece, lambda _: None) for piece in later]

    def go_on() -> None:
        if len(work) == len(later):
            then_open()
        if work:
            first, then = work.pop(0)
            # asked one after the other, so that what a person asks for does not wait for all
            window.runner.ask("prepare", first, partial(done, then))

    def done(then: Callable[[Any], None], value: Any) -> None:
        try:
            then(value)
        finally:  # the next import, which holds the interpreter again and again, once this is drawn
            QTimer.singleShot(REST_ms, go_on)

    go_on()


def _close_when_done(app: QApplication, window: MainWindow) -> None:
    def look() -> None:
        session = window.workspace.session
        if session is None or window.runner.running is not None or window.runner.is_storing:
            return
        if session.failures() or not session.due():
            complete = window.workspace.state("composition") == "done"
            window.runner.close()
            app.exit(0 if complete else 1)

    timer = QTimer(window)
    timer.timeout.connect(look)
    timer.start(200)
