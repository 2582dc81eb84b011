"""Small dialogs: about, log, saving before closing, which signal, facts a file does not give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import (
    QDesktopServices,
    QFontDatabase,
    QKeySequence,
    QShortcut,
)
from PyQt6.QtWidgets import (
    QDialogButtonBox,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from endmember import __version__
from endmember.session.cache.disk_cache import CacheSize
from endmember.ui.program import logbook
from endmember.ui.program.shortcut_sheet import ShortcutSheet as ShortcutSheet
from endmember.ui.program.system_facts import all_versions
from endmember.ui.widgets.choice_table import ChoiceTable, Row
from endmember.ui.widgets.dialog import Dialog, Standard, copy_button, name, to_clipboard

CITATION = "Chen et al., Ultramicroscopy 2024, 113981"
LICENCE = "GPL-3.0-or-later"
LOG_LINES = 500


class AboutBox(Dialog):
    """Name, versions, citation and licence, to be copied into a paper or a bug report."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent, "About Endmember")
        heading = QLabel(f"Endmember {__version__}")
        font = heading.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        font.setBold(True)
        heading.setFont(font)
        about = QLabel(
            "Separates overlapping phases in STEM-EDXS maps and measures the trace elements "
            f"in each.\n\nThe method is that of {CITATION}. Please cite it.\n"
            f"Licence: {LICENCE}."
        )
        about.setWordWrap(True)
        for label in (heading, about):
            label.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.versions = QPlainTextEdit(_lines(all_versions()))
        self.versions.setReadOnly(True)
        self.versions.setTabChangesFocus(True)
        self.versions.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        name(self.versions, "The versions that decide the numbers", "Versions")
        box = self.box(Standard.Close)
        self.copy_button = copy_button(box, "name, versions, citation and licence")
        self.copy_button.clicked.connect(lambda: to_clipboard(self.text()))
        whole = QVBoxLayout(self)
        for widget in (heading, about, self.versions, box):
            whole.addWidget(widget)
        whole.setStretchFactor(self.versions, 1)
        self.resize(520, 420)
        if (close := box.button(Standard.Close)) is not None:
            close.setFocus()

    def text(self) -> str:
        """All of it as plain text."""
        return (
            f"Endmember {__version__}\n{CITATION}\nLicence: {LICENCE}\n\n"
            f"{self.versions.toPlainText()}\n"
        )


def _lines(facts: Mapping[str, str]) -> str:
    width = max(map(len, facts)) + 2
    return "\n".join(f"{key:<{width}}{value}" for key, value in facts.items())


def about_box(parent: QWidget | None) -> AboutBox:
    """Show name, versions, citation and licence; returns the open dialog."""
    box = AboutBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box


