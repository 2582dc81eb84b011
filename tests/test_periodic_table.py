"""The periodic table, by mouse and keys."""

from __future__ import annotations

import periodictable
import pytest
from PyQt6.QtCore import QEvent, QPoint, QRect, Qt
from PyQt6.QtGui import QColor, QHelpEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QDialogButtonBox
from pytestqt.qtbot import QtBot

from endmember.core.xrays.lines import default_family
from endmember.ui.pages.map.element_cell import ElementCell, elements
from endmember.ui.pages.map.periodic_table import PeriodicTable, PeriodicTableDialog, place
from endmember.ui.widgets.theme import THEME, colours

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
Key = Qt.Key


@pytest.fixture
def table(qtbot: QtBot) -> PeriodicTable:
    made = PeriodicTable()
    qtbot.addWidget(made)
    made.resize(made.sizeHint())
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def dialog(qtbot: QtBot) -> PeriodicTableDialog:
    made = PeriodicTableDialog(None, ["O", "Si", "Fe"], ["Cu"], ["Si"])
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    made.line.setFocus()
    return made


def cell(table: PeriodicTable, symbol: str) -> ElementCell:
    return next(c for c in table.findChildren(ElementCell) if c.symbol == symbol)


def press(key: Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """A key for whatever has the focus, as a person presses it."""
    focus = QApplication.focusWidget()
    assert focus is not None
    QTest.keyClick(focus, key, modifiers)


def write(text: str) -> None:
    focus = QApplication.focusWidget()
    assert focus is not None
    QTest.keyClicks(focus, text)


def test_the_cell_with_the_focus_shows_its_state(table: PeriodicTable) -> None:
    table.activateWindow()
    QTest.mouseClick(cell(table, "Fe"), RIGHT)
    assert cell(table, "Fe").hasFocus()

    def orange() -> int:
        """Pixels in the colour of what is only fitted, without those of the folded corner."""
        seen, wanted = cell(table, "Fe").grab().toImage(), QColor(colours().second_line)
        rows, columns = range(seen.height() // 2), range(seen.width())
        return sum(seen.pixelColor(x, y) == wanted for x in columns for y in rows)

    focused = orange()
    table.go_to("O")
    assert orange() > 20
    assert focused > 0.7 * orange()


def test_every_element_to_californium_is_there_once() -> None:
    assert list(elements()) == [periodictable.elements[z].symbol for z in range(1, 99)]
    assert len({place(z) for z in range(1, 99)}) == 98


@pytest.mark.parametrize(
    ("number", "row", "group"),
    [
        *[(1, 1, 1), (2, 1, 18), (4, 2, 2), (5, 2, 13), (12, 3, 2), (13, 3, 13), (21, 4, 3)],
        *[(26, 4, 8), (54, 5, 18), (56, 6, 2), (72, 6, 4), (86, 6, 18), (88, 7, 2)],
        *[(57, 8, 3), (71, 8, 17), (89, 9, 3), (98, 9, 12)],
    ],
)
def test_elements_lie_in_their_groups(number: int, row: int, group: int) -> None:
    assert place(number) == (row, group - 1)


def test_the_table_fits_its_place_and_no_cells_overlap(table: PeriodicTable) -> None:
    assert table.sizeHint().width() <= 560
    assert table.sizeHint().height() <= 330
    areas = [QRect(c.pos(), c.size()) for c in table.findChildren(ElementCell)]
    assert all(table.rect().contains(area) for area in areas)
    assert all(area.width() >= 30 and area.height() >= 33 for area in areas)
    for i, area in enumerate(areas):
        assert not any(area.intersects(other) for other in areas[i + 1 :])


def test_clicks_go_from_off_to_quantified_to_fitted_to_off(
    table: PeriodicTable, qtbot: QtBot
) -> None:
    seen = []
    table.changed.connect(lambda quantified, fitted: seen.append((quantified, fitted)))
    for _ in range(3):
        qtbot.mouseClick(cell(table, "Fe"), LEFT)
    assert seen == [(("Fe",), ()), ((), ("Fe",)), ((), ())]


def test_a_right_click_and_a_shift_click_set_fitted(table: PeriodicTable, qtbot: QtBot) -> None:
    qtbot.mouseClick(cell(table, "Cu"), RIGHT)
    qtbot.mouseClick(cell(table, "Au"), LEFT, SHIFT)
    qtbot.mouseClick(cell(table, "Au"), RIGHT)
    assert table.fitted() == ("Cu", "Au")
    assert table.quantified() == ()


def test_elements_come_by_atomic_number_whatever_the_order(
    table: PeriodicTable, qtbot: QtBot
) -> None:
    with qtbot.assertNotEmitted(table.changed):
        table.set_states(["U", "O"], ["Cu"])
    with qtbot.waitSignal(table.changed) as told:
        qtbot.mouseClick(cell(table, "Mg"), LEFT)
    assert told.args == [("O", "Mg", "U"), ("Cu",)]
    states = table.states()
    assert len(states) == 98
    assert {s: state for s, state in states.items() if state != "off"} == {
        "O": "quantified", "Mg": "quantified", "U": "quantified", "Cu": "fitted"
    }  # fmt: skip


def test_an_unknown_symbol_is_refused_and_changes_nothing(table: PeriodicTable) -> None:
    table.set_states(["O"], [])
    with pytest.raises(ValueError, match="'Xx' is not in the periodic table"):
        table.set_states(["Fe", "Xx"], [])
    assert table.quantified() == ("O",)


def test_an_absent_element_stays_quantified_and_says_why(
    table: PeriodicTable, qtbot: QtBot
) -> None:
    table.set_states(["O", "Si"], [], absent=["Si"])
    with qtbot.waitSignal(table.refused) as told, qtbot.assertNotEmitted(table.changed):
        qtbot.mouseClick(cell(table, "Si"), LEFT)
    assert "Si is the absent element" in told.args[0]
    assert table.quantified() == ("O", "Si")


def test_arrows_move_in_the_geometry_of_the_table(table: PeriodicTable) -> None:
    table.go_to("H")
    walk = []
    for key in (Key.Key_Right, Key.Key_Down, Key.Key_Left, Key.Key_Up, Key.Key_Down):
        press(key)
        walk.append(table.current())
    assert walk == ["He", "Ne", "F", "F", "Cl"]


def test_down_from_yttrium_leads_over_the_gap_to_lanthanum(table: PeriodicTable) -> None:
    table.go_to("Y")
    press(Key.Key_Down)
    assert table.current() == "La"
    press(Key.Key_Up)
    assert table.current() == "Y"


def test_arrows_stop_at_the_edges(table: PeriodicTable) -> None:
    table.go_to("H")
    for key in (Key.Key_Left, Key.Key_Up):
        press(key)
        assert table.current() == "H"


def test_space_cycles_and_shift_space_sets_fitted(table: PeriodicTable) -> None:
    table.go_to("Nd")
    press(Key.Key_Space)
    assert table.quantified() == ("Nd",)
    press(Key.Key_Space, SHIFT)
    assert table.fitted() == ("Nd",)


def test_typed_letters_jump_to_the_symbol(table: PeriodicTable) -> None:
    table.go_to("H")
    write("f")
    assert table.current() == "F"
    write("e")
    assert table.current() == "Fe"
    write("n")  # there is no Fen: a new symbol begins
    assert table.current() == "N"
    write("d")
    assert table.current() == "Nd"


def test_a_letter_without_a_symbol_of_its_own_jumps_to_the_first(table: PeriodicTable) -> None:
    table.go_to("H")
    write("m")
    assert table.current() == "Mg"
    write("j")
    assert table.current() == "Mg"


def test_tab_reaches_the_table_once(dialog: PeriodicTableDialog) -> None:
    dialog.table.go_to("Fe")
    press(Key.Key_Tab)
    assert not isinstance(QApplication.focusWidget(), ElementCell)
    press(Key.Key_Backtab)
    focus = QApplication.focusWidget()
    assert isinstance(focus, ElementCell)
    assert focus.symbol == "Fe"


def test_a_cell_names_itself(table: PeriodicTable) -> None:
    table.set_states(["Fe"], ["Cu"])
    assert cell(table, "Fe").accessibleName() == "Fe, iron, quantified"
    assert cell(table, "Cu").accessibleName() == "Cu, copper, fitted"
    assert cell(table, "Al").accessibleName() == "Al, aluminium, off"


def test_the_tip_gives_lines_only_with_a_beam_energy(table: PeriodicTable) -> None:
    iron = cell(table, "Fe")

    def tip() -> str:
        centre = iron.rect().center()
        QApplication.sendEvent(
            iron, QHelpEvent(QEvent.Type.ToolTip, centre, iron.mapToGlobal(QPoint(centre)))
        )
        return iron.toolTip()

    assert "Iron (Fe), Z = 26" in tip()
    assert "keV" not in tip()
    table.set_beam_energy(200.0)
    # Bearden (1967): Fe K-alpha 6.404 and 6.391 keV, two to one; L-alpha 0.705 keV
    assert "Kα 6.399" in tip() or "Kα 6.400" in tip()
    assert "Lα 0.70" in tip()
    table.set_beam_energy(None)
    assert "keV" not in tip()


def test_elements_without_a_line_in_range_look_faint_and_can_be_chosen(
    table: PeriodicTable, qtbot: QtBot
) -> None:
    table.set_energy_range(0.3, 20.0)
    assert not any(c.faint for c in table.findChildren(ElementCell))
    table.set_beam_energy(200.0)
    qtbot.waitUntil(lambda: not table._judging.isActive(), timeout=15000)
    faint = {c.symbol for c in table.findChildren(ElementCell) if c.faint}
    assert faint == {s for s in elements() if default_family(s, 200.0, 0.3, 20.0) is None}
    assert {"H", "He", "Li"} <= faint
    assert not {"O", "Fe", "U"} & faint
    assert "no line in the energy range" in cell(table, "Li").accessibleName()
    qtbot.mouseClick(cell(table, "Li"), LEFT)
    assert table.quantified() == ("Li",)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_three_states_differ_in_form_and_not_only_in_colour(
    table: PeriodicTable, theme: str
) -> None:
    THEME.choose(theme)  # type: ignore[arg-type]
    try:
        looks = {}
        for state in ("off", "fitted", "quantified"):
            table.set_states(
                ["Fe"] if state == "quantified" else [], ["Fe"] if state == "fitted" else []
            )
            grey = cell(table, "Fe").grab().toImage()
            width, height = grey.width(), grey.height()
            samples = {
                "ground": grey.pixelColor(width // 2, 4).lightness(),
                "corner": grey.pixelColor(width - 5, height - 5).lightness(),
                "middle of the left edge": grey.pixelColor(1, height // 2).lightness(),
            }
            looks[state] = samples
        assert abs(looks["off"]["ground"] - looks["fitted"]["ground"]) < 3
        assert abs(looks["off"]["ground"] - looks["quantified"]["ground"]) > 60
        assert abs(looks["off"]["corner"] - looks["fitted"]["corner"]) > 60
    finally:
        THEME.choose("light")


def test_a_typed_list_sets_the_quantified_elements(dialog: PeriodicTableDialog) -> None:
    dialog.line.selectAll()
    write("fe; O nd,Si")
    assert dialog.table.quantified() == ("O", "Si", "Fe", "Nd")
    assert dialog.table.fitted() == ("Cu",)


def test_a_click_writes_the_list(dialog: PeriodicTableDialog, qtbot: QtBot) -> None:
    qtbot.mouseClick(cell(dialog.table, "Mg"), LEFT)
    assert dialog.line.text() == "O, Mg, Si, Fe"


def test_a_fitted_element_that_was_typed_in_passing_is_fitted_again(
    dialog: PeriodicTableDialog,
) -> None:
    press(Key.Key_End)
    write(", Cu")
    assert "Cu" in dialog.table.quantified()
    for _ in "Cu":
        press(Key.Key_Backspace)
    assert dialog.table.fitted() == ("Cu",)


def test_what_is_no_element_is_named_and_cannot_be_accepted(dialog: PeriodicTableDialog) -> None:
    press(Key.Key_End)
    write(", Qq")
    assert "'Qq' is not an element" in dialog.says.text()
    press(Key.Key_Return)
    assert dialog.isVisible()
    press(Key.Key_Backspace)
    press(Key.Key_Backspace)
    assert dialog.says.text() == ""


def test_an_absent_element_left_out_of_the_list_stays(dialog: PeriodicTableDialog) -> None:
    dialog.line.selectAll()
    write("O, Fe")
    assert dialog.table.quantified() == ("O", "Si", "Fe")
    assert "Si stays" in dialog.says.text()


def test_enter_applies_and_closes(dialog: PeriodicTableDialog, qtbot: QtBot) -> None:
    press(Key.Key_End)
    write(", U")
    with qtbot.waitSignal(dialog.applied) as told:
        press(Key.Key_Return)
    assert told.args == [("O", "Si", "Fe", "U"), ("Cu",)]
    assert not dialog.isVisible()


def test_apply_keeps_the_dialog_open_and_is_told_once(
    dialog: PeriodicTableDialog, qtbot: QtBot
) -> None:
    seen = []
    dialog.applied.connect(lambda quantified, fitted: seen.append((quantified, fitted)))
    apply = dialog.findChildren(QDialogButtonBox)[0].button(QDialogButtonBox.StandardButton.Apply)
    assert apply is not None
    assert not apply.isEnabled()
    qtbot.mouseClick(cell(dialog.table, "Mg"), LEFT)
    qtbot.mouseClick(apply, LEFT)
    assert dialog.isVisible()
    assert not apply.isEnabled()
    press(Key.Key_Return)
    assert seen == [(("O", "Mg", "Si", "Fe"), ("Cu",))]


@pytest.mark.parametrize(
    ("key", "modifiers"),
    [
        (Key.Key_Escape, Qt.KeyboardModifier.NoModifier),
        (Key.Key_W, Qt.KeyboardModifier.ControlModifier),
    ],
)
def test_escape_and_ctrl_w_change_nothing(
    dialog: PeriodicTableDialog, qtbot: QtBot, key: Key, modifiers: Qt.KeyboardModifier
) -> None:
    qtbot.mouseClick(cell(dialog.table, "Mg"), LEFT)
    with qtbot.assertNotEmitted(dialog.applied):
        press(key, modifiers)
    assert not dialog.isVisible()


def test_the_dialog_fits_a_small_screen_at_150_percent(dialog: PeriodicTableDialog) -> None:
    assert dialog.sizeHint().width() <= 1366 / 1.5
    assert dialog.minimumSizeHint().height() <= 768 / 1.5 - 70  # without title and task bar
