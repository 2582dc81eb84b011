"""Drawing, moving and painting on the map of the masks, by mouse and by key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot
from scipy.ndimage import label

from endmember.session.decisions import edits
from endmember.ui.pages.masks.mask_drawing import Key
from endmember.ui.pages.masks.precipitate_panel import NO_PRECIPITATE
from mask_stage import (
    CONTROL,
    NAME,
    NO,
    SHIFT,
    Phantom,
    Stage,
    centre,
    near,
    on_stage,
    overlap_share,
)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return Phantom()


@pytest.fixture
def stage(qtbot: QtBot, phantom: Phantom) -> Iterator[Stage]:
    yield from on_stage(qtbot, phantom)


# --- drawing ---------------------------------------------------------------------------------


def test_without_precipitate_the_page_says_what_to_do(stage: Stage) -> None:
    stage.open(stage.phantom.recipe)
    assert stage.page.panels.empty.text() == NO_PRECIPITATE
    assert stage.page.side.precipitates.empty.isVisible()


def test_the_first_rectangle_adds_p1_and_one_undo_takes_back_both(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.recipe)
    stage.tool("R")
    stage.draw(phantom.loose(3))
    assert [p.name for p in stage.recipe.precipitates] == ["P1"]
    assert near(stage.boxes("P1")[0], phantom.loose(3))
    stage.workspace.undo()
    assert stage.recipe == phantom.recipe


def test_the_first_rectangle_takes_the_component_it_is_drawn_on_and_finds_the_true_grain(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.recipe)
    component = stage.page.drawing.ground.component  # type: ignore[union-attr]
    stage.tool("R")
    stage.draw(phantom.loose(4))
    assert stage.recipe.precipitates[0].component == component == 1
    stage.wait_for_masks()
    patches, _ = label(phantom.true["Fp"])
    assert overlap_share(stage.masks.partition.components["P1"], patches == 5) > 0.75


def test_a_drawn_rectangle_is_previewed_before_the_button_is_let_go(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp())
    stage.tool("R")
    x, y, width, height = phantom.loose(2)
    stage.press(x, y)
    stage.move(x + width, y + height)
    stage.until(lambda: stage.page.drawing.preview.shown)
    shown = stage.page.drawing.preview.shown
    assert shown is not None
    left, top, wide, high = shown.box
    assert near(shown.box, (x, y, width, height))
    truth = phantom.true["Fp"][top : top + high, left : left + wide]
    assert overlap_share(shown.mask, truth) > 0.75
    assert stage.boxes() == ()  # nothing is decided before the release
    stage.release(x + width, y + height)
    assert len(stage.boxes()) == 1
    stage.wait_for_masks()
    assert stage.page.drawing.preview.shown is None


def test_a_rectangle_dragged_off_the_map_leaves_no_word_of_its_preview(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp(2))
    x, y = centre(stage.boxes()[0])
    usual = stage.page.hint.text()
    stage.press(x, y)
    stage.move(x - 2, y)
    stage.until(lambda: stage.page.hint.text().startswith("preview"))
    stage.move(x - 300, y)
    assert stage.page.drawing.preview.shown is None
    assert stage.page.hint.text() == usual
    stage.release(x - 300, y)
    assert stage.boxes()[0][0] == 0


def test_masks_that_come_in_the_next_drag_leave_its_preview(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp())
    stage.tool("R")
    stage.draw(phantom.loose(2))
    x, y, width, height = phantom.loose(3)
    stage.press(x, y)
    stage.move(x + width, y + height)
    stage.wait_for_masks()
    stage.until(lambda: stage.page.drawing.preview.shown)
    stage.key(Qt.Key.Key_Escape)
    assert stage.page.drawing.preview.shown is None


def test_escape_in_a_drag_decides_nothing(stage: Stage, phantom: Phantom) -> None:
    recipe = phantom.with_fp(0, 1)
    stage.open(recipe)
    x, y = centre(stage.boxes()[1])
    stage.press(x, y)
    stage.move(x + 6, y)
    stage.until(lambda: stage.page.drawing.preview.shown)
    assert not stage.page.map._masks["Fp"][0].fill
    stage.key(Qt.Key.Key_Escape)
    stage.release(x + 6, y)
    assert stage.recipe == recipe
    assert stage.page.drawing.preview.shown is None
    assert stage.page.map._masks["Fp"][0].fill


def test_a_click_on_nothing_with_the_rectangle_tool_draws_nothing(
    stage: Stage, phantom: Phantom
) -> None:
    recipe = phantom.with_fp(0)
    stage.open(recipe)
    stage.tool("R")
    stage.drag((50, 90), (50.2, 90.2), (50.3, 90.1))
    assert stage.recipe == recipe
    stage.qtbot.wait(100)  # a preview that was asked for would be there by now
    assert stage.page.drawing.preview.shown is None


def test_a_rectangle_drawn_beyond_the_map_is_cut_to_it(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp())
    stage.tool("R")
    stage.drag((-2, 40), (10, 50), (14, 60))
    assert near(stage.boxes()[0], (0, 40, 14, 20))
    stage.drag((-2, -2), (-1.5, -1.5), (-0.6, -0.6))
    assert len(stage.boxes()) == 1


# --- moving ----------------------------------------------------------------------------------


def test_one_drag_is_one_undo(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(0, 1))
    before = stage.boxes()[1]
    x, y = centre(before)
    stage.drag((x, y), (x + 1, y), (x + 3, y + 2))
    assert near(stage.boxes()[1], (before[0] + 3, before[1] + 2, before[2], before[3]))
    assert stage.undos == 1
    stage.workspace.undo()
    assert stage.boxes()[1] == before


def test_two_drags_are_two_undos(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(0))
    for _ in range(2):
        x, y = centre(stage.boxes()[0])
        stage.drag((x, y), (x + 1, y), (x + 3, y))
    assert stage.undos == 2


def test_a_dragged_handle_resizes(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(2))
    x, y, width, height = stage.boxes()[0]
    stage.click(*centre(stage.boxes()[0]))
    stage.drag(
        (x + width, y + height), (x + width + 2, y + height), (x + width + 4, y + height + 2)
    )
    assert near(stage.boxes()[0], (x, y, width + 4, height + 2))


def test_a_run_of_nudges_is_one_undo(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(2))
    x, y, width, height = stage.boxes()[0]
    stage.click(*centre(stage.boxes()[0]))
    for _ in range(3):
        stage.key(Qt.Key.Key_Right)
    stage.key(Qt.Key.Key_Down, SHIFT)
    assert stage.boxes()[0] == (x + 3, y + 10, width, height)
    assert stage.undos == 1


def test_another_decision_between_nudges_ends_the_run(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(2))
    stage.click(*centre(stage.boxes()[0]))
    stage.key(Qt.Key.Key_Right)
    stage.workspace.edit(edits.set_segmentation, smoothing_px=1.5)
    stage.key(Qt.Key.Key_Right)
    assert stage.undos == 3


def test_a_nudge_stops_at_the_edge_of_the_map(stage: Stage, phantom: Phantom) -> None:
    recipe = edits.add_rectangle(phantom.with_fp(), "Fp", NAME, (2, 30, 20, 20))
    stage.open(recipe)
    stage.click(12, 40)
    stage.key(Qt.Key.Key_Left, SHIFT)
    assert stage.boxes()[0] == (0, 30, 20, 20)


def test_delete_removes_and_one_undo_brings_back(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(0, 2))
    before = stage.boxes()
    stage.click(*centre(before[1]))
    stage.key(Qt.Key.Key_Delete)
    assert stage.boxes() == before[:1]
    stage.workspace.undo()
    assert stage.boxes() == before


def test_the_number_boxes_move_the_selected_rectangle(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(2))
    x, y, width, height = stage.boxes()[0]
    stage.click(*centre(stage.boxes()[0]))
    sides = stage.page.side.rectangles.inputs.boxes
    assert [box.value() for box in sides] == [x, y, width, height]
    for _ in range(2):
        stage.key(Qt.Key.Key_Up, on=sides[2])
    assert stage.boxes()[0] == (x, y, width + 2, height)
    assert stage.undos == 1
    sides[0].selectAll()
    stage.qtbot.keyClicks(sides[0], "30")
    stage.key(Qt.Key.Key_Return, on=sides[0])
    assert stage.boxes()[0] == (30, y, width + 2, height)
    assert stage.undos == 2


def test_a_rectangle_can_be_added_and_removed_without_a_mouse(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp())
    panel = stage.page.side.rectangles
    wanted = phantom.loose(5)
    for side, value in zip(panel.inputs.boxes, wanted, strict=True):
        side.setValue(value)
    assert stage.boxes() == ()
    stage.key(Qt.Key.Key_Space, on=panel.add)
    assert stage.boxes() == (wanted,)
    stage.key(Qt.Key.Key_Delete, on=panel.list)
    assert stage.boxes() == ()


def test_clicking_a_rectangle_of_another_precipitate_works_on_that_one(
    stage: Stage, phantom: Phantom
) -> None:
    recipe = edits.add_precipitate(phantom.with_fp(0), "CaPv", "Mg")
    recipe = edits.add_rectangle(recipe, "CaPv", NAME, phantom.loose(4, "CaPv"))
    stage.open(recipe)
    assert stage.workspace.focus.precipitate == "Fp"
    stage.click(*centre(stage.boxes("CaPv")[0]))
    assert stage.workspace.focus.precipitate == "CaPv"
    assert stage.page.drawing.selected == Key("rectangle", "CaPv", 0)
    assert stage.page.side.precipitates.name.text() == "CaPv"


# --- brushes ---------------------------------------------------------------------------------


def strokes(stage: Stage) -> list[tuple[str, float]]:
    drawn = stage.recipe.precipitate_named("Fp").strokes
    return [(stroke.label, float(stroke.radius)) for stroke in drawn]


def test_brushes_paint_inside_and_outside_and_modifiers_change_which(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp(2))
    for letter, modifier in (("B", NO), ("E", NO), ("B", CONTROL), ("E", SHIFT)):
        stage.tool(letter)
        stage.drag((60, 60), (66, 62), modifier=modifier)
    assert [name for name, _ in strokes(stage)] == ["inside", "outside", "outside", "inside"]
    assert stage.undos == 4


def test_what_is_painted_is_in_the_mask_where_the_pointer_was(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp(2))
    stage.wait_for_masks()
    x, y = 88, 90
    assert not stage.masks.partition.components["Fp"][y, x]
    stage.tool("B")
    for _ in range(4):
        stage.tool("[")
    stage.drag((x + 0.5, y + 0.5), (x + 0.6, y + 0.5))
    stage.wait_for_masks()
    patch = stage.masks.partition.components["Fp"][y - 3 : y + 4, x - 3 : x + 4]
    assert patch[3, 3]
    assert patch.sum() <= 5  # a radius of half a pixel, and what rounding to the screen moves


def test_brackets_change_the_radius_of_the_brush(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(2))
    stage.tool("B")
    radius = stage.page.radius.value()
    stage.tool("]")
    stage.tool("]")
    stage.tool("[")
    assert stage.page.radius.value() == radius + 1
    stage.drag((60, 60), (66, 62))
    assert strokes(stage) == [("inside", radius + 1)]


def test_the_brush_paints_by_keyboard(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(2))
    stage.tool("E")
    stage.move(40, 40)
    stage.key(Qt.Key.Key_Right, SHIFT)
    stage.key(Qt.Key.Key_Down)
    stage.key(Qt.Key.Key_Return)
    painted = stage.recipe.precipitate_named("Fp").strokes
    assert [stroke.label for stroke in painted] == ["outside"]
    x, y = painted[0].points[0]
    assert abs(x - 49.5) <= 1
    assert abs(y - 40.5) <= 1


def test_a_stroke_off_the_map_is_not_kept(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(2))
    stage.tool("B")
    stage.drag((40, -1.2), (44, -1.2))
    assert strokes(stage) == []
    assert "outside the map" in stage.page.hint.text()


def test_strokes_are_listed_and_removed(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(2))
    for letter in "BEB":
        stage.tool(letter)
        stage.drag((60, 60), (66, 62))
    panel = stage.page.side.strokes
    assert [text.split(",")[0] for text in panel.list.texts()] == [
        "1: inside",
        "2: outside",
        "3: inside",
    ]
    panel.list.setCurrentRow(1)
    stage.key(Qt.Key.Key_Delete, on=panel.list)
    assert [name for name, _ in strokes(stage)] == ["inside", "inside"]
    stage.push(panel.clear)
    assert strokes(stage) == []
    stage.workspace.undo()
    assert len(strokes(stage)) == 2
