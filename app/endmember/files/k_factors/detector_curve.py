"""The efficiency curve of a detector from a file."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from endmember.core.xrays.detector import DetectorCurve
from endmember.files.disk.faults import ordinary_file

COLUMNS = ("energy_keV", "efficiency")
HIGHEST_keV = 400.0  # an X-ray has at most the energy of the beam


def read_detector_curve(path: str | Path) -> DetectorCurve:
    """Read a CSV with the columns energy_keV and efficiency (above 0, up to 1).

    Energies rise from line to line; further columns are passed over. Lines that begin with # are
    comments.

    Raises
    ------
    ValueError
        if the file cannot be read, lacks a column, or a line of it cannot be used.
    """
    try:
        text = ordinary_file(path).read_text(encoding="utf-8-sig")
        rows = [
            (number, [cell.strip() for cell in next(csv.reader([line]))])
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip() and not line.lstrip().startswith("#")
        ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path}: the detector curve cannot be read ({error}): check the file"
        ) from error
    places = _places(path, rows[0][1] if rows else [])
    points: list[tuple[float, float]] = []
    for number, cells in rows[1:]:
        where = f"{path}, line {number}"
        energy, efficiency = (
            _number(where, name, cells[place] if place < len(cells) else "")
            for name, place in zip(COLUMNS, places, strict=True)
        )
        _check_point(where, energy, efficiency, points[-1][0] if points else None)
        points.append((energy, efficiency))
    return DetectorCurve(str(path), tuple(e for e, _ in points), tuple(v for _, v in points))


def _places(path: str | Path, header: list[str]) -> tuple[int, ...]:
    for name in COLUMNS:
        if name not in header:
            raise ValueError(
                f"{path}: the detector curve lacks the column {name}: the first line must read "
                f"{','.join(COLUMNS)}"
            )
    return tuple(header.index(name) for name in COLUMNS)


def _number(where: str, name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f'{where}: the {name} "{cell}" is not a number: correct it')
    return value


def _check_point(where: str, energy: float, efficiency: float, before: float | None) -> None:
    if not 0 <= energy <= HIGHEST_keV:
        raise ValueError(
            f"{where}: the energy {energy:g} keV does not lie from 0 to {HIGHEST_keV:g}: give it "
            "in keV, not in eV"
        )
    if before is not None and not energy > before:
        raise ValueError(
            f"{where}: the energy {energy:g} keV follows {before:g} keV: sort the lines by rising "
            "energy, each energy once"
        )
    if not 0 < efficiency <= 1:
        raise ValueError(
            f"{where}: the efficiency {efficiency:g} does not lie above 0 and up to 1: give "
            "shares, not percent, and leave out energies at which nothing is counted"
        )
