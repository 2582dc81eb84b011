"""What goals need, as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from endmember.session.composition_view import ELEMENT, decimals_for, number_text
from endmember.session.element_table import Cell, ElementTable, Header

if TYPE_CHECKING:
    from endmember.core.composition import ElementResult
    from endmember.session.compositions import Entry
    from endmember.session.outlooks import Outlook
    from endmember.session.recipe import Goal

LOD, ERROR = "lod_ppm", "relative_error_percent"
"""The keys of the columns in which a person types, named as in the recipe."""
_TYPE = "type a number, or empty the cell"
STATES = {
    "reached": "reached",
    "needs more": "",
    "not by pixels of this phase": "the matrix that is subtracted is too noisy for it: only more "
    "of everything helps",
    "not measured": "not measured",
    "not detected": "there is no relative error of what is not detected",
}


def _heads(key: str, what: str, unit: str, says: str) -> tuple[Header, ...]:
    lines = f"\n{what}"
    return (
        Header(f"{key} now", f"{what} now", unit, f"{says}, as measured", lines=f"{lines} now"),
        Header(key, f"{what} asked", unit, f"{says} that is asked for: {_TYPE}",
               lines=f"{lines} asked"),
        Header(f"{key} pixels", f"pixels for the {what}", "", "pixels of this phase it needs, the "
               "matrix measured as it is", lines="\npixels"),
        Header(f"{key} maps", f"maps for the {what}", "", "maps such as these it needs",
               lines="\nmaps"),
        Header(f"{key} minutes", f"minutes for the {what}", "min", "live time it needs at "
               "today's rate; empty where the file names none", lines="\nlive time"),
    )  # fmt: skip


HEADS = (
    ELEMENT,
    *_heads(LOD, "LOD", "ppm", "limit of detection in atomic ppm, 3 sigma of the blank"),
    *_heads(ERROR, "error", "%", "statistical error in % of the value"),
)


def outlook_table(entry: Entry, rows: Sequence[Outlook], goal: Goal) -> ElementTable:
    """All elements of a phase with today's figures, the goals of the recipe, and what they need.

    `rows` may be those of an earlier goal: needs are shown only for what is asked now.
    """
    needs = {
        (row.element, row.figure): row
        for row in rows
        if (row.phase, row.map) == (entry.phase, entry.map)
        and getattr(goal, row.figure).get(row.element) == row.asked
    }
    results = [row for row in entry.composition.rows if row.detected is not None or row.line]
    cells = tuple(
        (
            Cell(one.element),
            *_part(_lod(one), goal.lod_ppm.get(one.element), needs.get((one.element, LOD))),
            *_part(
                relative_error(one),
                goal.relative_error_percent.get(one.element),
                needs.get((one.element, ERROR)),
            ),
        )
        for one in results
    )
    return ElementTable(HEADS, cells, tuple(one.element for one in results), ())


def relative_error(row: ElementResult) -> float | None:
    """The statistical error in % of the value; None where the element is not detected."""
    value, sigma = row.atomic_percent, row.atomic_percent_sigma
    if row.detected not in ("yes", "quantifiable") or not value or sigma is None:
        return None
    return 100.0 * sigma / value


def _lod(row: ElementResult) -> float | None:
    return row.lod_ppm


def _part(present: float | None, asked: float | None, need: Outlook | None) -> tuple[Cell, ...]:
    now = Cell(number_text(present, decimals_for(present)), present)
    typed = Cell("" if asked is None else f"{asked:g}", asked, _TYPE)
    if need is None:
        return now, typed, Cell(""), Cell(""), Cell("")
    if need.times_counts is None or need.state == "reached":
        return now, typed, Cell(need.state, None, STATES[need.state]), Cell(""), Cell("")
    times = f"{need.times_counts:.3g} times today's counts"
    pixels = (
        Cell(NOT_SO, None, STATES["not by pixels of this phase"])
        if need.pixels_needed is None
        else Cell(number_text(need.pixels_needed, 0), need.pixels_needed, f"now {need.pixels_now}")
    )
    minutes = need.minutes_needed
    return (
        now,
        typed,
        pixels,
        Cell(number_text(need.maps_needed, 0), need.maps_needed, times),
        Cell(number_text(minutes, decimals_for(None, minutes)), minutes, times),
    )


NOT_SO = "not so"
