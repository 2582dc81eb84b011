"""Walks through the window, from a file to a composition, with real mouse and key events."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QTableView,
    QWidget,
)
from scipy.ndimage import find_objects, gaussian_filter, label

from endmember.__main__ import run_command
from endmember.demo import prepare_demo
from endmember.session import edits
from endmember.session.document import Document
from endmember.ui import logbook
from endmember.ui.workspace import PAGES
from hands import LEFT, Person, person

__all__ = ["person"]
CONTROL = Qt.KeyboardModifier.ControlModifier
BRG = "endmember-brg"


def largest_patch(array: np.ndarray[Any, Any], margin: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the largest bright patch, as an eye sees it, with a margin."""
    smooth = gaussian_filter(array, 1.5)
    high = smooth > 0.5 * (np.percentile(smooth, 99.5) + np.median(smooth))
    patches, _ = label(high)
    sizes = np.bincount(patches.ravel())[1:]
    rows, columns = find_objects(patches)[int(np.argmax(sizes))]
    bottom, right = array.shape
    return (
        max(columns.start - margin, 0),
        max(rows.start - margin, 0),
        min(columns.stop + margin, right),
        min(rows.stop + margin, bottom),
    )


def draw_patch(person: Person, component: int, margin: int = 4) -> tuple[int, int, int, int]:
    """Draw a rectangle round the largest patch of a component map."""
    page = person.go_to("masks")
    maps = person.result("decomposition").maps_of(person.workspace.focus.map_name)
    left, top, right, bottom = largest_patch(maps[component], margin)
    person.keys(page.map.canvas, Qt.Key.Key_R)
    if not page.key_tool("R"):
        raise AssertionError("the page has no rectangle tool")
    middle = (left + right) / 2, (top + bottom) / 2
    person.drag(page.map.canvas, (left + 0.2, top + 0.2), middle, (right - 0.2, bottom - 0.2))
    return left, top, right, bottom


def component_of(person: Person, low_keV: float, high_keV: float) -> int:
    """The component with the largest share of its counts in a window."""
    decomposed, axis = person.result("decomposition"), person.workspace.data.image.axis
    return int(np.argmax(decomposed.found.spectra[:, axis.span(low_keV, high_keV)].sum(axis=1)))


def atomic_percents(rows: list[dict[str, str]], phase: str) -> dict[str, float]:
    return {
        row["element"]: float(row["atomic_percent"])
        for row in rows
        if row["phase"] == phase and row["source"] == "mask" and row["atomic_percent"]
    }


