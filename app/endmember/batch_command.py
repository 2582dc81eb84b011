"""`endmember batch`: one recipe's settings on all maps of a folder."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from endmember.session.batch.batch_folder import Batch
    from endmember.session.batch.batch_runs import Outcome, State

DONE, FAULT, UNUSABLE = 0, 1, 2

_WORDS: dict[State, str] = {
    "done": "done",
    "kept": "there already",
    "failed": "failed",
    "fault": "failed by a fault",
    "stopped": "stopped",
}


def add_batch(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command with its options to those of the program."""
    batch = commands.add_parser(
        "batch",
        help="run the settings of one recipe on all maps of a folder",
        description="Runs every map of a folder with the settings of one recipe, several at once, "
        "and writes a folder for each and tables over all. What is there already is kept; a map "
        "that fails does not stop the others. A recipe NAME.toml beside a map gives its drawings.",
    )
    add = batch.add_argument
    add("folder", type=Path, metavar="FOLDER", help="folder of the maps")
    add(
        "--recipe",
        type=Path,
        required=True,
        metavar="RECIPE.toml",
        help="recipe with the settings; no default",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="folder for all results; no default")
    add(
        "--pattern",
        default="*",
        metavar="GLOB",
        help='which files, as in "*.emd" or "**/*.bcf" (default: all that hold maps)',
    )
    add(
        "--workers",
        type=_whole_number,
        metavar="N",
        help="maps computed at once (default: one on each processor)",
    )
    add(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler of a cluster, as in tcp://host:8786 (default: this machine)",
    )
    batch.set_defaults(run=run_folder)


def _whole_number(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number from 1')
    return int(text)


def run_folder(options: argparse.Namespace) -> int:
    """Run the batch that the options ask for, a line for each map; returns the exit code.

    0 when all results are there, 2 when the input of a map cannot be used, 1 when one failed by a
    fault of the program or of the machine.

    Raises
    ------
    ValueError
        if nothing can be done at all.
    """
    from endmember.progress_bar import Bar
    from endmember.session.batch.batch_folder import prepare_batch, run_batch

    batch = prepare_batch(options.folder, options.recipe, options.out, options.pattern)
    for sentence in _about_drawings(batch):
        print(sentence, file=sys.stderr)
    total = len(batch.maps)
    with Bar() as bar:

        def tell(outcome: Outcome, left: int) -> None:
            bar.show(f"{total - left} of {total} maps", 1 - left / total)
            bar.print(_line(outcome))

        bar.show(f"0 of {total} maps", 0.0)
        outcomes = run_batch(batch, tell, options.workers, options.scheduler)
    print(f"\n{_total(outcomes)}\nresults: {batch.out}")
    states = {outcome.state for outcome in outcomes}
    return FAULT if "fault" in states else UNUSABLE if "failed" in states else DONE


def _about_drawings(batch: Batch) -> list[str]:
    """Whose rectangles are used where nothing was drawn on the map itself."""
    borrowed = [of for of in batch.maps if of.borrowed]
    if not borrowed:
        return []
    first = borrowed[0]
    sentence = (
        f"{len(borrowed)} of {len(batch.maps)} maps take the drawings of the first map of "
        f"{first.drawings}: no recipe of their own lies beside them "
        f"({first.file.with_suffix('.toml').name}, for instance)"
    )
    return [sentence]


def _line(outcome: Outcome) -> str:
    line = f"{outcome.name}: {_WORDS[outcome.state]}"
    if outcome.failure:
        return f"{line}: {outcome.failure}"
    if outcome.state == "done" and outcome.seconds is not None:
        line += f", {outcome.seconds:.1f} s"
    if outcome.warnings:
        line += f", {outcome.warnings} warning{'s' if outcome.warnings > 1 else ''}"
    return line


def _total(outcomes: Sequence[Outcome]) -> str:
    counted = Counter(outcome.state for outcome in outcomes)
    told = [f"{counted[state]} {words}" for state, words in _WORDS.items() if counted[state]]
    return f"{len(outcomes)} maps: {', '.join(told)}"
