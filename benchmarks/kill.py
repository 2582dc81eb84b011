"""What is left when the program is killed at any moment: nothing half-written, nothing much lost.

    python benchmarks/kill.py [--times 200] [--size 64] [--what save,run,window] [--json FILE]

Each attempt is a process of its own that is killed (SIGKILL) at a random moment
- save: while it saves a recipe again and again. The file must be the last recipe or the next one;
- run: during `endmember run`, every other time with --force over an earlier result. There must be
  no folder, the earlier result or the new one, byte for byte;
- window: while a person changes settings every 150 ms and a long step runs. What another start
  offers to recover must be right, and at most one gesture behind.
Needs a system that forks (Linux, macOS): imports are done once.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("ENDMEMBER_CACHE_MB", "0")

import endmember  # noqa: F401 - before numpy
from endmember.demo import prepare_demo
from endmember.files.disk.folders import RESULT_MARK
from endmember.session.decisions import edits
from endmember.session.decisions.recipe import Recipe
from endmember.session.decisions.recipe_file import load_recipe
from endmember.session.documents.document import Document
from endmember.session.documents.recovery import Recovery

GESTURE_s = 0.15  # from one to the next: faster than hands are
SAVING_s, WINDOW_s = 0.12, 1.5  # moments are drawn from so long after the first save, gesture
READY = (  # imported once; nothing is computed before a process is forked
    *("results.results_folder", "results.result_tables", "views.composition_tables"),
    *("steps.compositions", "steps.partitions", "steps.background_spreads"),
    *("steps.separation", "steps.map_data"),
)
BY_NATURE = ("run.json",)  # holds times: alike only in its warnings


class Killed:
    """A process that carries out `work(say)` and is killed; `said` is the last number it said."""

    def __init__(self, work: Callable[[Callable[[int], None]], None]) -> None:
        self._reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                quiet = os.open(os.devnull, os.O_WRONLY)
                os.dup2(quiet, 1)
                os.dup2(quiet, 2)
                work(lambda number: void(os.write(writing, b"%d\n" % number)))
            os._exit(0)
        os.close(writing)

    def wait_for_first(self) -> None:
        """Until it has said something, or ended."""
        self._begun = os.read(self._reading, 1 << 16)

    def kill(self) -> int:
        """Kill it now, unless it has ended; the last number that it said, -1 for none."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        text = getattr(self, "_begun", b"")
        while part := os.read(self._reading, 1 << 16):
            text += part
        os.close(self._reading)
        return int(text.split()[-1]) if text.split() else -1


def void(_: object) -> None:
    """Nothing: a function that returns a value where none is wanted."""


def numbered(recipe: Recipe, number: int) -> Recipe:
    """A recipe that holds a number, in the seed of its decomposition: a long step begins anew."""
    return edits.set_decomposition(recipe, seed=number)