def test_a_real_map_from_file_to_a_composition_that_the_command_line_repeats(
    person: Person, shared: Path
) -> None:
    person.open(shared / "data/real/hspy/88_ES-LP_G8_selection2_cropped2.hspy")
    person.choose_elements(
        "Mg, Al, Si, Ca, Fe, Nd, Sm, Hf, Lu, U", ("Cu", "Ga", "Mo", "Cl", "Co", "Zr")
    )
    recipe = person.workspace.recipe
    assert recipe.sample.elements == ("Mg", "Al", "Si", "Ca", "Fe", "Nd", "Sm", "Lu", "Hf", "U")
    assert "Zr" in recipe.sample.system_elements

    page = person.go_to("components")
    person.until(lambda: page.panel.scree.scree is not None)
    plot = page.panel.scree
    box = plot.box
    place = plot.mapFromScene(box.mapViewToScene(QPointF(4.0, box.viewRect().center().y())))
    person.qtbot.mouseClick(plot.viewport(), LEFT, pos=place)
    person.until(lambda: person.workspace.recipe.decomposition.components == 4)

    page = person.go_to("masks")
    person.click(page.side.precipitates.add)
    person.until(lambda: len(person.workspace.recipe.precipitates) == 1)
    iron = component_of(person, 6.2, 6.6)
    draw_patch(person, iron)
    person.until(lambda: person.workspace.recipe.precipitates[0].rectangles)
    person.result("masks")

    page = person.go_to("phases")
    person.until(lambda: page.absent.topLevelItemCount() > 5)
    for row in range(page.absent.topLevelItemCount()):
        item = page.absent.topLevelItem(row)
        if "Si" in item.text(0):
            page.absent.setFocus()
            page.absent.setCurrentItem(item)
            person.keys(page.absent, Qt.Key.Key_Return)
    person.until(lambda: person.workspace.recipe.precipitates[0].absent == "Si")
    person.result("quantification")

    page = person.go_to("composition")
    person.until(lambda: page.table.model().rowCount() >= 10)
    page.entry_box.setFocus()
    person.keys(page.entry_box, Qt.Key.Key_Home)
    assert page.entry_box.currentText().startswith("Matrix")
    # bridgmanite, (Mg, Fe)SiO3, with some Al and Ca in place of Mg
    mg, si = (float(person.cell(e, "value\n(at.%)")) for e in ("Mg", "Si"))
    assert 0.8 < mg / si < 1.0

    before = person.workspace.result("quantification")
    person.go_to("masks")
    page = person.window.page("masks")
    person.keys(page.map.canvas, Qt.Key.Key_V)
    page.key_tool("V")
    x, y, width, height = person.workspace.recipe.precipitates[0].rectangles[0].box
    person.drag(
        page.map.canvas, (x + width / 2, y + height / 2), (x + width / 2 - 2, y + height / 2 + 1)
    )
    person.until(lambda: person.workspace.recipe.precipitates[0].rectangles[0].box[:2] != (x, y))
    moved = person.result("quantification")
    assert moved is not before
    person.press(Qt.Key.Key_Z, CONTROL)
    person.until(lambda: person.workspace.result("quantification") is before)
    person.until(person.window.actions_.redo.isEnabled)
    person.press(Qt.Key.Key_Y, CONTROL)
    person.until(lambda: person.workspace.result("quantification") is moved)

    recipe_file = person.folder / "walk.toml"
    person.answer(recipe_file)
    person.press(Qt.Key.Key_S, CONTROL)
    person.until(recipe_file.exists)
    assert not person.workspace.document.modified
    person.rest()
    person.answer(person.folder / "results")
    person.menu("Export results…")
    person.until((person.folder / "results" / "run.json").exists)

    person.menu("Close document")
    person.until(lambda: person.workspace.document is None)
    person.open(recipe_file)
    again = person.result("quantification")
    assert [row.atomic_percent for e in again.entries for row in e.composition.rows] == [
        row.atomic_percent for e in moved.entries for row in e.composition.rows
    ]

    out = person.folder / "run"
    assert run_command(["run", str(recipe_file), "--out", str(out)]) == 0
    table = (out / "composition.csv").read_bytes()
    assert (person.folder / "results" / "composition.csv").read_bytes() == table
    rows = list(csv.DictReader(table.decode().splitlines()))
    phase = person.workspace.recipe.precipitates[0].name
    left = atomic_percents(rows, phase)
    assert left["Mg"] == pytest.approx(86.6, abs=4.0)
    assert left["Fe"] == pytest.approx(10.9, abs=3.0)


