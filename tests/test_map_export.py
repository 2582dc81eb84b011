"""A map exported as a picture or as values: the right length of the bar, the right values."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import tifffile
from PyQt6.QtGui import QContextMenuEvent
from PyQt6.QtWidgets import QApplication, QFileDialog, QMenu
from pytestqt.qtbot import QtBot

from endmember.files.pictures.map_picture import length_text, scale_bar_nm, write_map_picture
from endmember.ui.map_views.map_view import MapView


@pytest.mark.parametrize(
    ("width_nm", "bar"), [(100, 20), (1000, 200), (17, 5), (3.4, 1), (0.5, 0.1), (9999, 2000)]
)
def test_the_scale_bar_is_a_round_length_below_a_third(width_nm: float, bar: float) -> None:
    assert scale_bar_nm(width_nm) == pytest.approx(bar)


def test_lengths_have_their_unit() -> None:
    assert [length_text(n) for n in (0.5, 200, 1000, 2000)] == ["0.5 nm", "200 nm", "1 µm", "2 µm"]


def test_a_picture_shows_the_colours_of_its_values_and_a_bar_of_the_right_length(
    tmp_path: Path,
) -> None:
    array = np.zeros((80, 100))
    array[:, 50:] = 10.0
    path = tmp_path / "map.png"
    grey = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 4, axis=1)
    grey[:, 3] = 255
    blue_red = grey.copy()
    blue_red[0], blue_red[255] = (0, 0, 200, 255), (200, 0, 0, 255)
    write_map_picture(path, array, pixel_size_nm=2.0, levels=(0.0, 10.0), colours=blue_red)
    shown = np.rint(255 * matplotlib.image.imread(path)[..., :3]).astype(int)
    blue = (np.abs(shown - (0, 0, 200)).max(axis=2) < 2).any(axis=0)
    red = np.abs(shown - (200, 0, 0)).max(axis=2) < 2
    left, right = np.flatnonzero(blue)[0], np.flatnonzero(red.sum(axis=0) > 300)[-1]
    row = np.flatnonzero(red.any(axis=1))[5]
    width = np.flatnonzero(red[row])
    dots_per_pixel = (width[width < left + 1.5 * (right - left)].max() - left + 1) / 100
    on_map = np.flatnonzero(red.any(axis=1))
    white = (shown > 250).all(axis=2)[
        on_map[5] : on_map[-5], left : left + int(50 * dots_per_pixel)
    ]
    longest = max(
        len(run) for line in white for run in "".join("x" if w else " " for w in line).split()
    )
    assert longest / dots_per_pixel * 2.0 == pytest.approx(50.0, rel=0.05)  # of 200 nm


@pytest.mark.parametrize("ending", [".png", ".pdf", ".svg"])
def test_equal_maps_give_equal_bytes(tmp_path: Path, ending: str) -> None:
    array = np.arange(12.0).reshape(3, 4)
    for name in ("1", "2"):
        write_map_picture(tmp_path / f"{name}{ending}", array, title="Fe", pixel_size_nm=1.0)
    assert (tmp_path / f"1{ending}").read_bytes() == (tmp_path / f"2{ending}").read_bytes()


@pytest.mark.parametrize("name", ["map.png", "values.tif"])
def test_the_menu_of_a_map_exports_it(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    view = MapView("Fe")
    qtbot.addWidget(view)
    view.resize(300, 300)
    array = np.arange(6.0).reshape(2, 3)
    view.set_image(array, (10.0, 20.0, 6.0, 4.0), "counts", pixel_size_nm=2.5)
    view.show()
    qtbot.waitExposed(view)
    path = tmp_path / name
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    viewport = view.canvas.viewport()
    middle = viewport.rect().center()
    kind = QContextMenuEvent.Reason.Mouse  # what a right click makes of itself
    event = QContextMenuEvent(kind, middle, viewport.mapToGlobal(middle))
    QApplication.sendEvent(viewport, event)
    menu = next(m for m in view.findChildren(QMenu) if m.isVisible())
    next(a for a in menu.actions() if a.text() == "Export image…").trigger()
    menu.close()
    if name == "values.tif":
        np.testing.assert_array_equal(tifffile.imread(path), array)
        with tifffile.TiffFile(path) as tiff:
            across, per = tiff.pages[0].tags["XResolution"].value
        assert per / across == pytest.approx(5.0)  # nm: two of the map's pixels
    else:
        assert matplotlib.image.imread(path).shape[1] > 600
