"""Menus, shortcuts and what they do that concerns the whole window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QDialog, QFileDialog, QLineEdit, QMenu, QToolBar

from endmember.session.documents.document import Document, is_recipe
from endmember.session.state.session import Failure
from endmember.ui.document.workspace import PAGE_TITLES, PAGES
from endmember.ui.widgets.theme import THEME
from endmember.ui.window.map_switch import look_at_next
from endmember.ui.window.opening import document_of, find_moved_files
from endmember.ui.window.publication_export import publication_actions
from endmember.ui.window.undo_keys import UndoKeys

if TYPE_CHECKING:
    from endmember.ui.window.window import MainWindow

SAVE_AS = "File > Save recipe as… saves elsewhere"
GESTURES = (
    ("Maps", "zoom at the pointer", "wheel, + and -"),
    ("Maps", "pan", "middle button, Space and drag, or drag an empty place with Select"),
    ("Maps", "fit", "double click, except with a brush"),
    ("Maps", "menu: colours, contrast, copy, save", "right click"),
    ("Shapes", "draw", "drag with a tool; a polygon by clicks, closed by Enter or a double click"),
    ("Shapes", "move by 1 pixel, by 10", "arrows, Shift and arrows"),
    ("Shapes", "remove, accept, cancel", "Del, Enter, Esc"),
    ("Shapes", "paint inside, outside while a brush is chosen", "Shift and drag, Ctrl and drag"),
    ("Spectra", "zoom energy, zoom counts", "wheel, Ctrl and wheel"),
    ("Spectra", "pan", "middle button, or Space and drag"),
    ("Spectra", "which lines could this peak be?", "click it"),
    ("Spectra", "move an energy window by a channel, by 10", "arrows, Shift and arrows"),
)
KEY_TOOLS = {
    "V": "select and move",
    "R": "rectangle",
    "O": "ellipse",
    "P": "polygon",
    "X": "exclude a region",
    "C": "crop",
    "B": "brush: inside",
    "E": "brush: outside",
}


class Actions:
    """The commands of the window, each once; menus and tool bar show the same ones."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.listed: list[tuple[str, QAction]] = []
        self._needs_document: list[QAction] = []
        self._make_file()
        self._make_edit()
        self._make_view()
        self._make_steps()
        self._make_help()
        self._make_tool_bar()

    # --- making ------------------------------------------------------------------------------

    def _menu(self, title: str) -> QMenu:
        bar = self.window.menuBar()
        assert bar is not None
        menu = bar.addMenu(title)
        assert menu is not None
        menu.setToolTipsVisible(True)
        return menu

    def _add(
        self,
        menu: QMenu,
        text: str,
        run: Callable[[], Any],
        keys: str | Sequence[str] = (),
        tip: str = "",
        *,
        document: bool = False,
    ) -> QAction:
        action = QAction(text, self.window)
        sequences = [keys] if isinstance(keys, str) else list(keys)
        action.setShortcuts([QKeySequence(key) for key in sequences])
        shown = f" ({sequences[0]})" if sequences else ""
        action.setToolTip(f"{tip or text.replace('&', '').rstrip('…')}{shown}")
        action.triggered.connect(lambda _=False: run())
        menu.addAction(action)
        self.listed.append((menu.title().replace("&", ""), action))
        if document:
            self._needs_document.append(action)
        return action

    def _make_file(self) -> None:
        menu = self._menu("&File")
        self.open = self._add(
            menu, "&Open…", self.ask_open, "Ctrl+O", "Open maps, or a recipe with its maps"
        )
        self.recent = menu.addMenu("Open &recent")
        self.demo = self._add(menu, "Open the &demo", self.open_demo)
        self._add(menu, "Reco&ver…", self.recover, tip="Open what was not saved at a crash")
        menu.addSeparator()
        self.save = self._add(
            menu, "&Save recipe", self.save_recipe, "Ctrl+S", "Save every decision", document=True
        )
        self._add(menu, "Save recipe &as…", self.save_recipe_as, "Ctrl+Shift+S", document=True)
        self.export = self._add(
            menu,
            "&Export results…",
            self.ask_export,
            "Ctrl+E",
            "Write tables, spectra, masks and maps into a folder",
            document=True,
        )
        self.publication = publication_actions(self._add, menu, self.window)
        menu.addSeparator()
        self._add(menu, "&Close document", self.close_document, document=True)
        self._add(menu, "&Quit", self.window.close, "Ctrl+Q")

    def _make_edit(self) -> None:
        menu = self._menu("&Edit")
        workspace = self.window.workspace
        self.undo = self._add(menu, "&Undo", workspace.undo, "Ctrl+Z", "Take back a decision")
        self.redo = self._add(menu, "&Redo", workspace.redo, ("Ctrl+Shift+Z", "Ctrl+Y"))
        UndoKeys(self.window)

    def _make_view(self) -> None:
        menu = self._menu("&View")
        self._add(menu, "&Fit", lambda: self._of_page("fit"), "Ctrl+F", document=True)
        self._add(menu, "Pixels &1:1", lambda: self._of_page("one_to_one"), "Ctrl+0", document=True)
        menu.addSeparator()
        theme = menu.addMenu("&Theme")
        assert theme is not None
        for choice, text in (("system", "As the desktop"), ("light", "Light"), ("dark", "Dark")):
            action = self._add(theme, text, partial(self.choose_theme, choice))
            action.setCheckable(True)
            action.setData(choice)
        self.themes = theme
        panels = menu.addMenu("&Panels")
        assert panels is not None
        for dock in self.window.docks:
            panels.addAction(dock.toggleViewAction())
        self._add(menu, "&Reset layout", self.window.reset_layout)

    def _make_steps(self) -> None:
        menu = self._menu("&Steps")
        for number, name in enumerate(PAGES, start=1):
            look = partial(self.window.workspace.look, page=name)
            self._add(menu, PAGE_TITLES[name], look, f"Ctrl+{number}", document=True)
        menu.addSeparator()
        for text, step, keys in (
            ("&Next map", 1, "Ctrl+PgDown"),
            ("&Previous map", -1, "Ctrl+PgUp"),
        ):
            look = partial(look_at_next, self.window.workspace, step)
            self._add(menu, text, look, keys, "Look at another map of the recipe", document=True)
        menu.addSeparator()
        self.again = self._add(
            menu,
            "Run &again",
            self.window.workspace.retry,
            "F5",
            "Run again what failed or was stopped",
            document=True,
        )
        self.cancel = self._add(
            menu, "&Cancel", self.window.runner.cancel, "Ctrl+.", "Stop what is running"
        )

    def _make_help(self) -> None:
        menu = self._menu("&Help")
        self._add(menu, "&Shortcuts", self.show_shortcuts, ("?", "F1"))
        self._add(menu, "Show the &log", self.show_log)
        self._add(menu, "Save &bug report…", self.ask_bug_report)
        self.clear_cache = self._add(
            menu,
            "&Clear cache…",
            self.ask_clear_cache,
            tip="Remove the results that are kept on disk",
        )
        self.clear_cache.setEnabled(self.window.runner.cache is not None)
        self._add(menu, "&About Endmember", self.show_about)

    def _make_tool_bar(self) -> None:
        bar = QToolBar("Tools", self.window)
        bar.setObjectName("tool bar")
        bar.setMovable(False)
        for action in (self.open, self.save, None, self.undo, self.redo, None, self.export):
            if action is None:
                bar.addSeparator()
            else:
                bar.addAction(action)
        self.search = QLineEdit()
        self.search.setPlaceholderText("find a line: Fe, or 6.4")
        self.search.setToolTip("Type an element or an energy in keV and press Enter (Ctrl+L)")
        self.search.setAccessibleName("find a line by element or energy")
        self.search.setMaximumWidth(190)
        self.search.setClearButtonEnabled(True)
        self.search.returnPressed.connect(
            lambda: self.window.spectrum.find_line(self.search.text())
        )
        bar.addSeparator()
        bar.addWidget(self.search)
        find = QAction("Find a line", self.window)
        find.setShortcut("Ctrl+L")
        find.triggered.connect(lambda: self.search.setFocus(Qt.FocusReason.ShortcutFocusReason))
        self.window.addAction(find)
        self.listed.append(("View", find))
        self.window.addToolBar(bar)

    # --- state -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Enable what can be done now."""
        workspace = self.window.workspace
        session = workspace.session
        for action in self._needs_document:
            action.setEnabled(session is not None)
        self.undo.setEnabled(session is not None and session.can_undo)
        self.redo.setEnabled(session is not None and session.can_redo)
        self.again.setEnabled(session is not None and bool(session.failures()))
        for action in (self.export, *self.publication):
            action.setEnabled(workspace.is_complete)
        for action in self.themes.actions():
            action.setChecked(action.data() == THEME.choice)
        self._list_recent()

    def _list_recent(self) -> None:
        assert self.recent is not None
        self.recent.clear()
        for file in self.window.preferences.recent_files:
            action = self.recent.addAction(str(file))
            assert action is not None
            action.setEnabled(file.exists())
            action.triggered.connect(lambda _=False, file=file: self.open_files([file]))
        self.recent.setEnabled(bool(self.recent.actions()))

    def key_tool(self, event: QKeyEvent) -> bool:
        """Hand a one-key tool, or the number of a precipitate, to the page."""
        page = self.window.current_page
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if page is None or modifiers not in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.ShiftModifier,
        ):
            return False
        text = event.text().upper()
        if text.isdigit() and text != "0":
            return self._work_on(int(text) - 1)
        return bool(text) and page.key_tool(text)

    def _work_on(self, number: int) -> bool:
        recipe = self.window.workspace.recipe
        if recipe is None or number >= len(recipe.precipitates):
            return False
        self.window.workspace.look(precipitate=recipe.precipitates[number].name)
        return True

    def _of_page(self, method: str) -> None:
        if (page := self.window.current_page) is not None:
            getattr(page, method)()

    def choose_theme(self, choice: Any) -> None:
        """Light, dark, or as the desktop."""
        self.window.preferences.theme = choice
        THEME.choose(choice)
        self.refresh()

    # --- files -------------------------------------------------------------------------------

    def ask_open(self) -> None:
        """Ask for files and open them."""
        names, _ = QFileDialog.getOpenFileNames(
            self.window,
            "Open maps, or a recipe",
            str(self.window.preferences.last_folder),
            "Maps and recipes (*);;Recipes (*.toml)",
        )
        if names:
            self.open_files([Path(name) for name in names])

    def open_files(self, files: Sequence[Path], *, offered: bool = False) -> None:
        """Open a recipe, or one or more maps as a new document.

        Unsaved changes of them that a crash left are offered first, unless they were `offered`.
        """
        if not self.may_leave() or (not offered and self._recovered(files)):
            return
        if (document := self._document(files)) is None:
            return
        told = find_moved_files(self.window, document)
        preferences = self.window.preferences
        preferences.add_recent(files[0])
        preferences.last_folder = files[0].resolve().parent
        self.window.show_document(document)
        for sentence in told:
            self.window.workspace.say("info", sentence)

    def _recovered(self, files: Sequence[Path] | None = None) -> bool:
        """Offer what a crash left, of some files or of all; whether it is open now."""
        from endmember.ui.window.recovering import offer

        return offer(self.window, files)

    def recover(self) -> None:
        """Offer all that a crash left."""
        if self.may_leave() and not self._recovered():
            self.window.status_line.showMessage("nothing was recovered", 5000)

    def _document(self, files: Sequence[Path]) -> Document | None:
        """The document of these files; None, with a word, where they cannot be opened."""
        try:
            return document_of(files)
        except (ValueError, OSError) as error:
            self.window.workspace.say("error", str(error))
            return None

    def open_demo(self, size: int = 256, folder: Path | None = None) -> None:
        """Simulate the demo map, if it is not there yet, and open it with its recipe."""
        if not self.may_leave():
            return
        from endmember.demo import prepare_demo

        workspace = self.window.workspace
        document, recipe = workspace.document, workspace.recipe

        def opened(value: Any) -> None:
            if isinstance(value, Failure):
                workspace.say("error", f"the demo cannot be made: {value.message}")
                return
            # the demo may take minutes, and what was asked then holds only for what was open then
            same = workspace.document is document and workspace.recipe == recipe
            if value is None or not (same or self.may_leave()):
                return
            if (demo := self._document([value])) is not None:
                self.window.show_document(demo)

        self.window.status_line.showMessage("the demo map is being made, once", 4000)
        self.window.runner.run_task(
            "making the demo map", lambda report: prepare_demo(folder, size, report), opened
        )

    def save_recipe(self) -> bool:
        """Save to the file it came from; asks for one where there is none."""
        document = self.window.workspace.document
        if document is None:
            return False
        return self.save_recipe_as() if document.path is None else self._save_to(document.path)

    def save_recipe_as(self) -> bool:
        """Ask for a file and save there."""
        document = self.window.workspace.document
        if document is None:
            return False
        first = Path(document.session.recipe.maps[0].file)
        start = document.path or first.with_suffix(".toml")
        name, _ = QFileDialog.getSaveFileName(
            self.window, "Save the recipe", str(start), "Recipes (*.toml)"
        )
        return bool(name) and self._save_to(Path(name if is_recipe(name) else f"{name}.toml"))

    def _save_to(self, path: Path) -> bool:
        try:
            self.window.workspace.save(path)
        except (ValueError, OSError) as error:
            self.window.workspace.say(
                "error", f"not saved, your changes are still here: {error} ({SAVE_AS})"
            )
            return False
        self.window.preferences.add_recent(path)
        self.window.status_line.showMessage(f"saved {path}", 5000)
        return True

    def may_leave(self) -> bool:
        """Whether the document may be left: saved, nothing to save, or given up."""
        document = self.window.workspace.document
        if document is None or not document.modified:
            return True
        from endmember.ui.program.dialogs import ask_save

        answer = ask_save(self.window, document.title)
        return answer == "discard" or (answer == "save" and self.save_recipe())

    def close_document(self) -> None:
        """Back to the welcome page."""
        if self.may_leave():
            self.window.show_document(None)

    def ask_export(self) -> None:
        """Ask for a folder that does not exist yet and write all results into it."""
        document = self.window.workspace.document
        if document is None:
            return
        start = self.window.preferences.last_folder / f"{Path(document.title).stem}-results"
        name, _ = QFileDialog.getSaveFileName(
            self.window, "Export results into a new folder", str(start), ""
        )
        if name:
            self.export_results(Path(name))

    def export_results(self, folder: Path) -> None:
        """Write the results folder as `endmember run` does."""
        from endmember.ui.window.results_export import export_task

        window = self.window

        def told(value: Any) -> None:
            if isinstance(value, Failure):
                window.workspace.say("error", f"nothing was exported: {value.message}")
            elif value is not None:
                window.workspace.say("info", f"results written into {folder}")

        window.runner.run_task("exporting", export_task(window.runner, folder), told)

    # --- help --------------------------------------------------------------------------------

    def show_shortcuts(self) -> None:
        """The sheet of keys and gestures."""
        from endmember.ui.program.dialogs import ShortcutSheet

        rows = [
            (group, action.text().replace("&", "").rstrip("…"), _keys(action))
            for group, action in self.listed
            if action.shortcuts()
        ]
        rows += [("Tools", what, key) for key, what in KEY_TOOLS.items()]
        rows += [
            ("Tools", "the precipitate being worked on", "1 to 9"),
            ("Tools", "smaller and larger brush", "[ and ]"),
            ("Tools", "masks shown (Masks)", "M"),
            ("Spectra", "log scale", "L"),
            ("Spectra", "ditches shown (Components)", "D"),
            ("Spectra", "map at the pointer's energy (Components)", "M"),
        ]
        _show(ShortcutSheet(self.window, rows, GESTURES))

    def show_log(self) -> None:
        """The end of the log."""
        from endmember.ui.program.dialogs import LogDialog

        _show(LogDialog(self.window))

    def show_about(self) -> None:
        """Versions, citation and licence."""
        from endmember.ui.program.dialogs import about_box

        about_box(self.window)

    def ask_clear_cache(self) -> None:
        """Say how large the folder of kept results is, and empty it."""
        from endmember.ui.program.dialogs import ask_clear

        cache = self.window.runner.cache
        if cache is not None and ask_clear(self.window, cache.folder, cache.size()):
            cache.clear()

    def ask_bug_report(self) -> None:
        """Ask for a file and save log, versions and recipe into it, without any data."""
        from endmember.session.decisions.recipe_file import dump_recipe
        from endmember.ui.program.logbook import save_bug_report

        name, _ = QFileDialog.getSaveFileName(
            self.window, "Save bug report", "endmember-report.zip", "Zip files (*.zip)"
        )
        if not name:
            return
        recipe = self.window.workspace.recipe
        session = self.window.workspace.session
        failures = (
            []
            if session is None
            else [
                {"step": step, "message": failure.message, "traceback": failure.traceback}
                for step, _, failure in session.failures()
            ]
        )
        try:
            save_bug_report(
                Path(name), None if recipe is None else dump_recipe(recipe), {"failures": failures}
            )
        except (ValueError, OSError) as error:
            self.window.workspace.say("error", f"the bug report was not saved: {error}")


def _show(dialog: QDialog) -> None:
    """Show a dialog beside the window, and drop it when it is closed."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()


def _keys(action: QAction) -> str:
    return " or ".join(keys.toString() for keys in action.shortcuts())
