"""Content codings of an answer. None is asked for; some servers compress all the same."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from ..messages import say
from . import IntakeError
from .urls import WebUrl, shorten

PIECE = 1 << 16
"""Most bytes decompressed at a time, so that a bomb meets the byte limit and not the memory."""

_WINDOWS = {
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,  # zlib format: RFC 9110 section 8.4.1.2
}

Decode = Callable[[bytes], Iterator[bytes]]


def decoder_of(url: WebUrl, coding: str) -> Decode:
    """A function that decodes the body piece by piece.

    Raises:
        IntakeError: `unsupported` for a coding that nobody asked for and this does not read. The function
            raises the same for bytes that are not what the coding says.
    """
    name = coding.strip().lower()
    if name in ("", "identity"):
        return lambda raw: iter((raw,))
    if name not in _WINDOWS:
        raise IntakeError("unsupported", say("intake.fetch.coding", url=url.shown, coding=shorten(name)))
    inflate = zlib.decompressobj(_WINDOWS[name])

    def decode(raw: bytes) -> Iterator[bytes]:
        try:
            while raw:
                piece = inflate.decompress(raw, PIECE)
                raw = inflate.unconsumed_tail
                if piece:
                    yield piece
        except zlib.error as problem:
            raise IntakeError(
                "unsupported", say("intake.fetch.bad_coding", url=url.shown, coding=shorten(name))
            ) from problem

    return decode
