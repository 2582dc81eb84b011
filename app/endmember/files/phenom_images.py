"""Pictures inside a Phenom project, packed in a way (LZW) that tifffile alone cannot unpack."""

from __future__ import annotations

from typing import Any


def unpack_with_opencv() -> None:
    """Make rosettasciio's reader of .elid unpack such pictures by OpenCV; for the reading process.

    Otherwise it would ask for a further library.
    """
    import cv2
    import numpy as np
    import rsciio.phenom._api as phenom
    import tifffile

    class Picture(tifffile.TiffFile):  # type: ignore[misc, unused-ignore]
        def asarray(self, *arguments: Any, **options: Any) -> Any:
            try:
                return super().asarray(*arguments, **options)
            except ValueError:  # for want of imagecodecs
                self.filehandle.seek(0)
                packed = np.frombuffer(self.filehandle.read(), np.uint8)
                image = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
                if image is None:
                    raise
                return image

    class Tifffile:
        TiffFile = Picture

        def __getattr__(self, name: str) -> Any:
            return getattr(tifffile, name)

    phenom.tifffile = Tifffile()
