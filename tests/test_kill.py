"""The program is killed at random moments; `benchmarks/kill.py` does the same far more often."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


TIMES = 4


@pytest.fixture(scope="module")
def left(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was left after so many kills of each kind."""
    figures = tmp_path_factory.mktemp("kill") / "figures.json"
    command = [sys.executable, repository / "benchmarks" / "kill.py", "--times", str(TIMES)]
    done = subprocess.run([*command, "--json", figures], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(figures.read_text("utf-8"))
    return found


def test_a_recipe_is_the_last_or_the_next_one_when_saving_is_killed(
    left: dict[str, Any],
) -> None:
    of = left["save"]
    assert set(of["saves_ahead_of_the_last_said"]) <= {"0", "1"}
    assert sum(of["saves_ahead_of_the_last_said"].values()) == TIMES
    assert of["left beside it"] == 0


def test_results_are_absent_old_or_new_when_a_run_is_killed(
    left: dict[str, Any],
) -> None:
    of = left["run"]
    assert of.get("HALF-WRITTEN", 0) == of.get("LOST", 0) == 0
    assert of["next_run_complete"]
    assert of["and_after_the_next_run"] == 0


def test_at_most_one_gesture_is_lost_when_the_window_is_killed(
    left: dict[str, Any],
) -> None:
    of = left["window"]
    assert "WRONG" not in of
    assert set(of["gestures_lost"]) <= {"0", "1"}
    assert of["offered and right"] + of.get("nothing offered", 0) == TIMES
