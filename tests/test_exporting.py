"""What is written can be read again, by others too, and is complete or absent."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.files.disk.folders import complete_file, complete_folder, write_json
from endmember.files.pictures import exporting
from endmember.files.reading.reader import describe, read_map, read_spectrum

AXIS = EnergyAxis(-0.2, 0.01, 300)


@pytest.fixture
def cube(rng: np.random.Generator) -> np.ndarray:
    counts = rng.poisson(0.05, (13, 9, AXIS.channels))
    counts[12, 8, 299] = 70_000  # more than 16 bits, in the very last channel
    return counts


@pytest.fixture
def image(cube: np.ndarray) -> SpectrumImage:
    return replace(
        SpectrumImage.from_array(cube, AXIS),
        pixel_size_nm=1.7,
        beam_energy_keV=200.0,
        take_off_angle_deg=22.0,
        live_time_s=61.5,
        elements=("O", "Mg", "U"),
    )


def test_a_map_written_is_the_map_read(tmp_path: Path, image: SpectrumImage) -> None:
    path = tmp_path / "map.hspy"
    exporting.write_map_hspy(path, image, "a map")
    found = read_map(path)
    for name in ("starts", "channels", "counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(image, name))
    facts = ("pixel_size_nm", "beam_energy_keV", "live_time_s", "elements", "axis", "shape")
    assert {f: getattr(found, f) for f in facts} == {f: getattr(image, f) for f in facts}
    assert found.take_off_angle_deg == pytest.approx(22.0)


def test_a_map_of_many_chunks_is_written_whole(
    tmp_path: Path, cube: np.ndarray, image: SpectrumImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "CHUNK_BYTES", 5 * 9 * 300 * 4)  # five rows, thirteen in all
    path = tmp_path / "map.hspy"
    exporting.write_map_hspy(path, image, "chunks")
    with h5py.File(path) as file:
        data = file["Experiments/chunks/data"]
        assert data.chunks == (5, 9, 300)
        assert data.compression == "gzip"
        np.testing.assert_array_equal(data[()], cube)


def test_unknown_facts_stay_unknown_in_a_written_map(tmp_path: Path, cube: np.ndarray) -> None:
    path = tmp_path / "map.hspy"
    exporting.write_map_hspy(path, SpectrumImage.from_array(cube, AXIS), "bare")
    found = read_map(path)
    assert found.pixel_size_nm is None
    assert found.beam_energy_keV is None
    assert found.take_off_angle_deg is None
    assert found.live_time_s is None


@pytest.fixture
def imaged(image: SpectrumImage, rng: np.random.Generator) -> SpectrumImage:
    """The map with companion images of several types, one called like the map."""
    companions = {
        "HAADF": rng.integers(0, 65536, (13, 9)).astype(np.uint16),
        "BF": rng.normal(size=(13, 9)).astype(np.float32),
        "a map": rng.integers(0, 9, (9, 13)).astype(np.int32).T,
        "DF/2": rng.integers(0, 9, (13, 9)).astype(np.uint8),
    }
    return replace(image, images=companions)


def test_companion_images_are_read_back_with_the_map(tmp_path: Path, imaged: SpectrumImage) -> None:
    path = tmp_path / "map.hspy"
    exporting.write_map_hspy(path, imaged, "a map")
    found = read_map(path)
    np.testing.assert_array_equal(found.counts, imaged.counts)
    assert set(found.images) == set(imaged.images)
    for name, pixels in imaged.images.items():
        np.testing.assert_array_equal(found.images[name], pixels)
        assert found.images[name].dtype == pixels.dtype
    assert [p.name for p in tmp_path.iterdir()] == ["map.hspy"]


def test_every_image_is_a_calibrated_signal_of_its_own(
    tmp_path: Path, imaged: SpectrumImage
) -> None:
    from rsciio.hspy import file_reader

    path = tmp_path / "map.hspy"
    exporting.write_map_hspy(path, imaged, "a map")
    signals = {len(s["axes"]): [] for s in file_reader(str(path))}
    for signal in file_reader(str(path)):
        signals[len(signal["axes"])].append(signal)
    assert len(signals[3]) == 1
    titles = [s["metadata"]["General"]["title"] for s in signals[2]]
    assert sorted(titles) == ["BF", "DF/2", "HAADF", "a map"]
    for signal in signals[2]:
        for axis, name, size in zip(signal["axes"], "yx", (13, 9), strict=True):
            assert (axis["name"], axis["size"], axis["units"]) == (name, size, "nm")
            assert axis["scale"] == pytest.approx(1.7)
            assert not axis["navigate"]


def test_a_described_file_lists_the_images_and_takes_the_map(
    tmp_path: Path, imaged: SpectrumImage
) -> None:
    path = tmp_path / "map.hspy"
    exporting.write_map_hspy(path, imaged, "a map")
    found = describe(path).to_json()
    assert sorted(s["kind"] for s in found["signals"]) == ["image"] * 4 + ["map"]
    assert found["map"]["shape"] == [13, 9, 300]
    assert sorted(found["map"]["images"]) == ["BF", "DF/2", "HAADF", "a map"]
    assert found["warnings"] == []
    # the axis ends at 2.8 keV, below U M alpha
    assert [told.partition(" ")[0] for told in found["map"]["warnings"]] == ["U"]


@pytest.mark.parametrize("kind", ["hspy", "msa", "csv", "mask", "map"])
def test_the_same_input_gives_the_same_bytes(
    tmp_path: Path, image: SpectrumImage, imaged: SpectrumImage, kind: str
) -> None:
    written = []
    for name in ("first", "second"):
        path = tmp_path / name
        if kind == "hspy":
            exporting.write_map_hspy(path, imaged, "t")
        elif kind == "msa":
            exporting.write_spectrum_msa(path, image.spectrum(), "t")
        elif kind == "csv":
            exporting.write_spectrum_csv(path, image.spectrum())
        elif kind == "mask":
            exporting.write_mask_tiff(path, image.count_map() > 15, 1.7)
        else:
            exporting.write_map_tiff(path, image.count_map(), 1.7)
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_a_spectrum_written_as_msa_is_the_spectrum_read(
    tmp_path: Path, image: SpectrumImage
) -> None:
    signed = image.spectrum().counts - 20.25  # subtracted spectra have negative channels
    path = tmp_path / "spectrum.msa"
    exporting.write_spectrum_msa(path, replace(image.spectrum(), counts=signed), "Fp")
    found = read_spectrum(path)
    np.testing.assert_allclose(found.counts, signed, atol=1e-6)
    assert found.axis == AXIS
    assert (found.beam_energy_keV, found.live_time_s) == (200.0, 61.5)
    assert found.take_off_angle_deg == pytest.approx(22.0)


def test_the_csv_has_its_columns_and_empty_cells(tmp_path: Path) -> None:
    spectrum = Spectrum(np.array([1234567.25, -0.5, 3.0]), EnergyAxis(0.1, 0.01, 3))
    path = tmp_path / "spectrum.csv"
    fit = np.array([np.nan, 1 / 3, 2.0])
    exporting.write_spectrum_csv(path, spectrum, np.array([1.0, 2.0, 3.0]), fit)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = ["energy_keV", "counts", "standard_deviation", "fit", "background"]
    assert list(rows[0]) == names
    assert [float(row["energy_keV"]) for row in rows] == pytest.approx([0.1, 0.11, 0.12])
    assert float(rows[0]["counts"]) == 1234567.25
    assert [row["fit"] for row in rows] == ["", "0.333333333", "2"]
    assert {row["background"] for row in rows} == {""}


def test_a_csv_column_of_wrong_length_is_refused(tmp_path: Path) -> None:
    spectrum = Spectrum(np.ones(3), EnergyAxis(0.1, 0.01, 3))
    with pytest.raises(ValueError, match="background"):
        exporting.write_spectrum_csv(tmp_path / "s.csv", spectrum, background=np.ones(4))


def test_a_mask_is_0_and_255_with_a_scale_in_nm(tmp_path: Path) -> None:
    mask = np.array([[True, False, False], [False, True, True]])
    path = tmp_path / "mask.tif"
    exporting.write_mask_tiff(path, mask, 2.5)
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[0]
        stored = page.asarray()
        across, per = page.tags["XResolution"].value
        assert tiff.imagej_metadata is not None
        assert tiff.imagej_metadata["unit"] == "nm"
    assert stored.dtype == np.uint8
    np.testing.assert_array_equal(stored, [[255, 0, 0], [0, 255, 255]])
    assert across / per == pytest.approx(0.4)  # pixels per nm


def test_a_map_tiff_keeps_its_values(tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.normal(size=(5, 7))
    path = tmp_path / "map.tif"
    exporting.write_map_tiff(path, values, None)
    stored = tifffile.imread(path)
    assert stored.dtype == np.float32
    np.testing.assert_array_equal(stored, values.astype(np.float32))


def test_a_folder_appears_only_when_complete(tmp_path: Path) -> None:
    target = tmp_path / "new" / "results"
    with complete_folder(target) as part:
        (part / "run.json").write_text("{}")
        assert not target.exists()
    assert (target / "run.json").read_text() == "{}"
    assert [p.name for p in target.parent.iterdir()] == ["results"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failed_run_leaves_nothing_behind(tmp_path: Path, failure: type[BaseException]) -> None:
    def fail() -> None:
        with complete_folder(tmp_path / "new" / "deep" / "results") as part:
            (part / "half").write_text("half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert list(tmp_path.iterdir()) == []


def _result(folder: Path) -> Path:
    folder.mkdir()
    (folder / "run.json").write_text("old")
    return folder


def test_an_earlier_result_is_replaced_only_with_force(tmp_path: Path) -> None:
    target = _result(tmp_path / "results")
    with pytest.raises(ValueError, match="exists already"), complete_folder(target):
        pytest.fail("the work must not begin")
    with complete_folder(target, force=True) as part:
        (part / "run.json").write_text("new")
    assert (target / "run.json").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["results"]


def test_a_failed_replacement_leaves_the_earlier_result(tmp_path: Path) -> None:
    target = _result(tmp_path / "results")
    with pytest.raises(ZeroDivisionError), complete_folder(target, force=True):
        _ = 1 / 0
    assert (target / "run.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["results"]


def test_a_folder_that_no_run_wrote_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("cat")
    with (
        pytest.raises(ValueError, match="no run wrote"),
        complete_folder(tmp_path / "photos", force=True),
    ):
        pytest.fail("the work must not begin")
    assert (tmp_path / "photos" / "cat.jpg").exists()


def test_a_failed_file_leaves_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail() -> None:
        with complete_file(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("table.csv", "old")]


def test_a_mistyped_folder_is_not_made(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"table\.csv: its folder does not exist: make it first"),
        complete_file(tmp_path / "resluts" / "table.csv"),
    ):
        pytest.fail("the work must not begin")
    assert list(tmp_path.iterdir()) == []


def test_json_is_whole_or_absent(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", {"purity": 0.1, "phase": "µ"})
    assert json.loads((tmp_path / "run.json").read_text("utf-8")) == {"purity": 0.1, "phase": "µ"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "bad.json", {"purity": float("nan")})
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
