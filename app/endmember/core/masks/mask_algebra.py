"""The algebra of masks: which pixels are pure matrix, which are mixtures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from endmember.core.counts.spectrum_image import BoolArray


@dataclass(frozen=True, eq=False, slots=True)
class Partition:
    """Masks of one map, all of shape (rows, columns), by the name of the precipitate.

    `matrix`, the `mixtures`, `overlap` and `excluded` share no pixel and together cover the map.
    `components` are the precipitates' own masks without excluded pixels: each is its mixture and
    its part of the overlap.
    """

    components: dict[str, BoolArray]
    mixtures: dict[str, BoolArray]
    overlap: BoolArray
    excluded: BoolArray
    matrix: BoolArray


def partition(masks: Mapping[str, BoolArray], excluded: BoolArray) -> Partition:
    """Split a map by the precipitates' masks and the excluded pixels, all (rows, columns).

    matrix = in no mask; overlap = in two or more; mixture k = mask k without overlap (Chen et al.
    2024, Fig. 4); excluded pixels are in none of them.

    Raises
    ------
    ValueError
        if the masks have different shapes.
    """
    for name, mask in masks.items():
        if mask.shape != excluded.shape:
            raise ValueError(
                f"the mask of {name} has {mask.shape} pixels and the map {excluded.shape}: "
                "make the mask anew from this map"
            )
    excluded = excluded.astype(bool)
    components = {name: mask.astype(bool) & ~excluded for name, mask in masks.items()}
    times = np.zeros(excluded.shape, dtype=np.int64)
    for mask in components.values():
        times += mask
    overlap = times >= 2
    mixtures = {name: mask & ~overlap for name, mask in components.items()}
    matrix = (times == 0) & ~excluded
    for array in (*components.values(), *mixtures.values(), overlap, excluded, matrix):
        array.flags.writeable = False
    return Partition(components, mixtures, overlap, excluded, matrix)
