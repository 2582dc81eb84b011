"""Files that ask for far more than they hold, and files whose name lies."""

from __future__ import annotations

import bz2
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.core.simulation.simulated_map import simulate_map
from endmember.files.pictures.exporting import write_map_hspy, write_spectrum_msa
from endmember.files.reading import watch as reading_watch
from endmember.files.reading.reader import (
    UnreadableFile,
    describe,
    open_map,
    open_spectrum,
    read_map,
)

GB = 1_000_000_000


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(reading_watch.MEMORY_VARIABLE, "2000")
    monkeypatch.setenv(reading_watch.SILENCE_VARIABLE, "20")


@pytest.fixture
def small_map(tmp_path: Path) -> Path:
    path = tmp_path / "map.hspy"
    write_map_hspy(path, simulate_map(size=16)[0], "a test")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableFile) as refused:
        open_map(path)
    sentence = str(refused.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


def test_an_empty_data_set_of_a_terabyte_is_refused(small_map: Path) -> None:
    with h5py.File(small_map, "r+") as file:
        signal = file["Experiments"]["a test"]
        facts = dict(signal["data"].attrs)
        del signal["data"]
        shape = (20_000, 20_000, 2048)
        huge = signal.create_dataset("data", shape, "u1", chunks=(1, 64, 2048), compression="gzip")
        huge.attrs.update(facts)
        for axis, size in zip(("axis-0", "axis-1", "axis-2"), shape, strict=True):
            signal[axis].attrs["size"] = size
    assert "announces 819 GB of data" in refusal(small_map)


def test_a_ripple_header_of_a_terabyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.rpl"
    facts = {"width": 10**4, "height": 10**4, "depth": 10**4, "offset": 0, "data-length": 2}
    kinds = {"data-type": "unsigned", "byte-order": "little-endian", "record-by": "vector"}
    lines = [f"{key}\t{value}" for key, value in (facts | kinds).items()]
    path.write_text("key\tvalue\n" + "\n".join(lines) + "\n", encoding="ascii")
    path.with_suffix(".raw").write_bytes(bytes(1000))
    refusal(path)


def test_a_spectrum_that_announces_a_billion_points_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "spectrum.msa"
    whole = Spectrum(np.arange(600.0), EnergyAxis(0.3, 0.01, 600), 200.0, 22.0)
    write_spectrum_msa(path, whole, "Brg")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("600", str(10**12), 1), encoding="utf-8")
    with pytest.raises(UnreadableFile, match="announces 1000000000000 points and holds 600"):
        open_spectrum(path)


@pytest.mark.parametrize(("suffix", "inside"), [(".prz", "meta_data.npy"), (".zspy", ".zgroup")])
def test_a_zip_that_unpacks_to_gigabytes_is_refused(
    tmp_path: Path, suffix: str, inside: str
) -> None:
    path = tmp_path / f"map{suffix}"
    once = tmp_path / "once.zip"
    # the directory of the archive is written to announce what nobody packs here
    with zipfile.ZipFile(once, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(inside, b"{}")
        archive.writestr("data.npy", bytes(100_000))
    packed = once.read_bytes()
    size = (100_000).to_bytes(4, "little")
    assert packed.count(size) >= 2  # beside the data, and in the directory
    path.write_bytes(packed.replace(size, (4_200_000_000).to_bytes(4, "little")))
    assert "announces 4.2 GB" in refusal(path)


def test_a_packed_stream_that_does_not_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.elid"
    path.write_bytes(bz2.compress(b"EID2" + bytes(20_000_000)))
    refusal(path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "cut short" in refusal(path)


@pytest.mark.parametrize("suffix", [".h5", ".dat", ".emd", ".img", ".raw", ".xml", ""])
def test_a_map_is_read_right_under_any_name(small_map: Path, suffix: str) -> None:
    whole = read_map(small_map)
    other = small_map.with_name(f"other{suffix}")
    small_map.rename(other)
    found = open_map(other)
    np.testing.assert_array_equal(found.image.counts, whole.counts)
    assert any("read as such" in sentence for sentence in found.warnings)


@pytest.mark.parametrize(
    ("name", "suffix", "total"),
    [
        ("bcf/test_TEM.bcf", ".dat", 26005),
        ("bcf/test_TEM.bcf", ".h5", 26005),
        ("jeol/JEOL_eds/64.pts", ".img", 1436255),
        ("emd_velox/velox_emd_version11/Test SI 16x16 215 kx.emd", ".h5", 42097),
        ("edax_crop/spd_crop.spd", ".raw", 411239),
    ],
)
def test_a_real_map_is_read_right_under_any_name(
    shared: Path, tmp_path: Path, name: str, suffix: str, total: int
) -> None:
    path = tmp_path / f"other{suffix}"
    shutil.copyfile(shared / "data" / "real" / name, path)
    assert read_map(path).total == total


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("msa/K309.msa", 3318507),
        ("spx/bruker_nano.spx", 76293),
        ("dm/test-EDS_spectrum.dm3", 17051),
    ],
)
def test_a_real_spectrum_is_read_right_under_another_name(
    shared: Path, tmp_path: Path, name: str, total: int
) -> None:
    path = tmp_path / "other.txt"
    shutil.copyfile(shared / "data" / "real" / name, path)
    assert open_spectrum(path).spectrum.counts.sum() == total


def test_a_picture_under_the_name_of_a_map_is_called_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "map.bcf"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert "this is a picture" in refusal(path)


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (bytes(500), "nothing but zeros")]
)
@pytest.mark.parametrize("suffix", [".hspy", ".bcf", ".pts", ".msa", ".spc"])
def test_a_file_without_content_is_called_so(
    tmp_path: Path, suffix: str, content: bytes, says: str
) -> None:
    path = tmp_path / f"map{suffix}"
    path.write_bytes(content)
    assert says in refusal(path)


def test_a_companion_names_the_file_it_belongs_to(tmp_path: Path) -> None:
    (tmp_path / "map.rpl").write_text("key\tvalue\n", encoding="ascii")
    path = tmp_path / "map.raw"
    path.write_bytes(b"12345678")
    assert "belongs to map.rpl: open that one" in refusal(path)


@pytest.mark.parametrize(
    ("units", "scale", "says"),
    [("nm", 1.2e-10, "metres called nm"), ("pix", 1.0, "pixel size is unknown")],
)
def test_a_doubtful_pixel_size_is_unknown_and_told(
    small_map: Path, units: str, scale: float, says: str
) -> None:
    with h5py.File(small_map, "r+") as file:
        signal = file["Experiments"]["a test"]
        for axis in ("axis-0", "axis-1"):
            signal[axis].attrs["units"], signal[axis].attrs["scale"] = units, scale
    found = describe(small_map).to_json()["map"]
    assert found["pixel_size_nm"] is None
    assert any(says in sentence for sentence in found["warnings"])


def test_a_beam_energy_in_volts_is_told_and_not_taken(small_map: Path) -> None:
    with h5py.File(small_map, "r+") as file:
        signal = file["Experiments"]["a test"]
        signal["metadata/Acquisition_instrument/TEM"].attrs["beam_energy"] = 200_000.0
    found = describe(small_map).to_json()["map"]
    assert found["beam_energy_keV"] is None
    assert any("volts called keV" in sentence for sentence in found["warnings"])
