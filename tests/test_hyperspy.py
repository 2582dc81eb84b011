"""What is written as .hspy opens in HyperSpy with its axes, units and metadata."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.files.pictures.exporting import (
    write_map_hspy,
    write_spectrum_hspy,
    write_spectrum_msa,
)
from endmember.files.reading.reader import read_spectrum

AXIS = EnergyAxis(-0.2, 0.01, 300)
ELEMENTS = ("O", "Mg")

# in a process of its own: HyperSpy changes settings of many libraries when it is loaded
LOOK = """
import json, sys, warnings
warnings.simplefilter("ignore")
import hyperspy.api as hs
def told(signal):
    axes = signal.axes_manager._axes
    microscope = signal.metadata.Acquisition_instrument.TEM
    return {
        "shape": list(signal.data.shape),
        "sum": float(signal.data.sum()),
        "first": float(signal.data.flat[0]),
        "axes": [[a.name, a.units, a.scale, a.offset, bool(a.navigate)] for a in axes],
        "binned": bool(axes[-1].is_binned),
        "type": signal.metadata.Signal.signal_type,
        "title": signal.metadata.General.title,
        "elements": list(signal.metadata.get_item("Sample.elements", [])),
        "beam": microscope.beam_energy,
        "elevation": microscope.Detector.EDS.elevation_angle,
        "live": microscope.Detector.EDS.live_time,
    }
signals = [hs.load(name, signal_type=None) for name in sys.argv[1:]]
print(json.dumps([told(s) for s in signals]))
"""


@pytest.fixture(scope="module")
def spectrum() -> Spectrum:
    signed = np.random.default_rng(5).normal(0.0, 30.0, AXIS.channels)  # as after a subtraction
    return Spectrum(signed, AXIS, beam_energy_keV=200.0, take_off_angle_deg=22.0, live_time_s=61.5)


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, spectrum: Spectrum
) -> tuple[SpectrumImage, list[dict[str, object]]]:
    """A map and a spectrum, as HyperSpy opens them."""
    pytest.importorskip("hyperspy")
    folder = tmp_path_factory.mktemp("hyperspy")
    counts = np.random.default_rng(4).poisson(0.05, (13, 9, AXIS.channels))
    image = replace(
        SpectrumImage.from_array(counts, AXIS),
        pixel_size_nm=1.7,
        beam_energy_keV=200.0,
        take_off_angle_deg=22.0,
        live_time_s=61.5,
        elements=ELEMENTS,
    )
    names = [str(folder / name) for name in ("map.hspy", "spectrum.hspy", "spectrum.msa")]
    write_map_hspy(names[0], image, "a map")
    write_spectrum_hspy(names[1], spectrum, "Fp, map1", ELEMENTS)
    write_spectrum_msa(names[2], spectrum, "Fp, map1")
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *names], capture_output=True, encoding="utf-8", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return image, json.loads(done.stdout.splitlines()[-1])


def facts(signal: dict[str, object]) -> tuple[object, ...]:
    return signal["beam"], signal["live"], signal["type"]


def test_a_map_has_its_axes_units_and_facts(
    opened: tuple[SpectrumImage, list[dict[str, object]]],
) -> None:
    image, (found, *_) = opened
    assert found["shape"] == [13, 9, 300]
    assert found["sum"] == image.total
    assert found["axes"] == [
        ["y", "nm", 1.7, 0.0, True],
        ["x", "nm", 1.7, 0.0, True],
        ["Energy", "keV", 0.01, -0.2, False],
    ]
    assert found["binned"]
    assert (found["title"], found["elements"]) == ("a map", ["O", "Mg"])
    assert facts(found) == (200.0, 61.5, "EDS_TEM")
    assert found["elevation"] == pytest.approx(22.0)


@pytest.mark.parametrize("place", [1, 2], ids=["hspy", "msa"])
def test_a_spectrum_has_its_axis_unit_and_facts(
    opened: tuple[SpectrumImage, list[dict[str, object]]], spectrum: Spectrum, place: int
) -> None:
    found = opened[1][place]
    assert found["shape"] == [300]
    assert found["first"] == pytest.approx(spectrum.counts[0], abs=1e-6)
    (axis,) = found["axes"]  # type: ignore[misc]
    assert axis[1:] == ["keV", pytest.approx(0.01), pytest.approx(-0.2), False]
    assert found["title"] == "Fp, map1"
    assert facts(found) == (200.0, 61.5, "EDS_TEM")
    assert found["elevation"] == pytest.approx(22.0)


def test_a_spectrum_as_hspy_is_the_spectrum_read_and_the_same_bytes_again(
    tmp_path: Path, spectrum: Spectrum
) -> None:
    one, two = tmp_path / "1.hspy", tmp_path / "2.hspy"
    write_spectrum_hspy(one, spectrum, "t", ELEMENTS)
    write_spectrum_hspy(two, spectrum, "t", ELEMENTS)
    assert one.read_bytes() == two.read_bytes()
    found = read_spectrum(one)
    np.testing.assert_array_equal(found.counts, spectrum.counts)
    assert found.axis == AXIS
    assert (found.beam_energy_keV, found.live_time_s) == (200.0, 61.5)
