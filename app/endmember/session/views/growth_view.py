"""Signal to noise and errors against the number of pixels, as curves and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from endmember.session.views.composition_view import decimals_for, number_text
from endmember.session.views.element_table import Cell, ElementTable, Header

if TYPE_CHECKING:
    from endmember.core.counts.spectrum import FloatArray
    from endmember.session.statistics.snr_growth import GrowthPoint

PIXELS = Header("pixels", "pixels", "", "pixels of the part, each holding the smaller ones")
HEADS = (
    PIXELS,
    Header("snr", "SNR", "", "net counts over the noise of the background in 1.0 FWHM"),
    Header("root", "k √pixels", "", "the law of the square root, fitted to all parts"),
    Header("residual", "residual", "σ", "SNR less the law, over what it should scatter by"),
    Header("value", "value", "at.%", "the composition of this part"),
    Header("sigma", "± stat.", "at.%", "one sigma from counting"),
    Header("error", "error", "%", "the same in % of the value of all pixels"),
    Header("lod", "LOD", "ppm", "limit of detection in atomic ppm: 3 sigma of the blank"),
)


@dataclass(frozen=True, eq=False, slots=True)
class Growth:
    """An element of a phase on a map, or of the sum, in n parts of rising `pixels` (n,).

    `residual` is in sigma, `error_percent` the statistical error over the value of all pixels.
    `root_error_percent` follows 1 / sqrt(pixels) through the error of all pixels.
    """

    title: str
    pixels: FloatArray
    snr: FloatArray
    root: FloatArray
    residual: FloatArray
    error_percent: FloatArray
    root_error_percent: FloatArray
    says: str


def growth_of(points: Sequence[GrowthPoint], phase: str, element: str) -> list[Growth]:
    """The curves of an element of a phase: one for each map, and one for their sum, the last."""
    found = []
    maps = dict.fromkeys(p.map for p in points if (p.phase, p.element) == (phase, element))
    for name in maps:
        own = _points(points, phase, name, element)
        pixels = np.array([p.pixels for p in own], np.float64)
        sigma = np.array([p.atomic_percent_sigma for p in own])
        whole = abs(own[-1].atomic_percent)
        error = 100.0 * sigma / whole if whole else np.full(len(own), np.nan)
        title = "sum of the maps" if name == "sum" else name
        away = np.array([np.nan if (r := _in_sigma(p)) is None else r for p in own])
        found.append(
            Growth(
                title,
                pixels,
                np.array([p.snr for p in own]),
                np.array([p.root_fit for p in own]),
                away,
                error,
                error[-1] * np.sqrt(pixels[-1] / pixels),
                f"{title}: SNR = {_coefficient(own[-1])} √pixels{_farthest(own, away)}",
            )
        )
    return found


def _farthest(own: Sequence[GrowthPoint], away: FloatArray) -> str:
    """Which part lies farthest from the law; nothing where no scatter is known."""
    if np.isnan(away).all():
        return ", a strong line, whose scatter is that of the thickness"
    worst = int(np.nanargmax(np.abs(away)))
    distance = number_text(abs(float(away[worst])), 1)
    return f", farthest from it by {distance} σ at {own[worst].pixels:,} pixels"


def growth_table(
    points: Sequence[GrowthPoint], phase: str, map_name: str, element: str
) -> ElementTable | str:
    """Parts as rows, for one element of a phase on a map or of the sum."""
    own = _points(points, phase, map_name, element)
    if not own:
        return f"{element or 'This element'} was not measured in every part of {phase}."
    whole = abs(own[-1].atomic_percent)
    cells = []
    for point in own:
        decimals = decimals_for(point.atomic_percent_sigma, point.atomic_percent)
        error = 100.0 * point.atomic_percent_sigma / whole if whole else None
        cells.append(
            (
                Cell(f"{point.pixels:,}", point.pixels),
                Cell(number_text(point.snr, 1), point.snr),
                Cell(number_text(point.root_fit, 1), point.root_fit),
                Cell(number_text(_in_sigma(point), 1), _in_sigma(point)),
                Cell(number_text(point.atomic_percent, decimals), point.atomic_percent),
                Cell(number_text(point.atomic_percent_sigma, decimals), point.atomic_percent_sigma),
                Cell(number_text(error, decimals_for(error)), error),
                Cell(number_text(point.lod_ppm, decimals_for(point.lod_ppm)), point.lod_ppm),
            )
        )
    rows = tuple(f"{point.pixels:,} pixels" for point in own)
    return ElementTable(HEADS, tuple(cells), rows, ())


def _points(
    points: Sequence[GrowthPoint], phase: str, map_name: str, element: str
) -> list[GrowthPoint]:
    return [p for p in points if (p.phase, p.map, p.element) == (phase, map_name, element)]


def _in_sigma(point: GrowthPoint) -> float | None:
    """The residual over its own scatter: of a single part none, of a strong line not known."""
    if point.residual_sigma is None:
        return None
    return point.residual / point.residual_sigma if point.residual_sigma > 0 else 0.0


def _coefficient(point: GrowthPoint) -> str:
    decimals = decimals_for(point.coefficient_sigma, point.coefficient)
    k = number_text(point.coefficient, decimals)
    return f"({k} ± {number_text(point.coefficient_sigma, decimals)})"
