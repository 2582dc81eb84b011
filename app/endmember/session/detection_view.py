"""Signal to noise and limits of detection of a composition, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from endmember.session.composition_view import (
    COUNTS,
    ELEMENT,
    LINE,
    SNR,
    STATE,
    Unit,
    compared_heads,
    count_cells,
    decimals_for,
    line_cell,
    lod_header,
    number_text,
    quantity,
    row_label,
    short_text,
    state_text,
)
from endmember.session.element_table import Cell, Column, ElementTable, Header, side_by_side

if TYPE_CHECKING:
    from endmember.core.background_spread import Spread
    from endmember.core.quantification import ElementResult
    from endmember.session.compositions import Entry

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
            "net counts over the scatter of the residual beside the line; the one to trust in a "
            "subtracted spectrum",
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
            "LOD, 3√B",
            unit.name,
            "3 times the root of the background in 1.0 FWHM, as papers give it: the neighbouring "
            "lines are left out",
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
            "of its ±",
            "σ",
            "the same over the sigma of the net counts: above 1 the background decides",
        ),
    )


def detection_table(entry: Entry, unit: Unit, spread: Spread | None) -> ElementTable:
    """The table of detection of one composition; `spread` is None until it is known."""
    heads = detection_headers(unit)
    rows = entry.composition.rows
    return ElementTable(
        heads,
        tuple(tuple(_cells(row, unit, spread)) for row in rows),
        tuple(row.element for row in rows),
        (entry,) * len(heads),
    )


def _cells(row: ElementResult, unit: Unit, spread: Spread | None) -> list[Cell]:
    lod = quantity(row, unit).lod
    # limits are counts times one constant, whatever the unit
    per_ppm = None if lod is None or not row.lod_ppm else lod / row.lod_ppm
    per_weight_ppm = None if lod is None or not row.lod_weight_ppm else lod / row.lod_weight_ppm
    upper = (
        _scaled(row.upper_limit_ppm, per_ppm)
        if unit.value == "atomic_percent"
        else _scaled(row.upper_limit_weight_ppm, per_weight_ppm)
    )
    counts, sigmas = (None, None) if spread is None else spread.get(row.element, (None, None))
    waiting = spread is None and row.line is not None
    return [
        Cell(row_label(row, unit)),
        line_cell(row),
        *count_cells(row),
        Cell(short_text(row.snr), row.snr),
        Cell(short_text(row.snr_empirical), row.snr_empirical),
        Cell(number_text(row.critical_counts, 0), row.critical_counts),
        Cell(number_text(row.detection_counts, 0), row.detection_counts),
        _limit(lod),
        _limit(_scaled(row.lod_paper_ppm, per_ppm)),
        _limit(upper),
        Cell(state_text(row)),
        Cell(NOT_YET if waiting else number_text(counts, 0), counts),
        Cell(NOT_YET if waiting else number_text(sigmas, 2), sigmas),
    ]


def _scaled(ppm: float | None, factor: float | None) -> float | None:
    return None if ppm is None or factor is None else ppm * factor


def _limit(value: float | None) -> Cell:
    return Cell(number_text(value, decimals_for(value)), value)


def detection_comparison(entries: Sequence[Entry], unit: Unit) -> ElementTable:
    """Elements as rows, and of each entry a column of limits of detection and one of SNR."""
    columns = []
    for entry in entries:
        cells = {
            row.element: (_limit(quantity(row, unit).lod), Cell(short_text(row.snr), row.snr))
            for row in entry.composition.rows
        }
        lod, snr = compared_heads(entry, "lod", "limit of detection", unit.name, "SNR")
        columns.append(Column(entry, (lod, replace(snr, unit="")), cells))
    return side_by_side(ELEMENT, columns)
