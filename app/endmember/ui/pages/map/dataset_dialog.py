"""Which array of a file is the map, what its axes are, and what it then looks like."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from endmember.files.reading.choice import Choice
from endmember.session.decisions.recipe import MapInput
from endmember.ui.document.requests import Requests
from endmember.ui.document.runner import Runner
from endmember.ui.map_views.map_view import MapView
from endmember.ui.spectrum_views.spectrum_view import Curve, SpectrumView
from endmember.ui.widgets.choice_table import ChoiceTable, Row
from endmember.ui.widgets.dialog import Dialog, Standard, set_look
from endmember.ui.widgets.inputs import ChoiceBox, NumberBox
from endmember.ui.widgets.optional_number import OptionalNumber
from endmember.ui.widgets.theme import colours

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from endmember.files.reading.datasets import Dataset

WORDS = {"y": "rows", "x": "columns", "E": "energy", "s": "sum of"}
USUAL_STEP_keV = 0.01
LARGEST_keV = 100.0
PREVIEW_WAITS_ms = 300


class Preview(NamedTuple):
    """What a choice looks like: energies and counts (channels,), counts of each pixel."""

    energy_keV: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]
    total: npt.NDArray[np.float64]


def preview(file: str, choice: Choice) -> Preview:
    """Read the chosen map and sum it both ways.

    Raises
    ------
    UnreadableFile
        if it can be no map.
    """
    from endmember.files.reading.reader import open_map

    image = open_map(file, choice=choice).image
    return Preview(image.axis.centres, image.spectrum().counts, image.count_map())


def axis_choices(shape: tuple[int, ...]) -> list[tuple[str, str]]:
    """A text and the letters of each way to read an array; further axes are summed."""
    letters = "yxE" + "s" * (len(shape) - 3)
    found = {}
    for order in permutations(letters):
        axes = "".join(order)
        if axes.replace("E", "").replace("s", "") != "yx" and len(shape) > 3:
            continue  # with many axes, those with rows before columns are enough
        parts = (f"{WORDS[c]} {n}" for c, n in zip(axes, shape, strict=True))
        found[axes] = ", ".join(parts)
    return [(text, axes) for axes, text in found.items()]


class DatasetDialog(Dialog):
    """The arrays of a file, the axes and energies of the chosen one, and a preview."""

    COLUMNS = ("Dataset", "Size", "Type")

    def __init__(
        self, parent: QWidget | None, entry: MapInput, datasets: Sequence[Dataset], runner: Runner
    ) -> None:
        super().__init__(parent, "Choose the dataset")
        self._entry, self._datasets = entry, tuple(datasets)
        self._requests = Requests(runner)
        self._choice: Choice | None = None
        self.table = self._table()
        self.axes = ChoiceBox("What each axis of the dataset is, in its order", "axes")
        self.start = self._energy_box(
            "of the middle of channel 0", "energy of channel 0", -LARGEST_keV
        )
        self.step = self._energy_box("from one channel to the next", "width of a channel", 0.0)
        self.pixel = OptionalNumber(
            "Size of a pixel in nm, if it is known", "pixel size in nm", "10"
        )
        self.pixel.show_value(
            None if entry.pixel_size_nm is None else float(entry.pixel_size_nm), "unknown"
        )
        self.says = QLabel()
        self.says.setWordWrap(True)
        self.says.setMinimumHeight(3 * self.fontMetrics().height())
        self.says.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.map = MapView("Counts of each pixel")
        self.spectrum = SpectrumView("Sum of all pixels")
        self.spectrum.set_unit("counts")
        self.spectrum.set_legend(False)
        box = self.box(Standard.Ok, Standard.Cancel)
        self.ok = box.button(Standard.Ok)
        self._lay_out(Path(entry.file), box)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PREVIEW_WAITS_ms)
        self._soon.timeout.connect(self._ask)
        self._connect()
        self._begin()

    def _energy_box(self, says: str, accessible: str, lowest: float) -> NumberBox:
        box = NumberBox(f"Energy {says}, in keV", f"{accessible} in keV", "keV")
        box.setDecimals(6)
        box.setRange(lowest, LARGEST_keV)
        box.setSingleStep(0.001)
        return box

    def _table(self) -> ChoiceTable:
        rows = []
        for dataset in self._datasets:
            size = " x ".join(map(str, dataset.shape)) or "one value"
            tip = f"{dataset.name} {dataset.why_not}".strip()
            rows.append(Row((dataset.name, size, dataset.dtype), tip, not dataset.why_not))
        says = "A map has rows, columns and energies"
        return ChoiceTable(self.COLUMNS, rows, 0, says, "Datasets of the file")

    def _lay_out(self, file: Path, box: QWidget) -> None:
        said = QLabel(f"{file.name} does not say which of its arrays is the map.")
        said.setToolTip(str(file))
        said.setWordWrap(True)
        form = QFormLayout()
        for text, field in (
            ("&Axes", self.axes),
            ("&Channel 0 at", self.start),
            ("Channel &width", self.step),
            ("&Pixel size, nm", self.pixel),
        ):
            form.addRow(text, field)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(said)
        left.addWidget(self.table, 1)
        left.addLayout(form)
        left.addWidget(self.says)
        right.addWidget(self.map, 3)
        right.addWidget(self.spectrum, 2)
        both = QHBoxLayout()
        both.addLayout(left, 1)
        both.addLayout(right, 1)
        whole = QVBoxLayout(self)
        whole.addLayout(both, 1)
        whole.addWidget(box)
        self.resize(1040, 600)

    def _connect(self) -> None:
        self.table.itemSelectionChanged.connect(self._on_dataset)
        self.axes.activated.connect(lambda _: self._later())
        for box in (self.start, self.step):
            box.valueChanged.connect(lambda _: self._later())
        self.pixel.given.connect(lambda v: self.pixel.show_value(v, "unknown"))
        self.pixel.refused.connect(lambda text: self._say(text, "warning"))
        self.finished.connect(lambda _: self._requests.forget())

    def _begin(self) -> None:
        entry = self._entry
        self.start.setValue(float(entry.energy_start_keV or 0.0))
        self.step.setValue(float(entry.energy_step_keV or USUAL_STEP_keV))
        before = [d.name.strip("/") for d in self._datasets]
        wanted = (entry.dataset or "").strip("/")
        row = before.index(wanted) if wanted in before else 0
        self.table.setCurrentCell(row, 0)
        if wanted in before and entry.axes is not None:
            self.axes.show_choices(axis_choices(self._datasets[row].shape), entry.axes)
            self._later()
        self.table.setFocus()

    # --- what is chosen ------------------------------------------------------------------------

    @property
    def _dataset(self) -> Dataset | None:
        row = self.table.currentRow()
        return self._datasets[row] if 0 <= row < len(self._datasets) else None

    def chosen(self) -> dict[str, Any]:
        """The keys of the recipe."""
        assert self._choice is not None
        dataset, axes, start, step, *_ = self._choice
        return {
            "dataset": dataset,
            "axes": axes,
            "energy_start_keV": start,
            "energy_step_keV": step,
            "pixel_size_nm": self._pixel_nm(),
        }

    def _pixel_nm(self) -> float | None:
        try:
            size = float(self.pixel.text().replace(",", "."))
        except ValueError:
            return None
        return size if size > 0 else None

    def _on_dataset(self) -> None:
        from endmember.files.reading.datasets import likely_axes

        dataset = self._dataset
        fit = dataset is not None and not dataset.why_not
        if dataset is not None and fit:
            choices = axis_choices(dataset.shape)
            self.axes.show_choices(choices, likely_axes(dataset.shape))
        else:
            self.axes.show_choices([], None)
        self._later()

    def _later(self) -> None:
        """Nothing can be accepted before it was seen to be a map."""
        self._choice = None
        self.axes.setToolTip(f"What each axis is, in its order: {self.axes.currentText()}")
        if self.ok is not None:
            self.ok.setEnabled(False)
        dataset = self._dataset
        self.map.set_empty("")
        self.spectrum.set_curves([])
        if dataset is None or dataset.why_not:
            why = (
                "" if dataset is None else f"{dataset.name} {dataset.why_not}: choose another one."
            )
            self._soon.stop()
            self._say(why, "warning")
            return
        self._say("Reading the preview…", "muted")
        self._soon.start()

    def _ask(self) -> None:
        dataset, axes = self._dataset, self.axes.value
        if dataset is None or not isinstance(axes, str):
            return
        choice = Choice(dataset.name, axes, self.start.value(), self.step.value())
        if self.step.value() <= 0:
            self._say("The width of a channel must be above 0.", "warning")
            return
        file = self._entry.file
        self._requests.forget("preview")
        self._requests.ask(
            "preview",
            (choice,),
            lambda: preview(file, choice),
            partial(self._show, choice),
            failed=lambda text: self._say(text, "warning"),
        )

    def _show(self, choice: Choice, made: Preview) -> None:
        self._choice = choice
        rows, columns = made.total.shape
        self.map.set_image(made.total, (0.0, 0.0, float(columns), float(rows)), "counts")
        curve = Curve("sum", made.energy_keV, made.counts, colours().accent)
        self.spectrum.set_curves([curve])
        self.spectrum.fit()
        counts = f"{made.total.sum():,.0f}".replace(",", "\N{NO-BREAK SPACE}")
        self._say(
            f"{columns} pixels wide, {rows} high, {len(made.counts)} channels up to "
            f"{made.energy_keV[-1]:.4g} keV, {counts} counts.",
            "muted",
        )
        if self.ok is not None:
            self.ok.setEnabled(True)

    def _say(self, text: str, role: str) -> None:
        self.says.setText(text.removeprefix(f"{self._entry.file}: "))
        set_look(self.says, "role", role)
