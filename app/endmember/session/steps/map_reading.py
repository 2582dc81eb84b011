"""How a map was read, by which the results made of it are known to fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from endmember.core.counts.spectrum import EnergyAxis
from endmember.files.reading.choice import Choice
from endmember.session.decisions.recipe import Box

if TYPE_CHECKING:
    from endmember.session.steps.map_data import MapData


class Reading(NamedTuple):
    """What decides the pixels and energies of a map; `sha256` is that of its file."""

    sha256: str
    signal: int | None
    choice: Choice
    crop: Box | None
    rebin: int
    axis: EnergyAxis


class MadeOfMap:
    """A result that holds the `reading` of the map it was made from."""

    __slots__ = ()
    reading: Reading

    def fits(self, data: MapData) -> bool:
        """Whether its pixels and energies are those of `data`."""
        return self.reading == data.reading


class _Fitting(Protocol):
    def fits(self, data: MapData) -> bool: ...


Made = TypeVar("Made", bound=_Fitting)


def fitting(made: Made | None, data: MapData | None) -> Made | None:
    """A result, or None where it was made from the map as it was read before."""
    return made if made is not None and data is not None and made.fits(data) else None
