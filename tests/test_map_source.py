"""What a person chooses of a file, and a recalibration, with real mouse and key events."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.files.pictures.exporting import write_map_hspy
from endmember.files.reading.reader import describe, map_choices
from endmember.session.decisions.edits import new_recipe
from endmember.session.documents.document import Document
from endmember.session.state.session import Session, run_all
from endmember.session.state.steptable import StepTable
from endmember.session.steps.chain import STEPS
from endmember.ui.pages.map.dataset_dialog import DatasetDialog
from endmember.ui.pages.map.frame_dialog import FrameDialog
from endmember.ui.pages.map.map_page import MapPage
from endmember.ui.program.dialogs import ChooseSignalDialog
from line_spectra import expected_counts
from page_stage import Stage

LEFT, Key = Qt.MouseButton.LeftButton, Qt.Key
TRUE_AXIS = EnergyAxis(0.1, 0.01, 900)
OFFSET_keV, GAIN = -0.03, 1.001  # what puts the axis of the file right
AREAS = {"O": 90.0, "Si": 90.0, "Ca": 30.0, "Fe": 40.0}
SHAPE = (12, 18)
READ = StepTable([STEPS["read"], STEPS["energy_check"]])


def image(seed: int, axis: EnergyAxis, factor: float = 1.0) -> SpectrumImage:
    mean = factor * expected_counts(TRUE_AXIS, AREAS, 3.0)
    rng = np.random.default_rng(seed)
    cube = rng.poisson(np.broadcast_to(mean, (*SHAPE, len(mean)))).astype(np.uint16)
    return replace(
        SpectrumImage.from_array(cube, axis),
        pixel_size_nm=5.0,
        beam_energy_keV=200.0,
        take_off_angle_deg=22.0,
        elements=tuple(AREAS),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map that is off, one that is right, two maps in a file, and arrays without a word."""
    path = tmp_path_factory.mktemp("sources")
    off = EnergyAxis((0.1 - OFFSET_keV) / GAIN, 0.01 / GAIN, TRUE_AXIS.channels)
    write_map_hspy(path / "off.hspy", image(1, off), "off")
    write_map_hspy(path / "right.hspy", image(1, TRUE_AXIS), "right")
    shutil.copy(path / "right.hspy", path / "two.hspy")
    write_map_hspy(path / "weak.hspy", image(2, TRUE_AXIS, 0.3), "weak")
    with h5py.File(path / "two.hspy", "a") as two, h5py.File(path / "weak.hspy") as weak:
        weak.copy(weak["Experiments/weak"], two["Experiments"], "weak")
    cube = np.random.default_rng(3).poisson(0.3, (5, 6, 7, 300)).astype(np.uint16)
    with h5py.File(path / "any.h5", "w") as file:
        file["a/frames"] = cube
        file["b/energy_first"] = np.moveaxis(cube[0], 2, 0)
        file["picture"] = cube[0, :, :, 0]
        file["ratio"] = cube[0] / 2.0
    return path


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage[MapPage]]:
    made = Stage(qtbot, MapPage)
    made.window.resize(1300, 1000)
    yield made
    made.runner.close()


def open_file(stage: Stage[MapPage], file: Path) -> None:
    recipe = new_recipe(file)
    document = Document(recipe)
    document.session = Session(READ, recipe)
    stage.open(document)
    stage.until(lambda: settled(stage))


def settled(stage: Stage[MapPage]) -> bool:
    shown = stage.workspace.shown("read")
    if shown.failure is not None:
        return True
    check = stage.workspace.shown("energy_check")
    return shown.current and check.current and stage.page.is_current


def click(stage: Stage[MapPage], widget: QWidget) -> None:
    stage.until(widget.isVisible)
    QTest.mouseClick(widget, LEFT)


def dialog_of(stage: Stage[MapPage]) -> QDialog:
    source = stage.page.panel.chooser.source
    stage.until(lambda: source.dialog is not None and source.dialog.isVisible())
    assert source.dialog is not None
    return source.dialog


# --- recalibration -------------------------------------------------------------------------------


def test_an_axis_that_is_off_is_told_and_put_right_by_one_click_and_one_undo(
    stage: Stage[MapPage], folder: Path
) -> None:
    open_file(stage, folder / "off.hspy")
    page, banner = stage.page, stage.page.banner
    assert banner.kind == "warning"
    assert "The energy axis is off" in banner.text
    click(stage, banner.action)
    offset, gain = stage.recipe.maps[0].recalibration
    assert offset == pytest.approx(OFFSET_keV, abs=0.001)
    assert gain == pytest.approx(GAIN, abs=0.0004)
    stage.until(lambda: settled(stage) and not banner.isVisible())
    axis = stage.workspace.data.image.axis  # type: ignore[union-attr]
    assert axis.stop_keV == pytest.approx(TRUE_AXIS.stop_keV, abs=0.003)
    assert page.panel.energy.says.text().startswith("Right to")
    assert page.panel.energy.offset.text() == f"{offset:g}"
    stage.workspace.undo()
    assert stage.recipe.maps[0].recalibration == (0.0, 1.0)
    stage.until(lambda: settled(stage) and banner.isVisible())


