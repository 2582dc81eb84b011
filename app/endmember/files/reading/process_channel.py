"""Messages between two processes: plain data, framed by their length, with open files beside them.

On Linux and macOS a socket carries them, on Windows the pipes of the standard streams.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import BinaryIO, Protocol

LENGTH = struct.Struct("<I")
LONGEST_MESSAGE_BYTES = 256_000_000


class Channel(Protocol):
    """One end of a connection."""

    def send(self, message: bytes, files: list[int]) -> None:
        """Send a message, and open files with it (not on Windows).

        Raises
        ------
        OSError
            if nobody is at the other end.
        """

    def receive(self) -> tuple[bytes, int | None] | None:
        """The next message and the file that came with it; None when the other end is gone."""

    def close(self) -> None:
        """End the connection."""


class SocketChannel:
    """A channel over a socket, which can pass on open files."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link

    def send(self, message: bytes, files: list[int]) -> None:
        """See `Channel`."""
        head = LENGTH.pack(len(message))
        if files:
            socket.send_fds(self._link, [head], files)
            self._link.sendall(message)
        else:
            self._link.sendall(head + message)

    def receive(self) -> tuple[bytes, int | None] | None:
        """See `Channel`."""
        try:
            head, files, _, _ = socket.recv_fds(self._link, LENGTH.size, 1)
            for file in files:
                os.set_inheritable(file, False)
            head = head + self._exactly(LENGTH.size - len(head)) if head else head
            message = self._exactly(_length(head)) if len(head) == LENGTH.size else None
        except (OSError, EOFError):
            return None
        return None if message is None else (message, files[0] if files else None)

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self._link.recv(min(size - len(parts), 1 << 20))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    def close(self) -> None:
        """See `Channel`."""
        self._link.close()


class PipeChannel:
    """A channel over two pipes."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source, self._sink = source, sink

    def send(self, message: bytes, files: list[int]) -> None:
        """See `Channel`; pipes pass no files on."""
        assert not files
        self._sink.write(LENGTH.pack(len(message)) + message)
        self._sink.flush()

    def receive(self) -> tuple[bytes, int | None] | None:
        """See `Channel`."""
        try:
            head = self._source.read(LENGTH.size)
            size = _length(head) if len(head) == LENGTH.size else -1
            message = self._source.read(size) if size >= 0 else b""
        except (OSError, EOFError, ValueError):
            return None
        return (message, None) if len(message) == size else None

    def close(self) -> None:
        """See `Channel`."""
        for stream in (self._sink, self._source):
            try:
                stream.close()
            except OSError:
                continue


def _length(head: bytes) -> int:
    size = int(LENGTH.unpack(head)[0])
    if size > LONGEST_MESSAGE_BYTES:
        raise EOFError
    return size


def of_this_process() -> Channel:
    """The channel to whoever started this process, for its standard streams.

    What is printed from then on goes nowhere.
    """
    if sys.platform == "win32":
        import msvcrt

        kept = os.dup(0), os.dup(1)
        for number in kept:
            msvcrt.setmode(number, os.O_BINARY)
        channel: Channel = PipeChannel(os.fdopen(kept[0], "rb"), os.fdopen(kept[1], "wb"))
    else:
        channel = SocketChannel(socket.socket(fileno=os.dup(0)))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    return channel
