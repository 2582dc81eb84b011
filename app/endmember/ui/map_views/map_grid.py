"""Maps that zoom and point together, beside each other or wherever they stand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PyQt6.QtCore import QEvent, QObject, QTimer, pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QWidget

from endmember.ui.map_views.map_head import align_heads
from endmember.ui.map_views.map_view import MapView
from endmember.ui.map_views.shape_gestures import Point

LEAST_HEIGHT_FOR_BAR = 110  # of a map beside others that has one


class MapLink(QObject):
    """Lets maps zoom and point together, wherever they stand."""

    hovered = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.views: list[MapView] = []
        self._moving = False

    def add(self, view: MapView) -> None:
        """Link a further view to those there are."""
        view.hovered.connect(lambda point, view=view: self._on_hovered(view, point))
        view.canvas.fitted_changed.connect(partial(self._on_fitted, view))
        view.canvas.range_changed.connect(partial(self._on_range, view))
        self.views.append(view)
        if not self.views[0].canvas.fitted:
            self._on_range(self.views[0])

    def _on_hovered(self, source: MapView, point: Point | None) -> None:
        for view in self.views:
            view.canvas.show_cross(point if view is not source else None)
        self.hovered.emit(point)

    # Linked by pyqtgraph, every view would tell every other one: too slow for a dozen maps.

    def _on_fitted(self, source: MapView, fitted: bool) -> None:
        if self._moving:
            return
        self._moving = True
        for view in self.views:
            if view is not source:
                view.canvas.fitted = fitted
                if fitted:
                    view.canvas.fit()
        self._moving = False
        self._on_range(source)

    def _on_range(self, source: MapView) -> None:
        """Show the same part of the map in all views; fitted ones see to that themselves."""
        if self._moving or source.canvas.fitted:
            return
        self._moving = True
        for view in self.views:
            if view is not source:
                view.canvas.box.setRange(source.canvas.box.viewRect(), padding=0)
        self._moving = False

    def show_cross(self, point: Point | None) -> None:
        """Mark a point that is looked at elsewhere in every view."""
        for view in self.views:
            view.canvas.show_cross(point)


class MapGrid(QWidget):
    """Maps side by side whose zoom and cursor move together."""

    hovered = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.link = MapLink(self)
        self.link.hovered.connect(self.hovered)
        self.views = self.link.views
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)
        self._columns: int | None = None

    def set_number(self, number: int, columns: int | None = None) -> None:
        """Have so many views; with `columns` in so many columns, otherwise as fits the shape."""
        self._columns = columns
        while len(self.views) < number:
            self._add()
        for index, view in enumerate(self.views):
            view.setVisible(index < number)
        self._arrange(number)

    def expect(self, number: int) -> None:
        """Make so many views one by one, while nothing else is to be done."""
        making = QTimer(self)

        def make() -> None:
            if len(self.views) < number:
                self.make_ahead()
            else:
                making.stop()

        making.timeout.connect(make)
        making.start()

    def make_ahead(self) -> None:
        """Make a further view, hidden until it is wanted."""
        self._add()
        self.views[-1].hide()

    def shown_views(self) -> Sequence[MapView]:
        """The views that are not hidden."""
        return [view for view in self.views if not view.isHidden()]

    def _add(self) -> None:
        view = MapView(parent=self)
        if self.views:  # small maps of one scale need one bar
            view.canvas.least_height_for_bar = LEAST_HEIGHT_FOR_BAR
        self.link.add(view)

    def show_cross(self, point: Point | None) -> None:
        """Mark a point that is looked at elsewhere in every view."""
        self.link.show_cross(point)

    def _arrange(self, number: int) -> None:
        if number == 0:
            return
        columns = self._columns or self._best_columns(number)
        for index, view in enumerate(self.views):
            self._grid.removeWidget(view)
            if index < number:
                self._grid.addWidget(view, index // columns, index % columns)
        for column in range(self._grid.columnCount()):  # all maps of the same size
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 1 if row < -(-number // columns) else 0)

    def _best_columns(self, number: int) -> int:
        """As many columns as make the square maps largest."""
        width, height = max(self.width(), 1), max(self.height(), 1)

        def side(columns: int) -> float:
            rows = -(-number // columns)
            return min(width / columns, height / rows - 22)

        return max(range(1, number + 1), key=side)

    def event(self, event: QEvent | None) -> bool:
        """Whenever room or titles change, all heads are made alike."""
        done = super().event(event)
        kind = QEvent.Type
        if event is not None and event.type() in (kind.LayoutRequest, kind.Resize):
            align_heads([view.head for view in self.shown_views()])
        return done

    def resizeEvent(self, event: object) -> None:
        """Arrange the maps anew."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        if self._columns is None:
            self._arrange(len(self.shown_views()))

    def fit(self) -> None:
        """Show all of every map."""
        for view in self.shown_views():
            view.canvas.fit()

    def one_to_one(self) -> None:
        """Show a pixel of the map on a pixel of the screen."""
        if self.views:
            self.views[0].canvas.one_to_one()
