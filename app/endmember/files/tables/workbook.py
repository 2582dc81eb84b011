"""Tables as a workbook for spreadsheets (XLSX); equal tables give equal bytes."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIDNIGHT = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive can name
_WRITTEN = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</)")
NARROWEST, WIDEST = 8, 60  # columns, in characters
LONGEST_NAME = 31  # characters of a sheet's name
INVISIBLE = dict.fromkeys(code for code in range(32) if chr(code) not in "\t\n")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its name, its columns with their units (empty where there is none), its rows.

    The first `fixed` columns stay in view with the heading.
    """

    name: str
    columns: Sequence[str]
    units: Sequence[str]
    rows: Sequence[Sequence[object]]
    fixed: int = 0


def write_workbook(path: Path, sheets: Sequence[Sheet], method: Mapping[str, object]) -> None:
    """Write the tables as sheets, then one of what `method` says of them, a line for each entry.

    Numbers are written as numbers, values that do not exist as empty cells, texts never as
    formulas. The heading is a row of names and a row of units, and stays in view.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _add(book.create_sheet(sheet.name[:LONGEST_NAME]), sheet)
    lines = list(method.items())
    _add(book.create_sheet("method"), Sheet("method", ("what", "value"), ("", ""), lines, 1))
    book.properties.creator = "Endmember"
    _save(book, path)


def _add(page: Any, sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill

    has_units = any(sheet.units)
    for row in [sheet.columns, *([sheet.units] if has_units else []), *sheet.rows]:
        page.append([None] * len(sheet.columns))
        for cell, value in zip(page[page.max_row], row, strict=True):
            _fill(cell, value)
    heading = 2 if has_units else 1
    for row in page.iter_rows(max_row=heading):
        for cell in row:
            cell.font = Font(bold=cell.row == 1, italic=cell.row == 2)
            cell.fill = PatternFill("solid", fgColor="FFE7ECF2")
    for place, column in enumerate(page.columns):
        texts = [_shown(cell.value) for cell in column]
        width = min(max(map(len, texts), default=0) + 2, WIDEST)
        page.column_dimensions[column[0].column_letter].width = max(width, NARROWEST)
        if any(len(text) > WIDEST for text in texts) or (place == 1 and sheet.name == "method"):
            for cell in column:
                cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
    page.freeze_panes = page.cell(row=heading + 1, column=sheet.fixed + 1)
    if sheet.rows and not has_units:
        page.auto_filter.ref = page.dimensions
    elif sheet.rows:  # of the units, so that they do not count as a value
        page.auto_filter.ref = f"A2:{page.dimensions.partition(':')[2]}"


def _fill(cell: Any, value: object) -> None:
    """Put a value into a cell; what a number is not, is text, also where it begins with "="."""
    if hasattr(value, "item"):  # a number of numpy
        value = value.item()
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return
    if isinstance(value, bool | int | float):
        cell.value = value
        if isinstance(value, float):
            cell.number_format = _format(value)
        return
    cell.value = str(value).translate(INVISIBLE)
    cell.data_type = "s"


def _format(value: float) -> str:
    """How a number is shown; the cell holds all its digits."""
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        return "0.000E+00"
    places = 0 if abs(value) >= 1e5 else 4 if abs(value) >= 1 or value == 0 else 6
    return "0." + "0" * places if places else "0"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return "0" * 11
    return max(str(value or "").split("\n"), key=len)


def _save(book: Any, path: Path) -> None:
    """Save a workbook whose bytes do not hold the time at which it was written."""
    written = io.BytesIO()
    book.save(written)
    with (
        zipfile.ZipFile(written) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _WRITTEN.sub(rb"\g<1>1980-01-01T00:00:00Z\g<2>", content)
            entry = zipfile.ZipInfo(name, MIDNIGHT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
