"""The hits that a window has admitted, as a sorted sequence of the times when each of them leaves it.

That is all it takes for an exact sliding window: it admits one more while fewer than the quota have not left. Hits that
have left are cut off as soon as they are half of the sequence, so that a hit costs the same however many there were.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import MutableSequence

from rest_kit.storage.base import Count, Window

NANOSECONDS = 1_000_000_000

Log = MutableSequence[int]


def length_of(window: Window) -> int:
    """A window's length in nanoseconds."""
    return int(window.seconds * NANOSECONDS)


def trimmed(log: Log, now: int, end: int) -> int:
    """How many hits at the beginning of the log have left; none stays longer than one of this moment, until `end`.

    A hit that seems to lie in the future, as the clock was set back, is taken for one of this moment.
    """
    if not log:
        return 0
    if log[-1] > end:
        for place in range(bisect_right(log, end), len(log)):
            log[place] = end
    if log[0] > now:
        return 0
    left = bisect_right(log, now)
    if left * 2 > len(log):
        del log[:left]
        return 0
    return left


def counted(window: Window, log: Log, left: int, now: int) -> Count:
    """What callers are told of a window, whose log begins with so many hits that have left."""
    remaining = window.quota - len(log) + left
    if remaining < 0:
        # the quota has been lowered meanwhile: the first to leave makes no room
        return Count(window, 0, (log[left - remaining] - now) / NANOSECONDS)
    if left == len(log):
        return Count(window, remaining, 0.0)
    return Count(window, remaining, (log[left] - now) / NANOSECONDS, log[-1])


def take_back(log: Log, mark: int) -> None:
    """Remove one hit; one that has been cut off already does not matter."""
    if log and log[-1] == mark:
        del log[-1]
        return
    place = bisect_left(log, mark)
    if place < len(log) and log[place] == mark:
        del log[place]
