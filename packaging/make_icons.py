"""Draw the icon in all sizes from its SVG files: `.venv/bin/python packaging/make_icons.py`.

Writes PNG files of 16 to 512 pixels, an .ico for Windows and an .icns for macOS beside the SVG.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QBuffer, QIODevice, Qt
from PyQt6.QtGui import QGuiApplication, QImage, QPainter
from PyQt6.QtSvg import QSvgRenderer

ICONS = Path(__file__).resolve().parent.parent / "resources" / "endmember_resources" / "icons"
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
LARGEST_SMALL = 24  # up to here the drawing with fewer details is used
ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
ICNS_TYPES = {16: b"icp4", 32: b"icp5", 64: b"icp6", 128: b"ic07", 256: b"ic08", 512: b"ic09"}


def drawn(size: int) -> QImage:
    """The icon at `size` x `size` pixels, on a transparent ground."""
    name = "endmember-small.svg" if size <= LARGEST_SMALL else "endmember.svg"
    renderer = QSvgRenderer(str(ICONS / name))
    if not renderer.isValid():
        raise ValueError(f"{ICONS / name}: Qt cannot draw this file: check its XML")
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter)
    painter.end()
    return image


def png(image: QImage) -> bytes:
    """The image as the bytes of a PNG file."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return buffer.data().data()


def ico(pngs: dict[int, bytes]) -> bytes:
    """A Windows icon of PNG images by size: header, a directory of 16 bytes each, the images."""
    head = struct.pack("<HHH", 0, 1, len(pngs))
    place = len(head) + 16 * len(pngs)
    directory = b""
    for size, data in pngs.items():
        side = size % 256  # 256 is written as 0
        directory += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(data), place)
        place += len(data)
    return head + directory + b"".join(pngs.values())


def icns(pngs: dict[int, bytes]) -> bytes:
    """A macOS icon of PNG images by size: each with its type and length."""
    parts = b"".join(
        ICNS_TYPES[size] + struct.pack(">I", len(data) + 8) + data for size, data in pngs.items()
    )
    return b"icns" + struct.pack(">I", len(parts) + 8) + parts


def main() -> None:
    """Write every file."""
    application = QGuiApplication([])
    pngs = {size: png(drawn(size)) for size in SIZES}
    for size, data in pngs.items():
        (ICONS / f"endmember-{size}.png").write_bytes(data)
    (ICONS / "endmember.ico").write_bytes(ico({size: pngs[size] for size in ICO_SIZES}))
    (ICONS / "endmember.icns").write_bytes(icns({size: pngs[size] for size in ICNS_TYPES}))
    application.quit()


if __name__ == "__main__":
    main()
