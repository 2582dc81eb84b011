"""What figures of spectra have in common: which lines, which ranges, curves and labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from endmember.files.pictures.figure_page import FAINT, INK, MM_PER_INCH, SMALL_SIZE, PAGE_mm
from endmember.session.steps.compositions import SUM

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from endmember.core.counts.spectrum import EnergyAxis, FloatArray
    from endmember.core.fitting.spectrum_fit import SpectrumFit
    from endmember.core.quantification.composition import Composition
    from endmember.session.state.session import Session
    from endmember.session.steps.compositions import Entry

TRACE_PERCENT = 1.0  # at.%: an element below it in every phase is a trace
FEWEST, MOST_TRACES = 1, 6
BESIDE_keV = 0.4  # shown on both sides of the lines of a range
GAP_keV = 1.0  # lines closer than this share a range
ACROSS = 0.91  # of a page: the width of a panel that has a page to itself
APART = 1.0  # points, at least, between two names above a panel
VISIBLE = 2e-3  # of the strongest line: what is seen in a spectrum as a whole
ENERGY, COUNTS = "energy (keV)", "counts per channel"
ALPHA = {"Ka": "Kα", "La": "Lα", "Ma": "Mα"}
ROI_COLOUR, SUM_COLOUR = "#D55E00", INK
MAP_COLOURS = ("#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#E69F00")


class Overlaid(NamedTuple):
    """A spectrum beside others of the same phase: what it is called, and its colour."""

    entry: Entry
    name: str
    colour: str


def trace_elements(session: Session) -> tuple[str, ...]:
    """The elements below 1 at.% in every phase by its mask, at most six; the least one if none."""
    found = [e for e in session.result("quantification").entries if e.source == "mask"]
    largest: dict[str, float] = {}
    for entry in found:
        for row in entry.composition.rows:
            if row.line is not None and row.atomic_percent is not None:
                value = abs(row.atomic_percent)
                largest[row.element] = max(value, largest.get(row.element, 0.0))
    by_size = sorted(largest, key=lambda element: largest[element])
    number = sum(largest[element] < TRACE_PERCENT for element in by_size)
    chosen = set(by_size[: min(max(number, FEWEST), MOST_TRACES)])
    return tuple(element for element in session.recipe.sample.elements if element in chosen)


def line_of(composition: Composition, element: str) -> tuple[str, float] | None:
    """The line by which an element is measured and its energy in keV, as in ("Fe Kα", 6.4)."""
    atoms = composition.atoms
    if element not in atoms.measured:
        return None
    column = composition.fit.columns[atoms.columns[atoms.measured.index(element)]]
    return f"{element} {ALPHA.get(column.line, column.line)}", column.energy_keV


def line_ranges(composition: Composition, elements: Sequence[str]) -> list[tuple[float, float]]:
    """The ranges (low, high) in keV that show the lines of these elements; near ones share one."""
    lines = [line_of(composition, element) for element in elements]
    ranges: list[tuple[float, float]] = []
    for energy in sorted(line[1] for line in lines if line is not None):
        low, high = round(energy - BESIDE_keV, 1), round(energy + BESIDE_keV, 1)
        if ranges and energy - (ranges[-1][1] - BESIDE_keV) < GAP_keV:
            ranges[-1] = ranges[-1][0], high
        else:
            ranges.append((low, high))
    return ranges


def of_phase(session: Session, phase: str) -> list[Overlaid]:
    """The spectra of one pure phase: regions, then masks map by map, then the sums of the maps.

    A region of a precipitate is what the conventional subtraction left of it.
    """
    recipe = session.recipe
    source = "roi" if phase == recipe.sample.matrix else "conventional"
    entries = [e for e in session.result("quantification").entries if e.phase == phase]
    names = recipe.map_names

    def colour(name: str) -> str:
        return MAP_COLOURS[names.index(name) % len(MAP_COLOURS)]

    def where(name: str) -> str:
        return f", {name}" if len(names) > 1 else ""

    regions = [e for e in entries if e.source == source and e.map != SUM]
    masks = [e for e in entries if e.source == "mask" and e.map != SUM]
    sums = [e for e in entries if e.map == SUM]
    found = [Overlaid(e, f"ROI {e.label}{where(e.map)}", ROI_COLOUR) for e in regions]
    found += [Overlaid(e, f"ROI, {len(names)} maps", "#E69F00") for e in sums if e.source == source]
    found += [Overlaid(e, f"mask{where(e.map)}", colour(e.map)) for e in masks]
    found += [
        Overlaid(e, f"mask, {len(names)} maps", SUM_COLOUR) for e in sums if e.source == "mask"
    ]
    return found


def compared(session: Session, phase: str) -> list[Overlaid]:
    """At most three: a region, the mask of its map, and the mask of all maps.

    Of several regions and maps those with most pixels, so that each shows what it can.
    """
    every = of_phase(session, phase)
    regions = [o for o in every if o.entry.source != "mask" and o.entry.map != SUM]
    masks = [o for o in every if o.entry.source == "mask" and o.entry.map != SUM]
    sums = [o for o in every if o.entry.source == "mask" and o.entry.map == SUM]
    region = max(regions, key=lambda o: o.entry.pixels, default=None)
    beside = [o for o in masks if region is not None and o.entry.map == region.entry.map]
    mask = max(beside or masks, key=lambda o: o.entry.pixels, default=None)
    return [*(o for o in (region, mask) if o is not None), *sums]


def steps(axes: Axes, energies: FloatArray, values: FloatArray, **style: object) -> None:
    """A spectrum as steps, one for each channel."""
    axes.plot(energies, values, drawstyle="steps-mid", **style)  # type: ignore[arg-type]


def within(energies: FloatArray, span: tuple[float, float]) -> FloatArray:
    """Which channels lie in a range (low, high) in keV; True or False, (channels,)."""
    return np.asarray((energies >= span[0]) & (energies <= span[1]))


def joined(values: FloatArray, channels: int) -> FloatArray:
    """Means over so many neighbouring channels, (channels // number,); the rest is left out."""
    whole = len(values) // channels * channels
    return np.asarray(values[:whole].reshape(-1, channels).mean(axis=1))


def shown_channels(
    axis: EnergyAxis, values: FloatArray, span: tuple[float, float], width_keV: float
) -> tuple[FloatArray, FloatArray]:
    """Energies and values within a range, the channels joined to about `width_keV`."""
    shown = within(axis.centres, span)
    number = max(1, round(width_keV / axis.step_keV))
    return joined(axis.centres[shown], number), joined(values[shown], number)


def last_line_keV(fits: Iterable[SpectrumFit]) -> float:
    """The end of an axis that shows every alpha line with a good part of the counts."""
    energies = [
        column.energy_keV
        for fit in fits
        for column, area, variance in zip(
            fit.columns, fit.areas, np.diag(fit.covariance), strict=True
        )
        if column.alpha_share and area > max(VISIBLE * fit.areas.max(), 5 * variance**0.5)
    ]
    return max([8.0, *(e + 0.8 for e in energies)])


def label_lines(axes: Axes, fits: Sequence[SpectrumFit]) -> None:
    """The names of the alpha lines with counts, above a panel as wide as a page.

    Where two would meet, the stronger line has its name.
    """
    low, high = axes.get_xlim()
    strongest: dict[tuple[str, str], tuple[float, float]] = {}
    for fit in fits:
        sigmas = np.sqrt(np.maximum(np.diag(fit.covariance), 0.0))
        for column, area, sigma in zip(fit.columns, fit.areas, sigmas, strict=True):
            if not column.alpha_share or area < 5 * sigma or not low < column.energy_keV < high:
                continue
            key = column.element, column.line
            size = float(area) / float(fit.areas.max())
            if key not in strongest or size > strongest[key][0]:
                strongest[key] = size, column.energy_keV
    width = ACROSS * PAGE_mm / MM_PER_INCH * 72.0  # in points, as it will be once it is laid out
    taken: list[tuple[float, float]] = []
    for (element, _), (_, energy) in sorted(strongest.items(), key=lambda i: -i[1][0]):
        place, half = width * (energy - low) / (high - low), name_width(element) / 2
        if any(abs(place - other) < half + beside + APART for other, beside in taken):
            continue
        taken.append((place, half))
        mark_line(axes, energy, element)


def name_width(name: str) -> float:
    """The width of a name above a panel, in points."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), name, size=SMALL_SIZE).get_extents().width)


def mark_line(axes: Axes, energy_keV: float, name: str) -> None:
    """The name of a line above the panel, with a faint stroke down."""
    axes.axvline(energy_keV, color=FAINT, linewidth=0.3, alpha=0.5, zorder=0)
    axes.annotate(
        name,
        (energy_keV, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=SMALL_SIZE,
    )
