"""How one HTTP request becomes one reply: the only thing that the rest of the store needs to know of the network.

A transport has one method, `send`. It neither retries nor follows redirects, and has returned or raised by the
deadline; whoever wants to test without a network writes one in a few lines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec


class Deadline:
    """A moment, by a clock that never goes back, by which something must be done."""

    __slots__ = ("_at", "_clock")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    def left(self) -> float:
        """How many seconds there are left, not above zero when it has passed."""
        return self._at - self._clock()


class Reply(msgspec.Struct, frozen=True):
    """What came back: the status, the headers by their lower-cased names, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The body's type without parameters, lower-cased."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Transport(Protocol):
    """What sends a request and brings its reply."""

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: Deadline) -> Reply:
        """The reply to a request, read to its end by the deadline (TransportError, TransportTimeout)."""
        ...


class TransportError(Exception):
    """No reply, or none that is complete; whether the request has had an effect is not known."""


class NotSent(TransportError):
    """There was nobody to send the request to."""


class TransportTimeout(TransportError):
    """The deadline has passed before the reply was complete."""


class TooLarge(TransportError):
    """The reply is larger than is taken."""
