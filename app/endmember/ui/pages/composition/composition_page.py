"""Compositions: the table of a phase, its fit, copying and export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QStackedWidget,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from endmember.session.results.result_tables import FILES
from endmember.session.steps.chain import FROM_COMPOSITIONS
from endmember.session.views.composition_tables import (
    TITLES,
    Asked,
    TableKind,
    is_written,
    table_of,
    with_key,
)
from endmember.session.views.composition_view import (
    UNITS,
    Unit,
    UnitName,
    entry_title,
    fit_sentence,
    notes,
)
from endmember.ui.document.page import Page
from endmember.ui.document.workspace import Shown, Workspace
from endmember.ui.pages.composition.composition_entries import EntryBox
from endmember.ui.pages.composition.composition_export import (
    FIT_FILTERS,
    TABLE_FILTER,
    named,
    write_fit,
    write_table,
)
from endmember.ui.pages.composition.composition_model import NOTHING
from endmember.ui.pages.composition.composition_settings import CompositionSettings
from endmember.ui.pages.composition.composition_table_view import CompositionTableView
from endmember.ui.pages.composition.formula_basis import FormulaBasisBox
from endmember.ui.spectrum_views.fit_view import FitView
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.inputs import ChoiceBox
from endmember.ui.widgets.theme import THEME

if TYPE_CHECKING:
    from endmember.session.documents.document import Document
    from endmember.session.steps.compositions import Compositions, Entry

LARGEST_TABLE = 0.55  # of the height, at first
TABS: dict[TableKind, str] = {
    "composition": "Concentrations with their errors",
    "detection": "Signal to noise, limits of detection, and what the shape of the background moves",
    "partition": "Partition coefficients: precipitate over matrix",
    "formula": "Atoms per formula unit",
}
STALE = "the compositions are out of date: wait until they are current"


class CompositionPage(Page):
    """The end of the chain, always the numbers of today's recipe or greyed until they are."""

    name = "composition"
    step = "quantification"
    own_spectrum = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.tabs = QTabBar()
        self.entry_box = EntryBox()
        self.basis_box = FormulaBasisBox(workspace)
        self.unit_box = ChoiceBox(
            "Unit of every value, error and limit in the table", "unit of the compositions"
        )
        self.copy_button = QPushButton("Copy")
        self.table_button = QPushButton("Export…")
        self.fit_button = QPushButton("Export fit…")
        self.table = CompositionTableView()
        self.no_table = QLabel()
        self.fit_line = ElidedLabel(greedy=True)
        self.log = QToolButton()
        self.whole = QToolButton()
        self.fit_view = FitView()
        self.options = CompositionSettings(self.workspace)
        self._document: Document | None = None
        self._found: Compositions | None = None
        self._before: Compositions | None = None
        self._drawn: tuple[Any, ...] = ()
        self._fit_drawn: tuple[Any, ...] = ()
        self._sized_for = 0
        self._build_view()
        self._build_settings()
        self._connect()

    # --- building ----------------------------------------------------------------------------

    def _build_view(self) -> None:
        preferences = self.workspace.preferences
        unit = "at.%" if preferences is None else preferences.table_unit
        self.unit_box.show_choices([(text, text) for text in UNITS], unit)
        self.unit_box.setMinimumContentsLength(6)
        self._build_tabs()
        name(
            self.copy_button,
            "Copy the whole table for a spreadsheet (Ctrl+C in the table: the selection)",
            "copy table",
        )
        name(
            self.fit_button,
            "Write the spectrum with its fit as SVG, PNG, CSV or MSA",
            "export spectrum with fit",
        )
        row = QHBoxLayout()
        row.addWidget(self.entry_box, 20)
        row.addWidget(self.unit_box)
        row.addWidget(self.basis_box)
        self.basis_box.hide()  # until it is asked for: the window would widen for both
        row.addStretch(1)
        for button in (self.copy_button, self.table_button, self.fit_button):
            row.addWidget(button)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.top = QStackedWidget()
        self.top.addWidget(self.table)
        self.top.addWidget(self.no_table)
        self.splitter.addWidget(self.top)
        self.splitter.addWidget(self._below())
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.splitterMoved.connect(lambda *_: setattr(self, "_sized_for", -1))
        full = QWidget()
        layout = QVBoxLayout(full)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.tabs)
        layout.addLayout(row)
        layout.addWidget(self.splitter, 1)
        self.empty = QLabel()
        for label in (self.empty, self.no_table):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setProperty("role", "muted")
        self.stack = QStackedLayout(self.body)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(full)

    def _build_tabs(self) -> None:
        self.tabs.setAccessibleName("table shown")
        self.tabs.setToolTip("Which table is shown (arrow keys)")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for index, (kind, says) in enumerate(TABS.items()):
            self.tabs.addTab(TITLES[kind])
            self.tabs.setTabToolTip(index, says)
        preferences = self.workspace.preferences
        if preferences is not None:
            self.tabs.setCurrentIndex(list(TABS).index(preferences.table_kind))

    def _below(self) -> QWidget:
        """The fit, with what is said of it above."""
        self.fit_line.setProperty("role", "muted")
        self.fit_line.setAccessibleName("quality of the fit")
        self.log.setText("log")
        self.log.setCheckable(True)
        name(self.log, "Logarithmic counts (L)", "logarithmic counts")
        self.whole.setText("whole spectrum")
        name(self.whole, "Show all energies (Ctrl+F)", "show the whole spectrum")
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.fit_line, 1)
        row.addWidget(self.log)
        row.addWidget(self.whole)
        below = QWidget()
        layout = QVBoxLayout(below)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.fit_view, 1)
        return below

    def _build_settings(self) -> None:
        layout = QVBoxLayout(self.settings)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(self.options)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(lambda _: self._choose_table())
        self.entry_box.activated.connect(lambda _: self._choose_entry())
        self.unit_box.activated.connect(lambda _: self._choose_unit())
        self.copy_button.clicked.connect(lambda: self.table.copy(everything=True))
        self.table_button.clicked.connect(self._ask_export_table)
        self.fit_button.clicked.connect(self._ask_export_fit)
        self.table.chosen.connect(self._choose_cell)
        self.table.reset_asked.connect(self.fit_view.fit)
        self.table.copy_refused.connect(lambda: self.workspace.say("warning", STALE))
        self.log.toggled.connect(self.fit_view.set_log)
        self.fit_view.log_changed.connect(self.log.setChecked)
        self.whole.clicked.connect(self.fit_view.fit)
        self.fit_view.energy_hovered.connect(self.workspace.energy_moved)
        self.options.columns_changed.connect(self._draw)
        THEME.changed.connect(self._draw_again)

    # --- showing -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the newest compositions; grey while they are being made anew."""
        recipe = self.workspace.recipe
        if recipe is None:
            return
        if self.workspace.document is not self._document:
            self._document, self._found, self._before = self.workspace.document, None, None
        # one result for all maps: asked for by the first, so that it is the same for any map
        shown = self.workspace.shown("quantification", recipe.map_names[0])
        self._tell(shown)
        self.options.show_recipe(recipe, shown.value if shown.current else None)
        if shown.value is None:
            self.empty.setText(self._why_empty(shown))
            self.options.show_notes([])
            self._fit_drawn = ()
            self.stack.setCurrentIndex(0)
            return
        self.stack.setCurrentIndex(1)
        found: Compositions = shown.value
        if found is not self._found:
            self._before, self._found = self._found, found
        self.entry_box.show_entries(found.entries, recipe, self.workspace.focus)
        self._draw()

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._document = self._found = self._before = None
        self._drawn = self._fit_drawn = ()

    def _tell(self, shown: Shown) -> None:
        """A failure of the step, or of single precipitates; what is out of date is greyed."""
        self.show_state(shown)
        if shown.current and shown.value.failures:
            self.banner.set("warning", "\n".join(shown.value.failures.values()))
        elif shown.current and (failures := self._failures_after()):
            self.banner.set("warning", "\n".join(failures), "Run again")
        self.table.current = shown.current
        self.copy_button.setEnabled(shown.current)
        self.fit_button.setEnabled(shown.current)

    def _failures_after(self) -> list[str]:
        """Why something made from the compositions is missing."""
        recipe = self.workspace.recipe
        assert recipe is not None
        shown = (self.workspace.shown(step, recipe.map_names[0]) for step in FROM_COMPOSITIONS)
        return list(dict.fromkeys(s.failure for s in shown if s.failure is not None))

    def _why_empty(self, shown: Shown) -> str:
        recipe = self.workspace.recipe
        if recipe is not None and not recipe.sample.elements:
            return "Choose the elements of the sample on the Map page; then the table fills itself."
        if shown.failure is not None:
            return "There is no composition yet: see the message above."
        return "The table is there as soon as the steps before it are done."

    @property
    def kind(self) -> TableKind:
        """Which table is shown."""
        return list(TABS)[max(self.tabs.currentIndex(), 0)]

    @property
    def unit(self) -> Unit:
        """The unit chosen."""
        return UNITS[cast(UnitName, self.unit_box.value)]

    @property
    def entry(self) -> Entry | None:
        """The entry whose fit is shown; while all are compared, that of the column looked at."""
        if self._found is None:
            return None
        if self._is_side_by_side:
            entries = self.table.cells.table.entries
            column = max(self.table.currentIndex().column(), 0) + 1
            return entries[min(column, len(entries) - 1)]
        chosen = with_key(self._found, self.entry_box.value)
        return chosen or next(iter(self._found.entries), None)

    @property
    def _is_side_by_side(self) -> bool:
        """Whether the columns of the table belong to several entries."""
        return len(set(map(id, self.table.cells.table.entries))) > 1

    def _draw_again(self) -> None:
        self.entry_box.colour()
        self._drawn = self._fit_drawn = ()
        self._draw()

    def _draw(self) -> None:
        if self._found is None:
            return
        hidden = self.options.hidden_columns
        asked = self._asked()
        self.table_button.setEnabled(self.table.current and is_written(asked))
        if (asked, hidden) != self._drawn:
            self._drawn = (asked, hidden)
            self._dress(asked)
            table = table_of(asked)
            self.top.setCurrentIndex(int(isinstance(table, str)))
            if isinstance(table, str):
                self.no_table.setText(table)
                table = NOTHING
            self.table.hide_columns(hidden)
            self.table.show_table(table, self.workspace.focus.element)
            self._share_height()
        self._draw_fit()

    def _asked(self) -> Asked:
        recipe, found = self.workspace.recipe, self._found
        assert recipe is not None
        assert found is not None
        return Asked(
            kind=self.kind,
            entry=with_key(found, self.entry_box.value),
            found=found,
            before=self._before,
            unit=self.unit,
            instrument=self.options.instrument.isChecked(),
            spreads=self._further("background_spread"),
            partitions=self._further("partition"),
            bases=recipe.sample.formula_unit,
            phase=self.entry_box.compared_phase,
            errors=self.workspace.on_request.known_errors(found),
        )

    def _further(self, step: str) -> Any:
        """What a step made from the compositions shown, or its failure; None until it is there."""
        recipe = self.workspace.recipe
        assert recipe is not None
        first = recipe.map_names[0]
        # a page out of sight may still show the compositions of an earlier recipe
        if self.workspace.result("quantification", first) is not self._found:
            return None
        shown = self.workspace.shown(step, first)
        return shown.value if shown.current else shown.failure

    def _dress(self, asked: Asked) -> None:
        """What belongs to the kind of table that is shown."""
        formula = asked.kind == "formula"
        self.unit_box.setVisible(not formula)
        self._show_units(asked.kind)
        self.basis_box.setVisible(formula)
        if formula and self.workspace.recipe is not None:
            entry = asked.entry
            phase = None if entry is None or entry.source == "mixture" else entry.phase
            self.basis_box.show_phase(phase, self.workspace.recipe)
        self.options.show_kind(asked.kind)
        name(
            self.table_button,
            f"Write this table of every composition into one file, the {FILES[asked.kind]} of "
            "`endmember run`",
            "export table",
        )

    def _show_units(self, kind: TableKind) -> None:
        """A ratio of two phases has no unit, but is one of atoms or of weights."""
        unit = self.unit.name
        if kind == "partition":
            by_weight = UNITS[unit].value != "atomic_percent"
            ratios = [("by atoms", "at.%"), ("by weight", "wt.%")]
            self.unit_box.show_choices(ratios, ratios[by_weight][1])
        else:
            self.unit_box.show_choices([(text, text) for text in UNITS], unit)

    def _draw_fit(self) -> None:
        entry, element = self.entry, self.workspace.focus.element
        self.table.mark(element)
        several = self._is_side_by_side
        if entry is None or (entry, element, several) == self._fit_drawn:
            return
        self._fit_drawn = (entry, element, several)
        of = f"{entry_title(entry)}: " if several or self.entry_box.compares else ""
        text = f"{of}{entry.pixels:,} pixels; {fit_sentence(entry)}"
        self.fit_line.set_texts(text, text.partition(", expected")[0])
        self.fit_line.setToolTip(text)
        self.fit_view.show_entry(entry, element)
        self.options.show_notes(notes(entry))

    def _share_height(self) -> None:
        """As much height for the table as its rows ask for, until the person decides."""
        rows = self.table.cells.rowCount()
        if self._sized_for in (-1, rows) or not self.splitter.height():
            return
        self._sized_for = rows
        whole = self.splitter.height()
        wanted = min(self.table.height_of_all(), round(LARGEST_TABLE * whole))
        self.splitter.setSizes([wanted, whole - wanted])

    def fit(self) -> None:
        """Show the whole spectrum."""
        self.fit_view.fit()

    def describe_energy(self, energy_keV: float | None) -> str | None:
        """Counts and fit under the pointer, where it is over the fit."""
        return self.fit_view.describe(energy_keV) if self.fit_view.underMouse() else None

    # --- hands -------------------------------------------------------------------------------

    def _choose_entry(self) -> None:
        self._draw()
        self.workspace.look(precipitate=self.entry_box.keep(self.workspace.focus))

    def _choose_table(self) -> None:
        self._sized_for = 0 if self._sized_for != -1 else -1
        self._draw()
        if self.workspace.preferences is not None:
            self.workspace.preferences.table_kind = self.kind

    def _choose_unit(self) -> None:
        self._draw()
        if self.workspace.preferences is not None:
            self.workspace.preferences.table_unit = self.unit.name

    def _choose_cell(self, row: int, _: int) -> None:
        element = self.table.cells.table.elements[row]
        self.workspace.look(element=element)
        self._draw_fit()
        self.fit_view.zoom_to_element(element)

    def key_tool(self, letter: str) -> bool:
        """L: log scale."""
        if letter == "L":
            self.log.setChecked(not self.log.isChecked())
        return letter == "L"

    # --- files -------------------------------------------------------------------------------

    def _folder(self) -> Path:
        preferences = self.workspace.preferences
        return Path() if preferences is None else preferences.last_folder

    def _ask_export_table(self) -> None:
        start = str(self._folder() / FILES[self.kind])
        chosen, _ = QFileDialog.getSaveFileName(self.view, "Export table", start, TABLE_FILTER)
        if chosen:
            self._write(chosen, ".csv", (".csv",), self.export_table)

    def export_table(self, path: Path) -> None:
        """Write the table shown, of all compositions: the same file as `endmember run` writes."""
        assert self.workspace.session is not None
        write_table(path, self.workspace.session, self.kind)

    def _ask_export_fit(self) -> None:
        entry = self.entry
        if entry is None:
            return
        file_name = entry_title(entry).replace("/", "-")
        start = str(self._folder() / f"{file_name}.svg")
        chosen, kind = QFileDialog.getSaveFileName(
            self.view, "Export spectrum with fit", start, ";;".join(FIT_FILTERS)
        )
        if chosen:
            known = tuple(FIT_FILTERS.values())
            self._write(chosen, FIT_FILTERS.get(kind, ".svg"), known, self.export_fit)

    def export_fit(self, path: Path) -> None:
        """Write the spectrum with its fit; the ending chooses svg, png, csv or msa."""
        assert self.entry is not None
        write_fit(path, self.entry, self.fit_view)

    def _write(
        self, chosen: str, ending: str, known: tuple[str, ...], write: Callable[[Path], None]
    ) -> None:
        try:
            path = named(chosen, ending, known)
            write(path)
        except ValueError as error:  # names the file itself
            self.workspace.say("error", str(error))
            return
        except OSError as error:
            self.workspace.say("error", f"{chosen} was not written: {error.strerror or error}")
            return
        self.workspace.say("info", f"written: {path}")
        if self.workspace.preferences is not None:
            self.workspace.preferences.last_folder = path.resolve().parent
