"""What goals need, as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from endmember.session.views.composition_view import ELEMENT, decimals_for, number_text
from endmember.session.views.element_table import NO_VALUE, Cell, ElementTable, Header

if TYPE_CHECKING:
    from endmember.core.quantification.composition import ElementResult
    from endmember.session.decisions.recipe import Goal
    from endmember.session.statistics.outlooks import Outlook
    from endmember.session.steps.compositions import Entry

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


def _asked(key: str, what: str, unit: str, says: str) -> tuple[Header, ...]:
    return (
        Header(f"{key} now", f"{what} now", unit, f"{says}, as measured", lines=f"{what}\nnow"),
        Header(key, f"{what} asked", unit, f"{says} that is asked for: {_TYPE}",
               lines=f"{what}\nasked"),
    )  # fmt: skip


def _needed(key: str, what: str) -> tuple[Header, ...]:
    return (
        Header(f"{key} pixels", f"pixels for the {what}", "", "pixels of this phase it needs, the "
               "matrix measured as it is", lines=f"for {what}:\npixels"),
        Header(f"{key} maps", f"maps for the {what}", "", "maps such as these it needs",
               lines="\nmaps"),
        Header(f"{key} minutes", f"minutes for the {what}", "min", "live time it needs at "
               "today's rate; empty where the file names none", lines="live\ntime"),
    )  # fmt: skip


HEADS = (
    ELEMENT,
    *_asked(LOD, "LOD", "ppm", "limit of detection in atomic ppm, 3 sigma of the blank"),
    *_asked(ERROR, "error", "%", "statistical error in % of the value"),
    *_needed(LOD, "LOD"),
    *_needed(ERROR, "error"),
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
    cells = []
    for one in results:
        asked = [getattr(goal, figure).get(one.element) for figure in (LOD, ERROR)]
        cells.append(
            (
                Cell(one.element),
                *_now_and_asked(one.lod_ppm, asked[0]),
                *_now_and_asked(relative_error(one), asked[1]),
                *_need_cells(needs.get((one.element, LOD))),
                *_need_cells(needs.get((one.element, ERROR))),
            )
        )
    return ElementTable(HEADS, tuple(cells), tuple(one.element for one in results), ())


def relative_error(row: ElementResult) -> float | None:
    """The statistical error in % of the value; None where the element is not detected."""
    value, sigma = row.atomic_percent, row.atomic_percent_sigma
    if row.detected not in ("yes", "quantifiable") or not value or sigma is None:
        return None
    return 100.0 * sigma / value


def _now_and_asked(present: float | None, asked: float | None) -> tuple[Cell, Cell]:
    now = Cell(number_text(present, decimals_for(present)), present)
    return now, Cell("" if asked is None else f"{asked:g}", asked, _TYPE)


def _need_cells(need: Outlook | None) -> tuple[Cell, Cell, Cell]:
    if need is None:
        return Cell(""), Cell(""), Cell("")
    if need.times_counts is None or need.state == "reached":
        return Cell(need.state, None, STATES[need.state]), Cell(""), Cell("")
    times = f"{need.times_counts:.3g} times today's counts"
    pixels = (
        Cell(NO_VALUE, None, STATES["not by pixels of this phase"])
        if need.pixels_needed is None
        else Cell(number_text(need.pixels_needed, 0), need.pixels_needed, f"now {need.pixels_now}")
    )
    minutes = need.minutes_needed
    return (
        pixels,
        Cell(number_text(need.maps_needed, 0), need.maps_needed, times),
        Cell(number_text(minutes, decimals_for(None, minutes)), minutes, times),
    )
