"""How long it takes from Cancel until a long step has stopped, at several points of each.

    python benchmarks/cancel.py [--size 512] [--folder FOLDER] [--json FILE]

Opens the demo in the real window offscreen, lets it run once to learn how long each step takes,
then runs it again and cancels each step at tenths of its time. Prints the longest wait of each.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("ENDMEMBER_CONFIG", tempfile.mkdtemp(prefix="endmember-benchmark-"))

from PyQt6.QtWidgets import QApplication

SHARES = (0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
AT_MOST_s = 300.0


def wait(until: Callable[[], object]) -> float:
    """Run the event loop until something holds; the seconds it took."""
    begun = time.perf_counter()
    while not until():
        if time.perf_counter() - begun > AT_MOST_s:
            raise TimeoutError("waited too long")
        QApplication.processEvents()
        time.sleep(0.0005)
    return time.perf_counter() - begun


class Clock:
    """Cancels what runs at a share of its usual time, and measures how long that takes."""

    def __init__(self, runner: Any) -> None:
        self.runner = runner
        self.usual: dict[str, float] = {}
        self.waits: dict[str, list[float]] = {}

    def learn(self, title: str, start: Callable[[], object]) -> None:
        """How long it takes to its end; the second time, when all libraries are loaded."""
        for _ in range(2):
            start()
            wait(lambda: self._runs(title))
            self.usual[title] = wait(lambda: not self._runs(title))
            self.runner.cancel()  # what follows by itself
            wait(lambda: self.runner.running is None)

    def cancel(self, title: str, share: float, start: Callable[[], object]) -> None:
        """Start, cancel at a share of the usual time, and note the time until it has stopped."""
        start()
        wait(lambda: self._runs(title))
        running = self.runner.running
        moment = share * self.usual[title]
        wait(lambda: self.runner.running is not running or running.seconds >= moment)
        if self.runner.running is running:
            self.runner.cancel()
            taken = wait(lambda: self.runner.running is not running)
            self.waits.setdefault(title, []).append(taken)
        self.runner.cancel()
        wait(lambda: self.runner.running is None)

    def _runs(self, title: str) -> bool:
        return self.runner.running is not None and self.runner.running.title == title

    def measure(self, title: str, start: Callable[[], object]) -> None:
        """Learn, then cancel at every share."""
        self.learn(title, start)
        for share in SHARES:
            self.cancel(title, share, start)


def measure_steps(window: Any, recipe: Path, clock: Clock) -> None:
    """Each step, in a document that holds the results of all others but those that follow it."""
    from endmember.session.documents.document import Document
    from endmember.session.steps.chain import STEPS

    window.show_document(Document.open(recipe))
    wait(lambda: not window.workspace.session.due() and window.runner.running is None)
    done = window.workspace.session
    name = done.recipe.map_names[0]
    steps = [step.name for step in STEPS]
    for step in steps:

        def start(step: str = step) -> None:
            document = Document.open(recipe)
            for other in steps:
                if other != step and step not in _needs(other):
                    key = document.session.key(other, name)
                    document.session.accept(key, done.result(other, name))
            window.show_document(document)

        clock.measure(step, start)
    window.show_document(Document.open(recipe))
    wait(lambda: not window.workspace.session.due() and window.runner.running is None)


def _needs(step: str) -> set[str]:
    """All steps that a step waits for."""
    from endmember.session.steps.chain import STEPS

    direct = set(STEPS[step].needs)
    return direct.union(*map(_needs, direct))


def measure_tasks(window: Any, size: int, clock: Clock) -> None:
    """Cancel exporting and making the demo."""
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(1000))

        def export() -> None:
            window.actions_.export_results(Path(folder) / f"results {next(numbers)}")

        def make_demo() -> None:
            window.actions_.open_demo(size, Path(folder) / f"demo {next(numbers)}")

        clock.measure("exporting", export)
        clock.measure("making the demo map", make_demo)


def main() -> None:
    """Measure, print a table, and keep it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    from endmember.demo import prepare_demo
    from endmember.ui.window.application import make_window

    folder = options.folder or Path(tempfile.gettempdir()) / f"endmember-benchmark-{options.size}"
    recipe = prepare_demo(folder, options.size, lambda _: None)
    window = make_window()
    window.show()
    clock = Clock(window.runner)
    measure_steps(window, recipe, clock)
    measure_tasks(window, options.size, clock)
    print(f"{'what':24s} {'takes, s':>9s} {'cancelled':>9s} {'longest wait, ms':>17s}")
    for title, waits in clock.waits.items():
        print(f"{title:24s} {clock.usual[title]:9.2f} {len(waits):9d} {1000 * max(waits):17.0f}")
    if options.json:
        found = {t: {"takes_s": clock.usual[t], "waits_s": w} for t, w in clock.waits.items()}
        options.json.write_text(json.dumps({"size": options.size, "steps": found}, indent=1))
    window.runner.close()
    os._exit(0)


if __name__ == "__main__":
    main()
