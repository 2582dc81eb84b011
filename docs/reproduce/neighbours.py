"""Neighbouring maps of one simulated specimen, and the recipe that a person would make for them.

The maps share the phases of the demo's specimen (`core.simulation.specimens`); grains and noise
differ. The first has the demo's grains, the others random ones. Rectangles and regions follow from
the truth, as a hand would draw them that sees the maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from published import ROI_PIXELS
from scipy.ndimage import distance_transform_edt
from true_contents import true_bulk

from endmember.core.counts.spectrum_image import BoolArray
from endmember.core.progress import silent
from endmember.core.simulation.simulated_map import expected_truth
from endmember.core.simulation.specimens import (
    PHASES,
    Grain,
    depth_shares,
    grains_of,
    loose_rectangles,
)
from endmember.demo import demo_recipe, simulate_to
from endmember.session.decisions.recipe import Contents, PrecipitateRectangle, Recipe, Roi, changed

COUNTS_PER_PIXEL = 160.0
PAPER_SIZE = 512
GAP = 4 / 256  # between a region of the matrix and the next grain, as a share of the map's side
BY_HAND = 0.7  # a grain is outlined by hand at this share of its radius
CORNERS = 12
ASPECTS = (1.0, 4 / 3, 3 / 4, 2.0, 0.5, 3.0, 1 / 3, 5.0, 0.2)

Frame = tuple[int, int, int, int]


def free_frames(free: BoolArray, pixels: int) -> list[Frame]:
    """Frames (x, y, width, height) of about so many pixels together, within `free` (rows, columns).

    One if it fits, in one of several shapes; otherwise two of half its size, and so on.

    Raises
    ------
    ValueError
        if not even small frames fit.
    """
    if pixels < 9:
        raise ValueError("the map has no room for a region of the matrix: take a larger one")
    for aspect in ASPECTS:
        height = max(1, round(float(np.sqrt(pixels / aspect))))
        width = max(1, round(pixels / height))
        if height > free.shape[0] or width > free.shape[1]:
            continue
        total = np.pad(np.cumsum(np.cumsum(free, axis=0), axis=1), ((1, 0), (1, 0)))
        inside = (
            total[height:, width:]
            - total[:-height, width:]
            - total[height:, :-width]
            + total[:-height, :-width]
        )
        places = np.argwhere(inside == height * width)
        if len(places):
            y, x = places[len(places) // 2]
            return [(int(x), int(y), width, height)]
    first = free_frames(free, pixels // 2)
    left = free.copy()
    for x, y, width, height in first:
        left[y : y + height, x : x + width] = False
    return first + free_frames(left, pixels - pixels // 2)


def _outline(grain: Grain, size: int) -> tuple[tuple[float, float], ...]:
    """Corners (x, y) of a polygon inside a grain, in pixels."""
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = BY_HAND * (1 + grain.wave * np.cos(grain.lobes * angles + grain.wave_phase))
    along, across = grain.a * radius * np.cos(angles), grain.b * radius * np.sin(angles)
    cos, sin = np.cos(grain.angle), np.sin(grain.angle)
    x, y = grain.x + along * cos - across * sin, grain.y + along * sin + across * cos
    return tuple(
        (round(float(u) * size, 1), round(float(v) * size, 1)) for u, v in zip(x, y, strict=True)
    )


def _best_grain(phase: str, layout: int, size: int) -> Grain:
    """The grain of a phase that a person would choose: large and thick, no other phase over it."""
    others = [g.depth(size) > 0 for g in grains_of(layout) if g.phase != phase]
    covered = np.logical_or.reduce(others)
    own = [g for g in grains_of(layout) if g.phase == phase]
    alone = [g for g in own if not (covered & (g.depth(size) > 0)).any()]
    return max(alone or own, key=lambda g: g.a * g.b * g.core)


def regions(number: int, layout: int, size: int) -> tuple[Roi, ...]:
    """The regions of map `number` (from 1): the matrix, as large as the paper's; one grain each."""
    pure = depth_shares(layout, size)[0] > 1 - 1e-9
    free = distance_transform_edt(pure) > GAP * size
    pixels = round(ROI_PIXELS[(number - 1) % len(ROI_PIXELS)] * (size / PAPER_SIZE) ** 2)
    frames = free_frames(free, pixels)
    matrix = PHASES[0].name
    letters = [""] if len(frames) == 1 else [chr(ord("a") + i) for i in range(len(frames))]
    found = [
        Roi(name=f"{matrix}_ROI_{number}{letter}", phase=matrix, rectangle=frame)
        for letter, frame in zip(letters, frames, strict=True)
    ]
    for phase in PHASES[1:]:
        grain = _best_grain(phase.name, layout, size)
        outline = _outline(grain, size)
        found.append(Roi(name=f"{phase.name}_ROI_{number}", phase=phase.name, polygon=outline))
    return tuple(found)


def neighbours(folder: Path, size: int, layouts: Sequence[int], first_seed: int) -> Recipe:
    """Simulate a map of each layout into `folder`, map1.hspy and so on; returns their recipe.

    The recipe's files are relative to `folder`. Its bulk is the true one.
    """
    recipe = demo_recipe(size)
    rectangles: dict[str, list[PrecipitateRectangle]] = {p.name: [] for p in recipe.precipitates}
    maps = []
    for number, layout in enumerate(layouts, start=1):
        name = f"map{number}"
        simulate_to(
            folder / f"{name}.hspy",
            None,
            silent,
            size=size,
            counts_per_pixel=COUNTS_PER_PIXEL,
            seed=first_seed + number - 1,
            layout=layout,
        )
        drawn = regions(number, layout, size)
        maps.append(changed(recipe.maps[0], file=f"{name}.hspy", name=name, rois=drawn))
        for phase, boxes in loose_rectangles(size, layout).items():
            rectangles[phase] += [PrecipitateRectangle(map=name, box=box) for box in boxes]
    precipitates = tuple(
        changed(p, rectangles=tuple(rectangles[p.name])) for p in recipe.precipitates
    )
    bulk = true_bulk([expected_truth(size, COUNTS_PER_PIXEL, layout) for layout in layouts])
    sample = changed(recipe.sample, bulk=Contents({e: round(x, 5) for e, x in bulk.items()}))
    return changed(recipe, maps=tuple(maps), precipitates=precipitates, sample=sample)
