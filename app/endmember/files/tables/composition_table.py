"""Compositions as a table: the CSV that others read, and text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from endmember.core.quantification.composition import Composition, ElementResult
from endmember.core.quantification.formula_units import charge_balance
from endmember.files.tables.csv_table import fields_of, write_csv

COLUMNS = (
    "phase",
    "source",
    "map",
    "pixels",
    "element",
    "line",
    "net_counts",
    "background_counts",
    "atomic_percent",
    "atomic_percent_poisson",
    "atomic_percent_sigma",
    "atomic_percent_systematic",
    "weight_percent",
    "weight_percent_sigma",
    "k_factor",
    "absorption",
    "snr",
    "lod_ppm",
    "detected",
    "reduced_chi_squared",
)


@dataclass(frozen=True, eq=False, slots=True)
class Heading:
    """What a composition belongs to: the first columns of its rows. `label` names a region."""

    phase: str
    source: str
    map: str
    pixels: int | None
    label: str = ""


Table = Sequence[tuple[Heading, Composition]]


def write_composition_csv(path: Path, table: Table) -> None:
    """Write one row for each composition and element; numbers with 10 significant digits."""
    write_csv(path, COLUMNS, composition_rows(table))


def composition_rows(table: Table) -> list[list[object]]:
    """The cells of `COLUMNS`, one row for each composition and element."""
    return [
        _cells(heading, composition, row)
        for heading, composition in table
        for row in composition.rows
    ]


def _cells(heading: Heading, composition: Composition, row: ElementResult) -> list[object]:
    measured = {**fields_of(row), **fields_of(heading)}
    if row.line is not None:
        measured["reduced_chi_squared"] = composition.fit.reduced_chi_squared
    return [measured.get(name) for name in COLUMNS]


def composition_text(table: Table) -> str:
    """The compositions for a terminal: at.% with its one-sigma errors, or "< LOD"."""
    return "\n\n".join(_block(heading, composition) for heading, composition in table)


def _block(heading: Heading, composition: Composition) -> str:
    fit = composition.fit
    title = f"{heading.label or heading.phase}, {_SOURCES[heading.source]}"
    if heading.map:
        title += ", sum of the maps" if heading.map == "sum" else f", {heading.map}"
    if heading.pixels is not None:
        title += f", {heading.pixels:,} pixels"
    spread = (2.0 / fit.degrees_of_freedom) ** 0.5
    lines = [
        title,
        f"reduced chi-squared {fit.reduced_chi_squared:.2f} (expected 1.00 +- {spread:.2f})",
        _HEAD,
    ]
    lines += [_line(row) for row in composition.rows]
    if any(row.absorption is not None for row in composition.rows):
        lines.append("corrected for absorption")
    else:
        lines.append("not corrected for absorption")
    balance = charge_balance(composition.atoms)
    if balance is not None:
        lines.append(balance.sentence)
    return "\n".join(lines)


_SOURCES = {
    "mask": "by its mask",
    "mixture": "mixture, as measured",
    "roi": "region of interest, as measured",
    "conventional": "region of interest, matrix subtracted",
    "spectrum": "spectrum",
}
_HEAD = "    " + "".join(
    f"{title:>{width}}"
    for title, width in (
        ("line", 5),
        ("at.%", 11),
        ("+-", 9),
        ("k-fac. +-", 11),
        ("wt.%", 10),
        ("SNR", 9),
        ("LOD ppm", 9),
        ("  state", 7),
    )
)
_STATES = {"no": "not detected", "yes": "detected", "quantifiable": "quantifiable"}


def _line(row: ElementResult) -> str:
    start = f"{row.element:4}{row.line or '':>5}"
    if row.by_stoichiometry:
        return (
            f"{start}{_number(row.atomic_percent):>11}{_number(row.atomic_percent_sigma):>9}"
            f"{_number(row.atomic_percent_systematic):>11}{_number(row.weight_percent):>10}"
            f"{'':>18}  by stoichiometry"
        )
    if row.line is None:
        return f"{start}{'not measured':>31}"
    if row.detected == "assumed_absent" or row.atomic_percent is None:
        return f"{start}{'0':>11}{'':>48}  assumed absent"
    value = "< LOD" if row.detected == "no" else _number(row.atomic_percent)
    return (
        f"{start}{value:>11}{_number(row.atomic_percent_sigma):>9}"
        f"{_number(row.atomic_percent_systematic):>11}"
        f"{'< LOD' if row.detected == 'no' else _number(row.weight_percent):>10}"
        f"{_rounded(row.snr):>9}{_rounded(row.lod_ppm):>9}"
        f"  {_state(row)}"
    )


def _state(row: ElementResult) -> str:
    """The state in words; a clearly negative area is none of the three and is said."""
    if row.net_counts is not None and row.net_sigma and row.net_counts < -3 * row.net_sigma:
        return "negative, see the warnings"
    return _STATES[row.detected or "no"]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}"


def _rounded(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
