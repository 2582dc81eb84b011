"""Figures of what more pixels bring: signal to noise, and the error of traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from endmember.files.figure_page import FAINT, INK, PAGE_mm, for_print, letter, new_figure
from endmember.session.compositions import SUM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from endmember.session.snr_growth import GrowthPoint

PPM_PER_PERCENT = 1e4
ELEMENT_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MAP_MARKS = ("o", "s", "^", "D", "v", "P", "X")
SUM_MARK = "*"
PIXELS = "pixels"
MOST_PHASES = 4  # side by side


def places_of(
    points: Sequence[GrowthPoint], elements: Sequence[str]
) -> dict[str, dict[tuple[str, str], list[GrowthPoint]]]:
    """The points by phase, then by element and map, in rising pixels; elements in their order."""
    found: dict[str, dict[tuple[str, str], list[GrowthPoint]]] = {}
    for point in points:
        if point.element in elements:
            of_phase = found.setdefault(point.phase, {})
            of_phase.setdefault((point.element, point.map), []).append(point)
    return {
        phase: {
            key: sorted(series, key=lambda point: point.pixels)
            for key, series in sorted(of.items(), key=lambda item: elements.index(item[0][0]))
        }
        for phase, of in found.items()
    }


@for_print
def snr_growth_figure(points: Sequence[GrowthPoint], elements: Sequence[str]) -> Figure:
    """Signal to noise against pixels, with square roots fitted, and what is left of them.

    A column for each phase. Above: points and SNR = k sqrt(pixels), both axes logarithmic. Below:
    point less root with its error, in SNR. After Chen et al. 2024, Fig. 9.

    Raises
    ------
    ValueError
        if no phase has points of these elements.
    """
    phases = places_of(points, elements)
    if not phases:
        raise ValueError("no part of a phase gives a signal to noise of these elements")
    figure = new_figure(PAGE_mm, 105.0)
    grid = figure.subplots(2, len(phases), sharex="col", squeeze=False, height_ratios=(2.0, 1.0))
    maps = list(dict.fromkeys(point.map for point in points))
    for column, (phase, series) in enumerate(phases.items()):
        above, below = grid[0][column], grid[1][column]
        for (element, name), of in series.items():
            _growth(above, below, of, _colour(element, elements), _mark(name, maps))
        above.set_xscale("log")
        above.set_yscale("log")
        _tight(above, [p.snr for of in series.values() for p in of])
        above.set_title(phase)
        below.axhline(0.0, color=INK, linewidth=0.4)
        below.set_xlabel(PIXELS)
        letter(above, column)
        letter(below, len(phases) + column)
    grid[0][0].set_ylabel("signal to noise")
    grid[1][0].set_ylabel("SNR less the root")
    _legend(figure, elements, maps, "root fitted: SNR = k √pixels")
    return figure


def _growth(above: Axes, below: Axes, of: Sequence[GrowthPoint], colour: str, mark: str) -> None:
    pixels = np.array([p.pixels for p in of], np.float64)
    positive = np.array([p.snr > 0 for p in of])
    snr = np.array([p.snr for p in of])
    above.plot(pixels[positive], snr[positive], mark, color=colour, mec="white", mew=0.3)
    if of[0].coefficient > 0:
        above.plot(pixels, [p.root_fit for p in of], "-", color=colour, linewidth=0.6)
    residual, sigma = [p.residual for p in of], [p.residual_sigma for p in of]
    below.errorbar(
        pixels, residual, sigma, fmt=mark, color=colour, elinewidth=0.5, markersize=2.5, capsize=1
    )


def _tight(axes: Axes, values: Sequence[float]) -> None:
    """Limits of a logarithmic axis: what is nearly nothing does not stretch it."""
    top = max([1.0, *values])
    axes.set_ylim(max(0.3, min([v for v in values if v > 0], default=0.3) / 1.5), 1.6 * top)


@for_print
def error_growth_figure(points: Sequence[GrowthPoint], elements: Sequence[str]) -> Figure:
    """The content of traces and its error against pixels, in atomic ppm.

    A column for each element. Above: the value with its statistical error in parts of the pixels.
    Below: that error and a root through its last point, both axes logarithmic. The colours are
    phases. After Chen et al. 2024, Fig. 10 d and e.

    Raises
    ------
    ValueError
        if no phase has points of these elements.
    """
    phases = places_of(points, elements)
    present = [e for e in elements if any(e == key[0] for of in phases.values() for key in of)]
    if not present:
        raise ValueError("no part of a phase gives an error of these elements")
    figure = new_figure(PAGE_mm, 105.0)
    grid = figure.subplots(2, len(present), sharex="col", squeeze=False, height_ratios=(1.2, 1.0))
    maps = list(dict.fromkeys(point.map for point in points))
    names = list(phases)
    for column, element in enumerate(present):
        above, below = grid[0][column], grid[1][column]
        for phase, series in phases.items():
            for (other, name), of in series.items():
                if other == element:
                    _error(above, below, of, _colour(phase, names), _mark(name, maps))
        above.set_xscale("log")
        below.set_yscale("log")
        above.axhline(0.0, color=INK, linewidth=0.4)
        above.set_title(element)
        below.set_xlabel(PIXELS)
        letter(above, column)
        letter(below, len(present) + column)
    grid[0][0].set_ylabel("content (atomic ppm)")
    grid[1][0].set_ylabel("error, 1 sigma (atomic ppm)")
    _legend(figure, names, maps, "error falling as 1/√pixels")
    return figure


def _error(above: Axes, below: Axes, of: Sequence[GrowthPoint], colour: str, mark: str) -> None:
    pixels = np.array([p.pixels for p in of], np.float64)
    value = PPM_PER_PERCENT * np.array([p.atomic_percent for p in of])
    sigma = PPM_PER_PERCENT * np.array([p.atomic_percent_sigma for p in of])
    above.errorbar(pixels, value, sigma, fmt=mark, color=colour, elinewidth=0.6, capsize=1.5)
    below.plot(pixels, sigma, mark, color=colour, mec="white", mew=0.3)
    below.plot(pixels, sigma[-1] * np.sqrt(pixels[-1] / pixels), "-", color=colour, linewidth=0.6)


def _colour(name: str, names: Sequence[str]) -> str:
    return ELEMENT_COLOURS[list(names).index(name) % len(ELEMENT_COLOURS)]


def _mark(name: str, maps: Sequence[str]) -> str:
    singles = [other for other in maps if other != SUM]
    return SUM_MARK if name == SUM else MAP_MARKS[singles.index(name) % len(MAP_MARKS)]


def _legend(figure: Figure, names: Sequence[str], maps: Sequence[str], root: str) -> None:
    from matplotlib.lines import Line2D

    keys = [Line2D([], [], color=_colour(name, names), label=name) for name in names]
    if len(maps) > 1:
        keys += [
            Line2D(
                [],
                [],
                color=FAINT,
                marker=_mark(name, maps),
                linestyle="",
                label="all maps" if name == SUM else name,
            )
            for name in maps
        ]
    keys.append(Line2D([], [], color=FAINT, linewidth=0.6, label=root))
    figure.legend(handles=keys, loc="outside lower center", ncols=min(len(keys), 8))
