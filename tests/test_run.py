"""run.py: what it decides, tested without making an environment."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
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
    assert run.missing_packages(lambda library: library != "libz.so.1", True, True) == ["zlib1g"]


def test_a_complete_system_misses_nothing(run: ModuleType) -> None:
    assert run.missing_packages(lambda _: True, True, True) == []


def test_a_python_without_ensurepip_needs_the_venv_package(run: ModuleType) -> None:
    assert run.missing_packages(lambda _: True, False, False) == ["python3-venv"]


def test_libraries_of_the_window_are_asked_for_where_one_opens(run: ModuleType) -> None:
    def loads(library: str) -> bool:
        return library != "libEGL.so.1"

    assert run.missing_packages(loads, True, True) == ["libegl1"]
    assert run.missing_packages(loads, True, False) == []


def test_a_bare_debian_gets_all_that_qt_needs(run: ModuleType) -> None:
    # what the wheels do not bundle, found by trial
    offscreen = "libgl1 libegl1 libxkbcommon0 libfontconfig1 libglib2.0-0 libdbus-1-3"
    on_x = "libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
    packages = run.missing_packages(lambda _: False, True, True)
    assert {*offscreen.split(), *on_x.split()} <= set(packages)
    assert len(packages) == len(set(packages))


@pytest.mark.skipif(sys.platform != "linux", reason="Qt draws on X here only")
def test_no_library_of_the_x_plugin_is_forgotten(run: ModuleType) -> None:
    import PyQt6

    platforms = Path(PyQt6.__path__[0]) / "Qt6" / "plugins" / "platforms"
    if not platforms.is_dir() or not shutil.which("objdump"):
        pytest.skip("objdump or Qt's own folder of plugins is not here to look into")
    bundled = {p.name for p in (platforms.parent.parent / "lib").iterdir()}
    looked_into = [platforms / "libqxcb.so", platforms / "libqoffscreen.so"]
    needed: set[str] = set()
    while looked_into:
        printed = subprocess.run(
            ["objdump", "-p", str(looked_into.pop())], capture_output=True, text=True, check=True
        ).stdout
        names = {line.split()[1] for line in printed.splitlines() if "NEEDED" in line}
        looked_into += [platforms.parent.parent / "lib" / n for n in (names & bundled) - needed]
        needed |= names
    # those of C are always there, and libgthread comes with GLib
    of_c = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "ld-linux-x86-64.so.2"}
    assert needed - bundled - of_c - {"libgthread-2.0.so.0"} <= {
        *run.SYSTEM_LIBRARIES,
        *run.WINDOW_LIBRARIES,
    }


def test_the_program_for_window_tests_is_missed_where_it_is_not(run: ModuleType) -> None:
    assert run.missing_programs(lambda _: None) == ["xvfb"]
    assert run.missing_programs(lambda name: f"/usr/bin/{name}") == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no user number")
@pytest.mark.parametrize(
    ("user", "terminal", "expected"), [(0, False, True), (0, True, False), (1000, False, False)]
)
def test_only_root_whom_nobody_watches_installs_unasked(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, user: int, terminal: bool, expected: bool
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
    assert run.is_unattended_root() is expected


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_only_linux_without_a_display_has_none(
    run: ModuleType, environment: dict[str, str], platform: str, expected: bool
) -> None:
    assert run.has_display(environment, platform) is expected


@pytest.fixture
def started(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What `main` checks the system for and hands over to, recorded instead of done."""
    recorded: list[tuple[object, ...]] = []

    def record(*arguments: object, **options: object) -> int:
        recorded.append((*arguments, *options.values()))
        return 0

    monkeypatch.setattr(run, "check_system", record)
    monkeypatch.setattr(run, "prepare", lambda: None)
    monkeypatch.setattr(run, "hand_over", record)
    monkeypatch.setattr("os.chdir", lambda _: None)
    return recorded


@pytest.mark.skipif(sys.platform != "linux", reason="a display is sure elsewhere")
def test_without_a_display_the_demo_runs_in_the_terminal_and_says_so(
    run: ModuleType,
    started: list[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    run.main(["demo", "--size", "128"])
    assert started == [(False, False), ("endmember", "demo", "--no-window", "--size", "128")]
    assert "no display" in capsys.readouterr().err


def test_with_a_display_the_demo_opens_the_window(
    run: ModuleType, started: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    run.main(["demo", "--size", "128"])
    assert started == [(True, False), ("endmember", "demo", "--size", "128")]
    started.clear()
    run.main(["demo", "--no-window"])
    assert started == [(False, False), ("endmember", "demo", "--no-window")]


def test_tests_want_the_window_and_its_programs(
    run: ModuleType, started: list[tuple[object, ...]]
) -> None:
    run.main(["test", "-k", "masks"])
    assert started == [(True, True), ("pytest", "-n", "auto", "--dist", "loadfile", "-k", "masks")]


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
