"""The energy axis of a map against strong lines, and the recalibration that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from endmember.core.progress import Report, silent
from endmember.session.decisions.recipe import MapInput
from endmember.session.state.session import Failure, Session

if TYPE_CHECKING:  # numerical libraries are imported when a step runs
    from endmember.core.counts.spectrum import Spectrum
    from endmember.core.fitting.energy_calibration import EnergyCheck
    from endmember.session.steps.map_data import MapData


class Recalibration(NamedTuple):
    """What a recipe would say of the axis of a file: true energies are offset + gain * E."""

    energy_offset_keV: float
    energy_gain: float


def check_map(
    report: Report, elements: tuple[str, ...], system_elements: tuple[str, ...], data: MapData
) -> EnergyCheck:
    """Check the axis of a map, as it was read, with its summed spectrum.

    The elements that the file lists stand in while none is chosen. Where nothing can be fitted,
    nothing is found.
    """
    from endmember.core.progress import part_of

    chosen = (*elements, *system_elements) or _known(data.image.elements)
    spectrum = data.image.spectrum(report=part_of(report, 0.0, 0.3))
    return check_spectrum(spectrum, chosen, part_of(report, 0.3, 1.0))


def check_spectrum(
    spectrum: Spectrum, elements: tuple[str, ...], report: Report = silent
) -> EnergyCheck:
    """Check the axis of a spectrum; nothing is found without elements, or where nothing fits."""
    from endmember.core.fitting.energy_calibration import EnergyCheck, check_energies

    try:
        if elements:
            return check_energies(spectrum, elements, report=report)
    except ValueError:  # no line in the range, no counts ...: told where spectra are fitted
        pass
    return EnergyCheck((), spectrum.axis.step_keV)


def _known(symbols: tuple[str, ...]) -> tuple[str, ...]:
    from endmember.session.decisions.recipe_rules import atomic_number

    return tuple(symbol for symbol in symbols if atomic_number(symbol))


def check_of(session: Session, map_name: str) -> EnergyCheck | None:
    """What was found for a map as it is now, None before that."""
    if "energy_check" not in [step.name for step in session.table]:
        return None
    result = session.result("energy_check", map_name)
    return None if isinstance(result, Failure) else result


def recalibration(check: EnergyCheck, entry: MapInput) -> Recalibration:
    """The calibration of the file's axis that puts the lines right.

    `check` was made of the map as `entry` has it; both corrections follow one another. Rounded to
    0.1 eV and to 1e-5, which is 0.1 eV at 10 keV.
    """
    return composed(check, *entry.recalibration)


def composed(check: EnergyCheck, offset_keV: float, gain: float) -> Recalibration:
    """A calibration and what a check found after it, in one."""
    offset, gain = check.offset_keV + check.gain * offset_keV, check.gain * gain
    return Recalibration(round(offset, 4), round(gain, 5))


def off_sentence(check: EnergyCheck, entry: MapInput) -> str:
    """What is wrong with the axis, and what to write."""
    offset, gain = recalibration(check, entry)
    return (
        f'map "{entry.name}": the energy axis is off: {lines_off(check)}. Press Recalibrate on '
        f"the Map page, or write energy_offset_keV = {offset:g} and energy_gain = {gain:g} under "
        "[[map]]"
    )


def lines_off(check: EnergyCheck) -> str:
    """Where the farthest line lies, by how much, and on how many lines that rests."""
    worst = check.worst
    if worst is None:
        return "no line was found"
    shift, sigma = 1000 * (worst.position_keV - worst.energy_keV), 1000 * worst.sigma_keV
    return (
        f"{worst.name} lies at {worst.position_keV:.3f} keV in place of {worst.energy_keV:.3f} "
        f"({shift:+.1f} +- {sigma:.1f} eV; a channel has {1000 * check.channel_keV:.4g} eV; "
        f"{len(check.used)} lines agree)"
    )
