"""The figure of a decomposition: component maps, their spectra, and the scree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from endmember.core.display.phase_colours import PHASE_COLOURS
from endmember.files.pictures.figure_page import FAINT, INK, PAGE_mm, for_print, letter, new_figure
from endmember.session.figures.map_panels import ACROSS, TITLE_mm, colour_bar, scale, show_map
from endmember.session.figures.spectrum_panels import ENERGY, label_lines, steps, within
from endmember.session.state.session import Failure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from endmember.core.unmixing.scree import Scree
    from endmember.session.state.session import Session
    from endmember.session.steps.map_data import MapData
    from endmember.session.views.component_views import ComponentView

END_keV = 10.0
LOWEST = 3e-5  # of the peak: where the spectra end below
SPECTRUM_mm = 26.0
MOST_EIGENVALUES = 20


@for_print
def component_figure(session: Session, map_name: str) -> Figure:
    """The component maps of a map, the scree, and the spectrum of each component.

    Maps in counts, not smoothed. Spectra are relative to their peak; dashed is the continuum they
    would have as their share of the summed spectrum, shaded are ditches, where they fall far below
    it. After Chen et al. 2024, Fig. 3.
    """
    from endmember.session.views.component_views import component_views

    data: MapData = session.result("read", map_name)
    views = component_views(session.result("decomposition", map_name), data, 0.0)
    rows = math.ceil((len(views) + 1) / ACROSS)
    each = PAGE_mm / ACROSS * data.image.rows / data.image.columns + TITLE_mm + 11.0
    below = SPECTRUM_mm * len(views)
    figure = new_figure(PAGE_mm, rows * each + below)
    halves: Any = figure.subfigures(2, 1, height_ratios=(rows * each, below))
    upper, lower = halves
    places = upper.subplots(rows, ACROSS, squeeze=False).ravel().tolist()
    for axes, view in zip(places, views, strict=False):
        title = f"component {view.number}, {100 * view.share:.3g} %"
        colour_bar(axes, show_map(axes, view.counts, title), "counts per pixel")
    scale(places[0], data)
    draw_scree(places[len(views)], session.result("scree", map_name), len(views))
    for empty in places[len(views) + 1 :]:
        empty.set_axis_off()
    spectra = lower.subplots(len(views), 1, sharex=True, squeeze=False).ravel().tolist()
    for axes, view in zip(spectra, views, strict=True):
        _spectrum(axes, view, data)
    spectra[-1].set_xlabel(ENERGY)
    spectra[len(views) // 2].set_ylabel("counts relative to the peak")
    phases = session.result("subtraction", map_name)
    if phases is not None and not isinstance(phases, Failure):
        label_lines(spectra[0], [phases.matrix.fit])
    for number, axes in enumerate((*places[: len(views) + 1], *spectra)):
        letter(axes, number, inside=number < len(views))
    return figure


def draw_scree(axes: Axes, scree: Scree, components: int) -> None:
    """The eigenvalues of the scaled counts, and how large noise alone makes them."""
    from matplotlib.ticker import MaxNLocator

    values = scree.eigenvalues[:MOST_EIGENVALUES]
    numbers = np.arange(1, len(values) + 1)
    chosen = numbers <= components
    axes.plot(numbers, values, "-", color=FAINT, linewidth=0.5, zorder=1)
    axes.plot(numbers[chosen], values[chosen], "o", color=INK, label="decomposed")
    axes.plot(numbers[~chosen], values[~chosen], "o", mfc="white", color=INK, label="left out")
    label = f"noise ({scree.suggested} above)"
    axes.axhline(scree.noise_level, color="#D55E00", linestyle="--", linewidth=0.7, label=label)
    axes.set_yscale("log")
    axes.set_xlabel("component (counted from 1)")
    axes.set_ylabel("eigenvalue (noise: 1)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_box_aspect(1.0)
    axes.legend(loc="upper right")


def _spectrum(axes: Axes, view: ComponentView, data: MapData) -> None:
    energies = data.image.axis.centres
    shown = within(energies, (0.0, END_keV))
    colour = PHASE_COLOURS[view.number % len(PHASE_COLOURS)]
    steps(axes, energies[shown], np.maximum(view.spectrum[shown], LOWEST / 10), color=colour)
    axes.plot(energies[shown], view.expected[shown], "--", color=INK, linewidth=0.5)
    for low, high in view.ditches:
        if low < END_keV:
            axes.axvspan(low, min(high, END_keV), color=FAINT, alpha=0.25, linewidth=0)
    axes.set_yscale("log")
    axes.set_ylim(LOWEST, 2.0)
    axes.set_xlim(0.0, END_keV)
    axes.text(0.99, 0.9, f"component {view.number}", transform=axes.transAxes, ha="right", va="top")
