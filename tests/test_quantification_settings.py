"""How areas become concentrations, set with real mouse and key events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import k_factor_table
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import FactorsByHand, Valences
from endmember.ui.pages.composition.composition_page import CompositionPage
from page_stage import Prepared, Stage, prepared_demo
from quantification_stage import LEFT, WIDTH, Panel

Key = Qt.Key


@pytest.fixture
def panel(qtbot: QtBot) -> Panel:
    return Panel(qtbot)


def write(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


# k-factors by hand


def test_a_k_factor_by_hand_is_typed_emptied_and_undone(panel: Panel) -> None:
    factors = panel.settings.factors
    assert not factors.table.isVisible(), "folded at first"
    panel.unfold(factors.hand)
    iron = factors.table.lines["Fe"]
    assert iron.placeholderText() == "computed"
    panel.type_into(iron, "1,62")
    assert panel.of.k_factor == FactorsByHand({"Fe": 1.62})
    assert factors.hand.heading.text() == "By hand (1)"
    panel.type_into(factors.table.lines["Mg"], "1.05")
    assert panel.of.k_factor == FactorsByHand({"Fe": 1.62, "Mg": 1.05})
    panel.type_into(iron, "")
    assert panel.of.k_factor == FactorsByHand({"Mg": 1.05})
    panel.workspace.undo()
    assert iron.text() == "1.62"
    panel.workspace.undo()
    panel.workspace.undo()
    assert panel.of.k_factor is None
    assert iron.text() == ""
    assert factors.hand.heading.text() == "By hand"


@pytest.mark.parametrize("bad", ["much", "0", "-1", "nan", "inf"])
def test_a_k_factor_that_is_none_is_refused_and_the_old_one_stays(panel: Panel, bad: str) -> None:
    panel.unfold(panel.settings.factors.hand)
    iron = panel.settings.factors.table.lines["Fe"]
    panel.type_into(iron, "1.62")
    panel.type_into(iron, bad)
    assert iron.text() == "1.62"
    assert panel.of.k_factor == FactorsByHand({"Fe": 1.62})
    assert [message.kind for message in panel.said] == ["error"]
    assert bad in panel.said[0].text
    panel.workspace.undo()
    assert panel.of.k_factor is None, "what was refused is no undo"


def test_silicon_has_no_k_factor_by_hand_since_the_others_refer_to_it(panel: Panel) -> None:
    panel.unfold(panel.settings.factors.hand)
    silicon = panel.settings.factors.table.lines["Si"]
    assert not silicon.isEnabled()
    assert "refer to Si" in silicon.toolTip()
    assert silicon.placeholderText() == "1"


def test_what_is_being_typed_is_left_alone_while_something_else_changes(panel: Panel) -> None:
    panel.unfold(panel.settings.factors.hand)
    iron = panel.settings.factors.table.lines["Fe"]
    iron.setFocus()
    panel.qtbot.keyClicks(iron, "1.6")
    panel.workspace.edit(edits.set_k_factor, "Mg", 1.05)
    assert iron.text() == "1.6"
    assert panel.settings.factors.table.lines["Mg"].text() == "1.05"
    panel.qtbot.keyClick(iron, Key.Key_2)
    panel.qtbot.keyClick(iron, Key.Key_Return)
    assert panel.of.k_factor == FactorsByHand({"Mg": 1.05, "Fe": 1.62})


def test_the_lines_follow_the_elements_and_their_order_for_tab(panel: Panel) -> None:
    factors = panel.settings.factors
    panel.unfold(factors.hand)
    iron = factors.table.lines["Fe"]
    panel.workspace.edit(edits.set_elements, ["O", "Al", "Ca", "Fe"], [])
    assert list(factors.table.lines) == ["O", "Al", "Ca", "Fe"]
    assert factors.table.lines["Fe"] is iron, "what is typed there is not lost"
    panel.qtbot.waitUntil(factors.table.lines["Ca"].isVisible)
    factors.hand.heading.setFocus()
    for line in factors.table.lines.values():
        panel.qtbot.keyClick(QApplication.focusWidget(), Key.Key_Tab)
        assert line.hasFocus()


def test_a_factor_of_an_element_that_is_not_quantified_can_still_be_taken_away(
    panel: Panel,
) -> None:
    panel.workspace.edit(edits.set_k_factor, "U", 3.3)  # as a recipe may have it
    panel.unfold(panel.settings.factors.hand)
    panel.type_into(panel.settings.factors.table.lines["U"], "")
    assert panel.of.k_factor is None
    assert "U" not in panel.settings.factors.table.lines


def test_the_reference_is_chosen_and_undone(panel: Panel) -> None:
    factors = panel.settings.factors
    panel.choose(factors.reference, "Fe")
    assert panel.of.reference == "Fe"
    panel.choose(factors.reference, "strongest line")
    assert panel.of.reference is None
    panel.workspace.undo()
    assert panel.of.reference is not None


# oxygen


def test_oxygen_by_stoichiometry_is_chosen_and_undone(panel: Panel) -> None:
    panel.choose(panel.settings.oxygen.oxygen, "by stoichiometry")
    assert panel.of.oxygen == "stoichiometry"
    panel.workspace.undo()
    assert panel.of.oxygen == "measured"
    assert panel.settings.oxygen.oxygen.currentText() == "measured by its line"


@pytest.mark.parametrize(
    ("elements", "why"),
    [
        (("Mg", "Si"), "O is not among the elements"),
        (("O",), "there is no cation"),
        (("O", "F", "Cl"), "none of F, Cl has a usual valence"),
    ],
)
def test_where_oxygen_cannot_follow_from_cations_the_choice_is_grey_and_says_why(
    qtbot: QtBot, elements: tuple[str, ...], why: str
) -> None:
    panel = Panel(qtbot, elements)
    oxygen = panel.settings.oxygen.oxygen
    assert not oxygen.isEnabled()
    assert why in oxygen.toolTip()


def test_a_valence_by_hand_makes_oxygen_by_stoichiometry_possible(qtbot: QtBot) -> None:
    panel = Panel(qtbot, ("O", "F"))
    oxygen = panel.settings.oxygen
    panel.unfold(oxygen.hand)
    assert oxygen.table.lines["F"].placeholderText() == "none is usual"
    panel.type_into(oxygen.table.lines["F"], "1")
    assert oxygen.oxygen.isEnabled()


def test_a_recipe_that_asks_for_oxygen_without_o_can_be_brought_back_to_measured(
    qtbot: QtBot,
) -> None:
    panel = Panel(qtbot, ("Mg", "Si"))
    panel.workspace.edit(edits.set_quantification, oxygen="stoichiometry")  # as a file may have it
    assert panel.settings.oxygen.oxygen.isEnabled()
    panel.choose(panel.settings.oxygen.oxygen, "measured by its line")
    assert panel.of.oxygen == "measured"
    assert not panel.settings.oxygen.oxygen.isEnabled()


def test_a_valence_may_be_a_mean_and_the_usual_one_stands_faintly(panel: Panel) -> None:
    oxygen = panel.settings.oxygen
    panel.unfold(oxygen.hand)
    assert list(oxygen.table.lines) == ["Mg", "Si", "Fe"], "O is balanced, not given"
    assert [line.placeholderText() for line in oxygen.table.lines.values()] == ["2", "4", "2"]
    panel.type_into(oxygen.table.lines["Fe"], "2.6")
    assert panel.of.valence == Valences({"Fe": 2.6})
    assert oxygen.hand.heading.text() == "Valences (1 by hand)"
    panel.workspace.undo()
    assert oxygen.table.lines["Fe"].text() == ""


@pytest.mark.parametrize("bad", ["two", "0", "-2", "9"])
def test_a_valence_that_is_none_is_refused(panel: Panel, bad: str) -> None:
    panel.unfold(panel.settings.oxygen.hand)
    iron = panel.settings.oxygen.table.lines["Fe"]
    panel.type_into(iron, bad)
    assert iron.text() == ""
    assert panel.of.valence is None
    assert [message.kind for message in panel.said] == ["error"]


# the detector


def test_steps_of_a_layer_are_one_undo(panel: Panel) -> None:
    detector = panel.settings.detector
    panel.unfold(detector)
    silicon, dead = detector.layers["silicon_um"], detector.layers["dead_layer_nm"]
    silicon.setFocus()
    for _ in range(3):
        panel.qtbot.keyClick(silicon, Key.Key_Up)
    assert panel.recipe.detector.silicon_um == 600
    dead.setFocus()
    panel.qtbot.keyClick(dead, Key.Key_Down)
    assert panel.recipe.detector.dead_layer_nm == 45
    panel.workspace.undo()
    assert panel.recipe.detector.dead_layer_nm == 50
    assert panel.recipe.detector.silicon_um == 600
    panel.workspace.undo()
    assert panel.recipe.detector.silicon_um == 450
    assert silicon.value() == 450


def test_a_detector_without_silicon_is_refused(panel: Panel) -> None:
    detector = panel.settings.detector
    panel.unfold(detector)
    silicon = detector.layers["silicon_um"]
    panel.type_into(silicon, "0")
    assert panel.recipe.detector.silicon_um == 450
    assert silicon.value() == 450
    assert [message.kind for message in panel.said] == ["error"]
    assert "silicon" in panel.said[0].text
    panel.type_into(detector.layers["aluminium_nm"], "0")
    assert panel.recipe.detector.aluminium_nm == 0, "a detector may have no contact"


def test_a_curve_greys_the_layers_until_they_are_taken_again(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "curve.csv", "energy_keV,efficiency\n0.1,0.2\n20,0.9\n")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    detector = panel.settings.detector
    panel.unfold(detector)
    assert not detector.from_layers.isEnabled()
    panel.click(detector.file)
    assert panel.recipe.detector.curve == str(file.resolve())
    assert detector.source.toolTip() == str(file.resolve())
    for box in detector.layers.values():
        assert not box.isEnabled()
        assert "Not used" in box.toolTip()
    panel.click(detector.from_layers)
    assert panel.recipe.detector.curve is None
    assert all(box.isEnabled() for box in detector.layers.values())
    panel.workspace.undo()
    assert panel.recipe.detector.curve == str(file.resolve())


def test_a_curve_that_cannot_be_read_is_told_and_changes_nothing(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "curve.csv", "energy_keV,efficiency\n0.1,90\n")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    panel.unfold(panel.settings.detector)
    before = panel.recipe
    panel.click(panel.settings.detector.file)
    assert panel.recipe is before
    assert [message.kind for message in panel.said] == ["error"]
    assert "shares, not percent" in panel.said[0].text


# the peaks of the detector


def test_each_peak_of_the_detector_is_asked_for(panel: Panel) -> None:
    peaks = panel.settings.peaks
    panel.unfold(peaks)
    assert peaks.sums.text() == "none"
    panel.tick(peaks.escape)
    panel.tick(peaks.fluorescence)
    panel.type_into(peaks.sums, "4")
    of = panel.of
    assert (of.escape_peaks, of.silicon_fluorescence, of.sum_peaks) == (True, True, 4)
    assert peaks.heading.text() == "Peaks of the detector (3)"
    panel.workspace.undo()
    panel.workspace.undo()
    assert (panel.of.silicon_fluorescence, panel.of.sum_peaks) == (False, 0)
    assert not peaks.fluorescence.isChecked()
    assert peaks.escape.isChecked()
    peaks.sums.setFocus()
    for _ in range(3):
        panel.qtbot.keyClick(peaks.sums, Key.Key_Up)
    panel.workspace.undo()
    assert panel.of.sum_peaks == 0, "a run of steps is one undo"


# all of them


def test_every_control_has_a_tooltip_and_a_name_of_its_own(panel: Panel) -> None:
    panel.unfold_all()
    controls = panel.controls()
    assert len(controls) > 20
    for control in controls:
        assert control.toolTip(), control.accessibleName()
        assert control.accessibleName(), control.toolTip()
    names = [control.accessibleName() for control in controls]
    assert len(set(names)) == len(names)


def test_tab_reaches_every_control_in_the_order_of_reading(panel: Panel) -> None:
    panel.unfold_all()
    usable = [control for control in panel.controls() if control.isEnabled()]
    panel.settings.factors.heading.setFocus()
    passed: list[QWidget] = []
    for _ in usable:
        focused = QApplication.focusWidget()
        assert focused is not None
        passed.append(focused)
        panel.qtbot.keyClick(focused, Key.Key_Tab)
    assert set(passed) == set(usable)
    heights = [control.mapTo(panel.settings, QPoint(0, 0)).y() for control in passed]
    assert heights == sorted(heights)


def test_everything_fits_the_side_panel(panel: Panel, tmp_path: Path) -> None:
    long = "a name of a file that is much longer than the panel is wide, as names are"
    panel.workspace.edit(
        edits.set_quantification,
        k_factors=str(tmp_path / f"{long}.csv"),
        k_factor_basis="atomic",
        k_factor_definition="family",
    )
    panel.workspace.edit(edits.set_detector, curve=str(tmp_path / f"{long}.csv"))
    panel.workspace.edit(edits.set_quantification, sum_peaks=99)
    panel.unfold_all()
    assert panel.settings.minimumSizeHint().width() <= WIDTH - 28, "margins and a scroll bar"
    assert panel.settings.factors.source.shown_text().endswith("…")
    assert panel.settings.factors.source.toolTip().splitlines() == [
        str(tmp_path / f"{long}.csv"),
        "basis: by atoms",
        "definition: of the whole family",
    ]


# with results


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def stage(qtbot: QtBot, prepared: Prepared) -> Iterator[Stage[CompositionPage]]:
    made = Stage(qtbot, CompositionPage)
    made.open(prepared.document())
    yield made
    made.runner.close()


def test_the_k_factor_in_use_stands_faintly_and_one_by_hand_replaces_it(
    stage: Stage[CompositionPage],
) -> None:
    factors = stage.page.options.quantification.factors
    stage.qtbot.mouseClick(factors.hand.heading, LEFT)
    magnesium, iron = factors.table.lines["Mg"], factors.table.lines["Fe"]
    data = stage.workspace.data
    assert data is not None
    beam = data.image.beam_energy_keV
    assert beam is not None
    table = k_factor_table({"Fe": "K", "Mg": "K"}, ("Si", "K"), beam, detector=Detector())
    expected = {row.element: f"{row.k:.4g}" for row in table.rows}
    assert iron.placeholderText() == expected["Fe"]
    assert magnesium.placeholderText() == expected["Mg"]
    before = stage.workspace.result("quantification")
    iron.setFocus()
    stage.qtbot.keyClicks(iron, "1.7")
    stage.qtbot.keyClick(iron, Key.Key_Return)
    stage.until(lambda: stage.workspace.result("quantification") not in (None, before))
    row = stage.workspace.result("quantification").entries[0].composition["Fe"]
    assert row.k_source == "by hand"
    silicon = stage.workspace.result("quantification").entries[0].composition["Si"]
    assert row.k_factor / silicon.k_factor == pytest.approx(1.7)
    assert magnesium.placeholderText() == expected["Mg"]
    assert iron.placeholderText() == "computed", "not the one by hand"
