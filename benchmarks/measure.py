"""Calling a WSGI application in this process, with a clock around it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from benchmarks.workload import Environ, Row, environ

BATCH = 8_000.0
"""Microseconds that a batch should take."""


class WrongReply(Exception):
    """A contender does not do the work that is measured."""


def ignore(status: str, headers: Any, exc_info: Any = None) -> None:
    """A `start_response` that costs nothing."""


def call(app: Callable[..., Iterable[bytes]], made: Environ) -> tuple[str, bytes]:
    """One request's status line and body."""
    seen: list[str] = []
    body = app(made, lambda status, headers, exc_info=None: seen.append(status))
    try:
        return seen[0] if seen else "", b"".join(body)
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


def batch(app: Callable[..., Iterable[bytes]], row: Row, calls: int) -> float:
    """Microseconds of this process for one of a batch of calls; environs and waste collection are off the clock."""
    environs = [environ(row) for _ in range(calls)]
    gc.collect()
    start = time.process_time()
    for made in environs:
        body = app(made, ignore)
        b"".join(body)
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return (time.process_time() - start) / calls * 1e6


def fitting(app: Callable[..., Iterable[bytes]], row: Row) -> int:
    """How many calls make a batch that takes about as long as anybody's; and the application is warm then.

    Of batches of different lengths, a busy machine would hit the long ones more often than the short ones.
    """
    once = batch(app, row, 10)
    return max(10, min(2_000, round(BATCH / once)))


def verify(app: Callable[..., Iterable[bytes]], row: Row, who: str) -> None:
    """One call must answer what the row says (WrongReply)."""
    check(row, who, *call(app, environ(row)))


def check(row: Row, who: str, status: str, body: bytes) -> None:
    """A reply must be what the row says (WrongReply)."""
    if not status.startswith(row.status):
        raise WrongReply(f"{who}, {row.name}: {status}: {body[:300]!r}")
    data = msgspec.json.decode(body)
    first = data
    if row.objects is not None:
        first = data["object_list"][0]
        found = (len(data["object_list"]), data["meta"]["total_count"])
        if found != (row.objects, row.total):
            raise WrongReply(f"{who}, {row.name}: {found} objects and total, not {(row.objects, row.total)}")
    for name, value in row.expected.items():
        if first.get(name) != value:
            raise WrongReply(f"{who}, {row.name}: {name} is {first.get(name)!r}, not {value!r}")
