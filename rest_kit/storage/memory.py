"""Counts and values in this process alone: a dict, whose dead entries are swept out little by little as new ones come.

There is no thread that cleans up: whoever brings a new key looks at two old ones. So there are never more than about
twice as many entries as are alive, however many callers come and go.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from rest_kit.errors import ConfigurationError, StoreFull, did_you_mean
from rest_kit.forks import renew_after_fork
from rest_kit.storage.base import Clock, Count, Storage, Window, distinct
from rest_kit.storage.logs import NANOSECONDS, counted, take_back, trimmed

MULTIPROCESS = ("refuse", "allow")
MAX_KEYS = 250_000


class MemoryStorage(Storage):
    """Keeps everything in this process, for as long as it runs.

    `multiprocess`: "refuse" (where a server runs several processes, throttles answer 503, as each process would admit
    the whole quota), or "allow"; sessions, refresh tokens and idempotency keys are refused there in either case.
    `max_keys`: how many callers and values at a time; one more is StoreFull. `clock`: for tests. Raises
    ConfigurationError.
    """

    in_process = True

    def __init__(
        self, *, multiprocess: str = "refuse", max_keys: int = MAX_KEYS, clock: Clock = time.monotonic_ns
    ) -> None:
        problems = []
        if multiprocess not in MULTIPROCESS:
            hint = did_you_mean(str(multiprocess), MULTIPROCESS)
            problems.append(f"multiprocess must be 'refuse' or 'allow', not {multiprocess!r}{hint}")
        if not isinstance(max_keys, int) or max_keys < 1:
            problems.append(f"max_keys must be a positive number, not {max_keys!r}")
        if problems:
            raise ConfigurationError(problems, owner=type(self).__name__)
        self.tolerated = multiprocess == "allow"
        self.max_keys = max_keys
        self._clock = clock
        # both logs and values end with the time when they are over, which is all that sweeping looks at
        self._entries: dict[Any, Any] = {}
        self._round: deque[Any] = deque()
        self._renew_lock()
        renew_after_fork(self, MemoryStorage._renew_lock)

    def hit(self, windows: Sequence[Window], back: Sequence[Count] = ()) -> tuple[bool, list[Count]]:
        with self._lock:
            now = self._clock()
            for one in back:
                log = self._entries.get((one.window.key, one.window.seconds))
                if log:
                    take_back(log, one.mark)
            if len(windows) != 1:
                return self._hit_all(distinct(windows), now)
            # PERF: the usual case, in half the time
            window = windows[0]
            log = self._entries.get((window.key, window.seconds))
            end = now + int(window.seconds * NANOSECONDS)
            if log is None or (log and (log[0] <= now or log[-1] > end)):
                return self._hit_all(windows, now)
            remaining = window.quota - len(log)
            if remaining > 0:
                log.append(end)
                return True, [Count(window, remaining - 1, (log[0] - now) / NANOSECONDS, end)]
            return False, [counted(window, log, 0, now)]

    def _hit_all(self, windows: Sequence[Window], now: int) -> tuple[bool, list[Count]]:
        """Count one hit in all of the windows if each of them admits it."""
        admitted = True
        seen = []
        for window in windows:
            log = self._entries.get((window.key, window.seconds))
            if log is None:
                log = self._make_room((window.key, window.seconds), now, windows)
            end = now + int(window.seconds * NANOSECONDS)
            left = trimmed(log, now, end) if log and (log[0] <= now or log[-1] > end) else 0
            if len(log) - left >= window.quota:
                admitted = False
            seen.append((window, log, left, end))
        if admitted:
            for _, log, _, end in seen:
                log.append(end)
        return admitted, [counted(window, log, left, now) for window, log, left, _ in seen]

    def get(self, key: str) -> bytes | None:
        with self._lock:
            return self._value(key, self._clock())

    def swap(self, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        with self._lock:
            now = self._clock()
            if self._value(key, now) != expected:
                return False
            if key not in self._entries:
                self._make_room(key, now)
            # what is taken away leaves an entry that is over, so that each key stands in the round once
            self._entries[key] = (value, now if value is None else now + int(seconds * NANOSECONDS))
            return True

    def _value(self, key: str, now: int) -> bytes | None:
        value, end = self._entries.get(key) or (None, now)
        found: bytes | None = value
        return found if end > now else None

    def _make_room(self, key: Any, now: int, beside: Sequence[Window] = ()) -> list[int]:
        """An empty entry for a new key, after two others have been looked at, but not those `beside` (StoreFull)."""
        spared = {(window.key, window.seconds) for window in beside}
        for _ in range(min(2, len(self._round))):
            old = self._round.popleft()
            entry = self._entries[old]
            if (entry and entry[-1] > now) or old in spared:
                self._round.append(old)
            else:
                del self._entries[old]
        if len(self._entries) >= self.max_keys:
            raise StoreFull(f"the storage in memory holds {self.max_keys} keys, and all are in use")
        self._round.append(key)
        made: list[int] = []
        self._entries[key] = made
        return made

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def ping(self) -> None:
        """Always within reach."""

    def close(self) -> None:
        """Nothing to let go of."""

    def __repr__(self) -> str:
        return "MemoryStorage(multiprocess='allow')" if self.tolerated else "MemoryStorage()"
