"""Build the program as a folder and prove it: `.venv/bin/python packaging/build.py [FOLDER]`.

The program is FOLDER/endmember/endmember; without FOLDER it is built in `dist`. The proof starts it
as a person without Python would: once in the window on the demo, once on the demo's recipe.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PHASES = {"Brg", "Fp", "CaPv"}
LONGEST_s = 600
CLOSE_WHEN_DONE = (
    "ENDMEMBER_CLOSE_WHEN_DONE"  # the window then closes by itself, see ui/window/application
)


def build(folder: Path, work: Path) -> Path:
    """Run PyInstaller into `folder`; returns the program."""
    spec = TOP / "packaging" / "endmember.spec"
    options = ["--noconfirm", "--clean", "--log-level", "WARN"]
    places = ["--distpath", str(folder), "--workpath", str(work)]
    command = [sys.executable, "-m", "PyInstaller", *options, *places, str(spec)]
    subprocess.run(command, check=True)
    return folder / "endmember" / ("endmember.exe" if os.name == "nt" else "endmember")


def size_MB(folder: Path) -> float:
    """The size of all files below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def bare_environment(home: Path) -> dict[str, str]:
    """An environment with a new home, no display, and nothing of Python in it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    new = {"HOME": str(home), "USERPROFILE": str(home), "QT_QPA_PLATFORM": "offscreen"}
    return {**kept, **new, CLOSE_WHEN_DONE: "1"}


def timed(program: Path, *arguments: str, environment: Mapping[str, str]) -> str:
    """Run the program; returns its output. Prints how long it took, and stops where it failed."""
    started = time.perf_counter()
    done = subprocess.run(
        [str(program), *arguments],
        env=dict(environment),
        cwd=environment["HOME"],
        capture_output=True,
        encoding="utf-8",
        timeout=LONGEST_s,
        check=False,
    )
    took = time.perf_counter() - started
    print(f"{took:6.1f} s  endmember {' '.join(arguments)}", flush=True)
    if done.returncode:
        sys.exit(f"The build is not usable: exit code {done.returncode}.\n{done.stderr}")
    return done.stdout


def prove(program: Path, home: Path) -> None:
    """Start the program in a home that it has never seen."""
    environment = bare_environment(home)
    print(timed(program, "version", environment=environment), end="")
    for _ in range(2):  # the second start finds the map and the compiled code
        timed(program, "demo", "--size", "128", "--out", "demo", environment=environment)
    timed(program, "info", "demo/demo.hspy", environment=environment)
    timed(program, "run", "demo/demo.toml", "--out", "results", environment=environment)
    with (home / "results" / "composition.csv").open(encoding="utf-8", newline="") as stream:
        found = {row["phase"] for row in csv.DictReader(stream) if row["source"] == "mask"}
    if found != PHASES:
        sys.exit(f"The build is not usable: composition.csv holds {found}, not {PHASES}.")


def main(arguments: list[str]) -> None:
    """Build and prove."""
    folder = Path(arguments[0] if arguments else TOP / "dist").resolve()
    with tempfile.TemporaryDirectory(prefix="endmember-build-") as scratch:
        (Path(scratch) / "home").mkdir()
        program = build(folder, Path(scratch) / "work")
        print(f"{size_MB(program.parent):6.0f} MB {program.parent}", flush=True)
        prove(program, Path(scratch) / "home")
    print("The build opens its demo and runs it.")


if __name__ == "__main__":
    main(sys.argv[1:])
