"""A button that asks for results that take longer, with progress and Cancel beside it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from endmember.session.statistics.requested_results import RequestName
from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.dialog import name, set_look
from endmember.ui.widgets.inputs import WholeBox

POLL_ms = 100


class RequestBar(QWidget):
    """One kind of request; what came of it is shown elsewhere."""

    def __init__(
        self,
        workspace: Workspace,
        request: RequestName,
        text: str,
        says: str,
        replicates: WholeBox | None = None,
    ) -> None:
        super().__init__()
        self.workspace, self.request, self.replicates = workspace, request, replicates
        self.button = QPushButton(text)
        name(self.button, says, text)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(f"progress of: {text}")
        self.cancel = QPushButton("Cancel")
        name(self.cancel, f"Stop it: nothing is kept ({text})", f"cancel: {text}")
        self.said = QLabel()
        self.said.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.button)
        if replicates is not None:
            row.addWidget(replicates)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        row.addStretch(0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(2)
        whole.addLayout(row)
        whole.addWidget(self.said)
        self.button.clicked.connect(lambda: self._ask())
        self.cancel.clicked.connect(lambda: workspace.on_request.stop(request))
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_ms)
        self._timer.timeout.connect(self.show_state)

    def _ask(self) -> None:
        count = 0 if self.replicates is None else self.replicates.value()
        self.workspace.on_request.ask(self.request, count)

    def show_state(self, done: Callable[[], str] = str) -> None:
        """Show how far it is; `done` says what is there already."""
        asked = self.workspace.on_request
        fraction = asked.fraction(self.request)
        runs = fraction is not None
        focused = self.cancel.hasFocus() or self.button.hasFocus()
        self.button.setVisible(not runs)
        self.button.setEnabled(asked.is_possible)
        if self.replicates is not None:
            self.replicates.setVisible(not runs)
        self.bar.setVisible(runs)
        self.cancel.setVisible(runs)
        if focused:  # the focus stays where the hand is
            (self.cancel if runs else self.button).setFocus()
        if fraction is not None:
            self.bar.setValue(round(1000 * fraction))
            self._timer.start()
            return
        self._timer.stop()
        failure = asked.failure(self.request)
        set_look(self.said, "role", "warning" if failure else "muted")
        text = f"It could not be made: {failure}" if failure else done()
        self.said.setText(text)
        self.said.setVisible(bool(text))
