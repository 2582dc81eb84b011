"""The walks once more in a real window, on a virtual X display."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WALKS = "moved_rectangle or dropped_file or closing_while"


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_walks_on_the_demo_pass_in_a_real_window(repository: Path) -> None:
    read, write = os.pipe()
    screen = ("-screen", "0", "1366x768x24", "-nolisten", "tcp")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), *screen], pass_fds=(write,), stderr=subprocess.DEVNULL
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            display = told.readline().strip()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "tests/test_window_walk.py", "-k", WALKS],
            cwd=repository,
            env={**os.environ, "QT_QPA_PLATFORM": "xcb", "DISPLAY": f":{display}"},
            capture_output=True,
            text=True,
            timeout=240,
        )
    finally:
        server.terminate()
        server.wait()
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "3 passed" in done.stdout
