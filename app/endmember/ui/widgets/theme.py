"""Colours and fonts: light and dark, the colours of phases and of plots."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import PyQt6.QtCore  # noqa: F401 - before pyqtgraph, which takes the first Qt it finds
import pyqtgraph as pg
from PyQt6.QtCore import QObject, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication

from endmember.core.display.phase_colours import PHASE_COLOURS, colour_of

__all__ = ["PHASE_COLOURS", "THEME", "Colours", "colours", "phase_colour"]

Choice = Literal["system", "light", "dark"]

FAMILY_DASHES = {
    "K": Qt.PenStyle.SolidLine,
    "L": Qt.PenStyle.DashLine,
    "M": Qt.PenStyle.DotLine,
}


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of one theme as "#rrggbb"."""

    dark: bool
    window: str
    base: str
    alternate: str
    text: str
    muted: str
    button: str
    border: str
    accent: str
    accent_text: str
    plot: str
    line: str
    second_line: str
    grid: str
    good: str
    warning: str
    error: str


LIGHT = Colours(
    dark=False,
    window="#f3f4f5",
    base="#ffffff",
    alternate="#f6f7f9",
    text="#1b1e22",
    muted="#5d6670",
    button="#e9ebee",
    border="#c3c8ce",
    accent="#0b63a5",
    accent_text="#ffffff",
    plot="#ffffff",
    line="#1b1e22",
    second_line="#8a4b00",
    grid="#d9dce0",
    good="#1a7f4b",
    warning="#8a5a00",
    error="#b3261e",
)
DARK = Colours(
    dark=True,
    window="#23262a",
    base="#191b1e",
    alternate="#202327",
    text="#e6e8ea",
    muted="#a2abb4",
    button="#32363b",
    border="#4a5058",
    accent="#4aa3e0",
    accent_text="#0b1116",
    plot="#191b1e",
    line="#e6e8ea",
    second_line="#f0b45a",
    grid="#3a3f45",
    good="#5ac98d",
    warning="#f0b45a",
    error="#ff8a80",
)


class Theme(QObject):
    """Today's colours; `changed` tells every view to draw itself anew."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.colours = LIGHT
        self.choice: Choice = "system"

    def choose(self, choice: Choice) -> None:
        """Take the light or the dark colours, or those of the desktop."""
        self.choice = choice
        colours = DARK if choice == "dark" or (choice == "system" and _desktop_is_dark()) else LIGHT
        self.colours = colours
        pg.setConfigOption("background", colours.plot)
        pg.setConfigOption("foreground", colours.text)
        if isinstance(app := QApplication.instance(), QApplication):
            app.setPalette(_palette(colours))
            lists = _palette(colours)
            if colours.dark:  # the style draws boxes to tick in this colour, only darker
                lists.setColor(QPalette.ColorRole.Window, QColor(colours.muted))
            app.setPalette(lists, "QAbstractItemView")
            # headers are item views too, but what they leave empty is drawn as the window
            app.setPalette(_palette(colours), "QHeaderView")
            app.setStyleSheet(_style_sheet(colours))
        self.changed.emit()


THEME = Theme()


def colours() -> Colours:
    """The colours in use."""
    return THEME.colours


def phase_colour(index: int) -> QColor:
    """The colour of a phase: 0 is the matrix, then the precipitates in the recipe's order."""
    return QColor(colour_of(index))


def _desktop_is_dark() -> bool:
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return False
    hints = app.styleHints()
    return hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark


def _palette(of: Colours) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for roles, colour in (
        ((role.Window,), of.window),
        ((role.Base, role.ToolTipBase), of.base),
        ((role.AlternateBase,), of.alternate),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), of.text),
        ((role.Button,), of.button),
        ((role.Mid, role.Dark), of.border),
        ((role.Highlight, role.Link), of.accent),
        ((role.HighlightedText,), of.accent_text),
        ((role.PlaceholderText,), of.muted),
        ((role.BrightText,), of.error),
    ):
        for one in roles:
            palette.setColor(one, QColor(colour))
    faint = QColor(of.muted)
    for one in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, one, faint)
    return palette


def _ticks(of: Colours) -> str:
    """Boxes to tick and choose that can be seen on a dark ground, where the style's own drown."""
    if not of.dark:
        return ""
    tick = importlib.resources.files("endmember_resources").joinpath("icons", "tick.png")
    return f"""
QCheckBox::indicator, QMenu::indicator {{
  width: 13px; height: 13px; border: 1px solid {of.muted}; border-radius: 2px;
  background: {of.base}; }}
QCheckBox::indicator:checked, QMenu::indicator:checked {{
  background: {of.accent}; border-color: {of.accent}; image: url("{Path(str(tick)).as_posix()}"); }}
QCheckBox::indicator:disabled {{ border-color: {of.border}; }}
QRadioButton::indicator {{
  width: 13px; height: 13px; border: 1px solid {of.muted}; border-radius: 7px;
  background: {of.base}; }}
QRadioButton::indicator:checked {{
  width: 7px; height: 7px; border: 4px solid {of.accent}; background: {of.base}; }}
"""


def _style_sheet(of: Colours) -> str:
    return f"""{_ticks(of)}
QToolTip {{ color: {of.text}; background: {of.base}; border: 1px solid {of.border}; padding: 3px; }}
QDockWidget::title {{ background: {of.button}; padding: 4px 6px; }}
QLabel[role="heading"] {{ font-weight: 600; }}
QLabel[role="muted"] {{ color: {of.muted}; }}
QLabel[role="warning"] {{ color: {of.warning}; }}
QLabel[role="error"] {{ color: {of.error}; }}
QLabel[role="good"] {{ color: {of.good}; }}
QToolButton:checked {{ background: {of.accent}; color: {of.accent_text}; border-radius: 3px; }}
QAbstractItemView {{ alternate-background-color: {of.alternate}; }}
*[needed="true"] {{ border: 1px solid {of.warning}; }}
"""
