"""Asks for the preview of a mask while a rectangle moves, and shows the newest answer."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtGui import QColor

from endmember.core.progress import Cancelled, Report
from endmember.session.decisions.recipe import Box, Precipitate, Recipe
from endmember.session.state.session import Failure
from endmember.session.steps.map_data import MapData
from endmember.session.views.component_choice import ComponentChoice
from endmember.session.views.mask_preview import Corner, MaskPreview, closed_outlines, preview_mask
from endmember.ui.document.runner import Runner
from endmember.ui.map_views.map_canvas import MapCanvas
from endmember.ui.pages.masks.mask_preview import PreviewItem

if TYPE_CHECKING:
    from endmember.session.steps.chain import Decomposed

LATE_ms = 200  # after which a preview is welcome although the masks themselves are being cut


@dataclass(frozen=True, eq=False, slots=True)
class PreviewQuestion:
    """What a rectangle `box` of a precipitate would yield; `others` are its other rectangles."""

    recipe: Recipe
    data: MapData
    decomposed: Decomposed
    choice: ComponentChoice
    precipitate: Precipitate
    box: Box
    others: Sequence[Box] = field(default=())

    def is_answered_by(self, other: PreviewQuestion) -> bool:
        """Whether the other question has the same answer; the rest of the recipe may differ."""
        same = self.data is other.data and self.decomposed is other.decomposed
        return same and self._asks() == other._asks()

    def _asks(self) -> tuple[object, ...]:
        of = self.precipitate
        return (
            self.recipe.sample,
            self.recipe.segmentation,
            (of.name, of.absent, of.component, of.strokes_on(self.data.entry.name)),
            self.box,
            tuple(self.others),
        )

    def answer(self, report: Report) -> tuple[MaskPreview, list[list[Corner]]]:
        """The preview with its outlines, away from the main thread.

        Raises
        ------
        ValueError
            if there can be no mask.
        Cancelled
            from `report`.
        """
        name = self.data.entry.name
        component = self.choice.find(
            self.precipitate, self.recipe.sample, self.data, self.decomposed
        )
        preview = preview_mask(
            self.decomposed.maps_of(name),
            component,
            self.data.entry,
            self.box,
            self.others,
            self.precipitate.strokes_on(name),
            self.recipe.segmentation,
            report,
        )
        return preview, closed_outlines(preview.mask)


class LivePreview(QObject):
    """The preview over one canvas. Answers to what was asked before `clear` are not shown."""

    told = pyqtSignal(str, bool)
    """A sentence about the preview, and whether it says why there is none."""

    def __init__(self, runner: Runner, canvas: MapCanvas) -> None:
        super().__init__()
        self.runner = runner
        self.item = PreviewItem(canvas)
        self._asked = self._answered = self._cleared = 0
        self._last: PreviewQuestion | None = None
        self._late: tuple[PreviewQuestion, QColor] | None = None  # since the last `clear` or `ask`
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LATE_ms)
        self._timer.timeout.connect(self._ask_late)

    @property
    def shown(self) -> MaskPreview | None:
        """What is shown, None for nothing."""
        return self.item.shown

    def ask(self, question: PreviewQuestion, colour: QColor) -> None:
        """Show the answer as soon as it is there; only the newest question is worked on.

        A question that was just asked is not asked again.
        """
        self._late = None
        self._ask(question, colour)

    def _ask(self, question: PreviewQuestion, colour: QColor) -> None:
        self._timer.stop()
        if self._was_asked(question):
            return
        self._last = question
        self._asked += 1
        number = self._asked

        def wanted(_: float) -> None:
            if number <= self._cleared:
                raise Cancelled

        def answer() -> Any:
            with contextlib.suppress(Cancelled):
                return question.answer(wanted)

        self.runner.ask("mask preview", answer, lambda value: self._take(number, value, colour))

    def ask_late(self, question: PreviewQuestion, colour: QColor) -> None:
        """Show what is there for the rectangle that was let go; ask only if the masks are slow.

        What is under way is given up: the masks themselves are cut now, and need the processors.
        When the mouse lets go of a rectangle, it usually lies where it was last dragged to. If it
        is let go again before the masks are there, as by an arrow key held down, these begin anew
        each time: then the preview is asked for at once.
        """
        if self._was_asked(question) and self._answered == self._asked:
            return
        if self._late is not None:
            self._ask(question, colour)
            return
        self._give_up()
        self._late = question, colour
        self._timer.start()

    def _ask_late(self) -> None:
        if self._late is not None:
            self._ask(*self._late)

    def _was_asked(self, question: PreviewQuestion) -> bool:
        return self._last is not None and question.is_answered_by(self._last)

    def _give_up(self) -> None:
        self._timer.stop()
        self._last = self._late = None
        self._cleared = self._asked

    def _take(self, number: int, value: Any, colour: QColor) -> None:
        if number <= self._cleared:
            return
        self._answered = number
        if isinstance(value, Failure):
            self._last = None
            self.item.clear()
            self.told.emit(f"no preview: {value.message}", True)
            return
        preview, outlines = value
        self.item.show(preview, outlines, colour)
        whole = preview.mask.size
        share = f"{preview.pixels} of {whole} px" if preview.pixels else "nothing"
        self.told.emit(f"preview: {share} found in the rectangle", not preview.pixels)

    def clear(self) -> None:
        """Show nothing, also of what was asked before."""
        self._give_up()
        self.item.clear()
