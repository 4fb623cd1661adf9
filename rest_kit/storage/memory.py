"""Counts and keys in this process alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from rest_kit.storage.base import Count, Storage, Window


class MemoryStorage(Storage):
    """Keeps everything in this process, for as long as it runs."""

    in_process = True

    def hit(self, windows: Sequence[Window]) -> tuple[bool, list[Count]]:
        raise NotImplementedError

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        value, until = self._kept.get(key, (None, 0.0))
        return value if until > time.monotonic() else None

    def swap(self, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        with self._lock:
            if self.get(key) != expected:
                return False
            self._kept.pop(key, None)
            if value is not None:
                self._kept[key] = value, time.monotonic() + seconds
            return True

    def ping(self) -> None:
        """Always within reach."""

    def close(self) -> None:
        """Nothing to let go of."""


def open_storage(url: str | Storage) -> Storage:
    """The storage that a URL names (ConfigurationError)."""
    return url if isinstance(url, Storage) else MemoryStorage()
