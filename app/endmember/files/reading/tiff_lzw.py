"""LZW decompression, which TIFF pictures inside Phenom's .elid files need.

As in the TIFF 6.0 specification, section 13. tifffile leaves it to a large library of codecs; with
that installed, its own is used. A byte takes about half a microsecond here.
"""

from __future__ import annotations

from typing import Any

LZW = 5  # the number of the compression in TIFF
CLEAR, END, FIRST_FREE = 256, 257, 258
SHORTEST, LONGEST = 9, 12  # bits of a code


def offer_to_tifffile() -> None:
    """Let tifffile decode LZW, unless it can already."""
    import tifffile

    codecs = tifffile.TIFF.DECOMPRESSORS
    try:
        codecs[LZW]
    except Exception:  # it asks for the library that is not there
        known = getattr(codecs, "_codecs", None)
        if isinstance(known, dict):
            known[LZW] = decode


def decode(data: Any, out: Any = None, **_: Any) -> bytes:
    """The bytes that were compressed; `out` may say how many there are.

    Raises
    ------
    ValueError
        if the codes make no sense.
    """
    data, limit = bytes(data), out if isinstance(out, int) else None
    table: list[bytes] = [bytes([i]) for i in range(256)] + [b"", b""]
    pieces: list[bytes] = []
    made, before = 0, b""
    width, held, bits = SHORTEST, 0, 0
    for byte in data:
        held, bits = held << 8 | byte, bits + 8
        if bits < width:
            continue
        bits -= width
        code, held = held >> bits, held & (1 << bits) - 1
        if code == END or (limit is not None and made >= limit):
            break
        if code == CLEAR:
            del table[FIRST_FREE:]
            width, before = SHORTEST, b""
            continue
        if code < len(table):
            piece = table[code]
        elif code == len(table) and before:
            piece = before + before[:1]
        else:
            raise ValueError("the LZW compression of a picture is damaged")
        pieces.append(piece)
        made += len(piece)
        if before and len(table) < 1 << LONGEST:
            table.append(before + piece[:1])
        before = piece
        # codes grow one early, as every writer does
        width = min(max(SHORTEST, (len(table) + 1).bit_length()), LONGEST)
    return b"".join(pieces)[:limit]
