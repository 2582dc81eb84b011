"""Which part of its file a map is: a signal, an array with its axes, some frames and detectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, Qt
from PyQt6.QtWidgets import QDialog, QWidget

from endmember.files.reading.axis_letters import asks_for_dataset
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import MapInput
from endmember.session.state.session import Failure
from endmember.ui.document.workspace import Workspace

SEVERAL = "signals that could be the map"  # as the reader says it


def holds_several(warnings: tuple[str, ...]) -> str:
    """The reader's sentence that a file holds several maps, empty where it does not."""
    return next((text for text in warnings if SEVERAL in text), "")


class MapSource(QObject):
    """Looks into the file of the map looked at, away from the main thread, and asks."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self._over = parent
        self.dialog: QDialog | None = None

    @property
    def _entry(self) -> MapInput:
        assert self.workspace.recipe is not None
        return self.workspace.recipe.map_named(self.workspace.focus.map_name)

    def ask(self) -> None:
        """Ask which signal of the file is the map, or which array where it does not say."""
        entry = self._entry
        if entry.axes is not None:
            self.ask_dataset()
            return
        from endmember.files.reading.reader import map_choices

        file = Path(entry.file)
        self._look(lambda _: map_choices(file), partial(self._choose_signal, entry))

    def ask_dataset(self) -> None:
        """Ask which array of the file is the map."""
        from endmember.files.reading.reader import dataset_choices

        entry = self._entry
        self._look(lambda _: dataset_choices(entry.file), partial(self._choose_dataset, entry))

    def ask_frames(self) -> None:
        """Ask which frames and detectors are summed."""
        from endmember.ui.pages.map.frame_dialog import FrameDialog

        entry = self._entry
        dialog = FrameDialog(self._over.window(), Path(entry.file), entry.frames, entry.detectors)
        self._open(dialog, lambda: self._set(entry.name, **dialog.chosen()))

    def _look(self, work: Callable[[Any], Any], then: Callable[[Any], None]) -> None:
        self.workspace.runner.run_task("looking into the file", work, then)

    def _choose_signal(self, entry: MapInput, found: Any) -> None:
        from endmember.ui.program.dialogs import ChooseSignalDialog

        if isinstance(found, Failure):
            if asks_for_dataset(found.message):
                self.ask_dataset()
            else:
                self.workspace.say("error", found.message)
        if not isinstance(found, tuple):
            return
        file = Path(entry.file)
        if sum(signal["kind"] == "map" for signal in found) < 2:
            says = f"{file.name} holds one map only: there is nothing to choose"
            self.workspace.say("info", says)
            return
        largest = max(found, key=lambda s: (s.get("counts", -1), s["index"]))
        taken = largest["index"] if entry.signal is None else entry.signal
        dialog = ChooseSignalDialog(self._over.window(), file, found, taken)
        self._open(dialog, lambda: self._set(entry.name, signal=dialog.chosen()))

    def _choose_dataset(self, entry: MapInput, found: Any) -> None:
        from endmember.ui.pages.map.dataset_dialog import DatasetDialog

        if isinstance(found, Failure):
            self.workspace.say("error", found.message)
        if not isinstance(found, tuple):
            return
        dialog = DatasetDialog(self._over.window(), entry, found, self.workspace.runner)
        self._open(
            dialog,
            lambda: self.workspace.edit(edits.choose_dataset, entry.name, **dialog.chosen()),
        )

    def _open(self, dialog: QDialog, accepted: Callable[[], object]) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(accepted)
        dialog.finished.connect(self._forget)
        self.dialog = dialog
        dialog.open()

    def _forget(self) -> None:
        self.dialog = None  # Qt deletes it

    def _set(self, map_name: str, **settings: Any) -> None:
        self.workspace.edit(edits.set_map, map_name, **settings)
