"""The list of messages and the strip for one sentence."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from endmember.ui.widgets.banner import Banner
from endmember.ui.widgets.messages import Message, MessagePanel, breakable

READ = Message("info", "The file gives no take-off angle.", "read", "map1")
MASKS = Message("warning", "Fp: the mask holds mostly matrix.", "masks", "map1")
BROKEN = Message("error", "map2.hspy: the file ends too early; copy it again.", "read", "map2")
GENERAL = Message("info", "Components are ordered by counts.")
ALL = (READ, MASKS, BROKEN, GENERAL)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot: QtBot) -> MessagePanel:
    made = MessagePanel()
    qtbot.addWidget(made)
    made.resize(260, 300)
    with qtbot.waitExposed(made):
        made.show()
    return made


def clipboard() -> str:
    held = QApplication.clipboard()
    assert held is not None
    return held.text()


def centre_of(panel: MessagePanel, row: int) -> QPoint:
    model = panel.view.model()
    assert model is not None
    return panel.view.visualRect(model.index(row, 0)).center()


def many(number: int) -> list[Message]:
    return [Message("info", f"sentence {i}", "read") for i in range(number)]


def test_an_empty_panel_says_so(panel: MessagePanel) -> None:
    assert panel.empty.isVisible()
    assert panel.empty.text() == "No messages."
    panel.set_messages(ALL)
    assert not panel.empty.isVisible()
    panel.set_messages([])
    assert panel.empty.isVisible()


def test_the_newest_message_is_first(panel: MessagePanel) -> None:
    panel.set_messages(ALL)
    assert panel.shown() == (GENERAL, BROKEN, MASKS, READ)


def test_by_step_groups_in_the_order_of_the_steps(panel: MessagePanel, qtbot: QtBot) -> None:
    panel.set_messages(ALL)
    qtbot.mouseClick(panel.by_step, LEFT)
    rows = [panel._model.rows[i] for i in range(panel._model.rowCount())]
    assert rows == ["Read", BROKEN, READ, "Masks", MASKS, "General", GENERAL]


def test_the_filter_leaves_warnings_and_errors_and_says_what_it_hides(
    panel: MessagePanel, qtbot: QtBot
) -> None:
    panel.set_messages(ALL)
    qtbot.mouseClick(panel.grave_only, LEFT)
    assert panel.shown() == (BROKEN, MASKS)
    panel.set_messages([READ, GENERAL])
    assert panel.empty.text() == "No warnings. 2 others hidden."


def test_every_row_says_its_kind_in_a_word(panel: MessagePanel) -> None:
    panel.set_messages([MASKS])
    said = panel._model.data(panel._model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Warning - masks, map1: Fp: the mask holds mostly matrix."


def test_a_long_sentence_wraps_and_wraps_anew_when_the_panel_narrows(
    panel: MessagePanel, qtbot: QtBot
) -> None:
    panel.set_messages([Message("warning", "a sentence with many words " * 8)])
    index = panel._model.index(0)
    wide = panel.view.visualRect(index)
    viewport = panel.view.viewport()
    assert viewport is not None
    assert wide.width() <= viewport.width()
    panel.resize(190, 300)
    qtbot.waitUntil(lambda: panel.view.visualRect(index).height() > wide.height())
    assert panel.view.visualRect(index).width() <= viewport.width()


def test_ctrl_c_copies_the_chosen_message(panel: MessagePanel, qtbot: QtBot) -> None:
    panel.set_messages(ALL)
    panel.activateWindow()
    qtbot.mouseClick(panel.view.viewport(), LEFT, pos=centre_of(panel, 2))
    focus = QApplication.focusWidget()
    assert focus is not None
    QTest.keyClick(focus, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard() == str(MASKS)


def test_the_button_copies_all_when_none_is_chosen(panel: MessagePanel, qtbot: QtBot) -> None:
    panel.set_messages(ALL)
    qtbot.mouseClick(panel.copy_button, LEFT)
    assert clipboard().splitlines() == [str(m) for m in reversed(ALL)]


def test_there_is_nothing_to_copy_from_an_empty_panel(panel: MessagePanel) -> None:
    assert not panel.copy_button.isEnabled()


def test_replacing_keeps_the_place_in_the_list_and_the_choice(
    panel: MessagePanel, qtbot: QtBot
) -> None:
    panel.set_messages(many(60))
    bar = panel.view.verticalScrollBar()
    assert bar is not None
    bar.setValue(bar.maximum() // 2)
    position = bar.value()
    assert position > 0
    clicked = QPoint(40, 60)
    qtbot.mouseClick(panel.view.viewport(), LEFT, pos=clicked)
    chosen = panel.view.currentIndex().data()
    position = bar.value()
    panel.set_messages([*many(60), MASKS])
    assert bar.value() == position
    assert [index.data() for index in panel.view.selectedIndexes()] == [chosen]


def test_the_same_messages_touch_nothing(panel: MessagePanel, qtbot: QtBot) -> None:
    panel.set_messages(ALL)
    with qtbot.assertNotEmitted(panel._model.modelReset):
        panel.set_messages(list(ALL))


def test_a_long_name_may_break_and_a_short_one_does_not() -> None:
    assert breakable("Fp+Brg is 0.5") == "Fp+Brg is 0.5"
    broken = breakable("/data/a_very_long_folder_name_without_end.hspy")
    assert "\u200b" in broken
    assert broken.replace("\u200b", "") == "/data/a_very_long_folder_name_without_end.hspy"


@pytest.fixture
def ground(qtbot: QtBot) -> QWidget:
    """A panel for a banner to stand in."""
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(400, 200)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def banner(ground: QWidget) -> Banner:
    made = Banner()
    layout = QVBoxLayout(ground)
    layout.addWidget(made)
    layout.addStretch()
    return made


def test_a_banner_is_hidden_until_it_has_something_to_say(banner: Banner) -> None:
    assert not banner.isVisible()
    banner.set("error", "map1.hspy: no counts in this range: choose another.")
    assert banner.isVisible()
    assert banner.accessibleName().startswith("Error: map1.hspy")
    banner.clear()
    assert not banner.isVisible()


def test_the_action_of_a_banner_is_told(banner: Banner, qtbot: QtBot) -> None:
    banner.set("warning", "Fp has no rectangle.", "Suggest one")
    assert banner.action.isVisible()
    with qtbot.waitSignal(banner.acted):
        qtbot.mouseClick(banner.action, LEFT)
    banner.set("warning", "Fp has no rectangle.")
    assert not banner.action.isVisible()


def test_a_banner_grows_with_its_sentence(banner: Banner, qtbot: QtBot) -> None:
    banner.set("info", "Short.")
    qtbot.waitUntil(lambda: banner.height() > 0)
    low = banner.height()
    banner.set("info", "A sentence that needs more than one line in this panel. " * 4)
    qtbot.waitUntil(lambda: banner.height() > 2 * low)
    assert banner.width() <= 400
