"""A connection that gives up on a server that falls silent.

PostgreSQL itself ends a statement that takes too long, unless it is PostgreSQL that hangs: on a disk, or because its
machine was paused. Then nothing comes, nothing fails, and psycopg waits as long as that lasts.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")


class Silence(psycopg.OperationalError):
    """The server has not answered in the time in which it should have ended the statement itself."""


class Connection(psycopg.Connection[Any]):
    """psycopg's, with `patience`: the seconds that one way to the server and back may take."""

    patience: float = math.inf

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        """Run an exchange with the server to its end (Silence)."""
        return super().wait(_bounded(gen, self.patience), *args, **kwargs)


def _bounded(exchange: Generator[Any, Any, T], patience: float) -> Generator[Any, Any, T]:
    """The same exchange, which fails once its time is up; psycopg resumes it ten times a second at least."""
    try:
        wanted = next(exchange)
        deadline = time.monotonic() + patience
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > deadline:
                raise Silence("the server has fallen silent")
            wanted = exchange.send(ready)
    except StopIteration as exc:
        found: T = exc.value
        return found
