"""What the window remembers between two days."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import QByteArray
from PyQt6.QtWidgets import QDockWidget, QMainWindow
from pytestqt.qtbot import QtBot

from endmember.ui.program.preferences import FOLDER_VARIABLE, Preferences, settings_path


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "settings"))
    return settings_path()


def again(preferences: Preferences) -> Preferences:
    """What another start of the program finds."""
    assert preferences.save()
    return Preferences()


def test_the_variable_names_the_folder(path: Path, tmp_path: Path) -> None:
    assert path == tmp_path / "settings" / "endmember.ini"
    first = Preferences()
    first.theme = "dark"
    assert first.save()
    assert path.is_file()


def test_a_first_start_finds_the_defaults() -> None:
    first = Preferences()
    assert first.recent_files == ()
    assert first.last_folder == Path.home()
    assert (first.theme, first.table_unit) == ("system", "at.%")
    assert first.geometry.isEmpty()
    assert first.state.isEmpty()


def test_the_newest_file_is_first_and_none_is_twice(tmp_path: Path) -> None:
    first = Preferences()
    for name in ("a.hspy", "b, with a comma.emd", "a.hspy"):
        first.add_recent(tmp_path / name)
    names = [file.name for file in again(first).recent_files]
    assert names == ["a.hspy", "b, with a comma.emd"]


@pytest.mark.parametrize("name", ["only.hspy", "Größe %20 [1]; x=y.hspy", "back\\slash.hspy"])
def test_a_single_file_of_any_name_is_found_again(tmp_path: Path, name: str) -> None:
    first = Preferences()
    first.add_recent(tmp_path / name)
    assert again(first).recent_files == (tmp_path / name,)


def test_at_most_ten_files_are_kept(tmp_path: Path) -> None:
    first = Preferences()
    for number in range(15):
        first.add_recent(tmp_path / f"{number}.hspy")
    assert [file.stem for file in again(first).recent_files] == [str(n) for n in range(14, 4, -1)]


def test_of_a_last_folder_that_is_gone_the_nearest_above_is_taken(tmp_path: Path) -> None:
    first = Preferences()
    deep = tmp_path / "year" / "sample"
    deep.mkdir(parents=True)
    first.add_recent(deep / "a.hspy")
    assert first.last_folder == deep
    deep.rmdir()
    assert again(first).last_folder == tmp_path / "year"


def test_choices_and_any_typed_value_come_back() -> None:
    first = Preferences()
    first.theme, first.table_unit = "light", "oxide wt.%"
    first.put("plot/log", True)
    first.put("plot/width", 2.5)
    first.put("plot/title", "keV")
    first.put("plot/names", ["one"])
    second = again(first)
    assert (second.theme, second.table_unit) == ("light", "oxide wt.%")
    assert second.flag("plot/log") is True
    assert second.number("plot/width") == 2.5
    assert second.text("plot/title") == "keV"
    assert second.texts("plot/names") == ("one",)
    second.forget("plot")
    assert second.number("plot/width", 1.0) == 1.0


def test_a_layout_comes_back(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    dock = QDockWidget("steps", window)
    dock.setObjectName("steps")
    window.addDockWidget(window.dockWidgetArea(dock).RightDockWidgetArea, dock)
    window.resize(640, 320)
    first = Preferences()
    first.geometry, first.state = window.saveGeometry(), window.saveState()
    second = again(first)
    assert second.geometry == window.saveGeometry()
    assert window.restoreState(second.state)
    second.forget_layout()
    assert again(second).state == QByteArray()


@pytest.mark.parametrize("damage", [b"\xff\xfe\x00broken", b"[files]\nrecent=\0\0\0", b"\x80" * 50])
def test_a_damaged_file_is_put_aside_and_begun_anew(path: Path, damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    first = Preferences()
    assert first.damaged == path.with_name("endmember.ini.bad")
    assert first.damaged.read_bytes() == damage
    assert first.theme == "system"
    first.theme = "dark"
    assert again(first).theme == "dark"
    assert Preferences().damaged is None


def test_values_that_make_no_sense_count_as_not_there(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(
        "[view]\ntheme=purple\ntable_unit=7\nwidth=wide\nhuge=1e999\nflag=perhaps\n"
        "[window]\ngeometry=nonsense\n[files]\nrecent=@Invalid()\n"
    )
    first = Preferences()
    assert (first.theme, first.table_unit) == ("system", "at.%")
    assert first.number("view/width", 3.0) == 3.0
    assert first.number("view/huge", 3.0) == 3.0
    assert first.flag("view/flag", True) is True
    assert first.geometry.isEmpty()
    assert first.recent_files == ()


def test_settings_that_cannot_be_written_are_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "file" / "folder"))
    first = Preferences()
    first.theme = "dark"
    assert first.theme == "dark"
    assert first.save() is False