@pytest.mark.parametrize(
    ("file", "elements", "window", "image"),
    [
        (
            "emd_velox/fei_emd_files/fei_SI_SuperX-HAADF_10frames_10x50.emd",
            "O, Al, Si, Ti, Sr",
            (1.6, 1.9),
            "HAADF",
        ),
        ("jeol/JEOL_eds/64.pts", "C, O, Si, Fe", (0.4, 0.65), None),
    ],
)
def test_maps_of_other_makers_are_opened_and_worked_on(
    person: Person,
    shared: Path,
    file: str,
    elements: str,
    window: tuple[float, float],
    image: str | None,
) -> None:
    person.open(shared / "data/real" / file)
    data = person.result("read")
    person.choose_elements(elements)
    page = person.go_to("map")
    person.until(lambda: page.is_current)
    titles = [view.title for view in page.gallery.grid.shown_views()]
    assert (image in titles) == (image is not None)
    assert "All counts" in titles

    # an energy window dragged on the spectrum gives its map at once
    spectrum = person.window.spectrum
    person.until(lambda: spectrum._shown is not None)
    spectrum.view.zoom_to(0.3, 4.0)
    person.qtbot.wait(50)
    person.click(spectrum.windows.draw)
    plot = spectrum.view.plot
    port, box = plot.canvas.viewport(), plot.box.geometry()
    places = [QPointF(box.left() + plot.frame.x(x), box.center().y()).toPoint() for x in window]
    person.qtbot.mousePress(port, LEFT, pos=places[0])
    person.qtbot.mouseMove(port, (places[0] + places[1]) / 2)
    person.qtbot.mouseMove(port, places[1])
    person.qtbot.mouseRelease(port, LEFT, pos=places[1])
    person.until(lambda: len(person.workspace.recipe.windows) == 1)
    assert person.workspace.recipe.windows[0].range_keV == pytest.approx(window, abs=0.05)
    person.until(lambda: any(v.title.startswith("W1") for v in page.gallery.grid.shown_views()))

    # a region of interest has a spectrum of its own
    rows, columns = data.image.rows, data.image.columns
    page.key_tool("R")
    canvas = page.gallery.grid.views[0].canvas
    person.drag(
        canvas,
        (0.2 * columns, 0.2 * rows),
        (0.5 * columns, 0.3 * rows),
        (0.8 * columns, 0.4 * rows),
    )
    person.until(lambda: len(person.workspace.recipe.maps[0].rois) == 1)
    person.until(lambda: spectrum._shown.name.startswith("roi"))
    x, y, width, height = (
        round(side) for side in person.workspace.recipe.maps[0].rois[0].rectangle
    )
    inside = np.zeros((rows, columns), dtype=bool)
    inside[y : y + height, x : x + width] = True
    assert spectrum._shown.counts.sum() == data.image.spectrum(inside).counts.sum()

    # a drawn rectangle ends in a composition, or in a sentence that says why not
    draw_patch(person, 1, margin=2)
    person.until(lambda: person.workspace.recipe.precipitates)
    session = person.workspace.session
    person.rest()
    composed = person.workspace.result("quantification")
    told = [failure.message for _, _, failure in session.failures()]
    for step in ("masks", "subtraction"):
        told += list(getattr(person.workspace.result(step), "failures", {}).values())
    assert composed is not None or told
    assert told, "the precipitate has no absent element, which has to be said"
    assert all(len(sentence) > 20 for sentence in told)


@pytest.fixture
def demo(person: Person) -> Person:
    """The demo at 64 pixels, all computed."""
    path = prepare_demo(person.folder / "demo", 64, lambda _: None)
    person.open(path)
    person.result("quantification")
    person.rest()
    return person


def test_a_moved_rectangle_is_one_undo_and_changes_everything_after_it_in_order(
    demo: Person,
) -> None:
    page = demo.go_to("masks")
    demo.until(lambda: page.map.array is not None)
    page.key_tool("V")
    steps: list[str] = []
    demo.window.runner.step_done.connect(lambda step, _: steps.append(step))
    before = demo.workspace.recipe
    x, y, width, height = before.precipitates[0].rectangles[8].box
    centre = x + width / 2, y + height / 2
    demo.drag(page.map.canvas, centre, (centre[0] - 1, centre[1]), (centre[0] - 2, centre[1] + 1))
    demo.until(lambda: demo.workspace.recipe != before)
    composition = demo.window.page("composition")
    composition.refresh()
    assert composition.veil.isVisibleTo(composition.body)
    demo.result("quantification")
    demo.rest()
    assert steps == ["masks", "subtraction", "abundance", "quantification"]
    composition.refresh()
    assert not composition.veil.isVisibleTo(composition.body)
    demo.press(Qt.Key.Key_Z, CONTROL)
    demo.until(lambda: demo.workspace.recipe == before)
    assert demo.workspace.state("composition") == "done"


