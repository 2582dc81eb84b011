import numpy as np
import pytest

from endmember.core.counts.spectrum import FloatArray
from endmember.core.masks.mask_algebra import partition
from endmember.core.masks.purity import matrix_purity
from endmember.core.masks.regions import Rectangle
from endmember.core.masks.segmentation import Stroke, segment
from endmember.core.progress import Cancelled
from endmember.core.simulation.simulated_map import simulate_map
from endmember.core.simulation.specimens import loose_rectangles
from endmember.core.unmixing.decomposition import decompose

SIZE = 96
CENTRES = ((24, 24, 0.8), (70, 30, 0.7), (30, 70, 0.15), (70, 72, 0.6))  # x, y, strength
RECTANGLES = tuple(Rectangle(x - 12, y - 13, 25, 25) for x, y, _ in CENTRES)


def truth() -> FloatArray:
    """Share of the precipitate: four discs with edges that thin out, one of them faint."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    return np.max(
        [s * np.clip((10 - np.hypot(x - cx, y - cy)) / 4, 0, 1) for cx, cy, s in CENTRES], axis=0
    )


def component_maps(seed: int = 0, counts: float = 160.0) -> FloatArray:
    """Matrix, precipitate and a component of noise, with the noise of counts, on a wedge."""
    rng = np.random.default_rng(seed)
    share = truth()
    thickness = counts * np.linspace(0.6, 1.4, SIZE)
    parts = np.array([0.9 * (1 - share), share + 0.05 * (1 - share), 0.05 * (1 - share)])
    return rng.poisson(parts * thickness).astype(np.float64)


def test_almost_nothing_of_the_precipitate_is_left_outside_and_little_matrix_is_lost() -> None:
    share = truth()
    for seed in range(4):
        mask = segment(component_maps(seed), 1, RECTANGLES).mask
        assert share[~mask].mean() < 0.001
        assert np.count_nonzero(~mask & (share == 0)) > 0.95 * np.count_nonzero(share == 0)


def test_a_faint_precipitate_beside_strong_ones_is_found() -> None:
    mask = segment(component_maps(), 1, RECTANGLES).mask
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    centre = np.hypot(x - CENTRES[2][0], y - CENTRES[2][1]) < 5
    assert mask[centre].mean() > 0.95


def test_the_matrix_of_a_simulated_specimen_is_pure_and_its_purity_is_measured() -> None:
    """From counts to purity, on a specimen with one grain so faint that GrabCut alone loses it."""
    image, specimen = simulate_map(256, 160.0, seed=1, layout=1)
    image = image.between(0.3, 20.0)
    found = decompose([image], 3)
    # the elements that Fp and CaPv lack, Si and Mg, tell which component is theirs
    lacking = {"Fp": 1.740, "CaPv": 1.254}
    masks = {}
    for phase, boxes in loose_rectangles(256, 1).items():
        window = image.axis.span(lacking[phase] - 0.07, lacking[phase] + 0.07)
        component = int(np.argmin(found.spectra[:, window].sum(axis=1)))
        rectangles = [Rectangle(*box) for box in boxes]
        masks[phase] = segment(found.maps[0], component, rectangles).mask
    part = partition(masks, np.zeros((256, 256), dtype=bool))
    assert (specimen.abundance[1:, part.matrix].mean(axis=1) < 0.0005).all()
    pure = specimen.abundance[0] == 1.0
    assert np.count_nonzero(part.matrix & pure) > 0.97 * np.count_nonzero(pure)
    spectra = specimen.spectra[:, specimen.axis.span(0.3, 20.0)]
    purity = matrix_purity(image, part, dict(zip(specimen.phases[1:], spectra[1:], strict=True)))
    truth = (
        specimen.expected_counts(part.matrix)[1:] / specimen.expected_spectrum(part.matrix).sum()
    )
    for (value, sigma), true in zip(purity.values(), truth, strict=True):
        # the masks were drawn on the counts they sum, which makes the measured share read about one
        # sigma low: a bound of three would be missed by chance once in twenty
        assert abs(value - true) < 3.5 * sigma < 0.00117


def test_nothing_is_found_outside_the_rectangles() -> None:
    mask = segment(component_maps(), 1, RECTANGLES[:2]).mask
    inside = np.zeros_like(mask)
    for r in RECTANGLES[:2]:
        inside |= r.mask(SIZE, SIZE)
    assert not mask[~inside].any()
    assert mask[24, 24]
    assert mask[30, 70]


def test_every_seed_that_a_recipe_may_hold_gives_a_mask() -> None:
    for seed in (2**31 - 1, 2**31, 2**32 - 1):
        assert segment(component_maps(), 1, RECTANGLES, seed=seed).mask.any()


def test_the_same_seed_gives_the_same_mask() -> None:
    once, twice = (segment(component_maps(), 1, RECTANGLES, seed=3).mask for _ in range(2))
    np.testing.assert_array_equal(once, twice)


@pytest.mark.parametrize("components", [1, 2, 3, 5])
def test_any_number_of_components_will_do(components: int) -> None:
    maps = component_maps()
    rng = np.random.default_rng(8)
    noise = rng.poisson(3.0, (3, SIZE, SIZE))
    chosen = {1: maps[1:2], 2: maps[[1, 0]], 3: maps[[1, 0, 2]], 5: [*maps[[1, 0]], *noise]}
    mask = segment(np.array(chosen[components]), 0, RECTANGLES).mask
    strong = truth() > 0.3
    assert mask[strong].mean() > 0.95


def test_strokes_have_the_last_word() -> None:
    strokes = (
        Stroke("outside", 2.0, ((20, 24), (28, 24))),
        Stroke("inside", 1.0, ((50, 50), (50, 55))),
    )
    plain = segment(component_maps(), 1, RECTANGLES).mask
    mask = segment(component_maps(), 1, RECTANGLES, strokes).mask
    assert plain[24, 20:29].all()
    assert not mask[22:27, 20:29].any()
    assert not plain[50:56, 49:52].any()
    assert mask[50:56, 49:52].all()
    assert not mask[50:56, 53:].any()


def test_what_is_painted_inside_is_the_mask_where_there_is_no_rectangle() -> None:
    stroke = Stroke("inside", 3.0, ((24, 24), (28, 24)))
    found = segment(component_maps(), 1, (), (stroke,))
    y, x = np.mgrid[:SIZE, :SIZE]
    painted = np.hypot(x - np.clip(x, 24, 28), y - 24) <= 3.0
    np.testing.assert_array_equal(found.mask, painted)
    assert found.pixels_per_rectangle == ()


def test_a_later_stroke_covers_an_earlier_one() -> None:
    strokes = (Stroke("outside", 3.0, ((24, 24),)), Stroke("inside", 0.0, ((24, 24),)))
    mask = segment(component_maps(), 1, RECTANGLES, strokes).mask
    assert mask[24, 24]
    assert not mask[24, 26]


def test_a_rectangle_in_which_nothing_is_found_is_named() -> None:
    barren = Rectangle(44, 2, 14, 12)
    found = segment(component_maps(), 1, (*RECTANGLES, barren))
    assert found.pixels_per_rectangle[-1] < 5
    assert len(found.warnings) == 1
    assert "[44, 2, 14, 12]" in found.warnings[0]
    assert "inside" in found.warnings[0]


def test_the_pixels_of_each_rectangle_are_counted() -> None:
    found = segment(component_maps(), 1, RECTANGLES)
    expected = tuple(int(found.mask[r.mask(SIZE, SIZE)].sum()) for r in RECTANGLES)
    assert found.pixels_per_rectangle == expected
    assert found.warnings == ()


def test_a_rectangle_partly_off_the_map_is_clipped_with_a_warning() -> None:
    maps = np.roll(component_maps(), (-20, -20), axis=(1, 2))
    found = segment(maps, 1, (Rectangle(-8, -9, 25, 25),))
    assert found.mask[:8, :8].mean() > 0.9
    assert any("[-8, -9, 25, 25]" in sentence for sentence in found.warnings)


def test_the_chosen_map_may_be_free_of_noise() -> None:
    share = truth()
    mask = segment(100 * np.array([1 - share, share]), 1, RECTANGLES).mask
    assert mask[share > 0.1].all()
    assert not mask[share == 0].all()


@pytest.mark.parametrize(
    ("rectangles", "message"),
    [
        ((), "no rectangle"),
        ((Rectangle(0, 0, SIZE, SIZE),), "cover the whole map"),
        ((Rectangle(200, 10, 5, 5),), r"\[200, 10, 5, 5\] covers no pixel"),
        ((Rectangle(10, 10, 2, 2),), "fewer than 5 pixels"),
    ],
)
def test_rectangles_that_cannot_be_used_are_refused(
    rectangles: tuple[Rectangle, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        segment(component_maps(), 1, rectangles)


def test_a_flat_map_and_a_missing_component_are_refused() -> None:
    with pytest.raises(ValueError, match="same everywhere"):
        segment(np.ones((3, SIZE, SIZE)), 1, RECTANGLES)
    with pytest.raises(ValueError, match="component 3 does not exist"):
        segment(component_maps(), 3, RECTANGLES)


def test_a_segmentation_can_be_cancelled_between_iterations() -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        segment(component_maps(), 1, RECTANGLES, report=stop)
