"""Masks cut before: a precipitate whose drawings did not change is not cut again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakKeyDictionary

from endmember.core.masks.segmentation import Segmentation, SmoothedMaps, cut_out
from endmember.core.progress import Report
from endmember.core.unmixing.decomposition import Decomposition
from endmember.session.decisions.recipe import MapInput, Precipitate
from endmember.session.decisions.recipe import Segmentation as Settings
from endmember.session.decisions.shapes import rectangle_on, stroke_on

KEPT_MASKS = 24  # of one map; a mask takes a byte per pixel
KEPT_SMOOTHINGS = 2

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class _MapCuts:
    """The smoothed component maps of one map, and its latest masks by what decides them."""

    maps: SmoothedMaps
    masks: dict[object, Segmentation] = field(default_factory=dict)


# Kept as long as the decomposition itself, which nobody changes: equal input, equal mask.
_cuts: WeakKeyDictionary[Decomposition, dict[tuple[int, float], _MapCuts]] = WeakKeyDictionary()
_lock = threading.Lock()  # held while looking and keeping, not while cutting


def mask_of(
    found: Decomposition,
    number: int,
    entry: MapInput,
    precipitate: Precipitate,
    component: int,
    settings: Settings,
    report: Report,
) -> Segmentation:
    """The mask of a precipitate on map `number` of a decomposition, cut now or before.

    Raises
    ------
    ValueError
        as `segmentation.segment`.
    """
    here = _of_map(found, number, float(settings.smoothing_px) / entry.rebin)
    boxes, strokes = precipitate.boxes_on(entry.name), precipitate.strokes_on(entry.name)
    key = (component, boxes, strokes, settings.seed, entry.crop, entry.rebin)
    with _lock:
        known = here.masks.get(key)
    if known is None:
        known = cut_out(
            here.maps,
            component,
            [rectangle_on(entry, box) for box in boxes],
            [stroke_on(entry, stroke) for stroke in strokes],
            settings.seed,
            report,
            [str(list(box)) for box in boxes],
        )
    with _lock:
        _keep(here.masks, key, known, KEPT_MASKS)
    return known


def _of_map(found: Decomposition, number: int, smoothing_px: float) -> _MapCuts:
    key = (number, smoothing_px)
    with _lock:
        cuts = _cuts.setdefault(found, {})
        known = cuts.get(key) or _MapCuts(SmoothedMaps(found.maps[number], smoothing_px))
        _keep(cuts, key, known, KEPT_SMOOTHINGS * len(found.maps))
    return known


def _keep(kept: dict[Key, Value], key: Key, value: Value, most: int) -> None:
    """Put a value at the end and drop the oldest beyond `most`."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > most:
        del kept[next(iter(kept))]
