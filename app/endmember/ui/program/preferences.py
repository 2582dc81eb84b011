"""What the window remembers of a person between two days: files, folder, theme, layout."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

from PyQt6.QtCore import QByteArray, QSettings

from endmember.session.views.composition_tables import TableKind
from endmember.session.views.composition_view import UnitName
from endmember.ui.widgets.theme import Choice

FOLDER_VARIABLE = "ENDMEMBER_CONFIG"  # names another folder for the settings
FILE_NAME = "endmember.ini"
MOST_RECENT = 10

_RECENT, _FOLDER, _THEME = "files/recent", "files/folder", "view/theme"
_TABLE = "view/table"
_UNIT, _GEOMETRY, _STATE = "view/table_unit", "window/geometry", "window/state"


def settings_path() -> Path:
    """The file of the settings; the variable ENDMEMBER_CONFIG names another folder for it."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        return Path(folder) / FILE_NAME
    from platformdirs import user_config_path

    return user_config_path("endmember", appauthor=False) / FILE_NAME


class Preferences:
    """Typed settings in an ini file.

    A value that cannot be understood counts as not there, and a file that cannot be read at all is
    kept as `.bad` and begun anew (`damaged` then holds its new path), so that the window always
    opens. Settings that cannot be written are kept in memory only.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or settings_path()
        self.damaged: Path | None = None
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        if not _is_text(self.path):
            self._put_aside()
        self._settings = QSettings(str(self.path), QSettings.Format.IniFormat)
        if self._settings.status() == QSettings.Status.FormatError:
            self._put_aside()
            self._settings = QSettings(str(self.path), QSettings.Format.IniFormat)

    def _put_aside(self) -> None:
        bad = self.path.with_name(self.path.name + ".bad")
        with contextlib.suppress(OSError):
            self.path.replace(bad)
            self.damaged = bad

    def save(self) -> bool:
        """Write what has changed to the file now; whether that was possible."""
        self._settings.sync()
        return self._settings.status() == QSettings.Status.NoError

    def text(self, key: str, default: str = "") -> str:
        """A text, or the default."""
        value = self._settings.value(key)
        return value if isinstance(value, str) else default

    def number(self, key: str, default: float = 0.0) -> float:
        """A number, or the default if there is none that is finite."""
        value = self._settings.value(key)
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            number = float(value)
            return number if abs(number) < float("inf") else default
        return default

    def flag(self, key: str, default: bool = False) -> bool:
        """Yes or no, or the default."""
        value = str(self._settings.value(key)).lower()
        return {"true": True, "false": False}.get(value, default)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty if there is none."""
        value = self._settings.value(key)
        if isinstance(value, str):  # how an ini file gives a list of one
            return (value,) if value else ()
        if not isinstance(value, list):
            return ()
        return tuple(item for item in value if isinstance(item, str) and item)

    def raw(self, key: str) -> QByteArray:
        """Bytes that Qt made, such as a layout; empty if there are none."""
        value = self._settings.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()

    def put(self, key: str, value: str | float | bool | QByteArray | Sequence[str]) -> None:
        """Remember a value under a key such as "view/columns"."""
        if isinstance(value, bool | float | int | str | QByteArray):
            self._settings.setValue(key, value)
        else:
            self._settings.setValue(key, list(value))

    def forget(self, key: str) -> None:
        """Drop a value, or all values of a group; its default holds again."""
        self._settings.remove(key)

    @property
    def recent_files(self) -> tuple[Path, ...]:
        """The files opened last, the newest first, at most ten, also those that are gone."""
        return tuple(Path(text) for text in self.texts(_RECENT)[:MOST_RECENT])

    def add_recent(self, file: str | Path) -> None:
        """Put a file first among the recent ones and remember its folder."""
        path = Path(os.path.abspath(file))  # noqa: PTH100 - a link keeps its own name
        others = [recent for recent in self.recent_files if recent != path]
        self.put(_RECENT, [str(path), *map(str, others)][:MOST_RECENT])
        self.last_folder = path.parent

    @property
    def last_folder(self) -> Path:
        """The folder used last; what is left of it if it is gone, or the home folder."""
        if text := self.text(_FOLDER):
            folder = Path(text)
            for there in (folder, *folder.parents[:-1]):
                if there.is_dir():
                    return there
        return Path.home()

    @last_folder.setter
    def last_folder(self, folder: str | Path) -> None:
        self.put(_FOLDER, str(folder))

    @property
    def theme(self) -> Choice:
        """The colours chosen: those of the desktop, light or dark."""
        text = self.text(_THEME)
        return cast(Choice, text) if text in get_args(Choice) else "system"

    @theme.setter
    def theme(self, choice: Choice) -> None:
        self.put(_THEME, choice)

    @property
    def table_unit(self) -> UnitName:
        """The unit in which compositions are shown."""
        text = self.text(_UNIT)
        return cast(UnitName, text) if text in get_args(UnitName) else "at.%"

    @table_unit.setter
    def table_unit(self, unit: UnitName) -> None:
        self.put(_UNIT, unit)

    @property
    def table_kind(self) -> TableKind:
        """The table that is shown of the compositions."""
        text = self.text(_TABLE)
        return cast(TableKind, text) if text in get_args(TableKind) else "composition"

    @table_kind.setter
    def table_kind(self, kind: TableKind) -> None:
        self.put(_TABLE, kind)

    @property
    def geometry(self) -> QByteArray:
        """Place and size of the window, as QWidget.saveGeometry gives them."""
        return self.raw(_GEOMETRY)

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self.put(_GEOMETRY, geometry)

    @property
    def state(self) -> QByteArray:
        """The panels of the window, as QMainWindow.saveState gives them."""
        return self.raw(_STATE)

    @state.setter
    def state(self, state: QByteArray) -> None:
        self.put(_STATE, state)

    def forget_layout(self) -> None:
        """Drop geometry and panels, for "reset the layout"."""
        self.forget("window")


def _is_text(path: Path) -> bool:
    """Whether a file is missing or holds text; QSettings itself takes many a damaged file."""
    try:
        return "\0" not in path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError):
        return False
