"""Which frames and detectors of a map are summed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from PyQt6.QtWidgets import QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from endmember.ui.widgets.dialog import Dialog, Standard, name

NUMBERS = re.compile(r"\d+(\s*,\s*\d+)*")
SPAN = re.compile(r"(\d+)\s*(?:-|to)\s*(\d+)")


class FrameDialog(Dialog):
    """Frames as "0 to 9", detectors as "0, 1"; left empty, all are summed."""

    def __init__(
        self,
        parent: QWidget | None,
        file: Path,
        frames: tuple[int, int] | None,
        detectors: tuple[int, ...] | None,
    ) -> None:
        super().__init__(parent, "Frames and detectors")
        said = QLabel(
            f"Which frames and detectors of {file.name} are summed? Both are counted from 0. Left "
            "empty, all are. JEOL (.pts) keeps frames apart, Velox (.emd) both; other files are "
            "refused."
        )
        said.setWordWrap(True)
        said.setMinimumWidth(360)
        self.frames, self.detectors = QLineEdit(), QLineEdit()
        name(self.frames, "First and last frame, as in 0 to 9", "frames")
        name(self.detectors, "Numbers of detectors, as in 0, 1", "detectors")
        self.frames.setPlaceholderText("all; or as in 0 to 9")
        self.detectors.setPlaceholderText("all; or as in 0, 1")
        if frames is not None:
            self.frames.setText(f"{frames[0]} to {frames[1]}")
        if detectors is not None:
            self.detectors.setText(", ".join(map(str, detectors)))
        self.says = QLabel()
        self.says.setWordWrap(True)
        self.says.setProperty("role", "warning")
        form = QFormLayout()
        form.addRow("&Frames", self.frames)
        form.addRow("&Detectors", self.detectors)
        box = self.box(Standard.Ok, Standard.Cancel)
        self.ok = box.button(Standard.Ok)
        whole = QVBoxLayout(self)
        whole.addWidget(said)
        whole.addLayout(form)
        whole.addWidget(self.says)
        whole.addWidget(box)
        for line in (self.frames, self.detectors):
            line.textChanged.connect(self._judge)
        self._judge()
        self.frames.setFocus()

    def chosen(self) -> dict[str, Any]:
        """`frames` and `detectors` as the recipe has them."""
        span = SPAN.fullmatch(self.frames.text().strip())
        listed = self.detectors.text().strip()
        return {
            "frames": None if span is None else (int(span[1]), int(span[2])),
            "detectors": tuple(int(n) for n in re.findall(r"\d+", listed)) or None,
        }

    def _judge(self) -> None:
        frames, detectors = self.frames.text().strip(), self.detectors.text().strip()
        says = ""
        if frames and not (span := SPAN.fullmatch(frames)):
            says = "Write the first and the last frame, as in 0 to 9."
        elif frames and span is not None and int(span[1]) > int(span[2]):
            says = "The first frame comes after the last one."
        elif detectors and not NUMBERS.fullmatch(detectors):
            says = "Write numbers of detectors, as in 0, 1."
        self.says.setText(says)
        if self.ok is not None:
            self.ok.setEnabled(not says)
