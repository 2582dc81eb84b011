"""How many components, by which method, and how well the decomposition came to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Recipe
from endmember.session.views.component_views import convergence_sentence, loss_curve
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.page import Veil, remark
from endmember.ui.document.workspace import Shown, Workspace
from endmember.ui.pages.components.scree_plot import LossPlot, ScreePlot
from endmember.ui.widgets.dialog import name, set_look
from endmember.ui.widgets.inputs import ChoiceBox, SeedBox, SmoothingBox, WholeBox
from endmember.ui.widgets.messages import breakable
from endmember.ui.widgets.section import Section

if TYPE_CHECKING:
    from endmember.core.unmixing.decomposition import Decomposition

MOST_COMPONENTS = 100
LARGEST_SMOOTHING_PX = 20.0
SCALED = (
    "Counts scaled for Poisson noise (Keenan & Kotula 2004), not centred: not explained variance."
)
METHODS = {
    "poisson": (
        "Poisson likelihood",
        "Maximises the Poisson likelihood of the counts as they are: right for few counts.",
    ),
    "frobenius": (
        "least squares",
        "Least squares on the counts scaled for Poisson noise, as in the paper.",
    ),
}
SCREE_WAITS = "The scree plot is there once the map is read."


class ComponentSettings(QWidget):
    """Every change goes into the recipe at once, and the maps are decomposed anew."""

    smoothing_changed = pyqtSignal(float)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.edits = GestureEdits(workspace)
        self.scree = ScreePlot()
        self.scree_veil = Veil(self.scree)
        self.scree_told = QLabel()
        self.scree_told.setWordWrap(True)
        self.components = WholeBox(
            "How many components the maps are split into; or click a point of the scree plot",
            "number of components",
        )
        self.components.setRange(1, MOST_COMPONENTS)
        self.method = ChoiceBox("How the components are found", "method of the decomposition")
        self.method_told = remark()
        self.joint = QCheckBox("all maps together")
        name(
            self.joint,
            "One set of component spectra for all maps of the recipe; otherwise each map has its "
            "own, with numbers of its own",
            "decompose all maps together",
        )
        self.seed = SeedBox("Seed of the random start; the same seed gives the same components")
        self.loss = LossPlot()
        self.loss_veil = Veil(self.loss)
        self.converged = QLabel()
        self.converged.setWordWrap(True)
        self.smoothing = SmoothingBox(
            "σ of a Gaussian, in pixels of the map, that smooths the maps on this page for the "
            "eye; nothing is computed from smoothed maps",
            "smoothing for display in pixels",
            LARGEST_SMOOTHING_PX,
        )
        self._loss_of: Any = None
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        number, how = QFormLayout(), QFormLayout()
        eyes = QFormLayout()
        for form in (number, how, eyes):
            form.setContentsMargins(0, 0, 0, 0)
            form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        number.addRow("Components", self.components)
        how.addRow("Method", self.method)
        how.addRow(self.method_told)
        how.addRow("Maps", self.joint)
        how.addRow("Seed", self.seed)
        eyes.addRow("Smoothing σ", self.smoothing)
        self.sections = {
            "number": Section("Number of components"),
            "how": Section("Decomposition"),
            "end": Section("Convergence"),
            "eyes": Section("Display"),
        }
        for part in (number, self.scree, self.scree_told, remark(SCALED)):
            self.sections["number"].add(part)
        self.sections["how"].add(how)
        self.sections["end"].add(self.converged)
        self.sections["end"].add(self.loss)
        self.sections["eyes"].add(eyes)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        for section in self.sections.values():
            layout.addWidget(section)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.components.valueChanged.connect(lambda n: self._set("components", components=n))
        self.components.editingFinished.connect(self.edits.end)
        self.scree.chosen.connect(lambda n: self._set(None, components=n))
        self.method.activated.connect(
            lambda index: self._set(None, method=self.method.value_at(index))
        )
        self.joint.toggled.connect(lambda on: self._set(None, joint=on))
        self.seed.valueChanged.connect(lambda n: self._set("seed", seed=n))
        self.seed.editingFinished.connect(self.edits.end)
        self.smoothing.valueChanged.connect(self.smoothing_changed)

    def _set(self, gesture: str | None, **settings: Any) -> None:
        self.edits.edit(gesture, edits.set_decomposition, **settings)

    # --- showing -----------------------------------------------------------------------------

    def show_recipe(self, recipe: Recipe) -> None:
        """Show how the recipe decomposes."""
        settings = recipe.decomposition
        self.components.show_value(settings.components)
        self.method.show_choices(
            [(title, key) for key, (title, _) in METHODS.items()], settings.method
        )
        self.method_told.setText(METHODS[settings.method][1])
        self.joint.blockSignals(True)
        self.joint.setChecked(settings.joint)
        self.joint.blockSignals(False)
        several = len(recipe.maps) > 1
        self.joint.setEnabled(several)
        self.joint.setText("all maps together" if several else "only one map")
        self.seed.show_value(settings.seed)

    def show_scree(self, shown: Shown, components: int) -> None:
        """Show the eigenvalues, which are there before the components."""
        scree = shown.value
        self.scree.show_scree(scree, components)
        self.scree.setVisible(scree is not None)
        stale = scree is not None and not shown.current
        self.scree_veil.cover("out of date" if stale else None)
        if shown.failure is not None:
            text, role = shown.failure, "error"
        elif scree is None:
            text, role = SCREE_WAITS, "muted"
        else:
            text, role = _told(scree.suggested, scree.noise_level, components)
        _say(self.scree_told, text, role)

    def show_convergence(self, found: Decomposition | None, current: bool) -> None:
        """Show how the loss fell, and say aloud where it did not come to its end."""
        self.sections["end"].setVisible(found is not None)
        self.loss_veil.cover(None if current else "out of date")
        if found is None or found is self._loss_of:
            return
        self._loss_of = found
        self.loss.show_losses(*loss_curve(found))
        _say(self.converged, convergence_sentence(found), "good" if found.converged else "warning")


def _told(suggested: int, noise_level: float, components: int) -> tuple[str, str]:
    several = "eigenvalues lie" if suggested != 1 else "eigenvalue lies"
    text = (
        f"{suggested} {several} above {noise_level:.3g}, the most that counting noise alone "
        "reaches. "
    )
    if components > suggested:
        more = components - suggested
        return text + f"{more} of the components may show noise.", "warning"
    if components < suggested:
        return text + f"With {components}, one component may mix what differs.", "muted"
    return text + "So many are chosen.", "muted"


def _say(label: QLabel, text: str, role: str) -> None:
    label.setText(breakable(text))
    set_look(label, "role", role)
