import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from endmember.core.masks.mask_algebra import partition

SHAPE = (5, 6)
masks = st.lists(arrays(np.bool_, SHAPE), max_size=4)


@given(masks, arrays(np.bool_, SHAPE))
def test_the_sets_partition_the_map(drawn: list[np.ndarray], excluded: np.ndarray) -> None:
    named = {f"P{number}": mask for number, mask in enumerate(drawn)}
    part = partition(named, excluded)
    sets = [part.matrix, part.overlap, part.excluded, *part.mixtures.values()]
    assert (np.sum(sets, axis=0) == 1).all()


@given(masks, arrays(np.bool_, SHAPE))
def test_each_pixel_is_where_counting_its_masks_puts_it(
    drawn: list[np.ndarray], excluded: np.ndarray
) -> None:
    named = {f"P{number}": mask for number, mask in enumerate(drawn)}
    part = partition(named, excluded)
    for pixel in np.ndindex(*SHAPE):
        holders = [] if excluded[pixel] else [n for n, mask in named.items() if mask[pixel]]
        assert part.excluded[pixel] == excluded[pixel]
        assert part.matrix[pixel] == (not holders and not excluded[pixel])
        assert part.overlap[pixel] == (len(holders) > 1)
        assert [n for n, mask in part.components.items() if mask[pixel]] == holders
        assert [n for n, mask in part.mixtures.items() if mask[pixel]] == (
            holders if len(holders) == 1 else []
        )


def test_a_mask_of_another_shape_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="mask of Fp"):
        partition({"Fp": np.zeros((2, 2), bool)}, np.zeros(SHAPE, bool))


def test_a_partition_cannot_be_written_to() -> None:
    part = partition({"Fp": np.ones(SHAPE, bool)}, np.zeros(SHAPE, bool))
    with pytest.raises(ValueError, match="read-only"):
        part.matrix[0, 0] = True
