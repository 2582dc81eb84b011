"""The versions of everything that decides the numbers."""

import platform
from importlib.metadata import version

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


def versions() -> dict[str, str]:
    """Endmember's own version, Python's, and those of the libraries that decide the numbers."""
    return {
        "endmember": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in DECIDING},
    }
