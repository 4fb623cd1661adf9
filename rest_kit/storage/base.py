"""What a storage is: it counts hits in windows of time, and keeps small values for a while.

A window holds the hits of one key; a hit is admitted if fewer than the quota were admitted within the length before it.
Clocks are integers: nanoseconds, or whatever else a storage finds exact, as sums of floats are not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import msgspec

Clock = Callable[[], int]
"""The time in nanoseconds, from any beginning."""


class Window(msgspec.Struct, frozen=True):
    """At most `quota` hits of `key` within any `seconds`; `policy` is the window's name for callers.

    Windows of one key and one length are the same, whatever their quota.
    """

    key: str
    quota: int
    seconds: float
    policy: str = "default"


class Count(msgspec.Struct, frozen=True):
    """A window after a hit: how many more it admits now, and in how many seconds it admits one more again.

    `mark` is the hit itself, for taking it back.
    """

    window: Window
    remaining: int
    reset: float
    mark: int = 0


class Storage(ABC):
    """Counts hits and keeps small values for a time; every method is one atomic step for all who share it.

    It does no I/O before it is first used, is thread-safe, and survives a fork. StoreUnavailable where it cannot be
    reached within its timeout.
    """

    in_process: bool = False
    """Whether every process has one of its own, so that several of them together admit more than the quota."""
    tolerated: bool = False
    """Whether such a one may count behind several processes all the same; what must be known to all is refused."""

    @abstractmethod
    def hit(self, windows: Sequence[Window], back: Sequence[Count] = ()) -> tuple[bool, list[Count]]:
        """Count one hit in all of the windows if every one of them admits it, and in none otherwise.

        The counts are those of the windows, each of them once. `back` are hits to be taken back before that, as if they
        had never been; those that are over already do not matter.
        """

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


def distinct(windows: Sequence[Window]) -> Sequence[Window]:
    """The windows, each of them once; of one that is given with several quotas, the smallest holds."""
    if len(windows) < 2 or (len(windows) == 2 and windows[0].key != windows[1].key):
        return windows
    found: dict[tuple[str, float], Window] = {}
    for window in windows:
        same = found.setdefault((window.key, window.seconds), window)
        if window.quota < same.quota:
            found[window.key, window.seconds] = window
    return list(found.values())
