"""Damaged files, impossible decisions and unlucky moments: a sentence, and a usable window."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QFileDialog

from endmember.session.decisions import edits
from endmember.session.documents.document import Document
from endmember.ui.document.workspace import PAGES
from endmember.ui.program import dialogs
from endmember.ui.widgets.messages import Message
from endmember.ui.window import opening
from page_stage import NAME, SIZE, Prepared, prepared_demo
from walk import Person
from walk import person as person


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def file(prepared: Prepared) -> Path:
    """The file of the map."""
    return Path(prepared.recipe.maps[0].file)


@pytest.fixture
def demo(person: Person, prepared: Prepared) -> Person:
    person.window.show_document(prepared.document())
    return person


def sentences(person: Person) -> dict[str, str]:
    """What the banner of each page says, as far as there is one."""
    said = {}
    for name in PAGES:
        person.workspace.look(page=name)
        person.window.refresh()
        banner = person.window.page(name).banner
        if not banner.isHidden():
            said[name] = banner.text
    return said


def broken_maps(good: Path, folder: Path) -> list[Path]:
    """Files that are no maps."""
    contents = {
        "text.txt": b"hello",
        "empty.hspy": b"",
        "half.hspy": good.read_bytes()[:90_000],
        "bytes.emd": bytes(range(256)) * 9,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    QImage(20, 20, QImage.Format.Format_RGB32).save(str(folder / "picture.png"))
    return [folder / name for name in (*contents, "picture.png")]


def test_a_map_that_cannot_be_read_says_why_on_every_page(person: Person, file: Path) -> None:
    for broken in broken_maps(file, person.folder):
        person.window.actions_.open_files([broken])
        person.rest()
        said = sentences(person)
        assert broken.name in said["map"]
        assert [said[page] for page in PAGES[1:]] == 6 * [f"waits for Map: {said['map']}"]
        assert person.workspace.state("map") == "failed"
        assert any(said["map"] in str(m) for m in person.window.messages.messages)


def test_a_recipe_without_its_map_says_which_file_is_missing(
    person: Person, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "ask_for_moved", lambda *_: None)  # where it is, nobody knows
    text = (file.parent / "demo.toml").read_text("utf-8")
    recipe = person.folder / "gone.toml"
    recipe.write_text(text.replace("demo.hspy", "gone.hspy"), "utf-8")
    person.window.actions_.open_files([recipe])
    person.rest()
    assert "gone.hspy: there is no such file" in sentences(person)["map"]


def test_a_recipe_that_cannot_be_used_leaves_the_document(demo: Person, file: Path) -> None:
    text = (file.parent / "demo.toml").read_bytes()
    before = demo.workspace.document
    for name, content in (
        ("binary.toml", b"\xff\xfe\x00"),
        ("empty.toml", b""),
        ("key.toml", text + b"\n[nonsense]\na = 1\n"),
    ):
        (demo.folder / name).write_bytes(content)
        demo.window.actions_.open_files([demo.folder / name])
        assert demo.workspace.document is before
        assert name in demo.window.messages.messages[0].text


IMPOSSIBLE: tuple[tuple[Any, tuple[Any, ...], dict[str, Any], str, str], ...] = (
    (edits.set_map, (NAME,), {"crop": (20, 20, 1, 1)}, "components", "1 pixels with counts"),
    (edits.set_map, (NAME,), {"rebin": 100}, "map", "leaves nothing of a map"),
    (edits.set_instrument, (), {"energy_range_keV": (30.0, 40.0)}, "map", "no counts lie between"),
    (edits.add_exclude, (NAME, "rectangle", (0, 0, SIZE, SIZE)), {}, "masks", "is excluded"),
    (edits.set_elements, ((), ()), {}, "phases", "no elements are chosen"),
)


def test_a_decision_that_cannot_work_says_so_on_its_page_and_undo_brings_all_back(
    demo: Person,
) -> None:
    before = sentences(demo)  # every page has shown the good state
    for edit, arguments, settings, page, sentence in IMPOSSIBLE:
        demo.workspace.edit(edit, *arguments, **settings)
        demo.rest()
        said = sentences(demo)
        assert all(sentence in said[name] for name in PAGES[PAGES.index(page) :])
        assert demo.workspace.state(page) == "failed"
        demo.workspace.undo()
        demo.rest()
        assert sentences(demo) == before
        assert {demo.workspace.state(name) for name in PAGES} == {"done"}


def test_undo_redo_and_cancel_while_something_is_computed(demo: Person) -> None:
    workspace = demo.workspace
    for components in (4, 5, 6):
        workspace.edit(edits.set_decomposition, components=components)
        demo.until(lambda: demo.window.runner.running is not None)
        workspace.undo()
        workspace.redo()
        demo.qtbot.wait(10)
        demo.window.runner.cancel()
    demo.rest()
    workspace.retry()
    demo.rest()
    assert workspace.recipe.decomposition.components == 6
    assert workspace.result("decomposition").maps_of(NAME).shape[0] == 6
    assert {workspace.state(name) for name in PAGES} == {"done"}


def test_names_that_change_while_masks_are_made_reach_the_masks(demo: Person) -> None:
    workspace = demo.workspace
    demo.page("masks")
    workspace.edit(edits.add_rectangle, "Fp", NAME, (5, 5, 10, 10))
    workspace.edit(edits.rename_precipitate, "Fp", "Neu")
    workspace.edit(edits.rename_map, NAME, "another")
    demo.rest()
    assert list(workspace.result("masks").partition.components) == ["Neu", "CaPv"]
    for precipitate in ("Neu", "CaPv"):
        workspace.edit(edits.remove_precipitate, precipitate)
    demo.rest()
    assert workspace.is_complete
    assert sentences(demo) == {}


def test_the_map_that_is_looked_at_can_be_removed(demo: Person, file: Path) -> None:
    workspace = demo.workspace
    second = demo.folder / "second.hspy"
    os.link(file, second)
    workspace.edit(edits.add_map, second)
    workspace.look(map_name="second")
    for done in (False, True):
        if done:
            workspace.undo()
            workspace.look(map_name="second")
            demo.rest()
            assert workspace.is_complete
        workspace.edit(edits.remove_map, "second")
        assert workspace.focus.map_name == NAME
        demo.rest()
        assert workspace.is_complete


def test_one_component_and_the_map_at_an_energy_share_a_window_of_any_height(
    demo: Person,
) -> None:
    demo.workspace.edit(edits.set_decomposition, components=1)
    page = demo.page("components")
    demo.until(lambda: page.rows.is_complete)
    page.at_energy.setChecked(True)
    for height in range(400, 760, 24):
        demo.window.resize(1366, height)
        demo.qtbot.wait(10)  # it never came back while the heights followed each other
    assert page.energy.isVisible()


class Later:
    """A runner's task that ends when the test says so."""

    def __init__(self, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.end: Callable[[Any], None] = lambda _: None
        monkeypatch.setattr(person.window.runner, "run_task", self._take)
        monkeypatch.setattr(dialogs, "ask_save", self._ask)

    def _take(self, _says: str, _task: object, done: Callable[[Any], None]) -> None:
        self.end = done

    def _ask(self, *_: object) -> str:
        self.asked += 1
        return "cancel"


def test_a_demo_that_is_ready_late_replaces_no_unsaved_decision_without_asking(
    demo: Person, prepared: Prepared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    later, ready = Later(demo, monkeypatch), tmp_path / "demo.toml"
    Document(prepared.recipe).save(ready)
    demo.window.actions_.open_demo(SIZE, tmp_path)
    demo.workspace.edit(edits.set_segmentation, smoothing_px=3.0)
    document = demo.workspace.document
    later.end(ready)
    assert demo.workspace.document is document
    assert later.asked == 1
    demo.workspace.undo()
    later.end(ready)
    assert demo.workspace.document is not document
    assert later.asked == 1


def test_a_demo_that_cannot_be_opened_says_why(
    demo: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    later, bad = Later(demo, monkeypatch), tmp_path / "demo.toml"
    bad.write_text("no recipe", encoding="utf-8")
    told: list[Message] = []
    demo.workspace.said.connect(told.append)
    document = demo.workspace.document
    demo.window.actions_.open_demo(SIZE, tmp_path)
    for file in (bad, tmp_path / "gone.toml"):
        later.end(file)
    assert [message.kind for message in told] == ["error", "error"]
    assert demo.workspace.document is document


def test_what_cannot_be_written_is_told(demo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    window, nowhere = demo.window, demo.folder / "a file, no folder"
    nowhere.write_text("")
    view = window.page("map").gallery.grid.views[0]
    for write, name in (
        (window.actions_.save_recipe_as, "a.toml"),
        (window.actions_.ask_bug_report, "b.zip"),
        (view._ask_save, "c.png"),
        (lambda: window.spectrum.view._export("SVG"), "d.svg"),
    ):
        answer = (str(nowhere / name), "")
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, answer=answer: answer)
        write()
        told = window.messages.messages[0]
        assert told.kind == "error"
        assert str(nowhere) in told.text
    window.actions_.export_results(demo.folder)
    demo.rest()
    assert "exists already; choose another folder" in window.messages.messages[0].text
