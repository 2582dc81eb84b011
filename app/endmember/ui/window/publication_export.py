"""Report and figures from the window: asked for in the File menu, made in the worker thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QFileDialog, QMenu

from endmember.core.progress import Report, part_of
from endmember.session.results.further_tables import FurtherRows
from endmember.session.state.session import Failure, Session

if TYPE_CHECKING:
    from endmember.files.pictures.figure_page import FigureFormat
    from endmember.ui.window.window import MainWindow

FORMATS: dict[str, FigureFormat] = {
    "SVG, texts can be edited (*.svg)": "svg",
    "PDF, fonts inside (*.pdf)": "pdf",
}
GROWTH_SHARE = 0.3  # of the time that report or figures take


def publication_actions(
    add: Callable[..., QAction], menu: QMenu, window: MainWindow
) -> tuple[QAction, ...]:
    """Add the two commands to a menu by `add`; returns them."""
    return (
        add(
            menu,
            "Export &report…",
            partial(ask_report, window),
            tip="Write one HTML file with tables, figures, methods and sources",
            document=True,
        ),
        add(
            menu,
            "Export &figures…",
            partial(ask_figures, window),
            tip="Write figures for print (SVG or PDF) into a folder",
            document=True,
        ),
    )


def ask_report(window: MainWindow) -> None:
    """Ask for a file and write the report of the open document into it."""
    start = _start(window, "report.html")
    if start is None:
        return
    name, _ = QFileDialog.getSaveFileName(
        window, "Export report", str(start), "Web pages (*.html *.htm)"
    )
    if name:
        path = Path(name)
        if path.suffix.lower() not in (".html", ".htm"):
            path = path.with_name(f"{path.name}.html")
        _run(window, "writing the report", path, _report_work(_session(window), path))


def ask_figures(window: MainWindow) -> None:
    """Ask for a new folder and a format, and write all figures of the open document into it."""
    start = _start(window, "figures")
    if start is None:
        return
    name, chosen = QFileDialog.getSaveFileName(
        window, "Export figures into a new folder", str(start), ";;".join(FORMATS)
    )
    if name:
        kind = FORMATS.get(chosen, "svg")
        folder = Path(name)
        _run(window, "drawing figures", folder, _figure_work(_session(window), folder, kind))


def _start(window: MainWindow, what: str) -> Path | None:
    """Where the dialog begins; None where nothing is open."""
    document = window.workspace.document
    if document is None:
        return None
    return window.preferences.last_folder / f"{Path(document.title).stem}-{what}"


def _session(window: MainWindow) -> Session:
    """The results as they are now, for the worker thread."""
    session = window.workspace.session
    assert session is not None  # a document is open
    return session.snapshot()


def _run(window: MainWindow, name: str, target: Path, work: Callable[[Report], list[str]]) -> None:
    def told(value: Any) -> None:
        if isinstance(value, Failure):
            window.workspace.say("error", f"{target.name} was not written: {value.message}")
        elif value is not None:
            window.workspace.say("info", " ".join([f"written: {target}.", *value]))

    window.runner.run_task(name, work, told)


def _report_work(session: Session, path: Path) -> Callable[[Report], list[str]]:
    def work(report: Report) -> list[str]:
        from endmember.files.disk.folders import complete_file
        from endmember.session.figures.figure_list import drawn_figures, planned_figures
        from endmember.session.results.report import report_text
        from endmember.session.statistics.snr_growth import snr_growth

        with complete_file(path) as part:  # what cannot be written is told before the work
            rows = FurtherRows(snr_growth(session, part_of(report, 0.0, GROWTH_SHARE)))
            planned = planned_figures(session, rows.growth)
            drawn = drawn_figures(planned, "svg", part_of(report, GROWTH_SHARE, 1.0))
            text = report_text(session, drawn, rows, path.parent)
            part.write_text(text, encoding="utf-8")
        return []

    return work


def _figure_work(
    session: Session, folder: Path, kind: FigureFormat
) -> Callable[[Report], list[str]]:
    def work(report: Report) -> list[str]:
        from endmember.files.disk.folders import complete_folder
        from endmember.session.figures.figure_list import write_figures
        from endmember.session.statistics.snr_growth import snr_growth

        with complete_folder(folder) as part:
            growth = snr_growth(session, part_of(report, 0.0, GROWTH_SHARE))
            within = part_of(report, GROWTH_SHARE, 1.0)
            return write_figures(session, growth, part, kind, within)

    return work
