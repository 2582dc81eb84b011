"""Pixels of the regions drawn on a map, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.session.decisions.recipe import Exclude, MapInput, Roi
from endmember.session.steps.map_data import MapData, excluded_mask
from endmember.session.steps.region_pixels import region_pixels


def _data(**entry: object) -> MapData:
    image = SpectrumImage.from_array(np.ones((20, 30, 3), dtype=int), EnergyAxis(0, 1, 3))
    return MapData(MapInput(file="f", name="m", **entry), image, (20, 30), "", ())  # type: ignore[arg-type]


def test_excluded_pixels_count_for_no_region_of_interest() -> None:
    roi = Roi(name="a", phase="p", rectangle=(2, 3, 10, 5))
    found = region_pixels(_data(), [roi], [Exclude(rectangle=(0, 0, 4, 20))])
    assert found.rois == {"a": 8 * 5}
    assert found.excludes == (80,)


def test_regions_count_in_pixels_of_the_cropped_and_rebinned_map() -> None:
    roi = Roi(name="a", phase="p", rectangle=(12, 14, 8, 6))
    found = region_pixels(_data(crop=(10, 10, 60, 40), rebin=2), [roi], [])
    assert found.rois == {"a": 4 * 3}


def test_a_region_off_the_map_says_so_and_leaves_the_others_alone() -> None:
    rois = [
        Roi(name="off", phase="p", rectangle=(200, 200, 5, 5)),
        Roi(name="on", phase="p", polygon=((0, 0), (4, 0), (4, 4), (0, 4))),
    ]
    found = region_pixels(_data(), rois, [Exclude(ellipse=(-90, 0, 5, 5))])
    assert found.rois["on"] == 16
    assert "covers no pixel" in str(found.rois["off"])
    assert "covers no pixel" in str(found.excludes[0])


def test_the_second_exclusion_is_told_as_exclusion_2() -> None:
    shapes = [Exclude(rectangle=(0, 0, 9, 9)), Exclude(rectangle=(200, 200, 5, 5))]
    with pytest.raises(ValueError, match='exclusion 2 on map "m"'):
        excluded_mask(_data(), shapes)
    assert "exclusion 2" in str(region_pixels(_data(), [], shapes).excludes[1])


def test_a_region_wholly_excluded_says_so() -> None:
    roi = Roi(name="a", phase="p", rectangle=(2, 2, 3, 3))
    found = region_pixels(_data(), [roi], [Exclude(rectangle=(0, 0, 9, 9))])
    assert "excluded" in str(found.rois["a"])
