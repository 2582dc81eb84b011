"""Several maps on one energy axis, for what is done with their counts together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from endmember.core.counts.energy_axes import on_common_axis
from endmember.session.steps.map_data import MapData

LOST = 0.01
"""Share of a map's counts outside the common axis from which it is told."""


def on_one_axis(data: Mapping[str, MapData]) -> tuple[dict[str, MapData], list[str]]:
    """The maps on one energy axis, and what has to be told; as they are where they have one.

    The same maps give the same counts at every call.

    Raises
    ------
    ValueError
        as `energy_axes.common_axis`.
    """
    if len({d.image.axis for d in data.values()}) <= 1:
        return dict(data), []
    images = on_common_axis([d.image for d in data.values()])
    axis = images[0].axis
    sentence = (
        f"the maps have different energy axes: together they are taken from {axis.edges[0]:.4g} to "
        f"{axis.edges[-1]:.4g} keV in channels of {1e3 * axis.step_keV:.4g} eV, and counts of a "
        "channel across two of these are dealt out at random, each time alike"
    )
    told = [sentence]
    for (name, d), image in zip(data.items(), images, strict=True):
        share = 1.0 - image.total / max(d.image.total, 1)
        if share > LOST:
            told.append(
                f'map "{name}": {100 * share:.1f} % of its counts lie outside the energy range '
                "that all maps have in common and are left out where maps are taken together"
            )
    moved = {n: replace(d, image=image) for (n, d), image in zip(data.items(), images, strict=True)}
    return moved, told
