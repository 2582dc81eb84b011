"""The settings of how areas become concentrations: k-factors, oxygen, the detector, its peaks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PyQt6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from endmember.core.xrays.k_factors import HAND_REFERENCE
from endmember.core.xrays.oxides import valence_of
from endmember.session.decisions.quantification_edits import (
    set_k_factor,
    set_quantification,
    set_valence,
    why_not_by_stoichiometry,
)
from endmember.session.decisions.recipe import Quantification, Recipe
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.page import remark
from endmember.ui.document.recipe_section import RecipeSection
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.composition.detector_settings import DetectorSection, PeakSection
from endmember.ui.pages.composition.hand_table import HandRow, HandTable
from endmember.ui.pages.composition.k_factor_dialog import FILTER, use_k_factors
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.inputs import ChoiceBox
from endmember.ui.widgets.section import Section

COMPUTED = "computed"
STRONGEST = "strongest line"
COMPUTED_FROM = ("computed from cross sections, with detector", "computed, with detector")
_BASES = {None: "", "weight": "by weight", "atomic": "by atoms"}
_DEFINITIONS = {None: "", "alpha": "of the alpha line", "family": "of the whole family"}
_OXYGEN_TIP = (
    "Oxygen from its own line, or as much as the valences of the cations ask for, which needs no "
    "correction of the strongly absorbed O Kα"
)


class KFactorSection(RecipeSection):
    """Where the k-factors come from, what they refer to, and those given by hand."""

    def __init__(self, workspace: Workspace, edits: GestureEdits) -> None:
        super().__init__(workspace, edits, "k-factors")
        self._in_use: Mapping[str, float] = {}
        self.source = ElidedLabel(greedy=True)
        self.source.setAccessibleName("k-factors in use")
        self.stated = ElidedLabel(greedy=True)
        self.stated.setProperty("role", "muted")
        self.stated.setAccessibleName("what was stated about the file of k-factors")
        self.computed = QPushButton("Computed")
        name(self.computed, "Compute the k-factors from ionisation cross sections")
        self.file = QPushButton("File…")
        name(
            self.file,
            "Read k-factors from a file: CSV (element, line, k, basis), Velox CSV, Bruker .esl, or "
            "JSON of line cross sections",
            "k-factors from a file",
        )
        self.reference = ChoiceBox(
            "Element to which the k-factors in the table refer; no value depends on it",
            "reference element of the k-factors",
        )
        self.hand = Section("By hand", opened=False)
        self.table = HandTable(
            "k-factor by hand",
            "k by weight, of the alpha line, detector inside, relative to Si Kα whatever the table "
            "refers to; left empty, the k-factor shown faintly holds",
            "1.62",
            self.hand.heading,
        )
        self._lay_out()
        self.computed.clicked.connect(
            lambda: self.change(None, set_quantification, k_factors=COMPUTED)
        )
        self.file.clicked.connect(self._ask_file)
        self.reference.activated.connect(
            lambda index: self.change(
                None, set_quantification, reference=self.reference.value_at(index)
            )
        )
        self.table.given.connect(lambda e, k: self.change(None, set_k_factor, e, k))
        self.table.refused.connect(lambda text: workspace.say("error", text))

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.computed)
        buttons.addWidget(self.file)
        form = QFormLayout()
        form.addRow("k relative to", self.reference)
        self.hand.add(remark("relative to Si, by weight, of the alpha line"))
        self.hand.add(self.table)
        for widget in (self.source, self.stated):
            self.add(widget)
        self.add(buttons)
        self.add(form)
        self.add(self.hand)

    def show_recipe(self, recipe: Recipe, in_use: Mapping[str, float] | None = None) -> None:
        """Show the k-factors; `in_use` are those of elements without one by hand, where known."""
        of = recipe.quantification
        self._show_source(of)
        choices: list[tuple[str, object]] = [(STRONGEST, None)]
        choices += [(element, element) for element in recipe.sample.elements]
        self.reference.show_choices(choices, of.reference)
        if in_use is not None:
            self._in_use = dict(in_use)
        by_hand: Mapping[str, float] = of.k_factor or {}
        self.table.show_rows([self._row(e, of) for e in _with_others(recipe, by_hand)])
        self.hand.count("By hand", len(by_hand))

    def _row(self, element: str, of: Quantification) -> HandRow:
        if element == HAND_REFERENCE:
            locked = f"k-factors by hand refer to {element}: its own is 1"
            return HandRow(element, None, "1", locked)
        known = self._in_use.get(element)
        source = COMPUTED if of.k_factors == COMPUTED else "of the file"
        value = None if of.k_factor is None else of.k_factor.get(element)
        return HandRow(element, value, source if known is None else f"{known:.4g}")

    def _show_source(self, of: Quantification) -> None:
        computed = of.k_factors == COMPUTED
        self.computed.setEnabled(not computed)
        stated = [s for s in (_BASES[of.k_factor_basis], _DEFINITIONS[of.k_factor_definition]) if s]
        self.stated.setText(", ".join(stated))
        self.stated.setVisible(bool(stated) and not computed)
        if computed:
            self.source.set_texts(*COMPUTED_FROM)
            self.source.setToolTip(
                "computed from ionisation cross sections, fluorescence yields and the detector"
            )
            return
        self.source.set_texts(f"file {Path(of.k_factors).name}", "")
        self.source.setToolTip(
            f"{of.k_factors}\n"
            f"basis: {_BASES[of.k_factor_basis] or 'as the file says'}\n"
            f"definition: {_DEFINITIONS[of.k_factor_definition] or 'as the file says'}"
        )
        self.stated.setToolTip(f"stated, since the file does not say it: {self.stated.text()}")

    def _ask_file(self) -> None:
        recipe = self.workspace.recipe
        if recipe is None:
            return
        used = recipe.quantification.k_factors
        start = self.folder_of(None if used == COMPUTED else used)
        chosen, _ = QFileDialog.getOpenFileName(self.window(), "k-factors", start, FILTER)
        if chosen:
            use_k_factors(self.workspace, self.window(), Path(chosen).resolve())


class OxygenSection(RecipeSection):
    """Whether oxygen is measured, and the valences of the cations."""

    def __init__(self, workspace: Workspace, edits: GestureEdits) -> None:
        super().__init__(workspace, edits, "Oxygen")
        self.oxygen = ChoiceBox(_OXYGEN_TIP, "oxygen measured or by stoichiometry")
        self.hand = Section("Valences", opened=False)
        self.table = HandTable(
            "valence",
            "Positive charges of the cation, also a mean such as 2.6; for oxides, charge balance "
            "and oxygen by stoichiometry. Left empty, the usual one shown faintly holds",
            "3",
            self.hand.heading,
        )
        self.hand.add(self.table)
        self.add(self.oxygen)
        self.add(self.hand)
        self.oxygen.activated.connect(
            lambda index: self.change(None, set_quantification, oxygen=self.oxygen.value_at(index))
        )
        self.table.given.connect(lambda e, v: self.change(None, set_valence, e, v))
        self.table.refused.connect(lambda text: workspace.say("error", text))

    def show_recipe(self, recipe: Recipe) -> None:
        """Show how much oxygen there is taken to be, and the valences."""
        of = recipe.quantification
        self.oxygen.show_choices(
            [("measured by its line", "measured"), ("by stoichiometry", "stoichiometry")], of.oxygen
        )
        why_not = why_not_by_stoichiometry(recipe)
        # whatever a recipe says, there is a way back to measured
        self.oxygen.setEnabled(not why_not or of.oxygen != "measured")
        self.oxygen.setToolTip(f"Not by stoichiometry: {why_not}" if why_not else _OXYGEN_TIP)
        valences: Mapping[str, float] = of.valence or {}
        rows = []
        for element in _with_others(recipe, valences):
            usual = valence_of(element)
            otherwise = "none is usual" if usual is None else f"{usual:g}"
            if element != "O":
                rows.append(HandRow(element, valences.get(element), otherwise))
        self.table.show_rows(rows)
        self.hand.set_title(f"Valences ({len(valences)} by hand)" if valences else "Valences")


class QuantificationSettings(QWidget):
    """Every change goes into the recipe at once."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        edits = GestureEdits(workspace)
        self.factors = KFactorSection(workspace, edits)
        self.oxygen = OxygenSection(workspace, edits)
        self.detector = DetectorSection(workspace, edits)
        self.peaks = PeakSection(workspace, edits)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for section in (self.factors, self.oxygen, self.detector, self.peaks):
            layout.addWidget(section)

    def show_recipe(self, recipe: Recipe, in_use: Mapping[str, float] | None = None) -> None:
        """Show the recipe; `in_use` are the k-factors without hands, relative to Si, if known."""
        self.factors.show_recipe(recipe, in_use)
        for section in (self.oxygen, self.detector, self.peaks):
            section.show_recipe(recipe)


def _with_others(recipe: Recipe, numbers: Mapping[str, float]) -> list[str]:
    """The elements quantified, then those that have a number all the same: none is hidden."""
    elements = recipe.sample.elements
    return [*elements, *(element for element in numbers if element not in elements)]
