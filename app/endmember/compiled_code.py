"""Where numba keeps compiled code where it cannot keep it beside the modules."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"


def choose_folder() -> None:
    """Name numba a folder to keep compiled code in; to be called before numba is imported.

    Beside the modules is best, but a frozen program has no modules, and a shared installation may
    be read-only: then it is the user's cache folder, or for want of one a folder that goes with
    this process.
    """
    package = Path(__file__).parent
    frozen = bool(getattr(sys, "frozen", False))
    if os.environ.get(VARIABLE) or (not frozen and os.access(package, os.W_OK)):
        return
    from platformdirs import user_cache_path

    folder = user_cache_path("endmember", appauthor=False) / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        usable = os.access(folder, os.W_OK)
    except OSError:
        usable = False
    if not usable:
        folder = Path(tempfile.mkdtemp(prefix="endmember-compiled-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[VARIABLE] = str(folder)
