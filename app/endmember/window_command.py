"""Opening the window, or saying in one sentence why there can be none."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path

WITHOUT_WINDOW = (
    "work without one with `endmember run RECIPE.toml --out DIR` or `endmember demo --no-window`"
)
# by Debian's rule a library's package has its name and number; these have another
OTHER_PACKAGES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libz.so.1": "zlib1g",
}


def open_files(files: Sequence[Path]) -> int:
    """Open the window with these maps and spectra, or with one recipe; returns its exit code.

    Raises
    ------
    ValueError
        if a file does not exist, or if a window cannot be opened here.
    """
    for file in files:
        if not file.exists():
            nor = "" if file.suffix else " and no such command"
            raise ValueError(
                f"{file}: there is no such file{nor}: check the name, or see `endmember --help`"
            )
    if len(files) > 1:
        for file in files:
            if file.suffix.lower() == ".toml":
                raise ValueError(
                    f"{file}: a recipe names its maps itself: open it without other files"
                )
    return _open(files)


def open_demo(size: int, folder: Path | None) -> int:
    """Open the window on the demo map, kept in `folder`; returns its exit code.

    Raises
    ------
    ValueError
        if a window cannot be opened here.
    """
    return _open(demo_size=size, demo_folder=folder)


def _open(
    files: Sequence[Path] = (), demo_size: int | None = None, demo_folder: Path | None = None
) -> int:
    if sys.platform == "linux":
        _check_display()
    try:
        from endmember.ui.window.application import open_window
    except ImportError as error:
        library = missing_library(str(error))
        if library is None:
            raise
        raise ValueError(_library_sentence(library)) from error
    return open_window(files, demo_size, demo_folder)


def missing_library(said: str) -> str | None:
    """The shared library that the system's loader names as missing, if it does."""
    found = re.match(r"(lib\S+\.so[.\d]*): cannot open shared object file", said)
    return found and found.group(1)


def debian_package(library: str) -> str:
    """The Debian package of a shared library, by Debian's rule for their names (Policy 8.1)."""
    if library in OTHER_PACKAGES:
        return OTHER_PACKAGES[library]
    name, _, number = library.partition(".so")
    hyphen = "-" if name[-1:].isdigit() else ""
    return f"{name}{hyphen}{number[1:]}".lower().replace("_", "-")


def _is_debian() -> bool:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return False
    return "debian" in f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".split()


def _library_sentence(library: str) -> str:
    remedy = "install it with your system's package manager"
    if _is_debian():
        package = debian_package(library)
        remedy = f"install its package with `sudo apt-get install {package}`"
    return f"the window needs the system library {library}, which is missing: {remedy}"


def _check_display() -> None:
    """Refuse where Qt would find no display: it would end the whole program."""
    plugin = os.environ.get("QT_QPA_PLATFORM", "")
    if plugin and not plugin.startswith("xcb"):
        return
    if not plugin and os.environ.get("WAYLAND_DISPLAY"):
        return
    display = os.environ.get("DISPLAY")
    if not display:
        raise ValueError(
            "there is no display to open the window on (neither DISPLAY nor WAYLAND_DISPLAY is "
            f"set): {WITHOUT_WINDOW}"
        )
    _load_xcb_plugin()
    if not _answers(display):
        raise ValueError(f"the display {display} (DISPLAY) does not answer: {WITHOUT_WINDOW}")


def _load_xcb_plugin() -> None:
    """Load what Qt will load to draw on X, so that a missing library is named and not fatal."""
    found = importlib.util.find_spec("PyQt6")
    for folder in (found and found.submodule_search_locations) or ():
        plugin = Path(folder) / "Qt6" / "plugins" / "platforms" / "libqxcb.so"
        if plugin.is_file():
            try:
                ctypes.CDLL(str(plugin))
            except OSError as error:
                library = missing_library(str(error))
                if library is not None:
                    raise ValueError(_library_sentence(library)) from error


def _answers(display: str) -> bool:
    """Whether an X server answers; yes where X's own library is not there to ask."""
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return True
    x11.XOpenDisplay.restype = ctypes.c_void_p
    connection = x11.XOpenDisplay(display.encode())
    if not connection:
        return False
    x11.XCloseDisplay(ctypes.c_void_p(connection))
    return True
