"""Every decision is kept in a file at once, until it is saved or given up."""

from __future__ import annotations

import threading
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from endmember.session.decisions.recipe import Recipe
from endmember.session.documents.document import Document
from endmember.session.documents.recovery import Recovery, RecoveryFile
from endmember.ui.document.workspace import Workspace


class Autosave(QObject):
    """Follows the document of a window; writes in the thread of `Runner.write`."""

    _failed = pyqtSignal(str)

    def __init__(self, workspace: Workspace, recovery: Recovery) -> None:
        super().__init__(workspace)
        self.workspace, self.recovery = workspace, recovery
        self._document: Document | None = None
        self._file: RecoveryFile | None = None
        self._taken: RecoveryFile | None = None
        self._last: tuple[Recipe, Path | None] | None = None
        self._wanted: dict[RecoveryFile, tuple[Recipe, Path | None] | None] = {}
        self._lock = threading.Lock()
        self._is_told = False
        workspace.document_changed.connect(self._note)
        self._failed.connect(self._tell)

    def go_on_with(self, file: RecoveryFile) -> None:
        """The document that is shown next was recovered from `file`, which it goes on using."""
        self._taken = file

    def end(self) -> None:
        """The window is closed, and its decisions are saved or given up."""
        self._follow(None)

    def _note(self) -> None:
        """Keep today's decisions, or remove the file where they are saved."""
        document = self.workspace.document
        if document is not self._document:
            self._follow(document)
        if document is None:
            return
        now = (document.session.recipe, document.path) if document.modified else None
        if now is None or self._last is None:
            is_new = now is not self._last
        else:  # the very recipe: comparing long strokes would cost as much as it saves
            is_new = now[0] is not self._last[0] or now[1] != self._last[1]
        if is_new:
            self._last = now
            self._want(now)

    def _follow(self, document: Document | None) -> None:
        """Whoever leaves a document was asked whether to save it."""
        if self._file is not None and self._last is not None:
            self._want(None)
        self._document, self._last = document, None
        self._file = None if document is None else self._taken or self.recovery.new_file()
        if document is not None and self._taken is not None:
            self._last = (document.session.recipe, None)  # there is a file to remove
            self._taken = None

    def _want(self, what: tuple[Recipe, Path | None] | None) -> None:
        assert self._file is not None
        file = self._file
        with self._lock:
            waits = file in self._wanted
            self._wanted[file] = what
        if not waits:
            self.workspace.runner.write(lambda: self._write(file))

    def _write(self, file: RecoveryFile) -> None:
        """In the writing thread: only the newest decisions count."""
        with self._lock:
            wanted = self._wanted.pop(file)
        if wanted is None:
            file.remove()
            return
        try:
            file.keep(*wanted)
        except ValueError as error:
            self._failed.emit(str(error))

    def _tell(self, why: str) -> None:
        if not self._is_told:
            self._is_told = True
            self.workspace.say(
                "warning",
                f"your changes cannot be kept for the case that the program ends ({why}): save "
                "the recipe often",
            )
