"""All components one below the other; their maps move together, and so do their spectra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFrame, QLabel, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from endmember.ui.map_views.map_grid import MapLink
from endmember.ui.map_views.shape_gestures import Point
from endmember.ui.pages.components.component_row import ComponentPicture, ComponentRow, Said
from endmember.ui.spectrum_views.spectrum_link import SpectrumLink
from endmember.ui.spectrum_views.spectrum_view import MarkerLine
from endmember.ui.widgets.theme import THEME

MOST_ROWS = 20
LEAST_HEIGHT, MOST_HEIGHT = 158, 330
HEAD_HEIGHT = 24  # of the title over a map
LEAST_MAP_WIDTH, MAP_SHARE = 130, 0.4
GAP = 6


class ComponentRows(QWidget):
    """Scrolls where more components than fit. Rows are made and drawn one at a time."""

    renamed = pyqtSignal(int, str)
    role_chosen = pyqtSignal(int, object)
    map_width_changed = pyqtSignal(int)
    """Width of all maps, in pixels of the screen."""

    def __init__(self, maps: MapLink, spectra: SpectrumLink) -> None:
        super().__init__()
        self.maps, self.spectra = maps, spectra
        self.rows: list[ComponentRow] = []
        self._wanted: tuple[ComponentPicture, ...] = ()
        self._said: Mapping[int, Said] = {}
        self._markers: Sequence[MarkerLine] = ()
        self._scale = (False, False)
        self._map_width = 0
        self.empty = QLabel()
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("role", "muted")
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.area.setAccessibleName("components")
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GAP)
        self._column.addStretch(1)
        self.area.setWidget(content)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.area)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._go_on)
        if (bar := self.area.verticalScrollBar()) is not None:
            bar.valueChanged.connect(lambda _: self._on_scrolled())
        content.installEventFilter(self)
        THEME.changed.connect(self._draw_spectra)

    # --- what is shown -----------------------------------------------------------------------

    def set_empty(self, text: str) -> None:
        """Show a sentence instead of components."""
        self._wanted = ()
        self.empty.setText(text)
        self.stack.setCurrentWidget(self.empty)

    def set_components(self, components: Sequence[ComponentPicture]) -> None:
        """Show these components, at most 20; those in sight are drawn first."""
        self._wanted = tuple(components[:MOST_ROWS])
        self.stack.setCurrentWidget(self.area)
        for number, row in enumerate(self.rows):
            row.setVisible(number < len(self._wanted))
            if number < len(self._wanted):
                row.set_shown(self._wanted[number])
        self._size_rows()
        self._soon.start()

    def set_said(self, said: Mapping[int, Said]) -> None:
        """Show what recipe and masks say of each component."""
        self._said = said
        for row in self.shown_rows():
            if row.number in said:
                row.set_said(said[row.number])

    def set_markers(self, markers: Sequence[MarkerLine]) -> None:
        """Mark these lines in every spectrum."""
        self._markers = markers
        for row in self.rows:
            row.plot.set_markers(markers)

    def set_scale(self, ditches: bool, log: bool) -> None:
        """The values shown of every spectrum; see `ComponentRow.set_scale`."""
        self._scale = (ditches, log)
        for row in self.rows:
            row.set_scale(ditches, log)
            if not row.visibleRegion().isEmpty():
                row.draw()
        self._soon.start()

    def shown_rows(self) -> list[ComponentRow]:
        """The rows that are not hidden."""
        return self.rows[: len(self._wanted)]

    @property
    def is_complete(self) -> bool:
        """Whether every component has its row, drawn."""
        rows = self.shown_rows()
        return len(rows) == len(self._wanted) and not any(row.is_due for row in rows)

    # --- one at a time -----------------------------------------------------------------------

    def _go_on(self) -> None:
        """Make or draw one row, and come again for the next."""
        if self.is_complete:
            return
        due = [row for row in self.shown_rows() if row.is_due]
        seen = [row for row in due if not row.visibleRegion().isEmpty()]
        if seen or (due and len(self.rows) >= len(self._wanted)):
            (seen or due)[0].draw()
        elif len(self.rows) < len(self._wanted):
            self._add_row()
        self._soon.start()

    def _add_row(self) -> None:
        row = ComponentRow(len(self.rows))
        self.rows.append(row)
        self.maps.add(row.map)
        self.spectra.add(row.plot)
        row.renamed.connect(self.renamed)
        row.role_chosen.connect(self.role_chosen)
        row.plot.set_markers(self._markers)
        row.set_scale(*self._scale)
        if row.number in self._said:
            row.set_said(self._said[row.number])
        row.set_shown(self._wanted[row.number])
        self._column.insertWidget(self._column.count() - 1, row)
        self._size_rows()

    def _draw_spectra(self) -> None:
        for row in self.shown_rows():
            row.draw_spectrum()

    def _on_scrolled(self) -> None:
        self.spectra.follow_in_sight()

    # --- sizes -------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Share the room anew."""
        super().resizeEvent(event)
        self._size_rows()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let spectra follow that a larger window has brought into sight."""
        if event is not None and event.type() == QEvent.Type.Resize:
            QTimer.singleShot(0, self.spectra.follow_in_sight)
        return super().eventFilter(watched, event)

    def _size_rows(self) -> None:
        """All rows as high as fits, all maps as wide as they are high."""
        number = len(self._wanted)
        if not number:
            return
        each = (self.height() - (number - 1) * GAP) // number
        height = min(max(each, LEAST_HEIGHT), MOST_HEIGHT)
        place = self._wanted[0].place
        fitting = round((height - HEAD_HEIGHT) * place[2] / max(place[3], 1.0))
        width = min(max(fitting, LEAST_MAP_WIDTH), max(round(MAP_SHARE * self.width()), 100))
        for row in self.rows:
            row.set_size(height, width)
        if width != self._map_width:
            self._map_width = width
            self.map_width_changed.emit(width)

    # --- the pointer -------------------------------------------------------------------------

    def value_text(self, point: Point) -> str:
        """What the component map under the pointer holds at a point."""
        for row in self.shown_rows():
            pixel = row.map.pixel_at(point) if row.map.canvas.underMouse() else None
            if pixel is not None and row.shown is not None:
                return f"component #{row.number}: {row.shown.view.counts[pixel]:.4g} counts"
        return ""
