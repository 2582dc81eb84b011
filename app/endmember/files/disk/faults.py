"""What the system says when a file cannot be read or written, as words with a remedy."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST_BYTES = 20_000_000  # of a file that is read whole: a recipe, a table
_FULL = "the disk is full: make room, or choose another place"
_GONE = "its drive does not answer: connect it again, or choose another place"
_REASONS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: "your share of the disk is full: make room, or choose another place",
    errno.EFBIG: "the system allows no file of this size there: choose another place",
    errno.EACCES: "you have no permission for it: choose another place",
    errno.EPERM: "you have no permission for it: choose another place",
    errno.EROFS: "nothing can be written there: choose another place",
    errno.ENAMETOOLONG: "its name is too long: choose a shorter one",
    errno.ENOENT: "it is not there any more: see whether its drive is connected",
    errno.EIO: _GONE,
    errno.ENXIO: _GONE,
    errno.ENODEV: _GONE,
    errno.ESTALE: _GONE,
    errno.ENOTCONN: _GONE,
    errno.ETIMEDOUT: _GONE,
    errno.EHOSTDOWN: _GONE,
    errno.EHOSTUNREACH: _GONE,
    errno.ENETDOWN: _GONE,
    errno.ENETUNREACH: _GONE,
}


def reason(error: OSError) -> str:
    """Why a file could not be used and what to do, as the end of a sentence."""
    if error.errno in _REASONS:
        return _REASONS[error.errno]
    return f"{error.strerror or error}: see that its folder is there, or choose another place"


def sentence(error: OSError) -> str:
    """The whole sentence, with the file where the system names one."""
    if error.errno is None:  # raised by a library, with words of its own
        return str(error) or type(error).__name__
    return reason(error) if error.filename is None else f"{error.filename}: {reason(error)}"


def ordinary_file(path: str | Path) -> Path:
    """The path of a small file that is about to be read whole.

    Raises
    ------
    OSError
        if it is not there, a device or a pipe, which may have no end, or larger than 20 MB.
    """
    status = Path(path).stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise OSError(errno.EINVAL, "this is no file but a device", os.fspath(path))
    if status.st_size > LARGEST_BYTES:
        raise OSError(errno.EFBIG, f"this is larger than {LARGEST_BYTES // 10**6} MB", str(path))
    return Path(path)
