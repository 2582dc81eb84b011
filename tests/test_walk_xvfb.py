"""Some of the walks once more in a real window, on an X server without a screen."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WALKS = {
    "test_walk.py": "velox",
    "test_walk_demo.py": "one_drag or dropped or closing_with",
    "test_walk_keys.py": "without_a_mouse",
}


@pytest.fixture
def display() -> Iterator[str]:
    """An X server for one test; skipped where there is none."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("Xvfb is not installed (Debian: xvfb), so that no real window can be opened")
    read, write = os.pipe()
    arguments = ["-displayfd", str(write), "-screen", "0", "1600x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        [program, *arguments], pass_fds=[write], stderr=subprocess.DEVNULL, text=True
    )
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    if not number:
        server.wait()
        pytest.skip("Xvfb does not start here")
    yield f":{number}"
    server.terminate()
    server.wait()


def test_walks_in_a_real_window(display: str) -> None:
    tests = Path(__file__).parent
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "DISPLAY": display}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(str(tests / name) for name in WALKS),
            *("-k", " or ".join(WALKS.values())),
        ],
        env=environment,
        cwd=tests.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert re.search(r"^[45] passed", done.stdout, re.MULTILINE)  # one needs the shared data
