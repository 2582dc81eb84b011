"""Whether the maps agree, as people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from endmember.core.quantification.consistency import ALARM
from endmember.session.views.composition_view import ELEMENT, SOURCES, decimals_for, number_text
from endmember.session.views.element_table import Cell, ElementTable, Header

if TYPE_CHECKING:
    from endmember.core.quantification.composition import ElementResult
    from endmember.session.statistics.map_consistency import ElementConsistency
    from endmember.session.steps.compositions import Compositions

Spectra = tuple[str, str]
"""A phase, and the source of its spectra: mask, conventional or roi."""
ONE_MAP = "There is one map only: add further maps of this sample to see whether they agree."
NOT_TESTED = "No element was measured on two maps, so that there is nothing to compare."
LEAST_SHOWN = 1e-3


def spectra_tested(rows: Sequence[ElementConsistency]) -> list[Spectra]:
    """The phases and sources that were tested, in the order of the rows."""
    return list(dict.fromkeys((row.phase, row.source) for row in rows))


def spectra_title(spectra: Spectra) -> str:
    """How tested spectra are called: "Fp, mask"."""
    return f"{spectra[0]}, {SOURCES[spectra[1]]}"


def consistency_table(
    rows: Sequence[ElementConsistency], found: Compositions, chosen: Spectra | None
) -> ElementTable | str:
    """The tests of one phase with the value of each map, or of all phases side by side (None)."""
    maps = dict.fromkeys(e.map for e in found.entries if e.source == "mask" and e.map != "sum")
    if len(maps) < 2:
        return ONE_MAP
    if not rows:
        return NOT_TESTED
    if chosen is None:
        return _side_by_side(rows)
    return _of_one([row for row in rows if (row.phase, row.source) == chosen], found, list(maps))


def probability_text(value: float) -> str:
    """A probability with three decimals, a small one as a power of ten."""
    return number_text(value, 3) if value >= LEAST_SHOWN else f"{value:.0e}".replace("-", "−")


def _probability(value: float) -> Cell:
    return Cell(probability_text(value), value if value >= LEAST_SHOWN else None)


def _verdict(row: ElementConsistency) -> Cell:
    if row.p_value_of_all >= ALARM:
        return Cell("agree", None, "within counting errors, all tests of the table together")
    return Cell(
        f"no: {row.farthest_map}",
        None,
        f'"{row.farthest_map}" lies {abs(row.farthest_sigma):.1f} sigma from the others: look at '
        "its masks and its thickness before you use the sum",
    )


def _side_by_side(rows: Sequence[ElementConsistency]) -> ElementTable:
    heads = [ELEMENT]
    columns: list[Mapping[str, Cell]] = []
    for spectra in spectra_tested(rows):
        title = spectra_title(spectra)
        own = {row.element: row for row in rows if (row.phase, row.source) == spectra}
        lines = title.replace(", ", "\n", 1)
        heads += [
            Header("chi", f"chi-squared of {title}", "", f"distance of the maps in {title}: about "
                   "as large as the degrees of freedom where they agree", lines=f"{lines}\nχ²"),
            Header("dof", f"degrees of freedom of {title}", "", "maps less one", lines="\n\ndof"),
            Header("p", f"p of {title}", "", "chance of at least as large a distance though all "
                   "maps are the same", lines="\n\np"),
            Header("agree", f"agree in {title}", "", "no, with the map that lies farthest, where "
                   "chance explains less than 0.1 % of all tests together", numeric=False,
                   lines="\n\nagree?"),
        ]  # fmt: skip
        columns += [
            {e: Cell(number_text(r.chi_squared, 1), r.chi_squared) for e, r in own.items()},
            {e: Cell(str(r.degrees_of_freedom), r.degrees_of_freedom) for e, r in own.items()},
            {e: _probability(r.p_value) for e, r in own.items()},
            {e: _verdict(r) for e, r in own.items()},
        ]
    elements = tuple(dict.fromkeys(row.element for row in rows))
    cells = tuple(
        (Cell(element), *(column.get(element, Cell("")) for column in columns))
        for element in elements
    )
    return ElementTable(tuple(heads), cells, elements, ())


def _of_one(
    rows: Sequence[ElementConsistency], found: Compositions, maps: Sequence[str]
) -> ElementTable:
    values = _values(rows, found)
    measured = [name for name in maps if any(where == name for where, _ in values)]
    heads = [ELEMENT]
    for name in measured:
        heads += [
            Header("value", name, "at.%", f"the value on the map {name}", lines=f"{name}\n"),
            Header("sigma", f"± stat. of {name}", "at.%", "one sigma from counting",
                   lines="\n± stat."),
        ]  # fmt: skip
    heads += [
        Header("mean", "mean", "at.%", "mean of the maps, weighted by 1 / sigma²"),
        Header("mean_sigma", "± mean", "at.%", "one sigma of the mean, if the maps agree"),
        Header("chi", "χ²", "", "sum of (value − mean)² / sigma² over the maps"),
        Header("dof", "dof", "", "degrees of freedom: maps less one"),
        Header("p", "p", "", "chance of at least this chi-squared though all maps are the same"),
        Header("p_all", "p of all", "", "the same for all tests of all phases together "
               "(Bonferroni)"),
        Header("farthest", "farthest", "", "the map that lies farthest from the mean of the "
               "others", numeric=False),
        Header("distance", "distance", "σ", "how far it lies from the mean of the others"),
        Header("agree", "agree?", "", "no where p of all is below 0.001", numeric=False),
    ]  # fmt: skip
    cells = tuple(_cells(row, values, measured) for row in rows)
    return ElementTable(tuple(heads), cells, tuple(row.element for row in rows), ())


def _values(
    rows: Sequence[ElementConsistency], found: Compositions
) -> dict[tuple[str, str], ElementResult]:
    """The element results of the spectra tested by map and element."""
    phase, source = rows[0].phase, rows[0].source
    tested = found.entries if source == "mask" else found.united
    return {
        (e.map, r.element): r
        for e in tested
        if (e.phase, e.source) == (phase, source) and e.map != "sum"
        for r in e.composition.rows
    }


def _cells(
    row: ElementConsistency,
    values: Mapping[tuple[str, str], ElementResult],
    maps: Sequence[str],
) -> tuple[Cell, ...]:
    of_maps: list[Cell] = []
    for name in maps:
        one = values.get((name, row.element))
        value = None if one is None else one.atomic_percent
        sigma = None if one is None else one.atomic_percent_sigma
        decimals = decimals_for(sigma, value)
        of_maps += [
            Cell(number_text(value, decimals), value),
            Cell(number_text(sigma, decimals), sigma),
        ]
    decimals = decimals_for(row.mean_sigma, row.mean_atomic_percent)
    return (
        Cell(row.element),
        *of_maps,
        Cell(number_text(row.mean_atomic_percent, decimals), row.mean_atomic_percent),
        Cell(number_text(row.mean_sigma, decimals), row.mean_sigma),
        Cell(number_text(row.chi_squared, 2), row.chi_squared),
        Cell(str(row.degrees_of_freedom), row.degrees_of_freedom),
        _probability(row.p_value),
        _probability(row.p_value_of_all),
        Cell(row.farthest_map),
        Cell(number_text(row.farthest_sigma, 1), row.farthest_sigma),
        _verdict(row),
    )
