"""Compositions that leave the window: the table of all, and a spectrum with its fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from endmember.session.state.session import Session
from endmember.session.steps.compositions import Entry
from endmember.session.views.composition_tables import TableKind
from endmember.session.views.composition_view import entry_title
from endmember.ui.spectrum_views.fit_view import FitView

TABLE_FILTER = "Table (*.csv)"
FIT_FILTERS = {
    "Figure (*.svg)": ".svg",
    "Figure (*.png)": ".png",
    "Table (*.csv)": ".csv",
    "Spectrum (*.msa)": ".msa",
}


def named(chosen: str, ending: str, known: tuple[str, ...]) -> Path:
    """The file a person named, with an ending; another name than the one typed must be free.

    Raises
    ------
    ValueError
        if the ending has to be added and there is such a file: nobody was asked about that one.
    """
    path = Path(chosen)
    if path.suffix.lower() in known:
        return path
    path = path.with_name(path.name + ending)
    if path.exists():
        raise ValueError(f"{path}: exists already; write the name with its ending to replace it")
    return path


def write_table(path: Path, session: Session, kind: TableKind) -> None:
    """Write one table of all compositions, as `endmember run` does; OSError, ValueError."""
    from endmember.files.disk.folders import complete_file
    from endmember.session.results import result_tables

    with complete_file(path) as part:
        result_tables.write_table(session, kind, part)


def write_fit(path: Path, entry: Entry, view: FitView) -> None:
    """Write the spectrum of an entry; the ending chooses svg, png, csv or msa.

    The figure is what `view` shows; the table holds counts, errors, fit and background.

    Raises
    ------
    ValueError, OSError
        if the ending is another one, or the file cannot be written.
    """
    from endmember.files.disk.folders import complete_file
    from endmember.files.pictures.exporting import write_spectrum_csv, write_spectrum_msa

    fit = entry.composition.fit
    writers: dict[str, Callable[[Path], None]] = {
        ".svg": view.figure_svg,
        ".png": view.figure_png,
        ".msa": lambda part: write_spectrum_msa(part, fit.spectrum, entry_title(entry)),
        ".csv": lambda part: write_spectrum_csv(
            part, fit.spectrum, fit.deviation, fit.fitted, fit.background
        ),
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ValueError(f"{path.name}: end the name with .svg, .png, .csv or .msa")
    with complete_file(path) as part:
        writer(part)
