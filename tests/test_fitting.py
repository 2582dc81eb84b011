"""A result is drawn only on the map that it was made from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.session.decisions.recipe import Box, MapInput, changed
from endmember.session.state.session import Session, run_all
from endmember.session.steps.chain import Decomposed
from endmember.session.steps.map_data import MapData
from endmember.session.steps.map_reading import fitting
from mask_stage import NAME, UP_TO_MASKS, Phantom


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return Phantom()


def other_readings(data: MapData) -> dict[str, MapData]:
    """The map as it is after one thing that decides its pixels or energies was changed."""
    return {
        "file": replace(data, sha256="1" * 64),
        "signal": replace(data, entry=changed(data.entry, signal=1)),
        "crop": replace(data, entry=changed(data.entry, crop=(1, 0, 96, 96))),
        "rebin": replace(data, entry=changed(data.entry, rebin=2)),
        "energies": replace(data, image=data.image.between(0.3, 19.0)),
    }


def test_components_fit_the_map_they_were_found_in_and_no_other_reading(phantom: Phantom) -> None:
    data, found = phantom.data, phantom.decomposed
    assert found.fits(data)
    assert [what for what, other in other_readings(data).items() if found.fits(other)] == []
    assert not found.fits(replace(data, entry=changed(data.entry, name="other")))
    assert fitting(found, data) is found
    assert fitting(found, None) is None
    assert fitting(None, data) is None


def test_what_decides_no_pixel_leaves_the_components_fitting(phantom: Phantom) -> None:
    data = phantom.data
    entry = changed(data.entry, file="elsewhere/phantom.hspy", thickness_nm=80.0)
    again = replace(data, entry=entry, image=replace(data.image, beam_energy_keV=300.0))
    assert phantom.decomposed.fits(again)


def test_each_map_of_a_joint_decomposition_is_known_by_its_own_reading(phantom: Phantom) -> None:
    one = phantom.data
    two = replace(one, entry=changed(one.entry, name="two", crop=(5, 5, 96, 96)))
    joint = Decomposed((NAME, "two"), (one.reading, two.reading), phantom.decomposed.found)
    assert joint.fits(one)
    assert joint.fits(two)
    assert not joint.fits(replace(two, entry=changed(one.entry, name="two")))


def test_masks_know_the_map_that_they_were_cut_on(phantom: Phantom) -> None:
    session = Session(UP_TO_MASKS, phantom.with_fp(0))
    session.accept(session.key("read", NAME), phantom.data)
    session.accept(session.key("scree", NAME), "not looked at")
    session.accept(session.key("decomposition", NAME), phantom.decomposed)
    run_all(session, go_on=True)  # the energies of a phantom are not checked
    masks = session.result("masks", NAME)
    assert masks.fits(phantom.data)
    assert not any(masks.fits(other) for other in other_readings(phantom.data).values())


@pytest.mark.parametrize(
    ("crop", "rebin"), [(None, 1), ((3, 5, 20, 12), 1), (None, 4), ((3, 5, 20, 12), 2)]
)
def test_a_point_of_the_uncropped_map_is_in_the_pixel_that_covers_it(
    crop: Box | None, rebin: int
) -> None:
    _, _, width, height = crop or (0, 0, 30, 24)
    shape = height // rebin, width // rebin
    image = SpectrumImage.from_array(np.ones((*shape, 3), dtype=int), EnergyAxis(0, 1, 3))
    entry = MapInput(file="f", name="m", crop=crop, rebin=rebin)
    data = MapData(entry, image, (24, 30), "", ())
    covered = data.on_full_map(np.arange(shape[0] * shape[1]).reshape(shape), -1)
    for (y, x), number in np.ndenumerate(covered):
        expected = None if number < 0 else divmod(int(number), shape[1])
        assert data.pixel_at(x, y) == data.pixel_at(x + 0.99, y + 0.99) == expected
    assert data.pixel_at(-0.01, 6.0) is None
    assert data.pixel_at(6.0, 24.0) is None
