"""The paper's tables from a finished session, with truth and the paper's figures beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measured import Measured, Share, columns_of, shares
from power_law import PowerLaw, power_law, shared_pixels
from published import LOD_SM_IN_FP_PPM, MASK_PIXELS, ROI_PIXELS, SNR, brg_mask_1

from endmember.files.tables.csv_table import write_csv
from endmember.session.statistics.map_consistency import ElementConsistency
from endmember.session.statistics.mass_balances import ElementBalance
from endmember.session.statistics.snr_growth import GrowthPoint
from endmember.session.steps.compositions import SUM

TRACES = ("Nd", "Sm", "U")
BALANCE_COLUMNS = (
    *("map", "element", "truth"),
    *(
        f"{what}{of}"
        for what in ("whole", "phases", "difference")
        for of in ("", "_sigma", "_pull")
    ),
    *("whole_systematic", "paper"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: `cells` as text for reading, `records` as numbers for the CSV `file`."""

    title: str
    head: Sequence[str]
    cells: Sequence[Sequence[str]]
    file: str
    columns: Sequence[str]
    records: Sequence[Sequence[object]]
    note: str = ""

    def text(self) -> str:
        """Title, columns set to the right, and the note."""
        widths = [
            max(len(row[i]) for row in (self.head, *self.cells)) for i in range(len(self.head))
        ]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (self.head, *self.cells)
        ]
        rule = "-" * max(map(len, lines))
        note = [self.note] if self.note else []
        return "\n".join([self.title, "", lines[0], rule, *lines[1:], *note])

    def write(self, folder: Path) -> None:
        """The CSV into a folder."""
        write_csv(folder / self.file, self.columns, self.records)


def _number(value: float | None, element: str, digits: int = 3) -> str:
    """At.%, or ppm of a trace."""
    if value is None:
        return ""
    return f"{value * 1e4:.0f}" if element in TRACES else f"{value:.{digits}f}"


def _with_error(value: float | None, sigma: float | None, pull: float | None, element: str) -> str:
    if value is None:
        return ""
    if not sigma or pull is None:
        return "absent"
    return f"{_number(value, element)} ± {_number(sigma, element)} ({pull:+.1f})"


def _unit(element: str) -> str:
    return f"{element} ppm" if element in TRACES else f"{element} at.%"


def mass_balance_table(rows: Sequence[ElementBalance]) -> Table:
    """Table 1: the whole maps beside their phases and the bulk, all maps together."""
    cells, records = [], []
    for row in rows:
        assert row.bulk_atomic_percent is not None
        true, e = row.bulk_atomic_percent, row.element
        pulls = [
            (row.whole_atomic_percent - true) / row.whole_sigma,
            (row.phases_atomic_percent - true) / row.phases_sigma,
            row.difference / row.difference_sigma,
        ]
        records.append(
            [
                row.map,
                e,
                true,
                row.whole_atomic_percent,
                row.whole_sigma,
                pulls[0],
                row.phases_atomic_percent,
                row.phases_sigma,
                pulls[1],
                row.difference,
                row.difference_sigma,
                pulls[2],
                row.whole_systematic,
                None,
            ]
        )
        if row.map == SUM:
            cells.append(
                [
                    _unit(e),
                    _number(true, e),
                    _with_error(row.whole_atomic_percent, row.whole_sigma, pulls[0], e),
                    _with_error(row.phases_atomic_percent, row.phases_sigma, pulls[1], e),
                    _with_error(row.difference, row.difference_sigma, pulls[2], e),
                    f"{100 * (row.phases_atomic_percent / true - 1):+.2f}",
                    "",
                ]
            )
    return Table(
        "Table 1. Mass balance: the sum of the maps. In brackets: (value - bulk) / sigma",
        [
            "",
            "bulk (truth)",
            "whole maps",
            "phases added up",
            "whole - phases",
            "phases off %",
            "paper",
        ],
        cells,
        "table_1_mass_balance.csv",
        BALANCE_COLUMNS,
        records,
    )


def composition_tables(rows: Sequence[Measured], maps: int) -> list[Table]:
    """Tables 2 and S1: each phase by hand, then by mask, on each map and in their sum."""
    tables = []
    for number, phase in enumerate(dict.fromkeys(row.phase for row in rows)):
        name = "2" if number == 0 else "S1"
        for kind in ("ROI", "Mask"):
            own = [r for r in rows if r.phase == phase and r.column.startswith(kind)]
            tables.append(_composition_table(own, name, phase, kind, maps))
    return tables


