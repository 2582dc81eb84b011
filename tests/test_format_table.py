"""The table of real files in the documentation is what the program makes of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def format_table(repository: Path) -> ModuleType:
    place = repository / "docs" / "format_table.py"
    found = importlib.util.spec_from_file_location("format_table", place)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_table_of_formats_is_what_the_program_reads(
    shared: Path, format_table: ModuleType
) -> None:
    real = (shared / "data" / "real").resolve()
    assert format_table.written_table() == format_table.table(real)


def test_the_table_names_52_files_and_each_figure_or_a_reason(format_table: ModuleType) -> None:
    rows = format_table.written_table()[2:]
    assert len(rows) >= 52
    for line in rows:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[1].startswith("refused: ") != bool(cells[3]), line
