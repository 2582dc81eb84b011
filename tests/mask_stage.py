"""A stage for the tests of the page of the masks: a map with known grains, and hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from scipy.ndimage import find_objects, label

from endmember.core.simulation.simulated_map import simulate_map
from endmember.core.unmixing.decomposition import Decomposition
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Decomposition as Settings
from endmember.session.decisions.recipe import MapInput, Recipe, Sample, Segmentation
from endmember.session.documents.document import Document
from endmember.session.state.session import Session
from endmember.session.state.steptable import StepTable
from endmember.session.steps.chain import STEPS, Decomposed
from endmember.session.steps.map_data import MapData
from endmember.ui.document.runner import Runner
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.masks.mask_page import MaskPage

SIZE = 96
NAME = "phantom"
LEFT = Qt.MouseButton.LeftButton
NO, SHIFT, CONTROL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
PATIENCE_MS = 20_000
Box = tuple[int, int, int, int]


def _not_run(*_: Any) -> Any:
    raise ValueError("not looked at in this test")


# most tests end with the masks: what follows from them is left out
UP_TO_MASKS = StepTable(
    [
        step
        if step.name in ("read", "scree", "decomposition", "masks")
        else replace(step, run=_not_run)
        for step in STEPS
    ]
)


class Phantom:
    """A simulated map with its true masks, and component maps made from the truth."""

    def __init__(self) -> None:
        image, truth = simulate_map(size=SIZE, counts_per_pixel=300.0, seed=1)
        self.recipe = Recipe(
            format="endmember-recipe-1",
            maps=(MapInput(file=f"{NAME}.hspy", name=NAME),),
            decomposition=Settings(components=3),
            segmentation=Segmentation(smoothing_px=0.5),  # the grains are ten pixels wide
            sample=Sample(
                matrix="Brg", elements=truth.elements, system_elements=truth.system_elements
            ),
        )
        cut = image.between(0.3, 20.0)
        span = image.axis.span(0.3, 20.0)
        self.data = MapData(self.recipe.maps[0], cut, (SIZE, SIZE), "0" * 64, ())
        expected = truth.abundance * truth.specimen_counts
        # no decomposition is perfect: a tenth of all counts goes into each component
        expected = 0.7 * expected + 0.1 * truth.specimen_counts
        maps = np.random.default_rng(5).poisson(expected).astype(np.float64)
        spectra = truth.spectra[:, span]
        spectra = spectra / spectra.sum(axis=1, keepdims=True)
        found = Decomposition((maps,), spectra, np.zeros(1), True)
        self.decomposed = Decomposed((NAME,), (self.data.reading,), found)
        self.true = {"Fp": truth.abundance[1] > 0.05, "CaPv": truth.abundance[2] > 0.05}

    def grains(self, precipitate: str = "Fp") -> list[Box]:
        """Boxes round the true grains."""
        patches, _ = label(self.true[precipitate])
        return [
            (x.start, y.start, x.stop - x.start, y.stop - y.start) for y, x in find_objects(patches)
        ]

    def loose(self, number: int, precipitate: str = "Fp", margin: int = 4) -> Box:
        """A loose rectangle round a true grain."""
        x, y, width, height = self.grains(precipitate)[number]
        left, top = max(x - margin, 0), max(y - margin, 0)
        right, bottom = min(x + width + margin, SIZE), min(y + height + margin, SIZE)
        return left, top, right - left, bottom - top

    def with_fp(self, *numbers: int) -> Recipe:
        """The recipe with Fp, and rectangles round some of its grains."""
        recipe = edits.add_precipitate(self.recipe, "Fp", "Si")
        for number in numbers:
            recipe = edits.add_rectangle(recipe, "Fp", NAME, self.loose(number))
        return recipe


class Stage:
    """The page in a window of its own, and hands that know the pixels of the map."""

    def __init__(self, qtbot: QtBot, phantom: Phantom, runner: Runner) -> None:
        self.qtbot, self.phantom = qtbot, phantom
        self.workspace = Workspace(runner)
        self.page = MaskPage(self.workspace)
        self.window = QWidget()
        layout = QHBoxLayout(self.window)
        layout.addWidget(self.page.view, 1)
        self.page.settings.setFixedWidth(290)
        layout.addWidget(self.page.settings)
        qtbot.addWidget(self.window)
        self.window.resize(1200, 700)
        for signal in (self.workspace.recipe_changed, self.workspace.results_changed):
            signal.connect(self.page.refresh)
        self.workspace.focus_changed.connect(self.page.refresh)
        self.refused: list[str] = []
        self.workspace.said.connect(lambda message: self.refused.append(message.text))

    def open(self, recipe: Recipe, table: StepTable = UP_TO_MASKS) -> Stage:
        document = Document(recipe)
        session = document.session = Session(table, recipe)
        session.accept(session.key("read", NAME), self.phantom.data)
        session.accept(session.key("scree", NAME), "not looked at")
        session.accept(session.key("decomposition", NAME), self.phantom.decomposed)
        self.workspace.look(page="masks")
        self.workspace.show(document)
        self.window.show()
        self.qtbot.waitExposed(self.window)
        self.until(lambda: self.masks is not None)
        return self

    def until(self, happened: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(happened()), timeout=PATIENCE_MS)

    def wait_for_masks(self) -> None:
        self.until(lambda: self.masks is not None)

    @property
    def masks(self) -> Any:
        return self.workspace.result("masks")

    @property
    def recipe(self) -> Recipe:
        assert self.workspace.recipe is not None
        return self.workspace.recipe

    def boxes(self, precipitate: str = "Fp") -> tuple[Box, ...]:
        return self.recipe.precipitate_named(precipitate).boxes_on(NAME)

    @property
    def undos(self) -> int:
        """How many entries of undo there are, counted by undoing and redoing them."""
        session = self.workspace.session
        assert session is not None
        steps = 0
        while session.can_undo:
            session.undo()
            steps += 1
        for _ in range(steps):
            session.redo()
        return steps

    # --- hands -------------------------------------------------------------------------------

    @property
    def canvas(self) -> Any:
        return self.page.map.canvas

    def at(self, x: float, y: float) -> QPoint:
        place: QPoint = self.canvas.position_of((x, y)).toPoint()
        return place

    def press(self, x: float, y: float, modifier: Qt.KeyboardModifier = NO) -> None:
        self.qtbot.mousePress(self.canvas.viewport(), LEFT, modifier, self.at(x, y))

    def move(self, x: float, y: float) -> None:
        self.qtbot.mouseMove(self.canvas.viewport(), self.at(x, y))

    def release(self, x: float, y: float, modifier: Qt.KeyboardModifier = NO) -> None:
        self.qtbot.mouseRelease(self.canvas.viewport(), LEFT, modifier, self.at(x, y))

    def drag(self, *points: tuple[float, float], modifier: Qt.KeyboardModifier = NO) -> None:
        self.press(*points[0], modifier)
        for point in points[1:]:
            self.move(*point)
        self.release(*points[-1], modifier)

    def draw(self, box: Box) -> None:
        x, y, width, height = box
        self.drag((x, y), (x + width / 2, y + height / 2), (x + width, y + height))

    def click(self, x: float, y: float) -> None:
        self.qtbot.mouseClick(self.canvas.viewport(), LEFT, NO, self.at(x, y))

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = NO, on: Any = None) -> None:
        self.qtbot.keyClick(on or self.canvas, key, modifier)

    def push(self, button: QWidget) -> None:
        self.qtbot.mouseClick(button, LEFT)

    def tool(self, letter: str) -> None:
        assert self.page.key_tool(letter)


def on_stage(qtbot: QtBot, phantom: Phantom) -> Iterator[Stage]:
    """A stage whose threads end with the test."""
    runner = Runner()
    yield Stage(qtbot, phantom, runner)
    runner.close()


def overlap_share(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float(np.sum(one & other) / max(np.sum(one | other), 1))


def centre(box: Box) -> tuple[float, float]:
    return box[0] + box[2] / 2, box[1] + box[3] / 2


def near(one: Box, other: Box, by: int = 1) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))
