"""Edits that belong together are one undo, and those that do not are two."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QObject, pyqtSignal
from pytestqt.qtbot import QtBot

from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Decomposition, EnergyWindow, MapInput, Recipe, Sample
from endmember.session.documents.document import Document
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.workspace import Workspace
from endmember.ui.spectrum_views.window_bar import WindowBar

FIRST = (0.3, 20.0)


class Idle(QObject):
    """A runner that runs nothing."""

    step_done = pyqtSignal(str, object)
    running = None

    def show(self, _: object) -> None:
        """Nothing is shown."""

    def refresh(self) -> None:
        """Nothing is started."""


@pytest.fixture
def workspace() -> Workspace:
    recipe = Recipe(
        format="endmember-recipe-1",
        maps=(MapInput(file="/a.hspy", name="a"),),
        decomposition=Decomposition(components=2),
        sample=Sample(matrix="M", elements=("Fe",)),
        windows=(EnergyWindow(name="W", range_keV=(6.20049, 6.6)),),
    )
    made = Workspace(Idle())  # type: ignore[arg-type]
    made.show(Document(recipe))
    return made


def undos(workspace: Workspace) -> int:
    assert workspace.session is not None
    steps = 0
    while workspace.session.can_undo:
        workspace.session.undo()
        steps += 1
    return steps


@pytest.mark.parametrize("nothing", [(30.0, 20.0), FIRST], ids=["refused", "the same"])
def test_an_edit_that_decides_nothing_joins_no_two_decisions(
    workspace: Workspace, nothing: tuple[float, float]
) -> None:
    made = GestureEdits(workspace)
    workspace.edit(edits.set_segmentation, smoothing_px=3.0)
    made.edit("range", edits.set_instrument, energy_range_keV=nothing)
    made.edit("range", edits.set_instrument, energy_range_keV=(0.4, 20.0))
    workspace.undo()
    assert workspace.recipe is not None
    assert workspace.recipe.instrument.energy_range_keV == FIRST
    assert workspace.recipe.segmentation.smoothing_px == 3.0


def test_a_run_of_edits_is_one_undo_until_it_ends(workspace: Workspace) -> None:
    made = GestureEdits(workspace)
    for low in (0.4, 0.5, 0.6):
        made.edit("range", edits.set_instrument, energy_range_keV=(low, 20.0))
    made.end()
    made.edit("range", edits.set_instrument, energy_range_keV=(0.7, 20.0))
    assert undos(workspace) == 2


def test_steps_of_an_end_of_an_energy_window_are_one_undo_and_leave_the_other_end(
    workspace: Workspace, qtbot: QtBot
) -> None:
    bar = WindowBar(workspace)
    qtbot.addWidget(bar)
    for _ in range(3):
        bar.high.stepUp()
        bar.refresh()
    assert workspace.recipe is not None
    assert workspace.recipe.windows[0].range_keV == (6.20049, 6.63)
    assert undos(workspace) == 1
