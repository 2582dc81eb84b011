"""Figures of spectra: of regions and masks over one another, and of a subtraction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from endmember.core.display.phase_colours import colour_of
from endmember.files.pictures.figure_page import FAINT, INK, PAGE_mm, for_print, letter, new_figure
from endmember.session.figures.spectrum_panels import (
    COUNTS,
    ENERGY,
    Overlaid,
    compared,
    label_lines,
    last_line_keV,
    line_of,
    line_ranges,
    mark_line,
    of_phase,
    shown_channels,
    steps,
    trace_elements,
    within,
)
from endmember.session.views.composition_view import decimals_for, number_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from endmember.core.counts.spectrum import FloatArray
    from endmember.core.fitting.subtraction import Subtraction
    from endmember.session.state.session import Session
    from endmember.session.steps.separation import MapPhases

PER_PIXEL = "counts per pixel and channel"
WHOLE_keV, INSET_keV = 0.02, 0.03  # channels are joined to this width, for the eye
LOWEST = 3e-6  # of the highest channel: where a logarithmic axis ends at the latest
NEAR_keV = 0.25  # of the line of a trace: what sets the height of its panel
MOST_RANGES = 3  # panels of trace lines below a spectrum


@for_print
def phase_spectra_figure(session: Session, map_name: str, source: str = "mask") -> Figure:
    """The spectra of all phases of a map (or "sum"), and below them the lines of the traces.

    `source` is "mask" (matrix, subtracted precipitates) or "roi" (regions as measured). Each in
    counts per pixel. After Chen et al. 2024, Figs 2, 7c and 8e with their insets.

    Raises
    ------
    ValueError
        if there is no such spectrum.
    """
    phases = session.recipe.phases
    entries = [
        e
        for e in session.result("quantification").entries
        if (e.source, e.map) == (source, map_name)
    ]
    if not entries:
        raise ValueError(f'there are no spectra of "{source}" on {map_name} to draw')
    overlaid: list[Overlaid] = []
    for entry in entries:
        name = f"{entry.label or entry.phase}, {entry.pixels:,} px"
        again = sum(o.entry.phase == entry.phase for o in overlaid)
        colour = _paler(colour_of(phases.index(entry.phase)), again)
        overlaid.append(Overlaid(entry, name, colour))
    return _overlay(session, overlaid)


@for_print
def trace_line_figure(session: Session, phase: str) -> Figure:
    """The spectra of one phase by a region, every mask and their sum, and the lines of the traces.

    In counts per pixel, so that only the noise differs where all show the same phase; of several
    regions the largest. After Chen et al. 2024, insets of Figs 7c and 8e.

    Raises
    ------
    ValueError
        if there is no spectrum of the phase.
    """
    region = [o for o in compared(session, phase) if o.entry.source != "mask"]
    overlaid = [*region, *(o for o in of_phase(session, phase) if o.entry.source == "mask")]
    if not overlaid:
        raise ValueError(f"there is no spectrum of {phase} to draw")
    return _overlay(session, overlaid)


def _overlay(session: Session, overlaid: Sequence[Overlaid]) -> Figure:
    composition = overlaid[0].entry.composition
    traces = trace_elements(session)
    ranges = line_ranges(composition, traces)[:MOST_RANGES]
    figure = new_figure(PAGE_mm, 118.0 if ranges else 70.0)
    whole, *insets = _places(figure, len(ranges))
    whole.set_xlim(0.0, last_line_keV(o.entry.composition.fit for o in overlaid))
    for one in overlaid:
        _curve(whole, one, whole.get_xlim(), WHOLE_keV)
    whole.set_yscale("log", nonpositive="mask")
    whole.set_ylim(*_logarithmic_limits(whole))
    label_lines(whole, [o.entry.composition.fit for o in overlaid])
    whole.legend(loc="upper right", ncols=1 + (len(overlaid) > 6))
    _name_axes(whole)
    letter(whole, 0)
    for number, (axes, span) in enumerate(zip(insets, ranges, strict=True), start=1):
        _inset(axes, overlaid, span, traces)
        letter(axes, number)
    return figure


def _places(figure: Figure, insets: int) -> list[Axes]:
    if not insets:
        return [figure.add_subplot()]
    grid = figure.add_gridspec(2, insets, height_ratios=(1.25, 1.0))
    return [
        figure.add_subplot(grid[0, :]),
        *(figure.add_subplot(grid[1, number]) for number in range(insets)),
    ]


def _paler(colour: str, times: int) -> str:
    """A colour drawn towards white, for further regions of the same phase."""
    share = 0.6 ** min(times, 3)
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts)


def _logarithmic_limits(axes: Axes) -> tuple[float, float]:
    """From well below what half the channels of a spectrum hold, to above the highest."""
    values = [np.asarray(line.get_ydata(), np.float64) for line in axes.lines]
    positive = [v[v > 0] for v in values if (v > 0).any()]
    highest = max((float(v.max()) for v in positive), default=1.0)
    lowest = min((float(np.median(v)) for v in positive), default=highest / 10)
    return max(lowest / 5, LOWEST * highest), 2 * highest


def _curve(axes: Axes, one: Overlaid, span: tuple[float, float], width_keV: float) -> None:
    """A spectrum, its channels joined to about this width."""
    spectrum = one.entry.composition.fit.spectrum
    x, y = shown_channels(spectrum.axis, _per_pixel(one), span, width_keV)
    steps(axes, x, y, color=one.colour, label=one.name, linewidth=0.8)


def _per_pixel(one: Overlaid) -> FloatArray:
    counts = one.entry.composition.fit.spectrum.counts
    return np.asarray(counts / max(one.entry.pixels, 1))


def _inset(
    axes: Axes, overlaid: Sequence[Overlaid], span: tuple[float, float], traces: Sequence[str]
) -> None:
    """The lines of traces, linear."""
    for one in overlaid:
        _curve(axes, one, span, INSET_keV)
    axes.set_xlim(*span)
    found = [line_of(overlaid[0].entry.composition, element) for element in traces]
    lines = [line for line in found if line is not None and span[0] < line[1] < span[1]]
    axes.set_ylim(*_limits(axes, [energy for _, energy in lines]))
    for name, energy in lines:
        mark_line(axes, energy, name)
    _name_axes(axes)


def _limits(axes: Axes, energies_keV: Sequence[float]) -> tuple[float, float]:
    """So that every spectrum is seen near these lines; a stronger line beside them may run out."""
    near = [
        y[np.abs(x[:, None] - energies_keV).min(axis=1) < NEAR_keV]
        for x, y in (np.asarray(line.get_data(), np.float64) for line in axes.lines)
    ]
    values = np.concatenate(near)
    low, top = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    reach = (top - min(low, 0.0)) * 0.15
    return low - reach if low < 0 else 0.0, top + reach


def _name_axes(axes: Axes) -> None:
    axes.set_xlabel(ENERGY)
    axes.set_ylabel(PER_PIXEL)


def _factor_text(done: Subtraction) -> str:
    """The factor with its error; one set by hand has none."""
    if not done.factor_sigma > 0:
        return f"{done.factor:.4g} (by hand)"
    digits = decimals_for(done.factor_sigma, done.factor)
    return f"{number_text(done.factor, digits)} ± {number_text(done.factor_sigma, digits)}"


@for_print
def subtraction_figure(session: Session, map_name: str, phase: str) -> Figure:
    """The mixture of a precipitate, the matrix times its factor, and what is left.

    Above in logarithmic counts. Below what is left with its error of one sigma for each channel,
    linear near zero and logarithmic beyond.

    Raises
    ------
    ValueError
        if the precipitate was not separated on this map.
    """
    phases: MapPhases = session.result("subtraction", map_name)
    if phase not in phases.subtractions:
        raise ValueError(f'{phase} was not separated on map "{map_name}": there is nothing to draw')
    matrix_name, done = session.recipe.sample.matrix, phases.subtractions[phase]
    mixture, matrix = phases.mixtures[phase].fit, phases.matrix.fit
    index = session.recipe.phases.index(phase)
    energies = mixture.spectrum.axis.centres
    figure = new_figure(PAGE_mm, 110.0)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.2, 1.0))
    end = last_line_keV([mixture, matrix])
    shown = within(energies, (0.0, end))
    x = energies[shown]
    scaled = done.factor * matrix.spectrum.counts
    name = f"{phase}+{matrix_name} (mixture)"
    steps(above, x, mixture.spectrum.counts[shown], color=INK, label=name)
    label = f"{matrix_name} × {_factor_text(done)}"
    steps(above, x, scaled[shown], color=colour_of(0), label=label, linewidth=0.7)
    above.set_yscale("log", nonpositive="mask")
    highest = float(mixture.spectrum.counts.max())
    above.set_ylim(0.5, 2 * highest)
    above.set_xlim(0.0, end)
    above.set_ylabel(COUNTS)
    above.legend(loc="upper right")
    label_lines(above, [mixture])
    left = done.spectrum.counts[shown]
    assert done.spectrum.covariance is not None  # that of a subtraction is always carried
    sigma = np.sqrt(done.spectrum.covariance.variance)[shown]
    below.fill_between(
        x, left - sigma, left + sigma, step="mid", color=FAINT, alpha=0.4, lw=0, label="± 1 sigma"
    )
    steps(below, x, left, color=colour_of(index), label=f"{phase} (matrix subtracted)")
    below.axhline(0.0, color=INK, linewidth=0.4)
    straight = 10.0 ** math.ceil(math.log10(3 * float(np.median(sigma)) + 1e-9))
    below.set_yscale("symlog", linthresh=straight)
    below.set_ylim(-2 * straight, 2 * float(left.max()))
    below.set_xlabel(ENERGY)
    below.set_ylabel(COUNTS)
    below.legend(loc="upper right")
    for number, axes in enumerate((above, below)):
        letter(axes, number)
    return figure
