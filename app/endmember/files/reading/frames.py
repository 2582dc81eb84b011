"""Frames and detectors of a map, where its format keeps them apart: summed, or some chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from endmember.files.reading.choice import Choice
from endmember.files.reading.signals import Signal, lookup
from endmember.files.reading.unreadable import UnreadableFile

WITH_FRAMES = {"EMD": ".emd of Velox", "JEOL": ".pts of JEOL"}
WITH_DETECTORS = {"EMD": ".emd of Velox"}


def refuse_unless_kept(path: Path, formats: Sequence[str], choice: Choice) -> None:
    """Refuse frames or detectors where none of the formats keeps them apart.

    Raises
    ------
    UnreadableFile
        if something is chosen that the format does not have.
    """
    jeol_map = path.suffix.lower() == ".pts"
    for key, chosen, having in (
        ("frames", choice.frames, WITH_FRAMES),
        ("detectors", choice.detectors, WITH_DETECTORS),
    ):
        able = [f for f in formats if f in having and (f != "JEOL" or jeol_map)]
        if chosen is not None and not able:
            only = " and ".join(having.values())
            raise UnreadableFile(
                f"{path}: this format does not keep {key} apart, as {only} may; leave {key} out."
            )


def reader_options(format_name: str, choice: Choice) -> dict[str, Any]:
    """What the reader is told."""
    options: dict[str, Any] = {}
    if choice.frames is not None:
        first, last = choice.frames
        if format_name == "EMD":
            options |= {"first_frame": first, "last_frame": last + 1}
        if format_name == "JEOL":
            options["frame_list"] = list(range(first, last + 1))
    if choice.detectors is not None and format_name == "EMD":
        options["sum_EDS_detectors"] = False
    return options


def chosen(
    path: Path, signals: tuple[Signal, ...], choice: Choice, remarks: Sequence[str]
) -> tuple[Signal, ...]:
    """The signals with the maps of the chosen detectors summed; refuses what was not there.

    Raises
    ------
    UnreadableFile
        if a frame or a detector does not exist, or the file is not the program's that keeps them.
    """
    if choice.frames is not None and signals:
        # the reader takes what there is of the frames, even the last one, which may be cut short
        sweeps = _whole_number(signals[-1].original, "Sweep")
        short = sweeps is not None and choice.frames[1] >= sweeps
        if short or any("Invalid frame number" in said for said in remarks):
            there = f", only 0 to {sweeps - 1}" if sweeps is not None else ""
            raise UnreadableFile(f"{path}: {_no_frames(choice)}{there}; correct frames.")
    if not signals or (choice.frames, choice.detectors) == (None, None):
        return signals
    if path.suffix.lower() == ".emd" and lookup(signals[0].original, "Core") is None:
        raise UnreadableFile(
            f"{path}: this .emd is not of Velox and keeps neither frames nor detectors apart; "
            "leave frames and detectors out."
        )
    if choice.detectors is None:
        return signals
    maps = [signal for signal in signals if signal.kind == "map"]
    wrong = [number for number in choice.detectors if not 0 <= number < len(maps)]
    if len(maps) < 2 or wrong:
        says = (
            f"has no detector {wrong[0]}, only 0 to {len(maps) - 1}"
            if len(maps) > 1
            else "keeps the counts of all detectors together"
        )
        raise UnreadableFile(f"{path}: the file {says}; correct detectors, or leave it out.")
    summed = replace(
        maps[0],
        # wider, since a sum may not fit into what holds its terms
        data=sum(maps[number].data.astype(np.uint32) for number in choice.detectors),
        title=f"detectors {', '.join(map(str, choice.detectors))}",
    )
    return (*(signal for signal in signals if signal.kind != "map"), summed)


def frame_failure(path: Path, error: BaseException | None, choice: Choice) -> UnreadableFile | None:
    """The sentence for a reader that did not find the frames; None for any other failure."""
    said = str(error)
    if choice.frames is None or not re.search(r"frame|zero-size", said):
        return None
    number = re.search(r"number of frames, (\d+)", said)
    there = f", only 0 to {int(number[1]) - 1}" if number else ""
    return UnreadableFile(f"{path}: {_no_frames(choice)}{there}; correct frames.")


def _whole_number(tree: Any, wanted: str) -> int | None:
    """The first whole number of a name anywhere in nested mappings, None where there is none."""
    if not isinstance(tree, Mapping):
        return None
    if isinstance(tree.get(wanted), int | np.integer):
        return int(tree[wanted])
    found = (_whole_number(part, wanted) for part in tree.values())
    return next((number for number in found if number is not None), None)


def _no_frames(choice: Choice) -> str:
    assert choice.frames is not None
    return f"the file does not hold all of the frames {choice.frames[0]} to {choice.frames[1]}"