def _composition_table(
    rows: Sequence[Measured], name: str, phase: str, kind: str, maps: int
) -> Table:
    columns = [column for column in columns_of(maps) if column.startswith(kind)]
    at = {(row.element, row.column): row for row in rows}
    elements = list(dict.fromkeys(row.element for row in rows))
    published = {e: brg_mask_1(e) if (name, kind) == ("2", "Mask") else None for e in elements}
    cells = [["pixels", "", *(f"{at[elements[0], c].pixels:,}" for c in columns), ""]]
    for e in elements:
        of_element = [at[e, column] for column in columns]
        cells.append(
            [
                _unit(e),
                _number(of_element[0].truth, e),
                *(_with_error(r.atomic_percent, r.sigma, r.pull, e) for r in of_element),
                _number(published[e], e, 2),
            ]
        )
    fields = [f for f in Measured.__dataclass_fields__ if f not in ("unit",)]
    records = [
        [*(getattr(r, f) for f in fields), published[r.element] if r.column == "Mask_1" else None]
        for r in rows
    ]
    how = "regions by hand" if kind == "ROI" else "masks"
    if name == "S1" and kind == "ROI":
        how += ", matrix subtracted the conventional way"
    return Table(
        f"Table {name}. {phase}, {how}. In brackets: (value - truth) / sigma",
        ["", "truth", *columns, "paper Mask_1"],
        cells,
        f"table_{name}_{phase}_{kind}.csv",
        [*fields, "paper"],
        records,
    )


def snr_table(rows: Sequence[Measured], maps: int) -> Table:
    """Table 3: signal to noise of the traces in the matrix, beside the paper's."""
    phase = rows[0].phase
    at = {(r.column, r.element): r for r in rows if r.phase == phase}
    pixels = (*ROI_PIXELS, sum(ROI_PIXELS), *MASK_PIXELS, sum(MASK_PIXELS))
    names = columns_of(len(ROI_PIXELS))
    cells, records = [], []
    for column in columns_of(maps):
        known = names.index(column) if column in names else None
        known = None if column.endswith("Sum") and maps != len(ROI_PIXELS) else known
        row: list[object] = [column, at[column, "Nd"].pixels]
        row.append(None if known is None else pixels[known])
        for e in TRACES:
            row += [at[column, e].snr, None if known is None else SNR[e][known]]
        records.append(row)
        texts = ["" if v is None else f"{v:.1f}" for v in row[3:] if not isinstance(v, str)]
        counts = ["" if v is None else f"{v:,}" for v in row[1:3]]
        cells.append([column, *counts, *texts])
    return Table(
        f"Table 3. Signal to noise in {phase}: simulated, and the paper's",
        ["", "pixels", "paper", *(head for e in TRACES for head in (e, "paper"))],
        cells,
        "table_3_snr.csv",
        ["column", "pixels", "pixels_paper", *(f"{e}{w}" for e in TRACES for w in ("", "_paper"))],
        records,
    )


def independent_law(
    rows: Sequence[Measured], element: str, maps: int, of_paper: bool = False
) -> PowerLaw | None:
    """The power law through the regions and masks of single maps; the sums only repeat them.

    The errors of the paper's figures are taken from ours. None if the paper has not all of them.
    """
    columns = [column for column in columns_of(maps) if not column.endswith("Sum")]
    own = {r.column: r for r in rows if r.phase == rows[0].phase and r.element == element}
    pixels = [own[column].pixels for column in columns]
    snr = [own[column].snr for column in columns]
    if of_paper:
        if maps != len(ROI_PIXELS):
            return None
        pixels = [*ROI_PIXELS, *MASK_PIXELS]
        snr = [SNR[element][i] for i in (0, 1, 2, 4, 5, 6)]
    values = [v for v in snr if v is not None]
    unit = own["Mask_Sum"].unit
    if len(values) < len(snr) or unit is None:
        return None
    within = [maps + i if i < maps else None for i in range(len(columns))]
    return power_law(pixels, values, unit, shared_pixels(pixels, within))


def nested_law(
    points: Sequence[GrowthPoint], rows: Sequence[Measured], phase: str, name: str, element: str
) -> PowerLaw | None:
    """The power law through random parts of the pixels of a phase; None if there are too few."""
    own = [p for p in points if (p.phase, p.map, p.element) == (phase, name, element)]
    of = [r for r in rows if (r.phase, r.map, r.element) == (phase, name, element)]
    unit = next((r.unit for r in of if r.column.startswith("Mask")), None)
    if len(own) < 3 or unit is None:
        return None
    pixels = [p.pixels for p in own]
    return power_law(pixels, [p.snr for p in own], unit, shared_pixels(pixels))


