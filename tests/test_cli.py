"""The command line: exit codes, one sentence for what cannot be used, nothing half-written."""

from __future__ import annotations

import builtins
import csv
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

from endmember import __version__, window_command
from endmember.cli import run_command
from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.files.k_factors.k_factor_file import read_k_factors
from endmember.files.pictures.exporting import write_spectrum_msa
from endmember.files.reading.reader import read_map

ELEMENTS = "O,Mg,Al,Si,Ca,Fe,Nd,Sm,U"
RECIPE = """format = "endmember-recipe-1"
[[map]]
file = "map1.hspy"
name = "map1"
[decomposition]
components = 3
[sample]
matrix = "Brg"
elements = ["O", "Mg", "Si"]
[[precipitate]]
name = "Fp"
absent = "Si"
[[precipitate.rectangle]]
map = "map1"
box = [1, 1, 5, 5]
"""


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one sentence that a refused command writes."""
    assert run_command([str(a) for a in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert captured.err.startswith("endmember: ")
    assert captured.err.count("\n") == 1
    return captured.err


def refused_by_parser(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as stop:
        run_command([str(a) for a in arguments])
    assert stop.value.code == 2
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def case_a(shared: Path) -> Path:
    return shared / "data" / "reference" / "case_A.msa"


def test_a_missing_recipe_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = refused(capsys, "run", tmp_path / "none.toml", "--out", tmp_path / "out")
    assert "none.toml" in told
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_key_is_named_with_its_nearest(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(RECIPE.replace("components =", "componets ="))
    told = refused(capsys, "run", recipe, "--out", tmp_path / "out")
    assert "r.toml" in told
    assert "componets" in told
    assert "components" in told
    assert list(tmp_path.iterdir()) == [recipe]


def test_a_missing_map_is_named_and_nothing_is_left(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(RECIPE)
    told = refused(capsys, "run", recipe, "--out", tmp_path / "deep" / "out")
    assert "map1.hspy" in told
    assert list(tmp_path.iterdir()) == [recipe]


def test_results_are_not_replaced_without_being_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    recipe, out = tmp_path / "r.toml", tmp_path / "out"
    recipe.write_text(RECIPE)
    out.mkdir()
    (out / "kept.txt").write_text("mine")
    told = refused(capsys, "run", recipe, "--out", out)
    assert "--force" in told
    refused(capsys, "run", recipe, "--out", out, "--force")
    assert (out / "kept.txt").read_text() == "mine"


def test_an_unknown_command_or_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such command" in refused(capsys, "nonsense")
    assert "--nonsense" in refused_by_parser(capsys, "--nonsense")
    assert "--nonsense" in refused_by_parser(capsys, "version", "--nonsense")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--beam-energy-keV", "0"),
        ("--beam-energy-keV", "nan"),
        ("--beam-energy-keV", "high"),
        ("--energy-range-keV", "20,0.3"),
        ("--energy-range-keV", "nan,20"),
        ("--energy-range-keV", "5"),
    ],
)
def test_an_option_without_meaning_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str, value: str
) -> None:
    out = tmp_path / "c.csv"
    told = refused_by_parser(
        capsys, "quantify", "x.msa", "--elements", "Si", "--out", out, option, value
    )
    assert option in told
    assert value in told


def quantified(capsys: pytest.CaptureFixture[str], path: Path, out: Path, *more: str) -> str:
    arguments = ["quantify", str(path), "--elements", ELEMENTS, "--system-elements", "Cu"]
    assert run_command([*arguments, "--beam-energy-keV", "200", "--out", str(out), *more]) == 0
    return capsys.readouterr().out


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["element"]: row for row in csv.DictReader(stream)}


def test_a_spectrum_is_quantified_to_its_truth(
    capsys: pytest.CaptureFixture[str], case_a: Path, tmp_path: Path
) -> None:
    out = tmp_path / "case_A.csv"
    shown = quantified(capsys, case_a, out)
    assert "not corrected for absorption" in shown
    truth = json.loads(case_a.with_name("case_A_truth.json").read_text("utf-8"))
    rows = rows_of(out)
    assert list(rows) == ELEMENTS.split(",")
    for element in ("O", "Mg", "Al", "Si", "Ca", "Fe"):
        net = float(rows[element]["net_counts"])
        assert net == pytest.approx(truth["expected_alpha_counts"][element], rel=0.003)
        made = 100 * truth["atomic_percent"][element] / truth["closure_sum"]
        assert float(rows[element]["atomic_percent"]) == pytest.approx(made, rel=0.004)
    assert {row["source"] for row in rows.values()} == {"spectrum"}
    assert 0.94 < float(rows["O"]["reduced_chi_squared"]) < 1.06
    assert sorted(p.name for p in tmp_path.iterdir()) == ["case_A.csv", "case_A_detection.csv"]


def test_a_spectrum_whose_energy_axis_cannot_be_checked_is_quantified(
    capsys: pytest.CaptureFixture[str],
    case_a: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ValueError("no line")

    monkeypatch.setattr("endmember.core.fitting.energy_calibration.check_energies", fails)
    quantified(capsys, case_a, tmp_path / "c.csv")
    assert list(rows_of(tmp_path / "c.csv")) == ELEMENTS.split(",")


def test_with_thickness_and_density_absorption_is_corrected(
    capsys: pytest.CaptureFixture[str], case_a: Path, tmp_path: Path
) -> None:
    out = tmp_path / "c.csv"
    foil = ("--thickness-nm", "117", "--density-g-cm3", "4.1", "--take-off-angle-deg", "22")
    quantified(capsys, case_a, out, *foil)
    factors = {element: float(row["absorption"]) for element, row in rows_of(out).items()}
    assert factors["O"] == pytest.approx(0.770, abs=0.02)
    assert factors["Mg"] == pytest.approx(0.897, abs=0.02)
    assert factors["Si"] == pytest.approx(0.919, abs=0.02)


def test_an_element_named_twice_counts_once(
    capsys: pytest.CaptureFixture[str], case_a: Path, tmp_path: Path
) -> None:
    once, twice = tmp_path / "1.csv", tmp_path / "2.csv"
    quantified(capsys, case_a, once)
    quantified(capsys, case_a, twice, "--elements", f"{ELEMENTS},Fe")
    assert [r["atomic_percent"] for r in rows_of(once).values()] == [
        r["atomic_percent"] for r in rows_of(twice).values()
    ]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--elements", "O,Xx"), "Xx"),
        (("--elements", ","), "--elements"),
        (("--elements", "O,Cu", "--system-elements", "Cu"), "both name Cu"),
        (("--thickness-nm", "100"), "--density-g-cm3"),
        (("--thickness-nm", "-1", "--density-g-cm3", "4"), "--thickness-nm"),
        (("--k-factors", "none.csv"), "none.csv"),
        (("--energy-range-keV", "100,200"), "case_A.msa"),
        (("--energy-range-keV", "12,20"), "case_A.msa"),
    ],
)
def test_a_quantification_that_cannot_be_done_is_refused(
    capsys: pytest.CaptureFixture[str],
    case_a: Path,
    tmp_path: Path,
    more: tuple[str, ...],
    told: str,
) -> None:
    arguments = ["--elements", "O,Mg", "--beam-energy-keV", "200", "--take-off-angle-deg", "22"]
    out = tmp_path / "c.csv"
    sentence = refused(capsys, "quantify", case_a, *arguments, "--out", out, *more)
    assert told in sentence
    assert list(tmp_path.iterdir()) == []


def test_k_factors_are_printed_with_what_they_mean_and_read_back(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "k.csv"
    command = ["k-factors", "--elements", "O,Fe,U", "--no-detector", "--csv", str(out)]
    assert run_command(command) == 0
    heading, _, *lines = capsys.readouterr().out.splitlines()
    for said in ("by weight", "relative to Si Ka", "alpha lines", "200 keV", "detector not inside"):
        assert said in heading
    shown = {line.split()[0]: line.split() for line in lines}
    published = {"O": 0.9366, "Fe": 1.7107, "U": 3.319}
    assert {e: float(cells[-2]) for e, cells in shown.items()} == pytest.approx(published, rel=2e-3)
    assert [shown[e][1] for e in published] == ["Ka", "Ka", "Ma"]
    assert [shown[e][-1] for e in published] == ["10", "5", "20"]
    found = read_k_factors(out)
    assert found.of_file is not None
    assert {e: f.value for (e, _), f in found.of_file.items()} == pytest.approx(published, rel=2e-3)


def test_the_heading_of_k_factors_follows_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    meaning = ["--definition", "family", "--basis", "atomic", "--reference", "Mg"]
    beam = ["--beam-energy-keV", "300"]
    assert run_command(["k-factors", "--elements", "Mg,Fe", *meaning, *beam]) == 0
    heading, _, magnesium, _ = capsys.readouterr().out.splitlines()
    for said in ("by atoms", "relative to Mg K,", "whole families", "300 keV", "450 um Si"):
        assert said in heading
    assert magnesium.split()[0::5] == ["Mg", "1.0000"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--elements", "Fx"], "'Fx' is not an element"),
        (["--elements", "Fe", "--reference", "Sx"], "'Sx' is not an element"),
        (["--elements", ","], "--elements names none"),
        (["--elements", "H"], "H has no alpha line"),
        (["--elements", "Fe", "--beam-energy-keV", "500"], "between 30 and 400 keV"),
        (["--elements", "Fe", "--no-detector", "--detector-curve", "c"], "exclude each other"),
        (["--elements", "Fe", "--detector-curve", "none.csv"], "none.csv"),
    ],
)
def test_k_factors_that_cannot_be_printed_are_refused(
    capsys: pytest.CaptureFixture[str], options: Sequence[str], said: str
) -> None:
    assert said in refused(capsys, "k-factors", *options)


def test_a_spectrum_is_quantified_with_the_k_factors_and_the_detector_of_files(
    capsys: pytest.CaptureFixture[str], case_a: Path, tmp_path: Path
) -> None:
    made = tmp_path / "k.csv"
    asked = ["--elements", ELEMENTS, "--definition", "family", "--csv", str(made)]
    assert run_command(["k-factors", *asked]) == 0
    quantified(capsys, case_a, tmp_path / "computed.csv")
    quantified(capsys, case_a, tmp_path / "file.csv", "--k-factors", str(made))
    computed, of_file = rows_of(tmp_path / "computed.csv"), rows_of(tmp_path / "file.csv")
    for element, row in computed.items():
        atomic = float(row["atomic_percent"])
        assert float(of_file[element]["atomic_percent"]) == pytest.approx(atomic, rel=1e-6)
    curve = tmp_path / "curve.csv"
    curve.write_text("energy_keV,efficiency\n0.1,1\n5,1\n")
    out = tmp_path / "out.csv"
    told = refused(
        capsys,
        *("quantify", case_a, "--elements", ELEMENTS, "--out", out, "--detector-curve", curve),
    )
    assert "curve.csv: the detector curve covers 0.1 to 5 keV" in told
    assert not out.exists()


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('[quantification]\nk_factors = "v.csv"\n', 'k_factor_basis = "weight" or "atomic"'),
        (
            '[quantification]\nk_factors = "v.csv"\nk_factor_basis = "weight"\n',
            'k_factor_definition = "alpha" or "family"',
        ),
        ('[detector]\ncurve = "none.csv"\n', "[detector] curve: "),
    ],
)
def test_a_recipe_with_an_unclear_file_is_refused_before_the_maps_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, added: str, said: str
) -> None:
    (tmp_path / "v.csv").write_text("Line identifier,K-factor\nO-Ka1,1.0\n")
    recipe = tmp_path / "r.toml"
    recipe.write_text(RECIPE + added)
    told = refused(capsys, "run", recipe, "--out", tmp_path / "out")
    assert "r.toml" in told
    assert said in told
    assert "map1.hspy" not in told


def test_a_missing_spectrum_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "c.csv"
    assert "none.msa" in refused(
        capsys, "quantify", tmp_path / "none.msa", "--elements", "O", "--out", out
    )
    assert "none.msa" in refused(capsys, "info", tmp_path / "none.msa")


def test_a_simulation_replaces_simulations_only(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine, truth = tmp_path / "map1.hspy", tmp_path / "truth.npz"
    command = ["simulate", mine, "--size", "16", "--counts-per-pixel", "20", "--truth", truth]
    assert run_command([str(part) for part in command]) == 0
    before = mine.read_bytes()
    assert run_command([*map(str, command), "--seed", "1"]) == 0
    assert mine.read_bytes() != before
    np.savez(truth, weights=np.arange(3))
    kept = truth.read_bytes()
    assert "truth.npz" in refused(capsys, *command)
    mine.write_bytes(b"a map from the microscope")
    assert "map1.hspy" in refused(capsys, *command)
    assert (mine.read_bytes(), truth.read_bytes()) == (b"a map from the microscope", kept)


def test_a_map_in_place_of_a_recipe_and_a_path_of_windows_are_told_with_the_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = tmp_path / "map1.hspy"
    mine.write_bytes(bytes(range(256)))
    assert "no recipe" in refused(capsys, "run", mine, "--out", tmp_path / "out")
    recipe = tmp_path / "sample.toml"
    for name in (r"C:\Data\map1.hspy", r"C:\Users\map1.hspy"):
        recipe.write_text(RECIPE.replace("map1.hspy", name), "utf-8")
        assert "single quotes" in refused(capsys, "run", recipe, "--out", tmp_path / "out")


def test_a_simulated_map_is_written_as_hspy_only(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "map.bcf" in refused(capsys, "simulate", tmp_path / "map.bcf", "--size", "16")


def test_the_version_names_every_library_that_decides_the_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(["version", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["endmember"] == __version__
    assert {"PyQt6", "Qt", "pyqtgraph"} <= set(found)
    assert {"python", "numpy", "scipy", "scikit-learn", "xraylib", "rosettasciio"} <= set(found)
    assert run_command(["version"]) == 0
    assert f"endmember {__version__}" in capsys.readouterr().out.splitlines()


def test_a_fault_of_the_program_says_where_the_log_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail() -> dict[str, str]:
        raise ZeroDivisionError("the cause")

    monkeypatch.setattr("endmember.versions.versions", fail)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_command(["version"]) == 1
    told = capsys.readouterr().err
    (log,) = tmp_path.iterdir()
    assert str(log) in told
    assert "Traceback" not in told
    assert "ZeroDivisionError: the cause" in log.read_text("utf-8")


def test_interrupting_ends_with_a_code_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> dict[str, str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("endmember.versions.versions", interrupt)
    assert run_command(["version"]) == 130
    assert "stopped" in capsys.readouterr().err


def test_as_a_process_a_refusal_is_code_2_and_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "endmember", "run", str(tmp_path / "none.toml"), "--out", "out"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


class Windows:
    """Stands in for the window: remembers what it was opened with."""

    def __init__(self) -> None:
        self.opened: list[tuple[object, ...]] = []

    def open_window(
        self,
        files: Sequence[Path] = (),
        demo_size: int | None = None,
        demo_folder: Path | None = None,
    ) -> int:
        self.opened.append((list(files), demo_size, demo_folder))
        return 0


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Windows:
    found = Windows()
    module = ModuleType("endmember.ui.window.application")
    module.open_window = found.open_window  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "endmember.ui.window.application", module)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    return found


def test_without_arguments_the_window_opens_empty(windows: Windows) -> None:
    assert run_command([]) == 0
    assert windows.opened == [([], None, None)]


def test_files_go_to_the_window(windows: Windows, tmp_path: Path) -> None:
    files = [tmp_path / "one.bcf", tmp_path / "two.hspy"]
    for file in files:
        file.touch()
    assert run_command([str(file) for file in files]) == 0
    assert windows.opened == [(files, None, None)]


def test_the_demo_opens_in_the_window(windows: Windows, tmp_path: Path) -> None:
    assert run_command(["demo"]) == 0
    assert run_command(["demo", "--size", "128", "--out", str(tmp_path)]) == 0
    assert windows.opened == [([], 256, None), ([], 128, tmp_path)]


@pytest.mark.usefixtures("windows")
def test_the_exit_code_of_the_window_is_that_of_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.modules["endmember.ui.window.application"], "open_window", lambda *_: 1)
    assert run_command([]) == 1


def test_a_file_that_does_not_exist_opens_no_window(
    capsys: pytest.CaptureFixture[str], windows: Windows, tmp_path: Path
) -> None:
    there = tmp_path / "there.bcf"
    there.touch()
    assert "none.bcf: there is no such file" in refused(capsys, there, tmp_path / "none.bcf")
    assert windows.opened == []


def test_a_recipe_is_opened_alone(
    capsys: pytest.CaptureFixture[str], windows: Windows, tmp_path: Path
) -> None:
    files = [tmp_path / "map.bcf", tmp_path / "recipe.toml"]
    for file in files:
        file.touch()
    assert "recipe.toml" in refused(capsys, *files)
    assert run_command([str(files[1])]) == 0
    assert windows.opened == [([files[1]], None, None)]


def test_options_after_files_are_refused(
    capsys: pytest.CaptureFixture[str], windows: Windows, tmp_path: Path
) -> None:
    (tmp_path / "map.bcf").touch()
    assert "--force" in refused_by_parser(capsys, tmp_path / "map.bcf", "--force")
    assert windows.opened == []


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="a display is sure elsewhere")


@on_linux
@pytest.mark.parametrize("arguments", [[], ["demo"]])
def test_without_a_display_what_works_without_one_is_named(
    capsys: pytest.CaptureFixture[str],
    windows: Windows,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    told = refused(capsys, *arguments)
    assert "no display" in told
    assert "`endmember run " in told
    assert "demo --no-window" in told
    assert windows.opened == []


@on_linux
def test_a_display_that_does_not_answer_is_named(
    capsys: pytest.CaptureFixture[str], windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", "localhost:2047")
    assert "localhost:2047" in refused(capsys)
    assert windows.opened == []


def refuse_to_load(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    """Let the import of the window fail as it does where a library is missing."""

    def fail(name: str, *rest: object) -> object:
        if name == "endmember.ui.window.application":
            raise ImportError(
                f"{library}: cannot open shared object file: No such file or directory"
            )
        return real(name, *rest)

    real: Any = builtins.__import__
    monkeypatch.setattr("builtins.__import__", fail)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("release", "remedy"),
    [({"ID": "debian"}, "apt-get install libegl1`"), ({"ID": "fedora"}, "package manager")],
)
def test_a_missing_library_of_qt_is_named_with_its_remedy(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    release: dict[str, str],
    remedy: str,
) -> None:
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: release)
    refuse_to_load(monkeypatch, "libEGL.so.1")
    told = refused(capsys)
    assert "libEGL.so.1" in told
    assert remedy in told


@pytest.mark.usefixtures("windows")
def test_an_import_that_fails_for_another_reason_is_a_fault(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setitem(sys.modules, "endmember.ui.window.application", None)
    assert run_command([]) == 1
    assert "internal fault" in capsys.readouterr().err


def test_debian_names_its_packages_by_the_rule_that_the_program_uses(repository: Path) -> None:
    table = runpy.run_path(str(repository / "run.py"))
    libraries = {**table["SYSTEM_LIBRARIES"], **table["WINDOW_LIBRARIES"]}
    assert {name: window_command.debian_package(name) for name in libraries} == libraries


WITHOUT_QT = """
import sys
for name in ("PyQt6", "PyQt6.QtCore", "PyQt6.QtGui", "PyQt6.QtWidgets", "pyqtgraph"):
    sys.modules[name] = None  # an import of it fails
