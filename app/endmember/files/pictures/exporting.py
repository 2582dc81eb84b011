"""Writing maps, spectra and images, one file each; equal input gives equal bytes."""

from __future__ import annotations

import csv
import math
import tempfile
from collections.abc import Container
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.counts.spectrum_image import BoolArray, SpectrumImage
from endmember.core.progress import Report, silent

CHUNK_BYTES = 4_000_000
SPECTRUM_COLUMNS = ("energy_keV", "counts", "standard_deviation", "fit", "background")


def _dense_rows(
    image: SpectrumImage, report: Report, first: int, last: int
) -> npt.NDArray[np.generic]:
    """The counts of rows [first, last) as a dense block (rows, columns, channels)."""
    report(first / image.rows)
    starts = image.starts[first * image.columns : last * image.columns + 1]
    entries = slice(int(starts[0]), int(starts[-1]))
    block = np.zeros((len(starts) - 1, image.axis.channels), image.counts.dtype)
    pixels = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    block[pixels, image.channels[entries]] = image.counts[entries]
    return block.reshape(last - first, image.columns, image.axis.channels)


def _rows_per_chunk(image: SpectrumImage) -> int:
    row_bytes = image.columns * image.axis.channels * image.counts.dtype.itemsize
    return min(image.rows, max(1, CHUNK_BYTES // row_bytes))


def _lazy_cube(image: SpectrumImage, report: Report) -> Any:
    """A dask array of the map that becomes dense only one chunk of rows at a time."""
    import dask
    import dask.array as da

    step = _rows_per_chunk(image)
    dense_rows = dask.delayed(partial(_dense_rows, image, report), pure=False, traverse=False)
    blocks = []
    for first in range(0, image.rows, step):
        last = min(first + step, image.rows)
        shape = (last - first, image.columns, image.axis.channels)
        block = dense_rows(first, last)
        blocks.append(da.from_delayed(block, shape, image.counts.dtype))
    return da.concatenate(blocks)


def _energy_axis(axis: EnergyAxis) -> dict[str, Any]:
    return {
        "_type": "UniformDataAxis",
        "name": "Energy",
        "units": "keV",
        "scale": float(axis.step_keV),
        "offset": float(axis.start_keV),
        "size": axis.channels,
        "navigate": False,
        "is_binned": True,
    }


def _pixel_axis(
    name: str, size: int, pixel_size_nm: float | None, navigate: bool
) -> dict[str, Any]:
    return {
        "_type": "UniformDataAxis",
        "name": name,
        "units": "" if pixel_size_nm is None else "nm",
        "scale": 1.0 if pixel_size_nm is None else float(pixel_size_nm),
        "offset": 0.0,
        "size": size,
        "navigate": navigate,
        "is_binned": False,
    }


def _metadata(
    title: str,
    beam_energy_keV: float | None,
    take_off_angle_deg: float | None,
    live_time_s: float | None,
    elements: tuple[str, ...] = (),
) -> dict[str, Any]:
    """HyperSpy's metadata; the take-off angle goes in as the elevation over an untilted stage."""
    detector: dict[str, Any] = {}
    if take_off_angle_deg is not None:
        detector |= {"elevation_angle": float(take_off_angle_deg), "azimuth_angle": 0.0}
    if live_time_s is not None:
        detector["live_time"] = float(live_time_s)
    microscope: dict[str, Any] = {"Detector": {"EDS": detector}, "Stage": {"tilt_alpha": 0.0}}
    if beam_energy_keV is not None:
        microscope["beam_energy"] = float(beam_energy_keV)
    return {
        "General": {"title": title},
        "Signal": {"signal_type": "EDS_TEM", "quantity": "X-rays (Counts)"},
        "Acquisition_instrument": {"TEM": microscope},
        "Sample": {"elements": list(elements)},
    }


def _hspy_signal(
    data: Any, axes: list[dict[str, Any]], metadata: dict[str, Any], lazy: bool
) -> dict[str, Any]:
    """A signal with all that the writer of .hspy files wants to be there."""
    return {
        "data": data,
        "axes": axes,
        "metadata": metadata,
        "original_metadata": {},
        "tmp_parameters": {},
        "attributes": {"_lazy": lazy, "ragged": False},
        "package_info": {"package": "", "package_version": ""},  # no HyperSpy extension
        "learning_results": {},
        "models": {},
    }


def _pixel_axes(image: SpectrumImage, navigate: bool) -> list[dict[str, Any]]:
    return [
        _pixel_axis("y", image.rows, image.pixel_size_nm, navigate),
        _pixel_axis("x", image.columns, image.pixel_size_nm, navigate),
    ]


def _group_name(title: str, taken: Container[str]) -> str:
    """The name of the group that HyperSpy gives a title, numbered if it is taken already."""
    name = own = title.replace("/", "-") or "__unnamed__"
    number = 1
    while name in taken:
        number += 1
        name = f"{own} {number}"
    return name


def _add_companions(path: Path, image: SpectrumImage) -> None:
    """Add the companion images to an .hspy file, each as one more experiment."""
    import h5py
    from rsciio.hspy import file_writer

    # the writer starts every file anew: an image gets a file of its own first
    with tempfile.TemporaryDirectory() as folder, h5py.File(path, "a") as target:
        experiments = target["Experiments"]
        for title, pixels in image.images.items():
            metadata = {"General": {"title": title}, "Signal": {"signal_type": ""}}
            axes = _pixel_axes(image, navigate=False)
            single = Path(folder) / "image.hspy"
            file_writer(str(single), _hspy_signal(np.asarray(pixels), axes, metadata, lazy=False))
            with h5py.File(single) as source:
                (group,) = source["Experiments"].values()
                source.copy(group, experiments, _group_name(title, experiments))


def write_map_hspy(
    path: str | Path, image: SpectrumImage, title: str, report: Report = silent
) -> None:
    """Write a map as compressed .hspy, with all its facts and its companion images.

    Each image is an experiment of the same file, as HyperSpy stores several signals in one.
    Memory stays that of the sparse map and one chunk of rows (about 4 MB dense).

    Raises
    ------
    Cancelled
        by `report`; what was written by then is left for the caller to remove.
    """
    import dask
    from rsciio.hspy import file_writer

    metadata = _metadata(
        title, image.beam_energy_keV, image.take_off_angle_deg, image.live_time_s, image.elements
    )
    axes = [*_pixel_axes(image, navigate=True), _energy_axis(image.axis)]
    signal = _hspy_signal(_lazy_cube(image, report), axes, metadata, lazy=True)
    chunks = (_rows_per_chunk(image), image.columns, image.axis.channels)
    with dask.config.set(scheduler="synchronous"):
        file_writer(str(path), signal, chunks=chunks, show_progressbar=False)
    if image.images:
        _add_companions(Path(path), image)


def write_spectrum_msa(path: str | Path, spectrum: Spectrum, title: str) -> None:
    """Write a spectrum as EMSA/MAS (ISO 22029), counts with six decimals."""
    from rsciio.msa import file_writer

    signal = {
        "data": spectrum.counts,
        "axes": [_energy_axis(spectrum.axis)],
        "metadata": _metadata(
            title, spectrum.beam_energy_keV, spectrum.take_off_angle_deg, spectrum.live_time_s
        ),
        "original_metadata": {},
    }
    file_writer(str(path), signal, format="Y")


def write_spectrum_hspy(
    path: str | Path, spectrum: Spectrum, title: str, elements: tuple[str, ...] = ()
) -> None:
    """Write a spectrum as .hspy, with all its facts and the elements that are looked for."""
    from rsciio.hspy import file_writer

    metadata = _metadata(
        title,
        spectrum.beam_energy_keV,
        spectrum.take_off_angle_deg,
        spectrum.live_time_s,
        elements,
    )
    counts = np.asarray(spectrum.counts, dtype=np.float64)
    axes = [_energy_axis(spectrum.axis)]
    file_writer(str(path), _hspy_signal(counts, axes, metadata, lazy=False))


def _cell(value: float) -> str:
    return f"{value:.9g}" if math.isfinite(value) else ""


def write_spectrum_csv(
    path: str | Path,
    spectrum: Spectrum,
    standard_deviation: FloatArray | None = None,
    fit: FloatArray | None = None,
    background: FloatArray | None = None,
) -> None:
    """Write a spectrum as CSV with SPECTRUM_COLUMNS, one row per channel, counts per channel.

    `standard_deviation`, `fit` and `background` have shape (channels,); where they are None or
    not finite (a fit over part of the axis) the cell stays empty.

    Raises
    ------
    ValueError
        if a column has another length than the spectrum.
    """
    nothing = np.full(spectrum.axis.channels, np.nan)
    optional = [nothing if c is None else c for c in (standard_deviation, fit, background)]
    columns = [spectrum.axis.centres, spectrum.counts, *optional]
    for name, column in zip(SPECTRUM_COLUMNS, columns, strict=True):
        if np.shape(column) != spectrum.counts.shape:
            raise ValueError(
                f"column {name} of shape {np.shape(column)} does not fit a spectrum of "
                f"{spectrum.axis.channels} channels"
            )
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SPECTRUM_COLUMNS)
        writer.writerows([_cell(float(v)) for v in row] for row in zip(*columns, strict=True))


def _write_tiff(path: str | Path, array: npt.NDArray[Any], pixel_size_nm: float | None) -> None:
    import tifffile

    calibration: dict[str, Any] = {}
    if pixel_size_nm is not None:
        calibration = {
            "resolution": (1 / pixel_size_nm, 1 / pixel_size_nm),
            "metadata": {"unit": "nm"},
        }
    tifffile.imwrite(path, np.ascontiguousarray(array), imagej=True, **calibration)


def write_mask_tiff(path: str | Path, mask: BoolArray, pixel_size_nm: float | None) -> None:
    """Write a mask (rows, columns) as 8-bit TIFF, 255 inside and 0 outside.

    The pixel size is stored so that ImageJ shows it: pixels per nm as resolution, unit nm.
    """
    _write_tiff(path, np.where(mask, 255, 0).astype(np.uint8), pixel_size_nm)


def write_map_tiff(
    path: str | Path, array: npt.NDArray[np.number], pixel_size_nm: float | None
) -> None:
    """Write a map of values (rows, columns) as 32-bit float TIFF; calibration as for masks."""
    _write_tiff(path, np.asarray(array, dtype=np.float32), pixel_size_nm)
