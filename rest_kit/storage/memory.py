"""Counts and keys in this process alone."""

from __future__ import annotations

from collections.abc import Sequence

from rest_kit.storage.base import Count, Storage, Window


class MemoryStorage(Storage):
    """Keeps everything in this process, for as long as it runs."""

    in_process = True

    def hit(self, windows: Sequence[Window]) -> tuple[bool, list[Count]]:
        raise NotImplementedError

    def get(self, key: str) -> bytes | None:
        raise NotImplementedError

    def swap(self, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        raise NotImplementedError

    def ping(self) -> None:
        """Always within reach."""

    def close(self) -> None:
        """Nothing to let go of."""


def open_storage(url: str | Storage) -> Storage:
    """The storage that a URL names (ConfigurationError)."""
    return url if isinstance(url, Storage) else MemoryStorage()
