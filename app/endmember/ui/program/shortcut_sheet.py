"""The sheet of keys and gestures."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import QLineEdit, QTextBrowser, QVBoxLayout, QWidget

from endmember.ui.widgets.dialog import Dialog, Standard, name
from endmember.ui.widgets.theme import THEME, colours

Row = tuple[str, str, str]
_SCROLLING = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
}


class ShortcutSheet(Dialog):
    """Keys and gestures in two columns, with a search line; it does not stop work in the window.

    `actions` are (group, name, keys), `gestures` (group, what, how). Esc, Ctrl+W and ? close it.
    """

    def __init__(
        self, parent: QWidget | None, actions: Sequence[Row], gestures: Sequence[Row]
    ) -> None:
        super().__init__(parent, "Keys and gestures")
        self.setModal(False)
        self._rows = [*actions, *gestures]
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search, for instance: zoom")
        self.search.setClearButtonEnabled(True)
        name(self.search, "Show only what holds all these words", "Search keys and gestures")
        self.search.textChanged.connect(self._show)
        self.search.installEventFilter(self)
        self.view = QTextBrowser()
        self.view.setOpenLinks(False)
        name(self.view, "Keys and gestures", "Keys and gestures")
        QShortcut(QKeySequence("?"), self).activated.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addWidget(self.search)
        whole.addWidget(self.view, 1)
        box = self.box(Standard.Close)
        if (close := box.button(Standard.Close)) is not None:
            close.setAutoDefault(False)
            name(close, "Close (Esc or ?)", "Close")
        whole.addWidget(box)
        self.resize(760, 440)
        THEME.changed.connect(self._show)
        self._show()
        self.search.setFocus()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """In the search line ? closes the sheet, and keys that scroll go to the list."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.text() == "?":
                self.reject()
                return True
            if event.key() in _SCROLLING:
                self.view.keyPressEvent(event)
                return True
        return super().eventFilter(watched, event)

    def shown(self) -> list[Row]:
        """The rows that hold all words of the search line."""
        words = self.search.text().lower().split()
        return [row for row in self._rows if all(word in " ".join(row).lower() for word in words)]

    def _show(self) -> None:
        rows = self.shown()
        groups = {group: [row for row in rows if row[0] == group] for group, _, _ in rows}
        left, right = _halves(groups)
        muted = colours().muted
        if not rows:
            self.view.setHtml(f'<p style="color:{muted}">Nothing holds all these words.</p>')
            return
        self.view.setHtml(
            '<table width="100%" cellspacing="0" cellpadding="0"><tr>'
            f'<td width="49%" valign="top">{"".join(map(_block, left))}</td>'
            '<td width="2%">&nbsp;</td>'
            f'<td width="49%" valign="top">{"".join(map(_block, right))}</td></tr></table>'
        )


def _halves(groups: dict[str, list[Row]]) -> tuple[list[list[Row]], list[list[Row]]]:
    """The groups in their order, cut where the two columns are most alike in length."""
    blocks = list(groups.values())
    lengths = [len(rows) + 2 for rows in blocks]
    cut = min(
        range(1, len(blocks) + 1),
        key=lambda at: max(sum(lengths[:at]), sum(lengths[at:])),
        default=0,
    )
    return blocks[:cut], blocks[cut:]


def _block(rows: list[Row]) -> str:
    of = colours()
    lines = "".join(
        f'<tr><td width="58%" style="padding:2px 8px 2px 0">{html.escape(what)}</td>'
        f'<td style="padding:2px 4px; color:{of.accent}"><b>{html.escape(keys)}</b></td></tr>'
        for _, what, keys in rows
    )
    heading = html.escape(rows[0][0])
    return (
        f'<table width="100%" cellspacing="0" style="margin-bottom:10px">'
        f'<tr><td colspan="2" style="padding:4px 6px; background:{of.button}">'
        f"<b>{heading}</b></td></tr>{lines}</table>"
    )
