"""Arrays of files that do not say what they are: chosen, read, replayed, or refused."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from endmember.core.counts.spectrum import EnergyAxis
from endmember.files.reading.choice import Choice
from endmember.files.reading.datasets import likely_axes, list_datasets
from endmember.files.reading.reader import UnreadableFile, describe, open_map
from endmember.files.reading.tiff_lzw import decode
from endmember.session.decisions.recipe_file import RecipeError, parse_recipe
from line_spectra import expected_counts

ROWS, COLUMNS = 7, 12
AXIS = EnergyAxis(0.1, 0.02, 480)
Cube = npt.NDArray[np.uint16]


@pytest.fixture(scope="module")
def cube() -> Cube:
    """Counts (rows, columns, channels), no two axes alike."""
    mean = expected_counts(AXIS, {"O": 40.0, "Si": 60.0, "Fe": 20.0}, 2.0)
    weight = np.ones((ROWS, COLUMNS, 1))
    weight[2:5, 3:9] = 3.0
    counts: Cube = np.random.default_rng(5).poisson(weight * mean).astype(np.uint16)
    return counts


def write_npy(path: Path, array: Cube) -> Path:
    np.save(path / "m.npy", array)
    return path / "m.npy"


def write_npz(path: Path, array: Cube) -> Path:
    np.savez_compressed(path / "m.npz", picture=array[..., 0], counts=array)
    return path / "m.npz"


def write_hdf5(path: Path, array: Cube) -> Path:
    with h5py.File(path / "m.h5", "w") as file:
        file.create_dataset("data/counts", data=array, chunks=True, compression="gzip")
        file["note"] = "a text"
    return path / "m.h5"


def write_tiff(path: Path, array: Cube) -> Path:
    tifffile.imwrite(path / "m.tif", array)
    return path / "m.tif"


KINDS = [
    (write_npy, "array"),
    (write_npz, "counts"),
    (write_hdf5, "/data/counts"),
    (write_hdf5, "data/counts"),
    (write_tiff, "series 0"),
]


@pytest.mark.parametrize(("write", "name"), KINDS)
@pytest.mark.parametrize("axes", ["yxE", "Eyx", "xEy"])
def test_every_kind_is_read_with_its_axes_in_any_order(
    tmp_path: Path, cube: Cube, write, name: str, axes: str
) -> None:
    file = write(tmp_path, np.ascontiguousarray(np.transpose(cube, ["yxE".index(a) for a in axes])))
    image = open_map(file, choice=Choice(name, axes, 0.1, 0.02)).image
    assert image.shape == cube.shape
    assert (image.axis.start_keV, image.axis.step_keV) == (0.1, 0.02)
    np.testing.assert_array_equal(image.count_map(), cube.sum(axis=2))
    np.testing.assert_array_equal(image.spectrum().counts, cube.sum(axis=(0, 1)))


def test_further_axes_are_summed_without_wrapping(tmp_path: Path, cube: Cube) -> None:
    frames = np.stack([cube.astype(np.uint8), np.full(cube.shape, 255, np.uint8)])
    file = write_npy(tmp_path, frames)
    image = open_map(file, choice=Choice(None, "syxE", 0.0, 0.01)).image
    assert image.total == int(cube.sum()) + 255 * cube.size


@pytest.mark.parametrize(("write", "name"), KINDS[:3])
def test_info_lists_the_datasets_and_says_which_keys_to_write(
    tmp_path: Path, cube: Cube, write, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(_: object) -> None:
        raise AssertionError("the file was opened in this process, which it may end")

    monkeypatch.setattr("endmember.files.reading.datasets._arrays", here)
    found = describe(write(tmp_path, cube))
    said = next(s for s in found.signals if s["title"] == name)
    assert said["shape"] == list(cube.shape)
    assert said["kind"] == "dataset"
    assert found.map is None
    (hint,) = found.warnings
    for key in (f'dataset = "{name}"', 'axes = "yxE"', "energy_start_keV", "energy_step_keV"):
        assert key in hint
    assert json.dumps(found.to_json())


def test_the_energy_axis_is_likely_the_longest() -> None:
    assert likely_axes((2048, 64, 32)) == "Eyx"
    assert likely_axes((64, 32, 2048)) == "yxE"
    assert likely_axes((10, 64, 32, 2048)) == "syxE"
    assert likely_axes((64, 64, 64)) == "yxE"


def test_data_in_other_files_and_texts_are_not_offered(tmp_path: Path, cube: Cube) -> None:
    inner = write_hdf5(tmp_path, cube)
    with h5py.File(tmp_path / "outer.h5", "w") as file:
        file["link"] = h5py.ExternalLink(inner.name, "/data/counts")
        layout = h5py.VirtualLayout(cube.shape, cube.dtype)
        layout[:] = h5py.VirtualSource(inner.name, "/data/counts", cube.shape)
        file.create_virtual_dataset("virtual", layout)
        file["own"] = cube
        file["text"] = "some"
    found = {d.name: d.why_not for d in list_datasets(tmp_path / "outer.h5")}
    assert set(found) == {"/own", "/text"}
    assert found["/own"] == ""
    assert "no plain numbers" in found["/text"]


# --- refused -------------------------------------------------------------------------------------


def refusal(file: Path, *choice: object) -> str:
    with pytest.raises(UnreadableFile) as refused:
        open_map(file, choice=Choice(*choice))  # type: ignore[arg-type]
    said = str(refused.value)
    assert said.startswith(f"{file}: ")
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.full((3, 4, 120), 0.5), "not whole numbers"),
        (np.full((3, 4, 120), -1, np.int32), "negative"),
        (np.full((3, 4, 120), np.nan), "not numbers"),
        (np.full((3, 4, 120), 1e30), "too large"),
        (np.full((3, 4, 120), 2**63, np.uint64), "too large"),
        (np.zeros((3, 4, 120), np.uint8), "is zero"),
        (np.zeros((3, 4, 120), np.complex64), "no plain numbers"),
        (np.zeros((0, 4, 120), np.uint8), "is empty"),
        (np.zeros((30, 120), np.uint8), "has 2 axes"),
    ],
)
def test_values_that_are_no_counts_are_refused_in_one_sentence(
    tmp_path: Path, array: npt.NDArray[np.generic], says: str
) -> None:
    np.save(tmp_path / "m.npy", array)
    assert says in refusal(tmp_path / "m.npy", None, "yxE", 0.0, 0.01) + refusal(
        tmp_path / "m.npy", "array", "yxE", 0.0, 0.01
    )


def test_wrong_axes_and_names_are_refused(tmp_path: Path, cube: Cube) -> None:
    file = write_npz(tmp_path, cube)
    assert "has 3 (7 x 12 x 480)" in refusal(file, "counts", "syxE", 0.0, 0.01)
    assert 'no dataset "count" in it; it holds picture, counts' in refusal(
        file, "count", "yxE", 0.0, 0.01
    )
    assert "go together" in refusal(file, "counts", "yxE", 0.0)
    assert "choose the dataset" in refusal(file)


def test_a_file_of_another_kind_has_no_datasets(tmp_path: Path) -> None:
    file = tmp_path / "m.hspy"
    file.write_bytes(b"something")
    assert "HDF5, TIFF and NumPy files only" in refusal(file, "x", "yxE", 0.0, 0.01)


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("evil-was-here"),))


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_a_pickle_is_refused_and_not_executed(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    array = np.array([[[Evil()]]], dtype=object)
    file = tmp_path / f"m.{kind}"
    if kind == "npy":
        np.save(file, array, allow_pickle=True)
    else:
        np.savez(file, a=array)
    refusal(file)
    refusal(file, None, "yxE", 0.0, 0.01)
    refusal(file, "a", "yxE", 0.0, 0.01)
    assert not (tmp_path / "evil-was-here").exists()


def test_a_header_that_asks_for_a_terabyte_is_refused(tmp_path: Path, cube: Cube) -> None:
    header = np.lib.format.header_data_from_array_1_0(cube)
    header["shape"] = (10_000, 10_000, 10_000)
    with (tmp_path / "big.npy").open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(b"\0" * 1000)
    refusal(tmp_path / "big.npy", None, "yxE", 0.0, 0.01)
    with zipfile.ZipFile(tmp_path / "big.npz", "w") as archive:
        archive.write(tmp_path / "big.npy", "a.npy")
    assert "announces" in refusal(tmp_path / "big.npz", "a", "yxE", 0.0, 0.01)
    with h5py.File(tmp_path / "big.h5", "w") as file:
        file.create_dataset("a", (100, 100_000, 100_000), np.uint16, chunks=(1, 10, 100))
        file.create_dataset("b", (1_000_000, 1000, 1000), np.uint16, chunks=(1, 10, 100))
    assert "rows of" in refusal(tmp_path / "big.h5", "a", "yxE", 0.0, 0.01)
    assert "announces 2e+03 GB" in refusal(tmp_path / "big.h5", "b", "yxE", 0.0, 0.01)


def test_a_cut_file_is_refused(tmp_path: Path, cube: Cube) -> None:
    for write, name in (KINDS[0], KINDS[1], KINDS[2], KINDS[4]):
        file = write(tmp_path, cube)
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        refusal(file, name, "yxE", 0.0, 0.01)


@pytest.mark.parametrize("seed", range(4))
def test_lzw_is_decoded_as_pillow_has_compressed_it(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    smooth = np.add.outer(np.arange(220), np.arange(310)) // (seed + 1)
    picture = (rng.poisson(seed, smooth.shape) + smooth).astype(np.uint8)
    file = tmp_path / "picture.tif"
    Image.fromarray(picture).save(file, compression="tiff_lzw")
    with tifffile.TiffFile(file) as written:
        assert written.pages[0].compression == 5
        page = written.pages[0]
        strips = []
        for offset, size in zip(page.dataoffsets, page.databytecounts, strict=True):
            written.filehandle.seek(offset)
            strips.append(decode(written.filehandle.read(size)))
    np.testing.assert_array_equal(
        np.frombuffer(b"".join(strips), np.uint8).reshape(picture.shape), picture
    )
    with pytest.raises(ValueError, match="damaged"):
        decode(bytes([0x80, 0x0B, 0xFF, 0xFF, 0xFF]))


# --- recipes -------------------------------------------------------------------------------------

RECIPE = """
format = "endmember-recipe-1"