def exponent_table(rows: Sequence[Measured], points: Sequence[GrowthPoint], maps: int) -> Table:
    """The exponents of Table 3 and Fig. 9: how signal to noise grows with pixels."""
    phase = rows[0].phase
    laws = [
        (e, what, law)
        for e in TRACES
        for what, law in (
            ("regions and masks of single maps", independent_law(rows, e, maps)),
            ("parts of all masks", nested_law(points, rows, phase, SUM, e)),
            ("the paper's regions and masks", independent_law(rows, e, maps, of_paper=True)),
        )
        if law is not None
    ]
    return Table(
        f"Exponent of pixels in the signal to noise of {phase}; 0.5 is expected",
        ["", "from", "exponent", "off 0.5 in sigma"],
        [
            [e, what, f"{law.exponent:.3f} ± {law.sigma:.3f}", f"{law.pull:+.1f}"]
            for e, what, law in laws
        ],
        "table_3_exponents.csv",
        ["element", "from", "exponent", "sigma", "pull"],
        [[e, what, law.exponent, law.sigma, law.pull] for e, what, law in laws],
    )


def lod_table(rows: Sequence[Measured]) -> Table:
    """Fig. 11: limits of detection in every phase by a region, by one map and by all maps."""
    steps = {"ROI": "ROI_1", "one map": "Mask_1", "all maps": "Mask_Sum"}
    at = {(r.phase, r.element, r.column): r for r in rows}
    cells, records = [], []
    for phase in dict.fromkeys(row.phase for row in rows):
        for e in TRACES:
            own = [at[phase, e, column] for column in steps.values()]
            limits = [r.lod_ppm for r in own]
            as_paper = [r.lod_paper_ppm for r in own]
            known = list(LOD_SM_IN_FP_PPM.values()) if (phase, e) == ("Fp", "Sm") else [None] * 3
            records.append([phase, e, *(r.pixels for r in own), *limits, *as_paper, *known])
            cells.append([f"{e} in {phase}", *map(_steps, (limits, as_paper, known))])
    names = [name.replace(" ", "_") for name in steps]
    return Table(
        "Fig. 11. Limits of detection in ppm: a region, one map, all maps",
        ["", "3 s0", "paper's formula", "paper"],
        cells,
        "fig_11_limits.csv",
        [
            "phase",
            "element",
            *(f"{w}_{n}" for w in ("pixels", "lod", "lod_paper_formula", "paper") for n in names),
        ],
        records,
    )


def _steps(limits: Sequence[float | None]) -> str:
    return " -> ".join(f"{v:.0f}" for v in limits if v is not None)


def consistency_table(rows: Sequence[ElementConsistency]) -> Table:
    """Whether the maps agree: the least probable element of each phase, by hand and by mask."""
    cells = []
    for key in dict.fromkeys((row.phase, row.source) for row in rows):
        own = [row for row in rows if (row.phase, row.source) == key]
        chi, degrees = sum(r.chi_squared for r in own), sum(r.degrees_of_freedom for r in own)
        worst = min(own, key=lambda row: row.p_value)
        cells.append(
            [
                *key,
                f"{chi / degrees:.2f}",
                worst.element,
                f"{worst.p_value:.2g}",
                f"{worst.p_value_of_all:.2g}",
            ]
        )
    fields = list(ElementConsistency.__dataclass_fields__)
    return Table(
        "Do the maps agree? Chi-squared over degrees of freedom of all elements, and the worst one",
        ["phase", "source", "chi2 / dof", "worst", "p", "p of all tests"],
        cells,
        "consistency.csv",
        fields,
        [[getattr(row, field) for field in fields] for row in rows],
    )


def share_table(rows: Sequence[Measured]) -> Table:
    """How often the truth lies within the stated errors."""
    found = shares(rows)
    fields = list(Share.__dataclass_fields__)
    return Table(
        "Within the stated errors: share of values in 1 and 2 sigma (expected 68 and 95 %), rms",
        ["phase", "kind", "against", "values", "1 sigma", "2 sigma", "rms"],
        [
            [
                s.phase,
                s.kind,
                s.against.replace("_", " "),
                str(s.values),
                f"{s.within_1:.0%}",
                f"{s.within_2:.0%}",
                f"{s.root_mean_square:.2f}",
            ]
            for s in found
        ],
        "within_errors.csv",
        fields,
        [[getattr(s, field) for field in fields] for s in found],
    )
