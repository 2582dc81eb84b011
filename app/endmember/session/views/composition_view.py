"""Compositions as people read them: units, headers, values with errors, limits and states."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from endmember.session.views.element_table import (
    NO_VALUE,
    Cell,
    ElementTable,
    Header,
    Pair,
    side_by_side,
)

if TYPE_CHECKING:
    from endmember.core.counts.spectrum import FloatArray
    from endmember.core.fitting.spectrum_fit import SpectrumFit
    from endmember.core.quantification.cliff_lorimer import ElementResult
    from endmember.session.steps.compositions import Entry

UnitName = Literal["at.%", "wt.%", "at. ppm", "wt. ppm", "oxide wt.%"]
SOURCES = {
    "mask": "mask",
    "mixture": "mixture, as measured",
    "roi": "ROI, as measured",
    "conventional": "ROI, matrix subtracted",
    "spectrum": "spectrum",
}
STATES = {
    "no": "not detected",
    "yes": "detected",
    "quantifiable": "quantifiable",
    "assumed_absent": "assumed absent",
}
NOT_MEASURED = "not measured"
BY_STOICHIOMETRY = "by stoichiometry"
INSTRUMENT = "instrument line"
MOST_DECIMALS = 8


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of compositions: where its numbers are in a row, and what they are multiplied by."""

    name: UnitName
    value: str
    factor: float
    lod: str | None


