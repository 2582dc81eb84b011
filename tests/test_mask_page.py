"""The page of the masks: suggestions, the list of precipitates, and what is shown."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from endmember.session.decisions import edits
from endmember.session.decisions.recipe import changed
from endmember.session.steps.chain import STEPS
from endmember.ui.pages.masks.mask_drawing import Key
from endmember.ui.pages.masks.mask_panels import COUNTS, EXCLUDED, GROUND, MASKS, mask_picture
from held_requests import held, read_elsewhere
from mask_stage import NAME, SIZE, Box, Phantom, Stage, centre, near, on_stage


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return Phantom()


@pytest.fixture
def stage(qtbot: QtBot, phantom: Phantom) -> Iterator[Stage]:
    yield from on_stage(qtbot, phantom)


# --- suggestions -----------------------------------------------------------------------------


def suggested(stage: Stage) -> tuple[Box, ...]:
    stage.push(stage.page.side.rectangles.suggest)
    stage.until(lambda: stage.page.drawing.suggestions.boxes)
    return stage.page.drawing.suggestions.boxes


def test_suggestions_surround_true_grains_that_have_no_rectangle(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp(2))
    boxes = suggested(stage)
    for x, y, width, height in boxes:
        assert phantom.true["Fp"][y : y + height, x : x + width].any()
    found = [
        any(x <= cx <= x + w and y <= cy <= y + h for x, y, w, h in boxes)
        for cx, cy in map(centre, phantom.grains())
    ]
    assert sum(found) >= len(found) - 3
    assert not found[2]


def test_a_click_and_enter_accept_a_suggestion_and_go_on_to_the_next(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp())
    boxes = suggested(stage)
    stage.click(*centre(boxes[1]))
    assert stage.page.drawing.selected == Key("suggestion", "", 1)
    stage.key(Qt.Key.Key_Return)
    assert stage.boxes() == (boxes[1],)
    stage.key(Qt.Key.Key_Return)
    assert stage.boxes() == (boxes[1], boxes[2])
    assert stage.page.drawing.suggestions.boxes == (boxes[0], *boxes[3:])


def test_accepting_all_is_one_undo(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp())
    boxes = suggested(stage)
    assert len(boxes) > 3
    stage.push(stage.page.side.rectangles.accept_all)
    assert stage.boxes() == boxes
    assert stage.page.drawing.suggestions.boxes == ()
    stage.workspace.undo()
    assert stage.boxes() == ()


def test_moving_a_suggestion_accepts_it_at_its_new_place(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp())
    boxes = suggested(stage)
    x, y = centre(boxes[0])
    stage.drag((x, y), (x - 1, y), (x - 3, y - 2))
    moved = (boxes[0][0] - 3, boxes[0][1] - 2, boxes[0][2], boxes[0][3])
    assert near(stage.boxes()[0], moved)
    assert stage.page.drawing.suggestions.boxes == boxes[1:]
    assert stage.undos == 1


def test_escape_dismisses_the_suggestions(stage: Stage, phantom: Phantom) -> None:
    recipe = phantom.with_fp(0)
    stage.open(recipe)
    suggested(stage)
    stage.canvas.setFocus()
    stage.key(Qt.Key.Key_Escape)
    assert stage.page.drawing.suggestions.boxes == ()
    assert stage.recipe == recipe


def test_accepting_a_suggestion_without_precipitate_adds_p1(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.recipe)
    boxes = suggested(stage)
    stage.click(*centre(boxes[0]))
    stage.key(Qt.Key.Key_Return)
    assert stage.boxes("P1") == (boxes[0],)
    assert stage.page.drawing.suggestions.boxes == boxes[1:]


def test_suggestions_that_come_after_another_map_is_looked_at_are_dropped(
    stage: Stage, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = phantom.with_fp(2)
    recipe = edits.set_decomposition(recipe, joint=False)
    other = changed(recipe.maps[0], file="other.hspy", name="other")
    stage.open(changed(recipe, maps=(*recipe.maps, other)))
    thread = held(stage.workspace, monkeypatch)
    suggestions = stage.page.drawing.suggestions
    for leave in ({"map_name": "other"}, {"map_name": NAME, "precipitate": "nobody"}):
        stage.workspace.look(map_name=NAME, precipitate="Fp")
        stage.push(stage.page.side.rectangles.suggest)
        assert thread.of("rectangle suggestions") == 1
        if "precipitate" in leave:
            stage.workspace.edit(edits.add_precipitate, "nobody", "Mg")
        stage.workspace.look(**leave)
        thread.answer("rectangle suggestions")
        assert suggestions.boxes == ()
        assert "looking for" not in stage.page.hint.text()
    stage.workspace.look(map_name=NAME, precipitate="Fp")
    for _ in range(2):  # and what was dismissed can be asked for again
        stage.push(stage.page.side.rectangles.suggest)
        thread.answer("rectangle suggestions")
        assert suggestions.boxes != ()
        suggestions.clear()


def test_on_a_map_that_is_not_there_nothing_is_drawn(
    stage: Stage, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = edits.set_decomposition(phantom.with_fp(0), joint=False)
    other = changed(recipe.maps[0], file="other.hspy", name="other")
    stage.open(changed(recipe, maps=(*recipe.maps, other)))
    held(stage.workspace, monkeypatch)
    assert stage.page.drawing.tool._shapes
    stage.workspace.look(map_name="other")
    assert not stage.page.drawing.tool._shapes
    before = stage.recipe
    stage.page.drawing.add(phantom.loose(4))
    assert stage.recipe is before


# --- the list of precipitates ----------------------------------------------------------------


def test_a_precipitate_is_added_named_and_removed(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.recipe)
    panel = stage.page.side.precipitates
    stage.push(panel.add)
    stage.until(panel.name.hasFocus)
    stage.qtbot.keyClicks(panel.name, "Fp")
    stage.key(Qt.Key.Key_Return, on=panel.name)
    assert [p.name for p in stage.recipe.precipitates] == ["Fp"]
    assert panel.absent.currentText() == "choose…"
    index = panel.absent.findText("Si")
    panel.absent.setCurrentIndex(index)
    panel.absent.activated.emit(index)
    assert stage.recipe.precipitates[0].absent == "Si"
    panel.list.setCurrentRow(0)
    stage.key(Qt.Key.Key_Delete, on=panel.list)
    assert stage.recipe.precipitates == ()
    for _ in range(4):
        stage.workspace.undo()
    assert stage.recipe == phantom.recipe


def test_a_name_that_is_taken_is_refused_and_the_old_one_stays(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(edits.add_precipitate(phantom.with_fp(0), "CaPv", "Mg"))
    panel = stage.page.side.precipitates
    panel.name.selectAll()
    stage.qtbot.keyClicks(panel.name, "CaPv")
    stage.key(Qt.Key.Key_Return, on=panel.name)
    assert [p.name for p in stage.recipe.precipitates] == ["Fp", "CaPv"]
    assert panel.name.text() == "Fp"
    assert any("already taken" in text for text in stage.refused)


def test_the_list_tells_pixels_component_and_purity(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(*range(13)), STEPS)
    stage.until(lambda: stage.workspace.result("subtraction"))
    row = stage.page.side.precipitates.list.rows[0]
    pixels = int(stage.masks.partition.components["Fp"].sum())
    assert row.rectangles == "13 rectangles"
    assert row.found == f"{pixels} px, {100 * pixels / SIZE**2:.2g} %"
    assert row.component == "#1 automatic"
    share, sigma = stage.workspace.result("subtraction").purity["Fp"]
    told, _, error = row.purity.removeprefix("left in matrix: ").partition(" ± ")
    assert error == f"{100 * sigma:.2g} %"
    assert float(told.replace("−", "-")) == pytest.approx(100 * share, abs=5 * sigma)
    assert not row.doubt


def test_a_rectangle_that_found_nothing_says_so_in_the_lists_and_on_the_map(
    stage: Stage, phantom: Phantom
) -> None:
    empty = (80, 84, 14, 11)
    assert not phantom.true["Fp"][84:95, 80:94].any()
    stage.open(edits.add_rectangle(phantom.with_fp(0, 2, 4, 5), "Fp", NAME, empty))
    stage.wait_for_masks()
    found = stage.masks.pixels_per_rectangle["Fp"]
    assert found[-1] < 4
    assert min(found[:-1]) > 20
    row = stage.page.side.precipitates.list.rows[0]
    assert row.doubt.startswith("rectangle 5 found n")
    texts = stage.page.side.rectangles.list.texts()
    assert "found" in texts[4]
    assert not any("found" in text for text in texts[:4])
    shapes = stage.page.drawing.tool._shapes
    assert "found" in shapes[Key("rectangle", "Fp", 4)].label
    assert any("yielded only" in line for line in stage.page.side.warnings.text().splitlines())


def test_a_precipitate_about_which_nothing_is_decided_says_what_to_choose(
    stage: Stage, phantom: Phantom
) -> None:
    recipe = edits.add_precipitate(phantom.with_fp(0), "Z")
    stage.open(edits.add_rectangle(recipe, "Z", NAME, phantom.loose(2)))
    stage.wait_for_masks()
    assert "absent element" in stage.page.side.precipitates.list.rows[1].doubt
    assert "Z" in stage.page.banner.text
    assert "Fp" in stage.masks.partition.components


# --- what is shown ---------------------------------------------------------------------------


def test_the_panels_tell_pixels_and_share_of_each_mask(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(0, 2))
    stage.until(lambda: stage.page.panels.titles())
    part = stage.masks.partition
    sums = {
        "Fp mask": part.components["Fp"],
        "Brg": part.matrix,
        "Fp+Brg": part.mixtures["Fp"],
        "overlap": part.overlap,
    }
    titles = dict(t.split(": ") for t in stage.page.panels.titles() if ": " in t)
    for name, mask in sums.items():
        assert titles[name] == f"{mask.sum():,} px, {100 * mask.mean():.2g} %"


def test_the_count_maps_hold_the_counts_of_the_map_in_each_mask(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp(0, 2))
    stage.until(lambda: stage.page.panels.titles())
    stage.page.panels.tabs.setCurrentIndex(COUNTS)
    counted = phantom.data.image.count_map()
    part = stage.masks.partition
    views = stage.page.panels.grid.shown_views()
    for view, mask in zip(views, (part.matrix, part.mixtures["Fp"]), strict=True):
        assert view.array is not None
        shown = np.asarray(view.array)
        assert np.array_equal(np.isfinite(shown), mask)
        assert np.array_equal(shown[mask], counted[mask])
    stage.page.panels.tabs.setCurrentIndex(MASKS)
    assert len(stage.page.panels.grid.shown_views()) == 5


def test_a_mask_is_pictured_in_its_colour_and_what_is_excluded_in_grey() -> None:
    mask, excluded = np.zeros((2, 3), dtype=bool), np.zeros((2, 3), dtype=bool)
    mask[0, 0] = excluded[1, 2] = True
    picture = mask_picture((2, 3), ((mask, (230, 159, 0)), (excluded, EXCLUDED)))
    assert picture[0, 0].tolist() == [230, 159, 0]
    assert picture[1, 2].tolist() == list(EXCLUDED)
    assert {tuple(c) for c in picture.reshape(-1, 3).tolist()} == {(230, 159, 0), EXCLUDED, GROUND}


def test_masks_are_drawn_in_the_colours_of_their_phases_and_can_be_hidden(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp(0, 2))
    stage.wait_for_masks()
    overlay = stage.page.map._masks["Fp"][0]
    assert overlay.mask is stage.masks.partition.components["Fp"]
    row = stage.page.side.precipitates.list.rows[0]
    assert abs(overlay.colour.hueF() - _hue(row.colour)) < 0.03
    stage.tool("M")
    assert stage.page.map._masks == {}


def _hue(colour: str) -> float:
    from PyQt6.QtGui import QColor

    return QColor(colour).hueF()


def test_refreshing_with_nothing_new_draws_nothing(
    stage: Stage, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.open(phantom.with_fp(0, 2))
    stage.until(lambda: stage.workspace.runner.running is None)
    stage.until(lambda: stage.page.panels.titles())
    drawn: list[str] = []
    monkeypatch.setattr(stage.page.drawing, "refresh", lambda _: drawn.append("shapes"))
    monkeypatch.setattr(stage.page.map, "set_image", lambda *_, **__: drawn.append("image"))
    stage.page.refresh()
    assert drawn == []
    stage.workspace.look(element="Fe")
    assert drawn == []
    stage.workspace.edit(edits.set_density, "Fp", 3.6)
    assert drawn == ["shapes"]  # and no image: the map is the same


def test_areas_that_arrive_before_the_page_has_seen_an_edit_do_no_harm(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp(0, 2))
    stage.until(lambda: stage.page.panels.titles())
    seen = stage.page.seen
    assert seen is not None
    stage.workspace.blockSignals(True)  # the window shows an edit a moment later
    stage.workspace.edit(edits.add_precipitate, "CaPv", "Mg")
    stage.workspace.look(precipitate="CaPv")
    masks, areas = stage.page._made.areas
    assert masks is not None
    assert areas is not None
    stage.page._take_areas(masks, (phantom.data.image.count_map(), areas))
    stage.page.working.chosen.emit()
    stage.workspace.blockSignals(False)
    assert "Brg" in " ".join(stage.page.panels.titles())


def test_components_and_masks_of_another_place_are_not_drawn_where_the_map_is_now(
    stage: Stage, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.open(phantom.with_fp(0, 2))
    stage.until(lambda: stage.page.panels.titles())
    thread = held(stage.workspace, monkeypatch)
    data = read_elsewhere(stage.workspace, (10, 20, SIZE, SIZE))
    seen = stage.page.seen
    assert seen is not None
    assert seen.results.data is data
    assert (seen.decomposed, seen.results.masks, seen.results.phases) == (None, None, None)
    assert stage.page.map.array is None
    assert stage.page.map._masks == {}
    assert stage.page.panels.titles() == []
    stage.page.drawing._drawing("rectangle", (20, 30, 12, 12))
    stage.page.drawing.suggest()
    assert thread.requests == []
    assert "no component maps yet" in stage.page.hint.text()


def test_what_was_counted_for_a_map_is_not_kept_after_it(
    stage: Stage, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.open(phantom.with_fp(0, 2))
    stage.until(lambda: stage.page.panels.titles())
    thread = held(stage.workspace, monkeypatch)
    stage.page.forget()
    stage.page.refresh()
    assert thread.of("mask areas") == 1
    stage.page.forget()
    thread.answer()
    assert (stage.page._made.total, stage.page._made.areas) == (None, (None, None))
    stage.page.refresh()
    data = read_elsewhere(stage.workspace, (10, 20, SIZE, SIZE))
    thread.answer()
    assert stage.page._made.data is data
    assert (stage.page._made.total, stage.page._made.areas) == (None, (None, None))


def test_counts_are_added_up_once_for_the_small_maps_and_the_working_map(
    stage: Stage, phantom: Phantom, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.open(phantom.with_fp(0, 2))
    stage.until(lambda: stage.page.panels.titles())
    thread = held(stage.workspace, monkeypatch)
    box = stage.page.working.layer
    total = box.findText("total counts")
    box.setCurrentIndex(total)
    box.activated.emit(total)
    assert thread.requests == []
    assert np.array_equal(np.asarray(stage.page.map.array), phantom.data.image.count_map())


def test_the_map_can_show_total_counts_or_another_component(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(0))
    box = stage.page.working.layer
    total = box.findText("total counts")
    box.setCurrentIndex(total)
    box.activated.emit(total)
    stage.until(lambda: stage.page.map.title == "total counts")
    stage.until(lambda: stage.page.map.array is not None)
    assert np.array_equal(np.asarray(stage.page.map.array), phantom.data.image.count_map())
    other = box.findText("component #2")
    box.setCurrentIndex(other)
    box.activated.emit(other)
    shown = np.asarray(stage.page.map.array)
    assert np.array_equal(shown, phantom.decomposed.maps_of(NAME)[2])


def test_keys_choose_tools_and_the_buttons_follow(stage: Stage, phantom: Phantom) -> None:
    stage.open(phantom.with_fp(0))
    for letter, tool in (("R", "rectangle"), ("B", "inside"), ("E", "outside"), ("V", "select")):
        stage.tool(letter)
        checked = [name for name, b in stage.page.tools.buttons.items() if b.isChecked()]
        assert checked == [tool] == [stage.page.drawing.tool.tool]
    assert not stage.page.key_tool("P")


def test_smoothing_is_changed_in_one_undo_for_a_run_of_steps(
    stage: Stage, phantom: Phantom
) -> None:
    stage.open(phantom.with_fp(0))
    for _ in range(3):
        stage.key(Qt.Key.Key_Up, on=stage.page.side.smoothing)
    assert stage.recipe.segmentation.smoothing_px == 2.0
    assert stage.undos == 1


def test_undo_after_undo_leads_back_to_the_beginning(stage: Stage, phantom: Phantom) -> None:
    first = phantom.with_fp(0)
    stage.open(first)
    stage.tool("R")
    stage.draw(phantom.loose(4))
    stage.key(Qt.Key.Key_Left)
    stage.tool("B")
    stage.drag((60, 60), (66, 62))
    last = stage.recipe
    for _ in range(3):
        stage.workspace.undo()
    assert stage.recipe == first
    assert stage.page.side.rectangles.list.count() == 1
    for _ in range(3):
        stage.workspace.redo()
    assert stage.recipe == last


def test_every_control_has_a_tooltip_and_an_accessible_name(stage: Stage, phantom: Phantom) -> None:
    from PyQt6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLineEdit

    stage.open(phantom.with_fp(0))
    controls: list[QWidget] = []
    for kind in (QAbstractButton, QComboBox, QLineEdit, QAbstractItemView):
        for root in (stage.page.view, stage.page.settings):
            controls += [
                w
                for w in root.findChildren(kind)
                if not w.objectName().startswith("qt_") and not w.parent().inherits("QTabBar")
            ]
    popups = [w for w in controls if w.window() is not stage.window]
    named = [w for w in controls if w not in popups and w is not stage.page.banner.action]
    assert len(named) > 20
    for control in named:
        assert control.toolTip(), control
        assert control.accessibleName(), control
