"""Figures and the report of a run, as they are asked for beside the results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from endmember.core.progress import Report, part_of, silent
from endmember.session.results.further_tables import FurtherRows

if TYPE_CHECKING:
    from endmember.files.pictures.figure_page import FigureFormat
    from endmember.session.state.session import Session

FIGURES, REPORT = "figures", "report.html"


@dataclass(frozen=True, slots=True)
class Publication:
    """What is asked for: figures in a format, None for none, and a report."""

    figures: FigureFormat | None = None
    report: bool = False

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything to do."""
        return self.figures is not None or self.report


def write_publication(
    session: Session,
    folder: Path,
    final: Path,
    asked: Publication,
    further: FurtherRows,
    report: Report = silent,
) -> list[str]:
    """Write figures and report of a finished session into `folder`, which will stand at `final`.

    Returns what cannot be drawn. `further` holds the growth of signal for the figures that show it.
    """
    from endmember.session.figures.figure_list import (
        drawn_figures,
        planned_figures,
        write_figures,
    )
    from endmember.session.results.report import report_text

    told: list[str] = []
    if asked.report:
        planned = planned_figures(session, further.growth)
        drawn = list(drawn_figures(planned, "svg", part_of(report, 0.0, 0.6)))
        text = report_text(session, drawn, further, final)
        (folder / REPORT).write_text(text, encoding="utf-8")
        told = [_left_out(one.name, why) for one, why in drawn if isinstance(why, str)]
        if asked.figures == "svg":
            (folder / FIGURES).mkdir()
            for one, content in drawn:
                if isinstance(content, bytes):
                    (folder / FIGURES / f"{one.name}.svg").write_bytes(content)
            return told
    if asked.figures is not None:
        growth, within = further.growth, part_of(report, 0.6, 1.0)
        told = write_figures(session, growth, folder / FIGURES, asked.figures, within)
    return told


def _left_out(name: str, why: str) -> str:
    return f"the figure {name} was not drawn: {why}"