UNITS: dict[UnitName, Unit] = {
    "at.%": Unit("at.%", "atomic_percent", 1.0, "lod_ppm"),
    "wt.%": Unit("wt.%", "weight_percent", 1.0, "lod_weight_ppm"),
    "at. ppm": Unit("at. ppm", "atomic_percent", 1e4, "lod_ppm"),
    "wt. ppm": Unit("wt. ppm", "weight_percent", 1e4, "lod_weight_ppm"),
    "oxide wt.%": Unit("oxide wt.%", "oxide_percent", 1.0, None),
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value of an element with its errors, all in one unit; None: does not exist."""

    value: float | None
    sigma: float | None
    systematic: float | None
    poisson: float | None
    lod: float | None


def quantity(row: ElementResult, unit: Unit) -> Quantity:
    """The value and errors of an element in a unit."""

    def times(attribute: str) -> float | None:
        number: float | None = getattr(row, attribute)
        return None if number is None else number * unit.factor

    value = times(unit.value)
    poisson = None
    if value is not None and row.net_counts is not None and row.net_counts > 0:
        poisson = value / math.sqrt(row.net_counts)
    lod = None
    if unit.lod is not None and (ppm := getattr(row, unit.lod)) is not None:
        lod = ppm * 1e-4 * unit.factor
    elif unit.lod is None and row.lod_weight_ppm and row.oxide_percent and row.weight_percent:
        # both are the same counts times constants, so their ratio is a constant too
        lod = row.lod_weight_ppm * 1e-4 * row.oxide_percent / row.weight_percent
    return Quantity(
        value, times(f"{unit.value}_sigma"), times(f"{unit.value}_systematic"), poisson, lod
    )


def decimals_for(error: float | None, value: float | None = None) -> int:
    """So many decimals that the error has two digits; three significant ones without an error.

    Negative where whole digits are rounded: -2 for an error of 5476, which is shown as 5,500.
    """
    size = abs(error or (value or 0.0) / 10)
    if not (math.isfinite(size) and size > 0):
        return 2
    exponent = int(f"{size:.1e}".partition("e")[2])  # of the rounded error: 0.0996 is 0.10
    return min(1 - exponent, MOST_DECIMALS)


def number_text(value: float | None, decimals: int) -> str:
    """A number with a proper minus sign, its whole digits rounded too where `decimals` is negative.

    "" where it does not exist.
    """
    if value is None:
        return ""
    rounded = round(value, decimals) + 0.0  # never a negative zero
    return f"{rounded:,.{max(decimals, 0)}f}".replace("-", "−")


def state_text(row: ElementResult) -> str:
    """The state of an element in words."""
    if row.by_stoichiometry:
        return BY_STOICHIOMETRY
    if row.line is None:
        return NOT_MEASURED
    if row.detected is None:
        return INSTRUMENT
    if row.is_negative:
        return "negative, see messages"
    return STATES[row.detected]


def value_cell(row: ElementResult, unit: Unit, *, with_lod: bool = False) -> Cell:
    """The value as a person reads it: "< LOD" where the element is not detected.

    `with_lod` adds the limit in brackets, for tables without a column of limits.
    """
    found = quantity(row, unit)
    if row.line is None and not row.by_stoichiometry:
        return Cell(NOT_MEASURED, None, f"{row.element} has no line in the energy range")
    if row.detected is None and not row.by_stoichiometry:
        return Cell(NO_VALUE, None, f"{row.element} is of the instrument: fitted, never quantified")
    if row.detected == "assumed_absent":
        more = f"the subtraction was scaled on {row.element}: zero by construction, proves nothing"
        return Cell("assumed absent", None, more)
    if found.value is None:
        why = f"{row.element} has no value in {unit.name}"
        if row.element == "O":
            why = "the oxides hold as much oxygen as their cations ask for; it is not measured"
        return Cell(NO_VALUE, None, why)
    decimals = decimals_for(found.sigma, found.value)
    value, sigma = number_text(found.value, decimals), number_text(found.sigma, decimals)
    signed = f"{value} ± {sigma} {unit.name}"
    if row.is_negative:
        return Cell(value, found.value, f"{signed}: negative beyond 3 sigma, see the messages")
    if row.detected == "no":
        limit = number_text(found.lod, decimals_for(found.lod))
        shown = f"< LOD ({limit})" if with_lod and limit else "< LOD"
        return Cell(shown, found.value, f"fitted value {signed}; below the critical level")
    return Cell(value, found.value, signed)


ELEMENT = Header("element", "element", "", "the element, or its oxide", numeric=False)
LINE = Header("line", "line", "", "the line whose counts are given", numeric=False)
STATE = Header(
    "state",
    "state",
    "",
    "not detected: below Currie's critical level; detected; quantifiable: above 10 sigma",
    numeric=False,
)
COUNTS = (
    Header("net", "net", "counts", "fitted area of the line, signed"),
    Header("net sigma", "± net", "counts", "one sigma of the net counts"),
    Header("background", "background", "counts", "counts of background under the line in 1.0 FWHM"),
)
SNR = Header("snr", "SNR", "", "net counts over the noise of the background in 1.0 FWHM")


def lod_header(unit: Unit) -> Header:
    """The column of the limits of detection."""
    return Header("lod", "LOD", unit.name, "limit of detection: 3 sigma of the blank")


def count_cells(row: ElementResult) -> list[Cell]:
    """The cells under `COUNTS`."""
    counts = (row.net_counts, row.net_sigma, row.background_counts)
    return [Cell(number_text(value, 0), value) for value in counts]


def headers(unit: Unit, reference: str) -> tuple[Header, ...]:
    """The columns of the table of one composition."""
    name = unit.name
    return (
        ELEMENT,
        LINE,
        Header("value", "value", name, f"the value in {name}; < LOD: not detected"),
        Header(
            "sigma",
            "± stat.",
            name,
            "one sigma from counting: background, overlaps and subtraction included. Use it to "
            "compare phases measured with the same k-factors",
        ),
        Header(
            "systematic",
            "± k-factor",
            name,
            "one sigma of what the k-factors may be wrong by. It matters for absolute values",
        ),
        Header(
            "poisson",
            "± Poisson",
            name,
            "value / √N as papers often give it: too small for traces, which sit on background",
        ),
        lod_header(unit),
        STATE,
        Header("change", "change", name, "difference to what this table showed before"),
        *COUNTS,
        SNR,
        Header(
            "k",
            f"k to {reference}",
            "weight",
            f"Cliff-Lorimer factor by weight of the line relative to {reference}, detector inside",
        ),
        Header(
            "absorption",
            "absorption",
            "",
            "share of the line's X-rays that leave the foil; empty: not corrected",
        ),
    )


def entry_table(
    entry: Entry, unit: Unit, before: Entry | None = None, *, instrument: bool = False
) -> ElementTable:
    """The table of one composition, compared with the entry that was shown before it.

    `instrument` adds the counts of the system elements, which are fitted but not quantified.
    """
    composition = entry.composition
    rows = (*composition.rows, *(instrument_rows(entry) if instrument else ()))
    old = {} if before is None else {row.element: row for row in before.composition.rows}
    heads = headers(unit, composition.reference)
    return ElementTable(
        heads,
        tuple(tuple(row_cells(row, unit, old.get(row.element))) for row in rows),
        tuple(row.element for row in rows),
        (entry,) * len(heads),
    )


def instrument_rows(entry: Entry) -> list[ElementResult]:
    """A row of counts for each element of the fit that is not quantified, such as that of the grid.

    Each has the line by which it would be measured, or the strongest that the fit holds.
    """
    from endmember.core.quantification.cliff_lorimer import ElementResult

    fit = entry.composition.fit
    quantified = {row.element for row in entry.composition.rows}
    others = (c for c in fit.columns if c.element not in quantified)
    elements = dict.fromkeys(c.element for c in others if not c.detected)  # no sum peaks
    rows = []
    for element in elements:
        found = [i for i, c in enumerate(fit.columns) if c.element == element]
        index = fit.find(element, fit.family_of(element) or "")
        if index is None:
            index = max(found, key=lambda i: float(fit.areas[i]))
        column = fit.columns[index]
        rows.append(
            ElementResult(
                element=element,
                line=column.name.removeprefix(f"{element} "),
                energy_keV=column.energy_keV,
                net_counts=float(fit.areas[index]),
                net_sigma=math.sqrt(max(float(fit.covariance[index, index]), 0.0)),
                background_counts=float(fit.background[fit.window(column.energy_keV)].sum()),
            )
        )
    return rows


def row_cells(row: ElementResult, unit: Unit, before: ElementResult | None = None) -> list[Cell]:
    """The cells of one element, in the order of `headers`."""
    found = quantity(row, unit)
    decimals = decimals_for(found.sigma, found.value)

    def error(value: float | None, most: int = MOST_DECIMALS) -> Cell:
        return Cell(number_text(value, min(decimals_for(value), most)), value)

    # far below the statistical error digits say nothing
    most = decimals + 1

    return [
        Cell(row_label(row, unit)),
        line_cell(row),
        value_cell(row, unit),
        error(found.sigma),
        error(found.systematic, most),
        error(found.poisson, most),
        error(found.lod),
        Cell(state_text(row)),
        _change(found, before, unit, decimals),
        *count_cells(row),
        Cell(short_text(row.snr), row.snr),
        Cell(number_text(row.k_factor, 4), row.k_factor),
        Cell(number_text(row.absorption, 3), row.absorption),
    ]


def row_label(row: ElementResult, unit: Unit) -> str:
    """The element, or its oxide where the unit is one of oxides."""
    return row.oxide if unit.value == "oxide_percent" and row.oxide else row.element


def line_cell(row: ElementResult) -> Cell:
    """The line by which an element is measured; its energy in the tooltip."""
    energy = "" if row.energy_keV is None else f"{row.energy_keV:.3f} keV"
    return Cell((row.line or "").replace("a", "α"), None, energy)


def short_text(value: float | None) -> str:
    """A ratio with one decimal, a large one with none."""
    return number_text(value, 0 if value is not None and abs(value) >= 100 else 1)


def _change(now: Quantity, before: ElementResult | None, unit: Unit, decimals: int) -> Cell:
    old = None if before is None else quantity(before, unit).value
    if old is None or now.value is None:
        return Cell(NO_VALUE, None, "no earlier value to compare with")
    difference = now.value - old
    was = f"was {number_text(old, decimals)} {unit.name}"
    if abs(difference) < 0.5 * 10.0**-decimals:
        return Cell("0", difference, was)
    sign = "+" if difference > 0 else ""
    return Cell(sign + number_text(difference, decimals), difference, was)


def entry_name(entry: Entry) -> tuple[str, str]:
    """What an entry is of and where it comes from: "Fp_by_hand (Fp)" and "ROI, as measured, A"."""
    name = f"{entry.label} ({entry.phase})" if entry.label else entry.phase
    where = "sum of the maps" if entry.map == "sum" else entry.map
    return name, ", ".join(part for part in (SOURCES[entry.source], where) if part)


def entry_title(entry: Entry) -> str:
    """How an entry is called: "Fp, mask, map1"."""
    return ", ".join(entry_name(entry))


def entry_key(entry: Entry) -> tuple[str, str, str, str]:
    """What tells entries apart, also between two results."""
    return entry.phase, entry.source, entry.map, entry.label


def compared_head(entry: Entry, key: str, what: str, unit: str) -> Header:
    """A column of an entry in a table of several side by side: "LOD of Fp, mask, map1".

    `what` is empty for the value of a composition, which the title then need not name.
    """
    of = entry_title(entry)
    title = f"{what} of {of}" if what else of
    lines = "\n".join((*((what,) if what else ()), *entry_name(entry)))
    return Header(key, title, unit, f"{what or 'the value'} in {of}", lines=lines)


def error_head(entry: Entry, unit: str) -> Header:
    """The column of statistical errors beside it."""
    title = f"± stat. of {entry_title(entry)}"
    return Header(
        "sigma", title, unit, f"one sigma from counting in {entry_title(entry)}", lines="\n± stat."
    )


def row_labels(entries: Sequence[Entry], unit: Unit) -> dict[str, str]:
    """What the rows of several entries are called."""
    return {
        row.element: row_label(row, unit)
        for entry in reversed(entries)
        for row in entry.composition.rows
    }


def comparison_table(entries: Sequence[Entry], unit: Unit) -> ElementTable:
    """Elements as rows, and of each entry a column of values and one of their errors."""
    pairs = []
    for entry in entries:
        heads = compared_head(entry, "value", "", unit.name), error_head(entry, unit.name)
        rows = entry.composition.rows
        pairs.append(Pair(entry, heads, {r.element: _value_and_error(r, unit) for r in rows}))
    return side_by_side(ELEMENT, pairs, row_labels(entries, unit))


def _value_and_error(row: ElementResult, unit: Unit) -> tuple[Cell, Cell]:
    found = quantity(row, unit)
    decimals = decimals_for(found.sigma, found.value)
    # beside a limit it would be taken for that of the limit
    shown = None if row.detected == "no" else found.sigma
    return value_cell(row, unit, with_lod=True), Cell(number_text(shown, decimals), shown)


def added_counts(fit: SpectrumFit, element: str) -> FloatArray | None:
    """The counts (n,) that all lines of an element add to the fit, None without any."""
    indices = [i for i, column in enumerate(fit.columns) if column.element == element]
    return np.asarray(fit.shapes[:, indices] @ fit.areas[indices]) if indices else None


def measured_at_keV(fit: SpectrumFit, element: str) -> float | None:
    """The energy of the line by which an element is measured, None if it has none in the fit."""
    family = fit.family_of(element) if element else None
    index = None if family is None else fit.find(element, family)
    return None if index is None else fit.columns[index].energy_keV


def window_width_keV(fit: SpectrumFit, energy_keV: float) -> float:
    """The width of the window, 1.0 FWHM, in which a line at an energy is judged."""
    window = fit.window(energy_keV)
    return float(window.stop - window.start) * fit.spectrum.axis.step_keV


def fit_sentence(entry: Entry) -> str:
    """How well the fit explains the spectrum: chi-squared, what is expected, and the range."""
    fit = entry.composition.fit
    spread = math.sqrt(2.0 / fit.degrees_of_freedom)
    axis = fit.spectrum.axis
    return (
        f"reduced chi-squared {fit.reduced_chi_squared:.2f}, expected 1.00 ± {spread:.2f} "
        f"(n − p = {fit.degrees_of_freedom}), fitted {axis.start_keV:.2f} to "
        f"{axis.stop_keV:.2f} keV"
    )


def notes(entry: Entry) -> list[str]:
    """What has to be known to read the table of an entry."""
    rows = entry.composition.rows
    corrected = any(row.absorption is not None for row in rows)
    told = [
        "corrected for absorption"
        if corrected
        else "not corrected for absorption: give the thickness of the map and the density of the "
        "phase (Phases page)"
    ]
    told += _thickness_doubt(rows)
    missing = [
        row.element
        for row in rows
        if row.line is None and row.detected != "assumed_absent" and not row.by_stoichiometry
    ]
    if any(row.by_stoichiometry for row in rows):
        told.append("O by stoichiometry: as much as the valences of the cations ask for")
    if missing:
        told.append(f"{', '.join(missing)} not measured: the others add up to 100 % without")
    absent = [row.element for row in rows if row.detected == "assumed_absent"]
    if absent:
        told.append(f"{absent[0]} is assumed absent: the subtraction is scaled on it")
    return told + _charges(entry)


def _thickness_doubt(rows: Sequence[ElementResult]) -> list[str]:
    """What 10 % of the thickness would change, which no error of the table holds."""
    corrected = [row for row in rows if row.absorption and row.atomic_percent is not None]
    if not corrected or any(row.by_stoichiometry for row in rows):
        return []
    from endmember.core.xrays.absorption import thickness_slope  # late: it loads tables

    slope = thickness_slope(np.array([row.absorption for row in corrected], float))
    percent = np.array([row.atomic_percent for row in corrected], float)
    shift = 0.1 * percent * ((percent @ slope) / percent.sum() - slope)
    most = int(np.argmax(np.abs(shift)))
    text = f"{shift[most]:+.2g}".replace("-", "−")
    moved = f"{corrected[most].element} by {text} at.%"
    return [f"10 % more thickness or density would move {moved}: no error of the table holds that"]


def _charges(entry: Entry) -> list[str]:
    from endmember.core.quantification.formula_units import charge_balance

    balance = charge_balance(entry.composition.atoms)
    if balance is None:
        return []
    apart = round(balance.distance, 1) + 0.0  # no "-0.0"
    return [
        f"charges per 100 atoms: cations +{balance.positive:.1f}, oxygen −{balance.negative:.1f}; "
        f"they differ by {apart:+.1f} σ, errors of the k-factors included".replace("by -", "by −")
    ]
