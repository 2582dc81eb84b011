"""Walks through the whole program, with the mouse and the keys of a person, in a real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from walk import Person


@pytest.fixture
def person(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Person]:
    someone = Person(qtbot, monkeypatch, tmp_path)
    yield someone
    someone.leave()


def real_file(shared: Path, name: str) -> Path:
    """A file of the shared data; the test is skipped where it is absent."""
    file = shared / "data" / "real" / name
    if not file.exists():
        pytest.skip(f"{file} is not there")
    return file


def test_a_map_of_the_lower_mantle_from_file_to_composition(person: Person, shared: Path) -> None:
    person.open(real_file(shared, "hspy/88_ES-LP_G8_selection2_cropped2.hspy"))
    data = person.result("read")
    print(data)
    page = person.window.page("map")
    facts = {k: v.text() for k, v in page.panel.facts.values.items()}
    print(facts)
    person.window.grab().save("/tmp/walk/a_map.png")
    page = person.page("components")
    person.result("decomposition")
    person.qtbot.wait(500)
    person.window.grab().save("/tmp/walk/a_comp.png")
    print(person.told())
