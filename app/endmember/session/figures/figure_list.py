"""All figures of a finished session, each with its name, its caption, and how it is drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from endmember.core.progress import Report, parts_of, silent
from endmember.session import figures
from endmember.session.figures.spectrum_panels import (
    Overlaid,
    compared,
    line_of,
    trace_elements,
)
from endmember.session.state.session import Failure
from endmember.session.steps.compositions import SUM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from endmember.files.pictures.figure_page import FigureFormat
    from endmember.session.state.session import Session
    from endmember.session.statistics.snr_growth import GrowthPoint
    from endmember.session.steps.compositions import Entry

OTHER = re.compile(r"[^\w.+-]+")  # not in the name of a file


@dataclass(frozen=True, slots=True)
class PlannedFigure:
    """A figure that a session has: `name` (of its file, without ending), caption, drawing.

    `draw` may raise ValueError with the reason why there is nothing to draw after all.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]


def planned_figures(session: Session, growth: Sequence[GrowthPoint]) -> list[PlannedFigure]:
    """Every figure of a finished session in the order of the method, by maps and then by phases.

    `growth` are the rows of `snr_growth`; without them there are no figures against pixels.
    """
    found: list[PlannedFigure] = []
    for name in session.recipe.map_names:
        found += _of_map(session, name)
    found += _of_phases(session)
    found += _of_growth(session, growth)
    return _named_once(found)


def _value(session: Session, step: str, name: str | None = None) -> Any:
    result = session.result(step, name)
    return None if isinstance(result, Failure) else result


def _of_map(session: Session, name: str) -> Iterator[PlannedFigure]:
    where = f'Map "{name}"'
    if _value(session, "read", name) is None:
        return
    yield PlannedFigure(
        f"elements_{name}",
        f"{where}: companion images, and counts in windows of 1.2 FWHM round the line of each "
        "element, background included.",
        partial(figures.element_figure, session, name),
    )
    if _value(session, "decomposition", name) and _value(session, "scree", name):
        yield PlannedFigure(
            f"components_{name}",
            f"{where}: component maps with their share of the counts; eigenvalues of the scaled "
            "counts with those of noise alone; component spectra relative to their peaks, with the "
            "continuum expected (dashed) and ditches far below it (shaded). Components show where "
            "phases are and are not quantified.",
            partial(figures.component_figure, session, name),
        )
    if _value(session, "masks", name) is None:
        return
    yield PlannedFigure(
        f"masks_{name}",
        f"{where}: image with what is drawn on it; component masks, overlap, mixtures without the "
        "overlap, pure matrix, and excluded pixels if there are any.",
        partial(figures.mask_figure, session, name),
    )
    yield from _of_separation(session, name, where)


def _of_separation(session: Session, name: str, where: str) -> Iterator[PlannedFigure]:
    matrix = session.recipe.sample.matrix
    for phase in getattr(_value(session, "subtraction", name), "subtractions", {}):
        yield PlannedFigure(
            f"subtraction_{name}_{phase}",
            f"{where}: (a) mixture {phase}+{matrix} and {matrix} times its factor; (b) {phase}, "
            "what is left, with one sigma of each channel, linear near zero and logarithmic "
            "beyond.",
            partial(figures.subtraction_figure, session, name, phase),
        )
    if _value(session, "abundance", name) is not None:
        yield PlannedFigure(
            f"abundance_{name}",
            f"{where}: share of each phase in the counts of each pixel, not smoothed, all phases "
            "as mixed colours, and residual of the fit (about 1 where only noise is left). The "
            "numbers are shares of all counts of the map with one sigma.",
            partial(figures.abundance_figure, session, name),
        )
    sources = {e.source for e in _entries(session) if e.map == name}
    for source, what in (("roi", "regions of interest, as measured"), ("mask", "masks")):
        if source in sources:
            yield PlannedFigure(
                f"spectra_{source}_{name}",
                f"{where}: spectra of the phases by {what}, per pixel, and the lines of the "
                "traces. Channels are joined to 20 and 30 eV for the eye.",
                partial(figures.phase_spectra_figure, session, name, source),
            )


def _entries(session: Session) -> tuple[Entry, ...]:
    return tuple(getattr(_value(session, "quantification"), "entries", ()))


