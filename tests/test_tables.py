"""The composition table and the file of k-factors."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.core.quantification.cliff_lorimer import Composition, Method, quantify
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.line_shapes import Calibration, LineSet
from endmember.files.tables.composition_table import (
    Heading,
    composition_text,
    write_composition_csv,
)

COLUMNS = (
    "phase,source,map,pixels,element,line,net_counts,background_counts,atomic_percent,"
    "atomic_percent_poisson,atomic_percent_sigma,atomic_percent_systematic,weight_percent,"
    "weight_percent_sigma,k_factor,absorption,snr,lod_ppm,detected,reduced_chi_squared"
)
AXIS = EnergyAxis(0.9, 0.01, 800)


@pytest.fixture(scope="module")
def composition() -> Composition:
    """Magnesia without its oxygen in range, a trace of nothing at Cr, iron assumed absent."""
    lines = LineSet.of_columns([(np.array([1.2536]), np.array([1.0]))])
    shapes, _ = lines.shapes(AXIS, Calibration())
    mean = 200 * Detector().efficiency(AXIS.centres) + 1e5 * shapes[:, 0]
    counts = np.random.default_rng(3).poisson(mean).astype(float)
    spectrum = Spectrum(counts, AXIS, 200.0, 20.0)
    return quantify(spectrum, Method(("O", "Mg", "Cr", "Fe")), absent="Fe")


@pytest.fixture
def table(composition: Composition) -> list[tuple[Heading, Composition]]:
    return [
        (Heading("Fp, light", "mask", "map1", 1234), composition),
        (Heading("Fp, light", "spectrum", "", None), composition),
    ]


@pytest.fixture
def rows(table: list[tuple[Heading, Composition]], tmp_path: Path) -> list[dict[str, str]]:
    path = tmp_path / "composition.csv"
    write_composition_csv(path, table)
    assert path.read_bytes().startswith(COLUMNS.encode() + b"\n")
    assert b"\r" not in path.read_bytes()
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_there_is_a_row_for_each_composition_and_element(rows: list[dict[str, str]]) -> None:
    assert [(r["phase"], r["source"], r["map"], r["pixels"], r["element"]) for r in rows] == [
        ("Fp, light", *place, element)
        for place in (("mask", "map1", "1234"), ("spectrum", "", ""))
        for element in ("O", "Mg", "Cr", "Fe")
    ]


def test_a_value_that_does_not_exist_is_an_empty_cell(rows: list[dict[str, str]]) -> None:
    oxygen, magnesium, _, iron = rows[:4]
    assert {name for name, cell in oxygen.items() if cell} == {
        "phase", "source", "map", "pixels", "element",
    }  # fmt: skip
    assert magnesium["absorption"] == ""
    assert iron["detected"] == "assumed_absent"
    assert float(iron["atomic_percent"]) == 0.0
    assert (iron["atomic_percent_sigma"], iron["snr"], iron["lod_ppm"]) == ("", "", "")
    cells = [cell.lower() for row in rows for cell in row.values()]
    assert not {"nan", "none", "inf", "-inf"} & set(cells)


def test_numbers_carry_at_least_seven_digits(
    rows: list[dict[str, str]], composition: Composition
) -> None:
    for name in ("net_counts", "atomic_percent", "weight_percent", "lod_ppm", "snr", "k_factor"):
        for row in rows[1:3]:
            exact = getattr(composition[row["element"]], name)
            assert float(row[name]) == pytest.approx(exact, rel=1e-7)


def test_a_trace_that_is_not_there_keeps_its_signed_value(
    composition: Composition, table: list[tuple[Heading, Composition]], tmp_path: Path
) -> None:
    shown = composition_text(table)
    changed = tuple(
        replace(row, net_counts=-12.5, atomic_percent=-0.01, detected="no")
        if row.element == "Cr"
        else row
        for row in composition.rows
    )
    path = tmp_path / "signed.csv"
    signed = [(Heading("Fp", "mask", "map1", 5), replace(composition, rows=changed))]
    write_composition_csv(path, signed)
    with path.open(encoding="utf-8", newline="") as stream:
        chromium = list(csv.DictReader(stream))[2]
    assert (chromium["net_counts"], chromium["atomic_percent"]) == ("-12.5", "-0.01")
    line = next(x for x in composition_text(signed).splitlines() if x.startswith("Cr"))
    assert "< LOD" in line
    assert "-0.01" not in line
    assert "not measured" in next(x for x in shown.splitlines() if x.startswith("O "))


def test_the_text_says_whether_absorption_was_corrected(
    composition: Composition, table: list[tuple[Heading, Composition]]
) -> None:
    assert "not corrected for absorption" in composition_text(table)
    corrected = replace(
        composition, rows=tuple(replace(r, absorption=0.9) for r in composition.rows)
    )
    assert "not corrected" not in composition_text([(table[0][0], corrected)])
