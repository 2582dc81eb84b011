"""Figures for print: their widths, fonts and lines, and how they become files."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, cast

if TYPE_CHECKING:  # matplotlib is imported where a figure is made, not when the program starts
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN_mm, PAGE_mm = 85.0, 170.0
"""Widths of one column and of a page of a journal."""
FONT_SIZE, SMALL_SIZE, LABEL_SIZE = 7.5, 7.0, 8.0  # points
MM_PER_INCH = 25.4
DOTS_PER_INCH = 300
INK, FAINT = "#1b1e22", "#767d85"

FigureFormat = Literal["svg", "pdf", "png"]
FORMATS: tuple[FigureFormat, ...] = ("svg", "pdf", "png")

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: equal on every machine
    "font.size": FONT_SIZE,
    "axes.titlesize": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "xtick.labelsize": SMALL_SIZE,
    "ytick.labelsize": SMALL_SIZE,
    "legend.fontsize": SMALL_SIZE,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlepad": 3.0,
    "axes.labelpad": 2.0,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 0.8,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "legend.handlelength": 1.5,
    "legend.borderaxespad": 0.3,
    "legend.labelspacing": 0.3,
    "axes.formatter.use_mathtext": False,
    "svg.fonttype": "none",  # texts stay texts
    "svg.hashsalt": "endmember",
    "pdf.fonttype": 42,
    "figure.dpi": DOTS_PER_INCH,
    "savefig.dpi": DOTS_PER_INCH,
}
METADATA: dict[FigureFormat, dict[str, None]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}

Arguments = ParamSpec("Arguments")


@contextmanager
def print_style() -> Iterator[None]:
    """Within it, matplotlib's defaults are those of print, whatever the user's own are."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(cast("Any", STYLE))
        yield


def for_print(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Let a function that draws a figure do so in the style of print."""

    @functools.wraps(draw)
    def drawn(*arguments: Arguments.args, **named: Arguments.kwargs) -> Figure:
        with print_style():
            figure = draw(*arguments, **named)
            _take_as_written(figure)
            return figure

    return drawn


def _take_as_written(figure: Figure) -> None:
    """A dollar sign in the name of a phase or region begins no formula; those of ticks stay."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if "$" in text.get_text() and "mathdefault" not in text.get_text():
            text.set_parse_math(False)


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """An empty figure with a canvas of its own, on white; nothing of it is shown or kept."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), layout="constrained")
    FigureCanvasAgg(figure)
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    return figure


def figure_bytes(figure: Figure, kind: FigureFormat) -> bytes:
    """A figure as SVG, PDF or PNG; equal figures give equal bytes.

    SVG keeps its texts as texts, PDF holds its fonts (TrueType), PNG has 300 dots per inch.
    """
    stream = io.BytesIO()
    with print_style():
        figure.savefig(stream, format=kind, metadata=METADATA[kind])
    return stream.getvalue()


def write_figure(path: Path, figure: Figure) -> None:
    """Write a figure; the ending of `path` (.svg, .pdf, .png) decides how.

    Raises
    ------
    ValueError
        for another ending.
    """
    kind = path.suffix[1:].lower()
    known = {name: name for name in FORMATS}
    if kind not in known:
        raise ValueError(f"{path.name}: figures are written as .svg, .pdf or .png; name it so")
    path.write_bytes(figure_bytes(figure, known[kind]))


def letter(axes: Axes, number: int, *, inside: bool = False) -> None:
    """Mark a panel as a, b, c ... at its upper left corner, outside, or `inside` of a map."""
    text = chr(ord("a") + number % 26)
    style = {"fontsize": LABEL_SIZE, "fontweight": "bold"}
    if inside:
        box = {"facecolor": "black", "edgecolor": "none", "alpha": 0.6, "pad": 1.2}
        place = {"ha": "left", "va": "top", "color": "white"}
        axes.text(0.03, 0.97, text, transform=axes.transAxes, bbox=box, **style, **place)  # type: ignore[arg-type]
        return
    axes.annotate(
        text,
        (0.0, 1.0),
        xytext=(-3, 3),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=LABEL_SIZE,
        fontweight="bold",
    )
