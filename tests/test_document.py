"""The document: opening, saving, and when there is something to save."""

import os
from pathlib import Path

import pytest

from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Recipe
from endmember.session.decisions.recipe_file import RecipeError, dump_recipe, load_recipe
from endmember.session.documents.document import Document, is_recipe


def renamed(document: Document, matrix: str) -> None:
    document.session.change(edits.rename_matrix(document.session.recipe, matrix))


def test_a_recipe_is_known_by_its_suffix() -> None:
    assert is_recipe("a.toml")
    assert is_recipe(Path("b/A.TOML"))
    assert not is_recipe("toml")
    assert not is_recipe("a.hspy")


def test_a_document_of_a_map_is_unmodified_until_something_is_decided(tmp_path: Path) -> None:
    document = Document.of_map(tmp_path / "map1.hspy")
    assert document.title == "map1.hspy"
    assert document.path is None
    assert not document.modified
    renamed(document, "Brg")
    assert document.modified
    document.session.undo()
    assert not document.modified


def test_a_map_named_from_the_working_folder_has_an_absolute_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Document.of_map("map1.hspy").session.recipe.maps[0].file == str(tmp_path / "map1.hspy")


def test_a_saved_document_opens_as_it_was_from_wherever_it_lies(tmp_path: Path) -> None:
    document = Document.of_map(tmp_path / "data" / "map1.hspy")
    recipe = edits.add_precipitate(document.session.recipe)
    document.session.change(recipe)
    path = tmp_path / "recipes" / "mine.toml"
    path.parent.mkdir()
    document.save(path)
    assert not document.modified
    assert (document.path, document.title) == (path, "mine.toml")
    assert load_recipe(path, unfinished=True).maps[0].file == "../data/map1.hspy"
    opened = Document.open(path)
    assert os.path.normpath(opened.session.recipe.maps[0].file) == recipe.maps[0].file
    assert opened.session.recipe.precipitates == recipe.precipitates
    assert not opened.modified
    assert opened.title == "mine.toml"


def test_saving_again_needs_no_path_and_undo_past_it_is_a_change(tmp_path: Path) -> None:
    document = Document.of_map(tmp_path / "map1.hspy")
    document.save(tmp_path / "mine.toml")
    renamed(document, "Brg")
    document.save()
    assert load_recipe(tmp_path / "mine.toml", unfinished=True).sample.matrix == "Brg"
    document.session.undo()
    assert document.modified
    document.session.redo()
    assert not document.modified


def test_saving_under_another_name_leaves_the_first_file(tmp_path: Path) -> None:
    document = Document.of_map(tmp_path / "map1.hspy")
    document.save(tmp_path / "a.toml")
    first = (tmp_path / "a.toml").read_text(encoding="utf-8")
    renamed(document, "Brg")
    document.save(tmp_path / "b.toml")
    assert document.title == "b.toml"
    assert (tmp_path / "a.toml").read_text(encoding="utf-8") == first


def test_a_document_without_a_path_asks_for_one(tmp_path: Path) -> None:
    document = Document.of_map(tmp_path / "map1.hspy")
    with pytest.raises(ValueError, match="give the name of a file"):
        document.save()
    with pytest.raises(ValueError, match=r"map1\.hspy: a recipe's name ends in \.toml"):
        document.save(tmp_path / "map1.hspy")


def test_a_failed_save_leaves_the_old_file_and_the_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = Document.of_map(tmp_path / "map1.hspy")
    path = tmp_path / "mine.toml"
    document.save(path)
    before = path.read_bytes()
    renamed(document, "Brg")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as stream:
            stream.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ValueError, match=r"mine\.toml: .*the disk is full.*another place"):
        document.save()
    assert document.modified
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.toml"]
    with pytest.raises(ValueError, match="the disk is full"):
        document.save(tmp_path / "other.toml")
    assert document.path == path


def test_a_file_name_that_is_no_text_is_told_when_saving(tmp_path: Path) -> None:
    document = Document.of_map(tmp_path / "bad\udcff.hspy")
    with pytest.raises(ValueError, match=r"bad.udcff.*cannot be written as text; rename"):
        document.save(tmp_path / "mine.toml")
    assert not (tmp_path / "mine.toml").exists()


def test_an_unfinished_recipe_opens_but_a_wrong_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = dump_recipe(edits.add_precipitate(edits.new_recipe(Path("m.hspy"))))
    path.write_text(text, encoding="utf-8")
    assert Document.open(path).session.recipe.precipitates[0].absent == ""
    path.write_text(text.replace("components = 3", "components = 0"), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"decomposition\.components is 0"):
        Document.open(path)


def with_elements(recipe: Recipe) -> Recipe:
    return edits.adopted(recipe, ["O", "Si", "Cu"])


def test_what_a_file_lists_is_adopted_without_an_undo_or_a_mark(tmp_path: Path) -> None:
    document = Document.of_map(tmp_path / "map1.hspy")
    document.adopt(with_elements(document.session.recipe))
    assert document.session.recipe.sample.elements == ("O", "Si")
    assert not document.modified
    assert not document.session.can_undo


def test_adopting_after_a_decision_keeps_the_mark_the_undo_and_an_open_gesture(
    tmp_path: Path,
) -> None:
    document = Document.of_map(tmp_path / "map1.hspy")
    first = document.session.recipe
    document.session.change(edits.set_map(first, "map1", crop=(0, 0, 5, 5)), same_gesture=True)
    document.adopt(with_elements(document.session.recipe))
    assert document.modified
    today = document.session.recipe
    document.session.change(edits.set_map(today, "map1", crop=(0, 0, 6, 6)), same_gesture=True)
    document.session.undo()
    assert document.session.recipe == first
    assert not document.session.can_undo
    assert not document.modified
