"""The facts of a measurement: energy axis, pixel size, beam, geometry, times, elements."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from endmember.core.counts.spectrum import EnergyAxis
from endmember.files.reading.signals import Signal, finite, lookup

NM_PER_UNIT = {
    "m": 1e9,
    "meter": 1e9,
    "metre": 1e9,
    "cm": 1e7,
    "mm": 1e6,
    "um": 1e3,
    "µm": 1e3,
    "μm": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "micrometre": 1e3,
    "nm": 1.0,
    "nanometer": 1.0,
    "nanometre": 1.0,
    "Å": 0.1,
    "A": 0.1,
    "angstrom": 0.1,
    "ångström": 0.1,
    "pm": 1e-3,
}
KEV_PER_UNIT = {"ev": 1e-3, "kev": 1.0, "mev": 1e3}
SMALLEST_PIXEL_nm, LARGEST_PIXEL_nm = 1e-3, 1e7  # what a microscope scans
HIGHEST_BEAM_keV, HIGHEST_AXIS_keV = 3000.0, 300.0
LOWEST_STEP_eV, FINEST_STEP_keV = 2.0, 0.0005  # of channels: in eV without a unit; of any detector
SMALLEST_ELEVATION_deg = 1.6  # a smaller number may be in radians


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says of a measurement; None where it says nothing. `warnings` are sentences."""

    axis: EnergyAxis
    pixel_size_nm: float | None
    beam_energy_keV: float | None
    take_off_angle_deg: float | None
    live_time_s: float | None
    elements: tuple[str, ...]
    warnings: tuple[str, ...]


def _instrument(facts: Mapping[str, Any], dotted: str) -> float | None:
    for microscope in ("TEM", "SEM"):
        value = finite(lookup(facts, f"Acquisition_instrument.{microscope}.{dotted}"))
        if value is not None:
            return value
    return None


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def take_off_angle(
    elevation_deg: float, azimuth_deg: float = 0.0, alpha_deg: float = 0.0, beta_deg: float = 0.0
) -> float:
    """Angle between the specimen surface and the direction to the detector, in degrees.

    The scalar product of the tilted surface normal and the detector direction; azimuth 0 is the
    direction the specimen faces more and more as alpha grows (there the angles simply add).
    """
    elevation, azimuth, alpha, beta = map(
        math.radians, (elevation_deg, azimuth_deg, alpha_deg, beta_deg)
    )
    sine = (
        math.sin(alpha) * math.cos(beta) * math.cos(elevation) * math.cos(azimuth)
        + math.sin(beta) * math.cos(elevation) * math.sin(azimuth)
        + math.cos(alpha) * math.cos(beta) * math.sin(elevation)
    )
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def _velox_elevation(signal: Signal) -> float | None:
    """Velox stores radians; a map summed over a ring of detectors gives none of its own."""
    own = _instrument(signal.facts, "Detector.EDS.elevation_angle")
    if own is None:
        detectors = signal.original.get("Detectors") or {}
        xray = [d for d in detectors.values() if isinstance(d, Mapping) and "AzimuthAngle" in d]
        angles = [angle for d in xray if (angle := finite(d.get("ElevationAngle"))) is not None]
        own = sum(angles) / len(angles) if angles else None
    return None if own is None else math.degrees(own)


