"""The status bar: what is under the pointer, and what is running with its Cancel."""

from __future__ import annotations

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QLabel, QProgressBar, QStatusBar, QToolButton

from endmember.ui.document.runner import Runner, Running

SHOWN_AFTER_s = 0.4
POLL_ms = 100
TITLES = {
    "read": "reading the map",
    "energy_check": "checking the energy axis",
    "scree": "counting components",
    "decomposition": "decomposing",
    "masks": "cutting masks",
    "subtraction": "subtracting the matrix",
    "abundance": "mapping abundances",
    "quantification": "quantifying",
    "partition": "comparing phases",
    "background_spread": "trying other backgrounds",
}


class StatusLine(QStatusBar):
    """Read-outs on the left, progress, elapsed time and Cancel on the right."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self.runner = runner
        self.place = QLabel()
        self.energy = QLabel()
        self.work = QLabel()
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setFixedWidth(130)
        self.bar.setTextVisible(False)
        self.cancel = QToolButton()
        self.cancel.setText("Cancel")
        self.cancel.setToolTip("Stop what is running (Ctrl+.)")
        self.cancel.setAccessibleName("cancel what is running")
        self.cancel.clicked.connect(runner.cancel)
        self.place.setAccessibleName("position, and counts under the pointer")
        self.energy.setAccessibleName("energy under the pointer and nearest line")
        self.bar.setAccessibleName("progress")
        self.work.setAccessibleName("what is running")
        self.place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.addWidget(self.place, 3)
        self.addWidget(self.energy, 2)
        for widget in (self.work, self.bar, self.cancel):
            self.addPermanentWidget(widget)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_ms)
        self._timer.timeout.connect(self.refresh)
        runner.started.connect(self._on_started)
        self.refresh()

    def _on_started(self, _: Running) -> None:
        self._timer.start()

    def refresh(self) -> None:
        """Show how far the running work is; nothing for work that is done in a moment."""
        running = self.runner.running
        long = running is not None and running.seconds >= SHOWN_AFTER_s
        for widget in (self.work, self.bar, self.cancel):
            widget.setVisible(long)
        if running is None:
            self._timer.stop()
            return
        if long:
            title = TITLES.get(running.title, running.title)
            where = f", {', '.join(running.maps)}" if running.maps else ""
            if running.stop.is_set():
                title = "stopping"
            self.work.setText(
                f"{title}{where}  {100 * running.fraction:.0f} %  {running.seconds:.0f} s"
            )
            self.bar.setValue(round(1000 * running.fraction))
