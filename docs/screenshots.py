"""Takes the screenshots of README and docs, from the real window on the demo map.

python docs/screenshots.py                 those of the README, into docs/images
python docs/screenshots.py --all FOLDER    every page at 1366x768, 1920x1080 and 150 %, light
                                           and dark, to be looked at
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("ENDMEMBER_CONFIG", tempfile.mkdtemp(prefix="endmember-screenshots-"))

from PyQt6.QtWidgets import QApplication

IMAGES = Path(__file__).resolve().parent / "images"
PAGES = ("map", "components", "masks", "phases", "abundance", "composition", "statistics")
SIZES = {"1366x768": (1366, 768, "1"), "1920x1080": (1920, 1080, "1"), "150": (1366, 768, "1.5")}


def settle(seconds: float) -> None:
    """Let the event loop run."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def wait(until: Callable[[], Any]) -> None:
    """Let the event loop run until something is there."""
    end = time.monotonic() + 180
    while not until():
        if time.monotonic() > end:
            raise TimeoutError("the demo was not computed within three minutes")
        settle(0.05)


def shoot(folder: Path, width: int, height: int, theme: str, suffix: str) -> None:
    """One picture of each page."""
    from endmember.ui.window.application import application, make_window

    application()
    window = make_window()
    window.actions_.choose_theme(theme)
    scale = window.devicePixelRatioF()
    window.resize(round(width / scale), round(height / scale))
    window.show()
    settle(0.3)
    if suffix:  # the README does not show it
        window.grab().save(str(folder / f"welcome{suffix}.png"))
    window.actions_.open_demo()
    wait(lambda: window.workspace.result("quantification"))
    wait(lambda: window.runner.running is None)
    for name in PAGES:
        # a trace that is there: 0.24 at.% of Sm under the lines of Nd
        trace = {"element": "Sm", "precipitate": "CaPv"} if name in PAGES[-2:] else {}
        window.workspace.look(page=name, **trace)
        settle(1.5)
        if name == "composition":
            window.page(name).fit_view.zoom_to(4.9, 7.6)
            settle(0.3)
        if name == "statistics":
            page = window.page(name)
            page.tabs.setCurrentIndex([part.title for part in page.parts].index("Pixels"))
            window.workspace.on_request.ask("snr_growth", 0)
            wait(lambda: window.workspace.on_request.answer("snr_growth"))
            settle(1.0)
        window.grab().save(str(folder / f"{name}{suffix}.png"))
        print(folder / f"{name}{suffix}.png", flush=True)
    window.runner.close()


def main() -> None:
    """Those of the README, or all of them, each kind in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        folder, width, height, theme, suffix = options.one
        shoot(Path(folder), int(width), int(height), theme, suffix)
        os._exit(0)
    if options.all is None:
        IMAGES.mkdir(exist_ok=True)
        runs = [(IMAGES, "1366x768", "light", "")]
    else:
        options.all.mkdir(parents=True, exist_ok=True)
        runs = [
            (options.all, size, theme, f"_{size}_{theme}")
            for size in SIZES
            for theme in ("light", "dark")
        ]
    for folder, size, theme, suffix in runs:
        width, height, scale = SIZES[size]
        one = ("--one", str(folder), str(width), str(height), theme, suffix)
        subprocess.run(
            [sys.executable, __file__, *one],
            env={**os.environ, "QT_SCALE_FACTOR": scale},
            check=True,
        )


if __name__ == "__main__":
    main()
