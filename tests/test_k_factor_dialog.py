"""A file of k-factors is chosen: what it leaves open is asked, and all of it is one undo."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from endmember.core.xrays.lines import Family, atomic_mass, detected_cross_section_cm2
from endmember.files.k_factors.factor_checks import Stated
from endmember.files.k_factors.k_factor_file import read_k_factors
from endmember.session.views.k_factor_choice import look_into
from endmember.ui.pages.composition.k_factor_dialog import QUESTIONS, KFactorDialog
from quantification_stage import LEFT, Panel

Key = Qt.Key
VELOX = (
    "Line identifier,Energy,Counts,K-factor\n-,eV,counts,-\nFe-Ka1,6404,1,1.2\nSi-Ka1,1740,1,1\n"
)
ESL = (
    "<TRTStandardLibrary><ClassInstance><CliffLorimerFactors><K_Factors>"
    + ",".join(["0"] * 14 + ["1"] + ["0"] * 11 + ["1.3"])
    + "</K_Factors></CliffLorimerFactors></ClassInstance></TRTStandardLibrary>"
)
ESPM = json.dumps(
    {
        "table": {"26": {"KL3": {"cs": 6.6e-23}}, "14": {"KL3": {"cs": 1.5e-22}}},
        "metadata": {"beam_energy": 200},
    }
)
OURS = "element,line,k,basis\nFe,Ka,1.2,weight\nSi,Ka,1,weight\n"
NO_BASIS = "element,line,k\nFe,Ka,1.2\nSi,Ka,1\n"

Choose = Callable[[str, str], Path]


@pytest.fixture
def panel(qtbot: QtBot) -> Panel:
    return Panel(qtbot)


@pytest.fixture
def choose(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Write a file and choose it by the button."""

    def chosen(file_name: str, text: str) -> Path:
        file = tmp_path / file_name
        file.write_text(text, encoding="utf-8")
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
        panel.click(panel.settings.factors.file)
        return file.resolve()

    return chosen


def the_dialog(qtbot: QtBot) -> KFactorDialog:
    def found() -> list[KFactorDialog]:
        every = QApplication.topLevelWidgets()
        return [w for w in every if isinstance(w, KFactorDialog) and w.isVisible()]

    qtbot.waitUntil(lambda: len(found()) == 1)
    return found()[0]


