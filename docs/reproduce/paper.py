"""The tables and figures of Chen et al. (2024) from three simulated maps of the paper's kind.

    python docs/reproduce/paper.py [--size 512] [--maps 3] [--seed 0] [--out DIR] [--no-figures]

Simulates the maps, draws rectangles and regions as a hand would, runs every step, and prints Tables
1 to 3, S1 and the limits of detection, with the truth and what is known of the paper's figures
beside them. DIR keeps the maps, the recipe, the results of `endmember run`, the tables as CSV and
text, and the figures.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measured import Measured, measured
from neighbours import COUNTS_PER_PIXEL, neighbours
from paper_figures import draw_figures
from paper_tables import (
    Table,
    composition_tables,
    consistency_table,
    exponent_table,
    lod_table,
    mass_balance_table,
    share_table,
    snr_table,
)

from endmember.core.simulation.simulated_map import expected_truth
from endmember.files.disk.folders import complete_folder
from endmember.session.decisions.recipe_file import dump_recipe
from endmember.session.results.results_folder import run_recipe, write_results
from endmember.session.state.session import Session
from endmember.session.statistics.map_consistency import map_consistency
from endmember.session.statistics.mass_balances import mass_balances
from endmember.session.statistics.snr_growth import GrowthPoint, snr_growth


@dataclass(frozen=True, eq=False, slots=True)
class Reproduction:
    """A finished session on simulated maps, its values beside the truth, and the tables."""

    session: Session
    rows: Sequence[Measured]
    growth: Sequence[GrowthPoint]
    tables: Sequence[Table]


def reproduce(folder: Path, size: int, maps: int, seed: int = 0) -> Reproduction:
    """Simulate the maps into `folder`, run the recipe, and make the tables.

    The recipe stands in `folder` afterwards, what `endmember run` writes in `folder`/results.
    """
    layouts = range(maps)
    recipe = neighbours(folder, size, layouts, seed)
    file = folder / "paper.toml"
    file.write_text(dump_recipe(recipe, folder, folder), encoding="utf-8")
    session, records = run_recipe(file)
    with complete_folder(folder / "results", force=True) as partial:
        write_results(session, records, partial, folder / "results")
    truths = [expected_truth(size, COUNTS_PER_PIXEL, layout) for layout in layouts]
    rows = measured(session, truths)
    points = snr_growth(session)
    found = session.result("quantification")
    tables = [
        mass_balance_table(mass_balances(session).rows),
        *composition_tables(rows, maps),
        snr_table(rows, maps),
        exponent_table(rows, points, maps),
        lod_table(rows),
        consistency_table(map_consistency(found, session.recipe.sample.matrix)),
        share_table(rows),
    ]
    return Reproduction(session, rows, points, tables)


def write_tables(found: Reproduction, folder: Path) -> str:
    """Each table as CSV, all of them as tables.txt; returns that text."""
    folder.mkdir(exist_ok=True)
    for table in found.tables:
        table.write(folder)
    text = "\n\n\n".join(table.text() for table in found.tables) + "\n"
    (folder / "tables.txt").write_text(text, encoding="utf-8")
    return text


def main() -> None:
    """Parse the options, make everything, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--maps", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the first map's noise")
    parser.add_argument("--out", type=Path, default=Path("reproduced"))
    parser.add_argument("--no-figures", action="store_true", help="tables alone")
    options = parser.parse_args()
    if options.maps < 2:
        parser.error("--maps: sums over maps need at least 2")
    options.out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    found = reproduce(options.out, options.size, options.maps, options.seed)
    print(
        f"{options.maps} maps of {options.size} x {options.size} pixels, {COUNTS_PER_PIXEL:g} "
        f"counts per pixel, seeds from {options.seed}: {time.monotonic() - started:.0f} s\n"
    )
    print(write_tables(found, options.out / "tables"))
    if not options.no_figures:
        for sentence in draw_figures(found.session, found.growth, options.out / "figures"):
            print(sentence)


if __name__ == "__main__":
    main()
