"""The settings of the masks: precipitates, what is drawn, smoothing, and what the words mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PyQt6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Box, Recipe
from endmember.session.views.precipitate_rectangles import analysed_box
from endmember.ui.document.page import heading, remark
from endmember.ui.document.workspace import Workspace
from endmember.ui.pages.masks.drawing_panel import DrawnRow, RectanglePanel, StrokePanel
from endmember.ui.pages.masks.mask_drawing import Key, MaskDrawing
from endmember.ui.pages.masks.mask_texts import EXPLANATION, Results, rectangle_text
from endmember.ui.pages.masks.precipitate_list import PrecipitateRow
from endmember.ui.pages.masks.precipitate_panel import Found, PrecipitatePanel
from endmember.ui.widgets.inputs import SeedBox, SmoothingBox
from endmember.ui.widgets.messages import breakable

LARGEST_SMOOTHING_PX = 1000.0


class MaskSettings(QWidget):
    """Everything beside the maps; the keyboard reaches here what the mouse draws there."""

    def __init__(self, workspace: Workspace, drawing: MaskDrawing) -> None:
        super().__init__()
        self.workspace = workspace
        self.drawing = drawing
        self.precipitates = PrecipitatePanel(workspace)
        self.rectangles = RectanglePanel()
        self.strokes = StrokePanel()
        self.smoothing = SmoothingBox(
            "σ of the Gaussian that smooths the component maps before they are cut, in pixels "
            "of the map",
            "smoothing in pixels",
            LARGEST_SMOOTHING_PX,
        )
        self.seed = SeedBox("Seed of the random numbers of GrabCut")
        self.warnings = QLabel()
        self.warnings.setWordWrap(True)
        self.warnings.setProperty("role", "warning")
        self._lay_out()
        self._connect()
        self.setVisible(False)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Smoothing σ", self.smoothing)
        form.addRow("Seed", self.seed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self.precipitates)
        layout.addWidget(self.warnings)
        layout.addWidget(self.rectangles)
        layout.addWidget(self.strokes)
        last = QVBoxLayout()
        last.setSpacing(4)
        last.addWidget(heading("Segmentation"))
        last.addLayout(form)
        last.addWidget(remark(EXPLANATION))
        layout.addLayout(last)
        layout.addStretch(1)

    def _connect(self) -> None:
        drawing, rectangles, strokes = self.drawing, self.rectangles, self.strokes
        rectangles.list.chosen.connect(drawing.tool.select)
        rectangles.list.removed.connect(self._remove_rectangle)
        rectangles.list.accepted.connect(self._accept)
        rectangles.inputs.changed.connect(self._move)
        rectangles.inputs.finished.connect(drawing.gestures.end)
        rectangles.add.clicked.connect(lambda: drawing.add(self._box()))
        rectangles.remove.clicked.connect(self._remove_rectangle)
        rectangles.suggest.clicked.connect(drawing.suggest)
        rectangles.accept.clicked.connect(self._accept)
        rectangles.accept_all.clicked.connect(drawing.accept_all)
        rectangles.dismiss.clicked.connect(drawing.suggestions.clear)
        strokes.list.chosen.connect(self._mark_stroke)
        strokes.list.removed.connect(self._remove_stroke)
        strokes.remove.clicked.connect(self._remove_stroke)
        strokes.clear.clicked.connect(self._clear_strokes)
        self.smoothing.valueChanged.connect(self._smooth)
        self.smoothing.editingFinished.connect(drawing.gestures.end)
        self.seed.valueChanged.connect(self._seed)
        self.seed.editingFinished.connect(drawing.gestures.end)
        drawing.selection_changed.connect(self.show_rectangles)
        drawing.suggestions_changed.connect(self.show_rectangles)

    # --- what a person does ------------------------------------------------------------------

    def _remove_rectangle(self) -> None:
        if (key := self.drawing.selected) is not None:
            self.drawing.remove(key)

    def _accept(self) -> None:
        if (key := self.drawing.selected) is not None:
            self.drawing.accept(key)

    def _box(self) -> Box:
        """The rectangle that the boxes say."""
        return cast(Box, tuple(round(side) for side in self.rectangles.inputs.frame()))

    def _move(self, _: object) -> None:
        if (key := self.drawing.selected) is not None:
            self.drawing.move(key, self._box())

    def _mark_stroke(self, number: object) -> None:
        self.drawing.mark_stroke(number if isinstance(number, int) else None)
        self.strokes.remove.setEnabled(self.strokes.list.key is not None)

    def _remove_stroke(self) -> None:
        active, number = self.drawing.active, self.strokes.list.key
        if active is not None and isinstance(number, int):
            self.drawing.gestures.edit(
                None, edits.remove_stroke, active.name, self.drawing.map_name, number
            )

    def _clear_strokes(self) -> None:
        if (active := self.drawing.active) is not None:
            self.drawing.gestures.edit(
                None, edits.clear_strokes, active.name, self.drawing.map_name
            )

    def _smooth(self, value: float) -> None:
        self.drawing.gestures.edit("smoothing", edits.set_segmentation, smoothing_px=value)

    def _seed(self, value: int) -> None:
        self.drawing.gestures.edit("seed", edits.set_segmentation, seed=value)

    # --- showing -----------------------------------------------------------------------------

    def refresh(
        self,
        recipe: Recipe,
        results: Results,
        rows: Sequence[PrecipitateRow],
        components: dict[str, int],
    ) -> None:
        """Show what recipe and results say."""
        self.setVisible(True)
        active = self.drawing.active
        automatic = None
        if active is not None and active.component is None:
            automatic = components.get(active.name)
        self.precipitates.refresh(recipe, Found(rows, automatic))
        self.smoothing.show_value(float(recipe.segmentation.smoothing_px))
        self.seed.show_value(recipe.segmentation.seed)
        masks = results.masks
        told = masks.warnings if masks is not None and results.current else ()
        self.warnings.setText(breakable("\n".join(told)))
        self.warnings.setVisible(bool(told))
        strokes = () if active is None else active.strokes_on(self.drawing.map_name)
        self.strokes.show_strokes("" if active is None else active.name, strokes)
        self.drawing.mark_stroke(self._marked(len(strokes)))
        self.show_rectangles()

    def _marked(self, strokes: int) -> int | None:
        key = self.strokes.list.key
        return key if isinstance(key, int) and key < strokes else None

    def show_rectangles(self) -> None:
        """List the rectangles and suggestions, with the selection of the map."""
        ground, active = self.drawing.ground, self.drawing.active
        if ground is None:
            return
        panel, suggested = self.rectangles, self.drawing.suggestions.boxes
        rows = [] if active is None else self._rectangle_rows(ground.results)
        rows += [
            DrawnRow(Key("suggestion", "", number), f"suggestion {_suggestion(number, box)}")
            for number, box in enumerate(suggested)
        ]
        whose = f" of {active.name}" if active is not None else ""
        panel.title.setText(f"Rectangles{whose} on {self.drawing.map_name}, px")
        selected = self.drawing.selected
        panel.list.show_rows(rows, selected)
        panel.list.setVisible(bool(rows))
        box = None if selected is None else self.drawing.box_of(selected)
        if box is not None:
            panel.inputs.set_frame(box)
        elif self._box()[2] <= 1:
            panel.inputs.set_frame(_first_box(analysed_box(ground.results.data)))
        panel.remove.setEnabled(box is not None)
        suggestion = selected is not None and selected.kind == "suggestion"
        panel.accept.setEnabled(suggestion)
        panel.suggest.setEnabled(ground.decomposed is not None)
        for button in (panel.accept, panel.accept_all, panel.dismiss):
            button.setVisible(bool(suggested))

    def _rectangle_rows(self, results: Results) -> list[DrawnRow]:
        active = self.drawing.active
        assert active is not None
        pixels, poor = results.pixels_of(active), results.poor_rectangles(active)
        return [
            DrawnRow(
                Key("rectangle", active.name, number),
                rectangle_text(number, box, pixels[number] if pixels else None, number in poor),
                number in poor,
            )
            for number, box in enumerate(results.boxes_of(active))
        ]


def _suggestion(number: int, box: Box) -> str:
    return rectangle_text(number, box, None, False)


def _first_box(bounds: Box) -> Box:
    """A box in the middle of the map, to begin with."""
    x, y, width, height = bounds
    wide, high = max(width // 8, 1), max(height // 8, 1)
    return x + (width - wide) // 2, y + (height - high) // 2, wide, high
