"""How many pixels the regions drawn on a map cover, or why they cover none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from endmember.session.decisions.recipe import Exclude, Roi

if TYPE_CHECKING:
    from endmember.session.steps.map_data import MapData


@dataclass(frozen=True, slots=True)
class RegionPixels:
    """Pixels of the analysed map in each region of interest, by name, and in each exclusion.

    A sentence stands where a region covers none. Excluded pixels count for no region of interest.
    """

    rois: dict[str, int | str]
    excludes: tuple[int | str, ...]


def region_pixels(data: MapData, rois: Sequence[Roi], excludes: Sequence[Exclude]) -> RegionPixels:
    """Count the pixels (of the map as cropped and rebinned) of all regions drawn on a map."""
    from endmember.core.masks.regions import region_mask
    from endmember.session.decisions.shapes import region_on
    from endmember.session.steps.map_data import roi_mask

    shape = data.image.rows, data.image.columns
    excluded = np.zeros(shape, dtype=bool)
    of_excludes: list[int | str] = []
    for number, drawn in enumerate(excludes, start=1):
        try:
            mask, _ = region_mask(shape, region_on(data.entry, drawn), f"exclusion {number}")
        except ValueError as error:
            of_excludes.append(str(error))
            continue
        excluded |= mask
        of_excludes.append(int(mask.sum()))
    of_rois: dict[str, int | str] = {}
    for roi in rois:
        try:
            of_rois[roi.name] = int(roi_mask(data, roi, excluded)[0].sum())
        except ValueError as error:
            of_rois[roi.name] = str(error)
    return RegionPixels(of_rois, tuple(of_excludes))
