"""Errors that nobody derived: the spread over masks and the bootstrap, beside the stated ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from endmember.session.views.composition_view import ELEMENT, decimals_for, number_text
from endmember.session.views.element_table import NO_VALUE, Cell, ElementTable, Header

if TYPE_CHECKING:
    from endmember.core.quantification.composition import ElementResult
    from endmember.session.statistics.bootstrap import BootstrapError
    from endmember.session.statistics.mask_spread import MaskSpread
    from endmember.session.steps.compositions import Entry

MASKS = Header(
    "mask_spread",
    "± masks",
    "at.%",
    "one sigma of what the masks may be wrong by: eroded and dilated by a pixel, rectangles drawn "
    "anew, other seeds, less what counting alone would change",
)
BOOTSTRAP = Header(
    "bootstrap",
    "± bootstrap",
    "at.%",
    "scatter of the composition when the whole chain is repeated on counts drawn anew; it should "
    "be as large as ± stat.",
)
HEADS = (
    ELEMENT,
    Header("value", "value", "at.%", "the composition of this phase"),
    Header("sigma", "± stat.", "at.%", "one sigma from counting, as stated"),
    Header("systematic", "± k-factor", "at.%", "one sigma of what the k-factors may be wrong by"),
    MASKS,
    BOOTSTRAP,
    Header("ratio", "boot. / stat.", "", "scatter of the bootstrap over the stated error: about 1"),
    Header("shift", "shift", "at.%", "mean of the bootstrap less the value: what noise does to "
           "masks and matrix moves it"),
    Header("eroded", "eroded", "at.%", "change when each mask loses a rim of one pixel"),
    Header("dilated", "dilated", "at.%", "change when each mask gains a rim of one pixel"),
    Header("rectangles", "rectangles", "at.%", "root mean square change with rectangles drawn "
           "anew, each side up to 2 pixels off"),
    Header("seeds", "seeds", "at.%", "root mean square change with other seeds of GrabCut"),
    Header("noise", "by counting", "at.%", "what these four would come to by counting alone"),
)  # fmt: skip
KnownErrors = tuple["Sequence[MaskSpread] | None", "Sequence[BootstrapError] | None"]
"""What was asked for of other masks and of the bootstrap, None for what was not."""
NOT_ASKED = Cell("", None, "not computed yet: press the button")


@dataclass(frozen=True, slots=True)
class RelativeErrors:
    """The errors of an element in % of its value, None where they are not known or not defined."""

    element: str
    statistical: float | None
    systematic: float | None
    masks: float | None
    bootstrap: float | None


def robustness_table(
    entry: Entry,
    spreads: Sequence[MaskSpread] | None,
    bootstraps: Sequence[BootstrapError] | None,
) -> ElementTable:
    """The elements of a phase with every error that is known; None: not asked for yet."""
    spread, boot = _of(entry, spreads), _of(entry, bootstraps)
    rows = [row for row in entry.composition.rows if row.atomic_percent is not None]
    return ElementTable(
        HEADS,
        tuple(
            _cells(
                row,
                NOT_ASKED if spreads is None else Cell(NO_VALUE),
                spread.get(row.element),
                NOT_ASKED if bootstraps is None else Cell(NO_VALUE),
                boot.get(row.element),
            )
            for row in rows
        ),
        tuple(row.element for row in rows),
        (entry,) * len(HEADS),
    )


def relative_errors(
    entry: Entry,
    spreads: Sequence[MaskSpread] | None,
    bootstraps: Sequence[BootstrapError] | None,
) -> list[RelativeErrors]:
    """The same in % of the value, for a plot; only elements that are detected."""
    spread, boot = _of(entry, spreads), _of(entry, bootstraps)
    found = []
    for row in entry.composition.rows:
        value = row.atomic_percent
        if not value or row.detected not in ("yes", "quantifiable"):
            continue
        of_masks, of_boot = spread.get(row.element), boot.get(row.element)
        found.append(
            RelativeErrors(
                row.element,
                _percent(row.atomic_percent_sigma, value),
                _percent(row.atomic_percent_systematic, value),
                _percent(None if of_masks is None else of_masks.systematic, value),
                _percent(None if of_boot is None else of_boot.bootstrap_sigma, value),
            )
        )
    return found


def with_known_errors(
    table: ElementTable,
    entry: Entry,
    factor: float,
    spreads: Sequence[MaskSpread] | None,
    bootstraps: Sequence[BootstrapError] | None,
) -> ElementTable:
    """A composition's table with the columns that were asked for, after the systematic error.

    `factor` leads from at.% to the table's unit. Without either the table itself.
    """
    if entry.source != "mask" or (spreads is None and bootstraps is None):
        return table
    place = 1 + next(i for i, head in enumerate(table.heads) if head.key == "systematic")
    unit = table.heads[place - 1].unit
    added: list[tuple[Header, dict[str, float | None]]] = []
    if spreads is not None:
        values = {name: one.systematic for name, one in _of(entry, spreads).items()}
        added.append((MASKS, values))
    if bootstraps is not None:
        of_boot = {name: one.bootstrap_sigma for name, one in _of(entry, bootstraps).items()}
        added.append((BOOTSTRAP, dict(of_boot)))
    heads = tuple(Header(h.key, h.title, unit, h.meaning) for h, _ in added)
    cells = []
    for element, row in zip(table.elements, table.cells, strict=True):
        new = [_scaled(values.get(element), factor) for _, values in added]
        cells.append((*row[:place], *new, *row[place:]))
    entries = (entry,) * (len(table.heads) + len(heads))
    return ElementTable(
        (*table.heads[:place], *heads, *table.heads[place:]), tuple(cells), table.elements, entries
    )


def _scaled(value: float | None, factor: float) -> Cell:
    if value is None:
        return Cell("")
    number = value * factor
    return Cell(_text(number), number)


def _text(value: float) -> str:
    """A change or an error with two digits; zero without decimals."""
    return "0" if value == 0 else number_text(value, decimals_for(value))


def _of(entry: Entry, rows: Sequence[MaskSpread] | Sequence[BootstrapError] | None) -> dict:  # type: ignore[type-arg]
    """The rows of an entry by element."""
    return {r.element: r for r in rows or () if (r.phase, r.map) == (entry.phase, entry.map)}


def _percent(error: float | None, value: float) -> float | None:
    return None if error is None else 100.0 * error / abs(value)


def _cells(
    row: ElementResult,
    without_spread: Cell,
    spread: MaskSpread | None,
    without_boot: Cell,
    boot: BootstrapError | None,
) -> tuple[Cell, ...]:
    decimals = decimals_for(row.atomic_percent_sigma, row.atomic_percent)

    def number(value: float | None, otherwise: Cell) -> Cell:
        return otherwise if value is None else Cell(_text(value), value)

    of_masks = (
        [without_spread] * 6
        if spread is None
        else [
            number(value, Cell(NO_VALUE))
            for value in (
                spread.systematic,
                spread.eroded,
                spread.dilated,
                spread.rectangles,
                spread.seeds,
                spread.noise,
            )
        ]
    )
    of_boot = [without_boot] * 3
    if boot is not None:
        off = f"± {number_text(boot.bootstrap_sigma_error, decimals)}, {boot.replicates} replicates"
        of_boot = [
            Cell(_text(boot.bootstrap_sigma), boot.bootstrap_sigma, off),
            Cell(number_text(boot.ratio, 2), boot.ratio, off),
            Cell(number_text(boot.bootstrap_shift, decimals), boot.bootstrap_shift),
        ]
    return (
        Cell(row.element),
        Cell(number_text(row.atomic_percent, decimals), row.atomic_percent),
        number(row.atomic_percent_sigma, Cell("")),
        number(row.atomic_percent_systematic, Cell("")),
        of_masks[0],
        *of_boot,
        *of_masks[1:],
    )
