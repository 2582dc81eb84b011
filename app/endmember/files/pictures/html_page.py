"""Tables and pictures as one HTML file that needs nothing else: no network, no scripts."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from endmember.files.tables.csv_table import cell_text

SPACE = "&nbsp;"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is shown, with the number behind it and the column of the CSV it is from."""

    value: float | int
    text: str
    column: str = ""


Cell = str | Sequence[str | Number]
"""A text, or texts and numbers one after the other."""


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column: its title, its unit ("" for none), and whether it holds numbers."""

    title: str
    unit: str = ""
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together, under a line of their own; `note` stands below them."""

    heading: Cell
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page. `name` is its id and that of the CSV; `wide` asks for a broad page."""

    name: str
    caption: str
    columns: Sequence[Column]
    groups: Sequence[Group]
    wide: bool = False


@dataclass(slots=True)
class Page:
    """A page in the making: headings, paragraphs, tables and pictures in their order."""

    title: str
    _parts: list[str] = field(default_factory=list)
    _contents: list[tuple[str, str]] = field(default_factory=list)

    def heading(self, text: str, *, wide: bool = False) -> None:
        """Begin a section, which the table of contents names; `wide` if a wide table follows."""
        anchor = f"section-{len(self._contents) + 1}"
        self._contents.append((anchor, text))
        kind = ' class="wide"' if wide else ""
        self._parts.append(f'<h2 id="{anchor}"{kind}>{escape(text)}</h2>')

    def paragraph(self, text: str, kind: str = "") -> None:
        """A paragraph of plain text; `kind` is its class."""
        attribute = f' class="{escape(kind)}"' if kind else ""
        self._parts.append(f"<p{attribute}>{escape(text)}</p>")

    def items(self, texts: Sequence[str], *, numbered: bool = False) -> None:
        """A list; nothing for an empty one."""
        if texts:
            kind = "ol" if numbered else "ul"
            lines = "\n".join(f"<li>{escape(text)}</li>" for text in texts)
            self._parts.append(f"<{kind}>\n{lines}\n</{kind}>")

    def verbatim(self, text: str) -> None:
        """A text with its lines as they are."""
        self._parts.append(f"<pre>{escape(text)}</pre>")

    def table(self, table: Table) -> None:
        """A table; its head is repeated on every page of a print."""
        self._parts.append(table_html(table))

    def picture(self, name: str, content: bytes, caption: str) -> None:
        """A picture from an SVG file, kept inside the page; its caption says what it shows."""
        data = base64.b64encode(content).decode("ascii")
        self._parts.append(
            f'<figure id="figure-{escape(name)}">\n'
            f'<img alt="{escape(caption)}" src="data:image/svg+xml;base64,{data}">\n'
            f"<figcaption>{escape(caption)}</figcaption>\n</figure>"
        )

    def text(self) -> str:
        """The whole page."""
        entries = "\n".join(
            f'<li><a href="#{anchor}">{escape(text)}</a></li>' for anchor, text in self._contents
        )
        body = "\n".join(self._parts)
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(self.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
            f"<h1>{escape(self.title)}</h1>\n<nav><ol>\n{entries}\n</ol></nav>\n{body}\n"
            "</body>\n</html>\n"
        )


def table_html(table: Table) -> str:
    """A table as HTML. Each number is a <data> element with the number of the CSV as its value."""
    head = "".join(_head(column) for column in table.columns)
    groups = "\n".join(_group(group, table.columns) for group in table.groups)
    kind = "wide" if table.wide else "table"
    name = re.sub(r"[^\w.+-]+", "_", table.name)  # an id holds no blank
    caption = f'<p class="caption" id="caption-{name}">{escape(table.caption)}</p>'
    # not a <caption>: browsers leave one alone at the foot of a printed page
    return (
        f'<div class="{kind}">\n{caption}\n'
        f'<table id="table-{name}" aria-labelledby="caption-{name}">\n'
        f"<thead><tr>{head}</tr></thead>\n{groups}\n</table>\n</div>"
    )


def _head(column: Column) -> str:
    unit = f'<br><span class="unit">{escape(column.unit)}</span>' if column.unit else ""
    kind = "" if column.numeric else ' class="text"'
    return f'<th scope="col"{kind}>{escape(column.title)}{unit}</th>'


def _group(group: Group, columns: Sequence[Column]) -> str:
    across = len(columns)
    lines = []
    if group.heading:
        lines.append(
            f'<tr class="group"><th scope="rowgroup" colspan="{across}">'
            f"{_cell(group.heading)}</th></tr>"
        )
    for row in group.rows:
        cells = "".join(
            f"<td{'' if column.numeric else _TEXT}>{_cell(cell)}</td>"
            for column, cell in zip(columns, row, strict=True)
        )
        lines.append(f"<tr>{cells}</tr>")
    if group.note:
        lines.append(f'<tr class="note"><td colspan="{across}">{escape(group.note)}</td></tr>')
    return "<tbody>\n" + "\n".join(lines) + "\n</tbody>"


def _cell(cell: Cell) -> str:
    parts = [cell] if isinstance(cell, str) else cell
    return "".join(
        escape(part) if isinstance(part, str) else _number(part) for part in parts
    ).replace(" ± ", f"{SPACE}±{SPACE}")


def _number(number: Number) -> str:
    column = f' data-column="{escape(number.column)}"' if number.column else ""
    return f'<data value="{escape(cell_text(number.value))}"{column}>{escape(number.text)}</data>'


_TEXT = ' class="text"'
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
@page { size: A4; margin: 16mm 14mm; }
@page wide { size: A4 landscape; margin: 14mm; }
body { font: 10.5pt/1.45 "Helvetica Neue", Arial, "Liberation Sans", sans-serif; color: #1b1e22;
  background: #fff; max-width: 190mm; margin: 8mm auto; padding: 0 5mm; }
h1 { font-size: 17pt; margin: 0 0 4mm; overflow-wrap: anywhere; }
h2 { font-size: 13pt; margin: 9mm 0 2mm; border-bottom: 1px solid #9aa2aa; }
nav { font-size: 9.5pt; } nav ol { margin: 0; columns: 2; }
a { color: #0b63a5; }
p.paste { border-left: 3px solid #0b63a5; padding-left: 4mm; }
p.warning, ul.warning { color: #7a4d00; }
table { border-collapse: collapse; font-size: 8pt; line-height: 1.3; margin: 0 0 6mm;
  font-variant-numeric: tabular-nums; }
p.caption { font-size: 9pt; margin: 4mm 0 1.5mm; }
thead { border-top: 1.2px solid #1b1e22; border-bottom: 0.8px solid #1b1e22; }
table { border-bottom: 1.2px solid #1b1e22; }
th, td { padding: 0.4mm 1.6mm; text-align: right; vertical-align: bottom; }
th.text, td.text { text-align: left; } td { white-space: nowrap; }
.unit { font-weight: normal; color: #5d6670; }
tr.group th { text-align: left; padding-top: 1.6mm; border-top: 0.5px solid #9aa2aa; }
tr.note td { text-align: left; color: #5d6670; white-space: normal; }
figure { margin: 6mm 0; } figure img { width: 100%; height: auto; }
figcaption { font-size: 9pt; margin-top: 1mm; }
pre { font-size: 8pt; background: #f3f4f5; padding: 3mm; white-space: pre-wrap;
  overflow-wrap: anywhere; }
@media screen { table { display: block; overflow-x: auto; } }
@media print {
  body { max-width: none; margin: 0; padding: 0; font-size: 9.5pt; }
  a { color: inherit; text-decoration: none; }
  h2 { break-after: avoid; } figure, tr { break-inside: avoid; }
  figure img { max-height: 215mm; width: auto; max-width: 100%; }
  tr.group { break-after: avoid; } p.caption { break-after: avoid; break-inside: avoid; }
  div.table { break-inside: avoid; }
  thead { display: table-header-group; }
  table { font-size: 7pt; } .wide { page: wide; }
  th, td { padding: 0.3mm 1mm; }
  pre { white-space: pre-wrap; columns: 2; }
}
"""
