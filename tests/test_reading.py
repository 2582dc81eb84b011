"""Reading real files of many makers, and telling what is wrong with the others."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.files.pictures.exporting import write_spectrum_msa
from endmember.files.reading.metadata import take_off_angle
from endmember.files.reading.reader import (
    UnreadableFile,
    describe,
    open_map,
    read_map,
    read_spectrum,
)

# file, shape, all counts: from the table that came with the files
MAPS = [
    ("bcf/4on3.bcf", (3, 4, 1024), 4),
    ("bcf/Hitachi_TM3030Plus.bcf", (240, 320, 2048), 171804),
    ("bcf/P45_12bit_packed_8bit_compressed.bcf", (75, 100, 2048), 915942),
    ("bcf/over16bit.bcf", (3, 4, 4096), 176786251),
    ("bcf/test_TEM.bcf", (64, 64, 2048), 26005),
    ("edax_crop/spd_crop.spd", (24, 40, 2500), 411239),
    ("hspy/88_ES-LP_G8_selection2_cropped2.hspy", (80, 80, 1917), 716887),
    ("hspy/bare_core.hdf5", (84, 84, 992), 437439),
    ("hspy/bare_core.hspy", (84, 84, 992), 437439),
    ("hspy/core_shell.hspy", (64, 64, 992), 884071),
    ("jeol/JEOL_eds/64.pts", (64, 64, 4096), 1436255),
    ("ripple/4on3_full.rpl", (3, 4, 1024), 232786),
]
VELOX_MAPS = [
    (
        "emd_velox/fei_emd_files/fei_SI_SuperX-HAADF_10frames_10x50.emd",
        (50, 10, 4096),
        764005,
    ),
    ("emd_velox/velox_emd_version11/Test SI 16x16 215 kx.emd", (16, 16, 4096), 42097),
]
SPECTRA = [
    ("dm/test-EDS_spectrum.dm3", 4096, 17051),
    ("edax/single_spect.spc", 4096, 890652),
    ("emd_velox/EDS-STO.emd", 4096, 190830),
    ("hspy/EDS_SEM_TM002.hspy", 1024, 1000279),
    ("hspy/EDS_TEM_FePt_nanoparticles.hspy", 992, 205795),
    ("jeol/JEOL_eds/spot.eds", 4096, 35860),
    ("jeol/rsciio/seq/1/1.ASW", 4096, 83527),
    ("msa/K309.msa", 4096, 3318507),
    ("msa/K412 unk.msa", 4096, 1877935),
    ("msa/apreo_GaAs_30kV.emsa", 2048, 2726371),
    ("spx/bruker_nano.spx", 4096, 76293),
    ("tia/more_ser_then_emi_metadata.emi", 3993, 103615),
]
NO_MAP = [
    ("bcf/Nope.bcf", "damaged"),
    ("dm/EELS_SI.dm4", "EELS"),
    ("dm/multi_signal.dm3", "no EDXS map"),
    ("jeol/JEOL_eds/DigiLine/View000_0000003.pts", "zero"),
    ("jeol/rsciio/181019-BN.ASW", "000_0000000.img"),
    ("jeol/rsciio/seq/1/1.ASW", "no EDXS map"),
    ("nexus/saved_multi_signal.nxs", "choose the dataset"),
    ("pantarhei/panta_rhei_sample.prz", "no EDXS map"),
    ("tia/16x16-spectrum_image-5x5x1024.emi", "negative"),
    ("tia/16x16-spectrum_image_5x5x4000-not_square.emi", "zero"),
]

needs_sparse = pytest.mark.skipif(
    importlib.util.find_spec("sparse") is None, reason="Velox maps need the library sparse"
)


@pytest.fixture
def real(shared: Path) -> Path:
    return shared / "data" / "real"


@pytest.mark.parametrize(
    ("name", "shape", "total"),
    [*MAPS, *(pytest.param(*row, marks=needs_sparse) for row in VELOX_MAPS)],
)
def test_a_map_keeps_every_count_of_its_file(
    real: Path, name: str, shape: tuple[int, int, int], total: int
) -> None:
    image = read_map(real / name)
    assert (image.shape, image.total) == (shape, total)


@pytest.mark.parametrize(("name", "channels", "total"), SPECTRA)
def test_a_spectrum_keeps_every_count_of_its_file(
    real: Path, name: str, channels: int, total: int
) -> None:
    spectrum = read_spectrum(real / name)
    assert (spectrum.axis.channels, spectrum.counts.sum()) == (channels, total)


def test_every_pixel_is_where_the_file_has_it(real: Path) -> None:
    path = real / "hspy" / "core_shell.hspy"
    with h5py.File(path) as file:
        cube = next(iter(file["Experiments"].values()))["data"][()]
    image = read_map(path)
    np.testing.assert_array_equal(image.count_map(), cube.sum(axis=2))
    np.testing.assert_array_equal(image.spectrum().counts, cube.sum(axis=(0, 1)))


@pytest.mark.parametrize(("name", "word"), NO_MAP)
def test_a_file_without_a_usable_map_is_refused_in_one_sentence(
    real: Path, name: str, word: str
) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_map(real / name)
    message = str(refused.value)
    assert word in message
    assert str(real / name) in message
    assert "\n" not in message


def test_reading_prints_nothing(real: Path, capfd: pytest.CaptureFixture[str]) -> None:
    describe(real / "tia" / "more_ser_then_emi_metadata.emi")  # its reader logs a warning
    assert capfd.readouterr() == ("", "")


def test_what_a_reader_logs_becomes_a_warning(real: Path) -> None:
    found = describe(real / "tia" / "more_ser_then_emi_metadata.emi").to_json()
    assert any("did not contain any metadata" in w for w in found["spectrum"]["warnings"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"absent\.hspy: there is no such file"):
        read_map(tmp_path / "absent.hspy")


def test_an_unknown_type_is_named(tmp_path: Path) -> None:
    path = tmp_path / "map.xyz"
    path.write_bytes(b"whatever")
    with pytest.raises(UnreadableFile, match=r"'\.xyz'"):
        describe(path)


def test_a_truncated_file_is_called_damaged(real: Path, tmp_path: Path) -> None:
    whole = (real / "hspy" / "core_shell.hspy").read_bytes()
    path = tmp_path / "half.hspy"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFile, match="damaged"):
        read_map(path)


def test_bruker_facts_come_in_the_programs_units(real: Path) -> None:
    reading = open_map(real / "bcf" / "test_TEM.bcf")
    image = reading.image
    assert image.pixel_size_nm == pytest.approx(0.771004754204027)  # 0.000771... micrometres
    assert image.beam_energy_keV == 200.0
    assert image.take_off_angle_deg == pytest.approx(18.0)
    assert image.live_time_s is None  # Bruker maps carry the real time only
    assert any("real time" in sentence for sentence in reading.warnings)
    assert image.elements == ("Cu", "O", "Pd", "Ti")
    assert image.images["HAADF"].shape == (64, 64)


@needs_sparse
def test_velox_angles_in_radians_become_degrees(real: Path) -> None:
    path = real / "emd_velox" / "velox_emd_version11" / "Test SI 16x16 215 kx.emd"
    image = read_map(path)
    assert image.take_off_angle_deg == pytest.approx(math.degrees(0.31415927), abs=1e-4)
    assert image.beam_energy_keV == 300.0


@needs_sparse
def test_a_large_zero_peak_is_told(real: Path) -> None:
    path = real / VELOX_MAPS[0][0]
    found = describe(path).to_json()["map"]
    assert found["zero_peak_fraction"] == pytest.approx(0.82, abs=0.005)
    assert any("zero peak" in sentence for sentence in found["warnings"])


def test_pixels_called_pix_have_no_size(real: Path) -> None:
    assert read_map(real / "bcf" / "Hitachi_TM3030Plus.bcf").pixel_size_nm is None


def test_a_bulk_map_warns_of_thin_film_quantification(real: Path) -> None:
    warnings = open_map(real / "bcf" / "P45_12bit_packed_8bit_compressed.bcf").warnings
    assert any("thin-film quantification is not valid" in sentence for sentence in warnings)


def test_energies_in_eV_become_keV(real: Path) -> None:
    axis = read_spectrum(real / "msa" / "K412 unk.msa").axis
    assert axis.start_keV == pytest.approx(0.00351609)
    assert axis.step_keV == pytest.approx(0.01001223)


def test_a_beam_energy_only_in_the_vendors_metadata_is_found(real: Path) -> None:
    assert read_spectrum(real / "dm" / "test-EDS_spectrum.dm3").beam_energy_keV == 200.0


def test_a_map_without_calibration_says_so(real: Path) -> None:
    reading = open_map(real / "ripple" / "4on3_full.rpl")
    assert any("no unit" in sentence for sentence in reading.warnings)


def test_a_wrong_signal_is_answered_with_the_list(real: Path) -> None:
    with pytest.raises(UnreadableFile, match="HAADF"):
        read_map(real / "bcf" / "test_TEM.bcf", signal=0)


def test_the_users_signal_is_taken(real: Path) -> None:
    path = real / "jeol" / "rsciio" / "seq" / "1" / "1.ASW"
    assert read_spectrum(path, signal=2).counts.sum() == 39984


def test_description_has_the_promised_keys(real: Path) -> None:
    found = describe(real / "bcf" / "test_TEM.bcf").to_json()
    assert set(found) == {"file", "format", "signals", "map", "spectrum", "warnings"}
    assert set(found["signals"][0]) == {"index", "title", "kind", "shape", "dtype"}
    common = {
        "index",
        "shape",
        "energy_start_keV",
        "energy_step_keV",
        "beam_energy_keV",
        "take_off_angle_deg",
        "live_time_s",
        "total_counts",
        "zero_peak_fraction",
        "elements",
        "warnings",
    }
    assert set(found["map"]) == common | {"pixel_size_nm", "images"}
    single = describe(real / "edax" / "single_spect.spc").to_json()
    assert single["map"] is None
    assert set(single["spectrum"]) == common


def test_a_file_without_map_is_described_with_the_reason(real: Path) -> None:
    found = describe(real / "dm" / "EELS_SI.dm4")
    assert found.map is None
    assert found.spectrum is None
    assert "energy loss" in found.warnings[0]
    assert "EELS_SI" in found.to_text()


def test_tilt_towards_the_detector_adds_to_the_elevation() -> None:
    assert take_off_angle(18, azimuth_deg=0, alpha_deg=10) == pytest.approx(28)
    assert take_off_angle(18, azimuth_deg=180, alpha_deg=10) == pytest.approx(8)
    assert take_off_angle(18, azimuth_deg=90, beta_deg=5) == pytest.approx(23)


def _turned(alpha: float, beta: float) -> Any:
    """The specimen's normal after turning about x by beta, then about y by alpha."""
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(beta), np.sin(beta)], [0, -np.sin(beta), np.cos(beta)]]
    )
    about_y = np.array(
        [[np.cos(alpha), 0, np.sin(alpha)], [0, 1, 0], [-np.sin(alpha), 0, np.cos(alpha)]]
    )
    return about_y @ about_x @ np.array([0.0, 0.0, 1.0])


