"""The options of `endmember run` for what is made on request: tables, figures, the report."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from endmember.session.results.further_tables import Further
    from endmember.session.results.publication import Publication


def add_further_tables(run: argparse.ArgumentParser) -> None:
    """Let `run` take the options that `further_tables` reads."""
    add = run.add_argument
    add(
        "--snr-growth",
        action="store_true",
        help="also write snr_growth.csv: signal to noise against pixels (default: no)",
    )
    add(
        "--mask-spread",
        action="store_true",
        help="also write mask_spread.csv: compositions under other masks (default: no)",
    )
    add(
        "--bootstrap",
        type=_replicates,
        default=0,
        metavar="N",
        help="also write bootstrap.csv: the chain repeated on N resampled maps (default: no)",
    )


def further_tables(options: argparse.Namespace) -> Further:
    """Which further tables the options of `run` ask for."""
    from endmember.session.results.further_tables import Further

    growth = options.snr_growth or options.figures is not None or options.report
    return Further(growth, options.mask_spread, options.bootstrap)


def add_publication(run: argparse.ArgumentParser) -> None:
    """Let `run` take the options that `publication` reads."""
    run.add_argument(
        "--figures",
        nargs="?",
        const="svg",
        choices=("svg", "pdf"),
        help="also write figures/ for print, with snr_growth.csv (default: no; alone: svg)",
    )
    run.add_argument(
        "--report",
        action="store_true",
        help="also write report.html, with snr_growth.csv (default: no)",
    )


def publication(options: argparse.Namespace) -> Publication:
    """Which figures and reports the options of `run` ask for."""
    from endmember.session.results.publication import Publication

    return Publication(options.figures, options.report)


def _replicates(text: str) -> int:
    if not (text.isdigit() and int(text) >= 2):
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number from 2')
    return int(text)
