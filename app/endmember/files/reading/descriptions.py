"""What a file holds, as plain dicts, lists, strings and numbers: `endmember info --json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from endmember.core.counts.spectrum import Spectrum
from endmember.files.reading.reader import ZERO_PEAK_ENDS_KEV, MapReading, SpectrumReading
from endmember.files.reading.signals import Signal

USUAL_RANGE_keV = (0.3, 20.0)  # the default of recipes and of `endmember quantify`
USUAL_BEAM_keV, LOWEST_BEAM_keV, HIGHEST_BEAM_keV = 200.0, 30.0, 400.0


def number_of(total: float) -> int | float:
    """A total as a whole number where it is one."""
    return int(total) if float(total).is_integer() else float(total)


def _common(spectrum: Spectrum, index: int) -> dict[str, Any]:
    total = float(spectrum.counts.sum())
    below = spectrum.axis.centres < ZERO_PEAK_ENDS_KEV
    return {
        "index": index,
        "shape": [spectrum.axis.channels],
        "energy_start_keV": float(spectrum.axis.start_keV),
        "energy_step_keV": float(spectrum.axis.step_keV),
        "beam_energy_keV": spectrum.beam_energy_keV,
        "take_off_angle_deg": spectrum.take_off_angle_deg,
        "live_time_s": spectrum.live_time_s,
        "total_counts": number_of(total),
        "zero_peak_fraction": float(spectrum.counts[below].sum() / total) if total else 0.0,
    }


def _lineless(spectrum: Spectrum, elements: Sequence[str]) -> list[str]:
    """A sentence for the listed elements that have no line where spectra are fitted by default."""
    from endmember.core.xrays.cross_sections import atomic_number
    from endmember.core.xrays.lines import default_family

    axis = spectrum.axis
    low, high = max(USUAL_RANGE_keV[0], axis.start_keV), min(USUAL_RANGE_keV[1], axis.stop_keV)
    # which shells a slower beam does not reach is told where the spectrum is fitted
    beam = spectrum.beam_energy_keV or USUAL_BEAM_keV
    beam = beam if LOWEST_BEAM_keV <= beam <= HIGHEST_BEAM_keV else USUAL_BEAM_keV
    lineless = []
    for element in elements:
        try:
            atomic_number(element)
        except ValueError:  # files list what people typed
            continue
        if default_family(element, beam, low, high) is None:
            lineless.append(element)
    if not lineless:
        return []
    have = "has" if len(lineless) == 1 else "have"
    sentence = (
        f"{', '.join(lineless)} {have} no line between {low:.2f} and {high:.2f} keV and cannot be "
        "quantified there: widen the energy range if the spectrum holds one, or leave it out."
    )
    return [sentence]


def map_json(reading: MapReading) -> dict[str, Any]:
    """A map as `endmember info --json` has it."""
    image = reading.image
    return _common(image.spectrum(), reading.signal) | {
        "shape": list(image.shape),
        "pixel_size_nm": image.pixel_size_nm,
        "total_counts": image.total,
        "elements": list(image.elements),
        "images": list(image.images),
        "warnings": [*reading.warnings, *_lineless(image.spectrum(), image.elements)],
    }


def spectrum_json(reading: SpectrumReading) -> dict[str, Any]:
    """A spectrum as `endmember info --json` has it."""
    return _common(reading.spectrum, reading.signal) | {
        "elements": list(reading.elements),
        "warnings": [*reading.warnings, *_lineless(reading.spectrum, reading.elements)],
    }


def signal_json(signal: Signal) -> dict[str, Any]:
    """A signal as `endmember info --json` lists it."""
    return {
        "index": signal.index,
        "title": signal.title,
        "kind": signal.kind,
        "shape": list(signal.shape),
        "dtype": str(signal.data.dtype),
    }
