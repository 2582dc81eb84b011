"""run.py: what it decides, tested without making an environment."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def run(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("endmember_run", repository / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 14)])
def test_an_old_python_is_told_both_versions(run: ModuleType, version: tuple[int, ...]) -> None:
    sentence = run.python_complaint(version)
    assert "3.11 or newer" in sentence
    assert "this is Python " + ".".join(map(str, version)) in sentence


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 2), (4, 0, 0)])
def test_a_new_python_is_told_nothing(run: ModuleType, version: tuple[int, ...]) -> None:
    assert run.python_complaint(version) is None


def test_the_oldest_python_is_the_one_of_the_project_file(
    run: ModuleType, repository: Path
) -> None:
    oldest = ".".join(map(str, run.OLDEST_PYTHON))
    assert f'requires-python = ">={oldest}"' in (repository / "pyproject.toml").read_text("utf-8")


def test_the_stamp_changes_with_every_part(run: ModuleType) -> None:
    parts = [b"lock", b"project", b"3.11", b"/folder"]
    stamps = {run.stamp(*parts)}
    for place in range(len(parts)):
        changed = list(parts)
        changed[place] += b"x"
        stamps.add(run.stamp(*changed))
    assert len(stamps) == 1 + len(parts)


def test_the_stamp_does_not_run_its_parts_together(run: ModuleType) -> None:
    assert run.stamp(b"ab", b"c") != run.stamp(b"a", b"bc")


@pytest.fixture
def checkout(run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a lock, a project file and an environment whose set-up is only recorded."""
    (tmp_path / "requirements.lock").write_text("one==1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    stamp = tmp_path / ".venv" / "endmember-stamp"
    for name, value in (("ROOT", tmp_path), ("PYTHON", python), ("STAMP", stamp)):
        monkeypatch.setattr(run, name, value)
    return tmp_path


@pytest.fixture
def steps(run: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    recorded: list[str] = []

    def record(*command: object) -> None:
        recorded.append(" ".join(map(str, command)).replace(str(checkout), "CHECKOUT"))

    monkeypatch.setattr(run, "run_step", record)
    return recorded


def test_an_environment_without_a_stamp_is_made_anew(run: ModuleType, steps: list[str]) -> None:
    run.prepare()
    assert "venv --clear" in steps[0]
    assert "--require-hashes" in steps[1]
    assert "--no-deps --no-build-isolation --editable" in steps[2]


def test_a_finished_environment_is_used_as_it_is(run: ModuleType, steps: list[str]) -> None:
    run.prepare()
    steps.clear()
    run.prepare()
    assert steps == []


def test_a_changed_lock_makes_the_environment_anew(
    run: ModuleType, checkout: Path, steps: list[str]
) -> None:
    run.prepare()
    steps.clear()
    (checkout / "requirements.lock").write_text("one==2\n")
    run.prepare()
    assert len(steps) == 3


def test_a_failed_installation_leaves_no_stamp(
    run: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_in_pip(*command: object) -> None:
        if "pip" in command:
            raise SystemExit(1)

    monkeypatch.setattr(run, "run_step", fail_in_pip)
    with pytest.raises(SystemExit):
        run.prepare()
    assert not (checkout / ".venv" / "endmember-stamp").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ID=debian\n", True),
        ('NAME="Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', True),
        ("ID=ubuntu\nID_LIKE=debian\n", True),
        ('ID="fedora"\n', False),
        ('NAME="not debian"\nID=arch\n', False),
        ("", False),
    ],
)
def test_debian_and_its_children_are_known(run: ModuleType, text: str, expected: bool) -> None:
    assert run.is_debian(text) is expected


def test_only_what_does_not_load_is_missing(run: ModuleType) -> None:
    assert run.missing_packages(lambda library: library != "libz.so.1", True) == ["zlib1g"]


def test_a_complete_system_misses_nothing(run: ModuleType) -> None:
    assert run.missing_packages(lambda _: True, True) == []


def test_a_python_without_ensurepip_needs_the_venv_package(run: ModuleType) -> None:
    assert run.missing_packages(lambda _: True, False) == ["python3-venv"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of Linux libraries")
def test_a_library_that_does_not_exist_does_not_load(run: ModuleType) -> None:
    assert run.can_load("libc.so.6")
    assert not run.can_load("libno-such-thing.so.99")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no user number")
def test_who_is_not_root_gets_one_line_to_type(
    run: ModuleType, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SystemExit) as stop:
        run.install_packages(["zlib1g", "python3-venv"])
    line = str(stop.value).splitlines()[-1]
    assert line == "sudo apt-get update && sudo apt-get install -y zlib1g python3-venv"
    assert steps == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no user number")
@pytest.mark.parametrize(("answer", "installs"), [("", True), ("y", True), ("n", False)])
def test_root_at_a_terminal_is_asked_first(
    run: ModuleType,
    steps: list[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    installs: bool,
) -> None:
    monkeypatch.setenv("DEBIAN_FRONTEND", "readline")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    if installs:
        run.install_packages(["zlib1g"])
        assert steps == ["apt-get update", "apt-get install -y zlib1g"]
    else:
        with pytest.raises(SystemExit):
            run.install_packages(["zlib1g"])
        assert steps == []


def test_an_unknown_command_gets_the_usage_and_exit_code_2(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["no-such-command"]) == 2
    assert "python3 run.py demo" in capsys.readouterr().err
