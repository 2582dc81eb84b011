"""Figures and tables that leave the program: SVG, PNG, CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSize, Qt
from PyQt6.QtGui import QImage, QPainter

from endmember.ui.spectrum_views.spectrum_marks import Curve, FloatArray
from endmember.ui.spectrum_views.spectrum_plot import SpectrumPlot
from endmember.ui.widgets.theme import LIGHT


def write_svg(plot: SpectrumPlot, path: Path, title: str) -> None:
    """Write what the plot shows as SVG, in light colours on white.

    OSError if the file cannot be written.
    """
    from PyQt6.QtSvg import QSvgGenerator

    size = _size(plot)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
    generator.setTitle(title)
    # Qt writes lengths for this resolution; others would change the size of the text.
    generator.setResolution(plot.canvas.logicalDpiX())
    painter = QPainter(generator)
    with _for_figure(plot, 1.0, vector=True):
        _paint(plot, painter, size)
    painter.end()
    path.write_bytes(buffer.data().data())


def write_png(plot: SpectrumPlot, path: Path, width_px: int) -> None:
    """Write what the plot shows as PNG of this width, in light colours on white.

    OSError if the file cannot be written.
    """
    size = _size(plot)
    height = max(round(width_px * size.height() / size.width()), 1)
    image = QImage(width_px, height, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    with _for_figure(plot, width_px / size.width(), vector=False):
        _paint(plot, painter, QSize(width_px, height))
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    path.write_bytes(data.data())


def table_text(curves: Sequence[Curve], residuals: Curve | None, unit: str, separator: str) -> str:
    """All channels of all curves as a table with a heading, one line per channel.

    Curves over the same energies share the column of energies.
    """
    columns: list[tuple[str, FloatArray]] = []
    energy: FloatArray | None = None
    for curve in [*curves, *([residuals] if residuals else [])]:
        if energy is None or not np.array_equal(energy, curve.energy_keV):
            energy = curve.energy_keV
            columns.append(("energy (keV)", energy))
        its_unit = "sigma" if curve is residuals else unit
        columns.append((f"{curve.name} ({its_unit})", curve.values))
        if curve.low is not None and curve.high is not None:
            columns.append((f"{curve.name} low ({its_unit})", curve.low))
            columns.append((f"{curve.name} high ({its_unit})", curve.high))
    lines = [separator.join(_cell(name, separator) for name, _ in columns)]
    length = max((len(values) for _, values in columns), default=0)
    for row in range(length):
        cells = (
            f"{v[row]:.9g}" if row < len(v) and np.isfinite(v[row]) else "" for _, v in columns
        )
        lines.append(separator.join(cells))
    return "\n".join(lines) + "\n"


def _cell(text: str, separator: str) -> str:
    if separator in text or '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def _size(plot: SpectrumPlot) -> QSize:
    area = QRectF(plot.canvas.range)
    return QSize(max(int(area.width()), 1), max(int(area.height()), 1))


def _paint(plot: SpectrumPlot, painter: QPainter, size: QSize) -> None:
    target = QRectF(0, 0, size.width(), size.height())
    plot.canvas.scene().render(painter, target, QRectF(plot.canvas.range))


@contextmanager
def _for_figure(plot: SpectrumPlot, thicker: float, vector: bool) -> Iterator[None]:
    """Light colours, nothing that only the mouse put there; afterwards all is as before.

    Lines of curves keep their width in pixels, so they are made `thicker` where there are more.
    """
    colours, cursor, focused = plot.frame.colours, plot.cursor_keV, plot.focused
    drawn = [*plot.curves.values(), *([plot.residuals] if plot.residuals else [])]
    plot.windows.plain = True
    plot.focused = False
    plot.show_cursor(None)
    plot.clipped = vector
    for one in drawn:
        one.for_figure(thicker)
    plot.apply_colours(LIGHT)
    try:
        yield
    finally:
        plot.windows.plain = False
        plot.focused = focused
        plot.clipped = False
        for one in drawn:
            one.for_figure(None)
        plot.apply_colours(colours)
        plot.show_cursor(cursor)
