"""The rules of the house, as sentences."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

LONGEST_MODULE = 500
LONGEST_FUNCTION = 60
QT = {"PyQt5", "PyQt6", "PySide2", "PySide6", "pyqtgraph", "qtpy"}
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@pytest.fixture(scope="module")
def modules(repository: Path) -> dict[str, str]:
    """The text of every module of the application, by its path from the repository."""
    found = sorted((repository / "app").rglob("*.py"))
    assert found
    return {str(path.relative_to(repository)): path.read_text("utf-8") for path in found}


def imported(text: str) -> set[str]:
    """The top-level names of all that a module imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def function_lengths(text: str) -> dict[str, int]:
    """Lines of each function, from `def` to its last line."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    return {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}


def test_each_layer_imports_downward_only(repository: Path) -> None:
    contracts = "from importlinter.cli import lint_imports_command as check; check()"
    done = subprocess.run(
        [sys.executable, "-c", contracts, "--no-cache"],
        cwd=repository,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_core_and_session_import_no_qt(modules: dict[str, str]) -> None:
    for path, text in modules.items():
        if Path(path).parts[2] in ("core", "session"):
            assert not imported(text) & QT, path


def test_the_search_for_imports_sees_those_inside_functions() -> None:
    assert imported("import a.b\ndef f():\n    from PyQt6.QtCore import Qt\n") == {"a", "PyQt6"}


def test_no_module_is_too_long(modules: dict[str, str]) -> None:
    lengths = {path: len(text.splitlines()) for path, text in modules.items()}
    assert {path: n for path, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_no_function_is_too_long(modules: dict[str, str]) -> None:
    too_long = {
        f"{path}: {name}": lines
        for path, text in modules.items()
        for name, lines in function_lengths(text).items()
        if lines > LONGEST_FUNCTION
    }
    assert too_long == {}


def test_the_length_of_a_function_counts_its_docstring() -> None:
    assert function_lengths('class A:\n    def f(self):\n        """One."""\n        pass\n') == {
        "f": 3
    }


def test_the_application_holds_no_unfinished_marks(modules: dict[str, str]) -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [path for path, text in modules.items() if marks.search(text)] == []


def test_packaging_never_becomes_a_package(repository: Path) -> None:
    # it would hide the library of the same name from everything run in this folder
    assert (repository / "packaging").is_dir()
    assert not list((repository / "packaging").rglob("__init__.py"))


@pytest.fixture(scope="module")
def lock(repository: Path) -> str:
    return (repository / "requirements.lock").read_text("utf-8")


def locked_requirements(lock: str) -> list[str]:
    """The requirements of the lock, each with the hashes that continue its line."""
    return [line for line in lock.replace("\\\n", " ").splitlines() if line.strip()]


def test_the_lock_pins_every_package_with_hashes(lock: str) -> None:
    requirements = locked_requirements(lock)
    assert len(requirements) > 10
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", requirement), requirement
        assert HASH.search(requirement), requirement


def test_the_lock_holds_no_address(lock: str) -> None:
    without_hashes = HASH.sub("", lock)
    assert not re.search(r"://|www\.|@|^\s*-|index|find-links|\bhost\b|file:", without_hashes, re.M)


def test_the_lock_holds_all_that_the_project_needs(repository: Path, lock: str) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    names = {re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in wanted}
    locked = {requirement.partition("==")[0].lower() for requirement in locked_requirements(lock)}
    assert names <= locked
