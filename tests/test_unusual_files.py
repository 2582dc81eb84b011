"""Valid files of unusual make are read as what they say, or refused with a remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import psutil
import pytest

from endmember.files.reading.choice import NO_CHOICE, Choice
from endmember.files.reading.reader import UnreadableFile, open_map, open_spectrum

Counts = npt.NDArray[np.uint16]
ROWS, COLUMNS, CHANNELS = 4, 5, 300
RIPPLE = {
    "width": COLUMNS,
    "height": ROWS,
    "depth": CHANNELS,
    "offset": 0,
    "data-length": 2,
    "data-type": "unsigned",
    "byte-order": "little-endian",
    "record-by": "vector",
    "ev-per-chan": 10,
}


@pytest.fixture
def counts(rng: np.random.Generator) -> Counts:
    return rng.poisson(2.0, (ROWS, COLUMNS, CHANNELS)).astype(np.uint16)


def axis(name: str, size: int, units: str | None = "nm", **more: Any) -> dict[str, Any]:
    return {"name": name, "size": size, "scale": 2.0, "offset": 0.0, "units": units} | more


def energy(**more: Any) -> dict[str, Any]:
    return axis("Energy", CHANNELS, "keV", scale=0.01, offset=-0.1) | more


ROW, COLUMN = axis("y", ROWS), axis("x", COLUMNS)


def write_hspy(
    path: Path, data: npt.NDArray[Any], axes: list[dict[str, Any]], chunks: bool | None = True
) -> Path:
    """A HyperSpy file with nothing but what its documentation asks for."""
    with h5py.File(path, "w") as file:
        file.attrs["file_format"], file.attrs["file_format_version"] = "HyperSpy", "3.3"
        signal = file.create_group("Experiments/one")
        signal.create_dataset("data", data=data, chunks=chunks)
        for number, described in enumerate(axes):
            group = signal.create_group(f"axis-{number}")
            group.attrs["navigate"] = "nergy" not in str(described["name"])
            for key, value in described.items():
                if key == "axis":
                    group[key] = value
                elif value is not None:
                    group.attrs[key] = value
        facts = signal.create_group("metadata")
        facts.create_group("General").attrs["title"] = "one"
        facts.create_group("Signal").attrs["signal_type"] = "EDS_TEM"
        signal.create_group("original_metadata")
    return path


def write_ripple(folder: Path, data: npt.NDArray[Any], **changed: Any) -> Path:
    header = {name: value for name, value in (RIPPLE | changed).items() if value is not None}
    (folder / "m.raw").write_bytes(data.astype("<u2").tobytes())
    lines = "".join(f"{name}\t{value}\n" for name, value in header.items())
    (folder / "m.rpl").write_text(f"key\tvalue\n{lines}", encoding="utf-8")
    return folder / "m.rpl"


def readers_at_work() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableFile) as refused:
        open_map(path)
    return str(refused.value)


@pytest.mark.parametrize("record_by", ["vector", "image"])
def test_ev_per_chan_of_a_ripple_file_is_in_eV(
    tmp_path: Path, counts: Counts, record_by: str
) -> None:
    data = counts if record_by == "vector" else np.moveaxis(counts, 2, 0)
    image = open_map(write_ripple(tmp_path, data, **{"record-by": record_by})).image
    assert image.axis.step_keV == pytest.approx(0.01)
    np.testing.assert_array_equal(image.count_map(), counts.sum(axis=2))
    np.testing.assert_array_equal(image.spectrum().counts, counts.sum(axis=(0, 1)))


def test_a_ripple_file_says_which_line_or_file_it_lacks(tmp_path: Path, counts: Counts) -> None:
    path = write_ripple(tmp_path, counts, **{"byte-order": None})
    assert "the header lacks byte-order; add" in refusal(path)
    (tmp_path / "m.raw").unlink()
    assert "the .raw of the same name" in refusal(path)


def test_energies_given_by_a_formula_are_not_taken_for_channel_numbers(
    tmp_path: Path, counts: Counts
) -> None:
    formula = {"name": "Energy", "units": "keV", "expression": "a * x + b", "a": 0.01, "b": -0.1}
    assert "given by a formula" in refusal(
        write_hspy(tmp_path / "m.hspy", counts, [ROW, COLUMN, formula])
    )


@pytest.mark.parametrize(
    ("step", "start", "unit"), [(10.0, -100.0, None), (10.0, -100.0, "electronvolts")]
)
def test_an_axis_that_no_detector_reaches_is_taken_as_eV(
    tmp_path: Path, counts: Counts, step: float, start: float, unit: str | None
) -> None:
    axes = [ROW, COLUMN, energy(scale=step, offset=start, units=unit)]
    reading = open_map(write_hspy(tmp_path / "m.hspy", counts, axes))
    assert reading.image.axis.start_keV == pytest.approx(-0.1)
    assert reading.image.axis.step_keV == pytest.approx(0.01)
    assert any("taken as eV" in sentence for sentence in reading.warnings)


@pytest.mark.parametrize(
    ("unit", "nm"),
    [
        ("\u212b", 0.1),  # the sign Ångström, which is not the letter Å
        ("Angstroms", 0.1),
        ("\u00b5m", 1e3),
        ("\u03bcm", 1e3),
        ("\u00c2\u00b5m", 1e3),  # micro in UTF-8, read as Latin-1
        ("micrometers", 1e3),
        ("ms", None),
        ("px", None),
    ],
)
def test_a_unit_of_length_is_known_however_it_is_written(
    tmp_path: Path, counts: Counts, unit: str, nm: float | None
) -> None:
    axes = [axis("y", ROWS, unit), axis("x", COLUMNS, unit), energy()]
    size = open_map(write_hspy(tmp_path / "m.hspy", counts, axes)).image.pixel_size_nm
    assert size == (None if nm is None else pytest.approx(2.0 * nm))


def test_positions_listed_one_by_one_give_the_pixel_size(tmp_path: Path, counts: Counts) -> None:
    axes = [
        {"name": "y", "units": "nm", "axis": 3.0 + 2.5 * np.arange(ROWS)},
        {"name": "x", "units": "nm", "axis": 2.5 * np.arange(COLUMNS)},
        energy(),
    ]
    assert open_map(write_hspy(tmp_path / "m.hspy", counts, axes)).image.pixel_size_nm == 2.5


def test_axes_of_length_one_do_not_keep_a_map_or_a_spectrum_from_being_read(
    tmp_path: Path, counts: Counts
) -> None:
    frame = axis("time", 1, "s")
    image = open_map(
        write_hspy(tmp_path / "m.hspy", counts[None], [frame, ROW, COLUMN, energy()])
    ).image
    np.testing.assert_array_equal(image.count_map(), counts.sum(axis=2))
    one = write_hspy(tmp_path / "s.hspy", counts[0, :1], [axis("x", 1), energy()])
    np.testing.assert_array_equal(open_spectrum(one).spectrum.counts, counts[0, 0])
    line = write_hspy(tmp_path / "l.hspy", counts[:1], [axis("y", 1), COLUMN, energy()])
    assert open_map(line).image.shape == (1, COLUMNS, CHANNELS)


def test_an_energy_axis_without_a_step_is_refused(tmp_path: Path, counts: Counts) -> None:
    unscaled = {key: value for key, value in energy().items() if key != "scale"}
    path = write_hspy(tmp_path / "m.hspy", counts, [ROW, COLUMN, unscaled])
    assert "export it anew with its calibration" in refusal(path)


def test_a_file_whose_links_run_in_a_circle_does_not_keep_the_next_one_from_being_read(
    tmp_path: Path, counts: Counts
) -> None:
    whole = write_hspy(tmp_path / "m.hspy", counts, [ROW, COLUMN, energy()])
    circle = write_hspy(tmp_path / "c.hspy", counts, [ROW, COLUMN, energy()])
    with h5py.File(circle, "r+") as file:
        file["Experiments/one/metadata/again"] = h5py.SoftLink("/Experiments")
    open_map(whole)
    before = readers_at_work()
    assert "holds itself" in refusal(circle)
    assert len(before - readers_at_work()) == 1  # it may hold locks for ever
    assert open_map(whole).image.total == counts.sum()


def test_counts_that_lie_in_one_piece_are_read(tmp_path: Path, counts: Counts) -> None:
    path = write_hspy(tmp_path / "m.hspy", counts, [ROW, COLUMN, energy()], chunks=None)
    np.testing.assert_array_equal(open_map(path).image.count_map(), counts.sum(axis=2))


def test_frames_of_maps_can_be_chosen_to_be_summed(tmp_path: Path, counts: Counts) -> None:
    frames = np.stack([counts, counts + 1])
    path = write_hspy(tmp_path / "m.hspy", frames, [axis("time", 2, "s"), ROW, COLUMN, energy()])
    assert "choose the dataset" in refusal(path)
    image = open_map(path, choice=Choice("/Experiments/one/data", "syxE", -0.1, 0.01)).image
    np.testing.assert_array_equal(image.count_map(), frames.sum(axis=(0, 3)))


def test_axes_called_x_and_y_are_columns_and_rows(tmp_path: Path, counts: Counts) -> None:
    turned = np.swapaxes(counts, 0, 1)
    image = open_map(write_hspy(tmp_path / "m.hspy", turned, [COLUMN, ROW, energy()])).image
    np.testing.assert_array_equal(image.count_map(), counts.sum(axis=2))


@pytest.mark.parametrize("name", ["m.h5oina", "m.dat", "m", "m.emd", "m.hspy"])
def test_the_arrays_of_any_hdf5_file_are_offered(tmp_path: Path, counts: Counts, name: str) -> None:
    with h5py.File(tmp_path / name, "w") as file:
        file["1/EDS/Data/Cube"] = counts
    assert "choose the dataset" in refusal(tmp_path / name)
    assert "/1/EDS/Data/Cube (4 x 5 x 300)" in refusal(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "says"), [("m.zip", "unpack it"), ("m.hspy.gz", "unpack it"), ("f.bcf", "a folder")]
)
def test_packed_files_and_folders_are_told_from_maps(tmp_path: Path, name: str, says: str) -> None:
    path = tmp_path / name
    if name == "f.bcf":
        path.mkdir()
    else:
        path.write_bytes(b"PK\x05\x06" + bytes(18))
    assert says in refusal(path)


def test_the_maps_of_a_jeol_project_may_hold_more_than_255_counts_in_a_channel() -> None:
    from endmember.files.reading.signals import reader_arguments

    wide = reader_arguments("JEOL", Path("project.ASW"), NO_CHOICE)["SI_dtype"]
    assert np.iinfo(wide).max >= 65535


def test_a_recipe_and_a_table_opened_as_a_map_are_told_for_what_they_are(tmp_path: Path) -> None:
    for name, said in (("sample.toml", "recipe"), ("composition.csv", "table")):
        (tmp_path / name).write_text("a = 1", "utf-8")
        with pytest.raises(UnreadableFile, match=said):
            open_map(tmp_path / name)
