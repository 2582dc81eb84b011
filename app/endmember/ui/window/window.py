"""The main window: step list, the page of the step, its settings, spectrum and messages."""

from __future__ import annotations

import importlib
from pathlib import Path

from PyQt6.QtCore import QByteArray, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PyQt6.QtWidgets import (
    QDockWidget,
    QFrame,
    QMainWindow,
    QScrollArea,
    QStackedWidget,
    QWidget,
)

from endmember.session.cache.disk_cache import DiskCache
from endmember.session.documents.document import Document
from endmember.session.documents.recovery import Recovery
from endmember.session.views.remarks import remarks
from endmember.ui.document.autosave import Autosave
from endmember.ui.document.page import Page
from endmember.ui.document.runner import Runner
from endmember.ui.document.workspace import PAGE_OF_STEP, PAGES, Workspace
from endmember.ui.map_views.shape_gestures import Point
from endmember.ui.program.preferences import Preferences
from endmember.ui.widgets.messages import NOTICES, Message, MessagePanel
from endmember.ui.widgets.theme import THEME
from endmember.ui.window.actions import Actions
from endmember.ui.window.map_switch import StepsPanel
from endmember.ui.window.status_line import StatusLine
from endmember.ui.window.step_list import StepList
from endmember.ui.window.welcome import Welcome

# Where each page's class is; imported when the page is first shown, so that the window opens fast.
PAGE_CLASSES = {
    "map": "endmember.ui.pages.map.map_page:MapPage",
    "components": "endmember.ui.pages.components.component_page:ComponentPage",
    "masks": "endmember.ui.pages.masks.mask_page:MaskPage",
    "phases": "endmember.ui.pages.phases.phase_page:PhasePage",
    "abundance": "endmember.ui.pages.abundance.abundance_page:AbundancePage",
    "composition": "endmember.ui.pages.composition.composition_page:CompositionPage",
    "statistics": "endmember.ui.pages.statistics.statistics_page:StatisticsPage",
}
SETTINGS_WIDTH = 290
SPECTRUM_HEIGHT = 210
LAYOUT_VERSION = 1


