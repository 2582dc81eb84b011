"""What the program and its reading process say to each other: plain data, no objects of Python."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np

from endmember.files.reading.choice import NO_CHOICE, Choice
from endmember.files.reading.shared_arrays import Place

Wanted = Literal["map", "spectrum", "description", "signals", "datasets"]


class Request(msgspec.Struct, frozen=True):
    """What is wanted of a file, and the limits."""

    wanted: Wanted
    folder: str
    """The working folder, which a relative path starts from."""
    path: str
    signal: int | None
    memory_bytes: int
    silence_s: float
    block_bytes: int
    choice: Choice = NO_CHOICE


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """The process works on the request."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """The fraction done; None where the process only says that it is alive."""

    fraction: float | None


class Axis(msgspec.Struct, frozen=True):
    """The fields of an `EnergyAxis`."""

    start_keV: float
    step_keV: float
    channels: int


class Facts(msgspec.Struct, frozen=True):
    """What maps and spectra have in common."""

    axis: Axis
    beam_energy_keV: float | None
    take_off_angle_deg: float | None
    live_time_s: float | None
    elements: tuple[str, ...]
    signal: int
    warnings: tuple[str, ...]


class MapAnswer(msgspec.Struct, frozen=True, tag="map"):
    """A map; its arrays lie in the shared memory: starts, channels, counts, then the images."""

    rows: int
    columns: int
    pixel_size_nm: float | None
    facts: Facts
    images: tuple[str, ...]
    places: tuple[Place, ...]


class SpectrumAnswer(msgspec.Struct, frozen=True, tag="spectrum"):
    """A spectrum; its counts lie in the shared memory."""

    facts: Facts
    places: tuple[Place, ...]


class PlainAnswer(msgspec.Struct, frozen=True, tag="plain"):
    """A description, or the list of signals or of datasets."""

    data: Any


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """Why the file cannot be used: one sentence; whether the process must read no other file."""

    sentence: str
    spent: bool = False


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """A fault of the program while it read: a traceback."""

    text: str


class Peak(msgspec.Struct, frozen=True, tag="peak"):
    """The largest resident size of the process during a request, in bytes; always the last."""

    resident_bytes: int | None


Reply = Begun | Progress | MapAnswer | SpectrumAnswer | PlainAnswer | Refusal | Fault | Peak


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"{type(value)} is no plain data")


def packed(message: msgspec.Struct) -> bytes:
    """A message as bytes."""
    return msgspec.msgpack.encode(message, enc_hook=_plain)


def request_of(message: bytes) -> Request:
    """The request in these bytes."""
    return msgspec.msgpack.decode(message, type=Request)


def reply_of(message: bytes) -> Reply:
    """The reply in these bytes.

    Raises
    ------
    msgspec.DecodeError
        if they hold none.
    """
    reply: Reply = msgspec.msgpack.decode(message, type=Reply)
    return reply
