"""Replies as they are kept: status, headers and body, packed."""

from __future__ import annotations

from typing import Final

import msgspec

from rest_kit.problems import Reply

REPLAYED: Final = ("Idempotent-Replayed", "true")
"""The header that says of a reply that it is the first one again."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(tuple[str, list[tuple[str, str]], bytes]).decode


def pack(reply: Reply) -> bytes:
    """A reply as it is kept; one whose body comes in parts must have been read (see `whole`)."""
    return _encode(reply)


def replay(kept: bytes) -> Reply:
    """A kept reply, with the header that says that it is one."""
    status, headers, body = _decode(kept)
    return status, [*headers, REPLAYED], body


def whole(reply: Reply) -> Reply:
    """The same reply with its body in one piece."""
    status, headers, body = reply
    if isinstance(body, bytes):
        return reply
    try:
        return status, headers, b"".join(body)
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
