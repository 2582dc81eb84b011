"""Frames and detectors of real maps: those chosen are summed, others are refused plainly."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from endmember.files.reading.choice import Choice
from endmember.files.reading.reader import UnreadableFile, open_map

TEN_FRAMES = "emd_velox/fei_emd_files/fei_SI_SuperX-HAADF_10frames_10x50.emd"
FOUR_DETECTORS = "emd_velox/velox_emd_version11/Test SI 16x16 215 kx.emd"
FIFTY_FRAMES = "jeol/JEOL_eds/64.pts"


def total(file: Path, **choice: object) -> int:
    return open_map(file, choice=Choice(**choice)).image.total  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("file", "parts", "whole"),
    [
        (TEN_FRAMES, [(0, 2), (3, 9)], 764005),
        (FIFTY_FRAMES, [(0, 24), (25, 49)], 1436255),
    ],
)
def test_the_parts_of_all_frames_make_the_whole(
    shared: Path, file: str, parts: list[tuple[int, int]], whole: int
) -> None:
    found = [total(shared / "data/real" / file, frames=part) for part in parts]
    assert sum(found) == whole
    assert min(found) > 0


def test_each_detector_has_the_counts_of_its_own_spectrum(shared: Path) -> None:
    file = shared / "data/real" / FOUR_DETECTORS
    # the file also holds the sum spectrum of each: 13945, 6437, 10177, 11538 counts
    found = [total(file, detectors=(number,)) for number in range(4)]
    assert sorted(found) == [6437, 10177, 11538, 13945]
    assert total(file, detectors=(0, 2)) == found[0] + found[2]
    assert total(file, detectors=(0, 1, 2, 3)) == 42097
    both = [total(file, detectors=(1,), frames=(n, n)) for n in range(2)]
    assert sum(both) == found[1]


@pytest.mark.parametrize(
    ("file", "choice", "says"),
    [
        (TEN_FRAMES, {"frames": (5, 10)}, "frames 5 to 10, only 0 to 9"),
        (FIFTY_FRAMES, {"frames": (49, 50)}, "frames 49 to 50"),
        (FIFTY_FRAMES, {"detectors": (0,)}, "does not keep detectors apart"),
        (FOUR_DETECTORS, {"detectors": (1, 4)}, "has no detector 4, only 0 to 3"),
        (TEN_FRAMES, {"detectors": (0,)}, "counts of all detectors together"),
        ("bcf/test_TEM.bcf", {"frames": (0, 1)}, "does not keep frames apart"),
        ("hspy/bare_core.hspy", {"detectors": (0,)}, "does not keep detectors apart"),
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(
    shared: Path, file: str, choice: dict[str, object], says: str
) -> None:
    path = shared / "data/real" / file
    with pytest.raises(UnreadableFile) as refused:
        open_map(path, choice=Choice(**choice))  # type: ignore[arg-type]
    assert says in str(refused.value)
    assert str(refused.value).startswith(f"{path}: ")


def test_a_map_without_frames_is_refused_without_real_files(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.ones((3, 4, 120), np.uint8))
    with pytest.raises(UnreadableFile, match="choose the dataset"):
        open_map(tmp_path / "m.npy", choice=Choice(frames=(0, 1)))
    with h5py.File(tmp_path / "m.hspy", "w") as file:
        file["x"] = 1
    with pytest.raises(UnreadableFile, match="does not keep frames apart"):
        open_map(tmp_path / "m.hspy", choice=Choice(frames=(0, 1)))
