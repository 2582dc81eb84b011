"""The script that reproduces the paper's tables: on two small maps, against truth and product."""

from __future__ import annotations

import csv
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from endmember.core.simulation.simulated_map import expected_truth
from endmember.core.simulation.specimens import PHASES

SIZE, MAPS = 64, 2
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def scripts(repository: Path) -> Any:
    """The folder of the scripts on the path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(repository / "docs" / "reproduce"))
        yield importlib.import_module


@pytest.fixture(scope="module")
def folder(scripts: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script leaves, run once."""
    paper: ModuleType = scripts("paper")
    out = tmp_path_factory.mktemp("reproduced")
    found = paper.reproduce(out, SIZE, MAPS)
    text = paper.write_tables(found, out / "tables")
    assert all(title in text for title in ("Table 1.", "Table 2.", "Table 3.", "Table S1."))
    return out


def rows_of(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def compositions(folder: Path) -> Rows:
    """All rows of Tables 2 and S1."""
    files = sorted((folder / "tables").glob("table_[2S]*.csv"))
    assert len(files) == 2 * len(PHASES)
    return [row for file in files for row in rows_of(file)]


def test_the_tables_hold_the_truth_and_the_pulls_follow_from_it(compositions: Rows) -> None:
    truth = {(phase.name, e): x for phase in PHASES for e, x in phase.atomic_percent.items()}
    assert len(compositions) == len(PHASES) * 2 * (MAPS + 1) * 9
    for row in compositions:
        true = truth.get((row["phase"], row["element"]), 0.0)
        assert float(row["truth"]) == pytest.approx(true, rel=1e-9, abs=1e-12)
        if row["pull"]:
            off = (float(row["atomic_percent"]) - true) / float(row["sigma"])
            assert float(row["pull"]) == pytest.approx(off, abs=1e-4)
    pulls = np.array([float(row["pull"]) for row in compositions if row["pull"]])
    assert np.mean(np.abs(pulls) < 3) > 0.9


def test_the_values_are_those_of_the_results(folder: Path, compositions: Rows) -> None:
    """Masks, and regions of all maps together; a region of one map where it is the only one."""
    keys = ("phase", "source", "map", "element")
    written = {tuple(r[k] for k in keys): r for r in rows_of(folder / "results/composition.csv")}
    compared = 0
    for row in compositions:
        of = written[tuple(row[k] for k in keys)]
        if of["pixels"] != row["pixels"]:
            continue
        assert (of["atomic_percent"], of["snr"]) == (row["atomic_percent"], row["snr"])
        assert of["atomic_percent_sigma"] == row["sigma"]
        compared += 1
    assert compared >= len(PHASES) * (2 * (MAPS + 1) - 1) * 9


def test_signal_to_noise_grows_with_the_root_of_pixels(folder: Path) -> None:
    rows = rows_of(folder / "tables" / "table_3_exponents.csv")
    nested = [row for row in rows if row["from"] == "parts of all masks"]
    assert [row["element"] for row in nested] == ["Nd", "Sm", "U"]
    # each sigma comes from a few parts and scatters itself: the mean of the three is tested
    mean = np.mean([float(row["exponent"]) for row in nested])
    sigma = np.sqrt(np.mean([float(row["sigma"]) ** 2 for row in nested]) / len(nested))
    assert abs(mean - 0.5) < 3 * sigma < 0.5


def test_the_exponent_of_a_known_law_is_found_with_its_error(
    scripts: Any, rng: np.random.Generator
) -> None:
    """2000 draws of nested sums of Poisson counts on a background."""
    law = scripts("power_law")
    pixels = [25, 50, 100, 200, 400]
    peak = rng.poisson(20.0, (2000, pixels[-1]))
    net = np.cumsum(peak, axis=1)[:, np.array(pixels) - 1] - 12.0 * np.array(pixels)
    snr = net / np.sqrt(12.0 * np.array(pixels))
    shared = law.shared_pixels(pixels)
    found = [law.power_law(pixels, row, np.sqrt(20.0 / 12.0), shared) for row in snr]
    pulls = np.array([one.pull for one in found])
    assert abs(pulls.mean()) < 0.1
    assert pulls.std() == pytest.approx(1.0, abs=0.08)


def test_the_bulk_is_that_of_the_phases_in_their_volumes(scripts: Any) -> None:
    """Per volume by a second way: masses of the phases, weight fractions, then atoms."""
    from endmember.core.simulation.simulated_map import weight_fractions
    from endmember.core.xrays.lines import atomic_mass

    truth = expected_truth(48, 160.0, 1)
    volumes = (truth.depth_share * truth.thickness).sum(axis=(1, 2))
    atoms: dict[str, float] = dict.fromkeys(truth.elements, 0.0)
    for phase, volume in zip(PHASES, volumes, strict=True):
        for e, w in weight_fractions(phase.atomic_percent).items():
            atoms[e] += volume * phase.density_g_cm3 * w / atomic_mass(e)
    total = sum(atoms.values())
    bulk = scripts("true_contents").true_bulk([truth])
    assert bulk == pytest.approx({e: 100 * n / total for e, n in atoms.items()}, rel=1e-9)
