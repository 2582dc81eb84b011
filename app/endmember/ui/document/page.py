"""A page of the step list: its view in the middle, its settings at the side."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from endmember.ui.document.workspace import PAGE_TITLES, Shown, Workspace
from endmember.ui.map_views.shape_gestures import Point
from endmember.ui.widgets.banner import Banner
from endmember.ui.widgets.theme import colours


class Veil(QWidget):
    """Greys out what is under it and says why; lets the mouse through."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.text = ""
        over.installEventFilter(self)
        self.hide()

    def cover(self, text: str | None) -> None:
        """Grey out with a short text; None shows clearly again."""
        self.text = text or ""
        self.setVisible(text is not None)
        if text is not None:
            self._fit()
            self.raise_()
            self.update()

    def _fit(self) -> None:
        if isinstance(over := self.parent(), QWidget):
            self.setGeometry(over.rect())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Stay as large as what is covered."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._fit()
        return False

    def paintEvent(self, _: QPaintEvent | None) -> None:
        """Draw it."""
        painter = QPainter(self)
        veil = QColor(colours().window)
        veil.setAlpha(140)
        painter.fillRect(self.rect(), veil)
        width = painter.fontMetrics().horizontalAdvance(self.text) + 20
        chip = self.rect().adjusted(self.width() - width - 8, 8, -8, 0)
        chip.setHeight(painter.fontMetrics().height() + 8)
        painter.fillRect(chip, QColor(colours().button))
        painter.setPen(QColor(colours().text))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, self.text)


class Page(QObject):
    """One step as the person sees it.

    `view` fills the middle of the window, `settings` stands at its side. A page keeps nothing of
    its own: `refresh` shows what recipe and results say, and returns at once where it already
    shows just that. It is only called while the page is visible.
    """

    name = ""
    step = ""
    """The step whose result it shows, for failures and for what is out of date."""
    own_spectrum = False
    """Whether it shows spectra itself, so that the spectrum panel is put away at first."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.view = QWidget()
        self.setParent(self.view)  # a page ends with its widgets, and hears of no theme after them
        self.settings = QWidget()
        self.settings_area: QScrollArea | None = None  # given by the window
        self.banner = Banner()
        self.body = QWidget()
        layout = QVBoxLayout(self.view)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.banner)
        layout.addWidget(self.body, 1)
        self.veil = Veil(self.body)
        self.banner.acted.connect(workspace.retry)

    @property
    def title(self) -> str:
        """Its name in the step list."""
        return PAGE_TITLES[self.name]

    def refresh(self) -> None:
        """Show what today's recipe and results say."""
        raise NotImplementedError

    def forget(self) -> None:
        """Keep nothing of the last document: its maps may be large. Pages that keep some do so."""

    def show_state(self, shown: Shown, waiting: str = "out of date: being updated") -> None:
        """Tell a failure in the banner, and grey out what is not current."""
        if shown.failure is not None:
            self.banner.set("error", shown.failure, "Run again")
        else:
            self.banner.set("info", "")
        stale = shown.value is not None and not shown.current
        text = waiting if shown.failure is None else "out of date: see the message above"
        self.veil.cover(text if stale else None)

    def fit(self) -> None:
        """Ctrl+F: show everything."""

    def one_to_one(self) -> None:
        """Ctrl+0: a pixel of the map on a pixel of the screen."""

    def describe(self, point: Point) -> str:
        """For the status bar: place and value under the pointer, `point` in uncropped pixels."""
        return self.workspace.place_text(point)

    def describe_energy(self, energy_keV: float | None) -> str | None:
        """For the status bar: what the page's own plot has under the pointer; None if it has none.

        Without it the status bar tells of the spectrum in the spectrum panel.
        """
        return None

    def key_tool(self, letter: str) -> bool:
        """A one-key tool (V, R, B, E, P ...); whether the page has it."""
        return False


def heading(text: str) -> QLabel:
    """A heading in the settings of a page."""
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def remark(text: str = "") -> QLabel:
    """A quiet sentence in the settings of a page."""
    label = QLabel(text)
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    return label


def is_same_state(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Whether a page shows just that already: the same objects, or equal texts and numbers."""
    return len(one) == len(other) and all(
        mine is its or (isinstance(mine, str | bool | int | float | tuple) and mine == its)
        for mine, its in zip(one, other, strict=True)
    )
