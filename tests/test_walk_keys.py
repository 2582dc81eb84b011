"""The keyboard alone reaches everything, and every control says what it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QDockWidget,
    QGraphicsView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QToolBar,
    QWidget,
)

from endmember.ui.document.workspace import PAGES
from endmember.ui.pages.map.periodic_table import PeriodicTableDialog
from endmember.ui.spectrum_views.small_plot import SmallPlot
from endmember.ui.spectrum_views.spectrum_view import SpectrumView
from walk import ALT, CONTROL, Person, says, table_of
from walk import person as person
from walk_demo import demo as demo
from walk_demo import left_open as left_open
from walk_demo import made_demo as made_demo

# --- a walk without a mouse ------------------------------------------------------------------


def named(name: str) -> Callable[[QWidget], bool]:
    """Whether a widget says this of itself."""

    def fits(widget: QWidget) -> bool:
        return name in (widget.accessibleName(), text_of(widget))

    return fits


def text_of(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return text.replace("&", "")


def choose_by_key(person: Person, text: str) -> None:
    """Open the list of choices that has the focus, go to a choice and take it."""
    box = person.focused
    assert isinstance(box, QComboBox)
    rows = [i for i in range(box.count()) if box.itemText(i).startswith(text)]
    assert rows, f"{says(box)} does not offer {text!r}"
    QTest.keyClick(box, Qt.Key.Key_Down, ALT)
    view = box.view()
    assert view is not None
    person.until(view.isVisible)
    QTest.keyClick(view, Qt.Key.Key_Home)
    for _ in range(rows[0]):
        QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Return)
    person.until(lambda: not view.isVisible())
    person.come_back()


def type_number(person: Person, name: str, value: str) -> None:
    """Go to a box by Tab, type a number and press Enter."""
    person.tab_to(named(name))
    person.key(Qt.Key.Key_A, CONTROL)
    person.type(value)
    person.key(Qt.Key.Key_Return)


def test_without_a_mouse_from_opening_a_map_to_its_composition(
    person: Person, made_demo: Path
) -> None:
    file = Path(shutil.copy(made_demo / "demo.hspy", person.folder / "keys.hspy"))
    person.tab_to(named("Open a map or a recipe…"))
    person.files.waiting.append(file)
    person.key(Qt.Key.Key_Space)
    person.until(lambda: person.workspace.document is not None)
    person.result("read")

    person.tab_to(named("choose elements"))
    person.key(Qt.Key.Key_Space)
    dialog = person.dialog(PeriodicTableDialog)
    person.until(lambda: dialog.line.hasFocus())
    person.key(Qt.Key.Key_A, CONTROL)
    person.type("O, Mg, Al, Si, Ca, Fe, Nd, Sm, U")
    person.tab_to(lambda widget: widget.parent() is dialog.table, 6)
    person.type("cu")
    person.key(Qt.Key.Key_Space)
    person.key(Qt.Key.Key_Space)
    person.key(Qt.Key.Key_Return)
    person.come_back()
    person.until(lambda: person.recipe.sample.elements[:2] == ("O", "Mg"))
    assert person.recipe.sample.system_elements == ("Cu",)

    person.page("components")
    type_number(person, "number of components", "3")
    person.result("decomposition")

    person.page("masks")
    person.tab_to(named("add"))
    person.key(Qt.Key.Key_Space)
    person.until(lambda: len(person.recipe.precipitates) == 1)
    person.type("Fp")
    person.key(Qt.Key.Key_Return)
    person.tab_to(named("absent element"))
    choose_by_key(person, "Si")
    draw_by_numbers(person, (23, 12, 10, 10))
    masks = person.result("masks").partition
    assert masks.components["Fp"].sum() > 20

    page = person.page("composition")
    person.result("quantification")
    person.tab_to(named("composition shown"))
    choose_by_key(person, "Fp, mask")
    shown = table_of(page.table)
    magnesium, iron = (float(shown[e]["value\n(at.%)"]) for e in ("Mg", "Fe"))
    assert magnesium / iron == pytest.approx(41.0 / 8.3, rel=0.2)  # as simulated
    assert shown["Si"]["value\n(at.%)"] == "assumed absent"
    person.tab_to(named("composition table"))
    person.key(Qt.Key.Key_Down)
    assert person.workspace.focus.element
    saved = person.folder / "keys.toml"
    person.save_as(saved)


def draw_by_numbers(person: Person, box: tuple[int, int, int, int]) -> None:
    """Type the place of a rectangle into the boxes and press Add."""
    sides = ("left edge (x)", "upper edge (y)", "width", "height")
    for side, value in zip(sides, box, strict=True):
        type_number(person, f"{side} of the rectangle", str(value))
    person.tab_to(named("Add a rectangle with these numbers"))
    person.key(Qt.Key.Key_Space)
    assert person.recipe.precipitates[0].rectangles[0].box == box


# --- every control -----------------------------------------------------------------------------

INTERACTIVE = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QGraphicsView,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
)


def is_part_of_another(widget: QWidget) -> bool:
    """Whether Qt made it as a part of a control: the line of a box, the buttons of a tool bar."""
    if isinstance(widget, QScrollBar) or widget.objectName().startswith("qt_"):
        return True
    if type(widget).__name__ in ("QTableCornerButton", "QDockWidgetTitleButton"):
        return True
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QComboBox | QAbstractSpinBox | QTabBar | QAbstractItemView):
            return True
        if isinstance(parent, QLineEdit | QDockWidget) and type(widget) is QAbstractButton:
            return True
        if isinstance(parent, QLineEdit):  # the cross that empties it
            return True
        parent = parent.parentWidget()
    return False


def controls(root: QWidget) -> list[QWidget]:
    """All controls of a window that a person can use now."""
    found = [w for w in root.findChildren(QWidget) if isinstance(w, INTERACTIVE)]
    return [
        w
        for w in found
        if w.isVisible() and w.isEnabled() and w.window() is root and not is_part_of_another(w)
    ]


def faults_of(root: QWidget) -> list[str]:
    """What controls lack: a tooltip, a name for a screen reader, a way by Tab.

    A click on a small plot has a number box beside it.
    """
    listed = [w for w in controls(root) if not isinstance(w, SmallPlot)]
    assert len(listed) > 1
    reached = reached_by_tab(root)
    faults = []
    for widget in listed:
        if not has_tooltip(widget):
            faults.append(f"{says(widget)} has no tooltip")
        if not widget.accessibleName() and not text_of(widget):
            faults.append(f"{says(widget)} has no accessible name: {widget.toolTip()}")
        if widget not in reached and not is_of_reached_group(widget, reached):
            faults.append(f"{says(widget)} is not reached by Tab: {widget.toolTip()}")
    return faults


def has_tooltip(widget: QWidget) -> bool:
    """Whether a control explains itself, or each tab or row of it, or the plot that it is in."""
    if isinstance(widget, QGraphicsView) and isinstance(widget.parent(), SpectrumView):
        return bool(widget.parent().toolTip())
    if isinstance(widget, QTabBar):
        return all(widget.tabToolTip(i) for i in range(widget.count()))
    if isinstance(widget, QAbstractItemView) and not widget.toolTip():
        model = widget.model()
        rows = 0 if model is None else model.rowCount()
        told = Qt.ItemDataRole.ToolTipRole
        return model is not None and all(model.index(i, 0).data(told) for i in range(rows))
    return bool(widget.toolTip())


def reached_by_tab(root: QWidget) -> set[QWidget]:
    """Where Tab leads, from wherever it begins until it comes round."""
    reached: set[QWidget] = set()
    still = 0
    while still < 40:
        found = root.focusWidget()
        focused = root if found is None else found  # an empty list of choices is falsy
        still = still + 1 if focused in reached else 0
        reached.add(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    return reached


def is_of_reached_group(widget: QWidget, reached: set[QWidget]) -> bool:
    """Whether arrows lead to it from another button of its group, or a key of the menu bar."""
    if isinstance(widget, QAbstractButton):
        group = widget.group()
        if group is not None and group.exclusive():
            return any(button in reached for button in group.buttons())
        parent = widget.parentWidget()
        return isinstance(parent, QToolBar)  # each of its buttons is in a menu, with a key
    return False


@pytest.fixture
def furnished(demo: Person) -> Person:
    """The demo with a region of interest and an energy window."""
    page = demo.page("map")
    demo.until(lambda: page.gallery.grid.views)
    demo.click(page.tools.buttons["R"])
    demo.draw_box(page.gallery.grid.views[0].canvas, (5, 5, 10, 10))
    demo.click(demo.window.spectrum.windows.draw)
    demo.drag_energies(demo.window.spectrum.view, 5.0, 8.0)
    demo.result("quantification")
    return demo


@pytest.mark.parametrize("name", PAGES)
def test_every_control_of_a_page_says_what_it_is_and_is_reached_by_tab(
    furnished: Person, name: str
) -> None:
    page = furnished.page(name)
    for section in getattr(getattr(page, "panel", None), "sections", {}).values():
        section.open()
    furnished.qtbot.wait(50)
    faults = faults_of(furnished.window)
    assert faults == [], "\n".join(faults)


def test_every_control_of_the_tabs_of_statistics_says_what_it_is_and_is_reached_by_tab(
    furnished: Person,
) -> None:
    page = furnished.page("statistics")
    faults = []
    for index in range(1, page.tabs.count()):
        furnished.click(page.tabs, page.tabs.tabRect(index).center())
        furnished.qtbot.wait(50)
        faults += [f"{page.part.title}: {fault}" for fault in faults_of(furnished.window)]
    furnished.click(page.tabs, page.tabs.tabRect(0).center())
    assert faults == [], "\n".join(faults)


def test_every_control_of_the_first_page_says_what_it_is_and_is_reached_by_tab(
    person: Person,
) -> None:
    faults = faults_of(person.window)
    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize("name", ["Shortcuts", "Show the log", "About Endmember"])
def test_every_control_of_a_dialog_of_the_help_menu_says_what_it_is(
    demo: Person, name: str
) -> None:
    demo.menu("Help", name)
    dialog: Any = demo.dialog(QDialog)
    faults = faults_of(dialog)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    demo.until(lambda: not any_dialog())
    demo.come_back()
    assert faults == []


def test_every_control_of_the_periodic_table_says_what_it_is(demo: Person) -> None:
    demo.page("map")
    demo.click(demo.button("Elements…"))
    dialog = demo.dialog(PeriodicTableDialog)
    faults = [fault for fault in faults_of(dialog) if "ElementCell" not in fault]
    cells = dialog.table.findChildren(QAbstractButton)
    nameless = [says(cell) for cell in cells if not cell.accessibleName()]
    assert "keV" in dialog.table.tip("Fe")  # told anew whenever the pointer rests on a cell
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    demo.until(lambda: not any_dialog())
    demo.come_back()
    assert faults == []
    assert nameless == []
    assert len(cells) == 98


def any_dialog() -> bool:
    return any(isinstance(w, QDialog) and w.isVisible() for w in QApplication.topLevelWidgets())


def test_every_control_of_the_question_before_closing_says_what_it_is(furnished: Person) -> None:
    faults: list[str] = []

    with furnished.answering("Cancel", lambda box: faults.extend(faults_of(box))):
        furnished.key(Qt.Key.Key_Q, CONTROL)
    furnished.come_back()
    assert faults == [], "\n".join(faults)
