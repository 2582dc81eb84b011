"""Walks through the demo: what follows a gesture, what fails, what is stopped, what is asked."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QCommandLinkButton

from endmember.session.decisions import edits
from endmember.session.steps.chain import FROM_COMPOSITIONS
from endmember.ui.document.workspace import PAGES
from endmember.ui.pages.masks.live_preview import LATE_ms
from endmember.ui.pages.masks.mask_drawing import Key
from endmember.ui.program import logbook
from walk import CONTROL, LEFT, NO, Person, table_of
from walk import person as person
from walk_demo import demo as demo
from walk_demo import left_open as left_open
from walk_demo import made_demo as made_demo
from walk_demo import own_demo as own_demo

GRAIN = 8  # a rectangle of Fp with room on every side


def hold_the_worker(person: Person) -> Callable[[], None]:
    """Keep the worker busy until what is returned is called, so that results stay out of date."""
    go_on = threading.Event()
    person.window.runner.run_task("waiting", lambda _: go_on.wait(30), lambda _: None)
    return go_on.set


def grab_rectangle(person: Person) -> tuple[Any, tuple[float, float]]:
    """The map of the Masks page with the tool that selects, and the middle of a rectangle."""
    page = person.page("masks")
    person.until(lambda: page.map.array is not None)
    person.click(page.tools.buttons["select"])
    x, y, width, height = person.recipe.precipitates[0].rectangles[GRAIN].box
    return page, (x + width / 2, y + height / 2)


def move_rectangle(person: Person, dx: int, dy: int) -> Any:
    """Drag a rectangle; returns the page of the masks."""
    page, (x, y) = grab_rectangle(person)
    before = person.recipe.precipitates[0].rectangles[GRAIN].box
    person.drag(page.map.canvas, (x, y), (x + dx / 2, y + dy / 2), (x + dx, y + dy))
    box = person.recipe.precipitates[0].rectangles[GRAIN].box
    assert box == (before[0] + dx, before[1] + dy, before[2], before[3])
    return page


# --- what follows a gesture ------------------------------------------------------------------


def test_one_drag_is_one_undo_and_its_numbers_come_back_exactly(demo: Person) -> None:
    recipe, table = demo.recipe, shown_table(demo)
    move_rectangle(demo, -2, 1)
    assert demo.decided() == 1
    demo.result("quantification")
    moved = shown_table(demo)
    assert moved != table
    demo.key(Qt.Key.Key_Z, CONTROL)
    assert demo.recipe == recipe
    assert shown_table(demo) == table
    demo.key(Qt.Key.Key_Y, CONTROL)
    assert shown_table(demo) == moved
    assert demo.decided() == 1


def shown_table(person: Person) -> list[tuple[str, str]]:
    """Elements and values that the composition page shows for Fp, once they are current."""
    person.result("quantification")
    page = person.page("composition")
    person.until(lambda: page.stack.currentIndex() == 1 and not page.veil.isVisible())
    person.choose(page.entry_box, "Fp, mask")
    return [(element, cells["net\n(counts)"]) for element, cells in table_of(page.table).items()]


def test_mask_spectra_composition_and_abundance_follow_a_moved_rectangle_in_this_order(
    demo: Person,
) -> None:
    steps: list[str] = []
    demo.window.runner.step_done.connect(lambda step, _: steps.append(step))
    move_rectangle(demo, -1, 1)
    demo.result("quantification")
    demo.rest()
    assert steps == ["masks", "subtraction", "quantification", "abundance", *FROM_COMPOSITIONS]


def test_what_is_out_of_date_is_greyed_until_it_is_current(demo: Person) -> None:
    for name in ("phases", "abundance", "composition"):
        demo.page(name)
    go_on = hold_the_worker(demo)
    page = move_rectangle(demo, 1, 1)
    demo.until(page.veil.isVisible)
    states = {name: demo.workspace.state(name) for name in ("components", "masks", "composition")}
    assert states == {"components": "done", "masks": "due", "composition": "due"}
    for name in ("phases", "abundance", "composition"):
        demo.until(demo.page(name).veil.isVisible)
    go_on()
    demo.result("quantification")
    demo.rest()
    for name in ("masks", "phases", "abundance", "composition"):
        veil = demo.page(name).veil
        demo.until(lambda veil=veil: not veil.isVisible())


def test_escape_in_the_middle_of_a_drag_decides_nothing(demo: Person) -> None:
    page, (x, y) = grab_rectangle(demo)
    recipe = demo.recipe
    demo.press(page.map.canvas, (x, y))
    demo.move(page.map.canvas, (x - 3, y))
    demo.key(Qt.Key.Key_Escape)
    demo.release(page.map.canvas, (x - 3, y))
    assert demo.recipe == recipe
    assert demo.decided() == 0


def test_a_nudge_undone_before_the_page_is_drawn_leaves_no_trace(demo: Person) -> None:
    move_rectangle(demo, 1, -1)  # something can be undone already
    page, middle = grab_rectangle(demo)
    demo.click_map(page.map.canvas, middle)
    demo.rest()
    recipe, box = demo.recipe, demo.recipe.precipitates[0].rectangles[GRAIN].box
    for key, modifier in ((Qt.Key.Key_Right, NO), (Qt.Key.Key_Z, CONTROL)):  # in one turn
        QTest.keyClick(page.map.canvas, key, modifier)
    assert demo.recipe is recipe
    demo.rest()
    demo.qtbot.wait(2 * LATE_ms)  # a preview that was asked for would be there by now
    shown = page.drawing.tool._shapes[Key("rectangle", "Fp", GRAIN)].geometry
    assert shown == box
    assert page.drawing.preview.shown is None


# --- what fails or is stopped ----------------------------------------------------------------


def test_a_precipitate_that_cannot_be_subtracted_says_why_and_leaves_the_others_usable(
    demo: Person,
) -> None:
    page = demo.page("masks")
    demo.choose(page.side.precipitates.absent, "U")  # the matrix holds next to none of it
    demo.until(lambda: demo.recipe.precipitates[0].absent == "U")
    demo.rest()
    page = demo.page("phases")
    demo.until(page.banner.isVisible)
    sentence = page.banner.text
    assert "U" in sentence
    assert "Fp" in sentence
    demo.key(Qt.Key.Key_2)  # the second precipitate
    demo.until(lambda: demo.workspace.focus.precipitate == "CaPv")
    demo.until(lambda: not page.banner.isVisible() and page._view is not None)
    page = demo.page("composition")
    offered = [page.entry_box.itemText(i) for i in range(page.entry_box.count())]
    assert any(text.startswith("CaPv, mask") for text in offered)
    assert not any(text.startswith("Fp, mask") for text in offered)
    demo.choose(page.entry_box, "CaPv, mask")
    assert table_of(page.table)["Ca"]["state"] == "quantifiable"


def test_cancel_stops_the_decomposition_and_run_again_goes_on(demo: Person) -> None:
    page = demo.page("components")
    demo.fill(page.panel.components, "4")
    demo.key(Qt.Key.Key_Period, CONTROL)
    demo.until(lambda: demo.window.runner.running is None)
    assert demo.workspace.state("components") == "failed"
    demo.until(page.banner.isVisible)
    assert "stopped before it was done" in demo.told("error")
    demo.click(demo.button("Run again", page.view))
    demo.result("decomposition")
    demo.until(lambda: not page.banner.isVisible())
    assert demo.workspace.state("components") == "done"


def test_closing_in_the_middle_of_work_asks_then_ends_every_thread(own_demo: Person) -> None:
    page = own_demo.page("components")
    own_demo.fill(page.panel.components, "8")
    runner = own_demo.window.runner
    assert runner.running is not None
    with own_demo.answering("Don't save") as asked:
        own_demo.key(Qt.Key.Key_Q, CONTROL)
    assert "demo.toml" in asked[0]
    assert not own_demo.window.isVisible()
    own_demo.until(lambda: not runner._steps.is_alive() and not runner._live.is_alive())


def test_closing_with_unsaved_decisions_asks_and_the_answer_counts(own_demo: Person) -> None:
    move_rectangle(own_demo, -2, 1)
    own_demo.rest()
    assert own_demo.window.isWindowModified()
    with own_demo.answering("Cancel"):
        own_demo.menu("File", "Quit")
    own_demo.come_back()
    assert own_demo.window.isVisible()
    saved = (own_demo.folder / "demo" / "demo.toml").read_bytes()
    with own_demo.answering("Save"):
        own_demo.menu("File", "Quit")
    assert not own_demo.window.isVisible()
    assert (own_demo.folder / "demo" / "demo.toml").read_bytes() != saved


@pytest.mark.qt_no_exception_capture
def test_a_fault_in_a_slot_is_told_and_logged_and_the_window_lives_on(
    demo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise ZeroDivisionError("a fault made for a test")

    monkeypatch.setenv(logbook.FOLDER_VARIABLE, str(demo.folder / "log"))
    page = demo.page("abundance")
    monkeypatch.setattr(page, "one_to_one", fails)
    logbook.install(lambda: demo.window)
    try:
        demo.key(Qt.Key.Key_0, CONTROL)
        demo.until(lambda: "A fault of the program" in demo.told("error"))
        log = (demo.folder / "log" / logbook.FILE_NAME).read_text("utf-8")
    finally:
        logbook.uninstall()
    assert "a fault made for a test" in demo.told("error")
    assert "Traceback" in log
    assert "ZeroDivisionError: a fault made for a test" in log
    move_rectangle(demo, -2, 1)
    demo.result("quantification")


# --- files -----------------------------------------------------------------------------------


def drop(person: Person, file: Path) -> None:
    """Drag a file from elsewhere over the window and let it go."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    copy = Qt.DropAction.CopyAction
    entering = QDragEnterEvent(QPoint(400, 300), copy, data, LEFT, NO)
    QApplication.sendEvent(person.window, entering)
    assert entering.isAccepted()
    QApplication.sendEvent(person.window, QDropEvent(QPointF(400, 300), copy, data, LEFT, NO))


