"""How fast the window is: first paint, stalls, drags, and from a moved rectangle to its numbers.

    python benchmarks/window.py [--size 512] [--json FILE] [--stalls]

Drives the real window offscreen (or on the display of QT_QPA_PLATFORM) with mouse and key events.
Times depend on the machine and on what else it does; so the first paint stands beside that of an
empty window of the same libraries, and each pause of the main thread is divided into computing,
waiting for a core, and waiting for the interpreter. `--stalls` also tells where the longer ones
were. Everything is from one run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("ENDMEMBER_CONFIG", tempfile.mkdtemp(prefix="endmember-benchmark-"))

from heart import Heart, Pause
from PyQt6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication

from endmember.ui.pages.masks.mask_preview import PreviewItem

LOOK_ms = 5
SLEEPING = QEventLoop.ProcessEventsFlag.AllEvents | QEventLoop.ProcessEventsFlag.WaitForMoreEvents
LEFT = Qt.MouseButton.LeftButton
_PAINTED = """
import time
from PyQt6.QtCore import QEvent, QObject
class Watch(QObject):
    def eventFilter(self, of, event):
        if event.type() == QEvent.Type.Paint:
            print(time.time(), flush=True)
            import os; os._exit(0)
        return False
"""
_OURS = (
    "from endmember.ui.window.application import application, make_window\n"
    "app = application(); window = make_window(); watch = Watch()\n"
    "app.installEventFilter(watch); window.show(); app.exec()"
)
_PEER = (
    "import PyQt6.QtWidgets as q, numpy, pyqtgraph\n"
    "app = q.QApplication([]); window = q.QMainWindow()\n"
    "window.setCentralWidget(pyqtgraph.PlotWidget()); watch = Watch()\n"
    "app.installEventFilter(watch); window.show(); app.exec()"
)


def first_paint(code: str, runs: int = 7) -> float:
    """Median seconds from starting the interpreter to the first paint event, warm."""
    seconds = []
    for _ in range(runs + 1):
        begun = time.time()
        done = subprocess.run(
            [sys.executable, "-c", _PAINTED + code], capture_output=True, text=True, timeout=60
        )
        seconds.append(float(done.stdout.split()[0]) - begun)
    return statistics.median(seconds[1:])


def wait(until: Callable[[], bool], at_most: float = 120.0) -> float:
    """Run the event loop until something holds; the seconds it took."""
    begun = time.perf_counter()
    tick = QTimer()
    tick.start(LOOK_ms)  # it only wakes the loop, which otherwise sleeps as in use
    while not until():
        if time.perf_counter() - begun > at_most:
            raise TimeoutError("waited too long")
        QApplication.processEvents(SLEEPING)
    return time.perf_counter() - begun


def rest(seconds: float) -> None:
    """Let the event loop run."""
    end = time.perf_counter() + seconds
    wait(lambda: time.perf_counter() > end)


def _drag_along(port: Any, places: list[QPoint], pause: float = 0.0) -> None:
    QTest.mousePress(port, LEFT, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(port, place)
        QApplication.processEvents()
        if pause:
            rest(pause)


def measure_roi_drag(window: Any, size: int, heart: Heart) -> dict[str, float]:
    """Draw a region of interest, then drag it about: spectra shown per second."""
    window.workspace.look(page="map")
    rest(1.5)
    page = window.page("map")
    page.key_tool("R")
    canvas = page.gallery.grid.views[0].canvas
    port = canvas.viewport()

    def at(x: float, y: float) -> QPoint:
        return canvas.position_of((x * size, y * size)).toPoint()

    shown = [0]
    draw = window.spectrum._draw
    window.spectrum._draw = lambda: (shown.__setitem__(0, shown[0] + 1), draw())
    heart.start("draw a region")
    _drag_along(port, [at(0.3, 0.3), at(0.35, 0.35), at(0.5, 0.5)])
    QTest.mouseRelease(port, LEFT, pos=at(0.5, 0.5))
    rest(0.3)
    page.key_tool("V")
    heart.start("drag a region")
    shown[0] = 0
    moves = 150
    begun = time.perf_counter()
    QTest.mousePress(port, LEFT, pos=at(0.4, 0.4))
    for number in range(moves):
        QTest.mouseMove(port, at(0.4 + 0.2 * (number % 50) / 50, 0.4 + 0.1 * (number % 30) / 30))
        until = time.perf_counter() + 1 / 75
        while time.perf_counter() < until:
            QApplication.processEvents()
    seconds = time.perf_counter() - begun
    updates = shown[0]
    QTest.mouseRelease(port, LEFT, pos=at(0.4, 0.4))
    window.spectrum._draw = draw
    rest(0.5)
    return {"roi_updates_per_s": updates / seconds, "roi_moves_per_s": moves / seconds}


def measure_rectangle(window: Any, size: int, heart: Heart, moves: int = 5) -> dict[str, float]:
    """Draw a rectangle of 100 pixels, then move it: to preview, masks and composition.

    The slowest of all moves, and the mouse lets go before the last preview is there.
    """
    workspace = window.workspace
    workspace.look(page="masks")
    rest(2.0)
    page = window.page("masks")
    canvas = page.map.canvas
    port = canvas.viewport()

    def at(x: float, y: float) -> QPoint:
        return canvas.position_of((x, y)).toPoint()

    seen: dict[str, float] = {}
    show = PreviewItem.show
    PreviewItem.show = lambda *given: (show(*given), seen.update(preview=time.perf_counter()))
    workspace.runner.step_done.connect(lambda step, _: seen.setdefault(step, time.perf_counter()))
    half = min(50, size // 10)
    x, y = 0.5 * size, 0.3 * size
    dragged: list[float] = []
    figures: dict[str, list[float]] = {"masks": [], "quantification": []}
    heart.start("draw a rectangle")
    page.key_tool("R")
    for number in range(moves):
        seen.clear()
        shift = 3.0 * number
        if number == 0:
            _drag_along(port, [at(x - half, y - half), at(x, y)], 0.05)
            end = at(x + half, y + half)
        else:
            page.key_tool("V")
            heart.start("move a rectangle")
            _drag_along(port, [at(x + shift - 3, y), at(x + shift - 1, y)], 0.05)
            end = at(x + shift, y)
        rest(0.2)
        seen.clear()
        moved = time.perf_counter()
        QTest.mouseMove(port, end - QPoint(9, 9))
        wait(lambda: "preview" in seen)
        dragged.append(seen.pop("preview") - moved)
        QTest.mouseMove(port, end)
        released = time.perf_counter()
        QTest.mouseRelease(port, LEFT, pos=end)
        wait(lambda: workspace.result("quantification") is not None)
        rest(0.1)
        for name, found in figures.items():
            if name in seen:
                found.append(seen[name] - released)
    PreviewItem.show = show
    slowest = {f"release_to_{name}_s": max(found) for name, found in figures.items() if found}
    return {"drag_to_preview_s": max(dragged), **slowest}


def main() -> int:
    """Measure, print a table, and keep it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--stalls", action="store_true", help="tell where the long pauses were")
    options = parser.parse_args()
    figures: dict[str, Any] = {"size": options.size}
    figures["first_paint_s"] = first_paint(_OURS)
    figures["first_paint_of_empty_window_s"] = first_paint(_PEER)

    from endmember.demo import prepare_demo
    from endmember.ui.window.application import application, make_window, prepare

    folder = Path(tempfile.gettempdir()) / f"endmember-benchmark-{options.size}"
    prepare_demo(folder, options.size, lambda _: None)
    application()
    window = make_window()
    heart = Heart()
    window.resize(1600, 900)
    heart.start("show")
    window.show()
    rest(0.5)
    heart.start("prepare")
    begun = time.perf_counter()

    def open_demo() -> None:
        heart.start("open and compute")
        window.actions_.open_demo(options.size, folder)

    prepare(window, open_demo)  # as `endmember demo` does
    wait(lambda: window.workspace.result("quantification") is not None, 300)
    figures["start_to_composition_s"] = time.perf_counter() - begun
    for name in ("components", "masks", "phases", "abundance", "composition", "map"):
        heart.start(f"page {name}")
        window.workspace.look(page=name)
        rest(1.0)
    figures |= measure_rectangle(window, options.size, heart)
    figures |= measure_roi_drag(window, options.size, heart)
    heart.start("undo and redo")
    for method in ("undo", "undo", "redo", "redo"):
        getattr(window.workspace, method)()
        rest(0.4)
    longest = heart.longest()
    figures["stall_s"] = max(pause.seconds for pause in longest.values())
    seen = [pause for pause in heart.pauses if pause.doing]
    figures["stall_without_waiting_for_a_core_s"] = max(
        pause.computing + pause.for_interpreter for pause in seen
    )
    figures["stall_computing_s"] = max(pause.computing for pause in seen)
    _print(figures, longest)
    if options.stalls:
        _print_stalls(heart.long_ones())
    if options.json:
        figures["longest_stall_s"] = {name: pause.seconds for name, pause in longest.items()}
        options.json.write_text(json.dumps(figures, indent=1))
    window.runner.close()
    os._exit(0)


def _print(figures: dict[str, Any], longest: dict[str, Pause]) -> None:
    for name, value in figures.items():
        print(f"{name:36s} {value:10.3f}")
    head = "longest pause of the main thread"
    print(f"\n{head:34s}{'ms':>8s}{'computing':>12s}{'for core':>12s}{'for interpreter':>18s}")
    for name, pause in longest.items():
        parts = 1000 * pause.computing, 1000 * pause.for_core, 1000 * pause.for_interpreter
        print(
            f"    {name:30s}{1000 * pause.seconds:8.0f}"
            f"{parts[0]:12.0f}{parts[1]:12.0f}{parts[2]:18.0f}"
        )


def _print_stalls(pauses: list[Pause]) -> None:
    for pause in pauses:
        parts = pause.computing, pause.for_core, pause.for_interpreter
        told = " + ".join(f"{1000 * part:.0f}" for part in parts)
        print(f"\n{1000 * pause.seconds:.0f} ms in {pause.doing} ({told})")
        for kind, stacks in (("", pause.stacks), ("others ", pause.others)):
            for stack, times in stacks.most_common(4):
                print(f"    {kind}{times} x {stack}")


if __name__ == "__main__":
    main()