def _of_phases(session: Session) -> Iterator[PlannedFigure]:
    entries = _entries(session)
    if not entries:
        return
    if any(e.map == SUM and e.source == "mask" for e in entries):
        yield PlannedFigure(
            "spectra_mask_sum",
            "All maps: spectra of the phases by masks, summed over the maps, per pixel, and the "
            "lines of the traces.",
            partial(figures.phase_spectra_figure, session, SUM),
        )
    phases = [p for p in session.recipe.phases if compared(session, p)]
    for phase in phases:
        yield PlannedFigure(
            f"trace_lines_{phase}",
            f"{phase}: {_spectra_by(compared(session, phase))}, per pixel; below the lines of the "
            "traces.",
            partial(figures.trace_line_figure, session, phase),
        )
    for phase in phases:
        for element in trace_elements(session):
            if any(line_of(o.entry.composition, element) for o in compared(session, phase)):
                yield _line_fit(session, phase, element)
    for phase in phases:
        yield PlannedFigure(
            f"detection_{phase}",
            f"{phase}: (a) spectra round the lines of traces, normalised to their highest channel, "
            "joined to 40 eV; (b) limits of detection (3 sigma).",
            partial(figures.detection_figure, session, phase),
        )


def _spectra_by(shown: Sequence[Overlaid]) -> str:
    """How the spectra that a figure overlays were taken, in words."""
    ways = ["a region of interest"] if any(o.entry.source != "mask" for o in shown) else []
    of_masks = {o.entry.map for o in shown if o.entry.source == "mask"}
    ways += ["its mask"] if of_masks - {SUM} else []
    ways += ["its masks on all maps together"] if SUM in of_masks else []
    return f"{'spectra' if len(ways) > 1 else 'spectrum'} by {', by '.join(ways)}"


def _line_fit(session: Session, phase: str, element: str) -> PlannedFigure:
    return PlannedFigure(
        f"line_fit_{phase}_{element}",
        f"{element} in {phase}: the fit of its line, with chi-squared per channel shown and of the "
        "whole spectrum; below counts less fit in standard deviations.",
        partial(figures.line_fit_figure, session, phase, element),
    )


def _of_growth(session: Session, growth: Sequence[GrowthPoint]) -> Iterator[PlannedFigure]:
    if not growth:
        return
    traces, phases = trace_elements(session), session.recipe.phases
    yield PlannedFigure(
        "snr_growth",
        "Signal to noise of the traces in random parts of the pixels of each phase, the square "
        "root fitted, and what is left of it with one sigma. Parts hold the smaller ones. Phases "
        "and elements whose signal to noise stays below 3 with all pixels are left out.",
        partial(figures.snr_growth_figure, growth, traces),
    )
    yield PlannedFigure(
        "error_growth",
        "Content of the traces with one sigma (counting) in random parts of the pixels of each "
        "phase, and that sigma, with a root through its last point.",
        partial(figures.error_growth_figure, growth, traces, phases),
    )


def _named_once(planned: Sequence[PlannedFigure]) -> list[PlannedFigure]:
    """Names that fit a file, each once also where a file system ignores case."""
    taken: set[str] = set()
    found = []
    for one in planned:
        name = own = OTHER.sub("_", one.name)
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{own}_{number}"
        taken.add(name.lower())
        found.append(PlannedFigure(name, one.caption, one.draw))
    return found


def drawn_figures(
    planned: Sequence[PlannedFigure], kind: FigureFormat, report: Report = silent
) -> Iterator[tuple[PlannedFigure, bytes | str]]:
    """Each figure as the bytes of a file, or the sentence why it cannot be drawn; one at a time."""
    from endmember.files.pictures.figure_page import figure_bytes

    for one, within in zip(planned, parts_of(report, max(len(planned), 1)), strict=False):
        within(0.0)
        try:
            yield one, figure_bytes(one.draw(), kind)
        except np.linalg.LinAlgError:  # a ValueError, but a fault of the program
            raise
        except ValueError as error:
            yield one, str(error)
    report(1.0)


def write_figures(
    session: Session,
    growth: Sequence[GrowthPoint],
    folder: Path,
    kind: FigureFormat = "svg",
    report: Report = silent,
) -> list[str]:
    """Write every figure of a finished session into `folder`; returns what cannot be drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    told = []
    for one, content in drawn_figures(planned_figures(session, growth), kind, report):
        if isinstance(content, str):
            told.append(f"the figure {one.name} was not drawn: {content}")
        else:
            (folder / f"{one.name}.{kind}").write_bytes(content)
    return told
