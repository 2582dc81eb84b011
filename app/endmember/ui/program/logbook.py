"""The log of the window: faults are written down and told, and never end the program."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import logging.handlers
import os
import sys
import tempfile
import threading
import time
import traceback
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from PyQt6.QtCore import (
    QCoreApplication,
    QMessageLogContext,
    QObject,
    Qt,
    QtMsgType,
    pyqtSignal,
    qInstallMessageHandler,
)

from endmember import __version__
from endmember.files.disk.folders import complete_file
from endmember.ui.program.preferences import settings_path
from endmember.ui.program.system_facts import all_versions, display, without_home

FOLDER_VARIABLE = "ENDMEMBER_LOG"  # names another folder for the log
FILE_NAME = "endmember.log"
CRASH_NAME = "crash.log"
QUIET_s = 5.0
_LARGEST_BYTES, _OLD_FILES = 1_000_000, 3
_LOG = logging.getLogger("endmember")
_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class Teller(Protocol):
    """A window that can show a sentence."""

    def told(self, sentence: str) -> None:
        """Show what went wrong; called in the main thread."""


class _OnceInAWhile(logging.Filter):
    """Lets the same message through once in 5 s: a fault in painting repeats 60 times a second."""

    def __init__(self) -> None:
        super().__init__()
        self.clock: Callable[[], float] = time.monotonic
        self._seen: dict[tuple[str, str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is new, or old enough to be written again."""
        key, now = (record.name, str(record.msg), str(record.args)), self.clock()
        self._seen = {k: t for k, t in self._seen.items() if now - t < QUIET_s}
        if record.exc_info is None and key in self._seen:
            return False
        self._seen[key] = now
        return True


WindowProvider = Callable[[], Teller | None]


class _Handler(logging.handlers.RotatingFileHandler):
    """A log that cannot be written, as on a full disk, is no reason to fail."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Stay silent."""


class _Hooks(NamedTuple):
    """What was called for uncaught exceptions and Qt's messages before."""

    main: Callable[[type[BaseException], BaseException, TracebackType | None], object]
    thread: Callable[[threading.ExceptHookArgs], object]
    qt: Callable[[QtMsgType, QMessageLogContext, str | None], None] | None