def test_a_dropped_map_opens_and_is_offered_again_on_another_day(
    person: Person, made_demo: Path
) -> None:
    file = Path(shutil.copy(made_demo / "demo.hspy", person.folder / "dropped.hspy"))
    drop(person, file)
    person.result("read")
    assert person.workspace.document.title == "dropped.hspy"
    assert person.recipe.sample.elements  # those that the file lists
    person.menu("File", "Close document")
    person.menu("File", "Open recent", str(file))
    person.until(lambda: person.workspace.document is not None)
    person.start_anew()
    links = person.window.welcome.findChildren(QCommandLinkButton)
    person.click(next(link for link in links if link.text() == "dropped.hspy"))
    person.until(lambda: person.workspace.document is not None)
    person.result("read")


def test_a_file_that_cannot_be_opened_is_told_and_the_document_stays(demo: Person) -> None:
    bad = demo.folder / "bad.toml"
    bad.write_text("format = 3\n")
    document = demo.workspace.document
    demo.files.waiting.append(bad)
    demo.key(Qt.Key.Key_O, CONTROL)
    demo.until(lambda: "bad.toml" in demo.told("error"))
    assert demo.workspace.document is document


def test_a_map_that_does_not_say_its_beam_energy_is_asked_for_it_and_then_read(
    person: Person, made_demo: Path
) -> None:
    file = Path(shutil.copy(made_demo / "demo.hspy", person.folder / "beamless.hspy"))
    with h5py.File(file, "r+") as opened:
        experiment = next(
            group
            for group in opened["Experiments"].values()
            if "EDS_TEM" in group["metadata/Signal"].attrs["signal_type"]
        )
        del experiment["metadata/Acquisition_instrument/TEM"].attrs["beam_energy"]
    person.open(file)
    page = person.window.page("map")
    person.until(page.banner.isVisible)
    assert "beam energy" in person.told("error")
    assert page.panel.facts.beam.isVisible()  # what is asked for is unfolded
    person.fill(page.panel.facts.beam, "200")
    person.result("read")
    person.until(lambda: not page.banner.isVisible())
    assert person.workspace.data.image.beam_energy_keV == 200.0


