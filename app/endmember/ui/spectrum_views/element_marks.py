"""The lines of the recipe's elements as marks on a spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from endmember.session.decisions.recipe import Recipe, Sample
from endmember.ui.spectrum_views.spectrum_marks import MarkerLine
from endmember.ui.widgets.theme import FAMILY_DASHES, colours

if TYPE_CHECKING:
    from endmember.core.fitting.line_markers import Marker
    from endmember.session.steps.map_data import MapData


def element_markers(recipe: Recipe, data: MapData, element: str) -> tuple[Marker, ...]:
    """The lines of all listed elements and of the one looked at, on the energy axis of a map."""
    from endmember.core.fitting.line_markers import markers

    beam, sample = data.image.beam_energy_keV, recipe.sample
    listed = dict.fromkeys((*sample.elements, *sample.system_elements, element))
    symbols = [symbol for symbol in listed if symbol]
    return () if beam is None else markers(symbols, data.image.axis, beam)


def marker_lines(markers: Sequence[Marker], sample: Sample, element: str) -> list[MarkerLine]:
    """Lines as marks in the colours of the theme; those of `element` are emphasised."""
    of = colours()
    return [
        MarkerLine(
            marker.label,
            marker.energy_keV,
            marker.strength,
            of.muted if marker.element in sample.system_elements else of.second_line,
            FAMILY_DASHES[marker.family],
            marker.element == element,
        )
        for marker in markers
    ]
