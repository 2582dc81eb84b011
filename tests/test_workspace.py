"""What views are told of the document: always of a map that is there, and of results that agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QObject, pyqtSignal

from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Decomposition, MapInput, Recipe, Sample
from endmember.session.documents.document import Document
from endmember.session.state.session import Failure, Session
from endmember.ui.document.workspace import Workspace

STEPS_DONE = ("read", "scree", "decomposition", "masks", "subtraction", "abundance")


class Idle(QObject):
    """A runner that runs nothing, and tells at once that it was asked to."""

    step_done = pyqtSignal(str, object)
    started = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.running = None
        self.session: Session | None = None

    def show(self, session: Session | None) -> None:
        self.session = session
        self.refresh()

    def refresh(self) -> None:
        self.started.emit(None)


@pytest.fixture
def workspace() -> Workspace:
    recipe = Recipe(
        format="endmember-recipe-1",
        maps=tuple(MapInput(file=f"/{name}.hspy", name=name) for name in ("a", "b")),
        decomposition=Decomposition(components=2),
        sample=Sample(matrix="M", elements=("Fe",)),
    )
    made = Workspace(Idle())  # type: ignore[arg-type]
    made.show(Document(recipe))
    return made


def put(workspace: Workspace, *steps: str) -> dict[str, Any]:
    """Give the steps of both maps a result."""
    assert workspace.session is not None
    values = {}
    for step in steps:
        for name in workspace.session.recipe.map_names:
            values[step] = object()
            workspace.session.results[workspace.session.key(step, name)] = values[step]
    return values


@pytest.mark.parametrize(
    ("edit", "arguments"),
    [(edits.rename_map, ("a", "c")), (edits.remove_map, ("a",))],
)
def test_who_hears_of_a_change_finds_the_map_that_is_looked_at(
    workspace: Workspace, edit: Any, arguments: tuple[str, ...]
) -> None:
    looked_at: list[bool] = []

    def look(*_: object) -> None:
        assert workspace.recipe is not None
        looked_at.append(workspace.focus.map_name in workspace.recipe.map_names)

    for signal in (workspace.runner.started, workspace.recipe_changed, workspace.results_changed):
        signal.connect(look)
    workspace.edit(edit, *arguments)
    workspace.undo()
    workspace.redo()
    assert looked_at == [True] * 9


def test_a_result_waits_for_what_it_was_made_from(workspace: Workspace) -> None:
    assert workspace.session is not None
    values = put(workspace, *STEPS_DONE)
    assert workspace.shown("masks", "b").current
    assert workspace.shown("masks", "b").value is values["masks"]
    del workspace.session.results[workspace.session.key("read", "b")]  # only one is kept for undo
    for step in ("masks", "subtraction", "abundance"):
        assert not workspace.shown(step, "b").current
    assert workspace.shown("masks", "a").current
    put(workspace, "read")
    assert workspace.shown("masks", "b").value is values["masks"]
    assert workspace.shown("masks", "b").current


def test_the_failure_of_an_early_step_is_told_by_all_that_wait_for_it(
    workspace: Workspace,
) -> None:
    assert workspace.session is not None
    put(workspace, "read")
    for name in "ab":
        key = workspace.session.key("decomposition", name)
        workspace.session.results[key] = Failure("too many components: ask for fewer", True)
    for step in ("masks", "subtraction", "abundance", "quantification"):
        shown = workspace.shown(step, "a")
        assert shown.failure == "waits for Components: too many components: ask for fewer"
    assert workspace.shown("read", "a").failure is None


def test_only_a_complete_document_is_exported(workspace: Workspace) -> None:
    assert workspace.session is not None
    put(workspace, *STEPS_DONE)
    assert not workspace.is_complete
    put(workspace, "quantification", "partition")
    assert not workspace.is_complete
    put(workspace, "background_spread")
    assert workspace.is_complete
    del workspace.session.results[workspace.session.key("read", "b")]
    assert not workspace.is_complete
    put(workspace, "read")
    assert workspace.is_complete
    key = workspace.session.key("scree", "a")  # of both maps
    workspace.session.results[key] = Failure("stopped by hand", True)
    assert not workspace.is_complete


def test_a_document_without_a_map_file_is_looked_at_all_the_same(workspace: Workspace) -> None:
    workspace.show(Document.of_map(Path("/nowhere/x.hspy")))
    assert workspace.focus.map_name == "x"
    workspace.show(None)
    assert workspace.shown("read").value is None
    assert not workspace.is_complete