from endmember.cli import run_command
from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.files.pictures.exporting import write_spectrum_msa
for line in sys.argv[1:]:
    if run_command(line.split()):
        sys.exit(line)
"""


def test_commands_without_a_window_never_import_qt(tmp_path: Path) -> None:
    lines = [
        "version",
        "simulate map.hspy --size 32",
        "info map.hspy",
        "demo --no-window --size 64 --out demo",
        "run demo/demo.toml --out again",
        "quantify again/spectra/demo_Brg.msa --elements O,Mg,Si --out composition.csv",
    ]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_QT, *lines],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if "DISPLAY" not in k and "QT" not in k},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "images: BF, HAADF" in done.stdout
    assert (tmp_path / "composition.csv").is_file()


def test_a_demo_of_an_earlier_version_is_made_anew_and_a_saved_recipe_is_set_aside(
    tmp_path: Path,
) -> None:
    from endmember.demo import MAP_FILE, RECIPE_FILE, prepare_demo

    prepare_demo(tmp_path, 64, lambda _: None)
    assert set(read_map(tmp_path / MAP_FILE).images) == {"HAADF", "BF"}
    files = (tmp_path / MAP_FILE, tmp_path / RECIPE_FILE)
    written = [file.stat().st_mtime_ns for file in files]
    prepare_demo(tmp_path, 64, lambda _: None)
    assert [file.stat().st_mtime_ns for file in files] == written
    with h5py.File(tmp_path / MAP_FILE, "a") as file:
        del file["Experiments/HAADF"]
    assert set(read_map(tmp_path / MAP_FILE).images) == {"BF"}
    prepare_demo(tmp_path, 64, lambda _: None)
    assert set(read_map(tmp_path / MAP_FILE).images) == {"HAADF", "BF"}

    recipe = tmp_path / RECIPE_FILE
    shipped = recipe.read_text("utf-8")
    for saved in ("# saved by a person", "# and once more"):
        recipe.write_text(saved, "utf-8")
        prepare_demo(tmp_path, 64, lambda _: None)
        assert recipe.read_text("utf-8") == shipped
    aside = [(tmp_path / f"demo-{n}.toml").read_text("utf-8") for n in (1, 2)]
    assert aside == ["# saved by a person", "# and once more"]
    assert len(list(tmp_path.glob("*.toml"))) == 3


@pytest.mark.parametrize(
    "command", ["run", "demo", "info", "quantify", "k-factors", "simulate", "version"]
)
def test_every_option_says_what_it_is_and_its_default(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit):
        run_command([command, "--help"])
    usage, description, *sections = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"usage: endmember {command}")
    assert description.endswith(".")
    options = re.split(r"\n  (?=-)", sections[-1].rstrip())[2:]  # after the heading and --help
    for option in options:
        text = " ".join(option.split())
        assert "default" in text, text
        for ending, unit in (
            ("keV", "keV"),
            ("-nm", "nm"),
            ("-deg", "degrees"),
            ("g-cm3", "g/cm3"),
        ):
            if text.split()[0].endswith(ending):
                assert unit in text.partition(" ")[2], text


def test_force_replaces_what_an_earlier_run_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_command(["run", "--help"])
    assert "replace DIR, if an earlier run wrote it" in " ".join(capsys.readouterr().out.split())


def one_spectrum(path: Path) -> None:
    counts = np.full(2048, 3.0)
    write_spectrum_msa(path, Spectrum(counts, EnergyAxis(0.0, 0.01, 2048), 200.0, 22.0), "one")


def test_a_single_spectrum_given_as_a_map_is_sent_to_quantify(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one_spectrum(tmp_path / "map1.msa")
    recipe = tmp_path / "r.toml"
    recipe.write_text(RECIPE.replace("map1.hspy", "map1.msa"))
    sentence = refused(capsys, "run", recipe, "--out", tmp_path / "out")
    assert "map1.msa" in sentence
    assert "endmember quantify" in sentence


def test_info_names_the_listed_elements_without_a_line_in_the_range(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from endmember.core.simulation.simulated_map import simulate_map
    from endmember.files.pictures.exporting import write_map_hspy

    image = simulate_map(size=16)[0]
    for elements, named in (
        (("Fe", "Li", "Be", "Xx"), "Li, Be have no line between"),
        (("Fe",), ""),
    ):
        path = tmp_path / f"{len(elements)}.hspy"
        write_map_hspy(path, replace(image, elements=elements), "a test")
        assert run_command(["info", str(path)]) == 0
        shown = capsys.readouterr().out
        assert ("no line between 0.30 and 20.00 keV" in shown) == bool(named)
        assert named in shown
