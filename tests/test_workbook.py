"""The workbook of a run, opened by openpyxl: the numbers of the tables, as numbers."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import openpyxl
import pytest

from endmember.cli import run_command
from endmember.demo import demo_recipe, simulate_to
from endmember.files.tables.workbook import Sheet, write_workbook
from endmember.session.decisions.recipe import FormulaBases, changed
from endmember.session.decisions.recipe_file import dump_recipe

TABLES = {
    "composition": "composition.csv",
    "detection": "detection.csv",
    "partition": "partition.csv",
    "formula units": "formula_units.csv",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    path = folder / "demo.hspy"
    simulate_to(path, None, lambda _: None, size=48, counts_per_pixel=640.0, seed=0, layout=0)
    recipe = folder / "demo.toml"
    asked = demo_recipe(48)
    sample = changed(asked.sample, formula_unit=FormulaBases({"Brg": "3 O", "Fp": "1 O"}))
    text = dump_recipe(changed(asked, sample=sample), folder, folder)
    recipe.write_text(text, encoding="utf-8")
    assert run_command(["run", str(recipe), "--out", str(folder / "results")]) == 0
    return folder / "results"


@pytest.mark.parametrize("name", TABLES)
def test_every_sheet_holds_the_table_of_its_csv(results: Path, name: str) -> None:
    page = openpyxl.load_workbook(results / "composition.xlsx")[name]
    with (results / TABLES[name]).open(encoding="utf-8", newline="") as stream:
        head, *rows = csv.reader(stream)
    found_head, *found = page.iter_rows(values_only=True)
    units = found.pop(0) if name != "partition" else [None] * len(head)  # D has no unit
    assert list(found_head) == head
    assert len(found) == len(rows)
    numbers = 0
    for cells, texts in zip(found, rows, strict=True):
        for cell, text in zip(cells, texts, strict=True):
            if isinstance(cell, int | float):
                numbers += 1
                assert cell == pytest.approx(float(text), rel=1e-9)
            else:
                assert (cell or "") == text
    assert numbers > len(rows)
    assert (
        page.freeze_panes
        == f"{page.cell(1, head.index('element') + 2).column_letter}{page.max_row - len(rows) + 1}"
    )
    said = dict(zip(head, units, strict=True))
    if name == "composition":
        assert (said["atomic_percent_sigma"], said["weight_percent"]) == ("at.%", "wt.%")
        assert (said["lod_ppm"], said["element"]) == ("atomic ppm", None)


def test_the_method_names_data_settings_versions_and_errors(results: Path) -> None:
    book = openpyxl.load_workbook(results / "composition.xlsx")
    assert book.sheetnames == [*TABLES, "method"]
    rows = list(book["method"].iter_rows(min_row=2, values_only=True))
    method = dict(rows)
    assert len(method) == len(rows)
    assert "48 x 48 pixels" in method["map demo"]
    assert method["beam energy of demo (keV)"] == 200
    assert method["thickness of demo (nm)"] == 117
    assert "3 components, poisson" in method["decomposition"]
    assert len(method["SHA-256 of demo"]) == 64
    assert "version of numpy" in method
    assert "one sigma" in method["errors"]


def test_equal_tables_give_equal_bytes_at_any_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = Sheet("t", ("a", "b"), ("", "at.%"), [("x", 1.5)])
    write_workbook(tmp_path / "1.xlsx", [sheet], {"k": 1})
    later = time.time() + 100_000
    monkeypatch.setattr(time, "time", lambda: later)
    time.sleep(1.1)  # openpyxl takes the time in whole seconds
    write_workbook(tmp_path / "2.xlsx", [sheet], {"k": 1})
    assert (tmp_path / "1.xlsx").read_bytes() == (tmp_path / "2.xlsx").read_bytes()


def test_texts_are_no_formulas_and_what_is_no_number_is_empty(tmp_path: Path) -> None:
    rows = [("=1+1", float("nan")), ("two\nlines\x07", None), ("-5", 1e-9), ("7", -2)]
    write_workbook(tmp_path / "t.xlsx", [Sheet("t", ("a", "b"), ("", ""), rows, 1)], {})
    page = openpyxl.load_workbook(tmp_path / "t.xlsx")["t"]
    assert page["A2"].data_type == "s"
    found = list(page.iter_rows(min_row=2, values_only=True))
    assert found == [("=1+1", None), ("two\nlines", None), ("-5", 1e-9), ("7", -2)]
    assert page.freeze_panes == "B2"
