"""A map as a picture to show: with its title, a scale bar and a colour bar."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

WIDTH_INCHES, DOTS_PER_INCH = 4.0, 300
BAR_SHARE = 0.3  # the longest scale bar, of the width of the map
NM_PER_UM = 1000.0
METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
}


def nice_length(at_most: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above `at_most`; 0 if that is 0."""
    if not at_most > 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(at_most))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= at_most * (1 + 1e-9))


def scale_bar_nm(width_nm: float) -> float:
    """The longest of 1, 2, 5, 10, ... nm that takes up at most `BAR_SHARE` of a width."""
    return nice_length(BAR_SHARE * width_nm)


def length_text(length_nm: float) -> str:
    """A length with its unit, in µm from 1 µm on."""
    if length_nm >= NM_PER_UM:
        return f"{length_nm / NM_PER_UM:g} µm"
    return f"{length_nm:g} nm"


def write_map_picture(
    path: Path,
    array: npt.NDArray[Any],
    *,
    title: str = "",
    unit: str = "",
    pixel_size_nm: float | None = None,
    levels: tuple[float, float] | None = None,
    colours: npt.NDArray[np.uint8] | None = None,
) -> None:
    """Write a map (rows, columns), or colours (rows, columns, 3), as PNG, PDF or SVG.

    The ending of `path` decides which. `pixel_size_nm` is that of a pixel of the array; without it
    there is no scale bar. `levels` are the values at the ends of the `colours` (256, 4); without
    them those of matplotlib's viridis run from the least to the largest value. Equal input gives
    equal bytes.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    rows, columns = array.shape[:2]
    figure = Figure((WIDTH_INCHES, WIDTH_INCHES * rows / columns), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    low, high = levels or (None, None)
    table = "viridis" if colours is None else ListedColormap(np.asarray(colours) / 255.0)
    shown = axes.imshow(array, cmap=table, vmin=low, vmax=high, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize=9)
    if array.ndim == 2:
        bar = figure.colorbar(shown, ax=axes, fraction=0.05, pad=0.02)
        bar.set_label(unit, fontsize=8)
        bar.ax.tick_params(labelsize=7)
    if pixel_size_nm is not None:
        add_scale_bar(axes, columns, pixel_size_nm)
    with matplotlib.rc_context({"svg.hashsalt": "endmember"}):
        figure.savefig(
            path,
            format=path.suffix[1:].lower(),
            dpi=DOTS_PER_INCH,
            bbox_inches="tight",
            metadata=METADATA[path.suffix.lower()],
        )


def add_scale_bar(axes: Any, columns: int, pixel_size_nm: float, font_size: float = 8.0) -> None:
    """A white bar with its length, on black so that it is seen on every map.

    `axes` of matplotlib show a map of so many `columns`; `font_size` in points.
    """
    from matplotlib.font_manager import FontProperties
    from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

    length = scale_bar_nm(columns * pixel_size_nm)
    bar = AnchoredSizeBar(
        axes.transData,
        length / pixel_size_nm,
        length_text(length),
        "lower left",
        color="white",
        frameon=True,
        size_vertical=columns / 100,
        pad=0.3,
        sep=3,
        fontproperties=FontProperties(size=font_size),
    )
    bar.patch.set(facecolor="black", edgecolor="none", alpha=0.6)
    axes.add_artist(bar)
