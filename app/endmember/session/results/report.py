"""The report of a finished session: one HTML file with its tables, figures, methods and sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endmember.files.pictures.html_page import Page, Table
from endmember.session.decisions.recipe import Goal
from endmember.session.decisions.recipe_file import dump_recipe
from endmember.session.results import report_summaries, report_tables
from endmember.session.results.further_tables import FurtherRows
from endmember.session.results.methods_text import assumptions, methods
from endmember.session.state.session import Failure
from endmember.session.views.remarks import remarks

if TYPE_CHECKING:
    from endmember.session.figures.figure_list import PlannedFigure
    from endmember.session.state.session import Session

DrawnFigures = Iterable[tuple["PlannedFigure", bytes | str]]
ABOUT = (
    "Numbers are rounded to two digits of their statistical error, or to three digits where they "
    "have none; the number behind each is that of the CSV. Errors are one sigma."
)


def report_text(session: Session, drawn: DrawnFigures, further: FurtherRows, final: Path) -> str:
    """The report as the text of one HTML file, which will stand in the folder `final`.

    Parts whose step has failed are left out, and named with the reason. `drawn` are the figures
    as SVG, or why there is none; see `figures.figure_list.drawn_figures`.
    """
    recipe = session.recipe
    phases = ", ".join(recipe.phases)
    page = Page(f"{phases}: report of {', '.join(recipe.map_names)}")
    page.paragraph(ABOUT)
    tables, told = _tables(session, further)
    _failures(page, session)
    page.heading("Warnings")
    warnings = [remark.sentence for remark in remarks(session)]
    warnings += [sentence for sentence in told if sentence not in warnings]
    if warnings:
        page.items(warnings)
    else:
        page.paragraph("None.")
    page.heading("Assumptions")
    page.items(assumptions(session))
    page.heading("Methods, to paste")
    text, references = methods(session, further)
    page.paragraph(text, "paste")
    page.items(references, numbered=True)
    page.heading("Phases side by side")
    for table in _made(report_summaries.phase_tables, session) or []:
        page.table(table)
    if (separated := _made(report_summaries.separation_table, session)) is not None:
        page.table(separated)
    page.heading("Tables in full", wide=True)
    for table in tables:
        page.table(table)
    page.heading("Figures")
    _add_figures(page, drawn)
    page.heading("Sources")
    page.table(report_summaries.input_table(session))
    page.table(report_summaries.version_table(session))
    page.heading("Recipe as run")
    page.verbatim(dump_recipe(recipe, final))
    return page.text()


def _made(make: Callable[[Session], Any], session: Session) -> Any:
    """What `make` gives; None where there is no composition to make it of."""
    found = session.result("quantification")
    return None if found is None or isinstance(found, Failure) else make(session)


def _failures(page: Page, session: Session) -> None:
    """What was not done and why, in front of everything else."""
    told = [failure.message for _, _, failure in session.failures()]
    for step in session.table:
        for maps in session.table.groups(step.name, session.recipe):
            told += getattr(session.result(step.name, maps[0]), "failures", {}).values()
    if told:
        page.heading("What could not be done")
        page.items(list(dict.fromkeys(told)))


def _tables(session: Session, further: FurtherRows) -> tuple[list[Table], list[str]]:
    """Every table of the results folder, and what has to be told of them."""
    quantified = session.result("quantification")
    if quantified is None or isinstance(quantified, Failure):
        return [], []
    rows = report_tables.entry_rows(session)
    found = [report_tables.composition_report(rows), report_tables.detection_report(rows)]
    if not isinstance(session.result("partition"), Failure | None):
        found.append(report_tables.partition_report(session))
    if (units := report_tables.formula_report(session)) is not None:
        found.append(units)
    statistics, told = _statistics(session)
    return [*found, *statistics, *_further(session, further)], told


def _statistics(session: Session) -> tuple[list[Table], list[str]]:
    from endmember.session.statistics.map_consistency import map_consistency
    from endmember.session.statistics.mass_balances import mass_balances
    from endmember.session.statistics.outlooks import outlooks

    record = report_tables.record_table
    found: list[Table] = []
    told: list[str] = []
    if len(session.recipe.maps) > 1:
        caption = (
            "Do the maps agree (consistency.csv)? Chi-squared of the maps against their mean, by "
            "statistical errors alone."
        )
        tested = map_consistency(session.result("quantification"), session.recipe.sample.matrix)
        found.append(
            record("consistency", caption, report_tables.CONSISTENCY, tested, "phase", "source")
        )
    if _all_separated(session):
        balances = mass_balances(session)
        told += balances.warnings
        bulk = ", and the bulk as entered" if session.recipe.sample.bulk else ""
        caption = (
            f"Mass balance (mass_balance.csv): the whole map, its phases added up{bulk}. The error "
            "of whole less phases knows that both are the same counts, not that the whole map has "
            "one fit and one absorption for all phases: some 0.1 to 0.5 % of a value."
        )
        found.append(record("mass_balance", caption, report_tables.BALANCE, balances.rows, "map"))
        if session.recipe.goal != Goal():
            caption = "What the goals need (outlook.csv)."
            found.append(
                record("outlook", caption, report_tables.OUTLOOK, outlooks(session), "phase", "map")
            )
    return found, told


def _all_separated(session: Session) -> bool:
    steps = ("read", "masks", "subtraction")
    results = [session.result(s, name) for s in steps for name in session.recipe.map_names]
    return not any(isinstance(result, Failure | None) for result in results)


def _further(session: Session, further: FurtherRows) -> list[Table]:
    from endmember.session.figures.spectrum_panels import trace_elements

    record = report_tables.record_table
    found: list[Table] = []
    traces = trace_elements(session)
    growth = [row for row in further.growth if row.element in traces]
    if growth:
        caption = (
            "Signal to noise against pixels, of the traces (all elements: snr_growth.csv): random "
            "parts of each phase's pixels, each holding the smaller ones, and a root fitted."
        )
        found.append(record("snr_growth", caption, report_tables.GROWTH, growth, "phase", "map"))
    if further.spread:
        caption = "Compositions under other masks (mask_spread.csv)."
        found.append(
            record("mask_spread", caption, report_tables.SPREAD, further.spread, "phase", "map")
        )
    if further.bootstrap:
        caption = "The chain repeated on resampled maps (bootstrap.csv)."
        found.append(
            record("bootstrap", caption, report_tables.BOOTSTRAP, further.bootstrap, "phase", "map")
        )
    return found


def _add_figures(page: Page, drawn: DrawnFigures) -> None:
    left_out = []
    number = 0
    for planned, content in drawn:
        if isinstance(content, str):
            left_out.append(f"{planned.name}: {content}")
            continue
        number += 1
        page.picture(planned.name, content, f"Figure {number}. {planned.caption}")
    if left_out:
        page.paragraph("Not drawn:")
        page.items(left_out)