def test_a_failing_precipitate_says_so_on_its_page_and_leaves_the_others(demo: Person) -> None:
    page = demo.go_to("masks")
    box = page.side.precipitates.absent
    demo.until(lambda: box.count() > 3)
    demo.choose(box, "U")  # hardly any in this matrix at 64 pixels
    demo.until(lambda: demo.workspace.recipe.precipitates[0].absent == "U")
    demo.rest()
    phases = demo.result("subtraction")
    assert set(phases.failures) == {"Fp"}
    assert "CaPv" in phases.subtractions
    page = demo.go_to("phases")
    demo.until(lambda: page.banner.isVisible())
    found = demo.result("quantification")
    assert "CaPv" in [entry.phase for entry in found.entries]


def test_cancel_stops_a_long_step_and_run_again_goes_on(demo: Person) -> None:
    page = demo.go_to("components")
    demo.set_number(page.panel.components, "6")
    demo.until(
        lambda: (
            demo.window.runner.running is not None
            and demo.window.runner.running.step == "decomposition"
        )
    )
    demo.press(Qt.Key.Key_Period, CONTROL)
    demo.until(lambda: demo.window.runner.running is None, timeout=5000)
    if demo.workspace.result("decomposition") is None:  # it may have been done before the key
        assert demo.workspace.state("components") == "failed"
        assert "stopped" in demo.workspace.shown("decomposition").failure
        demo.press(Qt.Key.Key_F5)
    demo.result("decomposition")


def test_closing_while_something_runs_is_clean(demo: Person) -> None:
    demo.workspace.edit(edits.set_decomposition, components=7)
    demo.until(lambda: demo.window.runner.running is not None)
    demo.patch.setattr("endmember.ui.dialogs.ask_save", lambda *_: "discard")
    demo.window.close()
    assert not demo.window.isVisible()
    assert demo.window.runner.running is None or demo.window.runner.running.stop.is_set()


def test_closing_with_unsaved_decisions_asks_and_cancel_keeps_the_window(demo: Person) -> None:
    demo.workspace.edit(edits.rename_matrix, BRG)
    asked: list[str] = []
    demo.patch.setattr(
        "endmember.ui.dialogs.ask_save", lambda _, name: asked.append(name) or "cancel"
    )
    demo.window.close()
    assert asked == ["demo.toml"]
    assert demo.window.isVisible()


@pytest.mark.qt_no_exception_capture
def test_an_exception_in_a_slot_is_told_and_logged_and_the_window_lives_on(
    demo: Person, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    logbook.install(lambda: demo.window)
    demo.patch.setattr(demo.window, "told", told.append)
    try:
        with caplog.at_level(logging.ERROR):
            QTimer.singleShot(0, lambda: [][1])
            demo.until(lambda: told, timeout=5000)
        assert "IndexError" in caplog.text
    finally:
        logbook.uninstall()
    demo.go_to("abundance")
    assert demo.window.isVisible()


def test_a_dropped_file_is_opened_and_stands_among_the_recent_ones(demo: Person) -> None:
    copy = demo.folder / "copy.toml"
    copy.write_text(
        (demo.folder / "demo/demo.toml").read_text().replace("demo.hspy", "demo/demo.hspy")
    )
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(copy))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        LEFT,
        Qt.KeyboardModifier.NoModifier,
    )
    demo.window.dropEvent(event)
    demo.until(lambda: demo.workspace.document.title == "copy.toml")
    assert demo.window.preferences.recent_files[0] == copy
    demo.window.actions_.refresh()
    assert str(copy) in [a.text() for a in demo.window.actions_.recent.actions()]