class LogDialog(Dialog):
    """The end of the log, to be copied, and the way to its folder."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent, "Log")
        path = logbook.log_path()
        where = QLabel(str(path))
        where.setWordWrap(True)
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.view = QPlainTextEdit()
        self.view.setReadOnly(True)
        self.view.setTabChangesFocus(True)
        self.view.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.view.setPlaceholderText("Nothing was written yet.")
        name(self.view, f"The last {LOG_LINES} lines of the log", "Log")
        box = self.box(Standard.Close)
        self.copy_button = copy_button(box, "what is shown")
        self.copy_button.clicked.connect(lambda: to_clipboard(self.view.toPlainText()))
        self.folder_button = QPushButton("Open &folder")
        self.folder_button.setAutoDefault(False)
        name(self.folder_button, "Show the folder of the log", "Open folder")
        self.folder_button.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
        )
        box.addButton(self.folder_button, QDialogButtonBox.ButtonRole.ActionRole)
        whole = QVBoxLayout(self)
        whole.addWidget(where)
        whole.addWidget(self.view, 1)
        whole.addWidget(box)
        self.resize(760, 420)
        self.view.setFocus()
        self.read()

    def read(self) -> None:
        """Show the end of the log as it is now."""
        self.view.setPlainText(logbook.tail(LOG_LINES))
        if (bar := self.view.verticalScrollBar()) is not None:
            bar.setValue(bar.maximum())


def ask_save(parent: QWidget | None, name_of_recipe: str) -> Literal["save", "discard", "cancel"]:
    """Ask whether decisions that were not saved are to be saved; Esc and Ctrl+W cancel."""
    box = QMessageBox(parent)
    box.setOption(QMessageBox.Option.DontUseNativeDialog)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Save the recipe?")
    box.setText(f'Save what you decided in "{name_of_recipe}"?')
    box.setInformativeText(
        "Results follow from the recipe and the maps; unsaved decisions are lost."
    )
    save = box.addButton("&Save", QMessageBox.ButtonRole.AcceptRole)
    discard = box.addButton("&Don't save", QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    for button, says in (
        (save, "Save the recipe, then go on (Enter)"),
        (discard, "Go on and lose the decisions that were not saved"),
        (cancel, "Stay here (Esc)"),
    ):
        if button is not None:
            name(button, says, button.text().replace("&", ""))
    if isinstance(save, QPushButton):
        box.setDefaultButton(save)
    box.setEscapeButton(cancel)
    QShortcut(QKeySequence("Ctrl+W"), box).activated.connect(box.reject)
    box.exec()
    clicked = box.clickedButton()
    if clicked is not None and clicked is save:
        return "save"
    return "discard" if clicked is not None and clicked is discard else "cancel"


def ask_clear(parent: QWidget | None, folder: Path, size: CacheSize) -> bool:
    """Say how large the cache is, and ask whether it is to be emptied; Esc and Ctrl+W keep it."""
    box = QMessageBox(parent)
    box.setOption(QMessageBox.Option.DontUseNativeDialog)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Clear the cache?")
    box.setText(f"The cache holds {size.entries} results ({size.bytes / 1e6:.0f} MB).")
    box.setInformativeText(
        f"They lie in {folder}, so that maps opened again need not be computed again. "
        "Recipes and maps are not touched."
    )
    clear = box.addButton("C&lear", QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    for button, says in (
        (clear, "Remove all results that are kept on disk"),
        (cancel, "Keep them (Esc)"),
    ):
        if button is not None:
            name(button, says, button.text().replace("&", ""))
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    QShortcut(QKeySequence("Ctrl+W"), box).activated.connect(box.reject)
    box.exec()
    clicked = box.clickedButton()
    return clicked is not None and clicked is clear


class ChooseSignalDialog(Dialog):
    """Which of the signals of a file is the map.

    `signals` are those of `endmember info --json`: `index`, `title`, `kind` and `shape` each,
    and perhaps `counts`. `taken` is the index of the one in use.
    """

    COLUMNS = ("Index", "Title", "Kind", "Shape", "Counts")

    def __init__(
        self,
        parent: QWidget | None,
        file: str | Path,
        signals: Sequence[Mapping[str, Any]],
        taken: int | None = None,
    ) -> None:
        super().__init__(parent, "Choose a map")
        self._signals = list(signals)
        said = QLabel(f"{Path(file).name} holds several signals. Which is the map?")
        said.setWordWrap(True)
        said.setToolTip(str(file))
        self.table = self._table()
        self.says = QLabel()
        self.says.setWordWrap(True)
        self.says.setProperty("role", "muted")
        box = self.box(Standard.Ok, Standard.Cancel)
        self.ok = box.button(Standard.Ok)
        whole = QVBoxLayout(self)
        for widget in (said, self.table, self.says, box):
            whole.addWidget(widget)
        self.resize(560, 300)
        self.table.itemSelectionChanged.connect(self._judge)
        self.table.itemDoubleClicked.connect(self._accept_map)
        maps = [row for row, signal in enumerate(self._signals) if signal["kind"] == "map"]
        in_use = [row for row in maps if self._signals[row]["index"] == taken]
        self.table.setCurrentCell((in_use or maps or [0])[0], 1)
        self._judge()
        self.table.setFocus()

    def _table(self) -> ChoiceTable:
        rows = []
        for signal in self._signals:
            shape = " x ".join(map(str, signal["shape"]))
            title, counts = signal["title"] or "untitled", signal.get("counts")
            many = "" if counts is None else f"{counts:,}".replace(",", " ")
            texts = (str(signal["index"]), str(title), str(signal["kind"]), shape, many)
            rows.append(Row(texts, None, signal["kind"] == "map"))
        says = "A map has a spectrum in each pixel"
        return ChoiceTable(self.COLUMNS, rows, 1, says, "Signals of the file")

    def chosen(self) -> int | None:
        """The index of the chosen signal; None while none that is a map is chosen."""
        row = self.table.currentRow()
        if not 0 <= row < len(self._signals) or self._signals[row]["kind"] != "map":
            return None
        return int(self._signals[row]["index"])

    def _accept_map(self) -> None:
        if self.chosen() is not None:
            self.accept()

    def _judge(self) -> None:
        fit = self.chosen() is not None
        if self.ok is not None:
            self.ok.setEnabled(fit)
        row = self.table.currentRow()
        kind = self._signals[row]["kind"] if 0 <= row < len(self._signals) else ""
        self.says.setText(
            "" if fit or not kind else f"This is of kind {kind}: choose one of kind map."
        )
