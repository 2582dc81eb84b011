"""The spectrum panel shows the spectrum that is asked for, or says why there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from endmember.session.decisions import edits
from endmember.session.documents.document import Document
from endmember.session.state.session import Failure
from endmember.ui.document.runner import Runner
from endmember.ui.document.workspace import Workspace
from endmember.ui.spectrum_views.spectrum_panel import BEING_READ, NOT_READ, NOT_YET, SpectrumPanel
from held_requests import Held, held
from page_stage import NAME, Prepared, prepared_demo

OTHER = "other"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared_demo(tmp_path_factory.mktemp("demo"))


class Shown:
    """The panel over a finished document, whose live requests are answered on demand."""

    def __init__(self, qtbot: QtBot, prepared: Prepared, patch: pytest.MonkeyPatch) -> None:
        self.workspace = Workspace(Runner())
        self.panel = SpectrumPanel(self.workspace)
        qtbot.addWidget(self.panel)
        self.panel.show()
        self.thread: Held = held(self.workspace, patch)
        for signal in (
            self.workspace.recipe_changed,
            self.workspace.results_changed,
            self.workspace.focus_changed,
        ):
            signal.connect(self.panel.refresh)
        self.open(prepared.document())

    def open(self, document: Document) -> None:
        self.workspace.show(document)
        self.thread.answer()

    def look(self, spectrum: str) -> None:
        self.workspace.look(spectrum=spectrum)
        self.thread.answer()

    @property
    def curves(self) -> list[str]:
        return [curve.name for curve in self.panel.view.plot.shown_curves()]

    @property
    def says(self) -> str:
        return self.panel.view.plot.text.text

    def has_nothing_left(self) -> bool:
        return (
            self.curves == []
            and self.panel.remark.text() == ""
            and self.panel.describe(1.74) == ""
            and not self.panel.veil.isVisible()
        )


@pytest.fixture
def shown(qtbot: QtBot, prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> Shown:
    return Shown(qtbot, prepared, monkeypatch)


def add_other(shown: Shown, prepared: Prepared) -> None:
    """A second map, which is not read."""
    recipe = edits.add_map(prepared.recipe, Path(prepared.recipe.maps[0].file))
    document = prepared.document(edits.rename_map(recipe, recipe.map_names[1], OTHER))
    session = document.session
    session.results[session.key("read", NAME)] = prepared.result("read")
    shown.open(document)


def test_the_whole_map_is_shown_with_its_counts(shown: Shown, prepared: Prepared) -> None:
    counts = prepared.result("read").image.spectrum().counts
    assert shown.curves == ["whole map"]
    np.testing.assert_array_equal(shown.panel.view.plot.shown_curves()[0].values, counts)
    assert f"{counts.sum():,.0f} counts" in shown.panel.remark.text()


def test_while_another_map_is_read_nothing_of_the_last_one_is_shown(
    shown: Shown, prepared: Prepared
) -> None:
    add_other(shown, prepared)
    assert shown.curves == ["whole map"]
    shown.workspace.look(map_name=OTHER)
    assert shown.says == BEING_READ
    assert shown.has_nothing_left()
    shown.look("whole map")
    shown.workspace.look(map_name=NAME)
    shown.thread.answer()
    assert shown.curves == ["whole map"]
    assert shown.says == ""


def test_a_map_that_could_not_be_read_says_so(shown: Shown, prepared: Prepared) -> None:
    add_other(shown, prepared)
    session = shown.workspace.session
    assert session is not None
    session.results[session.key("read", OTHER)] = Failure("the file is broken", True)
    shown.workspace.look(map_name=OTHER)
    assert shown.says == NOT_READ
    assert shown.has_nothing_left()


def test_a_late_answer_about_another_map_or_spectrum_is_not_shown(
    shown: Shown, prepared: Prepared
) -> None:
    add_other(shown, prepared)
    shown.workspace.look(spectrum="matrix")
    shown.workspace.look(spectrum="component 0")
    shown.workspace.look(map_name=OTHER)
    shown.thread.answer()
    assert shown.says == BEING_READ
    assert shown.has_nothing_left()


def test_the_newest_of_two_questions_is_shown_whichever_comes_last(shown: Shown) -> None:
    shown.workspace.look(spectrum="matrix")
    shown.workspace.look(spectrum="component 0")
    shown.thread.answer(newest_first=True)
    assert shown.curves == ["component #0"]


def test_a_spectrum_that_is_not_there_yet_leaves_nothing_of_the_last_one(
    shown: Shown, prepared: Prepared
) -> None:
    shown.open(prepared.document(subtraction=None))
    assert shown.curves == ["whole map"]
    shown.look("mixture Fp")
    assert shown.says == NOT_YET
    assert shown.has_nothing_left()


def test_a_spectrum_that_cannot_be_made_says_why_and_leaves_nothing(shown: Shown) -> None:
    shown.panel._requests.ask("spectrum", ("no",), lambda: _fail("no pixel"), shown.panel._take)
    shown.thread.answer()
    assert shown.says == "no pixel"
    assert shown.has_nothing_left()


def _fail(text: str) -> None:
    raise ValueError(text)


@pytest.mark.parametrize("spectrum", ["matrix", "mixture Fp", "endmember Fp"])
def test_spectra_of_phases_are_greyed_while_they_are_out_of_date(
    shown: Shown, spectrum: str
) -> None:
    shown.look(spectrum)
    assert not shown.panel.veil.isVisible()
    shown.workspace.edit(edits.set_density, "Fp", 4.1)
    shown.thread.answer()
    assert shown.curves != []
    assert shown.panel.veil.isVisible()
    assert "out of date" in shown.panel.veil.text
    shown.look("component 0")
    assert not shown.panel.veil.isVisible()  # the components do not depend on a density
    shown.workspace.undo()
    shown.look(spectrum)
    assert not shown.panel.veil.isVisible()


def test_components_are_greyed_while_they_are_found_anew(shown: Shown) -> None:
    shown.look("component 0")
    shown.workspace.edit(edits.set_decomposition, components=4)
    shown.thread.answer()
    assert shown.curves == ["component #0"]
    assert shown.panel.veil.isVisible()
