"""What the program is: a digest that changes with its code, its tables and its libraries."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("endmember", "endmember_resources")
LEFT_OUT = {"__pycache__", "icons"}


def program_digest() -> str:
    """The digest, in hexadecimal, made from the content of the files each time it is asked for.

    Raises
    ------
    LookupError
        if a package or its files cannot be found.
    """
    from endmember.versions import versions

    digest = hashlib.sha256(repr((versions(), platform.machine())).encode())
    for path, name in _files():
        content = path.read_bytes()
        digest.update(f"{name}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()


def _files() -> Iterator[tuple[Path, str]]:
    """Each file with the name by which it counts, in an order that is always the same."""
    for package in PACKAGES:
        found = importlib.util.find_spec(package)
        folders = list((found and found.submodule_search_locations) or ())
        if not folders:
            raise LookupError(f"the package {package} has no folder")
        root = Path(folders[0])
        names = sorted(
            path.relative_to(root).as_posix()
            for path in (root.rglob("*") if root.is_dir() else ())
            if path.is_file() and not LEFT_OUT & set(path.relative_to(root).parts)
        )
        yield from ((root / name, f"{package}/{name}") for name in names)
        if "__init__.py" not in names and not getattr(sys, "frozen", False):
            raise LookupError(f"the package {package} is not there as files")
    if getattr(sys, "frozen", False):  # built into one program, which holds all modules
        yield Path(sys.executable), "program"
