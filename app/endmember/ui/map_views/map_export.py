"""A map that leaves the program: as a picture with its scales, or as numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtWidgets import QFileDialog

from endmember.ui.widgets.messages import NOTICES

if TYPE_CHECKING:
    from endmember.ui.map_views.map_view import MapView

KINDS = {
    "PNG (*.png)": ".png",
    "PDF (*.pdf)": ".pdf",
    "SVG (*.svg)": ".svg",
    "Values as TIFF, 32-bit (*.tif)": ".tif",
}


def ask_export(view: MapView) -> None:
    """Ask for a file and write the map of `view` to it: whole, whatever part is in sight."""
    filters = list(KINDS)[: 4 if view.array is not None and view.array.ndim == 2 else 3]
    name, kind = QFileDialog.getSaveFileName(
        view, "Export image", f"{view.title or 'map'}.png", ";;".join(filters)
    )
    if not name:
        return
    path = Path(name)
    if path.suffix.lower() not in {KINDS[each] for each in filters}:
        path = Path(f"{name}{KINDS.get(kind, '.png')}")
    try:
        export_map(view, path)
    except (ValueError, OSError) as error:
        NOTICES.say("error", f"the image was not written: {error}; choose another folder")
    else:
        NOTICES.say("info", f"the image was written to {path}")


def export_map(view: MapView, path: Path) -> None:
    """Write the map of `view` as the ending of `path` says, with the colours that it shows."""
    from endmember.files.pictures.exporting import write_map_tiff
    from endmember.files.pictures.map_picture import write_map_picture
    from endmember.ui.map_views.colour_bar import colour_table

    array = view.array
    if array is None:
        raise ValueError("there is no map yet")
    size = view.canvas.pixel_size_nm
    if size is not None:
        size *= view.place[2] / array.shape[1]  # of a pixel of the array, which may be rebinned
    if path.suffix.lower() == ".tif":
        write_map_tiff(path, np.asarray(array, np.float32), size)
        return
    write_map_picture(
        path,
        array,
        title=view.title,
        unit=view.unit,
        pixel_size_nm=size,
        levels=view.shown_levels(),
        colours=colour_table(view.colour_map),
    )
