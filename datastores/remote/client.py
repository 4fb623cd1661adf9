"""Requests to one remote: within a deadline, not too many at a time, again where that is harmless, never elsewhere.

What is wrong with the remote itself becomes an exception here; a reply about the records (2xx, 4xx) is the caller's.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from threading import BoundedSemaphore
from typing import Final, NamedTuple

from datastores.remote.address import Address
from datastores.remote.transport import Deadline, NotSent, Reply, TooLarge, Transport, TransportError, TransportTimeout
from rest_kit import jsonio
from rest_kit.breaker import Breaker
from rest_kit.errors import MalformedBody, RemoteError, RemoteTimeout, StoreUnavailable

REPEATABLE: Final = frozenset({"GET", "PUT", "DELETE"})
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
PASSING: Final = frozenset({502, 503, 504})
"""What is likely to go well a moment later."""
LONGEST_WAIT: Final = 86_400


class ReplyLost(RemoteError):
    """No reply, or none that is complete; asking again may bring one."""


class Request(NamedTuple):
    """One request: the verb, an absolute URL, headers, and a body of JSON where there is one."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None

    @property
    def repeatable(self) -> bool:
        """Whether doing it twice is the same as doing it once, even if the first reply was lost.

        A write under If-Match is not: its second try is refused because of the first, and would look like a conflict.
        """
        return self.method in REPEATABLE and "If-Match" not in self.headers

    def __str__(self) -> str:
        return f"{self.method} {self.url.partition('?')[0]}"


class Limits(NamedTuple):
    """How far a client goes: seconds for a whole call, tries after the first, redirects, bytes, calls at a time."""

    timeout: float = 10.0
    retries: int = 2
    max_redirects: int = 3
    max_size: int = 10 * 1024 * 1024
    concurrency: int = 8


class Client:
    """Sends requests to one remote. Thread-safe; `wait` and `dice` are for tests."""

    def __init__(
        self,
        transport: Transport,
        address: Address,
        headers: Mapping[str, str],
        limits: Limits,
        breaker: Breaker,
        *,
        wait: Callable[[float], None] = time.sleep,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self.transport = transport
        self.address = address
        self.limits = limits
        self.breaker = breaker
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        self._slots = BoundedSemaphore(limits.concurrency)
        self._wait = wait
        self._dice = dice

    def deadline(self) -> Deadline:
        """The moment by which a call that begins now must be done."""
        return Deadline(self.limits.timeout)

    def call(self, request: Request, deadline: Deadline) -> Reply:
        """The reply to a request, redirects followed, below 500 (RemoteError, RemoteTimeout, StoreUnavailable)."""
        with self._slot():
            for _ in range(self.limits.max_redirects + 1):
                reply = self._persist(request, deadline)
                if reply.status not in REDIRECTS:
                    return self._checked(request, reply)
                request = self._redirected(request, reply)
        raise RemoteError(f"{request}: redirected more than {self.limits.max_redirects} times")

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """A place among those that may call at a time (StoreUnavailable at once where there is none)."""
        if not self._slots.acquire(blocking=False):
            raise StoreUnavailable(f"{self.address} is being asked {self.limits.concurrency} times already")
        try:
            yield
        finally:
            self._slots.release()

    def _persist(self, request: Request, deadline: Deadline) -> Reply:
        """Send, and send again what may be repeated, after a pause that grows and is never twice the same."""
        for attempt in range(self.limits.retries + 1):
            last = attempt == self.limits.retries or not request.repeatable
            pause = 0.1 * 2**attempt * (0.5 + self._dice())
            try:
                reply = self._send(request, deadline)
                if attempt and request.method == "DELETE" and reply.status in (404, 410):
                    return Reply(204, {}, b"")  # an earlier try has done it, and only its reply was lost
                if last or reply.status not in PASSING or deadline.left() <= pause:
                    return reply
            except ReplyLost:
                if last or deadline.left() <= pause:
                    raise
            self._wait(pause)
        raise AssertionError("the last attempt returns or raises")

    def _send(self, request: Request, deadline: Deadline) -> Reply:
        """Send once, past the breaker."""
        method, url, headers, body = request
        self.breaker.enter()
        well = False
        try:
            reply = self.transport.send(method, url, {**self._headers, **headers}, body, deadline)
            well = reply.status < 500
        except TooLarge as exc:
            well = True
            raise RemoteError(f"{request}: {exc}") from exc
        except TransportTimeout as exc:
            told = f"{request}: not answered within {self.limits.timeout} s: {exc}"
            raise RemoteTimeout(told, unsettled=not request.repeatable) from exc
        except TransportError as exc:
            unsettled = not (request.repeatable or isinstance(exc, NotSent))
            raise ReplyLost(f"{request}: {exc}", unsettled=unsettled) from exc
        finally:
            self.breaker.leave(well=well)
        if len(reply.body) > self.limits.max_size:
            raise RemoteError(f"{request}: the reply is larger than {self.limits.max_size} bytes")
        return reply

    def _redirected(self, request: Request, reply: Reply) -> Request:
        """The request that a redirect asks for (RemoteError)."""
        link = reply.headers.get("location")
        if request.method != "GET" or link is None:
            raise RemoteError(f"{request}: answered with a redirect to {link!r:.200}; correct the resource's url")
        return request._replace(url=self.address.follow(link, request.url))

    def _checked(self, request: Request, reply: Reply) -> Reply:
        """The reply, unless it says that the remote will not or cannot work for us."""
        status = reply.status
        if status == 429:
            text = f"{request}: asked too often"
            raise StoreUnavailable(text, retry_after=retry_after(reply) or 5)
        if status in (401, 403):
            raise RemoteError(f"{request}: refused with {status}; are the headers those that the API wants?")
        if status >= 500:
            raise RemoteError(f"{request}: failed with {status}", retry_after=retry_after(reply) or 5)
        if not 200 <= status < 300 and not 400 <= status < 500:
            raise RemoteError(f"{request}: answered with {status}, which makes no sense here")
        return reply


def retry_after(reply: Reply) -> int | None:
    """The seconds that `Retry-After` says, as a number or as a date; None where it says nothing (RFC 9110 §10.2.3)."""
    given = reply.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return min(int(given[:9]), LONGEST_WAIT)
    try:
        left = parsedate_to_datetime(given).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(round(left), 0), LONGEST_WAIT)


def json_of(request: Request, reply: Reply, *, exact: bool = True) -> object:
    """The value of a reply's JSON body, exact numbers as Decimals (RemoteError for anything else)."""
    kind = reply.media_type
    if kind != "application/json" and not kind.endswith("+json"):
        raise RemoteError(f"{request}: answered {reply.status} with {kind or 'no media type'!r:.80} instead of JSON")
    if reply.headers.get("content-encoding", "identity").lower() != "identity":
        raise RemoteError(f"{request}: the reply is compressed, which was not asked for")
    try:
        return jsonio.loads(reply.body, exact=exact)
    except MalformedBody as exc:
        raise RemoteError(f"{request}: {exc}") from exc
