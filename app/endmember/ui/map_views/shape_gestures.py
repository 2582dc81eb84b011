"""What a drag does to a shape: pure functions of points, no widgets.

Points are (x, y) in pixels of the uncropped map, frames (x, y, width, height).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]
Frame = tuple[float, float, float, float]
Points = tuple[Point, ...]

BODY = "body"
HANDLES = {
    "nw": (0.0, 0.0),
    "n": (0.5, 0.0),
    "ne": (1.0, 0.0),
    "e": (1.0, 0.5),
    "se": (1.0, 1.0),
    "s": (0.5, 1.0),
    "sw": (0.0, 1.0),
    "w": (0.0, 0.5),
}


def handle_points(frame: Frame) -> dict[str, Point]:
    """Where the eight handles of a frame lie."""
    x, y, width, height = frame
    return {name: (x + a * width, y + b * height) for name, (a, b) in HANDLES.items()}


def part_of_frame(frame: Frame, point: Point, reach: float) -> str | None:
    """The handle within `reach` of a point, "body" inside the frame, None elsewhere."""
    near = [(math.dist(place, point), name) for name, place in handle_points(frame).items()]
    distance, name = min(near)
    if distance <= reach:
        return name
    x, y, width, height = frame
    inside = x <= point[0] <= x + width and y <= point[1] <= y + height
    return BODY if inside else None


def part_of_polygon(points: Points, point: Point, reach: float) -> str | None:
    """The number of the corner within `reach` of a point as text, "body" inside, None elsewhere."""
    distance, number = min((math.dist(corner, point), i) for i, corner in enumerate(points))
    if distance <= reach:
        return str(number)
    return BODY if is_inside(points, point) else None


def is_inside(points: Sequence[Point], point: Point) -> bool:
    """Whether a point lies in a polygon by the even-odd rule."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


def dragged_frame(frame: Frame, part: str, by: Point, least: float = 1.0) -> Frame:
    """A frame after one of its handles, or its body, was dragged; sides cross over freely."""
    x, y, width, height = frame
    if part == BODY:
        return x + by[0], y + by[1], width, height
    left, top, right, bottom = x, y, x + width, y + height
    if "w" in part:
        left += by[0]
    if "e" in part:
        right += by[0]
    if "n" in part:
        top += by[1]
    if "s" in part:
        bottom += by[1]
    return frame_between((left, top), (right, bottom), least)


def dragged_polygon(points: Points, part: str, by: Point) -> Points:
    """A polygon after one of its corners, or its body, was dragged."""
    return tuple(
        (x + by[0], y + by[1]) if part in (BODY, str(number)) else (x, y)
        for number, (x, y) in enumerate(points)
    )


def frame_between(start: Point, end: Point, least: float = 0.0) -> Frame:
    """The frame with two points as opposite corners, each side at least `least` long."""
    left, right = sorted((start[0], end[0]))
    top, bottom = sorted((start[1], end[1]))
    return left, top, max(right - left, least), max(bottom - top, least)


def whole_frame(frame: Frame) -> tuple[int, int, int, int]:
    """The frame on whole pixels, its edges rounded to the nearest, at least one pixel wide."""
    x, y, width, height = frame
    left, top = round(x), round(y)
    return left, top, max(round(x + width) - left, 1), max(round(y + height) - top, 1)


def rounded_points(points: Points, digits: int = 1) -> Points:
    """Points to a tenth of a pixel, which keeps recipes readable."""
    return tuple((round(x, digits), round(y, digits)) for x, y in points)
