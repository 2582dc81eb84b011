"""A recipe run from the command line: the folder of results, and what is printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from endmember.session.results.further_tables import Further
    from endmember.session.results.publication import Publication


def run_to(
    recipe: Path,
    out: Path,
    force: bool,
    further: Further | None = None,
    wanted: Publication | None = None,
) -> None:
    """Run a recipe, write its results into the folder `out`, and print the compositions.

    Raises
    ------
    ValueError, RuntimeError
        as `session.results.results_folder.run_recipe`, or if the folder cannot be written.
    """
    from endmember.files.disk.folders import complete_folder
    from endmember.progress_bar import Bar
    from endmember.session.results import results_folder as batch
    from endmember.session.results.further_tables import FurtherRows, write_further
    from endmember.session.results.publication import write_publication

    instead = " or replace it with --force"
    with complete_folder(out, force, instead) as folder, Bar() as bar:
        session, records = batch.run_recipe(
            recipe,
            lambda job, fraction: bar.show(f"{job.step} {', '.join(job.maps)}", fraction),
        )
        told = batch.write_results(
            session, records, folder, out, lambda fraction: bar.show("tables", fraction)
        )
        rows = FurtherRows()
        if further is not None:
            rows = write_further(session, folder, further, lambda f: bar.show("further tables", f))
        if wanted is not None:
            told += write_publication(
                session, folder, out, wanted, rows, lambda f: bar.show("figures", f)
            )
    _print_outcome(session, out, told)


def _print_outcome(session: object, out: Path, warnings: Sequence[str]) -> None:
    from endmember.files.tables.composition_table import composition_text
    from endmember.session.results import results_folder as batch
    from endmember.session.results.result_tables import composition_table
    from endmember.session.state.session import Session

    assert isinstance(session, Session)
    shown = [row for row in composition_table(session) if row[0].source != "mixture"]
    print(composition_text(shown))
    for sentence in warnings:
        print(f"warning: {sentence}", file=sys.stderr)
    print()
    for sentence in batch.component_counts(session):
        print(sentence)
    print(f"results: {out.resolve()}")
