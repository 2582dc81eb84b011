"""Random deeds on the window leave no fault, and nothing is left of what was closed."""

from __future__ import annotations

import gc
import importlib.util
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PyQt6.QtCore import QPoint, QTimer
from PyQt6.QtWidgets import QApplication, QDialog, QMenu, QWidget

from endmember.ui.document.workspace import PAGES
from endmember.ui.program import logbook
from page_stage import Prepared, prepared_demo
from walk import Person
from walk import person as person

DEEDS, SEED = 300, 3


@pytest.fixture(scope="module")
def wander(repository: Path) -> ModuleType:
    """The script that wanders for hours."""
    spec = importlib.util.spec_from_file_location("wander", repository / "benchmarks/wander.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def log(person: Person, wander: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Everything that is logged as an error while the program's own hooks are in place."""
    monkeypatch.setenv(logbook.FOLDER_VARIABLE, str(person.folder / "log"))
    faults = wander.Faults()
    logbook.install(lambda: person.window)
    logging.getLogger().addHandler(faults)
    yield faults
    logging.getLogger().removeHandler(faults)
    logbook.uninstall()


def open_and_look(person: Person, prepared: Prepared) -> None:
    """Open the demo, whose results are there, and look at every page."""
    person.window.show_document(prepared.document())
    for page in PAGES:
        person.workspace.look(page=page)
        person.rest()


@pytest.mark.qt_no_exception_capture
def test_hundreds_of_random_deeds_leave_no_fault(
    person: Person,
    log: Any,
    wander: ModuleType,
    prepared: Prepared,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    for method, answer in wander.answers(person.folder).items():
        monkeypatch.setattr(f"PyQt6.QtWidgets.QFileDialog.{method}", staticmethod(answer))
    open_and_look(person, prepared)
    wanderer = wander.Wanderer(person.window, SEED)

    def step() -> None:
        if wanderer.done < DEEDS:
            QTimer.singleShot(0, step)
            wanderer.step()

    step()
    person.until(lambda: wanderer.done >= DEEDS)
    wander.close_all()
    assert not log.seen
    assert list(wander.doubts(person.window)) == []
    open_and_look(person, prepared)
    assert person.workspace.state("composition") == "done"
    assert not log.seen


def test_documents_that_were_closed_leave_nothing_behind(
    person: Person, wander: ModuleType, prepared: Prepared
) -> None:
    counted: list[Counter[str]] = []
    for _ in range(4):
        open_and_look(person, prepared)
        counted.append(wander.census())
        person.window.show_document(None)
    settled, last = counted[1], counted[-1]
    for kind in ("widgets and other children", "actions", "items of scenes", "top level widgets"):
        assert last[kind] == settled[kind], kind
    ours = [kind for kind in last if kind.startswith("endmember.")]
    assert {kind: last[kind] for kind in ours} == {kind: settled[kind] for kind in ours}


def test_menus_and_dialogs_that_were_closed_are_gone(
    person: Person, wander: ModuleType, prepared: Prepared
) -> None:
    open_and_look(person, prepared)
    views = person.page("map").gallery.grid.views
    person.until(lambda: views)
    view = views[0]
    panel, actions = person.window.spectrum, person.window.actions_

    def everything() -> list[QWidget]:
        wander.census()  # deletes what is to be deleted later
        kinds: tuple[type[QWidget], ...] = (QMenu, QDialog)
        return [w for kind in kinds for w in person.window.findChildren(kind)]

    before = len(everything())
    for _ in range(3):
        view._open_menu((3.0, 3.0), QPoint(5, 5))
        wander.close_all()
        panel._offer((), 1.0, QPoint(5, 5))
        wander.close_all()
        panel.view._show_menu(QPoint(5, 5))
        wander.close_all()
        view._ask_contrast()
        for show in (actions.show_shortcuts, actions.show_log, actions.show_about):
            show()
        assert QApplication.activePopupWidget() is None
        wander.close_all()
    assert len(everything()) == before


def test_nothing_of_a_closed_document_stays_in_memory(person: Person, prepared: Prepared) -> None:
    from endmember.session.documents.document import Document
    from endmember.session.state.session import Session
    from endmember.session.steps.map_data import MapData

    def alive() -> Counter[str]:
        gc.collect()
        kinds = (MapData, Session)
        return Counter(type(thing).__name__ for thing in gc.get_objects() if type(thing) in kinds)

    before = alive()
    person.window.show_document(Document(prepared.recipe))
    for page in PAGES:
        person.workspace.look(page=page)
        person.rest()
    assert alive()["MapData"] == before["MapData"] + 1
    person.window.show_document(None)
    person.qtbot.wait(50)
    assert alive() == before
