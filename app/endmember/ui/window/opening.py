"""From files to a document; data files that have moved are asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtWidgets import QFileDialog, QMessageBox, QWidget

from endmember.session.documents.document import Document, is_recipe
from endmember.session.documents.map_files import missing_files, relinked
from endmember.ui.widgets.dialog import name


def document_of(files: Sequence[Path]) -> Document:
    """A recipe, or a new document of one or more maps.

    Raises
    ------
    ValueError
        if a file is not there, a recipe cannot be used or does not come alone.
    """
    from endmember.session.decisions.edits import add_map

    recipes = [file for file in files if is_recipe(file)]
    if recipes and len(files) > 1:
        raise ValueError(
            f"{recipes[0].name} is a recipe, which names its own maps: open it alone, or open maps "
            "alone"
        )
    for file in files:
        if not os.path.exists(file):  # noqa: PTH110 - says no where Path raises: a long name
            raise ValueError(f"{file}: there is no such file: check its name")
    if recipes:
        return Document.open(recipes[0])
    document = Document.of_map(files[0])
    for file in files[1:]:
        document.adopt(add_map(document.session.recipe, file))
    return document


def find_moved_files(parent: QWidget | None, document: Document) -> list[str]:
    """Ask where the missing data files of a recipe are; returns what was done, as sentences.

    One answer finds all files that have moved along. A file that is not found, because the person
    does not know either, stays missing, and the step that reads it says so.
    """
    from endmember.ui.window.application import CLOSE_WHEN_DONE

    told: list[str] = []
    while missing := missing_files(document.session.recipe):
        if os.environ.get(CLOSE_WHEN_DONE):  # nobody is there to ask
            break
        new = ask_for_moved(parent, missing, document.path)
        if new is None:
            break
        # no entry for undo, which would lose the files again; to be saved, so that they stay found
        document.session.adopt(relinked(document.session.recipe, missing[0], new))
        left = missing_files(document.session.recipe)
        found = [gone.name for gone in missing if gone not in left]
        told.append(f"found in {new.parent}: {', '.join(found)}; save the recipe to keep that")
    return told


def ask_for_moved(
    parent: QWidget | None, missing: Sequence[Path], recipe: Path | None
) -> Path | None:
    """Where the first of the missing files is now; None if the person does not say."""
    first, *others = missing
    box = QMessageBox(parent)
    box.setOption(QMessageBox.Option.DontUseNativeDialog)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Where is the data?")
    box.setText(f"{first.name} is not where the recipe says. Where is it now?")
    verb = "is" if len(others) == 1 else "are"
    also = f" {len(others)} more {verb} missing, and looked for beside it." if others else ""
    box.setInformativeText(f"It was in {first.parent}.{also}")
    find = box.addButton("&Find…", QMessageBox.ButtonRole.AcceptRole)
    without = box.addButton("Open &without", QMessageBox.ButtonRole.RejectRole)
    for button, says in (
        (find, "Choose the file where it is now (Enter)"),
        (without, "Open the recipe all the same; nothing can be computed (Esc)"),
    ):
        if button is not None:
            name(button, says, button.text().replace("&", "").rstrip("…"))
    box.setEscapeButton(without)
    box.exec()
    clicked = box.clickedButton()
    if clicked is None or clicked is not find:
        return None
    return choose_file(parent, first, recipe)


def choose_file(parent: QWidget | None, gone: Path, recipe: Path | None) -> Path | None:
    """A dialog for the file, in what is left of its folder, or where the recipe lies."""
    there = next((f for f in gone.parents if os.path.isdir(f)), Path.home())  # noqa: PTH112
    start = there if recipe is None or there == gone.parent else recipe.parent
    title, same = f"Where is {gone.name}?", f"{gone.suffix.lstrip('.') or 'data'} (*{gone.suffix})"
    chosen, _ = QFileDialog.getOpenFileName(parent, title, str(start), f"{same};;All files (*)")
    return Path(chosen) if chosen else None
