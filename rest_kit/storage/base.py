"""Where counts and one-time keys are kept: in memory, in an SQLite file, or on a Redis server.

`open_storage` makes one of a URL. A storage does no I/O before it is first used, is thread-safe and survives a fork.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec


class Window(msgspec.Struct, frozen=True):
    """At most `quota` hits of `key` within any `seconds`; `policy` is the window's name for callers."""

    key: str
    quota: int
    seconds: float
    policy: str = "default"


class Count(msgspec.Struct, frozen=True):
    """A window after a hit: how many more it admits now, and in how many seconds it admits one more again."""

    window: Window
    remaining: int
    reset: float


class Storage(ABC):
    """Counts hits and keeps small values for a time; every method is one atomic step for all who share it.

    StoreUnavailable where it cannot be reached within its timeout.
    """

    in_process: bool = False
    """Whether every process has one of its own, so that several of them together admit more than the quota."""

    @abstractmethod
    def hit(self, windows: Sequence[Window]) -> tuple[bool, list[Count]]:
        """Count one hit in all of the windows if every one of them admits it, and in none otherwise."""

    @abstractmethod
    def get(self, key: str) -> bytes | None:
        """The value kept under a key, if its time has not run out."""

    @abstractmethod
    def swap(self, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        """Keep a value (None: nothing) for so many seconds if the present one is as expected (None: there is none)."""

    @abstractmethod
    def ping(self) -> None:
        """Return if it can be reached now."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections; they are opened again at the next use."""