def test_take_off_angle_is_that_of_turned_vectors(rng: np.random.Generator) -> None:
    for elevation, azimuth, alpha, beta in rng.uniform(-0.6, 0.6, (20, 4)):
        detector = [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
        expected = np.degrees(np.arcsin(_turned(alpha, beta) @ detector))
        found = take_off_angle(*np.degrees([elevation, azimuth, alpha, beta]))
        assert found == pytest.approx(expected)


@pytest.mark.parametrize(("name", "says"), [("a.png", "this is a picture"), ("a", "is a folder")])
def test_pictures_and_folders_are_told_from_maps(tmp_path: Path, name: str, says: str) -> None:
    path = tmp_path / name
    if path.suffix:
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
    else:
        path.mkdir()
    with pytest.raises(UnreadableFile, match=says):
        open_map(path)


def test_the_first_map_that_is_read_does_not_stay_in_memory(tmp_path: Path) -> None:
    from endmember.core.simulation.simulated_map import simulate_map
    from endmember.files.pictures.exporting import write_map_hspy

    path = tmp_path / "map.hspy"
    write_map_hspy(path, simulate_map(size=16)[0], "a test")
    code = (
        "import gc, sys; from endmember.session.steps.map_data import load_map\n"
        "from endmember.session.decisions.recipe import Instrument, MapInput\n"
        "def number():\n"
        "    gc.collect()\n"
        "    return sum(type(o).__name__ == 'SpectrumImage' for o in gc.get_objects())\n"
        "entry = MapInput(file=sys.argv[1], name='a')\n"
        "data = load_map(lambda _: None, entry, Instrument()); there = number(); del data\n"
        "print(there, number())"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]


def test_a_spectrum_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    axis = EnergyAxis(0.3, 0.01, 600)
    whole = tmp_path / "whole.msa"
    write_spectrum_msa(whole, Spectrum(np.arange(600.0), axis, 200.0, 22.0), "Brg")
    assert read_spectrum(whole).counts.sum() == np.arange(600.0).sum()
    lines = whole.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("#SPECTRUM"))
    cut = tmp_path / "cut.msa"
    cut.write_text("\n".join([*lines[: start + 201], lines[-1]]) + "\n", encoding="utf-8")
    with pytest.raises(UnreadableFile, match=r"announces 600 points and holds 200; copy it again"):
        read_spectrum(cut)
