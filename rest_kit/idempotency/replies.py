"""Replies as they are kept: status, headers and body, packed."""

from __future__ import annotations

from typing import Final

import msgspec

from rest_kit.problems import Reply
from rest_kit.request import Request

REPLAYED: Final = ("Idempotent-Replayed", "true")
"""The header that says of a reply that it is the first one again."""

_KEPT: Final = tuple[str, list[tuple[str, str]], bytes]
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_KEPT).decode


def pack(reply: Reply) -> bytes:
    """A reply as it is kept (TypeError for what is none); a body in parts must have been read (see `whole`)."""
    try:
        return _encode(msgspec.convert(reply, _KEPT))
    except msgspec.ValidationError as exc:
        raise TypeError(f"this cannot be kept as a reply: {exc}") from exc


def replay(kept: bytes) -> Reply:
    """A kept reply, with the header that says that it is one."""
    status, headers, body = _decode(kept)
    return status, [*headers, REPLAYED], body


def told(request: Request) -> int:
    """How many headers a request's own code has put into its reply so far."""
    return 0 if request.headers is None else len(request.headers)


def with_headers(request: Request, since: int, reply: Reply) -> Reply:
    """A reply with the headers that were `told` behind so many as its own, so that they are kept and replayed."""
    status, headers, body = reply
    return status, [*headers, *request.take_headers(since)], body


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