def _take_off(signal: Signal, format_name: str) -> tuple[float | None, list[str]]:
    facts = signal.facts
    elevation = _instrument(facts, "Detector.EDS.elevation_angle")
    if format_name == "EMD":
        elevation = _velox_elevation(signal)
    if elevation is None or elevation == 0:
        return None, []
    if abs(elevation) < SMALLEST_ELEVATION_deg:
        return None, [
            (
                f"The detector's elevation of {elevation:.4g} is too small for degrees (radians?): "
                "the take-off angle is treated as unknown; set take_off_angle_deg."
            )
        ]
    azimuth = _instrument(facts, "Detector.EDS.azimuth_angle")
    alpha = _instrument(facts, "Stage.tilt_alpha") or 0.0
    beta = _instrument(facts, "Stage.tilt_beta") or 0.0
    if azimuth is None and max(abs(alpha), abs(beta)) > 0.5:
        return round(elevation, 6), [
            (
                f"The stage is tilted by {alpha:.3g} and {beta:.3g} degrees but there is no single "
                "detector azimuth: the take-off angle is taken as the elevation angle; "
                "set take_off_angle_deg if that is wrong."
            )
        ]
    if azimuth is None:
        return round(elevation, 6), []
    angle = take_off_angle(elevation, azimuth, alpha, beta)
    if angle <= 0:
        return None, [
            (
                f"With the stage tilt the take-off angle would be {angle:.1f} degrees, "
                "which cannot be: it is treated as unknown."
            )
        ]
    return round(angle, 6), []


def _listed_steps(values: Any) -> tuple[float, float, bool]:
    """First value and mean step of an axis that lists its values, and whether steps are even."""
    listed = np.asarray(values, dtype=float)
    step = float((listed[-1] - listed[0]) / max(1, len(listed) - 1))
    even = len(listed) <= 2 or bool(np.abs(np.diff(listed) - step).max() <= 0.01 * abs(step))
    return float(listed[0]), step, even


def _nm_per(unit: str) -> float | None:
    """Nanometres in a unit of length, however its letters are encoded; None for other units."""
    # UTF-8 read as Latin-1 has one letter more; NFKC makes one of the two letters for micro
    written = unicodedata.normalize("NFKC", unit.replace("Âµ", "µ").replace("Ã\x85", "Å")).strip()
    small = written.lower()
    single = small.removesuffix("s") if len(small) > len("nms") else small  # "ms" is no length
    return next((NM_PER_UNIT[n] for n in (written, small, single) if n in NM_PER_UNIT), None)


def _energy_axis(signal: Signal) -> tuple[EnergyAxis, list[str]]:
    if signal.energy_axis is None:
        raise ValueError(f"signal {signal} has no energy axis; choose another signal")
    axis = signal.axes[signal.energy_axis]
    channels = int(signal.data.shape[signal.energy_axis])
    start, step = finite(axis.get("offset", 0.0)), finite(axis.get("scale"))
    if "axis" in axis:
        start, step, even = _listed_steps(axis["axis"])
        if not even:
            raise ValueError(
                f"signal {signal} has an energy axis of uneven steps; export it with even ones"
            )
    elif "expression" in axis:
        raise ValueError(
            f"signal {signal} has an energy axis given by a formula; export it with even steps "
            "(convert_to_uniform_axis in HyperSpy)"
        )
    if start is None or step is None or step <= 0:
        raise ValueError(
            f"signal {signal} has an energy axis that does not rise (start {start}, step {step}); "
            "export it anew with its calibration"
        )
    factor = KEV_PER_UNIT.get(str(axis.get("units")).strip().lower())
    if factor is None and start + step * channels > HIGHEST_AXIS_keV and step >= LOWEST_STEP_eV:
        return EnergyAxis(start / 1000, step / 1000, channels), [
            (
                f"The energy axis has no unit and runs to {start + step * channels:.6g}: its "
                "numbers are taken as eV; calibrate it before lines are identified."
            )
        ]
    energy = EnergyAxis(start * (factor or 1.0), step * (factor or 1.0), channels)
    if factor is not None and energy.stop_keV > HIGHEST_AXIS_keV:
        return energy, [
            (
                f"The energy axis runs to {energy.stop_keV:.4g} keV, which no X-ray detector "
                "does (eV called keV?): calibrate it before lines are identified."
            )
        ]
    if factor is None:
        return energy, [
            (
                "The energy axis has no unit: its numbers are taken as keV; "
                "calibrate it before lines are identified."
            )
        ]
    fine = energy.stop_keV < 1.0 or energy.step_keV < FINEST_STEP_keV
    if fine and not signal.signal_type.startswith("EDS"):
        return energy, [
            (
                f"The energy axis ends at {energy.stop_keV:.3g} keV with channels of "
                f"{1000 * energy.step_keV:.3g} eV: "
                "this looks like energy loss rather than X-rays."
            )
        ]
    return energy, []


