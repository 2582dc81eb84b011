"""Edits of what is drawn on maps: rectangles, strokes, regions of interest, exclusions.

Each returns a new recipe, or raises ValueError with a sentence where the result would break a rule.
Coordinates are x, y in pixels of the uncropped map; rectangles and strokes are numbered from 0 on
their map, as `Precipitate.boxes_on` and `strokes_on` give them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from endmember.core.masks.regions import Rectangle, pixel_box, region_mask
from endmember.session.decisions.recipe import (
    Exclude,
    Precipitate,
    PrecipitateRectangle,
    Recipe,
    Roi,
    Stroke,
    changed,
)
from endmember.session.decisions.recipe_changes import (
    LEAVE,
    Leave,
    allowed,
    free_names,
    given,
    plain,
    whole_box,
    with_free_name,
    with_item,
    with_map,
    with_precipitate,
)
from endmember.session.decisions.shapes import drawn_region

ShapeKind = Literal["polygon", "rectangle", "ellipse"]
Numbers = Sequence[float]
Shape = Numbers | Sequence[Numbers]  # x, y, width, height, or the points of a polygon
_SHAPE_KINDS: tuple[ShapeKind, ...] = ("polygon", "rectangle", "ellipse")


def add_rectangle(recipe: Recipe, precipitate: str, map_name: str, box: Numbers) -> Recipe:
    """A further rectangle round a precipitate, the last on its map; rounded to whole pixels."""
    found = recipe.precipitate_named(precipitate)
    rectangle = PrecipitateRectangle(map=map_name, box=whole_box(box))
    rectangles = (*found.rectangles, rectangle)
    return allowed(with_precipitate(recipe, precipitate, rectangles=rectangles))


def move_rectangle(
    recipe: Recipe, precipitate: str, map_name: str, number: int, box: Numbers
) -> Recipe:
    """Another place or size for a rectangle; rounded to whole pixels."""
    rectangle = PrecipitateRectangle(map=map_name, box=whole_box(box))
    return _with_rectangle(recipe, precipitate, map_name, number, rectangle)


def remove_rectangle(recipe: Recipe, precipitate: str, map_name: str, number: int) -> Recipe:
    """The recipe without one rectangle."""
    return _with_rectangle(recipe, precipitate, map_name, number, None)


def add_stroke(
    recipe: Recipe,
    precipitate: str,
    map_name: str,
    label: Literal["inside", "outside"],
    radius: float,
    points: Sequence[Numbers],
) -> Recipe:
    """A further stroke of the brush, the last on its map."""
    found = recipe.precipitate_named(precipitate)
    stroke = Stroke(map=map_name, label=label, radius=plain(radius), points=plain(points))
    return allowed(with_precipitate(recipe, precipitate, strokes=(*found.strokes, stroke)))


def remove_stroke(recipe: Recipe, precipitate: str, map_name: str, number: int) -> Recipe:
    """The recipe without one stroke."""
    found = recipe.precipitate_named(precipitate)
    index = _place(found.strokes, found, map_name, number)
    strokes = with_item(found.strokes, index, None)
    return allowed(with_precipitate(recipe, precipitate, strokes=strokes))


def clear_strokes(recipe: Recipe, precipitate: str, map_name: str | None = None) -> Recipe:
    """The recipe without the strokes of a precipitate on one map, or on all."""
    found = recipe.precipitate_named(precipitate)
    if map_name is not None:
        recipe.map_named(map_name)
    strokes = tuple(s for s in found.strokes if map_name not in (None, s.map))
    return allowed(with_precipitate(recipe, precipitate, strokes=strokes))


def add_roi(
    recipe: Recipe,
    map_name: str,
    shape_kind: ShapeKind,
    shape: Shape,
    phase: str,
    name: str | None = None,
) -> Recipe:
    """A further region of interest, the last on its map; without a name ROI_1, ROI_2 ..."""
    rois = recipe.map_named(map_name).rois

    def with_roi(roi_name: str) -> Recipe:
        roi = Roi(name=roi_name, phase=phase, **_shaped(shape_kind, shape))
        return with_map(recipe, map_name, rois=(*rois, roi))

    if name is not None:
        return allowed(with_roi(name.strip()))
    taken = [roi.name for entry in recipe.maps for roi in entry.rois]
    return with_free_name(free_names("ROI_", taken), with_roi)


def change_roi(
    recipe: Recipe,
    map_name: str,
    name: str,
    *,
    new_name: str | Leave = LEAVE,
    phase: str | Leave = LEAVE,
    polygon: Sequence[Numbers] | Leave = LEAVE,
    rectangle: Numbers | Leave = LEAVE,
    ellipse: Numbers | Leave = LEAVE,
) -> Recipe:
    """Another name, phase or shape for a region of interest; a shape replaces the old one."""
    rois = recipe.map_named(map_name).rois
    index = _named(rois, name, map_name)
    settings = given(phase=phase)
    if new_name is not LEAVE:
        settings["name"] = new_name.strip()
    if shape := given(polygon=polygon, rectangle=rectangle, ellipse=ellipse):
        settings |= dict.fromkeys(_SHAPE_KINDS) | shape
    rois = with_item(rois, index, changed(rois[index], **settings))
    return allowed(with_map(recipe, map_name, rois=rois))


def remove_roi(recipe: Recipe, map_name: str, name: str) -> Recipe:
    """The recipe without one region of interest."""
    rois = recipe.map_named(map_name).rois
    rois = with_item(rois, _named(rois, name, map_name), None)
    return allowed(with_map(recipe, map_name, rois=rois))


def add_exclude(recipe: Recipe, map_name: str, shape_kind: ShapeKind, shape: Shape) -> Recipe:
    """A further excluded region, the last on its map."""
    exclude = Exclude(**_shaped(shape_kind, shape))
    excludes = (*recipe.map_named(map_name).excludes, exclude)
    return allowed(with_map(recipe, map_name, excludes=excludes))


def change_exclude(
    recipe: Recipe, map_name: str, number: int, shape_kind: ShapeKind, shape: Shape
) -> Recipe:
    """Another shape for an excluded region, numbered from 0 on its map."""
    exclude = Exclude(**_shaped(shape_kind, shape))
    return _with_exclude(recipe, map_name, number, exclude)


def remove_exclude(recipe: Recipe, map_name: str, number: int) -> Recipe:
    """The recipe without one excluded region, numbered from 0 on its map."""
    return _with_exclude(recipe, map_name, number, None)


def cut_to_map(full_shape: tuple[int, int], shape_kind: ShapeKind, shape: Shape) -> Shape:
    """The shape, a rectangle cut to the uncropped map of so many (rows, columns).

    Raises
    ------
    ValueError
        if it covers no pixel of the map.
    """
    region = drawn_region(Exclude(**_shaped(shape_kind, shape)))
    _, beyond = region_mask(full_shape, region, "the region")
    if isinstance(region, Rectangle) and beyond:
        return pixel_box(full_shape, region, "the region")[0]
    return shape


def _shaped(shape_kind: ShapeKind, shape: Shape) -> dict[str, Any]:
    return {shape_kind: plain(shape)}


def _with_rectangle(
    recipe: Recipe,
    precipitate: str,
    map_name: str,
    number: int,
    rectangle: PrecipitateRectangle | None,
) -> Recipe:
    found = recipe.precipitate_named(precipitate)
    index = _place(found.rectangles, found, map_name, number)
    rectangles = with_item(found.rectangles, index, rectangle)
    return allowed(with_precipitate(recipe, precipitate, rectangles=rectangles))


def _with_exclude(recipe: Recipe, map_name: str, number: int, exclude: Exclude | None) -> Recipe:
    excludes = recipe.map_named(map_name).excludes
    if not 0 <= number < len(excludes):
        raise _no_such("excluded region", number, f'map "{map_name}"', len(excludes))
    return allowed(with_map(recipe, map_name, excludes=with_item(excludes, number, exclude)))


def _place(
    drawn: Sequence[PrecipitateRectangle | Stroke],
    precipitate: Precipitate,
    map_name: str,
    number: int,
) -> int:
    """Where, among all that is drawn for a precipitate, number `number` on one map stands."""
    maps = [item.map for item in drawn]
    here = [index for index, name in enumerate(maps) if name == map_name]
    if not 0 <= number < len(here):
        kind = "rectangle" if drawn is precipitate.rectangles else "stroke"
        raise _no_such(kind, number, f'"{precipitate.name}" on map "{map_name}"', len(here))
    return here[number]


def _named(rois: Sequence[Roi], name: str, map_name: str) -> int:
    for index, roi in enumerate(rois):
        if roi.name == name:
            return index
    known: Iterator[str] = (roi.name for roi in rois)
    raise ValueError(
        f'map "{map_name}" has no region "{name}"; it has {", ".join(known) or "none yet"}'
    )


def _no_such(kind: str, number: int, owner: str, there: int) -> ValueError:
    return ValueError(
        f"there is no {kind} {number + 1} of {owner}, which has {there}; choose another"
    )
