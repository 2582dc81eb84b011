"""All tables of a finished session as one workbook, with a sheet that says how they were made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from endmember.core.quantification.formula_units import FormulaUnit
    from endmember.files.tables.composition_table import Heading, Table
    from endmember.session.state.session import Session

_UNITS = {
    "net_counts": "counts",
    "net_sigma": "counts",
    "background_counts": "counts",
    "critical_counts": "counts",
    "detection_counts": "counts",
    "background_spread_counts": "counts",
    "background_spread_sigma": "sigma",
    "k_factor": "by weight",
    "atoms": "per formula unit",
    "atoms_sigma": "per formula unit",
    "atoms_systematic": "per formula unit",
}
_UNIT_OF_ENDING = {"_ppm": "atomic ppm"}
_UNIT_OF_BEGINNING = {"atomic_percent": "at.%", "weight_percent": "wt.%"}
ERRORS = (
    "one sigma each. _poisson: the value divided by the root of the net counts. _sigma: counting, "
    "with background, overlapping lines and subtraction. _systematic: from the k-factors. Of "
    "thickness and density none"
)


def write_workbook_of(
    path: Path,
    session: Session,
    compositions: Table,
    formula_units: Sequence[tuple[Heading, FormulaUnit]],
) -> None:
    """Write composition, detection, partition and, where there are any, formula units as sheets."""
    from endmember.files.tables import (
        composition_table,
        detection_table,
        formula_table,
        partition_table,
    )
    from endmember.files.tables.workbook import Sheet, write_workbook

    spreads = session.result("background_spread").spreads
    detection = detection_table.detection_rows(compositions, spreads)
    partition = partition_table.partition_rows(session.result("partition"))
    tables: list[tuple[str, Sequence[str], Sequence[Sequence[object]]]] = [
        (
            "composition",
            composition_table.COLUMNS,
            composition_table.composition_rows(compositions),
        ),
        ("detection", detection_table.COLUMNS, detection),
        ("partition", partition_table.COLUMNS, partition),
    ]
    if formula_units:
        rows = formula_table.formula_rows(formula_units)
        tables.append(("formula units", formula_table.COLUMNS, rows))
    sheets = [
        Sheet(name, columns, [unit_of(column) for column in columns], rows, _fixed(columns))
        for name, columns, rows in tables
    ]
    write_workbook(path, sheets, method_of(session))


def unit_of(column: str) -> str:
    """The unit of a column of the tables; empty where it has none."""
    if column in _UNITS:
        return _UNITS[column]
    for ending, unit in _UNIT_OF_ENDING.items():
        if column.endswith(ending):
            return unit
    for beginning, unit in _UNIT_OF_BEGINNING.items():
        if column.startswith(beginning):
            return unit
    return ""


def _fixed(columns: Sequence[str]) -> int:
    """The columns up to the element stay in view."""
    return list(columns).index("element") + 1


def method_of(session: Session) -> dict[str, object]:
    """How the numbers were made, by the name of each fact; the same from run to run."""
    from endmember.versions import versions

    recipe = session.recipe
    method: dict[str, object] = {}
    for name in recipe.map_names:
        data = session.result("read", name)
        image = data.image
        method[f"map {name}"] = (
            f"{Path(data.entry.file).name}, {image.columns} x {image.rows} pixels, "
            f"{image.total:,} counts in the energy range"
        )
        method[f"SHA-256 of {name}"] = data.sha256
        method[f"beam energy of {name} (keV)"] = image.beam_energy_keV
        method[f"take-off angle of {name} (degrees)"] = image.take_off_angle_deg
        method[f"thickness of {name} (nm)"] = recipe.map_named(name).thickness_nm
    return {**method, **_settings(session), **{f"version of {k}": v for k, v in versions().items()}}


def _settings(session: Session) -> dict[str, object]:
    recipe = session.recipe
    low, high = recipe.instrument.energy_range_keV
    how, found = recipe.quantification, recipe.decomposition
    densities = recipe.sample.density_g_cm3
    return {
        "energy range (keV)": f"{low:g} to {high:g}",
        "decomposition": f"{found.components} components, {found.method}, seed {found.seed}",
        "matrix": recipe.sample.matrix,
        "precipitates": ", ".join(
            f"{p.name} (absent: {p.absent}"
            + ("" if p.factor is None else f"; factor {p.factor:g} by hand")
            + ")"
            for p in recipe.precipitates
        ),
        "elements": ", ".join(recipe.sample.elements),
        "fitted only": ", ".join(recipe.sample.system_elements),
        "densities (g/cm3)": ", ".join(f"{p} {densities[p]:g}" for p in densities),
        "k-factors": "computed" if how.k_factors == "computed" else Path(how.k_factors).name,
        "k-factors are": "by weight, of the alpha line, detector inside, relative to the element "
        f"named here: {_references(session)}",
        "oxygen": how.oxygen,
        "errors": ERRORS,
        "warnings": "\n".join(_warnings(session)),
    }


def _references(session: Session) -> str:
    entries = session.result("quantification").entries
    return "; ".join(f"{entry.place}: {entry.composition.reference}" for entry in entries)


def _warnings(session: Session) -> list[str]:
    from endmember.session.views.remarks import remarks

    return [remark.sentence for remark in remarks(session)]
