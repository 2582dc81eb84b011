"""`endmember quantify`: a single spectrum to a composition table."""

from __future__ import annotations

import argparse
from dataclasses import replace

from endmember.core.counts.spectrum import Spectrum
from endmember.core.fitting.spectrum_fit import Foil
from endmember.core.quantification.background_spread import composition_spread, spread_sentence
from endmember.core.quantification.cliff_lorimer import Method, quantify
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.lines import atomic_mass
from endmember.files.disk.folders import complete_file
from endmember.files.k_factors.detector_curve import read_detector_curve
from endmember.files.k_factors.factor_checks import Stated
from endmember.files.k_factors.k_factor_file import read_k_factors
from endmember.files.reading.reader import read_spectrum
from endmember.files.tables.composition_table import (
    Heading,
    composition_text,
    write_composition_csv,
)
from endmember.files.tables.detection_table import detection_csv_beside, write_detection_csv
from endmember.session.steps.energy_checks import check_spectrum, composed, lines_off


def quantify_file(options: argparse.Namespace) -> str:
    """Quantify the spectrum of a file as the options say, write the CSV, return a text table.

    Raises
    ------
    ValueError
        if the file or an option cannot be used; the sentence names which.
    """
    method = _method(options)
    spectrum = _spectrum(options)
    foil = _foil(options, spectrum)
    low, high = options.energy_range_keV
    try:
        composition = quantify(spectrum.between(low, high), method, foil)
        spread = composition_spread(composition, method.system_elements, method.detector)
    except ValueError as error:
        raise ValueError(f"{options.spectrum}: {error}") from error
    doubt = spread_sentence(spread)
    told = composition.warnings if doubt is None else (*composition.warnings, doubt)
    told = (*told, *_energies_off(spectrum.between(low, high), options))
    table = [(Heading(options.spectrum.stem, "spectrum", "", None), composition)]
    beside = detection_csv_beside(options.out)
    with complete_file(options.out) as partial, complete_file(beside) as second:
        write_composition_csv(partial, table)
        write_detection_csv(second, table, [spread])
    warnings = "".join(f"\nwarning: {sentence}" for sentence in told)
    return composition_text(table) + warnings


def _energies_off(spectrum: Spectrum, options: argparse.Namespace) -> tuple[str, ...]:
    """A sentence where strong lines do not lie where the energy axis says."""
    check = check_spectrum(spectrum, (*options.elements, *options.system_elements))
    if not check.is_off:
        return ()
    offset, gain = composed(check, options.energy_offset_keV, options.energy_gain)
    remedy = f"give --energy-offset-keV={offset:g} and --energy-gain={gain:g}"
    return (f"the energy axis is off: {lines_off(check)}: {remedy}",)


def _method(options: argparse.Namespace) -> Method:
    both = set(options.elements) & set(options.system_elements)
    if both:
        raise ValueError(
            f"--elements and --system-elements both name {', '.join(sorted(both))}: "
            "name an element once"
        )
    if not options.elements:
        raise ValueError("--elements names none: give symbols such as O,Mg,Si")
    for symbol in (*options.elements, *options.system_elements):
        atomic_mass(symbol)  # an unknown symbol is refused before the file is read
    stated = Stated(options.k_factor_basis, options.k_factor_definition)
    given = None if options.k_factors is None else read_k_factors(options.k_factors, stated)
    detector = detector_of(options)
    return Method(options.elements, options.system_elements, detector=detector, given=given)


def detector_of(options: argparse.Namespace) -> Detector:
    """The detector of --detector-curve, without it the built-in one.

    Raises
    ------
    ValueError
        if the file cannot be used.
    """
    curve = options.detector_curve
    return Detector(curve=None if curve is None else read_detector_curve(curve))


def _spectrum(options: argparse.Namespace) -> Spectrum:
    spectrum = read_spectrum(options.spectrum)
    offset, gain = options.energy_offset_keV, options.energy_gain
    if not (abs(offset) < float("inf") and 0 < gain < float("inf")):
        raise ValueError("--energy-offset-keV is in keV and --energy-gain a factor: correct them")
    spectrum = replace(
        spectrum,
        axis=spectrum.axis.recalibrated(offset, gain),
        beam_energy_keV=options.beam_energy_keV or spectrum.beam_energy_keV,
        take_off_angle_deg=options.take_off_angle_deg or spectrum.take_off_angle_deg,
    )
    if spectrum.beam_energy_keV is None:
        raise ValueError(
            f"{options.spectrum}: the file does not say the beam energy: give --beam-energy-keV"
        )
    return spectrum


def _foil(options: argparse.Namespace, spectrum: Spectrum) -> Foil | None:
    given = options.thickness_nm, options.density_g_cm3
    if given == (None, None):
        return None
    if None in given:
        raise ValueError("--thickness-nm and --density-g-cm3 go together: give both or neither")
    if spectrum.take_off_angle_deg is None:
        raise ValueError(
            f"{options.spectrum}: the file does not say the take-off angle, which the absorption "
            "correction needs: give --take-off-angle-deg"
        )
    for name, value in zip(("--thickness-nm", "--density-g-cm3"), given, strict=True):
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} {value:g} is not a positive number: correct it")
    return Foil(given[0], given[1], spectrum.take_off_angle_deg)
