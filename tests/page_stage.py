"""A stage for the tests of a page that shows results: the demo map, computed once, and a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QApplication, QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from endmember.demo import prepare_demo
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Recipe
from endmember.session.documents.document import Document
from endmember.session.state.session import run_all
from endmember.ui.document.page import Page
from endmember.ui.document.runner import Runner
from endmember.ui.document.workspace import Workspace
from endmember.ui.map_views.map_view import MapView
from endmember.ui.spectrum_views.spectrum_view import SpectrumView
from endmember.ui.widgets.messages import Message

SIZE = 64
NAME = "demo"
LEFT = Qt.MouseButton.LeftButton
PATIENCE_MS = 20_000
AnyPage = TypeVar("AnyPage", bound=Page)


@dataclass(frozen=True)
class Prepared:
    """A finished document: its recipe and every result of it."""

    recipe: Recipe
    results: dict[Any, Any]

    def document(self, recipe: Recipe | None = None, **replaced: Any) -> Document:
        """A document with these results; some steps with other ones, None for no result."""
        document = Document(recipe or self.recipe)
        session = document.session
        session.results = dict(self.results)
        for step, value in replaced.items():
            key = session.key(step, NAME)
            session.results.pop(key, None)
            if value is not None:
                session.results[key] = value
        return document

    def result(self, step: str) -> Any:
        return self.document().session.result(step, NAME)


def prepared_demo(folder: Path, change: Callable[[Recipe], Recipe] | None = None) -> Prepared:
    """The demo at 64 pixels up to 10 keV, for speed, with every step run."""
    session = Document.open(prepare_demo(folder, SIZE, lambda _: None)).session
    recipe = edits.set_instrument(session.recipe, energy_range_keV=(0.3, 10.0))
    session.change(recipe if change is None else change(recipe))
    run_all(session)
    return Prepared(session.recipe, dict(session.results))


class Stage(Generic[AnyPage]):
    """A page in a window, with hands for its maps and spectra."""

    def __init__(self, qtbot: QtBot, kind: Callable[[Workspace], AnyPage]) -> None:
        self.qtbot = qtbot
        self.runner = Runner()
        self.workspace = Workspace(self.runner)
        self.page = kind(self.workspace)
        self.said: list[Message] = []
        self.workspace.said.connect(self.said.append)
        self.window = QWidget()
        row = QHBoxLayout(self.window)
        row.addWidget(self.page.view, 1)
        row.addWidget(self.page.settings)
        self.page.settings.setFixedWidth(290)
        qtbot.addWidget(self.window)
        self.window.resize(1300, 700)
        self.window.show()
        qtbot.waitExposed(self.window)
        for signal in (
            self.workspace.recipe_changed,
            self.workspace.results_changed,
            self.workspace.focus_changed,
        ):
            signal.connect(self.page.refresh)

    def open(self, document: Document) -> None:
        self.workspace.show(document)

    def until(self, holds: Callable[[], Any]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=PATIENCE_MS)

    @property
    def recipe(self) -> Recipe:
        assert self.workspace.recipe is not None
        return self.workspace.recipe

    # --- hands -------------------------------------------------------------------------------

    def point_at_map(self, view: MapView, point: tuple[float, float]) -> None:
        """Move the mouse over a point of a map, in uncropped pixels."""
        place = view.canvas.position_of(point).toPoint()
        self._move(view.canvas.viewport(), place)

    def point_at_spectrum(self, view: SpectrumView, energy_keV: float) -> None:
        """Move the mouse over an energy."""
        self._move(view.plot.canvas.viewport(), place_of(view, energy_keV))

    def _move(self, target: Any, place: QPoint) -> None:
        no = Qt.MouseButton.NoButton
        there = QPointF(target.mapToGlobal(place))
        keys = Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(QEvent.Type.MouseMove, QPointF(place), there, no, no, keys)
        QApplication.sendEvent(target, event)

    def press(self, widget: QWidget, key: Qt.Key) -> None:
        self.qtbot.keyClick(widget, key)


def place_of(view: SpectrumView, energy_keV: float) -> QPoint:
    """Where an energy is on the canvas of a spectrum."""
    box = view.plot.box.geometry()
    return QPoint(round(box.left() + view.plot.frame.x(energy_keV)), round(box.center().y()))
