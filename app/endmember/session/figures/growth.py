"""Figures of what more pixels bring: signal to noise, and the error of traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from endmember.core.display.phase_colours import colour_of
from endmember.files.pictures.figure_page import FAINT, INK, PAGE_mm, for_print, letter, new_figure
from endmember.session.steps.compositions import SUM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from endmember.session.statistics.snr_growth import GrowthPoint

PPM_PER_PERCENT = 1e4
ELEMENT_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MAP_MARKS = ("s", "^", "D", "v", "P", "X", "<")
SUM_MARK = "o"
PIXELS = "pixels"
SEEN = 3.0  # signal to noise, with all pixels


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
    point less root with its error, in SNR. Of several maps the sum has the root; single maps are
    open marks. An element whose signal to noise with all pixels is below 3 is left out of a phase.
    After Chen et al. 2024, Fig. 9.

    Raises
    ------
    ValueError
        if no phase has points of these elements.
    """
    phases = {
        phase: seen
        for phase, of in places_of(points, elements).items()
        if (seen := {key: series for key, series in of.items() if _is_seen(of, key[0])})
    }
    if not phases:
        raise ValueError(f"no phase shows one of {', '.join(elements)} above a noise of 3 sigma")
    figure = new_figure(PAGE_mm, 105.0)
    grid = figure.subplots(2, len(phases), sharex="col", squeeze=False, height_ratios=(2.0, 1.0))
    maps = list(dict.fromkeys(point.map for point in points))
    for column, (phase, series) in enumerate(phases.items()):
        above, below = grid[0][column], grid[1][column]
        for (element, name), of in series.items():
            leading = name == SUM or SUM not in maps
            _growth(above, below, of, _colour(element, elements), _mark(name, maps), leading)
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
    _legend(figure, {e: _colour(e, elements) for e in elements}, maps, "SNR = k √pixels")
    return figure


def _is_seen(series: Mapping[tuple[str, str], Sequence[GrowthPoint]], element: str) -> bool:
    """Whether an element stands out in the largest part of a phase that there is."""
    ends = [of[-1] for (other, _), of in series.items() if other == element]
    return max(ends, key=lambda point: point.pixels).snr >= SEEN


def _growth(
    above: Axes, below: Axes, of: Sequence[GrowthPoint], colour: str, mark: str, leading: bool
) -> None:
    pixels = np.array([p.pixels for p in of], np.float64)
    snr = np.array([p.snr for p in of])
    positive = snr > 0
    style = _filled(colour) if leading else _open(colour)
    above.plot(pixels[positive], snr[positive], mark, **style)
    if not leading:
        return
    above.plot(pixels, [p.root_fit for p in of], "-", color=colour, linewidth=0.7)
    residual = [p.residual for p in of]
    # of strong lines the scatter is not known, and no bar is drawn
    sigma = np.array([np.nan if p.residual_sigma is None else p.residual_sigma for p in of])
    below.errorbar(pixels, residual, sigma, fmt=mark, elinewidth=0.5, capsize=1, **style)


def _filled(colour: str) -> dict[str, Any]:
    return {"color": colour, "markersize": 4.5, "mec": "white", "mew": 0.3}


def _open(colour: str) -> dict[str, Any]:
    return {"color": colour, "markersize": 2.8, "mfc": "white", "mew": 0.5}


def _tight(axes: Axes, values: Sequence[float]) -> None:
    """Limits of a logarithmic axis: what is nearly nothing does not stretch it."""
    top = max([1.0, *values])
    axes.set_ylim(max(0.3, min([v for v in values if v > 0], default=0.3) / 1.5), 1.6 * top)