class _Logbook(QObject):
    """Takes faults from any thread and tells them in the main thread, each place once in 5 s."""

    fault = pyqtSignal(str)

    def __init__(self, window_provider: WindowProvider, path: Path) -> None:
        super().__init__()
        self.window_provider = window_provider
        self.hooks: _Hooks | None = None
        self.handler = _file_handler(path)
        self.clock: Callable[[], float] = time.monotonic
        self._seen: dict[tuple[str, str, int], tuple[float, int]] = {}
        self._lock = threading.Lock()
        # queued: the window is touched in its own thread only, and never while it is being painted
        self.fault.connect(self._tell, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def take(self, error: BaseException, thread: str = "") -> None:
        """Write a fault down with its traceback, and tell it, unless it was told just now."""
        place = _place(error)
        with self._lock:
            last, repeats = self._seen.get(place, (-QUIET_s, 0))
            now = self.clock()
            if now - last < QUIET_s:
                self._seen[place] = (last, repeats + 1)
                return
            self._seen[place] = (now, 0)
        where = f" in thread {thread}" if thread else ""
        again = f" ({repeats} more times since it was last written)" if repeats else ""
        _LOG.error("uncaught%s%s", where, again, exc_info=error)
        if self.window_provider() is not None:
            self.fault.emit(sentence_for(error))
        elif sys.stderr is not None:  # there is none in a program without a terminal
            traceback.print_exception(error)

    def _tell(self, sentence: str) -> None:
        try:
            if (window := self.window_provider()) is not None:
                window.told(sentence)
        except Exception:  # what tells a fault must not make the next one
            _LOG.exception("a fault could not be told")


_book: _Logbook | None = None


def log_path() -> Path:
    """The file of the log; the variable ENDMEMBER_LOG names another folder for it.

    Where that folder cannot be written to, `install` takes the one for temporary files.
    """
    if _book is not None:
        return Path(_book.handler.baseFilename)
    if folder := os.environ.get(FOLDER_VARIABLE):
        return Path(folder) / FILE_NAME
    from platformdirs import user_log_path

    return user_log_path("endmember", appauthor=False) / FILE_NAME


def log_files() -> list[Path]:
    """All files of the log that are there, the newest first, and what a crash of Qt left."""
    path = log_path()
    old = [path.with_name(f"{FILE_NAME}.{number}") for number in range(1, _OLD_FILES + 1)]
    return [file for file in (path, *old, path.with_name(CRASH_NAME)) if file.is_file()]


def tail(lines: int) -> str:
    """The last lines of the log; empty if nothing was written yet."""
    try:
        text = log_path().read_text("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:]) if lines > 0 else ""


def sentence_for(error: BaseException) -> str:
    """What a person is told of a fault of the program."""
    kind = type(error).__name__
    says = " ".join(str(error).split())
    if len(says) > 200:
        says = f"{says[:200]} ..."
    what = f"{kind}: {says}" if says else kind
    return (
        f"A fault of the program ({what.rstrip('.')}); your work is still here. "
        "Save the recipe, then send a bug report from the Help menu."
    )


def install(window_provider: WindowProvider) -> None:
    """From now on log what goes wrong, and tell it to the window that `window_provider` gives.

    Exceptions that nobody caught, in slots and in threads, are logged with their traceback and told
    as a sentence by the window's `told`, in the main thread; the same exception from the same place
    at most once in 5 s. While there is no window (None) the traceback goes to standard error.
    Messages of Qt and of all libraries that use logging go to the log alone. To be called in the
    main thread; a second call only changes the provider.
    """
    global _book
    if _book is not None:
        _book.window_provider = window_provider
        return
    _book = _Logbook(window_provider, log_path())
    before = qInstallMessageHandler(_from_qt)
    _book.hooks = _Hooks(sys.excepthook, threading.excepthook, before)
    logging.getLogger().addHandler(_book.handler)
    _LOG.setLevel(logging.INFO)
    sys.excepthook = _from_main
    threading.excepthook = _from_thread
    _note_crashes(log_path().with_name(CRASH_NAME))
    _LOG.info("endmember %s starts", __version__)


def uninstall() -> None:
    """Give the hooks back, for tests and for the end of the program."""
    global _book
    if _book is None:
        return
    book, _book = _book, None
    if book.hooks is not None:
        sys.excepthook, threading.excepthook, of_qt = book.hooks
        qInstallMessageHandler(of_qt)
    logging.getLogger().removeHandler(book.handler)
    book.handler.close()


def save_bug_report(path: str | Path, recipe_text: str | None, extra: Mapping[str, Any]) -> None:
    """Write a zip with log, versions, screens, settings and recipe, whole or not at all.

    No data goes in, and the home folder reads "~" everywhere. `extra` is written as JSON.

    Raises
    ------
    ValueError
        if the file cannot be written.
    """
    about = {"versions": all_versions(), **display(), **extra}
    parts = {"about.json": json.dumps(about, indent=1, ensure_ascii=False, default=str)}
    files = {f"log/{file.name}": file for file in log_files()}
    files["settings.ini"] = settings_path()
    for name, file in files.items():
        with contextlib.suppress(FileNotFoundError):
            parts[name] = file.read_text("utf-8", errors="replace")
    if recipe_text is not None:
        parts["recipe.toml"] = recipe_text
    home = Path.home()
    try:
        with (
            complete_file(path) as part,
            zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as zipped,
        ):
            for name, text in parts.items():
                zipped.writestr(name, without_home(text, home))
    except OSError as error:
        says = error.strerror or str(error)
        raise ValueError(
            f"{path}: the bug report cannot be written ({says}); choose another folder"
        ) from error


def _file_handler(path: Path) -> _Handler:
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        path = Path(tempfile.gettempdir()) / FILE_NAME
    handler = _Handler(
        path, maxBytes=_LARGEST_BYTES, backupCount=_OLD_FILES, encoding="utf-8", delay=True
    )
    handler.setLevel(logging.INFO)
    handler.addFilter(_OnceInAWhile())
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s")
    )
    return handler


def _note_crashes(path: Path) -> None:
    """A crash inside Qt ends the process without an exception: its stack goes to a file."""
    if faulthandler.is_enabled():
        return
    with contextlib.suppress(OSError):
        faulthandler.enable(path.open("w", encoding="utf-8"))


def _place(error: BaseException) -> tuple[str, str, int]:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return (type(error).__name__, last.filename if last else "", (last.lineno if last else 0) or 0)


def _from_main(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        QCoreApplication.quit()
    elif _book is not None:
        _book.take(error.with_traceback(trace))


def _from_thread(fault: threading.ExceptHookArgs) -> None:
    if fault.exc_value is None or issubclass(fault.exc_type, SystemExit) or _book is None:
        return
    _book.take(fault.exc_value, fault.thread.name if fault.thread else "")


def _from_qt(kind: QtMsgType, context: QMessageLogContext, text: str | None) -> None:
    category = context.category or "default"
    logging.getLogger(f"qt.{category}").log(_QT_LEVELS.get(kind, logging.WARNING), "%s", text)
