"""Several maps decomposed: together, on one energy axis; or each alone, in one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.progress import Report
from endmember.core.unmixing.component_matching import affinities, matched_order, reordered
from endmember.core.unmixing.decomposition import Decomposition, decompose
from endmember.session.decisions.recipe import Decomposition as Settings
from endmember.session.state.memory import check_room, decomposition_bytes
from endmember.session.steps.chain import Decomposed
from endmember.session.steps.common_energies import on_one_axis
from endmember.session.steps.map_data import MapData

ALIKE = 0.9
"""Below, the spectra of two components can hardly show the same phase; see `affinities`. On the
simulated specimens pairs of one phase come to .97 to .997, of two phases to .80 to .965."""


def decompose_maps(
    report: Report,
    settings: Settings,
    data: Mapping[str, MapData],
    before: Mapping[str, Decomposed],
) -> Decomposed:
    """Decompose maps together; on different energy axes they are brought to a common one first.

    Where `before` holds the decomposition of the first map, the components are put into its order:
    component 1 shows the same phase on each map, though not always the second most counts.

    Raises
    ------
    ValueError
        as `decompose` and `on_one_axis`, or if the memory will not do.
    """
    moved, told = on_one_axis(data)
    images = [d.image for d in moved.values()]
    _check_memory(images, settings)
    found = decompose(images, settings.components, settings.method, settings.seed, report)
    found = replace(found, axis=images[0].axis)
    for first in before.values():
        found, sentences = _in_the_order_of(found, next(iter(data)), first)
        told += sentences
    readings = tuple(d.reading for d in data.values())
    return Decomposed(tuple(data), readings, found, tuple(told))


def _check_memory(images: Sequence[SpectrumImage], settings: Settings) -> None:
    needed = decomposition_bytes(
        sum(image.rows * image.columns for image in images),
        images[0].axis.channels,
        sum(len(image.counts) for image in images),
        settings.components,
        settings.method,
    )
    remedy = "ask for fewer components, or crop or rebin the map"
    check_room(needed, f"a decomposition into {settings.components} components", remedy)


def _in_the_order_of(
    found: Decomposition, name: str, first: Decomposed
) -> tuple[Decomposition, list[str]]:
    """The components of a map in the order of the first map's, and which pairs are unlike."""
    reference = first.found
    assert found.axis is not None  # `decompose_maps` says it of both
    assert reference.axis is not None
    alike = affinities(reference.spectra, found.spectra, (reference.axis, found.axis))
    order = matched_order(alike)
    told = [
        f'component {number} of map "{name}" is unlike that of map "{first.names[0]}" (their '
        f"spectra agree to {alike[number, column]:.2f} of 1): look at its map, or decompose the "
        "maps together (joint = true)"
        for number, column in enumerate(order)
        if alike[number, column] < max(ALIKE, alike[number].max(), alike[:, column].max())
    ]
    return reordered(found, order), told
