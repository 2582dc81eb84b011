"""A table with elements as rows: its headers and cells, and its text for a spreadsheet."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from endmember.session.steps.compositions import Entry

NO_VALUE = "–"


@dataclass(frozen=True, slots=True)
class Header:
    """The title of a column, its unit, what the column means, and whether it holds numbers.

    `key` tells columns apart in any unit. `lines` is the title as it is broken on the screen.
    """

    key: str
    title: str
    unit: str
    meaning: str
    numeric: bool = True
    lines: str = ""

    @property
    def text(self) -> str:
        """Title and unit in one line, for a spreadsheet."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def label(self) -> str:
        """Title and unit, each on a line of its own, for the screen."""
        lines = self.lines or self.title
        return f"{lines}\n({self.unit})" if self.unit else lines


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows, the number behind it if there is one, and more in a sentence."""

    text: str
    number: float | None = None
    more: str = ""

    @property
    def decimals(self) -> int | None:
        """Digits after the point; None where no number is shown."""
        if self.number is None or not self.text.lstrip("+−")[:1].isdigit():
            return None
        return len(self.text.partition(".")[2])


@dataclass(frozen=True, slots=True)
class ElementTable:
    """Elements as rows: headers, rows of cells, the element of each row, the entry of each column.

    The first column holds the labels of the rows.
    """

    heads: tuple[Header, ...]
    cells: tuple[tuple[Cell, ...], ...]
    elements: tuple[str, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """What one entry gives to a table of several side by side: two columns, by element."""

    entry: Entry
    heads: tuple[Header, Header]
    cells: Mapping[str, tuple[Cell, Cell]]


def side_by_side(
    label: Header, pairs: Sequence[Pair], labels: Mapping[str, str] | None = None
) -> ElementTable:
    """Elements as rows, in the order in which they come up, and two columns for each entry.

    `labels` is what rows are called where that is not the element.
    """
    called = labels or {}
    elements = tuple(dict.fromkeys(element for pair in pairs for element in pair.cells))
    empty = (Cell(""), Cell(""))
    return ElementTable(
        (label, *(head for pair in pairs for head in pair.heads)),
        tuple(
            (
                Cell(called.get(element, element)),
                *(cell for pair in pairs for cell in pair.cells.get(element, empty)),
            )
            for element in elements
        ),
        elements,
        tuple(pair.entry for pair in (*pairs[:1], *pairs) for _ in range(2))[1:],
    )


def plain_cell(cell: Cell) -> str:
    """A cell for a spreadsheet: the number itself where a number is shown, otherwise the text."""
    if cell.text == NO_VALUE:
        return ""
    return cell.text if cell.decimals is None else f"{cell.number:.7g}"


def clipboard_text(heads: Sequence[Header], table: Sequence[Sequence[Cell]]) -> str:
    """Tab-separated text with a header row, numbers with a decimal point."""
    lines = ["\t".join(head.text for head in heads)]
    lines += ["\t".join(plain_cell(cell) for cell in row) for row in table]
    return "\n".join(lines) + "\n"


def clipboard_html(heads: Sequence[Header], table: Sequence[Sequence[Cell]]) -> str:
    """The same as an HTML table."""

    def row(tag: str, texts: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in texts) + "</tr>"

    body = [row("th", [head.text for head in heads])]
    body += [row("td", [plain_cell(cell) for cell in cells]) for cells in table]
    return f"<table>{''.join(body)}</table>"
