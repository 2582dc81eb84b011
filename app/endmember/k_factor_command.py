"""`endmember k-factors`: computed k-factors as a table, with all that they mean nothing without."""

from __future__ import annotations

import argparse
from pathlib import Path

from endmember.core.xrays.detector import Detector
from endmember.core.xrays.k_factors import KFactorRow, KFactorTable, k_factor_table
from endmember.core.xrays.lines import Family, atomic_mass, default_family
from endmember.files.disk.folders import complete_file
from endmember.files.k_factors.k_factor_csv import write_plain_csv
from endmember.quantify_command import detector_of

LOW_keV, HIGH_keV = 0.1, 20.0  # a line is looked for where spectra have their lines

_HEAD = (
    f"{'':4}{'line':>5}{'energy keV':>12}{'emission cm2':>14}{'efficiency':>12}{'k':>10}"
    f"{'k sys. %':>10}"
)


def k_factors_text(options: argparse.Namespace) -> str:
    """The table that the options ask for, written as a CSV too if they name one.

    Raises
    ------
    ValueError
        if an option cannot be used.
    """
    table = _table(options)
    if options.csv is not None:
        with complete_file(options.csv) as partial:
            write_plain_csv(partial, table)
    return "\n".join([_heading(table), _HEAD, *(_line(table, row) for row in table.rows)])


def _table(options: argparse.Namespace) -> KFactorTable:
    if not options.elements:
        raise ValueError("--elements names none: give symbols such as O,Mg,Si")
    if options.no_detector and options.detector_curve is not None:
        raise ValueError("--no-detector and --detector-curve exclude each other: give one of them")
    beam = options.beam_energy_keV
    families = {element: _family(element, beam) for element in options.elements}
    reference = options.reference.strip()
    detector: Detector | None = None if options.no_detector else detector_of(options)
    return k_factor_table(
        families,
        (reference, _family(reference, beam)),
        beam,
        definition=options.definition,
        basis=options.basis,
        detector=detector,
    )


def _family(element: str, beam_energy_keV: float) -> Family:
    atomic_mass(element)  # an unknown symbol is refused first
    family = default_family(element, beam_energy_keV, LOW_keV, HIGH_keV)
    if family is None:
        raise ValueError(
            f"{element} has no alpha line between {LOW_keV:g} and {HIGH_keV:g} keV at "
            f"{beam_energy_keV:g} keV: leave it out"
        )
    return family


def _heading(table: KFactorTable) -> str:
    """One line that says what the numbers mean."""
    basis = "by weight" if table.basis == "weight" else "by atoms"
    counts = "alpha lines" if table.definition == "alpha" else "whole families"
    detector = "detector not inside"
    if table.detector is not None:
        curve = table.detector.curve
        kind = (
            f"curve {Path(curve.name).name}"
            if curve is not None
            else f"{table.detector.silicon_um:g} um Si, {table.detector.dead_layer_nm:g} nm dead "
            f"layer, {table.detector.aluminium_nm:g} nm Al"
        )
        detector = f"detector inside ({kind})"
    reference = f"{table.reference} {_line_name(table, table.reference_family)}"
    return (
        f"k-factors {basis}, relative to {reference}, of {counts}, "
        f"{table.beam_energy_keV:g} keV, {detector}"
    )


def _line_name(table: KFactorTable, family: Family) -> str:
    return f"{family}a" if table.definition == "alpha" else family


def _line(table: KFactorTable, row: KFactorRow) -> str:
    efficiency = "" if row.efficiency is None else f"{row.efficiency:.4f}"
    return (
        f"{row.element:4}{_line_name(table, row.family):>5}{row.energy_keV:12.4f}"
        f"{row.cross_section_cm2:14.4e}{efficiency:>12}{row.k:10.4f}{100 * row.systematic:10.0f}"
    )
