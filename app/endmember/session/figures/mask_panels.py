"""The electron image of a map with what was drawn on it, and the masks that came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from endmember.core.display.phase_colours import colour_of
from endmember.files.pictures.figure_page import INK, for_print, letter
from endmember.session.figures.map_panels import IMAGE, grid_of_maps, scale, show_map

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from endmember.core.masks.regions import Region
    from endmember.session.state.session import Session
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks

FIRST_IMAGES = ("haadf", "adf", "hadf")  # which companion image is shown, if there are several


def electron_image(data: MapData) -> tuple[str, npt.NDArray[Any]]:
    """The dark-field image of a map with its name, or the counts of each pixel without one."""
    fitting = {
        name: image
        for name, image in data.image.images.items()
        if image.shape == (data.image.rows, data.image.columns)
    }
    for wanted in FIRST_IMAGES:
        for name, image in fitting.items():
            if wanted in name.lower():
                return name, np.asarray(image, np.float64)
    for name, image in fitting.items():
        return name, np.asarray(image, np.float64)
    return "X-ray counts", np.asarray(data.image.count_map(), np.float64)


def outline(region: Region, colour: str, *, dashed: bool) -> Patch:
    """The edge of a region (in pixels of the map as analysed) as it lies on `show_map`."""
    from matplotlib.patches import Ellipse, Polygon, Rectangle

    from endmember.core.masks.regions import Ellipse as Oval
    from endmember.core.masks.regions import Rectangle as Box

    style: dict[str, Any] = {
        "fill": False,
        "edgecolor": colour,
        "linewidth": 0.9,
        "linestyle": "--" if dashed else "-",
    }
    # pixel 0 is drawn from -0.5 to 0.5
    if isinstance(region, Box):
        return Rectangle((region.x - 0.5, region.y - 0.5), region.width, region.height, **style)
    if isinstance(region, Oval):
        middle = region.x - 0.5 + region.width / 2, region.y - 0.5 + region.height / 2
        return Ellipse(middle, region.width, region.height, **style)
    corners = np.asarray(region.points, np.float64) - 0.5
    return Polygon(corners, closed=True, **style)


def draw_shapes(axes: Axes, session: Session, map_name: str) -> list[Line2D]:
    """Draw rectangles, regions of interest and exclusions (dashed); returns the keys to them."""
    from matplotlib.lines import Line2D

    from endmember.session.decisions.shapes import rectangle_on, region_on

    data: MapData = session.result("read", map_name)
    recipe, entry = session.recipe, session.recipe.map_named(map_name)
    known: dict[str, Any] = {"color": INK, "linewidth": 0.9}
    keys: dict[str, Line2D] = {}
    for number, phase in enumerate(recipe.phases):
        colour = colour_of(number)
        if number > 0:
            for box in recipe.precipitate_named(phase).boxes_on(map_name):
                axes.add_patch(outline(rectangle_on(data.entry, box), colour, dashed=False))
                label = f"{phase}, rectangles"
                keys[label] = Line2D([], [], label=label, **{**known, "color": colour})
        for roi in (r for r in entry.rois if r.phase == phase):
            axes.add_patch(outline(region_on(data.entry, roi), colour, dashed=True))
            label = f"{phase}, ROI"
            keys[label] = Line2D([], [], label=label, ls="--", **{**known, "color": colour})
    for drawn in entry.excludes:
        axes.add_patch(outline(region_on(data.entry, drawn), "#c0392b", dashed=True))
        style: dict[str, Any] = {**known, "color": "#c0392b"}
        keys["excluded"] = Line2D([], [], label="excluded", ls="--", **style)
    return list(keys.values())


@for_print
def mask_figure(session: Session, map_name: str) -> Figure:
    """The electron image with rectangles and regions, and every mask of one map.

    Component masks, the overlap, the mixtures without it, the pure matrix, and what is excluded, as
    far as they hold a pixel. After Chen et al. 2024, Fig. 4.
    """
    data: MapData = session.result("read", map_name)
    masks: MapMasks = session.result("masks", map_name)
    part, recipe = masks.partition, session.recipe
    colour = {phase: colour_of(n) for n, phase in enumerate(recipe.phases)}
    matrix = recipe.sample.matrix
    panels = [(f"{p} component", m, colour[p]) for p, m in part.components.items()]
    panels.append(("overlap", part.overlap, "#555555"))
    panels += [(f"{p}+{matrix} mixture", m, colour[p]) for p, m in part.mixtures.items()]
    panels += [
        (f"{matrix} pure matrix", part.matrix, colour[matrix]),
        ("excluded", part.excluded, "#c0392b"),
    ]
    panels = [panel for panel in panels if panel[1].any()]
    figure, places = grid_of_maps(data, 1 + len(panels), extra_mm=3.0)
    name, image = electron_image(data)
    show_map(places[0], image, name, colours=IMAGE)
    keys = draw_shapes(places[0], session, map_name)
    scale(places[0], data)
    for axes, (title, mask, shade) in zip(places[1:], panels, strict=True):
        show_map(axes, _inked(mask, shade), f"{title}, {int(mask.sum()):,} px")
    for number, axes in enumerate(places):
        letter(axes, number, inside=True)
    if keys:
        figure.legend(handles=keys, loc="outside lower center", ncols=min(len(keys), 6))
    return figure


def _inked(mask: npt.NDArray[np.bool_], colour: str) -> npt.NDArray[np.uint8]:
    """A mask in its colour on nearly white, (rows, columns, 3)."""
    inside = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)
    return np.where(mask[..., None], inside, np.uint8(238)).astype(np.uint8)
