"""Which reader a file is for, by its content: a name may be wrong or shared by several makers.

Signatures: HDF5 (The HDF Group, format specification 3.0, II.A), ZIP (APPNOTE 4.3.7), EMSA/MAS
(ISO 22029), DM3/DM4, TIA, EDAX and Bruker as rosettasciio documents them, and as real files show.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from endmember.files.reading.unreadable import UnreadableFile

HEAD_BYTES = 4096
HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_PLACES = (0, 512, 1024, 2048)


class Sniffed(NamedTuple):
    """The reader (as rosettasciio names it) and the suffix that such files bear."""

    reader: str
    suffix: str


_AT_START = (
    (b"AAMVHFSS", Sniffed("Bruker", ".bcf")),
    (b"MAPSPECTRA_DATA", Sniffed("EDAX", ".spd")),
    (b"\x00\x00\x00\x03", Sniffed("DigitalMicrograph", ".dm3")),
    (b"\x00\x00\x00\x04", Sniffed("DigitalMicrograph", ".dm4")),
    (b"II\x97\x01", Sniffed("TIA", ".ser")),
    (b"JK\x00\x02", Sniffed("TIA", ".emi")),
    (b"\x30\x01\x00\x00", Sniffed("JEOL", ".pts")),
    (b"\x34\x00\x00\x00JED", Sniffed("JEOL", ".img")),
)
_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_COMPANIONS = {
    ".raw": ("Ripple", ".rpl"),
    ".ipr": ("EDAX", ".spd"),
}


def sniffed(path: Path) -> Sniffed | None:
    """The reader that the content of a file asks for; None where the content does not tell.

    Raises
    ------
    UnreadableFile
        if the content tells that no reader can make anything of it.
    """
    if path.is_dir():
        return None
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not head:
        raise UnreadableFile(f"{path}: the file is empty (0 bytes): copy it again.")
    if not any(head) and path.stat().st_size <= len(head):
        raise UnreadableFile(f"{path}: the file holds nothing but zeros: copy it again.")
    for start, found in _AT_START:
        if head.startswith(start):
            return found
    if any(head[place:].startswith(HDF5) for place in HDF5_PLACES):
        return _of_hdf5(path)
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(path)
    if head.startswith(b"BZh") and path.suffix.lower() == ".elid":
        return Sniffed("Phenom", ".elid")
    return _of_text(head)


def picture_kind(path: Path) -> str | None:
    """PNG, JPEG, GIF, BMP or TIFF where the file is such a picture."""
    with path.open("rb") as stream:
        head = stream.read(8)
    return next((kind for start, kind in _PICTURES if head.startswith(start)), None)


def _of_hdf5(path: Path) -> Sniffed | None:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            attributes, names = set(file.attrs), set(file)
            if "Experiments" in names or "hyperspy" in str(file.attrs.get("file_format")).lower():
                return Sniffed("HSPY", ".hspy")
            is_velox = {"Data", "Version"} <= names
            is_ncem = "version_major" in attributes or _any_attribute(file, "emd_group_type")
            if is_velox or is_ncem:
                return Sniffed("EMD", ".emd")
            if "default" in attributes or _any_attribute(file, "NX_class"):
                return Sniffed("NeXus", ".nxs")
    except (OSError, RuntimeError, KeyError, ValueError):  # damaged: its reader says how
        return None
    return None


def _any_attribute(file: object, name: str) -> bool:
    groups = list(file.values()) if hasattr(file, "values") else []
    return any(name in getattr(group, "attrs", {}) for group in groups)


def _of_zip(path: Path) -> Sniffed | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {entry.filename for entry in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError):
        return None
    if ".zgroup" in names or "zarr.json" in names:
        return Sniffed("ZSPY", ".zspy")
    if any(name.endswith("meta_data.npy") for name in names):
        return Sniffed("PantaRhei", ".prz")
    return None


def _of_text(head: bytes) -> Sniffed | None:
    text = head.decode("latin-1").lstrip("\ufeffï»¿ \r\n\t").lower()
    if text.startswith("#format") and "ems" in text.partition("\n")[0]:
        return Sniffed("MSA", ".msa")
    if text.startswith("key") and {"width", "height", "depth"} <= set(text.split()):
        return Sniffed("Ripple", ".rpl")
    if text.startswith("<?xml") and "<trtspectrum" in text:
        return Sniffed("Bruker", ".spx")
    return None


def main_file(path: Path) -> Path | None:
    """The file that a companion belongs to (.rpl of .raw, .spd of .ipr), where it lies beside it.

    Also for a companion whose name only begins alike.
    """
    wanted = _COMPANIONS.get(path.suffix.lower())
    if wanted is None:
        return None
    own = path.with_suffix(wanted[1])
    if own.exists():
        return own
    others = sorted(p for p in path.parent.iterdir() if p.suffix.lower() == wanted[1])
    return others[0] if len(others) == 1 else None


@contextlib.contextmanager
def named(path: Path, suffix: str) -> Iterator[Path]:
    """The file under a name with that suffix: itself, or a link that goes afterwards.

    Readers go by the suffix, so a file with a wrong one needs another name.
    """
    if path.suffix.lower() == suffix:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="endmember-", ignore_cleanup_errors=True) as folder:
        link = Path(folder) / (path.stem + suffix)
        source = path.resolve()
        for make in (os.symlink, os.link, shutil.copyfile):
            with contextlib.suppress(OSError):
                make(source, link)
                break
        yield link
