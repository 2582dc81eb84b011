"""The factor of a subtraction: slider, exact box, back to the fitted value, and what is left."""

from __future__ import annotations

from math import floor, log10

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from endmember.session.views.phase_remarks import left_sentence, with_error
from endmember.session.views.phase_views import PhaseView, factor_range
from endmember.ui.pages.phases.factor_slider import FactorSlider
from endmember.ui.widgets.dialog import name, set_look
from endmember.ui.widgets.elided_label import ElidedLabel
from endmember.ui.widgets.inputs import NumberBox

LARGEST = 1e6


class FactorBox(NumberBox):
    """An exact box that tells a run of steps from what is typed."""

    def __init__(self, says: str, accessible: str) -> None:
        super().__init__(says, accessible)
        self.stepping = False

    def stepBy(self, steps: int) -> None:
        """By arrows, keys or wheel."""
        self.stepping = True
        super().stepBy(steps)
        self.stepping = False


class FactorBar(QWidget):
    """Shows the factor of a view and lets it be set.

    `moved` tells every factor while the slider is moved; `chosen` a factor, or None for the fitted
    one, and whether it goes on with a run of steps; `dropped` that the slider was given up.
    """

    moved = pyqtSignal(float)
    chosen = pyqtSignal(object, bool)
    dropped = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.slider = FactorSlider()
        name(
            self.slider,
            "Factor: multiple of the matrix spectrum that is subtracted. Drag, or arrows (0.1 %) "
            "and Page keys (1 %); Esc gives up. The mark is the fitted value with its error (1 σ)",
            "factor, slider",
        )
        self.box = FactorBox("Factor, exactly: type it and press Enter, or step", "factor")
        self.box.setRange(0.0, LARGEST)
        self.fitted = QPushButton("Use fitted")
        self.fitted.setAutoDefault(False)
        name(
            self.fitted,
            "Take the factor at which no net area of the absent element is left, with its error",
            "use the fitted value",
        )
        self.label = QLabel("Factor")
        self.label.setBuddy(self.box)
        self.remark = ElidedLabel()
        self._lay_out()
        self.slider.moved.connect(self._on_moved)
        self.slider.released.connect(lambda factor: self.chosen.emit(self._rounded(factor), False))
        self.slider.dropped.connect(self.dropped)
        self.box.valueChanged.connect(lambda v: self.chosen.emit(v, self.box.stepping))
        self.fitted.clicked.connect(lambda: self.chosen.emit(None, False))
        self.show_view(None)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(2, 0, 2, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(1)
        grid.addWidget(self.label, 0, 0)
        grid.addWidget(self.slider, 0, 1)
        grid.addWidget(self.box, 0, 2)
        grid.addWidget(self.fitted, 0, 3)
        grid.addWidget(self.remark, 1, 0, 1, 4)
        grid.setColumnStretch(1, 1)

    def _rounded(self, factor: float) -> float:
        """To the digits of the box, so that both say the same."""
        return round(factor, self.box.decimals())

    def _on_moved(self, factor: float) -> None:
        self.box.show_value(self._rounded(factor))
        self.moved.emit(self._rounded(factor))

    def show_view(self, view: PhaseView | None) -> None:
        """Show the factor of a view; while the slider is moved, only what is left."""
        usable = view is not None and view.chosen is not None and view.chosen.usable
        for widget in (self.slider, self.box):
            widget.setEnabled(usable)
        by_hand = view is not None and view.by_hand
        self.fitted.setEnabled(usable and by_hand)
        self._say(view, usable)
        if self.slider.moving:
            return
        if view is None or view.chosen is None or not usable:
            self.slider.show_factor(0.0, (0.0, 1.0), None)
            self.box.show_value(0.0)
            return
        candidate, factor = view.chosen, view.precipitate.factor
        value = candidate.ratio if factor is None else factor
        self._show_digits(candidate.sigma)
        self.slider.show_factor(value, factor_range(view), (candidate.ratio, candidate.sigma))
        self.box.show_value(self._rounded(value))

    def _show_digits(self, sigma: float) -> None:
        """Two digits of the error, and steps of about a tenth of it."""
        decimals = min(max(1 - floor(log10(sigma)), 2), 12) if sigma > 0 else 4
        if decimals != self.box.decimals():
            self.box.blockSignals(True)
            self.box.setDecimals(decimals)
            self.box.setSingleStep(10.0**-decimals)
            self.box.blockSignals(False)

    def _say(self, view: PhaseView | None, usable: bool) -> None:
        text, role = "", "muted"
        if view is not None and view.chosen is not None and usable:
            fitted = with_error(view.chosen.ratio, view.chosen.sigma)
            if view.by_hand:
                text, role = f"Set by hand (fitted: {fitted}). {left_sentence(view)}", "warning"
            else:
                text = f"Fitted: {fitted}; nothing of {view.absent} is left by construction"
        self.remark.setText(text)
        self.remark.setToolTip(text)
        set_look(self.remark, "role", role)
