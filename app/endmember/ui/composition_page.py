"""Compositions: the table of a phase, its fit, copying and export."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from endmember.session import edits
from endmember.session.composition_view import (
    UNITS,
    Unit,
    UnitName,
    comparison,
    entry_key,
    entry_title,
    fit_sentence,
    headers,
    notes,
    row_cells,
)
from endmember.session.compositions import Compositions, Entry
from endmember.ui.composition_table_view import CompositionTableView
from endmember.ui.fit_view import FitView
from endmember.ui.page import Page, heading, remark
from endmember.ui.theme import THEME
from endmember.ui.workspace import Workspace

COMPARE = "compare all phases"
POISSON, K_FACTOR, CHANGE = 5, 12, 14
DETECTION = (
    "Not detected: net counts below 1.645 sigma of the blank (Currie's critical level). "
    "Detected: above it. Quantifiable: above 10 sigma. LOD: 3 sigma of the blank."
)


class CompositionPage(Page):
    """The end of the chain, always the numbers of today's recipe or greyed until they are."""

    name = "composition"
    step = "quantification"
    own_spectrum = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.table = CompositionTableView()
        self.fit_view = FitView()
        self.entry_box = QComboBox()
        self.unit_box = QComboBox()
        self.title_line = QLabel()
        self._found: Compositions | None = None
        self._before: Compositions | None = None
        self._drawn: tuple[Any, ...] = ()
        self._build_view()
        self._build_settings()
        self._connect()

    # --- building ----------------------------------------------------------------------------

    def _build_view(self) -> None:
        self.entry_box.setToolTip("Which spectrum's composition is shown; or all side by side")
        self.entry_box.setAccessibleName("composition shown")
        self.entry_box.setMinimumContentsLength(22)
        self.unit_box.addItems(list(UNITS))
        self.unit_box.setToolTip("Unit of every value, error and limit in the table")
        self.unit_box.setAccessibleName("unit of the compositions")
        copy = QPushButton("Copy table")
        copy.setToolTip("Copy the whole table for a spreadsheet (Ctrl+C in the table: selection)")
        copy.clicked.connect(lambda: self.table.copy(everything=True))
        export = QPushButton("Export table…")
        export.setToolTip("Write every composition into one CSV file, as `endmember run` does")
        export.clicked.connect(self._ask_export_table)
        figure = QPushButton("Export fit…")
        figure.setToolTip("Write the spectrum with its fit as SVG, PNG, CSV or MSA")
        figure.clicked.connect(self._ask_export_fit)
        row = QHBoxLayout()
        for widget in (self.entry_box, self.unit_box):
            row.addWidget(widget)
        row.addStretch(1)
        for button in (copy, export, figure):
            row.addWidget(button)
        self.title_line.setProperty("role", "muted")
        self.title_line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.table)
        self.splitter.addWidget(self.fit_view)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([260, 300])
        full = QWidget()
        layout = QVBoxLayout(full)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.title_line)
        layout.addWidget(self.splitter, 1)
        self.empty = QLabel()
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("role", "muted")
        self.stack = QStackedLayout(self.body)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(full)

    def _build_settings(self) -> None:
        layout = QVBoxLayout(self.settings)
        self.poisson = QCheckBox("show the Poisson-only error of the paper")
        self.k_column = QCheckBox("show k-factor and absorption")
        self.k_column.setChecked(True)
        self.k_factors = QLabel()
        self.k_factors.setWordWrap(True)
        choose, computed = QPushButton("File…"), QPushButton("Computed")
        choose.setToolTip("Read k-factors from a CSV file: element, line, k, basis")
        computed.setToolTip("Compute the k-factors from ionisation cross sections")
        choose.clicked.connect(self._ask_k_factors)
        computed.clicked.connect(
            lambda: self.workspace.edit(edits.set_quantification, k_factors="computed")
        )
        buttons = QHBoxLayout()
        buttons.addWidget(computed)
        buttons.addWidget(choose)
        self.reference = QComboBox()
        self.reference.setToolTip("Element to which the k-factors in the table refer")
        self.reference.setAccessibleName("reference element of the k-factors")
        form = QFormLayout()
        form.addRow("k relative to", self.reference)
        self.notes = remark()
        self.detection = remark(DETECTION)
        for part in (
            heading("Columns"),
            self.poisson,
            self.k_column,
            heading("k-factors"),
            self.k_factors,
        ):
            layout.addWidget(part)
        layout.addLayout(buttons)
        layout.addLayout(form)
        for part in (heading("This composition"), self.notes, heading("States"), self.detection):
            layout.addWidget(part)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.entry_box.activated.connect(lambda _: self._draw())
        self.unit_box.textActivated.connect(lambda _: self._draw())
        self.poisson.toggled.connect(lambda _: self._hide_columns())
        self.k_column.toggled.connect(lambda _: self._hide_columns())
        self.reference.textActivated.connect(
            lambda text: self.workspace.edit(
                edits.set_quantification, reference=None if text == STRONGEST else text
            )
        )
        self.table.element_chosen.connect(self._choose_element)
        self.table.reset_asked.connect(self.fit_view.fit)
        THEME.changed.connect(self._draw_again)

    # --- showing -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the newest compositions; grey while they are being made anew."""
        shown = self.workspace.shown("quantification")
        self.show_state(shown)
        if shown.value is None:
            self._found = None
            self.empty.setText(self._why_empty())
            self.stack.setCurrentIndex(0)
            return
        self.stack.setCurrentIndex(1)
        if shown.value is not self._found:
            self._before, self._found = self._found, shown.value
            self._list_entries()
        self._show_settings()
        self._draw()

    def _why_empty(self) -> str:
        recipe = self.workspace.recipe
        if recipe is not None and not recipe.sample.elements:
            return "Choose the elements of the sample on the Map page; then the table fills itself."
        return "The table is there as soon as the steps before it are done."

    def _list_entries(self) -> None:
        assert self._found is not None
        titles = [entry_title(entry) for entry in self._found.entries] + [COMPARE]
        if titles != [self.entry_box.itemText(i) for i in range(self.entry_box.count())]:
            before = self.entry_box.currentText()
            self.entry_box.clear()
            self.entry_box.addItems(titles)
            if before in titles:
                self.entry_box.setCurrentText(before)

    @property
    def unit(self) -> Unit:
        """The unit chosen."""
        return UNITS[cast(UnitName, self.unit_box.currentText())]

    @property
    def entry(self) -> Entry | None:
        """The entry chosen; None while all are compared."""
        index = self.entry_box.currentIndex()
        if self._found is None or not 0 <= index < len(self._found.entries):
            return None
        return self._found.entries[index]

    def _draw_again(self) -> None:
        self._drawn = ()
        self._draw()

    def _draw(self) -> None:
        if self._found is None:
            return
        asked = (self._found, self._before, self.entry_box.currentText(), self.unit)
        if asked == self._drawn:
            return
        self._drawn = asked
        entry = self.entry
        if entry is None:
            self._draw_comparison()
        else:
            self._draw_entry(entry)
        self._hide_columns()

    def _draw_entry(self, entry: Entry) -> None:
        rows = entry.composition.rows
        old = self._row_before(entry)
        cells = [row_cells(row, self.unit, old.get(row.element)) for row in rows]
        heads = headers(self.unit, entry.composition.reference)
        self.table.show_table(heads, cells, [row.element for row in rows])
        pixels = f"{entry.pixels:,} pixels; "
        self.title_line.setText(f"{entry_title(entry)}; {pixels}{fit_sentence(entry)}")
        self.title_line.setToolTip(self.title_line.text())
        self.fit_view.show_entry(entry, self.workspace.focus.element, title=False)
        self.notes.setText("\n".join(f"• {note}" for note in notes(entry)))

    def _row_before(self, entry: Entry) -> dict[str, Any]:
        """The rows of the same entry in the result before this one."""
        if self._before is None:
            return {}
        for old in self._before.entries:
            if entry_key(old) == entry_key(entry):
                return {row.element: row for row in old.composition.rows}
        return {}

    def _draw_comparison(self) -> None:
        assert self._found is not None
        entries = [e for e in self._found.entries if e.source != "mixture"]
        self.table.show_table(*comparison(entries, self.unit))
        self.title_line.setText(f"all phases and regions in {self.unit.name}; errors from counting")
        self.notes.setText("")

    def _hide_columns(self) -> None:
        single = self.entry is not None
        for column in range(len(self.table.cells.heads)):
            hidden = False
            if single:
                hidden = (column == POISSON and not self.poisson.isChecked()) or (
                    column in (K_FACTOR, K_FACTOR + 1) and not self.k_column.isChecked()
                )
            self.table.setColumnHidden(column, hidden)

    def _show_settings(self) -> None:
        recipe = self.workspace.recipe
        if recipe is None:
            return
        file = recipe.quantification.k_factors
        self.k_factors.setText(
            "computed from ionisation cross sections, detector included"
            if file == "computed"
            else f"from {Path(file).name}"
        )
        self.k_factors.setToolTip(file)
        names = [STRONGEST, *recipe.sample.elements]
        if names != [self.reference.itemText(i) for i in range(self.reference.count())]:
            self.reference.clear()
            self.reference.addItems(names)
        self.reference.setCurrentText(recipe.quantification.reference or STRONGEST)

    def _choose_element(self, element: str) -> None:
        self.workspace.look(element=element)
        entry = self.entry
        if entry is not None:
            self.fit_view.show_entry(entry, element, title=False)
            self.fit_view.zoom_to_element(element)

    def fit(self) -> None:
        """Show the whole spectrum."""
        self.fit_view.fit()

    def key_tool(self, letter: str) -> bool:
        """L: log scale."""
        if letter == "L":
            self.fit_view.set_log(not self.fit_view.is_log())
        return letter == "L"

    # --- files -------------------------------------------------------------------------------

    def _ask_k_factors(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self.view, "k-factors", "", "k-factors (*.csv);;All files (*)"
        )
        if name:
            self.workspace.edit(edits.set_quantification, k_factors=str(Path(name).resolve()))

    def _ask_export_table(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self.view, "Export table", "composition.csv", "CSV (*.csv)"
        )
        if name:
            self.export_table(Path(name).with_suffix(".csv"))

    def export_table(self, path: Path) -> None:
        """Write all compositions, the same file as `endmember run` writes."""
        from endmember.files.composition_table import Heading, write_composition_csv
        from endmember.files.folders import complete_file

        assert self._found is not None
        table = [
            (Heading(e.phase, e.source, e.map, e.pixels, e.label), e.composition)
            for e in self._found.entries
        ]
        self._written(path, lambda part: write_composition_csv(part, table), complete_file)

    def _ask_export_fit(self) -> None:
        if self.entry is None:
            self.workspace.say("warning", "choose one composition first: then its fit is exported")
            return
        name, _ = QFileDialog.getSaveFileName(
            self.view,
            "Export spectrum with fit",
            f"{self.entry.phase}.svg",
            "Figure (*.svg);;Figure (*.png);;Table (*.csv);;Spectrum (*.msa)",
        )
        if name:
            self.export_fit(Path(name))

    def export_fit(self, path: Path) -> None:
        """Write the spectrum with its fit; the ending chooses svg, png, csv or msa."""
        from endmember.files.exporting import write_spectrum_csv, write_spectrum_msa
        from endmember.files.folders import complete_file

        entry = self.entry
        assert entry is not None
        fit = entry.composition.fit
        covariance = fit.spectrum.covariance
        deviation = np.sqrt(fit.variance if covariance is None else covariance.variance)
        writers = {
            ".svg": self.fit_view.figure_svg,
            ".png": self.fit_view.figure_png,
            ".msa": lambda part: write_spectrum_msa(part, fit.spectrum, entry_title(entry)),
            ".csv": lambda part: write_spectrum_csv(
                part, fit.spectrum, deviation, fit.fitted, fit.background
            ),
        }
        writer = writers.get(path.suffix.lower())
        if writer is None:
            self.workspace.say(
                "warning", f"{path.name}: end the name with .svg, .png, .csv or .msa"
            )
            return
        self._written(path, writer, complete_file)

    def _written(self, path: Path, write: Any, complete_file: Any) -> None:
        try:
            with complete_file(path) as part:
                write(part)
        except (ValueError, OSError) as error:
            self.workspace.say("error", f"{path} was not written: {error}")
        else:
            self.workspace.say("info", f"written: {path}")


STRONGEST = "strongest line"
