"""What the window makes before it is wanted, and what it leaves undone while nobody sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from endmember.session import warming
from endmember.session.decisions.recipe import (
    Precipitate,
    PrecipitateRectangle,
    Recipe,
    Sample,
    changed,
)
from endmember.session.state.session import Failure
from endmember.session.views.component_choice import ComponentChoice
from endmember.session.views.mask_preview import MaskPreview
from endmember.ui.map_views.map_canvas import MapCanvas
from endmember.ui.map_views.map_grid import MapGrid
from endmember.ui.pages.masks.live_preview import LATE_ms, LivePreview, PreviewQuestion
from endmember.ui.program.preferences import Preferences
from endmember.ui.spectrum_views.spectrum_view import MarkerLine, SpectrumView, WindowMark
from endmember.ui.window.application import make_window, prepare
from endmember.ui.window.window import PAGE_CLASSES, MainWindow

PATIENCE_MS = 20_000


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    made = make_window(Preferences(tmp_path / "settings.ini"))
    qtbot.addWidget(made)
    yield made
    made.runner.close()


def test_all_pages_are_made_before_the_slow_libraries_are_loaded(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(warming, "pieces", lambda: [lambda: order.append(str(len(window.pages)))])
    prepare(window)
    qtbot.waitUntil(lambda: bool(order) and len(window.pages) == len(PAGE_CLASSES))
    assert set(window.pages) == set(PAGE_CLASSES)
    assert order == [str(len(PAGE_CLASSES))]


def test_what_was_named_at_the_start_is_opened_once_when_all_pages_are_made(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(warming, "pieces", lambda: 2 * [lambda: order.append("library")])
    prepare(window, lambda: order.append(f"opened after {len(window.pages)} pages"))
    qtbot.waitUntil(lambda: len(order) == 3, timeout=PATIENCE_MS)
    assert order == [f"opened after {len(PAGE_CLASSES)} pages", "library", "library"]


def test_what_a_person_asks_for_comes_before_the_rest_of_warming_up(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def first() -> None:
        order.append("first")
        window.runner.ask("asked", lambda: order.append("asked"), lambda _: None)

    pieces: list[Callable[[], None]] = [first, lambda: order.append("second")]
    monkeypatch.setattr(warming, "pieces", lambda: pieces)
    prepare(window)
    qtbot.waitUntil(lambda: len(order) == 3, timeout=PATIENCE_MS)
    assert order == ["first", "asked", "second"]


def test_a_spectrum_that_nobody_sees_is_not_refreshed_until_it_is_shown(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(window.spectrum, "refresh", lambda: calls.append(True))
    monkeypatch.setattr(
        MainWindow,
        "current_page",
        SimpleNamespace(
            view=window.welcome, settings_area=None, refresh=lambda: None, own_spectrum=False
        ),
    )
    window.show()
    window.refresh()
    assert calls
    window.docks[1].hide()
    qtbot.wait(1)
    calls.clear()
    window.refresh()
    assert calls == []
    window.docks[1].show()
    qtbot.waitUntil(lambda: bool(calls))


def test_maps_that_are_expected_are_made_and_stay_hidden(qtbot: QtBot) -> None:
    grid = MapGrid()
    qtbot.addWidget(grid)
    grid.expect(3)
    qtbot.waitUntil(lambda: len(grid.views) == 3)
    qtbot.wait(5)
    assert len(grid.views) == 3
    assert list(grid.shown_views()) == []
    grid.set_number(2)
    assert list(grid.shown_views()) == grid.views[:2]


def test_marks_that_are_shown_already_are_not_drawn_again(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = SpectrumView("spectrum")
    qtbot.addWidget(view)
    drawn: list[bool] = []
    monkeypatch.setattr(view.plot, "draw", lambda: drawn.append(True))
    window, line = WindowMark("w", 1.0, 2.0, "#112233"), MarkerLine("Fe Kα", 6.4, 1.0, "#112233")
    for _ in range(3):
        view.set_windows([window])
        view.set_markers([line])
    assert len(drawn) == 2
    view.set_windows([WindowMark("w", 1.0, 2.5, "#112233")])
    view.set_markers([])
    assert len(drawn) == 4


# --- previews ----------------------------------------------------------------------------------


class Asked:
    """A runner that only remembers what it was asked."""

    def __init__(self) -> None:
        self.questions: list[Any] = []

    def ask(self, _slot: str, function: Any, then: Callable[[Any], None]) -> None:
        self.questions.append((function, then))


DATA, DECOMPOSED = SimpleNamespace(entry=SimpleNamespace(name="a")), SimpleNamespace(found=None)


def recipe(*elements: str) -> Recipe:
    sample = Sample(matrix="M", elements=elements)
    return cast(Recipe, SimpleNamespace(sample=sample, segmentation=None))


def question(
    box: tuple[int, int, int, int], of: Recipe, precipitate: Precipitate
) -> PreviewQuestion:
    asked = cast(Any, (of, DATA, DECOMPOSED, ComponentChoice(), precipitate, box))
    return PreviewQuestion(*asked)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def preview(qtbot: QtBot, asked: Asked) -> LivePreview:
    canvas = MapCanvas()
    qtbot.addWidget(canvas)
    made = LivePreview(cast(Any, asked), canvas)
    made.canvas = canvas  # type: ignore[attr-defined]  # kept as long as the preview
    return made


def test_letting_go_of_a_rectangle_does_not_ask_again_for_the_same_preview(
    preview: LivePreview, asked: Asked
) -> None:
    fp, colour = Precipitate(name="Fp", absent="Si"), QColor("red")
    moved = changed(fp, rectangles=(PrecipitateRectangle(map="a", box=(1, 2, 3, 4)),))
    preview.ask(question((1, 2, 3, 4), recipe("Fe"), fp), colour)
    preview.ask(question((1, 2, 3, 4), recipe("Fe"), moved), colour)  # of the recipe after release
    assert len(asked.questions) == 1
    preview.ask(question((1, 2, 3, 5), recipe("Fe"), fp), colour)
    preview.ask(question((1, 2, 3, 5), recipe("Fe", "Si"), fp), colour)
    preview.ask(question((1, 2, 3, 5), recipe("Fe", "Si"), changed(fp, component=2)), colour)
    assert len(asked.questions) == 4


def test_a_preview_that_was_cleared_or_failed_is_asked_for_again(
    preview: LivePreview, asked: Asked
) -> None:
    same = question((1, 2, 3, 4), recipe("Fe"), Precipitate(name="Fp", absent="Si"))
    preview.ask(same, QColor("red"))
    preview.clear()
    preview.ask(same, QColor("red"))
    assert len(asked.questions) == 2
    asked.questions[-1][1](Failure("the map is flat", True))
    preview.ask(same, QColor("red"))
    assert len(asked.questions) == 3


def test_once_let_go_a_preview_under_way_is_given_up_and_asked_for_only_if_the_masks_are_slow(
    preview: LivePreview, asked: Asked, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PreviewQuestion, "answer", lambda _, report: (report(0.5), "answer"))
    same = question((1, 2, 3, 4), recipe("Fe"), Precipitate(name="Fp", absent="Si"))
    preview.ask(same, QColor("red"))
    answer, then = asked.questions.pop()
    assert answer() is not None
    preview.ask_late(same, QColor("red"))
    assert answer() is None  # stopped at its first report
    then(None)
    assert preview.shown is None
    qtbot.waitUntil(lambda: len(asked.questions) == 1)  # no masks came: now it is welcome
    preview.clear()
    preview.ask_late(question((9, 2, 3, 4), recipe("Fe"), same.precipitate), QColor("red"))
    preview.clear()  # the masks are there
    qtbot.wait(2 * LATE_ms)
    assert len(asked.questions) == 1


def test_a_rectangle_let_go_again_and_again_is_previewed_although_the_masks_never_come(
    preview: LivePreview, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PreviewQuestion, "answer", lambda _, report: (report(0.5), "answer"))
    fp = Precipitate(name="Fp", absent="Si")
    for x in range(3):  # an arrow key held down
        preview.ask_late(question((x, 2, 3, 4), recipe("Fe"), fp), QColor("red"))
    assert len(asked.questions) == 2
    assert all(answer() is not None for answer, _ in asked.questions)
    preview.ask(question((7, 2, 3, 4), recipe("Fe"), fp), QColor("red"))  # a drag
    preview.ask_late(question((7, 2, 3, 4), recipe("Fe"), fp), QColor("red"))
    assert len(asked.questions) == 3
    assert asked.questions[-1][0]() is None  # given up for the masks


def test_a_preview_that_is_shown_already_stays_when_the_rectangle_is_let_go(
    preview: LivePreview, asked: Asked, qtbot: QtBot
) -> None:
    same = question((1, 2, 3, 4), recipe("Fe"), Precipitate(name="Fp", absent="Si"))
    preview.ask(same, QColor("red"))
    asked.questions[0][1]((MaskPreview(np.ones((4, 3), dtype=bool), (1, 2, 3, 4), 12), []))
    preview.ask_late(same, QColor("red"))
    qtbot.wait(2 * LATE_ms)
    assert preview.shown is not None
    assert len(asked.questions) == 1


def test_the_component_that_the_masks_took_is_not_found_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def choose(*_: Any) -> int:
        raise AssertionError("fitted although it is known")

    monkeypatch.setattr("endmember.session.steps.separation.choose_component", choose)
    choice, sample = ComponentChoice(), Sample(matrix="M", elements=("Fe",))
    first, second = (cast(Any, SimpleNamespace(found=None)) for _ in range(2))
    fp = Precipitate(name="Fp", absent="Si")
    choice.learn(fp, sample, first, 3)
    assert choice.find(fp, sample, cast(Any, DATA), first) == 3
    assert choice.known(fp, sample, second) is None
    assert choice.known(Precipitate(name="X", absent="Ca"), sample, first) is None
