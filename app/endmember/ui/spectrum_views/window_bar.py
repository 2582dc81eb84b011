"""The energy windows of the recipe: choose one, name it, and set its ends in keV."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QWidget,
)

from endmember.session.decisions import edits
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.inputs import NumberBox

HIGHEST_keV = 400.0


class WindowBar(QWidget):
    """One line of controls for the energy window that is selected."""

    draw_asked = pyqtSignal(bool)
    selected = pyqtSignal(str)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.edits = GestureEdits(workspace)
        self.draw = QToolButton()
        self.draw.setText("+ Window")
        self.draw.setCheckable(True)
        self.draw.setToolTip("Draw an energy window: then drag on the spectrum. It gives a map.")
        self.draw.setAccessibleName("draw an energy window")
        self.choose = QComboBox()
        self.choose.setToolTip("The energy window to edit; type to give it another name")
        self.choose.setAccessibleName("energy window")
        self.choose.setEditable(True)
        self.choose.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.choose.setCompleter(None)
        self.choose.setMinimumContentsLength(4)
        self.choose.setMaximumWidth(96)
        self.low, self.high = self._energy_box("lower"), self._energy_box("upper")
        self.background = QCheckBox("less bg.")
        self.background.setAccessibleName("subtract the background from the map of the window")
        self.background.setToolTip(
            "Subtract the mean of the two bands beside the window from its map"
        )
        self.remove = QToolButton()
        self.remove.setText("✕")
        self.remove.setToolTip("Remove this energy window (Del on the spectrum)")
        self.remove.setAccessibleName("remove the energy window")
        self._own: tuple[QWidget, ...] = (
            self.choose,
            self.low,
            self.high,
            self.background,
            self.remove,
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self._dash = QLabel("–")
        for widget in (self.draw, *self._own[:2], self._dash, *self._own[2:]):
            layout.addWidget(widget)
        layout.addStretch(1)
        self._connect()
        self.refresh()

    def _energy_box(self, which: str) -> NumberBox:
        says = f"The {which} end of the window in keV"
        box = NumberBox(says, f"{which} end of the energy window", "keV")
        box.setRange(0.0, HIGHEST_keV)
        box.setDecimals(3)
        box.setSingleStep(0.01)
        box.setMinimumWidth(box.fontMetrics().horizontalAdvance("00.000 keV") + 26)
        return box

    def _connect(self) -> None:
        self.draw.toggled.connect(self.draw_asked)
        self.choose.activated.connect(self._choose)
        edit = self.choose.lineEdit()
        assert edit is not None
        edit.editingFinished.connect(self._rename)
        for end, box in enumerate((self.low, self.high)):
            box.valueChanged.connect(partial(self._resize, end))
            box.editingFinished.connect(self.edits.end)
        self.background.toggled.connect(
            lambda on: self.workspace.edit(edits.change_window, self.current, background=on)
        )
        self.remove.clicked.connect(lambda: self.workspace.edit(edits.remove_window, self.current))

    @property
    def current(self) -> str:
        """The name of the window that is edited, "" for none."""
        index = self.choose.currentIndex()
        return self.choose.itemText(index) if index >= 0 else ""

    def select(self, name: str) -> None:
        """Edit another window."""
        if name != self.current and self.choose.findText(name) >= 0:
            self.choose.setCurrentIndex(self.choose.findText(name))
            self.refresh()

    def _choose(self, _: int) -> None:
        self.refresh()
        self.selected.emit(self.current)

    def _rename(self) -> None:
        new, old = self.choose.currentText().strip(), self.current
        if new and new != old and self.workspace.edit(edits.change_window, old, new_name=new):
            self.select(new)
        self.refresh()

    def _resize(self, end: int, energy: float) -> None:
        recipe, name = self.workspace.recipe, self.current
        for window in () if recipe is None else recipe.windows:
            low, high = (window.range_keV[0], energy) if end else (energy, window.range_keV[1])
            if window.name == name and low < high:
                gesture = ("window", name)
                self.edits.edit(gesture, edits.change_window, name, range_keV=(low, high))

    def show_range(self, low: float, high: float) -> None:
        """The ends while they are dragged."""
        self.low.show_value(low)
        self.high.show_value(high)

    def refresh(self) -> None:
        """Show what the recipe says."""
        recipe = self.workspace.recipe
        windows = () if recipe is None else recipe.windows
        names = [window.name for window in windows]
        if names != [self.choose.itemText(i) for i in range(self.choose.count())]:
            before = self.current
            self.choose.clear()
            self.choose.addItems(names)
            # a window that was just drawn is the last one
            chosen = before if before in names else "".join(names[-1:])
            self.choose.setCurrentIndex(self.choose.findText(chosen))
        for widget in (*self._own, self._dash):
            widget.setVisible(bool(names))
        self.draw.setEnabled(recipe is not None)
        for window in windows:
            if window.name == self.current:
                self.show_range(*window.range_keV)
                self.background.blockSignals(True)
                self.background.setChecked(window.background)
                self.background.blockSignals(False)
                if not self.choose.hasFocus():
                    self.choose.setEditText(window.name)