@for_print
def error_growth_figure(
    points: Sequence[GrowthPoint], elements: Sequence[str], phases: Sequence[str] = ()
) -> Figure:
    """The content of traces and its error against pixels, in atomic ppm.

    A column for each element. Above: the value with its statistical error in parts of the pixels.
    Below: that error, and a root through its last point, both axes logarithmic. The colours are
    those of the phases; `phases` gives their order in the recipe. Of several maps the sum is drawn,
    single maps are open marks below. After Chen et al. 2024, Fig. 10 d and e.

    Raises
    ------
    ValueError
        if no phase has points of these elements.
    """
    found = places_of(points, elements)
    present = [e for e in elements if any(e == key[0] for of in found.values() for key in of)]
    if not present:
        raise ValueError("no part of a phase gives an error of these elements")
    figure = new_figure(PAGE_mm, 105.0)
    grid = figure.subplots(2, len(present), sharex="col", squeeze=False, height_ratios=(1.2, 1.0))
    maps = list(dict.fromkeys(point.map for point in points))
    order = list(phases or found)
    colours = {phase: colour_of(order.index(phase)) for phase in found}
    for column, element in enumerate(present):
        above, below = grid[0][column], grid[1][column]
        for phase, series in found.items():
            for (other, name), of in series.items():
                if other == element:
                    leading = name == SUM or SUM not in maps
                    _error(above, below, of, colours[phase], _mark(name, maps), leading)
        above.set_xscale("log")
        below.set_yscale("log")
        above.axhline(0.0, color=INK, linewidth=0.4)
        above.set_ylim(*_content_limits(found, element))
        above.set_title(element)
        below.set_xlabel(PIXELS)
        letter(above, column)
        letter(below, len(present) + column)
    grid[0][0].set_ylabel("content (atomic ppm)")
    grid[1][0].set_ylabel("error, 1 sigma (atomic ppm)")
    _legend(figure, colours, maps, "falling as 1/√pixels")
    return figure


def _content_limits(
    found: Mapping[str, Mapping[tuple[str, str], Sequence[GrowthPoint]]], element: str
) -> tuple[float, float]:
    """Round what all pixels give and every value; the errors of the smallest parts run out."""
    series = [of for places in found.values() for key, of in places.items() if key[0] == element]
    values = [p.atomic_percent for of in series for p in of]
    ends = [of[-1] for of in series]
    high = max(*values, *(p.atomic_percent + 4 * p.atomic_percent_sigma for p in ends))
    low = min(*values, *(p.atomic_percent - 4 * p.atomic_percent_sigma for p in ends))
    return PPM_PER_PERCENT * min(1.15 * low, -0.2 * high), PPM_PER_PERCENT * 1.15 * high


def _error(
    above: Axes, below: Axes, of: Sequence[GrowthPoint], colour: str, mark: str, leading: bool
) -> None:
    pixels = np.array([p.pixels for p in of], np.float64)
    value = PPM_PER_PERCENT * np.array([p.atomic_percent for p in of])
    sigma = PPM_PER_PERCENT * np.array([p.atomic_percent_sigma for p in of])
    style = _filled(colour) if leading else _open(colour)
    below.plot(pixels, sigma, mark, **style)
    if not leading:
        return
    above.errorbar(pixels, value, sigma, fmt=mark, elinewidth=0.6, capsize=1.5, **style)
    root = sigma[-1] * np.sqrt(pixels[-1] / pixels)
    below.plot(pixels, root, "-", color=colour, linewidth=0.7)


def _colour(name: str, names: Sequence[str]) -> str:
    return ELEMENT_COLOURS[list(names).index(name) % len(ELEMENT_COLOURS)]


def _mark(name: str, maps: Sequence[str]) -> str:
    singles = [other for other in maps if other != SUM]
    return SUM_MARK if name == SUM else MAP_MARKS[singles.index(name) % len(MAP_MARKS)]


def _legend(figure: Figure, colours: Mapping[str, str], maps: Sequence[str], root: str) -> None:
    from matplotlib.lines import Line2D

    keys = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    if len(maps) > 1:
        for name in maps:
            style = _filled(FAINT) if name == SUM else _open(FAINT)
            label = "all maps" if name == SUM else name
            mark = _mark(name, maps)
            keys.append(Line2D([], [], marker=mark, linestyle="", label=label, **style))
    keys.append(Line2D([], [], color=FAINT, linewidth=0.7, label=root))
    figure.legend(handles=keys, loc="outside lower center", ncols=min(len(keys), 8))
