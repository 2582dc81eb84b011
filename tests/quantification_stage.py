"""The settings of the quantification alone, over a recipe without results, with hands for them."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QObject, QPoint, Qt, pyqtSignal
from PyQt6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Quantification, Recipe
from endmember.session.documents.document import Document
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.composition.quantification_settings import QuantificationSettings
from endmember.ui.widgets.messages import Message
from endmember.ui.widgets.section import Section

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
WIDTH = 290
STONE = ("O", "Mg", "Si", "Fe")


class Idle(QObject):
    """A runner that runs nothing."""

    step_done = pyqtSignal(str, object)
    running = None

    def show(self, _: object) -> None:
        """Nothing is shown."""

    def refresh(self) -> None:
        """Nothing is started."""


class Panel:
    """The settings alone, as wide as the side panel, over a recipe without results."""

    def __init__(self, qtbot: QtBot, elements: tuple[str, ...] = STONE) -> None:
        self.qtbot = qtbot
        self.workspace = Workspace(Idle())  # type: ignore[arg-type]
        self.said: list[Message] = []
        self.workspace.said.connect(self.said.append)
        self.settings = QuantificationSettings(self.workspace)
        self.workspace.recipe_changed.connect(self.show)
        recipe = edits.set_elements(edits.new_recipe(Path("/a.hspy")), elements, ())
        self.workspace.show(Document(recipe))
        self.show()
        self.settings.setFixedWidth(WIDTH)
        qtbot.addWidget(self.settings)
        self.settings.show()
        qtbot.waitExposed(self.settings)
        self.settings.activateWindow()
        qtbot.waitUntil(self.settings.isActiveWindow)

    def show(self) -> None:
        self.settings.show_recipe(self.recipe)

    @property
    def recipe(self) -> Recipe:
        assert self.workspace.recipe is not None
        return self.workspace.recipe

    @property
    def of(self) -> Quantification:
        return self.recipe.quantification

    def click(self, button: QWidget) -> None:
        assert button.isVisible()
        self.qtbot.mouseClick(button, LEFT)

    def tick(self, box: QWidget) -> None:
        self.qtbot.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))

    def unfold(self, *sections: Section) -> None:
        for section in sections:
            if not section.opened:
                self.click(section.heading)

    def unfold_all(self) -> None:
        of = self.settings
        self.unfold(of.factors.hand, of.oxygen.hand, of.detector, of.peaks)

    def type_into(self, line: QWidget, text: str) -> None:
        """Replace what stands there, and press Enter."""
        line.setFocus()
        self.qtbot.keyClick(line, Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.qtbot.keyClick(line, Key.Key_Delete)
        self.qtbot.keyClicks(line, text)
        self.qtbot.keyClick(line, Key.Key_Return)

    def choose(self, box: QComboBox, text: str) -> None:
        box.setFocus()
        self.qtbot.keyClick(box, Key.Key_Home)
        while box.currentText() != text:
            before = box.currentIndex()
            self.qtbot.keyClick(box, Key.Key_Down)
            assert box.currentIndex() > before, f"{text} is not offered"

    def controls(self) -> list[QWidget]:
        """All that a person can use."""
        kinds = (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox)
        return [
            widget
            for widget in self.settings.findChildren(QWidget)
            if isinstance(widget, kinds)
            and not isinstance(widget.parent(), QComboBox | QLineEdit | QAbstractSpinBox)
        ]