def test_an_axis_that_is_right_is_not_told(stage: Stage[MapPage], folder: Path) -> None:
    open_file(stage, folder / "right.hspy")
    assert not stage.page.banner.isVisible()
    assert stage.page.panel.energy.says.text().startswith("Right to")


def test_offset_and_gain_are_typed_and_emptied(stage: Stage[MapPage], folder: Path) -> None:
    open_file(stage, folder / "off.hspy")
    panel = stage.page.panel
    panel.sections["energy"].open()
    for field, text in ((panel.energy.offset, "-0.03"), (panel.energy.gain, "1.001")):
        field.setFocus()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Key.Key_Return)
    assert stage.recipe.maps[0].recalibration == (-0.03, 1.001)
    panel.energy.gain.selectAll()
    QTest.keyClicks(panel.energy.gain, "7")
    QTest.keyClick(panel.energy.gain, Key.Key_Return)
    assert stage.recipe.maps[0].recalibration == (-0.03, 1.001)
    assert "energy_gain" in stage.said[-1].text
    panel.energy.offset.setFocus()
    panel.energy.offset.selectAll()
    QTest.keyClick(panel.energy.offset, Key.Key_Delete)
    QTest.keyClick(panel.energy.offset, Key.Key_Return)
    assert stage.recipe.maps[0].energy_offset_keV is None


def test_the_window_and_the_run_tell_the_same(folder: Path) -> None:
    from endmember.session.steps.energy_checks import check_of, off_sentence

    session = Session(READ, new_recipe(folder / "off.hspy"))
    run_all(session)
    check = check_of(session, "off")
    assert check is not None
    said = off_sentence(check, session.recipe.maps[0])
    assert 'map "off": the energy axis is off' in said
    assert "energy_offset_keV = -0.0" in said
    assert "energy_gain = 1.00" in said


# --- several maps --------------------------------------------------------------------------------


def test_a_file_with_two_maps_asks_which_and_the_choice_can_be_changed(
    stage: Stage[MapPage], folder: Path
) -> None:
    open_file(stage, folder / "two.hspy")
    banner = stage.page.banner
    assert "holds 2 signals that could be the map" in banner.text
    click(stage, banner.action)
    dialog = dialog_of(stage)
    assert isinstance(dialog, ChooseSignalDialog)
    rows = [[dialog.table.item(r, c).text() for c in range(5)] for r in range(2)]  # type: ignore[union-attr]
    totals = {row[1]: int(row[4].replace(" ", "")) for row in rows}
    assert totals["right"] > 3 * totals["weak"] - totals["weak"] / 2
    assert all(row[3] == "12 x 18 x 900" for row in rows)
    QTest.keyClick(dialog.table, Key.Key_Down)
    wanted = dialog.chosen()
    QTest.keyClick(dialog.table, Key.Key_Return)
    assert stage.recipe.maps[0].signal == wanted == 1
    stage.until(lambda: settled(stage) and not banner.isVisible())
    action = next(
        a
        for a in stage.page.panel.chooser.more.menu().actions()
        if a.text().startswith("Choose")  # type: ignore[union-attr]
    )
    assert isinstance(action, QAction)
    action.trigger()
    again = dialog_of(stage)
    assert isinstance(again, ChooseSignalDialog)
    assert again.chosen() == 1  # the one in use
    QTest.keyClick(again, Key.Key_Escape)
    assert stage.recipe.maps[0].signal == 1


def test_the_maps_of_a_real_file_with_three_are_told_apart(shared: Path) -> None:
    file = shared / "data/real/phenom/Elid2Version4.elid"
    maps = [s for s in map_choices(file) if s["kind"] == "map"]
    assert len(maps) == 3
    assert len({m["title"] for m in maps}) == 3
    assert len({tuple(m["shape"]) for m in maps} | {m["counts"] for m in maps}) >= 3
    taken = describe(file).map
    assert taken is not None
    assert taken["total_counts"] == max(m["counts"] for m in maps)


# --- datasets ------------------------------------------------------------------------------------


