"""Figures of single lines: their fits side by side, and what can be detected with more counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from endmember.files.pictures.figure_page import (
    FAINT,
    INK,
    SMALL_SIZE,
    PAGE_mm,
    for_print,
    letter,
    new_figure,
)
from endmember.session.figures.spectrum_panels import (
    COUNTS,
    ENERGY,
    BESIDE_keV,
    Overlaid,
    compared,
    line_of,
    line_ranges,
    mark_line,
    shown_channels,
    steps,
    trace_elements,
    within,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from endmember.core.counts.spectrum import FloatArray
    from endmember.core.quantification.composition import Composition
    from endmember.session.state.session import Session

LINE_COLOUR, FIT_COLOUR = "#E69F00", "#D55E00"
BAR_ROOM = 0.8
JOINED_keV = 0.04  # channels are joined to this width, for the eye


class LineWindow(NamedTuple):
    """The fit of a spectrum round one line: all (n,), counts per channel.

    `own` is what the element adds; `pulls` are data less fit in standard deviations.
    """

    energies: FloatArray
    counts: FloatArray
    deviation: FloatArray
    fitted: FloatArray
    background: FloatArray
    own: FloatArray
    pulls: FloatArray

    @property
    def chi_squared(self) -> float:
        """The mean of the squared pulls: about 1 where the fit explains these channels."""
        return float(np.mean(self.pulls**2))


def line_window(
    composition: Composition, element: str, beside_keV: float = BESIDE_keV
) -> LineWindow:
    """The channels within `beside_keV` of the line by which an element is measured.

    Raises
    ------
    ValueError
        if the element is not measured by a line.
    """
    line, fit = line_of(composition, element), composition.fit
    if line is None:
        raise ValueError(f"{element} is not measured by a line: choose another element")
    energies = fit.spectrum.axis.centres
    shown = within(energies, (line[1] - beside_keV, line[1] + beside_keV))
    atoms = composition.atoms
    index = atoms.columns[atoms.measured.index(element)]
    own = fit.areas[index] * fit.shapes[:, index]
    counts, deviation = fit.spectrum.counts, np.sqrt(np.maximum(fit.variance, 1e-12))
    return LineWindow(
        *(
            np.asarray(values[shown], np.float64)
            for values in (
                energies,
                counts,
                deviation,
                fit.fitted,
                fit.background,
                own,
                (counts - fit.fitted) / deviation,
            )
        )
    )


@for_print
def line_fit_figure(session: Session, phase: str, element: str) -> Figure:
    """The fit of one line of a phase for a region, the mask of a map, and the mask of all maps.

    Above: counts with their error, fit, background, and what the element adds. Below: counts less
    fit in sigma. Chi-squared is given per channel shown, and reduced for the whole spectrum. After
    Chen et al. 2024, Fig. 10 a to c.

    Raises
    ------
    ValueError
        if the phase has no spectrum, or the element no line in it.
    """
    overlaid = [o for o in compared(session, phase) if line_of(o.entry.composition, element)]
    if not overlaid:
        raise ValueError(f"{phase} has no spectrum in which {element} is measured by a line")
    figure = new_figure(PAGE_mm, 80.0)
    grid = figure.subplots(2, len(overlaid), sharex=True, squeeze=False, height_ratios=(2.6, 1.0))
    for column, one in enumerate(overlaid):
        composition = one.entry.composition
        shown = line_window(composition, element)
        _fit(grid[0][column], shown)
        name, energy = line_of(composition, element) or ("", 0.0)
        mark_line(grid[0][column], energy, name)
        told = (
            f"{one.name}\n{one.entry.pixels:,} px, {_content(composition, element)}\n"
            f"χ² per channel here {shown.chi_squared:.2f}\n"
            f"reduced χ², whole {composition.fit.reduced_chi_squared:.2f}"
        )
        axes = grid[0][column]
        axes.text(0.02, 0.98, told, transform=axes.transAxes, va="top", fontsize=SMALL_SIZE)
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.55 * (high - low))  # room for what is told
        _pulls(grid[1][column], shown)
        letter(axes, column)
    grid[0][0].set_ylabel(COUNTS)
    grid[1][0].set_ylabel("residual (sigma)")
    figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _content(composition: Composition, element: str) -> str:
    from endmember.session.views.composition_view import decimals_for, number_text

    row = composition[element]
    value, sigma = (
        1e4 * (number or 0.0) for number in (row.atomic_percent, row.atomic_percent_sigma)
    )
    digits = decimals_for(sigma, value)
    return f"{number_text(value, digits)} ± {number_text(sigma, digits)} ppm"


def _fit(axes: Axes, shown: LineWindow) -> None:
    x = shown.energies
    axes.errorbar(
        x,
        shown.counts,
        shown.deviation,
        fmt=".",
        color=INK,
        markersize=2,
        elinewidth=0.4,
        label="counts ± 1 sigma",
    )
    with_line = shown.background + shown.own
    axes.fill_between(
        x, shown.background, with_line, color=LINE_COLOUR, alpha=0.5, lw=0, label="this element"
    )
    axes.plot(x, shown.fitted, color=FIT_COLOUR, label="fit")
    axes.plot(x, shown.background, "--", color=FAINT, label="background")
    axes.set_xlim(x[0], x[-1])


def _pulls(axes: Axes, shown: LineWindow) -> None:
    axes.axhspan(-1, 1, color=FAINT, alpha=0.2, linewidth=0)
    axes.axhline(0.0, color=INK, linewidth=0.4)
    axes.plot(shown.energies, shown.pulls, ".", color=INK, markersize=2)
    axes.set_xlabel(ENERGY)
    reach = max(3.5, 1.1 * float(np.abs(shown.pulls).max()))
    axes.set_ylim(-reach, reach)


@for_print
def detection_figure(session: Session, phase: str) -> Figure:
    """Spectra of a phase round the traces' lines, normalised to their maxima, and limits of
    detection: for a region, the mask of a map, and the mask of all maps.

    The range is the one that shows most traces; channels are joined to 40 eV. Limits are 3 sigma,
    in atomic ppm (`lod_ppm`). After Chen et al. 2024, Fig. 11.

    Raises
    ------
    ValueError
        if the phase has no spectrum, or no trace has a line in it.
    """
    overlaid, traces = compared(session, phase), trace_elements(session)
    ranges = line_ranges(overlaid[0].entry.composition, traces) if overlaid else []
    if not ranges:
        raise ValueError(f"{phase} has no spectrum with the line of a trace")
    figure = new_figure(PAGE_mm, 78.0)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1.0))
    composition = overlaid[0].entry.composition
    lines = [line for e in traces if (line := line_of(composition, e)) is not None]
    span = max(ranges, key=lambda r: sum(r[0] < energy < r[1] for _, energy in lines))
    for one in overlaid:
        spectrum = one.entry.composition.fit.spectrum
        values = 100.0 * normalised(spectrum.counts)
        x, y = shown_channels(spectrum.axis, values, span, JOINED_keV)
        steps(left, x, y, color=one.colour, label=one.name)
    left.set_xlim(*span)
    left.set_xlabel(ENERGY)
    left.set_ylabel("counts (% of the highest channel)")
    for name, energy in lines:
        if span[0] < energy < span[1]:
            mark_line(left, energy, name)
    keys = left.get_legend_handles_labels()
    figure.legend(*keys, loc="outside lower center", ncols=len(overlaid))
    _limits(right, overlaid, traces)
    letter(left, 0)
    letter(right, 1)
    return figure


def normalised(counts: FloatArray) -> FloatArray:
    """A spectrum (channels,) whose highest channel is 1."""
    return np.asarray(counts / max(float(counts.max(initial=0.0)), 1e-12))


def _limits(axes: Axes, overlaid: Sequence[Overlaid], traces: Sequence[str]) -> None:
    from matplotlib.patches import Rectangle

    width = BAR_ROOM / len(overlaid)
    for number, one in enumerate(overlaid):
        for place, element in enumerate(traces):
            lod = one.entry.composition[element].lod_ppm
            if lod is None:
                continue
            x = place - BAR_ROOM / 2 + (number + 0.5) * width
            axes.bar(x, lod, 0.9 * width, color=one.colour, label=one.name)
            axes.annotate(
                f"{lod:.3g}" if lod < 1000 else f"{lod:,.0f}",
                (x, lod),
                xytext=(0, 1.5),
                textcoords="offset points",
                ha="center",
                fontsize=SMALL_SIZE,
                rotation=90 if len(overlaid) * len(traces) > 9 else 0,
            )
    axes.set_xticks(range(len(traces)), traces)
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("limit of detection, 3 sigma (atomic ppm)")
    axes.set_yscale("log")
    drawn = [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)]
    if drawn:
        axes.set_ylim(min(drawn) / 3, 2 * max(drawn))