def kill_saves(folder: Path, recipe: Path, times: int, draw: random.Random) -> dict[str, Any]:
    """Kill while a recipe is saved; strokes make the file large enough to be met half-way."""
    start = Document.open(recipe).session.recipe
    points = tuple((x % 32, x // 32 % 32) for x in range(2000))
    name = start.precipitates[0].name
    long = edits.add_stroke(start, name, start.map_names[0], "inside", 2, points)
    target = folder / "saved.toml"
    found: Counter[str] = Counter()
    ahead: Counter[int] = Counter()

    def work(say: Callable[[int], None]) -> None:
        document = Document(long)
        for number in range(1, 100_000):
            document.session.change(numbered(document.session.recipe, number))
            document.save(target)
            say(number)

    for _ in range(times):
        killed = Killed(work)
        killed.wait_for_first()
        time.sleep(draw.uniform(0.0, SAVING_s))
        said = killed.kill()
        try:
            ahead[load_recipe(target).decomposition.seed - said] += 1
        except ValueError:
            found["no recipe"] += 1
    Document(long).save(target)  # whoever saves next tidies up
    found["left beside it"] = len([p for p in folder.iterdir() if p.name.startswith(".")])
    return {"times": times, "saves_ahead_of_the_last_said": dict(ahead), **found}


def contents(folder: Path) -> dict[str, bytes | list[str]]:
    """What a folder of results holds, as far as it is the same in every run."""
    held: dict[str, bytes | list[str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            content = path.read_bytes()
            held[name] = json.loads(content)["warnings"] if name in BY_NATURE else content
    return held


def kill_runs(folder: Path, recipe: Path, times: int, draw: random.Random) -> dict[str, Any]:
    """Kill during `endmember run`, at moments evenly over its whole time."""
    from endmember.cli import run_command

    out, earlier, complete = folder / "results", folder / "earlier", folder / "complete"
    other = recipe.with_name("earlier.toml")
    other.write_text(recipe.read_text("utf-8").replace("seed = 0", "seed = 1"), "utf-8")

    def run_to(end: Path, of: Path) -> Callable[[Callable[[int], None]], None]:
        def work(say: Callable[[int], None]) -> None:
            if run_command(["run", str(of), "--out", str(end), "--force"]) == 0:
                say(1)

        return work

    durations = []
    for end, of in ((earlier, other), (complete, recipe)):
        begun = time.perf_counter()
        os.waitpid(Killed(run_to(end, of)).pid, 0)
        durations.append(time.perf_counter() - begun)
    states = {"new": contents(complete), "earlier": contents(earlier)}
    found: Counter[str] = Counter()
    for number in range(times):
        shutil.rmtree(out, ignore_errors=True)
        if number % 2:
            shutil.copytree(earlier, out)
        killed = Killed(run_to(out, recipe))
        time.sleep(draw.uniform(0.0, 1.05 * durations[-1]))
        killed.kill()
        found[_state(out, states, had_one=bool(number % 2))] += 1
    left = _hidden(folder)
    os.waitpid(Killed(run_to(out, recipe)).pid, 0)
    return {
        "times": times,
        "seconds_of_a_run": round(durations[-1], 2),
        **found,
        "hidden_folders_left": left,
        "and_after_the_next_run": _hidden(folder),
        "next_run_complete": contents(out) == states["new"],
    }


def _state(out: Path, states: dict[str, Any], had_one: bool) -> str:
    if not out.exists():
        return "LOST" if had_one else "absent"
    held = contents(out) if (out / RESULT_MARK).is_file() else None
    return next((name for name, state in states.items() if held == state), "HALF-WRITTEN")


def _hidden(folder: Path) -> int:
    return len([path for path in folder.iterdir() if path.name.startswith(".results.")])


def at_the_window(folder: Path, recipe: Path, say: Callable[[int], None]) -> None:
    """A person who changes a setting again and again, while steps run."""
    from PyQt6.QtCore import QTimer
    from PyQt6.QtWidgets import QApplication

    from endmember.ui.program.preferences import Preferences
    from endmember.ui.window.application import make_window

    window = make_window(Preferences(folder / "settings.ini"), recovery=Recovery(folder / "kept"))
    window.show()
    window.actions_.open_files([recipe], offered=True)
    done = 0

    def gesture() -> None:
        nonlocal done
        done += 1
        window.workspace.edit(edits.set_decomposition, seed=done)
        say(done)

    timer = QTimer()
    timer.timeout.connect(gesture)
    timer.start(round(GESTURE_s * 1000))
    app = QApplication.instance()
    assert app is not None
    app.exec()


def kill_windows(folder: Path, recipe: Path, times: int, draw: random.Random) -> dict[str, Any]:
    """Kill while the window is open and steps run; then look what is offered."""
    from endmember.ui.window.window import PAGE_CLASSES

    for page in PAGE_CLASSES.values():
        importlib.import_module(page.partition(":")[0])
    store = Recovery(folder / "kept")
    lost: Counter[int] = Counter()
    found: Counter[str] = Counter()
    for _ in range(times):
        shutil.rmtree(store.folder, ignore_errors=True)
        killed = Killed(lambda say: at_the_window(folder, recipe, say))
        killed.wait_for_first()
        time.sleep(draw.uniform(0.0, WINDOW_s))
        said = killed.kill()
        kept = store.found()
        if len(kept) != 1:
            # killed within the first gesture of all: it alone is lost
            lost[said] += 1
            found["nothing offered"] += 1
            continue
        right = kept[0].document == recipe.absolute() and not kept[0].saved_since
        number = kept[0].recipe.decomposition.seed
        whole = numbered(Document.open(recipe).session.recipe, number)
        found["offered and right" if right and kept[0].recipe == whole else "WRONG"] += 1
        lost[max(said - number, 0)] += 1
    return {"times": times, "gestures_lost": dict(sorted(lost.items())), **found}


WHAT = {"save": kill_saves, "run": kill_runs, "window": kill_windows}


def main() -> None:
    """Kill as often as asked for, and say what was left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--size", type=int, default=64, help="of the map in pixels, at least 64")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--what", default=",".join(WHAT), help="save, run, window")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    for name in READY:
        importlib.import_module(f"endmember.session.{name}")
    for name in ("rsciio.hspy", "sklearn.decomposition", "endmember.files.pictures.exporting"):
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="endmember-kill-") as name:
        folder = Path(name)
        made = Killed(lambda _: void(prepare_demo(folder / "demo", options.size, void)))
        os.waitpid(made.pid, 0)
        for what in options.what.split(","):
            own = folder / what
            own.mkdir()
            draw = random.Random(options.seed)
            figures[what] = WHAT[what](own, folder / "demo" / "demo.toml", options.times, draw)
            print(what, json.dumps(figures[what]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
