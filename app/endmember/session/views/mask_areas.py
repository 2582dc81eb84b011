"""The masks of a map one by one, with their pixels and what was counted in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import BoolArray

if TYPE_CHECKING:
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks

Kind = Literal["matrix", "component", "mixture", "overlap", "excluded"]


@dataclass(frozen=True, eq=False, slots=True)
class MaskArea:
    """One mask (rows, columns): `phase` is its precipitate, "" where it has none.

    `share` is that of its pixels in the map; `counts` (rows, columns) the counts in its pixels,
    NaN outside; `total` their sum and `count_share` its share of all counts.
    """

    kind: Kind
    phase: str
    mask: BoolArray
    pixels: int
    share: float
    counts: FloatArray
    total: int
    count_share: float


def mask_areas(
    data: MapData, masks: MapMasks, counted: FloatArray | None = None
) -> tuple[MaskArea, ...]:
    """The matrix, the mask and the mixture of each precipitate, overlap and excluded pixels.

    `counted` (rows, columns) are all counts of the map, where they have been added up already.
    """
    part = masks.partition
    counted = data.image.count_map() if counted is None else counted
    everything = max(float(counted.sum()), 1.0)

    def area(kind: Kind, phase: str, mask: BoolArray) -> MaskArea:
        pixels, total = int(np.count_nonzero(mask)), float(counted[mask].sum())
        return MaskArea(
            kind,
            phase,
            mask,
            pixels,
            pixels / mask.size,
            np.where(mask, counted, np.nan),
            round(total),
            total / everything,
        )

    return (
        area("matrix", "", part.matrix),
        *(area("component", name, mask) for name, mask in part.components.items()),
        *(area("mixture", name, mask) for name, mask in part.mixtures.items()),
        area("overlap", "", part.overlap),
        area("excluded", "", part.excluded),
    )
