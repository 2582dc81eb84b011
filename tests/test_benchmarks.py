"""The benchmark of the steps runs to its end; what it measures is no matter of tests."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from endmember.session.steps.chain import STEPS


@pytest.fixture
def module(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a module of the folder of benchmarks by its name."""
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module


def test_the_benchmark_of_the_steps_measures_each_of_them(repository: Path, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    options = ["--sizes", "64", "--repeats", "1", "--growth-size", "0", "--no-peers", "--json"]
    done = subprocess.run(
        [sys.executable, repository / "benchmarks" / "steps.py", *options, file],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text(encoding="utf-8"))["sizes"]["64"]
    steps = [step.name for step in STEPS]
    assert list(figures["steps"]) == steps
    assert figures["pixels"] == 64 * 64
    assert all(step in done.stdout for step in [*steps, "endmember run", "Goals"])


def test_a_program_that_failed_is_told_and_not_compared(
    module: Callable[[str], ModuleType],
) -> None:
    failed = {"title": "pysptools FCLS", "like": "fcls", "failure": "killed after 5 s"}
    own = {
        "seconds": {"scree": 1.0, "decomposition": 1.0, "fcls": 1.0},
        "peak_memory_MB": {"scree": 300.0, "decomposition": 300.0, "fcls": 300.0},
    }
    found = {"size": 64, "own": own, "tasks": {"pysptools_fcls": failed}}
    table = module("peers").table(found)
    assert "pysptools FCLS" in table
    assert "killed after 5 s" in table
    assert module("goals").judged({"peers": found}) == []


def test_a_process_beyond_its_time_is_killed_and_said_to_be(
    module: Callable[[str], ModuleType],
) -> None:
    outcome = module("fresh_process").run_fresh(
        [sys.executable, "-c", "import time; time.sleep(60)"], at_most_s=0.5
    )
    assert outcome["failure"] == "killed after 0.5 s"
    assert outcome["answer"] is None


def test_a_process_that_fails_is_told_with_its_last_words(
    module: Callable[[str], ModuleType],
) -> None:
    outcome = module("fresh_process").run_fresh(
        [sys.executable, "-c", "print('{}'); raise ValueError('no such map')"]
    )
    assert outcome["failure"] == "failed: ValueError: no such map"
    assert outcome["answer"] is None
