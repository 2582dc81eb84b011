"""The signals of a file with what helps to choose the map among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from endmember.core.progress import silent
from endmember.files.reading import _number, _signal_json, _total, _with_file
from endmember.files.signals import FileContent


def map_choices(path: str | Path) -> tuple[dict[str, Any], ...]:
    """The signals of a file as in `endmember info --json`, the maps with all their `counts`.

    Raises
    ------
    UnreadableFile
        if the file is missing, of unknown type, damaged, or holds no signal.
    """
    return _with_file(path, _counted)


def _counted(content: FileContent) -> tuple[dict[str, Any], ...]:
    return tuple(
        _signal_json(signal)
        | ({"counts": _number(_total(signal, silent))} if signal.kind == "map" else {})
        for signal in content.signals
    )
