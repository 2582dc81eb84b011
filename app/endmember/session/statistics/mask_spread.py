"""How far the compositions depend on the masks: cut wider, narrower, or by another hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from endmember.core.masks.mask_algebra import partition
from endmember.core.progress import Report, parts_of, silent
from endmember.core.quantification.cliff_lorimer import Method
from endmember.session.decisions.recipe import Box, Precipitate, Segmentation, changed
from endmember.session.statistics.recomposition import Place, by_mask, data_of, recomposed
from endmember.session.steps.separation import MapMasks, make_masks

if TYPE_CHECKING:
    from endmember.core.quantification.composition import Composition
    from endmember.session.state.session import Session
    from endmember.session.steps.map_data import MapData

REDRAWN = 4  # times the rectangles are drawn by another hand
OTHER_SEEDS = 4
JITTER_PX = 2  # of the map as analysed: how far a side of a rectangle moves, at most
LEAST_SIDE = 3  # of a rectangle, in pixels
KINDS = ("eroded", "dilated", "rectangles", "seeds")
STREAM = 4201  # keeps these random numbers apart from those of other steps

Variant = Callable[[str], MapMasks]
"""The masks of a map, cut in another way."""


@dataclass(frozen=True, slots=True)
class MaskSpread:
    """One row of mask_spread.csv, in at.%; None for what could not be measured with other masks.

    `eroded` and `dilated`: the change when each mask loses or gains a rim of one pixel.
    `rectangles` and `seeds`: root mean square change when the rectangles are drawn anew, each side
    up to 2 pixels off, and with other seeds of GrabCut. `noise`: what these four would come to by
    counting alone, since other pixels hold other counts. `systematic`: the masks' own error: the
    root of the mean square of `eroded` and `dilated`, plus the squares of the other two, less that
    of `noise`, not below 0.
    """

    phase: str
    map: str
    element: str
    atomic_percent: float
    atomic_percent_sigma: float
    eroded: float | None
    dilated: float | None
    rectangles: float | None
    seeds: float | None
    noise: float | None
    systematic: float | None


def mask_spread(session: Session, report: Report = silent) -> tuple[MaskSpread, ...]:
    """The compositions of a finished session under other masks, all by the seed of the recipe."""
    data, present = data_of(session), by_mask(session.result("quantification"))
    kinds = _kinds(session)
    found: dict[str, list[dict[Place, Composition]]] = {kind: [] for kind in KINDS}
    for (kind, variant), within in zip(kinds, parts_of(report, len(kinds)), strict=True):
        try:
            masks = {name: variant(name) for name in data}
            found[kind].append(recomposed(session, data, masks, within))
        except np.linalg.LinAlgError:  # a ValueError, but a fault of the program
            raise
        except ValueError:
            continue  # no matrix is left, or no mask: this variant says nothing
    report(1.0)
    return tuple(_rows(present, found))


def _kinds(session: Session) -> list[tuple[str, Variant]]:
    seed = session.recipe.segmentation.seed
    kinds: list[tuple[str, Variant]] = [
        ("eroded", lambda name: _grown(session, name, -1)),
        ("dilated", lambda name: _grown(session, name, 1)),
    ]
    kinds += [("rectangles", _redrawn(session, seed, number)) for number in range(REDRAWN)]
    for number in range(1, OTHER_SEEDS + 1):
        settings = changed(session.recipe.segmentation, seed=(seed + number) % 2**32)
        kinds.append(("seeds", _cut(session, settings, lambda _, p: p)))
    return kinds


def _grown(session: Session, name: str, pixels: int) -> MapMasks:
    """The masks of a map with a rim of a pixel more, or less: the four neighbours."""
    from scipy.ndimage import binary_dilation, binary_erosion

    masks: MapMasks = session.result("masks", name)
    moved = binary_dilation if pixels > 0 else binary_erosion
    cut = {p: moved(mask, iterations=abs(pixels)) for p, mask in masks.partition.components.items()}
    part = partition({p: mask for p, mask in cut.items() if mask.any()}, masks.partition.excluded)
    lost = {
        p: f"no pixel of {p} is left" for p, mixture in part.mixtures.items() if not mixture.any()
    }
    return replace(masks, partition=part, failures={**masks.failures, **lost})


def _redrawn(session: Session, seed: int, number: int) -> Variant:
    def redraw(name: str, precipitate: Precipitate) -> Precipitate:
        data: MapData = session.result("read", name)
        place = [seed, STREAM, number, session.recipe.map_names.index(name)]
        rng = np.random.default_rng([*place, session.recipe.phases.index(precipitate.name)])
        rectangles = tuple(
            changed(r, box=_jittered(r.box, data, rng)) if r.map == name else r
            for r in precipitate.rectangles
        )
        return changed(precipitate, rectangles=rectangles)

    return _cut(session, session.recipe.segmentation, redraw)


def _jittered(box: Box, data: MapData, rng: np.random.Generator) -> Box:
    """A box with each side moved at random by up to `JITTER_PX`, kept on the map and not empty."""
    left, top, width, height = box
    fold = data.entry.rebin
    moves = (rng.integers(-JITTER_PX, JITTER_PX + 1, 4) * fold).tolist()
    x, y, across, down = data.place
    least = LEAST_SIDE * fold

    def side(low: int, high: int, first: float, last: float) -> tuple[int, int]:
        low, high = max(low, int(first)), min(high, int(last))
        return (low, high) if high - low >= least else (low, low + least)

    x0, x1 = side(left + moves[0], left + width + moves[1], x, x + across)
    y0, y1 = side(top + moves[2], top + height + moves[3], y, y + down)
    return x0, y0, x1 - x0, y1 - y0


def _cut(
    session: Session, settings: Segmentation, redraw: Callable[[str, Precipitate], Precipitate]
) -> Variant:
    """The masks of a map cut anew from the present components."""
    recipe = session.recipe

    def variant(name: str) -> MapMasks:
        masks: MapMasks = session.result("masks", name)
        decomposed = session.result("decomposition", name)
        precipitates = [
            changed(redraw(name, p), component=masks.components.get(p.name, p.component))
            for p in recipe.precipitates
        ]
        return make_masks(
            silent,
            precipitates,
            settings,
            Method(recipe.sample.elements, recipe.sample.system_elements),
            recipe.map_named(name).excludes,
            session.result("read", name),
            decomposed.found,
            decomposed.names.index(name),
        )

    return variant


def _rows(
    present: Mapping[Place, Composition], found: Mapping[str, Sequence[Mapping[Place, Composition]]]
) -> Iterator[MaskSpread]:
    for place, composition in present.items():
        for row in composition.rows:
            if row.atomic_percent is None or not row.atomic_percent_sigma:
                continue
            value, sigma = row.atomic_percent, row.atomic_percent_sigma
            changes: dict[str, list[tuple[float, float]]] = {}
            for kind, variants in found.items():
                others = [v[place][row.element] for v in variants if place in v]
                changes[kind] = [
                    (other.atomic_percent - value, abs(other.atomic_percent_sigma**2 - sigma**2))
                    for other in others
                    if other.atomic_percent is not None and other.atomic_percent_sigma
                ]
            yield MaskSpread(*place, row.element, value, sigma, *_summary(changes))


def _summary(
    changes: Mapping[str, Sequence[tuple[float, float]]],
) -> tuple[float | None, ...]:
    """The last six columns. A spectrum of a part of the pixels differs by less than its own error:
    for a part, the variance of the difference is the difference of the variances."""
    eroded, dilated = (
        changes[kind][0][0] if changes[kind] else None for kind in ("eroded", "dilated")
    )
    squares, noises = [], []
    edges = [*changes["eroded"], *changes["dilated"]]
    columns: list[float | None] = []
    for group in (edges, changes["rectangles"], changes["seeds"]):
        square = float(np.mean([d**2 for d, _ in group])) if group else None
        columns.append(None if square is None else square**0.5)
        if square is not None:
            squares.append(square)
            noises.append(float(np.mean([v for _, v in group])))
    if not squares:
        return eroded, dilated, *columns[1:], None, None
    total, noise = sum(squares), sum(noises)
    return eroded, dilated, *columns[1:], noise**0.5, max(total - noise, 0.0) ** 0.5