def _pixel_size(signal: Signal) -> tuple[float | None, list[str]]:
    sizes = []
    for index in (signal.columns_axis, signal.rows_axis):
        axis = signal.axes[index] if index is not None else {}
        factor = _nm_per(str(axis.get("units")))
        scale = finite(axis.get("scale"))
        if "axis" in axis and len(axis["axis"]) > 1:
            _, step, even = _listed_steps(axis["axis"])
            scale = step if even else None
        if factor is None or not scale:
            return None, ["The pixel size is unknown: maps carry no scale."]
        sizes.append(abs(scale) * factor)
    if not all(SMALLEST_PIXEL_nm <= size <= LARGEST_PIXEL_nm for size in sizes):
        return None, [
            (
                f"A pixel of {sizes[0]:.3g} nm cannot be (its unit in the file may be wrong, such "
                "as metres called nm): the pixel size is treated as unknown."
            )
        ]
    if abs(sizes[0] - sizes[1]) > 0.01 * sizes[0]:
        return sizes[0], [
            (
                f"The pixels are not square ({sizes[0]:.4g} nm wide, {sizes[1]:.4g} nm high): "
                "the width is used."
            )
        ]
    return sizes[0], []


def _beam_warnings(beam_keV: float | None, signal_type: str) -> list[str]:
    if beam_keV is None:
        said = ["The beam energy is unknown: set beam_energy_keV before quantifying."]
        if signal_type == "EDS_SEM":
            said.append(
                "The signal is labelled SEM: quantification holds for thin films only, "
                "not for bulk specimens."
            )
        return said
    if beam_keV < 40:
        return [
            (
                f"The beam energy of {beam_keV:.4g} keV is that of an SEM, "
                "whose specimens are bulk: thin-film quantification is not valid for them."
            )
        ]
    return []


def _live_time(facts: Mapping[str, Any]) -> tuple[float | None, list[str]]:
    live = _positive(_instrument(facts, "Detector.EDS.live_time"))
    real = _positive(_instrument(facts, "Detector.EDS.real_time"))
    if live is None and real is not None:
        return None, [f"The file gives the real time ({real:.4g} s) but not the live time."]
    return live, []


def elements_of(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The chemical symbols listed for the sample."""
    listed = lookup(facts, "Sample.elements")
    if listed is None or isinstance(listed, (str, Mapping)):
        return ()
    return tuple(str(e) for e in listed if re.fullmatch("[A-Z][a-z]?", str(e)))


def read_facts(signal: Signal, format_name: str) -> Facts:
    """The facts of a map or spectrum, in keV, nm, degrees and seconds.

    Raises
    ------
    ValueError
        if the energy axis cannot be used.
    """
    axis, about_axis = _energy_axis(signal)
    said = list(about_axis)
    pixel_nm: float | None = None
    if signal.kind == "map":
        pixel_nm, more = _pixel_size(signal)
        said = said + more
    beam = _positive(_instrument(signal.facts, "beam_energy"))
    if beam is not None and beam > HIGHEST_BEAM_keV:
        said.append(
            f"A beam energy of {beam:.6g} keV cannot be (volts called keV?): it is treated as "
            "unknown."
        )
        beam = None
    angle, about_angle = _take_off(signal, format_name)
    if angle is None and not about_angle:
        about_angle = [
            "The take-off angle is unknown: set take_off_angle_deg to correct for absorption."
        ]
    live, about_time = _live_time(signal.facts)
    said = said + _beam_warnings(beam, signal.signal_type) + about_angle + about_time
    return Facts(axis, pixel_nm, beam, angle, live, elements_of(signal.facts), tuple(said))
