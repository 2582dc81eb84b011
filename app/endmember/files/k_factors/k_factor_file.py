"""k-factors from a file: which kind it is, by its content and not by its suffix."""

from __future__ import annotations

import csv
from pathlib import Path

from endmember.core.xrays.k_factors import GivenFactors
from endmember.files.disk.faults import ordinary_file
from endmember.files.k_factors.factor_checks import Stated
from endmember.files.k_factors.k_factor_csv import parse_plain_csv
from endmember.files.k_factors.k_factor_esl import parse_esl
from endmember.files.k_factors.k_factor_espm import parse_espm
from endmember.files.k_factors.k_factor_velox import is_velox, parse_velox_csv

_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"  # byte order marks and blanks


def read_k_factors(path: str | Path, stated: Stated | None = None) -> GivenFactors:
    """Read a plain CSV, a Bruker .esl, a Velox CSV or a JSON of line cross sections.

    `stated` says what a file of a vendor leaves open (basis, line definition). The factors must
    share one reference; which one does not matter, since only their ratios count.

    Raises
    ------
    UnstatedError
        if the file is silent about something that is not stated.
    ValueError
        if the file cannot be read or used.
    """
    stated = stated or Stated()
    try:
        content = ordinary_file(path).read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path}: the k-factors cannot be read ({error}): check the file"
        ) from error
    start = content[:64].lstrip(_BEFORE_TEXT)
    if start.startswith(b"<"):
        return parse_esl(path, content, stated)
    if start.startswith(b"{"):
        return parse_espm(path, content, stated)
    try:
        text = content.decode("utf-8-sig")
        if is_velox(text):
            return parse_velox_csv(path, text, stated)
        return parse_plain_csv(path, text, stated)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path}: the k-factors cannot be read ({error}): check the file"
        ) from error
