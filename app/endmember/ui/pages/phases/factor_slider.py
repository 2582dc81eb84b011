"""A slider for the factor of a subtraction, with its fitted value and the error marked on it."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QSlider

from endmember.ui.widgets.theme import THEME, colours

STEPS = 2000
SMALL_STEP, LARGE_STEP = 2, 20  # 0.1 % and 1 % of the range
HANDLE = 7.0
ROOM = 4.0
_KEYS = frozenset(
    {
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
    }
)


class FactorSlider(QSlider):
    """Moves over factors; a click on the scale takes the handle there.

    `moved` tells every value on the way, `released` the last one, `dropped` that Esc gave up.
    """

    moved = pyqtSignal(float)
    released = pyqtSignal(float)
    dropped = pyqtSignal()

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.low, self.high = 0.0, 1.0
        self.fitted: tuple[float, float] | None = None
        self._before = 0
        self._by_keys = False
        self.setRange(0, STEPS)
        self.setSingleStep(SMALL_STEP)
        self.setPageStep(LARGE_STEP)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        THEME.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """A scale and a row of numbers."""
        return QSize(300, round(2 * HANDLE + ROOM + self.fontMetrics().height()))

    def minimumSizeHint(self) -> QSize:
        """As high as it is."""
        return QSize(140, self.sizeHint().height())

    # --- values ------------------------------------------------------------------------------

    def factor(self) -> float:
        """The factor at the handle."""
        return self.low + self.value() / STEPS * (self.high - self.low)

    def show_factor(
        self, factor: float, limits: tuple[float, float], fitted: tuple[float, float] | None
    ) -> None:
        """Show a factor on this range, and the fitted value with its sigma; tells nobody."""
        self.low, self.high = limits
        self.fitted = fitted
        self.blockSignals(True)
        self.setValue(round((factor - self.low) / (self.high - self.low) * STEPS))
        self.blockSignals(False)
        self.update()

    @property
    def moving(self) -> bool:
        """Whether the hand is still on it."""
        return self.isSliderDown() or self._by_keys

    def give_up(self) -> None:
        """End a drag where it began; tells nobody."""
        self._by_keys = False
        self.blockSignals(True)
        self.setSliderDown(False)
        self.setValue(self._before)
        self.blockSignals(False)

    # --- geometry ----------------------------------------------------------------------------

    def place_of(self, factor: float) -> float:
        """Pixels from the left."""
        share = (factor - self.low) / (self.high - self.low)
        return HANDLE + share * (self.width() - 2 * HANDLE)

    def _step_at(self, x: float) -> int:
        return round((x - HANDLE) / max(self.width() - 2 * HANDLE, 1.0) * STEPS)

    # --- hands -------------------------------------------------------------------------------

    def _move(self, step: int) -> None:
        if step != self.value():
            self.setValue(step)
            self.moved.emit(self.factor())

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Take the handle to the mouse."""
        assert event is not None
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self._before = self.value()
        self.setSliderDown(True)
        # a press beside the middle of the handle does not move it
        if abs(event.position().x() - self.place_of(self.factor())) > HANDLE:
            self._move(self._step_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Drag the handle."""
        assert event is not None
        if self.isSliderDown():
            self._move(self._step_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Let go."""
        assert event is not None
        if event.button() == Qt.MouseButton.LeftButton and self.isSliderDown():
            self.setSliderDown(False)
            self._end(self.value() != self._before)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Arrows and the like move, Esc gives up."""
        assert event is not None
        if event.key() == Qt.Key.Key_Escape and self.moving:
            self.give_up()
            self.dropped.emit()
        elif event.key() in _KEYS:
            if not self.moving:
                self._before = self.value()
                self._by_keys = True
            before = self.value()
            super().keyPressEvent(event)
            if self.value() != before:
                self.moved.emit(self.factor())
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:
        """The run of a held key ends."""
        assert event is not None
        if event.key() in _KEYS and not event.isAutoRepeat():
            self._end_keys()
        else:
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Nobody holds a key any more."""
        super().focusOutEvent(event)
        self._end_keys()

    def _end_keys(self) -> None:
        if self._by_keys:
            self._by_keys = False
            self._end(self.value() != self._before)

    def _end(self, changed: bool) -> None:
        if changed:
            self.released.emit(self.factor())
        else:
            self.dropped.emit()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Move by small steps, but only while the keys come here."""
        assert event is not None
        turn = event.angleDelta().y() or event.angleDelta().x()
        if not self.hasFocus() or not turn or self.moving:
            event.ignore()
            return
        self._before = self.value()
        self._move(self.value() + (SMALL_STEP if turn > 0 else -SMALL_STEP))
        self._end(self.value() != self._before)
        event.accept()

    def event(self, event: QEvent | None) -> bool:
        """Keep Esc while a drag can be given up."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
            and self.moving
        ):
            event.accept()
            return True
        return super().event(event)

    # --- drawing -----------------------------------------------------------------------------

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """Groove, error band, tick of the fitted value, handle, and numbers below."""
        of = colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, enabled = HANDLE + 1, self.isEnabled()
        groove = QRectF(HANDLE, middle - 2, self.width() - 2 * HANDLE, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(of.border))
        painter.drawRoundedRect(groove, 2, 2)
        if not enabled:
            return
        self._draw_numbers(painter)
        self._draw_fitted(painter, middle)
        centre = QPointF(self.place_of(self.factor()), middle)
        painter.setPen(QPen(QColor(of.accent if self.hasFocus() else of.muted), 1.5))
        painter.setBrush(QColor(of.button))
        painter.drawEllipse(centre, HANDLE - 1, HANDLE - 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(of.text))
        painter.drawEllipse(centre, 1.6, 1.6)

    def _draw_fitted(self, painter: QPainter, middle: float) -> None:
        if self.fitted is None:
            return
        value, sigma = self.fitted
        left, right = self.place_of(value - sigma), self.place_of(value + sigma)
        wider = max(3.0 - (right - left), 0.0) / 2
        band = QRectF(left - wider, 0, right - left + 2 * wider, 2 * HANDLE + 2)
        colour = QColor(colours().accent)
        colour.setAlpha(90)
        painter.fillRect(band, colour)
        painter.setPen(QPen(QColor(colours().accent), 1.5))
        x = self.place_of(value)
        painter.drawLine(QPointF(x, 0), QPointF(x, middle + HANDLE + ROOM))

    def _draw_numbers(self, painter: QPainter) -> None:
        metrics = QFontMetricsF(self.font())
        top = 2 * HANDLE + ROOM - 1
        row = QRectF(0, top, self.width(), metrics.height())
        painter.setPen(QColor(colours().muted))
        low, high = f"{self.low:.3g}", f"{self.high:.3g}"
        text = "" if self.fitted is None else f"fitted {self.fitted[0]:.4g}"
        wide = metrics.horizontalAdvance(text)
        ends = [metrics.horizontalAdvance(end) + 6 for end in (low, high)]
        if wide + sum(ends) < self.width():
            painter.drawText(row, Qt.AlignmentFlag.AlignLeft, low)
            painter.drawText(row, Qt.AlignmentFlag.AlignRight, high)
        else:  # on a narrow screen the fitted value alone
            ends = [0.0, 0.0]
        if self.fitted is None:
            return
        left = self.place_of(self.fitted[0]) - wide / 2
        left = min(max(left, ends[0]), self.width() - ends[1] - wide)
        painter.setPen(QColor(colours().accent))
        box = QRectF(left, top, wide + 1, metrics.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, text)
