"""Tables that take longer and are made on request: growth of signal, other masks, bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from endmember.core.progress import Report, parts_of, silent

if TYPE_CHECKING:
    from endmember.session.state.session import Session
    from endmember.session.statistics.bootstrap import BootstrapError
    from endmember.session.statistics.mask_spread import MaskSpread
    from endmember.session.statistics.snr_growth import GrowthPoint


@dataclass(frozen=True, slots=True)
class Further:
    """Which of these tables are asked for; `bootstrap` is the number of replicates, 0 for none."""

    snr_growth: bool = False
    mask_spread: bool = False
    bootstrap: int = 0


@dataclass(frozen=True, slots=True)
class FurtherRows:
    """The rows of these tables; empty for what was not asked for."""

    growth: tuple[GrowthPoint, ...] = ()
    spread: tuple[MaskSpread, ...] = ()
    bootstrap: tuple[BootstrapError, ...] = ()


def write_further(
    session: Session, folder: Path, asked: Further, report: Report = silent
) -> FurtherRows:
    """Write the tables asked for of a finished session into `folder`, and return their rows.

    Raises
    ------
    ValueError
        if fewer than 2 replicates are asked for, or none can be measured.
    """
    from endmember.files.tables.record_table import write_records

    within = parts_of(report, 3)
    growth: tuple[GrowthPoint, ...] = ()
    spread: tuple[MaskSpread, ...] = ()
    errors: tuple[BootstrapError, ...] = ()
    if asked.snr_growth:
        from endmember.session.statistics.snr_growth import GrowthPoint, snr_growth

        growth = snr_growth(session, within[0])
        write_records(folder / "snr_growth.csv", GrowthPoint, growth)
    if asked.mask_spread:
        from endmember.session.statistics.mask_spread import MaskSpread, mask_spread

        spread = mask_spread(session, within[1])
        write_records(folder / "mask_spread.csv", MaskSpread, spread)
    if asked.bootstrap:
        from endmember.session.statistics.bootstrap import BootstrapError, bootstrap

        errors = bootstrap(session, asked.bootstrap, within[2])
        write_records(folder / "bootstrap.csv", BootstrapError, errors)
    return FurtherRows(growth, spread, errors)