def test_a_number_typed_into_a_box_is_taken_back_with_the_focus_still_in_the_box(
    demo: Person,
) -> None:
    page = demo.page("masks")
    smoothing = demo.recipe.segmentation.smoothing_px
    demo.fill(page.side.smoothing, "1.5")
    assert demo.recipe.segmentation.smoothing_px == 1.5
    demo.key(Qt.Key.Key_Z, CONTROL)
    assert demo.recipe.segmentation.smoothing_px == smoothing
    demo.key(Qt.Key.Key_Y, CONTROL)
    assert demo.recipe.segmentation.smoothing_px == 1.5


def test_a_name_typed_is_taken_back_with_the_focus_still_in_its_line(demo: Person) -> None:
    page = demo.page("masks")
    demo.fill(page.side.precipitates.name, "Ferropericlase")
    assert demo.recipe.precipitates[0].name == "Ferropericlase"
    demo.key(Qt.Key.Key_Z, CONTROL)
    assert demo.recipe.precipitates[0].name == "Fp"


def test_a_new_precipitate_is_named_and_drawn_without_a_click_between(demo: Person) -> None:
    page = demo.page("masks")
    demo.click(page.tools.buttons["select"])
    demo.click(page.side.precipitates.add)
    demo.type("Grain")
    demo.key(Qt.Key.Key_Return)
    demo.key(Qt.Key.Key_R)  # the habit of those who read the manual; not a letter of the name
    demo.draw_box(page.map.canvas, (30, 40, 8, 8))
    assert demo.recipe.precipitates[-1].name == "Grain"
    assert [r.box for r in demo.recipe.precipitates[-1].rectangles] == [(30, 40, 8, 8)]


