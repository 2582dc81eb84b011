"""Panels that show a map, and figures made of them: elements, abundances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from endmember.core.display.phase_colours import colour_of
from endmember.files.pictures.figure_page import (
    SMALL_SIZE,
    PAGE_mm,
    for_print,
    letter,
    new_figure,
)
from endmember.files.pictures.map_picture import add_scale_bar

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from endmember.session.state.session import Session
    from endmember.session.steps.chain import MapAbundance
    from endmember.session.steps.map_data import MapData

COUNTS, IMAGE, SHARE = "viridis", "gray", "cividis"  # colour maps; all rise evenly in lightness
ENDS = (0.5, 99.5)  # percentiles between which a map of counts is coloured
ACROSS = 4  # maps side by side on a page
TITLE_mm = 7.0


def show_map(
    axes: Axes,
    array: npt.NDArray[Any],
    title: str,
    *,
    colours: str = COUNTS,
    levels: tuple[float, float] | None = None,
) -> Any:
    """A map (rows, columns), or colours (rows, columns, 3), without axes; returns what is drawn."""
    low, high = levels if levels is not None else levels_of(array)
    shown = axes.imshow(array, cmap=colours, vmin=low, vmax=high, interpolation="none")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title)
    return shown


def levels_of(array: npt.NDArray[Any]) -> tuple[float, float]:
    """The values between which a map is coloured: nearly all of it."""
    known = array[np.isfinite(array)] if array.ndim == 2 else np.zeros(0)
    if not known.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(known, ENDS))
    return low, high if high > low else low + 1.0


def scale(axes: Axes, data: MapData) -> None:
    """A scale bar, where the size of a pixel is known."""
    if data.image.pixel_size_nm is not None:
        add_scale_bar(axes, data.image.columns, data.image.pixel_size_nm, SMALL_SIZE)


def colour_bar(axes: Axes, shown: Any, unit: str) -> Any:
    """The colours of a map with their values, below it; returns the bar."""
    bar = axes.figure.colorbar(
        shown, ax=axes, orientation="horizontal", fraction=0.06, pad=0.03, aspect=14
    )
    bar.set_label(unit, fontsize=SMALL_SIZE)
    bar.outline.set_linewidth(0.4)
    bar.ax.tick_params(labelsize=SMALL_SIZE, width=0.4, length=2)
    bar.ax.locator_params(nbins=3)
    return bar


def grid_of_maps(
    data: MapData, number: int, extra_mm: float = 0.0, most: int = ACROSS
) -> tuple[Figure, list[Axes]]:
    """A page with places for `number` maps, at most so many side by side.

    `extra_mm` is left below each, as for a colour bar.
    """
    across = number if number <= ACROSS else 3 if number <= 6 else most
    rows = math.ceil(number / across)
    width = PAGE_mm if across > 2 else PAGE_mm / ACROSS * across * 1.2
    each = width / across * data.image.rows / data.image.columns
    figure = new_figure(width, rows * (each + TITLE_mm + extra_mm))
    places = figure.subplots(rows, across, squeeze=False).ravel().tolist()
    for empty in places[number:]:
        empty.set_axis_off()
    return figure, places[:number]


@for_print
def element_figure(session: Session, map_name: str) -> Figure:
    """Companion images and the counts in a window round the line of each element, of one map.

    The windows are 1.2 FWHM wide; background is not subtracted. After Chen et al. 2024, Fig. 1.
    """
    from endmember.core.fitting.energy_windows import element_windows, measured_family, window_maps

    data: MapData = session.result("read", map_name)
    sample, image = session.recipe.sample, data.image
    beam = image.beam_energy_keV or 0.0
    windows = element_windows((*sample.elements, *sample.system_elements), image.axis, beam)
    maps = dict(zip(windows, window_maps(image, list(windows.values())), strict=True))
    images = {
        name: of for name, of in image.images.items() if of.shape == (image.rows, image.columns)
    }
    figure, places = grid_of_maps(data, len(images) + len(maps), extra_mm=11.0, most=5)
    for axes, (name, pixels) in zip(places, images.items(), strict=False):
        shown = show_map(axes, np.asarray(pixels, np.float64), name, colours=IMAGE)
        colour_bar(axes, shown, "detector signal")
    for axes, (element, counts) in zip(places[len(images) :], maps.items(), strict=True):
        title = f"{element} {measured_family(element, image.axis, beam)}α"
        colour_bar(axes, show_map(axes, counts, title), "counts per pixel")
    scale(places[0], data)
    return figure


@for_print
def abundance_figure(session: Session, map_name: str) -> Figure:
    """The abundance of each phase of a map, all phases as mixed colours, and the residual.

    The maps are those that are written as TIFF, not smoothed. Titles give the share of each phase
    in the counts of the whole map, with its error.
    """
    from endmember.core.display.map_display import mixed_colours
    from endmember.session.views.composition_view import decimals_for, number_text

    data: MapData = session.result("read", map_name)
    found: MapAbundance = session.result("abundance", map_name)
    figure, places = grid_of_maps(data, len(found.phases) + 2, extra_mm=11.0)
    for axes, phase, values in zip(places, found.phases, found.abundance.maps, strict=False):
        share, sigma = (100 * v for v in found.fractions[phase])
        digits = decimals_for(sigma, share)
        title = f"{phase}, {number_text(share, digits)} ± {number_text(sigma, digits)} %"
        shown = show_map(axes, values, title, colours=SHARE, levels=(0.0, 1.0))
        colour_bar(axes, shown, "share of the counts of a pixel")
    colours = [_rgb(colour_of(n)) for n in range(len(found.phases))]
    mixed = places[len(found.phases)]
    shown = show_map(mixed, mixed_colours(found.abundance.maps, colours), "all phases, mixed")
    _legend_below(mixed, shown, found.phases)
    residual = show_map(places[-1], found.abundance.residual, "residual", levels=(0.5, 1.5))
    colour_bar(places[-1], residual, "residual (1: noise alone)")
    scale(places[0], data)
    for number, axes in enumerate(places):
        letter(axes, number, inside=True)
    return figure


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _legend_below(axes: Axes, shown: Any, phases: Sequence[str]) -> None:
    """The colours of the phases in the place of a colour bar, so that all maps are of one size."""
    from matplotlib.patches import Patch

    bar = colour_bar(axes, shown, " ")
    bar.outline.set_visible(False)
    bar.solids.set_visible(False)
    bar.set_ticks([])
    patches = [Patch(color=colour_of(n), label=phase) for n, phase in enumerate(phases)]
    bar.ax.legend(
        handles=patches,
        loc="upper center",
        ncols=min(len(phases), 3),
        handlelength=0.8,
        columnspacing=0.8,
    )
