"""The versions of what decides the numbers, and of what draws the window."""

import platform
from importlib.metadata import PackageNotFoundError, version

from endmember import __version__

DECIDING = (
    "numpy",
    "scipy",
    "scikit-learn",
    "opencv-python-headless",
    "numba",
    "xraylib",
    "periodictable",
    "rosettasciio",
)
DRAWING = {"PyQt6": "PyQt6", "Qt": "PyQt6-Qt6", "pyqtgraph": "pyqtgraph"}


def versions() -> dict[str, str]:
    """Endmember's own version, Python's, and those of the libraries that decide the numbers."""
    return {
        "endmember": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in DECIDING},
    }


def window_versions() -> dict[str, str]:
    """The versions of Qt and its companions, told without loading them.

    What is not installed as a Python package, as Qt itself on some systems, is left out.
    """
    found = {}
    for name, package in DRAWING.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            continue
    return found