def tick(qtbot: QtBot, dialog: KFactorDialog, answer: str) -> None:
    button = dialog.buttons[answer]
    qtbot.mouseClick(button, LEFT, pos=QPoint(8, button.height() // 2))


def press(qtbot: QtBot, dialog: KFactorDialog, which: QDialogButtonBox.StandardButton) -> None:
    box = dialog.findChild(QDialogButtonBox)
    assert isinstance(box, QDialogButtonBox)
    qtbot.mouseClick(box.button(which), LEFT)


OK, CANCEL = QDialogButtonBox.StandardButton.Ok, QDialogButtonBox.StandardButton.Cancel


@pytest.mark.parametrize(("file_name", "text"), [("v.csv", VELOX), ("lib.esl", ESL)])
def test_a_file_of_a_vendor_asks_both_questions_and_goes_in_as_one_undo(
    panel: Panel, qtbot: QtBot, choose: Choose, file_name: str, text: str
) -> None:
    before = panel.recipe
    file = choose(file_name, text)
    dialog = the_dialog(qtbot)
    assert dialog.answers() == {}, "nothing is answered beforehand"
    assert dialog.ok is not None
    assert not dialog.ok.isEnabled()
    tick(qtbot, dialog, "atomic")
    assert not dialog.ok.isEnabled()
    tick(qtbot, dialog, "family")
    assert dialog.ok.isEnabled()
    assert panel.recipe is before, "nothing goes in before OK"
    press(qtbot, dialog, OK)
    of = panel.of
    assert of.k_factors == str(file)
    assert (of.k_factor_basis, of.k_factor_definition) == ("atomic", "family")
    factors = panel.settings.factors
    assert factors.source.text() == f"file {file_name}"
    assert factors.stated.text() == "by atoms, of the whole family"
    read_k_factors(of.k_factors, Stated(of.k_factor_basis, of.k_factor_definition))
    panel.workspace.undo()
    assert panel.recipe == before
    assert panel.said == []


def test_a_table_without_basis_asks_for_the_basis_alone(
    panel: Panel, qtbot: QtBot, choose: Choose
) -> None:
    choose("k.csv", NO_BASIS)
    dialog = the_dialog(qtbot)
    assert set(dialog.buttons) == {"weight", "atomic"}
    tick(qtbot, dialog, "weight")
    press(qtbot, dialog, OK)
    assert (panel.of.k_factor_basis, panel.of.k_factor_definition) == ("weight", None)


def test_the_questions_are_answered_by_keys_too(panel: Panel, qtbot: QtBot, choose: Choose) -> None:
    choose("v.csv", VELOX)
    dialog = the_dialog(qtbot)
    dialog.activateWindow()
    qtbot.waitUntil(lambda: dialog.buttons["weight"].hasFocus())
    qtbot.keyClick(dialog.buttons["weight"], Key.Key_Down)
    assert dialog.answers() == {}, "an arrow only goes on"
    qtbot.keyClick(dialog.buttons["atomic"], Key.Key_Space)
    assert dialog.buttons["atomic"].isChecked()
    qtbot.keyClick(dialog.buttons["atomic"], Key.Key_Tab)
    assert dialog.buttons["alpha"].hasFocus()
    qtbot.keyClick(dialog.buttons["alpha"], Key.Key_Space)
    qtbot.keyClick(dialog.buttons["alpha"], Key.Key_Return)
    assert (panel.of.k_factor_basis, panel.of.k_factor_definition) == ("atomic", "alpha")


@pytest.mark.parametrize("key", [Key.Key_Escape, None])
def test_a_dialog_that_is_cancelled_changes_nothing(
    panel: Panel, qtbot: QtBot, choose: Choose, key: Key | None
) -> None:
    before = panel.recipe
    choose("v.csv", VELOX)
    dialog = the_dialog(qtbot)
    tick(qtbot, dialog, "weight")
    if key is None:
        press(qtbot, dialog, CANCEL)
    else:
        qtbot.keyClick(dialog, key)
    assert panel.recipe is before


def test_a_file_that_says_everything_asks_nothing(panel: Panel, choose: Choose) -> None:
    file = choose("k.csv", OURS)
    assert panel.of.k_factors == str(file)
    assert panel.settings.factors.computed.isEnabled()
    assert "as the file says" in panel.settings.factors.source.toolTip()
    panel.click(panel.settings.factors.computed)
    assert panel.of == type(panel.of)()
    assert panel.said == []


def test_what_was_stated_about_one_file_is_asked_again_for_the_next(
    panel: Panel, qtbot: QtBot, choose: Choose
) -> None:
    choose("v.csv", VELOX)
    dialog = the_dialog(qtbot)
    tick(qtbot, dialog, "atomic")
    tick(qtbot, dialog, "family")
    press(qtbot, dialog, OK)
    file = choose("k.csv", OURS)  # which says otherwise, and would be refused with these answers
    assert panel.of.k_factors == str(file)
    assert panel.of.k_factor_basis is None
    choose("v.csv", VELOX)
    qtbot.waitUntil(lambda: the_dialog(qtbot).answers() == {})
    press(qtbot, the_dialog(qtbot), CANCEL)
    assert panel.of.k_factors == str(file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (OURS.replace("1.2", "much"), 'the k-factor "much" is not a positive number'),
        (VELOX.replace("1.2", "0"), 'the k-factor "0" is not a positive number'),
        ("<svg/>", "holds no CliffLorimerFactors"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_asks_and_changes_nothing(
    panel: Panel, choose: Choose, text: str, told: str
) -> None:
    before = panel.recipe
    choose("k.csv", text)
    assert panel.recipe is before
    assert [message.kind for message in panel.said] == ["error"]
    assert told in panel.said[0].text
    assert not [w for w in QApplication.topLevelWidgets() if isinstance(w, KFactorDialog)]


def test_a_table_of_cross_sections_comes_with_its_warning(panel: Panel, choose: Choose) -> None:
    file = choose("espm.json", ESPM)
    assert panel.of.k_factors == str(file)
    assert [message.kind for message in panel.said] == ["warning"]
    assert "wrong sign" in panel.said[0].text


def test_a_file_chooser_that_is_closed_changes_nothing(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def closed(*arguments: str) -> tuple[str, str]:
        asked.append(arguments[-1])
        return "", ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", closed)
    before = panel.recipe
    panel.click(panel.settings.factors.file)
    assert panel.recipe is before
    for ending in ("*.csv", "*.esl", "*.json"):
        assert ending in asked[0]


def test_a_file_is_looked_into_without_a_statement(tmp_path: Path) -> None:
    for name, text, silent_on in (
        ("v.csv", VELOX, ("basis", "definition")),
        ("n.csv", NO_BASIS, ("basis",)),
        ("o.csv", OURS, ()),
        ("e.json", ESPM, ()),
    ):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        assert look_into(file).silent_on == silent_on


def test_the_answers_say_truly_by_how_much_they_differ() -> None:
    """Fe to Si by weight and by atoms, and the alpha line against the family at 200 keV."""
    assert atomic_mass("Fe") / atomic_mass("Si") == pytest.approx(2, rel=0.02)

    def whole(element: str, family: Family) -> float:
        """Counts of the family over those of its alpha line, relative to Si."""
        ratios = [
            detected_cross_section_cm2(of, its, 200.0, None, "family")
            / detected_cross_section_cm2(of, its, 200.0, None, "alpha")
            for of, its in ((element, family), ("Si", "K"))
        ]
        return ratios[0] / ratios[1]

    larger = f"{100 * (whole('Fe', 'K') - 1):.0f} % larger for Fe K"
    smaller = f"{100 * (1 - 1 / whole('Fe', 'K')):.0f} % smaller for Fe K"
    alpha, family = QUESTIONS["definition"].answers
    assert larger in alpha.explained
    assert smaller in family.explained
    heavy: tuple[tuple[str, Family], ...] = (("Nd", "L"), ("U", "M"), ("U", "L"))
    for element, line in heavy:
        assert 1.7 < whole(element, line) < 2


def test_every_answer_is_explained_and_named(qtbot: QtBot) -> None:
    dialog = KFactorDialog(None, Path("v.csv"), ("basis", "definition"))
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    shown = [label.text() for label in dialog.findChildren(QLabel)]
    for button in dialog.buttons.values():
        assert button.toolTip() in shown
        assert button.accessibleName().startswith(button.text())
    for label in dialog.findChildren(QLabel):
        assert label.height() >= label.heightForWidth(label.width()), "no text is cut"


def test_a_file_chosen_again_is_read_again(
    panel: Panel, choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been corrected; its name in the recipe is the same."""
    renewed: list[str] = []
    monkeypatch.setattr(panel.workspace, "renew", renewed.append)
    choose("k.csv", OURS)
    assert renewed == []
    before = panel.recipe
    choose("k.csv", OURS)
    assert panel.recipe is before
    assert renewed == ["subtraction"]