def test_a_dataset_is_chosen_seen_and_taken(stage: Stage[MapPage], folder: Path) -> None:
    file = folder / "any.h5"
    open_file(stage, file)
    assert stage.page.banner.text == "any.h5 does not say which of its arrays is the map"
    click(stage, stage.page.banner.action)
    dialog = dialog_of(stage)
    assert isinstance(dialog, DatasetDialog)
    assert dialog.ok is not None
    assert not dialog.ok.isEnabled()  # not before it was seen
    stage.until(dialog.ok.isEnabled)
    with h5py.File(file) as held:
        frames, first = held["a/frames"][()], held["b/energy_first"][()]
    assert dialog.axes.value == "syxE"
    np.testing.assert_array_equal(dialog.map.array, frames.sum(axis=(0, 3)))
    table = dialog.table
    place = table.visualItemRect(table.item(1, 0)).center()
    names = [table.item(row, 0).text() for row in range(4)]  # type: ignore[union-attr]
    assert names[:1] == ["/a/frames"]
    assert names[3] == "/picture"
    QTest.mouseClick(table.viewport(), LEFT, pos=place)
    row = names.index("/b/energy_first")
    place = table.visualItemRect(table.item(row, 0)).center()
    QTest.mouseClick(table.viewport(), LEFT, pos=place)
    assert not dialog.ok.isEnabled()
    stage.until(dialog.ok.isEnabled)
    np.testing.assert_array_equal(dialog.map.array, first.sum(axis=0))
    dialog.step.setFocus()
    dialog.step.selectAll()
    QTest.keyClicks(dialog.step, "0.02")
    QTest.keyClick(dialog.step, Key.Key_Tab)
    QTest.keyClicks(dialog.pixel, "4.5")
    stage.until(dialog.ok.isEnabled)
    QTest.mouseClick(dialog.ok, LEFT)
    entry = stage.recipe.maps[0]
    assert (entry.dataset, entry.axes) == ("/b/energy_first", "Eyx")
    assert (entry.energy_start_keV, entry.energy_step_keV) == (0.0, 0.02)
    assert entry.pixel_size_nm == 4.5
    # then the beam energy is asked for, as for any map that does not say it
    stage.until(lambda: "beam energy" in (stage.workspace.shown("read").failure or ""))
    field = stage.page.panel.facts.beam
    stage.until(lambda: field.isVisible() and stage.page.panel.facts.needs_something)
    field.setFocus()
    QTest.keyClicks(field, "200")
    QTest.keyClick(field, Key.Key_Return)
    stage.until(lambda: settled(stage))
    data = stage.workspace.data
    assert data is not None
    assert data.full_pixel_size_nm == 4.5
    assert data.full_shape == (6, 7)


def test_what_can_be_no_map_is_said_and_cannot_be_taken(
    stage: Stage[MapPage], folder: Path
) -> None:
    open_file(stage, folder / "any.h5")
    click(stage, stage.page.banner.action)
    dialog = dialog_of(stage)
    assert isinstance(dialog, DatasetDialog)
    assert dialog.ok is not None
    for name, says in (("/ratio", "not whole numbers"), ("/picture", "has 2 axes")):
        found = dialog.table.findItems(name, Qt.MatchFlag.MatchExactly)
        place = dialog.table.visualItemRect(found[0]).center()
        QTest.mouseClick(dialog.table.viewport(), LEFT, pos=QPoint(place))
        stage.until(lambda says=says: says in dialog.says.text())
        assert not dialog.ok.isEnabled()
    QTest.keyClick(dialog, Key.Key_Escape)
    assert stage.recipe == new_recipe(folder / "any.h5")


# --- frames and detectors ------------------------------------------------------------------------


def test_frames_and_detectors_are_typed_in_words(qtbot: QtBot) -> None:
    dialog = FrameDialog(None, Path("a.emd"), None, (1,))
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.ok is not None
    assert dialog.chosen() == {"frames": None, "detectors": (1,)}
    QTest.keyClicks(dialog.frames, "9")
    assert not dialog.ok.isEnabled()
    assert "first and the last" in dialog.says.text()
    QTest.keyClicks(dialog.frames, " to 3")
    assert "comes after" in dialog.says.text()
    dialog.frames.clear()
    QTest.keyClicks(dialog.frames, "3-9")
    dialog.detectors.clear()
    QTest.keyClicks(dialog.detectors, "0, 2")
    assert dialog.ok.isEnabled()
    QTest.keyClick(dialog, Key.Key_Return)
    assert dialog.chosen() == {"frames": (3, 9), "detectors": (0, 2)}
    assert dialog.result() == QDialog.DialogCode.Accepted


def test_frames_where_there_are_none_are_refused_in_the_window(
    stage: Stage[MapPage], folder: Path
) -> None:
    open_file(stage, folder / "right.hspy")
    stage.page.panel.chooser.source.ask_frames()
    dialog = dialog_of(stage)
    assert isinstance(dialog, FrameDialog)
    QTest.keyClicks(dialog.frames, "0 to 1")
    QTest.keyClick(dialog, Key.Key_Return)
    assert stage.recipe.maps[0].frames == (0, 1)
    stage.until(lambda: "does not keep frames apart" in stage.page.banner.text)
    stage.workspace.undo()
    stage.until(lambda: settled(stage) and not stage.page.banner.isVisible())
