"""The settings of the detector, and of the peaks that it makes itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtWidgets import QCheckBox, QFileDialog, QFormLayout, QHBoxLayout, QPushButton

from endmember.session.decisions.quantification_edits import set_detector, set_quantification
from endmember.session.decisions.recipe import Recipe
from endmember.ui.document.gesture_edits import GestureEdits
from endmember.ui.document.recipe_section import RecipeSection
from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.dialog import name
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.inputs import NumberBox, WholeBox

CURVE_FILTER = "Efficiency curve (*.csv);;All files (*)"
LARGEST_LAYER = 10_000.0
MOST_SUMS = 99
_FROM_LAYERS = "efficiency from the layers"
_UNUSED = "Not used while the efficiency comes from a file"
_TIPS = {
    "silicon_um": "Thickness of the detector's silicon in µm: photons of high energy go through a "
    "thin one",
    "dead_layer_nm": "Silicon at the front in nm that absorbs without counting: it costs counts of "
    "soft lines such as O Kα",
    "aluminium_nm": "Aluminium contact at the front in nm: it costs counts of soft lines such as "
    "O Kα",
}


def _layer(says: str, accessible: str, unit: str, step: float) -> NumberBox:
    box = NumberBox(says, accessible, unit)
    box.setRange(0.0, LARGEST_LAYER)
    box.setDecimals(1)
    box.setSingleStep(step)
    return box


class DetectorSection(RecipeSection):
    """The layers of a windowless detector, or a file with its whole efficiency."""

    def __init__(self, workspace: Workspace, edits: GestureEdits) -> None:
        super().__init__(workspace, edits, "Detector", opened=False)
        self.source = ElidedLabel(greedy=True)
        self.source.setAccessibleName("efficiency of the detector")
        self.from_layers = QPushButton("Layers")
        name(
            self.from_layers,
            "Work the efficiency out from the layers below",
            "detector from its layers",
        )
        self.file = QPushButton("File…")
        name(
            self.file,
            "Read the efficiency from a CSV file: energy_keV, efficiency (a share, up to 1)",
            "detector curve from a file",
        )
        self.layers = {
            "silicon_um": _layer("", "silicon of the detector in µm", "µm", 50.0),
            "dead_layer_nm": _layer("", "dead layer of the detector in nm", "nm", 5.0),
            "aluminium_nm": _layer("", "aluminium of the detector in nm", "nm", 5.0),
        }
        self._lay_out()
        self.from_layers.clicked.connect(lambda: self.change(None, set_detector, curve=None))
        self.file.clicked.connect(self._ask_curve)
        for key, box in self.layers.items():
            box.valueChanged.connect(partial(self._set_layer, key))

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.from_layers)
        buttons.addWidget(self.file)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, box in zip(
            ("Silicon", "Dead layer", "Aluminium"), self.layers.values(), strict=True
        ):
            form.addRow(text, box)
        self.add(self.source)
        self.add(buttons)
        self.add(form)

    def show_recipe(self, recipe: Recipe) -> None:
        """Show layers or curve."""
        detector = recipe.detector
        curve = detector.curve
        if curve is None:
            self.source.set_texts(_FROM_LAYERS, "")
            self.source.setToolTip(_FROM_LAYERS)
        else:
            self.source.set_texts(f"file {Path(curve).name}", "")
            self.source.setToolTip(curve)
        self.from_layers.setEnabled(curve is not None)
        for key, box in self.layers.items():
            box.show_value(getattr(detector, key))
            box.setEnabled(curve is None)
            box.setToolTip(_TIPS[key] if curve is None else _UNUSED)
        self.set_title(self.title if curve is None else f"{self.title}: curve from a file")

    def _set_layer(self, key: str, value: float) -> None:
        self.change(("detector", key), set_detector, **{key: value})

    def _ask_curve(self) -> None:
        recipe = self.workspace.recipe
        if recipe is None:
            return
        start = self.folder_of(recipe.detector.curve)
        chosen, _ = QFileDialog.getOpenFileName(
            self.window(), "Efficiency of the detector", start, CURVE_FILTER
        )
        if chosen:
            self._use_curve(Path(chosen).resolve())

    def _use_curve(self, file: Path) -> None:
        from endmember.files.k_factors.detector_curve import read_detector_curve

        try:
            read_detector_curve(file)
        except ValueError as error:
            self.workspace.say("error", str(error))
            return
        before = self.workspace.recipe
        self.change(None, set_detector, curve=str(file))
        if self.workspace.recipe is before:  # the file itself may be another one
            self.workspace.renew("subtraction")
        if self.workspace.preferences is not None:
            self.workspace.preferences.last_folder = file.parent


class PeakSection(RecipeSection):
    """Peaks that are no lines of the sample, fitted with them."""

    def __init__(self, workspace: Workspace, edits: GestureEdits) -> None:
        super().__init__(workspace, edits, "Peaks of the detector", opened=False)
        self.escape = QCheckBox("escape peaks")
        name(
            self.escape,
            "Add to each line the peak 1.74 keV below it, of photons whose Si Kα photon left the "
            "detector, in the share that follows from silicon: about 1 % at 2 keV, 0.2 % at 6 keV",
            "fit escape peaks",
        )
        self.fluorescence = QCheckBox("silicon fluorescence")
        name(
            self.fluorescence,
            "Add the Si Kα photons that the detector's own dead layer sends out, in the share that "
            "follows from its thickness; they matter for traces of Si",
            "fit the silicon fluorescence of the detector",
        )
        self.sums = WholeBox(
            "Of how many of the strongest lines the sum peaks are fitted: two photons counted as "
            "one, at high count rates; 0 for none",
            "number of lines that make sum peaks",
        )
        self.sums.setRange(0, MOST_SUMS)
        self.sums.setSpecialValueText("none")
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Sum peaks of", self.sums)
        self.sums.setSuffix(" strongest lines")
        self.add(self.escape)
        self.add(self.fluorescence)
        self.add(form)
        self.escape.clicked.connect(
            lambda on: self.change(None, set_quantification, escape_peaks=on)
        )
        self.fluorescence.clicked.connect(
            lambda on: self.change(None, set_quantification, silicon_fluorescence=on)
        )
        self.sums.valueChanged.connect(
            lambda number: self.change("sum peaks", set_quantification, sum_peaks=number)
        )

    def show_recipe(self, recipe: Recipe) -> None:
        """Show which peaks are fitted."""
        of = recipe.quantification
        self.escape.setChecked(of.escape_peaks)
        self.fluorescence.setChecked(of.silicon_fluorescence)
        self.sums.show_value(of.sum_peaks)
        number = of.escape_peaks + of.silicon_fluorescence + (of.sum_peaks > 0)
        self.count(self.title, number)
