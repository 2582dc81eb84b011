"""Regions on a map, against closed forms and pixel-by-pixel truth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endmember.core.masks.regions import Ellipse, Polygon, Rectangle, pixel_box, region_mask
from endmember.session.decisions.recipe import Exclude, MapInput, Roi, Stroke
from endmember.session.decisions.shapes import drawn_region, rectangle_on, region_on, stroke_on

SHAPE = (40, 60)


def test_a_rectangle_holds_width_times_height_pixels() -> None:
    mask, warnings = region_mask(SHAPE, Rectangle(7, 3, 20, 11), "r")
    expected = np.zeros(SHAPE, dtype=bool)
    expected[3:14, 7:27] = True
    assert np.array_equal(mask, expected)
    assert warnings == ()


def test_a_polygon_round_an_integer_box_is_the_rectangle() -> None:
    for corners in (((7, 3), (27, 3), (27, 14), (7, 14)), ((27, 14), (27, 3), (7, 3), (7, 14))):
        mask, _ = region_mask(SHAPE, Polygon(corners), "p")
        assert np.array_equal(mask, region_mask(SHAPE, Rectangle(7, 3, 20, 11), "r")[0])


def test_an_ellipse_has_the_area_of_an_ellipse_and_its_box() -> None:
    mask, _ = region_mask((400, 600), Ellipse(20, 30, 500, 300), "e")
    # A boundary of length L crosses about L pixels, which are in or out by chance.
    assert abs(mask.sum() - math.pi / 4 * 500 * 300) < 3 * math.sqrt(1300)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (30, 329, 20, 519)


def test_a_triangle_holds_the_pixels_whose_centres_it_holds() -> None:
    mask, _ = region_mask(SHAPE, Polygon(((0, 0), (30, 0), (0, 30))), "t")
    row, column = np.indices(SHAPE)
    # Centres on the slanted edge, x + y = 30, lie on its right side and stay out.
    assert np.array_equal(mask, (column + 0.5) + (row + 0.5) < 30)


def test_a_concave_polygon_leaves_its_bay_out() -> None:
    letter_u = ((0, 0), (30, 0), (30, 30), (20, 30), (20, 10), (10, 10), (10, 30), (0, 30))
    mask, _ = region_mask(SHAPE, Polygon(letter_u), "u")
    assert mask.sum() == 30 * 30 - 10 * 20
    assert not mask[10:30, 10:20].any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40)), min_size=2, max_size=2))
def test_two_polygons_with_a_common_edge_share_no_pixel_and_leave_none_out(
    cut: list[tuple[int, int]],
) -> None:
    (top, _), (bottom, _) = cut
    left = Polygon(((0, 0), (top, 0), (bottom, 40), (0, 40))).mask(*SHAPE)
    right = Polygon(((60, 0), (60, 40), (bottom, 40), (top, 0))).mask(*SHAPE)
    assert not (left & right).any()
    assert (left | right).all()


def test_a_region_partly_outside_is_clipped_with_a_warning() -> None:
    mask, (warning,) = region_mask(SHAPE, Rectangle(-5, 30, 20, 20), 'the rectangle of "Fp"')
    assert mask.sum() == 15 * 10
    assert (
        warning
        == 'the rectangle of "Fp" reaches beyond the map of 60 x 40 pixels and was clipped to it'
    )


@pytest.mark.parametrize(
    "region",
    [
        Rectangle(60, 0, 5, 5),
        Ellipse(-20, 0, 20, 20),
        Polygon(((0, -9), (5, -9), (2, -1))),
        Rectangle(3.6, 3.6, 0.5, 0.5),
    ],
)
def test_a_region_that_covers_no_pixel_is_named(region: Rectangle | Ellipse | Polygon) -> None:
    with pytest.raises(ValueError, match=r"hole 2 covers no pixel of the map of 60 x 40 pixels"):
        region_mask(SHAPE, region, "hole 2")


def test_a_box_is_clipped_to_whole_pixels_of_the_map() -> None:
    assert pixel_box(SHAPE, Rectangle(3, 4, 5, 6), "b") == ((3, 4, 5, 6), ())
    box, warnings = pixel_box(SHAPE, Rectangle(50.5, -2, 20, 4.5), "b")
    assert box == (50, 0, 10, 3)
    assert len(warnings) == 1
    with pytest.raises(ValueError, match="b covers no pixel"):
        pixel_box(SHAPE, Rectangle(60, 4, 5, 6), "b")


def test_shapes_move_with_the_crop_and_shrink_with_the_rebinning() -> None:
    entry = MapInput(file="f", name="m", crop=(10, 20, 40, 20), rebin=2)
    whole = Rectangle(14, 22, 20, 10).mask(*SHAPE)[20:40, 10:50]
    halved = whole.reshape(10, 2, 20, 2).any(axis=(1, 3))
    here = region_on(entry, Exclude(rectangle=(14, 22, 20, 10)))
    assert np.array_equal(here.mask(10, 20), halved)
    assert rectangle_on(entry, (14, 22, 20, 10)) == Rectangle(2, 1, 10, 5)


def test_a_stroke_stays_on_the_pixels_it_names_when_the_map_is_cropped_and_rebinned() -> None:
    # painted round the corner that four pixels share, which is the centre of one rebinned pixel
    stroke = Stroke(map="m", label="inside", radius=4, points=((17.5, 29.5), (25.5, 29.5)))
    entry = MapInput(file="f", name="m", crop=(8, 16, 32, 24), rebin=4)
    here = stroke_on(entry, stroke)
    assert (here.label, here.radius) == ("inside", 1.0)
    assert here.points == ((2.0, 3.0), (4.0, 3.0))
    plain = stroke_on(MapInput(file="f", name="m"), stroke)
    assert plain.points == stroke.points


def test_each_shape_of_a_recipe_is_the_region_it_names() -> None:
    triangle = ((0, 0), (4, 0), (0, 4))
    assert drawn_region(Exclude(polygon=triangle)) == Polygon(triangle)
    assert drawn_region(Roi(name="r", phase="p", ellipse=(1, 2, 3, 4))) == Ellipse(1, 2, 3, 4)
    with pytest.raises(ValueError, match="needs a polygon, a rectangle or an ellipse"):
        drawn_region(Exclude())
