"""Choosing a file of k-factors, and asking what it does not say of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QButtonGroup, QLabel, QRadioButton, QVBoxLayout, QWidget

from endmember.session.decisions.quantification_edits import set_quantification
from endmember.session.views.k_factor_choice import FactorFile, look_into
from endmember.ui.document.page import heading, remark
from endmember.ui.document.workspace import Workspace
from endmember.ui.widgets.dialog import Dialog, Standard, name

if TYPE_CHECKING:
    from endmember.files.k_factors.factor_checks import Statement

FILTER = (
    "k-factors (*.csv *.esl *.json);;CSV, own or of Velox (*.csv);;Bruker Esprit (*.esl);;"
    "Cross sections as JSON (*.json);;All files (*)"
)
_UNDER_A_RADIO_BUTTON = 22  # pixels to where its text begins
_WIDTH = 460


class _Answer(NamedTuple):
    value: str
    text: str
    explained: str


class _Question(NamedTuple):
    key: str
    text: str
    answers: tuple[_Answer, ...]


QUESTIONS: dict[Statement, _Question] = {
    "basis": _Question(
        "k_factor_basis",
        "Are the k-factors by weight or by atoms?",
        (
            _Answer(
                "weight",
                "By weight",
                "k times counts is proportional to mass: relative to Si, k of Fe is then twice "
                "what it is by atoms.",
            ),
            _Answer(
                "atomic",
                "By atoms",
                "k times counts is proportional to the number of atoms: relative to Si, k of Fe is "
                "then half of what it is by weight.",
            ),
        ),
    ),
    "definition": _Question(
        "k_factor_definition",
        "Which counts do they belong to?",
        (
            _Answer(
                "alpha",
                "Those of the alpha line",
                "Kα, Lα or Mα alone: relative to Si, k is then 10 % larger for Fe K than with the "
                "whole family, and nearly twice as large for L and M lines.",
            ),
            _Answer(
                "family",
                "Those of the whole family",
                "All lines of the shell, such as Kα and Kβ together: relative to Si, k is then 9 % "
                "smaller for Fe K than with the alpha line, and about half for L and M lines.",
            ),
        ),
    ),
}


class KFactorDialog(Dialog):
    """What a file of k-factors leaves open; nothing is answered beforehand."""

    def __init__(self, parent: QWidget | None, file: Path, silent_on: Sequence[Statement]) -> None:
        super().__init__(parent, "What the k-factors mean")
        self.buttons: dict[str, QRadioButton] = {}
        self._groups: dict[str, QButtonGroup] = {}
        said = QLabel(
            f"{file.name} does not say it. Take the answer from the program that wrote the file, "
            "or its manual: a wrong one goes into every composition."
        )
        said.setWordWrap(True)
        said.setToolTip(str(file))
        box = self.box(Standard.Ok, Standard.Cancel)
        self.ok = box.button(Standard.Ok)
        whole = QVBoxLayout(self)
        whole.addWidget(said)
        for statement in silent_on:
            self._ask(whole, QUESTIONS[statement])
        whole.addStretch(1)
        whole.addWidget(box)
        self.setMinimumWidth(_WIDTH)
        self.resize(_WIDTH, whole.heightForWidth(_WIDTH))
        self._judge()
        next(iter(self.buttons.values())).setFocus()

    def _ask(self, whole: QVBoxLayout, question: _Question) -> None:
        group = self._groups[question.key] = QButtonGroup(self)
        whole.addSpacing(6)
        whole.addWidget(heading(question.text))
        for answer in question.answers:
            button = self.buttons[answer.value] = QRadioButton(answer.text)
            name(button, answer.explained, f"{answer.text}. {answer.explained}")
            button.setProperty("answer", answer.value)
            button.toggled.connect(self._judge)
            group.addButton(button)
            explained = remark(answer.explained)
            explained.setIndent(_UNDER_A_RADIO_BUTTON)
            whole.addWidget(button)
            whole.addWidget(explained)

    def answers(self) -> dict[str, Any]:
        """The answers by the key of the recipe, as far as they were given."""
        chosen = {key: group.checkedButton() for key, group in self._groups.items()}
        return {key: b.property("answer") for key, b in chosen.items() if b is not None}

    def _judge(self) -> None:
        if self.ok is not None:
            self.ok.setEnabled(len(self.answers()) == len(self._groups))


def use_k_factors(workspace: Workspace, parent: QWidget | None, file: Path) -> None:
    """Take the k-factors of a file, in one edit, after asking what the file leaves open.

    A file that cannot be used is told, and nothing changes.
    """
    try:
        found = look_into(file)
    except ValueError as error:
        workspace.say("error", str(error))
        return
    if not found.silent_on:
        _use(workspace, file, found, {})
        return
    dialog = KFactorDialog(parent, file, found.silent_on)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(lambda: _use(workspace, file, found, dialog.answers()))
    dialog.open()


def _use(workspace: Workspace, file: Path, found: FactorFile, answers: dict[str, Any]) -> None:
    before = workspace.recipe
    if workspace.edit(partial(set_quantification, k_factors=str(file), **answers)):
        if workspace.recipe is before:  # the file itself may be another one
            workspace.renew("subtraction")
        if workspace.preferences is not None:
            workspace.preferences.last_folder = file.parent
        for warning in found.warnings:
            workspace.say("warning", warning)