class MainWindow(QMainWindow):
    """Everything of one document. Closing it ends the program."""

    def __init__(
        self,
        preferences: Preferences | None = None,
        cache: DiskCache | None = None,
        recovery: Recovery | None = None,
    ) -> None:
        """With `recovery`, every decision is kept there until it is saved."""
        super().__init__()
        self.preferences = preferences or Preferences()
        THEME.choose(self.preferences.theme)
        self.runner = Runner(cache)
        self.workspace = Workspace(self.runner)
        self.workspace.preferences = self.preferences
        self.autosave = None if recovery is None else Autosave(self.workspace, recovery)
        self.pages: dict[str, Page] = {}
        self._notices: list[Message] = []
        # whether the spectrum panel is wanted beside pages without and with spectra of their own
        self._spectrum_wanted = {False: True, True: False}
        self._stale = True
        self._document: Document | None = None
        self.setWindowTitle("Endmember")
        self.setAcceptDrops(True)
        self.setDockOptions(
            QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AnimatedDocks
        )
        self._build()
        self.actions_ = Actions(self)
        self._connect()
        self.resize(1366, 740)
        self.first_state = self.saveState(LAYOUT_VERSION)
        self._restore_layout()
        self.refresh()

    # --- building ----------------------------------------------------------------------------

    def _build(self) -> None:
        self.welcome = Welcome()
        self.middle = QStackedWidget()
        self.middle.addWidget(self.welcome)
        self.setCentralWidget(self.middle)
        self.step_list = StepList(self.workspace)
        self.settings = QStackedWidget()
        self.settings.addWidget(QWidget())
        self.messages = MessagePanel()
        from endmember.ui.spectrum_views.spectrum_panel import SpectrumPanel

        self.spectrum = SpectrumPanel(self.workspace)
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        bottom = Qt.DockWidgetArea.BottomDockWidgetArea
        self.docks = [
            self._dock("Steps", StepsPanel(self.workspace, self.step_list), left),
            self._dock("Spectrum", self.spectrum, bottom),
            self._dock("Settings", self.settings, right),
            self._dock("Messages", self.messages, right),
        ]
        self.setCorner(Qt.Corner.BottomLeftCorner, left)
        self.setCorner(Qt.Corner.BottomRightCorner, right)
        self.resizeDocks([self.docks[0], self.docks[2]], [124, SETTINGS_WIDTH], HORIZONTAL)
        self.resizeDocks([self.docks[1]], [SPECTRUM_HEIGHT], VERTICAL)
        self.resizeDocks([self.docks[2], self.docks[3]], [470, 170], VERTICAL)
        self.status_line = StatusLine(self.runner)
        self.setStatusBar(self.status_line)

    def _dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(f"dock {title}")
        dock.setWidget(widget)
        dock.setAccessibleName(title)
        self.addDockWidget(area, dock)
        return dock

    def _connect(self) -> None:
        workspace = self.workspace
        self.step_list.chosen.connect(lambda name: workspace.look(page=name))
        for signal in (
            workspace.document_changed,
            workspace.recipe_changed,
            workspace.results_changed,
            workspace.focus_changed,
        ):
            signal.connect(self._refresh_soon)
        toggle = self.docks[1].toggleViewAction()
        assert toggle is not None
        toggle.triggered.connect(self._want_spectrum)
        self.docks[1].visibilityChanged.connect(self._refresh_soon)
        workspace.document_changed.connect(self._forget_last)
        workspace.said.connect(self._notice)
        NOTICES.said.connect(self._notice)
        workspace.cursor_moved.connect(self._show_place)
        workspace.energy_moved.connect(self._show_energy)
        self.welcome.open_asked.connect(self.actions_.ask_open)
        self.welcome.demo_asked.connect(self.actions_.open_demo)
        self.welcome.recent_asked.connect(lambda file: self.actions_.open_files([file]))

    # --- pages -------------------------------------------------------------------------------

    def page(self, name: str) -> Page:
        """A page, made when it is first asked for."""
        if name not in self.pages:
            module, _, kind = PAGE_CLASSES[name].partition(":")
            page: Page = getattr(importlib.import_module(module), kind)(self.workspace)
            page.setParent(self)  # it goes with the window, and with it what it listens to
            self.pages[name] = page
            self.middle.addWidget(page.view)
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setMinimumWidth(SETTINGS_WIDTH - 8)
            area.setFrameShape(QFrame.Shape.NoFrame)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            area.setWidget(page.settings)
            area.setAccessibleName(f"settings of {name}")
            self.settings.addWidget(area)
            page.settings_area = area
        return self.pages[name]

    @property
    def current_page(self) -> Page | None:
        """The page that is shown, None while nothing is open."""
        return None if self.workspace.document is None else self.page(self.workspace.focus.page)

    def _refresh_soon(self) -> None:
        # several signals of one change are answered once, after all views have heard of it
        if not self._stale:
            self._stale = True
            QTimer.singleShot(0, self.refresh)

    def refresh(self) -> None:
        """Show the page looked at, and what today's document says."""
        self._stale = False
        page = self.current_page
        self.setWindowTitle(self._title())
        self.setWindowModified(self.workspace.document is not None and self._modified())
        self.actions_.refresh()
        self._show_messages()
        if page is None:
            self.welcome.show_recent(self.preferences.recent_files)
            self.middle.setCurrentWidget(self.welcome)
            self.settings.setCurrentIndex(0)
            self.spectrum.refresh()
            return
        if self.middle.currentWidget() is not page.view:
            with_spectrum = self._spectrum_wanted[page.own_spectrum]
            if not with_spectrum:  # before: both together may be higher than the screen
                self.docks[1].setVisible(False)
            self.middle.setCurrentWidget(page.view)
            assert page.settings_area is not None
            self.settings.setCurrentWidget(page.settings_area)
            self.docks[2].setWindowTitle(f"Settings: {page.title}")
            self.docks[1].setVisible(with_spectrum)
        page.refresh()
        if not self.docks[1].isHidden():  # else when it is shown again
            self.spectrum.refresh()

    def _forget_last(self) -> None:
        """Pages out of sight would keep the maps of a document that was closed."""
        if self._document is not self.workspace.document:
            self._document = self.workspace.document
            self.spectrum.forget()
            for page in self.pages.values():
                page.forget()

    def _want_spectrum(self, wanted: bool) -> None:
        if (page := self.current_page) is not None:
            self._spectrum_wanted[page.own_spectrum] = wanted

    def _title(self) -> str:
        document = self.workspace.document
        return "Endmember" if document is None else f"{document.title}[*] - Endmember"

    def _modified(self) -> bool:
        return self.workspace.document is not None and self.workspace.document.modified

    # --- messages ----------------------------------------------------------------------------

    def _notice(self, message: Message) -> None:
        self._notices = [message, *self._notices][:20]
        self._show_messages()
        self.status_line.showMessage(message.text, 8000)
        if message.kind != "info":
            self.docks[3].show()
            self.docks[3].raise_()

    def told(self, sentence: str) -> None:
        """A fault that nobody caught; see `logbook`."""
        self._notice(Message("error", sentence))

    def _show_messages(self) -> None:
        session = self.workspace.session
        found: list[Message] = list(self._notices)
        if session is not None:
            found += [
                Message("error", failure.message, PAGE_OF_STEP[step], ", ".join(maps))
                for step, maps, failure in session.failures()
            ]
            found += [
                Message("warning", told.sentence, PAGE_OF_STEP[told.step], told.map)
                for told in remarks(session)
            ]
        self.messages.set_messages(found)

    def _show_place(self, point: Point | None) -> None:
        page = self.current_page
        text = "" if point is None or page is None else page.describe(point)
        self.status_line.place.setText(text)

    def _show_energy(self, energy_keV: float | None) -> None:
        page = self.current_page
        own = None if page is None else page.describe_energy(energy_keV)
        text = self.spectrum.describe(energy_keV) if own is None else own
        self.status_line.energy.setText(text)

    # --- layout ------------------------------------------------------------------------------

    def _restore_layout(self) -> None:
        if not self.preferences.geometry.isEmpty():
            self.restoreGeometry(self.preferences.geometry)
        if not self.preferences.state.isEmpty():
            self.restoreState(self.preferences.state, LAYOUT_VERSION)

    def reset_layout(self) -> None:
        """Put the panels back where they were on the first day."""
        self.preferences.forget_layout()
        for dock in self.docks:
            dock.setFloating(False)
            dock.show()
        self.restoreState(QByteArray(self.first_state), LAYOUT_VERSION)

    # --- opening and closing -----------------------------------------------------------------

    def show_document(self, document: Document | None) -> None:
        """Work on another document from now on."""
        self._notices.clear()
        self.workspace.show(document)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Take files."""
        if event is not None and (data := event.mimeData()) is not None and data.hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Open files."""
        if event is None or (data := event.mimeData()) is None:
            return
        files = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.actions_.open_files(files)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """One-key tools that no focused widget wanted."""
        assert event is not None
        if not self.actions_.key_tool(event):
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Ask where decisions would be lost; stop the work; keep the layout."""
        assert event is not None
        if not self.actions_.may_leave():
            event.ignore()
            return
        self.preferences.geometry = self.saveGeometry()
        self.preferences.state = self.saveState(LAYOUT_VERSION)
        self.preferences.save()
        if self.autosave is not None:
            self.autosave.end()
        self.runner.close()
        event.accept()


HORIZONTAL, VERTICAL = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
assert tuple(PAGE_CLASSES) == PAGES
