"""Which signal of a file is taken, and its counts in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from endmember.core.progress import Report, silent
from endmember.files.reading.signals import FileContent, Signal
from endmember.files.reading.unreadable import UnreadableFile

BLOCK_BYTES = 8_000_000  # small enough to stop between two blocks when cancelled
LARGEST_BLOCK_BYTES = 64_000_000  # chosen by whoever asks for the file
LISTED_SIGNALS = 6


def listed(signals: Sequence[Signal]) -> str:
    """The signals as a part of a sentence."""
    shown = [str(signal) for signal in signals[:LISTED_SIGNALS]]
    more = len(signals) - len(shown)
    return "; ".join(shown) + (f" and {more} more" if more else "")


def _rows_at_once(data: Any) -> int:
    """Rows (first axis) of a block: whole chunks of the file, since each is decoded anew."""
    row_bytes = max(1, int(data.shape[1]) * int(data.shape[2]) * int(data.dtype.itemsize))
    rows = BLOCK_BYTES // row_bytes
    if hasattr(data, "chunks"):
        chunk = int(data.chunks[0][0])
        rows = max(chunk, rows // chunk * chunk)
    return max(1, min(rows, LARGEST_BLOCK_BYTES // row_bytes))


def row_blocks(signal: Signal, report: Report = silent) -> Iterator[npt.NDArray[np.generic]]:
    """Dense blocks of some rows (rows, columns, channels), energy last."""
    order = (signal.rows_axis, signal.columns_axis, signal.energy_axis)
    data = signal.data.transpose(order)
    rows = _rows_at_once(data)
    for first in range(0, data.shape[0], rows):
        report(first / data.shape[0])
        block = data[first : first + rows]
        if hasattr(block, "compute"):
            block = block.compute(scheduler="synchronous")
        if hasattr(block, "todense"):
            block = block.todense()
        yield np.asarray(block)


def total_of(signal: Signal, report: Report) -> float:
    """All counts of a signal, whose blocks are read one after the other."""
    if signal.kind != "map":
        return float(np.asarray(signal.data, dtype=np.float64).sum())
    return float(sum(block.sum(dtype=np.float64) for block in row_blocks(signal, report)))


def _why_none(content: FileContent, wanted: str) -> UnreadableFile:
    """Say what is in the file instead of the map or spectrum that was wanted."""
    kinds = {signal.kind for signal in content.signals}
    remarks = "".join(f" {remark}" for remark in content.remarks)
    found = listed(content.signals)
    if "EELS" in kinds:
        return UnreadableFile(
            f"{content.path}: this is EELS, energy loss and not X-rays ({found}); "
            "open an EDXS file."
        )
    if "line scan" in kinds and wanted == "map":
        return UnreadableFile(
            f"{content.path}: there is a line scan but no map in it ({found}); "
            "open a file with a spectrum image."
        )
    single = ""
    if "spectrum" in kinds and wanted == "map":
        single = "; a single spectrum is quantified by 'endmember quantify'"
    return UnreadableFile(
        f"{content.path}: there is no EDXS {wanted} in it, only {found}; "
        f"open a file that holds one{single}.{remarks}"
    )


def chosen_signal(
    content: FileContent, kind: str, index: int | None, report: Report = silent
) -> tuple[Signal, tuple[str, ...]]:
    """The signal the user named, or the one with most counts (the last of equals)."""
    candidates = [s for s in content.signals if s.kind == kind]
    if index is not None:
        for signal in candidates:
            if signal.index == index:
                return signal, ()
        raise UnreadableFile(
            f"{content.path}: signal {index} is not an EDXS {kind}; "
            f"the file holds {listed(content.signals)}."
        )
    if not candidates:
        raise _why_none(content, kind)
    if len(candidates) == 1:
        return candidates[0], ()
    best = max(candidates, key=lambda s: (total_of(s, report), s.index))
    return best, (
        (
            f"The file holds {len(candidates)} signals that could be the {kind} "
            f"({listed(candidates)}): signal {best.index} with the most counts is taken; "
            "choose another with 'signal'."
        ),
    )