[[map]]
file = "m.h5"
name = "m"
dataset = "/data/counts"
axes = "yxE"
energy_start_keV = 0.1
energy_step_keV = 0.02
pixel_size_nm = 5

[instrument]
beam_energy_keV = 200
energy_range_keV = [0.3, 9.0]

[decomposition]
components = 2

[sample]
matrix = "A"
elements = ["O", "Si", "Fe"]
"""


def test_a_recipe_that_names_a_dataset_is_run(tmp_path: Path, cube: Cube) -> None:
    write_hdf5(tmp_path, cube)
    (tmp_path / "m.toml").write_text(RECIPE)
    done = subprocess.run(
        [sys.executable, "-m", "endmember", "run", "m.toml", "--out", "out"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out/composition.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert {row["element"] for row in rows} == {"O", "Si", "Fe"}
    net = {row["element"]: float(row["net_counts"]) for row in rows}
    weight = ROWS * COLUMNS + 2 * 3 * 6  # of all pixels, those of the grain counted three times
    for element, area in {"O": 40.0, "Si": 60.0, "Fe": 20.0}.items():
        assert net[element] == pytest.approx(weight * area, rel=0.1)
    with tifffile.TiffFile(tmp_path / "out/masks/m_matrix.tif") as mask:
        numerator, denominator = mask.pages[0].tags["XResolution"].value
        assert mask.imagej_metadata["unit"] == "nm"
    assert numerator / denominator == pytest.approx(1 / 5)  # pixels of 5 nm
    again = parse_recipe((tmp_path / "out/recipe.toml").read_text(), "again")
    assert again.maps[0].choice == parse_recipe(RECIPE, "first").maps[0].choice


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('axes = "yxE"', 'axes = "yxe"', "a letter for each axis"),
        ('axes = "yxE"', 'axes = "yxEE"', "once each"),
        ('axes = "yxE"\n', "", "needs axes as well"),
        ("energy_step_keV = 0.02", "energy_step_keV = 0", "above 0"),
        ("energy_start_keV = 0.1\n", "", "needs energy_start_keV as well"),
        ("pixel_size_nm = 5", "pixel_size_nm = -5", "above 0"),
        ("pixel_size_nm = 5", "frames = [5, 2]", "[first, last]"),
        ("pixel_size_nm = 5", "frames = [1, 2, 3]", "two whole numbers [first, last]"),
        ("pixel_size_nm = 5", "detectors = []", "each detector once"),
        ("pixel_size_nm = 5", "detectors = [1, 1]", "each detector once"),
        ("pixel_size_nm = 5", "energy_offset_keV = -30", "write keV"),
        ("pixel_size_nm = 5", "energy_gain = 1002", "a factor near 1"),
    ],
)
def test_wrong_keys_are_refused_by_name(old: str, new: str, says: str) -> None:
    assert old in RECIPE
    with pytest.raises(RecipeError) as refused:
        parse_recipe(RECIPE.replace(old, new), "m.toml")
    assert says in str(refused.value)
    assert "map[0]" in str(refused.value)
