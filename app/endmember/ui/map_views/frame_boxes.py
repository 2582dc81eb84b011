"""Four boxes for the exact place of what is dragged on a map: x, y, width, height."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QLabel, QWidget

from endmember.ui.map_views.shape_gestures import Frame, Point, Points
from endmember.ui.widgets.inputs import NumberBox

SIDES = ("x", "y", "width", "height")
LARGEST = 100_000.0


class FrameBoxes(QWidget):
    """x, y, width and height in pixels of the uncropped map."""

    changed = pyqtSignal(object)
    """The frame that a person has set; the other sides are as they were given, not rounded."""
    finished = pyqtSignal()
    """A person is done with a box."""

    def __init__(self, of: str, decimals: int = 1) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        self.boxes: list[NumberBox] = []
        self._frame: list[float] = []
        for number, side in enumerate(SIDES):
            what = {"x": "left edge (x)", "y": "upper edge (y)"}.get(side, side)
            says = f"{what.capitalize()} of {of}, in pixels of the uncropped map"
            box = NumberBox(says, f"{what} of {of}", "px")
            box.setDecimals(decimals)
            box.setRange(1.0 if number > 1 else -LARGEST, LARGEST)
            box.setMinimumWidth(72)
            box.valueChanged.connect(partial(self._on_changed, number))
            box.editingFinished.connect(self.finished)
            label = QLabel(side)
            label.setBuddy(box)
            grid.addWidget(label, number // 2, 2 * (number % 2))
            grid.addWidget(box, number // 2, 2 * (number % 2) + 1)
            self.boxes.append(box)
            self._frame.append(box.value())
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)

    def set_frame(self, frame: Sequence[float] | None) -> None:
        """Show a frame; None leaves nothing to change."""
        self.setEnabled(frame is not None)
        if frame is None:
            return
        self._frame = list(frame)
        for box, value in zip(self.boxes, frame, strict=True):
            box.show_value(value)

    def frame(self) -> Frame:
        """The frame last shown, with what a person has changed since."""
        return cast(Frame, tuple(self._frame))

    def _on_changed(self, number: int, value: float) -> None:
        self._frame[number] = value
        self.changed.emit(self.frame())


def frame_of(points: Points) -> Frame:
    """The frame round a polygon."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def points_in(points: Points, frame: Frame) -> Points:
    """A polygon stretched so that it fills a frame; a side of no length is only moved.

    Where the frame is the same, so are the points; the others are rounded to 0.001 pixel.
    """
    before = frame_of(points)

    def along(value: float, axis: int) -> float:
        length = before[axis + 2]
        if (frame[axis], frame[axis + 2]) == (before[axis], length):
            return value
        scale = frame[axis + 2] / length if length > 0 else 1.0
        return round(frame[axis] + (value - before[axis]) * scale, 3)

    def moved(point: Point) -> Point:
        return along(point[0], 0), along(point[1], 1)

    return tuple(moved(point) for point in points)
