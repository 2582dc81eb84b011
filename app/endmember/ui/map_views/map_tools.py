"""The tools of the map page: what a drag on a map draws."""

from __future__ import annotations

from typing import Literal

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QButtonGroup, QHBoxLayout, QMenu, QToolButton, QWidget

from endmember.ui.map_views.shape_editor import Mode
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.elided_label import ElidedLabel

Purpose = Literal["select", "roi", "exclude", "crop"]
SHAPES: tuple[Mode, ...] = ("rectangle", "ellipse", "polygon")
# key, text, what it does, purpose, shape
TOOLS: tuple[tuple[str, str, str, Purpose, Mode], ...] = (
    (
        "V",
        "Select",
        "Select, move and resize regions; drag an empty place to pan",
        "select",
        "select",
    ),
    ("R", "Rectangle", "Drag a rectangular region of interest", "roi", "rectangle"),
    ("O", "Ellipse", "Drag an elliptic region of interest", "roi", "ellipse"),
    ("P", "Polygon", "Click the corners of a region of interest", "roi", "polygon"),
    (
        "X",
        "Exclude",
        "Leave a hole, a crack or contamination out of every mask",
        "exclude",
        "rectangle",
    ),
    ("C", "Crop", "Drag the rectangle that is analysed; the rest is left out", "crop", "rectangle"),
)
HINTS: dict[tuple[Purpose, Mode], str] = {
    ("roi", "polygon"): "click the corners; Enter or a double click closes, Esc cancels",
    ("exclude", "polygon"): "click the corners; Enter or a double click closes, Esc cancels",
    ("exclude", "rectangle"): "drag over a hole or crack",
    ("exclude", "ellipse"): "drag over a hole or crack",
    ("crop", "rectangle"): "drag the part to analyse; the map is then read again",
}


class MapTools(QWidget):
    """A row of tools, of which one is chosen, and a word on how to use it."""

    chosen = pyqtSignal(str, str)
    """Purpose and shape."""
    reset_asked = pyqtSignal()
    """The whole map is to be analysed again."""

    def __init__(self) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self.buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        for key, text, tip, purpose, shape in TOOLS:
            self._add(key, text, tip, purpose, shape)
        self._exclude_menu()
        self.reset = QToolButton()
        self.reset.setText("Whole map")
        name(self.reset, "Take the crop away: analyse the whole map again", "reset the crop")
        self.reset.clicked.connect(self.reset_asked)
        self._row.addWidget(self.reset)
        self.hint = ElidedLabel(greedy=True)
        self.hint.setProperty("role", "muted")
        self._row.addSpacing(6)
        self._row.addWidget(self.hint, 1)
        self.caption = ElidedLabel(least=60)
        self.caption.setProperty("role", "muted")
        self._row.addWidget(self.caption)
        self.purpose: Purpose = "select"
        self.shape: Mode = "select"
        self._crop = False
        self.choose("V")

    def _add(self, key: str, text: str, tip: str, purpose: Purpose, shape: Mode) -> None:
        button = QToolButton()
        button.setText(text)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        name(button, f"{tip} ({key})", f"tool: {tip[0].lower()}{tip[1:]}")
        button.clicked.connect(lambda: self.choose(key))
        self._group.addButton(button)
        if key in "RX":
            self._row.addSpacing(8)
        self._row.addWidget(button)
        self.buttons[key] = button

    def _exclude_menu(self) -> None:
        button = self.buttons["X"]
        menu = QMenu(button)
        group = QActionGroup(menu)
        self.exclude_shapes: dict[Mode, QAction] = {}
        for shape in SHAPES:
            action = QAction(
                f"Exclude a {shape}" if shape != "ellipse" else "Exclude an ellipse", menu
            )
            action.setCheckable(True)
            action.setChecked(shape == "rectangle")
            action.triggered.connect(lambda: self.choose("X"))
            group.addAction(action)
            menu.addAction(action)
            self.exclude_shapes[shape] = action
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)

    def choose(self, key: str) -> bool:
        """Choose a tool by its key; whether there is one."""
        found = [tool for tool in TOOLS if tool[0] == key]
        if not found:
            return False
        _, _, _, self.purpose, self.shape = found[0]
        if self.purpose == "exclude":
            self.shape = next(s for s, action in self.exclude_shapes.items() if action.isChecked())
        self.buttons[key].setChecked(True)
        self.hint.setText(HINTS.get((self.purpose, self.shape), ""))
        self.hint.setToolTip(self.hint.text())
        self._show_reset()
        self.chosen.emit(self.purpose, self.shape)
        return True

    def set_cropped(self, cropped: bool) -> None:
        """Whether there is a crop that could be taken away."""
        self._crop = cropped
        self._show_reset()

    def set_caption(self, text: str) -> None:
        """How the maps are shown, for all of them."""
        if text != self.caption.text():
            self.caption.setText(text)
            self.caption.setToolTip(text)

    def _show_reset(self) -> None:
        self.reset.setVisible(self.purpose == "crop" and self._crop)
