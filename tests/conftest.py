"""What several test files share."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# isort: off
import endmember  # noqa: F401 - before numpy, whose BLAS then has one thread, as in the program
import numpy as np

# isort: on
import pytest

# before the first import of Qt: windows of the tests are drawn into memory
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# no program that a test starts keeps results; the folder is named as well, never the user's
os.environ["ENDMEMBER_CACHE"] = str(Path(tempfile.gettempdir()) / "endmember-tests-keep-nothing")
os.environ["ENDMEMBER_CACHE_MB"] = "0"

# several processes share the processors already
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("ENDMEMBER_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data beside the checkout; tests that need it are skipped without it."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"the shared data folder {folder} is not there")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20240229)
