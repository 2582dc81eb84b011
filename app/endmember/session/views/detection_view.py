"""Signal to noise and limits of detection of a composition, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from endmember.session.views.composition_view import (
    COUNTS,
    ELEMENT,
    LINE,
    SNR,
    STATE,
    Unit,
    compared_head,
    count_cells,
    decimals_for,
    line_cell,
    lod_header,
    number_text,
    quantity,
    row_label,
    row_labels,
    short_text,
    state_text,
)
from endmember.session.views.element_table import (
    NO_VALUE,
    Cell,
    ElementTable,
    Header,
    Pair,
    side_by_side,
)

if TYPE_CHECKING:
    from endmember.core.quantification.background_spread import Spread
    from endmember.core.quantification.cliff_lorimer import ElementResult
    from endmember.session.steps.compositions import Entry

NOT_YET = "…"


def detection_headers(unit: Unit) -> tuple[Header, ...]:
    """The columns of the table of detection of one composition."""
    return (
        ELEMENT,
        LINE,
        *COUNTS,
        SNR,
        Header(
            "snr_empirical",
            "SNR, residual",
            "",
            "the same with the noise that the residual of the fit shows beside the line",
        ),
        Header(
            "critical",
            "L_C",
            "counts",
            "Currie's critical level, 1.645 sigma of the blank: net counts below it are no proof "
            "of the element",
        ),
        Header(
            "detection",
            "L_D",
            "counts",
            "Currie's detection limit, 2.71 + 3.29 sigma of the blank: so many net counts are "
            "missed once in 20 times",
        ),
        lod_header(unit),
        Header(
            "lod_paper",
            "LOD, 3 × noise",
            unit.name,
            "3 times the noise in 1.0 FWHM, that of SNR: the root of the background, as papers "
            "give it; in a subtracted spectrum also of all that was subtracted there. What "
            "neighbouring lines take away is left out",
        ),
        Header(
            "limit",
            "95 % limit",
            unit.name,
            "upper limit of an element that is not detected: with 95 % confidence there is no more",
        ),
        STATE,
        Header(
            "spread",
            "other backgrounds",
            "counts",
            "largest less smallest net counts with two other shapes of the background; no sigma",
            lines="other\nbackgrounds",
        ),
        Header(
            "relative_spread",
            "other backgrounds, in ± net",
            "σ",
            "the same over the sigma of the net counts: above 1 the background decides",
            lines="over\n± net",
        ),
    )


def detection_table(entry: Entry, unit: Unit, spread: Spread | str | None) -> ElementTable:
    """The table of detection of one composition.

    `spread` is None until it is known, and a sentence where it could not be made.
    """
    heads = detection_headers(unit)
    rows = entry.composition.rows
    return ElementTable(
        heads,
        tuple((*_cells(row, unit), *_spread_cells(entry, row, spread)) for row in rows),
        tuple(row.element for row in rows),
        (entry,) * len(heads),
    )


def _cells(row: ElementResult, unit: Unit) -> list[Cell]:
    lod = quantity(row, unit).lod
    by_weight = unit.value != "atomic_percent"
    own, upper = (
        (row.lod_weight_ppm, row.upper_limit_weight_ppm)
        if by_weight
        else (row.lod_ppm, row.upper_limit_ppm)
    )
    return [
        Cell(row_label(row, unit)),
        line_cell(row),
        *count_cells(row),
        Cell(short_text(row.snr), row.snr),
        Cell(short_text(row.snr_empirical), row.snr_empirical),
        Cell(number_text(row.critical_counts, 0), row.critical_counts),
        Cell(number_text(row.detection_counts, 0), row.detection_counts),
        _limit(lod),
        # both limits of detection are counts times the same constant
        _limit(_scaled(row.lod_paper_ppm, lod, row.lod_ppm)),
        # an upper limit is closed to 100 %; to an oxide it is brought as its limit of detection is
        _limit(_scaled(upper, lod, own)),
        Cell(state_text(row)),
    ]


def _spread_cells(
    entry: Entry, row: ElementResult, spread: Spread | str | None
) -> tuple[Cell, Cell]:
    if row.line is None or entry.source == "conventional":
        return Cell(""), Cell("")
    if spread is None:
        return Cell(NOT_YET, None, "other backgrounds are being tried"), Cell(NOT_YET)
    if isinstance(spread, str):
        return Cell(NO_VALUE, None, spread), Cell(NO_VALUE, None, spread)
    counts, sigmas = spread.get(row.element, (None, None))
    return Cell(number_text(counts, 0), counts), Cell(number_text(sigmas, 2), sigmas)


def _scaled(ppm: float | None, lod: float | None, lod_ppm: float | None) -> float | None:
    return None if ppm is None or lod is None or not lod_ppm else ppm * lod / lod_ppm


def _limit(value: float | None) -> Cell:
    return Cell(number_text(value, decimals_for(value)), value)


def detection_comparison(entries: Sequence[Entry], unit: Unit) -> ElementTable:
    """Elements as rows, and of each entry a column of limits of detection and one of SNR."""
    pairs = []
    for entry in entries:
        heads = (
            compared_head(entry, "lod", "LOD", unit.name),
            compared_head(entry, "snr", "SNR", ""),
        )
        cells = {
            row.element: (_limit(quantity(row, unit).lod), Cell(short_text(row.snr), row.snr))
            for row in entry.composition.rows
        }
        pairs.append(Pair(entry, heads, cells))
    return side_by_side(ELEMENT, pairs, row_labels(entries, unit))
