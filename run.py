#!/usr/bin/env python3
"""Set up and start Endmember from a checkout: `python3 run.py demo`, `test` or `lint`.

Needs Python and nothing else. The first call makes `.venv` from `requirements.lock`; later calls
find it ready.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable, Mapping  # noqa: UP035  (an old Python gets as far as the sentence)

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "endmember-stamp"
OLDEST_PYTHON = (3, 11)
USAGE = """usage: python3 run.py demo [--size N]        the window on the built-in demo map
       python3 run.py test [pytest options]  all tests
       python3 run.py lint                   style, types and layers"""

# Shared libraries that the wheels of the lock do not bundle -> the Debian package of each.
SYSTEM_LIBRARIES = {
    "libgcc_s.so.1": "libgcc-s1",
    "libstdc++.so.6": "libstdc++6",
    "libz.so.1": "zlib1g",
}
# The same for Qt, which only a window and its tests load; from libX11 on, to draw on an X display.
WINDOW_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libzstd.so.1": "libzstd1",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
# Programs that a test is skipped without: installed only where nobody has to be asked.
TEST_PROGRAMS = {"Xvfb": "xvfb"}
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("mypy", "run.py"),
    ("lint-imports",),
)


def python_complaint(version: tuple[int, ...]) -> str | None:
    """What to say to a Python of this version; None if it will do."""
    if version[:2] >= OLDEST_PYTHON:
        return None
    oldest, found = ".".join(map(str, OLDEST_PYTHON)), ".".join(map(str, version[:3]))
    return f"Endmember needs Python {oldest} or newer, and this is Python {found}."


def stamp(*parts: bytes) -> str:
    """A digest of everything that decides what the environment holds."""
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    return hashlib.sha256(digests).hexdigest()


def wanted_stamp() -> str:
    """The stamp of an environment made now; it names the folder, for a moved one is broken."""
    files = [(ROOT / name).read_bytes() for name in ("requirements.lock", "pyproject.toml")]
    return stamp(*files, sys.version.encode(), os.fsencode(ROOT))


def is_debian(os_release: str) -> bool:
    """Whether the text of /etc/os-release is that of Debian or a system made from it."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}"
    return "debian" in names.replace('"', " ").replace("'", " ").split()


def can_load(library: str) -> bool:
    """Whether the system's loader finds this shared library."""
    try:
        return bool(ctypes.CDLL(library))
    except OSError:
        return False


def can_make_venv() -> bool:
    """Whether this Python is complete: Debian leaves `ensurepip` out of its own."""
    importlib.invalidate_caches()
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def has_display(environment: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Whether a window can open: everywhere but on a Linux that names no display."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return platform != "linux" or any(environment.get(name) for name in names)


def missing_packages(loads: Callable[[str], bool], complete: bool, window: bool) -> list[str]:
    """The Debian packages to install first.

    Given what loads, whether Python is complete, and whether a window is wanted.
    """
    libraries = {**SYSTEM_LIBRARIES, **(WINDOW_LIBRARIES if window else {})}
    missing = [package for library, package in libraries.items() if not loads(library)]
    return missing if complete else [*missing, "python3-venv"]


def missing_programs(found: Callable[[str], object]) -> list[str]:
    """The Debian packages of the programs that tests want, given what is found."""
    return [package for program, package in TEST_PROGRAMS.items() if not found(program)]


def is_unattended_root() -> bool:
    """Whether packages can be installed without asking anyone, as in a CI."""
    return os.geteuid() == 0 and not (sys.stdin and sys.stdin.isatty())


def apt_line(packages: list[str]) -> str:
    """The one line to type that installs these packages."""
    return f"sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"


def run_step(*command: str | Path) -> None:
    """Run one step of the set-up; if it fails, stop with a sentence and exit code 1."""
    if subprocess.run([str(part) for part in command], cwd=ROOT).returncode:
        sys.exit(f"The set-up stopped: '{Path(command[0]).name}' failed (see above).")


def install_packages(packages: list[str]) -> None:
    """Install with apt-get as root, asking a person first; anyone else gets the line to type."""
    if os.geteuid() != 0:
        sys.exit(f"Type this line (system packages are missing):\n{apt_line(packages)}")
    question = f"Install {' '.join(packages)} with apt-get? [Y/n] "
    if sys.stdin and sys.stdin.isatty() and input(question).strip().lower() not in ("", "y", "yes"):
        sys.exit(f"Nothing was installed; Endmember needs {' '.join(packages)}.")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run_step("apt-get", "update")
    run_step("apt-get", "install", "-y", *packages)


def check_system(window: bool, tests: bool = False) -> None:
    """Make sure that this Python can make an environment and that the wheels will load."""
    release = Path("/etc/os-release")
    if release.is_file() and is_debian(release.read_text(encoding="utf-8")):
        packages = missing_packages(can_load, can_make_venv(), window)
        if tests and is_unattended_root():
            packages += missing_programs(shutil.which)
        if packages:
            install_packages(packages)
    if not can_make_venv():
        sys.exit(f"{sys.executable} lacks the modules venv and ensurepip: use a complete Python.")


def prepare() -> None:
    """Make `.venv`, unless a finished one of today's lock stands there."""
    wanted = wanted_stamp()
    if STAMP.is_file() and STAMP.read_text(encoding="ascii") == wanted and PYTHON.is_file():
        return
    print("Making the environment in .venv (once; a few minutes at most) ...", flush=True)
    # `clear` also removes what an interrupted installation left: the stamp is written last
    run_step(sys.executable, "-m", "venv", "--clear", VENV)
    pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run_step(*pip, "--require-hashes", "--only-binary", ":all:", "-r", "requirements.lock")
    run_step(*pip, "--no-deps", "--no-build-isolation", "--editable", ".")
    STAMP.write_text(wanted, encoding="ascii")


def hand_over(module: str, *arguments: str) -> int:
    """Become `python -m module`, so that signals and the exit code are its own."""
    # -P: a folder that happens to be called like a library must not be imported
    command = [str(PYTHON), "-P", "-m", module, *arguments]
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the child to answer
    return subprocess.run(command).returncode


def lint() -> int:
    """Run every check, also after one has failed; 1 if any did."""
    failed = False
    for tool, *options in CHECKS:
        print("--", tool, *options, flush=True)
        failed |= subprocess.run([str(PYTHON.with_name(tool)), *options], cwd=ROOT).returncode != 0
    return int(failed)


def main(arguments: list[str]) -> int:
    """Do what the first argument says; the others go on to it."""
    complaint = python_complaint(sys.version_info[:3])
    if complaint:
        sys.exit(complaint)
    command, rest = "".join(arguments[:1]), arguments[1:]
    if command not in ("demo", "test", "lint"):
        print(USAGE, file=sys.stderr)
        return 0 if command in ("-h", "--help") else 2
    window = command == "demo" and "--no-window" not in rest
    if window and not has_display(os.environ):
        told = "There is no display for a window: the demo runs here, as with --no-window."
        print(told, file=sys.stderr, flush=True)
        window, rest = False, ["--no-window", *rest]
    check_system(window or command == "test", tests=command == "test")
    prepare()
    if command == "demo":
        return hand_over("endmember", "demo", *rest)
    os.chdir(ROOT)
    if command == "test":
        # a whole file to each worker: what its tests share is then made once
        return hand_over("pytest", "-n", "auto", "--dist", "loadfile", *rest)
    return lint()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
