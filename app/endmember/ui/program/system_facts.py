"""What the about box and bug reports say of the system; texts without the home folder."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Any

from PyQt6.QtCore import PYQT_VERSION_STR, qVersion
from PyQt6.QtGui import QGuiApplication

from endmember.versions import versions


def all_versions() -> dict[str, str]:
    """The versions of what decides the numbers, and of Qt and the system."""
    return {
        **versions(),
        "Qt": qVersion() or "",
        "PyQt6": PYQT_VERSION_STR,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def display() -> dict[str, Any]:
    """Platform plugin and screens; empty without an application."""
    if not isinstance(QGuiApplication.instance(), QGuiApplication):
        return {}
    screens = [
        {
            "width": screen.size().width(),
            "height": screen.size().height(),
            "scale": screen.devicePixelRatio(),
            "dots_per_inch": round(screen.logicalDotsPerInch(), 1),
        }
        for screen in QGuiApplication.screens()
    ]
    return {"platform": QGuiApplication.platformName(), "screens": screens}


def without_home(text: str, home: Path) -> str:
    """The text with "~" for the home folder, however its separators are written."""
    if len(home.parts) < 2:  # "/" or "C:\\" is in every path
        return text
    for folder in {home, home.resolve()}:
        # \\ and \\\\ stand in JSON, TOML and ini files for one separator
        separator = r"(?:/|\\{1,4}|%2F|%5C)"
        drive, *names = re.split(r"[\\/]+", str(folder))
        pattern = re.escape(drive) + "".join(separator + re.escape(name) for name in names)
        text = re.sub(rf"{pattern}(?!\w)", "~", text, flags=re.IGNORECASE)
    return text