def test_a_file_that_cannot_be_opened_is_told_and_the_document_stays(demo: Person) -> None:
    bad = demo.folder / "bad.toml"
    bad.write_text('format = "endmember-recipe-1"\nmaps = 3\n')
    document = demo.workspace.document
    said: list[Any] = []
    demo.workspace.said.connect(said.append)
    demo.answer(bad)
    demo.menu("Open…")
    assert demo.workspace.document is document
    assert "bad.toml" in said[0].text
    assert "maps" in said[0].text


def test_the_keyboard_alone_leads_from_opening_to_a_composition(demo: Person) -> None:
    demo.workspace.document.save()
    path = demo.workspace.document.path
    demo.press(Qt.Key.Key_O, CONTROL)  # answered with the demo's own recipe
    demo.until(lambda: demo.workspace.document.path == path)
    page = demo.go_to("masks")
    rectangles = page.side.rectangles
    demo.until(lambda: rectangles.list.count() > 0)
    rectangles.list.setFocus()
    demo.keys(rectangles.list, Qt.Key.Key_Down, Qt.Key.Key_Up)
    before = demo.workspace.recipe
    demo.keys(rectangles.list, Qt.Key.Key_Delete)
    demo.until(lambda: demo.workspace.recipe != before)
    page = demo.go_to("composition")
    demo.result("quantification")
    page.table.setFocus()
    demo.keys(page.table, Qt.Key.Key_Down, Qt.Key.Key_Down)
    assert demo.workspace.focus.element


INTERACTIVE = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QListWidget, QTableView)


def _own(widget: QWidget) -> bool:
    """Whether a widget is ours and not part of one of Qt's own."""
    parent = widget.parentWidget()
    inside = ("QComboBox", "QDockWidget", "QSpinBox", "QDoubleSpinBox", "QToolBar", "QTabBar")
    while parent is not None:
        if any(parent.inherits(kind) for kind in inside) or isinstance(parent, QAbstractSpinBox):
            return False
        if type(parent).__name__ in ("QMenuBar", "QDialogButtonBox", "QTableCornerButton"):
            return False
        parent = parent.parentWidget()
    return not widget.objectName().startswith("qt_")


@pytest.mark.parametrize("name", PAGES)
def test_every_control_has_a_tooltip_an_accessible_name_and_the_focus_by_tab(
    demo: Person, name: str
) -> None:
    page = demo.go_to(name)
    nameless, hintless, unreachable = [], [], []
    for top in (page.view, page.settings, demo.window.spectrum, demo.window.messages):
        for widget in top.findChildren(QWidget):
            if not isinstance(widget, INTERACTIVE) or not _own(widget):
                continue
            about = f"{type(widget).__name__} {widget.accessibleName() or widget.toolTip()}"
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            if not widget.accessibleName() and not text:
                nameless.append(about)
            if not widget.toolTip():
                hintless.append(f"{about} {text}")
            group = widget.group() if isinstance(widget, QAbstractButton) else None
            if group is not None and group.exclusive():
                continue  # Tab leads to the chosen one of a group, arrows to the others
            if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(
                widget, QTableView
            ):
                unreachable.append(f"{about} {text}")
    assert {"nameless": nameless, "hintless": hintless, "unreachable": unreachable} == {
        "nameless": [],
        "hintless": [],
        "unreachable": [],
    }


def test_a_recipe_saved_half_done_opens_as_it_was(person: Person, shared: Path) -> None:
    person.open(shared / "data/real/hspy/bare_core.hspy")
    person.result("read")
    page = person.go_to("masks")
    person.click(page.side.precipitates.add)
    person.until(lambda: person.workspace.recipe.precipitates)
    recipe = person.workspace.recipe
    file = person.folder / "half.toml"
    person.answer(file)
    person.press(Qt.Key.Key_S, CONTROL)
    person.until(file.exists)
    assert Document.open(file).session.recipe == recipe
