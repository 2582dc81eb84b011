"""The short tables of a report: phases side by side, what was separated, where all comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from endmember.files.pictures.html_page import Cell, Column, Group, Number, Table
from endmember.session.figures.spectrum_panels import Overlaid, of_phase, trace_elements
from endmember.session.state.session import Failure
from endmember.session.views.composition_view import decimals_for, number_text

if TYPE_CHECKING:
    from endmember.core.quantification.composition import ElementResult
    from endmember.session.state.session import Session
    from endmember.session.steps.chain import MapAbundance
    from endmember.session.steps.separation import MapMasks, MapPhases

PPM_PER_PERCENT = 1e4
MOST_COLUMNS = 6


def phase_tables(session: Session) -> list[Table]:
    """For each phase its regions, masks and sums side by side, at most six in a table.

    Contents with their statistical error, of traces in ppm; what is not detected as the limit of
    detection.
    """
    tables = []
    for phase in session.recipe.phases:
        spectra = of_phase(session, phase)
        for start in range(0, len(spectra), MOST_COLUMNS):
            part = spectra[start : start + MOST_COLUMNS]
            more = f", part {start // MOST_COLUMNS + 1}" if len(spectra) > MOST_COLUMNS else ""
            tables.append(_phase_table(session, phase, part, more))
    return tables


def _phase_table(session: Session, phase: str, spectra: Sequence[Overlaid], more: str) -> Table:
    columns = [Column("Element", numeric=False), Column("Unit", numeric=False)]
    columns += [Column(one.name, f"{one.entry.pixels:,} pixels") for one in spectra]
    rows, traces = [], trace_elements(session)
    for element in session.recipe.sample.elements:
        found = [one.entry.composition[element] for one in spectra]
        ppm = element in traces
        cells: list[Cell] = [element, "at. ppm" if ppm else "at.%"]
        cells += [_content(row, PPM_PER_PERCENT if ppm else 1.0) for row in found]
        rows.append(cells)
    chi: list[Cell] = ["Reduced chi-squared", ""]
    for one in spectra:
        value = one.entry.composition.fit.reduced_chi_squared
        chi.append([Number(value, number_text(value, 2), "reduced_chi_squared")])
    caption = (
        f"Composition of {phase}{more}: value ± one sigma (counting). Elements that are not "
        "detected are below the limit of detection in brackets."
    )
    return Table(f"phase_{phase}{more}", caption, columns, [Group("", [*rows, chi])])


def _content(row: ElementResult, factor: float) -> Cell:
    value, sigma = row.atomic_percent, row.atomic_percent_sigma
    if row.detected == "assumed_absent":
        return "assumed absent"
    if value is None:
        return "not measured"
    if row.detected == "no" and row.lod_ppm is not None:
        limit = row.lod_ppm * factor / PPM_PER_PERCENT
        return ["< LOD (", Number(limit, number_text(limit, decimals_for(None, limit))), ")"]
    digits = decimals_for(factor * (sigma or 0.0), factor * value)
    shown = Number(factor * value, number_text(factor * value, digits))
    if not sigma:
        return [shown]
    return [shown, " ± ", Number(factor * sigma, number_text(factor * sigma, digits))]


def separation_table(session: Session) -> Table:
    """Of each map and phase: pixels, share of the counts, factor of the subtraction, purity."""
    columns = [
        Column("Phase", numeric=False),
        Column("Pixels", "without overlap"),
        Column("Share of the counts", "%"),
        Column("Component"),
        Column("Factor of the matrix"),
        Column("Left in the matrix mask", "%"),
    ]
    groups = []
    for name in session.recipe.map_names:
        rows = _separated(session, name)
        if rows:
            groups.append(Group(name, rows))
    caption = (
        "What was separated, with one sigma. Shares are of counts, not of volume. The last column "
        "is the share of the counts in the mask of the pure matrix that a precipitate makes up: "
        "0 is pure."
    )
    return Table("separation", caption, columns, groups)


def _separated(session: Session, name: str) -> list[list[Cell]]:
    masks: MapMasks | Failure | None = session.result("masks", name)
    phases: MapPhases | Failure | None = session.result("subtraction", name)
    shares: MapAbundance | Failure | None = session.result("abundance", name)
    if masks is None or phases is None or isinstance(masks, Failure | None):
        return []
    fractions = getattr(shares, "fractions", {})
    matrix = session.recipe.sample.matrix
    pixels = {matrix: int(masks.partition.matrix.sum())}
    pixels |= {p: int(mask.sum()) for p, mask in masks.partition.mixtures.items()}
    rows: list[list[Cell]] = []
    for phase, number in pixels.items():
        done = getattr(phases, "subtractions", {}).get(phase)
        factor = None if done is None else (done.factor, done.factor_sigma)
        component = masks.components.get(phase)
        rows.append(
            [
                phase,
                [Number(number, f"{number:,}", "pixels")],
                _with_error(fractions.get(phase), 100.0, "phase_fraction"),
                "" if component is None else [Number(component, str(component), "component")],
                _with_error(factor, 1.0, "factor"),
                _with_error(getattr(phases, "purity", {}).get(phase), 100.0, "purity"),
            ]
        )
    return rows


def _with_error(pair: tuple[float, float] | None, factor: float, column: str) -> Cell:
    if pair is None:
        return ""
    value, sigma = factor * pair[0], factor * pair[1]
    digits = decimals_for(sigma, value)
    if not sigma > 0:
        return [Number(value, number_text(value, digits), column), " (by hand)"]
    shown = Number(value, number_text(value, digits), column)
    return [shown, " ± ", Number(sigma, number_text(sigma, digits), f"{column}_sigma")]


def input_table(session: Session) -> Table:
    """The files that decide the numbers, with their SHA-256."""
    from pathlib import Path

    from endmember.session.results.results_folder import further_inputs

    rows: list[list[Cell]] = []
    for name in session.recipe.map_names:
        data = session.result("read", name)
        if data is None or isinstance(data, Failure):
            continue
        image = data.image
        total = int(image.total)
        what = f"{image.columns} × {image.rows} pixels"
        if image.pixel_size_nm is not None:
            what += f" of {image.pixel_size_nm:.4g} nm"
        counts: Cell = [Number(total, f"{total:,}", "counts")]
        rows.append([name, Path(data.entry.file).name, what, counts, data.sha256])
    rows += [
        [name, of["file"], "", "", of["sha256"]]
        for name, of in further_inputs(session.recipe).items()
    ]
    columns = [
        Column("Input", numeric=False),
        Column("File", numeric=False),
        Column("As analysed", numeric=False),
        Column("Counts in the energy range"),
        Column("SHA-256", numeric=False),
    ]
    return Table("inputs", "Files that decide the numbers.", columns, [Group("", rows)])


def version_table(session: Session) -> Table:
    """Versions of the program and its libraries, and the seeds of random numbers."""
    from endmember.versions import versions

    recipe = session.recipe
    seeds: list[list[Cell]] = [
        ["decomposition", str(recipe.decomposition.seed)],
        ["segmentation", str(recipe.segmentation.seed)],
    ]
    found: list[list[Cell]] = [[name, number] for name, number in versions().items()]
    columns = [Column("Name", numeric=False), Column("Value", numeric=False)]
    return Table(
        "versions",
        "Versions, and seeds of random numbers.",
        columns,
        [Group("version", found), Group("seed", seeds)],
    )
