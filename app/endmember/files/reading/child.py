"""The process that vendors' readers run in: it takes requests and hands over what it read.

It may be killed at any moment, by a reader or from outside, and nothing else is lost. It ends by
itself when whoever started it is gone, and after some time without a request.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import queue
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from endmember.files.reading import messages as messages
from endmember.files.reading.completeness import size_with_companions
from endmember.files.reading.process_channel import Channel, of_this_process
from endmember.files.reading.shared_arrays import Shelf

IDLE_S = 300.0
SLACK_S = 15.0  # after which a process that nobody watches any more ends itself
SLACK_BYTES = 1_000_000_000  # of address space beyond what is used: stacks, libraries, mapped files
LIBRARIES = ("dask.array", "h5py", "rsciio.hspy", "endmember.files.reading.extraction")
QUIET_DIALOGS = 0x8003  # no window for a crashed process on Windows


def serve() -> int:
    """Answer requests until there are none; the exit code."""
    channel = of_this_process()
    _prepare_process()
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(channel, requests), daemon=True).start()
    for library in LIBRARIES:
        importlib.import_module(library)
    while True:
        try:
            message = requests.get(timeout=IDLE_S)
        except queue.Empty:
            return 0
        _answer(channel, messages.request_of(message))


def _listen(channel: Channel, requests: queue.SimpleQueue[bytes]) -> None:
    while received := channel.receive():
        requests.put(received[0])
    os._exit(0)  # nobody is at the other end; the main thread may be busy in a reader


def _prepare_process() -> None:
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetErrorMode(QUIET_DIALOGS)
        return
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(channel: Channel, request: messages.Request) -> None:
    channel.send(messages.packed(messages.Begun()), [])
    shelf = Shelf()
    reset_peak()
    with _limited(request), _watched(channel, request) as report:
        reply = _reply(request, shelf, report)
    with contextlib.suppress(MemoryError):
        channel.send(messages.packed(reply), shelf.files)
    channel.send(messages.packed(messages.Peak(peak_bytes())), [])
    if sys.platform == "win32":
        _kept.append(shelf)  # its mappings must live until the other side has opened them
        del _kept[:-2]
    else:
        shelf.clear()


_kept: list[Shelf] = []


def _reply(request: messages.Request, shelf: Shelf, report: Any) -> msgspec.Struct:
    from endmember.files.reading.unreadable import UnreadableFile

    try:
        return _read(request, shelf, report)
    except UnreadableFile as error:
        return messages.Refusal(str(error))
    except MemoryError:
        return messages.Refusal(too_large(request.path, request.memory_bytes))
    except RecursionError:  # libraries may still hold locks, for which the next file would wait
        return messages.Refusal(
            f"{request.path}: something in the file holds itself (a link in a circle?), so that "
            "reading it never ends; save it anew.",
            spent=True,
        )
    except Exception:
        return messages.Fault(traceback.format_exc())


def too_large(path: str, memory_bytes: int) -> str:
    """The sentence for a file that asked for more memory than there is."""
    return (
        f"{path}: reading it needs more than the {memory_bytes / 1e9:.1f} GB of memory that are "
        "free for it: copy it again if it may be damaged, or close other programs."
    )


def _read(request: messages.Request, shelf: Shelf, report: Any) -> msgspec.Struct:
    from endmember.files.reading import extraction, signal_choice

    os.chdir(request.folder)
    signal_choice.LARGEST_BLOCK_BYTES = request.block_bytes
    path = Path(request.path)
    if request.wanted == "signals":
        return messages.PlainAnswer(list(extraction.signals_in(path, report)))
    if request.wanted == "datasets":
        from endmember.files.reading.datasets import list_datasets

        return messages.PlainAnswer([list(dataset) for dataset in list_datasets(path)])
    if request.wanted == "description":
        return messages.PlainAnswer(extraction.description_in(path, report).to_json())
    if request.wanted == "spectrum":
        single = extraction.spectrum_in(path, request.signal)
        counts = shelf.put(single.spectrum.counts)
        facts = _facts(single.spectrum, single.elements, single.signal, single.warnings)
        return messages.SpectrumAnswer(facts, (shelf.place(counts),))
    reading = extraction.map_in(path, request.signal, report, shelf.empty, request.choice)
    image = reading.image
    arrays = [image.starts, image.channels, image.counts, *image.images.values()]
    places = tuple(shelf.place(shelf.put(array)) for array in arrays)
    facts = _facts(image, image.elements, reading.signal, reading.warnings)
    return messages.MapAnswer(
        image.rows, image.columns, image.pixel_size_nm, facts, tuple(image.images), places
    )


def _facts(
    measured: Any, elements: tuple[str, ...], signal: int, warnings: tuple[str, ...]
) -> messages.Facts:
    axis = measured.axis
    return messages.Facts(
        messages.Axis(axis.start_keV, axis.step_keV, axis.channels),
        measured.beam_energy_keV,
        measured.take_off_angle_deg,
        measured.live_time_s,
        elements,
        signal,
        warnings,
    )


@contextlib.contextmanager
def _limited(request: messages.Request) -> Iterator[None]:
    """Refuse more address space than the limit allows, where the system can (not on Windows)."""
    try:
        import resource

        import psutil

        kind, hard = resource.RLIMIT_AS, resource.getrlimit(resource.RLIMIT_AS)[1]
        now = psutil.Process().memory_info().vms
    except (ImportError, OSError, AttributeError):
        yield
        return
    wanted = now + request.memory_bytes + SLACK_BYTES + size_with_companions(Path(request.path))
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (allowed, hard))
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (hard, hard))


@contextlib.contextmanager
def _watched(channel: Channel, request: messages.Request) -> Iterator[Any]:
    """What to report to; long after the last report this process ends, whatever it does."""

    def alive(fraction: float | None = None) -> None:
        faulthandler.dump_traceback_later(request.silence_s + SLACK_S, exit=True, file=nowhere)
        channel.send(messages.packed(messages.Progress(fraction)), [])

    with Path(os.devnull).open("w", encoding="ascii") as nowhere, _compiling(alive):
        alive()
        try:
            yield alive
        finally:
            faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def _compiling(alive: Any) -> Iterator[None]:
    """Say that the process is alive at each loop that is compiled: the first time takes long."""
    import numba.core.event as events

    class Listener(events.Listener):  # type: ignore[misc, unused-ignore]
        def on_start(self, event: Any) -> None:  # noqa: ARG002
            alive()

        def on_end(self, event: Any) -> None:  # noqa: ARG002
            alive()

    with events.install_listener("numba:compile", Listener()):
        yield


def reset_peak() -> None:
    """Begin to measure the largest resident size anew, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_bytes() -> int | None:
    """The largest resident size in bytes since `reset_peak`; None where no system tells it."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else None
