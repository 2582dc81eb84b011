"""Offering what was not saved when the program ended, by a crash or a power cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from endmember.session.documents.document import Document
from endmember.session.documents.recovery import Kept
from endmember.ui.widgets.choice_table import RowTable
from endmember.ui.widgets.dialog import Dialog, name
from endmember.ui.window.opening import find_moved_files

if TYPE_CHECKING:
    from endmember.ui.window.window import MainWindow


class RecoverDialog(Dialog):
    """The unsaved documents of programs that ended: one is recovered, some are discarded.

    Closing it (Esc) keeps all: they are offered again.
    """

    COLUMNS = ("Recipe or map", "Last change", "Folder")

    def __init__(
        self, parent: QWidget | None, found: Sequence[Kept], discard: Callable[[Kept], None]
    ) -> None:
        super().__init__(parent, "Recover unsaved changes")
        self.found = list(found)
        self._discard = discard
        said = QLabel(
            "Endmember ended before these changes were saved. What you recover is opened as it was "
            "after the last change, and not saved yet."
        )
        said.setWordWrap(True)
        self.table = self._table()
        self.recover = QPushButton("&Recover")
        self.discard = QPushButton("&Discard…")
        self.later = QPushButton("&Later")
        box = QDialogButtonBox()
        role = QDialogButtonBox.ButtonRole
        for button, of, says in (
            (self.recover, role.AcceptRole, "Open the chosen one with its changes (Enter)"),
            (self.discard, role.DestructiveRole, "Remove the chosen changes for ever"),
            (self.later, role.RejectRole, "Keep them all, and ask again at the next start (Esc)"),
        ):
            box.addButton(button, of)
            name(button, says, button.text().replace("&", "").rstrip("…"))
        self.recover.setDefault(True)
        self.recover.clicked.connect(self.accept)
        self.later.clicked.connect(self.reject)
        self.discard.clicked.connect(self._ask_discard)
        whole = QVBoxLayout(self)
        for widget in (said, self.table, box):
            whole.addWidget(widget)
        whole.setStretchFactor(self.table, 1)
        self.resize(640, 280)
        self._fill()

    def _table(self) -> QTableWidget:
        table = RowTable(self.COLUMNS, "What was not saved, the latest first", "Unsaved changes")
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        if (top := table.horizontalHeader()) is not None:
            top.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            top.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        table.doubleClicked.connect(lambda _: self.accept())
        return table

    def _fill(self) -> None:
        self.table.setRowCount(len(self.found))
        for row, kept in enumerate(self.found):
            place = kept.document or Path(kept.recipe.maps[0].file)
            never = "" if kept.document is not None else " (never saved)"
            texts = (f"{kept.title}{never}", shown_time(kept.changed_at), str(place.parent))
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(str(place))
                self.table.setItem(row, column, item)
        self.table.selectRow(0)

    @property
    def chosen(self) -> Kept | None:
        """The one whose row is chosen."""
        row = self.table.currentRow()
        return self.found[row] if 0 <= row < len(self.found) else None

    def _ask_discard(self) -> None:
        kept = self.chosen
        if kept is None or not ask_discard(self, kept):
            return
        self._discard(kept)
        self.found.remove(kept)
        self._fill()
        if not self.found:
            self.reject()


def shown_time(seconds: float) -> str:
    """A time of the clock on the wall, with its day."""
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"


def ask_discard(parent: QWidget | None, kept: Kept) -> bool:
    """Whether changes are to be removed for ever; Esc keeps them."""
    box = QMessageBox(parent)
    box.setOption(QMessageBox.Option.DontUseNativeDialog)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Discard the changes?")
    box.setText(f'Remove the unsaved changes of "{kept.title}" for ever?')
    box.setInformativeText("The saved recipe and the maps are not touched.")
    discard = box.addButton("&Discard", QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
    for button, says in ((discard, "Remove the changes"), (keep, "Keep them (Esc)")):
        if button is not None:
            name(button, says, button.text().replace("&", ""))
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.exec()
    clicked = box.clickedButton()
    return clicked is not None and clicked is discard


def offer(window: MainWindow, files: Sequence[Path] | None = None) -> bool:
    """Offer what was left, of `files` alone if given; whether a document was recovered.

    Nobody is asked in a window that closes by itself.
    """
    from endmember.ui.window.application import CLOSE_WHEN_DONE

    if window.autosave is None or os.environ.get(CLOSE_WHEN_DONE):
        return False
    recovery = window.autosave.recovery
    found = recovery.found()
    if files is not None:
        found = [kept for kept in found if any(kept.belongs_to(file) for file in files)]
    if not found:
        return False
    dialog = RecoverDialog(window, found, lambda kept: kept.file.unlink(missing_ok=True))
    accepted = dialog.exec() == RecoverDialog.DialogCode.Accepted
    chosen = dialog.chosen
    dialog.deleteLater()
    return accepted and chosen is not None and _recover(window, chosen)


def _recover(window: MainWindow, kept: Kept) -> bool:
    assert window.autosave is not None
    try:
        file = window.autosave.recovery.take(kept)
    except ValueError as error:
        window.workspace.say("warning", str(error))
        return False
    document = Document.recovered(kept.recipe, kept.document)
    window.autosave.go_on_with(file)
    told = find_moved_files(window, document)
    window.show_document(document)
    for sentence in told:
        window.workspace.say("info", sentence)
    window.workspace.say(
        "info", f"recovered as it was at {shown_time(kept.changed_at)}, and not saved yet"
    )
    if kept.saved_since:
        window.workspace.say(
            "warning",
            f"{kept.title} was changed after these changes were made: save under another name to "
            "keep both",
        )
    return True