def test_what_a_person_has_still_to_decide_is_marked_and_said(own_demo: Person) -> None:
    for precipitate in ("Fp", "CaPv"):
        own_demo.workspace.edit(edits.remove_precipitate, precipitate)
    own_demo.result("quantification")
    own_demo.rest()
    states = {name: own_demo.workspace.state(name) for name in PAGES}
    assert states["masks"] == states["phases"] == "undecided"
    assert states["map"] == states["composition"] == "done"
    assert "is the whole map" in own_demo.told("warning")
    page = own_demo.page("masks")
    own_demo.click(page.side.precipitates.add)
    own_demo.key(Qt.Key.Key_Return)
    own_demo.draw_box(page.map.canvas, (21, 10, 12, 12))
    own_demo.until(lambda: own_demo.workspace.state("masks") == "done")
    own_demo.until(lambda: own_demo.workspace.state("phases") == "undecided")
    own_demo.until(lambda: "choose its absent element" in own_demo.told("warning"))


def test_a_recipe_saved_half_done_opens_as_it_was(own_demo: Person) -> None:
    page = own_demo.page("masks")
    own_demo.click(page.side.precipitates.add)  # a precipitate without rectangles
    assert len(own_demo.recipe.precipitates) == 3
    own_demo.key(Qt.Key.Key_S, CONTROL)
    left = own_demo.recipe
    own_demo.until(lambda: not own_demo.window.isWindowModified())
    own_demo.menu("File", "Close document")
    own_demo.open(own_demo.folder / "demo" / "demo.toml")
    assert own_demo.recipe == left
