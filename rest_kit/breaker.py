"""A circuit breaker: when a server has failed several times in a row, it is left alone for a while.

Closed, every call goes through. After so many failures it opens, and every call is refused at once. When the time is
over, one call goes through as a probe while the others are still refused; its outcome closes or opens it again.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from rest_kit.errors import StoreUnavailable
from rest_kit.forks import renew_after_fork


class Breaker:
    """Opens after `failures` in a row, for `reset` seconds by `clock`; the error says `what` failed. Thread-safe."""

    def __init__(
        self,
        failures: int = 5,
        reset: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        *,
        what: str = "the API that holds the data",
    ) -> None:
        self.what = what
        self._most = failures
        self._reset = reset
        self._clock = clock
        self._failed = 0
        self._opened: float | None = None
        self._renew()
        renew_after_fork(self, Breaker._renew)

    def _renew(self) -> None:
        """Wait for nobody, and for nobody's probe: a forked child has none of its parent's other threads."""
        self._lock = threading.Lock()
        self._probing = False

    def enter(self) -> None:
        """Let a call through, or refuse it (StoreUnavailable); whoever gets through must call `leave`."""
        with self._lock:
            if self._opened is None:
                return
            left = self._opened + self._reset - self._clock()
            if left > 0 or self._probing:
                text = f"{self.what} has failed several times in a row, and is left alone for a while"
                raise StoreUnavailable(text, retry_after=max(1, math.ceil(left)))
            self._probing = True

    def leave(self, *, well: bool) -> None:
        """Tell how a call that got through has ended."""
        with self._lock:
            self._probing = False
            self._failed = 0 if well else self._failed + 1
            if well:
                self._opened = None
            elif self._opened is not None or self._failed >= self._most:
                self._opened = self._clock()
