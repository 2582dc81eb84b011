"""The demo as walks find it, in a window that stays open from walk to walk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from endmember.demo import prepare_demo
from walk import Person
from walk import person as person

SIZE = 64


@pytest.fixture(scope="module")
def made_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder, simulated once."""
    return prepare_demo(tmp_path_factory.mktemp("demo"), SIZE, lambda _: None).parent


def with_demo(person: Person, made_demo: Path) -> Person:
    """Somebody with the demo open and all of it computed."""
    shutil.copytree(made_demo, person.folder / "demo")
    person.open(person.folder / "demo" / "demo.toml")
    person.result("quantification")
    person.rest()
    return person


@pytest.fixture
def own_demo(person: Person, made_demo: Path) -> Person:
    """The demo in a window of its own, for walks that close it."""
    return with_demo(person, made_demo)


@pytest.fixture(scope="module")
def left_open() -> Iterator[list[Person]]:
    """The person whose window stays open from walk to walk, once there is one."""
    people: list[Person] = []
    yield people
    for someone in people:
        someone.leave()


@pytest.fixture
def demo(
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    made_demo: Path,
    left_open: list[Person],
) -> Iterator[Person]:
    """The demo as it was opened; what a walk decides is taken back after it.

    Results of a recipe that an earlier walk had are known: to see steps run, decide something new.
    """
    if not left_open:
        new = Person(qtbot, monkeypatch, tmp_path_factory.mktemp("person"))
        left_open.append(with_demo(new, made_demo))
    someone = left_open[0]
    someone.wake(qtbot, monkeypatch)
    someone.come_back()
    yield someone
    while someone.workspace.session.can_undo:
        someone.workspace.undo()
    someone.workspace.look(page="map", precipitate="Fp")
    someone.rest()
